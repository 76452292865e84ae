package atalaya

import (
	"fmt"
	"slices"
	"strings"
)

// A Ruling is one rule that had a part in a roll-up, with the portions that it applied to, counted from 1.
type Ruling struct {
	Rule     string `json:"rule"` // a code of Rules
	Portions []int  `json:"portions"`
}

// Rules say in English what each rule of a roll-up does.
var Rules = map[string]string{
	"class-highest":        "the classification is the highest of any portion",
	"carried":              "a control of any portion is one of the whole",
	"compartments-all":     "compartments, special access and atomic energy of any portion are of the whole",
	"oc-usgov-not-all":     "ORCON-USGOV falls where a portion that is ORCON lacks it",
	"rel-intersects":       "what all lists have in common is left of REL TO",
	"display-intersects":   "what all lists of release or display have in common may be displayed",
	"nf-portion":           "a NOFORN portion makes the whole NOFORN",
	"list-without-usa":     "a list without USA releases to nobody: NOFORN",
	"no-decision-beside":   "a portion that takes part without a list stands beside lists: NOFORN",
	"nothing-in-common":    "the lists have no country in common: NOFORN",
	"nf-of-non-ic":         "the NOFORN of SBU NOFORN or LES NOFORN becomes that of the whole",
	"relido-not-all":       "RELIDO falls where a portion that takes part lacks it",
	"fouo-in-classified":   "FOUO is not shown in a classified whole",
	"fouo-beside-dsen":     "FOUO gives way to DSEN",
	"nodis-over-exdis":     "NODIS stands for EXDIS too",
	"nf-over-plain-non-ic": "SBU NOFORN and LES NOFORN stand for SBU and LES too",
	"foreign-named":        "information of foreign governments keeps their names",
	"foreign-hidden":       "information of a government that is not named hides the names of others",
	"tlp-strictest":        "the strictest TLP is that of the whole",
	"synthetic":            "one invented portion makes the whole synthetic",
}

// takesPart reports whether a portion has a say on foreign release: a bare unclassified one has none.
func (m *Marking) takesPart() bool {
	return m.class > Unclassified || m.controls&^synthetic != 0 || m.tlp > tlpClear || len(m.fgi)+len(m.sci)+len(m.sar)+len(m.aea) > 0
}

// RollUp is the marking of a whole from those of its portions, as canonical text (see Label). It is computed, never a union:
// see RollUpOf.
func RollUp(portions ...string) (string, error) {
	if len(portions) == 0 {
		return "", badMarking("", "there is no portion to roll up")
	}
	ms := make([]Marking, len(portions))
	for i, p := range portions {
		m, err := ParseMarking(p)
		if err != nil {
			e := err.(*Error)
			e.Place = strings.TrimSuffix(fmt.Sprintf("portion %d, %s", i+1, e.Place), ", ")
			return "", e
		}
		ms[i] = m
	}
	whole, _ := RollUpOf(ms)
	return string(whole.Label()), nil
}

// RollUpOf is the marking of a whole from those of its portions, and why. The class is the highest, lists intersect, and NF results from a list without USA,
// from lists without a country in common, or from a list beside a portion that takes part without one. FOUO gives way to a classification and to
// DSEN; LES and DSEN stay; SYNTHETIC stays if any portion has it. It never lowers the class nor widens the release, and gives the same in any order and in any
// grouping (the rules of the published roll-up of ISM, and decision 0016). Of no portions it is the zero Marking.
func RollUpOf(ms []Marking) (Marking, []Ruling) {
	var sum Marking
	r := reasons{ms: ms}
	for i := range ms {
		m := &ms[i]
		sum.class = max(sum.class, m.class)
		sum.controls |= m.controls &^ listed
		sum.sci, sum.sar, sum.aea = append(sum.sci, m.sci...), append(sum.sar, m.sar...), append(sum.aea, m.aea...)
		sum.fgi = append(sum.fgi, m.fgi...)
		sum.tlp = max(sum.tlp, m.tlp)
	}
	if sum.class > Unclassified {
		r.say("class-highest", func(m *Marking) bool { return m.class == sum.class })
	}
	if len(sum.sci)+len(sum.sar)+len(sum.aea) > 0 {
		r.say("compartments-all", func(m *Marking) bool { return len(m.sci)+len(m.sar)+len(m.aea) > 0 })
	}
	sum.foreign(&r)
	sum.release(ms, &r)
	sum.nonIC(&r)
	if sum.controls&ocUSGov != 0 && r.say("oc-usgov-not-all", func(m *Marking) bool { return m.controls&(oc|ocUSGov) == oc }) {
		sum.controls &^= ocUSGov
	}
	if without := func(m *Marking) bool { return m.takesPart() && m.controls&relido == 0 }; sum.controls&relido != 0 && r.say("relido-not-all", without) {
		sum.controls &^= relido
	}
	sum.fouo(&r)
	if sum.tlp > 0 {
		r.say("tlp-strictest", func(m *Marking) bool { return m.tlp == sum.tlp })
	}
	if sum.Synthetic() {
		r.say("synthetic", func(m *Marking) bool { return m.Synthetic() })
	}
	const told = fouo | nf | synthetic | fgiHidden // by rules of their own
	if kept := sum.controls &^ (told | listed); kept != 0 {
		r.say("carried", func(m *Marking) bool { return m.controls&kept != 0 })
	}
	sum.settle()
	return sum, r.out
}

// reasons gathers why.
type reasons struct {
	ms  []Marking
	out []Ruling
}

// say adds a rule with the portions that it applies to; false where there are none.
func (r *reasons) say(rule string, applies func(*Marking) bool) bool {
	var at []int
	for i := range r.ms {
		if applies(&r.ms[i]) {
			at = append(at, i+1)
		}
	}
	if len(at) > 0 {
		r.out = append(r.out, Ruling{rule, at})
	}
	return len(at) > 0
}

// foreign works out whose information it is.
func (m *Marking) foreign(r *reasons) {
	if m.controls&fgiHidden != 0 {
		r.say("foreign-hidden", func(p *Marking) bool { return p.controls&fgiHidden != 0 })
	} else if len(m.fgi) > 0 {
		r.say("foreign-named", func(p *Marking) bool { return len(p.fgi) > 0 })
	}
}

// release works out NF and the lists. NF wins over both, and over RELIDO.
func (m *Marking) release(ms []Marking, r *reasons) {
	to, shown, older := common(ms)
	has := func(p *Marking) bool { return p.controls&listed != 0 }
	any := slices.ContainsFunc(ms, func(p Marking) bool { return has(&p) })
	for _, rule := range []struct {
		when bool
		name string
		of   func(p *Marking) bool
	}{
		{true, "nf-portion", func(p *Marking) bool { return p.controls&nf != 0 }},
		{any || m.class > Unclassified, "nf-of-non-ic", func(p *Marking) bool { return p.controls&(sbuNF|lesNF) != 0 }},
		{any, "list-without-usa", func(p *Marking) bool { return p.controls&(rel|eyes) != 0 && !slices.Contains(p.rel, "USA") }},
		{any, "no-decision-beside", func(p *Marking) bool { return p.takesPart() && !has(p) }},
		{any && to.nobody() && shown.nobody(), "nothing-in-common", has},
	} {
		if rule.when && r.say(rule.name, rule.of) {
			m.controls |= nf
		}
	}
	if m.controls&nf != 0 {
		m.controls &^= relido
		return
	}
	if any && !to.nobody() {
		if m.controls |= rel; older {
			m.controls ^= rel | eyes
		}
		m.rel = to.codes()
		r.say("rel-intersects", has)
	}
	if more := shown.beside(to); len(more) > 0 {
		m.controls, m.display = m.controls|displayOnly, more
		r.say("display-intersects", has)
	}
}

// common is what the lists of release have in common, and those of release or display; older is whether all that say to whom say it as EYES.
func common(ms []Marking) (to, shown list, older bool) {
	first := true
	older = true
	for i := range ms {
		p := &ms[i]
		if p.controls&listed == 0 {
			continue
		}
		older = older && p.controls&(rel|displayOnly) == 0
		own := newList(p.rel, p.controls&(rel|eyes) != 0)
		wide := newList(slices.Concat(p.rel, p.display), true)
		if first {
			to, shown, first = own, wide, false
			continue
		}
		to.meet(own)
		shown.meet(wide)
	}
	return to, shown, older
}

// nonIC moves the NF of SBU-NF and LES-NF to the dissemination block where there is one, and lets the stricter stand.
func (m *Marking) nonIC(r *reasons) {
	for _, pair := range [...]struct{ with, plain control }{{sbuNF, sbu}, {lesNF, les}} {
		switch {
		case m.controls&pair.with == 0:
		case m.controls&nf != 0:
			m.controls = m.controls&^pair.with | pair.plain
		case m.controls&pair.plain != 0:
			m.controls &^= pair.plain
			r.say("nf-over-plain-non-ic", func(p *Marking) bool { return p.controls&pair.with != 0 })
		}
	}
	if m.controls&(nd|xd) == nd|xd {
		m.controls &^= xd
		r.say("nodis-over-exdis", func(p *Marking) bool { return p.controls&nd != 0 })
	}
}

// fouo takes FOUO away where it says nothing more.
func (m *Marking) fouo(r *reasons) {
	has := func(p *Marking) bool { return p.controls&fouo != 0 }
	switch {
	case m.controls&fouo == 0:
	case m.class > Unclassified:
		m.controls &^= fouo
		r.say("fouo-in-classified", has)
	case m.controls&dsen != 0:
		m.controls &^= fouo
		r.say("fouo-beside-dsen", has)
	default:
		r.say("carried", has)
	}
}

// A list of codes is kept as it was written, and as the countries that it comes to; groups that are not taken apart count as countries.
type list struct {
	written []string
	all     map[string]bool
}

func newList(codes []string, there bool) list {
	if !there {
		return list{all: map[string]bool{}}
	}
	return list{codes, expanded(codes)}
}

// expanded are the countries that codes come to.
func expanded(codes []string) map[string]bool {
	all := make(map[string]bool, 2*len(codes))
	for _, c := range codes {
		members := groups[c]
		if members == "" {
			all[c] = true
		}
		for more := members != ""; more; {
			var one string
			one, members, more = strings.Cut(members, " ")
			all[one] = true
		}
	}
	return all
}

// meet leaves what both have.
func (l *list) meet(o list) {
	l.written = slices.DeleteFunc(slices.Clone(l.written), func(c string) bool { return !slices.Contains(o.written, c) })
	all := map[string]bool{}
	for c := range l.all {
		if o.all[c] {
			all[c] = true
		}
	}
	l.all = all
}

// nobody reports whether the list has nobody abroad.
func (l *list) nobody() bool {
	n := len(l.all)
	if l.all["USA"] {
		n--
	}
	return n == 0
}

// codes writes it: what all lists wrote, and the countries that this leaves out.
func (l *list) codes() []string {
	out, shown := slices.Clone(l.written), expanded(l.written)
	for c := range l.all {
		if !shown[c] {
			out = append(out, c)
		}
	}
	return ordered(out)
}

// beside writes what of a list another leaves out, groups taken apart: of some only a part is left. USA may see anything.
func (l *list) beside(o list) (out []string) {
	for c := range l.all {
		if !o.all[c] && c != "USA" {
			out = append(out, c)
		}
	}
	return ordered(out)
}
