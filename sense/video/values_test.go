package video_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/video"
)

func open(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(fixture.Shared(t, "video/"+name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// each gives every packet of a file to see and returns their number.
func each(t testing.TB, b []byte, see func(i int, p *video.Packet)) int {
	t.Helper()
	r := video.NewReader(bytes.NewReader(b))
	for i := 0; ; i++ {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return i
		}
		if err != nil {
			t.Fatal(err)
		}
		see(i, &p)
	}
}

// near compares to the relative precision that the truth tables promise.
func near(got, want float64) bool {
	return math.Abs(got-want) <= 1e-9*math.Max(math.Abs(got), math.Abs(want))
}

func TestStreamsOfThreeCodecsHoldTheSamePackets(t *testing.T) {
	var first [][]byte
	for _, name := range []string{"h264_klv.ts", "h265_klv.ts", "mpeg2_klv.ts"} {
		n := each(t, open(t, name), func(i int, p *video.Packet) {
			b := p.Set.AppendTo(nil)
			if name == "h264_klv.ts" {
				first = append(first, b)
			} else if i >= len(first) || !bytes.Equal(b, first[i]) {
				t.Errorf("%s: packet %d differs from that of the first stream", name, i)
			}
			if p.Set.Checksum != klv.Right || len(p.Problems) > 0 {
				t.Errorf("%s: packet %d: %v", name, i, p.Problems)
			}
		})
		if n != 30 {
			t.Errorf("%s: %d packets, want 30", name, n)
		}
	}
}

func TestSimulatedFlightValues(t *testing.T) {
	table, err := csv.NewReader(bytes.NewReader(open(t, "osh-first-75.values.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	n := each(t, open(t, "osh-first-75.ts"), func(i int, p *video.Packet) {
		row := table[1+i]
		if pts, _ := strconv.ParseFloat(row[0], 64); !p.HasPTS || math.Abs(p.PTS-pts) > 1e-6 { // the table has six decimals
			t.Errorf("packet %d: PTS %v, want %s", i, p.PTS, row[0])
		}
		if p.Set.Checksum != klv.Right {
			t.Errorf("packet %d: checksum %d", i, p.Set.Checksum)
		}
		for c, cell := range row[1:] {
			tag, _ := strconv.Atoi(strings.TrimPrefix(table[0][1+c], "item"))
			want, _ := strconv.ParseFloat(cell, 64)
			if x, state := p.Set.Number(uint32(tag)); state != klv.Given || !near(x, want) {
				t.Errorf("packet %d item %d: %v (state %d), want %s", i, tag, x, state, cell)
			}
		}
	})
	if n != 75 || len(table) != 76 {
		t.Errorf("%d packets, %d rows, want 75", n, len(table)-1)
	}
}

func TestUniversalSetValues(t *testing.T) {
	type row struct {
		PTS    float64 `json:"pts_s"`
		Values map[string]any
	}
	var want []row
	for s := bufio.NewScanner(bytes.NewReader(open(t, "aphill_short.values.jsonl"))); s.Scan(); {
		var r row
		if err := json.Unmarshal(s.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		want = append(want, r)
	}
	n := each(t, open(t, "aphill_short.ts"), func(i int, p *video.Packet) {
		if !p.HasPTS || math.Abs(p.PTS-want[i].PTS) > 1e-5 {
			t.Errorf("packet %d: PTS %v, want %v", i, p.PTS, want[i].PTS)
		}
		if p.Set.Standard != klv.EG0104 {
			t.Fatalf("packet %d: set %s", i, p.Set.Standard.Name)
		}
		got := map[string]bool{}
		for k := range p.Set.Items {
			it := &p.Set.Items[k]
			w, ok := want[i].Values[it.Key.String()]
			if !ok {
				continue
			}
			got[it.Key.String()] = true
			if text, isText := w.(string); isText && it.Text() != text && string(it.Value) != text {
				t.Errorf("packet %d %s: %q, want %q", i, it.Key, it.Value, text)
			} else if x, isNumber := w.(float64); isNumber && !near(it.Number, x) {
				t.Errorf("packet %d %s: %v, want %v", i, it.Key, it.Number, x)
			}
		}
		if len(got) != len(want[i].Values) {
			t.Errorf("packet %d: %d of %d items", i, len(got), len(want[i].Values))
		}
	})
	if n != 48 || len(want) != 48 {
		t.Errorf("%d packets, %d rows, want 48", n, len(want))
	}
}

func TestEveryStreamReencodes(t *testing.T) {
	for _, name := range []string{"truck-411.klv", "misb-dynamic-constant.klv", "misb-dynamic-only.klv", "vmti-0903v4.klv"} {
		raw := open(t, name)
		var again []byte
		each(t, raw, func(_ int, p *video.Packet) { again = p.Set.AppendTo(again) })
		if !bytes.Equal(raw, again) {
			t.Errorf("%s: the packets are not the file", name)
		}
	}
}

func TestLinesHoldTheContractsKeys(t *testing.T) {
	var out bytes.Buffer
	n, problems, err := video.WriteKLV(&out, bytes.NewReader(open(t, "osh-first-75.ts")))
	if n != 75 || len(problems) != 0 || err != nil {
		t.Fatal(n, problems, err)
	}
	line := map[string]any{}
	if err := json.Unmarshal(out.Bytes()[:bytes.IndexByte(out.Bytes(), '\n')], &line); err != nil {
		t.Fatal(err)
	}
	if line["pts_s"] != 2.167 || line["time"] != "2012-06-29T14:32:34.1Z" || line["set"] != "0601" || line["version"] != 4.0 || line["checksum_ok"] != true {
		t.Errorf("head: %v %v %v %v %v", line["pts_s"], line["time"], line["set"], line["version"], line["checksum_ok"])
	}
	item := line["items"].(map[string]any)["13"].(map[string]any)
	if item["name"] != "Sensor Latitude" || !near(item["value"].(float64), 34.72115321770364) || len(item["raw"].(string)) != 8 {
		t.Errorf("item 13: %v", item)
	}
	nested := line["items"].(map[string]any)["48"].(map[string]any)["value"].(map[string]any)
	if nested["set"] != "0102" || nested["items"].(map[string]any)["1"].(map[string]any)["text"] != "UNCLASSIFIED" {
		t.Errorf("item 48: %v", nested)
	}
	again := bytes.Clone(out.Bytes())
	out.Reset()
	if _, _, err := video.WriteKLV(&out, bytes.NewReader(open(t, "osh-first-75.ts"))); err != nil || !bytes.Equal(again, out.Bytes()) {
		t.Error("two runs differ")
	}
	out.Reset()
	if n, _, err := video.WriteGeoref(&out, bytes.NewReader(open(t, "osh-first-75.ts")), video.DefaultSigmas); n != 75 || err != nil {
		t.Fatal(n, err)
	}
	var g struct {
		Sensor *struct{ Lat float64 }
		Center struct {
			Method  string
			Ellipse struct {
				Major float64 `json:"major_m"`
				Minor float64 `json:"minor_m"`
			} `json:"ellipse95"`
		} `json:"frame_center"`
		Corners []struct{ Lat, Lon float64 }
		Targets []any
	}
	if err := json.Unmarshal(out.Bytes()[:bytes.IndexByte(out.Bytes(), '\n')], &g); err != nil {
		t.Fatal(err)
	}
	if g.Sensor == nil || g.Center.Method != "ray" || !(g.Center.Ellipse.Major >= g.Center.Ellipse.Minor && g.Center.Ellipse.Minor > 0) || len(g.Corners) != 4 || g.Targets == nil {
		t.Errorf("georef line: %+v", g)
	}
}
