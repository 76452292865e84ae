package site

import (
	"cmp"
	"slices"

	"github.com/golang/geo/s2"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
)

// Asked is evidence made ready for questions about places. It belongs to one goroutine.
type Asked struct {
	f *field
	w *weigher
}

// An Answer is what the evidence says of one place. Its ledger sums to the log-odds of Probability.
type Answer struct {
	Probability float64
	Word        *string     // nil without a calibration, and where too few of its cases stand behind one
	Range       *[2]float64 // where the probability lies with 90 %, by the cases of the calibration; nil without one
	Cases       int         // that stand behind it
	Ledger      []atalaya.LedgerItem
	// Else is what else the place may be, the likeliest first, Nothing among them: with Probability they sum to 1. Empty where no item names alternatives.
	Else []Share
}

// A Share is the probability of a class.
type Share struct {
	Class       string
	Probability float64
}

// Nothing is the class of places that are of none that has a name.
const Nothing = "nothing"

// Asking makes evidence ready. It panics on evidence that Check refuses.
func Asking(evidence []atalaya.Evidence, opt Options) *Asked {
	opt = opt.withDefaults()
	f := newField(evidence, opt)
	return &Asked{f, newWeigher(f, opt)}
}

// Cell is the S2 cell in which a place is asked about, as all places in it; false where nothing is said of it.
func (a *Asked) Cell(here geodesy.LatLon) (uint64, bool) {
	l, ok := a.f.leafAt(geodesy.CellOf(here, s2.MaxLevel))
	if !ok {
		return 0, false
	}
	return uint64(a.f.leaf[l]), true
}

// At is what is said of a place: at a candidate that is known to two windows what its card says.
func (a *Asked) At(here geodesy.LatLon) Answer {
	var all []said
	if l, ok := a.f.leafAt(geodesy.CellOf(here, s2.MaxLevel)); ok {
		all, here = a.f.at(l, nil), geodesy.CellCenter(a.f.leaf[l])
	}
	rows, shares := a.f.ledger(all, here, a.w)
	out := Answer{Probability: probability(sum(rows)), Ledger: rows, Else: []Share{}}
	out.Word, out.Range, out.Cases = a.w.opt.howSure(rows)
	if a.f.plain {
		return out
	}
	rest := 1 - out.Probability
	for c, name := range a.f.classes {
		out.Else = append(out.Else, Share{name, rest * shares[c+1]})
	}
	out.Else = append(out.Else, Share{Nothing, rest * shares[0]})
	slices.SortStableFunc(out.Else, func(a, b Share) int { return cmp.Compare(b.Probability, a.Probability) })
	return out
}

// howSure tells what stands behind a sum of which the calibration is the last row; nothing without a calibration.
func (o Options) howSure(rows []atalaya.LedgerItem) (word *string, within *[2]float64, cases int) {
	if o.Calibration == nil {
		return nil, nil, 0
	}
	bare := sum(rows[:len(rows)-1])
	_, from, to, n := o.Calibration.Apply(bare)
	return o.Calibration.Word(bare), &[2]float64{from, to}, n
}
