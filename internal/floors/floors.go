// Package floors keeps the house in order: which folder lies on which floor, what may import what, and what the lower floors
// may not touch. Check reads the imports of every Go file itself, not through the go command, so that a cached test result
// cannot hide a change. Only direct imports count: fmt imports os, so a ban on all that is reached would forbid everything.
package floors

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
)

// TestOnly is the floor of folders that only tests and the benchmarks may import; they may import anything.
const TestOnly = -1

// clean is the highest floor that knows no file, network, database, clock or chance of its own.
const clean = 6

// A Room is a folder of the house. A folder that ends in "/..." stands for all folders below it.
type Room struct {
	Folder string
	Floor  int
	Holds  string
}

// Rooms is the house, top floor first (ARCHITECTURE.md draws it). A folder that is missing here is added by a decision record.
var Rooms = []Room{
	{"cmd/atalaya", 10, "one file a command"},
	{"serve", 9, "API, live events, the embedded workbench"},
	{"internal/bench", 9, "the project's own benchmarks"},
	{"internal/app", 8, "use cases: wiring, no mathematics"},
	{"intake", 7, "files and feeds in"},
	{"store/sqlite", 7, "the record on SQLite"},
	{"store/postgres", 7, "the record on PostgreSQL"},
	{"store/blob", 7, "raw files by their hash"},
	{"external/ffmpeg", 7, "another program: decoding pixels"},
	{"external/apertium", 7, "another program: translation"},
	{"export/gpkg", 7, "products that need a database to encode"},
	{"web", 7, "the committed build of the workbench"},
	{"store", 6, "the port of the record"},
	{"product", 6, "encoders of packages, which take only reviewed things"},
	{"product/cot", 6, "Cursor on Target that may leave"},
	{"product/figure", 6, "figures of a gas survey, for the workbench and for reports"},
	{"product/font", 6, "the typeface of what is printed"},
	{"product/still", 6, "frames, storyboards and mosaics of a video, under their marking"},
	{"review", 5, "the human decision"},
	{"outcome", 5, "what came back"},
	{"plan", 5, "where to look next"},
	{"simulate", 5, "missions with known truth"},
	{"score", 5, "how well a result found the truth"},
	{"locate/dispersion", 4, "plume models"},
	{"locate/source", 4, "gas sources"},
	{"locate/fingerprint", 4, "kinds of emitters by their mixture"},
	{"locate/emitter", 4, "radio emitters"},
	{"locate/track", 4, "tracking"},
	{"locate/site", 4, "fusion of evidence"},
	{"network/...", 4, "who: graph, names, screening"},
	{"detect/plume", 3, "gas in spectra"},
	{"detect/mover", 3, "motion in video"},
	{"language/...", 3, "Spanish and English"},
	{"language", 3, "Spanish and English"},
	{"sense/klv", 2, "video metadata"},
	{"sense/mpegts", 2, "transport streams"},
	{"sense/video", 2, "video as observations"},
	{"sense/playback", 2, "pictures of a video, packed again for browsers"},
	{"sense/check", 2, "conformance of a video and its metadata"},
	{"sense/gas", 2, "gas surveys"},
	{"sense/envi", 2, "image cubes"},
	{"sense/bearing", 2, "bearings"},
	{"sense/report", 2, "reports in words"},
	{"sense/detection", 2, "detections with stated errors"},
	{"sense/delimited", 2, "tables of text, with the place of every fault"},
	{"sense/yamlfile", 2, "YAML in bounded memory"},
	{"sense/jsonfile", 2, "JSON files, with the place of every fault"},
	{"sense/ground", 2, "roads, water and towns on the ground"},
	{"sense/gmti", 2, "moving target indications of radar"},
	{"sense/ais", 2, "ships' reports"},
	{"sense/nitf", 2, "imagery"},
	{"sense/cot", 2, "Cursor on Target, lossless"},
	{"access", 2, "what a reader may see"},
	{"audit", 2, "the tamper-evident log"},
	{".", 1, "the nouns"},
	{"geodesy", 0, "the Earth"},
	{"geodesy/terrain", 0, "elevation of the ground"},
	{"numeric", 0, "kernels, seeded chance, distributions"},
	{"internal/e2e", TestOnly, "the workbench in a real browser"},
	{"internal/deps", TestOnly, "what the Makefile installs and how it counts"},
	{"internal/deps/tally", TestOnly, "counts the tests of a run"},
	{"internal/fixture", TestOnly, "where the shared data folder is"},
	{"internal/storm", TestOnly, "bodies of fuzz tests, run millions of times"},
	{"internal/floors", TestOnly, "this guard"},
	{"internal/refusal", TestOnly, "the guard of words"},
	{"internal/ledger", TestOnly, "the guard of dependencies"},
}

// A Sideways is an import on one floor that is allowed, with its reason.
type Sideways struct{ From, To, Why string }

// Allowed lists the sub-folders of one folder that know each other, and nothing else.
var Allowed = []Sideways{
	{"sense/video", "sense/klv", "a video's observations are its metadata"},
	{"sense/video", "sense/mpegts", "a video is carried in a transport stream"},
	{"sense/klv", "sense/mpegts", "metadata is carried in a transport stream"},
	{"sense/playback", "sense/mpegts", "pictures are carried in a transport stream"},
	{"sense/check", "sense/klv", "a stream is checked with its metadata"},
	{"sense/check", "sense/mpegts", "a stream is checked with its metadata"},
	{"sense/check", "sense/video", "what metadata say twice is compared by where the camera looks"},
	{"geodesy/terrain", "geodesy", "elevation lies on the Earth"},
	{"sense/gas", "sense/delimited", "a survey is a table of text"},
	{"sense/bearing", "sense/delimited", "bearings are a table of text"},
	{"sense/detection", "sense/jsonfile", "a sheet is a JSON file"},
	{"sense/ground", "sense/jsonfile", "a layer is a JSON file"},
	{"locate/source", "locate/dispersion", "a source is found through the plume that it would make"},
	{"store/sqlite", "store/blob", "a purge removes blobs and their names together"},
	{"intake", "store/blob", "a raw file is kept before it is read"},
	{"product", "product/cot", "a package lists every kind of product once"},
	{"product/figure", "product/font", "a raster draws its letters itself"},
	{"product/still", "product/font", "a raster draws its letters itself"},
}

// Denied maps what floors 0 to 6 may not import to the reason.
var Denied = map[string]string{
	"os":                "take io.Reader; files are opened by intake",
	"os/exec":           "other programs are run by external",
	"os/signal":         "signals belong to cmd and serve",
	"os/user":           "who is signed in is decided above",
	"io/ioutil":         "take io.Reader; files are opened by intake",
	"path/filepath":     "names inside the work are slash paths: use path",
	"net":               "transport belongs to serve and intake",
	"net/http":          "transport belongs to serve and intake",
	"net/rpc":           "transport belongs to serve and intake",
	"net/smtp":          "transport belongs to serve and intake",
	"crypto/tls":        "transport belongs to serve and intake",
	"database/sql":      "the record is reached through the port in store",
	"log":               "return an error or a finding; talk belongs above",
	"log/slog":          "return an error or a finding; talk belongs above",
	"math/rand":         "chance comes seeded, through numeric, so that runs repeat",
	"math/rand/v2":      "chance comes seeded, through numeric, so that runs repeat",
	"syscall":           "what depends on the machine belongs above",
	"plugin":            "all code is compiled in and reviewed",
	"unsafe":            "memory is not reinterpreted where science is checked",
	"testing":           "tests belong in _test.go files and *test folders",
	"expvar":            "figures of the running program belong above",
	"runtime/debug":     "what depends on the machine belongs above",
	"net/http/httptest": "tests belong in _test.go files and *test folders",
}

// except lists the denied imports that one folder needs, with the reason.
var except = []Sideways{
	{"numeric", "math/rand/v2", "it is where the seed goes in"},
}

// deniedCalls are the functions of package time that read a clock or wait for one.
var deniedCalls = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// A Breach is one thing that is against the rules of the house.
type Breach struct{ File, What, Why string }

func (b Breach) String() string { return b.File + ": " + b.What + ": " + b.Why }

// A House is a set of rules; Ours is this project's.
type House struct {
	Rooms   []Room
	Allowed []Sideways
	Denied  map[string]string
	Except  []Sideways
}

// Ours is the house that ARCHITECTURE.md draws.
func Ours() House { return House{Rooms, Allowed, Denied, except} }

// Check reads every Go file below root, the folder of go.mod, and lists the breaches in the order of the files.
func (h House) Check(root string) ([]Breach, error) {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, err
	}
	module := modfile.ModulePath(mod)
	var out []Breach
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != root && passedOver(d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		out = append(out, h.file(module, filepath.ToSlash(rel), src)...)
		return nil
	})
	return out, err
}

// passedOver holds for folders that the go command passes over too, and for what npm brings.
func passedOver(dir string) bool {
	return dir == "testdata" || dir == "vendor" || dir == "node_modules" || strings.HasPrefix(dir, ".") || strings.HasPrefix(dir, "_")
}

// floorOf is the floor of a folder. Conformance suites (folders whose name ends in "test", inside a listed folder) are for tests.
func (h House) floorOf(folder string) (int, bool) {
	for _, r := range h.Rooms {
		below, all := strings.CutSuffix(r.Folder, "/...")
		if r.Folder == folder || all && strings.HasPrefix(folder, below+"/") {
			return r.Floor, true
		}
	}
	if strings.HasSuffix(folder, "test") {
		_, listed := h.floorOf(path.Dir(folder))
		return TestOnly, listed
	}
	return 0, false
}

func (h House) file(module, file string, src []byte) []Breach {
	folder := path.Dir(file)
	floor, listed := h.floorOf(folder)
	if !listed {
		return []Breach{{file, "folder " + folder + " is not in the table of floors", "add it to internal/floors and ARCHITECTURE.md by a decision record"}}
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, src, parser.SkipObjectResolution)
	if err != nil {
		return []Breach{{file, "it cannot be parsed", err.Error()}}
	}
	isTest := strings.HasSuffix(file, "_test.go") || floor == TestOnly
	var out []Breach
	clock := ""
	for _, spec := range f.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return []Breach{{file, "it cannot be parsed", err.Error()}}
		}
		if name == "time" {
			clock = "time"
			if spec.Name != nil {
				clock = spec.Name.Name
			}
		}
		if b, bad := h.importOf(module, folder, floor, isTest, name); bad {
			b.File = file
			out = append(out, b)
		}
	}
	if floor <= clean && !isTest && clock != "" {
		out = append(out, clockReads(file, clock, f)...)
	}
	return out
}

// importOf judges one import of a file in folder, on floor.
func (h House) importOf(module, folder string, floor int, isTest bool, name string) (Breach, bool) {
	if name == "C" {
		return Breach{What: "imports C", Why: "the default build has no cgo"}, true
	}
	if isTest {
		return Breach{}, false
	}
	if name == module {
		name = module + "/."
	}
	to, own := strings.CutPrefix(name, module+"/")
	if !own {
		why, denied := h.Denied[name]
		denied = denied && floor <= clean && !has(h.Except, folder, name)
		return Breach{What: fmt.Sprintf("imports %s on floor %d", name, floor), Why: why}, denied
	}
	toFloor, listed := h.floorOf(to)
	switch {
	case !listed:
		return Breach{What: "imports " + to, Why: "that folder is not in the table of floors"}, true
	case toFloor == TestOnly:
		return Breach{What: "imports " + to, Why: "that folder is for tests"}, folder != "internal/bench"
	case toFloor < floor, has(h.Allowed, folder, to):
		return Breach{}, false
	case toFloor == floor:
		return Breach{What: fmt.Sprintf("imports %s on its own floor %d", to, floor), Why: "packages on one floor do not know each other"}, true
	}
	return Breach{What: fmt.Sprintf("imports %s, from floor %d to %d", to, floor, toFloor), Why: "imports go strictly downwards"}, true
}

func has(list []Sideways, from, to string) bool {
	return slices.ContainsFunc(list, func(s Sideways) bool { return s.From == from && s.To == to })
}

// clockReads finds uses of the clock through the name under which package time is imported.
func clockReads(file, clock string, f *ast.File) []Breach {
	var out []Breach
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := s.X.(*ast.Ident); ok && x.Name == clock && slices.Contains(deniedCalls, s.Sel.Name) {
			out = append(out, Breach{file, "uses time." + s.Sel.Name, "take the time as a value: an assessment is not about now"})
		}
		return true
	})
	return out
}
