package source

import (
	"context"
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya/numeric"
)

// Annealed sequential Monte Carlo (Del Moral, Doucet and Jasra 2006, doi:10.1111/j.1467-9868.2006.00553.x): particles begin on
// the hypotheses of the grid and are led to the posterior along geometric bridges. Its normalising constant is the evidence.
const (
	particles    = 320
	sweeps       = 4   // moves of each particle a bridge
	lastSweeps   = 24  // at the posterior; every second one is kept
	keepESS      = 0.6 // share of effective particles that a bridge may leave
	maxBridges   = 60
	uniformShare = 0.1 // of the start that covers the whole domain, so that no place is ruled out by the grid
	rateSpread   = 1.0 // of ln rate about the grid's, at the start
)

// A cloud is the posterior for one number of sources.
type cloud struct {
	k          int
	lnEvidence float64
	draws      []theta // equally likely
	best       theta
	bestLn     float64
	bridges    int
}

type anneal struct {
	sc  *scene
	d   *domain
	hyp []hypothesis
	lnW []float64
	// Half of the particles start about the summits, where there are any, each with its weight.
	summits []summit
	lnTop   []float64
	k       int
	lambda  float64
	seed    uint64
}

// curvedMoves is the share of moves in the shape of a summit (random walk with the curvature's covariance; Roberts, Gelman and
// Gilks 1997, doi:10.1214/aoap/1034625254, for the step).
const curvedMoves = 0.5

// summitShare is the share of the start that the summits have.
const summitShare = 0.5

func (a *anneal) weighSummits() {
	var terms []float64
	for i := range a.summits {
		s := &a.summits[i]
		terms = append(terms, 0.5*(s.ln-0.5*s.root.LogDet())) // their masses, flattened by half
	}
	total := numeric.LogSumExp(terms...)
	a.lnTop = a.lnTop[:0]
	for _, v := range terms {
		a.lnTop = append(a.lnTop, v-total)
	}
}

// lnStart is the density that the particles are drawn from, over all parameters.
func (a *anneal) lnStart(t theta) float64 {
	wide := a.lnGridStart(t) + a.lnShared(t)
	if len(a.summits) == 0 {
		return wide
	}
	terms := []float64{wide + math.Log(1-summitShare)}
	for i := range a.summits {
		terms = append(terms, math.Log(summitShare)+a.lnTop[i]+a.summits[i].lnDensity(t))
	}
	return numeric.LogSumExp(terms...)
}

// lnGridStart is the wide start of places and rates, on the grid's hypotheses.
func (a *anneal) lnGridStart(t theta) float64 {
	flat := math.Log(uniformShare) - float64(a.k)*math.Log(a.d.area)
	for k := range a.k {
		flat += lnNormal(t.source(k)[iLnQ], priorLnQ)
	}
	best, sum := flat, 1.0
	for h := range a.hyp {
		in := true
		for k, c := range a.hyp[h].cells {
			s := t.source(k)
			in = in && c.holds(s[iX], s[iY])
		}
		if !in {
			continue
		}
		v := a.lnW[h]
		for k := range a.hyp[h].cells {
			v += lnNormal(t.source(k)[iLnQ], [2]float64{a.hyp[h].lnRate[k], rateSpread})
		}
		if v > best {
			sum, best = sum*math.Exp(best-v)+1, v
		} else {
			sum += math.Exp(v - best)
		}
	}
	return best + math.Log(sum)
}

// lnShared is the density of what both ends of the bridge agree on; lnRest the prior of places and rates.
func (a *anneal) lnShared(t theta) float64 {
	p := a.sc.lnPrior(t)
	for k := range a.k {
		p -= lnNormal(t.source(k)[iLnQ], priorLnQ)
	}
	return p
}

func (a *anneal) lnRest(t theta) float64 {
	p := -float64(a.k) * math.Log(a.d.area)
	for k := range a.k {
		p += lnNormal(t.source(k)[iLnQ], priorLnQ)
	}
	return p
}

type particle struct {
	t             theta
	start, target float64 // ln densities at both ends of the bridges
}

func (a *anneal) value(w *work, t theta) particle {
	p := particle{t: t, start: a.lnStart(t)}
	for k := range a.k {
		if src := t.source(k); !a.d.holds(src[iX], src[iY]) {
			p.target = -1e6 // outside the domain: no prior
			return p
		}
	}
	p.target = a.lnShared(t) + a.lnRest(t) + a.sc.lnLikelihood(w, t, a.lambda)
	return p
}

func (a *anneal) draw(s *numeric.Stream) theta {
	if len(a.summits) > 0 && s.Float64() < summitShare {
		u := s.Float64()
		for i := range a.summits {
			if u -= math.Exp(a.lnTop[i]); u <= 0 || i == len(a.summits)-1 {
				return a.summits[i].draw(s)
			}
		}
	}
	t := make(theta, dimension(a.k))
	h := -1
	if s.Float64() >= uniformShare && len(a.hyp) > 0 {
		u := s.Float64()
		for i := range a.hyp {
			area := 0.0
			for _, c := range a.hyp[i].cells {
				area += math.Log(c.area())
			}
			u -= math.Exp(a.lnW[i]+area) / (1 - uniformShare)
			if u <= 0 || i == len(a.hyp)-1 {
				h = i
				break
			}
		}
	}
	for k := range a.k {
		src := t.source(k)
		if h >= 0 {
			c := a.hyp[h].cells[k]
			src[iX], src[iY] = c.x+c.side*(s.Float64()-0.5), c.y+c.side*(s.Float64()-0.5)
			src[iLnQ] = a.hyp[h].lnRate[k] + rateSpread*s.Normal()
		} else {
			u := s.Float64() * a.d.area
			for i, c := range a.d.cells {
				u -= c.area()
				if u <= 0 || i == len(a.d.cells)-1 {
					src[iX], src[iY] = c.x+c.side*(s.Float64()-0.5), c.y+c.side*(s.Float64()-0.5)
					break
				}
			}
			src[iLnQ] = priorLnQ[0] + priorLnQ[1]*s.Normal()
		}
		src[iLnH] = priorLnH[0] + priorLnH[1]*s.Normal()
	}
	for j, p := range a.sc.sharedPriors() {
		t.shared()[j] = p[0] + p[1]*s.Normal()
	}
	return t
}

// run leads the particles to the posterior. starts are further explanations worth a particle, found by climbing.
func (a *anneal) run(ctx context.Context) (cloud, error) {
	a.lnW = make([]float64, len(a.hyp))
	var mass []float64
	for _, h := range a.hyp {
		mass = append(mass, h.ln)
	}
	total := numeric.LogSumExp(mass...)
	for i, h := range a.hyp {
		a.lnW[i] = math.Log(1-uniformShare) + h.ln - total
		for _, c := range h.cells {
			a.lnW[i] -= math.Log(c.area())
		}
	}
	a.weighSummits()
	out := cloud{k: a.k, bestLn: math.Inf(-1)}
	ps := make([]particle, particles)
	numeric.Each(particles, func(i int) {
		ps[i] = a.value(a.sc.newWork(), a.draw(a.stream(0, i)))
	})
	for beta, stage := 0.0, 1; beta < 1; stage++ {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		next := a.nextBridge(ps, beta)
		if stage >= maxBridges {
			next = 1
		}
		out.bridges = stage
		lnw := make([]float64, len(ps))
		for i, p := range ps {
			lnw[i] = (next - beta) * (p.target - p.start)
		}
		sum := numeric.LogSumExp(lnw...)
		out.lnEvidence += sum - math.Log(float64(len(ps)))
		ps = resample(ps, lnw, sum, a.stream(stage, 1<<18))
		beta = next
		ps, _ = a.sweep(ps, stage, sweeps, beta)
	}
	ps, out.draws = a.settle(ctx, ps)
	for k := 2; k <= a.k; k++ {
		out.lnEvidence += math.Log(float64(k)) // the start covers one of the k! orders of the sources
	}
	for _, p := range ps {
		if v := p.target; v > out.bestLn {
			out.best, out.bestLn = p.t, v
		}
	}
	return out, nil
}

func (a *anneal) stream(stage, i int) *numeric.Stream {
	return numeric.NewStream(a.seed, uint64(a.k)<<40|uint64(stage)<<20|uint64(i))
}

// sweep moves every particle n times at one temperature; every second place of each is a draw.
func (a *anneal) sweep(ps []particle, stage, n int, beta float64) (moved []particle, draws []theta) {
	spread := spreads(ps)
	moved = make([]particle, len(ps))
	kept := make([][]theta, len(ps))
	numeric.Each(len(ps), func(i int) {
		w, s := a.sc.newWork(), a.stream(stage, i)
		p := ps[i]
		for k := range n {
			p = a.move(w, s, ps, spread, p, beta)
			if k%2 == 1 {
				kept[i] = append(kept[i], p.t)
			}
		}
		moved[i] = p
	})
	return moved, slices.Concat(kept...)
}

// settle moves the particles at the posterior, block after block, until a block no longer widens or shifts them: bridges leave
// too few of them, too near to each other, where the posterior is thin and bent. The draws are those of the last two blocks.
func (a *anneal) settle(ctx context.Context, ps []particle) ([]particle, []theta) {
	cost := 0
	for i := range a.sc.s {
		cost++
		if a.sc.s[i].IsPath {
			cost += 9
		}
	}
	most := min(max(settleBudget/(cost*particles*lastSweeps), 2), maxBlocks)
	var before, last []theta
	was := spreads(ps)
	for block := range most {
		if ctx.Err() != nil {
			break
		}
		before = last
		ps, last = a.sweep(ps, maxBridges+1+block, lastSweeps, 1)
		now := spreads(ps)
		if block > 0 && steady(was, now, a.k) {
			break
		}
		was = now
	}
	return ps, slices.Concat(before, last)
}

const (
	maxBlocks    = 60
	settleBudget = 8_000_000 // samples seen while settling, at most: some seconds
)

// steady reports whether the spread of no place changed by more than an eighth: for 320 particles a standard deviation is known to
// 1/√640 = 4 %, so that three times that is no change.
func steady(was, now []float64, sources int) bool {
	for k := range sources {
		for _, j := range []int{k*perSource + iX, k*perSource + iY} {
			if math.Abs(math.Log(now[j]/was[j])) > 0.125 {
				return false
			}
		}
	}
	return true
}

// nextBridge is the farthest temperature that leaves keepESS of the particles effective.
func (a *anneal) nextBridge(ps []particle, beta float64) float64 {
	share := func(d float64) float64 {
		m := math.Inf(-1)
		for _, p := range ps {
			m = max(m, d*(p.target-p.start))
		}
		var s, s2 float64
		for _, p := range ps {
			v := math.Exp(d*(p.target-p.start) - m)
			s, s2 = s+v, s2+v*v
		}
		return s * s / s2 / float64(len(ps))
	}
	if share(1-beta) >= keepESS {
		return 1
	}
	lo, hi := 0.0, 1-beta
	for range 40 {
		mid := (lo + hi) / 2
		if share(mid) >= keepESS {
			lo = mid
		} else {
			hi = mid
		}
	}
	return beta + max(lo, 1e-6)
}

// resample draws systematically (Kitagawa 1996, doi:10.1080/10618600.1996.10474692).
func resample(ps []particle, lnw []float64, sum float64, s *numeric.Stream) []particle {
	out := make([]particle, 0, len(ps))
	u, acc := s.Float64(), 0.0
	n := float64(len(ps))
	for i := range ps {
		acc += n * math.Exp(lnw[i]-sum)
		for u < acc && len(out) < len(ps) {
			out = append(out, ps[i])
			u++
		}
	}
	for len(out) < len(ps) { // rounding of the last weight
		out = append(out, ps[len(ps)-1])
	}
	return out
}

func spreads(ps []particle) []float64 {
	d := len(ps[0].t)
	sd := make([]float64, d)
	for j := range d {
		var m, v float64
		for _, p := range ps {
			m += p.t[j] / float64(len(ps))
		}
		for _, p := range ps {
			v += (p.t[j] - m) * (p.t[j] - m) / float64(len(ps))
		}
		sd[j] = math.Sqrt(v)
	}
	return sd
}

// move is one step of differential evolution Metropolis (ter Braak 2006, doi:10.1007/s11222-006-8769-1) on a random part of the
// parameters: differences of other particles carry the shape of the posterior, and full differences jump between modes.
func (a *anneal) move(w *work, s *numeric.Stream, all []particle, sd []float64, p particle, beta float64) particle {
	d := len(p.t)
	if n := len(a.summits); n > 0 && s.Float64() < curvedMoves {
		// A step in the shape of a summit keeps its width when the particles have lost theirs.
		top := &a.summits[s.IntN(n)]
		step := 2.38 / math.Sqrt(float64(d)) * math.Exp(0.7*s.Normal())
		to, t := top.draw(s), append(theta(nil), p.t...)
		for j := range t {
			t[j] += step * (to[j] - top.at[j])
		}
		return a.decide(w, s, p, t, beta)
	}
	x, y := all[s.IntN(len(all))].t, all[s.IntN(len(all))].t
	part := 1.0
	if s.Float64() < 0.6 {
		part = 0.4
	}
	in := make([]bool, d)
	n := 0
	for j := range d {
		if s.Float64() < part {
			in[j] = true
			n++
		}
	}
	if n == 0 {
		return p
	}
	gamma := 2.38 / math.Sqrt(2*float64(n))
	switch u := s.Float64(); {
	case u < 0.1:
		gamma = 1
	case u < 0.45:
		gamma *= 0.35
	}
	t := append(theta(nil), p.t...)
	for j := range d {
		if in[j] {
			t[j] += gamma*(x[j]-y[j]) + 0.02*sd[j]*s.Normal()
		}
	}
	return a.decide(w, s, p, t, beta)
}

// decide accepts a symmetric proposal by Metropolis' rule.
func (a *anneal) decide(w *work, s *numeric.Stream, p particle, t theta, beta float64) particle {
	for k := range a.k {
		src := t.source(k)
		if !a.d.holds(src[iX], src[iY]) {
			return p
		}
	}
	q := a.value(w, t)
	lnA := (1-beta)*(q.start-p.start) + beta*(q.target-p.target)
	if math.Log(s.Float64()) < lnA {
		return q
	}
	return p
}
