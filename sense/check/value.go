package check

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/atalaya-isr/atalaya/sense/klv"
)

// values judges the values of the packet, those within sets, packs and lists too.
func (q *inspection) values() {
	root, problems := q.set.Tree()
	inside := q.set.Item(74)
	if q.set.Standard != klv.ST0601 {
		inside = nil
	}
	within := func(at int) bool { return inside != nil && at >= inside.At && at < inside.At+len(inside.Raw) }
	for _, p := range problems[len(q.set.Problems):] {
		if within(p.At) { // it is read by the version at hand: see vmtiOf
			continue
		}
		q.tellAt(nestedValue, p.At, q.around(p.At), "%s", p.What)
	}
	for i := range root.Nodes {
		n := &root.Nodes[i]
		called := func(depth int, m *klv.Node) string { return q.called(n, depth, m) }
		for depth, m := range n.All() {
			if depth > 0 && (m.Tag != 0 || m.Universal) && m.Set == nil {
				q.form(m.Raw[:len(m.Raw)-len(m.Value)], m.Universal, m.At, func() string { return called(depth, m) })
			}
			q.value(m, func() string { return called(depth, m) })
		}
	}
}

// around names the item of the packet in which an offset lies.
func (q *inspection) around(at int) string {
	for i := range q.set.Items {
		if it := &q.set.Items[i]; at >= it.At && at < it.At+len(it.Raw) {
			return name(q.set.Standard, it)
		}
	}
	return ""
}

// called names a value: that of the item, and of what lies within it.
func (q *inspection) called(top *klv.Node, depth int, n *klv.Node) string {
	it := klv.Item{Tag: top.Tag, Key: top.Key(), Row: top.Row}
	s := name(q.set.Standard, &it)
	if depth > 0 && n.Name() != "" {
		s += ": " + n.Name()
	}
	return s
}

// value judges one value.
func (q *inspection) value(n *klv.Node, called func() string) {
	r := n.Row
	if r == nil {
		return
	}
	switch {
	case n.State == klv.OutOfRange:
		q.special(n, called)
	case n.State != klv.Given:
	case r.Format == klv.Text || r.Format == klv.TextUTF16:
		q.text(n, called)
	case n.Kind == klv.AsInteger && len(r.Values) > 0 && n.Text == "":
		q.tellAt(valueEnum, n.At, called(), "%d is none of the values listed", n.Integer)
	case n.Kind == klv.AsInteger && r.Unit == "%" && n.Integer > 100:
		q.tellAt(valueRange, n.At, called(), "%d %%", n.Integer)
	case r.Format == klv.Float && r.Twin != 0:
		t := klv.ST0601.Row(r.Twin)
		lo, hi := t.Lo, t.Hi
		if hi == 360 { // universal sets count headings from -180 as well
			lo = -360
		}
		if lo < hi && !(n.Number >= lo && n.Number <= hi) {
			q.tellAt(valueRange, n.At, called(), "%g %s, outside %g to %g", n.Number, r.Unit, lo, hi)
		}
	}
	if n.State == klv.Given && r.Size == 0 && padded(r.Format, n.Value) {
		q.tellAt(numberForm, n.At, called(), "a whole number written as %x, longer than need be", n.Value)
	}
}

// padded says that a whole number of variable length has a byte too many (ST 0107.3-10).
func padded(f klv.Format, b []byte) bool {
	switch {
	case len(b) < 2:
		return false
	case f == klv.Unsigned || f == klv.Micros:
		return b[0] == 0
	}
	return f == klv.Signed && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80)
}

// special tells a code that the standard has for "out of range" from one that it has not, or a value beyond the range.
func (q *inspection) special(n *klv.Node, called func() string) {
	v, ok := n.IMAP()
	switch {
	case ok && v.Kind == klv.OnScale:
		q.tellAt(valueRange, n.At, called(), "%g %s, outside %g to %g", v.Number, n.Row.Unit, n.Row.Lo, n.Row.Hi)
	case ok && v.Kind == klv.ReservedCode:
		q.tellAt(valueRange, n.At, called(), "%x, a code that ST 1201 reserves", n.Value)
	case ok:
		q.tellAt(itemOutOfRange, n.At, called(), "%x: %v", n.Value, v.Kind)
	default:
		q.tellAt(itemOutOfRange, n.At, called(), "%x: out of range, or off the earth", n.Value)
	}
}

// text judges characters (ST 0107.5, 6.3.3.2). One zero byte alone stands for an empty text.
func (q *inspection) text(n *klv.Node, called func() string) {
	if len(n.Value) == 1 && n.Value[0] == 0 {
		return
	}
	if !utf8.ValidString(n.Text) {
		q.tellAt(textCoding, n.At, called(), "text that is not UTF-8: %.32q", n.Text)
		return
	}
	trimmed := strings.Trim(n.Text, "\x00\t\n\r ")
	if trimmed != n.Text {
		q.tellAt(textPadding, n.At, called(), "%.40q", n.Text)
	}
	if strings.ContainsFunc(trimmed, func(r rune) bool {
		return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r < 0xa0
	}) {
		q.tellAt(textControl, n.At, called(), "%.40q", n.Text)
	}
}

// securityDue are the items of ST 0102 that each security set must have (table 2; ST 0902.8 table 1).
var securityDue = [...]uint32{1, 2, 3, 12, 13, 22}

// security judges the security set of the packet, where it has one.
func (q *inspection) security() {
	set, at := q.set, 0
	if it := markingOf(q.set); it != nil {
		s, ok := it.Nested()
		if !ok {
			return
		}
		set, at = &s, it.At+len(it.Raw)-len(it.Value)
	}
	if set.Standard != klv.ST0102 {
		return
	}
	q.lane.security = true
	for _, tag := range securityDue {
		if it := set.Item(tag); it == nil || len(it.Value) == 0 {
			q.tellAt(securityIncomplete, at, itemName(klv.ST0102, tag), "the item is not in the security set")
		}
	}
	if country := set.Text(3); country != "" && !strings.HasPrefix(country, "//") {
		q.tellAt(securityForm, at, itemName(klv.ST0102, 3), "%.20q does not begin with //", country)
	}
	if date := set.Text(10); date != "" {
		if _, err := time.Parse("20060102", date); err != nil {
			q.tellAt(securityForm, at, itemName(klv.ST0102, 10), "%.20q is no date as YYYYMMDD", date)
		}
	}
}

// markingOf is the item that holds a security set.
func markingOf(s *klv.Set) *klv.Item {
	for i := range s.Items {
		if r := s.Items[i].Row; r != nil && r.Set == klv.ST0102 && r.Format == klv.Nested {
			return &s.Items[i]
		}
	}
	return nil
}
