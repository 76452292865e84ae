package score

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
)

// TruthSites is the truth of a mission, atalaya.truth/1.
type TruthSites struct {
	Schema string       `json:"schema"`
	Sites  []TruthSite  `json:"sites"`
	Decoys []TruthDecoy `json:"decoys"`
}

// TruthSite is a place that was to be found, and when it worked.
type TruthSite struct {
	ID   string    `json:"id"`
	Lat  float64   `json:"lat"`
	Lon  float64   `json:"lon"`
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// worksAt reports whether the site works at a time; the zero time is any.
func (t TruthSite) worksAt(at time.Time) bool {
	return at.IsZero() || !t.From.After(at) && (t.To.IsZero() || !t.To.Before(at))
}

// TruthDecoy is a place that only looks like one.
type TruthDecoy struct {
	Kind string  `json:"kind"`
	Lat  float64 `json:"lat"`
	Lon  float64 `json:"lon"`
}

// FoundSites is a ranking, atalaya.sites/1, as far as it is scored.
type FoundSites struct {
	Schema string      `json:"schema"`
	Sites  []FoundSite `json:"sites"`
}

// FoundSite is one candidate.
type FoundSite struct {
	ID           atalaya.CandidateID `json:"id"`
	Rank         int                 `json:"rank"`
	Lat          float64             `json:"lat"`
	Lon          float64             `json:"lon"`
	Probability  float64             `json:"probability"`
	Regions      regions             `json:"regions"`
	CovarianceM2 [2][2]float64       `json:"covariance_m2"` // east, north
}

// Found is a ranking as the estimator gives it.
func Found(candidates []atalaya.Candidate) FoundSites {
	f := FoundSites{Schema: SitesSchema}
	for _, c := range candidates {
		f.Sites = append(f.Sites, FoundSite{c.ID, c.Rank, c.Place.Lat, c.Place.Lon, c.Probability, c.Place.Regions, c.Place.CovarianceM2})
	}
	return f
}

// SiteRow is how one true site was found.
type SiteRow struct {
	ID     string `json:"id"`
	Rank   int    `json:"rank"` // of the best candidate within reach; 0 when there is none
	ErrorM number `json:"error_m"`
	In50   bool   `json:"in_p50"`
	In90   bool   `json:"in_p90"`
	In95   bool   `json:"in_p95"`
}

// SiteScore is the score of one ranking, atalaya.score/1.
type SiteScore struct {
	Schema       string    `json:"schema"`
	Sites        int       `json:"sites"`
	Found        int       `json:"found"`
	MedianError  number    `json:"median_error_m"`
	PrecisionAt1 number    `json:"precision_at_1"`
	PrecisionAt3 number    `json:"precision_at_3"`
	Brier        number    `json:"brier"` // mean squared error of the candidates' probabilities
	In50         Share     `json:"in_p50"`
	In90         Share     `json:"in_p90"`
	In95         Share     `json:"in_p95"`
	Rows         []SiteRow `json:"rows"`
}

// ReachM is how near a candidate must be to a true site to be a find of it, unless its 95 % region holds the site.
const ReachM = 500

// SitesSchema names the only form of a ranking that is scored.
const SitesSchema = "atalaya.sites/1"

// Sites scores a ranking: a candidate is true when its 95 % region holds a true site, or it lies within ReachM of one. A result of
// another schema is refused: read as a ranking it would be one that found nothing.
func Sites(truth TruthSites, found FoundSites) (SiteScore, error) {
	s := SiteScore{Schema: Schema, Sites: len(truth.Sites), Rows: []SiteRow{}}
	if err := found.check(); err != nil {
		return s, err
	}
	isTrue := make([]bool, len(found.Sites))
	var errs []float64
	var in50, in90, in95 int
	for _, t := range truth.Sites {
		row := SiteRow{ID: t.ID, ErrorM: number(nan)}
		for i, c := range found.Sites {
			d := geodesy.Distance(geodesy.LatLon{Lat: c.Lat, Lon: c.Lon}, geodesy.LatLon{Lat: t.Lat, Lon: t.Lon})
			in, err := insideAll(c.Regions, t.Lon, t.Lat)
			if err != nil {
				return s, fmt.Errorf("site %s: %w", c.ID, err)
			}
			if d > ReachM && !in[2] {
				continue
			}
			isTrue[i] = true
			if row.Rank == 0 { // candidates come in rank order
				row.Rank, row.ErrorM, row.In50, row.In90, row.In95 = c.Rank, number(d), in[0], in[1], in[2]
			}
		}
		if row.Rank > 0 {
			s.Found++
			errs = append(errs, float64(row.ErrorM))
		}
		in50, in90, in95 = in50+count(row.In50), in90+count(row.In90), in95+count(row.In95)
		s.Rows = append(s.Rows, row)
	}
	s.MedianError = number(median(errs))
	s.PrecisionAt1, s.PrecisionAt3 = precision(isTrue, 1), precision(isTrue, 3)
	s.Brier = number(nan)
	if n := len(found.Sites); n > 0 {
		sum := 0.0
		for i, c := range found.Sites {
			e := c.Probability - float64(count(isTrue[i]))
			sum += e * e
		}
		s.Brier = number(sum / float64(n))
	}
	s.In50, s.In90, s.In95 = shareOf(in50, s.Sites), shareOf(in90, s.Sites), shareOf(in95, s.Sites)
	return s, nil
}

func (f FoundSites) check() error {
	if f.Schema != SitesSchema {
		return &atalaya.Error{Op: "score", Kind: atalaya.BadInput, Err: fmt.Errorf("the result is of schema %.60q, not %s", f.Schema, SitesSchema),
			Hint: "Give what `atalaya run --json` printed"}
	}
	return nil
}

func insideAll(r regions, x, y float64) (in [3]bool, err error) {
	for k, g := range []json.RawMessage{r.P50, r.P90, r.P95} {
		if in[k], err = inside(g, x, y); err != nil {
			return in, err
		}
	}
	return in, nil
}

// precision is the share of true ones among the first k candidates, of those there are.
func precision(isTrue []bool, k int) number {
	k = min(k, len(isTrue))
	if k == 0 {
		return number(nan)
	}
	n := 0
	for _, t := range isTrue[:k] {
		n += count(t)
	}
	return number(float64(n) / float64(k))
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}
