package source

import (
	"math"
)

// A cell is a square of ground, centre and side in metres.
type cell struct{ x, y, side float64 }

func (c cell) area() float64 { return c.side * c.side }
func (c cell) holds(x, y float64) bool {
	return math.Abs(x-c.x) <= c.side/2 && math.Abs(y-c.y) <= c.side/2
}

func (c cell) quarters() [4]cell {
	q := c.side / 4
	return [4]cell{{c.x - q, c.y - q, 2 * q}, {c.x + q, c.y - q, 2 * q}, {c.x - q, c.y + q, 2 * q}, {c.x + q, c.y + q, 2 * q}}
}

// A domain is where a source could be and show: upwind of at least one sample, within reach.
type domain struct {
	cells   []cell // disjoint
	area    float64
	show    float64 // share of the sources on it that would show
	minSide float64
	apart   float64 // places nearer than this are climbed from once
	views   []view
	spots   []spot
}

// A view is one sample as seen upwind: from where, into which direction.
type view struct{ x, y, cos, sin float64 }

// A spot is one place (or path) that was sampled, once.
type spot struct{ x1, y1, x2, y2 float64 }

func (s spot) distance(x, y float64) float64 {
	dx, dy := s.x2-s.x1, s.y2-s.y1
	t := 0.0
	if l := dx*dx + dy*dy; l > 0 {
		t = min(max(((x-s.x1)*dx+(y-s.y1)*dy)/l, 0), 1)
	}
	return math.Hypot(x-s.x1-t*dx, y-s.y1-t*dy)
}

const (
	// minReachM is how far beyond the samples a source is looked for at least; wider surveys look as far again as they are wide.
	minReachM = 300
	// coneTan opens the upwind cone of a sample: tan 35°, six sigma of wind error, or three of the widest plume.
	coneTan    = 0.70
	maxCells   = 2500
	maxViews   = 400
	cellToNear = 0.3 // side of a cell per metre of distance from the nearest sample: a plume is about that wide
)

func newDomain(sc *scene) domain {
	var d domain
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	seen := map[spot]bool{}
	stride := max(len(sc.s)/maxViews, 1)
	for i, s := range sc.s {
		p := spot{s.At[0], s.At[1], s.At[0], s.At[1]}
		if s.IsPath {
			p.x2, p.y2 = s.To[0], s.To[1]
		}
		for k, v := range [2][2]float64{{p.x1, p.x2}, {p.y1, p.y2}} {
			lo[k], hi[k] = min(lo[k], v[0], v[1]), max(hi[k], v[0], v[1])
		}
		if !seen[p] && (i%stride == 0 || len(seen) < maxViews) {
			seen[p] = true
			d.spots = append(d.spots, p)
		}
		if i%stride == 0 {
			if u := s.Wind.Speed(); u > 0 {
				c, sn := s.Wind.U/u, s.Wind.V/u
				for _, t := range [3]float64{0, 0.5, 1} {
					if t > 0 && !s.IsPath {
						break
					}
					d.views = append(d.views, view{p.x1 + t*(p.x2-p.x1), p.y1 + t*(p.y2-p.y1), c, sn})
				}
			}
		}
	}
	extent := max(hi[0]-lo[0], hi[1]-lo[1])
	reach := max(extent, minReachM)
	d.apart = extent / 20
	root := cell{(lo[0] + hi[0]) / 2, (lo[1] + hi[1]) / 2, extent + 2*reach}
	for d.minSide = max(extent/300, 1); ; d.minSide *= 1.4 {
		d.cells = d.split(d.cells[:0], root, 0)
		if len(d.cells) <= maxCells {
			break
		}
	}
	for _, c := range d.cells {
		d.area += c.area()
	}
	return d
}

func (d *domain) split(out []cell, c cell, depth int) []cell {
	if len(out) > maxCells || !d.upwind(c) {
		return out
	}
	if depth >= 3 && c.side <= max(2*d.minSide, cellToNear*d.nearest(c.x, c.y)) {
		return append(out, c)
	}
	for _, q := range c.quarters() {
		out = d.split(out, q, depth+1)
	}
	return out
}

func (d *domain) nearest(x, y float64) float64 {
	m := math.Inf(1)
	for _, s := range d.spots {
		m = min(m, s.distance(x, y))
	}
	return m
}

// upwind reports whether any of the cell lies in the upwind cone of a sample.
func (d *domain) upwind(c cell) bool {
	slack := c.side * math.Sqrt2 / 2
	for _, v := range d.views {
		along := (v.x-c.x)*v.cos + (v.y-c.y)*v.sin
		across := math.Abs((v.y-c.y)*v.cos - (v.x-c.x)*v.sin)
		if along+slack > 0 && across <= coneTan*max(along, 0)+1.3*slack {
			return true
		}
	}
	return false
}

// holds reports whether a place belongs to the domain.
func (d *domain) holds(x, y float64) bool {
	for _, c := range d.cells {
		if c.holds(x, y) {
			return true
		}
	}
	return false
}

// raster covers the domain with places this far apart.
func (d *domain) raster(side float64) [][2]float64 {
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, c := range d.cells {
		for k, v := range [2]float64{c.x, c.y} {
			lo[k], hi[k] = min(lo[k], v-c.side/2), max(hi[k], v+c.side/2)
		}
	}
	var out [][2]float64
	for y := lo[1] + side/2; y < hi[1]; y += side {
		for x := lo[0] + side/2; x < hi[0]; x += side {
			if d.holds(x, y) {
				out = append(out, [2]float64{x, y})
			}
		}
	}
	return out
}
