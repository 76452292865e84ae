package sqlite

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/audit"
	"github.com/atalaya-isr/atalaya/store/blob"
)

func sortBySize(points []audit.Checkpoint) {
	slices.SortStableFunc(points, func(a, b audit.Checkpoint) int { return int(a.Size - b.Size) })
}

// A backup is a tar file: record.json, record.db (a consistent copy), blobs/xx/..., and manifest.json, which lists the size
// and SHA-256 of every file before it. An encrypted record gives an encrypted backup, under the same key.
const manifestFile = "manifest.json"

// Progress is told how many of how many bytes are done.
type Progress func(done, total int64)

type listed struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

type manifest struct {
	Schema string   `json:"schema"`
	Files  []listed `json:"files"`
}

// Backup writes the whole record into one file while the record goes on being used. The file appears whole, or not at all.
func (db *DB) Backup(ctx context.Context, path string, progress Progress) (err error) {
	if _, err := os.Stat(path); err == nil {
		return &atalaya.Error{Op: "record.backup", File: path, Kind: atalaya.BadUse, Err: errors.New("the file exists"), Hint: "Give a new name; a backup is never written over another"}
	}
	copied, err := db.copySQL(ctx)
	if err != nil {
		return db.plain("backup", err)
	}
	defer os.Remove(copied)
	return writeWhole(path, func(w io.Writer) error { return db.writeTar(ctx, w, copied, progress) })
}

// copySQL makes a consistent copy of the database, free of deleted rows, beside it. Blobs are copied afterwards: every blob
// that the copy names was there before.
func (db *DB) copySQL(ctx context.Context) (string, error) {
	f, err := os.CreateTemp(db.dir, copyName)
	if err != nil {
		return "", err
	}
	path := f.Name()
	f.Close()
	q := url.Values{}
	if db.opts.Key != nil {
		k, err := subkey(db.opts.Key, "database")
		if err != nil {
			return "", err
		}
		q.Set("vfs", "adiantum")
		q.Set("hexkey", hex.EncodeToString(k))
	}
	src, err := openSQL(filepath.Join(db.dir, database), db.opts.Key, false)
	if err != nil {
		return "", err
	}
	defer src.Close()
	if _, err = src.ExecContext(ctx, "VACUUM INTO ?", fileURI(path, q)); err != nil {
		os.Remove(path)
		return "", errors.New(strings.ReplaceAll(err.Error(), q.Encode(), "...")) // the key stays out of messages
	}
	return path, nil
}

// clearCopies deletes the copies that an interrupted backup left behind.
func (db *DB) clearCopies() {
	left, _ := filepath.Glob(filepath.Join(db.dir, copyName+"*"))
	for _, p := range left {
		if st, err := os.Stat(p); err == nil && time.Since(st.ModTime()) > time.Hour { // a younger one may be in use
			os.Remove(p)
		}
	}
}

func (db *DB) writeTar(ctx context.Context, w io.Writer, copied string, progress Progress) error {
	var total, done int64
	st, err := os.Stat(copied)
	if err != nil {
		return err
	}
	total = st.Size()
	type member struct {
		name string
		size int64
		open func() (io.ReadCloser, error)
	}
	members := []member{
		{formatFile, -1, func() (io.ReadCloser, error) { return os.Open(filepath.Join(db.dir, formatFile)) }},
		{database, st.Size(), func() (io.ReadCloser, error) { return os.Open(copied) }},
	}
	if st, err = os.Stat(filepath.Join(db.dir, formatFile)); err != nil {
		return err
	}
	members[0].size = st.Size()
	total += st.Size()
	err = db.blobs.Files(func(f blob.File) error {
		total += f.Size
		members = append(members, member{blobDir + "/" + f.Name, f.Size, func() (io.ReadCloser, error) { return db.blobs.Raw(f.Name) }})
		return nil
	})
	if err != nil {
		return err
	}
	out := tar.NewWriter(w)
	m := manifest{Schema: "atalaya.backup/1"}
	for _, e := range members {
		if err := ctx.Err(); err != nil {
			return err
		}
		r, err := e.open()
		if errors.Is(err, fs.ErrNotExist) && e.name != database && e.name != formatFile {
			continue // an orphan that was collected meanwhile
		}
		if err != nil {
			return err
		}
		sum, err := putMember(out, e.name, e.size, r)
		r.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		m.Files = append(m.Files, listed{e.name, e.size, sum})
		done += e.size
		if progress != nil {
			progress(done, total)
		}
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if _, err := putMember(out, manifestFile, int64(len(raw)), bytes.NewReader(raw)); err != nil {
		return err
	}
	return out.Close()
}

func putMember(out *tar.Writer, name string, size int64, r io.Reader) (string, error) {
	if err := out.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600, Format: tar.FormatPAX}); err != nil {
		return "", err
	}
	h := sha256.New()
	_, err := io.Copy(io.MultiWriter(out, h), r)
	return hex.EncodeToString(h.Sum(nil)), err
}

// memberName is what a backup may hold; anything else is refused, so that none can be written outside the folder.
var memberName = regexp.MustCompile(`^(record\.json|record\.db|blobs/[0-9a-f]{2}/[0-9a-f]{62})$`)

// Restore unpacks a backup into a folder that is empty or does not exist. The folder appears whole, or not at all. The key is
// that of the record, nil for none.
func Restore(ctx context.Context, path, dir string, key []byte, progress Progress) (err error) {
	refuse := func(hint, msg string, args ...any) error {
		return &atalaya.Error{Op: "record.restore", File: path, Kind: atalaya.BadInput, Err: fmt.Errorf(msg, args...), Hint: hint}
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	if left, err := os.ReadDir(dir); err == nil && len(left) > 0 {
		return &atalaya.Error{Op: "record.restore", File: dir, Kind: atalaya.BadUse, Err: errors.New("the folder is not empty"), Hint: "Give an empty folder with --data"}
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return refuse("Check the name", "%v", errors.Unwrap(err))
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-restoring-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp) // gone by rename when all went well
	if err := unpack(ctx, f, tmp, st.Size(), progress); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return refuse("The backup is damaged or no backup; use another", "%v", err)
	}
	if err := checkFormat(tmp, key, nil); err != nil {
		return err
	}
	if err := newCursors(ctx, tmp, key); err != nil {
		return refuse("The backup is damaged; use another", "%v", err)
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return err
	}
	return blob.SyncDir(filepath.Dir(dir))
}

// counted reports how much of a file was read.
type counted struct {
	r           io.Reader
	done, total int64
	tell        Progress
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.done += int64(n)
	if c.tell != nil {
		c.tell(c.done, c.total)
	}
	return n, err
}

func unpack(ctx context.Context, r io.Reader, dir string, total int64, progress Progress) error {
	in := tar.NewReader(&counted{r: r, total: total, tell: progress})
	got := map[string]listed{}
	folders := map[string]bool{dir: true}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := in.Next()
		if err == io.EOF {
			return errors.New("it ends before its manifest")
		}
		if err != nil {
			return err
		}
		if h.Name == manifestFile {
			break
		}
		if _, twice := got[h.Name]; twice || h.Typeflag != tar.TypeReg || !memberName.MatchString(h.Name) {
			return fmt.Errorf("it holds %.80q, which no backup holds", h.Name)
		}
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		for up := filepath.Dir(path); !folders[up]; up = filepath.Dir(up) {
			folders[up] = true
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		sum := sha256.New()
		if err := writeSynced(path, in, sum); err != nil {
			return err
		}
		got[h.Name] = listed{h.Name, h.Size, hex.EncodeToString(sum.Sum(nil))}
	}
	var m manifest
	if err := json.NewDecoder(io.LimitReader(in, 1<<30)).Decode(&m); err != nil {
		return fmt.Errorf("its manifest cannot be read: %w", err)
	}
	if len(m.Files) != len(got) || got[database].Name == "" || got[formatFile].Name == "" {
		return errors.New("files are missing from it")
	}
	for _, l := range m.Files {
		if got[l.Name] != l {
			return fmt.Errorf("%s was changed", l.Name)
		}
	}
	for folder := range folders {
		if err := blob.SyncDir(folder); err != nil {
			return err
		}
	}
	return nil
}

func writeSynced(path string, r io.Reader, sum hash.Hash) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.Copy(io.MultiWriter(f, sum), r); err != nil {
		return err
	}
	return f.Sync()
}

// newCursors gives a restored record another cursor secret: the log may now continue otherwise than the followers of the old
// one remember, so each is told to load afresh.
func newCursors(ctx context.Context, dir string, key []byte) error {
	w, err := openSQL(filepath.Join(dir, database), key, false)
	if err != nil {
		return err
	}
	defer w.Close()
	w.SetMaxOpenConns(1)
	tx, err := w.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, "DELETE FROM meta WHERE name = 'cursor'"); err != nil {
		return err
	}
	return tx.Commit()
}
