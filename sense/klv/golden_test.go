package klv_test

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
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
)

// packets reads a raw KLV file whole, copying each packet.
func packets(t testing.TB, b []byte) (out []klv.Packet) {
	t.Helper()
	r := klv.NewReader(bytes.NewReader(b))
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		p.Bytes = bytes.Clone(p.Bytes)
		out = append(out, p)
	}
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(fixture.Shared(t, "video/"+name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// near compares to the relative precision that the truth tables promise.
func near(got, want float64) bool {
	return math.Abs(got-want) <= 1e-9*math.Max(math.Abs(got), math.Abs(want))
}

// The elementary stream of the golden file is rebuilt here with a dozen lines, so that this package stays alone: PID 0x101,
// payload of each PES.
func goldenStream(t testing.TB) (out []byte) {
	b := read(t, "h264_klv.ts")
	for ; len(b) >= 188; b = b[188:] {
		if int(b[1]&0x1f)<<8|int(b[2]) != 0x101 {
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

type goldenValue struct {
	Key struct {
		Integer uint32
		String  string
	}
	Value json.RawMessage
}

// number reads 3, {"length":2,"value":3}, {"integer":3,"string":".."}: the forms that the truth has.
func number(raw json.RawMessage) (float64, bool) {
	var x float64
	if json.Unmarshal(raw, &x) == nil && string(raw) != "null" {
		return x, true
	}
	var o struct{ Value, Integer *float64 }
	if json.Unmarshal(raw, &o) != nil {
		return 0, false
	}
	if o.Value != nil {
		return *o.Value, true
	}
	if o.Integer != nil {
		return *o.Integer, true
	}
	return 0, false
}

// isScalar says that an item of this format is one number or one text, which Decode reads at once.
func isScalar(f klv.Format) bool {
	return f >= klv.Text && f <= klv.Float || f == klv.BEROID
}

func TestGoldenPackets(t *testing.T) {
	var golden []struct{ Value []goldenValue }
	if err := json.Unmarshal(read(t, "klv_golden.json"), &golden); err != nil {
		t.Fatal(err)
	}
	got := packets(t, goldenStream(t))
	if len(got) != 30 || len(golden) != 30 {
		t.Fatalf("%d packets, %d in the truth, want 30", len(got), len(golden))
	}
	compared := map[uint32]bool{}
	for i, p := range got {
		set, err := klv.Decode(p.Bytes)
		if err != nil || set.Checksum != klv.Right || len(set.Problems) > 0 {
			t.Fatalf("packet %d: %v, checksum %d, problems %v", i, err, set.Checksum, set.Problems)
		}
		if !bytes.Equal(set.AppendTo(nil), p.Bytes) {
			t.Fatalf("packet %d does not re-encode to its bytes", i)
		}
		for _, g := range golden[i].Value {
			it := set.Item(g.Key.Integer)
			if it == nil {
				t.Fatalf("packet %d: no item %d", i, g.Key.Integer)
			}
			var text string
			x, isNumber := number(g.Value)
			switch {
			case it.State != klv.Given:
				continue
			case it.Row.Format == klv.Nested:
				continue
			case json.Unmarshal(g.Value, &text) == nil && string(g.Value) != "null":
				if it.Text() != text {
					t.Errorf("packet %d item %d: %q, want %q", i, it.Tag, it.Text(), text)
				}
			case isNumber:
				if !near(it.Number, x) {
					t.Errorf("packet %d item %d (%s): %v, want %v", i, it.Tag, it.Row.Name, it.Number, x)
				}
			default:
				continue
			}
			compared[g.Key.Integer] = true
		}
	}
	// Every item of the standard that is one number or one text must have been compared.
	for tag := uint32(2); tag < 143; tag++ {
		if row := klv.ST0601.Row(tag); row != nil && isScalar(row.Format) && tag != 47 && tag != 124 && !compared[tag] {
			t.Errorf("item %d (%s) was not compared", tag, row.Name)
		}
	}
	set, _ := klv.Decode(got[0].Bytes)
	if flags, _ := set.Number(47); flags != 0b110001 { // bits 0, 4, 5 in the truth
		t.Errorf("item 47 is %v, want 49", flags)
	}
	security, ok := set.Item(48).Nested()
	if !ok || security.Text(1) != "UNCLASSIFIED" || security.Text(3) != "//US" || security.Text(13) != "US" {
		t.Errorf("item 48: %v %q %q %q", ok, security.Text(1), security.Text(3), security.Text(13))
	}
	vmti, ok := set.Item(74).Nested()
	if frame, _ := vmti.Number(7); !ok || frame != 78000 || vmti.Standard != klv.ST0903 {
		t.Errorf("item 74: %v, frame number %v, want 78000", ok, frame)
	}
}

func TestWithheldItemsStayBytes(t *testing.T) {
	set, err := klv.Decode(packets(t, goldenStream(t))[0].Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range []uint32{60, 61, 62, 140} {
		it := set.Item(tag)
		if it == nil || it.State != klv.Unread || it.Number != 0 || it.Text() != "" || it.Row.Name != klv.Withheld || len(it.Value) == 0 {
			t.Errorf("item %d is not an unread item with its bytes: %+v", tag, it)
		}
		if _, ok := it.Nested(); ok {
			t.Errorf("item %d was taken apart", tag)
		}
		for _, v := range []klv.Value{klv.Integer(tag, 1), klv.RawBytes(tag, []byte{1}), klv.Clear(tag), klv.TextOf(tag, "x"), klv.Number(tag, 1)} {
			if b, err := klv.Encode0601(v); err == nil {
				t.Errorf("item %d was made: %x", tag, b)
			}
		}
	}
}

// rows reads a table of values: for each row, by column name, the cells that are not empty.
func rows(t *testing.T, name string) (out []map[string]string) {
	all, err := csv.NewReader(bytes.NewReader(read(t, name))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all[1:] {
		m := map[string]string{}
		for i, c := range r {
			m[all[0][i]] = c
		}
		out = append(out, m)
	}
	return out
}

func TestTruckFlight(t *testing.T) {
	raw := read(t, "truck-411.klv")
	got := packets(t, raw)
	want := rows(t, "truck-411.values.csv")
	if len(got) != 411 || len(want) != 411 {
		t.Fatalf("%d packets, %d rows, want 411", len(got), len(want))
	}
	var again []byte
	for i, p := range got {
		set, err := klv.Decode(p.Bytes)
		if err != nil || set.Checksum != klv.Right || p.Missing != 0 || p.Skipped != 0 || p.Truncated {
			t.Fatalf("packet %d: %v %d %+v", i, err, set.Checksum, p.Problems())
		}
		again = set.AppendTo(again)
		for column, cell := range want[i] {
			if strings.HasPrefix(column, "item") {
				compareCell(t, i, &set, column[4:], cell)
			}
		}
	}
	if !bytes.Equal(raw, again) {
		t.Error("the packets do not re-encode to the file")
	}
}

func compareCell(t *testing.T, i int, set *klv.Set, column, cell string) {
	t.Helper()
	tag, _ := strconv.Atoi(column)
	x, state := set.Number(uint32(tag))
	it := set.Item(uint32(tag))
	switch {
	case cell == "":
		if state == klv.Given && it.Text() != "" {
			t.Errorf("packet %d item %d: %v where the table has nothing", i, tag, x)
		}
	case it != nil && it.Row.Format == klv.Text:
		if it.Text() != cell {
			t.Errorf("packet %d item %d: %q, want %q", i, tag, it.Text(), cell)
		}
	default:
		want, err := strconv.ParseFloat(cell, 64)
		if err != nil || state != klv.Given || !near(x, want) {
			t.Errorf("packet %d item %d: %v (state %d), want %s", i, tag, x, state, cell)
		}
	}
}

func TestExamplePackets(t *testing.T) {
	var want map[string]json.RawMessage
	if err := json.Unmarshal(read(t, "misb-dynamic.values.json"), &want); err != nil {
		t.Fatal(err)
	}
	for name, verdict := range map[string]klv.Checksum{"misb-dynamic-constant.klv": klv.Stale, "misb-dynamic-only.klv": klv.Right} {
		var list []struct {
			Key   uint32
			Value json.RawMessage
		}
		if err := json.Unmarshal(want[name], &list); err != nil {
			t.Fatal(name, err)
		}
		raw := read(t, name)
		set, err := klv.Decode(raw)
		if err != nil || set.Checksum != verdict {
			t.Fatalf("%s: %v, checksum %d, want %d", name, err, set.Checksum, verdict)
		}
		if verdict == klv.Stale && !strings.Contains(set.Problems[0].What, "stale checksum") {
			t.Errorf("%s: the stale checksum is not told: %v", name, set.Problems)
		}
		if !bytes.Equal(set.AppendTo(nil), raw) {
			t.Errorf("%s does not re-encode", name)
		}
		for _, w := range list {
			it := set.Item(w.Key)
			if it == nil {
				t.Fatalf("%s: no item %d", name, w.Key)
			}
			var text string
			if json.Unmarshal(w.Value, &text) == nil && it.Row.Format == klv.Text {
				if it.Text() != text {
					t.Errorf("%s item %d: %q, want %q", name, w.Key, it.Text(), text)
				}
			} else if x, ok := number(w.Value); ok && w.Key != 1 && it.State == klv.Given && !near(it.Number, x) {
				t.Errorf("%s item %d: %v, want %v", name, w.Key, it.Number, x)
			}
		}
	}
}

func TestKeysWithoutTheirFirstFiveBytes(t *testing.T) {
	for name, n := range map[string]int{"day.klv": 6, "night.klv": 18} {
		raw := read(t, name)
		got := packets(t, raw)
		if len(got) != n {
			t.Fatalf("%s: %d packets, want %d", name, len(got), n)
		}
		var again []byte
		for i, p := range got {
			set, err := klv.Decode(p.Bytes)
			if err != nil || p.Missing != 5 || p.Offset != int64(len(again)) || len(p.Problems()) == 0 {
				t.Fatalf("%s packet %d at %d, want %d: %d key bytes missing, %v", name, i, p.Offset, len(again), p.Missing, err)
			}
			if set.Checksum != klv.Right {
				t.Errorf("%s packet %d: checksum %d: with the key put back it is right", name, i, set.Checksum)
			}
			if it := set.Item(22); it == nil || it.State != klv.Malformed || len(it.Value) != 4 {
				t.Errorf("%s packet %d: item 22 in four bytes is not flagged", name, i)
			}
			if lat, state := set.Number(13); state != klv.Given || lat == 0 {
				t.Errorf("%s packet %d: no sensor latitude", name, i)
			}
			again = append(again, set.AppendTo(nil)[p.Missing:]...)
		}
		if !bytes.Equal(again, raw) {
			t.Errorf("%s does not re-encode to its bytes", name)
		}
	}
}

func TestMovingTargetSetsStandingAlone(t *testing.T) {
	raw := read(t, "vmti-0903v4.klv")
	got := packets(t, raw)
	if len(got) != 5 {
		t.Fatalf("%d packets, want 5", len(got))
	}
	for i, p := range got {
		set, err := klv.Decode(p.Bytes)
		if err != nil || set.Standard != klv.ST0903 || set.Checksum != klv.Right || set.Item(101) == nil {
			t.Errorf("packet %d: %v %s checksum %d", i, err, set.Standard.Name, set.Checksum)
		}
	}
}

func TestIMAPBVectors(t *testing.T) {
	var vectors []struct {
		A, B             float64
		L                int
		X, ReverseResult any
		Forward          string `json:"forwardResultHex"`
	}
	if err := json.Unmarshal(read(t, "st1201_vectors.json"), &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 2128 {
		t.Fatalf("%d vectors", len(vectors))
	}
	for _, v := range vectors {
		want, err := hex.DecodeString(strings.TrimPrefix(v.Forward, "0x"))
		if err != nil {
			t.Fatal(err)
		}
		if got := klv.EncodeIMAPB(special(v.X), v.A, v.B, v.L); !bytes.Equal(got, want) {
			t.Errorf("IMAPB(%v, %v, %d) of %v: %x, want %x", v.A, v.B, v.L, v.X, got, want)
		}
		back, ok := klv.DecodeIMAPB(want, v.A, v.B)
		w := special(v.ReverseResult)
		if !ok || math.Float64bits(back) != math.Float64bits(w) && !near(back, w) {
			t.Errorf("RIMAPB(%v, %v, %d) of %x: %v, want %v", v.A, v.B, v.L, want, back, w)
		}
	}
}

func special(v any) float64 {
	switch v {
	case "Infinity":
		return math.Inf(1)
	case "-Infinity":
		return math.Inf(-1)
	case "+QNaN":
		return math.NaN()
	case "-QNaN":
		return math.Copysign(math.NaN(), -1)
	}
	return v.(float64)
}
