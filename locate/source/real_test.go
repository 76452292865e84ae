package source_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/sense/gas"
)

func read(t testing.TB, path string) source.Input {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := gas.Read(f, filepath.Base(path))
	if err != nil {
		t.Fatal(err)
	}
	in, err := source.FromSurvey(s, false)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestDev(t *testing.T) {
	for _, f := range []string{"gas/chilbolton/survey.csv", "gas/plume-check/survey.csv"} {
		in := read(t, fixture.Shared(t, f))
		t0 := time.Now()
		r, err := source.Locate(context.Background(), in, source.Options{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		el := time.Since(t0)
		g := r.Groups[0]
		for i := range g.Sources {
			g.Sources[i].Regions.P50, g.Sources[i].Regions.P90, g.Sources[i].Regions.P95 = nil, nil, nil
		}
		g.UpperLimit = nil
		b, _ := json.MarshalIndent(g, "", " ")
		t.Logf("%s %v\n%s", f, el, b)
	}
}
