package still

import (
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"
)

// paint is a canvas of picture elements. Shapes are laid by whole numbers, in 256ths of an element, with sixteen lines of samples to
// each line of elements, so that the same sheet gives the same elements on every machine.
type paint struct {
	img         *image.RGBA
	plain, bold *face
	clips       []image.Rectangle
	edges       []edge
	cross       []crossing
	cover       []int32 // of one line of elements, as differences
}

const (
	sub      = 256 // parts of an element
	samples  = 16  // lines of samples in a line of elements
	allCover = sub * samples
)

// An edge goes down, in 256ths; dir is 1 where the ring goes down too.
type edge struct{ x0, y0, x1, y1, dir int }

type crossing struct{ x, dir int }

func newPaint(w, h int) (*paint, error) {
	p := &paint{img: image.NewRGBA(image.Rect(0, 0, w, h)), cover: make([]int32, w+2)}
	for i := range p.img.Pix {
		p.img.Pix[i] = 0xff
	}
	var err error
	p.plain, p.bold, err = faces()
	return p, err
}

func (p *paint) limit() image.Rectangle {
	if n := len(p.clips); n > 0 {
		return p.clips[n-1]
	}
	return p.img.Rect
}

func (p *paint) within(x, y, w, h float64) {
	r := image.Rect(int(math.Round(x)), int(math.Round(y)), int(math.Round(x+w)), int(math.Round(y+h)))
	p.clips = append(p.clips, r.Intersect(p.limit()))
}

func (p *paint) without() { p.clips = p.clips[:len(p.clips)-1] }

func parts(v float64) int { return int(math.Round(math.Min(math.Max(v, -1e6), 1e6) * sub)) }

func (p *paint) add(ax, ay, bx, by int) {
	switch {
	case ay < by:
		p.edges = append(p.edges, edge{ax, ay, bx, by, 1})
	case ay > by:
		p.edges = append(p.edges, edge{bx, by, ax, ay, -1})
	}
}

func (p *paint) fill(rings [][]point, colour string, opacity float64) {
	for _, ring := range rings {
		for i, a := range ring {
			b := ring[(i+1)%len(ring)]
			p.add(parts(a.x), parts(a.y), parts(b.x), parts(b.y))
		}
	}
	p.pour(colour, opacity)
}

func (p *paint) draw(lines [][]point, colour string, width float64, dash []float64) {
	p.fill(stroked(lines, width, dash), colour, 1)
}

// pour paints what lies within the edges, and forgets them.
func (p *paint) pour(colour string, opacity float64) {
	defer func() { p.edges = p.edges[:0] }()
	lim := p.limit()
	if len(p.edges) == 0 || lim.Empty() {
		return
	}
	slices.SortFunc(p.edges, func(a, b edge) int { return a.y0 - b.y0 })
	bottom := 0
	for _, e := range p.edges {
		bottom = max(bottom, e.y1)
	}
	r, g, b := rgb(colour)
	full := int(math.Round(opacity * 256))
	next := 0
	var active []edge
	for y := max(floorDiv(p.edges[0].y0, sub), lim.Min.Y); y < min(floorDiv(bottom, sub)+1, lim.Max.Y); y++ {
		for next < len(p.edges) && p.edges[next].y0 < (y+1)*sub {
			active = append(active, p.edges[next])
			next++
		}
		active = slices.DeleteFunc(active, func(e edge) bool { return e.y1 <= y*sub })
		if len(active) == 0 {
			continue
		}
		lo, hi := p.scan(active, y, lim)
		if lo >= hi {
			continue
		}
		sum := int32(0)
		for x := lo; x < hi; x++ {
			sum += p.cover[x]
			p.cover[x] = 0
			if a := int(sum) * full / allCover; a > 0 {
				d := p.img.Pix[p.img.PixOffset(x, y):]
				d[0], d[1], d[2] = mix(d[0], r, a), mix(d[1], g, a), mix(d[2], b, a)
			}
		}
		clear(p.cover[hi:min(hi+2, len(p.cover))])
	}
}

// scan notes how much of each element of a line is covered, as differences, and between which columns.
func (p *paint) scan(active []edge, y int, lim image.Rectangle) (lo, hi int) {
	lo, hi = lim.Max.X, lim.Min.X
	left, right := lim.Min.X*sub, lim.Max.X*sub
	for s := range samples {
		at := y*sub + s*(sub/samples) + sub/samples/2
		p.cross = p.cross[:0]
		for _, e := range active {
			if e.y0 <= at && at < e.y1 {
				p.cross = append(p.cross, crossing{e.x0 + floorDiv((at-e.y0)*(e.x1-e.x0), e.y1-e.y0), e.dir})
			}
		}
		slices.SortFunc(p.cross, func(a, b crossing) int { return a.x - b.x })
		wind := 0
		for i, c := range p.cross {
			if wind += c.dir; wind == 0 || i+1 == len(p.cross) {
				continue
			}
			a, b := min(max(c.x, left), right), min(max(p.cross[i+1].x, left), right)
			if a < b {
				p.span(a, b)
				lo, hi = min(lo, a/sub), max(hi, (b-1)/sub+1)
			}
		}
	}
	return lo, hi
}

// span covers one line of samples from a to b, not below 0.
func (p *paint) span(a, b int) {
	first, last := a/sub, b/sub
	if first == last {
		p.cover[first] += int32(b - a)
		p.cover[first+1] -= int32(b - a)
		return
	}
	head := int32((first+1)*sub - a)
	tail := int32(b - last*sub)
	p.cover[first] += head
	p.cover[first+1] += sub - head
	p.cover[last] += tail - sub
	p.cover[last+1] -= tail
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// mix goes the share a of 256 from under to over.
func mix(under, over uint8, a int) uint8 {
	return uint8((int(under)*(256-a) + int(over)*a + 128) >> 8)
}

// rgb reads #rrggbb; the colours are this package's own.
func rgb(colour string) (r, g, b uint8) {
	v, err := strconv.ParseUint(colour[1:], 16, 24)
	if err != nil || len(colour) != 7 {
		panic("still: colour " + colour)
	}
	return uint8(v >> 16), uint8(v >> 8), uint8(v)
}

func (p *paint) face(bold bool) *face {
	if bold {
		return p.bold
	}
	return p.plain
}

func (p *paint) measure(words string, size float64, bold bool) float64 {
	f := p.face(bold)
	return float64(f.width(words)) * size / float64(f.em)
}

func (p *paint) write(x, y float64, words string, l letters) {
	f := p.face(l.bold)
	scale := l.size / float64(f.em)
	at, base := parts(x-float64(l.anchor*p.measure(words, l.size, l.bold))), parts(y)
	place := func(pen int, q [2]int) (int, int) {
		return at + int(math.Round(float64(pen+q[0])*scale*sub)), base - int(math.Round(float64(q[1])*scale*sub))
	}
	if l.halo != "" {
		pen := 0
		var lines [][]point
		for _, r := range words {
			g := f.letter(r)
			for _, ring := range g.rings {
				line := make([]point, len(ring)+1)
				for i := range line {
					u, v := place(pen, ring[i%len(ring)])
					line[i] = point{float64(u) / sub, float64(v) / sub}
				}
				lines = append(lines, line)
			}
			pen += g.advance
		}
		p.fill(stroked(lines, 3, nil), l.halo, 1)
	}
	pen := 0
	for _, r := range words {
		g := f.letter(r)
		for _, ring := range g.rings {
			for i := range ring {
				ax, ay := place(pen, ring[i])
				bx, by := place(pen, ring[(i+1)%len(ring)])
				p.add(ax, ay, bx, by)
			}
		}
		p.pour(l.colour, 1)
		pen += g.advance
	}
}

func (p *paint) show(x, y int, src image.Image, k int, _ string) {
	b, lim := src.Bounds(), p.limit()
	rgba, quick := src.(*image.RGBA)
	for v := range b.Dy() * k {
		for u := range b.Dx() * k {
			if !(image.Point{x + u, y + v}).In(lim) {
				continue
			}
			d := p.img.Pix[p.img.PixOffset(x+u, y+v):]
			if quick {
				copy(d[:3], rgba.Pix[rgba.PixOffset(b.Min.X+u/k, b.Min.Y+v/k):])
				continue
			}
			c := color.NRGBAModel.Convert(src.At(b.Min.X+u/k, b.Min.Y+v/k)).(color.NRGBA)
			d[0], d[1], d[2] = mix(d[0], c.R, int(c.A)+int(c.A)>>7), mix(d[1], c.G, int(c.A)+int(c.A)>>7), mix(d[2], c.B, int(c.A)+int(c.A)>>7)
		}
	}
}
