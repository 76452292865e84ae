package still

import (
	"fmt"
	"image"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// The sizes of a sheet, in elements for pictures up to 1650 px wide; larger pictures have letters twice, three times as large.
const (
	leastWide = 760.0
	edgeWide  = 14.0 // beside the picture
	sideWide  = 200.0
	labelWide = 104.0
	rowHigh   = 17.0
	rowSize   = 12.5
)

// enlarged is how many elements a pixel takes, each way: small pictures are drawn large, pixel by pixel, up to 640 x 560.
func enlarged(w, h int) int { return max(1, min(640/w, 560/h)) }

// A row is a line of what stands below a picture.
type row struct{ label, text string }

// Frame draws a frame, or a part of one, as PNG under its marking.
func Frame(s Shot, from Source, m Mark) ([]byte, error) {
	if err := checked(&from, m, s); err != nil {
		return nil, err
	}
	part := s.part()
	k := enlarged(part.Dx(), part.Dy())
	d := &sheet{shot: &s, from: &from, fix: s.fix(), k: k, s: math.Max(1, math.Round(float64(part.Dx()*k)/1100))}
	img, err := d.paint(m)
	if err != nil {
		return nil, err
	}
	kind := "frame"
	if !s.whole() {
		kind = "chip"
	}
	p := from.provenance(kind, m)
	p.Frames = []FrameProvenance{s.provenance(&d.fix, k)}
	return encode(img, p, from.tongue().say(kind)+": "+from.File+", "+seconds(s.PTS))
}

// checked refuses what has no marking, no source, or not the size it says.
func checked(from *Source, m Mark, shots ...Shot) error {
	if err := m.check(); err != nil {
		return err
	}
	if err := from.check(); err != nil {
		return err
	}
	for i := range shots {
		s := &shots[i]
		whole := image.Rect(0, 0, s.Of.Width, s.Of.Height)
		if s.Pix == nil || whole.Empty() || !s.part().In(whole) || s.Pix.Rect.Size() != s.part().Size() || s.Of.Width > maxSide || s.Of.Height > maxSide {
			return bad("a frame that is not of the size it says")
		}
	}
	return nil
}

// maxSide bounds pictures, px.
const maxSide = 8192

type sheet struct {
	shot *Shot
	from *Source
	fix  fix
	k    int
	s    float64 // elements a unit of the sheet's letters and lines
}

func (d *sheet) paint(m Mark) (*image.RGBA, error) {
	s, t := d.s, d.from.tongue()
	w, h := float64(d.shot.Pix.Rect.Dx()*d.k), float64(d.shot.Pix.Rect.Dy()*d.k)
	wide := math.Max(w+2*edgeWide*s, leastWide*s)
	scratch, err := newPaint(1, 1)
	if err != nil {
		return nil, err
	}
	rows := d.rows()
	lines := d.broken(scratch, rows, wide)
	wide = math.Ceil(wide)
	b := stripOf(scratch, m, wide, s)
	top := b.high() + 30*s
	below := top + h + 12*s
	panel := math.Max(float64(len(lines))*rowHigh*s, d.sideHigh()) + 8*s
	c, err := newPaint(int(wide), int(below+panel+b.high()))
	if err != nil {
		return nil, err
	}
	tall := float64(c.img.Rect.Dy())
	c.fill([][]point{box(0, 0, wide, tall)}, surface, 1)
	b.draw(c, 0)
	b.draw(c, tall-b.high())
	kind := "frame"
	if !d.shot.whole() {
		kind = "chip"
	}
	title := cutTo(c, t.say(kind)+": "+clean(d.from.File), 16*s, true, wide-2*edgeWide*s)
	c.write(edgeWide*s, b.high()+19*s, title, letters{size: 16 * s, colour: ink, bold: true})
	x := math.Floor((wide - w) / 2)
	c.show(int(x), int(top), d.shot.Pix, d.k, "")
	neatline(c, x, math.Floor(top), w, h, s)
	d.marks(c, x, math.Floor(top), w, h)
	y := below + 12*s
	for _, l := range lines {
		c.write(edgeWide*s, y, l.label, letters{size: rowSize * s, colour: ink3})
		c.write((edgeWide+labelWide)*s, y, l.text, letters{size: rowSize * s, colour: ink})
		y += rowHigh * s
	}
	d.side(c, wide-(sideWide+edgeWide)*s, below)
	return c.img, nil
}

// together keeps a dot with what stands before it, and both sides of a product, on one line.
var together = strings.NewReplacer(" · ", "\u00a0· ", " × ", "\u00a0×\u00a0")

// broken lays rows out in the width beside the side block.
func (d *sheet) broken(c canvas, rows []row, wide float64) (out []row) {
	most := wide - (2*edgeWide+labelWide+sideWide+12)*d.s
	for _, r := range rows {
		for i, text := range wrapped(c, together.Replace(r.text), rowSize*d.s, false, most) {
			label := r.label
			if i > 0 {
				label = ""
			}
			out = append(out, row{label, text})
		}
	}
	return out
}

// marks draws what lies over the picture: the ring of the error ellipse, and a cross that leaves its middle free.
func (d *sheet) marks(c canvas, x, y, w, h float64) {
	if len(d.fix.ring) == 0 {
		return
	}
	part, k := d.shot.part(), float64(d.k)
	place := func(p point) point { return point{x + (p.x-float64(part.Min.X))*k, y + (p.y-float64(part.Min.Y))*k} }
	var ring []point
	least := math.Inf(1)
	mx, my := d.shot.middle()
	mid := place(point{mx, my})
	for _, p := range d.fix.ring {
		q := place(p)
		ring = append(ring, q)
		least = math.Min(least, math.Hypot(q.x-mid.x, q.y-mid.y))
	}
	if !d.ringShows() {
		return
	}
	c.within(x, y, w, h)
	defer c.without()
	s := d.s
	if least > 5*s {
		ring = closed(ring)
		c.draw([][]point{ring}, paper, 3*s, []float64{7 * s, 5 * s})
		c.draw([][]point{ring}, estimated, 1.6*s, []float64{7 * s, 5 * s})
	}
	var cross [][]point
	for _, a := range [4]point{{1, 0}, {0, 1}, {-1, 0}, {0, -1}} {
		cross = append(cross, []point{{mid.x + 4*s*a.x, mid.y + 4*s*a.y}, {mid.x + 11*s*a.x, mid.y + 11*s*a.y}})
	}
	c.draw(cross, paper, 3*s, nil)
	c.draw(cross, estimated, 1.4*s, nil)
}

// ringShows says that some of the ring lies within the part and is large enough to be seen as one.
func (d *sheet) ringShows() bool {
	part := d.shot.part()
	for _, p := range d.fix.ring {
		if image.Pt(int(p.x), int(p.y)).In(part) {
			return true
		}
	}
	return false
}

func (d *sheet) rows() []row {
	t, f, m := d.from.tongue(), &d.fix, d.shot.Moment
	scratch, err := newPaint(1, 1)
	if err != nil {
		return nil
	}
	wide := math.Max(float64(d.shot.Pix.Rect.Dx()*d.k)+2*edgeWide*d.s, leastWide*d.s) - (2*edgeWide+labelWide+sideWide+12)*d.s
	rows := []row{{t.say("label.file"), d.from.fileLine(scratch, rowSize*d.s, wide)}, {t.say("label.time"), d.shot.timeText(t)}, {t.say("label.platform"), d.from.names()}}
	label := "label.center"
	if !d.shot.whole() {
		label = "label.middle"
	}
	if f.hasCenter {
		rows = append(rows, row{t.say(label), f.placeText()}, row{t.say("label.error"), d.errorText()})
	}
	if m != nil && m.HasSensor {
		rows = append(rows, row{t.say("label.sensor"), d.sensorText()})
	}
	if f.scaled {
		rows = append(rows, row{t.say("label.scale"), t.say("per pixel", "x", metres(f.perX), "y", metres(f.perY))})
	}
	part := d.shot.part()
	if !d.shot.whole() {
		rows = append(rows, row{t.say("label.part"), t.say("part of", "x", strconv.Itoa(part.Min.X), "y", strconv.Itoa(part.Min.Y), "w", strconv.Itoa(part.Dx()),
			"h", strconv.Itoa(part.Dy()), "fw", strconv.Itoa(d.shot.Of.Width), "fh", strconv.Itoa(d.shot.Of.Height))})
		if f.boxed {
			rows = append(rows, row{t.say("label.box"), d.boxText()})
		}
	}
	picture := []string{t.say("drawn", "w", strconv.Itoa(part.Dx()), "h", strconv.Itoa(part.Dy()))}
	if d.k > 1 {
		picture = append(picture, t.say("enlarged", "k", strconv.Itoa(d.k)))
	}
	if d.shot.Fields != "" {
		picture = append(picture, t.say("fields", "order", t.say(d.shot.Fields)))
	}
	return append(rows, row{t.say("label.picture"), strings.Join(picture, " · ")}, row{t.say("label.made"), d.from.made()})
}

const timeForm = "2006-01-02T15:04:05.000Z"

// utc is the time of the shot by its metadata; "" where they tell none.
func (s *Shot) utc() string {
	if s.Moment == nil || !s.Moment.HasTime {
		return ""
	}
	at := s.Moment.Time
	if s.Moment.HasPTS && !s.Moment.Interpolated { // the packet's own: the frame is so much later or earlier
		at = at.Add(time.Duration(math.Round((s.PTS - s.Moment.PTS) * 1e9)))
	}
	return at.UTC().Format(timeForm)
}

func (s *Shot) timeText(t tongue) string {
	out := []string{s.utc(), t.say("stream", "pts", seconds(s.PTS))}
	if out[0] == "" {
		out[0] = t.say("no utc")
	}
	switch m := s.Moment; {
	case m == nil:
		out = append(out, t.say("no metadata"))
	case m.Interpolated:
		out = append(out, t.say("between"))
	case m.AgeS < 0.0005:
		out = append(out, t.say("its own"))
	default:
		out = append(out, t.say("nearest", "age", seconds(m.AgeS)))
	}
	return strings.Join(out, " · ")
}

func (d *sheet) errorText() string {
	t, f := d.from.tongue(), &d.fix
	how := t.say("reported")
	if !f.reported {
		how = t.say("by ray", "ground", t.say(clean(f.ground)))
	}
	if !f.known {
		return t.say("error unknown") + " · " + how
	}
	out := f.ellipseText(t)
	if d.ringShows() {
		out += ", " + t.say("ellipse drawn")
	}
	return out + " · " + how
}

// sensorStepM is how finely the sensor's place is written, metres: positions of satellite navigation are no better.
const sensorStepM = 10.0

func (d *sheet) sensorText() string {
	t, m, f := d.from.tongue(), d.shot.Moment, &d.fix
	place := degrees(m.Sensor.LatLon(), sensorStepM)
	if m.Sensor.HasHeight {
		place += " · " + heightText(m.Sensor)
	}
	out := place
	if f.hasCenter && f.rangeM > 0 {
		azimuth := geodesy.Wrap360(geodesy.Azimuth(m.Sensor.LatLon(), f.center.LatLon()))
		out = t.say("sensor at", "place", place, "range", metres(f.rangeM), "azimuth", fmt.Sprintf("%03.0f°", math.Mod(math.Round(azimuth), 360)))
	}
	if m.HFOV > 0 && m.VFOV > 0 {
		out += " · " + t.say("fov", "h", figs(m.HFOV)+"°", "v", figs(m.VFOV)+"°")
	}
	return out
}

func (d *sheet) boxText() string {
	f := &d.fix
	step := f.stepM()
	corners := make([]string, len(f.box))
	for i, p := range f.box {
		corners[i] = degrees(p, step)
	}
	w := (geodesy.Distance(f.box[0], f.box[1]) + geodesy.Distance(f.box[3], f.box[2])) / 2
	h := (geodesy.Distance(f.box[0], f.box[3]) + geodesy.Distance(f.box[1], f.box[2])) / 2
	return d.from.tongue().say("box", "w", metres(w), "h", metres(h), "corners", strings.Join(corners, "; "))
}

// sideHigh is the height of the side block.
func (d *sheet) sideHigh() float64 {
	if d.shot.whole() {
		return 122 * d.s
	}
	return 206 * d.s
}

// side draws north, scale, and where in the frame the part lies.
func (d *sheet) side(c canvas, x, y float64) {
	s, t, f := d.s, d.from.tongue(), &d.fix
	if !f.scaled {
		at := y + 12*s
		for _, l := range wrapped(c, t.say(f.why), rowSize*s, false, sideWide*s) {
			c.write(x, at, l, letters{size: rowSize * s, colour: ink2})
			at += rowHigh * s
		}
	} else {
		northArrow(c, x+sideWide*s/2, y+42*s, s, f.north, t.say("north"))
		scaleBar(c, x, y+98*s, sideWide*s, s, f.perX/float64(d.k), func(l string) string { return t.say("across", "length", l) })
	}
	if !d.shot.whole() {
		d.inset(c, x, y+128*s)
	}
}

// northArrow points to north: its disc has a radius of 42 s with the letter.
func northArrow(c canvas, x, y, s float64, to point, letter string) {
	side := point{-to.y, to.x}
	at := func(along, across float64) point {
		return point{x + 1.2*s*(along*to.x+across*side.x), y + 1.2*s*(along*to.y+across*side.y)}
	}
	c.fill([][]point{{at(20, 0), at(-16, 9), at(-9, 0)}}, ink, 1)
	c.draw([][]point{{at(20, 0), at(-16, -9), at(-9, 0), at(20, 0)}}, ink, 1.2*s, nil)
	p := at(29, 0)
	c.write(p.x, p.y+4.5*s, letter, letters{size: 13 * s, colour: ink, bold: true, anchor: 0.5})
}

// scaleBar draws a length of 1, 2 or 5 times a power of ten, the longest within a width of which each element is so many metres.
func scaleBar(c canvas, x, y, most, s, perElement float64, label func(string) string) {
	length := roundStep(most * perElement)
	for length > most*perElement*(1+1e-9) {
		length = roundStep(length / 2.6) // 10 to 5, 5 to 2, 2 to 1
	}
	long := length / perElement
	left := x + (most-long)/2
	c.fill([][]point{box(left, y, long/2, 5*s)}, ink, 1)
	c.draw([][]point{closed(box(left, y, long, 5*s))}, ink, s, nil)
	c.write(x+most/2, y+19*s, label(metres(length)), letters{size: 12 * s, colour: ink, anchor: 0.5})
}

// inset shows where in the frame the part lies.
func (d *sheet) inset(c canvas, x, y float64) {
	s, of, part := d.s, d.shot.Of, d.shot.part()
	k := math.Min(sideWide*s/float64(of.Width), 72*s/float64(of.Height))
	left := x + (sideWide*s-k*float64(of.Width))/2
	c.draw([][]point{closed(box(left, y, k*float64(of.Width), k*float64(of.Height)))}, ink3, s, nil)
	b := box(left+k*float64(part.Min.X), y+k*float64(part.Min.Y), math.Max(k*float64(part.Dx()), 2*s), math.Max(k*float64(part.Dy()), 2*s))
	c.fill([][]point{b}, videoColour, 1)
}

// provenance is the shot as the text chunk tells it.
func (s *Shot) provenance(f *fix, k int) FrameProvenance {
	part := s.part()
	p := FrameProvenance{PTS: s.PTS, Part: [4]int{part.Min.X, part.Min.Y, part.Dx(), part.Dy()}, Of: [2]int{s.Of.Width, s.Of.Height}, Drawn: k}
	if at := s.utc(); at != "" {
		p.Time = &at
	}
	if f.hasCenter {
		c := told(f.center.LatLon(), f.stepM())
		p.Center, p.Method = &c, "ray"
		if f.reported {
			p.Method = "reported"
		}
	}
	if f.known {
		p.Ellipse = &EllipseFigures{twoFigures(f.ellipse.MajorM), twoFigures(f.ellipse.MinorM), math.Round(f.ellipse.AzimuthDeg)}
	}
	if f.scaled {
		across, down, north := twoFigures(f.perX), twoFigures(f.perY), math.Round(geodesy.Wrap360(math.Atan2(f.north.x, -f.north.y)/geodesy.RadPerDegree))
		p.Across, p.Down, p.North = &across, &down, &north
	}
	if f.boxed {
		for _, q := range f.box {
			p.Box = append(p.Box, told(q, f.stepM()))
		}
	}
	return p
}
