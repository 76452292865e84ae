package main

import (
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/app"
)

func TestEachProblemIsOneLineAndWhatHasNoPlaceLeavesNone(t *testing.T) {
	doc := app.SitesDocument{
		Files:    []app.FileDocument{{Path: "survey.csv", Problems: []app.Problem{{At: "", What: "no date"}, {At: "line 3", What: "no number"}}}},
		Problems: []app.Problem{{At: "", What: "given up: ranking the sites"}, {At: "other.csv", What: "given up: reading it"}},
	}
	var b strings.Builder
	if err := told(&b, doc, true, false); exitCode(err) != 3 || !strings.Contains(err.Error(), "named above") {
		t.Errorf("%v", err)
	}
	if want := "survey.csv: no date\nsurvey.csv: line 3: no number\ngiven up: ranking the sites\nother.csv: given up: reading it\n"; b.String() != want {
		t.Errorf("it says\n%s\nwant\n%s", b.String(), want)
	}
	if err := told(&b, app.SitesDocument{}, false, false); err != nil {
		t.Errorf("nothing is wrong: %v", err)
	}
}
