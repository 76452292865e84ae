package bench

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/simulate"
)

// One small campaign goes both ways: what its files hold comes out of the program, and is judged beside what the sheets state.
func TestFilesAreHeldAgainstSheets(t *testing.T) {
	if testing.Short() {
		t.Skip("gas surveys are located")
	}
	o := smallFusion()
	o.Seeds, o.Calibration = 1, *site.Shipped()
	o.Find = func(name string) (simulate.RegionScenario, error) { // a flight of each
		s, err := hamlet(name)
		s.Sorties.Count, s.Sorties.Mix = 3, map[string]int{"gas-drone": 1, "male": 1, "signals": 1}
		return s, err
	}
	f, err := CheckFiles(context.Background(), o, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Problems) > 0 {
		t.Errorf("problems: %v", f.Problems)
	}
	places := map[string]SenseFigures{}
	for _, s := range f.Senses {
		places[s.Sense+" "+s.From] = s
	}
	for _, sense := range []string{"signal", "video"} {
		if s := places[sense+" files"]; s.In90.Of == 0 || s.OffM <= 0 || s.StatedM <= 0 {
			t.Errorf("nothing came of the files of %s: %+v", sense, s)
		}
	}
	if a, b := places["video files"], places["video sheets"]; a.In90.Of < b.In90.Of {
		t.Errorf("%d call-outs from files, %d in sheets, where only things that are no place are left out", a.In90.Of, b.In90.Of)
	}
	if s := places["signal files"]; s.Found.Of < places["signal sheets"].In90.Of || s.Found.Inside != s.In90.Of {
		t.Errorf("%d fixes of %d sets that were heard", s.In90.Of, s.Found.Of)
	}
	if a, b := places["gas files"], places["gas sheets"]; a.Looks != b.Looks || a.Looks == 0 || a.Found.Of != b.Found.Of {
		t.Errorf("gas: %d surveys of %d looks, %d sites looked at of %d", a.Looks, b.Looks, a.Found.Of, b.Found.Of)
	}
	if len(f.Rankings) != 2 || f.Rankings[0].Score.Sites != f.Rankings[1].Score.Sites || f.Rankings[1].Score.Candidates == 0 {
		t.Errorf("rankings: %+v", f.Rankings)
	}
	var text bytes.Buffer
	if err := f.Print(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"gas     files", "signal  sheets", "from files", "RANK FROM SHEETS"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, text.String())
		}
	}
}

func TestCovarianceOfAnEllipse(t *testing.T) {
	want := [2][2]float64{{900, 250}, {250, 400}}
	got := covarianceOf(geodesy.EllipseOf(want, 0.95), 0.95)
	for i := range 2 {
		for k := range 2 {
			if math.Abs(got[i][k]-want[i][k]) > 1e-6 {
				t.Fatalf("%v, want %v", got, want)
			}
		}
	}
}
