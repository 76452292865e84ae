package source

import "math"

// Of instruments that stand still, backgrounds, drift, and the effects of minutes and of whole records are linear or nearly so, and hang together: what all
// beams see in a minute is an effect or the air's drift. They are sought together, by Gauss-Newton steps with reweighting: minutes are
// eliminated one by one, each couples only with the nodes on either side of it, then nodes, then the border, in which the effects of whole
// records come after the backgrounds of the sensors.

// seekStill improves them all.
func (sc *scene) seekStill(w *work, m errorModel, d int) {
	for range maxRounds {
		if moved, by := sc.roundStill(w, m, d); by < calm*sc.noise && moved < steady {
			break
		}
	}
}

// roundStill is one step, and gives the farthest that an effect and a background moved.
func (sc *scene) roundStill(w *work, m errorModel, d int) (moved, by float64) {
	sc.equations(w, m, d, false)
	w.normal(sc, d).solve()
	moved = sc.advance(w, m, d)
	return moved, sc.lay(w, &sc.records[d])
}

// lnStill is the part of a record of instruments that stand still in the log-likelihood, but for what lnWalk gives (Laplace).
func (sc *scene) lnStill(w *work, m errorModel, d int) (ln float64) {
	g := &sc.records[d]
	for _, parts := range [][]int{g.parts, g.whole} {
		for _, k := range parts {
			e := w.effect[k].of
			ln -= 0.5 * (e[0]*e[0] + e[1]*e[1] + e[2]*e[2])
		}
	}
	ln -= 0.5 * sc.equations(w, m, d, true)
	return ln - 0.5*w.normal(sc, d).solve()
}

// a pull is how a sample draws at the unknowns of its record.
type pull struct {
	q, r  float64    // weight and residual
	bent  float64    // weight of levers among themselves: more than q where the logarithm of brought bends towards the residual
	whole [3]float64 // lever of its sensor's own realisation
	part  [3]float64 // of the minute's
}

// equations are the normal ones of record d about what w holds, the minutes eliminated; ln is of their determinant. Weights are those of the residuals,
// or the expected ones.
func (sc *scene) equations(w *work, m errorModel, d int, expected bool) (ln float64) {
	g, a := &sc.records[d], w.normal(sc, d)
	sc.begin(w, m, g, a)
	if w.pulls == nil {
		w.pulls = make([]pull, len(sc.s))
	}
	for j, sensor := range g.sensors {
		for _, i := range sc.bySensor[sensor] {
			p := &w.pulls[i]
			*p = pull{}
			if p.q, p.r = sc.pull(w, m, i); expected {
				p.q = sc.expected(w, m, i)
			}
			if p.q == 0 {
				continue
			}
			p.bent = p.q
			if b := w.brought(i); !expected && w.shift[i] < 0 && p.r < 0 && b > 0 {
				p.bent *= 1 - p.r/b
			}
			a.add(j, sc.node[i]-g.first, sc.between[i], p.q, p.r)
			if len(g.whole) > 0 && sc.seen(w, i) {
				p.whole = sc.realisations[g.whole[j]].lever(w, i)
				a.addWhole(j, len(g.sensors)+3*j, sc.node[i]-g.first, sc.between[i], p)
			}
		}
	}
	for _, k := range g.parts {
		ln += sc.eliminateMinute(w, g, a, k)
	}
	return ln
}

// begin has the priors of record d: precisions, and how they pull at what w holds.
func (sc *scene) begin(w *work, m errorModel, g *record, a *normal) {
	a.begin(g, m)
	n := len(a.right)
	mean, t2 := 0.0, m.tau*m.tau
	for _, sensor := range g.sensors {
		mean += (m.common - w.base[sensor]) / float64(len(g.sensors))
	}
	for j, sensor := range g.sensors {
		a.right[j] = (m.common-w.base[sensor]-mean)/t2 + mean/(t2+float64(len(g.sensors))*m.commonSD*m.commonSD)
	}
	for j, k := range g.whole {
		for e, v := range w.effect[k].of {
			at := len(g.sensors) + 3*j + e
			a.own[at*n+at], a.right[at] = 1, -v
		}
	}
	last := 0.0
	for k, s := range g.gap {
		v := w.drift[g.first+k]
		step := (v - last) / (m.walk * m.walk * s)
		a.rhs[k] -= step
		if k > 0 {
			a.rhs[k-1] += step
		}
		last = v
	}
}

// addWhole takes in the lever of a sensor's own realisation, whose effects begin at from in the border.
func (a *normal) addWhole(j, from, k int, f float64, p *pull) {
	n := len(a.right)
	for e, u := range p.whole {
		at, v := from+e, p.q*u
		a.right[at] += v * p.r
		a.own[j*n+at] += v
		for o := e; o < 3; o++ {
			a.own[at*n+from+o] += p.bent * u * p.whole[o]
		}
		if len(a.diag) > 0 {
			a.cross[at][k] += v * (1 - f)
			a.cross[at][k+1] += v * f
		}
	}
}

// eliminateMinute takes the effects of one minute out of the equations.
func (sc *scene) eliminateMinute(w *work, g *record, a *normal, part int) (ln float64) {
	r, n := &sc.realisations[part], len(a.right)
	c, b := [6]float64{0: 1, 3: 1, 5: 1}, [3]float64{}
	for e, v := range w.effect[part].of {
		b[e] = -v
	}
	x := w.border(n)
	var low, high [3]float64 // with the nodes on either side
	node, any := sc.node[r.samples[0]]-g.first, false
	for _, i := range r.samples {
		p := &w.pulls[i]
		if p.q == 0 || !sc.seen(w, i) {
			continue
		}
		any = true
		p.part = r.lever(w, i)
		gather(&c, p.bent, p.part)
		seat, f := sc.seat[sc.sensor[i]], sc.between[i]
		for e, u := range p.part {
			v := p.q * u
			b[e] += v * p.r
			x[e][seat] += v
			low[e] += v * (1 - f)
			high[e] += v * f
			if len(g.whole) > 0 {
				for o, whole := range p.whole {
					x[e][len(g.sensors)+3*seat+o] += p.bent * whole * u
				}
			}
		}
	}
	if !any {
		return 0
	}
	l := root3(c)
	b, low, high = l.through(b), l.through(low), l.through(high)
	nodes := len(a.diag) > 0
	if nodes {
		a.rhs[node] -= dot3(&low, &b)
		a.rhs[node+1] -= dot3(&high, &b)
		a.diag[node] -= dot3(&low, &low)
		a.diag[node+1] -= dot3(&high, &high)
		a.off[node] -= dot3(&low, &high)
	}
	for k := range n {
		y := l.through([3]float64{x[0][k], x[1][k], x[2][k]})
		x[0][k], x[1][k], x[2][k] = y[0], y[1], y[2]
	}
	for k := range n {
		of := [3]float64{x[0][k], x[1][k], x[2][k]}
		if of == [3]float64{} {
			continue
		}
		a.right[k] -= dot3(&of, &b)
		if nodes {
			a.cross[k][node] -= dot3(&of, &low)
			a.cross[k][node+1] -= dot3(&of, &high)
		}
		row := a.own[k*n+k : k*n+n]
		x0, x1, x2 := x[0][k:n], x[1][k:n], x[2][k:n]
		for j := range row {
			row[j] -= of[0]*x0[j] + of[1]*x1[j] + of[2]*x2[j]
		}
	}
	return -2 * math.Log(l[0]*l[2]*l[5])
}

// border is room for how a minute's effects, one a row, hang together with a border of n unknowns: nothing yet.
func (w *work) border(n int) *[3][]float64 {
	for e := range w.coupled {
		if len(w.coupled[e]) != n {
			w.coupled[e] = make([]float64, n)
		}
		clear(w.coupled[e])
	}
	return &w.coupled
}

func dot3(x, y *[3]float64) float64 { return x[0]*y[0] + x[1]*y[1] + x[2]*y[2] }

// A root of a symmetric positive definite matrix: lower triangle by rows, of the diagonal the reciprocals.
type lower3 [6]float64

// root3 is that of a matrix given by its upper triangle (Cholesky).
func root3(a [6]float64) (l lower3) {
	l[0] = 1 / math.Sqrt(a[0])
	l[1] = a[1] * l[0]
	l[2] = 1 / math.Sqrt(a[3]-l[1]*l[1])
	l[3] = a[2] * l[0]
	l[4] = (a[4] - l[3]*l[1]) * l[2]
	l[5] = 1 / math.Sqrt(a[5]-l[3]*l[3]-l[4]*l[4])
	return l
}

// through solves l·y = x.
func (l *lower3) through(x [3]float64) [3]float64 {
	y0 := x[0] * l[0]
	y1 := (x[1] - l[1]*y0) * l[2]
	return [3]float64{y0, y1, (x[2] - l[3]*y0 - l[4]*y1) * l[5]}
}

// back solves lᵀ·y = x.
func (l *lower3) back(x [3]float64) [3]float64 {
	y2 := x[2] * l[5]
	y1 := (x[1] - l[4]*y2) * l[2]
	return [3]float64{(x[0] - l[1]*y1 - l[3]*y2) * l[0], y1, y2}
}

// advance takes the step that was solved for: an effect by a deviation at most, beyond which the plume is no longer near its tangent. moved is the
// farthest that one went.
func (sc *scene) advance(w *work, m errorModel, d int) (moved float64) {
	g, a := &sc.records[d], w.normal(sc, d)
	step := func(k int, by [3]float64) {
		e := &w.effect[k]
		was := e.of
		e.moved = 0
		for j := range by {
			e.of[j] += max(min(by[j], 1), -1)
			e.moved = max(e.moved, math.Abs(by[j]))
		}
		moved = max(moved, e.moved)
		sc.bring(w, k, e.of, was)
	}
	// Minutes first: their steps hang on the levers that the equations were made with.
	type stride struct {
		k  int
		by [3]float64
	}
	var strides []stride
	for _, k := range g.parts {
		strides = append(strides, stride{k, sc.minuteStep(w, g, a, k)})
	}
	for j, k := range g.whole {
		at := len(g.sensors) + 3*j
		strides = append(strides, stride{k, [3]float64(a.border[at : at+3])})
	}
	for _, s := range strides {
		step(s.k, s.by)
	}
	for j, sensor := range g.sensors {
		w.base[sensor] += a.border[j]
	}
	for k, v := range a.nodes {
		w.drift[g.first+k] += v
	}
	return moved
}

// minuteStep is that of a minute's effects, given the steps of all else.
func (sc *scene) minuteStep(w *work, g *record, a *normal, part int) [3]float64 {
	r := &sc.realisations[part]
	c, b := [6]float64{0: 1, 3: 1, 5: 1}, [3]float64{}
	for e, v := range w.effect[part].of {
		b[e] = -v
	}
	for _, i := range r.samples {
		p := &w.pulls[i]
		if p.q == 0 || !sc.seen(w, i) {
			continue
		}
		gather(&c, p.bent, p.part)
		j := sc.seat[sc.sensor[i]]
		rest, whole := p.r-a.border[j], 0.0
		if len(g.whole) > 0 {
			for o, u := range p.whole {
				whole += u * a.border[len(g.sensors)+3*j+o]
			}
		}
		if len(a.nodes) > 0 {
			k, f := sc.node[i]-g.first, sc.between[i]
			rest -= (1-f)*a.nodes[k] + f*a.nodes[k+1]
		}
		for e, u := range p.part {
			b[e] += u * (p.q*rest - p.bent*whole)
		}
	}
	return solve3(c, b)
}
