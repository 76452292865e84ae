// Package sqlite is the record in one folder: a SQLite database (pure Go), a directory of blobs, no server.
//
// One connection writes, River's jobs on it too; a pool of others reads. A write transaction is short, holds no estimator and
// no other program, and an attempt to open one inside another fails at once. Several processes may use one folder; one of
// them works the jobs.
package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	_ "github.com/ncruces/go-sqlite3/vfs/adiantum" // encryption at rest
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"golang.org/x/mod/sumdb/note"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/audit"
	"github.com/atalaya-isr/atalaya/store"
	"github.com/atalaya-isr/atalaya/store/blob"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options say how a record is opened. The zero value is good.
type Options struct {
	Key    []byte           // 32 bytes: encryption at rest of database, blobs and backups; nil for none
	Clock  func() time.Time // of events without a time, and of their ids; nil is the machine's
	Random io.Reader        // of keys, salts and ids; nil is the machine's. Only tests give another
	Logger *slog.Logger     // of the job runner; nil is silent
}

// DB is an open record. It is safe for concurrent use.
type DB struct {
	dir    string
	opts   Options
	w, r   *sql.DB
	blobs  *blob.Dir
	queue  *river.Client[*sql.Tx] // for inserting only
	signer note.Signer
	cursor cursorKey
	vkey   string
	origin string
	st     statements

	live func() // lets go of the share in liveLock

	mu      sync.Mutex // guards labels, markings
	labels  map[string]access.LabelID
	marking map[access.LabelID]string

	watch watch
}

var _ store.Store = (*DB)(nil)

// files of a record's folder.
const (
	database  = "record.db"
	blobDir   = "blobs"
	workLock  = "work.lock"
	openLock  = "open.lock" // one process at a time opens the record
	liveLock  = "live.lock" // shared by all that have it open
	foldLock  = "replay.lock"
	busyFor   = 10 * time.Second
	copyName  = "backup-" // a database copy on its way into a backup
	tailPolls = 100 * time.Millisecond
)

// OpenDir opens the record in a folder and makes it where there is none.
func OpenDir(ctx context.Context, dir string, opts Options) (_ *DB, err error) {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.Random == nil {
		opts.Random = rand.Reader
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	db := &DB{dir: dir, opts: opts, labels: map[string]access.LabelID{}, marking: map[access.LabelID]string{}}
	db.watch.init()
	defer func() {
		if err != nil {
			db.Close()
		}
	}()
	// Two that find a fresh folder would both give it its format, its tables and its keys.
	opened, err := db.lockWait(ctx, openLock)
	if err != nil {
		return nil, db.plain("open", err)
	}
	defer opened()
	if err := checkFormat(dir, opts.Key, opts.Random); err != nil {
		return nil, err
	}
	if db.blobs, err = blob.Open(filepath.Join(dir, blobDir), opts.Key); err != nil {
		return nil, err
	}
	if db.w, err = openSQL(filepath.Join(dir, database), opts.Key, false); err != nil {
		return nil, err
	}
	db.w.SetMaxOpenConns(1)
	if err = db.migrate(ctx); err != nil {
		return nil, db.whyNotOpened(ctx, err)
	}
	if db.r, err = openSQL(filepath.Join(dir, database), opts.Key, true); err != nil {
		return nil, err
	}
	readers := max(4, runtime.GOMAXPROCS(0))
	db.r.SetMaxOpenConns(readers)
	db.r.SetMaxIdleConns(readers)
	if db.queue, err = river.NewClient(riversqlite.New(db.w), &river.Config{Logger: opts.Logger}); err != nil {
		return nil, err
	}
	if err = db.st.prepare(ctx, db.w); err != nil {
		return nil, db.whyNotOpened(ctx, err)
	}
	if err = db.keys(ctx); err != nil {
		return nil, db.whyNotOpened(ctx, err)
	}
	db.clearCopies()
	if err = db.join(ctx); err != nil {
		return nil, db.plain("open", err)
	}
	return db, db.finishPurge(ctx)
}

// leftOver is how old a temporary file must be before it is swept away, on top of nobody having the record open: a version that
// takes no share in liveLock may be writing it.
const leftOver = time.Hour

// join takes a share in liveLock for as long as the record is open. Who finds that nobody else has one sweeps away what dead
// processes were writing: no living process has a file there, for each takes its share, under openLock, before it writes.
func (db *DB) join(ctx context.Context) error {
	alone, ok, err := db.lock(ctx, liveLock, "EXCLUSIVE")
	if err != nil {
		return err
	}
	if ok {
		_, err = db.blobs.Sweep(time.Now().Add(-leftOver))
		alone()
	}
	if err != nil {
		return err
	}
	db.live, ok, err = db.lock(ctx, liveLock, "SHARED")
	if err == nil && !ok {
		err = errors.New("another process is opening the record") // it would have to hold openLock, as we do
	}
	return err
}

// Blobs is the directory of raw files of this record.
func (db *DB) Blobs() *blob.Dir { return db.blobs }

// Dir is the folder of the record.
func (db *DB) Dir() string { return db.dir }

// Close waits for what runs and closes the record.
func (db *DB) Close() error {
	db.watch.stop()
	db.st.close()
	var errs []error
	for _, d := range []*sql.DB{db.r, db.w} {
		if d != nil {
			errs = append(errs, d.Close())
		}
	}
	if db.live != nil {
		db.live()
	}
	return errors.Join(errs...)
}

// openSQL opens the database file of the record.
func openSQL(path string, key []byte, readOnly bool) (_ *sql.DB, err error) {
	if key != nil {
		if key, err = subkey(key, "database"); err != nil {
			return nil, err
		}
	}
	// FULL: a commit is on the disk when it returns. Temporary tables stay in memory, where encryption cannot be forgotten.
	pragmas := "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA secure_delete=ON; PRAGMA foreign_keys=ON; PRAGMA cache_size=-16000; PRAGMA wal_autocheckpoint=4000"
	if readOnly {
		pragmas = "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16000; PRAGMA wal_autocheckpoint=4000"
	}
	return openFile(path, key, readOnly, pragmas)
}

// openFile opens a database file under a key of its own. The key goes in by PRAGMA, so that it stands in no file name.
func openFile(path string, key []byte, readOnly bool, pragmas string) (*sql.DB, error) {
	q := url.Values{}
	if !readOnly {
		q.Set("_txlock", "immediate")
	}
	if key != nil {
		q.Set("vfs", "adiantum")
	}
	return driver.Open(fileURI(path, q), func(c *sqlite3.Conn) error {
		if key != nil {
			if err := c.Exec("PRAGMA hexkey='" + hex.EncodeToString(key) + "'"); err != nil {
				return err
			}
		}
		if err := c.BusyTimeout(busyFor); err != nil {
			return err
		}
		return c.Exec(pragmas)
	})
}

func fileURI(path string, q url.Values) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/...
	}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}).String()
}

func (db *DB) migrate(ctx context.Context) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db.w, sub, goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return err
	}
	m, err := rivermigrate.New(riversqlite.New(db.w), &rivermigrate.Config{Logger: db.opts.Logger})
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

// keys reads what the record knows of itself, and makes it at the first start.
func (db *DB) keys(ctx context.Context) error {
	var skey string
	err := db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		meta := func(name string, fresh func() (string, error)) (string, error) {
			var v []byte
			err := tx.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = ?", name).Scan(&v)
			if !errors.Is(err, sql.ErrNoRows) {
				return string(v), err
			}
			s, err := fresh()
			if err != nil {
				return "", err
			}
			_, err = tx.ExecContext(ctx, "INSERT INTO meta VALUES (?, ?)", name, []byte(s))
			return s, err
		}
		random := func(n int) (string, error) {
			b := make([]byte, n)
			_, err := io.ReadFull(db.opts.Random, b)
			return string(b), err
		}
		var err error
		if db.origin, err = meta("origin", func() (string, error) {
			b, err := random(8)
			return "atalaya-record-" + hex.EncodeToString([]byte(b)), err
		}); err != nil {
			return err
		}
		if skey, err = meta("signer", func() (string, error) {
			s, v, err := audit.NewKey(db.opts.Random, db.origin)
			if err != nil {
				return "", err
			}
			_, err = tx.ExecContext(ctx, "INSERT INTO meta VALUES ('verifier', ?)", []byte(v))
			return s, err
		}); err != nil {
			return err
		}
		if db.vkey, err = meta("verifier", func() (string, error) { return "", errors.New("the record has lost its verifier key") }); err != nil {
			return err
		}
		secret, err := meta("cursor", func() (string, error) { return random(32) })
		if err != nil {
			return err
		}
		db.cursor, err = newCursorKey([]byte(secret))
		return err
	})
	if err != nil {
		return err
	}
	db.signer, err = note.NewSigner(skey)
	return err
}

// inWrite marks the context of a write transaction.
type inWrite struct{}

// write runs f in one write transaction. A write inside a write would wait for itself for ever, so it fails at once.
func (db *DB) write(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	if ctx.Value(inWrite{}) != nil {
		return errors.New("sqlite: a write inside a write transaction")
	}
	ctx = context.WithValue(ctx, inWrite{}, true)
	tx, err := db.w.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// plain gives an error of the engine its place, its kind, and what to do.
func (db *DB) plain(op string, err error) error {
	var known *atalaya.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	e := &atalaya.Error{Op: "record." + op, File: filepath.Join(db.dir, database), Err: err}
	switch {
	case isDamage(err):
		e.Err, e.Hint = fmt.Errorf("%w: %w", ErrDamaged, err), restoreIt
	case errors.Is(err, sqlite3.BUSY):
		e.Hint = "Another process holds the record; wait for it or end it"
	case errors.Is(err, sqlite3.FULL):
		e.Hint = "The disk is full; free some space. Nothing that was acknowledged is lost"
	case errors.Is(err, sqlite3.CANTOPEN), errors.Is(err, sqlite3.READONLY), errors.Is(err, sqlite3.PERM):
		e.Hint = "Check that you may write to the data folder"
	}
	return e
}

// lock takes a lock that the system lets go when the process ends, however it ends: a transaction on an empty database of its
// own. The mode is EXCLUSIVE or SHARED. ok is false while another holds it so that ours would not go beside it.
func (db *DB) lock(ctx context.Context, name, mode string) (release func(), ok bool, err error) {
	d, err := driver.Open(fileURI(filepath.Join(db.dir, name), nil), func(c *sqlite3.Conn) error { return c.BusyTimeout(0) })
	if err != nil {
		return nil, false, err
	}
	d.SetMaxOpenConns(1)
	begin := "BEGIN EXCLUSIVE"
	if mode == "SHARED" {
		begin = "BEGIN; SELECT count(*) FROM sqlite_schema" // the reading takes the share, the transaction keeps it
	}
	c, err := d.Conn(ctx)
	if err == nil {
		if _, err = c.ExecContext(ctx, begin); err == nil {
			return func() { c.Close(); d.Close() }, true, nil
		}
		c.Close()
	}
	d.Close()
	if errors.Is(err, sqlite3.BUSY) {
		err = nil
	}
	return nil, false, err
}

// lockWait waits for the lock.
func (db *DB) lockWait(ctx context.Context, name string) (release func(), err error) {
	for {
		release, ok, err := db.lock(ctx, name, "EXCLUSIVE")
		if ok || err != nil {
			return release, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for another process: %w", ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
