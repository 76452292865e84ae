package fingerprint

import (
	"bytes"
	"compress/gzip"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/storm"
)

const (
	goodProfiles    = "profile,class,references,name\nP1,coating,SYNTHETIC1990,paint SYNTHETIC\nP2,printing,SYNTHETIC1991;SYNTHETIC1992,ink SYNTHETIC\n"
	goodSpecies     = "species_id,cas,name,molar_mass_g_mol\n1,108-88-3,Toluene,92.14\n2,108-38-3; 106-42-3,m & p-xylene,106.17\n3,,unknown oil,150\n"
	goodComposition = "profile,species_id,weight_percent,uncertainty_percent\nP1,1,60,6\nP1,2,30,\nP1,3,10,\nP2,1,100,\n"
)

func importText(profiles, species, composition string) (*Library, []error, error) {
	return Import(Table{"profiles.csv", strings.NewReader(profiles)}, Table{"species.csv", strings.NewReader(species)}, Table{"composition.csv", strings.NewReader(composition)})
}

func TestImportTurnsWeightIntoMoles(t *testing.T) {
	l, problems, err := importText(goodProfiles, goodSpecies, goodComposition)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	toluene, xylene := 60/92.14, 30/106.17
	p := l.Profiles[0]
	if len(p.Parts) != 2 || math.Abs(p.Parts[0].Share-toluene/(toluene+xylene)) > 1e-12 {
		t.Errorf("parts %+v; toluene is %.4f of the moles that have a registry number", p.Parts, toluene/(toluene+xylene))
	}
	if got := p.Parts[1].CAS; len(got) != 2 || got[0] != "106-42-3" || got[1] != "108-38-3" {
		t.Errorf("a field of two registry numbers is read as %v", got)
	}
	if want := 0.1 * p.Parts[0].Share; math.Abs(p.Parts[0].Sigma-want) > 1e-12 {
		t.Errorf("an uncertainty of a tenth of the weight is %.4f of the share, want %.4f", p.Parts[0].Sigma, want)
	}
	if l.Names["108-88-3"] != "Toluene" || l.Profiles[1].Study != "SYNTHETIC1991;SYNTHETIC1992" {
		t.Errorf("name %q, study %q", l.Names["108-88-3"], l.Profiles[1].Study)
	}
	if n := len(l.Without("SYNTHETIC1992").Profiles); n != 1 {
		t.Errorf("without one publication of a study of two, %d profiles are left of 2; want 1", n)
	}
}

// What cannot be read is one line with its place; what can be read all the same is read.
func TestImportOfBadTables(t *testing.T) {
	for _, c := range []struct {
		name                           string
		profiles, species, composition string
		says                           string // of the error, or of the problem where the rest is read
		whole                          bool   // nothing is read
	}{
		{"a weight above a hundred percent", goodProfiles, goodSpecies, goodComposition + "P2,2,140,\n", "line 6, column weight_percent: 140 is not a percentage", false},
		{"a negative weight", goodProfiles, goodSpecies, goodComposition + "P2,2,-1,\n", "line 6, column weight_percent", false},
		{"a decimal comma in a weight", goodProfiles, goodSpecies, goodComposition + "P2,2,\"1,5\",\n", "line 6, column weight_percent", false},
		{"a species that no table names", goodProfiles, goodSpecies, goodComposition + "P2,99,1,\n", "line 6, column species_id", false},
		{"a profile that no table names", goodProfiles, goodSpecies, goodComposition + "P9,1,1,\n", "line 6, column profile", false},
		{"a profile that stands twice", goodProfiles + "P1,coating,X,\n", goodSpecies, goodComposition, "line 4, column profile: the profile stands twice", false},
		{"a molar mass of nothing", goodProfiles, goodSpecies + "4,71-43-2,Benzene,0\n", goodComposition, "line 5, column molar_mass_g_mol", false},
		{"a row that is too short", goodProfiles, goodSpecies, goodComposition + "P2\n", "line 6", false},
		{"no column of classes", "profile,references\nP1,X\n", goodSpecies, goodComposition, "the header has no column class", true},
		{"no column of weights", goodProfiles, goodSpecies, "profile,species_id\nP1,1\n", "the header has no column weight_percent", true},
		{"an empty table", goodProfiles, "", goodComposition, "the file is empty", true},
		{"only a header", goodProfiles, goodSpecies, "profile,species_id,weight_percent\n", "no profile has a compound with a registry number", true},
		{"bytes that are no text", goodProfiles, "species_id,cas,molar_mass_g_mol\n1,\x00\xff\xfe\x00,92\n", goodComposition, "", true},
	} {
		l, problems, err := importText(c.profiles, c.species, c.composition)
		if c.whole != (err != nil) {
			t.Errorf("%s: error %v, library %v", c.name, err, l != nil)
			continue
		}
		text := ""
		for _, p := range append(problems, err) {
			if p != nil {
				text += p.Error() + "\n"
			}
		}
		if !strings.Contains(text, c.says) {
			t.Errorf("%s: says %q, want %q", c.name, text, c.says)
		}
		if c.whole && atalaya.KindOf(err) != atalaya.BadInput {
			t.Errorf("%s: kind %v", c.name, atalaya.KindOf(err))
		}
	}
}

func packed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestImportOfAFolder(t *testing.T) {
	full := packed(t, goodComposition)
	for _, c := range []struct {
		name  string
		files fstest.MapFS
		says  string
	}{
		{"plain and packed tables", fstest.MapFS{"profiles.csv": {Data: []byte(goodProfiles)}, "species.csv.gz": {Data: packed(t, goodSpecies)}, "composition.csv.gz": {Data: full}}, ""},
		{"a table that is missing", fstest.MapFS{"profiles.csv": {Data: []byte(goodProfiles)}, "species.csv": {Data: []byte(goodSpecies)}}, "no composition.csv"},
		{"a packed table that is cut off", fstest.MapFS{"profiles.csv": {Data: []byte(goodProfiles)}, "species.csv": {Data: []byte(goodSpecies)}, "composition.csv.gz": {Data: full[:len(full)-9]}}, "damaged or cut off"},
		{"a packed table that is none", fstest.MapFS{"profiles.csv": {Data: []byte(goodProfiles)}, "species.csv": {Data: []byte(goodSpecies)}, "composition.csv.gz": {Data: []byte(goodComposition)}}, "damaged or cut off"},
	} {
		l, _, err := ImportFS(c.files, "mine")
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
		var e *atalaya.Error
		if err != nil && (!errors.As(err, &e) || e.Hint == "") {
			t.Errorf("%s: no remedy in %v", c.name, err)
		}
		if err == nil && len(l.Profiles) != 2 {
			t.Errorf("%s: %d profiles", c.name, len(l.Profiles))
		}
	}
}

func TestIsCAS(t *testing.T) {
	for s, want := range map[string]bool{
		"108-88-3": true, "7732-18-5": true, "74-82-8": true, // toluene, water, methane
		"108-88-4": false, "108883": false, "1-23-4": false, "108-8-3": false, "": false, "10８-88-3": false, "12345678-90-1": false,
	} {
		if IsCAS(s) != want {
			t.Errorf("IsCAS(%q) = %v", s, !want)
		}
	}
}

// FuzzImport: whatever the tables hold, the importer ends, and what it gives is a library: shares that are finite, not
// negative, and sum to one.
func FuzzImport(f *testing.F) {
	f.Add(goodProfiles, goodSpecies, goodComposition)
	f.Add("profile;class\nP;x\n", "species_id;cas;molar_mass_g_mol\n1;108-88-3;92,1\n", "profile;species_id;weight_percent\nP;1;1e308\n")
	f.Add("profile,class\n\"P\n", "species_id,cas,molar_mass_g_mol\n1,,\n", "\xef\xbb\xbfprofile,species_id,weight_percent\n")
	storm.Fuzz(f, func(t testing.TB, profiles, species, composition string) {
		l, _, err := importText(profiles, species, composition)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r\x00") {
				t.Errorf("an error of more than one line: %q", err)
			}
			return
		}
		for _, p := range l.Profiles {
			sum := 0.0
			for _, q := range p.Parts {
				if !finite(q.Share) || q.Share < 0 || !finite(q.Sigma) || q.Sigma < 0 || len(q.CAS) == 0 {
					t.Fatalf("part %+v", q)
				}
				sum += q.Share
			}
			if math.Abs(sum-1) > 1e-9 {
				t.Fatalf("shares sum to %g", sum)
			}
		}
	})
}

func TestReadTarget(t *testing.T) {
	s := SyntheticTarget()
	if !s.Marking.Synthetic() || !strings.Contains(s.Name, "SYNTHETIC") || !strings.Contains(s.Provenance, "SYNTHETIC") {
		t.Errorf("the stand-in does not say that it is invented: %q %q %q", s.Marking.Portion(), s.Name, s.Provenance)
	}
	const part = `{"cas":"108-88-3","share":1},{"cas":"67-64-1","share":2}`
	for _, c := range []struct{ name, text, says string }{
		{"not JSON", "profile,share\n", "not a target profile"},
		{"another schema", `{"schema":"x/1"}`, "is not a target profile"},
		{"no provenance", `{"schema":"atalaya.target/1","name":"n","marking":"(U)","parts":[` + part + `]}`, "no provenance"},
		{"no marking", `{"schema":"atalaya.target/1","name":"n","provenance":"p","parts":[` + part + `]}`, "no marking"},
		{"a marking that is none", `{"schema":"atalaya.target/1","name":"n","marking":"SECRETISH","provenance":"p","parts":[` + part + `]}`, "marking"},
		{"a number that is no registry number", `{"schema":"atalaya.target/1","name":"n","marking":"(U)","provenance":"p","parts":[{"cas":"108-88-4","share":1}]}`, "parts[0]"},
		{"a share of nothing", `{"schema":"atalaya.target/1","name":"n","marking":"(U)","provenance":"p","parts":[{"cas":"108-88-3","share":0}]}`, "parts[0]"},
		{"a negative error", `{"schema":"atalaya.target/1","name":"n","marking":"(U)","provenance":"p","parts":[{"cas":"108-88-3","share":1,"sd":-1}]}`, "parts[0]"},
		{"one compound", `{"schema":"atalaya.target/1","name":"n","marking":"(U)","provenance":"p","parts":[{"cas":"108-88-3","share":1}]}`, "no mixture"},
		{"more than a profile", strings.Repeat(" ", maxTargetBytes+1), "more than"},
	} {
		_, err := ReadTarget(Table{"t.json", strings.NewReader(c.text)})
		if err == nil || !strings.Contains(err.Error(), c.says) || atalaya.KindOf(err) != atalaya.BadInput {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
	got, err := ReadTarget(Table{"t.json", strings.NewReader("\xef\xbb\xbf" + `{"schema":"atalaya.target/1","name":"n","marking":"(U)","provenance":"p","parts":[` + part + `]}`)})
	if err != nil || math.Abs(got.Parts[0].Share-2./3) > 1e-15 {
		t.Errorf("%+v %v", got, err)
	}
}
