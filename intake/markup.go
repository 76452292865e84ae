package intake

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
)

// xmlScan is what a pass over an XML document shows. Nothing is built from it and no entity is expanded.
type xmlScan struct {
	root, space string
	attrs       map[string]string // of the root element
	ism         bool              // an element or attribute in the namespace of IC-ISM
	count       map[string]int    // elements by local name, of the first 200 names
	entity      int               // entity declarations
	at          string            // place of err
	err         error
	cut         bool
}

func scanXML(r io.Reader) *xmlScan {
	s := &xmlScan{attrs: map[string]string{}, count: map[string]int{}}
	limited := &io.LimitedReader{R: r, N: maxTextBytes}
	d := xml.NewDecoder(limited)
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		e, err := htmlindex.Get(label)
		if err != nil {
			return nil, fmt.Errorf("the encoding %q is not known", clean(label))
		}
		return e.NewDecoder().Reader(in), nil
	}
	depth := 0
	for {
		t, err := d.RawToken() // Token would also match ends to beginnings, at the price of a stack as deep as the document
		if err != nil {
			if limited.N <= 0 {
				s.cut = true
			} else if err != io.EOF {
				s.fail(d, err)
			} else if depth != 0 {
				s.fail(d, errors.New("the document ends before its root element does"))
			} else if s.root == "" {
				s.fail(d, errors.New("no root element"))
			}
			return s
		}
		switch t := t.(type) {
		case xml.Directive:
			s.entity += bytes.Count(t, []byte("<!ENTITY"))
		case xml.EndElement:
			depth--
		case xml.StartElement:
			if depth++; depth > maxDepth {
				s.fail(d, fmt.Errorf("elements nested more than %d deep", maxDepth))
				return s
			}
			s.element(t)
		}
	}
}

func (s *xmlScan) fail(d *xml.Decoder, err error) {
	line, _ := d.InputPos()
	s.at = fmt.Sprintf("line %d", line)
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		err = errors.New(syntax.Msg)
	}
	s.err = err
}

// ismSpace begins the namespace of IC-ISM attributes.
const ismSpace = "urn:us:gov:ic:ism"

func (s *xmlScan) element(t xml.StartElement) {
	if s.root == "" {
		s.root = t.Name.Local
		for _, a := range t.Attr {
			if a.Name.Local == "xmlns" || a.Name.Space == "xmlns" && a.Name.Local == t.Name.Space {
				s.space = a.Value
			}
			if len(s.attrs) < 100 {
				s.attrs[a.Name.Local] = a.Value
			}
		}
	}
	for _, a := range t.Attr {
		if strings.HasPrefix(a.Value, ismSpace) {
			s.ism = true
		}
	}
	if _, ok := s.count[t.Name.Local]; ok || len(s.count) < 200 {
		s.count[t.Name.Local]++
	}
}

// entities tells entity declarations: they are a way to make a small file large, and no format here needs them.
func (s *xmlScan) entities(l *look, at string) {
	if s.entity > 0 {
		l.lost(at, "%d entity declarations; they are not expanded", s.entity)
	}
}

func (l *look) xml() bool {
	s := scanXML(l.all())
	if s.root == "" {
		if !l.hasPrefix("<?xml") {
			return l.prose()
		}
	}
	ext := strings.ToLower(path.Ext(l.name))
	switch {
	case s.root == "kml":
		l.is(KML, "KML document")
		l.Summary["placemarks"] = s.count["Placemark"]
	case s.root == "gpx":
		l.is(GPX, "GPX document")
		l.Summary["waypoints"], l.Summary["track_points"] = s.count["wpt"], s.count["trkpt"]
	case s.root == "event" && s.attrs["uid"] != "" && s.attrs["type"] != "":
		l.cot() // reads on behind what is wrong, and tells it
		return true
	case s.root == "tmx":
		l.is(TMX, "translation memory")
		l.Summary["units"] = s.count["tu"]
	case s.ism:
		l.is(ISMXML, "XML with IC-ISM markings, root element %s", clean(s.root))
	case ext == ".kml" && kmlElements[s.root]:
		l.is(KML, "KML document")
		l.Summary["placemarks"] = s.count["Placemark"]
		l.note("", "a bare %s where the root element should be kml", s.root)
	case ext == ".kml": // the content says XML only, the name breaks the tie
		l.is(KML, "named as KML")
		l.lost("", "not KML: its root element is %q", clean(s.root))
	default:
		l.is(Text, "XML of another kind, root element %s", clean(s.root))
	}
	if s.err != nil {
		l.lost(s.at, "%v", s.err)
	}
	if s.cut {
		l.Summary["looked_through_bytes"] = maxTextBytes
	}
	s.entities(l, "")
	return true
}

// jsonScan is what a pass over a JSON file shows: the keys and short strings of the top level, and how many values there are.
type jsonScan struct {
	keys     map[string]string // top-level keys of the first value (of its first element, for a list) with their strings
	list     bool
	values   int // values in the file: more than one for JSON Lines
	elements int // of the top-level list, or of "features" or "objects"
	at       string
	err      error
	cut      bool
}

func scanJSON(r io.Reader) *jsonScan {
	s := &jsonScan{keys: map[string]string{}}
	limited := &io.LimitedReader{R: r, N: maxTextBytes}
	d := json.NewDecoder(limited)
	type level struct {
		object  bool
		key     string // of the member being read
		haveKey bool
	}
	var stack []level
	for {
		t, err := d.Token()
		if err != nil {
			switch {
			case limited.N <= 0:
				s.cut = true
			case err == io.EOF && len(stack) == 0:
			case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
				s.at, s.err = fmt.Sprintf("byte 0x%x", d.InputOffset()), errors.New("the document ends in the middle")
			default:
				s.at, s.err = fmt.Sprintf("byte 0x%x", d.InputOffset()), err
			}
			return s
		}
		depth := len(stack)
		if depth > 0 && stack[depth-1].object && !stack[depth-1].haveKey {
			if k, ok := t.(string); ok {
				stack[depth-1].key, stack[depth-1].haveKey = k, true
				continue
			}
		}
		// A value begins, or a container ends.
		delim, isDelim := t.(json.Delim)
		if isDelim && (delim == '}' || delim == ']') {
			stack = stack[:depth-1]
			continue
		}
		if depth == 0 {
			s.values++
			s.list = s.list || isDelim && delim == '['
		}
		if depth == 1 && !stack[0].object {
			s.elements++
		}
		if depth == 2 && stack[0].object && !stack[1].object && (stack[0].key == "features" || stack[0].key == "objects") {
			s.elements++
		}
		if depth > 0 && stack[depth-1].object {
			first := s.values == 1 && (depth == 1 || depth == 2 && s.list && s.elements == 1)
			if text, _ := t.(string); first && len(s.keys) < 1000 {
				s.keys[stack[depth-1].key] = text[:min(len(text), 200)]
			}
			stack[depth-1].haveKey = false
		}
		if isDelim {
			if depth >= maxDepth {
				s.at, s.err = fmt.Sprintf("byte 0x%x", d.InputOffset()), fmt.Errorf("nested more than %d deep", maxDepth)
				return s
			}
			stack = append(stack, level{object: delim == '{'})
		}
	}
}

func (s *jsonScan) has(keys ...string) bool {
	for _, k := range keys {
		if _, ok := s.keys[k]; !ok {
			return false
		}
	}
	return true
}

// geometryOf names, for each type of GeoJSON (RFC 7946), the member that it cannot be without.
var geometryOf = map[string]string{"FeatureCollection": "features", "Feature": "geometry", "GeometryCollection": "geometries", "Point": "coordinates",
	"MultiPoint": "coordinates", "LineString": "coordinates", "MultiLineString": "coordinates", "Polygon": "coordinates", "MultiPolygon": "coordinates"}

// stixID is the form of a STIX identifier (STIX 2.1 section 2.9).
var stixID = regexp.MustCompile(`^([a-z0-9][a-z0-9-]*)--[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

func (l *look) json() bool {
	s := scanJSON(l.all())
	if s.values == 0 || s.err != nil && len(s.keys) == 0 && s.elements == 0 {
		if strings.HasPrefix(strings.ToLower(path.Ext(l.name)), ".json") || strings.EqualFold(path.Ext(l.name), ".geojson") {
			l.is(JSON, "JSON that cannot be read")
			l.lost(s.at, "%v", s.err)
			return true
		}
		return false // a text that begins with a bracket
	}
	kind := s.keys["type"]
	id := stixID.FindStringSubmatch(s.keys["id"])
	switch {
	case strings.HasPrefix(s.keys["schema"], "atalaya.truth"):
		l.is(Truth, "the truth of a made or measured case, for scoring only")
		l.Summary["schema"] = clean(s.keys["schema"])
	case strings.HasPrefix(s.keys["schema"], "atalaya.detections/"):
		l.sheet()
		return true
	case geometryOf[kind] != "" && s.has(geometryOf[kind]):
		l.is(GeoJSON, "GeoJSON %s", kind)
		if kind == "FeatureCollection" {
			l.Summary["features"] = s.elements
			if s.err == nil {
				l.layer()
			}
		}
	case id != nil && id[1] == kind:
		l.is(STIX, "STIX %s", clean(kind))
		if kind == "bundle" {
			l.Summary["objects"] = s.elements
		}
	case s.has("id", "schema") && (s.has("properties") || s.has("entity_id", "prop", "value")) && !strings.Contains(s.keys["schema"], "."):
		l.is(FTM, "FollowTheMoney entities or statements")
		l.Summary["entities"] = max(s.values, s.elements)
	case s.has("$schema") && strings.Contains(s.keys["$schema"], "json-schema.org"):
		l.is(JSON, "a JSON schema")
	default:
		l.is(JSON, "JSON")
		if s.keys["schema"] != "" {
			l.Summary["schema"] = clean(s.keys["schema"])
		}
	}
	if s.values > 1 {
		l.Summary["values"] = s.values
	}
	if s.list {
		l.Summary["elements"] = s.elements
	}
	if s.cut {
		l.Summary["looked_through_bytes"] = maxTextBytes
	}
	if s.err != nil {
		l.lost(s.at, "%v", s.err)
	}
	return true
}
