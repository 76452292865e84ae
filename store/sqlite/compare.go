package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/store"
)

// Projection is what came of comparing the entities of a record with what its log makes of them.
type Projection struct {
	Entities int64  // compared
	Kind, ID string // of the first that differs, in the order of a dump; "" when none does
	Why      string
}

// Whole reports whether every entity is what the log says.
func (p Projection) Whole() bool { return p.Why == "" }

// VerifyProjection folds the whole log again, beside the record, and compares the entities one by one with those that readers
// are given: a proof of the log alone does not see a row that somebody changed in what is folded from it. It sees one moment of
// the record and changes nothing of it. The second folding lies in a file that is deleted afterwards, under a key of its own
// where the record is encrypted, so that memory stays bounded.
func (db *DB) VerifyProjection(ctx context.Context, progress func(done, total int64)) (Projection, error) {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	p, err := db.verifyProjection(ctx, progress)
	return p, db.plain("audit", err)
}

func (db *DB) verifyProjection(ctx context.Context, progress func(done, total int64)) (Projection, error) {
	tx, err := db.r.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return Projection{}, err
	}
	defer tx.Rollback()
	var stale bool
	var total int64
	if err := tx.QueryRowContext(ctx, "SELECT stale, (SELECT coalesce(max(seq), 0) FROM event) FROM projection").Scan(&stale, &total); err != nil {
		return Projection{}, err
	}
	if stale {
		return Projection{}, &atalaya.Error{Op: "record.audit", Kind: atalaya.Conflict, Err: errors.New("a purge is under way"), Hint: "Ask again when it has ended"}
	}
	again, drop, err := db.scratch(ctx)
	if err != nil {
		return Projection{}, err
	}
	defer drop()
	if err := foldInto(ctx, again, tx, func(done int64) { progress(done, total) }); err != nil {
		return Projection{}, err
	}
	return compare(ctx, tx, again)
}

// scratch is an empty database with the tables of a record, for one transaction's use. It survives nothing: no journal, no sync.
func (db *DB) scratch(ctx context.Context) (d *sql.DB, drop func(), err error) {
	f, err := os.CreateTemp(db.dir, copyName) // one that is left behind goes with the copies of cut-off backups
	if err != nil {
		return nil, nil, err
	}
	path := f.Name()
	f.Close()
	var key []byte
	if db.opts.Key != nil {
		key = make([]byte, 32)
		rand.Read(key) // never fails: it ends the program when the system has no randomness
	}
	drop = func() {
		if d != nil {
			d.Close()
		}
		os.Remove(path)
	}
	defer func() {
		if err != nil {
			drop()
		}
	}()
	if d, err = openFile(path, key, false, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16000"); err != nil {
		return nil, nil, err
	}
	d.SetMaxOpenConns(1)
	tables, err := fs.ReadFile(migrations, "migrations/00001_record.sql")
	if err != nil {
		return nil, nil, err
	}
	// Its marks for the migration are comments. Nobody searches here by place, mission or version.
	_, err = d.ExecContext(ctx, string(tables)+"; DROP INDEX entity_id; DROP INDEX entity_mission; DROP INDEX entity_version")
	return d, drop, err
}

// foldInto folds all events of one database into another.
func foldInto(ctx context.Context, to *sql.DB, from *sql.Tx, progress func(done int64)) error {
	var st statements
	if err := st.prepare(ctx, to); err != nil {
		return err
	}
	defer st.close()
	tx, err := to.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	// Entities name their marking by its number, so the numbers come along.
	err = each(ctx, from, "SELECT id, marking FROM label ORDER BY id", nil, func(s scanner) error {
		var id int64
		var marking string
		if err := s.Scan(&id, &marking); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO label (id, marking) VALUES (?, ?)", id, marking)
		return err
	})
	if err != nil {
		return err
	}
	f := folder{ctx: ctx, tx: tx, st: &st, gen: 1}
	err = each(ctx, from, "SELECT "+eventColumns+fromEvent+"ORDER BY e.seq", nil, func(s scanner) error {
		e, err := scanEvent(s, keyIn(ctx, from))
		if err != nil {
			return err
		}
		if err := f.fold(e.Event); err != nil {
			return fmt.Errorf("event %d: %w", e.Seq, err)
		}
		progress(e.Seq)
		return nil
	})
	if err != nil {
		return err
	}
	return tx.Commit()
}

// compare walks both, in the order of a dump, to the first entity that is not the same.
func compare(ctx context.Context, had, made lister) (p Projection, err error) {
	nextHad, stopHad := iter.Pull2(entities(ctx, had))
	defer stopHad()
	nextMade, stopMade := iter.Pull2(entities(ctx, made))
	defer stopMade()
	for {
		a, err1, moreA := nextHad()
		b, err2, moreB := nextMade()
		if err1 != nil && a.ID != "" && ctx.Err() == nil {
			p.Kind, p.ID, p.Why = a.Kind, a.ID, "cannot be read: "+err1.Error()
			return p, nil
		}
		if err := errors.Join(err1, err2); err != nil {
			return p, err
		}
		switch order := orderOf(a, b, moreA, moreB); {
		case !moreA && !moreB:
			return p, nil
		case order < 0:
			p.Kind, p.ID, p.Why = a.Kind, a.ID, "is in the projection, and the log makes no such thing"
			return p, nil
		case order > 0:
			p.Kind, p.ID, p.Why = b.Kind, b.ID, "is made by the log, and is missing in the projection"
			return p, nil
		}
		if what, err := unlike(a, b); err != nil || what != "" {
			p.Kind, p.ID, p.Why = a.Kind, a.ID, "differs from what the log makes of it, in "+what
			return p, err
		}
		p.Entities++
	}
}

func orderOf(a, b store.Entity, moreA, moreB bool) int {
	switch {
	case !moreA:
		return 1
	case !moreB:
		return -1
	case a.Kind != b.Kind:
		return strings.Compare(a.Kind, b.Kind)
	}
	return strings.Compare(a.ID, b.ID)
}

// unlike names the fields in which two entities of one name differ, "" for none. What a dump says of them decides, so that no
// field can be forgotten.
func unlike(a, b store.Entity) (string, error) {
	y, err := dumped(b)
	if err != nil {
		return "", err
	}
	x, err := dumped(a)
	if err != nil { // its body is no JSON
		return "body", nil
	}
	if string(x) == string(y) {
		return "", nil
	}
	var p, q map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(x, &p), json.Unmarshal(y, &q)); err != nil {
		return "", err
	}
	var names []string
	for name := range p {
		if string(p[name]) != string(q[name]) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", "), nil
}
