package bench

import (
	"math"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/numeric"
)

// Two pairs by hand: (2, 1) and (3, 6) differ by factors 2 and 1/2.
func TestAgreementByHand(t *testing.T) {
	got := Agree([]float64{2, 3, 8}, []float64{1, 6, 2})
	l := math.Ln2
	want := Agreement{3, 2. / 3, math.Exp(2 * l / 3), math.Exp(6 * l * l / 3), 2 * (13. - 9) / 22, 3 * (1 + 9 + 36) / (13. * 9)}
	for _, row := range [][2]float64{{got.FAC2, want.FAC2}, {got.MG, want.MG}, {got.VG, want.VG}, {got.FB, want.FB}, {got.NMSE, want.NMSE}} {
		if math.Abs(row[0]-row[1]) > 1e-12 { // a few roundings
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

func prairieGrass(t *testing.T) []Arc {
	t.Helper()
	arcs, err := PrairieGrassArcs(fixture.Shared(t, "gas/prairie-grass"))
	if err != nil {
		t.Fatal(err)
	}
	if len(arcs) < 125 { // 26 runs of five arcs, of which a few list fewer than three samplers
		t.Fatalf("%d arcs", len(arcs))
	}
	return arcs
}

// The goals of issue 3: FAC2 ≥ 0.85, geometric variance ≤ 1.3, mean bias within 10 %. Nothing is fitted to these data: the forms and their constants are as
// published. And what was measured must be worth having: less of it does worse.
func TestPrairieGrassForward(t *testing.T) {
	arcs := prairieGrass(t)
	for _, f := range Forwards {
		for _, c := range f.Check(arcs) {
			t.Logf("%-22s %3g m  %s  sigma-y median %.2f VG %.2f", f.Name, c.RadiusM, c.Maxima, c.MedianSigmaY, c.SigmaY.VG)
		}
	}
	var calm []Arc // nights whose Obukhov length is ten metres or so: for the record
	for _, a := range arcs {
		if a.Surface.ObukhovM > 0 && a.Surface.ObukhovM < 20 {
			calm = append(calm, a)
		}
	}
	t.Logf("L of 0 to 20 m: %s", Forwards[0].Check(calm)[0].Maxima)
	full, class := Forwards[0].Check(arcs), Forwards[len(Forwards)-1].Check(arcs)
	if a := full[0].Maxima; a.FAC2 < 0.85 || a.VG > 1.3 || a.MG < 0.9 || a.MG > 1.1 {
		t.Errorf("%s; want FAC2 0.85, VG 1.3, MG 0.9 to 1.1", a)
	}
	if full[0].Maxima.VG >= class[0].Maxima.VG {
		t.Errorf("with all that was measured VG is %.2f, with the class alone %.2f", full[0].Maxima.VG, class[0].Maxima.VG)
	}
	for i, c := range full[1:] {
		if a, b := c.SigmaY.VG, class[i+1].SigmaY.VG; a >= b {
			t.Errorf("at %g m the spread by sigma-theta has a geometric variance of %.2f, that by the class %.2f", c.RadiusM, a, b)
		}
	}
}

// Other published forms, in place of ours, for the record: the figures of decision 0010.
func TestOtherPublishedForms(t *testing.T) {
	arcs := prairieGrass(t)
	across := []struct {
		name string
		of   func(a Arc) float64
	}{
		{"Pasquill 1976", pasquill},
		{"Draxler 1976, 300 s", draxler(300)},
		{"Draxler as Irwin 1979 took it, 1000 s", draxler(1000)},
		{"no decay, x tan(sigma-theta)", func(a Arc) float64 { return a.RadiusM * math.Tan(a.Wind.SigmaTheta) }},
	}
	for _, y := range across {
		for _, full := range []bool{true, false} {
			f, name := Forwards[0], "similarity"
			if !full {
				f, name = Forwards[2], "Briggs"
			}
			other := Forward{y.name, func(a Arc) (float64, float64) {
				c, sy := f.Predict(a)
				return c * sy / y.of(a), y.of(a)
			}}
			for _, c := range other.Check(arcs) {
				t.Logf("sigma-y by %-38s sigma-z by %-10s %3g m  %s  sigma-y median %.2f VG %.2f", y.name, name, c.RadiusM, c.Maxima, c.MedianSigmaY, c.SigmaY.VG)
			}
		}
	}
	// The form in use is the first of the list: the same agreement to the half width of the source.
	mine, ours := Forwards[0].Check(arcs)[0].MedianSigmaY, numeric.Median(ratios(arcs, across[0].of))
	if math.Abs(mine/ours-1) > 6e-3 { // (0.3 m / 5 m)²/2 and the tables' 4e-3
		t.Errorf("median ratio of spreads %.4f, by the formula %.4f", mine, ours)
	}
}

func ratios(arcs []Arc, f func(Arc) float64) []float64 {
	var out []float64
	for _, a := range arcs {
		out = append(out, a.SigmaY/f(a))
	}
	return out
}

func draxler(ti float64) func(a Arc) float64 {
	return func(a Arc) float64 {
		return a.RadiusM * math.Tan(a.Wind.SigmaTheta) / (1 + 0.9*math.Sqrt(a.RadiusM/a.Wind.Speed()/ti))
	}
}

// pasquill is σθ·x·f(x) with his table of f, 0.8 at 100 m to 0.6 at 1 km, between them by ln x; 0.9 at 50 m, halfway from 1.
func pasquill(a Arc) float64 {
	x := []float64{50, 100, 200, 400, 1000}
	f := []float64{0.9, 0.8, 0.7, 0.65, 0.6}
	k := 1
	for a.RadiusM > x[k] {
		k++
	}
	share := math.Log(a.RadiusM/x[k-1]) / math.Log(x[k]/x[k-1])
	return a.RadiusM * a.Wind.SigmaTheta * (f[k-1] + share*(f[k]-f[k-1]))
}

// What passes the arc at 100 m must be what was released, and this tells whether the experiment's correction factors, which are below one, multiply the values or
// divide them. The integral across comes from the arc at 1.5 m, its fall with height from the six towers together, the wind from the log law. A run's balance
// is good to about 20 % (towers 14° apart), the median of 20 to 1.25·20 %/√20 = 6 %. Multiplied, the values must balance within two of that; divided they
// would lie twice the mean correction, 11 %, higher.
func TestPrairieGrassMassBalance(t *testing.T) {
	arcs := prairieGrass(t)
	rows, err := table(filepath.Join(fixture.Shared(t, "gas/prairie-grass"), "towers.csv"))
	if err != nil {
		t.Fatal(err)
	}
	heights := []float64{0.5, 1, 1.5, 2.5, 4.5, 7.5, 10.5, 13.5, 17.5}
	sum := map[[2]float64]float64{}
	for _, row := range rows[1:] {
		var v [3]float64
		for i, k := range []int{0, 4, 5} {
			if v[i], err = strconv.ParseFloat(row[k], 64); err != nil {
				t.Fatal(err)
			}
		}
		sum[[2]float64{v[0], v[1]}] += v[2]
	}
	var balance []float64
	for _, a := range arcs {
		at := func(z float64) float64 { return sum[[2]float64{float64(a.Run), z}] }
		if a.RadiusM != 100 || at(1.5) == 0 {
			continue
		}
		flux := 0.0
		for i, z := range heights {
			lo, hi := 0.0, heights[len(heights)-1]
			if i > 0 {
				lo = (heights[i-1] + z) / 2
			}
			if i < len(heights)-1 {
				hi = (z + heights[i+1]) / 2
			}
			flux += (hi - lo) * a.Wind.Speed() * a.Surface.WindRatio(z, a.Wind.HeightM) * a.Across * at(z) / at(1.5)
		}
		balance = append(balance, flux/a.RateKgS)
	}
	mid := numeric.Median(balance)
	t.Logf("%d runs: median %.2f of the release, quartiles %.2f and %.2f", len(balance), mid, numeric.Quantile(balance, 0.25), numeric.Quantile(balance, 0.75))
	if len(balance) != 20 || math.Abs(mid-1) > 0.12 {
		t.Errorf("%d runs balance to %.2f, want 20 and 1", len(balance), mid)
	}
}

// Without the shared folder the benchmark says so and goes on.
func TestForwardSaysThatThereIsNoSharedFolder(t *testing.T) {
	t.Setenv("ATALAYA_SHARED", filepath.Join(t.TempDir(), "nothing"))
	var said []string
	got, err := forwardModels(t.Context(), Options{Talk: func(s string) { said = append(said, s) }})
	if err != nil || len(got) != 0 || len(said) != 1 {
		t.Errorf("%d cases, said %q, error %v", len(got), said, err)
	}
}

// A release and its arcs that are made by the plume itself agree with it whole.
func TestThePlumeAgreesWithItself(t *testing.T) {
	var arcs []Arc
	for _, r := range []float64{50, 100, 200, 400, 800} {
		a := Arc{RadiusM: r, Wind: dispersion.Wind{U: 5, HeightM: 2, SigmaTheta: 0.15}, Surface: dispersion.Surface{RoughnessM: 0.006, ObukhovM: -30}, SourceZ: 0.46, RateKgS: 0.08, SampleZ: 1.5}
		a.Max, a.SigmaY = Forwards[0].Predict(a)
		arcs = append(arcs, a)
	}
	if got := Forwards[0].Check(arcs)[0]; got.Maxima.FAC2 != 1 || got.Maxima.MG != 1 || got.Maxima.VG != 1 || got.Maxima.NMSE != 0 || got.MedianSigmaY != 1 {
		t.Errorf("%+v", got)
	}
}
