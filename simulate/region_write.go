package simulate

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/detection"
)

// Names of the files of a region within its mission folder.
const (
	groundFile  = "ground/ground.geojson"
	permitsFile = "detections/permits.detections.json"
)

// Write writes a region as a mission folder: mission.yaml, a sheet of detections a sense and sortie, the reports, and the ground. The truth stays with
// the caller. The same region gives the same bytes.
func (r *Region) Write(out Output) error {
	f := folder{out: out, sortie: map[string]string{}}
	for _, s := range r.Sheets {
		f.sheet(s)
	}
	return r.rest(&f)
}

// folder is a mission folder in the making. After an error nothing more is written.
type folder struct {
	out    Output
	sortie map[string]string // by file
	err    error
}

func (f *folder) write(name string, sortie string, fill func(io.Writer) error) {
	if f.err != nil {
		return
	}
	if sortie != "" {
		f.sortie[name] = sortie
	}
	w, err := f.out.Create(name)
	if err == nil {
		err = fill(w)
		if e := w.Close(); err == nil {
			err = e
		}
	}
	if err != nil {
		f.err = fmt.Errorf("simulate: %s: %w", name, err)
	}
}

func (f *folder) sheet(s detection.Sheet) {
	f.write(sheetFile(s), string(s.Sortie), func(w io.Writer) error { return detection.Write(w, s) })
}

// rest is what a mission folder holds beside what its sensors brought home.
func (r *Region) rest(f *folder) error {
	for _, q := range r.Reports {
		f.write(path.Join("reports", q.ID+".txt"), "", q.write)
	}
	f.write(groundFile, "", r.Ground.write)
	f.write("mission.yaml", "", func(w io.Writer) error { return r.mission(w, f.sortie) })
	f.write("README.txt", "", func(w io.Writer) error { return readme(w, r.Scenario.Name, r.Seed) })
	return f.err
}

func sheetFile(s detection.Sheet) string {
	if s.Sortie == "" {
		return permitsFile
	}
	return fmt.Sprintf("detections/%s-%s.detections.json", s.Sortie, s.Kind)
}

// write writes a report with its header. A denial says niega, lineage is the header's origen, which counts a report once however often it is passed on.
func (q RegionReport) write(w io.Writer) error {
	head := fmt.Sprintf("fecha: %s\nlugar: %.4f, %.4f\nradio_m: %g\nfuente: %s\nidioma: %s\n", q.Time.UTC().Format(time.RFC3339), q.At.Lat, q.At.Lon, q.RadiusM, q.Grade, q.Language)
	for _, l := range q.Lineage {
		head += "origen: " + l + "\n"
	}
	if q.Denies {
		head += "niega: si\n"
	}
	_, err := fmt.Fprintf(w, "%saviso: SYNTHETIC - texto inventado, no describe a nadie ni a ningún lugar\n\n%s\n", head, q.Text)
	return err
}

// write writes the ground as GeoJSON (RFC 7946), longitude first.
func (g Ground) write(w io.Writer) error {
	type point [2]float64
	at := func(p geodesy.LatLon) point { return point{round(p.Lon, 5), round(p.Lat, 5)} }
	type geometry struct {
		Type        string `json:"type"`
		Coordinates any    `json:"coordinates"`
	}
	type feature struct {
		Type       string         `json:"type"`
		Properties map[string]any `json:"properties"`
		Geometry   geometry       `json:"geometry"`
	}
	var all []feature
	lines := func(kind string, of []Line) {
		for _, l := range of {
			c := make([]point, 0, len(l.Points))
			for _, p := range l.Points {
				c = append(c, at(p))
			}
			all = append(all, feature{"Feature", map[string]any{"kind": kind, "name": l.Name}, geometry{"LineString", c}})
		}
	}
	lines("road", g.Roads)
	lines("track", g.Tracks)
	lines("river", g.Rivers)
	lines("water", g.Shore)
	for _, t := range g.Towns {
		all = append(all, feature{"Feature", map[string]any{"kind": "town", "name": t.Name, "radius_m": t.RadiusM}, geometry{"Point", at(t.At)}})
	}
	if _, err := io.WriteString(w, "{\"type\":\"FeatureCollection\",\"note\":\"SYNTHETIC: no such place exists\",\"features\":[\n"); err != nil {
		return err
	}
	for i, f := range all {
		b, err := json.Marshal(f)
		if err != nil {
			return err
		}
		end := ",\n"
		if i == len(all)-1 {
			end = "\n"
		}
		if _, err := fmt.Fprintf(w, "%s%s", b, end); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "]}\n")
	return err
}

// mission writes mission.yaml, with the sorties that were flown.
func (r *Region) mission(w io.Writer, files map[string]string) error {
	var flown []Sortie
	for _, s := range r.Sorties {
		if s.Lost == "" {
			flown = append(flown, s.Sortie)
		}
	}
	c := r.Scenario.Centre
	m := missionFile{
		Name: fmt.Sprintf("SYNTHETIC %s, seed %d", r.Scenario.Name, r.Seed), Area: []float64{round(r.Area.West, 5), round(r.Area.South, 5), round(r.Area.East, 5), round(r.Area.North, 5)},
		From: r.From, To: r.To, Origin: []float64{c[0], c[1], 0}, Marking: r.Scenario.Marking, Sorties: flown, Files: files, Note: missionNote,
	}
	if stated := r.Scenario.StatedPerKm2(); stated > 0 {
		m.DensitiesPerKm2 = map[string]float64{"site": stated}
	}
	e := yaml.NewEncoder(w)
	if err := e.Encode(m); err != nil {
		return err
	}
	return e.Close()
}
