package bench

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
)

// TestThePlannerSavesFlightMinutes flies simulated surveys by advice and as a lawn-mower to a 90 % region as large as a circle of 50 m: 200 with ATALAYA_SOAK=1, and
// then 30 % of the minutes must be saved. A few of them, as in make test, cannot tell 30 % from 20 %: there the planner must not be beaten.
func TestThePlannerSavesFlightMinutes(t *testing.T) {
	o := PlannerOptions{Surveys: 1, BudgetMinutes: 6, Talk: func(s string) { t.Log(s) }}
	soak := os.Getenv("ATALAYA_SOAK") != ""
	switch {
	case testing.Short():
		t.Skip("-short: no survey was flown")
	case soak:
		o.Surveys, o.BudgetMinutes = 200, 0
		o.Talk = func(s string) { println(s) } // hours of work show how far they are
	}
	c, err := ComparePlanner(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + c.String())
	if soak && c.Saved < 0.30 || c.Saved < 0 {
		t.Errorf("%.0f %% of the flight minutes saved", 100*c.Saved)
	}
	again, err := flyAsAdvised(t.Context(), newSortie(o.FirstSeed), 2)
	if err != nil {
		t.Fatal(err)
	}
	if once, err := flyAsAdvised(t.Context(), newSortie(o.FirstSeed), 2); err != nil || once != again {
		t.Errorf("the same seed flies otherwise the second time: %v, then %v, %v", again, once, err)
	}
	var inside, reached int
	for _, f := range append(c.Planner, c.Mower...) {
		if f.Reached {
			reached++
			if f.Inside {
				inside++
			}
		}
	}
	if soak {
		// Stopping when a region is small picks those that came out small by luck: nominal 90 %, of which ten points are allowed for that.
		if share := float64(inside) / float64(reached); share < 0.8 {
			t.Errorf("%d of %d regions hold the truth", inside, reached)
		}
	}
}

func TestAreaOfARegion(t *testing.T) {
	p, area, err := rings(json.RawMessage(`{"type":"MultiPolygon","coordinates":[[[[0,0],[10,0],[10,10],[0,10],[0,0]],[[2,2],[2,4],[4,4],[4,2],[2,2]]],[[[20,0],[21,0],[21,1],[20,1],[20,0]]]]}`))
	if err != nil || math.Abs(area-97) > 1e-9 || !p.Holds(1, 1) || p.Holds(3, 3) || !p.Holds(20.5, 0.5) || p.Holds(15, 0.5) {
		t.Errorf("area %g, want 97; %v", area, err)
	}
}

// Twice as fast everywhere is half of the minutes saved, whatever the surveys.
func TestTheComparisonCountsWhatItSays(t *testing.T) {
	var c Compared
	for i := range 40 {
		m := 5 + float64(i%7)
		c.Mower = append(c.Mower, Flown{Minutes: m, Reached: i%4 != 0, Inside: true})
		c.Planner = append(c.Planner, Flown{Minutes: m / 2, Reached: true, Inside: i%2 == 0})
	}
	c.compare()
	for _, v := range []float64{c.Saved, c.SavedLow, c.SavedHigh, c.MedianRatio, c.MedianRatioLow, c.MedianRatioHigh} {
		if math.Abs(v-0.5) > 1e-12 {
			t.Errorf("%+v", c)
			break
		}
	}
	if s := c.String(); !strings.Contains(s, "lawn-mower: median 8.0 min, P(never found) 0.25") || !strings.Contains(s, "truth inside 20 of 40") {
		t.Error(s)
	}
}
