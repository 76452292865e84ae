// Package cot reads and writes Cursor on Target events and loses nothing unsaid: as XML (MITRE's event schema 2.0, Event.xsd), as the protobuf messages
// of the TAK protocol version 1 in both of its framings, and as GeoJSON features in the shape that CloudTAK uses. It is a codec: a type is a text to
// it, kept and not judged. What each form keeps, and what it writes in another way, is on docs/reference/cot.md.
package cot

import (
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/atalaya-isr/atalaya"
)

// Bounds of one event, in any form. Beyond them it is refused, whatever follows, so that memory stays bounded.
const (
	MaxEvent = 8 << 20 // bytes of its XML or its protobuf message
	MaxDepth = 64      // of nested elements, event itself being the first
	MaxNodes = 100_000 // elements, attributes and pieces of text
)

// Unknown stands for a height or an error that the sender does not know, in metres. Senders also write 999999 and NaN: see Number.Known.
const Unknown = 9999999

// An Event is one Cursor on Target event. The zero value is not valid; Check tells what is missing.
type Event struct {
	Version                   string // of the schema, "2.0"
	UID, Type, How            string
	Time, Start, Stale        Stamp
	Point                     Point
	Access, QoS, Opex, Caveat string // "" is none
	ReleasableTo              string
	Detail                    *Element // nil when the event has none
	Other                     []Attr   // attributes of event that the schema does not know
	Rest                      []Node   // what stands in event beside point and detail
	Wire                      Wire
}

// A Point is where an event is: WGS 84 degrees; height above the ellipsoid, circular and linear error in metres.
type Point struct {
	Lat, Lon, HAE, CE, LE Number
	Other                 []Attr // attributes of point that the schema does not know
	Nodes                 []Node // what stands in point, where nothing should
}

// A Wire is what only the protobuf form has a place for; Proto writes it, and XML does not.
type Wire struct {
	Control            *Control
	Submitted, Created uint64 // milliseconds since 1970, set by servers; 0 is none
	// Unknown are fields without a meaning here, as they came: by "" for the message itself, "cotEvent", "detail", or the name of the element that a
	// sub-message stands for.
	Unknown map[string][]byte
}

// A Control says which versions of the TAK protocol a sender speaks.
type Control struct {
	Min, Max   uint32 // 0 stands for 1
	ContactUID string
}

// An Attr is an attribute with its name as written, prefix included.
type Attr struct{ Name, Value string }

// An Element is an XML element with everything in it, in its order.
type Element struct {
	Name  string // as written, prefix included
	Attrs []Attr
	Nodes []Node
}

// NodeKind says what a Node is.
type NodeKind uint8

// The kinds of node.
const (
	Text NodeKind = iota
	Child
	Comment
	Instruction // Text is the target, a blank and the rest
)

// A Node is one thing in an element.
type Node struct {
	Kind  NodeKind
	Text  string
	Child *Element // of a Child alone
}

// Attr is the value of an attribute.
func (el *Element) Attr(name string) (value string, ok bool) {
	i := slices.IndexFunc(el.Attrs, func(a Attr) bool { return a.Name == name })
	if i < 0 {
		return "", false
	}
	return el.Attrs[i].Value, true
}

// All are the elements of that name that stand directly in this one; none in nil.
func (el *Element) All(name string) []*Element {
	var out []*Element
	if el == nil {
		return nil
	}
	for _, n := range el.Nodes {
		if n.Kind == Child && n.Child.Name == name {
			out = append(out, n.Child)
		}
	}
	return out
}

// Add appends a child.
func (el *Element) Add(child *Element) { el.Nodes = append(el.Nodes, Node{Kind: Child, Child: child}) }

// A Number is a number with the letters in which it was read; they are written again as long as Value stays what they said.
type Number struct {
	Value float64
	as    string
	of    float64
}

// String is the number as it was written, else in the fewest digits that give it back, with a decimal point.
func (n Number) String() string {
	if n.as != "" && math.Float64bits(n.of) == math.Float64bits(n.Value) {
		return n.as
	}
	return shortest(n.Value)
}

// Known reports whether a height or an error says something: senders write 9999999, 999999 and NaN where they do not know.
func (n Number) Known() bool {
	return n.Value != Unknown && n.Value != 999999 && !math.IsNaN(n.Value) && !math.IsInf(n.Value, 0)
}

func shortest(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 1):
		return "INF"
	case math.IsInf(v, -1):
		return "-INF"
	case a != 0 && (a < 1e-7 || a >= 1e15):
		return strconv.FormatFloat(v, 'e', -1, 64)
	}
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// parseNumber reads a decimal number, or NaN and INF (XML Schema, double; Java's Infinity), with blanks around it.
func parseNumber(s string) (Number, bool) {
	bare := strings.Trim(s, " \t\r\n")
	switch bare {
	case "NaN":
		return Number{math.NaN(), s, math.NaN()}, true
	case "INF", "+INF", "Infinity":
		return Number{math.Inf(1), s, math.Inf(1)}, true
	case "-INF", "-Infinity":
		return Number{math.Inf(-1), s, math.Inf(-1)}, true
	}
	if _, _, _, ok := decimal(bare); !ok {
		return Number{}, false
	}
	v, err := strconv.ParseFloat(bare, 64)
	if err != nil {
		return Number{}, false
	}
	return Number{v, s, v}, true
}

// decimal takes a decimal number apart: its sign, its digits without zeros at the ends, and the power of ten of their first.
func decimal(s string) (negative bool, digits string, power int, ok bool) {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		negative, s = s[0] == '-', s[1:]
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		exponent := s[i+1:]
		n, err := strconv.Atoi(exponent)
		if err != nil || len(exponent) > 6 {
			return false, "", 0, false
		}
		power, s = n, s[:i]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	digits = s
	if fraction != "" || len(whole) < len(s) {
		digits = whole + fraction
	}
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return false, "", 0, false
	}
	power += len(whole) - 1
	bare := strings.TrimLeft(digits, "0")
	power -= len(digits) - len(bare)
	if digits = strings.TrimRight(bare, "0"); digits == "" {
		power = 0
	}
	return negative, digits, power, true
}

// exact reports whether a decimal text says no more than the float64 that it is read as: written in the fewest digits, it is the same number.
func exact(s string, v float64) bool {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return shortest(v) == s
	}
	n1, d1, p1, ok1 := decimal(s)
	if ok1 && len(d1) <= 15 && (d1 == "" || p1 > -300 && p1 < 300) {
		return true // a double tells all numbers of 15 digits apart (IEEE 754, DBL_DIG)
	}
	n2, d2, p2, ok2 := decimal(strconv.FormatFloat(v, 'e', -1, 64))
	return ok1 && ok2 && n1 == n2 && d1 == d2 && p1 == p2
}

// A Stamp is a time with the letters in which it was read; they are written again as long as Time stays what they said.
type Stamp struct {
	Time time.Time
	as   string
	of   time.Time
}

// String is the time as it was written, else UTC with milliseconds, and finer where it is.
func (s Stamp) String() string {
	if s.as != "" && s.of.Equal(s.Time) {
		return s.as
	}
	t := s.Time.UTC()
	if t.Nanosecond()%int(time.Millisecond) == 0 {
		return t.Format("2006-01-02T15:04:05.000Z")
	}
	return t.Format("2006-01-02T15:04:05.000000000Z")
}

// parseStamp reads a time of ISO 8601 with its zone. A fraction may have any length, of which nanoseconds are kept, and may stand behind a point,
// a comma or, as some senders write it, a colon.
func parseStamp(s string) (Stamp, bool) {
	bare := strings.Trim(s, " \t\r\n")
	const form = "2006-01-02T15:04:05"
	if len(bare) < len(form)+1 {
		return Stamp{}, false
	}
	head, tail := bare[:len(form)], bare[len(form):]
	leap := time.Duration(0)
	if head[17:] == "60" { // the last second of a day with a leap second
		head, leap = head[:17]+"59", time.Second
	}
	t, err := time.Parse(form, head)
	if err != nil {
		return Stamp{}, false
	}
	if strings.IndexByte(".,:", tail[0]) >= 0 {
		digits := tail[1:]
		n := len(digits) - len(strings.TrimLeft(digits, "0123456789"))
		if n == 0 {
			return Stamp{}, false
		}
		nanos, err := strconv.Atoi((digits[:n] + "000000000")[:9])
		if err != nil {
			return Stamp{}, false
		}
		t, tail = t.Add(time.Duration(nanos)), digits[n:]
	}
	if tail != "Z" {
		zone, err := time.Parse("-07:00", tail)
		if err != nil {
			return Stamp{}, false
		}
		_, seconds := zone.Zone()
		t = t.Add(-time.Duration(seconds) * time.Second)
	}
	t = t.Add(leap)
	return Stamp{t, s, t}, datable(t)
}

// Check says what is wrong with an event that was made by hand, by an *atalaya.Error; nil where XML and Proto write what can be read again. Events
// that were read pass.
func (e *Event) Check() error {
	wrong := func(place, hint, format string, args ...any) error {
		return &atalaya.Error{Op: "cot.check", Place: place, Kind: atalaya.BadInput, Hint: hint, Err: fmt.Errorf(format, args...)}
	}
	switch {
	case e.UID == "":
		return wrong("event", "Give the event a uid", "no uid")
	case e.Type == "":
		return wrong("event", "Give the event a type, as a-u-G", "no type")
	}
	if hint, what := e.Point.fault(); what != "" {
		return wrong("point", hint, "%s", what)
	}
	for _, s := range [...]Stamp{e.Time, e.Start, e.Stale} {
		if !datable(s.Time) {
			return wrong("event", "Give time, start and stale, of the years 1 to 9999", "%v is no time of an event", s.Time)
		}
	}
	for _, s := range [...]string{e.Version, e.UID, e.Type, e.How, e.Access, e.QoS, e.Opex, e.Caveat, e.ReleasableTo} {
		if !writable(s) {
			return wrong("event", "Take it out", "%q holds a character that XML cannot", short(s))
		}
	}
	budget := MaxNodes
	root := &Element{Name: "event", Attrs: append(slices.Clone(e.Other), e.Point.Other...), Nodes: append(slices.Clone(e.Rest), e.Point.Nodes...)}
	if e.Detail != nil {
		if e.Detail.Name != "detail" {
			return wrong("detail", "Call it detail", "%q is no detail", short(e.Detail.Name))
		}
		root.Add(e.Detail)
	}
	if what := root.fault(1, &budget); what != "" {
		return wrong("detail", "See docs/reference/cot.md", "%s", what)
	}
	return nil
}

func (p *Point) fault() (hint, what string) {
	switch {
	case !(math.Abs(p.Lat.Value) <= 90):
		return "Give degrees, -90 to 90", fmt.Sprintf("lat %v is no latitude", p.Lat.Value)
	case !(math.Abs(p.Lon.Value) <= 180):
		return "Give degrees, -180 to 180", fmt.Sprintf("lon %v is no longitude", p.Lon.Value)
	}
	return "", ""
}

// fault says what XML cannot hold of an element, "" where it can all of it.
func (el *Element) fault(depth int, budget *int) string {
	if *budget -= 1 + len(el.Attrs) + len(el.Nodes); *budget < 0 {
		return fmt.Sprintf("more than %d elements, attributes and texts", MaxNodes)
	}
	if depth > MaxDepth {
		return fmt.Sprintf("elements nested more than %d deep", MaxDepth)
	}
	if name, ok := twice(el.Attrs); ok {
		return fmt.Sprintf("attribute %s of %s stands twice", short(name), short(el.Name))
	}
	for _, a := range el.Attrs {
		if !isName(a.Name) || !writable(a.Value) {
			return fmt.Sprintf("attribute %q of %s cannot be written", short(a.Name), short(el.Name))
		}
	}
	if !isName(el.Name) {
		return fmt.Sprintf("%q is no name of an element", short(el.Name))
	}
	for _, n := range el.Nodes {
		switch {
		case n.Kind == Child && n.Child == nil, n.Kind > Instruction, !writable(n.Text),
			n.Kind == Comment && (strings.Contains(n.Text, "--") || strings.HasSuffix(n.Text, "-")),
			n.Kind == Instruction && (strings.Contains(n.Text, "?>") || !isName(target(n.Text)) || strings.EqualFold(target(n.Text), "xml")):
			return fmt.Sprintf("a text in %s cannot be written", short(el.Name))
		case n.Kind == Child:
			if what := n.Child.fault(depth+1, budget); what != "" {
				return what
			}
		}
	}
	return ""
}

// twice gives a name that two attributes have.
func twice(attrs []Attr) (string, bool) {
	if len(attrs) <= 16 {
		for i, a := range attrs {
			for _, b := range attrs[:i] {
				if a.Name == b.Name {
					return a.Name, true
				}
			}
		}
		return "", false
	}
	came := make(map[string]bool, len(attrs))
	for _, a := range attrs {
		if came[a.Name] {
			return a.Name, true
		}
		came[a.Name] = true
	}
	return "", false
}

func target(instruction string) string {
	t, _, _ := strings.Cut(instruction, " ")
	return t
}

// isName reports whether the XML decoder takes s as a name: of ASCII letters, digits, '.', '-', '_' and one colon; of other letters those that it
// knows.
func isName(s string) bool {
	ascii := true
	for i := range len(s) {
		switch c := s[i] | 0x20; {
		case c >= 'a' && c <= 'z', s[i] == '_', s[i] == ':':
		case s[i] >= utf8.RuneSelf:
			ascii = false
		case i == 0 || !(s[i] >= '0' && s[i] <= '9' || s[i] == '.' || s[i] == '-'):
			return false
		}
	}
	if s == "" || strings.Count(s, ":") > 1 {
		return false
	}
	if ascii {
		return true
	}
	t, err := xml.NewDecoder(strings.NewReader("<" + s + "/>")).RawToken()
	el, is := t.(xml.StartElement)
	return err == nil && is && name(el.Name) == s && len(el.Attr) == 0
}

// writable reports whether XML 1.0 can hold all characters of s (section 2.2, production 2).
func writable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return false
		}
	}
	return true
}

// datable holds for times that four digits of a year can write.
func datable(t time.Time) bool { return !t.IsZero() && t.UTC().Year() >= 1 && t.UTC().Year() <= 9999 }

// short is text from outside as a message can hold it.
func short(s string) string {
	if len(s) > 60 {
		s = s[:60] + "..."
	}
	return strings.ToValidUTF8(s, "")
}
