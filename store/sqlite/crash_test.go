package sqlite_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/store"
	"github.com/atalaya-isr/atalaya/store/sqlite"
	"github.com/atalaya-isr/atalaya/store/storetest"
)

// The crash test runs this test binary as the process that is killed: with crashDir set it appends until it dies, and prints
// the subject of each event, with the blob it names, once the record has acknowledged it.
const (
	crashDir = "ATALAYA_CRASH_DIR"
	crashRun = "ATALAYA_CRASH_RUN"
	openDir  = "ATALAYA_OPEN_DIR" // open that record at a word, and say how it went
)

// opening waits for the end of its input, opens the record, appends an event, and prints what went wrong, or the record's key.
func opening(dir string) {
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	k, err := sqlite.KeyFromEnv()
	if err != nil {
		fmt.Println(err)
		return
	}
	db, err := sqlite.OpenDir(context.Background(), dir, sqlite.Options{Key: k})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	if _, err := db.Append(context.Background(), obs("obs_"+fmt.Sprint(os.Getpid()))); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("key", db.AuditKey())
}

func crashing() bool {
	if dir := os.Getenv(openDir); dir != "" {
		opening(dir)
		return true
	}
	dir := os.Getenv(crashDir)
	if dir == "" {
		return false
	}
	db, err := sqlite.OpenDir(context.Background(), dir, sqlite.Options{})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var out sync.Mutex
	say := func(word, subject string, blob atalaya.BlobID) {
		out.Lock()
		defer out.Unlock()
		fmt.Println(word, subject, blob)
	}
	go db.Work(context.Background(), outcomes(db), sqlite.WorkOptions{})
	for w := range 3 {
		go func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("obs_%s_%d_%d", os.Getenv(crashRun), w, i)
				blob, _, err := db.Blobs().Put(strings.NewReader(id))
				if err == nil {
					_, err = db.Append(context.Background(), crashEvents(id, blob, w)...)
				}
				if err != nil {
					say("error", err.Error(), "")
					return
				}
				say("ack", id, blob)
			}
		}()
	}
	select {}
}

// crashEvents are an observation with its job, and for one writer a batch with a retraction too.
func crashEvents(id string, blob atalaya.BlobID, writer int) []store.NewEvent {
	e := storetest.Made(store.ObservationMade, id, "m", string(blob), "(U)")
	e.Jobs = []store.Job{{Kind: "detect", Args: json.RawMessage(`{"observation":"` + id + `"}`)}}
	events := []store.NewEvent{e}
	if writer == 0 {
		events = append(events, storetest.Made(store.DetectionMade, "det0_"+id, "m", id, "(U)"),
			store.NewEvent{Kind: store.RetractionMade, Subject: id, Marking: "(U)"})
	}
	return events
}

// outcomes is the worker of the test: it appends a keyed detection.
func outcomes(db *sqlite.DB) map[string]sqlite.Worker {
	return map[string]sqlite.Worker{"detect": func(ctx context.Context, args json.RawMessage) error {
		var a struct{ Observation string }
		if err := json.Unmarshal(args, &a); err != nil {
			return err
		}
		e := storetest.Made(store.DetectionMade, "det_"+a.Observation, "m", a.Observation, "(U)")
		e.Key = "detect/" + a.Observation
		_, err := db.Append(ctx, e)
		return err
	}}
}

// killed starts the process, lets it live for a while after its first acknowledgement, kills it (SIGKILL), and returns what
// it had acknowledged, by subject.
func killed(t *testing.T, dir, run string, life time.Duration) map[string]atalaya.BlobID {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir, crashRun+"="+run)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acked := map[string]atalaya.BlobID{}
	var timer *time.Timer
	for r := bufio.NewReader(out); ; {
		line, err := r.ReadString('\n')
		if err == io.EOF {
			break // a line that was cut off by the kill is no acknowledgement
		}
		if err != nil {
			t.Fatal(err)
		}
		f := strings.Fields(line)
		if len(f) != 3 || f[0] != "ack" {
			t.Fatalf("the process says %q", line)
		}
		acked[f[1]] = atalaya.BlobID(f[2])
		if timer == nil {
			timer = time.AfterFunc(life, func() { cmd.Process.Kill() })
		}
	}
	if err := cmd.Wait(); err == nil || timer == nil {
		t.Fatalf("the process ended by itself (%v) after %d acknowledgements", err, len(acked))
	}
	return acked
}

func TestNothingAcknowledgedIsLostByKill9(t *testing.T) {
	t.Parallel()
	rounds := 20
	if os.Getenv("ATALAYA_SOAK") != "" {
		rounds = 200
	}
	seed := time.Now().UnixNano() // the points of the kills differ from run to run; the seed of a failure is printed
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewSource(seed))
	dir := t.TempDir()
	acked := map[string]atalaya.BlobID{}
	for round := range rounds {
		for id, blob := range killed(t, dir, fmt.Sprint(round), time.Duration(random.Intn(150_000))*time.Microsecond) {
			acked[id] = blob
		}
		last := round == rounds-1
		db, err := sqlite.OpenDir(ctx, dir, sqlite.Options{})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		checkCrashed(t, db, acked, last || round%5 == 0)
		if last {
			checkJobs(t, db, acked)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			t.Fatalf("after kill %d", round+1)
		}
	}
	t.Logf("%d kills, %d acknowledged appends, none lost", rounds, len(acked))
}

func checkCrashed(t *testing.T, db *sqlite.DB, acked map[string]atalaya.BlobID, replay bool) {
	t.Helper()
	log, err := db.Events(ctx, access.Whole(), "")
	if err != nil {
		t.Fatal(err)
	}
	made, retracted := map[string]bool{}, map[string]bool{}
	for _, e := range log {
		made[e.Subject] = made[e.Subject] || e.Kind == store.ObservationMade
		retracted[e.Subject] = retracted[e.Subject] || e.Kind == store.RetractionMade
		if e.Kind == store.ObservationMade {
			var o struct{ Blob atalaya.BlobID }
			if json.Unmarshal(e.Body, &o) != nil || !db.Blobs().Has(o.Blob) {
				t.Errorf("event %d names a blob that is not there", e.Seq)
			}
		}
	}
	for id := range acked {
		if !made[id] {
			t.Errorf("lost: %s", id)
		}
	}
	for id := range made {
		if made[id] && strings.HasSuffix(strings.TrimRight(id, "0123456789"), "_0_") && !retracted[id] {
			t.Errorf("half a batch: %s without its retraction", id)
		}
	}
	whole(t, db)
	if replay {
		before := storetest.Dump(t, db)
		if err := db.Replay(ctx, nil); err != nil {
			t.Fatal(err)
		}
		if storetest.Dump(t, db) != before {
			t.Error("replay gives another dump")
		}
	}
}

// checkJobs works off what is left: every acknowledged observation must get its detection, once.
func checkJobs(t *testing.T, db *sqlite.DB, acked map[string]atalaya.BlobID) {
	t.Helper()
	left, _ := db.Pending(ctx)
	if err := db.Drain(ctx, outcomes(db), sqlite.WorkOptions{}); err != nil {
		t.Error(err)
	}
	t.Logf("%d jobs were left by the last kill", left)
	for id := range acked {
		h, err := db.Events(ctx, access.Whole(), "det_"+id)
		if err != nil || len(h) != 1 {
			t.Errorf("%d detections of %s, %v", len(h), id, err)
		}
	}
}
