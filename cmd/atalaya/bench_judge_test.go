package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBenchJudgesAsAsked(t *testing.T) {
	t.Setenv("ATALAYA_SHARED", "")
	plan := t.TempDir()
	for name, body := range map[string]string{
		"equipment.csv":   "name,lat,lon,height_agl_m\nTank SYNTHETIC,40,-105,4\n",
		"sensors.csv":     "name,lat,lon,height_agl_m\nN,40.0003,-105,2.4\nS,39.9997,-105,2.4\n",
		"experiments.csv": "experiment,start,end,equipment_group,lat,lon,ch4_kg_s\nshort,2022-02-01T10:00:00Z,2022-02-01T10:05:00Z,1T,40,-105,0.001\n",
	} {
		if err := os.WriteFile(filepath.Join(plan, name), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	fit := filepath.Join(t.TempDir(), "fit.json")
	knots := `{"schema":"atalaya.site-calibration/1","from":[{"scenario":"SYNTHETIC","first_seed":3,"seeds":1}],"cases":40,"sites":20,"knots":[{"log_odds":0,"from":-1,"to":1,"cases":40,"sites":20,"p05":0.3,"p95":0.7}]}`
	if err := os.WriteFile(fit, []byte(knots), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		args string
		code int
		says string // in either stream
	}{
		{"calibration klv", 2, "goes alone"},
		{"metec calibration", 2, "goes alone"},
		{"calibration --surveys -1", 2, "--surveys -1"},
		{"metec --minutes 5", 2, "--minutes 5"},
		{"metec", 2, "Name its folder with --plan"},
		{"metec --plan " + t.TempDir(), 1, "equipment.csv"},
		{"calibration --surveys 0 --flights 0 --efficiency 0 --gate", 0, "GATE"},
		{"calibration --surveys 0 --flights 0 --efficiency 0 --json", 0, `"schema":"atalaya.calibration/1"`},
		{"fusion klv", 2, "goes alone"},
		{"fusion --seeds -1", 2, "--seeds -1"},
		{"fusion --fit a --calibration b", 2, "--fit alone, without --calibration"},
		{"fusion --train-seeds 0", 2, "nothing to fit a calibration on"},
		{"fusion --calibration " + filepath.Join(plan, "sensors.csv"), 1, "Fit it again"},
		{"fusion --calibration " + filepath.Join(plan, "none.json"), 1, "Name a file that --fit wrote"},
		{"fusion --ablations=false --seeds 0 --other-seeds 0 --calibration " + fit, 0, "calibration of 40 cases, 20 of them sites, from SYNTHETIC (1 seeds from 3)"},
		{"fusion --ablations=false --seeds 0 --other-seeds 0 --json --calibration " + fit, 0, `"schema":"atalaya.fusion/1"`},
		{"metec --json --plan " + plan, 0, `"why":"5 minutes long; 10 are needed"`},
		{"metec --plan " + plan, 0, "PUBLISHED"},
	} {
		var out, talk bytes.Buffer
		if code := run(append([]string{"bench"}, strings.Fields(row.args)...), &out, &talk); code != row.code || !strings.Contains(out.String()+talk.String(), row.says) {
			t.Errorf("bench %s ends with %d, want %d and %q; it says\n%s%s", row.args, code, row.code, row.says, &out, &talk)
		}
		if strings.Contains(row.args, "--json") && !json.Valid(out.Bytes()) {
			t.Errorf("bench %s prints no JSON: %s", row.args, &out)
		}
	}
}
