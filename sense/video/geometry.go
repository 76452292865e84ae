package video

import (
	"math"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/klv"
)

// A Datum says what a height is measured from.
type Datum string

// The datums of heights.
const (
	HAE Datum = "hae" // the WGS 84 ellipsoid
	MSL Datum = "msl" // mean sea level
)

// A Position is a point with a height in a named datum. Geometry takes MSL heights as if they were HAE: where sensor and
// ground share the datum, the step between the two is common to both and moves the ground point by centimetres only.
type Position struct {
	Lat, Lon, HeightM float64
	Datum             Datum
	HasHeight         bool
}

func (p Position) geodetic() geodesy.LatLonHeight {
	return geodesy.LatLonHeight{Lat: p.Lat, Lon: p.Lon, HeightHAE: p.HeightM}
}

// LatLon drops the height.
func (p Position) LatLon() geodesy.LatLon { return geodesy.LatLon{Lat: p.Lat, Lon: p.Lon} }

// A Pointing is how the picture's axis lies: platform attitude and gimbal angles in degrees (ST 0601 items 5, 90 or 6, 91 or
// 7, 18, 19, 20), applied in that order about down, right, forward.
type Pointing struct {
	Heading, Pitch, Roll         float64
	Azimuth, Elevation, Rotation float64
}

// direction is the view direction in north, east, down of the picture point (x, y), given as tangents right and down of the
// axis: Rz(heading) Ry(pitch) Rx(roll) Rz(azimuth) Ry(elevation) Rx(rotation) (1, x, y).
func (p Pointing) direction(x, y float64) [3]float64 {
	v := [3]float64{1, x, y}
	for _, step := range [...]struct{ roll, pitch, yaw float64 }{{p.Rotation, p.Elevation, p.Azimuth}, {p.Roll, p.Pitch, p.Heading}} {
		s, c := math.Sincos(step.roll * math.Pi / 180)
		v[1], v[2] = c*v[1]-s*v[2], s*v[1]+c*v[2]
		s, c = math.Sincos(step.pitch * math.Pi / 180)
		v[0], v[2] = c*v[0]+s*v[2], -s*v[0]+c*v[2]
		s, c = math.Sincos(step.yaw * math.Pi / 180)
		v[0], v[1] = c*v[0]-s*v[1], s*v[0]+c*v[1]
	}
	n := math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2])
	return [3]float64{v[0] / n, v[1] / n, v[2] / n}
}

// A Sight is a sensor that looks: all that a ray to the ground needs.
type Sight struct {
	Sensor  geodesy.LatLonHeight
	Point   Pointing
	HeightM float64 // of the ground, in the sensor's datum
}

// Ground is where the ray through the picture point (x, y: tangents right and down of the axis) first meets the surface of
// the sight's height; false above the horizon.
func (s Sight) Ground(x, y float64) (geodesy.LatLonHeight, bool) {
	at := geodesy.ToECEF(s.Sensor)
	ned := s.Point.direction(x, y)
	dir := geodesy.NewFrame(s.Sensor).Vector([3]float64{ned[1], ned[0], -ned[2]})
	return meet(at, dir, s.HeightM)
}

// meet follows a ray to the surface at geodetic height h: first to the ellipsoid with both axes raised by h, which lies
// within a few centimetres of it, then by Newton steps on the geodetic height.
func meet(from, dir geodesy.ECEF, h float64) (geodesy.LatLonHeight, bool) {
	const a, f = 6378137.0, 1 / 298.257223563 // NIMA TR8350.2, table 3.1
	ax, bx := a+h, a*(1-f)+h
	scale := func(v geodesy.ECEF) geodesy.ECEF { return geodesy.ECEF{v[0] / ax, v[1] / ax, v[2] / bx} }
	p, d := scale(from), scale(dir)
	dd, pd, pp := d.Dot(d), p.Dot(d), p.Dot(p)-1
	disc := pd*pd - dd*pp
	if !(disc > 0) || !(pp > 0) || !(pd < 0) {
		return geodesy.LatLonHeight{}, false
	}
	t := pp / (-pd + math.Sqrt(disc)) // the nearer root, without cancellation
	for range 3 {
		g := geodesy.FromECEF(from.Add(dir.Scale(t)))
		up := geodesy.NewFrame(g).Axes(dir)[2]
		if up > -1e-6 { // grazing: one step of Newton is no better than the first answer
			break
		}
		t -= (g.HeightHAE - h) / up
		if math.Abs(g.HeightHAE-h) < 1e-3 { // what is left after this step is of second order: far below a micrometre
			break
		}
	}
	return geodesy.FromECEF(from.Add(dir.Scale(t))), true
}

// Sigmas are standard deviations of what the metadata says, where it declares none itself: position in metres, angles in
// degrees, ground height in metres. They come beside the rounding of each item.
type Sigmas struct {
	Horizontal, Vertical float64
	Heading, Level       float64 // heading; pitch and roll
	Gimbal               float64 // each of its angles
	Ground               float64 // height of the ground under the frame center
}

// DefaultSigmas stand for a satellite-aided inertial platform of the tactical class without surveyed boresight, over ground
// whose height is known to an elevation model: assumptions, to be replaced where an aircraft's own figures are known.
var DefaultSigmas = Sigmas{Horizontal: 3, Vertical: 5, Heading: 0.2, Level: 0.1, Gimbal: 0.05, Ground: 5}

// ellipse is the 95 % error ellipse of the ground point at the picture's axis: independent errors through the numerical
// Jacobian of the ray. q holds the standard deviations that rounding gives, which come beside sig.
func (s Sight) ellipse(sig Sigmas, q Sigmas) (geodesy.Ellipse, bool) {
	center, ok := s.Ground(0, 0)
	if !ok {
		return geodesy.Ellipse{}, false
	}
	frame := geodesy.NewFrame(center)
	var cov [2][2]float64
	add := func(sigma, step float64, nudge func(*Sight, float64)) bool {
		plus, minus := s, s
		nudge(&plus, step)
		nudge(&minus, -step)
		a, ok1 := plus.Ground(0, 0)
		b, ok2 := minus.Ground(0, 0)
		if !ok1 || !ok2 {
			return false
		}
		u, v := frame.ToENU(a), frame.ToENU(b)
		e, n := (u[0]-v[0])/(2*step)*sigma, (u[1]-v[1])/(2*step)*sigma
		cov[0][0] += e * e
		cov[0][1] += e * n
		cov[1][1] += n * n
		return true
	}
	metre := 180 / math.Pi / 6.371e6 // degrees of latitude a metre is, on the mean sphere
	cosLat := math.Max(math.Cos(s.Sensor.Lat*math.Pi/180), 1e-6)
	const step = 0.001 // degrees; and 1 m for lengths
	ok = add(math.Hypot(sig.Horizontal, q.Horizontal), 1, func(s *Sight, d float64) { s.Sensor.Lat += d * metre }) &&
		add(math.Hypot(sig.Horizontal, q.Horizontal), 1, func(s *Sight, d float64) { s.Sensor.Lon += d * metre / cosLat }) &&
		add(math.Hypot(sig.Vertical, q.Vertical), 1, func(s *Sight, d float64) { s.Sensor.HeightHAE += d }) &&
		add(math.Hypot(sig.Heading, q.Heading), step, func(s *Sight, d float64) { s.Point.Heading += d }) &&
		add(math.Hypot(sig.Level, q.Level), step, func(s *Sight, d float64) { s.Point.Pitch += d }) &&
		add(math.Hypot(sig.Level, q.Level), step, func(s *Sight, d float64) { s.Point.Roll += d }) &&
		add(math.Hypot(sig.Gimbal, q.Gimbal), step, func(s *Sight, d float64) { s.Point.Azimuth += d }) &&
		add(math.Hypot(sig.Gimbal, q.Gimbal), step, func(s *Sight, d float64) { s.Point.Elevation += d }) &&
		add(math.Hypot(sig.Ground, q.Ground), 1, func(s *Sight, d float64) { s.HeightM += d })
	cov[1][0] = cov[0][1]
	e := geodesy.EllipseOf(cov, 0.95)
	return e, ok && !math.IsNaN(e.MinorM) && !math.IsInf(e.MajorM, 0)
}

// roundingOf is the standard deviation of the rounding of a scaled item: a uniform error over one step.
func roundingOf(tag uint32) float64 {
	r := klv.ST0601.Row(tag)
	if r == nil || r.Size == 0 {
		return 0
	}
	return (r.Hi - r.Lo) / (math.Exp2(float64(8*r.Size)) - 1) / math.Sqrt(12)
}
