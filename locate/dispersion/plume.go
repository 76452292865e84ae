// Package dispersion says how much of a gas arrives where, per unit rate, when the wind carries it from a source over flat
// ground: a steady Gaussian plume (Plume), which estimates invert, and wandering puffs (Puffs), which simulations use as truth.
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

// Shape bends the textbook spreads towards the real ones: σ = exp(LnA)·σ0·(x/100 m)^B. The zero value is the textbook.
type Shape struct {
	LnAy, LnAz float64
	By, Bz     float64 // added exponents
	BiasRad    float64 // the plume's true heading minus that of the measured wind, clockwise positive
}

// Source is a steady point source.
type Source struct {
	X, Y, Z float64 // metres, Z above ground
	RateKgS float64
}

// SourceHalfWidthM is the spread of a plume at its source: no emission is a point.
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
	Wide float64
}

// Bend tables the shape.
func (sh Shape) Bend() *Bent {
	f := func(lnA, b float64) curve {
		return newCurve(xFirst, xLast, func(x float64) float64 { return math.Exp(lnA + b*math.Log(x/100)) })
	}
	return &Bent{sh, bend{f(sh.LnAy, sh.By), f(sh.LnAz, sh.Bz)}, 1}
}

// Plume is the steady Gaussian plume of one wind over one surface:
//
//	C = Q/(2π U σy σz)·exp(-y²/2σy²)·Σj [exp(-(z-H+2jh)²/2σz²) + exp(-(z+H+2jh)²/2σz²)],  j = -1, 0, 1
//
// (Pasquill and Smith, Atmospheric Diffusion, 3rd ed. 1983, §6.1), 0 at and upwind of the source. Spreads come from measured
// turbulence where the wind has it and from Briggs otherwise. U is taken at the plume's mean height. Safe for concurrent use.
type Plume struct {
	cos, sin float64 // heading of the wind, from east
	speed    float64 // at the wind's height
	lid      float64
	sy, sz   curve
	profile  *profile
}

// profile tables U(z)/U(ref) against z².
type profile struct {
	ref   float64
	ratio curve
}

func newProfile(s Surface, ref float64) *profile {
	return &profile{ref, newCurve(z2First, z2Last, func(z2 float64) float64 { return s.WindRatio(math.Sqrt(z2), ref) })}
}

// NewPlume prepares the plume of a wind over a surface. A wind without a height is taken at 2 m.
func NewPlume(w Wind, s Surface) *Plume { return newPlume(w, s, nil) }

// NewPlumes prepares one plume a wind, sharing what the winds have in common.
func NewPlumes(winds []Wind, s Surface) []*Plume {
	out := make([]*Plume, len(winds))
	for i, w := range winds {
		switch {
		case i > 0 && w == winds[i-1]:
			out[i] = out[i-1]
		case i > 0 && refHeight(w) == out[i-1].profile.ref:
			out[i] = newPlume(w, s, out[i-1].profile)
		default:
			out[i] = newPlume(w, s, nil)
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

func newPlume(w Wind, s Surface, prof *profile) *Plume {
	if prof == nil {
		prof = newProfile(s, refHeight(w))
	}
	speed := w.Speed()
	p := &Plume{cos: 1, speed: max(speed, MinSpeed), lid: s.MixingHeightM, profile: prof}
	if speed > 0 {
		p.cos, p.sin = w.U/speed, w.V/speed
	}
	class := s.PasquillClass()
	tiz := 500.0
	if s.inverseObukhov() > 0 {
		tiz = 50
	}
	p.sy = newCurve(xFirst, xLast, func(x float64) float64 {
		if w.SigmaTheta > 0 {
			return measuredSpread(x, p.speed, min(w.SigmaTheta, 1.2), 1000)
		}
		sy, _ := BriggsRural(x, class, w.AveragingS)
		return sy
	})
	p.sz = newCurve(xFirst, xLast, func(x float64) float64 {
		if w.SigmaPhi > 0 {
			return measuredSpread(x, p.speed, min(w.SigmaPhi, 1.2), tiz)
		}
		_, sz := BriggsRural(x, class, w.AveragingS)
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
	sy, sz = p.sy.at(i, f)*sh.y.at(i, f)*sh.Wide, p.sz.at(i, f)*sh.z.at(i, f)
	if p.lid > 0 {
		// A plume that fills the mixed layer stops growing: three images hold the mass to 1 % up to σz = 0.8 h.
		sz = min(sz, 0.8*p.lid)
	}
	const w2 = SourceHalfWidthM * SourceHalfWidthM
	return math.Sqrt(sy*sy + w2), math.Sqrt(sz*sz + w2)
}

// SpeedAt is the wind speed, m/s, that carries a plume of source height h and vertical spread sz: that at its mean height,
// √(h² + 2/π·σz²), exact for a source at the ground and far above it.
func (p *Plume) SpeedAt(h, sz float64) float64 {
	const twoOverPi = 2 / math.Pi
	i, f := p.profile.ratio.node(h*h + twoOverPi*sz*sz)
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

func (r *Response) add(w float64, o Response) {
	r.C, r.Reach, r.Turn, r.Widen = r.C+w*o.C, r.Reach+w*o.Reach, r.Turn+w*o.Turn, r.Widen+w*o.Widen
}

// At is the response at a point x downwind and y across of a source of height h, z above ground. grow (metres) is added to the
// crosswind spread in quadrature, for a source known only to a cell.
func (p *Plume) At(x, y, z, h float64, sh *Bent, grow float64) (r Response) {
	if x <= 0 {
		return r
	}
	sy, sz := p.Spreads(x, sh)
	if grow > 0 {
		sy = math.Sqrt(sy*sy + grow*grow)
	}
	q := y / sy
	if q > 6 || q < -6 { // e^-18 of the axis, and of the reach e^-9
		return r
	}
	half := expNeg(-0.25 * q * q)
	axis := p.vertical(z, h, sz) / (2 * math.Pi * p.SpeedAt(h, sz) * sy * sz)
	c := axis * half * half
	return Response{c, axis * half, c * q * x / sy, c * (q*q - 1)}
}

func (p *Plume) vertical(z, h, sz float64) float64 {
	k := -0.5 / (sz * sz)
	v := expNeg(k*(z-h)*(z-h)) + expNeg(k*(z+h)*(z+h))
	if p.lid > 0 && sz > 0.2*p.lid {
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

// expNeg is e^x for x ≤ 0, 0 below -700. x is split into k·ln 2 + f·ln 2 with |f| ≤ ½; the series of 2^f to the seventh power leaves
// (ln 2/2)⁸/8!·√2 < 7.1e-9 of the value, far below the error of the spreads' tables.
func expNeg(x float64) float64 {
	if !(x > -700) {
		return 0
	}
	const round = 3 << 51 // adding it rounds to a whole number, which then stands in the low bits
	t := x * math.Log2E
	r := t + round
	f := (t - (r - round)) * math.Ln2
	p := 1 + f*(1+f*(1./2+f*(1./6+f*(1./24+f*(1./120+f*(1./720+f*(1./5040)))))))
	return math.Float64frombits(math.Float64bits(p) + math.Float64bits(r)<<52)
}

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
		r.add(1, p.side(part[0], part[1], xa, ya, za, xb, yb, zb, h, sh, grow))
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
			r.add(1, p.panel(t, hi, xa, ya, za, xb, yb, zb, h, sh, grow))
			hi = t
		} else {
			r.add(1, p.panel(lo, t, xa, ya, za, xb, yb, zb, h, sh, grow))
			lo = t
		}
	}
	r.add(1, p.panel(lo, hi, xa, ya, za, xb, yb, zb, h, sh, grow))
	return r
}

// panel integrates over t in [lo,hi], a stretch on one side of the axis.
func (p *Plume) panel(lo, hi, xa, ya, za, xb, yb, zb, h float64, sh *Bent, grow float64) (r Response) {
	w := hi - lo
	if w <= 1e-9 { // shorter than a millionth of a millimetre on any real path
		return r
	}
	at := func(t float64) Response {
		return p.At(xa+t*(xb-xa), ya+t*(yb-ya), za+t*(zb-za), h, sh, grow)
	}
	// Beyond 7 spreads nothing arrives; four points hold a half plume of up to 4 spreads to 1e-3 (tested against 4000 steps).
	xm := max(xa+lo*(xb-xa), xa+hi*(xb-xa), 0.1)
	sy, _ := p.Spreads(xm, sh)
	sy = math.Hypot(sy, grow)
	ylo, yhi := ya+lo*(yb-ya), ya+hi*(yb-ya)
	near := min(math.Abs(ylo), math.Abs(yhi))
	if near > 7*sy {
		return r
	}
	if far := max(math.Abs(ylo), math.Abs(yhi)); far > 7*sy {
		if math.Abs(ylo) > math.Abs(yhi) {
			lo = hi - w*(7*sy-near)/(far-near)
		} else {
			hi = lo + w*(7*sy-near)/(far-near)
		}
		w = hi - lo
	}
	n := 1
	if w*math.Abs(yb-ya) > 3.5*sy || w*math.Abs(xb-xa) > 0.7*xm {
		n = 2
	}
	for i := range n {
		a, b := lo+w*float64(i)/float64(n), lo+w*float64(i+1)/float64(n)
		for _, g := range gauss4 {
			r.add(g[1]*(b-a), at(a+g[0]*(b-a)))
		}
	}
	return r
}
