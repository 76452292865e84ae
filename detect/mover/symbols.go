package mover

import "math"

const (
	tile     = 8  // px: what is masked is masked in squares of this size
	reachPx  = 3  // px around a symbol that its smoothing and its edges touch
	contrast = 10 // grey levels from pixel to pixel that make an edge at half size
	steady   = 6  // grey levels that an edge of a symbol may change
	surely   = 5  // votes that make a symbol: as many looks, each with the scene elsewhere
	mostSure = 10
)

// A symbols keeps watch for what is burned into the picture: edges that stay where they are in the frame while the scene
// moves on under them. Flat parts of symbols tell nothing by themselves: what edges enclose is taken for a symbol too. Bars of
// black around the picture are told apart from that.
type symbols struct {
	w, h   int // of the frame
	votes  []int8
	before *grey // the frame last looked at, at half size
	looks  int
	tiles  []bool
	walls  []bool
	tw, th int
	inner  [4]int // x0, y0, x1, y1 of the picture within its bars
	edge   []spot
}

func newSymbols(w, h int) *symbols {
	s := &symbols{w: w, h: h, tw: (w + tile - 1) / tile, th: (h + tile - 1) / tile, inner: [4]int{0, 0, w, h}}
	s.votes = make([]int8, ((w/2+7)&^7)*(h/2))
	s.tiles, s.walls = make([]bool, s.tw*s.th), make([]bool, s.tw*s.th)
	return s
}

// free tells whether a pixel of the frame shows the scene.
func (s *symbols) free(x, y int) bool {
	return x >= s.inner[0] && y >= s.inner[1] && x < s.inner[2] && y < s.inner[3] && !s.tiles[y/tile*s.tw+x/tile]
}

// look compares the frame, at half size, with the one last looked at. It must be called when the scene has moved by several
// pixels since.
func (s *symbols) look(half *grey) {
	if s.before == nil {
		s.before = newGrey(half.w, half.h)
		copy(s.before.pix, half.pix)
		return
	}
	for y := 1; y+1 < half.h; y++ {
		at := y * half.stride
		now, old := half.pix[at-half.stride:at+2*half.stride], s.before.pix[at:at+half.stride]
		votes := s.votes[at : at+half.stride]
		for x := 1; x+1 < half.w; x++ {
			v := int(now[half.stride+x])
			dx, dy := int(now[half.stride+x+1])-int(now[half.stride+x-1]), int(now[2*half.stride+x])-int(now[x])
			if max(dx, -dx, dy, -dy) < 2*contrast && votes[x] == 0 {
				continue
			}
			d := v - int(old[x])
			switch {
			case max(dx, -dx, dy, -dy) >= 2*contrast && d <= steady && d >= -steady:
				votes[x] = min(votes[x]+1, mostSure)
			case votes[x] > 0 && (d > 2*steady || d < -2*steady):
				votes[x]--
			}
		}
	}
	copy(s.before.pix, half.pix)
	s.looks++
	s.draw(half)
}

// draw turns votes into tiles. A tile needs two pixels: one may be chance.
func (s *symbols) draw(half *grey) {
	clear(s.tiles)
	s.edge = s.edge[:0]
	for y := range half.h {
		votes := s.votes[y*half.stride : y*half.stride+half.w]
		for x, v := range votes {
			if v >= surely && (x > 0 && votes[x-1] >= surely || x+1 < len(votes) && votes[x+1] >= surely ||
				y > 0 && s.votes[(y-1)*half.stride+x] >= surely || y+1 < half.h && s.votes[(y+1)*half.stride+x] >= surely) {
				s.edge = append(s.edge, spot{int32(2 * x), int32(2 * y)})
			}
		}
	}
	for _, e := range s.edge {
		x0, y0 := max(int(e.x)-reachPx, 0)/tile, max(int(e.y)-reachPx, 0)/tile
		x1, y1 := min(int(e.x)+1+reachPx, s.w-1)/tile, min(int(e.y)+1+reachPx, s.h-1)/tile
		for y := y0; y <= y1; y++ {
			for x := x0; x <= x1; x++ {
				s.tiles[y*s.tw+x] = true
			}
		}
	}
	s.fill()
}

// closing is half of the gap between edges of symbols, in tiles, that is taken for a part of them.
const closing = 3

// fill closes gaps: tiles are grown by so many on all sides, and shrunk again; what lies outside of the picture does not
// shrink them.
func (s *symbols) fill() {
	for _, grow := range [2]bool{true, false} {
		for _, step := range [2]int{1, s.tw} {
			copy(s.walls, s.tiles)
			n := s.tw
			if step == s.tw {
				n = s.th
			}
			for i := range s.tiles {
				at := i % s.tw
				if step == s.tw {
					at = i / s.tw
				}
				for k := max(-closing, -at); k <= min(closing, n-1-at); k++ {
					if s.walls[i+k*step] == grow {
						s.tiles[i] = grow
						break
					}
				}
			}
		}
	}
}

// masked is the share of the frame that is not free.
func (s *symbols) masked() float64 {
	n := 0
	for _, t := range s.tiles {
		if t {
			n++
		}
	}
	inside := float64(s.inner[2]-s.inner[0]) * float64(s.inner[3]-s.inner[1]) / float64(s.w*s.h)
	return 1 - inside*(1-float64(n)/float64(len(s.tiles)))
}

// bars finds rows and columns at the edges that are black and even: at most a quarter of the picture on each side. A night
// scene has no such rows: noise alone is wider than that.
func (s *symbols) bars(g *grey) {
	line := func(at, step, n int) bool {
		lo, hi := 255, 0
		for range n {
			v := int(g.pix[at])
			lo, hi = min(lo, v), max(hi, v)
			at += step
		}
		return hi <= 24 && hi-lo <= 3
	}
	s.inner = [4]int{0, 0, g.w, g.h}
	for s.inner[1] < g.h/4 && line(s.inner[1]*g.stride, 1, g.w) {
		s.inner[1]++
	}
	for s.inner[3] > g.h*3/4 && line((s.inner[3]-1)*g.stride, 1, g.w) {
		s.inner[3]--
	}
	top := s.inner[1] * g.stride
	for s.inner[0] < g.w/4 && line(top+s.inner[0], g.stride, s.inner[3]-s.inner[1]) {
		s.inner[0]++
	}
	for s.inner[2] > g.w*3/4 && line(top+s.inner[2]-1, g.stride, s.inner[3]-s.inner[1]) {
		s.inner[2]--
	}
	for i, edge := range [4]int{0, 0, g.w, g.h} { // the edge of a bar is blurred by smoothing and by the coder
		if s.inner[i] != edge {
			s.inner[i] += 4 * (1 - 2*(i/2))
		}
	}
}

// movedBy is how far the middle of a frame of this size moved between two maps to one plane, px.
func movedBy(a, b *Homography, w, h int) float64 {
	x, y := a.At(float64(w)/2, float64(h)/2)
	u, v := b.At(float64(w)/2, float64(h)/2)
	return math.Hypot(x-u, y-v)
}
