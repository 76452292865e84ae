package source

import (
	"math"

	"github.com/atalaya-isr/atalaya/numeric"
	"gonum.org/v1/gonum/mat"
)

// rates gives, for every compound and source, one rate a draw. The compound that the geometry was solved on has its own; each
// other one is a further rate on the same columns, drawn from its normal distribution given the draw, zero or more.
// The error of the wind speed scales all alike.
func (sc *scene) rates(draws []theta, have held, lambda float64, s *numeric.Stream) map[string][][]float64 {
	k := draws[0].sources()
	out := map[string][][]float64{}
	speed := make([]float64, len(draws))
	for i := range speed {
		speed[i] = math.Exp(windSpeed*s.Normal() - 0.5*windSpeed*windSpeed)
	}
	for m, name := range sc.survey.Compounds {
		r := make([][]float64, k)
		if m == sc.primary {
			for j := range k {
				for i, t := range draws {
					r[j] = append(r[j], speed[i]*math.Exp(t.source(j)[iLnQ]))
				}
			}
		} else {
			r = sc.otherRates(m, draws, have, speed, lambda, s)
		}
		out[name] = r
	}
	return out
}

// otherDraws bounds the draws on which further compounds are solved.
const otherDraws = 200

// otherRates gives the rates of compound m. Two compounds in one sample have come by the same air: their excesses are in the ratio of
// their rates whatever the plume did, so the further compound is regressed on the measured excess of the first, not on the model's
// columns, and ratios carry instrument error only. With several sources each sample's excess is shared out as the draw's columns say.
func (sc *scene) otherRates(m int, draws []theta, have held, speed []float64, lambda float64, s *numeric.Stream) [][]float64 {
	other := *sc
	other.look(m)
	w := sc.newWork()
	under := sc.fit(w, draws[0], have, lambda).under
	k := draws[0].sources()
	out := make([][]float64, k)
	stride := max(len(draws)/otherDraws, 1)
	for i := 0; i < len(draws); i += stride {
		t := draws[i]
		g := other.paired(sc, t, under, w)
		cols := g.columns
		slope := 0.0
		for range 3 { // the error of the first compound counts by the slope, which it bends
			g.weigh(slope)
			if aa := g.dot(cols[0], cols[0]); aa > 0 && k == 1 {
				slope = max(g.dot(cols[0], g.r)/aa, 0)
			}
		}
		g.solveBackgrounds()
		projected := make([][]float64, k)
		for j := range cols {
			projected[j] = append([]float64(nil), cols[j]...)
			g.project(projected[j])
		}
		q := conditionalRates(&g.grid, projected, sc.apart*lambda, s)
		for j := range k {
			out[j] = append(out[j], speed[i]*q[j]*math.Exp(t.source(j)[iLnQ]))
		}
	}
	return out
}

// pairing is a regression of one compound on another.
type pairing struct {
	grid
	columns [][]float64 // the first compound's excess, shared among the sources
	sd, sd1 []float64   // of the compound, and of the first
}

// paired makes the regression of other's compound on the first one's measured excess over its backgrounds.
func (other *scene) paired(first *scene, t theta, under []float64, w *work) *pairing {
	g := &pairing{grid: grid{sc: other}}
	k := t.sources()
	shares := make([][]float64, k)
	for j := range k {
		if k > 1 {
			w.clear()
			src := t.source(j)
			other.column(w, t.shared()[jLag], src[iX], src[iY], math.Exp(src[iLnH]), math.Exp(src[iLnQ]), t.shape(), 0)
			for i := range w.at {
				shares[j] = append(shares[j], w.at[i].C)
			}
		}
	}
	g.columns = make([][]float64, k)
	for i := range other.s {
		y, x := other.obs[i], first.obs[i]
		if y.Amount != y.Amount || x.Amount != x.Amount || y.Below && x.Below {
			continue
		}
		value := func(v Value, noise float64) (float64, float64) {
			if v.Below { // somewhere below the bound
				return v.Amount / 2, math.Hypot(noise, v.Amount/2)
			}
			return v.Amount, math.Hypot(noise, known(v.SD))
		}
		vy, sy := value(y, other.noise)
		vx, sx := value(x, first.noise)
		g.rows = append(g.rows, i)
		g.r = append(g.r, vy-other.base)
		g.sd, g.sd1 = append(g.sd, sy), append(g.sd1, sx)
		total := 0.0
		for j := range shares {
			if k > 1 {
				total += shares[j][i]
			}
		}
		for j := range k {
			share := 1 / float64(k)
			if total > 0 {
				share = shares[j][i] / total
			}
			g.columns[j] = append(g.columns[j], share*(vx-under[i]))
		}
	}
	g.weight = make([]float64, len(g.rows))
	return g
}

// weigh sets the weights for a slope.
func (g *pairing) weigh(slope float64) {
	for k := range g.rows {
		g.weight[k] = 1 / (g.sd[k]*g.sd[k] + slope*slope*g.sd1[k]*g.sd1[k])
	}
}

// conditionalRates draws the rates on these columns, by rejection below zero. A column that no sample sees gives zero.
func conditionalRates(g *grid, cols [][]float64, lambda float64, s *numeric.Stream) []float64 {
	k := len(cols)
	gram, b := mat.NewSymDense(k, nil), mat.NewVecDense(k, nil)
	for i := range k {
		b.SetVec(i, lambda*g.dot(cols[i], g.r))
		for j := i; j < k; j++ {
			gram.SetSym(i, j, lambda*g.dot(cols[i], cols[j]))
		}
	}
	var chol mat.Cholesky
	q := make([]float64, k)
	if !chol.Factorize(gram) {
		return q
	}
	var mean mat.VecDense
	if chol.SolveVecTo(&mean, b) != nil {
		return q
	}
	var upper mat.TriDense
	chol.UTo(&upper)
	for range 200 {
		z, step := mat.NewVecDense(k, nil), mat.NewVecDense(k, nil)
		for i := range k {
			z.SetVec(i, s.Normal())
		}
		if step.SolveVec(&upper, z) != nil {
			break
		}
		ok := true
		for i := range k {
			q[i] = mean.AtVec(i) + step.AtVec(i)
			ok = ok && q[i] >= 0
		}
		if ok {
			return q
		}
	}
	for i := range q { // far below zero: the nearest allowed rate
		q[i] = max(mean.AtVec(i), 0)
	}
	return q
}

// explainedVariance is the part of the variance of y that a linear regression on x explains, and the whole.
func explainedVariance(draws []theta, y func(theta) float64, x func(theta) []float64) (explained, total float64) {
	n, d := len(draws), len(x(draws[0]))
	mx, my := make([]float64, d), 0.0
	for _, t := range draws {
		my += y(t) / float64(n)
		for j, v := range x(t) {
			mx[j] += v / float64(n)
		}
	}
	xx, xy := mat.NewSymDense(d, nil), mat.NewVecDense(d, nil)
	for _, t := range draws {
		v, dy := x(t), y(t)-my
		total += dy * dy / float64(n)
		for i := range d {
			xy.SetVec(i, xy.AtVec(i)+(v[i]-mx[i])*dy/float64(n))
			for j := i; j < d; j++ {
				xx.SetSym(i, j, xx.At(i, j)+(v[i]-mx[i])*(v[j]-mx[j])/float64(n))
			}
		}
	}
	for i := range d { // in deviations, so that what cannot be told apart is told from what is small
		if s := math.Sqrt(xx.At(i, i)); s > 0 {
			xy.SetVec(i, xy.AtVec(i)/s)
			for j := range d {
				v := xx.At(i, j) / s
				if i == j {
					v /= s
				}
				xx.SetSym(i, j, v)
			}
		}
	}
	var chol mat.Cholesky
	var beta mat.VecDense
	if !chol.Factorize(xx) || chol.SolveVecTo(&beta, xy) != nil {
		return 0, total
	}
	return mat.Dot(&beta, xy), total
}
