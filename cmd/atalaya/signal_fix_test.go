package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const twoEmitters = `time,lat,lon,height_hae_m,bearing_deg,sigma_deg,emitter
2026-01-01T00:00:00Z,24.6,-107.3,0,34.0,1,SYNTHETIC-1
2026-01-01T00:00:10Z,24.5,-106.9,0,350.1,1,SYNTHETIC-1
2026-01-01T00:00:20Z,24.7,-106.5,0,303.7,1,SYNTHETIC-1
2026-01-01T00:00:30Z,24.7,-106.5,0,303.7,1,SYNTHETIC-2
`

func TestSignalFixAnswersInTheContractsForm(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bearings.csv")
	if err := os.WriteFile(file, []byte(twoEmitters), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, talk bytes.Buffer
	c := signalCommand()
	c.SetArgs([]string{"fix", file, "--json"})
	c.SetOut(&out)
	c.SetErr(&talk)
	c.SilenceErrors, c.SilenceUsage = true, true
	err := c.Execute()
	var code interface{ ExitCode() int }
	if !errors.As(err, &code) || code.ExitCode() != 3 {
		t.Fatalf("error %v, want exit code 3: one emitter has a single bearing", err)
	}
	if !strings.Contains(talk.String(), "emitter SYNTHETIC-2: 1 bearing gives a direction, not a position") {
		t.Errorf("standard error: %s", talk.String())
	}
	var got struct {
		Schema string
		Fixes  []map[string]any
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Schema != "atalaya.fixes/1" || len(got.Fixes) != 1 {
		t.Fatalf("got %s", out.String())
	}
	for _, key := range []string{"emitter", "time", "lat", "lon", "height_hae_m", "covariance_m2", "ellipse95", "cep50_m", "cep95_m", "integrity", "used", "rejected"} {
		if _, ok := got.Fixes[0][key]; !ok {
			t.Errorf("no key %q", key)
		}
	}
}
