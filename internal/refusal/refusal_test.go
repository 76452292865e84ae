package refusal_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/internal/refusal"
)

// TestIntelligenceOnly is the guard itself.
func TestIntelligenceOnly(t *testing.T) {
	findings, err := refusal.Check(fixture.Root())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		t.Error(f)
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"aimPointURL": "aim point url", "AIMPoint": "aim point", "fire_mission": "fire mission", "kill-chain": "kill chain", "Munición": "municion",
		"Muni\u0301cion": "municion", "screenshot": "screenshot", "struckThrough": "struck through", "ST0601Set": "st 0601 set", "": "",
	} {
		if got := strings.Join(refusal.Words(text), " "); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// TestPlainWordsPass: the words of the work must not be refused.
func TestPlainWordsPass(t *testing.T) {
	for _, text := range []string{"Target Width", "target spectrum", "struck through", "screenshot", "wildfire", "fire", "open burning", "armadillo", "alarma", "farm",
		"zip bomb", "destroys the key", "blanco", "objetivo", "Confirmed", "unsafe", "killed by a signal"[7:], "skill", "engine", "designation"} {
		if got := refusal.Refused(text); len(got) > 0 {
			t.Errorf("%q is refused for %q", text, got)
		}
	}
}

func TestExceptionsHaveReasons(t *testing.T) {
	for _, e := range refusal.Exceptions {
		if e.Why == "" || e.Under == "" || e.Text == "" || !slices.Contains(refusal.Lexicon, e.Phrase) || !slices.Contains(refusal.Refused(e.Text), e.Phrase) {
			t.Errorf("the exception %+v excepts nothing, or has no reason", e)
		}
	}
	for _, p := range refusal.Lexicon {
		if strings.Join(refusal.Words(p), " ") != p {
			t.Errorf("%q is not written as words are compared, so it can never be found", p)
		}
	}
}

// TestPlantedWords plants a word in every place that others meet and wants it found there.
func TestPlantedWords(t *testing.T) {
	for _, row := range []struct {
		claim, file, text string
		phrase            string // "" is nothing to find
	}{
		{"a type", "locate/site/x.go", "package site\ntype WeaponEffect struct{}\n", "weapon"},
		{"a field", "x.go", "package atalaya\ntype Site struct{ TargetPriority int }\n", "target priority"},
		{"a method", "x.go", "package atalaya\nfunc (s Site) AimPoint() {}\n", "aim point"},
		{"a key of the API", "serve/x.go", "package serve\ntype a struct { B int `json:\"fire_mission\"` }\n", "fire mission"},
		{"a path of the API", "serve/x.go", "package serve\nvar p = \"/api/sites/{id}/engage\"\n", "engage"},
		{"a help text", "cmd/atalaya/x.go", "package main\nvar c = cobra.Command{Use: \"strike SITE\"}\n", "strike"},
		{"a flag", "cmd/atalaya/x.go", "package main\nfunc f() { c.Flags().String(\"kill-chain\", \"\", \"\") }\n", "kill"},
		{"a field of a product", "product/x.go", "package product\ntype l struct { B int `json:\"lethality\"` }\n", "lethality"},
		{"a text of a product, in Spanish", "product/x.go", "package product\nvar p = \"Blanco prioritario\"\n", "blanco prioritario"},
		{"an accent", "product/x.go", "package product\nvar p = \"munición\"\n", "municion"},
		{"a text of the workbench", "web/src/locales/es.json", `{"site":{"go":"Abatir"}}`, "abatir"},
		{"a key of the workbench", "web/src/locales/en.json", `{"weaponLoad":"x"}`, "weapon"},
		{"a component", "web/src/rooms/Site.svelte", "<button>Neutralise</button>\n", "neutralise"},
		{"code of the workbench", "web/src/lib/api.ts", "export const threatScore = 1\n", "threat score"},
		{"a published schema", "docs/reference/openapi.json", `{"paths":{"/munitions":{}}}`, "munitions"},
		{"a table of the record", "store/sqlite/migrations/1.sql", "create table target_list (id);\n", "target list"},
		{"a score of a person", "network/names/x.go", "package names\ntype GuiltScore float64\n", "guilt"},
		{"an item of MISB elsewhere", "product/x.go", "package product\nvar p = \"Weapon Load\"\n", "weapon"},

		{"an item of MISB in its table", "sense/klv/x.go", "package klv\nvar p = \"Weapon Load\"\n", ""},
		{"a document of what is refused", "INTENDED-USE.md", "No weapon, no strike.\n", ""},
		{"a test", "serve/x_test.go", "package serve\nvar p = \"strike\"\n", ""},
		{"a comment", "serve/x.go", "package serve\n// p is no strike.\nvar p = 1\n", ""},
	} {
		t.Run(row.claim, func(t *testing.T) {
			root := t.TempDir()
			name := filepath.Join(root, filepath.FromSlash(row.file))
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(row.text), 0o644); err != nil {
				t.Fatal(err)
			}
			findings, err := refusal.Check(root)
			if err != nil {
				t.Fatal(err)
			}
			if row.phrase == "" {
				if len(findings) > 0 {
					t.Errorf("refused: %v", findings)
				}
				return
			}
			found := slices.ContainsFunc(findings, func(f refusal.Finding) bool {
				return f.Phrase == row.phrase && strings.HasPrefix(f.Place, row.file)
			})
			if !found {
				t.Errorf("%q was not found: %v", row.phrase, findings)
			}
		})
	}
}
