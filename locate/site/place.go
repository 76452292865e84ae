package site

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
)

// A Mode is one place where a thing may be: a normal density on the ground (covariance east, north, m²) and its weight.
type Mode struct {
	At           geodesy.LatLon
	CovarianceM2 [2][2]float64
	Weight       float64
}

// PlaceOf is the place of normal modes, the first of which names the position: its regions are, level by level, the ellipses
// of every mode, which together hold at least their share.
func PlaceOf(modes ...Mode) atalaya.Place {
	if len(modes) == 0 {
		panic("site: a place without a mode")
	}
	region := func(p float64) json.RawMessage {
		var rings [][]geodesy.LatLon
		for _, m := range modes {
			rings = append(rings, geodesy.EllipseOf(m.CovarianceM2, p).Ring(m.At, ringPoints))
		}
		return polygons(rings)
	}
	return atalaya.Place{
		Lat: modes[0].At.Lat, Lon: modes[0].At.Lon, CovarianceM2: modes[0].CovarianceM2,
		Regions: atalaya.Regions{P50: region(0.5), P90: region(0.9), P95: region(0.95)},
	}
}

// DiscPlace is a place somewhere, equally likely, within a radius: a circle of r·√p holds share p of it.
func DiscPlace(at geodesy.LatLon, radiusM float64) atalaya.Place {
	region := func(p float64) json.RawMessage {
		r := radiusM * math.Sqrt(p)
		return polygons([][]geodesy.LatLon{geodesy.Ellipse{MajorM: r, MinorM: r}.Ring(at, ringPoints)})
	}
	v := radiusM * radiusM / 4 // variance along each axis of a uniform disc
	return atalaya.Place{
		Lat: at.Lat, Lon: at.Lon, CovarianceM2: [2][2]float64{{v, 0}, {0, v}},
		Regions: atalaya.Regions{P50: region(0.5), P90: region(0.9), P95: region(0.95)},
	}
}

// ringPoints is how many corners an ellipse is drawn with: it then lies within 0.1 % of its axis of the curve.
const ringPoints = 72

// polygons is a GeoJSON Polygon, or a MultiPolygon of several or where a ring crosses the antimeridian, where it is cut
// (RFC 7946, section 3.1.9). A ring that goes around a pole is closed along it.
func polygons(rings [][]geodesy.LatLon) json.RawMessage {
	var parts [][][2]float64
	for _, r := range rings {
		parts = append(parts, cut(r)...)
	}
	b := []byte(`{"type":"Polygon","coordinates":`)
	if len(parts) > 1 {
		b = []byte(`{"type":"MultiPolygon","coordinates":[`)
	}
	for i, part := range parts {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, "[["...)
		for k := range len(part) + 1 {
			p := part[k%len(part)]
			if k > 0 {
				b = append(b, ',')
			}
			b = append(b, '[')
			b = strconv.AppendFloat(b, p[0], 'f', 7, 64) // a centimetre
			b = append(b, ',')
			b = strconv.AppendFloat(b, p[1], 'f', 7, 64)
			b = append(b, ']')
		}
		b = append(b, "]]"...)
	}
	if len(parts) > 1 {
		b = append(b, ']')
	}
	return append(b, '}')
}

// cut unrolls a ring so that its longitudes run on, and cuts it at ±180°.
func cut(ring []geodesy.LatLon) [][][2]float64 {
	var flat [][2]float64
	lon := ring[0].Lon
	for _, p := range ring {
		lon += geodesy.Wrap180(p.Lon - lon)
		flat = append(flat, [2]float64{lon, p.Lat})
	}
	if turn := lon + geodesy.Wrap180(ring[0].Lon-lon) - ring[0].Lon; math.Abs(turn) > 180 { // around a pole
		pole := math.Copysign(90, flat[0][1])
		flat = append(flat, [2]float64{ring[0].Lon + turn, flat[0][1]}, [2]float64{ring[0].Lon + turn, pole}, [2]float64{ring[0].Lon, pole})
	}
	var out [][][2]float64
	for k := -1.0; k <= 1; k++ { // which turn of the globe
		part := clip(clip(flat, k*360-180, 1), k*360+180, -1)
		for i := range part {
			part[i][0] -= k * 360
		}
		if len(part) >= 3 {
			out = append(out, part)
		}
	}
	return out
}

// clip keeps what of a convex ring lies on one side of a meridian: east of it for side 1, west for -1
// (I. E. Sutherland and G. W. Hodgman, Communications of the ACM 17(1), 1974).
func clip(ring [][2]float64, meridian, side float64) [][2]float64 {
	var out [][2]float64
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		in, next := (p[0]-meridian)*side >= 0, (q[0]-meridian)*side >= 0
		if in {
			out = append(out, p)
		}
		if in != next {
			t := (meridian - p[0]) / (q[0] - p[0])
			out = append(out, [2]float64{meridian, p[1] + t*(q[1]-p[1])})
		}
	}
	return out
}

const (
	// addsNothing: a place whose variance is a hundred times that of the sharpest moves it by less than a twentieth of a
	// standard deviation on average; the sharpest then keeps its own region, of whatever shape.
	addsNothing = 100
	// consistent is the squared Mahalanobis distance of two places that 99 % of pairs of the same point keep below
	// (chi-square, two degrees of freedom).
	consistent = 9.210340371976184
)

// located is a place with the shift that it shares with others of its group.
type located struct {
	atalaya.Place
	group string
	biasM float64
}

// combine is what several places of one thing say together: the sharpest, sharpened by each that is consistent with it.
// A single place, or one that no other sharpens, comes back unchanged. Places of one group share a shift, which no number of them
// makes smaller: they are combined without it, and it is put back once. How far places that are combined lie apart says how good their stated errors are, see doubt.
func combine(places []located) atalaya.Place {
	slices.SortStableFunc(places, func(a, b located) int { return cmp.Compare(trace(a.Place), trace(b.Place)) })
	var groups []cluster
	var d doubt
	for _, p := range places {
		if trace(p.Place) > addsNothing*trace(places[0].Place) {
			continue
		}
		g := slices.IndexFunc(groups, func(c cluster) bool { return p.group != "" && c.group == p.group })
		if g < 0 {
			groups = append(groups, cluster{p.group, p.biasM, p.without()})
			continue
		}
		groups[g].mode = d.product(groups[g].mode, p.without())
	}
	best := groups[0].with()
	for _, g := range groups[1:] {
		best = d.product(best, g.with())
	}
	if d.pairs == 0 {
		return places[0].Place
	}
	return d.place(best)
}

// doubt is how far places that were combined lay apart, beside what their stated errors foretell.
type doubt struct {
	pairs  float64
	square float64 // sum of squared Mahalanobis distances, two a pair where errors are as stated
}

// product of two places, the first alone where they are not consistent.
func (d *doubt) product(a, b Mode) Mode {
	m, square, ok := product(a, b)
	if ok {
		d.pairs++
		d.square += square
	}
	return m
}

// statedDegrees are the degrees of freedom with which stated variances are known before places are compared: stated standard deviations are right to about a
// quarter, 1/√(2·8). An assumption.
const statedDegrees = 8.0

// place is that of a combination whose stated covariances have one factor in common that is not known: with an inverse gamma distribution of it around 1 before, and
// the distances between the places, the position is Student's t of n = statedDegrees + 2·pairs degrees of freedom and squared scale
// (statedDegrees + square)/n (C. M. Bishop, Pattern Recognition and Machine Learning, 2006, section 2.3.7; that errors which are too small show in how
// measurements scatter: R. T. Birge 1932, doi:10.1103/PhysRev.40.207). A scale below 1 counts as 1: that few places agree makes none of them better than it
// states, a shift that they share least of all. In two dimensions m² ≤ n((1-p)^(-2/n) - 1) holds the share p.
func (d *doubt) place(m Mode) atalaya.Place {
	n := statedDegrees + 2*d.pairs
	factor := math.Max(1, (statedDegrees+d.square)/n)
	region := func(p float64) json.RawMessage {
		square := factor * n * (math.Pow(1-p, -2/n) - 1)
		return polygons([][]geodesy.LatLon{geodesy.EllipseOf(m.CovarianceM2, -math.Expm1(-square/2)).Ring(m.At, ringPoints)})
	}
	c := m.CovarianceM2
	for i := range 2 {
		for k := range 2 {
			c[i][k] *= factor * n / (n - 2)
		}
	}
	return atalaya.Place{Lat: m.At.Lat, Lon: m.At.Lon, CovarianceM2: c, Regions: atalaya.Regions{P50: region(0.5), P90: region(0.9), P95: region(0.95)}}
}

// cluster is what the places of one group say together, but for their shift.
type cluster struct {
	group string
	biasM float64
	mode  Mode
}

func (c cluster) with() Mode {
	m := c.mode
	for i := range 2 {
		m.CovarianceM2[i][i] += c.biasM * c.biasM
	}
	return m
}

// without is the place but for its shift, of which it keeps a thousandth at least so that it stays a density.
func (p located) without() Mode {
	m := Mode{At: geodesy.LatLon{Lat: p.Lat, Lon: p.Lon}, CovarianceM2: p.CovarianceM2, Weight: 1}
	if p.biasM > 0 {
		for i := range 2 {
			m.CovarianceM2[i][i] = math.Max(m.CovarianceM2[i][i]-p.biasM*p.biasM, 1e-3*m.CovarianceM2[i][i])
		}
	}
	return m
}

// excludes reports whether two places are too far apart to be one.
func excludes(a, b atalaya.Place) bool {
	_, _, ok := product(Mode{At: geodesy.LatLon{Lat: a.Lat, Lon: a.Lon}, CovarianceM2: a.CovarianceM2},
		Mode{At: geodesy.LatLon{Lat: b.Lat, Lon: b.Lon}, CovarianceM2: b.CovarianceM2})
	return !ok
}

// between is how far apart two places are, metres.
func between(a, b atalaya.Place) float64 {
	return geodesy.Distance(geodesy.LatLon{Lat: a.Lat, Lon: a.Lon}, geodesy.LatLon{Lat: b.Lat, Lon: b.Lon})
}

// same reports whether two places that may exclude each other are so near that they are asked about as one: within three windows, and not as far apart
// as one pair of the same thing in 270,000 (five standard deviations), since stated errors have longer tails than normal ones.
func same(a, b atalaya.Place) bool {
	d := geodesy.NewFrame(geodesy.LatLonHeight{Lat: a.Lat, Lon: a.Lon}).GroundENU(geodesy.LatLon{Lat: b.Lat, Lon: b.Lon})
	inv, ok := invert(plus(a.CovarianceM2, b.CovarianceM2))
	y := apply(inv, d)
	return ok && math.Hypot(d[0], d[1]) < 3*ScaleM && d[0]*y[0]+d[1]*y[1] < 25
}

func trace(p atalaya.Place) float64 { return p.CovarianceM2[0][0] + p.CovarianceM2[1][1] }

// product of two normal densities, where they are consistent: a's mean moves by Ca(Ca+Cb)⁻¹ of the difference; else a. Square is their squared
// Mahalanobis distance.
func product(a, b Mode) (m Mode, square float64, ok bool) {
	d := geodesy.NewFrame(geodesy.LatLonHeight{Lat: a.At.Lat, Lon: a.At.Lon}).GroundENU(b.At)
	inv, ok := invert(plus(a.CovarianceM2, b.CovarianceM2))
	if !ok {
		return a, 0, false
	}
	y := apply(inv, d)
	if square = d[0]*y[0] + d[1]*y[1]; square > consistent {
		return a, square, false
	}
	shift := apply(a.CovarianceM2, y)
	k := times(a.CovarianceM2, inv)
	c := times(k, b.CovarianceM2) // Ca(Ca+Cb)⁻¹Cb
	off := (c[0][1] + c[1][0]) / 2
	c[0][1], c[1][0] = off, off
	at := geodesy.Destination(a.At, math.Atan2(shift[0], shift[1])/geodesy.RadPerDegree, math.Hypot(shift[0], shift[1]))
	return Mode{At: at, CovarianceM2: c}, square, true
}

type matrix = [2][2]float64

func plus(a, b matrix) matrix {
	return matrix{{a[0][0] + b[0][0], a[0][1] + b[0][1]}, {a[1][0] + b[1][0], a[1][1] + b[1][1]}}
}

func times(a, b matrix) (c matrix) {
	for i := range 2 {
		for j := range 2 {
			c[i][j] = a[i][0]*b[0][j] + a[i][1]*b[1][j]
		}
	}
	return c
}

func apply(a matrix, v [2]float64) [2]float64 {
	return [2]float64{a[0][0]*v[0] + a[0][1]*v[1], a[1][0]*v[0] + a[1][1]*v[1]}
}

func invert(a matrix) (matrix, bool) {
	det := a[0][0]*a[1][1] - a[0][1]*a[1][0]
	if !(det > 0) {
		return a, false
	}
	return matrix{{a[1][1] / det, -a[0][1] / det}, {-a[1][0] / det, a[0][0] / det}}, true
}
