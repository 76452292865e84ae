package ledger_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/internal/ledger"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// TestEveryDependencyHasItsRow is the guard itself.
func TestEveryDependencyHasItsRow(t *testing.T) {
	text, err := os.ReadFile("ledger.csv")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := ledger.Read(string(text))
	if err != nil {
		t.Fatal("ledger.csv: ", err)
	}
	deps, err := ledger.Required(fixture.Root())
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range ledger.Check(fixture.Root(), rows, deps) {
		t.Error("ledger.csv: ", fault)
	}
}

func TestPlantedFaults(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module m\n\nrequire (\n\texample.org/a v1.0.0\n\texample.org/deep v1.0.0 // indirect\n)\n")
	write("web/package.json", `{"dependencies":{"map":"1.0.0"},"devDependencies":{"build":"2.0.0"}}`)
	write("font/f.ttf", "x")
	const head = "ecosystem,module,version,licence,reason,alternative\n"
	const good = "go,example.org/a,v1.0.0,MIT,why,other\nnpm,map,1.0.0,ISC,why,other\nnpm,build,2.0.0,MIT,why,-\nasset,font/f.ttf,1,OFL-1.1,why,-\n"
	for _, row := range []struct{ claim, text, says string }{
		{"all in order", good, ""},
		{"a module without a row", strings.Replace(good, "go,example.org/a", "go,example.org/b", 1), "example.org/a v1.0.0 has no row"},
		{"an npm package without a row", strings.Replace(good, "npm,build", "npm,built", 1), "npm build 2.0.0 has no row"},
		{"a stale row", good + "go,example.org/gone,v1.0.0,MIT,why,other\n", "line 6: example.org/gone: the row is stale"},
		{"a stale asset", good + "asset,font/g.ttf,1,OFL-1.1,why,-\n", "no such file"},
		{"another version", strings.Replace(good, "v1.0.0", "v1.1.0", 1), "example.org/a is v1.0.0 in the project and v1.1.0 in the ledger"},
		{"a GPL", strings.Replace(good, "MIT", "GPL-3.0-only", 1), `"GPL-3.0-only" is not one`},
		{"an AGPL", strings.Replace(good, "ISC", "AGPL-3.0", 1), `"AGPL-3.0" is not one`},
		{"no licence", strings.Replace(good, "ISC", "", 1), `licence "" is not one`},
		{"no reason", strings.Replace(good, "why", "", 1), "no reason"},
		{"two rows", good + "npm,map,1.0.0,ISC,why,other\n", "stands twice"},
		{"a world of its own", good + "pip,x,1,MIT,why,other\n", "none of go, npm, asset"},
	} {
		t.Run(row.claim, func(t *testing.T) {
			rows, err := ledger.Read(head + row.text)
			if err != nil {
				t.Fatal(err)
			}
			deps, err := ledger.Required(root)
			if err != nil {
				t.Fatal(err)
			}
			faults := strings.Join(ledger.Check(root, rows, deps), "\n")
			if (faults == "") != (row.says == "") || !strings.Contains(faults, row.says) {
				t.Errorf("got %q, want %q", faults, row.says)
			}
		})
	}
	for _, text := range []string{"", "a,b\n", head + "go,x\n"} {
		if _, err := ledger.Read(text); err == nil {
			t.Errorf("%q was read as a ledger", text)
		}
	}
}

// TestNoCopyleftIsLinkedIn reads the licence of every module of go.mod, indirect ones too, where the module cache has it.
func TestNoCopyleftIsLinkedIn(t *testing.T) {
	if !ledger.Copyleft("\n                    GNU AFFERO GENERAL PUBLIC LICENSE\n   Version 3") || ledger.Copyleft("Mozilla Public License Version 2.0 ... GNU General Public License") {
		t.Fatal("a planted licence was misread")
	}
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Skip("the go command does not say where modules are: ", err)
	}
	text, err := os.ReadFile(filepath.Join(fixture.Root(), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, r := range mod.Require {
		escaped, err := module.EscapePath(r.Mod.Path)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(strings.TrimSpace(string(out)), filepath.FromSlash(escaped)+"@"+r.Mod.Version)
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // not needed for this build, so not there
		}
		for _, e := range entries {
			name := strings.ToUpper(e.Name())
			if e.IsDir() || !strings.Contains(name, "LICEN") && !strings.Contains(name, "COPYING") {
				continue
			}
			licence, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			read++
			if ledger.Copyleft(string(licence)) {
				t.Errorf("%s is under a GPL (%s)", r.Mod, e.Name())
			}
		}
	}
	t.Logf("%d licence files of %d modules read", read, len(mod.Require))
	if read == 0 {
		t.Skip("the module cache holds none of the modules")
	}
}
