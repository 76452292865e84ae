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
// survive however many samples are taken.
type realisation struct{ gain, turn, widen float64 }

// windS is over how long before the end of the survey the wind is averaged: some eddies, and short beside the turning of the wind.
const windS = 120

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
			a.wind.SigmaPhi, tn = a.wind.SigmaPhi+p.Wind.SigmaPhi, tn+1
		}
		if p.Wind.AveragingS > 0 {
			averaged = min(averaged, p.Wind.AveragingS)
		}
	}
	if n == 0 || math.Hypot(a.wind.U, a.wind.V) == 0 {
		return a, atalaya.Declined("plan.next", atalaya.BadInput, atalaya.Say("advice-calm"), atalaya.Say("advice-calm-remedy"))
	}
	a.wind.U, a.wind.V, a.wind.HeightM = a.wind.U/n, a.wind.V/n, a.wind.HeightM/n
	if math.IsInf(averaged, 1) {
		averaged = 1
	}
	found := g.Air()
	a.wind.AveragingS, a.wind.SigmaTheta, a.wind.SigmaPhi = averaged, found.SigmaTheta, a.wind.SigmaPhi/max(tn, 1)
	a.sd = realisation{found.Gain, found.Turn, found.Widen}
	if len(rows) > 1 && last > t0 {
		a.every = max((last-t0)/float64(len(rows)-1), 0.1)
	}
	if g.Samples > 0 {
		a.share = min(max(g.Dispersion.EffectiveSamples/float64(g.Samples), 1e-3), 1)
	}
	a.plume = dispersion.NewPlume(a.wind, found.Surface)
	return a, nil
}

// downwind is the direction that the air moves in, and left of it.
func (a air) downwind() (along, left [2]float64) {
	u := a.wind.Speed()
	return [2]float64{a.wind.U / u, a.wind.V / u}, [2]float64{-a.wind.V / u, a.wind.U / u}
}
