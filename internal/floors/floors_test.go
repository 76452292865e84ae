package floors_test

import (
	"go/build"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/internal/floors"
)

// TestTheHouseIsInOrder is the guard itself.
func TestTheHouseIsInOrder(t *testing.T) {
	breaches, err := floors.Ours().Check(fixture.Root())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range breaches {
		t.Error(b)
	}
}

// TestBansNameWhatExists: a ban on a package that Go does not have guards nothing.
func TestBansNameWhatExists(t *testing.T) {
	check := func(denied map[string]string) (missing []string) {
		for _, name := range slices.Sorted(maps.Keys(denied)) {
			if st, err := os.Stat(filepath.Join(build.Default.GOROOT, "src", filepath.FromSlash(name))); err != nil || !st.IsDir() {
				missing = append(missing, name)
			}
		}
		return missing
	}
	if missing := check(floors.Denied); len(missing) > 0 {
		t.Errorf("bans that name nothing in the standard library: %q", missing)
	}
	if missing := check(map[string]string{"net/htttp": "planted"}); len(missing) != 1 {
		t.Error("a ban on a package that does not exist was not caught")
	}
	for name, why := range floors.Denied {
		if why == "" {
			t.Errorf("the ban on %s has no reason", name)
		}
	}
	for _, s := range floors.Allowed {
		if s.Why == "" || s.From == s.To {
			t.Errorf("the exception %s -> %s has no reason", s.From, s.To)
		}
	}
}

func TestRoomsAreListedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range floors.Rooms {
		if seen[r.Folder] || r.Holds == "" || r.Floor > 10 || r.Floor < floors.TestOnly {
			t.Errorf("%+v", r)
		}
		seen[r.Folder] = true
	}
}

// TestPlantedBreaches plants each breach in a small house of its own and wants it caught, with the file and the reason.
func TestPlantedBreaches(t *testing.T) {
	const mod = "github.com/atalaya-isr/atalaya"
	file := func(pkg string, imports ...string) string {
		src := "package " + pkg + "\n"
		for _, i := range imports {
			src += "import _ \"" + i + "\"\n"
		}
		return src
	}
	for _, row := range []struct {
		claim, file, src string
		says             string // "" is no breach
	}{
		{"a file opened by science", "locate/source/x.go", file("source", "os"), "locate/source/x.go: imports os on floor 4: take io.Reader"},
		{"a socket in a format", "sense/gas/x.go", file("gas", "net"), "sense/gas/x.go: imports net on floor 2: transport"},
		{"transport in a product", "product/x.go", file("product", "net/http"), "product/x.go: imports net/http on floor 6"},
		{"SQL in the port", "store/x.go", file("store", "database/sql"), "through the port"},
		{"talk in the nouns", "x.go", file("atalaya", "log/slog"), "x.go: imports log/slog on floor 1"},
		{"chance of its own", "simulate/x.go", file("simulate", "math/rand/v2"), "chance comes seeded"},
		{"old chance of its own", "review/x.go", file("review", "math/rand"), "chance comes seeded"},
		{"another program", "sense/video/x.go", file("video", "os/exec"), "run by external"},
		{"memory reinterpreted", "geodesy/x.go", file("geodesy", "unsafe"), "memory is not reinterpreted"},
		{"cgo anywhere", "cmd/atalaya/x.go", "package main\nimport \"C\"\n", "no cgo"},
		{"cgo in a test", "geodesy/x_test.go", "package geodesy\nimport \"C\"\n", "no cgo"},
		{"an import that goes up", "review/x.go", file("review", mod+"/store"), "review/x.go: imports store, from floor 5 to 6: imports go strictly downwards"},
		{"the nouns looking at a format", "x.go", file("atalaya", mod+"/sense/klv"), "strictly downwards"},
		{"the Earth looking at the nouns", "geodesy/x.go", file("geodesy", mod), "strictly downwards"},
		{"neighbours", "review/x.go", file("review", mod+"/outcome"), "packages on one floor do not know each other"},
		{"an unlisted folder", "util/x.go", file("util"), "folder util is not in the table of floors"},
		{"an unlisted folder inside a room", "review/helper/x.go", file("helper"), "not in the table"},
		{"an unlisted folder of tests", "helpertest/deep/x.go", file("deep"), "not in the table"},
		{"an import of an unlisted folder", "serve/x.go", file("serve", mod+"/common"), "not in the table"},
		{"a fixture in the program", "internal/app/x.go", file("app", mod+"/internal/fixture"), "that folder is for tests"},
		{"a conformance suite in the program", "serve/x.go", file("serve", mod+"/store/storetest"), "that folder is for tests"},
		{"the clock", "review/x.go", "package review\nimport \"time\"\nvar now = time.Now\n", "review/x.go: uses time.Now: take the time as a value"},
		{"the clock under another name", "audit/x.go", "package audit\nimport t \"time\"\nvar c = t.After(1)\n", "uses time.After"},
		{"no Go at all", "audit/x.go", "paquete audit", "cannot be parsed"},

		{"files are opened by intake", "intake/x.go", file("intake", "os", "net/http"), ""},
		{"tests may do all that", "review/x_test.go", file("review", "os", "net/http", mod+"/store", mod+"/internal/fixture"), ""},
		{"so may suites", "store/storetest/x.go", file("storetest", "os", "math/rand/v2"), ""},
		{"benchmarks find their data", "internal/bench/x.go", file("bench", mod+"/internal/fixture", "os"), ""},
		{"numeric takes the seed", "numeric/x.go", file("numeric", "math/rand/v2"), ""},
		{"down is the way", "product/x.go", file("product", mod+"/review", mod, "bytes"), ""},
		{"the folders of one format", "sense/video/x.go", file("video", mod+"/sense/klv"), ""},
		{"times as values", "review/x.go", "package review\nimport \"time\"\nfunc f(t time.Time) time.Duration { return t.Sub(t) }\n", ""},
		{"what go passes over", "review/testdata/x.go", "package main\nimport \"os\"\n", ""},
	} {
		t.Run(row.claim, func(t *testing.T) {
			root := t.TempDir()
			write := func(name, text string) {
				name = filepath.Join(root, filepath.FromSlash(name))
				if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			write("go.mod", "module "+mod+"\n")
			write(row.file, row.src)
			breaches, err := floors.Ours().Check(root)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case row.says == "" && len(breaches) > 0:
				t.Errorf("not a breach: %v", breaches)
			case row.says != "" && (len(breaches) == 0 || !strings.Contains(breaches[0].String(), row.says)):
				t.Errorf("got %v, want %q", breaches, row.says)
			}
		})
	}
}
