package plan

import (
	"math"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/internal/storm"
	"pgregory.net/rapid"
)

func TestAPolygonIsReadOrToldInOneLine(t *testing.T) {
	for _, c := range []struct{ claim, text, want string }{
		{"a square", `{"type":"Polygon","coordinates":[[[0,0],[100,0],[100,100],[0,100],[0,0]]]}`, ""},
		{"a square that is not closed", `{"type":"Polygon","coordinates":[[[0,0],[100,0],[100,100],[0,100]]]}`, ""},
		{"a feature of a collection", `{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[9,0],[0,9]]]}}]}`, ""},
		{"a bow tie", `{"type":"Polygon","coordinates":[[[0,0],[100,100],[100,0],[0,100],[0,0]]]}`, "edges 1 and 3: the outline crosses itself"},
		{"an outline that runs back along itself", `{"type":"Polygon","coordinates":[[[0,0],[100,0],[50,0],[50,50],[0,0]]]}`, "the outline crosses itself"},
		{"a hole that leaves the ground", `{"type":"Polygon","coordinates":[[[0,0],[100,0],[100,100],[0,100]],[[50,50],[150,50],[50,60]]]}`, "the outline crosses itself"},
		{"a line", `{"type":"LineString","coordinates":[[0,0],[1,1]]}`, `type "LineString" where one Polygon is wanted`},
		{"two corners", `{"type":"Polygon","coordinates":[[[0,0],[1,1],[0,0]]]}`, "ring 1: 2 corners bound no ground"},
		{"a corner of one number", `{"type":"Polygon","coordinates":[[[0,0],[1],[5,5]]]}`, "ring 1, corner 2: not a position"},
		{"two features", `{"type":"FeatureCollection","features":[{},{}]}`, "2 features where one polygon is wanted"},
		{"no JSON", `fence`, "not GeoJSON"},
		{"nothing", ``, "not GeoJSON"},
		{"a megabyte and more", `{"type":"` + strings.Repeat("x", maxPolygonBytes) + `"}`, "larger than 1048576 bytes"},
	} {
		_, err := ReadPolygon(strings.NewReader(c.text), "fence.geojson", nil)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.claim, err)
			}
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), "fence.geojson: "+c.want) && !strings.Contains(err.Error(), c.want) || atalaya.KindOf(err) != atalaya.BadUse {
			t.Errorf("%s: %v, want %q as bad use", c.claim, err, c.want)
		}
	}
	frame := geodesy.NewFrame(geodesy.LatLonHeight{Lat: 24.9, Lon: -106.9})
	if _, err := ReadPolygon(strings.NewReader(`{"type":"Polygon","coordinates":[[[24.9,-106.9],[24.8,-106.9],[24.8,-106.8]]]}`), "f", &frame); err == nil || !strings.Contains(err.Error(), "Longitude comes first") {
		t.Errorf("latitude first: %v", err)
	}
}

// The share of a line within equals what walking along it in small steps finds, whatever the polygon.
func TestWithinIsWhatAWalkFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		corner := rapid.Float64Range(-100, 100)
		var ring [][2]float64
		n := rapid.IntRange(3, 9).Draw(t, "corners")
		for i := range n { // a star: it does not cross itself
			s, c := math.Sincos(2 * math.Pi * float64(i) / float64(n))
			r := rapid.Float64Range(20, 100).Draw(t, "radius")
			ring = append(ring, [2]float64{r * c, r * s})
		}
		p := Polygon{ring}
		if _, _, crossed := p.crossesItself(); crossed {
			t.Fatalf("a star crosses itself: %v", ring)
		}
		a, b := [2]float64{corner.Draw(t, "x0"), corner.Draw(t, "y0")}, [2]float64{corner.Draw(t, "x1"), corner.Draw(t, "y1")}
		var want, got float64
		const steps = 2000
		for i := range steps {
			k := (float64(i) + 0.5) / steps
			if p.Holds(a[0]+k*(b[0]-a[0]), a[1]+k*(b[1]-a[1])) {
				want += 1. / steps
			}
		}
		for _, w := range p.within(a, b) {
			got += w[1] - w[0]
		}
		// The walk errs by a step at each of at most 2n borders.
		if math.Abs(got-want) > 2*float64(n)/steps {
			t.Fatalf("%v from %v to %v: %g within, a walk finds %g", ring, a, b, got, want)
		}
	})
}

func TestAHoleIsNotFlownOver(t *testing.T) {
	p := Polygon{{{0, 0}, {100, 0}, {100, 100}, {0, 100}}, {{40, 40}, {60, 40}, {60, 60}, {40, 60}}}
	if p.joins([2]float64{10, 50}, [2]float64{90, 50}) || !p.joins([2]float64{10, 10}, [2]float64{90, 10}) || p.joins([2]float64{10, 10}, [2]float64{110, 10}) {
		t.Error("a straight way leads through a hole or over the fence, or is barred without one")
	}
	if w := p.within([2]float64{0, 50}, [2]float64{100, 50}); len(w) != 2 || w[0] != [2]float64{0, 0.4} || w[1] != [2]float64{0.6, 1} {
		t.Errorf("through the hole: %v", w)
	}
}

// Whatever the bytes: no panic, and what is read has ground, three corners a ring, and no edge across another.
func FuzzReadPolygon(f *testing.F) {
	f.Add([]byte(`{"type":"Polygon","coordinates":[[[0,0],[100,0],[100,100],[0,100],[0,0]],[[1,1],[2,1],[2,2]]]}`))
	f.Add([]byte(`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[9,0],[0,9]]]}}]}`))
	f.Add([]byte(`{"type":"Polygon","coordinates":[[[1e308,0],[-1e308,0],[0,1e308]]]}`))
	f.Add([]byte(`{"type":"Feature","geometry":null}`))
	storm.Fuzz(f, func(t testing.TB, b []byte) {
		p, err := ReadPolygon(strings.NewReader(string(b)), "fence.geojson", nil)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("more than one line: %q", err)
			}
			return
		}
		if _, _, crossed := p.crossesItself(); crossed || len(p) == 0 {
			t.Errorf("read was %v", p)
		}
		for _, ring := range p {
			if len(ring) < 3 {
				t.Errorf("a ring of %d corners", len(ring))
			}
		}
		p.within([2]float64{-10, -10}, [2]float64{10, 10})
	})
}
