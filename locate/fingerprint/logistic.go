package fingerprint

import "math"

// An outcome is one row of a logistic regression: a score, what it turned out to be, and its weight.
type outcome struct {
	score, weight float64
	yes           bool
}

// logistic fits P(yes) = 1/(1+exp(-intercept-slope·score)) by Newton's method. A ridge on the slope, of one row's worth for a
// slope of one, keeps it finite where scores part the two kinds altogether; a slope below zero is given as zero, with the
// intercept that then fits.
func logistic(rows []outcome) (intercept, slope float64) {
	var b [2]float64
	at := loss(rows, b)
	for range 50 {
		var g [2]float64
		h := [3]float64{1e-9, 0, 1} // 00, 01, 11
		g[1] = b[1]
		for _, r := range rows {
			p := 1 / (1 + math.Exp(-b[0]-b[1]*r.score))
			e := p * r.weight
			if r.yes {
				e -= r.weight
			}
			g[0] += e
			g[1] += e * r.score
			v := r.weight * p * (1 - p)
			h[0] += v
			h[1] += v * r.score
			h[2] += v * r.score * r.score
		}
		det := h[0]*h[2] - h[1]*h[1]
		if !(det > 0) {
			break
		}
		d := [2]float64{(h[2]*g[0] - h[1]*g[1]) / det, (h[0]*g[1] - h[1]*g[0]) / det}
		step := 1.0
		next, then := b, at
		for ; step > 1e-6; step /= 2 {
			next = [2]float64{b[0] - step*d[0], b[1] - step*d[1]}
			if then = loss(rows, next); then < at {
				break
			}
		}
		if !(then < at-1e-12*math.Abs(at)) { // the loss is convex: no step makes it less, so this is its least
			break
		}
		b, at = next, then
	}
	if b[1] >= 0 {
		return b[0], b[1]
	}
	yes, no := 1e-9, 1e-9
	for _, r := range rows {
		if r.yes {
			yes += r.weight
		} else {
			no += r.weight
		}
	}
	return math.Log(yes / no), 0
}

func loss(rows []outcome, b [2]float64) float64 {
	sum := b[1] * b[1] / 2
	for _, r := range rows {
		e := b[0] + b[1]*r.score
		v := math.Log1p(math.Exp(-math.Abs(e))) + max(e, 0)
		if r.yes {
			v -= e
		}
		sum += r.weight * v
	}
	return sum
}
