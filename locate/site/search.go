package site

import (
	"cmp"
	"container/heap"
	"math"
	"runtime"
	"slices"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/numeric"
)

// A search goes down the leaves from the likeliest. Every leaf has a bound that is cheap. Those whose turn may come get a closer one, and what lies at them is
// weighed when it comes: many leaves at a time, on all cores. The order is that of the weighed log-odds, whatever the bounds and the cores.
type search struct {
	f        *field
	opt      Options
	weighers chan *weigher // one a core
	cores    int
	loud     []loud    // all that speaks for a site, by cell
	from     []int32   // of each cell, where that begins; one more than cells
	quiet    []int32   // of each cell: the smallest that holds it of which something speaks against a site, or itself; -1 where there is none
	bound    []bound   // of each leaf
	lowest   float64   // bound of the lowest step
	steps    [][]int32 // of leaves that are not in the queue, by their bound, the highest last
	queue    queue     // of leaves whose turn may have come
	owned    []bool    // of each item: a candidate has it
}

// bound is the most that a leaf can come to.
type bound struct {
	most  float64 // -Inf where nothing speaks for a site
	prior float64 // before any evidence, where it is known
	known int     // 0 what speaks for a site, wherever it were; 1 the ground too; 2 all, but for the order of times
}

// A waiting leaf stands in the queue with the most that it can come to or, once it is weighed, with its log-odds of a site now.
type waiting struct {
	leaf    int
	logOdds float64
	plain   float64 // the sum of all that is said there
	weighed bool
}

// queue gives the likeliest leaf first; where bounds make leaves equal, the one that more speaks for, then the first.
type queue []waiting

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q queue) Less(i, j int) bool {
	a, b := &q[i], &q[j]
	if a.logOdds != b.logOdds {
		return a.logOdds > b.logOdds
	}
	return cmp.Or(cmp.Compare(b.plain, a.plain), cmp.Compare(a.leaf, b.leaf)) < 0
}
func (q *queue) Push(x any) { *q = append(*q, x.(waiting)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

const (
	// slack is how far above what its items say for a site a leaf may come: by the share of alternatives that its weights leave to nothing, and by what
	// bounds give back of looks.
	slack = 1.0
	// batch is how many leaves are weighed at a time at most, step by how much the level falls, log-odds: what is weighed in vain is small beside the whole.
	batch = 256
	step  = 0.5
	// mostSteps bounds the steps: leaves that lie lower than all of them are in the last.
	mostSteps = 200
	// portion is how many leaves a core takes at a time.
	portion = 64
)

func newSearch(f *field, opt Options) *search {
	s := &search{f: f, opt: opt, owned: make([]bool, len(f.items)), cores: max(1, min(runtime.GOMAXPROCS(0), len(f.leaf)/portion))}
	s.weighers = make(chan *weigher, s.cores)
	for range s.cores {
		s.weighers <- newWeigher(f, opt)
	}
	return s
}

// share does n things on all cores, each core with a weigher of its own. do must write only what belongs to i.
func (s *search) share(n int, do func(w *weigher, i int)) {
	each := max(1, min(portion, n/s.cores))
	numeric.Each((n+each-1)/each, func(k int) {
		w := <-s.weighers
		for i := k * each; i < min((k+1)*each, n); i++ {
			do(w, i)
		}
		s.weighers <- w
	})
}

// loud is something that an item says for a site.
type loud struct {
	said
	by    float64 // as log-odds, by itself
	kind  int32
	named bool // the item names its alternatives
}

// bounds fills what each leaf can come to at most.
func (s *search) bounds() {
	f := s.f
	s.from, s.quiet, s.bound = make([]int32, len(f.cell)+1), make([]int32, len(f.cell)), make([]bound, len(f.leaf))
	n := 0
	for _, x := range f.says {
		if x.log > 0 {
			n++
		}
	}
	s.loud = make([]loud, 0, n)
	for k := range f.cell {
		if s.quiet[k] = -1; f.up[k] >= 0 {
			s.quiet[k] = s.quiet[f.up[k]]
		}
		for _, x := range f.says[f.first[k]:f.first[k+1]] {
			if x.log <= 0 {
				s.quiet[k] = int32(k)
				continue
			}
			l := loud{x, x.log, int32(f.kind[x.item]), f.others[x.item] != nil}
			if l.named {
				l.by = math.Log1p(math.Expm1(x.log) * f.scale[x.item])
			}
			s.loud = append(s.loud, l)
		}
		s.from[k+1] = int32(len(s.loud))
	}
	most, anywhere := s.opt.most()
	s.share(len(f.leaf), func(w *weigher, l int) {
		w.loud = s.speaking(l, w.loud)
		b := &s.bound[l]
		if b.most = math.Inf(-1); !slices.ContainsFunc(w.loud, func(x loud) bool { return x.log >= leastOwn }) {
			return
		}
		if b.prior = most; !anywhere {
			b.prior, b.known = s.opt.before(geodesy.CellCenter(f.leaf[l])), 1
		}
		b.most = b.prior + together(w.loud) + slack
	})
}

// speaking gathers what speaks for a site at a leaf.
func (s *search) speaking(l int, into []loud) []loud {
	into = into[:0]
	for k := s.f.in[l]; k >= 0; k = s.f.up[k] {
		into = append(into, s.loud[s.from[k]:s.from[k+1]]...)
	}
	return into
}

// together is the most that these come to: of one kind that name their alternatives, as many as count the most, the loudest first, see alikeSeen.
func together(all []loud) (sum float64) {
	if len(all) == 1 {
		return all[0].by
	}
	inserted(all, func(a, b *loud) bool { return a.kind < b.kind || a.kind == b.kind && a.by > b.by })
	kind, n, of, most := int32(-1), 0, 0.0, 0.0
	for _, x := range all {
		if !x.named {
			sum += x.by
			continue
		}
		if x.kind != kind {
			sum += most
			kind, n, of, most = x.kind, 0, 0, 0
		}
		of += x.by
		most = max(most, of/(1+float64(n)*alikeSeen))
		n++
	}
	return sum + most
}

// inserted sorts by insertion: few things speak for one place.
func inserted(all []loud, before func(a, b *loud) bool) {
	for i := 1; i < len(all); i++ {
		x, k := all[i], i
		for ; k > 0 && before(&x, &all[k-1]); k-- {
			all[k] = all[k-1]
		}
		all[k] = x
	}
}

// most is the most log-odds of a site before any evidence, anywhere; false where only the place tells.
func (o Options) most() (float64, bool) {
	if o.Ground == nil {
		return o.before(geodesy.LatLon{}), true
	}
	g, ok := o.Ground.(interface{ Most() float64 })
	if !ok {
		return 0, false
	}
	return priorLogOdds(o.PriorPerKm2) + g.Most(), true
}

// sort puts the leaves where something speaks for a site into their steps.
func (s *search) sort() {
	least, most := math.Inf(1), math.Inf(-1)
	for i := range s.bound {
		if b := s.bound[i].most; !math.IsInf(b, -1) {
			least, most = min(least, b), max(most, b)
		}
	}
	if most < least {
		return
	}
	s.lowest = max(least, most-mostSteps*step)
	s.steps = make([][]int32, 1+int((most-s.lowest)/step))
	for l := range s.bound {
		s.wait(l)
	}
}

// wait puts a leaf into its step.
func (s *search) wait(l int) {
	if b := s.bound[l].most; !math.IsInf(b, -1) {
		i := max(0, min(len(s.steps)-1, int(math.Floor((b-s.lowest)/step))))
		s.steps[i] = append(s.steps[i], int32(l))
	}
}

// level is what no leaf reaches that is in no queue.
func (s *search) level() float64 {
	if len(s.steps) == 0 {
		return math.Inf(-1)
	}
	return s.lowest + float64(len(s.steps))*step
}

// next is the likeliest leaf that next has not given yet.
func (s *search) next() (waiting, bool) {
	for {
		for len(s.steps) > 0 && (len(s.queue) == 0 || s.queue[0].logOdds <= s.level()) {
			s.fall()
		}
		switch {
		case len(s.queue) == 0:
			return waiting{}, false
		case s.queue[0].weighed:
			return heap.Pop(&s.queue).(waiting), true
		}
		s.weighNext()
	}
}

// fall brings the leaves of the highest step nearer, and those into the queue that stay in it.
func (s *search) fall() {
	top := len(s.steps) - 1
	some := s.steps[top]
	s.steps = s.steps[:top]
	level := s.level()
	s.share(len(some), func(w *weigher, i int) { s.closer(w, int(some[i]), level) })
	for _, l := range some {
		if b := s.bound[l]; b.most > level || top == 0 && !math.IsInf(b.most, -1) {
			s.queue = append(s.queue, waiting{leaf: int(l), logOdds: b.most, plain: math.Inf(1)})
		} else {
			s.wait(int(l))
		}
	}
	heap.Init(&s.queue)
}

// mayFound reports whether an item speaks for a leaf, near its loudest, that no candidate has. Else it never founds one.
func (s *search) mayFound(l int) bool {
	for k := s.f.in[l]; k >= 0; k = s.f.up[k] {
		for i := s.from[k]; i < s.from[k+1]; i++ {
			if x := &s.loud[i]; x.log >= leastOwn && !s.owned[x.item] && x.log >= s.f.most[x.item]-ownWithin {
				return true
			}
		}
	}
	return false
}

// closer brings the bound of a leaf nearer, as long as it lies above the level.
func (s *search) closer(w *weigher, l int, level float64) {
	b := &s.bound[l]
	if b.known == 0 {
		prior := s.opt.before(geodesy.CellCenter(s.f.leaf[l]))
		b.most, b.prior, b.known = b.most+prior-b.prior, prior, 1
	}
	if b.known == 1 && b.most > level {
		if !s.mayFound(l) {
			b.most = math.Inf(-1)
			return
		}
		w.loud = s.speaking(l, w.loud)
		b.most, b.known = min(b.most, w.most(w.loud, s.quiet[s.f.in[l]], b.prior)), 2
	}
}

// weighNext weighs leaves at the head of the queue.
func (s *search) weighNext() {
	var some []waiting
	for len(s.queue) > 0 && !s.queue[0].weighed && len(some) < batch {
		if x := heap.Pop(&s.queue).(waiting); s.mayFound(x.leaf) {
			some = append(some, x)
		}
	}
	s.share(len(some), func(w *weigher, i int) { some[i].weigh(w, s.bound[some[i].leaf].prior) })
	for _, x := range some {
		heap.Push(&s.queue, x)
	}
}

// weigh works out what a leaf comes to.
func (x *waiting) weigh(w *weigher, prior float64) {
	v := w.leaf(x.leaf, prior)
	x.logOdds, x.plain, x.weighed = v.now, 0, true
	for k := range v.raw {
		x.plain += v.raw[k]
	}
}

// peaks are the leaves that found candidates, the likeliest first. A leaf founds one when an item speaks for it, near its loudest,
// that no candidate before has: a wide report of an area thus founds no candidate beside those it supports. Within three windows of a likelier candidate
// another one stands only where what is its own makes it nearly as likely by itself: else it lives on what speaks for its neighbour, which the window blurs
// into it.
func (s *search) peaks() []peak {
	s.bounds()
	s.sort()
	return s.founding(s.next)
}

// founding goes down leaves in the order in which next gives them.
func (s *search) founding(next func() (waiting, bool)) (out []peak) {
	type anchor struct {
		atalaya.Place
		logOdds float64
	}
	f, w := s.f, newWeigher(s.f, s.opt)
	owned := s.owned
	var anchors []anchor // of those that founded one
	for len(out) < s.opt.Most {
		here, ok := next()
		if !ok {
			break
		}
		p := f.peakAt(here.leaf, owned)
		if len(p.own) == 0 {
			continue
		}
		found := !owned[p.by[0]] // else a sharper item, which these do not exclude, has its candidate: they speak for that
		if at := f.items[p.own[0]].Place; found && at != nil {
			found = !slices.ContainsFunc(anchors, func(a anchor) bool {
				return same(a.Place, *at) || between(a.Place, *at) < nearby && f.alone(here.leaf, owned, w) < a.logOdds-nearlyAsLikely
			})
			anchors = append(anchors, anchor{*at, here.logOdds})
		}
		for _, i := range slices.Concat(p.by, p.same) {
			owned[i] = true
		}
		if found {
			out = append(out, p)
		}
	}
	return out
}
