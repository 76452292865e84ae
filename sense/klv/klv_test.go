package klv_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"github.com/atalaya-isr/atalaya/internal/storm"
	"github.com/atalaya-isr/atalaya/sense/klv"
)

func made(t testing.TB, values ...klv.Value) []byte {
	t.Helper()
	b, err := klv.Encode0601(append([]klv.Value{klv.Time(2, time.UnixMicro(1_777_777_777_000_000))}, values...)...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What is written comes back within half a step of its scale, for every numeric item of the standard.
func TestEveryNumericItemRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tag := uint32(rapid.IntRange(2, 143).Draw(t, "tag"))
		row := klv.ST0601.Row(tag)
		if row == nil || row.Format != klv.ScaledUint && row.Format != klv.ScaledInt && row.Format != klv.IMAPB {
			return
		}
		x := rapid.Float64Range(row.Lo, row.Hi).Draw(t, "x")
		b, err := klv.Encode0601(klv.Number(tag, x))
		if err != nil {
			t.Fatal(err)
		}
		set, err := klv.Decode(b)
		got, state := set.Number(tag)
		// Linear scales round to the nearest of 2^n-1 steps; IMAPB rounds down on a step of at most (hi-lo)/2^(n-2), since
		// its power of two may waste up to half of the 2^(n-1) codes.
		step := (row.Hi - row.Lo) / (math.Exp2(float64(8*row.Size)) - 2) / 2
		if row.Format == klv.IMAPB {
			step = (row.Hi - row.Lo) / math.Exp2(float64(8*row.Size-2))
		}
		if err != nil || state != klv.Given || math.Abs(got-x) > step*(1+1e-6) {
			t.Fatalf("item %d: wrote %v, read %v (state %d, %v), step %v", tag, x, got, state, err, step)
		}
	})
}

func TestCodesThatAreNoNumbers(t *testing.T) {
	for _, c := range []struct {
		claim string
		tag   uint32
		value []byte
		want  klv.State
	}{
		{"the most negative latitude is out of range", 13, []byte{0x80, 0, 0, 0}, klv.OutOfRange},
		{"the most negative pitch is out of range", 6, []byte{0x80, 0}, klv.OutOfRange},
		{"the next one is -20 degrees", 6, []byte{0x80, 1}, klv.Given},
		{"zero length clears", 13, nil, klv.Cleared},
		{"IMAPB below its minimum is out of range", 104, []byte{0xe0, 0, 0}, klv.OutOfRange},
		{"IMAPB not-a-number is out of range", 112, []byte{0xd0, 0}, klv.OutOfRange},
		{"four bytes for two are malformed", 22, []byte{0, 0, 1, 2}, klv.Malformed},
		{"text that is not UTF-8 is malformed", 3, []byte{0xff, 0xfe}, klv.Malformed},
		{"a packed item is unread", 81, []byte{1, 2, 3, 4}, klv.Unread},
	} {
		set, err := klv.Decode(made(t, klv.RawBytes(c.tag, c.value)))
		x, state := set.Number(c.tag)
		if err != nil || state != c.want || state != klv.Given && x != 0 {
			t.Errorf("%s: state %d, number %v, %v", c.claim, state, x, err)
		}
		if (c.want == klv.Malformed) != (len(set.Problems) > 0) {
			t.Errorf("%s: problems %v", c.claim, set.Problems)
		}
	}
	if it, err := klv.Decode(made(t, klv.Number(6, -20))); err != nil || it.Item(6).Number != -20 {
		t.Errorf("-20 degrees: %v", it.Item(6).Number)
	}
}

func TestWhatCannotBeWritten(t *testing.T) {
	for name, v := range map[string]klv.Value{
		"a latitude of 91":        klv.Number(13, 91),
		"not a number":            klv.Number(15, math.NaN()),
		"an unlisted tag":         klv.Number(999, 1),
		"the checksum itself":     klv.Integer(1, 1),
		"a version of 300":        klv.Integer(65, 300),
		"a number for a text":     klv.Number(3, 1),
		"a text for a number":     klv.TextOf(13, "x"),
		"half a version":          klv.Number(65, 1.5),
		"a negative count":        klv.Integer(123, -1),
		"bytes that are not text": klv.TextOf(3, "\xff"),
	} {
		if b, err := klv.Encode0601(v); err == nil {
			t.Errorf("%s was written: %x", name, b)
		}
	}
}

// Unknown tags, items that are cut off, bytes after the end: all survive.
func TestDamageSurvivesReencoding(t *testing.T) {
	good := made(t, klv.TextOf(3, "SYNTHETIC"), klv.Number(13, 24.8))
	unknown := append(bytes.Clone(klv.ST0601.Key[:]), 9, 0x81, 0x7f, 2, 1, 2, 3, 9, 'x', 'y')
	for name, b := range map[string][]byte{
		"whole": good, "cut short": good[:len(good)-5], "bytes after the end": append(bytes.Clone(good), 1, 2, 3),
		"unknown tag and an item too long": unknown,
		"unknown set":                      append(append([]byte(nil), 6, 0x0e, 0x2b, 0x34, 2, 1, 1, 1, 9, 9, 9, 9, 9, 9, 9, 9), 2, 1, 0),
	} {
		set, err := klv.Decode(b)
		if err != nil || !bytes.Equal(set.AppendTo(nil), b) {
			t.Errorf("%s: %v\n%x\n%x", name, err, set.AppendTo(nil), b)
		}
		if (name == "whole" || name == "unknown set") != (len(set.Problems) == 0) {
			t.Errorf("%s: problems %v", name, set.Problems)
		}
	}
	set, _ := klv.Decode(unknown)
	if it := set.Item(255); it == nil || it.Row != nil || it.State != klv.Unread {
		t.Errorf("tag 255 (BER-OID 81 7f): %+v", it)
	}
}

// The answer does not depend on how the bytes come.
func TestReaderSeesTheSameOneByteAtATime(t *testing.T) {
	var stream []byte
	for i := range 5 {
		stream = append(stream, made(t, klv.TextOf(3, strings.Repeat("S", 10*i)))...)
		if i == 2 {
			stream = append(stream, "rubbish between packets"...)
		}
	}
	stream = append(stream, made(t)[:20]...)
	whole := packets(t, stream)
	r := klv.NewReader(iotest.OneByteReader(bytes.NewReader(stream)))
	for i := 0; ; i++ {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			if i != len(whole) || i != 6 {
				t.Errorf("%d packets, %d at once, want 6", i, len(whole))
			}
			break
		}
		w := whole[i]
		if err != nil || !bytes.Equal(p.Bytes, w.Bytes) || p.Offset != w.Offset || p.Skipped != w.Skipped || p.Truncated != w.Truncated {
			t.Fatalf("packet %d: %+v, at once %+v", i, p, w)
		}
	}
	if whole[3].Skipped != 23 || !whole[5].Truncated || whole[4].Truncated {
		t.Errorf("skipped %d, want 23; truncated %v", whole[3].Skipped, whole[5].Truncated)
	}
}

func TestADamagedLengthDoesNotSwallowTheNextPacket(t *testing.T) {
	good := made(t, klv.TextOf(3, "SYNTHETIC"))
	bad := bytes.Clone(good)
	bad[16] += 40 // now it reaches into its neighbour
	got := packets(t, bytes.Join([][]byte{good, bad, good, good}, nil))
	if len(got) != 4 || !got[1].Truncated || got[2].Truncated || got[3].Skipped != 0 {
		t.Fatalf("%d packets: %+v", len(got), got)
	}
	set, err := klv.Decode(got[1].Bytes)
	if err != nil || set.Text(3) != "SYNTHETIC" || len(set.Problems) == 0 {
		t.Errorf("the damaged packet: %v %q %v", err, set.Text(3), set.Problems)
	}
}

func TestAnAbsurdLengthIsPassedOver(t *testing.T) {
	good := made(t)
	huge := append(bytes.Clone(klv.ST0601.Key[:]), 0x84, 0xff, 0xff, 0xff, 0xff)
	got := packets(t, append(huge, good...))
	if len(got) != 1 || got[0].Skipped == 0 || got[0].Offset != int64(len(huge)) {
		t.Errorf("%+v", got)
	}
}

// Any one to eight bytes lost at the front of a key leave the packet to be found, with the bytes that were there unchanged.
func TestLostKeyBytes(t *testing.T) {
	good := made(t, klv.Number(13, 24.8))
	for n := 1; n <= 8; n++ {
		got := packets(t, bytes.Join([][]byte{good, good[n:], good[n:]}, nil))
		if len(got) != 3 {
			t.Fatalf("%d bytes lost: %d packets", n, len(got))
		}
		for _, p := range got[1:] {
			if set, err := klv.Decode(p.Bytes); err != nil || p.Missing != n || set.Checksum != klv.Right || !bytes.Equal(p.Bytes[n:], good[n:]) {
				t.Errorf("%d bytes lost: missing %d, %v", n, p.Missing, err)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	good := made(f, klv.TextOf(3, "SYNTHETIC"), klv.Number(13, 24.8), klv.Number(104, 900), klv.RawBytes(48, []byte{1, 1, 1, 3, 2, 'U', 'S'}))
	f.Add(good)
	f.Add(good[:40])
	f.Add(append(bytes.Clone(klv.EG0104.Key[:]), 0x83, 0, 0, 2, 1, 1))
	storm.Fuzz(f, func(t testing.TB, b []byte) {
		set, err := klv.Decode(b)
		if err == nil && !bytes.Equal(set.AppendTo(nil), b) {
			t.Fatal("what decodes does not re-encode to the same bytes")
		}
		for i := range set.Items {
			set.Items[i].Nested()
			set.Items[i].Text()
		}
		if err == nil {
			tree, _ := set.Tree()
			checkTree(t, &tree, len(b))
			set.Breaches()
		}
	})
}

func FuzzReader(f *testing.F) {
	good := made(f, klv.Number(13, 24.8))
	f.Add(good, 7)
	f.Add(append(bytes.Clone(good[5:]), good...), 64)
	f.Add(append(bytes.Clone(good), good[:30]...), 1)
	storm.Fuzz(f, func(t testing.TB, b []byte, piece int) {
		piece = max(1, piece&0xff)
		r := klv.NewReader(iotest.DataErrReader(&pieces{b, piece}))
		total := int64(0)
		for {
			p, err := r.Next()
			if err != nil {
				break
			}
			if p.Offset < total || p.Missing > 8 || len(p.Bytes) == 0 {
				t.Fatalf("packet at %d after %d: %d bytes, %d missing", p.Offset, total, len(p.Bytes), p.Missing)
			}
			if !bytes.Equal(b[p.Offset:p.Offset+int64(len(p.Bytes)-p.Missing)], p.Bytes[p.Missing:]) {
				t.Fatal("a packet's bytes are not the stream's")
			}
			total = p.Offset + int64(len(p.Bytes)-p.Missing)
		}
	})
}

// pieces reads b a few bytes at a time.
type pieces struct {
	b []byte
	n int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.b[:min(p.n, len(p.b))])
	p.b = p.b[n:]
	return n, nil
}

func BenchmarkKLVDecode(b *testing.B) {
	packet := made(b, klv.TextOf(3, "SYNTHETIC01"), klv.Number(5, 12), klv.Number(6, 1), klv.Number(7, 2), klv.TextOf(11, "EO"),
		klv.Number(13, 24.8), klv.Number(14, -107.4), klv.Number(15, 1500), klv.Number(16, 3), klv.Number(17, 2), klv.Number(18, 200),
		klv.Number(19, -30), klv.Number(20, 0), klv.Number(21, 3000), klv.Number(22, 150), klv.Number(23, 24.81), klv.Number(24, -107.41),
		klv.Number(25, 40), klv.Number(26, 0.001), klv.Number(27, 0.001), klv.Number(28, 0.001), klv.Number(29, -0.001),
		klv.Number(30, -0.001), klv.Number(31, -0.001), klv.Number(32, -0.001), klv.Number(33, 0.001), klv.Integer(56, 40), klv.Integer(65, 19))
	var set klv.Set
	b.SetBytes(int64(len(packet)))
	b.ReportAllocs()
	for b.Loop() {
		if err := set.Decode(packet); err != nil || set.Checksum != klv.Right {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
}

func BenchmarkKLVReader(b *testing.B) {
	one := made(b, klv.TextOf(3, "SYNTHETIC01"), klv.Number(13, 24.8), klv.Number(14, -107.4))
	stream := bytes.Repeat(one, 10000)
	b.SetBytes(int64(len(stream)))
	for b.Loop() {
		r := klv.NewReader(bytes.NewReader(stream))
		n := 0
		for {
			if _, err := r.Next(); err != nil {
				break
			}
			n++
		}
		if n != 10000 {
			b.Fatal(n)
		}
	}
}
