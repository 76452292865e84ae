package source_test

import (
	"bytes"
	"context"
	"io"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/sense/gas"
	"github.com/atalaya-isr/atalaya/simulate"
)

type memory map[string]*bytes.Buffer

type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

func (m memory) Create(name string) (io.WriteCloser, error) {
	m[name] = &bytes.Buffer{}
	return unclosed{m[name]}, nil
}

// A tally counts how often the truth lies where the estimator says.
type tally struct {
	surveys, found, right, rates int
	m2s, metres, factors         []float64
}

// add counts a group of one true source, its places in local metres.
func (c *tally) add(g source.Group, truth release, compound string) {
	c.surveys++
	if len(g.Sources) == 0 {
		return
	}
	c.found++
	if len(g.Sources) == 1 {
		c.right++
	}
	nearest, best, bestM2 := 0, math.Inf(1), 0.0
	for k, s := range g.Sources {
		if d, m2 := miss(s, truth); d < best {
			nearest, best, bestM2 = k, d, m2
		}
	}
	q := g.Sources[nearest].RateKgS[compound]
	c.m2s, c.metres, c.factors = append(c.m2s, bestM2), append(c.metres, best), append(c.factors, max(q.P50/truth.rate, truth.rate/q.P50))
	if q.P05 <= truth.rate && truth.rate <= q.P95 {
		c.rates++
	}
}

// check fails the test where fewer truths are held than a level allows. One test in a thousand would fail a right estimator: the interval is that
// of 99.9 %, and only from below, for over-wide regions of short surveys are no defect.
func (c *tally) check(t *testing.T) {
	t.Logf("%d surveys, %d found, %d with the right count; median error %.0f m, median rate factor %.2f", c.surveys, c.found, c.right, numeric.Median(c.metres), numeric.Median(c.factors))
	level := func(what string, inside int, level float64) {
		lo, hi := numeric.BinomialInterval(inside, c.found, 0.95)
		t.Logf("%s: %d of %d (95 %% interval %.0f to %.0f %%)", what, inside, c.found, 100*lo, 100*hi)
		if _, hi := numeric.BinomialInterval(inside, c.found, 0.999); hi < level {
			t.Errorf("%s holds %d of %d, nominal %.0f %%", what, inside, c.found, 100*level)
		}
	}
	if c.found < c.surveys*3/4 {
		t.Errorf("%d of %d surveys of a source found one", c.found, c.surveys)
	}
	slices.Sort(c.m2s)
	for _, p := range []float64{0.5, 0.9, 0.95} {
		// The regions' own contours are tested elsewhere; by their covariance many surveys share one yardstick.
		inside, _ := slices.BinarySearch(c.m2s, -2*math.Log(1-p))
		level("ellipse of the region", inside, p)
	}
	level("rate in its 5 to 95 % interval", c.rates, 0.9)
}

// seeds is how many surveys of a kind are made: some in `make test`, more under ATALAYA_SOAK.
func seeds(t *testing.T, some, more int) int {
	switch {
	case testing.Short():
		t.Skip("-short: coverage was not measured")
	case os.Getenv("ATALAYA_SOAK") != "":
		return more
	}
	return some
}

// A flight is a survey of one source of toluene, and the source in its local metres.
type flight struct {
	in    source.Input
	truth release
}

// flights are those of the small scenario through wandering puffs: past the site, and past a decoy.
func flights(t *testing.T, seed uint64) []flight {
	t.Helper()
	s, err := simulate.Find("small")
	if err != nil {
		t.Fatal(err)
	}
	s.Bearings.File, s.Video.File, s.Reports = "", "", nil
	m := memory{}
	truth, err := simulate.Campaign(s, seed, m)
	if err != nil {
		t.Fatal(err)
	}
	fly := func(name string, lat, lon, rate float64) flight {
		survey, err := gas.Read(m[name], name)
		if err != nil {
			t.Fatal(err)
		}
		in, err := source.FromSurvey(survey, false)
		if err != nil {
			t.Fatal(err)
		}
		xy := in.Frame.GroundENU(geodesy.LatLon{Lat: lat, Lon: lon})
		in.Local = true
		return flight{in, release{xy[0], xy[1], rate}}
	}
	site, decoy := truth.Sites[0], truth.Decoys[0]
	return []flight{fly("gas/flight-1.csv", site.Lat, site.Lon, site.RateKgS["toluene"]), fly("gas/flight-2.csv", decoy.Lat, decoy.Lon, decoy.RateKgS["toluene"])}
}

// TestCoverageOfFlights: the discrepancy of the package was set on seeds from 100.
func TestCoverageOfFlights(t *testing.T) {
	var c tally
	for seed := range seeds(t, 1, 30) {
		for _, f := range flights(t, uint64(seed)) {
			r, err := source.Locate(context.Background(), f.in, source.Options{Seed: uint64(seed)})
			if err != nil {
				t.Fatal(err)
			}
			c.add(r.Groups[0], f.truth, "toluene")
		}
	}
	c.check(t)
}

// TestCoverageOfBeams is the same for instruments that stand still. What the effects of single minutes may hide was chosen on seeds from 100.
func TestCoverageOfBeams(t *testing.T) {
	var c tally
	for seed := range seeds(t, 1, 30) {
		in, truth := beams(uint64(seed), 40)
		r, err := source.Locate(context.Background(), in, source.Options{Seed: uint64(seed)})
		if err != nil {
			t.Fatal(err)
		}
		c.add(r.Groups[0], truth, "ch4")
	}
	c.check(t)
}

// The answer must not hang on the chance by which it is computed: what two seeds say of one flight differs by less than the answer's own error. Where the
// search misses the best explanation, evidence was seen to differ by twenty e-folds and deviations by a factor four.
func TestTheAnswerDoesNotHangOnTheSeed(t *testing.T) {
	f := flights(t, 1)[0]
	var first source.Source
	for seed := uint64(1); seed <= uint64(seeds(t, 2, 5)); seed++ {
		r, err := source.Locate(context.Background(), f.in, source.Options{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Groups[0].Sources) != 1 {
			t.Fatalf("seed %d: %d sources, count %v", seed, len(r.Groups[0].Sources), r.Groups[0].Count)
		}
		s := r.Groups[0].Sources[0]
		if seed == 1 {
			first = s
			continue
		}
		// With at least 150 effective draws a mean is known to 1/12 of a deviation and a variance to 12 %: five times that, twice.
		area := func(s source.Source) float64 {
			c := s.CovarianceM2
			return c[0][0]*c[1][1] - c[0][1]*c[0][1]
		}
		if d, m2 := miss(s, release{x: *first.XM, y: *first.YM}); m2 > 0.75 {
			t.Errorf("seed %d lies %.0f m from the first, %.1f of its deviations", seed, d, math.Sqrt(m2))
		}
		if ratio := math.Sqrt(area(s) / area(first)); ratio > 2.2 || ratio < 1/2.2 {
			t.Errorf("seed %d has a region %.1f times as large as the first", seed, ratio)
		}
	}
}
