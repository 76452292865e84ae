package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/sense/klv"
)

// videoRun runs `video ARGS` and gives exit code, output and talk.
func videoRun(args ...string) (code int, out, talk string) {
	var o, e bytes.Buffer
	c := videoCommand()
	c.SetArgs(args)
	c.SetOut(&o)
	c.SetErr(&e)
	c.SilenceErrors, c.SilenceUsage = true, true
	if err := c.Execute(); err != nil {
		return exitCode(err), o.String(), e.String() + err.Error()
	}
	return 0, o.String(), e.String()
}

func TestVideoCommands(t *testing.T) {
	packet, err := klv.Encode0601(klv.Time(2, time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)), klv.TextOf(3, "SYNTHETIC"),
		klv.Number(13, 24.8), klv.Number(14, -107.4), klv.Number(75, 1050), klv.Number(78, 50), klv.Number(5, 0), klv.Number(6, 0),
		klv.Number(7, 0), klv.Number(18, 0), klv.Number(19, -45))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole := write("whole.klv", append(bytes.Clone(packet), packet...))
	cut := write("cut.klv", append(bytes.Clone(packet), packet[:50]...))
	empty := write("empty.klv", nil)

	for _, sub := range []string{"klv", "georef"} {
		code, out, talk := videoRun(sub, whole)
		if code != 0 || strings.Count(out, "\n") != 2 || talk != "" {
			t.Errorf("%s: exit %d, %d lines, %q", sub, code, strings.Count(out, "\n"), talk)
		}
		var line map[string]any
		if err := json.Unmarshal([]byte(out[:strings.IndexByte(out, '\n')]), &line); err != nil || line["time"] != "2026-05-04T12:00:00Z" {
			t.Errorf("%s: %v, time %v", sub, err, line["time"])
		}
		if code, out, talk := videoRun(sub, cut); code != 3 || strings.Count(out, "\n") != 2 || !strings.Contains(talk, "cut short") {
			t.Errorf("%s of a cut file: exit %d, %q", sub, code, talk)
		}
		if code, out, talk := videoRun(sub, empty); code != 1 || out != "" || !strings.Contains(talk, "empty.klv") {
			t.Errorf("%s of an empty file: exit %d, %q, %q", sub, code, out, talk)
		}
		if code, _, talk := videoRun(sub, filepath.Join(dir, "none")); code != 1 || !strings.Contains(talk, "none") {
			t.Errorf("%s of no file: exit %d, %q", sub, code, talk)
		}
	}
}
