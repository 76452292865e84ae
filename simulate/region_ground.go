package simulate

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/numeric"
)

// A spot is a place on the ground, metres east and north of the centre of the country in the tangent frame there. At 140 km from it
// lengths along the line from the centre are short by 0.02 %, and its north is turned by up to 0.7°; errors of sensors are put in the frame
// of the place itself.
type spot [2]float64

func (p spot) to(q spot) float64        { return math.Sqrt((q[0]-p[0])*(q[0]-p[0]) + (q[1]-p[1])*(q[1]-p[1])) }
func (p spot) add(east, n float64) spot { return spot{p[0] + east, p[1] + n} }

// towards is the spot at share k of the way to q.
func (p spot) towards(q spot, k float64) spot {
	return spot{p[0] + k*(q[0]-p[0]), p[1] + k*(q[1]-p[1])}
}

// step moves on by m metres in a direction, radians clockwise from north.
func (p spot) step(rad, m float64) spot {
	s, c := math.Sincos(rad)
	return spot{p[0] + m*s, p[1] + m*c}
}

// heading is the direction to q, radians clockwise from north.
func (p spot) heading(q spot) float64 { return math.Atan2(q[0]-p[0], q[1]-p[1]) }

// A Line is a road, a track, a river or a shore.
type Line struct {
	Name   string
	Points []geodesy.LatLon
}

// A Town is a built-up place of that radius.
type Town struct {
	Name    string
	At      geodesy.LatLon
	People  int
	RadiusM float64
}

// Ground is what a map of the country shows.
type Ground struct {
	Roads, Tracks, Rivers, Shore []Line
	Towns                        []Town
}

// noise is a smooth field over the plane, of values in 0 to 1: random numbers on a lattice, between them a cubic with no slope at the nodes
// (value noise). The same seed gives the same field whatever order it is asked in.
type noise struct {
	seed  uint64
	scale float64 // of the lattice, metres
}

func (n noise) at(p spot) float64 {
	x, y := p[0]/n.scale, p[1]/n.scale
	fx, fy := math.Floor(x), math.Floor(y)
	ix, iy := int64(fx), int64(fy)
	u, v := smooth(x-fx), smooth(y-fy)
	a := n.node(ix, iy) + u*(n.node(ix+1, iy)-n.node(ix, iy))
	b := n.node(ix, iy+1) + u*(n.node(ix+1, iy+1)-n.node(ix, iy+1))
	return a + v*(b-a)
}

func smooth(t float64) float64 { return t * t * (3 - 2*t) }

// node mixes seed and node by the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, doi:10.1145/2660193.2660195).
func (n noise) node(x, y int64) float64 {
	z := n.seed + uint64(x)*0x9e3779b97f4a7c15 + uint64(y)*0xc2b2ae3d27d4eb4f
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64((z^z>>31)>>11) * 0x1p-53
}

// town is a Town with its spot.
type town struct {
	Town
	at spot
}

// line is a polyline of the country.
type line struct {
	points []spot
	dead   bool // a track that ends nowhere
}

// land is the country without what people put into it to be found.
type land struct {
	RegionGround
	frame                geodesy.Frame
	half                 spot // of the country, metres
	wide, middle, fine   noise
	tilt                 spot // unit vector towards the high side
	reach                float64
	threshold            float64 // of the raw field, above which hills begin
	towns                []town
	roads, tracks, water []line
	shore                line
	ways, wet, main      *near // roads and tracks; water; roads
	names                *namer
}

// The lengths of the country's shape, metres.
const (
	wideM   = 34e3 // ranges
	middleM = 12e3
	fineM   = 4e3
	shoreAt = -0.86 // of the way from the centre to the low end, where the sea begins
)

func newLand(g RegionGround, frame geodesy.Frame, half spot, chance *numeric.Stream) *land {
	seed := func() uint64 { return uint64(chance.Float64() * 0x1p53) }
	l := &land{RegionGround: g, frame: frame, half: half, wide: noise{seed(), wideM}, middle: noise{seed(), middleM}, fine: noise{seed(), fineM}, names: newNamer(chance)}
	s, c := math.Sincos(2 * math.Pi * chance.Float64())
	l.tilt = spot{s, c}
	l.reach = math.Abs(s)*half[0] + math.Abs(c)*half[1]
	l.threshold = l.quantile(1 - g.HillShare)
	if g.Coast {
		l.layShore()
	}
	l.layRivers(chance)
	l.wet = newNear(half, append(slices.Clone(l.water), l.shore))
	l.layTowns(chance)
	l.layRoads(chance)
	l.layTracks(chance)
	l.ways = newNear(half, append(slices.Clone(l.roads), l.tracks...))
	return l
}

// up is where a spot lies between the low end (-1) and the high end (1) of the country.
func (l *land) up(p spot) float64 { return (p[0]*l.tilt[0] + p[1]*l.tilt[1]) / l.reach }

func (l *land) raw(p spot) float64 {
	return 0.5*l.wide.at(p) + 0.25*l.middle.at(p) + 0.25*(1+l.up(p))/2
}

// quantile of the raw field over the country, on a lattice of 40 by 40.
func (l *land) quantile(q float64) float64 {
	var v []float64
	for i := range 40 {
		for k := range 40 {
			v = append(v, l.raw(spot{l.half[0] * (float64(i) - 19.5) / 20, l.half[1] * (float64(k) - 19.5) / 20}))
		}
	}
	return numeric.Quantile(v, q)
}

// hill is how hilly a place is: 0 on plains, 1 in the hills.
func (l *land) hill(p spot) float64 {
	return smooth(math.Min(1, math.Max(0, (l.raw(p)-l.threshold)/0.12+0.5)))
}

// height above the lowest ground, metres.
func (l *land) height(p spot) float64 {
	return l.ReliefM * (0.2*(1+l.up(p))/2 + 0.8*l.hill(p)*(0.35+0.35*l.raw(p)+0.3*l.fine.at(p)))
}

// slope is the direction in which the ground rises, radians clockwise from north, over a kilometre.
func (l *land) slope(p spot) float64 {
	const d = 500.0
	return math.Atan2(l.height(p.add(d, 0))-l.height(p.add(-d, 0)), l.height(p.add(0, d))-l.height(p.add(0, -d)))
}

func (l *land) inside(p spot) bool {
	return math.Abs(p[0]) < l.half[0] && math.Abs(p[1]) < l.half[1]
}

// sea reports whether a place lies beyond the shore.
func (l *land) sea(p spot) bool { return l.Coast && l.up(p) < shoreAt+0.12*(l.middle.at(p)-0.5) }

// dry ground of the country.
func (l *land) dry(p spot) bool { return l.inside(p) && !l.sea(p) }

// anywhere is a spot of the country, dry where there is any: the sea never covers it all.
func (l *land) anywhere(chance *numeric.Stream) spot {
	for {
		p := spot{l.half[0] * (2*chance.Float64() - 1), l.half[1] * (2*chance.Float64() - 1)}
		if !l.sea(p) {
			return p
		}
	}
}

// layShore draws the shore: along it, the place where the sea begins, found by halving.
func (l *land) layShore() {
	along := spot{l.tilt[1], -l.tilt[0]}
	far := math.Hypot(l.half[0], l.half[1])
	for a := -far; a <= far; a += 1500 {
		from, to := -1.3*l.reach, 0.0 // sea, land
		for range 20 {
			m := (from + to) / 2
			if l.sea(spot{a*along[0] + m*l.tilt[0], a*along[1] + m*l.tilt[1]}) {
				from = m
			} else {
				to = m
			}
		}
		if p := (spot{a*along[0] + to*l.tilt[0], a*along[1] + to*l.tilt[1]}); l.inside(p) {
			l.shore.points = append(l.shore.points, p)
		}
	}
}

// layRivers lets water run: from high ground down the slope, with what it keeps of its direction, to the low side.
func (l *land) layRivers(chance *numeric.Stream) {
	down := math.Atan2(-l.tilt[0], -l.tilt[1])
	run := func(from spot, m float64) {
		w := line{points: []spot{from}}
		rad := down
		for p, gone := from, 0.0; gone < m; gone += 900 {
			fall := l.slope(p) + math.Pi
			rad = mean3(rad, 0.55, fall, 0.25+0.2*l.hill(p), down, 0.2) + 0.25*chance.Normal()
			p = p.step(rad, 900)
			if !l.dry(p) {
				break
			}
			w.points = append(w.points, p)
		}
		if len(w.points) > 2 {
			l.water = append(l.water, w)
		}
	}
	for range l.Rivers {
		p := l.anywhere(chance)
		for try := 0; try < 40 && l.up(p) < 0.1; try++ {
			p = l.anywhere(chance)
		}
		run(p, 1e6)
	}
	for range l.Creeks {
		run(l.anywhere(chance), 4e3+9e3*chance.Exp())
	}
}

// mean3 is the direction of a weighted sum of three unit vectors.
func mean3(a, wa, b, wb, c, wc float64) float64 {
	sa, ca := math.Sincos(a)
	sb, cb := math.Sincos(b)
	sc, cc := math.Sincos(c)
	return math.Atan2(wa*sa+wb*sb+wc*sc, wa*ca+wb*cb+wc*cc)
}

// layTowns puts towns on plains rather than in hills and near water, the largest first, each with country around it. Their sizes fall with
// their rank (Zipf's law with exponent 0.9), their built-up radius is 9 m times the root of the number of people.
func (l *land) layTowns(chance *numeric.Stream) {
	area := 4 * l.half[0] * l.half[1]
	for i := range l.Towns {
		people := math.Max(250, float64(l.Largest)/math.Pow(float64(i+1), 0.9))
		radius := 9 * math.Sqrt(people)
		apart := 0.45*math.Sqrt(area/float64(l.Towns)) + radius
		for range 400 {
			p := l.anywhere(chance)
			accept := 0.12 + 0.88*(1-l.hill(p))
			if l.wet.distance(p, 3e3) >= 3e3 {
				accept *= 0.45
			}
			if chance.Float64() > accept || slices.ContainsFunc(l.towns, func(t town) bool { return t.at.to(p) < apart }) {
				apart *= 0.995 // a crowded country gives way
				continue
			}
			l.towns = append(l.towns, town{Town{l.names.town(), l.latLon(p), int(people), round(radius, 0)}, p})
			break
		}
	}
}

// layRoads joins the towns: the tree that does so in the fewest kilometres (Prim), and a share of further short ways, so that there are rounds.
func (l *land) layRoads(chance *numeric.Stream) {
	n := len(l.towns)
	if n < 2 {
		return
	}
	joined, best, from := make([]bool, n), make([]float64, n), make([]int, n)
	for i := range best {
		best[i] = math.Inf(1)
	}
	best[0] = 0
	done := map[[2]int]bool{}
	lay := func(a, b int) {
		if key := [2]int{min(a, b), max(a, b)}; a != b && !done[key] {
			done[key] = true
			l.roads = append(l.roads, line{points: l.bend(l.towns[a].at, l.towns[b].at, chance)})
		}
	}
	for range n {
		next := -1
		for i := range n {
			if !joined[i] && (next < 0 || best[i] < best[next]) {
				next = i
			}
		}
		joined[next] = true
		lay(from[next], next)
		for i := range n {
			if d := l.towns[next].at.to(l.towns[i].at); !joined[i] && d < best[i] {
				best[i], from[i] = d, next
			}
		}
	}
	for i := range n {
		order := make([]int, n)
		for k := range order {
			order[k] = k
		}
		slices.SortFunc(order, func(a, b int) int {
			return cmp.Or(cmp.Compare(l.towns[i].at.to(l.towns[a].at), l.towns[i].at.to(l.towns[b].at)), cmp.Compare(a, b))
		})
		for _, k := range order[1:min(n, 4)] {
			if chance.Float64() < 0.3 {
				lay(i, k)
			}
		}
	}
}

// bend is a way between two places: halves are displaced to the side, more in hills, down to stretches of a kilometre.
func (l *land) bend(a, b spot, chance *numeric.Stream) []spot {
	d := a.to(b)
	if d < 1000 {
		return []spot{a, b}
	}
	m := a.towards(b, 0.5)
	m = m.step(a.heading(b)+math.Pi/2, d*(0.06+0.08*l.hill(m))*chance.Normal())
	if !l.dry(m) {
		m = a.towards(b, 0.5)
	}
	first := l.bend(a, m, chance)
	return append(first[:len(first)-1], l.bend(m, b, chance)...)
}

// Tracks: how long they are, metres, and how many of them end nowhere.
const (
	trackLeastM = 1500
	trackMeanM  = 6500
	deadShare   = 0.75
)

// layTracks lets tracks leave roads, and earlier tracks: they wander, along the slope rather than against it, and most end nowhere.
func (l *land) layTracks(chance *numeric.Stream) {
	l.main = newNear(l.half, l.roads)
	from := l.main.along(chance)
	for i := range l.Tracks {
		if i == l.Tracks/2 && len(l.tracks) > 0 { // the second half may leave tracks of the first
			from = newNear(l.half, append(slices.Clone(l.roads), l.tracks...)).along(chance)
		}
		p, rad := from()
		rad += math.Pi/2 + 0.6*chance.Normal()
		if chance.Float64() < 0.5 {
			rad += math.Pi
		}
		t := line{points: []spot{p}}
		for m := trackLeastM + (trackMeanM-trackLeastM)*chance.Exp(); m > 0; {
			d := 350 + 350*chance.Float64()
			rad = l.contour(p, rad) + 0.22*chance.Normal()
			p = p.step(rad, d)
			if !l.dry(p) {
				break
			}
			t.points = append(t.points, p)
			m -= d
		}
		t.dead = true
		if chance.Float64() > deadShare {
			if q, ok := l.main.foot(p, 5e3); ok && l.dry(p) {
				t.points, t.dead = append(t.points, q), false
			}
		}
		if len(t.points) > 2 {
			l.tracks = append(l.tracks, t)
		}
	}
}

// contour turns a direction halfway towards the level line where the ground is steep.
func (l *land) contour(p spot, rad float64) float64 {
	h := l.hill(p)
	if h < 0.2 {
		return rad
	}
	level := l.slope(p) + math.Pi/2
	if math.Cos(level-rad) < 0 {
		level += math.Pi
	}
	return mean3(rad, 1, level, 0.7*h, rad, 0)
}

func (l *land) latLon(p spot) geodesy.LatLon {
	q := l.frame.GroundFromENU(p[0], p[1])
	return geodesy.LatLon{Lat: round(q.Lat, 6), Lon: round(q.Lon, 6)}
}

// inTown is the town whose built-up ground, widened by a factor, holds a place; nil where there is none.
func (l *land) inTown(p spot, factor float64) *town {
	for i := range l.towns {
		if l.towns[i].at.to(p) < factor*l.towns[i].RadiusM {
			return &l.towns[i]
		}
	}
	return nil
}

// fromRoad is the distance to the nearest main road, metres, at most 2,000.
func (l *land) fromRoad(p spot) float64 { return l.main.distance(p, 2000) }

// nearestTown is the town whose edge is nearest, and how far that is, metres; 0 within it.
func (l *land) nearestTown(p spot) (*town, float64) {
	best, at := math.Inf(1), (*town)(nil)
	for i := range l.towns {
		if d := math.Max(0, l.towns[i].at.to(p)-l.towns[i].RadiusM); d < best {
			best, at = d, &l.towns[i]
		}
	}
	return at, best
}

// ground is the map of the country.
func (l *land) ground() Ground {
	var g Ground
	lines := func(in []line, name string) []Line {
		out := make([]Line, 0, len(in))
		for _, w := range in {
			o := Line{Name: l.names.line(name, len(out))}
			for _, p := range w.points {
				o.Points = append(o.Points, l.latLon(p))
			}
			out = append(out, o)
		}
		return out
	}
	g.Roads, g.Tracks, g.Rivers = lines(l.roads, "road"), lines(l.tracks, "track"), lines(l.water, "river")
	if len(l.shore.points) > 1 {
		g.Shore = lines([]line{l.shore}, "shore")
	}
	for _, t := range l.towns {
		g.Towns = append(g.Towns, t.Town)
	}
	return g
}

// near finds lines by place: segments in squares of nearM.
type near struct {
	half     spot
	nx, ny   int
	squares  [][]int32
	segments [][2]spot
	before   []float64 // length of all segments up to and with each
}

const nearM = 2000.0

func newNear(half spot, lines []line) *near {
	n := &near{half: half, nx: int(2*half[0]/nearM) + 1, ny: int(2*half[1]/nearM) + 1}
	n.squares = make([][]int32, n.nx*n.ny)
	total := 0.0
	for _, l := range lines {
		for i := 1; i < len(l.points); i++ {
			a, b := l.points[i-1], l.points[i]
			total += a.to(b)
			n.segments, n.before = append(n.segments, [2]spot{a, b}), append(n.before, total)
			x0, y0 := n.square(spot{min(a[0], b[0]), min(a[1], b[1])})
			x1, y1 := n.square(spot{max(a[0], b[0]), max(a[1], b[1])})
			for x := x0; x <= x1; x++ {
				for y := y0; y <= y1; y++ {
					n.squares[y*n.nx+x] = append(n.squares[y*n.nx+x], int32(len(n.segments)-1))
				}
			}
		}
	}
	return n
}

func (n *near) square(p spot) (x, y int) {
	clip := func(v float64, most int) int { return min(max(int(v), 0), most-1) }
	return clip((p[0]+n.half[0])/nearM, n.nx), clip((p[1]+n.half[1])/nearM, n.ny)
}

// foot is the nearest point of the lines within so many metres.
func (n *near) foot(p spot, within float64) (spot, bool) {
	best, at, ok := within, spot{}, false
	x0, y0 := n.square(p.add(-within, -within))
	x1, y1 := n.square(p.add(within, within))
	for x := x0; x <= x1; x++ {
		for y := y0; y <= y1; y++ {
			for _, i := range n.squares[y*n.nx+x] {
				q := footOn(n.segments[i], p)
				if d := p.to(q); d < best {
					best, at, ok = d, q, true
				}
			}
		}
	}
	return at, ok
}

// distance to the lines, metres, at most within.
func (n *near) distance(p spot, within float64) float64 {
	if q, ok := n.foot(p, within); ok {
		return p.to(q)
	}
	return within
}

func footOn(s [2]spot, p spot) spot {
	d := s[1].add(-s[0][0], -s[0][1])
	l2 := d[0]*d[0] + d[1]*d[1]
	if l2 == 0 {
		return s[0]
	}
	k := ((p[0]-s[0][0])*d[0] + (p[1]-s[0][1])*d[1]) / l2
	return s[0].towards(s[1], math.Min(1, math.Max(0, k)))
}

// along draws places on the lines, equally dense over their length, with the direction of the line.
func (n *near) along(chance *numeric.Stream) func() (spot, float64) {
	return func() (spot, float64) {
		if len(n.segments) == 0 {
			return spot{}, 0
		}
		m := chance.Float64() * n.before[len(n.before)-1]
		i, _ := slices.BinarySearch(n.before, m)
		s := n.segments[min(i, len(n.segments)-1)]
		return s[0].towards(s[1], chance.Float64()), s[0].heading(s[1])
	}
}

// namer makes up names of towns and waters that no map has.
type namer struct {
	chance *numeric.Stream
	used   map[string]bool
}

func newNamer(chance *numeric.Stream) *namer { return &namer{chance, map[string]bool{}} }

var (
	namePrefixes  = [...]string{"San ", "Santa ", "El ", "La ", "Los ", "Las ", "", "", ""}
	nameSyllables = [...]string{"va", "ru", "te", "mo", "li", "se", "ve", "no", "ta", "chi", "me", "pe", "lo", "qui", "na", "zu", "bre", "dol", "gra", "tri"}
)

// town makes a name that it has not made before.
func (n *namer) town() string {
	for {
		w := ""
		for range 3 + n.chance.IntN(2) {
			w += nameSyllables[n.chance.IntN(len(nameSyllables))]
		}
		w = namePrefixes[n.chance.IntN(len(namePrefixes))] + strings.ToUpper(w[:1]) + w[1:]
		if !n.used[w] {
			n.used[w] = true
			return w
		}
	}
}

// line names a line by its kind and number: tracks have no names of their own.
func (n *namer) line(kind string, i int) string { return kind + " " + strconv.Itoa(i+1) }
