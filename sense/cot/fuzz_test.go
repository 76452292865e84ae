package cot_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/storm"
	"github.com/atalaya-isr/atalaya/sense/cot"
)

// told fails the test where an error of the package is not one line with a remedy.
func told(t testing.TB, err error) {
	t.Helper()
	var e *atalaya.Error
	if !errors.As(err, &e) || e.Hint == "" || strings.ContainsAny(err.Error(), "\r\n") || len(err.Error()) > 500 {
		t.Fatalf("%T %v", err, err)
	}
}

// kept fails the test where an event does not come back from each of its forms as the page of the reference says.
func kept(t testing.TB, e cot.Event) {
	t.Helper()
	if err := e.Check(); err != nil {
		t.Fatalf("an event that was read: %v", err)
	}
	text := e.XML()
	again, err := cot.ParseXML(text)
	if err != nil {
		t.Fatalf("what was read cannot be read again: %v\n%q", err, text)
	}
	if second := again.XML(); !bytes.Equal(text, second) {
		t.Fatalf("other XML:\n%q\n%q", text, second)
	}
	message, lost := e.Proto()
	back, err := cot.ParseProto(message)
	if err != nil {
		t.Fatalf("what was written as protobuf cannot be read: %v\n%x", err, message)
	}
	if second, _ := back.Proto(); !bytes.Equal(message, second) && len(e.Wire.Unknown) == 0 {
		t.Fatalf("other bytes of protobuf:\n%x\n%x", message, second)
	}
	if got, want := flat(t, back), flat(t, e); len(lost) == 0 && got != want {
		t.Fatalf("protobuf lost, and said nothing:\n%s\n%s", got, want)
	}
	feature, err := e.GeoJSON()
	if err != nil {
		t.Fatalf("no feature: %v", err)
	}
	event, err := cot.FromGeoJSON(feature)
	if err != nil {
		t.Fatalf("a feature that cannot be read: %v\n%s", err, feature)
	}
	second, err := event.GeoJSON()
	if err != nil || !bytes.Equal(feature, second) {
		t.Fatalf("another feature: %v\n%s\n%s", err, feature, second)
	}
}

// flat is all that an event says, without what protobuf may write in another way: numbers by their values, the parts of detail that have a sub-message
// in front of the others.
func flat(t testing.TB, e cot.Event) string {
	for _, n := range []*cot.Number{&e.Point.Lat, &e.Point.Lon, &e.Point.HAE, &e.Point.CE, &e.Point.LE} {
		*n = cot.Number{Value: n.Value}
	}
	for _, s := range []*cot.Stamp{&e.Time, &e.Start, &e.Stale} {
		*s = cot.Stamp{Time: s.Time}
	}
	if e.Detail == nil {
		return string(e.XML())
	}
	d := &cot.Element{Name: "detail"}
	typed := []string{"contact", "__group", "precisionlocation", "status", "takv", "track"}
	var rest []cot.Node
	for _, n := range e.Detail.Nodes {
		n := n
		if n.Kind == cot.Child && n.Child.Name == "track" {
			n.Child = &cot.Element{Name: "track", Attrs: numbers(n.Child.Attrs), Nodes: n.Child.Nodes}
		}
		rest = append(rest, n)
	}
	for _, name := range typed {
		for _, n := range rest {
			if n.Kind == cot.Child && n.Child.Name == name {
				sorted := &cot.Element{Name: name, Nodes: n.Child.Nodes}
				for _, key := range []string{"endpoint", "callsign", "name", "role", "geopointsrc", "altsrc", "battery", "device", "platform", "os", "version", "speed", "course"} {
					if v, ok := n.Child.Attr(key); ok {
						sorted.Attrs = append(sorted.Attrs, cot.Attr{Name: key, Value: v})
					}
				}
				for _, a := range n.Child.Attrs {
					if _, ok := sorted.Attr(a.Name); !ok {
						sorted.Attrs = append(sorted.Attrs, a)
					}
				}
				d.Add(sorted)
			}
		}
	}
	for _, n := range rest {
		if n.Kind != cot.Child || !strings.Contains(" "+strings.Join(typed, " ")+" ", " "+n.Child.Name+" ") {
			d.Nodes = append(d.Nodes, n)
		}
	}
	e.Detail = d
	return string(e.XML())
}

// numbers writes the numbers of a track in one way.
func numbers(attrs []cot.Attr) (out []cot.Attr) {
	for _, a := range attrs {
		if e, err := cot.ParseXML([]byte(strings.Replace(spot, `hae="62.5"`, `hae="`+strings.NewReplacer("&", "", "<", "", `"`, "").Replace(a.Value)+`"`, 1))); err == nil {
			a.Value = cot.Number{Value: e.Point.HAE.Value}.String()
		}
		out = append(out, a)
	}
	return out
}

func FuzzParseXML(f *testing.F) {
	for _, s := range []string{spot, strings.Replace(spot, "125Z", "1234567Z", 1), "<event/>", `<?xml version="1.0" encoding="UTF-16"?><event/>`} {
		f.Add([]byte(s))
	}
	storm.Fuzz(f, func(t testing.TB, b []byte) {
		e, err := cot.ParseXML(b)
		if err != nil {
			told(t, err)
			return
		}
		kept(t, e)
	})
}

func FuzzParseProto(f *testing.F) {
	for _, s := range []string{spot, strings.Replace(spot, "battery", "charge", 1)} {
		e, err := cot.ParseXML([]byte(s))
		if err != nil {
			f.Fatal(err)
		}
		e.Wire = cot.Wire{Control: &cot.Control{Min: 1, Max: 1, ContactUID: "SYNTHETIC-2"}, Submitted: 1773461231125}
		message, _ := e.Proto()
		f.Add(message)
	}
	storm.Fuzz(f, func(t testing.TB, b []byte) {
		e, err := cot.ParseProto(b)
		if err != nil {
			told(t, err)
			return
		}
		kept(t, e)
	})
}

func FuzzStream(f *testing.F) {
	e, err := cot.ParseXML([]byte(spot))
	if err != nil {
		f.Fatal(err)
	}
	message, _ := e.Proto()
	f.Add([]byte(spot + string(cot.AppendMesh(nil, message)) + string(cot.AppendStream(nil, message)) + spot))
	f.Add([]byte(spot[:300] + spot))
	storm.Fuzz(f, func(t testing.TB, b []byte) {
		s := cot.NewReader(bytes.NewReader(b), "f.cot")
		last := int64(-1)
		for n := 0; ; n++ {
			it, err := s.Next()
			if err == io.EOF {
				return
			}
			if err != nil || it.At <= last || n > len(b) {
				t.Fatalf("item %d at %d after %d: %v", n, it.At, last, err)
			}
			last = it.At
			if it.Problem != nil {
				told(t, it.Problem)
			} else if err := it.Event.Check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzFromGeoJSON(f *testing.F) {
	e, err := cot.ParseXML([]byte(spot))
	if err != nil {
		f.Fatal(err)
	}
	text, err := e.GeoJSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(drawing))
	storm.Fuzz(f, func(t testing.TB, b []byte) {
		e, err := cot.FromGeoJSON(b)
		if err != nil {
			told(t, err)
			return
		}
		text := e.XML()
		again, err := cot.ParseXML(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		one, err1 := e.GeoJSON()
		two, err2 := again.GeoJSON()
		if err1 != nil || err2 != nil || !bytes.Equal(one, two) {
			t.Fatalf("%v %v\n%s\n%s", err1, err2, one, two)
		}
	})
}

// drawing is a feature with what CoT has no place for.
const drawing = `{"type":"Feature","id":"SYNTHETIC-3","path":"/a","properties":{"type":"u-d-f","time":"2026-03-14T04:07:11Z","start":"2026-03-14T04:07:11Z","stale":"2026-03-14T05:07:11Z",` +
	`"callsign":"SYNTHETIC","center":[-107.4,24.8],"links":[{"uid":"a"}],"stroke":"#ff0000","stroke-opacity":0.333,"sensor":{"fov":66.9,"bad key":1},"other":[1,{"a":null}],"video":{"url":"u","connection":{"uid":"v"}}},` +
	`"geometry":{"type":"Polygon","coordinates":[[[-107.4,24.8],[-107.3,24.8],[-107.3,24.9],[-107.4,24.8]],[[-107.35,24.81],[-107.34,24.81],[-107.34,24.82],[-107.35,24.81]]]}}`

// Any tree that XML can hold comes back from XML, protobuf and GeoJSON.
func TestAnyEventComesBack(t *testing.T) {
	names := rapid.SampledFrom([]string{"contact", "__group", "precisionlocation", "status", "takv", "track", "link", "remarks", "uid", "color", "marti", "shape", "ellipse",
		"dest", "a", "b:c", "_flow-tags_", "__video", "ConnectionEntry", "mission", "archive", "sensor", "_geojson_", "attachment_list", "ñ"})
	keys := rapid.SampledFrom([]string{"callsign", "endpoint", "phone", "name", "role", "battery", "speed", "course", "slope", "geopointsrc", "altsrc", "device", "platform", "os",
		"version", "uid", "point", "argb", "value", "major", "minor", "angle", "Droid", "properties", "hashes", "archive", "x:y"})
	values := rapid.OneOf(rapid.SampledFrom([]string{"", "0", "1", "-0.0", "0.000", "100", "1e3", "NaN", "24.8,-107.4", "24.8,-107.4,12", "{}", `["a"]`, "true", "-1", "a\tb\nc\rd", `"<&>'`, "0.1000000000000000055"}),
		rapid.Map(rapid.Float64(), func(v float64) string { return cot.Number{Value: v}.String() }),
		rapid.StringOf(rapid.RuneFrom([]rune("a <>&\"'\r\n\t]é😀"))))
	var element func(t *rapid.T, depth int) *cot.Element
	element = func(t *rapid.T, depth int) *cot.Element {
		el := &cot.Element{Name: names.Draw(t, "name")}
		for _, key := range rapid.SliceOfNDistinct(keys, 0, 4, rapid.ID[string]).Draw(t, "keys") {
			el.Attrs = append(el.Attrs, cot.Attr{Name: key, Value: values.Draw(t, "value")})
		}
		for range rapid.IntRange(0, 2).Draw(t, "nodes") {
			switch kind := cot.NodeKind(rapid.IntRange(0, 3).Draw(t, "kind")); {
			case kind == cot.Child && depth < 3:
				el.Add(element(t, depth+1))
			case kind == cot.Comment:
				el.Nodes = append(el.Nodes, cot.Node{Kind: kind, Text: " a - b "})
			case kind == cot.Instruction:
				el.Nodes = append(el.Nodes, cot.Node{Kind: kind, Text: "a b?c"})
			default:
				if text := values.Draw(t, "text"); text != "" {
					el.Nodes = append(el.Nodes, cot.Node{Text: text})
				}
			}
		}
		return el
	}
	words := rapid.SampledFrom([]string{"", "a", `SYNTHETIC "<&>`, "USA,MEX"})
	number := func(t *rapid.T, bound float64) cot.Number {
		return cot.Number{Value: rapid.Float64Range(-bound, bound).Draw(t, "number")}
	}
	stamp := func(t *rapid.T) cot.Stamp {
		return cot.Stamp{Time: time.UnixMilli(rapid.Int64Range(-62135596799999, 253402300799999).Draw(t, "ms")).UTC()}
	}
	rapid.Check(t, func(r *rapid.T) {
		e := cot.Event{Version: "2.0", UID: "SYNTHETIC" + words.Draw(r, "uid"), Type: rapid.SampledFrom([]string{"a-u-G", "u-d-f", "u-d-r", "b-m-r"}).Draw(r, "type"), How: words.Draw(r, "how"),
			Time: stamp(r), Start: stamp(r), Stale: stamp(r), Access: words.Draw(r, "access"), QoS: words.Draw(r, "qos"), Opex: words.Draw(r, "opex"),
			Caveat: words.Draw(r, "caveat"), ReleasableTo: words.Draw(r, "releasableTo"),
			Point: cot.Point{Lat: number(r, 90), Lon: number(r, 180), HAE: number(r, 1e7), CE: number(r, 1e7), LE: number(r, 1e300)}}
		if rapid.Bool().Draw(r, "detail") {
			e.Detail = &cot.Element{Name: "detail"}
			for range rapid.IntRange(0, 5).Draw(r, "children") {
				e.Detail.Add(element(r, 0))
			}
		}
		read, err := cot.ParseXML(e.XML())
		if err != nil {
			r.Fatalf("%v\n%s", err, e.XML())
		}
		if !bytes.Equal(read.XML(), e.XML()) {
			r.Fatalf("other XML:\n%s\n%s", read.XML(), e.XML())
		}
		message, lost := e.Proto()
		if back, err := cot.ParseProto(message); err != nil || len(lost) > 0 || flat(t, back) != flat(t, e) {
			r.Fatalf("%v %v\n%s\n%s", err, lost, flat(t, back), flat(t, e))
		}
		feature, err := e.GeoJSON()
		if err != nil {
			r.Fatal(err)
		}
		back, err := cot.FromGeoJSON(feature)
		if err != nil {
			r.Fatalf("%v\n%s", err, feature)
		}
		if again, err := back.GeoJSON(); err != nil || !bytes.Equal(again, feature) {
			r.Fatalf("%v\n%s\n%s\n%s", err, feature, again, e.XML())
		}
	})
}

// fleet is a stream of a thousand positions, as a busy server sees in a second.
func fleet() []byte {
	var b bytes.Buffer
	for range 1000 {
		b.WriteString(spot)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func perEvent(b *testing.B, each func()) {
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		each()
		n += 1000
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkDecode(b *testing.B) {
	text := fleet()
	e, err := cot.ParseXML([]byte(spot))
	if err != nil {
		b.Fatal(err)
	}
	message, _ := e.Proto()
	stream := bytes.Repeat(cot.AppendStream(nil, message), 1000)
	read := func(in []byte) func() {
		return func() {
			s := cot.NewReader(bytes.NewReader(in), "")
			for {
				it, err := s.Next()
				if err == io.EOF {
					return
				}
				if err != nil || it.Problem != nil {
					b.Fatal(err, it.Problem)
				}
			}
		}
	}
	b.Run("xml", func(b *testing.B) { b.SetBytes(int64(len(text))); perEvent(b, read(text)) })
	b.Run("protobuf", func(b *testing.B) { b.SetBytes(int64(len(stream))); perEvent(b, read(stream)) })
	// The tokens of encoding/xml alone, of the same bytes, which nobody keeps.
	b.Run("encoding-xml-tokens", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		perEvent(b, func() {
			d := xml.NewDecoder(bytes.NewReader(text))
			for {
				if _, err := d.RawToken(); err == io.EOF {
					return
				} else if err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}

func BenchmarkEncode(b *testing.B) {
	e, err := cot.ParseXML([]byte(spot))
	if err != nil {
		b.Fatal(err)
	}
	thousand := func(each func()) func() {
		return func() {
			for range 1000 {
				each()
			}
		}
	}
	b.Run("xml", func(b *testing.B) { perEvent(b, thousand(func() { e.XML() })) })
	b.Run("protobuf", func(b *testing.B) { perEvent(b, thousand(func() { e.Proto() })) })
	b.Run("geojson", func(b *testing.B) {
		perEvent(b, thousand(func() {
			if _, err := e.GeoJSON(); err != nil {
				b.Fatal(err)
			}
		}))
	})
}

// The page of the format shows an event and a feature: they must be what it says.
func TestTheExamplesOfThePage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", "cot.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "```xml\n")
	text, rest, _ := strings.Cut(text, "```")
	_, feature, _ := strings.Cut(rest, "```json\n")
	feature, _, ok := strings.Cut(feature, "```")
	e := must(t, strings.TrimSpace(text))
	got, err := e.GeoJSON()
	if !ok || err != nil || string(got) != strings.TrimSpace(feature) {
		t.Errorf("%v\n%s\n%s", err, got, feature)
	}
}
