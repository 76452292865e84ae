// Package cot is what may leave as Cursor on Target: events of allow-listed types alone, and a released place as a spot marker. The codec is sense/cot; this is
// the door. Relays drop the attributes that say who may have an event, so the marking stands in the call sign and in the remarks too.
package cot

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/sense/cot"
)

// allowed are the types that may leave, and whether all that they begin may: places and imagery that somebody should look at, files, words, and the
// protocol's own control. All else is refused: tasks and orders of every kind, and whatever calls anything hostile.
var allowed = []struct {
	name  string
	whole bool // this type alone, not those below it
}{
	{"b-m-p-s-m", true}, // spot marker
	{"a-u-G", true},     // unknown, on the ground
	{"a-s-G", true},     // suspect, on the ground
	{"b-i", false},      // imagery
	{"b-f-t-r", true},   // a file is there
	{"b-f-t-a", true},   // a file was received
	{"b-t-f", false},    // words
	{"t-x", false},      // control of the protocol
}

// Encode writes an event as XML, if its type may leave; else the error is of the kind atalaya.Refused.
func Encode(e cot.Event) ([]byte, error) {
	if !slices.ContainsFunc(allowed, func(a struct {
		name  string
		whole bool
	}) bool {
		return e.Type == a.name || !a.whole && strings.HasPrefix(e.Type, a.name+"-")
	}) {
		return nil, &atalaya.Error{Op: "cot", Place: fmt.Sprintf("type %.40q", e.Type), Kind: atalaya.Refused, Err: fmt.Errorf("this type does not leave"),
			Hint: "Only places, imagery, files and words do: see docs/reference/package.md"}
	}
	if err := e.Check(); err != nil {
		return nil, err
	}
	return append(e.XML(), '\n'), nil
}

// FileName and MediaType are those of a released place.
const (
	FileName  = "lead.cot.xml"
	MediaType = "application/xml"
)

// Lead writes the centre of a released place as a spot marker, from the GeoJSON of its package (atalaya.lead/1) alone: nothing else of the record comes here.
// ce is the radius of the 50 % region in metres; heights are unknown. It goes stale when the release expires.
func Lead(geojson []byte) ([]byte, error) {
	var l struct {
		Schema, Marking, Reference string
		Features                   []struct {
			Geometry   struct{ Coordinates json.RawMessage }
			Properties struct {
				Role, Probability, Released, Expires string
				ErrorM                               float64 `json:"error_p50_m"`
				NameES                               string  `json:"name_es"`
				NameEN                               string  `json:"name_en"`
				WordES                               string  `json:"word_es"`
				WordEN                               string  `json:"word_en"`
				AsOf                                 string  `json:"as_of"`
			}
		}
	}
	if err := json.Unmarshal(geojson, &l); err != nil {
		return nil, fmt.Errorf("cot: %w", err)
	}
	m, err := atalaya.ParseMarking(l.Marking)
	if l.Schema != "atalaya.lead/1" || err != nil || len(l.Features) == 0 {
		return nil, fmt.Errorf("cot: %.40q is not the GeoJSON of a package", l.Schema)
	}
	f := l.Features[len(l.Features)-1]
	p := f.Properties
	var at [2]float64
	if err := json.Unmarshal(f.Geometry.Coordinates, &at); err != nil || p.Role != "centre" {
		return nil, fmt.Errorf("cot: the GeoJSON of a package ends with its centre")
	}
	released, err1 := time.Parse(time.DateOnly, p.Released)
	expires, err2 := time.Parse(time.DateOnly, p.Expires)
	if err1 != nil || err2 != nil {
		return nil, fmt.Errorf("cot: the GeoJSON of a package has the days of its release and of its end")
	}
	banner := m.Banner()
	number := func(v float64) cot.Number { return cot.Number{Value: v} }
	e := cot.Event{Version: "2.0", UID: l.Reference, Type: "b-m-p-s-m", How: "m-f", Time: cot.Stamp{Time: released}, Start: cot.Stamp{Time: released}, Stale: cot.Stamp{Time: expires},
		Point:  cot.Point{Lat: number(at[1]), Lon: number(at[0]), HAE: number(cot.Unknown), CE: number(p.ErrorM), LE: number(cot.Unknown)},
		Access: class(banner), Caveat: banner, ReleasableTo: strings.Join(m.REL(), " "), Detail: &cot.Element{Name: "detail"}}
	contact := &cot.Element{Name: "contact", Attrs: []cot.Attr{{Name: "callsign", Value: banner + " — " + p.NameES + " / " + p.NameEN}}}
	remarks := &cot.Element{Name: "remarks", Nodes: []cot.Node{{Kind: cot.Text, Text: strings.Join([]string{
		banner,
		l.Reference,
		"Probabilidad / Probability: " + p.Probability + " (" + p.WordES + " / " + p.WordEN + ")",
		fmt.Sprintf("Radio del 50 %% / 50 %% radius: %.0f m", p.ErrorM),
		"Al día / As of: " + p.AsOf + "; caduca / expires: " + p.Expires,
	}, "\n")}}}
	e.Detail.Add(contact)
	e.Detail.Add(remarks)
	return Encode(e)
}

// class is what a banner begins with.
func class(banner string) string {
	c, _, _ := strings.Cut(banner, "//")
	return c
}
