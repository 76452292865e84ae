package blob_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/store/blob"
	"pgregory.net/rapid"
)

var key = bytes.Repeat([]byte{7}, 32)

// kinds of directory that every test below runs on.
var dirs = map[string][]byte{"plain": nil, "encrypted": key}

func open(t testing.TB, dir string, key []byte) *blob.Dir {
	t.Helper()
	d, err := blob.Open(dir, key)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func noise(n int) []byte {
	b := make([]byte, n)
	rand.New(rand.NewSource(int64(n))).Read(b)
	return b
}

func put(t testing.TB, d *blob.Dir, b []byte) atalaya.BlobID {
	t.Helper()
	id, n, err := d.Put(iotest.HalfReader(bytes.NewReader(b)))
	if err != nil || n != int64(len(b)) {
		t.Fatalf("Put of %d bytes: %d, %v", len(b), n, err)
	}
	return id
}

func TestWhatIsPutIsReadAgain(t *testing.T) {
	for kind, key := range dirs {
		t.Run(kind, func(t *testing.T) {
			d := open(t, t.TempDir(), key)
			for _, n := range []int{0, 1, 65535, 65536, 65537, 131072, 200001} {
				want := noise(n)
				b, err := d.Open(put(t, d, want))
				if err != nil {
					t.Fatal(err)
				}
				if err := iotest.TestReader(b, want); err != nil {
					t.Errorf("%d bytes: %v", n, err)
				}
				if b.Size() != int64(n) {
					t.Errorf("size %d, want %d", b.Size(), n)
				}
				b.Close()
			}
		})
	}
}

func TestAnyRangeIsTheSliceOfTheWhole(t *testing.T) {
	d := open(t, t.TempDir(), key)
	want := noise(200001)
	b, err := d.Open(put(t, d, want))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	rapid.Check(t, func(t *rapid.T) {
		off := rapid.IntRange(0, len(want)).Draw(t, "off")
		p := make([]byte, rapid.IntRange(0, 70000).Draw(t, "len"))
		n, err := b.ReadAt(p, int64(off))
		if end := min(off+len(p), len(want)); !bytes.Equal(p[:n], want[off:end]) || (n < len(p)) != (err == io.EOF) {
			t.Fatalf("ReadAt(%d, %d) gave %d bytes, %v", len(p), off, n, err)
		}
	})
}

func TestTheSameBytesAreKeptOnce(t *testing.T) {
	for kind, key := range dirs {
		t.Run(kind, func(t *testing.T) {
			d := open(t, t.TempDir(), key)
			a, b := put(t, d, noise(100)), put(t, d, noise(100))
			n := 0
			if err := d.Files(func(blob.File) error { n++; return nil }); err != nil || a != b || n != 1 {
				t.Errorf("%d files, %v; ids equal: %v", n, err, a == b)
			}
		})
	}
}

func TestDamageIsSeen(t *testing.T) {
	for kind, key := range dirs {
		for what, spoil := range map[string]func([]byte) []byte{
			"a flipped bit":   func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
			"a cut end":       func(b []byte) []byte { return b[:len(b)-1] },
			"a cut chunk":     func(b []byte) []byte { return b[:len(b)-70000] },
			"an emptied file": func(b []byte) []byte { return nil },
		} {
			t.Run(kind+": "+what, func(t *testing.T) {
				dir := t.TempDir()
				d := open(t, dir, key)
				id := put(t, d, noise(150000))
				path := filepath.Join(dir, d.Name(id))
				raw, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, spoil(raw), 0o600); err != nil {
					t.Fatal(err)
				}
				b, err := d.Open(id)
				if err == nil {
					_, err = io.Copy(io.Discard, b)
					b.Close()
				}
				if err == nil {
					t.Error("damaged bytes were read without complaint")
				}
			})
		}
	}
}

func TestNothingOfAnEncryptedBlobShowsOnDisk(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, key)
	marker := []byte("SYNTHETIC marker that must not lie on disk")
	id := put(t, d, bytes.Repeat(marker, 3000))
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil || bytes.Contains(b, marker) || bytes.Contains([]byte(path), []byte(id[2:])) {
			t.Errorf("%s shows what it holds (%v)", path, err)
		}
		return nil
	})
	other := open(t, dir, bytes.Repeat([]byte{8}, 32))
	if other.Has(id) {
		t.Error("another key finds the blob")
	}
}

func TestABrokenPutLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, nil)
	if _, _, err := d.Put(io.MultiReader(bytes.NewReader(noise(10)), iotest.ErrReader(errors.New("unplugged")))); err == nil {
		t.Fatal("a broken reader was kept")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*", "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestOnlyOldOrphansAreCollected(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, nil)
	named, orphan, young := put(t, d, noise(1)), put(t, d, noise(2)), put(t, d, noise(3))
	crashed := filepath.Join(dir, "tmp", "put-1")
	if err := os.WriteFile(crashed, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	hour := time.Now().Add(-time.Hour)
	for _, p := range []string{filepath.Join(dir, d.Name(named)), filepath.Join(dir, d.Name(orphan)), crashed} {
		os.Chtimes(p, hour, hour)
	}
	n, err := d.Collect(func(name string) bool { return name == d.Name(named) }, time.Now().Add(-time.Minute))
	if err != nil || n != 2 || !d.Has(named) || d.Has(orphan) || !d.Has(young) {
		t.Errorf("collected %d (%v); named %v, orphan %v, young %v", n, err, d.Has(named), d.Has(orphan), d.Has(young))
	}
}

func TestASweepTakesOldTemporaryFilesAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, nil)
	orphan := put(t, d, noise(2))
	dead, young := filepath.Join(dir, "tmp", "put-1"), filepath.Join(dir, "tmp", "put-2")
	for _, p := range []string{dead, young} {
		if err := os.WriteFile(p, noise(9), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hour := time.Now().Add(-time.Hour)
	for _, p := range []string{dead, filepath.Join(dir, d.Name(orphan))} {
		if err := os.Chtimes(p, hour, hour); err != nil {
			t.Fatal(err)
		}
	}
	n, err := d.Sweep(time.Now().Add(-time.Minute))
	_, gone := os.Stat(dead)
	_, kept := os.Stat(young)
	if err != nil || n != 1 || !errors.Is(gone, fs.ErrNotExist) || kept != nil || !d.Has(orphan) {
		t.Errorf("swept %d (%v); dead %v, young %v, blob there %v", n, err, gone, kept, d.Has(orphan))
	}
}

func TestNamesFromOutsideCannotLeaveTheDirectory(t *testing.T) {
	d := open(t, t.TempDir(), nil)
	for _, id := range []atalaya.BlobID{"", "..", "../../etc/passwd", atalaya.BlobID(bytes.Repeat([]byte("/"), 64)), atalaya.BlobID(bytes.Repeat([]byte("A"), 64))} {
		if _, err := d.Open(id); atalaya.KindOf(err) != atalaya.BadUse {
			t.Errorf("Open(%q): %v", id, err)
		}
		if d.Has(id) || d.Remove(id) == nil {
			t.Errorf("%q was taken for a name", id)
		}
	}
	if _, err := d.Open(atalaya.BlobID(bytes.Repeat([]byte("a"), 64))); atalaya.KindOf(err) != atalaya.NotFound {
		t.Errorf("a missing blob: %v", err)
	}
}
