package klv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
)

// ArrayForm is the array processing algorithm of ST 1303: how the elements are written.
type ArrayForm uint8

// The forms (ST 1303.2 table 1).
const (
	PlainList ArrayForm = iota // no ST 1303 array: the numbers of a List
	Natural                    // each element as its standard has it
	Mapped                     // ST 1201 integers over Lo..Hi
	Boolean                    // one bit an element, the most significant first
	Offset                     // BER-OID numbers, to each of which Bias is added
	RunLength                  // a default, and patches of equal value
)

var arrayForms = [...]string{"list", "natural", "imap", "boolean", "unsigned integer", "run-length"}

// String is the form in words.
func (f ArrayForm) String() string { return arrayForms[min(int(f), len(arrayForms)-1)] }

// An Array is a multidimensional array of numbers (MISB ST 1303). Whole numbers are exact up to 2^53.
type Array struct {
	Sizes   []int     // of each dimension
	Numbers []float64 // in row-major order: the last index runs fastest. NaN where an element is no number
	Form    ArrayForm
	// ElementSize is how many bytes an element takes, BoundSize how many each of Lo and Hi (Mapped: 4 or 8).
	ElementSize int
	BoundSize   int
	Lo, Hi      float64
	Bias        uint64 // of Offset
	Default     int64  // of RunLength: two's complement of ElementSize bytes
	// Patches of a RunLength array, as they came. AppendTo writes them again; where there are none it finds its own.
	Patches []Patch
}

// A Patch is a block of equal elements of a RunLength array.
type Patch struct {
	Value int64
	At    []int // the first index, a dimension each
	Size  []int
}

// maxElements bounds what run-length arrays hold and paint in one tree: a few bytes could else ask for terabytes.
const (
	maxElements   = 1 << 20
	maxDimensions = 16
)

func (a *Array) appendJSON(b []byte) []byte {
	b = append(b, `{"sizes":[`...)
	for i, n := range a.Sizes {
		b = strconv.AppendInt(comma(b, i), int64(n), 10)
	}
	b = append(b, `],"elements":`...)
	return append(appendFloats(b, a.Numbers), '}')
}

// At is the element with these indices, one a dimension; NaN where there is none.
func (a *Array) At(index ...int) float64 {
	i := 0
	if len(index) != len(a.Sizes) {
		return math.NaN()
	}
	for d, k := range index {
		if k < 0 || k >= a.Sizes[d] {
			return math.NaN()
		}
		i = i*a.Sizes[d] + k
	}
	return a.Numbers[i]
}

// errShort is the reason for most arrays that cannot be read.
var errShort = errors.New("the array is cut short")

// numberReader takes numbers off the front of bytes; after the first that is not there, all are zero and err says so.
type numberReader struct {
	b   []byte
	err error
}

func (r *numberReader) oid() int {
	n, k := berOID(r.b)
	if k <= 0 {
		r.b, r.err = nil, errShort
		return 0
	}
	r.b = r.b[k:]
	return int(n)
}

func (r *numberReader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.b, r.err = nil, errShort
		return make([]byte, min(max(n, 0), 8))
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

// ReadArray reads an ST 1303 array; row says how its elements are written in their natural form.
func ReadArray(b []byte, row *Row) (*Array, error) {
	room := maxElements
	return readArray(b, row, &room)
}

// readArray is ReadArray with the room for what takes less than a byte an element; it takes from it what it uses.
func readArray(b []byte, row *Row, room *int) (*Array, error) {
	r := &numberReader{b: b}
	a := &Array{}
	dims := r.oid()
	if dims < 1 || dims > maxDimensions {
		return nil, fmt.Errorf("an array of %d dimensions", dims)
	}
	count := uint64(1)
	for range dims {
		n := r.oid()
		hi, lo := bits.Mul64(count, uint64(n))
		if n < 1 || hi != 0 || lo > 1<<40 {
			return nil, errors.New("a dimension that is nothing, or too many elements")
		}
		a.Sizes, count = append(a.Sizes, n), lo
	}
	a.ElementSize = r.oid()
	a.Form = ArrayForm(r.oid())
	if a.ElementSize < 1 || a.ElementSize > 8 {
		return nil, fmt.Errorf("elements of %d bytes", a.ElementSize)
	}
	if limit := map[ArrayForm]int{Boolean: 8 * len(b), RunLength: *room}; count > uint64(max(len(b), limit[a.Form])) {
		return nil, errShort
	}
	if err := a.elements(r, int(count), row, room); err != nil {
		return nil, err
	}
	if r.err == nil && len(r.b) > 0 {
		r.err = fmt.Errorf("%d bytes after the array's last element", len(r.b))
	}
	return a, r.err
}

func (a *Array) elements(r *numberReader, count int, row *Row, room *int) error {
	switch a.Form {
	case Natural:
		return a.natural(r, count, row)
	case Mapped:
		return a.mapped(r, count)
	case Boolean:
		packed := r.take((count + 7) / 8)
		for i := range count {
			if r.err != nil {
				return r.err
			}
			a.Numbers = append(a.Numbers, float64(packed[i/8]>>(7-i%8)&1))
		}
	case Offset:
		a.Bias = uint64(r.oid())
		for range count {
			a.Numbers = append(a.Numbers, float64(uint64(r.oid())+a.Bias))
		}
	case RunLength:
		return a.runLength(r, count, room)
	default:
		return fmt.Errorf("array processing algorithm %d", a.Form)
	}
	return r.err
}

func (a *Array) natural(r *numberReader, count int, row *Row) error {
	raw := r.take(count * a.ElementSize)
	if r.err != nil {
		return r.err
	}
	a.Numbers = make([]float64, count)
	for i := range a.Numbers {
		it := Item{Row: elementRow(row, i, a.Sizes), Value: raw[i*a.ElementSize : (i+1)*a.ElementSize]}
		if it.Row == nil || !it.read() {
			return fmt.Errorf("elements of %d bytes are not of this array", a.ElementSize)
		}
		if a.Numbers[i] = it.Number; it.State != Given {
			a.Numbers[i] = math.NaN()
		}
	}
	return nil
}

// elementRow is how element i of an array is written in its natural form.
func elementRow(row *Row, i int, sizes []int) *Row {
	if row.Entry != nil {
		return &row.Entry.Row
	}
	perRow := 1
	for _, n := range sizes[1:] {
		perRow *= n
	}
	if first := i / perRow; first < len(row.Fields) {
		return &row.Fields[first].Row
	}
	return nil
}

// mapped reads the two ends of the range, which take what the elements leave, and the elements over it.
func (a *Array) mapped(r *numberReader, count int) error {
	a.BoundSize = (len(r.b) - count*a.ElementSize) / 2
	lo, hi := r.take(a.BoundSize), r.take(a.BoundSize)
	switch a.BoundSize {
	case 4:
		a.Lo, a.Hi = float64(math.Float32frombits(binary.BigEndian.Uint32(lo))), float64(math.Float32frombits(binary.BigEndian.Uint32(hi)))
	case 8:
		a.Lo, a.Hi = math.Float64frombits(binary.BigEndian.Uint64(lo)), math.Float64frombits(binary.BigEndian.Uint64(hi))
	default:
		return fmt.Errorf("the ends of its range take %d bytes each", a.BoundSize)
	}
	if !(a.Lo < a.Hi) || math.IsInf(a.Hi-a.Lo, 0) {
		return fmt.Errorf("elements over %g to %g", a.Lo, a.Hi)
	}
	for range count {
		x, ok := DecodeIMAPB(r.take(a.ElementSize), a.Lo, a.Hi)
		if !ok {
			x = math.NaN()
		}
		a.Numbers = append(a.Numbers, x)
	}
	return r.err
}

// runLength paints the patches over the default, as far as there is room for both.
func (a *Array) runLength(r *numberReader, count int, room *int) error {
	*room -= count
	a.Default = intOf(r.take(a.ElementSize))
	a.Numbers = make([]float64, count)
	for i := range a.Numbers {
		a.Numbers[i] = float64(a.Default)
	}
	for len(r.b) > 0 {
		p := Patch{Value: intOf(r.take(a.ElementSize)), At: make([]int, len(a.Sizes)), Size: make([]int, len(a.Sizes))}
		for d := range p.At {
			p.At[d] = r.oid()
		}
		area := 1 // no greater than count
		for d := range p.Size {
			p.Size[d] = r.oid()
			if r.err != nil || p.Size[d] < 1 || p.At[d]+p.Size[d] > a.Sizes[d] {
				return errors.New("a patch that lies outside the array")
			}
			area *= p.Size[d]
		}
		if *room -= area; *room < 0 {
			return errors.New("too many elements, or too many patches over one another")
		}
		a.paint(p, 0, 0)
		a.Patches = append(a.Patches, p)
	}
	return r.err
}

// paint sets the elements of a patch, from dimension d on, in the part of the array that begins at index base of the outer ones.
func (a *Array) paint(p Patch, d, base int) {
	for k := p.At[d]; k < p.At[d]+p.Size[d]; k++ {
		if i := base*a.Sizes[d] + k; d == len(a.Sizes)-1 {
			a.Numbers[i] = float64(p.Value)
		} else {
			a.paint(p, d+1, i)
		}
	}
}

// AppendTo writes the array; row says how its elements are written in their natural form.
func (a *Array) AppendTo(b []byte, row *Row) ([]byte, error) {
	count := 1
	b = appendBEROID(b, uint32(len(a.Sizes)))
	for _, n := range a.Sizes {
		b = appendBEROID(b, uint32(n))
		count *= n
	}
	if len(a.Sizes) == 0 || count != len(a.Numbers) || count == 0 {
		return b, fmt.Errorf("%d elements where the sizes %v say %d", len(a.Numbers), a.Sizes, count)
	}
	if a.ElementSize < 1 || a.ElementSize > 8 {
		return b, fmt.Errorf("elements of %d bytes", a.ElementSize)
	}
	b = append(appendBEROID(b, uint32(a.ElementSize)), byte(a.Form))
	switch a.Form {
	case Natural:
		return a.appendNatural(b, row)
	case Mapped:
		return a.appendMapped(b)
	case Boolean:
		packed := make([]byte, (count+7)/8)
		for i, x := range a.Numbers {
			if x != 0 {
				packed[i/8] |= 0x80 >> (i % 8)
			}
		}
		return append(b, packed...), nil
	case Offset:
		b = appendBEROID(b, uint32(a.Bias))
		for _, x := range a.Numbers {
			if n := x - float64(a.Bias); n < 0 || n > math.MaxUint32 || n != math.Trunc(n) {
				return b, fmt.Errorf("%g is not a whole number of 32 bits above %d", x, a.Bias)
			}
			b = appendBEROID(b, uint32(x-float64(a.Bias)))
		}
		return b, nil
	case RunLength:
		return a.appendRuns(b), nil
	}
	return b, fmt.Errorf("array processing algorithm %d", a.Form)
}

func (a *Array) appendNatural(b []byte, row *Row) ([]byte, error) {
	for i, x := range a.Numbers {
		r := elementRow(row, i, a.Sizes)
		if r == nil {
			return b, errors.New("more rows than this array has")
		}
		e := Row{Format: r.Format, Size: a.ElementSize, Lo: r.Lo, Hi: r.Hi}
		raw, err := e.bytes(Number(0, x))
		if err != nil {
			return b, err
		}
		b = append(b, raw...)
	}
	return b, nil
}

func (a *Array) appendMapped(b []byte) ([]byte, error) {
	switch a.BoundSize {
	case 0, 8:
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(a.Lo))
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(a.Hi))
	case 4:
		b = binary.BigEndian.AppendUint32(b, math.Float32bits(float32(a.Lo)))
		b = binary.BigEndian.AppendUint32(b, math.Float32bits(float32(a.Hi)))
	default:
		return b, fmt.Errorf("the ends of its range in %d bytes", a.BoundSize)
	}
	for _, x := range a.Numbers {
		b = append(b, EncodeIMAPB(x, a.Lo, a.Hi, a.ElementSize)...)
	}
	return b, nil
}

// appendRuns writes the patches; where there are none, one for each run of equal elements of a line that are not the default.
func (a *Array) appendRuns(b []byte) []byte {
	patches := a.Patches
	if patches == nil {
		patches = a.runs()
	}
	b = appendUint(b, uint64(a.Default), a.ElementSize)
	for _, p := range patches {
		b = appendUint(b, uint64(p.Value), a.ElementSize)
		for _, k := range append(append([]int(nil), p.At...), p.Size...) {
			b = appendBEROID(b, uint32(k))
		}
	}
	return b
}

func (a *Array) runs() (out []Patch) {
	last := len(a.Sizes) - 1
	for i := 0; i < len(a.Numbers); {
		n, line := 1, a.Sizes[last]-i%a.Sizes[last]
		for n < line && a.Numbers[i+n] == a.Numbers[i] {
			n++
		}
		if a.Numbers[i] != float64(a.Default) {
			p := Patch{Value: int64(a.Numbers[i]), At: make([]int, last+1), Size: make([]int, last+1)}
			for d, rest := last, i; d >= 0; d-- {
				p.At[d], p.Size[d], rest = rest%a.Sizes[d], 1, rest/a.Sizes[d]
			}
			p.Size[last] = n
			out = append(out, p)
		}
		i += n
	}
	return out
}

func (rd *reading) array(n *Node) {
	a, err := readArray(n.Value, n.Row, &rd.room)
	if err != nil {
		rd.malformed(n, err.Error())
		return
	}
	n.Kind, n.State, n.Array = AsArray, Given, a
}
