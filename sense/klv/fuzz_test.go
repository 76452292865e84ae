package klv_test

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/storm"
	"github.com/atalaya-isr/atalaya/sense/klv"
)

// checkTree holds what must hold of any tree: it is its parts byte for byte, it is JSON, and it takes memory in proportion to what
// came in, save for the fixed room of run-length arrays.
func checkTree(t testing.TB, n *klv.Node, size int) {
	nodes, numbers := 0, 0
	for _, c := range n.All() {
		nodes++
		if c.Array != nil {
			numbers += len(c.Array.Numbers)
		}
		if c.Raw != nil && c.Kind != klv.AsSet && !bytes.Equal(c.AppendTo(nil), c.Value) {
			t.Fatalf("%s: its parts are %x, it came as %x", c.Name(), c.AppendTo(nil), c.Value)
		}
		c.Flags()
		c.IMAP()
		klv.LocationOf(c)
	}
	if nodes > 4*size+16 || numbers > 8*size+1<<20 {
		t.Fatalf("%d bytes make %d nodes and %d numbers", size, nodes, numbers)
	}
	if b, err := n.MarshalJSON(); err != nil || !json.Valid(b) {
		t.Fatalf("no JSON: %s", b)
	}
}

// FuzzTree takes any bytes for the items of any standard.
func FuzzTree(f *testing.F) {
	for i, std := range klv.Standards() {
		var items []byte
		for tag, r := range std.Rows() {
			if b, err := std.EncodeItems(klv.RawBytes(tag, seed(r))); err == nil {
				items = append(items, b...)
			}
		}
		f.Add(uint8(i), items)
	}
	storm.Fuzz(f, func(t testing.TB, which uint8, b []byte) {
		all := klv.Standards()
		std := all[int(which)%len(all)]
		s := itemsOf(std, b)
		n, problems := s.Tree()
		if !bytes.Equal(n.AppendTo(nil), b) {
			t.Fatal("the tree does not re-encode to the same bytes")
		}
		checkTree(t, &n, len(b))
		for _, p := range problems {
			if p.At < 0 || p.At > len(b) {
				t.Fatalf("a problem outside of %d bytes: %v", len(b), p)
			}
		}
		s.Deviations()
		s.Breaches()
		s.Absent()
		for i := range n.Nodes {
			rewrite(t, std, &n.Nodes[i])
		}
		var state klv.VMTIState
		state.Targets(s)
		state = klv.VMTIState{Version: 3, FrameWidth: 640}
		targets, _ := state.Targets(s)
		if len(targets) > len(b) {
			t.Fatalf("%d targets of %d bytes", len(targets), len(b))
		}
		if !bytes.Equal(s.AppendTo(nil), b) {
			t.Fatal("the set does not re-encode after its version was noted")
		}
	})
}

// seed is a value that a row may have: zeros of the right size, as far as one can say.
func seed(r *klv.Row) []byte {
	switch r.Format {
	case klv.CoreIdentifier:
		return append([]byte{1, 0x40}, make([]byte, 16)...)
	case klv.MDArray:
		return []byte{1, 2, 4, 2, 0, 0, 0, 0, 0x3f, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}
	case klv.SDCCPack:
		return []byte{2, 0x92, 4, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1}
	case klv.List:
		return []byte{3, 1, 0, 0}
	}
	return make([]byte, max(1, r.Size))
}

// rewrite holds that what is written from a node is read as the same again.
func rewrite(t testing.TB, std *klv.Standard, n *klv.Node) {
	if n.State != klv.Given || n.Kind == klv.AsSDCC || n.Kind == klv.AsSet {
		return
	}
	b, err := std.EncodeItems(klv.ValueOf(n))
	if err != nil {
		return // a size that the standard does not have
	}
	again, _ := itemsOf(std, b).Tree()
	if len(again.Nodes) != 1 {
		t.Fatalf("%s is written as %x, which is no item", n.Name(), b)
	}
	was, _ := n.MarshalJSON()
	if is, _ := again.Nodes[0].MarshalJSON(); !bytes.Equal(was, is) && !isRounded(n) {
		t.Fatalf("%s: %s is written as %x and read as %s", n.Name(), was, b, is)
	}
}

// isRounded says that a number of it is one that rounding may move: beyond its range by less than a step, or of a size that float64
// does not hold.
func isRounded(n *klv.Node) bool {
	for _, c := range n.All() {
		if c.Kind == klv.AsArray || c.Kind == klv.AsNumber || c.Kind == klv.AsInteger && math.Abs(c.Number) > 1<<53 {
			return true
		}
	}
	return false
}

// FuzzIMAPB reads any bytes over any range, and writes what they said.
func FuzzIMAPB(f *testing.F) {
	f.Add([]byte{0x80, 0}, -900.0, 19000.0)
	f.Add([]byte{0xc8, 0, 0}, 0.0, 1.0)
	f.Add([]byte{0xe1}, -19.2, 19.2)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, -1e300, 1e300)
	storm.Fuzz(f, func(t testing.TB, b []byte, lo, hi float64) {
		v, ok := klv.ReadIMAPB(b, lo, hi)
		if !ok || v.Kind == klv.ReservedCode {
			return
		}
		again, ok := klv.AppendIMAPB(nil, v, lo, hi, len(b))
		if ok && len(again) != len(b) {
			t.Fatalf("%x is written in %d bytes", b, len(again))
		}
		if v.Kind != klv.OnScale && (!ok || !bytes.Equal(again, b)) {
			t.Fatalf("%x is %+v, which is written as %x", b, v, again)
		}
		klv.EncodeIMAPB(v.Number, lo, hi, len(b))
	})
}

// FuzzSplitter feeds any bytes in any pieces, with an end somewhere among them.
func FuzzSplitter(f *testing.F) {
	good := made(f, klv.Number(13, 24.8))
	f.Add(good, uint8(7), uint8(3))
	f.Add(append(bytes.Clone(good[5:]), good...), uint8(64), uint8(0))
	f.Add(append(bytes.Clone(good), good[:30]...), uint8(1), uint8(1))
	storm.Fuzz(f, func(t testing.TB, b []byte, piece, end uint8) {
		var s klv.Splitter
		total := int64(0)
		take := func() {
			for p, ok := s.Next(); ok; p, ok = s.Next() {
				if p.Offset < total || !bytes.Equal(b[p.Offset:p.Offset+int64(len(p.Bytes)-p.Missing)], p.Bytes[p.Missing:]) {
					t.Fatalf("packet at %d after %d: its bytes are not the stream's", p.Offset, total)
				}
				total = p.Offset + int64(len(p.Bytes)-p.Missing)
			}
		}
		for i, rest := 0, b; len(rest) > 0; i++ {
			n := min(len(rest), int(piece)+1)
			s.Feed(rest[:n])
			if rest = rest[n:]; i == int(end) {
				s.End()
			}
			take()
		}
		s.End()
		if take(); s.Pending() != 0 {
			t.Fatalf("%d bytes are left after the end", s.Pending())
		}
	})
}

// FuzzSEI looks for times in any bytes.
func FuzzSEI(f *testing.F) {
	f.Add(klv.VideoTime{Count: 1224807209913000, Status: klv.GoodTime}.AppendTo([]byte{6, 5, 28}))
	f.Add(klv.VideoTime{Count: 1 << 63, Codec: klv.H265, Nanoseconds: true}.AppendTo(nil))
	f.Add([]byte("MISPmicrosectimeMISPmicrosectime"))
	storm.Fuzz(f, func(t testing.TB, b []byte) {
		v, at, ok := klv.FindVideoTime(b)
		if !ok {
			return
		}
		v.Time()
		if again := v.AppendTo(nil); !bytes.Equal(again, b[at:at+len(again)]) {
			t.Fatalf("%+v is written as %x, came as %x", v, again, b[at:])
		}
	})
}

// FuzzCoreID reads any text as a core identifier.
func FuzzCoreID(f *testing.F) {
	f.Add("0170:F592-F023-7336-4AF8-AA91-62C0-0F2E-B2DA/16B7-4341-0008-41A0-BE36-5B5A-B96A-3645:D3")
	f.Add("0102:::")
	storm.Fuzz(f, func(t testing.TB, s string) {
		id, err := klv.ParseCoreID(s)
		if err != nil {
			return
		}
		back, err := klv.ReadCoreID(id.AppendTo(nil))
		if again, err2 := klv.ParseCoreID(id.String()); err != nil || err2 != nil || again != id || back != id {
			t.Fatalf("%q is %+v, written %q and read %+v (%v, %v)", s, id, id.String(), again, err, err2)
		}
	})
}
