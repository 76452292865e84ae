package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3/driver"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/product"
	"github.com/atalaya-isr/atalaya/store"
	"github.com/atalaya-isr/atalaya/store/blob"
	"github.com/atalaya-isr/atalaya/store/sqlite"
)

// These tests start the program as a child, end it with SIGKILL at random moments, and look at what it left. store/sqlite
// kills the record alone; here the whole main job and a release are killed.

// ended is how a child ended; code is -1 where it was killed.
type ended struct {
	code      int
	out, talk string
	took      time.Duration
}

// child runs the program to its end, or kills it after that life; 0 lets it live.
func child(t *testing.T, life time.Duration, args ...string) ended {
	t.Helper()
	cmd := exec.Command("atalaya", args...) // this test binary: see TestMain
	if !soak() {
		cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(cmd.Path)) // the translator takes as long as all the rest
	}
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if life > 0 {
		defer time.AfterFunc(life, func() { cmd.Process.Kill() }).Stop()
	}
	cmd.Wait() // how it ended is in its state
	return ended{cmd.ProcessState.ExitCode(), out.String(), talk.String(), time.Since(start)}
}

// must runs a child that has to do its work, and gives what it printed.
func must(t *testing.T, args ...string) string {
	t.Helper()
	e := child(t, 0, args...)
	if e.code != 0 {
		t.Fatalf("atalaya %s: exit %d: %s", strings.Join(args, " "), e.code, e.talk)
	}
	return e.out
}

func soak() bool { return os.Getenv("ATALAYA_SOAK") != "" }

// kills is at how many points a test kills.
func kills() int {
	if soak() {
		return 200
	}
	return 20
}

// chance differs from run to run: where a kill lands depends on the machine anyhow. The seed of a failure is printed.
func chance(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// within is a random moment of a span.
func within(r *rand.Rand, span time.Duration) time.Duration {
	return time.Microsecond + time.Duration(r.Float64()*float64(span))
}

// tinyMission simulates a mission that is run in a second or two, without those of its files.
func tinyMission(t *testing.T, without ...string) string {
	t.Helper()
	dir := t.TempDir()
	must(t, "simulate", dir, "--scenario", filepath.Join("testdata", "kill.yaml"))
	for _, f := range without {
		if err := os.RemoveAll(filepath.Join(dir, "mission", f)); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "mission")
}

func runOf(data, mission string) []string {
	return []string{"run", mission, "--json", "--quiet", "--data", data}
}

// state is what a record holds.
type state struct {
	log        []string // an event a line
	kinds      map[string]int
	projection string // without versions: they count the events that led to it
	checkpoint []byte
}

// stateOf reads a copy of a record, so that the record stays as its process left it, and checks what must be true of it at any
// moment: the audit log is whole, a replay gives the same projection, every blob is what its name says.
func stateOf(t *testing.T, dir string) state {
	t.Helper()
	s := state{kinds: map[string]int{}}
	if _, err := os.Stat(dir); os.IsNotExist(err) {
		return s // killed before its first deed
	}
	seen := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(seen, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(seen)
	db, err := sqlite.OpenDir(t.Context(), seen, sqlite.Options{})
	if err != nil {
		t.Fatalf("the record does not open: %v", err)
	}
	defer db.Close()
	events, err := db.Events(t.Context(), access.Whole(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		s.log = append(s.log, string(line))
		s.kinds[e.Kind]++
	}
	if rep, err := db.VerifyAudit(t.Context()); err != nil || !rep.Whole() || rep.Leaves != int64(len(events)) {
		t.Errorf("the audit of %d events: %+v, %v", len(events), rep, err)
	}
	if s.checkpoint, _, err = db.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := dump(t, db)
	if err := db.Replay(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if after := dump(t, db); after != before {
		t.Errorf("replay gives another projection:\n%s\n%s", before, after)
	}
	s.projection = versions.ReplaceAllString(before, "")
	wholeBlobs(t, db.Blobs(), events)
	return s
}

var versions = regexp.MustCompile(`"version":\d+,`)

func dump(t *testing.T, db *sqlite.DB) string {
	t.Helper()
	var b strings.Builder
	if err := db.Dump(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// wholeBlobs checks that every blob holds the bytes that its name says, and that the blobs that events name are there.
func wholeBlobs(t *testing.T, blobs *blob.Dir, events []store.Event) {
	t.Helper()
	err := blobs.Files(func(f blob.File) error {
		r, err := blobs.Raw(f.Name)
		if err != nil {
			return err
		}
		defer r.Close()
		sum := sha256.New()
		if _, err := io.Copy(sum, r); err != nil {
			return err
		}
		if got := hex.EncodeToString(sum.Sum(nil)); got != strings.ReplaceAll(f.Name, "/", "") {
			t.Errorf("blob %s holds bytes of hash %s", f.Name, got)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for _, e := range events {
		var named struct {
			File    atalaya.BlobID `json:"sha256"`
			Package atalaya.BlobID `json:"package"`
		}
		if json.Unmarshal(e.Body, &named) != nil {
			continue
		}
		for _, id := range []atalaya.BlobID{named.File, named.Package} {
			if id != "" && !blobs.Has(id) {
				t.Errorf("event %d (%s) names a blob that is not there: %s", e.Seq, e.Kind, id)
			}
		}
	}
}

// holds checks that a record has lost nothing of what it held before.
func (s state) holds(t *testing.T, before state) {
	t.Helper()
	if n := len(before.log); n > len(s.log) || !slices.Equal(s.log[:n], before.log) {
		t.Errorf("of %d events in the log:\n%s\nare left %d:\n%s", n, strings.Join(before.log, "\n"), len(s.log), strings.Join(s.log, "\n"))
	}
}

// proved lets the program itself prove that its log is whole, goes on from a checkpoint that was kept, and is what readers are shown.
func proved(t *testing.T, data string, checkpoint []byte) {
	t.Helper()
	args := []string{"audit", "verify", "--replay", "--quiet", "--data", data}
	if checkpoint != nil {
		kept := filepath.Join(t.TempDir(), "kept.txt")
		if err := os.WriteFile(kept, checkpoint, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--checkpoint", kept)
	}
	if out := must(t, args...); !strings.HasPrefix(out, "whole: ") {
		t.Errorf("audit verify says %q", out)
	}
}

// undisturbed is a run that nobody killed.
type undisturbed struct {
	mission string
	ended
	state
}

func undisturbedRun(t *testing.T, mission string) undisturbed {
	t.Helper()
	data := filepath.Join(t.TempDir(), "calm")
	e := child(t, 0, runOf(data, mission)...)
	if e.code != 0 {
		t.Fatalf("the undisturbed run: exit %d: %s", e.code, e.talk)
	}
	return undisturbed{mission, e, stateOf(t, data)}
}

// Each record is killed twice, the second time while it takes up again, and then left to end. Most of a run's time goes to the
// gas survey, and nothing is written meanwhile: four records in five have none, so that kills fall where the record is written.
func TestARunThatIsKilledLosesNothingAndTakesUpAgain(t *testing.T) {
	r, without, whole := chance(t), undisturbedRun(t, tinyMission(t, "gas")), undisturbedRun(t, tinyMission(t))
	killed := 0
	for records := 0; killed < kills(); records++ {
		if records == 3*kills() {
			t.Fatalf("of %d records only %d were killed before the end of a run of %v or %v", records, killed, without.took, whole.took)
		}
		calm := without
		if records%5 == 0 {
			calm = whole
		}
		killed += killedTwice(t, r, calm)
		if t.Failed() {
			t.Fatalf("after kill %d", killed)
		}
	}
}

// apart are the lines that one of two texts has and the other lacks, of the first behind a plus.
func apart(a, b string) string {
	var out []string
	only := func(sign string, these, those []string) {
		for _, line := range these {
			if !slices.Contains(those, line) {
				out = append(out, sign+" "+line)
			}
		}
	}
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	only("+", x, y)
	only("-", y, x)
	return strings.Join(out, "\n")
}

// killedTwice kills the run of a fresh record up to twice, lets it end, and compares it with the undisturbed one.
func killedTwice(t *testing.T, r *rand.Rand, calm undisturbed) (killed int) {
	data, left, span := filepath.Join(t.TempDir(), "record"), state{}, calm.took
	for range 2 {
		e := child(t, within(r, span), runOf(data, calm.mission)...)
		if e.code != -1 {
			break // it was faster, and is looked at below
		}
		killed++
		span = max(0, span-e.took)
		now := stateOf(t, data)
		now.holds(t, left)
		left = now
		t.Logf("killed after %v of %v: %d events, %v", e.took, calm.took, len(left.log), left.kinds)
	}
	if out := must(t, runOf(data, calm.mission)...); out != calm.out {
		t.Errorf("the run that took up again prints\n%s\nthe undisturbed one\n%s", out, calm.out)
	}
	end := stateOf(t, data)
	end.holds(t, left)
	if end.projection != calm.projection {
		t.Errorf("the record that took up again differs from the undisturbed one:\n%s", apart(end.projection, calm.projection))
	}
	proved(t, data, left.checkpoint)
	must(t, "replay", "--quiet", "--data", data)
	if again := stateOf(t, data); again.projection != end.projection {
		t.Errorf("after the command replay the record holds\n%s\nbefore\n%s", again.projection, end.projection)
	}
	return killed
}

// A job may fail four times. Ends of its process are no failures of it: a run that is killed five times in one job takes up again.
func TestKilledFiveTimesInOneJobTheRunStillTakesUpAgain(t *testing.T) {
	calm := undisturbedRun(t, tinyMission(t, "signals", "video", "reports"))
	data := filepath.Join(t.TempDir(), "record")
	last := ""
	for n := range 5 {
		if last = killedInAJob(t, calm.mission, data, "detect-observation", last); last == "" {
			t.Fatalf("the run ended before it was killed for the %d. time", n+1)
		}
	}
	if out := must(t, runOf(data, calm.mission)...); out != calm.out {
		t.Errorf("the run that took up again prints\n%s\nthe undisturbed one\n%s", out, calm.out)
	}
	if end := stateOf(t, data); end.projection != calm.projection {
		t.Errorf("the record that took up again differs from the undisturbed one:\n%s", apart(end.projection, calm.projection))
	}
}

// killedInAJob starts a run and kills it as soon as it does a job of that kind. It gives when the job was begun, which must
// differ from the last time; "" where the run ended first.
func killedInAJob(t *testing.T, mission, data, kind, last string) string {
	t.Helper()
	cmd := exec.Command("atalaya", runOf(data, mission)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case <-ended:
			return ""
		case <-time.After(2 * time.Millisecond):
		}
		if began := jobBegan(data, kind); began != "" && began != last {
			cmd.Process.Kill()
			<-ended
			return began
		}
	}
}

// jobBegan is when the running job of that kind was begun; "" where none runs, or the record is not there yet.
func jobBegan(data, kind string) (began string) {
	path := filepath.Join(data, "record.db")
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	d, err := driver.Open("file:" + filepath.ToSlash(path) + "?mode=ro")
	if err != nil {
		return ""
	}
	defer d.Close()
	if d.QueryRow("SELECT attempted_at FROM river_job WHERE state = 'running' AND kind = ?", kind).Scan(&began) != nil {
		return ""
	}
	return began
}

// handover is a record in which two people have approved a site, and the release of it.
type handover struct{ record, site, token string }

func approved(t *testing.T) handover {
	t.Helper()
	h := handover{record: filepath.Join(t.TempDir(), "record")}
	var doc app.SitesDocument
	if err := json.Unmarshal([]byte(must(t, runOf(h.record, tinyMission(t, "gas"))...)), &doc); err != nil || len(doc.Sites) == 0 {
		t.Fatalf("%d sites, %v", len(doc.Sites), err)
	}
	h.site = string(doc.Sites[0].ID)
	at := func(args ...string) string { return strings.TrimSpace(must(t, append(args, "--data", h.record)...)) }
	h.token = at("account", "add", "Ana SYNTHETIC")
	second := at("account", "add", "Luis SYNTHETIC", "--role", "reviewer", "--token", h.token)
	at("review", "open", h.site, "--legal-basis", "Agreement 7 (SYNTHETIC)", "--review-by", time.Now().AddDate(1, 0, 0).Format(time.DateOnly), "--token", h.token)
	for _, token := range []string{h.token, second} {
		at("review", "approve", h.site, "--token", token)
	}
	return h
}

// copied is the same in a folder of its own, and where it will release to.
func (h handover) copied(t *testing.T) (_ handover, out string) {
	t.Helper()
	dir := t.TempDir()
	to := filepath.Join(dir, "record")
	if err := os.CopyFS(to, os.DirFS(h.record)); err != nil {
		t.Fatal(err)
	}
	h.record = to
	return h, filepath.Join(dir, "out")
}

func (h handover) release(out string) []string {
	return []string{"release", h.site, "--to", "MEX", "--out", out, "--data", h.record, "--token", h.token}
}

// handed lists what lies in the folder for a partner, and checks that every package in it is whole. left counts hidden folders.
func handed(t *testing.T, out string) (packages []string, left int) {
	t.Helper()
	entries, err := os.ReadDir(out)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			left++
			continue
		}
		packages = append(packages, filepath.Join(out, e.Name()))
		wholePackage(t, filepath.Join(out, e.Name()))
	}
	return packages, left
}

// wholePackage checks a package as its recipient would: each file against the manifest, and no file beside.
func wholePackage(t *testing.T, dir string) {
	t.Helper()
	var m struct {
		Files []struct {
			Name, SHA256 string
			Bytes        int
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, product.ManifestName))
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil || len(m.Files) != len(product.Encoders())+2 { // and the GeoPackage and Cursor on Target
		t.Errorf("manifest of %d files, %v", len(m.Files), err)
	}
	for _, f := range m.Files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name))
		if sum := sha256.Sum256(b); err != nil || len(b) != f.Bytes || hex.EncodeToString(sum[:]) != f.SHA256 {
			t.Errorf("%s: %d bytes where the manifest says %d, %v", f.Name, len(b), f.Bytes, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != len(m.Files)+1 {
		t.Errorf("%d files in a package of %d, %v", len(entries), len(m.Files)+1, err)
	}
}

func TestAReleaseThatIsKilledIsWholeOrNotThereAndEndsWhenRepeated(t *testing.T) {
	base, r := approved(t), chance(t)
	calm, calmOut := base.copied(t)
	first := child(t, 0, calm.release(calmOut)...)
	if first.code != 0 {
		t.Fatalf("the undisturbed release: exit %d: %s", first.code, first.talk)
	}
	start, whole := stateOf(t, base.record), first.took
	for killed, tried := 0, 0; killed < kills(); tried++ {
		if tried == 5*kills() {
			t.Fatalf("%d releases, and only %d kills came before the end of one of %v", tried, killed, whole)
		}
		h, out := base.copied(t)
		life := within(r, whole)
		if killed%2 == 1 { // most of its time it only opens the record: every other kill falls where it writes
			life = whole*2/3 + within(r, whole/3)
		}
		e := child(t, life, h.release(out)...)
		now := stateOf(t, h.record)
		now.holds(t, start)
		packages, left := handed(t, out)
		logged, exported := now.kinds[store.ReleaseMade], now.kinds[store.ReleaseExported]
		switch {
		case logged > 1 || len(packages) > logged || exported > len(packages):
			t.Errorf("%d packages, %d releases in the log, %d exports", len(packages), logged, exported)
		case e.code == 0 && (logged != 1 || len(packages) != 1 || exported != 1 || left != 0):
			t.Errorf("it said done, with %d packages, %d releases in the log, %d exports, %d left-overs", len(packages), logged, exported, left)
		case e.code > 0:
			t.Errorf("exit %d: %s", e.code, e.talk)
		}
		switch e.code {
		case 0: // the first one may have been slow
			whole = min(whole, e.took)
		case -1:
			killed++
			t.Logf("kill %d after %v of %v: %d releases in the log, %d packages, %d exports, %d left-overs", killed, e.took, whole, logged, len(packages), exported, left)
		}
		h.endsWhole(t, out, now)
		if t.Failed() {
			t.FailNow()
		}
	}
}

// endsWhole releases again, and checks that this ends the one release.
func (h handover) endsWhole(t *testing.T, out string, before state) {
	t.Helper()
	dir := strings.TrimSpace(must(t, h.release(out)...))
	packages, left := handed(t, out)
	if len(packages) != 1 || packages[0] != dir || left != 0 {
		t.Errorf("the release says %q; there are %q and %d left-overs", dir, packages, left)
	}
	end := stateOf(t, h.record)
	end.holds(t, before)
	if end.kinds[store.ReleaseMade] != 1 || end.kinds[store.ReleaseExported] != 1 {
		t.Errorf("the log has %d releases and %d exports", end.kinds[store.ReleaseMade], end.kinds[store.ReleaseExported])
	}
	proved(t, h.record, before.checkpoint)
}

// What random kills meet too rarely: the release is cut off between two files of the package.
func TestAReleaseThatWasCutOffWhileWritingLeavesNothingBehind(t *testing.T) {
	h := approved(t)
	out := filepath.Join(t.TempDir(), "out")
	dir := strings.TrimSpace(must(t, h.release(out)...))
	half := filepath.Join(out, ".partial-"+filepath.Base(dir)+"-123")
	if err := os.Rename(dir, half); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(half, product.ManifestName)); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(out, ".partial-site_other-123") // of another release, which may be running
	if err := os.Mkdir(other, 0o755); err != nil {
		t.Fatal(err)
	}
	must(t, h.release(out)...)
	if _, err := os.Stat(half); !os.IsNotExist(err) {
		t.Errorf("the half package is still there: %v", err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("what another release writes was taken away: %v", err)
	}
	wholePackage(t, dir)
}

// The other one: the package was in place, and its export not yet in the log.
func TestAnExportThatWasCutOffBeforeItWasLoggedIsLoggedWhenRepeated(t *testing.T) {
	h := approved(t)
	h.releaseOnly(t)
	before, out := h.copied(t)
	must(t, h.release(out)...)
	before.endsWhole(t, out, stateOf(t, before.record))
}

// releaseOnly logs the release and writes no package.
func (h handover) releaseOnly(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	db, err := sqlite.OpenDir(ctx, h.record, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	a := app.New(db, version)
	who, err := a.ByToken(ctx, h.token)
	if err != nil {
		t.Fatal(err)
	}
	view, err := a.View(ctx, who)
	if err != nil {
		t.Fatal(err)
	}
	c, _, _, err := a.CaseOf(ctx, view, atalaya.CandidateID(h.site))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Release(ctx, who, view, c.ID, "MEX", atalaya.LegalBasis{}); err != nil {
		t.Fatal(err)
	}
}
