package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/audit"
	"github.com/atalaya-isr/atalaya/store"
)

const (
	maxBody = 64 << 20 // bytes of one event's body; larger things are blobs
	maxName = 1024     // bytes of an id, a kind, a marking ...
	// keepEvery thins out old checkpoints to one in so many events.
	keepEvery = 1024
	layout    = "atalaya.event/1"
)

// Append adds events in one transaction: the events, their audit leaves, what they fold to, and the jobs they cause.
func (db *DB) Append(ctx context.Context, events ...store.NewEvent) ([]store.Event, error) {
	if len(events) == 0 {
		return nil, nil
	}
	ready := make([]store.NewEvent, len(events))
	for i, e := range events {
		var err error
		if ready[i], err = db.check(e); err != nil {
			return nil, err
		}
	}
	var out []store.Event
	var seq int64
	err := db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		a, err := db.appender(ctx, tx)
		if err != nil {
			return err
		}
		for _, e := range ready {
			logged, err := a.add(e)
			if err != nil {
				return err
			}
			out = append(out, logged)
		}
		seq = a.seq
		return a.finish()
	})
	if err != nil {
		return nil, db.plain("append", err)
	}
	db.intern(out)
	db.watch.wake(seq)
	return out, nil
}

// check completes an event and refuses what the log must not hold.
func (db *DB) check(e store.NewEvent) (store.NewEvent, error) {
	refuse := func(hint, msg string, args ...any) (store.NewEvent, error) {
		return e, &atalaya.Error{Op: "record.append", Kind: atalaya.BadUse, Place: "event " + e.Kind + " of " + e.Subject, Err: fmt.Errorf(msg, args...), Hint: hint}
	}
	if e.Marking == "" {
		return refuse("Give the portion marking that decides who may see it", "it has no marking")
	}
	if e.Kind == "" {
		return refuse("Give one of the event kinds", "it has no kind")
	}
	for name, text := range map[string]string{"id": e.ID, "actor": string(e.Actor), "kind": e.Kind, "subject": e.Subject, "marking": e.Marking, "key": e.Key, "person key": e.PersonKey} {
		if len(text) > maxName || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			return refuse("Give UTF-8 without control characters, at most 1024 bytes", "its %s is %.40q", name, text)
		}
	}
	if len(e.Body) > maxBody {
		return refuse("Keep large things as blobs and name them", "its body has %d bytes, more than %d", len(e.Body), maxBody)
	}
	if b := bytes.TrimSpace(e.Body); len(b) == 0 || string(b) == "null" {
		e.Body = json.RawMessage("{}")
	} else {
		var c bytes.Buffer
		if err := json.Compact(&c, e.Body); err != nil || !utf8.Valid(c.Bytes()) {
			return refuse("Give the noun as JSON in UTF-8", "its body is not JSON")
		}
		e.Body = c.Bytes()
	}
	for _, j := range e.Jobs {
		if len(j.Kind) < 2 {
			return refuse("Give the job a kind of two or more letters", "job kind %q", j.Kind)
		}
		if len(j.Args) > 0 && !json.Valid(j.Args) {
			return refuse("Give the arguments as JSON", "the arguments of job %s are not JSON", j.Kind)
		}
	}
	if e.Time.IsZero() {
		e.Time = db.opts.Clock()
	}
	e.Time = e.Time.UTC()
	if !storable(e.Time) {
		return refuse("Give a year from 1 to 9999", "its time is in the year %d", e.Time.Year())
	}
	if e.ID == "" {
		id, err := db.uuid7()
		if err != nil {
			return e, err
		}
		e.ID = id
	}
	return e, nil
}

// uuid7 makes a time-ordered UUID (RFC 9562 section 5.7): 48 bits of Unix milliseconds, version, 74 random bits.
func (db *DB) uuid7() (string, error) {
	var u [16]byte
	if _, err := io.ReadFull(db.opts.Random, u[6:]); err != nil {
		return "", err
	}
	ms := db.opts.Clock().UnixMilli()
	binary.BigEndian.PutUint16(u[:], uint16(ms>>32))
	binary.BigEndian.PutUint32(u[2:], uint32(ms))
	u[6], u[8] = u[6]&0x0f|0x70, u[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:]), nil
}

// appender adds events within one transaction.
type appender struct {
	folder
	db    *DB
	seq   int64 // of the last event
	was   int64 // seq when the transaction began
	fresh map[int64]tlog.Hash
}

func (db *DB) appender(ctx context.Context, tx *sql.Tx) (*appender, error) {
	a := &appender{folder: db.folder(ctx, tx), db: db, fresh: map[int64]tlog.Hash{}}
	if err := a.row(db.st.gen).Scan(&a.gen); err != nil {
		return nil, err
	}
	err := a.row(db.st.head).Scan(&a.seq)
	a.was = a.seq
	return a, err
}

// add logs one event, or finds that it was logged already.
func (a *appender) add(e store.NewEvent) (store.Event, error) {
	st := &a.db.st
	if e.Key != "" {
		old, err := scanEvent(a.row(st.eventByKey, e.Key), a.personKey)
		if err == nil || !errors.Is(err, sql.ErrNoRows) {
			return old.Event, err
		}
	}
	if e.Expect != nil {
		var version int64
		if err := a.row(st.version, a.gen, e.Subject).Scan(&version); err != nil {
			return store.Event{}, err
		}
		if version != *e.Expect {
			return store.Event{}, &atalaya.Error{Op: "record.append", Kind: atalaya.Conflict, Place: e.Subject, Err: errors.New("it was changed meanwhile"), Hint: "Load it again, look, and repeat what you did"}
		}
	}
	label, err := a.label(e.Marking)
	if err != nil {
		return store.Event{}, err
	}
	a.seq++
	out := store.Event{Seq: a.seq, ID: e.ID, Time: e.Time, Actor: e.Actor, Kind: e.Kind, Subject: e.Subject, Marking: e.Marking, Label: label, Body: e.Body, Key: e.Key, Cells: e.Cells}
	var salt [audit.SaltSize]byte
	if _, err := io.ReadFull(a.db.opts.Random, salt[:]); err != nil {
		return out, err
	}
	commitment := audit.Commit(salt, canonical(out, e.PersonKey))
	out.Commitment = commitment.String()
	body, saltColumn, cells := []byte(e.Body), salt[:], packCells(e.Cells)
	if e.PersonKey != "" {
		if body, err = a.seal(e.PersonKey, e.ID, salt, cells, body); err != nil {
			return out, err
		}
		saltColumn, cells = nil, nil
	}
	if _, err := a.exec(st.insertEvent, a.seq, e.ID, stamp(e.Time), string(e.Actor), e.Kind, e.Subject, int64(label), e.Key, e.PersonKey, body, saltColumn, cells, commitment[:]); err != nil {
		var n int
		if a.row(st.eventByID, e.ID).Scan(&n) == nil && n > 0 {
			return out, &atalaya.Error{Op: "record.append", Kind: atalaya.Conflict, Place: "event " + e.ID, Err: errors.New("an event with this id is in the log"), Hint: "Leave the id empty"}
		}
		return out, err
	}
	if err := a.grow(commitment); err != nil {
		return out, err
	}
	if err := a.fold(out); err != nil {
		var shape *json.UnmarshalTypeError
		if errors.As(err, &shape) || errors.Is(err, errYear) {
			err = &atalaya.Error{Op: "record.append", Kind: atalaya.BadUse, Place: "event " + e.Kind + " of " + e.Subject, Err: err, Hint: "Give the noun in the form that docs/reference/record.md lists"}
		}
		return out, err
	}
	return out, a.db.enqueue(a.ctx, a.tx, e.Jobs)
}

// grow stores the hashes that the newest event adds to the audit tree.
func (a *appender) grow(c audit.Commitment) error {
	hashes, err := audit.Grow(a.seq-1, c, a)
	if err != nil {
		return err
	}
	first := tlog.StoredHashIndex(0, a.seq-1)
	for i, h := range hashes {
		a.fresh[first+int64(i)] = h
		if _, err := a.exec(a.db.st.insertHash, first+int64(i), h[:]); err != nil {
			return err
		}
	}
	return nil
}

// ReadHashes reads the tree within the transaction.
func (a *appender) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, n := range indexes {
		h, ok := a.fresh[n]
		if !ok {
			var b []byte
			if err := a.row(a.db.st.hash, n).Scan(&b); err != nil {
				return nil, fmt.Errorf("audit hash %d: %w", n, err)
			}
			copy(h[:], b)
		}
		out[i] = h
	}
	return out, nil
}

// finish signs the tree as it now is.
func (a *appender) finish() error {
	if a.seq == a.was {
		return nil
	}
	root, err := tlog.TreeHash(a.seq, a)
	if err != nil {
		return err
	}
	note, err := audit.Checkpoint{Origin: a.db.origin, Size: a.seq, Root: root}.Sign(a.db.signer)
	if err != nil {
		return err
	}
	if a.was/keepEvery == a.seq/keepEvery {
		if _, err := a.exec(a.db.st.dropCheckpoint, a.was); err != nil {
			return err
		}
	}
	_, err = a.exec(a.db.st.insertCheckpoint, a.seq, string(note))
	return err
}

// canonical is the event as the audit tree commits to it; see docs/reference/record.md.
func canonical(e store.Event, person string) []byte {
	return audit.Canonical(layout, []byte(strconv.FormatInt(e.Seq, 10)), []byte(e.ID), []byte(stamp(e.Time)), []byte(e.Actor),
		[]byte(e.Kind), []byte(e.Subject), []byte(e.Marking), []byte(e.Key), []byte(person), packCells(e.Cells), e.Body)
}

// stamp writes a time so that texts sort as times do.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }

// storable reports whether a time can be written with four digits of year, as texts that sort need.
func storable(t time.Time) bool { return t.UTC().Year() >= 0 && t.UTC().Year() <= 9999 }

func packCells(cells []uint64) []byte {
	b := make([]byte, 0, 8*len(cells))
	for _, c := range cells {
		b = binary.BigEndian.AppendUint64(b, c)
	}
	return b
}

func unpackCells(b []byte) []uint64 {
	if len(b) < 8 {
		return nil
	}
	cells := make([]uint64, len(b)/8)
	for i := range cells {
		cells[i] = binary.BigEndian.Uint64(b[8*i:])
	}
	return cells
}

// seal encrypts what a purge must be able to destroy, under the key of the person, which is made when it is first needed.
func (a *appender) seal(person, id string, salt [audit.SaltSize]byte, cells, body []byte) ([]byte, error) {
	key, err := a.personKey(person)
	if errors.Is(err, sql.ErrNoRows) {
		key = make([]byte, 32)
		if _, err := io.ReadFull(a.db.opts.Random, key); err != nil {
			return nil, err
		}
		_, err = a.tx.ExecContext(a.ctx, "INSERT INTO person_key VALUES (?, ?)", person, key)
	}
	if err != nil {
		return nil, err
	}
	aead, err := sealer(key)
	if err != nil {
		return nil, err
	}
	plain := append(bytes.Clone(salt[:]), binary.BigEndian.AppendUint64(nil, uint64(len(cells)))...)
	plain = append(append(plain, cells...), body...)
	nonce := make([]byte, aead.NonceSize())
	if _, err := io.ReadFull(a.db.opts.Random, nonce); err != nil {
		return nil, err
	}
	return aead.Seal(nonce, nonce, plain, []byte(id)), nil
}

// unseal is the reverse of seal.
func unseal(key []byte, id string, sealed []byte) (salt, cells, body []byte, err error) {
	aead, err := sealer(key)
	if err != nil {
		return nil, nil, nil, err
	}
	if len(sealed) < aead.NonceSize() {
		return nil, nil, nil, errSealed
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(id))
	if err != nil || len(plain) < audit.SaltSize+8 {
		return nil, nil, nil, errSealed
	}
	salt, plain = plain[:audit.SaltSize], plain[audit.SaltSize:]
	n := binary.BigEndian.Uint64(plain)
	if plain = plain[8:]; n > uint64(len(plain)) {
		return nil, nil, nil, errSealed
	}
	return salt, plain[:n], plain[n:], nil
}

func (db *DB) intern(events []store.Event) {
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, e := range events {
		db.labels[e.Marking], db.marking[e.Label] = e.Label, e.Marking
	}
}

// Label interns a marking.
func (db *DB) Label(ctx context.Context, marking string) (access.LabelID, error) {
	if marking == "" {
		return 0, &atalaya.Error{Op: "record.label", Kind: atalaya.BadUse, Err: errors.New("an empty marking"), Hint: "Give a portion marking, such as (U)"}
	}
	db.mu.Lock()
	id, ok := db.labels[marking]
	db.mu.Unlock()
	if ok {
		return id, nil
	}
	err := db.write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		f := db.folder(ctx, tx)
		id, err = f.label(marking)
		return err
	})
	if err != nil {
		return 0, db.plain("label", err)
	}
	db.intern([]store.Event{{Marking: marking, Label: id}})
	return id, nil
}

// Labels lists all interned markings.
func (db *DB) Labels(ctx context.Context) (map[access.LabelID]string, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT id, marking FROM label")
	if err != nil {
		return nil, db.plain("labels", err)
	}
	defer rows.Close()
	out := map[access.LabelID]string{}
	for rows.Next() {
		var id access.LabelID
		var m string
		if err := rows.Scan(&id, &m); err != nil {
			return nil, db.plain("labels", err)
		}
		out[id] = m
	}
	return out, db.plain("labels", rows.Err())
}
