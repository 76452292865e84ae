package score

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang/geo/s2"
	"pgregory.net/rapid"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/numeric"
)

var mill = geodesy.LatLon{Lat: 24.8, Lon: -107.4}

// eastOf the mill by kilometres.
func eastOf(km float64) geodesy.LatLon { return geodesy.Destination(mill, 90, 1000*km) }

func trueSites(at ...geodesy.LatLon) (t TruthSites) {
	for i, p := range at {
		t.Sites = append(t.Sites, TruthSite{ID: fmt.Sprint(i), Lat: p.Lat, Lon: p.Lon})
	}
	return t
}

// named is a candidate of a standard deviation of 100 m.
type named struct {
	at geodesy.LatLon
	p  float64
}

func ranked(candidates ...named) FoundSites {
	var all []atalaya.Candidate
	for i, n := range candidates {
		all = append(all, atalaya.Candidate{ID: atalaya.CandidateID(fmt.Sprint(i)), Rank: i + 1, Probability: n.p, Place: site.PlaceOf(site.Mode{At: n.at, CovarianceM2: [2][2]float64{{1e4, 0}, {0, 1e4}}, Weight: 1})})
	}
	return Found(all)
}

func scored(t testing.TB, truth TruthSites, found FoundSites, o CampaignOptions) CampaignScore {
	t.Helper()
	return Campaigns(1, must[*Campaign](t)(OneCampaign(truth, found, o)))
}

func near(a number, b float64) bool {
	return math.Abs(float64(a)-b) < 1e-9 || math.IsNaN(float64(a)) && math.IsNaN(b)
}

// Of three sites one closed on the way, one has not opened yet; candidates lie at the closed one twice, at the one that works, and at nothing.
func TestASiteThatClosedIsToldApart(t *testing.T) {
	now := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	truth := trueSites(eastOf(0), eastOf(10), eastOf(20))
	truth.Sites[0].To, truth.Sites[2].From = now.Add(-time.Hour), now.Add(time.Hour)
	s := scored(t, truth, ranked(named{eastOf(0), 0.9}, named{eastOf(0.2), 0.8}, named{eastOf(10), 0.7}, named{eastOf(20), 0.6}), CampaignOptions{AsOf: now})
	if f := s.Figures; !near(f.PrecisionAt10, 0.25) || !near(f.EverAt10, 0.5) {
		t.Errorf("precision at ten %v, with the closed one %v, want 1/4 and 2/4: it is counted once, and the one to come not at all", f.PrecisionAt10, f.EverAt10)
	}
	if s.FalseBy["a site that is closed"] != 2 || s.FalseBy["nothing"] != 1 {
		t.Errorf("false by %v", s.FalseBy)
	}
}

// Sites lie at 0, 10 and 20 km; the ranking is: the one at 10 km, 300 m off; nothing; the one at 10 km again; the one at 0 km; nothing.
func TestACampaignByHand(t *testing.T) {
	truth := trueSites(eastOf(0), eastOf(10), eastOf(20))
	truth.Decoys = []TruthDecoy{{"farm", eastOf(5).Lat, eastOf(5).Lon}}
	s := scored(t, truth, ranked(named{eastOf(10.3), 0.9}, named{eastOf(5), 0.6}, named{eastOf(10), 0.5}, named{eastOf(0), 0.3}, named{eastOf(30), 0.1}), CampaignOptions{AreaKm2: 500, FlightHours: 4})
	pi := -math.Expm1(-site.DefaultPriorPerKm2 * site.AreaKm2)
	// What counts: .9 true, .6 false, .3 true, .1 false. Of four pairs of a true and a false one, .9 beats two and .3 one.
	for _, row := range []struct {
		claim string
		got   number
		want  float64
	}{
		{"AUC", s.Figures.AUC, 3. / 4},
		{"average precision", s.Figures.AveragePrecision, (1 + 2./3) / 3},
		{"precision at 1", s.Figures.PrecisionAt1, 1}, {"at 3", s.Figures.PrecisionAt3, 2. / 3}, {"at 10", s.Figures.PrecisionAt10, 0.5},
		{"found", s.Figures.Found, 2. / 3},
		{"Brier", s.Figures.Brier, (0.01 + 0.36 + 0.49 + 0.01) / 4},
		{"Brier per site", s.Figures.BrierPerSite, (0.87 + (1-pi)*(1-pi)) / 3},
		{"log score", s.Figures.LogScore, -(math.Log(0.9) + math.Log(0.4) + math.Log(0.3) + math.Log(0.9)) / 4},
		// Four words hold one each: |.9-1| + |.6-0| + |.3-1| + |.1-0| over four.
		{"calibration error", s.Figures.CalibrationError, 1.5 / 4},
		{"above a half", s.Figures.AboveHalf, 2}, {"false above a half", s.Figures.FalseAboveHalf, 1},
		{"per 1,000 km²", s.Figures.FalsePer1000Km2, 2}, {"per hour", s.Figures.FalsePerHour, 0.25}, {"expected", s.Figures.ExpectedSites, 1.9},
		{"area without cells", s.Figures.Area50, math.NaN()}, {"hours without earlier rankings", s.Figures.HoursToTrue, math.NaN()},
	} {
		if !near(row.got, row.want) {
			t.Errorf("%s: %g, want %g", row.claim, float64(row.got), row.want)
		}
	}
	if math.Abs(float64(s.Figures.CEP50)) > 1e-6 || math.Abs(float64(s.Figures.CEP90)-300) > 1e-3 {
		t.Errorf("CEP %g and %g, want 0 and 300", float64(s.Figures.CEP50), float64(s.Figures.CEP90))
	}
	// Of the two that have a candidate about them one lies in the middle; 300 m are three deviations, beyond 95 % (2.448).
	if s.In50.Held != 1 || s.In50.Of != 2 || s.In95.Held != 1 {
		t.Errorf("regions: %+v, %+v", s.In50, s.In95)
	}
	if s.FalseBy["farm"] != 1 || len(s.FalseBy) != 1 || s.True != 2 || s.Candidates != 4 || s.Sites != 3 {
		t.Errorf("%v, %+v", s.FalseBy, s)
	}
	if len(s.Reliable) != len(site.Words) || s.Reliable[6].Word != "very-likely" || s.Reliable[6].True.Held != 1 || !near(s.Reliable[6].Stated, 0.9) {
		t.Errorf("%+v", s.Reliable)
	}
}

// A site that opened later, or has closed, is none at the time of assessment: a candidate at it is false.
func TestOnlySitesAtWorkAreToBeFound(t *testing.T) {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	truth := trueSites(eastOf(0), eastOf(10), eastOf(20))
	truth.Sites[1].To = at.Add(-time.Hour)
	truth.Sites[2].From = at.Add(time.Hour)
	found := ranked(named{eastOf(10), 0.9}, named{eastOf(0), 0.8}, named{eastOf(20), 0.7})
	if s := scored(t, truth, found, CampaignOptions{AsOf: at}); s.Sites != 1 || s.True != 1 || !near(s.Figures.PrecisionAt1, 0) || !near(s.Figures.FalseAboveHalf, 2) {
		t.Errorf("at the time: %+v", s.Figures)
	}
	if s := scored(t, truth, found, CampaignOptions{}); s.Sites != 3 || s.True != 3 || !near(s.Figures.AveragePrecision, 1) || !near(s.Figures.AUC, math.NaN()) {
		t.Errorf("at any time: %+v", s.Figures)
	}
}

// A site outside of the 95 % region and of reach is still what a wide candidate is about: leaving it out would make every region look better than it is.
func TestRegionsAreJudgedBeyondReach(t *testing.T) {
	wide := func(km float64) FoundSites {
		f := ranked(named{eastOf(0), 0.5})
		p := site.PlaceOf(site.Mode{At: eastOf(0), CovarianceM2: [2][2]float64{{1e6, 0}, {0, 1e6}}, Weight: 1})
		f.Sites[0].Regions, f.Sites[0].CovarianceM2 = p.Regions, p.CovarianceM2
		return f
	}
	for _, row := range []struct {
		km       float64
		found    bool
		in90, of int
	}{{1, true, 1, 1}, {2.3, true, 0, 1}, {3, false, 0, 1}, {4, false, 0, 0}} { // 2.146, 2.448 and 3.717 deviations of a kilometre
		s := scored(t, trueSites(eastOf(row.km)), wide(row.km), CampaignOptions{})
		if (s.True == 1) != row.found || s.In90.Held != row.in90 || s.In90.Of != row.of {
			t.Errorf("%g km: found %d, %d of %d in the 90 %% region", row.km, s.True, s.In90.Held, s.In90.Of)
		}
	}
	s := scored(t, trueSites(eastOf(9)), wide(9), CampaignOptions{Causes: map[atalaya.CandidateID][]string{"0": {"0"}}})
	if s.In90.Of != 1 || s.In90.Held != 0 || s.True != 0 {
		t.Errorf("with its cause known: %+v", s.In90)
	}
}

// A thousand candidates that are drawn as they say hold the truth as often as they say, wide or narrow.
func TestRegionsOfHonestCandidatesCover(t *testing.T) {
	var all []*Campaign
	for i := range 1000 {
		s := numeric.NewStream(3, uint64(i))
		sd := 50 * math.Exp(4*s.Float64()) // 50 m to 2.7 km
		p := site.PlaceOf(site.Mode{At: mill, CovarianceM2: [2][2]float64{{sd * sd, 0}, {0, sd * sd / 4}}, Weight: 1})
		f := ranked(named{mill, 0.5})
		f.Sites[0].Regions, f.Sites[0].CovarianceM2 = p.Regions, p.CovarianceM2
		at := geodesy.NewFrame(geodesy.LatLonHeight{Lat: mill.Lat, Lon: mill.Lon}).GroundFromENU(sd*s.Normal(), sd/2*s.Normal())
		all = append(all, must[*Campaign](t)(OneCampaign(trueSites(at), f, CampaignOptions{})))
	}
	s := Campaigns(1, all...)
	for _, row := range []struct {
		share Share
		want  float64
	}{{s.In50, 0.5}, {s.In90, 0.9}, {s.In95, 0.95}} {
		lo, hi := numeric.BinomialInterval(row.share.Held, row.share.Of, 0.99)
		if row.want < lo || row.want > hi || row.share.Of < 990 {
			t.Errorf("%+v, want %g", row.share, row.want)
		}
	}
}

// 100 km², of which four cells are known: two likelier than before any evidence, two less. A site in the first, one outside of all cells, one in the last.
func TestGroundIsSearchedTheLikeliestFirst(t *testing.T) {
	const level = 13
	id := geodesy.CellOf(mill, level)
	var cells []site.Cell
	km2 := 0.0
	for i, p := range []float64{0.2, 0.01, 1e-7, 1e-9} {
		cells = append(cells, site.Cell{ID: uint64(id.Advance(int64(i))), Probability: p})
		km2 = s2.CellFromCellID(id).ExactArea() * earthKm * earthKm // cells beside each other differ by 1e-4
	}
	truth := trueSites(geodesy.CellCenter(id), eastOf(40), geodesy.CellCenter(id.Advance(3)))
	s := scored(t, truth, ranked(), CampaignOptions{AreaKm2: 100, Cells: cells})
	near := func(got, want float64) bool { return math.Abs(got-want) < 0.01 }
	// Half of three sites is one and a half: two cells, and half of the ground without a cell. Nine tenths are 2.7: 0.7 into the last cell.
	if want := 2*km2 + (100-4*km2)/2; !near(float64(s.Figures.Area50), want) {
		t.Errorf("%g km² to half of the sites, want %g", float64(s.Figures.Area50), want)
	}
	if want := 100 - 0.3*km2; !near(float64(s.Figures.Area90), want) {
		t.Errorf("%g km² to nine tenths, want %g", float64(s.Figures.Area90), want)
	}
	last := s.Area[len(s.Area)-1]
	if !near(last[0], 100) || !near(last[1], 1) {
		t.Errorf("the curve ends at %v", last)
	}
}

func TestTimeToTheFirstTrueOne(t *testing.T) {
	begun := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	truth := trueSites(eastOf(0), eastOf(10))
	rank := func(h float64, c ...named) Ranking {
		return Ranking{begun.Add(time.Duration(h * float64(time.Hour))), ranked(c...)}
	}
	o := CampaignOptions{From: begun, Earlier: []Ranking{rank(5, named{eastOf(30), 0.2}), rank(8, named{eastOf(30), 0.4}, named{eastOf(10), 0.3}), rank(9, named{eastOf(10), 0.5})}}
	s := scored(t, truth, ranked(), o)
	if !near(s.Figures.HoursToTrue, 8) || !math.IsInf(float64(s.Figures.HoursToEight), 1) {
		t.Errorf("%g and %g hours", float64(s.Figures.HoursToTrue), float64(s.Figures.HoursToEight))
	}
}

// Campaigns are summed: precision is of all first ten together, not a mean of ratios.
func TestCampaignsAreSummed(t *testing.T) {
	one := must[*Campaign](t)(OneCampaign(trueSites(eastOf(0)), ranked(named{eastOf(0), 0.9}), CampaignOptions{}))
	two := must[*Campaign](t)(OneCampaign(trueSites(eastOf(0)), ranked(named{eastOf(10), 0.8}, named{eastOf(20), 0.7}, named{eastOf(30), 0.6}), CampaignOptions{}))
	s := Campaigns(1, one, two)
	if !near(s.Figures.PrecisionAt10, 0.25) || !near(s.Figures.Found, 0.5) || !near(s.Figures.AveragePrecision, 0.5) || s.Low != nil {
		t.Errorf("%+v", s.Figures)
	}
	same := func(s CampaignScore) string { return string(must[[]byte](t)(json.Marshal(s))) }
	if a, b := same(Campaigns(1, one, two)), same(Campaigns(1, one, two)); a != b {
		t.Errorf("twice the same:\n%s\n%s", a, b)
	}
	var many []*Campaign
	for i := range 12 {
		many = append(many, []*Campaign{one, two}[i%2])
	}
	twelve := Campaigns(1, many...)
	if a, b := same(twelve), same(Campaigns(1, many...)); a != b {
		t.Error("drawn twice the intervals differ")
	}
	if lo, hi := twelve.Low.PrecisionAt10, twelve.High.PrecisionAt10; !(lo < 0.25 && 0.25 < hi) || !near(twelve.Figures.PrecisionAt10, 0.25) {
		t.Errorf("precision %g, interval %g to %g", float64(twelve.Figures.PrecisionAt10), float64(lo), float64(hi))
	}
}

// Whatever the ranking, figures lie in their ranges, and a probability that every candidate raises alike changes no order.
func TestFiguresLieInTheirRanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		truth := trueSites()
		for i := range rapid.IntRange(0, 4).Draw(t, "sites") {
			truth.Sites = append(truth.Sites, trueSites(eastOf(float64(5 * i))).Sites[0])
		}
		var c []named
		for range rapid.IntRange(0, 12).Draw(t, "candidates") {
			c = append(c, named{eastOf(float64(rapid.IntRange(0, 60).Draw(t, "km")) / 2), rapid.Float64Range(0.001, 0.999).Draw(t, "p")})
		}
		slices.SortStableFunc(c, func(a, b named) int { return int(math.Copysign(1, b.p-a.p)) })
		one, err := OneCampaign(truth, ranked(c...), CampaignOptions{})
		if err != nil {
			t.Fatal(err)
		}
		s := Campaigns(1, one)
		f := s.Figures
		for k, v := range f.each() {
			if x := float64(*v); x < 0 {
				t.Fatalf("figure %d is %g", k, x)
			}
		}
		for _, v := range []number{f.AUC, f.AveragePrecision, f.PrecisionAt10, f.Found, f.Brier, f.CalibrationError, f.In50, f.In90, f.In95} {
			if float64(v) > 1+1e-12 {
				t.Fatalf("a share of %g in %+v", float64(v), f)
			}
		}
		for i := range c {
			c[i].p = math.Sqrt(c[i].p)
		}
		one, err = OneCampaign(truth, ranked(c...), CampaignOptions{})
		if err != nil {
			t.Fatal(err)
		}
		g := Campaigns(1, one).Figures
		for k, v := range []number{g.AUC, g.AveragePrecision, g.PrecisionAt3} {
			if w := []number{f.AUC, f.AveragePrecision, f.PrecisionAt3}[k]; !near(v, float64(w)) {
				t.Fatalf("figure %d of the order: %g, then %g", k, float64(w), float64(v))
			}
		}
	})
}

// A calibration that was fitted on a campaign's own cases makes its probabilities come true, and leaves every order as it was.
func TestCalibratedCampaigns(t *testing.T) {
	var truth TruthSites
	var c []named
	for i := range 60 { // every second one of the first thirty is a site, and none of the others: called 0.9 and 0.1
		at := eastOf(float64(3 * i))
		p := 0.9 - float64(i)/1000
		if i >= 30 {
			p = 0.1 - float64(i)/1000
		} else if i%2 == 0 {
			truth.Sites = append(truth.Sites, TruthSite{ID: fmt.Sprint(i), Lat: at.Lat, Lon: at.Lon})
		}
		c = append(c, named{at, p})
	}
	one := must[*Campaign](t)(OneCampaign(truth, ranked(c...), CampaignOptions{}))
	raw, by := Campaigns(1, one), Campaigns(1, one.Calibrated(site.Fit(one.Cases())))
	if !near(by.Figures.AveragePrecision, float64(raw.Figures.AveragePrecision)) || !near(by.Figures.AUC, float64(raw.Figures.AUC)) {
		t.Errorf("the order changed: %+v, then %+v", raw.Figures, by.Figures)
	}
	// Uncalibrated it is 0.39 too sure of 30 in 60, and 0.06 of the others.
	if float64(raw.Figures.CalibrationError) < 0.2 || float64(by.Figures.CalibrationError) > 0.03 || !(by.Figures.Brier < raw.Figures.Brier) {
		t.Errorf("calibration error %g, then %g", float64(raw.Figures.CalibrationError), float64(by.Figures.CalibrationError))
	}
}

func TestACampaignOfAnotherSchemaIsRefused(t *testing.T) {
	_, err := OneCampaign(trueSites(mill), FoundSites{Schema: "atalaya.sources/1"}, CampaignOptions{})
	if atalaya.KindOf(err) != atalaya.BadInput || !strings.Contains(err.Error(), "not atalaya.sites/1") {
		t.Errorf("%v", err)
	}
	f := ranked(named{mill, 0.5})
	f.Sites[0].Regions.P90 = nil
	if _, err := OneCampaign(trueSites(mill), f, CampaignOptions{}); err == nil || err.Error() != "site 0: no region" {
		t.Errorf("%v", err)
	}
}
