package video

import (
	"math"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/geodesy/terrain"
)

// A Datum says what a height is measured from.
type Datum string

// The datums of heights.
const (
	HAE Datum = "hae" // the WGS 84 ellipsoid
	MSL Datum = "msl" // mean sea level
)

// A Position is a point with a height in a named datum. Without a geoid, geometry takes MSL heights as if they were HAE: where
// sensor and ground share the datum, the step between the two is common to both and moves the ground point by centimetres only.
type Position struct {
	Lat, Lon, HeightM float64
	Datum             Datum
	HasHeight         bool
	// GeoidM is the geoid's height above the ellipsoid here, with HasGeoid: then the height is known above either.
	GeoidM   float64
	HasGeoid bool
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

// A Sight is a sensor that looks: all that a ray to the ground needs.
type Sight struct {
	Sensor  geodesy.LatLonHeight
	Point   Pointing
	HeightM float64       // of the ground, in the sensor's datum
	Terrain terrain.Model // in the sensor's datum; where there is one, HeightM counts for nothing
	HFOV    float64       // degrees, 0 when unknown
	VFOV    float64
	// turned is the whole turn into Earth-fixed axes, where it does not come from Point: between two packets.
	turned    turn
	hasTurned bool
}

// A pictured is a point of the picture: right and down of its middle, in halves of its width and height.
type pictured struct{ u, v float64 }

// tangents are a point's distances right and down of the axis for a focal length of 1: the pinhole of the two fields of view.
func (s *Sight) tangents(p pictured) (x, y float64) {
	return p.u * math.Tan(s.HFOV*math.Pi/360), p.v * math.Tan(s.VFOV*math.Pi/360)
}

// ray is the ray through the tangents (x, y).
func (s *Sight) ray(x, y float64) geodesy.Ray {
	t := s.turned
	if !s.hasTurned {
		t = earthward(s.Sensor.LatLon()).then(s.Point.turn())
	}
	n := 1 / math.Sqrt(1+x*x+y*y)
	return geodesy.Ray{From: geodesy.ToECEF(s.Sensor), Dir: geodesy.ECEF(t.apply([3]float64{n, n * x, n * y}))}
}

// Cast follows the ray through the picture point with tangents (x, y) right and down of the axis to the ground, within maxM.
func (s *Sight) Cast(x, y, maxM float64) terrain.Hit {
	r := s.ray(x, y)
	if s.Terrain != nil {
		return terrain.Cast(s.Terrain, r, maxM)
	}
	p, m, ok := r.Meet(s.HeightM)
	h := terrain.Hit{At: p, RangeM: m}
	switch {
	case ok && m > maxM:
		h.Outcome = terrain.Beyond
	case !ok && s.Sensor.HeightHAE < s.HeightM:
		h.Outcome = terrain.Buried
	case !ok:
		h.Outcome = terrain.Sky
	}
	return h
}

// Ground is where the ray through the tangents (x, y) right and down of the axis first meets the ground; false where it does not.
func (s Sight) Ground(x, y float64) (geodesy.LatLonHeight, bool) {
	h := s.Cast(x, y, farM)
	return h.At, h.Outcome == terrain.Met
}

// see is the picture point and the range of a place on the ground; false behind the sensor.
func (s *Sight) see(at geodesy.LatLonHeight) (p pictured, rangeM float64, ok bool) {
	t := s.turned
	if !s.hasTurned {
		t = earthward(s.Sensor.LatLon()).then(s.Point.turn())
	}
	d := geodesy.ToECEF(at).Sub(geodesy.ToECEF(s.Sensor))
	c := t.back().apply(d)
	x, y := s.tangents(pictured{1, 1})
	if c[0] <= 0 || x <= 0 || y <= 0 {
		return p, 0, false
	}
	return pictured{c[1] / c[0] / x, c[2] / c[0] / y}, d.Norm(), true
}

// Sigmas are standard deviations of what the metadata says, where it declares none itself: position in metres, angles in
// degrees, ground height in metres. They come beside the rounding of each item.
type Sigmas struct {
	Horizontal, Vertical float64
	Heading, Level       float64 // heading; pitch and roll
	Gimbal               float64 // each of its angles
	Ground               float64 // height of the ground under the frame center, where no terrain says its own
}

// DefaultSigmas stand for a satellite-aided inertial platform of the tactical class without surveyed boresight, over ground
// whose height is known to an elevation model: assumptions, to be replaced where an aircraft's own figures are known.
var DefaultSigmas = Sigmas{Horizontal: 3, Vertical: 5, Heading: 0.2, Level: 0.1, Gimbal: 0.05, Ground: 5}

// The quantities whose errors move a ground point.
const (
	ofNorth     = iota // of the sensor, metres
	ofEast             //
	ofUp               //
	ofHeading          // degrees
	ofPitch            //
	ofRoll             //
	ofAzimuth          //
	ofElevation        //
	ofRotation         //
	ofHFOV             //
	ofVFOV             //
	ofGround           // metres
	ofRight            // of the picture point, halves of the picture
	ofBelow            //
	quantities
)

// deviations are standard deviations by quantity.
type deviations [quantities]float64

// nudges are how far each quantity is moved to see what it does: small against what it is, large against rounding.
var nudges = deviations{1, 1, 1, .001, .001, .001, .001, .001, .001, .001, .001, 1, 1e-4, 1e-4}

// nudged is the ray through p with one quantity moved.
func (s *Sight) nudged(p pictured, of int, by float64) geodesy.Ray {
	m := *s
	m.hasTurned = false // small turns of the parts add up whatever the whole is
	frame := geodesy.NewFrame(s.Sensor)
	switch of {
	case ofHeading:
		m.Point.Heading += by
	case ofPitch:
		m.Point.Pitch += by
	case ofRoll:
		m.Point.Roll += by
	case ofAzimuth:
		m.Point.Azimuth += by
	case ofElevation:
		m.Point.Elevation += by
	case ofRotation:
		m.Point.Rotation += by
	case ofHFOV:
		m.HFOV += by
	case ofVFOV:
		m.VFOV += by
	case ofRight:
		p.u += by
	case ofBelow:
		p.v += by
	}
	r := m.ray(m.tangents(p))
	switch of {
	case ofNorth:
		r.From = r.From.Add(frame.Vector([3]float64{0, by, 0}))
	case ofEast:
		r.From = r.From.Add(frame.Vector([3]float64{by, 0, 0}))
	case ofUp:
		r.From = r.From.Add(frame.Vector([3]float64{0, 0, by}))
	}
	return r
}

// jacobian is how the ground point of p moves, metres east and north, with each quantity that dev says is in doubt: central
// differences of rays to the plane that lies in the ground at the hit. It is false where the ray runs along that plane.
func (s *Sight) jacobian(p pictured, hit geodesy.LatLonHeight, dev *deviations) (j [quantities][2]float64, ok bool) {
	var slope [2]float64
	if s.Terrain != nil {
		if e, n, ok := terrain.Slope(s.Terrain, hit.LatLon()); ok {
			slope = [2]float64{e, n}
		}
	}
	frame := geodesy.NewFrame(hit)
	at := geodesy.ToECEF(hit)
	onPlane := func(r geodesy.Ray, raised float64) (e, n float64, ok bool) {
		f, d := frame.Axes(r.From.Sub(at)), frame.Axes(r.Dir)
		fall := slope[0]*d[0] + slope[1]*d[1] - d[2]
		t := (f[2] - slope[0]*f[0] - slope[1]*f[1] - raised) / fall
		return f[0] + t*d[0], f[1] + t*d[1], fall > 1e-4
	}
	for k := range quantities {
		if dev[k] == 0 {
			continue
		}
		step := nudges[k]
		up, down := 0.0, 0.0
		if k == ofGround {
			up, down = step, -step
		}
		e1, n1, ok1 := onPlane(s.nudged(p, k, step), up)
		e2, n2, ok2 := onPlane(s.nudged(p, k, -step), down)
		if !ok1 || !ok2 {
			return j, false
		}
		j[k] = [2]float64{(e1 - e2) / (2 * step), (n1 - n2) / (2 * step)}
	}
	return j, true
}

// A correlation is between two quantities.
type correlation struct {
	a, b int
	rho  float64
}

// ellipse is the 95 % error ellipse of the ground point of p at hit.
func (s *Sight) ellipse(p pictured, hit geodesy.LatLonHeight, dev *deviations, with []correlation) (geodesy.Ellipse, bool) {
	j, ok := s.jacobian(p, hit, dev)
	if !ok {
		return geodesy.Ellipse{}, false
	}
	var c [2][2]float64
	for k := range quantities {
		e, n := j[k][0]*dev[k], j[k][1]*dev[k]
		c[0][0], c[0][1], c[1][1] = c[0][0]+e*e, c[0][1]+e*n, c[1][1]+n*n
	}
	for _, w := range with {
		ae, an, be, bn := j[w.a][0]*dev[w.a], j[w.a][1]*dev[w.a], j[w.b][0]*dev[w.b], j[w.b][1]*dev[w.b]
		c[0][0] += 2 * w.rho * ae * be
		c[0][1] += w.rho * (ae*bn + an*be)
		c[1][1] += 2 * w.rho * an * bn
	}
	c[1][0] = c[0][1]
	e := geodesy.EllipseOf(c, 0.95)
	return e, !math.IsNaN(e.MajorM+e.MinorM) && !math.IsInf(e.MajorM, 0)
}
