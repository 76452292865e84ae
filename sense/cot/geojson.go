package cot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/atalaya-isr/atalaya"
)

const (
	// geoElement keeps, in an event that came from GeoJSON, what CoT has no place for: attributes properties, geometry and path, each as JSON.
	geoElement = "_geojson_"
	// rawProperty keeps, in a feature that came from CoT, the elements of detail that no property says wholly, as XML.
	rawProperty = "detail_xml"
)

// fixed are the properties that geoElement may not replace: what an event is, when, and who may see it.
var fixed = []string{"type", "how", "time", "start", "stale", "callsign", "access", "qos", "opex", "caveat", "releasableTo", "ce", "le", rawProperty}

// feature is a GeoJSON feature (RFC 7946) with the member path of CloudTAK.
type feature struct {
	ID         any            `json:"id"`
	Type       string         `json:"type"`
	Path       any            `json:"path"`
	Properties map[string]any `json:"properties"`
	Geometry   any            `json:"geometry"`
}

// GeoJSON is the event as one feature, on one line. Elements that no property says wholly are kept as XML in the property detail_xml. A height
// that is not known is left out. The error is that of Check.
func (e Event) GeoJSON() ([]byte, error) {
	if err := e.Check(); err != nil {
		return nil, err
	}
	p := map[string]any{"metadata": map[string]any{}}
	for _, a := range e.said() {
		if *a.text != "" {
			p[a.name] = *a.text
		}
	}
	for name, s := range e.dated() {
		p[name] = s.String()
	}
	for name, n := range map[string]Number{"ce": e.Point.CE, "le": e.Point.LE} {
		if n.Known() {
			p[name] = numeral(n)
		}
	}
	center := []any{numeral(e.Point.Lon), numeral(e.Point.Lat)}
	if e.Point.HAE.Known() {
		center = append(center, numeral(e.Point.HAE))
	}
	p["center"] = center
	f := feature{ID: e.UID, Type: "Feature", Path: "/", Properties: p, Geometry: geometry("Point", center)}
	if e.Detail != nil {
		if kept := e.Detail.properties(p); len(kept) > 0 {
			p[rawProperty] = string(appendNodes(nil, kept))
		}
		if g := e.drawn(center); g != nil {
			f.Geometry = g
		}
		e.Detail.lay(&f)
	}
	return line(f)
}

type saying struct {
	name string
	text *string
}

// said are the attributes of event that are properties of the same name.
func (e *Event) said() []saying {
	return []saying{{"type", &e.Type}, {"how", &e.How}, {"access", &e.Access}, {"qos", &e.QoS}, {"opex", &e.Opex}, {"caveat", &e.Caveat}, {"releasableTo", &e.ReleasableTo}}
}

func (e *Event) dated() map[string]*Stamp {
	return map[string]*Stamp{"time": &e.Time, "start": &e.Start, "stale": &e.Stale}
}

func geometry(kind string, coordinates any) any {
	return struct {
		Type        string `json:"type"`
		Coordinates any    `json:"coordinates"`
	}{kind, coordinates}
}

// line is a value as JSON on one line, with its letters as they are.
func line(v any) ([]byte, error) {
	var b bytes.Buffer
	w := json.NewEncoder(&b)
	w.SetEscapeHTML(false)
	if err := w.Encode(v); err != nil {
		return nil, &atalaya.Error{Op: "cot.geojson", Kind: atalaya.BadInput, Hint: page, Err: err}
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// numeral is a number of an event as JSON writes it.
func numeral(n Number) any {
	v, _ := number(n.String())
	return v
}

// properties fills in what the elements of a detail say, and gives back those that the properties do not say wholly.
func (el *Element) properties(p map[string]any) (kept []Node) {
	times := map[string]int{}
	var links []any
	listed, bare := true, el.bareCorners()
	for _, n := range el.Nodes {
		if n.Kind != Child {
			continue
		}
		times[n.Child.Name]++
		if n.Child.Name == "link" {
			v, ok := plain.object(n.Child)
			listed = listed && ok
			if !bare || v["point"] == nil {
				links = append(links, v)
			}
		}
	}
	if len(links) > 0 {
		p["links"] = links
	}
	for _, n := range el.Nodes {
		switch {
		case n.Kind == Child && n.Child.Name == "link" && listed:
		case n.Kind == Child && times[n.Child.Name] == 1 && n.Child.say(p):
		default:
			kept = append(kept, n)
		}
	}
	return kept
}

// A spread is an element whose attributes are properties of their own.
type spread struct {
	element string
	shape   shape
	of      [][2]string // attribute, property
}

var spreads = [...]spread{
	{"track", shape{numbers: []string{"course", "speed", "slope"}}, [][2]string{{"course", "course"}, {"speed", "speed"}, {"slope", "slope"}}},
	{"display", shape{numbers: []string{"minzoom", "maxzoom"}, flags: []string{"rotate"}}, [][2]string{{"minzoom", "minzoom"}, {"maxzoom", "maxzoom"}, {"rotate", "rotate"}}},
	{"usericon", plain, [][2]string{{"iconsetpath", "icon"}}},
	{"uid", plain, [][2]string{{"Droid", "droid"}}},
	{"labels_on", shape{flags: []string{"value"}}, [][2]string{{"value", "labels"}}},
	{"strokeWeight", shape{numbers: []string{"value"}}, [][2]string{{"value", "stroke-width"}}},
	{"strokeStyle", plain, [][2]string{{"value", "stroke-style"}}},
	{"range", shape{numbers: []string{"value"}}, [][2]string{{"value", "range"}}},
	{"bearing", shape{numbers: []string{"value"}}, [][2]string{{"value", "bearing"}}},
}

func (s *spread) say(el *Element, p map[string]any) bool {
	ok := len(el.Nodes) == 0 && len(el.Attrs) > 0
	for _, a := range el.Attrs {
		i := slices.IndexFunc(s.of, func(of [2]string) bool { return of[0] == a.Name })
		if i < 0 {
			ok = false
			continue
		}
		v, same := s.shape.value(a.Name, a.Value)
		p[s.of[i][1]], ok = v, ok && same
	}
	return ok
}

func (s *spread) hear(p map[string]any) *Element {
	el := &Element{Name: s.element}
	for _, of := range s.of {
		if text, ok := scalar(p[of[1]]); ok {
			el.Attrs = append(el.Attrs, Attr{of[0], text})
		}
	}
	if len(el.Attrs) == 0 {
		return nil
	}
	return el
}

// tints are the elements whose attribute is a colour.
var tints = [...]struct{ element, attr, colour, opacity string }{
	{"color", "argb", "marker-color", "marker-opacity"},
	{"strokeColor", "value", "stroke", "stroke-opacity"},
	{"fillColor", "value", "fill", "fill-opacity"},
}

// say puts into p what an element says, and reports whether that is all of it.
func (el *Element) say(p map[string]any) bool {
	for i := range spreads {
		if spreads[i].element == el.Name {
			return spreads[i].say(el, p)
		}
	}
	for _, o := range objects {
		if o.element == el.Name {
			v, ok := o.shape.object(el)
			p[o.property] = v
			return ok
		}
	}
	for _, t := range tints {
		if t.element == el.Name {
			v, has := el.Attr(t.attr)
			colour, opacity, ok := fromARGB(v)
			if !has || !ok {
				return false
			}
			p[t.colour], p[t.opacity] = colour, opacity
			return len(el.Attrs) == 1 && len(el.Nodes) == 0
		}
	}
	switch el.Name {
	case geoElement:
		return el.geo() != nil
	case "contact":
		return el.sayContact(p)
	case "remarks":
		text, ok := el.text()
		p["remarks"] = text
		return ok
	case "archive":
		p["archived"] = true
		return len(el.Attrs)+len(el.Nodes) == 0
	case "attachment_list":
		return el.sayAttachments(p)
	case "marti":
		return el.sayMarti(p)
	case "__video":
		v, ok := video.object(el)
		if c, has := v["ConnectionEntry"]; has {
			if _, clash := v["connection"]; clash {
				return false
			}
			delete(v, "ConnectionEntry")
			v["connection"] = c
		}
		p["video"] = v
		return ok
	case "shape":
		v, ok := figure.object(el)
		if v["ellipse"] == nil {
			return false
		}
		p["shape"] = map[string]any{"ellipse": v["ellipse"]}
		el.sayStyle(p)
		return ok && len(v) == 1
	}
	return false
}

func (el *Element) sayContact(p map[string]any) bool {
	v, ok := plain.object(el)
	if callsign, has := v["callsign"]; has {
		p["callsign"] = callsign
		delete(v, "callsign")
	} else if len(v) == 0 {
		return false
	}
	if len(v) > 0 {
		p["contact"] = v
	}
	return ok
}

func (el *Element) sayAttachments(p map[string]any) bool {
	text, _ := el.Attr("hashes")
	v, ok := decoded([]byte(text))
	if _, is := v.([]any); !ok || !is {
		return false
	}
	p["attachments"] = v
	again, err := line(v)
	return err == nil && string(again) == text && len(el.Attrs) == 1 && len(el.Nodes) == 0
}

func (el *Element) sayMarti(p map[string]any) bool {
	v, ok := marti.object(el)
	if v["archive"] == true {
		p["marti_archive"] = true
		delete(v, "archive")
	}
	switch dest, _ := v["dest"].([]any); len(dest) {
	case 0:
		ok = ok && p["marti_archive"] == true
	case 1:
		p["dest"] = dest[0]
	default:
		p["dest"] = dest
	}
	delete(v, "dest")
	return ok && len(v) == 0
}

// sayStyle reads the colours that ATAK gives a circle: KML styles in a link, as hexadecimal ARGB.
func (el *Element) sayStyle(p map[string]any) {
	for _, path := range [...]struct{ style, colour, opacity string }{{"LineStyle", "stroke", "stroke-opacity"}, {"PolyStyle", "fill", "fill-opacity"}} {
		at := el
		for _, name := range [...]string{"link", "Style", path.style, "color"} {
			all := at.All(name)
			if len(all) == 0 {
				at = nil
				break
			}
			at = all[0]
		}
		if at == nil || p[path.colour] != nil {
			continue
		}
		text, _ := at.text()
		if colour, opacity, ok := fromHex(text); ok {
			p[path.colour], p[path.opacity] = colour, opacity
		}
	}
}

// geo gives the element itself where it is a sound geoElement.
func (el *Element) geo() map[string]any {
	if len(el.Nodes) > 0 || len(el.Attrs) == 0 {
		return nil
	}
	out := map[string]any{}
	for _, a := range el.Attrs {
		v, ok := decoded([]byte(a.Value))
		_, isObject := v.(map[string]any)
		_, isText := v.(string)
		drawn := isObject && asObject(v)["type"] != "Point" && isGeometry(asObject(v)) // a point is always what the event says
		if !ok || !(isObject && a.Name == "properties" || drawn && a.Name == "geometry" || isText && a.Name == "path") {
			return nil
		}
		out[a.Name] = v
	}
	return out
}

// lay puts over a feature what its event's geoElement keeps.
func (el *Element) lay(f *feature) {
	all := el.All(geoElement)
	if len(all) != 1 {
		return
	}
	geo := all[0].geo()
	for key, v := range asObject(geo["properties"]) {
		if _, ok := position(v); !slices.Contains(fixed, key) && (ok || key != "center") {
			f.Properties[key] = v
		}
	}
	if g := geo["geometry"]; g != nil {
		f.Geometry = g
	}
	if path := geo["path"]; path != nil {
		f.Path = path
	}
}

func asObject(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// decoded is a text of JSON as its value, its numbers with their digits.
func decoded(b []byte) (v any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, false
	}
	_, err := d.Token()
	return v, err == io.EOF
}

// FromGeoJSON makes an event of one feature. It needs an id, the properties type, time, start and stale, and a Point, LineString or Polygon, or any
// geometry beside a property center. What CoT has no place for is kept in an element of its own, so that GeoJSON gives it back.
func FromGeoJSON(b []byte) (Event, error) {
	if len(b) > MaxEvent {
		return Event{}, geoFault("", "Split it", "a feature of more than %d bytes", MaxEvent)
	}
	v, ok := decoded(b)
	in := asObject(v)
	p := asObject(in["properties"])
	switch {
	case !ok || in == nil || in["type"] != "Feature":
		return Event{}, geoFault("", "Give one GeoJSON object of type Feature", "no feature")
	case p == nil:
		return Event{}, geoFault("properties", "Give an object", "no properties")
	}
	e := Event{Version: "2.0"}
	_, isFlag := in["id"].(bool)
	if e.UID, ok = scalar(in["id"]); !ok || isFlag {
		return Event{}, geoFault("id", "Give the feature an id", "no id that can be a uid")
	}
	if err := e.hear(p); err != nil {
		return Event{}, err
	}
	corners, err := e.place(asObject(in["geometry"]), p)
	if err != nil {
		return Event{}, err
	}
	if err := e.build(p, corners); err != nil {
		return Event{}, err
	}
	if err := e.Check(); err != nil {
		return Event{}, err
	}
	return e, e.keep(in, p)
}

func geoFault(place, hint, format string, args ...any) error {
	return &atalaya.Error{Op: "cot.geojson", Place: place, Kind: atalaya.BadInput, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// hear takes the properties that are attributes of event and of point.
func (e *Event) hear(p map[string]any) error {
	for _, a := range e.said() {
		v, has := p[a.name]
		if !has {
			continue
		}
		text, ok := v.(string)
		if !ok || !writable(text) {
			return geoFault("property "+a.name, "Give text", "%s cannot be written", short(fmt.Sprint(v)))
		}
		*a.text = text
	}
	for _, name := range [...]string{"time", "start", "stale"} {
		text, _ := p[name].(string)
		stamp, ok := parseStamp(text)
		if !ok {
			return geoFault("property "+name, "Give UTC, as 2026-03-01T15:04:05.123Z", "%q is no time with a zone", short(text))
		}
		*e.dated()[name] = stamp
	}
	unknown := Number{Value: Unknown}
	e.Point.HAE, e.Point.CE, e.Point.LE = unknown, unknown, unknown
	for name, into := range map[string]*Number{"ce": &e.Point.CE, "le": &e.Point.LE} {
		v, has := p[name]
		if !has {
			continue
		}
		n, ok := v.(json.Number)
		if *into, ok = parsed(n, ok); !ok {
			return geoFault("property "+name, "Give metres", "%s is no number", short(fmt.Sprint(v)))
		}
	}
	return nil
}

func parsed(n json.Number, is bool) (Number, bool) {
	if !is {
		return Number{}, false
	}
	return parseNumber(n.String())
}

// place sets the point, and gives the corners of what is drawn.
func (e *Event) place(g map[string]any, p map[string]any) (corners []corner, err error) {
	coordinates, ok := g["coordinates"], true
	center, _ := p["center"].([]any)
	switch g["type"] {
	case "Point":
		center, ok = coordinates.([]any)
	case "LineString":
		corners, ok = positions(coordinates)
	case "Polygon":
		rings, is := coordinates.([]any)
		if ok = is && len(rings) > 0; ok {
			corners, ok = positions(rings[0])
		}
	default:
		ok = isGeometry(g) && center != nil
	}
	if !ok {
		return nil, geoFault("geometry", "Give a Point, a LineString or a Polygon", "no geometry that CoT can draw")
	}
	at, ok := position(center)
	if !ok && len(corners) > 0 {
		at, ok = corners[0], true
	}
	if !ok {
		return nil, geoFault("geometry", "Give longitude, latitude, and a height if there is one", "no position")
	}
	e.Point.Lon, e.Point.Lat = at[0], at[1]
	if len(at) > 2 {
		e.Point.HAE = at[2]
	}
	return corners, nil
}

// isGeometry reports whether g is a geometry of RFC 7946, its lines and polygons with positions on the Earth.
func isGeometry(g map[string]any) bool {
	switch coordinates := g["coordinates"]; g["type"] {
	case "LineString":
		_, ok := positions(coordinates)
		return ok
	case "Polygon":
		rings, _ := coordinates.([]any)
		for _, ring := range rings {
			if _, ok := positions(ring); !ok {
				return false
			}
		}
		return len(rings) > 0
	case "Point", "MultiPoint", "MultiLineString", "MultiPolygon":
		_, ok := coordinates.([]any)
		return ok
	case "GeometryCollection":
		_, ok := g["geometries"].([]any)
		return ok
	}
	return false
}

// build makes the detail of the properties.
func (e *Event) build(p map[string]any, corners []corner) error {
	e.Detail = &Element{Name: "detail"}
	raw := &Element{}
	if v, has := p[rawProperty]; has {
		text, ok := v.(string)
		budget := MaxNodes
		nodes, fault := fragment(text, 0, 3, &budget)
		if !ok {
			return geoFault("property "+rawProperty, "Give elements of XML", "no text")
		}
		if fault != nil {
			return geoFault("property "+rawProperty, "Give elements of XML", "%v", fault.Err)
		}
		raw.Nodes = nodes
	}
	given := map[string]bool{geoElement: true} // what stands in detail_xml wins
	for _, n := range raw.Nodes {
		if n.Kind == Child {
			given[n.Child.Name] = true
		}
	}
	add := func(el *Element) {
		if el != nil && !given[el.Name] {
			e.Detail.Add(el)
		}
	}
	add(hearContact(p))
	add(textOf("remarks", p["remarks"]))
	if p["archived"] == true {
		add(&Element{Name: "archive"})
	}
	for i := range spreads {
		add(spreads[i].hear(p))
	}
	for _, t := range tints {
		if argb, ok := toARGB(p[t.colour], p[t.opacity]); ok {
			add(&Element{Name: t.element, Attrs: []Attr{{t.attr, argb}}})
		}
	}
	for _, o := range objects {
		if of := asObject(p[o.property]); of != nil {
			if el, ok := o.shape.element(o.element, of); ok {
				add(el)
			}
		}
	}
	add(hearVideo(p))
	add(hearMarti(p))
	if list, ok := p["attachments"].([]any); ok {
		if text, err := line(list); err == nil && writable(string(text)) {
			add(&Element{Name: "attachment_list", Attrs: []Attr{{"hashes", string(text)}}})
		}
	}
	if of := asObject(asObject(p["shape"])["ellipse"]); of != nil {
		if el, ok := figure.element("shape", map[string]any{"ellipse": of}); ok {
			add(el)
			corners = nil // they follow from the ellipse
		}
	}
	for _, el := range hearLinks(p, corners) {
		add(el)
	}
	e.Detail.Nodes = append(e.Detail.Nodes, raw.Nodes...)
	return nil
}

func textOf(name string, v any) *Element {
	text, ok := v.(string)
	if !ok || !writable(text) {
		return nil
	}
	return textElement(name, text)
}

func hearContact(p map[string]any) *Element {
	of := map[string]any{}
	for key, v := range asObject(p["contact"]) {
		of[key] = v
	}
	if v, has := p["callsign"]; has {
		of["callsign"] = v
	}
	el, ok := plain.element("contact", of)
	if !ok || len(of) == 0 {
		return nil
	}
	return el
}

func hearVideo(p map[string]any) *Element {
	in := asObject(p["video"])
	if in == nil {
		return nil
	}
	of := map[string]any{}
	for key, v := range in {
		if key == "connection" {
			key = "ConnectionEntry"
		}
		of[key] = v
	}
	el, ok := video.element("__video", of)
	if !ok || len(of) != len(in) {
		return nil
	}
	return el
}

func hearMarti(p map[string]any) *Element {
	of := map[string]any{}
	if p["marti_archive"] == true {
		of["archive"] = true
	}
	switch dest := p["dest"].(type) {
	case map[string]any:
		of["dest"] = []any{dest}
	case []any:
		of["dest"] = dest
	}
	el, ok := marti.element("marti", of)
	if !ok || len(of) == 0 {
		return nil
	}
	return el
}

// hearLinks makes the links of the list, and those that are the corners of what is drawn, unless the list holds these.
func hearLinks(p map[string]any, corners []corner) (out []*Element) {
	list, _ := p["links"].([]any)
	for _, v := range list {
		of := asObject(v)
		el, ok := plain.element("link", of)
		if of == nil || !ok {
			return nil
		}
		if of["point"] != nil {
			corners = nil
		}
		out = append(out, el)
	}
	for _, c := range corners {
		text := c[1].String() + "," + c[0].String()
		if len(c) > 2 {
			text += "," + c[2].String()
		}
		out = append(out, &Element{Name: "link", Attrs: []Attr{{"point", text}}})
	}
	return out
}

// keep adds what the event does not say of the feature that it was made of.
func (e *Event) keep(in, p map[string]any) error {
	text, err := e.GeoJSON()
	if err != nil {
		return err
	}
	v, _ := decoded(text)
	out := asObject(v)
	has := asObject(out["properties"])
	el := &Element{Name: geoElement}
	rest := map[string]any{}
	for key, v := range p {
		if !slices.Contains(fixed, key) && !same(v, has[key]) {
			rest[key] = v
		}
	}
	add := func(name string, v any) {
		if text, err := json.Marshal(v); err == nil { // all of it came out of JSON
			el.Attrs = append(el.Attrs, Attr{name, string(text)})
		}
	}
	if len(rest) > 0 {
		add("properties", rest)
	}
	if !same(in["geometry"], out["geometry"]) {
		add("geometry", in["geometry"])
	}
	if path, is := in["path"].(string); is && path != "/" {
		add("path", path)
	}
	if len(el.Attrs) > 0 {
		e.Detail.Add(el)
	}
	if len(e.Detail.Nodes) == 0 {
		e.Detail = nil
	}
	return e.Check()
}

// same reports whether two values of JSON are alike, numbers by what they say.
func same(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, is := b.(map[string]any)
		if !is || len(a) != len(b) {
			return false
		}
		for key, v := range a {
			if w, has := b[key]; !has || !same(v, w) {
				return false
			}
		}
		return true
	case []any:
		b, is := b.([]any)
		return is && slices.EqualFunc(a, b, same)
	case json.Number:
		b, is := b.(json.Number)
		if !is {
			return false
		}
		n1, d1, p1, ok1 := decimal(a.String())
		n2, d2, p2, ok2 := decimal(b.String())
		return a == b || ok1 && ok2 && d1 == d2 && p1 == p2 && (n1 == n2 || d1 == "")
	}
	return reflect.DeepEqual(a, b)
}

func (n Number) finite() bool { return !math.IsNaN(n.Value) && !math.IsInf(n.Value, 0) }

// fromHex reads ARGB as eight hexadecimal digits.
func fromHex(s string) (colour string, opacity float64, ok bool) {
	s = strings.TrimPrefix(strings.Trim(s, blanks), "#")
	v, err := strconv.ParseUint(s, 16, 32)
	if len(s) != 8 || err != nil {
		return "", 0, false
	}
	colour, opacity = tint(uint32(v))
	return colour, opacity, true
}
