package source

import (
	"context"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/mat"

	"github.com/atalaya-isr/atalaya/numeric"
)

// Adaptive multiple importance sampling (Cornuet, Marin, Mira and Robert 2012, doi:10.1111/j.1467-9469.2011.00756.x): explanations
// are drawn from a mixture of Student-t densities that begins at the summits with their curvature; each is weighed against all
// mixtures so far; the next mixture is fitted to all of them. Where few draws carry the weight it is flattened before it is used,
// so that a posterior that is hard to draw from comes out too wide, never too narrow. The mean weight is the evidence.
const (
	generations = 24
	perRound    = 400
	enough      = 400.0 // effective draws, of all generations, at which it ends
	fitted      = 200.0 // effective draws at least that a mixture is fitted to
	least       = 150.0 // effective draws at least that a posterior is reported from
	hopeless    = 20.0  // in ln evidence behind a rival, after two generations: less than e^-15, allowing for a mixture that has yet to find its place
	reported    = 800   // draws of a posterior
	tailDoF     = 5.0
	dimensions  = 2*perSource + shared // of the largest explanation
)

// A cloud is the posterior for one number of sources.
type cloud struct {
	k          int
	lnEvidence float64
	draws      []theta // equally likely
	best       theta
	bestLn     float64
	held       // what explanations were completed from
}

// A search looks for the posterior for k sources about the summits.
type search struct {
	sc      *scene
	d       *domain
	summits []summit
	k       int
	lambda  float64
	seed    uint64
	works   sync.Pool
	rival   float64 // ln evidence, with its prior, of the best other number of sources so far
}

// A particle is an explanation with its unnormalised ln posterior density.
type particle struct {
	t  theta
	ln float64
}

// run finds the posterior.
func (a *search) run(ctx context.Context) (cloud, error) {
	out := cloud{k: a.k, bestLn: math.Inf(-1), held: a.summits[0].held}
	a.works.New = func() any { return a.sc.newWork() }
	mix := a.first()
	if len(mix) == 0 {
		return out, inputError(a.sc.survey.Group, "no explanation could be found", "Report this survey as a defect")
	}
	var mixes [][]component
	var ps []particle
	var lnSum, lnw []float64 // of the densities of all generations, and of the weights
	for g := range generations {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		from := len(ps)
		ps, lnSum = append(ps, make([]particle, perRound)...), append(lnSum, make([]float64, perRound)...)
		mixes = append(mixes, mix)
		reference := mix[0].mean
		numeric.Each(len(ps), func(i int) {
			if i < from {
				lnSum[i] = numeric.LogSumExp(lnSum[i], lnMixture(mix, ps[i].t))
				return
			}
			s := numeric.NewStream(a.seed, uint64(a.k)<<40|uint64(i))
			ps[i] = a.posterior(ordered(pick(mix, s).draw(s), reference))
			lnSum[i] = math.Inf(-1)
			for _, m := range mixes {
				lnSum[i] = numeric.LogSumExp(lnSum[i], lnMixture(m, ps[i].t))
			}
		})
		lnw = make([]float64, len(ps))
		for i := range ps {
			lnw[i] = ps[i].ln - lnSum[i] + math.Log(float64(g+1))
		}
		truncate(lnw)
		out.lnEvidence = numeric.LogSumExp(lnw...) - math.Log(float64(len(ps)))
		if effective(lnw, 1) >= enough || g >= 1 && out.lnEvidence+lnPriorCount[a.k]+hopeless < a.rival {
			break
		}
		flat := slices.Clone(lnw)
		flatten(flat, min(fitted, float64(len(ps))/4))
		mix = refit(mix, ps, flat, a.floor())
	}
	for _, p := range ps {
		if p.ln > out.bestLn {
			out.best, out.bestLn = p.t, p.ln
		}
	}
	flatten(lnw, least)
	out.draws = resample(ps, lnw, reported, numeric.NewStream(a.seed, uint64(a.k)<<40|1<<39))
	return out, nil
}

// posterior weighs an explanation; outside the domain it has no prior.
func (a *search) posterior(t theta) particle {
	const never = -1e6
	p := particle{t, never}
	for k := range a.k {
		if src := t.source(k); !a.d.holds(src[iX], src[iY]) {
			return p
		}
	}
	w := a.works.Get().(*work)
	w.from(a.summits[0].held)
	ln := a.sc.lnPrior(t) - float64(a.k)*math.Log(a.d.area) + a.sc.lnLikelihood(w, t, a.lambda)
	a.works.Put(w)
	if ln > never {
		p.ln = ln
	}
	return p
}

// first is the mixture to begin with: each summit somewhat wider than its curvature says, and twice that.
func (a *search) first() []component {
	var mix []component
	for _, wide := range []float64{1.2, 2.4} {
		for i := range a.summits {
			if c, ok := a.summits[i].component(wide, a.summits[0].at); ok {
				mix = append(mix, c)
			}
		}
	}
	for i := range mix {
		mix[i].lnWeight = -math.Log(float64(len(mix)))
	}
	return mix
}

// floor are variances below which explanations are no longer told apart.
func (a *search) floor() []float64 {
	out := make([]float64, dimension(a.k))
	for i := range out {
		out[i] = 1e-4 * a.summits[0].scale[i] * a.summits[0].scale[i]
	}
	return out
}

// component is one t density: its weight, mean, and the root of its scale matrix.
type component struct {
	lnWeight float64
	mean     theta
	lower    mat.TriDense
	lnNorm   float64
}

func newComponent(lnWeight float64, mean theta, scale *mat.SymDense) (component, bool) {
	c := component{lnWeight: lnWeight, mean: mean}
	var root mat.Cholesky
	if !root.Factorize(scale) {
		return c, false
	}
	root.LTo(&c.lower)
	d := float64(len(mean))
	up, _ := math.Lgamma((tailDoF + d) / 2)
	down, _ := math.Lgamma(tailDoF / 2)
	c.lnNorm = up - down - d/2*math.Log(tailDoF*math.Pi) - 0.5*root.LogDet()
	return c, true
}

// component is the t density at a summit, wider than its curvature says by a factor, its sources in the order of another's.
func (s *summit) component(wide float64, as theta) (component, bool) {
	d := len(s.at)
	var inv mat.SymDense
	if s.root.InverseTo(&inv) != nil {
		return component{}, false
	}
	at := ordered(s.at, as)
	from := make([]int, d) // of each parameter in the summit's own order
	for i := range from {
		from[i] = i
		if i < d-shared && &at[0] != &s.at[0] {
			from[i] = (i + perSource) % (d - shared)
		}
	}
	scale := mat.NewSymDense(d, nil)
	for i := range d {
		for j := i; j < d; j++ {
			scale.SetSym(i, j, wide*wide*s.scale[from[i]]*s.scale[from[j]]*inv.At(from[i], from[j]))
		}
	}
	return newComponent(0, at, scale)
}

func (c *component) lnDensity(t theta) float64 {
	d := len(t)
	l := c.lower.RawTriangular()
	var y [dimensions]float64
	sum := 0.0
	for i := range d { // by forward substitution
		v, row := t[i]-c.mean[i], l.Data[i*l.Stride:]
		for j := range i {
			v -= row[j] * y[j]
		}
		y[i] = v / row[i]
		sum += y[i] * y[i]
	}
	return c.lnNorm - (tailDoF+float64(d))/2*math.Log1p(sum/tailDoF)
}

func (c *component) draw(s *numeric.Stream) theta {
	d := len(c.mean)
	z := mat.NewVecDense(d, nil)
	for i := range d {
		z.SetVec(i, s.Normal())
	}
	chi := 0.0
	for range int(tailDoF) {
		n := s.Normal()
		chi += n * n
	}
	var x mat.VecDense
	x.MulVec(&c.lower, z)
	t := slices.Clone(c.mean)
	stretch := math.Sqrt(tailDoF / chi)
	for i := range d {
		t[i] += stretch * x.AtVec(i)
	}
	return t
}

func pick(mix []component, s *numeric.Stream) *component {
	u, c := s.Float64(), 0
	for c < len(mix)-1 {
		if u -= math.Exp(mix[c].lnWeight); u <= 0 {
			break
		}
		c++
	}
	return &mix[c]
}

// lnMixture is the density of a draw, whose sources come in any order.
func lnMixture(mix []component, t theta) float64 {
	terms := make([]float64, 0, 2*len(mix))
	orders := []theta{t}
	if t.sources() == 2 {
		orders = append(orders, swapped(t))
	}
	for _, t := range orders {
		for i := range mix {
			terms = append(terms, mix[i].lnWeight+mix[i].lnDensity(t))
		}
	}
	return numeric.LogSumExp(terms...) - math.Log(float64(len(orders)))
}

// refit fits the mixture to weighted draws by one step of expectation and maximisation; a component without draws goes.
func refit(mix []component, ps []particle, lnw, floor []float64) []component {
	total := numeric.LogSumExp(lnw...)
	weight := make([][]float64, len(mix))
	for c := range mix {
		weight[c] = make([]float64, len(ps))
	}
	numeric.Each(len(ps), func(i int) {
		terms := make([]float64, len(mix))
		for c := range mix {
			terms[c] = mix[c].lnWeight + mix[c].lnDensity(ps[i].t)
		}
		all := numeric.LogSumExp(terms...)
		for c := range mix {
			weight[c][i] = math.Exp(lnw[i] - total + terms[c] - all)
		}
	})
	var out []component
	sum := 0.0
	for c := range mix {
		share := 0.0
		for _, w := range weight[c] {
			share += w
		}
		if share < 0.02 {
			continue
		}
		mean, cov := moments(ps, weight[c], share)
		for j := range floor {
			cov.SetSym(j, j, cov.At(j, j)+floor[j])
		}
		if n, ok := newComponent(math.Log(share), mean, cov); ok {
			out = append(out, n)
			sum += share
		}
	}
	if len(out) == 0 {
		return mix
	}
	for i := range out {
		out[i].lnWeight -= math.Log(sum)
	}
	return out
}

// moments are the mean and covariance of draws with weights of this sum.
func moments(ps []particle, weight []float64, sum float64) (theta, *mat.SymDense) {
	d := len(ps[0].t)
	mean := make(theta, d)
	for i, p := range ps {
		for j := range d {
			mean[j] += weight[i] / sum * p.t[j]
		}
	}
	cov, x := mat.NewSymDense(d, nil), make([]float64, d)
	for i, p := range ps {
		if w := weight[i] / sum; w > 0 {
			for j := range d {
				x[j] = p.t[j] - mean[j]
			}
			cov.SymRankOne(cov, w, mat.NewVecDense(d, x))
		}
	}
	return mean, cov
}

// effective is the effective number of draws with these weights raised to a power (Kong, Liu and Wong 1994,
// doi:10.1080/01621459.1994.10476469).
func effective(lnw []float64, power float64) float64 {
	m := slices.Max(lnw)
	var s, s2 float64
	for _, v := range lnw {
		e := math.Exp(power * (v - m))
		s, s2 = s+e, s2+e*e
	}
	return s * s / s2
}

// truncate cuts weights above √n times their mean (Ionides 2008, doi:10.1198/106186008X320456): one lucky draw must not be a posterior.
func truncate(lnw []float64) {
	most := numeric.LogSumExp(lnw...) - 0.5*math.Log(float64(len(lnw)))
	for i := range lnw {
		lnw[i] = min(lnw[i], most)
	}
}

// flatten raises the weights to the largest power, at most one, that leaves n draws effective.
func flatten(lnw []float64, n float64) {
	if effective(lnw, 1) >= n {
		return
	}
	lo, hi := 0.0, 1.0
	for range 40 {
		if mid := (lo + hi) / 2; effective(lnw, mid) >= n {
			lo = mid
		} else {
			hi = mid
		}
	}
	for i := range lnw {
		lnw[i] *= lo
	}
}

// resample draws systematically (Kitagawa 1996, doi:10.1080/10618600.1996.10474692).
func resample(ps []particle, lnw []float64, n int, s *numeric.Stream) []theta {
	out := make([]theta, 0, n)
	total := numeric.LogSumExp(lnw...)
	u, acc := s.Float64(), 0.0
	for i := range ps {
		acc += float64(n) * math.Exp(lnw[i]-total)
		for u < acc && len(out) < n {
			out = append(out, ps[i].t)
			u++
		}
	}
	for len(out) < n { // rounding of the last weight
		out = append(out, ps[len(ps)-1].t)
	}
	return out
}
