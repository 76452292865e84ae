package source

import (
	"math"
	"slices"
	"sync"

	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/numeric"
)

// The grid finds where to begin: for every cell, and every pair of the best cells, rates and backgrounds come in closed form from
// weighted least squares. It is only a proposal; the posterior is made by importance sampling.
type grid struct {
	sc     *scene
	rows   []int // the samples used: all, or every n-th
	weight []float64
	r      []float64                   // value minus the sensor's base
	ax     [len(gridBias)][][2]float64 // cosine and sine of the plume's axis at each row, from east, by heading
	lambda float64
	plain  *dispersion.Bent
	backs  normals   // what backgrounds answer to a column, eliminated once; see solveBackgrounds
	pool   sync.Pool // of *answer
	ground []looked  // of the cells of the domain, after they were first scored
}

// looked is what of a cell does not hang on what is already explained: its columns by heading, with the backgrounds projected out, and by how much a unit rate there
// raises the samples.
type looked struct {
	columns [len(gridBias)][]float64
	snr2    float64
}

// The grid looks at three headings of the plume, one sigma of the prior apart.
var gridBias = [3]float64{-priorBias[1], 0, priorBias[1]}

// asMeasured is the heading among them that is the wind's own.
const asMeasured = 1

// The grid looks at so many samples at most, evenly spread; at fewer paths, which cost more.
const maxGridRows, maxGridPaths = 600, 350

func newGrid(sc *scene) *grid {
	g := &grid{sc: sc, plain: dispersion.Shape{}.Bend()}
	paths := 0
	for _, s := range sc.s {
		if s.IsPath {
			paths++
		}
	}
	stride := max((paths+maxGridPaths-1)/maxGridPaths, (len(sc.s)+maxGridRows-1)/maxGridRows, 1)
	for i := range sc.s {
		if v := sc.obs[i]; v.Amount == v.Amount && (stride == 1 || i%stride == 0) {
			y, sd := v.Amount, sc.noise
			if v.SD > 0 {
				sd = math.Hypot(sd, v.SD)
			}
			if v.Below {
				y, sd = y/2, max(sd, y/2)
			}
			r := y - sc.base
			model := sc.sd.fluctuation * max(r, 0)
			w := 1 / (sd*sd + model*model)
			g.rows = append(g.rows, i)
			g.weight = append(g.weight, w)
			g.r = append(g.r, r)
		}
	}
	for k, bias := range gridBias {
		g.ax[k] = make([][2]float64, len(g.rows))
		for n, i := range g.rows {
			c, s := sc.plumes[i].Downwind(1, 0, bias)
			g.ax[k][n] = [2]float64{c, -s}
		}
	}
	g.solveBackgrounds()
	// The evidence of the grid counts as 60 independent samples at most: its weights are flat enough to miss no mode.
	g.lambda = min(1, 60/float64(len(g.rows)))
	return g
}

// column is the unit-rate column of a cell for one of the headings, with the backgrounds projected out; nil where no sample sees it.
func (g *grid) column(c cell, heading int) []float64 {
	out, seen := g.unit(c, heading)
	if !seen {
		return nil
	}
	g.project(out)
	return out
}

// unit is the unit-rate column as it is.
func (g *grid) unit(c cell, heading int) (out []float64, seen bool) {
	sc := g.sc
	out = make([]float64, len(g.rows))
	h := math.Exp(priorLnH[0])
	for k, i := range g.rows {
		s, ax := &sc.s[i], &g.ax[heading][k]
		dx, dy := s.At[0]-c.x, s.At[1]-c.y
		x, y := dx*ax[0]+dy*ax[1], dy*ax[0]-dx*ax[1]
		switch {
		case s.IsPath:
			ex, ey := s.To[0]-c.x, s.To[1]-c.y
			out[k] = sc.plumes[i].PathMean(x, y, s.At[2], ex*ax[0]+ey*ax[1], ey*ax[0]-ex*ax[1], s.To[2], h, g.plain, c.side/3).C
		case x > 0:
			out[k] = sc.plumes[i].At(x, y, s.At[2], h, g.plain, c.side/3).C
		}
		seen = seen || out[k] > 0
	}
	return out, seen
}

// solveBackgrounds eliminates the backgrounds, that drift as they usually do, once for all columns: what they answer hangs on the weights alone.
func (g *grid) solveBackgrounds() {
	sc, m := g.sc, errorModel{tau: g.sc.tau, commonSD: g.sc.baseSD, walk: g.sc.usualDrift()}
	weight := make([]float64, len(sc.s))
	for k, i := range g.rows {
		weight[i] = g.weight[k]
	}
	g.backs = nil
	for d := range sc.records {
		r := &sc.records[d]
		a := newNormal(len(r.gap), len(r.sensors))
		a.begin(r, m)
		for j, sensor := range r.sensors {
			for _, i := range sc.bySensor[sensor] {
				if weight[i] > 0 {
					a.add(j, sc.node[i]-r.first, sc.between[i], weight[i], 0)
				}
			}
		}
		a.eliminate()
		g.backs = append(g.backs, a)
	}
	g.pool = sync.Pool{New: func() any {
		return &answer{base: make([]float64, sc.sensors), drift: make([]float64, sc.nodes)}
	}}
}

// answer is what backgrounds answer to a column.
type answer struct{ base, drift []float64 }

// project takes out of a column what backgrounds could stand for.
func (g *grid) project(out []float64) {
	sc, a := g.sc, g.pool.Get().(*answer)
	clear(a.base)
	clear(a.drift)
	for k, i := range g.rows {
		if v := g.weight[k] * out[k]; v != 0 {
			a.base[sc.sensor[i]] += v
			if n, f := sc.node[i], sc.between[i]; n >= 0 {
				a.drift[n] += v * (1 - f)
				a.drift[n+1] += v * f
			}
		}
	}
	for d := range sc.records {
		r := &sc.records[d]
		g.backs[d].respond(r.sensors, a.base, a.drift[r.first:r.first+len(r.gap)])
	}
	for k, i := range g.rows {
		b := a.base[sc.sensor[i]]
		if n, f := sc.node[i], sc.between[i]; n >= 0 {
			b += (1-f)*a.drift[n] + f*a.drift[n+1]
		}
		out[k] -= b
	}
	g.pool.Put(a)
}

func (g *grid) dot(a, b []float64) float64 {
	var s float64
	for k, w := range g.weight {
		s += w * a[k] * b[k]
	}
	return s
}

// pairGain is the drop of half the misfit by two columns with rates of at least zero, and the rates.
func pairGain(a11, a12, a22, b1, b2 float64) (gain, q1, q2 float64) {
	one := func(a, b float64) (float64, float64) {
		if b <= 0 || a <= 0 {
			return 0, 0
		}
		return b * b / (2 * a), b / a
	}
	det := a11*a22 - a12*a12
	if det > 1e-9*a11*a22 { // below that the two columns are one to nine digits
		q1, q2 = (a22*b1-a12*b2)/det, (a11*b2-a12*b1)/det
		if q1 > 0 && q2 > 0 {
			return 0.5 * (q1*b1 + q2*b2), q1, q2
		}
	}
	g1, r1 := one(a11, b1)
	g2, r2 := one(a22, b2)
	if g1 >= g2 {
		return g1, r1, 0
	}
	return g2, 0, r2
}

// lnRatePrior is the prior of a rate relative to its top; no rate costs nothing.
func lnRatePrior(q float64) float64 {
	if q <= 0 {
		return 0
	}
	d := (math.Log(q) - priorLnQ[0]) / priorLnQ[1]
	return -0.5 * d * d
}

// scored is a cell with what the grid says of it, per heading of the plume.
type scored struct {
	cell
	gain [len(gridBias)]float64
	rate [len(gridBias)]float64
	ln   float64 // ln of area times tempered mean likelihood
}

// given is a column already explained, per heading; nil for the first source.
type given *[len(gridBias)][]float64

func (g *grid) score(c cell, have given) scored {
	l := g.look(c)
	return g.scoreLooked(c, &l, have)
}

// look follows the plumes of a cell.
func (g *grid) look(c cell) (l looked) {
	for k := range gridBias {
		out, seen := g.unit(c, k)
		if !seen {
			continue
		}
		if k == asMeasured {
			l.snr2 = g.raises(out)
		}
		g.project(out)
		l.columns[k] = out
	}
	return l
}

func (g *grid) scoreLooked(c cell, l *looked, have given) scored {
	s := scored{cell: c}
	terms := make([]float64, len(gridBias))
	for k, a := range l.columns {
		switch {
		case a == nil:
		case have == nil || have[k] == nil:
			s.gain[k], s.rate[k], _ = pairGain(g.dot(a, a), 0, 0, g.dot(a, g.r), 0)
		default:
			h := have[k]
			s.gain[k], s.rate[k], _ = pairGain(g.dot(a, a), g.dot(a, h), g.dot(h, h), g.dot(a, g.r), g.dot(h, g.r))
		}
		terms[k] = g.lambda*s.gain[k] + lnRatePrior(s.rate[k])
	}
	s.ln = numeric.LogSumExp(terms...) + math.Log(c.area())
	return s
}

func (g *grid) scoreAll(cells []cell, have given) []scored {
	out := make([]scored, len(cells))
	numeric.Each(len(cells), func(i int) { out[i] = g.score(cells[i], have) })
	return out
}

// The best cells are quartered so often.
const refineCells, refineRounds = 48, 4

// refine scores the domain and quarters the best cells. Densities, not masses, decide which are best.
func (g *grid) refine(d *domain, have given) []scored {
	if g.ground == nil {
		g.ground = make([]looked, len(d.cells))
		numeric.Each(len(d.cells), func(i int) { g.ground[i] = g.look(d.cells[i]) })
	}
	all := make([]scored, len(d.cells))
	numeric.Each(len(d.cells), func(i int) { all[i] = g.scoreLooked(d.cells[i], &g.ground[i], have) })
	density := func(a, b scored) int {
		return int(sign((b.ln - 2*math.Log(b.side)) - (a.ln - 2*math.Log(a.side))))
	}
	for range refineRounds {
		slices.SortStableFunc(all, density)
		n := min(refineCells, len(all))
		var next []cell
		var rest []scored
		for _, s := range all[:n] {
			if s.side > max(0.02*d.nearest(s.x, s.y), 0.4) {
				q := s.quarters()
				next = append(next, q[:]...)
			} else {
				rest = append(rest, s)
			}
		}
		all = append(append(g.scoreAll(next, have), rest...), all[n:]...)
	}
	slices.SortStableFunc(all, func(a, b scored) int { return int(sign(b.ln - a.ln)) })
	return all
}

// A hypothesis is a start for a climb: one cell a source, with rates and heading, and its weight.
type hypothesis struct {
	cells  []cell
	lnRate []float64
	bias   float64
	ln     float64 // of its mass
	peak   float64 // of its density, at the best heading
}

func (s scored) hypothesis() hypothesis {
	k := 0
	for j := range s.gain {
		if s.gain[j] > 0 && lnRatePrior(s.rate[j])+s.gain[j] > lnRatePrior(s.rate[k])+s.gain[k] {
			k = j
		}
	}
	return hypothesis{cells: []cell{s.cell}, lnRate: []float64{lnRate(s.rate[k])}, bias: gridBias[k], ln: s.ln, peak: s.gain[k] + lnRatePrior(s.rate[k])}
}

func lnRate(q float64) float64 {
	if q <= 0 {
		return priorLnQ[0]
	}
	return math.Log(q)
}

func singles(all []scored) []hypothesis {
	out := make([]hypothesis, len(all))
	for i, s := range all {
		out[i] = s.hypothesis()
	}
	return highest(out)
}

// highest puts the hypotheses of the greatest density first: where to climb from. Mass would prefer wide empty cells.
func highest(h []hypothesis) []hypothesis {
	slices.SortStableFunc(h, func(a, b hypothesis) int { return int(sign(b.peak - a.peak)) })
	return h
}

// maxPairCells bounds the cells that are paired with each other.
const maxPairCells = 120

// pairs tries every pair among the best single cells and the best second cells beside each of the best three singles.
func (g *grid) pairs(d *domain, all []scored) []hypothesis {
	pool := append([]scored(nil), all[:min(maxPairCells/3, len(all))]...)
	for n, first := range modes(all, 3) {
		var have [len(gridBias)][]float64
		for k := range gridBias {
			have[k] = g.column(first.cell, k)
		}
		second := g.refine(d, &have)
		if n == 0 {
			second = second[:min(maxPairCells/3, len(second))]
		} else {
			second = second[:min(maxPairCells/6, len(second))]
		}
		for _, s := range second {
			if !slices.ContainsFunc(pool, func(p scored) bool { return p.cell == s.cell }) {
				pool = append(pool, s)
			}
		}
	}
	m := len(pool)
	type entry struct {
		col  []float64
		a, b float64
	}
	e := make([][len(gridBias)]entry, m)
	numeric.Each(m, func(i int) {
		for k := range gridBias {
			if a := g.column(pool[i].cell, k); a != nil {
				e[i][k] = entry{a, g.dot(a, a), g.dot(a, g.r)}
			}
		}
	})
	rowsOut := make([][]hypothesis, m)
	numeric.Each(m, func(i int) {
		for j := i + 1; j < m; j++ {
			h := hypothesis{cells: []cell{pool[i].cell, pool[j].cell}, lnRate: []float64{priorLnQ[0], priorLnQ[0]}}
			best := 0.0
			terms := make([]float64, len(gridBias))
			for k := range gridBias {
				p, q := e[i][k], e[j][k]
				if p.col == nil || q.col == nil {
					continue
				}
				gain, q1, q2 := pairGain(p.a, g.dot(p.col, q.col), q.a, p.b, q.b)
				terms[k] = g.lambda*gain + lnRatePrior(q1) + lnRatePrior(q2)
				if gain > best && q1 > 0 && q2 > 0 {
					best, h.bias, h.lnRate[0], h.lnRate[1] = gain, gridBias[k], lnRate(q1), lnRate(q2)
					h.peak = gain + lnRatePrior(q1) + lnRatePrior(q2)
				}
			}
			if best > 0 {
				h.ln = numeric.LogSumExp(terms...) + math.Log(pool[i].area()) + math.Log(pool[j].area())
				rowsOut[i] = append(rowsOut[i], h)
			}
		}
	})
	return highest(slices.Concat(rowsOut...))
}

// modes are the n best cells that are no neighbours of a better one.
func modes(all []scored, n int) []scored {
	var out []scored
	for _, s := range all {
		near := slices.ContainsFunc(out, func(o scored) bool {
			return math.Hypot(o.x-s.x, o.y-s.y) < 2*(o.side+s.side)
		})
		if !near {
			out = append(out, s)
		}
		if len(out) == n {
			break
		}
	}
	return out
}
