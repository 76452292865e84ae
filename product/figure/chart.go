package figure

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// The map's frame on the sheet and the width of its margin.
const frameX, frameY, frameW, frameH, margin = 24.0, 84.0, 768.0, 470.0, 22.0

// A plane turns metres into pixels of the map.
type plane struct {
	west, north, k float64 // of the north-west corner; pixels a metre
}

func (p *Picture) plane() plane {
	w, h := frameW-2*margin, frameH-2*margin
	b := p.Bounds
	k := min(w/(b[2]-b[0]), h/(b[3]-b[1]))
	return plane{(b[0]+b[2])/2 - w/2/k, (b[1]+b[3])/2 + h/2/k, k}
}

func (q plane) at(x, y float64) [2]float64 {
	return [2]float64{frameX + margin + (x-q.west)*q.k, frameY + margin + (q.north-y)*q.k}
}

func (q plane) rings(polygons [][][][2]float64) [][][][2]float64 {
	out := make([][][][2]float64, len(polygons))
	for i, poly := range polygons {
		for _, ring := range poly {
			var r [][2]float64
			for _, v := range ring {
				r = append(r, q.at(v[0], v[1]))
			}
			out[i] = append(out[i], r)
		}
	}
	return out
}

// chart is the map with its marginalia.
func (s *Sheet) chart(c canvas) {
	p := &s.Picture
	q := p.plane()
	x, y, w, h := frameX+margin, frameY+margin, frameW-2*margin, frameH-2*margin
	step := nice(w / q.k / 6)
	c.part("map")
	c.clip(x, y, w, h)
	c.rings(rect(x, y, w, h), style{fill: land})
	var grid [][][2]float64
	for v := math.Ceil(q.west/step) * step; v <= q.west+w/q.k; v += step {
		a := q.at(v, 0)
		grid = append(grid, [][2]float64{{a[0], y}, {a[0], y + h}})
	}
	for v := math.Ceil((q.north-h/q.k)/step) * step; v <= q.north; v += step {
		a := q.at(0, v)
		grid = append(grid, [][2]float64{{x, a[1]}, {x + w, a[1]}})
	}
	c.lines(grid, style{stroke: gridColour, width: 0.8})
	s.limits(c, q)
	c.lines(hatching(p.unlooked(q), 8), style{stroke: hatchColour, width: 0.9, opacity: 0.7})
	s.heat(c, q)
	for _, spot := range p.Sources {
		c.rings(q.rings(spot.P90), style{stroke: estimated, width: 1.6, dash: []float64{7, 4}})
		c.rings(q.rings(spot.P50), style{stroke: estimated, width: 2, dash: []float64{4, 3}})
	}
	s.flight(c, q)
	for _, b := range p.Barbs {
		barb(c, q.at(b.X, b.Y), b, p.Origin != nil && p.Origin.Lat < 0)
	}
	for k, l := range p.Legs {
		leg(c, q.at(l.From[0], l.From[1]), q.at(l.To[0], l.To[1]), k)
	}
	for j, spot := range p.Sources {
		a := q.at(spot.X, spot.Y)
		c.lines([][][2]float64{{{a[0] - 7, a[1]}, {a[0] + 7, a[1]}}, {{a[0], a[1] - 7}, {a[0], a[1] + 7}}}, style{stroke: ink, width: 1.6})
		c.text(a[0]+9, a[1]-8, strconv.Itoa(j+1), letters{size: 14, colour: ink, bold: true, halo: surface})
	}
	c.unclip()
	s.neatline(c, q, step)
	s.marginalia(c, q, step)
}

// nice is the longest of 1, 2 or 5 times a power of ten that is at most limit.
func nice(limit float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(limit)))
	for _, n := range []float64{5, 2} {
		if n*power <= limit {
			return n * power
		}
	}
	return power
}

// A box is west, north, east, south of pixels.
type pixels struct{ x0, y0, x1, y1 float64 }

// unlooked is the ground of the frame that the survey says nothing about. Beyond what was asked nobody has looked either.
func (p *Picture) unlooked(q plane) []pixels {
	x0, y0, x1, y1 := frameX+margin, frameY+margin, frameX+frameW-margin, frameY+frameH-margin
	m := p.Looked
	if m == nil || len(m.Rows) == 0 {
		return nil
	}
	nw := q.at(m.X, m.Y+float64(len(m.Rows))*m.Side)
	se := q.at(m.X+float64(len(m.Rows[0]))*m.Side, m.Y)
	out := []pixels{{x0, y0, x1, nw[1]}, {x0, se[1], x1, y1}, {x0, nw[1], nw[0], se[1]}, {se[0], nw[1], x1, se[1]}}
	for j, row := range m.Rows {
		for i := range len(row) {
			if row[i] == '0' {
				a := q.at(m.X+float64(i)*m.Side, m.Y+float64(j+1)*m.Side)
				out = append(out, pixels{a[0], a[1], a[0] + m.Side*q.k, a[1] + m.Side*q.k})
			}
		}
	}
	return slices.DeleteFunc(out, func(b pixels) bool { return b.x1 <= b.x0 || b.y1 <= b.y0 })
}

// hatching is rising strokes so far apart over all boxes; strokes of neighbours join into one.
func hatching(boxes []pixels, apart float64) [][][2]float64 {
	by := map[int][][2]float64{} // of the stroke x + y = k·apart: the stretches of x
	for _, b := range boxes {
		for k := int(math.Ceil((b.x0 + b.y0) / apart)); float64(k)*apart <= b.x1+b.y1; k++ {
			s := float64(k) * apart
			if lo, hi := max(b.x0, s-b.y1), min(b.x1, s-b.y0); lo < hi {
				by[k] = append(by[k], [2]float64{lo, hi})
			}
		}
	}
	keys := make([]int, 0, len(by))
	for k := range by {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var out [][][2]float64
	for _, k := range keys {
		s := float64(k) * apart
		spans := by[k]
		slices.SortFunc(spans, func(a, b [2]float64) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
		cur := spans[0]
		put := func() { out = append(out, [][2]float64{{cur[0], s - cur[0]}, {cur[1], s - cur[1]}}) }
		for _, v := range spans[1:] {
			if v[0] > cur[1]+0.05 { // a twentieth of a pixel: squares that touch differ by rounding
				put()
				cur = v
			} else {
				cur[1] = max(cur[1], v[1])
			}
		}
		put()
	}
	return out
}

// limits is the upper-limit map: one colour a step of a logarithmic scale over its span.
func (s *Sheet) limits(c canvas, q plane) {
	l := s.Picture.Limit
	if l == nil || len(l.Cells) == 0 {
		return
	}
	lo, hi := l.span()
	steps := make([][][][][2]float64, len(cividis))
	for _, v := range l.Cells {
		k := int(math.Round(logShare(v[2], lo, hi) * float64(len(cividis)-1)))
		a := q.at(v[0]-l.Side/2, v[1]+l.Side/2)
		steps[k] = append(steps[k], rect(a[0], a[1], l.Side*q.k, l.Side*q.k)...)
	}
	for k, cells := range steps {
		if len(cells) > 0 {
			c.rings(cells, style{fill: cividis[k], fillOpacity: 0.75})
		}
	}
}

func logShare(v, lo, hi float64) float64 {
	if hi <= lo {
		return 0
	}
	return min(max(math.Log(v/lo)/math.Log(hi/lo), 0), 1)
}

// heat is the posterior density, one paint a tenth of its peak.
func (s *Sheet) heat(c canvas, q plane) {
	const steps = 10
	for _, l := range s.Picture.Heat {
		by := make([][][][][2]float64, steps+1)
		for k, v := range l.Value {
			if n := int(math.Ceil(v * steps)); n > 0 && v >= 0.01 {
				a := q.at(l.X+float64(k%l.NX)*l.Side, l.Y+float64(k/l.NX+1)*l.Side)
				by[n] = append(by[n], rect(a[0], a[1], l.Side*q.k, l.Side*q.k)...)
			}
		}
		for n, cells := range by {
			if len(cells) > 0 {
				c.rings(cells, style{fill: estimated, fillOpacity: 0.62 * float64(n) / steps})
			}
		}
	}
}

// flight is the line of each sensor and its samples, the highest last.
func (s *Sheet) flight(c canvas, q plane) {
	p := &s.Picture
	n := len(p.Samples.T)
	var tracks, paths [][][2]float64
	drawn := map[[4]float64]bool{}
	for i := range n {
		a := q.at(p.Samples.X[i], p.Samples.Y[i])
		if len(p.Samples.X2) > 0 && !math.IsNaN(p.Samples.X2[i]) {
			b := q.at(p.Samples.X2[i], p.Samples.Y2[i])
			if key := [4]float64{a[0], a[1], b[0], b[1]}; !drawn[key] {
				drawn[key], paths = true, append(paths, [][2]float64{a, b})
			}
			continue
		}
		if i == 0 || p.Samples.Sensor[i] != p.Samples.Sensor[i-1] {
			tracks = append(tracks, nil)
		}
		if k := len(tracks) - 1; k >= 0 && !math.IsNaN(a[0]+a[1]) {
			tracks[k] = append(tracks[k], a)
		}
	}
	c.lines(paths, style{stroke: ink2, width: 1.2})
	c.lines(tracks, style{stroke: surface, width: 4, opacity: 0.7})
	c.lines(tracks, style{stroke: ink2, width: 1})
	for _, i := range p.byExcess(p.Main) {
		a := q.at(p.Samples.X[i], p.Samples.Y[i])
		if len(p.Samples.X2) > 0 && !math.IsNaN(p.Samples.X2[i]) {
			continue // a path mean has no one place
		}
		st := style{fill: shade(p.Excess(p.Main, i) / p.Compounds[p.Main].Top), stroke: ink2, width: 0.5}
		if b := p.Compounds[p.Main].Below; b != nil && b[i] {
			st.fill = surface // below the detection limit: open
		}
		c.circle(a[0], a[1], 3.4, st)
	}
}

// byExcess are the samples that were measured and have a place, the highest last.
func (p *Picture) byExcess(channel int) []int {
	var out []int
	for i := range p.Samples.T {
		if !math.IsNaN(p.Excess(channel, i) + p.Samples.X[i] + p.Samples.Y[i]) {
			out = append(out, i)
		}
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(p.Excess(channel, a), p.Excess(channel, b)) })
	return out
}

// leg is a leg that may be flown: long dashes with an arrow, the best with the letter A. Those after the first are thinner.
func leg(c canvas, from, to [2]float64, rank int) {
	width := 2.4
	if rank > 0 {
		width = 1.2
	}
	c.lines([][][2]float64{{from, to}}, style{stroke: surface, width: width + 2.5, opacity: 0.8})
	c.lines([][][2]float64{{from, to}}, style{stroke: ink, width: width, dash: []float64{14, 5}})
	if long := math.Hypot(to[0]-from[0], to[1]-from[1]); long > 0 {
		u, v := (to[0]-from[0])/long, (to[1]-from[1])/long
		c.rings([][][][2]float64{{{to, {to[0] - 10*u + 5*v, to[1] - 10*v - 5*u}, {to[0] - 10*u - 5*v, to[1] - 10*v + 5*u}}}}, style{fill: ink})
	}
	c.text(from[0]+6, from[1]-5, string(rune('A'+rank%26)), letters{size: 13, colour: ink, bold: true, halo: surface})
}

const knot = 1852.0 / 3600 // m/s

// barb is the station sign of a wind: the shaft points to where it comes from, feathers are 5 and 10 knots, a pennant 50, clockwise of
// the shaft north of the equator (WMO-No. 485, the plotting of wind); the wedge is one standard deviation to each side.
func barb(c canvas, at [2]float64, b Barb, south bool) {
	const long = 30.0
	to := func(deg, r float64) [2]float64 {
		sn, cs := math.Sincos(deg * math.Pi / 180)
		return [2]float64{at[0] + r*sn, at[1] - r*cs}
	}
	five := int(math.Round(b.Speed / knot / 5))
	if five == 0 { // calm
		c.circle(at[0], at[1], 5, style{stroke: ink, width: 1.2})
		return
	}
	wedge := [][2]float64{at}
	spread := min(b.Spread, 180)
	for k := range 13 {
		wedge = append(wedge, to(b.From-spread+2*spread*float64(k)/12, long))
	}
	c.rings([][][][2]float64{{wedge}}, style{fill: ink, fillOpacity: 0.1})
	lines := [][][2]float64{{at, to(b.From, long)}}
	side := 60.0
	if south {
		side = -60
	}
	r := long
	feather := func(size float64) {
		a := to(b.From, r)
		sn, cs := math.Sincos((b.From + side) * math.Pi / 180)
		lines = append(lines, [][2]float64{a, {a[0] + size*sn, a[1] - size*cs}})
	}
	for ; five >= 10; five -= 10 {
		a, e := to(b.From, r), to(b.From, r-5)
		sn, cs := math.Sincos((b.From + side) * math.Pi / 180)
		c.rings([][][][2]float64{{{a, {a[0] + 11*sn, a[1] - 11*cs}, e}}}, style{fill: ink})
		r -= 7
	}
	if five == 1 {
		r -= 5 // a lone half feather stands off the end, or it would read as a whole one
	}
	for ; five >= 2; five -= 2 {
		feather(11)
		r -= 4.5
	}
	if five == 1 {
		feather(6)
	}
	c.lines(lines, style{stroke: surface, width: 3.4, opacity: 0.75, round: true})
	c.lines(lines, style{stroke: ink, width: 1.3, round: true})
}

// neatline is the double frame with metres along its edges.
func (s *Sheet) neatline(c canvas, q plane, step float64) {
	c.part("neatline")
	const strip = 5.0
	x, y, w, h := frameX+margin, frameY+margin, frameW-2*margin, frameH-2*margin
	c.rings(rect(frameX, frameY, frameW, frameH), style{stroke: ink, width: 2})
	c.rings(rect(x-strip, y-strip, w+2*strip, h+2*strip), style{stroke: ink, width: 1})
	c.rings(rect(x, y, w, h), style{stroke: ink, width: 1})
	label := letters{size: 10, colour: ink2, anchor: 0.5}
	upward := label
	upward.up = true
	var dark [][][][2]float64
	for k := math.Floor(q.west / step); k*step < q.west+w/q.k; k++ {
		a, b := max(q.at(k*step, 0)[0], x), min(q.at((k+1)*step, 0)[0], x+w)
		if math.Mod(math.Abs(k), 2) == 0 {
			dark = append(dark, rect(a, y-strip, b-a, strip)[0], rect(a, y+h, b-a, strip)[0])
		}
		if at := q.at(k*step, 0)[0]; at > x+20 && at < x+w-20 {
			c.text(at, y-strip-4, strconv.FormatFloat(k*step, 'f', -1, 64), label)
			c.text(at, y+h+strip+11, strconv.FormatFloat(k*step, 'f', -1, 64), label)
		}
	}
	for k := math.Floor((q.north - h/q.k) / step); k*step < q.north; k++ {
		a, b := max(q.at(0, (k+1)*step)[1], y), min(q.at(0, k*step)[1], y+h)
		if math.Mod(math.Abs(k), 2) == 0 {
			dark = append(dark, rect(x-strip, a, strip, b-a)[0], rect(x+w, a, strip, b-a)[0])
		}
		if at := q.at(0, k*step)[1]; at > y+20 && at < y+h-20 {
			c.text(x-strip-4, at, strconv.FormatFloat(k*step, 'f', -1, 64), upward)
			c.text(x+w+strip+11, at, strconv.FormatFloat(k*step, 'f', -1, 64), upward)
		}
	}
	c.rings(dark, style{fill: ink})
}

// marginalia are what a map sheet says below its frame.
func (s *Sheet) marginalia(c canvas, q plane, step float64) {
	p := &s.Picture
	c.part("marginalia")
	y := frameY + frameH + 20
	plain := letters{size: 12, colour: ink}
	long := nice(150 / q.k)
	c.lines([][][2]float64{{{26, y - 9}, {26, y}, {26 + long*q.k, y}, {26 + long*q.k, y - 9}}, {{26 + long*q.k/2, y - 5}, {26 + long*q.k/2, y}}}, style{stroke: ink, width: 1.5})
	c.text(32+long*q.k, y, metres(long), plain)
	x := 26 + 150.0 + 60
	c.rings([][][][2]float64{{{{x + 5, y - 13}, {x, y - 3}, {x + 10, y - 3}}}}, style{fill: ink})
	c.lines(line(x+5, y-13, x+5, y+2), style{stroke: ink, width: 1.5})
	c.text(x+14, y, s.say("north"), plain)
	where := s.say("local")
	if p.Origin != nil {
		where = s.say("datum") + ", " + s.say("origin", "lat", strconv.FormatFloat(p.Origin.Lat, 'f', 4, 64), "lon", strconv.FormatFloat(p.Origin.Lon, 'f', 4, 64))
	}
	c.text(x+40, y, where+" · "+s.say("grid", "step", metres(step)), plain)
	// The key, in two rows.
	y += 22
	c.part("key")
	small := letters{size: 11, colour: ink2}
	if len(p.Sources) > 0 {
		c.rings(rect(26, y-10, 26, 12), style{stroke: estimated, width: 1.4, dash: []float64{5, 3}})
		c.rings(rect(33, y-7, 12, 6), style{fill: estimated, fillOpacity: 0.4, stroke: estimated, width: 1.6, dash: []float64{3, 2}})
		c.text(58, y, s.say("key.region"), small)
		for k := range 6 {
			c.rings(rect(322+float64(k)*7, y-9, 7, 9), style{fill: estimated, fillOpacity: 0.62 * float64(k+1) / 6})
		}
		c.text(370, y, s.say("key.heat"), small)
	} else if l := p.Limit; l != nil && len(l.Cells) > 0 {
		lo, hi := l.span()
		ramp(c, 26, y, 0.75)
		c.text(144, y, figs(lo)+" – "+figs(hi)+"  "+s.say("key.limit", "compound", l.Compound, "p", figs(100*l.Confidence)), small)
	}
	if len(p.Legs) > 0 {
		leg(c, [2]float64{660, y - 1}, [2]float64{698, y - 1}, 0)
		c.text(704, y, s.say("key.leg"), small)
	}
	c.lines(hatching([]pixels{{530, y - 10, 558, y + 2}}, 6), style{stroke: hatchColour, width: 0.9})
	c.rings(rect(530, y-10, 28, 12), style{stroke: hatchColour, width: 0.6})
	c.text(570, y, s.say("key.hatch"), small)
	y += 20
	ramp(c, 26, y, 1)
	c.text(144, y, "0 – ≥ "+figs(p.Compounds[p.Main].Top)+"  "+s.say("key.excess", "compound", p.Compounds[p.Main].Name, "unit", p.Compounds[p.Main].Unit), small)
	for _, below := range p.Compounds[p.Main].Below {
		if below {
			c.circle(380, y-4, 3.4, style{fill: surface, stroke: ink2, width: 0.5})
			c.text(388, y, s.say("below"), small)
			break
		}
	}
	barb(c, [2]float64{530, y + 2}, Barb{From: 75, Spread: 12, Speed: 7.7}, false)
	c.text(570, y, s.say("key.barb"), small)
}

func ramp(c canvas, x, y, opacity float64) {
	for k, colour := range cividis {
		c.rings(rect(x+float64(k)*11, y-9, 11, 9), style{fill: colour, fillOpacity: opacity})
	}
}

// series are the compounds over time, the one of the geometry first, below what stands above them.
func (s *Sheet) series(c canvas, above float64) {
	p := &s.Picture
	n := len(p.Samples.T)
	if n < 2 {
		return
	}
	const left, right, bottom = 120.0, 1176.0, 796.0
	top := min(max(650, above-4), 720)   // at least a finger's breadth of it
	most := min(int((bottom-top)/30), 4) // a name and a unit below it need as much
	order := make([]int, len(p.Compounds))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(b2i(b == p.Main), b2i(a == p.Main)) })
	more := len(order) - most
	if more > 0 {
		order = order[:most]
	}
	t0, t1 := spanOf(p.Samples.T)
	if t1 <= t0 {
		t1 = t0 + 1
	}
	c.part("series")
	high := (bottom - top) / float64(len(order))
	for row, k := range order {
		ch := &p.Compounds[k]
		y0, y1 := top+float64(row)*high+4, top+float64(row+1)*high-4
		lo, hi := math.Inf(1), math.Inf(-1)
		for i, v := range ch.Value {
			if !math.IsNaN(v) {
				lo, hi = min(lo, v, ch.Baseline[p.Samples.Sensor[i]]), max(hi, v)
			}
		}
		if hi <= lo {
			hi = lo + 1
		}
		at := func(t, v float64) [2]float64 {
			return [2]float64{left + (t-t0)/(t1-t0)*(right-left), y1 - (v-lo)/(hi-lo)*(y1-y0)}
		}
		var lines, bases [][][2]float64
		last := -1
		for i, v := range ch.Value {
			j := p.Samples.Sensor[i]
			if math.IsNaN(v) {
				last = -1
				continue
			}
			if last != j {
				lines = append(lines, nil)
				last = j
			}
			lines[len(lines)-1] = append(lines[len(lines)-1], at(p.Samples.T[i], v))
		}
		for _, b := range ch.Baseline {
			if !math.IsNaN(b) {
				bases = append(bases, [][2]float64{at(t0, b), at(t1, b)})
			}
		}
		c.lines([][][2]float64{{{left, y0}, {left, y1}, {right, y1}}}, style{stroke: ink, width: 1})
		c.lines(bases, style{stroke: ink3, width: 0.8, dash: []float64{3, 3}})
		st := style{stroke: gasColour, width: 1.1}
		if len(p.Sensors) > 2 { // many lines over each other: the more, the finer
			st.width, st.opacity = 0.7, 0.75
		}
		c.lines(lines, st)
		c.text(24, y0+9, ch.Name, letters{size: 12, colour: ink, bold: k == p.Main})
		c.text(left-5, y0+7, figs(hi), letters{size: 10, colour: ink2, anchor: 1})
		c.text(left-5, y1+1, figs(lo), letters{size: 10, colour: ink2, anchor: 1})
		c.text(24, y0+21, ch.Unit, letters{size: 10, colour: ink2})
	}
	axis := func(t float64) string {
		if p.Start == nil {
			return figs(t-t0) + " s"
		}
		return clock(*p.Start, t, "15:04:05Z")
	}
	small := letters{size: 10, colour: ink2}
	for k := range 7 {
		f := float64(k) / 6
		small.anchor = f
		c.text(left+f*(right-left), bottom+8, axis(t0+f*(t1-t0)), small)
	}
	if more > 0 {
		c.text(24, bottom+8, s.say("more", "n", strconv.Itoa(more)), letters{size: 10, colour: ink2})
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
