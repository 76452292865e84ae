// Package dispersion says how much of a gas arrives where, per unit rate, when the wind carries it from a source over flat
// ground: a steady Gaussian plume (Plume) and, for winds that turn or are weak, Gaussian puffs along the wind's history (Trail), which estimates
// invert; and wandering puffs (Puffs), which simulations use as truth and estimates never do.
//
// Plume and Trail are one Model. A survey that has the wind of each sample alone makes a Plume of each (NewPlumes). One that has the wind's history makes a
// Drift of it once, and for each sample asks Drift.Steady, with the farthest distance at which a source is looked for, whether the plume of the
// moment will do, and takes Drift.Trail where it will not: some thirty times the cost of a plume at a point, and fifteen on a path (go test -bench Trail).
//
// Metres, seconds, kilograms, radians. x runs east, y north, z up from the ground. Wind vectors say where the air goes.
package dispersion

import "math"

// Wind is the mean wind during one sample, at HeightM. Zero spreads mean "not measured".
type Wind struct {
	U, V       float64 // m/s towards east and north
	HeightM    float64 // above ground
	SigmaTheta float64 // standard deviation of the direction, radians
	SigmaPhi   float64 // standard deviation of the elevation angle, radians
	AveragingS float64
}

// Speed is the length of the wind vector, m/s.
func (w Wind) Speed() float64 { return math.Hypot(w.U, w.V) }

// Shape bends the textbook spreads towards the real ones: σ = exp(LnA)·σ0·(x/100 m)^B, and at the source exp(LnSize)·SourceHalfWidthM. The
// zero value is the textbook.
type Shape struct {
	LnAy, LnAz float64
	By, Bz     float64 // added exponents
	BiasRad    float64 // the plume's true heading minus that of the measured wind, clockwise positive
	LnSize     float64
}

// Source is a steady point source.
type Source struct {
	X, Y, Z float64 // metres, Z above ground
	RateKgS float64
}

// SourceHalfWidthM is the usual spread of a plume at its source: no emission is a point.
const SourceHalfWidthM = 0.3

// MinSpeed is the lowest wind speed, m/s, at which a steady plume is still meant; slower winds count as this.
const MinSpeed = 0.5

// A curve tables a smooth positive function on nodes an eighth of an octave apart in the argument's own binary form, so that a
// look-up needs neither logarithm nor search. Between nodes it is linear: for powers x^b with |b| ≤ 2 the error is below
// b(b-1)/8·(1/8)² = 0.4 % of the value at b = 2 and nothing at b = 0 and 1.
type curve struct {
	first int // exponent of the first node, base 2
	v     []float64
}

const nodesPerOctave = 8

func newCurve(first, last int, f func(x float64) float64) curve {
	c := curve{first: first, v: make([]float64, (last-first)*nodesPerOctave+1)}
	for i := range c.v {
		c.v[i] = f(math.Ldexp(1+float64(i%nodesPerOctave)/nodesPerOctave, first+i/nodesPerOctave))
	}
	return c
}

// node gives the index below x > 0 and the fraction to the next node; arguments beyond the ends count as the ends.
func (c *curve) node(x float64) (int, float64) {
	bits := math.Float64bits(x)
	i := int(bits>>49) - (c.first+1023)*nodesPerOctave
	if i < 0 {
		return 0, 0
	}
	if i >= len(c.v)-1 {
		return len(c.v) - 2, 1
	}
	return i, float64(bits&(1<<49-1)) * 0x1p-49
}

func (c *curve) at(i int, f float64) float64 { return c.v[i] + f*(c.v[i+1]-c.v[i]) }

// Distances are tabled from 6 cm to 33 km, squared heights from 4 mm to 16 km.
const xFirst, xLast, z2First, z2Last = -4, 15, -8, 28

// bend is a Shape tabled: the factors on σy and σz by distance.
type bend struct{ y, z curve }

// Bent is a Shape made ready for many look-ups. Wide multiplies σy, for one realisation of the plume.
type Bent struct {
	Shape
	bend
	Wide  float64
	size  float64 // spread at the source, m
	size2 float64 // its square
}

// Bend tables the shape.
func (sh Shape) Bend() *Bent {
	size := SourceHalfWidthM * math.Exp(sh.LnSize)
	return &Bent{sh, bend{newPower(sh.LnAy, sh.By), newPower(sh.LnAz, sh.Bz)}, 1, size, size * size}
}

// newPower tables exp(lnA)·(x/100 m)^b: the nodes of an octave are those of the one before times 2^b.
func newPower(lnA, b float64) curve {
	c := curve{first: xFirst, v: make([]float64, (xLast-xFirst)*nodesPerOctave+1)}
	double := math.Exp2(b)
	for i := range c.v {
		if i < nodesPerOctave {
			c.v[i] = math.Exp(lnA + b*math.Log(math.Ldexp(1+float64(i)/nodesPerOctave, xFirst)/100))
		} else {
			c.v[i] = double * c.v[i-nodesPerOctave]
		}
	}
	return c
}

// Plume is the steady Gaussian plume of one wind over one surface:
//
//	C = Q/(2π U σy σz)·exp(-y²/2σy²)·Σj [exp(-(z-H+2jh)²/2σz²) + exp(-(z+H+2jh)²/2σz²)],  j = -1, 0, 1
//
// (Pasquill and Smith, Atmospheric Diffusion, 3rd ed. 1983, §6.1), 0 at and upwind of the source. Safe for concurrent use.
//
// A lid says nothing of the air above it: a receiver or a source above is given what one as far below would be, since mixing heights are
// seldom known to better than a fifth, and a step to nothing would make them decide.
//
// σy comes from a measured sigma-theta (Pasquill), else from the stability (Briggs, rural or urban), and only then is it stretched to the wind's
// averaging time, since a measured angle carries its own. σz comes from a measured sigma-phi (Draxler), else from a known Obukhov length (van
// Ulden's similarity, which is meant for sources near the ground), else from the stability class (Briggs). U is the mean over the plume's depth.
type Plume struct {
	cos, sin float64 // heading of the wind, from east
	speed    float64 // at the wind's height
	lid      float64
	sy, sz   curve
	profile  *profile
	add, up  float64 // how the size of the source joins in: 2 where it is added to σy, not in quadrature; 0 where σz has none of it
}

// profile is what plumes over one surface have in common: U(z)/U(ref) against z², and σz by similarity where the Obukhov length is known.
type profile struct {
	ref     float64
	ratio   curve
	similar *curve
}

func newProfile(s Surface, ref float64) *profile {
	p := &profile{ref: ref, ratio: newCurve(z2First, z2Last, func(z2 float64) float64 { return s.WindRatio(math.Sqrt(z2), ref) })}
	if s.ObukhovM != 0 {
		c := s.similarSpread()
		p.similar = &c
	}
	return p
}

// NewPlume prepares the plume of a wind over a surface. A wind without a height is taken at 2 m.
func NewPlume(w Wind, s Surface) *Plume { return newPlume(w, s, Wind{}, nil) }

// NewPlumes prepares one plume a wind, sharing what the winds have in common.
func NewPlumes(winds []Wind, s Surface) []*Plume {
	out := make([]*Plume, len(winds))
	for i, w := range winds {
		switch {
		case i > 0 && w == winds[i-1]:
			out[i] = out[i-1]
		case i > 0:
			out[i] = newPlume(w, s, winds[i-1], out[i-1])
		default:
			out[i] = NewPlume(w, s)
		}
	}
	return out
}

func refHeight(w Wind) float64 {
	if w.HeightM > 0 {
		return w.HeightM
	}
	return 2
}

// newPlume takes from a plume of another wind over the same surface, where there is one, what does not differ.
func newPlume(w Wind, s Surface, other Wind, have *Plume) *Plume {
	speed := w.Speed()
	p := &Plume{cos: 1, speed: max(speed, MinSpeed), lid: s.MixingHeightM, up: 1}
	if s.Plain {
		p.add, p.up = 2, 0
	}
	if have != nil && refHeight(w) == refHeight(other) {
		p.profile = have.profile
	} else {
		p.profile = newProfile(s, refHeight(w))
	}
	if speed > 0 {
		p.cos, p.sin = w.U/speed, w.V/speed
	}
	class, briggs := s.PasquillClass(), &briggsRural
	if s.urban() {
		briggs = &briggsUrban
	}
	up := float64(upUnstableS)
	if s.inverseObukhov() > 0 {
		up = upStableS
	}
	if have != nil && w.SigmaTheta == other.SigmaTheta && (w.SigmaTheta > 0 || w.AveragingS == other.AveragingS) {
		p.sy = have.sy
	} else {
		p.sy = newCurve(xFirst, xLast, func(x float64) float64 {
			if s.Plain && w.SigmaTheta > 0 {
				return x * math.Tan(min(w.SigmaTheta, 1.2))
			}
			if w.SigmaTheta > 0 {
				return acrossByAngle(x, min(w.SigmaTheta, 1.2))
			}
			sy, _ := briggs.at(x, class, w.AveragingS)
			return sy
		})
	}
	switch same := have != nil && w.SigmaPhi == other.SigmaPhi; {
	case w.SigmaPhi <= 0 && p.profile.similar != nil:
		p.sz = *p.profile.similar
		return p
	case same && w.SigmaPhi > 0 && p.speed == have.speed, same && w.SigmaPhi <= 0 && w.AveragingS == other.AveragingS:
		p.sz = have.sz
		return p
	}
	p.sz = newCurve(xFirst, xLast, func(x float64) float64 {
		if s.Plain && w.SigmaPhi > 0 {
			return x * math.Tan(min(w.SigmaPhi, 1.2))
		}
		if w.SigmaPhi > 0 {
			return depthByAngle(x, p.speed, min(w.SigmaPhi, 1.2), up)
		}
		_, sz := briggs.at(x, class, w.AveragingS)
		return sz
	})
	return p
}

// Downwind gives the place of (dx, dy), east and north of the source, along and to the left of the plume's axis.
func (p *Plume) Downwind(dx, dy, biasRad float64) (x, y float64) {
	c, s := p.cos, p.sin
	if biasRad != 0 {
		sb, cb := math.Sincos(-biasRad)
		c, s = c*cb-s*sb, s*cb+c*sb
	}
	return dx*c + dy*s, dy*c - dx*s
}

// Spreads are σy and σz, metres, x metres downwind.
func (p *Plume) Spreads(x float64, sh *Bent) (sy, sz float64) {
	i, f := p.sy.node(x)
	return math.Sqrt(p.across2(i, f, sh)), p.depth(i, f, sh)
}

// across2 is σy², m2, between nodes i and i+1.
func (p *Plume) across2(i int, f float64, sh *Bent) float64 {
	sy := p.sy.at(i, f) * sh.y.at(i, f) * sh.Wide
	return sy*sy + p.add*sy*sh.size + sh.size2
}

// depth is σz between nodes i and i+1.
func (p *Plume) depth(i int, f float64, sh *Bent) float64 {
	sz := p.sz.at(i, f) * sh.z.at(i, f)
	if p.lid > 0 {
		// A plume that fills the mixed layer stops growing: three images hold the mass to 1 % up to σz = 0.8 h.
		sz = min(sz, 0.8*p.lid)
	}
	return math.Sqrt(sz*sz + p.up*sh.size2)
}

// carried tables, against (h/σz)², the square of the height in σz at which a log law has the mean speed of a plume: exp of the mean of ln z² over a Gaussian
// about h folded at the ground, which is that of a non-central χ² of one degree: Σ (m/2)^j·e^(-m/2)/j!·(ψ(j+½) + ln 2), with ψ(½) = -γ - 2 ln 2. At the ground it
// is 0.53².
var carried = newCurve(mFirst, mLast, func(m float64) float64 {
	const eulerGamma = 0.57721566490153286
	mean, weight, digamma := 0.0, math.Exp(-m/2), -eulerGamma-2*math.Ln2
	for j := 0.0; j < m/2+9*math.Sqrt(m/2)+20; j++ { // Poisson weights nine deviations out
		mean += weight * (digamma + math.Ln2)
		weight *= m / 2 / (j + 1)
		digamma += 1 / (j + 0.5)
	}
	return math.Exp(mean)
})

// From a source 32 spreads above the ground the plume is carried at its own height.
const mFirst, mLast = -8, 10

// SpeedAt is the wind speed, m/s, that carries a plume of source height h and vertical spread sz: in a log law the mean over the plume, and close to
// it in others (tested).
func (p *Plume) SpeedAt(h, sz float64) float64 { return p.speedAt(h, sz, 1/sz) }

func (p *Plume) speedAt(h, sz, perSz float64) float64 {
	z2 := h * h
	if m := z2 * perSz * perSz; m < 1<<mLast {
		i, f := carried.node(m)
		z2 = sz * sz * carried.at(i, f)
	}
	i, f := p.profile.ratio.node(z2)
	return p.speed * p.profile.ratio.at(i, f)
}

// Response is what a unit rate brings to a sample, s/m3, and how that changes with the plume.
type Response struct {
	C float64
	// Reach is C for a plume of twice the crosswind variance but equal axis: what a displaced or broader plume might have
	// brought, and so the measure of how wrong the model can be here.
	Reach float64
	Turn  float64 // ∂C by the plume's heading, per radian; to the left positive
	Widen float64 // ∂C by ln σy
}

// Add adds a response of this weight.
func (r *Response) Add(w float64, o Response) {
	r.C, r.Reach, r.Turn, r.Widen = r.C+w*o.C, r.Reach+w*o.Reach, r.Turn+w*o.Turn, r.Widen+w*o.Widen
}

// At is the response at a point x downwind and y across of a source of height h, z above ground. grow (metres) is added to the
// crosswind spread in quadrature, for a source known only to a cell.
func (p *Plume) At(x, y, z, h float64, sh *Bent, grow float64) (r Response) {
	if x <= 0 {
		return r
	}
	i, f := p.sy.node(x)
	sy2 := p.across2(i, f, sh) + grow*grow
	if y*y > 6*6*sy2 { // e^-18 of the axis, and of the reach e^-9
		return r
	}
	sz, perSy := p.depth(i, f, sh), 1/math.Sqrt(sy2)
	q := y * perSy
	half, perSz := expNeg(-0.25*q*q), 1/sz
	axis := p.vertical(z, h, sz, perSz) * perSy * perSz / (2 * math.Pi * p.speedAt(h, sz, perSz))
	c := axis * half * half
	return Response{c, axis * half, c * q * x * perSy, c * (q*q - 1)}
}

func (p *Plume) vertical(z, h, sz, perSz float64) float64 {
	k := -0.5 * perSz * perSz
	v := expNeg(k*(z-h)*(z-h)) + expNeg(k*(z+h)*(z+h))
	if p.lid > 0 && 2*p.lid-z-h < 6*sz { // the nearest image; beyond six spreads it brings e^-18
		for _, j := range [2]float64{-2 * p.lid, 2 * p.lid} {
			v += expNeg(k*(z-h+j)*(z-h+j)) + expNeg(k*(z+h+j)*(z+h+j))
		}
	}
	return v
}

// Concentration is that of one source at a place, kg/m3.
func (p *Plume) Concentration(s Source, x, y, z float64, sh Shape) float64 {
	along, across := p.Downwind(x-s.X, y-s.Y, sh.BiasRad)
	return s.RateKgS * p.At(along, across, z, s.Z, sh.Bend(), 0).C
}

// expNeg is e^x for x ≤ 0, 0 below -700. x is split into (k + n/64)·ln 2 + f with |f| ≤ ln 2/128; 2^(n/64) is tabled, and the series of e^f to the third power
// leaves f⁴/4! < 3.6e-11 of the value, far below the error of the spreads' tables.
func expNeg(x float64) float64 {
	if !(x > -700) {
		return 0
	}
	return expNear(x)
}

// expNear is expNeg above -700; it is inlined.
func expNear(x float64) float64 {
	const round = 3 << 51 // adding it rounds to a whole number, which then stands in the low bits
	t := x * (parts * math.Log2E)
	r := t + round
	f := (t - (r - round)) * (math.Ln2 / parts)
	n := math.Float64bits(r)
	p := twoTo[n%parts] * (1 + f*(1+f*(1./2+f*(1./6))))
	return math.Float64frombits(math.Float64bits(p) + (n&^(parts-1))<<(52-6))
}

// twoTo are the powers of two with exponents from nothing to one in so many parts.
const parts = 64

var twoTo = func() (t [parts]float64) {
	for n := range t {
		t[n] = math.Exp2(float64(n) / parts)
	}
	return t
}()

// Gauss-Legendre nodes and weights on [0,1] (Abramowitz and Stegun table 25.4, n = 4, moved from [-1,1]).
var gauss4 = [4][2]float64{
	{0.5 - 0.861136311594053/2, 0.347854845137454 / 2}, {0.5 - 0.339981043584856/2, 0.652145154862546 / 2},
	{0.5 + 0.339981043584856/2, 0.652145154862546 / 2}, {0.5 + 0.861136311594053/2, 0.347854845137454 / 2},
}

// PathMean is the mean of At along the straight path from (xa, ya, za) to (xb, yb, zb), all relative to the source's axis as in
// At. The part of the path that the plume can touch is cut where it crosses the axis, where the integrand is narrow, and each side is
// integrated by panels of four Gauss points.
func (p *Plume) PathMean(xa, ya, za, xb, yb, zb, h float64, sh *Bent, grow float64) (r Response) {
	lo, hi := 0.0, 1.0
	if dx := xb - xa; dx != 0 { // clip to the downwind side
		t := -xa / dx
		if xa <= 0 && xb <= 0 {
			return r
		}
		if xa < 0 {
			lo = t
		} else if xb < 0 {
			hi = t
		}
	} else if xa <= 0 {
		return r
	}
	cut := hi // where the path crosses the axis
	if dy := yb - ya; dy != 0 {
		cut = min(max(-ya/dy, lo), hi)
	}
	for _, part := range [2][2]float64{{lo, cut}, {cut, hi}} {
		r.Add(1, p.side(part[0], part[1], xa, ya, za, xb, yb, zb, h, sh, grow))
	}
	return r
}

// side integrates over t in [lo,hi], on one side of the axis, in stretches over which the distance downwind at most doubles: a plume that
// widens more than that within one is missed by its four points. Nearer than half a metre no plume is steady; from there eight
// doublings lead beyond 100 m, and what is left farther out is wide.
func (p *Plume) side(lo, hi, xa, ya, za, xb, yb, zb, h float64, sh *Bent, grow float64) (r Response) {
	const nearest, doublings = 0.5, 8
	for range doublings {
		x0, x1 := xa+lo*(xb-xa), xa+hi*(xb-xa)
		far, near := max(x0, x1), max(min(x0, x1), nearest)
		if lo >= hi || far <= 2*near {
			break
		}
		t := (far/2 - xa) / (xb - xa)
		if x0 < x1 {
			r.Add(1, p.panel(t, hi, xa, ya, za, xb, yb, zb, h, sh, grow))
			hi = t
		} else {
			r.Add(1, p.panel(lo, t, xa, ya, za, xb, yb, zb, h, sh, grow))
			lo = t
		}
	}
	r.Add(1, p.panel(lo, hi, xa, ya, za, xb, yb, zb, h, sh, grow))
	return r
}

// panel integrates over t in [lo,hi], a stretch on one side of the axis.
func (p *Plume) panel(lo, hi, xa, ya, za, xb, yb, zb, h float64, sh *Bent, grow float64) (r Response) {
	if hi-lo <= 1e-9 { // shorter than a millionth of a millimetre on any real path
		return r
	}
	dx, dy, dz := xb-xa, yb-ya, zb-za
	// Beyond 7 spreads, taken where they are widest, nothing arrives. Images of a lid arrive from elsewhere.
	sy, sz := p.Spreads(max(xa+lo*dx, xa+hi*dx, 0.1), sh)
	sy = math.Hypot(sy, grow)
	lo, hi = within(lo, hi, ya, dy, 7*sy)
	if p.lid <= 0 {
		lo, hi = within(lo, hi, za-h, dz, 7*sz)
	}
	w := hi - lo
	if w <= 1e-9 {
		return r
	}
	// Four points hold a Gaussian over panelSpreads of its spreads, whether the path leaves it sideways or upwards. Steep paths are measured by the
	// spreads where they are narrowest, up to half of the widest.
	if w*math.Abs(dz) > sz {
		sy, sz = p.Spreads(max(min(xa+lo*dx, xa+hi*dx), 0.1), sh)
		sy = math.Hypot(sy, grow)
	}
	n := max(1, math.Ceil(w*math.Hypot(dy/sy, dz/sz)/panelSpreads))
	if w*math.Abs(dx) > 0.7*max(xa+lo*dx, xa+hi*dx) {
		n = max(n, 2)
	}
	step := w / n
	for i := range int(n) {
		a := lo + step*float64(i)
		for _, g := range gauss4 {
			t := a + g[0]*step
			r.Add(g[1]*step, p.At(xa+t*dx, ya+t*dy, za+t*dz, h, sh, grow))
		}
	}
	return r
}

// panelSpreads is how many spreads a panel of four points may be long.
const panelSpreads = 3.5

// within is the part of [lo,hi] in which a + t·d lies no farther than reach from nothing.
func within(lo, hi, a, d, reach float64) (float64, float64) {
	if d == 0 {
		if math.Abs(a) > reach {
			return lo, lo
		}
		return lo, hi
	}
	t0, t1 := (-reach-a)/d, (reach-a)/d
	if t0 > t1 {
		t0, t1 = t1, t0
	}
	return max(lo, t0), min(hi, t1)
}
