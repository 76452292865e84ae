package source_test

import (
	"math"
	"os"
	"slices"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/numeric"
)

// throughPuffs measures anew what a survey of fixed instruments measured, in its wind, between its places and at its times, but in puffs that wander and
// are patchy. Its values are means over AveragingS seconds, centred.
func throughPuffs(in source.Input, truth []dispersion.Source, seed uint64) source.Input {
	const every, k1 = 0.5, 0.9 // seconds between puffs; memory of the mast's eddies over that
	g := in.Groups[0]
	g.Samples = slices.Clone(g.Samples)
	var times []float64
	for _, x := range g.Samples {
		if len(times) == 0 || x.TimeS > times[len(times)-1] {
			times = append(times, x.TimeS)
		}
	}
	at := func(i int) []source.Sample { // of one time; all instruments look at once
		n := len(g.Samples) / len(times)
		return g.Samples[i*n : (i+1)*n]
	}
	first := at(0)[0].Wind
	u := math.Hypot(first.U, first.V)
	sv, sw := u*first.SigmaTheta, u*first.SigmaPhi
	puffs := dispersion.NewPuffs(dispersion.PuffSettings{Sources: truth, EveryS: every, SigmaV: sv, SigmaW: sw, TimescaleS: 20, Intermittency: 0.3, KeepS: 60, // 200 m of wind, where the ground is 40 m wide
		Surface: dispersion.Surface{RoughnessM: 0.05}}, numeric.NewStream(seed, 8))
	s := numeric.NewStream(seed, 7)
	eddyU, eddyV, span := 0.0, 0.0, times[1]-times[0]
	for i := range times {
		here, next := at(i)[0].Wind, at(min(i+1, len(times)-1))[0].Wind
		sum := make([]float64, len(at(i)))
		var mu, mv, n float64
		for step := range int(span / every) {
			f := float64(step) * every / span // the wind turns steadily from one mean to the next
			wu, wv := here.U+f*(next.U-here.U), here.V+f*(next.V-here.V)
			puffs.Step(every, dispersion.Wind{U: wu, V: wv, HeightM: here.HeightM})
			eddyU = k1*eddyU + math.Sqrt(1-k1*k1)*sv*s.Normal()
			eddyV = k1*eddyV + math.Sqrt(1-k1*k1)*sv*s.Normal()
			mu, mv = mu+wu+eddyU, mv+wv+eddyV
			if step%8 != 0 || i == 0 && step < 120 { // the first minute fills the ground
				continue
			}
			n++
			for k, x := range at(i) {
				if x.IsPath {
					sum[k] += puffs.PathMean(x.At[0], x.At[1], x.At[2], x.To[0], x.To[1], x.To[2], 15)
				} else {
					sum[k] += puffs.At(x.At[0], x.At[1], x.At[2])
				}
			}
		}
		steps := math.Floor(span / every)
		for k := range at(i) {
			x := &at(i)[k]
			x.Wind.U, x.Wind.V = mu/steps, mv/steps
			x.Values = []source.Value{{Amount: 1.3e-6 + 1e-8*s.Normal() + sum[k]/n}} // 2 ppm of methane in kg/m³, and an instrument's noise
		}
	}
	in.Groups = []source.Survey{g}
	return in
}

// The plume check's instruments, wind and sources, seen through puffs: two sources at more than 0.8, both within 3 m, rates inside their 5 to 95 % intervals.
func TestThePlumeCheckThroughPuffs(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: no puffs were flown past")
	}
	in := read(t, fixture.Shared(t, "gas/plume-check/survey.csv"))
	truth := truthOf(t, fixture.Shared(t, "gas/plume-check/truth.json"))
	heights := []float64{2, 3}
	var sources []dispersion.Source
	for i, r := range truth {
		sources = append(sources, dispersion.Source{X: r.x, Y: r.y, Z: heights[i], RateKgS: r.rate})
	}
	seeds := 1
	if os.Getenv("ATALAYA_SOAK") != "" {
		seeds = 10
	}
	two, near, covered := 0, 0, 0
	for seed := range uint64(seeds) {
		g := locate(t, throughPuffs(in, sources, 100+seed))
		t.Logf("seed %d: count %.3f", 100+seed, g.Count["2"])
		if g.Count["2"] > 0.8 {
			two++
		}
		for _, want := range truth {
			best := math.Inf(1)
			var of source.Source
			for _, s := range g.Sources {
				if metres, _ := miss(s, want); metres < best {
					best, of = metres, s
				}
			}
			q := of.RateKgS["ch4"]
			t.Logf("  the source at %g, %g: %.1f m off, rate %.2f of the truth [%.2f, %.2f]", want.x, want.y, best, q.P50/want.rate, q.P05/want.rate, q.P95/want.rate)
			if best <= 3 {
				near++
			}
			if q.P05 <= want.rate && want.rate <= q.P95 {
				covered++
			}
		}
	}
	if two < seeds || near < 2*seeds || covered < 2*seeds {
		t.Errorf("of %d surveys %d say two; of %d sources %d lie within 3 m, and %d rates are covered", seeds, two, 2*seeds, near, covered)
	}
}
