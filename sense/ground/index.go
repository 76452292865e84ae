package ground

import (
	"cmp"
	"math"
	"slices"

	"github.com/golang/geo/s2"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// ReachM is how far an Index looks: what lies further away has no distance.
const ReachM = 20_000.0

// An Index tells the distance to the nearest thing of a kind. It is safe for concurrent use.
type Index struct {
	of [len(Kinds)]things
	// covered are the boxes of the layers that hold a kind: only there does its absence say something.
	covered [len(Kinds)][]Box
}

// things are all of one kind: pieces of lines and edges, and points, as chords in space; and areas.
type things struct {
	pieces []piece
	tree   tree
	areas  []area
	over   tree // of areas, in longitude and latitude
}

// A piece is a chord of at most pieceM from a to a+d, metres from the centre of the Earth, and how far the thing reaches around it.
type piece struct {
	a [3]float64
	d [3]float32 // 0.1 mm of 2 km
	r float32
}

// NewIndex makes an index of layers; land use and permits are not indexed.
func NewIndex(layers ...*Layer) *Index {
	x := &Index{}
	for k, kind := range Kinds {
		if kind == LandUse || kind == Permits {
			continue
		}
		var m maker
		for _, l := range layers {
			for i := range l.Shapes {
				if l.Shapes[i].Kind == kind {
					m.shape(&l.Shapes[i])
				}
			}
			if l.Holds(kind) {
				x.covered[k] = append(x.covered[k], l.Box)
			}
		}
		x.of[k] = m.made()
	}
	return x
}

// Distance is how far the nearest thing of one of the kinds lies from p, metres, within a metre; 0 in an area. ok is false where none lies within ReachM.
func (x *Index) Distance(p geodesy.LatLon, kinds ...Kind) (metres float64, ok bool) {
	at := [3]float64(geodesy.ToECEF(geodesy.LatLonHeight{Lat: p.Lat, Lon: p.Lon}))
	best := ReachM
	for k, kind := range Kinds {
		if slices.Contains(kinds, kind) {
			best = x.of[k].nearest(p, at, best)
		}
	}
	return best, best < ReachM
}

// Inside is how far p lies within the ground about which the layers tell of one of the kinds, metres from the nearest edge of it; 0 outside. Beyond that
// edge the nearest thing may be anywhere.
func (x *Index) Inside(p geodesy.LatLon, kinds ...Kind) float64 {
	best := 0.0
	for k, kind := range Kinds {
		if !slices.Contains(kinds, kind) {
			continue
		}
		for _, b := range x.covered[k] {
			best = math.Max(best, b.Inside(p))
		}
	}
	return best
}

func (t *things) nearest(p geodesy.LatLon, at [3]float64, most float64) float64 {
	if t.inArea(p) {
		return 0
	}
	reach := most // a thing that reaches r counts from its edge: boxes are widened by r, and so is what is compared
	best2 := t.tree.nearest(at, reach*reach, func(i int) float64 {
		s := &t.pieces[i]
		d2 := s.away2(at)
		if s.r == 0 {
			return d2
		}
		d := math.Max(0, math.Sqrt(d2)-float64(s.r))
		return d * d
	})
	return math.Sqrt(best2)
}

// away2 is the squared distance of a point from the chord.
func (s *piece) away2(p [3]float64) float64 {
	d := [3]float64{float64(s.d[0]), float64(s.d[1]), float64(s.d[2])}
	v := [3]float64{p[0] - s.a[0], p[1] - s.a[1], p[2] - s.a[2]}
	along, length := v[0]*d[0]+v[1]*d[1]+v[2]*d[2], d[0]*d[0]+d[1]*d[1]+d[2]*d[2]
	if along > 0 && length > 0 {
		t := math.Min(1, along/length)
		v = [3]float64{v[0] - t*d[0], v[1] - t*d[1], v[2] - t*d[2]}
	}
	return v[0]*v[0] + v[1]*v[1] + v[2]*v[2]
}

func (s *piece) box() box {
	b := nowhere()
	r := float64(s.r) + 0.001 // what rounding to float32 may take off
	for k := range 3 {
		e := s.a[k] + float64(s.d[k])
		b.low[k], b.high[k] = math.Min(s.a[k], e)-r, math.Max(s.a[k], e)+r
	}
	return b
}

// maker gathers the things of one kind.
type maker struct {
	pieces []piece
	where  []s2.CellID // of each piece's middle: the order of the Hilbert curve keeps neighbours together
	areas  []area
}

func (m *maker) shape(s *Shape) {
	s.each(m.cut)
	for _, p := range s.Points {
		r := 0.0
		if s.Kind == Town {
			r = s.RadiusM
		}
		m.add(p, p, r)
	}
	for _, rings := range s.Areas {
		m.areas = append(m.areas, newArea(rings))
	}
}

// cut adds a line in pieces.
func (m *maker) cut(a, b geodesy.LatLon) {
	n, turn := cuts(a, b), geodesy.Wrap180(b.Lon-a.Lon)
	at := func(k int) geodesy.LatLon {
		t := float64(k) / float64(n)
		return geodesy.LatLon{Lat: a.Lat + t*(b.Lat-a.Lat), Lon: a.Lon + t*turn}
	}
	for k := range n {
		m.add(at(k), at(k+1), 0)
	}
}

func (m *maker) add(a, b geodesy.LatLon, r float64) {
	from, to := geodesy.ToECEF(geodesy.LatLonHeight{Lat: a.Lat, Lon: a.Lon}), geodesy.ToECEF(geodesy.LatLonHeight{Lat: b.Lat, Lon: b.Lon})
	d := to.Sub(from)
	m.pieces = append(m.pieces, piece{a: from, d: [3]float32{float32(d[0]), float32(d[1]), float32(d[2])}, r: float32(r)})
	m.where = append(m.where, s2.CellIDFromLatLng(s2.LatLngFromDegrees(a.Lat, geodesy.Wrap180(a.Lon))))
}

func (m *maker) made() things {
	order := make([]int32, len(m.pieces))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Or(cmp.Compare(m.where[a], m.where[b]), cmp.Compare(a, b)) })
	t := things{pieces: make([]piece, len(order)), areas: m.areas}
	for k, i := range order {
		t.pieces[k] = m.pieces[i]
	}
	t.tree = growTree(len(t.pieces), func(i int) box { return t.pieces[i].box() })
	slices.SortStableFunc(t.areas, func(a, b area) int { return cmp.Compare(a.where, b.where) })
	t.over = growTree(len(t.areas), func(i int) box { return t.areas[i].box })
	return t
}
