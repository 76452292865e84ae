package app

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/locate/site"
)

func TestWhatIsWrongWithAMissionFileIsSaidInItsOwnWords(t *testing.T) {
	for _, row := range []struct{ claim, text, want string }{
		{"a letter left out", "name: river\nmarkng: (U)\n", "mission.yaml: line 2, key markng: there is no such key. Did you mean marking?"},
		{"a capital", "Name: river\n", "line 1, key Name: there is no such key. Did you mean name?"},
		{"one for many", "sortie: []\n", "line 1, key sortie: there is no such key. Did you mean sorties?"},
		{"a key of a sortie", "name: river\nsorties:\n  - id: S1\n    authority: order 1\n", "line 4, key authority: there is no such key. Did you mean collection_authority?"},
		{"nothing like it", "weather: fine\n", "line 1, key weather: there is no such key. The keys here are name, area, from, to, origin, start, marking, sorties, platforms, files, note, densities_per_km2"},
		{"two at once", "markng: (U)\nplatform: [a]\n", "line 1, key markng: there is no such key (and 1 more like it)"},
		{"a word for a time", "name: river\nfrom: yesterday\n", "line 2, key from: \"yesterday\" is no time. Write a time, such as 2026-"},
		{"a text for a list", "origin: here\n", "line 1, key origin: \"here\" is of another kind than what belongs here. Write a list of numbers"},
		{"a list for a text", "name: [a, b]\n", "line 1, key name: what stands here is of another kind than what belongs here. Write text"},
		{"a list for all", "- a\n- b\n", "line 1: what stands here is of another kind than what belongs here. Write keys with values"},
		{"the same key twice", "name: a\nname: b\n", "line 2, key name: it stands in line 1 already. Keep one of the two"},
		{"no YAML", "name: river\n\tfrom: x\n", "mission.yaml: line 2: "},
		{"no YAML at all", "name: {\n", "mission.yaml: line "},
		{"a class that is none", "densities_per_km2: {farms: 0.1}\n", "key densities_per_km2: there is no class \"farms\". Did you mean farm?"},
		{"a class like none", "densities_per_km2: {volcano: 0.1}\n", "The classes are site, industry, farm, fire, traffic, radio, dwelling"},
		{"a density below zero", "densities_per_km2: {site: -1}\n", "key densities_per_km2: site of -1 a km² cannot be true. Give how many there are"},
		{"a density that is no number", "densities_per_km2: {site: .nan}\n", "site of NaN a km² cannot be true"},
		{"a density in words", "name: a\ndensities_per_km2:\n  site: few\n", "line 3, key site: \"few\" is of another kind than what belongs here. Write a number"},
		{"a list of densities", "densities_per_km2: [1]\n", "line 1, key densities_per_km2: what stands here is of another kind than what belongs here. Write classes with how many"},
		{"no site at all", "densities_per_km2: {site: 0}\n", "no site at all leaves nothing to rank"},
		{"a sortie without a name", "sorties: [{platform: a}]\n", "key sorties: a sortie has no id"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "mission.yaml"), []byte(row.text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := ReadMission(dir)
		if err == nil || atalaya.KindOf(err) != atalaya.BadInput {
			t.Errorf("%s: %v", row.claim, err)
			continue
		}
		if s := err.Error(); !strings.Contains(s, row.want) || strings.Contains(s, "app.") || strings.Contains(s, "atalaya.") || strings.Contains(s, "!!") || strings.Contains(s, "\n") {
			t.Errorf("%s:\n%s\nwant\n%s", row.claim, s, row.want)
		}
	}
	for _, good := range []string{"", "# nothing\n", "name: river\n"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "mission.yaml"), []byte(good), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadMission(dir); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

func TestDensitiesOfAMissionAreReadAndAreInItsName(t *testing.T) {
	read := func(text string) MissionFile {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "mission.yaml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		m, err := ReadMission(dir)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", "mission.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(page), "`densities_per_km2`")
	_, shown, _ = strings.Cut(shown, "`")
	shown, _, _ = strings.Cut(shown, "`")
	assumed := map[string]float64{site.Target: site.DefaultPriorPerKm2}
	for _, c := range site.Classes {
		assumed[c.Name] = c.PerKm2
	}
	if got := read("densities_per_km2: " + shown).DensitiesPerKm2; !maps.Equal(got, assumed) {
		t.Errorf("the page shows %v, assumed is %v", got, assumed)
	}
	m := read("name: river\ndensities_per_km2: {site: 5.0e-4, farm: 0, radio: 1}\n")
	if len(m.DensitiesPerKm2) != 3 || m.DensitiesPerKm2["site"] != 5e-4 || m.DensitiesPerKm2["farm"] != 0 || m.DensitiesPerKm2["radio"] != 1 {
		t.Errorf("%v", m.DensitiesPerKm2)
	}
	if with, without := string(mustJSON(m)), string(mustJSON(read("name: river\n"))); with == without || strings.Contains(without, "densities") {
		t.Errorf("with %s\nwithout %s", with, without)
	}
	if short := read("name: river\ndensities_per_km2: {site: 5e-4}\n"); short.DensitiesPerKm2["site"] != 5e-4 {
		t.Errorf("5e-4 is read as %v", short.DensitiesPerKm2)
	}
}
