package atalaya

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A MarkingProblem is one thing that is wrong with a marking or with how a text is marked, at a line and a column counted from 1.
type MarkingProblem struct {
	Line   int    `json:"line"`
	Column int    `json:"column"` // bytes
	Rule   string `json:"rule"`
	What   string `json:"what"`
	Remedy string `json:"remedy"`
}

// A MarkingCheck is what CheckMarking found.
type MarkingCheck struct {
	Portions []string         // as written, in their order
	Whole    Marking          // that the portions roll up to; that of the text itself where it is one marking
	Why      []Ruling         // why: of portions that are alike the first is named
	Stated   Marking          // of the first and last line; zero where neither is a banner
	Problems []MarkingProblem // by their places
}

// CheckMarking checks one marking, or a text of marked paragraphs. A text is held to this: its first and its last line are its banner, every paragraph
// between begins with a portion marking, each marking is written as the register has it and says nothing that contradicts itself, and the banner is what the
// portions roll up to. Bullets and numbers may stand before a portion.
func CheckMarking(text string) (MarkingCheck, error) {
	one := strings.TrimSpace(text)
	if !strings.ContainsAny(one, "\n\r") && (!beginsPortion(one) || strings.IndexByte(one, ')') == len(one)-1) { // no words behind a portion
		return checkOne(one)
	}
	c := checker{seen: map[string]bool{}}
	c.paragraphs(text)
	if len(c.out.Portions) == 0 && len(c.banners) == 0 {
		return c.out, badMarking("", "there is no marking in the text")
	}
	c.whole()
	slices.SortStableFunc(c.out.Problems, func(a, b MarkingProblem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return c.out, nil
}

// checkOne checks a text that is one marking.
func checkOne(text string) (MarkingCheck, error) {
	m, err := ParseMarking(text)
	if err != nil {
		return MarkingCheck{}, err
	}
	c := checker{out: MarkingCheck{Whole: m}}
	if strings.HasPrefix(text, "(") || !isBanner(text, m) {
		c.out.Portions = []string{text}
	} else {
		c.out.Stated = m
	}
	c.check(m, text, 1, 1)
	return c.out, nil
}

// isBanner reports whether a marking is written in words, as a banner is.
func isBanner(text string, m Marking) bool {
	return strings.HasPrefix(strings.ToUpper(text), classNames[m.class].banner)
}

type checker struct {
	out     MarkingCheck
	seen    map[string]bool // portions that were read before, and nothing was wrong with
	ms      []Marking       // each once
	at      []int           // its number among the portions
	banners []banner
}

// banner is a line that is a marking in words.
type banner struct {
	m    Marking
	line int
	text string
}

func (c *checker) problem(line, column int, rule, what, remedy string) {
	c.out.Problems = append(c.out.Problems, MarkingProblem{line, column, rule, what, remedy})
}

// paragraphs goes over a text.
func (c *checker) paragraphs(text string) {
	within := false // a paragraph that has its portion
	n, last := 0, 0
	for more := true; more; {
		var line string
		line, text, more = strings.Cut(text, "\n")
		n++
		body := strings.TrimRight(line, " \t\r")
		start := len(body) - len(strings.TrimLeft(body, " \t"))
		start += bullet(body[start:])
		switch body = body[start:]; {
		case body == "":
			within = false
		case beginsPortion(body):
			within = true
			c.portion(body, n, start+1)
		case !within && c.banner(body, n, start+1):
		case !within:
			within = true
			c.problem(n, start+1, "unmarked", "a paragraph without a portion marking", "Begin it with one, such as (U)")
		}
		if body != "" {
			last = n
		}
	}
	for _, b := range c.banners {
		if b.line != c.banners[0].line && b.line != last {
			c.problem(b.line, 1, "banner-within", "a banner within the text", "Banners are its first and its last line")
		}
	}
	switch {
	case len(c.banners) == 0:
		c.problem(1, 1, "no-banner", "no line is a banner", "Write the marking of the whole, in words, as the first and the last line")
	case len(c.banners) == 1:
		c.problem(last, 1, "one-banner", "only one line is a banner", "Write the same as the first and as the last line")
	}
}

// bullet is how many bytes of a line are a bullet or a number before its paragraph.
func bullet(s string) int {
	n := 0
	switch {
	case strings.HasPrefix(s, "- "), strings.HasPrefix(s, "* "):
		n = 2
	case strings.HasPrefix(s, "• "):
		n = len("• ")
	default:
		for n < len(s) && n < 4 && (s[n] >= '0' && s[n] <= '9' || n == 0 && (s[n] >= 'a' && s[n] <= 'z')) {
			n++
		}
		if n == 0 || n+1 >= len(s) || s[n] != '.' && s[n] != ')' || s[n+1] != ' ' {
			return 0
		}
		n += 2
	}
	for n < len(s) && s[n] == ' ' {
		n++
	}
	return n
}

// beginsPortion reports whether a line begins with what is meant as a portion marking: a parenthesis with a class in it, and no other words.
func beginsPortion(s string) bool {
	if !strings.HasPrefix(s, "(") {
		return false
	}
	end := strings.IndexAny(s[1:], "/) ") + 1
	if end <= 0 {
		return false
	}
	head := s[1:end]
	if strings.HasPrefix(head, "TLP:") || head == "" && strings.HasPrefix(s, "(//") {
		return true
	}
	switch head {
	case "U", "C", "S", "TS", "R", "u", "c", "s", "ts":
		return s[end] != ' '
	}
	return classOf(head) != Unmarked
}

// portion takes the marking at the beginning of a line.
func (c *checker) portion(s string, line, column int) {
	end := strings.IndexByte(s, ')')
	if end < 0 {
		c.problem(line, column, "not-a-marking", "the parenthesis of the portion is missing", "Close it")
		return
	}
	text := s[:end+1]
	c.out.Portions = append(c.out.Portions, text)
	if _, known := c.seen[text]; !known {
		m, err := ParseMarking(text)
		if err != nil {
			c.unread(err, line, column)
			return
		}
		if c.check(m, text, line, column) {
			c.seen[text] = true
		}
		c.ms, c.at = append(c.ms, m), append(c.at, len(c.out.Portions)) // one that was there before changes no roll-up
	}
}

func (c *checker) unread(err error, line, column int) {
	e := err.(*Error)
	c.problem(line, column, "not-a-marking", strings.TrimPrefix(fmt.Sprintf("%s: %v", e.Place, e.Err), ": "), e.Hint)
}

// banner takes a line that is a marking in words; false where it is none.
func (c *checker) banner(s string, line, column int) bool {
	head, _, more := strings.Cut(s, "//")
	if head = strings.ToUpper(strings.TrimSpace(head)); classOf(head) == Unmarked || len(head) < len("SECRET") || !more && len(head) != len(s) {
		return false
	}
	m, err := ParseMarking(s)
	if err != nil {
		c.unread(err, line, column)
		return true
	}
	c.check(m, s, line, column)
	c.banners = append(c.banners, banner{m, line, s})
	return true
}

// whole holds the banners to the portions.
func (c *checker) whole() {
	c.out.Whole, c.out.Why = RollUpOf(c.ms)
	for _, r := range c.out.Why {
		for k, n := range r.Portions {
			r.Portions[k] = c.at[n-1]
		}
	}
	if len(c.banners) > 0 {
		c.out.Stated = c.banners[0].m
	}
	want := c.out.Whole.Banner()
	for _, b := range c.banners {
		if len(c.ms) > 0 && b.m.Banner() != want {
			c.problem(b.line, 1, "banner-differs", fmt.Sprintf("the banner is %s, and the portions roll up to %s", b.m.Banner(), want), "Write "+want)
		}
	}
}

// check says what contradicts the register in one marking; true where nothing does.
func (c *checker) check(m Marking, text string, line, column int) bool {
	before := len(c.out.Problems)
	bad := func(when bool, rule, what, remedy string) {
		if when {
			c.problem(line, column, rule, what, remedy)
		}
	}
	want := m.Banner()
	if strings.HasPrefix(text, "(") {
		want = m.Portion()
	} else if !isBanner(text, m) {
		want = string(m.Label())
	}
	foreign := strings.HasPrefix(strings.TrimPrefix(text, "("), "//")
	bad(text != want && !foreign, "not-as-written", fmt.Sprintf("%s is not how the register writes it", text), "Write "+want)
	has := func(bits control) bool { return m.controls&bits == bits }
	any := func(bits control) bool { return m.controls&bits != 0 }
	bad(has(nf) && any(listed|relido), "nf-beside-list", "NOFORN beside a list or RELIDO", "Leave one of them out")
	bad(any(rel|eyes) && !slices.Contains(m.rel, "USA"), "list-without-usa", "a list without USA releases to nobody", "Begin the list with USA")
	bad(any(rel|eyes) && len(m.rel) == 1 && m.rel[0] == "USA", "usa-alone", "a list of USA alone", "Name a partner, or write NF")
	bad(m.class > Unclassified && any(fouo|sbu|sbuNF|lesNF), "only-unclassified", "FOUO, SBU, SBU NOFORN and LES NOFORN are of unclassified portions", "Leave it out, and write NF where nobody abroad may have it")
	bad(has(fouo|dsen), "fouo-beside-dsen", "FOUO beside DSEN", "Leave FOUO out")
	bad(has(xd|nd), "exdis-beside-nodis", "EXDIS beside NODIS", "Leave EXDIS out")
	bad(any(eyes), "deprecated", "EYES ONLY is an older form", "Write REL TO")
	bad(m.class == Unclassified && len(m.sci)+len(m.sar) > 0, "class-too-low", "compartments and special access are of classified information", "Raise the class, or leave them out")
	for _, code := range slices.Concat(m.rel, m.display, m.fgi) {
		members, group := groups[code]
		bad(!group && !isCountry(code), "unknown-code", code+" is not in the register of countries and groups of 2022: it counts as a country of its own", "Check the code")
		bad(group && members == "", "group-not-taken-apart", code+" is a group that the register does not take apart: nobody is known to be in it", "Name the countries")
	}
	return len(c.out.Problems) == before
}

// isCountry reports whether the register has a country of this code.
func isCountry(code string) bool {
	return len(code) == 3 && strings.Contains(countries, code+" ")
}
