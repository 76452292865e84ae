package simulate

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/atalaya-isr/atalaya/numeric"
)

// report writes what somebody said. Its header puts the place somewhere in a disc of seven tenths of the stated radius, to a
// thousandth of a degree, as people do who were told.
func (c *country) report(w io.Writer, r Report, chance *numeric.Stream) error {
	p := c.places[r.About]
	s, k := math.Sincos(2 * math.Pi * chance.Float64())
	off := 0.7 * r.RadiusM * math.Sqrt(chance.Float64())
	at := c.latLon(p.east+off*s, p.north+off*k)
	_, err := fmt.Fprintf(w, "fecha: %s\nlugar: %.3f, %.3f\nradio_m: %g\nfuente: %s\naviso: SYNTHETIC - texto inventado, no describe a nadie ni a ningún lugar\n\n%s\n",
		r.At.UTC().Format(time.RFC3339), at.Lat, at.Lon, r.RadiusM, r.Grade, strings.TrimSpace(r.Text))
	return err
}

// missionFile is mission.yaml.
type missionFile struct {
	Name    string            `yaml:"name"`
	Area    []float64         `yaml:"area,flow"` // west, south, east, north
	From    time.Time         `yaml:"from"`
	To      time.Time         `yaml:"to"`
	Origin  []float64         `yaml:"origin,flow"` // lat, lon, height_hae_m
	Marking string            `yaml:"marking"`
	Sorties []Sortie          `yaml:"sorties"`
	Files   map[string]string `yaml:"files"`
	Note    string            `yaml:"note"`

	DensitiesPerKm2 map[string]float64 `yaml:"densities_per_km2,omitempty,flow"`
}

const missionNote = "SYNTHETIC: made by a simulator; people, places, authorities and consents are invented"

// districtPerKm2 is the density of sites that small campaigns state: nobody flies over a hundred square kilometres that are as any others. An assumption.
const districtPerKm2 = 1e-3

// mission writes mission.yaml.
func (c *country) mission(w io.Writer) error {
	h := c.HalfWidthM
	sw, ne := c.latLon(-h, -h), c.latLon(h, h)
	m := missionFile{
		Name: fmt.Sprintf("SYNTHETIC %s, seed %d", c.Name, c.seed), Area: []float64{round(sw.Lon, 5), round(sw.Lat, 5), round(ne.Lon, 5), round(ne.Lat, 5)},
		From: c.From.UTC(), To: c.To.UTC(), Origin: []float64{c.Centre[0], c.Centre[1], c.GroundHAE}, Marking: c.Marking, Sorties: c.Sorties, Files: c.files,
		Note: missionNote, DensitiesPerKm2: map[string]float64{"site": districtPerKm2},
	}
	e := yaml.NewEncoder(w)
	if err := e.Encode(m); err != nil {
		return err
	}
	return e.Close()
}

func (c *country) readme(w io.Writer) error { return readme(w, c.Name, c.seed) }

func readme(w io.Writer, name string, seed uint64) error {
	_, err := fmt.Fprintf(w, "SYNTHETIC. Everything in this folder was made by a simulator: scenario %q, seed %d.\nNo such place, person, flight, authority or consent exists.\n", name, seed)
	return err
}

// TruthSchema names the form of truth; nothing but score reads it.
const TruthSchema = "atalaya.truth/1"

// Truth is what a campaign was made from.
type Truth struct {
	Schema   string      `json:"schema"`
	Scenario string      `json:"scenario"`
	Seed     uint64      `json:"seed"`
	Sites    []TrueSite  `json:"sites"`
	Decoys   []TrueDecoy `json:"decoys"`
	// Of a region alone: places without a name, the place that caused each detection ("thing" is something in the
	// world at no place of the truth; what is not named is nothing at all), what each report was.
	Homesteads []TrueDecoy       `json:"homesteads,omitempty"`
	Causes     map[string]string `json:"causes,omitempty"`
	Reports    []ReportTruth     `json:"reports,omitempty"`
}

// TrueSite is a place that was to be found.
type TrueSite struct {
	ID      string             `json:"id"`
	Lat     float64            `json:"lat"`
	Lon     float64            `json:"lon"`
	From    time.Time          `json:"from"`
	To      time.Time          `json:"to"`
	RateKgS map[string]float64 `json:"rate_kg_s"`       // mean; of a region while it works
	Group   string             `json:"group,omitempty"` // the site of which this is one stay, for one that moves
	Quiet   bool               `json:"quiet,omitempty"`
}

// TrueDecoy is a place that only looks like one.
type TrueDecoy struct {
	ID      string             `json:"id,omitempty"`
	Kind    string             `json:"kind"`
	Lat     float64            `json:"lat"`
	Lon     float64            `json:"lon"`
	RateKgS map[string]float64 `json:"rate_kg_s,omitempty"`
	Permit  bool               `json:"permit,omitempty"` // one is on file
}

// Write writes the truth as JSON. Keep it out of the mission folder.
func (t Truth) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(t)
}

func (c *country) truth() Truth {
	t := Truth{Schema: TruthSchema, Scenario: c.Name, Seed: c.seed, Sites: []TrueSite{}, Decoys: []TrueDecoy{}}
	for _, s := range c.Places {
		p := c.places[s.Name]
		at := c.latLon(p.east, p.north)
		rates := map[string]float64{}
		for k, v := range s.Emits {
			rates[k] = v / 1000
		}
		switch s.Kind {
		case "ground":
		case "site":
			t.Sites = append(t.Sites, TrueSite{ID: s.Name, Lat: at.Lat, Lon: at.Lon, From: s.From.UTC(), To: s.To.UTC(), RateKgS: rates})
		default:
			t.Decoys = append(t.Decoys, TrueDecoy{Kind: s.Kind, Lat: at.Lat, Lon: at.Lon, RateKgS: rates})
		}
	}
	return t
}
