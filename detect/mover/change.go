package mover

import (
	"math"
	"slices"
)

const (
	block    = 32 // px: noise is measured in squares of this size
	statRows = 8  // of which every so many rows are read
)

// A region is a patch of the canvas that differs from the same ground before and after.
type region struct {
	x0, y0, x1, y1 float64 // its box in the canvas, from edge to edge
	contrast       float64 // grey levels; negative is darker than the ground
	area           int     // px whose difference is above half of the contrast
}

func (r *region) centre() (float64, float64) { return (r.x0 + r.x1) / 2, (r.y0 + r.y1) / 2 }

// A changer finds what differs. It keeps its space between frames.
type changer struct {
	w, h, stride int
	mask         []byte // by pixel: 0, or one of the marks
	hits         []spot
	bw, bh       int
	noise        []float64 // standard deviation of a difference, by block
	raw          []float64
	limit        []uint64
	stack        []spot
	body         []spot
	values       []int
	sample       []int
	found        []region
}

type spot struct{ x, y int32 }

const (
	bright  = 1
	dark    = 2
	visited = 4
)

func newChanger(w, h int) *changer {
	g := newGrey(w, h)
	c := &changer{w: w, h: h, stride: g.stride, mask: g.pix, bw: (w + block - 1) / block, bh: (h + block - 1) / block}
	c.noise, c.raw, c.limit = make([]float64, c.bw*c.bh), make([]float64, c.bw*c.bh), make([]uint64, c.bw*c.bh)
	return c
}

// Sensitivity of the three frames. A pixel stands out when it differs from both others, in the same direction, by aboveNoise
// standard deviations of the difference there and by leastLevels at least, and by slopeError of a pixel's step of the ground:
// that is how far two registered frames may lie apart at an edge.
const (
	aboveNoise  = 4.0
	leastLevels = 5
	mostLevels  = 60
	slopeError  = 0.35
	leastArea   = 6    // px
	aboveGrain  = 1.6  // standard deviations, of the mean that a shift may leave: 0.8 is noise alone, the rest is half a pixel of grain
	explained   = 0.25 // share of the difference that a shift must leave no more than, to explain it
)

// find lists the regions of now that differ from past and next. Use tells whether a place of the canvas may be looked at:
// not where symbols are burned in.
//
// Fresh says that noise is to be measured: it need not be twice for one frame.
//
// Check, where not nil, are two frames of another baseline. Something that follows another stands where that was before, and
// will be; the ground between them then differs from both, but not from frames at other times.
//
// Known is what was found in this frame already: it is not looked at again.
//
// Guard is how many px the top of a structure may have slid between two of the frames: what a shift of so much explains is
// no region.
func (c *changer) find(now, past, next *canvas, fresh bool, check [2]*canvas, known []sighting, guard int, use func(x, y int) bool) []region {
	if fresh {
		c.measure(now, past)
	}
	c.scan(now, past, next)
	c.found = c.found[:0]
	for _, s := range c.hits {
		if m := c.mask[int(s.y)*c.stride+int(s.x)]; (m == bright || m == dark) && !within(known, s) {
			c.take(now, past, next, check, s, m, guard, use)
		}
	}
	for _, s := range c.hits {
		c.mask[int(s.y)*c.stride+int(s.x)] = 0
	}
	return c.found
}

func within(known []sighting, s spot) bool {
	x, y := float64(s.x), float64(s.y)
	for i := range known {
		if k := &known[i]; math.Abs(x-k.x)*2 < k.w && math.Abs(y-k.y)*2 < k.h {
			return true
		}
	}
	return false
}

// measure estimates the noise of a difference in each block, from the mean of its absolute value (times 1.2533, for normal
// noise); the median over three by three blocks leaves out what moves.
func (c *changer) measure(now, past *canvas) {
	for i := range c.raw {
		c.raw[i] = -1
	}
	for by := range c.bh {
		for bx := range c.bw {
			sum, n := 0, 0
			for y := by*block + 1; y < min((by+1)*block, c.h); y += statRows {
				lo := max(bx*block, int(now.lo[y]), int(past.lo[y]))
				hi := min((bx+1)*block, int(now.hi[y]), int(past.hi[y]))
				if hi > lo {
					sum += absSum(now.pix, past.pix, y*c.stride+lo, hi-lo)
					n += hi - lo
				}
			}
			if n >= block*block/statRows/4 {
				c.raw[by*c.bw+bx] = 1.2533 * float64(sum) / float64(n)
			}
		}
	}
	var near [9]float64
	for by := range c.bh {
		for bx := range c.bw {
			n := 0
			for y := max(by-1, 0); y <= min(by+1, c.bh-1); y++ {
				for x := max(bx-1, 0); x <= min(bx+1, c.bw-1); x++ {
					if v := c.raw[y*c.bw+x]; v >= 0 {
						near[n], n = v, n+1
					}
				}
			}
			i := by*c.bw + bx
			c.noise[i] = mostLevels / aboveNoise
			if n > 0 {
				slices.Sort(near[:n])
				c.noise[i] = near[n/2]
			}
			c.limit[i] = uint64(c.level(i)) * ones
		}
	}
}

func (c *changer) level(block int) int {
	return int(min(max(math.Ceil(aboveNoise*c.noise[block]), leastLevels), mostLevels))
}

// scan marks the pixels that stand out.
func (c *changer) scan(now, past, next *canvas) {
	c.hits = c.hits[:0]
	for y := 1; y+1 < c.h; y++ {
		lo := max(now.lo[y], past.lo[y], next.lo[y])
		hi := min(now.hi[y], past.hi[y], next.hi[y])
		limits := c.limit[y/block*c.bw:]
		for from := int(lo); from < int(hi); {
			to := min((from/block+1)*block, int(hi))
			limit := limits[from/block]
			at := y * c.stride
			a, b, d := now.pix[at+from:at+to], past.pix[at+from:at+to], next.pix[at+from:at+to]
			for len(a) >= 8 && len(b) >= 8 && len(d) >= 8 {
				p, q, r := load(a, 0), load(b, 0), load(d, 0)
				if stands(p&even, q&even, r&even, limit)|stands(p>>8&even, q>>8&even, r>>8&even, limit) != 0 {
					c.mark(now, past, next, to-len(a), y, int(limit&0xffff))
				}
				a, b, d = a[8:], b[8:], d[8:]
			}
			from = to
		}
	}
}

// mark looks at eight pixels one by one.
func (c *changer) mark(now, past, next *canvas, x, y, limit int) {
	for i := x; i < x+8; i++ {
		at := y*c.stride + i
		n, p, q := int(now.pix[at]), int(past.pix[at]), int(next.pix[at])
		if n == 0 || p == 0 || q == 0 {
			continue
		}
		over, under := min(n-p, n-q), min(p-n, q-n)
		d := max(over, under)
		if d < limit {
			continue
		}
		slope := max(slopeAt(past.pix, at, c.stride), slopeAt(next.pix, at, c.stride))
		if float64(d) < float64(limit)+slopeError*float64(slope) {
			continue
		}
		m := byte(bright)
		if under > over {
			m = dark
		}
		c.mask[at] = m
		c.hits = append(c.hits, spot{int32(i), int32(y)})
	}
}

// slopeAt is the step from pixel to pixel of the ground.
func slopeAt(pix []byte, at, stride int) int {
	dx, dy := int(pix[at+1])-int(pix[at-1]), int(pix[at+stride])-int(pix[at-stride])
	return max(dx, -dx, dy, -dy) / 2
}

// either is by how much a pixel differs from past or next, whichever is more: of something slow, each shows one end.
func either(now, past, next *canvas, at int, sign byte) int {
	n, p, q := int(now.pix[at]), int(past.pix[at]), int(next.pix[at])
	if n == 0 || p == 0 || q == 0 {
		return 0
	}
	if sign == bright {
		return n - min(p, q)
	}
	return max(p, q) - n
}

// take grows a region from one pixel that stands out: first over neighbours that do, which tells its contrast, then over all
// that differ by half of it from either frame.
func (c *changer) take(now, past, next *canvas, check [2]*canvas, from spot, sign byte, guard int, use func(x, y int) bool) {
	c.body = c.body[:0]
	c.flood(from, func(at int) bool { return c.mask[at]&3 == sign })
	seeds := len(c.body)
	c.values = c.values[:0]
	usable := 0
	for _, s := range c.body {
		c.values = append(c.values, either(now, past, next, int(s.y)*c.stride+int(s.x), sign))
		if use(int(s.x), int(s.y)) {
			usable++
		}
	}
	if seeds < 3 || usable*4 < seeds*3 {
		return
	}
	slices.Sort(c.values)
	limit := c.level(int(from.y)/block*c.bw + int(from.x)/block)
	half := max(c.values[len(c.values)*2/3]/2, limit*2/3)
	box := bounds(c.body)
	const room = 24 // px around the seeds: what is larger has seeds of its own
	box = [4]int{max(box[0]-room, 1), max(box[1]-room, 1), min(box[2]+room, c.w-2), min(box[3]+room, c.h-2)}
	start := slices.Clone(c.body)
	for _, s := range start {
		c.flood(s, func(at int) bool {
			x, y := at%c.stride, at/c.stride
			inside := x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3] &&
				x >= int(max(now.lo[y], past.lo[y], next.lo[y])) && x < int(min(now.hi[y], past.hi[y], next.hi[y]))
			return inside && either(now, past, next, at, sign) >= half
		})
	}
	if len(c.body) < leastArea || len(c.body) > c.w*c.h/50 {
		return
	}
	if !c.balanced(now, past, next, sign, half) {
		return
	}
	if check[0] != nil && !c.borneOut(now, check[0], check[1], sign, half) || c.slid(now, past, guard) && c.slid(now, next, guard) {
		return
	}
	c.found = append(c.found, c.box(now, past, next, sign))
}

// flood adds to the body what is connected to a pixel, corners included, and is accepted. The marks are of the same raster as
// the hits, so that what is put there is listed in hits and cleared with them.
func (c *changer) flood(from spot, accept func(at int) bool) {
	c.stack = append(c.stack[:0], from)
	if at := int(from.y)*c.stride + int(from.x); c.mask[at]&visited == 0 {
		c.mask[at] |= visited
		c.body = append(c.body, from)
	}
	for len(c.stack) > 0 {
		s := c.stack[len(c.stack)-1]
		c.stack = c.stack[:len(c.stack)-1]
		for dy := int32(-1); dy <= 1; dy++ {
			for dx := int32(-1); dx <= 1; dx++ {
				x, y := s.x+dx, s.y+dy
				if x < 1 || y < 1 || int(x) >= c.w-1 || int(y) >= c.h-1 {
					continue
				}
				at := int(y)*c.stride + int(x)
				if c.mask[at]&visited != 0 || !accept(at) {
					continue
				}
				if c.mask[at] == 0 {
					c.hits = append(c.hits, spot{x, y})
				}
				c.mask[at] |= visited
				c.stack = append(c.stack, spot{x, y})
				c.body = append(c.body, spot{x, y})
			}
		}
	}
}

func bounds(body []spot) [4]int {
	b := [4]int{math.MaxInt, math.MaxInt, -1, -1}
	for _, s := range body {
		b = [4]int{min(b[0], int(s.x)), min(b[1], int(s.y)), max(b[2], int(s.x)), max(b[3], int(s.y))}
	}
	return b
}

// edgeLevel is the share of the contrast at which an edge of a box lies. Half of it would be right for a side along the rows;
// corners of what lies across them are blurred away there, and this share errs as much to one side for the former as to the
// other for the latter.
const edgeLevel = 0.35

// box measures the region that the body covers, between pixels. The difference of a column is the mean of its two largest.
func (c *changer) box(now, past, next *canvas, sign byte) region {
	c.values = c.values[:0]
	for _, s := range c.body {
		c.values = append(c.values, either(now, past, next, int(s.y)*c.stride+int(s.x), sign))
	}
	slices.Sort(c.values)
	top := float64(c.values[len(c.values)*3/4])
	b := bounds(c.body)
	column := func(x int) float64 {
		return c.ridge(now, past, next, sign, x, b[1], 0, 1, b[3]-b[1]+1)
	}
	row := func(y int) float64 {
		return c.ridge(now, past, next, sign, b[0], y, 1, 0, b[2]-b[0]+1)
	}
	r := region{contrast: top, area: len(c.body)}
	r.x0, r.x1 = edges(column, b[0], b[2], edgeLevel*top)
	r.y0, r.y1 = edges(row, b[1], b[3], edgeLevel*top)
	if sign == dark {
		r.contrast = -top
	}
	return r
}

// balanced tells whether a good part of the body differs from both frames, or about as much of it from each alone: of something
// slow, one shows the front and one the rear. What differs from one alone is the ground that something has uncovered there.
func (c *changer) balanced(now, past, next *canvas, sign byte, half int) bool {
	both, first, second := 0, 0, 0
	for _, s := range c.body {
		at := int(s.y)*c.stride + int(s.x)
		p, q := int(now.pix[at])-int(past.pix[at]), int(now.pix[at])-int(next.pix[at])
		if sign == dark {
			p, q = -p, -q
		}
		switch {
		case min(p, q) >= half:
			both++
		case p > q:
			first++
		default:
			second++
		}
	}
	return both*3 >= len(c.body) || min(first, second)*4 >= max(first, second)
}

// borneOut tells whether a fifth of the body differs from one of two other frames: of something slow they show its ends.
func (c *changer) borneOut(now, past, next *canvas, sign byte, half int) bool {
	n, differ := 0, 0
	for _, s := range c.body {
		if y := s.y; s.x < max(past.lo[y], next.lo[y]) || s.x >= min(past.hi[y], next.hi[y]) {
			continue
		}
		n++
		if either(now, past, next, int(s.y)*c.stride+int(s.x), sign) >= half {
			differ++
		}
	}
	return n*2 < len(c.body) || differ*5 >= n
}

// slid tells whether what the body shows is in the other frame too, shifted by up to reach px: then the difference all but
// goes away. Something that has moved on is not there, and no shift explains it.
func (c *changer) slid(now, other *canvas, reach int) bool {
	const most = 96 // px that are compared
	c.sample = c.sample[:0]
	every := (len(c.body) + most - 1) / most
	for i := 0; i < len(c.body); i += every {
		s := c.body[i]
		if int(s.x) <= reach || int(s.y) <= reach || int(s.x) >= c.w-reach-1 || int(s.y) >= c.h-reach-1 {
			return false
		}
		c.sample = append(c.sample, int(s.y)*c.stride+int(s.x))
	}
	plain := func(dx, dy, most int) int {
		sum, by := 0, dy*c.stride+dx
		for _, at := range c.sample {
			d := int(now.pix[at]) - int(other.pix[at+by])
			sum += max(d, -d)
		}
		return min(sum, most)
	}
	// Between pixels too: a pixel differs from another picture by how far it lies outside of what that one takes within half a
	// pixel around (S. Birchfield, C. Tomasi, IEEE PAMI 20, 1998, doi:10.1109/34.677269).
	nearly := func(dx, dy, most int) int {
		sum, by := 0, dy*c.stride+dx
		for _, at := range c.sample {
			o := other.pix[at+by-c.stride-1 : at+by+c.stride+2]
			b := int(o[c.stride+1])
			p, q, r, s := int(o[c.stride]), int(o[c.stride+2]), int(o[1]), int(o[2*c.stride+1])
			lo, hi := (b+min(b, p, q, r, s))/2, (b+max(b, p, q, r, s)+1)/2
			v := int(now.pix[at])
			sum += max(v-hi, lo-v, 0)
		}
		return min(sum, most)
	}
	at := int(c.body[0].y)/block*c.bw + int(c.body[0].x)/block
	enough := max(int(explained*float64(nearly(0, 0, math.MaxInt))), int(aboveGrain*c.noise[at]*float64(len(c.sample))))
	apart, best, bx, by := plain, math.MaxInt, 0, 0
	try := func(dx, dy int) {
		if max(dx, -dx) <= reach && max(dy, -dy) <= reach {
			if e := apart(dx, dy, best); e < best {
				best, bx, by = e, dx, dy
			}
		}
	}
	for dy := -reach; dy <= reach; dy += 2 {
		for dx := -reach; dx <= reach; dx += 2 {
			try(dx, dy)
		}
	}
	apart, best = nearly, math.MaxInt
	for dx, dy, k := bx, by, 0; k < 9; k++ {
		try(dx+k%3-1, dy+k/3-1)
	}
	return best <= enough
}

// ridge is the mean of the two largest differences along a line of n pixels.
func (c *changer) ridge(now, past, next *canvas, sign byte, x, y, dx, dy, n int) float64 {
	var a, b int // largest first
	for range n {
		v := either(now, past, next, y*c.stride+x, sign)
		switch {
		case v > a:
			a, b = v, a
		case v > b:
			b = v
		}
		x, y = x+dx, y+dy
	}
	return float64(a+b) / 2
}

// edges are where a profile crosses a level, outwards from the pixels first and last that it is known to reach; a pixel i
// covers i to i+1.
func edges(profile func(int) float64, first, last int, level float64) (float64, float64) {
	for first < last && profile(first) < level {
		first++
	}
	for last > first && profile(last) < level {
		last--
	}
	return float64(first) + 0.5 - part(profile, first, -1, level), float64(last) + 0.5 + part(profile, last, 1, level)
}

// part is how far beyond the centre of pixel i, towards i+step, the profile falls to the level, at most 1.
func part(profile func(int) float64, i, step int, level float64) float64 {
	in, out := profile(i), profile(i+step)
	if in <= level || out >= in {
		return 0.5
	}
	return min((in-level)/(in-out), 1)
}
