package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
)

// smallLibrary writes a library of three invented kinds of emitters in four studies each, so that a run takes little time.
func smallLibrary(t *testing.T, dir string) {
	t.Helper()
	cas := []string{"108-88-3", "67-64-1", "71-43-2", "75-09-2"}
	profiles, species, composition := "profile,class,references,name\n", "species_id,cas,name,molar_mass_g_mol\n", "profile,species_id,weight_percent\n"
	for k, c := range cas {
		species += fmt.Sprintf("%d,%s,compound %d SYNTHETIC,80\n", k, c, k)
	}
	for c, class := range []string{"kind_a", "kind_b", "kind_c"} {
		for s := range 4 {
			id := fmt.Sprintf("P%d%d", c, s)
			profiles += fmt.Sprintf("%s,%s,SYNTHETIC%d%d,invented\n", id, class, c, s)
			for k := range cas {
				w := 8 + 2*float64((c+2*s+3*k)%4)
				if k == c {
					w = 60 + 4*float64(s)
				}
				if k == 3 && c == 0 {
					w = 20
				}
				composition += fmt.Sprintf("%s,%d,%g\n", id, k, w)
			}
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, dir+"/profiles.csv", profiles)
	put(t, dir+"/species.csv", species)
	put(t, dir+"/composition.csv", composition)
}

// classifySurvey is one crossing of a plume of kind a.
func classifySurvey(groups ...string) string {
	var b strings.Builder
	b.WriteString("# start: 2026-03-14T12:00:00Z\n# note: SYNTHETIC\n# cas_odd: 71-43-2\nt_s,x_m,y_m,z_m,wind_u_mps,wind_v_mps,toluene_ppb,acetone_ppb,odd_ppb")
	if len(groups) > 0 {
		b.WriteString(",group")
	}
	b.WriteString("\n")
	for n, g := range append(groups, "")[:max(1, len(groups))] {
		for k := range 60 {
			c := math.Exp(-math.Pow(float64(k)-30, 2) / 50)
			if g == "still" {
				c = 0
			}
			r := func(channel int) float64 { return 0.05 * math.Sin(float64(7*k*k+n+channel*(3*k+1)*(k+2))) } // ripples in the place of noise
			fmt.Fprintf(&b, "%d,%d,0,30,4,0.1,%.3f,%.3f,%.3f", 100*n+k, 10*k, 1+60*c+r(1), 1+10*c+r(2), 0.5+9*c+r(3))
			if len(groups) > 0 {
				b.WriteString("," + g)
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

func runClassify(t *testing.T, args ...string) (code int, out, talk string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(append([]string{"gas", "classify", "survey.csv", "--quiet"}, args...), &o, &e)
	return code, o.String(), e.String()
}

const wanted = `{"schema":"atalaya.target/1","name":"SYNTHETIC wanted","marking":"(U//SYNTHETIC)","provenance":"SYNTHETIC","parts":[{"cas":"108-88-3","share":6},{"cas":"67-64-1","share":1},{"cas":"71-43-2","share":1}]}`

func TestGasClassifyNamesTheKindAndItsRivals(t *testing.T) {
	t.Chdir(t.TempDir())
	smallLibrary(t, "mine")
	put(t, "survey.csv", classifySurvey())
	put(t, "wanted.json", wanted)
	code, out, talk := runClassify(t, "--json", "--library", "mine", "--target", "wanted.json")
	if code != 0 || talk != "" {
		t.Fatalf("exit %d: %s", code, talk)
	}
	var doc struct {
		Schema string
		Groups []struct {
			Group   string
			Classes []struct {
				Class       string
				Probability float64
			}
			None        float64 `json:"none_of_these"`
			Next        string  `json:"best_next_channel"`
			Composition []struct {
				Channel string
				Excess  struct{ Mean, P05, P95 float64 } `json:"excess_ppb"`
			}
			Mixture struct{ Contributions []any }
			Target  struct {
				Marking string
				Weight  struct {
					Ratio struct{ P05, P50, P95 float64 } `json:"ln_ratio"`
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	g := doc.Groups[0]
	sum := g.None
	for _, c := range g.Classes {
		sum += c.Probability
	}
	if doc.Schema != "atalaya.emitters/1" || len(g.Classes) != 3 || g.Classes[0].Class != "kind_a" || math.Abs(sum-1) > 1e-9 {
		t.Errorf("%s", out)
	}
	if g.Next != "compound 3 synthetic" { // what kind a alone has, and no channel sees
		t.Errorf("next %q", g.Next)
	}
	if len(g.Composition) != 3 || g.Composition[0].Excess.P05 >= g.Composition[0].Excess.Mean || len(g.Mixture.Contributions) == 0 {
		t.Errorf("%+v", g)
	}
	if g.Target.Marking != "(U//SYNTHETIC)" || g.Target.Weight.Ratio.P05 > g.Target.Weight.Ratio.P95 {
		t.Errorf("%+v", g.Target)
	}
	_, again, _ := runClassify(t, "--json", "--library", "mine", "--target", "wanted.json")
	if again != out {
		t.Error("the same survey and seed give different bytes")
	}
	code, table, _ := runClassify(t, "--library", "mine", "--target", "wanted.json")
	for _, want := range []string{"RESEMBLES", "kind a", "none of these", "measure next: compound 3", "target (U//SYNTHETIC)"} {
		if code != 0 || !strings.Contains(table, want) {
			t.Errorf("exit %d, no %q in\n%s", code, want, table)
		}
	}
}

func TestGasClassifyLeavesStudiesOut(t *testing.T) {
	t.Chdir(t.TempDir())
	smallLibrary(t, "mine")
	put(t, "survey.csv", classifySurvey())
	_, out, _ := runClassify(t, "--json", "--library", "mine", "--leave-out", "SYNTHETIC00", "--leave-out", "SYNTHETIC01")
	if !strings.Contains(out, `"profiles":10`) || !strings.Contains(out, `"left_out":["SYNTHETIC00","SYNTHETIC01"]`) {
		t.Errorf("%s", out)
	}
	if code, _, talk := runClassify(t, "--library", "mine", "--leave-out", "Nobody1900"); code != 2 || !strings.Contains(talk, "no profile of the library is from that study") {
		t.Errorf("exit %d: %s", code, talk)
	}
}

// A group without a plume is named, and the others are answered; without any, the command fails.
func TestGasClassifyByGroup(t *testing.T) {
	t.Chdir(t.TempDir())
	smallLibrary(t, "mine")
	put(t, "survey.csv", classifySurvey("one", "still", "two"))
	code, out, talk := runClassify(t, "--json", "--library", "mine")
	if code != 3 || !strings.Contains(out, `"group":"one"`) || !strings.Contains(out, `"group":"two"`) || strings.Contains(out, `"group":"still"`) || !strings.Contains(talk, `group "still": no channel rises`) {
		t.Errorf("exit %d\n%s\n%s", code, out, talk)
	}
	put(t, "survey.csv", classifySurvey("still"))
	if code, out, talk := runClassify(t, "--library", "mine"); code != 1 || out != "" || !strings.Contains(talk, "survey.csv") || !strings.Contains(talk, "no channel rises") {
		t.Errorf("exit %d\n%s\n%s", code, out, talk)
	}
}

func TestGasClassifyOfBadInput(t *testing.T) {
	t.Chdir(t.TempDir())
	smallLibrary(t, "mine")
	put(t, "survey.csv", classifySurvey())
	put(t, "wanted.json", "{}")
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--library", "nowhere"}, 1, "nowhere: no such folder"},
		{[]string{"--library", "."}, 1, "no profiles.csv"},
		{[]string{"--library", "mine", "--target", "nothing.json"}, 1, "nothing.json"},
		{[]string{"--library", "mine", "--target", "wanted.json"}, 1, "wanted.json: schema"},
	} {
		if code, out, talk := runClassify(t, c.args...); code != c.code || out != "" || !strings.Contains(talk, c.says) || strings.Count(talk, "\n") != 1 {
			t.Errorf("%v: exit %d, %q %q; want %d and %q", c.args, code, out, talk, c.code, c.says)
		}
	}
}
