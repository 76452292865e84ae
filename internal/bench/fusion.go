package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/score"
	"github.com/atalaya-isr/atalaya/sense/ground"
	"github.com/atalaya-isr/atalaya/simulate"
)

// FusionSchema names the JSON form of a Fusion.
const FusionSchema = "atalaya.fusion/1"

// FusionOptions say what is simulated. Campaigns are at the level of detections.
type FusionOptions struct {
	Scenario   string // that is scored
	Seeds      int
	FirstSeed  uint64
	Train      []string // scenarios that the calibration is fitted on; none is all whose names begin with TrainPrefix
	TrainSeeds int      // of each
	// Calibration is used in the place of one that is fitted, when it has knots.
	Calibration site.Calibration
	OtherSeeds  int    // of barren, rumour and bias
	Ablations   bool   // each sense alone and each left out
	LeftOut     int    // of the seeds, the first, on which each is left out; 0 is all
	Version     string // of the program
	Progress    func(what string, done, total int)
	// Find is where scenarios come from; nil is simulate.FindRegion.
	Find func(name string) (simulate.RegionScenario, error)
}

func (o FusionOptions) find(name string) (simulate.RegionScenario, error) {
	if o.Find != nil {
		return o.Find(name)
	}
	return simulate.FindRegion(name)
}

// TrainPrefix begins the names of the scenarios that calibrations are fitted on; FirstTrainSeed is their first seed, past those that are scored.
const (
	TrainPrefix    = "train-"
	FirstTrainSeed = 100001
)

// A Fusion says what the fusion of evidence is worth.
type Fusion struct {
	Schema      string           `json:"schema"`
	Version     string           `json:"version"`
	Scored      site.Basis       `json:"scored"`
	Calibration site.Calibration `json:"calibration"`
	Rows        []FusionRow      `json:"rows"`
	Others      []FusionRow      `json:"others"` // all senses in the other scenarios
	Copies      []Copied         `json:"copies"`
	Missing     []string         `json:"missing,omitempty"` // scenarios that do not exist
	Gates       []Gate           `json:"gates"`
}

// A FusionRow is one way of putting the evidence together.
type FusionRow struct {
	Name string `json:"name"`
	// Calibrated says by what: "fitted" by the calibration of all senses, "own" by one that was fitted on the same senses alone, "no".
	Calibrated string              `json:"calibrated"`
	Score      score.CampaignScore `json:"score"`
}

// Copied is what became of the probability of a place when one report about it was handed in so many times more.
type Copied struct {
	Seed     uint64  `json:"seed"`
	Report   string  `json:"report"`
	Copies   int     `json:"copies"`
	Before   float64 `json:"before"`
	After    float64 `json:"after"`
	Uncalled float64 `json:"log_odds_change"` // before calibration
}

// copies of a report, and how many reports of a campaign are copied.
const copies, copiedReports = 100, 3

// benchMission is the mission of all simulated campaigns.
const benchMission atalaya.MissionID = "mis_bench"

// A told is evidence of a simulated campaign with what it comes from.
type told struct {
	evidence atalaya.Evidence
	cause    string // a place of the truth, empty where none caused it
	report   string // its ID, of reports
}

// evidenceOf hands in what a campaign brought home, as the program itself would.
func evidenceOf(r *simulate.Region) []told {
	var out []told
	for i, s := range r.Sheets {
		all := site.FromSheet(s)
		looks := len(all) - len(s.Found)
		for k, e := range all {
			t := told{evidence: e}
			t.evidence.ID, t.evidence.Observation = atalaya.EvidenceID(fmt.Sprintf("ev_%04d_%05d", i, k)), atalaya.ObservationID(fmt.Sprintf("obs_%04d", i))
			if k >= looks {
				t.cause = r.Truth.Causes[s.Found[k-looks].ID]
			}
			out = append(out, t)
		}
	}
	about := map[string]simulate.ReportTruth{}
	for _, a := range r.Truth.Reports {
		about[a.ID] = a
	}
	for _, q := range r.Reports {
		out = append(out, told{reportEvidence(q, q.ID), about[q.ID].About, q.ID})
	}
	for i := range out {
		out[i].evidence.Mission = benchMission
	}
	return out
}

func reportEvidence(q simulate.RegionReport, id string) atalaya.Evidence {
	e := site.FromReport(site.Report{At: q.At, RadiusM: q.RadiusM, Grade: q.Grade, Denies: q.Denies, Said: []atalaya.Sentence{atalaya.Say("report", "text", q.Text)}})
	e.ID, e.Observation, e.When, e.Lineage = atalaya.EvidenceID("ev_"+id), atalaya.ObservationID("obs_"+id), atalaya.Span{From: q.Time, To: q.Time}, slices.Clone(q.Lineage)
	if k := site.WordsKey(q.Text); k != "" {
		e.Lineage = append(e.Lineage, k)
	}
	return e
}

// A country is what its map shows, which every way of putting evidence together knows.
type country struct {
	*site.Ground
	sitesPerKm2 float64 // as the mission states it
}

// LogRatio is the same without words, which nobody reads here.
func (c country) LogRatio(p geodesy.LatLon) (float64, []atalaya.Sentence) { return c.At(p), nil }

func countryOf(r *simulate.Region) country {
	g := r.Ground
	l := &ground.Layer{Name: "map"}
	for _, of := range []struct {
		kind  ground.Kind
		lines []simulate.Line
	}{{ground.Road, g.Roads}, {ground.Track, g.Tracks}, {ground.River, g.Rivers}, {ground.Water, g.Shore}} {
		for _, line := range of.lines {
			l.Shapes = append(l.Shapes, ground.Shape{Kind: of.kind, Name: line.Name, Lines: [][]geodesy.LatLon{line.Points}})
		}
	}
	for _, t := range g.Towns {
		l.Shapes = append(l.Shapes, ground.Shape{Kind: ground.Town, Name: t.Name, Points: []geodesy.LatLon{t.At}, RadiusM: t.RadiusM})
	}
	return country{site.NewGround(l), r.Scenario.StatedPerKm2()}
}

// A variant is one way of putting evidence together.
type variant struct {
	name, calibrated string
	stay, noMap      bool
	searched, waited bool // ground to be searched, and rankings on the way, are looked at
	first            int  // of the seeds that it is judged on; 0 is all
	keep             func(kind string) bool
}

// options of an assessment at a time.
func (v variant) options(c country, at time.Time) site.Options {
	o := site.Options{Mission: benchMission, AsOf: at, Stay: v.stay, PriorPerKm2: c.sitesPerKm2}
	if !v.noMap {
		o.Ground = c
	}
	return o
}

func everything(string) bool { return true }

// variants are all senses, each alone, each left out. Permits say what something else is and never where a site is: they are no sense that could go alone.
func variants(ablations bool) []variant {
	out := []variant{{name: "all senses", calibrated: "fitted", searched: true, waited: true, keep: everything}}
	if !ablations {
		return out
	}
	kinds := []string{"report"}
	for _, s := range site.Senses {
		kinds = append(kinds, s.Kind)
	}
	for _, k := range kinds {
		if k != "permit" {
			out = append(out, variant{name: k + " alone", calibrated: "own", searched: true, keep: func(kind string) bool { return kind == k }})
		}
	}
	for _, k := range kinds {
		out = append(out, variant{name: "without " + k, calibrated: "fitted", keep: func(kind string) bool { return kind != k }})
	}
	return append(out, variant{name: "without time", calibrated: "fitted", stay: true, keep: everything}, variant{name: "without map", calibrated: "fitted", noMap: true, keep: everything})
}

// judge assesses a campaign in one way, and holds the ranking against the truth.
func (v variant) judge(r *simulate.Region, c country, all []told) (*score.Campaign, error) {
	var kept []told
	for _, t := range all {
		if v.keep(t.evidence.Kind) {
			kept = append(kept, t)
		}
	}
	opt := v.options(c, r.To)
	o := score.CampaignOptions{AsOf: r.To, From: r.From, AreaKm2: r.Area.Km2, FlightHours: flown(r), Causes: causes(kept), PriorPerKm2: c.sitesPerKm2}
	if v.searched {
		o.Cells = site.Cells(evidence(kept, r.To), opt)
	}
	if v.waited {
		for q := 1; q < 4; q++ {
			at := r.From.Add(r.To.Sub(r.From) * time.Duration(q) / 4)
			o.Earlier = append(o.Earlier, score.Ranking{AsOf: at, Found: score.Found(site.Assess(evidence(kept, at), v.options(c, at)))})
		}
	}
	found := score.Found(site.Assess(evidence(kept, r.To), opt))
	if len(o.Earlier) > 0 {
		o.Earlier = append(o.Earlier, score.Ranking{AsOf: r.To, Found: found})
	}
	return score.OneCampaign(truthOf(r), found, o)
}

// evidence that was there by a time.
func evidence(all []told, by time.Time) (out []atalaya.Evidence) {
	for _, t := range all {
		if !t.evidence.When.To.After(by) {
			out = append(out, t.evidence)
		}
	}
	return out
}

// causes names, by candidate, what caused the item that pins it down, from which a candidate has its name.
func causes(all []told) map[atalaya.CandidateID][]string {
	out := map[atalaya.CandidateID][]string{}
	for _, t := range all {
		if t.cause != "" {
			out[atalaya.CandidateID(atalaya.NameOf("site_", string(benchMission), string(t.evidence.ID)))] = []string{t.cause}
		}
	}
	return out
}

// flown are the hours of flights that brought something home.
func flown(r *simulate.Region) (hours float64) {
	for _, s := range r.Sorties {
		if s.Lost == "" {
			hours += s.When.To.Sub(s.When.From).Hours()
		}
	}
	return hours
}

func truthOf(r *simulate.Region) (t score.TruthSites) {
	for _, s := range r.Truth.Sites {
		t.Sites = append(t.Sites, score.TruthSite{ID: s.ID, Lat: s.Lat, Lon: s.Lon, From: s.From, To: s.To})
	}
	for _, d := range slices.Concat(r.Truth.Decoys, r.Truth.Homesteads) {
		t.Decoys = append(t.Decoys, score.TruthDecoy{Kind: d.Kind, Lat: d.Lat, Lon: d.Lon})
	}
	return t
}

// campaigns simulates the seeds of a scenario and judges each in every way: by variant, by seed.
func (o FusionOptions) campaigns(ctx context.Context, scenario string, first uint64, seeds int, ways []variant) ([][]*score.Campaign, error) {
	s, err := o.find(scenario)
	if err != nil {
		return nil, err
	}
	of, err := many(ctx, CalibrationOptions{Progress: o.Progress}, scenario, seeds, func(i int) ([]*score.Campaign, error) {
		r, err := simulate.RegionCampaign(s, first+uint64(i))
		if err != nil {
			return nil, fmt.Errorf("%s, seed %d: %w", scenario, first+uint64(i), err)
		}
		all, c := evidenceOf(r), countryOf(r)
		out := make([]*score.Campaign, len(ways))
		for k, w := range ways {
			if w.first > 0 && i >= w.first {
				continue
			}
			if out[k], err = w.judge(r, c, all); err != nil {
				return nil, fmt.Errorf("%s, seed %d, %s: %w", scenario, first+uint64(i), w.name, err)
			}
		}
		return out, nil
	})
	if err != nil {
		return nil, err
	}
	out := make([][]*score.Campaign, len(ways))
	for k := range ways {
		for _, c := range of {
			if c[k] != nil {
				out[k] = append(out[k], c[k])
			}
		}
	}
	return out, nil
}

// fit fits calibrations, one a way, on the training scenarios.
func (o FusionOptions) fit(ctx context.Context, ways []variant) ([]site.Calibration, error) {
	names := o.Train
	if len(names) == 0 {
		all, err := simulate.Regions()
		if err != nil {
			return nil, err
		}
		for _, s := range all {
			if strings.HasPrefix(s.Name, TrainPrefix) {
				names = append(names, s.Name)
			}
		}
	}
	if len(names) == 0 || o.TrainSeeds < 1 {
		return nil, &atalaya.Error{Op: "bench.fusion", Kind: atalaya.BadUse, Err: errors.New("nothing to fit a calibration on"), Hint: "Name scenarios with --train, or a fitted calibration with --calibration"}
	}
	ways = slices.Clone(ways)
	for k := range ways {
		ways[k].searched, ways[k].waited = false, false
	}
	cases := make([][]site.Case, len(ways))
	var from []site.Basis
	for _, n := range names {
		if n == o.Scenario && FirstTrainSeed < o.FirstSeed+uint64(o.Seeds) && o.FirstSeed < FirstTrainSeed+uint64(o.TrainSeeds) {
			return nil, &atalaya.Error{Op: "bench.fusion", Kind: atalaya.BadUse, Err: fmt.Errorf("scenario %s would be scored on seeds that the calibration has seen", n), Hint: fmt.Sprintf("Keep --seed below %d", FirstTrainSeed)}
		}
		all, err := o.campaigns(ctx, n, FirstTrainSeed, o.TrainSeeds, ways)
		if err != nil {
			return nil, err
		}
		for k := range ways {
			for _, c := range all[k] {
				cases[k] = append(cases[k], c.Cases()...)
			}
		}
		from = append(from, site.Basis{Scenario: n, FirstSeed: FirstTrainSeed, Seeds: o.TrainSeeds})
	}
	out := make([]site.Calibration, len(ways))
	for k := range ways {
		out[k] = site.Fit(cases[k])
		out[k].Version, out[k].From = o.Version, from
	}
	return out, nil
}

// FitFusion is the calibration of all senses on the training scenarios. The same options give the same bytes on any number of cores.
func FitFusion(ctx context.Context, o FusionOptions) (site.Calibration, error) {
	all, err := o.fit(ctx, variants(false))
	if err != nil {
		return site.Calibration{}, err
	}
	return all[0], nil
}

// Fuse simulates, fits on the training scenarios, and scores another scenario and other seeds. The same options give the same bytes on any number of cores.
func Fuse(ctx context.Context, o FusionOptions) (*Fusion, error) {
	ways := variants(o.Ablations)
	for k := range ways {
		if strings.HasPrefix(ways[k].name, "without ") {
			ways[k].first = o.LeftOut
		}
	}
	f := &Fusion{Schema: FusionSchema, Version: o.Version, Scored: site.Basis{Scenario: o.Scenario, FirstSeed: o.FirstSeed, Seeds: o.Seeds}, Rows: []FusionRow{}, Others: []FusionRow{}, Copies: []Copied{}}
	own, err := o.calibrations(ctx, ways)
	if err != nil {
		return nil, err
	}
	f.Calibration = own[0]
	all, err := o.campaigns(ctx, o.Scenario, o.FirstSeed, o.Seeds, ways)
	if err != nil {
		return nil, err
	}
	for k, w := range ways {
		by := own[k]
		if w.calibrated == "fitted" {
			by = f.Calibration
		}
		if len(all[k]) == 0 {
			continue
		}
		f.Rows = append(f.Rows, FusionRow{w.name, w.calibrated, together(all[k], by, k > 0)})
		if k == 0 {
			f.Rows = append(f.Rows, FusionRow{w.name, "no", together(all[k], site.Calibration{}, true)})
		}
	}
	if err := f.others(ctx, o); err != nil {
		return nil, err
	}
	f.gates()
	return f, nil
}

// calibrations are one a way; a given one stands for that of all senses, and the senses by themselves are then fitted only where they are asked for.
func (o FusionOptions) calibrations(ctx context.Context, ways []variant) ([]site.Calibration, error) {
	given := len(o.Calibration.Knots) > 0
	if given && !o.Ablations {
		return []site.Calibration{o.Calibration}, nil
	}
	var fitted []variant // what is left out goes by the calibration of all
	for _, w := range ways {
		if w.calibrated == "own" || w.name == "all senses" && !given {
			fitted = append(fitted, w)
		}
	}
	found, err := o.fit(ctx, fitted)
	if err != nil {
		return nil, err
	}
	out := make([]site.Calibration, len(ways))
	for k, w := range ways {
		if i := slices.IndexFunc(fitted, func(v variant) bool { return v.name == w.name }); i >= 0 {
			out[k] = found[i]
		}
	}
	if given {
		out[0] = o.Calibration
	}
	return out, nil
}

// together scores campaigns as a calibration would have them; curves are kept of the whole alone.
func together(all []*score.Campaign, by site.Calibration, bare bool) score.CampaignScore {
	calibrated := make([]*score.Campaign, len(all))
	for i, c := range all {
		calibrated[i] = c.Calibrated(by)
	}
	s := score.Campaigns(1, calibrated...)
	if bare {
		s.Precision, s.ROC, s.Area = [][2]float64{}, [][2]float64{}, [][2]float64{}
	}
	return s
}

// others scores what is asked of other scenarios.
func (f *Fusion) others(ctx context.Context, o FusionOptions) error {
	if o.OtherSeeds == 0 {
		return nil
	}
	for _, name := range []string{"barren", "rumour", "bias"} {
		s, err := o.find(name)
		if err != nil {
			f.Missing = append(f.Missing, name)
			continue
		}
		all, err := o.campaigns(ctx, name, o.FirstSeed, o.OtherSeeds, variants(false))
		if err != nil {
			return err
		}
		f.Others = append(f.Others, FusionRow{name, "fitted", together(all[0], f.Calibration, true)})
		if name != "rumour" {
			continue
		}
		copied, err := many(ctx, CalibrationOptions{Progress: o.Progress}, "copies", o.OtherSeeds, func(i int) ([]Copied, error) { return f.copied(s, o.FirstSeed+uint64(i)) })
		if err != nil {
			return err
		}
		f.Copies = slices.Concat(copied...)
	}
	return nil
}

// copied hands in reports again and again.
func (f *Fusion) copied(s simulate.RegionScenario, seed uint64) (out []Copied, err error) {
	r, err := simulate.RegionCampaign(s, seed)
	if err != nil {
		return nil, err
	}
	all := evidence(evidenceOf(r), r.To)
	opt := variant{}.options(countryOf(r), r.To)
	for _, q := range r.Reports {
		if q.Denies || len(out) == copiedReports {
			continue
		}
		more := slices.Clone(all)
		for k := range copies {
			again := q
			again.Time = q.Time.Add(time.Duration(k) * time.Minute)
			more = append(more, reportEvidence(again, fmt.Sprintf("%s-%03d", q.ID, k+1)))
		}
		before, _ := site.At(all, q.At, opt)
		after, _ := site.At(more, q.At, opt)
		c := Copied{Seed: seed, Report: q.ID, Copies: copies, Before: f.calibrated(before), After: f.calibrated(after)}
		c.Uncalled = math.Log(after/(1-after)) - math.Log(before/(1-before))
		out = append(out, c)
	}
	return out, nil
}

func (f *Fusion) calibrated(p float64) float64 {
	l, _, _, _ := f.Calibration.Apply(math.Log(p / (1 - p)))
	return 1 / (1 + math.Exp(-l))
}
