package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/outcome"
	"github.com/atalaya-isr/atalaya/review"
	"github.com/atalaya-isr/atalaya/store"
)

// Written is what a decision became: an event of the log.
type Written struct {
	Event  store.Event
	Before bool // it had been decided so before, as this event; nothing was written now
}

// personal names what a person makes.
func personal(prefix string) (string, error) {
	u, err := uuid.NewV7()
	return prefix + u.String(), err
}

// write appends one event that a person caused.
func (a *App) write(ctx context.Context, by Account, e store.NewEvent) (Written, error) {
	if !by.Decides() {
		return Written{}, failure(atalaya.Refused, "Ask an analyst or a reviewer", "%s may look, not decide", by.Name)
	}
	e.Time, e.Actor = a.Clock().UTC(), by.ID
	events, err := a.Record.Append(ctx, e)
	if err != nil {
		return Written{}, err
	}
	return Written{Event: events[0]}, nil
}

// OpenCase opens a person's question about a candidate and pins it as it stands.
func (a *App) OpenCase(ctx context.Context, by Account, view access.View, candidate atalaya.CandidateID, basis atalaya.LegalBasis) (atalaya.Case, Written, error) {
	none := atalaya.Case{}
	if _, err := a.Candidate(ctx, view, candidate); err != nil {
		return none, Written{}, err
	}
	// What is pinned is what the record holds; the case bears the marking of all of it.
	c, err := a.Candidate(ctx, access.Whole(), candidate)
	if err != nil {
		return none, Written{}, err
	}
	if old, _, found, err := a.CaseOf(ctx, view, candidate); err != nil {
		return none, Written{}, err
	} else if found {
		return none, Written{}, failure(atalaya.Conflict, "Review that one", "case %s is open on this place", shortName(string(old.ID)))
	}
	if strings.TrimSpace(basis.Instrument) == "" || !basis.ReviewBy.After(a.Clock()) {
		return none, Written{}, failure(atalaya.Refused, "Name the instrument and a review date to come", "a case needs a legal basis that is in force")
	}
	if basis.ReviewBy.After(a.Clock().AddDate(5, 0, 0)) {
		return none, Written{}, failure(atalaya.Refused, "Give a date within five years", "the review date %s is too far away", basis.ReviewBy.Format(time.DateOnly))
	}
	hash, err := review.BasisOf(c)
	if err != nil {
		return none, Written{}, err
	}
	marking, err := review.MarkingOf(c)
	if err != nil {
		return none, Written{}, err
	}
	id, err := personal("case_")
	if err != nil {
		return none, Written{}, err
	}
	cs := atalaya.Case{ID: atalaya.CaseID(id), Candidate: c.ID, Mission: c.Mission, OpenedBy: by.ID, OpenedAt: a.Clock().UTC(),
		LegalBasis: basis, Marking: marking, Snapshot: c, Basis: hash}
	// One case a candidate, also when two people open one at the same moment.
	w, err := a.write(ctx, by, store.NewEvent{Kind: store.CaseOpened, Subject: id, Marking: marking, Body: mustJSON(cs), Key: "case/" + string(c.ID)})
	if err == nil && w.Event.Subject != id {
		return none, Written{}, failure(atalaya.Conflict, "Review that one", "case %s is open on this place", shortName(w.Event.Subject))
	}
	return cs, w, err
}

// CaseOf finds the case on a candidate.
func (a *App) CaseOf(ctx context.Context, view access.View, candidate atalaya.CandidateID) (atalaya.Case, store.Entity, bool, error) {
	es, err := a.all(ctx, view, store.Query{Kind: "case"})
	if err != nil {
		return atalaya.Case{}, store.Entity{}, false, err
	}
	cases, err := nouns[atalaya.Case](es)
	if err != nil {
		return atalaya.Case{}, store.Entity{}, false, err
	}
	for i, c := range cases {
		if c.Candidate == candidate {
			return c, es[i], true, nil
		}
	}
	return atalaya.Case{}, store.Entity{}, false, nil
}

// CaseFile is a case with all that people decided on it.
type CaseFile struct {
	Case     atalaya.Case
	Entity   store.Entity
	Current  string // basis of the candidate as it is computed now; "" when it is gone
	Now      *atalaya.Candidate
	Reviews  []atalaya.Review
	Standing review.Standing
	Releases []Release
	Outcomes []outcome.Report
}

// File reads a case.
func (a *App) File(ctx context.Context, view access.View, id atalaya.CaseID) (f CaseFile, err error) {
	if f.Case, f.Entity, err = get[atalaya.Case](ctx, a, view, "case", string(id)); err != nil {
		return f, err
	}
	// The basis is that of the record, not of what this reader sees: else a withheld change would look like none.
	switch c, err := a.Candidate(ctx, access.Whole(), f.Case.Candidate); {
	case isNotFound(err):
	case err != nil:
		return f, err
	default:
		if f.Current, err = review.BasisOf(c); err != nil {
			return f, err
		}
		f.Now = &c
	}
	if f.Reviews, err = children[atalaya.Review](ctx, a, view, "review", f.Case.ID); err != nil {
		return f, err
	}
	if f.Releases, err = children[Release](ctx, a, view, "release", f.Case.ID); err != nil {
		return f, err
	}
	if f.Outcomes, err = children[outcome.Report](ctx, a, view, "outcome", f.Case.ID); err != nil {
		return f, err
	}
	f.Standing = review.Of(f.Case, f.Current, f.Reviews, a.Clock())
	return f, nil
}

func children[T any](ctx context.Context, a *App, view access.View, kind string, of atalaya.CaseID) ([]T, error) {
	es, err := a.all(ctx, view, store.Query{Kind: kind, Parent: string(of)})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(es, func(x, y store.Entity) int { return int(x.Version - y.Version) })
	return nouns[T](es)
}

// Review records one person's decision on the basis that the person looked at.
func (a *App) Review(ctx context.Context, by Account, view access.View, id atalaya.CaseID, decision atalaya.Decision, why, basis string) (atalaya.Review, Written, error) {
	f, err := a.File(ctx, view, id)
	if err != nil {
		return atalaya.Review{}, Written{}, err
	}
	rid, err := personal("rev_")
	if err != nil {
		return atalaya.Review{}, Written{}, err
	}
	r := atalaya.Review{ID: atalaya.ReviewID(rid), Case: f.Case.ID, By: by.ID, At: a.Clock().UTC(), Decision: decision, Basis: basis, Why: strings.TrimSpace(why)}
	if err := review.Check(r, f.Case, f.Current); err != nil {
		return r, Written{}, a.inWords(ctx, f, err)
	}
	w, err := a.write(ctx, by, store.NewEvent{Kind: store.ReviewMade, Subject: rid, Marking: f.Case.Marking, Body: mustJSON(r)})
	return r, w, err
}

// LookedAt records that a person has seen what a case now rests on. Reviews of the old basis no longer count.
func (a *App) LookedAt(ctx context.Context, by Account, view access.View, id atalaya.CaseID, basis string) (Written, error) {
	f, err := a.File(ctx, view, id)
	if err != nil {
		return Written{}, err
	}
	switch {
	case f.Now == nil:
		return Written{}, failure(atalaya.Conflict, "Dismiss the case, or hold it for new evidence", "the place is no longer a candidate")
	case basis != f.Current:
		return Written{}, failure(atalaya.Conflict, "Load it again", "the evidence changed once more while it was looked at")
	}
	body := struct {
		Basis    string            `json:"basis"`
		Snapshot atalaya.Candidate `json:"snapshot"`
	}{f.Current, *f.Now}
	return a.write(ctx, by, store.NewEvent{Kind: store.CaseLookedAt, Subject: string(id), Marking: f.Case.Marking, Body: mustJSON(body), Expect: &f.Entity.Version})
}

// AddOutcome records what came back from a partner.
func (a *App) AddOutcome(ctx context.Context, by Account, view access.View, r outcome.Report) (outcome.Report, Written, error) {
	f, err := a.File(ctx, view, r.Case)
	if err != nil {
		return r, Written{}, err
	}
	id, err := personal("out_")
	if err != nil {
		return r, Written{}, err
	}
	r.ID = atalaya.OutcomeID(id)
	earlier := make([]atalaya.Outcome, len(f.Outcomes))
	for i, o := range f.Outcomes {
		earlier[i] = o.Outcome
	}
	if err := outcome.Check(r, a.Clock(), earlier); err != nil {
		return r, Written{}, err
	}
	w, err := a.write(ctx, by, store.NewEvent{Kind: store.OutcomeMade, Subject: id, Marking: f.Case.Marking, Body: mustJSON(r)})
	return r, w, err
}

// Retract takes an observation back and has everything that rests on it computed again without it.
func (a *App) Retract(ctx context.Context, by Account, view access.View, id atalaya.ObservationID, why string) (Written, error) {
	if strings.TrimSpace(why) == "" {
		return Written{}, failure(atalaya.BadUse, "Say why in a sentence", "a retraction needs its reason")
	}
	return a.restand(ctx, by, view, id, store.RetractionMade, store.Stands, map[string]string{"why": strings.TrimSpace(why)})
}

// Unretract undoes a retraction.
func (a *App) Unretract(ctx context.Context, by Account, view access.View, id atalaya.ObservationID) (Written, error) {
	return a.restand(ctx, by, view, id, store.RetractionUndone, store.Retracted, map[string]string{})
}

func (a *App) restand(ctx context.Context, by Account, view access.View, id atalaya.ObservationID, kind string, from store.Standing, body map[string]string) (Written, error) {
	o, e, err := get[atalaya.Observation](ctx, a, view, "observation", string(id))
	if err != nil {
		return Written{}, err
	}
	if e.Standing != from {
		return Written{}, failure(atalaya.Conflict, "Load it again", "observation %s is %s", id, e.Standing)
	}
	w, err := a.write(ctx, by, store.NewEvent{Kind: kind, Subject: string(id), Marking: e.Marking, Body: mustJSON(body), Expect: &e.Version,
		Jobs: []store.Job{assessJob(o.Mission)}})
	if err != nil {
		return w, fmt.Errorf("observation %s: %w", id, err)
	}
	return w, nil
}
