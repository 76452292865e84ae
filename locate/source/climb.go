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
	leads []held // by how much what is held changes with each parameter
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

// theTopWithin is the gain in ln of the density below which a climb is at its end: what is drawn about a summit bears that.
const theTopWithin = 0.05

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
	damp, harder := 1e-2, 2.0
	var info *mat.SymDense
	var slope []float64
	fresh := false
	for range e.iterations {
		if !fresh {
			info, slope = c.slope(from, have)
			fresh = true
		}
		step, gain := c.step(info, slope, damp)
		if gain < theTopWithin {
			break
		}
		to := slices.Clone(from)
		for i := range to {
			to[i] += c.scale[i] * step[i]
		}
		c.w.from(have)
		if v := c.value(to); v > here { // Nielsen 1999, Damping parameter in Marquardt's method, eq. 2.5
			damp = max(damp*max(1./3, 1-math.Pow(2*(v-here)/gain-1, 3)), 1e-6)
			from, here, fresh, have, harder = to, v, false, c.w.held.clone(), 2
			continue
		}
		damp, harder = damp*harder, 2*harder
		if damp > 1e8 {
			break
		}
	}
	if !fresh {
		info, _ = c.slope(from, have)
	}
	s := summit{at: from, ln: here, scale: c.scale, root: new(mat.Cholesky), held: have}
	if e == theTop {
		s.leads = c.secants(info, from, here, have)
	}
	if !s.root.Factorize(info) {
		panic("source: a matrix of positive eigenvalues has no root")
	}
	return s
}

const steepest = 100

// secants raises the information along each parameter to what the fall of the posterior over a conditional deviation either way tells, where that is more: a noise far
// below what matters has no curvature, and yet cannot be much larger. Beyond steepest it is an edge. What effects and backgrounds do on that way leads to those of
// explanations nearby.
func (c *climber) secants(info *mat.SymDense, t theta, here float64, have held) (leads []held) {
	x := slices.Clone(t)
	for j := range x {
		sd, fall := 1/math.Sqrt(info.At(j, j)), 0.0
		lead := have.clone()
		for _, way := range [2]float64{-1, 1} {
			x[j] = t[j] + way*sd*c.scale[j]
			c.w.from(have)
			fall += max(here-c.value(x), 0)
			lead.toward(&c.w.held, way, 2*sd*c.scale[j])
		}
		leads = append(leads, lead)
		x[j] = t[j]
		if fall > 1 { // that of a normal law
			info.SetSym(j, j, info.At(j, j)*min(fall, steepest))
		}
	}
	return leads
}

// toward makes of the first of two ways what it comes to, and of the second the difference, by the way between them.
func (h *held) toward(to *held, way, between float64) {
	if way < 0 {
		*h = to.clone()
		return
	}
	for k := range h.effect {
		for j := range h.effect[k].of {
			h.effect[k].of[j] = (to.effect[k].of[j] - h.effect[k].of[j]) / between
		}
	}
	for k := range h.base {
		h.base[k] = (to.base[k] - h.base[k]) / between
	}
	for k := range h.drift {
		h.drift[k] = (to.drift[k] - h.drift[k]) / between
	}
}

// farthestLead is how far an effect is led at most, in deviations of its prior.
const farthestLead = 1.5

// lead puts into w what the effects and backgrounds at the summit come to at an explanation near it, to first order.
func (s *summit) lead(w *work, t theta) {
	w.from(s.held)
	for j, lead := range s.leads {
		by := t[j] - s.at[j]
		for k := range lead.effect {
			for o, v := range lead.effect[k].of {
				w.effect[k].of[o] += by * v
			}
		}
		for k, v := range lead.base {
			w.base[k] += by * v
		}
		for k, v := range lead.drift {
			w.drift[k] += by * v
		}
	}
	for k := range w.effect {
		for o, v := range s.effect[k].of {
			w.effect[k].of[o] = max(min(w.effect[k].of[o], v+farthestLead), v-farthestLead)
		}
	}
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
	predict := func(mean, variance []float64) func() {
		return func() {
			for i := range sc.s {
				mean[i], variance[i] = w.brought(i), w.variance[i]
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
			c.spread[j][i] = 2 * (c.spread[j][i] - c.v0[i]) / (c.spread[j][i] + c.v0[i]) / climbStep // of the logarithm, to second order
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
	c.tell(info, t)
	floor(info)
}

// tell is inform of however many columns c has: after those of t there may be others, of which nothing is known beforehand.
func (c *climber) tell(info *mat.SymDense, t theta) {
	sc, d, w := c.sc, len(c.mean), c.near
	m := sc.errorsOf(t.shared(), c.lambda)
	nodes, of := sc.lasting(d)
	all := nodes + sc.nodes
	full := mat.NewSymDense(all, nil)
	rows := make([]row, len(sc.s))
	for i := range sc.s {
		q := sc.expected(w, m, i)
		if q == 0 {
			continue
		}
		r := &rows[i]
		r.q, r.seen = q, sc.seen(w, i)
		for j := len(t); j < d && !r.seen; j++ {
			r.seen = c.mean[j][i] != 0
		}
		r.add(d+sc.sensor[i], 1)
		if at := of[i]; at.index > 0 && r.seen {
			for k, u := range at.of.lever(w, i) {
				r.add(at.index+k, u)
			}
		}
		if sc.node[i] >= 0 {
			r.add(nodes+sc.node[i], 1-sc.between[i])
			r.add(nodes+sc.node[i]+1, sc.between[i])
		}
		c.gather(full, r, i, d)
	}
	var e eliminator
	e.begin(all)
	varied := make([]bool, len(sc.s))
	for k := range sc.realisations {
		if g := &sc.realisations[k]; !g.whole {
			c.eliminate(full, &e, rows, m, g, d)
			for _, i := range g.samples {
				varied[i] = !g.linear
			}
		}
	}
	for i := range sc.s { // linear effects leave variances as they are
		if rows[i].seen && !varied[i] && !sc.obs[i].Below {
			for j := range d {
				e.row[j] = c.spread[j][i]
			}
			addSquare(full, tellsOfVariance*m.lambda, e.row[:d], nil)
		}
	}
	for _, g := range sc.records {
		own, other := m.sensors(len(g.sensors))
		for a, i := range g.sensors {
			full.SetSym(d+i, d+i, full.At(d+i, d+i)+own)
			for _, j := range g.sensors[:a] {
				full.SetSym(d+i, d+j, full.At(d+i, d+j)+other)
			}
		}
	}
	for j := d + sc.sensors; j < nodes; j++ {
		full.SetSym(j, j, full.At(j, j)+1)
	}
	drift := len(t) - shared + jDrift
	sc.walks(full, nodes, drift, c.scale[drift], m)
	reduce(info, full)
	info.ScaleSym(sc.apart, info)
	c.priors(info, t)
}

// tellsOfVariance is what a Student-t sample tells of the logarithm of its variance: ν/(2(ν+3)) (Lange, Little and Taylor 1989, appendix B).
const tellsOfVariance = 4.0 / (2 * (4 + 3))

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

// A row is what one sample tells apart beside the parameters: its sensor's background, its whole record, the nodes on either side.
type row struct {
	q    float64 // its weight; 0 where it says nothing
	seen bool    // a plume of any column reaches it
	n    int
	at   [6]int
	v    [6]float64
}

func (r *row) add(at int, v float64) {
	if v != 0 {
		r.at[r.n], r.v[r.n] = at, v
		r.n++
	}
}

// gather adds the square of what sample i tells to full.
func (c *climber) gather(full *mat.SymDense, r *row, i, d int) {
	raw := full.RawSymmetric()
	if r.seen {
		for j := range d {
			u := r.q * c.mean[j][i]
			if u == 0 {
				continue
			}
			to := raw.Data[j*raw.Stride:]
			for k := j; k < d; k++ {
				to[k] += u * c.mean[k][i]
			}
			for k := range r.n {
				to[r.at[k]] += u * r.v[k]
			}
		}
	}
	for a := range r.n {
		to := raw.Data[r.at[a]*raw.Stride:]
		for b := a; b < r.n; b++ { // in rising order
			to[r.at[b]] += r.q * r.v[a] * r.v[b]
		}
	}
}

// addSquare adds q times the square of v, whose places are at, or the leading ones.
func addSquare(full *mat.SymDense, q float64, v []float64, at []int) {
	raw := full.RawSymmetric()
	for a := range v {
		u := q * v[a]
		if u == 0 {
			continue
		}
		if at == nil {
			to := raw.Data[a*raw.Stride:]
			for b := a; b < len(v); b++ {
				to[b] += u * v[b]
			}
			continue
		}
		to := raw.Data[at[a]*raw.Stride:]
		for b := a; b < len(v); b++ {
			to[at[b]] += u * v[b]
		}
	}
}

// An eliminator is scratch: how the effects of a realisation hang together with everything else, and what they answer to it.
type eliminator struct {
	border, answer [][3]float64
	touched        []int
	in             []bool
	row            []float64
}

func (e *eliminator) begin(n int) {
	e.border, e.answer, e.in, e.row = make([][3]float64, n), make([][3]float64, n), make([]bool, n), make([]float64, n)
}

// eliminate takes out of the information what a realisation takes up, bᵀa⁻¹b with a its own information and b its coupling, and adds what the samples' variances
// tell with its effects following: those of a plume that is turned back are turned back too.
func (c *climber) eliminate(full *mat.SymDense, e *eliminator, rows []row, m errorModel, g *realisation, d int) {
	w := c.near
	a, any := [6]float64{0: 1, 3: 1, 5: 1}, false
	e.touched = e.touched[:0]
	touch := func(j int, q float64, u [3]float64) {
		if !e.in[j] {
			e.in[j] = true
			e.touched = append(e.touched, j)
			e.border[j] = [3]float64{}
		}
		b := &e.border[j]
		b[0], b[1], b[2] = b[0]+q*u[0], b[1]+q*u[1], b[2]+q*u[2]
	}
	for _, i := range g.samples {
		r := &rows[i]
		if !r.seen {
			continue
		}
		any = true
		u := g.lever(w, i)
		gather(&a, r.q, u)
		for j := range d {
			touch(j, r.q*c.mean[j][i], u)
		}
		for k := range r.n {
			touch(r.at[k], r.q*r.v[k], u)
		}
	}
	if !any {
		return
	}
	slices.Sort(e.touched)
	raw := full.RawSymmetric()
	for n, j := range e.touched {
		e.in[j] = false
		x := solve3(a, e.border[j])
		e.answer[j] = x
		to := raw.Data[j*raw.Stride:]
		for _, k := range e.touched[n:] {
			y := &e.border[k]
			to[k] -= x[0]*y[0] + x[1]*y[1] + x[2]*y[2]
		}
	}
	if g.linear {
		return
	}
	for _, i := range g.samples {
		if !rows[i].seen || c.sc.obs[i].Below {
			continue
		}
		s := g.varies(w, m, i)
		for n, j := range e.touched {
			x, v := &e.answer[j], 0.0
			if j < d {
				v = c.spread[j][i]
			}
			e.row[n] = v - s[0]*x[0] - s[1]*x[1] - s[2]*x[2]
		}
		addSquare(full, tellsOfVariance*m.lambda, e.row[:len(e.touched)], e.touched)
	}
}

// varies is by how much a unit of each effect changes the logarithm of the variance of sample i: reach goes with the root of the plume's shape across, and with its
// peak. Where several plumes meet it is that of their sum.
func (g *realisation) varies(w *work, m errorModel, i int) [3]float64 {
	if w.at[i].C <= 0 {
		return [3]float64{}
	}
	share := 2 * m.flu2 * w.at[i].Reach * w.at[i].Reach / w.variance[i]
	return [3]float64{share * g.sd.gain, share * g.sd.turn * 0.5 * w.at[i].Turn / w.at[i].C, share * g.sd.widen * 0.5 * (w.at[i].Widen/w.at[i].C - 1)}
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
