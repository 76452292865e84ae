package fingerprint

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// NNLS finds the x ≥ 0 that makes ‖a·x - b‖ least, by the active-set method of Lawson and Hanson (1974, Solving Least
// Squares Problems, chapter 23, algorithm NNLS). Columns that depend on each other share nothing: the one that enters first
// stays alone. It panics where the sizes of a and b do not agree.
func NNLS(a mat.Matrix, b []float64) []float64 {
	rows, cols := a.Dims()
	if rows != len(b) {
		panic("fingerprint: NNLS: a has not as many rows as b")
	}
	s := nonNegative{a: mat.DenseCopyOf(a), b: mat.NewVecDense(rows, slices.Clone(b)), x: make([]float64, cols), shut: make([]bool, cols)}
	// Gradients below the rounding of the sums that make them are zero: n·u·‖column‖·‖b‖ (Higham 2002, section 3.1).
	s.tolerance = 8 * float64(rows) * 0x1p-53 * max(mat.Norm(s.b, 2), math.SmallestNonzeroFloat64)
	for range 3*cols + 10 { // the method ends by itself; the bound guards against rounding that makes it turn in a circle
		if !s.enter() {
			break
		}
		s.settle()
	}
	return s.x
}

type nonNegative struct {
	a         *mat.Dense
	b         *mat.VecDense
	x         []float64
	open      []int  // columns that may be above zero
	shut      []bool // columns that cannot enter before another has left
	tolerance float64
}

// enter opens the column along which the fit improves fastest, and reports false where none improves it.
func (s *nonNegative) enter() bool {
	rows, cols := s.a.Dims()
	residual := mat.NewVecDense(rows, nil)
	residual.MulVec(s.a, mat.NewVecDense(cols, s.x))
	residual.SubVec(s.b, residual)
	best, most := -1, 0.0
	for j := range cols {
		if s.shut[j] || slices.Contains(s.open, j) {
			continue
		}
		col := s.a.ColView(j)
		norm := mat.Norm(col, 2)
		if norm == 0 {
			continue
		}
		if g := mat.Dot(col, residual) / norm; g > s.tolerance && g > most {
			best, most = j, g
		}
	}
	if best < 0 {
		return false
	}
	s.open = append(s.open, best)
	if z := s.solve(); z == nil || z[len(z)-1] <= 0 { // it depends on the open ones, or rounding alone let it in
		s.open = s.open[:len(s.open)-1]
		s.shut[best] = true
		return s.enter()
	}
	return true
}

// settle moves to the least-squares solution of the open columns, and closes those that reach zero on the way.
func (s *nonNegative) settle() {
	for len(s.open) > 0 {
		z := s.solve()
		if z == nil {
			return // the columns became dependent by rounding: what stands is feasible
		}
		step := 1.0
		for i, j := range s.open {
			if z[i] <= 0 {
				step = min(step, s.x[j]/(s.x[j]-z[i]))
			}
		}
		var stay []int
		for i, j := range s.open {
			s.x[j] += step * (z[i] - s.x[j])
			if z[i] <= 0 && s.x[j] <= 1e-12*math.Abs(z[i]) || s.x[j] <= 0 {
				s.x[j] = 0
				continue
			}
			stay = append(stay, j)
		}
		if len(stay) == len(s.open) {
			return
		}
		s.open = stay
		clear(s.shut)
	}
}

// solve is least squares over the open columns, nil where they depend on each other.
func (s *nonNegative) solve() []float64 {
	rows, _ := s.a.Dims()
	if len(s.open) > rows {
		return nil
	}
	sub := mat.NewDense(rows, len(s.open), nil)
	scale := make([]float64, len(s.open)) // columns of length one: what depends on what is then a matter of angles
	for i, j := range s.open {
		scale[i] = mat.Norm(s.a.ColView(j), 2)
		for r := range rows {
			sub.Set(r, i, s.a.At(r, j)/scale[i])
		}
	}
	var qr mat.QR
	qr.Factorize(sub)
	if qr.Cond() > 1e12 {
		return nil
	}
	z := mat.NewVecDense(len(s.open), nil)
	if qr.SolveVecTo(z, false, s.b) != nil {
		return nil
	}
	out := z.RawVector().Data
	for i := range out {
		out[i] /= scale[i]
	}
	return out
}
