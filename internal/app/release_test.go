package app

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/review"
	"github.com/atalaya-isr/atalaya/store"
)

// desk is a case that two people approved, on bearings and a report.
type desk struct {
	*App
	ana, luis, olga Account
	kase            atalaya.Case
	report          atalaya.ObservationID
}

func approvedCase(t *testing.T) desk {
	t.Helper()
	ctx, d := context.Background(), desk{App: openTest(t, t.TempDir())}
	doc, _, err := d.Run(ctx, missionOf(t, "signals/bearings-1.csv", "reports/report-1.txt"), RunOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for name, who := range map[string]*Account{"Ana SYNTHETIC": &d.ana, "Luis SYNTHETIC": &d.luis, "Olga SYNTHETIC": &d.olga} {
		role := "analyst"
		if who == &d.olga {
			role = "observer"
		}
		if *who, _, err = d.AddAccount(ctx, "", name, role, ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range doc.Sites {
		for _, row := range s.Evidence {
			if row.Kind == "report" && row.Observation != "" && d.report == "" {
				d.report = row.Observation
				d.kase, _, err = d.OpenCase(ctx, d.ana, access.Whole(), s.ID, atalaya.LegalBasis{Instrument: "Agreement 7 (SYNTHETIC)", ReviewBy: d.Clock().AddDate(1, 0, 0)})
			}
		}
	}
	if err != nil || d.report == "" {
		t.Fatalf("report %q, %v", d.report, err)
	}
	return d
}

func (d desk) approve(t *testing.T, who Account) {
	t.Helper()
	f, err := d.File(context.Background(), access.Whole(), d.kase.ID)
	if err == nil {
		_, _, err = d.Review(context.Background(), who, access.Whole(), d.kase.ID, atalaya.Approve, "", f.Case.Basis)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// release asks for the package, as the command does, and gives its folder.
func (d desk) release(who Account, out string) (string, error) {
	rel, _, err := d.Release(context.Background(), who, access.Whole(), d.kase.ID, "MEX", atalaya.LegalBasis{})
	if err != nil {
		return "", err
	}
	return d.Export(context.Background(), who, access.Whole(), rel.ID, out)
}

func TestWhatWasReleasedIsNotHandedOverAgainOnceItsEvidenceHasChanged(t *testing.T) {
	ctx, d, view := context.Background(), approvedCase(t), access.Whole()
	out := filepath.Join(t.TempDir(), "out")
	d.approve(t, d.ana)
	if _, err := d.release(d.ana, out); atalaya.KindOf(err) != atalaya.Refused || !strings.Contains(err.Error(), "one approval by Ana SYNTHETIC") || strings.Contains(err.Error(), "acct_") || strings.Contains(err.Error(), "case_") {
		t.Errorf("with one approval: %v", err)
	}
	d.approve(t, d.luis)
	first, err := d.release(d.ana, out)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := d.release(d.luis, out); err != nil || again != first {
		t.Errorf("asked again: %q, %v; want %q", again, err, first)
	}
	if _, err := d.release(d.olga, t.TempDir()); atalaya.KindOf(err) != atalaya.Refused {
		t.Errorf("an observer: %v", err)
	}

	retract := func() {
		t.Helper()
		if _, err := d.Retract(ctx, d.ana, view, d.report, "the source took it back (SYNTHETIC)"); err != nil {
			t.Fatal(err)
		}
		if err := d.Drain(ctx); err != nil {
			t.Fatal(err)
		}
	}
	undo := func() {
		t.Helper()
		if _, err := d.Unretract(ctx, d.ana, view, d.report); err != nil {
			t.Fatal(err)
		}
		if err := d.Drain(ctx); err != nil {
			t.Fatal(err)
		}
	}
	retract()
	f, err := d.File(ctx, view, d.kase.ID)
	if err != nil || f.Standing.State != review.BasisChanged || len(f.Releases) != 1 {
		t.Fatalf("%+v, %d releases, %v", f.Standing, len(f.Releases), err)
	}
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	_, byRelease, err1 := d.Release(ctx, d.ana, view, d.kase.ID, "MEX", atalaya.LegalBasis{})
	_, err2 := d.release(d.ana, elsewhere)
	_, err3 := d.Export(ctx, d.ana, view, f.Releases[0].ID, elsewhere)
	for name, err := range map[string]error{"a new release": err1, "the same again": err2, "its export": err3} {
		if atalaya.KindOf(err) != atalaya.Refused || !strings.Contains(err.Error(), f.Standing.Missing) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stat(elsewhere); !os.IsNotExist(err) || byRelease.Event.ID != "" {
		t.Errorf("something was written: %v, event %q", err, byRelease.Event.ID)
	}
	if b, _, err := d.PackageZip(ctx, view, f.Releases[0].ID); err != nil {
		t.Errorf("what left before can no longer be read: %v", err)
	} else {
		b.Close()
	}

	undo() // it is again what two people saw
	if again, err := d.release(d.ana, out); err != nil || again != first {
		t.Errorf("with the evidence back: %q, %v; want %q", again, err, first)
	}
	if _, _, err := d.App.Review(ctx, d.luis, view, d.kase.ID, atalaya.Dismiss, "a school stands there (SYNTHETIC)", d.kase.Basis); err != nil {
		t.Fatal(err)
	}
	if _, err := d.release(d.ana, out); atalaya.KindOf(err) != atalaya.Refused || !strings.Contains(err.Error(), "dismissed by Luis SYNTHETIC") {
		t.Errorf("after a dismissal: %v", err)
	}
}

// The place of a case may go: everything that it rested on was taken back. The case can then be put aside, and nothing else.
func TestACaseWhosePlaceIsGoneCanBeHeldAndDismissedNotApproved(t *testing.T) {
	ctx, d, view := context.Background(), approvedCase(t), access.Whole()
	taken := map[atalaya.ObservationID]bool{}
	for _, row := range d.kase.Snapshot.Ledger {
		if row.Observation == "" || taken[row.Observation] {
			continue
		}
		taken[row.Observation] = true
		if _, err := d.Retract(ctx, d.ana, view, row.Observation, "a wrong clock (SYNTHETIC)"); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	card := func() SiteCard {
		t.Helper()
		c, err := d.Card(ctx, d.luis, view, d.kase.Candidate)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := card(); !c.Gone || c.May.Review || !c.May.Dismiss || c.May.Release || !strings.Contains(c.Missing, "no longer a candidate") {
		t.Fatalf("gone %v, may %+v, missing %q", c.Gone, c.May, c.Missing)
	}
	decide := func(what atalaya.Decision) error {
		_, _, err := d.App.Review(ctx, d.luis, view, d.kase.ID, what, "nothing is left of it (SYNTHETIC)", d.kase.Basis)
		return err
	}
	if err := decide(atalaya.Approve); atalaya.KindOf(err) != atalaya.Conflict || !strings.Contains(err.Error(), "no longer a candidate") {
		t.Errorf("an approval: %v", err)
	}
	for what, want := range map[atalaya.Decision][2]string{atalaya.Hold: {"held", "on hold by Luis SYNTHETIC"}, atalaya.Dismiss: {"dismissed", "dismissed by Luis SYNTHETIC"}} {
		if err := decide(what); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if c := card(); c.Site.Status != want[0] || !strings.Contains(c.Missing, want[1]) || c.May.Release {
			t.Errorf("after %s: %s, %q, may release %v", what, c.Site.Status, c.Missing, c.May.Release)
		}
	}
	if _, _, err := d.Release(ctx, d.ana, view, d.kase.ID, "MEX", atalaya.LegalBasis{}); atalaya.KindOf(err) != atalaya.Refused {
		t.Errorf("a release of it: %v", err)
	}
}

func TestAReleaseAskedForAgainIsTheSameRelease(t *testing.T) {
	ctx, d, view := context.Background(), approvedCase(t), access.Whole()
	d.approve(t, d.ana)
	d.approve(t, d.luis)
	ask := func(by Account, to string, basis atalaya.LegalBasis) (Release, Written) {
		t.Helper()
		rel, w, err := d.Release(ctx, by, view, d.kase.ID, to, basis)
		if err != nil {
			t.Fatal(err)
		}
		return rel, w
	}
	count := func() (n int) {
		t.Helper()
		n, err := d.Record.Count(ctx, view, store.Query{Kind: "release"})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	first, w := ask(d.ana, "MEX", atalaya.LegalBasis{})
	if w.Before {
		t.Error("the first release says that it was made before")
	}
	head, err := d.Record.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name, basis := range map[string]atalaya.LegalBasis{"none stated": {}, "that of the case": d.kase.LegalBasis} {
		again, w2 := ask(d.luis, "mex", basis)
		if again.ID != first.ID || again.Package != first.Package || again.By != first.By || !w2.Before || w2.Event.ID != w.Event.ID {
			t.Errorf("legal basis %s: %s of event %s, before %v; want %s of %s", name, again.ID, w2.Event.ID, w2.Before, first.ID, w.Event.ID)
		}
	}
	if now, err := d.Record.Head(ctx); err != nil || now != head || count() != 1 {
		t.Errorf("asking again wrote: head %d, was %d, %d releases, %v", now, head, count(), err)
	}
	other := atalaya.LegalBasis{Instrument: "Order 12 (SYNTHETIC)", ReviewBy: d.Clock().AddDate(0, 6, 0)}
	if rel, w := ask(d.ana, "MEX", other); rel.ID == first.ID || w.Before || count() != 2 {
		t.Errorf("on another legal basis: the same release, or %d in all", count())
	}
}

// Two people press the button at the same moment: neither saw the other's release, and there is one.
func TestTwoReleasesAtTheSameMomentAreOne(t *testing.T) {
	ctx, d, view := context.Background(), approvedCase(t), access.Whole()
	d.approve(t, d.ana)
	d.approve(t, d.luis)
	f, err := d.File(ctx, view, d.kase.ID)
	if err != nil {
		t.Fatal(err)
	}
	rels, ws, errs := [2]Release{}, [2]Written{}, [2]error{}
	for i, who := range []Account{d.ana, d.luis} { // both from the file as it was before either
		rels[i], ws[i], errs[i] = d.releaseOf(ctx, who, view, f, "MEX", f.Case.LegalBasis)
	}
	if err := errorsOf(errs[0], errs[1]); err != nil {
		t.Fatal(err)
	}
	if rels[0].ID != rels[1].ID || rels[1].By != d.ana.ID || ws[0].Event.ID != ws[1].Event.ID || ws[0].Before || !ws[1].Before {
		t.Errorf("%s by %s and %s by %s, events %s and %s", rels[0].ID, rels[0].By, rels[1].ID, rels[1].By, ws[0].Event.ID, ws[1].Event.ID)
	}
}

func TestNamesByWhichPeopleSpeak(t *testing.T) {
	for id, want := range map[string]string{"case_0195933e-aaaa-7000-8000-00000000beef": "beef", "site_2f0c99": "2f0c", "x": "x", "": "", "a_b": "a_b"} {
		if got := shortName(id); got != want {
			t.Errorf("%q is %q, want %q", id, got, want)
		}
	}
}
