package source

import (
	"math"
	"testing"

	"github.com/atalaya-isr/atalaya/numeric"
)

func TestRatesAreCountedInEqualStepsOfTheirLogarithm(t *testing.T) {
	for claim, v := range map[string][]float64{"spread": {1, 2, 4, 8, 16, 0}, "one value": {3, 3, 3}, "none": {0, 0}, "wide": {1e-300, 1, 1e12}} {
		b := rateBins(v)
		n := b.Below + b.Above
		for _, c := range b.Counts {
			n += c
		}
		if n != len(v) || len(b.Counts) != rateSteps || math.IsNaN(b.LnFrom+b.LnStep) {
			t.Errorf("%s: %+v holds %d of %d draws", claim, b, n, len(v))
		}
	}
	even := make([]float64, 10_000) // ln uniform from 0 to 1: every step holds as many, but for the tails of one in a hundred each
	for i := range even {
		even[i] = math.Exp((float64(i) + 0.5) / float64(len(even)))
	}
	b := rateBins(even)
	for k, c := range b.Counts {
		if c < 489 || c > 491 { // 98 % of 10,000 in 20 steps is 490; one more or less where a step ends upon a draw
			t.Errorf("step %d holds %d", k, c)
		}
	}
	if zero := rateBins([]float64{0, 0, 5}); zero.Below != 2 {
		t.Errorf("%d draws of no rate, want 2", zero.Below)
	}
}

// Of draws that were made so: east leans on the wind's bias for 9/25 of its variance and north on nothing, ln rate on the width of the plume.
func TestLeaningsFindWhatTheDrawsLeanOn(t *testing.T) {
	const n = 4000
	s := numeric.NewStream(5, 1)
	draws := make([]theta, n)
	for i := range draws {
		d := make(theta, perSource+shared)
		for j := jAy; j < jTau; j++ { // jTau stays the same: a joint regression must bear that
			d.shared()[j] = s.Normal()
		}
		d[iLnH] = s.Normal()
		d[iX], d[iY] = 3*d.shared()[jBias]+4*s.Normal(), 0.001*s.Normal()
		d[iLnQ] = 0.1 * d.shared()[jAy]
		draws[i] = d
	}
	got := leanings(draws, 1)
	// The deviation of R² about 0.36 is 2·√0.36·0.64/√n = 0.012; of one about nothing, at most five columns give 5/n and a little: 0.005.
	want := map[string][2]float64{"wind direction": {9. / 25, 0}, "dispersion": {0, 0.5}, "source height": {0, 0}, "sensor lag": {0, 0}, "background": {0, 0}, "model error": {0, 0}, "wind speed": {0, 0.5}, "samples": {16. / 25, 0}}
	for _, a := range got {
		w := want[a.Name]
		if math.Abs(a.OfPlace-w[0]) > 0.05 || math.Abs(a.OfRate-w[1]) > 0.05 {
			t.Errorf("%s: %.3f of place, %.3f of rate, want %.2f and %.2f", a.Name, a.OfPlace, a.OfRate, w[0], w[1])
		}
	}
	if got[0].Name != "wind direction" || got[len(got)-1].Name != "samples" || len(got) != len(want) {
		t.Errorf("out of order: %+v", got)
	}
}
