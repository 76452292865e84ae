package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

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
	var asJSON bool
	var kept []string
	c := &cobra.Command{
		Use:   "verify",
		Short: "Check every event against its commitment, the tree and the signed checkpoints, or name the first bad one",
		Example: `  atalaya audit verify
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
			db, err := existingRecord(cmd)
			if err != nil {
				return err
			}
			defer db.Close()
			rep, err := db.VerifyAudit(cmd.Context(), notes...)
			if err != nil {
				return err
			}
			out := struct {
				Schema      string `json:"schema"`
				Whole       bool   `json:"whole"`
				Events      int64  `json:"events"`
				Purged      int64  `json:"purged"`
				Checkpoints int    `json:"checkpoints"`
				Root        string `json:"root"`
				Key         string `json:"key"`
				Bad         int64  `json:"bad,omitempty"`
				Why         string `json:"why,omitempty"`
			}{"atalaya.audit/1", rep.Whole(), rep.Leaves, rep.Purged, rep.Checkpoints, base64.StdEncoding.EncodeToString(rep.Root[:]), db.AuditKey(), rep.Bad, rep.Why}
			if asJSON {
				if err := printJSON(cmd.OutOrStdout(), out); err != nil {
					return err
				}
			} else if rep.Whole() {
				fmt.Fprintf(cmd.OutOrStdout(), "whole: %d events (%d purged), %d signed checkpoints\nroot %s\nkey  %s\n", out.Events, out.Purged, out.Checkpoints, out.Root, out.Key)
			}
			if !rep.Whole() {
				return &atalaya.Error{Op: "audit.verify", Place: fmt.Sprintf("event %d", rep.Bad), Err: errors.New(rep.Why), Hint: "Keep this folder as it is for inquiry, and restore a backup elsewhere"}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON document")
	c.Flags().StringArrayVar(&kept, "checkpoint", nil, "a checkpoint kept elsewhere; may be repeated")
	return c
}

func auditCheckpointCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "checkpoint",
		Short: "Print the newest signed checkpoint, to be kept elsewhere: it shows a later truncation",
		Example: `  atalaya audit checkpoint > kept.txt
  atalaya audit verify --checkpoint kept.txt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			db, err := existingRecord(cmd)
			if err != nil {
				return err
			}
			defer db.Close()
			note, _, err := db.Checkpoint(cmd.Context())
			if err != nil {
				return err
			}
			if note == nil {
				return &atalaya.Error{Op: "audit.checkpoint", Kind: atalaya.NotFound, Err: errors.New("the log is empty"), Hint: "Run a mission first"}
			}
			_, err = cmd.OutOrStdout().Write(note)
			return err
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
			db, err := existingRecord(cmd)
			if err != nil {
				return err
			}
			defer db.Close()
			if err := db.Replay(cmd.Context(), recordProgress(cmd, quiet, "events")); err != nil {
				return err
			}
			n, err := db.Head(cmd.Context())
			if err == nil {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d events folded\n", n)
			}
			return err
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
			db, err := existingRecord(cmd)
			if err != nil {
				return err
			}
			defer db.Close()
			if err := db.Backup(cmd.Context(), args[0], recordProgress(cmd, quiet, "bytes")); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), args[0])
			return err
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
			if err := sqlite.Restore(cmd.Context(), args[0], dir, opts.Key, recordProgress(cmd, quiet, "bytes")); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), dir)
			return err
		},
	}
	c.Flags().BoolVar(&quiet, "quiet", false, "no progress")
	return c
}

// recordProgress tells how far a long work is: on a terminal in place ten times a second, elsewhere in a line every 10 s.
func recordProgress(cmd *cobra.Command, quiet bool, unit string) func(done, total int64) {
	if quiet {
		return nil
	}
	var to io.Writer = cmd.ErrOrStderr()
	form, every := "%s: %d of %d %s\n", 10*time.Second
	terminal := false
	if f, ok := to.(*os.File); ok {
		if st, err := f.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
			form, every, terminal = "\r%s: %d of %d %s ", 100*time.Millisecond, true
		}
	}
	last, ended := time.Now(), false
	return func(done, total int64) {
		if terminal && done == total && !ended {
			ended = true
			fmt.Fprintf(to, form+"\n", cmd.Name(), done, total, unit)
		} else if now := time.Now(); now.Sub(last) >= every {
			last = now
			fmt.Fprintf(to, form, cmd.Name(), done, total, unit)
		}
	}
}
