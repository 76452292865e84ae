package dispersion

import (
	"math"
	"testing"
)

// A printed row is one stability class.
type printed struct {
	class          string
	sigmaY, sigmaZ func(x float64) float64
}

// The table as Gifford printed it in 1976 and textbooks since (Fundamentals of Air Pollution, 3rd ed. 1994, table 19-7), formula by formula; the package
// holds it as coefficients.
var printedBriggs = []printed{
	{"A", func(x float64) float64 { return 0.22 * x / math.Sqrt(1+0.0001*x) }, func(x float64) float64 { return 0.20 * x }},
	{"B", func(x float64) float64 { return 0.16 * x / math.Sqrt(1+0.0001*x) }, func(x float64) float64 { return 0.12 * x }},
	{"C", func(x float64) float64 { return 0.11 * x / math.Sqrt(1+0.0001*x) }, func(x float64) float64 { return 0.08 * x / math.Sqrt(1+0.0002*x) }},
	{"D", func(x float64) float64 { return 0.08 * x / math.Sqrt(1+0.0001*x) }, func(x float64) float64 { return 0.06 * x / math.Sqrt(1+0.0015*x) }},
	{"E", func(x float64) float64 { return 0.06 * x / math.Sqrt(1+0.0001*x) }, func(x float64) float64 { return 0.03 * x / (1 + 0.0003*x) }},
	{"F", func(x float64) float64 { return 0.04 * x / math.Sqrt(1+0.0001*x) }, func(x float64) float64 { return 0.016 * x / (1 + 0.0003*x) }},
}

// The urban half of the same table.
var printedBriggsUrban = []printed{
	{"A", func(x float64) float64 { return 0.32 * x / math.Sqrt(1+0.0004*x) }, func(x float64) float64 { return 0.24 * x * math.Sqrt(1+0.001*x) }},
	{"B", func(x float64) float64 { return 0.32 * x / math.Sqrt(1+0.0004*x) }, func(x float64) float64 { return 0.24 * x * math.Sqrt(1+0.001*x) }},
	{"C", func(x float64) float64 { return 0.22 * x / math.Sqrt(1+0.0004*x) }, func(x float64) float64 { return 0.20 * x }},
	{"D", func(x float64) float64 { return 0.16 * x / math.Sqrt(1+0.0004*x) }, func(x float64) float64 { return 0.14 * x / math.Sqrt(1+0.0003*x) }},
	{"E", func(x float64) float64 { return 0.11 * x / math.Sqrt(1+0.0004*x) }, func(x float64) float64 { return 0.08 * x / math.Sqrt(1+0.0015*x) }},
	{"F", func(x float64) float64 { return 0.11 * x / math.Sqrt(1+0.0004*x) }, func(x float64) float64 { return 0.08 * x / math.Sqrt(1+0.0015*x) }},
}

const roundings = 1e-12 // a few dozen float64 operations, exp and log among them, on numbers of order one

// asPrinted compares the forms with their table, formula by formula.
func asPrinted(t *testing.T, table []printed, spreads func(x, class, averagingS float64) (sy, sz float64)) {
	t.Helper()
	for k, row := range table {
		for _, x := range []float64{1, 100, 1000, 10000} {
			sy, sz := spreads(x, float64(k), 600)
			if wy, wz := row.sigmaY(x), row.sigmaZ(x); off(sy, wy, wy) > roundings || off(sz, wz, wz) > roundings {
				t.Errorf("class %s at %g m: %g and %g, the table gives %g and %g", row.class, x, sy, sz, wy, wz)
			}
		}
	}
}

func TestBriggsAsPrinted(t *testing.T) {
	asPrinted(t, printedBriggs, BriggsRural)
	// One by hand: 80/√1.1 and 60/√2.5.
	sy, sz := BriggsRural(1000, 3, 600)
	if math.Abs(sy-76.277) > 5e-4 || math.Abs(sz-37.947) > 5e-4 {
		t.Errorf("class D at 1 km: %.3f and %.3f m, want 76.277 and 37.947", sy, sz)
	}
}

func TestBriggsInTownAsPrinted(t *testing.T) {
	asPrinted(t, printedBriggsUrban, BriggsUrban)
	// One by hand: 160/√1.4 and 140/√1.3.
	sy, sz := BriggsUrban(1000, 3, 600)
	if math.Abs(sy-135.225) > 5e-4 || math.Abs(sz-122.788) > 5e-4 {
		t.Errorf("class D at 1 km: %.3f and %.3f m, want 135.225 and 122.788", sy, sz)
	}
	// Continuous over the classes, and wider than open country within each. No two neighbours differ by more than a factor 5 (σz of B and C at 10 km is
	// 1.99·..., that of C and D 2.9): 1e-6 of a class changes a spread by less than ln 5 = 1.6 of 1e-6.
	for x := 30.0; x <= 10000; x *= 1.7 {
		for class := 0.0; class <= 5; class += 0.125 {
			y0, z0 := BriggsUrban(x, class-5e-7, 600)
			y1, z1 := BriggsUrban(x, class+5e-7, 600)
			if off(y0, y1, y1) > 1.7e-6 || off(z0, z1, z1) > 1.7e-6 {
				t.Errorf("a jump at class %g, %g m", class, x)
			}
			ry, rz := BriggsRural(x, class, 600)
			if x <= 4000 && (y1 <= ry || z1 <= rz) {
				t.Errorf("class %g at %g m: %g and %g in town, %g and %g in the country", class, x, y1, z1, ry, rz)
			}
		}
	}
}

func TestTheGroundDecidesBetweenTownAndCountry(t *testing.T) {
	rural := func(class float64) float64 { y, _ := BriggsRural(700, class, 0); return y }
	urban := func(class float64) float64 { y, _ := BriggsUrban(700, class, 0); return y }
	for _, row := range []struct {
		claim   string
		surface Surface
		want    float64
	}{
		{"unknown ground is country", Surface{}, rural(3)},
		{"low crops are country", Surface{RoughnessM: 0.1}, rural(3)},
		{"a metre of roughness is a town", Surface{RoughnessM: UrbanRoughnessM}, urban(3)},
		{"less is not", Surface{RoughnessM: 0.99}, rural(3)},
		{"a town may be stated", Surface{RoughnessM: 0.4, Cover: Urban}, urban(3)},
		{"and so may country: a wood", Surface{RoughnessM: 1.5, Cover: Rural}, rural(3)},
		{"classes hold in town", Surface{Cover: Urban, HasClass: true, Class: 4.5}, urban(4.5)},
	} {
		got, _ := NewPlume(Wind{U: 3}, row.surface).Spreads(700, plain)
		if want := math.Hypot(row.want, SourceHalfWidthM); off(got, want, want) > 1e-3 { // the tables' ½/8/64
			t.Errorf("%s: σy = %g m, want %g", row.claim, got, want)
		}
	}
}

func TestBriggsBetweenClassesIsTheGeometricMean(t *testing.T) {
	for k := range 5 {
		for _, f := range []float64{0.25, 0.5, 0.9} {
			a, b := printedBriggs[k], printedBriggs[k+1]
			mean := func(p, q float64) float64 { return math.Pow(p, 1-f) * math.Pow(q, f) }
			sy, sz := BriggsRural(700, float64(k)+f, 600)
			if wy, wz := mean(a.sigmaY(700), b.sigmaY(700)), mean(a.sigmaZ(700), b.sigmaZ(700)); off(sy, wy, wy) > roundings || off(sz, wz, wz) > roundings {
				t.Errorf("%g of the way from %s to %s: %g and %g, want %g and %g", f, a.class, b.class, sy, sz, wy, wz)
			}
		}
	}
}

// The table is meant for 0.1 to 10 km; there spreads grow with distance and shrink with stability, and never jump: neighbouring classes differ by at
// most a factor 3.1 (σz of C and D at 10 km), so that 1e-6 of a class changes a spread by ln 3.1 = 1.13 of 1e-6.
func TestBriggsIsMonotonousAndContinuous(t *testing.T) {
	for x := 100.0; x <= 10000; x *= 1.3 {
		lastY, lastZ := math.Inf(1), math.Inf(1)
		for class := 0.0; class <= 5; class += 0.125 {
			sy, sz := BriggsRural(x, class, 600)
			if sy >= lastY || sz >= lastZ {
				t.Errorf("class %g at %g m: %g and %g, no smaller than in the class before", class, x, sy, sz)
			}
			lastY, lastZ = sy, sz
			farY, farZ := BriggsRural(1.3*x, class, 600)
			if farY <= sy || farZ <= sz {
				t.Errorf("class %g: %g and %g at %g m, no larger farther out", class, farY, farZ, x)
			}
		}
		for border := 1.0; border <= 4; border++ {
			y0, z0 := BriggsRural(x, border-5e-7, 600)
			y1, z1 := BriggsRural(x, border+5e-7, 600)
			if off(y0, y1, y1) > 1.2e-6 || off(z0, z1, z1) > 1.2e-6 {
				t.Errorf("a jump at class %g, %g m: from %g and %g to %g and %g", border, x, y0, z0, y1, z1)
			}
		}
	}
	for _, row := range []struct{ class, as float64 }{{-1, 0}, {6, 5}} {
		y0, z0 := BriggsRural(500, row.class, 600)
		if y1, z1 := BriggsRural(500, row.as, 600); y0 != y1 || z0 != z1 {
			t.Errorf("class %g: %g and %g, want those of class %g, %g and %g", row.class, y0, z0, row.as, y1, z1)
		}
	}
}

func TestAveragingStretchesTheCrosswindSpread(t *testing.T) {
	y10, z10 := BriggsRural(500, 2, 600)
	for _, row := range []struct {
		claim            string
		seconds, stretch float64
	}{
		{"not known is ten minutes", 0, 1},
		{"three minutes", 180, math.Pow(0.3, 0.2)},
		{"half an hour", 1800, math.Pow(3, 0.2)},
		{"a second counts as a minute", 1, math.Pow(0.1, 0.2)},
		{"a day counts as an hour", 86400, math.Pow(6, 0.2)},
	} {
		y, z := BriggsRural(500, 2, row.seconds)
		if off(y, y10*row.stretch, y) > roundings || z != z10 {
			t.Errorf("%s: %g and %g, want %g and %g", row.claim, y, z, y10*row.stretch, z10)
		}
	}
}

// Pasquill's f as printed, at the distances of his table. Where the pieces meet the slope of f by ln x jumps, at 10 km the most, by 0.09; a chord over an eighth of an octave errs by a
// quarter of that times its length, .118, of .33: 8e-3. Up: 2e-3, the tables' ½/8/64, twice, since the source's width in quadrature shares it.
func TestMeasuredTurbulenceSpreadsThePlume(t *testing.T) {
	deg := math.Pi / 180
	for _, row := range []struct {
		claim              string
		wind               Wind
		surface            Surface
		u, theta, phi, tiZ float64
	}{
		{"unstable", Wind{U: 3, SigmaTheta: 12 * deg, SigmaPhi: 7 * deg}, Surface{ObukhovM: -20}, 3, 12 * deg, 7 * deg, 500},
		{"neutral", Wind{V: -3, SigmaTheta: 12 * deg, SigmaPhi: 7 * deg}, Surface{}, 3, 12 * deg, 7 * deg, 500},
		{"stable", Wind{U: 3, SigmaTheta: 5 * deg, SigmaPhi: 2 * deg}, Surface{ObukhovM: 20}, 3, 5 * deg, 2 * deg, 50},
		{"stable by its class", Wind{U: 3, SigmaTheta: 5 * deg, SigmaPhi: 2 * deg}, Surface{HasClass: true, Class: 5}, 3, 5 * deg, 2 * deg, 50},
		{"slow air counts as the slowest", Wind{U: 0.1, SigmaTheta: 0.5, SigmaPhi: 0.3}, Surface{}, MinSpeed, 0.5, 0.3, 500},
		{"angles are held at 1.2 rad", Wind{U: 3, SigmaTheta: 1.5, SigmaPhi: 1.5}, Surface{}, 3, 1.2, 1.2, 500},
	} {
		p := NewPlume(row.wind, row.surface)
		for _, at := range []struct{ x, f float64 }{{1, 0.998}, {50, 0.9}, {100, 0.8}, {200, 0.7}, {400, 0.65}, {1000, 0.6}, {2000, 0.5}, {4000, 0.4}, {10000, 0.33}, {20000, 0.33 / math.Sqrt2}} {
			x := at.x
			wy := math.Hypot(x*row.theta*at.f, SourceHalfWidthM)
			wz := math.Hypot(x*math.Tan(row.phi)/(1+0.9*math.Sqrt(x/row.u/row.tiZ)), SourceHalfWidthM)
			sy, sz := p.Spreads(x, plain)
			if off(sy, wy, wy) > 8e-3 || off(sz, wz, wz) > 2e-3 {
				t.Errorf("%s, at %g m: %g and %g, want %g and %g", row.claim, x, sy, sz, wy, wz)
			}
		}
	}
	// Briggs is stretched to the wind's averaging time; a measured angle carries its own.
	for _, row := range []struct {
		claim string
		theta float64
		want  float64
	}{{"by the class", 0, math.Pow(3, 0.2)}, {"by the measured angle", 0.2, 1}} {
		ten, _ := NewPlume(Wind{U: 3, SigmaTheta: row.theta, AveragingS: 600}, Surface{}).Spreads(500, plain)
		half, _ := NewPlume(Wind{U: 3, SigmaTheta: row.theta, AveragingS: 1800}, Surface{}).Spreads(500, plain)
		if off(half/ten, row.want, row.want) > 1e-4 { // the source's half width: (.3/30)²/2
			t.Errorf("%s half an hour over ten minutes is %g, want %g", row.claim, half/ten, row.want)
		}
	}
	// What is not measured comes from the class.
	p, class := NewPlume(Wind{U: 3, SigmaTheta: 0.2}, Surface{}), NewPlume(Wind{U: 3}, Surface{})
	_, sz := p.Spreads(100, plain)
	if _, want := class.Spreads(100, plain); sz != want {
		t.Errorf("without a measured elevation angle σz is %g, want %g by the class", sz, want)
	}
}

// Golder's lines as printed by Seinfeld and Pandis, table 16.6, at three roughnesses: 1/L in 1/m.
func TestGolderClassesOfObukhovLengths(t *testing.T) {
	for _, row := range []struct{ class, z0, inverse float64 }{
		{0, 1e-3, -0.183}, {0, 0.1, -0.125}, {1, 0.1, -0.066}, {2, 0.1, -0.020}, {4, 0.1, 0.022}, {5, 0.1, 0.071}, {2, 0.01, -0.038}, {4, 1e-3, 0.058},
	} {
		if got := (Surface{RoughnessM: row.z0, ObukhovM: 1 / row.inverse}).PasquillClass(); math.Abs(got-row.class) > 1e-9 { // differences of order 1e-2 with an error of 1e-17
			t.Errorf("1/L = %g over %g m: class %g, want %g", row.inverse, row.z0, got, row.class)
		}
	}
	for _, row := range []struct {
		claim   string
		surface Surface
		want    float64
	}{
		{"nothing known is neutral", Surface{}, 3},
		{"a very long Obukhov length is neutral", Surface{ObukhovM: 1e12}, 3},
		{"and so is a very long negative one", Surface{ObukhovM: -1e12}, 3},
		{"more unstable than A is A", Surface{ObukhovM: -1}, 0},
		{"more stable than F is F", Surface{ObukhovM: 1}, 5},
		{"a class is taken where there is no length", Surface{HasClass: true, Class: 1.5}, 1.5},
		{"a length goes before a class", Surface{HasClass: true, Class: 1, ObukhovM: 1e12}, 3},
		{"a class that is not said is none", Surface{Class: 1}, 3},
		{"classes end at A", Surface{HasClass: true, Class: -2}, 0},
		{"and at F", Surface{HasClass: true, Class: 7}, 5},
		{"smooth ice counts as a millimetre", Surface{RoughnessM: 1e-5, ObukhovM: 1 / -0.183}, 0},
	} {
		if got := row.surface.PasquillClass(); math.Abs(got-row.want) > 1e-6 { // 1e-12 per metre over lines 1e-2 apart is 1e-10
			t.Errorf("%s: class %g, want %g", row.claim, got, row.want)
		}
	}
}

func TestStabilityGrowsWithTheInverseLength(t *testing.T) {
	for _, z0 := range []float64{0, 0.001, 0.03, 0.3, 2} {
		last := -1.0
		for inv := -0.25; inv <= 0.25; inv += 0.0005 {
			got := (Surface{RoughnessM: z0, ObukhovM: 1 / inv}).PasquillClass()
			// The lines of C, D and E lie at least 0.0041 apart (E and D over 0.5 m: 0.004 + 0.018·0.3 = 0.0094; C and D: 0.0074): a step of 0.0005 is
			// less than a seventh of a class.
			if got < last || got > max(last, 0)+0.15 {
				t.Errorf("over %g m, 1/L = %g: class %g after %g", z0, inv, got, last)
			}
			last = got
		}
		// And the length of a class is one that has this class.
		for class := 0.25; class < 5; class += 0.5 {
			inv := Surface{RoughnessM: z0, HasClass: true, Class: class}.inverseObukhov()
			if got := (Surface{RoughnessM: z0, ObukhovM: 1 / inv}).PasquillClass(); math.Abs(got-class) > 1e-9 {
				t.Errorf("over %g m class %g has 1/L = %g, which has class %g", z0, class, inv, got)
			}
		}
	}
}

// The classes' limits over 15 cm of roughness, EPA-454/R-99-005 table 6-8a: A from 22.5°, B from 17.5°, C from 12.5°, D from 7.5°, E from 3.8°. Middles are
// exact; a limit lies within a tenth of a class of the half (7.5° lies between the middles of a wide and a narrower class).
func TestClassOfSigmaTheta(t *testing.T) {
	for _, row := range []struct{ deg, want, within float64 }{
		{25, 0, 0}, {20, 1, 0}, {15, 2, 0}, {10, 3, 0}, {5.65, 4, 0}, {22.5, 0.5, 0}, {17.5, 1.5, 0}, {12.5, 2.5, 0}, {7.5, 3.5, 0.1}, {3.8, 4.5, 0}, {60, 0, 0}, {0.5, 5, 0}, {0, 5, 0},
	} {
		if got := ClassOfSigmaTheta(row.deg*math.Pi/180, 0.15); math.Abs(got-row.want) > row.within+roundings {
			t.Errorf("%g°: class %g, want %g", row.deg, got, row.want)
		}
	}
	last := 5.0
	for deg := 0.0; deg < 40; deg += 0.1 {
		got := ClassOfSigmaTheta(deg*math.Pi/180, 0.15)
		if got > last || got < last-0.04 { // the narrowest pair of middles is 2.8° apart: a step of 0.1° is 0.036 of a class
			t.Errorf("%g°: class %g after %g", deg, got, last)
		}
		last = got
	}
}

// The scatter of a class has that class, over any ground: the two are one table read both ways.
func TestSigmaThetaOfClassIsTheInverse(t *testing.T) {
	for class := 0.0; class <= 5; class += 0.25 {
		for _, z0 := range []float64{0, 0.01, 0.15, 1} {
			s := Surface{HasClass: true, Class: class, RoughnessM: z0}
			if got := ClassOfSigmaTheta(SigmaThetaOfClass(s), z0); math.Abs(got-class) > roundings {
				t.Errorf("class %g over %g m comes back as %g", class, z0, got)
			}
		}
	}
}

// Rougher ground turns the wind more at equal stability: the limits scale by (z0/15 cm)^0.2.
func TestClassOfSigmaThetaScalesWithRoughness(t *testing.T) {
	for _, z0 := range []float64{0.01, 0.05, 0.5} {
		k := math.Pow(z0/0.15, 0.2)
		for _, deg := range []float64{4, 9, 16, 23} {
			got, want := ClassOfSigmaTheta(k*deg*math.Pi/180, z0), ClassOfSigmaTheta(deg*math.Pi/180, 0.15)
			if math.Abs(got-want) > roundings {
				t.Errorf("%g° over %g m: class %g, want %g", k*deg, z0, got, want)
			}
		}
	}
	if got, want := ClassOfSigmaTheta(0.2, 0), ClassOfSigmaTheta(0.2, 0.05); got != want {
		t.Errorf("over unknown ground class %g, want that of low crops, %g", got, want)
	}
}

var surfaces = map[string]Surface{
	"neutral": {RoughnessM: 0.03}, "unknown": {}, "unstable": {RoughnessM: 0.1, ObukhovM: -15}, "stable": {RoughnessM: 0.01, ObukhovM: 25},
	"class A": {HasClass: true, Class: 0}, "class F": {HasClass: true, Class: 5},
}

func TestWindRatioIsOneAtItsReference(t *testing.T) {
	for name, s := range surfaces {
		for _, ref := range []float64{1, 2, 10, 80} {
			if got := s.WindRatio(ref, ref); got != 1 {
				t.Errorf("%s: ratio at %g m to %g m is %v", name, ref, ref, got)
			}
			if got := s.WindRatio(3, ref) * s.WindRatio(ref, 3); math.Abs(got-1) > roundings {
				t.Errorf("%s: from 3 m to %g m and back: %v", name, ref, got)
			}
		}
		last := 0.0
		for z := 0.5; z < 300; z *= 1.1 {
			got := s.WindRatio(z, 10)
			if got <= last {
				t.Errorf("%s: no more wind at %g m than below", name, z)
			}
			last = got
		}
	}
}

func TestNeutralWindFollowsTheLogLaw(t *testing.T) {
	for _, z0 := range []float64{0.001, 0.05, 0.5} {
		for _, z := range []float64{2, 10, 50} {
			got, want := Surface{RoughnessM: z0}.WindRatio(z, 5), math.Log(z/z0)/math.Log(5/z0)
			if off(got, want, want) > roundings {
				t.Errorf("over %g m at %g m: %g, want %g", z0, z, got, want)
			}
		}
		low := Surface{RoughnessM: z0}.WindRatio(0, 5)
		if want := math.Ln2 / math.Log(5/z0); off(low, want, want) > roundings {
			t.Errorf("on the ground %g, want that at twice the roughness, %g", low, want)
		}
	}
}

// The profile is an integral of Dyer's gradients: ∂u/∂ln z goes as (1-16 z/L)^-¼ when unstable, 1+5 z/L when stable up to z = L. Their ratio between two heights
// has neither friction velocity nor roughness in it. Central differences over 1e-4 of ln z err by 1e-8·(third derivative, below 5), rounding adds 1e-16/1e-4.
func TestWindGradientsAreThoseOfDyer(t *testing.T) {
	const d = 1e-4
	for _, row := range []struct {
		l   float64
		phi func(zeta float64) float64
	}{
		{-10, func(zeta float64) float64 { return math.Pow(1-16*zeta, -0.25) }},
		{-100, func(zeta float64) float64 { return math.Pow(1-16*zeta, -0.25) }},
		{60, func(zeta float64) float64 { return 1 + 5*zeta }},
	} {
		s := Surface{RoughnessM: 0.02, ObukhovM: row.l}
		slope := func(z float64) float64 {
			return (s.WindRatio(z*math.Exp(d), 10) - s.WindRatio(z*math.Exp(-d), 10)) / (2 * d)
		}
		for _, z := range []float64{1, 8, 50} {
			got, want := slope(z)/slope(3), row.phi(z/row.l)/row.phi(3/row.l)
			if off(got, want, want) > 1e-6 {
				t.Errorf("L = %g m: gradient at %g m over that at 3 m is %g, want %g", row.l, z, got, want)
			}
		}
	}
	stable := Surface{RoughnessM: 0.02, ObukhovM: 20}
	got, want := stable.WindRatio(80, 40)-1, math.Ln2/(math.Log(40/0.02)+5-5*0.02/20)
	if off(got, want, want) > roundings {
		t.Errorf("above L the correction stands still: the wind gains %g from 40 to 80 m, want %g", got, want)
	}
}

// 22.414 l of an ideal gas at 0 °C and 1013.25 hPa hold a mole; at 15 °C 23.645 l. Methane, 16.043 g/mol: 0.6785 mg/m3 a ppm, as handbooks print it.
func TestMassOfOnePartPerMillion(t *testing.T) {
	if got := StandardAir.MassPerPPM(16.043); math.Abs(got-6.785e-7) > 5e-11 { // the last digit printed
		t.Errorf("methane at 15 °C: %.5g kg/m3 a ppm, want 6.785e-7", got)
	}
	cold := Air{TemperatureK: StandardAir.TemperatureK / 2, PressurePa: 3 * StandardAir.PressurePa}
	if got, want := cold.MassPerPPM(16.043), 6*StandardAir.MassPerPPM(16.043); off(got, want, want) > roundings {
		t.Errorf("half the temperature at three times the pressure: %g, want %g", got, want)
	}
}

// A plain plume is w + x·tan σθ wide and x·tan σφ deep, and carried by the wind as measured at every height.
func TestAPlainPlumeGrowsStraight(t *testing.T) {
	const angle, half = 0.1, 0.7
	p := NewPlume(Wind{U: 3, HeightM: 10, SigmaTheta: angle, SigmaPhi: angle / 2}, Surface{Plain: true, RoughnessM: 0.1})
	sh := Shape{LnSize: math.Log(half / SourceHalfWidthM)}.Bend()
	for _, x := range []float64{5, 80, 3000} {
		sy, sz := p.Spreads(x, sh)
		// Tables are linear between eight nodes an octave: a straight line is kept but for roundings.
		if wantY, wantZ := half+x*math.Tan(angle), x*math.Tan(angle/2); off(sy, wantY, wantY) > 1e-9 || off(sz, wantZ, wantZ) > 1e-9 {
			t.Errorf("%g m downwind: %g wide and %g deep, want %g and %g", x, sy, sz, wantY, wantZ)
		}
		if u := p.SpeedAt(1, sz); off(u, 3, 3) > 1e-12 {
			t.Errorf("%g m downwind the plume is carried at %g m/s, want 3", x, u)
		}
	}
}
