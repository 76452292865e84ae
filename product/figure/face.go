package figure

import (
	"encoding/binary"
	"errors"
)

// A face is the outlines of a TrueType font: as much of the format as the project's own font needs (OpenType specification 1.9:
// head, maxp, hhea, hmtx, cmap format 4, loca, glyf with simple and composite glyphs). Hints are passed over.
type face struct {
	em                     float64
	glyf, loca, hmtx, cmap []byte
	longLoca               bool
	advances               int
	known                  map[rune]glyph
}

// A glyph is one letter in font units, y upwards.
type glyph struct {
	rings   [][][2]float64
	advance float64
}

var errFont = errors.New("figure: the font cannot be read")

// readFace reads a font. Offsets that lead outside it are a defect of the file: errFont.
func readFace(b []byte) (f *face, err error) {
	defer func() { // the tables are read by offset, as they come: one place says that one led astray
		if recover() != nil {
			f, err = nil, errFont
		}
	}()
	b = b[:len(b):len(b)] // or an offset could lead past the end, into what else the slice has room for
	u16 := binary.BigEndian.Uint16
	tables := map[string][]byte{}
	for i := range int(u16(b[4:])) {
		r := b[12+16*i:]
		at, n := binary.BigEndian.Uint32(r[8:]), binary.BigEndian.Uint32(r[12:])
		tables[string(r[:4])] = b[at : at+n]
	}
	head := tables["head"]
	f = &face{em: float64(u16(head[18:])), longLoca: u16(head[50:]) == 1, glyf: tables["glyf"], loca: tables["loca"], hmtx: tables["hmtx"],
		advances: int(u16(tables["hhea"][34:])), known: map[rune]glyph{}}
	cmap := tables["cmap"]
	for i := range int(u16(cmap[2:])) {
		r := cmap[4+8*i:]
		if sub := cmap[binary.BigEndian.Uint32(r[4:]):]; u16(r) == 3 && u16(r[2:]) == 1 && u16(sub) == 4 {
			f.cmap = sub[:u16(sub[2:])]
		}
	}
	if f.cmap == nil || f.em == 0 || f.glyph('n').advance == 0 {
		return nil, errFont
	}
	return f, nil
}

// index is the glyph of a letter, 0 (the box) where the font has none.
func (f *face) index(r rune) int {
	if r > 0xffff {
		return 0
	}
	u := func(at int) int { return int(binary.BigEndian.Uint16(f.cmap[at:])) }
	n := u(6) / 2 // segments
	for i := range n {
		if end := u(14 + 2*i); int(r) > end {
			continue
		}
		start, delta, at := u(16+2*n+2*i), u(16+4*n+2*i), 16+6*n+2*i
		if int(r) < start {
			return 0
		}
		if offset := u(at); offset != 0 {
			g := u(at + offset + 2*(int(r)-start))
			if g == 0 {
				return 0
			}
			return (g + delta) & 0xffff
		}
		return (int(r) + delta) & 0xffff
	}
	return 0
}

func (f *face) glyph(r rune) glyph {
	if g, ok := f.known[r]; ok {
		return g
	}
	i := f.index(r)
	g := glyph{rings: f.outline(i, 0), advance: float64(binary.BigEndian.Uint16(f.hmtx[4*min(i, f.advances-1):]))}
	f.known[r] = g
	return g
}

// width is that of a line of text, in font units.
func (f *face) width(words string) (w float64) {
	for _, r := range words {
		w += f.glyph(r).advance
	}
	return w
}

func (f *face) data(i int) []byte {
	if f.longLoca {
		return f.glyf[binary.BigEndian.Uint32(f.loca[4*i:]):binary.BigEndian.Uint32(f.loca[4*i+4:])]
	}
	return f.glyf[2*int(binary.BigEndian.Uint16(f.loca[2*i:])) : 2*int(binary.BigEndian.Uint16(f.loca[2*i+2:]))]
}

// deepest bounds how far glyphs are made of glyphs.
const deepest = 5

func (f *face) outline(i, depth int) [][][2]float64 {
	b := f.data(i)
	if len(b) == 0 || depth > deepest {
		return nil
	}
	if n := int(int16(binary.BigEndian.Uint16(b))); n >= 0 {
		return simple(b[10:], n)
	}
	return f.composite(b[10:], depth)
}

func simple(b []byte, n int) [][][2]float64 {
	if n == 0 {
		return nil
	}
	ends := make([]int, n)
	for k := range ends {
		ends[k] = int(binary.BigEndian.Uint16(b[2*k:]))
	}
	b = b[2*n:]
	b = b[2+int(binary.BigEndian.Uint16(b)):] // hints
	count := ends[n-1] + 1
	flags := make([]byte, 0, count)
	for len(flags) < count {
		v := b[0]
		b = b[1:]
		flags = append(flags, v)
		if v&8 != 0 {
			for range b[0] {
				flags = append(flags, v)
			}
			b = b[1:]
		}
	}
	points := make([][2]float64, count)
	for axis := range 2 {
		short, same := byte(2)<<axis, byte(16)<<axis
		at := 0
		for k := range points {
			switch {
			case flags[k]&short != 0:
				d := int(b[0])
				b = b[1:]
				if flags[k]&same == 0 {
					d = -d
				}
				at += d
			case flags[k]&same == 0:
				at += int(int16(binary.BigEndian.Uint16(b)))
				b = b[2:]
			}
			points[k][axis] = float64(at)
		}
	}
	var out [][][2]float64
	from := 0
	for _, end := range ends {
		out = append(out, flattened(points[from:end+1], flags[from:end+1]))
		from = end + 1
	}
	return out
}

// flattened turns a contour of quadratic curves into a ring: six pieces a curve leave less than a hundredth of its height.
func flattened(p [][2]float64, flags []byte) [][2]float64 {
	mid := func(a, b [2]float64) [2]float64 { return [2]float64{(a[0] + b[0]) / 2, (a[1] + b[1]) / 2} }
	n := len(p)
	if n == 0 {
		return nil
	}
	on := func(i int) bool { return flags[i%n]&1 != 0 }
	start := 0
	for start < n && !on(start) {
		start++
	}
	var cur [2]float64
	if start == n { // no point on the curve: between two controls there is one
		start, cur = 0, mid(p[n-1], p[0])
	} else {
		cur = p[start]
		start++
	}
	out := [][2]float64{cur}
	for k := range n {
		i := (start + k) % n
		if on(i) {
			cur = p[i]
			out = append(out, cur)
			continue
		}
		next := (i + 1) % n
		end := p[next]
		if !on(next) {
			end = mid(p[i], p[next])
		}
		for s := 1; s <= 6; s++ {
			t := float64(s) / 6
			a, b, c := (1-t)*(1-t), 2*t*(1-t), t*t
			out = append(out, [2]float64{a*cur[0] + b*p[i][0] + c*end[0], a*cur[1] + b*p[i][1] + c*end[1]})
		}
		cur = end
	}
	return out
}

// composite puts a glyph together from others: letters with accents.
func (f *face) composite(b []byte, depth int) [][][2]float64 {
	u16 := func(at int) int { return int(int16(binary.BigEndian.Uint16(b[at:]))) }
	f2 := func(at int) float64 { return float64(u16(at)) / 16384 }
	var out [][][2]float64
	for {
		flags, i := u16(0), int(binary.BigEndian.Uint16(b[2:]))
		var dx, dy float64
		if flags&1 != 0 {
			dx, dy = float64(u16(4)), float64(u16(6))
			b = b[8:]
		} else {
			dx, dy = float64(int8(b[4])), float64(int8(b[5]))
			b = b[6:]
		}
		m := [4]float64{1, 0, 0, 1}
		switch {
		case flags&8 != 0:
			m[0], m[3] = f2(0), f2(0)
			b = b[2:]
		case flags&64 != 0:
			m[0], m[3] = f2(0), f2(2)
			b = b[4:]
		case flags&128 != 0:
			m = [4]float64{f2(0), f2(2), f2(4), f2(6)}
			b = b[8:]
		}
		for _, ring := range f.outline(i, depth+1) {
			for k, q := range ring {
				ring[k] = [2]float64{m[0]*q[0] + m[2]*q[1] + dx, m[1]*q[0] + m[3]*q[1] + dy}
			}
			out = append(out, ring)
		}
		if flags&32 == 0 {
			return out
		}
	}
}
