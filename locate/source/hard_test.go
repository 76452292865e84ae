package source_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/numeric"
)

// A hard flight has one thing that the estimator's model does not know of.
type hard struct {
	sources []emitter
	turn    float64 // of the wind, radians, in mid-flight within twenty seconds
	lateS   float64 // by how much the clock of the instrument is behind that of the aircraft
	below   float64 // share of the samples that is below detection; 0: a limit of three deviations of the noise
	towards bool    // the wind is given as where it goes
}

// An emitter stands somewhere, in metres along the first wind and to the left of it. bursts is the deviation of ln of its rate.
type emitter struct{ along, left, rate, bursts float64 }

// What the flights have in common: ten legs across the wind at six distances, as in the scenarios of the simulator.
const (
	hardSpeed, hardHalf, hardEvery = 9.0, 250.0, 2.0
	hardNoise                      = 1.5e-9 // kg/m3, 0.4 ppb of toluene
)

var hardLegs = []float64{-100, 100, 100, 160, 160, 240, 240, 340, 340, 450}

// fly makes a survey through puffs, and where its sources are. Wind, eddies, noise and drift are those of the simulator of campaigns (simulate/gas.go); the
// heading of the wind is any.
func (h hard) fly(seed uint64) (source.Input, []release) {
	s := numeric.NewStream(seed, 21)
	heading, speed := 2*math.Pi*s.Float64(), 3+2*s.Float64()
	sin, cos := math.Sincos(heading)
	place := func(along, left float64) (x, y float64) { return along*cos - left*sin, along*sin + left*cos }
	var truth []release
	var air []*dispersion.Puffs
	for i, e := range h.sources {
		x, y := place(e.along, e.left)
		truth = append(truth, release{x, y, e.rate})
		air = append(air, dispersion.NewPuffs(dispersion.PuffSettings{Sources: []dispersion.Source{{X: x, Y: y, Z: 3, RateKgS: e.rate}}, EveryS: 2, Surface: dispersion.Surface{RoughnessM: 0.1},
			SigmaV: 0.6, SigmaW: 0.45, TimescaleS: 60, Intermittency: e.bursts}, numeric.NewStream(seed, 22+uint64(i))))
	}
	wander := func(now *float64, sigma, timescale float64) float64 { // an Ornstein-Uhlenbeck step
		k := math.Exp(-hardEvery / timescale)
		*now = k**now + math.Sqrt(1-k*k)*sigma*s.Normal()
		return *now
	}
	g := source.Survey{Compounds: []string{"toluene"}, Surface: dispersion.Surface{RoughnessM: 0.1}}
	var meander, gust, eddyU, eddyV, drift float64
	off := 2 * math.Pi / 180 * s.Normal() // the anemometer's misalignment
	end := float64(len(hardLegs)) * (2*hardHalf + 60) / hardSpeed
	for t := -400.0; t < end; t += hardEvery {
		dir := heading + wander(&meander, 5*math.Pi/180, 300) + h.turn*min(max((t-end/2)/20+0.5, 0), 1)
		u := speed * math.Exp(wander(&gust, 0.1, 300))
		for _, a := range air {
			a.Step(hardEvery, dispersion.Wind{U: u * math.Cos(dir), V: u * math.Sin(dir), HeightM: 10})
		}
		along, left, height, flying := hardCourse(t)
		if !flying {
			continue
		}
		x, y := place(along, left)
		lx, ly, lz := x, y, height
		if h.lateS != 0 { // what is logged here was breathed where the aircraft was a while ago
			if a, l, z, ok := hardCourse(t - h.lateS); ok {
				lx, ly = place(a, l)
				lz = z
			}
		}
		c := 1.1e-9*max(1+wander(&drift, 0.15, 300), 0) + hardNoise*s.Normal()
		for _, a := range air {
			c += a.At(lx, ly, lz) * (1 + 0.03*s.Normal())
		}
		k := g.Surface.WindRatio(height, 10) * u
		wu, wv := k*math.Cos(dir+off)+wander(&eddyU, 0.4, 5)+0.3*s.Normal(), k*math.Sin(dir+off)+wander(&eddyV, 0.4, 5)+0.3*s.Normal()
		g.Samples = append(g.Samples, source.Sample{TimeS: t, At: [3]float64{x + 1.5*s.Normal(), y + 1.5*s.Normal(), height + s.Normal()},
			Wind: dispersion.Wind{U: wu, V: wv, HeightM: height, AveragingS: 1}, Values: []source.Value{{Amount: c, SD: hardNoise}}})
	}
	h.censor(g.Samples)
	if h.towards {
		for i := range g.Samples {
			w := &g.Samples[i].Wind
			w.U, w.V = -w.U, -w.V
		}
	}
	return source.Input{Local: true, Groups: []source.Survey{g}}, truth
}

// censor turns what lies below the limit of detection into bounds.
func (h hard) censor(samples []source.Sample) {
	limit := 3 * hardNoise
	if h.below > 0 {
		var all []float64
		for _, p := range samples {
			all = append(all, p.Values[0].Amount)
		}
		slices.Sort(all)
		limit = all[int(math.Ceil(h.below*float64(len(all))))]
	}
	for i := range samples {
		if v := &samples[i].Values[0]; v.Amount < limit {
			v.Amount, v.Below = limit, true
		}
	}
}

// hardCourse is where the aircraft is; legs go there and back, with a turn of sixty metres between.
func hardCourse(t float64) (along, left, height float64, flying bool) {
	const length = 2*hardHalf + 60
	k := int(math.Floor(t * hardSpeed / length))
	if t < 0 || k >= len(hardLegs) {
		return 0, 0, 0, false
	}
	d := t*hardSpeed - float64(k)*length
	along = hardLegs[k]
	left = min(d, 2*hardHalf) - hardHalf
	if k%2 == 1 {
		left = -left
	}
	if k+1 < len(hardLegs) {
		along += (hardLegs[k+1] - along) * max(d-2*hardHalf, 0) / 60
	}
	return along, left, []float64{20, 15, 30}[k%3], true
}

// found locates a hard flight, and gives what was said beside the answer.
func (h hard) found(t *testing.T, seed uint64) (*source.Group, []release, map[string]atalaya.Sentence) {
	t.Helper()
	in, truth := h.fly(seed)
	r, err := source.Locate(context.Background(), in, source.Options{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	g, said := &r.Groups[0], map[string]atalaya.Sentence{}
	for i, s := range g.Said {
		said[s.Code] = s
		if g.Notes[i] != s.English() {
			t.Errorf("the note %q is not what %v says", g.Notes[i], s)
		}
	}
	if _, is := said["survey-wind-reversed"]; is != h.towards {
		t.Errorf("seed %d: the wind is doubted: %v; given towards: %v", seed, is, h.towards)
	}
	for _, s := range g.Sources {
		m, m2 := miss(s, truth[0])
		t.Logf("seed %d: %.0f m (%.1f deviations) from the first source; toluene %.2g to %.2g kg/s; counts %v", seed, m, math.Sqrt(m2), s.RateKgS["toluene"].P05, s.RateKgS["toluene"].P95, g.Count)
	}
	return g, truth, said
}

// held reports whether a place lies in the 95 % region of a source of the group, or within so many metres of it.
func held(t *testing.T, g *source.Group, at release, within float64) bool {
	for _, s := range g.Sources {
		for k := range 13 { // the middle and twelve places about it: a circle whose chords are off by 3 %
			r := within
			if k == 0 {
				r = 0
			}
			sin, cos := math.Sincos(float64(k) * math.Pi / 6)
			if holds(t, s.Regions.P95, at.x+r*cos, at.y+r*sin) {
				return true
			}
		}
	}
	return false
}

// sane flies a hard flight over several seeds and fails where the answer was sane less often than 95 % of the time, which one test in a thousand of a right
// estimator would (as tally.check has it). A few seeds cannot show that: of the fixed ones of `make test` every answer has to be sane, as it was when
// they were written; one that is not asks for the many under ATALAYA_SOAK.
func sane(t *testing.T, h hard, some, more int, judge func(t *testing.T, g *source.Group, truth []release, said map[string]atalaya.Sentence) bool) {
	t.Helper()
	n, good := seeds(t, some, more), 0
	for seed := range uint64(n) {
		g, truth, said := h.found(t, seed)
		if judge(t, g, truth, said) {
			good++
		} else {
			t.Logf("seed %d: not sane", seed)
		}
	}
	t.Logf("%d of %d sane", good, n)
	if _, hi := numeric.BinomialInterval(good, n, 0.999); hi < 0.95 || n < 5 && good < n {
		t.Errorf("%d of %d answers are sane", good, n)
	}
}

// notExcluded: the survey does not say that the source is weaker than it is: it lies in a region, or the limit beside what was found is no lower than its rate.
func notExcluded(t *testing.T, g *source.Group, at release) bool {
	limit := g.LimitAt(at.x, at.y, 0)
	t.Logf("within a region: %v; limit there %.2g kg/s, rate %.2g", held(t, g, at, 0), limit, at.rate)
	return held(t, g, at, 0) || limit == 0 || limit >= at.rate
}

func TestAFluctuatingSourceBesideALouderDecoy(t *testing.T) {
	h := hard{sources: []emitter{{0, 0, 2.5e-3, 0.3}, {-30, 120, 0.5e-3, 1}}}
	sane(t, h, 1, 20, func(t *testing.T, g *source.Group, truth []release, _ map[string]atalaya.Sentence) bool {
		loud, quiet := held(t, g, truth[0], 0), notExcluded(t, g, truth[1])
		t.Logf("the louder one is held: %v; the other one is not excluded: %v", loud, quiet)
		return loud && quiet
	})
}

func TestAWindThatShiftsInMidFlight(t *testing.T) {
	h := hard{sources: []emitter{{0, 0, 1e-3, 0.3}}, turn: 40 * math.Pi / 180}
	turned := 0
	sane(t, h, 2, 20, func(t *testing.T, g *source.Group, truth []release, said map[string]atalaya.Sentence) bool {
		if _, is := said["survey-turning"]; is {
			turned++
		}
		return held(t, g, truth[0], 0)
	})
	t.Logf("said to have turned while gas was on its way: %d", turned)
	if turned == 0 { // the turn falls between legs now and then, but not always
		t.Error("no flight is said to have met a wind that turned by 40 degrees")
	}
}

func TestAFlightOfWhichNineTenthsAreBelowDetection(t *testing.T) {
	h := hard{sources: []emitter{{0, 0, 0.15e-3, 0.3}}, below: 0.9}
	sane(t, h, 1, 20, func(t *testing.T, g *source.Group, truth []release, said map[string]atalaya.Sentence) bool {
		s, is := said["survey-mostly-below"]
		if !is || s.Values["share"] != "90" {
			t.Errorf("nine tenths are below detection, and it says %v", g.Notes)
		}
		return notExcluded(t, g, truth[0])
	})
}

// What hard flights say of the wind is held against what they were given in found, in all of these tests; here it is given as where it goes.
func TestAWindGivenTowardsIsDoubted(t *testing.T) {
	h := hard{sources: []emitter{{0, 0, 1e-3, 0.3}}, towards: true}
	for seed := range uint64(seeds(t, 1, 20)) {
		h.found(t, seed)
	}
}

// The wind of the simulated campaigns is doubted where it is turned about, and nowhere else.
func TestTheWindOfCampaignsIsDoubtedWhereItIsTurnedAbout(t *testing.T) {
	n := seeds(t, 0, 30)
	if n == 0 {
		t.Skip("without ATALAYA_SOAK: the winds of campaigns were not turned about")
	}
	var right, about, flown int
	for seed := range n {
		for _, f := range flights(t, uint64(seed)) {
			flown++
			for _, turned := range []bool{false, true} {
				if turned {
					for i := range f.in.Groups[0].Samples {
						w := &f.in.Groups[0].Samples[i].Wind
						w.U, w.V = -w.U, -w.V
					}
				}
				r, err := source.Locate(context.Background(), f.in, source.Options{Seed: uint64(seed)})
				if err != nil {
					t.Fatal(err)
				}
				if slices.ContainsFunc(r.Groups[0].Said, func(s atalaya.Sentence) bool { return s.Code == "survey-wind-reversed" }) {
					if turned {
						about++
					} else {
						right++
					}
				}
			}
		}
	}
	t.Logf("of %d flights the wind is doubted in %d as it is, and in %d turned about", flown, right, about)
	if right > flown/50 || about < flown*9/10 {
		t.Error("want it doubted in none as it is, and in nine of ten at least turned about")
	}
}

// A clock five seconds off shifts legs that go there and legs that come back in opposite directions: the lag is sought with all else, and what it is found to
// be is said.
func TestAClockFiveSecondsOff(t *testing.T) {
	h := hard{sources: []emitter{{0, 0, 1e-3, 0.3}}, lateS: 5}
	sane(t, h, 2, 20, func(t *testing.T, g *source.Group, truth []release, _ map[string]atalaya.Sentence) bool {
		lag := g.Dispersion.LagS
		t.Logf("lag %.1f s [%.1f, %.1f]", lag.P50, lag.P05, lag.P95)
		return held(t, g, truth[0], 0) && lag.P05 > 0
	})
}

// Three sources beside each other are three, each near its place: the pairs of the grid do not know of a third.
func TestThreeSourcesAreThree(t *testing.T) {
	h := hard{sources: []emitter{{along: -20, left: -170, rate: 2e-3, bursts: 0.2}, {along: 0, left: 10, rate: 2e-3, bursts: 0.2}, {along: -30, left: 180, rate: 2e-3, bursts: 0.2}}}
	g, truth, _ := h.found(t, 5)
	if len(g.Sources) != 3 {
		t.Fatalf("%d sources, count %v", len(g.Sources), g.Count)
	}
	for _, q := range truth {
		near := math.Inf(1)
		for _, s := range g.Sources {
			_, m2 := miss(s, q)
			near = min(near, m2)
		}
		if near > 13.8 { // beyond the 99.9 % ellipse
			t.Errorf("the source at %.0f, %.0f is %.1f deviations from the nearest named", q.x, q.y, math.Sqrt(near))
		}
	}
}
