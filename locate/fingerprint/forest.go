package fingerprint

import (
	"math"

	"github.com/atalaya-isr/atalaya/numeric"
)

// A tree asks at each node whether a log share, or the log ratio of two shares, is below a threshold. Thresholds and channels
// are drawn by chance and the best of a few is kept (extremely randomised trees; Geurts, Ernst, Wehenkel 2006, Machine
// Learning 63, 3-42, table 1). Ratios do not care how much else is in the mixture, which helps where studies differ in what
// they looked for.
type tree []branch

type branch struct {
	a, b        int // log share of a, less that of b unless b is -1; a is -1 in a leaf
	below       float64
	left, right int
	p           []float64 // of a leaf: the share of each class
}

func (b branch) of(x []float64) float64 {
	if b.b < 0 {
		return x[b.a]
	}
	return x[b.a] - x[b.b]
}

// The forest's shape was compared by leaving studies out (decision 0008): leaves of three against one, twelve questions
// against twenty-five, half of them ratios against none.
const (
	questions = 12
	leafSize  = 3
	deepest   = 25
)

// A sample is one simulated measurement of a profile.
type sample struct {
	x      []float64
	class  int
	weight float64
}

// grow makes a tree of the samples, whose order it changes.
func grow(s []sample, classes int, r *numeric.Stream) tree {
	var t tree
	t.grow(s, classes, 0, r)
	return t
}

func (t *tree) grow(s []sample, classes, depth int, r *numeric.Stream) int {
	me := len(*t)
	*t = append(*t, branch{a: -1})
	all, total := tally(s, classes)
	best := branch{a: -1}
	if len(s) >= 2*leafSize && depth < deepest && total*total > 1.000001*squares(all) {
		best = ask(s, all, total, r)
	}
	if best.a < 0 {
		for c := range all {
			all[c] /= total
		}
		(*t)[me].p = all
		return me
	}
	low := 0
	for i := range s {
		if best.of(s[i].x) < best.below {
			s[low], s[i] = s[i], s[low]
			low++
		}
	}
	best.left = t.grow(s[:low], classes, depth+1, r)
	best.right = t.grow(s[low:], classes, depth+1, r)
	(*t)[me] = best
	return me
}

// ask draws questions and keeps the one that leaves the purest halves (Gini).
func ask(s []sample, all []float64, total float64, r *numeric.Stream) branch {
	best, most := branch{a: -1}, 1e-12*total
	low, high := make([]float64, len(all)), make([]float64, len(all))
	channels := len(s[0].x)
	for range questions {
		q := branch{a: r.IntN(channels), b: -1}
		if r.Float64() < 0.5 {
			if q.b = r.IntN(channels); q.b == q.a {
				q.b = -1
			}
		}
		lo, hi := math.Inf(1), math.Inf(-1)
		for i := range s {
			v := q.of(s[i].x)
			lo, hi = min(lo, v), max(hi, v)
		}
		if !(hi-lo > 1e-9) {
			continue
		}
		for range 2 {
			q.below = lo + (hi-lo)*r.Float64()
			clear(low)
			below, n := 0.0, 0
			for i := range s {
				if q.of(s[i].x) < q.below {
					low[s[i].class] += s[i].weight
					below += s[i].weight
					n++
				}
			}
			if n < leafSize || len(s)-n < leafSize {
				continue
			}
			for c := range high {
				high[c] = all[c] - low[c]
			}
			if gain := squares(low)/below + squares(high)/(total-below) - squares(all)/total; gain > most {
				best, most = q, gain
			}
		}
	}
	return best
}

func tally(s []sample, classes int) (all []float64, total float64) {
	all = make([]float64, classes)
	for i := range s {
		all[s[i].class] += s[i].weight
		total += s[i].weight
	}
	return all, total
}

func squares(x []float64) (sum float64) {
	for _, v := range x {
		sum += v * v
	}
	return sum
}

// at is what the tree says of x.
func (t tree) at(x []float64) []float64 {
	k := 0
	for t[k].a >= 0 {
		if t[k].of(x) < t[k].below {
			k = t[k].left
		} else {
			k = t[k].right
		}
	}
	return t[k].p
}
