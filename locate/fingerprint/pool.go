package fingerprint

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/optimize"

	"github.com/atalaya-isr/atalaya/numeric"
)

// A calibration says how the members are pooled and when a mixture is like none of the classes. It is learnt by leaving
// out studies, and whole classes, of the references that are trained on; what is to be classified has no part in it.
type calibration struct {
	pool   [members]float64 // exponents of the logarithmic pool (Genest, Zidek 1986, Stat. Sci. 1, 114-135, eq. 3.5)
	centre [strangers]float64
	scale  [strangers]float64
	slope  float64 // of the logit of none of these, per unit of strangeness
	offset float64
}

// The signs of a stranger: what each member gives to the profiles that are in no class, and how thin the references are there.
// Each is taken in units of its scatter among known emitters; the weights are fixed (decision 0008 says what was compared).
const strangers = members + 1

var strangerWeight = [strangers]float64{1, 1, 1, 2}

// folds of the inner leaving-out of studies.
const folds = 8

// refused is the share of known emitters that are called none of these in the inner leaving-out: the price that was set for
// finding strangers.
const refused = 0.08

// calibrate leaves out studies by folds and classes one at a time.
func (t *table) calibrate(keep []bool, trees int, seed uint64, tick func()) calibration {
	known, strange := t.heldOut(keep, trees, seed, tick)
	var c calibration
	c.fitPool(known)
	c.fitStrange(known, strange, len(t.classes)-1)
	c.sharpen(known, len(t.classes)-1)
	return c
}

// sharpen scales the pool's powers until what comes first is right as often as its probability says, in the mean over known
// emitters held out: likelihood alone leaves the pool too flat, as it dreads the few mistakes that it is sure of, and the
// probability of none of these flattens it further.
func (c *calibration) sharpen(known []trial, classes int) {
	named := slices.DeleteFunc(slices.Clone(known), func(k trial) bool { return k.class >= classes })
	if len(named) == 0 {
		return
	}
	start := c.pool
	least, most := 0.5, 3.0
	for range 12 { // to a part in two thousand of the factor
		mid := (least + most) / 2
		for m := range c.pool {
			c.pool[m] = start[m] * mid
		}
		if !math.IsInf(c.offset, -1) {
			c.offset = c.threshold(named)
		}
		if c.boast(named) > 0 {
			most = mid
		} else {
			least = mid
		}
	}
}

// boast is the mean probability of what comes first, less how often it is right.
func (c *calibration) boast(named []trial) (sum float64) {
	for _, k := range named {
		p, none := c.judge(k.opinion)
		best := slices.Max(p)
		sum += k.weight * max(best, none)
		if none <= best && p[k.class] == best {
			sum -= k.weight
		}
	}
	return sum
}

// A trial is a sample that was judged without its study, and for a stranger without its class.
type trial struct {
	opinion
	class  int
	weight float64
}

func (t *table) heldOut(keep []bool, trees int, seed uint64, tick func()) (known, strange []trial) {
	order := t.shuffled(keep, seed)
	classes := len(t.classes) - 1
	jobs := folds + classes
	out := make([][]trial, jobs)
	numeric.Each(jobs, func(j int) {
		defer tick()
		test := func(r reference) bool { return order[r.study] >= 0 && order[r.study]%folds == j }
		if j >= folds {
			test = func(r reference) bool { return r.class == j-folds }
		}
		out[j] = t.try(keep, test, j >= folds, trees, seed+uint64(j)+1)
	})
	for j := range out {
		if j < folds {
			known = append(known, out[j]...)
		} else {
			strange = append(strange, out[j]...)
		}
	}
	return known, strange
}

// shuffled gives the studies that are kept a random order, -1 to the others.
func (t *table) shuffled(keep []bool, seed uint64) []int {
	out := make([]int, len(t.studies))
	for s := range out {
		out[s] = -1
	}
	var list []int
	for i, r := range t.refs {
		if keep[i] && out[r.study] < 0 {
			out[r.study] = 0
			list = append(list, r.study)
		}
	}
	r := numeric.NewStream(seed, math.MaxUint64)
	for n := len(list) - 1; n > 0; n-- {
		k := r.IntN(n + 1)
		list[n], list[k] = list[k], list[n]
	}
	for n, s := range list {
		out[s] = n
	}
	return out
}

// try learns without the references that test names, and without every study that shares a publication with one of theirs,
// and judges one sample of each.
func (t *table) try(keep []bool, test func(reference) bool, wholeClass bool, trees int, seed uint64) []trial {
	out := make([]bool, len(t.studies))
	any := false
	for i, r := range t.refs {
		if keep[i] && test(r) {
			any = true
			for s, kin := range t.kin[r.study] {
				// A publication that reports two classes leaves the other one where a whole class goes: what is lacking is the class.
				out[s] = out[s] || kin && !wholeClass
			}
		}
	}
	rest := make([]bool, len(t.refs))
	left := false
	for i, r := range t.refs {
		rest[i] = keep[i] && !test(r) && !out[r.study]
		left = left || rest[i] && r.class < len(t.classes)-1
	}
	if !any || !left {
		return nil
	}
	m := t.learn(rest, trees, seed)
	var tests []int
	group := map[[2]int]float64{}
	for i, r := range t.refs {
		if keep[i] && test(r) {
			tests = append(tests, i)
			group[[2]int{r.class, r.study}]++
		}
	}
	trials := make([]trial, len(tests))
	for n, i := range tests {
		r := t.refs[i]
		trials[n] = trial{m.opine(t.samples[i*draws].x), r.class, 1 / group[[2]int{r.class, r.study}]}
	}
	return trials
}

// pooled is the product of the members' probabilities, each to its power.
func (c *calibration) pooled(o opinion) []float64 {
	p := make([]float64, len(o.log[0]))
	top := math.Inf(-1)
	for k := range p {
		for m, w := range c.pool {
			if p[k] += w * o.log[m][k]; math.IsInf(o.log[m][k], -1) {
				p[k] = math.Inf(-1) // no reference of this class, whatever the power
				break
			}
		}
		top = max(top, p[k])
	}
	sum := 0.0
	for k := range p {
		p[k] = math.Exp(p[k] - top)
		sum += p[k]
	}
	for k := range p {
		p[k] /= sum
	}
	return p
}

// fitPool finds the powers that make the held-out classes most likely, near equal shares where they do not matter. A power
// is a probability's sharpness too: with it the pool is calibrated.
func (c *calibration) fitPool(known []trial) {
	c.pool = [members]float64{1. / members, 1. / members, 1. / members}
	loss := func(theta []float64) float64 {
		var d calibration
		sum := 0.0
		for m, v := range theta {
			d.pool[m] = math.Exp(v) / members
			sum += v * v / 2 // a lognormal prior of a factor e
		}
		for i := range known {
			k := &known[i]
			if math.IsInf(k.log[0][k.class], -1) {
				continue // the only study of its class: nothing can find it
			}
			sum -= k.weight * math.Log(d.pooled(k.opinion)[k.class])
		}
		return sum
	}
	best, err := optimize.Minimize(optimize.Problem{Func: loss}, make([]float64, members), &optimize.Settings{FuncEvaluations: 200}, &optimize.NelderMead{})
	if best == nil || err != nil && !finite(best.F) {
		return // equal shares stand
	}
	for m, v := range best.X {
		c.pool[m] = math.Exp(v) / members
	}
}

// signs are those of a stranger, before they are scaled. A library without profiles in no class has the last sign only.
func (o opinion) signs() (out [strangers]float64) {
	for m, log := range o.log {
		if other := math.Exp(log[len(log)-1]); other > 0 {
			out[m] = math.Log(other+rare) - math.Log(1-other+rare)
		}
	}
	out[members] = -o.density
	return out
}

func (c *calibration) strangeness(o opinion) float64 {
	sum := 0.0
	for k, v := range o.signs() {
		sum += strangerWeight[k] * (v - c.centre[k]) / c.scale[k]
	}
	return sum
}

// fitStrange sets the slope by a logistic regression of strangers against known, and the offset by the share of known that it
// may refuse.
func (c *calibration) fitStrange(known, strange []trial, classes int) {
	for k := range c.scale {
		c.scale[k] = 1
	}
	c.offset = math.Inf(-1)
	named := slices.DeleteFunc(slices.Clone(known), func(k trial) bool { return k.class >= classes })
	if len(named) == 0 || len(strange) == 0 {
		return // one class or one study: nothing shows what a stranger looks like
	}
	for k := range strangers {
		var v []float64
		for _, n := range named {
			v = append(v, n.signs()[k])
		}
		c.centre[k], c.scale[k] = moments(v)
	}
	c.slope = c.regress(named, strange)
	c.offset = c.threshold(named)
}

func moments(v []float64) (mean, sd float64) {
	mean = numeric.Mean(v)
	for _, x := range v {
		sd += (x - mean) * (x - mean) / float64(len(v))
	}
	return mean, max(math.Sqrt(sd), 1e-6) // a sign that never varies stands at its mean
}

// regress is a logistic regression of strangers on strangeness.
func (c *calibration) regress(named, strange []trial) float64 {
	var rows []outcome
	for _, k := range named {
		rows = append(rows, outcome{c.strangeness(k.opinion), k.weight, false})
	}
	for _, k := range strange {
		rows = append(rows, outcome{c.strangeness(k.opinion), k.weight, true})
	}
	_, slope := logistic(rows)
	return slope
}

// threshold is the offset at which the wanted share of known has none of these on top.
func (c *calibration) threshold(named []trial) float64 {
	// A trial is refused when logit u > logit of its best class's share of what u leaves: u > (1-u)·best.
	type at struct{ need, weight float64 }
	var list []at
	total := 0.0
	for _, k := range named {
		best := slices.Max(shares(c.pooled(k.opinion)))
		list = append(list, at{math.Log(best) - c.slope*c.strangeness(k.opinion), k.weight})
		total += k.weight
	}
	slices.SortStableFunc(list, func(a, b at) int { return compare(a.need, b.need) })
	sum := 0.0
	for _, l := range list {
		if sum += l.weight; sum > refused*total {
			return l.need
		}
	}
	return list[len(list)-1].need
}

// shares are the probabilities of the named classes among themselves.
func shares(p []float64) []float64 {
	out := slices.Clone(p[:len(p)-1])
	sum := 0.0
	for _, v := range out {
		sum += v
	}
	for c := range out {
		out[c] /= sum
	}
	return out
}

// judge gives the named classes' probabilities and that of none of these; together they are 1.
func (c *calibration) judge(o opinion) (classes []float64, none float64) {
	classes = shares(c.pooled(o))
	none = 1 / (1 + math.Exp(-c.slope*c.strangeness(o)-c.offset))
	for k := range classes {
		classes[k] *= 1 - none
	}
	return classes, none
}
