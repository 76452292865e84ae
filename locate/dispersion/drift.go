package dispersion

import (
	"fmt"
	"math"
	"sort"
)

// Model is a model of the air at one moment, as an estimate asks it: Downwind puts a place relative to the source (metres east and north of it) into the
// model's own frame, and At and PathMean say what a unit rate brings there. Plume is the model of a steady wind, Trail that of a wind with a history;
// Drift.Steady says which of the two to take.
type Model interface {
	Downwind(dx, dy, biasRad float64) (x, y float64)
	At(x, y, z, h float64, sh *Bent, grow float64) Response
	PathMean(xa, ya, za, xb, yb, zb, h float64, sh *Bent, grow float64) Response
}

var (
	_ Model = (*Plume)(nil)
	_ Model = (*Trail)(nil)
)

// A steady plume stands for the air while its wind turns no more than TurnLimitRad within the travel time (15°, the half width, at a tenth of the axis, of a
// plume between classes B and C) and blows at WeakWind or more: slower winds meander (Anfossi et al. 2005, Boundary-Layer Meteorology 114, 179). Below 1 m/s a
// trail is no better known than the wind that made it, and whoever asks should say that a source cannot be identified.
const (
	TurnLimitRad = 15 * math.Pi / 180
	WeakWind     = 1.5
)

// Drift is a wind with its history, over one surface. It is safe for concurrent use.
type Drift struct {
	times  []float64
	winds  []Wind
	plumes []*Plume
}

// NewDrift keeps the history of a wind: winds[i] is the mean from times[i] to times[i+1], seconds, increasing; the first also stands for all time before and the
// last for all time after. Means of about a minute are meant: eddies that are shorter spread a plume rather than steer it, and are in its spreads already.
// It keeps both slices.
func NewDrift(times []float64, winds []Wind, s Surface) *Drift {
	if len(times) != len(winds) || len(times) == 0 {
		panic(fmt.Sprintf("dispersion: a history of %d times and %d winds", len(times), len(winds)))
	}
	for i := range times[1:] {
		if !(times[i+1] > times[i]) {
			panic(fmt.Sprintf("dispersion: the history's time %g follows %g", times[i+1], times[i]))
		}
	}
	return &Drift{times, winds, NewPlumes(winds, s)}
}

// step is the stretch of the history in which t lies.
func (d *Drift) step(t float64) int {
	return max(0, sort.Search(len(d.times), func(i int) bool { return d.times[i] > t })-1)
}

// Steady reports whether a steady plume of the wind at time t stands for the air between a source and a sample reachM metres downwind: for as long as gas
// takes over that distance the wind blew at WeakWind or more, and its heading was within TurnLimitRad of that at t.
func (d *Drift) Steady(t, reachM float64) bool {
	i := d.step(t)
	now := d.winds[i]
	if !(now.Speed() >= WeakWind) {
		return false
	}
	limit := math.Cos(TurnLimitRad)
	for since := t - reachM/now.Speed(); i >= 0; i-- {
		w := d.winds[i]
		if w.Speed() < WeakWind || w.U*now.U+w.V*now.V < limit*w.Speed()*now.Speed() {
			return false
		}
		if d.times[i] <= since {
			break
		}
	}
	return true
}

// Trail is where the gas that was released at one place lies at one moment, or on the mean over a stretch of time: Gaussian puffs that were carried along the
// history of the wind, as wide across and along as Plume's σy and as deep as its σz after the same way. Its frame is that of the wind at the moment. In a
// steady wind it is the plume but for a share (σy/x)² of the axis (tested). It also answers upwind of the source, where weak winds carry gas.
type Trail struct {
	plume *Plume
	parts []part
}

// part is the trail of one moment, for sources at each of trailHeights.
type part struct {
	weight []float64 // seconds of release that each puff stands for
	at     [len(trailHeights)][]drifted
	blocks [len(trailHeights)][]block
}

// drifted is a puff: where it lies in the trail's frame, how far it came, and how fast it goes, in speeds of the wind at the wind's own height.
type drifted struct{ x, y, way, speed float64 }

// block bounds blockSize puffs: all lie within r of (x, y) and are no wider than sy, of the plain plume.
type block struct{ x, y, r, sy float64 }

const blockSize = 8

// trailHeights are the source heights, metres, that trails are made for; between them, in their logarithm, places are interpolated, as a log law asks.
var trailHeights = [3]float64{0.5, 4, 32}

const (
	// puffSpacing is the way between two puffs in spreads: the trapezoid rule over a Gaussian errs by 2·exp(-2π²), nothing, and by 1.4 % for a plume that is
	// half as wide as it was taken for.
	puffSpacing = 1.0
	oldestS     = 7200  // older puffs are forgotten
	farthestM   = 30000 // where the tables of spreads end
)

// Trail is the trail at time t, a mean over overS seconds about it (0 for the moment), for samples within reachM metres of the source.
func (d *Drift) Trail(t, overS, reachM float64) *Trail {
	i := d.step(t)
	tr := &Trail{plume: d.plumes[i]}
	moments := 1
	if overS > 0 {
		// As many moments as the history has steps in it, eight at the most.
		moments = min(max(d.step(t+overS/2)-d.step(t-overS/2)+1, 1), 8)
	}
	for k := range moments {
		at := t + overS*((float64(k)+0.5)/float64(moments)-0.5)
		tr.parts = append(tr.parts, d.part(tr.plume, at, 1/float64(moments), min(reachM, farthestM)))
	}
	return tr
}

// part follows puffs of growing age to time t. Ages are set by the height whose puffs would lie farthest apart.
func (d *Drift) part(p *Plume, t, share, reachM float64) (out part) {
	plain := Shape{}.Bend()
	var ways [len(trailHeights)]way
	for k, h := range trailHeights {
		ways[k] = p.way(h, plain)
	}
	u := max(d.winds[d.step(t)].Speed(), MinSpeed)
	var ages []float64
	for age, gone := 0.0, false; !gone; {
		ages = append(ages, age)
		step := math.Inf(1)
		gone = age >= oldestS
		for k := range trailHeights {
			f := d.follow(p, t, age, &ways[k])
			out.at[k] = append(out.at[k], f)
			sy, _ := p.Spreads(f.way, plain)
			step = min(step, puffSpacing*sy/(u*f.speed))
			gone = gone || k == 0 && f.way-6*sy > reachM
		}
		age += step
	}
	for j := range ages {
		out.weight = append(out.weight, share*(ages[min(j+1, len(ages)-1)]-ages[max(j-1, 0)])/2)
	}
	for k := range out.at {
		out.blocks[k] = bound(p, out.at[k], plain)
	}
	return out
}

// way tables how far a puff from one height came against the run of the wind at the wind's own height, and is the same whatever the wind did in
// between: d(way) = k(way)·d(run), where k is the speed that carries a plume of that spread over the wind's.
type way struct {
	after curve
	slope []float64 // at its nodes, times the distance to the next node
	k     func(way float64) float64
}

func (p *Plume) way(h float64, plain *Bent) way {
	k := func(way float64) float64 {
		_, sz := p.Spreads(way, plain)
		return p.speedAt(h, sz, 1/sz) / p.speed
	}
	w, run, come := way{k: k}, 0.0, 0.0
	w.after = newCurve(xFirst, xLast, func(x float64) float64 { // the midpoint rule: k changes by less than a fiftieth over an eighth of an octave
		come += (x - run) * k(come+(x-run)/2*k(come))
		run = x
		return come
	})
	for i, v := range w.after.v {
		w.slope = append(w.slope, k(v)*math.Ldexp(1./nodesPerOctave, xFirst+i/nodesPerOctave))
	}
	return w
}

// at is the way after a run, by Hermite's cubic: between straight lines the puffs would lie too close or too far apart by what k changes over a node.
func (w *way) at(run float64) float64 {
	const first = 0x1p-4 // 2^xFirst
	if run < first {
		return run / first * w.after.v[0]
	}
	i, f := w.after.node(run)
	a, b, ka, kb, g := w.after.v[i], w.after.v[i+1], w.slope[i], w.slope[i+1], 1-f
	if (i+1)%nodesPerOctave == 0 { // the next stretch is twice as long
		kb /= 2
	}
	return g*g*(1+2*f)*a + f*f*(1+2*g)*b + f*g*(g*ka-f*kb)
}

// follow carries one puff, released age seconds before t, through the history. It spreads with its way as a plume does; air that hardly moves spreads it as if
// it moved at MinSpeed.
func (d *Drift) follow(p *Plume, t, age float64, w *way) (f drifted) {
	now, run := t-age, 0.0
	for i := d.step(now); now < t; i++ {
		until := t
		if i+1 < len(d.times) {
			until = min(t, d.times[i+1])
		}
		u := max(d.winds[i].Speed(), MinSpeed)
		ux, uy := p.Downwind(d.winds[i].U, d.winds[i].V, 0)
		run += (until - now) * u
		come := w.at(run)
		f.x, f.y, f.way = f.x+(come-f.way)*ux/u, f.y+(come-f.way)*uy/u, come
		now = until
	}
	f.speed = w.k(f.way)
	return f
}

func bound(p *Plume, puffs []drifted, plain *Bent) (out []block) {
	for len(puffs) > 0 {
		b := puffs[:min(blockSize, len(puffs))]
		puffs = puffs[len(b):]
		var c block
		for _, f := range b {
			c.x, c.y = c.x+f.x/float64(len(b)), c.y+f.y/float64(len(b))
		}
		for _, f := range b {
			c.r = max(c.r, math.Hypot(f.x-c.x, f.y-c.y))
		}
		c.sy, _ = p.Spreads(b[len(b)-1].way, plain)
		out = append(out, c)
	}
	return out
}

// Downwind gives the place of (dx, dy), east and north of the source, along and to the left of the wind of the moment.
func (tr *Trail) Downwind(dx, dy, biasRad float64) (x, y float64) {
	return tr.plume.Downwind(dx, dy, biasRad)
}

// A touch is a puff that may bring something to a place or a path: where it lies, its variance across and depth, and the seconds of release that it stands for.
type touch struct{ x, y, sy2, sz, seconds float64 }

// stretch is a line from (x, y) to (x+dx, y+dy).
type stretch struct{ x, y, dx, dy, perLength2 float64 }

// off2 is the squared distance of a place from the line.
func (l *stretch) off2(x, y float64) float64 {
	x, y = x-l.x, y-l.y
	if l.perLength2 == 0 {
		return x*x + y*y
	}
	t := min(max((x*l.dx+y*l.dy)*l.perLength2, 0), 1)
	return (x-t*l.dx)*(x-t*l.dx) + (y-t*l.dy)*(y-t*l.dy)
}

// touches appends the puffs of a source of height h that lie within six spreads of the stretch from (xa, ya) to (xa+dx, ya+dy).
func (tr *Trail) touches(out []touch, xa, ya, dx, dy, h float64, sh *Bent, grow float64) []touch {
	k, f := between(h)
	p, grow2 := tr.plume, grow*grow
	line := stretch{xa, ya, dx, dy, 0}
	if l2 := dx*dx + dy*dy; l2 > 0 {
		line.perLength2 = 1 / l2
	}
	for i := range tr.parts {
		part := &tr.parts[i]
		low, high := part.at[k], part.at[k+1]
		// A bent plume is wider by at most the bend at the near or the far end.
		bend := max(sh.Wide*max(sh.y.at(sh.y.node(low[0].way)), sh.y.at(sh.y.node(high[len(high)-1].way))), 1)
		for n := range part.blocks[k] {
			a, b := &part.blocks[k][n], &part.blocks[k+1][n]
			// A puff between the two heights' lies within the radius between theirs, and is no wider than the upper; beyond the upper one, by so much more.
			beyond := max(f, 1)
			sy2 := 36 * (bend*bend*b.sy*b.sy*beyond*beyond + grow2)
			reach := math.Sqrt(sy2) + a.r + beyond*(a.r+b.r)
			if line.off2(a.x+f*(b.x-a.x), a.y+f*(b.y-a.y)) > reach*reach {
				continue
			}
			for j := n * blockSize; j < min((n+1)*blockSize, len(low)); j++ {
				a, b := &low[j], &high[j]
				x, y := a.x+f*(b.x-a.x), a.y+f*(b.y-a.y)
				o2 := line.off2(x, y)
				if o2 > sy2 {
					continue
				}
				sy, sz := p.Spreads(a.way+f*(b.way-a.way), sh)
				s2 := sy*sy + grow2
				if o2 > 36*s2 {
					continue
				}
				// Puffs lie as close as they were carried; deeper or higher ones than they were made for are carried faster, and lie farther apart.
				thin := (a.speed + f*(b.speed-a.speed)) * p.speed / p.speedAt(h, sz, 1/sz)
				out = append(out, touch{x, y, s2, sz, part.weight[j] * thin})
			}
		}
	}
	return out
}

// root2Pi3 is (2π)^-3/2, of a Gaussian in space.
var root2Pi3 = math.Pow(2*math.Pi, -1.5)

// atOnce is how many puffs a response has room for without asking for memory.
const atOnce = 32

// At is the response at a place, in the trail's frame, z above ground, to a source of height h, as Plume.At. Turn is by the trail's heading as a whole, about the
// source, and Widen by σy along and across.
func (tr *Trail) At(x, y, z, h float64, sh *Bent, grow float64) (r Response) {
	var room [atOnce]touch
	for _, f := range tr.touches(room[:0], x, y, 0, 0, h, sh, grow) {
		per := 1 / f.sy2
		d2 := ((x-f.x)*(x-f.x) + (y-f.y)*(y-f.y)) * per
		half := expNeg(-0.25 * d2)
		perSz := 1 / f.sz
		middle := f.seconds * root2Pi3 * per * perSz * tr.plume.vertical(z, h, f.sz, perSz)
		c := middle * half * half
		// Twice the variance along and across halves the middle; √2 of it gives back the axis that the puffs make together.
		r.Add(1, Response{c, middle * half * (math.Sqrt2 / 2), c * (f.x*y - f.y*x) * per, c * (d2 - 2)})
	}
	return r
}

// PathMean is the mean of At along the straight path from (xa, ya, za) to (xb, yb, zb), puff by puff in closed form.
func (tr *Trail) PathMean(xa, ya, za, xb, yb, zb, h float64, sh *Bent, grow float64) (r Response) {
	var room [atOnce]touch
	dx, dy, dz := xb-xa, yb-ya, zb-za
	var images [6]float64 // heights of the source and its mirror images
	n := copy(images[:], []float64{h, -h})
	if lid := tr.plume.lid; lid > 0 {
		n += copy(images[n:], []float64{2*lid - h, 2*lid + h, -2*lid + h, -2*lid - h})
	}
	for _, f := range tr.touches(room[:0], xa, ya, dx, dy, h, sh, grow) {
		per, perZ := 1/f.sy2, 1/(f.sz*f.sz)
		ax, ay := xa-f.x, ya-f.y
		across := parabola{per * (ax*ax + ay*ay), per * (ax*dx + ay*dy), per * (dx*dx + dy*dy)}
		middle := f.seconds * root2Pi3 * per / f.sz
		for _, g := range images[:n] {
			up := parabola{perZ * (za - g) * (za - g), perZ * (za - g) * dz, perZ * dz * dz}
			i0, i1, i2 := across.plus(up).gaussian()
			wide, _, _ := across.times(0.5).plus(up).gaussian()
			r.Add(middle, Response{
				C:     i0,
				Reach: wide * (math.Sqrt2 / 2),
				Turn:  per * ((f.x*ya-f.y*xa)*i0 + (f.x*dy-f.y*dx)*i1),
				Widen: (across.c-2)*i0 + 2*across.b*i1 + across.a*i2,
			})
		}
	}
	return r
}

// parabola is c + 2b·t + a·t², a ≥ 0.
type parabola struct{ c, b, a float64 }

func (p parabola) plus(q parabola) parabola { return parabola{p.c + q.c, p.b + q.b, p.a + q.a} }

func (p parabola) times(k float64) parabola { return parabola{p.c * k, p.b * k, p.a * k} }

// gaussian is the integrals of exp(-p/2), t·exp(-p/2) and t²·exp(-p/2) over t in [0,1].
func (p parabola) gaussian() (i0, i1, i2 float64) {
	if p.a < 4 { // a path of up to two spreads: four points err by 2⁹·5.6e-10 of an eighth derivative of at most 105, 3e-5
		for _, g := range gauss4 {
			t := g[0]
			e := g[1] * expNeg(-0.5*(p.c+t*(2*p.b+t*p.a)))
			i0, i1, i2 = i0+e, i1+t*e, i2+t*t*e
		}
		return i0, i1, i2
	}
	// By completing the square; the other two follow by parts. Far beside the middle both ends lie on one side, where erfc keeps its digits.
	root := math.Sqrt(p.a / 2)
	lo := p.b / p.a * root
	hi := lo + root
	var tails float64
	if lo > 0 {
		tails = math.Erfc(lo) - math.Erfc(hi)
	} else if hi < 0 {
		tails = math.Erfc(-hi) - math.Erfc(-lo)
	} else {
		tails = math.Erf(hi) - math.Erf(lo)
	}
	i0 = math.Exp(-0.5*max(p.c-p.b*p.b/p.a, 0)) * tails * math.Sqrt(math.Pi) / (2 * root)
	e0, e1 := expNeg(-0.5*p.c), expNeg(-0.5*(p.c+2*p.b+p.a))
	i1 = (e0 - e1 - p.b*i0) / p.a
	i2 = (i0 - e1 - p.b*i1) / p.a
	return i0, i1, i2
}

// between finds the two heights of the table about h, and the share of the upper; above the highest it goes on, to four times as high.
func between(h float64) (k int, f float64) {
	const step = 3 * math.Ln2 // trailHeights are eightfold
	u := max(math.Log(max(h, trailHeights[0])/trailHeights[0])/step, 0)
	k = min(int(u), len(trailHeights)-2)
	return k, min(u-float64(k), 1+2./3)
}
