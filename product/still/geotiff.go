package still

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
)

// A geoTIFF is a picture on UTM of WGS 84, north up (TIFF 6.0, Aldus 1992; OGC 19-008r4): uncompressed, little-endian, in strips.
type geoTIFF struct {
	w, h        int
	epsg        int
	step        float64 // metres a pixel
	east, north float64 // of the upper left corner
	samples     int     // 1: heights or grey; 4: red, green, blue and an opacity of its own
	bits        int
	format      int // 1 unsigned, 3 float
	text        string
	software    string
}

// The types of TIFF fields.
const (
	tiffASCII    = 2
	tiffShort    = 3
	tiffLong     = 4
	tiffRational = 5
	tiffDouble   = 12
)

type field struct {
	tag, kind uint16
	count     int
	data      []byte
}

func shorts(tag uint16, v ...int) field {
	var b []byte
	for _, n := range v {
		b = binary.LittleEndian.AppendUint16(b, uint16(n))
	}
	return field{tag, tiffShort, len(v), b}
}

func longs(tag uint16, v ...int) field {
	var b []byte
	for _, n := range v {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return field{tag, tiffLong, len(v), b}
}

func doubles(tag uint16, v ...float64) field {
	var b []byte
	for _, n := range v {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(n))
	}
	return field{tag, tiffDouble, len(v), b}
}

// ascii is a text, which TIFF holds in seven bits and ends with a zero.
func ascii(tag uint16, s string) field {
	s = strings.Map(func(r rune) rune {
		if r != '\n' && (r < ' ' || r > '~') {
			return '?'
		}
		return r
	}, s)
	return field{tag, tiffASCII, len(s) + 1, append([]byte(s), 0)}
}

const stripRows = 64

// encode writes the file; pix is row by row, all samples of a pixel together, little-endian.
func (g *geoTIFF) encode(pix []byte) []byte {
	row := g.w * g.samples * g.bits / 8
	var offsets, counts []int
	const head = 8
	for y := 0; y < g.h; y += stripRows {
		offsets, counts = append(offsets, head+y*row), append(counts, min(stripRows, g.h-y)*row)
	}
	photometric := 1
	if g.samples == 4 {
		photometric = 2
	}
	same := func(v int) []int { return slices.Repeat([]int{v}, g.samples) }
	fields := []field{
		longs(256, g.w), longs(257, g.h), shorts(258, same(g.bits)...), shorts(259, 1), shorts(262, photometric), ascii(270, g.text),
		longs(273, offsets...), shorts(277, g.samples), longs(278, stripRows), longs(279, counts...),
		{282, tiffRational, 1, []byte{1, 0, 0, 0, 1, 0, 0, 0}}, {283, tiffRational, 1, []byte{1, 0, 0, 0, 1, 0, 0, 0}}, shorts(284, 1), shorts(296, 1), ascii(305, g.software),
	}
	if g.samples == 4 {
		fields = append(fields, shorts(338, 2)) // unassociated alpha
	}
	const projected, area, metre = 1, 1, 9001
	fields = append(fields, shorts(339, same(g.format)...),
		doubles(33550, g.step, g.step, 0), doubles(33922, 0, 0, 0, g.east, g.north, 0),
		shorts(34735, 1, 1, 0, 4, 1024, 0, 1, projected, 1025, 0, 1, area, 3072, 0, 1, g.epsg, 3076, 0, 1, metre))
	return assemble(pix, fields)
}

// assemble puts the pixels behind the header, the directory behind the pixels, and what does not fit in the directory behind that.
func assemble(pix []byte, fields []field) []byte {
	at := (8 + len(pix) + 1) &^ 1
	out := make([]byte, 0, at+1024)
	out = append(out, 'I', 'I', 42, 0)
	out = binary.LittleEndian.AppendUint32(out, uint32(at))
	out = append(out, pix...)
	out = append(out, make([]byte, at-len(out))...)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(fields)))
	more := at + 2 + 12*len(fields) + 4
	var beyond []byte
	for _, f := range fields {
		out = binary.LittleEndian.AppendUint16(out, f.tag)
		out = binary.LittleEndian.AppendUint16(out, f.kind)
		out = binary.LittleEndian.AppendUint32(out, uint32(f.count))
		if len(f.data) <= 4 {
			out = append(append(out, f.data...), make([]byte, 4-len(f.data))...)
			continue
		}
		out = binary.LittleEndian.AppendUint32(out, uint32(more+len(beyond)))
		beyond = append(beyond, f.data...)
		if len(beyond)%2 == 1 { // values begin on even bytes
			beyond = append(beyond, 0)
		}
	}
	return append(append(out, 0, 0, 0, 0), beyond...)
}
