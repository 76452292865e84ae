package still

import (
	"encoding/binary"
	"errors"

	"github.com/atalaya-isr/atalaya/product/font"
)

// A face gives the outlines of the project's own typeface (OpenType 1.9: cmap format 4, glyf, loca, hmtx, head, hhea), in whole font
// units, y upwards. It keeps what it has read, so it belongs to one goroutine.
type face struct {
	em                     int
	glyf, loca, hmtx, cmap []byte
	long                   bool // loca has 32-bit offsets
	metrics                int  // entries of hmtx with an advance of their own
	known                  map[rune]letter
}

// A letter is rings of points on its outline, curves flattened, and how far the next letter stands.
type letter struct {
	rings   [][][2]int
	advance int
}

var errFace = errors.New("still: the typeface cannot be read")

// faces are the upright and the bold face.
func faces() (plain, bold *face, err error) {
	if plain, err = readFace(font.Regular()); err != nil {
		return nil, nil, err
	}
	bold, err = readFace(font.Bold())
	return plain, bold, err
}

// readFace reads a font file. Its bytes are the program's own; an offset that leads outside of them is told as errFace.
func readFace(b []byte) (f *face, err error) {
	defer func() {
		if recover() != nil {
			f, err = nil, errFace
		}
	}()
	be := binary.BigEndian
	table := map[string][]byte{}
	for i := range int(be.Uint16(b[4:])) {
		entry := b[12+16*i:]
		at, n := be.Uint32(entry[8:]), be.Uint32(entry[12:])
		table[string(entry[:4])] = b[at : at+n : at+n]
	}
	f = &face{em: int(be.Uint16(table["head"][18:])), long: be.Uint16(table["head"][50:]) == 1, metrics: int(be.Uint16(table["hhea"][34:])),
		glyf: table["glyf"], loca: table["loca"], hmtx: table["hmtx"], known: map[rune]letter{}}
	cmap := table["cmap"]
	for i := range int(be.Uint16(cmap[2:])) {
		entry := cmap[4+8*i:]
		sub := cmap[be.Uint32(entry[4:]):]
		if be.Uint16(entry) == 3 && be.Uint16(entry[2:]) == 1 && be.Uint16(sub) == 4 {
			f.cmap = sub
		}
	}
	if f.cmap == nil || f.em == 0 || f.metrics == 0 || len(f.letter('n').rings) == 0 {
		return nil, errFace
	}
	return f, nil
}

// glyph is the number of a letter's glyph, 0 (an empty box) where the typeface has none.
func (f *face) glyph(r rune) int {
	if r > 0xffff {
		return 0
	}
	word := func(at int) int { return int(binary.BigEndian.Uint16(f.cmap[at:])) }
	double := word(6) // twice the number of segments
	for at := 0; at < double; at += 2 {
		if int(r) > word(14+at) {
			continue
		}
		start, delta, rangeAt := word(16+double+at), word(16+2*double+at), 16+3*double+at
		if int(r) < start {
			return 0
		}
		offset := word(rangeAt)
		if offset == 0 {
			return (int(r) + delta) & 0xffff
		}
		if g := word(rangeAt + offset + 2*(int(r)-start)); g != 0 {
			return (g + delta) & 0xffff
		}
		return 0
	}
	return 0
}

func (f *face) letter(r rune) letter {
	if l, ok := f.known[r]; ok {
		return l
	}
	g := f.glyph(r)
	l := letter{f.outline(g, 0), int(binary.BigEndian.Uint16(f.hmtx[4*min(g, f.metrics-1):]))}
	f.known[r] = l
	return l
}

// width is that of a line of text, font units.
func (f *face) width(words string) (n int) {
	for _, r := range words {
		n += f.letter(r).advance
	}
	return n
}

// maxNesting bounds how deep glyphs are put together from glyphs.
const maxNesting = 4

func (f *face) outline(g, depth int) [][][2]int {
	var from, to int
	if f.long {
		from, to = int(binary.BigEndian.Uint32(f.loca[4*g:])), int(binary.BigEndian.Uint32(f.loca[4*g+4:]))
	} else {
		from, to = 2*int(binary.BigEndian.Uint16(f.loca[2*g:])), 2*int(binary.BigEndian.Uint16(f.loca[2*g+2:]))
	}
	if from == to || depth > maxNesting {
		return nil
	}
	r := &words16{b: f.glyf[from:to]}
	contours := r.signed()
	r.skip(8) // the bounding box
	if contours < 0 {
		return f.composed(r, depth)
	}
	return contoursOf(r, contours)
}

// words16 reads big-endian words one after the other.
type words16 struct{ b []byte }

func (r *words16) skip(n int) { r.b = r.b[n:] }

func (r *words16) byte() int {
	v := int(r.b[0])
	r.skip(1)
	return v
}

func (r *words16) unsigned() int {
	v := int(binary.BigEndian.Uint16(r.b))
	r.skip(2)
	return v
}

func (r *words16) signed() int { return int(int16(r.unsigned())) }

// Flags of points and of parts (OpenType, glyf table).
const (
	onCurve    = 0x01
	shortDelta = 0x02 // of x; of y one bit further
	repeated   = 0x08
	sameDelta  = 0x10 // of x; of y one bit further

	partWords   = 0x0001
	partScaled  = 0x0008
	partMore    = 0x0020
	partScaleXY = 0x0040
	partMatrix  = 0x0080
)

func contoursOf(r *words16, contours int) [][][2]int {
	ends := make([]int, contours)
	for i := range ends {
		ends[i] = r.unsigned()
	}
	if contours == 0 {
		return nil
	}
	r.skip(r.unsigned()) // hints
	flags := make([]int, 0, ends[contours-1]+1)
	for len(flags) < cap(flags) {
		v := r.byte()
		n := 1
		if v&repeated != 0 {
			n += r.byte()
		}
		for range n {
			flags = append(flags, v)
		}
	}
	points := make([][2]int, len(flags))
	for axis := range 2 {
		at := 0
		for i, v := range flags {
			short, same := v>>axis&shortDelta != 0, v>>axis&sameDelta != 0
			switch {
			case short && same:
				at += r.byte()
			case short:
				at -= r.byte()
			case !same:
				at += r.signed()
			}
			points[i][axis] = at
		}
	}
	out := make([][][2]int, 0, contours)
	from := 0
	for _, end := range ends {
		if end >= from {
			out = append(out, flat(points[from:end+1], flags[from:end+1]))
		}
		from = end + 1
	}
	return out
}

// curveSteps is how many straight pieces stand for a curve: at the sizes drawn none is longer than two elements.
const curveSteps = 5

// flat turns a contour of quadratic curves into a ring. Two controls without a point between them have one in the middle.
func flat(points [][2]int, flags []int) [][2]int {
	n := len(points)
	full := make([][2]int, 0, 2*n)
	on := make([]bool, 0, 2*n)
	for i := range n {
		full, on = append(full, points[i]), append(on, flags[i]&onCurve != 0)
		next := (i + 1) % n
		if flags[i]&onCurve == 0 && flags[next]&onCurve == 0 {
			full, on = append(full, [2]int{(points[i][0] + points[next][0]) / 2, (points[i][1] + points[next][1]) / 2}), append(on, true)
		}
	}
	first := 0
	for first < len(on) && !on[first] {
		first++
	}
	if first == len(on) {
		return full
	}
	var out [][2]int
	for k := range full {
		i := (first + k) % len(full)
		if on[i] {
			out = append(out, full[i])
			continue
		}
		a, c, b := full[(i+len(full)-1)%len(full)], full[i], full[(i+1)%len(full)]
		for s := 1; s < curveSteps; s++ {
			u, v, w := (curveSteps-s)*(curveSteps-s), 2*s*(curveSteps-s), s*s
			const whole = curveSteps * curveSteps
			out = append(out, [2]int{(u*a[0] + v*c[0] + w*b[0]) / whole, (u*a[1] + v*c[1] + w*b[1]) / whole})
		}
	}
	return out
}

// composed puts a glyph together from others: letters with accents.
func (f *face) composed(r *words16, depth int) [][][2]int {
	var out [][][2]int
	for {
		flags, g := r.unsigned(), r.unsigned()
		var dx, dy int
		if flags&partWords != 0 {
			dx, dy = r.signed(), r.signed()
		} else {
			dx, dy = int(int8(r.byte())), int(int8(r.byte()))
		}
		const one = 1 << 14
		m := [4]int{one, 0, 0, one}
		switch {
		case flags&partScaled != 0:
			m[0] = r.signed()
			m[3] = m[0]
		case flags&partScaleXY != 0:
			m[0], m[3] = r.signed(), r.signed()
		case flags&partMatrix != 0:
			m[0], m[1], m[2], m[3] = r.signed(), r.signed(), r.signed(), r.signed()
		}
		for _, ring := range f.outline(g, depth+1) {
			for i, p := range ring {
				ring[i] = [2]int{(m[0]*p[0]+m[2]*p[1])/one + dx, (m[1]*p[0]+m[3]*p[1])/one + dy}
			}
			out = append(out, ring)
		}
		if flags&partMore == 0 {
			return out
		}
	}
}
