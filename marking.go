package atalaya

import (
	"fmt"
	"slices"
	"strings"
)

// A Marking says how a piece of information may be handled: its classification, who it may be released to, and the controls
// on its spread. It is read from a portion marking such as "(S//REL TO USA, MEX)" or a banner such as
// "UNCLASSIFIED//SYNTHETIC", or from the attributes of the Information Security Marking metadata (ISM). The zero Marking is no
// marking at all: it is valid for nothing and releasable to nobody.
//
// The register is that of CVEnumISM: classification // SCI // SAR // atomic energy // foreign government // dissemination // non-IC, and after
// them TLP (FIRST, version 2.0) and SYNTHETIC, which are this project's. What it does not know is an error, never quietly "U".
type Marking struct {
	class    Classification
	controls control
	rel      []string // who it is released to, as written: USA, then countries, then groups, each in alphabetical order; that of EYES too
	display  []string // who it may be displayed to beside, in the same order
	sci      []string // compartments, in alphabetical order
	sar      []string // special access programmes
	aea      []string // atomic energy
	fgi      []string // foreign governments whose information it is; none beside fgiHidden
	tlp      tlp
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

// control is a set of dissemination and non-IC controls, and of what else is there or not.
type control uint32

const (
	rs control = 1 << iota
	fouo
	oc
	ocUSGov
	imc
	nf
	pr
	rel // that there is a list; the list itself is Marking.rel
	relido
	eyes // the older form of rel, with the same list
	dsen
	rawFISA
	fisa
	displayOnly // that there is a list; the list itself is Marking.display
	ds
	xd
	nd
	sbu
	sbuNF
	les
	lesNF
	ssi
	nnpi
	fgiHidden // information of a foreign government that is not named
	synthetic
)

// listed are the controls that say to whom.
const listed = rel | eyes | displayOnly

// controls lists the controls in the order of the register, dissemination first, which is the order that a marking shows.
var controls = [...]struct {
	bit                    control
	token, portion, banner string // token is that of the attributes
	nonIC                  bool
}{
	{rs, "RS", "RS", "RSEN", false},
	{fouo, "FOUO", "FOUO", "FOUO", false},
	{oc, "OC", "OC", "ORCON", false},
	{ocUSGov, "OC-USGOV", "OC-USGOV", "ORCON-USGOV", false},
	{imc, "IMC", "IMC", "IMCON", false},
	{nf, "NF", "NF", "NOFORN", false},
	{pr, "PR", "PR", "PROPIN", false},
	{rel, "REL", "REL TO", "REL TO", false},
	{relido, "RELIDO", "RELIDO", "RELIDO", false},
	{eyes, "EYES", "EYES", "EYES", false},
	{dsen, "DSEN", "DSEN", "DSEN", false},
	{rawFISA, "RAWFISA", "RAWFISA", "RAWFISA", false},
	{fisa, "FISA", "FISA", "FISA", false},
	{displayOnly, "DISPLAYONLY", "DISPLAY ONLY", "DISPLAY ONLY", false},
	{ds, "DS", "DS", "LIMDIS", true},
	{xd, "XD", "XD", "EXDIS", true},
	{nd, "ND", "ND", "NODIS", true},
	{sbu, "SBU", "SBU", "SBU", true},
	{sbuNF, "SBU-NF", "SBU-NF", "SBU NOFORN", true},
	{les, "LES", "LES", "LES", true},
	{lesNF, "LES-NF", "LES-NF", "LES NOFORN", true},
	{ssi, "SSI", "SSI", "SSI", true},
	{nnpi, "NNPI", "NNPI", "NNPI", true},
}

// byName finds a control by any of its spellings.
var byName = func() map[string]control {
	out := map[string]control{
		"SYNTHETIC": synthetic, "FGI": fgiHidden,
		"FOR OFFICIAL USE ONLY": fouo, "DEA SENSITIVE": dsen, "LIMITED DISTRIBUTION": ds, "EXCLUSIVE DISTRIBUTION": xd, "NO DISTRIBUTION": nd,
		"SENSITIVE BUT UNCLASSIFIED": sbu, "SENSITIVE BUT UNCLASSIFIED NOFORN": sbuNF, "LAW ENFORCEMENT SENSITIVE": les,
		"LAW ENFORCEMENT SENSITIVE NOFORN": lesNF, "SENSITIVE SECURITY INFORMATION": ssi,
	}
	for _, c := range controls {
		if c.bit&(rel|displayOnly) == 0 { // these have a list behind them
			out[c.portion], out[c.banner] = c.bit, c.bit
		}
	}
	return out
}()

// tlp is a colour of the Traffic Light Protocol, the strictest last; its zero value is none.
type tlp uint8

var tlpNames = [...]string{"", "TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"}

const (
	tlpClear tlp = 1 + iota
	tlpGreen
)

// What stands before the hyphen of compartments, and of atomic energy.
var (
	compartments = []string{"BUR", "HCS", "KLM", "MVL", "RSV", "SI", "TK"}
	atomic       = []string{"DCNI", "FRD", "RD", "TFNI", "UCNI"}
)

const maxMarking = 1024 // bytes; the longest REL list of every country of the register is below it

// ParseMarking reads a portion marking or a banner. Letters may be of either case; the parentheses of a portion are optional. A marking of another
// government's own, "(//GBR S)", is read as its information at that class; TLP alone as unclassified.
func ParseMarking(text string) (Marking, error) {
	s := strings.TrimSpace(text)
	if len(s) > maxMarking {
		return Marking{}, badMarking("", fmt.Sprintf("a marking of %d bytes is longer than any", len(s)))
	}
	small := false
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return Marking{}, badMarking(fmt.Sprintf("byte %d", i), "a marking holds plain letters only")
		}
		small = small || 'a' <= s[i] && s[i] <= 'z'
	}
	if strings.HasPrefix(s, "(") != strings.HasSuffix(s, ")") {
		return Marking{}, badMarking(s, "one parenthesis of the portion is missing")
	}
	if s = strings.TrimSuffix(strings.TrimPrefix(s, "("), ")"); small {
		s = strings.ToUpper(s)
	}
	var m Marking
	first, rest, more := strings.Cut(s, "//")
	switch first = strings.TrimSpace(first); {
	case first == "" && more: // another government's
		var own string
		own, rest, more = strings.Cut(rest, "//")
		if err := m.addForeign(strings.TrimSpace(own)); err != nil {
			return Marking{}, err
		}
	case strings.HasPrefix(first, "TLP:") && !more:
		m.class, rest, more = Unclassified, first, true
	default:
		if m.class = classOf(first); m.class == Unmarked {
			return Marking{}, badMarking(fmt.Sprintf("%.40q", text), "a marking begins with U, C, S or TS, or the word in full")
		}
	}
	for more {
		var block string
		block, rest, more = strings.Cut(rest, "//")
		if err := m.addBlock(block); err != nil {
			return Marking{}, err
		}
	}
	m.settle()
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

// addForeign takes the first block of another government's marking: its code, then the class.
func (m *Marking) addForeign(s string) error {
	i := strings.LastIndexByte(s, ' ')
	if strings.HasSuffix(s, " TOP SECRET") {
		i = len(s) - len(" TOP SECRET")
	}
	if i < 0 || classOf(s[i+1:]) == Unmarked {
		return badMarking(fmt.Sprintf("%.40q", s), "another government's marking has its code and then its class, like //GBR S")
	}
	m.class = classOf(s[i+1:])
	return m.addFGI(s[:i])
}

func (m *Marking) addFGI(list string) error {
	for _, code := range strings.Fields(list) {
		if !countryCode(code) {
			return badMarking(fmt.Sprintf("%.40q", list), "information of foreign governments names them by their codes, like FGI GBR DEU")
		}
		m.fgi = append(m.fgi, code)
	}
	return nil
}

// addBlock takes what stands between two double strokes.
func (m *Marking) addBlock(block string) error {
	from, more := len(m.rel), true
	var pending []string // countries of an older list, which strokes part as they do controls
	for more {
		var item string
		item, block, more = strings.Cut(block, "/")
		item = strings.TrimSpace(item)
		if code, ok := strings.CutSuffix(item, " EYES ONLY"); ok {
			if !countryCode(code) {
				return badMarking(fmt.Sprintf("%.40q", item), "EYES ONLY stands after countries with strokes between, like USA/GBR EYES ONLY")
			}
			m.rel, m.controls, pending = append(append(m.rel, pending...), code), m.controls|eyes, nil
			continue
		}
		if err := m.add(item); err != nil {
			if !countryCode(item) {
				return err
			}
			pending = append(pending, item)
		}
	}
	if len(pending) > 0 {
		m.rel = m.rel[:from]
		return badMarking(fmt.Sprintf("%.40q", pending[0]), "this control is not known here")
	}
	return nil
}

// add takes one item of a block.
func (m *Marking) add(item string) error {
	if bit, ok := byName[item]; ok {
		m.controls |= bit
		return nil
	}
	if list, ok := strings.CutPrefix(item, "REL TO "); ok {
		m.controls |= rel
		return addCodes(&m.rel, "REL TO", list)
	}
	if list, ok := strings.CutPrefix(item, "DISPLAY ONLY "); ok {
		m.controls |= displayOnly
		return addCodes(&m.display, "DISPLAY ONLY", list)
	}
	if list, ok := strings.CutPrefix(item, "FGI "); ok {
		return m.addFGI(list)
	}
	for c, name := range tlpNames {
		if item != "" && item == name {
			m.tlp = max(m.tlp, tlp(c))
			return nil
		}
	}
	head, tail, _ := strings.Cut(item, "-")
	switch {
	case head == "SAR" && plainName(tail):
		m.sar = append(m.sar, item)
	case slices.Contains(compartments, head) && (tail == "" || plainName(tail)) && !strings.HasSuffix(item, "-"):
		m.sci = append(m.sci, item)
	case slices.Contains(atomic, head) && (tail == "" || plainName(tail)) && !strings.HasSuffix(item, "-"):
		m.aea = append(m.aea, item)
	default:
		return badMarking(fmt.Sprintf("%.40q", item), "this control is not known here")
	}
	return nil
}

// plainName reports whether a name within a compartment or programme is letters and digits, with single hyphens between, as in the tokens of the register.
func plainName(s string) bool {
	after := byte('-')
	for i := range len(s) {
		letter := s[i] >= 'A' && s[i] <= 'Z' || s[i] >= '0' && s[i] <= '9'
		if !letter && (s[i] != '-' || after == '-') {
			return false
		}
		after = s[i]
	}
	return after != '-'
}

func addCodes(into *[]string, what, list string) error {
	for more := true; more; {
		var code string
		code, list, more = strings.Cut(list, ",")
		if code = strings.TrimSpace(code); !countryCode(code) {
			return badMarking(fmt.Sprintf("%s, %.20q", what, code), "a list holds three-letter countries and groups by their codes, with commas between")
		}
		*into = append(*into, code)
	}
	return nil
}

// settle brings what was read into its order, each thing once.
func (m *Marking) settle() {
	if m.controls&ocUSGov != 0 {
		m.controls |= oc
	}
	if m.controls&rel != 0 {
		m.controls &^= eyes
	}
	m.rel, m.display, m.fgi = ordered(m.rel), ordered(m.display), ordered(m.fgi)
	for _, l := range []*[]string{&m.sci, &m.sar, &m.aea} {
		slices.Sort(*l)
		*l = slices.Compact(*l)
	}
	if m.controls&fgiHidden != 0 { // who it is of is not said
		m.fgi = nil
	}
}

// ordered puts USA first, then countries, then groups, each in alphabetical order and once.
func ordered(codes []string) []string {
	rank := func(s string) int {
		switch {
		case s == "USA":
			return 0
		case isGroup(s):
			return 2
		}
		return 1
	}
	slices.SortFunc(codes, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(codes)
}

// isGroup reports whether a code is that of a group: one that the register has, or any of four letters.
func isGroup(code string) bool {
	if len(code) == 3 && code != "NSG" { // the only group of three letters
		return false
	}
	_, known := groups[code]
	return known || len(code) == 4
}

// countryCode reports whether it can be the code of a country or of a group: three or four letters and digits, or a longer or shorter one of the register.
func countryCode(s string) bool {
	if len(s) != 3 && len(s) != 4 {
		_, known := groups[s]
		return known
	}
	letters := 0
	for i := range len(s) {
		switch {
		case s[i] >= 'A' && s[i] <= 'Z':
			letters++
		case s[i] < '0' || s[i] > '9':
			return false
		}
	}
	return letters > 0
}

func badMarking(place, what string) error {
	return &Error{Op: "marking", Place: place, Kind: BadInput, Err: fmt.Errorf("not a marking: %s", what),
		Hint: `Write it like U, U//SYNTHETIC, S//NF or S//REL TO USA, MEX`}
}

// Class is the classification.
func (m Marking) Class() Classification { return m.class }

// Synthetic reports whether any of it is invented: simulated data and exercises.
func (m Marking) Synthetic() bool { return m.controls&synthetic != 0 }

// REL lists who the marking is releasable to, as written: USA, then countries, then groups; nil without a list.
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
	var b strings.Builder
	b.Grow(64)
	name := func(portion, long string) string {
		if banner {
			return long
		}
		return portion
	}
	b.WriteString(name(classNames[m.class].portion, classNames[m.class].banner))
	for _, block := range [][]string{m.sci, m.sar, m.aea} {
		for i, item := range block {
			b.WriteString(parted(i))
			b.WriteString(item)
		}
	}
	switch {
	case m.controls&fgiHidden != 0:
		b.WriteString("//FGI")
	case len(m.fgi) > 0:
		b.WriteString("//FGI ")
		b.WriteString(strings.Join(m.fgi, " "))
	}
	dissem, nonIC := 0, 0
	for _, c := range controls {
		if m.controls&c.bit == 0 {
			continue
		}
		n := &dissem
		if c.nonIC {
			n = &nonIC
		}
		b.WriteString(parted(*n))
		*n++
		switch {
		case c.bit == rel:
			b.WriteString("REL TO ")
			b.WriteString(strings.Join(m.rel, ", "))
		case c.bit == displayOnly:
			b.WriteString("DISPLAY ONLY ")
			b.WriteString(strings.Join(m.display, ", "))
		case c.bit == eyes && len(m.rel) > 0:
			b.WriteString(strings.Join(m.rel, "/"))
			b.WriteString(" EYES ONLY")
		default:
			b.WriteString(name(c.portion, c.banner))
		}
	}
	if m.tlp > 0 {
		b.WriteString("//")
		b.WriteString(tlpNames[m.tlp])
	}
	if m.Synthetic() {
		b.WriteString("//SYNTHETIC")
	}
	return b.String()
}

// parted is what stands before the n-th item of a block.
func parted(n int) string {
	if n == 0 {
		return "//"
	}
	return "/"
}

// private are the controls with which nobody but their owner says who may have it.
const private = nf | sbuNF | lesNF | oc | pr | xd | nd | rawFISA | fisa

// ReleasableTo reports whether the country with this trigraph may have it. An empty recipient is nobody. Bare U may go to any
// country, TLP:CLEAR too; anything else needs a list (REL TO, EYES ONLY) that names USA and the country, or a group of which the register says that it is in it.
// What its originator controls (OC, PR, NODIS, TLP:AMBER and the like), what is compartmented, and what a disclosure officer has still to decide (RELIDO alone) stays.
func (m Marking) ReleasableTo(trigraph string) bool {
	if m.class == Unmarked || len(trigraph) != 3 || !countryCode(trigraph) || isGroup(trigraph) {
		return false
	}
	if trigraph == "USA" {
		return true
	}
	if m.controls&private != 0 || m.tlp > tlpGreen || len(m.sci)+len(m.sar)+len(m.aea) > 0 {
		return false
	}
	if m.controls&(rel|eyes) != 0 {
		return slices.Contains(m.rel, "USA") && expanded(m.rel)[trigraph]
	}
	return m.class == Unclassified && m.controls&^synthetic == 0 && len(m.fgi) == 0 && m.tlp <= tlpClear
}
