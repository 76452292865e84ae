package still

import (
	"math"

	"github.com/atalaya-isr/atalaya/detect/mover"
)

// A tie is a point of a picture and where it lies on a plane, with a weight.
type tie struct{ x, y, u, v, w float64 }

// fitPlane is the homography that carries pictures' points to a plane, by weighted least squares of the distance on the plane: the
// equations, linear with the last element 1, are weighed by the denominator of the round before (R. Hartley, A. Zisserman, Multiple
// View Geometry, 2nd ed. 2004, section 4.2), coordinates centred and scaled first (their section 4.4.4). It is false when the points
// do not determine it.
func fitPlane(ties []tie) (mover.Homography, bool) {
	if len(ties) < 4 {
		return mover.Identity, false
	}
	from, ok1 := spread(ties, func(t *tie) (float64, float64) { return t.x, t.y })
	onto, ok2 := spread(ties, func(t *tie) (float64, float64) { return t.u, t.v })
	if !ok1 || !ok2 {
		return mover.Identity, false
	}
	var h [9]float64
	h[8] = 1
	for range 3 {
		var a [8][9]float64
		for i := range ties {
			t := &ties[i]
			x, y := from.At(t.x, t.y)
			u, v := onto.At(t.u, t.v)
			den := h[6]*x + h[7]*y + 1
			w := t.w / (den * den)
			accumulate(&a, [8]float64{x, y, 1, 0, 0, 0, -u * x, -u * y}, u, w)
			accumulate(&a, [8]float64{0, 0, 0, x, y, 1, -v * x, -v * y}, v, w)
		}
		s, ok := solve8(&a)
		if !ok {
			return mover.Identity, false
		}
		copy(h[:8], s[:])
	}
	m := mover.Homography(h)
	back := onto.Inverse()
	m = m.Times(&from)
	return back.Times(&m), true
}

// accumulate adds one equation to the normal equations.
func accumulate(a *[8][9]float64, row [8]float64, right, w float64) {
	for i := range 8 {
		for j := range 8 {
			a[i][j] += w * row[i] * row[j]
		}
		a[i][8] += w * row[i] * right
	}
}

// spread centres points and brings their mean distance from the middle to the root of two; false when they all lie in one place.
func spread(ties []tie, of func(*tie) (float64, float64)) (mover.Homography, bool) {
	var mx, my, far float64
	for i := range ties {
		x, y := of(&ties[i])
		mx, my = mx+x, my+y
	}
	n := float64(len(ties))
	mx, my = mx/n, my/n
	for i := range ties {
		x, y := of(&ties[i])
		far += math.Hypot(x-mx, y-my) / n
	}
	if !(far > 0) || math.IsInf(far, 0) {
		return mover.Identity, false
	}
	k := math.Sqrt2 / far
	return mover.Homography{k, 0, -k * mx, 0, k, -k * my, 0, 0, 1}, true
}

// solve8 is Gauss' elimination with pivots; false where a pivot is nothing but rounding.
func solve8(a *[8][9]float64) (x [8]float64, ok bool) {
	scale := 0.0
	for i := range 8 {
		scale = math.Max(scale, a[i][i])
	}
	for c := range 8 {
		p := c
		for r := c + 1; r < 8; r++ {
			if math.Abs(a[r][c]) > math.Abs(a[p][c]) {
				p = r
			}
		}
		// Sums of squares of coordinates near 1 keep some 16 figures: what has lost 12 of them is not determined by the points.
		if !(math.Abs(a[p][c]) > 1e-12*scale) {
			return x, false
		}
		a[c], a[p] = a[p], a[c]
		for r := c + 1; r < 8; r++ {
			f := a[r][c] / a[c][c]
			for k := c; k < 9; k++ {
				a[r][k] -= f * a[c][k]
			}
		}
	}
	for r := 7; r >= 0; r-- {
		s := a[r][8]
		for k := r + 1; k < 8; k++ {
			s -= a[r][k] * x[k]
		}
		x[r] = s / a[r][r]
	}
	return x, true
}

// ahead is the denominator of a homography at a point: above 0 in front of the horizon, when it is so at the middle.
func ahead(h *mover.Homography, x, y float64) float64 { return h[6]*x + h[7]*y + h[8] }
