package video

import (
	"math"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/geodesy/terrain"
)

// An Outline is the ground that a picture shows, as a ring.
type Outline struct {
	Ring    []geodesy.LatLon // not closed, in the order of the picture's border, clockwise as seen from the sensor
	How     string           // as Look.How
	Horizon bool             // it ends at Reach, since the view goes on to the horizon
}

// edgeSteps is how many points an edge of the picture is cast by: an edge over flat ground is straight, over terrain it is not.
const edgeSteps = 8

// Footprint is the outline of the ground seen. Where the look has corners of the metadata these are it. Else the picture's border
// is cast point by point; where it leaves the ground within Reach, the crossing is found by bisection, and the ring goes on at
// the crossing's distance from the sensor to where the border comes back. It is false where no ground is seen.
func (l *Look) Footprint() (Outline, bool) {
	if l.saidHow != "" {
		return Outline{Ring: l.said[:], How: l.saidHow}, true
	}
	if l.Blind() != "" {
		return Outline{}, false
	}
	o := Outline{How: "ray"}
	if l.How == "center" {
		o.How = "center"
	}
	s := l.sight
	at := func(t float64) (geodesy.LatLon, bool) {
		x, y := s.tangents(border(t))
		hit := s.Cast(x, y, Reach)
		return hit.At.LatLon(), hit.Outcome == terrain.Met
	}
	const n = 4 * edgeSteps
	var points [n]geodesy.LatLon
	var seen [n]bool
	first := -1
	for i := range n {
		if points[i], seen[i] = at(float64(i) / edgeSteps); seen[i] && first < 0 {
			first = i
		}
	}
	if first < 0 {
		return Outline{}, false
	}
	var left geodesy.LatLon // where the border left the ground
	for k := range n {
		i := (first + k) % n
		j := (i + 1) % n
		if seen[i] {
			o.Ring = append(o.Ring, points[i])
		}
		if seen[i] == seen[j] {
			continue
		}
		o.Horizon = true
		edge := crossing(at, float64(i)/edgeSteps, seen[i])
		if seen[j] {
			o.Ring = append(o.Ring, along(l.Sensor.LatLon(), left, edge)...)
		}
		left = edge
		o.Ring = append(o.Ring, edge)
	}
	return o, len(o.Ring) > 2
}

// border goes around the picture from its upper left corner: an edge by each whole number.
func border(t float64) pictured {
	t = math.Mod(t, 4)
	edge, f := math.Floor(t), 2*(t-math.Floor(t))-1
	switch edge {
	case 0:
		return pictured{f, -1}
	case 1:
		return pictured{1, f}
	case 2:
		return pictured{-f, 1}
	}
	return pictured{-1, -f}
}

// crossing is the last place with ground between the border points t and one step on, of which the first or the second has it.
func crossing(at func(float64) (geodesy.LatLon, bool), t float64, firstHas bool) geodesy.LatLon {
	good, bad := t, t+1.0/edgeSteps
	if !firstHas {
		good, bad = bad, good
	}
	p, _ := at(good)
	for range 24 {
		mid := (good + bad) / 2
		if q, ok := at(mid); ok {
			good, p = mid, q
		} else {
			bad = mid
		}
	}
	return p
}

// along is the arc from a to b around a sensor, without its ends: the azimuth the shorter way, the distance in proportion.
func along(sensor, a, b geodesy.LatLon) (out []geodesy.LatLon) {
	za, zb := geodesy.Azimuth(sensor, a), geodesy.Azimuth(sensor, b)
	da, db := geodesy.Distance(sensor, a), geodesy.Distance(sensor, b)
	n := int(math.Abs(geodesy.Wrap180(zb-za))/5) + 1
	for i := 1; i < n; i++ {
		s := float64(i) / float64(n)
		out = append(out, geodesy.Destination(sensor, between(za, zb, s), da+s*(db-da)))
	}
	return out
}

// A Geometry is GeoJSON's (RFC 7946): a Polygon, or a MultiPolygon where it was cut at the antimeridian.
type Geometry struct {
	Type        string `json:"type"`
	Coordinates any    `json:"coordinates"`
}

// Geometry is the outline as GeoJSON: rings counter-clockwise and closed, cut at the antimeridian (RFC 7946, 3.1.9), and led along
// the antimeridian to the pole and back where the ring goes around one.
func (o Outline) Geometry() Geometry {
	parts := cut(o.Ring)
	if len(parts) == 1 {
		return Geometry{"Polygon", [][][2]float64{closed(parts[0])}}
	}
	var all [][][][2]float64
	for _, p := range parts {
		all = append(all, [][][2]float64{closed(p)})
	}
	return Geometry{"MultiPolygon", all}
}

// cut unrolls a ring of longitudes and gives its pieces between antimeridians, as longitude and latitude.
func cut(ring []geodesy.LatLon) [][][2]float64 {
	flat := make([][2]float64, 0, len(ring)+4)
	lon := 0.0
	for i, p := range ring {
		if i == 0 {
			lon = p.Lon
		} else {
			lon += geodesy.Wrap180(p.Lon - lon)
		}
		flat = append(flat, [2]float64{lon, p.Lat})
	}
	if around := lon + geodesy.Wrap180(ring[0].Lon-lon) - flat[0][0]; math.Abs(around) > 180 { // once around a pole
		return [][][2]float64{overPole(flat, math.Copysign(360, around), math.Copysign(90, meanLat(ring)))}
	}
	low, high := flat[0][0], flat[0][0]
	for _, p := range flat {
		low, high = math.Min(low, p[0]), math.Max(high, p[0])
	}
	var out [][][2]float64
	for k := math.Floor((low + 180) / 360); k*360-180 < high; k++ {
		west, east := k*360-180, k*360+180
		piece := beside(beside(flat, west, 1), east, -1)
		if len(piece) < 3 || area(piece) == 0 {
			continue
		}
		for i := range piece {
			piece[i][0] -= k * 360
		}
		out = append(out, piece)
	}
	if len(out) == 0 { // seen from straight above the pole, or without any width
		return [][][2]float64{flat}
	}
	return out
}

// overPole is a ring that goes around a pole, begun where it crosses the antimeridian and closed over the pole.
func overPole(flat [][2]float64, around, pole float64) [][2]float64 {
	begin, end := -around/2, around/2
	n := len(flat)
	at := func(i int) [2]float64 { // of the ring unrolled again and again
		k := math.Floor(float64(i) / float64(n))
		p := flat[((i%n)+n)%n]
		return [2]float64{p[0] + k*around, p[1]}
	}
	first := 0 // the first point past the crossing
	for side := around / 360; side*(at(first)[0]-begin) < 0; {
		first++
	}
	for side := around / 360; side*(at(first - 1)[0]-begin) >= 0; {
		first--
	}
	p, q := at(first-1), at(first)
	lat := p[1] + (q[1]-p[1])*(begin-p[0])/(q[0]-p[0])
	out := [][2]float64{{begin, lat}}
	for i := range n {
		out = append(out, at(first+i))
	}
	return append(out, [2]float64{end, lat}, [2]float64{end, pole}, [2]float64{begin, pole})
}

func meanLat(ring []geodesy.LatLon) (m float64) {
	for _, p := range ring {
		m += p.Lat
	}
	return m
}

// beside is the part of a polygon on one side (1: east, -1: west) of a meridian (I. Sutherland and G. Hodgman, Communications of
// the ACM 17, 1974, doi:10.1145/360767.360802).
func beside(ring [][2]float64, meridian, side float64) (out [][2]float64) {
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		a, b := side*(p[0]-meridian), side*(q[0]-meridian)
		if a >= 0 {
			out = append(out, p)
		}
		if a*b < 0 {
			out = append(out, [2]float64{meridian, p[1] + (q[1]-p[1])*a/(a-b)})
		}
	}
	return out
}

// area is twice a ring's signed area in degrees: positive counter-clockwise.
func area(ring [][2]float64) (a float64) {
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		a += (p[0] - ring[0][0]) * (q[1] - ring[0][1])
		a -= (q[0] - ring[0][0]) * (p[1] - ring[0][1])
	}
	return a
}

func closed(ring [][2]float64) [][2]float64 {
	out := make([][2]float64, 0, len(ring)+1)
	clockwise := area(ring) < 0
	for i := range ring {
		k := i
		if clockwise {
			k = len(ring) - 1 - i
		}
		if n := len(out); n > 0 && out[n-1] == ring[k] {
			continue
		}
		out = append(out, ring[k])
	}
	if out[0] != out[len(out)-1] {
		out = append(out, out[0])
	}
	return out
}
