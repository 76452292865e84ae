package source

import (
	"math"
	"slices"
)

// A steady plume is a mean; what a leg crosses, or a beam looks through for an hour, is one realisation of it. Each
// realisation has its own strength, heading and width, which all its samples share and which no number of samples averages
// away: three numbers a leg are what survives. Their deviations are normal with these priors: 25 % of strength, 2.5° of
// heading, 15 % of width, the order of what is left between crossings when a whole experiment is fitted (Hanna, Briggs and
// Hosker 1982, DOE/TIC-11223, ch. 4 and 6, give factors of this size between observed and predicted means of single runs).
const (
	gainSD  = 0.25
	turnSD  = 2.5 * math.Pi / 180
	widenSD = 0.15
)

// realise finds the effects of one realisation, given the background, puts what they bring into w.shift, and gives their part of the
// log-likelihood: -½|e|² - ½ ln det(I + UᵀWU) (Laplace), in units of their priors.
func (sc *scene) realise(w *work, group []int, base, lambda float64, weight func(int, float64) float64) float64 {
	var a, m [6]float64 // I + UᵀWU, upper triangle by rows: with the weights at hand, and with the expected ones
	a[0], a[3], a[5] = 1, 1, 1
	m = a
	var b [3]float64
	for _, i := range group {
		if w.reach[i] == 0 || sc.obs[i].Amount != sc.obs[i].Amount {
			continue
		}
		u := [3]float64{gainSD * w.c[i], turnSD * w.turn[i], widenSD * w.widen[i]}
		r := sc.obs[i].Amount - w.c[i] - base
		q := weight(i, r-w.shift[i])
		if q == 0 {
			continue
		}
		e := lambda * (studentDoF + 1) / (studentDoF + 3) / w.variance[i]
		for k, uv := range [6]float64{u[0] * u[0], u[0] * u[1], u[0] * u[2], u[1] * u[1], u[1] * u[2], u[2] * u[2]} {
			a[k] += q * uv
			m[k] += e * uv
		}
		for k := range b {
			b[k] += q * u[k] * r
		}
	}
	x := solve3(a, b)
	for _, i := range group {
		w.shift[i] = x[0]*gainSD*w.c[i] + x[1]*turnSD*w.turn[i] + x[2]*widenSD*w.widen[i]
	}
	return -0.5*(x[0]*x[0]+x[1]*x[1]+x[2]*x[2]) - 0.5*math.Log(det3(m))
}

// det3 is the determinant of a symmetric matrix given by its upper triangle.
func det3(a [6]float64) float64 {
	return a[0]*(a[3]*a[5]-a[4]*a[4]) - a[1]*(a[1]*a[5]-a[4]*a[2]) + a[2]*(a[1]*a[4]-a[3]*a[2])
}

// solve3 solves a symmetric positive definite system with eigenvalues of at least one, by Cramer's rule.
func solve3(a [6]float64, b [3]float64) [3]float64 {
	c00, c01, c02 := a[3]*a[5]-a[4]*a[4], a[2]*a[4]-a[1]*a[5], a[1]*a[4]-a[2]*a[3]
	c11, c12, c22 := a[0]*a[5]-a[2]*a[2], a[1]*a[2]-a[0]*a[4], a[0]*a[3]-a[1]*a[1]
	d := a[0]*c00 + a[1]*c01 + a[2]*c02
	return [3]float64{(c00*b[0] + c01*b[1] + c02*b[2]) / d, (c01*b[0] + c11*b[1] + c12*b[2]) / d, (c02*b[0] + c12*b[1] + c22*b[2]) / d}
}

// crossings splits each sensor's samples into realisations. An instrument that stands still sees one. One that moves, or a
// ring of samplers walked from neighbour to neighbour, sees a new one each time it turns back across the wind: where the
// crosswind coordinate reverses by more than a twentieth of its range and three steps.
func (sc *scene) crossings() {
	sc.realisations = make([][][]int, sc.sensors)
	var u, v float64
	for i := range sc.s {
		u, v = u+sc.s[i].Wind.U, v+sc.s[i].Wind.V
	}
	speed := math.Hypot(u, v)
	if speed == 0 {
		u, v, speed = 1, 0, 1
	}
	across := func(i int) float64 { return (sc.s[i].At[1]*u - sc.s[i].At[0]*v) / speed }
	for _, stretch := range sc.stretches {
		if len(stretch) == 0 {
			continue
		}
		j := sc.sensor[stretch[0]]
		lo, hi := math.Inf(1), math.Inf(-1)
		var steps []float64
		for k, i := range stretch {
			lo, hi = min(lo, across(i)), max(hi, across(i))
			if k > 0 {
				p, q := sc.s[stretch[k-1]].At, sc.s[i].At
				steps = append(steps, math.Hypot(p[0]-q[0], p[1]-q[1]))
			}
		}
		slices.Sort(steps)
		turn := (hi - lo) / 20
		if len(steps) > 0 {
			turn = max(turn, 3*steps[len(steps)/2])
		}
		sc.realisations[j] = append(sc.realisations[j], zigzag(stretch, across, max(turn, 1))...)
	}
}

// zigzag splits a walk where a coordinate turns back by more than turn; the turning point ends the part before it.
func zigzag(walk []int, at func(int) float64, turn float64) (parts [][]int) {
	from, peak, dir := 0, 0, 0.0
	for k := range walk {
		d := at(walk[k]) - at(walk[peak])
		switch {
		case dir == 0 && math.Abs(at(walk[k])-at(walk[from])) > turn:
			dir, peak = sign(at(walk[k])-at(walk[from])), k
		case dir*d >= 0:
			peak = k
		case dir*d < -turn:
			parts = append(parts, walk[from:peak+1])
			from, peak, dir = peak+1, k, -dir
		}
	}
	return append(parts, walk[from:])
}
