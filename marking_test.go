package atalaya_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/internal/storm"
	"pgregory.net/rapid"
)

func ExampleRollUp() {
	whole, err := atalaya.RollUp("(S//REL TO USA, MEX)", "(U)", "(U//SYNTHETIC)")
	m, _ := atalaya.ParseMarking(whole)
	fmt.Println(m.Banner(), err)
	fmt.Println(m.ReleasableTo("MEX"), m.ReleasableTo("GBR"), m.ReleasableTo(""))
	// Output:
	// SECRET//REL TO USA, MEX//SYNTHETIC <nil>
	// true false false
}

func TestRollUp(t *testing.T) {
	for _, row := range []struct {
		claim    string
		portions []string
		banner   string
	}{
		// The first five are the reference answers of the published roll-up.
		{"lists intersect", []string{"(U//REL TO USA, MEX)", "(U//REL TO USA, CAN, MEX)"}, "UNCLASSIFIED//REL TO USA, MEX"},
		{"a classified portion without a decision ends REL", []string{"S//REL TO USA, MEX", "S"}, "SECRET//NOFORN"},
		{"a bare unclassified portion takes no part", []string{"S//REL TO USA, MEX", "U"}, "SECRET//REL TO USA, MEX"},
		{"an unclassified portion with a control takes part", []string{"U//LES", "U//REL TO USA, MEX"}, "UNCLASSIFIED//NOFORN//LES"},
		{"FOUO gives way to DSEN", []string{"U//DSEN", "U//FOUO"}, "UNCLASSIFIED//DSEN"},
		{"FOUO gives way to a classification", []string{"U//FOUO", "C"}, "CONFIDENTIAL"},
		{"FOUO stays beside NF in an unclassified whole", []string{"U//FOUO", "U//NF"}, "UNCLASSIFIED//FOUO/NOFORN"},
		{"a list without USA is NF", []string{"S//REL TO GBR"}, "SECRET//NOFORN"},
		{"an empty intersection is NF", []string{"S//REL TO USA, GBR", "S//REL TO USA, MEX"}, "SECRET//NOFORN"},
		{"a shared group survives", []string{"S//REL TO USA, FVEY", "S//REL TO USA, MEX, FVEY"}, "SECRET//REL TO USA, FVEY"},
		{"RELIDO outlives bare U", []string{"U//RELIDO", "U"}, "UNCLASSIFIED//RELIDO"},
		{"RELIDO falls beside C, without NF", []string{"U//RELIDO", "C"}, "CONFIDENTIAL"},
		{"ORCON-USGOV needs every ORCON portion", []string{"S//OC/OC-USGOV", "S//OC"}, "SECRET//ORCON"},
		{"LES-NF becomes NOFORN and LES when classified", []string{"U//LES-NF", "S"}, "SECRET//NOFORN//LES"},
		{"LES-NF stays among unclassified", []string{"U//LES-NF", "U//LES"}, "UNCLASSIFIED//LES NOFORN"},
		{"one synthetic portion makes the whole synthetic", []string{"U//SYNTHETIC", "TS//NF"}, "TOP SECRET//NOFORN//SYNTHETIC"},
		{"banners and small letters are read too", []string{"unclassified//synthetic"}, "UNCLASSIFIED//SYNTHETIC"},
		{"countries come first USA, then by alphabet, then groups", []string{"S//REL TO NATO, MEX, USA, CAN, MEX"}, "SECRET//REL TO USA, CAN, MEX, NATO"},
	} {
		t.Run(row.claim, func(t *testing.T) {
			whole, err := atalaya.RollUp(row.portions...)
			if err != nil {
				t.Fatal(err)
			}
			m, err := atalaya.ParseMarking(whole)
			if err != nil || m.Banner() != row.banner {
				t.Errorf("RollUp(%q) = %s, %v; want %s", row.portions, m.Banner(), err, row.banner)
			}
		})
	}
}

func TestParseMarkingRefuses(t *testing.T) {
	for _, s := range []string{"", "()", "(U", "U)", "X", "R", "U//", "U//WEIRD", "S//SI-", "S//SAR-", "S//XI-G", "S//FGI ME", "U//DISPLAY ONLY", "U//DISPLAY ONLY MEX GBR", "U//USA/GBR", "U//USA/ EYES ONLY", "//GBR", "//S", "//GBR X", "TLP:PINK", "U//TLP:", "S//REL TO", "S//REL TO USA,",
		"S//REL TO USA MEX", "S//REL TO ÜSA, MEX", "ſ//NF", "U\n//NF", "S///NF", "U//NF//", strings.Repeat("U//NF", 300)} {
		m, err := atalaya.ParseMarking(s)
		if err == nil || atalaya.KindOf(err) != atalaya.BadInput {
			t.Errorf("ParseMarking(%.30q) = %q, %v; want a BadInput error", s, m.Label(), err)
		}
		if _, err := atalaya.RollUp("U", s); err == nil {
			t.Errorf("RollUp with %.30q passed", s)
		}
	}
	if _, err := atalaya.RollUp(); err == nil {
		t.Error("a roll-up of nothing passed")
	}
	var zero atalaya.Marking
	if zero.Banner() != "" || zero.Portion() != "" || zero.ReleasableTo("USA") {
		t.Error("the zero Marking must mark nothing and go to nobody")
	}
}

func TestReleasableTo(t *testing.T) {
	for _, row := range []struct {
		marking, to string
		want        bool
	}{
		{"U", "MEX", true}, {"U//SYNTHETIC", "MEX", true}, {"U", "", false}, {"U", "mex", false}, {"U", "MX", false}, {"U", "FVEY", false},
		{"U//FOUO", "MEX", false}, {"U//NF", "MEX", false}, {"U//LES", "MEX", false}, {"U//LES-NF", "MEX", false}, {"U//RELIDO", "MEX", false},
		{"S", "MEX", false}, {"S", "USA", true}, {"S//NF", "USA", true},
		{"S//REL TO USA, MEX", "MEX", true}, {"S//REL TO USA, MEX", "GBR", false}, {"S//REL TO MEX", "MEX", false},
		{"S//OC/REL TO USA, MEX", "MEX", false}, {"U//REL TO USA, MEX//LES", "MEX", true}, {"S//REL TO USA, FVEY", "GBR", true}, {"S//REL TO USA, FVEY", "MEX", false},
		{"S//REL TO FVEY", "GBR", false}, {"S//REL TO USA, KFOR", "GBR", false}, {"S//USA/MEX EYES ONLY", "MEX", true}, {"S//EYES", "MEX", false},
		{"S//DISPLAY ONLY MEX", "MEX", false}, {"S//REL TO USA, MEX/DISPLAY ONLY GBR", "GBR", false}, {"S//REL TO USA, MEX/DISPLAY ONLY GBR", "MEX", true},
		{"S//SI//REL TO USA, MEX", "MEX", false}, {"S//SAR-BP//REL TO USA, MEX", "MEX", false}, {"S//RD//REL TO USA, MEX", "MEX", false}, {"U//REL TO USA, MEX//ND", "MEX", false},
		{"U//FGI GBR", "GBR", false}, {"S//FGI GBR//REL TO USA, GBR", "GBR", true}, {"U//TLP:CLEAR", "MEX", true}, {"U//TLP:GREEN", "MEX", false},
		{"U//REL TO USA, MEX//TLP:GREEN", "MEX", true}, {"U//REL TO USA, MEX//TLP:AMBER", "MEX", false}, {"U//REL TO USA, MEX//TLP:RED", "MEX", false}, {"U", "NSG", false},
	} {
		m, err := atalaya.ParseMarking(row.marking)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.ReleasableTo(row.to); got != row.want {
			t.Errorf("%s releasable to %q: %v, want %v", row.marking, row.to, got, row.want)
		}
	}
}

// portion draws any marking that can be written.
func portion() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		blocks := []string{rapid.SampledFrom([]string{"U", "U", "U", "C", "S", "TS"}).Draw(t, "class")}
		now := func(label string, one int) bool { return rapid.IntRange(0, one).Draw(t, label) == 0 }
		codes := func(label string) string {
			all := rapid.SampledFrom([]string{"USA", "USA", "MEX", "CAN", "GBR", "FVEY", "ACGU", "TEYE", "KFOR", "XYZW"})
			return strings.Join(rapid.SliceOfNDistinct(all, 1, 5, rapid.ID[string]).Draw(t, label), ", ")
		}
		var items []string
		for _, c := range []string{"RS", "FOUO", "OC", "OC-USGOV", "IMC", "NF", "PR", "RELIDO", "DSEN", "FISA", "DS", "XD", "ND", "SBU", "SBU-NF", "LES", "LES-NF", "SSI", "SYNTHETIC", "FGI", "FGI GBR DEU",
			"SI", "SI-G-ABCD", "TK", "SAR-BP", "RD-CNWDI", "TLP:GREEN", "TLP:RED"} {
			if now(c, 14) {
				items = append(items, c)
			}
		}
		if now("rel", 1) {
			items = append(items, "REL TO "+codes("list"))
		} else if now("eyes", 3) {
			items = append(items, strings.ReplaceAll(codes("eyes list"), ", ", "/")+" EYES ONLY")
		}
		if now("display", 4) {
			items = append(items, "DISPLAY ONLY "+codes("display list"))
		}
		if len(items) > 0 {
			blocks = append(blocks, strings.Join(items, "/"))
		}
		return strings.Join(blocks, "//")
	})
}

func TestRollUpIsALattice(t *testing.T) {
	roll := func(t *rapid.T, p ...string) string {
		s, err := atalaya.RollUp(p...)
		if err != nil {
			t.Fatalf("RollUp(%q): %v", p, err)
		}
		return s
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := portion().Draw(t, "a"), portion().Draw(t, "b"), portion().Draw(t, "c")
		ab, ba := roll(t, a, b), roll(t, b, a)
		if ab != ba {
			t.Fatalf("not commutative: %q and %q", ab, ba)
		}
		if l, r := roll(t, ab, c), roll(t, a, roll(t, b, c)); l != r || l != roll(t, a, b, c) {
			t.Fatalf("not associative: %q, %q, at once %q", l, r, roll(t, a, b, c))
		}
		if aa, one := roll(t, a, a), roll(t, a); aa != one || roll(t, one) != one {
			t.Fatalf("not idempotent: %q, %q, %q", aa, one, roll(t, one))
		}
		sum, _ := atalaya.ParseMarking(ab)
		for _, part := range []string{a, b} {
			m, _ := atalaya.ParseMarking(part)
			if sum.Class() < m.Class() {
				t.Fatalf("%s lowered %s", ab, part)
			}
			if m.Synthetic() && !sum.Synthetic() {
				t.Fatalf("%s forgot that %s is synthetic", ab, part)
			}
			for _, to := range []string{"USA", "MEX", "CAN", "GBR", "DEU"} {
				if sum.ReleasableTo(to) && !m.ReleasableTo(to) {
					t.Fatalf("%s may go to %s, its part %s may not", ab, to, part)
				}
			}
		}
		if again, err := atalaya.ParseAttributes(sum.Attributes()); err != nil || !maps.Equal(again.Attributes(), sum.Attributes()) {
			t.Fatalf("%v reads back as %v, %v", sum.Attributes(), again.Attributes(), err)
		}
		for _, text := range []string{sum.Banner(), sum.Portion(), string(sum.Label())} {
			if again, err := atalaya.ParseMarking(text); err != nil || again.Label() != sum.Label() {
				t.Fatalf("%q reads back as %q, %v", text, again.Label(), err)
			}
		}
	})
}

func FuzzParseMarking(f *testing.F) {
	for _, s := range []string{"(U)", "U//REL TO USA, MEX", "UNCLASSIFIED//SYNTHETIC", "S//OC/NF//LES"} {
		f.Add(s)
	}
	storm.Fuzz(f, func(t testing.TB, s string) {
		m, err := atalaya.ParseMarking(s)
		if err != nil {
			return
		}
		again, err := atalaya.ParseMarking(m.Banner())
		if err != nil || again.Label() != m.Label() {
			t.Fatalf("%q: banner %q reads back as %q, %v", s, m.Banner(), again.Label(), err)
		}
	})
}

// ismPortion is a portion of the published cases.
type ismPortion struct {
	Text       string
	Exclude    bool
	Attributes map[string]string
}

// TestRollUpOfThePublishedCases holds every expectation of the published roll-up tests, from the attributes of their portions, and from their texts where the
// text says what the attributes say (EYES in a portion does not say to whom).
func TestRollUpOfThePublishedCases(t *testing.T) {
	var file struct {
		Cases []struct {
			ID       string
			Portions []ismPortion
			Expect   []struct{ Attr, Op, Value string }
		}
	}
	readShared(t, "release/marking/cases.json", &file)
	expectations := 0
	for _, c := range file.Cases {
		var own, texts []atalaya.Marking
		eyes := false
		for _, p := range c.Portions {
			if p.Exclude {
				continue
			}
			m, err := atalaya.ParseAttributes(p.Attributes)
			text, err2 := atalaya.ParseMarking(p.Text)
			if err != nil || err2 != nil {
				t.Fatalf("%s: %v, %v", c.ID, err, err2)
			}
			if alone := strings.Contains(p.Text, "EYES"); !alone && m.Label() != text.Label() {
				t.Errorf("%s: %v reads as %s, %s as %s", c.ID, p.Attributes, m.Label(), p.Text, text.Label())
			} else {
				eyes = eyes || alone
			}
			own, texts = append(own, m), append(texts, text)
		}
		ways := [][]atalaya.Marking{own}
		if !eyes {
			ways = append(ways, texts)
		}
		for _, portions := range ways {
			whole, why := atalaya.RollUpOf(portions)
			for _, e := range c.Expect {
				expectations++
				if !holds(strings.Fields(whole.Attributes()[e.Attr]), e.Op, strings.Fields(e.Value)) {
					t.Errorf("%s rolls up to %s; want %s %s %q", c.ID, whole.Banner(), e.Attr, e.Op, e.Value)
				}
			}
			for _, r := range why {
				if atalaya.Rules[r.Rule] == "" || len(r.Portions) == 0 || slices.Max(r.Portions) > len(portions) {
					t.Errorf("%s: because of %+v", c.ID, r)
				}
			}
		}
	}
	t.Logf("%d published cases, %d expectations held, texts and attributes together", len(file.Cases), expectations)
	if expectations < 140 {
		t.Errorf("only %d expectations were held", expectations)
	}
}

// TestCountriesOfThePublishedCases holds the published arithmetic of country lists, as far as it shows in a roll-up: what lists have in common, what groups
// come to, and who takes part.
func TestCountriesOfThePublishedCases(t *testing.T) {
	var file struct {
		Cases []struct {
			ID, Function string
			Args         struct {
				Context, ElementNode []ismPortion
				PortionCountryString string `json:"portionCountryStrings"`
				RelToStrings         []string
			}
			Expect []struct{ Value json.RawMessage }
		}
	}
	readShared(t, "release/marking/country_functions.json", &file)
	held := 0
	lists := func(of []string) string {
		var ms []atalaya.Marking
		for _, l := range of {
			m, err := atalaya.ParseAttributes(map[string]string{"classification": "S", "disseminationControls": "REL", "releasableTo": "USA " + l})
			if err != nil {
				t.Fatal(err)
			}
			ms = append(ms, m)
		}
		whole, _ := atalaya.RollUpOf(ms)
		return strings.TrimPrefix(whole.Attributes()["releasableTo"], "USA ")
	}
	for _, c := range file.Cases {
		var tokens []struct{ Token string }
		switch c.Function {
		case "unsortedCommonRelTokens":
			if err := json.Unmarshal(c.Expect[0].Value, &tokens); err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, x := range tokens {
				want = append(want, x.Token)
			}
			got := strings.Fields(lists(c.Args.RelToStrings))
			if !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
				t.Errorf("%s: %q have %q in common, want %q", c.ID, c.Args.RelToStrings, got, want)
			}
		case "expandDecomposableTetras":
			got := lists([]string{"FVEY", "AUS CAN NZL GBR"})
			if got != "AUS CAN GBR NZL" {
				t.Errorf("%s: FVEY comes to %q", c.ID, got)
			}
		case "PartakesInFDR", "countFdrPortions":
			// A portion takes part if beside a list it decides: without one of its own the whole is NOFORN.
			n := 0
			for _, p := range append(c.Args.Context, c.Args.ElementNode...) {
				m, err := atalaya.ParseAttributes(p.Attributes)
				if err != nil {
					t.Fatal(err)
				}
				list, _ := atalaya.ParseMarking("U//REL TO USA, AUS, CAN")
				whole, _ := atalaya.RollUpOf([]atalaya.Marking{list, m})
				if p.Attributes["excludeFromRollup"] == "" && (len(m.REL()) > 0 || slices.Contains(strings.Fields(whole.Attributes()["disseminationControls"]), "NF")) {
					n++
				}
			}
			want := strings.Trim(string(c.Expect[0].Value), `"`)
			if got := fmt.Sprint(n); c.Function == "countFdrPortions" && got != want || c.Function == "PartakesInFDR" && fmt.Sprint(n == 1)+"()" != want {
				t.Errorf("%s: %d take part, want %s", c.ID, n, want)
			}
		default:
			continue // steps within the published arithmetic that a roll-up does not show
		}
		held++
	}
	t.Logf("%d of %d published cases of country lists show in a roll-up, and hold", held, len(file.Cases))
	if held < 10 {
		t.Errorf("only %d were held", held)
	}
}

func readShared(t *testing.T, path string, into any) {
	t.Helper()
	raw, err := os.ReadFile(fixture.Shared(t, path))
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestTheRegisterIsThePublishedOne: order and tokens of the controls, and the codes, are those of the published tables.
func TestTheRegisterIsThePublishedOne(t *testing.T) {
	values := func(file string) (out []string) {
		raw, err := os.ReadFile(fixture.Shared(t, "release/marking/cve/"+file))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows[1:] {
			if len(r) > 1 {
				out = append(out, r[1])
			}
		}
		return out
	}
	for file, attribute := range map[string]string{"CVEnumISMDissem.csv": "disseminationControls", "CVEnumISMNonIC.csv": "nonICmarkings"} {
		all := values(file)
		if attribute == "disseminationControls" {
			all = all[:slices.Index(all, "DISPLAYONLY")+1] // the rest are of CUI
		}
		m, err := atalaya.ParseAttributes(map[string]string{"classification": "U", attribute: strings.Join(all, " ")})
		if err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == "EYES" }) // REL stands for it
		if got := m.Attributes()[attribute]; got != strings.Join(want, " ") {
			t.Errorf("%s: %s, want %s", file, got, strings.Join(want, " "))
		}
	}
	for _, code := range values("CVEnumISMCATRelTo.csv") {
		if strings.ContainsAny(code, ":[") {
			continue // a pattern
		}
		c, err := atalaya.CheckMarking("U//REL TO USA, " + code)
		if err != nil {
			t.Errorf("%s: %v", code, err)
		}
		for _, p := range c.Problems {
			if p.Rule == "unknown-code" {
				t.Errorf("%s is in the published register: %s", code, p.What)
			}
		}
	}
}

func holds(have []string, op string, want []string) bool {
	has := func() bool {
		return !slices.ContainsFunc(want, func(w string) bool { return !slices.Contains(have, w) })
	}
	switch op {
	case "equals":
		return slices.Equal(slices.Sorted(slices.Values(have)), slices.Sorted(slices.Values(want)))
	case "differs":
		return !slices.Equal(slices.Sorted(slices.Values(have)), slices.Sorted(slices.Values(want)))
	case "has":
		return has()
	case "lacks":
		return !has()
	case "present":
		return len(have) > 0
	case "absent":
		return len(have) == 0
	case "distinct":
		s := slices.Sorted(slices.Values(have))
		return len(slices.Compact(s)) == len(have)
	}
	return false
}
