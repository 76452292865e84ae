package product_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/product"
)

// unreviewed lists exported functions and methods that give bytes or a package without taking a review.Released.
func unreviewed(file *ast.File) []string {
	var out []string
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || !f.Name.IsExported() || f.Type.Results == nil {
			continue
		}
		gives := false
		for _, r := range f.Type.Results.List {
			t := typeText(r.Type)
			gives = gives || t == "[]byte" || t == "Package" || t == "File" || t == "[]File" || strings.Contains(t, "Reader")
		}
		takes := len(f.Type.Params.List) > 0 && typeText(f.Type.Params.List[0].Type) == "review.Released"
		writes := false
		for _, p := range f.Type.Params.List {
			writes = writes || strings.Contains(typeText(p.Type), "Writer")
		}
		if (gives || writes) && !takes {
			out = append(out, f.Name.Name)
		}
	}
	return out
}

func typeText(e ast.Expr) string {
	switch t := e.(type) {
	case *ast.Ident:
		return t.Name
	case *ast.SelectorExpr:
		return typeText(t.X) + "." + t.Sel.Name
	case *ast.ArrayType:
		return "[]" + typeText(t.Elt)
	case *ast.StarExpr:
		return typeText(t.X)
	}
	return ""
}

func TestEveryEncoderTakesAReleased(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, fn := range unreviewed(f) {
			t.Errorf("%s: %s gives bytes without a review.Released: nothing leaves unreviewed", name, fn)
		}
	}
	planted := `package product
func Leak(c atalaya.Candidate) ([]byte, error) { return nil, nil }
func WriteTo(w io.Writer, c atalaya.Candidate) (int, error) { return 0, nil }
func Fine(r review.Released) ([]byte, error) { return nil, nil }`
	f, err := parser.ParseFile(token.NewFileSet(), "planted.go", planted, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if got := unreviewed(f); len(got) != 2 || got[0] != "Leak" || got[1] != "WriteTo" {
		t.Errorf("the planted encoders were not caught: %v", got)
	}
}

// TestEveryKindIsListed: a type with an Encode method that Encoders forgets would be a door without a guard.
func TestEveryKindIsListed(t *testing.T) {
	listed := map[string]bool{}
	for _, e := range product.Encoders() {
		listed[strings.TrimPrefix(fmt.Sprintf("%T", e), "product.")] = true
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || fn.Name.Name != "Encode" {
				continue
			}
			found++
			if kind := typeText(fn.Recv.List[0].Type); !listed[kind] {
				t.Errorf("%s: %s encodes but is not in Encoders", name, kind)
			}
		}
	}
	if found != len(listed) {
		t.Errorf("%d kinds found, %d listed", found, len(listed))
	}
}
