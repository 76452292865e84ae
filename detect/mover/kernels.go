package mover

import (
	"encoding/binary"
	"math"
)

// A grey is a picture of 8-bit grey levels. Rows are stride bytes apart, a multiple of 8, and slack bytes follow the last, so
// that eight pixels may be read at once from anywhere in it.
type grey struct {
	w, h, stride int
	pix          []byte
}

const slack = 16

func newGrey(w, h int) *grey {
	stride := (w + 7) &^ 7
	return &grey{w, h, stride, make([]byte, stride*h+slack)}
}

func (g *grey) at(x, y int) int { return int(g.pix[y*g.stride+x]) }

// What follows works on eight pixels at a time, as the bytes of one word, or on four as its 16-bit lanes: portable Go does
// not vectorise, and this halves the work of a frame. Each function is held against its plain form by a test.
const (
	low7  = 0x7f7f7f7f7f7f7f7f
	even  = 0x00ff00ff00ff00ff
	ones  = 0x0001000100010001
	signs = 0x8000800080008000
)

func load(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }

func store(b []byte, i int, v uint64) { binary.LittleEndian.PutUint64(b[i:], v) }

// floorMean and ceilMean are the means of eight pairs of bytes, halves rounded down and up.
func floorMean(a, b uint64) uint64 { return a&b + (a^b)>>1&low7 }
func ceilMean(a, b uint64) uint64  { return (a | b) - (a^b)>>1&low7 }

// binomialUp and binomialDown are (a + 2b + c)/4 of eight bytes each, an eighth of a level too high and too low on the
// average: one after the other they are neither.
func binomialUp(a, b, c uint64) uint64   { return ceilMean(floorMean(a, c), b) }
func binomialDown(a, b, c uint64) uint64 { return floorMean(ceilMean(a, c), b) }

// smooth writes the picture weighted by 1 2 1 in both directions: it takes two thirds of white noise, and what is left of
// frequencies that bilinear interpolation would pass or lose by the luck of the fraction. Half the height of an edge stays
// where it was. Rows is space for three rows.
func smooth(dst, src *grey, rows [][]byte) {
	for y := range 2 {
		across(rows[y], src.pix[y*src.stride:], src.stride)
	}
	copy(dst.pix[:src.stride], rows[0])
	for y := 1; y+1 < src.h; y++ {
		above, here, below := rows[(y-1)%3], rows[y%3], rows[(y+1)%3]
		across(below, src.pix[(y+1)*src.stride:], src.stride)
		out := dst.pix[y*dst.stride : (y+1)*dst.stride]
		for len(out) >= 8 && len(above) >= 8 && len(here) >= 8 && len(below) >= 8 {
			store(out, 0, binomialDown(load(above, 0), load(here, 0), load(below, 0)))
			out, above, here, below = out[8:], above[8:], here[8:], below[8:]
		}
	}
	copy(dst.pix[(src.h-1)*dst.stride:], rows[(src.h-1)%3][:src.stride])
}

// across weights a row by 1 2 1; its ends are taken as repeated.
func across(dst, src []byte, n int) {
	first, last := src[0], src[n-1]
	w := load(src, 0)
	store(dst, 0, binomialUp(w<<8|uint64(first), w, load(src, 1)))
	left, out := src[7:], dst[8:n]
	for len(out) >= 8 && len(left) >= 10 {
		store(out, 0, binomialUp(load(left, 0), load(left, 1), load(left, 2)))
		left, out = left[8:], out[8:]
	}
	w = load(src, n-8)
	store(dst, n-8, binomialUp(load(src, max(n-9, 0)), w, w>>8|uint64(last)<<56))
}

// halve writes the means of 2 x 2 pixels.
func halve(dst, src *grey) {
	for y := range dst.h {
		a, b := src.pix[2*y*src.stride:], src.pix[(2*y+1)*src.stride:]
		out := dst.pix[y*dst.stride : y*dst.stride+dst.stride]
		n := min(len(out), src.stride/2)
		for x := 0; x+4 <= n; x += 4 {
			m := floorMean(load(a, 2*x), load(b, 2*x))
			s := (m&even + m>>8&even + ones) >> 1 & even
			s = (s | s>>8) & 0x0000ffff0000ffff
			binary.LittleEndian.PutUint32(out[x:], uint32(s|s>>16))
		}
	}
}

// A canvas is a frame laid over its anchor: pixel (x, y) shows what lies at (x-margin, y-margin) of the anchor. A row holds
// the picture from lo to hi, multiples of 8; outside of that its bytes mean nothing. A byte of 0 is black or no picture.
type canvas struct {
	*grey
	lo, hi []int32
}

func newCanvas(w, h int) *canvas {
	return &canvas{newGrey(w, h), make([]int32, h), make([]int32, h)}
}

// holds tells whether a region and two pixels around lie within the picture.
func (c *canvas) holds(r *region) bool {
	x0, x1 := int32(r.x0)-2, int32(r.x1)+2
	for _, y := range [2]int{max(int(r.y0)-2, 0), min(int(r.y1)+2, c.h-1)} {
		if x0 < c.lo[y] || x1 >= c.hi[y] {
			return false
		}
	}
	return true
}

// bendLimit is the change of scale or angle up to which eight neighbouring pixels may share one fraction of a pixel: at the
// ends of a word it is then 0.1 px off, on a slope of ten grey levels a pixel one level, less than the noise.
const bendLimit = 0.03

// warp lays the part of src within the rectangle in (x0, y0, x1, y1) over the canvas; from maps canvas to src.
func warp(dst *canvas, src *grey, from *Homography, in [4]int) {
	bent := max(math.Abs(from[0]-1), math.Abs(from[4]-1), math.Abs(from[1]), math.Abs(from[3]))
	far := max(math.Abs(from[6]), math.Abs(from[7])) * float64(dst.w) * float64(dst.w)
	exact := bent+far/float64(dst.w) > bendLimit
	for y := range dst.h {
		lo, hi := span(from, float64(y), float64(dst.w), in)
		lo, hi = (lo+7)&^7, hi&^7
		if hi <= lo {
			dst.lo[y], dst.hi[y] = 0, 0
			continue
		}
		dst.lo[y], dst.hi[y] = int32(lo), int32(hi)
		row := dst.pix[y*dst.stride : y*dst.stride+dst.stride]
		if exact {
			warpRowExact(row, lo, hi, src, from, float64(y))
		} else {
			warpRow(row, lo, hi, src, from, float64(y))
		}
	}
}

// span is the range of x, from the first to behind the last, whose points fall well inside the rectangle: each side is one
// linear inequality in x.
func span(h *Homography, y, width float64, in [4]int) (int, int) {
	const edge = 1.5 // the two pixels of an interpolation, and the bend within a word
	lo, hi := 0.0, width-1
	w0, w1 := h[7]*y+h[8], h[6]
	u0, u1 := h[1]*y+h[2], h[0]
	v0, v1 := h[4]*y+h[5], h[3]
	keep := func(c0, c1 float64) { // c0 + c1 x >= 0
		switch {
		case c1 > 0:
			lo = max(lo, -c0/c1)
		case c1 < 0:
			hi = min(hi, -c0/c1)
		case c0 < 0:
			hi = -1
		}
	}
	left, top, right, bottom := float64(in[0])+edge, float64(in[1])+edge, float64(in[2])-2-edge, float64(in[3])-2-edge
	keep(u0-left*w0, u1-left*w1)
	keep(right*w0-u0, right*w1-u1)
	keep(v0-top*w0, v1-top*w1)
	keep(bottom*w0-v0, bottom*w1-v1)
	keep(w0-0.1, w1)
	if !(hi >= lo) {
		return 0, 0
	}
	return int(math.Ceil(lo)), int(math.Floor(hi)) + 1
}

// stretch is how many pixels of a row are mapped by one straight line: between its ends a homography bends by less than
// 0.01 px for the perspective that a frame has.
const stretch = 64

// warpRow interpolates eight pixels with one fraction, in sixteenths.
func warpRow(row []byte, lo, hi int, src *grey, h *Homography, y float64) {
	u1, v1 := h.At(float64(lo)+3.5, y)
	for x := lo; x < hi; {
		end := min(x+stretch, hi)
		u0, v0 := u1, v1
		u1, v1 = h.At(float64(end)+3.5, y)
		n := (end - x) / 8
		u, v := int((u0-3.5)*65536)+2048, int(v0*65536)+2048 // rounded to the nearest sixteenth
		du, dv := int((u1-u0)*65536)/n, int((v1-v0)*65536)/n
		out := row[x:end]
		for len(out) >= 8 {
			at := (v>>16)*src.stride + u>>16
			top, bottom := (*[9]byte)(src.pix[at:]), (*[9]byte)(src.pix[at+src.stride:])
			fu, fv := uint64(u>>12&15), uint64(v>>12&15)
			far := fu * fv
			right, below := 16*fu-far, 16*fv-far
			here := 256 - right - below - far
			a, b := load(top[:8], 0), load(top[1:], 0)
			c, d := load(bottom[:8], 0), load(bottom[1:], 0)
			e := a&even*here + b&even*right + c&even*below + d&even*far
			o := a>>8&even*here + b>>8&even*right + c>>8&even*below + d>>8&even*far
			store(out, 0, e>>8&even|o&^even)
			u, v, out = u+du, v+dv, out[8:]
		}
		x = end
	}
}

// warpRowExact interpolates each pixel by its own fraction, in 256ths.
func warpRowExact(row []byte, lo, hi int, src *grey, h *Homography, y float64) {
	u1, v1 := h.At(float64(lo), y)
	for x := lo; x < hi; {
		end := min(x+stretch/4, hi)
		u0, v0 := u1, v1
		u1, v1 = h.At(float64(end), y)
		u, v := int(u0*65536), int(v0*65536)
		du, dv := int((u1-u0)*65536)/(end-x), int((v1-v0)*65536)/(end-x)
		for i := range row[x:end] {
			at := (v>>16)*src.stride + u>>16
			fu, fv := u>>8&255, v>>8&255
			top, bottom := src.pix[at:at+2], src.pix[at+src.stride:at+src.stride+2]
			a := int(top[0])*(256-fu) + int(top[1])*fu
			b := int(bottom[0])*(256-fu) + int(bottom[1])*fu
			row[x+i] = byte((a*(256-fv) + b*fv) >> 16)
			u, v = u+du, v+dv
		}
		x = end
	}
}

// stands reports which of four lanes of now (one pixel each, below 256) differ from both others by at least limit, in the
// same direction: the sign bits of its lanes.
func stands(now, past, next, limit uint64) uint64 {
	over := ((now | signs) - past - limit) & ((now | signs) - next - limit)
	under := ((past | signs) - now - limit) & ((next | signs) - now - limit)
	return (over | under) & signs
}

// absSum adds the absolute differences of n pixels from i on, n a multiple of 8 and at most 1024: a lane then holds the sum.
func absSum(a, b []byte, i, n int) int {
	var sum uint64
	a, b = a[i:i+n], b[i:i+n]
	for len(a) >= 8 && len(b) >= 8 {
		p, q := load(a, 0), load(b, 0)
		sum += absLanes(p&even, q&even) + absLanes(p>>8&even, q>>8&even)
		a, b = a[8:], b[8:]
	}
	return int(sum&0xffff + sum>>16&0xffff + sum>>32&0xffff + sum>>48)
}

// absLanes is |p - q| of four lanes below 256.
func absLanes(p, q uint64) uint64 {
	d := (p | signs) - q // 0x8000 + p - q
	less := (^d >> 15 & ones) * 0xffff
	return ((d ^ signs) ^ less) + less&ones
}
