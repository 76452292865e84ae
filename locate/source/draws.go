package source

import (
	"math"

	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/numeric"
)

// A Draw is one explanation of a survey out of its posterior, in local metres and kg/s of the group's geometry compound: as
// probable as every other draw. It may have no source.
type Draw struct {
	Sources   []dispersion.Source
	Shape     dispersion.Shape
	NoiseKgM3 float64 // additive noise of a sample
	// Fluctuation is the standard deviation of single samples within a plume, as a share of its concentration without meandering.
	Fluctuation float64
}

// Draws gives n explanations of the group, of every number of sources in proportion to its probability; places and rates are spread by
// the discrepancy as in Sources, so that what is planned on them errs no less than what is reported. The same n and seed give the same.
func (g *Group) Draws(n int, seed uint64) []Draw {
	p := g.post
	s := numeric.NewStream(seed, 1<<61)
	out := make([]Draw, 0, n)
	acc := s.Float64()
	for k, c := range p.clouds {
		hidden := c.hidden
		if hidden > 0 {
			c = p.clouds[p.found]
		}
		if len(c.draws) == 0 { // hopelessly behind
			continue
		}
		acc += float64(n) * p.count[k]
		ts := c.draws
		if c.k > 0 {
			ts = discrepant(align(c.draws, c.best))
		}
		for ; acc >= 1 && len(out) < n; acc-- {
			d := ts[min(int(s.Float64()*float64(len(ts))), len(ts)-1)].draw()
			for range hidden {
				d.Sources = append(d.Sources, p.hide(s))
			}
			out = append(out, d)
		}
	}
	for len(out) < n { // rounding of the last share
		out = append(out, p.best.draw())
	}
	return out
}

// GeometryCompound is the compound on which the geometry was solved, of which Draws and LogRatio speak.
func (g *Group) GeometryCompound() string { return g.post.sc.survey.Compounds[g.post.sc.primary] }

func (t theta) draw() Draw {
	d := Draw{Shape: t.shape().Shape, NoiseKgM3: math.Exp(t.shared()[jSig]), Fluctuation: math.Exp(t.shared()[jFlu])}
	for k := range t.sources() {
		s := t.source(k)
		d.Sources = append(d.Sources, dispersion.Source{X: s[iX], Y: s[iY], Z: math.Exp(s[iLnH]), RateKgS: math.Exp(s[iLnQ])})
	}
	return d
}

// Air is what the estimator took the air of a survey to be.
type Air struct {
	SigmaTheta float64 // scatter of the wind's direction, radians: as measured or logged; 0 where the survey does not tell
	Surface    dispersion.Surface
	// Deviations of what one crossing of the plume has of its own, and which no number of its samples averages away: ln of its
	// strength, its heading in radians, ln of its width.
	Gain, Turn, Widen float64
}

// Air is that of the group: what a further leg is expected to tell must be no more than what the estimator will take from it.
func (g *Group) Air() Air {
	sc := g.post.sc
	return Air{sc.measuredTheta(), sc.survey.Surface, sc.sd.gain, sc.sd.turn, sc.sd.widen}
}

// Beliefs are what the estimator holds of sources and plumes before any survey: means and deviations of normal laws.
type Beliefs struct {
	LnHeightM, LnRateKgS [2]float64
	Exponent             [2]float64 // added to those of the spreads
	HeadingRad           [2]float64 // of the plume against the wind
	Count                []float64  // probability of so many sources
	ConeTan              float64    // a source may stand so far aside of upwind of a sample
}

// Priors are the beliefs that no survey informs.
func Priors() Beliefs {
	b := Beliefs{LnHeightM: priorLnH, LnRateKgS: priorLnQ, Exponent: priorB, HeadingRad: priorBias, ConeTan: coneTan}
	for _, ln := range lnPriorCount {
		b.Count = append(b.Count, math.Exp(ln))
	}
	return b
}
