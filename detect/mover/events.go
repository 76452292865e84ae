package mover

import (
	"cmp"
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// An EventKind is a way in which a track is worth a person's look.
type EventKind string

// The kinds of event. Each is what a track did, never why.
const (
	Stops  EventKind = "stop"        // slower than could be seen, or last seen while it braked, within the picture
	Turns  EventKind = "turn-around" // it comes back along its own path
	Begins EventKind = "begins"      // first seen within the picture
	Ends   EventKind = "ends"        // last seen within the picture, while it moved on
)

// An Event is one such moment of one track.
type Event struct {
	Kind  EventKind
	Track int // index into the tracks given
	Point int // index into its points
	// SpeedMPS is how fast it went when it went: the median of up to cruiseS seconds before a stop, a turn and an end, after a beginning.
	SpeedMPS float64
	// SlowestMPS is the least speed at which a thing of its size would have been seen moving there.
	SlowestMPS float64
	// TravelM is the length of the whole track's path.
	TravelM float64
}

// What counts as an event. Lengths are those of roads and of what drives on them; a person pacing up and down in front of a door is none.
const (
	leastPathM  = 15.0 // of a track's path
	besideM     = 12.0 // how far the way back may lie beside the way there: a road, or the circle in which a car turns
	arcM        = 10.0 // half of such a circle; headings are taken from there on,
	leadM       = 20.0 // up to here, before a turn and after it; and so far, at least, the way back leads
	standingS   = 1.0  // slower than can be seen for so long is standing
	withinS     = 1.5  // inside the picture: it would have been seen so long before its first and after its last sighting, had it gone on
	cruiseS     = 8.0
	brakedTo    = 0.5  // last seen at this share of its speed, or less, it was about to stop
	opposite    = -0.8 // cosine of the headings before and after a turn
	mendS       = 4.0  // a track that ends and one that begins are one thing seen twice where the first, going on for up to so long,
	mendShare   = 0.5  // would have come as near to the second as this share of its way,
	mendM       = 10.0
	mostOnPath  = 400 // points of a path that are looked at
	lengthsSeen = 0.4 // of its own length, a thing must go over the longest baseline to be seen: see lane.clears
)

// Events lists what the tracks did that is worth a look, by time and then by track. The tracks are whole, in pixels of pictures of
// width by height; those whose ground is not known are passed over: against a picture that moves, nothing stands still. The frames are
// all that were looked at, in order. Longest is the longest baseline in seconds (0: 1 s).
func Events(tracks []Track, frames []Frame, width, height, longest float64) []Event {
	if longest == 0 {
		longest = 1
	}
	s := scene{frames: frames, w: width, h: height, longest: longest}
	s.cut()
	var out []Event
	var ends, begins []tip
	for i := range tracks {
		p, ok := s.path(&tracks[i])
		if !ok {
			continue
		}
		out = append(out, p.turns(i)...)
		out = append(out, p.stands(i)...)
		if e, ok := p.end(i); ok {
			ends = append(ends, e)
		}
		if b, ok := p.begin(i); ok {
			begins = append(begins, b)
		}
	}
	out = append(out, unmended(ends, begins)...)
	slices.SortStableFunc(out, func(a, b Event) int {
		return cmp.Or(cmp.Compare(tracks[a.Track].Points[a.Point].PTS, tracks[b.Track].Points[b.Point].PTS), cmp.Compare(tracks[a.Track].ID, tracks[b.Track].ID), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}

// scene is what is known of the frames.
type scene struct {
	frames        []Frame
	w, h, longest float64
	frame         float64   // seconds, the median step
	cuts          []float64 // when the registration was lost, and the first and last searched frame: beyond, nothing is known
}

func (s *scene) cut() {
	var steps []float64
	for i := range s.frames {
		f := &s.frames[i]
		before := i > 0 && s.frames[i-1].Searched
		if i > 0 {
			steps = append(steps, f.PTS-s.frames[i-1].PTS)
		}
		if f.Searched != before || i > 0 && !f.Locked {
			s.cuts = append(s.cuts, f.PTS)
		}
		if i == len(s.frames)-1 && f.Searched {
			s.cuts = append(s.cuts, f.PTS)
		}
	}
	if slices.Sort(steps); len(steps) > 0 {
		s.frame = steps[len(steps)/2]
	}
}

// watched says that the scene was searched from one time to another, without a break.
func (s *scene) watched(from, to float64) bool {
	i, _ := slices.BinarySearch(s.cuts, from)
	return len(s.cuts) > 0 && from >= s.cuts[0] && to <= s.cuts[len(s.cuts)-1] && (i == len(s.cuts) || s.cuts[i] >= to)
}

// slowest is the least speed, m/s, at which a thing of that size would have been seen moving in a frame.
func (s *scene) slowest(p *Point) float64 {
	i, _ := slices.BinarySearchFunc(s.frames, p.PTS, func(f Frame, t float64) int { return cmp.Compare(f.PTS, t) })
	f := &s.frames[min(i, len(s.frames)-1)]
	v := math.Max(f.SlowestMPS, lengthsSeen*math.Min(p.W, p.H)*f.GSD/s.longest)
	if s.frame > 0 {
		v = math.Max(v, usualLean*f.GSD/s.frame)
	}
	return v
}

// path is a track on the ground, from its first sighting to its last.
type path struct {
	*scene
	track       *Track
	first, last int          // points
	at          [][2]float64 // metres east and north, of each point from first on
	gone        []float64    // metres of path up to it
	speed, slow []float64    // m/s
}

// path makes a track ready; false where its ground is not known throughout, or it went too little.
func (s *scene) path(t *Track) (*path, bool) {
	seen := func(p Point) bool { return !p.Coasted }
	p := &path{scene: s, track: t, first: slices.IndexFunc(t.Points, seen), last: len(t.Points) - 1}
	if p.first < 0 || len(s.frames) == 0 {
		return nil, false
	}
	for !seen(t.Points[p.last]) {
		p.last--
	}
	on := t.Points[p.first : p.last+1]
	if slices.ContainsFunc(on, func(q Point) bool { return !q.OnGround || !q.At.Valid() }) {
		return nil, false
	}
	f := geodesy.NewFrame(geodesy.LatLonHeight{Lat: on[0].At.Lat, Lon: on[0].At.Lon})
	sum := 0.0
	for i := range on {
		at := f.GroundENU(on[i].At)
		if i > 0 {
			sum += math.Hypot(at[0]-p.at[i-1][0], at[1]-p.at[i-1][1])
		}
		p.at, p.gone, p.speed, p.slow = append(p.at, at), append(p.gone, sum), append(p.speed, on[i].SpeedMPS), append(p.slow, s.slowest(&on[i]))
	}
	return p, sum >= leastPathM
}

func (p *path) pts(i int) float64 { return p.track.Points[p.first+i].PTS }

func (p *path) event(kind EventKind, track, i int, after bool) Event {
	return Event{kind, track, p.first + i, p.cruise(i, after), p.slow[i], p.gone[len(p.gone)-1]}
}

// cruise is the median speed before a point or after it, of while it went at all.
func (p *path) cruise(i int, after bool) float64 {
	by := -1
	if after {
		by = 1
	}
	var v []float64
	for k := i; k >= 0 && k < len(p.at) && math.Abs(p.pts(k)-p.pts(i)) <= cruiseS; k += by {
		if p.speed[k] > p.slow[k] {
			v = append(v, p.speed[k])
		}
	}
	if len(v) == 0 {
		return p.speed[i]
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// stands lists where it stood for a while and went on.
func (p *path) stands(track int) (out []Event) {
	went := 0.0 // seconds of motion since it last stood
	for i := 0; i < len(p.at); i++ {
		if p.speed[i] > p.slow[i] {
			if i > 0 {
				went += p.pts(i) - p.pts(i-1)
			}
			continue
		}
		from := i
		for i+1 < len(p.at) && p.speed[i+1] <= p.slow[i+1] {
			i++
		}
		if went >= standingS && i+1 < len(p.at) && p.pts(i)-p.pts(from) >= standingS {
			out, went = append(out, p.event(Stops, track, from, false)), 0
		}
	}
	return out
}

// inside says that, had it gone on beyond an end of the track as it went there, it would have stayed in the picture, and been looked for.
func (p *path) inside(i, step int) bool {
	const overS = 0.5
	k := i
	for k-step >= 0 && k-step < len(p.at) && math.Abs(p.pts(k)-p.pts(i)) < overS {
		k -= step
	}
	a, b := &p.track.Points[p.first+k], &p.track.Points[p.first+i]
	dt := math.Abs(b.PTS - a.PTS)
	if dt == 0 {
		return false
	}
	x, y := b.X+(b.X-a.X)/dt*withinS, b.Y+(b.Y-a.Y)/dt*withinS
	in := func(x, y float64) bool { return x > b.W && y > b.H && x < p.w-b.W && y < p.h-b.H }
	from, to := b.PTS, b.PTS+float64(step)*withinS
	return in(b.X, b.Y) && in(x, y) && p.watched(math.Min(from, to), math.Max(from, to))
}

// A tip is an end of a track that may be an event.
type tip struct {
	event Event
	pts   float64
	at    geodesy.LatLon
	east  float64 // m/s
	north float64
}

func (p *path) tip(e Event, i int) tip {
	a, b := max(i-1, 0), min(i+1, len(p.at)-1)
	for p.pts(b)-p.pts(a) < 0.5 && (a > 0 || b < len(p.at)-1) {
		a, b = max(a-1, 0), min(b+1, len(p.at)-1)
	}
	t := tip{event: e, pts: p.pts(i), at: p.track.Points[p.first+i].At}
	if dt := p.pts(b) - p.pts(a); dt > 0 {
		t.east, t.north = (p.at[b][0]-p.at[a][0])/dt, (p.at[b][1]-p.at[a][1])/dt
	}
	return t
}

// end is its last sighting, where it lies within the picture: a stop when it was braking, or slower than can be seen.
func (p *path) end(track int) (tip, bool) {
	i := len(p.at) - 1
	if !p.inside(i, 1) {
		return tip{}, false
	}
	e := p.event(Ends, track, i, false)
	if p.speed[i] <= math.Max(p.slow[i], brakedTo*e.SpeedMPS) {
		e.Kind = Stops
	}
	return p.tip(e, i), true
}

// begin is its first sighting, where it lies within the picture.
func (p *path) begin(track int) (tip, bool) {
	if !p.inside(0, -1) {
		return tip{}, false
	}
	return p.tip(p.event(Begins, track, 0, true), 0), true
}

// unmended are the events of those ends that no beginning carries on, and of those beginnings that carry no end on.
func unmended(ends, begins []tip) (out []Event) {
	slices.SortStableFunc(begins, func(a, b tip) int { return cmp.Compare(a.pts, b.pts) })
	used := make([]bool, len(begins))
	for _, e := range ends {
		from, _ := slices.BinarySearchFunc(begins, e.pts, func(b tip, t float64) int { return cmp.Compare(b.pts, t) })
		mended := false
		for k := from; k < len(begins) && begins[k].pts <= e.pts+mendS && !mended; k++ {
			if b := &begins[k]; !used[k] && b.event.Track != e.event.Track && e.leadsTo(b) {
				mended, used[k] = true, true
			}
		}
		if !mended {
			out = append(out, e.event)
		}
	}
	for k := range begins {
		if !used[k] {
			out = append(out, begins[k].event)
		}
	}
	return out
}

// leadsTo says that what ended here may be what begins there, and went on meanwhile.
func (t *tip) leadsTo(b *tip) bool {
	dt := b.pts - t.pts
	f := geodesy.NewFrame(geodesy.LatLonHeight{Lat: t.at.Lat, Lon: t.at.Lon})
	at := f.GroundENU(b.at)
	return math.Hypot(at[0]-t.east*dt, at[1]-t.north*dt) <= mendM+mendShare*math.Hypot(t.east, t.north)*dt
}

// turns lists where it turned around and came back beside the way that it had gone.
func (p *path) turns(track int) (out []Event) {
	q := p.evenly()
	for k := 1; k+1 < len(q); k++ {
		if p.bend(q, k) > opposite {
			continue
		}
		// Of the points about which the headings are opposite, the one to which it went furthest.
		way, _ := p.heading(q, k, -1)
		ahead := func(k int) float64 { return p.at[q[k]][0]*way[0] + p.at[q[k]][1]*way[1] }
		best := k
		for ; k+1 < len(q) && p.bend(q, k) <= opposite; k++ {
			if ahead(k) > ahead(best) {
				best = k
			}
		}
		if p.returns(q, best) {
			out = append(out, p.event(Turns, track, q[best], false))
		}
	}
	return out
}

// evenly are points at least so far apart that a path has no more than mostOnPath of them.
func (p *path) evenly() (out []int) {
	total := p.gone[len(p.gone)-1]
	step := math.Max(1, total/mostOnPath)
	for i := range p.at {
		if len(out) == 0 || p.gone[i] >= p.gone[out[len(out)-1]]+step {
			out = append(out, i)
		}
	}
	return out
}

// bend is the cosine between the headings some way before and after a point; 1 where there is not so much of both.
func (p *path) bend(q []int, k int) float64 {
	u, ok := p.heading(q, k, -1)
	v, ok2 := p.heading(q, k, 1)
	l := math.Hypot(u[0], u[1]) * math.Hypot(v[0], v[1])
	if !ok || !ok2 || l == 0 {
		return 1
	}
	return (u[0]*v[0] + u[1]*v[1]) / l
}

// heading is the way that it goes between arcM and leadM of path from a point, backwards or onwards.
func (p *path) heading(q []int, k, step int) (way [2]float64, ok bool) {
	to := func(m float64) int {
		i := k
		for i+step >= 0 && i+step < len(q) && math.Abs(p.gone[q[i]]-p.gone[q[k]]) < m {
			i += step
		}
		return i
	}
	near, far := to(arcM), to(leadM)
	if math.Abs(p.gone[q[far]]-p.gone[q[k]]) < leadM {
		return way, false
	}
	if step < 0 {
		near, far = far, near
	}
	return between(p.at[q[near]], p.at[q[far]]), true
}

func between(a, b [2]float64) [2]float64 { return [2]float64{b[0] - a[0], b[1] - a[1]} }

// returns says that from a turn on the way lies beside the way there for leadM, and leads away from the turn.
func (p *path) returns(q []int, k int) bool {
	turn, back, far := p.at[q[k]], 0.0, 0.0
	for j := k + 1; j < len(q); j++ {
		if p.beside(q[:k+1], p.at[q[j]]) > besideM {
			break
		}
		back = p.gone[q[j]] - p.gone[q[k]]
		d := between(turn, p.at[q[j]])
		far = math.Max(far, math.Hypot(d[0], d[1]))
	}
	return back >= leadM && far >= leadM/2
}

// beside is the distance of a point from a path.
func (p *path) beside(q []int, at [2]float64) float64 {
	least := math.Inf(1)
	for i := 1; i < len(q); i++ {
		a, b := p.at[q[i-1]], p.at[q[i]]
		d, e := between(a, b), between(a, at)
		k := 0.0
		if l := d[0]*d[0] + d[1]*d[1]; l > 0 {
			k = math.Max(0, math.Min(1, (d[0]*e[0]+d[1]*e[1])/l))
		}
		least = math.Min(least, math.Hypot(e[0]-k*d[0], e[1]-k*d[1]))
	}
	return least
}

// SlowestSeen is the least speed, m/s, at which anything was seen to move over the ground: the median over the frames that were searched
// and whose ground is known. A thing must also go lengthsSeen of its length over the longest baseline. false where no ground is known.
func SlowestSeen(frames []Frame) (mps float64, ok bool) {
	s := scene{frames: frames, longest: math.Inf(1)}
	s.cut()
	var all []float64
	for i := range frames {
		if f := &frames[i]; f.Searched && f.GSD > 0 {
			all = append(all, s.slowest(&Point{PTS: f.PTS}))
		}
	}
	if len(all) == 0 {
		return 0, false
	}
	slices.Sort(all)
	return all[len(all)/2], true
}
