package bench

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/atalaya-isr/atalaya/product/figure"
)

// Plots are drawings of what grows, by the names of their files: milliseconds against each axis that a benchmark has at least two cases of one series on, all cases
// of the axis in one drawing, both axes logarithmic, each figure with the range of its rounds.
func Plots(results []Result, marking string) map[string]figure.Diagram {
	type key struct{ name, axis string }
	series := map[key]map[string][]figure.Bar{}
	for _, r := range results {
		for _, a := range r.Along {
			k := key{r.Name, a.Axis}
			if series[k] == nil {
				series[k] = map[string][]figure.Bar{}
			}
			series[k][a.Series] = append(series[k][a.Series], cost(r, a))
		}
	}
	out := map[string]figure.Diagram{}
	for k, all := range series {
		d := figure.Diagram{Title: k.name + ": cost against " + k.axis, X: k.axis, Y: "ms", Marking: marking, LogX: true, LogY: true,
			Note: "Each point is the median of its rounds with their least and greatest; where one was measured once they are the same. Absolute times: compare them within one drawing alone."}
		drawn := false
		lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{}
		for _, name := range slices.Sorted(maps.Keys(all)) {
			bars := all[name]
			slices.SortFunc(bars, func(a, b figure.Bar) int { return cmp.Compare(a.X, b.X) })
			var curve [][2]float64
			for _, b := range bars {
				curve = append(curve, [2]float64{b.X, b.Value})
				lo, hi = [2]float64{min(lo[0], b.X), min(lo[1], b.Low)}, [2]float64{max(hi[0], b.X), max(hi[1], b.High)}
			}
			bars[len(bars)-1].Label = name
			drawn = drawn || len(bars) > 1
			d.Curves, d.Intervals = append(d.Curves, curve), append(d.Intervals, bars...)
		}
		if !drawn {
			continue
		}
		for i := range lo { // whole decades
			d.Least[i], d.Most[i] = math.Pow(10, math.Floor(math.Log10(lo[i]))), math.Pow(10, math.Floor(math.Log10(hi[i]))+1)
		}
		axis, _, _ := strings.Cut(k.axis, " ")
		out[k.name+"-"+axis] = d
	}
	return out
}

// cost is the milliseconds of one unit of a result, where it stands on the axis.
func cost(r Result, a Along) figure.Bar {
	if r.Unit == "s" {
		return figure.Bar{X: a.At, Low: 1e3 * r.Low, Value: 1e3 * r.Figure, High: 1e3 * r.High}
	}
	return figure.Bar{X: a.At, Low: 1e3 / r.High, Value: 1e3 / r.Figure, High: 1e3 / r.Low} // a rate
}
