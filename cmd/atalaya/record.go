package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/store/sqlite"
)

// recordCommands are those that care for the record itself: its proof, its rebuilding, its copies.
func recordCommands() []*cobra.Command {
	audit := &cobra.Command{Use: "audit", Short: "Prove that the log is whole"}
	audit.AddCommand(auditVerifyCommand(), auditCheckpointCommand())
	return []*cobra.Command{audit, replayCommand(), backupCommand(), restoreCommand()}
}

func auditVerifyCommand() *cobra.Command {
	var asJSON, again, quiet bool
	var kept []string
	c := &cobra.Command{
		Use:   "verify",
		Short: "Check every event against its commitment, the tree and the signed checkpoints, or name the first bad one",
		Long: "Check every page of the database, and every event against its commitment, the tree and the signed checkpoints, or name the first bad one: exit 1. " +
			"What readers are shown is folded from the log. With --replay the whole log is folded again, in a file beside the record that is deleted afterwards, and every entity is compared with the one in the record; " +
			"the first that differs is named. That takes four to six times as long as the proof of the log, and changes nothing.",
		Example: `  atalaya audit verify
  atalaya audit verify --replay
  atalaya audit verify --checkpoint kept.txt --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			var notes [][]byte
			for _, path := range kept {
				b, err := os.ReadFile(path)
				if err != nil {
					return &atalaya.Error{Op: "audit.verify", File: path, Kind: atalaya.BadUse, Err: errors.Unwrap(err), Hint: "Name a file that audit checkpoint wrote"}
				}
				notes = append(notes, b)
			}
			var out auditDocument
			err := onRecord(cmd, quiet, func(db *sqlite.DB, shown *progress) (err error) {
				out, err = audited(cmd.Context(), db, notes, again, shown)
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), out)
			} else {
				err = out.print(cmd.OutOrStdout())
			}
			if err != nil {
				return err
			}
			return out.fault()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON document, atalaya.audit/1")
	c.Flags().BoolVar(&again, "replay", false, "also fold the whole log again and compare every entity with it")
	c.Flags().BoolVar(&quiet, "quiet", false, "no progress")
	c.Flags().StringArrayVar(&kept, "checkpoint", nil, "a checkpoint kept elsewhere; may be repeated")
	return c
}

// audited proves the log of a record and, again, that what is folded from it is what it says.
func audited(ctx context.Context, db *sqlite.DB, kept [][]byte, again bool, shown *progress) (auditDocument, error) {
	rep, err := db.VerifyAudit(ctx, kept...)
	if err != nil {
		return auditDocument{}, err
	}
	out := auditDocument{Schema: "atalaya.audit/1", Whole: rep.Whole(), Events: rep.Leaves, Purged: rep.Purged, Checkpoints: rep.Checkpoints,
		Root: base64.StdEncoding.EncodeToString(rep.Root[:]), Key: db.AuditKey(), Bad: rep.Bad, Why: rep.Why}
	if !again || !out.Whole { // what a changed log makes shows nothing
		return out, nil
	}
	p, err := db.VerifyProjection(ctx, shown.steps("replay", "events"))
	out.Projection = &projectionDocument{p.Whole(), p.Entities, p.Kind, p.ID, p.Why}
	return out, err
}

// onRecord opens the record that is there for one work on it, and shows how far that is.
func onRecord(cmd *cobra.Command, quiet bool, work func(*sqlite.DB, *progress) error) error {
	db, err := existingRecord(cmd)
	if err != nil {
		return err
	}
	defer db.Close()
	shown := newProgress(cmd.ErrOrStderr(), quiet)
	defer shown.end()
	return work(db, shown)
}

// auditDocument is what audit verify says.
type auditDocument struct {
	Schema      string              `json:"schema"`
	Whole       bool                `json:"whole"`
	Events      int64               `json:"events"`
	Purged      int64               `json:"purged"`
	Checkpoints int                 `json:"checkpoints"`
	Root        string              `json:"root"`
	Key         string              `json:"key"`
	Bad         int64               `json:"bad,omitempty"`
	Why         string              `json:"why,omitempty"`
	Projection  *projectionDocument `json:"projection,omitempty"` // with --replay
}

// projectionDocument says whether what is folded from the log is what the log says; else which is the first that is not.
type projectionDocument struct {
	Whole    bool   `json:"whole"`
	Entities int64  `json:"entities"` // compared
	Kind     string `json:"kind,omitempty"`
	ID       string `json:"id,omitempty"`
	Why      string `json:"why,omitempty"`
}

// print is for eyes; what is wrong stands in fault.
func (d auditDocument) print(w io.Writer) error {
	if !d.Whole {
		return nil
	}
	_, err := fmt.Fprintf(w, "whole: %d events (%d purged), %d signed checkpoints\nroot %s\nkey  %s\n", d.Events, d.Purged, d.Checkpoints, d.Root, d.Key)
	if p := d.Projection; err == nil && p != nil && p.Whole {
		_, err = fmt.Fprintf(w, "the projection holds what the log says: %d entities compared with a replay\n", p.Entities)
	}
	return err
}

// fault is the first thing that does not verify.
func (d auditDocument) fault() error {
	if !d.Whole {
		return &atalaya.Error{Op: "audit.verify", Place: fmt.Sprintf("event %d", d.Bad), Err: errors.New(d.Why), Hint: "Keep this folder as it is for inquiry, and restore a backup elsewhere"}
	}
	if p := d.Projection; p != nil && !p.Whole {
		return &atalaya.Error{Op: "audit.verify", Place: p.Kind + " " + p.ID, Err: errors.New(p.Why), Hint: "The log is whole: keep a copy of this folder for inquiry, then `atalaya replay` folds the log anew"}
	}
	return nil
}

func auditCheckpointCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "checkpoint",
		Short: "Print the newest signed checkpoint, to be kept elsewhere: it shows a later truncation",
		Example: `  atalaya audit checkpoint > kept.txt
  atalaya audit verify --checkpoint kept.txt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return onRecord(cmd, true, func(db *sqlite.DB, _ *progress) error {
				note, _, err := db.Checkpoint(cmd.Context())
				if err == nil && note == nil {
					err = &atalaya.Error{Op: "audit.checkpoint", Kind: atalaya.NotFound, Err: errors.New("the log is empty"), Hint: "Run a mission first"}
				}
				if err == nil {
					_, err = cmd.OutOrStdout().Write(note)
				}
				return err
			})
		},
	}
}

func replayCommand() *cobra.Command {
	var quiet bool
	c := &cobra.Command{
		Use:   "replay",
		Short: "Rebuild everything that is derived from the log",
		Example: `  atalaya replay
  atalaya replay --data /srv/atalaya --quiet`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return onRecord(cmd, quiet, func(db *sqlite.DB, shown *progress) error {
				if err := db.Replay(cmd.Context(), shown.steps("replay", "events")); err != nil {
					return err
				}
				n, err := db.Head(cmd.Context())
				if err == nil {
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d events folded\n", n)
				}
				return err
			})
		},
	}
	c.Flags().BoolVar(&quiet, "quiet", false, "no progress")
	return c
}

func backupCommand() *cobra.Command {
	var quiet bool
	c := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the whole record into one file while it is in use",
		Example: `  atalaya backup monday.tar
  atalaya backup --data /srv/atalaya /media/disk/monday.tar`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return onRecord(cmd, quiet, func(db *sqlite.DB, shown *progress) error {
				err := db.Backup(cmd.Context(), args[0], shown.steps("backup", "bytes"))
				if err == nil {
					_, err = fmt.Fprintln(cmd.OutOrStdout(), args[0])
				}
				return err
			})
		},
	}
	c.Flags().BoolVar(&quiet, "quiet", false, "no progress")
	return c
}

func restoreCommand() *cobra.Command {
	var quiet bool
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "Unpack a backup into an empty data folder",
		Example: `  atalaya restore monday.tar --data restored
  ATALAYA_KEY_FILE=key.txt atalaya restore monday.tar --data restored`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := recordDir(cmd)
			if err != nil {
				return err
			}
			opts, err := recordOptions(cmd)
			if err != nil {
				return err
			}
			shown := newProgress(cmd.ErrOrStderr(), quiet)
			defer shown.end()
			if err := sqlite.Restore(cmd.Context(), args[0], dir, opts.Key, shown.steps("restore", "bytes")); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), dir)
			return err
		},
	}
	c.Flags().BoolVar(&quiet, "quiet", false, "no progress")
	return c
}
