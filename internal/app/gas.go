package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/locate/fingerprint"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/plan"
	"github.com/atalaya-isr/atalaya/product/figure"
	"github.com/atalaya-isr/atalaya/sense/gas"
	"github.com/atalaya-isr/atalaya/store"
)

// gasMore is what a gas survey is asked for beside its sources. Each is absent where it cannot be had, with the reason, in English and by codes.
type gasMore struct {
	Advice      json.RawMessage    `json:"advice,omitempty"` // atalaya.advice/1
	AdviceWhy   string             `json:"advice_why,omitempty"`
	AdviceSaid  []atalaya.Sentence `json:"advice_said,omitempty"`
	Mixture     json.RawMessage    `json:"mixture,omitempty"` // a group of atalaya.emitters/1
	MixtureWhy  string             `json:"mixture_why,omitempty"`
	MixtureSaid []atalaya.Sentence `json:"mixture_said,omitempty"`
}

// legsAdvised is how many legs the gas room shows.
const legsAdvised = 3

// drawnOf makes what the gas room shows of one solved group, once, when it is solved: the posterior is gone after that. in holds that
// group alone.
func drawnOf(ctx context.Context, s *gas.Survey, in source.Input, g *source.Group, seed uint64) (*figure.Picture, gasMore, error) {
	for _, rows := range s.GroupRows() {
		if len(rows) == 0 || s.GroupName(rows[0]) != g.Group {
			continue
		}
		var more gasMore
		legs, err := more.advise(ctx, in, g, seed)
		if err == nil {
			err = more.resemble(ctx, s.Select(rows), seed)
		}
		if err != nil {
			return nil, more, err
		}
		p, err := figure.Of(s, rows, in, g, legs...)
		return &p, more, err
	}
	return nil, gasMore{}, fmt.Errorf("%s holds no group %q", s.Name, g.Group)
}

// advise asks for the next leg, within what the survey itself shows that its aircraft can do.
func (m *gasMore) advise(ctx context.Context, in source.Input, g *source.Group, seed uint64) ([]figure.Leg, error) {
	a, err := plan.Next(ctx, in, 0, g, plan.AsFlown(in.Groups[0]), plan.Options{Seed: seed, Legs: legsAdvised})
	if m.AdviceWhy, m.AdviceSaid, err = declined(ctx, err); err != nil || m.AdviceWhy != "" {
		return nil, err
	}
	m.Advice = mustJSON(a)
	var legs []figure.Leg
	for i := range a.Legs {
		l := a.Legs[i].Leg()
		legs = append(legs, figure.Leg{Kind: string(l.Kind), From: l.From, To: l.To, HeightM: l.HeightM})
	}
	return legs, nil
}

// resemble asks what kind of emitter the mixture is like.
func (m *gasMore) resemble(ctx context.Context, s *gas.Survey, seed uint64) error {
	res, _, err := fingerprint.Survey(fingerprint.Builtin(), s, nil, fingerprint.Options{Seed: seed})
	if m.MixtureWhy, m.MixtureSaid, err = declined(ctx, err); err != nil || m.MixtureWhy != "" {
		return err
	}
	for _, g := range res.Groups { // one: the rows are of one group
		m.Mixture = mustJSON(g)
	}
	return nil
}

// declined turns the reason for which there is no answer into words, which the room shows: the sources that were found must not be
// lost for it. Only work that was broken off is a fault, and is done again.
func declined(ctx context.Context, err error) (why string, said []atalaya.Sentence, fault error) {
	switch {
	case ctx.Err() != nil:
		return "", nil, ctx.Err()
	case err != nil:
		return err.Error(), atalaya.ReasonOf(err), nil
	}
	return "", nil, nil
}

// GasRow is a gas survey in the list of the gas room.
type GasRow struct {
	Observation ObservationRow     `json:"observation"`
	Headline    string             `json:"headline"` // empty while nobody has looked at it yet
	Said        []atalaya.Sentence `json:"said,omitempty"`
	// Judged says that the estimator answered: with sources, or with what could not have been missed.
	Judged  bool `json:"judged"`
	Sources int  `json:"sources"` // most probable number
	// Found is the probability that there is a source at all; null where nothing was judged.
	Found *float64 `json:"probability_source"`
}

// GasList is the gas surveys of one mission.
type GasList struct {
	Banner  Banner       `json:"banner"`
	Mission *MissionName `json:"mission"`
	Surveys []GasRow     `json:"surveys"`
}

// GasSite is a candidate that a survey speaks for or against.
type GasSite struct {
	ID      atalaya.CandidateID `json:"id"`
	Rank    int                 `json:"rank"`
	LogOdds float64             `json:"log_odds"` // the survey's share of the candidate's ledger
}

// GasView is all that the gas room shows of one survey.
type GasView struct {
	Banner Banner `json:"banner"`
	GasRow
	Mission atalaya.MissionID `json:"mission"`
	// Group holds the figures, each with its interval; Picture what is drawn. Both are null where nothing was judged, and Picture
	// in a record that an older version made.
	Group   *source.Group   `json:"group"`
	Picture *figure.Picture `json:"picture"`
	Sites   []GasSite       `json:"sites"`
	// Advice is atalaya.advice/1, the leg that would tell most next; Mixture a group of atalaya.emitters/1. Where one is null, why says
	// the reason in English and said the same by codes, what is wrong and then what to do. Records of an older version have no said, or neither.
	Advice      json.RawMessage    `json:"advice"`
	AdviceWhy   string             `json:"advice_why"`
	AdviceSaid  []atalaya.Sentence `json:"advice_said,omitempty"`
	Mixture     json.RawMessage    `json:"mixture"`
	MixtureWhy  string             `json:"mixture_why"`
	MixtureSaid []atalaya.Sentence `json:"mixture_said,omitempty"`
}

// gasDetections are the findings of a mission by the observation that they are of, in the order of the sources. The picture is
// left out unless asked for: it is most of the bytes.
func (a *App) gasDetections(ctx context.Context, view access.View, mission atalaya.MissionID) (map[atalaya.ObservationID][]gasFound, error) {
	es, err := a.all(ctx, view, store.Query{Kind: "detection", Mission: string(mission), AllStanding: true})
	if err != nil {
		return nil, err
	}
	out := map[atalaya.ObservationID][]gasFound{}
	for _, e := range es {
		if e.Standing == store.Purged {
			continue
		}
		var d atalaya.Detection
		if err := json.Unmarshal(e.Body, &d); err != nil {
			return nil, fmt.Errorf("detection %s: %w", e.ID, err)
		}
		if len(d.From) > 0 && (d.Kind == atalaya.GasSource || d.Kind == atalaya.Coverage) {
			out[d.From[0]] = append(out[d.From[0]], gasFound{d, e.ID})
		}
	}
	return out, nil
}

// gasFound is a detection that a gas survey gave.
type gasFound struct {
	atalaya.Detection
	id string
}

// gasRow says of one survey what came of it. The finding is that of its first source, which bears the picture.
func gasRow(o atalaya.Observation, e store.Entity, found []gasFound) (GasRow, GasFinding, error) {
	row, first := GasRow{Observation: observationRow(o, e)}, GasFinding{}
	for i, d := range found {
		var f GasFinding
		if err := json.Unmarshal(d.Body, &f); err != nil {
			return row, f, fmt.Errorf("detection %s: %w", d.id, err)
		}
		if i == 0 || f.Picture != nil {
			first = f
		}
	}
	row.Headline, row.Said = first.Headline, first.Said
	if g := first.Group; g != nil {
		row.Judged, row.Sources = true, len(g.Sources)
		some := 1 - g.Count["0"]
		row.Found = &some
	}
	return row, first, nil
}

// GasSurveys lists the gas surveys of a mission ("" is the latest) that a reader may see, the latest first. What was taken back is
// listed with its standing, not hidden.
func (a *App) GasSurveys(ctx context.Context, view access.View, mission atalaya.MissionID) (GasList, error) {
	out := GasList{Surveys: []GasRow{}}
	m, err := a.missionOr(ctx, view, mission)
	if err != nil || m == nil {
		if err == nil {
			out.Banner, err = BannerOf()
		}
		return out, err
	}
	out.Mission = &MissionName{m.ID, m.Name, m.From, m.To}
	found, err := a.gasDetections(ctx, view, m.ID)
	if err != nil {
		return out, err
	}
	es, err := a.all(ctx, view, store.Query{Kind: "observation", Mission: string(m.ID), AllStanding: true})
	if err != nil {
		return out, err
	}
	marks := []string{m.Marking}
	for _, e := range es {
		if e.Standing == store.Purged {
			continue
		}
		var o atalaya.Observation
		if err := json.Unmarshal(e.Body, &o); err != nil {
			return out, fmt.Errorf("observation %s: %w", e.ID, err)
		}
		if o.Kind != atalaya.GasSurvey {
			continue
		}
		row, _, err := gasRow(o, e, found[o.ID])
		if err != nil {
			return out, err
		}
		out.Surveys, marks = append(out.Surveys, row), append(marks, o.Marking)
	}
	slices.SortStableFunc(out.Surveys, func(x, y GasRow) int {
		return cmp.Or(y.Observation.When.To.Compare(x.Observation.When.To), cmp.Compare(x.Observation.Path, y.Observation.Path), cmp.Compare(x.Observation.Part, y.Observation.Part))
	})
	out.Banner, err = BannerOf(marks...)
	return out, err
}

// GasSurvey is all that the gas room shows of one survey. It is what the run stored; nothing is estimated here.
func (a *App) GasSurvey(ctx context.Context, view access.View, id atalaya.ObservationID) (GasView, error) {
	v := GasView{Sites: []GasSite{}}
	o, e, err := get[atalaya.Observation](ctx, a, view, "observation", string(id))
	if err == nil && o.Kind != atalaya.GasSurvey {
		err = failure(atalaya.NotFound, "List them with GET /api/gas", "observation %s is no gas survey", id)
	}
	if err != nil {
		return v, err
	}
	found, err := a.gasDetections(ctx, view, o.Mission)
	if err != nil {
		return v, err
	}
	row, first, err := gasRow(o, e, found[id])
	if err != nil {
		return v, err
	}
	v.GasRow, v.Mission, v.Group, v.Picture = row, o.Mission, first.Group, first.Picture
	v.Advice, v.AdviceWhy, v.AdviceSaid = orNull(first.Advice), first.AdviceWhy, first.AdviceSaid
	v.Mixture, v.MixtureWhy, v.MixtureSaid = orNull(first.Mixture), first.MixtureWhy, first.MixtureSaid
	marks := []string{o.Marking}
	for _, d := range found[id] {
		marks = append(marks, d.Marking)
	}
	as, err := a.Ranking(ctx, view, o.Mission)
	if err != nil && !isNotFound(err) { // not found: nothing assessed yet
		return v, err
	}
	for _, c := range as.Candidates {
		share, speaks := 0.0, false
		for _, item := range c.Ledger {
			if item.Observation == id {
				share, speaks = share+item.LogOdds, true
			}
		}
		if speaks {
			v.Sites, marks = append(v.Sites, GasSite{c.ID, c.Rank, share}), append(marks, c.Marking)
		}
	}
	v.Banner, err = BannerOf(marks...)
	return v, err
}

func orNull(m json.RawMessage) json.RawMessage {
	if len(m) == 0 {
		return json.RawMessage("null")
	}
	return m
}

// Figure is a picture as a file.
type Figure struct {
	io.ReadSeeker
	Name string
	Kind string // its media type
}

// GasFigure draws one survey as a map sheet for a report, kind "svg" or "png", language "en" or "es", under the survey's own marking.
func (a *App) GasFigure(ctx context.Context, view access.View, id atalaya.ObservationID, kind, language string) (Figure, error) {
	v, err := a.GasSurvey(ctx, view, id)
	if err != nil {
		return Figure{}, err
	}
	if v.Picture == nil || v.Group == nil {
		return Figure{}, failure(atalaya.NotFound, "Run the mission again with this version, or see why it was not judged", "there is no picture of survey %s", id)
	}
	draw, media := figure.SVG, "image/svg+xml"
	if kind == "png" {
		draw, media = figure.PNG, "image/png"
	}
	o := v.Observation
	b, err := draw(figure.Sheet{Picture: *v.Picture, Group: *v.Group, Title: o.Path, Marking: o.Marking, Language: language})
	if err != nil {
		return Figure{}, err
	}
	name := path.Base(o.Path)
	return Figure{bytes.NewReader(b), name[:len(name)-len(path.Ext(name))] + "." + kind, media}, nil
}
