package video

import (
	"math"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/klv"
)

// A Mark is one detection in a frame, as it is written into a VMTI set.
type Mark struct {
	ID int64 // the same in every frame
	// X and Y are the middle of its box, W and H its size, pixels; the picture's upper left corner is (0, 0).
	X, Y, W, H float64
	Coasting   bool      // followed, but not seen in this frame
	History    int       // frames before this one in which it was followed
	First      time.Time // when it was followed first; zero where not known
	Track      klv.UUID  // of the track, unlike that of any other
	HasPlace   bool
	Place      klv.Location
}

// Marks are what was detected in one frame. Frame must be known.
type Marks struct {
	Time    time.Time // of the frame; zero where the stream does not tell it: then the set has no time stamp
	System  string    // VMTI System Name
	Version string    // of the system
	Sensor  string    // VMTI Source Sensor; "" where not known
	Frame   Size
	List    []Mark
}

// vmtiVersion is the version of ST 0903 that is written. method names what finds and follows, as algorithm 1 of the set.
const (
	vmtiVersion = 6
	method      = "difference of registered frames"
)

// Encode writes a whole ST 0903.6 packet that stands alone. A mark whose middle lies outside the frame has no pixel number: it is
// counted among those detected (item 5) and not reported (item 6). No confidence is written, since none was computed.
func (m *Marks) Encode() ([]byte, error) {
	var targets []klv.Value
	for i := range m.List {
		if v, ok := m.target(&m.List[i]); ok {
			targets = append(targets, v)
		}
	}
	var items []klv.Value
	if !m.Time.IsZero() {
		items = append(items, klv.Time(2, m.Time))
	}
	items = append(items, klv.TextOf(3, m.System), klv.Integer(4, vmtiVersion), klv.Integer(5, int64(len(m.List))), klv.Integer(6, int64(len(targets))),
		klv.Integer(8, int64(m.Frame.Width)), klv.Integer(9, int64(m.Frame.Height)))
	if m.Sensor != "" {
		items = append(items, klv.TextOf(10, m.Sensor))
	}
	if len(targets) > 0 {
		items = append(items, klv.ListOf(101, targets...))
	}
	return klv.ST0903.Encode(append(items, klv.ListOf(102, klv.SetOf(0, klv.Integer(1, 1), klv.TextOf(2, method), klv.TextOf(3, m.Version))))...)
}

// The statuses of ST 0903.6 (detection status) that are told: a track is followed while it moves.
const (
	activeMoving   = 1
	activeCoasting = 4
)

func (m *Marks) target(k *Mark) (klv.Value, bool) {
	at := klv.Pixel{Row: int64(math.Floor(k.Y)) + 1, Column: int64(math.Floor(k.X)) + 1}
	if !at.Known() || at.Row > int64(m.Frame.Height) || at.Column > int64(m.Frame.Width) {
		return klv.Value{}, false
	}
	from := klv.Pixel{Row: within(math.Floor(k.Y-k.H/2)+1, m.Frame.Height), Column: within(math.Floor(k.X-k.W/2)+1, m.Frame.Width)}
	to := klv.Pixel{Row: within(math.Ceil(k.Y+k.H/2), m.Frame.Height), Column: within(math.Ceil(k.X+k.W/2), m.Frame.Width)}
	status := int64(activeMoving)
	if k.Coasting {
		status = activeCoasting
	}
	number := func(tag uint32, p klv.Pixel) klv.Value { return klv.Integer(tag, p.Number(m.Frame.Width)) }
	items := []klv.Value{number(1, at), number(2, from), number(3, to), klv.Integer(6, int64(min(k.History, math.MaxUint16)))}
	if k.HasPlace {
		items = append(items, klv.LocationPack(17, k.Place))
	}
	items = append(items, klv.Integer(19, at.Row), klv.Integer(20, at.Column), klv.Integer(22, 1), klv.Integer(23, status))
	return klv.VTargetOf(k.ID, append(items, klv.SetOf(104, m.tracker(k, status)...))...), true
}

// tracker are the items of the VTracker set.
func (m *Marks) tracker(k *Mark, status int64) []klv.Value {
	items := []klv.Value{klv.UUIDOf(1, k.Track), klv.Integer(2, status)}
	if !m.Time.IsZero() && !k.First.IsZero() {
		items = append(items, klv.Time(3, k.First), klv.Time(4, m.Time))
	}
	return append(items, klv.Integer(8, int64(k.History)+1), klv.Integer(12, 1))
}

// within is a row or column that lies in the frame.
func within(at float64, most int) int64 { return int64(math.Max(1, math.Min(at, float64(most)))) }

// The greatest standard deviation, metres, and the heights that a location of ST 0903 can tell.
const (
	greatestSigma            = 650
	leastHAE, greatestHAE    = -900, 19000
	ellipse95OverSigmaSquare = 5.991464547107979 // chi-square of two degrees of freedom at 95 %
)

// Locate is the ground at (x, y) in pixels of a picture of that size as ST 0903 tells a place: with the standard deviations of its
// east and north error and their correlation, of what stands behind PointEllipse95 and of the pixel itself (covariance of x and y:
// xx, xy, yy, px²). They are left out where they are greater than the standard can tell. The height is NaN where it is not known
// above the ellipsoid, and so is its deviation.
func (l *Look) Locate(x, y float64, covariance [3]float64, of Size) (p klv.Location, ok bool) {
	at, ok := l.Pixel(x, y, of)
	if !ok {
		return p, false
	}
	p = klv.Location{Lat: at.Lat, Lon: at.Lon, HAE: math.NaN()}
	if at.HasHeight && at.Datum == HAE && at.HeightM >= leastHAE && at.HeightM <= greatestHAE {
		p.HAE = at.HeightM
	}
	e, ok := l.PointEllipse95(x/float64(of.Width), y/float64(of.Height), at)
	if !ok {
		return p, true
	}
	c := covarianceOf(e)
	right, okRight := l.Pixel(x+1, y, of)
	below, okBelow := l.Pixel(x, y+1, of)
	if !okRight || !okBelow {
		return p, true
	}
	f := geodesy.NewFrame(at.geodetic())
	r, b := f.GroundENU(right.LatLon()), f.GroundENU(below.LatLon())
	spread := func(i, j int) float64 {
		return covariance[0]*r[i]*r[j] + covariance[1]*(r[i]*b[j]+b[i]*r[j]) + covariance[2]*b[i]*b[j]
	}
	east, north := math.Sqrt(c[0]+spread(0, 0)), math.Sqrt(c[2]+spread(1, 1))
	if east > 0 && north > 0 && east <= greatestSigma && north <= greatestSigma {
		p.HasSigma, p.Sigma = true, [3]float64{east, north, math.NaN()}
		p.HasRho, p.Rho = true, [3]float64{math.Max(-1, math.Min(1, (c[1]+spread(0, 1))/(east*north))), math.NaN(), math.NaN()}
	}
	return p, true
}

// covarianceOf is the covariance whose 95 % ellipse this is: east east, east north, north north, m².
func covarianceOf(e geodesy.Ellipse) [3]float64 {
	a, b := e.MajorM*e.MajorM/ellipse95OverSigmaSquare, e.MinorM*e.MinorM/ellipse95OverSigmaSquare
	sin, cos := math.Sincos(e.AzimuthDeg * geodesy.RadPerDegree)
	return [3]float64{a*sin*sin + b*cos*cos, (a - b) * sin * cos, a*cos*cos + b*sin*sin}
}
