package simulate

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"regexp"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/yamlfile"
)

// A Scenario says what is in the country and what is flown over it; docs/reference/scenarios.md describes its file.
type Scenario struct {
	Name       string     `yaml:"name"`
	About      string     `yaml:"about"`
	Centre     [2]float64 `yaml:"centre"`       // lat, lon
	GroundHAE  float64    `yaml:"ground_hae_m"` // flat ground, above the ellipsoid
	HalfWidthM float64    `yaml:"half_width_m"` // of the square country
	ApartM     float64    `yaml:"apart_m"`      // the least distance between two places
	From       time.Time  `yaml:"from"`         // of the mission
	To         time.Time  `yaml:"to"`           // of the mission: the time of assessment
	Marking    string     `yaml:"marking"`      // portion marking
	Wind       Wind       `yaml:"wind"`         // mean wind and turbulence
	Air        Air        `yaml:"air"`          // for mixing ratios
	Places     []Place    `yaml:"places"`       // what is there
	Sorties    []Sortie   `yaml:"sorties"`      // who flew, under which authority
	Gas        []Gas      `yaml:"gas"`          // gas surveys
	Instrument []Channel  `yaml:"gas_channels"` // of the one instrument that they share
	Bearings   Bearings   `yaml:"bearings"`     // of a distant aircraft
	Video      Video      `yaml:"video"`        // metadata of a camera
	Film       Film       `yaml:"film"`         // its pictures of a place, with their metadata
	Reports    []Report   `yaml:"reports"`      // in words
}

// Sortie is a flight as mission.yaml names it.
type Sortie = atalaya.Sortie

// Wind is the mean wind at ten metres and how it varies. The seed turns the direction by up to FromSpreadDeg either way.
type Wind struct {
	SpeedMPS      float64 `yaml:"speed_mps"`
	FromDeg       float64 `yaml:"from_deg"`
	FromSpreadDeg float64 `yaml:"from_spread_deg"`
	RoughnessM    float64 `yaml:"roughness_m"`
	SigmaV        float64 `yaml:"sigma_v_mps"` // turbulence across the wind
	SigmaW        float64 `yaml:"sigma_w_mps"` // and up
	TimescaleS    float64 `yaml:"timescale_s"` // Lagrangian
	// MeanderDeg and GustShare are the standard deviations of the wind's slow turning and of the logarithm of its speed, with
	// the timescale MeanderS.
	MeanderDeg    float64 `yaml:"meander_deg"`
	GustShare     float64 `yaml:"gust_share"`
	MeanderS      float64 `yaml:"meander_s"`
	Intermittency float64 `yaml:"intermittency"` // of the emission: standard deviation of its logarithm
}

// Air is the state of the air.
type Air struct {
	TemperatureC float64 `yaml:"temperature_c"`
	PressureHPa  float64 `yaml:"pressure_hpa"`
}

// Place is something in the country. Kind "site" is what the mission looks for, "ground" is nothing at all, every other kind
// is a decoy.
type Place struct {
	Name    string             `yaml:"name"`
	Kind    string             `yaml:"kind"`
	HeightM float64            `yaml:"height_m"`  // of its vent
	Emits   map[string]float64 `yaml:"emits_g_s"` // by compound
	From    time.Time          `yaml:"from"`      // a site works from, to
	To      time.Time          `yaml:"to"`
}

// Channel is one compound that the gas instrument tells, in ppb.
type Channel struct {
	Name          string  `yaml:"name"`
	CAS           string  `yaml:"cas"`
	MolarMass     float64 `yaml:"molar_mass"` // g/mol
	NoisePPB      float64 `yaml:"noise_ppb"`
	BackgroundPPB float64 `yaml:"background_ppb"`
}

// Gas is one gas survey: a leg across the wind at each distance downwind of about where a place is (MissM away from it, in a
// direction that the seed chooses), in turn at the heights given.
type Gas struct {
	File       string    `yaml:"file"`
	Sortie     string    `yaml:"sortie"`
	Sensor     string    `yaml:"sensor"`
	At         time.Time `yaml:"at"`
	Near       string    `yaml:"near"`
	MissM      float64   `yaml:"miss_m"`
	DistancesM []float64 `yaml:"distances_m"` // negative is upwind
	HeightsM   []float64 `yaml:"heights_m"`
	HalfLegM   float64   `yaml:"half_leg_m"`
	SpeedMPS   float64   `yaml:"speed_mps"`
}

// Bearings is one flight of an aircraft that hears emitters.
type Bearings struct {
	File      string    `yaml:"file"`
	Sortie    string    `yaml:"sortie"`
	Group     string    `yaml:"bias_group"`
	At        time.Time `yaml:"at"`
	DistanceM float64   `yaml:"distance_m"` // from the centre of the country, at the nearest
	ArcDeg    float64   `yaml:"arc_deg"`    // how far around the country it flies, seen from there
	HeightHAE float64   `yaml:"height_hae_m"`
	SpeedMPS  float64   `yaml:"speed_mps"`
	SigmaDeg  float64   `yaml:"sigma_deg"`
	BiasDeg   float64   `yaml:"bias_deg"`   // standard deviation of the heading error that all share
	WildShare float64   `yaml:"wild_share"` // of bearings that have nothing to do with the emitter
	Emitters  []Emitter `yaml:"emitters"`
}

// Emitter is what is heard: Count bearings on something at most WithinM from a place.
type Emitter struct {
	Name    string  `yaml:"name"`
	Near    string  `yaml:"near"`
	WithinM float64 `yaml:"within_m"`
	Count   int     `yaml:"count"`
}

// Video is the metadata of a camera that looks around one place, then along a road towards another.
type Video struct {
	File    string    `yaml:"file"`
	Sortie  string    `yaml:"sortie"`
	At      time.Time `yaml:"at"`
	Around  string    `yaml:"around"`
	Towards string    `yaml:"towards"`
	// MissM is how far from the second place the road passes; ShortM by how much the look ends before it.
	MissM    float64 `yaml:"miss_m"`
	ShortM   float64 `yaml:"short_m"`
	AGLM     float64 `yaml:"agl_m"`
	OrbitM   float64 `yaml:"orbit_m"`
	SpeedMPS float64 `yaml:"speed_mps"`
	HFOVDeg  float64 `yaml:"hfov_deg"`
	RateHz   float64 `yaml:"rate_hz"`
	OrbitS   float64 `yaml:"orbit_s"`
	RoadS    float64 `yaml:"road_s"`
}

// Report is one report in words about a place, which its header puts somewhere within RadiusM.
type Report struct {
	File    string    `yaml:"file"`
	About   string    `yaml:"about"`
	At      time.Time `yaml:"at"`
	RadiusM float64   `yaml:"radius_m"`
	Grade   string    `yaml:"grade"`
	Text    string    `yaml:"text"`
}

//go:embed scenarios/*.yaml
var built embed.FS

// Scenarios lists the scenarios that come with the program, by name; regions are listed by Regions.
func Scenarios() ([]Scenario, error) {
	names, err := built.ReadDir("scenarios")
	if err != nil {
		return nil, err
	}
	var out []Scenario
	for _, n := range names {
		b, err := built.ReadFile(path.Join("scenarios", n.Name()))
		if err != nil {
			return nil, err
		}
		if KindOfScenario(b) == RegionKind {
			continue
		}
		s, err := ReadScenario(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// Find is the scenario of that name among those that come with the program.
func Find(name string) (Scenario, error) {
	all, err := Scenarios()
	if err != nil {
		return Scenario{}, err
	}
	var names []string
	for _, s := range all {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Scenario{}, &atalaya.Error{Op: "simulate.find", Kind: atalaya.BadUse, Err: fmt.Errorf("no scenario %q", name),
		Hint: "Give one of " + strings.Join(names, ", ") + ", or a scenario file that ends in .yaml"}
}

// MaxScenario bounds a scenario file, bytes; the built-in ones have a few kilobytes.
const MaxScenario = 1 << 20

// ReadScenario reads a scenario file.
func ReadScenario(r io.Reader) (Scenario, error) {
	var s Scenario
	b, err := io.ReadAll(io.LimitReader(r, MaxScenario+1))
	if err != nil {
		return s, err
	}
	if len(b) > MaxScenario {
		return s, scenarioError("", "Keep only the keys of docs/reference/scenarios.md", "larger than %d bytes", MaxScenario)
	}
	if err := yamlfile.Decode(b, &s, true); err != nil {
		return s, unread(err)
	}
	return s, s.check()
}

var (
	unknownKey = regexp.MustCompile(`^line (\d+): field (.+) not found in type \S+$`)
	anyLine    = regexp.MustCompile(`^line (\d+): (.+)$`)
)

// unread says what the YAML reader found wrong, the first of several, without the Go types that it speaks of.
func unread(err error) error {
	const hint = "See docs/reference/scenarios.md for the keys"
	if errors.Is(err, io.EOF) {
		return scenarioError("", hint, "the file is empty")
	}
	what := strings.TrimPrefix(err.Error(), "yaml: ")
	var several *yaml.TypeError
	if errors.As(err, &several) {
		what = several.Errors[0]
	}
	what = strings.ReplaceAll(what, "\n", " ")
	e := &atalaya.Error{Op: "simulate.scenario", Kind: atalaya.BadInput, Hint: hint, Err: errors.New(what)}
	if m := unknownKey.FindStringSubmatch(what); m != nil {
		e.Place, e.Err = "line "+m[1]+", key "+m[2], errors.New("there is no such key")
	} else if m := anyLine.FindStringSubmatch(what); m != nil {
		e.Place, e.Err = "line "+m[1], errors.New(m[2])
	}
	return e
}

// maxGroundSpeedMPS is the fastest that a packet of metadata can say of its platform (ST 0601 item 56, one byte).
const maxGroundSpeedMPS = 255

// roadLimit checks that the camera's aircraft can follow a road of that length in the time given. How far the places lie from
// each other is chance, so this is known only once they are put.
func (v Video) roadLimit(metres float64) error {
	if speed := metres / v.RoadS; speed > maxGroundSpeedMPS {
		return scenarioError("video.road_s", fmt.Sprintf("Give at least %.0f", math.Ceil(metres/maxGroundSpeedMPS)), "%.0f m of road in %g s is %.0f m/s; the metadata can say %d at most", metres, v.RoadS, speed, maxGroundSpeedMPS)
	}
	return nil
}

func scenarioError(key, hint, format string, args ...any) error {
	e := &atalaya.Error{Op: "simulate.scenario", Kind: atalaya.BadInput, Hint: hint, Err: fmt.Errorf(format, args...)}
	if key != "" {
		e.Place = "key " + key
	}
	return e
}

// limits are the numbers of a scenario that must lie within bounds for the simulation to mean anything, and to end.
func (s *Scenario) limits() []limit {
	l := []limit{
		{"half_width_m", s.HalfWidthM, 100, 1e5}, {"apart_m", s.ApartM, 0, 1e5}, {"ground_hae_m", s.GroundHAE, -500, 6000},
		{"wind.speed_mps", s.Wind.SpeedMPS, 0.5, 30}, {"wind.from_deg", s.Wind.FromDeg, 0, 360}, {"wind.from_spread_deg", s.Wind.FromSpreadDeg, 0, 180},
		{"wind.roughness_m", s.Wind.RoughnessM, 0.001, 2}, {"wind.sigma_v_mps", s.Wind.SigmaV, 0, 5}, {"wind.sigma_w_mps", s.Wind.SigmaW, 0, 5},
		{"wind.timescale_s", s.Wind.TimescaleS, 1, 3600}, {"wind.meander_deg", s.Wind.MeanderDeg, 0, 60}, {"wind.gust_share", s.Wind.GustShare, 0, 1},
		{"wind.meander_s", s.Wind.MeanderS, 1, 36000}, {"wind.intermittency", s.Wind.Intermittency, 0, 2},
		{"air.temperature_c", s.Air.TemperatureC, -60, 60}, {"air.pressure_hpa", s.Air.PressureHPa, 300, 1100},
	}
	for _, c := range s.Instrument {
		l = append(l, limit{"gas_channels.molar_mass", c.MolarMass, 1, 1000}, limit{"gas_channels.noise_ppb", c.NoisePPB, 1e-6, 1e6}, limit{"gas_channels.background_ppb", c.BackgroundPPB, 0, 1e6})
	}
	for _, g := range s.Gas {
		l = append(l, limit{"gas.speed_mps", g.SpeedMPS, 1, 100}, limit{"gas.half_leg_m", g.HalfLegM, 10, 1e4}, limit{"gas.miss_m", g.MissM, 0, 1e4},
			limit{"gas.distances_m (how many)", float64(len(g.DistancesM)), 1, 100}, limit{"gas.heights_m (how many)", float64(len(g.HeightsM)), 1, 100})
		for _, d := range g.DistancesM {
			l = append(l, limit{"gas.distances_m", d, -1e4, 1e4})
		}
		for _, h := range g.HeightsM {
			l = append(l, limit{"gas.heights_m", h, 1, 500})
		}
	}
	if b := s.Bearings; b.File != "" {
		l = append(l, limit{"bearings.distance_m", b.DistanceM, 1000, 4e5}, limit{"bearings.arc_deg", b.ArcDeg, 1, 360}, limit{"bearings.height_hae_m", b.HeightHAE, 0, 3e4}, limit{"bearings.speed_mps", b.SpeedMPS, 10, 400},
			limit{"bearings.sigma_deg", b.SigmaDeg, 1e-3, 45}, limit{"bearings.bias_deg", b.BiasDeg, 0, 45}, limit{"bearings.wild_share", b.WildShare, 0, 1})
		for _, e := range b.Emitters {
			l = append(l, limit{"bearings.emitters.count", float64(e.Count), 1, 1000}, limit{"bearings.emitters.within_m", e.WithinM, 0, 1e4})
		}
	}
	if v := s.Video; v.File != "" {
		l = append(l, limit{"video.agl_m", v.AGLM, 50, 1e4}, limit{"video.orbit_m", v.OrbitM, 50, 2e4}, limit{"video.speed_mps", v.SpeedMPS, 5, 120},
			limit{"video.hfov_deg", v.HFOVDeg, 0.1, 60}, limit{"video.rate_hz", v.RateHz, 0.1, 30}, limit{"video.orbit_s", v.OrbitS, 1, 3600},
			limit{"video.road_s", v.RoadS, 1, 3600}, limit{"video.miss_m", v.MissM, 0, 1e4}, limit{"video.short_m", v.ShortM, 0, 1e4})
	}
	if f := s.Film; f.File != "" {
		l = append(l, limit{"film.agl_m", f.AGLM, 200, 1e4}, limit{"film.orbit_m", f.OrbitM, 200, 2 * f.AGLM}, limit{"film.speed_mps", f.SpeedMPS, 5, 120},
			limit{"film.hfov_deg", f.HFOVDeg, 0.5, f.widestDeg()}, limit{"film.rate_hz", f.RateHz, 2, 15}, limit{"film.seconds", f.Seconds, 1, 120})
	}
	for _, r := range s.Reports {
		l = append(l, limit{"reports.radius_m", r.RadiusM, 1, 1e5})
	}
	return l
}

type limit struct {
	key           string
	v, from, upto float64
}

func (s *Scenario) check() error {
	if s.Name == "" {
		return scenarioError("name", "Give the scenario a name", "no name")
	}
	if !(geodesy.LatLon{Lat: s.Centre[0], Lon: s.Centre[1]}).Valid() || math.Abs(s.Centre[0]) > 80 {
		return scenarioError("centre", "Write centre: [lat, lon], within 80 degrees of the equator", "%v is no centre", s.Centre)
	}
	if s.From.IsZero() || !s.To.After(s.From) {
		return scenarioError("to", "Give from and to", "the mission must end after it begins")
	}
	if m, err := atalaya.ParseMarking(s.Marking); err != nil || !strings.Contains(m.Portion(), "SYNTHETIC") {
		return scenarioError("marking", "Write marking: (U//SYNTHETIC)", "what is made up says so in its marking")
	}
	for _, l := range s.limits() {
		if !(l.v >= l.from && l.v <= l.upto) {
			return scenarioError(l.key, "", "%g is not within %g to %g", l.v, l.from, l.upto)
		}
	}
	return s.checkNames()
}

// checkNames makes sure that everything that is named is there, and that no file is written twice or outside the mission.
func (s *Scenario) checkNames() error {
	places, channels, sorties, files := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, c := range s.Instrument {
		channels[c.Name] = true
	}
	for _, p := range s.Places {
		if p.Name == "" || p.Kind == "" || places[p.Name] {
			return scenarioError("places", "Give each place a kind, and a name of its own", "place %q", p.Name)
		}
		places[p.Name] = true
		for c, v := range p.Emits {
			if !channels[c] || !(v >= 0 && v < 1e6) {
				return scenarioError("places.emits_g_s", "Name a compound of gas_channels and its rate in g/s", "%s: %s: %g", p.Name, c, v)
			}
		}
		if p.Kind == "site" && !p.To.After(p.From) {
			return scenarioError("places.to", "Give from and to", "%s: a site works from one time to a later one", p.Name)
		}
	}
	for _, v := range s.Sorties {
		sorties[string(v.ID)] = true
	}
	use := func(key, place, sortie string) error {
		if !places[place] {
			return scenarioError(key, "Name one of places", "there is no place %q", place)
		}
		if sortie != "" && !sorties[sortie] {
			return scenarioError(key, "Name one of sorties", "there is no sortie %q", sortie)
		}
		return nil
	}
	file := func(key, name string) error {
		if name == "" || path.Clean(name) != name || path.IsAbs(name) || name == ".." || strings.HasPrefix(name, "../") || strings.Contains(name, "\\") || files[name] || name == "mission.yaml" {
			return scenarioError(key, "Give each file a slash path of its own within the mission", "%q", name)
		}
		files[name] = true
		return nil
	}
	var errs []error
	for _, g := range s.Gas {
		errs = append(errs, use("gas.near", g.Near, g.Sortie), file("gas.file", g.File))
	}
	if s.Bearings.File != "" {
		errs = append(errs, file("bearings.file", s.Bearings.File))
		for _, e := range s.Bearings.Emitters {
			errs = append(errs, use("bearings.emitters.near", e.Near, s.Bearings.Sortie))
		}
	}
	if s.Video.File != "" {
		errs = append(errs, file("video.file", s.Video.File), use("video.around", s.Video.Around, s.Video.Sortie), use("video.towards", s.Video.Towards, ""))
	}
	if s.Film.File != "" {
		errs = append(errs, file("film.file", s.Film.File), use("film.around", s.Film.Around, s.Film.Sortie))
	}
	for _, r := range s.Reports {
		errs = append(errs, use("reports.about", r.About, ""), file("reports.file", r.File))
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func room(put []place, q place, apart float64) bool {
	for _, p := range put {
		if math.Hypot(p.east-q.east, p.north-q.north) < apart {
			return false
		}
	}
	return true
}
