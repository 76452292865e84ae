package plan

import (
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya/numeric"
)

// A Leg is a straight stretch of flight at one height, in local metres.
type Leg struct {
	Kind    Kind
	From    [2]float64
	To      [2]float64
	HeightM float64
}

// Kind says what a leg is flown for.
type Kind string

// The kinds of legs.
const (
	Crosswind  Kind = "crosswind"
	AlongPlume Kind = "along-plume"
	Background Kind = "upwind-background"
	Lane       Kind = "lawn-mower-lane"
)

// turnS is what turning onto a leg takes, seconds.
const turnS = 5

// minLegM is the shortest leg that is advised.
const minLegM = 40

// Length is in metres.
func (l Leg) Length() float64 { return math.Hypot(l.To[0]-l.From[0], l.To[1]-l.From[1]) }

func (l Leg) start() [3]float64 { return [3]float64{l.From[0], l.From[1], l.HeightM} }
func (l Leg) end() [3]float64   { return [3]float64{l.To[0], l.To[1], l.HeightM} }
func (l Leg) reversed() Leg     { l.From, l.To = l.To, l.From; return l }

// Minutes is how long it takes to fly there from a place, and then the leg.
func (l Leg) Minutes(from [3]float64, speed float64) (transit, leg float64) {
	return (length(from, l.start())/speed + turnS) / 60, l.Length() / speed / 60
}

// A pattern makes candidates.
type pattern struct {
	limits      Limits
	along, left [2]float64
}

func (p pattern) at(o [2]float64, along, left float64) [2]float64 {
	return [2]float64{o[0] + along*p.along[0] + left*p.left[0], o[1] + along*p.along[1] + left*p.left[1]}
}

func (p pattern) coordinates(q [2]float64) (along, left float64) {
	return q[0]*p.along[0] + q[1]*p.along[1], q[0]*p.left[0] + q[1]*p.left[1]
}

// allowed cuts a leg to the stretch within the fence that is nearest its middle, turns it to begin at the nearer end, and drops it where it is too
// short, takes too long, or cannot be reached straight.
func (p pattern) allowed(l Leg) (Leg, bool) {
	cut := func(t float64) [2]float64 {
		return [2]float64{l.From[0] + t*(l.To[0]-l.From[0]), l.From[1] + t*(l.To[1]-l.From[1])}
	}
	// Looked at a metre beyond either end and then cut by that, no end comes nearer to the fence than a metre of flight.
	margin := 1 / max(l.Length(), 1)
	best, off := [2]float64{}, math.Inf(1)
	for _, w := range p.limits.Fence.within(cut(-margin), cut(1+margin)) {
		if d := max(w[0]-0.5, 0.5-w[1], 0); d < off {
			best, off = w, d
		}
	}
	if math.IsInf(off, 1) {
		return l, false
	}
	if p.limits.Fence != nil {
		l.From, l.To = cut(best[0]*(1+2*margin)), cut(best[1]*(1+2*margin)-2*margin)
	}
	if l.Length() < minLegM {
		return l, false
	}
	here := p.limits.Start
	if length(here, l.end()) < length(here, l.start()) {
		l = l.reversed()
	}
	for range 2 {
		transit, leg := l.Minutes(here, p.limits.SpeedMPS)
		if transit+leg <= p.limits.Minutes && p.limits.Fence.joins([2]float64{here[0], here[1]}, l.From) {
			return l, true
		}
		l = l.reversed()
	}
	return l, false
}

func (p pattern) crosswind(kind Kind, o [2]float64, along, half, height float64) Leg {
	return Leg{kind, p.at(o, along, -half), p.at(o, along, half), height}
}

// distances downwind of a place at which crosswind legs are tried, metres: a factor of about 1.6 apart, from where a plume is as wide as a few samples lie
// apart to where it is thin.
var distances = []float64{30, 50, 80, 130, 200, 320}

// candidates are legs around the places that matter, at the least height.
func (p pattern) candidates(b *belief, area Polygon) []Leg {
	var out []Leg
	add := func(l Leg) {
		if l, ok := p.allowed(l); ok && !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	h := p.limits.MinHeightM
	halves := p.halves(b)
	for _, o := range p.middles(b) {
		for _, d := range distances {
			for _, half := range halves {
				add(p.crosswind(Crosswind, o, d, half, h))
			}
		}
		add(Leg{AlongPlume, p.at(o, 20, 0), p.at(o, 250, 0), h})
		// With the places behind it, the leg meets nothing but air that has not passed them.
		add(p.crosswind(Background, o, -50, halves[0], h))
	}
	if !b.found {
		for _, lane := range p.lanes(area, laneM, h) {
			lane.Kind = Crosswind
			add(lane)
			mid := [2]float64{(lane.From[0] + lane.To[0]) / 2, (lane.From[1] + lane.To[1]) / 2}
			add(Leg{Crosswind, lane.From, mid, h})
			add(Leg{Crosswind, mid, lane.To, h})
		}
	}
	return out
}

// laneM is the distance between the lanes over a search area while nothing was found.
const laneM = 100

// halves are half lengths of crosswind legs: a plume of any place within one, or two, deviations across the wind.
func (p pattern) halves(b *belief) []float64 {
	at, w := b.places(nil)
	s := spreadOf(at, w)
	l := p.left
	sd := math.Sqrt(max(l[0]*l[0]*s.xx+2*l[0]*l[1]*s.xy+l[1]*l[1]*s.yy, 0))
	if !b.found { // all over the area: a deviation is no measure of anything
		return []float64{75, 150}
	}
	return []float64{min(max(40+1.3*sd, 50), 400), min(max(60+2.5*sd, 80), 600)}
}

// middles are the mean of the places and the densest ones that lie apart; while nothing was found, the places with most weight around them.
func (p pattern) middles(b *belief) [][2]float64 {
	at, w := b.places(nil)
	if len(at) == 0 {
		return nil
	}
	s := spreadOf(at, w)
	m := s.kernel(2)
	reach, most := 60., 4 // reach: squared distance in kernels beyond which nothing counts
	if !b.found {
		most = 8
	}
	rho := make([]float64, len(at))
	for i, q := range at {
		for j, o := range at {
			dx, dy := q[0]-o[0], q[1]-o[1]
			if d2 := m[0]*dx*dx + 2*m[1]*dx*dy + m[2]*dy*dy; d2 < reach {
				rho[i] += w[j] * math.Exp(-0.5*d2)
			}
		}
	}
	var out [][2]float64
	if b.found {
		out = append(out, s.mean)
	}
	left := slices.Clone(rho)
	for len(out) < most {
		k := 0
		for i := range left {
			if left[i] > left[k] {
				k = i
			}
		}
		if left[k] <= 0.05*slices.Max(rho) {
			break
		}
		out = append(out, at[k])
		for i, q := range at { // what lies within two kernels of it is spoken for
			dx, dy := q[0]-at[k][0], q[1]-at[k][1]
			if m[0]*dx*dx+2*m[1]*dx*dy+m[2]*dy*dy < 4 {
				left[i] = 0
			}
		}
	}
	return out
}

// around are changes of a good leg: other heights, and a little nearer, farther, shorter, longer, to either side.
func (p pattern) around(l Leg) []Leg {
	var out []Leg
	add := func(l Leg) {
		if l, ok := p.allowed(l); ok {
			out = append(out, l)
		}
	}
	for _, h := range p.heights()[1:] {
		m := l
		m.HeightM = h
		add(m)
	}
	if l.Kind == AlongPlume {
		return out
	}
	mid := [2]float64{(l.From[0] + l.To[0]) / 2, (l.From[1] + l.To[1]) / 2}
	half := l.Length() / 2
	for _, c := range [][3]float64{{-25, 0, 1}, {25, 0, 1}, {0, -half / 2, 1}, {0, half / 2, 1}, {0, 0, 0.7}, {0, 0, 1.4}} {
		add(p.crosswind(l.Kind, p.at(mid, c[0], c[1]), 0, half*c[2], l.HeightM))
	}
	return out
}

// heights are the least, the middle and the greatest, where they differ by five metres.
func (p pattern) heights() []float64 {
	lo, hi := p.limits.MinHeightM, p.limits.MaxHeightM
	out := []float64{lo}
	for _, h := range []float64{(lo + hi) / 2, hi} {
		if h-out[len(out)-1] >= 5 {
			out = append(out, h)
		}
	}
	return out
}

// LawnMower covers an area with lanes across the wind, there and back, from the end nearest to start: what one flies without a plan, and what a plan is
// compared with. The wind (u, v) says where the air goes.
func LawnMower(area Polygon, u, v, spacingM, heightM float64, start [2]float64) []Leg {
	s := math.Hypot(u, v)
	p := pattern{along: [2]float64{u / s, v / s}, left: [2]float64{-v / s, u / s}}
	lanes := p.lanes(area, spacingM, heightM)
	if len(lanes) == 0 {
		return nil
	}
	near := func(l Leg) float64 {
		return min(math.Hypot(l.From[0]-start[0], l.From[1]-start[1]), math.Hypot(l.To[0]-start[0], l.To[1]-start[1]))
	}
	if near(lanes[len(lanes)-1]) < near(lanes[0]) {
		slices.Reverse(lanes)
	}
	at := start
	for i, l := range lanes {
		if math.Hypot(l.To[0]-at[0], l.To[1]-at[1]) < math.Hypot(l.From[0]-at[0], l.From[1]-at[1]) {
			lanes[i] = l.reversed()
		}
		at = lanes[i].To
	}
	return lanes
}

// lanes are in order along the wind, the first half a spacing within the area; a lane spans the area where that has a bay.
func (p pattern) lanes(area Polygon, spacing, height float64) []Leg {
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, q := range area[0] {
		a, l := p.coordinates(q)
		lo[0], hi[0], lo[1], hi[1] = min(lo[0], a), max(hi[0], a), min(lo[1], l), max(hi[1], l)
	}
	const most = 500
	n := int(min(math.Ceil((hi[0]-lo[0])/spacing), most))
	var out []Leg
	for i := range n {
		along := lo[0] + (float64(i)+0.5)*(hi[0]-lo[0])/float64(n)
		from, to := p.at([2]float64{}, along, lo[1]-1), p.at([2]float64{}, along, hi[1]+1)
		w := area.within(from, to)
		if len(w) == 0 {
			continue
		}
		cut := func(t float64) [2]float64 {
			return [2]float64{from[0] + t*(to[0]-from[0]), from[1] + t*(to[1]-from[1])}
		}
		if l := (Leg{Lane, cut(w[0][0]), cut(w[len(w)-1][1]), height}); l.Length() >= minLegM {
			out = append(out, l)
		}
	}
	return out
}

// alike holds for two legs of which the one would be advised in vain beside the other.
func alike(a, b Leg) bool {
	d := func(p, q [2]float64) float64 { return math.Hypot(p[0]-q[0], p[1]-q[1]) }
	off := min(max(d(a.From, b.From), d(a.To, b.To)), max(d(a.From, b.To), d(a.To, b.From)))
	return off < max(0.35*max(a.Length(), b.Length()), 30)
}

// each evaluates legs on all cores.
func each(legs []Leg, f func(Leg) score) []score {
	out := make([]score, len(legs))
	numeric.Each(len(legs), func(i int) { out[i] = f(legs[i]) })
	return out
}
