package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/store"
)

// statements are prepared once on the writing connection.
type statements struct {
	gen, head, eventByKey, eventByID, version, insertEvent, insertHash, hash, insertCheckpoint, dropCheckpoint *sql.Stmt
	labelOf, insertLabel, personKey, entity, children, cellsOf, upsert, dropCells, insertCell                  *sql.Stmt
	all                                                                                                        []*sql.Stmt
}

// entityColumns and eventColumns are what scanEntity and scanEvent read, with e and l the tables.
const (
	entityColumns = `e.n, e.kind, e.id, e.mission, e.parent, l.marking, e.label, e.standing, e.t_from, e.t_to, e.version, e.body`
	// entityWithCells is what scanWithCells reads: the cells as one more column, in JSON.
	entityWithCells = entityColumns + `, coalesce((SELECT json_group_array(cell) FROM (SELECT cell FROM entity_cell WHERE n = e.n ORDER BY cell)), '[]')`
	fromEntity      = ` FROM entity e JOIN label l ON l.id = e.label `
	eventColumns    = `e.seq, e.id, e.time, e.actor, e.kind, e.subject, l.marking, e.label, e.key, e.person, e.body, e.salt, e.cells, e.commitment`
	fromEvent       = ` FROM event e JOIN label l ON l.id = e.label `
)

// prepare prepares them. In a join a parameter stands as "+?": SQLite built with STAT4 prepares such a statement anew for every
// value otherwise, which halved the rate of appends.
func (s *statements) prepare(ctx context.Context, w *sql.DB) error {
	for _, p := range []struct {
		st  **sql.Stmt
		sql string
	}{
		{&s.gen, `SELECT gen FROM projection`},
		{&s.head, `SELECT coalesce(max(seq), 0) FROM event`},
		{&s.eventByKey, `SELECT ` + eventColumns + fromEvent + `WHERE e.key = +? AND e.key <> ''`},
		{&s.eventByID, `SELECT count(*) FROM event WHERE id = ?`},
		{&s.version, `SELECT coalesce(max(version), 0) FROM entity WHERE gen = ? AND id = ?`},
		{&s.insertEvent, `INSERT INTO event (seq, id, time, actor, kind, subject, label, key, person, body, salt, cells, commitment) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)`},
		{&s.insertHash, `INSERT INTO audit_hash VALUES (?, ?)`},
		{&s.hash, `SELECT hash FROM audit_hash WHERE n = ?`},
		{&s.insertCheckpoint, `INSERT INTO checkpoint VALUES (?, ?)`},
		{&s.dropCheckpoint, `DELETE FROM checkpoint WHERE size = ?`},
		{&s.labelOf, `SELECT id FROM label WHERE marking = ?`},
		{&s.insertLabel, `INSERT INTO label (marking) VALUES (?) RETURNING id`},
		{&s.personKey, `SELECT key FROM person_key WHERE name = ?`},
		{&s.entity, `SELECT ` + entityColumns + fromEntity + `WHERE e.gen = +? AND e.kind = +? AND e.id = +?`},
		{&s.children, `SELECT ` + entityColumns + fromEntity + `WHERE e.gen = +? AND e.kind = +? AND e.parent = +? ORDER BY e.id`},
		{&s.cellsOf, `SELECT cell FROM entity_cell WHERE n = ? ORDER BY cell`},
		{&s.upsert, `INSERT INTO entity (gen, kind, id, mission, parent, label, standing, t_from, t_to, version, body) VALUES (?,?,?,?,?,?,?,?,?,?,?)
			ON CONFLICT (gen, kind, id) DO UPDATE SET mission=excluded.mission, parent=excluded.parent, label=excluded.label, standing=excluded.standing,
			t_from=excluded.t_from, t_to=excluded.t_to, version=excluded.version, body=excluded.body RETURNING n`},
		{&s.dropCells, `DELETE FROM entity_cell WHERE n = ?`},
		{&s.insertCell, `INSERT INTO entity_cell VALUES (?, ?)`},
	} {
		st, err := w.PrepareContext(ctx, p.sql)
		if err != nil {
			return err
		}
		*p.st, s.all = st, append(s.all, st)
	}
	return nil
}

func (s *statements) close() {
	for _, st := range s.all {
		st.Close()
	}
}

// folder folds events into one generation of entities within one transaction. It is the store.Reader of Fold.
type folder struct {
	ctx context.Context
	tx  *sql.Tx
	st  *statements
	gen int64
}

func (db *DB) folder(ctx context.Context, tx *sql.Tx) folder {
	return folder{ctx: ctx, tx: tx, st: &db.st}
}

func (f *folder) row(st *sql.Stmt, args ...any) *sql.Row {
	return f.tx.StmtContext(f.ctx, st).QueryRowContext(f.ctx, args...)
}

func (f *folder) exec(st *sql.Stmt, args ...any) (sql.Result, error) {
	return f.tx.StmtContext(f.ctx, st).ExecContext(f.ctx, args...)
}

// label interns a marking.
func (f *folder) label(marking string) (id access.LabelID, err error) {
	if err = f.row(f.st.labelOf, marking).Scan(&id); errors.Is(err, sql.ErrNoRows) {
		err = f.row(f.st.insertLabel, marking).Scan(&id)
	}
	return id, err
}

func (f *folder) personKey(name string) (key []byte, err error) {
	err = f.row(f.st.personKey, name).Scan(&key)
	return key, err
}

// Entity is for Fold.
func (f *folder) Entity(kind, id string) (store.Entity, bool, error) {
	e, n, err := scanEntity(f.row(f.st.entity, f.gen, kind, id))
	if errors.Is(err, sql.ErrNoRows) {
		return e, false, nil
	}
	if err != nil {
		return e, false, err
	}
	e.Cells, err = f.cells(n)
	return e, err == nil, err
}

// Children is for Fold.
func (f *folder) Children(kind, parent string) ([]store.Entity, error) {
	rows, err := f.tx.StmtContext(f.ctx, f.st.children).QueryContext(f.ctx, f.gen, kind, parent)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []store.Entity
	var ns []int64
	for rows.Next() {
		e, n, err := scanEntity(rows)
		if err != nil {
			return nil, err
		}
		out, ns = append(out, e), append(ns, n)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	for i := range out {
		if out[i].Cells, err = f.cells(ns[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (f *folder) cells(n int64) ([]uint64, error) {
	rows, err := f.tx.StmtContext(f.ctx, f.st.cellsOf).QueryContext(f.ctx, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []uint64
	for rows.Next() {
		var c int64
		if err := rows.Scan(&c); err != nil {
			return nil, err
		}
		out = append(out, cellOfRow(c))
	}
	return out, rows.Err()
}

// rowOfCell and cellOfRow flip the top bit, so that SQLite's signed order is the order of the cell ids.
func rowOfCell(c uint64) int64 { return int64(c ^ 1<<63) }
func cellOfRow(c int64) uint64 { return uint64(c) ^ 1<<63 }

// fold writes what an event changes.
func (f *folder) fold(e store.Event) error {
	entities, err := store.Fold(f, e)
	if err != nil {
		return err
	}
	for _, e := range entities {
		if err := f.put(e); err != nil {
			return fmt.Errorf("%s %s: %w", e.Kind, e.ID, err)
		}
	}
	return nil
}

func (f *folder) put(e store.Entity) error {
	body := []byte(e.Body)
	if body == nil {
		body = []byte("null")
	}
	if !storable(e.From) || !storable(e.To) {
		return errYear
	}
	var n int64
	err := f.row(f.st.upsert, f.gen, e.Kind, e.ID, e.Mission, e.Parent, int64(e.Label), string(e.Standing), stampOrNull(e.From), stampOrNull(e.To), e.Version, body).Scan(&n)
	if err != nil {
		return err
	}
	if _, err := f.exec(f.st.dropCells, n); err != nil {
		return err
	}
	cells := slices.Clone(e.Cells)
	slices.Sort(cells)
	for _, c := range slices.Compact(cells) {
		if _, err := f.exec(f.st.insertCell, rowOfCell(c), n); err != nil {
			return err
		}
	}
	return nil
}

var errYear = errors.New("its time span leaves the years 0 to 9999")

func stampOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}

// scanner is a row, alone or of many.
type scanner interface{ Scan(...any) error }

func scanEntity(s scanner) (e store.Entity, n int64, err error) {
	var from, to sql.NullString
	var body []byte
	if err = s.Scan(&n, &e.Kind, &e.ID, &e.Mission, &e.Parent, &e.Marking, &e.Label, &e.Standing, &from, &to, &e.Version, &body); err != nil {
		return e, 0, err
	}
	e.Body = body
	if e.From, err = timeOf(from); err != nil {
		return e, 0, err
	}
	e.To, err = timeOf(to)
	return e, n, err
}

func timeOf(s sql.NullString) (time.Time, error) {
	if !s.Valid {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s.String)
	return t.UTC(), err
}
