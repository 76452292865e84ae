package app

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/store"
)

// InboxItem is one detection as an analyst weighs it: what stood out, against what, and what else it could be.
type InboxItem struct {
	ID           atalaya.DetectionID   `json:"id"`
	Kind         atalaya.DetectionKind `json:"kind"`
	Observation  ObservationRow        `json:"observation"`
	When         time.Time             `json:"when"`
	Lat          *float64              `json:"lat"`
	Lon          *float64              `json:"lon"`
	Digits       int                   `json:"digits"`             // decimals of degrees that the error allows
	Position     *Position             `json:"position,omitempty"` // in other forms, where there is one
	Headline     string                `json:"headline"`           // in English
	Said         []atalaya.Sentence    `json:"said,omitempty"`     // the same by codes
	Alternatives []string              `json:"alternatives"`
	// EvidenceLogOdds is what the detection's evidence says at most, for or against, about any one piece of ground.
	EvidenceLogOdds float64              `json:"evidence_log_odds"`
	Site            *atalaya.CandidateID `json:"site"`
	Standing        store.Standing       `json:"standing"`
	Sorted          *SortedView          `json:"sorted"` // what a person did with it last; null while nobody has
	Thumbnail       *Thumbnail           `json:"thumbnail"`
	Text            *InboxText           `json:"text"`
	Marking         string               `json:"marking"`
}

// Thumbnail is the signal against its background: seconds after the first sample and value, in Unit.
type Thumbnail struct {
	Kind       string       `json:"kind"` // series
	Unit       string       `json:"unit"`
	Points     [][2]float64 `json:"points"`
	Background float64      `json:"background"`
}

// InboxText is a report's own words, with the translator's draft beside them where there is one.
type InboxText struct {
	Lang   string  `json:"lang"`
	Source string  `json:"source"`
	Gist   *string `json:"gist"`
	GistBy string  `json:"gist_by"`
}

// InboxView is the inbox of one mission.
type InboxView struct {
	Banner     Banner      `json:"banner"`
	Detections []InboxItem `json:"detections"`
}

// otherReadings are three things that each kind of detection could also mean, where no ledger weighs them.
var otherReadings = map[atalaya.DetectionKind][]string{
	atalaya.GasSource:  {"paint shop", "farm", "burning"},
	atalaya.EmitterFix: {"farm radio", "vehicle", "repeater"},
	atalaya.Coverage:   {"hidden from view", "at rest then", "not there"},
	atalaya.Mention:    {"sewage", "crop spraying", "rumour"},
	// Of sheets.
	ofGas:      {"paint shop", "farm", "burning"},
	ofSpectral: {"refinery", "landfill", "burning"},
	ofThermal:  {"burning", "sun on metal", "animals"},
	ofVideo:    {"farm", "vehicle", "hidden from view"},
	ofMover:    {"everyday traffic", "animals", "farm"},
	ofSignal:   {"farm radio", "vehicle", "repeater"},
	ofPermit:   {"out of use", "on paper only", "elsewhere"},
}

// Inbox lists the detections of a mission ("" is the latest, as on the map), the newest first, and of one time those that
// weigh most. What no longer stands is listed with its standing, not hidden.
func (a *App) Inbox(ctx context.Context, view access.View, mission atalaya.MissionID) (InboxView, error) {
	out := InboxView{Detections: []InboxItem{}}
	m, err := a.missionOr(ctx, view, mission)
	if err != nil || m == nil {
		if err == nil {
			out.Banner, err = BannerOf()
		}
		return out, err
	}
	weights, err := a.weigh(ctx, view, m.ID)
	if err != nil {
		return out, err
	}
	es, err := a.all(ctx, view, store.Query{Kind: "detection", Mission: string(m.ID), AllStanding: true})
	if err != nil {
		return out, err
	}
	sorted, err := a.sorted(ctx, view, m.ID)
	if err != nil {
		return out, err
	}
	names, err := a.Names(ctx)
	if err != nil {
		return out, err
	}
	marks := []string{m.Marking}
	for _, e := range es {
		if e.Standing == store.Purged {
			continue
		}
		item, seen, err := a.inboxItem(ctx, view, e, weights)
		if err != nil {
			return out, err
		}
		if s, is := sorted[item.ID]; is {
			item.Sorted = &SortedView{s, names[s.By]}
		}
		if seen {
			out.Detections = append(out.Detections, item)
			marks = append(marks, item.Marking, item.Observation.Marking)
		}
	}
	slices.SortStableFunc(out.Detections, func(x, y InboxItem) int {
		if c := y.When.Compare(x.When); c != 0 {
			return c
		}
		if wx, wy := math.Abs(x.EvidenceLogOdds), math.Abs(y.EvidenceLogOdds); wx != wy {
			if wx > wy {
				return -1
			}
			return 1
		}
		return strings.Compare(string(x.ID), string(y.ID))
	})
	out.Banner, err = BannerOf(marks...)
	return out, err
}

// missionOr is the mission asked for, or the latest; nil when there is none yet.
func (a *App) missionOr(ctx context.Context, view access.View, id atalaya.MissionID) (*MissionState, error) {
	if id != "" {
		m, _, err := get[MissionState](ctx, a, view, "mission", string(id))
		return &m, err
	}
	ms, err := a.Missions(ctx, view)
	if err != nil || len(ms) == 0 {
		return nil, err
	}
	return &ms[0], nil
}

// weighed is what the evidence of one detection says, and for which candidate it says most.
type weighed struct {
	most  float64 // log-odds of the cell on which it says most, with its sign
	share float64 // of the candidate's ledger
	site  *atalaya.CandidateID
}

// weigh reads the evidence of a mission and the ledgers that name it.
func (a *App) weigh(ctx context.Context, view access.View, mission atalaya.MissionID) (map[atalaya.DetectionID]*weighed, error) {
	es, err := a.all(ctx, view, store.Query{Kind: "evidence", Mission: string(mission), AllStanding: true})
	if err != nil {
		return nil, err
	}
	evidence, err := nouns[atalaya.Evidence](es)
	if err != nil {
		return nil, err
	}
	out, detectionOf := map[atalaya.DetectionID]*weighed{}, map[atalaya.EvidenceID]atalaya.DetectionID{}
	for _, e := range evidence {
		detectionOf[e.ID] = e.Detection
		w := out[e.Detection]
		if w == nil {
			w = &weighed{}
			out[e.Detection] = w
		}
		for _, l := range e.LogOdds {
			if math.Abs(l) > math.Abs(w.most) {
				w.most = l
			}
		}
	}
	as, err := a.Ranking(ctx, view, mission)
	if isNotFound(err) { // nothing assessed yet
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	for _, c := range as.Candidates {
		for _, row := range c.Ledger {
			if w := out[detectionOf[row.Evidence]]; w != nil && (w.site == nil || math.Abs(row.LogOdds) > math.Abs(w.share)) {
				w.site, w.share = &c.ID, row.LogOdds
			}
		}
	}
	return out, nil
}

// inboxItem is one detection with its observation; seen is false when the reader may not see what it rests on.
func (a *App) inboxItem(ctx context.Context, view access.View, e store.Entity, weights map[atalaya.DetectionID]*weighed) (item InboxItem, seen bool, err error) {
	var d atalaya.Detection
	if err := json.Unmarshal(e.Body, &d); err != nil {
		return item, false, err
	}
	if len(d.From) == 0 {
		return item, false, nil
	}
	o, oe, err := get[atalaya.Observation](ctx, a, view, "observation", string(d.From[0]))
	if isNotFound(err) {
		return item, false, nil
	}
	if err != nil {
		return item, false, err
	}
	var body headline
	if err := json.Unmarshal(d.Body, &body); err != nil {
		return item, false, err
	}
	item = InboxItem{ID: d.ID, Kind: d.Kind, Observation: observationRow(o, oe), When: d.When.To, Headline: body.Headline, Said: body.Said, Alternatives: otherReadings[d.Kind],
		Standing: e.Standing, Marking: d.Marking}
	if d.Place != nil {
		at := positionOf(*d.Place)
		item.Lat, item.Lon, item.Digits, item.Position = &d.Place.Lat, &d.Place.Lon, digits(d.Place.CovarianceM2), &at
	}
	if w := weights[d.ID]; w != nil {
		item.EvidenceLogOdds, item.Site = w.most, w.site
	}
	return item, true, item.show(o)
}

// show adds the picture or the words that the detection rests on.
func (item *InboxItem) show(o atalaya.Observation) error {
	switch o.Kind {
	case atalaya.GasSurvey:
		var b GasBody
		if err := json.Unmarshal(o.Body, &b); err != nil {
			return err
		}
		if len(b.Points) == 0 {
			return nil
		}
		item.Thumbnail = &Thumbnail{Kind: "series", Unit: b.Unit, Background: b.Background, Points: make([][2]float64, len(b.Points))}
		for i, p := range b.Points {
			item.Thumbnail.Points[i] = [2]float64{p[2], p[3]}
		}
	case atalaya.Report:
		b, err := reportOf(o)
		if err != nil {
			return err
		}
		item.Text = &InboxText{Lang: b.Language.Code, Source: strings.TrimSpace(b.Text[b.Body[0]:b.Body[1]]), Gist: b.Gist, GistBy: b.GistBy}
	}
	return nil
}
