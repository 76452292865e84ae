package product

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
)

// A grid is the fixed lattice of positions that coordinates leave on: steps of 1, 2 or 5 times a power of ten degrees, so that
// releasing a place again and again never says more than releasing it once (fresh noise would average out).
type grid struct{ lat, lon step }

// step is units·10^-digits degrees.
type step struct{ units, digits int64 }

func (s step) degrees() float64 { return float64(s.units) / math.Pow10(int(s.digits)) }

// node is the multiple of the step at, below or above deg.
func (s step) node(deg float64, round func(float64) float64) int64 {
	return int64(round(deg * math.Pow10(int(s.digits)) / float64(s.units)))
}

// cell is the pair of neighbouring nodes that deg lies between, inside ±limit degrees (a multiple of every step); a position on
// a grid line still has a cell.
func (s step) cell(deg, limit float64) (low, high int64) {
	low = min(s.node(deg, math.Floor), s.node(limit, math.Round)-1)
	return low, low + 1
}

// text writes the n-th node as decimal degrees, with the digits of the step and no more.
func (s step) text(n int64) string {
	return strconv.FormatFloat(float64(n*s.units)/math.Pow10(int(s.digits)), 'f', int(s.digits), 64)
}

// Metres in a degree, from below, so that a step is never finer than asked: of latitude at the equator, where it is shortest
// (WGS 84: 110,574.3 m), and of longitude along a parallel, at least SemiMajorM·cos(lat)·π/180.
const latDegreeM = 110574.0

func lonDegreeM(lat float64) float64 {
	return geodesy.SemiMajorM * math.Cos(lat*geodesy.RadPerDegree) * geodesy.RadPerDegree
}

// gridFor is the finest grid whose cells are nowhere narrower than m metres at latitude lat.
func gridFor(m, lat float64) (grid, error) {
	la, ok1 := stepOf(m / latDegreeM)
	lo, ok2 := stepOf(m / lonDegreeM(lat))
	if !ok1 || !ok2 {
		return grid{}, badPlace(fmt.Sprintf("it is known to no better than %.0f m", m))
	}
	return grid{la, lo}, nil
}

// stepOf is the smallest step of at least deg degrees, from 1e-6 up to 5 degrees.
func stepOf(deg float64) (step, bool) {
	for digits := int64(6); digits >= 0; digits-- {
		for _, units := range []int64{1, 2, 5} {
			if s := (step{units, digits}); s.degrees() >= deg {
				return s, true
			}
		}
	}
	return step{}, false // also for NaN and infinity
}

// node is a position on a grid, counted in its steps.
type node struct{ lon, lat int64 }

// nearest is the node nearest to a position.
func (g grid) nearest(lat, lon float64) node {
	return node{g.lon.node(lon, math.Round), g.lat.node(lat, math.Round)}
}

// cover is the convex hull of all grid cells that a ring touches, counter-clockwise, the first node not repeated. It contains
// the ring, so the probability that is stated for the ring holds for the hull at least.
func (g grid) cover(ring [][2]float64) []node {
	var corners []node
	for _, p := range ring {
		w, e := g.lon.cell(p[0], 180)
		s, n := g.lat.cell(p[1], 90)
		corners = append(corners, node{w, s}, node{e, s}, node{w, n}, node{e, n})
	}
	return hull(corners)
}

// hull is Andrew's monotone chain (Information Processing Letters 9, 1979, doi:10.1016/0020-0190(79)90072-3), exact in integers.
func hull(p []node) []node {
	slices.SortFunc(p, func(a, b node) int { return cmp.Or(cmp.Compare(a.lon, b.lon), cmp.Compare(a.lat, b.lat)) })
	p = slices.Compact(p)
	left := func(a, b, c node) bool { return (b.lon-a.lon)*(c.lat-a.lat)-(b.lat-a.lat)*(c.lon-a.lon) > 0 }
	var out []node
	half := func(q node, base int) {
		for len(out) >= base+2 && !left(out[len(out)-2], out[len(out)-1], q) {
			out = out[:len(out)-1]
		}
		out = append(out, q)
	}
	for _, q := range p {
		half(q, 0)
	}
	base := len(out) - 1
	for _, q := range slices.Backward(p[:len(p)-1]) {
		half(q, base)
	}
	return out[:len(out)-1]
}

// coverAll covers every part of a region and joins parts whose boxes meet, so that no two polygons of one region overlap.
func (g grid) coverAll(parts [][][2]float64) [][]node {
	var out [][]node
	for _, part := range parts {
		h := g.cover(part)
		for {
			i := slices.IndexFunc(out, func(o []node) bool { return meet(o, h) })
			if i < 0 {
				break
			}
			h = hull(append(h, out[i]...))
			out = slices.Delete(out, i, i+1)
		}
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b []node) int { return cmp.Or(cmp.Compare(a[0].lon, b[0].lon), cmp.Compare(a[0].lat, b[0].lat)) })
	return out
}

// box is the south-west and north-east corner of some nodes.
func box(p []node) (sw, ne node) {
	sw, ne = p[0], p[0]
	for _, q := range p {
		sw = node{min(sw.lon, q.lon), min(sw.lat, q.lat)}
		ne = node{max(ne.lon, q.lon), max(ne.lat, q.lat)}
	}
	return sw, ne
}

func meet(a, b []node) bool {
	asw, ane := box(a)
	bsw, bne := box(b)
	return asw.lon <= bne.lon && bsw.lon <= ane.lon && asw.lat <= bne.lat && bsw.lat <= ane.lat
}

// rings reads the outer rings of a GeoJSON Polygon or MultiPolygon; holes are dropped, which only makes a region larger.
func rings(name string, geometry json.RawMessage) ([][][2]float64, error) {
	var g struct {
		Type        string
		Coordinates json.RawMessage
	}
	if err := json.Unmarshal(geometry, &g); err != nil {
		return nil, badPlace("its " + name + " region cannot be read")
	}
	var polygons [][][][]float64
	var err error
	switch g.Type {
	case "Polygon":
		polygons = make([][][][]float64, 1)
		err = json.Unmarshal(g.Coordinates, &polygons[0])
	case "MultiPolygon":
		err = json.Unmarshal(g.Coordinates, &polygons)
	default:
		return nil, badPlace(fmt.Sprintf("its %s region is no polygon (%.20q)", name, g.Type))
	}
	if err != nil || len(polygons) == 0 {
		return nil, badPlace("its " + name + " region cannot be read")
	}
	var out [][][2]float64
	for _, polygon := range polygons {
		if len(polygon) == 0 || len(polygon[0]) < 4 {
			return nil, badPlace("its " + name + " region has a ring of fewer than four positions")
		}
		ring, err := ringOf(name, polygon[0])
		if err != nil {
			return nil, err
		}
		out = append(out, ring)
	}
	return out, nil
}

func ringOf(name string, positions [][]float64) ([][2]float64, error) {
	ring := make([][2]float64, len(positions))
	west, east := 180.0, -180.0
	for i, p := range positions {
		if len(p) < 2 || !(geodesy.LatLon{Lat: p[1], Lon: p[0]}).Valid() {
			return nil, badPlace("its " + name + " region leaves the Earth: longitude comes first, in degrees")
		}
		ring[i] = [2]float64{p[0], p[1]}
		west, east = min(west, p[0]), max(east, p[0])
	}
	if east-west > 180 {
		return nil, badPlace("its " + name + " region crosses the antimeridian, which packages cannot carry yet")
	}
	return ring, nil
}

// areaM2 is the area of rings in square metres, on the plane that is right at their own latitude.
func areaM2(rings [][][2]float64) float64 {
	sum := 0.0
	for _, r := range rings {
		twice := 0.0
		for i, p := range r {
			q := r[(i+1)%len(r)]
			twice += (p[0]-r[0][0])*(q[1]-r[0][1]) - (q[0]-r[0][0])*(p[1]-r[0][1])
		}
		sum += math.Abs(twice) / 2 * latDegreeM * lonDegreeM(r[0][1])
	}
	return sum
}

// errorM is the radius of the circle as large as the 50 % region: of the region itself or of the ellipse that the covariance
// draws, whichever is larger. It is what coordinates must not be finer than.
func errorM(p atalaya.Place, p50 [][][2]float64) float64 {
	e := geodesy.EllipseOf(p.CovarianceM2, 0.5)
	return math.Max(math.Sqrt(areaM2(p50)/math.Pi), math.Sqrt(e.MajorM*e.MinorM))
}

func badPlace(what string) error {
	return &atalaya.Error{Op: "product", Place: "place of the candidate", Kind: atalaya.BadInput, Err: fmt.Errorf("%s", what),
		Hint: "Compute the candidate again, with its regions of 50, 90 and 95 %"}
}
