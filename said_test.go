package atalaya_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
)

func ExampleSay() {
	looked := atalaya.Say("looked", "n", "12")
	fmt.Println(looked.English())
	fmt.Println(looked.Code, looked.Values)
	// Output:
	// ground looked at in 12 footprints: less likely here, by what would have stood out
	// looked map[n:12]
}

func TestAValueIsSaidAsItCame(t *testing.T) {
	said := []atalaya.Sentence{atalaya.Say("report", "text", "{emitter} huele a {n}"), {Code: "of-a-later-version"}}
	if got, want := atalaya.English(said), "report: {emitter} huele a {n}; of-a-later-version"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSayRefusesWhatItsLineDoesNotAskFor(t *testing.T) {
	for _, call := range [][]string{{"nonsense"}, {"looked"}, {"looked", "m", "1"}, {"looked", "n", "1", "m", "2"}, {"same-origin", "n", "1"}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Say(%q) made a sentence", call)
				}
			}()
			atalaya.Say(call[0], call[1:]...)
		}()
	}
}

func TestADeclinedAnswerReadsAsAnyErrorAndHasItsCodes(t *testing.T) {
	e := atalaya.Declined("gas.read", atalaya.BadInput, atalaya.Say("mixture-one", "channel", "toluene"), atalaya.Say("mixture-one-remedy"))
	e.File = "flight.csv"
	wrapped := fmt.Errorf("group 3: %w", e)
	if got, want := wrapped.Error(), "group 3: flight.csv: one channel (toluene) is not a mixture. Log more compounds: kinds of emitters differ in the ratios between them"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if said := atalaya.ReasonOf(wrapped); len(said) != 2 || said[0].Code != "mixture-one" || said[0].Values["channel"] != "toluene" || said[1].Code != "mixture-one-remedy" {
		t.Errorf("the reason is %v", said)
	}
	if said := atalaya.ReasonOf(&atalaya.Error{Err: fs.ErrNotExist}); said != nil {
		t.Errorf("an error without codes has the reason %v", said)
	}
}

// said is one call of Say in the sources.
type said struct {
	place, code string
	values      []string // names; nil where they are not all literals
}

// calls reads every call of Say below a folder, so that one that is made only in a rare case cannot name a code that is none.
func calls(t *testing.T, root string) (all []said) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(src), "atalaya.Say(") {
			return err
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, path, src, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if fun, ok := call.Fun.(*ast.SelectorExpr); !ok || fun.Sel.Name != "Say" || len(call.Args) == 0 {
				return true
			}
			code, literal := text(call.Args[0])
			if !literal {
				return true // "outcome-" and a finding: outcome has a test of each
			}
			c := said{place: set.Position(call.Pos()).String(), code: code, values: []string{}}
			for i := 1; i < len(call.Args); i += 2 {
				name, literal := text(call.Args[i])
				if !literal {
					c.values = nil
					break
				}
				c.values = append(c.values, name)
			}
			all = append(all, c)
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func text(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

func TestEverySentenceThatTheSourcesSayIsKnown(t *testing.T) {
	all := calls(t, ".")
	used := map[string]bool{}
	for _, c := range all {
		line, known := atalaya.Sentences[c.code]
		if !known {
			t.Errorf("%s says %q, which is no sentence", c.place, c.code)
		}
		used[c.code] = true
		slices.Sort(c.values)
		if want := atalaya.Placeholders(line); c.values != nil && !slices.Equal(c.values, want) {
			t.Errorf("%s says %q with %v, want %v", c.place, c.code, c.values, want)
		}
	}
	for _, f := range atalaya.Findings {
		used["outcome-"+string(f)] = true
	}
	for code := range atalaya.Sentences {
		if !used[code] {
			t.Errorf("nobody says %q", code)
		}
	}
}
