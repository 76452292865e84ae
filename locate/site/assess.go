package site

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/golang/geo/s2"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
)

// Options of an assessment. The zero value assesses with the default prior.
type Options struct {
	Mission     atalaya.MissionID
	AsOf        time.Time // time of assessment
	PriorPerKm2 float64   // density of sites before any evidence; 0 is DefaultPriorPerKm2
	Most        int       // candidates to give; 0 is 100
	// RollUp gives the marking of a whole whose parts bear the given ones; nil leaves candidates unmarked.
	RollUp func(portions []string) string
}

func (o Options) withDefaults() Options {
	if o.PriorPerKm2 == 0 {
		o.PriorPerKm2 = DefaultPriorPerKm2
	}
	if !(o.PriorPerKm2 > 0 && o.PriorPerKm2 < 1e6) || o.Most < 0 {
		panic(fmt.Sprintf("site: a prior of %v sites per km², at most %d candidates", o.PriorPerKm2, o.Most))
	}
	if o.Most == 0 {
		o.Most = mostCandidates
	}
	return o
}

const (
	mostCandidates = 100
	// ownWithin: an item belongs to a candidate where it speaks for the place within a factor e of its loudest.
	ownWithin = 1.0
	// leastOwn is the log-odds from which an item can found a candidate.
	leastOwn = 0.05
)

// Check says what is wrong with the cells of a piece of evidence, nil when nothing is.
func Check(e atalaya.Evidence) error {
	if len(e.Cells) != len(e.LogOdds) {
		return fmt.Errorf("evidence %s: %d cells and %d log-odds", e.ID, len(e.Cells), len(e.LogOdds))
	}
	for i, c := range e.Cells {
		id := s2.CellID(c)
		if !id.IsValid() || id.Level() != e.Level || (i > 0 && c <= e.Cells[i-1]) {
			return fmt.Errorf("evidence %s: cell %d of level %d is not valid, of another level or out of order", e.ID, i, e.Level)
		}
		if l := e.LogOdds[i]; math.IsNaN(l) || math.IsInf(l, 0) {
			return fmt.Errorf("evidence %s: log-odds %v", e.ID, l)
		}
	}
	return nil
}

// Assess ranks the places that the evidence makes worth a look, most probable first. It is a function of the evidence as a
// set: order does not matter, and an item that is left out leaves no trace. Where nothing speaks for a site there is no
// candidate. It panics on evidence that Check refuses.
func Assess(evidence []atalaya.Evidence, opt Options) []atalaya.Candidate {
	opt = opt.withDefaults()
	f := newField(evidence)
	var out []atalaya.Candidate
	for _, p := range f.peaks(opt.Most) {
		out = append(out, f.candidate(p, opt))
	}
	slices.SortStableFunc(out, func(a, b atalaya.Candidate) int {
		return cmp.Or(cmp.Compare(b.Probability, a.Probability), cmp.Compare(a.ID, b.ID))
	})
	for i := range out {
		out[i].Rank = i + 1
	}
	return out
}

// At is the probability that a site is here, and its ledger.
func At(evidence []atalaya.Evidence, here geodesy.LatLon, opt Options) (float64, []atalaya.LedgerItem) {
	opt = opt.withDefaults()
	f := newField(evidence)
	var all []said
	c := geodesy.CellOf(here, s2.MaxLevel)
	if i, _ := below(f.leaf, c); i < len(f.leaf) && f.leaf[i].Contains(c) {
		all = f.at(i)
	} else if i > 0 && f.leaf[i-1].Contains(c) {
		all = f.at(i - 1)
	}
	rows := f.ledger(all, opt)
	return probability(sum(rows)), rows
}

// A Cell is one sample of the field of probabilities, for a map.
type Cell struct {
	ID          uint64 // S2
	Probability float64
}

// Cells samples the probability wherever evidence says anything, in the order of the cells; elsewhere it is the prior.
func Cells(evidence []atalaya.Evidence, opt Options) []Cell {
	opt = opt.withDefaults()
	f := newField(evidence)
	total, _ := f.totals()
	out := make([]Cell, len(f.leaf))
	for l, c := range f.leaf {
		out[l] = Cell{uint64(c), probability(priorLogOdds(opt.PriorPerKm2) + total[l])}
	}
	return out
}

// said is what one item says at one leaf.
type said struct {
	item int32
	log  float64
}

// field is all evidence, laid over the leaves.
type field struct {
	items  []atalaya.Evidence // in the order of their names
	most   []float64          // the most that each item says anywhere
	origin []int              // items with the same number are of one origin
	shared []bool             // of each item: another one has its origin
	kind   []int              // index into names
	names  []string           // kinds
	single []bool             // of each kind: only the strongest item speaks for a place
	leaf   []s2.CellID
	first  []int // of each leaf's entries; one more than leaves
	said   []said
}

func newField(evidence []atalaya.Evidence) *field {
	f := &field{items: slices.Clone(evidence)}
	slices.SortStableFunc(f.items, func(a, b atalaya.Evidence) int { return cmp.Compare(a.ID, b.ID) })
	f.items = slices.CompactFunc(f.items, func(a, b atalaya.Evidence) bool { return a.ID == b.ID })
	var all []s2.CellID
	for _, e := range f.items {
		if err := Check(e); err != nil {
			panic("site: " + err.Error())
		}
		most := 0.0
		for i, c := range e.Cells {
			all = append(all, s2.CellID(c))
			most = math.Max(most, e.LogOdds[i])
		}
		f.most = append(f.most, most)
		k := slices.Index(f.names, e.Kind)
		if k < 0 {
			k = len(f.names)
			f.names, f.single = append(f.names, e.Kind), append(f.single, onlyStrongest(e.Kind))
		}
		f.kind = append(f.kind, k)
	}
	f.origin = origins(f.items)
	f.shared = make([]bool, len(f.items))
	for i, o := range f.origin {
		if o != i {
			f.shared[i], f.shared[o] = true, true
		}
	}
	f.leaf = leaves(all)
	f.lay()
	return f
}

// lay lists, leaf by leaf, what each item says there, in the order of the items.
func (f *field) lay() {
	f.first = make([]int, len(f.leaf)+1)
	each := func(do func(leaf int, s said)) {
		for i, e := range f.items {
			for k, c := range e.Cells {
				from, to := below(f.leaf, s2.CellID(c))
				for l := from; l < to; l++ {
					do(l, said{int32(i), e.LogOdds[k]})
				}
			}
		}
	}
	each(func(l int, _ said) { f.first[l+1]++ })
	for l := range f.leaf {
		f.first[l+1] += f.first[l]
	}
	f.said = make([]said, f.first[len(f.leaf)])
	next := slices.Clone(f.first)
	each(func(l int, s said) { f.said[next[l]] = s; next[l]++ })
}

func (f *field) at(leaf int) []said { return f.said[f.first[leaf]:f.first[leaf+1]] }

// origins numbers the items so that those which share a lineage key, directly or through others, have one number.
func origins(items []atalaya.Evidence) []int {
	parent := make([]int, len(items))
	find := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	holder := map[string]int{}
	for i, e := range items {
		parent[i] = i
		for _, key := range e.Lineage {
			if j, ok := holder[key]; ok {
				a, b := find(i), find(j)
				parent[max(a, b)] = min(a, b)
			} else {
				holder[key] = i
			}
		}
	}
	for i := range parent {
		parent[i] = find(i)
	}
	return parent
}

// counted marks which of what is said at a leaf counts: of each origin the strongest, for or against; of equals the first.
func (f *field) counted(all []said) []bool {
	counts := make([]bool, len(all))
	for i, s := range all {
		counts[i] = true
		if !f.shared[s.item] {
			continue
		}
		for j := range i {
			if !counts[j] || f.origin[all[j].item] != f.origin[s.item] {
				continue
			}
			if math.Abs(s.log) > math.Abs(all[j].log) {
				counts[j] = false
			} else {
				counts[i] = false
			}
			break
		}
	}
	return counts
}

// byKind sums what counts at a leaf, kind by kind: as the items stand, and as their dependence and bounds leave it.
func (f *field) byKind(all []said, counts []bool) (raw, kept []float64) {
	raw, kept = make([]float64, len(f.names)), make([]float64, len(f.names))
	strongest := make([]float64, len(f.names))
	for i, s := range all {
		if !counts[i] {
			continue
		}
		k := f.kind[s.item]
		raw[k] += s.log
		switch {
		case s.log > 0 && f.single[k]:
			strongest[k] = math.Max(strongest[k], s.log)
		default:
			kept[k] += s.log
		}
	}
	for k := range kept {
		least, most := Bounds(f.names[k])
		kept[k] = math.Max(least, math.Min(most, kept[k]+strongest[k]))
	}
	return raw, kept
}

// peak is a leaf that founds a candidate, and the items that found it.
type peak struct {
	leaf int
	own  []int // items that no likelier candidate has, the sharpest first
	by   []int // all items that speak for it near their loudest, the sharpest first
	same []int // items of the same origin as one of these, which do not count
}

// totals are, leaf by leaf, what all evidence adds to the prior, and what it would add without dependence and bounds.
func (f *field) totals() (total, plain []float64) {
	total, plain = make([]float64, len(f.leaf)), make([]float64, len(f.leaf))
	for l := range f.leaf {
		all := f.at(l)
		raw, kept := f.byKind(all, f.counted(all))
		for k := range kept {
			total[l] += kept[k]
			plain[l] += raw[k]
		}
	}
	return total, plain
}

// peaks goes down the leaves from the likeliest. A leaf founds a candidate when an item speaks for it, near its loudest,
// that no candidate before has: a wide report of an area thus founds no candidate beside those it supports.
func (f *field) peaks(most int) []peak {
	total, plain := f.totals()
	order := make([]int, len(f.leaf))
	for l := range order {
		order[l] = l
	}
	slices.SortFunc(order, func(a, b int) int { // where bounds make leaves equal, the one that more speaks for
		return cmp.Or(cmp.Compare(total[b], total[a]), cmp.Compare(plain[b], plain[a]), cmp.Compare(a, b))
	})
	owned := make([]bool, len(f.items))
	var out []peak
	for _, l := range order {
		if len(out) == most {
			break
		}
		if p := f.peakAt(l, owned); len(p.own) > 0 {
			for _, i := range slices.Concat(p.by, p.same) {
				owned[i] = true
			}
			out = append(out, p)
		}
	}
	return out
}

// peakAt is the peak at a leaf: who speaks for it near their loudest, and of these, who has no candidate yet. The sharpest of
// the latter pins it down; whoever's own place excludes that one's speaks for another candidate.
func (f *field) peakAt(leaf int, owned []bool) peak {
	p := peak{leaf: leaf}
	all := f.at(leaf)
	counts := f.counted(all)
	for k, s := range all {
		i := int(s.item)
		switch {
		case s.log < leastOwn || s.log < f.most[i]-ownWithin:
		case !counts[k]:
			p.same = append(p.same, i)
		default:
			p.by = append(p.by, i)
			if !owned[i] {
				p.own = append(p.own, i)
			}
		}
	}
	if len(p.own) == 0 {
		return p
	}
	p.own, p.by = f.sharpest(p.own), f.sharpest(p.by)
	anchor := f.items[p.own[0]].Place
	excluded := func(i int) bool {
		return anchor != nil && f.items[i].Place != nil && excludes(*anchor, *f.items[i].Place)
	}
	p.own, p.by = slices.DeleteFunc(p.own, excluded), slices.DeleteFunc(p.by, excluded)
	return p
}

func (f *field) candidate(p peak, opt Options) atalaya.Candidate {
	rows := f.ledger(f.at(p.leaf), opt)
	c := atalaya.Candidate{
		Mission: opt.Mission, Ledger: rows, Probability: probability(sum(rows)), AsOf: opt.AsOf,
		Place: f.place(p), Alternatives: alternatives(1-probability(sum(rows)), f.smelt(p)),
	}
	// A candidate is named by the item that pins it down: it keeps its name while others come and go.
	c.ID = atalaya.CandidateID(atalaya.NameOf("site_", string(opt.Mission), string(f.items[p.own[0]].ID)))
	for _, i := range p.by {
		if r := f.items[i].RateKgS; r != nil {
			c.RateKgS = r
			break
		}
	}
	if opt.RollUp != nil {
		var portions []string
		for _, r := range rows {
			if r.Evidence != "" {
				portions = append(portions, r.Marking)
			}
		}
		c.Marking = opt.RollUp(portions)
	}
	return c
}

// sharpest sorts items by the size of their places, those without one last.
func (f *field) sharpest(items []int) []int {
	out := slices.Clone(items)
	size := func(i int) float64 {
		if p := f.items[i].Place; p != nil {
			return trace(*p)
		}
		return math.Inf(1)
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(size(a), size(b)) })
	return out
}

func (f *field) place(p peak) atalaya.Place {
	var places []atalaya.Place
	for _, i := range p.by {
		if q := f.items[i].Place; q != nil {
			places = append(places, *q)
		}
	}
	if len(places) > 0 {
		return combine(places)
	}
	// Nothing says more than the cell: a uniform square of its area, no sharper than the window.
	c := f.leaf[p.leaf]
	v := math.Max(geodesy.CellAreaM2(c)/12, ScaleM*ScaleM)
	return PlaceOf(Mode{At: geodesy.CellCenter(c), CovarianceM2: matrix{{v, 0}, {0, v}}, Weight: 1})
}

// smelt reports whether gas speaks for the place.
func (f *field) smelt(p peak) bool {
	return slices.ContainsFunc(p.by, func(i int) bool { return f.items[i].Kind == "gas" })
}

// alternatives shares out what is not "site". The shares are stated assumptions, not estimates: what else the evidence may
// be, so that a reader keeps it in mind.
func alternatives(rest float64, gas bool) []atalaya.Alternative {
	if !gas {
		return []atalaya.Alternative{{Label: "other activity", Probability: rest * 0.6}, {Label: "nothing there", Probability: rest * 0.4}}
	}
	return []atalaya.Alternative{
		{Label: "industry or paint shop", Probability: rest * 0.45}, {Label: "farm", Probability: rest * 0.2},
		{Label: "burning", Probability: rest * 0.15}, {Label: "other", Probability: rest * 0.2},
	}
}

// ledger lists the prior, each item and what the bounds take off; its rows sum to the log-odds of the place.
func (f *field) ledger(all []said, opt Options) []atalaya.LedgerItem {
	rows := []atalaya.LedgerItem{{
		Kind: "prior", LogOdds: priorLogOdds(opt.PriorPerKm2),
	}}
	tell(&rows[0], atalaya.Say("prior", "density", fmt.Sprintf("%g", opt.PriorPerKm2), "area", fmt.Sprintf("%.2f", AreaKm2)))
	counts := f.counted(all)
	for i, s := range all {
		e := f.items[s.item]
		row := atalaya.LedgerItem{Kind: e.Kind, Observation: e.Observation, Evidence: e.ID, LogOdds: s.log, Grade: e.Grade, Note: e.Note, Said: e.Said, Marking: e.Marking}
		if !counts[i] {
			row.LogOdds = 0
			row.Note, row.Said = add(row.Note, row.Said, atalaya.Say("same-origin"))
		}
		rows = append(rows, row)
	}
	raw, kept := f.byKind(all, counts)
	order := make([]int, len(f.names))
	for k := range order {
		order[k] = k
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(f.names[a], f.names[b]) })
	for _, k := range order {
		if off := kept[k] - raw[k]; math.Abs(off) > 1e-12 { // less is the rounding of the two sums
			least, most := Bounds(f.names[k])
			says := atalaya.Say("bounded", "kind", f.names[k], "least", fmt.Sprintf("%g", least), "most", fmt.Sprintf("%g", most))
			if f.single[k] {
				says = atalaya.Say("strongest", "kind", f.names[k], "most", fmt.Sprintf("%g", most))
			}
			row := atalaya.LedgerItem{Kind: "dependence", LogOdds: off}
			tell(&row, says)
			rows = append(rows, row)
		}
	}
	return rows
}

// tell gives a row its note.
func tell(row *atalaya.LedgerItem, said ...atalaya.Sentence) {
	row.Said, row.Note = said, atalaya.English(said)
}

// add adds a sentence to a note. One that is in English alone, as records of earlier versions hold them, stays so: the codes are
// all that is said, or nothing.
func add(note string, said []atalaya.Sentence, more atalaya.Sentence) (string, []atalaya.Sentence) {
	if note == "" {
		return more.English(), []atalaya.Sentence{more}
	}
	if len(said) > 0 {
		said = append(slices.Clip(said), more)
	}
	return note + "; " + more.English(), said
}

// sum adds the rows in their order.
func sum(rows []atalaya.LedgerItem) float64 {
	total := 0.0
	for _, r := range rows {
		total += r.LogOdds
	}
	return total
}
