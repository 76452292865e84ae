package simulate

import (
	"math"
	"testing"

	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/numeric"
)

func TestWindWandersAroundItsMean(t *testing.T) {
	b := newBreeze(Wind{SpeedMPS: 4, MeanderDeg: 8, GustShare: 0.12, MeanderS: 30}, 270, numeric.NewStream(1, 1))
	var speed, turn, turn2 float64
	const n = 60000
	for range n {
		w := b.step(1)
		d := math.Atan2(w.V, w.U) * 180 / math.Pi // wind from the west goes east: 0
		speed, turn, turn2 = speed+w.Speed()/n, turn+d/n, turn2+d*d/n
	}
	// 60,000 s hold 1,000 independent stretches of 2·30 s: the mean turn is known to 8/√1000 = 0.25°, its deviation to 8/√2000 =
	// 0.18°, the speed to 0.12·4/√1000 = 0.015 m/s. Four sigma.
	if math.Abs(turn) > 1 || math.Abs(math.Sqrt(turn2)-8) > 0.72 || math.Abs(speed-4) > 0.06 {
		t.Errorf("speed %.3f, turn %.2f ± %.2f", speed, turn, math.Sqrt(turn2))
	}
}

func TestPuffsKeepTheirMass(t *testing.T) {
	// One puff of 1,000 kg, 60 s old, half of it reflected by the ground: the integral over all air is its mass. Spreads are
	// above 15 m; a midpoint rule with steps below half of that is exact to 1e-8, the box ends beyond five spreads.
	p := dispersion.NewPuffs(dispersion.PuffSettings{Sources: []dispersion.Source{{Z: 4, RateKgS: 1}}, EveryS: 1000, SigmaV: 0.8, SigmaW: 0.5, TimescaleS: 60},
		numeric.NewStream(1, 1))
	for range 60 {
		p.Step(1, dispersion.Wind{U: 4, HeightM: 10})
	}
	var mass float64
	const h, v = 5.0, 2.0
	for x := -200.0; x < 800; x += h {
		for y := -400.0; y < 400; y += h {
			if p.At(x, y, 4) < 1e-12 {
				continue
			}
			for z := v / 2; z < 150; z += v {
				mass += h * h * v * p.At(x, y, z)
			}
		}
	}
	if math.Abs(mass/1000-1) > 1e-3 {
		t.Errorf("%g kg of 1000", mass)
	}
}

func TestFluxThroughAPlaneIsTheRate(t *testing.T) {
	// Without turbulence upwards a puff keeps its half-width, so that its vertical integral is √(2π)·half-width times its value
	// on the axis, and the flux through x = 100 m is U·∫C dy times that. Over T = 3,000 s: puffs' own speeds (0.8·√0.5 m/s in
	// 4 m/s, 14 %, with 5·10 s of memory) leave .14·√(2·50/3000) = 2.6 % and, since slow puffs stay longer, a mean of
	// 1 + .14² = 2 % more; their loads (20 %, 2·10 s) leave .2·√(2·20/3000) = 2.3 %. Three sigma of both and the bias: 12.5 %.
	p := dispersion.NewPuffs(dispersion.PuffSettings{Sources: []dispersion.Source{{Z: 10, RateKgS: 1}}, EveryS: 2, SigmaV: 0.8, TimescaleS: 10, Intermittency: 0.2},
		numeric.NewStream(3, 1))
	wind := dispersion.Wind{U: 4, HeightM: 10}
	var flux float64
	const T, every, dy = 3000, 2, 4.0
	for s := range 100 + T {
		p.Step(1, wind)
		if s < 100 || s%every != 0 {
			continue
		}
		for y := -100.0; y <= 100; y += dy {
			flux += 4 * dy * p.At(100, y, 10) * math.Sqrt(2*math.Pi) * dispersion.SourceHalfWidthM / (T / every)
		}
	}
	if math.Abs(flux-1) > 0.125 {
		t.Errorf("flux %.3f kg/s of 1", flux)
	}
}

func TestPlumeMeanders(t *testing.T) {
	// 300 m downwind the wind's slow turning by 8° alone moves the plume by 42 m, more than its own spread (Taylor, .57 m/s over
	// 75 s: 31 m): the variance of the mean plume is more than 1.5 times that of the plume of the moment.
	s, _ := Find("small")
	chance := numeric.NewStream(1, 1)
	wind := newBreeze(s.Wind, 270, chance)
	p := dispersion.NewPuffs(dispersion.PuffSettings{Sources: []dispersion.Source{{Z: 4, RateKgS: 1}}, EveryS: 2, SigmaV: s.Wind.SigmaV, SigmaW: s.Wind.SigmaW, TimescaleS: s.Wind.TimescaleS}, chance)
	var moment, n float64
	var m0, m1, m2 float64 // of the mean plume
	for k := range 3000 {
		p.Step(1, wind.step(1))
		if k < 300 || k%10 != 0 {
			continue
		}
		var c0, c1, c2 float64
		for y := -400.0; y <= 400; y += 8 {
			c := p.At(300, y, 4)
			c0, c1, c2 = c0+c, c1+c*y, c2+c*y*y
		}
		if c0 == 0 {
			continue
		}
		moment, n = moment+c2/c0-c1*c1/(c0*c0), n+1
		m0, m1, m2 = m0+c0, m1+c1, m2+c2
	}
	moment /= n
	if mean := m2/m0 - m1*m1/(m0*m0); mean < 1.5*moment || moment < 15*15 {
		t.Errorf("spread %.1f m on the mean, %.1f m of the moment", math.Sqrt(mean), math.Sqrt(moment))
	}
}
