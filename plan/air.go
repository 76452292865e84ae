package plan

import (
	"math"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/locate/source"
)

// air is what the next leg will be flown through, as far as the survey tells.
type air struct {
	plume *dispersion.Plume
	wind  dispersion.Wind
	sd    realisation
	share float64 // of samples that count as independent, as the estimator found it
	every float64 // seconds between samples
}

// realisation holds the standard deviations of what one crossing of a plume has of its own: strength, heading and width, of which only three numbers
// survive however many samples are taken. They are those that locate/source allows a crossing (realisationSD there): what a leg is expected to tell
// must be no more than what the estimator will take from it.
type realisation struct{ gain, turn, widen float64 }

const (
	gainSecond, gainTenMinutes   = 0.5, 0.25
	widenSecond, widenTenMinutes = 0.3, 0.15
	eddyS                        = 10
	// windS is over how long before the end of the survey the wind is averaged: some eddies, and short beside the turning of the wind.
	windS        = 120
	loggedMethod = "turbulence of the wind log across, Briggs rural up"
)

func newAir(s source.Survey, g *source.Group) (air, error) {
	var last, t0 = math.Inf(-1), math.Inf(1)
	var rows []source.Sample
	for _, p := range s.Samples {
		if finite(p.Wind.U, p.Wind.V, p.TimeS) {
			rows = append(rows, p)
			last, t0 = max(last, p.TimeS), min(t0, p.TimeS)
		}
	}
	a := air{share: 1, every: 1}
	var n, tn float64
	averaged := math.Inf(1)
	for _, p := range rows {
		if p.TimeS >= last-windS {
			a.wind.U, a.wind.V, a.wind.HeightM, n = a.wind.U+p.Wind.U, a.wind.V+p.Wind.V, a.wind.HeightM+p.Wind.HeightM, n+1
		}
		if p.Wind.SigmaTheta > 0 {
			a.wind.SigmaTheta, tn = a.wind.SigmaTheta+p.Wind.SigmaTheta, tn+1
			a.wind.SigmaPhi += p.Wind.SigmaPhi
		}
		if p.Wind.AveragingS > 0 {
			averaged = min(averaged, p.Wind.AveragingS)
		}
	}
	if n == 0 || math.Hypot(a.wind.U, a.wind.V) == 0 {
		return a, &atalaya.Error{Op: "plan.next", Kind: atalaya.BadInput, Hint: "Give the wind; below 1 m/s no leg can be planned by it", Err: plain("the wind is calm at the end of the survey")}
	}
	a.wind.U, a.wind.V, a.wind.HeightM = a.wind.U/n, a.wind.V/n, a.wind.HeightM/n
	surface := s.Surface
	if tn > 0 {
		a.wind.SigmaTheta, a.wind.SigmaPhi = a.wind.SigmaTheta/tn, a.wind.SigmaPhi/tn
	} else if g.Dispersion.Method == loggedMethod {
		a.wind.SigmaTheta = directionSpread(rows)
		if !surface.HasClass && surface.ObukhovM == 0 {
			surface.HasClass, surface.Class = true, g.Dispersion.PasquillClass
		}
	}
	if math.IsInf(averaged, 1) {
		averaged = 1
	}
	a.wind.AveragingS = averaged
	sigma := a.wind.SigmaTheta
	if sigma == 0 {
		sigma = dispersion.SigmaThetaOfClass(surface)
	}
	a.sd = realisationOver(averaged, sigma)
	if len(rows) > 1 && last > t0 {
		a.every = max((last-t0)/float64(len(rows)-1), 0.1)
	}
	if g.Samples > 0 {
		a.share = min(max(g.Dispersion.EffectiveSamples/float64(g.Samples), 1e-3), 1)
	}
	a.plume = dispersion.NewPlume(a.wind, surface)
	return a, nil
}

// realisationOver is for a crossing whose samples are averaged over t seconds, in a wind whose direction scatters by sigma radians.
func realisationOver(t, sigma float64) realisation {
	f := min(max(math.Log(t)/math.Log(600), 0), 1)
	r := max(t, eddyS) / eddyS
	// √(2/r·(1-(1-e^-r)/r)) is what is left of the scatter in a mean over r correlation times (Taylor 1921, doi:10.1112/plms/s2-20.1.196).
	left := math.Sqrt(2 / r * (1 + math.Expm1(-r)/r))
	return realisation{gainSecond + f*(gainTenMinutes-gainSecond), sigma * left, widenSecond + f*(widenTenMinutes-widenSecond)}
}

// directionSpread is the standard deviation of the wind's direction, radians, after Yamartino (1984,
// doi:10.1175/1520-0450(1984)023<1362:ACOSPE>2.0.CO;2).
func directionSpread(rows []source.Sample) float64 {
	var c, d, n float64
	for _, p := range rows {
		if u := p.Wind.Speed(); u > 0 {
			c, d, n = c+p.Wind.U/u, d+p.Wind.V/u, n+1
		}
	}
	e := math.Sqrt(max(0, 1-(c*c+d*d)/(n*n)))
	return math.Asin(min(e, 1)) * (1 + 0.1547*e*e*e)
}

// downwind is the direction that the air moves in, and left of it.
func (a air) downwind() (along, left [2]float64) {
	u := a.wind.Speed()
	return [2]float64{a.wind.U / u, a.wind.V / u}, [2]float64{-a.wind.V / u, a.wind.U / u}
}
