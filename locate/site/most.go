package site

import "math"

// hush is what the looks about a place leave of each kind. All leaves of a cell that hear the same looks share it.
type hush struct {
	n      int     // looks that count
	site   float64 // what they say of a site, against nothing at all
	kinds  []scale
	joint  scale // of all kinds
	shared bool  // one of them is of an origin that others have too: what counts is not known from looks alone
}

// most is what a place can come to at most, given what speaks for a site and the smallest cell of which something speaks against one, for a fraction of the
// work of weighing it. Looks leave of a site that works now no more than there is without them. None works, at least, with probability (1-share)ⁿ⁺¹·Σ w(c)·Π r(c),
// share being the prior's, w the weights of the classes, and r(c) the ratios of all n items for the class c. What bounds take off a kind or give back is
// as it will be.
func (w *weigher) most(speaks []loud, quiet int32, prior float64) float64 {
	h := w.hush(quiet)
	inserted(speaks, func(a, b *loud) bool { return a.item < b.item })
	w.room, w.counts = w.room[:0], w.counts[:0]
	for _, x := range speaks {
		if h.shared || w.f.shared[x.item] {
			return math.Inf(1)
		}
		w.room, w.counts = append(w.room, x.said), append(w.counts, !w.f.derived[x.item])
	}
	w.each(w.room, w.counts)
	for k := range w.kinds {
		w.kinds[k].set(&h.kinds[k])
	}
	w.joint.set(&h.joint)
	site, n := h.site, h.n
	for i, s := range w.room {
		if w.used[i] {
			n++
			site += math.Log(w.ratio[i][0])
			w.multiply(&w.kinds[w.f.kind[s.item]], i)
			w.multiply(&w.joint, i)
		}
	}
	most := w.joint.against(w.weights)
	if math.IsInf(most, 0) {
		return math.Inf(1)
	}
	if w.f.timed && !w.opt.Stay {
		works, _, lower := w.forward(w.room, prior)
		most += works + lower - site - float64(n+1)*math.Log1p(-probability(prior))
	} else {
		most += prior
	}
	for k := range w.kinds {
		least, bound := w.bounds(k)
		together := w.kinds[k].against(w.weights)
		most += math.Max(least, math.Min(bound, together)) - together
	}
	return most + rounding
}

// hush works out what the looks leave that are heard in a cell and in those that hold it.
func (w *weigher) hush(cell int32) *hush {
	if h, ok := w.hushed[cell]; ok {
		return h
	}
	h := &hush{kinds: make([]scale, len(w.kinds)), joint: scale{classes: make([]float64, len(w.f.classes))}}
	w.room, w.counts = w.room[:0], w.counts[:0]
	for k := cell; k >= 0; k = w.f.up[k] {
		for _, x := range w.f.says[w.f.first[k]:w.f.first[k+1]] {
			if x.log <= 0 {
				w.room, w.counts = append(w.room, x), append(w.counts, !w.f.derived[x.item])
				h.shared = h.shared || w.f.shared[x.item]
			}
		}
	}
	h.joint.reset()
	for k := range h.kinds {
		h.kinds[k].classes = make([]float64, len(w.f.classes))
		h.kinds[k].reset()
	}
	w.each(w.room, w.counts)
	for i, s := range w.room {
		if !w.used[i] {
			continue
		}
		h.n++
		w.multiply(&h.kinds[w.f.kind[s.item]], i)
		w.multiply(&h.joint, i)
		h.site += math.Log(w.ratio[i][0])
	}
	w.hushed[cell] = h
	return h
}

// set makes a scale as another one is.
func (s *scale) set(to *scale) {
	s.site, s.nothing = to.site, to.nothing
	copy(s.classes, to.classes)
}
