package source_test

import (
	"math"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/locate/source"
)

// twoCompounds is the survey of a steady source of toluene, with a second compound in the same air: a fifth of it, and noise of its own.
func twoCompounds() source.Input {
	in := legs(1, release{0, 0, 2e-3})
	g := &in.Groups[0]
	g.Compounds = append(g.Compounds, "acetone")
	for i := range g.Samples {
		v := g.Samples[i].Values[0]
		wiggle := noise * math.Sin(float64(i*i)) / 3 // enough to be no copy
		g.Samples[i].Values = append(g.Samples[i].Values, source.Value{Amount: v.Amount/5 + wiggle, SD: noise})
	}
	return in
}

func TestTheRatePosteriorIsTheLawOfTheReportedInterval(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it solves a survey")
	}
	g := locate(t, twoCompounds())
	if len(g.Sources) != 1 {
		t.Fatalf("%d sources", len(g.Sources))
	}
	s := g.Sources[0]
	if len(s.RatePosterior) != 2 || len(s.RateKgS) != 2 {
		t.Fatalf("rates of %d compounds, posteriors of %d, want 2", len(s.RateKgS), len(s.RatePosterior))
	}
	for name, b := range s.RatePosterior {
		n := b.Below + b.Above
		for _, c := range b.Counts {
			n += c
		}
		if len(b.Counts) != 20 || n < 200 || !(b.LnStep > 0) {
			t.Fatalf("%s: %d draws in %d steps of %g", name, n, len(b.Counts), b.LnStep)
		}
		// A quantile lies between the draws about p·(n-1), so that no more than those lie in the steps before its own, and at least as many
		// up to the end of its own.
		for p, q := range map[float64]float64{0.05: s.RateKgS[name].P05, 0.5: s.RateKgS[name].P50, 0.95: s.RateKgS[name].P95} {
			own := int(math.Floor((math.Log(q) - b.LnFrom) / b.LnStep))
			before, upto := b.Below, b.Below
			for k, c := range b.Counts {
				if k < own {
					before += c
				}
				if k <= own {
					upto += c
				}
			}
			if at := p * float64(n-1); float64(before) > at+1 || float64(upto) < at {
				t.Errorf("%s: %g is the quantile %g of the interval; %d of %d draws lie before its step, %d up to its end", name, q, p, before, n, upto)
			}
		}
	}
}

func TestAssumptionsAreRankedAndTheFirstIsTheDominantOne(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it solves a survey")
	}
	g := locate(t, twoCompounds())
	if len(g.Assumptions) != 8 || g.Assumptions[0].Name != g.DominantAssumption || g.Assumptions[7].Name != "samples" {
		t.Fatalf("%q leads %+v", g.DominantAssumption, g.Assumptions)
	}
	for i, a := range g.Assumptions {
		if a.OfPlace < 0 || a.OfPlace > 1 || a.OfRate < 0 || a.OfRate > 1 || i > 0 && i < 6 && a.OfPlace > g.Assumptions[i-1].OfPlace {
			t.Errorf("%+v is no share, or out of order", a)
		}
		if a.Name == "wind speed" && (a.OfPlace != 0 || a.OfRate == 0) {
			t.Errorf("wind speed scales rates alone: %+v", a)
		}
	}
	if none := locate(t, legs(2)); len(none.Assumptions) != 0 {
		t.Errorf("nothing was found, and it leans on %+v", none.Assumptions)
	}
}

func TestWarningsAreSaidInWordsAndByTheirCodes(t *testing.T) {
	in := legs(2)
	in.Groups[0].Samples[3].At[0] = math.NaN()
	g := locate(t, in)
	if len(g.Said) != 1 || len(g.Notes) != 1 || g.Said[0].Code != "survey-skipped" || g.Said[0].Values["n"] != "1" || atalaya.English(g.Said) != g.Notes[0] {
		t.Errorf("said %+v, notes %q", g.Said, g.Notes)
	}
}
