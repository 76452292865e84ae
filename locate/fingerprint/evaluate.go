package fingerprint

import (
	"errors"
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/numeric"
)

// Figures say how well emitters of studies that the library lacks are told apart.
type Figures struct {
	Emitters, Studies int
	// ByStudy counts each study of a class once, ByProfile each profile, ByClass each class.
	ByStudy, ByProfile, ByClass Hits
	// CalibrationError is the mean distance between the probability of what comes first and how often that is right, over ten
	// bins of probability of equal width (expected calibration error; Naeini, Cooper, Hauskrecht 2015, AAAI 29, 2901-2907);
	// none of these counts as an answer, which for these emitters is wrong. Confidence and Right are the means of the two.
	CalibrationError, Confidence, Right float64
	// RefusedKnown is how often none of these comes first for an emitter of a known class, FoundAbsent for one whose class
	// was taken out of the library.
	RefusedKnown, FoundAbsent float64
	// AtTenPercent is FoundAbsent at the threshold that would refuse exactly a tenth of the known.
	AtTenPercent float64
	LogLoss      float64
	Nearest      Nearest
}

// Hits are how often the right class is first, and among the first three.
type Hits struct{ Top1, Top3 float64 }

// Nearest is what the nearest profile alone would have done, by the roots of shares, each study counted once.
type Nearest struct {
	Hits
	AtTenPercent float64
}

// Evaluate leaves out the studies of the library in so many folds (0: one at a time), trains on the rest, calibration
// included, and asks for the classes of what was left out; then it leaves out whole classes. Nothing that is chosen from
// data has seen the study that it is tried on.
func Evaluate(l *Library, p Panel, outer int, o Options) (Figures, error) {
	t, ok := newTable(l, p, o.Seed)
	if !ok {
		return Figures{}, &atalaya.Error{Op: "fingerprint.evaluate", Kind: atalaya.BadInput, Err: errors.New("the channels see nothing of any profile in a class")}
	}
	e := evaluation{table: t, o: o}
	return e.run(outer), nil
}

type evaluation struct {
	*table
	o Options
}

// A verdict on one sample.
type verdict struct {
	ref     int
	weight  float64
	classes []float64
	none    float64
	near    []float64 // squared distance to the nearest profile of each class, by roots of shares
}

func (e *evaluation) run(outer int) Figures {
	all := make([]bool, len(e.refs))
	for i := range all {
		all[i] = true
	}
	named := make([]bool, len(e.refs))
	for i, r := range e.refs {
		named[i] = r.class < len(e.classes)-1
	}
	order := e.shuffled(named, e.o.Seed+77)
	studies := 0
	for _, s := range order {
		studies = max(studies, s+1)
	}
	if outer <= 0 || outer > studies {
		outer = studies
	}
	classes := len(e.classes) - 1
	parts := make([][]verdict, outer+classes)
	tick := ticker(e.o.Progress, len(parts))
	numeric.Each(len(parts), func(j int) {
		defer tick()
		if j < outer {
			parts[j] = e.part(all, func(r reference) bool { return r.class < classes && order[r.study]%outer == j }, true)
		} else {
			parts[j] = e.part(all, func(r reference) bool { return r.class == j-outer }, false)
		}
	})
	var known, absent []verdict
	for j := range parts {
		if j < outer {
			known = append(known, parts[j]...)
		} else {
			absent = append(absent, parts[j]...)
		}
	}
	return e.figures(known, absent, studies)
}

// part trains without what test names and judges it.
func (e *evaluation) part(all []bool, test func(reference) bool, kin bool) []verdict {
	out := make([]bool, len(e.studies))
	for _, r := range e.refs {
		if kin && test(r) {
			for s, k := range e.kin[r.study] {
				out[s] = out[s] || k
			}
		}
	}
	keep := make([]bool, len(e.refs))
	group := map[[2]int]float64{}
	for i, r := range e.refs {
		keep[i] = all[i] && !test(r) && !out[r.study]
		if test(r) && e.rises(i) {
			group[[2]int{r.class, r.study}]++
		}
	}
	if len(group) == 0 {
		return nil
	}
	cal := e.calibrate(keep, e.o.innerTrees(), e.o.Seed+1, func() {})
	m := e.learn(keep, e.o.trees(), e.o.Seed+2)
	var list []verdict
	for i, r := range e.refs {
		if !test(r) || !e.rises(i) {
			continue
		}
		v := verdict{ref: i, weight: 1 / group[[2]int{r.class, r.study}], near: make([]float64, len(e.classes)-1)}
		s := e.samples[i*draws+1] // not the one that inner trials use, were it ever among them
		v.classes, v.none = cal.judge(m.opine(s.x))
		for c := range v.near {
			v.near[c] = math.Inf(1)
		}
		for k, q := range e.refs {
			if !keep[k] || q.class == len(e.classes)-1 {
				continue
			}
			d := 0.0
			for c, x := range s.x {
				g := math.Sqrt(max(0, math.Exp(x)-e.floor[c])) - math.Sqrt(q.share[c])
				d += g * g
			}
			v.near[q.class] = min(v.near[q.class], d)
		}
		list = append(list, v)
	}
	return list
}

// rises reports whether enough channels rise for a survey to say anything: three.
func (e *evaluation) rises(i int) bool {
	n := 0
	for c, x := range e.samples[i*draws+1].x {
		if math.Exp(x) > 2*e.floor[c] {
			n++
		}
	}
	return n >= 3
}

func (e *evaluation) figures(known, absent []verdict, studies int) Figures {
	f := Figures{Emitters: len(known), Studies: studies}
	ofClass := make([]float64, len(e.classes))
	for _, v := range known {
		ofClass[e.refs[v.ref].class] += v.weight
	}
	var refused, found, lost float64
	var sums [3]Hits
	var weights [3]float64
	for _, v := range known {
		class := e.refs[v.ref].class
		place := rank(v.classes, class)
		for k, w := range []float64{v.weight, 1, v.weight / ofClass[class]} {
			weights[k] += w
			if place == 0 {
				sums[k].Top1 += w
			}
			if place < 3 {
				sums[k].Top3 += w
			}
		}
		minus := make([]float64, len(v.near))
		for c, d := range v.near {
			minus[c] = -d
		}
		switch p := rank(minus, class); {
		case p == 0:
			f.Nearest.Top1 += v.weight
			fallthrough
		case p < 3:
			f.Nearest.Top3 += v.weight
		}
		if v.none > slices.Max(v.classes) {
			refused += v.weight
		}
		f.LogLoss -= v.weight * math.Log(max(v.classes[class], 1e-6))
	}
	total := weights[0]
	for _, v := range absent {
		lost += v.weight
		if v.none > slices.Max(v.classes) {
			found += v.weight
		}
	}
	f.Nearest.Top1 /= total
	f.Nearest.Top3 /= total
	f.LogLoss /= total
	for k, h := range []*Hits{&f.ByStudy, &f.ByProfile, &f.ByClass} {
		*h = Hits{sums[k].Top1 / weights[k], sums[k].Top3 / weights[k]}
	}
	f.RefusedKnown, f.FoundAbsent = refused/total, found/lost
	f.AtTenPercent = atTenPercent(known, absent, func(v verdict) float64 { return v.none / slices.Max(v.classes) })
	f.Nearest.AtTenPercent = atTenPercent(known, absent, func(v verdict) float64 { return slices.Min(v.near) })
	f.CalibrationError, f.Confidence, f.Right = e.calibrationError(known)
	return f
}

// rank counts the classes that come before class c.
func rank(p []float64, c int) int {
	n := 0
	for k, v := range p {
		if v > p[c] || v == p[c] && k < c {
			n++
		}
	}
	return n
}

// atTenPercent is the share of absent above the threshold that a tenth of known is above.
func atTenPercent(known, absent []verdict, sign func(verdict) float64) float64 {
	slices.SortStableFunc(known, func(a, b verdict) int { return compare(sign(b), sign(a)) })
	total, sum, at := 0.0, 0.0, math.Inf(1)
	for _, v := range known {
		total += v.weight
	}
	for _, v := range known {
		if sum += v.weight; sum > total/10 {
			break
		}
		at = sign(v)
	}
	hit, all := 0.0, 0.0
	for _, v := range absent {
		all += v.weight
		if sign(v) >= at {
			hit += v.weight
		}
	}
	return hit / all
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (e *evaluation) calibrationError(known []verdict) (gap, confidence, right float64) {
	const bins = 10
	var off [bins]float64 // sum of probability less right
	total := 0.0
	for _, v := range known {
		best := slices.Max(v.classes)
		p, hit := max(best, v.none), 0.0
		if v.none <= best && rank(v.classes, e.refs[v.ref].class) == 0 {
			hit = 1
		}
		off[min(int(p*bins), bins-1)] += v.weight * (p - hit)
		confidence += v.weight * p
		right += v.weight * hit
		total += v.weight
	}
	for _, o := range off {
		gap += math.Abs(o) / total
	}
	return gap, confidence / total, right / total
}
