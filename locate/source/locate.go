package source

import (
	"context"
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya/numeric"
)

// Options steer a search. The zero value works.
type Options struct {
	Seed uint64
	// Progress is told how many of how many pieces of work are done.
	Progress func(done, total int)
}

// lnPriorCount is the prior of zero, one and two sources: a half, a third, a sixth. No survey is flown without a reason, and most find nothing.
var lnPriorCount = [3]float64{math.Log(1. / 2), math.Log(1. / 3), math.Log(1. / 6)}

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
	one, two := singles(all), gr.pairs(&d, all)
	tick(1)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	lambda, gain, summits := sc.temper(gr, &d, one, two)
	tick(2)
	clouds, rival := make([]cloud, 0, len(summits)), math.Inf(-1)
	for k := len(summits) - 1; k >= 0; k-- { // a number that is far behind another is given up early
		if len(summits[k]) == 0 || k == 2 && gain < pairWorth {
			continue
		}
		a := search{sc: sc, d: &d, summits: summits[k], k: k, lambda: lambda, seed: o.Seed, rival: rival}
		c, err := a.run(ctx)
		if err != nil {
			return nil, err
		}
		rival = max(rival, c.lnEvidence+lnPriorCount[k])
		clouds = append(clouds, c)
		tick(4 - k)
	}
	slices.Reverse(clouds)
	found := sc.report(in, &d, clouds, lambda, o.Seed)
	return found, found.doubt(ctx)
}

// pairWorth is the least gain in tempered ln likelihood for which two sources are weighed in full. A second source costs four
// parameters; by the Bayesian information criterion 2·ln n > 6 even for ten independent samples (Schwarz 1978), and prior odds
// of a half: below this gain its probability stays under 5 %, which is what is then reported, as zero.
const pairWorth = 1.0

// temper climbs from the best hypotheses and takes the effective share of the samples from what the best explanation leaves
// over; then it climbs once more with that share. gain is by how much two sources then beat one, in tempered ln likelihood.
func (sc *scene) temper(g *grid, d *domain, one, two []hypothesis) (lambda, gain float64, summits [3][]summit) {
	w := sc.newWork()
	first := g.lambda
	if sc.standing {
		first, sc.apart = 1, g.lambda
	}
	share := sc.share(w, summit{at: sc.centre()}, 1)
	starts := [3][]summit{1: sc.starts(spread(one, d.apart, oneStarts)), 2: sc.starts(spread(two, d.apart, twoStarts))}
	for k := 2; k >= 1; k-- {
		if len(starts[k]) == 0 {
			continue
		}
		if k == 1 && len(summits[2]) > 0 { // each source of the best pair may be all there is
			for j, t := range summits[2][0].at.split() {
				starts[1] = append(starts[1], summit{at: t, scale: cellScales(cellsAt(summits[2][0])[j : j+1])})
			}
		}
		summits[k] = sc.tops(starts[k], first)
		share = max(share, sc.share(w, summits[k][0], first))
	}
	lambda = share
	if sc.standing {
		lambda, sc.apart = 1, share
	}
	summits[0] = []summit{{at: sc.centre()}}
	for k := range summits {
		if len(summits[k]) > 0 {
			summits[k] = sc.climbAll(summits[k], lambda, theTop)
		}
	}
	if len(summits[1]) > 0 && len(summits[2]) > 0 {
		likely := func(s summit) float64 { return s.ln - sc.lnPrior(s.at) }
		gain = likely(summits[2][0]) - likely(summits[1][0])
	}
	return lambda, gain, summits
}

// From how many places a climb begins, and how many, the highest, go on to the top.
const oneStarts, twoStarts, keepSummits = 6, 4, 3

func (sc *scene) starts(hyp []hypothesis) []summit {
	out := make([]summit, len(hyp))
	for i, h := range hyp {
		out[i] = summit{at: sc.start(h), scale: cellScales(h.cells)}
	}
	return out
}

// tops are the summits above starts, of which there is one at least: those that are highest after their first slopes.
func (sc *scene) tops(starts []summit, lambda float64) []summit {
	out := sc.climbAll(starts, lambda, firstSlopes)
	return sc.climbAll(out[:min(keepSummits, len(out))], lambda, theTop)
}

// climbAll climbs from every start; the highest comes first.
func (sc *scene) climbAll(from []summit, lambda float64, e effort) []summit {
	out := make([]summit, len(from))
	numeric.Each(len(from), func(i int) { out[i] = sc.climb(from[i].at, from[i].held, from[i].scale, lambda, e) })
	slices.SortStableFunc(out, func(a, b summit) int { return int(sign(b.ln - a.ln)) })
	return out
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
