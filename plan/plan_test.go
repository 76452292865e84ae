package plan_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/plan"
)

// survey is one leg across a wind from the west, 150 m downwind of the origin, with a source there of this rate or none. It serves to test behaviour;
// skill is judged on puffs (internal/bench).
func survey(rate float64) source.Input {
	s := numeric.NewStream(3, 1)
	g := source.Survey{Compounds: []string{"acetone"}, Surface: dispersion.Surface{RoughnessM: 0.1, Class: 3, HasClass: true}}
	for k := range 41 {
		y := -200 + 10*float64(k)
		w := dispersion.Wind{U: 4, HeightM: 10, AveragingS: 1}
		c := 4e-9 + 2e-9*s.Normal() + dispersion.NewPlume(w, g.Surface).Concentration(dispersion.Source{Z: 2, RateKgS: rate}, 150, y, 20, dispersion.Shape{})
		g.Samples = append(g.Samples, source.Sample{TimeS: float64(k), At: [3]float64{150, y, 20}, Wind: w, Values: []source.Value{{Amount: c, SD: 2e-9}}})
	}
	frame := geodesy.NewFrame(geodesy.LatLonHeight{Lat: 24.9, Lon: -106.9})
	return source.Input{Frame: &frame, Local: true, Groups: []source.Survey{g}}
}

// located is a survey with its group, located once for all tests.
var located = func() func(t *testing.T, rate float64) (source.Input, *source.Group) {
	var mu sync.Mutex
	known := map[float64]*source.Group{}
	return func(t *testing.T, rate float64) (source.Input, *source.Group) {
		mu.Lock()
		defer mu.Unlock()
		in := survey(rate)
		if known[rate] == nil {
			r, err := source.Locate(t.Context(), in, source.Options{Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			known[rate] = &r.Groups[0]
		}
		return in, known[rate]
	}
}()

func limits(in source.Input) plan.Limits {
	l := plan.AsFlown(in.Groups[0])
	l.MinHeightM, l.MaxHeightM = 20, 50
	return l
}

func TestAsFlown(t *testing.T) {
	l := plan.AsFlown(survey(0).Groups[0])
	if math.Abs(l.SpeedMPS-10) > 1e-9 || l.MinHeightM != 20 || l.MaxHeightM != 20 || l.Start != [3]float64{150, 200, 20} {
		t.Errorf("%+v", l)
	}
}

func TestAdviceKeepsToItsLimits(t *testing.T) {
	for _, rate := range []float64{0, 3e-3} {
		in, g := located(t, rate)
		l := limits(in)
		l.Fence = plan.Polygon{{{-250, -180}, {60, -180}, {160, 150}, {160, 210}, {-250, 250}}} // it slants through where legs would be
		l.Minutes = 1.5
		a, err := plan.Next(t.Context(), in, 0, g, l, plan.Options{Seed: 1, Draws: 150})
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Legs) < 3 || (a.Situation == "found") != (rate > 0) {
			t.Fatalf("rate %g: %d legs, %s", rate, len(a.Legs), a.Situation)
		}
		before := math.Inf(1)
		for i, p := range a.Legs {
			leg := p.Leg()
			if p.Rank != i+1 || p.BitsPerMinute > before {
				t.Errorf("leg %d has rank %d and %.3f bit/min after %.3f", i+1, p.Rank, p.BitsPerMinute, before)
			}
			before = p.BitsPerMinute
			if p.Minutes > l.Minutes || leg.HeightM < l.MinHeightM || leg.HeightM > l.MaxHeightM || p.Detect < 0 || p.Detect > 1 || !(p.Bits.P05 <= p.Bits.Mean && p.Bits.Mean <= p.Bits.P95) {
				t.Errorf("leg %d: %+v", i+1, p)
			}
			transit, fly := leg.Minutes(l.Start, l.SpeedMPS)
			if math.Abs(transit+fly-p.Minutes) > 1e-9 {
				t.Errorf("leg %d takes %g minutes, said are %g", i+1, transit+fly, p.Minutes)
			}
			for k := range 201 { // the way there and the leg stay within the fence
				s := float64(k) / 200
				for _, w := range [2][2][2]float64{{{l.Start[0], l.Start[1]}, leg.From}, {leg.From, leg.To}} {
					x, y := w[0][0]+s*(w[1][0]-w[0][0]), w[0][1]+s*(w[1][1]-w[0][1])
					if !l.Fence.Holds(x, y) {
						t.Fatalf("leg %d leaves the fence at %.1f %.1f", i+1, x, y)
					}
				}
			}
			if p.Why.EN == "" || p.Why.ES == "" || p.Why.EN == p.Why.ES {
				t.Errorf("leg %d says %q and %q", i+1, p.Why.EN, p.Why.ES)
			}
		}
	}
}

// Where a source was found, the advised leg tells more a minute than any lane, and leaves a smaller region than there was.
func TestAdviceBeatsTheLawnMowerInItsOwnEyes(t *testing.T) {
	in, g := located(t, 3e-3)
	a, err := plan.Next(t.Context(), in, 0, g, limits(in), plan.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	best := a.Legs[0]
	if best.BitsPerMinute <= a.Baseline.BitsPerMinute || best.Bits.P05 <= 0 || best.Radius90.After.Mean >= best.Radius90.Before {
		t.Errorf("advised %+v, lane %+v", best, a.Baseline)
	}
}

func TestTheSameAdviceOnAnyNumberOfCores(t *testing.T) {
	in, g := located(t, 3e-3)
	o := plan.Options{Seed: 4, Draws: 100, Legs: 3}
	want, err := plan.Next(t.Context(), in, 0, g, limits(in), o)
	if err != nil {
		t.Fatal(err)
	}
	was := runtime.GOMAXPROCS(1)
	one, err := plan.Next(t.Context(), in, 0, g, limits(in), o)
	runtime.GOMAXPROCS(was)
	if err != nil || !reflect.DeepEqual(one, want) {
		t.Errorf("one core and many advise differently, or %v", err)
	}
	o.Seed = 5
	if other, err := plan.Next(t.Context(), in, 0, g, limits(in), o); err != nil || reflect.DeepEqual(other.Legs[0].Bits, want.Legs[0].Bits) {
		t.Errorf("another seed gives the same Monte Carlo to the last bit, or %v", err)
	}
}

func TestWhatCannotBeFlownIsRefused(t *testing.T) {
	in, g := located(t, 3e-3)
	change := func(f func(l *plan.Limits)) plan.Limits {
		l := limits(in)
		f(&l)
		return l
	}
	for _, c := range []struct {
		name string
		l    plan.Limits
		kind atalaya.Kind
		want string
	}{
		{"a fence elsewhere", change(func(l *plan.Limits) { l.Fence = plan.Polygon{{{0, 0}, {10, 0}, {0, 10}}} }), atalaya.BadUse, "the fence does not hold the start"},
		{"a fence around the aircraft alone", change(func(l *plan.Limits) { l.Fence = plan.Polygon{{{145, 195}, {155, 195}, {155, 205}, {145, 205}}} }), atalaya.Refused, "no leg of 40 m or more is allowed"},
		{"no time for any leg", change(func(l *plan.Limits) { l.Minutes = 0.1 }), atalaya.Refused, "no leg of 40 m or more is allowed"},
		{"a negative speed", change(func(l *plan.Limits) { l.SpeedMPS = -3 }), atalaya.BadUse, "a speed of -3 m/s"},
		{"no speed", change(func(l *plan.Limits) { l.SpeedMPS = math.NaN() }), atalaya.BadUse, "does not show how fast"},
		{"heights the wrong way around", change(func(l *plan.Limits) { l.MinHeightM, l.MaxHeightM = 60, 20 }), atalaya.BadUse, "the least height, 60 m, lies above the greatest, 20 m"},
		{"a height below ground", change(func(l *plan.Limits) { l.MinHeightM = -5 }), atalaya.BadUse, "heights from -5"},
		{"no minutes", change(func(l *plan.Limits) { l.Minutes = 0 }), atalaya.BadUse, "0 minutes left"},
	} {
		_, err := plan.Next(t.Context(), in, 0, g, c.l, plan.Options{})
		var e *atalaya.Error
		if !errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(err.Error(), c.want) || e.Hint == "" {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := plan.Next(ctx, in, 0, g, limits(in), plan.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestLawnMowerCoversTheAreaThereAndBack(t *testing.T) {
	area := plan.Polygon{{{-300, -300}, {300, -300}, {300, 300}, {-300, 300}}}
	lanes := plan.LawnMower(area, 4, 0, 100, 20, [2]float64{300, -300})
	if len(lanes) != 6 || lanes[0].From != [2]float64{250, -300} {
		t.Fatalf("%d lanes, the first %+v", len(lanes), lanes[0])
	}
	for i, l := range lanes {
		if math.Abs(l.Length()-600) > 1e-6 || i > 0 && math.Hypot(l.From[0]-lanes[i-1].To[0], l.From[1]-lanes[i-1].To[1]) > 100.001 {
			t.Errorf("lane %d: %+v after %+v", i, l, lanes[max(i-1, 0)])
		}
	}
}

func TestFilesCarryTheirMarking(t *testing.T) {
	in, g := located(t, 3e-3)
	a, err := plan.Next(t.Context(), in, 0, g, limits(in), plan.Options{Seed: 1, Draws: 100, Legs: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.KML(atalaya.Marking{}); atalaya.KindOf(err) != atalaya.BadUse {
		t.Errorf("KML without a marking: %v", err)
	}
	if _, err := a.GeoJSON(atalaya.Marking{}); atalaya.KindOf(err) != atalaya.BadUse {
		t.Errorf("GeoJSON without a marking: %v", err)
	}
	m, err := atalaya.ParseMarking("U//SYNTHETIC")
	if err != nil {
		t.Fatal(err)
	}
	k, err := a.KML(m)
	if err != nil {
		t.Fatal(err)
	}
	names, d := 0, xml.NewDecoder(bytes.NewReader(k))
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("the KML is not well formed: %v", err)
		}
		if s, ok := tok.(xml.StartElement); ok && s.Name.Local == "name" {
			var name string
			if err := d.DecodeElement(&name, &s); err != nil || !strings.HasPrefix(name, "UNCLASSIFIED//SYNTHETIC — ") {
				t.Errorf("a name without its marking: %q %v", name, err)
			}
			names++
		}
	}
	if names != 4 || bytes.Contains(k, []byte("http://maps")) { // the document, two legs, the start
		t.Errorf("%d names in\n%s", names, k)
	}
	j, err := a.GeoJSON(m)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Type, Marking string
		Features      []struct {
			Geometry struct {
				Type        string
				Coordinates [][3]float64
			}
			Properties struct {
				Marking string
				Rank    int
			}
		}
	}
	if err := json.Unmarshal(j, &doc); err != nil || doc.Type != "FeatureCollection" || doc.Marking != "UNCLASSIFIED//SYNTHETIC" || len(doc.Features) != 2 {
		t.Fatalf("%v\n%s", err, j)
	}
	for i, f := range doc.Features {
		leg := a.Legs[i].Leg()
		xy := in.Frame.GroundENU(geodesy.LatLon{Lat: f.Geometry.Coordinates[0][1], Lon: f.Geometry.Coordinates[0][0]})
		if f.Properties.Marking != doc.Marking || f.Properties.Rank != i+1 || math.Hypot(xy[0]-leg.From[0], xy[1]-leg.From[1]) > 0.01 || f.Geometry.Coordinates[0][2] != leg.HeightM {
			t.Errorf("feature %d: %+v for %+v", i, f, leg)
		}
	}
	in.Frame = nil
	local, err := plan.Next(t.Context(), in, 0, g, limits(in), plan.Options{Seed: 1, Draws: 60, Legs: 1})
	if err != nil || local.Legs[0].Points[0].XM == nil || local.Legs[0].Points[0].Lat != nil {
		t.Fatalf("local: %v %+v", err, local)
	}
	if _, err := local.KML(m); err == nil || !strings.Contains(err.Error(), "origin") {
		t.Errorf("KML of a survey that has no place: %v", err)
	}
}
