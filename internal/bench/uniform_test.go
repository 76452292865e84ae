package bench

import (
	"math"
	"testing"

	"github.com/atalaya-isr/atalaya/numeric"
)

// The values that Marsaglia, Tsang and Wang give for P(D(10) < 0.274) (2003, section 3), 0.6284796154565043, and Simard and L'Ecuyer's law of the
// extremes: P(D(n) ≥ d) = 2(1-d)^n for d ≥ 1 - 1/n, and n!·(2d-1/n)^n below d = 1/n (2011, equation 6, the Ruben-Gambino formulas).
func TestKolmogorovIsExact(t *testing.T) {
	for _, row := range []struct {
		n       int
		d, want float64
	}{
		{10, 0.274, 1 - 0.6284796154565043},
		{10, 0.95, 2 * math.Pow(0.05, 10)},
		{4, 0.8, 2 * math.Pow(0.2, 4)},
		{5, 0.15, 1 - 120*math.Pow(0.1, 5)},
		{1, 0.7, 0.6},
		{3, 0.1, 1},
		{3, 1, 0},
	} {
		got := kolmogorovP(row.n, row.d)
		// The matrix gives 1 - p to 13 digits (as its authors say); of p itself 1e-12 absolute is left, and the tail is relative.
		if math.Abs(got-row.want) > 1e-12+1e-10*row.want*boolF(float64(row.n)*row.d*row.d > 4) {
			t.Errorf("P(D(%d) ≥ %g) = %.15g, want %.15g", row.n, row.d, got, row.want)
		}
	}
	// Both ways agree where they meet: the relative error of either is below 1e-9 there, where p is about 7e-4.
	for _, n := range []int{50, 200, 1000} {
		d := 2 / math.Sqrt(float64(n))
		a, b := 1-kolmogorovCDF(n, d), 2*smirnovP(n, d)
		if math.Abs(a-b) > 1e-9 {
			t.Errorf("n = %d: %.12g by the matrix, %.12g by the one-sided law", n, a, b)
		}
	}
}

func boolF(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// A toy whose posterior is known exactly: one normal truth of prior N(0,1) seen once with unit noise has the posterior N(y/2, 1/2). The same posterior,
// narrowed or moved, must be caught.
func TestRanksOfAnExactPosteriorAreUniformAndOthersAreCaught(t *testing.T) {
	const surveys, draws = 300, 200
	ranks := func(narrow, moved float64) Ranks {
		s := numeric.NewStream(7, 1)
		var u []float64
		for range surveys {
			truth := s.Normal()
			y := truth + s.Normal()
			d := make([]float64, draws)
			for k := range d {
				d[k] = y/2 + moved*math.Sqrt(0.5) + narrow*math.Sqrt(0.5)*s.Normal()
			}
			u = append(u, rankOf(truth, d, s))
		}
		return uniform("toy", u)
	}
	// At a fixed seed: a right posterior passes at the gate's level, as it does at 98 of 100 seeds.
	if r := ranks(1, 0); !(r.ChiP > gateP && r.KSP > gateP) || math.Abs(r.Shift) > 3 || math.Abs(r.Spread-1) > 0.1 {
		t.Errorf("an exact posterior fails: %+v", r)
	}
	// 300 ranks of a posterior narrowed to 1/1.8: the shares of the outer bins are then doubled, χ² about 150 of 19.
	if r := ranks(1/1.8, 0); r.ChiP > gateP || r.Spread < 1.1 {
		t.Errorf("an over-confident posterior passes: %+v", r)
	}
	if r := ranks(1.8, 0); r.ChiP > gateP || r.Spread > 0.9 {
		t.Errorf("an over-wide posterior passes: %+v", r)
	}
	// Moved by half a deviation: the mean rank by 0.14, eight of its deviations.
	if r := ranks(1, 0.5); r.KSP > gateP || r.Shift > -3 {
		t.Errorf("a moved posterior passes: %+v", r)
	}
}

// Ranks of equal draws are spread by chance, and no draws have no rank.
func TestTiesArePartedFairly(t *testing.T) {
	s := numeric.NewStream(1, 2)
	var sum float64
	const n = 2000
	for range n {
		sum += rankOf(1, []float64{0, 1, 1, 2}, s) // 1 of 5 below, then three fifths of chance: mean 1/5 + 3/10
	}
	if mean := sum / n; math.Abs(mean-0.5) > 5*0.6/math.Sqrt(12*n) {
		t.Errorf("mean rank %g, want 0.5", mean)
	}
	if !math.IsNaN(rankOf(1, nil, s)) {
		t.Error("a rank among no draws")
	}
}

// P-values themselves are uniform: the 5 % of 400 uniform sets that lie below 0.05 are 20, within 4 deviations of √(400·.05·.95) = 4.4.
func TestPValuesHoldTheirLevel(t *testing.T) {
	s := numeric.NewStream(3, 3)
	var chi, ks int
	for range 400 {
		u := make([]float64, 60)
		for i := range u {
			u[i] = s.Float64()
		}
		r := uniform("u", u)
		if r.ChiP < 0.05 {
			chi++
		}
		if r.KSP < 0.05 {
			ks++
		}
	}
	for name, k := range map[string]int{"chi-square": chi, "Kolmogorov-Smirnov": ks} {
		if k < 3 || k > 37 {
			t.Errorf("%s: %d of 400 below 0.05", name, k)
		}
	}
}

// 0.9 said of what comes true half of the time errs by 0.4; said rightly it errs by no more than chance does.
func TestCalibrationErrorCountsWhatItSays(t *testing.T) {
	s := numeric.NewStream(5, 5)
	said, over, right := make([]float64, 400), make([]bool, 400), make([]bool, 400)
	for i := range said {
		said[i], over[i], right[i] = 0.9, i%2 == 0, s.Float64() < 0.9
	}
	if r := reliable(said, over); math.Abs(r.Error-0.4) > 1e-9 || r.IfRight95 > 0.1 || len(r.Bins) != 1 || r.Bins[0].True != 200 {
		t.Errorf("%+v", r)
	}
	if r := reliable(said, right); r.Error > r.IfRight95+0.02 {
		t.Errorf("%+v", r)
	}
}
