package app

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3/driver"
)

// missionOf writes a mission of these files of the small campaign.
func missionOf(t *testing.T, files ...string) string {
	t.Helper()
	all, _ := campaign(t, 1)
	dir := t.TempDir()
	for _, f := range append(files, "mission.yaml") {
		b, err := os.ReadFile(filepath.Join(all, f))
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(dir, f)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, f), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A raw file is lost between being read and being looked at: the run does what it can, names what it could not do under the
// file, and does it when the file is there again.
func TestAJobThatIsGivenUpIsNamedUnderItsFileAndDoneByTheNextRun(t *testing.T) {
	dir := missionOf(t, "gas/flight-1.csv", "signals/bearings-1.csv")
	calm := sitesOf(t, openTest(t, t.TempDir()), dir)
	a := openTest(t, t.TempDir())
	a.Talk = func(line string) {
		if !strings.HasPrefix(line, "gas/flight-1.csv: ") {
			return
		}
		blobs, _ := filepath.Glob(filepath.Join(a.Record.Dir(), "blobs", "??", "*"))
		for _, b := range blobs {
			if raw, err := os.ReadFile(b); err == nil && bytes.Contains(raw, []byte("acetone_ppb")) {
				os.Remove(b)
			}
		}
	}
	doc, partial, err := a.Run(context.Background(), dir, RunOptions{Seed: 1})
	if err != nil || !partial {
		t.Fatalf("partial %v, %v", partial, err)
	}
	named := 0
	for _, f := range doc.Files {
		for _, p := range f.Problems {
			if f.Path != "gas/flight-1.csv" || !strings.Contains(p.What, "given up: looking for what stands out") || !strings.Contains(p.What, "no raw file") || !strings.Contains(p.What, "run again") {
				t.Errorf("%s: %+v", f.Path, p)
			}
			named++
		}
	}
	if named != 1 || len(doc.Problems) != 0 || len(doc.Sites) == 0 {
		t.Errorf("%d problems of files, %v of the mission, %d sites", named, doc.Problems, len(doc.Sites))
	}
	a.Talk = nil
	if again := sitesOf(t, a, dir); !bytes.Equal(again, calm) {
		t.Errorf("the run with the file back gives\n%s\nthe undisturbed one\n%s", again, calm)
	}
}

// Whatever the job, what stays given up is said, each time, until it is done; and what only died with its process is done.
func TestNothingThatIsGivenUpIsPassedOverInSilence(t *testing.T) {
	ctx, dir := context.Background(), missionOf(t, "signals/bearings-1.csv", "reports/report-1.txt")
	a := openTest(t, t.TempDir())
	calm := sitesOf(t, a, dir)
	m, err := ReadMission(dir)
	if err != nil {
		t.Fatal(err)
	}
	d, err := driver.Open("file:" + filepath.Join(a.Record.Dir(), "record.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	// Every job of the mission as a version left it that counted the ends of processes against them.
	if _, err := d.Exec(`UPDATE river_job SET state = 'discarded', attempt = 4, finalized_at = datetime('now')`); err != nil {
		t.Fatal(err)
	}
	if again := sitesOf(t, a, dir); !bytes.Equal(again, calm) {
		t.Errorf("the run after the deaths gives\n%s\nbefore\n%s", again, calm)
	}
	if _, err := d.Exec(`UPDATE river_job SET state = 'discarded', attempt = 4, finalized_at = datetime('now'), errors = jsonb('[{"error":"1"},{"error":"2"},{"error":"3"},{"error":"4"}]'),
		args = jsonb_set(args, '$.observation', 'obs_none') WHERE kind = 'detect-observation'`); err != nil {
		t.Fatal(err)
	}
	var detects int
	if err := d.QueryRow(`SELECT count(*) FROM river_job WHERE kind = 'detect-observation'`).Scan(&detects); err != nil || detects == 0 {
		t.Fatalf("%d jobs, %v", detects, err)
	}
	for range 2 {
		doc, partial, err := a.Run(ctx, dir, RunOptions{Seed: 1})
		if err != nil || !partial || len(doc.Problems) != detects {
			t.Fatalf("partial %v, %v, %d problems of %d lost jobs: %+v", partial, err, len(doc.Problems), detects, doc.Problems)
		}
	}
	if doc, partial, err := a.Run(ctx, dir, RunOptions{Seed: 2}); err != nil || partial || len(doc.Problems) != 0 {
		t.Errorf("another seed has lost nothing: partial %v, %v, %+v", partial, err, doc.Problems)
	}
	if _, err := d.Exec(`UPDATE river_job SET state = 'discarded', finalized_at = datetime('now'), errors = jsonb('[{"error":"no memory"}]') WHERE kind = 'assess-mission'`); err != nil {
		t.Fatal(err)
	}
	lost, err := a.givenUpOf(ctx, m.ID(), RunOptions{Seed: 1})
	said := fmt.Sprint(lost[""])
	if err != nil || !strings.Contains(said, "obs_none") || !strings.Contains(said, "given up: ranking the sites: no memory") {
		t.Errorf("%s, %v", said, err)
	}
}
