package outcome_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/outcome"
)

var now = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)

func found(id string, f atalaya.Finding) atalaya.Outcome {
	return atalaya.Outcome{ID: atalaya.OutcomeID(id), Case: "case_1", Found: f, On: now.Add(-48 * time.Hour), By: "SYNTHETIC service"}
}

func ExampleRow() {
	o := found("out_1", atalaya.Empty)
	o.Note = "SYNTHETIC: a roof\nand a dog"
	fmt.Println(outcome.Row(o, "U//SYNTHETIC").Note, outcome.Check(outcome.Report{Outcome: o}, now, nil))
	// Output: visited, nothing there, 2026-03-30 (SYNTHETIC service); SYNTHETIC: a roof and a dog <nil>
}

func TestCheck(t *testing.T) {
	first := found("out_1", atalaya.Empty)
	second := found("out_2", atalaya.Confirmed)
	second.Replaces = "out_1"
	elsewhere := found("out_9", atalaya.Empty)
	elsewhere.Case = "case_2"
	earlier := []atalaya.Outcome{first, second, elsewhere}
	seized := func(s outcome.Seizure) func(*outcome.Report) {
		return func(r *outcome.Report) { r.Seizure = &s }
	}
	for _, row := range []struct {
		claim  string
		change func(*outcome.Report)
		says   string // "" passes
	}{
		{"a plain finding", func(*outcome.Report) {}, ""},
		{"found out this instant", func(r *outcome.Report) { r.On = now }, ""},
		{"no case", func(r *outcome.Report) { r.Case = "" }, "belongs to a case"},
		{"no such finding", func(r *outcome.Report) { r.Found = "destroyed" }, "confirmed, empty, abandoned, not-visited, unsafe"},
		{"no day", func(r *outcome.Report) { r.On = time.Time{} }, "day is missing"},
		{"tomorrow", func(r *outcome.Report) { r.On = now.Add(time.Hour) }, "in the future"},
		{"nobody reported it", func(r *outcome.Report) { r.By = " " }, "no service"},
		{"a book for a note", func(r *outcome.Report) { r.Note = strings.Repeat("x", 5000) }, "longer than"},
		{"a note that is not UTF-8", func(r *outcome.Report) { r.Note = "\xff" }, "UTF-8"},
		{"corrects the last word", func(r *outcome.Report) { r.Replaces = "out_2" }, ""},
		{"corrects what was corrected", func(r *outcome.Report) { r.Replaces = "out_1" }, "corrected before"},
		{"corrects another case", func(r *outcome.Report) { r.Replaces = "out_9" }, "has no outcome out_9"},
		{"corrects itself", func(r *outcome.Report) { r.Replaces = r.ID }, "itself"},
		{"a seizure in pounds", seized(outcome.Seizure{Substance: "unknown", Amount: 100, Unit: "lb", MassKg: 45.4}), ""},
		{"litres with a mass", seized(outcome.Seizure{Substance: "solvent", Amount: 20, Unit: "l", MassKg: 16}), ""},
		{"pounds that are no kilograms", seized(outcome.Seizure{Substance: "unknown", Amount: 100, Unit: "lb", MassKg: 100}), "are not 100 kg"},
		{"an unknown unit", seized(outcome.Seizure{Substance: "unknown", Amount: 1, Unit: "bags", MassKg: 1}), "no unit"},
		{"a negative amount", seized(outcome.Seizure{Substance: "unknown", Amount: -1, Unit: "kg", MassKg: -1}), "negative"},
		{"no number", seized(outcome.Seizure{Substance: "unknown", Amount: math.NaN(), Unit: "kg"}), "no number"},
		{"no substance", seized(outcome.Seizure{Amount: 1, Unit: "kg", MassKg: 1}), "substance is missing"},
		{"seized where nobody went", func(r *outcome.Report) {
			r.Found = atalaya.NotVisited
			seized(outcome.Seizure{Substance: "unknown", Amount: 1, Unit: "kg", MassKg: 1})(r)
		}, "nothing is seized"},
	} {
		t.Run(row.claim, func(t *testing.T) {
			r := outcome.Report{Outcome: found("out_3", atalaya.Confirmed)}
			row.change(&r)
			err := outcome.Check(r, now, earlier)
			if (err == nil) != (row.says == "") || err != nil && !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v; want %q", err, row.says)
			}
			if err != nil && atalaya.KindOf(err) != atalaya.BadInput {
				t.Errorf("kind %v", atalaya.KindOf(err))
			}
		})
	}
}

func TestCurrentIsTheEndOfTheChain(t *testing.T) {
	a, b, c := found("out_1", atalaya.Empty), found("out_2", atalaya.NotVisited), found("out_3", atalaya.Confirmed)
	b.Replaces, c.Replaces = a.ID, b.ID
	if got := outcome.Current([]atalaya.Outcome{c, a, b}); len(got) != 1 || got[0].ID != "out_3" {
		t.Errorf("got %v", got)
	}
}

func TestReportIsAnOutcomeInJSON(t *testing.T) {
	body, err := json.Marshal(outcome.Report{Outcome: found("out_1", atalaya.Confirmed), Seizure: &outcome.Seizure{Substance: "unknown", Unit: "kg"}})
	if err != nil {
		t.Fatal(err)
	}
	var o atalaya.Outcome
	if err := json.Unmarshal(body, &o); err != nil || o != found("out_1", atalaya.Confirmed) {
		t.Errorf("%s reads as %+v, %v", body, o, err)
	}
}

// TestRowAddsNothing: a finding must not move the sum that it is compared with, and every finding has its words.
func TestRowAddsNothing(t *testing.T) {
	for _, f := range atalaya.Findings {
		if row := outcome.Row(found("out_1", f), "U"); row.LogOdds != 0 || row.Kind != "outcome" || strings.HasPrefix(row.Note, ",") {
			t.Errorf("%s: %+v", f, row)
		}
	}
}
