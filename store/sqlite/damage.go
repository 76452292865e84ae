package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/atalaya-isr/atalaya"
)

// ErrDamaged is in every error that says that pages of the database are not as they were written.
var ErrDamaged = errors.New("the database is damaged")

const restoreIt = "Restore a backup with atalaya restore, and keep this folder as it is for inquiry"

// damage looks at every page of the database and names the first bad one. The log reads only its own tables, so a proof of the
// log alone would pass over damage to what is folded from it, to indexes and to jobs.
func (db *DB) damage(ctx context.Context, q querier) error {
	var words string
	err := q.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&words)
	if err != nil {
		return err
	}
	if words == "ok" {
		return nil
	}
	return &atalaya.Error{Op: "record.check", File: filepath.Join(db.dir, database), Place: placeOfDamage(ctx, q, words), Err: fmt.Errorf("%w: %s", ErrDamaged, sayingOf(words)), Hint: restoreIt}
}

var (
	damagedPage  = regexp.MustCompile(`(?i)\bpage (\d+)`)
	damagedTree  = regexp.MustCompile(`\bTree (\d+)\b`)
	damagedIndex = regexp.MustCompile(`\bindex (\w+)`)
	placeSaid    = regexp.MustCompile(`^Tree \d+ page \d+( cell \d+)?: `)
)

// placeOfDamage is the page, where SQLite names one, and the table or index that it belongs to.
func placeOfDamage(ctx context.Context, q querier, words string) string {
	var place []string
	if m := damagedPage.FindStringSubmatch(words); m != nil {
		place = append(place, "page "+m[1])
	}
	if m := damagedTree.FindStringSubmatch(words); m != nil {
		var kind, name string
		if q.QueryRowContext(ctx, "SELECT type, name FROM sqlite_schema WHERE rootpage = ?", m[1]).Scan(&kind, &name) == nil {
			place = append(place, kind+" "+name)
		}
	} else if m := damagedIndex.FindStringSubmatch(words); m != nil {
		place = append(place, "index "+m[1])
	}
	return strings.Join(place, ", ")
}

// sayingOf is what SQLite says of the place, in one line.
func sayingOf(words string) string {
	words = strings.Join(strings.Fields(strings.TrimPrefix(words, "*** in database main ***")), " ")
	words = placeSaid.ReplaceAllString(words, "")
	if strings.HasPrefix(words, "btreeInitPage") { // a function of SQLite, which finds no header that could be one
		return "what lies there is no page of a database"
	}
	return words
}

// whyNotOpened is damage where there is some: what a damaged page makes of the opening says little, and differs from page to page.
func (db *DB) whyNotOpened(ctx context.Context, err error) error {
	if err == nil || db.w == nil || errors.Is(err, sqlite3.BUSY) || errors.Is(err, context.Canceled) {
		return db.plain("open", err)
	}
	if bad := db.damage(ctx, db.w); errors.Is(bad, ErrDamaged) || isDamage(bad) {
		return db.plain("open", bad)
	}
	return db.plain("open", err)
}

func isDamage(err error) bool {
	return errors.Is(err, sqlite3.NOTADB) || errors.Is(err, sqlite3.CORRUPT)
}

// querier is a database, a connection or a transaction.
type querier interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}
