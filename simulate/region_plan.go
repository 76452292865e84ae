package simulate

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/numeric"
)

// What a planner knows: detections that were brought home, permits, reports, and the map.
type clue struct {
	at    spot
	kind  string  // of the sheet, or "report"
	sigma float64 // metres, the larger axis
	like  float64 // likeness of a site; 1 says nothing
	time  time.Time
}

// learnOf remembers a detection for later plans.
func (w *world) learnOf(o *sheetOf, f *foundOf) {
	c := f.CovarianceM2
	w.seen = append(w.seen, clue{w.spotOf(geodesy.LatLon{Lat: f.Lat, Lon: f.Lon}), senseNames[o.sense],
		math.Sqrt(math.Max(c[0][0], c[1][1]) + o.biasM*o.biasM), f.Likeness["site"], o.sortie.When.To})
}

// A hint is a place worth a second look.
type hint struct {
	at    spot
	score float64
}

// Reach of the rule by which earlier finds are followed up.
const (
	hintApartM  = 1500.0 // of two hints
	togetherM   = 500.0  // of detections of one hint, beyond their errors
	preciseM    = 400.0  // errors below which a detection makes a hint
	permitM     = 250.0
	widestToldM = 3000.0 // of a report that counts
)

// hints are what a task force would look at again, the best first. The rule: around each well-placed detection, count the senses that found
// something within 500 m and their errors; add a third of how much their best measures look like a site (the sum of the logarithms), at most
// 0.8 either way, half a point for a report that means the place, 0.3 for an emitter; take off one point for a permit within 250 m and one for a town.
func (w *world) hints(now time.Time) []hint {
	const squareM = 2000.0
	square := func(p spot) [2]int { return [2]int{int(math.Floor(p[0] / squareM)), int(math.Floor(p[1] / squareM))} }
	squares := map[[2]int][]int{}
	var wide []int
	for i := range w.seen {
		c := &w.seen[i]
		switch {
		case c.time.After(now):
		case c.sigma > preciseM && c.kind != "permit":
			wide = append(wide, i)
		default:
			squares[square(c.at)] = append(squares[square(c.at)], i)
		}
	}
	var out []hint
	for i := range w.seen {
		c := &w.seen[i]
		if c.kind == "permit" || c.sigma > preciseM || c.time.After(now) {
			continue
		}
		kinds, permit := map[string]float64{c.kind: c.like}, false
		s := square(c.at)
		for x := s[0] - 1; x <= s[0]+1; x++ {
			for y := s[1] - 1; y <= s[1]+1; y++ {
				for _, k := range squares[[2]int{x, y}] {
					o := &w.seen[k]
					d := o.at.to(c.at)
					if o.kind == "permit" {
						permit = permit || d < permitM
					} else if d < togetherM+o.sigma+c.sigma {
						kinds[o.kind] = math.Max(kinds[o.kind], o.like)
					}
				}
			}
		}
		score, like := float64(len(kinds)), 0.0
		for _, k := range senseNames {
			if v, ok := kinds[k]; ok {
				like += math.Log(math.Max(v, 0.05))
			}
		}
		score += math.Min(0.8, math.Max(-0.8, like/3))
		said, heard := false, false
		for _, k := range wide {
			o := &w.seen[k]
			if d := o.at.to(c.at); d < o.sigma*1.5 {
				heard, said = heard || o.kind != "report", said || o.kind == "report"
			}
		}
		if heard {
			score += 0.3
		}
		if said {
			score += 0.5
		}
		if permit {
			score--
		}
		if w.land.inTown(c.at, 1) != nil {
			score--
		}
		out = append(out, hint{c.at, score})
	}
	slices.SortStableFunc(out, func(a, b hint) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.at[0], b.at[0]), cmp.Compare(a.at[1], b.at[1]))
	})
	return apart(out)
}

// apart keeps the best of hints that lie together.
func apart(in []hint) []hint {
	const most = 60
	var out []hint
	for _, h := range in {
		if len(out) == most {
			break
		}
		if !slices.ContainsFunc(out, func(o hint) bool { return o.at.to(h.at) < hintApartM }) {
			out = append(out, h)
		}
	}
	return out
}

// searchShare of the looks of the second half still go where nobody looked.
const searchShare = 0.2

// aims are places for a platform that looks at single places: in the second half of a campaign hints that it has not yet looked at, before
// that places that reports mean, and for the rest ends of tracks, which any map shows. Each is taken near the one before.
func (w *world) aims(s *RegionSortie, n int, far float64, chance *numeric.Stream) []spot {
	var pool []hint
	second := s.When.From.After(w.From.Add(w.To.Sub(w.From) / 2))
	if second {
		pool = w.hints(s.When.From)
		s.FollowsUp = true
	} else {
		for _, c := range w.seen {
			if c.kind == "report" && !c.time.After(s.When.From) {
				pool = append(pool, hint{c.at.step(2*math.Pi*chance.Float64(), 0.5*c.sigma*math.Sqrt(chance.Float64())), 1.5 - c.sigma/5000})
			}
		}
	}
	visited := w.visited[s.Class]
	pool = slices.DeleteFunc(pool, func(h hint) bool {
		return !w.land.dry(h.at) || slices.ContainsFunc(visited, func(v spot) bool { return v.to(h.at) < 700 })
	})
	var out []spot
	for len(out) < n {
		best := -1
		if !second || chance.Float64() >= searchShare {
			for i, h := range pool {
				if score := func(h hint) float64 {
					if len(out) == 0 {
						return h.score
					}
					d := out[len(out)-1].to(h.at)
					if d > far {
						return math.Inf(-1)
					}
					return h.score - d/far
				}; !math.IsInf(score(h), 0) && (best < 0 || score(h) > score(pool[best])) {
					best = i
				}
			}
		}
		if best >= 0 {
			out = append(out, pool[best].at)
			pool = slices.Delete(pool, best, best+1)
			continue
		}
		out = append(out, w.trackEnd(out, far, chance))
	}
	w.visited[s.Class] = append(visited, out...)
	return out
}

// trackEnd is the end of a track, near the last of what is already planned.
func (w *world) trackEnd(after []spot, far float64, chance *numeric.Stream) spot {
	pick := func() spot {
		t := w.land.tracks[chance.IntN(len(w.land.tracks))]
		return t.points[len(t.points)-1]
	}
	best := pick()
	for try := 0; try < 60 && len(after) > 0 && best.to(after[len(after)-1]) > far; try++ {
		if p := pick(); p.to(after[len(after)-1]) < best.to(after[len(after)-1]) {
			best = p
		}
	}
	return best
}

// plan lays the footprints of a sortie and its track.
func (w *world) plan(s *RegionSortie, c *class, chance *numeric.Stream) []glance {
	f := &flightPlan{w: w, s: s, c: c, at: s.When.From}
	switch c.name {
	case "gas-drone":
		f.boxes(chance)
	case "male":
		f.corridor(chance)
	case "signals":
		f.listen(chance)
	case "high-altitude":
		f.strips(chance)
	case "maritime":
		f.patrol(chance)
	}
	s.When.To = f.at
	return f.looks
}

type flightPlan struct {
	w     *world
	s     *RegionSortie
	c     *class
	at    time.Time
	looks []glance
}

// go flies to a place.
func (f *flightPlan) fly(p spot) {
	if n := len(f.s.Track); n > 0 {
		last := f.w.spotOf(f.s.Track[n-1].At.LatLon())
		f.at = f.at.Add(time.Duration(last.to(p) / f.c.speed * float64(time.Second))).Truncate(time.Second)
	}
	q := f.w.land.latLon(p)
	f.s.Track = append(f.s.Track, TrackPoint{f.at, geodesy.LatLonHeight{Lat: q.Lat, Lon: q.Lon, HeightHAE: round(f.c.height+f.w.land.height(p)*float64(btoi(f.c.small)), 0)}})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// look adds a footprint that is looked at from from until now.
func (f *flightPlan) look(from time.Time, ring []spot, share float64, chance *numeric.Stream) *glance {
	m := spot{}
	for _, p := range ring {
		m = m.add(p[0]/float64(len(ring)), p[1]/float64(len(ring)))
	}
	g := glance{ring: ring, from: from, to: f.at, clear: 1, share: share, centre: m, path: [2]spot{m, m}}
	if !g.to.After(g.from) {
		g.to = g.from.Add(time.Minute)
	}
	g.wind = f.w.weather.at(g.middle(), m)
	cloud := f.w.weather.day(g.from).cloud
	switch f.c.name {
	case "high-altitude": // gaps between clouds, tile by tile
		g.clear = round(math.Pow(1-cloud, 0.3+1.4*chance.Float64()), 2)
	case "male": // flies below most of them
		g.clear = round(1-0.5*cloud*chance.Float64(), 2)
	}
	f.looks = append(f.looks, g)
	return &f.looks[len(f.looks)-1]
}

// rectangle of half lengths along and across a direction.
func rectangle(m spot, rad, along, across float64) []spot {
	a, b := m.step(rad, along), m.step(rad, -along)
	side := rad + math.Pi/2
	return []spot{a.step(side, across), a.step(side, -across), b.step(side, -across), b.step(side, across)}
}

// boxes are a gas drone's: places of 4 km², in the wind that is expected; it turns meanwhile.
func (f *flightPlan) boxes(chance *numeric.Stream) {
	for _, p := range f.w.aims(f.s, placesOfGas, 60e3, chance) {
		p = p.step(2*math.Pi*chance.Float64(), 150*math.Abs(chance.Normal()))
		if len(f.s.Track) > 0 { // carried to the next place by car, a battery later
			f.at = f.at.Add(80 * time.Minute)
			f.s.Track = append(f.s.Track, TrackPoint{f.at, f.s.Track[len(f.s.Track)-1].At})
		}
		f.fly(p)
		from := f.at
		wind := f.w.weather.at(f.at, p)
		turned := 0.35 * chance.Normal()
		if wind.speed < weakMPS {
			turned = 0.9 * chance.Normal()
		}
		axis := wind.fromRad + turned // the way to the source, as planned
		f.at = f.at.Add(25 * time.Minute)
		middle := p.step(axis, 300)
		ring := rectangle(middle, axis, 1100, 900)
		f.fly(p.step(axis+math.Pi, 600))
		g := f.look(from, ring, 1, chance)
		g.turned, g.axis = turned, axis+math.Pi
	}
}

// corridor is a medium-altitude flight from place to place: what lies under the way at a passing glance, the places themselves longer.
func (f *flightPlan) corridor(chance *numeric.Stream) {
	aims := f.w.aims(f.s, placesOfVideo, 70e3, chance)
	long := 0.0
	for i := 1; i < len(aims); i++ {
		long += aims[i-1].to(aims[i])
	}
	step := math.Max(12e3, long/40)
	f.fly(aims[0])
	for i, p := range aims {
		if i > 0 {
			from := aims[i-1]
			n := max(1, int(math.Ceil(from.to(p)/step)))
			for k := range n {
				a, b := from.towards(p, float64(k)/float64(n)), from.towards(p, float64(k+1)/float64(n))
				began := f.at
				f.fly(b)
				if a.to(b) > 500 {
					f.look(began, rectangle(a.towards(b, 0.5), a.heading(b), a.to(b)/2, 1500), 0.7, chance)
				}
			}
		}
		began := f.at
		f.at = f.at.Add(20 * time.Minute)
		f.fly(p)
		f.look(began, rectangle(p, 0, 1800, 1800), 1, chance)
	}
}

// tiles cuts a box into tiles of about that side.
func tiles(least, most spot, side float64) (out [][2]spot) {
	nx, ny := max(1, int(math.Round((most[0]-least[0])/side))), max(1, int(math.Round((most[1]-least[1])/side)))
	for y := range ny {
		for i := range nx {
			x := i
			if y%2 == 1 {
				x = nx - 1 - i // there and back
			}
			dx, dy := (most[0]-least[0])/float64(nx), (most[1]-least[1])/float64(ny)
			a := least.add(float64(x)*dx, float64(y)*dy)
			out = append(out, [2]spot{a, a.add(dx, dy)})
		}
	}
	return out
}

func corners(t [2]spot) []spot {
	return []spot{t[0], {t[1][0], t[0][1]}, t[1], {t[0][0], t[1][1]}}
}

// listen flies across the country and hears all of it.
func (f *flightPlan) listen(chance *numeric.Stream) {
	h := f.w.land.half
	rad := 2 * math.Pi * chance.Float64()
	m := spot{0.4 * h[0] * (2*chance.Float64() - 1), 0.4 * h[1] * (2*chance.Float64() - 1)}
	half := 0.6 * math.Min(h[0], h[1])
	path := [2]spot{m.step(rad, -half), m.step(rad, half)}
	f.fly(path[0])
	began := f.at
	turns := 2
	for range turns {
		f.fly(path[1])
		f.fly(path[0])
	}
	if f.at.Sub(began) < 3*time.Hour {
		f.at = began.Add(3 * time.Hour)
		f.fly(path[0])
	}
	side := math.Max(15e3, math.Sqrt(4*h[0]*h[1]/50))
	for _, t := range tiles(spot{-h[0], -h[1]}, h, math.Min(side, 31e3)) {
		f.look(began, corners(t), 1, chance).path = path
	}
}

// choose picks one of n parts of the country: in the first half the least covered, later the one with the most hints for each look.
func (f *flightPlan) choose(n int, holds func(i int, p spot) bool, chance *numeric.Stream) int {
	done := f.w.covered[f.c.name]
	if done == nil {
		done = map[[2]int]int{}
		f.w.covered[f.c.name] = done
	}
	worth := make([]float64, n)
	for i := range n {
		worth[i] = -float64(done[[2]int{i, n}]) + 0.01*chance.Float64()
	}
	if f.s.When.From.After(f.w.From.Add(f.w.To.Sub(f.w.From)/2)) && chance.Float64() >= searchShare {
		f.s.FollowsUp = true
		for _, h := range f.w.hints(f.s.When.From)[:] {
			for i := range n {
				if holds(i, h.at) {
					worth[i] += math.Max(0, h.score) / 8
				}
			}
		}
	}
	best := 0
	for i := range worth {
		if worth[i] > worth[best] {
			best = i
		}
	}
	done[[2]int{best, n}]++
	return best
}

// What one flight of a class looks at.
const (
	stripsASortie = 5 // of 20 km by the width of the country
	boxesASortie  = 2 // of at most 90 by 60 km
	placesOfGas   = 4
	placesOfVideo = 12
)

// strips are a high-altitude imager's: of about 20 km, from side to side.
func (f *flightPlan) strips(chance *numeric.Stream) {
	h := f.w.land.half
	n := max(1, int(math.Round(2*h[1]/20e3)))
	wide := 2 * h[1] / float64(n)
	for range min(stripsASortie, n) {
		i := f.choose(n, func(i int, p spot) bool {
			return int(math.Floor((p[1]+h[1])/wide)) == i
		}, chance)
		low := -h[1] + float64(i)*wide
		f.box(spot{-h[0], low}, spot{h[0], low + wide}, 25e3, chance)
	}
}

// patrol is over boxes of at most 90 by 60 km.
func (f *flightPlan) patrol(chance *numeric.Stream) {
	h := f.w.land.half
	nx, ny := max(1, int(math.Ceil(2*h[0]/90e3))), max(1, int(math.Ceil(2*h[1]/60e3)))
	dx, dy := 2*h[0]/float64(nx), 2*h[1]/float64(ny)
	for range min(boxesASortie, nx*ny) {
		i := f.choose(nx*ny, func(i int, p spot) bool {
			return int(math.Floor((p[0]+h[0])/dx)) == i%nx && int(math.Floor((p[1]+h[1])/dy)) == i/nx
		}, chance)
		a := spot{-h[0] + float64(i%nx)*dx, -h[1] + float64(i/nx)*dy}
		f.box(a, a.add(dx, dy), 20e3, chance)
	}
}

// box is flown tile by tile.
func (f *flightPlan) box(a, b spot, side float64, chance *numeric.Stream) {
	for _, t := range tiles(a, b, side) {
		m := t[0].towards(t[1], 0.5)
		began := f.at
		f.fly(m)
		if len(f.s.Track) == 1 || f.at.Equal(began) {
			f.at = f.at.Add(2 * time.Minute)
		}
		g := f.look(began, corners(t), 1, chance)
		if f.c.name == "maritime" {
			g.path = [2]spot{m.add(-40e3, -10e3), m.add(-20e3, -10e3)} // the radar looks sideways
		}
	}
}
