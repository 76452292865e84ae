package geodesy

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Near is held against FromECEF, which iterates: its own error is below 1e-9 degrees, and rounding of 6.4e6 m leaves 2e-9 m. Up
// turns by as much as latitude does, 2e-11 rad, and by the rounding of some ten operations.
func TestNearIsFromECEF(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anywhere(t)
		got, up := Ray{From: ToECEF(p)}.Near(0)
		want := FromECEF(ToECEF(p))
		if math.Abs(got.Lat-want.Lat) > 1e-9 || math.Abs(Wrap180(got.Lon-want.Lon)) > 1e-9 || math.Abs(got.HeightHAE-want.HeightHAE) > 1e-6 {
			t.Fatalf("%v: %v, want %v", p, got, want)
		}
		if d := up.Sub(NewFrame(p).u).Norm(); d > 1e-9 {
			t.Fatalf("%v: up is off by %g", p, d)
		}
	})
}

// A ray towards a point of the surface meets it there. The point is found to the Newton step's micrometre along the ray;
// across a grazing ray that grows by 1/sin of the angle, which is at least 0.01 here.
func TestMeetFindsThePointAimedAt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := rapid.Float64Range(-400, 8000).Draw(t, "height")
		at := LatLonHeight{rapid.Float64Range(-90, 90).Draw(t, "lat"), rapid.Float64Range(-180, 180).Draw(t, "lon"), h}
		f := NewFrame(at)
		az, el, d := rapid.Float64Range(0, 2*math.Pi).Draw(t, "azimuth"), rapid.Float64Range(0.01, math.Pi/2).Draw(t, "elevation"), rapid.Float64Range(10, 50e3).Draw(t, "distance")
		toward := f.Vector([3]float64{math.Cos(el) * math.Sin(az), math.Cos(el) * math.Cos(az), math.Sin(el)})
		from := ToECEF(at).Add(toward.Scale(d))
		got, m, ok := Ray{from, toward.Scale(-1)}.Meet(h)
		if !ok || math.Abs(m-d) > 1e-4 || ToECEF(got).Sub(ToECEF(at)).Norm() > 1e-4 {
			t.Fatalf("%v from %g m: %v at %g, %v", at, d, got, m, ok)
		}
	})
}

func TestMeetMissesTheSky(t *testing.T) {
	at := LatLonHeight{24.8, -107.4, 1000}
	f := NewFrame(at)
	for name, c := range map[string]struct {
		el, h float64
		ok    bool
	}{
		"level looks over the horizon": {0, 0, false}, "one degree below the horizon's dip": {-2.02, 0, true},
		"below the surface": {-45, 1001, false}, "up": {10, 0, false},
	} {
		s, co := math.Sincos(c.el * RadPerDegree)
		if _, _, ok := (Ray{ToECEF(at), f.Vector([3]float64{0, co, s})}).Meet(c.h); ok != c.ok {
			t.Errorf("%s: meets %v", name, ok)
		}
	}
}

// BenchmarkMeet stands beside the formula of a flat Earth: two sines, a tangent, and nothing of the ellipsoid.
func BenchmarkMeet(b *testing.B) {
	at := LatLonHeight{24.8, -107.4, 3000}
	r := Ray{ToECEF(at), NewFrame(at).Vector([3]float64{0.6, 0.3, -math.Sqrt(1 - 0.45)})}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := r.Meet(50); !ok {
			b.Fatal("no ground")
		}
	}
}

func BenchmarkFlatEarth(b *testing.B) {
	az, el, h := 63.4, -47.9, 2950.0
	var p LatLon
	for b.Loop() {
		s, c := math.Sincos(az * RadPerDegree)
		d := -h / math.Tan(el*RadPerDegree)
		p = LatLon{24.8 + d*c/111e3, -107.4 + d*s/(111e3*math.Cos(24.8*RadPerDegree))}
	}
	if !p.Valid() {
		b.Fatal(p)
	}
}
