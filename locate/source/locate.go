package source

import (
	"context"
	"math"

	"github.com/atalaya-isr/atalaya/numeric"
	"gonum.org/v1/gonum/optimize"
)

// Options steer a search. The zero value works.
type Options struct {
	Seed uint64
	// Progress is told how many of how many pieces of work are done.
	Progress func(done, total int)
}

// lnPriorCount is the prior of zero, one and two sources: a half, a third, a sixth. No survey is flown without a reason, and most find nothing.
var lnPriorCount = [3]float64{math.Log(1. / 2), math.Log(1. / 3), math.Log(1. / 6)}

// Locate finds the sources of every group, each by itself. The same input and seed give the same result on any number of cores.
func Locate(ctx context.Context, in Input, o Options) (*Result, error) {
	res := &Result{Schema: Schema, Groups: []Group{}}
	if len(in.Groups) == 0 {
		return nil, inputError("", "no samples", "Give a survey with at least five samples")
	}
	const steps = 5
	for n, g := range in.Groups {
		tick := func(step int) {
			if o.Progress != nil {
				o.Progress(n*steps+step, len(in.Groups)*steps)
			}
		}
		out, err := locate(ctx, in, g, o, tick)
		if err != nil {
			return nil, err
		}
		res.Groups = append(res.Groups, *out)
		tick(steps)
	}
	return res, nil
}

func locate(ctx context.Context, in Input, g Survey, o Options, tick func(int)) (*Group, error) {
	sc, err := prepare(g)
	if err != nil {
		return nil, err
	}
	d := newDomain(sc)
	if len(d.cells) == 0 {
		return nil, inputError(g.Group, "no ground lies upwind of the samples: the wind is calm throughout", "Give the wind; below 1 m/s a source cannot be located")
	}
	gr := newGrid(sc)
	all := gr.refine(&d, nil)
	one, two := singles(all), gr.pairs(&d, all)
	tick(1)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	lambda, gain := sc.temper(gr, one, two)
	tick(2)
	clouds := []cloud{{lnEvidence: sc.lnNone(lambda)}}
	for k, hyp := range [][]hypothesis{one, two} {
		if len(hyp) == 0 || k == 1 && gain < pairWorth {
			continue
		}
		a := anneal{sc: sc, d: &d, hyp: hyp, k: k + 1, lambda: lambda, seed: o.Seed}
		c, err := a.run(ctx)
		if err != nil {
			return nil, err
		}
		clouds = append(clouds, c)
		tick(3 + k)
	}
	return sc.report(in, &d, clouds, lambda, o.Seed), nil
}

// pairWorth is the least gain in tempered ln likelihood for which two sources are weighed in full. A second source costs four
// parameters; by the Bayesian information criterion 2·ln n > 6 even for ten independent samples (Schwarz 1978), and prior odds
// of a half: below this gain its probability stays under 5 %, which is what is then reported, as zero.
const pairWorth = 1.0

// lnNone is the evidence of no source: background alone, the noise integrated over its prior.
func (sc *scene) lnNone(lambda float64) float64 {
	w := sc.newWork()
	w.clear()
	var terms []float64
	const n = 61
	p := sc.sharedPriors()[jSig]
	step := 12 * p[1] / (n - 1)
	t := make(theta, shared)
	for i := range n {
		t[jSig] = p[0] + step*(float64(i)-(n-1)/2)
		terms = append(terms, sc.lnGiven(w, t, lambda, nil)+lnNormal(t[jSig], p)+math.Log(step))
	}
	return numeric.LogSumExp(terms...)
}

// temper climbs from the best hypotheses and takes the effective share of the samples from what the best explanation leaves over.
// gain is by how much two sources then beat one, in tempered ln likelihood.
func (sc *scene) temper(g *grid, one, two []hypothesis) (lambda, gain float64) {
	best := func(hyp []hypothesis, lambda float64) (theta, float64) {
		n := min(3, len(hyp))
		ts, ls := make([]theta, n), make([]float64, n)
		numeric.Each(n, func(i int) { ts[i], ls[i] = sc.climb(sc.start(hyp[i*i]), hyp[i*i].cells, lambda) }) // the first, second and fifth
		var t theta
		l := math.Inf(-1)
		for i := range ts {
			if ls[i] > l {
				t, l = ts[i], ls[i]
			}
		}
		return t, l
	}
	w := sc.newWork()
	none := make(theta, shared)
	copy(none, sc.centre())
	lambda = sc.effectiveShare(sc.fit(w, none, 1))
	var ts [2]theta
	for k, hyp := range [][]hypothesis{one, two} {
		if len(hyp) > 4 {
			ts[k], _ = best(hyp, g.lambda)
			lambda = max(lambda, sc.effectiveShare(sc.fit(w, ts[k], g.lambda)))
		}
	}
	if ts[0] == nil || ts[1] == nil {
		return lambda, 0
	}
	return lambda, sc.lnLikelihood(w, ts[1], lambda) - sc.lnLikelihood(w, ts[0], lambda)
}

func (sc *scene) centre() theta {
	t := make(theta, shared)
	for j, p := range sc.sharedPriors() {
		t[j] = p[0]
	}
	return t
}

func (sc *scene) start(h hypothesis) theta {
	var t theta
	for k, c := range h.cells {
		t = append(t, c.x, c.y, priorLnH[0], h.lnRate[k])
	}
	t = append(t, sc.centre()...)
	t.shared()[jBias] = h.bias
	return t
}

// climb walks uphill by the simplex method from an explanation.
func (sc *scene) climb(from theta, cells []cell, lambda float64) (theta, float64) {
	w := sc.newWork()
	scale := make([]float64, len(from))
	for k, c := range cells {
		copy(scale[k*perSource:], []float64{c.side / 2, c.side / 2, 0.4, 0.4})
	}
	for j, p := range sc.sharedPriors() {
		scale[from.sources()*perSource+j] = 0.4 * p[1]
	}
	at := func(u []float64) theta {
		t := make(theta, len(u))
		for i := range u {
			t[i] = from[i] + scale[i]*u[i]
		}
		return t
	}
	problem := optimize.Problem{Func: func(u []float64) float64 {
		t := at(u)
		v := -(sc.lnLikelihood(w, t, lambda) + sc.lnPrior(t))
		if math.IsNaN(v) {
			return math.Inf(1)
		}
		return v
	}}
	r, _ := optimize.Minimize(problem, make([]float64, len(from)), &optimize.Settings{FuncEvaluations: 60 * len(from), Concurrent: 0}, &optimize.NelderMead{})
	if r == nil {
		return from, -problem.Func(make([]float64, len(from)))
	}
	return at(r.X), -r.F
}
