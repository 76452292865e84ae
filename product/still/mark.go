package still

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/sense/klv"
)

// A Mark is what a picture bears at its top and bottom. Only Marks makes one that is not empty, and nothing is drawn under an empty
// one: there is no picture without its marking.
type Mark struct {
	marking atalaya.Marking
	// Words of the stream that the register here does not know (compartments, caveats, foreign governments): they are borne as they
	// are, after the rest.
	compartments, caveats []string
}

// Banner is the line for top and bottom, "UNCLASSIFIED//NOFORN"; "" for the empty Mark.
func (m Mark) Banner() string {
	text := m.marking.Banner()
	if text == "" {
		return ""
	}
	class, rest, more := strings.Cut(text, "//")
	for _, c := range m.compartments {
		class += "//" + c
	}
	if more {
		class += "//" + rest
	}
	for _, c := range m.caveats {
		class += "//" + c
	}
	return class
}

func (m Mark) colours() [2]string {
	if len(m.compartments) > 0 {
		return compartmented
	}
	return grounds[m.marking.Class()]
}

func (m Mark) check() error {
	if m.marking.Class() == atalaya.Unmarked {
		return &atalaya.Error{Op: "still.mark", Kind: atalaya.Refused, Err: errors.New("a picture without a marking is not written"), Hint: "Give the marking"}
	}
	return nil
}

// Marks gathers what the security sets of a stream say (ST 0102), of every packet of it, and rolls it up with the marking that the
// maker gives. The zero value has heard nothing.
type Marks struct {
	portions, compartments, caveats []string
	silent                          string // what the first set said whose classification could not be read
}

// See takes a metadata packet in, wherever its security set lies: in item 48 of ST 0601, within a universal set, or by itself.
func (m *Marks) See(s *klv.Set) {
	if s.Standard == klv.ST0102 || s.Standard == klv.ST0102Universal {
		m.take(s)
		return
	}
	for i := range s.Items {
		if row := s.Items[i].Row; row == nil || row.Set != klv.ST0102 && row.Set != klv.ST0102Universal {
			continue
		}
		if n, ok := s.Items[i].Nested(); ok {
			m.take(&n)
		}
	}
}

// said are the texts of a security set under a name, which local and universal sets share, clean of the slashes around them. An item
// that comes again counts too.
func said(s *klv.Set, name string) (out []string) {
	for i := range s.Items {
		if it := &s.Items[i]; it.Row != nil && it.Row.Name == name && it.State == klv.Given {
			if text := strings.ToUpper(strings.Trim(printable(it.Text()), "/ ")); text != "" {
				out = append(out, text)
			}
		}
	}
	return out
}

// printable leaves out what a marking cannot hold.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, s)
}

const codingMethod = "Classifying Country and Releasing Instructions Country Coding Method"

// take reads one security set (ST 0102.12, items 1 to 6).
func (m *Marks) take(s *klv.Set) {
	for i := range s.Items {
		if it := &s.Items[i]; it.Row != nil && it.Row.Name == "Security Classification" && it.Text() == "" && m.silent == "" && it.State != klv.Cleared {
			m.silent = fmt.Sprintf("% x", it.Value[:min(len(it.Value), 8)])
		} else if len(it.Value) > maxText && m.silent == "" {
			m.silent = fmt.Sprintf("%d bytes", len(it.Value))
		}
	}
	classes := said(s, "Security Classification")
	if len(classes) == 0 {
		return
	}
	method := strings.Join(said(s, codingMethod), " ")
	controls := m.controls(s, method)
	releases := []string{""}
	if given := said(s, "Releasing Instructions"); len(given) > 0 {
		releases = nil
		for _, codes := range given {
			releases = append(releases, releasing(codes, method))
		}
	}
	for _, class := range classes {
		if class == "RESTRICTED" { // of other governments; the register here has nothing below it but U
			class = "CONFIDENTIAL"
			m.beside(&m.caveats, "RESTRICTED")
		}
		if _, err := atalaya.ParseMarking(class); err != nil {
			if m.silent == "" {
				m.silent = class
			}
			continue
		}
		for _, release := range releases {
			m.beside(&m.portions, class+controls+release)
		}
	}
}

// controls are what a set says beside its classification and its releases, as the rest of a portion; what the register does not know is
// kept as it is.
func (m *Marks) controls(s *klv.Set, method string) (rest string) {
	for _, code := range said(s, "Classifying Country") {
		c, known := trigraph(code, method)
		if c == "USA" {
			continue
		}
		if known {
			c = "FGI " + c
		}
		m.beside(&m.caveats, c)
		rest += "//NF" // a foreign government's: who may have it is for that government to say
	}
	for _, c := range strings.Split(strings.Join(said(s, "Security-SCI/SHI Information"), "/"), "/") {
		m.beside(&m.compartments, strings.TrimSpace(c))
	}
	for _, c := range strings.Split(strings.Join(said(s, "Caveats"), "/"), "/") {
		if c = strings.TrimSpace(c); c == "" {
			continue
		}
		if _, err := atalaya.ParseMarking("U//" + c); err == nil {
			rest += "//" + c
		} else {
			m.beside(&m.caveats, c)
			rest += "//NF" // what it asks for is not known: it is not released on its strength
		}
	}
	return rest
}

// maxText bounds a text of a security set, bytes: no marking is longer, and none is cut off.
const maxText = 800

// mostWords bounds the different markings of a stream: more are no markings but noise, and none may be left out.
const mostWords = 32

// beside adds a word that is not there yet.
func (m *Marks) beside(list *[]string, word string) {
	switch {
	case word == "" || slices.Contains(*list, word):
	case len(*list) < mostWords:
		*list = append(*list, word)
	case m.silent == "":
		m.silent = fmt.Sprintf("more than %d different ones", mostWords)
	}
}

// releasing turns releasing instructions, country codes with blanks between, into a REL list, as the end of a portion; where a country
// is not known to be one, into NF.
func releasing(codes, method string) string {
	var list []string
	for _, c := range strings.FieldsFunc(codes, func(r rune) bool { return r == ' ' || r == ',' || r == ';' || r == '/' }) {
		t, known := trigraph(c, method)
		if !known {
			return "//NF"
		}
		list = append(list, t)
	}
	if len(list) == 0 {
		return ""
	}
	return "//REL TO " + strings.Join(list, ", ")
}

// trigraph is a country by three letters, as markings name it, from the code of a coding method (ST 0102.12, table 2, item 2). known
// is false, and the code as it was, where it is of two letters by another list than ISO 3166 or GENC, or no letters at all: GE is
// Georgia by one list and Germany by another.
func trigraph(code, method string) (country string, known bool) {
	switch {
	case code == "":
		return "", false
	case code == "US" || code == "USA": // in every method
		return "USA", true
	case len(code) == 2 && (strings.HasPrefix(method, "ISO") || strings.HasPrefix(method, "GENC")):
		r, err := language.ParseRegion(code)
		if err != nil || !r.IsCountry() {
			return code, false
		}
		return r.ISO3(), true
	case len(code) == 3 && strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "":
		return code, true
	}
	return code, false
}

// Mark is the marking of a picture of the stream: what its security sets say, of every packet, rolled up with the marking given; where
// the stream says nothing and none is given, the one that stands otherwise. It is never lower than what the stream says: where
// that cannot be read, there is no picture.
func (m *Marks) Mark(given, otherwise string) (Mark, error) {
	if m.silent != "" {
		return Mark{}, &atalaya.Error{Op: "still.mark", Kind: atalaya.Refused, Hint: "Have the recording marked anew; a picture of it cannot be marked",
			Err: fmt.Errorf("the security sets of the stream name a marking that cannot be read (%s)", m.silent)}
	}
	portions := slices.Clone(m.portions)
	if given != "" {
		portions = append(portions, given)
	}
	if len(portions) == 0 {
		portions = append(portions, otherwise)
	}
	label, err := atalaya.RollUp(portions...)
	if err != nil {
		return Mark{}, err
	}
	marking, err := atalaya.ParseMarking(label)
	if err != nil {
		return Mark{}, err
	}
	out := Mark{marking, slices.Clone(m.compartments), slices.Clone(m.caveats)}
	return out, out.check()
}
