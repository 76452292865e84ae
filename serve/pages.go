package serve

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// pages are the files of the built workbench, in memory.
type pages map[string]*file

// file is one file, with its tag and, where that is smaller, its compressed copy.
type file struct {
	kind   string
	plain  []byte
	tag    string
	zipped func() []byte // made at the first wish; nil when it would not be smaller
}

// kinds of the files that a build holds. The machine's own table is not asked: it differs from machine to machine.
var kinds = map[string]struct {
	kind string
	text bool
}{
	".html": {"text/html; charset=utf-8", true}, ".js": {"text/javascript; charset=utf-8", true}, ".css": {"text/css; charset=utf-8", true},
	".json": {"application/json", true}, ".svg": {"image/svg+xml", true}, ".woff2": {"font/woff2", false}, ".png": {"image/png", false},
	".txt": {"text/plain; charset=utf-8", true}, ".webmanifest": {"application/manifest+json", true},
}

// newPages reads the build. The page is one for all rooms: their routes are behind the #.
func newPages(dist fs.FS) (pages, error) {
	out := pages{}
	if dist == nil {
		return out, nil
	}
	err := fs.WalkDir(dist, ".", func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name == "." {
			return fs.SkipAll // built without the workbench
		}
		if err != nil || d.IsDir() {
			return err
		}
		k, ok := kinds[path.Ext(name)]
		if !ok {
			return nil // the build's own notes, such as source.sha256
		}
		b, err := fs.ReadFile(dist, name)
		if err != nil {
			return err
		}
		h := sha256.Sum256(b)
		f := &file{kind: k.kind, plain: b, tag: base64.RawURLEncoding.EncodeToString(h[:15]), zipped: func() []byte { return nil }}
		if k.text {
			f.zipped = sync.OnceValue(func() []byte { return zipped(b) })
		}
		out["/"+name] = f
		return nil
	})
	if index := out["/index.html"]; index != nil {
		out["/"] = index
	}
	return out, err
}

func zipped(b []byte) []byte {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	z.Write(b) // a buffer takes everything
	z.Close()
	if buf.Len() >= len(b) {
		return nil
	}
	return buf.Bytes()
}

// ServeHTTP answers with a file of the build; an unknown path is a 404, never the page, or a missing script would hide.
func (p pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "pages are only read", http.StatusMethodNotAllowed)
		return
	}
	f := p[r.URL.Path]
	if f == nil {
		w.Header().Set("Cache-Control", "no-store")
		if len(p) == 0 {
			http.Error(w, "this program was built without the workbench; its API is at /api/openapi.json", http.StatusNotFound)
			return
		}
		http.Error(w, "nothing is here", http.StatusNotFound)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	body, tag := f.plain, `"`+f.tag+`"`
	if takesGzip(r.Header.Get("Accept-Encoding")) {
		if z := f.zipped(); z != nil {
			body, tag = z, `"`+f.tag+`-gz"`
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("ETag", tag)
	if has(r.Header.Get("If-None-Match"), tag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		io.Copy(w, bytes.NewReader(body)) // a reader that has gone cannot be told
	}
}

func takesGzip(accept string) bool {
	for one := range strings.SplitSeq(accept, ",") {
		name, weight, _ := strings.Cut(one, ";")
		if strings.TrimSpace(name) == "gzip" {
			q := strings.ReplaceAll(weight, " ", "")
			return !strings.HasPrefix(q, "q=0") || strings.Trim(q[3:], ".0") != ""
		}
	}
	return false
}

func has(list, tag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); one == tag || one == "*" || one == "W/"+tag {
			return true
		}
	}
	return false
}
