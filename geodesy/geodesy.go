// Package geodesy holds the shapes of the Earth that Atalaya measures on: the WGS 84 ellipsoid, local tangent frames,
// error ellipses and S2 cells. Angles at its border are degrees, lengths metres; azimuths run clockwise from true north.
//
// It does no input or output and every function is safe for concurrent use.
package geodesy

import (
	"math"

	"github.com/golang/geo/s2"
	"github.com/tidwall/geodesic"
)

// WGS 84 defining and derived constants (NIMA TR8350.2, 3rd ed., table 3.1 and 3.3).
const (
	SemiMajorM   = 6378137.0
	Flattening   = 1 / 298.257223563
	SemiMinorM   = SemiMajorM * (1 - Flattening)
	ecc2         = Flattening * (2 - Flattening)
	secondEcc2   = ecc2 / (1 - ecc2)
	MeanRadiusM  = 6371008.8 // mean radius R1 of the ellipsoid; the sphere that S2 areas are turned into metres with
	RadPerDegree = math.Pi / 180
)

// LatLon is a geodetic position on the WGS 84 ellipsoid, degrees.
type LatLon struct{ Lat, Lon float64 }

// Valid reports whether p is finite and lies on the Earth: latitude within ±90°, longitude within ±180°.
func (p LatLon) Valid() bool {
	return math.Abs(p.Lat) <= 90 && math.Abs(p.Lon) <= 180 // false for NaN
}

// LatLonHeight is a geodetic position with its height above the WGS 84 ellipsoid (HAE), metres.
type LatLonHeight struct{ Lat, Lon, HeightHAE float64 }

// LatLon drops the height.
func (p LatLonHeight) LatLon() LatLon { return LatLon{p.Lat, p.Lon} }

// ECEF is an Earth-centred, Earth-fixed position or vector, metres.
type ECEF [3]float64

// Sub is a-b.
func (a ECEF) Sub(b ECEF) ECEF { return ECEF{a[0] - b[0], a[1] - b[1], a[2] - b[2]} }

// Add is a+b.
func (a ECEF) Add(b ECEF) ECEF { return ECEF{a[0] + b[0], a[1] + b[1], a[2] + b[2]} }

// Scale is k·a.
func (a ECEF) Scale(k float64) ECEF { return ECEF{k * a[0], k * a[1], k * a[2]} }

// Dot is the scalar product.
func (a ECEF) Dot(b ECEF) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }

// Norm is the Euclidean length.
func (a ECEF) Norm() float64 { return math.Sqrt(a.Dot(a)) }

// ToECEF converts a geodetic position to Earth-fixed coordinates.
func ToECEF(p LatLonHeight) ECEF {
	sl, cl := math.Sincos(p.Lat * RadPerDegree)
	so, co := math.Sincos(p.Lon * RadPerDegree)
	n := SemiMajorM / math.Sqrt(1-ecc2*sl*sl)
	return ECEF{(n + p.HeightHAE) * cl * co, (n + p.HeightHAE) * cl * so, (n*(1-ecc2) + p.HeightHAE) * sl}
}

// FromECEF converts Earth-fixed coordinates to a geodetic position by Bowring's formula with two refinements
// (B. R. Bowring, Survey Review 23 (181), 1976); below 1e-9 degrees of error for heights from -10 km to 1,000 km.
func FromECEF(c ECEF) LatLonHeight {
	p := math.Hypot(c[0], c[1])
	lon := math.Atan2(c[1], c[0])
	if p < 1e-9 { // on the axis: the longitude is free, the height is measured from the pole
		return LatLonHeight{Lat: math.Copysign(90, c[2]), Lon: 0, HeightHAE: math.Abs(c[2]) - SemiMinorM}
	}
	beta := math.Atan2(c[2]*SemiMajorM, p*SemiMinorM)
	var lat float64
	for range 3 {
		sb, cb := math.Sincos(beta)
		lat = math.Atan2(c[2]+secondEcc2*SemiMinorM*sb*sb*sb, p-ecc2*SemiMajorM*cb*cb*cb)
		beta = math.Atan2((1-Flattening)*math.Sin(lat), math.Cos(lat))
	}
	sl, cl := math.Sincos(lat)
	n := SemiMajorM / math.Sqrt(1-ecc2*sl*sl)
	h := p*cl + c[2]*sl - SemiMajorM*SemiMajorM/n // well conditioned at every latitude
	return LatLonHeight{Lat: lat / RadPerDegree, Lon: lon / RadPerDegree, HeightHAE: h}
}

// Distance is the length of the geodesic from a to b on the ellipsoid, metres.
func Distance(a, b LatLon) float64 {
	var d float64
	geodesic.WGS84.Inverse(a.Lat, a.Lon, b.Lat, b.Lon, &d, nil, nil)
	return d
}

// Azimuth is the azimuth at a of the geodesic from a to b, degrees in [0, 360).
func Azimuth(a, b LatLon) float64 {
	var az float64
	geodesic.WGS84.Inverse(a.Lat, a.Lon, b.Lat, b.Lon, nil, &az, nil)
	return Wrap360(az)
}

// Destination is the point reached from a after m metres along the geodesic that starts at azimuth az (degrees).
func Destination(a LatLon, az, m float64) LatLon {
	var lat, lon float64
	geodesic.WGS84.Direct(a.Lat, a.Lon, az, m, &lat, &lon, nil)
	return LatLon{lat, lon}
}

// Wrap360 brings an angle in degrees into [0, 360).
func Wrap360(d float64) float64 {
	d = math.Mod(d, 360)
	if d < 0 {
		d += 360
	}
	if d >= 360 { // a negative smaller than half an ulp of 360
		d = 0
	}
	return d
}

// Wrap180 brings an angle in degrees into [-180, 180).
func Wrap180(d float64) float64 { return Wrap360(d+180) - 180 }

// Frame is a local east-north-up tangent frame at a point. At 20 km from its origin the ground lies 31 m below the
// tangent plane; use it for surveys, not for countries.
type Frame struct {
	Origin  LatLonHeight
	at      ECEF
	e, n, u ECEF
}

// NewFrame makes the frame at origin.
func NewFrame(origin LatLonHeight) Frame {
	sl, cl := math.Sincos(origin.Lat * RadPerDegree)
	so, co := math.Sincos(origin.Lon * RadPerDegree)
	return Frame{
		Origin: origin, at: ToECEF(origin),
		e: ECEF{-so, co, 0}, n: ECEF{-sl * co, -sl * so, cl}, u: ECEF{cl * co, cl * so, sl},
	}
}

// ToENU gives east, north, up of p in metres.
func (f Frame) ToENU(p LatLonHeight) [3]float64 {
	d := ToECEF(p).Sub(f.at)
	return [3]float64{d.Dot(f.e), d.Dot(f.n), d.Dot(f.u)}
}

// FromENU is the inverse of ToENU.
func (f Frame) FromENU(v [3]float64) LatLonHeight { return FromECEF(f.at.Add(f.Vector(v))) }

// GroundENU gives east and north of a ground position, taken at the height of the frame's origin.
func (f Frame) GroundENU(p LatLon) [2]float64 {
	v := f.ToENU(LatLonHeight{p.Lat, p.Lon, f.Origin.HeightHAE})
	return [2]float64{v[0], v[1]}
}

// GroundFromENU puts east and north, in metres, back on the ground at the height of the frame's origin: the point whose
// GroundENU they are. Two fixed-point steps leave less than a millimetre at 50 km.
func (f Frame) GroundFromENU(east, north float64) LatLon {
	up := 0.0
	var p LatLonHeight
	for range 3 {
		p = f.FromENU([3]float64{east, north, up})
		up -= p.HeightHAE - f.Origin.HeightHAE
	}
	return p.LatLon()
}

// Vector turns an east-north-up vector into Earth-fixed axes.
func (f Frame) Vector(v [3]float64) ECEF {
	return f.e.Scale(v[0]).Add(f.n.Scale(v[1])).Add(f.u.Scale(v[2]))
}

// Axes turns an Earth-fixed vector into east-north-up components.
func (f Frame) Axes(c ECEF) [3]float64 { return [3]float64{c.Dot(f.e), c.Dot(f.n), c.Dot(f.u)} }

// Ellipse is an error ellipse: semi-axes in metres, azimuth of the major axis in degrees from true north, in [0, 180).
type Ellipse struct {
	MajorM     float64 `json:"major_m"`
	MinorM     float64 `json:"minor_m"`
	AzimuthDeg float64 `json:"azimuth_deg"`
}

// EllipseOf is the region that holds share p of a bivariate normal with covariance c (rows and columns east, north, m²):
// the contour of squared Mahalanobis distance -2 ln(1-p), the p quantile of chi-square with two degrees of freedom.
func EllipseOf(c [2][2]float64, p float64) Ellipse {
	k := -2 * math.Log1p(-p)
	mean, half := (c[0][0]+c[1][1])/2, (c[0][0]-c[1][1])/2
	r := math.Hypot(half, c[0][1])
	az := 90 - math.Atan2(c[0][1], half)/2/RadPerDegree // from the angle counter-clockwise from east
	az = math.Mod(Wrap360(az), 180)
	return Ellipse{MajorM: math.Sqrt(k * (mean + r)), MinorM: math.Sqrt(k * math.Max(0, mean-r)), AzimuthDeg: az}
}

// Ring is the ellipse around centre as n points on the ground, counter-clockwise, the first not repeated.
func (e Ellipse) Ring(centre LatLon, n int) []LatLon {
	ring := make([]LatLon, n)
	sa, ca := math.Sincos(e.AzimuthDeg * RadPerDegree)
	for i := range ring {
		st, ct := math.Sincos(-2 * math.Pi * float64(i) / float64(n))
		north := e.MajorM*ct*ca - e.MinorM*st*sa
		east := e.MajorM*ct*sa + e.MinorM*st*ca
		ring[i] = Destination(centre, math.Atan2(east, north)/RadPerDegree, math.Hypot(east, north))
	}
	return ring
}

// CellOf is the S2 cell of the given level that holds p.
func CellOf(p LatLon, level int) s2.CellID {
	return s2.CellIDFromLatLng(s2.LatLngFromDegrees(p.Lat, p.Lon)).Parent(level)
}

// CellCenter is the middle of a cell.
func CellCenter(c s2.CellID) LatLon {
	l := c.LatLng()
	return LatLon{l.Lat.Degrees(), l.Lng.Degrees()}
}

// CellAreaM2 is the area of a cell in square metres on the mean sphere.
func CellAreaM2(c s2.CellID) float64 {
	return s2.CellFromCellID(c).ExactArea() * MeanRadiusM * MeanRadiusM
}

// CellsOf lists, in order, the cells of the given level that a ring (at least three points, either orientation, not
// closed) touches; at most max cells, else nil: a footprint that large is described at a coarser level.
func CellsOf(ring []LatLon, level, max int) []s2.CellID {
	pts := make([]s2.Point, 0, len(ring))
	for _, p := range ring {
		q := s2.PointFromLatLng(s2.LatLngFromDegrees(p.Lat, p.Lon))
		if len(pts) == 0 || pts[len(pts)-1] != q {
			pts = append(pts, q)
		}
	}
	if len(pts) > 1 && pts[0] == pts[len(pts)-1] {
		pts = pts[:len(pts)-1]
	}
	if len(pts) < 3 {
		return nil
	}
	loop := s2.LoopFromPoints(pts)
	loop.Normalize()
	// Bound the work before covering: a cell of this level has at least half of the mean area.
	if loop.Area()/s2.AvgAreaMetric.Value(level) > float64(max) {
		return nil
	}
	cover := (&s2.RegionCoverer{MinLevel: level, MaxLevel: level, MaxCells: max}).Covering(loop)
	if len(cover) > max {
		return nil
	}
	return cover
}
