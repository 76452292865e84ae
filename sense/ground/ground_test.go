package ground_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/internal/storm"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/sense/ground"
)

const layer = `{"type":"FeatureCollection","name":"SYNTHETIC","features":[
{"type":"Feature","properties":{"kind":"track"},"geometry":{"type":"LineString","coordinates":[[-107.40,24.80],[-107.40,24.90,310]]}},
{"type":"Feature","properties":{"kind":"town","name":"SYNTHETIC village"},"geometry":{"type":"Polygon","coordinates":[[[-107.30,24.80],[-107.28,24.80],[-107.28,24.82],[-107.30,24.82],[-107.30,24.80]]]}},
{"type":"Feature","properties":{"kind":"building","levels":2},"geometry":null},
{"type":"Feature","properties":{"kind":"permit","class":"industry","name":"SYNTHETIC works","position_sigma_m":30},"geometry":{"type":"Point","coordinates":[-107.35,24.85]}}]}`

func Example() {
	l, problems, err := ground.Read(strings.NewReader(layer), "layers.geojson")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(l.Shapes), "shapes,", l.Permits[0].Class, "permit;", problems[0].What)
	x := ground.NewIndex(l)
	here := geodesy.LatLon{Lat: 24.85, Lon: -107.39}
	d, _ := x.Distance(here, ground.Road, ground.Track)
	town, _ := x.Distance(here, ground.Town)
	_, river := x.Distance(here, ground.River, ground.Water)
	fmt.Printf("%.0f m from a track, %.1f km from a town, water known: %v\n", d, town/1000, river)
	// Output:
	// 2 shapes, industry permit; 1 features passed over, their kinds mean nothing here: building (1). Give properties.kind of docs/reference/layers.md to what should count
	// 1011 m from a track, 9.7 km from a town, water known: false
}

func read(t testing.TB, features ...string) *ground.Layer {
	t.Helper()
	l, problems, err := ground.Read(strings.NewReader(`{"type":"FeatureCollection","features":[`+strings.Join(features, ",")+`]}`), "a.geojson")
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	return l
}

func feature(kind, form string, coordinates any) string {
	b, err := json.Marshal(coordinates)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"type":"Feature","properties":{"kind":%q},"geometry":{"type":%q,"coordinates":%s}}`, kind, form, b)
}

// apart is the distance of a place from the line that is straight in longitude and latitude: the least geodesic to a point of it, by thirds, since over
// tens of kilometres it falls and then rises.
func apart(p geodesy.LatLon, a, b [2]float64) float64 {
	turn := geodesy.Wrap180(b[0] - a[0])
	at := func(t float64) float64 {
		return geodesy.Distance(p, geodesy.LatLon{Lat: a[1] + t*(b[1]-a[1]), Lon: geodesy.Wrap180(a[0] + t*turn)})
	}
	low, high := 0.0, 1.0
	for range 40 { // (2/3)^40 of 100 km is a centimetre
		m, n := low+(high-low)/3, high-(high-low)/3
		if at(m) < at(n) {
			high = n
		} else {
			low = m
		}
	}
	return min(at(low), at(high), at(0), at(1))
}

// The nearest of many lines is found, and its distance is that of the geodesic, within a metre, at any latitude and across the antimeridian.
func TestDistanceIsThatOfTheNearestGeodesicWithinAMetre(t *testing.T) {
	for _, row := range []struct {
		claim    string
		lat, lon float64
	}{{"on the equator", 0.1, 10}, {"in Sinaloa", 24.8, -107.4}, {"in Lapland", 68, 25}, {"near the pole", 84, -40}, {"south, across the antimeridian", -17, 180}} {
		s := numeric.NewStream(7, uint64(math.Abs(row.lat)*10))
		degree := 111e3 * math.Cos(row.lat*math.Pi/180)
		spot := func(spread float64) [2]float64 {
			return [2]float64{geodesy.Wrap180(row.lon + (s.Float64()-0.5)*spread/degree), row.lat + (s.Float64()-0.5)*spread/111e3}
		}
		var lines [][2][2]float64
		var features []string
		for range 40 {
			l := [2][2]float64{spot(60e3), spot(60e3)}
			lines = append(lines, l)
			features = append(features, feature("road", "LineString", l))
		}
		x := ground.NewIndex(read(t, features...))
		worst := 0.0
		for range 60 {
			c := spot(90e3)
			p := geodesy.LatLon{Lat: c[1], Lon: c[0]}
			want := math.Inf(1)
			for _, l := range lines {
				want = min(want, apart(p, l[0], l[1]))
			}
			got, ok := x.Distance(p, ground.Road)
			if want > ground.ReachM+1 {
				if ok {
					t.Errorf("%s: %v lies %.1f m from a road, got %.1f", row.claim, p, want, got)
				}
				continue
			}
			worst = max(worst, math.Abs(got-min(want, ground.ReachM)))
		}
		t.Logf("%s: within %.2f m", row.claim, worst)
		if worst > 1 {
			t.Errorf("%s: off by %.2f m", row.claim, worst)
		}
	}
}

func TestAPlaceInAnAreaHasNoDistanceToIt(t *testing.T) {
	square := func(lon, lat, side float64) [][2]float64 {
		return [][2]float64{{lon, lat}, {lon + side, lat}, {lon + side, lat + side}, {lon, lat + side}, {lon, lat}}
	}
	island := read(t, feature("water", "Polygon", [][][2]float64{square(10, 50, 0.2), square(10.08, 50.08, 0.04)}))
	x := ground.NewIndex(island)
	for _, row := range []struct {
		claim    string
		lat, lon float64
		want     float64
	}{
		{"in the lake", 50.02, 10.02, 0},
		{"on the island, half of its width from the shore", 50.1, 10.1, 0.02 * math.Cos(50.1*math.Pi/180) * 111.2e3},
		{"a kilometre to the south", 50 - 1/111.245, 10.1, 1000},
	} {
		got, ok := x.Distance(geodesy.LatLon{Lat: row.lat, Lon: row.lon}, ground.Water)
		if !ok || math.Abs(got-row.want) > 0.005*row.want {
			t.Errorf("%s: %.1f m, want %.1f", row.claim, got, row.want)
		}
	}
	across := ground.NewIndex(read(t, feature("town", "Polygon", [][][2]float64{{{179.9, 0}, {-179.9, 0}, {-179.9, 0.2}, {179.9, 0.2}, {179.9, 0}}})))
	for _, lon := range []float64{179.95, -179.95, 180, -180} {
		if d, ok := across.Distance(geodesy.LatLon{Lat: 0.1, Lon: lon}, ground.Town); !ok || d != 0 {
			t.Errorf("a town across the antimeridian, at %g: %g %v", lon, d, ok)
		}
	}
	if d, _ := across.Distance(geodesy.LatLon{Lat: 0.1, Lon: 179.8}, ground.Town); math.Abs(d-0.1*111.32e3) > 50 {
		t.Errorf("west of it: %g", d)
	}
	point := ground.NewIndex(read(t, `{"type":"Feature","properties":{"kind":"town","radius_m":1200},"geometry":{"type":"Point","coordinates":[10,50]}}`))
	for _, row := range [][2]float64{{500, 0}, {1199, 0}, {1500, 300}, {15000, 13800}} {
		at := geodesy.Destination(geodesy.LatLon{Lat: 50, Lon: 10}, 77, row[0])
		if d, ok := point.Distance(at, ground.Town); !ok || math.Abs(d-row[1]) > 0.5 {
			t.Errorf("%g m from the middle of a town of 1200 m: %g, want %g", row[0], d, row[1])
		}
	}
	if _, ok := point.Distance(geodesy.Destination(geodesy.LatLon{Lat: 50, Lon: 10}, 0, 21300), ground.Town); ok {
		t.Error("a town further than the index looks has a distance")
	}
}

// Crossing by bands agrees with crossing by all edges, on stars that fold over themselves.
func TestInsideByBandsIsInsideByAllEdges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(3, 200).Draw(t, "corners")
		s := numeric.NewStream(uint64(rapid.IntRange(0, 1<<30).Draw(t, "seed")), 1)
		ring := make([][2]float64, n)
		for i := range ring {
			ring[i] = [2]float64{s.Float64(), s.Float64()}
			if rapid.Bool().Draw(t, "smooth") {
				a := 2 * math.Pi * float64(i) / float64(n)
				ring[i] = [2]float64{0.5 + 0.4*math.Cos(a), 0.5 + 0.4*math.Sin(a)}
			}
		}
		text := `{"type":"FeatureCollection","features":[` + feature("town", "Polygon", [][][2]float64{ring}) + `]}`
		l, problems, err := ground.Read(strings.NewReader(text), "")
		if err != nil || len(l.Shapes) != 1 {
			t.Skip(problems, err)
		}
		x := ground.NewIndex(l)
		for range 50 {
			lon, lat := s.Float64(), s.Float64()
			in := false
			for i := range ring {
				a, b := ring[i], ring[(i+1)%n]
				if (a[1] > lat) != (b[1] > lat) && lon < a[0]+(b[0]-a[0])*(lat-a[1])/(b[1]-a[1]) {
					in = !in
				}
			}
			if d, ok := x.Distance(geodesy.LatLon{Lat: lat, Lon: lon}, ground.Town); in != (ok && d == 0) {
				t.Fatalf("%g, %g: inside %v, distance %g %v", lat, lon, in, d, ok)
			}
		}
	})
}

func TestInsideTellsWhereALayerSpeaks(t *testing.T) {
	l := read(t, feature("road", "LineString", [][2]float64{{10, 50}, {11, 51}}), feature("town", "Point", [2]float64{10.5, 50}))
	x := ground.NewIndex(l)
	middle := geodesy.LatLon{Lat: 50.5, Lon: 10.5}
	want := geodesy.Distance(middle, geodesy.LatLon{Lat: 50.5, Lon: 11})
	if got := x.Inside(middle, ground.Road, ground.Track); math.Abs(got-want) > 0.005*want {
		t.Errorf("in the middle: %g, want %g", got, want)
	}
	if got := x.Inside(middle, ground.Water); got != 0 {
		t.Errorf("the layer tells nothing of water, but covers %g m", got)
	}
	if got := x.Inside(geodesy.LatLon{Lat: 50.5, Lon: 9.9}, ground.Road); got != 0 {
		t.Errorf("outside: %g", got)
	}
	across := ground.NewIndex(read(t, feature("road", "LineString", [][2]float64{{179.5, 0}, {-179.5, 1}})))
	if got := across.Inside(geodesy.LatLon{Lat: 0.5, Lon: -180}, ground.Road); math.Abs(got-0.5*111.2e3) > 500 {
		t.Errorf("across the antimeridian: %g", got)
	}
}

func TestAFeatureThatCannotBeTrueIsToldAndTheRestIsKept(t *testing.T) {
	good := feature("road", "LineString", [][2]float64{{10, 50}, {10, 51}})
	for _, row := range []struct{ claim, bad, what string }{
		{"latitude first", feature("road", "LineString", [][2]float64{{24.8, -107.4}, {24.9, -107.4}}), "[24.8 -107.4] is no position. Write [longitude, latitude] in degrees"},
		{"one corner", feature("track", "LineString", [][2]float64{{1, 2}}), "a line of 1. Give at least two corners"},
		{"a slip of the pen", feature("road", "LineString", [][2]float64{{10, 50}, {100, 50}}), "two corners that follow each other lie 6497 km apart"},
		{"a road that is an area", feature("road", "Polygon", [][][2]float64{{{0, 0}, {1, 0}, {1, 1}, {0, 0}}}), "a Polygon of kind road. Give lines"},
		{"a point of a track", feature("track", "Point", [2]float64{1, 2}), "a Point of kind track. Give lines"},
		{"a ring of two", feature("water", "Polygon", [][][2]float64{{{0, 0}, {1, 0}, {0, 0}}}), "a ring of 2 corners"},
		{"no rings", feature("water", "Polygon", [][][2]float64{}), "a polygon without rings"},
		{"no geometry", `{"type":"Feature","properties":{"kind":"road"},"geometry":null}`, "no geometry. Give a geometry"},
		{"a collection", `{"type":"Feature","properties":{"kind":"road"},"geometry":{"type":"GeometryCollection","geometries":[]}}`, "a GeometryCollection. Give points, lines or polygons"},
		{"coordinates of another form", feature("road", "LineString", [2]float64{1, 2}), "no coordinates of a LineString"},
		{"a number too large", `{"type":"Feature","properties":{"kind":"road"},"geometry":{"type":"LineString","coordinates":[[1e999,0],[0,0]]}}`, "no coordinates of a LineString"},
		{"a permit of no class", feature("permit", "Point", [2]float64{1, 2}), `a permit of class "". Give class as one of industry, farm, fire, traffic, radio`},
		{"a permit that is an area", `{"properties":{"kind":"permit","class":"farm"},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}`, "a Polygon of kind permit. Give points"},
		{"a permit without error", `{"properties":{"kind":"permit","class":"farm","position_sigma_m":0},"geometry":{"type":"Point","coordinates":[0,0]}}`, "position_sigma_m of 0"},
		{"a town as wide as a country", `{"properties":{"kind":"town","radius_m":1e6},"geometry":{"type":"Point","coordinates":[0,0]}}`, "radius_m of 1e+06"},
		{"a name of two lines", `{"properties":{"kind":"town","name":"a\nb"},"geometry":{"type":"Point","coordinates":[0,0]}}`, "cannot be shown"},
		{"a name that is a number", `{"properties":{"kind":"town","name":7},"geometry":{"type":"Point","coordinates":[0,0]}}`, "key name: a number stands here"},
		{"no object", `7`, "no object where one belongs"},
	} {
		l, problems, err := ground.Read(strings.NewReader(`{"type":"FeatureCollection","features":[`+row.bad+`,`+good+`]}`), "a.geojson")
		if err != nil {
			t.Errorf("%s: %v", row.claim, err)
			continue
		}
		if len(problems) != 1 || problems[0].At != "feature 1" || !strings.Contains(problems[0].What, row.what) || !problems[0].Lost {
			t.Errorf("%s: %+v, want %q", row.claim, problems, row.what)
		}
		if len(l.Shapes) != 1 || len(l.Permits) != 0 || l.Features != 2 {
			t.Errorf("%s: %d shapes, %d permits", row.claim, len(l.Shapes), len(l.Permits))
		}
	}
}

func TestWhatMeansNothingIsCountedAndCostsNothing(t *testing.T) {
	text := `{"type":"FeatureCollection","crs":{"x":[1]},"features":[{"properties":{"kind":"pier"}},{"properties":{"kind":3}},{"properties":null},{},{"properties":{"kind":"pier"},"id":7,"bbox":[1]}]}`
	l, problems, err := ground.Read(strings.NewReader(text), "a.geojson")
	if err != nil || l.Features != 5 || len(problems) != 1 || problems[0].Lost || !strings.HasPrefix(problems[0].What, "5 features passed over, their kinds mean nothing here: no text (1), none (2), pier (2).") {
		t.Errorf("%+v %v", problems, err)
	}
	for _, other := range []string{`{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}`, `{"type":"Feature","properties":{},"geometry":null}`, `{}`} {
		l, problems, err := ground.Read(strings.NewReader(other), "a.geojson")
		if err != nil || len(l.Shapes) > 0 || len(problems) != 1 || problems[0].Lost || !strings.Contains(problems[0].What, "is kept, not used: it is no FeatureCollection") {
			t.Errorf("%s: %+v %v", other, problems, err)
		}
	}
	if l, problems, err := ground.Read(strings.NewReader(`{"type":"FeatureCollection","features":[]}`), "a.geojson"); err != nil || len(problems) > 0 || l.Box.Some {
		t.Errorf("an empty collection: %+v %v", problems, err)
	}
}

func TestWhatIsNoLayerIsSaidInOneLine(t *testing.T) {
	for _, row := range []struct{ claim, text, want string }{
		{"cut", layer[:len(layer)-40], "a.geojson: feature 4, byte 0x"},
		{"Latin-1", strings.Replace(layer, "village", "ca\xf1ada", 1), "not UTF-8. Save the file as UTF-8"},
		{"no list", `{"type":"FeatureCollection","features":{}}`, "key features: no list"},
		{"deep", `{"x":` + strings.Repeat("[", 20000), "exceeded max depth"},
		{"more road than any layer holds", `{"type":"FeatureCollection","features":[` + strings.Repeat(feature("town", "MultiPolygon", polygons(3000))+",", 2) + `{}]}`, "feature 2: more than 2000000 pieces of at most 2 km"},
	} {
		_, _, err := ground.Read(strings.NewReader(row.text), "a.geojson")
		if err == nil || atalaya.KindOf(err) != atalaya.BadInput || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", row.claim, err)
		}
	}
}

// polygons are triangles with edges of 500 km.
func polygons(n int) (out [][][][2]float64) {
	for range n {
		out = append(out, [][][2]float64{{{0, 0}, {4, 0}, {2, 2}, {0, 0}}})
	}
	return out
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{layer, `{"type":"FeatureCollection","features":[{"properties":{"kind":"water"},"geometry":{"type":"MultiPolygon","coordinates":[[[[180,0],[-180,1],[179,2],[180,0]]]]}}]}`,
		`{"type":"FeatureCollection","features":[{"properties":{"kind":"road"},"geometry":{"type":"MultiLineString","coordinates":[[[0,90],[1,-90]]]}}]}`, `{"features":[7,null,{}]}`, "{\"\xc3"} {
		f.Add([]byte(s))
	}
	storm.Fuzz(f, func(t testing.TB, b []byte) {
		l, problems, err := ground.Read(bytes.NewReader(b), "f.geojson")
		for _, p := range problems {
			if p.What == "" || strings.ContainsAny(p.At+p.What, "\r\n") {
				t.Fatalf("%+v", p)
			}
		}
		if err != nil {
			var e *atalaya.Error
			if !errors.As(err, &e) || e.Hint == "" || strings.ContainsAny(err.Error(), "\r\n") {
				t.Fatal(err)
			}
			return
		}
		x := ground.NewIndex(l)
		for _, s := range l.Shapes {
			if s.Kind == ground.LandUse {
				continue
			}
			for _, p := range slices.Concat(slices.Concat(s.Lines...), slices.Concat(slices.Concat(s.Areas...)...), s.Points) {
				if d, ok := x.Distance(p, s.Kind); !ok || d > 1 {
					t.Fatalf("a corner of a %s lies %g m from the nearest, %v: %v", s.Kind, d, ok, p)
				}
			}
		}
	})
}

// country is a province of so many kilometres of winding roads.
func country(tb testing.TB, lines int) *ground.Layer {
	s := numeric.NewStream(5, 1)
	var b bytes.Buffer
	b.WriteString(`{"type":"FeatureCollection","features":[`)
	for i := range lines {
		if i > 0 {
			b.WriteByte(',')
		}
		lon, lat, way := -108+2*s.Float64(), 24+2*s.Float64(), 2*math.Pi*s.Float64()
		b.WriteString(`{"properties":{"kind":"` + []string{"road", "track", "river", "water"}[i%4] + `"},"geometry":{"type":"LineString","coordinates":[`)
		for k := range 100 {
			if k > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "[%.6f,%.6f]", lon, lat)
			way += 0.3 * s.Normal()
			lon, lat = lon+0.0008*math.Cos(way), lat+0.0008*math.Sin(way)
		}
		b.WriteString(`]}}`)
	}
	b.WriteString(`]}`)
	l, problems, err := ground.Read(&b, "")
	if err != nil || len(problems) > 0 {
		tb.Fatal(err, problems)
	}
	return l
}

// BenchmarkDistance asks for the nearest of 250,000 pieces of road at places all over a province.
func BenchmarkDistance(b *testing.B) {
	x := ground.NewIndex(country(b, 5000))
	s := numeric.NewStream(6, 1)
	places := make([]geodesy.LatLon, 1024)
	for i := range places {
		places[i] = geodesy.LatLon{Lat: 24 + 2*s.Float64(), Lon: -108 + 2*s.Float64()}
	}
	i := 0
	for b.Loop() {
		x.Distance(places[i%len(places)], ground.Road, ground.Track)
		i++
	}
}

func BenchmarkIndex(b *testing.B) {
	l := country(b, 5000)
	for b.Loop() {
		ground.NewIndex(l)
	}
}

// The page of the format shows a layer: it must be one.
func TestTheExampleOfThePageIsALayer(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", "layers.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "```json\n")
	text, _, ok := strings.Cut(text, "```")
	l, problems, err := ground.Read(strings.NewReader(text), "layers.md")
	if !ok || err != nil || len(problems) > 0 || len(l.Shapes) == 0 || len(l.Permits) == 0 {
		t.Errorf("%v %v", problems, err)
	}
}
