package sqlite_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3/driver"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/store"
	"github.com/atalaya-isr/atalaya/store/sqlite"
	"github.com/atalaya-isr/atalaya/store/storetest"
)

var (
	ctx = context.Background()
	key = bytes.Repeat([]byte{0x5a}, 32)
)

func obs(id string) store.NewEvent {
	return storetest.Made(store.ObservationMade, id, "m", "", "(U)")
}

func add(t testing.TB, db *sqlite.DB, events ...store.NewEvent) []store.Event {
	t.Helper()
	out, err := db.Append(ctx, events...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func whole(t testing.TB, db *sqlite.DB) {
	t.Helper()
	rep, err := db.VerifyAudit(ctx)
	if err != nil || !rep.Whole() {
		t.Errorf("audit: %+v, %v", rep, err)
	}
}

func TestARecordThatIsClosedOpensAsItWas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir, sqlite.Options{})
	add(t, db, obs("obs_1"), obs("obs_2"))
	before, vkey := storetest.Dump(t, db), db.AuditKey()
	tail, _ := db.Follow(ctx, access.Whole(), "", 0)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir, sqlite.Options{})
	if got := storetest.Dump(t, again); got != before || again.AuditKey() != vkey {
		t.Errorf("reopened:\n%s\nwant\n%s", got, before)
	}
	add(t, again, obs("obs_3"))
	more, err := again.Follow(ctx, access.Whole(), tail.Next, 0)
	if err != nil || more.Reset || len(more.Events) != 1 {
		t.Errorf("a cursor from before: %+v, %v", more, err)
	}
	whole(t, again)
}

func TestAnAppendOfAnotherProcessIsSeen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b := open(t, dir, sqlite.Options{}), open(t, dir, sqlite.Options{})
	ch := a.Changed()
	add(t, b, obs("obs_1"))
	select {
	case <-ch:
	case <-time.After(10 * time.Second):
		t.Fatal("nobody was woken")
	}
	if out := add(t, a, obs("obs_2")); out[0].Seq != 2 {
		t.Errorf("seq %d after another's append, want 2", out[0].Seq)
	}
	whole(t, b)
}

func TestAFreshFolderMayBeOpenedByManyProcessesAtOnce(t *testing.T) {
	t.Parallel()
	for trial := range 6 {
		dir := filepath.Join(t.TempDir(), "record")
		k, env := []byte(nil), []string{openDir + "=" + dir}
		if trial%2 == 1 {
			k, env = key, append(env, fmt.Sprintf("ATALAYA_KEY=%x", key))
		}
		said := atOnce(t, env, 4)
		for _, s := range said {
			if !strings.HasPrefix(s, "key ") || s != said[0] {
				t.Fatalf("trial %d, encrypted %v: %q", trial, k != nil, said)
			}
		}
		db := open(t, dir, sqlite.Options{Key: k})
		whole(t, db)
		if n, err := db.Head(ctx); n != 4 || err != nil || "key "+db.AuditKey() != said[0] {
			t.Errorf("%d events, %v, key %s where the openers said %q", n, err, db.AuditKey(), said[0])
		}
	}
}

// atOnce starts this test binary n times, lets all go on at the same moment, and gives the last line of each.
func atOnce(t *testing.T, env []string, n int) []string {
	t.Helper()
	starts, outs := make([]io.Closer, n), make([]*bufio.Reader, n)
	cmds := make([]*exec.Cmd, n)
	for i := range cmds {
		cmds[i] = exec.Command(os.Args[0])
		cmds[i].Env = append(os.Environ(), env...)
		in, err := cmds[i].StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmds[i].StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmds[i].Start(); err != nil {
			t.Fatal(err)
		}
		starts[i], outs[i] = in, bufio.NewReader(out)
		if line, err := outs[i].ReadString('\n'); line != "ready\n" {
			t.Fatalf("%q, %v", line, err)
		}
	}
	for _, in := range starts {
		in.Close()
	}
	said := make([]string, n)
	for i := range cmds {
		b, err := io.ReadAll(outs[i])
		if err := errors.Join(err, cmds[i].Wait()); err != nil {
			t.Fatal(err)
		}
		said[i] = strings.TrimSpace(string(b))
	}
	return said
}

// leftBehind puts a temporary file into a record's folder that was last written so long ago.
func leftBehind(t *testing.T, dir, name string, age time.Duration) string {
	t.Helper()
	path, then := filepath.Join(dir, "blobs", "tmp", name), time.Now().Add(-age)
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, []byte("SYNTHETIC"), 0o600)
	}
	if err == nil {
		err = os.Chtimes(path, then, then)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func there(path string) bool { _, err := os.Stat(path); return err == nil }

func TestWhatADeadProcessWasWritingIsSweptAwayAndNothingOfALivingOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	killed(t, dir, "0", 0) // it may leave one of its own, which is young
	dead, young := leftBehind(t, dir, "put-dead", 2*time.Hour), leftBehind(t, dir, "put-young", 10*time.Minute)
	first := open(t, dir, sqlite.Options{})
	if there(dead) || !there(young) {
		t.Errorf("after a kill: the old file is there %v, the young one %v", there(dead), there(young))
	}
	// Two hours without a byte: the machine slept, or the medium is slow. Its process lives.
	slow := leftBehind(t, dir, "put-slow", 2*time.Hour)
	second := open(t, dir, sqlite.Options{})
	if !there(slow) {
		t.Error("a file of a living process was swept away")
	}
	if err := errors.Join(first.Close(), second.Close()); err != nil {
		t.Fatal(err)
	}
	open(t, dir, sqlite.Options{})
	if there(slow) {
		t.Error("nobody lives, and the file is still there")
	}
}

// spoil changes the database behind the record's back.
func spoil(t *testing.T, dir, sql string) {
	t.Helper()
	d, err := driver.Open("file:" + filepath.Join(dir, "record.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Exec(sql); err != nil {
		t.Fatal(err)
	}
}

func TestTamperingIsNamedByItsEvent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sql string
		bad int64
	}{
		"a changed body":            {"UPDATE event SET body = replace(body, 'obs_03', 'obs_99') WHERE seq = 4", 4},
		"a changed time":            {"UPDATE event SET time = '2020-01-01T00:00:00.000000000Z' WHERE seq = 5", 5},
		"another actor":             {"UPDATE event SET actor = 'acct_other' WHERE seq = 6", 6},
		"a marking lowered":         {"UPDATE label SET marking = '(X)' WHERE id = 1", 1},
		"a dropped event":           {"DELETE FROM event WHERE seq = 7", 7},
		"a cut end":                 {"DELETE FROM event WHERE seq > 8", 9},
		"a cut end with its tree":   {"DELETE FROM event WHERE seq > 8; DELETE FROM audit_hash WHERE n > 14", 9},
		"a changed commitment":      {"UPDATE event SET commitment = zeroblob(32) WHERE seq = 3", 3},
		"a changed tree":            {"UPDATE audit_hash SET hash = zeroblob(32) WHERE n = 2", 2},
		"a body taken out":          {"UPDATE event SET body = NULL, salt = NULL WHERE seq = 2", 2},
		"a person's body taken out": {"UPDATE event SET body = NULL WHERE seq = 11", 11},
		"a person's key taken out":  {"DELETE FROM person_key", 11},
		"a person's body changed":   {"UPDATE event SET body = zeroblob(100) WHERE seq = 11", 11},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			db := open(t, dir, sqlite.Options{})
			for i := range 10 {
				add(t, db, obs(fmt.Sprintf("obs_%02d", i)))
			}
			p := obs("obs_p")
			p.PersonKey = "person_1"
			add(t, db, p)
			whole(t, db)
			spoil(t, dir, c.sql)
			rep, err := db.VerifyAudit(ctx)
			if err != nil || rep.Bad != c.bad {
				t.Errorf("named %d (%s), %v; want %d", rep.Bad, rep.Why, err, c.bad)
			}
		})
	}
}

func TestACheckpointKeptElsewhereShowsATruncationThatHidItself(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir, sqlite.Options{})
	add(t, db, obs("obs_1"))
	add(t, db, obs("obs_2"))
	kept, size, err := db.Checkpoint(ctx)
	if err != nil || size != 2 {
		t.Fatalf("checkpoint of %d events, %v", size, err)
	}
	spoil(t, dir, "DELETE FROM event WHERE seq = 2; DELETE FROM audit_hash WHERE n > 0; DELETE FROM checkpoint")
	whole(t, db) // alone, the record cannot know
	rep, err := db.VerifyAudit(ctx, kept)
	if err != nil || rep.Bad != 2 {
		t.Errorf("with the kept checkpoint: %+v, %v; want event 2 missing", rep, err)
	}
}

func TestAnEventIsProvedToAThirdParty(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), sqlite.Options{})
	for i := range 5 {
		add(t, db, obs(fmt.Sprint("obs_", i)))
	}
	p, err := db.ProveEvent(ctx, 3)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	got := p
	if err := json.Unmarshal(sent, &got); err != nil || got.Check(db.AuditKey()) != nil {
		t.Errorf("proof: %v, %v", err, got.Check(db.AuditKey()))
	}
	if !bytes.Contains(got.Event, []byte("obs_2")) {
		t.Error("the proof shows another event")
	}
}

func TestOldCheckpointsAreThinnedOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir, sqlite.Options{})
	batch := make([]store.NewEvent, 500)
	for i := range 5 {
		for j := range batch {
			batch[j] = obs(fmt.Sprint("obs_", i, "_", j))
		}
		add(t, db, batch...)
	}
	rep, err := db.VerifyAudit(ctx)
	if err != nil || !rep.Whole() || rep.Leaves != 2500 || rep.Checkpoints != 3 { // at 1000, 2000 and 2500
		t.Errorf("%+v, %v", rep, err)
	}
}

func worker(f func() error) map[string]sqlite.Worker {
	return map[string]sqlite.Worker{"recompute": func(context.Context, json.RawMessage) error { return f() }}
}

func withJob(id string) store.NewEvent {
	e := obs(id)
	e.Jobs = []store.Job{{Kind: "recompute", Args: json.RawMessage(`{"of":"` + id + `"}`)}}
	return e
}

func TestDrainDoesEveryJobAndWhatTheJobsQueue(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), sqlite.Options{})
	for i := range 5 {
		add(t, db, withJob(fmt.Sprint("obs_", i)))
	}
	var done atomic.Int32
	began := time.Now()
	err := db.Drain(ctx, map[string]sqlite.Worker{"recompute": func(ctx context.Context, args json.RawMessage) error {
		n := done.Add(1)
		e := obs(fmt.Sprint("out_", n))
		if n <= 5 { // each of the first five queues another
			e = withJob(fmt.Sprint("out_", n))
		}
		_, err := db.Append(ctx, e)
		return err
	}}, sqlite.WorkOptions{})
	n, _ := db.Pending(ctx)
	count, _ := db.Count(ctx, access.Whole(), store.Query{})
	if err != nil || done.Load() != 10 || n != 0 || count != 15 {
		t.Errorf("done %d, pending %d, entities %d, %v", done.Load(), n, count, err)
	}
	t.Logf("10 jobs in two rounds in %v", time.Since(began).Round(time.Millisecond))
}

func TestAJobThatFailsIsTriedAgainAndThenReported(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), sqlite.Options{})
	add(t, db, withJob("obs_1"))
	tries := 0
	if err := db.Drain(ctx, worker(func() error {
		if tries++; tries < 3 {
			return errors.New("not yet")
		}
		return nil
	}), sqlite.WorkOptions{Parallel: 1}); err != nil || tries != 3 {
		t.Errorf("a job that works at the third try: %d tries, %v", tries, err)
	}
	add(t, db, withJob("obs_2"))
	err := db.Drain(ctx, worker(func() error { return errors.New("the cube is cut short") }), sqlite.WorkOptions{})
	if err == nil || !strings.Contains(err.Error(), "obs_2") || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("a job that never works: %v", err)
	}
	given, err := db.GivenUp(ctx)
	if err != nil || len(given) != 1 || !strings.Contains(given[0].Error(), "cut short") {
		t.Errorf("given up: %v, %v", given, err)
	}
	add(t, db, withJob("obs_3"))
	if err := db.Drain(ctx, worker(func() error { panic("SYNTHETIC") }), sqlite.WorkOptions{}); err == nil || !strings.Contains(err.Error(), "panic: SYNTHETIC") {
		t.Errorf("a job that panics: %v", err)
	}
}

func TestAJobThatRunsDoesNotHideThatItMustRunAgain(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), sqlite.Options{})
	unique := obs("obs_1")
	unique.Jobs = []store.Job{{Kind: "recompute", Unique: true}}
	add(t, db, unique)
	var runs atomic.Int32
	err := db.Drain(ctx, worker(func() error {
		if runs.Add(1) == 1 {
			_, err := db.Append(ctx, unique, unique) // while the job runs
			return err
		}
		return nil
	}), sqlite.WorkOptions{})
	if err != nil || runs.Load() != 2 {
		t.Errorf("%d runs, %v; want 2", runs.Load(), err)
	}
}

func TestOneProcessAtATimeWorksTheJobs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b := open(t, dir, sqlite.Options{}), open(t, dir, sqlite.Options{})
	wctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	started := make(chan bool, 1)
	var byA, byB atomic.Int32
	add(t, a, withJob("obs_0"))
	go func() {
		ended <- a.Work(wctx, worker(func() error {
			byA.Add(1)
			select {
			case started <- true:
			default:
			}
			return nil
		}), sqlite.WorkOptions{})
	}()
	<-started
	for i := range 3 {
		add(t, b, withJob(fmt.Sprint("obs_", i+1)))
	}
	if err := b.Drain(ctx, worker(func() error { byB.Add(1); return nil }), sqlite.WorkOptions{}); err != nil {
		t.Fatal(err)
	}
	if byA.Load() != 4 || byB.Load() != 0 {
		t.Errorf("the holder did %d, the other %d; want 4 and 0", byA.Load(), byB.Load())
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	add(t, b, withJob("obs_9"))
	if err := b.Drain(ctx, worker(func() error { byB.Add(1); return nil }), sqlite.WorkOptions{}); err != nil || byB.Load() != 1 {
		t.Errorf("after the holder went: %d, %v", byB.Load(), err)
	}
}

func TestAJobCutShortByADeadProcessRunsAgainAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir, sqlite.Options{})
	add(t, db, withJob("obs_1"))
	// What kill -9 leaves: a row that says running, and no one who runs it.
	spoil(t, dir, "UPDATE river_job SET state = 'running', attempt = 1, attempted_at = datetime('now')")
	runs := 0
	began := time.Now()
	if err := db.Drain(ctx, worker(func() error { runs++; return nil }), sqlite.WorkOptions{}); err != nil || runs != 1 {
		t.Errorf("%d runs, %v", runs, err)
	}
	if took := time.Since(began); took > 10*time.Second { // River's own rescue waits an hour
		t.Errorf("took %v", took)
	}
}

// What kill -9 leaves at the last attempt, or what a version that counted deaths made of it, is done all the same; an error of
// the job's own counts as ever.
func TestADeadProcessCountsNothingAgainstItsJob(t *testing.T) {
	t.Parallel()
	twice := `[{"attempt": 1, "error": "SYNTHETIC"}, {"attempt": 2, "error": "SYNTHETIC"}]`
	for name, c := range map[string]struct {
		left  string // by the dead process
		tries int    // that a job which always fails still has
	}{
		"killed at the fourth attempt":             {"state = 'running', attempt = 4", 4},
		"killed twice after two errors":            {"state = 'running', attempt = 4, errors = jsonb('" + twice + "')", 2},
		"given up because it was killed":           {"state = 'discarded', attempt = 4, finalized_at = datetime('now')", 4},
		"given up with two errors and two deaths":  {"state = 'discarded', attempt = 4, finalized_at = datetime('now'), errors = jsonb('" + twice + "')", 2},
		"killed while it waited for its next turn": {"state = 'retryable', attempt = 2, errors = jsonb('" + twice + "')", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, works := range []bool{true, false} {
				dir := t.TempDir()
				db := open(t, dir, sqlite.Options{})
				add(t, db, withJob("obs_1"))
				spoil(t, dir, "UPDATE river_job SET "+c.left)
				add(t, db, withJob("obs_2")) // so that there is something to drain
				tries := 0
				err := db.Drain(ctx, map[string]sqlite.Worker{"recompute": func(_ context.Context, args json.RawMessage) error {
					if !strings.Contains(string(args), "obs_1") {
						return nil
					}
					if tries++; works {
						return nil
					}
					return errors.New("the cube is cut short")
				}}, sqlite.WorkOptions{Parallel: 1})
				given, _ := db.GivenUp(ctx)
				if works && (err != nil || tries != 1 || len(given) != 0) {
					t.Errorf("a job that works: %d tries, %v, given up %v", tries, err, given)
				}
				if _, lost := err.(sqlite.LostJobs); !works && (!lost || tries != c.tries || len(given) != 1 || !strings.Contains(given[0].Error(), "cut short")) {
					t.Errorf("a job that fails: %d tries, want %d; %v, given up %v", tries, c.tries, err, given)
				}
			}
		})
	}
}

func TestAJobThatWasGivenUpIsTriedOnceMoreWhenAsked(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), sqlite.Options{})
	add(t, db, withJob("obs_1"), withJob("obs_2"))
	tries, why := 0, errors.New("the disk is full")
	drain := func() error {
		tries = 0
		return db.Drain(ctx, worker(func() error { tries++; return why }), sqlite.WorkOptions{Parallel: 1})
	}
	var lost sqlite.LostJobs
	if err := drain(); !errors.As(err, &lost) || len(lost) != 2 {
		t.Fatalf("%v", err)
	}
	first := func(l sqlite.LostJob) bool { return strings.Contains(string(l.Args), "obs_1") }
	if n, err := db.TryAgain(ctx, first); n != 1 || err != nil {
		t.Fatalf("%d jobs, %v", n, err)
	}
	if err := drain(); err == nil || tries != 1 {
		t.Errorf("still full: %d tries, %v", tries, err)
	}
	why = nil
	if n, err := db.TryAgain(ctx, first); n != 1 || err != nil {
		t.Fatalf("%d jobs, %v", n, err)
	}
	if err := drain(); err != nil || tries != 1 {
		t.Errorf("with space: %d tries, %v", tries, err)
	}
	if given, err := db.GivenUp(ctx); err != nil || len(given) != 1 || !strings.Contains(string(given[0].Args), "obs_2") {
		t.Errorf("given up: %v, %v", given, err)
	}
}

func TestAJobThatIsStoppedHasNotFailed(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), sqlite.Options{})
	add(t, db, withJob("obs_1"))
	for range 6 { // more often than a job may fail
		wctx, stop := context.WithCancel(ctx)
		err := db.Work(wctx, map[string]sqlite.Worker{"recompute": func(jctx context.Context, _ json.RawMessage) error {
			stop()
			<-jctx.Done()
			return jctx.Err()
		}}, sqlite.WorkOptions{})
		stop()
		if err != nil {
			t.Fatal(err)
		}
	}
	runs := 0
	if err := db.Drain(ctx, worker(func() error { runs++; return nil }), sqlite.WorkOptions{}); err != nil || runs != 1 {
		t.Errorf("%d runs, %v", runs, err)
	}
}

const marker = "SYNTHETIC-MARKER-7f3a"

// holders lists the files below a folder that show the text.
func holders(t *testing.T, dir, text string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if bytes.Contains(b, []byte(text)) || strings.Contains(path, text) {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// filled is a record with the marker in every place that holds data.
func filled(t *testing.T, db *sqlite.DB) atalaya.BlobID {
	t.Helper()
	id, _, err := db.Blobs().Put(strings.NewReader(strings.Repeat(marker, 10000)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		e := storetest.Made(store.ObservationMade, fmt.Sprint("obs_", marker, i), "m", string(id), "("+marker+")", "note", `"`+marker+`"`)
		e.Jobs = []store.Job{{Kind: "recompute", Args: json.RawMessage(`{"m":"` + marker + `"}`)}}
		add(t, db, e)
	}
	if err := db.SetSecret(ctx, "password", []byte(marker)); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestEncryptionAtRestLeavesNothingReadable(t *testing.T) {
	t.Parallel()
	for _, encrypted := range []bool{false, true} {
		t.Run(fmt.Sprint("encrypted ", encrypted), func(t *testing.T) {
			dir, out := t.TempDir(), t.TempDir()
			opts := sqlite.Options{}
			if encrypted {
				opts.Key = key
			}
			db := open(t, dir, opts)
			id := filled(t, db)
			backup := filepath.Join(out, "backup.tar")
			if err := db.Backup(ctx, backup, nil); err != nil {
				t.Fatal(err)
			}
			for _, d := range []string{dir, out} {
				if got := holders(t, d, marker); (len(got) == 0) != encrypted {
					t.Errorf("the marker shows in %v", got)
				}
				if got := holders(t, d, string(id)[2:]); encrypted && len(got) != 0 {
					t.Errorf("the name of a blob shows in %v", got)
				}
			}
			b, err := db.Blobs().Open(id)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			if n, err := io.Copy(io.Discard, b); n != int64(10000*len(marker)) || err != nil {
				t.Errorf("read %d bytes, %v", n, err)
			}
		})
	}
}

func TestAWrongKeyIsCalledWrong(t *testing.T) {
	t.Parallel()
	locked, plain := t.TempDir(), t.TempDir()
	for dir, k := range map[string][]byte{locked: key, plain: nil} {
		db, err := sqlite.OpenDir(ctx, dir, sqlite.Options{Key: k})
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
	}
	for name, c := range map[string]struct {
		dir  string
		key  []byte
		want string
	}{
		"another key":              {locked, bytes.Repeat([]byte{1}, 32), "wrong key"},
		"no key":                   {locked, nil, "is encrypted"},
		"a key for a plain record": {plain, key, "not encrypted"},
	} {
		_, err := sqlite.OpenDir(ctx, c.dir, sqlite.Options{Key: c.key})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	open(t, locked, sqlite.Options{Key: key})
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   string
		want []byte
		bad  bool
	}{
		"bytes":         {string(key), key, false},
		"hex":           {strings.Repeat("5a", 32) + "\n", key, false},
		"base64":        {"WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=", key, false},
		"nothing":       {" \n", nil, false},
		"half a key":    {strings.Repeat("5a", 16), nil, false},
		"a pass phrase": {"correct horse battery staple", nil, true},
	} {
		got, err := sqlite.ParseKey([]byte(c.in))
		if name == "half a key" { // 32 characters are taken as 32 bytes
			c.want = []byte(c.in)
		}
		if !bytes.Equal(got, c.want) || (err != nil) != c.bad {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
}

func TestAPurgeLeavesNothingInFolderOrBackup(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), t.TempDir()
	db := open(t, dir, sqlite.Options{})
	for i := range 200 {
		e := storetest.Made(store.ObservationMade, fmt.Sprint("obs_", i), "m", "", "(U)", "note", `"`+marker+strings.Repeat("x", i*7)+`"`)
		e.PersonKey = "person_1"
		add(t, db, e, obs(fmt.Sprint("other_", i)))
	}
	if len(holders(t, dir, marker)) == 0 {
		t.Fatal("the marker is nowhere to begin with: the test proves nothing")
	}
	if err := db.Purge(ctx, "acct_1", storetest.At, "person_1", "asked for"); err != nil {
		t.Fatal(err)
	}
	if err := db.Backup(ctx, filepath.Join(out, "after.tar"), nil); err != nil {
		t.Fatal(err)
	}
	if got := append(holders(t, dir, marker), holders(t, out, marker)...); len(got) != 0 {
		t.Errorf("purged text is still in %v", got)
	}
	rep, err := db.VerifyAudit(ctx)
	if err != nil || !rep.Whole() || rep.Purged != 200 || rep.Leaves != 401 {
		t.Errorf("audit after a purge: %+v, %v", rep, err)
	}
}

func TestAPurgeThatWasCutShortIsEndedByTheNextOpening(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir, sqlite.Options{})
	e := storetest.Made(store.ObservationMade, "obs_p", "m", "", "(U)", "note", `"`+marker+`"`)
	e.PersonKey = "person_1"
	add(t, db, e)
	db.Close()
	spoil(t, dir, `DELETE FROM person_key; UPDATE event SET body = NULL WHERE person <> ''; UPDATE projection SET stale = 1`)
	again := open(t, dir, sqlite.Options{})
	if got := holders(t, dir, marker); len(got) != 0 {
		t.Errorf("still in %v", got)
	}
	if e, err := again.Get(ctx, access.Whole(), "observation", "obs_p"); err != nil || e.Standing != store.Purged {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestABackupRestoresTheRecord(t *testing.T) {
	t.Parallel()
	for _, k := range [][]byte{nil, key} {
		t.Run(fmt.Sprint("encrypted ", k != nil), func(t *testing.T) {
			out := t.TempDir()
			db := open(t, t.TempDir(), sqlite.Options{Key: k})
			id := filled(t, db)
			tail, _ := db.Follow(ctx, access.Whole(), "", 0)
			file := filepath.Join(out, "b.tar")
			var last, total int64
			if err := db.Backup(ctx, file, func(d, n int64) { last, total = d, n }); err != nil || last != total || total == 0 {
				t.Fatalf("%v, progress %d of %d", err, last, total)
			}
			if err := db.Backup(ctx, file, nil); atalaya.KindOf(err) != atalaya.BadUse {
				t.Errorf("over another: %v", err)
			}
			to := filepath.Join(out, "new", "record")
			if err := sqlite.Restore(ctx, file, to, k, nil); err != nil {
				t.Fatal(err)
			}
			got := open(t, to, sqlite.Options{Key: k})
			if storetest.Dump(t, got) != storetest.Dump(t, db) || got.AuditKey() != db.AuditKey() || !got.Blobs().Has(id) {
				t.Error("the restored record is another")
			}
			whole(t, got)
			if s, err := got.Secret(ctx, "password"); string(s) != marker {
				t.Errorf("secret %q, %v", s, err)
			}
			if n, _ := got.Pending(ctx); n != 50 {
				t.Errorf("%d jobs pending, want 50", n)
			}
			if f, err := got.Follow(ctx, access.Whole(), tail.Next, 0); err != nil || !f.Reset {
				t.Errorf("a follower of the old record is not told to load afresh: %+v, %v", f, err)
			}
			if err := sqlite.Restore(ctx, file, to, k, nil); atalaya.KindOf(err) != atalaya.BadUse {
				t.Errorf("into a full folder: %v", err)
			}
			if k != nil {
				wrong := filepath.Join(out, "wrong")
				if err := sqlite.Restore(ctx, file, wrong, bytes.Repeat([]byte{1}, 32), nil); err == nil || !strings.Contains(err.Error(), "wrong key") {
					t.Errorf("with another key: %v", err)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(out, ".*")); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestADamagedBackupIsRefusedAndLeavesNothing(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	db := open(t, t.TempDir(), sqlite.Options{})
	filled(t, db)
	file := filepath.Join(out, "b.tar")
	if err := db.Backup(ctx, file, nil); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	change := func(at int, b byte) []byte { c := bytes.Clone(good); c[at] ^= b; return c }
	for name, raw := range map[string][]byte{
		"empty":            nil,
		"one byte":         good[:1],
		"cut in half":      good[:len(good)/2],
		"without manifest": good[:len(good)-4096],
		"a flipped bit":    change(len(good)/3, 1),
		"no tar":           bytes.Repeat([]byte("atalaya "), 4096),
		"a path upwards":   bytes.ReplaceAll(good, []byte("record.db\x00\x00\x00"), []byte("../record.db")),
	} {
		bad := filepath.Join(out, "bad.tar")
		if err := os.WriteFile(bad, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(out, "to")
		err := sqlite.Restore(ctx, bad, to, nil, nil)
		if atalaya.KindOf(err) != atalaya.BadInput || err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(to); err == nil {
			t.Errorf("%s: something was restored", name)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(out, ".*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := sqlite.Restore(ctx, filepath.Join(out, "none.tar"), filepath.Join(out, "to"), nil, nil); err == nil {
		t.Error("a file that is not there was restored")
	}
}
