package ground

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/jsonfile"
)

// Bounds of one layer. Beyond them it is refused at once, so that memory and time stay bounded.
const (
	MaxFeatures = 500_000
	MaxPermits  = 100_000
	MaxPieces   = 2_000_000 // of all lines and edges together, cut to at most pieceM each
	maxFeature  = 16 << 20  // bytes of one
	maxText     = 200       // bytes of a name
)

const (
	pieceM = 2000.0 // over which a line that is straight in longitude and latitude leaves the chord by less than a metre up to 85° of latitude
	// How far apart two corners that follow each other may lie: what is longer is a slip of the pen, and no road. Areas are cut straight at the edge of a sheet.
	longestLineM, longestEdgeM = 200e3, 1000e3
	// townM is how far a town reaches around the point that stands for it, unless the file says: an assumption.
	townM = 500.0
	// permitM is how well a permit's place is known, unless the file says: an address, an assumption.
	permitM = 50.0
)

const metresNorth = math.Pi / 180 * geodesy.MeanRadiusM // of a degree, within half a percent

func metresEast(lat float64) float64 { return metresNorth * math.Cos(lat*geodesy.RadPerDegree) }

// Read reads one layer; name is the file's name in messages. A feature of a kind that means nothing here is passed over and counted, one that
// cannot be true is left out and told; the error (an *atalaya.Error) is for a file that is no JSON, that breaks off, or is beyond the bounds.
// GeoJSON that is no FeatureCollection is a layer without shapes.
func Read(r io.Reader, name string) (*Layer, []jsonfile.Problem, error) {
	p := &reading{Reader: jsonfile.NewReader(r, name, "ground.read"), layer: Layer{Name: name}, passed: map[string]int{}}
	p.Page, p.Most, p.Foreign = "docs/reference/layers.md", maxFeature, true
	if err := p.Object("layer", p.member); err != nil {
		return nil, p.Problems(), err
	}
	p.end()
	return &p.layer, p.Problems(), nil
}

type reading struct {
	*jsonfile.Reader
	layer  Layer
	kind   string         // of the whole document
	passed map[string]int // features by their kind, where it means nothing
}

func (p *reading) member(key string) error {
	switch key {
	case "type":
		return p.Value(key, &p.kind)
	case "features":
		return p.List(key, "feature", MaxFeatures, p.feature)
	}
	return p.Pass(key)
}

func (p *reading) end() {
	if p.kind != "FeatureCollection" {
		p.Tell(false, p.Fail("key type", "Put its features into a FeatureCollection, each with a kind", "%q is kept, not used: it is no FeatureCollection", jsonfile.Short(p.kind)))
		p.layer = Layer{Name: p.layer.Name}
		return
	}
	if len(p.passed) == 0 {
		return
	}
	var each []string
	n := 0
	for _, k := range slices.Sorted(maps.Keys(p.passed)) {
		n += p.passed[k]
		if len(each) < 5 {
			each = append(each, fmt.Sprintf("%s (%d)", k, p.passed[k]))
		} else if len(each) == 5 {
			each = append(each, "...")
		}
	}
	p.Tell(false, p.Fail("", "Give properties.kind of "+p.Page+" to what should count", "%d features passed over, their kinds mean nothing here: %s", n, strings.Join(each, ", ")))
}

func (p *reading) feature(place string, raw []byte) error {
	p.layer.Features++
	var kind string
	var props, geometry json.RawMessage
	if !p.Fields(place, raw, map[string]any{"type": &kind, "properties": &props, "geometry": &geometry}) {
		return nil
	}
	var what any // another program's kind may be a number
	if len(props) > 0 && !p.Fields(place, props, map[string]any{"kind": &what}) {
		return nil
	}
	text, _ := what.(string)
	s := Shape{Kind: Kind(text)}
	if !slices.Contains(Kinds[:], s.Kind) {
		p.pass(text, what)
		return nil
	}
	var sigma, radius *float64
	if !p.Fields(place, props, map[string]any{"class": &s.Class, "name": &s.Name, "position_sigma_m": &sigma, "radius_m": &radius}) {
		return nil
	}
	f := s.describe(sigma, radius)
	if f == nil {
		f = p.geometry(place, geometry, &s)
	}
	if f == nil && s.Kind == Permits {
		if len(p.layer.Permits)+len(s.Points) > MaxPermits {
			return p.Fail(place, "Split the file", "more than %d permits", MaxPermits)
		}
		for _, at := range s.Points {
			p.layer.Permits = append(p.layer.Permits, Permit{s.Class, s.Name, at, s.RadiusM})
		}
		return nil
	}
	if f != nil {
		if f.hint != "" {
			p.Tell(true, p.Fail(place, f.hint, "%s", f.what))
		}
		return nil
	}
	return p.keep(place, s)
}

// pass counts a feature whose kind means nothing here.
func (p *reading) pass(text string, what any) {
	switch {
	case text != "":
		text = jsonfile.Short(oneLine(text))
	case what == nil:
		text = "none"
	default:
		text = "no text"
	}
	if _, seen := p.passed[text]; !seen && len(p.passed) >= jsonfile.MaxProblems {
		text = "others"
	}
	p.passed[text]++
}

// keep adds a shape to the layer, within the bound of pieces.
func (p *reading) keep(place string, s Shape) error {
	s.each(func(a, b geodesy.LatLon) { p.layer.Pieces += cuts(a, b) })
	if p.layer.Pieces += len(s.Points); p.layer.Pieces > MaxPieces {
		return p.Fail(place, "Split the file, or draw its lines with fewer corners", "more than %d pieces of at most %g km", MaxPieces, pieceM/1000)
	}
	for _, l := range s.Lines {
		p.around(l)
	}
	for _, a := range s.Areas {
		for _, r := range a {
			p.around(r)
		}
	}
	p.around(s.Points)
	p.layer.Shapes = append(p.layer.Shapes, s)
	return nil
}

func (p *reading) around(ps []geodesy.LatLon) {
	for _, at := range ps {
		p.layer.Box.add(at)
	}
}

// each hands out every line and edge of a shape.
func (s *Shape) each(do func(a, b geodesy.LatLon)) {
	for _, l := range s.Lines {
		for i := 1; i < len(l); i++ {
			do(l[i-1], l[i])
		}
	}
	for _, a := range s.Areas {
		for _, r := range a {
			for i := range r {
				do(r[i], r[(i+1)%len(r)])
			}
		}
	}
}

// cuts is into how many pieces a line is cut for the index.
func cuts(a, b geodesy.LatLon) int { return max(1, int(math.Ceil(apart(a, b)/pieceM))) }

// apart is about how far two places lie from each other, metres, at most a few percent too much: along the line that is straight in degrees.
func apart(a, b geodesy.LatLon) float64 {
	return math.Hypot((b.Lat-a.Lat)*metresNorth, geodesy.Wrap180(b.Lon-a.Lon)*metresEast(min(math.Abs(a.Lat), math.Abs(b.Lat)))) * 1.01
}

// fault is what cannot be true of a feature, and what to write instead.
type fault struct{ hint, what string }

func wrong(hint, format string, args ...any) *fault {
	return &fault{hint, fmt.Sprintf(format, args...)}
}

// describe takes what a feature says of itself.
func (s *Shape) describe(sigma, radius *float64) *fault {
	within := func(v *float64, otherwise, most float64) (float64, bool) {
		if v == nil {
			return otherwise, true
		}
		return *v, *v > 0 && *v <= most
	}
	ok := true
	switch {
	case !showable(s.Name) || !showable(s.Class):
		return wrong(fmt.Sprintf("Give name and class in at most %d bytes on one line", maxText), "%q, %q cannot be shown", jsonfile.Short(oneLine(s.Name)), jsonfile.Short(oneLine(s.Class)))
	case s.Kind == Permits:
		if !slices.Contains(PermitClasses[:], s.Class) {
			return wrong("Give class as one of "+strings.Join(PermitClasses[:], ", "), "a permit of class %q", jsonfile.Short(s.Class))
		}
		if s.RadiusM, ok = within(sigma, permitM, 50e3); !ok {
			return wrong("Give position_sigma_m in metres, above 0, at most 50000", "position_sigma_m of %g", *sigma)
		}
	case s.Kind == Town:
		if s.RadiusM, ok = within(radius, townM, 50e3); !ok {
			return wrong("Give radius_m in metres, above 0, at most 50000", "radius_m of %g", *radius)
		}
	}
	return nil
}

// geometry takes where a feature is. What Fields told already comes back as a fault without a hint.
func (p *reading) geometry(place string, raw json.RawMessage, s *Shape) *fault {
	var form string
	var coordinates json.RawMessage
	if !p.Fields(place, raw, map[string]any{"type": &form, "coordinates": &coordinates}) {
		return &fault{}
	}
	var f *fault
	take := func(into any) bool {
		if err := json.Unmarshal(coordinates, into); err != nil || len(coordinates) == 0 {
			f = wrong("Write coordinates as RFC 7946 does: [longitude, latitude]", "no coordinates of a %s", form)
			return false
		}
		return true
	}
	var point []float64
	var line [][]float64
	var area [][][]float64
	var areas [][][][]float64
	switch form {
	case "Point":
		if take(&point) {
			f = s.points([][]float64{point})
		}
	case "MultiPoint":
		if take(&line) {
			f = s.points(line)
		}
	case "LineString":
		if take(&line) {
			f = s.line(line)
		}
	case "MultiLineString":
		if take(&area) {
			for _, l := range area {
				f = first(f, s.line(l))
			}
		}
	case "Polygon":
		if take(&area) {
			f = s.area(area)
		}
	case "MultiPolygon":
		if take(&areas) {
			for _, a := range areas {
				f = first(f, s.area(a))
			}
		}
	case "":
		f = wrong("Give a geometry, or leave the feature out", "no geometry")
	default:
		f = wrong("Give points, lines or polygons", "a %s", jsonfile.Short(oneLine(form)))
	}
	if f == nil && !s.fits() {
		f = wrong("Give "+formsOf[s.Kind], "a %s of kind %s", form, s.Kind)
	}
	return f
}

func first(a, b *fault) *fault {
	if a != nil {
		return a
	}
	return b
}

// formsOf says which geometries a kind may have.
var formsOf = map[Kind]string{Road: "lines", Track: "lines", River: "lines or polygons", Water: "lines, polygons or points", Town: "polygons, or a point with radius_m",
	LandUse: "polygons", Permits: "points"}

func (s *Shape) fits() bool {
	forms := formsOf[s.Kind]
	return (len(s.Lines) == 0 || strings.Contains(forms, "line")) && (len(s.Areas) == 0 || strings.Contains(forms, "polygon")) &&
		(len(s.Points) == 0 || strings.Contains(forms, "point"))
}

func (s *Shape) points(raw [][]float64) *fault {
	ps, f := places(raw)
	s.Points = append(s.Points, ps...)
	if f == nil && len(ps) == 0 {
		return wrong("Give at least one", "no points")
	}
	return f
}

func (s *Shape) line(raw [][]float64) *fault {
	ps, f := places(raw)
	if f == nil && len(ps) < 2 {
		f = wrong("Give at least two corners", "a line of %d", len(ps))
	}
	for i := 1; f == nil && i < len(ps); i++ {
		f = tooFar(ps[i-1], ps[i], longestLineM)
	}
	s.Lines = append(s.Lines, ps)
	return f
}

func (s *Shape) area(raw [][][]float64) *fault {
	var rings [][]geodesy.LatLon
	for _, r := range raw {
		ps, f := places(r)
		if f != nil {
			return f
		}
		if n := len(ps); n > 1 && ps[0] == ps[n-1] {
			ps = ps[:n-1]
		}
		if len(ps) < 3 {
			return wrong("Give each ring at least three corners and the first again", "a ring of %d corners", len(ps))
		}
		for i := range ps {
			if f := tooFar(ps[i], ps[(i+1)%len(ps)], longestEdgeM); f != nil {
				return f
			}
		}
		rings = append(rings, ps)
	}
	if len(rings) == 0 {
		return wrong("Give at least one ring", "a polygon without rings")
	}
	s.Areas = append(s.Areas, rings)
	return nil
}

func tooFar(a, b geodesy.LatLon, most float64) *fault {
	if d := apart(a, b); d > most {
		return wrong("Correct it, or give more corners", "two corners that follow each other lie %.0f km apart", d/1000)
	}
	return nil
}

func places(raw [][]float64) ([]geodesy.LatLon, *fault) {
	out := make([]geodesy.LatLon, len(raw))
	for i, c := range raw {
		if len(c) < 2 || !(geodesy.LatLon{Lat: c[1], Lon: c[0]}).Valid() {
			return nil, wrong("Write [longitude, latitude] in degrees", "%v is no position", c[:min(len(c), 3)])
		}
		out[i] = geodesy.LatLon{Lat: c[1], Lon: c[0]}
	}
	return out, nil
}

// showable reports whether text can stand on one line of a screen.
func showable(s string) bool { return len(s) <= maxText && !strings.ContainsFunc(s, unicode.IsControl) }

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}
