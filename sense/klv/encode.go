package klv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// A Value is one item to be written, one field of a pack or one entry of a list. Make it with Number, Integer, TextOf, Time, RawBytes,
// Clear, SetOf, PackOf, ListOf and their neighbours. The tag of a field of a pack is its place in the standard's table, from 1; that
// of an entry of a list is not looked at.
type Value struct {
	tag   uint32
	key   UL
	kind  valueKind
	size  int // bytes that it is to take; 0 leaves it to the standard
	num   float64
	n     int64
	raw   []byte
	whole []byte // of an item that is kept as it came, tag and length too
	parts []Value
	array *Array
	sdcc  *SDCC
	imap  IMAPValue
}

type valueKind uint8

const (
	numberValue valueKind = iota
	integerValue
	rawValue
	textValue
	setValue
	packValue
	listValue
	arrayValue
	sdccValue
	specialValue
)

// Number is a numeric item in its standard's unit: degrees, metres, metres a second.
func Number(tag uint32, v float64) Value { return Value{tag: tag, kind: numberValue, num: v} }

// Integer is an item that is written unscaled: a version, an enumerated value, a count.
func Integer(tag uint32, v int64) Value { return Value{tag: tag, kind: integerValue, n: v} }

// Time is an item in microseconds since 1970: 2, 72 and 131 of ST 0601.
func Time(tag uint32, t time.Time) Value { return Integer(tag, t.UnixMicro()) }

// TextOf is a text item.
func TextOf(tag uint32, s string) Value { return Value{tag: tag, kind: textValue, raw: []byte(s)} }

// RawBytes is an item given as the bytes of its value.
func RawBytes(tag uint32, b []byte) Value { return Value{tag: tag, kind: rawValue, raw: b} }

// Clear is an item of zero length: "unknown, what was said before no longer stands".
func Clear(tag uint32) Value { return Value{tag: tag, kind: rawValue} }

// SetOf is a local set within, with its items in the order given.
func SetOf(tag uint32, items ...Value) Value { return Value{tag: tag, kind: setValue, parts: items} }

// PackOf is a pack; a field that is not given is left out where the standard allows it.
func PackOf(tag uint32, fields ...Value) Value {
	return Value{tag: tag, kind: packValue, parts: fields}
}

// ListOf is a list of packs or sets: a VTarget series, a payload list.
func ListOf(tag uint32, entries ...Value) Value {
	return Value{tag: tag, kind: listValue, parts: entries}
}

// NumbersOf is a list of plain numbers: identifiers, pixel numbers, the payloads that are active.
func NumbersOf(tag uint32, numbers ...float64) Value {
	return ArrayOf(tag, Array{Sizes: []int{len(numbers)}, Numbers: numbers})
}

// ArrayOf is an ST 1303 array.
func ArrayOf(tag uint32, a Array) Value { return Value{tag: tag, kind: arrayValue, array: &a} }

// SDCCOf is an ST 1010 pack about the items right before it.
func SDCCOf(tag uint32, c SDCC) Value { return Value{tag: tag, kind: sdccValue, sdcc: &c} }

// CoreIDOf is an ST 1204 core identifier.
func CoreIDOf(tag uint32, id CoreID) Value { return RawBytes(tag, id.AppendTo(nil)) }

// UUIDOf is an item that is a UUID.
func UUIDOf(tag uint32, u UUID) Value { return RawBytes(tag, u[:]) }

// SpecialOf is an ST 1201 integer that may be no number: "above maximum", say.
func SpecialOf(tag uint32, v IMAPValue) Value { return Value{tag: tag, kind: specialValue, imap: v} }

// VTargetOf is one detection of a VTarget series: its number, and the items of its VTarget pack.
func VTargetOf(id int64, items ...Value) Value { return PackOf(0, Integer(1, id), SetOf(2, items...)) }

// Sized is v in so many bytes, where the standard lets that vary.
func (v Value) Sized(bytes int) Value {
	v.size = bytes
	return v
}

// Keyed is v as an item of a universal set, which is told by its key and not by a tag.
func (v Value) Keyed(key UL) Value {
	v.key = key
	return v
}

// Encode0601 writes a whole ST 0601 packet: key, length, the values in the order given, and the checksum as item 1. It fails
// on a value outside its item's range, on a tag that the standard does not list, and on the items that this package does not
// make (see Withheld).
func Encode0601(values ...Value) ([]byte, error) { return ST0601.Encode(values...) }

// Encode writes a whole packet of a local set; see Encode0601.
func (std *Standard) Encode(values ...Value) ([]byte, error) {
	body, err := std.EncodeItems(values...)
	if err != nil {
		return nil, err
	}
	c, n := std.check, len(body)
	if c.how != noSum {
		n += 2 + c.how.bytes()
	}
	out := appendBERLength(append([]byte(nil), std.Key[:]...), uint64(n))
	out = append(out, body...)
	if c.how != noSum {
		out = append(out, byte(c.tag), byte(c.how.bytes()))
		out = appendUint(out, uint64(c.how.of(out)), c.how.bytes())
	}
	return out, nil
}

// EncodeItems writes the items alone, as a nested set holds them.
func (std *Standard) EncodeItems(values ...Value) (out []byte, err error) {
	var before []*Row
	for _, v := range values {
		if v.whole != nil {
			out, before = append(out, v.whole...), append(before, std.local.row(v.tag))
			continue
		}
		row, label := std.local.row(v.tag), (&Item{Tag: v.tag, Key: v.key}).label()
		if std.universal != nil {
			row = std.universalRow(v.key)
		}
		if row == nil || row.Format == Opaque || row.Format == ChecksumSum {
			return nil, fmt.Errorf("klv: %s of ST %s is not one that this package writes", label, std.Name)
		}
		b, err := row.bytesAfter(v, before)
		if err != nil {
			return nil, fmt.Errorf("klv: %s (%s): %w", label, row.Name, err)
		}
		if std.universal != nil {
			out = append(out, v.key[:]...)
		} else {
			out = appendBEROID(out, v.tag)
		}
		out = appendBERLength(out, uint64(len(b)))
		out = append(out, b...)
		before = append(before, row)
	}
	return out, nil
}

// bytesAfter is bytes for an item that comes after others in its set: a pack of deviations is about them.
func (r *Row) bytesAfter(v Value, before []*Row) ([]byte, error) {
	if v.kind != sdccValue {
		return r.bytes(v)
	}
	if r.Format != SDCCPack || v.sdcc.Size > len(before) {
		return nil, fmt.Errorf("deviations of %d items after %d", v.sdcc.Size, len(before))
	}
	return v.sdcc.AppendTo(nil, before[len(before)-v.sdcc.Size:])
}

// bytes is the value as the row has it written.
func (r *Row) bytes(v Value) ([]byte, error) {
	switch v.kind {
	case rawValue:
		return v.raw, nil
	case textValue:
		return r.text(v)
	case setValue:
		if r.Format != Nested {
			return nil, errors.New("a set does not fit this item")
		}
		return r.set().EncodeItems(v.parts...)
	case packValue:
		return r.pack(v.parts)
	case listValue:
		return r.list(v.parts)
	case arrayValue:
		return r.array(v.array)
	case specialValue:
		if out, ok := AppendIMAPB(nil, v.imap, r.Lo, r.Hi, max(v.size, r.Size)); r.Format == IMAPB && ok {
			return out, nil
		}
		return nil, fmt.Errorf("the ST 1201 value %q does not fit this item", v.imap.Kind)
	}
	return r.number(v)
}

func (r *Row) text(v Value) ([]byte, error) {
	switch {
	case !utf8.Valid(v.raw) || r.Format != Text && r.Format != TextUTF16 || r.Format == Text && r.Size != 0 && len(v.raw) != r.Size:
		return nil, fmt.Errorf("%q is not text for this item", v.raw)
	case r.Format == Text:
		return v.raw, nil
	}
	var out []byte
	for _, u := range utf16.Encode([]rune(string(v.raw))) {
		out = binary.BigEndian.AppendUint16(out, u)
	}
	return out, nil
}

func (r *Row) number(v Value) ([]byte, error) {
	x := v.num
	if v.kind == integerValue {
		x = float64(v.n)
	}
	size := r.Size
	if v.size != 0 {
		size = v.size
	}
	switch r.Format {
	case ScaledUint, ScaledInt:
		return r.scale(x)
	case IMAPB:
		if !(x >= r.Lo && x <= r.Hi) {
			return nil, fmt.Errorf("%g lies outside %g to %g", x, r.Lo, r.Hi)
		}
		if size < 1 || size > 8 {
			return nil, fmt.Errorf("an ST 1201 integer of %d bytes", size)
		}
		return EncodeIMAPB(x, r.Lo, r.Hi, size), nil
	case Float:
		switch size {
		case 2:
			return binary.BigEndian.AppendUint16(nil, halfBits(x)), nil
		case 4:
			return binary.BigEndian.AppendUint32(nil, math.Float32bits(float32(x))), nil
		case 0, 8:
			return binary.BigEndian.AppendUint64(nil, math.Float64bits(x)), nil
		}
		return nil, fmt.Errorf("a floating-point number of %d bytes", size)
	case Unsigned, Signed, Enum, Micros, BEROID, BERLength:
		if v.kind == numberValue {
			if x != math.Trunc(x) || math.Abs(x) > 1<<53 {
				return nil, fmt.Errorf("%g is not a whole number", x)
			}
			v.n = int64(x)
		}
		return r.whole(v.n, size)
	}
	return nil, errors.New("a number does not fit this item")
}

// scale is the inverse of Item.scaled, to the nearest step.
func (r *Row) scale(x float64) ([]byte, error) {
	if !(x >= r.Lo && x <= r.Hi) {
		return nil, fmt.Errorf("%g lies outside %g to %g", x, r.Lo, r.Hi)
	}
	b := make([]byte, r.Size)
	full := float64(uint64(1)<<(8*r.Size) - 1)
	if r.Format == ScaledUint {
		putUint(b, uint64(math.Round((x-r.Lo)/(r.Hi-r.Lo)*full)))
	} else {
		putUint(b, uint64(int64(math.Round(x/(r.Hi-r.Lo)*(full-1)))))
	}
	return b, nil
}

func (r *Row) whole(n int64, size int) ([]byte, error) {
	switch {
	case r.Format == BEROID && n >= 0 && n <= math.MaxUint32:
		return appendBEROID(nil, uint32(n)), nil
	case r.Format == BERLength && n >= 0:
		return appendBERLength(nil, uint64(n)), nil
	case r.Format == BEROID || r.Format == BERLength:
		return nil, fmt.Errorf("%d cannot be written in this form", n)
	}
	if size == 0 {
		size = 1
		for size < 8 && !fits(n, size, r.Format == Signed) {
			size++
		}
	}
	if size > 8 || !fits(n, size, r.Format == Signed) {
		return nil, fmt.Errorf("%d does not fit in %d bytes", n, size)
	}
	b := make([]byte, size)
	putUint(b, uint64(n))
	return b, nil
}

func fits(n int64, size int, signed bool) bool {
	if signed {
		shift := 64 - 8*size
		return n<<shift>>shift == n
	}
	return n >= 0 && (size == 8 || n < 1<<(8*size))
}

// pack writes fields in the order of the standard.
func (r *Row) pack(values []Value) (out []byte, err error) {
	fields := map[uint32]Value{}
	last := 0
	for _, v := range values {
		if v.tag < 1 || int(v.tag) > len(r.Fields) {
			return nil, fmt.Errorf("it has no field %d", v.tag)
		}
		fields[v.tag], last = v, max(last, int(v.tag))
	}
	if r.Format == BitFields {
		return r.packBits(fields)
	}
	if r.Format != Pack {
		return nil, errors.New("a pack does not fit this item")
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		v, given := fields[uint32(i+1)]
		if !given && i >= last && (f.Optional || f.Ends == AtEnd) {
			break
		}
		if !given && f.Ends != Told {
			return nil, fmt.Errorf("field %d (%s) is missing", i+1, f.Name)
		}
		if !given {
			v = Clear(0)
		}
		if out, err = f.appendTo(out, v, i+1 == last); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// appendTo writes the field with what tells its end.
func (f *Field) appendTo(out []byte, v Value, last bool) ([]byte, error) {
	b, err := f.Row.bytes(v)
	if err != nil {
		return out, fmt.Errorf("%s: %w", f.Name, err)
	}
	switch {
	case f.Ends == Told:
		out = appendBERLength(out, uint64(len(b)))
	case f.Ends == Fixed && len(b) != f.Size:
		return out, fmt.Errorf("%s: %d bytes where %d are due", f.Name, len(b), f.Size)
	}
	out = append(out, b...)
	if f.Ends == Parted && !last {
		out = append(out, 0x1e)
	}
	return out, nil
}

func (r *Row) packBits(fields map[uint32]Value) ([]byte, error) {
	var n uint64
	shift := 0
	for i := range r.Fields {
		f := &r.Fields[i]
		v := fields[uint32(i+1)].n
		if v < 0 || v >= 1<<f.Size {
			return nil, fmt.Errorf("%s: %d does not fit in %d bits", f.Name, v, f.Size)
		}
		n |= uint64(v) << shift
		shift += f.Size
	}
	return appendUint(nil, n, r.Size), nil
}

func (r *Row) list(entries []Value) (out []byte, err error) {
	if r.Format != List {
		return nil, errors.New("a list does not fit this item")
	}
	if r.Counted {
		out = appendBEROID(out, uint32(len(entries)))
	}
	for i, v := range entries {
		if out, err = r.Entry.appendTo(out, v, false); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
	}
	return out, nil
}

func (r *Row) array(a *Array) ([]byte, error) {
	switch r.Format {
	case MDArray:
		return a.AppendTo(nil, r)
	case BitList:
		return bitListBytes(a.Numbers)
	case List:
		entries := make([]Value, len(a.Numbers))
		for i, x := range a.Numbers {
			entries[i] = Number(0, x)
		}
		return r.list(entries)
	}
	return nil, errors.New("numbers do not fit this item")
}

// bitListBytes sets the bits with these numbers; the inverse of bitList.
func bitListBytes(numbers []float64) ([]byte, error) {
	var out []byte
	for _, x := range numbers {
		if x != math.Trunc(x) || x < 0 || x >= 1<<16 {
			return nil, fmt.Errorf("%g is no number of a bit", x)
		}
		for len(out) <= int(x)/8 {
			out = append(out, 0)
		}
		out[int(x)/8] |= 1 << (int(x) % 8)
	}
	slices.Reverse(out)
	return out, nil
}

// ValueOf is a node to be written again: what was decoded, in as many bytes as it came. What is withheld, malformed or not listed, and
// what has bytes that could not be read, goes as it came.
func ValueOf(n *Node) Value {
	v := valueOf(n)
	v.key = n.Key()
	return v
}

func valueOf(n *Node) Value {
	v := Value{tag: n.Tag, kind: rawValue, raw: n.Value}
	if n.State != Given && n.State != Cleared || len(n.Tail) > 0 || n.Kind == AsBytes {
		if n.Tag != 0 || n.Universal {
			v.whole = n.Raw
		}
		return v
	}
	if n.State == Cleared {
		return v
	}
	switch n.Kind {
	case AsNumber:
		v = Number(n.Tag, n.Number).Sized(len(n.Value))
	case AsInteger:
		v = Integer(n.Tag, n.Integer).Sized(len(n.Value))
	case AsText:
		if n.Row.Format != Identifier {
			v = TextOf(n.Tag, n.Text)
		}
	case AsSet:
		v = SetOf(n.Tag, valuesOf(n.Nodes, false)...)
	case AsPack:
		if n.Row.Format != CoreIdentifier {
			v = PackOf(n.Tag, valuesOf(n.Nodes, true)...)
		}
	case AsList:
		v = ListOf(n.Tag, valuesOf(n.Nodes, false)...)
	case AsArray:
		v = ArrayOf(n.Tag, *n.Array)
	case AsSDCC:
		v = SDCCOf(n.Tag, *n.SDCC)
	}
	return v
}

func valuesOf(nodes []Node, places bool) []Value {
	out := make([]Value, len(nodes))
	for i := range nodes {
		if out[i] = ValueOf(&nodes[i]); places {
			out[i].tag = uint32(i + 1)
		}
	}
	return out
}
