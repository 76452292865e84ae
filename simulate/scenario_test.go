package simulate

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/storm"
)

func text(t testing.TB) string {
	b, err := built.ReadFile("scenarios/small.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestScenariosThatCannotBeAreRefusedWithTheirKey(t *testing.T) {
	for _, row := range []struct{ claim, from, to, key string }{
		{"a key that nobody knows", "apart_m: 2600", "a_part: 2600", "a_part"},
		{"no name", "name: small", "name: ''", "name"},
		{"a centre off the Earth", "[24.9, -106.9]", "[249, -106.9]", "centre"},
		{"a marking that hides that it is made up", "(U//SYNTHETIC)", "(U)", "marking"},
		{"a mission that ends before it begins", "to: 2026-03-14T23:00:00Z\nmarking", "to: 2025-03-14T23:00:00Z\nmarking", "to"},
		{"calm air", "speed_mps: 4,", "speed_mps: 0,", "wind.speed_mps"},
		{"a number that is none", "apart_m: 2600", "apart_m: .nan", "apart_m"},
		{"a survey of a place that is not there", "near: shop", "near: nowhere", "gas.near"},
		{"a sortie that was not flown", "sortie: S4", "sortie: S9", "video.around"},
		{"a compound that the instrument does not tell", "xylene: 1.2", "benzene: 1.2", "places.emits_g_s"},
		{"a file outside the mission", "gas/flight-2.csv", "../flight-2.csv", "gas.file"},
		{"two files of one name", "gas/flight-2.csv", "gas/flight-1.csv", "gas.file"},
		{"the mission's own file", "gas/flight-2.csv", "mission.yaml", "gas.file"},
		{"a film of more than the landscape", "hfov_deg: 9, rate_hz: 8", "hfov_deg: 30, rate_hz: 8", "film.hfov_deg"},
		{"a film around a place that is not there", "film: {file: video/film-1.ts, sortie: S4, at: 2026-03-14T20:50:00Z, around: tower", "film: {file: video/film-1.ts, sortie: S4, at: 2026-03-14T20:50:00Z, around: nowhere", "film.around"},
		{"a site that never works", "to: 2026-03-14T23:00:00Z, emits", "to: 2026-03-14T11:00:00Z, emits", "places.to"},
	} {
		changed := strings.Replace(text(t), row.from, row.to, 1)
		if changed == text(t) {
			t.Fatalf("%s: nothing to replace", row.claim)
		}
		_, err := ReadScenario(strings.NewReader(changed))
		if err == nil || atalaya.KindOf(err) != atalaya.BadInput || !strings.Contains(err.Error(), row.key) {
			t.Errorf("%s: %v", row.claim, err)
		}
	}
}

func TestNoRoomIsSaid(t *testing.T) {
	s, _ := Find("small")
	s.ApartM = 9000
	if _, err := Campaign(s, 1, shelf{}); err == nil || !strings.Contains(err.Error(), "apart_m") {
		t.Error(err)
	}
}

func TestARoadThatIsTooLongForItsTimeIsSaidWithItsKey(t *testing.T) {
	s, err := Find("small")
	if err != nil {
		t.Fatal(err)
	}
	s.Video.RoadS = 2
	_, err = Campaign(s, 1, shelf{})
	if err == nil || atalaya.KindOf(err) != atalaya.BadInput || !strings.Contains(err.Error(), "key video.road_s: ") || strings.Contains(err.Error(), "bytes") {
		t.Fatal(err)
	}
	_, least, found := strings.Cut(err.Error(), "Give at least ")
	if s.Video.RoadS, err = strconv.ParseFloat(least, 64); err != nil || !found {
		t.Fatalf("%q, %v", least, err)
	}
	if _, err := Campaign(s, 1, shelf{}); err != nil {
		t.Errorf("with the time that the message asks for: %v", err)
	}
}

func TestAKeyThatNobodyKnowsIsNamedWithItsLine(t *testing.T) {
	_, err := ReadScenario(strings.NewReader("name: a\nwether: fine\n"))
	if err == nil || !strings.Contains(err.Error(), "line 2, key wether: there is no such key") || strings.Contains(err.Error(), "simulate.") {
		t.Error(err)
	}
}

func TestAnUnknownScenarioNamesTheKnown(t *testing.T) {
	if _, err := Find("huge"); err == nil || !strings.Contains(err.Error(), "small") {
		t.Error(err)
	}
}

func FuzzReadScenario(f *testing.F) {
	f.Add([]byte(text(f)))
	f.Add([]byte("name: a\ncentre: [1]\n"))
	f.Add([]byte{})
	f.Add([]byte("a: &a [*a]"))
	storm.Fuzz(f, func(t testing.TB, b []byte) {
		s, err := ReadScenario(bytes.NewReader(b))
		if err == nil && s.Name == "" {
			t.Error("a scenario without a name was read")
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("an error of several lines: %q", err)
		}
	})
}
