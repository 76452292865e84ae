package atalaya_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/storm"
	"pgregory.net/rapid"
)

func ExampleCheckMarking() {
	c, _ := atalaya.CheckMarking("SECRET//REL TO USA, MEX\n\n(S//REL TO USA, MEX) SYNTHETIC. A first paragraph.\n\n(S) SYNTHETIC. A second one.\n\nSECRET//REL TO USA, MEX")
	for _, p := range c.Problems {
		fmt.Printf("%d:%d %s. %s\n", p.Line, p.Column, p.What, p.Remedy)
	}
	// Output:
	// 1:1 the banner is SECRET//REL TO USA, MEX, and the portions roll up to SECRET//NOFORN. Write SECRET//NOFORN
	// 7:1 the banner is SECRET//REL TO USA, MEX, and the portions roll up to SECRET//NOFORN. Write SECRET//NOFORN
}

func TestCheckOfOneMarking(t *testing.T) {
	for text, want := range map[string]string{
		"(U)": "", "UNCLASSIFIED": "", "U//FOUO": "", "SECRET//NOFORN": "", "(S//REL TO USA, MEX)": "", "(//GBR S)": "", "TOP SECRET//SI/TK//NOFORN": "", "(U//TLP:AMBER)": "",
		"(s//nf)":                         "not-as-written",
		"(S//REL TO MEX, USA)":            "not-as-written",
		"(U//LES//FOUO)":                  "not-as-written",
		"S//NOFORN":                       "not-as-written",
		"(S//REL TO GBR, MEX)":            "list-without-usa",
		"(S//REL TO USA)":                 "usa-alone",
		"(S//NF/REL TO USA, MEX)":         "nf-beside-list",
		"(S//FOUO)":                       "only-unclassified",
		"(U//FOUO/DSEN)":                  "fouo-beside-dsen",
		"(U//XD/ND)":                      "exdis-beside-nodis",
		"(S//USA/MEX EYES ONLY)":          "deprecated",
		"(U//SI)":                         "class-too-low",
		"(S//REL TO USA, MXE)":            "unknown-code",
		"(S//REL TO USA, KFOR)":           "group-not-taken-apart",
		"SECRET//REL TO USA, MEX//SBU":    "only-unclassified",
		"UNCLASSIFIED//FOUO//TLP:GREEN":   "",
		"CONFIDENTIAL//FGI GBR//NOFORN":   "",
		"UNCLASSIFIED//SYNTHETIC":         "",
		"SECRET//RD-CNWDI//FGI//NOFORN":   "",
		"(S//DISPLAY ONLY AFG)":           "",
		"(TS//SAR-BP//NF)":                "",
		"(U//REL TO USA, AUSTRALIA_GROUP": "!",
		"(U//WEIRD)":                      "!",
		"":                                "!",
	} {
		c, err := atalaya.CheckMarking(text)
		got := ""
		if err != nil {
			got = "!"
		} else if len(c.Problems) > 0 {
			got = c.Problems[0].Rule
		}
		if got != want {
			t.Errorf("%s: %q, %v; want %q", text, got, c.Problems, want)
		}
	}
}

func TestCheckOfAText(t *testing.T) {
	good := "UNCLASSIFIED//SYNTHETIC\n\n(U) Title\n\n(U//SYNTHETIC) A paragraph\nof two lines (see the next).\n\n- (U) a bullet\n2. (U) a number\n\n\tUNCLASSIFIED//SYNTHETIC  \r\n"
	if c, err := atalaya.CheckMarking(good); err != nil || len(c.Problems) > 0 || len(c.Portions) != 4 || c.Whole.Banner() != "UNCLASSIFIED//SYNTHETIC" || c.Stated.Label() != c.Whole.Label() {
		t.Errorf("%+v, %v", c, err)
	}
	for _, row := range []struct{ claim, old, new, want string }{
		{"a paragraph loses its marking", "(U) Title", "Title", "3:1 unmarked"},
		{"a portion raises the whole", "(U) Title", "(C) Title", "1:1 banner-differs, 11:1 banner-differs"},
		{"a portion cannot be read", "(U) a bullet", "(U//WEIRD) a bullet", "8:3 not-a-marking"},
		{"a portion is not closed", "(U) a number", "(U// a number", "9:4 not-a-marking"},
		{"one banner is lost", "\n\n\tUNCLASSIFIED//SYNTHETIC  \r\n", "", "9:1 one-banner"},
		{"a banner differs", "UNCLASSIFIED//SYNTHETIC  ", "UNCLASSIFIED", "11:1 banner-differs"},
		{"a banner within", "(U) Title", "UNCLASSIFIED//SYNTHETIC", "3:1 banner-within"},
		{"words in parentheses are no portion", "(U) Title", "(see annex) Title", "3:1 unmarked"},
	} {
		c, err := atalaya.CheckMarking(strings.Replace(good, row.old, row.new, 1))
		if err != nil {
			t.Errorf("%s: %v", row.claim, err)
			continue
		}
		var got []string
		for _, p := range c.Problems {
			got = append(got, fmt.Sprintf("%d:%d %s", p.Line, p.Column, p.Rule))
			if p.What == "" || p.Remedy == "" {
				t.Errorf("%s: %+v says nothing", row.claim, p)
			}
		}
		if strings.Join(got, ", ") != row.want {
			t.Errorf("%s: %q, want %q", row.claim, got, row.want)
		}
	}
	if _, err := atalaya.CheckMarking("words\nand more words"); err == nil {
		t.Error("a text without a marking passed")
	}
}

// A marking that the project writes is as the register has it.
func TestWhatIsWrittenIsAsTheRegisterHasIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, err := atalaya.ParseMarking(portion().Draw(t, "portion"))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{m.Portion(), m.Banner(), string(m.Label())} {
			c, err := atalaya.CheckMarking(text)
			if err != nil || slices.ContainsFunc(c.Problems, func(p atalaya.MarkingProblem) bool { return p.Rule == "not-as-written" }) {
				t.Fatalf("%s: %v, %v", text, c.Problems, err)
			}
		}
	})
}

func FuzzCheckMarking(f *testing.F) {
	for _, s := range []string{"UNCLASSIFIED\n\n(U) a\n\nUNCLASSIFIED", "(S//REL TO USA, MEX)", "- (//GBR S) b\n(TLP:RED) c\n(U//USA/GBR EYES ONLY) d", "SECRET//NOFORN\r\n1) (S//NF) x"} {
		f.Add(s)
	}
	storm.Fuzz(f, func(t testing.TB, s string) {
		c, err := atalaya.CheckMarking(s)
		if err != nil {
			return
		}
		lines := strings.Count(s, "\n") + 1
		for _, p := range c.Problems {
			if p.Line < 1 || p.Line > lines || p.Column < 1 || p.Rule == "" || p.What == "" || p.Remedy == "" {
				t.Fatalf("%q: %+v", s, p)
			}
		}
	})
}

// tenKB is a text of ten kilobytes whose paragraphs are marked in many ways.
func tenKB() string {
	ways := []string{"(U)", "(U//FOUO)", "(S//REL TO USA, MEX)", "(C//REL TO USA, CAN, MEX, FVEY)", "(U//LES)", "(S//OC/REL TO USA, MEX)", "(U//DSEN)", "(S//FGI GBR//REL TO USA, GBR, MEX)"}
	var b strings.Builder
	b.WriteString("SECRET//FGI GBR//ORCON/NOFORN/DSEN//LES\n\n")
	for i := 0; b.Len() < 10<<10; i++ {
		b.WriteString(ways[i%len(ways)] + " SYNTHETIC. Paragraph " + fmt.Sprint(i) + ". " + strings.Repeat("What was seen from the air, by whom and when. ", 3) + "\n\n")
	}
	b.WriteString("SECRET//FGI GBR//ORCON/NOFORN/DSEN//LES\n")
	return b.String()
}

func BenchmarkCheckTenKB(b *testing.B) {
	text := tenKB()
	if c, err := atalaya.CheckMarking(text); err != nil || len(c.Problems) > 0 || len(c.Portions) < 50 {
		b.Fatal(len(c.Portions), c.Problems, err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := atalaya.CheckMarking(text); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReadTenKB is what any check must do at least: look at each byte once.
func BenchmarkReadTenKB(b *testing.B) {
	text := tenKB()
	b.SetBytes(int64(len(text)))
	lines := 0
	for b.Loop() {
		for i := range len(text) {
			if text[i] == '\n' {
				lines++
			}
		}
	}
	if lines == 0 {
		b.Fatal("no lines")
	}
}
