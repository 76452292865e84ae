package report

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/atalaya-isr/atalaya/geodesy"
)

func TestMGRS(t *testing.T) {
	for _, c := range []struct {
		in       string
		lat, lon float64
		metres   float64 // what the place is known to
	}{
		// The Washington Monument, an example of the US National Grid standard (FGDC-STD-011-2001): 38 deg 53' 22" N, 77 deg 2' 7" W.
		{"18SUJ2348006470", 38.88944, -77.03528, 40},
		{"18S UJ 23480 06470", 38.88944, -77.03528, 40},
		{"18SUJ23480647", 38.88944, -77.03528, 50},
		// The example of the usual descriptions of the grid, near Honolulu.
		{"4QFJ1234567890", 21.409796, -157.916082, 2},
	} {
		r, err := Read(strings.NewReader("en "+c.in+", norte"), "r.txt")
		if err != nil || len(r.Coordinates) != 1 {
			t.Errorf("%s: %v %+v %+v", c.in, err, r.Coordinates, r.Problems)
			continue
		}
		g := r.Coordinates[0]
		if d := geodesy.Distance(geodesy.LatLon{Lat: g.Lat, Lon: g.Lon}, geodesy.LatLon{Lat: c.lat, Lon: c.lon}); d > c.metres || g.Text != c.in || g.Form != "mgrs" {
			t.Errorf("%s: %+v, %.1f m from %v, %v", c.in, g, d, c.lat, c.lon)
		}
	}
	for _, in := range []string{"placas 18SUJ234", "folio 4QFJ12345678901", "18suj2348006470", "12 S AB 12 34"} {
		if r, _ := Read(strings.NewReader(in), "r.txt"); len(r.Coordinates) != 0 {
			t.Errorf("%s: found %+v", in, r.Coordinates)
		}
	}
	if r, _ := Read(strings.NewReader("en 18SAA2348006470"), "r.txt"); len(r.Problems) != 1 || !strings.Contains(r.Problems[0].What, "no square of the MGRS grid") {
		t.Errorf("%+v", r)
	}
}

// A reference made from a position reads back to within its square, in every zone and hemisphere.
// So near to the equator its northing rounds to 10,000 km, which no square of the south has.
func TestMGRSABreathSouthOfTheEquator(t *testing.T) {
	ref := strings.ReplaceAll(geodesy.MGRS(geodesy.LatLon{Lat: -7.2e-15, Lon: -177}, 1), " ", "")
	if r, err := Read(strings.NewReader(ref), "r.txt"); err != nil || len(r.Coordinates) != 1 {
		t.Fatalf("%s: %+v, %v", ref, r, err)
	}
}

func TestMGRSOfEveryZone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.IntRange(1, 60).Draw(t, "zone")
		p := geodesy.LatLon{Lat: rapid.Float64Range(-79.9, 83.9).Draw(t, "lat")}
		p.Lon = geodesy.Wrap180(float64(zone)*6 - 183 + rapid.Float64Range(-2.9, 2.9).Draw(t, "dlon"))
		ref := strings.ReplaceAll(geodesy.MGRS(p, 1), " ", "")
		r, err := Read(strings.NewReader(ref), "r.txt")
		if err != nil || len(r.Coordinates) != 1 {
			t.Fatalf("%s of %v: %+v", ref, p, r)
		}
		// Half a metre in each direction to the middle of the square, and the last bits of both ways.
		if d := geodesy.Distance(p, geodesy.LatLon{Lat: r.Coordinates[0].Lat, Lon: r.Coordinates[0].Lon}); d > 0.8 {
			t.Fatalf("%s of %v reads as %+v, %v m away", ref, p, r.Coordinates[0], d)
		}
	})
}
