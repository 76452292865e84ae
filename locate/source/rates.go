package source

import (
	"math"

	"github.com/atalaya-isr/atalaya/numeric"
	"gonum.org/v1/gonum/mat"
)

// rates gives, for every compound and source, one rate a draw. The compound that the geometry was solved on has its own; each
// other one is a further rate on the same columns, drawn from its normal distribution given the draw, zero or more.
// The error of the wind speed scales all alike.
func (sc *scene) rates(draws []theta, lambda float64, s *numeric.Stream) map[string][][]float64 {
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
			r = sc.otherRates(m, draws, speed, lambda, s)
		}
		out[name] = r
	}
	return out
}

// otherDraws bounds the draws on which further compounds are solved.
const otherDraws = 200

func (sc *scene) otherRates(m int, draws []theta, speed []float64, lambda float64, s *numeric.Stream) [][]float64 {
	other := *sc
	other.look(m)
	g := newGrid(&other)
	k := draws[0].sources()
	out := make([][]float64, k)
	stride := max(len(draws)/otherDraws, 1)
	w := sc.newWork()
	for i := 0; i < len(draws); i += stride {
		t := draws[i]
		cols := make([][]float64, k)
		for j := range k {
			w.clear()
			src := t.source(j)
			sc.column(w, src[iX], src[iY], math.Exp(src[iLnH]), 1, t.shape(), 0)
			col := make([]float64, len(g.rows))
			for r, row := range g.rows {
				col[r] = w.c[row]
			}
			g.project(col)
			cols[j] = col
		}
		q := conditionalRates(g, cols, lambda, s)
		for j := range k {
			out[j] = append(out[j], speed[i]*q[j])
		}
	}
	return out
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
	var chol mat.Cholesky
	var beta mat.VecDense
	if !chol.Factorize(xx) || chol.SolveVecTo(&beta, xy) != nil {
		return 0, total
	}
	return mat.Dot(&beta, xy), total
}
