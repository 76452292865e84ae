package geodesy

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func ExampleDistance() {
	culiacan, mazatlan := LatLon{24.8, -107.39}, LatLon{23.24, -106.41}
	fmt.Printf("%.1f km at %.1f°\n", Distance(culiacan, mazatlan)/1000, Azimuth(culiacan, mazatlan))
	// Output: 199.5 km at 149.8°
}

func anywhere(t *rapid.T) LatLonHeight {
	return LatLonHeight{
		Lat:       rapid.Float64Range(-89.999, 89.999).Draw(t, "lat"),
		Lon:       rapid.Float64Range(-179.999, 179.999).Draw(t, "lon"),
		HeightHAE: rapid.Float64Range(-5000, 30000).Draw(t, "height"),
	}
}

// Earth-fixed coordinates are of order 6.4e6 m, whose float64 spacing is 9.3e-10 m; some ten roundings each way leave
// under 1e-7 m, and Bowring's formula adds less than that (see FromECEF).
func TestECEFRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anywhere(t)
		c := ToECEF(p)
		if d := ToECEF(FromECEF(c)).Sub(c).Norm(); d > 1e-6 {
			t.Fatalf("%v returns %g m away", p, d)
		}
	})
}

func TestFrameRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := NewFrame(anywhere(t))
		e, n := rapid.Float64Range(-50e3, 50e3).Draw(t, "east"), rapid.Float64Range(-50e3, 50e3).Draw(t, "north")
		if math.Abs(f.Origin.Lat) > 89 {
			return
		}
		g := f.GroundENU(f.GroundFromENU(e, n))
		if d := math.Hypot(g[0]-e, g[1]-n); d > 1e-3 {
			t.Fatalf("(%g, %g) at %v returns %g m away", e, n, f.Origin, d)
		}
	})
}

func TestGroundFallsBelowTheTangentPlane(t *testing.T) {
	f := NewFrame(LatLonHeight{24.8, -107.39, 0})
	p := Destination(LatLon{24.8, -107.39}, 90, 20e3)
	up := f.ToENU(LatLonHeight{p.Lat, p.Lon, 0})[2]
	if up > -31 || up < -32 { // 20 km² / 2R = 31.4 m
		t.Fatalf("at 20 km the ground lies %.2f m above the plane, want about -31.4", up)
	}
}

func TestEllipseAxes(t *testing.T) {
	e := EllipseOf([2][2]float64{{4, 0}, {0, 25}}, 0.95)
	k := math.Sqrt(5.991464547107979) // chi-square, two degrees of freedom, 95 %
	if math.Abs(e.MajorM-5*k) > 1e-9 || math.Abs(e.MinorM-2*k) > 1e-9 || math.Abs(e.AzimuthDeg) > 1e-9 {
		t.Fatalf("long north axis: got %+v", e)
	}
	e = EllipseOf([2][2]float64{{5, 4}, {4, 5}}, 0.95)
	if math.Abs(e.AzimuthDeg-45) > 1e-9 {
		t.Fatalf("east and north move together: azimuth %v, want 45", e.AzimuthDeg)
	}
}

// The covering holds every corner, and a ring given clockwise covers the same ground.
func TestCellsOfHoldsTheRing(t *testing.T) {
	ring := Ellipse{MajorM: 900, MinorM: 300, AzimuthDeg: 30}.Ring(LatLon{24.8, -107.39}, 24)
	cells := CellsOf(ring, 15, 1000)
	if len(cells) == 0 {
		t.Fatal("no cells")
	}
	in := map[uint64]bool{}
	for _, c := range cells {
		in[uint64(c)] = true
	}
	for _, p := range ring {
		if !in[uint64(CellOf(p, 15))] {
			t.Fatalf("%v is outside its own covering", p)
		}
	}
	rev := make([]LatLon, len(ring))
	for i, p := range ring {
		rev[len(ring)-1-i] = p
	}
	if got := CellsOf(rev, 15, 1000); len(got) != len(cells) {
		t.Fatalf("clockwise covers %d cells, counter-clockwise %d", len(got), len(cells))
	}
}
