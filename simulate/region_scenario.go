package simulate

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/yamlfile"
)

// A RegionScenario says what a country of up to 40,000 km² is like, and how it is watched for weeks; docs/reference/scenarios.md describes
// its file. It has a form of its own, told apart by its key kind: a Scenario lists places and flights one by one, this one says how they are drawn.
type RegionScenario struct {
	Kind       string     `yaml:"kind"` // RegionKind
	Name       string     `yaml:"name"`
	About      string     `yaml:"about"`
	Centre     [2]float64 `yaml:"centre"` // lat, lon
	WidthKm    float64    `yaml:"width_km"`
	HeightKm   float64    `yaml:"height_km"`
	UTCOffsetH float64    `yaml:"utc_offset_h"` // of the local clock, by which people work
	From       time.Time  `yaml:"from"`
	To         time.Time  `yaml:"to"`
	Marking    string     `yaml:"marking"`
	// SitesStatedPerKm2 is the density of sites that the mission states; 0 is that of the scenario to one digit, as somebody who knows the country would put it.
	SitesStatedPerKm2 float64 `yaml:"sites_stated_per_km2,omitempty"`
	// HomesteadsPerKm2 are small places without a name, which some sense notices now and then; Homesteads of the truth.
	HomesteadsPerKm2 float64 `yaml:"homesteads_per_km2"`
	// ClutterPerKm2 is, by sense, how many detections a km² a sheet has on average that no place caused.
	ClutterPerKm2 map[string]float64 `yaml:"clutter_per_km2"`
	Ground        RegionGround       `yaml:"ground"`
	Wind          RegionWind         `yaml:"wind"`
	Sites         RegionSites        `yaml:"sites"`
	Decoys        RegionDecoys       `yaml:"decoys"`
	Errors        RegionErrors       `yaml:"errors"`
	Sorties       RegionSorties      `yaml:"sorties"`
	Reports       RegionReports      `yaml:"reports"`
}

// RegionKind is the kind of a RegionScenario; a file without a kind is a Scenario.
const RegionKind = "region"

// RegionGround is the shape of the country.
type RegionGround struct {
	ReliefM   float64 `yaml:"relief_m"`   // from the lowest to the highest ground
	HillShare float64 `yaml:"hill_share"` // of the country
	Coast     bool    `yaml:"coast"`      // the low side ends at the sea
	Towns     int     `yaml:"towns"`
	Largest   int     `yaml:"largest_town"` // people
	Rivers    int     `yaml:"rivers"`
	Creeks    int     `yaml:"creeks"`
	Tracks    int     `yaml:"tracks"`
}

// RegionWind is the weather of the campaign: each day has its own wind and cloud, which remember those of the day before.
type RegionWind struct {
	SpeedMPS   float64 `yaml:"speed_mps"` // mean of the afternoons
	FromDeg    float64 `yaml:"from_deg"`
	SpreadDeg  float64 `yaml:"spread_deg"`  // standard deviation of the days' directions
	WeakNights float64 `yaml:"weak_nights"` // share of nights below weakMPS
	Cloud      float64 `yaml:"cloud"`       // mean cover
	Storms     float64 `yaml:"storms"`      // share of days on which small aircraft stay down
}

// RegionSites are what the campaign looks for.
type RegionSites struct {
	Count      int     `yaml:"count"`
	QuietShare float64 `yaml:"quiet_share"`
	Opens      float64 `yaml:"opens"`     // share that opens within the campaign
	Closes     float64 `yaml:"closes"`    // share that closes within it
	FrontShare float64 `yaml:"front"`     // share that holds a permit for something else
	EmitsGS    float64 `yaml:"emits_g_s"` // mean of all compounds together, while it works
	// MovesDays is how long one stays at a place, least and most, before it opens elsewhere; [0, 0] stays.
	MovesDays [2]float64 `yaml:"moves_days,flow"`
	// Chances replaces, by sense, the chance that a site at work is noticed by a good look.
	Chances map[string]float64 `yaml:"chances"`
}

// RegionDecoys are places that are not looked for.
type RegionDecoys struct {
	Count int                `yaml:"count"`
	Mix   map[string]float64 `yaml:"mix"` // relative numbers by kind, in the place of those of the table decoys
	// Chances replaces, by kind and sense, the chance of being noticed by a good look while at work.
	Chances map[string]map[string]float64 `yaml:"chances"`
}

// RegionErrors changes what sensors get wrong.
type RegionErrors struct {
	Shift  float64 `yaml:"shift"`  // factor on the shifts that all positions of a flight share
	Stated float64 `yaml:"stated"` // stated standard deviations over true ones; 1 is honest
}

// RegionSorties is what is flown.
type RegionSorties struct {
	Count       int            `yaml:"count"`
	MostAWeek   int            `yaml:"most_a_week"`
	Mix         map[string]int `yaml:"mix"` // relative numbers by class of platform
	Lost        float64        `yaml:"lost"`
	Authority   string         `yaml:"collection_authority"`
	HostConsent string         `yaml:"host_consent"`
}

// RegionReports is what people say.
type RegionReports struct {
	PerSite     float64 `yaml:"per_site"` // true ones, mean of each site
	Mistaken    float64 `yaml:"mistaken"` // of decoys, mean number
	Rumours     int     `yaml:"rumours"`
	Told        int     `yaml:"told"`        // times that each is told
	Paraphrased float64 `yaml:"paraphrased"` // share of them in other words and without their origin
	Lies        int     `yaml:"lies"`
	Denials     int     `yaml:"denials"`
	English     float64 `yaml:"english"` // share
}

// builtRegions reads the regions among the scenarios that come with the program.
func builtRegions() ([]RegionScenario, error) {
	names, err := built.ReadDir("scenarios")
	if err != nil {
		return nil, err
	}
	var out []RegionScenario
	for _, n := range names {
		b, err := built.ReadFile(path.Join("scenarios", n.Name()))
		if err != nil {
			return nil, err
		}
		if KindOfScenario(b) != RegionKind {
			continue
		}
		s, err := ReadRegion(bytes.NewReader(b))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Name(), err)
		}
		out = append(out, s)
	}
	return out, nil
}

// Regions lists the regions that come with the program, by name.
func Regions() ([]RegionScenario, error) {
	all, err := builtRegions()
	slices.SortFunc(all, func(a, b RegionScenario) int { return cmp.Compare(a.Name, b.Name) })
	return all, err
}

// FindRegion is the region of that name among those that come with the program.
func FindRegion(name string) (RegionScenario, error) {
	all, err := Regions()
	if err != nil {
		return RegionScenario{}, err
	}
	var names []string
	for _, s := range all {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return RegionScenario{}, &atalaya.Error{Op: "simulate.find", Kind: atalaya.BadUse, Err: fmt.Errorf("no region %q", name),
		Hint: "Give one of " + strings.Join(names, ", ") + ", or a scenario file that ends in .yaml"}
}

// KindOfScenario is what a scenario file says of its kind: RegionKind, or "" for a Scenario and for what cannot be read.
func KindOfScenario(b []byte) string {
	var s struct {
		Kind string `yaml:"kind"`
	}
	if len(b) > MaxScenario || yamlfile.Decode(b, &s, false) != nil {
		return ""
	}
	return s.Kind
}

// ReadRegion reads the scenario file of a region.
func ReadRegion(r io.Reader) (RegionScenario, error) {
	s := RegionScenario{Errors: RegionErrors{Shift: 1, Stated: 1}}
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

// Bounds of a region.
const (
	mostRegionKm2 = 40_000
	mostDays      = 120
	leastDays     = 2
)

func (s *RegionScenario) days() float64 { return s.To.Sub(s.From).Hours() / 24 }
func (s *RegionScenario) km2() float64  { return s.WidthKm * s.HeightKm }

// limits are the numbers that must lie within bounds for the simulation to mean anything, and to end.
func (s *RegionScenario) limits() []limit {
	l := []limit{
		{"width_km", s.WidthKm, 10, 400}, {"height_km", s.HeightKm, 10, 400}, {"width_km times height_km", s.km2(), 100, mostRegionKm2}, {"utc_offset_h", s.UTCOffsetH, -12, 14},
		{"to (days from from)", s.days(), leastDays, mostDays}, {"homesteads_per_km2", s.HomesteadsPerKm2, 0, 0.1}, {"sites_stated_per_km2", s.SitesStatedPerKm2, 0, 10},
		{"ground.relief_m", s.Ground.ReliefM, 0, 5000}, {"ground.hill_share", s.Ground.HillShare, 0, 1}, {"ground.towns", float64(s.Ground.Towns), 2, 400}, {"ground.largest_town", float64(s.Ground.Largest), 300, 1e6},
		{"ground.rivers", float64(s.Ground.Rivers), 0, 100}, {"ground.creeks", float64(s.Ground.Creeks), 0, 1000}, {"ground.tracks", float64(s.Ground.Tracks), 1, 5000},
		{"wind.speed_mps", s.Wind.SpeedMPS, 0.5, 20}, {"wind.from_deg", s.Wind.FromDeg, 0, 360}, {"wind.spread_deg", s.Wind.SpreadDeg, 0, 180}, {"wind.weak_nights", s.Wind.WeakNights, 0, 1},
		{"wind.cloud", s.Wind.Cloud, 0, 1}, {"wind.storms", s.Wind.Storms, 0, 0.9},
		{"sites.count", float64(s.Sites.Count), 0, 300}, {"sites.quiet_share", s.Sites.QuietShare, 0, 1}, {"sites.opens", s.Sites.Opens, 0, 1}, {"sites.closes", s.Sites.Closes, 0, 1},
		{"sites.front", s.Sites.FrontShare, 0, 1}, {"sites.emits_g_s", s.Sites.EmitsGS, 0, 1000}, {"sites.moves_days", s.Sites.MovesDays[0], 0, mostDays}, {"sites.moves_days", s.Sites.MovesDays[1], s.Sites.MovesDays[0], mostDays},
		{"decoys.count", float64(s.Decoys.Count), 0, 3000}, {"errors.shift", s.Errors.Shift, 0, 20}, {"errors.stated", s.Errors.Stated, 0.1, 10},
		{"sorties.count", float64(s.Sorties.Count), 1, 400}, {"sorties.most_a_week", float64(s.Sorties.MostAWeek), 1, 100}, {"sorties.lost", s.Sorties.Lost, 0, 0.9},
		{"reports.per_site", s.Reports.PerSite, 0, 10}, {"reports.mistaken", s.Reports.Mistaken, 0, 200}, {"reports.rumours", float64(s.Reports.Rumours), 0, 50}, {"reports.told", float64(s.Reports.Told), 0, 500},
		{"reports.paraphrased", s.Reports.Paraphrased, 0, 1}, {"reports.lies", float64(s.Reports.Lies), 0, 200}, {"reports.denials", float64(s.Reports.Denials), 0, 200}, {"reports.english", s.Reports.English, 0, 1},
	}
	if s.Sites.MovesDays[1] > 0 {
		l = append(l, limit{"sites.moves_days", s.Sites.MovesDays[0], 1, mostDays})
	}
	if s.Sorties.MostAWeek > 0 {
		l = append(l, limit{"sorties.count", float64(s.Sorties.Count), 1, math.Floor(s.days() / 7 * float64(s.Sorties.MostAWeek))})
	}
	return append(l, s.tables()...)
}

// tables are the limits of what is given by sense, kind and class.
func (s *RegionScenario) tables() (l []limit) {
	for _, k := range slices.Sorted(maps.Keys(s.ClutterPerKm2)) {
		l = append(l, limit{"clutter_per_km2." + k, s.ClutterPerKm2[k], 0, 0.2})
	}
	for _, k := range slices.Sorted(maps.Keys(s.Sites.Chances)) {
		l = append(l, limit{"sites.chances." + k, s.Sites.Chances[k], 0, 1})
	}
	for _, k := range slices.Sorted(maps.Keys(s.Decoys.Mix)) {
		l = append(l, limit{"decoys.mix." + k, s.Decoys.Mix[k], 0, 1e6})
	}
	for _, k := range slices.Sorted(maps.Keys(s.Decoys.Chances)) {
		for _, n := range slices.Sorted(maps.Keys(s.Decoys.Chances[k])) {
			l = append(l, limit{"decoys.chances." + k + "." + n, s.Decoys.Chances[k][n], 0, 1})
		}
	}
	for _, k := range slices.Sorted(maps.Keys(s.Sorties.Mix)) {
		l = append(l, limit{"sorties.mix." + k, float64(s.Sorties.Mix[k]), 0, 1e6})
	}
	return l
}

func (s *RegionScenario) check() error {
	if s.Kind != RegionKind {
		return scenarioError("kind", "Write kind: "+RegionKind, "%q is no kind of scenario", s.Kind)
	}
	if s.Name == "" {
		return scenarioError("name", "Give the scenario a name", "no name")
	}
	if !(geodesy.LatLon{Lat: s.Centre[0], Lon: s.Centre[1]}).Valid() || math.Abs(s.Centre[0]) > 70 || math.Abs(s.Centre[1]) > 170 {
		return scenarioError("centre", "Write centre: [lat, lon], within 70 degrees of the equator and 170 of Greenwich", "%v is no centre", s.Centre)
	}
	if s.From.IsZero() || !s.To.After(s.From) {
		return scenarioError("to", "Give from and to", "the mission must end after it begins")
	}
	if m, err := atalaya.ParseMarking(s.Marking); err != nil || !strings.Contains(m.Portion(), "SYNTHETIC") {
		return scenarioError("marking", "Write marking: (U//SYNTHETIC)", "what is made up says so in its marking")
	}
	if err := s.checkNames(); err != nil {
		return err
	}
	for _, l := range s.limits() {
		if !(l.v >= l.from && l.v <= l.upto) {
			return scenarioError(l.key, "", "%g is not within %g to %g", l.v, l.from, l.upto)
		}
	}
	if s.Sorties.Authority == "" {
		return scenarioError("sorties.collection_authority", "Name an invented one", "nothing is flown without an authority")
	}
	return nil
}

// weight of a kind among decoys.
func (s *RegionScenario) weight(k *placeKind) float64 {
	if v, ok := s.Decoys.Mix[k.name]; ok {
		return v
	}
	return k.weight
}

func (s *RegionScenario) weights() (sum float64) {
	for i := range decoys {
		sum += s.weight(&decoys[i])
	}
	return sum
}

// checkNames makes sure that every sense, kind and class that is named exists.
func (s *RegionScenario) checkNames() error {
	names := map[string][]string{"clutter_per_km2": slices.Sorted(maps.Keys(s.ClutterPerKm2)), "sites.chances": slices.Sorted(maps.Keys(s.Sites.Chances))}
	for kind, m := range s.Decoys.Chances {
		names["decoys.chances."+kind] = slices.Sorted(maps.Keys(m))
	}
	for _, key := range slices.Sorted(maps.Keys(names)) {
		for _, n := range names[key] {
			if !slices.Contains(senseNames[:], n) {
				return scenarioError(key, "Name one of "+strings.Join(senseNames[:], ", "), "there is no sense %q", n)
			}
		}
	}
	if s.Decoys.Count > 0 && s.weights() <= 0 {
		return scenarioError("decoys.mix", "Give a number above 0 to one of "+strings.Join(decoyNames(), ", "), "no kind of decoy is left")
	}
	kinds := append(slices.Sorted(maps.Keys(s.Decoys.Mix)), slices.Sorted(maps.Keys(s.Decoys.Chances))...)
	for _, k := range kinds {
		if kindNamed(k) == nil {
			return scenarioError("decoys", "Name one of "+strings.Join(decoyNames(), ", "), "there is no kind %q", k)
		}
	}
	flown := 0
	for _, k := range slices.Sorted(maps.Keys(s.Sorties.Mix)) {
		if classNamed(k) == nil {
			return scenarioError("sorties.mix", "Name one of "+strings.Join(classNames(), ", "), "there is no class %q", k)
		}
		flown += max(s.Sorties.Mix[k], 0)
	}
	if flown == 0 {
		return scenarioError("sorties.mix", "Give a number to one of "+strings.Join(classNames(), ", "), "nothing flies")
	}
	return nil
}

// StatedPerKm2 is the density of sites that the mission states; 0 where the scenario has none and states none.
func (s *RegionScenario) StatedPerKm2() float64 {
	if s.SitesStatedPerKm2 > 0 || s.Sites.Count == 0 {
		return s.SitesStatedPerKm2
	}
	return digit(float64(s.Sites.Count) / (s.WidthKm * s.HeightKm))
}

// digit keeps the first one.
func digit(v float64) float64 {
	step := math.Pow(10, math.Floor(math.Log10(v)))
	return round(math.Round(v/step)*step, 12)
}
