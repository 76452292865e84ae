package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/color"

	"github.com/atalaya-isr/atalaya"
	"github.com/twpayne/go-kml/v3"
)

// The files that an advice is handed to a person in. Each carries its marking within, because viewers and relays drop what stands beside a file.

const legName, startName = "Siguiente tramo / Next leg", "Comienzo / Start"

// GeoJSON is the advice as a FeatureCollection of the legs, the best first: longitude, latitude and height above ground. It is Refused without a marking,
// and for a survey that has no place on the Earth.
func (a *Advice) GeoJSON(m atalaya.Marking) ([]byte, error) {
	if err := a.releasable(m); err != nil {
		return nil, err
	}
	type geometry struct {
		Type        string       `json:"type"`
		Coordinates [][3]float64 `json:"coordinates"`
	}
	type properties struct {
		Marking string `json:"marking"`
		Proposal
		Note Words `json:"note"`
	}
	type feature struct {
		Type       string     `json:"type"`
		Geometry   geometry   `json:"geometry"`
		Properties properties `json:"properties"`
	}
	doc := struct {
		Type     string    `json:"type"`
		Marking  string    `json:"marking"`
		Features []feature `json:"features"`
	}{"FeatureCollection", m.Banner(), nil}
	for _, l := range a.Legs {
		f := feature{"Feature", geometry{Type: "LineString"}, properties{m.Banner(), l, a.Note}}
		for _, p := range l.Points {
			f.Geometry.Coordinates = append(f.Geometry.Coordinates, [3]float64{*p.Lon, *p.Lat, p.HeightM})
		}
		doc.Features = append(doc.Features, f)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(doc); err != nil {
		return nil, fmt.Errorf("plan: geojson: %w", err)
	}
	return b.Bytes(), nil
}

// KML is the advice as an OGC KML 2.2 document without external references, heights relative to the ground; the marking stands in every name.
func (a *Advice) KML(m atalaya.Marking) ([]byte, error) {
	if err := a.releasable(m); err != nil {
		return nil, err
	}
	banner := m.Banner()
	doc := kml.Document(kml.Name(banner+" — "+legName), kml.Description(banner+"\n"+a.Note.ES+"\n"+a.Note.EN))
	best, other := color.RGBA{0xd9, 0x5f, 0x02, 0xff}, color.RGBA{0x75, 0x70, 0xb3, 0xff}
	doc.Add(kml.SharedStyle("best", kml.LineStyle(kml.Color(best), kml.Width(4))), kml.SharedStyle("other", kml.LineStyle(kml.Color(other), kml.Width(2))))
	for _, l := range a.Legs {
		var c []kml.Coordinate
		for _, p := range l.Points {
			c = append(c, kml.Coordinate{Lon: *p.Lon, Lat: *p.Lat, Alt: p.HeightM})
		}
		style, name := "#other", fmt.Sprintf("%s — %s %d", banner, legName, l.Rank)
		if l.Rank == 1 {
			style = "#best"
		}
		text := fmt.Sprintf("%s\n%s\n%s\n%.2f bit, %.1f min, %.0f m", banner, l.Why.ES, l.Why.EN, l.Bits.Mean, l.Minutes, l.Points[0].HeightM)
		doc.Add(kml.Placemark(kml.Name(name), kml.Description(text), kml.StyleURL(style),
			kml.LineString(kml.AltitudeMode(kml.AltitudeModeRelativeToGround), kml.Coordinates(c...))))
		if l.Rank == 1 {
			doc.Add(kml.Placemark(kml.Name(banner+" — "+startName), kml.Description(banner),
				kml.Point(kml.AltitudeMode(kml.AltitudeModeRelativeToGround), kml.Coordinates(c[0]))))
		}
	}
	var b bytes.Buffer
	if err := kml.KML(doc).WriteIndent(&b, "", " "); err != nil {
		return nil, fmt.Errorf("plan: kml: %w", err)
	}
	return append(bytes.TrimRight(b.Bytes(), "\n"), '\n'), nil
}

func (a *Advice) releasable(m atalaya.Marking) error {
	switch {
	case m.Class() == atalaya.Unmarked:
		return &atalaya.Error{Op: "plan.encode", Kind: atalaya.BadUse, Err: plain("no marking"), Hint: "Give --marking, such as U or U//SYNTHETIC; each file carries it"}
	case len(a.Legs) == 0 || a.Legs[0].Points[0].Lat == nil:
		return &atalaya.Error{Op: "plan.encode", Kind: atalaya.BadInput, Err: plain("the survey has no place on the Earth, and so no map has one for the leg"), Hint: "Add # origin: lat,lon above its header"}
	}
	return nil
}
