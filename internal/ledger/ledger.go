// Package ledger guards the dependencies: every module and package that the project names itself has a row in ledger.csv with
// its version, its licence, the reason why it is here and what was not taken instead. Copyleft of the whole program (GPL,
// AGPL) is refused.
package ledger

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// Licences are those that a dependency may have (SPDX).
var Licences = []string{"0BSD", "Apache-2.0", "Bitstream-Vera", "BlueOak-1.0.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT AND Apache-2.0", "MPL-2.0", "OFL-1.1", "Unlicense"}

var columns = []string{"ecosystem", "module", "version", "licence", "reason", "alternative"}

// A Dep is what the project depends on: a Go module, an npm package, or a file of others in the tree.
type Dep struct{ Ecosystem, Module, Version string }

// A Row is a Dep with what the ledger says of it.
type Row struct {
	Dep
	Licence, Reason, Alternative string
	Line                         int
}

// Read reads a ledger.
func Read(text string) ([]Row, error) {
	r := csv.NewReader(strings.NewReader(text))
	records, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	if len(records) == 0 || !slices.Equal(records[0], columns) {
		return nil, fmt.Errorf("line 1: the header must be %s", strings.Join(columns, ","))
	}
	var rows []Row
	for i, c := range records[1:] {
		rows = append(rows, Row{Dep{c[0], c[1], c[2]}, c[3], c[4], c[5], i + 2})
	}
	return rows, nil
}

// Required lists what the project below root names: direct requires of go.mod, and web/package.json where there is one.
func Required(root string) ([]Dep, error) {
	file := filepath.Join(root, "go.mod")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	mod, err := modfile.Parse(file, text, nil)
	if err != nil {
		return nil, err
	}
	var deps []Dep
	for _, r := range mod.Require {
		if !r.Indirect {
			deps = append(deps, Dep{"go", r.Mod.Path, r.Mod.Version})
		}
	}
	text, err = os.ReadFile(filepath.Join(root, "web", "package.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return deps, nil
	}
	if err != nil {
		return nil, err
	}
	var npm struct{ Dependencies, DevDependencies map[string]string }
	if err := json.Unmarshal(text, &npm); err != nil {
		return nil, fmt.Errorf("web/package.json: %w", err)
	}
	for _, m := range []map[string]string{npm.Dependencies, npm.DevDependencies} {
		for name, version := range m {
			deps = append(deps, Dep{"npm", name, version})
		}
	}
	slices.SortFunc(deps, func(a, b Dep) int {
		return cmp.Or(cmp.Compare(a.Ecosystem, b.Ecosystem), cmp.Compare(a.Module, b.Module))
	})
	return deps, nil
}

// Check compares the ledger with what is required and gives one line a fault. root holds the assets that the ledger names.
func Check(root string, rows []Row, deps []Dep) []string {
	var out []string
	for _, d := range deps {
		i := slices.IndexFunc(rows, func(r Row) bool { return r.Ecosystem == d.Ecosystem && r.Module == d.Module })
		switch {
		case i < 0:
			out = append(out, fmt.Sprintf("%s %s %s has no row. Add one with its licence, its reason and what was not taken", d.Ecosystem, d.Module, d.Version))
		case rows[i].Version != d.Version:
			out = append(out, fmt.Sprintf("line %d: %s is %s in the project and %s in the ledger", rows[i].Line, d.Module, d.Version, rows[i].Version))
		}
	}
	seen := map[string]bool{}
	for _, r := range rows {
		out = append(out, r.faults(root, deps)...)
		if key := r.Ecosystem + " " + r.Module; seen[key] {
			out = append(out, fmt.Sprintf("line %d: %s stands twice", r.Line, r.Module))
		} else {
			seen[key] = true
		}
	}
	return out
}

func (r Row) faults(root string, deps []Dep) []string {
	var out []string
	add := func(what string) { out = append(out, fmt.Sprintf("line %d: %s: %s", r.Line, r.Module, what)) }
	if !slices.Contains(Licences, r.Licence) {
		add(fmt.Sprintf("licence %q is not one that may be linked in", r.Licence))
	}
	if r.Reason == "" || r.Alternative == "" {
		add("it has no reason, or no alternative (write - where there was none)")
	}
	switch r.Ecosystem {
	case "asset":
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(r.Module))); err != nil {
			add("the row is stale: there is no such file")
		}
	case "go", "npm":
		if !slices.ContainsFunc(deps, func(d Dep) bool { return d.Ecosystem == r.Ecosystem && d.Module == r.Module }) {
			add("the row is stale: the project does not name it any more")
		}
	default:
		add(fmt.Sprintf("ecosystem %q is none of go, npm, asset", r.Ecosystem))
	}
	return out
}

// Copyleft reports whether a licence text is a GPL, AGPL or LGPL: by its title, because other licences (MPL 2.0) mention them.
func Copyleft(licence string) bool {
	head := strings.ToUpper(strings.Join(strings.Fields(licence[:min(len(licence), 600)]), " "))
	for _, title := range []string{"GNU GENERAL PUBLIC LICENSE", "GNU AFFERO GENERAL PUBLIC LICENSE", "GNU LESSER GENERAL PUBLIC LICENSE"} {
		if strings.HasPrefix(head, title) {
			return true
		}
	}
	return false
}
