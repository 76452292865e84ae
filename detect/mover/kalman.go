package mover

import "math"

// A motion is position and velocity in the plane with their covariance: x, y, vx, vy. The unit of length is the metre where
// the ground is known, else the pixel of the anchor; that of time is the second.
type motion struct {
	x [4]float64
	p [4][4]float64
}

type matrix [4][4]float64

func (a *matrix) times(b *matrix) (c matrix) {
	for i := range 4 {
		for j := range 4 {
			c[i][j] = a[i][0]*b[0][j] + a[i][1]*b[1][j] + a[i][2]*b[2][j] + a[i][3]*b[3][j]
		}
	}
	return c
}

func (a *matrix) transposed() (t matrix) {
	for i := range 4 {
		for j := range 4 {
			t[i][j] = a[j][i]
		}
	}
	return t
}

// advance predicts by dt seconds with constant velocity and white acceleration of standard deviation accel, held over the
// step (Y. Bar-Shalom, X. R. Li, T. Kirubarajan, Estimation with Applications to Tracking and Navigation, 2001, section
// 6.3.2). It gives the transition.
func (m *motion) advance(dt, accel float64) matrix {
	phi := matrix{{1, 0, dt, 0}, {0, 1, 0, dt}, {0, 0, 1, 0}, {0, 0, 0, 1}}
	m.carry(&phi)
	m.x[0] += dt * m.x[2]
	m.x[1] += dt * m.x[3]
	q := accel * accel
	a, b, c := q*dt*dt*dt*dt/4, q*dt*dt*dt/2, q*dt*dt
	for i := range 2 {
		m.p[i][i] += a
		m.p[i][i+2] += b
		m.p[i+2][i] += b
		m.p[i+2][i+2] += c
	}
	return phi
}

// carry takes the covariance through a linear map.
func (m *motion) carry(phi *matrix) {
	p := matrix(m.p)
	t := phi.transposed()
	p = phi.times(&p)
	m.p = p.times(&t)
}

// through takes the motion to another plane; it gives the transition.
func (m *motion) through(h *Homography) matrix {
	j := h.Jacobian(m.x[0], m.x[1])
	m.x[0], m.x[1] = h.At(m.x[0], m.x[1])
	m.x[2], m.x[3] = j[0]*m.x[2]+j[1]*m.x[3], j[2]*m.x[2]+j[3]*m.x[3]
	phi := matrix{{j[0], j[1], 0, 0}, {j[2], j[3], 0, 0}, {0, 0, j[0], j[1]}, {0, 0, j[2], j[3]}}
	m.carry(&phi)
	return phi
}

// gap is how far a measured place lies from the predicted one: its squared Mahalanobis distance and the logarithm of the
// determinant of the innovation's covariance.
func (m *motion) gap(z [2]float64, r [3]float64) (d2, logDet float64) {
	sxx, sxy, syy := m.p[0][0]+r[0], m.p[0][1]+r[1], m.p[1][1]+r[2]
	det := sxx*syy - sxy*sxy
	dx, dy := z[0]-m.x[0], z[1]-m.x[1]
	return (syy*dx*dx - 2*sxy*dx*dy + sxx*dy*dy) / det, math.Log(det)
}

// update takes in a measured place with covariance r (xx, xy, yy), in Joseph's form, which keeps the covariance symmetric and
// positive.
func (m *motion) update(z [2]float64, r [3]float64) {
	sxx, sxy, syy := m.p[0][0]+r[0], m.p[0][1]+r[1], m.p[1][1]+r[2]
	det := sxx*syy - sxy*sxy
	dx, dy := z[0]-m.x[0], z[1]-m.x[1]
	var k [4][2]float64
	a := matrix{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}
	for i := range 4 {
		k[i][0] = (m.p[i][0]*syy - m.p[i][1]*sxy) / det
		k[i][1] = (m.p[i][1]*sxx - m.p[i][0]*sxy) / det
		m.x[i] += k[i][0]*dx + k[i][1]*dy
		a[i][0] -= k[i][0]
		a[i][1] -= k[i][1]
	}
	m.carry(&a)
	for i := range 4 {
		for j := range 4 {
			m.p[i][j] += k[i][0]*(r[0]*k[j][0]+r[1]*k[j][1]) + k[i][1]*(r[1]*k[j][0]+r[2]*k[j][1])
		}
	}
}

// smoothed takes what came later into account (H. E. Rauch, F. Tung, C. T. Striebel, AIAA J. 3, 1965, doi:10.2514/3.3166):
// m is the filtered motion, phi and predicted how it went on, later the smoothed motion one step on.
func (m *motion) smoothed(phi *matrix, predicted, later *motion) motion {
	inverse, ok := invert(matrix(predicted.p))
	if !ok {
		return *m
	}
	p := matrix(m.p)
	t := phi.transposed()
	c := p.times(&t)
	c = c.times(&inverse)
	out := *m
	var d matrix
	for i := range 4 {
		for j := range 4 {
			out.x[i] += c[i][j] * (later.x[j] - predicted.x[j])
			d[i][j] = later.p[i][j] - predicted.p[i][j]
		}
	}
	ct := c.transposed()
	d = c.times(&d)
	d = d.times(&ct)
	for i := range 4 {
		for j := range 4 {
			out.p[i][j] += d[i][j]
		}
	}
	return out
}

// invert inverts a covariance.
func invert(a matrix) (inv matrix, ok bool) {
	m := make([]float64, 16)
	for i := range 4 {
		copy(m[4*i:], a[i][:])
	}
	if !factor(m, 4) {
		return inv, false
	}
	for j := range 4 {
		var b [4]float64
		b[j] = 1
		solve(m, b[:])
		for i := range 4 {
			inv[i][j] = b[i]
		}
	}
	return inv, true
}
