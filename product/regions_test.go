package product_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/storm"
	"github.com/atalaya-isr/atalaya/product"
	"github.com/atalaya-isr/atalaya/review"
	"github.com/atalaya-isr/atalaya/review/reviewtest"
)

// square is a closed GeoJSON ring around lon, lat with a half side of h degrees.
func square(lon, lat, h float64) string {
	b, err := json.Marshal([][2]float64{{lon - h, lat - h}, {lon + h, lat - h}, {lon + h, lat + h}, {lon - h, lat + h}, {lon - h, lat - h}})
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestRegionsOfSeveralParts(t *testing.T) {
	for _, row := range []struct{ claim, region, want string }{
		{"two that lie apart stay two", "[[" + square(-107.39, 24.80, 0.001) + "],[" + square(-107.30, 24.80, 0.001) + "]]", "MultiPolygon"},
		{"two that meet become one", "[[" + square(-107.39, 24.80, 0.001) + "],[" + square(-107.3885, 24.80, 0.001) + "]]", "Polygon"},
		{"a chain becomes one", "[[" + square(-107.39, 24.80, 0.001) + "],[" + square(-107.384, 24.80, 0.001) + "],[" + square(-107.387, 24.80, 0.0022) + "]]", "Polygon"},
	} {
		t.Run(row.claim, func(t *testing.T) {
			c := reviewtest.Candidate()
			c.Place.Regions.P95 = json.RawMessage(`{"type":"MultiPolygon","coordinates":` + row.region + `}`)
			r, err := review.Decide(reviewtest.RecordOf(c))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range product.Encoders() {
				body, err := e.Encode(r, options)
				if err != nil {
					t.Fatal(err)
				}
				if e.Name() == "lead.geojson" && !strings.Contains(string(body), `"type": "`+row.want+`"`) {
					t.Errorf("the 95 %% region is no %s", row.want)
				}
				if e.Name() == "lead.kml" && strings.Count(string(body), "<Polygon>") != 3+strings.Count(row.want, "Multi") {
					t.Errorf("%d polygons in KML", strings.Count(string(body), "<Polygon>"))
				}
			}
		})
	}
}

// TestTheFullestPageFits: every kind of evidence and grade, a dozen alternatives, rates and the longest legal basis.
func TestTheFullestPageFits(t *testing.T) {
	c := reviewtest.Candidate()
	for _, kind := range []string{"dependence", "time", "calibration", "outcome", "unheard of"} {
		c.Ledger = append(c.Ledger, atalaya.LedgerItem{Kind: kind, LogOdds: -0.2})
	}
	for _, grade := range []string{"A1", "B3", "C4", "F6"} {
		c.Ledger = append(c.Ledger, atalaya.LedgerItem{Kind: "report", Grade: grade, LogOdds: 0.3})
	}
	for _, label := range []string{"refinery", "burning", "landfill", "sewage works", "traffic", "fuel station", "brick kiln", "distillery", "tannery", "factory"} {
		c.Alternatives = append(c.Alternatives, atalaya.Alternative{Label: label, Probability: 0.001})
	}
	for _, compound := range []string{"toluene", "ammonia", "hydrogen_chloride"} {
		c.RateKgS[compound] = atalaya.Interval{P05: 1e-5, P95: 2e-3}
	}
	rec := reviewtest.RecordOf(c)
	rec.LegalBasis.Instrument = strings.Repeat("ñandú wording ", 14)
	text := pdfText(t, build(t, rec, options)["lead.pdf"])
	for _, want := range []string{"Reference for the answer", "hydrogen_chloride", "Otros indicios", "tannery", "(grade F6)"} {
		if !strings.Contains(strings.ReplaceAll(text, "\n", " "), want) {
			t.Errorf("the page lost %q", want)
		}
	}
}

// FuzzRegion: whatever a region holds, the encoders answer with bytes or an error, and with valid JSON.
func FuzzRegion(f *testing.F) {
	f.Add(`{"type":"Polygon","coordinates":[` + square(-107.39, 24.8, 0.001) + `]}`)
	f.Add(`{"type":"MultiPolygon","coordinates":[]}`)
	f.Add(`{"type":"Polygon","coordinates":[[[180,90],[180,90],[180,90],[180,90]]]}`)
	f.Add(`{"type":"Polygon","coordinates":[[[],[],[],[]]]}`)
	f.Add(`null`)
	candidate := reviewtest.Candidate()
	storm.Fuzz(f, func(t testing.TB, region string) {
		if !json.Valid([]byte(region)) {
			return // the record holds JSON only
		}
		c := candidate
		c.Place.Regions.P50, c.Place.Regions.P95 = json.RawMessage(region), json.RawMessage(region)
		r, err := review.Decide(reviewtest.RecordOf(c))
		if err != nil {
			t.Fatal(err)
		}
		body, err := product.GeoJSON{}.Encode(r, options)
		if err == nil && !json.Valid(body) {
			t.Fatalf("invalid JSON for %q", region)
		}
		if _, err := (product.KML{}).Encode(r, options); (err == nil) != (body != nil) {
			t.Fatalf("KML and GeoJSON disagree on %q: %v", region, err)
		}
	})
}
