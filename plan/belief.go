package plan

import (
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/numeric"
)

// A belief is what is held possible before the next leg: equally drawn explanations with weights that sum to one.
type belief struct {
	is    []hypothesis
	near  [][]float64 // kernel of the places of two hypotheses, 1 at the same place
	found bool        // a source was found
}

// A hypothesis is one explanation: where gas comes from, how it spreads, what the instrument adds. No source at all is one too.
type hypothesis struct {
	sources    []dispersion.Source
	w          float64
	noise, flu float64
	bent       [3]*dispersion.Bent // of a narrow, a usual and a wide realisation
	sin, cos   [3]float64          // of the heading's error in one turned to the right, as it is, and one turned to the left
}

// The two effects that bend what a leg sees, heading and width, are carried through by five sigma points of the unscented transform (Julier and
// Uhlmann 2004, doi:10.1109/JPROC.2003.823141, κ = 1 for two dimensions): the middle, and √3 deviations either way of each. Strength is a factor, and needs none.
const (
	sigmaPoints = 5
	pointReach  = 1.7320508075688772
)

var (
	pointWeight = [sigmaPoints]float64{1. / 3, 1. / 6, 1. / 6, 1. / 6, 1. / 6}
	pointTurn   = [sigmaPoints]int{1, 0, 2, 1, 1}
	pointWide   = [sigmaPoints]int{1, 1, 1, 0, 2}
)

func newHypothesis(d source.Draw, sources []dispersion.Source, w float64, sd realisation) hypothesis {
	h := hypothesis{sources: sources, w: w, noise: d.NoiseKgM3, flu: d.Fluctuation}
	mid := d.Shape.Bend()
	for k := range 3 {
		e := pointReach * float64(k-1)
		b := *mid
		b.Wide = math.Exp(sd.widen * e)
		h.bent[k] = &b
		h.sin[k], h.cos[k] = math.Sincos(d.Shape.BiasRad - sd.turn*e)
	}
	return h
}

const (
	// rasterPlaces is how many squares the search area is looked at in while nothing was found.
	rasterPlaces = 400
)

// newBelief takes the draws of a group. Those without a source are split between none at all and one that did not show yet, all over the area.
func newBelief(g *source.Group, frame *geodesy.Frame, a air, area Polygon, n int, seed uint64) *belief {
	b := &belief{found: len(g.Sources) > 0}
	var empty []source.Draw
	draws := g.Draws(n, seed)
	for _, d := range draws {
		if len(d.Sources) == 0 {
			empty = append(empty, d)
		} else {
			b.is = append(b.is, newHypothesis(d, d.Sources, 1/float64(len(draws)), a.sd))
		}
	}
	if len(empty) > 0 {
		b.unfound(g, frame, a, area, empty, float64(len(empty))/float64(len(draws)), numeric.NewStream(seed, 1<<60))
	}
	b.kernel()
	return b
}

// unfound shares the weight of the explanations without a source between none and one anywhere in the area that the survey would have missed: one half each
// before the survey (the estimator's prior), and after it by what the survey leaves a place (LogRatio). Where that speaks for a source the estimator
// has looked more closely and found none; what it still holds possible there are its own draws, so that a place keeps at most what it had.
func (b *belief) unfound(g *source.Group, frame *geodesy.Frame, a air, area Polygon, draws []source.Draw, weight float64, chance *numeric.Stream) {
	places, side := raster(area, rasterPlaces)
	if len(draws) < fewestUnfound || len(places) == 0 {
		b.is = append(b.is, newHypothesis(draws[0], nil, weight, a.sd))
		return
	}
	left := g.LogRatio(places, side)
	var mean float64
	for i := range left {
		left[i] = math.Exp(min(left[i], 0))
		mean += left[i] / float64(len(left))
	}
	limit := limits(g, frame, places, side)
	n := len(draws) - 1
	some := weight * mean / (1 + mean)
	acc, k := chance.Float64(), 0
	var made []hypothesis
	for i, v := range left {
		for acc += float64(n) * v / (mean * float64(len(left))); acc >= 1; acc-- {
			x, y := places[i][0]+side*(chance.Float64()-0.5), places[i][1]+side*(chance.Float64()-0.5)
			s := dispersion.Source{X: x, Y: y, Z: 1.5 * math.Exp(chance.Normal()), RateKgS: rateBelow(limit[i], chance)}
			made = append(made, newHypothesis(draws[k%len(draws)], []dispersion.Source{s}, 0, a.sd))
			k++
		}
	}
	for i := range made {
		made[i].w = some / float64(len(made))
	}
	b.is = append(append(b.is, made...), newHypothesis(draws[0], nil, weight-some, a.sd))
}

// fewestUnfound is from how many explanations without a source on the area is searched: fewer are a few per cent of the belief.
const fewestUnfound = 20

// rateBelow draws a rate of the prior for a place with this 95 % limit, 0 for none. With a flat prior 95 % of the likelihood e^(-3q/limit) lies below
// the limit (1 - e^-3 = 0.950), so that it stands for what the survey said; a draw is accepted with that chance.
func rateBelow(limit float64, chance *numeric.Stream) float64 {
	const tries = 1000 // the prior has a thousandth of its mass below 3e-8 kg/s, far under any limit
	q := 0.0
	middle, sd := source.Priors().LnRateKgS[0], source.Priors().LnRateKgS[1]
	for range tries {
		q = math.Exp(middle + sd*chance.Normal())
		if limit == 0 || chance.Float64() < math.Exp(-3*q/limit) {
			break
		}
	}
	return q
}

// limits are the upper limits at places, from the nearest point of the map; 0 where it has none near.
func limits(g *source.Group, frame *geodesy.Frame, places [][2]float64, side float64) []float64 {
	out := make([]float64, len(places))
	u := g.UpperLimit
	if u == nil {
		return out
	}
	at := make([][2]float64, len(u.Points))
	for k, p := range u.Points {
		if p.XM != nil {
			at[k] = [2]float64{*p.XM, *p.YM}
		} else {
			at[k] = frame.GroundENU(geodesy.LatLon{Lat: *p.Lat, Lon: *p.Lon})
		}
	}
	numeric.Each(len(places), func(i int) {
		best := max(side, u.CellM) // no farther than a cell
		for k, p := range at {
			if d := math.Hypot(p[0]-places[i][0], p[1]-places[i][1]); d < best {
				best, out[i] = d, u.Points[k].RateKgS
			}
		}
	})
	return out
}

// raster covers an area with about n squares.
func raster(area Polygon, n int) (places [][2]float64, side float64) {
	lo, hi := area.box()
	side = math.Sqrt((hi[0] - lo[0]) * (hi[1] - lo[1]) / float64(n))
	for range 20 {
		places = places[:0]
		for y := lo[1] + side/2; y < hi[1]; y += side {
			for x := lo[0] + side/2; x < hi[0]; x += side {
				if area.Holds(x, y) {
					places = append(places, [2]float64{x, y})
				}
			}
		}
		if len(places) >= n/2 { // a slim area fills little of its box
			break
		}
		side *= 0.8
	}
	return places, side
}

// kernel tells which hypotheses are of the same place, with the width of the normal reference rule (Scott 1992, eq. 6.43): information about the place is
// information that parts places farther apart than that.
func (b *belief) kernel() {
	n := len(b.is)
	b.near = make([][]float64, n)
	var inverse [3][][3]float64
	for k := range inverse {
		inverse[k] = b.kernelWidths(k)
	}
	numeric.Each(n, func(i int) {
		row := make([]float64, n)
		p := b.is[i].sources
		for j := range row {
			q := b.is[j].sources
			if len(p) != len(q) {
				continue
			}
			var d2 float64
			if len(p) < len(inverse) {
				for s := range p {
					m := inverse[len(p)][s]
					dx, dy := p[s].X-q[s].X, p[s].Y-q[s].Y
					d2 += m[0]*dx*dx + 2*m[1]*dx*dy + m[2]*dy*dy
				}
			}
			row[j] = math.Exp(-0.5 * d2)
		}
		b.near[i] = row
	})
}

// kernelWidths gives, for each source of the hypotheses with k sources, the inverse of the kernel's covariance.
func (b *belief) kernelWidths(k int) [][3]float64 {
	out := make([][3]float64, k)
	for s := range out {
		var at [][2]float64
		var w []float64
		for _, h := range b.is {
			if len(h.sources) == k {
				at, w = append(at, [2]float64{h.sources[s].X, h.sources[s].Y}), append(w, h.w)
			}
		}
		if len(at) == 0 {
			continue
		}
		out[s] = spreadOf(at, w).kernel(2 * k)
	}
	return out
}

// spread is the weighted mean and covariance of places.
type spread struct {
	mean          [2]float64
	xx, xy, yy    float64
	total, effect float64 // weight, and how many equal ones it is worth
}

func spreadOf(at [][2]float64, w []float64) spread {
	var s spread
	var sq float64
	for i, p := range at {
		s.total += w[i]
		sq += w[i] * w[i]
		s.mean[0] += w[i] * p[0]
		s.mean[1] += w[i] * p[1]
	}
	if s.total == 0 {
		return s
	}
	s.effect = s.total * s.total / sq
	s.mean[0], s.mean[1] = s.mean[0]/s.total, s.mean[1]/s.total
	for i, p := range at {
		dx, dy := p[0]-s.mean[0], p[1]-s.mean[1]
		s.xx, s.xy, s.yy = s.xx+w[i]*dx*dx/s.total, s.xy+w[i]*dx*dy/s.total, s.yy+w[i]*dy*dy/s.total
	}
	return s
}

// kernel is the inverse covariance of the smoothing kernel in d dimensions. A metre is the least that places are told apart by.
func (s spread) kernel(d int) [3]float64 {
	h2 := math.Pow(max(s.effect, 1), -2/float64(4+d))
	xx, xy, yy := h2*s.xx+1, h2*s.xy, h2*s.yy+1
	det := xx*yy - xy*xy
	return [3]float64{yy / det, -xy / det, xx / det}
}

// radius90 is the radius of the circle as large as the smallest ground that holds 90 % of weighted places. The density is smoothed as above; the area is
// Σ w/ρ over the densest places that together hold the share, the integral of one over them by importance sampling.
func radius90(at [][2]float64, w []float64) float64 {
	s := spreadOf(at, w)
	if s.total == 0 {
		return math.NaN()
	}
	m := s.kernel(2)
	norm := math.Sqrt(m[0]*m[2]-m[1]*m[1]) / (2 * math.Pi)
	type one struct {
		at     [2]float64
		w, rho float64
	}
	var all []one
	for i, p := range at {
		if w[i] > 1e-6*s.total/float64(len(w)) { // the rest together are below a millionth
			all = append(all, one{p, w[i] / s.total, norm * w[i] / s.total})
		}
	}
	for i := range all {
		p := &all[i]
		for j := range all[:i] {
			q := &all[j]
			dx, dy := p.at[0]-q.at[0], p.at[1]-q.at[1]
			if d2 := m[0]*dx*dx + 2*m[1]*dx*dy + m[2]*dy*dy; d2 < 60 {
				e := norm * math.Exp(-0.5*d2)
				p.rho += q.w * e
				q.rho += p.w * e
			}
		}
	}
	slices.SortStableFunc(all, func(a, b one) int {
		switch {
		case a.rho > b.rho:
			return -1
		case a.rho < b.rho:
			return 1
		}
		return 0
	})
	var held, area float64
	for _, o := range all {
		part := min(o.w, 0.9-held)
		area += part / o.rho
		if held += part; held >= 0.9 {
			break
		}
	}
	return math.Sqrt(area / math.Pi)
}

// places are those of all sources, each with its share of its hypothesis' weight, to which by gives a factor; nil is one.
func (b *belief) places(by []float64) (at [][2]float64, w []float64) {
	for i, h := range b.is {
		f := h.w
		if by != nil {
			f *= by[i]
		}
		for _, s := range h.sources {
			at, w = append(at, [2]float64{s.X, s.Y}), append(w, f/float64(len(h.sources)))
		}
	}
	return at, w
}
