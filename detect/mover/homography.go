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

// A pair is a point in one picture and where it was found in another, with the information of the finding (xx, xy, yy: the
// inverse of its covariance up to a factor common to all): along an edge nothing is known.
type pair struct {
	x, y, u, v float64
	info       [3]float64
}

// apart is the distance of the pair from a map, in units of its information.
func (p *pair) apart(h *Homography) float64 {
	u, v := h.At(p.x, p.y)
	u, v = u-p.u, v-p.v
	return math.Sqrt(max(u*u*p.info[0]+2*u*v*p.info[1]+v*v*p.info[2], 0))
}

var evenly = [3]float64{1, 0, 1}

// fitMap takes the weighted least squares over pairs: the affine map with free set to 6, the homography with 8. Weights of 0
// leave a pair out. It is false when the points do not determine the map. The equations, linear with h33 = 1, weigh each pair
// by the denominator of the guess, so that what is made small is the distance in the picture (R. Hartley, A. Zisserman,
// Multiple View Geometry, 2nd ed. 2004, section 4.2); coordinates are centred and scaled first (their section 4.4.4).
func fitMap(ps []pair, weight []float64, guess *Homography, size float64, free int) (Homography, bool) {
	var a [8][8]float64
	var b [8]float64
	k := 2 / size
	norm := Homography{k, 0, -1, 0, k, -1, 0, 0, 1}
	back := norm.Inverse()
	n := norm.Times(guess)
	start := n.Times(&back)
	for i := range ps {
		p := &ps[i]
		if weight[i] == 0 {
			continue
		}
		x, y, u, v := p.x*k-1, p.y*k-1, p.u*k-1, p.v*k-1
		den := start[6]*x + start[7]*y + 1
		w := weight[i] / (den * den)
		// What is fitted is the change from the identity: then nothing cancels.
		ru := [8]float64{x, y, 1, 0, 0, 0, -u * x, -u * y}
		rv := [8]float64{0, 0, 0, x, y, 1, -v * x, -v * y}
		du, dv := u-x, v-y
		xx, xy, yy := w*p.info[0], w*p.info[1], w*p.info[2]
		for r := range free {
			wu, wv := xx*ru[r]+xy*rv[r], xy*ru[r]+yy*rv[r]
			for c := r; c < free; c++ {
				a[r][c] += wu*ru[c] + wv*rv[c]
			}
			b[r] += wu*du + wv*dv
		}
	}
	m := make([]float64, free*free)
	for r := range free {
		for c := range free {
			m[r*free+c] = a[min(r, c)][max(r, c)]
		}
	}
	if !factor(m, free) {
		return Identity, false
	}
	solve(m, b[:free])
	h := Homography{1 + b[0], b[1], b[2], b[3], 1 + b[4], b[5], b[6], b[7], 1}
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
	rms    float64 // of their residuals weighted by information, px, both axes together
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
			three[i].info = evenly
		}
		h, ok := fitMap(three[:], s.one[:3], &Identity, size, 6)
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

// loose is the distance in px up to which a pair may belong to the ground however exact the rest is: pictures of one scene
// are not alike to less than that, by interpolation and by its own small relief.
const loose = 0.12

// refine improves a map by rounds of reweighted least squares with the information of each pair: affine first, a homography
// once enough pairs agree that its eight numbers are well determined.
func refine(ps []pair, h Homography, size float64, s *fitSpace) (fit, bool) {
	f := fit{inlier: s.inlier[:len(ps)]}
	level(ps, s)
	sigma := 0.0
	for round := range 5 {
		s.rank = s.rank[:0]
		for i := range ps {
			p := &ps[i]
			q := p.apart(&h)
			width := max(4*sigma, loose*math.Sqrt((p.info[0]+p.info[2])/2))
			if round == 0 { // nothing is known of sigma yet: what the trial held together
				u, v := h.At(p.x, p.y)
				q, width = math.Hypot(u-p.u, v-p.v), 2*consensus
			}
			s.res[i], s.weight[i] = q, 0
			if q < width {
				t := 1 - q*q/(width*width)
				s.weight[i] = t * t
				s.rank = append(s.rank, p.apart(&h))
			}
		}
		if len(s.rank) < 6 {
			return fit{}, false
		}
		if round == 4 {
			break
		}
		// The median distance of a plane normal is 1.18 sigma of an axis; 4 sigma hold all but one in 3,000 of good pairs.
		sigma = numeric.Median(s.rank) / 1.1774
		free := 6
		if len(s.rank) >= 20 && round > 0 {
			free = 8
		}
		next, ok := fitMap(ps, s.weight, &h, size, free)
		if !ok {
			return fit{}, false
		}
		h = next
	}
	f.Homography = h
	sum, info := 0.0, 0.0
	for i := range ps {
		f.inlier[i] = s.weight[i] > 0
		if f.inlier[i] {
			f.n++
			sum += s.res[i] * s.res[i]
			info += (ps[i].info[0] + ps[i].info[2]) / 2
		}
	}
	f.rms = math.Sqrt(sum / info)
	return f, true
}

// level cuts the information of single pairs to twice the median: a few strong edges, of a roof perhaps, must not outvote the
// ground.
func level(ps []pair, s *fitSpace) {
	s.rank = s.rank[:0]
	for i := range ps {
		s.rank = append(s.rank, ps[i].info[0]+ps[i].info[2])
	}
	most := 2 * numeric.Median(s.rank)
	for i := range ps {
		if t := ps[i].info[0] + ps[i].info[2]; t > most {
			for k := range ps[i].info {
				ps[i].info[k] *= most / t
			}
		}
	}
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
