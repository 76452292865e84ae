package source

import (
	"context"
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya/numeric"
	"gonum.org/v1/gonum/mat"
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
	lambda, gain, summits := sc.temper(gr, &d, one, two)
	tick(2)
	var clouds []cloud
	for k := range summits {
		if len(summits[k]) == 0 || k == 2 && gain < pairWorth {
			continue
		}
		a := search{sc: sc, d: &d, summits: summits[k], k: k, lambda: lambda, seed: o.Seed}
		c, err := a.run(ctx)
		if err != nil {
			return nil, err
		}
		clouds = append(clouds, c)
		tick(2 + k)
	}
	return sc.report(in, &d, clouds, lambda, o.Seed), nil
}

// pairWorth is the least gain in tempered ln likelihood for which two sources are weighed in full. A second source costs four
// parameters; by the Bayesian information criterion 2·ln n > 6 even for ten independent samples (Schwarz 1978), and prior odds
// of a half: below this gain its probability stays under 5 %, which is what is then reported, as zero.
const pairWorth = 1.0

// temper climbs from the best hypotheses and takes the effective share of the samples from what the best explanation leaves
// over; then it climbs once more with that share. gain is by how much two sources then beat one, in tempered ln likelihood.
func (sc *scene) temper(g *grid, d *domain, one, two []hypothesis) (lambda, gain float64, summits [3][]summit) {
	w := sc.newWork()
	lambda = sc.effectiveShare(sc.misfit(w, sc.centre()))
	starts := [3][]summit{1: sc.starts(spread(one, d.apart, oneStarts)), 2: sc.starts(spread(two, d.apart, twoStarts))}
	for k := 2; k >= 1; k-- {
		if len(starts[k]) == 0 {
			continue
		}
		if k == 1 && len(summits[2]) > 0 { // each source of the best pair may be all there is
			for j, t := range summits[2][0].at.split() {
				starts[1] = append(starts[1], summit{at: t, scale: cellScales(cellsAt(summits[2][0])[j : j+1])})
			}
		}
		summits[k] = sc.climbAll(starts[k], g.lambda, first)
		summits[k] = sc.climbAll(summits[k][:min(keepSummits, len(summits[k]))], g.lambda, second)
		lambda = max(lambda, sc.effectiveShare(sc.misfit(w, summits[k][0].at)))
	}
	summits[0] = []summit{{at: sc.centre()}}
	for k := range summits {
		if len(summits[k]) > 0 {
			summits[k] = sc.climbAll(summits[k], lambda, last)
		}
	}
	if len(summits[1]) == 0 || len(summits[2]) == 0 {
		return lambda, 0, summits
	}
	return lambda, sc.lnLikelihood(w, summits[2][0].at, lambda) - sc.lnLikelihood(w, summits[1][0].at, lambda), summits
}

// From how many places a climb begins, and how many, the highest, go on to the top.
const oneStarts, twoStarts, keepSummits = 6, 4, 3

// An effort is how far a climb goes: a first one only tells the slopes apart.
type effort struct {
	iterations int
	curved     bool // take the curvature at the top
}

var first, second, last = effort{20, false}, effort{40, false}, effort{30, true}

func (sc *scene) starts(hyp []hypothesis) []summit {
	out := make([]summit, len(hyp))
	for i, h := range hyp {
		out[i] = summit{at: sc.start(h), scale: cellScales(h.cells)}
	}
	return out
}

// climbAll climbs from every start; the highest comes first.
func (sc *scene) climbAll(from []summit, lambda float64, e effort) []summit {
	out := make([]summit, len(from))
	numeric.Each(len(from), func(i int) { out[i] = sc.climb(from[i].at, from[i].scale, lambda, e) })
	slices.SortStableFunc(out, func(a, b summit) int { return int(sign(b.ln - a.ln)) })
	return out
}

// split gives an explanation of two sources as two of one.
func (t theta) split() []theta {
	var out []theta
	for k := range t.sources() {
		out = append(out, slices.Concat(t.source(k), t.shared()))
	}
	return out
}

// cellsAt are cells for the scales of a second climb.
func cellsAt(s summit) []cell {
	var out []cell
	for k := range s.at.sources() {
		p := s.at.source(k)
		out = append(out, cell{p[iX], p[iY], 2 * s.scale[k*perSource]})
	}
	return out
}

// spread picks the n best hypotheses that do not neighbour a better one.
func spread(hyp []hypothesis, apart float64, n int) []hypothesis {
	var out []hypothesis
	for _, h := range hyp {
		near := slices.ContainsFunc(out, func(o hypothesis) bool {
			same := 0
			for k := range h.cells {
				if math.Hypot(o.cells[k].x-h.cells[k].x, o.cells[k].y-h.cells[k].y) < max(apart, 3*(o.cells[k].side+h.cells[k].side)) {
					same++
				}
			}
			return same == len(h.cells)
		})
		if !near {
			out = append(out, h)
		}
		if len(out) == n {
			break
		}
	}
	return out
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

// A summit is a local best explanation with the curvature there, in the scales of climb.
type summit struct {
	at    theta
	ln    float64
	scale []float64
	root  *mat.Cholesky // of the precision in scaled units
}

// cellScales are scales of the places of sources in cells, laid out as in an explanation.
func cellScales(cells []cell) []float64 {
	out := make([]float64, len(cells)*perSource)
	for k, c := range cells {
		out[k*perSource] = c.side / 2
	}
	return out
}

// climb walks uphill from an explanation by BFGS, then takes the curvature by differences. Scales are those of the priors, for places those given.
func (sc *scene) climb(from theta, places []float64, lambda float64, e effort) summit {
	w := sc.newWork()
	d := len(from)
	scale := make([]float64, d)
	for k := range from.sources() {
		copy(scale[k*perSource:], []float64{places[k*perSource], places[k*perSource], priorLnH[1] / 2, 0.5})
	}
	for j, p := range sc.sharedPriors() {
		scale[d-shared+j] = 0.5 * p[1]
	}
	at := func(u []float64) theta {
		t := make(theta, d)
		for i := range u {
			t[i] = from[i] + scale[i]*u[i]
		}
		return t
	}
	f := func(u []float64) float64 {
		t := at(u)
		v := -(sc.lnLikelihood(w, t, lambda) + sc.lnPrior(t))
		if !(math.Abs(v) < 1e12) {
			return 1e12
		}
		return v
	}
	// A step of a thousandth of a scale: far above the jumps of the quadrature, far below the width of any prior.
	const step = 1e-3
	gradient := func(g, u []float64) {
		x, here := slices.Clone(u), f(u)
		for i := range u {
			x[i] = u[i] + step
			g[i] = (f(x) - here) / step
			x[i] = u[i]
		}
	}
	r, _ := optimize.Minimize(optimize.Problem{Func: f, Grad: gradient}, make([]float64, d),
		&optimize.Settings{MajorIterations: e.iterations, FuncEvaluations: 5 * e.iterations, GradientThreshold: 0.02, Converger: &optimize.FunctionConverge{Absolute: 1e-3, Iterations: 5}}, &optimize.BFGS{})
	u := make([]float64, d)
	if r != nil && r.F < 1e12 {
		copy(u, r.X)
	}
	s := summit{at: at(u), ln: -f(u), scale: scale}
	if !e.curved {
		return s
	}
	s.root = curvature(f, u)
	return s
}

// curvature is the Hessian by differences, with eigenvalues of at least a tenth in scaled units (half of the prior's scale), so that a
// flat or bent direction is covered by a wide start.
func curvature(f func(u []float64) float64, u []float64) *mat.Cholesky {
	const step = 0.1 // the value is known to 1e-3, so that the curvature is to 0.1
	d := len(u)
	x := slices.Clone(u)
	here, up := f(u), make([]float64, d)
	for i := range d {
		x[i] = u[i] + step
		up[i] = f(x)
		x[i] = u[i]
	}
	sym := mat.NewSymDense(d, nil)
	for i := range d {
		x[i] = u[i] - step
		sym.SetSym(i, i, (up[i]-2*here+f(x))/(step*step))
		for j := i + 1; j < d; j++ {
			x[i], x[j] = u[i]+step, u[j]+step
			sym.SetSym(i, j, (f(x)-up[i]-up[j]+here)/(step*step))
			x[j] = u[j]
		}
		x[i] = u[i]
	}
	var eig mat.EigenSym
	out := mat.NewSymDense(d, nil)
	if eig.Factorize(sym, true) {
		var v mat.Dense
		eig.VectorsTo(&v)
		for k, e := range eig.Values(nil) {
			e = min(max(math.Abs(e), 0.1), 1e8)
			col := v.ColView(k)
			out.SymRankOne(out, e, col)
		}
	} else {
		for i := range d {
			out.SetSym(i, i, 0.5)
		}
	}
	var c mat.Cholesky
	if !c.Factorize(out) {
		panic("source: a matrix of positive eigenvalues has no root")
	}
	return &c
}
