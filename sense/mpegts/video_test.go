package mpegts_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// clips are the real and reference streams with video.
var clips = []string{"h264_klv.ts", "h265_klv.ts", "mpeg2_klv.ts", "aphill_short.ts", "osh-first-75.ts"}

func clip(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(fixture.Shared(t, "video/"+name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// all gives every unit of a stream with its bytes.
func all(t testing.TB, b []byte) (out []unit, d *mpegts.Demuxer) {
	t.Helper()
	d = mpegts.NewDemuxer(bytes.NewReader(b))
	d.Take(func(mpegts.Stream) bool { return true })
	for {
		u, err := d.Next()
		if errors.Is(err, io.EOF) {
			return out, d
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, unit{u, string(u.Data)})
	}
}

func pictures(units []unit) (out []unit) {
	for _, u := range units {
		if u.Kind == mpegts.Pictures {
			out = append(out, u)
		}
	}
	return out
}

// probed is one packet of video as ffprobe sees it.
type probed struct {
	pts, dts, size, pos int64
	key                 bool
}

// ffprobe lists the packets of the first stream of a kind in a stream ("v", "d", "a").
func ffprobe(t testing.TB, b []byte, kind string) (out []probed) {
	t.Helper()
	program, err := exec.LookPath("ffprobe")
	if err != nil {
		t.Skip("ffprobe is not installed: what it would say of the same bytes is not compared")
	}
	c := exec.Command(program, "-v", "error", "-select_streams", kind+":0", "-show_entries", "packet=pts,dts,size,pos,flags", "-of", "json", "-f", "mpegts", "-")
	c.Stdin = bytes.NewReader(b)
	text, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	var said struct {
		Packets []struct {
			PTS, DTS  int64
			Size, Pos string
			Flags     string
		}
	}
	if err := json.Unmarshal(text, &said); err != nil {
		t.Fatal(err)
	}
	for _, p := range said.Packets {
		size, _ := strconv.ParseInt(p.Size, 10, 64)
		pos, _ := strconv.ParseInt(p.Pos, 10, 64)
		out = append(out, probed{p.PTS, p.DTS, size, pos, p.Flags[0] == 'K'})
	}
	return out
}

// The packets that another program finds are the pictures found here: their times, sizes, places and random access. Where each
// field comes alone, two of its packets are one frame here.
func TestPicturesAreThoseOfAnotherProgram(t *testing.T) {
	for _, name := range clips {
		b := clip(t, name)
		units, d := all(t, b)
		got, want := pictures(units), ffprobe(t, b, "v")
		if name == "aphill_short.ts" {
			want = slices.Concat(want) // of 96 fields the even ones begin the frames
			for i := range 48 {
				want[i] = want[2*i]
				want[i].size = 0
			}
			want = want[:48]
		}
		if len(got) != len(want) || problems(d) != "[]" {
			t.Errorf("%s: %d pictures, want %d; %s", name, len(got), len(want), problems(d))
			continue
		}
		for i, w := range want {
			u := got[i]
			if u.PTS != w.pts || u.DTS != w.dts || u.Offset != w.pos || u.Random != w.key || !u.HasPTS {
				t.Errorf("%s: picture %d: PTS %d DTS %d at %d, random access %v; want %d %d at %d, %v", name, i, u.PTS, u.DTS, u.Offset, u.Random, w.pts, w.dts, w.pos, w.key)
			}
			slack := int64(0)
			if name == "h265_klv.ts" { // that program leaves the zero byte before a start code to the picture before
				slack = 1
			}
			if w.size > 0 && max(int64(len(u.data))-w.size, w.size-int64(len(u.data))) > slack {
				t.Errorf("%s: picture %d: %d bytes, want %d", name, i, len(u.data), w.size)
			}
		}
	}
}

func TestFieldsOfOneFrameAreOneUnit(t *testing.T) {
	units, d := all(t, clip(t, "aphill_short.ts"))
	for i, u := range pictures(units) {
		if u.Fields != 2 {
			t.Errorf("picture %d: %d fields", i, u.Fields)
		}
	}
	st := d.Streams()[0]
	if st.PES != 96 || st.Video == nil || !st.Video.FieldCoded || !st.Video.Interlaced {
		t.Errorf("%+v", st)
	}
}

func TestFactsOfPictures(t *testing.T) {
	for name, want := range map[string]mpegts.Video{
		"h264_klv.ts":     {Profile: "High 4:4:4 Predictive", Level: "2.1", ProfileIDC: 244, LevelIDC: 21, ChromaFormat: 3, BitDepth: 8, BitDepthChroma: 8, Width: 160, Height: 120, RateNum: 30, RateDen: 1},
		"h265_klv.ts":     {Profile: "Format Range Extensions", Level: "3.0", ProfileIDC: 4, LevelIDC: 90, ChromaFormat: 3, BitDepth: 8, BitDepthChroma: 8, Width: 160, Height: 120, RateNum: 30, RateDen: 1},
		"mpeg2_klv.ts":    {Profile: "Main", Level: "Main", ProfileIDC: 4, LevelIDC: 8, Width: 160, Height: 120, RateNum: 30, RateDen: 1},
		"aphill_short.ts": {Profile: "Main", Level: "4.1", ProfileIDC: 77, LevelIDC: 41, ChromaFormat: 1, BitDepth: 8, BitDepthChroma: 8, Width: 720, Height: 480, RateNum: 30000, RateDen: 1001, Interlaced: true, FieldCoded: true},
		"osh-first-75.ts": {Profile: "Constrained Baseline", Level: "3.0", ProfileIDC: 66, LevelIDC: 30, ChromaFormat: 1, BitDepth: 8, BitDepthChroma: 8, Width: 640, Height: 480, RateNum: 30, RateDen: 1},
	} {
		_, d := all(t, clip(t, name))
		if v := d.Streams()[0].Video; v == nil || *v != want {
			t.Errorf("%s: %+v, want %+v", name, v, want)
		}
	}
}
