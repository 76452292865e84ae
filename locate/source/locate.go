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
	lambda, gain, summits := sc.temper(gr, one, two)
	tick(2)
	var clouds []cloud
	for k, hyp := range [][]hypothesis{{{}}, one, two} {
		if len(hyp) == 0 || k == 2 && gain < pairWorth {
			continue
		}
		a := anneal{sc: sc, d: &d, hyp: hyp, summits: summits[k], k: k, lambda: lambda, seed: o.Seed}
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
func (sc *scene) temper(g *grid, one, two []hypothesis) (lambda, gain float64, summits [3][]summit) {
	w := sc.newWork()
	lambda = sc.effectiveShare(sc.fit(w, sc.centre(), 1))
	best := [3]*summit{}
	for round, l := range []float64{g.lambda, 0} {
		if round == 1 {
			l = lambda
		}
		for k, hyp := range [][]hypothesis{1: one, 2: two} {
			if round == 0 {
				hyp = spread(hyp, 3)
			}
			n := len(hyp)
			if round == 1 {
				n = len(summits[k])
			}
			next := make([]summit, n)
			numeric.Each(n, func(i int) {
				if round == 0 {
					next[i] = sc.climb(sc.start(hyp[i]), hyp[i].cells, l)
				} else {
					next[i] = sc.climb(summits[k][i].at, cellsAt(summits[k][i]), l)
				}
			})
			summits[k] = next
			best[k] = nil
			for i := range next {
				if best[k] == nil || next[i].ln > best[k].ln {
					best[k] = &next[i]
				}
			}
			if best[k] != nil && round == 0 {
				lambda = max(lambda, sc.effectiveShare(sc.fit(w, best[k].at, l)))
			}
		}
	}
	if best[1] == nil || best[2] == nil {
		return lambda, 0, summits
	}
	return lambda, sc.lnLikelihood(w, best[2].at, lambda) - sc.lnLikelihood(w, best[1].at, lambda), summits
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
func spread(hyp []hypothesis, n int) []hypothesis {
	var out []hypothesis
	for _, h := range hyp {
		near := slices.ContainsFunc(out, func(o hypothesis) bool {
			same := 0
			for k := range h.cells {
				if math.Hypot(o.cells[k].x-h.cells[k].x, o.cells[k].y-h.cells[k].y) < 3*(o.cells[k].side+h.cells[k].side) {
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
	upper mat.TriDense  // its factor
}

// climb walks uphill from an explanation by BFGS, then takes the curvature by differences. Scales are those of the priors, for places half a cell.
func (sc *scene) climb(from theta, cells []cell, lambda float64) summit {
	w := sc.newWork()
	d := len(from)
	scale := make([]float64, d)
	for k, c := range cells {
		copy(scale[k*perSource:], []float64{c.side / 2, c.side / 2, priorLnH[1] / 2, 0.5})
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
		x := slices.Clone(u)
		for i := range u {
			x[i] = u[i] + step
			up := f(x)
			x[i] = u[i] - step
			g[i] = (up - f(x)) / (2 * step)
			x[i] = u[i]
		}
	}
	r, _ := optimize.Minimize(optimize.Problem{Func: f, Grad: gradient}, make([]float64, d),
		&optimize.Settings{MajorIterations: 60, FuncEvaluations: 300, GradientThreshold: 0.02, Converger: &optimize.FunctionConverge{Absolute: 1e-3, Iterations: 5}}, &optimize.BFGS{})
	u := make([]float64, d)
	if r != nil && r.F < 1e12 {
		copy(u, r.X)
	}
	s := summit{at: at(u), ln: -f(u), scale: scale}
	s.root = curvature(gradient, u)
	s.root.UTo(&s.upper)
	return s
}

// curvature is the Hessian by differences of the gradient, with eigenvalues of at least one in scaled units (twice the prior's
// scale), so that a flat or bent direction is covered by a wide start.
func curvature(gradient func(g, u []float64), u []float64) *mat.Cholesky {
	const step = 0.02
	d := len(u)
	h := mat.NewDense(d, d, nil)
	x, up, down := slices.Clone(u), make([]float64, d), make([]float64, d)
	for i := range d {
		x[i] = u[i] + step
		gradient(up, x)
		x[i] = u[i] - step
		gradient(down, x)
		x[i] = u[i]
		for j := range d {
			h.Set(i, j, (up[j]-down[j])/(2*step))
		}
	}
	sym := mat.NewSymDense(d, nil)
	for i := range d {
		for j := i; j < d; j++ {
			sym.SetSym(i, j, (h.At(i, j)+h.At(j, i))/2)
		}
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

// widen is by how much the start about a summit is wider than its curvature says.
const widen = 1.5

// lnDensity is that of the start about the summit, and draw one explanation from it.
func (s *summit) lnDensity(t theta) float64 {
	d := len(t)
	x := mat.NewVecDense(d, nil)
	var lnScale float64
	for i := range t {
		x.SetVec(i, (t[i]-s.at[i])/(s.scale[i]*widen))
		lnScale += math.Log(s.scale[i] * widen)
	}
	var y mat.VecDense
	y.MulVec(&s.upper, x)
	return -0.5*mat.Dot(&y, &y) + 0.5*s.root.LogDet() - lnScale - 0.9189385332046727*float64(d)
}

func (s *summit) draw(r *numeric.Stream) theta {
	d := len(s.at)
	z := mat.NewVecDense(d, nil)
	for i := range d {
		z.SetVec(i, r.Normal())
	}
	var x mat.VecDense
	t := append(theta(nil), s.at...)
	if x.SolveVec(&s.upper, z) != nil {
		return t
	}
	for i := range d {
		t[i] += s.scale[i] * widen * x.AtVec(i)
	}
	return t
}
