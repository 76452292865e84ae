package source_test

import (
	"math"
	"strconv"

	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/numeric"
)

// beams makes a survey of seven open paths from one corner over a source that puffs, in one-minute means. The wind at the mast turns
// slowly, and scatters by eddies of which the plume has others.
func beams(seed uint64, minutes int) (source.Input, release) {
	s := numeric.NewStream(seed, 7)
	u := 1.5 + 2.5*s.Float64()
	sv, sw := u*(0.12+0.2*s.Float64()), u*(0.08+0.08*s.Float64())
	r, a := 6+24*s.Float64(), 2*math.Pi*s.Float64()
	truth := release{r * math.Cos(a), r * math.Sin(a), 1e-4 * math.Exp(1.5*s.Normal())}
	fan := a + math.Pi + 0.5*s.Normal() // beams lead away from the source, more or less
	puffs := dispersion.NewPuffs(dispersion.PuffSettings{Sources: []dispersion.Source{{X: truth.x, Y: truth.y, Z: 0.3 + 1.7*s.Float64(), RateKgS: truth.rate}},
		EveryS: 2, SigmaV: sv, SigmaW: sw, TimescaleS: 20, Intermittency: 0.3, Surface: dispersion.Surface{RoughnessM: 0.05}}, numeric.NewStream(seed, 8))
	var ends [7][2]float64
	for k := range ends {
		l, b := 30+70*s.Float64(), fan+(float64(k)-3)*0.2
		ends[k] = [2]float64{l * math.Cos(b), l * math.Sin(b)}
	}
	g := source.Survey{Compounds: []string{"ch4"}}
	turn, eddyU, eddyV, drift := 0.7*s.Normal(), 0.0, 0.0, 0.0
	const every, k1 = 2, 0.9 // seconds between looks; memory of the mast's eddies over that
	for minute := -3; minute < minutes; minute++ {
		var sum [7]float64
		var mu, mv, mc, ms, n float64
		for range 60 / every {
			turn = 0.998*turn + 0.7*math.Sqrt(1-0.998*0.998)*s.Normal()
			eddyU = k1*eddyU + math.Sqrt(1-k1*k1)*sv*s.Normal()
			eddyV = k1*eddyV + math.Sqrt(1-k1*k1)*sv*s.Normal()
			dir := fan + turn
			puffs.Step(every, dispersion.Wind{U: u * math.Cos(dir), V: u * math.Sin(dir), HeightM: 1.6})
			w := dir + math.Atan2(eddyV, u+eddyU)
			v := math.Hypot(u+eddyU, eddyV)
			mu, mv, mc, ms, n = mu+v*math.Cos(w), mv+v*math.Sin(w), mc+math.Cos(w), ms+math.Sin(w), n+1
			if minute >= 0 {
				for k, e := range ends {
					sum[k] += puffs.PathMean(0, 0, 1.6, e[0], e[1], 1.6, 40)
				}
			}
		}
		if minute < 0 {
			continue
		}
		drift = 0.95*drift + 0.3*2e-8*s.Normal()
		eps := math.Sqrt(max(0, 1-(mc*mc+ms*ms)/(n*n)))
		wind := dispersion.Wind{U: mu / n, V: mv / n, HeightM: 1.6, AveragingS: 60, SigmaTheta: math.Asin(eps), SigmaPhi: sw / u}
		for k, e := range ends {
			g.Samples = append(g.Samples, source.Sample{TimeS: float64(60 * minute), At: [3]float64{0, 0, 1.6}, To: [3]float64{e[0], e[1], 1.6}, IsPath: true, Sensor: strconv.Itoa(k), Wind: wind,
				Values: []source.Value{{Amount: 1.3e-6 + drift + 1e-8*s.Normal() + sum[k]/n}}})
		}
	}
	return source.Input{Local: true, Groups: []source.Survey{g}}, truth
}
