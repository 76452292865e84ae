package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestProbe(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.csv": "source,target\nx,y\n", "b.bin": "\x80\x81\x00", "README": "passed over"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) (string, string, error) {
		var out, talk bytes.Buffer
		c := probeCommand()
		c.SetArgs(args)
		c.SetOut(&out)
		c.SetErr(&talk)
		c.SilenceUsage, c.SilenceErrors = true, true
		err := c.Execute()
		return out.String(), talk.String(), err
	}
	out, _, err := run(dir, "--json")
	var code interface{ ExitCode() int }
	if !errors.As(err, &code) || code.ExitCode() != 3 {
		t.Errorf("an unknown file ends in exit 3, not %v", err)
	}
	var doc struct {
		Schema string
		Files  []struct {
			Path, Kind string
			Bytes      int64
			Problems   []struct{ At, What string }
		}
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Schema != "atalaya.probe/1" || len(doc.Files) != 2 || doc.Files[0].Kind != "edges" || doc.Files[1].Kind != "unknown" ||
		!strings.Contains(doc.Files[1].Problems[0].What, "808100") || doc.Files[1].Bytes != 3 {
		t.Errorf("%s", out)
	}
	if out, _, err := run(filepath.Join(dir, "a.csv")); err != nil || !strings.Contains(out, "edges of a network") {
		t.Errorf("%s %v", out, err)
	}
	if _, _, err := run(filepath.Join(dir, "none")); err == nil || errors.As(err, &code) && code.ExitCode() == 3 {
		t.Errorf("a file that is not there fails: %v", err)
	}
}

func TestTranslateKeepsTheLines(t *testing.T) {
	var out, talk bytes.Buffer
	c := translateCommand()
	c.SetArgs([]string{"--from", "es", "--to", "en", "--json"})
	c.SetIn(strings.NewReader("Hola.\n\n\xff\nNo hay agua"))
	c.SetOut(&out)
	c.SetErr(&talk)
	c.SilenceUsage, c.SilenceErrors = true, true
	err := c.Execute()
	var code interface{ ExitCode() int }
	if err != nil && !errors.As(err, &code) {
		t.Skip(err) // not installed: what it says then is tested in external/apertium
	}
	if code == nil || code.ExitCode() != 3 || talk.String() != "standard input: line 3: not UTF-8. Save the text as UTF-8\n" {
		t.Errorf("%v %q", err, talk.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 || !strings.Contains(lines[3], `"n":4`) || !strings.Contains(lines[3], `"band":"C"`) || !strings.Contains(lines[1], `"target":""`) {
		t.Errorf("%s", out.String())
	}
}
