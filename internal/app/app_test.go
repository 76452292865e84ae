package app

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/store/sqlite"
)

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

func TestDemoPutsTheTrueSiteFirst(t *testing.T) {
	a := openTest(t, t.TempDir())
	a.Talk = func(s string) { t.Log(s) }
	start := time.Now()
	d, err := a.MakeDemo(context.Background(), t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("took", time.Since(start))
	for _, s := range d.Document.Sites {
		t.Log(s.Rank, s.ID, s.Lat, s.Lon, s.Probability, s.CovarianceM2)
		for _, e := range s.Evidence {
			t.Log("   ", e.Kind, e.LogOdds, e.Grade, e.Note)
		}
	}
	for _, f := range d.Document.Files {
		t.Log(f.Path, f.Kind, f.Records, f.Problems)
	}
	b, _ := json.Marshal(d.Truth)
	t.Log(string(b))
}
