package video

import (
	"math"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// A turn is a rotation as a unit quaternion (w, x, y, z): of the picture's axes (forward, right, down) into another frame.
type turn [4]float64

// about is the turn by an angle in degrees about axis 0, 1 or 2, right-handed.
func about(axis int, deg float64) (q turn) {
	q[1+axis], q[0] = math.Sincos(deg * math.Pi / 360)
	return q
}

// then is the turn q after the turn p.
func (q turn) then(p turn) turn {
	return turn{
		q[0]*p[0] - q[1]*p[1] - q[2]*p[2] - q[3]*p[3],
		q[0]*p[1] + q[1]*p[0] + q[2]*p[3] - q[3]*p[2],
		q[0]*p[2] - q[1]*p[3] + q[2]*p[0] + q[3]*p[1],
		q[0]*p[3] + q[1]*p[2] - q[2]*p[1] + q[3]*p[0],
	}
}

// back is the inverse.
func (q turn) back() turn { return turn{q[0], -q[1], -q[2], -q[3]} }

// apply turns a vector.
func (q turn) apply(v [3]float64) [3]float64 {
	w, x, y, z := q[0], q[1], q[2], q[3]
	tx, ty, tz := 2*(y*v[2]-z*v[1]), 2*(z*v[0]-x*v[2]), 2*(x*v[1]-y*v[0])
	return [3]float64{v[0] + w*tx + y*tz - z*ty, v[1] + w*ty + z*tx - x*tz, v[2] + w*tz + x*ty - y*tx}
}

// slerp goes the share s of the shorter way from p to q at even speed (K. Shoemake, SIGGRAPH 1985, doi:10.1145/325334.325242).
func slerp(p, q turn, s float64) turn {
	dot := p[0]*q[0] + p[1]*q[1] + p[2]*q[2] + p[3]*q[3]
	if dot < 0 { // the same turn, by the shorter way
		dot = -dot
		for i := range q {
			q[i] = -q[i]
		}
	}
	a, b := 1-s, s
	if dot < 1-1e-9 { // nearer than 2.6 millidegrees the straight way differs by less than rounding
		angle := math.Acos(dot)
		a, b = math.Sin(a*angle)/math.Sin(angle), math.Sin(b*angle)/math.Sin(angle)
	}
	n := 0.0
	for i := range p {
		p[i] = a*p[i] + b*q[i]
		n += p[i] * p[i]
	}
	n = 1 / math.Sqrt(n)
	for i := range p {
		p[i] *= n
	}
	return p
}

// earthward turns north, east, down at a place into Earth-fixed axes.
func earthward(p geodesy.LatLon) turn { return about(2, p.Lon).then(about(1, -90-p.Lat)) }

// platform is the platform's part of a pointing, gimbal the gimbal's: Rz(heading) Ry(pitch) Rx(roll), Rz(azimuth) Ry(elevation)
// Rx(rotation).
func (p Pointing) platform() turn {
	return about(2, p.Heading).then(about(1, p.Pitch)).then(about(0, p.Roll))
}

func (p Pointing) gimbal() turn {
	return about(2, p.Azimuth).then(about(1, p.Elevation)).then(about(0, p.Rotation))
}

// turn is the whole: from the picture's axes to north, east, down.
func (p Pointing) turn() turn { return p.platform().then(p.gimbal()) }

// angles are yaw, pitch and roll of a turn into north, east, down, degrees. Straight up or down, where yaw and roll are one, all
// of it is yaw.
func (q turn) angles() (yaw, pitch, roll float64) {
	f, r := q.apply([3]float64{1, 0, 0}), q.apply([3]float64{0, 1, 0})
	d := q.apply([3]float64{0, 0, 1})
	pitch = math.Asin(math.Max(-1, math.Min(1, -f[2])))
	if math.Hypot(f[0], f[1]) < 1e-9 {
		return math.Atan2(-r[0], r[1]) * 180 / math.Pi, pitch * 180 / math.Pi, 0
	}
	return math.Atan2(f[1], f[0]) * 180 / math.Pi, pitch * 180 / math.Pi, math.Atan2(r[2], d[2]) * 180 / math.Pi
}

// between goes the share s from one angle to another, degrees, by the shorter way around.
func between(a, b, s float64) float64 { return a + s*geodesy.Wrap180(b-a) }
