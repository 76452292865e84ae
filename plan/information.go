package plan

import (
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya/numeric"
)

// A telling is what a leg would say if a hypothesis held: whether it meets gas, and if so how much, where along the leg, and over what width. Three
// numbers are what of a crossing survives its fluctuation: the logarithm of the mass met, the place of its middle and the logarithm of its width (metres).
type telling struct {
	p    float64    // probability that the leg meets gas that can be told from noise
	mean [3]float64 // given that
	root [6]float64 // Cholesky factor of the covariance, by rows
	ln   float64    // ln of the normal density's factor
}

const (
	// showSigmas is from how many sigma of a matched filter on a plume is seen: false alarms below one in ten thousand a leg.
	showSigmas = 4
	// A leg is looked at every nodeM metres, or as densely as mostNodes allow: a plume 50 m from its source has a deviation of about that in calm mornings.
	nodeM, fewestNodes, mostNodes = 5, 24, 128
	// least keeps variances of a telling away from nothing: a hundredth, and a metre. No leg is flown truer.
	leastLog, leastM = 0.01, 1.0
)

// tell works out what a leg says under a hypothesis.
func (a air) tell(h *hypothesis, l Leg, speed float64) telling {
	n := int(min(max(l.Length()/nodeM, fewestNodes), mostNodes))
	ds := l.Length() / float64(n)
	// Samples between two nodes say what they say together; those that are not independent say it once.
	worth := a.share * ds / (speed * a.every)
	var c [mostNodes]float64
	var t telling
	var point [sigmaPoints][3]float64
	var weight [sigmaPoints]float64
	var noise2, width, turb float64
	for k := range sigmaPoints {
		a.concentrations(h, l, k, c[:n])
		m, snr2 := moments(c[:n], ds)
		snr2 *= worth / (h.noise * h.noise)
		show := pointWeight[k] * normalCDF((0.5*math.Log(max(snr2, 1e-12))-math.Log(showSigmas))/a.sd.gain)
		t.p += show
		point[k], weight[k] = m, show
		noise2 += show / max(snr2, 1)
		width += show * math.Exp(m[2])
		// How many samples lie across the plume, 2.5 of its deviations; their own fluctuation averages over those.
		across := max(2.5*math.Exp(m[2])/ds*worth, 1)
		turb += show * h.flu * h.flu / across
	}
	if t.p < 1e-9 {
		t.p = 0
		return t
	}
	noise2, width, turb = noise2/t.p, width/t.p, turb/t.p
	var cov [6]float64
	for k := range sigmaPoints {
		for i := range 3 {
			t.mean[i] += weight[k] / t.p * point[k][i]
		}
	}
	for k := range sigmaPoints {
		d := [3]float64{point[k][0] - t.mean[0], point[k][1] - t.mean[1], point[k][2] - t.mean[2]}
		v := weight[k] / t.p
		for i, x := range [6]float64{d[0] * d[0], d[1] * d[0], d[1] * d[1], d[2] * d[0], d[2] * d[1], d[2] * d[2]} {
			cov[i] += v * x
		}
	}
	// A bell of power snr² in white noise: its Fisher information gives 1.5/snr² for ln of the area, 2σ²/snr² for the middle and 2/snr² for ln of the
	// width (from ⟨x²⟩ = σ²/2 and ⟨x⁴⟩ = 3σ⁴/4 under the squared bell).
	cov[0] += a.sd.gain*a.sd.gain + 1.5*noise2 + turb + leastLog*leastLog
	cov[2] += width*width*(2*noise2+turb) + leastM*leastM
	cov[5] += 2*noise2 + 0.5*turb + leastLog*leastLog
	t.root = cholesky3(cov)
	t.ln = -math.Log(t.root[0]*t.root[2]*t.root[5]) - 1.5*math.Log(2*math.Pi)
	return t
}

// concentrations fills c with what stands along a leg, in the k-th realisation.
func (a air) concentrations(h *hypothesis, l Leg, k int, c []float64) {
	bent, sin, cos := h.bent[pointWide[k]], h.sin[pointTurn[k]], h.cos[pointTurn[k]]
	clear(c)
	for _, s := range h.sources {
		// The leg in the plume's axes is a line again.
		x0, y0 := a.plume.Downwind(l.From[0]-s.X, l.From[1]-s.Y, 0)
		x1, y1 := a.plume.Downwind(l.To[0]-s.X, l.To[1]-s.Y, 0)
		x0, y0 = x0*cos-y0*sin, y0*cos+x0*sin
		x1, y1 = x1*cos-y1*sin, y1*cos+x1*sin
		n := float64(len(c))
		for i := range c {
			t := (float64(i) + 0.5) / n
			c[i] += s.RateKgS * a.plume.At(x0+t*(x1-x0), y0+t*(y1-y0), l.HeightM, s.Z, bent, 0).C
		}
	}
}

// moments are ln of the mass met, its middle along the leg and ln of its width (no less than that of one node), and the power that stands out from the
// leg's own mean: what is the same all along cannot be told from the background.
func moments(c []float64, ds float64) (m [3]float64, power float64) {
	var s0, s1, s2, sq float64
	for i, v := range c {
		s := (float64(i) + 0.5) * ds
		s0, s1, sq = s0+v, s1+v*s, sq+v*v
	}
	if s0 <= 0 {
		return [3]float64{-60, 0.5 * ds * float64(len(c)), 0}, 0
	}
	mid := s1 / s0
	for i, v := range c {
		d := (float64(i)+0.5)*ds - mid
		s2 += v * d * d
	}
	return [3]float64{math.Log(s0 * ds), mid, 0.5 * math.Log(max(s2/s0, ds*ds/12))}, max(sq-s0*s0/float64(len(c)), 0)
}

func normalCDF(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

func cholesky3(a [6]float64) (l [6]float64) {
	l[0] = math.Sqrt(a[0])
	l[1], l[3] = a[1]/l[0], a[3]/l[0]
	l[2] = math.Sqrt(a[2] - l[1]*l[1])
	l[4] = (a[4] - l[3]*l[1]) / l[2]
	l[5] = math.Sqrt(a[5] - l[3]*l[3] - l[4]*l[4])
	return l
}

// density of three numbers, given that gas was met.
func (t *telling) density(d *[3]float64) float64 {
	l := &t.root
	a := (d[0] - t.mean[0]) / l[0]
	b := (d[1] - t.mean[1] - l[1]*a) / l[2]
	c := (d[2] - t.mean[2] - l[3]*a - l[4]*b) / l[5]
	q := a*a + b*b + c*c
	if q > 80 { // e^-40
		return 0
	}
	return math.Exp(t.ln - 0.5*q)
}

func (t *telling) draw(e [3]float64) [3]float64 {
	l := &t.root
	return [3]float64{t.mean[0] + l[0]*e[0], t.mean[1] + l[1]*e[0] + l[2]*e[1], t.mean[2] + l[3]*e[0] + l[4]*e[1] + l[5]*e[2]}
}

// A score is what a leg is worth.
type score struct {
	leg           Leg
	bits, bitsErr float64 // expected information about the place, and the standard error of its Monte Carlo
	detect        float64
	transit, time float64 // minutes
}

func (s score) perMinute() float64 { return s.bits / (s.transit + s.time) }

// A judge scores legs. Chance is drawn once and shared by all legs, so that their differences owe nothing to it.
type judge struct {
	air    air
	belief *belief
	limits Limits
	chance [][3]float64 // of the telling under each hypothesis
}

func newJudge(a air, b *belief, l Limits, seed uint64) *judge {
	j := &judge{a, b, l, make([][3]float64, len(b.is))}
	s := numeric.NewStream(seed, 1<<59)
	for i := range j.chance {
		j.chance[i] = [3]float64{s.Normal(), s.Normal(), s.Normal()}
	}
	return j
}

func (j *judge) tellings(l Leg) []telling {
	out := make([]telling, len(j.belief.is))
	for i := range out {
		out[i] = j.air.tell(&j.belief.is[i], l, j.limits.SpeedMPS)
	}
	return out
}

// score takes the expected information about the place, I(place; leg) = E ln p(leg | place) - ln p(leg), by nested Monte Carlo: under each hypothesis one
// telling is drawn, and its density is averaged over all hypotheses, and over those of the same place (rate, height, spread and wind are integrated out
// by that). With n hypotheses no more than ln n can come out; the average over the same place holds the hypothesis itself, so that few neighbours make
// it a little too large.
func (j *judge) score(l Leg) score {
	b := j.belief
	t := j.tellings(l)
	n := len(b.is)
	var detect, silent float64
	for i := range t {
		detect += b.is[i].w * t[i].p
		silent += b.is[i].w * (1 - t[i].p)
	}
	var sum, sq float64
	like := make([]float64, n)
	for i := range t {
		near := b.near[i]
		var nw, ns float64 // of the same place: weight, and of it silent
		for k := range near {
			v := near[k] * b.is[k].w
			nw += v
			ns += v * (1 - t[k].p)
		}
		var gain float64
		if q := 1 - t[i].p; q > 0 {
			gain += q * math.Log(ns/nw/silent)
		}
		if t[i].p > 0 {
			d := t[i].draw(j.chance[i])
			var here, all float64
			for k := range t {
				if t[k].p == 0 {
					continue
				}
				like[k] = b.is[k].w * t[k].p * t[k].density(&d)
				all += like[k]
				here += near[k] * like[k]
			}
			gain += t[i].p * math.Log(here/nw/all)
		}
		sum += b.is[i].w * gain
		sq += b.is[i].w * gain * gain
	}
	transit, time := l.Minutes(j.limits.Start, j.limits.SpeedMPS)
	e := math.Sqrt(max(sq-sum*sum, 0) / float64(n))
	return score{l, sum / math.Ln2, e / math.Ln2, detect, transit, time}
}

// outcomes is how many tellings the expected region is averaged over.
const outcomes = 48

// after is the radius of the 90 % region after a leg: its mean over what the leg may tell, and the 5th and 95th percentile.
func (j *judge) after(l Leg) (mean, p05, p95 float64) {
	b := j.belief
	t := j.tellings(l)
	type outcome struct{ radius, w float64 }
	var all []outcome
	by := make([]float64, len(t))
	add := func(w float64) {
		at, pw := b.places(by)
		if r := radius90(at, pw); w > 0 && r == r {
			all = append(all, outcome{r, w})
		}
	}
	var silent float64
	for k := range t {
		by[k] = 1 - t[k].p
		silent += b.is[k].w * by[k]
	}
	if silent > 1e-6 {
		add(silent)
	}
	step := max(len(t)/outcomes, 1)
	for i := 0; i < len(t); i += step {
		if t[i].p == 0 {
			continue
		}
		d := t[i].draw(j.chance[i])
		for k := range t {
			by[k] = 0
			if t[k].p > 0 {
				by[k] = t[k].p * t[k].density(&d)
			}
		}
		add(b.is[i].w * t[i].p * float64(step))
	}
	if len(all) == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	slices.SortStableFunc(all, func(a, b outcome) int {
		switch {
		case a.radius < b.radius:
			return -1
		case a.radius > b.radius:
			return 1
		}
		return 0
	})
	var total, acc float64
	for _, o := range all {
		total += o.w
		mean += o.w * o.radius
	}
	p05, p95 = all[0].radius, all[len(all)-1].radius
	low := true
	for _, o := range all {
		acc += o.w / total
		if low && acc >= 0.05 {
			p05, low = o.radius, false
		}
		if acc >= 0.95 {
			p95 = o.radius
			break
		}
	}
	return mean / total, p05, p95
}
