package dispersion

import (
	"math"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/internal/storm"
	"github.com/atalaya-isr/atalaya/numeric"
)

// steadily is a history of one wind.
func steadily(w Wind, s Surface) *Drift { return NewDrift([]float64{0}, []Wind{w}, s) }

// In a steady wind a trail is the plume, but that its puffs spread along the wind as well. With σ = i·s and an axis that falls as s^-n, n between 1.5 and 2, the
// mean over the puffs at x is that over v = s/x, normal about 1 with spread i: E[v^(n-1)·exp(-q²(v²-1)/2)] = 1 + i²/2·(q⁴ - 3q² + (n-1)(n-2)) to second order, where q² adds
// up the spreads off the axis, across and up. As a share of the axis the bracket times exp(-q²/2) is at most 1.2: 0.6·i², of the source and of its mirror
// image each. The fourth order is as large again at i = ½. 2e-3 is left for the tables and the steps of the puffs.
func TestATrailInASteadyWindIsThePlume(t *testing.T) {
	for _, w := range []Wind{{U: 3, V: 1, HeightM: 10}, {U: -2, V: 4, HeightM: 2, SigmaTheta: 0.12, SigmaPhi: 0.06}} {
		for _, s := range []Surface{{HasClass: true, Class: 1}, {HasClass: true, Class: 3}, {HasClass: true, Class: 5}, {ObukhovM: -40, MixingHeightM: 300}} {
			p, tr := NewPlume(w, s), steadily(w, s).Trail(0, 0, 1500)
			for _, sh := range []*Bent{plain, (Shape{LnAy: 0.3, LnAz: -0.3, By: -0.1, Bz: 0.1}).Bend(), (Shape{LnAy: -0.5, LnAz: 0.4}).Bend()} {
				for _, h := range []float64{0.2, 1.5, 12, 60} {
					for _, x := range []float64{20, 100, 700} {
						sy, sz := p.Spreads(x, sh)
						axis := p.At(x, 0, h, h, sh, 0)
						i2 := sy * sy / (x * x)
						tol := 1.2*i2*(1+4*i2) + 2e-3
						for _, y := range []float64{0, -0.7, 1.5, 3} {
							for _, z := range []float64{0, h, h + sz, h + 2*sz} {
								got, want := tr.At(x, y*sy, z, h, sh, 0), p.At(x, y*sy, z, h, sh, 0)
								if off(got.C, want.C, axis.C) > tol {
									t.Errorf("%+v over %+v, %+v, source at %g m, (%g, %.3g, %.3g): C %.5g, the plume %.5g of %.5g on its axis; off %.2g, %.2g allowed", w, s, sh.Shape, h, x, y*sy, z, got.C, want.C, axis.C, off(got.C, want.C, axis.C), tol)
								}
								// Reach is of twice the variance: half of q⁴ - 3q², and twice i². Off by the same.
								if off(got.Reach, want.Reach, axis.C) > 2*tol {
									t.Errorf("%+v over %+v, source at %g m, (%g, %.3g, %.3g): Reach %.5g, the plume %.5g", w, s, h, x, y*sy, z, got.Reach, want.Reach)
								}
							}
						}
					}
				}
			}
		}
	}
}

// A turn of the trail to the left by δ takes a place at (x, y) to (x+yδ, y-xδ). Differences over δ = 1e-5 err by δ²/6·(x/σ)³ and by expNeg's 4e-11/δ; puffs that come
// within six spreads bring e^-18/δ. Widen is ∂C by ln σy, where the source's own width has no part (as in Plume).
func TestDerivativesOfATrail(t *testing.T) {
	tr := turning(120).Trail(600, 0, 1500)
	u := uniform(20)
	wide, narrow := Shape{}.Bend(), Shape{}.Bend()
	const d = 1e-4
	wide.Wide, narrow.Wide = math.Exp(d), math.Exp(-d)
	seen := 0
	for range 2000 {
		x, y, z, h := u(-50, 500), u(-300, 300), u(0, 30), u(0.3, 20)
		r := tr.At(x, y, z, h, plain, 0)
		if r.C < 1e-7 {
			continue
		}
		seen++
		const turn = 1e-5
		left := (tr.At(x+y*turn, y-x*turn, z, h, plain, 0).C - tr.At(x-y*turn, y+x*turn, z, h, plain, 0).C) / (2 * turn)
		if off(r.Turn, left, r.Reach) > 0.02 {
			t.Errorf("(%.4g, %.4g, %.3g): Turn %.6g, want %.6g of Reach %.5g", x, y, z, r.Turn, left, r.Reach)
		}
		widen := (tr.At(x, y, z, h, wide, 0).C - tr.At(x, y, z, h, narrow, 0).C) / (2 * d)
		if off(r.Widen, widen, r.Reach) > 0.01 { // the half width of the source, (0.3/5)² at 50 m, on Widen of up to 2
			t.Errorf("(%.4g, %.4g, %.3g): Widen %.6g, want %.6g of Reach %.5g", x, y, z, r.Widen, widen, r.Reach)
		}
		if r.Reach < r.C*(math.Sqrt2/2) {
			t.Errorf("(%.4g, %.4g, %.3g): Reach %.5g, C %.5g", x, y, z, r.Reach, r.C)
		}
	}
	if seen < 100 {
		t.Fatalf("%d places in the trail", seen)
	}
}

// turning is a wind of 3 m/s that turns from eastwards to northwards between 480 s and 480+over s, in steps of five seconds.
func turning(over float64) *Drift {
	var times []float64
	var winds []Wind
	for at := 0.0; at <= 900; at += 5 {
		share := min(max((at+2.5-480)/over, 0), 1)
		sin, cos := math.Sincos(share * math.Pi / 2)
		times, winds = append(times, at), append(winds, Wind{U: 3 * cos, V: 3 * sin, HeightM: 10})
	}
	return NewDrift(times, winds, Surface{RoughnessM: 1e-6})
}

// A path's mean is that of At over small steps. The closed form and expNeg agree to 1e-8; the sums err by (step/spread)²/24 (as pathSums) and short paths by 3e-5.
func TestPathMeanOfATrailAgreesWithSmallSteps(t *testing.T) {
	u := uniform(21)
	for _, lid := range []float64{0, 60} {
		w, s := Wind{U: 2, V: 1, HeightM: 3}, Surface{HasClass: true, Class: 2, MixingHeightM: lid}
		tr := NewDrift([]float64{0, 300}, []Wind{{U: 1, V: 2.5, HeightM: 3}, w}, s).Trail(400, 0, 800)
		seen := 0
		for range 150 {
			x, y := u(-20, 400), u(-150, 150)
			length, turn := math.Exp(u(math.Log(0.5), math.Log(300))), u(0, 2*math.Pi)
			xb, yb, za, zb, h := x+length*math.Cos(turn), y+length*math.Sin(turn), u(0, 30), u(0, 30), u(0.2, 20)
			got := tr.PathMean(x, y, za, xb, yb, zb, h, plain, 0)
			var want Response
			const n = 1500
			for i := range n {
				f := (float64(i) + 0.5) / n
				want.Add(1./n, tr.At(x+f*(xb-x), y+f*(yb-y), za+f*(zb-za), h, plain, 0))
			}
			if want.Reach < 1e-8 || want.C < 1e-3*want.Reach { // five spreads off, where the cut is what counts
				continue
			}
			seen++
			// At cuts each puff at six spreads, where the path goes on to its end: e^-18 of the axis in C, Turn and Widen, e^-9 in Reach. Within three spreads, where
			// Reach is e^-2.25 of the axis, that is 1.2e-3 of it, on both sides.
			scale, reach := want.Reach, want.C > 0.1*want.Reach
			if off(got.C, want.C, scale) > 2e-4 || reach && off(got.Reach, want.Reach, scale) > 2.4e-3 || off(got.Turn, want.Turn, scale*20) > 2e-4 || off(got.Widen, want.Widen, scale) > 5e-4 {
				t.Errorf("lid %g, from (%.4g, %.4g, %.3g) to (%.4g, %.4g, %.3g), source at %.3g m: %.6g, want %.6g", lid, x, y, za, xb, yb, zb, h, got, want)
			}
		}
		if seen < 30 {
			t.Fatalf("%d paths through the trail", seen)
		}
	}
}

// simulated gives a drift the spreads of the simulator's puffs (Taylor's law, at the speed u), so that what is compared is how they are carried and thinned out. The variances
// are those of the puff and of its wandering together.
func simulated(d *Drift, u float64, set PuffSettings, big float64) *Drift {
	small := math.Sqrt(set.SigmaV*set.SigmaV - big*big)
	law := func(s, age, tl float64) float64 {
		v := taylor(s, age, tl)
		return v*v - SourceHalfWidthM*SourceHalfWidthM
	}
	for _, p := range d.plumes {
		p.sy = newCurve(xFirst, xLast, func(x float64) float64 {
			return math.Sqrt(law(small, x/u, set.TimescaleS) + law(big, x/u, 5*set.TimescaleS))
		})
		p.sz = newCurve(xFirst, xLast, func(x float64) float64 { return math.Sqrt(law(set.SigmaW, x/u, set.TimescaleS/3)) })
	}
	return d
}

// Puffs of the simulator without meander, a quarter of a second apart, in a wind that turns by a right angle. They are released up to a step too early or late, which moves
// them by 0.75 m at 3 m/s: 0.75/σ of the axis at the worst, σ = 8 m and more after a hundred metres: 9 %·e^-½. They are carried by the wind at √(z²+.64σz²), the trail by the mean over
// the plume: over 1e-6 m of roughness, from a source at the wind's own height, that is within 1 % of the speed and so of the way, 2 m in 200, where σ is 20 m: another 10 %·e^-½. Together 12 %; both are faults of place, which cancel over the
// two sides: of the sum a third.
func TestATrailLiesWhereTheSimulatorsPuffsLie(t *testing.T) {
	set := PuffSettings{Sources: []Source{{Z: 10, RateKgS: 1}}, EveryS: 0.25, SigmaV: 0.4, SigmaW: 0.2, MeanderShare: 1e-12, TimescaleS: 60, Surface: Surface{RoughnessM: 1e-6}}
	d := simulated(turning(60), 3, set, 0)
	p := NewPuffs(set, numeric.NewStream(1, 1))
	for at := 300.0; at < 600; at += 0.25 {
		p.Step(0.25, d.winds[d.step(at)])
	}
	compareTrails(t, d.Trail(600, 0, 800), p.At, 0.15)
}

// With meander, the mean of many releases. Eddies that are remembered whole for their life of five timescales spread up to 3 % more than Taylor's law in the time that counts (as
// TestTheMeanOfManyPuffsSpreadsByTaylorsLaw); an ensemble of 300 knows a mean that fluctuates by its own size to 6 %: four of those, beside what is said above for steps of one second.
func TestATrailIsTheMeanOfManySimulatedReleases(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: 300 releases were not simulated")
	}
	const runs = 300
	set := PuffSettings{Sources: []Source{{Z: 10, RateKgS: 1}}, EveryS: 1, SigmaV: 0.5, SigmaW: 0.2, MeanderShare: 0.5, TimescaleS: 60, Surface: Surface{RoughnessM: 1e-6}}
	d := simulated(turning(60), 3, set, set.SigmaV*math.Sqrt(0.5))
	fields := make([]*Puffs, runs)
	numeric.Each(runs, func(i int) {
		p := NewPuffs(set, numeric.NewStream(uint64(i), 77))
		p.Step(1500, Wind{U: 3, HeightM: 10}) // its eddies begin at rest
		p.puffs = nil
		for at := 400.0; at < 600; at++ {
			p.Step(1, d.winds[d.step(at)])
		}
		fields[i] = p
	})
	compareTrails(t, d.Trail(600, 0, 500), func(x, y, z float64) (c float64) {
		for _, p := range fields {
			c += p.At(x, y, z) / runs
		}
		return c
	}, 0.3)
}

// compareTrails looks along the bent trail, and a spread to either side, at what the simulator has there. The largest value across stands for the axis. At each age the trail's own
// place is asked of its puffs.
func compareTrails(t *testing.T, tr *Trail, simulated func(x, y, z float64) float64, within float64) {
	t.Helper()
	part := &tr.parts[0]
	var worst, got, want float64
	for j := range part.weight {
		f := part.at[1][j] // of a source at 4 m, near enough to 10 m
		if f.way < 80 || f.way > 400 || j%4 != 0 {
			continue
		}
		sy, _ := tr.plume.Spreads(f.way, plain)
		n := drifted{x: part.at[1][j+1].x - f.x, y: part.at[1][j+1].y - f.y}
		l := math.Hypot(n.x, n.y)
		for _, side := range []float64{-1.5, -0.7, 0, 0.7, 1.5} {
			x, y := f.x-side*sy*n.y/l, f.y+side*sy*n.x/l
			east, north := tr.plume.cos*x-tr.plume.sin*y, tr.plume.sin*x+tr.plume.cos*y
			a, b := tr.At(x, y, 8, 10, plain, 0).C, simulated(east, north, 8)
			axis := tr.At(f.x, f.y, 10, 10, plain, 0).C
			got, want = got+a, want+b
			if e := off(a, b, axis); e > within {
				t.Errorf("%.0f m along the trail, %.1f spreads beside it: %.4g, simulated %.4g, of %.4g on its axis", f.way, side, a, b, axis)
			} else {
				worst = max(worst, e)
			}
		}
	}
	t.Logf("the worst is off by %.2g of the axis; all together %.4g of the simulator's", worst, got/want)
	if math.Abs(got/want-1) > within/3 { // faults of place cancel over both sides
		t.Errorf("together %.4g of what is simulated", got/want)
	}
}

// The world rotates and the answer with it; and a history that never changes is a wind.
func TestTurningTheHistoryTurnsTheTrail(t *testing.T) {
	a, b := turning(90), turning(90)
	sin, cos := math.Sincos(0.7)
	for i, w := range a.winds {
		b.winds[i].U, b.winds[i].V = w.U*cos-w.V*sin, w.U*sin+w.V*cos
	}
	b = NewDrift(b.times, b.winds, Surface{RoughnessM: 1e-6})
	ta, tb := a.Trail(590, 60, 600), b.Trail(590, 60, 600)
	u := uniform(22)
	for range 300 {
		e, n := u(-50, 500), u(-50, 500)
		ax, ay := ta.Downwind(e, n, 0)
		bx, by := tb.Downwind(e*cos-n*sin, e*sin+n*cos, 0)
		got, want := tb.At(bx, by, 3, 5, plain, 0), ta.At(ax, ay, 3, 5, plain, 0)
		if off(got.C, want.C, want.Reach+1e-12) > 1e-7 { // expNeg, and puffs at the cut
			t.Errorf("(%.4g, %.4g): %g, turned %g", e, n, want.C, got.C)
		}
	}
}

// Gas that is released is in the air: the concentrations over all space hold the rate times the time since the history's puffs were followed, where a lid keeps them
// within reach and the wind stands still. Three metres of step against spreads of five and more.
func TestInCalmAirGasStaysAtTheSource(t *testing.T) {
	calm := steadily(Wind{U: 0.05, HeightM: 2}, Surface{HasClass: true, Class: 3})
	tr := calm.Trail(0, 0, 200)
	near, up, far := tr.At(3, 0, 1, 1, plain, 0).C, tr.At(-3, 0, 1, 1, plain, 0).C, tr.At(30, 0, 1, 1, plain, 0).C
	if !(near > far && up > far && far > 0) {
		t.Errorf("in calm air 3 m downwind %g, 3 m upwind %g, 30 m downwind %g", near, up, far)
	}
	// What lies upwind in a wind worth the name is nothing beyond the puffs' own width.
	if got := steadily(Wind{U: 4, HeightM: 2}, Surface{}).Trail(0, 0, 200).At(-5, 0, 1, 1, plain, 0); got.C > 1e-6*near {
		t.Errorf("5 m upwind in a wind of 4 m/s: %+v", got)
	}
}

func TestWhenAPlumeIsSteady(t *testing.T) {
	heading := func(deg, speed float64) Wind {
		sin, cos := math.Sincos(deg * math.Pi / 180)
		return Wind{U: speed * cos, V: speed * sin, HeightM: 10}
	}
	d := NewDrift([]float64{0, 60, 120, 180}, []Wind{heading(0, 3), heading(10, 3), heading(26, 3), heading(26, 1.2)}, Surface{})
	for _, row := range []struct {
		claim    string
		t, reach float64
		want     bool
	}{
		{"a turn of ten degrees is none", 119, 300, true},
		{"nor is the turn before the gas was released", 170, 100, true},
		{"sixteen degrees within the travel time", 170, 200, false},
		{"before the history began the wind was as then", 30, 5000, true},
		{"a weak wind", 200, 10, false},
		{"after the history the wind is as last", 9000, 10, false},
	} {
		if got := d.Steady(row.t, row.reach); got != row.want {
			t.Errorf("%s: at %g s, %g m, steady %v", row.claim, row.t, row.reach, got)
		}
	}
	if !NewDrift([]float64{0, 60}, []Wind{heading(0, 2), heading(0, 2)}, Surface{}).Steady(90, 1000) || NewDrift([]float64{0, 60}, []Wind{heading(0, 1), heading(0, 2)}, Surface{}).Steady(90, 1000) {
		t.Error("a wind that was weak within the travel time is not steady, one that never was is")
	}
}

func TestAHistoryMustBeInOrder(t *testing.T) {
	for _, times := range [][]float64{nil, {0}, {0, 0}, {1, 0}, {0, math.NaN()}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a history at %v with two winds was taken", times)
				}
			}()
			NewDrift(times, make([]Wind, 2), Surface{})
		}()
	}
}

// Whatever the wind did, a trail has an end, and its answers are finite.
func FuzzTrail(f *testing.F) {
	f.Add(3.0, 0.0, -3.0, 0.1, 60.0, 600.0, 0.05, 1.0, 50.0, 10.0, 2.0)
	f.Add(0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 5.0, 0.0, 0.0, 0.0)
	f.Add(20.0, 1.0, -0.01, 9.0, 1e4, 1e4, 0.0, 0.0, 3000.0, -3000.0, 300.0)
	storm.Fuzz(f, func(t testing.TB, u0, v0, u1, v1, after, over, theta, class, x, y, h float64) {
		for _, n := range []*float64{&u0, &v0, &u1, &v1, &after, &over, &theta, &class, &x, &y, &h} {
			if math.IsNaN(*n) || math.Abs(*n) > 1e5 {
				t.Skip("no measurement")
			}
		}
		w := func(u, v float64) Wind {
			return Wind{U: math.Mod(u, 60), V: math.Mod(v, 60), HeightM: 5, SigmaTheta: math.Abs(theta)}
		}
		d := NewDrift([]float64{0, 30 + math.Abs(after)}, []Wind{w(u0, v0), w(u1, v1)}, Surface{HasClass: true, Class: class})
		tr := d.Trail(after, math.Abs(over), math.Abs(x)+math.Abs(y))
		h = math.Abs(h)
		for _, r := range []Response{tr.At(x, y, h/2, h, plain, 0), tr.PathMean(x, y, 0, -x, y+1, h, h, plain, 1)} {
			for _, c := range []float64{r.C, r.Reach, math.Abs(r.Turn), math.Abs(r.Widen)} {
				if !(c >= 0) || math.IsInf(c, 0) {
					t.Fatalf("%+v", r)
				}
			}
		}
	})
}

// BenchmarkTrail gives the cost of a trail over that of a plume at the same places, in the same run.
func BenchmarkTrail(b *testing.B) {
	w, s := Wind{U: 4, HeightM: 10}, Surface{RoughnessM: 0.1}
	against(b, steadily(w, s).Trail(0, 0, 1000), NewPlume(w, s), func(m Model, f float64) float64 {
		return m.At(50+400*f, 30*(f-0.5), 10, 4, plain, 0).C
	})
}

func BenchmarkTrailPathMean(b *testing.B) {
	w := Wind{U: 2.5, HeightM: 1.6, SigmaTheta: 0.25, SigmaPhi: 0.15}
	against(b, steadily(w, Surface{}).Trail(0, 0, 200), NewPlume(w, Surface{}), func(m Model, f float64) float64 {
		return m.PathMean(8+2*f, -30, 1.6, 20+2*f, 10, 1.6, 0.5, plain, 0).C
	})
}

func against(b *testing.B, ours, theirs Model, ask func(m Model, f float64) float64) {
	var c float64
	timed := func(m Model, n int) float64 {
		began := time.Now()
		for i := range n {
			c += ask(m, float64(i&1023)/1024)
		}
		return time.Since(began).Seconds() / float64(n)
	}
	var ratios []float64
	for left := b.N; left > 0; left -= 1024 { // in turn, so that what slows the machine slows both
		n := min(left, 1024)
		a := timed(ours, n)
		ratios = append(ratios, a/timed(theirs, n))
	}
	if !(c > 0) {
		b.Fatal("nothing arrives")
	}
	b.ReportMetric(numeric.Median(ratios), "plumes/op")
}

// BenchmarkTrailMade is the making of one trail, 1 km long, in a wind of minutes.
func BenchmarkTrailMade(b *testing.B) {
	d := turning(120)
	for range b.N {
		if tr := d.Trail(600, 0, 1000); len(tr.parts) != 1 {
			b.Fatal("no trail")
		}
	}
}
