package site_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang/geo/s2"
	"pgregory.net/rapid"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
)

// All places and evidence here are invented: SYNTHETIC.
var here = geodesy.LatLon{Lat: 24.8, Lon: -107.4}

// Strengths of detections against everything else: found at 7 of 10 sites and at one other thing in 100 km², at 3 of 10 and one in 50 km².
const gasStrengthKm2, signalStrengthKm2 = 0.7 / 0.01, 0.3 / 0.02

func round(sigmaM float64) [2][2]float64 {
	return [2][2]float64{{sigmaM * sigmaM, 0}, {0, sigmaM * sigmaM}}
}

func named(id string, e atalaya.Evidence) atalaya.Evidence {
	e.ID, e.Observation, e.Marking = atalaya.EvidenceID("ev_"+id), atalaya.ObservationID("obs_"+id), "(U)"
	return e
}

func gas(id string, at geodesy.LatLon, sigmaM float64) atalaya.Evidence {
	return named(id, site.FromDetection(site.Detection{
		Kind: "gas", Modes: []site.Mode{{At: at, CovarianceM2: round(sigmaM), Weight: 1}}, StrengthKm2: gasStrengthKm2,
		RateKgS: map[string]atalaya.Interval{"acetone": {Mean: 1e-3}}, Note: "acetone",
	}))
}

func emitter(id string, at geodesy.LatLon, sigmaM float64) atalaya.Evidence {
	return named(id, site.FromDetection(site.Detection{
		Kind: "signal", Modes: []site.Mode{{At: at, CovarianceM2: round(sigmaM), Weight: 1}}, StrengthKm2: signalStrengthKm2,
	}))
}

func report(id string, at geodesy.LatLon, radiusM float64, grade string) atalaya.Evidence {
	return named(id, site.FromReport(site.Report{At: at, RadiusM: radiusM, Grade: grade}))
}

func look(id string, at geodesy.LatLon, halfM, pd float64) atalaya.Evidence {
	var ring []geodesy.LatLon
	for _, az := range []float64{45, 135, 225, 315} {
		ring = append(ring, geodesy.Destination(at, az, halfM*math.Sqrt2))
	}
	return named(id, site.FromLooks("video", "nothing seen", []site.Look{{Ring: ring, PD: pd}}))
}

var asOf = site.Options{Mission: "SYNTHETIC", AsOf: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}

func shown(c atalaya.Candidate) float64 {
	total := 0.0
	for _, r := range c.Ledger {
		total += r.LogOdds
	}
	return 1 / (1 + math.Exp(-total))
}

func TestNoSiteWithoutEvidenceForOne(t *testing.T) {
	for _, row := range []struct {
		name     string
		evidence []atalaya.Evidence
	}{
		{"no evidence", nil},
		{"looks that saw nothing", []atalaya.Evidence{look("1", here, 800, 0.7)}},
		{"a report that denies", []atalaya.Evidence{named("1", site.FromReport(site.Report{At: here, RadiusM: 500, Grade: "A1", Denies: true}))}},
		{"an emitter somewhere in a hundred kilometres", []atalaya.Evidence{emitter("1", here, 100e3)}},
	} {
		if got := site.Assess(row.evidence, asOf); len(got) != 0 {
			t.Errorf("%s: got %d candidates", row.name, len(got))
		}
	}
}

func TestOneGasSourceIsCarriedOverUnchanged(t *testing.T) {
	e := gas("1", here, 12)
	p := atalaya.Place{Lat: 24.80001, Lon: -107.40002, CovarianceM2: [2][2]float64{{90, 10}, {10, 200}},
		Regions: atalaya.Regions{P50: json.RawMessage(`{"type":"Point"}`), P90: json.RawMessage(`{"of":"a grid posterior"}`), P95: json.RawMessage(`{"x":1}`)}}
	e.Place = &p
	for _, row := range []struct {
		name string
		with []atalaya.Evidence
	}{
		{"alone", nil},
		{"with a report of its village", []atalaya.Evidence{report("2", here, 3000, "B2")}},
		{"with a distant bearing fix and a look", []atalaya.Evidence{emitter("2", geodesy.Destination(here, 30, 900), 2000), look("3", here, 500, 0.5)}},
	} {
		got := site.Assess(append([]atalaya.Evidence{e}, row.with...), asOf)
		if len(got) != 1 {
			t.Fatalf("%s: %d candidates", row.name, len(got))
		}
		if !reflect.DeepEqual(got[0].Place, p) {
			t.Errorf("%s: place %+v, want it unchanged", row.name, got[0].Place)
		}
		if got[0].RateKgS["acetone"].Mean != 1e-3 || got[0].Word != nil || !got[0].AsOf.Equal(asOf.AsOf) {
			t.Errorf("%s: got %+v", row.name, got[0])
		}
	}
}

func TestLedgerSumsToWhatIsShown(t *testing.T) {
	rollUp := func(p []string) string { return strings.Join(p, "+") }
	opt := asOf
	opt.RollUp = rollUp
	got := site.Assess([]atalaya.Evidence{
		gas("1", here, 12), gas("2", geodesy.Destination(here, 90, 40), 30), report("3", here, 1500, "B2"), look("4", here, 600, 0.6),
	}, opt)
	if len(got) != 1 {
		t.Fatalf("%d candidates", len(got))
	}
	c := got[0]
	if c.Probability != shown(c) {
		t.Errorf("shown %v, rows give %v", c.Probability, shown(c))
	}
	total := c.Probability
	for _, a := range c.Alternatives {
		total += a.Probability
	}
	if math.Abs(total-1) > 1e-12 { // five additions
		t.Errorf("site and alternatives sum to %v", total)
	}
	var kinds []string
	for _, r := range c.Ledger {
		kinds = append(kinds, r.Kind)
	}
	if want := []string{"prior", "gas", "gas", "report", "video", "dependence"}; !slices.Equal(kinds, want) {
		t.Errorf("rows %v, want %v", kinds, want)
	}
	if c.Marking != "(U)+(U)+(U)+(U)" {
		t.Errorf("marking %q", c.Marking)
	}
}

func TestNoKindAloneMakesASiteProbable(t *testing.T) {
	for _, row := range []struct {
		kind string
		item func(i int) atalaya.Evidence
	}{
		{"gas", func(i int) atalaya.Evidence { return gas(fmt.Sprint(i), here, 2) }},
		{"signal", func(i int) atalaya.Evidence { return emitter(fmt.Sprint(i), here, 50) }},
		{"report", func(i int) atalaya.Evidence { return report(fmt.Sprint(i), here, 200, "A1") }},
	} {
		var all []atalaya.Evidence
		for i := range 30 {
			all = append(all, row.item(i))
		}
		// e^7 times the prior odds of 1.4e-5 is 1.6 %.
		if p := site.Assess(all, asOf)[0].Probability; p > 0.016 {
			t.Errorf("30 items of %s: probability %v", row.kind, p)
		}
	}
}

func TestALookLowersWhatItSaw(t *testing.T) {
	g := gas("1", here, 12)
	before, _ := site.At([]atalaya.Evidence{g}, here, asOf)
	after, rows := site.At([]atalaya.Evidence{g, look("2", here, 700, 0.5)}, here, asOf)
	// All of the window was seen: odds fall by 1 - 0.5; both are below 1 %, where odds and probability differ by less.
	if r := after / before; math.Abs(r-0.5) > 0.01 {
		t.Errorf("ratio %v, want 0.5; rows %+v", r, rows)
	}
	far, _ := site.At([]atalaya.Evidence{g, look("2", geodesy.Destination(here, 0, 3000), 700, 0.5)}, here, asOf)
	if far != before {
		t.Errorf("a look elsewhere changed %v to %v", before, far)
	}
}

func TestOneOriginCountsOnce(t *testing.T) {
	a, b := report("1", here, 900, "B2"), report("2", here, 900, "C3")
	a.Lineage, b.Lineage = []string{"rumour"}, []string{"rumour", "another"}
	alone := site.Assess([]atalaya.Evidence{a}, asOf)[0].Probability
	both := site.Assess([]atalaya.Evidence{b, a}, asOf)[0]
	if both.Probability != alone {
		t.Errorf("one rumour told twice: %v, once: %v", both.Probability, alone)
	}
	if r := both.Ledger[2]; r.LogOdds != 0 || !strings.Contains(r.Note, "same origin") {
		t.Errorf("second row %+v", r)
	}
	if !reflect.DeepEqual(both.Place, *a.Place) {
		t.Errorf("one rumour told twice is known to %v, once to %v", both.Place.CovarianceM2, a.Place.CovarianceM2)
	}
	if twice := site.Assess([]atalaya.Evidence{a, a}, asOf)[0].Probability; twice != alone {
		t.Errorf("the same item twice: %v", twice)
	}
	b.Lineage = nil
	if p := site.Assess([]atalaya.Evidence{b, a}, asOf)[0].Probability; p <= alone {
		t.Errorf("two origins: %v, one: %v", p, alone)
	}
}

// Wherever the source lies in its cells the probability is that of the share of such detections that sites cause,
// λa/(1+λa), up to the bound, the sampling by 75 m cells (half a diagonal, 53 m: exp(-53²/2·150²) = 0.94) and its own blur.
func TestProbabilityDoesNotDependOnTheGrid(t *testing.T) {
	want := site.DefaultPriorPerKm2 * gasStrengthKm2
	want /= 1 + want
	for i := range 40 {
		at := geodesy.Destination(geodesy.LatLon{Lat: -60 + 3*float64(i), Lon: 9 * float64(i)}, 37*float64(i), 31*float64(i))
		got := site.Assess([]atalaya.Evidence{gas("1", at, 5)}, asOf)
		if len(got) != 1 {
			t.Fatalf("%v: %d candidates", at, len(got))
		}
		if p := got[0].Probability; p > 1.01*want || p < 0.93*want {
			t.Errorf("%v: probability %.5f, want %.5f", at, p, want)
		}
		if d := geodesy.Distance(at, geodesy.LatLon{Lat: got[0].Place.Lat, Lon: got[0].Place.Lon}); d > 0.01 {
			t.Errorf("%v: place moved by %.2f m", at, d)
		}
	}
}

func TestTwoSourcesApartAreTwoCandidates(t *testing.T) {
	other := geodesy.Destination(here, 70, 400)
	got := site.Assess([]atalaya.Evidence{gas("1", here, 10), gas("2", other, 10), report("3", here, 2000, "C3")}, asOf)
	if len(got) != 2 {
		t.Fatalf("%d candidates, want 2: the report founds none of its own", len(got))
	}
	if got[0].ID == got[1].ID || got[0].Rank != 1 || got[1].Rank != 2 {
		t.Errorf("got %v %v", got[0].ID, got[1].ID)
	}
}

// A coarse report over a fine look: the hole that the look cuts is felt inside it and nowhere else.
func TestEvidenceOfMixedLevels(t *testing.T) {
	r, l := report("1", here, 8000, "A1"), look("2", here, 500, 0.8)
	if r.Level >= l.Level {
		t.Fatalf("levels %d and %d: the test needs a coarser report", r.Level, l.Level)
	}
	rOnly, _ := site.At([]atalaya.Evidence{r}, here, asOf)
	for _, row := range []struct {
		name string
		at   geodesy.LatLon
		want float64
	}{
		{"inside the hole", here, 0.2},
		{"three kilometres away", geodesy.Destination(here, 120, 3000), 1},
	} {
		p, _ := site.At([]atalaya.Evidence{r, l}, row.at, asOf)
		if got := p / rOnly; math.Abs(got-row.want) > 0.01 {
			t.Errorf("%s: ratio %v, want %v", row.name, got, row.want)
		}
	}
	c := site.Assess([]atalaya.Evidence{r, l}, asOf)
	if len(c) != 1 || math.Abs(c[0].Probability-rOnly) > 1e-12 {
		t.Errorf("the rest of the area keeps its probability %v: %+v", rOnly, c)
	}
}

// some draws evidence of every kind within a few kilometres.
func some(t *rapid.T) []atalaya.Evidence {
	n := rapid.IntRange(1, 7).Draw(t, "n")
	var out []atalaya.Evidence
	for i := range n {
		at := geodesy.Destination(here, rapid.Float64Range(0, 360).Draw(t, "az"), rapid.Float64Range(0, 900).Draw(t, "d"))
		id := fmt.Sprintf("%02d", i)
		var e atalaya.Evidence
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			e = gas(id, at, rapid.Float64Range(2, 300).Draw(t, "s"))
		case 1:
			e = emitter(id, at, rapid.Float64Range(100, 2000).Draw(t, "s"))
		case 2:
			e = report(id, at, rapid.Float64Range(100, 2000).Draw(t, "r"), rapid.SampledFrom([]string{"A1", "B3", "E5", "F6"}).Draw(t, "g"))
		default:
			e = look(id, at, rapid.Float64Range(100, 800).Draw(t, "h"), rapid.Float64Range(0, 1).Draw(t, "pd"))
		}
		if rapid.Bool().Draw(t, "shares") {
			e.Lineage = []string{"one source"}
		}
		out = append(out, e)
	}
	return out
}

func TestOrderOfEvidenceDoesNotMatterAndRetractionLeavesNoTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := some(t)
		want := site.Assess(all, asOf)
		if got := site.Assess(rapid.Permutation(all).Draw(t, "order"), asOf); !reflect.DeepEqual(got, want) {
			t.Fatal("another order, another answer")
		}
		// Retraction is assessing what is left; nothing of the assessment with the item may linger in the evidence itself.
		left := slices.Delete(slices.Clone(all), 0, 1)
		before := site.Assess(left, asOf)
		site.Assess(all, asOf)
		if got := site.Assess(left, asOf); !reflect.DeepEqual(got, before) {
			t.Fatal("retracting leaves a trace")
		}
		for _, c := range want {
			if c.Probability != shown(c) {
				t.Fatalf("ledger gives %v, shown %v", shown(c), c.Probability)
			}
		}
	})
}

func TestAnItemForASiteNeverLowersIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := some(t)
		at := geodesy.Destination(here, rapid.Float64Range(0, 360).Draw(t, "az"), rapid.Float64Range(0, 500).Draw(t, "d"))
		more := rapid.SampledFrom([]atalaya.Evidence{gas("zz", at, 20), emitter("zz", at, 300), report("zz", at, 300, "B2")}).Draw(t, "more")
		before, _ := site.At(all, here, asOf)
		after, _ := site.At(append(all, more), here, asOf)
		if after < before-1e-15 { // sums in another order differ by rounding
			t.Fatalf("%v fell to %v", before, after)
		}
	})
}

// tally counts how often what was given probability p was true.
type tally struct{ n, true, p, variance float64 }

func (y *tally) add(p float64, is bool) {
	y.n, y.p, y.variance = y.n+1, y.p+p, y.variance+p*(1-p)
	if is {
		y.true++
	}
}

// check allows three standard deviations of the count, which one correct test in 400 exceeds, and the 6 % of the odds that
// sampling by cells may lose.
func (y *tally) check(t *testing.T, name string) {
	t.Helper()
	t.Logf("%s: %.0f places, %.0f sites, probabilities sum to %.1f", name, y.n, y.true, y.p)
	if off := math.Abs(y.true - y.p); y.n < 100 || off > 3*math.Sqrt(y.variance)+0.06*y.p {
		t.Errorf("%s: of %.0f places %.0f are sites, probabilities sum to %.1f", name, y.n, y.true, y.p)
	}
}

// Sites, reports and looks drawn from the model itself: of what is called p, a share p must be true.
func TestReportsAndLooksAreReliable(t *testing.T) {
	opt := site.Options{PriorPerKm2: 1} // so high that large probabilities occur
	prior := -math.Expm1(-opt.PriorPerKm2 * site.AreaKm2)
	heardAtSite := 0.9
	// The report means the window; another site in so small an area is all that dilutes its odds.
	heardElsewhere := heardAtSite / math.Exp(site.GradeLogOdds("B2"))
	r, l := report("1", here, 10, "B2"), look("2", here, 700, 0.6)
	unseen, _ := site.At([]atalaya.Evidence{r}, here, opt)
	looked, _ := site.At([]atalaya.Evidence{r, l}, here, opt)
	rng := rand.New(rand.NewPCG(11, 4))
	var reported, empty tally
	for range 20000 {
		is := rng.Float64() < prior
		heard := rng.Float64() < heardElsewhere
		if is {
			heard = rng.Float64() < heardAtSite
		}
		switch flown, seen := rng.Float64() < 0.5, is && rng.Float64() < 0.6; {
		case !heard: // nobody asks about it
		case !flown:
			reported.add(unseen, is)
		case !seen:
			empty.add(looked, is)
		}
	}
	reported.check(t, "reported")
	empty.check(t, "reported, and a look saw nothing")
}

// Sites and other sources scattered over 10,000 km², each found at its own error: of the candidates that detections found,
// the stated share must be sites.
func TestDetectionsAreReliable(t *testing.T) {
	const siteKm2, otherKm2, pd, side = 0.01, 0.01, 0.7, 100e3
	opt := site.Options{PriorPerKm2: siteKm2, Most: 1000}
	rng := rand.New(rand.NewPCG(5, 9))
	frame := geodesy.NewFrame(geodesy.LatLonHeight{Lat: here.Lat, Lon: here.Lon})
	var all tally
	for range 3 {
		var evidence []atalaya.Evidence
		var truth []bool
		scatter := func(n int, found float64, is bool) {
			for range n {
				if rng.Float64() > found {
					continue
				}
				sigma := 5 + 95*rng.Float64()
				at := frame.GroundFromENU(side*(rng.Float64()-0.5)+sigma*rng.NormFloat64(), side*(rng.Float64()-0.5)+sigma*rng.NormFloat64())
				evidence = append(evidence, named(fmt.Sprintf("%05d", len(evidence)), site.FromDetection(site.Detection{
					Kind: "gas", Modes: []site.Mode{{At: at, CovarianceM2: round(sigma), Weight: 1}}, StrengthKm2: pd / otherKm2,
				})))
				truth = append(truth, is)
			}
		}
		scatter(int(siteKm2*side*side/1e6), pd, true)
		scatter(int(otherKm2*side*side/1e6), 1, false)
		for _, c := range site.Assess(evidence, opt) {
			best, is := 0.0, false
			for _, r := range c.Ledger {
				var k int
				if n, _ := fmt.Sscanf(string(r.Evidence), "ev_%d", &k); n == 1 && r.LogOdds > best {
					best, is = r.LogOdds, truth[k]
				}
			}
			all.add(c.Probability, is)
		}
	}
	all.check(t, "detected")
}

func TestRegionsAreCutAtTheAntimeridian(t *testing.T) {
	for _, row := range []struct {
		name  string
		at    geodesy.LatLon
		kind  string
		parts int
	}{
		{"Sinaloa", here, "Polygon", 1},
		{"on the antimeridian", geodesy.LatLon{Lat: -17, Lon: 179.99}, "MultiPolygon", 2},
		{"on its other side", geodesy.LatLon{Lat: 60, Lon: -179.99}, "MultiPolygon", 2},
		{"around the pole", geodesy.LatLon{Lat: 89.99, Lon: 20}, "MultiPolygon", 2},
	} {
		p := site.PlaceOf(site.Mode{At: row.at, CovarianceM2: round(3000), Weight: 1})
		var g struct {
			Type        string
			Coordinates json.RawMessage
		}
		if err := json.Unmarshal(p.Regions.P95, &g); err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		var many [][][][2]float64
		if g.Type == "Polygon" {
			many = make([][][][2]float64, 1)
			if err := json.Unmarshal(g.Coordinates, &many[0]); err != nil {
				t.Fatal(err)
			}
		} else if err := json.Unmarshal(g.Coordinates, &many); err != nil {
			t.Fatal(err)
		}
		if g.Type != row.kind || len(many) != row.parts {
			t.Errorf("%s: %s of %d parts, want %s of %d", row.name, g.Type, len(many), row.kind, row.parts)
		}
		for _, part := range many {
			ring := part[0]
			if ring[0] != ring[len(ring)-1] {
				t.Errorf("%s: ring is not closed", row.name)
			}
			for _, q := range ring {
				if math.Abs(q[0]) > 180 || math.Abs(q[1]) > 90 {
					t.Errorf("%s: corner %v", row.name, q)
				}
			}
		}
	}
}

// A sign that excludes the place of a likelier candidate 320 m off founds none of its own on what speaks for that; it does where nothing likelier is near.
func TestANeighbourDoesNotLiveOnWhatSpeaksForACandidate(t *testing.T) {
	aside := geodesy.Destination(here, 60, 320)
	sign := func(id, kind string, at geodesy.LatLon) atalaya.Evidence {
		s, _ := site.SenseOf(kind)
		e := site.FromDetection(s.Known(site.Detection{Modes: []site.Mode{{At: at, CovarianceM2: [2][2]float64{{100, 0}, {0, 100}}, Weight: 1}}}, map[string]float64{site.Target: 3}, 0, 0))
		e.ID = atalaya.EvidenceID(id)
		return e
	}
	all := []atalaya.Evidence{sign("a", "gas", here), sign("b", "thermal", here), sign("c", "video", here), sign("d", "mover", aside)}
	if got := site.Assess(all, asOf); len(got) != 1 {
		t.Errorf("%d candidates, want the one", len(got))
	}
	if got := site.Assess(all[3:], asOf); len(got) != 1 || geodesy.Distance(aside, geodesy.LatLon{Lat: got[0].Place.Lat, Lon: got[0].Place.Lon}) > 1 {
		t.Errorf("%d candidates, want one at the sign", len(got))
	}
	if got := site.Assess(append(all, sign("e", "gas", aside), sign("f", "video", aside), sign("g", "thermal", aside)), asOf); len(got) != 2 {
		t.Errorf("%d candidates, want two: the neighbour has signs enough of its own", len(got))
	}
}

// What is said of a candidate's place, and of any other in its cell, is what its card says; shares sum to one; where nothing is said the prior stands alone.
func TestAPlaceThatIsAskedAboutAnswersAsItsCard(t *testing.T) {
	s, _ := site.SenseOf("gas")
	known := site.FromDetection(s.Known(site.Detection{Modes: []site.Mode{{At: here, CovarianceM2: round(20), Weight: 1}}}, nil, 0, 0))
	known.ID = "known"
	opt := asOf
	cal := site.Fit([]site.Case{{LogOdds: -6, Weight: 30}, {LogOdds: -1, Site: true, Weight: 30}})
	opt.Calibration = &cal
	all := []atalaya.Evidence{known, report("r", here, 2000, "B2")}
	card, asked := site.Assess(all, opt)[0], site.Asking(all, opt)
	got := asked.At(geodesy.LatLon{Lat: card.Place.Lat, Lon: card.Place.Lon})
	if got.Probability != card.Probability || !reflect.DeepEqual(got.Ledger, card.Ledger) || !reflect.DeepEqual(got.Word, card.Word) || !reflect.DeepEqual(got.Range, card.Range) || got.Cases != card.Cases {
		t.Errorf("the place says %+v, its card %+v", got, card)
	}
	total := got.Probability
	for i, x := range got.Else {
		total += x.Probability
		if x.Probability != card.Alternatives[i].Probability {
			t.Errorf("%s has %v, on the card %s has %v", x.Class, x.Probability, card.Alternatives[i].Label, card.Alternatives[i].Probability)
		}
	}
	if math.Abs(total-1) > 1e-12 {
		t.Errorf("shares sum to %v", total)
	}
	cell, ok := asked.Cell(here)
	if beside := asked.At(geodesy.CellCenter(s2.CellID(cell))); !ok || beside.Probability != got.Probability {
		t.Errorf("in the middle of its cell %v, at the place %v", beside.Probability, got.Probability)
	}
	far := geodesy.Destination(here, 0, 50e3)
	if _, ok := asked.Cell(far); ok || len(asked.At(far).Ledger) != 2 { // with the calibration
		t.Errorf("where nothing is said: %+v", asked.At(far).Ledger)
	}
}

func TestPlacesThatAgreeSharpenEachOther(t *testing.T) {
	near := geodesy.Destination(here, 90, 20)
	got := site.Assess([]atalaya.Evidence{gas("1", here, 20), gas("2", near, 20)}, asOf)
	if len(got) != 1 {
		t.Fatalf("%d candidates", len(got))
	}
	// Two equal normals: half the variance, halfway, and of Student's t of 8 + 2 degrees of freedom that by 10/8. A millimetre: the frame's ground iteration.
	p := got[0].Place
	if d := geodesy.Distance(geodesy.LatLon{Lat: p.Lat, Lon: p.Lon}, geodesy.Destination(here, 90, 10)); d > 1e-3 || math.Abs(p.CovarianceM2[0][0]-250) > 1e-6 {
		t.Errorf("%.4f m off, covariance %v", d, p.CovarianceM2)
	}
	apart := site.Assess([]atalaya.Evidence{gas("1", here, 10), gas("2", geodesy.Destination(here, 90, 120), 12)}, asOf)
	if len(apart) != 2 {
		t.Fatalf("two places that exclude each other: %d candidates", len(apart))
	}
	for _, c := range apart {
		at := geodesy.LatLon{Lat: c.Place.Lat, Lon: c.Place.Lon}
		if d := math.Min(geodesy.Distance(at, here), geodesy.Distance(at, geodesy.Destination(here, 90, 120))); d > 1e-3 {
			t.Errorf("two places that exclude each other moved one by %.1f m", d)
		}
	}
}

func TestCellsAgreeWithPoints(t *testing.T) {
	all := []atalaya.Evidence{gas("1", here, 12), report("2", here, 1500, "B2"), look("3", geodesy.Destination(here, 10, 500), 300, 0.5)}
	cells := site.Cells(all, asOf)
	if len(cells) == 0 {
		t.Fatal("no cells")
	}
	for _, c := range cells {
		p, _ := site.At(all, geodesy.CellCenter(s2.CellID(c.ID)), asOf)
		if math.Abs(p-c.Probability) > 1e-12 { // sums in another order
			t.Fatalf("cell %x: %v, at its centre %v", c.ID, c.Probability, p)
		}
	}
}

// A footprint hundreds of kilometres wide, as broken metadata gives it, neither counts nor hides the others.
func TestBrokenFootprintsAreLeftOut(t *testing.T) {
	square := func(halfM float64) []geodesy.LatLon {
		var ring []geodesy.LatLon
		for _, az := range []float64{45, 135, 225, 315} {
			ring = append(ring, geodesy.Destination(here, az, halfM*math.Sqrt2))
		}
		return ring
	}
	want := site.FromLooks("video", "", []site.Look{{Ring: square(400), PD: 0.5}})
	got := site.FromLooks("video", "", []site.Look{
		{Ring: square(300e3), PD: 0.9}, {Ring: []geodesy.LatLon{here, {Lat: math.NaN()}, here}, PD: 1}, {Ring: nil, PD: 1}, {Ring: square(400), PD: 0.5},
	})
	if len(want.Cells) == 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("got %d cells, want %d", len(got.Cells), len(want.Cells))
	}
}

func TestADetectionWithoutAFiniteErrorSaysNothing(t *testing.T) {
	for _, c := range [][2][2]float64{{{math.NaN(), 0}, {0, 1}}, {{math.Inf(1), 0}, {0, 1}}, {{1, 5}, {5, 1}}, {{-1, 0}, {0, 1}}} {
		e := site.FromDetection(site.Detection{Kind: "gas", StrengthKm2: 70, Modes: []site.Mode{{At: here, CovarianceM2: c, Weight: 1}}})
		if len(e.Cells) != 0 || e.Place != nil || !strings.Contains(e.Note, "no finite error") {
			t.Errorf("covariance %v: got %d cells, note %q", c, len(e.Cells), e.Note)
		}
	}
}

// many is 1,000 items over 40 km, a few hundred to thousands of cells each.
func many() []atalaya.Evidence {
	rng := rand.New(rand.NewPCG(1, 1))
	var all []atalaya.Evidence
	for i := range 1000 {
		at := geodesy.Destination(here, 360*rng.Float64(), 40e3*rng.Float64())
		id := fmt.Sprintf("%04d", i)
		switch i % 4 {
		case 0:
			all = append(all, gas(id, at, 10))
		case 1:
			all = append(all, emitter(id, at, 1500))
		case 2:
			all = append(all, report(id, at, 1200, "C3"))
		default:
			all = append(all, look(id, at, 900, 0.4))
		}
	}
	return all
}

func BenchmarkHundredFootprints(b *testing.B) {
	var looks []site.Look
	for i := range 100 {
		at := geodesy.Destination(here, 90, 60*float64(i))
		var ring []geodesy.LatLon
		for _, az := range []float64{45, 135, 225, 315} {
			ring = append(ring, geodesy.Destination(at, az, 1000))
		}
		looks = append(looks, site.Look{Ring: ring, PD: 0.5})
	}
	for b.Loop() {
		site.FromLooks("video", "", looks)
	}
}

func BenchmarkAssessThousandItems(b *testing.B) {
	all := many()
	cells := 0
	for _, e := range all {
		cells += len(e.Cells)
	}
	b.ReportMetric(float64(cells), "cells")
	for b.Loop() {
		site.Assess(all, asOf)
	}
}
