package site

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
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
	// PerKm2 are densities of classes of alternatives in the place of those in Classes.
	PerKm2 map[string]float64
	// HalfLife of a site's working life; 0 is 60 days. Stay says that sites neither open nor close.
	HalfLife time.Duration
	Stay     bool
	// Ground says how much denser sites are at a place than on average; nil is none. It is asked where something speaks for a site.
	Ground Terrain
	// Calibration turns the sum of the ledger into a probability that came true so often; nil leaves it, and candidates without a word.
	Calibration *Calibration
	// RollUp gives the marking of a whole whose parts bear the given ones; nil leaves candidates unmarked.
	RollUp func(portions []string) string
}

// Terrain says ln of how much denser sites are at a place than on average, and what that rests on. It is asked by several goroutines at a time. Where it
// has a method Most() float64 that says what At never exceeds, it is asked about few places only.
type Terrain interface {
	At(geodesy.LatLon) float64
	LogRatio(geodesy.LatLon) (float64, []atalaya.Sentence)
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
	if o.HalfLife <= 0 {
		o.HalfLife = defaultHalfLife
	}
	return o
}

const (
	mostCandidates = 100
	// ownWithin: an item belongs to a candidate where its density is at least a hundredth of its highest: there 99 of 100 lie, by whose
	// share two places are told apart, too (see consistent).
	ownWithin = consistent / 2
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
	f := newField(evidence, opt)
	sh := newSearch(f, opt)
	peaks := sh.peaks()
	out := make([]atalaya.Candidate, len(peaks))
	sh.share(len(peaks), func(w *weigher, i int) { out[i] = f.candidate(peaks[i], w) })
	if opt.RollUp != nil {
		for i := range out {
			out[i].Marking = opt.RollUp(portions(out[i].Ledger))
		}
	}
	slices.SortStableFunc(out, func(a, b atalaya.Candidate) int {
		return cmp.Or(cmp.Compare(b.Probability, a.Probability), cmp.Compare(a.ID, b.ID))
	})
	for i := range out {
		out[i].Rank = i + 1
	}
	return out
}

// portions are the markings of the evidence in a ledger.
func portions(rows []atalaya.LedgerItem) (out []string) {
	for _, r := range rows {
		if r.Evidence != "" {
			out = append(out, r.Marking)
		}
	}
	return out
}

// At is the probability that a site is here, and its ledger.
func At(evidence []atalaya.Evidence, here geodesy.LatLon, opt Options) (float64, []atalaya.LedgerItem) {
	opt = opt.withDefaults()
	f := newField(evidence, opt)
	var all []said
	if l, ok := f.leafAt(geodesy.CellOf(here, s2.MaxLevel)); ok {
		all = f.at(l, nil)
	}
	rows, _ := f.ledger(all, here, newWeigher(f, opt))
	return probability(sum(rows)), rows
}

// A Cell is one sample of the field of probabilities, for a map.
type Cell struct {
	ID          uint64 // S2
	Probability float64
}

// Cells samples the probability wherever evidence says anything, in the order of the cells; elsewhere it is that before any evidence.
func Cells(evidence []atalaya.Evidence, opt Options) []Cell {
	opt = opt.withDefaults()
	f := newField(evidence, opt)
	out := make([]Cell, len(f.leaf))
	newSearch(f, opt).share(len(out), func(w *weigher, l int) {
		v := w.leaf(l, opt.before(geodesy.CellCenter(f.leaf[l])))
		out[l] = Cell{uint64(f.leaf[l]), opt.probability(v.now)}
	})
	return out
}

// probability of log-odds, calibrated where there is a calibration.
func (o Options) probability(logOdds float64) float64 {
	if o.Calibration != nil {
		logOdds, _, _, _ = o.Calibration.Apply(logOdds)
	}
	return probability(logOdds)
}

// before is the log-odds of a site at a place before any evidence.
func (o Options) before(p geodesy.LatLon) float64 {
	prior := priorLogOdds(o.PriorPerKm2)
	if o.Ground != nil {
		prior += o.Ground.At(p)
	}
	return prior
}

// said is what one item says at one leaf.
type said struct {
	item  int32
	entry int32 // among what the field keeps; -1 of what it does not
	log   float64
}

// field is all evidence, laid over the leaves.
type field struct {
	items    []atalaya.Evidence // in the order of their times, then of their names
	most     []float64          // the most that each item says anywhere
	origin   []int              // items with the same number are of one origin
	shared   []bool             // of each item: another one has its origin
	kind     []int              // index into names
	derived  []bool             // of each item: it was made from this record
	plain    bool               // no item names alternatives
	classes  []string           // of alternatives that some item names
	others   [][]float64        // of each item: of each class, its share; nil where it names none
	hours    []float64          // of each item, since the first
	hoursNow float64            // of the assessment
	timed    bool               // some item has a time
	scale    []float64          // of each item: by what its ratio less one is multiplied, since its sense finds more or less than the tables say
	names    []string           // kinds
	single   []bool             // of each kind: only the strongest item speaks for a place
	future   []imagined         // what one more look would say
	laid
}

func newField(evidence []atalaya.Evidence, opt Options) *field {
	f := &field{items: slices.Clone(evidence)}
	slices.SortStableFunc(f.items, byTime)
	f.items = slices.CompactFunc(f.items, func(a, b atalaya.Evidence) bool { return a.ID == b.ID })
	for _, e := range f.items {
		if err := Check(e); err != nil {
			panic("site: " + err.Error())
		}
		most := 0.0
		for _, l := range e.LogOdds {
			most = math.Max(most, l)
		}
		f.most = append(f.most, most)
		f.kind = append(f.kind, f.kindOf(e.Kind))
	}
	f.alternatives()
	f.clock(opt.AsOf)
	f.clutter(opt)
	f.origin = origins(f.items)
	f.shared = make([]bool, len(f.items))
	for i, o := range f.origin {
		if o != i {
			f.shared[i], f.shared[o] = true, true
		}
	}
	f.laid = lay(f.items)
	f.imagine()
	return f
}

// kindOf is the number of a kind.
func (f *field) kindOf(name string) int {
	k := slices.Index(f.names, name)
	if k < 0 {
		k = len(f.names)
		f.names, f.single = append(f.names, name), append(f.single, onlyStrongest(name))
	}
	return k
}

// alternatives lays out, item by item, the shares of the classes that some item names, and which items were made from this record.
func (f *field) alternatives() {
	f.classes = classNames(f.items)
	f.plain = !slices.ContainsFunc(f.items, func(e atalaya.Evidence) bool { return e.Others != nil })
	f.others, f.derived = make([][]float64, len(f.items)), make([]bool, len(f.items))
	for i, e := range f.items {
		f.derived[i] = e.Kind == "report" && slices.ContainsFunc(e.Lineage, ours)
		if e.Others == nil {
			continue
		}
		f.others[i] = make([]float64, len(f.classes))
		for c, name := range f.classes {
			f.others[i][c] = e.Others[name]
		}
	}
}

// ours says that a key of lineage names something of this record.
func ours(key string) bool {
	return slices.ContainsFunc([]string{"site_", "obs_", "det_", "ev_", "case_"}, func(p string) bool { return strings.HasPrefix(key, p) })
}

// clock gives items their times in hours. One without a time is of the time of assessment; one of later than that is, too.
func (f *field) clock(now time.Time) {
	f.hours = make([]float64, len(f.items))
	var first time.Time
	for _, e := range f.items {
		if t := middle(e.When); !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	f.timed = !first.IsZero() && now.After(first)
	if !f.timed {
		return
	}
	f.hoursNow = now.Sub(first).Hours()
	for i, e := range f.items {
		f.hours[i] = f.hoursNow
		if t := middle(e.When); !t.IsZero() {
			f.hours[i] = min(t.Sub(first).Hours(), f.hoursNow)
		}
	}
}

// clutter compares how many detections each sense gave with how many its table foretells for the ground that it looked at, sites left out: a sense that
// finds three times as much as foretold has a third of the say in each. With few detections the table stands, as if it had been
// seen at steady detections already. Where processors state how surely each is real, things are counted so; else all detections are. Senses
// whose looks are not stated keep their tables.
func (f *field) clutter(opt Options) {
	type tally struct{ found, foretold float64 }
	all, things := make([]tally, len(f.names)), make([]tally, len(f.names))
	for i, e := range f.items {
		s, known := SenseOf(e.Kind)
		if !known || e.Others == nil {
			continue
		}
		k := f.kind[i]
		switch {
		case f.most[i] > 0 && e.Real > 0:
			things[k].found += e.Real
		case f.most[i] > 0:
			all[k].found++
		default:
			exposed := looked(e) / s.Site
			t := s.things(func(c Class) float64 { return opt.density(c.Name) })
			things[k].foretold += t * exposed
			all[k].foretold += (t + s.UnexplainedKm2) * exposed
		}
	}
	const steady = 8
	f.scale = make([]float64, len(f.items))
	for i, e := range f.items {
		t := all[f.kind[i]]
		if e.Real > 0 {
			t = things[f.kind[i]]
		}
		if f.scale[i] = 1; e.Others != nil && f.most[i] > 0 && t.foretold > 0 {
			f.scale[i] = (t.foretold + steady) / (t.found + steady)
		}
	}
}

// looked is the ground that a look saw, km², each weighted by the probability that a site there would have stood out.
func looked(e atalaya.Evidence) float64 {
	sum := 0.0
	for _, l := range e.LogOdds {
		sum -= math.Expm1(l)
	}
	if len(e.Cells) == 0 {
		return 0
	}
	return sum * geodesy.CellAreaM2(s2.CellID(e.Cells[0])) / perKm2 // cells of one look are alike to a part in ten
}

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
func (f *field) counted(all []said, into []bool) []bool {
	counts := slices.Grow(into[:0], len(all))[:len(all)]
	for i, s := range all {
		if counts[i] = !f.derived[s.item]; !counts[i] || !f.shared[s.item] {
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

// peak is a leaf that founds a candidate, and the items that found it.
type peak struct {
	leaf int
	own  []int // items that no likelier candidate has, the sharpest first
	by   []int // all items that speak for it near their loudest, the sharpest first
	same []int // items of the same origin as one of these, which do not count
}

// A candidate within nearby of a likelier one must have, by itself, a tenth of its odds.
const nearby = 3 * ScaleM

var nearlyAsLikely = math.Log(10)

// alone is the log-odds of a site at a leaf by what no candidate has yet.
func (f *field) alone(leaf int, owned []bool, w *weigher) float64 {
	all := slices.DeleteFunc(f.at(leaf, nil), func(s said) bool { return s.log > 0 && owned[s.item] })
	return w.at(all, f.counted(all, nil), w.opt.before(geodesy.CellCenter(f.leaf[leaf]))).now
}

// peakAt is the peak at a leaf: who speaks for it near their loudest, and of these, who has no candidate yet. The sharpest of
// the latter pins it down; whoever's own place excludes that one's speaks for another candidate.
func (f *field) peakAt(leaf int, owned []bool) peak {
	p := peak{leaf: leaf}
	all := f.at(leaf, nil)
	counts := f.counted(all, nil)
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

func (f *field) candidate(p peak, w *weigher) atalaya.Candidate {
	opt := w.opt
	place := f.place(p)
	leaf := f.asked(p, place)
	rows, shares := f.ledger(f.at(leaf, nil), geodesy.CellCenter(f.leaf[leaf]), w)
	rest := 1 - probability(sum(rows))
	c := atalaya.Candidate{
		Mission: opt.Mission, Ledger: rows, Probability: probability(sum(rows)), AsOf: opt.AsOf,
		Place: place, Alternatives: f.otherwise(rest, shares, f.smelt(p)),
	}
	c.Word, c.Range, c.Cases = opt.howSure(rows)
	c.Changes = f.changes(leaf, c.Probability, shares, w)
	// A candidate is named by the item that pins it down: it keeps its name while others come and go.
	c.ID = atalaya.CandidateID(atalaya.NameOf("site_", string(opt.Mission), string(f.items[p.own[0]].ID)))
	for _, i := range p.by {
		if r := f.items[i].RateKgS; r != nil {
			c.RateKgS = r
			break
		}
	}
	return c
}

// asked is the leaf at which a candidate is asked about: where it lies, when that is known to two windows; else the likeliest. The likeliest
// spot of a sharp place would be the one that what speaks against it, a permit or a look, leaves out by chance.
func (f *field) asked(p peak, at atalaya.Place) int {
	if math.Sqrt(trace(at)/2) > 2*ScaleM {
		return p.leaf
	}
	if l, ok := f.leafAt(geodesy.CellOf(geodesy.LatLon{Lat: at.Lat, Lon: at.Lon}, s2.MaxLevel)); ok {
		return l
	}
	return p.leaf
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
	var places []located
	for _, i := range p.by {
		if e := &f.items[i]; e.Place != nil {
			places = append(places, located{*e.Place, e.BiasGroup, e.BiasM})
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

// otherwise shares out what is not a site among the classes that the evidence speaks of; where it names none, by stated shares.
func (f *field) otherwise(rest float64, shares []float64, gas bool) []atalaya.Alternative {
	if f.plain {
		return alternatives(rest, gas)
	}
	out := make([]atalaya.Alternative, 0, len(shares))
	for c, name := range f.classes {
		out = append(out, atalaya.Alternative{Label: labelOf(name), Probability: rest * shares[c+1]})
	}
	out = append(out, atalaya.Alternative{Label: "nothing there", Probability: rest * shares[0]})
	slices.SortStableFunc(out, func(a, b atalaya.Alternative) int { return cmp.Compare(b.Probability, a.Probability) })
	return out
}

// labelOf is what a class is called on a card.
func labelOf(class string) string {
	switch class {
	case Industry:
		return "industry or paint shop"
	case Fire:
		return "burning"
	case Traffic:
		return "vehicles of other business"
	case Radio:
		return "other radio"
	case Dwelling:
		return "dwelling or ranch"
	}
	return class
}

// ledger lists the prior, what the ground says, each item, what they say less together and what time takes off; its rows sum to the log-odds of
// the place. The shares are those of the alternatives, nothing first.
func (f *field) ledger(all []said, here geodesy.LatLon, w *weigher) (rows []atalaya.LedgerItem, shares []float64) {
	opt := w.opt
	first := atalaya.LedgerItem{Kind: "prior", LogOdds: priorLogOdds(opt.PriorPerKm2)}
	tell(&first, atalaya.Say("prior", "density", fmt.Sprintf("%g", opt.PriorPerKm2), "area", fmt.Sprintf("%.2f", AreaKm2)))
	rows = append(rows, first)
	prior := first.LogOdds
	if opt.Ground != nil {
		more, said := opt.Ground.LogRatio(here)
		row := atalaya.LedgerItem{Kind: "terrain", LogOdds: more}
		tell(&row, said...)
		rows, prior = append(rows, row), prior+more
	}
	counts := f.counted(all, nil)
	v := w.at(all, counts, prior)
	for i, s := range all {
		e := f.items[s.item]
		row := atalaya.LedgerItem{Kind: e.Kind, Observation: e.Observation, Evidence: e.ID, LogOdds: w.naive[i], Grade: e.Grade, Note: e.Note, Said: e.Said, Marking: e.Marking}
		switch {
		case f.derived[s.item]:
			row.Note, row.Said = add(row.Note, row.Said, atalaya.Say("from-the-record"))
		case !counts[i]:
			row.Note, row.Said = add(row.Note, row.Said, atalaya.Say("same-origin"))
		}
		rows = append(rows, row)
	}
	off := func(kind string, by float64, says atalaya.Sentence) {
		if math.Abs(by) > rounding {
			row := atalaya.LedgerItem{Kind: kind, LogOdds: by}
			tell(&row, says)
			rows = append(rows, row)
		}
	}
	order := make([]int, len(f.names))
	for k := range order {
		order[k] = k
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(f.names[a], f.names[b]) })
	told := prior
	for _, k := range order {
		told += v.raw[k]
		least, most := w.bounds(k)
		by, says := -v.over[k], atalaya.Say("bounded", "kind", f.names[k], "least", fmt.Sprintf("%g", least), "most", fmt.Sprintf("%g", most))
		if !f.named(all, k) {
			if by = v.kept[k] - v.raw[k]; f.single[k] {
				says = atalaya.Say("strongest", "kind", f.names[k], "most", fmt.Sprintf("%g", most))
			}
		}
		off("dependence", by, says)
		told += by
	}
	off("dependence", v.stays-told, atalaya.Say("alternatives-together"))
	off("time", v.now-v.stays, atalaya.Say("time-passed", "days", fmt.Sprintf("%.0f", opt.HalfLife.Hours()/24)))
	if opt.Calibration != nil {
		bare := sum(rows)
		calibrated, _, _, n := opt.Calibration.Apply(bare)
		row := atalaya.LedgerItem{Kind: "calibration", LogOdds: calibrated - bare}
		tell(&row, atalaya.Say("calibrated", "n", fmt.Sprint(n)))
		rows = append(rows, row)
	}
	return rows, w.shares(all)
}

// named reports whether some item of a kind at a leaf names its alternatives.
func (f *field) named(all []said, kind int) bool {
	return slices.ContainsFunc(all, func(s said) bool { return f.kind[s.item] == kind && f.others[s.item] != nil })
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
