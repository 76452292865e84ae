package source

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// The background under a sample is its sensor's own plus what has drifted since the record began: a random walk, linear between nodes in time, with
// a rate of drift that is inferred (a Markov random field in time, as Hirst et al. 2013 have it in space, doi:10.1016/j.atmosenv.2013.03.044).
// Without it a slow swell of the air or of the instrument is a faint wide plume. Instruments that stand still look at one air and drift
// together; each that moves drifts by itself. What is measured all at one time does not drift. A record is what drifts together.
type record struct {
	still   bool
	sensors []int
	samples []int
	first   int       // of its nodes among all
	gap     []float64 // seconds before each node; before the first as before the second
	lnGaps  float64   // the sum of their logarithms
	parts   []int     // its realisations
	whole   []int     // those of them that last, of instruments that stand still: one a sensor
}

// maxNodes bounds the nodes of a record. They lie eddyS apart, below which drift is not told from noise, or farther where a record is long.
const maxNodes = 120

// layDrifts makes the records, and lays out their nodes.
func (sc *scene) layDrifts() {
	sc.records, sc.nodes = nil, 0
	sc.node, sc.between = make([]int, len(sc.s)), make([]float64, len(sc.s))
	sc.bySensor = make([][]int, sc.sensors)
	for i, j := range sc.sensor {
		sc.node[i], sc.bySensor[j] = -1, append(sc.bySensor[j], i)
	}
	still := record{still: true}
	for _, stretch := range sc.stretches {
		if len(stretch) == 0 {
			continue
		}
		j := sc.sensor[stretch[0]]
		if sc.standsStill(stretch) {
			still.sensors, still.samples = append(still.sensors, j), append(still.samples, stretch...)
			continue
		}
		sc.layNodes(record{sensors: []int{j}, samples: slices.Clone(stretch)})
	}
	if len(still.samples) > 0 {
		sc.layNodes(still)
	}
}

func (sc *scene) layNodes(g record) {
	slices.Sort(g.samples)
	g.first = sc.nodes
	from, to := math.Inf(1), math.Inf(-1)
	for _, i := range g.samples {
		from, to = min(from, sc.s[i].TimeS), max(to, sc.s[i].TimeS)
	}
	if !(to > from) {
		sc.records = append(sc.records, g)
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
		g.lnGaps += math.Log(apart * float64(before))
	}
	for _, i := range g.samples {
		k, f := cell(i)
		n, _ := slices.BinarySearch(used, k)
		sc.node[i], sc.between[i] = g.first+n, f
	}
	sc.nodes += len(used)
	sc.records = append(sc.records, g)
}

// background under sample i of those held.
func (sc *scene) background(h *held, i int) float64 {
	b := h.base[sc.sensor[i]]
	if n, f := sc.node[i], sc.between[i]; n >= 0 {
		b += (1-f)*h.drift[n] + f*h.drift[n+1]
	}
	return b
}

// normal is the normal equations of one record: nodes couple with their neighbours, and a border of other unknowns, which begins with the backgrounds of
// the sensors, with each other and with the nodes.
type normal struct {
	diag, off, rhs []float64     // of the nodes; after factor diag has the pivots and off the multipliers
	cross, solved  [][]float64   // of border and node; what the nodes answer to each
	own            []float64     // of the border, upper triangle by rows
	right, border  []float64     // its right hand side and solution
	nodes          []float64     // their solution
	root           *mat.Cholesky // of the border, after eliminate; nil where it overflows
}

func newNormal(nodes, border int) *normal {
	v := func(n int) []float64 { return make([]float64, n) }
	a := &normal{diag: v(nodes), off: v(nodes), rhs: v(nodes), own: v(border * border), right: v(border), border: v(border), nodes: v(nodes)}
	for range border {
		a.cross, a.solved = append(a.cross, v(nodes)), append(a.solved, v(nodes))
	}
	return a
}

// sensors is the precision of the backgrounds of n sensors of one record, of each its own and of each two: they differ by tau, and what they have in common,
// which lies within commonSD, is integrated out (Sherman and Morrison 1950, doi:10.1214/aoms/1177729893).
func (m errorModel) sensors(n int) (own, other float64) {
	t2, c2 := m.tau*m.tau, m.commonSD*m.commonSD
	all := t2 * (t2 + float64(n)*c2)
	return (t2 + float64(n-1)*c2) / all, -c2 / all
}

// begin starts with what is known beforehand: of the nodes, and of the sensors.
func (a *normal) begin(g *record, m errorModel) {
	clear(a.diag)
	clear(a.off)
	clear(a.rhs)
	clear(a.own)
	clear(a.right)
	for j := range a.cross {
		clear(a.cross[j])
	}
	own, other := m.sensors(len(g.sensors))
	for j := range g.sensors {
		a.own[j*len(a.right)+j] = own
		for i := range j {
			a.own[i*len(a.right)+j] = other
		}
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
	a.own[j*len(a.right)+j] += q
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

// addStretch takes in samples of the first sensor between node k and the next.
func (a *normal) addStretch(k int, s stretch) {
	a.own[0] += s.q
	a.right[0] += s.qd
	if len(a.diag) == 0 || s.q == 0 {
		return
	}
	a.diag[k] += s.q - 2*s.qf + s.qff
	a.diag[k+1] += s.qff
	a.off[k] += s.qf - s.qff
	a.rhs[k] += s.qd - s.qdf
	a.rhs[k+1] += s.qdf
	a.cross[0][k] += s.q - s.qf
	a.cross[0][k+1] += s.qf
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

// through solves for nodes in place.
func (a *normal) through(x []float64) {
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

// solve finds border and nodes, and ln of the determinant.
func (a *normal) solve() (ln float64) {
	ln = a.factor()
	n := len(a.right)
	for j := range n {
		copy(a.solved[j], a.cross[j])
		a.through(a.solved[j])
		a.right[j] -= inner(a.rhs, a.solved[j])
		for i := range j + 1 {
			a.own[i*n+j] -= inner(a.cross[i], a.solved[j])
		}
	}
	if n == 1 {
		a.border[0] = a.right[0] / a.own[0]
		ln += math.Log(a.own[0])
	} else {
		var root mat.Cholesky
		if !root.Factorize(mat.NewSymDense(n, a.own)) {
			clear(a.border) // about an explanation that overflows
			clear(a.nodes)
			return math.Inf(1)
		}
		// That it is badly conditioned, the only error, is said of units: backgrounds are kg/m3, effects are of order one.
		_ = root.SolveVecTo(mat.NewVecDense(n, a.border), mat.NewVecDense(n, a.right))
		ln += root.LogDet()
	}
	copy(a.nodes, a.rhs)
	for j, b := range a.border {
		if b != 0 {
			for k, c := range a.cross[j] {
				a.nodes[k] -= c * b
			}
		}
	}
	a.through(a.nodes)
	return ln
}

// eliminate makes equations ready for respond.
func (a *normal) eliminate() {
	a.factor()
	n := len(a.right)
	for j := range n {
		copy(a.solved[j], a.cross[j])
		a.through(a.solved[j])
		for i := range j + 1 {
			a.own[i*n+j] -= inner(a.cross[i], a.solved[j])
		}
	}
	a.root = new(mat.Cholesky)
	if !a.root.Factorize(mat.NewSymDense(n, a.own)) {
		a.root = nil
	}
}

// respond solves equations that were eliminated, for right hand sides of border and nodes, in place; of all sensors' those of the record stand in base. Equations that
// overflow answer nothing, as those of solve. Safe for concurrent use.
func (a *normal) respond(sensors []int, base, nodes []float64) {
	if a.root == nil {
		for _, sensor := range sensors {
			base[sensor] = 0
		}
		clear(nodes)
		return
	}
	right := make([]float64, len(sensors))
	for j, sensor := range sensors {
		right[j] = base[sensor] - inner(nodes, a.solved[j])
	}
	border := mat.NewVecDense(len(right), right)
	_ = a.root.SolveVecTo(border, border) // that it is badly conditioned, the only error, is said of units
	for j, sensor := range sensors {
		b := border.AtVec(j)
		base[sensor] = b
		for k, c := range a.cross[j] {
			nodes[k] -= c * b
		}
	}
	a.through(nodes)
}

func inner(a, b []float64) (s float64) {
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

// normals are those of the records of a scene.
type normals []*normal

// settle finds the backgrounds that fit weighted residuals, and ln of the determinant of their information. of gives weight and residual of a sample; a
// weight of nothing takes no part.
func (sc *scene) settle(a *normals, m errorModel, h *held, of func(i int) (q, r float64)) (ln float64) {
	if len(*a) == 0 {
		for _, g := range sc.records {
			*a = append(*a, newNormal(len(g.gap), len(g.sensors)))
		}
	}
	for d := range sc.records {
		ln += sc.settleOne(&sc.records[d], (*a)[d], m, h, of)
	}
	return ln
}

func (sc *scene) settleOne(g *record, a *normal, m errorModel, h *held, of func(i int) (q, r float64)) (ln float64) {
	a.begin(g, m)
	own, other := m.sensors(len(g.sensors))
	for j, sensor := range g.sensors {
		a.right[j] = (own + float64(len(g.sensors)-1)*other) * m.common
		for _, i := range sc.bySensor[sensor] {
			if q, r := of(i); q > 0 {
				a.add(j, sc.node[i]-g.first, sc.between[i], q, r)
			}
		}
	}
	ln = a.solve()
	copy(h.drift[g.first:], a.nodes)
	for j, sensor := range g.sensors {
		h.base[sensor] = a.border[j]
	}
	return ln
}

// lay puts the backgrounds held under the samples of a record, and gives by how much one moved.
func (sc *scene) lay(w *work, g *record) (moved float64) {
	for _, i := range g.samples {
		b := sc.background(&w.held, i)
		moved = max(moved, math.Abs(b-w.under[i]))
		w.under[i] = b
	}
	return moved
}

func (sc *scene) layAll(w *work) {
	for d := range sc.records {
		sc.lay(w, &sc.records[d])
	}
}

// lnWalk is the ln prior density of the backgrounds held, but for constants.
func (sc *scene) lnWalk(w *work, m errorModel, g *record) (ln float64) {
	n, mean, apart := float64(len(g.sensors)), 0.0, 0.0
	for _, sensor := range g.sensors {
		mean += (w.base[sensor] - m.common) / n
	}
	for _, sensor := range g.sensors {
		e := w.base[sensor] - m.common - mean
		apart += e * e
	}
	t2 := m.tau * m.tau
	all := t2 + n*m.commonSD*m.commonSD
	ln = -0.5*(apart/t2+n*mean*mean/all) - (n-1)*math.Log(m.tau) - 0.5*math.Log(all)
	last, sum := 0.0, 0.0
	for k, s := range g.gap {
		e := w.drift[g.first+k] - last
		sum += e * e / s
		last = w.drift[g.first+k]
	}
	return ln - 0.5*sum/(m.walk*m.walk) - float64(len(g.gap))*math.Log(m.walk) - 0.5*g.lnGaps
}

// walks adds to the information, in which the nodes begin at from, that of their steps, and at ln of their rate, in units of scale, what a record of a
// walk seen in noise tells of it: of each node 2/√(1+4/q), q its step's variance times the information on it, twice the degrees of
// freedom of a smoothed walk (Durbin and Koopman 2012, Time Series Analysis by State Space Methods, §2.11). It is the length of a step only.
func (sc *scene) walks(full *mat.SymDense, from, rate int, scale float64, m errorModel) {
	for _, g := range sc.records {
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
