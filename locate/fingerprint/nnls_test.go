package fingerprint

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/atalaya-isr/atalaya/numeric"
)

// byHand tries every set of open columns and takes the best that is feasible: the definition of the problem.
func byHand(a *mat.Dense, b []float64) float64 {
	rows, cols := a.Dims()
	best := mat.Norm(mat.NewVecDense(rows, b), 2)
	for set := 1; set < 1<<cols; set++ {
		s := nonNegative{a: a, b: mat.NewVecDense(rows, b), x: make([]float64, cols)}
		for j := range cols {
			if set>>j&1 == 1 {
				s.open = append(s.open, j)
			}
		}
		z := s.solve()
		feasible := z != nil
		x := make([]float64, cols)
		for i, j := range s.open {
			if z != nil {
				feasible = feasible && z[i] >= 0
				x[j] = z[i]
			}
		}
		if feasible {
			best = min(best, misfit(a, x, b))
		}
	}
	return best
}

func misfit(a *mat.Dense, x, b []float64) float64 {
	var r mat.VecDense
	r.MulVec(a, mat.NewVecDense(len(x), x))
	r.SubVec(&r, mat.NewVecDense(len(b), b))
	return mat.Norm(&r, 2)
}

func TestNNLSAgainstEveryActiveSet(t *testing.T) {
	for n := range 400 {
		r := numeric.NewStream(11, uint64(n))
		rows, cols := 1+r.IntN(7), 1+r.IntN(6)
		a := mat.NewDense(rows, cols, nil)
		for i := range rows {
			for j := range cols {
				if r.Float64() < 0.7 { // profiles are sparse
					a.Set(i, j, math.Exp(3*r.Normal())*map[bool]float64{true: 1, false: -1}[n%2 == 0 || r.Float64() < 0.5])
				}
			}
		}
		if cols > 1 && n%5 == 0 { // near twins do occur
			for i := range rows {
				a.Set(i, cols-1, a.At(i, 0))
			}
		}
		b := make([]float64, rows)
		for i := range b {
			b[i] = 3 * r.Normal()
		}
		x := NNLS(a, b)
		for j, v := range x {
			if !(v >= 0) {
				t.Fatalf("case %d: x[%d] = %g", n, j, v)
			}
		}
		got, want := misfit(a, x, b), byHand(a, b)
		// Both solve by QR with a condition of at most 1e12 of unit columns; a misfit moves with the square of what is lost in x,
		// so a part in 1e9 of the right side is generous.
		if got > want+1e-9*(1+mat.Norm(mat.NewVecDense(rows, b), 2)) {
			t.Errorf("case %d (%d x %d): misfit %g, the best active set has %g", n, rows, cols, got, want)
		}
	}
}

func TestNNLSFindsWhatWasMixed(t *testing.T) {
	a := mat.NewDense(4, 3, []float64{.7, 0, .1, .2, .1, .1, .1, .6, .1, 0, .3, .7})
	want := []float64{2, 0, 5}
	b := make([]float64, 4)
	for i := range b {
		for j, w := range want {
			b[i] += w * a.At(i, j)
		}
	}
	for j, v := range NNLS(a, b) {
		if math.Abs(v-want[j]) > 1e-12 { // condition near 2, sums of three terms
			t.Errorf("x[%d] = %g, mixed %g", j, v, want[j])
		}
	}
	if x := NNLS(a, []float64{-1, -1, -1, -1}); x[0]+x[1]+x[2] != 0 {
		t.Errorf("of a negative right side: %v", x)
	}
	if x := NNLS(mat.NewDense(2, 2, nil), []float64{1, 1}); x[0]+x[1] != 0 {
		t.Errorf("of columns of zeros: %v", x)
	}
}
