package simulate

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/storm"
)

func regionText(t testing.TB, name string) string {
	b, err := built.ReadFile("scenarios/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRegionsThatCannotBeAreRefusedWithTheirKey(t *testing.T) {
	for _, row := range []struct{ claim, from, to, key string }{
		{"a key that nobody knows", "width_km: 50", "breadth_km: 50", "breadth_km"},
		{"another kind of scenario", "kind: region", "kind: place", "kind"},
		{"no name", "name: valley", "name: ''", "name"},
		{"a centre off the Earth", "[24.6, -106.2]", "[246, -106.2]", "centre"},
		{"a marking that hides that it is made up", "(U//SYNTHETIC)", "(U)", "marking"},
		{"a campaign that ends before it begins", "to: 2026-03-23", "to: 2025-03-23", "to"},
		{"a campaign of years", "to: 2026-03-23", "to: 2029-03-23", "to (days from from)"},
		{"more ground than is simulated", "width_km: 50\nheight_km: 40", "width_km: 300\nheight_km: 300", "width_km times height_km"},
		{"a number that is none", "utc_offset_h: -7", "utc_offset_h: .nan", "utc_offset_h"},
		{"more sites than can be", "count: 4", "count: 4000", "sites.count"},
		{"fewer than no decoys", "decoys: {count: 40}", "decoys: {count: -1}", "decoys.count"},
		{"a kind of decoy that nobody knows", "decoys: {count: 40}", "decoys: {count: 40, mix: {castle: 3}}", "decoys"},
		{"a sense that nobody has", "decoys: {count: 40}", "decoys: {count: 40, chances: {farm: {smell: 1}}}", "decoys.chances.farm"},
		{"a chance above one", "decoys: {count: 40}", "decoys: {count: 40, chances: {farm: {gas: 1.1}}}", "decoys.chances.farm.gas"},
		{"no kind of decoy at all", "decoys: {count: 40}", "decoys: {count: 40, mix: {" + strings.Join(decoyNames(), ": 0, ") + ": 0}}", "decoys.mix"},
		{"a platform that nobody flies", "gas-drone: 4", "balloon: 4", "sorties.mix"},
		{"nothing that flies", "{gas-drone: 4, male: 4, signals: 1, high-altitude: 2, maritime: 1}", "{gas-drone: 0}", "sorties.mix"},
		{"more flights than weeks allow", "most_a_week: 24", "most_a_week: 1", "sorties.count"},
		{"flights without an authority", "SYNTHETIC order 1/2026", "", "sorties.collection_authority"},
		{"clutter without end", "homesteads_per_km2: 0.012", "clutter_per_km2: {gas: 5}", "clutter_per_km2.gas"},
		{"a laboratory that moves by the hour", "moves_days: [0, 0]", "moves_days: [0.1, 3]", "sites.moves_days"},
		{"a laboratory that stays less than it stays", "moves_days: [0, 0]", "moves_days: [5, 3]", "sites.moves_days"},
	} {
		changed := strings.Replace(regionText(t, "valley"), row.from, row.to, 1)
		if changed == regionText(t, "valley") {
			t.Fatalf("%s: nothing to replace", row.claim)
		}
		_, err := ReadRegion(strings.NewReader(changed))
		if err == nil || atalaya.KindOf(err) != atalaya.BadInput || !strings.Contains(err.Error(), row.key) {
			t.Errorf("%s: %v", row.claim, err)
		}
	}
}

func TestAScenarioIsNoRegionAndSaysSo(t *testing.T) {
	if KindOfScenario([]byte(text(t))) != "" || KindOfScenario([]byte(regionText(t, "valley"))) != RegionKind || KindOfScenario([]byte("a: [")) != "" {
		t.Error("kinds are not told apart")
	}
	if _, err := ReadRegion(strings.NewReader(text(t))); err == nil {
		t.Error("a scenario was read as a region")
	}
	if _, err := FindRegion("small"); err == nil || !strings.Contains(err.Error(), "province") {
		t.Error(err)
	}
}

func TestNoRoomInARegionIsSaid(t *testing.T) {
	s, err := FindRegion("valley")
	if err != nil {
		t.Fatal(err)
	}
	s.WidthKm, s.HeightKm, s.Sites.Count = 10, 10, 100
	if _, err := RegionCampaign(s, 1); err == nil || !strings.Contains(err.Error(), "sites.count") {
		t.Error(err)
	}
}

func FuzzReadRegion(f *testing.F) {
	f.Add([]byte(regionText(f, "valley")))
	f.Add([]byte(regionText(f, "train-coast")))
	f.Add([]byte("kind: region\nname: a\nsites: {moves_days: [1]}\n"))
	f.Add([]byte("kind: region\nsorties: {mix: {male: -9223372036854775808}}\n"))
	f.Add([]byte{})
	f.Add([]byte("kind: &a [*a]"))
	storm.Fuzz(f, func(t testing.TB, b []byte) {
		s, err := ReadRegion(bytes.NewReader(b))
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("an error of several lines: %q", err)
			}
			return
		}
		if s.Name == "" || s.km2() > mostRegionKm2 || s.Sorties.Count < 1 {
			t.Errorf("read %+v", s)
		}
	})
}

func TestAMissionStatesItsDensityToOneDigit(t *testing.T) {
	for _, row := range []struct {
		sites  int
		stated float64
		want   float64
	}{{30, 0, 8e-4}, {0, 0, 0}, {0, 8e-4, 8e-4}, {30, 2e-3, 2e-3}, {4, 0, 1e-4}, {38, 0, 1e-3}} {
		s := RegionScenario{WidthKm: 200, HeightKm: 200, SitesStatedPerKm2: row.stated}
		s.Sites.Count = row.sites
		if got := s.StatedPerKm2(); math.Abs(got-row.want) > 1e-15 {
			t.Errorf("%d sites in 40,000 km² and %g stated: %g, want %g", row.sites, row.stated, got, row.want)
		}
	}
}
