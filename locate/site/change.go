package site

import (
	"cmp"
	"math"
	"slices"

	"github.com/golang/geo/s2"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
)

// changes tells, for each sense that looks, what one more look at a candidate would make of its probability, the one that tells most first. The look
// is one at the time of assessment, of all of the window, that notices as often as Senses says; what it sees lies at the candidate, as sharply as
// the window is wide.
func (f *field) changes(leaf int, p float64, shares []float64, w *weigher) []atalaya.Change {
	var out []atalaya.Change
	here := f.reduced(leaf)
	for _, s := range Senses {
		if s.Kind == "permit" { // a permit is not looked for from the air
			continue
		}
		look := atalaya.Evidence{ID: "~look", Kind: s.Kind, When: atalaya.Span{From: w.opt.AsOf, To: w.opt.AsOf}, Others: s.Looked(),
			Level: f.leaf[leaf].Level(), Cells: []uint64{uint64(f.leaf[leaf])}, LogOdds: []float64{math.Log1p(-s.Site)}}
		d := s.Known(Detection{}, nil, 1, s.Site)
		seen := look
		seen.ID, seen.Others = "~seen", d.Others
		seen.LogOdds = []float64{math.Log1p(d.StrengthKm2 * perKm2 / (4 * math.Pi * ScaleM * ScaleM))}
		c := atalaya.Change{Kind: s.Kind, Chance: p * s.Site,
			IfNot: f.again(slices.Concat(here, []atalaya.Evidence{look}), leaf, w), IfSeen: f.again(slices.Concat(here, []atalaya.Evidence{look, seen}), leaf, w)}
		for i, name := range f.classes {
			if k := slices.IndexFunc(Classes[:], func(c Class) bool { return c.Name == name }); k >= 0 {
				c.Chance += (1 - p) * shares[i+1] * s.Others[k]
			}
		}
		c.Bits = math.Max(0, entropy(p)-c.Chance*entropy(c.IfSeen)-(1-c.Chance)*entropy(c.IfNot))
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b atalaya.Change) int { return cmp.Compare(b.Bits, a.Bits) })
	return out
}

// reduced are the items that say something at a leaf, as if they said it there alone.
func (f *field) reduced(leaf int) []atalaya.Evidence {
	var out []atalaya.Evidence
	for _, s := range f.at(leaf) {
		e := f.items[s.item]
		e.Level, e.Cells, e.LogOdds = f.leaf[leaf].Level(), []uint64{uint64(f.leaf[leaf])}, []float64{s.log}
		out = append(out, e)
	}
	return out
}

// again is the probability at a leaf with other items.
func (f *field) again(items []atalaya.Evidence, leaf int, w *weigher) float64 {
	g := newField(items, w.opt)
	all := g.at(0)
	prior, _ := w.opt.before(geodesy.CellCenter(s2.CellID(f.leaf[leaf])))
	return probability(newWeigher(g, w.opt).at(all, g.counted(all), prior).now)
}

// entropy of a yes or no, bits.
func entropy(p float64) float64 {
	if p <= 0 || p >= 1 {
		return 0
	}
	return -p*math.Log2(p) - (1-p)*math.Log2(1-p)
}
