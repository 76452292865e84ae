package source_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/numeric"
)

const noise = 2e-9 // kg/m3, of the surveys made here

// legs is a survey of three legs across a wind from the west, 60, 120 and 200 m downwind of the origin, 20 m up, of a steady
// plume of each source and white noise. It serves to test behaviour, not skill: that is judged on puffs and on real releases.
func legs(seed uint64, sources ...release) source.Input {
	s := numeric.NewStream(seed, 1)
	g := source.Survey{Compounds: []string{"toluene"}, Surface: dispersion.Surface{RoughnessM: 0.1, Class: 3, HasClass: true}}
	t := 0.0
	for leg, x := range []float64{60, 120, 200} {
		for k := -12.0; k <= 12; k++ {
			y := 8 * k
			if leg%2 == 1 {
				y = -y
			}
			p := source.Sample{TimeS: t, At: [3]float64{x, y, 20}, Wind: dispersion.Wind{U: 4, HeightM: 10, AveragingS: 1}}
			plume := dispersion.NewPlume(p.Wind, g.Surface)
			c := 1e-8 + noise*s.Normal()
			for _, q := range sources {
				c += plume.Concentration(dispersion.Source{X: q.x, Y: q.y, Z: 2, RateKgS: q.rate}, x, y, 20, dispersion.Shape{})
			}
			p.Values = []source.Value{{Amount: c, SD: noise}}
			g.Samples = append(g.Samples, p)
			t += 1
		}
		t += 10
	}
	return source.Input{Local: true, Groups: []source.Survey{g}}
}

func TestASteadySourceIsFound(t *testing.T) {
	want := release{0, 0, 2e-3}
	g := locate(t, legs(1, want))
	if len(g.Sources) != 1 {
		t.Fatalf("%d sources, count %v", len(g.Sources), g.Count)
	}
	// 13.8 is the 99.9 % point of χ² with two degrees of freedom.
	if metres, m2 := miss(g.Sources[0], want); m2 > 13.8 {
		t.Errorf("%.0f m off, %.1f of its own deviations", metres, math.Sqrt(m2))
	}
	sum := 0.0
	for _, p := range g.Count {
		sum += p
	}
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("the counts %v sum to %v", g.Count, sum)
	}
}

func TestBackgroundAloneIsNoSourceAndHasAnUpperLimit(t *testing.T) {
	g := locate(t, legs(2))
	if len(g.Sources) != 0 || g.Count["0"] < 0.5 {
		t.Fatalf("found %d sources in noise, count %v", len(g.Sources), g.Count)
	}
	if g.UpperLimit == nil || len(g.UpperLimit.Points) == 0 || g.UpperLimit.Compound != "toluene" {
		t.Fatalf("no upper limit: %+v", g.UpperLimit)
	}
	// What the legs could not have missed must be found when it is there: four times the limit nearest the origin.
	near, limit := math.Inf(1), 0.0
	for _, p := range g.UpperLimit.Points {
		if d := math.Hypot(*p.XM, *p.YM); d < near {
			near, limit = d, p.RateKgS
		}
	}
	if near > 40 {
		t.Fatalf("no limit within 40 m of the origin, which lies upwind of all legs")
	}
	if g := locate(t, legs(2, release{0, 0, 4 * limit})); len(g.Sources) == 0 {
		t.Errorf("a source of four times the limit, %.2g kg/s, is not found; count %v", 4*limit, g.Count)
	}
}

func TestTheWorldRotatesAndTheAnswerWithIt(t *testing.T) {
	in := legs(3, release{0, 0, 2e-3})
	g := locate(t, in)
	for i := range in.Groups[0].Samples { // a quarter turn: east becomes north
		p := &in.Groups[0].Samples[i]
		p.At[0], p.At[1] = -p.At[1], p.At[0]
		p.Wind.U, p.Wind.V = -p.Wind.V, p.Wind.U
	}
	r := locate(t, in)
	if len(g.Sources) != 1 || len(r.Sources) != 1 {
		t.Fatalf("%d sources, turned %d", len(g.Sources), len(r.Sources))
	}
	a, b := g.Sources[0], r.Sources[0]
	sd := math.Sqrt(a.CovarianceM2[0][0] + a.CovarianceM2[1][1])
	// Both are means of the same posterior from at least 150 effective draws: each is known to 1/√150 of a deviation, the difference to
	// 0.12; four of those are half a deviation.
	if d := math.Hypot(-*a.YM-*b.XM, *a.XM-*b.YM); d > 0.5*sd {
		t.Errorf("turned by a quarter, the answer moved by %.1f m beside the turn, deviation %.1f m", d, sd)
	}
}

func TestTheSameOnAnyNumberOfCoresAndInAnyOrder(t *testing.T) {
	bytes := func(in source.Input) string {
		g := locate(t, in)
		b, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	want := bytes(legs(4, release{0, 0, 2e-3}))
	was := runtime.GOMAXPROCS(1)
	one := bytes(legs(4, release{0, 0, 2e-3}))
	runtime.GOMAXPROCS(was)
	if one != want {
		t.Error("one core and many give different bytes")
	}
	in := legs(4, release{0, 0, 2e-3})
	slices.Reverse(in.Groups[0].Samples)
	if bytes(in) != want {
		t.Error("the order of the rows in the file shows in the answer")
	}
}

func TestTwoSourcesApartAreTwo(t *testing.T) {
	g := locate(t, legs(5, release{0, -50, 2e-3}, release{10, 50, 2e-3}))
	if len(g.Sources) != 2 {
		t.Errorf("%d sources, want two; count %v", len(g.Sources), g.Count)
	}
}

func TestWhatCannotBeLocatedFrom(t *testing.T) {
	few := legs(6)
	few.Groups[0].Samples = few.Groups[0].Samples[:4]
	calm := legs(6)
	for i := range calm.Groups[0].Samples {
		calm.Groups[0].Samples[i].Wind.U = 0
	}
	for name, in := range map[string]source.Input{"no group": {}, "four samples": few, "calm throughout": calm} {
		_, err := source.Locate(context.Background(), in, source.Options{})
		var e *atalaya.Error
		if !errors.As(err, &e) || e.Kind != atalaya.BadInput || e.Hint == "" {
			t.Errorf("%s: %v, want bad input with a remedy", name, err)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := source.Locate(ctx, legs(6), source.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestBoundsSayNoMoreThanTheyAre(t *testing.T) {
	in := legs(7)
	for i := range in.Groups[0].Samples {
		v := &in.Groups[0].Samples[i].Values[0]
		*v = source.Value{Amount: 6 * noise, SD: noise, Below: true}
	}
	if g := locate(t, in); len(g.Sources) != 0 {
		t.Errorf("%d sources where every value is below the limit of detection", len(g.Sources))
	}
}

// What is drawn is what is reported: as many sources as probable, places within the covariance, the same for the same seed.
func TestDrawsAreOfThePosterior(t *testing.T) {
	g := locate(t, legs(1, release{0, 0, 2e-3}))
	draws := g.Draws(1000, 7)
	if again := g.Draws(1000, 7); !reflect.DeepEqual(draws, again) {
		t.Error("the same seed draws otherwise the second time")
	}
	counted, x := map[string]float64{}, 0.0
	for _, d := range draws {
		counted[strconv.Itoa(len(d.Sources))]++
		if len(d.Sources) == 1 {
			x += d.Sources[0].X
		}
	}
	for k, p := range g.Count {
		if math.Abs(counted[k]/1000-p) > 0.002 { // systematic: a draw for each end of a share
			t.Errorf("%s sources in %g of a thousand draws, probability %g", k, counted[k], p)
		}
	}
	s := g.Sources[0]
	// The mean of a thousand draws with replacement: five of its deviations.
	if mean, sd := x/counted["1"], math.Sqrt(s.CovarianceM2[0][0]/1000); math.Abs(mean-*s.XM) > 5*sd {
		t.Errorf("draws lie about x = %.1f m, the source at %.1f ± %.1f m", mean, *s.XM, sd)
	}
}

// What a library is handed may be anything: an answer or an error, no panic.
func TestExtremeSurveysDoNotPanic(t *testing.T) {
	for name, change := range map[string]func(i int, p *source.Sample){
		"amounts beyond all air":   func(i int, p *source.Sample) { p.Values[0].Amount *= 1e200 },
		"one amount beyond all":    func(i int, p *source.Sample) { p.Values[0].Amount += 1e300 * float64(i/40%2) },
		"amounts of nothing":       func(i int, p *source.Sample) { p.Values[0] = source.Value{} },
		"all below the same bound": func(i int, p *source.Sample) { p.Values[0] = source.Value{Amount: 1e-8, Below: true} },
		"hardly a wind":            func(i int, p *source.Sample) { p.Wind.U, p.Wind.V = 1e-200, 0 },
		"a gale":                   func(i int, p *source.Sample) { p.Wind.U = 1e6 },
		"in space":                 func(i int, p *source.Sample) { p.At[2] = 1e9 },
		"all in one place":         func(i int, p *source.Sample) { p.At = [3]float64{} },
		"a world across":           func(i int, p *source.Sample) { p.At[0] += 1e7 * float64(i) },
		"all at one time":          func(i int, p *source.Sample) { p.TimeS = 0 },
	} {
		in := legs(1, release{0, 0, 2e-3})
		for i := range in.Groups[0].Samples {
			change(i, &in.Groups[0].Samples[i])
		}
		r, err := source.Locate(context.Background(), in, source.Options{Seed: 1})
		if err != nil {
			continue
		}
		sum := 0.0
		for _, p := range r.Groups[0].Count {
			sum += p
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("%s: probabilities sum to %g", name, sum)
		}
	}
}

// drifting adds to a survey's background what drifts: white noise is there already; a process that remembers itself for twenty samples, 1.5 times the
// noise; or a step of three times the noise in mid-flight.
func drifting(in source.Input, kind string, seed uint64) source.Input {
	s := numeric.NewStream(seed, 3)
	d, keeps := 1.5*noise*s.Normal(), math.Exp(-1/20.0)
	samples := in.Groups[0].Samples
	for i := range samples {
		switch kind {
		case "drift":
			d = keeps*d + math.Sqrt(1-keeps*keeps)*1.5*noise*s.Normal()
			samples[i].Values[0].Amount += d
		case "step":
			if i > len(samples)/2 {
				samples[i].Values[0].Amount += 3 * noise
			}
		}
	}
	return in
}

// A background that is not constant is no source: one flight of a hundred past nothing at most is given one.
func TestABackgroundThatDriftsIsNoSource(t *testing.T) {
	n := seeds(t, 2, 334)
	for _, kind := range []string{"white", "drift", "step"} {
		given := 0
		for seed := range uint64(n) {
			if g := locate(t, drifting(legs(200+seed), kind, seed)); len(g.Sources) > 0 {
				given++
				t.Logf("%s, seed %d: count %v", kind, seed, g.Count)
			}
		}
		t.Logf("%s: %d of %d flights past nothing were given a source", kind, given, n)
		if lo, _ := numeric.BinomialInterval(given, n, 0.999); lo > 0.01 || n < 10 && given > 0 {
			t.Errorf("%s: %d of %d flights past nothing were given a source, want one of a hundred", kind, given, n)
		}
	}
}

// What is said early is where to look, within a plume's width of the truth and long before the answer; the answer does not hang on its being asked for.
func TestWhereASourceWouldLieIsSaidEarly(t *testing.T) {
	f := flights(t, 1)[0]
	var early []source.Early
	steps := 0
	r, err := source.Locate(context.Background(), f.in, source.Options{Seed: 1, Progress: func(done, _ int) { steps = done }, Early: func(e source.Early) {
		early = append(early, e)
		if steps > 0 {
			t.Errorf("said after %d steps", steps)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(early) != 1 || early[0].Compound != r.Groups[0].GeometryCompound() {
		t.Fatalf("%v was said of a survey of one group", early)
	}
	// A flight 100 to 450 m downwind: the grid errs along the wind by no more than the nearest leg is away.
	if d := math.Hypot(*early[0].XM-f.truth.x, *early[0].YM-f.truth.y); d > 200 {
		t.Errorf("%.0f m from the source", d)
	}
}

func TestAPlainPlumeNeedsTheAnglesOfTheWind(t *testing.T) {
	in := flights(t, 1)[0].in
	_, err := source.Locate(t.Context(), in, source.Options{Seed: 1, PlainPlume: true})
	var e *atalaya.Error
	if !errors.As(err, &e) || e.Kind != atalaya.BadInput || !strings.Contains(err.Error(), "needs the angles of the wind's scatter") {
		t.Errorf("without them it said %v", err)
	}
}
