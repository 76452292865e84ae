package mover

import (
	"math"

	"github.com/atalaya-isr/atalaya/numeric"
)

// A Homography maps points of one picture of a plane to another, row by row: (x, y, 1) to (X, Y, W), the point being X/W, Y/W.
type Homography [9]float64

// Identity leaves every point where it is.
var Identity = Homography{1, 0, 0, 0, 1, 0, 0, 0, 1}

// At is where a point goes.
func (h *Homography) At(x, y float64) (float64, float64) {
	w := 1 / (h[6]*x + h[7]*y + h[8])
	return (h[0]*x + h[1]*y + h[2]) * w, (h[3]*x + h[4]*y + h[5]) * w
}

// Jacobian is the derivative of At at a point, row by row: dX/dx, dX/dy, dY/dx, dY/dy.
func (h *Homography) Jacobian(x, y float64) [4]float64 {
	w := 1 / (h[6]*x + h[7]*y + h[8])
	u, v := (h[0]*x+h[1]*y+h[2])*w, (h[3]*x+h[4]*y+h[5])*w
	return [4]float64{(h[0] - u*h[6]) * w, (h[1] - u*h[7]) * w, (h[3] - v*h[6]) * w, (h[4] - v*h[7]) * w}
}

// Scale is by how much lengths grow at a point, the root of the area's growth.
func (h *Homography) Scale(x, y float64) float64 {
	j := h.Jacobian(x, y)
	return math.Sqrt(math.Abs(j[0]*j[3] - j[1]*j[2]))
}

// Times is h after g.
func (h *Homography) Times(g *Homography) Homography {
	var out Homography
	for r := range 3 {
		for c := range 3 {
			out[3*r+c] = h[3*r]*g[c] + h[3*r+1]*g[3+c] + h[3*r+2]*g[6+c]
		}
	}
	return out.normal()
}

// Inverse undoes h; h must not be singular.
func (h *Homography) Inverse() Homography {
	a := Homography{
		h[4]*h[8] - h[5]*h[7], h[2]*h[7] - h[1]*h[8], h[1]*h[5] - h[2]*h[4],
		h[5]*h[6] - h[3]*h[8], h[0]*h[8] - h[2]*h[6], h[2]*h[3] - h[0]*h[5],
		h[3]*h[7] - h[4]*h[6], h[1]*h[6] - h[0]*h[7], h[0]*h[4] - h[1]*h[3]}
	return a.normal()
}

// normal gives the matrix a last element of 1, which a point in sight always allows.
func (h Homography) normal() Homography {
	if h[8] != 0 && h[8] != 1 {
		k := 1 / h[8]
		for i := range h {
			h[i] *= k
		}
	}
	return h
}

func shift(dx, dy float64) Homography { return Homography{1, 0, dx, 0, 1, dy, 0, 0, 1} }

func zoom(sx, sy float64) Homography { return Homography{sx, 0, 0, 0, sy, 0, 0, 0, 1} }

// A pair is a point in one picture and where it was found in another.
type pair struct{ x, y, u, v float64 }

// fitAffine and fitHomography take the weighted least squares over pairs; weights of 0 leave a pair out. They are false when
// the points do not determine the map. The homography's equations, linear with h33 = 1, weigh each pair by the denominator
// of the guess, so that what is made small is the distance in the picture (R. Hartley, A. Zisserman, Multiple View Geometry,
// 2nd ed. 2004, section 4.2); coordinates are centred and scaled first (their section 4.4.4).
func fitAffine(ps []pair, weight []float64, size float64) (Homography, bool) {
	var a [3][3]float64
	var bu, bv [3]float64
	k := 2 / size
	for i, p := range ps {
		w := weight[i]
		if w == 0 {
			continue
		}
		row := [3]float64{(p.x - size/2) * k, (p.y - size/2) * k, 1}
		for r := range 3 {
			for c := range 3 {
				a[r][c] += w * row[r] * row[c]
			}
			bu[r] += w * row[r] * (p.u - p.x)
			bv[r] += w * row[r] * (p.v - p.y)
		}
	}
	m := make([]float64, 9)
	for r := range 3 {
		copy(m[3*r:], a[r][:])
	}
	if !factor(m, 3) {
		return Identity, false
	}
	solve(m, bu[:])
	solve(m, bv[:])
	h := Homography{1 + bu[0]*k, bu[1] * k, bu[2] - (bu[0]+bu[1])*k*size/2, bv[0] * k, 1 + bv[1]*k, bv[2] - (bv[0]+bv[1])*k*size/2, 0, 0, 1}
	return h, true
}

func fitHomography(ps []pair, weight []float64, guess *Homography, size float64) (Homography, bool) {
	var a [64]float64
	var b [8]float64
	k := 2 / size
	norm := Homography{k, 0, -1, 0, k, -1, 0, 0, 1}
	back := norm.Inverse()
	n := norm.Times(guess)
	start := n.Times(&back)
	for i, p := range ps {
		if weight[i] == 0 {
			continue
		}
		x, y, u, v := p.x*k-1, p.y*k-1, p.u*k-1, p.v*k-1
		den := start[6]*x + start[7]*y + 1
		w := weight[i] / (den * den)
		for _, row := range [2][9]float64{{x, y, 1, 0, 0, 0, -u * x, -u * y, u}, {0, 0, 0, x, y, 1, -v * x, -v * y, v}} {
			for r := range 8 {
				if row[r] == 0 {
					continue
				}
				wr := w * row[r]
				for c := r; c < 8; c++ {
					a[8*r+c] += wr * row[c]
				}
				b[r] += wr * row[8]
			}
		}
	}
	for r := range 8 {
		for c := range r {
			a[8*r+c] = a[8*c+r]
		}
	}
	if !factor(a[:], 8) {
		return Identity, false
	}
	solve(a[:], b[:])
	h := Homography{b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], 1}
	h = h.Times(&norm)
	return back.Times(&h), true
}

// factor makes the Cholesky factor of a symmetric matrix of n rows in its place; false unless it is positive definite by more
// than rounding.
func factor(m []float64, n int) bool {
	for j := range n {
		d := m[j*n+j]
		whole := d
		for k := range j {
			d -= m[j*n+k] * m[j*n+k]
		}
		if !(d > 1e-12*whole) { // a pivot that cancels to rounding: the points do not determine it
			return false
		}
		d = math.Sqrt(d)
		m[j*n+j] = d
		for i := j + 1; i < n; i++ {
			s := m[i*n+j]
			for k := range j {
				s -= m[i*n+k] * m[j*n+k]
			}
			m[i*n+j] = s / d
		}
	}
	return true
}

// solve puts the solution in place of b.
func solve(m, b []float64) {
	n := len(b)
	for i := range n {
		for k := range i {
			b[i] -= m[i*n+k] * b[k]
		}
		b[i] /= m[i*n+i]
	}
	for i := n - 1; i >= 0; i-- {
		for k := i + 1; k < n; k++ {
			b[i] -= m[k*n+i] * b[k]
		}
		b[i] /= m[i*n+i]
	}
}

// A fit is a homography with how well pairs agree with it.
type fit struct {
	Homography
	inlier []bool
	n      int     // inliers
	rms    float64 // of their residuals, px, both axes together
}

// consensus is the distance in px within which a pair speaks for a trial of ransac: wider than errors of a feature, narrower
// than most things that move or stand tall.
const consensus = 1.5

// robustFit finds the map that most pairs follow: trials of three pairs (M. A. Fischler, R. C. Bolles, Comm. ACM 24, 1981,
// doi:10.1145/358669.358692), then least squares with Tukey's weights whose width follows the median residual. Chance is
// seeded: the same pairs give the same answer.
func robustFit(ps []pair, chance *numeric.Stream, size float64, s *fitSpace) (fit, bool) {
	n := len(ps)
	if n < 6 {
		return fit{}, false
	}
	s.grow(n)
	best, most := Identity, 0
	for trial := 0; trial < 80; trial++ {
		var three [3]pair
		for i := range three {
			three[i] = ps[chance.IntN(n)]
		}
		h, ok := fitAffine(three[:], s.one[:3], size)
		if !ok {
			continue
		}
		count := 0
		for _, p := range ps {
			u, v := h[0]*p.x+h[1]*p.y+h[2]-p.u, h[3]*p.x+h[4]*p.y+h[5]-p.v
			if u*u+v*v < consensus*consensus {
				count++
			}
		}
		if count > most {
			best, most = h, count
		}
		if trial >= 12 && most*10 > 8*n { // with four fifths of agreement, twelve trials missed it once in 10,000
			break
		}
	}
	if most < 6 {
		return fit{}, false
	}
	return refine(ps, best, size, s)
}

// refine improves a map by four rounds of reweighted least squares: affine first, a homography once enough pairs agree that
// its eight numbers are well determined.
func refine(ps []pair, h Homography, size float64, s *fitSpace) (fit, bool) {
	width := 2.0 * consensus
	f := fit{inlier: s.inlier[:len(ps)]}
	for round := range 5 {
		s.rank = s.rank[:0]
		for i, p := range ps {
			u, v := h.At(p.x, p.y)
			r := math.Hypot(u-p.u, v-p.v)
			s.res[i], s.weight[i] = r, 0
			if r < width {
				t := 1 - r*r/(width*width)
				s.weight[i] = t * t
				s.rank = append(s.rank, r)
			}
		}
		if len(s.rank) < 6 {
			return fit{}, false
		}
		if round == 4 {
			break
		}
		// The median distance of a plane normal is 1.18 sigma of an axis; 4 sigma hold all but one in 3,000 of good pairs.
		sigma := numeric.Median(s.rank) / 1.1774
		width = min(max(4*sigma, 0.25), 2*consensus)
		var next Homography
		var ok bool
		if len(s.rank) >= 20 && round > 0 {
			next, ok = fitHomography(ps, s.weight, &h, size)
		} else {
			next, ok = fitAffine(ps, s.weight, size)
		}
		if !ok {
			return fit{}, false
		}
		h = next
	}
	f.Homography = h
	sum := 0.0
	for i := range ps {
		f.inlier[i] = s.weight[i] > 0
		if f.inlier[i] {
			f.n++
			sum += s.res[i] * s.res[i]
		}
	}
	f.rms = math.Sqrt(sum / float64(f.n))
	return f, true
}

// fitSpace is what a fit writes into, kept from frame to frame.
type fitSpace struct {
	one, weight, res, rank []float64
	inlier                 []bool
}

func (s *fitSpace) grow(n int) {
	if len(s.one) >= n {
		return
	}
	s.one, s.weight, s.res = make([]float64, n), make([]float64, n), make([]float64, n)
	s.rank, s.inlier = make([]float64, 0, n), make([]bool, n)
	for i := range s.one {
		s.one[i] = 1
	}
}
