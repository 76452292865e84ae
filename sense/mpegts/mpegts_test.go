package mpegts_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/internal/storm"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// body is n bytes that begin as a KLV packet does.
func body(n int, fill byte) []byte {
	return append([]byte{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01}, bytes.Repeat([]byte{fill}, n-8)...)
}

type unit struct {
	mpegts.Unit
	data string
}

func demux(t testing.TB, b []byte) (out []unit, d *mpegts.Demuxer) {
	t.Helper()
	d = mpegts.NewDemuxer(bytes.NewReader(b))
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

func problems(d *mpegts.Demuxer) string {
	list, _ := d.Problems()
	return fmt.Sprint(list)
}

// written is a stream of n packets of size bytes, one each 1/30 s from pts on.
func written(t testing.TB, n, size int, pts int64) []byte {
	t.Helper()
	var b bytes.Buffer
	w := mpegts.NewWriter(&b)
	for i := range n {
		if err := w.WriteKLV(pts+int64(3000*i), body(size, byte(i))); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestWhatIsWrittenReadsBack(t *testing.T) {
	for _, size := range []int{8, 100, 170, 171, 184, 185, 400, 5000, 65000} {
		units, d := demux(t, written(t, 3, size, 180000))
		if len(units) != 3 || problems(d) != "[]" {
			t.Fatalf("%d bytes: %d units, %v", size, len(units), problems(d))
		}
		for i, u := range units {
			if u.data != string(body(size, byte(i))) || !u.HasPTS || u.PTS != int64(180000+3000*i) || u.PID != 0x101 || u.Sync || u.Gap {
				t.Errorf("%d bytes: unit %d: PTS %d, %d bytes", size, i, u.PTS, len(u.data))
			}
		}
	}
}

func TestTimeRunsOnOverTheWrap(t *testing.T) {
	const wrap = 1 << 33
	units, _ := demux(t, written(t, 4, 50, wrap-4500))
	for i, u := range units {
		if want := int64(wrap - 4500 + 3000*i); u.PTS != want {
			t.Errorf("unit %d: PTS %d, want %d", i, u.PTS, want)
		}
	}
}

// transport is a stream made by hand: PES packets on one PID, with or without tables.
type transport struct {
	bytes.Buffer
	counter byte
}

func (s *transport) pes(streamID byte, pts int64, payload []byte) {
	head := []byte{0, 0, 1, streamID, 0, 0, 0x80, 0, 0}
	if pts >= 0 {
		head = []byte{0, 0, 1, streamID, 0, 0, 0x80, 0x80, 5, 0x21 | byte(pts>>29)&0x0e, byte(pts >> 22), byte(pts>>14) | 1, byte(pts >> 7), byte(pts<<1) | 1}
	}
	n := len(head) - 6 + len(payload)
	head[4], head[5] = byte(n>>8), byte(n)
	b, start := append(head, payload...), byte(0x40)
	for len(b) > 0 {
		p := bytes.Repeat([]byte{0xff}, 188)
		p[0], p[1], p[2], p[3] = 0x47, start|0x01, 0x23, 0x10|s.counter&15
		s.counter++
		k := min(184, len(b))
		if fill := 184 - k; fill > 0 {
			p[3] |= 0x20
			p[4] = byte(fill - 1)
			if fill > 1 {
				p[5] = 0
			}
		}
		copy(p[188-k:], b[:k])
		s.Write(p)
		b, start = b[k:], 0
	}
}

// cell is one access-unit cell.
func cell(seq, fragment byte, b []byte) []byte {
	return append([]byte{0x00, seq, fragment<<6 | 0x1f, byte(len(b) >> 8), byte(len(b))}, b...)
}

func TestAccessUnitCells(t *testing.T) {
	a, b, c := body(300, 'a'), body(40, 'b'), body(500, 'c')
	var s transport
	s.pes(0xfc, 90000, append(cell(0, 3, a), cell(0, 3, b)...)) // two whole ones in one PES, sequence numbers always 0
	s.pes(0xfc, 93000, cell(200, 2, c[:200]))                   // one over three PES, sequence numbers anything
	s.pes(0xfc, 96000, cell(7, 0, c[200:300]))
	s.pes(0xfc, 99000, append(cell(8, 1, c[300:]), cell(9, 3, b)...))
	units, d := demux(t, s.Bytes())
	want := []struct {
		data string
		pts  int64
	}{{string(a), 90000}, {string(b), 90000}, {string(c), 93000}, {string(b), 99000}}
	if len(units) != len(want) {
		t.Fatalf("%d units, want %d: %v", len(units), len(want), problems(d))
	}
	for i, w := range want {
		if u := units[i]; u.data != w.data || u.PTS != w.pts || !u.Sync {
			t.Errorf("unit %d: %d bytes at %d, sync %v; want %d at %d", i, len(u.data), u.PTS, u.Sync, len(w.data), w.pts)
		}
	}
	if st := d.Streams(); len(st) != 1 || !st[0].Metadata || st[0].How == "" {
		t.Errorf("a stream that no table announces is known by its label: %+v", st)
	}
}

func TestBrokenCellsAreToldAndTheRestGiven(t *testing.T) {
	a := body(100, 'a')
	var s transport
	s.pes(0xfc, 0, cell(0, 3, a))
	s.pes(0xfc, 1, cell(0, 2, a[:50])) // begins
	s.pes(0xfc, 2, cell(0, 3, a))      // before the last one ended
	s.pes(0xfc, 3, cell(0, 1, a[50:])) // ends what never began
	units, d := demux(t, s.Bytes())
	if len(units) != 4 || units[0].data != string(a) || units[2].data != string(a) || !units[2].Gap || !units[3].Gap {
		t.Errorf("%d units, %v", len(units), problems(d))
	}
	if !strings.Contains(problems(d), "before the last one ended") || !strings.Contains(problems(d), "beginning is missing") {
		t.Error(problems(d))
	}
}

func TestAsynchronousBytesThatLookLikeNoKeyStayWhole(t *testing.T) {
	a := body(60, 'a')
	var s transport
	s.pes(0xbd, -1, a)
	s.pes(0xbd, -1, a[5:]) // a key without its first five bytes is no cell
	units, d := demux(t, s.Bytes())
	if len(units) != 2 || units[1].data != string(a[5:]) || units[0].HasPTS {
		t.Errorf("%d units, %v", len(units), problems(d))
	}
}

func TestDamageIsToldWithItsPlace(t *testing.T) {
	whole := written(t, 20, 400, 0)
	for _, c := range []struct {
		claim string
		file  []byte
		units int
		says  string
		at    int64
	}{
		{"a file cut within a packet gives its last PES all the same", whole[:len(whole)-100], 20, "ends within a packet", int64(len(whole) - 188)},
		{"a lost packet is a continuity error", append(bytes.Clone(whole[:188*10]), whole[188*11:]...), 20, "continuity", 188 * 10},
		{"rubbish between packets loses sync", append(append(bytes.Clone(whole[:188*10]), "rubbish"...), whole[188*10:]...), 20, "lost sync: 7 bytes", 188 * 10},
		{"rubbish before the first packet", append([]byte("rubbish before it"), whole...), 20, "lost sync: 17 bytes", 0},
	} {
		units, d := demux(t, c.file)
		list, _ := d.Problems()
		if len(units) != c.units || len(list) == 0 || !strings.Contains(problems(d), c.says) {
			t.Errorf("%s: %d units, %v", c.claim, len(units), list)
		} else if list[0].At != c.at {
			t.Errorf("%s: told at %d, want %d", c.claim, list[0].At, c.at)
		}
	}
	units, d := demux(t, append(bytes.Clone(whole[:188*10]), whole[188*9:]...)) // the tenth packet twice
	if len(units) != 20 || problems(d) != "[]" {
		t.Errorf("a packet sent twice: %d units, %v", len(units), problems(d))
	}
}

func TestOtherStrides(t *testing.T) {
	whole := written(t, 20, 400, 0)
	for name, frame := range map[string]func(p []byte) []byte{
		"M2TS, four bytes before each packet":  func(p []byte) []byte { return append([]byte{1, 2, 3, 4}, p...) },
		"204 bytes, sixteen after each packet": func(p []byte) []byte { return append(bytes.Clone(p), make([]byte, 16)...) },
	} {
		var file []byte
		for b := whole; len(b) > 0; b = b[188:] {
			file = append(file, frame(b[:188])...)
		}
		units, d := demux(t, file)
		if len(units) != 20 || problems(d) != "[]" || !mpegts.Looks(file) {
			t.Errorf("%s: %d units, %v, looks %v", name, len(units), problems(d), mpegts.Looks(file))
		}
	}
}

func TestRealStreams(t *testing.T) {
	for _, c := range []struct {
		file          string
		units         int
		codec         string
		width, height int
	}{
		{"h264_klv.ts", 30, "h264", 160, 120}, {"h265_klv.ts", 30, "h265", 160, 120}, {"mpeg2_klv.ts", 30, "mpeg2video", 160, 120},
		{"aphill_short.ts", 48, "h264", 720, 480}, {"osh-first-75.ts", 75, "h264", 640, 480},
	} {
		b, err := os.ReadFile(fixture.Shared(t, "video/"+c.file))
		if err != nil {
			t.Fatal(err)
		}
		units, d := demux(t, b)
		if len(units) != c.units || problems(d) != "[]" {
			t.Errorf("%s: %d units, want %d; %v", c.file, len(units), c.units, problems(d))
		}
		st := d.Streams()
		if len(st) != 2 || st[0].Codec != c.codec || st[0].Width != c.width || st[0].Height != c.height || st[1].How != "KLVA registration" {
			t.Errorf("%s: %+v", c.file, st)
		}
	}
}

func Example() {
	var file bytes.Buffer
	w := mpegts.NewWriter(&file)
	_ = w.WriteKLV(90000, []byte{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b})
	d := mpegts.NewDemuxer(&file)
	u, err := d.Next()
	fmt.Printf("PID 0x%x, %.1f s, %x %v\n", u.PID, float64(u.PTS)/90000, u.Data, err)
	// Output: PID 0x101, 1.0 s, 060e2b34020b <nil>
}

func FuzzDemuxer(f *testing.F) {
	f.Add(written(f, 2, 200, 0))
	var s transport
	s.pes(0xfc, 90000, append(cell(0, 3, body(20, 'a')), cell(0, 2, body(20, 'b'))...))
	f.Add(s.Bytes())
	f.Add(program(f, picture(0, 90000), klvUnit(klvPID, 90000, 40), klvUnit(syncPID, 90000, 40), picture(1, 93000)))
	f.Add(thin(program(f, picture(0, 90000), picture(1, 93000)), 70))
	storm.Fuzz(f, func(t testing.TB, b []byte) {
		metadata := readAll(t, b, func(*mpegts.Demuxer) {})
		facts := &mpegts.Facts{}
		every := readAll(t, b, func(d *mpegts.Demuxer) {
			d.Take(func(mpegts.Stream) bool { return true })
			d.Watch(facts.Add)
		})
		var only []string
		for _, u := range every {
			if u.Kind == mpegts.Metadata {
				only = append(only, u.data)
			}
		}
		if len(only) != len(metadata) {
			t.Fatalf("%d units of metadata, and %d where pictures are read too", len(metadata), len(only))
		}
		outline := readAll(t, b, func(d *mpegts.Demuxer) { d.TakeOutline(func(mpegts.Stream) bool { return true }) })
		if len(outline) != len(every) {
			t.Fatalf("%d units in outline, %d in full", len(outline), len(every))
		}
	})
}

// readers have the buffer that a demultiplexer would make for itself; to make one takes longer than to read a short stream.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 256<<10) }}

// readAll reads a stream to its end: units lie within it, and hold no more than it does.
func readAll(t testing.TB, b []byte, prepare func(*mpegts.Demuxer)) (out []unit) {
	in := readers.Get().(*bufio.Reader)
	defer readers.Put(in)
	in.Reset(bytes.NewReader(b))
	d := mpegts.NewDemuxer(in)
	prepare(d)
	total := 0
	for {
		u, err := d.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if total += len(u.Data); u.Offset < 0 || u.Offset > int64(len(b)) {
			t.Fatalf("unit at %d of %d", u.Offset, len(b))
		}
		out = append(out, unit{u, string(u.Data)})
	}
	if total > len(b) {
		t.Fatalf("%d bytes of units from a file of %d", total, len(b))
	}
	d.Streams()
	return out
}

// FuzzCells gives bytes as the payload of one synchronous PES after another.
func FuzzCells(f *testing.F) {
	f.Add(append(cell(0, 3, body(20, 'a')), cell(1, 2, body(20, 'b'))...), 60)
	f.Add(cell(9, 1, nil), 5)
	storm.Fuzz(f, func(t testing.TB, b []byte, size int) {
		if size < 1 || size > 60000 || len(b) > 1<<16 {
			return
		}
		var s transport
		for rest := b; len(rest) > 0; {
			n := min(size, len(rest))
			s.pes(0xfc, int64(s.Len()), rest[:n])
			rest = rest[n:]
		}
		readAll(t, s.Bytes(), func(*mpegts.Demuxer) {})
	})
}

func FuzzSPS(f *testing.F) {
	f.Add([]byte{0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xf6, 0x80})
	f.Add([]byte{0x42, 1, 1, 1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 0x5d, 0xa0, 2, 0x80, 0x80, 0x2d, 0x16, 0x36, 0xb9, 0x24, 0xcb, 0xf0, 0x08})
	storm.Fuzz(f, func(t testing.TB, b []byte) {
		for _, codec := range []string{"h264", "h265", "mpeg2video"} {
			if v, ok := mpegts.ParseSPS(codec, b); ok && (v.Width < 1 || v.Height < 1 || v.Width > 1<<15 || v.Height > 1<<15 || v.RateNum < 0 || v.RateDen < 0) {
				t.Fatalf("%s: %+v", codec, v)
			}
		}
	})
}

func BenchmarkTransportStream(b *testing.B) {
	one := written(b, 16*30, 260, 0)
	// seven null packets to each of metadata stand for the video that a demultiplexer passes over
	null := make([]byte, 188)
	null[0], null[1], null[2], null[3] = 0x47, 0x1f, 0xff, 0x10
	var file []byte
	for p := one; len(p) > 0; p = p[188:] {
		file = append(file, p[:188]...)
		file = append(file, bytes.Repeat(null, 7)...)
	}
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		d := mpegts.NewDemuxer(bytes.NewReader(file))
		for {
			if _, err := d.Next(); err != nil {
				break
			}
		}
	}
}
