package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/atalaya-isr/atalaya/audit"
	"github.com/atalaya-isr/atalaya/store"
)

// AuditKey is the verifier key of this record, in the form of sumdb/note: what a partner needs to check checkpoints and
// proofs.
func (db *DB) AuditKey() string { return db.vkey }

// Checkpoint is the newest signed checkpoint and its size; nil for an empty log.
func (db *DB) Checkpoint(ctx context.Context) (note []byte, size int64, err error) {
	err = db.r.QueryRowContext(ctx, "SELECT note, size FROM checkpoint ORDER BY size DESC LIMIT 1").Scan(&note, &size)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, 0, nil
	}
	return note, size, db.plain("audit", err)
}

// VerifyAudit checks the whole log against its commitments, its tree and its signed checkpoints, and against others that were
// kept elsewhere. It sees one moment of the record, whatever is appended meanwhile. What does not verify is in the report; a
// database with a damaged page, of the log or of anything else, is an error that is ErrDamaged.
func (db *DB) VerifyAudit(ctx context.Context, kept ...[]byte) (audit.Report, error) {
	tx, err := db.r.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return audit.Report{}, db.plain("audit", err)
	}
	defer tx.Rollback()
	if err := db.damage(ctx, tx); err != nil {
		return audit.Report{}, db.plain("audit", err)
	}
	var points []audit.Checkpoint
	err = each(ctx, tx, "SELECT size, note FROM checkpoint ORDER BY size", nil, func(s scanner) error {
		var size int64
		var note []byte
		if err := s.Scan(&size, &note); err != nil {
			return err
		}
		c, err := audit.OpenCheckpoint(note, db.vkey)
		if err != nil || c.Size != size {
			return fmt.Errorf("the checkpoint at %d events was changed: %w", size, err)
		}
		points = append(points, c)
		return nil
	})
	if err != nil {
		return audit.Report{}, db.plain("audit", err)
	}
	for _, note := range kept {
		c, err := audit.OpenCheckpoint(note, db.vkey)
		if err != nil {
			return audit.Report{}, err
		}
		points = append(points, c)
	}
	if len(kept) > 0 {
		sortBySize(points)
	}
	rep, err := audit.Verify(leaves(ctx, tx), treeOf(ctx, tx), points)
	return rep, db.plain("audit", err)
}

// leaves reads the log in order. A gap at the end, where hashes outlive their events, shows as a missing event.
func leaves(ctx context.Context, tx *sql.Tx) iter.Seq2[audit.Leaf, error] {
	return func(yield func(audit.Leaf, error) bool) {
		keyOf := keyIn(ctx, tx)
		stop := errors.New("stop")
		err := each(ctx, tx, "SELECT "+eventColumns+fromEvent+"ORDER BY e.seq", nil, func(s scanner) error {
			e, err := scanEvent(s, keyOf)
			if err != nil && !errors.Is(err, errSealed) {
				return err
			}
			leaf := e.leaf()
			if leaf.Purged {
				var n int
				if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM event WHERE kind = ? AND subject = ? AND seq > ?", store.PurgeMade, e.person, e.Seq).Scan(&n); err != nil {
					return err
				}
				leaf.Purged = n > 0 // no purge was logged: the body was taken out
			}
			if !yield(leaf, nil) {
				return stop
			}
			return nil
		})
		if err != nil && err != stop {
			yield(audit.Leaf{}, err)
		}
	}
}

func treeOf(ctx context.Context, q querier) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, n := range indexes {
			var b []byte
			if err := q.QueryRowContext(ctx, "SELECT hash FROM audit_hash WHERE n = ?", n).Scan(&b); err != nil {
				return nil, fmt.Errorf("audit hash %d: %w", n, err)
			}
			copy(out[i][:], b)
		}
		return out, nil
	})
}

// ProveEvent makes a proof that a third party checks offline, with AuditKey alone, that an event is in the log.
func (db *DB) ProveEvent(ctx context.Context, seq int64) (audit.Proof, error) {
	note, size, err := db.Checkpoint(ctx)
	if err != nil {
		return audit.Proof{}, err
	}
	c := clause{}
	c.and("e.seq = ?", seq)
	list, err := db.events(ctx, c, "")
	if err != nil {
		return audit.Proof{}, db.plain("audit", err)
	}
	if len(list) == 0 || seq > size {
		return audit.Proof{}, fmt.Errorf("no event %d in the log", seq)
	}
	return audit.Prove(list[0].leaf(), note, size, treeOf(ctx, db.r))
}
