package source

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// The background under a sample is its sensor's own plus what has drifted since the record began: a random walk, linear between nodes in time, with
// a rate of drift that is inferred (a Markov random field in time, as Hirst et al. 2013 have it in space, doi:10.1016/j.atmosenv.2013.03.044).
// Without it a slow swell of the air or of the instrument is a faint wide plume. Instruments that stand still look at one air and drift
// together; each that moves drifts by itself. What is measured all at one time does not drift.
type drift struct {
	sensors []int
	samples []int
	first   int       // of its nodes among all
	gap     []float64 // seconds before each node; before the first as before the second
}

// Nodes lie so many seconds apart, an eddy's memory, below which drift is not told from noise, or farther where a record is long.
const maxNodes = 120

// drifts lays out the nodes.
func (sc *scene) layDrifts() {
	sc.drifts, sc.nodes = nil, 0
	sc.node, sc.between = make([]int, len(sc.s)), make([]float64, len(sc.s))
	sc.bySensor = make([][]int, sc.sensors)
	for i, j := range sc.sensor {
		sc.node[i], sc.bySensor[j] = -1, append(sc.bySensor[j], i)
	}
	var still drift
	for _, stretch := range sc.stretches {
		if len(stretch) == 0 {
			continue
		}
		j := sc.sensor[stretch[0]]
		if sc.standsStill(stretch) {
			still.sensors, still.samples = append(still.sensors, j), append(still.samples, stretch...)
			continue
		}
		sc.layNodes(drift{sensors: []int{j}, samples: slices.Clone(stretch)})
	}
	if len(still.samples) > 0 {
		sc.layNodes(still)
	}
}

func (sc *scene) layNodes(g drift) {
	slices.Sort(g.samples)
	g.first = sc.nodes
	from, to := math.Inf(1), math.Inf(-1)
	for _, i := range g.samples {
		from, to = min(from, sc.s[i].TimeS), max(to, sc.s[i].TimeS)
	}
	if !(to > from) {
		sc.drifts = append(sc.drifts, g)
		return
	}
	apart := max(eddyS, (to-from)/maxNodes)
	cell := func(i int) (int, float64) {
		k, f := math.Modf((sc.s[i].TimeS - from) / apart)
		return int(k), f
	}
	var used []int // of an even row of nodes, those beside samples
	for _, i := range g.samples {
		k, _ := cell(i)
		used = append(used, k, k+1)
	}
	slices.Sort(used)
	used = slices.Compact(used)
	for n := range used {
		before := 1
		if n > 0 {
			before = used[n] - used[n-1]
		}
		g.gap = append(g.gap, apart*float64(before))
	}
	for _, i := range g.samples {
		k, f := cell(i)
		n, _ := slices.BinarySearch(used, k)
		sc.node[i], sc.between[i] = g.first+n, f
	}
	sc.nodes += len(used)
	sc.drifts = append(sc.drifts, g)
}

// background under sample i of those held.
func (sc *scene) background(h *held, i int) float64 {
	b := h.base[sc.sensor[i]]
	if n, f := sc.node[i], sc.between[i]; n >= 0 {
		b += (1-f)*h.drift[n] + f*h.drift[n+1]
	}
	return b
}

// normal is the normal equations of one drift: nodes couple with their neighbours, sensors with the nodes beside their samples.
type normal struct {
	diag, off, rhs []float64   // of the nodes; after factor diag has the pivots and off the multipliers
	cross, solved  [][]float64 // of sensor and node; what the nodes answer to each
	own, right     []float64   // of the sensors
	base           []float64   // their solution
}

func newNormal(nodes, sensors int) *normal {
	a := &normal{diag: make([]float64, nodes), off: make([]float64, nodes), rhs: make([]float64, nodes), own: make([]float64, sensors), right: make([]float64, sensors), base: make([]float64, sensors)}
	for range sensors {
		a.cross, a.solved = append(a.cross, make([]float64, nodes)), append(a.solved, make([]float64, nodes))
	}
	return a
}

// prior begins with what is known beforehand.
func (a *normal) prior(g *drift, m errorModel) {
	clear(a.diag)
	clear(a.off)
	clear(a.rhs)
	own := 1 / (m.tau * m.tau)
	for j := range a.own {
		clear(a.cross[j])
		a.own[j], a.right[j] = own, own*m.common
	}
	for k, s := range g.gap {
		p := 1 / (m.walk * m.walk * s)
		a.diag[k] += p
		if k > 0 {
			a.diag[k-1] += p
			a.off[k-1] = -p
		}
	}
}

// add takes in a sample of sensor j with weight q and residual r, between node k and the next.
func (a *normal) add(j, k int, f, q, r float64) {
	a.own[j] += q
	a.right[j] += q * r
	if len(a.diag) == 0 {
		return
	}
	u, v := q*(1-f), q*f
	a.diag[k] += u * (1 - f)
	a.diag[k+1] += v * f
	a.off[k] += u * f
	a.rhs[k] += u * r
	a.rhs[k+1] += v * r
	a.cross[j][k] += u
	a.cross[j][k+1] += v
}

// factor eliminates the nodes; ln is of their determinant.
func (a *normal) factor() (ln float64) {
	for k := range a.diag {
		if k > 0 {
			l := a.off[k-1] / a.diag[k-1]
			a.diag[k] -= l * a.off[k-1]
			a.off[k-1] = l
		}
		ln += math.Log(a.diag[k])
	}
	return ln
}

// nodes solves for them in place.
func (a *normal) nodes(x []float64) {
	for k := 1; k < len(x); k++ {
		x[k] -= a.off[k-1] * x[k-1]
	}
	for k := len(x) - 1; k >= 0; k-- {
		x[k] /= a.diag[k]
		if k+1 < len(x) {
			x[k] -= a.off[k] * x[k+1]
		}
	}
}

// solve gives the sensors' backgrounds and the nodes, and ln of the determinant.
func (a *normal) solve(base, nodes []float64) (ln float64) {
	ln = a.factor()
	for j := range a.own {
		copy(a.solved[j], a.cross[j])
		a.nodes(a.solved[j])
	}
	if len(a.diag) == 0 || len(a.own) == 1 {
		for j := range a.own {
			own := a.own[j] - inner(a.cross[j], a.solved[j])
			base[j] = (a.right[j] - inner(a.rhs, a.solved[j])) / own
			ln += math.Log(own)
		}
	} else {
		ln += a.sensors(base)
	}
	copy(nodes, a.rhs)
	for j, b := range base {
		for k, c := range a.cross[j] {
			nodes[k] -= c * b
		}
	}
	a.nodes(nodes)
	return ln
}

// sensors solves for several at once, the nodes eliminated.
func (a *normal) sensors(base []float64) (ln float64) {
	n := len(a.own)
	s, r := mat.NewSymDense(n, nil), mat.NewVecDense(n, nil)
	for i := range n {
		r.SetVec(i, a.right[i]-inner(a.rhs, a.solved[i]))
		for j := i; j < n; j++ {
			v := -inner(a.cross[i], a.solved[j])
			if i == j {
				v += a.own[i]
			}
			s.SetSym(i, j, v)
		}
	}
	var root mat.Cholesky
	x := mat.NewVecDense(n, base)
	if !root.Factorize(s) || root.SolveVecTo(x, r) != nil {
		return math.Inf(1)
	}
	return root.LogDet()
}

func inner(a, b []float64) (s float64) {
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

// settle finds the backgrounds that fit weighted residuals, and ln of the determinant of their information. of gives weight and residual of a sample; a
// weight of nothing takes no part.
func (sc *scene) settle(a *normals, m errorModel, h *held, of func(i int) (q, r float64)) (ln float64) {
	if len(*a) == 0 {
		for _, g := range sc.drifts {
			*a = append(*a, newNormal(len(g.gap), len(g.sensors)))
		}
	}
	for d := range sc.drifts {
		ln += sc.settleOne(&sc.drifts[d], (*a)[d], m, h, of)
	}
	return ln
}

// normals are those of all drifts of a scene.
type normals []*normal

func (sc *scene) settleOne(g *drift, a *normal, m errorModel, h *held, of func(i int) (q, r float64)) (ln float64) {
	a.prior(g, m)
	for j, sensor := range g.sensors {
		for _, i := range sc.bySensor[sensor] {
			if q, r := of(i); q > 0 {
				a.add(j, sc.node[i]-g.first, sc.between[i], q, r)
			}
		}
	}
	ln = a.solve(a.base, h.drift[g.first:g.first+len(g.gap)])
	for j, sensor := range g.sensors {
		h.base[sensor] = a.base[j]
	}
	return ln
}

// backgrounds improves those of all sensors, and gives by how much one moved.
func (sc *scene) backgrounds(w *work, m errorModel) (moved float64) {
	sc.settle(&w.normals, m, &w.held, func(i int) (q, r float64) {
		o := &sc.obs[i]
		if o.Amount != o.Amount {
			return 0, 0
		}
		r = o.Amount - w.brought(i)
		return sc.weight(w, m, i, r-w.under[i]), r
	})
	return sc.lay(w)
}

// lay puts the backgrounds held under the samples, and gives by how much one moved.
func (sc *scene) lay(w *work) (moved float64) {
	for i := range sc.s {
		b := sc.background(&w.held, i)
		moved = max(moved, math.Abs(b-w.under[i]))
		w.under[i] = b
	}
	return moved
}

// lnBackgrounds is their part of the log-likelihood (Laplace).
func (sc *scene) lnBackgrounds(w *work, m errorModel) (ln float64) {
	for _, b := range w.base {
		e := (b - m.common) / m.tau
		ln -= 0.5*e*e + math.Log(m.tau)
	}
	for _, g := range sc.drifts {
		last := 0.0
		for k, s := range g.gap {
			e := (w.drift[g.first+k] - last) / m.walk
			ln -= 0.5*e*e/s + math.Log(m.walk) + 0.5*math.Log(s)
			last = w.drift[g.first+k]
		}
	}
	return ln - 0.5*sc.settle(&w.normals, m, &w.spare, func(i int) (q, r float64) {
		o := &sc.obs[i]
		if o.Amount != o.Amount || o.Below && o.Amount-w.brought(i) > w.under[i] {
			return 0, 0
		}
		return w.expected(m, i), 0
	})
}

// walks adds to the information, in which the nodes begin at from, that of their steps, and at ln of their rate, in units of scale, what a record of a
// walk seen in noise tells of it: of each node 2/√(1+4/q), q its step's variance times the information on it, twice the degrees of
// freedom of a smoothed walk (Durbin and Koopman 2012, Time Series Analysis by State Space Methods, §2.11). It is the length of a step only.
func (sc *scene) walks(full *mat.SymDense, from, rate int, scale float64, m errorModel) {
	for _, g := range sc.drifts {
		for k, s := range g.gap {
			v, at := m.walk*m.walk*s, from+g.first+k
			if q := full.At(at, at) * v; q > 0 {
				full.SetSym(rate, rate, full.At(rate, rate)+scale*scale*2/math.Sqrt(1+4/q))
			}
		}
		for k, s := range g.gap {
			p, at := 1/(m.walk*m.walk*s), from+g.first+k
			full.SetSym(at, at, full.At(at, at)+p)
			if k > 0 {
				full.SetSym(at-1, at-1, full.At(at-1, at-1)+p)
				full.SetSym(at-1, at, full.At(at-1, at)-p)
			}
		}
	}
}
