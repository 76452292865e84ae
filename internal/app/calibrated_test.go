package app

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/outcome"
)

// Every case of the calibration stands in one knot and behind one word; what nobody visited is neither a hit nor a miss.
func TestTheCalibrationTellsWhatStandsBehindItsWords(t *testing.T) {
	ctx, whole := context.Background(), access.Whole()
	a, id := threePlaces(t, fitted())
	v, err := a.Calibrated(ctx, whole)
	if err != nil {
		t.Fatal(err)
	}
	cases, behind := 0.0, 0.0
	for i, k := range v.Knots {
		cases += k.Cases
		if !(k.Range[0] <= k.Calibrated && k.Calibrated <= k.Range[1]) || !(k.Between[0] <= k.Claimed && k.Claimed <= k.Between[1]) || k.CameTrue != k.Sites/k.Cases || i > 0 && k.Claimed <= v.Knots[i-1].Claimed {
			t.Errorf("knot %d: %+v", i, k)
		}
	}
	for _, w := range v.Words {
		if behind += w.Cases; w.Used != (w.Cases > 0) {
			t.Errorf("word %+v", w)
		}
	}
	if cases != 600 || behind != 600 || v.Calibration.From[0].Scenario != "valley" || len(v.Knots) < 4 {
		t.Errorf("%g cases in %d knots, %g behind words", cases, len(v.Knots), behind)
	}
	if o := v.Outcomes; o.Candidates != 3 || o.Unvisited != 3 || o.Visited != 0 || len(o.Found) != 0 {
		t.Errorf("before anybody went: %+v", o)
	}

	who, _, err := a.AddAccount(ctx, "", "ana", "analyst", "")
	if err != nil {
		t.Fatal(err)
	}
	sites, err := a.Sites(ctx, whole, id)
	if err != nil {
		t.Fatal(err)
	}
	for i, found := range []atalaya.Finding{atalaya.Confirmed, atalaya.NotVisited} {
		c, _, err := a.OpenCase(ctx, who, whole, sites.Sites[i].ID, atalaya.LegalBasis{Instrument: "SYNTHETIC order 1", ReviewBy: a.Clock().AddDate(1, 0, 0)})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := a.AddOutcome(ctx, who, whole, outcome.Report{Outcome: atalaya.Outcome{Case: c.ID, Found: found, On: a.Clock().Add(-time.Hour), By: "SYNTHETIC service"}}); err != nil {
			t.Fatal(err)
		}
	}
	if v, err = a.Calibrated(ctx, whole); err != nil {
		t.Fatal(err)
	}
	o := v.Outcomes
	if o.Candidates != 3 || o.Visited != 1 || o.Unvisited != 2 || o.Found[atalaya.Confirmed] != 1 || o.Found[atalaya.NotVisited] != 1 {
		t.Errorf("one confirmed, one not visited, one of which nothing came back: %+v", o)
	}
	for _, b := range o.Bands {
		p := sites.Sites[0].Probability
		if in := b.From <= p && p < b.To; in != (b.Visited == 1) || in && (b.Confirmed != 1 || math.Abs(b.Mean-p) > 1e-12 || b.Range == nil || b.Range[1] != 1) {
			t.Errorf("band %+v, the site visited had %g", b, p)
		}
	}
	a.Calibration = &site.Calibration{}
	if v, err = a.Calibrated(ctx, whole); err != nil || len(v.Knots) != 0 {
		t.Errorf("a calibration of no case: %+v %v", v.Knots, err)
	}
}
