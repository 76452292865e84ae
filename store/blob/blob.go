// Package blob keeps raw files under the SHA-256 of their bytes, in a directory. A blob is written once, whole, and never
// changed: it is synced under a temporary name, renamed into place, and its folder is synced, so that a crash leaves either
// all of it or nothing. An event may name a blob only after Put has returned.
//
// With a key, blobs are encrypted in chunks (so that a video can still be read by range) and filed under a keyed hash of
// their name (so that nobody can test a disk for a known file).
package blob

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/atalaya-isr/atalaya"
)

// Dir is a directory of blobs. It is safe for concurrent use, also by several processes.
type Dir struct {
	path    string
	key     []byte // 32 bytes; nil keeps blobs as they are
	nameKey []byte
}

// Open opens the directory, making it where it is missing. The key is 32 bytes, or nil for none.
func Open(path string, key []byte) (*Dir, error) {
	d := &Dir{path: path}
	if key != nil {
		if len(key) != 32 {
			return nil, fmt.Errorf("blob: key of %d bytes where 32 are expected", len(key))
		}
		var err1, err2 error
		d.key, err1 = hkdf.Key(sha256.New, key, nil, "atalaya blob content", 32)
		d.nameKey, err2 = hkdf.Key(sha256.New, key, nil, "atalaya blob name", 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(d.tmp(), 0o700); err != nil {
		return nil, err
	}
	return d, SyncDir(path)
}

func (d *Dir) tmp() string { return filepath.Join(d.path, "tmp") }

// Name is the path of a blob below the directory, with slashes: two hex digits, a slash, the other 62.
func (d *Dir) Name(id atalaya.BlobID) string {
	s := string(id)
	if d.nameKey != nil {
		m := hmac.New(sha256.New, d.nameKey)
		io.WriteString(m, s)
		s = hex.EncodeToString(m.Sum(nil))
	}
	return s[:2] + "/" + s[2:]
}

func valid(id atalaya.BlobID) error {
	if len(id) != 64 {
		return badName(id)
	}
	for _, c := range id {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return badName(id)
		}
	}
	return nil
}

func badName(id atalaya.BlobID) error {
	return &atalaya.Error{Op: "blob.open", Kind: atalaya.BadUse, Err: fmt.Errorf("%.80q is not the name of a blob", string(id)), Hint: "Give 64 hex digits"}
}

// Put keeps the bytes of r and returns their name and number. Bytes that are already kept are not written twice. When it
// returns without an error the blob survives a crash.
func (d *Dir) Put(r io.Reader) (id atalaya.BlobID, size int64, err error) {
	f, err := os.CreateTemp(d.tmp(), "put-")
	if err != nil {
		return "", 0, err
	}
	defer func() {
		f.Close()
		os.Remove(f.Name()) // gone by rename when all went well
	}()
	sum := sha256.New()
	if size, err = d.fill(f, io.TeeReader(r, sum)); err != nil {
		return "", 0, err
	}
	id = atalaya.BlobID(hex.EncodeToString(sum.Sum(nil)))
	path := filepath.Join(d.path, filepath.FromSlash(d.Name(id)))
	if st, err := os.Stat(path); err == nil && st.Size() == d.stored(size) {
		now := time.Now()
		os.Chtimes(path, now, now) // young again: an event is about to name it, so it is no orphan yet
		return id, size, SyncDir(filepath.Dir(path))
	}
	if err = f.Sync(); err != nil {
		return "", 0, err
	}
	if err = f.Close(); err != nil {
		return "", 0, err
	}
	if err = d.folder(filepath.Dir(path)); err != nil {
		return "", 0, err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return "", 0, err
	}
	return id, size, SyncDir(filepath.Dir(path))
}

// folder makes the folder of a blob and makes that durable too.
func (d *Dir) folder(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return SyncDir(d.path)
}

func (d *Dir) fill(f *os.File, r io.Reader) (int64, error) {
	if d.key != nil {
		return seal(d.key, rand.Reader, f, r)
	}
	return io.Copy(f, r)
}

// stored is how long the file of a blob of that size is.
func (d *Dir) stored(size int64) int64 {
	if d.key != nil {
		return sealedSize(size)
	}
	return size
}

// Has reports whether the blob is kept.
func (d *Dir) Has(id atalaya.BlobID) bool {
	if valid(id) != nil {
		return false
	}
	_, err := os.Stat(filepath.Join(d.path, filepath.FromSlash(d.Name(id))))
	return err == nil
}

// Blob is an open blob: it reads, seeks, and reads by range. ReadAt is safe for concurrent use, the rest is not.
//
// A blob that is read from its beginning to its end is checked against its name; the last Read then fails if it was damaged.
// A read by range is checked only where the directory is encrypted.
type Blob struct {
	id     atalaya.BlobID
	file   *os.File
	at     io.ReaderAt
	size   int64
	pos    int64
	sum    hash.Hash
	summed int64 // bytes that have gone through sum, in order
}

// Open opens a blob; atalaya.NotFound when there is none.
func (d *Dir) Open(id atalaya.BlobID) (*Blob, error) {
	if err := valid(id); err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(d.path, filepath.FromSlash(d.Name(id))))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &atalaya.Error{Op: "blob.open", Kind: atalaya.NotFound, Err: fmt.Errorf("no raw file %s in this record", id), Hint: "Read the mission folder again with atalaya run"}
	}
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	b, err := d.within(id, f, st.Size())
	if err != nil {
		f.Close()
		return nil, err
	}
	b.file = f
	return b, nil
}

// within is the blob whose stored form is in f, of so many bytes.
func (d *Dir) within(id atalaya.BlobID, f io.ReaderAt, stored int64) (*Blob, error) {
	b := &Blob{id: id, at: f, size: stored, sum: sha256.New()}
	if d.key != nil {
		s, err := unseal(d.key, f, stored)
		if err != nil {
			return nil, damaged(id, err)
		}
		b.at, b.size = s, s.size
	}
	return b, nil
}

func damaged(id atalaya.BlobID, err error) error {
	return &atalaya.Error{Op: "blob.read", File: "blob " + string(id), Err: err, Hint: "The disk has changed it; restore it from a backup"}
}

// Size is the number of bytes of the blob.
func (b *Blob) Size() int64 { return b.size }

// ReadAt reads by range.
func (b *Blob) ReadAt(p []byte, off int64) (int, error) {
	n, err := b.at.ReadAt(p, off)
	if err != nil && err != io.EOF {
		err = damaged(b.id, err)
	}
	return n, err
}

// Read reads on, and checks the whole when it has read the whole.
func (b *Blob) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := b.ReadAt(p, b.pos)
	if b.pos == b.summed {
		b.sum.Write(p[:n])
		b.summed += int64(n)
	}
	b.pos += int64(n)
	if err == io.EOF && n > 0 {
		err = nil
	}
	if err == io.EOF && b.summed == b.size && hex.EncodeToString(b.sum.Sum(nil)) != string(b.id) {
		return n, damaged(b.id, errors.New("its bytes are not those that its name says"))
	}
	return n, err
}

// Seek sets where Read goes on.
func (b *Blob) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += b.pos
	case io.SeekEnd:
		offset += b.size
	}
	if offset < 0 {
		return b.pos, fmt.Errorf("blob: seek before the beginning")
	}
	b.pos = offset
	return offset, nil
}

// Close closes the file.
func (b *Blob) Close() error { return b.file.Close() }

var (
	_ io.ReadSeekCloser = (*Blob)(nil)
	_ io.ReaderAt       = (*Blob)(nil)
)

// Remove deletes a blob, for a purge. A blob that is not there is no error.
func (d *Dir) Remove(id atalaya.BlobID) error {
	if err := valid(id); err != nil {
		return err
	}
	path := filepath.Join(d.path, filepath.FromSlash(d.Name(id)))
	if err := os.Remove(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// File is a stored file as Files lists it.
type File struct {
	Name string // below the directory, with slashes
	Size int64  // bytes on disk
	Time time.Time
}

// Files calls f for every stored file in order of name, as they lie on disk, for backups.
func (d *Dir) Files(f func(File) error) error {
	top, err := os.ReadDir(d.path)
	if err != nil {
		return err
	}
	for _, t := range top {
		if len(t.Name()) != 2 || !t.IsDir() {
			continue
		}
		files, err := os.ReadDir(filepath.Join(d.path, t.Name()))
		if err != nil {
			return err
		}
		for _, e := range files {
			st, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) || (err == nil && !st.Mode().IsRegular()) {
				continue
			}
			if err != nil {
				return err
			}
			if err := f(File{Name: t.Name() + "/" + e.Name(), Size: st.Size(), Time: st.ModTime()}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Raw opens a stored file as it lies on disk.
func (d *Dir) Raw(name string) (io.ReadCloser, error) {
	return os.Open(filepath.Join(d.path, filepath.FromSlash(name)))
}

// Collect deletes what no event names (keep says which stored names are named) and left-over temporary files, where they are
// older than that time: a younger one may be about to be named. It returns how many it deleted.
func (d *Dir) Collect(keep func(name string) bool, older time.Time) (int, error) {
	n := 0
	drop := func(path string) error {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		n++
		return nil
	}
	err := d.Files(func(f File) error {
		if keep(f.Name) || !f.Time.Before(older) {
			return nil
		}
		return drop(filepath.Join(d.path, filepath.FromSlash(f.Name)))
	})
	if err != nil {
		return n, err
	}
	swept, err := d.Sweep(older)
	return n + swept, err
}

// Sweep deletes the temporary files that were last written before that time: left by processes that ended while they kept
// something. A living process may have one that is as old; the caller knows that there is none, or takes a time by which
// it would have gone on. It returns how many it deleted.
func (d *Dir) Sweep(older time.Time) (n int, err error) {
	left, err := os.ReadDir(d.tmp())
	if err != nil {
		return 0, err
	}
	for _, e := range left {
		st, err := e.Info()
		if err != nil || !st.ModTime().Before(older) {
			continue // young, or gone meanwhile
		}
		if err := os.Remove(filepath.Join(d.tmp(), e.Name())); err == nil {
			n++
		} else if !errors.Is(err, fs.ErrNotExist) {
			return n, err
		}
	}
	return n, nil
}

// SyncDir makes the names in a folder durable. Windows has no such call and needs none.
func SyncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
