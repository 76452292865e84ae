package product

import (
	"bytes"
	"fmt"
	"image/color"
	"strings"

	"github.com/atalaya-isr/atalaya/review"
	"github.com/twpayne/go-kml/v3"
)

// KML writes an OGC KML 2.2 document without a single external reference, so that it draws offline. The marking stands in the
// names and descriptions, because viewers and relays drop attributes.
type KML struct{}

// Name is the file's name.
func (KML) Name() string { return "lead.kml" }

// MediaType is its media type.
func (KML) MediaType() string { return "application/vnd.google-earth.kml+xml" }

// Encode writes the file.
func (k KML) Encode(r review.Released, o Options) ([]byte, error) { return encodeWith(k, r, o) }

// Fill opacity of the regions, largest first, out of 255: the smallest is the darkest.
var fills = [...]uint8{0x30, 0x40, 0x60}

func (KML) encode(l *lead) ([]byte, error) {
	banner := l.marking.Banner()
	doc := kml.Document(kml.Name(banner+" — "+leadName.es+" / "+leadName.en+" "+l.ref), kml.Description(banner+"\n"+l.text()))
	for i, r := range l.regions {
		edge := color.RGBA{0xd9, 0x5f, 0x02, 0xff}
		fill := color.RGBA{0xd9, 0x5f, 0x02, fills[i]}
		doc.Add(kml.SharedStyle("p"+r.share[2:], kml.LineStyle(kml.Color(edge), kml.Width(2)), kml.PolyStyle(kml.Color(fill))))
	}
	for _, r := range l.regions {
		name := r.name()
		doc.Add(kml.Placemark(kml.Name(banner+" — "+name.es+" / "+name.en), kml.Description(banner), kml.StyleURL("#p"+r.share[2:]), l.polygons(r)))
	}
	doc.Add(kml.Placemark(kml.Name(banner+" — "+leadName.es+" / "+leadName.en), kml.Description(banner+"\n"+l.text()),
		kml.Point(kml.Coordinates(l.coordinate(l.centre)))))
	var b bytes.Buffer
	if err := kml.KML(doc).WriteIndent(&b, "", " "); err != nil {
		return nil, fmt.Errorf("product: kml: %w", err)
	}
	return append(bytes.TrimRight(b.Bytes(), "\n"), '\n'), nil
}

func (l *lead) coordinate(n node) kml.Coordinate {
	lon, lat := l.degrees(n)
	return kml.Coordinate{Lon: lon, Lat: lat}
}

func (l *lead) polygons(r region) kml.Element {
	multi := kml.MultiGeometry()
	for _, part := range r.parts {
		var ring []kml.Coordinate
		for _, n := range append(part[:len(part):len(part)], part[0]) {
			ring = append(ring, l.coordinate(n))
		}
		multi.Add(kml.Polygon(kml.OuterBoundaryIs(kml.LinearRing(kml.Coordinates(ring...)))))
	}
	return multi
}

// text is the whole lead in words, Spanish first, for descriptions.
func (l *lead) text() string {
	var b strings.Builder
	for _, lang := range languages {
		for _, s := range l.sections(lang) {
			fmt.Fprintf(&b, "%s\n", s.title)
			for _, line := range s.lines {
				fmt.Fprintf(&b, "- %s\n", line)
			}
		}
		b.WriteByte('\n')
	}
	return strings.TrimSpace(b.String())
}
