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
	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// hovering is a stream of n packets a second apart of a sensor that stands 1000 m above 24.8, -107.4 and looks down. SYNTHETIC.
func hovering(t testing.TB, n int) []byte {
	t.Helper()
	var file bytes.Buffer
	w := mpegts.NewWriter(&file)
	for i := range n {
		b, err := klv.Encode0601(klv.Time(2, time.Date(2026, 5, 4, 12, 0, i, 0, time.UTC)), klv.TextOf(3, "SYNTHETIC"), klv.TextOf(11, "EO"), klv.Number(5, 0), klv.Number(6, 0),
			klv.Number(7, 0), klv.Number(13, 24.8), klv.Number(14, -107.4), klv.Number(75, 1050), klv.Number(78, 50), klv.Number(16, 10), klv.Number(17, 8),
			klv.Number(18, 0), klv.Number(19, -90), klv.Number(20, 0))
		if err == nil {
			err = w.WriteKLV(int64(90000*(i+1)), b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return file.Bytes()
}

func TestVideoFindInFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "SYNTHETIC.ts")
	if err := os.WriteFile(path, hovering(t, 10), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, talk := videoRun("find", "--at", "24.8,-107.4", "--file", path)
	if want := "EO  2026-05-04T12:00:00.0Z  2026-05-04T12:00:09.0Z  1.00-10.00 s  10  1000 m"; code != 0 || talk != "" || !strings.Contains(strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(want), " ")) {
		t.Errorf("exit %d, %q\n%s", code, talk, out)
	}
	code, out, _ = videoRun("find", "--at", "24.8,-107.4", "--file", path, "--json", "--from", "2026-05-04T12:00:03Z", "--to", "2026-05-04")
	var doc struct {
		Schema string
		Asked  int
		Videos []struct {
			File      string
			Intervals []struct {
				FromPTS float64 `json:"from_pts_s"`
				ToPTS   float64 `json:"to_pts_s"`
				Best    struct{ X, Y *float64 }
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil || code != 0 || doc.Schema != "atalaya.video-find/1" || doc.Asked != 1 || len(doc.Videos) != 1 {
		t.Fatalf("exit %d, %v: %s", code, err, out)
	}
	if i := doc.Videos[0].Intervals; len(i) != 1 || i[0].FromPTS != 4 || i[0].ToPTS != 10 || i[0].Best.X == nil || *i[0].Best.X < 0.49 || *i[0].Best.X > 0.51 {
		t.Errorf("%+v", i)
	}
	if code, out, _ = videoRun("find", "--at", "24.9,-107.4", "--file", path); code != 0 || out != "no video showed 24.90000, -107.40000: 1 asked\n" {
		t.Errorf("elsewhere: exit %d, %q", code, out)
	}
	for _, args := range [][]string{{"--at", "24.8"}, {"--at", "95,0"}, {"--at", "1,1", "--radius", "-1"}, {"--at", "1,1", "--from", "noon"}, {"--at", "1,1", "--from", "2026-05-04", "--to", "2026-05-03"}, {}} {
		if code, _, talk := videoRun(append([]string{"find", "--file", path}, args...)...); code != 2 || talk == "" {
			t.Errorf("%q: exit %d, %q", args, code, talk)
		}
	}
	if code, _, talk := videoRun("find", "--at", "1,1", "--file", path+"x"); code != 1 || !strings.Contains(talk, "SYNTHETIC.tsx") {
		t.Errorf("no such file: exit %d, %q", code, talk)
	}
}
