package site

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/numeric"
)

// How often the truth lies within the 90 % region of four places of two flights, each with a shift of its own, whose stated errors are as large as the true ones, or a fifth
// smaller.
func TestRegionsWhereStatedErrorsAreTooSmall(t *testing.T) {
	const cases, biasM = 400, 20.0
	truth := geodesy.LatLon{Lat: 24.6, Lon: -106.2}
	for _, row := range []struct {
		claim       string
		stated      float64
		least, most float64
	}{
		{"stated as they are", 1, 0.89, 0.96},
		{"a fifth too small", 0.8, 0.85, 0.95},
	} {
		chance := numeric.NewStream(7, 1)
		held := 0
		for range cases {
			var places []located
			for flight := range 2 {
				shift := [2]float64{biasM * chance.Normal(), biasM * chance.Normal()}
				for range 2 {
					sigma := 20 * math.Exp(0.5*chance.Normal())
					at := geodesy.NewFrame(geodesy.LatLonHeight{Lat: truth.Lat, Lon: truth.Lon}).GroundFromENU(shift[0]+sigma*chance.Normal(), shift[1]+sigma*chance.Normal())
					v := row.stated*row.stated*sigma*sigma + biasM*biasM
					places = append(places, located{Place: PlaceOf(Mode{At: at, CovarianceM2: matrix{{v, 0}, {0, v}}, Weight: 1}), group: fmt.Sprint(flight), biasM: biasM})
				}
			}
			p := combine(places)
			if inside(t, p, truth) {
				held++
			}
		}
		if share := float64(held) / cases; share < row.least || share > row.most {
			t.Errorf("%s: %.3f in the 90 %% region, want %g to %g", row.claim, share, row.least, row.most)
		} else {
			t.Logf("%s: %.3f", row.claim, share)
		}
	}
}

// inside reports whether the 90 % region, one polygon, holds a place.
func inside(t *testing.T, p atalaya.Place, truth geodesy.LatLon) bool {
	t.Helper()
	var region struct{ Coordinates [][][2]float64 }
	if err := json.Unmarshal(p.Regions.P90, &region); err != nil {
		t.Fatal(err)
	}
	in, ring := false, region.Coordinates[0]
	for i, a := range ring {
		b := ring[(i+1)%len(ring)]
		if (a[1] > truth.Lat) != (b[1] > truth.Lat) && truth.Lon < (b[0]-a[0])*(truth.Lat-a[1])/(b[1]-a[1])+a[0] {
			in = !in
		}
	}
	return in
}

// Places that contradict each other make a wider region than places that agree, and no agreement makes one narrower than what is stated.
func TestContradictionWidensARegion(t *testing.T) {
	at := geodesy.LatLon{Lat: 24.6, Lon: -106.2}
	of := func(metres float64) atalaya.Place {
		m := func(p geodesy.LatLon) located {
			return located{Place: PlaceOf(Mode{At: p, CovarianceM2: matrix{{400, 0}, {0, 400}}, Weight: 1})}
		}
		return combine([]located{m(at), m(geodesy.Destination(at, 90, metres))})
	}
	together, apart := of(0), of(80) // 80² over 800: a squared distance of 8
	if got := trace(together) / 2; math.Abs(got-250) > 1e-6 {
		t.Errorf("at one place: variance %.2f m², want 200 of a normal density times 10/8", got)
	}
	if got, want := trace(apart)/trace(together), 16.0/10; math.Abs(got-want) > 1e-3 { // (8 + 8) over 8 + 2
		t.Errorf("80 m apart: %.4f times the variance, want %g", got, want)
	}
}
