package mover

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/numeric"
)

// Options say what the frames are and where results go.
type Options struct {
	// Width and Height of the frames given, px. Width is a multiple of 8; both are at least 64.
	Width, Height int
	// FullWidth and FullHeight are those of the video's own pictures: results are in their pixels. 0 is the same.
	FullWidth, FullHeight int
	// Rate is frames a second.
	Rate float64
	// Ground gives the place of a point of the picture (px of the full size, 0 at the left and upper edge, so that the middle
	// of the first pixel is 0.5) at a presentation time in seconds; nil, or false, where it is not known.
	Ground func(pts, x, y float64) (geodesy.LatLon, bool)
	// Baseline is how many frames lie between the middle one of the three and each other one: 2 to 30, or 0 for 0.5 s, at most
	// 15. Each frame is compared over twice as many too: what does not move by half of its own length in that time is not seen.
	Baseline int
	// Seed of chance.
	Seed uint64
	// OnTrack gets each track when it has ended; a track longer than 9000 frames comes in parts of one ID. OnFrame gets each
	// frame, in order. Both are called from within Add and End.
	OnTrack func(Track)
	OnFrame func(Frame)
}

// A Frame says how one frame was registered and what could be seen in it.
type Frame struct {
	N       int // counted from 0
	PTS     float64
	Locked  bool // it lies over the frame before
	Jumped  bool // the picture jumped or its scale stepped since the frame before, and was found again
	Corners int  // that were followed, and Inliers those of them that agree on the ground
	Inliers int
	// ResidualPX is the root mean square distance of inliers from where the homography puts them, px of the full size.
	ResidualPX float64
	Searched   bool // there were frames to compare it with
	// SlowestPX is the minimum detectable speed: ResidualPX over the frames of the longest baseline, px a frame. SlowestMPS is
	// that on the ground, 0 where the ground is not known.
	SlowestPX, SlowestMPS float64
	GSD                   float64 // ground sample distance in the middle, m per px of the full size; 0 where not known
	Masked                float64 // share of the picture that burned-in symbols and bars take
	Regions               int     // that differed
	Motion                Homography
}

// A Point is a track in one frame.
type Point struct {
	PTS        float64
	X, Y, W, H float64    // middle and size of the box, px of the full size, 0 at the left and upper edge of the picture
	Covariance [3]float64 // of X and Y: xx, xy, yy, px²
	Coasted    bool       // it was not seen in this frame
	OnGround   bool       // the following are known
	At         geodesy.LatLon
	SpeedMPS   float64
	SpeedSigma float64 // of SpeedMPS, from the track alone: errors of the ground's scale come beside it
}

// A Track is something that moves.
type Track struct {
	ID       int // from 1 on, in the order in which tracks end
	Points   []Point
	Contrast float64 // grey levels against the ground, negative where darker
}

// held is a frame that is kept for the three.
type held struct {
	n        int
	pts      float64
	smoothed *grey
	canvas   *canvas
	toCanvas Homography // frame to canvas
	laid     bool       // canvas shows it by toCanvas
	frame    Frame
}

// margin is by how much the canvas is larger than the anchor, on each side, px.
const margin = 128

// A Finder takes frames and finds what moves. It belongs to one goroutine.
type Finder struct {
	o       Options
	reach   int // baseline, frames
	reg     *registrar
	pyramid [2]*pyramid
	symbols *symbols
	change  *changer
	tracks  tracker
	ring    []*held // oldest first
	spare   []*held
	next    int        // the frame to be searched next
	first   int        // of the stretch of frames that lie over each other
	plane   Homography // canvas to the plane of the tracks
	ground  bool       // that plane is the ground
	frame   *geodesy.Frame
	leaning leaning
	lookAt  Homography // canvas of the frame that symbols last looked at
	lastPTS float64
	views   []*view    // of the last frames searched
	over    Homography // plane of the last of them to the plane now
	chance  *numeric.Stream
	sights  []sighting
	n       int
}

// New checks the options.
func New(o Options) (*Finder, error) {
	bad := func(format string, args ...any) error {
		return &atalaya.Error{Op: "mover.new", Kind: atalaya.BadUse, Err: fmt.Errorf(format, args...), Hint: "Give frames of at least 64 x 64, their width a multiple of 8, and a rate above 0"}
	}
	if o.Width%8 != 0 || o.Width < 64 || o.Height < 64 || o.Width > 8192 || o.Height > 8192 {
		return nil, bad("frames of %d x %d", o.Width, o.Height)
	}
	if !(o.Rate > 0 && o.Rate < 1e4) {
		return nil, bad("%v frames a second", o.Rate)
	}
	if o.FullWidth == 0 || o.FullHeight == 0 {
		o.FullWidth, o.FullHeight = o.Width, o.Height
	}
	reach := o.Baseline
	if reach == 0 {
		reach = min(max(int(math.Round(0.5*o.Rate)), 2), 15)
	}
	if reach < 2 || reach > 30 {
		return nil, &atalaya.Error{Op: "mover.new", Kind: atalaya.BadUse, Err: fmt.Errorf("a baseline of %d frames", reach), Hint: "Give 2 to 30"}
	}
	f := &Finder{o: o, reach: reach, reg: newRegistrar(o.Width, o.Height, o.Seed), symbols: newSymbols(o.Width, o.Height),
		change: newChanger(o.Width+2*margin, o.Height+2*margin), plane: Identity, over: Identity, chance: numeric.NewStream(o.Seed, 1)}
	f.pyramid[0], f.pyramid[1] = newPyramid(o.Width, o.Height), newPyramid(o.Width, o.Height)
	f.tracks.emit, f.tracks.longest = f.tell, 2*reach
	f.tracks.w, f.tracks.h = float64(o.Width), float64(o.Height)
	return f, nil
}

// Add takes the next frame: Width*Height bytes, row by row, not kept; pts in seconds, ascending.
func (f *Finder) Add(pix []byte, pts float64) error {
	if len(pix) != f.o.Width*f.o.Height {
		return errors.New("mover: a frame of another size")
	}
	if f.n > 0 && !(pts > f.lastPTS) {
		return &atalaya.Error{Op: "mover.add", Place: fmt.Sprintf("frame %d", f.n), Kind: atalaya.BadInput, Err: fmt.Errorf("its time %v is not after %v", pts, f.lastPTS), Hint: "Give frames in order of presentation"}
	}
	h := f.hold(pts)
	p := f.pyramid[f.n%2]
	p[0] = h.smoothed
	p.build(&grey{f.o.Width, f.o.Height, f.o.Width, pix}, f.reg.rows)
	f.register(h, p)
	f.ring = append(f.ring, h)
	f.n, f.lastPTS = f.n+1, pts
	f.watch(h, p)
	f.work(false)
	f.drop()
	return nil
}

// End searches the frames that are left and ends all tracks.
func (f *Finder) End() {
	f.work(true)
	f.tracks.all()
}

func (f *Finder) hold(pts float64) *held {
	var h *held
	if n := len(f.spare); n > 0 {
		h, f.spare = f.spare[n-1], f.spare[:n-1]
	} else {
		h = &held{smoothed: newGrey(f.o.Width, f.o.Height), canvas: newCanvas(f.o.Width+2*margin, f.o.Height+2*margin)}
	}
	h.n, h.pts, h.laid = f.n, pts, false
	h.frame = Frame{N: f.n, PTS: pts, Motion: Identity}
	return h
}

func (f *Finder) newest() *held { return f.ring[len(f.ring)-1] }

// register lays the frame over the anchor, and makes it the anchor where that is due.
func (f *Finder) register(h *held, p *pyramid) {
	if f.n == 0 {
		f.begin(h, p)
		return
	}
	before := f.newest().toCanvas
	r := f.reg.step(p, f.symbols.free)
	if !r.locked {
		f.work(true)
		f.tracks.all()
		f.symbols.before = nil
		f.begin(h, p)
		return
	}
	on := shift(margin, margin)
	h.toCanvas = on.Times(&r.toAnchor)
	k := f.fullScale()
	h.frame.Locked, h.frame.Jumped, h.frame.Corners, h.frame.Inliers, h.frame.ResidualPX = true, r.jumped, r.corners, r.inliers, r.rms*k
	back := before.Inverse()
	h.frame.Motion = back.Times(&h.toCanvas)
	if l := lean(r.drifts, f.reg.age, margin, f.chance); l.known || f.reg.age > 5 {
		f.leaning = l
	}
	if r.jumped {
		f.work(true) // nothing is compared over a step of the scale
		f.first = h.n
	}
	if r.jumped || f.reg.stale() || f.outside(h) {
		f.anchor(h, p)
	}
}

// fullScale is how many px of the full size a pixel of a frame worked on has, the mean of both axes.
func (f *Finder) fullScale() float64 {
	return (float64(f.o.FullWidth)/float64(f.o.Width) + float64(f.o.FullHeight)/float64(f.o.Height)) / 2
}

// begin starts a stretch of frames that have nothing to do with those before.
func (f *Finder) begin(h *held, p *pyramid) {
	f.symbols.bars(p[0])
	f.reg.rest(p, f.symbols.free)
	h.toCanvas = shift(margin, margin)
	f.first, f.next = h.n, h.n
	f.plane, f.ground, f.leaning, f.lookAt = Identity, false, leaning{}, h.toCanvas
	f.frame, f.views, f.over = nil, nil, Identity
	if m, ok := f.mapGround(h.pts); ok {
		f.plane, f.ground = m, true
	}
	f.tracks.ground = f.ground
}

// outside says that the frame reaches beyond the canvas.
func (f *Finder) outside(h *held) bool {
	w, height := float64(f.o.Width), float64(f.o.Height)
	for _, c := range [4][2]float64{{0, 0}, {w, 0}, {0, height}, {w, height}} {
		x, y := h.toCanvas.At(c[0], c[1])
		if x < 0 || y < 0 || x > w+2*margin || y > height+2*margin {
			return true
		}
	}
	return false
}

// anchor makes the frame the anchor: everything that lies in the canvas moves over to its own.
func (f *Finder) anchor(h *held, p *pyramid) {
	back := h.toCanvas.Inverse()
	on := shift(margin, margin)
	over := on.Times(&back) // the old canvas to the new
	for _, old := range f.ring {
		old.toCanvas = over.Times(&old.toCanvas)
		old.laid = false
	}
	f.lookAt = over.Times(&f.lookAt)
	h.toCanvas = on
	f.leaning.through(&over, float64(f.o.Width), float64(f.o.Height))
	f.reg.rest(p, f.symbols.free)
	if !f.ground {
		to := over
		if m, ok := f.mapGround(h.pts); ok { // the metadata begin here
			to = m.Times(&over)
			f.plane, f.ground, f.tracks.ground = m, true, true
		}
		f.over = to.Times(&f.over)
		f.tracks.through(&to, &over, float64(f.o.Width), float64(f.o.Height))
		return
	}
	// On the ground a track stays where it is. The new anchor's map has its scale and turn from the metadata of its own time,
	// and its place from the registration: what metadata say from frame to frame jumps by metres.
	undo := over.Inverse()
	cx, cy := float64(f.o.Width)/2+margin, float64(f.o.Height)/2+margin
	ox, oy := undo.At(cx, cy)
	gx, gy := f.plane.At(ox, oy)
	next := f.plane.Times(&undo)
	if m, ok := f.mapGround(h.pts); ok {
		mx, my := m.At(cx, cy)
		move := shift(gx-mx, gy-my)
		next = move.Times(&m)
	}
	f.plane = next
	same := Identity
	f.tracks.through(&same, &over, float64(f.o.Width), float64(f.o.Height))
}

// mapGround is the homography from the canvas of an anchor to east and north in metres, through nine points of its picture;
// false where fewer than six lie on the ground.
func (f *Finder) mapGround(pts float64) (Homography, bool) {
	if f.o.Ground == nil {
		return Identity, false
	}
	var ps []pair
	var weights []float64
	for _, v := range [3]float64{0.95, 0.5, 0.05} { // from below: what lies nearer is known better
		for _, u := range [3]float64{0.5, 0.05, 0.95} {
			at, ok := f.o.Ground(pts, u*float64(f.o.FullWidth), v*float64(f.o.FullHeight))
			if !ok || !at.Valid() {
				continue
			}
			if f.frame == nil {
				fr := geodesy.NewFrame(geodesy.LatLonHeight{Lat: at.Lat, Lon: at.Lon})
				f.frame = &fr
			}
			g := f.frame.GroundENU(at)
			ps = append(ps, pair{u*float64(f.o.Width) - 0.5 + margin, v*float64(f.o.Height) - 0.5 + margin, g[0], g[1], evenly})
			weights = append(weights, 1)
		}
	}
	size := float64(f.o.Width)
	if len(ps) < 6 {
		return Identity, false
	}
	h, ok := fitMap(ps, weights, &Identity, size, 6)
	for range 3 {
		if !ok {
			return Identity, false
		}
		h, ok = fitMap(ps, weights, &h, size, 8)
	}
	return h, ok
}

// lookAgain is how many px the scene must have moved before symbols are looked for again: enough to change every edge.
const lookAgain = 2

// watch lets symbols be looked for when the scene has moved on: at first each time, later now and then.
func (f *Finder) watch(h *held, p *pyramid) {
	if f.symbols.before != nil {
		if movedBy(&h.toCanvas, &f.lookAt, f.o.Width, f.o.Height) < lookAgain || f.symbols.looks > 24 && h.n%8 != 0 {
			return
		}
	}
	f.lookAt = h.toCanvas
	f.symbols.look(p[1])
}

// work searches every frame whose three are there; at the end of a stretch, those that are left too, with what there is.
func (f *Finder) work(end bool) {
	for len(f.ring) > 0 && f.next <= f.newest().n {
		last := f.newest().n
		if !end && (f.next+2*f.reach > last || f.next-f.reach < f.first && f.first+3*f.reach > last) {
			return
		}
		f.search(f.at(f.next), f.threes(f.next, last))
		f.next++
	}
}

// three names the frames that one is compared with. Sided says that both come after it, or both before: then what one of them
// uncovered may be taken for something that moved, and no track is believed for that alone.
type three struct {
	past, next int
	sided      bool
}

// threes lists the comparisons that frame t allows, the longest baseline first; on one side only where there is none with two.
func (f *Finder) threes(t, last int) (out []three) {
	for _, k := range [2]int{2 * f.reach, f.reach} {
		if t-k >= f.first && t+k <= last {
			out = append(out, three{t - k, t + k, false})
		}
	}
	k := min(f.reach, (last-f.first)/3)
	switch {
	case len(out) > 0 || k < 2:
	case t-k >= f.first && t+k <= last:
		out = append(out, three{t - k, t + k, false})
	case t+2*k <= last:
		out = append(out, three{t + 2*k, t + k, true})
	case t-2*k >= f.first:
		out = append(out, three{t - k, t - 2*k, true})
	}
	return out
}

func (f *Finder) at(n int) *held { return f.ring[n-f.ring[0].n] }

// lay warps a frame into its canvas, if it does not lie there yet.
func (f *Finder) lay(h *held) *canvas {
	if !h.laid {
		from := h.toCanvas.Inverse()
		warp(h.canvas, h.smoothed, &from, f.symbols.inner)
		h.laid = true
	}
	return h.canvas
}

// mostSights bounds the work of a frame in which everything differs, as under rain or a wrong registration: the largest are
// followed.
const mostSights = 128

// search finds what moved in frame h and hands it to the tracks.
func (f *Finder) search(h *held, with []three) {
	toFrame := h.toCanvas.Inverse()
	v := &view{n: h.n, first: f.first, pts: h.pts, frame: toFrame, plane: f.plane, back: f.plane.Inverse(), leaning: f.leaning, rate: f.o.Rate, ground: f.ground}
	cx, cy := float64(f.o.Width)/2, float64(f.o.Height)/2
	mx, my := h.toCanvas.At(cx, cy)
	v.perPX = f.plane.Scale(mx, my)
	f.chain(v)
	f.sights = f.sights[:0]
	for i, t := range with {
		var other *three
		if len(with) == 2 {
			other = &with[1-i]
		}
		f.regions(h, t, other, i == 0, &toFrame)
	}
	h.frame.Regions = len(f.sights)
	if len(f.sights) > mostSights {
		slices.SortStableFunc(f.sights, func(a, b sighting) int { return cmp.Compare(b.w*b.h, a.w*a.h) })
		f.sights = f.sights[:mostSights]
	}
	if h.frame.Searched = len(with) > 0; h.frame.Searched {
		h.frame.SlowestPX = h.frame.ResidualPX / float64(max(with[0].next-h.n, h.n-with[0].next))
	}
	h.frame.Masked = f.symbols.masked()
	if f.ground {
		h.frame.GSD = v.perPX * h.toCanvas.Scale(cx, cy) / f.fullScale()
		h.frame.SlowestMPS = h.frame.SlowestPX * h.frame.GSD * f.o.Rate
	}
	dt := 1 / f.o.Rate
	if h.n > f.first {
		dt = h.pts - f.at(h.n-1).pts
	}
	f.tracks.step(v, f.sights, dt, len(with) > 0 && !with[0].sided)
	if f.o.OnFrame != nil {
		f.o.OnFrame(h.frame)
	}
}

// chain links a view to the one before, as long as a track may be told back to it.
func (f *Finder) chain(v *view) {
	v.over, f.over = f.over, Identity
	if n := len(f.views); n > 0 {
		v.prev = f.views[n-1]
	}
	if f.views = append(f.views, v); len(f.views) > 6*f.reach {
		f.views[1].prev = nil
		f.views = append(f.views[:0], f.views[1:]...)
	}
}

// regions makes sightings of what differs: pieces that all but touch are one, and what was seen over a longer baseline is not
// taken again. The other baseline, if there is one, bears them out.
func (f *Finder) regions(h *held, with three, other *three, fresh bool, toFrame *Homography) {
	pastTo, nextTo := f.at(with.past).toCanvas.Inverse(), f.at(with.next).toCanvas.Inverse()
	free := func(x, y int) bool {
		return f.shows(toFrame, x, y) && f.shows(&pastTo, x, y) && f.shows(&nextTo, x, y)
	}
	now, past, next := f.lay(h), f.lay(f.at(with.past)), f.lay(f.at(with.next))
	var check [2]*canvas
	if other != nil {
		check = [2]*canvas{f.lay(f.at(other.past)), f.lay(f.at(other.next))}
	}
	guard := f.leaning.guard(max(with.next-h.n, h.n-with.next))
	seen := f.sights
	for _, r := range joined(f.change.find(now, past, next, fresh, check, seen, guard, free)) {
		x, y := r.centre()
		if !now.holds(&r) || !past.holds(&r) || !next.holds(&r) {
			continue // cut off: its middle is not where it seems
		}
		if slices.ContainsFunc(seen, func(s sighting) bool {
			return math.Abs(s.x+0.5-x)*2 < s.w+r.x1-r.x0 && math.Abs(s.y+0.5-y)*2 < s.h+r.y1-r.y0
		}) {
			continue
		}
		// A pixel i of the canvas covers i to i+1; the maps are between middles of pixels.
		f.sights = append(f.sights, sighting{x: x - 0.5, y: y - 0.5, w: r.x1 - r.x0, h: r.y1 - r.y0, contrast: r.contrast, look: cutLook(now.grey, x, y)})
	}
}

// shows tells whether a frame shows the scene at a place of the canvas, not a symbol.
func (f *Finder) shows(toFrame *Homography, x, y int) bool {
	u, v := toFrame.At(float64(x), float64(y))
	return u >= 0 && v >= 0 && u < float64(f.o.Width) && v < float64(f.o.Height) && f.symbols.free(int(u), int(v))
}

// joined joins regions whose boxes are within two pixels of each other.
func joined(rs []region) []region {
	for again := true; again; {
		again = false
		for i := 0; i < len(rs); i++ {
			for j := i + 1; j < len(rs); j++ {
				a, b := &rs[i], &rs[j]
				if max(a.x0, b.x0)-min(a.x1, b.x1) > 2 || max(a.y0, b.y0)-min(a.y1, b.y1) > 2 {
					continue
				}
				if b.area > a.area {
					a.contrast = b.contrast
				}
				*a = region{min(a.x0, b.x0), min(a.y0, b.y0), max(a.x1, b.x1), max(a.y1, b.y1), a.contrast, a.area + b.area}
				rs = append(rs[:j], rs[j+1:]...)
				j--
				again = true
			}
		}
	}
	return rs
}

// drop lets go of frames that no later one is compared with.
func (f *Finder) drop() {
	for len(f.ring) > 1 && (f.ring[0].n < f.first || f.ring[0].n < f.next-1 && f.ring[0].n <= f.newest().n-4*f.reach) {
		f.spare = append(f.spare, f.ring[0])
		f.ring = f.ring[1:]
	}
}

// tell makes a track of what the tracker ended.
func (f *Finder) tell(l *lane) {
	if f.o.OnTrack == nil {
		return
	}
	l.backwards(f.reach, float64(f.o.Width), float64(f.o.Height))
	t := Track{ID: l.id, Contrast: l.contrast}
	ms, sizes := l.smooth(), l.sizes()
	kx, ky := float64(f.o.FullWidth)/float64(f.o.Width), float64(f.o.FullHeight)/float64(f.o.Height)
	for i := range l.steps {
		s, m := &l.steps[i], &ms[i]
		v := s.view
		toFrame := v.frame.Times(&v.back)
		x, y := toFrame.At(m.x[0], m.x[1])
		if x < 0 || y < 0 || x > float64(f.o.Width-1) || y > float64(f.o.Height-1) {
			continue // it has left the picture, as far as can be known
		}
		j := toFrame.Jacobian(m.x[0], m.x[1])
		cx, cy := v.back.At(m.x[0], m.x[1])
		g := v.frame.Jacobian(cx, cy)
		xx := j[0]*j[0]*m.p[0][0] + 2*j[0]*j[1]*m.p[0][1] + j[1]*j[1]*m.p[1][1]
		xy := j[0]*j[2]*m.p[0][0] + (j[0]*j[3]+j[1]*j[2])*m.p[0][1] + j[1]*j[3]*m.p[1][1]
		yy := j[2]*j[2]*m.p[0][0] + 2*j[2]*j[3]*m.p[0][1] + j[3]*j[3]*m.p[1][1]
		p := Point{PTS: v.pts, X: (x + 0.5) * kx, Y: (y + 0.5) * ky, Coasted: !s.hit,
			W: math.Hypot(g[0], g[2]) * sizes[i][0] * kx, H: math.Hypot(g[1], g[3]) * sizes[i][1] * ky,
			Covariance: [3]float64{xx * kx * kx, xy * kx * ky, yy * ky * ky}}
		if v.ground {
			if at, ok := f.o.Ground(p.PTS, p.X, p.Y); ok {
				p.OnGround, p.At = true, at
				vx, vy := m.x[2], m.x[3]
				p.SpeedMPS = math.Hypot(vx, vy)
				if p.SpeedMPS > 0 {
					vx, vy = vx/p.SpeedMPS, vy/p.SpeedMPS
				}
				p.SpeedSigma = math.Sqrt(max(vx*vx*m.p[2][2]+2*vx*vy*m.p[2][3]+vy*vy*m.p[3][3], 0))
			}
		}
		t.Points = append(t.Points, p)
	}
	if len(t.Points) > 0 {
		f.o.OnTrack(t)
	}
}
