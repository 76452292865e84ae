package mover

import (
	"math"
	"slices"
)

// Life of a track. It is confirmed by so many sightings among its first chances, ended when it was not seen for lostS
// seconds (tentative: after so many misses in a row), and told only when it went somewhere.
const (
	confirmHits    = 5
	confirmChances = 8
	tentativeMiss  = 2
	lostS          = 1.5
	gate           = 16.0 // squared Mahalanobis distance: two degrees of freedom stay within it all but once in 3,000
	leastTravel    = 4.0  // px of the frames worked on, from first to last
	historyMax     = 9000 // steps of a track that are kept: five minutes; what is older is told and let go
)

// Motion of things in the picture, px and px/s of the frames worked on; on the ground in metres, whichever is more.
const (
	fastestPX   = 240.0 // standard deviation of an unknown velocity
	accelPX     = 25.0
	fastestMPS  = 25.0
	accelMPS2   = 1.5
	placeSigma  = 0.35 // px: of the middle of a box
	placeOfSize = 0.03 // and of its size
	sizeSigma   = 0.25 // of the logarithm of a side, from frame to frame
)

// A sighting is a region as the tracker takes it.
type sighting struct {
	x, y, w, h float64 // centre and size in the canvas
	contrast   float64
	look       look
}

// view is how one frame lies: everything that a track needs to know of it.
type view struct {
	n       int
	first   int // frame of the stretch
	prev    *view
	over    Homography // plane of prev to this plane
	pts     float64
	frame   Homography // canvas to frame worked on
	plane   Homography // canvas to the plane that is tracked in
	back    Homography // plane to canvas
	perPX   float64    // units of the plane a pixel of the canvas, in the middle
	leaning leaning
	rate    float64
	ground  bool // the plane is in metres
}

type step struct {
	view      *view
	filtered  motion
	predicted motion
	phi       matrix
	from      [2]float64 // where the last step left it, in this step's plane
	hit, sure bool       // it was seen; and with frames on both sides to compare with
	both      bool       // there were such frames
	alone     bool       // the step before does not lead to it
	w, h      float64    // canvas px over grown
	grown     float64    // by how much the canvas has been magnified since the track began
}

type lane struct {
	id        int // 0 until it is told
	now       motion
	steps     []step
	hits      int
	sure      int // of them in frames that were compared with both sides
	chances   int // frames compared with both sides
	miss      int
	confirmed bool
	w, h      float64 // canvas px
	contrast  float64
	look      look
	grown     float64
	phi       matrix     // since the last step
	base      [2]float64 // where the last step left it
	early     int        // steps put before the first sighting
	behind    []*view    // before the first sighting, backwards
	told      bool       // in part
}

// A tracker follows sightings: Kalman filters, the nearest neighbours over all (Assign), and looks for those that cross.
type tracker struct {
	lanes []*lane
	told  int
	emit  func(*lane)
	cost  [][]float64
	flat  []float64
	able  []int // tracks that have a row in cost
	// ground says that the plane is in metres; w and h are the frame's size, longest the longest baseline in frames.
	ground  bool
	w, h    float64
	longest int
}

func unitMatrix() matrix { return matrix{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}} }

// through takes every track to the plane of a new anchor.
func (t *tracker) through(plane, canvas *Homography, w, h float64) {
	k := canvas.Scale(w/2, h/2)
	for _, l := range t.lanes {
		phi := l.now.through(plane)
		l.base[0], l.base[1] = plane.At(l.base[0], l.base[1])
		l.phi = phi.times(&l.phi)
		l.w, l.h, l.grown = l.w*k, l.h*k, l.grown*k
	}
}

// step takes the sightings of a frame, dt seconds after the last. Sure says that the frame was compared with both sides: only
// then sightings make a track, and their lack ends one that is not confirmed.
func (t *tracker) step(v *view, sights []sighting, dt float64, sure bool) {
	accel := accelPX * v.perPX
	if t.ground {
		accel = max(accel, accelMPS2)
	}
	for _, l := range t.lanes {
		phi := l.now.advance(dt, accel)
		l.phi = phi.times(&l.phi)
	}
	t.rejoin(v)
	pick := t.associate(v, sights, sure)
	taken := make([]bool, len(sights))
	kept := t.lanes[:0]
	for i, l := range t.lanes {
		s := step{view: v, predicted: l.now, phi: l.phi, from: l.base, both: sure}
		l.phi = unitMatrix()
		if j := pick[i]; j >= 0 {
			taken[j] = true
			l.take(v, &sights[j], &s)
			if s.sure = sure; sure {
				l.sure++
			}
		} else {
			l.miss++
		}
		if sure {
			l.chances++
		}
		s.filtered, s.grown = l.now, l.grown
		l.base = [2]float64{l.now.x[0], l.now.x[1]}
		l.steps = append(l.steps, s)
		l.judge(v)
		if len(l.steps) >= historyMax {
			t.part(l)
		}
		if t.over(l, dt, sure) {
			t.end(l, false)
			continue
		}
		kept = append(kept, l)
	}
	clear(t.lanes[len(kept):])
	t.lanes = kept
	for j := range sights {
		if sure && !taken[j] {
			t.lanes = append(t.lanes, t.begin(v, &sights[j]))
		}
	}
}

// rejoinAfter is for how many frames an old track may still have been given a stray sighting after the young one began.
const rejoinAfter = 20

// rejoin gives a track that was lost what a younger one saw, where both go the same way at the same place and look alike: it
// was the same thing, hidden or beside another for a while.
func (t *tracker) rejoin(v *view) {
	gone := map[*lane]bool{}
	for _, young := range t.lanes {
		if !young.confirmed || young.id > 0 || young.told || young.miss > 0 {
			continue
		}
		var best *lane
		least := 1.0
		for _, old := range t.lanes {
			if old == young || gone[old] || !old.confirmed || old.miss < 3 || len(old.steps) <= len(young.steps) || len(young.steps) > old.miss+rejoinAfter {
				continue
			}
			if d := old.unlike(young, v); d < least {
				best, least = old, d
			}
		}
		if best != nil {
			best.adopt(young)
			gone[young] = true
		}
	}
	if len(gone) > 0 {
		t.lanes = slices.DeleteFunc(t.lanes, func(l *lane) bool { return gone[l] })
	}
}

// unlike is how different two tracks are, 1 being too much: in place, counted in their size and what the old one may have
// turned aside; in velocity; in size and look.
func (l *lane) unlike(o *lane, v *view) float64 {
	if l.contrast*o.contrast < 0 {
		return math.Inf(1)
	}
	place := math.Hypot(l.now.x[0]-o.now.x[0], l.now.x[1]-o.now.x[1]) / v.perPX
	speed := math.Hypot(l.now.x[2]-o.now.x[2], l.now.x[3]-o.now.x[3]) / v.perPX
	room := (l.w+l.h)/2 + min(math.Sqrt((l.now.p[0][0]+l.now.p[1][1])/2)/v.perPX, 30)
	size := math.Abs(math.Log(l.w*l.h/(o.w*o.h))) / math.Log(2.5)
	return max(place/room, speed/60, size, (1-l.look.like(&o.look))/0.8)
}

// adopt puts what the young track saw in the place of the old one's last steps; the unseen ones before lead over to it.
func (l *lane) adopt(o *lane) {
	at := len(l.steps) - len(o.steps)
	join := l.steps[at]
	dx, dy := o.steps[0].filtered.x[0]-join.filtered.x[0], o.steps[0].filtered.x[1]-join.filtered.x[1]
	seen := at - 1
	for seen > 0 && !l.steps[seen].hit {
		seen--
	}
	for i := seen + 1; i < at; i++ {
		k := float64(i-seen) / float64(at-seen)
		l.steps[i].filtered.x[0] += k * dx
		l.steps[i].filtered.x[1] += k * dy
		l.steps[i].alone = true
	}
	for i := range o.steps {
		s := &o.steps[i]
		s.grown = l.steps[at+i].grown
		s.w, s.h = s.w/join.grown, s.h/join.grown
	}
	o.steps[0].from, o.steps[0].alone = join.from, true
	copy(l.steps[at:], o.steps)
	l.now, l.base, l.phi, l.look, l.w, l.h, l.contrast = o.now, o.base, o.phi, o.look, o.w, o.h, o.contrast
	l.hits, l.sure, l.miss = l.hits+o.hits, l.sure+o.sure, 0
}

// associate gives the sighting of each track, -1 for none. Only tracks that could take one are put to Assign. Where frames are compared on one side only,
// what a thing uncovered hangs on to it or stands in its place: then only what looks like the track is taken for it.
func (t *tracker) associate(v *view, sights []sighting, sure bool) []int {
	pick := make([]int, len(t.lanes))
	if n := len(t.lanes) * len(sights); len(t.flat) < n {
		t.flat = make([]float64, 2*n)
	}
	t.cost, t.able = t.cost[:0], t.able[:0]
	for i, l := range t.lanes {
		pick[i] = -1
		row := t.flat[len(t.able)*len(sights):][:len(sights)]
		near := false
		for j := range sights {
			if row[j] = math.Inf(1); sure || l.resembles(&sights[j]) {
				row[j] = l.cost(v, &sights[j])
			}
			near = near || !math.IsInf(row[j], 1)
		}
		if near {
			t.cost, t.able = append(t.cost, row), append(t.able, i)
		}
	}
	for k, j := range Assign(t.cost) {
		pick[t.able[k]] = j
	}
	return pick
}

// resembles says that a sighting has the sign of the track and its size, each side within a quarter.
func (l *lane) resembles(s *sighting) bool {
	const most = 0.22 // logarithm
	return s.contrast*l.contrast > 0 && math.Abs(math.Log(s.w/l.w)) < most && math.Abs(math.Log(s.h/l.h)) < most
}

// tentativeCost keeps sightings with tracks that are sure, where both could take them.
const tentativeCost = 6.0

// cost is twice the negative logarithm of the likelihood that a sighting is of this track, up to a constant, and +Inf outside
// of the gate: place, size, and look.
func (l *lane) cost(v *view, s *sighting) float64 {
	z, r := place(v, s, l)
	d2, logDet := l.now.gap(z, r)
	if d2 > gate {
		return math.Inf(1)
	}
	dw, dh := math.Log(s.w/l.w), math.Log(s.h/l.h)
	size := (dw*dw + dh*dh) / (sizeSigma * sizeSigma)
	if s.contrast*l.contrast < 0 { // bright does not become dark
		size += 9
	}
	if size > 40 {
		return math.Inf(1)
	}
	c := d2 + logDet - 2*math.Log(v.perPX*v.perPX) + min(size, 16) + 6*(1-l.look.like(&s.look))
	if !l.confirmed {
		c += tentativeCost
	}
	return c
}

// place is where a sighting lies in the plane, with its covariance; a box that has another size than the track is two things
// that meet, or half of one, and its middle says less.
func place(v *view, s *sighting, l *lane) (z [2]float64, r [3]float64) {
	z[0], z[1] = v.plane.At(s.x, s.y)
	j := v.plane.Jacobian(s.x, s.y)
	sx, sy := placeSigma+placeOfSize*s.w, placeSigma+placeOfSize*s.h
	if l != nil && l.hits >= 3 {
		sx, sy = sx+0.5*max(math.Abs(s.w-l.w)-0.2*l.w, 0), sy+0.5*max(math.Abs(s.h-l.h)-0.2*l.h, 0)
	}
	a, b := sx*sx, sy*sy
	return z, [3]float64{j[0]*j[0]*a + j[1]*j[1]*b, j[0]*j[2]*a + j[1]*j[3]*b, j[2]*j[2]*a + j[3]*j[3]*b}
}

func (l *lane) take(v *view, s *sighting, st *step) {
	z, r := place(v, s, l)
	l.now.update(z, r)
	l.hits++
	l.miss = 0
	gain := max(1/float64(l.hits), 0.1)
	l.w += gain * (s.w - l.w)
	l.h += gain * (s.h - l.h)
	l.contrast += gain * (s.contrast - l.contrast)
	l.look.blend(&s.look, gain)
	st.hit, st.w, st.h = true, s.w/l.grown, s.h/l.grown
}

// begin begins a track. What is seen on one side only begins none: where it was before is worked out once it is known (backwards).
func (t *tracker) begin(v *view, s *sighting) *lane {
	l := &lane{hits: 1, sure: 1, chances: 1, w: s.w, h: s.h, contrast: s.contrast, look: s.look, grown: 1, phi: unitMatrix()}
	z, r := place(v, s, nil)
	fast := fastestPX * v.perPX
	if t.ground {
		fast = max(fast, fastestMPS)
	}
	l.now = motion{x: [4]float64{z[0], z[1]}, p: [4][4]float64{{r[0], r[1]}, {r[1], r[2]}, {2: fast * fast}, {3: fast * fast}}}
	l.base = [2]float64{l.now.x[0], l.now.x[1]}
	l.steps = append(l.steps, step{view: v, filtered: l.now, hit: true, sure: true, both: true, w: s.w, h: s.h, grown: 1})
	return l
}

// judge confirms a track that was seen often enough.
func (l *lane) judge(v *view) {
	if l.sure >= confirmHits && !l.confirmed {
		l.confirmed = true
		for b := l.steps[0].view.prev; b != nil && b.first == v.first; b = b.prev {
			l.behind = append(l.behind, b)
		}
	}
}

// clears tells whether the track is fast enough to be seen as large as it is. Of what moves by less than half of its length
// over the longest baseline, both ends are seen but no middle; so what is seen whole and moves less is no thing that moves,
// but ground or a roof that shimmers. A tenth is for errors of the size.
func (l *lane) clears(longest float64) bool {
	dx, dy := l.moved()
	n := float64(max(len(l.steps)-1, 1))
	v := l.steps[len(l.steps)-1].view
	j := v.back.Jacobian(l.now.x[0], l.now.x[1])
	cx, cy := math.Abs(j[0]*dx+j[1]*dy)*v.perPX/n, math.Abs(j[2]*dx+j[3]*dy)*v.perPX/n
	return cx*longest >= 0.4*l.w || cy*longest >= 0.4*l.h
}

// slides tells whether the track as a whole did no more than the top of a structure would, by what was known in most of its
// steps. Its speed is that from end to end: from step to step, noise turns it any way.
func (l *lane) slides() bool {
	dx, dy := l.moved()
	n := float64(max(len(l.steps)-1, 1))
	like := 0
	for i := range l.steps {
		s := &l.steps[i]
		x, y := s.view.back.At(s.filtered.x[0], s.filtered.x[1])
		j := s.view.back.Jacobian(s.filtered.x[0], s.filtered.x[1])
		k := s.view.perPX / n
		if s.view.leaning.explains(drift{x, y, (j[0]*dx + j[1]*dy) * k, (j[2]*dx + j[3]*dy) * k}) {
			like++
		}
	}
	return like*2 > len(l.steps)
}

func (t *tracker) over(l *lane, dt float64, sure bool) bool {
	if math.IsNaN(l.now.x[0]) {
		return true
	}
	if !l.confirmed {
		return sure && (l.miss > tentativeMiss || l.chances > confirmChances)
	}
	return float64(l.miss)*dt > lostS
}

// end tells a track if it is one, up to its last sighting. What goes on unseen stays where nothing could be seen: at the end
// of a stretch of frames, and where it was about to leave the picture.
func (t *tracker) end(l *lane, last bool) {
	n := len(l.steps)
	for n > 0 && !l.steps[n-1].hit {
		n--
	}
	lost := slices.ContainsFunc(l.steps[n:], func(s step) bool { return s.both })
	if !last || lost {
		soon := min(n+t.longest, len(l.steps))
		out := slices.IndexFunc(l.steps[n:soon], func(s step) bool { return !inside(s.view, &s.filtered, t.w, t.h, 0) })
		l.steps = l.steps[:n+max(out, 0)]
	}
	if n > 0 && (l.id > 0 || t.moves(l)) {
		t.tell(l)
	}
}

// moves tells whether the track went somewhere, and not only as a structure would.
func (t *tracker) moves(l *lane) bool {
	hits, sure := 0, 0
	for i := range l.steps {
		if l.steps[i].hit {
			hits++
		}
		if l.steps[i].sure {
			sure++
		}
	}
	return l.confirmed && sure >= confirmHits && hits*5 >= len(l.steps)*2 && l.travel() >= leastTravel && l.clears(float64(t.longest)) && !l.slides()
}

func (t *tracker) tell(l *lane) {
	if l.id == 0 {
		t.told++
		l.id = t.told
	}
	t.emit(l)
}

// part tells what a long track did so far, and keeps its last step alone.
func (t *tracker) part(l *lane) {
	last := l.steps[len(l.steps)-1]
	if l.id > 0 || t.moves(l) {
		l.steps = l.steps[:len(l.steps)-1]
		t.tell(l)
	}
	l.steps, l.early, l.told = []step{last}, 0, true
}

// travel is how far the track went over the ground, in px of the frames worked on.
func (l *lane) travel() float64 { return math.Hypot(l.moved()) }

// moved is where it went, along the axes of the plane.
func (l *lane) moved() (x, y float64) {
	for i := 1; i < len(l.steps); i++ {
		s := &l.steps[i]
		x += (s.filtered.x[0] - s.from[0]) / s.view.perPX
		y += (s.filtered.x[1] - s.from[1]) / s.view.perPX
	}
	return x, y
}

// all ends every track.
func (t *tracker) all() {
	for _, l := range t.lanes {
		t.end(l, true)
	}
	t.lanes = nil
}

// smooth gives the motion at each step as the whole track shows it.
func (l *lane) smooth() []motion {
	out := make([]motion, len(l.steps))
	last := len(l.steps) - 1
	out[last] = l.steps[last].filtered
	for i := range l.early {
		out[i] = l.steps[i].filtered
	}
	for i := last - 1; i >= l.early; i-- {
		s := &l.steps[i+1]
		if out[i] = l.steps[i].filtered; !s.alone {
			out[i] = l.steps[i].filtered.smoothed(&s.phi, &s.predicted, &out[i+1])
		}
	}
	return out
}

// backwards puts steps before the first, unseen, where nothing could have been seen: at the beginning of a stretch of frames,
// and where something came into the picture shortly before, over ground that earlier frames did not show.
func (l *lane) backwards(reach int, w, h float64) {
	first := l.steps[0]
	v, m := first.view, l.smooth()[0]
	if l.told {
		return
	}
	most := 2 * reach
	early := v.n < v.first+2*reach+confirmHits
	if early {
		most += confirmHits
	}
	var before []step
	entered := false
	for _, b := range l.behind[:min(most, len(l.behind))] {
		dt := v.pts - b.pts
		back := v.over.Inverse()
		m.through(&back)
		m.advance(-dt, accelPX*v.perPX/4)
		v = b
		if entered = !inside(v, &m, w, h, 0); entered {
			break
		}
		// The transition and the prediction of the step after lead nowhere new: smoothing stops at the first sighting.
		before = append(before, step{view: v, filtered: m, predicted: m, phi: unitMatrix(), grown: first.grown})
	}
	if !early && !entered {
		return
	}
	slices.Reverse(before)
	l.early = len(before)
	l.steps = append(before, l.steps...)
}

// inside tells whether a motion is within the picture, by so many px.
func inside(v *view, m *motion, w, h, by float64) bool {
	cx, cy := v.back.At(m.x[0], m.x[1])
	x, y := v.frame.At(cx, cy)
	return x >= by && y >= by && x < w-by && y < h-by
}

// sizes gives width and height at each step, canvas px: the mean over half a second either way of those that lie within a
// quarter of their median, since boxes of things that meet are of neither.
func (l *lane) sizes() [][2]float64 {
	out := make([][2]float64, len(l.steps))
	reach := 12
	var near [2][]float64
	for i := range l.steps {
		near[0], near[1] = near[0][:0], near[1][:0]
		for r := reach; len(near[0]) == 0; r *= 4 {
			for k := max(i-r, 0); k <= min(i+r, len(l.steps)-1); k++ {
				if s := &l.steps[k]; s.hit {
					near[0], near[1] = append(near[0], s.w), append(near[1], s.h)
				}
			}
		}
		for a := range near {
			out[i][a] = trimmed(near[a]) * l.steps[i].grown
		}
	}
	return out
}

// trimmed is the mean of what lies within a quarter of the median; it sorts x.
func trimmed(x []float64) float64 {
	slices.Sort(x)
	m := x[len(x)/2]
	sum, n := 0.0, 0
	for _, v := range x {
		if math.Abs(v-m) <= 0.25*m {
			sum, n = sum+v, n+1
		}
	}
	return sum / float64(n)
}

const lookSide = 12 // px of the canvas

// A look is what a track looks like: a small window free of mean and contrast.
type look [lookSide * lookSide]float32

// cutLook takes the window around a place of the canvas.
func cutLook(g *grey, x, y float64) (l look) {
	x0, y0 := int(x)-lookSide/2, int(y)-lookSide/2
	if x0 < 0 || y0 < 0 || x0+lookSide > g.w || y0+lookSide > g.h {
		return l
	}
	var sum float32
	for r := range lookSide {
		for i, b := range g.pix[(y0+r)*g.stride+x0:][:lookSide] {
			l[r*lookSide+i] = float32(b)
			sum += float32(b)
		}
	}
	for i := range l {
		l[i] -= sum / float32(len(l))
	}
	l.norm()
	return l
}

func (l *look) norm() {
	var e float32
	for _, v := range l {
		e += v * v
	}
	if e == 0 {
		return
	}
	k := float32(1 / math.Sqrt(float64(e)))
	for i := range l {
		l[i] *= k
	}
}

// like is the correlation of two looks.
func (l *look) like(o *look) float64 {
	var s float32
	for i, v := range l {
		s += v * o[i]
	}
	return float64(s)
}

func (l *look) blend(o *look, gain float64) {
	g := float32(gain)
	for i := range l {
		l[i] += g * (o[i] - l[i])
	}
	l.norm()
}
