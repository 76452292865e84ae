package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Reader gives Fold the entities that it may have to change.
type Reader interface {
	Entity(kind, id string) (Entity, bool, error)
	Children(kind, parent string) ([]Entity, error) // in order of ID
}

// kindOf maps a "made" event to the kind of entity it makes, with the JSON fields of the noun that the index needs.
var kindOf = map[string]string{
	MissionMade: "mission", SortieMade: "sortie", FileTaken: "file", ObservationMade: "observation",
	DetectionMade: "detection", EvidenceMade: "evidence", AssessmentMade: "assessment", AccountMade: "account",
	CaseOpened: "case", ReviewMade: "review", ReleaseMade: "release", OutcomeMade: "outcome", DetectionSorted: "sorting",
}

// restsOn lists the kinds that fall with a retracted observation: those whose Parent it is. An observation may rest on another (the
// movers of a video on the video); what rests on it falls too.
var restsOn = []string{"observation", "detection", "evidence"}

// head is what the index reads from any noun's body.
type head struct {
	Mission     string   `json:"mission"`
	Parent      string   `json:"parent"`
	Observation string   `json:"observation"`
	Detection   string   `json:"detection"`
	From        fromList `json:"from"`
	Case        string   `json:"case"`
	Blob        string   `json:"blob"`
	When        struct {
		From time.Time `json:"from"`
		To   time.Time `json:"to"`
	} `json:"when"`
}

// fromList reads "from" where it is a list of observation ids and passes over any other form.
type fromList []string

func (f *fromList) UnmarshalJSON(b []byte) error {
	var l []string
	if json.Unmarshal(b, &l) == nil {
		*f = l
	}
	return nil
}

// Fold says what an event changes: the entities to write, in order. It is a pure function of the event and of what the
// earlier events made, so every engine and every replay come to the same bytes.
func Fold(r Reader, e Event) ([]Entity, error) {
	if kind, ok := kindOf[e.Kind]; ok {
		ent, err := made(kind, e)
		if err != nil {
			return nil, err
		}
		if old, found, err := r.Entity(kind, ent.ID); err != nil {
			return nil, err
		} else if found && old.Standing == Retracted && ent.Standing == Stands {
			ent.Standing = Retracted // read again after a person took it back: only a person can undo that
		}
		if parent := parentKind(kind); parent != "" && ent.Parent != "" {
			p, found, err := r.Entity(parent, ent.Parent)
			if err != nil {
				return nil, err
			}
			if found && p.Standing != Stands && ent.Standing == Stands {
				ent.Standing = Tombstoned // computed while its basis was being taken back
			}
		}
		return []Entity{ent}, nil
	}
	switch e.Kind {
	case RetractionMade:
		return restand(r, e, Retracted, Tombstoned)
	case RetractionUndone:
		return restand(r, e, Stands, Stands)
	case CaseLookedAt:
		c, found, err := r.Entity("case", e.Subject)
		if err != nil || !found || c.Standing == Purged || len(e.Body) == 0 || string(e.Body) == "null" {
			return nil, err
		}
		var look struct {
			Basis    string          `json:"basis"`
			Snapshot json.RawMessage `json:"snapshot"`
		}
		var body map[string]json.RawMessage
		if err := errorsFirst(json.Unmarshal(e.Body, &look), json.Unmarshal(c.Body, &body)); err != nil {
			return nil, fmt.Errorf("event %d: %w", e.Seq, err)
		}
		body["basis"], _ = json.Marshal(look.Basis)
		body["snapshot"] = look.Snapshot
		if c.Body, err = json.Marshal(body); err != nil {
			return nil, err
		}
		c.Version = e.Seq
		return []Entity{c}, nil
	}
	return nil, nil // releases exported, purges: the log is their record
}

func errorsFirst(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func made(kind string, e Event) (Entity, error) {
	ent := Entity{Kind: kind, ID: e.Subject, Marking: e.Marking, Label: e.Label, Standing: Stands, Version: e.Seq, Body: e.Body, Cells: e.Cells}
	if len(e.Body) == 0 || string(e.Body) == "null" {
		ent.Standing, ent.Body, ent.Cells = Purged, json.RawMessage("null"), nil
		return ent, nil
	}
	var h head
	if err := json.Unmarshal(e.Body, &h); err != nil {
		return ent, fmt.Errorf("event %d (%s %s): %w", e.Seq, e.Kind, e.Subject, err)
	}
	ent.Mission, ent.From, ent.To = h.Mission, h.When.From.UTC(), h.When.To.UTC()
	switch kind {
	case "observation":
		if ent.Parent = h.Blob; len(h.From) > 0 {
			ent.Parent = h.From[0]
		}
	case "detection":
		if len(h.From) > 0 {
			ent.Parent = h.From[0]
		}
	case "evidence":
		ent.Parent = h.Observation
	case "sorting":
		ent.Parent = h.Detection
	case "review", "release", "outcome":
		ent.Parent = h.Case
	default:
		ent.Parent = h.Parent
	}
	return ent, nil
}

// parentKind is the kind of what an entity falls with. The parent of most observations is a blob, which no entity is called by.
func parentKind(kind string) string {
	switch kind {
	case "observation", "detection", "evidence":
		return "observation"
	}
	return ""
}

// restand gives the observation one standing and all that rests on it the other. What a person took back by itself stays so when that
// on which it rests comes back, and does not come back while that does not.
func restand(r Reader, e Event, subject, dependants Standing) ([]Entity, error) {
	obs, found, err := r.Entity("observation", e.Subject)
	if err != nil || !found || obs.Standing == Purged { // what was purged cannot be brought back, nor what rested on it
		return nil, err
	}
	if subject == Stands {
		basis, rests, err := r.Entity("observation", obs.Parent)
		if err != nil {
			return nil, err
		}
		if rests && basis.Standing != Stands {
			subject, dependants = Tombstoned, Tombstoned
		}
	}
	obs.Standing, obs.Version = subject, e.Seq
	return fallen(r, e, dependants, []Entity{obs})
}

// fallen gives a standing to all that rests on the observation that comes last, which it follows.
func fallen(r Reader, e Event, s Standing, out []Entity) ([]Entity, error) {
	on := out[len(out)-1].ID
	for _, kind := range restsOn {
		kids, err := r.Children(kind, on)
		if err != nil {
			return nil, err
		}
		for _, k := range kids {
			if k.Standing == Purged || k.Standing == Retracted || slices.ContainsFunc(out, func(o Entity) bool { return o.Kind == kind && o.ID == k.ID }) {
				continue
			}
			k.Standing, k.Version = s, e.Seq
			if out = append(out, k); kind == "observation" {
				if out, err = fallen(r, e, s, out); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, nil
}
