package cot

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/atalaya-isr/atalaya"
)

// A part is a sub-message of Detail (atakmap.commoncommo.protobuf.v1): which element it stands for, and its fields, numbered from 1.
type part struct {
	field  protowire.Number // of Detail
	name   string           // of the element
	attrs  []string
	coding coding
	spared int // index of the attribute that is not written when it is ""; -1 when there is none
}

// coding is how the fields of a part are written.
type coding uint8

const (
	words   coding = iota // string
	counts                // uint32
	doubles               // double
)

// parts are the sub-messages, in the order of their fields. An element becomes one where it has all of these attributes, save the spared one, and
// nothing else: then every reader, those included that write all attributes of a part, makes the same element of it again.
var parts = [...]part{
	{2, "contact", []string{"endpoint", "callsign"}, words, 0},
	{3, "__group", []string{"name", "role"}, words, -1},
	{4, "precisionlocation", []string{"geopointsrc", "altsrc"}, words, -1},
	{5, "status", []string{"battery"}, counts, -1},
	{6, "takv", []string{"device", "platform", "os", "version"}, words, -1},
	{7, "track", []string{"speed", "course"}, doubles, -1},
}

// message gives the bytes of the sub-message that says all that an element says; ok is false where there is none. A number that was written with
// other zeros counts as the same.
func (p *part) message(el *Element) (b []byte, ok bool) {
	if len(el.Nodes) > 0 {
		return nil, false
	}
	had := 0
	for i, key := range p.attrs {
		v, has := el.Attr(key)
		if !has {
			if i != p.spared {
				return nil, false
			}
			continue
		}
		had++
		num := protowire.Number(i + 1)
		switch p.coding {
		case words:
			if v == "" && i == p.spared {
				return nil, false
			}
			b = appendString(b, num, v)
		case counts:
			n, err := strconv.ParseUint(v, 10, 32)
			if err != nil || strconv.FormatUint(n, 10) != v {
				return nil, false
			}
			b = appendVarint(b, num, n)
		case doubles:
			n, ok := parseNumber(v)
			if !ok || !exact(v, n.Value) {
				return nil, false
			}
			b = appendDouble(b, num, n.Value)
		}
	}
	return b, had == len(el.Attrs)
}

// Proto is the event as a protobuf message TakMessage of version 1, without framing, and in words what it has no place for: such an event comes
// back without it. Times are cut to milliseconds.
func (e Event) Proto() (message []byte, lost []string) {
	var b []byte
	if c := e.Wire.Control; c != nil {
		var in []byte
		in = appendVarint(in, 1, uint64(c.Min))
		in = appendVarint(in, 2, uint64(c.Max))
		in = appendString(in, 3, c.ContactUID)
		b = appendMessage(b, 1, append(in, e.Wire.Unknown["takControl"]...))
	}
	in := make([]byte, 0, 512)
	for _, f := range [...]struct {
		num  protowire.Number
		text string
	}{{1, e.Type}, {2, e.Access}, {3, e.QoS}, {4, e.Opex}, {5, e.UID}} {
		in = appendString(in, f.num, f.text)
	}
	for i, s := range [...]Stamp{e.Time, e.Start, e.Stale} {
		in = appendVarint(in, protowire.Number(6+i), uint64(s.Time.UnixMilli())) // before 1970 as the two's complement, as Java's long
	}
	in = appendString(in, 9, e.How)
	for i, n := range [...]Number{e.Point.Lat, e.Point.Lon, e.Point.HAE, e.Point.CE, e.Point.LE} {
		in = appendDouble(in, protowire.Number(10+i), n.Value)
	}
	if e.Detail != nil {
		in = appendMessage(in, 15, e.detail())
	}
	in = appendString(in, 16, e.Caveat)
	in = appendString(in, 17, e.ReleasableTo)
	b = appendMessage(b, 2, append(in, e.Wire.Unknown["cotEvent"]...))
	b = appendVarint(b, 3, e.Wire.Submitted)
	b = appendVarint(b, 4, e.Wire.Created)
	return append(b, e.Wire.Unknown[""]...), e.lost()
}

// detail gives the bytes of Detail: xmlDetail first, then the sub-messages.
func (e *Event) detail() []byte {
	var rest []byte
	var came [len(parts)][]byte
	var is [len(parts)]bool
	// Of several elements of one name each could say something else, and only xmlDetail keeps their order.
	var times [len(parts)]int
	for _, n := range e.Detail.Nodes {
		if n.Kind == Child {
			if i := partIndex(n.Child.Name); i >= 0 {
				times[i]++
			}
		}
	}
	for k, n := range e.Detail.Nodes {
		if n.Kind == Child {
			if i := partIndex(n.Child.Name); i >= 0 && times[i] == 1 {
				if came[i], is[i] = parts[i].message(n.Child); is[i] {
					came[i] = append(came[i], e.Wire.Unknown[parts[i].name]...)
					continue
				}
			}
		}
		rest = appendNodes(rest, e.Detail.Nodes[k:k+1])
	}
	b := appendString(nil, 1, string(rest))
	for i := range parts {
		if is[i] {
			b = appendMessage(b, parts[i].field, came[i])
		}
	}
	return append(b, e.Wire.Unknown["detail"]...)
}

func partIndex(name string) int {
	for i := range parts {
		if parts[i].name == name {
			return i
		}
	}
	return -1
}

// lost says what the protobuf form has no place for.
func (e *Event) lost() []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if e.Version != "" && e.Version != "2.0" {
		say("version %s of the schema", short(e.Version))
	}
	for _, a := range e.Other {
		say("attribute %s of event", short(a.Name))
	}
	for _, a := range e.Point.Other {
		say("attribute %s of point", short(a.Name))
	}
	if e.Detail != nil {
		for _, a := range e.Detail.Attrs {
			say("attribute %s of detail", short(a.Name))
		}
	}
	if len(e.Point.Nodes) > 0 {
		say("what stands in point")
	}
	if len(e.Rest) > 0 {
		say("what stands in event beside point and detail")
	}
	for _, s := range [...]struct {
		name string
		at   Stamp
	}{{"time", e.Time}, {"start", e.Start}, {"stale", e.Stale}} {
		if s.at.Time.Nanosecond()%int(time.Millisecond) != 0 {
			say("what %s says beyond milliseconds", s.name)
		}
	}
	for _, n := range [...]struct {
		name string
		of   Number
	}{{"lat", e.Point.Lat}, {"lon", e.Point.Lon}, {"hae", e.Point.HAE}, {"ce", e.Point.CE}, {"le", e.Point.LE}} {
		if _, _, _, ok := decimal(n.of.String()); ok && !exact(n.of.String(), n.of.Value) {
			say("digits of %s beyond double precision", n.name)
		}
	}
	return out
}

func appendString(b []byte, num protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), s)
}

func appendVarint(b []byte, num protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), v)
}

func appendDouble(b []byte, num protowire.Number, v float64) []byte {
	bits := math.Float64bits(v)
	if bits == 0 { // -0 has a bit
		return b
	}
	return protowire.AppendFixed64(protowire.AppendTag(b, num, protowire.Fixed64Type), bits)
}

func appendMessage(b []byte, num protowire.Number, in []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), in)
}

// A field is one field of a message as it came.
type field struct {
	num   protowire.Number
	typ   protowire.Type
	n     uint64 // of a varint or of eight bytes
	bytes []byte // of a string or message
	raw   []byte // tag and value
	at    int64  // offset of the value
}

// nextField takes the first field off b, which begins at the offset at.
func nextField(b []byte, at int64) (f field, rest []byte, fault *atalaya.Error) {
	num, typ, n := protowire.ConsumeTag(b)
	if n < 0 {
		return f, nil, fail(at, whole, "no protobuf field: %v", protowire.ParseError(n))
	}
	f = field{num: num, typ: typ, at: at + int64(n)}
	m := protowire.ConsumeFieldValue(num, typ, b[n:])
	if m < 0 {
		return f, nil, fail(f.at, whole, "field %d breaks off: %v", num, protowire.ParseError(m))
	}
	value := b[n : n+m]
	switch typ {
	case protowire.VarintType:
		f.n, _ = protowire.ConsumeVarint(value)
	case protowire.Fixed64Type:
		f.n, _ = protowire.ConsumeFixed64(value)
	case protowire.BytesType:
		f.bytes, _ = protowire.ConsumeBytes(value)
		f.at += int64(m - len(f.bytes))
	}
	f.raw = b[:n+m]
	return f, b[n+m:], nil
}

// fields hands on the fields of a message of that name, one after the other. each says whether it knows a field; the others are kept.
func (e *Event) fields(b []byte, at int64, in string, each func(field) (known bool, fault *atalaya.Error)) *atalaya.Error {
	for len(b) > 0 {
		f, rest, fault := nextField(b, at)
		if fault != nil {
			return fault
		}
		known, fault := each(f)
		if fault != nil {
			return fault
		}
		if !known {
			if e.Wire.Unknown == nil {
				e.Wire.Unknown = map[string][]byte{}
			}
			e.Wire.Unknown[in] = append(e.Wire.Unknown[in], f.raw...)
		}
		at += int64(len(b) - len(rest))
		b = rest
	}
	return nil
}

// is says what is wrong with a field that should be of another wire type.
func (f field) is(typ protowire.Type, in string) *atalaya.Error {
	if f.typ != typ {
		return fail(f.at, page, "field %d of %s has wire type %d, not %d", f.num, in, f.typ, typ)
	}
	return nil
}

func (f field) text(into *string, in string) *atalaya.Error {
	if fault := f.is(protowire.BytesType, in); fault != nil {
		return fault
	}
	if !writable(string(f.bytes)) {
		return fail(f.at, page, "field %d of %s is no UTF-8, or holds a character that XML cannot", f.num, in)
	}
	*into = string(f.bytes)
	return nil
}

func (f field) number(into *uint64, in string) *atalaya.Error {
	fault := f.is(protowire.VarintType, in)
	*into = f.n
	return fault
}

// ParseProto reads a protobuf message TakMessage of version 1 without framing. Fields without a meaning here are kept in Wire. An element that
// stands in xmlDetail and as a sub-message is taken from xmlDetail, as the protocol has it. Control alone, without an event, gives ErrNoEvent.
func ParseProto(message []byte) (Event, error) {
	e, fault := parseProto(message, 0)
	if fault != nil {
		return Event{}, fault
	}
	return e, nil
}

// ErrNoEvent is in the error of a message that holds no event, as those that tell only which versions a sender speaks.
var ErrNoEvent = errors.New("a TAK control message, which holds no event")

func parseProto(b []byte, at int64) (Event, *atalaya.Error) {
	if len(b) > MaxEvent {
		return Event{}, fail(at, "Split it", "an event of more than %d bytes", MaxEvent)
	}
	r := protoReader{budget: MaxNodes}
	e, has, end := &r.e, false, at+int64(len(b))
	fault := e.fields(b, at, "", func(f field) (bool, *atalaya.Error) {
		switch f.num {
		case 1:
			return true, r.control(f)
		case 2:
			has = true
			if fault := f.is(protowire.BytesType, "TakMessage"); fault != nil {
				return true, fault
			}
			return true, e.fields(f.bytes, f.at, "cotEvent", r.event)
		case 3:
			return true, f.number(&e.Wire.Submitted, "TakMessage")
		case 4:
			return true, f.number(&e.Wire.Created, "TakMessage")
		}
		return false, nil
	})
	if fault != nil {
		return Event{}, fault
	}
	if !has {
		return Event{}, &atalaya.Error{Op: "cot.read", Place: fmt.Sprintf("byte 0x%x", at), Kind: atalaya.BadInput, Hint: "Give a message with an event", Err: ErrNoEvent}
	}
	if fault := r.finish(end); fault != nil {
		return Event{}, fault
	}
	return *e, nil
}

// protoReader gathers an event from its fields; a field that comes again wins, and a message that comes again is added to, as protobuf has it.
type protoReader struct {
	e      Event
	ms     [3]uint64
	hae    [5]float64 // lat, lon, hae, ce, le
	detail bool
	xml    []Node
	words  [len(parts)][4]string
	counts [len(parts)][4]uint64
	has    [len(parts)]bool
	budget int
}

func (r *protoReader) control(f field) *atalaya.Error {
	if fault := f.is(protowire.BytesType, "TakMessage"); fault != nil {
		return fault
	}
	if r.e.Wire.Control == nil {
		r.e.Wire.Control = &Control{}
	}
	c := r.e.Wire.Control
	return r.e.fields(f.bytes, f.at, "takControl", func(f field) (bool, *atalaya.Error) {
		var n uint64
		switch f.num {
		case 1, 2:
			fault := f.number(&n, "takControl")
			if f.num == 1 {
				c.Min = uint32(n)
			} else {
				c.Max = uint32(n)
			}
			return true, fault
		case 3:
			return true, f.text(&c.ContactUID, "takControl")
		}
		return false, nil
	})
}

func (r *protoReader) event(f field) (bool, *atalaya.Error) {
	e := &r.e
	texts := [...]*string{1: &e.Type, 2: &e.Access, 3: &e.QoS, 4: &e.Opex, 5: &e.UID, 9: &e.How, 16: &e.Caveat, 17: &e.ReleasableTo}
	switch {
	case f.num >= 6 && f.num <= 8:
		return true, f.number(&r.ms[f.num-6], "cotEvent")
	case f.num >= 10 && f.num <= 14:
		r.hae[f.num-10] = math.Float64frombits(f.n)
		return true, f.is(protowire.Fixed64Type, "cotEvent")
	case f.num == 15:
		r.detail = true
		if fault := f.is(protowire.BytesType, "cotEvent"); fault != nil {
			return true, fault
		}
		return true, e.fields(f.bytes, f.at, "detail", r.inDetail)
	case int(f.num) < len(texts) && texts[f.num] != nil:
		return true, f.text(texts[f.num], "cotEvent")
	}
	return false, nil
}

func (r *protoReader) inDetail(f field) (bool, *atalaya.Error) {
	if f.num == 1 {
		var text string
		fault := f.text(&text, "detail")
		if fault == nil {
			r.xml, fault = fragment(text, f.at, 3, &r.budget)
		}
		return true, fault
	}
	for i := range parts {
		if parts[i].field != f.num {
			continue
		}
		if fault := f.is(protowire.BytesType, "detail"); fault != nil {
			return true, fault
		}
		r.has[i] = true
		return true, r.e.fields(f.bytes, f.at, parts[i].name, func(f field) (bool, *atalaya.Error) { return r.inPart(i, f) })
	}
	return false, nil
}

func (r *protoReader) inPart(i int, f field) (bool, *atalaya.Error) {
	p := &parts[i]
	if int(f.num) > len(p.attrs) {
		return false, nil
	}
	switch p.coding {
	case words:
		return true, f.text(&r.words[i][f.num-1], p.name)
	case counts:
		fault := f.number(&r.counts[i][f.num-1], p.name)
		r.counts[i][f.num-1] &= math.MaxUint32 // as readers of a uint32 do
		return true, fault
	}
	r.counts[i][f.num-1] = f.n
	return true, f.is(protowire.Fixed64Type, p.name)
}

// element writes a sub-message as the element that it stands for.
func (r *protoReader) element(i int) *Element {
	p := &parts[i]
	el := &Element{Name: p.name, Attrs: make([]Attr, 0, len(p.attrs))}
	for k, key := range p.attrs {
		a := Attr{key, r.words[i][k]}
		switch p.coding {
		case counts:
			a.Value = strconv.FormatUint(r.counts[i][k], 10)
		case doubles:
			a.Value = shortest(math.Float64frombits(r.counts[i][k]))
		}
		if a.Value != "" || k != p.spared {
			el.Attrs = append(el.Attrs, a)
		}
	}
	return el
}

// finish makes the event of what was gathered.
func (r *protoReader) finish(end int64) *atalaya.Error {
	e := &r.e
	e.Version = "2.0"
	for i, into := range [...]*Stamp{&e.Time, &e.Start, &e.Stale} {
		into.Time = time.UnixMilli(int64(r.ms[i])).UTC()
		if !datable(into.Time) {
			return fail(end, "Give milliseconds since 1970", "%d is no time of an event", int64(r.ms[i]))
		}
	}
	for i, into := range [...]*Number{&e.Point.Lat, &e.Point.Lon, &e.Point.HAE, &e.Point.CE, &e.Point.LE} {
		into.Value = r.hae[i]
	}
	switch hint, what := e.Point.fault(); {
	case what != "":
		return fail(end, hint, "%s", what)
	case e.UID == "":
		return fail(end, "Give the event a uid", "the event has no uid")
	case e.Type == "":
		return fail(end, "Give the event a type", "the event has no type")
	}
	if !r.detail {
		return nil
	}
	e.Detail = &Element{Name: "detail"}
	rest := Element{Nodes: r.xml}
	for i := range parts {
		if !r.has[i] {
			continue
		}
		if len(rest.All(parts[i].name)) == 0 {
			e.Detail.Add(r.element(i))
			continue
		}
		delete(e.Wire.Unknown, parts[i].name)
	}
	e.Detail.Nodes = append(e.Detail.Nodes, r.xml...)
	return nil
}
