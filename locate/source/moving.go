package source

import "math"

// Of a sensor that moves, the effects of its crossings and its backgrounds are sought together, by Gauss-Newton steps with reweighting: crossings are eliminated
// one by one, each couples with the nodes about it and with the sensor's background, then nodes, then that background. In turn they crept: what a crossing
// leaves to the background was taken back from it by a quarter in a round.

// seekMoving improves them all. Once the backgrounds are calm, crossings that still move are sought each by itself; all are looked at together again where one moved
// by more than aside, so that backgrounds would follow.
func (sc *scene) seekMoving(w *work, m errorModel, d int) {
	for range maxRounds {
		moved, by := sc.roundMoving(w, m, d, steady/8)
		if by >= calm*sc.noise {
			continue
		}
		if moved < steady {
			break
		}
		for _, k := range sc.records[d].parts {
			if w.effect[k].moved >= steady {
				sc.seekCrossing(w, m, k)
			}
		}
		if moved < aside {
			break
		}
	}
}

// aside is by how much an effect may move, in deviations of its prior, without backgrounds that are calm.
const aside = 0.25

// seekCrossing improves the effects of realisation k alone.
func (sc *scene) seekCrossing(w *work, m errorModel, k int) {
	r, e := &sc.realisations[k], &w.effect[k]
	for range maxRounds {
		c, b := [6]float64{0: 1, 3: 1, 5: 1}, [3]float64{-e.of[0], -e.of[1], -e.of[2]}
		for _, i := range w.met[k] {
			if !sc.seen(w, i) {
				continue
			}
			q, d := sc.pull(w, m, i)
			u := r.unit(w, i)
			gather(&c, q, u)
			q *= d
			b[0], b[1], b[2] = b[0]+q*u[0], b[1]+q*u[1], b[2]+q*u[2]
		}
		if sc.step(w, m, k, solve3(c, b)); e.moved < steady {
			return
		}
	}
}

// step moves the effects of realisation k, by a deviation at most: beyond it the plume is no longer near its tangent.
func (sc *scene) step(w *work, m errorModel, k int, by [3]float64) {
	e := &w.effect[k]
	e.moved = 0
	x := e.hasten(by)
	for j := range x {
		e.moved = max(e.moved, math.Abs(x[j]))
		x[j] = e.of[j] + max(min(x[j], 1), -1)
	}
	sc.bring(w, k, x, e.of)
	e.of = x
	for _, i := range w.met[k] {
		w.variance[i] = sc.variance(w, m, i)
	}
}

// roundMoving is one step, and gives the farthest that an effect and a background moved. Effects that would move by less than least, of their priors' deviations,
// stay.
func (sc *scene) roundMoving(w *work, m errorModel, d int, least float64) (moved, by float64) {
	g, a := &sc.records[d], w.chain(sc, d)
	a.begin(g, m, &w.held)
	for n, k := range g.parts {
		sc.takeCrossing(w, m, a, g, n, k)
	}
	a.solve()
	for n, k := range g.parts {
		e := &w.effect[k]
		e.moved = 0
		if !a.crossings[n].seen {
			continue
		}
		if by := a.follow(n); max(math.Abs(by[0]), math.Abs(by[1]), math.Abs(by[2])) >= least {
			sc.step(w, m, k, by)
		}
		moved = max(moved, e.moved)
	}
	w.base[g.sensors[0]] += a.border
	for k, v := range a.nodes {
		w.drift[g.first+k] += v
	}
	return moved, sc.lay(w, g)
}

// lnMoving is ln of the determinant of what is known of the backgrounds of a sensor that moves, by the expected weights.
func (sc *scene) lnMoving(w *work, m errorModel, d int) float64 {
	g, a := &sc.records[d], w.normal(sc, d)
	a.begin(g, m)
	usual, k, of := m.lambda*(studentDoF+1)/(studentDoF+3), 0, stretch{}
	for _, i := range g.samples {
		if at := sc.node[i] - g.first; at != k {
			a.addStretch(k, of)
			k, of = at, stretch{}
		}
		q := usual / w.variance[i]
		if o := &sc.obs[i]; o.Below || o.Amount != o.Amount {
			q = sc.expected(w, m, i)
		}
		of.add(sc.between[i], q, 0)
	}
	a.addStretch(k, of)
	return a.solve()
}

// hasten lengthens a step that goes on the way of the last one by the share that all further ones would: as errors of samples follow the effects, steps
// shrink by a steady factor, which may be near one (Aitken's process; Brezinski and Redivo Zaglia 1991, Extrapolation Methods, §1.2).
func (e *effect) hasten(step [3]float64) [3]float64 {
	last := e.last
	e.last = step
	square := dot3(&last, &last)
	rho := dot3(&step, &last) / square
	if !(rho > 0.3 && rho < 0.95) || square > 0.5 { // far off steps are of the plume's own bends
		return step
	}
	off := [3]float64{step[0] - rho*last[0], step[1] - rho*last[1], step[2] - rho*last[2]}
	if dot3(&off, &off) > 0.04*dot3(&step, &step) { // more than a fifth aside
		return step
	}
	e.last = [3]float64{}
	by := min(1/(1-rho), 5)
	return [3]float64{by * step[0], by * step[1], by * step[2]}
}

// A weight is how a sample draws at what is predicted for it: see pull.
type weight struct{ q, d float64 }

// takeCrossing adds the samples of a crossing, which is realisation k, to the equations, and eliminates its effects.
func (sc *scene) takeCrossing(w *work, m errorModel, a *chain, g *record, n, k int) {
	r, e, x := &sc.realisations[k], &w.effect[k].of, &a.crossings[n]
	sc.takeSamples(w, m, a, g, r.samples)
	x.seen, x.low, x.base = false, 0, [3]float64{}
	nodes, drifts := x.nodes[:0], len(a.nodes) > 0
	c, b := [6]float64{0: 1, 3: 1, 5: 1}, [3]float64{-e[0], -e[1], -e[2]}
	var sum, late [3]float64 // of weighted levers between two nodes, and of these times how near they are to the second one
	at, any := 0, false
	lay := func() {
		x.base[0], x.base[1], x.base[2] = x.base[0]+sum[0], x.base[1]+sum[1], x.base[2]+sum[2]
		if !drifts {
			return
		}
		for len(nodes) < at+2-x.low { // samples come in the order of time
			nodes = append(nodes, [3]float64{})
		}
		low, high := &nodes[at-x.low], &nodes[at+1-x.low]
		for j := range sum {
			low[j] += sum[j] - late[j]
			high[j] += late[j]
		}
	}
	gain, turn, widen := r.sd.gain, r.sd.turn, r.sd.widen
	for _, i := range w.met[k] {
		of, q, d := &w.at[i], w.weights[i].q, w.weights[i].d
		if of.Reach == 0 || q == 0 {
			any = any || sc.seen(w, i)
			continue
		}
		if n := sc.node[i] - g.first; !x.seen {
			x.seen, x.low, at = true, n, n
		} else if n != at {
			lay()
			at, sum, late = n, [3]float64{}, [3]float64{}
		}
		u0, u1, u2, f := gain*of.C, turn*of.Turn, widen*of.Widen, sc.between[i]
		v0, v1, v2 := q*u0, q*u1, q*u2
		c[0], c[1], c[2], c[3], c[4], c[5] = c[0]+v0*u0, c[1]+v0*u1, c[2]+v0*u2, c[3]+v1*u1, c[4]+v1*u2, c[5]+v2*u2
		b[0], b[1], b[2] = b[0]+v0*d, b[1]+v1*d, b[2]+v2*d
		sum[0], sum[1], sum[2] = sum[0]+v0, sum[1]+v1, sum[2]+v2
		late[0], late[1], late[2] = late[0]+f*v0, late[1]+f*v1, late[2]+f*v2
	}
	if x.seen {
		lay()
	}
	x.seen = x.seen || any
	x.nodes = nodes
	if x.seen {
		x.root = root3(c)
		x.right = x.root.through(b)
		a.eliminate(x)
	}
}

// takeSamples adds samples, which come in the order of time, to the equations, and keeps their weights.
func (sc *scene) takeSamples(w *work, m errorModel, a *chain, g *record, samples []int) {
	if w.weights == nil {
		w.weights = make([]weight, len(sc.s))
	}
	usual, k, of := m.lambda*(studentDoF+1), 0, stretch{}
	for _, i := range samples {
		if at := sc.node[i] - g.first; at != k {
			a.add(k, of)
			k, of = at, stretch{}
		}
		d := sc.obs[i].Amount - w.at[i].C - w.under[i]
		q := usual / (studentDoF*w.variance[i] + d*d)
		if sc.obs[i].Below || d != d {
			q, d = sc.pull(w, m, i)
		}
		w.weights[i] = weight{q, d}
		of.add(sc.between[i], q, d)
	}
	a.add(k, of)
}

// A stretch is what samples between two nodes tell of them: sums of weights q, and of pulls q·d, by powers of f, how near they are to the second one.
type stretch struct{ q, qf, qff, qd, qdf float64 }

func (s *stretch) add(f, q, d float64) {
	v := q * f
	s.q, s.qf, s.qff, s.qd, s.qdf = s.q+q, s.qf+v, s.qff+v*f, s.qd+q*d, s.qdf+v*d
}

// chain is the normal equations of the record of a sensor that moves: nodes that couple as far as a crossing reaches, and the sensor's background.
type chain struct {
	stride, wide int       // of a row of nodes; how far beyond the diagonal it reaches now
	rows         []float64 // upper triangle by rows, the diagonal first; after factor pivots and multipliers
	rhs, cross   []float64 // of the nodes, and what they have with the background
	own, right   float64   // of the background
	border       float64   // its solution
	nodes        []float64 // theirs
	answer       []float64 // of the nodes to the background
	crossings    []crossing
}

// A crossing is what its realisation has in the equations, through the root of its own information.
type crossing struct {
	seen        bool
	root        lower3
	right, base [3]float64
	low         int // the first of nodes
	nodes       [][3]float64
}

// chain is that of record d, made when it is first asked for.
func (w *work) chain(sc *scene, d int) *chain {
	if w.chains == nil {
		w.chains = make([]*chain, len(sc.records))
	}
	if w.chains[d] == nil {
		g := &sc.records[d]
		a, n := &chain{stride: 2, crossings: make([]crossing, len(g.parts))}, len(g.gap)
		for _, k := range g.parts {
			s := sc.realisations[k].samples
			a.stride = max(a.stride, sc.node[s[len(s)-1]]+2-sc.node[s[0]])
		}
		a.rows = make([]float64, n*a.stride)
		a.rhs, a.cross, a.nodes, a.answer = make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
		w.chains[d] = a
	}
	return w.chains[d]
}

// begin starts with the priors of record g: precisions, and how they pull at what is held.
func (a *chain) begin(g *record, m errorModel, h *held) {
	clear(a.rows)
	clear(a.rhs)
	clear(a.cross)
	a.wide = min(1, len(g.gap))
	a.own, _ = m.sensors(1)
	a.right = a.own * (m.common - h.base[g.sensors[0]])
	last := 0.0
	for k, s := range g.gap {
		p, v := 1/(m.walk*m.walk*s), h.drift[g.first+k]
		step := p * (v - last)
		a.rows[k*a.stride] += p
		a.rhs[k] -= step
		if k > 0 {
			a.rows[(k-1)*a.stride] += p
			a.rows[(k-1)*a.stride+1] = -p
			a.rhs[k-1] += step
		}
		last = v
	}
}

// add takes in samples between node k and the next.
func (a *chain) add(k int, s stretch) {
	a.own += s.q
	a.right += s.qd
	if len(a.nodes) == 0 || s.q == 0 {
		return
	}
	row := a.rows[k*a.stride : k*a.stride+a.stride+1] // the next diagonal too
	row[0] += s.q - 2*s.qf + s.qff
	row[1] += s.qf - s.qff
	row[a.stride] += s.qff
	a.rhs[k] += s.qd - s.qdf
	a.rhs[k+1] += s.qdf
	a.cross[k] += s.q - s.qf
	a.cross[k+1] += s.qf
}

// eliminate takes the effects of a crossing out of the equations.
func (a *chain) eliminate(x *crossing) {
	x.base = x.root.through(x.base)
	a.own -= dot3(&x.base, &x.base)
	a.right -= dot3(&x.base, &x.right)
	for j := range x.nodes {
		x.nodes[j] = x.root.through(x.nodes[j])
	}
	a.wide = max(a.wide, len(x.nodes)-1)
	for j := range x.nodes {
		of, k := &x.nodes[j], x.low+j
		a.rhs[k] -= dot3(of, &x.right)
		a.cross[k] -= dot3(of, &x.base)
		row := a.rows[k*a.stride:]
		for o := range x.nodes[j:] {
			row[o] -= dot3(of, &x.nodes[j+o])
		}
	}
}

// solve finds background and nodes.
func (a *chain) solve() {
	a.factor()
	copy(a.answer, a.cross)
	a.through(a.answer)
	a.border = (a.right - inner(a.rhs, a.answer)) / (a.own - inner(a.cross, a.answer))
	for k, c := range a.cross {
		a.nodes[k] = a.rhs[k] - c*a.border
	}
	a.through(a.nodes)
}

// factor eliminates the nodes.
func (a *chain) factor() {
	for k := range a.nodes {
		row := a.rows[k*a.stride:]
		for j := 1; j <= a.wide && k+j < len(a.nodes); j++ {
			l := row[j] / row[0]
			if l == 0 {
				continue
			}
			to := a.rows[(k+j)*a.stride:]
			for o := j; o <= a.wide && k+o < len(a.nodes); o++ {
				to[o-j] -= l * row[o]
			}
		}
		for j := 1; j <= a.wide && k+j < len(a.nodes); j++ {
			row[j] /= row[0]
		}
	}
}

// through solves for nodes in place.
func (a *chain) through(x []float64) {
	for k, v := range x {
		row := a.rows[k*a.stride:]
		for j := 1; j <= a.wide && k+j < len(x); j++ {
			x[k+j] -= row[j] * v
		}
	}
	for k := len(x) - 1; k >= 0; k-- {
		row, v := a.rows[k*a.stride:], x[k]/a.rows[k*a.stride]
		for j := 1; j <= a.wide && k+j < len(x); j++ {
			v -= row[j] * x[k+j]
		}
		x[k] = v
	}
}

// follow is the step of the effects of crossing n, given those of all else.
func (a *chain) follow(n int) [3]float64 {
	x := &a.crossings[n]
	y := [3]float64{x.right[0] - a.border*x.base[0], x.right[1] - a.border*x.base[1], x.right[2] - a.border*x.base[2]}
	for j := range x.nodes {
		of, v := &x.nodes[j], a.nodes[x.low+j]
		y[0], y[1], y[2] = y[0]-v*of[0], y[1]-v*of[1], y[2]-v*of[2]
	}
	return x.root.back(y)
}
