package bench

import (
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/fixture"
)

func TestEveryBenchmarkMeasuresSomething(t *testing.T) {
	got, err := Run(t.Context(), nil, Options{Each: time.Millisecond, Dir: t.TempDir(), LargeMB: 32})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range got {
		seen[r.Name] = true
		if !(r.Figure > 0 && r.ReferenceFigure > 0 && r.Ratio > 0) || r.Unit == "" || r.Case == "" || r.Reference == "" {
			t.Errorf("%+v", r)
		}
	}
	for _, n := range Names() {
		if n == "forward" && fixture.SharedRoot() == "" { // it says so
			continue
		}
		if !seen[n] {
			t.Errorf("%s was not measured", n)
		}
	}
}

func TestAnUnknownBenchmarkNamesTheKnown(t *testing.T) {
	if _, err := Run(t.Context(), []string{"luck"}, Options{Dir: t.TempDir()}); atalaya.KindOf(err) != atalaya.BadUse {
		t.Error(err)
	}
}
