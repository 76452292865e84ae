package review

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya"
)

// Record is all that a release rests on. Its JSON is the body of the release event, so that Replay can judge it again.
type Record struct {
	ID   atalaya.ReleaseID `json:"id"`
	Case atalaya.Case      `json:"case_as_reviewed"`
	// Current is the basis of the candidate as it was computed at the time of the release (see BasisOf).
	Current    string             `json:"current"`
	Reviews    []atalaya.Review   `json:"reviews"`
	By         atalaya.AccountID  `json:"by"`
	At         time.Time          `json:"at"`
	Recipient  string             `json:"recipient"` // ISO 3166-1 trigraph of the country
	Marking    string             `json:"marking"`   // of the package; MarkingOf is the lowest that will do
	LegalBasis atalaya.LegalBasis `json:"legal_basis"`
	// Sources says where each observation of the ledger came from; Sorties holds every sortie that Sources names.
	Sources []Source         `json:"sources"`
	Sorties []atalaya.Sortie `json:"sorties"`
}

// MarshalJSON writes the record with the id of its case beside it, under "case", as every body that belongs to a case has it.
func (rec Record) MarshalJSON() ([]byte, error) {
	type plain Record
	return json.Marshal(struct {
		Case atalaya.CaseID `json:"case"`
		plain
	}{rec.Case.ID, plain(rec)})
}

// Source says which sortie brought an observation home. A report was not flown and needs none.
type Source struct {
	Observation atalaya.ObservationID   `json:"observation"`
	Kind        atalaya.ObservationKind `json:"kind"`
	Sortie      atalaya.SortieID        `json:"sortie,omitempty"`
}

// Released is a case that two different people let go to one recipient. It cannot be made outside this package: its only
// field is unexported, no decoder fills it, and its zero value, alone or embedded, opens to an error.
type Released struct{ sealed *sealed }

// sealed keeps the record as bytes, so that nobody who opens it can change it.
type sealed struct{ record []byte }

// Open gives a copy of what was released. The zero Released is refused.
func (r Released) Open() (Record, error) {
	if r.sealed == nil {
		return Record{}, &atalaya.Error{Op: "release", Kind: atalaya.Refused, Err: fmt.Errorf("nothing was released: this did not come from a review"),
			Hint: "Have two different people approve the case, then release it"}
	}
	var rec Record
	if err := json.Unmarshal(r.sealed.record, &rec); err != nil {
		return Record{}, &atalaya.Error{Op: "release", Kind: atalaya.Failed, Err: err, Hint: "Report this as a defect"}
	}
	return rec, nil
}

// Decide judges a release. It gives the handle, or an error of kind Refused that says all that is missing.
func Decide(rec Record) (Released, error) {
	if missing := rec.missing(); len(missing) > 0 {
		return Released{}, &atalaya.Error{Op: "release", Place: "case " + string(rec.Case.ID), Kind: atalaya.Refused,
			Err: fmt.Errorf("not released: %s", strings.Join(missing, "; ")), Hint: "Settle what is named, then release again"}
	}
	body, err := json.Marshal(rec)
	if err != nil {
		return Released{}, &atalaya.Error{Op: "release", Place: "case " + string(rec.Case.ID), Kind: atalaya.BadInput, Err: err, Hint: "Compute the candidate again"}
	}
	return Released{&sealed{body}}, nil
}

// Replay makes the handle of a release that the record holds, after a restart. It judges the logged record exactly as Decide
// did, at the time of the release: a basis that has expired since does not undo what was released, and an edited record fails.
func Replay(rec Record) (Released, error) { return Decide(rec) }

// missing lists, in a fixed order, what stands against the release.
func (rec Record) missing() []string {
	var out []string
	add := func(reasons ...string) { out = append(out, reasons...) }
	if rec.By == "" {
		add("nobody is named who releases it")
	}
	if rec.At.IsZero() {
		add("the time of the release is not stated")
	}
	if basis, err := BasisOf(rec.Case.Snapshot); err != nil || basis != rec.Case.Basis || rec.Case.Candidate != rec.Case.Snapshot.ID {
		add("the case does not hold the candidate that its basis names")
	}
	if s := Of(rec.Case, rec.Current, rec.Reviews, rec.At); s.State != Approved {
		add(s.Missing)
	}
	add(expired("case", rec.Case.LegalBasis, rec.At)...)
	add(expired("release", rec.LegalBasis, rec.At)...)
	add(rec.markingFaults()...)
	add(rec.sourceFaults()...)
	return out
}

func expired(of string, l atalaya.LegalBasis, at time.Time) []string {
	switch {
	case strings.TrimSpace(l.Instrument) == "":
		return []string{"the " + of + " names no legal basis"}
	case l.ReviewBy.IsZero():
		return []string{"the legal basis of the " + of + " has no review date"}
	case !at.Before(l.ReviewBy):
		return []string{fmt.Sprintf("the legal basis of the %s was to be reviewed by %s", of, l.ReviewBy.UTC().Format(time.DateOnly))}
	}
	return nil
}

func (rec Record) markingFaults() []string {
	var out []string
	if rec.Recipient == "" {
		out = append(out, "no recipient is named; an empty list is nobody")
	}
	m, err := atalaya.ParseMarking(rec.Marking)
	if err != nil {
		return append(out, "the package has no valid marking")
	}
	lowest, err := MarkingOf(rec.Case.Snapshot)
	if err != nil {
		return append(out, "what the package holds has no valid marking")
	}
	// A marking is high enough when rolling the contents into it changes nothing.
	whole, err := atalaya.RollUp(rec.Marking, lowest)
	own, err2 := atalaya.RollUp(rec.Marking)
	if err != nil || err2 != nil || whole != own {
		out = append(out, fmt.Sprintf("the marking %s is below that of the contents, %s", m.Label(), lowest))
	}
	if rec.Recipient != "" && !m.ReleasableTo(rec.Recipient) {
		out = append(out, fmt.Sprintf("%s may not go to %q", m.Label(), rec.Recipient))
	}
	return out
}

// sourceFaults checks that all which flew and took part had its collection authority and, abroad, the host's consent.
func (rec Record) sourceFaults() []string {
	var out []string
	for _, item := range rec.Case.Snapshot.Ledger {
		known := slices.ContainsFunc(rec.Sources, func(s Source) bool { return s.Observation == item.Observation })
		if item.Observation != "" && !known {
			out = append(out, fmt.Sprintf("the origin of %s is not stated", item.Observation))
		}
	}
	for _, s := range rec.Sources {
		if (s.Kind == atalaya.Report || s.Kind == atalaya.GroundLayer) && s.Sortie == "" { // nobody flew for a report or a register
			continue
		}
		i := slices.IndexFunc(rec.Sorties, func(f atalaya.Sortie) bool { return f.ID == s.Sortie })
		switch {
		case s.Sortie == "" || i < 0:
			out = append(out, fmt.Sprintf("%s names no sortie, so no collection authority", s.Observation))
		case !rec.Sorties[i].Releasable():
			out = append(out, fmt.Sprintf("sortie %s has no collection authority, or flew abroad without the host's consent", s.Sortie))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
