package cot

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/atalaya-isr/atalaya"
)

const (
	whole = "Send the whole event again"
	page  = "See docs/reference/cot.md"
)

// fail makes an error of something that was read; at is its offset in bytes.
func fail(at int64, hint, format string, args ...any) *atalaya.Error {
	return &atalaya.Error{Op: "cot.read", Place: fmt.Sprintf("byte 0x%x", at), Kind: atalaya.BadInput, Hint: hint, Err: flaw{fmt.Errorf(format, args...), at}}
}

// A flaw knows its place as a number, for the reader that goes on behind it.
type flaw struct {
	error
	at int64
}

func (f flaw) Unwrap() error { return f.error }

// ParseXML reads a document that holds one event. No entity but those of XML itself is expanded, and a document type is refused. The error is an
// *atalaya.Error with the offset in bytes.
func ParseXML(b []byte) (Event, error) {
	if len(b) > MaxEvent {
		return Event{}, fail(MaxEvent, "Split it", "an event of more than %d bytes", MaxEvent)
	}
	if at := invalid(b); at >= 0 {
		return Event{}, fail(int64(at), "Save it as UTF-8", "not UTF-8")
	}
	in := &piece{b: b}
	if strings.HasPrefix(string(b[:min(len(b), 3)]), "\ufeff") {
		in.at = 3
	}
	p := newParser(in, int64(in.at))
	e, fault := p.event()
	if fault == nil {
		fault = p.end()
	}
	if fault != nil {
		return Event{}, fault
	}
	return e, nil
}

// invalid is where b is no UTF-8, -1 where it is.
func invalid(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; ; {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n < 2 {
			return i
		}
		i += n
	}
}

// piece is a byte slice as the XML decoder reads it.
type piece struct {
	b  []byte
	at int
}

func (p *piece) ReadByte() (byte, error) {
	if p.at >= len(p.b) {
		return 0, io.EOF
	}
	p.at++
	return p.b[p.at-1], nil
}

func (p *piece) Read(b []byte) (int, error) {
	if p.at >= len(p.b) {
		return 0, io.EOF
	}
	n := copy(b, p.b[p.at:])
	p.at += n
	return n, nil
}

var (
	errLong    = errors.New("an event without end")
	errUTF8    = errors.New("not UTF-8")
	errCharset = errors.New("another encoding")
)

// A parser reads the tokens of one event. The decoder checks what a token may look like; the parser matches ends to beginnings and keeps the bounds.
type parser struct {
	d      *xml.Decoder
	base   int64 // offset of the decoder's first byte
	budget int   // of nodes
	// stream says that an event inside an event means that the outer one was cut off; next is then where it begins.
	stream bool
	next   int64
}

// newParser reads from in, whose first byte has the offset base. in must be an io.ByteReader, so that the decoder reads no further than it must.
func newParser(in io.Reader, base int64) *parser {
	p := &parser{d: xml.NewDecoder(in), base: base, budget: MaxNodes}
	p.d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		switch strings.ToLower(label) {
		case "utf8", "us-ascii", "ascii":
			return in, nil
		}
		return nil, errCharset
	}
	return p
}

// again makes a parser that read an event to its end ready for the next, at the offset at: a decoder costs more than a small event.
func (p *parser) again(at int64) {
	p.base, p.budget, p.next = at-p.d.InputOffset(), MaxNodes, 0
}

func (p *parser) offset() int64 { return p.base + p.d.InputOffset() }

// token is the next token of the document and where it begins.
func (p *parser) token() (xml.Token, int64, *atalaya.Error) {
	at := p.offset()
	t, err := p.d.RawToken()
	if err != nil {
		return nil, at, p.broken(err)
	}
	switch t := t.(type) {
	case xml.Directive:
		return nil, at, fail(at, "Send events without a document type", "a document type or entity declaration, which is not expanded")
	case xml.StartElement:
		p.budget -= len(t.Attr)
	}
	if p.budget--; p.budget < 0 {
		return nil, at, fail(at, "Split it", "more than %d elements, attributes and texts", MaxNodes)
	}
	return t, at, nil
}

// broken says why there is no further token.
func (p *parser) broken(err error) *atalaya.Error {
	at := p.offset()
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, errLong):
		return fail(at, "Split it", "an event of more than %d bytes", MaxEvent)
	case errors.Is(err, errUTF8):
		return fail(at, "Save it as UTF-8", "not UTF-8")
	case errors.Is(err, errCharset):
		return fail(at, "Save it as UTF-8", "another encoding than UTF-8 is declared")
	case err == io.EOF || errors.As(err, &syntax) && syntax.Msg == "unexpected EOF":
		return fail(at, whole, "it ends in the middle")
	case errors.As(err, &syntax):
		return fail(at, "Correct the XML there", "%s", short(syntax.Msg))
	case strings.HasPrefix(err.Error(), "xml: "):
		return fail(at, "Correct the XML there", "%s", short(strings.TrimPrefix(err.Error(), "xml: ")))
	}
	return &atalaya.Error{Op: "cot.read", Place: fmt.Sprintf("byte 0x%x", at), Kind: atalaya.Failed, Hint: "Check that the input can be read to its end", Err: err}
}

func name(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

const blanks = " \t\r\n"

// event reads up to the end of the root element.
func (p *parser) event() (Event, *atalaya.Error) {
	for first := true; ; first = false {
		t, at, fault := p.token()
		if fault != nil {
			return Event{}, fault
		}
		switch t := t.(type) {
		case xml.ProcInst:
			if t.Target == "xml" && !first {
				return Event{}, fail(at, "Begin the document there", "an XML declaration in the middle")
			}
		case xml.CharData:
			if strings.Trim(string(t), blanks) != "" {
				return Event{}, fail(at, "Take it out", "text before the event")
			}
		case xml.StartElement:
			if n := name(t.Name); n != "event" {
				return Event{}, fail(at, "Give a Cursor on Target event", "the root element is %q, not event", short(n))
			}
			return p.root(t, at)
		case xml.EndElement:
			return Event{}, fail(at, "Correct the XML there", "the end of %s stands before its beginning", short(name(t.Name)))
		}
	}
}

// end reads what follows the root element of a document.
func (p *parser) end() *atalaya.Error {
	for {
		at := p.offset()
		t, err := p.d.RawToken()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return p.broken(err)
		}
		switch t := t.(type) {
		case xml.CharData:
			if strings.Trim(string(t), blanks) != "" {
				return fail(at, "Take it out", "text behind the event")
			}
		case xml.StartElement, xml.EndElement, xml.Directive:
			return fail(at, "Read several events as a stream", "a second root element behind the event")
		case xml.ProcInst:
			if t.Target == "xml" {
				return fail(at, "Read several events as a stream", "a second document behind the event")
			}
		}
	}
}

func attrs(t xml.StartElement, at int64) ([]Attr, *atalaya.Error) {
	if len(t.Attr) == 0 {
		return nil, nil
	}
	out := make([]Attr, len(t.Attr))
	for i, a := range t.Attr {
		out[i] = Attr{name(a.Name), a.Value}
	}
	if n, ok := twice(out); ok {
		return nil, fail(at, "Keep one of the two", "attribute %s of %s stands twice", short(n), short(name(t.Name)))
	}
	return out, nil
}

// root reads the root element.
func (p *parser) root(t xml.StartElement, at int64) (Event, *atalaya.Error) {
	all, fault := attrs(t, at)
	if fault != nil {
		return Event{}, fault
	}
	root := Element{Name: "event"}
	if fault := p.inside(&root, 1); fault != nil {
		return Event{}, fault
	}
	var e Event
	if fault := e.attrs(all, at); fault != nil {
		return Event{}, fault
	}
	point := false
	for _, n := range root.Nodes {
		switch {
		case n.Kind == Child && n.Child.Name == "point":
			if point {
				return Event{}, fail(at, "Keep one of the two", "two points in one event")
			}
			point = true
			if fault := e.Point.read(n.Child, at); fault != nil {
				return Event{}, fault
			}
		case n.Kind == Child && n.Child.Name == "detail":
			if e.Detail != nil {
				return Event{}, fail(at, "Put both into one", "two details in one event")
			}
			e.Detail = n.Child
			e.Detail.Nodes = withoutLayout(e.Detail.Nodes)
		default:
			e.Rest = append(e.Rest, n)
		}
	}
	e.Rest = withoutLayout(e.Rest)
	if !point {
		return Event{}, fail(at, `Give <point lat="" lon="" hae="" ce="" le=""/>`, "the event has no point")
	}
	return e, nil
}

// withoutLayout leaves out the blanks that set elements on lines of their own. Blanks beside text are text.
func withoutLayout(nodes []Node) (kept []Node) {
	for i := 0; i < len(nodes); {
		end, blank := i, true // of a run of texts
		for ; end < len(nodes) && nodes[end].Kind == Text; end++ {
			blank = blank && strings.Trim(nodes[end].Text, blanks) == ""
		}
		if !blank {
			kept = append(kept, nodes[i:end]...)
		}
		if end < len(nodes) {
			kept = append(kept, nodes[end])
		}
		i = end + 1
	}
	return kept
}

// inside reads what stands in an element, up to and including its end.
func (p *parser) inside(el *Element, depth int) *atalaya.Error {
	for {
		t, at, fault := p.token()
		if fault != nil {
			return fault
		}
		if end, ok := t.(xml.EndElement); ok {
			if name(end.Name) != el.Name {
				return fail(at, whole, "%s is not closed: the end of %s follows", short(el.Name), short(name(end.Name)))
			}
			return nil
		}
		n, fault := p.node(t, at, depth+1)
		if fault != nil {
			return fault
		}
		el.Nodes = append(el.Nodes, n)
	}
}

// node makes a node of a token, with all that stands in it.
func (p *parser) node(t xml.Token, at int64, depth int) (Node, *atalaya.Error) {
	switch t := t.(type) {
	case xml.CharData:
		return Node{Kind: Text, Text: string(t)}, nil
	case xml.Comment:
		if !writable(string(t)) { // the decoder looks at texts alone
			return Node{}, fail(at, "Take it out", "a comment holds a character that XML cannot")
		}
		return Node{Kind: Comment, Text: string(t)}, nil
	case xml.ProcInst:
		if strings.EqualFold(t.Target, "xml") {
			p.next = at
			return Node{}, fail(at, whole, "an XML declaration inside an event, which was cut off")
		}
		if !isName(t.Target) || !writable(string(t.Inst)) {
			return Node{}, fail(at, "Take it out", "the instruction %q holds a character that XML cannot", short(t.Target))
		}
		if len(t.Inst) == 0 {
			return Node{Kind: Instruction, Text: t.Target}, nil
		}
		return Node{Kind: Instruction, Text: t.Target + " " + string(t.Inst)}, nil
	case xml.StartElement:
		if depth > MaxDepth {
			return Node{}, fail(at, "Flatten it", "elements nested more than %d deep", MaxDepth)
		}
		el := &Element{Name: name(t.Name)}
		if p.stream && el.Name == "event" {
			p.next = at
			return Node{}, fail(at, whole, "an event begins inside an event, which was cut off")
		}
		var fault *atalaya.Error
		if el.Attrs, fault = attrs(t, at); fault != nil {
			return Node{}, fault
		}
		if fault := p.inside(el, depth); fault != nil {
			return Node{}, fault
		}
		return Node{Kind: Child, Child: el}, nil
	}
	return Node{}, fail(at, "Correct the XML there", "%T has no place here", t)
}

// attrs takes the attributes of event.
func (e *Event) attrs(all []Attr, at int64) *atalaya.Error {
	var dated int
	for _, a := range all {
		if into := e.text(a.Name); into != nil {
			*into = a.Value
			continue
		}
		into, bit := e.stamp(a.Name)
		if into == nil {
			if a.Name != "releaseableTo" {
				e.Other = append(e.Other, a)
			}
			continue
		}
		var ok bool
		if *into, ok = parseStamp(a.Value); !ok {
			return fail(at, "Give UTC, as 2026-03-01T15:04:05.123Z", "attribute %s of event: %q is no time with a zone", a.Name, short(a.Value))
		}
		dated |= bit
	}
	for _, a := range all { // the spelling of the protobuf field
		if a.Name == "releaseableTo" {
			if e.ReleasableTo != "" && e.ReleasableTo != a.Value {
				return fail(at, "Keep one of the two", "releasableTo and releaseableTo of event differ")
			}
			e.ReleasableTo = a.Value
		}
	}
	for _, key := range [...]string{"uid", "type"} {
		if *e.text(key) == "" {
			return fail(at, "Give the event a "+key, "the event has no %s", key)
		}
	}
	for _, key := range [...]string{"time", "start", "stale"} {
		if _, bit := e.stamp(key); dated&bit == 0 {
			return fail(at, "Give UTC, as "+key+`="2026-03-01T15:04:05.123Z"`, "the event has no %s", key)
		}
	}
	return nil
}

// text is where the attribute of event of that name goes, nil for one that holds no text or is not known.
func (e *Event) text(name string) *string {
	switch name {
	case "version":
		return &e.Version
	case "uid":
		return &e.UID
	case "type":
		return &e.Type
	case "how":
		return &e.How
	case "access":
		return &e.Access
	case "qos":
		return &e.QoS
	case "opex":
		return &e.Opex
	case "caveat":
		return &e.Caveat
	case "releasableTo":
		return &e.ReleasableTo
	}
	return nil
}

// stamp is where the attribute of event of that name goes, with a bit of its own; nil for one that holds no time.
func (e *Event) stamp(name string) (*Stamp, int) {
	switch name {
	case "time":
		return &e.Time, 1
	case "start":
		return &e.Start, 2
	case "stale":
		return &e.Stale, 4
	}
	return nil, 0
}

// read takes the element point. A height or an error that is missing is unknown.
func (p *Point) read(el *Element, at int64) *atalaya.Error {
	unknown := Number{Value: Unknown}
	*p = Point{HAE: unknown, CE: unknown, LE: unknown, Nodes: withoutLayout(el.Nodes)}
	found := 0
	for _, a := range el.Attrs {
		into := p.number(a.Name)
		if into == nil {
			p.Other = append(p.Other, a)
			continue
		}
		var ok bool
		if *into, ok = parseNumber(a.Value); !ok {
			hint := "Give a number, as 12.5"
			if strings.Contains(a.Value, ",") {
				hint = "Write a decimal point"
			}
			return fail(at, hint, "attribute %s of point: %q is no number", a.Name, short(a.Value))
		}
		if a.Name == "lat" || a.Name == "lon" {
			found++
		}
	}
	if found < 2 {
		return fail(at, "Give both in degrees", "the point has no lat or no lon")
	}
	if hint, what := p.fault(); what != "" {
		return fail(at, hint, "%s", what)
	}
	return nil
}

// number is where the attribute of point of that name goes, nil where it is not known.
func (p *Point) number(name string) *Number {
	switch name {
	case "lat":
		return &p.Lat
	case "lon":
		return &p.Lon
	case "hae":
		return &p.HAE
	case "ce":
		return &p.CE
	case "le":
		return &p.LE
	}
	return nil
}

// fragment reads the text that stands inside an element, as xmlDetail of the protobuf form; at is its offset.
func fragment(text string, at int64, depth int, budget *int) ([]Node, *atalaya.Error) {
	p := newParser(strings.NewReader(text), at)
	p.budget = *budget
	var out []Node
	for {
		began := p.offset()
		t, err := p.d.RawToken()
		if err == io.EOF {
			*budget = p.budget
			return withoutLayout(out), nil
		}
		if err != nil {
			return nil, p.broken(err)
		}
		switch t := t.(type) {
		case xml.Directive:
			return nil, fail(began, "Send events without a document type", "a document type or entity declaration, which is not expanded")
		case xml.EndElement:
			return nil, fail(began, "Correct the XML there", "the end of %s stands before its beginning", short(name(t.Name)))
		case xml.StartElement:
			p.budget -= len(t.Attr)
		}
		if p.budget--; p.budget < 0 {
			return nil, fail(began, "Split it", "more than %d elements, attributes and texts", MaxNodes)
		}
		n, fault := p.node(t, began, depth)
		if fault != nil {
			return nil, fault
		}
		out = append(out, n)
	}
}
