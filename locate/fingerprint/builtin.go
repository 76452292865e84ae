package fingerprint

import (
	"compress/gzip"
	"embed"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"

	"github.com/atalaya-isr/atalaya"
)

//go:embed library/profiles.csv.gz library/species.csv.gz library/composition.csv.gz
var shipped embed.FS

// Builtin is the library that comes with the program: a compact table derived from SPECIATE 5.2 of the US EPA (public domain;
// library/README.md says how). It is read once; callers must not change it.
var Builtin = sync.OnceValue(func() *Library {
	sub, err := fs.Sub(shipped, "library")
	if err == nil {
		var l *Library
		if l, _, err = ImportFS(sub, "library"); err == nil {
			l.Source = "SPECIATE 5.2, US EPA (public domain), reduced"
			return l
		}
	}
	panic(errors.Join(errors.New("fingerprint: the embedded library does not read"), err))
})

// unpacked is the most that a compressed table may hold.
const unpacked = 1 << 30

// ImportFS imports profiles, species and composition from a folder, each as NAME.csv or NAME.csv.gz; dir names it in errors.
func ImportFS(files fs.FS, dir string) (*Library, []error, error) {
	var tables [3]Table
	for i, name := range []string{"profiles.csv", "species.csv", "composition.csv"} {
		f, err := files.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			name += ".gz"
			f, err = files.Open(name)
		}
		if err != nil {
			return nil, nil, &atalaya.Error{Op: "fingerprint.import", File: dir, Kind: atalaya.NotFound, Err: errors.New("no " + strings.TrimSuffix(name, ".gz") + " and no " + strings.TrimSuffix(name, ".gz") + ".gz that can be read"),
				Hint: "A library is a folder with profiles.csv, species.csv and composition.csv"}
		}
		defer f.Close()
		tables[i] = Table{Name: dir + "/" + name, From: f}
		if strings.HasSuffix(name, ".gz") {
			z, err := gzip.NewReader(f)
			if err != nil {
				return nil, nil, damaged(tables[i].Name, err)
			}
			tables[i].From = &unpacker{z: z, name: tables[i].Name, left: unpacked}
		}
	}
	l, problems, err := Import(tables[0], tables[1], tables[2])
	if l != nil {
		l.Source = dir
	}
	return l, problems, err
}

func damaged(name string, err error) error {
	return &atalaya.Error{Op: "fingerprint.import", File: name, Kind: atalaya.BadInput, Err: errors.New("the compressed file is damaged or cut off (" + err.Error() + ")"), Hint: "Fetch it again"}
}

// An unpacker reads a compressed table, says in whose name it is damaged, and stops where it is far larger than any library.
type unpacker struct {
	z    io.Reader
	name string
	left int64
}

func (u *unpacker) Read(p []byte) (int, error) {
	n, err := u.z.Read(p)
	if u.left -= int64(n); u.left < 0 {
		return 0, &atalaya.Error{Op: "fingerprint.import", File: u.name, Kind: atalaya.BadInput, Err: errors.New("more than 1 GiB when unpacked"), Hint: "Split the library"}
	}
	if err != nil && err != io.EOF {
		err = damaged(u.name, err)
	}
	return n, err
}
