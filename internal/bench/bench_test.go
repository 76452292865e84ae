package bench

import (
	"strings"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/fixture"
)

func TestEveryBenchmarkMeasuresSomething(t *testing.T) {
	leftOut := map[string]bool{}
	talk := func(line string) {
		if name, why, ok := strings.Cut(line, ": left out: "); ok && why != "" {
			leftOut[name] = true
		}
	}
	got, err := Run(t.Context(), nil, Options{Each: time.Millisecond, Dir: t.TempDir(), LargeMB: 32, Talk: talk})
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
		if n == "forward" && fixture.SharedRoot() == "" || leftOut[n] { // it says so
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

// Without the decoder the benchmark of video is left out of all, and that is told; asked for by name it is an error with its remedy.
func TestWithoutADecoderVideoIsNotMeasured(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := Run(t.Context(), []string{"video"}, Options{Dir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "ffmpeg") {
		t.Errorf("by name: %v", err)
	}
}
