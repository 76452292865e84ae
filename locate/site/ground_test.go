package site_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/sense/ground"
)

// layerOf reads features given as kind, form and coordinates.
func layerOf(t testing.TB, features ...string) *ground.Layer {
	t.Helper()
	var all []string
	for _, f := range features {
		p := strings.SplitN(f, " ", 3)
		all = append(all, fmt.Sprintf(`{"properties":{"kind":%q},"geometry":{"type":%q,"coordinates":%s}}`, p[0], p[1], p[2]))
	}
	l, problems, err := ground.Read(strings.NewReader(`{"type":"FeatureCollection","features":[`+strings.Join(all, ",")+`]}`), "SYNTHETIC")
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	return l
}

// valley has a track along its middle, a river beside it, a town in the north and a frame of 60 km about all.
var valley = []string{"track LineString [[-107.4,24.5],[-107.4,25.1]]", "river LineString [[-107.36,24.5],[-107.36,25.1]]",
	"town Polygon [[[-107.41,25.0],[-107.39,25.0],[-107.39,25.02],[-107.41,25.02],[-107.41,25.0]]]", "track LineString [[-107.7,24.5],[-107.1,24.5]]", "track LineString [[-107.7,25.1],[-107.1,25.1]]"}

func ExampleGround() {
	l, _, err := ground.Read(strings.NewReader(`{"type":"FeatureCollection","features":[
{"properties":{"kind":"track"},"geometry":{"type":"LineString","coordinates":[[-107.4,24.5],[-107.4,25.1]]}},
{"properties":{"kind":"town","radius_m":800},"geometry":{"type":"Point","coordinates":[-107.34,24.8]}}]}`), "SYNTHETIC")
	if err != nil {
		fmt.Println(err)
		return
	}
	v, said := site.NewGround(l).LogRatio(geodesy.LatLon{Lat: 24.8, Lon: -107.396})
	fmt.Printf("%+.2f: %s\n", v, atalaya.English(said))
	// Output: +0.50: 0.40 km from a track; 4.9 km from a town
}

func TestGroundSaysMoreNearWaysAndWaterAndLessInTowns(t *testing.T) {
	g := site.NewGround(layerOf(t, valley...))
	at := func(lat, lon float64) float64 { v, _ := g.LogRatio(geodesy.LatLon{Lat: lat, Lon: lon}); return v }
	for _, row := range []struct {
		claim    string
		lat, lon float64
		want     float64
		says     string
	}{
		{"on the track, 4 km from the river", 24.7, -107.4, 0.5 - 0.2, "0.00 km from a track; 4.0 km from water"},
		{"on the river, 4 km from the track", 24.7, -107.36, 0.4 - 0.86, "4.0 km from a track; 0.00 km from water"},
		{"far from both", 24.8, -107.2, -1.1 - 0.2, "no road or track within 20 km; 16 km from water"},
		{"in the town, on the track", 25.01, -107.4, 0.5 - 0.2 - 0.7, "0.00 km from a track; 4.0 km from water; in a town"},
		{"outside of all that the layers tell of", 26, -107.4, 0, ""},
	} {
		v, said := g.LogRatio(geodesy.LatLon{Lat: row.lat, Lon: row.lon})
		if math.Abs(v-row.want) > 0.02 || row.says != "" && !strings.HasPrefix(atalaya.English(said), row.says) {
			t.Errorf("%s: %.3f %q, want %.2f %q", row.claim, v, atalaya.English(said), row.want, row.says)
		}
		if v != g.At(geodesy.LatLon{Lat: row.lat, Lon: row.lon}) {
			t.Errorf("%s: At says something else", row.claim)
		}
	}
	if a, b := at(24.8, -107.409), at(24.8, -107.44); a <= b {
		t.Errorf("nearer to the track %.2f, further %.2f", a, b)
	}
}

// What no layer tells of is not "nothing there": a box that ends beside a place does not make it remote.
func TestGroundBeyondTheEdgeOfALayerIsNotRemote(t *testing.T) {
	g := site.NewGround(layerOf(t, "track LineString [[10,50],[11,50]]", "track LineString [[10,51],[11,51]]"))
	for _, row := range []struct {
		claim string
		lon   float64
		low   float64
		high  float64
	}{
		{"half a degree inside, 36 km from either end", 10.5, -1.1, -1.1},
		{"3 km inside of the edge", 10.042, -0.4, -0.2},
		{"1 km inside of the edge", 10.0139, 0, 0},
		{"outside", 9.9, 0, 0},
	} {
		v, said := g.LogRatio(geodesy.LatLon{Lat: 50.5, Lon: row.lon})
		if v < row.low-1e-9 || v > row.high+1e-9 {
			t.Errorf("%s: %.3f, want %g to %g", row.claim, v, row.low, row.high)
		}
		if v == 0 && len(said) > 0 {
			t.Errorf("%s: nothing counts, yet it says %q", row.claim, atalaya.English(said))
		}
	}
	if v, said := site.NewGround().LogRatio(geodesy.LatLon{Lat: 1, Lon: 2}); v != 0 || said != nil {
		t.Errorf("without layers: %g %v", v, said)
	}
}

// The number is bounded, runs on without a step of more than a kilometre's worth, and does not hang on the order of the layers.
func TestGroundIsBoundedAndSmooth(t *testing.T) {
	a, b := layerOf(t, valley[:2]...), layerOf(t, valley[2:]...)
	g, other := site.NewGround(a, b), site.NewGround(b, a)
	s := numeric.NewStream(3, 1)
	const step = 25.0 // metres; the steepest row falls by 1.6 over 4 km, at most 1.5 times as fast as on average
	for range 3000 {
		p := geodesy.LatLon{Lat: 24.4 + 0.8*s.Float64(), Lon: -107.8 + 0.8*s.Float64()}
		q := geodesy.Destination(p, 360*s.Float64(), step)
		v, w := g.At(p), g.At(q)
		if v < -2 || v > 0.9 {
			t.Fatalf("%v: %g", p, v)
		}
		if math.Abs(v-w) > 4*1.6*1.5*step/4000 {
			t.Errorf("from %g to %g over %g m at %v", v, w, step, p)
		}
		if u := other.At(p); u != v {
			t.Errorf("%v: %g in one order of layers, %g in the other", p, v, u)
		}
	}
}

// The first row of the table, over a country whose roads and tracks make a mesh of side L, where a share (1 - 2x/L)² lies further than x from the nearest:
// its mean factor is that integral, and is one, as "than on average" says, at a mesh of about 17 km.
func TestMeanOfTheTable(t *testing.T) {
	for _, row := range []struct{ meshKm, low, high float64 }{{6, 1.5, 1.6}, {10, 1.25, 1.35}, {17, 0.98, 1.03}, {20, 0.9, 0.95}} {
		var lines []string
		side := row.meshKm / 111.2
		for k := range 9 {
			x := float64(k) * side
			lines = append(lines, fmt.Sprintf("road LineString [[%f,0],[%f,%f]]", x, x, 8*side), fmt.Sprintf("track LineString [[0,%f],[%f,%f]]", x, 8*side, x))
		}
		g := site.NewGround(layerOf(t, lines...))
		s := numeric.NewStream(1, uint64(row.meshKm))
		const n = 4000
		mean, square := 0.0, 0.0
		for range n {
			f := math.Exp(g.At(geodesy.LatLon{Lat: side * (2 + 4*s.Float64()), Lon: side * (2 + 4*s.Float64())}))
			mean, square = mean+f/n, square+f*f/n
		}
		want, x := 0.0, 0.0
		for half := 0.005; x < row.meshKm/2; x += 2 * half {
			u := math.Max(0, math.Min(1, (x+half-1)/4))
			want += math.Exp(0.5-1.6*u*u*(3-2*u)) * 4 / row.meshKm * (1 - 2*(x+half)/row.meshKm) * 2 * half
		}
		t.Logf("mesh of %g km: mean factor %.2f", row.meshKm, want)
		if tolerance := 4*math.Sqrt((square-mean*mean)/n) + 0.005; math.Abs(mean-want) > tolerance { // four standard errors, and half a percent for degrees of unequal length
			t.Errorf("mesh of %g km: mean factor %.3f over %d places, the integral is %.3f", row.meshKm, mean, n, want)
		}
		if want < row.low || want > row.high {
			t.Errorf("mesh of %g km: mean factor %.3f, the page says %g to %g", row.meshKm, want, row.low, row.high)
		}
	}
}

func TestAPermitExplainsItsClassAndNoOther(t *testing.T) {
	for _, name := range ground.PermitClasses {
		if !slices.ContainsFunc(site.Classes[:], func(c site.Class) bool { return c.Name == name }) {
			t.Errorf("a permit may be of %s, which is no class", name)
		}
	}
	at := geodesy.LatLon{Lat: 24.8, Lon: -107.4}
	sheet := site.PermitSheet("permits.geojson", []ground.Permit{{Class: "farm", Name: "SYNTHETIC farm", At: at, SigmaM: 40}}, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
	es := site.FromSheet(sheet)
	if len(es) != 1 || es[0].Kind != "permit" || es[0].Place == nil || len(es[0].Cells) == 0 {
		t.Fatalf("%+v", es)
	}
	sense, _ := site.SenseOf("permit")
	for i, c := range site.Classes {
		want := sense.Others[i] / sense.Site // a site's is of each of five classes alike, and so is that of what has none of its own
		switch {
		case c.Name == "farm":
			want *= 0.95 * 5
		case slices.Contains(ground.PermitClasses[:], c.Name):
			want *= 0.0125 * 5 // one of twenty is of another class, of which there are four
		}
		if got := es[0].Others[c.Name]; math.Abs(got-want) > 1e-9*want {
			t.Errorf("%s: %g times the site's, want %g", c.Name, got, want)
		}
	}
}

func BenchmarkGroundAt(b *testing.B) {
	g := site.NewGround(layerOf(b, valley...))
	s := numeric.NewStream(3, 1)
	for b.Loop() {
		g.At(geodesy.LatLon{Lat: 24.4 + 0.8*s.Float64(), Lon: -107.8 + 0.8*s.Float64()})
	}
}
