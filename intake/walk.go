package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/atalaya-isr/atalaya"
)

// Progress is told while files are read: the file, and how many of its bytes are done.
type Progress func(path string, done, total int64)

// Probe looks at one file by its path.
func Probe(ctx context.Context, name string, progress Progress) (File, error) {
	st, err := os.Stat(name)
	if err != nil {
		return File{}, readError(name, err)
	}
	if st.IsDir() {
		return File{}, &atalaya.Error{Op: "intake.probe", File: name, Kind: atalaya.BadInput, Err: errors.New("is a folder"), Hint: "Name a file in it"}
	}
	if !st.Mode().IsRegular() {
		return File{}, &atalaya.Error{Op: "intake.probe", File: name, Kind: atalaya.BadInput, Err: errors.New("is no regular file"), Hint: "Copy it into a file first"}
	}
	dir, base := filepath.Split(name)
	if dir == "" {
		dir = "."
	}
	f, err := probe(ctx, os.DirFS(dir), base, name, progress)
	f.Path = name
	return f, err
}

func readError(name string, err error) error {
	kind := atalaya.BadInput
	if errors.Is(err, fs.ErrNotExist) {
		kind = atalaya.NotFound
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return &atalaya.Error{Op: "intake.probe", File: name, Kind: kind, Err: err, Hint: "Check the path and that it may be read"}
}

// probe hashes and recognises one file of a folder.
func probe(ctx context.Context, dir fs.FS, name, shown string, progress Progress) (File, error) {
	f, err := dir.Open(name)
	if err != nil {
		return File{}, readError(shown, err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return File{}, readError(shown, err)
	}
	r, ok := f.(io.ReaderAt)
	if !ok {
		return File{}, &atalaya.Error{Op: "intake.probe", File: shown, Kind: atalaya.Failed, Err: errors.New("cannot be read out of order"), Hint: "Copy it to a disk"}
	}
	sum, err := hashOf(ctx, f, st.Size(), func(done int64) {
		if progress != nil {
			progress(shown, done, st.Size())
		}
	})
	if err != nil {
		return File{}, readError(shown, err)
	}
	beside, err := fs.Sub(dir, path.Dir(name))
	if err != nil {
		beside = nil
	}
	out := Recognise(r, st.Size(), path.Base(name), beside)
	out.SHA256, out.Path = sum, shown
	return out, nil
}

func hashOf(ctx context.Context, r io.Reader, size int64, done func(int64)) (string, error) {
	h := sha256.New()
	buf := make([]byte, 1<<20)
	for at := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := r.Read(buf)
		h.Write(buf[:n])
		at += int64(n)
		done(at)
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Walk looks at every file below a mission folder, in the order of their names, and gives each to see. README* and hidden
// files and folders are passed over. A link is read when it leads to a file inside the folder, and told when it does not; a
// linked folder is not entered. What cannot be opened is given as an unknown file with its problem. Walk ends early with the
// error of see or of ctx.
func Walk(ctx context.Context, root string, see func(File) error, progress Progress) error {
	st, err := os.Stat(root)
	if err != nil {
		return readError(root, err)
	}
	if !st.IsDir() {
		return &atalaya.Error{Op: "intake.walk", File: root, Kind: atalaya.BadInput, Err: errors.New("is no folder"), Hint: "Name the mission's folder"}
	}
	within, err := os.OpenRoot(root) // refuses whatever leads out of it
	if err != nil {
		return readError(root, err)
	}
	defer within.Close()
	dir := within.FS()
	return fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if name == "." {
			return err
		}
		if passedOver(path.Base(name)) {
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if err != nil {
			if err := see(unreadable(name, readError(name, err))); err != nil {
				return err
			}
			return fs.SkipDir
		}
		if d.IsDir() {
			return nil
		}
		return see(lookAt(ctx, dir, name, d.Type()&fs.ModeSymlink != 0, progress))
	})
}

// passedOver reports whether a name is none of a mission's data.
func passedOver(base string) bool {
	return strings.HasPrefix(base, ".") || strings.HasPrefix(strings.ToUpper(base), "README")
}

func lookAt(ctx context.Context, dir fs.FS, name string, link bool, progress Progress) File {
	st, err := fs.Stat(dir, name)
	switch {
	case err != nil && link:
		return unreadable(name, fmt.Errorf("%w; a link that leads nowhere or out of the folder is not followed", readError(name, err)))
	case err != nil:
		return unreadable(name, readError(name, err))
	case st.IsDir():
		return unreadable(name, errors.New("a link to a folder is not entered"))
	case !st.Mode().IsRegular():
		return unreadable(name, errors.New("no regular file; it was not opened"))
	}
	f, err := probe(ctx, dir, name, name, progress)
	if err != nil {
		return unreadable(name, err)
	}
	return f
}

func unreadable(name string, err error) File {
	return File{Path: name, Kind: Unknown, Summary: map[string]any{}, Problems: []Problem{{"", clean(err.Error())}}, Partial: true}
}
