package source

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/numeric"
)

// A source that shows by itself may still hide beside others: realisations stray, backgrounds drift, and what they and the plumes found can stand for is no
// sign of one more. Such sources are spread over the ground and lie on no summit, so that evidence about summits misses them. Here the evidence for one
// hidden source more is summed over the ground.
//
// Near an explanation the likelihood is taken as normal: a further source of rate q changes its logarithm by qT - q²S/2, with T the pull of what is left over at its
// column and S the information on its rate when all other numbers of the explanation, the effects of realisations and the backgrounds give way. Places deviate
// by the discrepancy more than information says, so that S and T count by its square less. A source that would be a gain is not hidden, and counts as one that makes no difference.

// At so many places a hidden source is looked for at most, so many at a time, and at rates so far apart in their logarithm.
const hiddenPlaces, hiddenBatch, rateStep = 300, 12, 0.375

// A hideout is a place where one more source may hide: how probable the survey is with one there, of the rates that show, beside without it.
type hideout struct {
	cell
	least      float64   // rate that shows, kg/s; infinite where none does
	told, pull float64   // S and T in units of least
	ratio      float64   // over the rates, with their prior
	lnq        []float64 // of the rates
	mass       []float64 // part of each in ratio
}

// hideouts are places evenly spread over the domain, about the highest summit.
func (a *search) hideouts() []hideout {
	if a.nooks == nil {
		a.nooks = a.seekHideouts()
	}
	return a.nooks
}

func (a *search) seekHideouts() []hideout {
	s, sc := &a.summits[0], a.sc
	g := newGrid(sc)
	stride := max((len(a.d.cells)+hiddenPlaces-1)/hiddenPlaces, 1)
	var out []hideout
	for i := 0; i < len(a.d.cells); i += stride {
		out = append(out, hideout{cell: a.d.cells[i]})
	}
	d := len(s.at)
	c := sc.newClimber(d, s.scale, a.lambda)
	c.slope(s.at, s.held)
	batches := (len(out) + hiddenBatch - 1) / hiddenBatch
	numeric.Each(batches, func(n int) {
		a.hide(g, c, out[n*hiddenBatch:min((n+1)*hiddenBatch, len(out))])
	})
	return out
}

// hide finds the ratios of some places. It takes c as slope left it, for reading alone.
func (a *search) hide(g *grid, c *climber, places []hideout) {
	s, sc, d := &a.summits[0], a.sc, len(a.summits[0].at)
	with := *c // a column more for each place, of the rate that shows
	with.mean, with.spread = slices.Clone(c.mean), slices.Clone(c.spread)
	w, shape, m := sc.newWork(), s.at.shape(), sc.errorsOf(s.at.shared(), a.lambda)
	reach := make([][]float64, len(places))
	for k := range places {
		p := &places[k]
		w.clear()
		sc.column(w, s.at.shared()[jLag], p.x, p.y, math.Exp(priorLnH[0]), 1, shape, p.side/3)
		column := make([]float64, len(sc.s))
		if p.least = math.Sqrt(ShowsSNR2 / g.snr2(p.cell)); finite(p.least) {
			for i := range column {
				column[i] = p.least * w.at[i].C
				q, r := sc.pull(c.near, m, i)
				p.pull += sc.apart * q * r * column[i]
			}
		}
		reach[k] = make([]float64, len(sc.s))
		for i := range reach[k] {
			reach[k][i] = w.at[i].Reach
		}
		with.mean, with.spread = append(with.mean, column), append(with.spread, make([]float64, len(sc.s)))
	}
	info := mat.NewSymDense(d+len(places), nil)
	with.tell(info, s.at)
	known := mat.NewSymDense(d, nil)
	for i := range d {
		for j := i; j < d; j++ {
			known.SetSym(i, j, info.At(i, j))
		}
	}
	floor(known)
	var root mat.Cholesky
	if !root.Factorize(known) {
		panic("source: a matrix of positive eigenvalues has no root")
	}
	for k := range places {
		p := &places[k]
		if !finite(p.least) {
			continue
		}
		cross, x := mat.NewVecDense(d, nil), new(mat.VecDense)
		for i := range d {
			cross.SetVec(i, info.At(i, d+k))
		}
		_ = root.SolveVecTo(x, cross) // that it is badly conditioned, the only error, is said of scales
		p.told = max(info.At(d+k, d+k)-mat.Dot(cross, x), 0)
		p.weigh(c.near, m, with.mean[d+k], reach[k])
	}
}

// weigh integrates over the rates that show. As the source's own fluctuation grows with its rate, less is left of what column tells.
func (p *hideout) weigh(w *work, m errorModel, column, reach []float64) {
	whole := 0.0
	for i, c := range column {
		whole += c * c / w.variance[i]
	}
	if whole == 0 { // no sample tells of it
		whole = 1
	}
	for lnq := math.Log(p.least) + rateStep/2; lnq < priorLnQ[0]+4*priorLnQ[1]; lnq += rateStep {
		q, left := math.Exp(lnq), 0.0
		for i, c := range column {
			if c != 0 {
				left += c * c / (w.variance[i] + m.flu2*q*q*reach[i]*reach[i])
			}
		}
		x := q / p.least
		ln := min(x*p.pull-x*x*p.told/2, 0) * left / whole / (discrepancy * discrepancy)
		v := rateStep * math.Exp(lnNormal(lnq, priorLnQ)+ln)
		p.lnq, p.mass = append(p.lnq, lnq), append(p.mass, v)
		p.ratio += v
	}
}

// lnHidden is ln of how probable the survey is with one more source somewhere, hidden, beside without it; none is more probable than without.
func (a *search) lnHidden(at []hideout) float64 {
	var sum, area float64
	for _, h := range at {
		sum, area = sum+h.ratio*h.area(), area+h.area()
	}
	return math.Log(max(min(sum/(area*a.d.show), 1), 1e-12))
}

// conceal gives numbers of sources beyond the most probable one no less than what hidden ones beside that have; so many of k+m may be the hidden ones that there are
// (k+m)!/k!m! ways. found is that number.
func conceal(searches []*search, clouds []cloud) (out []cloud, found int, at []hideout) {
	for k := range clouds {
		if clouds[k].standing > clouds[found].standing {
			found = k
		}
	}
	at = searches[found].hideouts()
	ln, out := searches[found].lnHidden(at), slices.Clone(clouds)
	for m := 1; found+m <= MostSources; m++ {
		k := found + m
		if k == len(out) {
			out = append(out, cloud{k: k, standing: math.Inf(-1)})
		}
		if standing := alsoHidden(clouds[found].standing, found, m, ln); standing > out[k].standing {
			out[k] = cloud{k: k, standing: standing, hidden: m}
		}
	}
	return out, found, at
}

// withHidden is the standing of m more sources, hidden beside those of a number that stands so.
func (a *search) withHidden(standing float64, m int) float64 {
	return alsoHidden(standing, a.k, m, a.lnHidden(a.hideouts()))
}

// alsoHidden is the standing of m more sources than found, all hidden, by ln of what one has.
func alsoHidden(standing float64, found, m int, ln float64) float64 {
	k := found + m
	return standing - lnPriorCount[found] - lnOrders(found) + lnPriorCount[k] + lnOrders(k) - lnOrders(m) + float64(m)*ln
}

// hide draws where a hidden source may be.
func (p *posterior) hide(s *numeric.Stream) dispersion.Source {
	total := 0.0
	for _, h := range p.hideouts {
		total += h.ratio * h.area()
	}
	u := total * s.Float64()
	for _, h := range p.hideouts {
		for n, v := range h.mass {
			if u -= v * h.area(); u < 0 {
				return dispersion.Source{X: h.x + h.side*(s.Float64()-0.5), Y: h.y + h.side*(s.Float64()-0.5), Z: math.Exp(priorLnH[0] + priorLnH[1]*s.Normal()),
					RateKgS: math.Exp(h.lnq[n] + rateStep*(s.Float64()-0.5))}
			}
		}
	}
	return dispersion.Source{X: p.d.cells[0].x, Y: p.d.cells[0].y, Z: math.Exp(priorLnH[0]), RateKgS: math.Exp(priorLnQ[0])} // nothing shows anywhere
}
