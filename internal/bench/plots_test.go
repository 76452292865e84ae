package bench

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/atalaya-isr/atalaya/product/figure"
)

func TestPlotsDrawWhatGrows(t *testing.T) {
	along := func(axis string, at float64) []Along { return []Along{{axis, at, "all of it"}} }
	all := Plots([]Result{
		{Name: "live", Unit: "rankings/s", Figure: 4, Low: 2, High: 5, Along: along("area (km²)", 2000)},
		{Name: "live", Unit: "rankings/s", Figure: 20, Low: 10, High: 40, Along: along("area (km²)", 400)},
		{Name: "gas", Unit: "s", Figure: 2, Low: 1, High: 3, Along: along("samples", 450)},
		{Name: "gas", Unit: "s", Figure: 1, Low: 1, High: 1, Along: along("cells", 250)},
		{Name: "gas", Unit: "s", Figure: 3, Low: 3, High: 3, Along: along("cells", 1000)},
		{Name: "klv", Unit: "packets/s", Figure: 1e6},
	}, "(U)")
	if got := slices.Sorted(maps.Keys(all)); !slices.Equal(got, []string{"gas-cells", "live-area"}) {
		t.Fatalf("drawn are %q: one point is no growth", got)
	}
	d := all["live-area"]
	// A rate of 10 to 40 a second is 25 to 100 ms each, in rising order of what it stands along.
	want := []figure.Bar{{X: 400, Low: 25, Value: 50, High: 100}, {X: 2000, Low: 200, Value: 250, High: 500, Label: "all of it"}}
	if !slices.Equal(d.Intervals, want) || d.Least != [2]float64{100, 10} || d.Most != [2]float64{10000, 1000} {
		t.Errorf("%+v from %v to %v, want %+v", d.Intervals, d.Least, d.Most, want)
	}
	if b := all["gas-cells"].Intervals[1]; math.Abs(b.Value-3000) > 1e-9 {
		t.Errorf("three seconds are drawn as %g ms", b.Value)
	}
	if _, err := figure.DiagramSVG(d); err != nil {
		t.Error(err)
	}
}
