package mover

import (
	"math"

	"github.com/atalaya-isr/atalaya/numeric"
)

// A registrar lays frames over one of them, the anchor. Every frame is compared with the anchor itself, not with the frame
// before it, so that errors do not add up; prediction is by constant motion of the picture.
type registrar struct {
	w, h    int
	cell    int // px: at most one corner in each cell of this size
	corners []corner
	finder  finder
	// toFrame maps the anchor to the last frame and to the one before.
	toFrame, before Homography
	age             int // frames since the anchor
	last            *pyramid
	made            int // corners that the anchor had
	space           fitSpace
	pairs, rough    []pair
	chance          *numeric.Stream
	spare           [2]*pyramid // for a search after a jump
	rows            [][]byte
}

func newRegistrar(w, h int, seed uint64) *registrar {
	r := &registrar{w: w, h: h, cell: 2 * int(math.Sqrt(float64(w*h)/wanted)/2), chance: numeric.NewStream(seed, 0), rows: make([][]byte, 3)}
	for i := range r.rows {
		r.rows[i] = make([]byte, w+slack)
	}
	return r
}

// A drift is a corner that does not follow the ground: it moves, or stands tall.
type drift struct {
	x, y   float64 // in the anchor
	dx, dy float64 // px a frame since the anchor, in the anchor
}

// A registration says how a frame lies over the anchor.
type registration struct {
	toAnchor Homography
	locked   bool
	jumped   bool // the picture jumped or its scale stepped, and was found again
	rms      float64
	corners  int // that were followed
	inliers  int
	drifts   []drift
}

// wanted is how many corners an anchor has where its ground has enough of them: their number is what keeps the registration's
// error far below that of one.
const wanted = 220

// rest begins anew with this frame as its own anchor.
func (r *registrar) rest(p *pyramid, use func(x, y int) bool) {
	r.corners = r.finder.find(p, r.cell, use)
	r.made, r.age = len(r.corners), 0
	r.toFrame, r.before = Identity, Identity
	r.last = p
}

// enough is the least number of corners that must agree, and agreed their least share of those followed: a plane that fewer
// follow is not known to be the ground.
const (
	enough = 10
	agreed = 0.35
)

// step registers the next frame. When it is not locked, the frame shows something else: a cut, or nothing to hold on to.
func (r *registrar) step(p *pyramid, use func(x, y int) bool) registration {
	r.age++
	out, ok := r.track(p)
	if !ok {
		out, ok = r.search(p, use)
	}
	if ok {
		r.before = r.toFrame
		r.toFrame = out.toAnchor.Inverse()
	}
	out.locked = ok
	r.last = p
	return out
}

// guess is where a corner of the anchor is expected in the next frame.
func (r *registrar) guess(c *corner) (float64, float64, bool) {
	x1, y1 := r.toFrame.At(c.x, c.y)
	x0, y0 := r.before.At(c.x, c.y)
	x, y := 2*x1-x0, 2*y1-y0
	const room = radius + 2
	return x, y, x > room && y > room && x < float64(r.w-room) && y < float64(r.h-room)
}

func (r *registrar) track(p *pyramid) (registration, bool) {
	if len(r.corners) < enough {
		return registration{}, false
	}
	near, ok := r.coarse(p)
	if !ok {
		return registration{}, false
	}
	r.pairs = r.pairs[:0]
	seen := 0
	for i := range r.corners {
		c := &r.corners[i]
		x, y, in := r.guess(c)
		if !in {
			continue
		}
		seen++
		x, y = near.At(x, y)
		if x, y, ok := c.down(p, x, y, 0, 0); ok {
			r.pairs = append(r.pairs, pair{x, y, c.x, c.y, c.level[0].info})
		}
	}
	return r.judge(seen)
}

// judge fits the map from frame to anchor and says whether it is to be believed.
func (r *registrar) judge(seen int) (registration, bool) {
	f, ok := robustFit(r.pairs, r.chance, float64(r.w), &r.space)
	out := registration{toAnchor: f.Homography, rms: f.rms, corners: len(r.pairs), inliers: f.n}
	if !ok || f.n < enough || float64(f.n) < agreed*float64(len(r.pairs)) || float64(f.n) < agreed/2*float64(seen) {
		return out, false
	}
	for i, q := range r.pairs {
		if f.inlier[i] {
			continue
		}
		u, v := f.At(q.x, q.y)
		out.drifts = append(out.drifts, drift{q.u, q.v, (u - q.u) / float64(max(r.age, 1)), (v - q.v) / float64(max(r.age, 1))})
	}
	return out, true
}

// coarse corrects the prediction by some forty corners, followed from an eighth of the size to half.
func (r *registrar) coarse(p *pyramid) (Homography, bool) {
	every := max(len(r.corners)/40, 1)
	r.rough = r.rough[:0]
	seen := 0
	for i := 0; i < len(r.corners); i += every {
		c := &r.corners[i]
		x, y, in := r.guess(c)
		if !in {
			continue
		}
		seen++
		if u, v, ok := c.down(p, x, y, levels-1, 1); ok {
			r.rough = append(r.rough, pair{x, y, u, v, c.level[1].info})
		}
	}
	f, ok := robustFit(r.rough, r.chance, float64(r.w), &r.space)
	return f.Homography, ok && float64(f.n) >= agreed*float64(seen)
}

// stale says that the anchor should be replaced by the last frame: much of it has left the picture, or its scale has changed.
func (r *registrar) stale() bool {
	if r.age < 2 {
		return false
	}
	seen := 0
	for i := range r.corners {
		x, y := r.toFrame.At(r.corners[i].x, r.corners[i].y)
		if x > radius && y > radius && x < float64(r.w-radius) && y < float64(r.h-radius) {
			seen++
		}
	}
	if seen*10 < r.made*7 {
		return true
	}
	j := r.toFrame.Jacobian(float64(r.w)/2, float64(r.h)/2)
	bent := max(math.Abs(j[0]-1), math.Abs(j[3]-1), math.Abs(j[1]), math.Abs(j[2]))
	return bent > 0.16 || bent > bendLimit && r.age > 20 // the former spoils windows, the latter makes warping slow
}

// search looks for the last frame in one that lies or is scaled quite differently: first by correlation at an eighth of the
// size, over scales up to 2.4 times either way, then by corners of this frame in the last one, warped to be like it.
func (r *registrar) search(p *pyramid, use func(x, y int) bool) (registration, bool) {
	if r.last == nil {
		return registration{}, false
	}
	near, ok := jump(r.last[levels-1], p[levels-1])
	if !ok {
		return registration{}, false
	}
	if r.spare[0] == nil {
		r.spare[0], r.spare[1] = newPyramid(r.w, r.h), newPyramid(r.w, r.h)
	}
	size := r.cell
	if near.Scale(float64(r.w)/2, float64(r.h)/2) > 1.2 { // this frame shows more than the last: its middle is compared
		size /= 2
	}
	corners := r.finder.find(p, size, func(x, y int) bool { return use(x, y) && r.covers(&near, float64(x), float64(y)) })
	var out registration
	for range 3 {
		r.like(&near)
		r.pairs = r.pairs[:0]
		seen := 0
		for i := range corners {
			c := &corners[i]
			if !r.covers(&near, c.x, c.y) {
				continue
			}
			seen++
			if x, y, ok := c.down(r.spare[1], c.x, c.y, levels-1, 0); ok {
				u, v := near.At(x, y)
				r.pairs = append(r.pairs, pair{c.x, c.y, u, v, c.level[0].info})
			}
		}
		if out, ok = r.judge(seen); !ok {
			return registration{}, false
		}
		near = out.toAnchor
	}
	back := r.toFrame.Inverse()
	out.toAnchor, out.jumped, out.drifts = back.Times(&near), true, nil
	return out, true
}

// like warps the last frame into spare[1], to look as the new one does.
func (r *registrar) like(near *Homography) {
	c := canvas{r.spare[0][0], make([]int32, r.h), make([]int32, r.h)}
	clear(c.pix)
	warp(&c, r.last[0], near, [4]int{0, 0, r.w, r.h})
	copy(r.spare[1][0].pix, c.pix)
	for i := 1; i < levels; i++ {
		halve(r.spare[1][i], r.spare[1][i-1])
	}
}

// covers says that the window around a place shows the last frame, down to the level of a quarter.
func (r *registrar) covers(near *Homography, x, y float64) bool {
	const room = 4 * (radius + 1)
	for _, d := range [4][2]float64{{-room, -room}, {room, -room}, {-room, room}, {room, room}} {
		u, v := near.At(x+d[0], y+d[1])
		if u < 2 || v < 2 || u > float64(r.w-4) || v > float64(r.h-4) {
			return false
		}
	}
	return true
}

// jump finds the similarity without turn that brings a frame over the last one, both at an eighth of the size: the best
// normalised correlation over scales in steps of 2^(1/4) and shifts up to a tenth of the width. The map is in full size.
func jump(last, now *grey) (Homography, bool) {
	best, at := 0.45, Identity // below that nothing was recognised: neighbouring scales of one scene stay above
	for k := -5; k <= 5; k++ {
		s := math.Exp2(float64(k) / 4)
		var h Homography
		var score float64
		if s >= 1 { // this frame is closer: it is a part of the last
			dx, dy, c := slide(last, now, s)
			h, score = similarity(now, 1/s, dx, dy), c
		} else {
			dx, dy, c := slide(now, last, 1/s)
			h, score = similarity(now, s, dx, dy), c
			h = Homography{1 / h[0], 0, -h[2] / h[0], 0, 1 / h[4], -h[5] / h[4], 0, 0, 1}
		}
		if score > best {
			best, at = score, h
		}
	}
	k := float64(int(1) << (levels - 1))
	up, down := zoom(k, k), zoom(1/k, 1/k)
	up[2], up[5], down[2], down[5] = (k-1)/2, (k-1)/2, -(k-1)/2/k, -(k-1)/2/k
	h := at.Times(&down)
	return up.Times(&h), best > 0.45
}

func similarity(g *grey, s, dx, dy float64) Homography {
	cx, cy := float64(g.w-1)/2, float64(g.h-1)/2
	return Homography{s, 0, cx + dx - s*cx, 0, s, cy + dy - s*cy, 0, 0, 1}
}

// slide shrinks the middle of small by s and looks for it in big: the shift from centre to centre with the best correlation.
func slide(big, small *grey, s float64) (float64, float64, float64) {
	const share = 0.8
	tw, th := int(share*float64(small.w)/s), int(share*float64(small.h)/s)
	if tw < 8 || th < 8 {
		return 0, 0, 0
	}
	t := make([]float64, tw*th)
	mean := 0.0
	for y := range th {
		for x := range tw {
			v := bilinear(small, float64(small.w-1)/2+(float64(x)-float64(tw-1)/2)*s, float64(small.h-1)/2+(float64(y)-float64(th-1)/2)*s)
			t[y*tw+x] = v
			mean += v
		}
	}
	mean /= float64(len(t))
	energy := 0.0
	for i := range t {
		t[i] -= mean
		energy += t[i] * t[i]
	}
	best, bx, by := 0.0, 0, 0
	x0, y0 := (big.w-tw)/2, (big.h-th)/2
	reach := big.w / 10
	for oy := max(y0-reach, 0); oy <= min(y0+reach, big.h-th); oy++ {
		for ox := max(x0-reach, 0); ox <= min(x0+reach, big.w-tw); ox++ {
			var dot, sum, square float64
			for y := range th {
				row, ref := big.pix[(oy+y)*big.stride+ox:][:tw], t[y*tw:][:tw]
				for x, b := range row {
					v := float64(b)
					dot, sum, square = dot+v*ref[x], sum+v, square+v*v
				}
			}
			if e := (square - sum*sum/float64(len(t))) * energy; e > 0 && dot > 0 && dot/math.Sqrt(e) > best {
				best, bx, by = dot/math.Sqrt(e), ox, oy
			}
		}
	}
	return float64(bx) + float64(tw-1)/2 - float64(big.w-1)/2, float64(by) + float64(th-1)/2 - float64(big.h-1)/2, best
}

func bilinear(g *grey, x, y float64) float64 {
	x, y = min(max(x, 0), float64(g.w)-1.001), min(max(y, 0), float64(g.h)-1.001)
	ix, iy := int(x), int(y)
	fx, fy := x-float64(ix), y-float64(iy)
	a, b := float64(g.at(ix, iy)), float64(g.at(min(ix+1, g.w-1), iy))
	c, d := float64(g.at(ix, min(iy+1, g.h-1))), float64(g.at(min(ix+1, g.w-1), min(iy+1, g.h-1)))
	return (a*(1-fx)+b*fx)*(1-fy) + (c*(1-fx)+d*fx)*fy
}
