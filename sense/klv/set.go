package klv

import (
	"encoding/binary"
	"fmt"
	"math"
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
	Unread                  // kept as bytes: not listed, not taken apart here, or withheld
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
	s.decodeItems(it.Row.Set, it.Value, 0)
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
	for len(b) > 0 {
		if len(s.Items) == maxItems {
			s.problem(at, fmt.Sprintf("more than %d items: the rest is kept, not read", maxItems))
			s.Tail = b
			return
		}
		it, n, why := std.head(b)
		if why != "" {
			s.problem(at, why)
			s.Tail = b
			return
		}
		it.At = at
		why = it.decode()
		if why != "" {
			s.problem(at, why)
		}
		if it.repeats(&seen) && !mayRepeat(std, it.Tag) {
			s.problem(at, fmt.Sprintf("%s comes twice; the last one counts", it.label()))
		}
		s.Items = append(s.Items, it)
		b, at = b[n:], at+n
	}
}

// head reads tag or key and length of the item at the front of b, which n bytes make up; why says why there is none.
func (std *Standard) head(b []byte) (it Item, n int, why string) {
	k := 16
	if std.universal != nil {
		if len(b) < 16 {
			return it, 0, fmt.Sprintf("%d bytes left where a 16-byte item key is due", len(b))
		}
		it.Key = UL(b)
		it.Row = std.universalRow(it.Key)
	} else {
		if it.Tag, k = berOID(b); k <= 0 {
			return it, 0, "no item tag can be read"
		}
		it.Row = std.local.row(it.Tag)
	}
	length, l := berLength(b[k:])
	if l <= 0 {
		return it, 0, fmt.Sprintf("%s: no length can be read", it.label())
	}
	if length > uint64(len(b)-k-l) {
		return it, 0, fmt.Sprintf("%s: %d bytes announced, %d left", it.label(), length, len(b)-k-l)
	}
	n = k + l + int(length)
	it.Raw, it.Value = b[:n:n], b[k+l:n:n]
	return it, n, ""
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

// repeats marks the item in seen and reports whether it was there. Long tags and universal keys are not watched.
func (it *Item) repeats(seen *[4]uint64) bool {
	if it.Tag > 255 || it.Tag == 0 {
		return false
	}
	word, bit := it.Tag/64, uint64(1)<<(it.Tag%64)
	was := seen[word]&bit != 0
	seen[word] |= bit
	return was
}

// mayRepeat lists the items that ST 0601 allows more than once in a packet: alternates of lists, segments, amendments and
// commands.
func mayRepeat(std *Standard, tag uint32) bool {
	return std == ST0601 && (tag == 95 || tag >= 97 && tag <= 101 || tag == 115 || tag == 127)
}

// decode reads the value by the item's row.
func (it *Item) decode() (why string) {
	if it.Row == nil {
		it.State = Unread
		return ""
	}
	f := it.Row.Format
	if f == Opaque {
		it.State = Unread
		return ""
	}
	if len(it.Value) == 0 {
		it.State = Cleared
		return ""
	}
	it.State = Malformed
	if size := it.Row.Size; size != 0 && f != IMAPB && len(it.Value) != size {
		return fmt.Sprintf("%s (%s): %d bytes where %d are due", it.label(), it.Row.Name, len(it.Value), size)
	}
	switch f {
	case ScaledUint, ScaledInt:
		return it.scaled()
	case Unsigned, Signed, Enum, Micros, ChecksumSum:
		return it.integer()
	case IMAPB, Float:
		return it.real()
	case Text:
		if !utf8.Valid(it.Value) {
			return fmt.Sprintf("%s (%s): not UTF-8 text", it.label(), it.Row.Name)
		}
	case TextUTF16:
		if len(it.Value)%2 != 0 {
			return fmt.Sprintf("%s (%s): UTF-16 text of an odd number of bytes", it.label(), it.Row.Name)
		}
	case Bytes, List:
		it.State = Unread
		return ""
	}
	it.State = Given
	return ""
}

// scaled maps an integer of the row's size onto its range: ST 0601 section 7, "soft" conversion.
func (it *Item) scaled() string {
	r := it.Row
	full := float64(uint64(1)<<(8*r.Size) - 1) // 2^n-1
	if r.Format == ScaledUint {
		it.Integer = int64(uintOf(it.Value))
		it.Number = float64(it.Integer)*((r.Hi-r.Lo)/full) + r.Lo
		it.State = Given
		return ""
	}
	it.Integer = intOf(it.Value)
	if it.Integer == -1<<(8*r.Size-1) {
		it.State = OutOfRange
		return ""
	}
	it.Number = float64(it.Integer) * ((r.Hi - r.Lo) / (full - 1))
	it.State = Given
	return ""
}

func (it *Item) integer() string {
	if len(it.Value) > 8 {
		return fmt.Sprintf("%s (%s): an integer of %d bytes", it.label(), it.Row.Name, len(it.Value))
	}
	if it.Row.Format == Signed {
		it.Integer = intOf(it.Value)
	} else if v := uintOf(it.Value); v <= math.MaxInt64 {
		it.Integer = int64(v)
	} else {
		return fmt.Sprintf("%s (%s): %d is greater than any such value", it.label(), it.Row.Name, v)
	}
	it.Number = float64(it.Integer)
	it.State = Given
	return ""
}

func (it *Item) real() string {
	ok := true
	switch n := len(it.Value); {
	case it.Row.Format == IMAPB && n <= 8:
		it.Number, ok = DecodeIMAPB(it.Value, it.Row.Lo, it.Row.Hi)
	case it.Row.Format == Float && n == 4:
		it.Number = float64(math.Float32frombits(binary.BigEndian.Uint32(it.Value)))
	case it.Row.Format == Float && n == 8:
		it.Number = math.Float64frombits(binary.BigEndian.Uint64(it.Value))
	default:
		return fmt.Sprintf("%s (%s): a number of %d bytes", it.label(), it.Row.Name, n)
	}
	if !ok || math.IsNaN(it.Number) || math.IsInf(it.Number, 0) {
		it.State, it.Number = OutOfRange, 0
		return ""
	}
	it.State = Given
	return ""
}

// verify compares the packet's checksum: the sum of its 16-bit words from the key up to the checksum's own length byte
// (ST 0601 section 7.4; an odd last byte is the high half of its word).
func (s *Set) verify(packet []byte) {
	if !s.Standard.checksum {
		return
	}
	it := s.Item(1)
	if it == nil || it.State != Given {
		s.problem(0, "no checksum (item 1)")
		return
	}
	end := it.At + len(it.Raw)
	if last := &s.Items[len(s.Items)-1]; last.Tag != 1 {
		s.problem(it.At, "the checksum (item 1) is not the last item")
	}
	if s.Checksum = Right; sum16(packet[:end-2]) != uint16(it.Integer) {
		s.Checksum = Stale
		s.problem(it.At, fmt.Sprintf("stale checksum: %04x is written, the bytes sum to %04x", it.Integer, sum16(packet[:end-2])))
	}
}

func sum16(b []byte) uint16 {
	var sum uint64
	for len(b) >= 8 {
		v := binary.BigEndian.Uint64(b)
		sum += v>>48 + v>>32&0xffff + v>>16&0xffff + v&0xffff
		b = b[8:]
	}
	for i, c := range b {
		if i%2 == 0 {
			sum += uint64(c) << 8
		} else {
			sum += uint64(c)
		}
	}
	return uint16(sum)
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
