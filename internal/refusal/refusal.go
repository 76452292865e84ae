// Package refusal guards the first invariant: Atalaya gathers intelligence and nothing else. It reads what others meet of the
// project (exported names, tags and texts of the Go code, command line, API and products; texts and code of the workbench;
// published schemas) for words of harm, in English and Spanish, and for words that would judge a person.
// INTENDED-USE.md, decision records and guides may say what the project refuses, and are not read.
package refusal

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Lexicon lists what no name and no text may hold: words or runs of words, in small letters without accents. Singular, plural
// and verb forms are listed one by one, so that a reader sees exactly what is refused.
var Lexicon = []string{
	// harm, English
	"weapon", "weapons", "weaponeering", "weaponry", "weaponize", "weaponise", "munition", "munitions", "ordnance", "ammunition", "warhead", "warheads", "missile", "missiles", "gunship",
	"strike", "strikes", "airstrike", "airstrikes", "engage", "engages", "engaged", "engagement", "engagements", "attack", "attacks", "attacker",
	"kill", "kills", "killed", "killer", "killchain", "lethal", "lethality", "assassinate", "assassination", "neutralize", "neutralise", "neutralized", "neutralised", "neutralization",
	"shoot", "shoots", "shooter", "sniper", "shootdown", "fires mission", "fire mission", "fire missions", "fire control", "firing solution", "aim point", "aim points", "aimpoint", "aimpoints",
	"target priority", "target priorities", "priority target", "priority targets", "target list", "target lists", "target package", "target packages", "high value target", "high payoff target",
	"targeting", "collateral damage", "laser designator", "designate target", "rules of engagement", "battle damage", "casualty estimate", "guide to impact", "loitering",
	// harm, Spanish
	"arma", "armas", "armamento", "municion", "municiones", "misil", "misiles", "ojiva", "ojivas", "ataque", "ataques", "atacar", "abatir", "abatido", "abatidos",
	"letal", "letales", "matar", "asesinar", "disparar", "disparo", "disparos", "francotirador", "neutralizar", "neutralizado", "blanco prioritario", "blancos prioritarios", "objetivo prioritario",
	"objetivos prioritarios", "lista de blancos", "punto de mira", "bombardeo", "bombardear", "danos colaterales",
	// judgement of persons (invariant 4), both
	"guilt", "guilt score", "threat score", "person risk", "suspect score", "dangerousness", "face recognition", "facial recognition", "biometric identification",
	"culpabilidad", "peligrosidad", "reconocimiento facial", "identificacion biometrica",
}

// An Exception lets one phrase stand below one path, for a reason.
type Exception struct {
	Under  string // slash path from the root: a file, or a folder with a slash at its end
	Phrase string // of the lexicon
	Text   string // the whole text in which it may stand; "" is any
	Why    string
}

// Exceptions are names that others gave and that must be readable as they are.
var Exceptions = []Exception{
	{"sense/klv/", "weapon", "Weapon Load", "MISB ST 0601 item 60, named so that its bytes can be kept opaque"},
	{"external/apertium/", "kill", "Kill", "the system call that ends a program which does not stop"},
	{"sense/klv/", "attack", "Platform Angle of Attack", "MISB ST 0601 item 50: the angle of the air on the wing"},
	{"sense/klv/", "attack", "Platform Angle of Attack (Full)", "MISB ST 0601 item 92: the angle of the air on the wing"},
}

// A Finding is one refused phrase in one text.
type Finding struct{ Place, Text, Phrase string }

func (f Finding) String() string {
	return fmt.Sprintf("%s: %q holds %q: Atalaya is for intelligence only (INTENDED-USE.md)", f.Place, f.Text, f.Phrase)
}

// Words splits a name or text into words in small letters without accents: at anything that is no letter or digit, and
// where a name such as "aimPointURL" begins a new word.
func Words(s string) []string {
	var words []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			words = append(words, string(word))
			word = nil
		}
	}
	rs := []rune(s)
	for i, r := range rs {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			if !unicode.Is(unicode.Mn, r) { // a combining accent belongs to its letter
				flush()
			}
			continue
		}
		newWord := unicode.IsUpper(r) && i > 0 && (unicode.IsLower(rs[i-1]) || unicode.IsDigit(rs[i-1]) ||
			unicode.IsUpper(rs[i-1]) && i+1 < len(rs) && unicode.IsLower(rs[i+1]))
		if newWord || i > 0 && unicode.IsDigit(r) != unicode.IsDigit(rs[i-1]) {
			flush()
		}
		word = append(word, fold(unicode.ToLower(r)))
	}
	flush()
	return words
}

var accents = strings.NewReplacer("á", "a", "é", "e", "í", "i", "ó", "o", "ú", "u", "ü", "u", "ñ", "n")

func fold(r rune) rune { return []rune(accents.Replace(string(r)))[0] }

// Refused lists the phrases of the lexicon that a name or text holds.
func Refused(text string) []string {
	words := " " + strings.Join(Words(text), " ") + " "
	var out []string
	for _, p := range Lexicon {
		if strings.Contains(words, " "+p+" ") {
			out = append(out, p)
		}
	}
	return out
}

// A guard collects findings below one root.
type guard struct {
	root     string
	findings []Finding
}

func (g *guard) look(file, place, text string) {
	for _, phrase := range Refused(text) {
		excepted := slices.ContainsFunc(Exceptions, func(e Exception) bool {
			under := e.Under == file || strings.HasSuffix(e.Under, "/") && strings.HasPrefix(file, e.Under)
			return under && e.Phrase == phrase && (e.Text == "" || e.Text == text)
		})
		if !excepted {
			g.findings = append(g.findings, Finding{place, text, phrase})
		}
	}
}

// Check reads the project below root, the folder of go.mod.
func Check(root string) ([]Finding, error) {
	g := &guard{root: root}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel != "." && (passedOver(d.Name()) || rel == "internal/refusal" || rel == "web/dist") {
				return filepath.SkipDir
			}
			return nil
		}
		read := readerOf(rel)
		if read == nil {
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return read(g, rel, src)
	})
	return g.findings, err
}

func passedOver(dir string) bool {
	return dir == "testdata" || dir == "vendor" || dir == "node_modules" || strings.HasPrefix(dir, ".") || strings.HasPrefix(dir, "_")
}

// readerOf says how a file is read; nil is not at all. Tests are not what others meet.
func readerOf(file string) func(*guard, string, []byte) error {
	ext := filepath.Ext(file)
	switch {
	case ext == ".go" && !strings.HasSuffix(file, "_test.go"):
		return (*guard).goFile
	case strings.HasPrefix(file, "web/src/") && slices.Contains([]string{".ts", ".js", ".svelte", ".css", ".html"}, ext) && !strings.Contains(file, ".test."):
		return (*guard).lines
	case file == "web/index.html":
		return (*guard).lines
	case ext == ".json" && (strings.HasPrefix(file, "web/src/") || strings.HasPrefix(file, "docs/reference/") || strings.HasPrefix(file, "serve/")):
		return (*guard).jsonFile
	case (ext == ".yaml" || ext == ".yml" || ext == ".sql") && !strings.HasPrefix(file, "docs/how-to"):
		return (*guard).lines
	}
	return nil
}

// goFile looks at exported names, at the tags of fields and at every text.
func (g *guard) goFile(file string, src []byte) error {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, src, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	at := func(n ast.Node) string { return fmt.Sprintf("%s:%d", file, fset.Position(n.Pos()).Line) }
	imports := map[*ast.BasicLit]bool{}
	for _, i := range f.Imports {
		imports[i.Path] = true
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			if n.IsExported() {
				g.look(file, at(n), n.Name)
			}
		case *ast.BasicLit:
			if n.Kind == token.STRING && !imports[n] {
				if text, err := strconv.Unquote(n.Value); err == nil {
					g.look(file, at(n), text)
				}
			}
		}
		return true
	})
	g.look(file, file, f.Name.Name)
	return nil
}

// lines looks at a text line by line.
func (g *guard) lines(file string, src []byte) error {
	n := 0
	for line := range strings.Lines(string(src)) {
		n++
		g.look(file, fmt.Sprintf("%s:%d", file, n), strings.TrimSpace(line))
	}
	return nil
}

// jsonFile looks at every key and every text of a JSON file.
func (g *guard) jsonFile(file string, src []byte) error {
	d := json.NewDecoder(strings.NewReader(string(src)))
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if text, ok := t.(string); ok {
			g.look(file, fmt.Sprintf("%s: byte %d", file, d.InputOffset()), text)
		}
	}
}
