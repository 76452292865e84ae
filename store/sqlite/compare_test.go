package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang/geo/s2"

	"github.com/atalaya-isr/atalaya/store"
	"github.com/atalaya-isr/atalaya/store/sqlite"
	"github.com/atalaya-isr/atalaya/store/storetest"
)

// at is one of 5,000 cells of the finest level, two kilometres apart.
func at(i int) s2.CellID {
	return s2.CellIDFromLatLng(s2.LatLngFromDegrees(24+float64(i%100)/50, -107+float64(i/100)/50))
}

// mixed is a record with things that were taken back, purged, looked at and read twice.
func mixed(t testing.TB, dir string, opts sqlite.Options) *sqlite.DB {
	t.Helper()
	ctx, db := context.Background(), open(t, dir, opts)
	cells := storetest.Made(store.EvidenceMade, "ev_1", "m", "obs_1", "(U)")
	cells.Cells = []uint64{uint64(at(1)), uint64(at(2).Parent(16))}
	person := storetest.Made(store.ObservationMade, "obs_3", "m", "", "(U)")
	person.PersonKey = "person SYNTHETIC"
	add(t, db, storetest.Made(store.ObservationMade, "obs_1", "m", "", "(U)"), storetest.Made(store.ObservationMade, "obs_2", "m", "", "(U)"), cells, person,
		store.NewEvent{Time: time.Unix(9, 0), Kind: store.RetractionMade, Subject: "obs_1", Marking: "(U)", Body: []byte(`{"why":"SYNTHETIC"}`)},
		storetest.Made(store.ObservationMade, "obs_1", "m", "", "(U)"))
	if err := db.Purge(ctx, "acct_x", time.Unix(10, 0), "person SYNTHETIC", "asked for (SYNTHETIC)"); err != nil {
		t.Fatal(err)
	}
	return db
}

func TestTheProjectionIsWhatTheLogSays(t *testing.T) {
	for name, opts := range map[string]sqlite.Options{"plain": {}, "encrypted": {Key: key}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			db := mixed(t, dir, opts)
			before := storetest.Dump(t, db)
			var last, total int64
			p, err := db.VerifyProjection(context.Background(), func(done, of int64) { last, total = done, of })
			if err != nil || !p.Whole() || p.Entities != int64(strings.Count(before, "\n")) || last != total || last == 0 {
				t.Errorf("%+v, %v; progress %d of %d; want all of %d entities", p, err, last, total, strings.Count(before, "\n"))
			}
			if storetest.Dump(t, db) != before {
				t.Error("looking changed the record")
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "backup-*")); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

// Somebody writes to the tables that are folded from the log: the log is whole, its proof holds, and readers are told something
// else. Each planted change is found, and the first entity that it touches is named.
func TestAProjectionThatWasChangedIsFound(t *testing.T) {
	for _, plant := range []struct {
		claim, sql string
		kind, id   string
		says       string
	}{
		{"a body", `UPDATE entity SET body = json_set(body, '$.note', 'other') WHERE id = 'obs_2'`, "observation", "obs_2", "in body"},
		{"a body that is no JSON", `UPDATE entity SET body = x'00ff' WHERE id = 'obs_2'`, "observation", "obs_2", "in body"},
		{"a standing", `UPDATE entity SET standing = 'stands' WHERE id = 'obs_1'`, "observation", "obs_1", "in standing"},
		{"a version and a mission", `UPDATE entity SET version = 1, mission = 'n' WHERE id = 'ev_1'`, "evidence", "ev_1", "in mission, version"},
		{"a time that is none", `UPDATE entity SET t_from = 'yesterday' WHERE id = 'ev_1'`, "evidence", "ev_1", "cannot be read"},
		{"a label", `UPDATE entity SET label = (SELECT id FROM label WHERE marking = '(S)') WHERE id = 'obs_2'`, "observation", "obs_2", "in marking"},
		{"a cell more", `INSERT INTO entity_cell SELECT 5, n FROM entity WHERE id = 'ev_1'`, "evidence", "ev_1", "in cells"},
		{"one that is gone", `DELETE FROM entity WHERE id = 'obs_2'`, "observation", "obs_2", "missing in the projection"},
		{"the last that is gone", `DELETE FROM entity WHERE id = 'obs_3'`, "observation", "obs_3", "missing in the projection"},
		{"one that never was", `INSERT INTO entity SELECT 999, gen, kind, 'obs_9', mission, parent, label, standing, t_from, t_to, version, body FROM entity WHERE id = 'obs_2'`, "observation", "obs_9", "the log makes no such thing"},
	} {
		t.Run(plant.claim, func(t *testing.T) {
			ctx, dir := context.Background(), t.TempDir()
			db := mixed(t, dir, sqlite.Options{})
			if _, err := db.Label(ctx, "(S)"); err != nil {
				t.Fatal(err)
			}
			spoil(t, dir, plant.sql)
			if rep, err := db.VerifyAudit(ctx); err != nil || !rep.Whole() {
				t.Fatalf("the log itself: %+v, %v", rep, err)
			}
			p, err := db.VerifyProjection(ctx, nil)
			if err != nil || p.Whole() || p.Kind != plant.kind || p.ID != plant.id || !strings.Contains(p.Why, plant.says) {
				t.Errorf("%+v, %v; want %s %s, %q", p, err, plant.kind, plant.id, plant.says)
			}
			if err := db.Replay(ctx, nil); err != nil {
				t.Fatal(err)
			}
			if p, err := db.VerifyProjection(ctx, nil); err != nil || !p.Whole() {
				t.Errorf("after a replay: %+v, %v", p, err)
			}
		})
	}
}

// The second folding of an encrypted record is encrypted too: nothing of it stands in the folder in plain words meanwhile.
func TestTheSecondFoldingOfAnEncryptedRecordShowsNothing(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, sqlite.Options{Key: key})
	for i := range 40 { // 2.4 MB: more than stays in the cache of pages would hide the file's first pages, written last
		e := storetest.Made(store.ObservationMade, fmt.Sprint("obs_", i), "m", "", "(U)")
		e.Body = []byte(fmt.Sprintf(`{"note":%q}`, strings.Repeat("plainly said SYNTHETIC ", 25000)))
		add(t, db, e)
	}
	seen := 0
	p, err := db.VerifyProjection(context.Background(), func(done, total int64) {
		left, _ := filepath.Glob(filepath.Join(dir, "backup-*"))
		for _, path := range left {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Error(err)
			}
			seen += len(b)
			if strings.Contains(string(b), "plainly said") {
				t.Error("plain words in ", path)
			}
		}
	})
	if err != nil || !p.Whole() || seen == 0 {
		t.Errorf("%+v, %v, %d bytes looked at", p, err, seen)
	}
}

func BenchmarkVerifyProjection(b *testing.B) {
	ctx, db := context.Background(), open(b, b.TempDir(), sqlite.Options{})
	const n = 20000
	for batch := range n / 500 {
		var events []store.NewEvent
		for i := range 500 {
			e := storetest.Made(store.EvidenceMade, fmt.Sprint("ev_", batch, "_", i), "m", "obs", "(U)")
			for k := range 20 {
				e.Cells = append(e.Cells, uint64(at(batch*500+i+k).Parent(16)))
			}
			events = append(events, e)
		}
		add(b, db, events...)
	}
	b.Run("log", func(b *testing.B) {
		for b.Loop() {
			if rep, err := db.VerifyAudit(ctx); err != nil || !rep.Whole() {
				b.Fatal(rep, err)
			}
		}
		b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	})
	b.Run("projection", func(b *testing.B) {
		for b.Loop() {
			if p, err := db.VerifyProjection(ctx, nil); err != nil || p.Entities != n {
				b.Fatal(p, err)
			}
		}
		b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	})
}
