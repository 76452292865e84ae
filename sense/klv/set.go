package klv

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// State says what an item's value is good for.
type State uint8

// The states of an item.
const (
	Absent     State = iota // not in the packet: says nothing, what was said before stands
	Given                   // the value is there
	Cleared                 // of zero length: "unknown", what was said before no longer stands
	OutOfRange              // the code for "outside the range of this item": not a number
	Malformed               // cannot be what the standard says; the bytes are kept
	Unread                  // kept as bytes: not listed, withheld, or a pack, list or array, which only Item.Tree takes apart
)

// An Item is one tag, length and value of a set. Its slices point into the packet that was decoded.
type Item struct {
	Tag   uint32 // of a local set
	Key   UL     // of a universal set
	At    int    // offset of the item from the first byte that was decoded
	Raw   []byte // tag or key, length and value, as sent
	Value []byte
	Row   *Row // nil when the standard does not list the item
	State State
	// Number is the value in the row's unit, of a numeric item that is Given; Integer the same for those written unscaled.
	Number  float64
	Integer int64
}

// Text is the item's text, "" when it has none.
func (it *Item) Text() string {
	if it == nil || it.State != Given {
		return ""
	}
	switch it.Row.Format {
	case Text:
		return string(it.Value)
	case TextUTF16:
		u := make([]uint16, len(it.Value)/2)
		for i := range u {
			u[i] = binary.BigEndian.Uint16(it.Value[2*i:])
		}
		return string(utf16.Decode(u))
	case Enum:
		if v := it.Row.Values; it.Integer < int64(len(v)) {
			return v[it.Integer]
		}
	}
	return ""
}

// Nested decodes the set inside an item; ok is false where it holds none that is taken apart here.
func (it *Item) Nested() (s Set, ok bool) {
	if it == nil || it.State != Given || it.Row.Format != Nested {
		return Set{}, false
	}
	s.decodeItems(it.Row.set(), it.Value, 0)
	return s, true
}

// A Problem is something wrong with a packet: where, counted from the packet's first byte, and what.
type Problem struct {
	At   int
	What string
}

// String is the problem on one line.
func (p Problem) String() string { return fmt.Sprintf("byte %d: %s", p.At, p.What) }

// Checksum is the verdict on a packet's checksum.
type Checksum uint8

// The verdicts.
const (
	NoChecksum Checksum = iota
	Right
	Stale // the sum is not that of the bytes: something was changed after, or on the way
)

// A Set is one decoded packet. Decode it again and again to save memory; it holds no copy of the packet's bytes.
type Set struct {
	Standard *Standard
	Key      UL
	Head     []byte // key and length as sent
	Items    []Item // in the order sent
	Tail     []byte // bytes at the end that make no item
	Checksum Checksum
	Problems []Problem
}

// Decode takes a whole packet apart: key, length, items. Nothing is dropped: what is unknown or malformed stays as an item or
// in Tail, and is named in Problems. The error says only that the bytes do not begin with a key and a length.
func (s *Set) Decode(packet []byte) error {
	*s = Set{Items: s.Items[:0], Problems: s.Problems[:0]}
	if len(packet) < 17 || [4]byte(packet) != keyPrefix {
		return fmt.Errorf("klv: no packet: want a 16-byte key that begins 060e2b34 and a length, have %d bytes", len(packet))
	}
	s.Key = UL(packet)
	n, k := berLength(packet[16:])
	if k <= 0 {
		return fmt.Errorf("klv: byte 16: no BER length follows the key %v", s.Key)
	}
	s.Head = packet[:16+k]
	value, after := packet[16+k:], []byte(nil)
	if n > uint64(len(value)) {
		s.problem(16, fmt.Sprintf("truncated: the length says %d bytes, %d are there", n, len(value)))
	} else if n < uint64(len(value)) {
		s.problem(16+int(n), fmt.Sprintf("%d bytes after the end of the packet", uint64(len(value))-n))
		value, after = value[:n:n], value[n:]
	}
	s.decodeItems(StandardOf(s.Key), value, 16+k)
	s.Tail = packet[len(packet)-len(after)-len(s.Tail):]
	s.verify(packet)
	return nil
}

// Decode takes one whole packet apart; see Set.Decode.
func Decode(packet []byte) (Set, error) {
	var s Set
	err := s.Decode(packet)
	return s, err
}

// maxItems bounds what one packet can cost: the largest standard lists fewer than 150 items.
const maxItems = 1 << 14

func (s *Set) problem(at int, what string) { s.Problems = append(s.Problems, Problem{at, what}) }

func (s *Set) decodeItems(std *Standard, b []byte, at int) {
	s.Standard = std
	if std == Unlisted {
		s.Tail = b
		return
	}
	var seen [4]uint64 // local tags below 256, one bit each
	items, fast := s.Items, std.fast
	for len(b) > 0 {
		if len(items) == maxItems {
			s.problem(at, fmt.Sprintf("more than %d items: the rest is kept, not read", maxItems))
			break
		}
		if len(items) == cap(items) {
			items = slices.Grow(items, min(32, 1+len(b)/2)) // an item has two bytes at the least
		}
		it := &items[:len(items)+1][len(items)]
		var head, size int
		if fast != nil && len(b) >= 2 && b[0]|b[1] < 0x80 { // almost every item of a local set
			it.Tag, it.Key, it.Row = uint32(b[0]), UL{}, fast[b[0]&0x7f]
			head, size = 2, int(b[1])
		} else if head, size = it.take(std, b); head == 0 {
			s.problem(at, std.noItem(b))
			break
		}
		n := head + size
		if n > len(b) {
			s.problem(at, std.noItem(b))
			break
		}
		it.At, it.Raw, it.Value = at, b[:n:n], b[head:n:n]
		it.State, it.Number, it.Integer = Malformed, 0, 0 // every field is set, since the item's room is used again
		items = items[:len(items)+1]
		if !it.read() {
			s.problem(at, it.malformed())
		}
		if tag := it.Tag; tag < 256 {
			word, bit := &seen[tag>>6&3], uint64(1)<<(tag&63)
			if *word&bit != 0 && tag != 0 && !(it.Row != nil && it.Row.Repeats) {
				s.problem(at, it.label()+" comes twice; the last one counts")
			}
			*word |= bit
		}
		b, at = b[n:], at+n
	}
	s.Items, s.Tail = items, b
	if std == ST0903 || std == ST0903VTrack {
		s.readVersioned()
	}
}

// take reads tag or key and length of the item at the front of b, of any size: how many bytes they take, 0 where none can be read, and
// how many the value has.
func (it *Item) take(std *Standard, b []byte) (head, size int) {
	k := 16
	it.Tag, it.Key = 0, UL{}
	if std.universal != nil {
		if len(b) < 16 {
			return 0, 0
		}
		it.Key = UL(b)
		it.Row = std.universalRow(it.Key)
	} else {
		if it.Tag, k = berOID(b); k <= 0 {
			return 0, 0
		}
		it.Row = std.local.row(it.Tag)
	}
	length, l := berLength(b[k:])
	if l <= 0 || length > uint64(len(b)-k-l) {
		return 0, 0
	}
	return k + l, int(length)
}

// noItem says why no item can be read at the front of b.
func (std *Standard) noItem(b []byte) string {
	it, k := Item{}, 16
	if std.universal != nil {
		if len(b) < 16 {
			return fmt.Sprintf("%d bytes left where a 16-byte item key is due", len(b))
		}
		it.Key = UL(b)
	} else if it.Tag, k = berOID(b); k <= 0 {
		return "no item tag can be read"
	}
	length, l := berLength(b[k:])
	if l <= 0 {
		return it.label() + ": no length can be read"
	}
	return fmt.Sprintf("%s: %d bytes announced, %d left", it.label(), length, len(b)-k-l)
}

func (std *Standard) universalRow(k UL) *Row {
	for i := range std.universal {
		if sameLabel(std.universal[i].key, k) {
			return &std.universal[i].Row
		}
	}
	return nil
}

// label names an item in a message.
func (it *Item) label() string {
	if it.Key != (UL{}) {
		return "item " + it.Key.String()
	}
	return fmt.Sprintf("item %d", it.Tag)
}

// read decodes the value by the item's row; false says that it cannot be what the standard says.
func (it *Item) read() bool {
	r := it.Row
	if r == nil {
		it.State = Unread
		return true
	}
	v := it.Value
	if len(v) == 0 {
		if it.State = Cleared; r.Format == Opaque {
			it.State = Unread
		}
		return true
	}
	switch r.op {
	case opUint8:
		if len(v) != 1 {
			return false
		}
		it.scaled(int64(v[0]), r)
	case opUint16:
		if len(v) != 2 {
			return false
		}
		it.scaled(int64(binary.BigEndian.Uint16(v)), r)
	case opUint32:
		if len(v) != 4 {
			return false
		}
		it.scaled(int64(binary.BigEndian.Uint32(v)), r)
	case opInt16:
		if len(v) != 2 {
			return false
		}
		n := int64(int16(binary.BigEndian.Uint16(v)))
		if it.scaled(n, r); n == math.MinInt16 {
			it.State, it.Number = OutOfRange, 0
		}
	case opInt32:
		if len(v) != 4 {
			return false
		}
		n := int64(int32(binary.BigEndian.Uint32(v)))
		if it.scaled(n, r); n == math.MinInt32 {
			it.State, it.Number = OutOfRange, 0
		}
	case opScaled:
		return it.scaledAny()
	case opText:
		if r.Size != 0 && len(v) != r.Size || !utf8.Valid(v) {
			return false
		}
		it.State = Given
	case opInteger:
		return it.integer()
	case opReal:
		return it.real()
	case opUTF16:
		if len(v)%2 != 0 {
			return false
		}
		it.State = Given
	case opNested:
		it.State = Given
	default:
		it.State = Unread
	}
	return true
}

// scaled maps an integer onto the row's range: ST 0601 section 7, "soft" conversion.
func (it *Item) scaled(n int64, r *Row) {
	it.Integer, it.State = n, Given
	it.Number = float64(n)*r.step + r.base
}

// scaledAny is scaled for sizes that no item of ST 0601 has.
func (it *Item) scaledAny() bool {
	r := it.Row
	if len(it.Value) != r.Size || r.Size > 7 {
		return false
	}
	if r.Format == ScaledUint {
		it.scaled(int64(uintOf(it.Value)), r)
		return true
	}
	n := intOf(it.Value)
	if it.scaled(n, r); n == -1<<(8*r.Size-1) {
		it.State, it.Number = OutOfRange, 0
	}
	return true
}

func (it *Item) integer() bool {
	r, v := it.Row, it.Value
	switch {
	case len(v) > 8 || r.exact != 0 && len(v) != r.exact:
		return false
	case r.Format == Signed:
		it.Integer = intOf(v)
	case r.Format == BEROID:
		n, k := berOID(v)
		if k != len(v) {
			return false
		}
		it.Integer = int64(n)
	case r.Format == BERLength:
		n, k := berLength(v)
		if k != len(v) || n > math.MaxInt64 {
			return false
		}
		it.Integer = int64(n)
	default:
		n := uintOf(v)
		if n > math.MaxInt64 { // greater than any such value
			return false
		}
		it.Integer = int64(n)
	}
	it.Number = float64(it.Integer)
	it.State = Given
	return true
}

func (it *Item) real() bool {
	switch n := len(it.Value); {
	case it.Row.Format == IMAPB && n <= 8:
		return it.mapped()
	case it.Row.Format != Float || it.Row.Size != 0 && it.Row.Size != n:
		return false
	case n == 4:
		it.Number = float64(math.Float32frombits(binary.BigEndian.Uint32(it.Value)))
	case n == 8:
		it.Number = math.Float64frombits(binary.BigEndian.Uint64(it.Value))
	case n == 2:
		it.Number = halfOf(binary.BigEndian.Uint16(it.Value))
	default:
		return false
	}
	if it.State = Given; math.IsNaN(it.Number) || math.IsInf(it.Number, 0) {
		it.State, it.Number = OutOfRange, 0
	}
	return true
}

// mapped reads an ST 1201 integer. One of its special codes is no number: see ReadIMAPB for which it is.
func (it *Item) mapped() bool {
	r, n := it.Row, len(it.Value)
	y := uintOf(it.Value)
	if y > 1<<(8*n-1) {
		it.State = OutOfRange
		return true
	}
	s := &r.maps[n]
	it.Number, it.State = s.number(y, r.Lo), Given
	if it.Number > r.Hi { // a code that no writer makes: the power of two of the scale reaches beyond the range
		it.State, it.Number = OutOfRange, 0
	}
	return true
}

// malformed says why read failed.
func (it *Item) malformed() string {
	r, n := it.Row, len(it.Value)
	name := fmt.Sprintf("%s (%s): ", it.label(), r.Name)
	switch {
	case r.exact != 0 && r.Format != IMAPB && n != r.exact:
		return name + fmt.Sprintf("%d bytes where %d are due", n, r.exact)
	case r.Format == Text:
		return name + "not UTF-8 text"
	case r.Format == TextUTF16:
		return name + "UTF-16 text of an odd number of bytes"
	case r.op == opInteger && n > 8:
		return name + fmt.Sprintf("an integer of %d bytes", n)
	case r.Format == BEROID || r.Format == BERLength:
		return name + "no whole number in this form"
	case r.op == opInteger:
		return name + fmt.Sprintf("%d is greater than any such value", uintOf(it.Value))
	}
	return name + fmt.Sprintf("a number of %d bytes", n)
}

// Item is the last item with this tag, nil when there is none.
func (s *Set) Item(tag uint32) *Item {
	for i := len(s.Items) - 1; i >= 0; i-- {
		if s.Items[i].Tag == tag && s.Items[i].Key == (UL{}) {
			return &s.Items[i]
		}
	}
	return nil
}

// Universal is the last item of a universal set with this key, nil when there is none.
func (s *Set) Universal(key UL) *Item {
	for i := len(s.Items) - 1; i >= 0; i-- {
		if s.Items[i].Key != (UL{}) && sameLabel(s.Items[i].Key, key) {
			return &s.Items[i]
		}
	}
	return nil
}

// Number is the value of a numeric item in its standard's unit, and what it is good for: only Given is a number.
func (s *Set) Number(tag uint32) (float64, State) {
	it := s.Item(tag)
	if it == nil {
		return 0, Absent
	}
	return it.Number, it.State
}

// Text is the text of an item, or the name of an enumerated value; "" when there is none.
func (s *Set) Text(tag uint32) string { return s.Item(tag).Text() }

// AppendTo writes the set back as it came, byte for byte: key, length, every item, what follows them.
func (s *Set) AppendTo(b []byte) []byte {
	b = append(b, s.Head...)
	for i := range s.Items {
		b = append(b, s.Items[i].Raw...)
	}
	return append(b, s.Tail...)
}
