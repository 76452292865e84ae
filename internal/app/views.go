package app

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/outcome"
	"github.com/atalaya-isr/atalaya/review"
	"github.com/atalaya-isr/atalaya/store"
)

// Banner is the roll-up of what one screen shows.
type Banner struct {
	Text  string `json:"text"`
	Level string `json:"level"` // U, CUI, C, S, TS or TS//SCI: decides the ground colour
}

// BannerOf rolls markings up into the banner of a screen; a screen that shows nothing is unclassified.
func BannerOf(portions ...string) (Banner, error) {
	some := slices.DeleteFunc(slices.Clone(portions), func(p string) bool { return p == "" })
	if len(some) == 0 {
		some = []string{"(U)"}
	}
	whole, err := atalaya.RollUp(some...)
	if err != nil {
		return Banner{}, err
	}
	m, err := atalaya.ParseMarking(whole)
	if err != nil {
		return Banner{}, err
	}
	level, _, _ := strings.Cut(strings.Trim(m.Portion(), "()"), "/")
	return Banner{Text: m.Banner(), Level: level}, nil
}

// SiteView is a candidate as a screen or a list shows it.
type SiteView struct {
	ID           atalaya.CandidateID         `json:"id"`
	Mission      atalaya.MissionID           `json:"mission"`
	Rank         int                         `json:"rank"`
	Lat          float64                     `json:"lat"`
	Lon          float64                     `json:"lon"`
	Digits       int                         `json:"digits"` // decimals of degrees that the error allows
	Position     Position                    `json:"position"`
	Probability  float64                     `json:"probability"`
	Word         *string                     `json:"word"`
	Range        *[2]float64                 `json:"range_90"` // where the probability lies with 90 %, by the cases of the calibration; nil without one
	Cases        int                         `json:"cases"`    // that stand behind it; 0 without a calibration
	LogOdds      float64                     `json:"log_odds"`
	Regions      atalaya.Regions             `json:"regions"`
	CovarianceM2 [2][2]float64               `json:"covariance_m2"`
	Ellipse95    geodesy.Ellipse             `json:"ellipse95"`
	RateKgS      map[string]atalaya.Interval `json:"rate_kg_s,omitempty"`
	Status       string                      `json:"status"`
	Found        *atalaya.Finding            `json:"found"` // what the latest outcome says of the place; nil when nothing came back
	Marking      string                      `json:"marking"`
	AsOf         time.Time                   `json:"as_of"`
	Kinds        []string                    `json:"evidence_kinds"`
}

// Position is a position in the other forms in which people write it, no finer than its error allows.
type Position struct {
	DMS  string `json:"dms"`
	MGRS string `json:"mgrs"` // "" beyond 80° south and 84° north, as UTM
	UTM  string `json:"utm"`
}

// stepOf is the finest step, in metres, in which a place is written: a third of the semi-major axis of its 50 % region.
func stepOf(c [2][2]float64) float64 {
	return max(geodesy.EllipseOf(c, 0.5).MajorM, 1) / 3
}

// digits is the number of decimals of a degree whose step is no finer than that.
func digits(c [2][2]float64) int {
	return max(0, min(6, int(math.Floor(math.Log10(111e3/stepOf(c))))))
}

func positionOf(p atalaya.Place) Position {
	at, step := geodesy.LatLon{Lat: p.Lat, Lon: p.Lon}, stepOf(p.CovarianceM2)
	out := Position{DMS: geodesy.DMS(at, step), MGRS: geodesy.MGRS(at, step)}
	if u, ok := geodesy.ToUTM(at); ok {
		out.UTM = u.Text(step)
	}
	return out
}

func siteView(c atalaya.Candidate, f *CaseFile) SiteView {
	v := SiteView{ID: c.ID, Mission: c.Mission, Rank: c.Rank, Lat: c.Place.Lat, Lon: c.Place.Lon, Digits: digits(c.Place.CovarianceM2), Position: positionOf(c.Place), Probability: c.Probability, Word: c.Word, Range: c.Range, Cases: c.Cases,
		Regions: c.Place.Regions, CovarianceM2: c.Place.CovarianceM2, Ellipse95: geodesy.EllipseOf(c.Place.CovarianceM2, 0.95), RateKgS: c.RateKgS,
		Status: statusOf(f), Found: foundOf(f), Marking: c.Marking, AsOf: c.AsOf, Kinds: []string{}}
	for _, row := range c.Ledger {
		v.LogOdds += row.LogOdds
		if row.Observation != "" && !slices.Contains(v.Kinds, row.Kind) {
			v.Kinds = append(v.Kinds, row.Kind)
		}
	}
	slices.Sort(v.Kinds)
	return v
}

// foundOf is what came back about a place: the latest outcome that stands. "Not visited" says nothing of the place, and does
// not hide what an earlier visit found.
func foundOf(f *CaseFile) *atalaya.Finding {
	if f == nil {
		return nil
	}
	var found *atalaya.Finding
	for _, o := range outcome.Current(outcomesOf(*f)) {
		if found == nil || o.Found != atalaya.NotVisited {
			found = &o.Found
		}
	}
	return found
}

// statusOf is one word for where people have got with a place.
func statusOf(f *CaseFile) string {
	switch {
	case f == nil:
		return "new"
	case len(f.Outcomes) > 0:
		return "outcome"
	case len(f.Releases) > 0:
		return "released"
	}
	switch f.Standing.State {
	case review.OneApproval:
		return "approved-once"
	case review.Approved:
		return "approved"
	case review.OnHold:
		return "held"
	case review.Dismissed:
		return "dismissed"
	}
	return "case"
}

// SitesView is the ranking as a screen shows it.
type SitesView struct {
	Banner Banner     `json:"banner"`
	AsOf   time.Time  `json:"as_of"`
	Sites  []SiteView `json:"sites"`
}

// Sites is the ranking of a mission ("" is the whole record) with where people have got.
func (a *App) Sites(ctx context.Context, view access.View, mission atalaya.MissionID) (SitesView, error) {
	as, err := a.Ranking(ctx, view, mission)
	if isNotFound(err) { // nothing assessed yet
		as, err = Assessment{}, nil
	}
	if err != nil {
		return SitesView{}, err
	}
	files, err := a.caseFiles(ctx, view)
	if err != nil {
		return SitesView{}, err
	}
	out := SitesView{AsOf: as.AsOf, Sites: []SiteView{}}
	var marks []string
	for _, c := range as.Candidates {
		out.Sites = append(out.Sites, siteView(c, files[c.ID]))
		marks = append(marks, c.Marking)
	}
	if mission != "" {
		m, err := a.Record.Get(ctx, view, "mission", string(mission))
		if err != nil {
			return out, err
		}
		marks = append(marks, m.Marking)
	}
	out.Banner, err = BannerOf(marks...)
	return out, err
}

// caseFiles are the cases by their candidate.
func (a *App) caseFiles(ctx context.Context, view access.View) (map[atalaya.CandidateID]*CaseFile, error) {
	es, err := a.all(ctx, view, store.Query{Kind: "case"})
	if err != nil {
		return nil, err
	}
	out := map[atalaya.CandidateID]*CaseFile{}
	for _, e := range es {
		f, err := a.File(ctx, view, atalaya.CaseID(e.ID))
		if err != nil {
			return nil, err
		}
		out[f.Case.Candidate] = &f
	}
	return out, nil
}

// LogRow is an event as one reader may see it.
type LogRow struct {
	ID        store.Cursor      `json:"id"`
	Prev      store.Cursor      `json:"prev"`
	Event     string            `json:"event"` // the event's own name, the same for every reader
	Time      time.Time         `json:"time"`
	Actor     atalaya.AccountID `json:"actor"`
	ActorName string            `json:"actor_name"`
	Kind      string            `json:"kind"`
	Subject   string            `json:"subject"`
	Marking   string            `json:"marking"`
}

// Names maps accounts to what people call them.
func (a *App) Names(ctx context.Context) (map[atalaya.AccountID]string, error) {
	accounts, err := a.Accounts(ctx)
	out := map[atalaya.AccountID]string{System: "Atalaya"}
	for _, c := range accounts {
		out[c.ID] = c.Name
	}
	return out, err
}

func rowOf(e store.Event, names map[atalaya.AccountID]string) LogRow {
	return LogRow{ID: store.Cursor(e.ID), Event: e.ID, Time: e.Time, Actor: e.Actor, ActorName: names[e.Actor], Kind: e.Kind, Subject: e.Subject, Marking: e.Marking}
}

// Follow lists the log after a cursor.
func (a *App) Follow(ctx context.Context, view access.View, after store.Cursor, limit int) (rows []LogRow, next store.Cursor, reset bool, err error) {
	t, err := a.Record.Follow(ctx, view, after, limit)
	if err != nil {
		return nil, "", false, err
	}
	names, err := a.Names(ctx)
	rows = []LogRow{}
	for _, e := range t.Events {
		r := rowOf(e.Event, names)
		r.ID, r.Prev = e.ID, e.Prev
		rows = append(rows, r)
	}
	return rows, t.Next, t.Reset, err
}

// ObservationRow is an observation as a card lists it.
type ObservationRow struct {
	ID       atalaya.ObservationID   `json:"id"`
	Kind     atalaya.ObservationKind `json:"kind"`
	Sensor   string                  `json:"sensor"`
	Path     string                  `json:"path"`
	Part     string                  `json:"part"`
	When     atalaya.Span            `json:"when"`
	Marking  string                  `json:"marking"`
	Standing store.Standing          `json:"standing"`
	Summary  string                  `json:"summary"`        // in English
	Said     []atalaya.Sentence      `json:"said,omitempty"` // the same by codes
}

func observationRow(o atalaya.Observation, e store.Entity) ObservationRow {
	r := ObservationRow{ID: o.ID, Kind: o.Kind, Sensor: o.Sensor, Path: o.Path, Part: o.Part, When: o.When, Marking: o.Marking, Standing: e.Standing}
	if says, known := summaryOf(o); known {
		r.Said = []atalaya.Sentence{says}
		r.Summary = atalaya.English(r.Said)
	}
	return r
}

// summaryOf says in a line what an observation holds.
func summaryOf(o atalaya.Observation) (says atalaya.Sentence, known bool) {
	switch o.Kind {
	case atalaya.GasSurvey:
		var b GasBody
		if json.Unmarshal(o.Body, &b) == nil {
			return atalaya.Say("samples", "n", fmt.Sprint(b.Samples), "compounds", strings.Join(b.Compounds, ", ")), true
		}
	case atalaya.VideoTrack:
		var b VideoBody
		if json.Unmarshal(o.Body, &b) == nil {
			if b.Datum == "" {
				return atalaya.Say("packets-no-datum", "n", fmt.Sprint(b.Packets)), true
			}
			return atalaya.Say("packets", "n", fmt.Sprint(b.Packets), "datum", b.Datum), true
		}
	case atalaya.Movers:
		var b MoversBody
		if json.Unmarshal(o.Body, &b) == nil {
			counts := []string{"n", fmt.Sprint(b.Tracks), "frames", fmt.Sprint(b.Frames)}
			if b.Slowest == nil {
				return atalaya.Say("movers-unplaced", counts...), true
			}
			return atalaya.Say("movers", append(counts, "events", fmt.Sprint(len(b.Events)+b.More), "slow", fmt.Sprintf("%.1f", *b.Slowest))...), true
		}
	case atalaya.Bearings:
		var b BearingsBody
		if json.Unmarshal(o.Body, &b) == nil {
			if b.Emitter == "" {
				return atalaya.Say("bearings-unnamed", "n", fmt.Sprint(len(b.Rows))), true
			}
			return atalaya.Say("bearings", "n", fmt.Sprint(len(b.Rows)), "emitter", b.Emitter), true
		}
	case atalaya.Detections:
		return summaryOfSheet(o.Body)
	case atalaya.GroundLayer:
		return summaryOfGround(o)
	case atalaya.Report:
		if b, err := reportOf(o); err == nil {
			if first := firstLine(b.Text[b.Body[0]:b.Body[1]]); first != "" {
				return atalaya.Say("quoted", "text", first), true
			}
			return atalaya.Say("no-words"), true
		}
	}
	return says, false
}

func firstLine(s string) string {
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			if r := []rune(line); len(r) > 120 {
				return string(r[:119]) + "…"
			}
			return line
		}
	}
	return ""
}

// SiteCard is all about one place.
type SiteCard struct {
	Banner       Banner                `json:"banner"`
	Site         SiteView              `json:"site"`
	Basis        string                `json:"basis"`
	Ledger       []atalaya.LedgerItem  `json:"ledger"`
	Alternatives []atalaya.Alternative `json:"alternatives"`
	WouldChange  []atalaya.Change      `json:"would_change"` // one more look with each sense, the one that tells most first; empty where an older version ranked
	Case         *CaseView             `json:"case"`
	BasisChanged bool                  `json:"basis_changed"`
	Gone         bool                  `json:"gone"`    // no longer a candidate: the card shows it as the case was opened on it
	Missing      string                `json:"missing"` // before it can be released
	Reviews      []ReviewView          `json:"reviews"`
	Releases     []ReleaseView         `json:"releases"`
	Outcomes     []outcome.Report      `json:"outcomes"`
	Observations []ObservationRow      `json:"observations"`
	Attached     []AttachedView        `json:"attached"` // by people, from the inbox; they add nothing to the sum
	History      []LogRow              `json:"history"`
	May          May                   `json:"may"`
}

// CaseView is a case as a card shows it.
type CaseView struct {
	ID           atalaya.CaseID      `json:"id"`
	Candidate    atalaya.CandidateID `json:"candidate"`
	OpenedBy     atalaya.AccountID   `json:"opened_by"`
	OpenedByName string              `json:"opened_by_name"`
	OpenedAt     time.Time           `json:"opened_at"`
	LegalBasis   atalaya.LegalBasis  `json:"legal_basis"`
	Basis        string              `json:"basis"`
}

// ReviewView is a review with the name of the person.
type ReviewView struct {
	atalaya.Review
	ByName string `json:"by_name"`
}

// ReleaseView is a release as a card lists it.
type ReleaseView struct {
	ID             atalaya.ReleaseID `json:"id"`
	Recipient      string            `json:"recipient"`
	At             time.Time         `json:"at"`
	ByName         string            `json:"by_name"`
	Marking        string            `json:"marking"`
	Reference      string            `json:"reference"`
	ManifestSHA256 string            `json:"manifest_sha256"`
	URL            string            `json:"url"`
}

// ReleaseViewOf is a release as a card lists it, with the name of who released it.
func ReleaseViewOf(r Release, names map[atalaya.AccountID]string) ReleaseView {
	return ReleaseView{r.ID, r.Recipient, r.At, names[r.By], r.Marking, r.Reference, r.ManifestSHA256, "/api/releases/" + string(r.ID) + "/package.zip"}
}

// May says what this reader may do now, and why not.
type May struct {
	Open    bool              `json:"open"`
	Review  bool              `json:"review"`  // approve what stands
	Dismiss bool              `json:"dismiss"` // hold or dismiss it, also once the place is no longer a candidate
	Release bool              `json:"release"`
	Outcome bool              `json:"outcome"`
	WhyNot  map[string]string `json:"why_not"`
}

// Card is all about one place, as one account may see it.
func (a *App) Card(ctx context.Context, who Account, view access.View, id atalaya.CandidateID) (SiteCard, error) {
	card, marks, err := a.card(ctx, who, view, id)
	if err == nil {
		card.Banner, err = BannerOf(marks...)
	}
	return card, err
}

// TwoCards are two places beside each other.
type TwoCards struct {
	Banner Banner      `json:"banner"`
	Sites  [2]SiteCard `json:"sites"`
}

// Compare is all about two places, under one banner.
func (a *App) Compare(ctx context.Context, who Account, view access.View, one, other atalaya.CandidateID) (two TwoCards, err error) {
	var all []string
	for i, id := range []atalaya.CandidateID{one, other} {
		card, marks, err := a.card(ctx, who, view, id)
		if err == nil {
			card.Banner, err = BannerOf(marks...)
		}
		if err != nil {
			return two, err
		}
		two.Sites[i], all = card, append(all, marks...)
	}
	two.Banner, err = BannerOf(all...)
	return two, err
}

// card is a card without its banner, and the markings of what it shows.
func (a *App) card(ctx context.Context, who Account, view access.View, id atalaya.CandidateID) (card SiteCard, marks []string, err error) {
	c, err := a.Candidate(ctx, view, id)
	cs, _, found, err2 := a.CaseOf(ctx, view, id)
	if err2 != nil {
		return card, nil, err2
	}
	if isNotFound(err) && found {
		c, err = cs.Snapshot, nil // the place is gone, the case is not
	}
	if err != nil {
		return card, nil, err
	}
	names, err := a.Names(ctx)
	if err != nil {
		return card, nil, err
	}
	card = SiteCard{Ledger: c.Ledger, Alternatives: c.Alternatives, WouldChange: slices.Concat([]atalaya.Change{}, c.Changes), Reviews: []ReviewView{}, Releases: []ReleaseView{}, Outcomes: []outcome.Report{}, Observations: []ObservationRow{}, History: []LogRow{}}
	if card.Basis, err = review.BasisOf(c); err != nil {
		return card, nil, err
	}
	var file *CaseFile
	if found {
		f, err := a.File(ctx, view, cs.ID)
		if err != nil {
			return card, nil, err
		}
		file = &f
		if err := a.fillCase(ctx, &card, f, view, names); err != nil {
			return card, nil, err
		}
	}
	card.Site = siteView(c, file)
	card.May = mayDo(who, file)
	called := calledBy(names)
	card.Missing = called.Replace(card.Missing)
	for what, why := range card.May.WhyNot {
		card.May.WhyNot[what] = called.Replace(why)
	}
	if card.Attached, err = a.attached(ctx, view, c, names); err != nil {
		return card, nil, err
	}
	marks = []string{c.Marking}
	for _, d := range card.Attached {
		marks = append(marks, d.Marking)
	}
	seen := map[atalaya.ObservationID]bool{}
	rows := c.Ledger
	if file != nil { // what the case rested on stays on the card, struck through, when it is taken back
		rows = slices.Concat(rows, file.Case.Snapshot.Ledger)
	}
	for _, row := range rows {
		marks = append(marks, row.Marking)
		if row.Observation == "" || seen[row.Observation] {
			continue
		}
		seen[row.Observation] = true
		o, e, err := get[atalaya.Observation](ctx, a, view, "observation", string(row.Observation))
		if isNotFound(err) {
			continue // this reader may not see it
		}
		if err != nil {
			return card, nil, err
		}
		card.Observations = append(card.Observations, observationRow(o, e))
		marks = append(marks, o.Marking)
	}
	return card, marks, nil
}

// calledBy puts the names of people where a line holds their ids.
func calledBy(names map[atalaya.AccountID]string) *strings.Replacer {
	var pairs []string
	for id, name := range names {
		if id != System {
			pairs = append(pairs, string(id), name) // ids are of one length: their order does not matter
		}
	}
	return strings.NewReplacer(pairs...)
}

func (a *App) fillCase(ctx context.Context, card *SiteCard, f CaseFile, view access.View, names map[atalaya.AccountID]string) error {
	card.Case = &CaseView{f.Case.ID, f.Case.Candidate, f.Case.OpenedBy, names[f.Case.OpenedBy], f.Case.OpenedAt, f.Case.LegalBasis, f.Case.Basis}
	card.BasisChanged = f.Standing.State == review.BasisChanged
	card.Gone = f.Now == nil
	card.Missing = f.Standing.Missing
	card.Outcomes = append(card.Outcomes, f.Outcomes...)
	for _, r := range f.Reviews {
		card.Reviews = append(card.Reviews, ReviewView{r, names[r.By]})
	}
	for _, r := range f.Releases {
		card.Releases = append(card.Releases, ReleaseViewOf(r, names))
	}
	// What came back stands in the ledger, without weight: outcomes weigh only once a calibration exists.
	for _, o := range outcome.Current(outcomesOf(f)) {
		card.Ledger = append(slices.Clip(card.Ledger), outcome.Row(o, f.Case.Marking))
	}
	subjects := []string{string(f.Case.ID)}
	for _, r := range f.Reviews {
		subjects = append(subjects, string(r.ID))
	}
	for _, r := range f.Releases {
		subjects = append(subjects, string(r.ID))
	}
	for _, o := range f.Outcomes {
		subjects = append(subjects, string(o.ID))
	}
	for _, s := range subjects {
		es, err := a.Record.Events(ctx, view, s)
		if err != nil {
			return err
		}
		for _, e := range es {
			card.History = append(card.History, rowOf(e, names))
		}
	}
	slices.SortStableFunc(card.History, func(x, y LogRow) int { return x.Time.Compare(y.Time) })
	return nil
}

func outcomesOf(f CaseFile) []atalaya.Outcome {
	out := make([]atalaya.Outcome, len(f.Outcomes))
	for i, o := range f.Outcomes {
		out[i] = o.Outcome
	}
	return out
}

func mayDo(who Account, f *CaseFile) May {
	m := May{WhyNot: map[string]string{}}
	if !who.Decides() {
		for _, what := range []string{"open", "review", "dismiss", "release", "outcome"} {
			m.WhyNot[what] = "this account may look, not decide"
		}
		return m
	}
	if f == nil {
		m.Open = true
		for _, what := range []string{"review", "dismiss", "release", "outcome"} {
			m.WhyNot[what] = "no case is open on this place"
		}
		return m
	}
	m.WhyNot["open"] = "a case is open"
	m.Outcome = true
	m.Review = f.Standing.State != review.BasisChanged && f.Now != nil
	m.Dismiss = m.Review || f.Now == nil
	switch {
	case f.Now == nil:
		m.WhyNot["review"] = "the place is no longer a candidate; dismiss the case, or hold it for new evidence"
	case !m.Review:
		m.WhyNot["review"], m.WhyNot["dismiss"] = f.Standing.Missing, f.Standing.Missing
	}
	m.Release = f.Standing.State == review.Approved
	if !m.Release {
		m.WhyNot["release"] = f.Standing.Missing
	}
	return m
}
