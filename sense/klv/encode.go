package klv

import (
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// A Value is one item to be written. Make it with Number, Integer, TextOf, Time, RawBytes or Clear.
type Value struct {
	tag  uint32
	kind valueKind
	num  float64
	n    int64
	raw  []byte
}

type valueKind uint8

const (
	numberValue valueKind = iota
	integerValue
	rawValue
	textValue
)

// Number is a numeric item in its standard's unit: degrees, metres, metres a second.
func Number(tag uint32, v float64) Value { return Value{tag: tag, kind: numberValue, num: v} }

// Integer is an item that is written unscaled: a version, an enumerated value, a count.
func Integer(tag uint32, v int64) Value { return Value{tag: tag, kind: integerValue, n: v} }

// Time is an item in microseconds since 1970: 2, 72 and 131 of ST 0601.
func Time(tag uint32, t time.Time) Value { return Integer(tag, t.UnixMicro()) }

// TextOf is a text item.
func TextOf(tag uint32, s string) Value { return Value{tag: tag, kind: textValue, raw: []byte(s)} }

// RawBytes is an item given as the bytes of its value: a nested set, say.
func RawBytes(tag uint32, b []byte) Value { return Value{tag: tag, kind: rawValue, raw: b} }

// Clear is an item of zero length: "unknown, what was said before no longer stands".
func Clear(tag uint32) Value { return Value{tag: tag, kind: rawValue} }

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
	for _, v := range values {
		row := std.local.row(v.tag)
		if row == nil || row.Format == Opaque || row.Format == ChecksumSum {
			return nil, fmt.Errorf("klv: item %d of ST %s is not one that this package writes", v.tag, std.Name)
		}
		b, err := row.bytes(v)
		if err != nil {
			return nil, fmt.Errorf("klv: item %d (%s): %w", v.tag, row.Name, err)
		}
		out = appendBERLength(appendBEROID(out, v.tag), uint64(len(b)))
		out = append(out, b...)
	}
	return out, nil
}

func (r *Row) bytes(v Value) ([]byte, error) {
	switch v.kind {
	case rawValue:
		return v.raw, nil
	case textValue:
		if r.Format != Text || !utf8.Valid(v.raw) {
			return nil, fmt.Errorf("%q is not text for this item", v.raw)
		}
		return v.raw, nil
	}
	x := v.num
	if v.kind == integerValue {
		x = float64(v.n)
	}
	switch r.Format {
	case ScaledUint, ScaledInt:
		return r.scale(x)
	case IMAPB:
		if !(x >= r.Lo && x <= r.Hi) {
			return nil, fmt.Errorf("%g lies outside %g to %g", x, r.Lo, r.Hi)
		}
		return EncodeIMAPB(x, r.Lo, r.Hi, r.Size), nil
	case Unsigned, Signed, Enum, Micros:
		if v.kind == numberValue {
			if x != math.Trunc(x) || math.Abs(x) > 1<<53 {
				return nil, fmt.Errorf("%g is not a whole number", x)
			}
			v.n = int64(x)
		}
		return r.whole(v.n)
	}
	return nil, fmt.Errorf("a number does not fit this item")
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

func (r *Row) whole(n int64) ([]byte, error) {
	size := r.Size
	if size == 0 {
		size = 1
		for size < 8 && !fits(n, size, r.Format == Signed) {
			size++
		}
	}
	if !fits(n, size, r.Format == Signed) {
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
