package plan

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
)

// A Polygon is ground in local metres: one outer ring and the holes in it, none closed by repeating its first corner.
type Polygon [][][2]float64

const (
	maxPolygonBytes = 1 << 20
	maxCorners      = 2000 // crossings are sought among all pairs of edges
)

// ReadPolygon reads a GeoJSON Polygon, alone, in a Feature or as the only Feature of a collection. Corners are longitude and latitude where
// the survey has a place on the Earth (frame is not nil), and local metres otherwise. An edge that crosses another is refused.
func ReadPolygon(r io.Reader, name string, frame *geodesy.Frame) (Polygon, error) {
	refuse := func(place, what, hint string) (Polygon, error) {
		return nil, &atalaya.Error{Op: "plan.polygon", File: name, Place: place, Kind: atalaya.BadUse, Hint: hint, Err: plain(what)}
	}
	const form = `Give {"type":"Polygon","coordinates":[[[lon,lat],...]]}`
	b, err := io.ReadAll(io.LimitReader(r, maxPolygonBytes+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxPolygonBytes {
		return refuse("", fmt.Sprintf("larger than %d bytes", maxPolygonBytes), "Give one polygon of fewer corners")
	}
	rings, what := ringsOf(b)
	if what != "" {
		return refuse("", what, form)
	}
	var p Polygon
	corners := 0
	for n, ring := range rings {
		place := fmt.Sprintf("ring %d", n+1)
		if len(ring) > 1 && slices.Equal(ring[0][:min(2, len(ring[0]))], ring[len(ring)-1][:min(2, len(ring[len(ring)-1]))]) {
			ring = ring[:len(ring)-1]
		}
		if corners += len(ring); corners > maxCorners {
			return refuse(place, fmt.Sprintf("more than %d corners", maxCorners), "Simplify it")
		}
		var out [][2]float64
		for k, c := range ring {
			at := fmt.Sprintf("ring %d, corner %d", n+1, k+1)
			if len(c) < 2 || !finite(c[:2]...) {
				return refuse(at, "not a position of two numbers", form)
			}
			q := [2]float64{c[0], c[1]}
			if frame != nil {
				ll := geodesy.LatLon{Lat: c[1], Lon: c[0]}
				if !ll.Valid() {
					return refuse(at, fmt.Sprintf("%g, %g is no longitude and latitude", c[0], c[1]), "Longitude comes first")
				}
				q = frame.GroundENU(ll)
			}
			if len(out) == 0 || q != out[len(out)-1] {
				out = append(out, q)
			}
		}
		if len(out) < 3 {
			return refuse(place, fmt.Sprintf("%d corners bound no ground", len(out)), "Give three or more")
		}
		p = append(p, out)
	}
	if a, b, crossed := p.crossesItself(); crossed {
		return refuse(fmt.Sprintf("edges %d and %d", a, b), "the outline crosses itself", "Put the corners in the order in which one walks around the ground")
	}
	return p, nil
}

// ringsOf finds the one polygon of a GeoJSON document; what says why there is none.
func ringsOf(b []byte) (rings [][][]float64, what string) {
	var doc struct {
		Type        string
		Coordinates json.RawMessage
		Geometry    json.RawMessage
		Features    []json.RawMessage
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return nil, "not GeoJSON: " + err.Error()
	}
	switch doc.Type {
	case "FeatureCollection":
		if len(doc.Features) != 1 {
			return nil, fmt.Sprintf("%d features where one polygon is wanted", len(doc.Features))
		}
		return ringsOf(doc.Features[0])
	case "Feature":
		return ringsOf(doc.Geometry)
	case "Polygon":
		if err := json.Unmarshal(doc.Coordinates, &rings); err != nil {
			return nil, "coordinates that are no rings of positions"
		}
		if len(rings) == 0 {
			return nil, "a polygon without a ring"
		}
		return rings, ""
	}
	return nil, fmt.Sprintf("type %q where one Polygon is wanted", doc.Type)
}

// edges are all sides of all rings, numbered through from one.
func (p Polygon) edges() (out [][2][2]float64) {
	for _, ring := range p {
		for i := range ring {
			out = append(out, [2][2]float64{ring[i], ring[(i+1)%len(ring)]})
		}
	}
	return out
}

// crossesItself names the first two edges that meet elsewhere than where one follows the other.
func (p Polygon) crossesItself() (a, b int, crossed bool) {
	edges := p.edges()
	for i := range edges {
		for j := i + 1; j < len(edges); j++ {
			e, f := edges[i], edges[j]
			if e[1] == f[0] || f[1] == e[0] { // neighbours: they cross where one runs back along the other
				if back(e, f) {
					return i + 1, j + 1, true
				}
				continue
			}
			if meet(e, f) {
				return i + 1, j + 1, true
			}
		}
	}
	return 0, 0, false
}

func cross(o, a, b [2]float64) float64 { return (a[0]-o[0])*(b[1]-o[1]) - (a[1]-o[1])*(b[0]-o[0]) }

// back holds for two edges with a common corner that lie on one line and on the same side of that corner.
func back(e, f [2][2]float64) bool {
	if e[1] != f[0] {
		e, f = f, e
	}
	o := e[1]
	dot := (e[0][0]-o[0])*(f[1][0]-o[0]) + (e[0][1]-o[1])*(f[1][1]-o[1])
	return cross(o, e[0], f[1]) == 0 && dot > 0
}

// meet reports whether two closed stretches have a point in common.
func meet(e, f [2][2]float64) bool {
	a, b := cross(e[0], e[1], f[0]), cross(e[0], e[1], f[1])
	c, d := cross(f[0], f[1], e[0]), cross(f[0], f[1], e[1])
	if (a > 0) != (b > 0) && a != 0 && b != 0 && (c > 0) != (d > 0) && c != 0 && d != 0 {
		return true
	}
	on := func(e [2][2]float64, q [2]float64, turn float64) bool {
		return turn == 0 && q[0] >= min(e[0][0], e[1][0]) && q[0] <= max(e[0][0], e[1][0]) && q[1] >= min(e[0][1], e[1][1]) && q[1] <= max(e[0][1], e[1][1])
	}
	return on(e, f[0], a) || on(e, f[1], b) || on(f, e[0], c) || on(f, e[1], d)
}

// Holds reports whether a place lies within, by the parity of the edges east of it. No polygon at all holds everything.
func (p Polygon) Holds(x, y float64) bool {
	if p == nil {
		return true
	}
	in := false
	for _, e := range p.edges() {
		a, b := e[0], e[1]
		if (a[1] > y) != (b[1] > y) && x < a[0]+(y-a[1])/(b[1]-a[1])*(b[0]-a[0]) {
			in = !in
		}
	}
	return in
}

// within gives the stretches of the line from a to b that lie inside, as shares of it in order. Touching the fence cuts.
func (p Polygon) within(a, b [2]float64) [][2]float64 {
	if p == nil {
		return [][2]float64{{0, 1}}
	}
	cuts := []float64{0, 1}
	dx, dy := b[0]-a[0], b[1]-a[1]
	for _, e := range p.edges() {
		ex, ey := e[1][0]-e[0][0], e[1][1]-e[0][1]
		det := dx*ey - dy*ex
		if det == 0 {
			continue
		}
		t := ((e[0][0]-a[0])*ey - (e[0][1]-a[1])*ex) / det
		s := ((e[0][0]-a[0])*dy - (e[0][1]-a[1])*dx) / det
		if t > 0 && t < 1 && s >= 0 && s <= 1 {
			cuts = append(cuts, t)
		}
	}
	slices.Sort(cuts)
	var out [][2]float64
	for i := 1; i < len(cuts); i++ {
		lo, hi := cuts[i-1], cuts[i]
		if m := (lo + hi) / 2; hi <= lo || !p.Holds(a[0]+m*dx, a[1]+m*dy) {
			continue
		}
		if n := len(out); n > 0 && out[n-1][1] == lo {
			out[n-1][1] = hi
		} else {
			out = append(out, [2]float64{lo, hi})
		}
	}
	return out
}

// joins reports whether one can fly straight from a to b without leaving.
func (p Polygon) joins(a, b [2]float64) bool {
	if a == b {
		return p.Holds(a[0], a[1])
	}
	w := p.within(a, b)
	return len(w) == 1 && w[0] == [2]float64{0, 1}
}

// box is the rectangle around it.
func (p Polygon) box() (lo, hi [2]float64) {
	lo, hi = [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, q := range p[0] {
		for k := range 2 {
			lo[k], hi[k] = min(lo[k], q[k]), max(hi[k], q[k])
		}
	}
	return lo, hi
}

func rectangle(lo, hi [2]float64) Polygon {
	return Polygon{{{lo[0], lo[1]}, {hi[0], lo[1]}, {hi[0], hi[1]}, {lo[0], hi[1]}}}
}

func finite(v ...float64) bool {
	for _, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}

type plain string

func (p plain) Error() string { return string(p) }
