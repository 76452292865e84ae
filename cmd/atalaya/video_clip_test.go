package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/sense/check"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// sent is one metadata packet: its time of presentation and its bytes.
type sent struct {
	pts  float64
	data string
}

func metadataOf(t *testing.T, path string) (out []sent) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := video.NewReader(f)
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, sent{p.PTS, string(p.Set.AppendTo(nil))})
	}
}

// A cut has the metadata of its time byte for byte, is as conformant as the whole, and other programs decode its pictures.
func TestAVideoClipKeepsTheMetadata(t *testing.T) {
	for _, name := range []string{"osh-first-75.ts", "aphill_short.ts", "h264_klv.ts", "h265_klv.ts", "mpeg2_klv.ts"} {
		whole := fixture.Shared(t, "video/"+name)
		out := filepath.Join(t.TempDir(), "cut.ts")
		code, said, talk := videoRun("clip", whole, "--from", "+0.5", "--to", "+0.9", "--out", out, "--json")
		var doc struct {
			From     float64 `json:"from_s"`
			To       float64 `json:"to_s"`
			Bytes    int64
			Packets  int64
			Pictures int
			Metadata int
		}
		if err := json.Unmarshal([]byte(said), &doc); err != nil || code != 0 || doc.Pictures == 0 || doc.Metadata == 0 {
			t.Fatalf("%s: exit %d, %s %s", name, code, said, talk)
		}
		if st, err := os.Stat(out); err != nil || st.Size() != doc.Bytes || doc.Bytes != 188*doc.Packets {
			t.Errorf("%s: %v, %d bytes and %d packets are said", name, st, doc.Bytes, doc.Packets)
		}
		all, got := metadataOf(t, whole), metadataOf(t, out)
		i := slices.Index(all, got[0])
		if len(got) != doc.Metadata || i < 0 || i+len(got) > len(all) || !slices.Equal(got, all[i:i+len(got)]) {
			t.Errorf("%s: %d packets, %d said, are not a run of the %d of the whole", name, len(got), doc.Metadata, len(all))
		}
		if more := newErrors(t, whole, out); len(more) > 0 {
			t.Errorf("%s: the cut has errors that the whole has not: %v", name, more)
		}
		decodes(t, name, out, doc.Pictures)
	}
}

// newErrors are the classes of error of b that a has not.
func newErrors(t *testing.T, a, b string) (out []string) {
	classes := func(path string) map[string]bool {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		r, err := check.Check(f, check.Default)
		if err != nil {
			t.Fatal(err)
		}
		has := map[string]bool{}
		for _, f := range r.Findings {
			has[f.Class] = f.Severity == check.Error
		}
		return has
	}
	was := classes(a)
	for c, is := range classes(b) {
		if is && !was[c] {
			out = append(out, c)
		}
	}
	return out
}

// decodes asks another program for the pictures.
func decodes(t *testing.T, name, path string, pictures int) {
	program, err := exec.LookPath("ffprobe")
	if err != nil {
		t.Logf("%s: not decoded, there is no ffprobe here", name)
		return
	}
	var talk bytes.Buffer
	c := exec.Command(program, "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", path)
	c.Stderr = &talk
	said, err := c.Output()
	n, _, _ := strings.Cut(strings.TrimSpace(string(said)), "\n")
	frames, _ := strconv.Atoi(strings.Trim(n, ","))
	if err != nil || frames < pictures-1 || frames > pictures || talk.Len() > 0 {
		t.Errorf("%s: %d frames of %d pictures decode: %v %s", name, frames, pictures, err, &talk)
	}
}

func TestAVideoClipIsWrittenWholeOrNotAtAll(t *testing.T) {
	whole := fixture.Shared(t, "video/osh-first-75.ts")
	dir := t.TempDir()
	out, kept := filepath.Join(dir, "cut.ts"), filepath.Join(dir, "kept.ts")
	copied, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(kept, copied, 0o600), os.WriteFile(filepath.Join(dir, "raw.klv"), copied[1:100], 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		claim string
		args  []string
		code  int
		talk  string
	}{
		{"no name for the cut", []string{whole}, 2, "--out is missing"},
		{"no time", []string{whole, "--from", "soon", "--out", out}, 2, `"soon" is no time in a video. Write seconds (12.5)`},
		{"sixty seconds in a minute", []string{whole, "--from", "00:01:60", "--out", out}, 2, "is no time in a video"},
		{"backwards", []string{whole, "--from", "4", "--to", "3", "--out", out}, 2, "ends before it begins"},
		{"after the end", []string{whole, "--from", "400", "--out", out}, 2, "the stream goes from 2.167 s to 4.667 s"},
		{"before the beginning", []string{whole, "--to", "1", "--out", out}, 2, "nothing of it lies between these times"},
		{"a day on which nothing was recorded", []string{whole, "--from", "2026-05-04T12:00:00Z", "--out", out}, 1, "Give a time from 2012-06-29T14:32:34.1Z to"},
		{"no stream", []string{filepath.Join(dir, "raw.klv"), "--out", out}, 1, "no transport stream"},
		{"no file", []string{filepath.Join(dir, "none.ts"), "--out", out}, 1, "Name a readable file"},
		{"over a file that is there", []string{whole, "--out", kept}, 1, "kept.ts: this file is there already"},
		{"over itself", []string{kept, "--out", kept, "--force"}, 1, "this is the video itself"},
		{"in no folder", []string{whole, "--out", filepath.Join(dir, "none", "cut.ts")}, 1, "a folder that can be written to"},
	} {
		if code, said, talk := videoRun(append([]string{"clip"}, c.args...)...); code != c.code || !strings.Contains(talk, c.talk) || said != "" {
			t.Errorf("%s: exit %d, want %d: %s %s", c.claim, code, c.code, said, talk)
		}
	}
	left, err := os.ReadDir(dir)
	if now, _ := os.ReadFile(kept); err != nil || len(left) != 2 || !bytes.Equal(now, copied) {
		t.Errorf("left are %v, %v", left, err)
	}
	if code, _, talk := videoRun("clip", whole, "--out", kept, "--force", "--from", "3"); code != 0 {
		t.Errorf("with --force: exit %d, %s", code, talk)
	}
	if now, _ := os.ReadFile(kept); len(now) == 0 || len(now) >= len(copied) {
		t.Errorf("with --force %d bytes are there", len(now))
	}
}

// The same moment by each way of saying it.
func TestMomentsOfAVideo(t *testing.T) {
	whole := fixture.Shared(t, "video/osh-first-75.ts")
	var first string
	for _, moment := range []string{"3.067", "00:00:03.067", "0:3.067", "+0.9", "+00:00:00.9", "2012-06-29T14:32:35Z"} {
		_, said, talk := videoRun("clip", whole, "--from", moment, "--out", filepath.Join(t.TempDir(), "cut.ts"), "--json")
		var doc map[string]any
		if err := json.Unmarshal([]byte(said), &doc); err != nil {
			t.Fatalf("%s: %s", moment, talk)
		}
		delete(doc, "out")
		asked := doc["asked_s"].([]any)
		if s := asked[0].(float64); s < 3.0665 || s > 3.0675 || asked[1] != nil {
			t.Errorf("%s asks for %v", moment, asked)
		}
		delete(doc, "asked_s")
		b, _ := json.Marshal(doc)
		if first == "" {
			first = string(b)
		}
		if string(b) != first {
			t.Errorf("%s gives\n%s\nwant\n%s", moment, b, first)
		}
	}
}
