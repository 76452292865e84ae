package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang/geo/s2"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/audit"
	"github.com/atalaya-isr/atalaya/store"
)

// clause gathers the conditions of a query with their values.
type clause struct {
	where []string
	args  []any
}

func (c *clause) and(cond string, args ...any) {
	c.where, c.args = append(c.where, cond), append(c.args, args...)
}

// see restricts a query to what the view may see: the one place where membership is tested.
func (c *clause) see(view access.View) error {
	if view.IsWhole() {
		return nil
	}
	ids, err := json.Marshal(view.IDs())
	c.and("e.label IN (SELECT value FROM json_each(?))", string(ids))
	return err
}

func (c *clause) String() string { return " WHERE " + strings.Join(c.where, " AND ") }

// query says in SQL what q asks for.
func query(view access.View, q store.Query) (clause, error) {
	c := clause{}
	off := "" // a plus sign keeps SQLite from using a column's index: a search by place goes by place first
	if q.Cells != nil {
		off = "+"
	}
	c.and(off + "e.gen = (SELECT gen FROM projection)")
	if err := c.see(view); err != nil {
		return c, err
	}
	if q.Kind != "" {
		c.and(off+"e.kind = ?", q.Kind)
	}
	if q.IDs != nil {
		ids, err := json.Marshal(q.IDs)
		if err != nil {
			return c, err
		}
		c.and(off+"e.id IN (SELECT value FROM json_each(?))", string(ids))
	}
	if q.Mission != "" {
		c.and(off+"e.mission = ?", q.Mission)
	}
	if q.Parent != "" {
		c.and(off+"e.parent = ?", q.Parent)
	}
	if !q.AllStanding {
		c.and("e.standing = ?", string(store.Stands))
	}
	if !q.From.IsZero() {
		c.and("(e.t_to IS NULL OR e.t_to >= ?)", stamp(q.From))
	}
	if !q.To.IsZero() {
		c.and("(e.t_from IS NULL OR e.t_from <= ?)", stamp(q.To))
	}
	if q.Cells != nil {
		ranges, err := touching(q.Cells)
		if err != nil {
			return c, err
		}
		c.and(`e.n IN (SELECT x.n FROM json_each(?) r CROSS JOIN entity_cell x ON x.cell BETWEEN r.value->>0 AND r.value->>1)`, ranges)
	}
	return c, nil
}

// touching lists, as JSON pairs, the ranges of rows in which a cell lies that touches one of these: S2 cells are nested or
// apart, so a cell touches another when it lies within its range of ids or is one of its ancestors.
func touching(cells []uint64) (string, error) {
	var ranges [][2]int64
	seen := map[s2.CellID]bool{}
	for _, c := range cells {
		id := s2.CellID(c)
		if !id.IsValid() {
			return "", &atalaya.Error{Op: "record.find", Kind: atalaya.BadUse, Err: fmt.Errorf("%d is not an S2 cell", c), Hint: "Give valid S2 cell ids"}
		}
		ranges = append(ranges, [2]int64{rowOfCell(uint64(id.RangeMin())), rowOfCell(uint64(id.RangeMax()))})
		for level := id.Level() - 1; level >= 0; level-- {
			up := id.Parent(level)
			if seen[up] {
				break
			}
			seen[up] = true
			ranges = append(ranges, [2]int64{rowOfCell(uint64(up)), rowOfCell(uint64(up))})
		}
	}
	b, err := json.Marshal(ranges)
	return string(b), err
}

// Find lists entities that the view may see.
func (db *DB) Find(ctx context.Context, view access.View, q store.Query) (store.Page, error) {
	c, err := query(view, q)
	if err != nil {
		return store.Page{}, err
	}
	list, order := "find by id", " ORDER BY e.id, e.kind"
	if q.NewestFirst {
		list, order = "find newest", " ORDER BY e.version DESC, e.id DESC, e.kind DESC"
	}
	if q.After != "" {
		place, err := db.cursor.open(list, view, q.After)
		if err != nil {
			return store.Page{}, err
		}
		version, kind, id := unplace(place)
		if q.NewestFirst {
			c.and("(e.version, e.id, e.kind) < (?, ?, ?)", version, id, kind)
		} else {
			c.and("(e.id, e.kind) > (?, ?)", id, kind)
		}
	}
	limit := ""
	if q.Limit > 0 {
		limit = fmt.Sprintf(" LIMIT %d", q.Limit+1)
	}
	var page store.Page
	err = each(ctx, db.r, "SELECT "+entityWithCells+fromEntity+c.String()+order+limit, c.args, func(s scanner) error {
		e, err := scanWithCells(s)
		page.Entities = append(page.Entities, e)
		return err
	})
	if err != nil {
		return store.Page{}, db.plain("find", err)
	}
	if q.Limit > 0 && len(page.Entities) > q.Limit {
		page.Entities = page.Entities[:q.Limit]
		last := page.Entities[q.Limit-1]
		page.Next = db.cursor.seal(list, view, place(last))
	}
	return page, nil
}

// place is where an entity stands in any list: version, kind, id.
func place(e store.Entity) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(e.Version))
	return append(append(append(b, e.Kind...), 0), e.ID...)
}

func unplace(b []byte) (version int64, kind, id string) {
	if len(b) < 8 {
		return 0, "", ""
	}
	kind, id, _ = strings.Cut(string(b[8:]), "\x00")
	return int64(binary.BigEndian.Uint64(b)), kind, id
}

// scanWithCells reads a row of Find, whose last column lists the cells as JSON.
func scanWithCells(s scanner) (store.Entity, error) {
	var cells string
	e, _, err := scanEntity(scanWith{s, &cells})
	if err != nil {
		return e, err
	}
	var rows []int64
	if err := json.Unmarshal([]byte(cells), &rows); err != nil {
		return e, err
	}
	for _, r := range rows {
		e.Cells = append(e.Cells, cellOfRow(r))
	}
	return e, nil
}

// scanWith scans one column more.
type scanWith struct {
	scanner
	more any
}

func (s scanWith) Scan(into ...any) error {
	return s.scanner.Scan(append(slices.Clip(into), s.more)...)
}

// each runs f on every row.
func each(ctx context.Context, db lister, query string, args []any, f func(scanner) error) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// lister is a database, or a transaction of one.
type lister interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

// Get is one entity, whatever its standing. What the view may not see is not found.
func (db *DB) Get(ctx context.Context, view access.View, kind, id string) (store.Entity, error) {
	page, err := db.Find(ctx, view, store.Query{Kind: kind, IDs: []string{id}, AllStanding: true})
	if err != nil {
		return store.Entity{}, err
	}
	if len(page.Entities) == 0 {
		return store.Entity{}, &atalaya.Error{Op: "record.get", Kind: atalaya.NotFound, Err: fmt.Errorf("no %s %.80q", kind, id), Hint: "Check the name; what you may not see is not there either"}
	}
	return page.Entities[0], nil
}

// Count counts what Find would list without a limit.
func (db *DB) Count(ctx context.Context, view access.View, q store.Query) (int, error) {
	c, err := query(view, q)
	if err != nil {
		return 0, err
	}
	var n int
	err = db.r.QueryRowContext(ctx, "SELECT count(*) FROM entity e"+c.String(), c.args...).Scan(&n)
	return n, db.plain("count", err)
}

// logged is an event with what only the record itself may know.
type logged struct {
	store.Event
	person string
	salt   []byte
	purged bool
}

// scanEvent reads an event; keyOf gives a person's key, sql.ErrNoRows once it is destroyed.
func scanEvent(s scanner, keyOf func(string) ([]byte, error)) (logged, error) {
	var e logged
	var at string
	var body, cells, commitment []byte
	if err := s.Scan(&e.Seq, &e.ID, &at, &e.Actor, &e.Kind, &e.Subject, &e.Marking, &e.Label, &e.Key, &e.person, &body, &e.salt, &cells, &commitment); err != nil {
		return e, err
	}
	var err error
	if e.Time, err = time.Parse(time.RFC3339Nano, at); err != nil {
		return e, err
	}
	e.Time = e.Time.UTC()
	e.Commitment = hex.EncodeToString(commitment)
	if body != nil && e.person != "" {
		key, err := keyOf(e.person)
		if errors.Is(err, sql.ErrNoRows) {
			body = nil
		} else if err != nil {
			return e, err
		} else if e.salt, cells, body, err = unseal(key, e.ID, body); err != nil {
			return e, fmt.Errorf("event %d: %w", e.Seq, errSealed)
		}
	}
	e.Cells = unpackCells(cells)
	if body == nil {
		e.purged, e.salt, e.Cells, body = true, nil, nil, []byte("null")
	}
	e.Body = body
	return e, nil
}

var errSealed = errors.New("its sealed body does not open")

// leaf is the event as the audit verifies it. Only what was a person's can be purged: any other body that is gone was taken
// out, and opens nothing.
func (e logged) leaf() audit.Leaf {
	l := audit.Leaf{Seq: e.Seq, Purged: e.purged && e.person != ""}
	hex.Decode(l.Commitment[:], []byte(e.Commitment))
	if !e.purged {
		l.Event = canonical(e.Event, e.person)
		copy(l.Salt[:], e.salt)
	}
	return l
}

// keyIn reads the keys under which the bodies of persons lie.
func keyIn(ctx context.Context, q querier) func(name string) ([]byte, error) {
	return func(name string) (key []byte, err error) {
		err = q.QueryRowContext(ctx, "SELECT key FROM person_key WHERE name = ?", name).Scan(&key)
		return key, err
	}
}

// events lists events of the log.
func (db *DB) events(ctx context.Context, c clause, tail string) (out []logged, err error) {
	err = each(ctx, db.r, "SELECT "+eventColumns+fromEvent+c.String()+tail, c.args, func(s scanner) error {
		e, err := scanEvent(s, keyIn(ctx, db.r))
		out = append(out, e)
		return err
	})
	return out, err
}

// Events is the history of one subject, or the whole log.
func (db *DB) Events(ctx context.Context, view access.View, subject string) ([]store.Event, error) {
	c := clause{}
	c.and("1")
	if err := c.see(view); err != nil {
		return nil, err
	}
	if subject != "" {
		c.and("e.subject = ?", subject)
	}
	list, err := db.events(ctx, c, " ORDER BY e.seq")
	if err != nil {
		return nil, db.plain("events", err)
	}
	out := make([]store.Event, len(list))
	for i := range list {
		out[i] = list[i].Event
	}
	return out, nil
}

// Head is the seq of the last event.
func (db *DB) Head(ctx context.Context) (n int64, err error) {
	err = db.r.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM event").Scan(&n)
	return n, db.plain("head", err)
}

// Secret is a secret kept outside the log; atalaya.NotFound when there is none.
func (db *DB) Secret(ctx context.Context, name string) (value []byte, err error) {
	err = db.r.QueryRowContext(ctx, "SELECT value FROM secret WHERE name = ?", name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, &atalaya.Error{Op: "record.secret", Kind: atalaya.NotFound, Err: errors.New("no such secret"), Hint: "Set it first"}
	}
	return value, db.plain("secret", err)
}

// SetSecret sets a secret; nil removes it.
func (db *DB) SetSecret(ctx context.Context, name string, value []byte) error {
	return db.plain("secret", db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if value == nil {
			_, err := tx.ExecContext(ctx, "DELETE FROM secret WHERE name = ?", name)
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO secret VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
		return err
	}))
}
