package source

import (
	"math"
	"testing"
)

// Factors of a likelihood that leave the range of a float between them, and within it, have the logarithm of their product.
func TestTheLogarithmOfAProductIsTheSumOfLogarithms(t *testing.T) {
	for name, factors := range map[string][]float64{
		"none":             nil,
		"small":            {1e-300, 1e-300, 1e-300},
		"large":            {1e300, 1e300, 1e10},
		"both":             {1e-300, 1e300, 1e-200, 1e250, 3},
		"a thousand tiny":  repeated(1e-3, 1000),
		"a thousand usual": repeated(1.0001, 1000),
	} {
		l, want := logProduct{rest: 1}, 0.0
		for _, f := range factors {
			l.times(f)
			want += math.Log(f)
		}
		// Each factor adds a rounding of 1.1e-16 of its product and one of the sum.
		if got := l.ln(); math.Abs(got-want) > 3e-16*float64(len(factors))*(1+math.Abs(want)) {
			t.Errorf("%s: %.17g, want %.17g", name, got, want)
		}
	}
}

func repeated(f float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = f
	}
	return out
}
