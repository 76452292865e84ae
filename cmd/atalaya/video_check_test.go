package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/sense/check"
	"github.com/atalaya-isr/atalaya/sense/klv"
)

func TestVideoCheckCommand(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	packet, err := klv.Encode0601(klv.Integer(2, 1777896000000000), klv.TextOf(3, "SYNTHETIC"), klv.Integer(65, 19))
	if err != nil {
		t.Fatal(err)
	}
	stale := append([]byte(nil), packet...)
	stale[len(stale)-1]++
	whole, wrong := write("whole.klv", packet), write("wrong.klv", stale)
	cut, none := write("cut.klv", append(append([]byte(nil), packet...), packet[:25]...)), write("none.txt", []byte("no stream"))

	for _, c := range []struct {
		claim string
		args  []string
		code  int
		out   string
		talk  string
	}{
		{"a packet that lacks most of the minimum set", []string{whole, "--strict"}, 0, "conformant with warnings", ""},
		{"the same by the minimum profile", []string{whole, "--profile", "0902", "--strict"}, 1, "error   minimum-missing", "not conformant"},
		{"errors alone end with 0", []string{wrong}, 0, "error   checksum-wrong", ""},
		{"unless asked to be strict", []string{wrong, "--strict"}, 1, "error   checksum-wrong", "wrong.klv: not conformant: 1 errors"},
		{"what could not be read ends with 3", []string{cut}, 3, "error   packet-length", "cut.klv: byte 45: the packet is cut short"},
		{"no such profile", []string{whole, "--profile", "x"}, 2, "", "there are default, 0902, 4609, read"},
		{"neither stream nor metadata", []string{none}, 1, "", "none.txt: byte 0: neither a transport stream nor a KLV packet"},
		{"no such file", []string{filepath.Join(dir, "nothing")}, 1, "", "Name a readable file"},
	} {
		code, out, talk := videoRun(append([]string{"check"}, c.args...)...)
		if code != c.code || !strings.Contains(out, c.out) || c.out == "" && out != "" || !strings.Contains(talk, c.talk) || c.talk == "" && talk != "" {
			t.Errorf("%s: exit %d, want %d\n%s\n%s", c.claim, code, c.code, out, talk)
		}
	}

	code, out, _ := videoRun("check", wrong, "--json")
	var doc struct {
		Schema, File, Verdict string
		Streams               []map[string]any
		Findings              []map[string]any
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil || code != 0 || doc.Schema != "atalaya.check/1" || doc.File != wrong || len(doc.Streams) != 1 || doc.Verdict != "not conformant" {
		t.Fatalf("exit %d, %v: %s", code, err, out)
	}
	for _, key := range []string{"class", "severity", "standard", "item", "at", "pts_s", "count", "what", "remedy"} {
		if _, ok := doc.Findings[0][key]; !ok {
			t.Errorf("a finding has no %q: %v", key, doc.Findings[0])
		}
	}
}

// TestVideoCheckPage holds the classes and profiles of docs/reference/video-check.md against the program.
func TestVideoCheckPage(t *testing.T) {
	path := filepath.Join(fixture.Root(), "docs", "reference", "video-check.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const mark = "<!-- Below this line the page is generated from the program: edit sense/check, then `make golden`. -->\n"
	head, _, found := strings.Cut(string(page), mark)
	if !found {
		t.Fatalf("%s has lost its line\n%s", path, mark)
	}
	golden(t, path, head+mark+classSections())
}

func classSections() string {
	var b strings.Builder
	profiles := check.Profiles()
	b.WriteString("\n## Profiles\n\n| profile | does |\n|---|---|\n")
	for _, p := range profiles {
		fmt.Fprintf(&b, "| `%s` | %s |\n", p.Name, cell(p.Does))
	}
	b.WriteString("\n## Classes\n\nE error, W warning, n note, by profile in this order: ")
	for i, p := range profiles {
		fmt.Fprintf(&b, "%s`%s`", map[bool]string{true: ", "}[i > 0], p.Name)
	}
	b.WriteString(". A limit of `Atalaya` is our own: no standard sets one.\n\n| class | weighs | standard, item | limit | expected | remedy |\n|---|---|---|---|---|---|\n")
	for _, c := range check.Classes() {
		var weighs, limit string
		for i := range profiles {
			s, _ := profiles[i].Weighs(c.Name)
			weighs += map[check.Severity]string{check.Error: "E", check.Warning: "W", check.Note: "n"}[s]
		}
		expected := c.Expected
		if c.Limit != 0 {
			limit = strings.TrimSpace(fmt.Sprintf("%g %s", c.Limit, c.Unit))
			expected = fmt.Sprintf(expected, c.Limit)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s, %s | %s | %s | %s |\n", c.Name, weighs, c.Standard, cell(c.Item), limit, cell(expected), cell(c.Remedy))
	}
	return b.String()
}
