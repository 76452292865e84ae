package dispersion

import "math"

// A Cut is a plume where a sample crosses it: what of its response does not depend on the plume's heading and width. It answers for a
// plume that is turned and widened a little without following the wind anew.
type Cut struct {
	X, Y  float64 // metres along the axis, and to the left of it
	Axis  float64 // C on the axis, s/m3; 0 where nothing arrives at all
	PerSy float64 // 1/σy, 1/m
}

// cutReach is how many spreads off the axis a Cut still answers: twice as far as At, for the plume may turn towards it.
const cutReach = 12

// Cut is that of the plume at a point x downwind and y across of a source of height h, z above ground.
func (p *Plume) Cut(x, y, z, h float64, sh *Bent) Cut {
	if x <= 0 {
		return Cut{}
	}
	i, f := p.sy.node(x)
	sy2 := p.across2(i, f, sh)
	if y*y > cutReach*cutReach*sy2 {
		return Cut{}
	}
	sz, perSy := p.depth(i, f, sh), 1/math.Sqrt(sy2)
	perSz := 1 / sz
	return Cut{x, y, p.vertical(z, h, sz, perSz) * perSz * perSy / (2 * math.Pi * p.speedAt(h, sz, perSz)), perSy}
}

// At is the response for a heading turned to the left by this tangent and a crosswind spread that is wide times as large.
func (c *Cut) At(turn, wide float64) Response {
	var out [1]Response
	AddCuts(out[:], []Cut{*c}, []int{0}, 1, turn, wide)
	return out[0]
}

// AddCuts adds to the responses listed what cuts of the same places bring at this rate, as At.
func AddCuts(out []Response, cuts []Cut, at []int, rate, turn, wide float64) {
	narrow := 1 / wide
	rate *= narrow
	for _, i := range at {
		c := &cuts[i]
		if c.Axis == 0 {
			continue
		}
		perSy := c.PerSy * narrow
		q := (c.Y - c.X*turn) * perSy
		if q > 6 || q < -6 { // as Plume.At
			continue
		}
		half := expNear(-0.25 * q * q)
		reach := c.Axis * rate * half
		v := reach * half
		r := &out[i]
		r.C, r.Reach, r.Turn, r.Widen = r.C+v, r.Reach+reach, r.Turn+v*q*c.X*perSy, r.Widen+v*(q*q-1)
	}
}
