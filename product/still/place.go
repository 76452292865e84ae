package still

import (
	"fmt"
	"image"
	"math"
	"strconv"
	"strings"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// unknownStepM is how finely a place is written whose error nothing tells, metres.
const unknownStepM = 100.0

// degreeM is a degree of latitude, metres; one of longitude is shorter by the cosine of the latitude.
const degreeM = geodesy.MeanRadiusM * geodesy.RadPerDegree

// roundStep is the least of 1, 2, 5 times a power of ten that is not below v.
func roundStep(v float64) float64 {
	k := math.Pow10(int(math.Floor(math.Log10(v))))
	for _, m := range [...]float64{1, 2, 5} {
		if m*k >= v*(1-1e-9) {
			return m * k
		}
	}
	return 10 * k
}

// degrees writes a place as latitude and longitude, in steps that are no finer than stepM metres.
func degrees(p geodesy.LatLon, stepM float64) string {
	stepM = math.Max(stepM, 0.01)
	write := func(v, step float64) string {
		s := roundStep(step)
		return strconv.FormatFloat(math.Round(v/s)*s, 'f', max(0, int(math.Ceil(-math.Log10(s)-1e-9))), 64)
	}
	return write(p.Lat, stepM/degreeM) + "°,\u00a0" + write(p.Lon, stepM/degreeM/math.Max(math.Cos(p.Lat*geodesy.RadPerDegree), 0.01)) + "°"
}

// figs writes a length or ratio, not below 0, with two significant figures, or whole above ten.
func figs(v float64) string {
	switch a := math.Abs(v); {
	case a >= 9.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 0.01:
		return strconv.FormatFloat(v, 'f', max(0, 1-int(math.Floor(math.Log10(a)))), 64)
	}
	return "<\u00a00.01"
}

func metres(v float64) string {
	switch {
	case v >= 999.5:
		return strconv.FormatFloat(v/1000, 'f', max(0, 2-int(math.Floor(math.Log10(v/1000)))), 64) + " km"
	case v < 0.0995:
		return figs(v*100) + " cm"
	}
	return figs(v) + " m"
}

// seconds writes a presentation time.
func seconds(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) + " s" }

// A Shot is one frame of a video, or a part of one, with what stands behind it.
type Shot struct {
	Pix *image.RGBA     // of the part
	Of  video.Size      // of the whole frame, px
	At  image.Rectangle // where in it the part lies; the whole frame where it is empty
	PTS float64         // seconds
	// Moment is where the camera looked, nil where no metadata lies within video.Hold of the frame.
	Moment *video.Moment
	// Fields says how the lines were sensed where they were made whole from two fields, "" for progressive pictures.
	Fields string
}

// part is where in the frame the shot lies.
func (s *Shot) part() image.Rectangle {
	if s.At.Empty() {
		return image.Rect(0, 0, s.Of.Width, s.Of.Height)
	}
	return s.At
}

func (s *Shot) whole() bool { return s.part() == image.Rect(0, 0, s.Of.Width, s.Of.Height) }

// A fix is what the geometry tells of a shot.
type fix struct {
	center    video.Position // of the part
	hasCenter bool
	reported  bool // by the metadata, not by a ray
	ellipse   geodesy.Ellipse
	known     bool // the ellipse is
	ground    string
	rangeM    float64
	// perX and perY are metres of ground a pixel to the right and downwards in the middle of the part, north the direction of north
	// there as it lies in the picture, a unit vector. All are 0 where scaled is false; why says why.
	perX, perY float64
	north      point
	scaled     bool
	why        string // a key of words
	box        [4]geodesy.LatLon
	boxed      bool
	ring       []point // of the ellipse, in pixels of the frame
}

// middle is that of the part, px of the frame.
func (s *Shot) middle() (x, y float64) {
	r := s.part()
	return float64(r.Min.X+r.Max.X) / 2, float64(r.Min.Y+r.Max.Y) / 2
}

// fix looks along the shot's middle and corners.
func (s *Shot) fix() (f fix) {
	m := s.Moment
	if m == nil {
		f.why = "why.none"
		return f
	}
	if m.Blind() != "" {
		f.why = "why.blind"
		if m.Contradicts {
			f.why = "why.contradicts"
		}
		s.bySender(&f)
		return f
	}
	x, y := s.middle()
	at, ok := m.Pixel(x, y, s.Of)
	if !ok {
		f.why = "why.sky"
		return f
	}
	f.center, f.hasCenter, f.rangeM, f.ground = at.Position, true, at.RangeM, at.Ground
	f.ellipse, f.known = m.PointEllipse95(x/float64(s.Of.Width), y/float64(s.Of.Height), at)
	if c := m.Line().Center; s.whole() && c != nil && c.Method == "reported" { // the metadata's own goes before a ray that stands on less
		s.bySender(&f)
	}
	s.scale(&f, x, y)
	f.boxed = true
	r := s.part()
	for i, c := range [4]image.Point{r.Min, {r.Max.X, r.Min.Y}, r.Max, {r.Min.X, r.Max.Y}} {
		spot, ok := m.Pixel(float64(c.X), float64(c.Y), s.Of)
		f.box[i] = spot.LatLon()
		f.boxed = f.boxed && ok && spot.RangeM < video.Reach
	}
	if f.known && !f.reported {
		f.ring = s.ringOf(&f)
	}
	return f
}

// bySender takes the metadata's own frame center, of which nothing tells the error.
func (s *Shot) bySender(f *fix) {
	if p, ok := s.Moment.Center(); ok && s.whole() {
		f.center, f.hasCenter, f.reported, f.known = p, true, true, false
	}
}

// scale is the ground that a pixel takes in the middle of the part, by rays half a pixel to each side.
func (s *Shot) scale(f *fix, x, y float64) {
	m := s.Moment
	var spots [4]video.Spot
	for i, d := range [4]point{{-0.5, 0}, {0.5, 0}, {0, -0.5}, {0, 0.5}} {
		spot, ok := m.Pixel(x+d.x, y+d.y, s.Of)
		if !ok {
			f.why = "why.sky"
			return
		}
		spots[i] = spot
	}
	frame := geodesy.NewFrame(geodesy.LatLonHeight{Lat: f.center.Lat, Lon: f.center.Lon})
	flat := func(i int) [2]float64 { return frame.GroundENU(spots[i].LatLon()) }
	l, r, u, d := flat(0), flat(1), flat(2), flat(3)
	ex, nx, ey, ny := r[0]-l[0], r[1]-l[1], d[0]-u[0], d[1]-u[1]
	det := ex*ny - ey*nx
	f.perX, f.perY = math.Hypot(ex, nx), math.Hypot(ey, ny)
	if f.scaled = f.perX > 0 && f.perY > 0 && math.Abs(det) > 1e-3*f.perX*f.perY; !f.scaled {
		f.why = "why.grazing"
		return
	}
	// A step to the north, as pixels: the second column of the inverse.
	px, py := -ey/det, ex/det
	long := math.Hypot(px, py)
	f.north = point{px / long, py / long}
}

// ringOf is the ellipse of the middle as it lies in the frame; nil where it leaves what can be seen.
func (s *Shot) ringOf(f *fix) (ring []point) {
	const n = 72
	for _, p := range f.ellipse.Ring(f.center.LatLon(), n) {
		q := f.center
		q.Lat, q.Lon = p.Lat, p.Lon
		x, y, _, ok := s.Moment.PixelOf(q, s.Of)
		if !ok {
			return nil
		}
		ring = append(ring, point{x, y})
	}
	return ring
}

// stepM is how finely the fix's place may be written.
func (f *fix) stepM() float64 {
	if f.known {
		return f.ellipse.MajorM
	}
	return unknownStepM
}

func (f *fix) ellipseText(t tongue) string {
	e := f.ellipse
	return t.say("ellipse", "major", metres(e.MajorM), "minor", metres(e.MinorM), "azimuth", fmt.Sprintf("%03.0f°", math.Mod(math.Round(geodesy.Wrap360(e.AzimuthDeg)), 180)))
}

// placeText is the middle's place, on the ellipsoid and as a grid reference, no finer than its error.
func (f *fix) placeText() string {
	step := f.stepM()
	out := []string{degrees(f.center.LatLon(), step)}
	if g := geodesy.MGRS(f.center.LatLon(), step); g != "" {
		out = append(out, "MGRS "+g)
	}
	if f.center.HasHeight {
		out = append(out, heightText(f.center))
	}
	return strings.Join(out, " · ")
}

func heightText(p video.Position) string {
	return fmt.Sprintf("%.0f m %s", p.HeightM, strings.ToUpper(string(p.Datum)))
}
