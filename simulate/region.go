package simulate

import (
	"math"
	"slices"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/sense/detection"
)

// A Region is a campaign of weeks over an invented country, at the level of detections: what every sensor made of every flight, what people
// said, the map, and the truth. It is drawn from the truth with the errors that sheets state, never from the formulas by which sites are found.
type Region struct {
	Scenario RegionScenario
	Seed     uint64
	Area     RegionArea
	From, To time.Time
	Sheets   []detection.Sheet // in the order of their sorties; the permits come first
	Reports  []RegionReport    // in the order of their time
	Ground   Ground
	Sorties  []RegionSortie // in the order of their time, those that were lost too
	Truth    Truth
	made     *world
}

// RegionArea is the country, degrees.
type RegionArea struct {
	West, South, East, North float64
	Km2                      float64
}

// Ring is the outline, not closed.
func (a RegionArea) Ring() []geodesy.LatLon {
	return []geodesy.LatLon{{Lat: a.South, Lon: a.West}, {Lat: a.South, Lon: a.East}, {Lat: a.North, Lon: a.East}, {Lat: a.North, Lon: a.West}}
}

// A RegionSortie is one flight.
type RegionSortie struct {
	Sortie
	Class string // of platform
	When  atalaya.Span
	Track []TrackPoint
	// Lost says why nothing was brought home; empty otherwise.
	Lost string
	// FollowsUp is whether it was planned on what was found before.
	FollowsUp bool
}

// A TrackPoint is where an aircraft was.
type TrackPoint struct {
	Time time.Time
	At   geodesy.LatLonHeight
}

// The blocks of chance of a region: a stream each, so that a change of one part leaves the others' draws alone.
const (
	blockRegionGround   = 1001
	blockRegionPlaces   = 1002
	blockRegionWeather  = 1003
	blockRegionSchedule = 1004
	blockRegionPermits  = 1005
	blockRegionReports  = 1006
	blockRegionLearning = 1007
	blockRegionAverage  = 1008
	blockRegionSorties  = 2000 // and on: two a sortie, its plan and its sensors
	blockRegionFiles    = 5000 // and on: filesApart a sheet that is written as its sensor's own file
)

// world is a region in the making.
type world struct {
	RegionScenario
	seed    uint64
	land    *land
	weather weather
	places  []spotted // sites first
	sites   int
	average averages
	readers [senses]reader
	share   [senses]float64 // of detections that are things, of a sense
	said    []RegionReport
	about   []ReportTruth
	sheets  []detection.Sheet
	causes  map[string]string
	looked  []sheetOf // what the sheets were made from, in their order, permits left out
	seen    []clue    // what is known so far, for planning
	flown   []RegionSortie
	covered map[string]map[[2]int]int
	visited map[string][]spot
}

// RegionCampaign makes the campaign of a region. The same scenario and seed give the same bytes.
//
// Detections stand in the place of sensor files here; WriteFiles writes those, for the sensors that have a decoder.
func RegionCampaign(s RegionScenario, seed uint64) (*Region, error) {
	w, err := newWorld(s, seed)
	if err != nil {
		return nil, err
	}
	w.registerPermits()
	w.report()
	if err := w.fly(); err != nil {
		return nil, err
	}
	return w.region(), nil
}

func newWorld(s RegionScenario, seed uint64) (*world, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	s.From, s.To = s.From.UTC(), s.To.UTC()
	half := spot{500 * s.WidthKm, 500 * s.HeightKm}
	frame := geodesy.NewFrame(geodesy.LatLonHeight{Lat: s.Centre[0], Lon: s.Centre[1]})
	w := &world{RegionScenario: s, seed: seed, causes: map[string]string{}, covered: map[string]map[[2]int]int{}, visited: map[string][]spot{}}
	w.land = newLand(s.Ground, frame, half, numeric.NewStream(seed, blockRegionGround))
	if len(w.land.towns) < 2 || len(w.land.tracks) == 0 {
		return nil, scenarioError("ground", "Make the country larger or give it more tracks", "no room for two towns and a track")
	}
	w.weather = newWeather(&w.RegionScenario, numeric.NewStream(seed, blockRegionWeather))
	if err := w.peopleTheLand(); err != nil {
		return nil, err
	}
	w.average = averagesOf(&w.RegionScenario, numeric.NewStream(seed, blockRegionAverage))
	w.learn(numeric.NewStream(seed, blockRegionLearning))
	return w, nil
}

// hour of the campaign.
func (w *world) hour(t time.Time) int { return int(math.Floor(t.Sub(w.From).Hours())) }

func (w *world) area() RegionArea {
	h := w.land.half
	a := RegionArea{West: 180, South: 90, East: -180, North: -90, Km2: w.km2()}
	for _, c := range []spot{{-h[0], -h[1]}, {h[0], -h[1]}, {h[0], h[1]}, {-h[0], h[1]}} {
		p := w.land.latLon(c)
		a.West, a.East, a.South, a.North = math.Min(a.West, p.Lon), math.Max(a.East, p.Lon), math.Min(a.South, p.Lat), math.Max(a.North, p.Lat)
	}
	return a
}

func (w *world) region() *Region {
	r := &Region{Scenario: w.RegionScenario, Seed: w.seed, Area: w.area(), From: w.From, To: w.To, Sheets: w.sheets, Ground: w.land.ground(), Sorties: w.flown, Truth: w.truth(), made: w}
	r.Reports = slices.Clone(w.said)
	return r
}

func (w *world) truth() Truth {
	t := Truth{Schema: TruthSchema, Scenario: w.Name, Seed: w.seed, Sites: []TrueSite{}, Decoys: []TrueDecoy{}, Causes: w.causes, Reports: w.about}
	for i := range w.places {
		p := &w.places[i]
		at := w.land.latLon(p.at)
		switch {
		case p.kind == &siteKind:
			t.Sites = append(t.Sites, TrueSite{ID: p.id, Lat: at.Lat, Lon: at.Lon, From: p.from, To: p.to, RateKgS: p.rates(), Group: p.group, Quiet: p.quiet})
		case p.kind == &homestead:
			t.Homesteads = append(t.Homesteads, TrueDecoy{ID: p.id, Kind: p.kind.name, Lat: at.Lat, Lon: at.Lon})
		default:
			t.Decoys = append(t.Decoys, TrueDecoy{ID: p.id, Kind: p.kind.name, Lat: at.Lat, Lon: at.Lon, RateKgS: p.rates(), Permit: p.permit})
		}
	}
	return t
}

// rates are what a place emits while it works, by compound, kg/s.
func (p *spotted) rates() map[string]float64 {
	sum := 0.0
	for _, v := range p.emits {
		sum += v
	}
	out := map[string]float64{}
	for i, v := range p.emits {
		if r := round(p.rateGS/1000*v/math.Max(sum, 1e-9), 8); r > 0 {
			out[compounds[i]] = r
		}
	}
	return out
}
