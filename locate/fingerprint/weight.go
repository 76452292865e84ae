package fingerprint

import (
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/numeric"
)

// A Weight is what a mixture says for a place: ln p(mixture | target) - ln p(mixture | others).
type Weight struct {
	LnRatio atalaya.Interval `json:"ln_ratio"`
	// Capped: the ratio itself is larger than what is given.
	Capped bool `json:"capped"`
	// Channels that see something of the target; Share of the target that they see.
	Channels int     `json:"channels"`
	Share    float64 `json:"share"`
	// Slope by which the raw ratio was flattened, so that ratios between known kinds are worth what they say.
	Slope float64 `json:"slope"`
}

const (
	// MostWeight caps the logarithm of the ratio, on either side: a factor of twenty, what a report of the best grade has. A
	// mixture has known rivals and unknown ones.
	MostWeight = 2.995732273553991 // ln 20
	// StrangerWeight is the most that "none of these" alone may say for a place: a factor of 1.5. Held out, strangers are called
	// so about three times as often as known kinds are, but of the strangers that were ever measured (the profiles of the
	// library in no class) hardly any is a target: (1 + 3·¼)/(1 + ¼) = 1.4, with a quarter as the largest share that a target
	// could have of them.
	StrangerWeight = 0.4054651081081644 // ln 1.5
)

// OfNone is the weight of "none of these" where there is no target to compare with: none below one half, growing to
// StrangerWeight. It is never negative, as resembling a paint shop does not make a place safe.
func OfNone(noneOfThese float64) float64 {
	return StrangerWeight * max(0, min(1, 2*noneOfThese-1))
}

// spreads over which the scale of the kernels is marginalised, as factors: it is known to about a factor of two.
var spreads = [...]float64{0.5, 0.71, 1, 1.41, 2}

// stranger is the prior of a mixture that is like nothing in the library, among the others, and how much wider than a kernel
// it scatters round the mean of all references.
const (
	strangerPrior = 0.1
	strangerWide  = 3
)

// Weight compares the composition with a target and with everything else in the library, the spread marginalised. The ratio
// is calibrated on the library itself: each profile in turn stands in as the target for mixtures of its own class, measured by
// other studies, and of other classes, and a logistic regression of which is which gives the slope. It reports false where
// no two channels see the target: then the mixture says nothing about it.
func (c *Classifier) Weight(comp *Composition, target Profile) (Weight, bool) {
	_, m, ok := comp.panel()
	if !ok || len(m.share) != len(c.table.floor) {
		return Weight{}, false
	}
	p := c.table.panel
	seen, ok := p.sees(target)
	w := Weight{}
	for k, ch := range p.Channels {
		w.Share += ch.see(target).share
		if seen.share[k] > c.table.floor[k] {
			w.Channels++
		}
	}
	if !ok || w.Channels < 2 {
		return w, false
	}
	w.Share = min(w.Share, 1)
	aim := c.table.reference(target, seen, -1, -1)
	lines := c.worth()
	w.Slope = lines[0].slope
	var raw []float64
	for d := range balanceDraws {
		r := numeric.NewStream(c.seed+5, uint64(d))
		x := logs(p.measure(m.redrawn(r), r), c.table.floor)
		all := c.densities(x)
		l := lines[1+d%redraws]
		v := l.intercept + l.slope*(marginal(&aim, x)-c.others(all, x, nil))
		raw = append(raw, max(-MostWeight, min(MostWeight, v)))
		w.Capped = w.Capped || math.Abs(v) > MostWeight
	}
	w.LnRatio = interval(raw)
	return w, true
}

// marginal is the logarithm of the kernel round r, averaged over spreads.
func marginal(r *reference, x []float64) float64 {
	var s [len(spreads)]float64
	for i, wide := range spreads {
		sum := 0.0
		product := 1.0
		for k, v := range x {
			d := v - r.x[k]
			if product *= 1 + d*d*r.precise[k]/(wide*wide*kernelDF); product > 1e100 {
				sum += math.Log(product)
				product = 1
			}
		}
		s[i] = (-(kernelDF+1)/2*(sum+math.Log(product)) - r.scales - float64(len(x))*math.Log(wide)) / kernelTemper
	}
	return numeric.LogSumExp(s[:]...) - math.Log(float64(len(spreads)))
}

// densities are the marginal kernels of all references.
func (c *Classifier) densities(x []float64) []float64 {
	out := make([]float64, len(c.table.refs))
	for i := range out {
		out[i] = marginal(&c.table.refs[i], x)
	}
	return out
}

// others is the logarithm of p(mixture | not the target): classes by the root of their number of studies, studies alike, and
// a share for what the library does not have. Studies that without names are left out.
func (c *Classifier) others(log, x []float64, without func(study int) bool) float64 {
	var terms, prior []float64
	total := 0.0
	for i := range c.table.refs {
		r := &c.table.refs[i]
		if without != nil && without(r.study) {
			continue
		}
		w := c.model.weight[i] / math.Sqrt(c.model.studies[r.class])
		total += w
		terms, prior = append(terms, log[i]), append(prior, w)
	}
	for i := range terms {
		terms[i] += math.Log(prior[i] / total * (1 - strangerPrior))
	}
	return numeric.LogSumExp(append(terms, math.Log(strangerPrior)+marginal(c.everything(), x)-float64(len(x))*math.Log(strangerWide)/kernelTemper)...)
}

// everything is a kernel round the mean of all references, widened.
func (c *Classifier) everything() *reference {
	r := &reference{x: make([]float64, len(c.table.floor)), precise: make([]float64, len(c.table.floor))}
	for i, q := range c.table.refs {
		for k, v := range q.x {
			r.x[k] += v * c.model.weight[i] / c.allStudies()
		}
	}
	for k := range r.precise {
		r.precise[k] = 1 / (within * within * strangerWide * strangerWide)
	}
	return r
}

func (c *Classifier) allStudies() (sum float64) {
	for _, n := range c.model.studies {
		sum += n
	}
	return sum
}

// A line turns raw log ratios into ones that are worth what they say.
type scale struct{ intercept, slope float64 }

// redraws of the studies, for the error of the line.
const redraws = 20

// worth fits the line, first on all studies, then on studies drawn anew. Of each class and study one profile stands in as
// target and one measurement as mixture; for each mixture, pairs of one class and pairs of two count alike in sum.
func (c *Classifier) worth() []scale {
	rows := c.standIns()
	lines := make([]scale, 1+redraws)
	numeric.Each(len(lines), func(d int) {
		r := numeric.NewStream(c.seed+6, uint64(d))
		var list []outcome
		for n := range rows {
			if d > 0 {
				n = r.IntN(len(rows))
			}
			list = append(list, rows[n]...)
		}
		if len(list) > 0 { // else no class has two studies, and nothing shows what a ratio is worth: it says nothing
			lines[d].intercept, lines[d].slope = logistic(list)
		}
	})
	return lines
}

func (c *Classifier) standIns() [][]outcome {
	first := map[[2]int]bool{}
	var picks []int
	for i := range c.table.refs {
		r := &c.table.refs[i]
		key := [2]int{r.class, r.study}
		if r.class < len(c.table.classes)-1 && !first[key] {
			first[key] = true
			picks = append(picks, i)
		}
	}
	rows := make([][]outcome, len(picks))
	numeric.Each(len(picks), func(n int) {
		r := &c.table.refs[picks[n]]
		x := c.table.samples[picks[n]*draws].x
		log := c.densities(x)
		others := c.others(log, x, func(s int) bool { return c.table.kin[r.study][s] })
		count := map[bool]float64{}
		for _, j := range picks {
			if q := &c.table.refs[j]; !c.table.kin[r.study][q.study] {
				rows[n] = append(rows[n], outcome{score: log[j] - others, yes: q.class == r.class})
				count[q.class == r.class]++
			}
		}
		if count[true] == 0 || count[false] == 0 {
			rows[n] = nil
			return
		}
		for k := range rows[n] {
			rows[n][k].weight = 1 / count[rows[n][k].yes]
		}
	})
	return slices.DeleteFunc(rows, func(r []outcome) bool { return r == nil })
}
