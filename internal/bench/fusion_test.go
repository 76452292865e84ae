package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/score"
	"github.com/atalaya-isr/atalaya/simulate"
)

// hamlet is a country small enough for a test: 20 by 20 km, a week, five flights. Barren has no site.
func hamlet(name string) (simulate.RegionScenario, error) {
	sites := map[string]string{"hamlet": "3", "train-hamlet": "5", "barren": "0", "rumour": "1"}[name]
	if sites == "" {
		return simulate.RegionScenario{}, errors.New("no region " + name)
	}
	return simulate.ReadRegion(strings.NewReader(`
kind: region
name: ` + name + `
about: SYNTHETIC
centre: [24.6, -106.2]
width_km: 20
height_km: 20
utc_offset_h: -7
from: 2026-03-02T07:00:00Z
to: 2026-03-09T07:00:00Z
marking: (U//SYNTHETIC)
homesteads_per_km2: 0.012
ground: {relief_m: 900, hill_share: 0.4, coast: false, towns: 3, largest_town: 9000, rivers: 1, creeks: 2, tracks: 12}
wind: {speed_mps: 4.5, from_deg: 290, spread_deg: 45, weak_nights: 0.3, cloud: 0.2, storms: 0.05}
sites: {count: ` + sites + `, quiet_share: 0.25, opens: 0.2, closes: 0, front: 0, emits_g_s: 2, moves_days: [0, 0]}
decoys: {count: 8}
sorties:
  count: 5
  most_a_week: 24
  mix: {gas-drone: 2, male: 2, signals: 1}
  lost: 0
  collection_authority: SYNTHETIC order 1/2026
  host_consent: SYNTHETIC note 7/2026
reports: {per_site: 1, mistaken: 1, rumours: 1, told: 4, paraphrased: 0.2, lies: 1, denials: 1, english: 0.25}
`))
}

func smallFusion() FusionOptions {
	return FusionOptions{Scenario: "hamlet", Seeds: 2, FirstSeed: 1, Train: []string{"train-hamlet"}, TrainSeeds: 3, OtherSeeds: 1, Version: "0.0.0", Find: hamlet}
}

func fitted(t *testing.T) []byte {
	t.Helper()
	c, err := FitFusion(context.Background(), smallFusion())
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A calibration that is fitted again is the same to the byte, on one core and on many; and it says what it rests on.
func TestFittingAgainGivesTheSameBytes(t *testing.T) {
	first := fitted(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if again := fitted(t); !bytes.Equal(first, again) {
		t.Errorf("first %s\nagain %s", first, again)
	}
	c, err := site.ReadCalibration(first)
	if err != nil {
		t.Fatal(err)
	}
	if c.Version != "0.0.0" || len(c.From) != 1 || c.From[0] != (site.Basis{Scenario: "train-hamlet", FirstSeed: FirstTrainSeed, Seeds: 3}) || c.Cases < leastFusionCases || c.Sites < 1 || c.Sites > 15 {
		t.Errorf("%+v", c)
	}
}

// leastFusionCases is below what three small campaigns name: each has a permit or a detection at most of its places.
const leastFusionCases = 10

func TestFusionScoresWhatItWasNotFittedOn(t *testing.T) {
	if testing.Short() {
		t.Skip("campaigns of every way of putting the evidence together")
	}
	o := smallFusion()
	o.Ablations, o.LeftOut = true, 1
	told := map[string]int{}
	o.Progress = func(what string, done, total int) { told[what] = done }
	f, err := Fuse(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	kinds := len(site.Senses) // reports and all senses but permits go alone; each of them and permits are left out
	if want := 2 + kinds + kinds + 1 + 2; len(f.Rows) != want {
		t.Errorf("%d rows, want %d", len(f.Rows), want)
	}
	all, raw := f.Rows[0].Score, f.Rows[1].Score
	if all.Campaigns != 2 || all.Candidates == 0 || all.Candidates != raw.Candidates || all.Figures.AveragePrecision != raw.Figures.AveragePrecision && !math.IsNaN(float64(raw.Figures.AveragePrecision)) {
		t.Errorf("calibration changed the ranking: %+v, %+v", all.Figures, raw.Figures)
	}
	for _, r := range f.Rows {
		if hasArea, want := !math.IsNaN(float64(r.Score.Figures.Area50)), strings.HasSuffix(r.Name, "alone") || r.Name == "all senses"; hasArea != want {
			t.Errorf("%s: an area to be searched: %v", r.Name, hasArea)
		}
	}
	for _, r := range f.Rows {
		if want := map[bool]int{true: 1, false: 2}[strings.HasPrefix(r.Name, "without ")]; r.Score.Campaigns != want {
			t.Errorf("%s: %d campaigns, want %d", r.Name, r.Score.Campaigns, want)
		}
	}
	if len(f.Others) != 2 || f.Others[0].Name != "barren" || f.Others[0].Score.Sites != 0 || len(f.Missing) != 1 || f.Missing[0] != "bias" {
		t.Errorf("%d others, missing %v", len(f.Others), f.Missing)
	}
	if len(f.Copies) == 0 || f.Copies[0].Copies != copies {
		t.Errorf("%+v", f.Copies)
	}
	for _, c := range f.Copies {
		if math.Abs(c.After/c.Before-1) > gateCopies { // what is asked of the full scenario holds of a small one
			t.Errorf("a report copied %d times: %+v", copies, c)
		}
	}
	for _, what := range []string{"train-hamlet", "hamlet", "barren", "rumour", "copies"} {
		if told[what] == 0 {
			t.Errorf("no progress of %s", what)
		}
	}
	var text bytes.Buffer
	if err := f.Print(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"hamlet, 2 campaigns", "train-hamlet (3 seeds from 100001)", "all senses", "gas alone", "without permit", "without map", "left out: there is no scenario bias", "precision at 10"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, text.String())
		}
	}
}

func TestFusionRefusesWhatItHasSeen(t *testing.T) {
	for claim, change := range map[string]func(*FusionOptions){
		"seeds that were fitted on": func(o *FusionOptions) { o.Train, o.FirstSeed = []string{"hamlet"}, FirstTrainSeed },
		"nothing to fit on":         func(o *FusionOptions) { o.TrainSeeds = 0 },
	} {
		o := smallFusion()
		change(&o)
		if _, err := Fuse(context.Background(), o); atalaya.KindOf(err) != atalaya.BadUse {
			t.Errorf("%s: %v", claim, err)
		}
	}
}

// Gates by hand: a fusion that is as good as its best sense by ground and no better by Brier misses both.
func TestGatesOfTheFusion(t *testing.T) {
	row := func(name string, precision, in90, brier, area float64) FusionRow {
		r := FusionRow{Name: name, Calibrated: "own"}
		r.Score = score.Campaigns(1)
		b, err := json.Marshal(map[string]float64{"precision_at_10": precision, "precision_at_10_ever": precision - 0.1, "in_p90": in90, "brier_per_site": brier, "area_50_km2": area, "area_90_km2": 2 * area, "above_half": 0.2, "calibration_error": 0.01})
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &r.Score.Figures); err != nil {
			t.Fatal(err)
		}
		return r
	}
	f := &Fusion{Rows: []FusionRow{row("all senses", 0.85, 0.9, 0.5, 40), row("gas alone", 0.3, 0.9, 0.5, 100), row("report alone", 0.2, 0.9, 0.9, 70)},
		Others: []FusionRow{row("barren", 0, 0, 0, 0), row("bias", 0, 0.8, 0, 0)}, Copies: []Copied{{Before: 0.5, After: 0.504}, {Before: 0.5, After: 0.494}}}
	f.gates()
	got := map[string]bool{}
	for _, g := range f.Gates {
		got[g.Name] = g.Met
	}
	for name, want := range map[string]bool{
		"precision at 10, of sites that work at the end": true, "precision at 10, with sites that closed on the way": false, "true sites inside their 90 % regions": true, "expected calibration error": true,
		"Brier by site, over that of gas alone": false, "area to half of the sites, over that of report alone": false, "area to nine tenths of the sites, over that of report alone": false,
		"candidates above 50 % a campaign where there is no site": true, "true sites inside their 90 % regions, sensors biased": false,
		"relative change of a probability when a report is copied 100 times, the largest": false,
	} {
		if met, ok := got[name]; !ok || met != want {
			t.Errorf("%s: met %v, there %v", name, met, ok)
		}
	}
	if len(f.Missed()) != 6 {
		t.Errorf("%d missed", len(f.Missed()))
	}
}

// Evidence is handed in with its cause, and what came later than a time is not there yet.
func TestEvidenceOfACampaign(t *testing.T) {
	s, err := hamlet("hamlet")
	if err != nil {
		t.Fatal(err)
	}
	r, err := simulate.RegionCampaign(s, 3)
	if err != nil {
		t.Fatal(err)
	}
	all := evidenceOf(r)
	names, reports := map[atalaya.EvidenceID]bool{}, 0
	for _, e := range all {
		if names[e.evidence.ID] || e.evidence.Mission != benchMission {
			t.Errorf("%s of %s comes twice or is of another mission", e.evidence.ID, e.evidence.Mission)
		}
		names[e.evidence.ID] = true
		if e.report != "" {
			reports++
			if len(e.evidence.Lineage) == 0 {
				t.Errorf("report %s has no key of its words", e.report)
			}
		}
	}
	if reports != len(r.Reports) {
		t.Errorf("%d reports of %d", reports, len(r.Reports))
	}
	early := evidence(all, r.From.Add(72*time.Hour))
	for _, e := range early {
		if e.When.To.After(r.From.Add(72 * time.Hour)) {
			t.Errorf("%s is of %v", e.ID, e.When)
		}
	}
	if len(early) == 0 || len(early) >= len(all) {
		t.Errorf("%d of %d were there after three days", len(early), len(all))
	}
}
