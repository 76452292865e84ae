package cot

// Header begins the document that XML writes.
const Header = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"

// XML is the event as a document of its own in UTF-8, without a line end behind it. Attributes of event that are "" are left out, save version, which
// is then 2.0. It can be read again where Check has nothing to say.
func (e Event) XML() []byte {
	b := append(make([]byte, 0, 1024), Header...)
	b = append(b, "<event"...)
	version := e.Version
	if version == "" {
		version = "2.0"
	}
	for _, a := range [...]Attr{{"version", version}, {"uid", e.UID}, {"type", e.Type}, {"how", e.How}, {"time", e.Time.String()}, {"start", e.Start.String()},
		{"stale", e.Stale.String()}, {"access", e.Access}, {"qos", e.QoS}, {"opex", e.Opex}, {"caveat", e.Caveat}, {"releasableTo", e.ReleasableTo}} {
		if a.Value != "" {
			b = appendAttr(b, a)
		}
	}
	for _, a := range e.Other {
		b = appendAttr(b, a)
	}
	b = append(b, '>')
	point := Element{Name: "point", Nodes: e.Point.Nodes, Attrs: append([]Attr{{"lat", e.Point.Lat.String()}, {"lon", e.Point.Lon.String()},
		{"hae", e.Point.HAE.String()}, {"ce", e.Point.CE.String()}, {"le", e.Point.LE.String()}}, e.Point.Other...)}
	b = point.append(b)
	if e.Detail != nil {
		b = e.Detail.append(b)
	}
	return append(appendNodes(b, e.Rest), "</event>"...)
}

func appendAttr(b []byte, a Attr) []byte {
	b = append(b, ' ')
	b = append(b, a.Name...)
	b = append(b, '=', '"')
	b = escape(b, a.Value, true)
	return append(b, '"')
}

// append writes an element. One without content ends with a blank before the slash, as the vectors of takproto have it.
func (el *Element) append(b []byte) []byte {
	b = append(b, '<')
	b = append(b, el.Name...)
	for _, a := range el.Attrs {
		b = appendAttr(b, a)
	}
	if len(el.Nodes) == 0 {
		return append(b, " />"...)
	}
	b = append(b, '>')
	b = appendNodes(b, el.Nodes)
	b = append(b, '<', '/')
	b = append(b, el.Name...)
	return append(b, '>')
}

func appendNodes(b []byte, nodes []Node) []byte {
	for _, n := range nodes {
		switch n.Kind {
		case Text:
			b = escape(b, n.Text, false)
		case Child:
			b = n.Child.append(b)
		case Comment:
			b = append(append(append(b, "<!--"...), n.Text...), "-->"...)
		case Instruction:
			b = append(append(append(b, "<?"...), n.Text...), "?>"...)
		}
	}
	return b
}

// escape writes text so that a reader gets it back to the letter: a carriage return, and in an attribute any line end and tab, would else become
// another blank (XML 1.0, sections 2.11 and 3.3.3).
func escape(b []byte, s string, attr bool) []byte {
	from := 0
	for i := range len(s) {
		var as string
		switch c := s[i]; {
		case c == '&':
			as = "&amp;"
		case c == '<':
			as = "&lt;"
		case c == '>':
			as = "&gt;"
		case c == '\r':
			as = "&#13;"
		case c == '"' && attr:
			as = "&quot;"
		case c == '\n' && attr:
			as = "&#10;"
		case c == '\t' && attr:
			as = "&#9;"
		default:
			continue
		}
		b = append(append(b, s[from:i]...), as...)
		from = i + 1
	}
	return append(b, s[from:]...)
}
