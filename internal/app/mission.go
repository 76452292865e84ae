package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
)

// MissionFile is mission.yaml: what a mission is about and under whose authority it was flown. Every key is optional, but
// without sorties nothing that was flown can be released.
type MissionFile struct {
	Name    string           `yaml:"name" json:"name"`
	Area    yaml.Node        `yaml:"area" json:"-"`
	From    time.Time        `yaml:"from" json:"from"`
	To      time.Time        `yaml:"to" json:"to"`
	Origin  []float64        `yaml:"origin" json:"origin,omitempty"` // lat, lon, height_hae_m of local frames
	Start   time.Time        `yaml:"start" json:"start"`             // of surveys that count seconds from an unnamed start; `from` when absent
	Marking string           `yaml:"marking" json:"marking"`
	Sorties []atalaya.Sortie `yaml:"sorties" json:"sorties,omitempty"`
	// Platforms name what flew; a platform that is also a sortie's is tied to it.
	Platforms []string `yaml:"platforms" json:"platforms,omitempty"`
	// Files ties a file, or a folder with a closing slash, to the sortie that brought it home.
	Files map[string]atalaya.SortieID `yaml:"files" json:"files,omitempty"`
	Note  string                      `yaml:"note" json:"note,omitempty"`
	// DensitiesPerKm2 are how many sites, and things of each class, there are a square kilometre before anything is seen, in the place of the
	// assumptions of locate/site.
	DensitiesPerKm2 map[string]float64 `yaml:"densities_per_km2" json:"densities_per_km2,omitempty"`

	Bounds *[4]float64 `yaml:"-" json:"bounds,omitempty"` // west, south, east, north of Area
}

// maxMissionFile bounds mission.yaml; a real one has a few kilobytes.
const maxMissionFile = 1 << 20

// UnmarkedMission is the marking of a mission that states none: unclassified, for official use only, so released to nobody.
const UnmarkedMission = "U//FOUO"

// ReadMission reads mission.yaml of a folder; a folder without one is a mission named by the folder.
func ReadMission(dir string) (MissionFile, error) {
	m := MissionFile{Name: filepath.Base(filepath.Clean(dir)), Marking: UnmarkedMission}
	path := filepath.Join(dir, "mission.yaml")
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, &atalaya.Error{Op: "mission.read", File: path, Kind: atalaya.Failed, Err: err}
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxMissionFile+1))
	if err != nil {
		return m, &atalaya.Error{Op: "mission.read", File: path, Kind: atalaya.Failed, Err: err}
	}
	bad := func(place, hint, format string, args ...any) error {
		return &atalaya.Error{Op: "mission.read", File: "mission.yaml", Place: place, Kind: atalaya.BadInput, Hint: hint, Err: fmt.Errorf(format, args...)}
	}
	if len(b) > maxMissionFile {
		return m, bad("", "Keep only the keys of the reference page", "larger than %d bytes", maxMissionFile)
	}
	if err := readYAML(string(b), &m); err != nil {
		return m, err
	}
	if strings.TrimSpace(m.Name) == "" {
		m.Name = filepath.Base(filepath.Clean(dir))
	}
	if n := len(m.Origin); n != 0 && (n < 2 || n > 3 || !(geodesy.LatLon{Lat: m.Origin[0], Lon: m.Origin[1]}).Valid()) {
		return m, bad("key origin", "Write origin: [lat, lon, height_hae_m] in degrees and metres", "%v is no position", m.Origin)
	}
	p, err := atalaya.ParseMarking(m.Marking)
	if err != nil {
		return m, bad("key marking", "Write it as (U) or (U//REL TO USA, MEX)", "%q is no marking", m.Marking)
	}
	m.Marking = string(p.Label())
	if !m.From.IsZero() && !m.To.IsZero() && m.To.Before(m.From) {
		return m, bad("key to", "Give the end after the beginning", "the mission ends before it begins")
	}
	for _, s := range m.Sorties {
		if s.ID == "" {
			return m, bad("key sorties", "Give each sortie an id", "a sortie has no id")
		}
	}
	if err := checkDensities(m.DensitiesPerKm2); err != nil {
		return m, err
	}
	if m.Area.Kind != 0 {
		if m.Bounds, err = boundsOf(&m.Area); err != nil {
			return m, bad(fmt.Sprintf("line %d, key area", m.Area.Line), "Write a GeoJSON polygon, or [west, south, east, north]", "%v", err)
		}
	}
	return m, nil
}

// boundsOf reads a bounding box or the bounds of a GeoJSON geometry written in YAML.
func boundsOf(n *yaml.Node) (*[4]float64, error) {
	var box []float64
	if n.Decode(&box) == nil && len(box) == 4 {
		b := [4]float64(box)
		if b[1] > b[3] || !(geodesy.LatLon{Lat: b[1], Lon: b[0]}).Valid() || !(geodesy.LatLon{Lat: b[3], Lon: b[2]}).Valid() {
			return nil, fmt.Errorf("%v is no box", box)
		}
		return &b, nil
	}
	var g struct {
		Type        string        `yaml:"type"`
		Coordinates [][][]float64 `yaml:"coordinates"`
	}
	if err := n.Decode(&g); err != nil || g.Type != "Polygon" || len(g.Coordinates) == 0 {
		return nil, errors.New("neither a box of four numbers nor a GeoJSON Polygon")
	}
	b := [4]float64{180, 90, -180, -90}
	for _, p := range g.Coordinates[0] {
		if len(p) < 2 || !(geodesy.LatLon{Lat: p[1], Lon: p[0]}).Valid() {
			return nil, fmt.Errorf("%v is no position", p)
		}
		b = [4]float64{min(b[0], p[0]), min(b[1], p[1]), max(b[2], p[0]), max(b[3], p[1])}
	}
	return &b, nil
}

// ID names the mission by its name: two folders of one name are one mission.
func (m MissionFile) ID() atalaya.MissionID {
	return atalaya.MissionID(atalaya.NameOf("mis_", m.Name))
}

// SortieOf is the sortie that brought a file home: the longest entry of Files that the path begins with, else the only
// sortie there is, else none.
func (m MissionFile) SortieOf(path string) atalaya.SortieID {
	best, id := -1, atalaya.SortieID("")
	for prefix, s := range m.Files {
		if (path == prefix || strings.HasSuffix(prefix, "/") && strings.HasPrefix(path, prefix)) && len(prefix) > best {
			best, id = len(prefix), s
		}
	}
	if best < 0 && len(m.Sorties) == 1 {
		return m.Sorties[0].ID
	}
	return id
}

// epoch is what seconds count from in a survey that names no start.
func (m MissionFile) epoch() time.Time {
	if !m.Start.IsZero() {
		return m.Start
	}
	return m.From
}
