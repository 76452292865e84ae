package atalaya

import (
	"fmt"
	"slices"
	"strings"
)

// A Marking says how a piece of information may be handled: its classification, who it may be released to, and the controls
// on its spread. It is read from a portion marking such as "(S//REL TO USA, MEX)" or a banner such as
// "UNCLASSIFIED//SYNTHETIC". The zero Marking is no marking at all: it is valid for nothing and releasable to nobody.
//
// This is the part of the register (CVEnumISMDissem, CVEnumISMNonIC) that airborne work with partners meets every day. What
// it does not know (SCI, SAR, AEA, FGI, DISPLAY ONLY) is an error, never quietly "U".
type Marking struct {
	class     Classification
	controls  control
	rel       []string // USA, then trigraphs, then tetragraphs, each in alphabetical order
	synthetic bool
}

// Label is the canonical text of a marking. The record interns it, so that two spellings of one marking are one label.
type Label string

// Classification is the level of a marking. Its zero value is "not marked".
type Classification uint8

// The classifications, lowest first.
const (
	Unmarked Classification = iota
	Unclassified
	Confidential
	Secret
	TopSecret
)

var classNames = [...]struct{ portion, banner string }{
	Unclassified: {"U", "UNCLASSIFIED"}, Confidential: {"C", "CONFIDENTIAL"}, Secret: {"S", "SECRET"}, TopSecret: {"TS", "TOP SECRET"},
}

// control is a set of dissemination and non-IC controls.
type control uint32

const (
	fouo control = 1 << iota
	oc
	ocUSGov
	imc
	nf
	pr
	rel // that there is a list; the list itself is Marking.rel
	relido
	dsen
	sbu
	sbuNF
	les
	lesNF
	ssi
)

// controls lists the controls in the order of the register, dissemination first, which is the order that a marking shows.
var controls = [...]struct {
	bit             control
	portion, banner string
	nonIC           bool
}{
	{fouo, "FOUO", "FOUO", false},
	{oc, "OC", "ORCON", false},
	{ocUSGov, "OC-USGOV", "ORCON-USGOV", false},
	{imc, "IMC", "IMCON", false},
	{nf, "NF", "NOFORN", false},
	{pr, "PR", "PROPIN", false},
	{rel, "REL TO", "REL TO", false},
	{relido, "RELIDO", "RELIDO", false},
	{dsen, "DSEN", "DSEN", false},
	{sbu, "SBU", "SBU", true},
	{sbuNF, "SBU-NF", "SBU NOFORN", true},
	{les, "LES", "LES", true},
	{lesNF, "LES-NF", "LES NOFORN", true},
	{ssi, "SSI", "SSI", true},
}

const maxMarking = 1024 // bytes; the longest REL list of every country of the register is below it

// ParseMarking reads a portion marking or a banner. Letters may be of either case; the parentheses of a portion are optional.
func ParseMarking(text string) (Marking, error) {
	s := strings.TrimSpace(text)
	if len(s) > maxMarking {
		return Marking{}, badMarking("", fmt.Sprintf("a marking of %d bytes is longer than any", len(s)))
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return Marking{}, badMarking(fmt.Sprintf("byte %d", i), "a marking holds plain letters only")
		}
	}
	if strings.HasPrefix(s, "(") != strings.HasSuffix(s, ")") {
		return Marking{}, badMarking(s, "one parenthesis of the portion is missing")
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "("), ")")
	blocks := strings.Split(strings.ToUpper(s), "//")
	var m Marking
	if m.class = classOf(strings.TrimSpace(blocks[0])); m.class == Unmarked {
		return Marking{}, badMarking(fmt.Sprintf("%.40q", text), "a marking begins with U, C, S or TS, or the word in full")
	}
	for _, block := range blocks[1:] {
		for item := range strings.SplitSeq(block, "/") {
			if err := m.add(strings.TrimSpace(item)); err != nil {
				return Marking{}, err
			}
		}
	}
	if m.controls&ocUSGov != 0 {
		m.controls |= oc
	}
	return m, nil
}

func classOf(s string) Classification {
	for c, n := range classNames {
		if s != "" && (s == n.portion || s == n.banner) {
			return Classification(c)
		}
	}
	return Unmarked
}

// add takes one item of a block.
func (m *Marking) add(item string) error {
	if item == "SYNTHETIC" {
		m.synthetic = true
		return nil
	}
	if item == "LAW ENFORCEMENT SENSITIVE" {
		item = "LES"
	}
	if list, ok := strings.CutPrefix(item, "REL TO "); ok {
		return m.addREL(list)
	}
	for _, c := range controls {
		if c.bit != rel && (item == c.portion || item == c.banner) {
			m.controls |= c.bit
			return nil
		}
	}
	return badMarking(fmt.Sprintf("%.40q", item), "this control is not known here")
}

func (m *Marking) addREL(list string) error {
	for code := range strings.SplitSeq(list, ",") {
		if code = strings.TrimSpace(code); !countryCode(code) {
			return badMarking(fmt.Sprintf("REL TO, %.20q", code), "a REL list holds three-letter countries and four-letter groups, with commas between")
		}
		m.rel = append(m.rel, code)
	}
	m.controls |= rel
	m.rel = orderREL(m.rel)
	return nil
}

// orderREL puts USA first, then trigraphs, then tetragraphs, each in alphabetical order and once.
func orderREL(codes []string) []string {
	rank := func(s string) string {
		if s == "USA" {
			return ""
		}
		return fmt.Sprintf("%d%s", len(s), s)
	}
	slices.SortFunc(codes, func(a, b string) int { return strings.Compare(rank(a), rank(b)) })
	return slices.Compact(codes)
}

func countryCode(s string) bool {
	if len(s) != 3 && len(s) != 4 {
		return false
	}
	for i := range len(s) {
		letter := s[i] >= 'A' && s[i] <= 'Z'
		if digit := s[i] >= '0' && s[i] <= '9'; !letter && !(len(s) == 4 && digit) {
			return false
		}
	}
	return true
}

func badMarking(place, what string) error {
	return &Error{Op: "marking", Place: place, Kind: BadInput, Err: fmt.Errorf("not a marking: %s", what),
		Hint: `Write it like U, U//SYNTHETIC, S//NF or S//REL TO USA, MEX`}
}

// Class is the classification.
func (m Marking) Class() Classification { return m.class }

// Synthetic reports whether any of it is invented: simulated data and exercises.
func (m Marking) Synthetic() bool { return m.synthetic }

// REL lists who the marking is releasable to: USA, then trigraphs, then tetragraphs; nil without a list.
func (m Marking) REL() []string { return slices.Clone(m.rel) }

// Label is the canonical text: the portion marking without its parentheses. It is "" for the zero Marking.
func (m Marking) Label() Label { return Label(m.text(false)) }

// Portion is the portion marking with its parentheses, "(S//NF)".
func (m Marking) Portion() string {
	if m.class == Unmarked {
		return ""
	}
	return "(" + m.text(false) + ")"
}

// Banner is the line for the top and the bottom of a page, "SECRET//NOFORN".
func (m Marking) Banner() string { return m.text(true) }

func (m Marking) text(banner bool) string {
	if m.class == Unmarked {
		return ""
	}
	pick := func(portion, long string) string {
		if banner {
			return long
		}
		return portion
	}
	var dissem, nonIC []string
	for _, c := range controls {
		switch {
		case m.controls&c.bit == 0:
		case c.nonIC:
			nonIC = append(nonIC, pick(c.portion, c.banner))
		case c.bit == rel:
			dissem = append(dissem, "REL TO "+strings.Join(m.rel, ", "))
		default:
			dissem = append(dissem, pick(c.portion, c.banner))
		}
	}
	blocks := []string{pick(classNames[m.class].portion, classNames[m.class].banner)}
	for _, b := range [][]string{dissem, nonIC} {
		if len(b) > 0 {
			blocks = append(blocks, strings.Join(b, "/"))
		}
	}
	if m.synthetic {
		blocks = append(blocks, "SYNTHETIC")
	}
	return strings.Join(blocks, "//")
}

// ReleasableTo reports whether the country with this trigraph may have it. An empty recipient is nobody. Bare U may go to any
// country; anything else needs a REL list that names USA and the country. What its originator controls (OC, PR) or a
// disclosure officer has still to decide (RELIDO alone) stays. Groups such as FVEY are not taken apart: only a named
// country counts.
func (m Marking) ReleasableTo(trigraph string) bool {
	if m.class == Unmarked || len(trigraph) != 3 || !countryCode(trigraph) {
		return false
	}
	if trigraph == "USA" {
		return true
	}
	if m.controls&(nf|sbuNF|lesNF|oc|pr) != 0 {
		return false
	}
	if m.controls&rel != 0 {
		return slices.Contains(m.rel, "USA") && slices.Contains(m.rel, trigraph)
	}
	return m.class == Unclassified && m.controls == 0
}

// takesPart reports whether a portion has a say on foreign release: a bare unclassified one has none.
func (m Marking) takesPart() bool { return m.class > Unclassified || m.controls != 0 }

// RollUp is the marking of a whole from those of its portions, as canonical text (see Label). It is computed, never a union:
// the class is the highest, REL lists intersect, and NF results from a list without USA, an empty intersection, or a REL
// beside a portion that takes part without one. FOUO gives way to a classification and to DSEN; LES and DSEN stay;
// SYNTHETIC stays if any portion has it. It never lowers the class nor widens the release.
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
	return string(rollUp(ms).Label()), nil
}

func rollUp(ms []Marking) Marking {
	var sum Marking
	for _, m := range ms {
		sum.class = max(sum.class, m.class)
		sum.controls |= m.controls
		sum.synthetic = sum.synthetic || m.synthetic
	}
	if sum.controls&ocUSGov != 0 && !every(ms, oc, func(m Marking) bool { return m.controls&ocUSGov != 0 }) {
		sum.controls &^= ocUSGov
	}
	sum.releaseOf(ms)
	sum.settleNonIC()
	if sum.class > Unclassified || sum.controls&dsen != 0 {
		sum.controls &^= fouo
	}
	return sum
}

// every reports whether ok holds for all portions that have any of the controls in mask.
func every(ms []Marking, mask control, ok func(Marking) bool) bool {
	return !slices.ContainsFunc(ms, func(m Marking) bool { return m.controls&mask != 0 && !ok(m) })
}

// releaseOf works out NF, REL and RELIDO.
func (m *Marking) releaseOf(ms []Marking) {
	anyREL, allREL, allRELIDO := m.controls&rel != 0, true, true
	first := true
	for _, p := range ms {
		if !p.takesPart() {
			continue
		}
		allRELIDO = allRELIDO && p.controls&relido != 0
		if p.controls&rel == 0 {
			allREL = false
			continue
		}
		if !slices.Contains(p.rel, "USA") {
			m.controls |= nf
		}
		if first {
			m.rel, first = slices.Clone(p.rel), false
			continue
		}
		m.rel = slices.DeleteFunc(m.rel, func(c string) bool { return !slices.Contains(p.rel, c) })
	}
	if anyREL && (!allREL || len(m.rel) < 2) { // a list of USA alone releases to nobody abroad
		m.controls |= nf
	}
	if m.controls&(sbuNF|lesNF) != 0 && (anyREL || m.class > Unclassified) {
		m.controls |= nf
	}
	if !allRELIDO {
		m.controls &^= relido
	}
	if m.controls&nf != 0 {
		m.controls &^= rel | relido
		m.rel = nil
	}
}

// settleNonIC moves the NF of SBU-NF and LES-NF to the dissemination block where there is one, and lets the stricter stand.
func (m *Marking) settleNonIC() {
	for _, pair := range [...]struct{ with, plain control }{{sbuNF, sbu}, {lesNF, les}} {
		switch {
		case m.controls&pair.with == 0:
		case m.controls&nf != 0:
			m.controls = m.controls&^pair.with | pair.plain
		default:
			m.controls &^= pair.plain
		}
	}
}
