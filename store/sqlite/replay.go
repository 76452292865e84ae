package sqlite

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/store"
)

const (
	foldFor  = 100 * time.Millisecond // of one transaction of a replay
	dropRows = 20                     // entities dropped by one statement
)

// Replay folds the whole log into a new generation of entities, in short transactions, and lets it take the place of the old
// one in the last. Readers see the old one until then; a crash leaves the old one.
func (db *DB) Replay(ctx context.Context, progress func(done, total int64)) error {
	release, err := db.lockWait(ctx, foldLock)
	if err != nil {
		return err
	}
	defer release()
	return db.plain("replay", db.refold(ctx, progress))
}

func (db *DB) refold(ctx context.Context, progress func(done, total int64)) error {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	if err := db.dropOld(ctx); err != nil {
		return err
	}
	var done, total int64
	for finished := false; !finished; {
		err := db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			f := db.folder(ctx, tx)
			if err := f.row(db.st.gen).Scan(&f.gen); err != nil {
				return err
			}
			f.gen++
			if err := f.row(db.st.head).Scan(&total); err != nil {
				return err
			}
			var err error
			if done, err = f.foldFrom(done, time.Now().Add(foldFor)); err != nil {
				return err
			}
			if finished = done == total; finished {
				_, err = tx.ExecContext(ctx, "UPDATE projection SET gen = ?", f.gen)
			}
			return err
		})
		if err != nil {
			return err
		}
		progress(done, total)
	}
	return db.dropOld(ctx)
}

// foldFrom folds the events after done until the log or the time ends, at least one.
func (f *folder) foldFrom(done int64, until time.Time) (int64, error) {
	err := each(f.ctx, f.tx, "SELECT "+eventColumns+fromEvent+"WHERE e.seq > ? ORDER BY e.seq", []any{done}, func(s scanner) error {
		e, err := scanEvent(s, f.personKey)
		if err != nil {
			return err
		}
		if err := f.fold(e.Event); err != nil {
			return err
		}
		if done = e.Seq; time.Now().After(until) {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return done, err
}

var errEnough = errors.New("enough for one transaction")

// dropOld deletes the generations that do not count, in transactions as short as those of a replay.
func (db *DB) dropOld(ctx context.Context) error {
	for more := true; more; {
		err := db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			for until := time.Now().Add(foldFor); more && time.Now().Before(until); {
				const some = "SELECT n FROM entity WHERE gen <> (SELECT gen FROM projection) LIMIT ?"
				if _, err := tx.ExecContext(ctx, "DELETE FROM entity_cell WHERE n IN ("+some+")", dropRows); err != nil {
					return err
				}
				res, err := tx.ExecContext(ctx, "DELETE FROM entity WHERE n IN ("+some+")", dropRows)
				if err != nil {
					return err
				}
				n, err := res.RowsAffected()
				if err != nil {
					return err
				}
				more = n > 0
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Dump writes every entity as a line of JSON, by kind and id, with its cells.
func (db *DB) Dump(ctx context.Context, w interface{ Write([]byte) (int, error) }) error {
	out := bufio.NewWriter(io.Writer(w))
	for e, err := range entities(ctx, db.r) {
		if err != nil {
			return db.plain("dump", err)
		}
		line, err := dumped(e)
		if err != nil {
			return db.plain("dump", err)
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return db.plain("dump", err)
		}
	}
	return out.Flush()
}

// dumped is the line of an entity in a dump.
func dumped(e store.Entity) ([]byte, error) {
	return json.Marshal(struct {
		store.Entity
		Cells []uint64 `json:"cells"`
	}{e, e.Cells})
}

// entities reads those that count, by kind and id, with their cells. One that cannot be read comes with what could be.
func entities(ctx context.Context, q lister) iter.Seq2[store.Entity, error] {
	return func(yield func(store.Entity, error) bool) {
		stop := errors.New("stop")
		err := each(ctx, q, "SELECT "+entityWithCells+fromEntity+"WHERE e.gen = (SELECT gen FROM projection) ORDER BY e.kind, e.id", nil, func(s scanner) error {
			e, err := scanWithCells(s)
			if !yield(e, err) || err != nil {
				return stop
			}
			return nil
		})
		if err != nil && err != stop {
			yield(store.Entity{}, err)
		}
	}
}

// Purge destroys a person's key, and with it the bodies, salts and cells under it; folds the log anew, so that what rested on
// them falls; and rewrites the file, so that no old page keeps them. If it is cut short, the next opening ends it.
//
// Blobs are not events: whoever purges also removes the raw files (blob.Dir.Remove). Backups made earlier are not reached.
func (db *DB) Purge(ctx context.Context, by atalaya.AccountID, at time.Time, person, why string) error {
	if person == "" {
		return &atalaya.Error{Op: "record.purge", Kind: atalaya.BadUse, Err: fmt.Errorf("no person named"), Hint: "Name the subject whose data is to go"}
	}
	release, err := db.lockWait(ctx, foldLock)
	if err != nil {
		return err
	}
	defer release()
	body, err := json.Marshal(struct {
		PersonKey string `json:"person_key"`
		Why       string `json:"why"`
	}{person, why})
	if err != nil {
		return err
	}
	var seq int64
	err = db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var marking string
		var events int64
		err := tx.QueryRowContext(ctx, "SELECT count(*), coalesce(max(l.marking), '')"+fromEvent+"WHERE e.person = ? AND e.body IS NOT NULL", person).Scan(&events, &marking)
		if err != nil {
			return err
		}
		if events == 0 {
			return &atalaya.Error{Op: "record.purge", Kind: atalaya.NotFound, Err: fmt.Errorf("nothing is kept under %.80q", person), Hint: "Check the name"}
		}
		for _, q := range []string{
			"DELETE FROM person_key WHERE name = ?",
			"UPDATE event SET body = NULL, salt = NULL, cells = NULL WHERE person = ?",
		} {
			if _, err := tx.ExecContext(ctx, q, person); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "UPDATE projection SET stale = 1"); err != nil {
			return err
		}
		e, err := db.check(store.NewEvent{Time: at, Actor: by, Kind: store.PurgeMade, Subject: person, Marking: marking, Body: body})
		if err != nil {
			return err
		}
		a, err := db.appender(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := a.add(e); err != nil {
			return err
		}
		seq = a.seq
		return a.finish()
	})
	if err != nil {
		return db.plain("purge", err)
	}
	db.watch.wake(seq)
	return db.plain("purge", db.endPurge(ctx))
}

// finishPurge ends a purge that was cut short.
func (db *DB) finishPurge(ctx context.Context) error {
	var stale int
	if err := db.r.QueryRowContext(ctx, "SELECT stale FROM projection").Scan(&stale); err != nil || stale == 0 {
		return db.plain("open", err)
	}
	release, err := db.lockWait(ctx, foldLock)
	if err != nil {
		return err
	}
	defer release()
	return db.plain("purge", db.endPurge(ctx))
}

func (db *DB) endPurge(ctx context.Context) error {
	if err := db.refold(ctx, nil); err != nil {
		return err
	}
	if _, err := db.w.ExecContext(ctx, "VACUUM"); err != nil {
		return err
	}
	if err := db.emptyLog(ctx); err != nil {
		return err
	}
	return db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE projection SET stale = 0")
		return err
	})
}

// emptyLog moves all of the write-ahead log into the database and cuts the file to nothing, waiting for readers.
func (db *DB) emptyLog(ctx context.Context) error {
	for range 200 {
		var busy, log, moved int
		if err := db.w.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &moved); err != nil {
			return err
		}
		if busy == 0 {
			return nil
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("the body and its key are gone, but a reader keeps old pages in %s-wal; close it, and open the record again", database)
}
