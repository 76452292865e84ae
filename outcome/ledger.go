package outcome

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/sense/delimited"
)

// An Entry is one seizure as a service or official statistics report it.
type Entry struct {
	ID, Replaces                                    string // a later entry corrects the one that it replaces
	On, Reported                                    time.Time
	Place, Substance, Partner, Organisation, Source string
	Amount                                          string // as written
	Unit                                            Unit
	Said                                            Said
	Count                                           Range  // of the unit
	Purity                                          *Range // share of the mass that is the substance; nil where it is not told
	TabletMg                                        *Range // substance in one tablet, mg
	Value                                           *big.Rat
	Currency, ValueSource                           string
	line                                            int
}

// Kg is the mass of what was taken; nil for what is counted otherwise.
func (e *Entry) Kg() *Range {
	if e.Unit.Kg.Low == nil {
		return nil
	}
	m := e.Count.times(e.Unit.Kg)
	return &m
}

// pureKg is the mass of the substance itself: 0 to all of it where nothing tells; nil for litres.
func (e *Entry) pureKg() *Range {
	all := Range{new(big.Rat), big.NewRat(1, 1)}
	switch {
	case e.Unit.Name == "tablet" && e.TabletMg != nil:
		m := e.Count.times(*e.TabletMg).times(exactly(kg("0.000001")))
		return &m
	case e.Kg() == nil:
		return nil
	case e.Purity != nil:
		all = *e.Purity
	}
	m := e.Kg().times(all)
	return &m
}

// A Ledger is what was read.
type Ledger struct {
	Entries  []Entry
	Problems []delimited.Problem
	LostRows int
}

// MaxEntries bounds a ledger.
const MaxEntries = 1_000_000

// ReadLedger reads a table of seizures: columns id, on, substance, amount, unit, and of choice reported, said, place, partner, organisation, source,
// purity_low, purity_high (shares), tablet_mg_low, tablet_mg_high, value, currency, value_source, replaces. A row that cannot be read is lost alone.
func ReadLedger(r io.Reader, file string) (*Ledger, error) {
	d := delimited.NewReader(r, file, "outcome.ledger")
	if err := d.ReadHeader(); err != nil {
		return nil, err
	}
	column := map[string]int{}
	for i, h := range d.Header {
		column[h] = i
	}
	for _, need := range []string{"id", "on", "substance", "amount", "unit"} {
		if _, ok := column[need]; !ok {
			return nil, d.Fail(d.Line, need, "Name the columns id, on, substance, amount, unit", "the column is missing")
		}
	}
	l, seen := &Ledger{}, map[string]int{}
	for {
		fields, err := d.Row()
		var lost *delimited.RowError
		switch {
		case err == io.EOF:
			l.check(d, seen)
			l.Problems, l.LostRows = d.Problems.List, d.Problems.LostRows
			return l, nil
		case errors.As(err, &lost):
			d.Problems.Row("row", lost.Err)
			continue
		case err != nil:
			return nil, err
		case len(l.Entries) == MaxEntries:
			return nil, d.Fail(d.Line, "", "Split the file by years", "more than %d seizures", MaxEntries)
		}
		get := func(name string) string {
			if i, ok := column[name]; ok {
				return strings.TrimSpace(fields[i])
			}
			return ""
		}
		e, bad := entryOf(d, get)
		if bad == nil && seen[e.ID] > 0 {
			bad = d.Fail(d.Line, "id", "Give each seizure an id of its own; name the one that it corrects in replaces", "%q stands in line %d too", e.ID, seen[e.ID])
		}
		if bad != nil {
			d.Problems.Row(bad.Place, bad)
			continue
		}
		seen[e.ID] = d.Line
		l.Entries = append(l.Entries, e)
	}
}

// check wants every correction to have what it corrects, once.
func (l *Ledger) check(d *delimited.Reader, seen map[string]int) {
	by := map[string]string{}
	for i := range l.Entries {
		e := &l.Entries[i]
		if e.Replaces == "" {
			continue
		}
		if seen[e.Replaces] == 0 || e.Replaces == e.ID {
			d.Problems.Note("replaces", e.line, "replaces", "Name a seizure of this file", "%q corrects %q, which is not here: both words stand", e.ID, e.Replaces)
		} else if other := by[e.Replaces]; other != "" {
			d.Problems.Note("corrected twice", e.line, "replaces", "Correct the correction", "%q was corrected by %q before: both corrections stand", e.Replaces, other)
		}
		by[e.Replaces] = e.ID
	}
}

func entryOf(d *delimited.Reader, get func(string) string) (Entry, *atalaya.Error) {
	e := Entry{ID: get("id"), Replaces: get("replaces"), Place: get("place"), Substance: strings.ToLower(get("substance")), Partner: get("partner"),
		Organisation: get("organisation"), Source: get("source"), Amount: get("amount"), Currency: get("currency"), ValueSource: get("value_source"), line: d.Line}
	for name, v := range map[string]string{"id": e.ID, "substance": e.Substance} {
		if v == "" {
			return e, d.Fail(d.Line, name, "Fill it in", "nothing stands there")
		}
	}
	var bad *atalaya.Error
	day := func(name string, into *time.Time) {
		if s := get(name); s != "" && bad == nil {
			t, err := time.Parse(time.DateOnly, s)
			if err != nil {
				bad = d.Fail(d.Line, name, "Write the day like 2026-03-14", "%.20q is no day", s)
			}
			*into = t
		}
	}
	day("on", &e.On)
	day("reported", &e.Reported)
	if bad != nil {
		return e, bad
	}
	if e.On.IsZero() {
		return e, d.Fail(d.Line, "on", "Write the day like 2026-03-14", "nothing stands there")
	}
	if !e.Reported.IsZero() && e.Reported.Before(e.On) {
		return e, d.Fail(d.Line, "reported", "Look which of the two days is wrong", "it was reported before it happened")
	}
	return e, e.measure(d, get)
}

// measure reads amounts, purity and value.
func (e *Entry) measure(d *delimited.Reader, get func(string) string) *atalaya.Error {
	v, half, ok := parseAmount(e.Amount)
	if !ok {
		return d.Fail(d.Line, "amount", "Write digits with at most one decimal point, without a unit or commas", "%.40q is no amount", e.Amount)
	}
	if e.Unit, ok = unitOf(get("unit")); !ok {
		return d.Fail(d.Line, "unit", "Use "+unitNames(), "%.20q is no unit", get("unit"))
	}
	e.Said = Said(cmp.Or(get("said"), string(Exact)))
	if !slices.Contains(saids, e.Said) {
		return d.Fail(d.Line, "said", "Use exact, about, nearly, over or at-least", "%.20q is no such word", e.Said)
	}
	e.Count = rangeOf(v, half, e.Said)
	if e.Value, _, ok = parseAmount(get("value")); !ok && get("value") != "" {
		return d.Fail(d.Line, "value", "Write digits with at most one decimal point", "%.40q is no amount", get("value"))
	}
	if e.Value != nil && (e.Currency == "" || e.ValueSource == "") {
		return d.Fail(d.Line, "value", "Give currency and value_source", "a value without its currency or its source")
	}
	var bad *atalaya.Error
	e.Purity, bad = pair(d, get, "purity_low", "purity_high")
	if bad == nil && e.Purity != nil && e.Purity.High.Cmp(big.NewRat(1, 1)) > 0 {
		bad = d.Fail(d.Line, "purity_high", "Write a share, 0.3 for 30 %", "a purity above one")
	}
	if bad == nil {
		e.TabletMg, bad = pair(d, get, "tablet_mg_low", "tablet_mg_high")
	}
	return bad
}

// pair reads two ends; nil where neither is there.
func pair(d *delimited.Reader, get func(string) string, low, high string) (*Range, *atalaya.Error) {
	a, b := get(low), get(high)
	if a == "" && b == "" {
		return nil, nil
	}
	lo, _, ok1 := parseAmount(a)
	hi, _, ok2 := parseAmount(b)
	if !ok1 || !ok2 || lo.Cmp(hi) > 0 {
		return nil, d.Fail(d.Line, low, "Give both ends, the lower first; the same twice where it is exact", "%.20q to %.20q is no range", a, b)
	}
	return &Range{lo, hi}, nil
}

// Standing are the entries that no later one corrects, in their order.
func (l *Ledger) Standing() []Entry {
	replaced := map[string]bool{}
	for _, e := range l.Entries {
		if e.Replaces != e.ID {
			replaced[e.Replaces] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(l.Entries), func(e Entry) bool { return replaced[e.ID] })
}

// A DoseBasis is how much of a substance counts as one dose, and who says so.
type DoseBasis struct {
	Mg     Range  `json:"mg"`
	Source string `json:"source"`
}

// Doses are the bases that the project ships: what a published source states. Others are the user's.
var Doses = map[string]DoseBasis{
	"fentanyl": {exactly(big.NewRat(2, 1)), "two milligrams can be a deadly dose (US Drug Enforcement Administration, Facts about Fentanyl)"},
}

// ReadDoses reads bases of doses, columns substance, mg_low, mg_high, source, and gives them beside those that the project ships. It is small and refused whole.
func ReadDoses(r io.Reader, file string) (map[string]DoseBasis, error) {
	d := delimited.NewReader(r, file, "outcome.doses")
	if err := d.ReadHeader(); err != nil {
		return nil, err
	}
	if !slices.Equal(d.Header, []string{"substance", "mg_low", "mg_high", "source"}) {
		return nil, d.Fail(d.Line, "", "Name the columns substance, mg_low, mg_high, source", "the columns are %.100q", d.Header)
	}
	out := maps.Clone(Doses)
	for {
		f, err := d.Row()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		name, source := strings.ToLower(strings.TrimSpace(f[0])), strings.TrimSpace(f[3])
		if name == "" || source == "" || len(out) >= 1000 {
			return nil, d.Fail(d.Line, "", "Give each substance a name, and say who states the dose", "a dose without its substance or its source")
		}
		mg, bad := pair(d, func(c string) string { return strings.TrimSpace(f[slices.Index(d.Header, c)]) }, "mg_low", "mg_high")
		if bad != nil {
			return nil, bad
		}
		if mg == nil || mg.Low.Sign() <= 0 {
			return nil, d.Fail(d.Line, "mg_low", "Give milligrams above zero", "a dose of nothing")
		}
		out[name] = DoseBasis{*mg, source}
	}
}

// A Total is what entries come to together.
type Total struct {
	Key         string                 `json:"key"`
	Seizures    int                    `json:"seizures"`
	MassKg      *Range                 `json:"mass_kg,omitempty"`
	Tablets     *Range                 `json:"tablets,omitempty"`
	Litres      *Range                 `json:"litres,omitempty"`
	Doses       *Range                 `json:"doses,omitempty"` // of all substances with a basis
	Bases       map[string]DoseBasis   `json:"dose_bases,omitempty"`
	UntoldKg    *Range                 `json:"mass_of_unknown_purity_kg,omitempty"` // of those: counts from none of it to all of it
	NoDose      []string               `json:"without_dose_basis,omitempty"`        // substances
	Value       map[string]json.Number `json:"value,omitempty"`                     // by currency, as its sources estimate it
	ValuedBy    []string               `json:"value_sources,omitempty"`
	Unspecified int                    `json:"of_tons_not_said_which,omitempty"`

	value map[string]*big.Rat
}

// Groups are what totals may be made by.
var Groups = []string{"substance", "place", "month", "partner", "organisation", "all"}

func (e *Entry) key(by string) string {
	return map[string]string{"substance": e.Substance, "place": e.Place, "month": e.On.Format("2006-01"), "partner": e.Partner, "organisation": e.Organisation, "all": "all"}[by]
}

// Totals adds entries up by a group, in the order of its keys. Sums are exact: ends of ranges are added to ends.
func Totals(entries []Entry, by string, doses map[string]DoseBasis) ([]Total, error) {
	if !slices.Contains(Groups, by) {
		return nil, &atalaya.Error{Op: "outcome.totals", Kind: atalaya.BadUse, Err: fmt.Errorf("%.20q is no group", by), Hint: "Use " + strings.Join(Groups, ", ")}
	}
	all := map[string]*Total{}
	for i := range entries {
		e := &entries[i]
		t := all[e.key(by)]
		if t == nil {
			t = &Total{Key: e.key(by), Bases: map[string]DoseBasis{}, value: map[string]*big.Rat{}}
			all[t.Key] = t
		}
		t.add(e, doses)
	}
	var out []Total
	for _, k := range slices.Sorted(maps.Keys(all)) {
		t := all[k]
		slices.Sort(t.NoDose)
		slices.Sort(t.ValuedBy)
		t.NoDose, t.ValuedBy = slices.Compact(t.NoDose), slices.Compact(t.ValuedBy)
		for currency, v := range t.value {
			if t.Value == nil {
				t.Value = map[string]json.Number{}
			}
			t.Value[currency] = json.Number(decimal(v))
		}
		out = append(out, *t)
	}
	return out, nil
}

func (t *Total) add(e *Entry, doses map[string]DoseBasis) {
	t.Seizures++
	mass := e.Kg()
	switch {
	case mass != nil:
		sum(&t.MassKg, *mass)
	case e.Unit.Name == "tablet":
		sum(&t.Tablets, e.Count)
	default:
		sum(&t.Litres, e.Count)
	}
	if e.Unit.Name == "ton" {
		t.Unspecified++
	}
	if e.Value != nil {
		if t.value[e.Currency] == nil {
			t.value[e.Currency] = new(big.Rat)
		}
		t.value[e.Currency].Add(t.value[e.Currency], e.Value)
		t.ValuedBy = append(t.ValuedBy, e.ValueSource)
	}
	basis, ok := doses[e.Substance]
	pure := e.pureKg()
	if !ok || pure == nil {
		t.NoDose = append(t.NoDose, e.Substance)
		return
	}
	t.Bases[e.Substance] = basis
	mg := big.NewRat(1_000_000, 1)
	sum(&t.Doses, Range{new(big.Rat).Mul(new(big.Rat).Quo(pure.Low, basis.Mg.High), mg), new(big.Rat).Mul(new(big.Rat).Quo(pure.High, basis.Mg.Low), mg)})
	if e.Purity == nil && mass != nil {
		sum(&t.UntoldKg, *mass)
	}
}

func sum(into **Range, r Range) {
	if *into == nil {
		*into = &r
		return
	}
	r = (*into).plus(r)
	*into = &r
}
