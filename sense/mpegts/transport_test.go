package mpegts_test

import (
	"bytes"
	"io"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

const (
	videoPID = 0x100
	klvPID   = 0x101
	syncPID  = 0x102
)

// program writes units as a program of H.264, asynchronous and synchronous KLV.
func program(t testing.TB, units ...mpegts.Unit) []byte {
	t.Helper()
	return programOf(t, []mpegts.Output{{PID: videoPID, StreamType: 0x1b}, {PID: klvPID, StreamType: 0x06}, {PID: syncPID, StreamType: 0x15}}, units...)
}

func programOf(t testing.TB, outputs []mpegts.Output, units ...mpegts.Unit) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := mpegts.NewProgram(&b, outputs...)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range units {
		if err := w.WriteUnit(u); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// picture is a small H.264 picture: an IDR picture with its parameter sets (640x480, Constrained Baseline, pictures numbered by
// frame_num of 4 bits and pic_order_cnt of type 2), or one that follows it.
func picture(n int, pts int64) mpegts.Unit {
	u := mpegts.Unit{Kind: mpegts.Pictures, PID: videoPID, PTS: pts, DTS: pts, HasPTS: true, Random: n == 0}
	if n == 0 {
		u.Data = slices.Concat([]byte{0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xf6, 0x80}, []byte{0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80},
			[]byte{0, 0, 0, 1, 0x65, 0x88, 0x84, 0x21}) // first_mb 0, slice_type 7 (I), pps 0, frame_num 0
	} else {
		u.Data = []byte{0, 0, 0, 1, 0x41, 0x9a | byte(n>>3), byte(n)<<5 | 8, 0x21} // first_mb 0, slice_type 5 (P), pps 0, frame_num n
	}
	u.Data = append(u.Data, bytes.Repeat([]byte{0xa5}, 300)...)
	return u
}

func klvUnit(pid uint16, pts int64, size int) mpegts.Unit {
	return mpegts.Unit{PID: pid, Data: body(size, byte(size)), PTS: pts, DTS: pts, HasPTS: true}
}

func same(a, b unit) bool {
	return a.Kind == b.Kind && a.PID == b.PID && a.data == b.data && a.PTS == b.PTS && a.DTS == b.DTS && a.HasPTS == b.HasPTS && a.Random == b.Random &&
		a.Fields == b.Fields && a.Sync == b.Sync && a.Intra == b.Intra
}

func TestAWrittenProgramReadsBack(t *testing.T) {
	var units []mpegts.Unit
	for i := range 60 {
		pts := int64(900000 + 3003*i)
		units = append(units, picture(i%12, pts), klvUnit(klvPID, pts, 100+i), klvUnit(syncPID, pts, 300+i))
	}
	units = append(units, klvUnit(syncPID, 1100000, 150000)) // three cells
	got, d := all(t, program(t, units...))
	if len(got) != len(units) || problems(d) != "[]" {
		t.Fatalf("%d units, want %d; %s", len(got), len(units), problems(d))
	}
	for _, pid := range []uint16{videoPID, klvPID, syncPID} {
		var w, g []mpegts.Unit
		for _, u := range units {
			if u.PID == pid {
				w = append(w, u)
			}
		}
		for _, u := range got {
			if u.PID == pid {
				u.Unit.Data = []byte(u.data)
				g = append(g, u.Unit)
			}
		}
		for i := range w {
			if !bytes.Equal(g[i].Data, w[i].Data) || g[i].PTS != w[i].PTS || g[i].Random != w[i].Random || g[i].Sync != (pid == syncPID) {
				t.Errorf("PID 0x%x: unit %d: %d bytes at %d, want %d at %d", pid, i, len(g[i].Data), g[i].PTS, len(w[i].Data), w[i].PTS)
			}
		}
	}
}

// What is written of a real clip is what another program reads: the same packets, the same pictures.
func TestAnotherProgramReadsWhatIsWritten(t *testing.T) {
	types := map[string]uint8{"h264": 0x1b, "h265": 0x24, "mpeg2video": 0x02}
	for _, name := range clips {
		b := clip(t, name)
		units, d := all(t, b)
		var plain []mpegts.Unit
		for _, u := range units {
			u.Unit.Data = []byte(u.data)
			u.DTS = min(u.DTS, u.PTS)
			plain = append(plain, u.Unit)
		}
		slices.SortStableFunc(plain, func(a, b mpegts.Unit) int { return int(a.DTS - b.DTS) })
		out := programOf(t, []mpegts.Output{{PID: videoPID, StreamType: types[d.Streams()[0].Codec]}, {PID: klvPID, StreamType: 0x15}}, plain...)
		want, got := ffprobe(t, b, "v"), ffprobe(t, out, "v")
		if name == "aphill_short.ts" { // the second field of a frame has no PES of its own here
			want = slices.DeleteFunc(want, func(p probed) bool {
				return !slices.ContainsFunc(plain, func(u mpegts.Unit) bool { return u.Kind == mpegts.Pictures && u.PTS == p.pts })
			})
			got = slices.DeleteFunc(got, func(p probed) bool {
				return !slices.ContainsFunc(plain, func(u mpegts.Unit) bool { return u.Kind == mpegts.Pictures && u.PTS == p.pts })
			})
		}
		if len(got) != len(want) {
			t.Fatalf("%s: %d packets, want %d", name, len(got), len(want))
		}
		for i := range want {
			if got[i].pts != want[i].pts || got[i].dts != want[i].dts || got[i].key != want[i].key {
				t.Errorf("%s: packet %d: %+v, want %+v", name, i, got[i], want[i])
			}
		}
		if klv := ffprobe(t, out, "d"); len(klv) != len(plain)-len(pictures(units)) {
			t.Errorf("%s: %d metadata packets", name, len(klv))
		}
		if a, b := hashes(t, b), hashes(t, out); !slices.Equal(a, b) {
			t.Errorf("%s: %d pictures decode otherwise than %d", name, len(b), len(a))
		}
	}
}

// hashes are those of the decoded pictures.
func hashes(t testing.TB, b []byte) (out []string) {
	t.Helper()
	program, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("ffmpeg is not installed: decoded pictures are not compared")
	}
	c := exec.Command(program, "-v", "error", "-i", "-", "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5", "-")
	c.Stdin = bytes.NewReader(b)
	text, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if i := strings.LastIndex(line, ","); line[0] != '#' && i >= 0 {
			out = append(out, strings.TrimSpace(line[i+1:]))
		}
	}
	return out
}

func TestTimeRunsOverTheWrapInBothDirections(t *testing.T) {
	const wrap = 1 << 33
	for _, c := range []struct {
		claim  string
		sent   []int64 // by PIDs in turn, video first
		reads  []int64
		writes func(pts int64, i int) mpegts.Unit
	}{
		{"metadata wraps before the video does", []int64{wrap - 3000, wrap - 3000, wrap - 1, wrap + 10, wrap + 2999}, []int64{wrap - 3000, wrap - 3000, wrap - 1, wrap + 10, wrap + 2999}, nil},
		{"a stream begins after the wrap, another before it", []int64{wrap + 500, wrap - 500, wrap + 3500}, []int64{500, -500, 3500}, nil},
		{"time goes back over the wrap", []int64{100, 50, wrap - 50, wrap - 100, 80}, []int64{100, 50, -50, -100, 80}, nil},
	} {
		var units []mpegts.Unit
		for i, pts := range c.sent {
			u := klvUnit([]uint16{klvPID, syncPID}[i%2], pts, 50)
			units = append(units, u)
		}
		got, _ := all(t, program(t, units...))
		var reads []int64
		for _, u := range got {
			reads = append(reads, u.PTS)
		}
		if !slices.Equal(reads, c.reads) {
			t.Errorf("%s: %d, want %d", c.claim, reads, c.reads)
		}
	}
}

// watched reads a stream to its end with a watcher, and gives the events of some kinds.
func watched(t testing.TB, b []byte, kinds ...mpegts.EventKind) (events []mpegts.Event, units []unit, d *mpegts.Demuxer) {
	t.Helper()
	d = mpegts.NewDemuxer(bytes.NewReader(b))
	d.Take(func(mpegts.Stream) bool { return true })
	d.Watch(func(v mpegts.Event) {
		if slices.Contains(kinds, v.Kind) {
			events = append(events, v)
		}
	})
	for {
		u, err := d.Next()
		if err != nil {
			return events, units, d
		}
		units = append(units, unit{u, string(u.Data)})
	}
}

func TestAnAnnouncedDiscontinuityIsNoLoss(t *testing.T) {
	first := program(t, picture(0, 900000), klvUnit(klvPID, 900000, 50), klvUnit(klvPID, 903000, 50))
	second := klvUnit(klvPID, 90000, 60)
	second.Discontinuity = true
	other := program(t, second) // its counters begin at 0, its time lies nine seconds earlier
	cut := bytes.Index(other, []byte{0x47, 0x41, 0x01})
	events, units, d := watched(t, append(first, other[cut:]...), mpegts.TimeBack, mpegts.Lost, mpegts.Discontinuous)
	if len(events) != 1 || events[0].Kind != mpegts.Discontinuous || events[0].At != int64(len(first)) || problems(d) != "[]" {
		t.Errorf("%+v, %s", events, problems(d))
	}
	if last := units[len(units)-1]; !slices.ContainsFunc(units, func(u unit) bool { return u.Discontinuity && u.PTS == 90000 }) {
		t.Errorf("%+v", last)
	}
}

func TestAUnitWithoutTimeStampHasTheClock(t *testing.T) {
	var units []mpegts.Unit
	for i := range 90 {
		pts := int64(1<<33 - 90000 + 3000*i) // over the wrap
		u := klvUnit(klvPID, 0, 100)
		u.HasPTS = false
		units = append(units, picture(i%30, pts), u)
	}
	got, _ := all(t, program(t, units...))
	n := 0
	for _, u := range got {
		if u.Kind != mpegts.Metadata {
			continue
		}
		// the writer sends half a second ahead; the reference before lies 40 ms back at most
		want := int64(1<<33-90000+3000*n) - 45000
		if u.HasPTS || !u.HasClock || u.Clock < want-3600 || u.Clock > want+3600 {
			t.Errorf("unit %d: clock %d (%v), want %d", n, u.Clock, u.HasClock, want)
		}
		n++
	}
	if n != 90 {
		t.Errorf("%d units", n)
	}
}

func TestALaterProgramMapGivesAPIDAnotherStream(t *testing.T) {
	a := programOf(t, []mpegts.Output{{PID: 0x200, StreamType: 0x1b}, {PID: 0x201, StreamType: 0x06}}, mpegts.Unit{Kind: mpegts.Pictures, PID: 0x200, Data: picture(0, 0).Data, PTS: 900000, DTS: 900000, HasPTS: true},
		klvUnit(0x201, 900000, 40))
	b := programOf(t, []mpegts.Output{{PID: 0x201, StreamType: 0x1b}, {PID: 0x200, StreamType: 0x15}}, mpegts.Unit{Kind: mpegts.Pictures, PID: 0x201, Data: picture(0, 0).Data, PTS: 903000, DTS: 903000, HasPTS: true},
		klvUnit(0x200, 903000, 40))
	events, units, _ := watched(t, append(bytes.Clone(a), b...), mpegts.TableChanged)
	if len(units) != 4 || len(events) != 1 || events[0].PID != 0x1000 || events[0].At < int64(len(a)) {
		t.Fatalf("%d units, %+v", len(units), events)
	}
	for i, want := range []struct {
		pid  uint16
		kind mpegts.Kind
		sync bool
	}{{0x201, mpegts.Metadata, false}, {0x200, mpegts.Pictures, false}, {0x200, mpegts.Metadata, true}, {0x201, mpegts.Pictures, false}} {
		if u := units[i]; u.PID != want.pid || u.Kind != want.kind || u.Sync != want.sync {
			t.Errorf("unit %d: PID 0x%x, kind %d, sync %v; want %+v", i, u.PID, u.Kind, u.Sync, want)
		}
	}
}

// Where PES packets begin and end says nothing of pictures: several in one, one over several.
func TestPicturesAreCutWhereverPESEnd(t *testing.T) {
	for _, name := range []string{"h264_klv.ts", "h265_klv.ts", "mpeg2_klv.ts", "osh-first-75.ts", "aphill_short.ts"} {
		b := clip(t, name)
		units, d := all(t, b)
		want := pictures(units)
		streamType := map[string]uint8{"h264": 0x1b, "h265": 0x24, "mpeg2video": 0x02}[d.Streams()[0].Codec]
		var es []byte
		var starts []int
		begins := map[int]int{} // byte of the stream -> picture
		for i, u := range want {
			begins[len(es)] = i
			starts = append(starts, len(es))
			es = append(es, u.data...)
		}
		for _, size := range []int{100, 1000, 7000, 40000} {
			var pieces []mpegts.Unit
			first := map[int]bool{} // pictures that begin first in a PES
			for from := 0; from < len(es); from += size {
				to := min(from+size, len(es))
				u := mpegts.Unit{Kind: mpegts.Pictures, PID: videoPID, Data: es[from:to]}
				for at := from; at < to; at++ {
					if i, ok := begins[at]; ok {
						u.PTS, u.DTS, u.HasPTS = want[i].PTS, want[i].DTS, true
						first[i] = true
						break
					}
				}
				pieces = append(pieces, u)
			}
			units, d := all(t, programOf(t, []mpegts.Output{{PID: videoPID, StreamType: streamType}}, pieces...))
			got := pictures(units)
			if len(got) != len(want) || problems(d) != "[]" {
				t.Errorf("%s in PES of %d: %d pictures, want %d; %s", name, size, len(got), len(want), problems(d))
				continue
			}
			for i, w := range want {
				// a zero byte before a start code belongs to what follows, unless a PES ends with it
				data, wants := strings.Trim(got[i].data, "\x00"), strings.Trim(w.data, "\x00")
				if name == "aphill_short.ts" { // there the second field of a frame may be the first to begin in a PES
					got[i].PTS, got[i].HasPTS = w.PTS, first[i]
				}
				if (starts[i]+1)%size == 0 { // that zero byte alone lies in the PES before
					continue
				}
				if data != wants || got[i].HasPTS != first[i] || first[i] && got[i].PTS != w.PTS || got[i].Intra != w.Intra || got[i].Fields != w.Fields {
					t.Errorf("%s in PES of %d: picture %d: %d bytes, PTS %d (%v), want %d, %d (%v)", name, size, i, len(got[i].data), got[i].PTS, got[i].HasPTS, len(w.data), w.PTS, first[i])
				}
			}
		}
	}
}

// thin repacks the payload of each packet into packets of a few bytes, so that headers lie over several.
func thin(b []byte, most int) (out []byte) {
	counters := map[uint16]byte{}
	for ; len(b) >= 188; b = b[188:] {
		payload, start := b[4:188], b[1]&0x40
		if b[3]&0x20 != 0 {
			payload = b[min(5+int(b[4]), 188):188]
		}
		pid := uint16(b[1]&0x1f)<<8 | uint16(b[2])
		if pid == 0 || pid == 0x1000 {
			most = 184 // table sections may lie over packets too, but their pointer may not
		}
		for len(payload) > 0 {
			n := min(most, len(payload))
			p := bytes.Repeat([]byte{0xff}, 188)
			p[0], p[1], p[2], p[3] = 0x47, start|b[1]&0x1f, b[2], 0x30|counters[pid]&15
			if n == 184 {
				p[3] &^= 0x20
			} else if p[4] = byte(183 - n); p[4] > 0 {
				p[5] = 0
			}
			copy(p[188-n:], payload[:n])
			counters[pid]++
			out, payload, start = append(out, p...), payload[n:], 0
		}
	}
	return out
}

func TestHeadersMayLieOverPackets(t *testing.T) {
	b := program(t, picture(0, 900000), klvUnit(klvPID, 900000, 60), klvUnit(syncPID, 900000, 70), picture(1, 903000), klvUnit(klvPID, 903000, 60))
	want, _ := all(t, b)
	for _, n := range []int{1, 3, 8, 13} {
		got, d := all(t, thin(b, n))
		if len(got) != len(want) || problems(d) != "[]" {
			t.Errorf("%d bytes a packet: %d units, want %d; %s", n, len(got), len(want), problems(d))
			continue
		}
		for i := range want {
			if !same(got[i], want[i]) {
				t.Errorf("%d bytes a packet: unit %d: %+v, want %+v", n, i, got[i].Unit, want[i].Unit)
			}
		}
	}
}

func TestLossWithinAPictureIsMarked(t *testing.T) {
	b := program(t, picture(0, 900000), picture(1, 903000), picture(2, 906000), picture(3, 909000))
	at := lastPacketOf(b, videoPID, 2) // the second packet of the third picture
	events, units, d := watched(t, append(bytes.Clone(b[:at]), b[at+188:]...), mpegts.Lost)
	if len(units) != 4 || len(events) != 1 || events[0].PID != videoPID || events[0].At < int64(at) || events[0].At > int64(at)+8*188 || !strings.Contains(problems(d), "continuity") {
		t.Fatalf("%d units, %+v", len(units), events)
	}
	for i, u := range units {
		if u.Gap != (i == 2) {
			t.Errorf("picture %d: gap %v", i, u.Gap)
		}
	}
}

// lastPacketOf is where the last packet of the n-th PES of a PID begins.
func lastPacketOf(b []byte, pid uint16, n int) (at int) {
	seen := -1
	for i := 0; i < len(b); i += 188 {
		if uint16(b[i+1]&0x1f)<<8|uint16(b[i+2]) != pid || b[i+3]&0x10 == 0 {
			continue
		}
		if b[i+1]&0x40 != 0 {
			seen++
		}
		if seen == n {
			at = i
		}
	}
	return at
}

func TestOtherStridesCarryPicturesToo(t *testing.T) {
	b := clip(t, "osh-first-75.ts")
	want, _ := all(t, b)
	for name, c := range map[string]struct {
		before, after int64
	}{"192": {4, 0}, "204": {0, 16}} {
		var file []byte
		for p := b; len(p) >= 188; p = p[188:] {
			file = append(append(append(file, make([]byte, c.before)...), p[:188]...), make([]byte, c.after)...)
		}
		got, d := all(t, file)
		if len(got) != len(want) || problems(d) != "[]" {
			t.Errorf("%s: %d units, want %d; %s", name, len(got), len(want), problems(d))
			continue
		}
		for i, w := range want {
			if at := w.Offset/188*(188+c.before+c.after) + c.before; !same(got[i], w) || got[i].Offset != at {
				t.Errorf("%s: unit %d at %d, want %d", name, i, got[i].Offset, at)
			}
		}
	}
}

func TestSectionsFollowEachOtherWithinAPacket(t *testing.T) {
	b := program(t, klvUnit(klvPID, 900000, 60))
	pmt := b[188+5+int(b[188+4])+1 : 376] // after the adaptation field and the pointer
	n := 3 + int(pmt[1]&15)<<8 + int(pmt[2])
	var packets []byte
	for i, payload := range [][]byte{
		append([]byte{0}, pmt[:40]...),                                  // a section that never ends is no obstacle
		append([]byte{0}, append(bytes.Clone(pmt[:n]), pmt[:20]...)...), // one whole, and the beginning of the next
		append([]byte{byte(n - 20)}, pmt[20:n]...),                      // whose rest lies before the pointer
	} {
		p := bytes.Repeat([]byte{0xff}, 188)
		p[0], p[1], p[2], p[3] = 0x47, 0x50, 0x00, 0x10|byte(i)
		copy(p[188-len(payload):], payload)
		if fill := 184 - len(payload); fill > 0 {
			p[3] |= 0x20
			if p[4] = byte(fill - 1); fill > 1 {
				p[5] = 0
			}
		}
		packets = append(packets, p...)
	}
	events, _, d := watched(t, append(append(bytes.Clone(b[:188]), packets...), b[376:]...), mpegts.TableRead, mpegts.TableBroken)
	read := 0
	for _, v := range events {
		if v.Kind == mpegts.TableRead && v.PID == 0x1000 {
			read++
		}
	}
	if read != 2 || len(events) != 3 {
		t.Errorf("%+v; %s", events, problems(d))
	}
}

// A stream that begins a PES on every PID and ends none does not take more memory than is allowed.
func TestMemoryIsBoundedOnHostileStreams(t *testing.T) {
	head := append([]byte{0, 0, 1, 0xbd, 0, 0, 0x80, 0, 0}, body(170, 'x')...)
	d := mpegts.NewDemuxer(&hostile{head: head, left: 2_000_000})
	n := 0
	for {
		u, err := d.Next()
		if err == io.EOF {
			break
		}
		n += len(u.Data)
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	if list, _ := d.Problems(); m.HeapAlloc > 320<<20 || n < 80<<20 || len(list) == 0 || !strings.Contains(list[0].What, "unfinished at once") {
		t.Errorf("%d MB in use; %d MB given; %d problems", m.HeapAlloc>>20, n>>20, len(list))
	}
	runtime.KeepAlive(d)
}

// hostile makes packets: one that begins a PES on each PID, then others that go on with them in turn.
type hostile struct {
	head    []byte
	packets int
	left    int
	rest    []byte
}

func (h *hostile) Read(p []byte) (int, error) {
	if len(h.rest) == 0 {
		if h.packets == h.left {
			return 0, io.EOF
		}
		const pids = 8000
		pid, round := 0x20+h.packets%pids, h.packets/pids
		b := bytes.Repeat([]byte{0xee}, 188)
		b[0], b[1], b[2], b[3] = 0x47, byte(pid>>8), byte(pid), 0x10|byte(round&15)
		if round == 0 {
			b[1] |= 0x40
			copy(b[4:], h.head)
		}
		h.packets++
		h.rest = b
	}
	n := copy(p, h.rest)
	h.rest = h.rest[n:]
	return n, nil
}

// patched changes every program map of a stream, and makes its check sum right again.
func patched(b []byte, change func(pmt []byte)) []byte {
	b = bytes.Clone(b)
	for i := 0; i < len(b); i += 188 {
		if onPID(0x1000)(b[i:i+188]) && b[i+1]&0x40 != 0 {
			pmt := b[i+5+int(b[i+4])+1 : i+188]
			change(pmt)
			c := mpegts.SectionCheck(pmt[:len(pmt)-4])
			copy(pmt[len(pmt)-4:], c[:])
		}
	}
	return b
}

func TestMetadataAreKnownByAnyOfTheirSigns(t *testing.T) {
	async := programOf(t, []mpegts.Output{{PID: klvPID, StreamType: 0x06}}, klvUnit(klvPID, 90000, 100), klvUnit(klvPID, 93000, 100))
	sync := programOf(t, []mpegts.Output{{PID: syncPID, StreamType: 0x15}}, klvUnit(syncPID, 90000, 100), klvUnit(syncPID, 93000, 100))
	unnamed := func(pmt []byte) { // no name in any descriptor
		for i := bytes.Index(pmt, []byte("KLVA")); i >= 0; i = bytes.Index(pmt, []byte("KLVA")) {
			copy(pmt[i:], "XXXX")
		}
	}
	for how, c := range map[string]struct {
		file []byte
		sync bool
	}{
		"KLVA registration":                 {async, false},
		"metadata descriptor":               {sync, true},
		"stream type 0x15":                  {patched(sync, unnamed), true},
		"a SMPTE label in a private stream": {patched(async, unnamed), false},
	} {
		units, d := demux(t, c.file)
		if len(units) != 2 || units[0].Sync != c.sync || problems(d) != "[]" {
			t.Errorf("%s: %d units, %s", how, len(units), problems(d))
		}
		if st := d.Streams(); len(st) != 1 || st[0].How != how || !st[0].Metadata || st[0].Program != 1 {
			t.Errorf("%s: %+v", how, st)
		}
	}
}
