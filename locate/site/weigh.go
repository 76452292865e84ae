package site

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/atalaya-isr/atalaya"
)

// Bounds of what is weighed.
const (
	// defaultHalfLife of a site's working life: an assumption; it closes, or moves, by chance at a constant rate.
	defaultHalfLife = 60 * 24 * time.Hour
	// likenessMost is what the likeness of what was measured to a site's may add to the bound of a kind: ln 20, where the weight of a mixture is
	// cut, too (decision 0008).
	likenessMost = 3.0
	leastRatio   = 1e-3 // of a likelihood: nothing that was looked at is excluded further
	// alikeSeen and alikeMissed are the correlations of what one sense sees, or misses, at one place again and again, beyond what the kind of place explains:
	// one factory always steams, another never, and a mixture that is misread once is misread again. n of them count as n/(1+(n-1)ρ), the
	// design effect of a cluster (L. Kish, Survey Sampling, 1965, section 5.4). Assumptions.
	alikeSeen   = 0.5
	alikeMissed = 0.2
	overflow    = 1e120
)

// A scale is a product of likelihood ratios, but for a factor that all share and that keeps it in reach of floating point.
type scale struct {
	site    float64
	nothing float64
	classes []float64
}

func (s *scale) reset() {
	s.site, s.nothing = 1, 1
	for c := range s.classes {
		s.classes[c] = 1
	}
}

func (s *scale) shrink() {
	top := max(s.site, s.nothing)
	for _, v := range s.classes {
		if v > top { // max would mind NaN, which no ratio is
			top = v
		}
	}
	if top < overflow && top > 1/overflow {
		return
	}
	s.site, s.nothing = s.site/top, s.nothing/top
	for c := range s.classes {
		s.classes[c] /= top
	}
}

// against is ln of the site's share over that of everything else, weighted as before any evidence.
func (s *scale) against(weights []float64) float64 {
	rest := weights[0] * s.nothing
	for c, v := range s.classes {
		rest += weights[c+1] * v
	}
	return math.Log(s.site) - math.Log(rest)
}

// weigher works out what the items at a leaf say together. It belongs to one goroutine.
type weigher struct {
	f       *field
	opt     Options
	weights []float64 // of nothing and of each class before any evidence; they sum to 1
	kinds   []scale
	naive   []float64   // of what is said: the site against the alternatives as they were before any evidence
	ratio   [][]float64 // of what is said, the site's first; they stand in own or in kept
	own     [][]float64
	used    []bool
	joint   scale // of all kinds
	strong  []int // by kind: of items without alternatives the strongest, 1 more than its index
	said    verdict
	seen    []int // by kind: detections and looks that name their alternatives
	missed  []int
	unseen  []unseen  // of all that the field keeps: what looks said last
	kept    []float64 // their ratios as fill gives them, and then the site's against the mixture
	room    []said    // to gather in
	counts  []bool
	hushed  map[int32]*hush // what looks alone leave, by the smallest cell of one
	loud    []loud
	active  []float64 // forward probabilities: the site works, and the place is of a class besides
	resting []float64
}

// unseen is where the ratios of what a look says are kept, and beside how many of its kind, 0 while there are none: all leaves of its cell hear the same.
type unseen struct{ missed, at int32 }

func newWeigher(f *field, opt Options) *weigher {
	w := &weigher{f: f, opt: opt, hushed: map[int32]*hush{}, weights: make([]float64, len(f.classes)+1), kinds: make([]scale, len(f.names)),
		active: make([]float64, len(f.classes)+1), resting: make([]float64, len(f.classes)+1)}
	w.weights[0] = 1
	total := 1.0
	for c, name := range f.classes {
		w.weights[c+1] = math.Expm1(opt.density(name) * AreaKm2) // odds
		total += w.weights[c+1]
	}
	for c := range w.weights {
		w.weights[c] /= total
	}
	n := len(w.kinds)
	w.joint.classes, w.strong, w.seen, w.missed = make([]float64, len(f.classes)), make([]int, n), make([]int, n), make([]int, n)
	w.said = verdict{raw: make([]float64, n), kept: make([]float64, n), over: make([]float64, n)}
	for k := range w.kinds {
		w.kinds[k].classes = make([]float64, len(f.classes))
	}
	return w
}

// density of a class per km².
func (o Options) density(class string) float64 {
	if v, ok := o.PerKm2[class]; ok {
		return v
	}
	i := slices.IndexFunc(Classes[:], func(c Class) bool { return c.Name == class })
	if i < 0 {
		return unnamedPerKm2
	}
	return Classes[i].PerKm2
}

const unnamedPerKm2 = 0.01 // of a class that has no stated density

// verdict is what the items at a leaf say together, as log-odds of a site.
type verdict struct {
	raw   []float64 // by kind: the sum of its items
	kept  []float64 // by kind: what they say together, within the bounds
	over  []float64 // by kind: what the bounds take off
	stays float64   // of a site that stays, alternatives weighed
	now   float64   // of one that opens and closes, at the time of assessment
}

// at weighs the items that count; prior is the log-odds before them. w.naive then holds what each item says by itself. The verdict is valid until
// the next call.
func (w *weigher) at(all []said, counts []bool, prior float64) verdict {
	v := w.said
	w.each(all, counts)
	excess := 0.0
	for k := range w.kinds {
		w.kinds[k].reset()
		v.raw[k] = 0
	}
	w.joint.reset()
	for i, s := range all {
		k := w.f.kind[s.item]
		v.raw[k] += w.naive[i]
		if !w.used[i] {
			continue
		}
		w.multiply(&w.kinds[k], i)
		w.multiply(&w.joint, i)
	}
	for k := range w.kinds {
		together := w.kinds[k].against(w.weights)
		least, most := w.bounds(k)
		v.kept[k] = math.Max(least, math.Min(most, together))
		v.over[k] = together - v.kept[k]
		excess += v.over[k]
	}
	v.stays = prior + w.joint.against(w.weights) - excess
	v.now = v.stays
	if w.f.timed && !w.opt.Stay {
		site, none, _ := w.forward(all, prior)
		v.now = site - none - excess
	}
	return v
}

// leaf weighs what is said of a leaf.
func (w *weigher) leaf(l int, prior float64) verdict {
	w.room = w.f.at(l, w.room)
	w.counts = w.f.counted(w.room, w.counts)
	return w.at(w.room, w.counts, prior)
}

// rounding is more than sums of some hundred terms, each of some ten, are rounded by.
const rounding = 1e-9

// bounds of a kind, with what the likeness of detections may add.
func (w *weigher) bounds(k int) (least, most float64) {
	least, most = Bounds(w.f.names[k])
	if w.seen[k] > 0 {
		most += likenessMost
	}
	return least, most
}

// each fills what the items say by themselves: the ratios of site, nothing and classes.
func (w *weigher) each(all []said, counts []bool) {
	for len(w.ratio) < len(all) {
		w.own = append(w.own, make([]float64, len(w.f.classes)+1))
		w.ratio = append(w.ratio, nil)
	}
	w.naive, w.used = slices.Grow(w.naive[:0], len(all))[:len(all)], slices.Grow(w.used[:0], len(all))[:len(all)]
	strongest := w.strong
	clear(strongest)
	clear(w.seen)
	clear(w.missed)
	for i, s := range all {
		switch k := w.f.kind[s.item]; {
		case !counts[i] || w.f.others[s.item] == nil:
		case s.log > 0:
			w.seen[k]++
		default:
			w.missed[k]++
		}
	}
	for i, s := range all {
		w.used[i] = counts[i]
		w.naive[i] = 0
		if !counts[i] {
			continue
		}
		k := w.f.kind[s.item]
		w.naive[i] = w.fill(i, s, k)
		if s.log <= 0 || !w.f.single[k] || w.f.others[s.item] != nil {
			continue
		}
		if j := strongest[k] - 1; j < 0 {
			strongest[k] = i + 1
		} else if s.log > all[j].log {
			w.used[j], strongest[k] = false, i+1
		} else {
			w.used[i] = false
		}
	}
}

// fill puts the likelihood ratios of an item into w.ratio[i], the site's first, as far as items of its kind count beside each other, and gives the
// site's against the mixture, as it is by itself.
func (w *weigher) fill(i int, s said, kind int) float64 {
	r := w.own[i]
	w.ratio[i] = r
	if s.log > 0 || w.f.others[s.item] == nil || s.entry < 0 {
		return w.ratios(r, s, kind)
	}
	if w.unseen == nil {
		w.unseen = make([]unseen, len(w.f.says))
	}
	u, n := &w.unseen[s.entry], int32(w.missed[kind])
	if u.missed == 0 {
		u.at = int32(len(w.kept))
		w.kept = slices.Grow(w.kept, len(r)+1)[:len(w.kept)+len(r)+1]
	}
	kept := w.kept[u.at:][:len(r)+1]
	if u.missed != n {
		u.missed, kept[len(r)] = n, w.ratios(kept[:len(r)], s, kind)
	}
	w.ratio[i] = kept[:len(r)]
	return kept[len(r)]
}

// ratios is fill into r.
func (w *weigher) ratios(r []float64, s said, kind int) float64 {
	more := math.Expm1(s.log) * w.f.scale[s.item]
	r[0] = 1 + more
	others := w.f.others[s.item]
	if others == nil {
		for c := range w.f.classes {
			r[c+1] = 1
		}
		return s.log
	}
	mixture := w.weights[0]
	for c := range w.f.classes {
		r[c+1] = math.Max(leastRatio, 1+others[c]*more)
		mixture += w.weights[c+1] * r[c+1]
	}
	alone := math.Log(r[0] / mixture)
	n, alike := w.seen[kind], alikeSeen
	if s.log <= 0 {
		n, alike = w.missed[kind], alikeMissed
	}
	if n > 1 {
		share := 1 / (1 + float64(n-1)*alike)
		for c, v := range r {
			if v != 1 {
				r[c] = math.Exp(share * math.Log(v))
			}
		}
	}
	return alone
}

func (w *weigher) multiply(to *scale, i int) {
	r := w.ratio[i]
	to.site *= r[0]
	for c := range to.classes {
		to.classes[c] *= r[c+1]
	}
	to.shrink()
}

// forward is how much of all probability has a site that works at the time of assessment, and how much has none, as logarithms but for what both are
// lower by: the forward pass of a chain of two states, working and not, beside
// each class that the place may be of (L. R. Rabiner, Proceedings of the IEEE 77(2), 1989, doi:10.1109/5.18626, equations 19 and 20), over the
// items in the order of their time. Before the first it is in its stationary state.
func (w *weigher) forward(all []said, prior float64) (site, none, lower float64) {
	share := probability(prior)
	closing := math.Ln2 / w.opt.HalfLife.Hours()
	rate := closing / (1 - share) // of closing and opening together, which keeps the share
	for c := range w.weights {
		w.active[c], w.resting[c] = w.weights[c]*share, w.weights[c]*(1-share)
	}
	at, begun := 0.0, false
	pass := func(to float64) {
		if begun && to > at {
			e := math.Exp(-rate * (to - at))
			for c, a := range w.active {
				r := w.resting[c]
				w.active[c] = a*(share+(1-share)*e) + r*share*(1-e)
				w.resting[c] = r*(1-share+share*e) + a*(1-share)*(1-e)
			}
		}
		at, begun = to, true
	}
	for i, s := range all {
		if !w.used[i] {
			continue
		}
		pass(w.f.hours[s.item])
		r := w.ratio[i]
		top := 0.0
		for c := range w.active {
			w.active[c] *= r[0]
			if c > 0 {
				w.resting[c] *= r[c]
			}
			if w.active[c] > top {
				top = w.active[c]
			}
			if w.resting[c] > top {
				top = w.resting[c]
			}
		}
		if top > overflow || top < 1/overflow {
			for c := range w.active {
				w.active[c], w.resting[c] = w.active[c]/top, w.resting[c]/top
			}
			lower += math.Log(top)
		}
	}
	pass(w.f.hoursNow)
	a, r := 0.0, 0.0
	for c := range w.active {
		a, r = a+w.active[c], r+w.resting[c]
	}
	return math.Log(a), math.Log(r), lower
}

// shares are the probabilities of nothing and of each class, given that there is no site, of what at weighed last.
func (w *weigher) shares(all []said) []float64 {
	w.joint.reset()
	for i := range all {
		if w.used[i] {
			w.multiply(&w.joint, i)
		}
	}
	out := []float64{w.weights[0] * w.joint.nothing}
	total := out[0]
	for c, v := range w.joint.classes {
		out = append(out, w.weights[c+1]*v)
		total += out[c+1]
	}
	for c := range out {
		out[c] /= total
	}
	return out
}

// byTime sorts items by when they were sensed, then by name: the order in which they act and are told.
func byTime(a, b atalaya.Evidence) int {
	return cmp.Or(middle(a.When).Compare(middle(b.When)), cmp.Compare(a.ID, b.ID))
}

// middle is the middle of a span, zero where there is none.
func middle(s atalaya.Span) time.Time {
	if s.From.IsZero() || s.To.Before(s.From) {
		return s.To
	}
	return s.From.Add(s.To.Sub(s.From) / 2)
}
