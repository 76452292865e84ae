package source

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/atalaya-isr/atalaya/numeric"
)

// Options steer a search. The zero value works.
type Options struct {
	Seed uint64
	// PlainPlume takes the air for none: see dispersion.Surface. It serves to check the chain on numbers that a plain plume made; real air breaks it.
	PlainPlume bool
	// Progress is told how many of how many pieces of work are done.
	Progress func(done, total int)
	// Early is told of each group where a source would lie if there is one, as soon as the grid says so: long before Locate knows whether
	// there is any, and how surely. It never enters a result.
	Early func(Early)
}

// Early is the best cell of the grid.
type Early struct {
	Group    string
	Lat, Lon *float64 // as in Source
	XM, YM   *float64
	CellM    float64 // its side
	RateKgS  float64 // of Compound, that fits best from there
	Compound string
}

// MostSources is the largest number of sources that is looked for.
const MostSources = 5

// lnPriorCount is the prior of the number of sources: each further one half as probable, so that none and some are even. No survey is flown without a
// reason, and most find nothing.
var lnPriorCount = [MostSources + 1]float64{math.Log(1. / 2), math.Log(1. / 4), math.Log(1. / 8), math.Log(1. / 16), math.Log(1. / 32), math.Log(1. / 32)}

// Locate finds the sources of every group, each by itself. The same input and seed give the same result on any number of cores.
func Locate(ctx context.Context, in Input, o Options) (*Result, error) {
	res := &Result{Schema: Schema, Groups: []Group{}}
	if len(in.Groups) == 0 {
		return nil, inputError("", "no samples", "Give a survey with at least five samples")
	}
	const steps = 5
	for n, g := range in.Groups {
		tick := func(step int) {
			if o.Progress != nil {
				o.Progress(n*steps+step, len(in.Groups)*steps)
			}
		}
		out, err := locate(ctx, in, g, o, tick)
		if err != nil {
			return nil, err
		}
		res.Groups = append(res.Groups, *out)
		tick(steps)
	}
	return res, nil
}

func locate(ctx context.Context, in Input, g Survey, o Options, tick func(int)) (*Group, error) {
	g.Surface.Plain = g.Surface.Plain || o.PlainPlume
	sc, err := prepare(g)
	if err != nil {
		return nil, err
	}
	d := newDomain(sc)
	if len(d.cells) == 0 {
		return nil, inputError(g.Group, "no ground lies upwind of the samples: the wind is calm throughout", "Give the wind; below 1 m/s a source cannot be located")
	}
	gr := newGrid(sc)
	all := gr.refine(&d, nil)
	one := singles(all)
	if o.Early != nil && len(one) > 0 {
		c := one[0].cells[0]
		e := Early{Group: g.Group, CellM: c.side, RateKgS: math.Exp(one[0].lnRate[0]), Compound: g.Compounds[sc.primary]}
		e.Lat, e.Lon, e.XM, e.YM = place(in, c.x, c.y)
		o.Early(e)
	}
	d.weigh(gr)
	two := gr.pairs(&d, all)
	gr.ground = nil // tens of megabytes
	tick(1)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	lambda, summits := sc.temper(gr, &d, one, two)
	tick(2)
	var searches []*search // for none, one and so on
	add := func(at []summit) {
		next := &search{sc: sc, d: &d, summits: at, k: len(searches), lambda: lambda, seed: o.Seed}
		if next.k > 1 {
			next.one = searches[1]
		}
		searches = append(searches, next)
	}
	for k := 0; k < len(summits) && len(summits[k]) > 0; k++ {
		add(summits[k])
	}
	for k := 2; k < MostSources && k < len(searches) && (k == 2 || searches[k].promise() > searches[k-1].promise()); k++ {
		if more := sc.beside(&d, searches[k].summits[0], lambda); len(more) > 0 {
			add(more)
		}
	}
	tick(3)
	clouds, err := posteriors(ctx, searches)
	if err != nil {
		return nil, err
	}
	tick(4)
	found := sc.report(in, &d, searches, clouds, lambda, o.Seed)
	return found, found.doubt(ctx)
}

// posteriors runs searches for none, one and so on, the most probable by its summits first. One that is hopelessly behind is left at the evidence that its
// summits have.
func posteriors(ctx context.Context, searches []*search) ([]cloud, error) {
	out := make([]cloud, len(searches))
	order := make([]int, len(searches))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(sign(searches[b].promise() - searches[a].promise())) })
	rival, best := math.Inf(-1), -1
	for _, k := range order {
		a := searches[k]
		if a.hidden = math.Inf(-1); best >= 0 && best < k {
			a.hidden = searches[best].withHidden(rival, k-best)
		}
		if rival > never/2 && k > 0 && a.promise()+hopeless < searches[order[0]].promise() {
			out[k] = a.unseen()
			continue
		}
		a.rival = rival
		c, err := a.run(ctx)
		if err != nil {
			return nil, err
		}
		if c.standing > rival {
			rival, best = c.standing, k
		}
		out[k] = c
	}
	return out, nil
}

// besideGain is the least gain in ln of the tempered likelihood, by the grid, for which one more source is climbed to: it costs three numbers, and is half as
// probable beforehand.
const besideGain = 3.0

// beside are the summits above explanations of one more source: what a summit leaves over is looked through for it.
func (sc *scene) beside(d *domain, s summit, lambda float64) []summit {
	g, w := newGrid(sc), sc.newWork()
	f := sc.fit(w, s.at, s.held, lambda)
	for k, i := range g.rows {
		d, v := f.z[i]*math.Sqrt(w.variance[i]), w.variance[i]
		if sc.obs[i].Below && d > 0 { // what is below a bound leaves nothing over, and leaves room up to it
			d, v = 0, v+d*d
		}
		g.r[k], g.weight[k] = d, 1/v
	}
	g.solveBackgrounds()
	found := singles(g.refine(d, nil))
	if len(found) == 0 || sc.apart*lambda*found[0].peak < besideGain {
		return nil
	}
	var starts []summit
	for _, one := range spread(found, d.apart, besideStarts) {
		at := slices.Concat(s.at[:len(s.at)-shared], theta{one.cells[0].x, one.cells[0].y, priorLnH[0], one.lnRate[0]}, s.at.shared())
		starts = append(starts, summit{at: at, held: s.held, scale: cellScales(append(cellsAt(s), one.cells[0]))})
	}
	return sc.tops(starts, lambda, s.ln)
}

// temper climbs from the best hypotheses and takes the effective share of the samples from what the best explanation leaves
// over; then it climbs once more with that share. summits are those of none, one and two sources.
func (sc *scene) temper(g *grid, d *domain, one, two []hypothesis) (lambda float64, summits [][]summit) {
	w := sc.newWork()
	first := g.lambda
	if sc.standing {
		first, sc.apart = 1, g.lambda
	}
	share := sc.share(w, summit{at: sc.centre()}, 1)
	starts := [][]summit{1: sc.starts(spread(one, d.apart, oneStarts)), 2: sc.starts(spread(two, d.apart, twoStarts))}
	summits = make([][]summit, len(starts))
	for k := 2; k >= 1; k-- {
		if len(starts[k]) == 0 {
			continue
		}
		if k == 1 && len(summits[2]) > 0 { // each source of the best pair may be all there is
			for j, t := range summits[2][0].at.split() {
				starts[1] = append(starts[1], summit{at: t, scale: cellScales(cellsAt(summits[2][0])[j : j+1])})
			}
		}
		rival := math.Inf(-1)
		if k == 1 && len(summits[2]) > 0 {
			rival = summits[2][0].ln
		}
		summits[k] = sc.tops(starts[k], first, rival)
		share = max(share, sc.share(w, summits[k][0], first))
	}
	lambda = share
	if sc.standing {
		lambda, sc.apart = 1, share
	}
	for k := 2; k >= 0; k-- {
		if k == 0 {
			summits[0] = sc.withoutSources(summits, lambda)
		}
		if len(summits[k]) > 0 {
			summits[k] = sc.climbAll(summits[k], lambda, theTop)
		}
	}
	return lambda, summits
}

// withoutSources are from where none is climbed to: the middle of the priors, with the noise held first, and what the best explanations with sources leave when these
// go. From the middle alone a climb may end where noise stands for all that the background does.
func (sc *scene) withoutSources(summits [][]summit, lambda float64) []summit {
	out := sc.climbAll([]summit{{at: sc.centre()}}, lambda, firstSlopes)
	for _, s := range summits[1:] {
		if len(s) > 0 {
			out = append(out, summit{at: s[0].at.shared()})
		}
	}
	return out
}

// From how many places a climb begins, and how many, the highest, go on to the top.
const oneStarts, twoStarts, besideStarts, keepSummits, firstTops = 6, 10, 6, 6, 2

func (sc *scene) starts(hyp []hypothesis) []summit {
	out := make([]summit, len(hyp))
	for i, h := range hyp {
		out[i] = summit{at: sc.start(h), scale: cellScales(h.cells)}
	}
	return out
}

// farBehind is, in ln of the density, behind a rival: where the highest of the first summits stands so, no other is looked for. It is far more than those that were as
// high after their first slopes ever differ in the end; where it stands twice as far behind, what it lacks of its top is nothing to that.
const farBehind = 5 * hopeless

// tops are the summits above starts, of which there is one at least, the likeliest first: those that are highest after their first slopes.
func (sc *scene) tops(starts []summit, lambda, rival float64) []summit {
	first := min(firstTops, len(starts))
	out := sc.climbAll(starts[:first], lambda, firstSlopes)
	switch ln := out[0].ln; {
	case ln+2*farBehind < rival:
		return out
	case ln+farBehind >= rival:
		out = distinct(append(out, sc.climbAll(starts[first:], lambda, firstSlopes)...))
	}
	out = out[:min(keepSummits, len(out))]
	first = min(firstTops, len(out))
	tops := sc.climbAll(out[:first], lambda, theTop)
	if tops[0].ln+farBehind < rival {
		return tops
	}
	return distinct(append(tops, sc.climbAll(out[first:], lambda, theTop)...))
}

// climbAll climbs from every start; the highest comes first, and of those that meet on one summit it alone stays.
func (sc *scene) climbAll(from []summit, lambda float64, e effort) []summit {
	all := make([]summit, len(from))
	numeric.Each(len(from), func(i int) { all[i] = sc.climb(from[i].at, from[i].held, from[i].scale, lambda, e) })
	return distinct(all)
}

// distinct puts the highest first, and of summits that are one leaves it alone.
func distinct(all []summit) (out []summit) {
	slices.SortStableFunc(all, func(a, b summit) int { return int(sign(b.ln - a.ln)) })
	for _, s := range all {
		if !slices.ContainsFunc(out, func(o summit) bool { return o.meets(s) }) {
			out = append(out, s)
		}
	}
	return out
}

// meets reports whether another explanation lies within a deviation of a summit, by its curvature, in whichever order its sources are named.
func (s *summit) meets(o summit) bool {
	d := mat.NewVecDense(len(s.at), nil)
	at := ordered(o.at, s.at)
	for i := range s.at {
		d.SetVec(i, (at[i]-s.at[i])/s.scale[i])
	}
	var y mat.VecDense
	y.MulVec(s.root.RawU(), d)
	return mat.Dot(&y, &y) < 1
}

// split gives an explanation of two sources as two of one.
func (t theta) split() []theta {
	var out []theta
	for k := range t.sources() {
		out = append(out, slices.Concat(t.source(k), t.shared()))
	}
	return out
}

// cellsAt are cells for the scales of a second climb.
func cellsAt(s summit) []cell {
	var out []cell
	for k := range s.at.sources() {
		p := s.at.source(k)
		out = append(out, cell{p[iX], p[iY], 2 * s.scale[k*perSource]})
	}
	return out
}

// spread picks the n best hypotheses that do not neighbour a better one.
func spread(hyp []hypothesis, apart float64, n int) []hypothesis {
	var out []hypothesis
	for _, h := range hyp {
		near := slices.ContainsFunc(out, func(o hypothesis) bool {
			same := 0
			for k := range h.cells {
				if math.Hypot(o.cells[k].x-h.cells[k].x, o.cells[k].y-h.cells[k].y) < max(apart, 3*(o.cells[k].side+h.cells[k].side)) {
					same++
				}
			}
			return same == len(h.cells)
		})
		if !near {
			out = append(out, h)
		}
		if len(out) == n {
			break
		}
	}
	return out
}

func (sc *scene) centre() theta {
	t := make(theta, shared)
	for j, p := range sc.sharedPriors() {
		t[j] = p[0]
	}
	return t
}

func (sc *scene) start(h hypothesis) theta {
	var t theta
	for k, c := range h.cells {
		t = append(t, c.x, c.y, priorLnH[0], h.lnRate[k])
	}
	t = append(t, sc.centre()...)
	t.shared()[jBias] = h.bias
	return t
}
