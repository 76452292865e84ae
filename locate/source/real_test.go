package source_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/sense/gas"
)

func read(t testing.TB, path string) source.Input {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := gas.Read(f, filepath.Base(path))
	if err != nil {
		t.Fatal(err)
	}
	in, err := source.FromSurvey(s, false)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func locate(t testing.TB, in source.Input) source.Group {
	t.Helper()
	r, err := source.Locate(context.Background(), in, source.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return r.Groups[0]
}

// A release is where something truly was, local metres and kg/s.
type release struct{ x, y, rate float64 }

// miss is the distance of a source from a release, and the squared Mahalanobis distance by the source's own covariance.
func miss(s source.Source, to release) (metres, m2 float64) {
	dx, dy, c := *s.XM-to.x, *s.YM-to.y, s.CovarianceM2
	det := c[0][0]*c[1][1] - c[0][1]*c[0][1]
	return math.Hypot(dx, dy), (dx*dx*c[1][1] - 2*dx*dy*c[0][1] + dy*dy*c[0][0]) / det
}

// Newman et al.'s controlled methane release at Chilbolton, seen by seven open laser paths (D. Weidmann, STFC, CC-BY): blind, one source, within 3 m
// and 30 % of the rate, in the 90 % region.
func TestTheReleaseAtChilbolton(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the estimator did not run on the real release")
	}
	const rate = 3.777778e-4
	in := read(t, fixture.Shared(t, "gas/chilbolton/survey.csv"))
	most, near := 0.8, 3.0
	if os.Getenv("ATALAYA_SOAK") == "" { // its first hour of two and a third, which may say less sharply what all of it says: two minutes of processor less
		all := in.Groups[0].Samples
		in.Groups[0].Samples = slices.DeleteFunc(slices.Clone(all), func(s source.Sample) bool { return s.TimeS >= all[0].TimeS+3600 })
		most, near = 0.5, 6
	}
	g := locate(t, in)
	if len(g.Sources) != 1 || g.Count["1"] < most {
		t.Fatalf("%d sources, want one at %g; count %v", len(g.Sources), most, g.Count)
	}
	s := g.Sources[0]
	metres, _ := miss(s, release{237.91, 40.05, rate})
	q := s.RateKgS["ch4"]
	t.Logf("%.1f m off, rate %.2f of the truth [%.2f, %.2f], p(1) = %.2f", metres, q.P50/rate, q.P05/rate, q.P95/rate, g.Count["1"])
	if metres > near {
		t.Errorf("%.1f m off, want %g", metres, near)
	}
	if !holds(t, s.Regions.P90, 237.91, 40.05) {
		t.Error("the 90 % region does not hold the release")
	}
	if math.Abs(q.P50/rate-1) > 0.3 {
		t.Errorf("the rate is %.2f of the truth, want it within 30 %%", q.P50/rate)
	}
	if q.P05 > rate || q.P95 < rate {
		t.Errorf("the rate's interval [%g, %g] does not hold %g", q.P05, q.P95, rate)
	}
}

// What a plain plume made is found where it was, and as strong, once the estimator is told so: 0.3 m and 2 % of the total are asked for.
func TestThePlumeCheckByAPlainPlume(t *testing.T) {
	r, err := source.Locate(t.Context(), read(t, fixture.Shared(t, "gas/plume-check/survey.csv")), source.Options{Seed: 1, PlainPlume: true})
	if err != nil {
		t.Fatal(err)
	}
	g, total, sum := r.Groups[0], 0.0, 0.0
	if len(g.Sources) != 2 || g.Count["2"] < 0.9 {
		t.Errorf("%d sources, want two at 0.9; count %v", len(g.Sources), g.Count)
	}
	for _, want := range truthOf(t, fixture.Shared(t, "gas/plume-check/truth.json")) {
		best := math.Inf(1)
		for _, s := range g.Sources {
			metres, _ := miss(s, want)
			best = min(best, metres)
		}
		t.Logf("%.2f m off", best)
		if best > 0.3 {
			t.Errorf("the source at %g, %g is missed by %.2f m, want 0.3", want.x, want.y, best)
		}
		sum += want.rate
	}
	for _, s := range g.Sources {
		total += s.RateKgS["ch4"].P50
	}
	t.Logf("the total rate is %.4f of the truth", total/sum)
	if math.Abs(total/sum-1) > 0.02 {
		t.Errorf("the total rate is %.4f of the truth, want it within 2 %%", total/sum)
	}
}

func TestTwoSourcesOfThePlumeCheck(t *testing.T) {
	if os.Getenv("ATALAYA_SOAK") == "" {
		t.Skip("without ATALAYA_SOAK: the plume check was taken by a plain plume and through puffs, not by real air")
	}
	g := locate(t, read(t, fixture.Shared(t, "gas/plume-check/survey.csv")))
	if len(g.Sources) != 2 {
		t.Fatalf("%d sources, want two; count %v", len(g.Sources), g.Count)
	}
	truth := truthOf(t, fixture.Shared(t, "gas/plume-check/truth.json"))
	for _, want := range truth {
		best, in := math.Inf(1), false
		for _, s := range g.Sources {
			if metres, _ := miss(s, want); metres < best {
				best, in = metres, holds(t, s.Regions.P95, want.x, want.y)
			}
		}
		// The survey is tens of metres wide; a quarter of the sources' 10 m distance keeps them apart.
		if best > 2.5 || !in {
			t.Errorf("the source at %g, %g is missed by %.1f m; in the 95 %% region: %v", want.x, want.y, best, in)
		}
	}
}
