package terrain

import (
	"encoding/binary"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/atalaya-isr/atalaya/geodesy"
)

var origin = geodesy.LatLonHeight{Lat: 24.5, Lon: -107.5, HeightHAE: 200}

// rayOf begins at an east, north, up of the frame and goes along another.
func rayOf(f geodesy.Frame, from, dir [3]float64) geodesy.Ray {
	n := math.Sqrt(dir[0]*dir[0] + dir[1]*dir[1] + dir[2]*dir[2])
	return geodesy.Ray{From: geodesy.ToECEF(f.FromENU(from)), Dir: f.Vector([3]float64{dir[0] / n, dir[1] / n, dir[2] / n})}
}

// onCone is the distance along a unit direction d from o at which up = high - slope·√(e²+n²) is met first: the lesser positive
// root of (o+td)'s quadratic on the cone's lower nappe.
func onCone(o, d [3]float64, high, slope float64) (float64, bool) {
	k := slope * slope
	u := o[2] - high
	a := k*(d[0]*d[0]+d[1]*d[1]) - d[2]*d[2]
	b := k*(o[0]*d[0]+o[1]*d[1]) - u*d[2]
	c := k*(o[0]*o[0]+o[1]*o[1]) - u*u
	disc := b*b - a*c
	if disc < 0 {
		return 0, false
	}
	best, ok := math.Inf(1), false
	for _, s := range []float64{-1, 1} {
		if t := (-b + s*math.Sqrt(disc)) / a; t > 0 && o[2]+t*d[2] <= high && t < best {
			best, ok = t, true
		}
	}
	return best, ok
}

// A hit's height is found to closeM = 0.1 mm; along a ray that meets the ground at an angle that is closeM over the angle's
// sine, at least 0.05 here: 2 mm. The frame's rounding is 2e-9 m.
func TestRaysMeetFormulas(t *testing.T) {
	f := geodesy.NewFrame(geodesy.LatLonHeight{Lat: 24.5, Lon: -107.5, HeightHAE: 2000})
	const tol = 2e-3
	rapid.Check(t, func(t *rapid.T) {
		o := [3]float64{rapid.Float64Range(-4000, 4000).Draw(t, "east"), rapid.Float64Range(-4000, 4000).Draw(t, "north"), rapid.Float64Range(2500, 6000).Draw(t, "up")}
		az, el := rapid.Float64Range(0, 2*math.Pi).Draw(t, "azimuth"), rapid.Float64Range(0.6, math.Pi/2).Draw(t, "depression")
		d := [3]float64{math.Cos(el) * math.Sin(az), math.Cos(el) * math.Cos(az), -math.Sin(el)}
		r := rayOf(f, o, d)

		plane := Cast(Plane(f, 0.05, -0.1), r, 50e3)
		if want := (0.05*o[0] - 0.1*o[1] - o[2]) / (d[2] - 0.05*d[0] + 0.1*d[1]); plane.Outcome != Met || math.Abs(plane.RangeM-want) > tol {
			t.Fatalf("plane: %v at %.4f m, want %.4f", plane.Outcome, plane.RangeM, want)
		}
		cone := Cast(Cone(f, 1500, 0.3), r, 50e3)
		if want, ok := onCone(o, d, 1500, 0.3); !ok || cone.Outcome != Met || math.Abs(cone.RangeM-want) > tol {
			t.Fatalf("cone: %v at %.4f m, want %.4f %v", cone.Outcome, cone.RangeM, want, ok)
		}
		ridge := Cast(Ridge(f, 800, 0.5), r, 50e3)
		want := -o[2] / d[2]
		for _, side := range []float64{-1, 1} { // up = 800 - 0.5·side·east
			if s := (800 - 0.5*side*o[0] - o[2]) / (d[2] + 0.5*side*d[0]); s > 0 {
				if e := side * (o[0] + s*d[0]); e >= 0 && e <= 1600 && s < want {
					want = s
				}
			}
		}
		if ridge.Outcome != Met || math.Abs(ridge.RangeM-want) > tol {
			t.Fatalf("ridge: %v at %.4f m, want %.4f", ridge.Outcome, ridge.RangeM, want)
		}
	})
}

// Ground of one height is the raised ellipsoid, which Meet finds by another way.
func TestRaysMeetTheRaisedEllipsoid(t *testing.T) {
	f := geodesy.NewFrame(origin)
	rapid.Check(t, func(t *rapid.T) {
		h, el := rapid.Float64Range(-400, 3000).Draw(t, "ground"), rapid.Float64Range(0.1, math.Pi/2).Draw(t, "depression")
		r := rayOf(f, [3]float64{0, 0, 5000}, [3]float64{0.6 * math.Cos(el), 0.8 * math.Cos(el), -math.Sin(el)})
		_, want, ok := r.Meet(h)
		got := Cast(Constant{HeightM: h}, r, 200e3)
		if !ok || got.Outcome != Met || math.Abs(got.RangeM-want) > 1e-3 { // closeM over sin 0.1, at most
			t.Fatalf("%v at %.5f, want %.5f", got.Outcome, got.RangeM, want)
		}
	})
}

func TestRaysThatMeetNothing(t *testing.T) {
	f := geodesy.NewFrame(origin)
	cell := openBytes(t, dtedOf(24, -108, 300, 121, func(p geodesy.LatLon) int { return 200 }))
	for name, c := range map[string]struct {
		model Model
		up    float64
		dir   [3]float64
		want  Outcome
		gap   bool
	}{
		"level, over flat ground, is above the horizon": {Constant{HeightM: 200}, 1000, [3]float64{0, 1, 0}, Sky, false},
		"up":                              {cell, 1000, [3]float64{0, 1, 0.1}, Sky, true},
		"down, but farther than asked":    {Constant{HeightM: 200}, 8000, [3]float64{0, 1, -0.1}, Beyond, false},
		"from below the ground":           {Plane(f, 0, 0), -10, [3]float64{0, 1, -0.1}, Buried, false},
		"over the cell's edge":            {cell, 5000, [3]float64{0, 1, -0.093}, Uncovered, true},
		"grazing a ridge's top from afar": {Ridge(f, 800, 0.5), 801, [3]float64{1, 0, -0.0001}, Met, false},
	} {
		from := [3]float64{0, 0, c.up}
		if name == "grazing a ridge's top from afar" {
			from[0] = -20e3
		}
		h := Cast(c.model, rayOf(f, from, c.dir), 75e3)
		if h.Outcome != c.want || (h.GapM > 0) != c.gap {
			t.Errorf("%s: %v after %.0f m, gap %.0f m; want %v", name, h.Outcome, h.RangeM, h.GapM, c.want)
		}
	}
	if h := Cast(Stack{}, rayOf(f, [3]float64{0, 0, 1000}, [3]float64{0, 0, -1}), 50e3); h.Outcome != Uncovered {
		t.Errorf("without any model: %v", h.Outcome)
	}
}

// A ray passes over a pit of a cell without ground and meets ground behind it: the hit says how much it did not see.
func TestAGapIsTold(t *testing.T) {
	f := geodesy.NewFrame(origin)
	west := openBytes(t, dtedOf(24, -109, 300, 121, func(p geodesy.LatLon) int { return 200 }))
	east := openBytes(t, dtedOf(24, -107, 300, 121, func(p geodesy.LatLon) int { return 200 }))
	from := [3]float64{-60e3, 0, 5000} // in the western cell; 101 km of cell 24 N 108 W are missing
	h := Cast(Stack{west, east}, rayOf(f, from, [3]float64{1, 0, -0.0385}), 200e3)
	if h.Outcome != Met || h.GapM < 99e3 || h.GapM > 103e3 || h.Ground.Source == "" {
		t.Errorf("%v at %v, gap %.0f m", h.Outcome, h.At, h.GapM)
	}
}

// A grid of a formula gives the ray what the formula does, but for the bend between posts: over smooth ground of 0.001° (111 m)
// posts the hill's heights are off by bend(0.001) = 0.012 m, and the range by that over the sine of the angle to the ground.
func TestRaysMeetGrids(t *testing.T) {
	p := geoPlan
	p.rows, p.cols, p.wide, p.tall, p.scale, p.compression = 700, 800, 64, 64, []float64{0.001, 0.001, 0}, compressDeflate
	p.keys = []uint16{keyModel, modelGeodetic, keyRaster, rasterIsPoint, keyGeographic, epsgWGS84, keyVertical, epsgWGS84in3D}
	grid := openBytes(t, p.write(func(r, c int) float64 {
		return hill(geodesy.LatLon{Lat: 24.9 - 0.001*float64(r), Lon: -107.9 + 0.001*float64(c)})
	}))
	f := geodesy.NewFrame(origin)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		az, el := rapid.Float64Range(0, 2*math.Pi).Draw(t, "azimuth"), rapid.Float64Range(0.12, math.Pi/2).Draw(t, "depression")
		r := rayOf(f, [3]float64{0, 0, rapid.Float64Range(700, 3000).Draw(t, "up")}, [3]float64{math.Cos(el) * math.Sin(az), math.Cos(el) * math.Cos(az), -math.Sin(el)})
		got := Cast(grid, r, 50e3)
		want := Cast(exactly{}, r, 50e3)
		if got.Outcome != Met || want.Outcome != Met || got.GapM > 0 {
			t.Fatalf("%v, %v, gap %g", got.Outcome, want.Outcome, got.GapM)
		}
		e, nn, _ := Slope(exactly{}, want.At.LatLon())
		d := geodesy.NewFrame(want.At).Axes(r.Dir)
		sin := (-d[2] + d[0]*e + d[1]*nn) / math.Sqrt(1+e*e+nn*nn)
		if sin < 0.02 { // so grazing that the two may meet different slopes
			return
		}
		n++
		if off := math.Abs(got.RangeM - want.RangeM); off > (bend(0.001)+2*closeM)*1.2/sin {
			t.Fatalf("off by %.4f m at %.4f to the ground", off, sin)
		}
	})
	if n == 0 {
		t.Error("no ray was compared")
	}
}

// exactly is the hill itself, posts 10 m apart.
type exactly struct{}

func (exactly) At(p geodesy.LatLon) (Ground, bool) {
	return Ground{HeightM: hill(p), Datum: HAE}, true
}
func (exactly) Ceiling(geodesy.LatLon, float64) (float64, float64) { return 700, math.Inf(1) }
func (exactly) PostM(geodesy.LatLon) float64                       { return 10 }

// The first of several crossings counts: a ray along a row of waves meets the first crest that is high enough.
func TestTheFirstCrestCounts(t *testing.T) {
	f := geodesy.NewFrame(geodesy.LatLonHeight{Lat: 24.5, Lon: -107.5})
	waves := Surface{f, func(e, n float64) float64 { return 50 * math.Cos(2*math.Pi*e/400) }, 60, 30}
	r := rayOf(f, [3]float64{-5000, 0, 200}, [3]float64{1, 0, -0.03}) // 50 m up at 0 m: just at a crest's height
	h := Cast(waves, r, 20e3)
	got := f.ToENU(h.At)
	best := math.Inf(1)
	for s := 0.0; s < 8000; s += 0.01 { // by brute force
		if e, u := -5000+s, 200-0.03*s; u <= waves.Z(e, 0) {
			best = e
			break
		}
	}
	if h.Outcome != Met || math.Abs(got[0]-best) > 0.02 {
		t.Errorf("%v at east %.2f, want %.2f", h.Outcome, got[0], best)
	}
}

func TestCastDoesNotAllocate(t *testing.T) {
	p := geoPlan
	p.order = binary.LittleEndian
	m := openBytes(t, p.write(func(r, c int) float64 { return 100 }))
	r := rayOf(geodesy.NewFrame(origin), [3]float64{0, 0, 2000}, [3]float64{0.5, 0.5, -0.5})
	Cast(m, r, 50e3)
	if n := testing.AllocsPerRun(100, func() { Cast(m, r, 50e3) }); n != 0 {
		t.Errorf("%g allocations a ray", n)
	}
}

func BenchmarkCast(b *testing.B) {
	p := geoPlan
	p.rows, p.cols, p.wide, p.tall, p.scale = 1400, 1600, 256, 256, []float64{1.0 / 3600, 1.0 / 3600, 0}
	at := func(r, c int) geodesy.LatLon {
		return geodesy.LatLon{Lat: 24.9 - float64(r)/3600, Lon: -107.9 + float64(c)/3600}
	}
	grid := openBytes(b, p.write(func(r, c int) float64 { return hill(at(r, c)) }))
	f := geodesy.NewFrame(geodesy.LatLonHeight{Lat: 24.7, Lon: -107.7})
	for _, c := range []struct {
		name  string
		model Model
		dir   [3]float64
	}{{"constant", Constant{HeightM: 100}, [3]float64{0.6, 0.3, -0.7}}, {"terrain 45 degrees", grid, [3]float64{0.5, 0.5, -0.7}}, {"terrain 10 degrees", grid, [3]float64{0.7, 0.7, -0.17}}} {
		r := rayOf(f, [3]float64{0, 0, 3000}, c.dir)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if h := Cast(c.model, r, 50e3); h.Outcome != Met {
					b.Fatal(h.Outcome)
				}
			}
		})
	}
}
