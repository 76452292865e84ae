package site_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/sense/detection"
)

// sheet is what one sense made of one look at a square about a place, on a day counted from the first; found says that something stood out.
func sheet(id, kind string, at geodesy.LatLon, day float64, pd, sigmaM float64, found bool, like map[string]float64) []atalaya.Evidence {
	when := day0.Add(time.Duration(day * 24 * float64(time.Hour)))
	s := detection.Sheet{Kind: kind, Sensor: "SYNTHETIC " + kind}
	if pd > 0 {
		var ring []geodesy.LatLon
		for _, az := range []float64{45, 135, 225, 315} {
			ring = append(ring, geodesy.Destination(at, az, 900))
		}
		s.Looks = []detection.Look{{When: atalaya.Span{From: when, To: when}, Ring: ring, PD: pd}}
	}
	if found {
		s.Found = []detection.Found{{ID: "1", Time: when, Lat: at.Lat, Lon: at.Lon, CovarianceM2: round(sigmaM), PD: pd, Likeness: like}}
	}
	out := site.FromSheet(s)
	for i := range out {
		out[i] = named(fmt.Sprintf("%s_%d", id, i), out[i])
	}
	return out
}

var (
	day0  = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	later = site.Options{Mission: "SYNTHETIC", AsOf: day0.Add(30 * 24 * time.Hour)}
)

func best(t *testing.T, opt site.Options, parts ...[]atalaya.Evidence) atalaya.Candidate {
	t.Helper()
	got := site.Assess(slices.Concat(parts...), opt)
	if len(got) == 0 {
		t.Fatal("no candidate")
	}
	return got[0]
}

func alternative(c atalaya.Candidate, label string) float64 {
	for _, a := range c.Alternatives {
		if a.Label == label {
			return a.Probability
		}
	}
	return 0
}

// Gas, heat and vehicles at one place: with a permit it is the factory that the permit names, without one it may be a site; a mixture that
// is like a site's and a call-out make it one.
func TestAPaintShopExplainsAllOfItsSigns(t *testing.T) {
	signs := slices.Concat(
		sheet("gas", "gas", here, 28, 0.7, 20, true, nil),
		sheet("heat", "thermal", here, 28, 0.4, 60, true, nil),
		sheet("cars", "mover", here, 29, 0.4, 60, true, nil),
	)
	bare := best(t, later, signs)
	permit := sheet("permit", "permit", geodesy.Destination(here, 40, 60), 0, 0, 80, true, map[string]float64{site.Farm: 0.01, site.Traffic: 0.01, site.Radio: 0.01})
	known := best(t, later, signs, permit)
	if known.Probability > bare.Probability/3 {
		t.Errorf("a permit takes the probability from %.4f to %.4f only", bare.Probability, known.Probability)
	}
	if p := alternative(known, "industry or paint shop"); p < 0.9 {
		t.Errorf("with a permit it is a factory with %.3f: %+v", p, known.Alternatives)
	}
	like := map[string]float64{site.Target: 3, site.Industry: 0.1, site.Farm: 0.1, site.Fire: 0.05}
	strong := best(t, later, sheet("gas", "gas", here, 28, 0.7, 20, true, like), signs[2:], sheet("call", "video", here, 29, 0.3, 20, true, like))
	if strong.Probability < 0.5 {
		t.Errorf("a mixture and a call-out that are like a site's: %.3f\n%+v", strong.Probability, strong.Ledger)
	}
	for _, c := range []atalaya.Candidate{bare, known, strong} {
		total := c.Probability
		for _, a := range c.Alternatives {
			total += a.Probability
		}
		if c.Probability != shown(c) || math.Abs(total-1) > 1e-9 { // a dozen additions
			t.Errorf("shown %v, rows %v, with alternatives %v", c.Probability, shown(c), total)
		}
	}
}

// Seen on two days, a place of either kind is more surely there; which of the two it is, repetition of the same does not say.
func TestSeenTwiceIsNoProofOfASite(t *testing.T) {
	once := best(t, later, sheet("1", "gas", here, 29, 0.7, 20, true, nil))
	twice := best(t, later, sheet("1", "gas", here, 29, 0.7, 20, true, nil), sheet("2", "gas", here, 29.5, 0.7, 20, true, nil))
	if twice.Probability > 3*once.Probability {
		t.Errorf("once %.4f, twice %.4f", once.Probability, twice.Probability)
	}
	if twice.Probability < once.Probability {
		t.Errorf("a second look that finds it again lowers it from %.4f to %.4f", once.Probability, twice.Probability)
	}
}

// What was seen long ago says less about now; with sites that stay it says the same.
func TestOldEvidenceFades(t *testing.T) {
	at := func(day float64, opt site.Options) float64 {
		return best(t, opt, sheet("1", "gas", here, day, 0.7, 20, true, nil), sheet("2", "signal", here, day, 0.3, 200, true, nil)).Probability
	}
	fresh, old := at(29.9, later), at(-60, later)
	// After a half-life and a half (90 days of 60) 2^-1.5 of the odds are left, near enough at these probabilities.
	if r := old / fresh; math.Abs(r-math.Exp2(-89.9/60)) > 0.06 {
		t.Errorf("90 days old: %.4f of what is fresh, want about %.4f", r, math.Exp2(-89.9/60))
	}
	stay := later
	stay.Stay = true
	if a, b := at(-60, stay), at(29.9, stay); math.Abs(a-b) > 1e-12 {
		t.Errorf("sites that stay: %v when old, %v when fresh", a, b)
	}
	// Two clear looks after it closed lower it more than two before it was seen.
	seen := sheet("1", "gas", here, 15, 0.7, 20, true, nil)
	before := best(t, later, seen, sheet("2", "gas", here, 5, 0.7, 20, false, nil), sheet("3", "gas", here, 6, 0.7, 20, false, nil))
	after := best(t, later, seen, sheet("2", "gas", here, 25, 0.7, 20, false, nil), sheet("3", "gas", here, 26, 0.7, 20, false, nil))
	if after.Probability >= before.Probability {
		t.Errorf("clear looks before: %v, after: %v", before.Probability, after.Probability)
	}
}

func TestATipMadeFromTheRecordCountsNothing(t *testing.T) {
	seen := sheet("1", "gas", here, 29, 0.7, 20, true, nil)
	alone := best(t, later, seen)
	tip := report("tip", here, 500, "A1")
	tip.When = atalaya.Span{From: later.AsOf, To: later.AsOf}
	for _, key := range []string{string(alone.ID), string(seen[1].ID), string(seen[1].Observation)} {
		tip.Lineage = []string{key}
		c := best(t, later, seen, []atalaya.Evidence{tip})
		if c.Probability != alone.Probability {
			t.Errorf("a tip made from %s: %v, without it %v", key, c.Probability, alone.Probability)
		}
		if !slices.ContainsFunc(c.Ledger, func(r atalaya.LedgerItem) bool {
			return r.LogOdds == 0 && strings.Contains(r.Note, "made from this record")
		}) {
			t.Errorf("the ledger does not say so: %+v", c.Ledger)
		}
	}
	tip.Lineage = []string{"a source of its own"}
	if c := best(t, later, seen, []atalaya.Evidence{tip}); c.Probability <= alone.Probability {
		t.Errorf("a tip of its own origin adds nothing: %v", c.Probability)
	}
}

// Ten fixes of one flight that share a shift of 100 m know the place to 100 m, not to 100/√10.
func TestASharedShiftIsCountedOnce(t *testing.T) {
	make := func(biasM float64, group func(int) string) atalaya.Candidate {
		var all []atalaya.Evidence
		for i := range 10 {
			s := detection.Sheet{Kind: "spectral", Sensor: "SYNTHETIC", BiasM: biasM, BiasGroup: group(i),
				Found: []detection.Found{{ID: "1", Time: day0, Lat: here.Lat, Lon: here.Lon, CovarianceM2: round(30)}}}
			all = append(all, named(fmt.Sprint(i), site.FromSheet(s)[0]))
		}
		return best(t, later, all)
	}
	const student = 26.0 / 24 // of 8 + 2·9 degrees of freedom
	one := make(100, func(int) string { return "one flight" })
	if v := one.Place.CovarianceM2[0][0] / student; math.Abs(v-(100*100+90)) > 1 {
		t.Errorf("one flight: variance %.1f m², want 10,090", v)
	}
	many := make(100, func(i int) string { return fmt.Sprint("flight ", i) })
	if v := many.Place.CovarianceM2[0][0] / student; math.Abs(v-1090) > 1 {
		t.Errorf("ten flights: variance %.1f m², want 1,090", v)
	}
}

type northIsPoor struct{}

func (northIsPoor) At(p geodesy.LatLon) float64 {
	if p.Lat > here.Lat+0.05 {
		return -1.5
	}
	return 0.5
}

func (n northIsPoor) LogRatio(p geodesy.LatLon) (float64, []atalaya.Sentence) {
	return n.At(p), []atalaya.Sentence{atalaya.Say("no-position")}
}

func TestTheGroundIsARowOfTheLedger(t *testing.T) {
	opt := later
	opt.Ground = northIsPoor{}
	north := geodesy.Destination(here, 0, 20e3)
	a, b := best(t, opt, sheet("1", "gas", here, 29, 0.7, 20, true, nil)), best(t, opt, sheet("1", "gas", north, 29, 0.7, 20, true, nil))
	odds := func(p float64) float64 { return math.Log(p / (1 - p)) }
	// The sampling by cells moves what a detection says by up to 6 %.
	if d := odds(a.Probability) - odds(b.Probability); math.Abs(d-2) > 0.12 {
		t.Errorf("the ground makes a difference of %.3f, want 2", d)
	}
	if r := a.Ledger[1]; r.Kind != "terrain" || r.LogOdds != 0.5 {
		t.Errorf("second row %+v", r)
	}
}

// Detections and looks of all senses, old and new, with and without alternatives and times, in any order; what is taken back leaves no trace.
func TestAlternativesAndTimeDoNotDependOnOrder(t *testing.T) {
	kinds := []string{"gas", "spectral", "thermal", "video", "mover", "signal", "permit", "odour"}
	rapid.Check(t, func(t *rapid.T) {
		all := some(t)
		for i := range rapid.IntRange(1, 6).Draw(t, "sheets") {
			at := geodesy.Destination(here, rapid.Float64Range(0, 360).Draw(t, "az"), rapid.Float64Range(0, 900).Draw(t, "d"))
			all = append(all, sheet(fmt.Sprintf("s%d", i), rapid.SampledFrom(kinds).Draw(t, "sense"), at, rapid.Float64Range(-40, 40).Draw(t, "day"),
				rapid.Float64Range(0, 1).Draw(t, "pd"), rapid.Float64Range(5, 600).Draw(t, "s"), rapid.Bool().Draw(t, "found"), map[string]float64{site.Target: rapid.Float64Range(0, 20).Draw(t, "like")})...)
		}
		want := site.Assess(all, later)
		if got := site.Assess(rapid.Permutation(all).Draw(t, "order"), later); !reflect.DeepEqual(got, want) {
			t.Fatal("another order, another answer")
		}
		for _, c := range want {
			if c.Probability != shown(c) || !(c.Probability >= 0 && c.Probability <= 1) {
				t.Fatalf("ledger gives %v, shown %v", shown(c), c.Probability)
			}
		}
		left := slices.Delete(slices.Clone(all), 0, 1)
		before := site.Assess(left, later)
		site.Assess(all, later)
		if got := site.Assess(left, later); !reflect.DeepEqual(got, before) {
			t.Fatal("retracting leaves a trace")
		}
	})
}

// Places of a country drawn from the model itself: sites and factories, each noticed by each sense as its table says, and detections that come from
// no place. Of what is called p, a share p must be sites.
func TestAlternativesAreReliable(t *testing.T) {
	const sites, factories = 0.02, 0.05 // per km²
	rng := rand.New(rand.NewPCG(17, 1))
	opt := site.Options{PriorPerKm2: sites, PerKm2: map[string]float64{site.Industry: factories, site.Farm: 1e-9, site.Fire: 1e-9, site.Traffic: 1e-9, site.Radio: 1e-9, site.Dwelling: 1e-9}, Stay: true, AsOf: later.AsOf}
	senses := [...]string{"gas", "thermal", "mover"}
	var stated [1 << len(senses)]float64 // by which senses noticed it
	for which := range stated {
		var all []atalaya.Evidence
		for k, kind := range senses {
			s, _ := site.SenseOf(kind)
			all = append(all, sheet(fmt.Sprint(k), kind, here, 29, s.Site, 5, which>>k&1 == 1, nil)...)
		}
		stated[which], _ = site.At(all, here, opt)
	}
	clutter := 0.0 // detections that come from no place
	for _, kind := range senses {
		s, _ := site.SenseOf(kind)
		clutter += s.UnexplainedKm2
	}
	var called [2]tally
	for range 20000 {
		u, which := (sites+factories+clutter)*rng.Float64(), 0
		is := u < sites
		for k, kind := range senses {
			s, _ := site.SenseOf(kind)
			pd := s.Others[0]
			if is {
				pd = s.Site
			}
			if u < sites+factories && rng.Float64() < pd {
				which |= 1 << k
			}
		}
		if over := u - sites - factories; over >= 0 {
			for k, kind := range senses {
				s, _ := site.SenseOf(kind)
				if over < s.UnexplainedKm2 {
					which = 1 << k
					break
				}
				over -= s.UnexplainedKm2
			}
		}
		switch p := stated[which]; {
		case which == 0: // nobody asks about it
		case p < 0.25:
			called[0].add(p, is)
		default:
			called[1].add(p, is)
		}
	}
	for i, name := range []string{"below a quarter", "above"} {
		called[i].check(t, name)
	}
}

// What a look would change is what it does change, and on average over what it may see it changes nothing.
func TestWhatWouldChangeTheAssessmentDoes(t *testing.T) {
	all := slices.Concat(sheet("1", "gas", here, 29, 0.7, 20, true, nil), sheet("2", "signal", here, 29, 0.3, 300, true, nil), sheet("3", "mover", here, 29, 0.4, 50, true, nil))
	c := best(t, later, all)
	if len(c.Changes) < 5 || c.Changes[0].Bits < c.Changes[1].Bits {
		t.Fatalf("changes %+v", c.Changes)
	}
	for _, ch := range c.Changes {
		// To see heat may speak against a site, where other things have it more often. What was seen or missed before counts less beside more of the same.
		fresh := ch.Kind != "gas" && ch.Kind != "mover" && ch.Kind != "signal"
		if fresh && (ch.IfNot-c.Probability)*(ch.IfSeen-c.Probability) > 0 || ch.Bits < 0 {
			t.Errorf("%.4f now: %+v", c.Probability, ch)
		}
		// The mean is the present one, but for what time and the bounds take off and for detections of nothing, which Chance leaves out.
		if mean := ch.Chance*ch.IfSeen + (1-ch.Chance)*ch.IfNot; math.Abs(mean/c.Probability-1) > 0.3 {
			t.Errorf("%s: %.4f on average, %.4f now", ch.Kind, mean, c.Probability)
		}
		s, _ := site.SenseOf(ch.Kind)
		after := best(t, later, all, sheet("4", ch.Kind, here, 30, s.Site, 20, false, nil))
		if math.Abs(after.Probability/ch.IfNot-1) > 0.1 { // a look's rim
			t.Errorf("%s saw nothing: %.4f, foretold %.4f", ch.Kind, after.Probability, ch.IfNot)
		}
	}
}

// What cannot be told from what lies beside the window counts among what the sense cannot explain: a fix known to a metre is rare by itself (1/λu; what else
// it may be is weighed beside it), one known to 10 km comes from any of the things about it (1/(λu + T)).
func TestAWideFixMayComeFromBesideTheWindow(t *testing.T) {
	s, _ := site.SenseOf("signal")
	things := 0.0
	for i, c := range site.Classes {
		things += c.PerKm2 * s.Others[i]
	}
	strength := func(sigma, real float64) float64 {
		v := sigma * sigma
		return s.Known(site.Detection{Modes: []site.Mode{{At: here, CovarianceM2: [2][2]float64{{v, 0}, {0, v}}, Weight: 1}}}, nil, real, 0).StrengthKm2
	}
	const within = 0.01 // a window holds (1+(σ/150)²)⁻¹ of it: all but 4e-5 at a metre, 2e-4 at 10 km; things are eight times what is unexplained, errors a tenth
	for _, row := range []struct{ got, want float64 }{
		{strength(1, 0), s.Site / s.UnexplainedKm2}, {strength(10000, 0), s.Site / (s.UnexplainedKm2 + things)},
		{strength(1, 0.9), s.Site * 0.9 / 0.1 / things}, {strength(10000, 0.9), s.Site * 0.9 / things},
	} {
		if math.Abs(row.got/row.want-1) > within {
			t.Errorf("strength %.3f km², want %.3f", row.got, row.want)
		}
	}
	if a, b, c := strength(100, 0), strength(500, 0), strength(2000, 0); !(a > b && b > c) {
		t.Errorf("strengths %v %v %v do not fall as the fix widens", a, b, c)
	}
}
