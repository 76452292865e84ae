package score

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/atalaya-isr/atalaya/internal/storm"
)

// below is the probability under p that Jeffreys' posterior gives after k of n. With p = sin²θ its density is sin^2k θ·cos^2(n-k) θ, smooth at both ends, so that
// Simpson's rule over 2,000 steps (error of order step⁴, 1e-11) needs nothing of what the package computes with.
func below(p float64, k, n int) float64 {
	integral := func(to float64) (sum float64) {
		const steps = 2000
		for i := range steps + 1 {
			sin, cos := math.Sincos(to * float64(i) / steps)
			weight := 2 * float64(1+i%2)
			if i == 0 || i == steps {
				weight = 1
			}
			sum += weight * math.Pow(sin, 2*float64(k)) * math.Pow(math.Abs(cos), 2*float64(n-k)) * to / steps / 3
		}
		return sum
	}
	return integral(math.Asin(math.Sqrt(p))) / integral(math.Pi/2)
}

// The quantiles' own accuracy is some 1e-10, the density is below 100.
func TestJeffreysIntervals(t *testing.T) {
	for _, n := range []int{1, 3, 10, 60} {
		for k := range n + 1 {
			s := shareOf(k, n)
			if s.Held != k || s.Of != n || !(s.Low <= float64(k)/float64(n) && float64(k)/float64(n) <= s.High) {
				t.Errorf("%d of %d: %+v", k, n, s)
			}
			if got := below(s.Low, k, n); k > 0 && math.Abs(got-0.025) > 1e-8 {
				t.Errorf("%d of %d: %.9f of the probability lies below the interval, want 0.025", k, n, got)
			}
			if got := below(s.High, k, n); k < n && math.Abs(got-0.975) > 1e-8 {
				t.Errorf("%d of %d: %.9f of the probability lies below the interval's end, want 0.975", k, n, got)
			}
		}
		if none, all := shareOf(0, n), shareOf(n, n); none.Low != 0 || all.High != 1 {
			t.Errorf("none and all of %d: from %g, to %g; want from 0, to 1", n, none.Low, all.High)
		}
	}
	if s := shareOf(0, 0); s.Low != 0 || s.High != 1 {
		t.Errorf("after no trial %+v, want everything", s)
	}
}

// With p = sin²θ Jeffreys' prior is uniform in θ. Averaged over it, credible intervals cover what they say, exactly: 95 %, and the 2.5 % more that an interval gains
// when it is drawn out to 0 after no success (and to 1 after successes only). An integral over 4,000 midpoints, of which the ends of n+1 intervals cut one each,
// errs by less than 2(n+1)/4000 of the likelihood there, itself below 0.25 in the mean: 0.3 %.
func TestIntervalsCoverWhatTheySay(t *testing.T) {
	const n, steps = 20, 4000
	var shares [n + 1]Share
	var choose [n + 1]float64
	for k := range shares {
		lg := func(v int) float64 { g, _ := math.Lgamma(float64(v + 1)); return g }
		shares[k], choose[k] = shareOf(k, n), lg(n)-lg(k)-lg(n-k)
	}
	var covered, none float64
	for i := range steps {
		sin, cos := math.Sincos((float64(i) + 0.5) / steps * math.Pi / 2)
		for k, s := range shares {
			chance := math.Exp(choose[k]+2*float64(k)*math.Log(sin)+2*float64(n-k)*math.Log(cos)) / steps
			if s.Holds(sin * sin) {
				covered += chance
			}
			if k == 0 {
				none += chance
			}
		}
	}
	if want := 0.95 + 2*0.025*none; math.Abs(covered-want) > 0.003 {
		t.Errorf("intervals of 95 %% cover %.4f, want %.4f", covered, want)
	}
}

func TestAShareHoldsItsEnds(t *testing.T) {
	s := Share{Held: 9, Of: 10, Low: 0.6, High: 0.99}
	for p, want := range map[float64]bool{0.6: true, 0.99: true, 0.9: true, 0.59: false, 1: false} {
		if s.Holds(p) != want {
			t.Errorf("%+v holds %g: %v", s, p, !want)
		}
	}
}

const (
	square  = `{"type":"Polygon","coordinates":[[[0,0],[10,0],[10,10],[0,10],[0,0]]]}`
	ring    = `{"type":"Polygon","coordinates":[[[0,0],[10,0],[10,10],[0,10],[0,0]],[[3,3],[7,3],[7,7],[3,7],[3,3]]]}`
	islands = `{"type":"MultiPolygon","coordinates":[[[[0,0],[2,0],[2,2],[0,2],[0,0]]],[[[8,8],[9,8],[9,9],[8,9],[8,8]]]]}`
	laps    = `{"type":"MultiPolygon","coordinates":[[[[0,0],[6,0],[6,6],[0,6],[0,0]]],[[[4,4],[9,4],[9,9],[4,9],[4,4]]]]}`
	bullet  = `{"type":"MultiPolygon","coordinates":[[[[0,0],[10,0],[10,10],[0,10],[0,0]],[[3,3],[7,3],[7,7],[3,7],[3,3]]],[[[4,4],[6,4],[6,6],[4,6],[4,4]]]]}`
	arrow   = `{"type":"Polygon","coordinates":[[[0,0],[10,0],[5,3],[10,10],[0,10],[0,0]]]}`
)

func TestInside(t *testing.T) {
	for _, row := range []struct {
		claim, region string
		x, y          float64
		want          bool
	}{
		{"in a square", square, 5, 5, true},
		{"left of it", square, -1, 5, false},
		{"right of it", square, 11, 5, false},
		{"above it", square, 5, 11, false},
		{"level with its lower side, beside it", square, -1, 0, false},
		{"level with its upper side, beside it", square, -1, 10, false},
		{"in a ring", ring, 1, 5, true},
		{"in the ring, behind the hole", ring, 9, 5, true},
		{"in the ring, level with a corner of the hole", ring, 1, 3, true},
		{"in the hole", ring, 5, 5, false},
		{"on the first island", islands, 1, 1, true},
		{"on the second", islands, 8.5, 8.5, true},
		{"between them", islands, 5, 5, false},
		{"where two polygons lap over each other", laps, 5, 5, true},
		{"in the hole of one polygon, on another that lies there", bullet, 5, 5, true},
		{"in the hole around it", bullet, 3.5, 5, false},
		{"in a notch", arrow, 8, 3, false},
		{"level with the notch's bottom", arrow, 2, 3, true},
		{"in nothing", `{"type":"MultiPolygon","coordinates":[]}`, 0, 0, false},
		{"in a polygon without rings", `{"type":"Polygon","coordinates":[]}`, 0, 0, false},
		{"in a ring without points", `{"type":"Polygon","coordinates":[[]]}`, 0, 0, false},
		{"heights are passed over", `{"type":"Polygon","coordinates":[[[0,0,9],[10,0,9],[0,10,9],[0,0,9]]]}`, 1, 1, true},
		{"a ring that is not closed is closed", `{"type":"Polygon","coordinates":[[[0,0],[10,0],[0,10]]]}`, 1, 1, true},
	} {
		got, err := inside(json.RawMessage(row.region), row.x, row.y)
		if err != nil || got != row.want {
			t.Errorf("%s: %v, %v", row.claim, got, err)
		}
	}
}

func TestWhatIsNoRegionIsRefused(t *testing.T) {
	for _, row := range []struct{ claim, region, says string }{
		{"none", ``, "no region"},
		{"null", `null`, "a Polygon or a MultiPolygon"},
		{"a point", `{"type":"Point","coordinates":[1,2]}`, `not "Point"`},
		{"a feature around it", `{"type":"Feature","geometry":` + square + `}`, `not "Feature"`},
		{"broken JSON", `{"type":`, "JSON"},
		{"a polygon's positions in a multipolygon", `{"type":"MultiPolygon","coordinates":[[[0,0],[1,0],[0,1]]]}`, "cannot unmarshal"},
		{"text for numbers", `{"type":"Polygon","coordinates":[[["a","b"]]]}`, "cannot unmarshal"},
		{"a position of one number", `{"type":"Polygon","coordinates":[[[0],[1,0],[0,1]]]}`, "fewer than two"},
		{"coordinates left out", `{"type":"Polygon"}`, "JSON"},
	} {
		got, err := inside(json.RawMessage(row.region), 0, 0)
		if err == nil || got || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, %v; want an error with %q", row.claim, got, err, row.says)
		}
	}
}

// A regular polygon of n corners at distance 1 holds what is nearer than its sides, cos(π/n), and nothing farther than 1, wherever it lies, whichever way it is drawn and
// wherever its ring begins.
func TestInsideOfARegularPolygon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, from, way := rapid.IntRange(3, 40).Draw(t, "corners"), rapid.Float64Range(0, 7).Draw(t, "from"), rapid.SampledFrom([]float64{-1, 1}).Draw(t, "way")
		x0, y0 := rapid.Float64Range(-100, 100).Draw(t, "x"), rapid.Float64Range(-100, 100).Draw(t, "y")
		var corners []string
		for i := range n + 1 {
			sin, cos := math.Sincos(from + way*2*math.Pi*float64(i%n)/float64(n))
			corners = append(corners, fmt.Sprintf("[%v,%v]", x0+cos, y0+sin))
		}
		region := json.RawMessage(`{"type":"Polygon","coordinates":[[` + strings.Join(corners, ",") + `]]}`)
		r := rapid.OneOf(rapid.Float64Range(0, 0.999*math.Cos(math.Pi/float64(n))), rapid.Float64Range(1.001, 3)).Draw(t, "distance")
		sin, cos := math.Sincos(rapid.Float64Range(0, 7).Draw(t, "towards"))
		got, err := inside(region, x0+r*cos, y0+r*sin)
		if err != nil || got != (r < 1) {
			t.Fatalf("%g from the middle of %s: %v, %v", r, region, got, err)
		}
	})
}

func TestMedian(t *testing.T) {
	inf := math.Inf(1)
	for _, row := range []struct {
		of   []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{5, 1, 3}, 3}, {[]float64{4, 1, 3, 2}, 2.5}, {[]float64{1, inf, 2}, 2}, {[]float64{1, inf}, inf}} {
		given := fmt.Sprint(row.of)
		if got := median(row.of); got != row.want || fmt.Sprint(row.of) != given {
			t.Errorf("median of %s is %g, want %g; left behind as %v", given, got, row.want, row.of)
		}
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("median of nothing is %g", got)
	}
}

func TestWhatIsNoNumberIsNull(t *testing.T) {
	b, err := json.Marshal([]number{1.5, 0, number(math.NaN()), number(math.Inf(1)), number(math.Inf(-1)), 1e-9})
	if want := `[1.5,0,null,null,null,1e-9]`; err != nil || string(b) != want {
		t.Errorf("%s, %v; want %s", b, err, want)
	}
}

// FuzzScores reads any bytes as truth and result of both kinds. Nothing may panic, a score is counted within its bounds, and it has a JSON form of its schema.
func FuzzScores(f *testing.F) {
	f.Add([]byte(twoSources), []byte(oneFound))
	f.Add([]byte(twoSites), []byte(threeCandidates))
	storm.Fuzz(f, func(t testing.TB, truth, found []byte) {
		within := func(name string, s Share, of int) {
			if s.Held < 0 || s.Held > s.Of || (of >= 0 && s.Of != of) || !(s.Low >= 0 && s.Low <= s.High && s.High <= 1) {
				t.Errorf("%s: %+v of %d", name, s, of)
			}
		}
		encodes := func(s any) {
			b, err := json.Marshal(s)
			if err != nil || !strings.HasPrefix(string(b), `{"schema":"atalaya.score/1"`) {
				t.Errorf("%v: %.80s", err, b)
			}
		}
		var ts TruthSources
		var fs FoundSources
		if json.Unmarshal(truth, &ts) == nil && json.Unmarshal(found, &fs) == nil {
			results := map[string]FoundSources{}
			for _, c := range ts.Cases {
				results[c.File] = fs
			}
			if s, err := Sources(ts, results); err == nil {
				if s.Found > s.Sources || len(s.Rows) != s.Sources {
					t.Errorf("%d found of %d, %d rows", s.Found, s.Sources, len(s.Rows))
				}
				within("in 50 %", s.In50, s.Sources)
				within("in 90 %", s.In90, s.Sources)
				within("in 95 %", s.In95, s.Sources)
				within("rates", s.RateIn90, -1)
				within("counts", s.CountRight, len(ts.Cases))
				encodes(s)
			}
		}
		var tt TruthSites
		var ft FoundSites
		if json.Unmarshal(truth, &tt) == nil && json.Unmarshal(found, &ft) == nil {
			if s, err := Sites(tt, ft); err == nil {
				if s.Found > s.Sites || len(s.Rows) != s.Sites {
					t.Errorf("%d found of %d, %d rows", s.Found, s.Sites, len(s.Rows))
				}
				within("in 50 %", s.In50, s.Sites)
				within("in 90 %", s.In90, s.Sites)
				within("in 95 %", s.In95, s.Sites)
				encodes(s)
			}
		}
	})
}
