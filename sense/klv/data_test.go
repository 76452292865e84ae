package klv_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/sense/klv"
)

// dataFiles are all files with metadata, and how many packets each has.
var dataFiles = map[string]int{
	"h264_klv.ts": 30, "h265_klv.ts": 30, "mpeg2_klv.ts": 30, "aphill_short.ts": 48, "osh-first-75.ts": 75,
	"truck-411.klv": 411, "misb-dynamic-constant.klv": 1, "misb-dynamic-only.klv": 1, "day.klv": 6, "night.klv": 18, "vmti-0903v4.klv": 5,
}

func packetsOf(t testing.TB, name string) (out [][]byte) {
	if bytes.HasSuffix([]byte(name), []byte(".ts")) {
		return streamPackets(t, name)
	}
	for _, p := range packets(t, read(t, name)) {
		out = append(out, p.Bytes)
	}
	return out
}

// Every packet of every file comes out of its parts byte for byte: the set from its items, and every nested value from what it holds.
func TestEveryPacketReencodes(t *testing.T) {
	for name, count := range dataFiles {
		got := packetsOf(t, name)
		if len(got) != count {
			t.Errorf("%s: %d packets, want %d", name, len(got), count)
		}
		for i, p := range got {
			set, err := klv.Decode(p)
			if err != nil || !bytes.Equal(set.AppendTo(nil), p) {
				t.Fatalf("%s packet %d: %v; it does not re-encode", name, i, err)
			}
			tree, _ := set.Tree()
			if !bytes.Equal(append(slices.Clone(set.Head), tree.AppendTo(nil)...), p) {
				t.Fatalf("%s packet %d: its tree does not re-encode", name, i)
			}
			roundTrip(t, &tree)
		}
	}
}

func TestSimulatedFlightEqualsItsTable(t *testing.T) {
	table, err := csv.NewReader(bytes.NewReader(read(t, "osh-first-75.values.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	got := streamPackets(t, "osh-first-75.ts")
	if len(got) != 75 || len(table) != 76 {
		t.Fatalf("%d packets, %d rows", len(got), len(table))
	}
	var state klv.VMTIState
	sets := 0
	for i, p := range got {
		set, err := klv.Decode(p)
		if err != nil || set.Checksum != klv.Right {
			t.Fatalf("packet %d: %v, %v", i, err, set.Problems)
		}
		for c, name := range table[0][1:] {
			compareCell(t, i, &set, name[len("item"):], table[i+1][c+1])
		}
		// Its VMTI sets come now and then, of version 3 and empty: no fault.
		if vmti, ok := state.Nested(set.Item(74)); ok {
			sets++
			targets, problems := state.Targets(&vmti)
			if len(targets) != 0 || len(problems) != 0 || state != (klv.VMTIState{Version: 3, FrameWidth: 640, FrameHeight: 480}) {
				t.Errorf("packet %d: %+v, %d targets, %v", i, state, len(targets), problems)
			}
		}
	}
	if sets == 0 || sets == 75 {
		t.Errorf("%d of 75 packets have a VMTI set", sets)
	}
}

// The legacy universal set: sixteen-byte keys and floating-point numbers.
func TestUniversalSetEqualsItsTable(t *testing.T) {
	got := streamPackets(t, "aphill_short.ts")
	i := 0
	for s := bufio.NewScanner(bytes.NewReader(read(t, "aphill_short.values.jsonl"))); s.Scan(); i++ {
		var want struct{ Values map[string]any }
		if err := json.Unmarshal(s.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		set, err := klv.Decode(got[i])
		if err != nil || set.Standard != klv.EG0104 {
			t.Fatalf("packet %d: %v %s", i, err, set.Standard.Name)
		}
		tree, problems := set.Tree()
		if len(problems) > 0 {
			t.Errorf("packet %d: %v", i, problems)
		}
		for key, w := range want.Values {
			k, err := hex.DecodeString(key)
			if err != nil {
				t.Fatal(err)
			}
			j := slices.IndexFunc(tree.Nodes, func(n klv.Node) bool { return n.Key() == klv.UL(k) })
			if j < 0 {
				t.Fatalf("packet %d: no item %s", i, key)
			}
			n := &tree.Nodes[j]
			if text, ok := w.(string); ok && n.Text != text && string(n.Value) != text {
				t.Errorf("packet %d %s: %q, want %q", i, key, n.Value, text)
			} else if x, isNumber := w.(float64); isNumber && !near(n.Number, x) {
				t.Errorf("packet %d %s: %v, want %v", i, key, n.Number, x)
			}
		}
	}
	if i != 48 || len(got) != 48 {
		t.Errorf("%d packets, %d rows, want 48", len(got), i)
	}
}

// The two targets of each stand-alone set, as their bytes have them: pixel numbers in three bytes, a frame of 1000 by 600.
func TestStandAloneTargets(t *testing.T) {
	type seen struct {
		id                          int64
		centroid, topLeft, botRight int64
		confidence                  float64
	}
	want := [][]seen{
		{{0, 387602, 529018, 409558, 0x0f}, {1, 352205, 455636, 394955, 0x54}},
		{{2, 525196, 432938, 261173, 0x4d}, {3, 245221, 87404, 509509, 0x0e}},
		{{4, 72677, 190165, 389463, 0x58}, {5, 194409, 443421, 261360, 0x56}},
		{{6, 343812, 96568, 464439, 0x58}, {7, 137293, 351340, 82242, 0x54}},
		{{8, 368810, 160872, 135880, 0x5e}, {9, 170578, 325283, 362075, 0x1a}},
	}
	var state klv.VMTIState
	for i, p := range packets(t, read(t, "vmti-0903v4.klv")) {
		set, err := klv.Decode(p.Bytes)
		if err != nil || set.Checksum != klv.Right {
			t.Fatal(err, set.Problems)
		}
		targets, problems := state.Targets(&set)
		if len(targets) != 2 || len(problems) > 0 || state != (klv.VMTIState{Version: 4, FrameWidth: 1000, FrameHeight: 600}) {
			t.Fatalf("set %d: %d targets, %v, %+v", i, len(targets), problems, state)
		}
		for k, v := range targets {
			got := seen{v.ID, v.Centroid.Number(1000), v.TopLeft.Number(1000), v.BottomRight.Number(1000), v.Confidence}
			if got != want[i][k] {
				t.Errorf("set %d target %d: %+v, want %+v", i, k, got, want[i][k])
			}
			if v.HasLocation || v.HasOffset || !math.IsNaN(v.HAE) || v.Node.Field("VTarget").Item(107).State != klv.Cleared {
				t.Errorf("set %d target %d: %+v", i, k, v)
			}
		}
	}
}

// elementary is what one PID of a transport stream carries, payload of each PES; a dozen lines, so that no video reader is needed here.
func elementary(b []byte, pid int) (out []byte) {
	for ; len(b) >= 188; b = b[188:] {
		if int(b[1]&0x1f)<<8|int(b[2]) != pid || b[3]&0x10 == 0 {
			continue
		}
		p := b[4:188]
		if b[3]&0x20 != 0 {
			p = p[1+int(p[0]):]
		}
		if b[1]&0x40 != 0 {
			p = p[9+int(p[8]):]
		}
		out = append(out, p...)
	}
	return out
}

// Real pictures of three codecs carry their time: one a picture, or a field, rising.
func TestTimesWithinThePictures(t *testing.T) {
	for _, c := range []struct {
		file  string
		pid   int
		codec klv.VideoCodec
		count int
		first time.Time
		// The encoder of the last one writes nanoseconds under the name of microseconds, with a status that is none, two minutes slow.
		valid, mislabelled bool
	}{
		{"h264_klv.ts", 0x100, klv.H264OrMPEG2, 30, time.UnixMicro(1224807209913000), true, false},
		{"h265_klv.ts", 0x100, klv.H265, 30, time.UnixMicro(1224807209913000), true, false},
		{"mpeg2_klv.ts", 0x100, klv.H264OrMPEG2, 30, time.UnixMicro(1224807209913000), true, false},
		{"osh-first-75.ts", 0, klv.H264OrMPEG2, 76, time.UnixMicro(1340980354066667), true, false},
		{"aphill_short.ts", 0, klv.H264OrMPEG2, 96, time.UnixMicro(1221515109525976), false, true},
	} {
		raw := read(t, c.file)
		if c.pid == 0 {
			c.pid = videoPID(raw)
		}
		var times []klv.VideoTime
		for b := elementary(raw, c.pid); ; {
			v, at, ok := klv.FindVideoTime(b)
			if !ok {
				break
			}
			if again := v.AppendTo(nil); !bytes.Equal(again, b[at:at+len(again)]) {
				t.Errorf("%s: a time is written as %x, came as %x", c.file, again, b[at:at+len(again)])
			}
			times = append(times, v)
			b = b[at+28:]
		}
		if len(times) != c.count {
			t.Errorf("%s: %d times, want %d", c.file, len(times), c.count)
			continue
		}
		if v := times[0]; v.Nanoseconds || v.Codec != c.codec || v.Status.Valid() != c.valid || v.Mislabelled() != c.mislabelled || v.Time().Sub(c.first).Abs() > 50*time.Millisecond {
			t.Errorf("%s: first time %v %+v", c.file, v.Time(), v)
		}
	}
}

// videoPID is the PID with the most packets.
func videoPID(b []byte) (pid int) {
	count := map[int]int{}
	for ; len(b) >= 188; b = b[188:] {
		p := int(b[1]&0x1f)<<8 | int(b[2])
		if count[p]++; count[p] > count[pid] {
			pid = p
		}
	}
	return pid
}

// The made-up example packets of MISB and the golden streams hold what they must; the real flight lacks what it lacks.
func TestMinimumOfRealStreams(t *testing.T) {
	names := func(list []klv.Requirement) (out []string) {
		for _, r := range list {
			out = append(out, r.Name)
		}
		return out
	}
	set, _ := klv.Decode(streamPackets(t, "h264_klv.ts")[0])
	if got := set.Absent(); len(got) != 0 {
		t.Errorf("the golden packet holds everything, but lacks %v", names(got))
	}
	var list klv.Checklist
	for _, p := range packets(t, read(t, "truck-411.klv")) {
		s, _ := klv.Decode(p.Bytes)
		us, _ := s.Number(2)
		list.Take(&s, time.UnixMicro(int64(us)))
	}
	want := []string{"Image Source Sensor", "Image Coordinate System", "MIIS Core Identifier", "Security: Object Country Coding Method", "Security: Object Country Codes"}
	if got := names(list.Absent()); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("absent %q, want %q", got, want)
	}
}

// What the packets of real senders break of the rules of coding.
func TestBreachesOfRealStreams(t *testing.T) {
	for name, want := range map[string]int{"truck-411.klv": 0, "osh-first-75.ts": 0, "h264_klv.ts": 0, "day.klv": 0} {
		p := packetsOf(t, name)[0]
		set, err := klv.Decode(p)
		if got := set.Breaches(); err != nil || len(got) != want {
			t.Errorf("%s: %v, want %s", name, got, strconv.Itoa(want))
		}
	}
}
