package numeric

import (
	"fmt"
	"math"
	"runtime"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

func ExampleBinomialInterval() {
	lo, hi := BinomialInterval(9, 10, 0.95)
	fmt.Printf("%.3f %.3f\n", lo, hi)
	// Output: 0.555 0.997
}

func TestStudentT4CDFAgreesWithGonum(t *testing.T) {
	d := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: 4}
	for _, x := range []float64{-40, -3, -1, -0.2, 0, 0.7, 2, 9} {
		// Both are a handful of float64 operations on numbers below one; gonum's continued fraction stops at about 1e-12.
		if got, want := StudentT4CDF(x), d.CDF(x); math.Abs(got-want) > 1e-11 {
			t.Errorf("F(%v) = %v, want %v", x, got, want)
		}
	}
}

// Far out the law is 3/t⁴ but for a share of 10/t² (the next term of its series).
func TestStudentT4TailsKeepTheirPrecision(t *testing.T) {
	for _, x := range []float64{-1e3, -1e5, -1e9} {
		if got, want := StudentT4CDF(x), 3/(x*x*x*x); math.Abs(got/want-1) > 10/(x*x)+1e-14 {
			t.Errorf("F(%v) = %v, want %v", x, got, want)
		}
		if got, want := StudentT4Below(x*3, 9), StudentT4CDF(x); math.Abs(got/want-1) > 1e-14 {
			t.Errorf("scaled by three: %v, want %v", got, want)
		}
	}
}

func TestLogSumExp(t *testing.T) {
	if got := LogSumExp(1000, 1000); math.Abs(got-1000-math.Ln2) > 1e-12 { // one rounding of a number near 1000 is 1e-13
		t.Errorf("two equal terms: %v", got)
	}
	if got := LogSumExp(); !math.IsInf(got, -1) {
		t.Errorf("no terms: %v, want -Inf", got)
	}
}

func TestQuantileOfOrderStatistics(t *testing.T) {
	x := []float64{4, 1, 3, 2}
	for _, c := range []struct{ p, want float64 }{{0, 1}, {0.5, 2.5}, {1, 4}, {1. / 3, 2}} {
		if got := Quantile(x, c.p); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("quantile %v = %v, want %v", c.p, got, c.want)
		}
	}
}

// An AR(1) series of coefficient r has an effective share of (1-r)/(1+r).
func TestEffectiveShareOfAutoregression(t *testing.T) {
	for _, r := range []float64{0, 0.5, 0.9} {
		s := NewStream(1, 7)
		x := make([]float64, 20000)
		for i := 1; i < len(x); i++ {
			x[i] = r*x[i-1] + s.Normal()
		}
		got, want := EffectiveShare([][]float64{x}), (1-r)/(1+r)
		// Sampling error of the summed correlations is about 10 % at this length (Sokal 1997, eq. 3.19).
		if got < 0.75*want || got > 1.25*want {
			t.Errorf("r=%v: share %v, want %v", r, got, want)
		}
	}
}

func TestEachDoesNotDependOnCores(t *testing.T) {
	run := func(procs int) [50]float64 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		var out [50]float64
		Each(len(out), func(i int) { out[i] = NewStream(3, uint64(i)).Normal() })
		return out
	}
	if run(1) != run(4) {
		t.Error("the same blocks gave other numbers on more cores")
	}
}
