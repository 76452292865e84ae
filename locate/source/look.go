package source

import (
	"math"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/numeric"
)

// rateNodes is the number of rates that a look integrates over, to three sigma of the prior (a third of e-fold apart).
const rateNodes = 49

// look is, for one place, ln of p(survey | the found sources and one here, of this rate) / p(survey | the found sources) on
// the rate nodes. Dispersion and background are those of the best explanation, the background shifting along with the new source; the
// plume takes three headings.
func (p *posterior) look(w *work, x, y, side float64) (lnq, ln []float64) {
	sc := p.sc
	sharedPart := p.best.shared()
	flu2 := math.Exp(2 * sharedPart[jFlu])
	lnq, ln = make([]float64, rateNodes), make([]float64, rateNodes)
	per := make([][]float64, rateNodes)
	for n := range lnq {
		lnq[n] = priorLnQ[0] + priorLnQ[1]*6*(float64(n)/(rateNodes-1)-0.5)
	}
	most, faint := math.Exp(lnq[rateNodes-1]), 1e-3*sc.noise
	for _, turn := range gridBias {
		sh := p.best.shape()
		sh.BiasRad += turn / 2
		w.clear()
		sc.column(w, sharedPart[jLag], x, y, math.Exp(priorLnH[0]), 1, sh, side/3)
		shift := p.shift(w)
		w.told = w.told[:0] // what the largest rate leaves as it was, none changes
		for i := range sc.s {
			if p.base.z[i] == p.base.z[i] && (w.at[i].C != 0 || shift[i]*most >= faint) {
				w.told = append(w.told, i)
			}
		}
		for n := range lnq {
			q := math.Exp(lnq[n])
			above, below, spread := logProduct{rest: 1}, logProduct{rest: 1}, logProduct{rest: 1}
			for _, i := range w.told {
				o, at := &p.rest[i], &w.at[i]
				if at.C == 0 && shift[i]*q < faint {
					continue
				}
				v, d := o.v+flu2*q*q*at.Reach*at.Reach, o.d-q*(at.C-shift[i])
				if sc.obs[i].Below {
					below.times(max(numeric.StudentT4Below(d, v), 1e-300) * o.inverse)
				} else {
					above.times((1 + d*d/(4*v)) * o.inverse)
					spread.times(v / o.v)
				}
			}
			sum := below.ln() - 2.5*above.ln() - 0.5*spread.ln()
			per[n] = append(per[n], sc.apart*p.lambda*sum)
		}
	}
	for n := range ln {
		ln[n] = numeric.LogSumExp(per[n]...) - math.Log(float64(len(gridBias)))
	}
	return lnq, ln
}

// A rest is what the best explanation leaves of a sample: its residual, its variance, and the inverse of its factor in the likelihood.
type rest struct{ d, v, inverse float64 }

// A logProduct is a product of positive factors, of which a logarithm is taken only where it would leave the range of a float.
type logProduct struct{ sum, rest float64 }

func (l *logProduct) times(f float64) {
	if p := l.rest * f; p > 1e-150 && p < 1e150 {
		l.rest = p
		return
	}
	l.sum += math.Log(l.rest) + math.Log(f)
	l.rest = 1
}

func (l *logProduct) ln() float64 { return l.sum + math.Log(l.rest) }

// shift is by how much the background under each sample falls per unit rate of a new source, by weighted least squares.
func (p *posterior) shift(w *work) []float64 {
	sc := p.sc
	m := sc.errorsOf(p.best.shared(), p.lambda)
	m.common = 0
	sc.settle(&w.normals, m, &w.spare, func(i int) (q, r float64) {
		if z := p.base.z[i]; z == z {
			return p.lambda * 5 / ((4 + z*z) * p.rest[i].v), w.at[i].C
		}
		return 0, 0
	})
	for i := range sc.s {
		w.under[i] = sc.background(&w.spare, i)
	}
	return w.under
}

// settle fixes what a look compares with: the residuals of the best explanation.
func (p *posterior) settle() {
	w := p.sc.newWork()
	p.base = p.sc.fit(w, p.best, p.held, p.lambda)
	p.rest = make([]rest, len(w.variance))
	for i, v := range w.variance {
		d := p.base.z[i] * math.Sqrt(v)
		o := rest{d, v, 1 / (1 + d*d/(4*v))}
		if p.sc.obs[i].Below {
			o.inverse = 1 / max(numeric.StudentT4Below(d, v), 1e-300)
		}
		p.rest[i] = o
	}
}

// LogRatio is, for squares of the given side around places in local metres, ln of how much more probable the survey is if a source stands there than if
// none does, rate, height, dispersion and wind bias integrated out. Where something was found it is the
// posterior density against the prior one; elsewhere it is the look beside the sources found, negative where a source would have shown. Zero:
// the survey says nothing. Safe for concurrent use.
func (g *Group) LogRatio(places [][2]float64, sideM float64) []float64 {
	p := g.post
	out := make([]float64, len(places))
	expected := 0.0 // sources a priori
	for k := range lnPriorCount {
		expected += float64(k) * math.Exp(lnPriorCount[k])
	}
	numeric.Each(len(places), func(i int) {
		x, y := places[i][0], places[i][1]
		out[i] = p.lookAt(p.sc.newWork(), x, y, sideM)
		if rho := g.density(x, y, sideM); rho > 0 {
			out[i] = numeric.LogSumExp(out[i], math.Log(rho*p.d.area/expected))
		}
	})
	return out
}

func (p *posterior) lookAt(w *work, x, y, side float64) float64 {
	lnq, ln := p.look(w, x, y, side)
	step := math.Log(lnq[1] - lnq[0])
	for n := range ln {
		ln[n] += lnNormal(lnq[n], priorLnQ) + step
	}
	// The nodes end at three sigma; ln 0.9973 of the prior lies within.
	return numeric.LogSumExp(ln...) + 0.0027
}

// Density is the expected number of sources per square metre at a place in local metres.
func (g *Group) Density(x, y float64) float64 { return g.density(x, y, 0) }

// density smooths over a square of the given side.
func (g *Group) density(x, y, side float64) float64 {
	var rho float64
	found := 1 - g.post.count[0]
	for _, draws := range g.post.positions {
		rho += found * kernelDensity(draws, x, y, side)
	}
	return rho
}

// kernelDensity has the kernel of newField, widened by the square's own variance, side²/12 along each axis.
func kernelDensity(draws []theta, x, y, side float64) float64 {
	var m [2]float64
	n := float64(len(draws))
	for _, t := range draws {
		m[0] += t[0] / n
		m[1] += t[1] / n
	}
	var c [2][2]float64
	for _, t := range draws {
		dx, dy := t[0]-m[0], t[1]-m[1]
		c[0][0] += dx * dx / n
		c[0][1] += dx * dy / n
		c[1][1] += dy * dy / n
	}
	h2 := math.Pow(n, -1.0/3)
	s := side * side / 12
	a, b, d := h2*c[0][0]+s, h2*c[0][1], h2*c[1][1]+s
	det := a*d - b*b
	if det <= 0 {
		return 0
	}
	var sum float64
	for _, t := range draws {
		dx, dy := x-t[0], y-t[1]
		if q := (d*dx*dx - 2*b*dx*dy + a*dy*dy) / det; q < 60 {
			sum += math.Exp(-0.5 * q)
		}
	}
	return sum / (n * 2 * math.Pi * math.Sqrt(det))
}

// LocalFrame is the frame that LogRatio and Density take their places in; false for a survey without a place on the Earth.
func (in Input) LocalFrame() (geodesy.Frame, bool) {
	if in.Frame == nil {
		return geodesy.Frame{}, false
	}
	return *in.Frame, true
}

// upperLimit maps the 95 % limit on a raster of the domain. With a flat prior of the rate, the limit is where 95 % of the likelihood lies below.
func (p *posterior) upperLimit(in Input, compound string) *UpperLimit {
	side := math.Sqrt(p.d.area / 400)
	u := &UpperLimit{Confidence: 0.95, Compound: compound, CellM: round(side, 10), Points: []LimitPoint{}}
	places := p.d.raster(side)
	limits := make([]float64, len(places))
	numeric.Each(len(places), func(i int) {
		limits[i] = p.limitAt(p.sc.newWork(), places[i][0], places[i][1], side)
	})
	for i, q := range places {
		if limits[i] > 0 {
			pt := LimitPoint{RateKgS: limits[i]}
			pt.Lat, pt.Lon, pt.XM, pt.YM = place(in, q[0], q[1])
			u.Points = append(u.Points, pt)
		}
	}
	return u
}

func (p *posterior) limitAt(w *work, x, y, side float64) float64 {
	lnq, ln := p.look(w, x, y, side)
	if ln[len(ln)-1] > -3 { // even the largest rate would not have shown
		return 0
	}
	mass := make([]float64, len(ln))
	for n := range ln {
		mass[n] = ln[n] + lnq[n]
	}
	total := numeric.LogSumExp(mass...)
	var acc float64
	for n, m := range mass {
		v := math.Exp(m - total)
		if acc+v >= 0.95 {
			return math.Exp(lnq[n] + (lnq[1]-lnq[0])*((0.95-acc)/v-0.5))
		}
		acc += v
	}
	return 0
}
