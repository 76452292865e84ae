package source_test

import (
	"encoding/json"
	"os"
	"testing"
)

// holds reports whether a GeoJSON MultiPolygon in local metres holds a place (even-odd over all rings).
func holds(t testing.TB, region json.RawMessage, x, y float64) bool {
	t.Helper()
	var g struct {
		Type        string
		Coordinates [][][][2]float64
	}
	if err := json.Unmarshal(region, &g); err != nil || g.Type != "MultiPolygon" {
		t.Fatalf("region %.80s: %v", region, err)
	}
	in := false
	for _, poly := range g.Coordinates {
		for _, ring := range poly {
			for i := range len(ring) - 1 {
				a, b := ring[i], ring[i+1]
				if (a[1] > y) != (b[1] > y) && x < a[0]+(y-a[1])/(b[1]-a[1])*(b[0]-a[0]) {
					in = !in
				}
			}
		}
	}
	return in
}

// truthOf reads atalaya.truth-sources/1 of one case and one compound.
func truthOf(t testing.TB, path string) (out []release) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var truth struct {
		Cases []struct {
			Sources []struct {
				X    float64            `json:"x_m"`
				Y    float64            `json:"y_m"`
				Rate map[string]float64 `json:"rate_kg_s"`
			}
		}
	}
	if err := json.Unmarshal(b, &truth); err != nil {
		t.Fatal(err)
	}
	for _, s := range truth.Cases[0].Sources {
		for _, q := range s.Rate {
			out = append(out, release{s.X, s.Y, q})
		}
	}
	return out
}
