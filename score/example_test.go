package score_test

import (
	"encoding/json"
	"fmt"

	"github.com/atalaya-isr/atalaya/score"
)

// A leak of 2 g/s at (100, 40) was found 5 m away, at 1.6 g/s.
func ExampleSources() {
	var truth score.TruthSources
	var found score.FoundSources
	json.Unmarshal([]byte(`{"schema":"atalaya.truth-sources/1","cases":[{"file":"survey.csv","sources":[{"x_m":100,"y_m":40,"rate_kg_s":{"methane":0.002}}]}]}`), &truth)
	json.Unmarshal([]byte(`{"schema":"atalaya.sources/1","groups":[{"count":{"0":0.05,"1":0.95},"sources":[{"x_m":103,"y_m":44,
		"regions":{"p50":{"type":"Polygon","coordinates":[[[101,42],[105,42],[105,46],[101,46],[101,42]]]},
		           "p90":{"type":"Polygon","coordinates":[[[95,36],[111,36],[111,52],[95,52],[95,36]]]},
		           "p95":{"type":"Polygon","coordinates":[[[93,34],[113,34],[113,54],[93,54],[93,34]]]}},
		"rate_kg_s":{"methane":{"p05":0.001,"p50":0.0016,"p95":0.003}}}]}]}`), &found)

	s, err := score.Sources(truth, map[string]score.FoundSources{"survey.csv": found})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := s.Rows[0]
	fmt.Printf("%d of %d found, %.0f m away, rate within a factor %.2f\n", s.Found, s.Sources, float64(r.ErrorM), float64(r.RateFactor))
	fmt.Printf("in the 50 %% region: %v, 90 %%: %v; rate in its interval: %v; count right: %d of %d\n", r.In50, r.In90, r.RateIn90, s.CountRight.Held, s.CountRight.Of)
	// Output:
	// 1 of 1 found, 5 m away, rate within a factor 1.25
	// in the 50 % region: false, 90 %: true; rate in its interval: true; count right: 1 of 1
}
