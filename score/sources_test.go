package score

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/atalaya-isr/atalaya"
)

const (
	twoSources = `{"schema":"atalaya.truth-sources/1","cases":[{"file":"a.csv","sources":[
		{"x_m":0,"y_m":0,"z_m":1,"rate_kg_s":{"methane":0.002}},{"x_m":100,"y_m":0,"z_m":1,"rate_kg_s":{"methane":0.004}}]}]}`
	oneFound = `{"schema":"atalaya.sources/1","groups":[{"count":{"0":0.1,"1":0.6,"2":0.3},"sources":[{"x_m":3,"y_m":4,
		"regions":{"p50":{"type":"Polygon","coordinates":[[[2,3],[4,3],[4,5],[2,5],[2,3]]]},
			"p90":{"type":"Polygon","coordinates":[[[-9,-9],[9,-9],[9,9],[-9,9],[-9,-9]],[[-1,-1],[1,-1],[1,1],[-1,1],[-1,-1]]]},
			"p95":{"type":"MultiPolygon","coordinates":[[[[90,90],[91,90],[91,91],[90,90]]],[[[-9,-9],[9,-9],[9,9],[-9,9],[-9,-9]]]]}},
		"rate_kg_s":{"methane":{"mean":0.0011,"p05":0.0005,"p50":0.001,"p95":0.002}}}]}]}`
)

// document reads a JSON document as the command does.
func document[T any](t testing.TB, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// must takes an answer that comes with an error, and fails on the error.
func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// The found source lies (3, 4) from the first true one and nowhere near the second; that one lies in the hole of the 90 % region and on the 95 % region's second
// polygon; its rate is twice the median and just the upper end of the interval.
func TestOneOfTwoSourcesFound(t *testing.T) {
	s := must[SourceScore](t)(Sources(document[TruthSources](t, twoSources), map[string]FoundSources{"a.csv": document[FoundSources](t, oneFound)}))
	if s.Sources != 2 || s.Found != 1 || len(s.Rows) != 2 {
		t.Fatalf("%d found of %d in %d rows", s.Found, s.Sources, len(s.Rows))
	}
	first, second := s.Rows[0], s.Rows[1]
	if want := (SourceRow{File: "a.csv", ErrorM: 5, RateFactor: 2, In95: true, RateIn90: true, TrueCount: 0.3}); first != want {
		t.Errorf("the first: %+v, want %+v", first, want)
	}
	if !math.IsNaN(float64(second.ErrorM)) || !math.IsNaN(float64(second.RateFactor)) || second.In50 || second.In90 || second.In95 || second.RateIn90 {
		t.Errorf("the second was missed: %+v", second)
	}
	if !math.IsInf(float64(s.MedianError), 1) {
		t.Errorf("with half of the sources missed the median error is %g, want none", float64(s.MedianError))
	}
	if s.MedianRate != 2 {
		t.Errorf("the median rate factor of those found is %g, want 2", float64(s.MedianRate))
	}
	for _, row := range []struct {
		claim    string
		got      Share
		held, of int
	}{
		{"in the 50 % region", s.In50, 0, 2}, {"in the 90 % region", s.In90, 0, 2}, {"in the 95 % region", s.In95, 1, 2},
		{"rate in its interval, of those found", s.RateIn90, 1, 1}, {"count right", s.CountRight, 0, 1},
	} {
		if row.got.Held != row.held || row.got.Of != row.of {
			t.Errorf("%s: %+v, want %d of %d", row.claim, row.got, row.held, row.of)
		}
	}
	b, err := json.Marshal(s)
	want := `{"schema":"atalaya.score/1","sources":2,"found":1,"median_error_m":null,"median_rate_factor":2,"in_p50":{"held":0,`
	if err != nil || !strings.HasPrefix(string(b), want) {
		t.Errorf("%v: %s\nwant it to begin %s", err, b, want)
	}
}

// The keys are those of docs/reference/score.md.
func TestScoresHaveTheirKeys(t *testing.T) {
	keys := func(v any) []string {
		b := must[[]byte](t)(json.Marshal(v))
		m := document[map[string]json.RawMessage](t, string(b))
		var out []string
		for k := range m {
			out = append(out, k)
		}
		slices.Sort(out)
		return out
	}
	share := []string{"held", "of", "p025", "p975"}
	for _, row := range []struct {
		claim string
		of    any
		want  []string
	}{
		{"sources", SourceScore{}, []string{"count_right", "found", "in_p50", "in_p90", "in_p95", "median_error_m", "median_rate_factor", "rate_in_p05_p95", "rows", "schema", "sources"}},
		{"a source", SourceRow{}, []string{"error_m", "file", "in_p50", "in_p90", "in_p95", "probability_of_true_count", "rate_factor", "rate_in_p05_p95"}},
		{"sites", SiteScore{}, []string{"brier", "found", "in_p50", "in_p90", "in_p95", "median_error_m", "precision_at_1", "precision_at_3", "rows", "schema", "sites"}},
		{"a site", SiteRow{}, []string{"error_m", "id", "in_p50", "in_p90", "in_p95", "rank"}},
		{"a share", Share{}, share},
	} {
		if got := keys(row.of); !slices.Equal(got, row.want) {
			t.Errorf("%s: keys %q, want %q", row.claim, got, row.want)
		}
	}
}

func TestRateFactorIsNeverBelowOne(t *testing.T) {
	everywhere := json.RawMessage(`{"type":"Polygon","coordinates":[[[-99,-99],[99,-99],[99,99],[-99,99]]]}`)
	for _, row := range []struct {
		claim       string
		truth       float64
		found       atalaya.Interval
		factor      float64
		inItsLimits bool
	}{
		{"exact", 0.002, atalaya.Interval{P05: 0.001, P50: 0.002, P95: 0.004}, 1, true},
		{"half", 0.002, atalaya.Interval{P05: 0.0005, P50: 0.001, P95: 0.0015}, 2, false},
		{"three times", 0.002, atalaya.Interval{P05: 0.003, P50: 0.006, P95: 0.009}, 3, false},
		{"on the lower limit", 0.002, atalaya.Interval{P05: 0.002, P50: 0.004, P95: 0.009}, 2, true},
		{"on the upper limit", 0.002, atalaya.Interval{P05: 0.0001, P50: 0.0005, P95: 0.002}, 4, true},
		{"found with no rate at all", 0.002, atalaya.Interval{}, math.Inf(1), false},
	} {
		x := 0.0
		truth := TruthSources{Cases: []TruthCase{{File: "a", Sources: []TruthSource{{RateKgS: map[string]float64{"methane": row.truth}}}}}}
		found := document[FoundSources](t, `{"schema":"atalaya.sources/1","groups":[{}]}`)
		found.Groups[0].Sources = []FoundSource{{XM: &x, YM: &x, Regions: atalaya.Regions{P50: everywhere, P90: everywhere, P95: everywhere},
			RateKgS: map[string]atalaya.Interval{"methane": row.found}}}
		s := must[SourceScore](t)(Sources(truth, map[string]FoundSources{"a": found}))
		if got := s.Rows[0]; float64(got.RateFactor) != row.factor || got.RateIn90 != row.inItsLimits || s.RateIn90.Held != count(row.inItsLimits) || s.RateIn90.Of != 1 {
			t.Errorf("%s: %+v, shares %+v; want factor %g, held %v", row.claim, got, s.RateIn90, row.factor, row.inItsLimits)
		}
		// A compound that the result does not have has no rate to be judged.
		found.Groups[0].Sources[0].RateKgS = map[string]atalaya.Interval{"ethane": row.found}
		s = must[SourceScore](t)(Sources(truth, map[string]FoundSources{"a": found}))
		if s.RateIn90.Of != 0 || s.RateIn90.Low != 0 || s.RateIn90.High != 1 || !math.IsNaN(float64(s.MedianRate)) {
			t.Errorf("%s, of another compound: rates %+v, median %g", row.claim, s.RateIn90, float64(s.MedianRate))
		}
	}
}

// Of several compounds at one source each is judged, and the row shows the last by name, run after run.
func TestRowsDoNotDependOnTheOrderOfAMap(t *testing.T) {
	truth, found := document[TruthSources](t, twoSources), document[FoundSources](t, oneFound)
	rates, r := map[string]float64{}, map[string]atalaya.Interval{}
	for i, name := range []string{"acetone", "butane", "ethane", "methane", "propane"} {
		rates[name], r[name] = 1, atalaya.Interval{P05: 0.1, P50: float64(i + 1), P95: 10}
	}
	truth.Cases[0].Sources[0].RateKgS, found.Groups[0].Sources[0].RateKgS = rates, r
	for range 50 {
		s := must[SourceScore](t)(Sources(truth, map[string]FoundSources{"a.csv": found}))
		if s.Rows[0].RateFactor != 5 || s.MedianRate != 3 || s.RateIn90.Held != 5 || s.RateIn90.Of != 5 {
			t.Fatalf("row %+v, median %g, rates %+v; want 5, 3 and 5 of 5", s.Rows[0], float64(s.MedianRate), s.RateIn90)
		}
	}
}

func at(x, y float64) FoundSource { return FoundSource{XM: &x, YM: &y} }

func TestSourcesArePairedOneToOneNearestFirst(t *testing.T) {
	truth := func(xy ...float64) (out []TruthSource) {
		for i := 0; i < len(xy); i += 2 {
			out = append(out, TruthSource{XM: xy[i], YM: xy[i+1]})
		}
		return out
	}
	for _, row := range []struct {
		claim string
		truth []TruthSource
		found []FoundSource
		want  []int
	}{
		{"each its own", truth(0, 0, 50, 0), []FoundSource{at(49, 0), at(1, 0)}, []int{1, 0}},
		{"two true ones near one found: the nearer has it, the other is missed", truth(0, 0, 3, 0), []FoundSource{at(2, 0)}, []int{-1, 0}},
		{"the one that came off worse takes what is left", truth(0, 0, 3, 0), []FoundSource{at(2, 0), at(-100, 0)}, []int{1, 0}},
		{"two found near one true one: the nearer", truth(0, 0), []FoundSource{at(2, 0), at(1, 0), at(3, 0)}, []int{1}},
		{"nothing found", truth(0, 0, 1, 1), nil, []int{-1, -1}},
		{"nothing there", nil, []FoundSource{at(1, 1)}, []int{}},
		{"found without local metres", truth(0, 0), []FoundSource{{}}, []int{-1}},
		{"at equal distances the first of each", truth(0, 0, 0, 0), []FoundSource{at(1, 0), at(-1, 0)}, []int{0, 1}},
	} {
		if got := pairUp(row.truth, row.found); !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, want %v", row.claim, got, row.want)
		}
	}
}

func TestPairsAreDistinctAndDoNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := func(name string) float64 { return rapid.Float64Range(-1e3, 1e3).Draw(t, name) }
		truth := make([]TruthSource, rapid.IntRange(0, 6).Draw(t, "true"))
		for i := range truth {
			truth[i] = TruthSource{XM: f("x"), YM: f("y")}
		}
		found := make([]FoundSource, rapid.IntRange(0, 6).Draw(t, "found"))
		for i := range found {
			found[i] = at(f("found x"), f("found y"))
		}
		distances := func(pairs []int, found []FoundSource) (out []float64) {
			seen := map[int]bool{}
			for i, j := range pairs {
				if j < 0 {
					continue
				}
				if seen[j] {
					t.Fatalf("found source %d is paired twice: %v", j, pairs)
				}
				seen[j] = true
				out = append(out, math.Hypot(truth[i].XM-*found[j].XM, truth[i].YM-*found[j].YM))
			}
			slices.Sort(out)
			return out
		}
		got := distances(pairUp(truth, found), found)
		if want := min(len(truth), len(found)); len(got) != want {
			t.Fatalf("%d pairs, want %d", len(got), want)
		}
		back := slices.Clone(found)
		slices.Reverse(back)
		// Only distances that are equal to the bit can be paired otherwise, and then the distances are the same.
		if other := distances(pairUp(truth, back), back); len(got) > 0 && got[0] != other[0] {
			t.Fatalf("the nearest pair is %g m apart, found in reverse %g", got[0], other[0])
		}
	})
}

func TestCountIsRightWhenTheTrueOneIsTheMostProbable(t *testing.T) {
	for _, row := range []struct {
		count string
		of    int
		right bool
		p     float64
	}{
		{`{"0":0.1,"1":0.7,"2":0.2}`, 1, true, 0.7},
		{`{"0":0.1,"1":0.7,"2":0.2}`, 2, false, 0.2},
		{`{"0":0.9,"1":0.1}`, 0, true, 0},
		{`{"0":0.1,"1":0.9}`, 0, false, 0},
		{`{"0":0.4,"1":0.4,"2":0.2}`, 1, false, 0.4}, // even: the fewer
		{`{"0":0.1,"1":0.1,"2":0.1,"3":0.7}`, 3, true, 0.7},
		{`{"1":1}`, 4, false, 0},
		{`{}`, 1, false, 0},
	} {
		truth := TruthSources{Cases: []TruthCase{{File: "a", Sources: make([]TruthSource, row.of)}}}
		s := must[SourceScore](t)(Sources(truth, map[string]FoundSources{"a": document[FoundSources](t, `{"schema":"atalaya.sources/1","groups":[{"count":`+row.count+`}]}`)}))
		if s.CountRight.Held != count(row.right) || s.CountRight.Of != 1 || s.Sources != row.of || s.Found != 0 {
			t.Errorf("%s where there are %d: %+v, %d found of %d", row.count, row.of, s.CountRight, s.Found, s.Sources)
		}
		for _, r := range s.Rows {
			if float64(r.TrueCount) != row.p {
				t.Errorf("%s where there are %d: the true count has probability %g, want %g", row.count, row.of, float64(r.TrueCount), row.p)
			}
		}
	}
}

func TestScoreOfNothing(t *testing.T) {
	s := must[SourceScore](t)(Sources(TruthSources{}, nil))
	b := must[[]byte](t)(json.Marshal(s))
	none := `{"held":0,"of":0,"p025":0,"p975":1}`
	want := fmt.Sprintf(`{"schema":"atalaya.score/1","sources":0,"found":0,"median_error_m":null,"median_rate_factor":null,"in_p50":%[1]s,"in_p90":%[1]s,"in_p95":%[1]s,"rate_in_p05_p95":%[1]s,"count_right":%[1]s,"rows":[]}`, none)
	if string(b) != want {
		t.Errorf("%s\nwant %s", b, want)
	}
}

// The answer of a later form, or a ranking, must not be scored as a survey that found nothing.
func TestAResultOfSourcesOfAnotherSchemaIsRefused(t *testing.T) {
	for _, other := range []string{`{}`, `{"schema":"atalaya.sites/1","sites":[]}`, strings.Replace(oneFound, "sources/1", "sources/2", 1), strings.Replace(oneFound, "atalaya.sources/1", "", 1)} {
		s, err := Sources(document[TruthSources](t, twoSources), map[string]FoundSources{"a.csv": document[FoundSources](t, other)})
		if atalaya.KindOf(err) != atalaya.BadInput || !strings.Contains(err.Error(), "a.csv") || !strings.Contains(err.Error(), "not atalaya.sources/1") || strings.Contains(err.Error(), "\n") || s.Found != 0 {
			t.Errorf("%.50s: %+v, %v", other, s, err)
		}
	}
}

// A run that fails must not better the score.
func TestASurveyWithoutAResultIsAnError(t *testing.T) {
	truth := document[TruthSources](t, twoSources)
	good := document[FoundSources](t, oneFound)
	for _, row := range []struct {
		claim string
		found map[string]FoundSources
		says  string
	}{
		{"no result", nil, "a.csv: no result with one group"},
		{"the result of another survey", map[string]FoundSources{"b.csv": good}, "a.csv: no result"},
		{"a result without groups", map[string]FoundSources{"a.csv": document[FoundSources](t, `{"schema":"atalaya.sources/1"}`)}, "a.csv: no result"},
		{"a result of two groups", map[string]FoundSources{"a.csv": document[FoundSources](t, `{"schema":"atalaya.sources/1","groups":[{},{}]}`)}, "a.csv: no result"},
		{"a source without regions", map[string]FoundSources{"a.csv": document[FoundSources](t, `{"schema":"atalaya.sources/1","groups":[{"sources":[{"x_m":0,"y_m":0}]}]}`)}, "a.csv: no region"},
		{"a region that is a point", map[string]FoundSources{"a.csv": document[FoundSources](t, `{"schema":"atalaya.sources/1","groups":[{"sources":[{"x_m":0,"y_m":0,"regions":{"p50":{"type":"Point"}}}]}]}`)}, `a.csv: a region is a Polygon or a MultiPolygon, not "Point"`},
	} {
		if _, err := Sources(truth, row.found); err == nil || !strings.HasPrefix(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", row.claim, err, row.says)
		}
	}
}

func TestSeveralSurveysAreScoredTogether(t *testing.T) {
	one := document[TruthSources](t, twoSources)
	one.Cases[0].Sources = one.Cases[0].Sources[:1]
	truth := TruthSources{}
	results := map[string]FoundSources{}
	for i, dx := range []float64{0, 10, 20} {
		c := one.Cases[0]
		c.File = fmt.Sprintf("%d.csv", i)
		truth.Cases = append(truth.Cases, c)
		f := document[FoundSources](t, oneFound)
		*f.Groups[0].Sources[0].XM += dx
		results[c.File] = f
	}
	s := must[SourceScore](t)(Sources(truth, results))
	// (3, 4), (13, 4) and (23, 4) from the truth; one source a survey is the most probable count in each.
	if want := math.Hypot(13, 4); math.Abs(float64(s.MedianError)-want) > 1e-12 || s.Found != 3 || s.CountRight.Held != 3 || s.In95.Held != 3 || s.In50.Held != 0 {
		t.Errorf("median %g m, want %g; %+v", float64(s.MedianError), want, s)
	}
	if s.Rows[2].File != "2.csv" || math.Abs(float64(s.Rows[2].ErrorM)-math.Hypot(23, 4)) > 1e-12 {
		t.Errorf("rows come in the order of the truth: %+v", s.Rows)
	}
}
