package product

import (
	"encoding/json"

	"github.com/atalaya-isr/atalaya/review"
)

// GeoJSON writes a feature collection (RFC 7946): the regions, largest first, then the centre. Longitude comes first, outer
// rings run counter-clockwise, and every position is a node of the package's grid.
type GeoJSON struct{}

// Name is the file's name.
func (GeoJSON) Name() string { return "lead.geojson" }

// MediaType is its media type.
func (GeoJSON) MediaType() string { return "application/geo+json" }

// Encode writes the file.
func (g GeoJSON) Encode(r review.Released, o Options) ([]byte, error) { return encodeWith(g, r, o) }

type collection struct {
	Type      string         `json:"type"`
	Schema    string         `json:"schema"`
	Marking   string         `json:"marking"`
	Reference string         `json:"reference"`
	BBox      [4]json.Number `json:"bbox"`
	Features  []feature      `json:"features"`
}

type feature struct {
	Type       string   `json:"type"`
	ID         string   `json:"id"`
	Geometry   geometry `json:"geometry"`
	Properties any      `json:"properties"`
}

type geometry struct {
	Type        string `json:"type"`
	Coordinates any    `json:"coordinates"`
}

type position [2]json.Number

type regionProperties struct {
	Role    string      `json:"role"`
	Share   json.Number `json:"probability_at_least"`
	NameES  string      `json:"name_es"`
	NameEN  string      `json:"name_en"`
	Marking string      `json:"marking"`
}

type centreProperties struct {
	Role         string              `json:"role"`
	Reference    string              `json:"reference"`
	NameES       string              `json:"name_es"`
	NameEN       string              `json:"name_en"`
	Marking      string              `json:"marking"`
	Synthetic    bool                `json:"synthetic"`
	Probability  string              `json:"probability"`
	Calibrated   bool                `json:"calibrated"`
	WordES       string              `json:"word_es"`
	WordEN       string              `json:"word_en"`
	ErrorM       float64             `json:"error_p50_m"`
	AsOf         string              `json:"as_of"`
	Released     string              `json:"released"`
	Expires      string              `json:"expires"`
	RateKgS      map[string]span     `json:"rate_kg_s,omitempty"`
	Evidence     []evidenceJSON      `json:"evidence"`
	Alternatives []alternativeJSON   `json:"alternatives"`
	Unknown      map[string][]string `json:"unknown"`
}

type span struct {
	P05 float64 `json:"p05"`
	P95 float64 `json:"p95"`
}

type evidenceJSON struct {
	Kind       string `json:"kind"`
	ES         string `json:"es"`
	EN         string `json:"en"`
	StrengthES string `json:"strength_es"`
	StrengthEN string `json:"strength_en"`
	Grade      string `json:"grade,omitempty"`
}

type alternativeJSON struct {
	ES          string  `json:"es"`
	EN          string  `json:"en"`
	Probability float64 `json:"probability"`
}

func (GeoJSON) encode(l *lead) ([]byte, error) {
	c := collection{Type: "FeatureCollection", Schema: "atalaya.lead/1", Marking: l.marking.Banner(), Reference: l.ref, BBox: l.bbox()}
	for _, r := range l.regions {
		name := r.name()
		c.Features = append(c.Features, feature{"Feature", l.ref + "_p" + r.share[2:], l.multiPolygon(r),
			regionProperties{"region", json.Number(r.share), name.es, name.en, l.marking.Banner()}})
	}
	c.Features = append(c.Features, feature{"Feature", l.ref, geometry{"Point", l.position(l.centre)}, l.properties()})
	body, err := json.MarshalIndent(c, "", " ")
	return append(body, '\n'), err
}

func (r region) name() phrase {
	percent := r.share[2:]
	return phrase{"Región del " + percent + " %", percent + " % region"}
}

var leadName = phrase{"Lugar candidato", "Candidate site"}

func (l *lead) position(n node) position {
	return position{json.Number(l.lonText(n)), json.Number(l.latText(n))}
}

func (l *lead) multiPolygon(r region) geometry {
	polygons := make([][][]position, 0, len(r.parts))
	for _, part := range r.parts {
		ring := make([]position, 0, len(part)+1)
		for _, n := range part {
			ring = append(ring, l.position(n))
		}
		polygons = append(polygons, [][]position{append(ring, ring[0])})
	}
	if len(polygons) == 1 {
		return geometry{"Polygon", polygons[0]}
	}
	return geometry{"MultiPolygon", polygons}
}

// extent is the south-west and north-east corner of all that the lead shows.
func (l *lead) extent() (sw, ne node) {
	all := []node{l.centre}
	for _, r := range l.regions {
		for _, part := range r.parts {
			all = append(all, part...)
		}
	}
	return box(all)
}

func (l *lead) bbox() [4]json.Number {
	sw, ne := l.extent()
	a, b := l.position(sw), l.position(ne)
	return [4]json.Number{a[0], a[1], b[0], b[1]}
}

func (l *lead) properties() centreProperties {
	w := l.likelihood()
	p := centreProperties{Role: "centre", Reference: l.ref, NameES: leadName.es, NameEN: leadName.en, Marking: l.marking.Banner(), Synthetic: l.marking.Synthetic(),
		Probability: l.probability, Calibrated: l.word != nil, WordES: w.es, WordEN: w.en, ErrorM: l.errorM,
		AsOf: l.asOf, Released: l.released, Expires: l.expires, Evidence: []evidenceJSON{}, Alternatives: []alternativeJSON{},
		Unknown: map[string][]string{"es": {}, "en": {}}}
	for _, r := range l.rates {
		if p.RateKgS == nil {
			p.RateKgS = map[string]span{}
		}
		p.RateKgS[r.compound] = span{r.p05, r.p95}
	}
	for _, e := range l.evidence {
		p.Evidence = append(p.Evidence, evidenceJSON{e.kind, e.what.es, e.what.en, e.strength.es, e.strength.en, e.grade})
	}
	for _, a := range l.alternatives {
		p.Alternatives = append(p.Alternatives, alternativeJSON{a.what.es, a.what.en, a.share})
	}
	for _, u := range l.unknown {
		p.Unknown["es"], p.Unknown["en"] = append(p.Unknown["es"], u.es), append(p.Unknown["en"], u.en)
	}
	return p
}

// likelihood is the calibrated word, or the plain statement that there is none.
func (l *lead) likelihood() phrase {
	if l.word == nil {
		return notCalibrated
	}
	return *l.word
}
