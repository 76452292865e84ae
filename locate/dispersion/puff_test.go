package dispersion

import (
	"fmt"
	"math"
	"testing"

	"github.com/atalaya-isr/atalaya/numeric"
)

// walk makes puffs and moves them on by whole seconds.
func walk(set PuffSettings, seed uint64, seconds int, w Wind) *Puffs {
	p := NewPuffs(set, numeric.NewStream(seed, 1))
	for range seconds {
		p.Step(1, w)
	}
	return p
}

// massInBox integrates At by midpoints. For Gaussians whose spreads are above s steps of s/2 are exact to e^(-8π²), and an image at the ground makes
// the integrand even about it.
func massInBox(p *Puffs, x0, x1, y0, y1, top, h, v float64) (mass float64) {
	for x := x0 + h/2; x < x1; x += h {
		for y := y0 + h/2; y < y1; y += h {
			if p.At(x, y, 5) == 0 { // no puff within six spreads of this column
				continue
			}
			for z := v / 2; z < top; z += v {
				mass += h * h * v * p.At(x, y, z)
			}
		}
	}
	return mass
}

// Three puffs of 30 s of 2 kg/s, 30 to 89 s old. Their spreads (Taylor: √½·0.8 m/s over 30 s of 60 s timescale is 15 m across, 0.4 m/s of 20 s is 8 m up)
// allow steps of 7 m and 4 m. A puff passed over beyond six spreads across holds e^-18; the box ends beyond six.
func TestPuffsConserveMass(t *testing.T) {
	set := PuffSettings{Sources: []Source{{X: 100, Y: -50, Z: 6, RateKgS: 2}}, EveryS: 30, SigmaV: 0.8, SigmaW: 0.4, TimescaleS: 60}
	p := walk(set, 5, 89, Wind{U: 3, V: 1, HeightM: 10})
	if got := massInBox(p, -300, 800, -450, 500, 160, 7, 4); math.Abs(got/180-1) > 1e-6 {
		t.Errorf("%g kg of 180 in the air", got)
	}
	set.Sources = append(set.Sources, Source{X: 0, Y: 100, Z: 1, RateKgS: 1})
	p = walk(set, 5, 89, Wind{U: 3, V: 1, HeightM: 10})
	if got := massInBox(p, -400, 800, -450, 600, 160, 7, 4); math.Abs(got/270-1) > 1e-6 {
		t.Errorf("two sources: %g kg of 270 in the air", got)
	}
}

// A puff that fills the layer has σz = 0.8 of the lid. Its images at ±z, ±z+2 lid and ±z-2 lid hold the unfolded Gaussian from -(3 lid+z) to 3 lid-z: what lies beyond is
// 2·(1-Φ(3/.8)) = 2e-4 for a source near the ground, 1-Φ(2.5/.8) = 9e-4 for one in the middle.
func TestPuffsUnderALidConserveMass(t *testing.T) {
	const lid = 30
	for _, z := range []float64{1, lid / 2} {
		set := PuffSettings{Sources: []Source{{Z: z, RateKgS: 2}}, EveryS: 1000, SigmaV: 0.8, SigmaW: 2, TimescaleS: 60, Surface: Surface{MixingHeightM: lid}}
		p := walk(set, 6, 120, Wind{U: 3, HeightM: 10})
		if got := p.puffs[0].sz; got != 0.8*lid {
			t.Errorf("a puff under a lid of %d m is %g m deep", lid, got)
		}
		if got := massInBox(p, -500, 1300, -600, 600, lid, 12, 1); math.Abs(got/2000-1) > 2e-3 {
			t.Errorf("released at %g m: %g kg of 2000 under the lid", z, got)
		}
	}
}

func TestPuffsBringInWhatTheSourceEmits(t *testing.T) {
	mass := func(seconds int) (m float64) {
		for _, f := range walk(PuffSettings{Sources: []Source{{RateKgS: 0.5}, {RateKgS: 0.25}}, SigmaV: 1}, 1, seconds, Wind{U: 2}).puffs {
			m += f.mass
		}
		return m
	}
	if got := mass(200) - mass(50); math.Abs(got-0.75*150) > 1e-9 { // sums of a few hundred numbers of order one
		t.Errorf("150 s of 0.75 kg/s brought in %g kg", got)
	}
	p := NewPuffs(PuffSettings{Sources: []Source{{RateKgS: 1}}, EveryS: 3600, SigmaV: 1}, numeric.NewStream(1, 1))
	for range 5 {
		p.Step(3600, Wind{U: 2})
	}
	if n := len(p.puffs); n > 2 {
		t.Errorf("%d puffs an hour apart after five hours: those two hours old are let go", n)
	}
}

// All of the crosswind turbulence is given to the puff itself, so that the concentration d away from its centre says how wide it is: C(0)/C(d) = exp(d²/2σ²).
// σ² = 2s²T²(t/T - 1 + e^(-t/T)) + w², Taylor 1921; s·t at first, s·√(2tT) in the end. 1e-6: the ratio is of order one and known to a few roundings, and the
// share of 1e-12 that is left to the eddies moves the centre by 1e-6 of s·t at most.
func TestAPuffSpreadsByTaylorsLaw(t *testing.T) {
	const s, T = 0.9, 40.0
	for _, row := range []struct {
		age    int
		limit  float64 // of σ without the source's width
		within float64 // of the limit
	}{
		{4, s * 4, 0.02},                              // 1 - t/6T
		{40, s * T * math.Sqrt(2/math.E), 1e-12},      // exact at t = T: 2(1-1+1/e)
		{4000, s * math.Sqrt(2*(4000-T)*T), 1e-12},    // e^-100 is nothing
		{4000, s * math.Sqrt(2*4000*T), T / 4000},     // the far limit errs by half of T/t
		{400, s * math.Sqrt(2*400*T), 1.05 * T / 800}, // nearer, by a little more than half
	} {
		p := walk(PuffSettings{Sources: []Source{{Z: 10, RateKgS: 1}}, EveryS: 1e6, SigmaV: s, MeanderShare: 1e-12, TimescaleS: T}, 3, row.age, Wind{U: 2, HeightM: 10})
		f := p.puffs[0]
		centre, off1 := p.At(f.x, f.y, 10), p.At(f.x, f.y+row.limit, 10)
		got := row.limit / math.Sqrt(2*math.Log(centre/off1))
		want := math.Sqrt(2*s*s*T*T*(float64(row.age)/T-1+math.Exp(-float64(row.age)/T)) + SourceHalfWidthM*SourceHalfWidthM)
		if off(got, want, want) > 1e-6 {
			t.Errorf("%d s old: %g m wide, want %g by Taylor's law", row.age, got, want)
		}
		if alone := math.Sqrt(got*got - SourceHalfWidthM*SourceHalfWidthM); off(alone, row.limit, row.limit) > row.within+1e-6 {
			t.Errorf("%d s old: %g m without the source's width, want %g", row.age, alone, row.limit)
		}
	}
}

// Over many releases the mean plume's crosswind variance is that of the puff and of its wandering: by Taylor's law for both, the small eddies' with
// timescale T, the large ones' with 5T. Up to t = T/2 (a tenth of 5T) an eddy that is remembered whole differs from that by 3.3 % of its part; a variance of
// 4,000 releases is known to √(2/4000) = 2.2 %. Four of those and the bias: 13 % of the wandering part, which is half.
func TestTheMeanOfManyPuffsSpreadsByTaylorsLaw(t *testing.T) {
	const s, T, share, releases = 0.8, 20.0, 0.5, 4000
	law := func(s2, t, T float64) float64 { return 2 * s2 * T * T * (t/T - 1 + math.Exp(-t/T)) }
	sum, sum2, own := map[int]float64{}, map[int]float64{}, map[int]float64{}
	for seed := range uint64(releases) {
		p := NewPuffs(PuffSettings{Sources: []Source{{Z: 10, RateKgS: 1}}, EveryS: 501, SigmaV: s, MeanderShare: share, TimescaleS: T}, numeric.NewStream(seed, 9))
		w := Wind{U: 2.4, V: 1.8, HeightM: 10}
		p.Step(500, w) // so long after the start the eddies no longer know that they began at rest
		for age := 1; age <= 10; age++ {
			p.Step(1, w)
			if age < 2 {
				continue // the puff in question is released in the second of these seconds
			}
			f := p.puffs[len(p.puffs)-1]
			k, across := int(f.age), 0.8*f.y-0.6*f.x
			sum[k], sum2[k], own[k] = sum[k]+across/releases, sum2[k]+across*across/releases, f.sh*f.sh
		}
	}
	for _, age := range []int{3, 6, 9} {
		a := float64(age)
		wander := sum2[age] - sum[age]*sum[age]
		got, want := wander+own[age], law(s*s*(1-share), a, T)+law(s*s*share, a, 5*T)+SourceHalfWidthM*SourceHalfWidthM
		if off(got, want, law(s*s*share, a, 5*T)) > 0.13 {
			t.Errorf("after %d s the mean plume is %.3g m wide, want %.3g", age, math.Sqrt(got), math.Sqrt(want))
		}
		if centre := 4 * s * a / math.Sqrt(releases); math.Abs(sum[age]) > centre {
			t.Errorf("after %d s the mean plume lies %.3g m beside the wind, more than four standard errors, %.3g", age, sum[age], centre)
		}
	}
}

// Long after the start a load exp(g - σ²/2) with g normal has mean 1. Its variance is e^(σ²)-1; over 4,000 seeds and σ = 0.5 the mean is known to
// .53/√4000 = 0.84 %: four of those. Loads one timescale of two T apart have logarithms that correlate by 1/e, known to 1/√4000 = 1.6 %.
func TestLoadsFluctuateAboutTheRate(t *testing.T) {
	const sigma, T, seeds = 0.5, 10.0, 4000
	var mean, mean2, a1, a2, b1, ab float64
	for seed := range uint64(seeds) {
		p := NewPuffs(PuffSettings{Sources: []Source{{RateKgS: 3}}, EveryS: 2 * T, TimescaleS: T, Intermittency: sigma}, numeric.NewStream(seed, 2))
		for range 20 {
			p.Step(2*T, Wind{U: 2})
		}
		n := len(p.puffs)
		m := p.puffs[n-1].mass / (3 * 2 * T)
		mean, mean2 = mean+m/seeds, mean2+m*m/seeds
		a, b := math.Log(p.puffs[n-2].mass/60), math.Log(m)
		a1, a2, b1, ab = a1+a/seeds, a2+a*a/seeds, b1+b/seeds, ab+a*b/seeds
	}
	if math.Abs(mean-1) > 4*0.0084 {
		t.Errorf("loads have mean %.4f", mean)
	}
	if cov, v := ab-a1*b1, a2-a1*a1; math.Abs(cov/v-1/math.E) > 4*0.016 || math.Abs(v/(sigma*sigma)-1) > 4*math.Sqrt(2./seeds) {
		t.Errorf("logarithms of loads have variance %.4f, want %.4f, and correlate by %.3f, want %.3f", v, sigma*sigma, cov/v, 1/math.E)
	}
}

// Without turbulence a puff goes with the wind at its height: at that of the wind itself, less the 0.1 % that its own width, 0.3 m, adds to √(z²+.64σ²).
func TestAPuffGoesWithTheWind(t *testing.T) {
	for _, w := range []Wind{{U: 3, V: -4, HeightM: 8}, {U: -1, HeightM: 8}, {V: 2, HeightM: 8}} {
		p := walk(PuffSettings{Sources: []Source{{X: 7, Y: 5, Z: 8, RateKgS: 1}}, EveryS: 1e6}, 1, 50, w)
		f := p.puffs[0]
		if d := math.Hypot(f.x-7-50*w.U, f.y-5-50*w.V); d > 1e-3*50*w.Speed() || f.z != 8 {
			t.Errorf("wind %+v: at (%g, %g, %g) after 50 s", w, f.x, f.y, f.z)
		}
		if there, beside := p.At(f.x, f.y, 8), p.At(f.x+2, f.y, 8); there <= 0 || beside >= there/100 {
			t.Errorf("wind %+v: %g kg/m3 in the puff, %g two metres beside it", w, there, beside)
		}
	}
	low := walk(PuffSettings{Sources: []Source{{Z: 0.5, RateKgS: 1}}, EveryS: 1e6}, 1, 50, Wind{U: 5, HeightM: 10}).puffs[0]
	if want := 50 * 5 * math.Log(0.5/0.05) / math.Log(10/0.05); low.x < 0.9*want || low.x > 1.2*want { // its width carries it a little higher
		t.Errorf("near the ground a puff came to %g m, the log law at its height gives %g", low.x, want)
	}
}

func TestPuffsRepeatWithTheirSeed(t *testing.T) {
	run := func(seed uint64) string {
		set := PuffSettings{Sources: []Source{{Z: 2, RateKgS: 1}, {X: 20, Z: 2, RateKgS: 2}}, SigmaV: 0.7, SigmaW: 0.4, Intermittency: 0.6}
		p := walk(set, seed, 60, Wind{U: 3, V: 1, HeightM: 10})
		return fmt.Sprintf("%x %x %x", p.At(60, 20, 3), p.At(120, 40, 3), p.PathMean(50, -50, 2, 50, 100, 2, 100))
	}
	if run(1) != run(1) {
		t.Error("the same seed gave other bytes")
	}
	if run(1) == run(2) {
		t.Error("another seed gave the same air")
	}
}

// Midpoints over a Gaussian: n = 400 steps of 0.5 m across puffs more than 5 m wide are exact to e^(-2π²·100).
func TestPathMeanOfPuffsIsTheMeanOfAt(t *testing.T) {
	p := walk(PuffSettings{Sources: []Source{{Z: 10, RateKgS: 1}}, EveryS: 1e6, SigmaV: 1, SigmaW: 0.3}, 4, 30, Wind{U: 3, HeightM: 10})
	f := p.puffs[0]
	got := p.PathMean(f.x, f.y-250, 10, f.x, f.y+250, 10, 1000)
	// The mean over the line is ∫C dy/500, and ∫C dy = C(0)·√(2π)·σ but for what lies beyond six spreads, 2e-9.
	if want := p.At(f.x, f.y, 10) * math.Sqrt(2*math.Pi) * f.sh / 500; off(got, want, want) > 1e-8 {
		t.Errorf("mean %g, want %g", got, want)
	}
	if got := p.PathMean(0, 0, 1, 0, 0, 1, 3); got != p.At(0, 0, 1) {
		t.Errorf("a path of no length has the mean %g, want that of its place, %g", got, p.At(0, 0, 1))
	}
}

func TestCleanAirBeforeTheRelease(t *testing.T) {
	p := NewPuffs(PuffSettings{Sources: []Source{{RateKgS: 1}}}, numeric.NewStream(1, 1))
	if got := p.At(0, 0, 0); got != 0 {
		t.Errorf("%g kg/m3 before the first step", got)
	}
	none := walk(PuffSettings{SigmaV: 1}, 1, 20, Wind{U: 1})
	if got := none.At(0, 0, 0); got != 0 {
		t.Errorf("%g kg/m3 without a source", got)
	}
}
