package app

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/simulate"
	"github.com/atalaya-isr/atalaya/store"
	"github.com/atalaya-isr/atalaya/store/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openTest(t testing.TB, dir string) *App {
	t.Helper()
	db, err := sqlite.OpenDir(context.Background(), dir, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	a := New(db, "test")
	a.Clock = func() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }
	return a
}

// campaign writes the small scenario without its film, which takes longer than all else, and without the files named, and gives its folder.
func campaign(t testing.TB, seed uint64, without ...string) (dir string, truth simulate.Truth) {
	t.Helper()
	s, err := simulate.Find("small")
	if err != nil {
		t.Fatal(err)
	}
	s.Film = simulate.Film{}
	for i := range s.Gas { // every other leg: what these tests ask does not hang on how sharp an answer is
		for j := range len(s.Gas[i].DistancesM) / 2 {
			s.Gas[i].DistancesM[j] = s.Gas[i].DistancesM[2*j]
		}
		s.Gas[i].DistancesM = s.Gas[i].DistancesM[:len(s.Gas[i].DistancesM)/2]
	}
	dir = filepath.Join(t.TempDir(), "mission")
	if truth, err = simulate.Campaign(s, seed, Folder(dir)); err != nil {
		t.Fatal(err)
	}
	for _, f := range without {
		if err := os.Remove(filepath.Join(dir, f)); err != nil {
			t.Fatal(err)
		}
	}
	return dir, truth
}

func sitesOf(t testing.TB, a *App, dir string) []byte {
	t.Helper()
	doc, _, err := a.Run(context.Background(), dir, RunOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func dump(t testing.TB, a *App) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := a.Record.Dump(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The demo's promise: the true site is near the top. Nearness is judged by the candidate's own region and by a kilometre.
func TestDemoPutsTheTrueSiteNearTheTop(t *testing.T) {
	a := openTest(t, t.TempDir())
	d, err := a.MakeDemo(context.Background(), t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	filmIsSearched(t, d)
	truth := d.Truth.Sites[0]
	for _, s := range d.Document.Sites {
		far := geodesy.Distance(geodesy.LatLon{Lat: s.Lat, Lon: s.Lon}, geodesy.LatLon{Lat: truth.Lat, Lon: truth.Lon})
		t.Logf("rank %d p %.3f %.0f m from the true site", s.Rank, s.Probability, far)
		if s.Word == nil || *s.Word != site.Word(s.Probability) || s.Range == nil || s.Cases < site.LeastCases {
			t.Errorf("rank %d: word %v, within %v of %d cases", s.Rank, s.Word, s.Range, s.Cases)
		}
		if s.Rank <= 3 && far < 1000 {
			return
		}
	}
	t.Fatal("no candidate of the first three lies within a kilometre of the true site")
}

// filmIsSearched holds that the two trucks of the demo's film are found where its pictures can be decoded, and that it is said where they cannot.
func filmIsSearched(t *testing.T, d Demo) {
	_, without := programOf(t.Context())
	for _, f := range d.Document.Files {
		if f.Path != "video/film-1.ts" {
			continue
		}
		searched := f.Movers != nil && *f.Movers >= 2
		said := f.Movers == nil && len(f.Notes) == 1 && strings.Contains(f.Notes[0].What, "ffmpeg")
		if without == nil && !searched || without != nil && !said || len(f.Problems) > 0 {
			t.Errorf("the film (%v): movers %v, %+v", without, f.Movers, f)
		}
		return
	}
	t.Error("the demo has no film")
}

func TestTwoRunsGiveTheSameBytesAndReplayTheSameRecord(t *testing.T) {
	dir, _ := campaign(t, 3, "gas/flight-2.csv")
	one, two := openTest(t, t.TempDir()), openTest(t, t.TempDir())
	first := sitesOf(t, one, dir)
	if again := sitesOf(t, one, dir); !bytes.Equal(first, again) {
		t.Errorf("the same record, run again, differs:\n%s\n%s", first, again)
	}
	if other := sitesOf(t, two, dir); !bytes.Equal(first, other) {
		t.Errorf("another record differs:\n%s\n%s", first, other)
	}
	before := dump(t, one)
	if err := one.Record.Replay(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	if after := dump(t, one); !bytes.Equal(before, after) {
		t.Error("replay gives other bytes")
	}
}

// Retracting the first gas flight must leave the ranking of a mission that never had it; undoing must bring the first back.
func TestRetractionEqualsNeverHavingHadIt(t *testing.T) {
	ctx := context.Background()
	full, _ := campaign(t, 1, "gas/flight-2.csv")
	without, _ := campaign(t, 1, "gas/flight-1.csv", "gas/flight-2.csv")
	a, b := openTest(t, t.TempDir()), openTest(t, t.TempDir())
	first := ranking(t, sitesOf(t, a, full))
	never := ranking(t, sitesOf(t, b, without))
	if first == never {
		t.Fatal("the flight says nothing: this test shows nothing")
	}
	who, _, err := a.AddAccount(ctx, "", "ana", "analyst", "")
	if err != nil {
		t.Fatal(err)
	}
	page, err := a.Record.Find(ctx, access.Whole(), store.Query{Kind: "observation"})
	if err != nil {
		t.Fatal(err)
	}
	var id atalaya.ObservationID
	for _, e := range page.Entities {
		if strings.Contains(string(e.Body), "gas/flight-1.csv") {
			id = atalaya.ObservationID(e.ID)
		}
	}
	if _, err := a.Retract(ctx, who, access.Whole(), id, "wrong clock"); err != nil {
		t.Fatal(err)
	}
	if err := a.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if got := ranking(t, sitesOf(t, a, full)); got != never {
		t.Errorf("retracted:\n%s\nnever had:\n%s", got, never)
	}
	if _, err := a.Unretract(ctx, who, access.Whole(), id); err != nil {
		t.Fatal(err)
	}
	if err := a.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if got := ranking(t, sitesOf(t, a, full)); got != first {
		t.Errorf("undone:\n%s\nfirst:\n%s", got, first)
	}
}

// ranking is the sites of a document, without the list of files.
func ranking(t testing.TB, doc []byte) string {
	t.Helper()
	var d struct{ Sites json.RawMessage }
	if err := json.Unmarshal(doc, &d); err != nil {
		t.Fatal(err)
	}
	return string(d.Sites)
}

// The real release at Chilbolton, given an invented place and time, becomes a candidate whose region is the estimator's own.
func TestTheRealSurveyIsCarriedIntoACandidateWithTheSameRegion(t *testing.T) {
	survey := fixture.Shared(t, "gas/chilbolton/survey.csv")
	dir := t.TempDir()
	raw, err := os.ReadFile(survey)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("ATALAYA_SOAK") == "" { // the first fifteen minutes of seven beams; all of it takes a minute a run
		raw = bytes.Join(bytes.SplitAfter(raw, []byte("\n"))[:bytes.Count(raw[:bytes.Index(raw, []byte("\nt_s"))+1], []byte("\n"))+1+15*7], nil)
	}
	mission := "name: real survey, invented place (SYNTHETIC)\norigin: [24.8, -107.39, 0]\nstart: 2026-03-14T12:00:00Z\nto: 2026-03-15T00:00:00Z\nmarking: U//SYNTHETIC\n"
	if err := errorsOf(os.WriteFile(filepath.Join(dir, "survey.csv"), raw, 0o644), os.WriteFile(filepath.Join(dir, "mission.yaml"), []byte(mission), 0o644)); err != nil {
		t.Fatal(err)
	}
	a := openTest(t, t.TempDir())
	doc, _, err := a.Run(context.Background(), dir, RunOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(doc.Sites) == 0 {
		t.Fatal("no candidate")
	}
	want := estimated(t, a, raw).Sources[0].Regions
	for name, pair := range map[string][2]json.RawMessage{"p50": {doc.Sites[0].Regions.P50, want.P50}, "p90": {doc.Sites[0].Regions.P90, want.P90}, "p95": {doc.Sites[0].Regions.P95, want.P95}} {
		if string(pair[0]) != string(pair[1]) {
			t.Errorf("region %s of the candidate is not the estimator's:\n%s\n%s", name, pair[0], pair[1])
		}
	}
	// The truth of that release, for scoring only: 237.91 m east, 40.05 m north of the frame's origin.
	frame := geodesy.NewFrame(geodesy.LatLonHeight{Lat: 24.8, Lon: -107.39})
	off, c := frame.GroundENU(geodesy.LatLon{Lat: doc.Sites[0].Lat, Lon: doc.Sites[0].Lon}), doc.Sites[0].CovarianceM2
	dx, dy := off[0]-237.91, off[1]-40.05
	rate := doc.Sites[0].RateKgS["ch4"].P50
	t.Logf("%.2f m from the release, rate factor %.2f", math.Hypot(dx, dy), math.Max(rate/0.0003777778, 0.0003777778/rate))
	// Within the 95 % ellipse of two normal numbers: 5.991 is that quantile of chi-square. How many metres that is depends on how much of the survey was read.
	if m2 := (dx*dx*c[1][1] - 2*dx*dy*c[0][1] + dy*dy*c[0][0]) / (c[0][0]*c[1][1] - c[0][1]*c[0][1]); m2 > 5.991 {
		t.Errorf("the first candidate lies %.1f m from the release, outside of its own 95 %% ellipse", math.Hypot(dx, dy))
	}
}

// estimated is what the estimator says of a survey that was run: as it is kept, which is what it says when asked by itself (ATALAYA_SOAK).
func estimated(t *testing.T, a *App, raw []byte) *source.Group {
	t.Helper()
	ctx, view := context.Background(), access.Whole()
	list, err := a.GasSurveys(ctx, view, "")
	if err != nil || len(list.Surveys) != 1 {
		t.Fatalf("%d surveys: %v", len(list.Surveys), err)
	}
	kept, err := a.GasSurvey(ctx, view, list.Surveys[0].Observation.ID)
	if err != nil || kept.Group == nil {
		t.Fatalf("nothing was judged: %v", err)
	}
	if os.Getenv("ATALAYA_SOAK") == "" {
		return kept.Group
	}
	s, err := surveyOf(bytes.NewReader(raw), "survey.csv", MissionFile{Origin: []float64{24.8, -107.39}, Start: time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	in, err := source.FromSurvey(s, false)
	if err != nil {
		t.Fatal(err)
	}
	res, err := source.Locate(ctx, in, source.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(mustJSON(res.Groups[0]), mustJSON(kept.Group)) {
		t.Error("what is kept is not what the estimator says")
	}
	return &res.Groups[0]
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestAMissionWithNothingInItHasNoCandidate(t *testing.T) {
	a := openTest(t, t.TempDir())
	doc, partial, err := a.Run(context.Background(), t.TempDir(), RunOptions{})
	if err != nil || partial || len(doc.Sites) != 0 || len(doc.Files) != 0 {
		t.Fatalf("empty folder: %+v partial %v err %v", doc, partial, err)
	}
}
