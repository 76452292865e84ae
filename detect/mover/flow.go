package mover

import (
	"math"
	"slices"
)

const (
	levels = 4 // of the pyramid; the coarsest has an eighth of the size
	radius = 5 // of the window that is followed, px of its level
	side   = 2*radius + 1
	window = side * side
	unit   = 32 // what a grey level is in sums: five bits of fraction
)

// A pyramid is a smoothed frame and its halves.
type pyramid [levels]*grey

func newPyramid(w, h int) *pyramid {
	p := new(pyramid)
	for i := range p {
		p[i] = newGrey(w>>i, h>>i)
	}
	return p
}

// build fills the pyramid from a frame.
func (p *pyramid) build(frame *grey, rows [][]byte) {
	smooth(p[0], frame, rows)
	for i := 1; i < levels; i++ {
		halve(p[i], p[i-1])
	}
}

// A template is the window around a corner at one level, with what the inverse-compositional step needs: gradients free of
// their mean, so that a change of brightness moves nothing, and the inverse of their covariance (S. Baker, I. Matthews,
// Int. J. Computer Vision 56, 2004, doi:10.1023/B:VISI.0000011205.11775.fd, section 3.2).
type template struct {
	value, gx, gy [window]int32
	inverse       [3]float64 // xx, xy, yy
	info          [3]float64 // what it is the inverse of
	energy        float64    // of value about its mean
	ok            bool
}

// A corner is a place of the anchor that can be recognised.
type corner struct {
	x, y  float64
	level [levels]template
}

// patch reads a window around (x, y) by bilinear interpolation, in units; false where it leaves the picture.
func patch(g *grey, x, y float64, out *[window]int32) bool {
	x0, y0 := x-radius, y-radius
	if !(x0 >= 0 && y0 >= 0 && x0 < float64(g.w-side-1) && y0 < float64(g.h-side-1)) {
		return false
	}
	ix, iy := int(x0), int(y0)
	fx, fy := int32((x0-float64(ix))*128+0.5), int32((y0-float64(iy))*128+0.5)
	a, b, c, d := (128-fx)*(128-fy), fx*(128-fy), (128-fx)*fy, fx*fy
	for r := range side {
		at := (iy+r)*g.stride + ix
		top, bottom := (*[side + 1]byte)(g.pix[at:]), (*[side + 1]byte)(g.pix[at+g.stride:])
		row := (*[side]int32)(out[r*side:])
		for i := range row {
			row[i] = (a*int32(top[i]) + b*int32(top[i+1]) + c*int32(bottom[i]) + d*int32(bottom[i+1]) + 256) >> 9
		}
	}
	return true
}

func (t *template) cut(g *grey, x, y float64) {
	var left, right, up, down [window]int32
	t.ok = patch(g, x, y, &t.value) && patch(g, x-1, y, &left) && patch(g, x+1, y, &right) && patch(g, x, y-1, &up) && patch(g, x, y+1, &down)
	if !t.ok {
		return
	}
	var sx, sy, sv int32
	for i := range t.value {
		t.gx[i], t.gy[i] = (right[i]-left[i])/2, (down[i]-up[i])/2
		sx, sy, sv = sx+t.gx[i], sy+t.gy[i], sv+t.value[i]
	}
	var xx, xy, yy float64
	for i := range t.value {
		t.gx[i], t.gy[i] = t.gx[i]-sx/window, t.gy[i]-sy/window
		v := float64(t.value[i] - sv/window)
		x, y := float64(t.gx[i]), float64(t.gy[i])
		xx, xy, yy, t.energy = xx+x*x, xy+x*y, yy+y*y, t.energy+v*v
	}
	det := xx*yy - xy*xy
	// The smaller eigenvalue must stand above what one grey level of noise makes of a flat window: two units of gradient.
	if t.ok = det > 0 && (xx+yy-math.Sqrt((xx-yy)*(xx-yy)+4*xy*xy))/2 > window*(unit/8)*(unit/8); t.ok {
		t.inverse, t.info = [3]float64{yy / det, -xy / det, xx / det}, [3]float64{xx, xy, yy}
	}
}

// follow moves (x, y) to where the picture is like the template (B. Lucas, T. Kanade, IJCAI 1981). It is false where the
// steps do not shrink, leave the picture, or end where half of the template's energy is unexplained.
func (t *template) follow(g *grey, x, y float64, rounds int) (float64, float64, bool) {
	if !t.ok {
		return x, y, false
	}
	var now [window]int32
	fromX, fromY := x, y
	for round := 0; ; round++ {
		if !patch(g, x, y, &now) {
			return x, y, false
		}
		var bx, by, sum, square int
		for i := range now {
			d := int(now[i] - t.value[i])
			bx, by, sum, square = bx+d*int(t.gx[i]), by+d*int(t.gy[i]), sum+d, square+d*d
		}
		dx := t.inverse[0]*float64(bx) + t.inverse[1]*float64(by)
		dy := t.inverse[1]*float64(bx) + t.inverse[2]*float64(by)
		x, y = x-dx, y-dy
		if math.Abs(x-fromX) > side || math.Abs(y-fromY) > side {
			return x, y, false
		}
		if step := dx*dx + dy*dy; step < 0.02*0.02 || round == rounds {
			left := float64(square) - float64(sum)*float64(sum)/window
			return x, y, step < 0.5*0.5 && left < 0.5*t.energy
		}
	}
}

// down follows a corner from a coarse level to a finer one; (x, y) is the guess at full size.
func (c *corner) down(p *pyramid, x, y float64, from, to int) (float64, float64, bool) {
	for l := from; l >= to; l-- {
		k := float64(int(1) << l)
		off := (k - 1) / 2 // a pixel of a level lies in the middle of those it was made of
		u, v, ok := c.level[l].follow(p[l], (x-off)/k, (y-off)/k, 6)
		if ok {
			x, y = u*k+off, v*k+off
		} else if l == to {
			return x, y, false
		}
	}
	return x, y, true
}

// A finder of corners keeps its space between frames.
type finder struct {
	xx, xy, yy []int32
	row        []int32
	score      []float64
	corners    []corner
}

// find lists the corners of a frame: in each cell the place where the smaller eigenvalue of the gradients' covariance is
// largest (J. Shi, C. Tomasi, CVPR 1994, doi:10.1109/CVPR.1994.323794), judged at half size and placed to two pixels, which
// is all that a window needs. Use says which places may be taken.
func (f *finder) find(p *pyramid, cell int, use func(x, y int) bool) []corner {
	half := p[1]
	f.gradients(half)
	w, h, stride := half.w, half.h, half.stride
	const reach = radius + 2
	f.score = f.score[:0]
	type place struct {
		x, y int
		min  float64
	}
	var best []place
	for y0 := 0; y0 < h; y0 += cell / 2 {
		for x0 := 0; x0 < w; x0 += cell / 2 {
			top := place{}
			for y := max(y0, reach); y < min(y0+cell/2, h-reach); y++ {
				for x := max(x0, reach); x < min(x0+cell/2, w-reach); x++ {
					i := y*stride + x
					a, b, c := float64(f.xx[i]), float64(f.xy[i]), float64(f.yy[i])
					if m := a + c - math.Sqrt((a-c)*(a-c)+4*b*b); m > top.min && use(2*x, 2*y) {
						top = place{x, y, m}
					}
				}
			}
			if top.min > 0 {
				best = append(best, top)
				f.score = append(f.score, top.min)
			}
		}
	}
	if len(best) == 0 {
		return nil
	}
	slices.Sort(f.score)
	floor := f.score[len(f.score)*9/10] / 300 // far below the best there is only noise
	f.corners = f.corners[:0]
	for _, b := range best {
		if b.min < floor {
			continue
		}
		c := corner{x: float64(2*b.x) + 0.5, y: float64(2*b.y) + 0.5}
		for l := range c.level {
			k := float64(int(1) << l)
			off := (k - 1) / 2
			c.level[l].cut(p[l], (c.x-off)/k, (c.y-off)/k)
		}
		if c.level[0].ok {
			f.corners = append(f.corners, c)
		}
	}
	return f.corners
}

// gradients sums products of gradients over 7 x 7 pixels.
func (f *finder) gradients(g *grey) {
	n := g.stride * g.h
	if len(f.xx) < n {
		f.xx, f.xy, f.yy, f.row = make([]int32, n), make([]int32, n), make([]int32, n), make([]int32, g.stride+g.h)
	}
	for y := 1; y+1 < g.h; y++ {
		at := y * g.stride
		up, here, down := g.pix[at-g.stride:at], g.pix[at:at+g.stride], g.pix[at+g.stride:at+2*g.stride]
		xx, xy, yy := f.xx[at:at+g.stride], f.xy[at:at+g.stride], f.yy[at:at+g.stride]
		for x := 1; x+1 < g.w; x++ {
			dx, dy := int32(here[x+1])-int32(here[x-1]), int32(down[x])-int32(up[x])
			xx[x], xy[x], yy[x] = dx*dx, dx*dy, dy*dy
		}
	}
	for _, m := range [3][]int32{f.xx, f.xy, f.yy} {
		for y := range g.h {
			box7(m[y*g.stride:], 1, g.w, f.row)
		}
		for x := range g.w {
			box7(m[x:], g.stride, g.h, f.row)
		}
	}
}

// box7 puts in the place of each of n values, step apart, the sum of the seven around it.
func box7(m []int32, step, n int, space []int32) {
	old := space[:n]
	for i := range old {
		old[i] = m[i*step]
	}
	var sum int32
	for i := range min(3, n) {
		sum += old[i]
	}
	for i := range old {
		if i+3 < n {
			sum += old[i+3]
		}
		if i > 3 {
			sum -= old[i-4]
		}
		m[i*step] = sum
	}
}
