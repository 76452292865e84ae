package dispersion

import "math"

// vonKarman is the constant of the log law (Högström 1996, doi:10.1007/BF00120937: 0.40 ± 0.01).
const vonKarman = 0.40

// Surface is what the ground does to the wind. Zero values mean "not known".
type Surface struct {
	RoughnessM    float64 // z0; where it is not known 0.05 m, low crops, is taken
	ObukhovM      float64 // Monin-Obukhov length, negative when the air is unstable
	MixingHeightM float64 // lid that reflects the plume
	Class         float64 // Pasquill class, A=0 to F=5, fractions allowed; used where ObukhovM is not known and HasClass
	HasClass      bool
	Cover         Cover
	// Plain is no air: spreads grow straight with the angles that are measured, σy = w + x·tan σθ with w the half width of the source, σz = x·tan σφ, and the wind is one at
	// all heights. Textbook examples and the open inversion codes have such plumes.
	Plain bool
}

// Cover is what stands on the ground, which decides between Briggs' two tables of spreads.
type Cover uint8

// The kinds of cover. By default a roughness of UrbanRoughnessM or more is urban, all else rural.
const (
	CoverByRoughness Cover = iota
	Rural
	Urban
)

// UrbanRoughnessM is the roughness from which ground counts as urban unless it is stated: a metre, regularly built large towns
// (Wieringa 1992, doi:10.1016/0167-6105(92)90434-C: class 7, closed).
const UrbanRoughnessM = 1

func (s Surface) urban() bool {
	return s.Cover == Urban || s.Cover == CoverByRoughness && s.RoughnessM >= UrbanRoughnessM
}

func (s Surface) roughness() float64 {
	if s.RoughnessM > 0 {
		return s.RoughnessM
	}
	return 0.05
}

// golder holds, for each Pasquill class A to F, the line 1/L = a + b·log10(z0) through the middle of the class (Golder 1972,
// doi:10.1007/BF00769106, figure 5, with the coefficients of Seinfeld and Pandis, Atmospheric Chemistry and Physics, 2nd ed.,
// table 16.6; z0 in metres).
var golder = [6][2]float64{{-0.096, 0.029}, {-0.037, 0.029}, {-0.002, 0.018}, {0, 0}, {0.004, -0.018}, {0.035, -0.036}}

// PasquillClass is the stability as a real number, A=0 … F=5, so that the spread of a plume never jumps at a class border.
// It is D=3 where nothing is known.
func (s Surface) PasquillClass() float64 {
	if s.ObukhovM == 0 {
		if s.HasClass {
			return min(max(s.Class, 0), 5)
		}
		return 3
	}
	inv, z := 1/s.ObukhovM, math.Log10(min(max(s.roughness(), 0.001), 0.5))
	at := func(k int) float64 { return golder[k][0] + golder[k][1]*z }
	if inv <= at(0) {
		return 0
	}
	for k := 1; k < len(golder); k++ {
		if inv <= at(k) {
			return float64(k-1) + (inv-at(k-1))/(at(k)-at(k-1))
		}
	}
	return 5
}

// sigmaThetaClass holds the middles of the Pasquill classes A to F in degrees of sigma-theta at 10 m over 15 cm of roughness (EPA-454/R-99-005, table
// 6-8a, whose limits are 22.5, 17.5, 12.5, 7.5 and 3.8; A by the width of its neighbour, F so that its limit lies midway).
var sigmaThetaClass = [6]float64{25, 20, 15, 10, 5.65, 1.95}

// ClassOfSigmaTheta is the Pasquill class, A=0 to F=5, of a standard deviation of the wind's direction (radians) over ground of some
// roughness (metres; 0 for not known), which scales the classes' limits by (z0/15 cm)^0.2 (EPA-454/R-99-005, §6.4.4).
func ClassOfSigmaTheta(sigmaRad, roughnessM float64) float64 {
	deg := sigmaRad * 180 / math.Pi / math.Pow(Surface{RoughnessM: roughnessM}.roughness()/0.15, 0.2)
	for k, top := range sigmaThetaClass {
		if deg >= top {
			if k == 0 {
				return 0
			}
			return float64(k) - (deg-top)/(sigmaThetaClass[k-1]-top)
		}
	}
	return 5
}

// SigmaThetaOfClass is the scatter of the wind's direction, radians, in the middle of the surface's class.
func SigmaThetaOfClass(s Surface) float64 {
	c := s.PasquillClass()
	k := min(int(c), 4)
	deg := sigmaThetaClass[k] + (c-float64(k))*(sigmaThetaClass[k+1]-sigmaThetaClass[k])
	return deg * math.Pow(s.roughness()/0.15, 0.2) * math.Pi / 180
}

// inverseObukhov is 1/L: as measured, or that of the class.
func (s Surface) inverseObukhov() float64 {
	if s.ObukhovM != 0 {
		return 1 / s.ObukhovM
	}
	c := s.PasquillClass()
	k := min(int(c), 4)
	z := math.Log10(min(max(s.roughness(), 0.001), 0.5))
	at := func(k int) float64 { return golder[k][0] + golder[k][1]*z }
	return at(k) + (c-float64(k))*(at(k+1)-at(k))
}

// psi is the stability correction of the wind profile: Dyer 1974 (doi:10.1007/BF00240838) with γ = 16, in Paulson's integral
// (1970) when unstable, -5 z/L when stable, held at z/L = 1 where the form stops being valid.
func psi(z, invL float64) float64 {
	zeta := z * invL
	if zeta >= 0 {
		return -5 * min(zeta, 1)
	}
	x := math.Sqrt(math.Sqrt(1 - 16*zeta))
	return 2*math.Log((1+x)/2) + math.Log((1+x*x)/2) - 2*math.Atan(x) + math.Pi/2
}

// WindRatio is the mean wind speed at height z over that at height ref, both in metres, by the log law with stability.
// Heights below twice the roughness count as twice the roughness.
func (s Surface) WindRatio(z, ref float64) float64 {
	if s.Plain {
		return 1
	}
	z0, invL := s.roughness(), s.inverseObukhov()
	return logLaw(z, z0, invL) / logLaw(ref, z0, invL)
}

// logLaw is κ·U/u* at height z.
func logLaw(z, z0, invL float64) float64 {
	z = max(z, 2*z0)
	return math.Log(z/z0) - psi(z, invL) + psi(z0, invL)
}

// briggsTable holds spreads by class: σy = a·x/√(1+y·x); σz = b·x·(1+c·x)^p, metres.
type briggsTable struct {
	y       float64
	classes [6]struct{ a, b, c, p float64 }
}

// The spreads of Briggs 1973 (ATDL contribution 79, as printed by Gifford 1976, Nuclear Safety 17, table 2, and by Hanna, Briggs and Hosker 1982,
// DOE/TIC-11223, table 4.5), 10-min means, x to 10 km. In town A and B are one, and so are E and F.
var (
	briggsRural = briggsTable{1e-4, [6]struct{ a, b, c, p float64 }{
		{.22, .20, 0, 0}, {.16, .12, 0, 0}, {.11, .08, 2e-4, -.5}, {.08, .06, 1.5e-3, -.5}, {.06, .03, 3e-4, -1}, {.04, .016, 3e-4, -1},
	}}
	briggsUrban = briggsTable{4e-4, [6]struct{ a, b, c, p float64 }{
		{.32, .24, 1e-3, .5}, {.32, .24, 1e-3, .5}, {.22, .20, 0, 0}, {.16, .14, 3e-4, -.5}, {.11, .08, 1.5e-3, -.5}, {.11, .08, 1.5e-3, -.5},
	}}
)

// BriggsRural gives the crosswind and vertical spread in metres at x metres downwind over open country, geometrically interpolated between
// the two neighbouring classes. averagingS stretches σy by (t/600 s)^0.2 (Gifford 1975 for times near ten minutes), within 60 s..1 h.
func BriggsRural(x, class, averagingS float64) (sy, sz float64) {
	return briggsRural.at(x, class, averagingS)
}

// BriggsUrban is BriggsRural in town.
func BriggsUrban(x, class, averagingS float64) (sy, sz float64) {
	return briggsUrban.at(x, class, averagingS)
}

func (b *briggsTable) at(x, class, averagingS float64) (sy, sz float64) {
	k := min(max(int(class), 0), 4)
	f := min(max(class-float64(k), 0), 1)
	ln := func(k int) (float64, float64) {
		c := b.classes[k]
		return math.Log(c.a*x) - 0.5*math.Log1p(b.y*x), math.Log(c.b*x) + c.p*math.Log1p(c.c*x)
	}
	y0, z0 := ln(k)
	y1, z1 := ln(k + 1)
	if averagingS <= 0 {
		averagingS = 600
	}
	t := 0.2 * math.Log(min(max(averagingS, 60), 3600)/600)
	return math.Exp(y0 + f*(y1-y0) + t), math.Exp(z0 + f*(z1-z0))
}

// pasquill holds f(x) of σy = σθ·x·f(x) by distance, metres (Pasquill 1976, EPA-600/4-76-030b, table 1). Between 0 and 100 m f is linear in x, beyond in ln x; beyond
// 10 km it falls as x^-½.
var pasquill = [...]struct{ x, f float64 }{{0, 1}, {100, 0.8}, {200, 0.7}, {400, 0.65}, {1000, 0.6}, {2000, 0.5}, {4000, 0.4}, {10000, 0.33}}

// acrossByAngle is the crosswind spread by a measured sigma-theta (radians), x metres downwind. Its averaging time is that over which the angle was measured.
func acrossByAngle(x, sigmaTheta float64) float64 {
	last := pasquill[len(pasquill)-1]
	if x >= last.x {
		return x * sigmaTheta * last.f * math.Sqrt(last.x/x)
	}
	k := 1
	for x > pasquill[k].x {
		k++
	}
	a, b := pasquill[k-1], pasquill[k]
	share := x / b.x
	if k > 1 {
		share = math.Log(x/a.x) / math.Log(b.x/a.x)
	}
	return x * sigmaTheta * (a.f + share*(b.f-a.f))
}

// Times of Draxler's form for the depth of a plume, seconds, as Irwin took them (1979, EPA-600/4-79-062) for sources near the ground.
const (
	upUnstableS = 500
	upStableS   = 50
)

// depthByAngle is the vertical spread by a measured sigma-phi: σ = x·tan σφ / (1 + 0.9·√(T/Ti)), with T = x/U the travel time (Draxler 1976,
// doi:10.1016/0004-6981(76)90226-2).
func depthByAngle(x, u, sigmaPhi, ti float64) float64 {
	return x * math.Tan(sigmaPhi) / (1 + 0.9*math.Sqrt(x/(u*ti)))
}
