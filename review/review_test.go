package review_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/review"
	"github.com/atalaya-isr/atalaya/review/reviewtest"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func ExampleDecide() {
	rec := reviewtest.Record()
	rec.Reviews = rec.Reviews[:1]
	_, err := review.Decide(rec)
	fmt.Println(err)
	released, err := review.Decide(reviewtest.Record())
	open, _ := released.Open()
	fmt.Println(open.Recipient, open.Marking, err)
	// Output:
	// case case_0195933e-aaaa-7000-8000-000000000001: not released: one approval by acct_ana; a second person must approve. Settle what is named, then release again
	// MEX U//SYNTHETIC <nil>
}

var t0 = reviewtest.Day

func TestOf(t *testing.T) {
	c := reviewtest.Record().Case
	rev := func(by string, d atalaya.Decision, hour int) atalaya.Review {
		return atalaya.Review{ID: atalaya.ReviewID(fmt.Sprintf("rev_%02d", hour)), Case: c.ID, By: atalaya.AccountID(by), Decision: d, Basis: c.Basis, At: t0.Add(time.Duration(hour-50) * time.Hour)}
	}
	onOld := rev("luis", atalaya.Approve, 2)
	onOld.Basis = "older"
	elsewhere := rev("luis", atalaya.Approve, 2)
	elsewhere.Case = "case_other"
	for _, row := range []struct {
		claim   string
		reviews []atalaya.Review
		want    review.State
		missing string
	}{
		{"nobody has looked", nil, review.Waiting, "two different people"},
		{"one approval", []atalaya.Review{rev("ana", atalaya.Approve, 1)}, review.OneApproval, "one approval by ana; a second person must approve"},
		{"the same person twice never counts", []atalaya.Review{rev("ana", atalaya.Approve, 1), rev("ana", atalaya.Approve, 2)}, review.OneApproval, "ana"},
		{"two different people", []atalaya.Review{rev("ana", atalaya.Approve, 1), rev("luis", atalaya.Approve, 2)}, review.Approved, ""},
		{"the order of arrival does not matter", []atalaya.Review{rev("luis", atalaya.Approve, 2), rev("ana", atalaya.Approve, 1)}, review.Approved, ""},
		{"nobody is not a person", []atalaya.Review{rev("ana", atalaya.Approve, 1), rev("", atalaya.Approve, 2)}, review.OneApproval, "ana"},
		{"an approval of an older basis is history", []atalaya.Review{rev("ana", atalaya.Approve, 1), onOld}, review.OneApproval, "ana"},
		{"an approval of another case", []atalaya.Review{rev("ana", atalaya.Approve, 1), elsewhere}, review.OneApproval, "ana"},
		{"an approval of tomorrow", []atalaya.Review{rev("ana", atalaya.Approve, 1), rev("luis", atalaya.Approve, 51)}, review.OneApproval, "ana"},
		{"a hold stops two approvals", []atalaya.Review{rev("ana", atalaya.Approve, 1), rev("luis", atalaya.Approve, 2), rev("eva", atalaya.Hold, 3)}, review.OnHold, "eva"},
		{"a hold ends when the same person approves", []atalaya.Review{rev("eva", atalaya.Hold, 1), rev("luis", atalaya.Approve, 2), rev("eva", atalaya.Approve, 3)}, review.Approved, ""},
		{"an approver who thinks better of it", []atalaya.Review{rev("ana", atalaya.Approve, 1), rev("luis", atalaya.Approve, 2), rev("ana", atalaya.Hold, 3)}, review.OnHold, "ana"},
		{"a dismissal weighs more than a hold", []atalaya.Review{rev("ana", atalaya.Hold, 1), rev("luis", atalaya.Dismiss, 2)}, review.Dismissed, "luis"},
	} {
		t.Run(row.claim, func(t *testing.T) {
			s := review.Of(c, c.Basis, row.reviews, t0)
			if s.State != row.want || !strings.Contains(s.Missing, row.missing) || (s.State == review.Approved) != (s.Missing == "") {
				t.Errorf("got %s, %q; want %s, %q", s.State, s.Missing, row.want, row.missing)
			}
		})
	}
	two := []atalaya.Review{rev("ana", atalaya.Approve, 1), rev("luis", atalaya.Approve, 2)}
	for _, current := range []string{"", "something else"} {
		if s := review.Of(c, current, two, t0); s.State != review.BasisChanged {
			t.Errorf("with the candidate now %q: %s", current, s.State)
		}
	}
	no := func(d atalaya.Decision) []atalaya.Review { return append(slices.Clone(two), rev("eva", d, 3)) }
	for d, want := range map[atalaya.Decision]review.State{atalaya.Hold: review.OnHold, atalaya.Dismiss: review.Dismissed} {
		if s := review.Of(c, "", no(d), t0); s.State != want || !strings.Contains(s.Missing, "eva") {
			t.Errorf("%s once the candidate is gone: %s, %q", d, s.State, s.Missing)
		}
		if s := review.Of(c, "something else", no(d), t0); s.State != review.BasisChanged {
			t.Errorf("%s of evidence that has changed since: %s", d, s.State)
		}
	}
	c.Basis = ""
	if s := review.Of(c, "", two, t0); s.State == review.Approved {
		t.Error("a case without a basis was approved")
	}
}

func TestDecideRefuses(t *testing.T) {
	flown := func(r *review.Record) *atalaya.Sortie { return &r.Sorties[0] }
	for _, row := range []struct {
		claim string
		spoil func(*review.Record)
		says  string
	}{
		{"no review", func(r *review.Record) { r.Reviews = nil }, "no approval yet"},
		{"one person in two accounts' reviews", func(r *review.Record) { r.Reviews[1].By = r.Reviews[0].By }, "a second person"},
		{"evidence changed since", func(r *review.Record) { r.Current = strings.Repeat("0", 64) }, "evidence has changed"},
		{"candidate gone", func(r *review.Record) { r.Current = "" }, "no longer a candidate"},
		{"snapshot moved after the review", func(r *review.Record) { r.Case.Snapshot.Place.Lat += 0.1 }, "does not hold the candidate"},
		{"case of another candidate", func(r *review.Record) { r.Case.Candidate = "site_x" }, "does not hold the candidate"},
		{"no recipient", func(r *review.Record) { r.Recipient = "" }, "an empty list is nobody"},
		{"recipient not of the list", func(r *review.Record) { r.Marking = "S//REL TO USA, GBR//SYNTHETIC" }, `may not go to "MEX"`},
		{"unclassified but not to foreigners", func(r *review.Record) { r.Marking = "U//NF//SYNTHETIC" }, "may not go"},
		{"marking that drops SYNTHETIC", func(r *review.Record) { r.Marking = "U" }, "below that of the contents"},
		{"no marking", func(r *review.Record) { r.Marking = "" }, "no valid marking"},
		{"nonsense for a marking", func(r *review.Record) { r.Marking = "PUBLIC" }, "no valid marking"},
		{"no legal basis of the release", func(r *review.Record) { r.LegalBasis.Instrument = " " }, "release names no legal basis"},
		{"no legal basis of the case", func(r *review.Record) { r.Case.LegalBasis.Instrument = "" }, "case names no legal basis"},
		{"legal basis past its review", func(r *review.Record) { r.LegalBasis.ReviewBy = r.At }, "was to be reviewed by 2026-03-14"},
		{"legal basis without a review date", func(r *review.Record) { r.LegalBasis.ReviewBy = time.Time{} }, "no review date"},
		{"no collection authority", func(r *review.Record) { flown(r).Authority = "" }, "sortie sortie-17 has no collection authority"},
		{"abroad without consent", func(r *review.Record) { flown(r).HostConsent = "" }, "host's consent"},
		{"unknown sortie", func(r *review.Record) { r.Sorties = nil }, "names no sortie"},
		{"observation of no stated origin", func(r *review.Record) { r.Sources = r.Sources[1:] }, "origin of obs_aaaa"},
		{"survey that claims no sortie", func(r *review.Record) { r.Sources[0].Sortie = "" }, "names no sortie"},
		{"no time", func(r *review.Record) { r.At = time.Time{} }, "time of the release"},
		{"nobody releases", func(r *review.Record) { r.By = "" }, "nobody is named"},
	} {
		t.Run(row.claim, func(t *testing.T) {
			rec := reviewtest.Record()
			row.spoil(&rec)
			for name, f := range map[string]func(review.Record) (review.Released, error){"Decide": review.Decide, "Replay": review.Replay} {
				got, err := f(rec)
				if err == nil || atalaya.KindOf(err) != atalaya.Refused || !strings.Contains(err.Error(), row.says) {
					t.Errorf("%s: %v; want a refusal that says %q", name, err, row.says)
				}
				if _, err := got.Open(); err == nil {
					t.Errorf("%s gave a handle that opens", name)
				}
			}
		})
	}
}

func TestDecideNeedsAHighEnoughMarking(t *testing.T) {
	c := reviewtest.Candidate()
	c.Ledger[1].Marking = "S//REL TO USA, MEX//SYNTHETIC"
	rec := reviewtest.RecordOf(c)
	if _, err := review.Decide(rec); err == nil || !strings.Contains(err.Error(), "below that of the contents, S//REL TO USA, MEX//SYNTHETIC") {
		t.Errorf("a secret row left under U: %v", err)
	}
	rec.Marking = "S//REL TO USA, MEX//SYNTHETIC"
	if _, err := review.Decide(rec); err != nil {
		t.Error(err)
	}
	c.Ledger[1].Marking = ""
	if _, err := review.MarkingOf(c); err == nil {
		t.Error("an observation without a marking was taken for unclassified")
	}
	rec.Marking, rec.Recipient = "S//REL TO USA, MEX, GBR//SYNTHETIC", "GBR"
	if _, err := review.Decide(rec); err == nil {
		t.Error("a wider REL than the contents passed")
	}
}

// TestReplay: the logged bytes give the same release again, and an edited log does not.
func TestReplay(t *testing.T) {
	body, err := json.Marshal(reviewtest.Record())
	if err != nil {
		t.Fatal(err)
	}
	var head struct{ Case string }
	if err := json.Unmarshal(body, &head); err != nil || head.Case != string(reviewtest.Record().Case.ID) {
		t.Errorf("the body names its case as %q, %v", head.Case, err)
	}
	var rec review.Record
	if err := json.Unmarshal(body, &rec); err != nil {
		t.Fatal(err)
	}
	again, err := review.Replay(rec)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := again.Open()
	b, _ := reviewtest.Released().Open()
	if d := cmp.Diff(a, b); d != "" {
		t.Error(d)
	}
	edited := strings.Replace(string(body), `"lat":24.8043217`, `"lat":24.9043217`, 1)
	if err := json.Unmarshal([]byte(edited), &rec); err != nil {
		t.Fatal(err)
	}
	if _, err := review.Replay(rec); err == nil || edited == string(body) {
		t.Error("an edited record was replayed")
	}
}

func TestZeroReleasedDoesNotOpen(t *testing.T) {
	type forged struct{ review.Released }
	var decoded review.Released
	if err := json.Unmarshal([]byte(`{"sealed":{"record":"e30="},"Sealed":{}}`), &decoded); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]review.Released{"zero": {}, "embedded": forged{}.Released, "decoded": decoded, "new": *new(review.Released)} {
		if _, err := r.Open(); atalaya.KindOf(err) != atalaya.Refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpenGivesACopy(t *testing.T) {
	r := reviewtest.Released()
	a, _ := r.Open()
	a.Recipient, a.Case.Snapshot.Ledger[0].Note = "GBR", "changed"
	b, _ := r.Open()
	if b.Recipient != "MEX" || b.Case.Snapshot.Ledger[0].Note == "changed" {
		t.Error("opening it changed what was released")
	}
}

func TestBasisOf(t *testing.T) {
	c := reviewtest.Candidate()
	first, err := review.BasisOf(c)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := json.MarshalIndent(c, "", "  ")
	var back atalaya.Candidate
	if err := json.Unmarshal(body, &back); err != nil {
		t.Fatal(err)
	}
	back.Rank, back.AsOf = 7, t0
	if again, _ := review.BasisOf(back); again != first {
		t.Error("the basis changed by writing and reading, or with rank and date")
	}
	back.Ledger[2].LogOdds += 1e-9
	if again, _ := review.BasisOf(back); again == first {
		t.Error("the basis did not see a change of the ledger")
	}
}

func TestCheck(t *testing.T) {
	c := reviewtest.Record().Case
	good := reviewtest.Record().Reviews[0]
	if err := review.Check(good, c, c.Basis); err != nil {
		t.Error(err)
	}
	for claim, row := range map[string]struct {
		spoil func(*atalaya.Review)
		kind  atalaya.Kind
	}{
		"another case":            {func(r *atalaya.Review) { r.Case = "case_x" }, atalaya.BadUse},
		"no person":               {func(r *atalaya.Review) { r.By = "" }, atalaya.BadLogin},
		"no decision":             {func(r *atalaya.Review) { r.Decision = "maybe" }, atalaya.BadUse},
		"a hold without a reason": {func(r *atalaya.Review) { r.Decision, r.Why = atalaya.Hold, " " }, atalaya.BadUse},
		"an old basis":            {func(r *atalaya.Review) { r.Basis = "old" }, atalaya.Conflict},
	} {
		r := good
		row.spoil(&r)
		if err := review.Check(r, c, c.Basis); err == nil || atalaya.KindOf(err) != row.kind {
			t.Errorf("%s: %v", claim, err)
		}
	}
	if err := review.Check(good, c, "new"); atalaya.KindOf(err) != atalaya.Conflict {
		t.Errorf("a review of changed evidence: %v", err)
	}
	// Once the place is no candidate any more, the case can be put aside, not approved.
	for d, refused := range map[atalaya.Decision]bool{atalaya.Approve: true, atalaya.Hold: false, atalaya.Dismiss: false} {
		r := good
		r.Decision, r.Why = d, "nothing is left of it (SYNTHETIC)"
		err := review.Check(r, c, "")
		if refused != (atalaya.KindOf(err) == atalaya.Conflict && strings.Contains(err.Error(), "no longer a candidate")) || !refused && err != nil {
			t.Errorf("%s once the place is gone: %v", d, err)
		}
		r.Basis = "old"
		if err := review.Check(r, c, ""); atalaya.KindOf(err) != atalaya.Conflict {
			t.Errorf("%s of an older basis once the place is gone: %v", d, err)
		}
	}
}

// TestApprovedMeansTwoPeople: whatever the history, an approved case has two people whose last word on this basis is yes,
// and nobody's that is no.
func TestApprovedMeansTwoPeople(t *testing.T) {
	c := reviewtest.Record().Case
	rapid.Check(t, func(t *rapid.T) {
		reviews := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) atalaya.Review {
			return atalaya.Review{
				Case:     c.ID,
				By:       atalaya.AccountID(rapid.SampledFrom([]string{"ana", "luis", "eva", ""}).Draw(t, "by")),
				At:       t0.Add(-time.Duration(rapid.IntRange(-2, 20).Draw(t, "before")) * time.Hour),
				Decision: rapid.SampledFrom([]atalaya.Decision{atalaya.Approve, atalaya.Approve, atalaya.Approve, atalaya.Hold, atalaya.Dismiss}).Draw(t, "decision"),
				Basis:    rapid.SampledFrom([]string{c.Basis, c.Basis, "old"}).Draw(t, "basis"),
			}
		}), 0, 8).Draw(t, "reviews")
		for i := range reviews { // ids are unique, and say nothing of the order in time
			reviews[i].ID = atalaya.ReviewID(fmt.Sprintf("rev_%d", (i*5+3)%8))
		}
		s := review.Of(c, c.Basis, reviews, t0)
		last := map[atalaya.AccountID]atalaya.Review{}
		for _, r := range reviews {
			old, seen := last[r.By]
			later := !seen || r.At.After(old.At) || r.At.Equal(old.At) && r.ID >= old.ID
			if r.By != "" && r.Basis == c.Basis && !r.At.After(t0) && later {
				last[r.By] = r
			}
		}
		yes, no := 0, 0
		for _, r := range last {
			if r.Decision == atalaya.Approve {
				yes++
			} else {
				no++
			}
		}
		if approved := yes >= 2 && no == 0; approved != (s.State == review.Approved) {
			t.Fatalf("%d yes, %d no, but %s", yes, no, s.State)
		}
		slices.Reverse(reviews)
		if again := review.Of(c, c.Basis, reviews, t0); again.State != s.State || again.Missing != s.Missing {
			t.Fatalf("the order of arrival matters: %v, %v", s, again)
		}
	})
}
