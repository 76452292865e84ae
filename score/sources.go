package score

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya"
)

// TruthSources is the truth of gas surveys, atalaya.truth-sources/1: local metres, kg/s.
type TruthSources struct {
	Schema string      `json:"schema"`
	Cases  []TruthCase `json:"cases"`
}

// TruthCase is the truth of one survey file.
type TruthCase struct {
	File    string        `json:"file"`
	Sources []TruthSource `json:"sources"`
}

// TruthSource is one source as it was.
type TruthSource struct {
	XM      float64            `json:"x_m"`
	YM      float64            `json:"y_m"`
	ZM      float64            `json:"z_m"`
	RateKgS map[string]float64 `json:"rate_kg_s"`
}

// FoundSources is a result, atalaya.sources/1, as far as it is scored.
type FoundSources struct {
	Schema string `json:"schema"`
	Groups []struct {
		Count   map[string]float64 `json:"count"`
		Sources []FoundSource      `json:"sources"`
	} `json:"groups"`
}

// FoundSource is one source that was found.
type FoundSource struct {
	XM      *float64                    `json:"x_m"`
	YM      *float64                    `json:"y_m"`
	Regions regions                     `json:"regions"`
	RateKgS map[string]atalaya.Interval `json:"rate_kg_s"`
}

// SourceRow is how one true source was found.
type SourceRow struct {
	File       string `json:"file"`
	ErrorM     number `json:"error_m"` // null: not found
	RateFactor number `json:"rate_factor"`
	In50       bool   `json:"in_p50"`
	In90       bool   `json:"in_p90"`
	In95       bool   `json:"in_p95"`
	RateIn90   bool   `json:"rate_in_p05_p95"`
	TrueCount  number `json:"probability_of_true_count"`
}

// SourceScore is the score of a set of surveys, atalaya.score/1.
type SourceScore struct {
	Schema      string      `json:"schema"`
	Sources     int         `json:"sources"`
	Found       int         `json:"found"`
	MedianError number      `json:"median_error_m"`
	MedianRate  number      `json:"median_rate_factor"`
	In50        Share       `json:"in_p50"`
	In90        Share       `json:"in_p90"`
	In95        Share       `json:"in_p95"`
	RateIn90    Share       `json:"rate_in_p05_p95"`
	CountRight  Share       `json:"count_right"` // the most probable count is the true one
	Rows        []SourceRow `json:"rows"`
}

// SourcesSchema names the only form of a survey's result that is scored.
const SourcesSchema = "atalaya.sources/1"

// Sources scores results by file. A result of another schema is refused: read as this one it would be a survey that found nothing. Each true source is paired with a found one, one to one, nearest pairs first. A survey without a
// result is an error: a run that fails must not better the score.
func Sources(truth TruthSources, found map[string]FoundSources) (SourceScore, error) {
	s := SourceScore{Schema: Schema, Rows: []SourceRow{}}
	var errs, rates []float64
	var in50, in90, in95, rate90, rated, count int
	for _, c := range truth.Cases {
		f, ok := found[c.File]
		if ok && f.Schema != SourcesSchema {
			return s, &atalaya.Error{Op: "score", File: c.File, Kind: atalaya.BadInput, Err: fmt.Errorf("the result is of schema %.60q, not %s", f.Schema, SourcesSchema),
				Hint: "Give what gas locate --json printed"}
		}
		if !ok || len(f.Groups) != 1 {
			return s, fmt.Errorf("%s: no result with one group", c.File)
		}
		g := f.Groups[0]
		if most(g.Count) == fmt.Sprint(len(c.Sources)) {
			count++
		}
		for i, j := range pairUp(c.Sources, g.Sources) {
			t := c.Sources[i]
			row := SourceRow{File: c.File, ErrorM: number(math.NaN()), RateFactor: number(math.NaN()), TrueCount: number(g.Count[fmt.Sprint(len(c.Sources))])}
			s.Sources++
			if j < 0 {
				errs = append(errs, math.Inf(1)) // a source that was missed is farther than any other
				s.Rows = append(s.Rows, row)
				continue
			}
			s.Found++
			src := g.Sources[j]
			row.ErrorM = number(math.Hypot(*src.XM-t.XM, *src.YM-t.YM))
			errs = append(errs, float64(row.ErrorM))
			for _, level := range []struct {
				region json.RawMessage
				in     *bool
				n      *int
			}{{src.Regions.P50, &row.In50, &in50}, {src.Regions.P90, &row.In90, &in90}, {src.Regions.P95, &row.In95, &in95}} {
				in, err := inside(level.region, t.XM, t.YM)
				if err != nil {
					return s, fmt.Errorf("%s: %w", c.File, err)
				}
				if *level.in = in; in {
					*level.n++
				}
			}
			for _, name := range slices.Sorted(maps.Keys(t.RateKgS)) { // the data have one compound a source; of several the row shows the last
				q := t.RateKgS[name]
				r, ok := src.RateKgS[name]
				if !ok {
					continue
				}
				rated++
				row.RateFactor = number(math.Max(r.P50/q, q/r.P50))
				rates = append(rates, float64(row.RateFactor))
				if row.RateIn90 = r.P05 <= q && q <= r.P95; row.RateIn90 {
					rate90++
				}
			}
			s.Rows = append(s.Rows, row)
		}
	}
	s.MedianError, s.MedianRate = number(median(errs)), number(median(rates))
	s.In50, s.In90, s.In95 = shareOf(in50, s.Sources), shareOf(in90, s.Sources), shareOf(in95, s.Sources)
	s.RateIn90, s.CountRight = shareOf(rate90, rated), shareOf(count, len(truth.Cases))
	return s, nil
}

func most(count map[string]float64) string {
	best, p := "", -1.0
	for _, k := range []string{"0", "1", "2", "3", "4", "5"} {
		if v, ok := count[k]; ok && v > p {
			best, p = k, v
		}
	}
	return best
}

// pairUp gives, per true source, the index of its found one, or -1.
func pairUp(truth []TruthSource, found []FoundSource) []int {
	type pair struct {
		d    float64
		i, j int
	}
	var ps []pair
	for i, t := range truth {
		for j, f := range found {
			if f.XM != nil && f.YM != nil {
				ps = append(ps, pair{math.Hypot(*f.XM-t.XM, *f.YM-t.YM), i, j})
			}
		}
	}
	slices.SortStableFunc(ps, func(a, b pair) int {
		switch {
		case a.d < b.d:
			return -1
		case a.d > b.d:
			return 1
		}
		return 0
	})
	out := make([]int, len(truth))
	for i := range out {
		out[i] = -1
	}
	used := map[int]bool{}
	for _, p := range ps {
		if out[p.i] < 0 && !used[p.j] {
			out[p.i], used[p.j] = p.j, true
		}
	}
	return out
}
