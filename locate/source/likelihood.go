package source

import (
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/numeric"
)

// A theta is one full explanation of a survey: perSource numbers a source, then the shared ones.
type theta []float64

const (
	perSource = 4 // x, y, ln height, ln rate
	shared    = 11
)

// Offsets within a source's block and within the shared block.
const (
	iX, iY, iLnH, iLnQ                                               = 0, 1, 2, 3
	jAy, jAz, jBy, jBz, jSize, jBias, jLag, jSig, jFlu, jTau, jDrift = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
)

func (t theta) sources() int         { return (len(t) - shared) / perSource }
func (t theta) source(k int) theta   { return t[k*perSource : (k+1)*perSource] }
func (t theta) shared() theta        { return t[len(t)-shared:] }
func dimension(k int) int            { return k*perSource + shared }
func (t theta) height(k int) float64 { return math.Exp(t.source(k)[iLnH]) }

func (t theta) shape() *dispersion.Bent {
	s := t.shared()
	return dispersion.Shape{LnAy: s[jAy], LnAz: s[jAz], By: s[jBy], Bz: s[jBz], LnSize: s[jSize], BiasRad: s[jBias]}.Bend()
}

// Priors that no survey informs. Sources of interest stand on or near the ground: height lognormal about 1.5 m, a factor e either way.
// Rates from a leaking flange to a plant, 0.3 g/s within a factor 20 at one sigma (3 mg/s … 120 g/s at two). Wind direction: 6° of
// mast alignment, declination and the turning of the wind between mast and plume. Exponents of the spreads: 0.1, the range of the published power laws
// (Hanna, Briggs and Hosker 1982). Fluctuation: 0.3 of the mean within a factor 1.5 at one
// sigma: no steady plume has the shape of a real one to a tenth (Weil, Sykes and Venkatram 1992, doi:10.1175/1520-0450(1992)031<1121:EAQMRA>2.0.CO;2). Wind speed: 10 % (enters the rate alone).
// Spread at the source: that of dispersion.SourceHalfWidthM within a factor e, from the end of a pipe to a door. Lag: 3 s of an inlet, an instrument or a clock,
// which may be early too. Backgrounds: 0.3 of the noise in a minute, within a factor 4.5 at one sigma: from an instrument that hardly drifts to one that
// drifts by its noise in some seconds.
var (
	priorLnH      = [2]float64{math.Log(1.5), 1}
	priorLnQ      = [2]float64{math.Log(3e-4), 3}
	priorB        = [2]float64{0, 0.1}
	priorSize     = [2]float64{0, 1}
	priorBias     = [2]float64{0, 6 * math.Pi / 180}
	fluctuationSD = 0.4 // of its logarithm; see realisationSD for its median
	noiseSD       = 2.0
	windSpeed     = 0.10
	priorLag      = [2]float64{0, 3} // seconds
	driftMinute   = 0.3              // of the noise, in a minute
	driftSD       = 1.5
	studentDoF    = 4.0
)

// almostNone is a deviation that makes no difference, and yet has a logarithm and an inverse.
const almostNone = 1e-3

func (sc *scene) sharedPriors() [shared][2]float64 {
	if sc.survey.Surface.Plain {
		none := [2]float64{0, almostNone}
		return [shared][2]float64{none, none, none, none, priorSize, none, none, {math.Log(sc.noise), noiseSD}, {math.Log(sc.sd.fluctuation), 2}, {math.Log(sc.tau), 1.5}, {math.Log(sc.usualDrift()), driftSD}}
	}
	w := [2]float64{0, sc.widthSD}
	return [shared][2]float64{w, w, priorB, priorB, priorSize, priorBias, priorLag, {math.Log(sc.noise), noiseSD}, {math.Log(sc.sd.fluctuation), fluctuationSD}, {math.Log(sc.tau), 1.5}, {math.Log(sc.usualDrift()), driftSD}}
}

// usualDrift is the median of the prior of how backgrounds drift, kg/m3 in the root of a second.
func (sc *scene) usualDrift() float64 { return driftMinute * sc.noise / math.Sqrt(60) }

func lnNormal(x float64, p [2]float64) float64 {
	d := (x - p[0]) / p[1]
	return -0.5*d*d - math.Log(p[1]) - 0.9189385332046727 // ln √2π
}

// lnPrior is the prior density of everything but the places, whose density is that of the domain.
func (sc *scene) lnPrior(t theta) float64 {
	var p float64
	for k := range t.sources() {
		s := t.source(k)
		p += lnNormal(s[iLnH], priorLnH) + lnNormal(s[iLnQ], priorLnQ)
	}
	for j, prior := range sc.sharedPriors() {
		p += lnNormal(t.shared()[j], prior)
	}
	return p
}

// work holds the columns of one evaluation; one a goroutine. shift is what the linear effects that were found add up to, under the backgrounds.
type work struct {
	at                     []dispersion.Response // of the sources together, at their rates
	variance, shift, under []float64
	t                      theta                   // whose columns these are
	sh                     *dispersion.Bent        // of t
	rates                  []float64               // of t, one a source
	cuts                   [][]dispersion.Cut      // of the plumes of t at the samples, one a source; none for paths
	paths                  [][]dispersion.Response // to a unit rate of the sources of t, on paths
	met                    [][]int                 // of the samples of each realisation those that a plume of t may reach
	weights                []weight                // of the samples of sensors that move
	normals                normals
	chains                 []*chain     // of the records of sensors that move
	pulls                  []pull       // of the samples of instruments that stand still
	coupled                [3][]float64 // scratch of a minute
	spare                  held         // to solve into
	told                   []int        // the samples on which a look bears
	held
}

// held is what an explanation was completed with: the effects of realisations and the backgrounds of the sensors.
type held struct {
	effect []effect
	base   []float64
	drift  []float64 // at the nodes
}

func (h held) clone() held {
	return held{slices.Clone(h.effect), slices.Clone(h.base), slices.Clone(h.drift)}
}

func (sc *scene) newWork() *work {
	n := len(sc.s)
	a := make([]float64, 3*n)
	return &work{spare: held{base: make([]float64, sc.sensors), drift: make([]float64, sc.nodes)}, at: make([]dispersion.Response, n), variance: a[:n], shift: a[n : 2*n], under: a[2*n:]}
}

// column adds the concentrations that a source of this rate brings to every sample, and the reach that scales the model's error.
func (sc *scene) column(w *work, lag, x, y, h, rate float64, sh *dispersion.Bent, grow float64) {
	sin, cos := math.Sincos(sh.BiasRad)
	for i := range sc.s {
		w.add(i, rate, sc.response(i, lag, x, y, h, sin, cos, sh, grow))
	}
}

// response of sample i to a unit rate, for a plume turned by an angle of this sine and cosine.
func (sc *scene) response(i int, lag, x, y, h, sin, cos float64, sh *dispersion.Bent, grow float64) (r dispersion.Response) {
	s, p := &sc.s[i], sc.plumes[i]
	at := sc.place(i, lag)
	ax, ay := turned(p, at[0]-x, at[1]-y, sin, cos)
	if s.IsPath {
		bx, by := turned(p, s.To[0]-x, s.To[1]-y, sin, cos)
		return p.PathMean(ax, ay, s.At[2], bx, by, s.To[2], h, sh, grow)
	}
	return p.At(ax, ay, s.At[2], h, sh, grow)
}

// place is where the air of sample i was drawn in, for a sensor that answers so many seconds late.
func (sc *scene) place(i int, lag float64) [2]float64 {
	at, v := &sc.s[i].At, &sc.velocity[i]
	return [2]float64{at[0] - lag*v[0], at[1] - lag*v[1]}
}

// turned is a place in the axes of a plume that is turned by an angle of this sine and cosine.
func turned(p *dispersion.Plume, dx, dy, sin, cos float64) (x, y float64) {
	x, y = p.Downwind(dx, dy, 0)
	return x*cos - y*sin, y*cos + x*sin
}

func (w *work) add(i int, rate float64, r dispersion.Response) { w.at[i].Add(rate, r) }

func (w *work) clear() { clear(w.at) }

// lnLikelihood is the logarithm of the probability of the survey, with the backgrounds of the sensors and the effects of realisations
// integrated out (Laplace). Errors are Student's t with four degrees of freedom (Lange, Little and Taylor 1989,
// doi:10.1080/01621459.1989.10478852) and variance noise² + sd² + (fluctuation·reach)²; upper bounds enter by their tail area.
//
// It is tempered for correlation twice: lambda is the share of the samples of one realisation that counts as independent, sc.apart that of
// the realisations. Crossings are realisations of their own, each with its full prior, and it is the samples of one that repeat
// each other. Of instruments that stand still one minute repeats the last one: there the whole is tempered, effects and all.
func (sc *scene) lnLikelihood(w *work, t theta, lambda float64) float64 {
	sc.columns(w, t)
	m := sc.errorsOf(t.shared(), lambda)
	sc.seek(w, m)
	return sc.apart * sc.lnAt(w, m, nil)
}

// columns puts what all sources of an explanation bring into w. What hangs on numbers in which the explanation is the last one stays as it is.
func (sc *scene) columns(w *work, t theta) {
	far := len(w.t) != len(t) || !slices.Equal(t.shared()[:jLag], w.t.shared()[:jLag]) || // they bend and turn all plumes
		sc.felt && t.shared()[jLag] != w.t.shared()[jLag]
	if far {
		w.sh = t.shape()
	}
	w.rates = w.rates[:0]
	moved := far
	for k := range t.sources() {
		s := t.source(k)
		w.rates = append(w.rates, math.Exp(s[iLnQ]))
		if far || !slices.Equal(s[:iLnQ], w.t.source(k)[:iLnQ]) {
			sc.cast(w, k, s, t.shared()[jLag])
			moved = true
		}
	}
	w.t = append(w.t[:0], t...)
	if moved {
		sc.meet(w)
	}
	w.clear()
	for i := range sc.s {
		if sc.bends[i] { // effects that are not linear are brought in by a column of their own
			continue
		}
		for k, rate := range w.rates {
			if sc.s[i].IsPath {
				w.add(i, rate, w.paths[k][i])
			} else {
				w.add(i, rate, w.cuts[k][i].At(0, 1))
			}
		}
	}
}

// cast follows the plume of source k to all samples.
func (sc *scene) cast(w *work, k int, s theta, lag float64) {
	if len(w.cuts) == k {
		w.cuts, w.paths = append(w.cuts, make([]dispersion.Cut, len(sc.s))), append(w.paths, make([]dispersion.Response, len(sc.s)))
	}
	cuts, paths := w.cuts[k], w.paths[k]
	sin, cos := math.Sincos(w.sh.BiasRad)
	x, y, h := s[iX], s[iY], math.Exp(s[iLnH])
	for i := range sc.s {
		if sc.s[i].IsPath {
			paths[i] = sc.response(i, lag, x, y, h, sin, cos, w.sh, 0)
			continue
		}
		p, at := sc.plumes[i], sc.place(i, lag)
		ax, ay := turned(p, at[0]-x, at[1]-y, sin, cos)
		cuts[i] = p.Cut(ax, ay, sc.s[i].At[2], h, w.sh)
	}
}

// meet lists what the plumes may reach of each realisation, however its effects turn and widen them.
func (sc *scene) meet(w *work) {
	if len(w.met) != len(sc.realisations) {
		w.met = make([][]int, len(sc.realisations))
	}
	for r := range sc.realisations {
		if sc.realisations[r].linear {
			continue
		}
		met := w.met[r][:0]
		for _, i := range sc.realisations[r].samples {
			for k := range w.rates {
				if sc.s[i].IsPath || w.cuts[k][i].Axis != 0 {
					met = append(met, i)
					break
				}
			}
		}
		w.met[r] = met
	}
}

// residuals of a fit, in units of their own scale; NaN where nothing was measured.
type residuals struct {
	under []float64 // the backgrounds
	z     []float64
}

// lnNear is lnLikelihood of an explanation near one that was completed with these effects and backgrounds, which take one round of their search: at their
// best values it changes with the explanation as lnLikelihood does, but without the last digits of a search. It is for gradients. frozen is
// called before they move.
func (sc *scene) lnNear(w *work, have held, t theta, lambda float64, frozen func()) float64 {
	sc.columns(w, t)
	m := sc.errorsOf(t.shared(), lambda)
	w.from(have)
	sc.resume(w)
	for i := range sc.s {
		w.variance[i] = sc.variance(w, m, i)
	}
	frozen()
	for d := range sc.records {
		if sc.records[d].still {
			sc.roundStill(w, m, d)
		} else {
			sc.roundMoving(w, m, d, 0)
		}
	}
	return sc.apart * sc.lnAt(w, m, nil)
}

// from makes effects and backgrounds the ones to begin with; none of them begins afresh.
func (w *work) from(have held) {
	w.effect, w.base, w.drift = append(w.effect[:0], have.effect...), append(w.base[:0], have.base...), append(w.drift[:0], have.drift...)
}

// resume brings the effects in w into fresh columns; where there are none it begins with none.
func (sc *scene) resume(w *work) {
	clear(w.shift)
	if len(w.effect) != len(sc.realisations) || len(w.base) != sc.sensors || len(w.drift) != sc.nodes {
		w.effect = append(w.effect[:0], make([]effect, len(sc.realisations))...)
		w.base = append(w.base[:0], make([]float64, sc.sensors)...)
		w.drift = append(w.drift[:0], make([]float64, sc.nodes)...)
		for j := range w.base {
			w.base[j] = sc.base
		}
		sc.layAll(w)
		return
	}
	sc.layAll(w)
	for k := range sc.realisations {
		w.effect[k].last = [3]float64{}
		sc.bring(w, k, w.effect[k].of, [3]float64{})
	}
}

// errorModel is what the shared part of an explanation says of the errors, where the background that sensors have in common is looked for and how far from
// there, and the temper of the samples.
type errorModel struct{ sig2, flu2, common, commonSD, tau, walk, lambda float64 }

func (sc *scene) errorsOf(s theta, lambda float64) errorModel {
	return errorModel{math.Exp(2 * s[jSig]), math.Exp(2 * s[jFlu]), sc.base, sc.baseSD, math.Exp(s[jTau]), math.Exp(s[jDrift]), lambda}
}

// variance of sample i.
func (sc *scene) variance(w *work, m errorModel, i int) float64 {
	v := m.sig2 + m.flu2*w.at[i].Reach*w.at[i].Reach
	if sd := sc.obs[i].SD; sd > 0 {
		v += sd * sd
	}
	return v
}

// pull is the weight and residual with which sample i draws at what is predicted for it: 0, 0 where nothing was measured. That of a bound is the slope and
// the curvature of ln of its tail area; beyond the bound, where that is not concave, the weight is that of a value.
func (sc *scene) pull(w *work, m errorModel, i int) (q, d float64) {
	o := &sc.obs[i]
	if o.Amount != o.Amount {
		return 0, 0
	}
	d = o.Amount - w.brought(i) - w.under[i]
	v := w.variance[i]
	if !o.Below {
		return m.lambda * (studentDoF + 1) / (studentDoF*v + d*d), d
	}
	sigma := math.Sqrt(v)
	z := d / sigma
	slope := tailSlope(z)
	value := (studentDoF + 1) / (studentDoF + z*z)
	curvature := value
	if z > 0 {
		curvature = slope * (slope + value*z)
	}
	if curvature < 1e-12 { // twelve deviations off and more
		return 0, 0
	}
	return m.lambda * curvature / v, -sigma * slope / curvature
}

// tailSlope is that of ln of Student's t distribution with four degrees of freedom; far out 4/|z|.
func tailSlope(z float64) float64 {
	if z < -1e3 {
		return -4 / z
	}
	u := 1 + z*z/4
	return 0.375 / (u * u * math.Sqrt(u)) / numeric.StudentT4CDF(z)
}

// expected is the expected curvature of sample i, for a residual that is not known; that of a bound is its own.
func (sc *scene) expected(w *work, m errorModel, i int) float64 {
	o := &sc.obs[i]
	switch {
	case o.Amount != o.Amount:
		return 0
	case o.Below:
		q, _ := sc.pull(w, m, i)
		return q
	}
	return m.lambda * (studentDoF + 1) / (studentDoF + 3) / w.variance[i]
}

// seek finds backgrounds and the effects of realisations, from those that w holds: there may be more than one set of effects that fits, and what begins
// with its neighbour's stays on one.
func (sc *scene) seek(w *work, m errorModel) {
	sc.resume(w)
	for i := range sc.s {
		w.variance[i] = sc.variance(w, m, i)
	}
	for d := range sc.records {
		if g := &sc.records[d]; g.still {
			sc.seekStill(w, m, d)
		} else {
			sc.seekMoving(w, m, d)
		}
	}
}

// Effects and backgrounds are sought in so many rounds at most; an effect that moves by less than steady, of its prior's deviation, is left, and a
// background that moves by less than calm, of the noise: hundreds of them are then within a tenth of an e-fold of the best.
const maxRounds, steady, calm = 10, 0.02, 0.005

// lnAt is ln of the probability of the survey with the effects and backgrounds in w integrated out about their values (Laplace).
func (sc *scene) lnAt(w *work, m errorModel, fit *residuals) float64 {
	var ln float64
	for d := range sc.records {
		g := &sc.records[d]
		ln += sc.lnWalk(w, m, g)
		if g.still {
			ln += sc.lnStill(w, m, d)
			continue
		}
		for _, k := range g.parts {
			ln += sc.lnEffect(w, m, k)
		}
		ln -= 0.5 * sc.lnMoving(w, m, d)
	}
	return ln + m.lambda*sc.lnErrors(w, m.sig2, fit)
}

// normal is that of record d, made when it is first asked for.
func (w *work) normal(sc *scene, d int) *normal {
	if w.normals == nil {
		w.normals = make(normals, len(sc.records))
	}
	if w.normals[d] == nil {
		g := &sc.records[d]
		w.normals[d] = newNormal(len(g.gap), len(g.sensors)+3*len(g.whole))
	}
	return w.normals[d]
}

// lnErrors is the sum of ln t4 over the samples: constants, ½ ln v and 5/2 ln(1+d²/4v), logarithms of products taken eight at a
// time; for bounds ln of the tail area.
func (sc *scene) lnErrors(w *work, sig2 float64, fit *residuals) float64 {
	const lnT4 = -0.9808292530117262 // ln Γ(5/2)/(Γ(2)√(4π)) = ln 3/8
	var ln float64
	prod, vprod, count := 1.0, 1.0, 0
	for i := range sc.s {
		o := &sc.obs[i]
		if o.Amount != o.Amount {
			continue
		}
		v := w.variance[i]
		d := o.Amount - w.brought(i) - w.under[i]
		if fit != nil {
			fit.z[i] = d / math.Sqrt(v)
		}
		if o.Below {
			ln += math.Log(max(numeric.StudentT4CDF(d/math.Sqrt(v)), 1e-300))
			continue
		}
		u := 1 + min(d*d/(studentDoF*v), 1e30)
		prod *= u
		vprod *= v / sig2 // of order one or more: the product of eight stays in range
		ln += lnT4
		count++
		if count%8 == 0 {
			ln -= 2.5*math.Log(prod) + 0.5*math.Log(vprod)
			prod, vprod = 1, 1
		}
	}
	return ln - 2.5*math.Log(prod) - 0.5*math.Log(vprod) - 0.5*float64(count)*math.Log(sig2)
}

// fit gives the residuals of an explanation, completed from what is held.
func (sc *scene) fit(w *work, t theta, have held, lambda float64) residuals {
	f := residuals{under: make([]float64, len(sc.s)), z: make([]float64, len(sc.s))}
	for i := range f.z {
		f.z[i] = math.NaN()
	}
	w.from(have)
	sc.columns(w, t)
	m := sc.errorsOf(t.shared(), lambda)
	sc.seek(w, m)
	sc.lnAt(w, m, &f)
	copy(f.under, w.under)
	return f
}

// share is what of the samples counts as independent, from what an explanation leaves over: along each sensor's chain, and between sensors
// that look at the same time. For instruments that stand still that is what the best mean plume near it leaves over: what one minute
// deviates by the next one remembers, so that effects of minutes take out variance and make nothing more independent than it is.
// Backgrounds drift there as fast as in the full explanation, no faster, lest they stand in for the effects. Crossings lie farther apart.
func (sc *scene) share(w *work, s summit, lambda float64) float64 {
	if sc.standing {
		mean := *sc
		mean.realisations, mean.records = nil, slices.Clone(sc.records)
		mean.assign()
		s.held, w = held{}, mean.newWork()
		if s.at.sources() > 0 {
			s = mean.climb(s.at, held{}, s.scale, lambda, asDrifting)
		}
		sc = &mean
	}
	f := sc.fit(w, s.at, s.held, lambda)
	// Student residuals are pulled in so that one spike does not make or hide correlation.
	z := func(i int) float64 { return max(min(f.z[i], 3), -3) }
	var chains [][]float64
	for _, st := range sc.stretches {
		var one []float64
		for _, i := range st {
			if f.z[i] == f.z[i] && !sc.obs[i].Below {
				one = append(one, z(i))
			}
		}
		chains = append(chains, one)
	}
	return numeric.EffectiveShare(chains) / sc.sharedAtOneTime(z, f)
}

// sharedAtOneTime is 1+(m-1)ρ: by how much m sensors that look at the same time repeat each other.
func (sc *scene) sharedAtOneTime(z func(int) float64, f residuals) float64 {
	if sc.sensors < 2 {
		return 1
	}
	type sums struct{ n, sum, sq float64 }
	at := map[float64]*sums{}
	var order []float64
	for i := range sc.s {
		if f.z[i] != f.z[i] || sc.obs[i].Below {
			continue
		}
		t := sc.s[i].TimeS
		if at[t] == nil {
			at[t] = &sums{}
			order = append(order, t)
		}
		v := z(i)
		at[t].n, at[t].sum, at[t].sq = at[t].n+1, at[t].sum+v, at[t].sq+v*v
	}
	var cross, pairs, power, n float64
	for _, t := range order {
		s := at[t]
		cross += s.sum*s.sum - s.sq
		pairs += s.n * (s.n - 1)
		power += s.sq
		n += s.n
	}
	if pairs == 0 || power == 0 {
		return 1
	}
	rho := max(cross/pairs/(power/n), 0)
	return 1 + (n/float64(len(order))-1)*rho
}
