package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
)

func TestWhatIsWrongWithAMissionFileIsSaidInItsOwnWords(t *testing.T) {
	for _, row := range []struct{ claim, text, want string }{
		{"a letter left out", "name: river\nmarkng: (U)\n", "mission.yaml: line 2, key markng: there is no such key. Did you mean marking?"},
		{"a capital", "Name: river\n", "line 1, key Name: there is no such key. Did you mean name?"},
		{"one for many", "sortie: []\n", "line 1, key sortie: there is no such key. Did you mean sorties?"},
		{"a key of a sortie", "name: river\nsorties:\n  - id: S1\n    authority: order 1\n", "line 4, key authority: there is no such key. Did you mean collection_authority?"},
		{"nothing like it", "weather: fine\n", "line 1, key weather: there is no such key. The keys here are name, area, from, to, origin, start, marking, sorties, platforms, files, note"},
		{"two at once", "markng: (U)\nplatform: [a]\n", "line 1, key markng: there is no such key (and 1 more like it)"},
		{"a word for a time", "name: river\nfrom: yesterday\n", "line 2, key from: \"yesterday\" is no time. Write a time, such as 2026-"},
		{"a text for a list", "origin: here\n", "line 1, key origin: \"here\" is of another kind than what belongs here. Write a list of numbers"},
		{"a list for a text", "name: [a, b]\n", "line 1, key name: what stands here is of another kind than what belongs here. Write text"},
		{"a list for all", "- a\n- b\n", "line 1: what stands here is of another kind than what belongs here. Write keys with values"},
		{"the same key twice", "name: a\nname: b\n", "line 2, key name: it stands in line 1 already. Keep one of the two"},
		{"no YAML", "name: river\n\tfrom: x\n", "mission.yaml: line 2: "},
		{"no YAML at all", "name: {\n", "mission.yaml: line "},
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
