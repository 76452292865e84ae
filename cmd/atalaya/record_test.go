package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3/driver"
	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/store"
	"github.com/atalaya-isr/atalaya/store/sqlite"
)

// record runs one of the record's commands on a folder.
func record(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	root := &cobra.Command{Use: "atalaya", SilenceErrors: true, SilenceUsage: true}
	root.PersistentFlags().String("data", "", "")
	root.AddCommand(recordCommands()...)
	var out, talk bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&talk)
	root.SetArgs(append(args, "--data", dir))
	err := root.ExecuteContext(t.Context())
	if talk.Len() > 0 {
		t.Errorf("%v talks: %s", args, talk.String())
	}
	return out.String(), err
}

func filledRecord(t *testing.T, dir string) {
	t.Helper()
	db, err := sqlite.OpenDir(context.Background(), dir, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Append(context.Background(), store.NewEvent{Kind: store.MissionMade, Subject: "m", Marking: "(U)"}); err != nil {
		t.Fatal(err)
	}
}

func TestARecordIsBackedUpRestoredProvedAndReplayed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "record")
	filledRecord(t, dir)
	out := t.TempDir()
	file, to, kept := filepath.Join(out, "b.tar"), filepath.Join(out, "to"), filepath.Join(out, "kept.txt")
	note, err := record(t, dir, "audit", "checkpoint")
	if err != nil || !strings.Contains(note, "\n1\n") {
		t.Fatalf("checkpoint %q, %v", note, err)
	}
	if err := os.WriteFile(kept, []byte(note), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := record(t, dir, "backup", file); err != nil || s != file+"\n" {
		t.Errorf("backup: %q, %v", s, err)
	}
	if s, err := record(t, to, "restore", file); err != nil || s != to+"\n" {
		t.Errorf("restore: %q, %v", s, err)
	}
	if s, err := record(t, to, "replay"); err != nil || s != "1 events folded\n" {
		t.Errorf("replay: %q, %v", s, err)
	}
	s, err := record(t, to, "audit", "verify", "--json", "--checkpoint", kept)
	var rep map[string]any
	if err != nil || json.Unmarshal([]byte(s), &rep) != nil || rep["schema"] != "atalaya.audit/1" || rep["whole"] != true || rep["events"] != 1.0 || rep["checkpoints"] != 2.0 {
		t.Errorf("verify: %s, %v", s, err)
	}
	if _, err := record(t, to, "restore", file); atalaya.KindOf(err) != atalaya.BadUse {
		t.Errorf("restore into a full folder: %v", err)
	}
	if _, err := record(t, filepath.Join(out, "nothing"), "replay"); atalaya.KindOf(err) != atalaya.NotFound {
		t.Errorf("replay of no record: %v", err)
	}
	if _, err := os.Stat(filepath.Join(out, "nothing")); err == nil {
		t.Error("a command that only reads made a record")
	}
}

// What readers are shown is changed behind the log: the proof of the log does not see it, the replay does.
func TestAuditVerifyComparesTheProjectionWithAReplay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "record")
	filledRecord(t, dir)
	if s, err := record(t, dir, "audit", "verify", "--replay"); err != nil || !strings.Contains(s, "holds what the log says: 1 entities") {
		t.Errorf("a whole record: %q, %v", s, err)
	}
	d, err := driver.Open("file:" + filepath.Join(dir, "record.db"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Exec(`UPDATE entity SET standing = 'retracted'`)
	if err = errors.Join(err, d.Close()); err != nil {
		t.Fatal(err)
	}
	if s, err := record(t, dir, "audit", "verify", "--json"); err != nil || strings.Contains(s, "projection") {
		t.Errorf("the log alone: %s, %v", s, err)
	}
	s, err := record(t, dir, "audit", "verify", "--replay", "--json")
	var rep auditDocument
	if json.Unmarshal([]byte(s), &rep) != nil || !rep.Whole || rep.Projection == nil || rep.Projection.Whole || rep.Projection.Kind != "mission" || rep.Projection.ID != "m" {
		t.Errorf("--json: %s", s)
	}
	if err == nil || atalaya.KindOf(err) != atalaya.Failed || !strings.HasPrefix(err.Error(), "mission m: differs from what the log makes of it, in standing") {
		t.Errorf("%v", err)
	}
	if s, err := record(t, dir, "replay"); err != nil {
		t.Fatal(s, err)
	}
	if _, err := record(t, dir, "audit", "verify", "--replay"); err != nil {
		t.Errorf("after a replay: %v", err)
	}
}
