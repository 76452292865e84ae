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

// planSurvey is one leg across a wind from the west, 150 m downwind of the origin, through a plume whose middle it meets.
func planSurvey(wind string) string {
	var b strings.Builder
	b.WriteString("# origin: 24.90,-106.90\n# start: 2026-03-14T12:00:00Z\n# note: SYNTHETIC\n# roughness_m: 0.1\n# molar_mass_acetone: 58.08\nt_s,x_m,y_m,z_m")
	if wind != "" {
		b.WriteString(",wind_u_mps,wind_v_mps")
	}
	b.WriteString(",acetone_ppb,acetone_sd\n")
	for k := range 41 {
		y := -200 + 10*float64(k)
		// A bell of 25 m, and a ripple in the place of noise.
		fmt.Fprintf(&b, "%d,150,%g,20%s,%.2f,1\n", k, y, wind, 2+60*math.Exp(-0.5*y*y/625)+math.Sin(float64(7*k*k)))
	}
	return b.String()
}

func runPlan(t *testing.T, args ...string) (code int, out, talk string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(append([]string{"gas", "plan", "survey.csv", "--quiet"}, args...), &o, &e)
	return code, o.String(), e.String()
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestGasPlanRanksLegsAndWritesThem(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "survey.csv", planSurvey(",4,0.1"))
	code, out, talk := runPlan(t, "--json", "--legs", "2", "--max-height", "50", "--out", "next", "--marking", "U//SYNTHETIC")
	if code != 0 || talk != "" {
		t.Fatalf("exit %d: %s", code, talk)
	}
	var a struct {
		Schema string
		Legs   []struct {
			Rank   int
			Points []struct {
				Lat    *float64
				XM     *float64 `json:"x_m"`
				Height float64  `json:"height_agl_m"`
			}
			Bits struct{ Mean, P05, P95 float64 } `json:"information_bits"`
			Why  struct{ EN, ES string }
		}
	}
	if err := json.Unmarshal([]byte(out), &a); err != nil || a.Schema != "atalaya.advice/1" || len(a.Legs) == 0 || len(a.Legs) > 2 {
		t.Fatalf("%v\n%s", err, out)
	}
	for i, l := range a.Legs {
		if l.Rank != i+1 || len(l.Points) != 2 || l.Points[0].Lat == nil || l.Points[0].XM == nil || l.Points[0].Height < 20 || l.Points[0].Height > 50 || l.Why.ES == "" {
			t.Errorf("%+v", l)
		}
	}
	for _, name := range []string{"next/next-leg.geojson", "next/next-leg.kml"} {
		if b, err := os.ReadFile(name); err != nil || !bytes.Contains(b, []byte("UNCLASSIFIED//SYNTHETIC")) {
			t.Errorf("%s: %v without its marking", name, err)
		}
	}
	if left, err := os.ReadDir("next"); err != nil || len(left) != 2 {
		t.Errorf("in the folder: %v %v", left, err)
	}
	if _, again, _ := runPlan(t, "--json", "--legs", "2", "--max-height", "50"); again != out {
		t.Error("the same input and seed give other bytes")
	}
	code, table, talk := runPlan(t)
	if code != 0 || !strings.Contains(table, "lawn-mower-lane") || !strings.Contains(table, "sent to no aircraft") {
		t.Errorf("exit %d: %s%s", code, table, talk)
	}
}

func TestGasPlanRefusesInOneLine(t *testing.T) {
	t.Chdir(t.TempDir())
	plain := planSurvey(",4,0.1")
	put(t, "elsewhere.geojson", `{"type":"Polygon","coordinates":[[[0,0],[0.1,0],[0.1,0.1],[0,0]]]}`)
	put(t, "bow.geojson", `{"type":"Polygon","coordinates":[[[-107,24],[-106,25],[-106,24],[-107,25],[-107,24]]]}`)
	put(t, "tiny.geojson", `{"type":"Polygon","coordinates":[[[-106.8986,24.90170],[-106.8984,24.90170],[-106.8984,24.90190],[-106.8986,24.90190],[-106.8986,24.90170]]]}`)
	for _, c := range []struct {
		name, survey string
		args         []string
		code         int
		want         string
	}{
		{"a fence that does not hold the start", plain, []string{"--fence", "elsewhere.geojson"}, 2, "the fence does not hold the start"},
		{"a fence that crosses itself", plain, []string{"--fence", "bow.geojson"}, 2, "bow.geojson: edges 1 and 3: the outline crosses itself"},
		{"no fence of that name", plain, []string{"--fence", "none.geojson"}, 2, "none.geojson: no such file"},
		{"a fence that leaves no room", plain, []string{"--fence", "tiny.geojson"}, 4, "no leg of 40 m or more is allowed within the fence"},
		{"a negative speed", plain, []string{"--speed", "-4"}, 2, "--speed -4"},
		{"heights the wrong way around", plain, []string{"--min-height", "60", "--max-height", "20"}, 2, "--min-height 60 lies above --max-height 20"},
		{"no minutes", plain, []string{"--minutes", "0"}, 2, "0 minutes left to fly"},
		{"no legs", plain, []string{"--legs", "0"}, 2, "--legs 0"},
		{"a start in words", plain, []string{"--start", "here"}, 2, `--start "here"`},
		{"a group that is not there", plain, []string{"--group", "B"}, 2, `there is no group "B"`},
		{"a marking that is none", plain, []string{"--marking", "pink"}, 2, "not a marking"},
		{"no wind", planSurvey(""), nil, 1, "survey.csv: no wind: a source cannot be located without it"},
		{"no place on the Earth for a map", strings.Replace(plain, "# origin: 24.90,-106.90\n", "", 1), []string{"--out", "next"}, 1, "survey.csv: the survey has no place on the Earth"},
	} {
		put(t, "survey.csv", c.survey)
		code, out, talk := runPlan(t, c.args...)
		lines := 1
		if c.name == "no wind" { // the reader names the line of the header first
			lines = 2
		}
		if code != c.code || out != "" || strings.Count(talk, "\n") != lines || !strings.Contains(talk, c.want) {
			t.Errorf("%s: exit %d, want %d. It says %q and prints %q, want %q", c.name, code, c.code, talk, out, c.want)
		}
	}
	if _, err := os.Stat("next"); err == nil {
		t.Error("a refused plan left files")
	}
}
