package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/numeric"
)

// An Efficient compares the error of a parameter with its bound. Efficiency is asked where a bound is known: where the gas is that of the estimator's own mean
// plume, so that nothing is wrong but what is unknown. It is no test of truth (an inverse crime by design), only of how much of what the data hold
// gets lost. Three legs, 8 m above ground, cross a class D wind of 4 m/s at 150, 250 and 350 m, within the plume: a local bound says nothing of plumes that
// pass below. The source emits 2 g/s. What the estimator does not know is drawn from the prior that it has of it: height, spreads, exponents, heading.
//
// In the setting "steady" nothing else is unknown. In "wandering" every leg has its own strength, heading and width, with the deviations that the
// estimator itself ascribes to a crossing (Group.Air): then its whole model is right.
type Efficient struct {
	Setting   string  `json:"setting"`
	Parameter string  `json:"parameter"`
	Found     int     `json:"found"` // surveys in which one source was reported
	Of        int     `json:"of"`
	Bound     float64 `json:"bound"` // root of the mean bound of the variance: metres, and for the rate e-folds
	Error     float64 `json:"error"` // root of the mean squared error
	// Ratio is bound over mean squared error, with a 90 % bootstrap interval. Surveys that report another number than one source are left out.
	Ratio float64 `json:"ratio"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// sdSpread is the deviation of ln of both spreads as the estimator has it where the stability is stated (decision 0003).
const sdSpread, efficiencyRate = 0.35, 2e-3

// The parameters of a plume here. Each leg's strength, heading and width follow where legs wander, in units of their deviations.
const (
	pX = iota
	pY
	pLnQ
	pLnH
	pAy
	pAz
	pBy
	pBz
	pHeading
	pBackground // in deviations of the noise
	plumeParameters
)

const settingSteady, settingWandering = "steady", "wandering"

var efficiencyNames = [3]string{"along the wind, m", "across the wind, m", "ln rate"}

// A bounded is a setting in which the bound is known.
type bounded struct {
	name  string
	air   source.Air
	legs  int // that wander; 0 where none does
	plume *dispersion.Plume
	at    [][3]float64
	leg   []int
}

var boundedWind = dispersion.Wind{U: 4, HeightM: 10, AveragingS: 1}
var boundedGround = dispersion.Surface{RoughnessM: 0.1, Class: 3, HasClass: true}

func newBounded() *bounded {
	b := &bounded{name: settingSteady, plume: dispersion.NewPlume(boundedWind, boundedGround)}
	for leg, x := range []float64{150, 250, 350} {
		for k := -18.0; k <= 18; k++ {
			y := 8 * k
			if leg%2 == 1 {
				y = -y
			}
			b.at, b.leg = append(b.at, [3]float64{x, y, 8}), append(b.leg, leg)
		}
	}
	return b
}

// draw is a truth: the source at the origin, everything else from its prior.
func (b *bounded) draw(s *numeric.Stream) []float64 {
	t := make([]float64, plumeParameters+3*b.legs)
	t[pLnQ] = math.Log(efficiencyRate)
	t[pBackground] = 10
	priors := b.priors()
	for i := range t { // in this order, which a map has not
		if p, unknown := priors[i]; unknown {
			t[i] = p[0] + p[1]*s.Normal()
		}
	}
	return t
}

// mean is what the parameters bring to every sample, in deviations of the noise.
func (b *bounded) mean(t []float64) []float64 {
	out := make([]float64, len(b.at))
	effects := func(leg int) (gain, turn, widen float64) {
		if b.legs == 0 {
			return 0, 0, 0
		}
		e := t[plumeParameters+3*leg:]
		return b.air.Gain * e[0], b.air.Turn * e[1], b.air.Widen * e[2]
	}
	var bent [3]*dispersion.Bent
	for leg := range bent {
		_, turn, widen := effects(leg)
		bent[leg] = dispersion.Shape{LnAy: t[pAy], LnAz: t[pAz], By: t[pBy], Bz: t[pBz], BiasRad: t[pHeading] + turn}.Bend()
		bent[leg].Wide = math.Exp(widen)
	}
	for i, p := range b.at {
		sh := bent[b.leg[i]]
		gain, _, _ := effects(b.leg[i])
		along, across := b.plume.Downwind(p[0]-t[pX], p[1]-t[pY], sh.BiasRad)
		out[i] = t[pBackground] + math.Exp(t[pLnQ]+gain)*b.plume.At(along, across, p[2], math.Exp(t[pLnH]), sh, 0).C/noiseKgM3
	}
	return out
}

// slopes are those of the mean by every parameter, by central differences.
func (b *bounded) slopes(t []float64) *mat.Dense {
	// Steps are far below what the plume's own lengths change by, and far above the rounding of a mean of up to 1e4: (1e-3)² of curvature is left.
	step := func(i int) float64 {
		switch i {
		case pX, pY:
			return 0.05
		case pHeading:
			return 2e-4
		}
		return 1e-3
	}
	jacobian := mat.NewDense(len(b.at), len(t), nil)
	for i := range t {
		up, down := slices.Clone(t), slices.Clone(t)
		up[i], down[i] = t[i]+step(i), t[i]-step(i)
		hi, lo := b.mean(up), b.mean(down)
		for k := range hi {
			jacobian.Set(k, i, (hi[k]-lo[k])/(2*step(i)))
		}
	}
	return jacobian
}

// priors are mean and deviation of what has a prior: all but places, rate and background.
func (b *bounded) priors() map[int][2]float64 {
	p := map[int][2]float64{pLnH: beliefs.LnHeightM, pAy: {0, sdSpread}, pAz: {0, sdSpread}, pBy: beliefs.Exponent, pBz: beliefs.Exponent, pHeading: beliefs.HeadingRad}
	for i := range 3 * b.legs {
		p[plumeParameters+i] = [2]float64{0, 1}
	}
	return p
}

// information is that of data and priors about all parameters, and the slopes of the mean: J'J in noise of unit deviation, and the priors' precision (van Trees
// 1968, Detection, Estimation, and Modulation Theory I, section 2.4.3; its information of the data is a mean over truths, of which this is one term).
func (b *bounded) information(t []float64) (info, jacobian *mat.Dense) {
	jacobian, info = b.slopes(t), &mat.Dense{}
	info.Mul(jacobian.T(), jacobian)
	for i, p := range b.priors() {
		info.Set(i, i, info.At(i, i)+1/(p[1]*p[1]))
	}
	return info, jacobian
}

// bound is the least variance of place and ln rate: the inverse of the information.
func (b *bounded) bound(t []float64) ([3]float64, error) {
	info, _ := b.information(t)
	var inverse mat.Dense
	if err := inverse.Inverse(info); err != nil {
		var c mat.Condition
		if !errors.As(err, &c) || float64(c) > 1e15 { // ill-conditioned, as units differ, but not singular
			return [3]float64{}, fmt.Errorf("the information is singular: %w", err)
		}
	}
	return [3]float64{inverse.At(pX, pX), inverse.At(pY, pY), inverse.At(pLnQ, pLnQ)}, nil
}

// survey is what instruments say of a truth.
func (b *bounded) survey(t []float64, s *numeric.Stream) source.Input {
	g := source.Survey{Compounds: []string{"acetone"}, Surface: boundedGround}
	for i, v := range b.mean(t) {
		g.Samples = append(g.Samples, source.Sample{TimeS: float64(i + 10*b.leg[i]), At: b.at[i], Wind: boundedWind,
			Values: []source.Value{{Amount: noiseKgM3 * (v + s.Normal()), SD: noiseKgM3}}})
	}
	return source.Input{Local: true, Groups: []source.Survey{g}}
}

// A missed is how far one estimate lies from the truth, squared, beside its bound.
type missed struct {
	found         bool
	square, bound [3]float64
}

const blockEfficiency = 1 << 43

func (b *bounded) once(ctx context.Context, seed uint64) (missed, error) {
	s := numeric.NewStream(seed, blockEfficiency+uint64(b.legs))
	t := b.draw(s)
	var m missed
	var err error
	if m.bound, err = b.bound(t); err != nil {
		return m, err
	}
	said, _, err := believe(ctx, b.survey(t, s), seed)
	if err != nil || len(said.named) != 1 {
		return m, err
	}
	n := said.named[0]
	m.found = true
	m.square = [3]float64{n.x * n.x, n.y * n.y, math.Pow(math.Log(n.p50/efficiencyRate), 2)}
	return m, nil
}

// efficiency compares in both settings.
func efficiency(ctx context.Context, o CalibrationOptions) ([]Efficient, error) {
	out := []Efficient{}
	if o.Efficiency == 0 {
		return out, nil
	}
	steady := newBounded()
	_, g, err := believe(ctx, steady.survey(steady.draw(numeric.NewStream(o.Seed, blockEfficiency)), numeric.NewStream(o.Seed, blockEfficiency+1)), o.Seed)
	if err != nil {
		return nil, err
	}
	wandering := newBounded()
	wandering.name, wandering.legs, wandering.air = settingWandering, 3, g.Air()
	for _, b := range []*bounded{steady, wandering} {
		all, err := many(ctx, o, "efficiency, "+b.name, o.Efficiency, func(i int) (missed, error) { return b.once(ctx, o.Seed+uint64(i)) })
		if err != nil {
			return nil, err
		}
		out = append(out, efficient(b.name, all)...)
	}
	return out, nil
}

// efficient is the ratio of mean bound to mean squared error, by parameter.
func efficient(setting string, all []missed) (out []Efficient) {
	var found []missed
	for _, m := range all {
		if m.found {
			found = append(found, m)
		}
	}
	for i, name := range efficiencyNames {
		e := Efficient{Setting: setting, Parameter: name, Found: len(found), Of: len(all)}
		if len(found) > 0 {
			sums := func(pick func(k int) missed) (bound, square float64) {
				for k := range found {
					m := pick(k)
					bound, square = bound+m.bound[i]/float64(len(found)), square+m.square[i]/float64(len(found))
				}
				return bound, square
			}
			bound, square := sums(func(k int) missed { return found[k] })
			e.Bound, e.Error, e.Ratio = math.Sqrt(bound), math.Sqrt(square), bound/square
			chance, ratios := numeric.NewStream(1, 1<<50+2), make([]float64, 2000)
			for r := range ratios {
				b, s := sums(func(int) missed { return found[chance.IntN(len(found))] })
				ratios[r] = b / s
			}
			slices.Sort(ratios)
			e.Low, e.High = numeric.SortedQuantile(ratios, 0.05), numeric.SortedQuantile(ratios, 0.95)
		}
		out = append(out, e)
	}
	return out
}
