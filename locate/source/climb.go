package source

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// A summit is a local best explanation with the information there, in the scales of climb.
type summit struct {
	at    theta
	ln    float64
	scale []float64
	root  *mat.Cholesky // of the precision in scaled units
	held
}

// cellScales are scales of the places of sources in cells, laid out as in an explanation.
func cellScales(cells []cell) []float64 {
	out := make([]float64, len(cells)*perSource)
	for k, c := range cells {
		out[k*perSource] = c.side / 2
	}
	return out
}

// A climber walks uphill by Fisher scoring with the damping of Levenberg and Marquardt (Nocedal and Wright 2006, ch. 10): the expected
// information, in which realisations and backgrounds are eliminated, stands for the curvature. Scales are half of the priors', for places those given.
type climber struct {
	sc      *scene
	lambda  float64
	scale   []float64
	w, near *work
	mean    [][]float64 // by parameter and sample, change of what is predicted
	spread  [][]float64 // and of the logarithm of its variance
	m0, v0  []float64
}

// climbStep is that of the differences: a thousandth of a scale, far above the jumps of the quadrature, far below the width of any prior.
const climbStep = 1e-3

func (sc *scene) newClimber(d int, places []float64, lambda float64) *climber {
	c := &climber{sc: sc, lambda: lambda, scale: make([]float64, d), w: sc.newWork(), near: sc.newWork(), m0: make([]float64, len(sc.s)), v0: make([]float64, len(sc.s))}
	for k := 0; k < (d-shared)/perSource; k++ {
		copy(c.scale[k*perSource:], []float64{places[k*perSource], places[k*perSource], priorLnH[1] / 2, 0.5})
	}
	for j, p := range sc.sharedPriors() {
		c.scale[d-shared+j] = 0.5 * p[1]
	}
	for range d {
		c.mean, c.spread = append(c.mean, make([]float64, len(sc.s))), append(c.spread, make([]float64, len(sc.s)))
	}
	return c
}

// An effort is how far a climb goes. In a quiet one the noise stays what the survey's low half says it is: while an explanation is far off, what
// it misses must not be taken for noise, for from there the best explanations are no longer uphill.
type effort struct {
	iterations int
	quiet      bool
	walk       bool // how fast backgrounds drift stays
}

var firstSlopes, theTop, asDrifting = effort{iterations: 12, quiet: true}, effort{iterations: 30}, effort{iterations: 30, walk: true}

// climb walks from an explanation.
func (sc *scene) climb(from theta, have held, places []float64, lambda float64, e effort) summit {
	c := sc.newClimber(len(from), places, lambda)
	if e.quiet {
		c.scale[len(from)-shared+jSig] *= 1e-3
	}
	if e.walk {
		c.scale[len(from)-shared+jDrift] *= 1e-3
	}
	c.w.from(have)
	here := c.value(from)
	have = c.w.held.clone()
	damp := 1e-2
	var info *mat.SymDense
	var slope []float64
	fresh := false
	for range e.iterations {
		if !fresh {
			info, slope = c.slope(from, have)
			fresh = true
		}
		step, gain := c.step(info, slope, damp)
		if gain < 0.01 {
			break
		}
		to := slices.Clone(from)
		for i := range to {
			to[i] += c.scale[i] * step[i]
		}
		c.w.from(have)
		if v := c.value(to); v > here {
			from, here, fresh, have = to, v, false, c.w.held.clone()
			damp = max(damp/4, 1e-6)
			continue
		}
		if damp *= 8; damp > 1e8 {
			break
		}
	}
	if !fresh {
		info, _ = c.slope(from, have)
	}
	s := summit{at: from, ln: here, scale: c.scale, root: new(mat.Cholesky), held: have}
	if !s.root.Factorize(info) {
		panic("source: a matrix of positive eigenvalues has no root")
	}
	return s
}

// value is the ln posterior density but for the domain, completed from what c.w holds.
func (c *climber) value(t theta) float64 {
	v := c.sc.lnLikelihood(c.w, t, c.lambda) + c.sc.lnPrior(t)
	if !(math.Abs(v) < 1e12) {
		return -1e12
	}
	return v
}

// The longest steps, in scales. Cells are far smaller than what a survey tells of places.
const longestStep, longestWay = 2, 20

// step solves for a step in scaled units, and gives the gain that it promises.
func (c *climber) step(info *mat.SymDense, slope []float64, damp float64) (step []float64, gain float64) {
	d := len(slope)
	damped := mat.NewSymDense(d, nil)
	damped.CopySym(info)
	for i := range d {
		damped.SetSym(i, i, info.At(i, i)*(1+damp)+1e-6)
	}
	var root mat.Cholesky
	var x mat.VecDense
	step = make([]float64, d)
	if !root.Factorize(damped) || root.SolveVecTo(&x, mat.NewVecDense(d, slope)) != nil {
		return step, 0
	}
	longest := 0.0
	for i := range d {
		most := float64(longestStep)
		if i < d-shared && i%perSource <= iY {
			most = longestWay
		}
		longest = max(longest, math.Abs(x.AtVec(i))/most)
	}
	cut := 1 / max(longest, 1)
	for i := range d {
		step[i] = cut * x.AtVec(i)
		gain += slope[i] * step[i] * (1 - cut/2)
	}
	return step, gain
}

// slope is the gradient of value in scaled units, with the expected information, at an explanation completed as held.
func (c *climber) slope(t theta, have held) (info *mat.SymDense, slope []float64) {
	sc, d := c.sc, len(t)
	slope, info = make([]float64, d), mat.NewSymDense(d, nil)
	w, x := c.near, slices.Clone(t)
	predict := func(mean, lnVariance []float64) func() {
		return func() {
			for i := range sc.s {
				mean[i], lnVariance[i] = w.brought(i), math.Log(w.variance[i])
			}
		}
	}
	here := sc.lnNear(w, have, x, c.lambda, predict(c.m0, c.v0)) + sc.lnPrior(x)
	for j := range d {
		x[j] = t[j] + climbStep*c.scale[j]
		slope[j] = (sc.lnNear(w, have, x, c.lambda, predict(c.mean[j], c.spread[j])) + sc.lnPrior(x) - here) / climbStep
		x[j] = t[j]
		for i := range sc.s {
			c.mean[j][i] = (c.mean[j][i] - c.m0[i]) / climbStep
			c.spread[j][i] = (c.spread[j][i] - c.v0[i]) / climbStep
		}
	}
	sc.lnNear(w, have, t, c.lambda, func() {}) // columns and variances of t itself
	c.inform(info, t)
	return info, slope
}

// inform fills the expected information of t in scaled units: that of the samples on mean and variance, less what realisations and
// backgrounds take up, and that of the priors. What lasts for the whole record of a sensor, its background and its own realisation,
// is solved for along with t, for it is crossed with what lasts for a minute; then it is eliminated.
func (c *climber) inform(info *mat.SymDense, t theta) {
	sc, d, w := c.sc, len(t), c.near
	m := sc.errorsOf(t.shared(), c.lambda)
	nodes, of := sc.lasting(d)
	all := nodes + sc.nodes
	full := mat.NewSymDense(all, nil)
	rows := make([]sparseRow, len(sc.s))
	for i := range sc.s {
		o, q := &sc.obs[i], sc.expected(w, m, i)
		if q == 0 {
			continue
		}
		r := &rows[i]
		for j := range d {
			r.add(j, c.mean[j][i])
		}
		r.add(d+sc.sensor[i], 1)
		if sc.node[i] >= 0 {
			r.add(nodes+sc.node[i], 1-sc.between[i])
			r.add(nodes+sc.node[i]+1, sc.between[i])
		}
		if at := of[i]; at.index > 0 {
			for k, u := range at.of.lever(w, i) {
				r.add(at.index+k, u)
			}
		}
		r.into(full, q)
		if o.Below {
			continue
		}
		// Of ln variance a Student-t sample tells ν/(2(ν+3)) (Lange, Little and Taylor 1989, appendix B).
		var v sparseRow
		for j := range d {
			v.add(j, c.spread[j][i])
		}
		v.into(full, m.lambda*studentDoF/(2*(studentDoF+3)))
	}
	for _, g := range sc.realisations {
		if !g.whole {
			c.eliminate(full, rows, m, g)
		}
	}
	common, prior, s := d-shared+jBase, 1/(m.tau*m.tau), c.scale[d-shared+jBase]
	for j := range sc.sensors {
		add := func(a, b int, v float64) { full.SetSym(a, b, full.At(a, b)+v) }
		add(d+j, d+j, prior)
		add(common, common, prior*s*s)
		add(common, d+j, -prior*s)
	}
	for j := d + sc.sensors; j < nodes; j++ {
		full.SetSym(j, j, full.At(j, j)+1)
	}
	sc.walks(full, nodes, d-shared+jDrift, c.scale[d-shared+jDrift], m)
	reduce(info, full)
	info.ScaleSym(sc.apart, info)
	c.priors(info, t)
	floor(info)
}

// lasting numbers, after d parameters, the backgrounds of the sensors and the effects of whole records; of gives each sample's.
func (sc *scene) lasting(d int) (all int, of []struct {
	index int
	of    *realisation
}) {
	all = d + sc.sensors
	of = make([]struct {
		index int
		of    *realisation
	}, len(sc.s))
	for k := range sc.realisations {
		if g := &sc.realisations[k]; g.whole {
			for _, i := range g.samples {
				of[i].index, of[i].of = all, g
			}
			all += 3
		}
	}
	return all, of
}

// A sparseRow is what one sample tells apart.
type sparseRow struct {
	at []int
	v  []float64
}

func (r *sparseRow) add(at int, v float64) {
	if v != 0 {
		r.at, r.v = append(r.at, at), append(r.v, v)
	}
}

// into adds q times the square of the row.
func (r *sparseRow) into(info *mat.SymDense, q float64) {
	for a, j := range r.at {
		for b := a; b < len(r.at); b++ {
			info.SetSym(j, r.at[b], info.At(j, r.at[b])+q*r.v[a]*r.v[b])
		}
	}
}

// eliminate takes out of the information what a realisation takes up: bᵀa⁻¹b, with a its own information and b its coupling.
func (c *climber) eliminate(info *mat.SymDense, rows []sparseRow, m errorModel, g realisation) {
	w := c.near
	a, b := [6]float64{0: 1, 3: 1, 5: 1}, map[int]*[3]float64{}
	var order []int
	for _, i := range g.samples {
		if !c.sc.seen(w, i) || len(rows[i].at) == 0 {
			continue
		}
		q, u := c.sc.expected(w, m, i), g.lever(w, i)
		gather(&a, q, u)
		for k, j := range rows[i].at {
			if b[j] == nil {
				b[j] = new([3]float64)
				order = append(order, j)
			}
			for e := range u {
				b[j][e] += q * u[e] * rows[i].v[k]
			}
		}
	}
	for n, j := range order {
		x := solve3(a, *b[j])
		for _, k := range order[n:] {
			y := b[k]
			info.SetSym(j, k, info.At(j, k)-x[0]*y[0]-x[1]*y[1]-x[2]*y[2])
		}
	}
}

// reduce eliminates from full all but its leading part, which is put into info.
func reduce(info, full *mat.SymDense) {
	d, all := info.SymmetricDim(), full.SymmetricDim()
	rest := mat.NewSymDense(all-d, nil)
	cross := mat.NewDense(all-d, d, nil)
	for a := d; a < all; a++ {
		for b := a; b < all; b++ {
			rest.SetSym(a-d, b-d, full.At(a, b))
		}
		for b := range d {
			cross.Set(a-d, b, full.At(a, b))
		}
	}
	var root mat.Cholesky
	var x mat.Dense
	solved := root.Factorize(rest) && root.SolveTo(&x, cross) == nil
	for a := range d {
		for b := a; b < d; b++ {
			v := full.At(a, b)
			if solved {
				v -= mat.Dot(cross.ColView(a), x.ColView(b))
			}
			info.SetSym(a, b, v)
		}
	}
}

// floor lifts the eigenvalues of information to a tenth at least: what a prior alone knows has a quarter. Information that is no
// number, as about an explanation whose concentrations overflow, counts as that of the priors: such a summit is wide and of no weight.
func floor(info *mat.SymDense) {
	var eig mat.EigenSym
	if !finite(info.RawSymmetric().Data...) || !eig.Factorize(info, true) {
		info.Zero()
		for i := range info.SymmetricDim() {
			info.SetSym(i, i, 0.25)
		}
		return
	}
	var v mat.Dense
	eig.VectorsTo(&v)
	info.Zero()
	for k, e := range eig.Values(nil) {
		info.SymRankOne(info, max(e, 0.1), v.ColView(k))
	}
}

// priors adds their precision in scaled units. Of a place the prior is flat.
func (c *climber) priors(info *mat.SymDense, t theta) {
	add := func(i int, p [2]float64) {
		s := c.scale[i] / p[1]
		info.SetSym(i, i, info.At(i, i)+s*s)
	}
	for k := range t.sources() {
		add(k*perSource+iLnH, priorLnH)
		add(k*perSource+iLnQ, priorLnQ)
	}
	for j, p := range c.sc.sharedPriors() {
		add(len(t)-shared+j, p)
	}
}
