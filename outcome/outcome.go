// Package outcome checks what came back from a partner: what was found at a place, or that nobody went. Outcomes are never
// edited: a correction is a new outcome that names the one it replaces, and the last of the chain counts.
package outcome

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/atalaya-isr/atalaya"
)

// Report is an outcome with what was seized, where something was. Its JSON is the outcome's, with "seizure" beside.
type Report struct {
	atalaya.Outcome
	Seizure *Seizure `json:"seizure,omitempty"`
}

// Seizure is one amount that was taken, as the service weighed it and in kilograms.
type Seizure struct {
	Substance string  `json:"substance"`
	Amount    float64 `json:"amount"` // in Unit, as reported
	Unit      string  `json:"unit"`   // one of Units, by any of its spellings. What is no mass needs MassKg from the service
	MassKg    float64 `json:"mass_kg"`
}

const maxNote = 4000 // bytes; a note is a paragraph, not a file

// Check validates a report before it is logged. now is the time of entering it; earlier is every outcome of its case so far.
func Check(r Report, now time.Time, earlier []atalaya.Outcome) error {
	bad := func(place, what, hint string) error {
		return &atalaya.Error{Op: "outcome", Place: place, Kind: atalaya.BadInput, Err: fmt.Errorf("%s", what), Hint: hint}
	}
	switch {
	case r.Case == "":
		return bad("case", "an outcome belongs to a case", "Name the case")
	case !slices.Contains(atalaya.Findings[:], r.Found):
		return bad("found", fmt.Sprintf("%.30q is no finding", r.Found), "Choose one of "+findings())
	case r.On.IsZero():
		return bad("on", "the day is missing", "Say when it was found out, like 2026-03-14")
	case r.On.After(now):
		return bad("on", fmt.Sprintf("%s is in the future", r.On.UTC().Format(time.RFC3339)), "Give the day on which it was found out")
	case strings.TrimSpace(r.By) == "":
		return bad("by", "no service is named", "Name the service that reported it, not a person")
	case len(r.Note) > maxNote || !utf8.ValidString(r.Note+r.By):
		return bad("note", fmt.Sprintf("the note is longer than %d bytes, or not UTF-8", maxNote), "Write a paragraph in UTF-8")
	}
	if err := checkChain(r.Outcome, earlier, bad); err != nil {
		return err
	}
	return checkSeizure(r, bad)
}

func findings() string {
	names := make([]string, len(atalaya.Findings))
	for i, f := range atalaya.Findings {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// checkChain wants a correction to replace the last word of the same case, so that a chain never forks.
func checkChain(o atalaya.Outcome, earlier []atalaya.Outcome, bad func(place, what, hint string) error) error {
	if o.Replaces == "" {
		return nil
	}
	i := slices.IndexFunc(earlier, func(e atalaya.Outcome) bool { return e.ID == o.Replaces })
	switch {
	case o.Replaces == o.ID:
		return bad("replaces", "an outcome cannot correct itself", "Name the outcome that it corrects")
	case i < 0 || earlier[i].Case != o.Case:
		return bad("replaces", fmt.Sprintf("case %s has no outcome %s", o.Case, o.Replaces), "Name an outcome of this case")
	case slices.ContainsFunc(earlier, func(e atalaya.Outcome) bool { return e.Replaces == o.Replaces }):
		return bad("replaces", fmt.Sprintf("%s was corrected before", o.Replaces), "Correct its correction")
	}
	return nil
}

func checkSeizure(r Report, bad func(place, what, hint string) error) error {
	s := r.Seizure
	if s == nil {
		return nil
	}
	unit, known := unitOf(s.Unit)
	finite := func(x float64) bool { return x >= 0 && !math.IsInf(x, 0) }
	switch {
	case r.Found != atalaya.Confirmed && r.Found != atalaya.Abandoned:
		return bad("seizure", fmt.Sprintf("nothing is seized at a place that was %s", r.Found), "Leave the seizure out, or correct the finding")
	case strings.TrimSpace(s.Substance) == "":
		return bad("seizure", "the substance is missing", "Name it as the service did, or write unknown")
	case !finite(s.Amount) || !finite(s.MassKg):
		return bad("seizure", "an amount is negative or no number", "Give amounts of zero or more")
	case !known:
		return bad("seizure", fmt.Sprintf("%.10q is no unit", s.Unit), "Use "+unitNames())
	case unit.Kg.Low != nil && !unit.fits(s.Amount, s.MassKg):
		return bad("seizure", fmt.Sprintf("%g %s are not %g kg", s.Amount, s.Unit, s.MassKg), "Make them agree")
	}
	return nil
}

// Current lists the outcomes of a case that no later one corrects, oldest first.
func Current(all []atalaya.Outcome) []atalaya.Outcome {
	out := slices.DeleteFunc(slices.Clone(all), func(o atalaya.Outcome) bool {
		return slices.ContainsFunc(all, func(later atalaya.Outcome) bool { return later.Replaces == o.ID })
	})
	slices.SortFunc(out, func(a, b atalaya.Outcome) int { return cmp.Or(a.On.Compare(b.On), cmp.Compare(a.ID, b.ID)) })
	return out
}

// Row is the outcome's row in the ledger of its site. It adds nothing to the log-odds: a finding is a fact to read beside the
// estimate, and feeds calibration, not the sum that it is to be compared with.
func Row(o atalaya.Outcome, marking string) atalaya.LedgerItem {
	found := atalaya.Say("quoted", "text", string(o.Found)) // a finding that this version does not know
	if slices.Contains(atalaya.Findings[:], o.Found) {
		found = atalaya.Say("outcome-"+string(o.Found), "on", o.On.UTC().Format(time.DateOnly), "by", o.By)
	}
	said := []atalaya.Sentence{found}
	if o.Replaces != "" {
		said = append(said, atalaya.Say("correction"))
	}
	if o.Note != "" {
		said = append(said, atalaya.Say("quoted", "text", strings.Join(strings.Fields(o.Note), " ")))
	}
	return atalaya.LedgerItem{Kind: "outcome", Note: atalaya.English(said), Said: said, Marking: marking}
}
