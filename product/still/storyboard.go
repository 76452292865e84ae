package still

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// MostPanels bounds a storyboard.
const MostPanels = 240

// PanelWide is how wide a storyboard shows a frame, elements; Thumb says what size its pictures have.
const PanelWide = 304

// Thumb is the size of a storyboard's picture of frames of a size.
func Thumb(w, h int) (int, int) {
	return PanelWide, max(1, min(3*PanelWide, int(math.Round(float64(PanelWide)*float64(h)/float64(max(w, 1))))))
}

// A Form is how a storyboard is written.
type Form string

// The forms of a storyboard.
const (
	PNG  Form = "png"
	SVG  Form = "svg"
	HTML Form = "html" // a page that holds all it shows
)

// Storyboard draws frames side by side, each with its time and place, above a map of the ground that they saw. The shots are whole
// frames whose pictures are reduced to Thumb.
func Storyboard(shots []Shot, from Source, m Mark, form Form) ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	if err := from.check(); err != nil {
		return nil, err
	}
	if len(shots) == 0 || len(shots) > MostPanels {
		return nil, bad(fmt.Sprintf("a storyboard of %d frames: it holds 1 to %d", len(shots), MostPanels))
	}
	b := &board{from: &from, mark: m, t: from.tongue()}
	p := from.provenance("storyboard", m)
	for i := range shots {
		s := &shots[i]
		w, h := Thumb(s.Of.Width, s.Of.Height)
		if s.Pix == nil || !s.whole() || s.Of.Width < 1 || s.Of.Height < 1 || s.Of.Width > maxSide || s.Of.Height > maxSide || s.Pix.Rect.Dx() != w || s.Pix.Rect.Dy() != h {
			return nil, bad("a frame that is not of the size it says")
		}
		b.panels = append(b.panels, panel{s, s.fix()})
		p.Frames = append(p.Frames, s.provenance(&b.panels[i].fix, 0))
		b.thumbHigh = max(b.thumbHigh, h)
	}
	b.chart = chartOf(b.panels)
	title := b.t.say("storyboard") + ": " + from.File
	j, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	switch form {
	case PNG:
		b.columns()
		scratch, err := newPaint(1, 1)
		if err != nil {
			return nil, err
		}
		c, err := newPaint(int(b.wide()), int(b.high(scratch)))
		if err != nil {
			return nil, err
		}
		b.draw(c, b.high(scratch))
		return encode(c.img, p, title)
	case SVG:
		b.columns()
		c, err := newVector("c")
		if err != nil {
			return nil, err
		}
		b.draw(c, b.high(c))
		return c.drawing(b.wide(), b.high(c), title, string(j)), nil
	case HTML:
		return b.page(title, j)
	}
	return nil, bad(fmt.Sprintf("%q is no form of a storyboard", form))
}

type panel struct {
	shot *Shot
	fix  fix
}

type board struct {
	from      *Source
	mark      Mark
	t         tongue
	panels    []panel
	chart     *chart
	thumbHigh int
	cols      int
}

// The sizes of a storyboard, elements.
const (
	panelGap   = 14.0
	captionTop = 16.0
	captionRow = 15.0
	panelFoot  = 58.0 // of a panel below its picture
	mapHigh    = 380.0
	mapFoot    = 44.0
)

// columns chooses how many panels stand side by side: three where there are few, so that a map has room below.
func (b *board) columns() {
	b.cols = 4
	if len(b.panels) <= 6 {
		b.cols = 3
	}
}

func (b *board) wide() float64 {
	return 2*panelGap + float64(b.cols)*PanelWide + float64(b.cols-1)*panelGap
}

func (b *board) rowsHigh() float64 {
	rows := (len(b.panels) + b.cols - 1) / b.cols
	return float64(rows) * (float64(b.thumbHigh) + panelFoot + 8)
}

// boardTop is where the panels begin, below the marking.
func (b *board) boardTop(c canvas) float64 { return b.strip(c).high() + 38 }

func (b *board) strip(c canvas) *strip {
	s := stripOf(c, b.mark, b.wide(), 1)
	return &s
}

func (b *board) high(c canvas) float64 {
	return math.Ceil(b.boardTop(c) + b.rowsHigh() + math.Max(mapHigh+mapFoot+24, b.textHigh(c)) + b.strip(c).high())
}

// mapWide is that of the map: the first two columns.
func (b *board) mapWide() float64 { return 2*PanelWide + panelGap }

func (b *board) draw(c canvas, tall float64) {
	w := b.wide()
	c.fill([][]point{box(0, 0, w, tall)}, surface, 1)
	marks := b.strip(c)
	marks.draw(c, 0)
	marks.draw(c, tall-marks.high())
	title := b.t.say("storyboard") + ": " + clean(b.from.File)
	c.write(panelGap, marks.high()+21, cutTo(c, title, 17, true, w-2*panelGap), letters{size: 17, colour: ink, bold: true})
	for i := range b.panels {
		x := panelGap + float64(i%b.cols)*(PanelWide+panelGap)
		y := b.boardTop(c) + float64(i/b.cols)*(float64(b.thumbHigh)+panelFoot+8)
		b.panel(c, i, x, y)
	}
	y := b.boardTop(c) + b.rowsHigh() + 6
	b.chart.draw(c, panelGap+4, y+14, b.mapWide()-8, mapHigh, b.t)
	b.text(c, panelGap+b.mapWide()+panelGap, y)
}

// caption is what stands below a panel: its time, its stream time and scale, its place with the error.
func (b *board) caption(i int) [3]string {
	p, t := &b.panels[i], b.t
	var out [3]string
	if out[0] = p.shot.utc(); out[0] == "" {
		out[0] = t.say("no utc")
	}
	out[1] = t.say("stream", "pts", seconds(p.shot.PTS))
	if p.fix.scaled {
		out[1] += " · " + t.say("per px", "x", metres(p.fix.perX))
	}
	switch f := &p.fix; {
	case f.hasCenter && f.known:
		out[2] = degrees(f.center.LatLon(), f.stepM()) + " · 95 %: " + metres(f.ellipse.MajorM) + " × " + metres(f.ellipse.MinorM)
	case f.hasCenter:
		out[2] = degrees(f.center.LatLon(), f.stepM()) + " · " + t.say("reported short")
	default:
		out[2] = t.say("no place")
	}
	return out
}

func (b *board) panel(c canvas, i int, x, y float64) {
	s := b.panels[i].shot
	lines := b.caption(i)
	h := float64(s.Pix.Rect.Dy())
	c.show(int(x), int(y), s.Pix, 1, strconv.Itoa(i+1)+": "+lines[0]+", "+lines[1])
	c.draw([][]point{closed(box(x-0.5, y-0.5, PanelWide+1, h+1))}, ink, 1, nil)
	y += h + captionTop
	number := strconv.Itoa(i + 1)
	c.write(x, y, number, letters{size: 13, colour: videoColour, bold: true})
	left := x + c.measure(number, 13, true) + 8
	for k, l := range lines {
		colour := ink
		if k == 1 {
			colour = ink2
		}
		c.write(left, y, cutTo(c, l, 12, false, PanelWide-(left-x)), letters{size: 12, colour: colour})
		y += captionRow
	}
}

// rows are what is told of all frames together.
func (b *board) rows(c canvas, most float64) []row {
	t := b.t
	first, last := b.panels[0].shot, b.panels[len(b.panels)-1].shot
	span := t.say("frames of", "n", strconv.Itoa(len(b.panels)), "from", seconds(first.PTS), "to", seconds(last.PTS))
	if a, z := first.utc(), last.utc(); a != "" && z != "" {
		span += " · " + a + " – " + z
	}
	rows := []row{{t.say("label.file"), cutTo(c, clean(b.from.File), rowSize, false, most)}, {"", t.say("sha alone", "bytes", strconv.FormatInt(b.from.Bytes, 10), "sha", b.from.SHA256[:16])}, {t.say("label.span"), span}, {t.say("label.platform"), b.from.names()}}
	order := ""
	for i := range b.panels {
		if s := b.panels[i].shot; s.Fields != "" {
			order = s.Fields
		}
	}
	w, h := first.Of.Width, first.Of.Height
	picture := t.say("drawn", "w", strconv.Itoa(w), "h", strconv.Itoa(h)) + " · " + t.say("reduced", "w", strconv.Itoa(first.Pix.Rect.Dx()), "h", strconv.Itoa(first.Pix.Rect.Dy()))
	if order != "" {
		picture += " · " + t.say("fields", "order", t.say(order))
	}
	return append(rows, row{t.say("label.picture"), picture}, row{t.say("label.made"), b.from.made()})
}

// text lays the rows out beside the map, each label above its text.
func (b *board) text(c canvas, x, y float64) float64 {
	most := b.wide() - panelGap - x
	y += 20
	for _, r := range b.rows(c, most) {
		if y -= 6; r.label != "" {
			c.write(x, y+6, r.label, letters{size: 11, colour: ink3})
			y += 21
		}
		for _, l := range wrapped(c, together.Replace(r.text), rowSize, false, most) {
			c.write(x, y, l, letters{size: rowSize, colour: ink})
			y += 16
		}
		y += 6
	}
	return y
}

func (b *board) textHigh(c canvas) float64 {
	v := &vector{}
	if p, ok := c.(*paint); ok {
		v.plain, v.bold = p.plain, p.bold
	} else {
		v.plain, v.bold = c.(*vector).plain, c.(*vector).bold
	}
	return b.text(v, panelGap+b.mapWide()+panelGap, 6) + 6 // on a canvas that is thrown away
}

// A chart is a small map, north up, of what several frames saw.
type chart struct {
	frame  geodesy.Frame
	seen   []outline
	path   []point // of the sensor, metres east and north
	lo, hi point   // what the map must hold
	placed bool
	of     int
}

type outline struct {
	n       int // of the panel, from 1
	ring    []point
	horizon bool
}

// chartOf lays the footprints on the plane that touches the ground in their midst.
func chartOf(panels []panel) *chart {
	c := &chart{of: len(panels), lo: point{math.Inf(1), math.Inf(1)}, hi: point{math.Inf(-1), math.Inf(-1)}}
	type seen struct {
		n       int
		ring    []geodesy.LatLon
		horizon bool
	}
	var all []seen
	for i, p := range panels {
		if p.shot.Moment == nil {
			continue
		}
		if o, ok := p.shot.Moment.Footprint(); ok && len(o.Ring) > 2 {
			all = append(all, seen{i + 1, o.Ring, o.Horizon})
		}
	}
	if len(all) == 0 {
		return c
	}
	c.placed = true
	middle := all[0].ring[0] // any place nearby serves as the origin: the map is cut to what it holds
	c.frame = geodesy.NewFrame(geodesy.LatLonHeight{Lat: middle.Lat, Lon: middle.Lon})
	flat := func(p geodesy.LatLon) point {
		v := c.frame.GroundENU(p)
		return point{v[0], v[1]}
	}
	bounded := false
	for _, s := range all {
		bounded = bounded || !s.horizon
	}
	for _, s := range all {
		o := outline{n: s.n, horizon: s.horizon}
		for _, p := range s.ring {
			q := flat(p)
			o.ring = append(o.ring, q)
			if !s.horizon || !bounded {
				c.lo, c.hi = point{math.Min(c.lo.x, q.x), math.Min(c.lo.y, q.y)}, point{math.Max(c.hi.x, q.x), math.Max(c.hi.y, q.y)}
			}
		}
		c.seen = append(c.seen, o)
	}
	for _, p := range panels {
		if m := p.shot.Moment; m != nil && m.HasSensor && geodesy.Distance(m.Sensor.LatLon(), middle) < 200e3 {
			c.path = append(c.path, flat(m.Sensor.LatLon()))
		}
	}
	return c
}

// draw draws the map: hatched where no frame looked, each frame's ground with its number, and the sensor's path where it passes.
func (m *chart) draw(c canvas, x, y, w, h float64, t tongue) {
	c.write(x-4, y-8, t.say("map"), letters{size: 13, colour: ink, bold: true})
	if !m.placed {
		hatch(c, x, y, w, h, 9)
		neatline(c, x, y, w, h, 1)
		c.write(x+w/2, y+h/2, t.say("map.none"), letters{size: 14, colour: ink, anchor: 0.5, halo: surface})
		return
	}
	per := math.Max(math.Max((m.hi.x-m.lo.x)/(w-48), (m.hi.y-m.lo.y)/(h-48)), 0.01) // metres an element
	mx, my := (m.lo.x+m.hi.x)/2, (m.lo.y+m.hi.y)/2
	place := func(p point) point {
		limit := func(v float64) float64 { return math.Min(math.Max(v, -1e5), 1e5) }
		return point{x + w/2 + limit((p.x-mx)/per), y + h/2 - limit((p.y-my)/per)}
	}
	hatch(c, x, y, w, h, 9)
	c.within(x, y, w, h)
	rings := make([][]point, len(m.seen))
	for i, o := range m.seen {
		for _, p := range o.ring {
			rings[i] = append(rings[i], place(p))
		}
		c.fill(rings[i:i+1], paper, 1)
	}
	horizon := false
	for i, o := range m.seen {
		var dash []float64
		if o.horizon {
			dash, horizon = []float64{5, 4}, true
		}
		c.fill(rings[i:i+1], videoColour, math.Min(0.12, 1.2/float64(len(m.seen))))
		c.draw([][]point{closed(rings[i])}, videoColour, 1.4, dash)
	}
	passes := m.sensor(c, place, func(p point) bool { return p.x > x && p.x < x+w && p.y > y && p.y < y+h })
	m.numbers(c, rings, x, y, w, h)
	c.without()
	neatline(c, x, y, w, h, 1)
	m.legend(c, x, y+h, w, per, horizon, passes, t)
}

// numbers writes each frame's number in the midst of its ground. Those that would lie over each other are written together.
func (m *chart) numbers(c canvas, rings [][]point, x, y, w, h float64) {
	type label struct {
		at point
		of []int
	}
	var all []*label
	for i, o := range m.seen {
		p := amid(rings[i])
		p = point{math.Min(math.Max(p.x, x+24), x+w-24), math.Min(math.Max(p.y, y+12), y+h-12)}
		k := slices.IndexFunc(all, func(l *label) bool { return math.Abs(l.at.x-p.x) < 34 && math.Abs(l.at.y-p.y) < 16 })
		if k < 0 {
			all = append(all, &label{p, nil})
			k = len(all) - 1
		}
		all[k].of = append(all[k].of, o.n)
	}
	for _, l := range all {
		c.write(l.at.x, l.at.y+4.5, runs(l.of), letters{size: 13, colour: ink, bold: true, anchor: 0.5, halo: paper})
	}
}

// runs writes ascending numbers, those that follow each other as "1–4"; of many the first and the last.
func runs(n []int) string {
	var out []string
	for i := 0; i < len(n); {
		k := i
		for k+1 < len(n) && n[k+1] == n[k]+1 {
			k++
		}
		if k > i {
			out = append(out, strconv.Itoa(n[i])+"–"+strconv.Itoa(n[k]))
		} else {
			out = append(out, strconv.Itoa(n[i]))
		}
		i = k + 1
	}
	if len(out) > 3 {
		return out[0] + " … " + out[len(out)-1]
	}
	return strings.Join(out, ", ")
}

// sensor draws the path and the sensor's place at each frame; passes is whether any of it lies on the map.
func (m *chart) sensor(c canvas, place func(point) point, on func(point) bool) (passes bool) {
	var path []point
	for _, p := range m.path {
		path = append(path, place(p))
		passes = passes || on(path[len(path)-1])
	}
	if len(path) > 1 {
		c.draw([][]point{path}, ink2, 1.4, nil)
	}
	for _, p := range path {
		c.fill([][]point{disc(p.x, p.y, 2.5)}, ink2, 1)
	}
	return passes
}

// amid is the mean of a ring's corners.
func amid(ring []point) (p point) {
	for _, q := range ring {
		p.x, p.y = p.x+q.x/float64(len(ring)), p.y+q.y/float64(len(ring))
	}
	return p
}

func (m *chart) legend(c canvas, x, y, w, per float64, horizon, passes bool, t tongue) {
	scaleBar(c, x, y+12, 160, 1, per, func(l string) string { return t.say("ground length", "length", l) })
	northArrow(c, x+w-22, y+32, 0.6, point{0, -1}, t.say("north"))
	words := []string{t.say("key.hatch"), t.say("map.some", "n", strconv.Itoa(len(m.seen)), "all", strconv.Itoa(m.of))}
	if passes {
		words = append(words, t.say("key.path"))
	}
	if horizon {
		words = append(words, t.say("map.horizon"))
	}
	at := y + 19
	for _, l := range wrapped(c, together.Replace(strings.Join(words, " · ")), 11.5, false, w-230) {
		c.write(x+176, at, l, letters{size: 11.5, colour: ink2})
		at += 14
	}
}
