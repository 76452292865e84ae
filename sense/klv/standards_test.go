package klv_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/atalaya-isr/atalaya/sense/klv"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// treeOf is the tree of one item in a set of the standard, which must be without problems.
func treeOf(t testing.TB, std *klv.Standard, values ...klv.Value) *klv.Node {
	t.Helper()
	b, err := std.EncodeItems(values...)
	if err != nil {
		t.Fatal(err)
	}
	n, problems := itemsOf(std, b).Tree()
	if len(problems) > 0 {
		t.Errorf("%v", problems)
	}
	return &n
}

// itemsOf decodes the items of a set that has no key of its own, by way of one that has.
func itemsOf(std *klv.Standard, items []byte) *klv.Set {
	row := klv.Row{Name: "within", Format: klv.Nested, Set: std}
	it := klv.Item{Row: &row, State: klv.Given, Value: items, Raw: items}
	s, _ := it.Nested()
	return &s
}

// --- The tables themselves.

// Rows are held against themselves: tags and names once, ranges that their format can hold, units where there are numbers.
func TestTablesAreConsistent(t *testing.T) {
	names := map[string]bool{}
	keys := map[klv.UL]string{}
	for _, std := range klv.Standards() {
		if std.Name == "" || std.Title == "" || names[std.Name] {
			t.Errorf("standard %q (%q): no name, or twice", std.Name, std.Title)
		}
		names[std.Name] = true
		if std.Key != (klv.UL{}) {
			if other := keys[std.Key]; other != "" || klv.StandardOf(std.Key) != std {
				t.Errorf("%s: its key is that of %q too, or is not found", std.Name, other)
			}
			keys[std.Key] = std.Name
		}
		seen := map[string]uint32{}
		for tag, r := range std.Rows() {
			place := fmt.Sprintf("ST %s item %d (%s)", std.Name, tag, r.Name)
			if other, twice := seen[r.Name]; twice && r.Name != klv.Withheld {
				t.Errorf("%s: item %d has that name too", place, other)
			}
			seen[r.Name] = tag
			checkRow(t, place, r)
		}
		universal := map[klv.UL]bool{}
		for k, r := range std.UniversalRows() {
			if universal[k] || k[0] != 6 || k[4] != 1 && k[4] != 2 {
				t.Errorf("%s: key %v twice, or none", std.Name, k)
			}
			universal[k] = true
			checkRow(t, std.Name+" "+r.Name, r)
		}
	}
	if len(names) < 26 || len(keys) < 14 {
		t.Errorf("%d standards, %d keys", len(names), len(keys))
	}
}

func checkRow(t *testing.T, place string, r *klv.Row) {
	t.Helper()
	sizes := map[klv.Format][]int{klv.ScaledUint: {1, 2, 3, 4}, klv.ScaledInt: {2, 3, 4}, klv.IMAPB: {1, 2, 3, 4, 5, 6, 7, 8}, klv.Float: {0}, klv.Enum: {0, 1}, klv.ChecksumSum: {2, 4}, klv.Identifier: {16}}
	if allowed, ok := sizes[r.Format]; ok && !contains(allowed, r.Size) && !strings.Contains(place, "Fields") {
		t.Errorf("%s: %d bytes", place, r.Size)
	}
	switch r.Format {
	case klv.ScaledUint, klv.IMAPB:
		if !(r.Lo < r.Hi) {
			t.Errorf("%s: range %g to %g", place, r.Lo, r.Hi)
		}
		checkEnds(t, place, r)
	case klv.ScaledInt:
		if r.Lo != -r.Hi || r.Hi <= 0 {
			t.Errorf("%s: range %g to %g, which two's complement does not map", place, r.Lo, r.Hi)
		}
		checkEnds(t, place, r)
	case klv.Nested:
		if r.Set == nil {
			t.Errorf("%s: no set", place)
		}
	case klv.Pack, klv.BitFields:
		if len(r.Fields) < 2 {
			t.Errorf("%s: %d fields", place, len(r.Fields))
		}
	case klv.List:
		if r.Entry == nil || r.Entry.Ends != klv.Told && r.Entry.Ends != klv.Self {
			t.Errorf("%s: entries without an end", place)
		}
	case klv.Opaque:
		if r.Name != klv.Withheld || r.Unit != "" || r.Size != 0 {
			t.Errorf("%s: a withheld item says something", place)
		}
	default:
		if r.Lo != 0 || r.Hi != 0 {
			t.Errorf("%s: a range without a scale", place)
		}
	}
	optional := false
	for i := range r.Fields {
		f := &r.Fields[i]
		if r.Format == klv.Pack && f.Format != klv.BitFields {
			checkRow(t, place+" / "+f.Name, &f.Row)
		}
		if optional && !f.Optional {
			t.Errorf("%s: field %s must be there after one that may be left out", place, f.Name)
		}
		optional = f.Optional
		if f.Ends == klv.AtEnd && i+1 < len(r.Fields) || f.Ends == klv.Fixed && f.Size == 0 && r.Format == klv.Pack {
			t.Errorf("%s: field %s has no end", place, f.Name)
		}
	}
}

func contains(list []int, n int) bool {
	for _, k := range list {
		if k == n {
			return true
		}
	}
	return false
}

// checkEnds holds that the ends of the code map onto the ends of the range: exactly for the linear maps, within a step for ST 1201.
func checkEnds(t *testing.T, place string, r *klv.Row) {
	ends := map[klv.Format][2]string{klv.ScaledUint: {"00000000", "ffffffff"}, klv.ScaledInt: {"80000001", "7fffffff"}}[r.Format]
	for i, want := range []float64{r.Lo, r.Hi} {
		var value []byte
		tolerance := 1e-12 * math.Max(1, math.Abs(want))
		if r.Format == klv.IMAPB {
			value = klv.EncodeIMAPB(want, r.Lo, r.Hi, r.Size)
			tolerance = (r.Hi - r.Lo) / math.Exp2(float64(8*r.Size-2))
		} else {
			value = unhex(t, ends[i])[:r.Size]
			if r.Format == klv.ScaledInt && i == 0 {
				value = append([]byte{0x80}, unhex(t, "000001")[4-r.Size:]...)
			}
		}
		// A standard of one row reads the value as the package's own tables do.
		got := readAs(r, value)
		if got == nil || got.State != klv.Given || math.Abs(got.Number-want) > tolerance {
			t.Errorf("%s: %x is %+v, want %g", place, value, got, want)
		}
	}
}

// readAs reads a value by a row that belongs to a table, through the item of a set that holds it.
func readAs(r *klv.Row, value []byte) *klv.Item {
	for _, std := range klv.Standards() {
		for tag, row := range std.Rows() {
			if row == r {
				b, err := std.EncodeItems(klv.RawBytes(tag, value))
				if err != nil {
					return nil
				}
				return itemsOf(std, b).Item(tag)
			}
			if n := fieldOf(std, tag, row, r, value); n != nil {
				return &klv.Item{State: n.State, Number: n.Number}
			}
		}
	}
	return nil
}

// fieldOf reads a field of a fixed size by pretending that it is the only one of its pack.
func fieldOf(_ *klv.Standard, _ uint32, row, want *klv.Row, value []byte) *klv.Node {
	var look func(r *klv.Row) *klv.Field
	look = func(r *klv.Row) *klv.Field {
		for i := range r.Fields {
			if &r.Fields[i].Row == want {
				return &r.Fields[i]
			}
			if f := look(&r.Fields[i].Row); f != nil {
				return f
			}
		}
		if r.Entry != nil {
			return look(&r.Entry.Row)
		}
		return nil
	}
	f := look(row)
	if f == nil {
		return nil
	}
	only := klv.Row{Name: "only", Format: klv.Pack, Fields: []klv.Field{*f}}
	only.Fields[0].Ends = klv.AtEnd
	it := klv.Item{Row: &only, State: klv.Unread, Value: value, Raw: value}
	n, _ := it.Tree()
	if len(n.Nodes) != 1 {
		return nil
	}
	return &n.Nodes[0]
}

// Facts of ST 0601.19 that a slip of the pen in its table would break, item by item: number of items, and those that come in twins.
func TestTableOfST0601(t *testing.T) {
	n := 0
	for range klv.ST0601.Rows() {
		n++
	}
	if n != 143 {
		t.Errorf("%d items, want 143", n)
	}
	for full, restricted := range map[uint32]uint32{90: 6, 91: 7, 92: 50, 93: 52, 96: 22, 103: 38} {
		f, r := klv.ST0601.Row(full), klv.ST0601.Row(restricted)
		if f.Unit != r.Unit || !(f.Hi > r.Hi) || f.Size <= r.Size {
			t.Errorf("item %d (%s) does not reach further than item %d (%s)", full, f.Name, restricted, r.Name)
		}
	}
	for _, tag := range []uint32{60, 61, 62, 140} {
		if klv.ST0601.Row(tag).Format != klv.Opaque {
			t.Errorf("item %d is not withheld", tag)
		}
	}
}

// --- Values that the standards print.

func TestChecksumOfAnotherWriter(t *testing.T) {
	// A whole packet with its CRC-16, as another implementation sums it.
	packet := unhex(t, "060e2b34 02030101 0e010303 1c000000 66"+
		"010105 020c0005ca79f2fbe000006acfc0 0306000085508a00 042f 0106564e49495253 0203332e30 03054b571e4356 040541302b4131 05080005ca79f2fbe000 0608401c7e6b74dd1bd3"+
		"050102 060104 0703352e32 080441c9999a 09020400 0a0103 0b024ab4")
	set, err := klv.Decode(packet)
	if err != nil || set.Standard != klv.ST1108 || set.Checksum != klv.Right || len(set.Problems) > 0 {
		t.Fatalf("%v %s, checksum %d, %v", err, set.Standard.Name, set.Checksum, set.Problems)
	}
	tree, problems := set.Tree()
	metric := tree.Item(4)
	if len(problems) > 0 || metric.Item(1).String() != "VNIIRS" || metric.Item(3).Field("Organization").String() != "KW" || metric.Item(3).Field("Subgroup").String() != "CV" ||
		metric.Item(6).Number != 7.12345678901234 || tree.Item(3).Field("Ending Column").Integer != 1280 {
		t.Errorf("%v\n%s", problems, must(tree.MarshalJSON()))
	}
	roundTrip(t, &tree)
	packet[len(packet)-1] ^= 1
	if set, _ = klv.Decode(packet); set.Checksum != klv.Stale {
		t.Error("a changed CRC-16 is not told")
	}
	// ST 0806 has CRC-32/MPEG-2; it is verified against a bit-by-bit division in TestRVTSetStandingAlone.
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// CRC-32/MPEG-2 as the remainder of the message, with its first 32 bits inverted, divided by x^32+x^26+x^23+x^22+x^16+x^12+x^11+x^10+x^8+x^7+x^5+x^4+x^2+x+1.
func crc32ByDivision(b []byte) uint32 {
	bits := make([]byte, 0, 8*len(b)+32)
	for _, c := range b {
		for i := 7; i >= 0; i-- {
			bits = append(bits, c>>i&1)
		}
	}
	bits = append(bits, make([]byte, 32)...)
	for i := range 32 {
		bits[i] ^= 1
	}
	for i := 0; i+32 < len(bits); i++ {
		if bits[i] == 1 {
			for _, e := range []int{32, 26, 23, 22, 16, 12, 11, 10, 8, 7, 5, 4, 2, 1, 0} {
				bits[i+32-e] ^= 1
			}
		}
	}
	var v uint32
	for _, bit := range bits[len(bits)-32:] {
		v = v<<1 | uint32(bit)
	}
	return v
}

func TestRVTSetStandingAlone(t *testing.T) {
	packet, err := klv.ST0806.Encode(klv.Integer(2, 256), klv.Integer(8, 4), klv.TextOf(15, "ABC"),
		klv.SetOf(12, klv.Integer(1, 2), klv.Number(2, 24.8), klv.Number(3, -107.4), klv.Integer(5, 4), klv.TextOf(6, "SYNTHETIC")),
		klv.SetOf(13, klv.Integer(1, 3), klv.Number(2, 24.9), klv.Number(3, -107.5), klv.Number(4, 24.8), klv.Number(5, -107.4), klv.Integer(6, 1)),
		klv.SetOf(11, klv.PackOf(1, klv.Integer(1, 7), klv.Integer(2, 2)), klv.RawBytes(2, []byte{0xab})))
	if err != nil {
		t.Fatal(err)
	}
	set, err := klv.Decode(packet)
	sum := packet[len(packet)-4:]
	if err != nil || set.Checksum != klv.Right || crc32ByDivision(packet[:len(packet)-4]) != uint32(set.Item(1).Integer) {
		t.Errorf("%v: checksum %d, %x, by division %08x", err, set.Checksum, sum, crc32ByDivision(packet[:len(packet)-4]))
	}
	tree, problems := set.Tree()
	user := tree.Item(11).Item(1)
	if len(problems) > 0 || user.Field("Numeric ID").Integer != 7 || user.Field("Data Type").String() != "Unsigned Integer" || tree.Item(12).Item(5).String() != "Unknown" {
		t.Errorf("%v\n%s", problems, must(tree.MarshalJSON()))
	}
	if lat, ok := tree.Item(13).Item(2).Float(); !ok || math.Abs(lat-24.9) > 1e-7 {
		t.Errorf("corner latitude %v", lat)
	}
	if _, err := klv.ST0806.EncodeItems(klv.Integer(6, 30)); err == nil {
		t.Error("a withheld item was made")
	}
}

// ST 1303.2 appendix D: one array of each form.
func TestArraysOfTheStandard(t *testing.T) {
	row := &klv.Row{Name: "array", Format: klv.MDArray, Entry: &klv.Field{Row: *klv.ST1202.Row(1)}}
	patches := func(n int) func(a *klv.Array) bool { return func(a *klv.Array) bool { return len(a.Patches) == n } }
	block := func(rows ...[3]float64) (out []float64) { // ten numbers a row: three, two, five
		for _, r := range rows {
			out = append(out, r[0], r[0], r[0], r[1], r[1], r[2], r[2], r[2], r[2], r[2])
		}
		return out
	}
	a, b, c := [3]float64{1656, -1424, 0}, [3]float64{-1015, -1424, 978}, [3]float64{-1015, -1424, 1260}
	for claim, v := range map[string]struct {
		raw   string
		sizes []int
		want  []float64
		more  func(*klv.Array) bool
	}{
		"floating point": {"02 0402 04 01 3f800000 40000000 40400000 40800000 40a00000 40c00000 40e00000 41000000", []int{4, 2}, []float64{1, 2, 3, 4, 5, 6, 7, 8}, nil},
		"ST 1201 integers over 1 to 8": {"02 0402 02 02 3f800000 41000000 0000 1000 2000 3000 4000 5000 6000 7000", []int{4, 2}, []float64{1, 2, 3, 4, 5, 6, 7, 8},
			func(a *klv.Array) bool { return a.Lo == 1 && a.Hi == 8 && a.BoundSize == 4 }},
		"booleans":                         {"02 0504 01 03 48a8f0", []int{5, 4}, []float64{0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1}, nil},
		"unsigned integers, no bias":       {"02 0303 01 04 00 0c 36 825e 02 9000 00 7f 8100 01", []int{3, 3}, []float64{12, 54, 350, 2, 2048, 0, 127, 128, 1}, nil},
		"unsigned integers, a bias of 130": {"01 05 01 04 8102 00 28 19 0d 3c", []int{5}, []float64{130, 170, 155, 143, 190}, func(a *klv.Array) bool { return a.Bias == 130 }},
		"runs in two dimensions": {"02 0a0a 02 05 fa70 0678 0000 0403 0000 0005 0405 fc09 0400 0603 03d2 0405 0305 04ec 0705 0305", []int{10, 10},
			block(a, a, a, a, b, b, b, c, c, c), patches(5)},
		"runs in three dimensions": {"03 020304 01 05 03 01000000010102 02000002020102 04000103010101 04000202020102 00010000010101 01010001010101", []int{2, 3, 4},
			[]float64{1, 1, 2, 2, 3, 3, 3, 4, 3, 3, 4, 4, 0, 1, 2, 2, 3, 3, 3, 3, 3, 3, 4, 4}, patches(6)},
	} {
		raw := unhex(t, v.raw)
		got, err := klv.ReadArray(raw, row)
		if err != nil || fmt.Sprint(got.Sizes) != fmt.Sprint(v.sizes) || fmt.Sprint(got.Numbers) != fmt.Sprint(v.want) || v.more != nil && !v.more(got) {
			t.Errorf("%s: %+v, %v", claim, got, err)
			continue
		}
		if again, err := got.AppendTo(nil, row); err != nil || !bytes.Equal(again, raw) {
			t.Errorf("%s: written as %x, %v, want %x", claim, again, err, raw)
		}
		if got.Patches = nil; got.Form == klv.RunLength { // without patches it finds its own, which say the same
			again, err := got.AppendTo(nil, row)
			back, err2 := klv.ReadArray(again, row)
			if err != nil || err2 != nil || fmt.Sprint(back.Numbers) != fmt.Sprint(v.want) {
				t.Errorf("%s: found runs %x say %v (%v, %v)", claim, again, back, err, err2)
			}
		}
		for cut := range raw {
			if _, err := klv.ReadArray(raw[:cut], row); err == nil && cut > 0 && got.Form != klv.RunLength {
				t.Errorf("%s: cut to %d bytes it is read", claim, cut)
			}
		}
	}
	if x := (&klv.Array{Sizes: []int{2, 3}, Numbers: []float64{0, 1, 2, 10, 11, 12}}).At(1, 2); x != 12 {
		t.Errorf("element 1, 2 is %v", x)
	}
}

// A few bytes must not ask for gigabytes.
func TestArraysThatAskForTooMuch(t *testing.T) {
	row := klv.ST1601.Row(5)
	for claim, raw := range map[string]string{
		"a run-length array of 2^40 elements":  "02 ffffff7f ffffff7f 01 05 00",
		"a boolean array of a million bits":    "01 bd8440 01 03 00",
		"elements of no bytes":                 "01 05 00 01",
		"no dimensions":                        "00 01 01",
		"seventeen dimensions":                 "11" + strings.Repeat("01", 17) + "01 01 00",
		"an unknown form":                      "01 01 01 06 00",
		"a patch that lies outside":            "01 04 01 05 00 07 03 02",
		"a million patches over a whole array": "01 888000 01 05 00" + strings.Repeat("01 00 888000", 40),
	} {
		if a, err := klv.ReadArray(unhex(t, raw), row); err == nil {
			t.Errorf("%s is read: %d elements", claim, len(a.Numbers))
		}
	}
}

// ST 1204.3 section 6.3 and ST 0601 item 94: the same identifier in both forms; the check value finds any one wrong digit and any two
// neighbours that changed places.
func TestCoreIdentifierOfTheStandard(t *testing.T) {
	const text = "0170:F592-F023-7336-4AF8-AA91-62C0-0F2E-B2DA/16B7-4341-0008-41A0-BE36-5B5A-B96A-3645:D3"
	raw := unhex(t, "0170 f592f02373364af8aa9162c00f2eb2da 16b74341000841a0be365b5ab96a3645")
	id, err := klv.ReadCoreID(raw)
	if err != nil || id.String() != text || id.SensorKind != klv.Physical || id.PlatformKind != klv.Virtual || id.HasWindow || id.HasMinor {
		t.Errorf("%v %+v, %v", id, id, err)
	}
	back, err := klv.ParseCoreID(strings.ToLower(text))
	if err != nil || back != id || !bytes.Equal(back.AppendTo(nil), raw) {
		t.Errorf("%+v, %v", back, err)
	}
	for i := range text[:len(text)-3] {
		for _, d := range "0123456789ABCDEF" {
			if wrong := text[:i] + string(d) + text[i+1:]; strings.ContainsRune("0123456789ABCDEF", rune(text[i])) && wrong != text {
				if _, err := klv.ParseCoreID(wrong); err == nil {
					t.Fatalf("%s is taken", wrong)
				}
			}
		}
	}
	n := treeOf(t, klv.ST0601, klv.CoreIDOf(94, id)).Item(94)
	if n.Text != text || n.Field("Platform Identifier").String() != "16b74341-0008-41a0-be36-5b5ab96a3645" {
		t.Errorf("%s", must(n.MarshalJSON()))
	}
	for _, bad := range []string{"", "0170", "0170::", "0170:F592:00", text[:len(text)-2] + "D4"} {
		if _, err := klv.ParseCoreID(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// All codes of ST 1201.5 that are no number, in every size.
func TestSpecialCodes(t *testing.T) {
	for size := 1; size <= 8; size++ {
		for _, v := range []klv.IMAPValue{
			{Kind: klv.Infinity}, {Kind: klv.Infinity, Negative: true}, {Kind: klv.QuietNaN, Payload: 5}, {Kind: klv.QuietNaN, Negative: true},
			{Kind: klv.SignallingNaN, Payload: 1}, {Kind: klv.SignallingNaN, Negative: true, Payload: 7}, {Kind: klv.BelowMinimum, Negative: true},
			{Kind: klv.AboveMaximum}, {Kind: klv.UserDefined, Payload: 6},
		} {
			b, ok := klv.AppendIMAPB(nil, v, -900, 19000, size)
			got, ok2 := klv.ReadIMAPB(b, -900, 19000)
			if got.Number = 0; !ok || !ok2 || got != v {
				t.Errorf("%d bytes: %+v is written as %x and read as %+v", size, v, b, got)
			}
		}
	}
	for claim, v := range map[string]klv.IMAPValue{"a number above the range": {Number: 2e4}, "not a number as a number": {Number: math.NaN()},
		"a payload too long": {Kind: klv.QuietNaN, Payload: 8}, "a reserved code": {Kind: klv.ReservedCode}} {
		if b, ok := klv.AppendIMAPB(nil, v, -900, 19000, 1); ok {
			t.Errorf("%s is written: %x", claim, b)
		}
	}
	if v, _ := klv.ReadIMAPB([]byte{0xe2, 0}, 0, 1); v.Kind != klv.ReservedCode {
		t.Errorf("e200 is %v", v)
	}
}

// What an ST 1201 integer says is written as the same integer, over any range and size.
func TestIMAPBIntegersComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lo := rapid.Float64Range(-1e6, 1e6).Draw(t, "lo")
		hi := lo + rapid.Float64Range(1e-3, 1e6).Draw(t, "span")
		size := rapid.IntRange(1, 6).Draw(t, "size") // beyond 53 bits neighbours share a float64
		y := rapid.Uint64Range(0, 1<<(8*size-1)).Draw(t, "y")
		b := make([]byte, size)
		for i := range b {
			b[i] = byte(y >> (8 * (size - 1 - i)))
		}
		v, ok := klv.ReadIMAPB(b, lo, hi)
		if !ok || v.Kind != klv.OnScale || v.Number < lo || v.Number > hi || math.Abs(v.Number) < 1e-9*math.Abs(lo) {
			return // a code beyond the range, or where rounding next to zero eats the step
		}
		step := math.Exp2(math.Ceil(math.Log2(hi-lo)) - float64(8*size-1))
		if ulp := math.Abs(math.Nextafter(v.Number, math.Inf(1)) - v.Number); math.Abs(lo)*0x1p-52 > step/4 || ulp > step/4 {
			return // float64 does not tell the neighbours apart
		}
		again, ok := klv.AppendIMAPB(nil, v, lo, hi, size)
		if !ok || !bytes.Equal(again, b) {
			t.Fatalf("%x over %v..%v is %v, which is written as %x", b, lo, hi, v.Number, again)
		}
	})
}

// --- VMTI.

// A location with deviations and correlations, as another decoder reads it.
func TestLocationPack(t *testing.T) {
	raw := unhex(t, "01020304 10203040 0a0b 010203040506 102030405060")
	n := treeOf(t, klv.ST0903VTarget, klv.RawBytes(17, raw)).Item(17)
	l, ok := klv.LocationOf(n)
	want := klv.Location{Lat: -87.984282970428467, Lon: -115.49705505371094, HAE: 1671, HasSigma: true, Sigma: [3]float64{8.0625, 24.125, 40.1875},
		HasRho: true, Rho: [3]float64{-0.748046875, -0.24609375, 0.255859375}}
	if !ok || l != want {
		t.Errorf("%+v, want %+v", l, want)
	}
	b, err := klv.ST0903VTarget.EncodeItems(klv.LocationPack(17, l))
	if err != nil || !bytes.Equal(b[2:], raw) {
		t.Errorf("written as %x (%v), want %x", b, err, raw)
	}
	if _, ok := klv.LocationOf(treeOf(t, klv.ST0903VTarget, klv.Clear(17)).Item(17)); ok {
		t.Error("a location of zero length is one")
	}
}

// The numbers of version 3 are linear maps; read by the map of version 4 the place would lie far off.
func TestLegacyTargets(t *testing.T) {
	lat, lon, hae := 24.8, -107.4, 1500.0
	u := func(x, lo, hi float64, size int) []byte { // the linear map of the old versions, to the nearest step
		full := math.Exp2(float64(8*size)) - 1
		v := uint64(math.Round((x - lo) / (hi - lo) * full))
		b := make([]byte, size)
		for i := range b {
			b[i] = byte(v >> (8 * (size - 1 - i)))
		}
		return b
	}
	location := bytes.Join([][]byte{u(lat, -90, 90, 4), u(lon, -180, 180, 4), u(hae, -900, 19000, 2)}, nil)
	offset := func(x float64) []byte { // a signed integer of three bytes over -19.2..19.2
		v := int32(math.Round(x / 19.2 * (1<<23 - 1)))
		return []byte{byte(v >> 16), byte(v >> 8), byte(v)}
	}
	target := klv.VTargetOf(7, klv.Integer(1, 640*100+1), klv.RawBytes(17, location), klv.RawBytes(10, offset(-1.5)), klv.RawBytes(11, offset(0.25)),
		klv.RawBytes(12, u(hae, -900, 19000, 2)))
	whole := func(version int64) *klv.Set {
		values := []klv.Value{klv.Integer(2, 1_777_777_777_000_000)}
		if version > 0 {
			values = append(values, klv.RawBytes(11, u(10, 0, 180, 2)), klv.Integer(4, version), klv.Integer(8, 640), klv.Integer(9, 480))
		}
		b, err := klv.ST0903.Encode(append(values, klv.ListOf(101, target))...)
		if err != nil {
			t.Fatal(err)
		}
		set, err := klv.Decode(b)
		if err != nil || set.Checksum != klv.Right || !bytes.Equal(set.AppendTo(nil), b) {
			t.Fatal(err, set.Problems)
		}
		return &set
	}
	var state klv.VMTIState
	for pass, version := range []int64{3, 0} { // told once, then not again
		set := whole(version)
		if version == 3 {
			if fov, s := set.Number(11); s != klv.Given || math.Abs(fov-10) > 0.002 {
				t.Errorf("field of view %v (state %d), want 10", fov, s)
			}
		}
		targets, problems := state.Targets(set)
		if len(problems) > 0 || len(targets) != 1 {
			t.Fatalf("pass %d: %v", pass, problems)
		}
		v := targets[0]
		if !v.HasLocation || math.Abs(v.Location.Lat-lat) > 1e-7 || math.Abs(v.Location.Lon-lon) > 1e-7 || math.Abs(v.Location.HAE-hae) > 0.2 ||
			!v.HasOffset || math.Abs(v.OffsetLat+1.5) > 3e-6 || math.Abs(v.OffsetLon-0.25) > 3e-6 || math.Abs(v.HAE-hae) > 0.2 {
			t.Errorf("pass %d: %+v", pass, v)
		}
		if x, y := v.Centroid.Center(); v.Centroid != (klv.Pixel{Row: 101, Column: 1}) || x != 0.5 || y != 100.5 {
			t.Errorf("pass %d: centroid %+v at %v, %v", pass, v.Centroid, x, y)
		}
		n, _ := state.Tree(set.Item(101))
		roundTripNode(t, &n)
	}
	// The same bytes in a stream of version 4 lie elsewhere: that is why the version is kept.
	var later klv.VMTIState
	targets, _ := later.Targets(whole(4))
	if math.Abs(targets[0].Location.Lat-lat) < 10 {
		t.Errorf("by the map of version 4 the latitude is %v", targets[0].Location.Lat)
	}
	if later.Targets(whole(0)); later.Version != 4 {
		t.Error("a set that does not tell the version changes it")
	}
}

func roundTripNode(t testing.TB, n *klv.Node) {
	t.Helper()
	for _, c := range n.All() {
		if got := c.AppendTo(nil); !bytes.Equal(got, c.Value) && c.Raw != nil {
			t.Fatalf("%s: its parts are %x, it came as %x", c.Name(), got, c.Value)
		}
	}
}

func TestPixelsAreCountedFromOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 8000).Draw(t, "width")
		n := rapid.Int64Range(1, 8000*5000).Draw(t, "number")
		p := klv.PixelOf(n, width)
		if !p.Known() || p.Number(width) != n || p.Column > int64(width) {
			t.Fatalf("pixel %d of a frame %d wide is %+v, number %d", n, width, p, p.Number(width))
		}
	})
	for _, c := range []struct {
		number int64
		want   klv.Pixel
	}{{1, klv.Pixel{Row: 1, Column: 1}}, {2, klv.Pixel{Row: 1, Column: 2}}, {1921, klv.Pixel{Row: 2, Column: 1}}, {0, klv.Pixel{}}} { // the examples of ST 0903.6
		if got := klv.PixelOf(c.number, 1920); got != c.want {
			t.Errorf("pixel %d: %+v, want %+v", c.number, got, c.want)
		}
	}
	if klv.PixelOf(5, 0).Known() {
		t.Error("a pixel in a frame of unknown width")
	}
}

// All that a VTarget pack can hold is written and read again, within a ST 0601 packet.
func TestTargetsAreWritten(t *testing.T) {
	location := klv.Location{Lat: 24.8, Lon: -107.4, HAE: 50}
	packet := made(t, klv.SetOf(74, klv.Integer(4, 6), klv.Integer(5, 28), klv.Integer(6, 1), klv.Integer(8, 1920), klv.Integer(9, 1080), klv.Number(11, 12.5),
		klv.ListOf(101, klv.VTargetOf(1234, klv.Integer(1, 409600), klv.Integer(5, 80), klv.Integer(8, 0xdaa520), klv.Number(10, 1), klv.Number(11, -1), klv.LocationPack(17, location),
			klv.ListOf(18, klv.LocationPack(0, location), klv.LocationPack(0, location)), klv.PackOf(21, klv.Integer(1, 2), klv.Integer(2, 3)), klv.Integer(23, 1),
			klv.SetOf(101, klv.NumbersOf(1, 14762, 14783, 15115), klv.ListOf(2, klv.PackOf(0, klv.Integer(1, 74), klv.Integer(2, 2)))),
			klv.SetOf(103, klv.TextOf(1, "A")),
			klv.SetOf(104, klv.UUIDOf(1, klv.UUID{15: 9}), klv.Integer(2, 3), klv.PackOf(10, klv.Number(1, 1), klv.Number(2, 2), klv.Number(3, 3))),
			klv.ListOf(106, klv.SetOf(0, klv.TextOf(1, "png"), klv.RawBytes(3, []byte{1, 2}))), klv.ListOf(107, klv.SetOf(0, klv.Number(4, 99))))),
		klv.ListOf(102, klv.SetOf(0, klv.Integer(1, 9), klv.TextOf(2, "SYNTHETIC"))), klv.ListOf(103, klv.SetOf(0, klv.Integer(1, 17), klv.TextOf(3, "urn:x")))))
	set, err := klv.Decode(packet)
	if err != nil || set.Checksum != klv.Right || len(set.Problems) > 0 {
		t.Fatal(err, set.Problems)
	}
	tree, problems := set.Tree()
	roundTrip(t, &tree)
	v := tree.Item(74).Item(101).Nodes[0].Field("VTarget")
	track := v.Item(104)
	if len(problems) > 0 || v.Item(8).Integer != 0xdaa520 || v.Item(23).String() != "Active-Moving" || len(v.Item(18).Nodes) != 2 || v.Item(21).Field("FPA Column").Integer != 3 ||
		fmt.Sprint(v.Item(101).Item(1).Array.Numbers) != "[14762 14783 15115]" || v.Item(101).Item(2).Nodes[0].Field("Run Length").Integer != 2 ||
		track.Item(1).String() != "00000000-0000-0000-0000-000000000009" || track.Item(10).Field("Up").Number != 3 || v.Item(107).Nodes[0].Item(4).Number != 99 {
		t.Errorf("%v\n%s", problems, must(tree.Item(74).MarshalJSON()))
	}
	var state klv.VMTIState
	vmti, _ := set.Item(74).Nested()
	if got, _ := state.Targets(&vmti); len(got) != 1 || got[0].ID != 1234 || got[0].Centroid != (klv.Pixel{Row: 214, Column: 640}) || !got[0].HasOffset || got[0].Confidence != 80 {
		t.Errorf("%+v", got)
	}
}

// A sender's rank of its detections is kept and not shown, made by nobody here.
func TestRankIsWithheld(t *testing.T) {
	items := unhex(t, "0401 1b 0501 50")
	pack := append([]byte{1}, items...)
	series := append([]byte{byte(len(pack))}, pack...)
	b, err := klv.ST0903.EncodeItems(klv.RawBytes(101, series))
	if err != nil {
		t.Fatal(err)
	}
	n, _ := itemsOf(klv.ST0903, b).Tree()
	v := n.Item(101).Nodes[0].Field("VTarget").Item(4)
	if v.Name() != klv.Withheld || v.Kind != klv.AsBytes || v.State != klv.Unread || !bytes.Equal(n.AppendTo(nil), b) {
		t.Errorf("%+v", v)
	}
	if _, err := klv.ST0903VTarget.EncodeItems(klv.Integer(4, 1)); err == nil {
		t.Error("it was made")
	}
}

// --- Deviations.

// Both parse modes of ST 1010, dense and sparse, written and read.
func TestDeviationsBothModes(t *testing.T) {
	rows := []*klv.Row{klv.ST1107.Row(1), klv.ST1107.Row(2), klv.ST1107.Row(3)}
	for claim, c := range map[string]klv.SDCC{
		"mode 1, deviations as the parent has them": {Size: 3, Mode: 1, SigmaSize: 3, RhoSize: 2, SigmaIMAP: true, RhoIMAP: true, Sigma: []float64{1, 2, 3}, Rho: []float64{0.5, -0.25, 0}},
		"mode 1, sparse":          {Size: 3, Mode: 1, Sparse: true, SigmaSize: 3, RhoSize: 2, SigmaIMAP: true, RhoIMAP: true, Sigma: []float64{1, 2, 3}, Rho: []float64{0, -0.25, 0}},
		"mode 2, floating point":  {Size: 3, Mode: 2, SigmaSize: 4, RhoSize: 8, Sigma: []float64{1, 2, 0.5}, Rho: []float64{0.1, 0.2, 0.3}},
		"mode 2, sparse, ST 1201": {Size: 3, Mode: 2, Sparse: true, SigmaSize: 2, RhoSize: 3, SigmaIMAP: true, RhoIMAP: true, Sigma: []float64{4, 0, 650}, Rho: []float64{0, 0, -1}},
		"correlations alone":      {Size: 2, Mode: 2, RhoSize: 2, RhoIMAP: true, Rho: []float64{0.75}},
	} {
		b, err := c.AppendTo(nil, rows)
		if err != nil {
			t.Errorf("%s: %v", claim, err)
			continue
		}
		got, err := klv.ReadSDCC(b, rows)
		if err != nil || fmt.Sprintf("%+v", *got) != fmt.Sprintf("%+v", c) {
			t.Errorf("%s: %x is %+v (%v), want %+v", claim, b, got, err, c)
		}
		for cut := range b {
			if _, err := klv.ReadSDCC(b[:cut], rows); err == nil {
				t.Errorf("%s: cut to %d bytes it is read", claim, cut)
			}
		}
	}
	if _, err := klv.ReadSDCC(unhex(t, "ffffff7f 11 00"), nil); err == nil {
		t.Error("deviations of a quarter of a billion items in two bytes")
	}
	if c, err := klv.ReadSDCC(unhex(t, "02 9213 3f8000 400000 4000"), nil); err != nil || !math.IsNaN(c.Sigma[0]) || math.Abs(c.Rho[0]) > 1e-9 {
		t.Errorf("deviations whose range is not known: %+v, %v", c, err)
	}
}

// In mode 1 the parent says how deviations are written: ST 1107 as ST 1201 integers whose range goes by the item before the pack.
func TestDeviationsOfGeopositioning(t *testing.T) {
	c := klv.SDCC{Size: 3, Mode: 1, SigmaSize: 3, RhoSize: 2, SigmaIMAP: true, RhoIMAP: true, Sigma: []float64{1.5, 2.25, 0.125}, Rho: []float64{0.5, 0, -0.5}}
	packet, err := klv.ST1107.Encode(klv.Integer(44, 3), klv.Number(1, -1e6), klv.Number(2, -5e6), klv.Number(7, 1.25), klv.SDCCOf(32, c), klv.Integer(38, 1),
		klv.SetOf(33, klv.Number(1, 0.5), klv.Integer(10, 3), klv.Integer(11, 4)), klv.Number(22, 0.25))
	if err != nil {
		t.Fatal(err)
	}
	set, err := klv.Decode(packet)
	if err != nil || set.Checksum != klv.Right || len(set.Problems) > 0 {
		t.Fatal(err, set.Problems)
	}
	list, err := set.Deviations()
	if err != nil || len(list) != 1 || list[0].Items[2].Tag != 7 {
		t.Fatal(list, err)
	}
	tree, problems := set.Tree()
	roundTrip(t, &tree)
	for i, want := range c.Sigma {
		if got := tree.Item(32).SDCC.Sigma[i]; len(problems) > 0 || math.Abs(got-want) > 650.0/(1<<22) || got != list[0].Sigma[i] {
			t.Errorf("deviation %d: %v, want %v (%v)", i, got, want, problems)
		}
	}
	if tree.Item(33).Item(11).String() != "Optical" || math.Abs(tree.Item(1).Number+1e6) > 1e-6 {
		t.Errorf("%s", must(tree.MarshalJSON()))
	}
}

// A track standing alone, with its items.
func TestTrackSet(t *testing.T) {
	packet, err := klv.ST0903VTrack.Encode(klv.Integer(2, 1_777_777_777_000_000), klv.UUIDOf(3, klv.UUID{1}), klv.Integer(4, 4), klv.Integer(11, 6), klv.Integer(13, 2),
		klv.ListOf(101, klv.PackOf(0, klv.Integer(1, 1), klv.SetOf(2, klv.Integer(1, 1_777_777_777_000_000), klv.Integer(2, 77), klv.LocationPack(13, klv.Location{Lat: 24, Lon: -107, HAE: math.NaN()}), klv.Number(22, 4))),
			klv.PackOf(0, klv.Integer(1, 300))))
	if err != nil {
		t.Fatal(err)
	}
	set, err := klv.Decode(packet)
	if err != nil || set.Standard != klv.ST0903VTrack || set.Checksum != klv.Right {
		t.Fatal(err, set.Standard.Name, set.Problems)
	}
	tree, problems := set.Tree()
	roundTrip(t, &tree)
	items := tree.Item(101)
	l, ok := klv.LocationOf(items.Nodes[0].Field("VTrackItem").Item(13))
	if len(problems) > 0 || len(items.Nodes) != 2 || items.Nodes[1].Field("Target ID Number").Integer != 300 || tree.Item(4).String() != "Active-Coasting" ||
		!ok || math.Abs(l.Lat-24) > 1e-6 || !math.IsNaN(l.HAE) {
		t.Errorf("%v %+v\n%s", problems, l, must(tree.MarshalJSON()))
	}
}

// The bits of flags have names, save those about what is withheld.
func TestFlags(t *testing.T) {
	n := treeOf(t, klv.ST0601, klv.Integer(47, 0b110011), klv.Integer(124, 3))
	if got := n.Item(47).Flags(); fmt.Sprint(got) != "[Auto-Track Slant Range Image Invalid]" {
		t.Errorf("%q", got)
	}
	if got := n.Item(124).Flags(); fmt.Sprint(got) != "[On-board INS GPS]" {
		t.Errorf("%q", got)
	}
	if got := string(must(n.Item(124).MarshalJSON())); got != `{"value":3,"flags":["On-board INS","GPS"]}` {
		t.Error(got)
	}
}

// What does not fit the item is refused, with the place in the message.
func TestWhatCannotBeWrittenWithin(t *testing.T) {
	for claim, c := range map[string]struct {
		v    klv.Value
		says string
	}{
		"a pack for a number":             {klv.PackOf(13, klv.Integer(1, 1)), "no field 1"},
		"a list for a pack":               {klv.ListOf(127), "list"},
		"a set for a list":                {klv.SetOf(138), "set"},
		"a field that the pack lacks":     {klv.PackOf(127, klv.Integer(3, 1)), "no field 3"},
		"a pack without its first":        {klv.PackOf(127, klv.Integer(2, 1)), "Frame Rate Numerator"},
		"an entry with a latitude of 91":  {klv.ListOf(141, klv.PackOf(0, klv.Integer(1, 1), klv.Integer(2, 1), klv.Integer(3, 0), klv.PackOf(4, klv.Number(1, 91), klv.Number(2, 0)))), "91 lies outside"},
		"an unknown item within":          {klv.SetOf(48, klv.Integer(99, 1)), "item 99 of ST 0102"},
		"half a payload number":           {klv.NumbersOf(139, 0.5), "0.5"},
		"deviations of what is not there": {klv.SDCCOf(102, klv.SDCC{Size: 2, Mode: 2, SigmaSize: 4, Sigma: []float64{1, 1}}), "2 items after 1"},
		"a special value for a text":      {klv.SpecialOf(3, klv.IMAPValue{Kind: klv.AboveMaximum}), "above maximum"},
		"a command number below zero":     {klv.NumbersOf(116, -1), "-1"},
	} {
		if b, err := klv.Encode0601(klv.Integer(65, 19), c.v); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %x, %v", claim, b, err)
		}
	}
}

// --- Damage.

// Unknown tags, wrong sizes, a length too great, at every depth: named, kept, and written back as they came.
func TestDamageWithinSurvives(t *testing.T) {
	vmti, err := klv.ST0903.EncodeItems(klv.Integer(4, 6), klv.ListOf(101, klv.VTargetOf(1, klv.RawBytes(17, []byte{1, 2, 3}), klv.Integer(1, 5)), klv.VTargetOf(2)))
	if err != nil {
		t.Fatal(err)
	}
	vmti = append(vmti, 99, 2, 7, 7, 8, 0x85, 1) // a tag that none has, and an item whose length is cut off
	packet := made(t, klv.RawBytes(74, vmti), klv.RawBytes(127, []byte{0x83}), klv.RawBytes(138, []byte{9, 3, 0, 0, 0, 200}), klv.RawBytes(143, []byte{1, 2}),
		klv.RawBytes(102, []byte{3, 1}), klv.RawBytes(94, []byte{1}), klv.RawBytes(95, []byte{22, 2, 9, 9}), klv.RawBytes(81, unhex(t, "00010203ff")))
	set, err := klv.Decode(packet)
	if err != nil || set.Checksum != klv.Right || !bytes.Equal(set.AppendTo(nil), packet) {
		t.Fatal(err, set.Problems)
	}
	tree, problems := set.Tree()
	if !bytes.Equal(append(bytes.Clone(set.Head), tree.AppendTo(nil)...), packet) {
		t.Error("the tree does not re-encode")
	}
	roundTripNode(t, tree.Item(74))
	if len(problems) < 9 {
		t.Errorf("%d problems: %v", len(problems), problems)
	}
	for _, p := range problems {
		if p.At <= 0 || p.At >= len(packet) {
			t.Errorf("a problem outside the packet of %d bytes: %v", len(packet), p)
		}
	}
	if n := tree.Item(74).Item(99); n == nil || n.State != klv.Unread || n.Row != nil || tree.Item(74).Tail == nil || tree.Item(127).State != klv.Malformed {
		t.Errorf("%s", must(tree.MarshalJSON()))
	}
}

// Child sets hold child sets; they are taken apart to a depth, and kept below it.
func TestSetsWithinSets(t *testing.T) {
	inner := []byte{3, 1, 'x'}
	for range 20 {
		b, err := klv.ST0601.EncodeItems(klv.RawBytes(101, inner))
		if err != nil {
			t.Fatal(err)
		}
		inner = b
	}
	set, err := klv.Decode(made(t, klv.RawBytes(100, inner)))
	if err != nil {
		t.Fatal(err)
	}
	tree, problems := set.Tree()
	deepest := 0
	for depth := range tree.All() {
		deepest = max(deepest, depth)
	}
	if len(problems) != 1 || deepest != 9 || !bytes.Equal(tree.Item(100).AppendTo(nil), inner) {
		t.Errorf("%d deep, %v", deepest, problems)
	}
	if child := tree.Item(100); child.Set != klv.ST0601 {
		t.Errorf("a child set is of ST %s", child.Set.Name)
	}
}

// What a packet breaks of the rules of coding is named, though it can be read.
func TestBreaches(t *testing.T) {
	good := made(t, klv.TextOf(3, "SYNTHETIC"), klv.Integer(65, 19))
	if set, _ := klv.Decode(good); len(set.Breaches()) > 0 {
		t.Errorf("a good packet: %v", set.Breaches())
	}
	body := unhex(t, "0302 4100  8002 08 0005ea1958e3fb58 41 8101 13  0102 0000 0501 00")
	packet := append(append(bytes.Clone(klv.ST0601.Key[:]), 0x82, 0, byte(len(body))), body...)
	set, err := klv.Decode(packet)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(set.Breaches())
	for _, want := range []string{"packet's length is written longer", "item 3: text with zero bytes", "item 2: its tag is written longer", "item 65: its length is written longer", "not the first item", "not the last item"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not told: %s", want, got)
		}
	}
	if set, _ := klv.Decode(made(t)); !strings.Contains(fmt.Sprint(set.Breaches()), "version is not told") {
		t.Errorf("a packet without version: %v", set.Breaches())
	}
}

// The universal form of ST 0102 is written and read.
func TestSecurityUniversalSet(t *testing.T) {
	var classification, version klv.UL
	for k, r := range klv.ST0102Universal.UniversalRows() {
		switch r.Name {
		case "Security Classification":
			classification = k
		case "Version":
			version = k
		}
	}
	b, err := klv.ST0102Universal.Encode(klv.TextOf(0, "UNCLASSIFIED//").Keyed(classification), klv.Integer(0, 12).Keyed(version))
	if err != nil {
		t.Fatal(err)
	}
	set, err := klv.Decode(b)
	if err != nil || set.Standard != klv.ST0102Universal || set.Universal(classification).Text() != "UNCLASSIFIED//" || set.Universal(version).Integer != 12 {
		t.Errorf("%v %s %v", err, set.Standard.Name, set.Items)
	}
	tree, problems := set.Tree()
	if len(problems) > 0 || !strings.Contains(string(must(tree.MarshalJSON())), `"name":"Version","value":12`) {
		t.Errorf("%v %s", problems, must(tree.MarshalJSON()))
	}
	roundTrip(t, &tree)
}
