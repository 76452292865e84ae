package site

import (
	"cmp"
	"math"
	"slices"

	"github.com/golang/geo/s2"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
)

// imagined is one more look with a sense: the items that it would give, behind those that there are.
type imagined struct {
	sense     Sense
	look      said // of all of the window at the time of assessment, which notices as often as Senses says
	detection said // at the candidate, as sharp as the window is wide
}

// imagine adds to the field, but to no leaf of it, what one more look with each sense would say.
func (f *field) imagine() {
	for _, s := range Senses {
		if s.Kind != "permit" { // a permit is not looked for from the air
			f.future = append(f.future, f.imagined(s))
		}
	}
}

func (f *field) imagined(s Sense) imagined {
	d := s.Known(Detection{}, nil, 0, s.Site)
	return imagined{s,
		said{f.add(s.Kind, s.Looked()), -1, math.Log1p(-s.Site)},
		said{f.add(s.Kind, d.Others), -1, math.Log1p(d.StrengthKm2 * perKm2 / (4 * math.Pi * ScaleM * ScaleM))}}
}

// add puts an item behind all others that no leaf holds.
func (f *field) add(kind string, others map[string]float64) int32 {
	share := make([]float64, len(f.classes))
	for c, name := range f.classes {
		share[c] = others[name]
	}
	n := len(f.items)
	f.items = append(f.items, atalaya.Evidence{Kind: kind, Others: others})
	f.most, f.origin, f.shared, f.derived = append(f.most, 0), append(f.origin, n), append(f.shared, false), append(f.derived, false)
	f.kind, f.others = append(f.kind, f.kindOf(kind)), append(f.others, share)
	f.hours, f.scale = append(f.hours, f.hoursNow), append(f.scale, 1)
	return int32(n)
}

// changes tells, for each sense that looks, what one more look at a candidate would make of its probability, the one that tells most first.
func (f *field) changes(leaf int, p float64, shares []float64, w *weigher) []atalaya.Change {
	var out []atalaya.Change
	for _, x := range f.future {
		out = append(out, f.change(x, leaf, p, shares, w))
	}
	slices.SortStableFunc(out, func(a, b atalaya.Change) int { return cmp.Compare(b.Bits, a.Bits) })
	return out
}

// change is what one more look would make of a probability. The chance of a find is that of all that the place may be, by the table of the sense; after a
// find, and after none, the probability is the one that the assessment would then show. The gain is the information that the outcome has about it, over both
// outcomes as likely as they are (T. M. Cover and J. A. Thomas, Elements of Information Theory, 2nd ed. 2006, equation 2.43): never negative, also where a find speaks for
// something else, and where bounds leave the mean over the outcomes beside the present probability.
func (f *field) change(x imagined, leaf int, p float64, shares []float64, w *weigher) atalaya.Change {
	all := f.at(leaf, nil)
	counts := f.counted(all, nil)
	prior := w.opt.before(geodesy.CellCenter(f.leaf[leaf]))
	with := func(more ...said) float64 {
		return w.opt.probability(w.at(slices.Concat(all, more), append(slices.Clone(counts), true, true), prior).now)
	}
	c := atalaya.Change{Kind: x.sense.Kind, Chance: p*x.sense.Site + (1-p)*shares[0]*x.sense.UnexplainedKm2*AreaKm2, IfNot: with(x.look), IfSeen: with(x.look, x.detection)}
	for i, name := range f.classes {
		if k := slices.IndexFunc(Classes[:], func(c Class) bool { return c.Name == name }); k >= 0 {
			c.Chance += (1 - p) * shares[i+1] * x.sense.Others[k]
		}
	}
	mean := c.Chance*c.IfSeen + (1-c.Chance)*c.IfNot
	c.Bits = math.Max(0, entropy(mean)-c.Chance*entropy(c.IfSeen)-(1-c.Chance)*entropy(c.IfNot))
	return c
}

// OneMore is what one more look at a place, with a sense that notices a site there with probability pd, would make of its probability; false where nothing is
// said of the place or there is no table of the sense. Other things are noticed in proportion.
func (a *Asked) OneMore(here geodesy.LatLon, kind string, pd float64) (atalaya.Change, bool) {
	leaf, said := a.f.leafAt(geodesy.CellOf(here, s2.MaxLevel))
	s, known := SenseOf(kind)
	if !said || !known || !(pd > 0 && pd < 1) {
		return atalaya.Change{}, false
	}
	for i := range s.Others {
		s.Others[i] = math.Min(s.Others[i]*pd/s.Site, 0.99)
	}
	s.Site = pd
	rows, shares := a.f.ledger(a.f.at(leaf, nil), geodesy.CellCenter(a.f.leaf[leaf]), a.w)
	return a.f.change(a.f.imagined(s), leaf, probability(sum(rows)), shares, a.w), true
}

// entropy of a yes or no, bits.
func entropy(p float64) float64 {
	if p <= 0 || p >= 1 {
		return 0
	}
	return -p*math.Log2(p) - (1-p)*math.Log2(1-p)
}
