package still

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/detect/mover"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// A Registered frame is one of a stretch of video, in order of presentation, as detect/mover registered it.
type Registered struct {
	PTS float64
	// Motion carries pixels of this frame, of the size worked on and counted from the middle of the first, to those of the frame
	// before; it holds where Locked.
	Motion     mover.Homography
	Locked     bool
	ResidualPX float64 // of the registration, px of the whole frame
	Moment     *video.Moment
}

// The sizes of what a mosaic does.
const (
	// windowS is how far to each side of a frame, seconds, the metadata counts that ties the frame to the ground, and longestS how far
	// where that must be. Registration is good to a fraction of a pixel from frame to frame, and drifts by about that at each new
	// anchor; metadata jitters from packet to packet and does not drift. Where it jitters, or slides against what the picture shows,
	// by so much that neighbours would not meet, more of it is taken.
	windowS  = 3.0
	longestS = 3072.0
	// meetPX is how well neighbours must meet, px of the mosaic.
	meetPX = 0.75
	// mostTies bounds the frames that tie one.
	mostTies = 150
	// moved is by which share of the lesser side of a frame the view moves until the next frame is laid.
	moved = 0.12
	// mostLaid bounds the frames laid; where there are more, the view moves further between two.
	mostLaid = 400
	// mostArea bounds the picture, px: 16 bytes each while it is put together.
	mostArea = 8 << 20
	// mostSide bounds its sides, px.
	mostSide = 6000
	// stretchedTo is how much coarser than in its middle a frame may be, lengths, where it is still laid: beyond, towards the horizon, a
	// pixel is smeared over more ground than it tells of.
	stretchedTo = 3.0
)

// A plane is where a mosaic lies: east and north in metres on a zone of UTM, counted from an origin; or, where nothing tells the
// ground, right and up in pixels of one frame.
type plane struct {
	ground   bool
	zone     int
	south    bool
	e0, n0   float64
	center   geodesy.LatLon // of the middle frame laid
	ellipse  geodesy.Ellipse
	known    bool // the ellipse is
	baseTime float64
}

// A laid frame goes into the mosaic.
type laid struct {
	at    int              // index of the frame
	on    mover.Homography // whole-frame pixels to the plane
	back  mover.Homography
	y0    float64 // rows between y0 and y1 are laid
	y1    float64
	scale float64 // of the plane a pixel, in the middle
}

// A Mosaic is put together frame by frame: Plan says where each lies, Lay brings its pixels, and then it is drawn.
type Mosaic struct {
	of       video.Size
	frames   []Registered
	list     []laid
	plane    plane
	step     float64 // metres, or pixels of the base frame, a pixel of the mosaic
	x0, y1   float64 // of the upper left corner, on the plane
	w, h     int
	sum      []float32 // red, green, blue, weight
	window   float64   // seconds
	brought  int
	figures  Figures
	problems []string
}

// Figures say how well a mosaic holds together.
type Figures struct {
	Frames     int // registered
	Laid       int
	Cuts       int     // where nothing ties a frame to the one before
	Left       int     // frames left out: nothing told where they lie
	ResidualPX float64 // of the registration from frame to frame, root mean square, px of the frame
	// SeamPX is how far apart the same point lies in two frames laid one after the other, root mean square, px of the mosaic, and SeamM
	// the same in metres, 0 where the ground is not known.
	SeamPX, SeamM float64
	// ScatterM is how far the metadata's places lie from those of the frames registered, root mean square over the windows, metres.
	ScatterM float64
	// WindowS is how many seconds of metadata to each side, at most, tie a frame to the ground.
	WindowS float64
}

// Problems are what the mosaic had to leave out.
func (m *Mosaic) Problems() []string { return m.problems }

// Figures say how well it holds together.
func (m *Mosaic) Figures() Figures { return m.figures }

func noMosaic(what, hint string) error {
	return &atalaya.Error{Op: "still.mosaic", Kind: atalaya.BadInput, Err: errors.New(what), Hint: hint}
}

// Plan lays frames of the size of on a plane. worked is the size in which Motion counts. Where metadata tells the ground of frames,
// each frame that is laid is tied to it by all frames within windowS: carried to it by the registration, which frames give the ground
// without their metadata's jitter, and without the drift of a longer chain. Elsewhere the longest stretch without a cut is laid on
// the plane of its middle frame, by the chain alone.
func Plan(frames []Registered, of, worked video.Size) (*Mosaic, error) {
	if len(frames) == 0 || of.Width < 8 || of.Height < 8 || of.Width > maxSide || of.Height > maxSide || worked.Width < 8 || worked.Height < 8 {
		return nil, noMosaic("there are no frames to put together", "Give a longer time: --from and --to")
	}
	m := &Mosaic{of: of, frames: slices.Clone(frames)}
	kx, ky := float64(of.Width)/float64(worked.Width), float64(of.Height)/float64(worked.Height)
	up := mover.Homography{kx, 0, kx / 2, 0, ky, ky / 2, 0, 0, 1}
	down := up.Inverse()
	sum, n := 0.0, 0
	for i := range m.frames {
		f := &m.frames[i]
		if i == 0 {
			f.Locked = false
		}
		if !f.Locked {
			m.figures.Cuts += min(i, 1)
			continue
		}
		f.Motion = f.Motion.Times(&down)
		f.Motion = up.Times(&f.Motion)
		sum, n = sum+f.ResidualPX*f.ResidualPX, n+1
	}
	m.figures.Frames, m.figures.ResidualPX = len(frames), math.Sqrt(sum/float64(max(n, 1)))
	grounds := m.grounds()
	var err error
	if m.plane.ground {
		err = m.onGround(grounds)
	} else {
		err = m.onFrame()
	}
	if err != nil {
		return nil, err
	}
	m.figures.Laid = len(m.list)
	return m, m.canvas()
}

// middle is the frame's, px.
func (m *Mosaic) middle() (x, y float64) { return float64(m.of.Width) / 2, float64(m.of.Height) / 2 }

// gridOf are places spread over a frame, n by n.
func (m *Mosaic) gridOf(n int, see func(x, y float64)) {
	for r := range n {
		for c := range n {
			see((float64(c)+0.5)/float64(n)*float64(m.of.Width), (float64(r)+0.5)/float64(n)*float64(m.of.Height))
		}
	}
}

// grounds gives each frame's map to the ground by its own metadata alone; false where that tells none. The first that has one sets
// the zone and the origin.
func (m *Mosaic) grounds() []*mover.Homography {
	out := make([]*mover.Homography, len(m.frames))
	for i := range m.frames {
		at := m.frames[i].Moment
		if at == nil {
			continue
		}
		spots := m.spots(at)
		if len(spots) < 4 {
			continue
		}
		if !m.plane.ground {
			u, ok := geodesy.ToUTM(spots[0].at)
			if !ok {
				continue // beyond the grid, near the poles
			}
			m.plane.ground, m.plane.zone, m.plane.south, m.plane.e0, m.plane.n0 = true, u.Zone, u.South, math.Round(u.EastingM), math.Round(u.NorthingM)
		}
		ties := make([]tie, len(spots))
		for k, s := range spots {
			u := geodesy.InZone(s.at, m.plane.zone, m.plane.south)
			ties[k] = tie{s.x, s.y, u.EastingM - m.plane.e0, u.NorthingM - m.plane.n0, s.weight}
		}
		if h, ok := fitPlane(ties); ok && m.sound(&h) {
			out[i] = &h
		}
	}
	return out
}

type groundSpot struct {
	x, y   float64
	at     geodesy.LatLon
	weight float64
}

// spots is the ground at places of a frame: by rays, none further than three times the middle's; else its corners.
func (m *Mosaic) spots(at *video.Moment) (out []groundSpot) {
	cx, cy := m.middle()
	if at.Blind() == "" {
		mid, ok := at.Pixel(cx, cy, m.of)
		if !ok || mid.RangeM > video.Reach {
			return nil
		}
		m.gridOf(7, func(x, y float64) {
			if s, ok := at.Pixel(x, y, m.of); ok && s.RangeM < 3*mid.RangeM {
				out = append(out, groundSpot{x, y, s.LatLon(), mid.RangeM * mid.RangeM / (s.RangeM * s.RangeM)})
			}
		})
		return out
	}
	if at.How == "" || at.Horizon {
		return nil
	}
	w, h := float64(m.of.Width), float64(m.of.Height)
	for i, c := range [4][2]float64{{0, 0}, {w, 0}, {w, h}, {0, h}} {
		out = append(out, groundSpot{c[0], c[1], at.Corners[i], 1})
	}
	return out
}

// sound says that a map neither folds nor vanishes in the middle of the frame.
func (m *Mosaic) sound(h *mover.Homography) bool {
	x, y := m.middle()
	s := h.Scale(x, y)
	for _, v := range h {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return ahead(h, x, y) > 0 && s > 1e-6 && s < 1e6
}

// onGround ties frames to the ground, by as much metadata as lets neighbours meet.
func (m *Mosaic) onGround(grounds []*mover.Homography) error {
	chosen := m.choose(moved)
	for share := moved * 1.5; len(chosen) > mostLaid; share *= 1.5 {
		chosen = m.choose(share)
	}
	type try struct {
		list    []laid
		figures Figures
	}
	var best *try
	before := m.figures
	for m.window = windowS; m.window <= longestS; m.window *= 2 {
		m.list, m.figures = nil, before
		m.tie(chosen, grounds)
		if len(m.list) == 0 {
			break
		}
		m.seams()
		if best == nil || m.figures.SeamM < best.figures.SeamM {
			best = &try{m.list, m.figures}
		}
		if m.figures.SeamM <= meetPX*m.median() {
			break
		}
	}
	if best == nil {
		return noMosaic("the metadata tells no frame's ground", "Give a time at which `atalaya video georef` tells frame centers")
	}
	m.list, m.figures = best.list, best.figures
	if m.figures.Left > 0 {
		m.problems = append(m.problems, fmt.Sprintf("%d frames were left out: no metadata within %g s ties them to the ground", m.figures.Left, m.figures.WindowS))
	}
	if m.figures.SeamM > 2*meetPX*m.median() {
		m.problems = append(m.problems, fmt.Sprintf("the metadata contradicts what the pictures show: neighbours meet only to %s", metres(m.figures.SeamM)))
	}
	mid := &m.list[len(m.list)/2]
	x, y := m.middle()
	u, v := mid.on.At(x, y)
	m.plane.center = m.placeOf(u, v)
	m.plane.ellipse, m.plane.known = m.errorNear(mid.at)
	return nil
}

// tie lays the frames chosen.
func (m *Mosaic) tie(chosen []int, grounds []*mover.Homography) {
	scatter, n := 0.0, 0
	for _, i := range chosen {
		on, square, k, ok := m.tied(i, grounds)
		if !ok || !m.sound(&on) {
			m.figures.Left++
			continue
		}
		scatter, n = scatter+square, n+k
		m.add(i, on)
	}
	m.figures.ScatterM, m.figures.WindowS = math.Sqrt(scatter/float64(max(n, 1))), math.Min(m.window, m.frames[len(m.frames)-1].PTS-m.frames[0].PTS)
}

// median is what of the plane a pixel takes in the middle of a frame, the median of those laid.
func (m *Mosaic) median() float64 {
	scales := make([]float64, len(m.list))
	for i := range m.list {
		scales[i] = m.list[i].scale
	}
	slices.Sort(scales)
	return scales[len(scales)/2]
}

// errorNear is the error ellipse of the frame center nearest in time that has one.
func (m *Mosaic) errorNear(i int) (geodesy.Ellipse, bool) {
	for d := range m.frames {
		for _, k := range [2]int{i - d, i + d} {
			if k < 0 || k >= len(m.frames) || m.frames[k].Moment == nil || m.frames[k].Moment.Blind() != "" {
				continue
			}
			if s, ok := m.frames[k].Moment.Point(0.5, 0.5); ok {
				if e, ok := m.frames[k].Moment.PointEllipse95(0.5, 0.5, s); ok {
					return e, true
				}
			}
		}
	}
	return geodesy.Ellipse{}, false
}

// placeOf is a point of the plane as a position.
func (m *Mosaic) placeOf(x, y float64) geodesy.LatLon {
	return geodesy.UTM{Zone: m.plane.zone, South: m.plane.south, EastingM: m.plane.e0 + x, NorthingM: m.plane.n0 + y}.LatLon()
}

// choose picks the frames that are laid: the first of each stretch, and then each that shows a view moved by the share.
func (m *Mosaic) choose(share float64) (out []int) {
	toLast := mover.Identity
	x, y := m.middle()
	limit := share * math.Min(float64(m.of.Width), float64(m.of.Height))
	for i := range m.frames {
		if !m.frames[i].Locked {
			out, toLast = append(out, i), mover.Identity
			continue
		}
		toLast = toLast.Times(&m.frames[i].Motion)
		u, v := toLast.At(x, y)
		j := toLast.Jacobian(x, y)
		turned := math.Abs(math.Atan2(j[2]-j[1], j[0]+j[3]))
		scaled := math.Abs(math.Log(math.Max(toLast.Scale(x, y), 1e-9)))
		end := i+1 == len(m.frames) || !m.frames[i+1].Locked
		if ahead(&toLast, x, y) <= 0 || math.Hypot(u-x, v-y) > limit || scaled > share || turned > share || end {
			out, toLast = append(out, i), mover.Identity
		}
	}
	return out
}

// neighbours gives the frames within the window of a frame that show some of its ground, at most mostTies of them, each with its map
// to that frame's pixels, as far as the chain holds.
func (m *Mosaic) neighbours(i int, see func(k int, to *mover.Homography)) {
	near := func(k int) bool { return math.Abs(m.frames[k].PTS-m.frames[i].PTS) <= m.window }
	from, to := i, i
	for from > 0 && m.frames[from].Locked && near(from-1) {
		from--
	}
	for to+1 < len(m.frames) && m.frames[to+1].Locked && near(to+1) {
		to++
	}
	every := (to-from)/mostTies + 1
	x, y := m.middle()
	shows := func(h *mover.Homography) bool {
		u, v := h.At(x, y)
		return ahead(h, x, y) > 0 && math.Abs(u-x) < 3*x && math.Abs(v-y) < 3*y
	}
	h := mover.Identity
	see(i, &h)
	for k := i + 1; k <= to; k++ {
		if h = h.Times(&m.frames[k].Motion); !shows(&h) {
			break
		}
		if (k-i)%every == 0 {
			see(k, &h)
		}
	}
	h = mover.Identity
	for k := i - 1; k >= from; k-- {
		back := m.frames[k+1].Motion.Inverse()
		if h = h.Times(&back); !shows(&h) {
			break
		}
		if (i-k)%every == 0 {
			see(k, &h)
		}
	}
}

// tied fits a frame's map to the ground to that of all frames near it, those nearer in time weighing more. square is the sum over n
// frames of the squared distance, metres, from where their own metadata puts their middles.
func (m *Mosaic) tied(i int, grounds []*mover.Homography) (on mover.Homography, square float64, n int, ok bool) {
	var ties, middles []tie
	cx, cy := m.middle()
	w, h := float64(m.of.Width), float64(m.of.Height)
	m.neighbours(i, func(k int, to *mover.Homography) {
		g := grounds[k]
		if g == nil {
			return
		}
		weight := 1 - math.Abs(m.frames[k].PTS-m.frames[i].PTS)/(m.window*1.01)
		put := func(list *[]tie, x, y float64) {
			if ahead(to, x, y) <= 0 || ahead(g, x, y) <= 0 {
				return
			}
			u, v := to.At(x, y)
			e, n := g.At(x, y)
			if u > -2*w && u < 3*w && v > -2*h && v < 3*h {
				*list = append(*list, tie{u, v, e, n, weight})
			}
		}
		m.gridOf(4, func(x, y float64) { put(&ties, x, y) })
		put(&middles, cx, cy)
	})
	if on, ok = fitPlane(ties); !ok {
		return on, 0, 0, false
	}
	for _, t := range middles {
		u, v := on.At(t.x, t.y)
		square += (u-t.u)*(u-t.u) + (v-t.v)*(v-t.v)
	}
	return on, square, len(middles), true
}

// onFrame lays the longest stretch on the plane of its middle frame.
func (m *Mosaic) onFrame() error {
	from, to := 0, 0
	for i := 0; i < len(m.frames); {
		k := i + 1
		for k < len(m.frames) && m.frames[k].Locked {
			k++
		}
		if k-i > to-from {
			from, to = i, k
		}
		i = k
	}
	if to-from < len(m.frames) {
		m.problems = append(m.problems, fmt.Sprintf("the picture cuts %d times and nothing tells its ground: only %s to %s is laid", m.figures.Cuts, seconds(m.frames[from].PTS), seconds(m.frames[to-1].PTS)))
	}
	base := (from + to) / 2
	m.plane.baseTime = m.frames[base].PTS
	flip := mover.Homography{1, 0, 0, 0, -1, 0, 0, 0, 1}
	maps := map[int]mover.Homography{base: mover.Identity}
	x, y := m.middle()
	usable := func(h *mover.Homography) bool {
		s := h.Scale(x, y)
		return ahead(h, x, y) > 0 && s > 1.0/3 && s < 3
	}
	h := mover.Identity
	for k := base + 1; k < to; k++ {
		if h = h.Times(&m.frames[k].Motion); !usable(&h) {
			m.problems = append(m.problems, fmt.Sprintf("from %s on the view is too unlike that of %s to lie on its plane", seconds(m.frames[k].PTS), seconds(m.plane.baseTime)))
			break
		}
		maps[k] = h
	}
	h = mover.Identity
	for k := base - 1; k >= from; k-- {
		back := m.frames[k+1].Motion.Inverse()
		if h = h.Times(&back); !usable(&h) {
			m.problems = append(m.problems, fmt.Sprintf("up to %s the view is too unlike that of %s to lie on its plane", seconds(m.frames[k].PTS), seconds(m.plane.baseTime)))
			break
		}
		maps[k] = h
	}
	chosen := m.choose(moved)
	for share := moved * 1.5; len(chosen) > mostLaid; share *= 1.5 {
		chosen = m.choose(share)
	}
	for _, i := range chosen {
		if on, ok := maps[i]; ok {
			m.add(i, flip.Times(&on))
		}
	}
	if len(m.list) == 0 {
		m.add(base, flip)
	}
	m.seams()
	return nil
}

// add takes a frame in, with the rows that are not smeared.
func (m *Mosaic) add(i int, on mover.Homography) {
	x, y := m.middle()
	l := laid{at: i, on: on, back: on.Inverse(), scale: on.Scale(x, y), y0: y, y1: y}
	good := func(y float64) bool {
		for _, u := range [3]float64{0, x, 2 * x} {
			if ahead(&on, u, y) <= 0 || on.Scale(u, y) > stretchedTo*l.scale {
				return false
			}
		}
		return true
	}
	for r := math.Floor(y); r >= 0 && good(r); r-- {
		l.y0 = r
	}
	for r := math.Floor(y); r <= float64(m.of.Height) && good(r); r++ {
		l.y1 = r
	}
	if good(math.Floor(y)) && l.y1-l.y0 >= 8 {
		m.list = append(m.list, l)
	}
}

// seams measures how far apart one point lies in two frames laid one after the other.
func (m *Mosaic) seams() {
	sum, n := 0.0, 0
	for k := 1; k < len(m.list); k++ {
		a, b := &m.list[k-1], &m.list[k]
		to := mover.Identity // b's pixels to a's
		chained := true
		for i := a.at + 1; i <= b.at; i++ {
			chained = chained && m.frames[i].Locked
			to = to.Times(&m.frames[i].Motion)
		}
		if !chained {
			continue
		}
		m.gridOf(3, func(x, y float64) {
			u, v := to.At(x, y)
			if ahead(&to, x, y) <= 0 || u < 0 || v < a.y0 || u > float64(m.of.Width) || v > a.y1 || y < b.y0 || y > b.y1 {
				return
			}
			ax, ay := a.on.At(u, v)
			bx, by := b.on.At(x, y)
			sum, n = sum+(ax-bx)*(ax-bx)+(ay-by)*(ay-by), n+1
		})
	}
	if n > 0 {
		m.figures.SeamM = math.Sqrt(sum / float64(n))
	}
}

// canvas sizes the picture: a pixel takes the median of what a frame's pixel takes in its middle, or more where it would grow too large.
func (m *Mosaic) canvas() error {
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for i := range m.list {
		l := &m.list[i]
		w := float64(m.of.Width)
		for _, c := range [4][2]float64{{0, l.y0}, {w, l.y0}, {w, l.y1}, {0, l.y1}} {
			x, y := l.on.At(c[0], c[1])
			lo, hi = [2]float64{math.Min(lo[0], x), math.Min(lo[1], y)}, [2]float64{math.Max(hi[0], x), math.Max(hi[1], y)}
		}
	}
	m.step = m.median()
	w, h := hi[0]-lo[0], hi[1]-lo[1]
	m.step = math.Max(m.step, math.Max(math.Max(w, h)/(mostSide-2), math.Sqrt(w*h/(mostArea*0.98))))
	if m.step = roundUp(m.step); !(m.step > 0) || math.IsInf(m.step, 0) {
		return noMosaic("the frames do not lie on any plane", "Give another time")
	}
	// The corner lies on whole steps, so that mosaics of one place lie over each other.
	m.x0, m.y1 = math.Floor(lo[0]/m.step)*m.step, math.Ceil(hi[1]/m.step)*m.step
	m.w, m.h = max(1, int(math.Ceil((hi[0]-m.x0)/m.step-1e-9))), max(1, int(math.Ceil((m.y1-lo[1])/m.step-1e-9)))
	if m.plane.ground {
		m.figures.SeamPX = m.figures.SeamM / m.step
	} else {
		m.figures.SeamPX, m.figures.SeamM = m.figures.SeamM/m.step, 0
	}
	m.sum = make([]float32, 4*m.w*m.h)
	return nil
}

// roundUp is v or a little more, with two figures.
func roundUp(v float64) float64 {
	if !(v > 0) || math.IsInf(v, 0) {
		return v
	}
	k := math.Pow10(int(math.Floor(math.Log10(v))) - 1)
	return math.Ceil(v/k-1e-9) * k
}

// Span is the times of the first and the last frame that Lay wants.
func (m *Mosaic) Span() (from, to float64) {
	return m.frames[m.list[0].at].PTS, m.frames[m.list[len(m.list)-1].at].PTS
}

// Wants says that the frame of that time is laid.
func (m *Mosaic) Wants(pts float64) bool {
	_, found := m.find(pts)
	return found
}

func (m *Mosaic) find(pts float64) (int, bool) {
	return slices.BinarySearchFunc(m.list, pts, func(l laid, t float64) int { return cmp.Compare(m.frames[l.at].PTS, t) })
}

// Lay brings a frame's pixels; a frame that is not laid is passed over. taken says which it was.
func (m *Mosaic) Lay(pts float64, pix *image.RGBA) (taken bool, err error) {
	k, found := m.find(pts)
	if !found {
		return false, nil
	}
	if pix.Rect.Size() != image.Pt(m.of.Width, m.of.Height) || pix.Rect.Min != (image.Point{}) {
		return false, bad("a frame that is not of the size it says")
	}
	m.brought++
	l := &m.list[k]
	lo, hi := m.bounds(l)
	w, h := float64(m.of.Width), float64(m.of.Height)
	for r := lo.Y; r < hi.Y; r++ {
		y := m.y1 - (float64(r)+0.5)*m.step
		for c := lo.X; c < hi.X; c++ {
			u, v := l.back.At(m.x0+(float64(c)+0.5)*m.step, y)
			if !(u >= 0 && u <= w && v >= l.y0 && v <= l.y1) {
				continue
			}
			weight := feather(u, w/2, 0, w) * feather(v, h/2, l.y0, l.y1)
			m.blend(m.sum[4*(r*m.w+c):], pix, u-0.5, v-0.5, weight)
		}
	}
	return true, nil
}

// feather is the weight of a place along one axis of a frame: 1 in the middle, towards nothing at the edge, to the fourth power, so
// that each place shows the frame that saw it nearest to its middle, and passes over to the next without a step.
func feather(v, half, lo, hi float64) float64 {
	d := math.Min(math.Min(v-lo, hi-v)/half, 1)
	return d*d*d*d + 1e-6
}

// blend adds the picture at (x, y), between the middles of its pixels.
func (m *Mosaic) blend(sum []float32, pix *image.RGBA, x, y, weight float64) {
	x, y = math.Min(math.Max(x, 0), float64(m.of.Width-1)), math.Min(math.Max(y, 0), float64(m.of.Height-1))
	ix, iy := min(int(x), m.of.Width-2), min(int(y), m.of.Height-2)
	fx, fy := x-float64(ix), y-float64(iy)
	a, b := pix.Pix[iy*pix.Stride+4*ix:], pix.Pix[(iy+1)*pix.Stride+4*ix:]
	for i := range 3 {
		top, below := float64(a[i])*(1-fx)+float64(a[4+i])*fx, float64(b[i])*(1-fx)+float64(b[4+i])*fx
		sum[i] += float32(weight * (top*(1-fy) + below*fy))
	}
	sum[3] += float32(weight)
}

// bounds are the pixels of the mosaic that a frame may reach.
func (m *Mosaic) bounds(l *laid) (lo, hi image.Point) {
	lo, hi = image.Pt(m.w, m.h), image.Point{}
	w := float64(m.of.Width)
	for _, c := range [4][2]float64{{0, l.y0}, {w, l.y0}, {w, l.y1}, {0, l.y1}} {
		x, y := l.on.At(c[0], c[1])
		p := image.Pt(int(math.Floor((x-m.x0)/m.step)), int(math.Floor((m.y1-y)/m.step)))
		lo, hi = image.Pt(min(lo.X, p.X), min(lo.Y, p.Y)), image.Pt(max(hi.X, p.X+1), max(hi.Y, p.Y+1))
	}
	return image.Pt(max(lo.X, 0), max(lo.Y, 0)), image.Pt(min(hi.X, m.w), min(hi.Y, m.h))
}

// picture is the mosaic as it was put together; transparent where nothing was looked at.
func (m *Mosaic) picture() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, m.w, m.h))
	for i := range m.w * m.h {
		s := m.sum[4*i : 4*i+4]
		if s[3] == 0 {
			continue
		}
		for k := range 3 {
			img.Pix[4*i+k] = uint8(math.Round(math.Min(float64(s[k])/float64(s[3]), 255)))
		}
		img.Pix[4*i+3] = 0xff
	}
	return img
}
