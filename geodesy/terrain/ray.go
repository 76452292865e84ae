package terrain

import (
	"math"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// An Outcome says how a ray ended.
type Outcome uint8

// How a ray ends.
const (
	Met       Outcome = iota // at the ground
	Sky                      // above the horizon: it rises and meets no ground
	Beyond                   // no ground within the range asked for
	Buried                   // it begins below the ground
	Uncovered                // it went to where the model has no ground before it met any
)

// String names the outcome.
func (o Outcome) String() string {
	return [...]string{"met", "above the horizon", "beyond range", "sensor below the ground", "outside the terrain"}[o]
}

// A Hit is where a ray ends.
type Hit struct {
	Outcome Outcome
	// At and RangeM are the place and its distance; Ground is the model's word on the ground there. Of outcomes other than Met
	// At and RangeM say where the ray was given up, and there is no ground.
	At     geodesy.LatLonHeight
	RangeM float64
	Ground Ground
	// GapM is how much of the ray passed, before it met the ground, over places where the model has none and ground could have
	// been as high as the ray.
	GapM float64
}

// closeM is how near to the surface a hit is found, metres of height.
const closeM = 1e-4

// Cast follows a ray to the first ground that it meets within maxM. The ray's heights and the model's must have one datum.
//
// Where the model promises that no ground of a neighbourhood rises above a height, the ray is taken down to that height, or to
// the neighbourhood's end, at once: over a convex fall (the ellipsoid curves away below a straight ray) the tangent bounds it
// from below. Elsewhere it goes on by half a post at most, by an eighth where it flies within a post's width of the ground. So
// a summit of bilinear ground that rises above the ray by less than an eighth of a post, and falls below it again, may be
// passed over: grazing rays are uncertain by as much. The crossing itself is closed in on by regula falsi (Illinois form).
func Cast(m Model, r geodesy.Ray, maxM float64) Hit {
	c := caster{model: m, ray: r, max: maxM}
	return c.run()
}

type caster struct {
	model Model
	ray   geodesy.Ray
	max   float64
	gap   float64
}

// A fathom is the ray's height above the ground at one distance.
type fathom struct {
	at     float64
	place  geodesy.LatLonHeight
	sink   float64 // fall of the ray, metres a metre; negative where it rises
	flat   float64 // its horizontal part
	over   float64
	ground Ground
	known  bool
}

func (c *caster) sound(at float64) (f fathom) {
	var up geodesy.ECEF
	f.at = at
	f.place, up = c.ray.Near(at)
	f.sink = -up.Dot(c.ray.Dir)
	f.flat = math.Sqrt(math.Max(0, 1-f.sink*f.sink))
	f.ground, f.known = c.model.At(f.place.LatLon())
	f.over = f.place.HeightHAE - f.ground.HeightM
	return f
}

func (c *caster) end(o Outcome, f fathom) Hit {
	h := Hit{Outcome: o, At: f.place, RangeM: f.at, GapM: c.gap}
	if o == Met {
		h.Ground = f.ground
	}
	return h
}

func (c *caster) run() Hit {
	f := c.sound(0)
	if f.known && f.over < 0 {
		return c.end(Buried, f)
	}
	for f.at < c.max {
		if f.place.HeightHAE > HighestM && f.sink <= 0 {
			return c.end(Sky, f)
		}
		if f.place.HeightHAE < LowestM {
			return c.end(Uncovered, f)
		}
		post := math.Max(c.model.PostM(f.place.LatLon()), 0.1) // finer posts are not worth their steps
		if step := c.leap(f, post); step > 0 {
			f = c.sound(math.Min(c.max, f.at+step))
			if f.known && f.over < 0 { // a promise that was not kept: rounding of the model's heights
				return c.end(Met, f)
			}
			continue
		}
		next := c.sound(math.Min(c.max, f.at+c.step(f, post)))
		switch {
		case f.known && next.known && next.over <= 0:
			return c.end(Met, c.close(f, next))
		case !next.known:
			if c.low(next) {
				c.gap += next.at - f.at
			}
		case next.over <= 0: // it went below ground where the model has none
			return c.end(Uncovered, next)
		}
		f = next
	}
	if f.sink <= 0 {
		return c.end(Sky, f)
	}
	return c.end(Beyond, f)
}

// leap is how far the ray may go at once by the model's promise; 0 when that is not further than a common step.
func (c *caster) leap(f fathom, post float64) float64 {
	top, reach := c.model.Ceiling(f.place.LatLon(), f.place.HeightHAE)
	room := f.place.HeightHAE - top
	if room <= closeM || reach <= 0 {
		return 0
	}
	step := math.Inf(1)
	if f.sink > 0 {
		step = room / f.sink
	}
	if f.flat > 1e-9 {
		step = math.Min(step, reach/f.flat)
	}
	if math.IsInf(step, 1) {
		step = c.max - f.at + 1
	}
	if step*f.flat < post/2 && step*f.sink < room/2 {
		return 0
	}
	return step
}

// step is the next stretch over ground that may be anything.
func (c *caster) step(f fathom, post float64) float64 {
	width := post / 2
	if f.known && f.over < post {
		width = post / 8
	}
	if f.flat*HighestM < width { // near the vertical: the ray stays within the post's width
		return math.Max(1, (f.place.HeightHAE-LowestM)/2+1)
	}
	return width / f.flat
}

// low says that ground could have been as high as the ray.
func (c *caster) low(f fathom) bool { return f.place.HeightHAE < HighestM }

// close finds the crossing between a fathom above the ground and one below it.
func (c *caster) close(a, b fathom) fathom {
	fa, fb := a.over, b.over
	for range 60 {
		at := a.at + (b.at-a.at)*fa/(fa-fb)
		mid := c.sound(at)
		if !mid.known || math.Abs(mid.over) < closeM || b.at-a.at < closeM {
			if !mid.known {
				return b
			}
			return mid
		}
		if mid.over > 0 {
			a, fa, fb = mid, mid.over, fb/2
			continue
		}
		b, fb, fa = mid, mid.over, fa/2
	}
	return b
}
