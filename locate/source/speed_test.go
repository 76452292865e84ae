package source

import (
	"math"
	"testing"

	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/numeric"
)

// legs is a SYNTHETIC flight of one-second samples across the mean plumes of two sources, whose legs have their own strength; every third value is a bound.
func legs(samples int) Survey {
	s, ground := numeric.NewStream(1, 1), dispersion.Surface{RoughnessM: 0.1}
	g := Survey{Compounds: []string{"toluene"}, Surface: ground}
	x, y, way, gain := 80.0, -150.0, 1.0, 1.0
	for t := range samples {
		if y += 8 * way; math.Abs(y-50) > 200 {
			way, gain = -way, math.Exp(0.4*s.Normal())
			if x += 40; x > 400 {
				x = 80
			}
		}
		wind := dispersion.Wind{U: 4 + 0.3*s.Normal(), V: 0.3 * s.Normal(), HeightM: 10, AveragingS: 1}
		p := dispersion.NewPlume(dispersion.Wind{U: 4, HeightM: 10}, ground)
		v := 1e-8 + 2e-9*s.Normal()
		for _, q := range []dispersion.Source{{Z: 2, RateKgS: 2e-3}, {X: -60, Y: 150, Z: 2, RateKgS: 1.5e-3}} {
			v += gain * p.Concentration(q, x, y, 20, dispersion.Shape{})
		}
		g.Samples = append(g.Samples, Sample{TimeS: float64(t), At: [3]float64{x, y, 20}, Wind: wind, Values: []Value{{Amount: max(v, 8e-9), SD: 2e-9, Below: v < 8e-9}}})
	}
	return g
}

// fan is a SYNTHETIC survey by seven open paths in one-minute means, in a wind that turns.
func fan(minutes int) Survey {
	s := numeric.NewStream(3, 1)
	g := Survey{Compounds: []string{"ch4"}, Surface: dispersion.Surface{RoughnessM: 0.05}}
	for minute := range minutes {
		heading := 0.4 * s.Normal()
		for k := range 7 {
			b := 0.3 * (float64(k) - 3)
			excess := 2e-6 * math.Exp(-4*(b-heading)*(b-heading))
			g.Samples = append(g.Samples, Sample{TimeS: 60 * float64(minute), At: [3]float64{0, 0, 1.6}, To: [3]float64{50 * math.Cos(b), 50 * math.Sin(b), 1.6}, IsPath: true, Sensor: string(rune('a' + k)),
				Wind: dispersion.Wind{U: 2 * math.Cos(heading), V: 2 * math.Sin(heading), HeightM: 2, AveragingS: 60, SigmaTheta: 0.2}, Values: []Value{{Amount: 1.3e-6 + excess*(1+0.2*s.Normal()) + 1e-8*s.Normal()}}})
		}
	}
	return g
}

// A draws is what benchmarks weigh: explanations about a summit.
type draws struct {
	sc *scene
	a  *search
	at []theta
}

// near climbs from an explanation and draws others about where it ends.
func near(tb testing.TB, g Survey, from theta) draws {
	sc, err := prepare(g)
	if err != nil {
		tb.Fatal(err)
	}
	sc.apart = 0.3
	from = append(from, sc.centre()...)
	places := make([]float64, len(from))
	for k := range from.sources() {
		places[k*perSource] = 5
	}
	d := newDomain(sc)
	d.show = 1
	a := &search{sc: sc, d: &d, k: from.sources(), lambda: 0.4, summits: []summit{sc.climb(from, held{}, places, 0.4, theTop)}}
	a.works.New = func() any { return sc.newWork() }
	out, s, mix := draws{sc: sc, a: a}, numeric.NewStream(2, 1), a.first()
	for range 200 {
		out.at = append(out.at, pick(mix, s).draw(s))
	}
	return out
}

var twoSources, oneSource = theta{5, -5, 0.5, -6, -55, 145, 0.5, -6.5}, theta{-10, 0, 0, math.Log(5e-4)}

func weighed(b *testing.B, d draws) {
	b.ResetTimer()
	for i := range b.N {
		d.a.posterior(d.at[i%len(d.at)])
	}
}

func BenchmarkDrawOfAFlight(b *testing.B) { weighed(b, near(b, legs(1800), twoSources)) }
func BenchmarkDrawOfBeams(b *testing.B)   { weighed(b, near(b, fan(140), oneSource)) }

func sloped(b *testing.B, d draws) {
	s := &d.a.summits[0]
	c := d.sc.newClimber(len(s.at), s.scale, d.a.lambda)
	b.ResetTimer()
	for range b.N {
		c.slope(s.at, s.held)
	}
}

func BenchmarkSlopeOfAFlight(b *testing.B) { sloped(b, near(b, legs(1800), twoSources)) }
func BenchmarkSlopeOfBeams(b *testing.B)   { sloped(b, near(b, fan(140), oneSource)) }

// From a prepared survey to where a source would lie.
func searched(b *testing.B, g Survey) {
	sc, err := prepare(g)
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for range b.N {
		d := newDomain(sc)
		if len(singles(newGrid(sc).refine(&d, nil))) == 0 {
			b.Fatal("no cell")
		}
	}
}

func BenchmarkGridOfAFlight(b *testing.B) { searched(b, legs(1800)) }
func BenchmarkGridOfBeams(b *testing.B)   { searched(b, fan(140)) }

func BenchmarkPrepare(b *testing.B) {
	g := legs(1800)
	b.ResetTimer()
	for range b.N {
		if _, err := prepare(g); err != nil {
			b.Fatal(err)
		}
	}
}
