//go:build !no_ui

package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
)

// sourceHash is the recipe of build/freshness.mjs: for each source of the build, in byte order of its path, its SHA-256 and
// its path; then the SHA-256 of that list.
func sourceHash(root fs.FS) (string, error) {
	names := []string{"index.html", "package.json", "package-lock.json", "svelte.config.js", "tsconfig.json", "vite.config.ts"}
	for _, folder := range []string{"src", "public", "build"} {
		err := fs.WalkDir(root, folder, func(name string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() {
				names = append(names, name)
			}
			return err
		})
		if err != nil {
			return "", err
		}
	}
	slices.Sort(names)
	var list bytes.Buffer
	for _, name := range names {
		content, err := fs.ReadFile(root, name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(content), name)
	}
	sum := sha256.Sum256(list.Bytes())
	return hex.EncodeToString(sum[:]), nil
}

// stale says why the build in dist was not made from the sources beside it; "" when it was.
func stale(root fs.FS) (string, error) {
	want, err := sourceHash(root)
	if err != nil {
		return "", err
	}
	got, err := fs.ReadFile(root, "dist/source.sha256")
	if err != nil {
		return "", err
	}
	if strings.TrimSpace(string(got)) != want {
		return fmt.Sprintf("dist was built from other sources (%.12s, now %.12s): npm ci --ignore-scripts && npm run build", got, want), nil
	}
	return "", nil
}

func TestTheCommittedBuildIsFresh(t *testing.T) {
	why, err := stale(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	if why != "" {
		t.Error(why)
	}
}

func TestAStaleBuildIsNoticed(t *testing.T) {
	copyOf := func(t *testing.T) string {
		dir := t.TempDir()
		for _, part := range []string{"src", "public", "build"} {
			if err := os.CopyFS(filepath.Join(dir, part), os.DirFS(part)); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"index.html", "package.json", "package-lock.json", "svelte.config.js", "tsconfig.json", "vite.config.ts", "dist/source.sha256"} {
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	for _, plant := range []struct {
		claim string
		do    func(dir string) error
	}{
		{"a changed source", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "src/main.ts"), []byte("// other\n"), 0o644)
		}},
		{"a new source", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "src/lib/new.ts"), nil, 0o644)
		}},
		{"a source that is gone", func(dir string) error { return os.Remove(filepath.Join(dir, "src/tokens.css")) }},
		{"another pin", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "package.json"), []byte("{}"), 0o644)
		}},
	} {
		t.Run(plant.claim, func(t *testing.T) {
			dir := copyOf(t)
			if err := plant.do(dir); err != nil {
				t.Fatal(err)
			}
			why, err := stale(os.DirFS(dir))
			if err != nil {
				t.Fatal(err)
			}
			if why == "" {
				t.Error("the build passed as fresh")
			}
		})
	}
}

var (
	address = regexp.MustCompile(`https?://[^\s"'\x60)<>]*`)
	// XML namespaces are names that no browser fetches.
	namespace = regexp.MustCompile(`^http://www\.w3\.org/(1999/xhtml|1999/xlink|2000/svg|2000/xmlns/?|1998/Math/MathML|XML/1998/namespace)$`)
)

func foreign(content []byte) []string {
	var out []string
	for _, found := range address.FindAllString(string(content), -1) {
		if !namespace.MatchString(strings.TrimRight(found, `\;,`)) {
			out = append(out, found)
		}
	}
	return out
}

func TestTheBuildNamesNoOtherOrigin(t *testing.T) {
	err := fs.WalkDir(Dist(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.Contains(name, "LICENSE") {
			return err
		}
		content, err := fs.ReadFile(Dist(), name)
		for _, found := range foreign(content) {
			t.Errorf("%s names %s", name, found)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(foreign([]byte(`fetch("https://tiles.example.org/{z}")`))) != 1 || len(foreign([]byte(`url("http://www.w3.org/2000/svg")`))) != 0 {
		t.Error("the check itself does not tell an address from a namespace")
	}
}

func TestThePageHasNoInlineScriptOrStyle(t *testing.T) {
	page, err := fs.ReadFile(Dist(), "index.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range regexp.MustCompile(`(?s)<script([^>]*)>(.*?)</script>`).FindAllSubmatch(page, -1) {
		if len(bytes.TrimSpace(script[2])) > 0 || !bytes.Contains(script[1], []byte(`src="/assets/`)) {
			t.Errorf("inline script: %s", script[0])
		}
	}
	if bytes.Contains(page, []byte("<style")) || regexp.MustCompile(`\son\w+=`).Match(page) {
		t.Error("inline style or handler in index.html")
	}
}

func TestTheMapHasItsWorker(t *testing.T) {
	// MapLibre finds its worker by a run-time address that the build does not emit by itself; the map is then empty in silence.
	worker, err := fs.Stat(Dist(), "assets/maplibre-gl-worker.js")
	if err != nil || worker.Size() < 100_000 {
		t.Fatalf("no worker in the build: %v", err)
	}
}

// firstLoad is what a browser fetches before somebody has signed in and seen the map: page, style, code, worker, latin fonts.
// The coasts come after, latin-ext fonts when a character asks for them, the other rooms when they are opened.
var firstLoad = []string{
	"index.html", "assets/index.js", "assets/index.css", "assets/vendor.js", "assets/MapRoom.js", "assets/MapRoom.css", "assets/Status.js", "assets/Status.css",
	"assets/vendor-map.js", "assets/vendor-map.css", "assets/maplibre-gl-worker.js",
	"assets/inter-latin-400-normal.woff2", "assets/inter-latin-500-normal.woff2", "assets/inter-latin-600-normal.woff2",
	"assets/jetbrains-mono-latin-400-normal.woff2", "assets/jetbrains-mono-latin-500-normal.woff2",
}

func TestTheFirstLoadIsWithinItsBudget(t *testing.T) {
	const budget = 700_000 // bytes, gzip
	total := 0
	for _, name := range firstLoad {
		content, err := fs.ReadFile(Dist(), name)
		if err != nil {
			t.Fatalf("the list of the first load is out of date: %v", err)
		}
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		total += min(packed.Len(), len(content))
	}
	t.Logf("first load: %d bytes of %d", total, budget)
	if total > budget {
		t.Errorf("first load is %d bytes gzip, more than %d", total, budget)
	}
	// What the page itself asks for must be in the list, so that a new chunk cannot hide from the budget.
	page, err := fs.ReadFile(Dist(), "index.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, asked := range regexp.MustCompile(`/(assets/[^"]+)"`).FindAllSubmatch(page, -1) {
		if !slices.Contains(firstLoad, string(asked[1])) {
			t.Errorf("index.html asks for %s, which the budget does not count", asked[1])
		}
	}
}

func TestEveryAssetThatTheBuildNamesIsThere(t *testing.T) {
	named := regexp.MustCompile(`/?assets/[A-Za-z0-9_.-]+\.(?:json|js|css|woff2)\b`)
	err := fs.WalkDir(Dist(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !regexp.MustCompile(`\.(js|css|html)$`).MatchString(name) {
			return err
		}
		content, err := fs.ReadFile(Dist(), name)
		for _, asset := range named.FindAllString(string(content), -1) {
			if _, err := fs.Stat(Dist(), strings.TrimPrefix(asset, "/")); err != nil {
				t.Errorf("%s names %s: %v", name, asset, err)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func catalogue(t *testing.T, language string) map[string]string {
	content, err := os.ReadFile("src/locales/" + language + ".json")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	if err := json.Unmarshal(content, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEnglishAndSpanishSayTheSameThings(t *testing.T) {
	en, es := catalogue(t, "en"), catalogue(t, "es")
	placeholder := regexp.MustCompile(`\{\w+\}`)
	holds := func(text string) []string {
		found := placeholder.FindAllString(text, -1)
		slices.Sort(found)
		return found
	}
	for _, key := range slices.Sorted(maps.Keys(en)) {
		spanish, ok := es[key]
		switch {
		case !ok:
			t.Errorf("%q is missing in Spanish", key)
		case strings.TrimSpace(spanish) == "" || strings.TrimSpace(en[key]) == "":
			t.Errorf("%q is empty", key)
		case !slices.Equal(holds(en[key]), holds(spanish)):
			t.Errorf("%q holds %v in English and %v in Spanish", key, holds(en[key]), holds(spanish))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(es)) {
		if _, ok := en[key]; !ok {
			t.Errorf("%q is missing in English", key)
		}
	}
}

func TestEveryTextThatTheSourcesAskForIsInTheCatalogue(t *testing.T) {
	en := catalogue(t, "en")
	asked := regexp.MustCompile(`\bt\('([^'$]+)'`)
	err := filepath.WalkDir("src", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !regexp.MustCompile(`\.(svelte|ts)$`).MatchString(name) {
			return err
		}
		content, err := os.ReadFile(name)
		for _, found := range asked.FindAllSubmatch(content, -1) {
			if _, ok := en[string(found[1])]; !ok {
				t.Errorf("%s asks for %q, which no catalogue has", name, found[1])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// parsed is a Go source of the house, read as text: the workbench lies below what computes the words, and imports none of it.
func parsed(t *testing.T, name string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", filepath.FromSlash(name)), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// said is a string expression as a template: what is not a literal in it is somebody's name.
func said(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return text
		}
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return said(e.X) + said(e.Y)
		}
	}
	return "{who}"
}

// alternatives lists every label that says what else a thing may be: those of a site, and those of a detection.
func alternatives(t *testing.T) (labels []string) {
	ast.Inspect(parsed(t, "locate/site/assess.go"), func(n ast.Node) bool {
		if field, ok := n.(*ast.KeyValueExpr); ok {
			if name, ok := field.Key.(*ast.Ident); ok && name.Name == "Label" {
				if _, literal := field.Value.(*ast.BasicLit); literal {
					labels = append(labels, said(field.Value))
				}
			}
		}
		if f, ok := n.(*ast.FuncDecl); ok && f.Name.Name == "labelOf" { // of the classes that the evidence names
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if r, ok := n.(*ast.ReturnStmt); ok {
					if text, ok := r.Results[0].(*ast.BasicLit); ok {
						labels = append(labels, said(text))
					}
				}
				return true
			})
		}
		return true
	})
	ast.Inspect(parsed(t, "internal/app/inbox.go"), func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || v.Names[0].Name != "otherReadings" {
			return true
		}
		ast.Inspect(v, func(n ast.Node) bool {
			if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
				labels = append(labels, said(text))
			}
			return true
		})
		return false
	})
	return labels
}

func TestEveryAlternativeHasItsWordInBothLanguages(t *testing.T) {
	labels := alternatives(t)
	if len(labels) < 15 || !slices.Contains(labels, "farm") || !slices.Contains(labels, "repeater") {
		t.Fatalf("the sources were read wrongly: %q", labels)
	}
	en, es := catalogue(t, "en"), catalogue(t, "es")
	for _, label := range labels {
		if key := "alternative." + label; en[key] == "" || es[key] == "" {
			t.Errorf("no catalogue entry %q", key)
		}
	}
}

// Words of estimative probability come from the API by their codes: each has its text, the same as in locate/site.
func TestEveryWordOfProbabilityHasItsTextInBothLanguages(t *testing.T) {
	en, es := catalogue(t, "en"), catalogue(t, "es")
	n := 0
	ast.Inspect(parsed(t, "locate/site/word.go"), func(node ast.Node) bool {
		row, ok := node.(*ast.CompositeLit)
		if !ok || len(row.Elts) != 5 {
			return true
		}
		if key := "word." + said(row.Elts[0]); en[key] != said(row.Elts[3]) || es[key] != said(row.Elts[4]) {
			t.Errorf("%q is %q and %q, in locate/site %q and %q", key, en[key], es[key], said(row.Elts[3]), said(row.Elts[4]))
		}
		n++
		return true
	})
	if n < 7 {
		t.Fatalf("the source was read wrongly: %d words", n)
	}
}

// The English of a sentence is said by the server too: the catalogue holds the same line, so that the two cannot drift apart.
func TestEverySentenceHasItsTextInBothLanguages(t *testing.T) {
	en, es := catalogue(t, "en"), catalogue(t, "es")
	for code, line := range atalaya.Sentences {
		key := "note." + code
		if en[key] != line {
			t.Errorf("%q says %q in English, the server %q", key, en[key], line)
		}
		if es[key] == "" || len(line) > 20 && es[key] == line {
			t.Errorf("%q has no Spanish text: %q", key, es[key])
		}
	}
	for key := range en {
		if code, is := strings.CutPrefix(key, "note."); is && atalaya.Sentences[code] == "" {
			t.Errorf("%q is in the catalogue, and nothing says it", key)
		}
	}
}

// reasons lists every line that says why somebody may not do something, or what is still missing.
func reasons(t *testing.T) (lines []string) {
	take := func(e ast.Expr) {
		if line := said(e); line != "" && line != "{who}" {
			lines = append(lines, line)
		}
	}
	for _, name := range []string{"review/review.go", "internal/app/views.go"} {
		ast.Inspect(parsed(t, name), func(n ast.Node) bool {
			a, ok := n.(*ast.AssignStmt)
			if !ok || len(a.Lhs) != len(a.Rhs) {
				return true
			}
			for i, to := range a.Lhs {
				switch to := to.(type) {
				case *ast.SelectorExpr:
					if to.Sel.Name == "Missing" {
						take(a.Rhs[i])
					}
				case *ast.IndexExpr:
					if of, ok := to.X.(*ast.SelectorExpr); ok && of.Sel.Name == "WhyNot" {
						take(a.Rhs[i])
					}
				}
			}
			return true
		})
	}
	return lines
}

func TestEveryReasonWhyNotIsInTheCatalogueWordForWord(t *testing.T) {
	lines := reasons(t)
	if len(lines) < 9 || !slices.Contains(lines, "one approval by {who}; a second person must approve") {
		t.Fatalf("the sources were read wrongly: %q", lines)
	}
	known := map[string]bool{}
	for key, text := range catalogue(t, "en") {
		if strings.HasPrefix(key, "why.") {
			known[text] = true
		}
	}
	for _, line := range lines {
		if !known[line] {
			t.Errorf("no entry why.* says %q, so that it cannot be said in Spanish", line)
		}
	}
}

func TestTheLockfileNamesNoRegistry(t *testing.T) {
	content, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(content, []byte(`"resolved"`)) {
		t.Error(`package-lock.json has "resolved" entries: npm config set omit-lockfile-registry-resolved true, then install again`)
	}
}
