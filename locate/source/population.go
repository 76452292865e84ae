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
	enough      = 250.0 // effective draws, of all generations, at which it ends
	fitted      = 200.0 // effective draws at least that a mixture is fitted to
	least       = 150.0 // effective draws at least that a posterior is reported from
	little      = 25.0  // effective draws at which it ends for a number of sources that has little of the probability: only its evidence counts, ln of it to 1/√25 = 0.2
	hopeless    = 12.0  // in ln of the probability behind a rival, by the curvature at the summits or by the draws of two generations
	reported    = 800   // draws of a posterior
	tailDoF     = 5.0
	never       = -1e6                           // ln density where there is no prior
	dimensions  = MostSources*perSource + shared // of the largest explanation
)

// A cloud is the posterior for one number of sources.
type cloud struct {
	k          int
	lnEvidence float64
	standing   float64 // ln of the probability of the number, but for a constant
	draws      []theta // equally likely
	best       theta
	bestLn     float64
	hidden     int // so many of the sources are hidden ones, and draws are those of the number that was found
	held           // what explanations were completed from
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
	one     *search // that for one source
	rival   float64 // standing of the best other number of sources so far
	hidden  float64 // standing that this number has anyway, by sources that hide beside fewer
	nooks   []hideout
}

// A particle is an explanation with its unnormalised ln posterior density.
type particle struct {
	t  theta
	ln float64
}

// run finds the posterior.
func (a *search) run(ctx context.Context) (cloud, error) {
	out := a.unseen()
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
		numeric.Each(len(ps), func(i int) {
			if i < from {
				lnSum[i] = numeric.LogSumExp(lnSum[i], lnMixture(mix, ps[i].t))
				return
			}
			s := numeric.NewStream(a.seed, uint64(a.k)<<40|uint64(i))
			ps[i] = a.posterior(pick(mix, s).draw(s))
			lnSum[i] = math.Inf(-1)
			for _, m := range mixes {
				lnSum[i] = numeric.LogSumExp(lnSum[i], lnMixture(m, ps[i].t))
			}
		})
		lnw = make([]float64, len(ps))
		for i := range ps {
			if lnw[i] = never; ps[i].ln > never {
				lnw[i] = ps[i].ln - lnSum[i] + math.Log(float64(g+1))
			}
		}
		truncate(lnw)
		out.lnEvidence = numeric.LogSumExp(lnw...) - math.Log(float64(len(ps))) + lnOrders(a.k)
		out.standing = a.standing(out.lnEvidence)
		if g > 0 && a.rival-out.standing > hopeless {
			break
		}
		share := 1 / (1 + math.Exp(a.rival-out.standing)) // of the probability, beside the best so far
		if out.standing < a.hidden {                      // what draws say of this number counts no more
			share = 0
		}
		if effective(lnw, 1) >= max(enough*share, little) || float64(g+1) >= generations*max(share, 1./3) {
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

// laplace is ln of the evidence as the curvature at the summits has it: the mass of the most probable one.
func (a *search) laplace() float64 {
	best := math.Inf(-1)
	for i := range a.summits {
		best = max(best, a.mass(&a.summits[i]))
	}
	return best
}

// mass is ln of the evidence about a summit: near it the posterior is taken as normal, and it has as many mirror images as its sources can be named in orders.
func (a *search) mass(s *summit) float64 {
	ln := s.ln + lnOrders(a.k) - float64(a.k)*a.lnGround() - 0.5*s.root.LogDet()
	for _, v := range s.scale {
		ln += 0.5*math.Log(2*math.Pi) + math.Log(v)
	}
	return ln
}

// lnOrders is ln of in how many orders k sources can be named.
func lnOrders(k int) float64 {
	ln, _ := math.Lgamma(float64(k + 1))
	return ln
}

// lnGround is ln of the ground that one source has, each square metre counted by the share of sources there that would show.
func (a *search) lnGround() float64 { return math.Log(a.d.area * a.d.show) }

// unseen is the posterior as far as its summits tell, without draws.
func (a *search) unseen() cloud {
	s, ln := &a.summits[0], a.laplace() // the highest
	return cloud{k: a.k, lnEvidence: ln, standing: a.standing(ln), best: s.at, bestLn: s.ln - float64(a.k)*a.lnGround(), held: s.held}
}

// standing is ln of the probability of the number of sources, for this evidence, but for a constant. No plume is the one that was flown through, and what one
// does not explain a second explains a little better. So what further sources gain in likelihood is raised to a power β: of a likelihood
// that is near enough to normal in n numbers, whose logarithm is on average n/2 below its top, ln evidence then is lower by 1-β of that average, and
// higher by n/2·(β-1-ln β). Between none and one there is no plume to be mended.
func (a *search) standing(lnEvidence float64) float64 {
	ln := lnEvidence + lnPriorCount[a.k]
	if a.k > 1 {
		const beta = 1 / discrepancy
		likely, told := a.top()
		likely1, told1 := a.one.top()
		ln += (told-told1)/2*(beta-1-math.Log(beta)) - (1-beta)*(likely-likely1)
	}
	return ln
}

// promise is the standing by the curvature at the summits.
func (a *search) promise() float64 { return a.standing(a.laplace()) }

// top is ln of the likelihood on average about the highest summit, and how many numbers the survey tells there.
func (a *search) top() (likely, told float64) {
	s := &a.summits[0]
	told = a.told(s)
	return s.ln - a.sc.lnPrior(s.at) - told/2, told
}

// told is how many numbers a survey tells at a summit: of each the share of its prior's variance that is gone.
func (a *search) told(s *summit) float64 {
	var inv mat.SymDense
	if s.root.InverseTo(&inv) != nil {
		return 0
	}
	told := 0.0
	priors, from := a.sc.sharedPriors(), len(s.at)-shared
	for i := range s.at {
		sd := math.Sqrt(a.d.area / 12) // a place
		switch {
		case i >= from:
			sd = priors[i-from][1]
		case i%perSource == iLnH:
			sd = priorLnH[1]
		case i%perSource == iLnQ:
			sd = priorLnQ[1]
		}
		told += max(1-inv.At(i, i)*s.scale[i]*s.scale[i]/(sd*sd), 0)
	}
	return told
}

// posterior weighs an explanation; outside the domain it has no prior, and where a source does not show. Of the orders in which its sources can be
// named only the one nearest the first summit's counts, so that sources have names and no two draws are one explanation.
func (a *search) posterior(t theta) particle {
	p := particle{t, never}
	if !inOrder(t, a.summits[0].at) {
		return p
	}
	for k := range a.k {
		if src := t.source(k); !a.d.holds(src[iX], src[iY]) {
			return p
		}
	}
	w := a.works.Get().(*work)
	a.summits[0].lead(w, t)
	ln := a.sc.lnPrior(t) - float64(a.k)*a.lnGround() + a.sc.lnLikelihood(w, t, a.lambda)
	if a.sc.allShow(w) && ln > never {
		p.ln = ln
	}
	a.works.Put(w)
	return p
}

// first is the mixture to begin with: each summit in proportion to its mass, and a little of every one, somewhat wider than its curvature says, and some twice that.
func (a *search) first() []component {
	var mix []component
	best := a.laplace()
	for i := range a.summits {
		for _, width := range [...]struct{ wide, share float64 }{{1.15, 0.75}, {2, 0.25}} {
			if c, ok := a.summits[i].component(width.wide, a.summits[0].at); ok {
				c.lnWeight = math.Log(width.share * (math.Exp(a.mass(&a.summits[i])-best) + 0.05))
				mix = append(mix, c)
			}
		}
	}
	total := math.Inf(-1)
	for i := range mix {
		total = numeric.LogSumExp(total, mix[i].lnWeight)
	}
	for i := range mix {
		mix[i].lnWeight -= total
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
	axes     *mat.TriDense // root of the scale matrix of the summit that it began with
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
	from := make([]int, d) // of each parameter in the summit's own order
	for i := range from {
		from[i] = i
	}
	for k, of := range order(s.at, as) {
		for o := range perSource {
			from[k*perSource+o] = of*perSource + o
		}
	}
	at := make(theta, d)
	for i, j := range from {
		at[i] = s.at[j]
	}
	scale := mat.NewSymDense(d, nil)
	for i := range d {
		for j := i; j < d; j++ {
			scale.SetSym(i, j, wide*wide*s.scale[from[i]]*s.scale[from[j]]*inv.At(from[i], from[j]))
		}
	}
	c, ok := newComponent(0, at, scale)
	c.axes = &c.lower
	return c, ok
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

// lnMixture is the density of a draw.
func lnMixture(mix []component, t theta) float64 {
	terms := make([]float64, len(mix))
	for i := range mix {
		terms[i] = mix[i].lnWeight + mix[i].lnDensity(t)
	}
	return numeric.LogSumExp(terms...)
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
		shrink(cov, mix[c].axes, numberOf(weight[c]))
		for j := range floor {
			cov.SetSym(j, j, cov.At(j, j)+floor[j])
		}
		if n, ok := newComponent(math.Log(share), mean, cov); ok {
			n.axes = mix[c].axes
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

// numberOf is the effective number of draws with these weights.
func numberOf(weight []float64) float64 {
	var s, s2 float64
	for _, w := range weight {
		s, s2 = s+w, s2+w*w
	}
	return s * s / s2
}

// shrink takes from a covariance of so many effective draws, in the axes of a summit, the share of what stands off the diagonal there that is mere chance (Schäfer and
// Strimmer 2005, doi:10.2202/1544-6115.1175). A covariance in 19 numbers by a hundred draws is so far off that half of the next draws are wasted.
func shrink(cov *mat.SymDense, axes *mat.TriDense, n float64) {
	var half, own mat.Dense
	if half.Solve(axes, cov) != nil || own.Solve(axes, half.T()) != nil {
		return // axes that are badly conditioned tell nothing
	}
	d := cov.SymmetricDim()
	var off, chance float64
	for i := range d {
		for j := range i {
			off += own.At(i, j) * own.At(i, j)
			chance += own.At(i, i) * own.At(j, j) / n
		}
	}
	if off == 0 {
		return
	}
	keep := 1 - min(chance/off, 1)
	for i := range d {
		for j := range d {
			if i != j {
				own.Set(i, j, keep*own.At(i, j))
			}
		}
	}
	half.Mul(axes, &own)
	own.Mul(&half, axes.T())
	for i := range d {
		for j := i; j < d; j++ {
			cov.SetSym(i, j, (own.At(i, j)+own.At(j, i))/2)
		}
	}
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
