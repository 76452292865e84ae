package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/golang/geo/s2"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
)

// A Weighing is what the evidence says of one place at one time. Its ledger sums to LogOdds, and they give Probability.
type Weighing struct {
	AsOf        time.Time            `json:"as_of"`
	Probability float64              `json:"probability"`
	Word        *string              `json:"word"`
	Range       *[2]float64          `json:"range_90"` // nil without a calibration
	Cases       int                  `json:"cases"`
	LogOdds     float64              `json:"log_odds"`
	Ledger      []atalaya.LedgerItem `json:"ledger"`
}

// PlaceView is why a place is ranked as it is, or not at all.
type PlaceView struct {
	Banner   Banner            `json:"banner"`
	Mission  atalaya.MissionID `json:"mission"`
	Lat      float64           `json:"lat"`
	Lon      float64           `json:"lon"`
	Digits   int               `json:"digits"` // decimals of degrees that the window asked about allows
	Position Position          `json:"position"`
	Inside   bool              `json:"inside"` // of the mission's ground; else nothing is said of the place
	WindowM  float64           `json:"window_m"`
	*Weighing
	Rank       int       `json:"rank"`       // that it would have
	Candidates int       `json:"candidates"` // of the ranking
	Site       *NearSite `json:"site"`       // the candidate here, else the nearest; nil without candidates
	// Alternatives are what else the place may be, by class, with the probability of a site summing to 1; empty where no item of the record names any.
	Alternatives []ClassShare `json:"alternatives"`
	// Named are, by item, the classes that explain it too: what it speaks for each as a share of what it speaks for a site.
	Named        map[atalaya.EvidenceID][]ClassShare `json:"named"`
	Reach        *Reach                              `json:"reach"`
	Observations []ObservationRow                    `json:"observations"`
}

// NearSite is a candidate seen from a place.
type NearSite struct {
	ID        atalaya.CandidateID `json:"id"`
	Rank      int                 `json:"rank"`
	DistanceM float64             `json:"distance_m"`
	Same      bool                `json:"same"` // the place lies in the cell that the candidate was asked in: its card says the same
}

// ClassShare is a class of alternatives, or "nothing", with a share.
type ClassShare struct {
	Class string  `json:"class"`
	Share float64 `json:"share"`
}

// Reach is what was looked at about a place.
type Reach struct {
	RadiusM  float64  `json:"radius_m"`
	Unlooked float64  `json:"unlooked"` // share of that ground that no look covers
	Looks    []Look   `json:"looks"`    // that cover some of it, the latest first
	Missing  []string `json:"missing"`  // senses that never looked at the place itself
}

// Look is one look at ground.
type Look struct {
	Observation atalaya.ObservationID `json:"observation"`
	Kind        string                `json:"kind"`
	Sensor      string                `json:"sensor"`
	Sortie      atalaya.SortieID      `json:"sortie"`
	When        atalaya.Span          `json:"when"`
	Chance      float64               `json:"chance"` // that a site at work at the place would have stood out; 0 where the look did not reach
	Covered     float64               `json:"covered"`
	MeanChance  float64               `json:"mean_chance"` // over the ground covered
	Marking     string                `json:"marking"`
}

// reachM is how far about a place it is told what was looked at: what a person on the ground there would call nearby.
const reachM = 1000.0

// question is what a mission's places are asked with.
type question struct {
	evidence []atalaya.Evidence
	opt      site.Options // RollUp left out
	inputs   []string     // what the answer rests on
}

// asking gathers the evidence that a view sees. An empty mission is the whole record.
func (a *App) asking(ctx context.Context, view access.View, id atalaya.MissionID) (q question, err error) {
	items, err := a.evidenceOf(ctx, view, id)
	if err != nil {
		return q, err
	}
	q.opt = site.Options{Mission: id, Calibration: a.Calibration}
	q.inputs = []string{a.Version}
	for _, e := range items {
		q.evidence, q.inputs = append(q.evidence, e.Evidence), append(q.inputs, e.sum)
		if e.When.To.After(q.opt.AsOf) {
			q.opt.AsOf = e.When.To
		}
	}
	if id != "" {
		m, err := a.mission(ctx, id)
		if err != nil {
			return q, err
		}
		if !m.To.IsZero() {
			q.opt.AsOf = m.To.UTC()
		}
		q.opt.PerKm2, q.opt.PriorPerKm2 = m.DensitiesPerKm2, m.DensitiesPerKm2[site.Target]
		q.inputs = append(q.inputs, string(mustJSON(m.DensitiesPerKm2)))
	}
	ground, more, err := a.groundOf(ctx, view, id)
	q.opt.Ground = ground
	q.inputs = append(append(q.inputs, more...), q.opt.AsOf.Format(time.RFC3339Nano), string(mustJSON(a.Calibration)))
	return q, err
}

// until is the same question at an earlier time, with what had been sensed by then.
func (q question) until(t time.Time) question {
	q.evidence = slices.DeleteFunc(slices.Clone(q.evidence), func(e atalaya.Evidence) bool { return e.When.To.After(t) })
	q.opt.AsOf = t
	return q
}

// asked makes the evidence ready.
func (q question) asked() *site.Asked { return site.Asking(q.evidence, q.opt) }

// weighed is an answer as of the time of the question.
func (q question) weighed(a site.Answer) Weighing {
	w := Weighing{AsOf: q.opt.AsOf, Probability: a.Probability, Word: a.Word, Range: a.Range, Cases: a.Cases, Ledger: a.Ledger}
	for _, row := range w.Ledger {
		w.LogOdds += row.LogOdds
	}
	return w
}

// weigh says what the evidence says of a place.
func (q question) weigh(here geodesy.LatLon) Weighing { return q.weighed(q.asked().At(here)) }

// Place says why a place is ranked as it is.
func (a *App) Place(ctx context.Context, view access.View, mission atalaya.MissionID, here geodesy.LatLon) (PlaceView, error) {
	v := PlaceView{Lat: here.Lat, Lon: here.Lon, WindowM: site.ScaleM, Alternatives: []ClassShare{}, Named: map[atalaya.EvidenceID][]ClassShare{}, Observations: []ObservationRow{}}
	if !here.Valid() {
		return v, failure(atalaya.BadInput, "Give lat from -90 to 90 and lon from -180 to 180", "%g, %g is no position", here.Lat, here.Lon)
	}
	window := atalaya.Place{Lat: here.Lat, Lon: here.Lon, CovarianceM2: [2][2]float64{{site.ScaleM * site.ScaleM, 0}, {0, site.ScaleM * site.ScaleM}}}
	v.Digits, v.Position = digits(window.CovarianceM2), positionOf(window)
	m, marking, err := a.missionSeen(ctx, view, mission)
	if err != nil {
		return v, err
	}
	v.Mission = m.ID
	q, err := a.asking(ctx, view, m.ID)
	if err != nil {
		return v, err
	}
	marks := []string{marking}
	if v.Inside = q.reaches(here, m.Bounds); v.Inside {
		if err := a.fillPlace(ctx, view, &v, q, here); err != nil {
			return v, err
		}
		for _, row := range v.Ledger {
			marks = append(marks, row.Marking)
		}
		for _, l := range v.Reach.Looks {
			marks = append(marks, l.Marking)
		}
		for _, o := range v.Observations {
			marks = append(marks, o.Marking)
		}
	}
	v.Banner, err = BannerOf(marks...)
	return v, err
}

// missionSeen is a mission that a reader may see, the latest where none is named, with its marking.
func (a *App) missionSeen(ctx context.Context, view access.View, id atalaya.MissionID) (m MissionState, marking string, err error) {
	if id == "" {
		ms, err := a.Missions(ctx, view)
		if err != nil {
			return m, "", err
		}
		if len(ms) == 0 {
			return m, "", failure(atalaya.NotFound, "Run one with: atalaya run MISSION", "there is no mission")
		}
		id = ms[0].ID
	}
	m, e, err := get[MissionState](ctx, a, view, "mission", string(id))
	return m, e.Marking, err
}

// reaches says whether a place is of the mission's ground: within its area, else within the box of what the evidence speaks of.
func (q question) reaches(here geodesy.LatLon, area *[4]float64) bool {
	b := emptyBox()
	if area != nil {
		b = boxed(*area)
	} else {
		for _, e := range q.evidence {
			for _, c := range e.Cells {
				p := geodesy.CellCenter(s2.CellID(c))
				b.add(p.Lon, p.Lat)
			}
		}
	}
	return b[0] <= here.Lon && here.Lon <= b[2] && b[1] <= here.Lat && here.Lat <= b[3]
}

func (a *App) fillPlace(ctx context.Context, view access.View, v *PlaceView, q question, here geodesy.LatLon) error {
	as, err := a.Ranking(ctx, view, v.Mission)
	if err != nil && !isNotFound(err) { // nothing assessed yet is no candidate
		return err
	}
	asked := q.asked()
	cell, said := asked.Cell(here)
	answer := asked.At(here)
	w := q.weighed(answer)
	v.Weighing = &w
	for _, x := range answer.Else {
		v.Alternatives = append(v.Alternatives, ClassShare{x.Class, x.Probability})
	}
	v.Candidates, v.Rank = len(as.Candidates), 1
	for _, c := range as.Candidates {
		if c.Probability > w.Probability {
			v.Rank++
		}
		near := NearSite{ID: c.ID, Rank: c.Rank, DistanceM: geodesy.Distance(here, placeOf(c))}
		at, held := asked.Cell(placeOf(c))
		near.Same = said && held && at == cell && agrees(w.Probability, c.Probability)
		if v.Site == nil || near.Same && !v.Site.Same || near.Same == v.Site.Same && near.DistanceM < v.Site.DistanceM {
			v.Site = &near
		}
	}
	if v.Site != nil && v.Site.Same {
		v.Rank = v.Site.Rank
	}
	for _, row := range w.Ledger {
		i := slices.IndexFunc(q.evidence, func(e atalaya.Evidence) bool { return e.ID == row.Evidence })
		if i >= 0 && row.LogOdds > 0 {
			v.Named[row.Evidence] = sharesOf(q.evidence[i].Others)
		}
	}
	return a.fillReach(ctx, view, v, q, here)
}

// agrees says that two probabilities are the same but for rounding.
func agrees(a, b float64) bool { return math.Abs(a-b) <= 1e-9 }

// sharesOf are the classes of an item, the one that it speaks most for first.
func sharesOf(others map[string]float64) []ClassShare {
	out := []ClassShare{}
	for _, name := range slices.Sorted(maps.Keys(others)) {
		if others[name] > 0 {
			out = append(out, ClassShare{name, others[name]})
		}
	}
	slices.SortStableFunc(out, func(a, b ClassShare) int { return cmp.Compare(b.Share, a.Share) })
	return out
}

// fillReach tells what was looked at about a place, and reads the observations that the answer names.
func (a *App) fillReach(ctx context.Context, view access.View, v *PlaceView, q question, here geodesy.LatLon) error {
	known := map[atalaya.ObservationID]atalaya.Observation{}
	observe := func(id atalaya.ObservationID) error {
		if _, before := known[id]; before || id == "" {
			return nil
		}
		o, e, err := get[atalaya.Observation](ctx, a, view, "observation", string(id))
		if err == nil {
			v.Observations = append(v.Observations, observationRow(o, e))
		}
		known[id] = o
		if isNotFound(err) { // this reader may not see it
			return nil
		}
		return err
	}
	var errs []error
	for _, row := range v.Ledger {
		errs = append(errs, observe(row.Observation))
	}
	v.Reach = q.reach(here)
	for i := range v.Reach.Looks {
		l := &v.Reach.Looks[i]
		errs = append(errs, observe(l.Observation))
		l.Sensor, l.Sortie = known[l.Observation].Sensor, known[l.Observation].Sortie
	}
	return errors.Join(errs...)
}

// reach samples the ground about a place, cell by cell of lookLevel, for each look.
func (q question) reach(here geodesy.LatLon) *Reach {
	r := &Reach{RadiusM: reachM, Looks: []Look{}, Missing: []string{}}
	var spots []geodesy.LatLon
	for _, c := range geodesy.CellsOf((geodesy.Ellipse{MajorM: reachM, MinorM: reachM}).Ring(here, 48), lookLevel, 10_000) {
		if p := geodesy.CellCenter(c); geodesy.Distance(here, p) <= reachM {
			spots = append(spots, p)
		}
	}
	looked, kinds := make([]bool, len(spots)), map[string]bool{}
	for _, e := range q.evidence {
		if !isLook(e) {
			continue
		}
		l := Look{Observation: e.Observation, Kind: e.Kind, When: e.When, Chance: chanceAt(e, here), Marking: e.Marking}
		n, sum := 0, 0.0
		for i, p := range spots {
			if c := chanceAt(e, p); c > leastLook {
				n, sum, looked[i] = n+1, sum+c, true
			}
		}
		kinds[e.Kind] = kinds[e.Kind] || l.Chance > leastLook
		if n == 0 && l.Chance <= leastLook {
			continue
		}
		if l.Covered = float64(n) / float64(len(spots)); n > 0 {
			l.MeanChance = sum / float64(n)
		}
		r.Looks = append(r.Looks, l)
	}
	slices.SortStableFunc(r.Looks, func(a, b Look) int { return b.When.To.Compare(a.When.To) })
	unlooked := 0
	for _, seen := range looked {
		if !seen {
			unlooked++
		}
	}
	r.Unlooked = float64(unlooked) / float64(len(spots))
	for _, s := range site.Senses {
		if s.Kind != "permit" && !kinds[s.Kind] { // nobody flies for a permit
			r.Missing = append(r.Missing, s.Kind)
		}
	}
	return r
}

// leastLook is the chance of seeing a site below which ground counts as not looked at.
const leastLook = 0.005

// isLook says that an item speaks of ground where nothing stood out, not of something that did.
func isLook(e atalaya.Evidence) bool {
	return e.Kind != "report" && len(e.LogOdds) > 0 && slices.Max(e.LogOdds) <= 0
}

// chanceAt is the probability that a site at work at a place would have stood out in a look.
func chanceAt(e atalaya.Evidence, p geodesy.LatLon) float64 {
	i, has := slices.BinarySearch(e.Cells, uint64(geodesy.CellOf(p, e.Level)))
	if !has {
		return 0
	}
	return -math.Expm1(e.LogOdds[i])
}

// rank ranks the places that a question is about.
func (q question) rank() (Assessment, error) {
	as := Assessment{Mission: q.opt.Mission, AsOf: q.opt.AsOf, Inputs: atalaya.NameOf("in_", q.inputs...), Candidates: []atalaya.Candidate{}}
	var bad error
	opt := q.opt
	opt.RollUp = func(portions []string) string {
		m, err := rollUp(portions)
		bad = errors.Join(bad, err)
		return m
	}
	cs := site.Assess(q.evidence, opt)
	if bad != nil {
		return as, fmt.Errorf("marking of a candidate: %w", bad)
	}
	as.Candidates = append(as.Candidates, cs...)
	return as, nil
}
