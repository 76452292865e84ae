package sqlite_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3/driver"

	"github.com/atalaya-isr/atalaya/store/sqlite"
)

const pageSize = 4096 // SQLite's default

// closedRecord is the database file of a record with something in every table that an ordinary run fills.
func closedRecord(t *testing.T, k []byte) (dir string, raw []byte) {
	t.Helper()
	dir = t.TempDir()
	db, err := sqlite.OpenDir(ctx, dir, sqlite.Options{Key: k})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		add(t, db, withJob(fmt.Sprintf("obs_%02d", i)))
	}
	whole(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if raw, err = os.ReadFile(filepath.Join(dir, "record.db")); err != nil || len(raw)%pageSize != 0 {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
	if _, err := os.Stat(filepath.Join(dir, "record.db-wal")); err == nil {
		t.Fatal("a closed record still has its journal: what follows would be read from there")
	}
	return dir, raw
}

// provedWith opens and proves the record with these bytes for a database.
func provedWith(t *testing.T, dir string, k, raw []byte) error {
	t.Helper()
	for _, left := range []string{"record.db-wal", "record.db-shm"} {
		os.Remove(filepath.Join(dir, left))
	}
	if err := os.WriteFile(filepath.Join(dir, "record.db"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.OpenDir(ctx, dir, sqlite.Options{Key: k})
	if err != nil {
		return err
	}
	rep, err := db.VerifyAudit(ctx)
	if err == nil && !rep.Whole() {
		err = errors.New(rep.Why)
	}
	return errors.Join(err, db.Close())
}

func overwritten(raw []byte, at int) []byte {
	bad := bytes.Clone(raw)
	copy(bad[at:], bytes.Repeat([]byte{0xa5}, 64))
	return bad
}

// An encrypted page of which a byte has changed deciphers to noise, wherever the byte was. 64 bytes are overwritten in each
// page in turn; among them are the pages that the proof of the log never reads: indexes, jobs, and what is folded from the log.
func TestADamagedPageIsNamedWhateverItHolds(t *testing.T) {
	t.Parallel()
	dir, raw := closedRecord(t, key)
	placed := 0
	for page := range len(raw) / pageSize {
		err := provedWith(t, dir, key, overwritten(raw, page*pageSize+1328))
		if !errors.Is(err, sqlite.ErrDamaged) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "record.db: ") || !strings.Contains(err.Error(), "atalaya restore") {
			t.Errorf("page %d of %d: %v", page+1, len(raw)/pageSize, err)
			continue
		}
		if strings.Contains(err.Error(), fmt.Sprintf("page %d, ", page+1)) {
			placed++
		}
	}
	// Without its schema (pages 1 and what hangs from it) a database cannot be walked, and no page is named.
	if placed*4 < len(raw)/pageSize*3 {
		t.Errorf("of %d damaged pages %d were named", len(raw)/pageSize, placed)
	}
	if err := provedWith(t, dir, key, raw); err != nil {
		t.Errorf("with its own bytes again: %v", err)
	}
}

func TestDamageIsPlacedInItsTableOrIndex(t *testing.T) {
	t.Parallel()
	dir, raw := closedRecord(t, nil)
	d, err := driver.Open("file:" + filepath.Join(dir, "record.db"))
	if err != nil {
		t.Fatal(err)
	}
	roots := map[string]int{}
	for _, name := range []string{"sqlite_autoindex_label_1", "entity_mission", "river_job", "entity", "event_subject"} {
		var page int
		if err := d.QueryRow("SELECT rootpage FROM sqlite_schema WHERE name = ?", name).Scan(&page); err != nil {
			t.Fatal(err)
		}
		roots[name] = page
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	for name, page := range roots {
		err := provedWith(t, dir, nil, overwritten(raw, (page-1)*pageSize))
		if !errors.Is(err, sqlite.ErrDamaged) || !strings.Contains(err.Error(), fmt.Sprintf("record.db: page %d, ", page)) || !strings.Contains(err.Error(), " "+name+": ") {
			t.Errorf("%s on page %d: %v", name, page, err)
		}
	}
	// A row that an index no longer finds is damage too, with every page in order.
	d, err = driver.Open("file:" + filepath.Join(dir, "record.db"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "record.db"), raw, 0o600)
	}
	if err == nil {
		_, err = d.Exec("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'mission', 'parent') WHERE name = 'entity_mission'")
	}
	if err := errors.Join(err, d.Close()); err != nil {
		t.Fatal(err)
	}
	changed, err := os.ReadFile(filepath.Join(dir, "record.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := provedWith(t, dir, nil, changed); !errors.Is(err, sqlite.ErrDamaged) || !strings.Contains(err.Error(), "entity_mission") {
		t.Errorf("an index of another column: %v", err)
	}
}
