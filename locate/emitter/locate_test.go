package emitter_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/emitter"
)

// from is an exact bearing on an emitter, sigma one degree.
func from(sensor, at geodesy.LatLon) emitter.Bearing {
	return emitter.Bearing{
		Sensor:     geodesy.LatLonHeight{Lat: sensor.Lat, Lon: sensor.Lon},
		AzimuthDeg: geodesy.Azimuth(sensor, at), SigmaDeg: 1,
	}
}

func TestBearingsThatGiveNoPositionSaySo(t *testing.T) {
	here, east := geodesy.LatLonHeight{Lat: 24.8, Lon: -107.4}, geodesy.LatLonHeight{Lat: 24.8, Lon: -107.3}
	for _, row := range []struct {
		name     string
		bearings []emitter.Bearing
		says     string
	}{
		{"none", nil, "0 bearing"},
		{"one", []emitter.Bearing{{Sensor: here, AzimuthDeg: 10, SigmaDeg: 1}}, "direction, not a position"},
		{"all from one place", []emitter.Bearing{{Sensor: here, AzimuthDeg: 10, SigmaDeg: 1}, {Sensor: here, AzimuthDeg: 40, SigmaDeg: 1}}, "one place"},
		{"parallel", []emitter.Bearing{{Sensor: here, AzimuthDeg: 0, SigmaDeg: 1}, {Sensor: east, AzimuthDeg: 0, SigmaDeg: 1}}, "parallel"},
		{"along the line between the sensors", []emitter.Bearing{{Sensor: here, AzimuthDeg: 90, SigmaDeg: 1}, {Sensor: east, AzimuthDeg: 90, SigmaDeg: 1}}, "parallel"},
		{"sigma of zero", []emitter.Bearing{{Sensor: here, AzimuthDeg: 0}, {Sensor: east, AzimuthDeg: 300, SigmaDeg: 1}}, "bearing 1"},
		{"azimuth that is no number", []emitter.Bearing{{Sensor: here, AzimuthDeg: 1, SigmaDeg: 1}, {Sensor: east, AzimuthDeg: math.NaN(), SigmaDeg: 1}}, "bearing 2"},
	} {
		t.Run(row.name, func(t *testing.T) {
			post, err := emitter.Locate(row.bearings, emitter.Options{})
			if err == nil {
				t.Fatalf("got %+v, want an error", post.Fixes)
			}
			if !strings.Contains(err.Error(), row.says) || atalaya.KindOf(err) != atalaya.BadInput {
				t.Errorf("got %q, want %q in it", err, row.says)
			}
		})
	}
}

// Exact bearings from three sides must return the emitter wherever it stands: the azimuth model and the truth of the test
// are both the geodesic's within 0.0005°, which is 1 m at 100 km.
func TestExactBearingsAnywhereOnEarth(t *testing.T) {
	for _, row := range []struct {
		name string
		at   geodesy.LatLon
	}{
		{"Sinaloa", geodesy.LatLon{Lat: 24.8, Lon: -107.4}},
		{"on the antimeridian", geodesy.LatLon{Lat: -17, Lon: 180}},
		{"just west of it", geodesy.LatLon{Lat: 52, Lon: 179.9}},
		{"near the north pole", geodesy.LatLon{Lat: 89.9, Lon: 30}},
		{"at the south pole", geodesy.LatLon{Lat: -90, Lon: 0}},
		{"on the equator", geodesy.LatLon{Lat: 0, Lon: 0}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var bs []emitter.Bearing
			for _, az := range []float64{10, 80, 150, 260} {
				bs = append(bs, from(geodesy.Destination(row.at, az, 80e3), row.at))
			}
			post, err := emitter.Locate(bs, emitter.Options{})
			if err != nil {
				t.Fatal(err)
			}
			f := post.Fixes[0]
			if d := geodesy.Distance(f.At, row.at); d > 3 || f.Integrity != emitter.Good || f.Used != 4 {
				t.Errorf("got %+v, %.1f m off", f, d)
			}
			if l := post.LogDensity(f.At); math.IsNaN(l) || math.IsInf(l, 0) {
				t.Errorf("density at the fix: %v", l)
			}
		})
	}
}

// Two pairs of stations, each agreeing on a place of its own and both as good: neither may be hidden.
func TestTwoEqualBasinsAreBothGiven(t *testing.T) {
	a, b := geodesy.LatLon{Lat: 10, Lon: 10}, geodesy.LatLon{Lat: 10.9, Lon: 10.9}
	var bs []emitter.Bearing
	for i, at := range []geodesy.LatLon{a, b, a, b, a, b} {
		bs = append(bs, from(geodesy.Destination(at, 20+float64(i/2)*110, 60e3), at))
	}
	post, err := emitter.Locate(bs, emitter.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(post.Fixes) < 2 {
		t.Fatalf("got %+v, want two places", post.Fixes)
	}
	total := 0.0
	for _, f := range post.Fixes {
		total += f.Weight
		if f.Integrity != emitter.Multimodal {
			t.Errorf("integrity %q, want multimodal", f.Integrity)
		}
	}
	if math.Abs(total-1) > 1e-12 { // a handful of additions
		t.Errorf("weights sum to %v", total)
	}
	for _, p := range []geodesy.LatLon{a, b} {
		if math.Min(geodesy.Distance(post.Fixes[0].At, p), geodesy.Distance(post.Fixes[1].At, p)) > 3e3 {
			t.Errorf("no fix at %v", p)
		}
	}
}

// The density integrates to one over ground: midpoint sum over ±6 sigma in steps of 0.3 of the wider axis's sigma.
func TestDensityIntegratesToOne(t *testing.T) {
	at := geodesy.LatLon{Lat: 24.8, Lon: -107.4}
	post, err := emitter.Locate(flown(rand.New(rand.NewPCG(3, 1)), at, 40, 60e3, 80e3, 1, 0, 0, 15, ""), emitter.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := post.Fixes[0]
	reach, step := 2.5*f.Ellipse95.MajorM, f.Ellipse95.MinorM/8
	sum := 0.0
	for e := -reach; e <= reach; e += step {
		for n := -reach; n <= reach; n += step {
			p := geodesy.Destination(f.At, math.Atan2(e, n)/geodesy.RadPerDegree, math.Hypot(e, n))
			sum += math.Exp(post.LogDensity(p)) * step * step
		}
	}
	if math.Abs(sum-1) > 0.02 { // linear interpolation of the logarithm in steps of 0.25 sigma: 0.25²/12 = 0.5 % a direction
		t.Errorf("integral %v, want 1", sum)
	}
	// CEP50 and CEP95 lie between what the axes allow: of a needle 0.67 and 1.96 sigma, of a circle 1.18 and 2.45.
	sigma := f.Ellipse95.MajorM / math.Sqrt(-2*math.Log(0.05))
	if f.CEP50M < 0.6*sigma || f.CEP50M > 1.25*sigma || f.CEP95M < 1.8*sigma || f.CEP95M > 2.6*sigma {
		t.Errorf("CEP50 %.0f, CEP95 %.0f, sigma of the major axis %.0f", f.CEP50M, f.CEP95M, sigma)
	}
}

// Whatever the bearings are, the answer is a finite place or an error in one line.
func TestAnyBearingsGetAFiniteAnswer(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 6).Draw(t, "n")
		bs := make([]emitter.Bearing, n)
		for i := range bs {
			bs[i] = emitter.Bearing{
				Sensor: geodesy.LatLonHeight{
					Lat: rapid.OneOf(rapid.Float64Range(-90, 90), rapid.SampledFrom([]float64{-90, 0, 90, 24.8})).Draw(t, "lat"),
					Lon: rapid.OneOf(rapid.Float64Range(-180, 180), rapid.SampledFrom([]float64{-180, 180, 0})).Draw(t, "lon"),
				},
				AzimuthDeg: rapid.OneOf(rapid.Float64Range(-360, 720), rapid.SampledFrom([]float64{0, 90, 180})).Draw(t, "az"),
				SigmaDeg:   rapid.Float64Range(1e-6, 180).Draw(t, "sigma"),
				BiasGroup:  rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "group"),
			}
		}
		post, err := emitter.Locate(bs, emitter.Options{})
		if err != nil {
			if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "NaN") {
				t.Fatalf("error %q", err)
			}
			return
		}
		for _, f := range post.Fixes {
			for _, v := range []float64{f.CovarianceM2[0][0], f.CovarianceM2[0][1], f.CovarianceM2[1][1], f.Ellipse95.MajorM, f.Ellipse95.MinorM, f.Ellipse95.AzimuthDeg, f.CEP50M, f.CEP95M, f.Weight, f.WildShare} {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Fatalf("got %+v", f)
				}
			}
			if !f.At.Valid() || f.Used+f.Rejected != n {
				t.Fatalf("got %+v", f)
			}
		}
	})
}

// Turning the Earth under the stations turns the fix with it, and the order of the bearings does not matter.
func TestFixTurnsWithTheEarth(t *testing.T) {
	t.Parallel()
	for seed, turn := range []float64{-180, -179.5, -73, 0, 52.25, 110, 160, 180} {
		bs := flown(rand.New(rand.NewPCG(uint64(seed), 2)), geodesy.LatLon{Lat: 31, Lon: 20}, 70, 80e3, 90e3, 1, 0.1, 0, 12, "")
		turned := make([]emitter.Bearing, len(bs))
		for i, b := range bs {
			b.Sensor.Lon = geodesy.Wrap180(b.Sensor.Lon + turn)
			turned[len(bs)-1-i] = b
		}
		p, err := emitter.Locate(bs, emitter.Options{})
		q, err2 := emitter.Locate(turned, emitter.Options{})
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		want := geodesy.LatLon{Lat: p.Fixes[0].At.Lat, Lon: geodesy.Wrap180(p.Fixes[0].At.Lon + turn)}
		// Both climbs end within a thousandth of the ellipse of the same maximum.
		if d := geodesy.Distance(want, q.Fixes[0].At); d > 1e-2*p.Fixes[0].Ellipse95.MinorM {
			t.Errorf("turned by %v: %.1f m apart", turn, d)
		}
	}
}
