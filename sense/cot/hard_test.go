package cot_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/sense/cot"
)

// with is spot with one text in another's place.
func with(t testing.TB, old, as string) string {
	t.Helper()
	if strings.Count(spot, old) == 0 {
		t.Fatalf("%q does not stand in it", old)
	}
	return strings.ReplaceAll(spot, old, as)
}

func TestNumbersAsClientsWriteThem(t *testing.T) {
	for _, row := range []struct {
		as    string
		value float64
		known bool
	}{
		{"9999999", 9999999, false}, {"9999999.0", 9999999, false}, {"999999", 999999, false}, {"999999.0", 999999, false}, {"NaN", math.NaN(), false},
		{"Infinity", math.Inf(1), false}, {"-INF", math.Inf(-1), false}, {"0", 0, true}, {"-22.22983896651138", -22.22983896651138, true},
		{" 12.50 ", 12.5, true}, {"+1.5E1", 15, true}, {".5", 0.5, true}, {"5.", 5, true}, {"-0.0", math.Copysign(0, -1), true}, {"1e-9", 1e-9, true},
	} {
		e := must(t, with(t, `hae="62.5"`, `hae="`+row.as+`"`))
		got := e.Point.HAE
		if math.Float64bits(got.Value) != math.Float64bits(row.value) && !(math.IsNaN(got.Value) && math.IsNaN(row.value)) || got.Known() != row.known {
			t.Errorf("%q: %v, known %v", row.as, got.Value, got.Known())
		}
		if !strings.Contains(string(e.XML()), `hae="`+row.as+`"`) {
			t.Errorf("%q is written as %s", row.as, got)
		}
		message, lost := e.Proto()
		back, err := cot.ParseProto(message)
		if err != nil || len(lost) > 0 {
			t.Fatalf("%q: %v %v", row.as, err, lost)
		}
		b := back.Point.HAE.Value
		if math.Float64bits(b) != math.Float64bits(row.value) && !(math.IsNaN(b) && math.IsNaN(row.value)) {
			t.Errorf("%q through protobuf: %v", row.as, b)
		}
	}
}

func TestTimesAsClientsWriteThem(t *testing.T) {
	day := time.Date(2026, 3, 14, 8, 13, 25, 0, time.UTC)
	for as, want := range map[string]time.Time{
		"2026-03-14T08:13:25Z":                                    day,
		"2026-03-14T08:13:25.1Z":                                  day.Add(100 * time.Millisecond),
		"2026-03-14T08:13:25.123456Z":                             day.Add(123456 * time.Microsecond),
		"2026-03-14T08:13:25.12345678901234567890123Z":            day.Add(123456789),
		"2026-03-14T08:13:25:00Z":                                 day,
		"2026-03-14T08:13:25:25Z":                                 day.Add(250 * time.Millisecond),
		"2026-03-14T08:13:25,5Z":                                  day.Add(500 * time.Millisecond),
		"2026-03-14T01:13:25-07:00":                               day,
		"2026-03-14T08:12:60Z":                                    day.Add(-25 * time.Second),
		"1969-12-31T23:59:59.999Z":                                time.UnixMilli(-1),
		" 2026-03-14T08:13:25." + strings.Repeat("0", 5000) + "Z": day,
	} {
		e := must(t, strings.Replace(spot, "2026-03-14T04:07:11.125Z", as, 1))
		if !e.Time.Time.Equal(want) || e.Time.String() != as {
			t.Errorf("%.60q: %v, written %.60q", as, e.Time.Time, e.Time)
		}
		message, lost := e.Proto()
		back, err := cot.ParseProto(message)
		if err != nil || !back.Time.Time.Equal(want.Truncate(time.Millisecond)) && want.UnixMilli() != -1 {
			t.Errorf("%.60q through protobuf: %v %v", as, back.Time, err)
		}
		if fine := want.Nanosecond()%1e6 != 0; (len(lost) > 0) != fine {
			t.Errorf("%.60q: lost %v", as, lost)
		}
	}
}

func TestWhatIsNoEventIsToldInOneLineWithPlaceAndRemedy(t *testing.T) {
	bomb := `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><event uid="&b;"/>`
	for _, row := range []struct{ claim, text, want string }{
		{"nothing", "", "byte 0x0: it ends in the middle. Send the whole event again"},
		{"an entity bomb", bomb, "byte 0x15: a document type or entity declaration, which is not expanded. Send events without a document type"},
		{"an entity of its own", with(t, "warm roof", "&b;"), "invalid character entity &b;. Correct the XML there"},
		{"another root", "<events/>", `byte 0x0: the root element is "events", not event. Give a Cursor on Target event`},
		{"two roots", spot + spot[len(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`):], "a second root element behind the event. Read several events as a stream"},
		{"two documents", spot + spot, "a second document behind the event"},
		{"text behind", spot + "x", "text behind the event. Take it out"},
		{"text before", "x" + spot, "byte 0x0: text before the event"},
		{"no uid", with(t, ` uid="SYNTHETIC-1"`, ""), "byte 0x38: the event has no uid. Give the event a uid"},
		{"an empty type", with(t, `type="a-u-G"`, `type=""`), "the event has no type"},
		{"no stale", with(t, ` stale="2026-03-14T04:17:11.125Z"`, ""), `the event has no stale. Give UTC, as stale="2026-03-01T15:04:05.123Z"`},
		{"a time without a zone", with(t, `04:17:11.125Z`, `04:17:11.125`), "is no time with a zone. Give UTC"},
		{"a time of no month", with(t, `2026-03-14T04:17:11.125Z`, `2026-13-14T04:17:11.125Z`), "attribute stale of event"},
		{"no point", with(t, `<point lat="24.811" lon="-107.394" hae="62.5" ce="12.0" le="9999999.0" />`, ""), `the event has no point. Give <point lat=""`},
		{"no lon", with(t, ` lon="-107.394"`, ""), "the point has no lat or no lon. Give both in degrees"},
		{"a decimal comma", with(t, `24.811`, `24,811`), `attribute lat of point: "24,811" is no number. Write a decimal point`},
		{"a hexadecimal number", with(t, `24.811`, `0x18`), "is no number. Give a number"},
		{"an endless number", with(t, `62.5`, `1e999`), "is no number"},
		{"no latitude", with(t, `24.811`, `91`), "lat 91 is no latitude. Give degrees, -90 to 90"},
		{"a latitude that is no number", with(t, `24.811`, `NaN`), "lat NaN is no latitude"},
		{"two points", with(t, `<detail>`, `<point lat="1" lon="2"/><detail>`), "two points in one event"},
		{"two details", with(t, `<detail>`, `<detail/><detail>`), "two details in one event"},
		{"an attribute twice", with(t, `<link uid="a" />`, `<link uid="a" uid="b" />`), "attribute uid of link stands twice"},
		{"spellings that differ", with(t, `releasableTo="USA,MEX"`, `releasableTo="USA,MEX" releaseableTo="USA"`), "releasableTo and releaseableTo of event differ"},
		{"an element that is not closed", with(t, `</remarks>`, ``), "remarks is not closed: the end of detail follows. Send the whole event again"},
		{"cut off", spot[:len(spot)-20], "it ends in the middle"},
		{"depth", with(t, "warm roof", strings.Repeat("<a>", 100_000)), "elements nested more than 64 deep. Flatten it"},
		{"too many elements", with(t, "warm roof", strings.Repeat("<a/>", 100_000)), "more than 100000 elements, attributes and texts. Split it"},
		{"too long", with(t, "warm roof", strings.Repeat("warm roof ", 1<<20)), "an event of more than 8388608 bytes. Split it"},
		{"Latin-1", with(t, "warm roof", "humo r\xedo"), "not UTF-8. Save it as UTF-8"},
		{"Latin-1 that says so", with(t, `encoding="UTF-8"`, `encoding="ISO-8859-1"`), "another encoding than UTF-8 is declared. Save it as UTF-8"},
		{"UTF-16", "\xff\xfe<\x00e\x00", "byte 0x0: not UTF-8"},
		{"a letter that XML cannot hold", with(t, "warm roof", "warm\x01roof"), "illegal character code"},
		{"not XML at all", `{"type":"Feature"}`, "byte 0x0: text before the event"},
		{"a quoted beginning", with(t, `uid="a"`, `uid="<event"`), "unescaped < inside quoted string"},
	} {
		_, err := cot.ParseXML([]byte(row.text))
		oneLine(t, row.claim, err, row.want)
	}
}

func oneLine(t *testing.T, claim string, err error, want string) {
	t.Helper()
	var e *atalaya.Error
	if !errors.As(err, &e) || e.Kind != atalaya.BadInput || e.Hint == "" || e.Place == "" && want == "" || !strings.Contains(err.Error(), want) ||
		strings.ContainsAny(err.Error(), "\r\n") || len(err.Error()) > 300 {
		t.Errorf("%s: %.300v, want %q", claim, err, want)
	}
}

func TestXMLIsKeptAsItWasWritten(t *testing.T) {
	for claim, detail := range map[string]string{
		"order of repeated elements":   `<link uid="b" /><x /><link uid="a" /><link uid="b" />`,
		"text, comments, instructions": `<remarks to="" >a<b />c<!-- d --><?e f g?> h</remarks>`,
		"blanks in elements":           "<a> <b>\n\t</b> </a>",
		"text in detail":               `before<a /> after`,
		"letters that need care":       `<a b="&quot;&lt;&amp;&#10;&#9;&#13;'">]]&gt; &#13;</a>`,
		"prefixes":                     `<q:a xmlns:q="urn:x" q:b="c"><q:d /></q:a>`,
		"letters beyond ASCII":         `<añadido nombre="Sinaloa – río">烟 😀</añadido>`,
		"deep":                         strings.Repeat("<a>", 60) + strings.Repeat("</a>", 60),
	} {
		e := must(t, strings.Replace(spot[:strings.Index(spot, "<detail>")]+"<detail>"+detail+"</detail></event>", `to="" >`, `to="">`, 1))
		wantDetail := strings.NewReplacer(`to="" >`, `to="">`, "<a></a>", "<a />").Replace(detail)
		if text := string(e.XML()); !strings.Contains(text, "<detail>"+wantDetail+"</detail>") {
			t.Errorf("%s: %s", claim, text)
		}
		message, lost := e.Proto()
		back, err := cot.ParseProto(message)
		if err != nil || len(lost) > 0 || !bytes.Equal(back.XML(), e.XML()) {
			t.Errorf("%s through protobuf: %v %v\n%s\n%s", claim, err, lost, back.XML(), e.XML())
		}
	}
	e := must(t, "\ufeff"+strings.NewReplacer(`<point`, "\n <point x:y=\"1\"", `releasableTo`, `releaseableTo`, "</event>", "<more /></event>\n", "<event ", `<event xmlns="urn:cot" `).Replace(spot))
	text := string(e.XML())
	for _, want := range []string{`xmlns="urn:cot"`, ` x:y="1"`, `<more />`, `releasableTo="USA,MEX"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing: %s", want, text)
		}
	}
	if _, lost := e.Proto(); len(lost) != 3 {
		t.Errorf("%q is not what protobuf has no place for", lost)
	}
}

// A sub-message is used where the element holds what it can say and nothing else.
func TestWhatGoesIntoASubMessage(t *testing.T) {
	for _, row := range []struct {
		element string
		typed   bool
		back    string // "" is the same
	}{
		{`<contact endpoint="e" callsign="c" />`, true, ""},
		{`<contact callsign="c" />`, true, ""},
		{`<contact callsign="" />`, true, ""},
		{`<contact endpoint="" callsign="c" />`, false, ""}, // protobuf cannot tell it from none
		{`<contact endpoint="e" />`, false, ""},
		{`<contact callsign="c" phone="1" />`, false, ""},
		{`<contact callsign="c">x</contact>`, false, ""},
		{`<contact callsign="c" /><contact callsign="d" />`, false, ""},
		{`<contact callsign="c" phone="1" /><contact callsign="d" />`, false, ""},
		{`<x:contact callsign="c" />`, false, ""},
		{`<__group name="Cyan" role="HQ" />`, true, ""},
		{`<__group name="Cyan" role="" />`, true, ""},
		{`<__group name="Cyan" />`, false, ""},
		{`<precisionlocation geopointsrc="GPS" altsrc="???" />`, true, ""},
		{`<status battery="0" />`, true, ""},
		{`<status battery="4294967295" />`, true, ""},
		{`<status battery="4294967296" />`, false, ""},
		{`<status battery="050" />`, false, ""},
		{`<status battery="50" readiness="true" />`, false, ""},
		{`<status />`, false, ""},
		{`<takv device="d" platform="p" os="o" version="v" />`, true, ""},
		{`<takv device="d" platform="p" os="o" />`, false, ""},
		{`<track speed="0.00000000" course="0" />`, true, `<track speed="0.0" course="0.0" />`}, // other zeros, the same number
		{`<track speed="1e1" course="+344.72362164876733" />`, true, `<track speed="10.0" course="344.72362164876733" />`},
		{`<track speed="0.1000000000000000055" course="0" />`, false, ""}, // more than a double holds
		{`<track speed="0" />`, false, ""},
		{`<track speed="" course="" />`, false, ""},
		{`<track speed="0" course="0" slope="1" />`, false, ""},
		{`<track speed="-0.0" course="NaN" />`, true, ""},
		{`<track />`, false, ""},
	} {
		e := must(t, spot[:strings.Index(spot, "<detail>")]+"<detail>"+row.element+"</detail></event>")
		message, lost := e.Proto()
		if typed := !bytes.Contains(message, []byte(row.element)); typed != row.typed || len(lost) > 0 {
			t.Errorf("%s: a sub-message %v, lost %v", row.element, typed, lost)
		}
		back, err := cot.ParseProto(message)
		if err != nil {
			t.Errorf("%s: %v", row.element, err)
			continue
		}
		want := row.element
		if row.back != "" {
			want = row.back
		}
		if text := string(back.XML()); !strings.Contains(text, "<detail>"+want+"</detail>") {
			t.Errorf("%s came back as %s", row.element, text)
		}
		again, _ := back.Proto()
		if !bytes.Equal(again, message) {
			t.Errorf("%s: other bytes the second time", row.element)
		}
	}
	for text, want := range map[string]bool{`<detail />`: true, ``: false} {
		e := must(t, spot[:strings.Index(spot, "<detail>")]+text+"</event>")
		message, _ := e.Proto()
		if back, err := cot.ParseProto(message); err != nil || (back.Detail != nil) != want {
			t.Errorf("%q: %v %v", text, back.Detail, err)
		}
	}
}

// message builds a TakMessage of the fields of its event and of others.
func message(event []byte, more ...byte) []byte {
	b := protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), event)
	return append(b, more...)
}

func text(num protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(nil, num, protowire.BytesType), s)
}

func TestProtobufOfOthers(t *testing.T) {
	control := text(1, string(protowire.AppendVarint(protowire.AppendTag(nil, 2, protowire.VarintType), 1))+string(text(3, "SYNTHETIC-2"))+string(text(9, "later")))
	detail := text(15, string(text(1, `<contact callsign="c" phone="1"/>`))+string(text(2, string(text(2, "other"))))+string(text(3, string(text(1, "Cyan"))+string(text(7, "new"))))+string(text(99, "d")))
	event := append(append(text(1, "a-u-G"), text(5, "SYNTHETIC-1")...), append(detail, text(17, "USA,MEX")...)...)
	b := append(control, message(append(event, text(77, "e")...), append(protowire.AppendVarint(protowire.AppendTag(nil, 3, protowire.VarintType), 1773461231125), text(50, "f")...)...)...)
	e, err := cot.ParseProto(b)
	if err != nil {
		t.Fatal(err)
	}
	// The element in xmlDetail wins over the sub-message of its name, as the protocol has it.
	if got := e.Detail.All("contact"); len(got) != 1 || len(got[0].Attrs) != 2 || e.ReleasableTo != "USA,MEX" || e.Wire.Control.Max != 1 || e.Wire.Submitted != 1773461231125 {
		t.Errorf("%+v", e)
	}
	again, lost := e.Proto()
	for _, kept := range []string{"SYNTHETIC-2", "later", "new", "d", "e", "f", "USA,MEX"} {
		if !bytes.Contains(again, []byte(kept)) {
			t.Errorf("%s is lost: %v", kept, lost)
		}
	}
	back, err := cot.ParseProto(again)
	if err != nil || !bytes.Equal(back.XML(), e.XML()) {
		t.Errorf("%v\n%s\n%s", err, back.XML(), e.XML())
	}

	whole := message(append(text(1, "a-u-G"), text(5, "SYNTHETIC-1")...))
	double := func(num protowire.Number, v float64) []byte {
		return protowire.AppendFixed64(protowire.AppendTag(nil, num, protowire.Fixed64Type), math.Float64bits(v))
	}
	for _, row := range []struct {
		claim string
		b     []byte
		want  string
	}{
		{"nothing", nil, "byte 0x0: a TAK control message, which holds no event"},
		{"control alone", control, "which holds no event"},
		{"cut off", whole[:len(whole)-1], "field 2 breaks off: unexpected EOF. Send the whole event again"},
		{"no uid", message(text(1, "a-u-G")), "the event has no uid"},
		{"no type", message(text(5, "SYNTHETIC-1")), "the event has no type"},
		{"another wire type", message(text(10, "24.8")), "byte 0x4: field 10 of cotEvent has wire type 2, not 1"},
		{"a text that is none", message(text(1, "a\xff")), "field 1 of cotEvent is no UTF-8"},
		{"a letter that XML cannot hold", message(text(1, "a\x00")), "or holds a character that XML cannot"},
		{"no latitude", message(append(double(10, 200), whole[2:]...)), "lat 200 is no latitude"},
		{"a longitude that is no number", message(append(double(11, math.NaN()), whole[2:]...)), "lon NaN is no longitude"},
		{"xmlDetail that is none", message(append(whole[2:], text(15, string(text(1, "<a>")))...)), "it ends in the middle"},
		{"an end in xmlDetail", message(append(whole[2:], text(15, string(text(1, "</detail>")))...)), "the end of detail stands before its beginning"},
		{"a document type in xmlDetail", message(append(whole[2:], text(15, string(text(1, "<!DOCTYPE a>")))...)), "which is not expanded"},
		{"too many in xmlDetail", message(append(whole[2:], text(15, string(text(1, strings.Repeat("<a/>", 60_000))))...)), "more than 100000 elements"},
		{"a time of no year", message(append(protowire.AppendVarint(protowire.AppendTag(nil, 6, protowire.VarintType), 1<<62), whole[2:]...)), "is no time of an event. Give milliseconds since 1970"},
		{"a group without end", []byte{0x0b}, "field 1 breaks off"},
		{"too long", make([]byte, cot.MaxEvent+1), "an event of more than 8388608 bytes"},
	} {
		_, err := cot.ParseProto(row.b)
		oneLine(t, row.claim, err, row.want)
		if (row.claim == "nothing" || row.claim == "control alone") != errors.Is(err, cot.ErrNoEvent) {
			t.Errorf("%s: %v", row.claim, err)
		}
	}
}

func TestCheckRefusesWhatCannotBeReadAgain(t *testing.T) {
	for claim, spoil := range map[string]func(*cot.Event){
		"no uid":                    func(e *cot.Event) { e.UID = "" },
		"no type":                   func(e *cot.Event) { e.Type = "" },
		"no time":                   func(e *cot.Event) { e.Stale = cot.Stamp{} },
		"a year of five digits":     func(e *cot.Event) { e.Time.Time = time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC) },
		"no latitude":               func(e *cot.Event) { e.Point.Lat.Value = math.NaN() },
		"no longitude":              func(e *cot.Event) { e.Point.Lon.Value = 181 },
		"a letter beyond XML":       func(e *cot.Event) { e.Caveat = "a\x00" },
		"no UTF-8":                  func(e *cot.Event) { e.ReleasableTo = "a\xff" },
		"a detail of another name":  func(e *cot.Event) { e.Detail.Name = "details" },
		"no name":                   func(e *cot.Event) { e.Detail.Add(&cot.Element{}) },
		"a name that is none":       func(e *cot.Event) { e.Detail.Add(&cot.Element{Name: "a b"}) },
		"an attribute twice":        func(e *cot.Event) { e.Detail.Attrs = []cot.Attr{{Name: "a"}, {Name: "a"}} },
		"an attribute of no name":   func(e *cot.Event) { e.Other = []cot.Attr{{Name: "1"}} },
		"a comment that ends early": func(e *cot.Event) { e.Rest = []cot.Node{{Kind: cot.Comment, Text: "a--b"}} },
		"an instruction to parsers": func(e *cot.Event) { e.Rest = []cot.Node{{Kind: cot.Instruction, Text: "XML a"}} },
		"a child that is not there": func(e *cot.Event) { e.Rest = []cot.Node{{Kind: cot.Child}} },
		"an element in itself":      func(e *cot.Event) { e.Detail.Add(e.Detail) },
	} {
		e := must(t, spot)
		if err := e.Check(); err != nil {
			t.Fatal(err)
		}
		spoil(&e)
		oneLine(t, claim, e.Check(), "")
		if _, err := e.GeoJSON(); err == nil {
			t.Errorf("%s: a feature was made of it", claim)
		}
	}
	e := must(t, spot)
	e.Time.Time, e.Point.Lat.Value = e.Time.Time.Add(time.Second), 1.5 // what is changed is written, not what was read
	if text := string(e.XML()); !strings.Contains(text, ` time="2026-03-14T04:07:12.125Z"`) || !strings.Contains(text, ` lat="1.5"`) {
		t.Errorf("%s", text)
	}
}

// read reads a stream to its end: the uids of its events and its problems.
func read(t testing.TB, r io.Reader) (uids []string, problems []string, controls int) {
	t.Helper()
	s := cot.NewReader(r, "a.cot")
	for {
		it, err := s.Next()
		if err == io.EOF {
			return uids, problems, s.Controls
		}
		if err != nil {
			t.Fatal(err)
		}
		if it.Problem == nil {
			uids = append(uids, it.Event.UID)
			continue
		}
		if strings.ContainsAny(it.Problem.Error(), "\r\n") || it.Problem.Hint == "" {
			t.Errorf("%v", it.Problem)
		}
		problems = append(problems, it.Problem.Error())
	}
}

func TestStreamsGoOnBehindGarbage(t *testing.T) {
	message, _ := must(t, spot).Proto()
	mesh, stream := string(cot.AppendMesh(nil, message)), string(cot.AppendStream(nil, message))
	bare := spot[strings.Index(spot, "<event"):]
	other := strings.Replace(bare, "SYNTHETIC-1", "SYNTHETIC-2", 1)
	control := string(cot.AppendMesh(nil, []byte{0x0a, 2, 0x10, 1}))
	for _, row := range []struct {
		claim, text string
		want        string // uids by their last letter
		problem     string // the first
	}{
		{"nothing", "", "", ""},
		{"one of each", spot + mesh + stream + "\n" + bare, "1111", ""},
		{"documents on lines", "\ufeff" + spot + "\r\n" + spot + "\n\n", "11", ""},
		{"datagrams", mesh + mesh + control + mesh, "111", ""},
		{"a connection", stream + string(cot.AppendStream(nil, []byte{0x0a, 2, 0x10, 1})) + stream, "11", ""},
		{"XML in a datagram", "\xbf\x00\xbf" + spot + mesh, "11", ""},
		{"garbage before", "noise ¿qué? " + spot, "1", "a.cot: byte 0x0: neither XML nor a frame of the TAK protocol; reading goes on at byte 0xe. Send Cursor on Target"},
		{"garbage between", mesh + "\xbf\xbf\xbf\x80 <events/>" + stream + "\x00" + bare, "111", "a.cot: byte 0x17f: neither XML nor a frame of the TAK protocol; reading goes on at byte 0x184"},
		{"cut off in a tag, in XML", spot[:200] + other, "2", "a.cot: byte 0xc9: unescaped < inside quoted string"},
		{"cut off between elements", bare[:strings.Index(bare, "<remarks")] + other, "2", "an event begins inside an event, which was cut off"},
		{"cut off in text", bare[:strings.Index(bare, "roof")] + spot, "1", "an XML declaration inside an event, which was cut off"},
		{"cut off before a frame", bare[:strings.Index(bare, "roof")] + stream + other, "12", "not UTF-8"},
		{"a frame cut off before XML", stream[:len(stream)-40] + bare, "1", ""},
		{"a datagram cut off before XML", mesh[:len(mesh)-40] + bare, "1", ""},
		{"a datagram cut off before a datagram", mesh[:len(mesh)-40] + mesh + mesh, "11", ""},
		{"a frame cut off at the end", stream + stream[:40], "1", "a frame of"},
		{"a frame that claims too much", "\xbf\xff\xff\xff\x03\x0a" + stream, "1", ""},
		{"a length of a gigabyte", "\xbf\xff\xff\xff\xff\x03" + stream, "1", "neither XML nor a frame"},
		{"an event that is none", strings.Replace(bare, ` uid="SYNTHETIC-1"`, "", 1) + other, "2", "the event has no uid"},
		{"a message that is none", string(cot.AppendStream(nil, []byte{0x12, 1, 0xff})) + stream, "1", "no protobuf field: unexpected EOF"},
		{"a document type", `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]>` + bare, "1", "byte 0x15: a document type or entity declaration"},
		{"an element without end", strings.Replace(bare, "</remarks>", "", 1) + other, "2", "remarks is not closed"},
		{"text that never ends", bare[:strings.Index(bare, "<contact")] + "<![CDATA[" + strings.Repeat("x", cot.MaxEvent) + other, "2", "an event of more than 8388608 bytes"},
	} {
		for way, in := range map[string]io.Reader{"whole": strings.NewReader(row.text), "by bytes": iotest.OneByteReader(strings.NewReader(row.text))} {
			if len(row.text) > 1<<20 && way == "by bytes" {
				continue
			}
			uids, problems, controls := read(t, in)
			got := ""
			for _, uid := range uids {
				got += uid[len(uid)-1:]
			}
			if got != row.want || row.problem == "" != (len(problems) == 0) && row.problem != "" || row.problem != "" && !strings.Contains(problems[0], row.problem) {
				t.Errorf("%s, %s: %q, want %q; %d controls; %q", row.claim, way, got, row.want, controls, problems)
			}
			if row.want == "" && len(problems) > 0 || len(problems) > 6 {
				t.Errorf("%s, %s: %q", row.claim, way, problems)
			}
		}
	}
	broken := errors.New("SYNTHETIC: the line is dead")
	s := cot.NewReader(io.MultiReader(strings.NewReader(spot+spot[:100]), iotest.ErrReader(broken)), "a.cot")
	if it, err := s.Next(); err != nil || it.Event.UID != "SYNTHETIC-1" {
		t.Errorf("%+v %v", it, err)
	}
	if _, err := s.Next(); !errors.Is(err, broken) || atalaya.KindOf(err) != atalaya.Failed {
		t.Errorf("a line that fails: %v", err)
	}
}

// A live connection hands on an event once its last byte is there.
func TestAnEventIsGivenWithoutWaitingForMore(t *testing.T) {
	message, _ := must(t, spot).Proto()
	for form, b := range map[string][]byte{"XML": []byte(spot), "stream": cot.AppendStream(nil, message)} {
		in, out := io.Pipe()
		go func() { _, _ = out.Write(b) }() // and no more
		it, err := cot.NewReader(in, "").Next()
		if err != nil || it.Problem != nil || it.Event.UID != "SYNTHETIC-1" {
			t.Errorf("%s: %v %v", form, err, it.Problem)
		}
		in.Close()
	}
}

// endless gives a text again and again.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = e.text[e.at%len(e.text)]
		e.at++
	}
	return len(b), nil
}

// What never ends, or begins again and again, costs bounded memory, and time in proportion to its length.
func TestHostileStreamsCostBoundedMemory(t *testing.T) {
	message, _ := must(t, spot).Proto()
	const much, some = cot.MaxEvent + 1<<20, 1 << 20
	for _, row := range []struct {
		claim, text string
		bytes       int64
	}{
		{"blanks", " ", much},
		{"zeros", "\x00", much},
		{"beginnings", "<event ", some},
		{"beginnings with points", `<event uid="a"><point/>`, some},
		{"sections without end", "<event><![CDATA[", much},
		{"instructions without end", "<event><?a ", much},
		{"depth", "<event><a>", some},
		{"magic", "\xbf", much},
		{"frames that claim everything", "\xbf\xff\xff\xff\x03\x0a", some},
		{"frames in frames", "\xbf\xff\xff\xff\x03\x0a\x06\x00\x00\x00\x00\x00\x00", some},
		{"fields without end", "\x12\x00", much},
		{"datagrams without end", "\xbf\x01\xbf\x12\xff\xff\x7f", much},
		{"datagrams in datagrams", "\xbf\x01\xbf\x12\x02\x1a\x00\xca\x01\x04", some},
		{"unknown fields", "\xbf\x80\x80\x80\x03\x12\x06\xc2\x3e\x03abc", some},
		{"events", spot, some},
		{"frames", string(cot.AppendStream(nil, message)), some},
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		s := cot.NewReader(io.LimitReader(&endless{text: row.text}, row.bytes), "a.cot")
		for err := error(nil); err == nil; {
			_, err = s.Next()
		}
		runtime.ReadMemStats(&after)
		if held := int64(after.HeapSys) - int64(before.HeapSys); held > 96<<20 {
			t.Errorf("%s: %d MB more memory", row.claim, held>>20)
		}
	}
}
