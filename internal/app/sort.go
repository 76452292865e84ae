package app

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/store"
)

// Sorting is what a person did with a detection of the inbox. It weighs nothing: the machine's sums are of evidence alone, and a
// detection that is wrong is taken back with its observation.
type Sorting string

// The sortings of a detection.
const (
	Kept     Sorting = "keep"   // looked at, nothing to do
	Held     Sorting = "hold"   // waits, for a reason
	Attached Sorting = "attach" // belongs to a site, says the person
	Reopened Sorting = "reopen" // the last sorting is undone
)

// Sorted is how one detection was sorted last; the log keeps the others. Its JSON is the body of the event.
type Sorted struct {
	Detection atalaya.DetectionID  `json:"detection"`
	Mission   atalaya.MissionID    `json:"mission"`
	Sorting   Sorting              `json:"sorting"`
	Site      *atalaya.CandidateID `json:"site"` // where attached
	Why       string               `json:"why"`
	By        atalaya.AccountID    `json:"by"`
	At        time.Time            `json:"at"`
}

// SortDetection records what a person did with a detection.
func (a *App) SortDetection(ctx context.Context, by Account, view access.View, id atalaya.DetectionID, how Sorting, site atalaya.CandidateID, why string) (Written, error) {
	d, e, err := get[atalaya.Detection](ctx, a, view, "detection", string(id))
	if err != nil {
		return Written{}, err
	}
	s := Sorted{Detection: id, Mission: d.Mission, Sorting: how, Why: strings.TrimSpace(why), By: by.ID, At: a.Clock().UTC()}
	switch how {
	case Kept, Reopened:
	case Held:
		if s.Why == "" {
			return Written{}, failure(atalaya.BadUse, "Say why in a sentence", "a hold needs its reason")
		}
	case Attached:
		if s.Site, err = a.siteToAttach(ctx, view, site, d.Mission); err != nil {
			return Written{}, err
		}
	default:
		return Written{}, failure(atalaya.BadUse, "Choose keep, hold, attach or reopen", "%.30q is no way to sort a detection", how)
	}
	if e.Standing != store.Stands && how != Reopened {
		return Written{}, failure(atalaya.Conflict, "Restore its observation first", "what this detection rests on was taken back")
	}
	return a.write(ctx, by, store.NewEvent{Kind: store.DetectionSorted, Subject: string(id), Marking: e.Marking, Body: mustJSON(s)})
}

// siteToAttach is a site of the mission that the reader may see, as a candidate or by its case.
func (a *App) siteToAttach(ctx context.Context, view access.View, id atalaya.CandidateID, mission atalaya.MissionID) (*atalaya.CandidateID, error) {
	c, err := a.Candidate(ctx, view, id)
	if isNotFound(err) {
		k, _, found, err := a.CaseOf(ctx, view, id)
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, failure(atalaya.NotFound, "Choose a site of the list", "there is no site %.80q", id)
		}
		c = k.Snapshot
	} else if err != nil {
		return nil, err
	}
	if c.Mission != mission {
		return nil, failure(atalaya.BadUse, "Choose a site of the same mission", "the site is of another mission than the detection")
	}
	return &c.ID, nil
}

// sorted lists how the detections of a mission were sorted last, where they were.
func (a *App) sorted(ctx context.Context, view access.View, mission atalaya.MissionID) (map[atalaya.DetectionID]Sorted, error) {
	es, err := a.all(ctx, view, store.Query{Kind: "sorting", Mission: string(mission)})
	if err != nil {
		return nil, err
	}
	list, err := nouns[Sorted](es)
	out := map[atalaya.DetectionID]Sorted{}
	for _, s := range list {
		if s.Sorting != Reopened {
			out[s.Detection] = s
		}
	}
	return out, err
}

// SortedView is a sorting with the name of the person.
type SortedView struct {
	Sorted
	ByName string `json:"by_name"`
}

// AttachedView is a detection that a person attached to a site.
type AttachedView struct {
	SortedView
	Kind     atalaya.DetectionKind `json:"kind"`
	Headline string                `json:"headline"`
	Said     []atalaya.Sentence    `json:"said,omitempty"`
	Standing store.Standing        `json:"standing"`
	Marking  string                `json:"marking"`
}

// attached lists the detections that people attached to a site, in the order in which they did.
func (a *App) attached(ctx context.Context, view access.View, c atalaya.Candidate, names map[atalaya.AccountID]string) ([]AttachedView, error) {
	all, err := a.sorted(ctx, view, c.Mission)
	if err != nil {
		return nil, err
	}
	out := []AttachedView{}
	for id, s := range all {
		if s.Site == nil || *s.Site != c.ID {
			continue
		}
		d, e, err := get[atalaya.Detection](ctx, a, view, "detection", string(id))
		if isNotFound(err) {
			continue // this reader may not see it
		}
		if err != nil {
			return nil, err
		}
		var h headline
		if err := json.Unmarshal(d.Body, &h); err != nil {
			return nil, err
		}
		out = append(out, AttachedView{SortedView{s, names[s.By]}, d.Kind, h.Headline, h.Said, e.Standing, e.Marking})
	}
	slices.SortFunc(out, func(x, y AttachedView) int {
		if c := x.At.Compare(y.At); c != 0 {
			return c
		}
		return strings.Compare(string(x.Detection), string(y.Detection))
	})
	return out, nil
}
