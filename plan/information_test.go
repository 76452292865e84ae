package plan

import (
	"math"
	"testing"

	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/numeric"
)

// steady is a wind of 4 m/s from the west over low crops.
func steady() air {
	w := dispersion.Wind{U: 4, HeightM: 10, AveragingS: 1}
	return air{plume: dispersion.NewPlume(w, dispersion.Surface{}), wind: w, sd: realisation{0.5, 0.13, 0.3}, share: 1, every: 1}
}

var draw = source.Draw{NoiseKgM3: 2e-9, Fluctuation: 0.3}

// across is a leg 150 m downwind of the origin.
var across = Leg{Crosswind, [2]float64{150, -200}, [2]float64{150, 200}, 15}

func beliefOf(sd realisation, sources ...dispersion.Source) *belief {
	b := &belief{found: true}
	for _, s := range sources {
		b.is = append(b.is, newHypothesis(draw, []dispersion.Source{s}, 1/float64(len(sources)), sd))
	}
	b.kernel()
	return b
}

func judgeOf(a air, b *belief) *judge { return newJudge(a, b, Limits{SpeedMPS: 10, Minutes: 10}, 1) }

// Where the place across the wind is normal and the middle of the plume is met with a normal error, the information is ½ log2(1 + place variance / error
// variance) (Shannon's Gaussian channel).
func TestInformationOfACrossingIsThatOfAGaussianChannel(t *testing.T) {
	a := steady()
	chance := numeric.NewStream(5, 1)
	var sources []dispersion.Source
	const n, placeSD = 600, 40.
	for range n {
		sources = append(sources, dispersion.Source{Y: placeSD * chance.Normal(), Z: 2, RateKgS: 3e-3})
	}
	s := judgeOf(a, beliefOf(a.sd, sources...)).score(across)
	one := newHypothesis(draw, sources[:1], 1, a.sd)
	told := a.tell(&one, across, 10)
	r2 := told.root[1]*told.root[1] + told.root[2]*told.root[2]
	want := 0.5 * math.Log2(1+placeSD*placeSD/r2)
	// Smoothing places by n^(-1/6) of their deviation (in one dimension that they vary in) blurs what can be told: the place is then known to be in
	// that kernel at best, which lowers the information by ½ log2(1 + h²·placeSD²/r²) where all else stays; the Monte Carlo adds its error, three of it here.
	h := math.Pow(n, -1./6) * placeSD
	lowest := want - 0.5*math.Log2(1+h*h/r2)
	if e := 3 * s.bitsErr; s.bits > want+e || s.bits < lowest-e {
		t.Errorf("%.3f ± %.3f bit, the channel has %.3f and at least %.3f of it shows", s.bits, s.bitsErr, want, lowest)
	}
	if s.detect < 0.99 {
		t.Errorf("a plume of 3 g/s at 150 m is met with probability %.3f", s.detect)
	}
}

// A leg that tells how strong a source is, whose place is known, tells nothing about the place.
func TestTheRateIsIntegratedOut(t *testing.T) {
	a := steady()
	chance := numeric.NewStream(6, 1)
	var sources []dispersion.Source
	for range 300 {
		sources = append(sources, dispersion.Source{X: chance.Normal() * 0.01, Y: chance.Normal() * 0.01, Z: 2, RateKgS: 1e-3 * math.Exp(2*chance.Normal())})
	}
	if s := judgeOf(a, beliefOf(a.sd, sources...)).score(across); math.Abs(s.bits) > 0.01 {
		t.Errorf("%.4f bit about a place that is known", s.bits)
	}
}

func TestALegThatMeetsNothingTellsNothing(t *testing.T) {
	a := steady()
	b := beliefOf(a.sd, dispersion.Source{Y: -30, Z: 2, RateKgS: 1e-3}, dispersion.Source{Y: 30, Z: 2, RateKgS: 1e-3})
	upwind := Leg{Background, [2]float64{-50, -200}, [2]float64{-50, 200}, 15}
	if s := judgeOf(a, b).score(upwind); s.detect != 0 || s.bits != 0 {
		t.Errorf("upwind of all places: P %g, %g bit", s.detect, s.bits)
	}
	// With a place upwind of the leg too, silence speaks. Each place is held by many hypotheses, so that the kernel parts them.
	var sources []dispersion.Source
	for range 50 {
		sources = append(sources, dispersion.Source{X: -150, Z: 2, RateKgS: 3e-3}, dispersion.Source{X: 50, Z: 2, RateKgS: 3e-3})
	}
	b = beliefOf(a.sd, sources...)
	// Two places that a leg parts without fail are one bit.
	if s := judgeOf(a, b).score(upwind); math.Abs(s.bits-1) > 0.02 {
		t.Errorf("a leg between two places tells %.3f bit, want 1", s.bits)
	}
}

// More that a crossing has of its own never makes it tell more.
func TestModelErrorCostsInformation(t *testing.T) {
	a := steady()
	chance := numeric.NewStream(7, 1)
	var sources []dispersion.Source
	for range 200 {
		sources = append(sources, dispersion.Source{X: 40 * chance.Normal(), Y: 25 * chance.Normal(), Z: 2, RateKgS: 2e-3 * math.Exp(0.3*chance.Normal())})
	}
	before := math.Inf(1)
	for _, by := range []float64{0.25, 0.5, 1, 2} {
		wild := a
		wild.sd = realisation{a.sd.gain * by, a.sd.turn * by, a.sd.widen * by}
		s := judgeOf(wild, beliefOf(wild.sd, sources...)).score(across)
		if s.bits > before+2*s.bitsErr {
			t.Errorf("errors times %g: %.3f bit, with less error %.3f", by, s.bits, before)
		}
		before = s.bits
	}
}

// What a leg tells by five sigma points is what many realisations tell that are made one by one.
func TestTellingIsThatOfManyRealisations(t *testing.T) {
	a := steady()
	s := dispersion.Source{Y: 20, Z: 2, RateKgS: 5e-3}
	quiet := source.Draw{NoiseKgM3: 1e-14} // no noise and no fluctuation: realisations alone
	h := newHypothesis(quiet, []dispersion.Source{s}, 1, a.sd)
	across := Leg{Crosswind, [2]float64{150, -250}, [2]float64{150, 250}, 15}
	told := a.tell(&h, across, 10)
	chance := numeric.NewStream(8, 1)
	const n = 20000
	var m, sq [3]float64
	nodes := make([]float64, 100)
	for range n {
		e := [3]float64{chance.Normal(), chance.Normal(), chance.Normal()}
		one := h
		b := *h.bent[1]
		b.Wide = math.Exp(a.sd.widen * e[2])
		one.bent[1] = &b
		one.sin[1], one.cos[1] = math.Sincos(-a.sd.turn * e[1])
		a.concentrations(&one, across, 0, nodes)
		v, _ := moments(nodes, across.Length()/100)
		v[0] += a.sd.gain * e[0]
		for i := range v {
			m[i] += v[i] / n
			sq[i] += v[i] * v[i] / n
		}
	}
	for i, name := range []string{"ln mass", "middle", "ln width"} {
		want := math.Sqrt(sq[i] - m[i]*m[i])
		var got float64
		for k := range i + 1 { // the row of the factor
			got += told.root[i*(i+1)/2+k] * told.root[i*(i+1)/2+k]
		}
		got = math.Sqrt(got)
		// Sigma points are right to the second order of the effects, whose third is of the order turn² = 2 % here; the floors of a telling and the
		// scatter of 20,000 draws (half a per cent) are below that. The leg is so long that no turn takes the plume beyond its ends.
		if math.Abs(told.mean[i]-m[i]) > 0.1*want || math.Abs(got/want-1) > 0.1 {
			t.Errorf("%s: %.3f ± %.3f by sigma points, %.3f ± %.3f by realisations", name, told.mean[i], got, m[i], want)
		}
	}
}

// The 90 % region of a normal place is an ellipse of area π·4.605·σ1·σ2.
func TestRadiusOfANormalPlace(t *testing.T) {
	chance := numeric.NewStream(9, 1)
	for _, sd := range [][2]float64{{50, 50}, {100, 10}} {
		var at [][2]float64
		var w []float64
		for range 400 {
			at, w = append(at, [2]float64{sd[0] * chance.Normal(), sd[1] * chance.Normal()}), append(w, 1)
		}
		want := math.Sqrt(4.605 * sd[0] * sd[1])
		// The covariance of 400 draws is known to √(2/400) = 7 %, its determinant's root and so the area likewise, the radius to 4 %: three of those.
		if got := radius90(at, w); math.Abs(got/want-1) > 0.12 {
			t.Errorf("deviations %v: %.1f m, want %.1f", sd, got, want)
		}
	}
}
