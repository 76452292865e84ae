package figure

import (
	"bytes"
	"encoding/xml"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/score"
)

// invented is a score of two words and short curves.
func invented() score.CampaignScore {
	s := score.CampaignScore{Campaigns: 12, Precision: [][2]float64{{0.1, 1}, {0.5, 0.8}, {0.9, 0.4}}, Area: [][2]float64{{2.5, 0.3}, {40, 0.7}, {900, 1}}}
	s.Reliable = []score.Reliability{
		{Word: "unlikely", From: 0.2, To: 0.45, Stated: 0.3, True: score.Share{Held: 12, Of: 40, Low: 0.18, High: 0.45}},
		{Word: "likely", From: 0.55, To: 0.8, Stated: 0.65, True: score.Share{Held: 9, Of: 12, Low: 0.47, High: 0.92}},
		{Word: "above-99", From: 0.99, To: 1},
	}
	return s
}

// TestDiagramsAreAsDrawn holds them to the files that people looked at. ATALAYA_GOLDEN=1 writes them anew; then read the diff.
func TestDiagramsAreAsDrawn(t *testing.T) {
	for name, d := range ScoreDiagrams(invented(), "(U//SYNTHETIC)", "es") {
		got, err := DiagramSVG(d)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name+".svg")
		if os.Getenv("ATALAYA_GOLDEN") != "" {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs from %s (%v). Look at it, then write it with ATALAYA_GOLDEN=1", name, file, err)
		}
		x := xml.NewDecoder(bytes.NewReader(got))
		for {
			if _, err := x.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s is no XML: %v", name, err)
			}
		}
		raster, err := DiagramPNG(d)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(raster))
		if err != nil || img.Bounds().Dx() != diagramW*Detail || img.Bounds().Dy() != diagramH*Detail {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDiagramsSayWhatTheyMust(t *testing.T) {
	all := ScoreDiagrams(invented(), "(U//SYNTHETIC)", "en")
	for name, want := range map[string][]string{
		"reliability":      {"likely, 9/12", "unlikely, 12/40", "12 campaigns", "UNCLASSIFIED//SYNTHETIC"},
		"precision-recall": {"share of the sites found"},
		"area":             {"km² a campaign", ">1<", ">10<", ">100<"},
	} {
		b, err := DiagramSVG(all[name])
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(string(b), w) {
				t.Errorf("%s lacks %q", name, w)
			}
		}
	}
	if strings.Contains(mustSVG(t, all["reliability"]), "above 99") {
		t.Error("a word of no candidate is drawn")
	}
	if got := ScoreDiagrams(score.CampaignScore{}, "(U)", "en"); len(got) != 0 {
		t.Errorf("nothing gives %d diagrams", len(got))
	}
	if _, err := DiagramSVG(Diagram{Marking: "(nonsense"}); err == nil {
		t.Error("a diagram without a marking was drawn")
	}
}

func mustSVG(t *testing.T, d Diagram) string {
	b, err := DiagramSVG(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPlacesOnAxes(t *testing.T) {
	d := Diagram{Least: [2]float64{1, 0}, Most: [2]float64{100, 1}, LogX: true}
	if q := d.at([2]float64{10, 0.5}); math.Abs(q[0]-(axesX+axesWidth/2)) > 1e-9 || math.Abs(q[1]-(axesY+axesHeight/2)) > 1e-9 {
		t.Errorf("the middle is at %v", q)
	}
	if q := d.at([2]float64{0, 0.5}); !math.IsNaN(q[0]) {
		t.Errorf("nothing on a logarithmic axis is at %v", q)
	}
	if got := ticks(0.01, 1000, true); !slices.Equal(got, []float64{0.01, 0.1, 1, 10, 100, 1000}) {
		t.Errorf("%v", got)
	}
	if got := ticks(0, 1, false); len(got) != 6 || math.Abs(got[1]-0.2) > 1e-12 {
		t.Errorf("%v", got)
	}
}
