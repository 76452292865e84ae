package source

import (
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya/locate/dispersion"
)

// A steady plume is a mean; what a leg crosses, or seven beams see in one minute, is one realisation of it. Each has its own
// strength, heading and width, which all its samples share and which no number of samples averages away: three numbers a realisation
// are what survives. Their deviations are normal. How large they are depends on how long a realisation is averaged. The heading is
// off by the scatter that the mean of so long a stretch of wind still has: it was measured at a mast, and the plume is elsewhere. After
// ten minutes 25 % of strength and 15 % of width are left, the order of what is left when a whole experiment is fitted (Hanna, Briggs
// and Hosker 1982, DOE/TIC-11223, ch. 4 and 6, give factors of this size between observed and predicted means of single runs); twice
// that in one second. Between them, by the logarithm of the time. The fluctuation of single samples goes the same way, from 0.5 to 0.3
// of the mean.
//
// Instruments that stand still see one realisation at a time, all the same one; what the air's mean way to each of them differs from
// a straight one, by ground and obstacles, stays for as long as it stands: a realisation of the whole record a sensor, on top.
type realisation struct {
	samples []int
	sd      realisationSD
	whole   bool // lasts for a sensor's whole record
	linear  bool // instruments that stand still take the effects as linear: they average over the plume's wandering
}

type realisationSD struct{ gain, turn, widen, fluctuation float64 }

var (
	overSecond     = realisationSD{gain: 0.5, widen: 0.3, fluctuation: 0.5}
	overTenMinutes = realisationSD{gain: 0.25, widen: 0.15, fluctuation: 0.3}
)

// eddyS is the time over which the wind's direction remembers itself near the ground, seconds, and the least for which a realisation is
// looked at: a leg through a plume takes some seconds.
const eddyS = 10

// sdOver is for a realisation that is averaged over t seconds in a wind whose direction scatters by sigmaTheta radians.
func sdOver(t, sigmaTheta float64) realisationSD {
	f := min(max(math.Log(t)/math.Log(600), 0), 1)
	mix := func(a, b float64) float64 { return a + f*(b-a) }
	a, b := overSecond, overTenMinutes
	return realisationSD{mix(a.gain, b.gain), sigmaTheta * ofMean(max(t, eddyS)/eddyS), mix(a.widen, b.widen), mix(a.fluctuation, b.fluctuation)}
}

// sdOver is for a realisation of this survey; one of a plain plume is like all others.
func (sc *scene) sdOver(t float64) realisationSD {
	if sc.survey.Surface.Plain {
		return realisationSD{almostNone, almostNone, almostNone, overTenMinutes.fluctuation}
	}
	return sdOver(t, sc.sigmaTheta())
}

// ofMean is the standard deviation of the mean over r correlation times of a process of unit variance and exponential correlation:
// √(2/r·(1 - (1 - e^-r)/r)) (Taylor 1921, doi:10.1112/plms/s2-20.1.196).
func ofMean(r float64) float64 { return math.Sqrt(2 / r * (1 + math.Expm1(-r)/r)) }

// sigmaTheta is the scatter of the wind's direction, radians: as measured, or as usual for the stability.
func (sc *scene) sigmaTheta() float64 {
	if s := sc.measuredTheta(); s > 0 {
		return s
	}
	return dispersion.SigmaThetaOfClass(sc.survey.Surface)
}

// measuredTheta is the mean of the measured scatters, 0 where there is none.
func (sc *scene) measuredTheta() float64 {
	var sum, n float64
	for i := range sc.s {
		if s := sc.s[i].Wind.SigmaTheta; s > 0 {
			sum, n = sum+s, n+1
		}
	}
	return sum / max(n, 1)
}

// averaged is how long the samples are averaged, seconds: the shortest that any states, or one second.
func (sc *scene) averaged() float64 {
	t := math.Inf(1)
	for i := range sc.s {
		one := sc.s[i].Wind.AveragingS
		if !(one > 0) {
			one = 1
		}
		t = min(t, one)
	}
	return t
}

// An effect is what a realisation was found to be: its strength, heading and width in units of their priors' deviations, and by how much
// one moved last.
type effect struct {
	of    [3]float64
	moved float64
	last  [3]float64 // step, of a sensor that moves; none after one that was hastened
}

// lever is what a unit of each effect brings to sample i.
func (g *realisation) lever(w *work, i int) [3]float64 {
	u := g.unit(w, i)
	if w.shift[i] < 0 {
		if bent := w.brought(i) / w.at[i].C; bent < 1 {
			u[0], u[1], u[2] = bent*u[0], bent*u[1], bent*u[2]
		}
	}
	return u
}

// unit is lever about the mean plume.
func (g *realisation) unit(w *work, i int) [3]float64 {
	return [3]float64{g.sd.gain * w.at[i].C, g.sd.turn * w.at[i].Turn, g.sd.widen * w.at[i].Widen}
}

// brought is what the sources bring to sample i with all effects. Linear effects that lessen it do so as its logarithm, for no air takes gas
// out: c·(1+s/c) from s ≥ 0, c·exp(s/c) below, one in value and slope where they meet.
func (w *work) brought(i int) float64 {
	s, c := w.shift[i], w.at[i].C
	switch {
	case s >= 0:
		return c + s
	case c <= 0:
		return 0
	}
	return c * math.Exp(s/c)
}

// seen reports whether sample i says anything of a realisation.
func (sc *scene) seen(w *work, i int) bool {
	return w.at[i].Reach != 0 && sc.obs[i].Amount == sc.obs[i].Amount
}

// gather adds a lever with a weight to the upper triangle by rows.
func gather(a *[6]float64, q float64, u [3]float64) {
	a[0] += q * u[0] * u[0]
	a[1] += q * u[0] * u[1]
	a[2] += q * u[0] * u[2]
	a[3] += q * u[1] * u[1]
	a[4] += q * u[1] * u[2]
	a[5] += q * u[2] * u[2]
}

// lnEffect is the part of realisation k, whose effects are not linear, in the log-likelihood: -½|e|² - ½ ln det(I + JᵀWJ) (Laplace), with the expected weights.
func (sc *scene) lnEffect(w *work, m errorModel, k int) float64 {
	g, e := &sc.realisations[k], &w.effect[k].of
	a, any := [6]float64{0: 1, 3: 1, 5: 1}, false
	for _, i := range w.met[k] {
		if !sc.seen(w, i) {
			continue
		}
		any = true
		gather(&a, sc.expected(w, m, i), g.unit(w, i))
	}
	if !any {
		return 0
	}
	return -0.5*(e[0]*e[0]+e[1]*e[1]+e[2]*e[2]) - 0.5*math.Log(det3(a))
}

// bring puts effects of realisation n into the columns, with the strength as a logarithm; what linear ones bring beyond those that are
// in already is added to w.shift.
func (sc *scene) bring(w *work, n int, e, already [3]float64) {
	g := &sc.realisations[n]
	if g.linear {
		for _, i := range g.samples {
			u := g.unit(w, i)
			w.shift[i] += (e[0]-already[0])*u[0] + (e[1]-already[1])*u[1] + (e[2]-already[2])*u[2]
		}
		return
	}
	turn, wide, gain := g.sd.turn*e[1], math.Exp(g.sd.widen*e[2]), math.Exp(g.sd.gain*e[0])
	sin, cos := math.Sincos(w.sh.BiasRad - turn) // headings are clockwise, effects to the left
	sh := *w.sh
	sh.Wide = wide
	for _, i := range w.met[n] {
		w.at[i] = dispersion.Response{}
	}
	for k, rate := range w.rates {
		dispersion.AddCuts(w.at, w.cuts[k], w.met[n], gain*rate, math.Tan(turn), wide)
		if !sc.paths {
			continue
		}
		s := w.t.source(k)
		for _, i := range w.met[n] {
			if sc.s[i].IsPath {
				w.add(i, gain*rate, sc.response(i, w.t.shared()[jLag], s[iX], s[iY], math.Exp(s[iLnH]), sin, cos, &sh, 0))
			}
		}
	}
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

// crossings splits the survey into realisations. Instruments that stand still see one at a time, all the same one. One that moves, or a
// ring of samplers walked from neighbour to neighbour, sees a new one each time it turns back across the wind: where the
// crosswind coordinate reverses by more than a twentieth of its range and three steps.
func (sc *scene) crossings() {
	sc.realisations, sc.standing = nil, true
	var u, v float64
	for i := range sc.s {
		u, v = u+sc.s[i].Wind.U, v+sc.s[i].Wind.V
	}
	speed := math.Hypot(u, v)
	if speed == 0 {
		u, v, speed = 1, 0, 1
	}
	across := func(i int) float64 { return (sc.s[i].At[1]*u - sc.s[i].At[0]*v) / speed }
	var still []int
	for _, stretch := range sc.stretches {
		if len(stretch) == 0 {
			continue
		}
		if sc.standsStill(stretch) {
			still = append(still, stretch...)
			whole := sc.sdOver(sc.s[stretch[len(stretch)-1]].TimeS - sc.s[stretch[0]].TimeS)
			sc.realisations = append(sc.realisations, realisation{samples: stretch, sd: whole, whole: true, linear: true})
			continue
		}
		sc.standing = false
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
		for _, part := range zigzag(stretch, across, max(turn, 1)) {
			sc.realisations = append(sc.realisations, realisation{samples: part, sd: sc.sd})
		}
	}
	slices.SortStableFunc(still, func(a, b int) int { return int(sign(sc.s[a].TimeS - sc.s[b].TimeS)) })
	for a := 0; a < len(still); {
		b := a
		for b < len(still) && sc.s[still[b]].TimeS == sc.s[still[a]].TimeS {
			b++
		}
		sc.realisations = append(sc.realisations, realisation{samples: still[a:b], sd: sc.sd, linear: true})
		a = b
	}
	sc.assign()
}

// assign tells records their realisations.
func (sc *scene) assign() {
	of := make([]int, sc.sensors)
	sc.seat = make([]int, sc.sensors)
	for d := range sc.records {
		g := &sc.records[d]
		g.parts, g.whole = nil, nil
		for j, sensor := range g.sensors {
			of[sensor] = d
			sc.seat[sensor] = j
		}
	}
	sc.bends = make([]bool, len(sc.s))
	for k, r := range sc.realisations {
		if !r.linear {
			for _, i := range r.samples {
				sc.bends[i] = true
			}
		}
		g := &sc.records[of[sc.sensor[r.samples[0]]]]
		if r.whole {
			g.whole = append(g.whole, k)
		} else {
			g.parts = append(g.parts, k)
		}
	}
}

// standsStill reports whether a sensor's samples, two at least, are all of one place.
func (sc *scene) standsStill(samples []int) bool {
	at := sc.s[samples[0]].At
	for _, i := range samples {
		if math.Hypot(sc.s[i].At[0]-at[0], sc.s[i].At[1]-at[1]) >= 1 {
			return false
		}
	}
	return len(samples) > 1
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
