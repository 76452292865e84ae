package figure

import (
	"math"
	"strconv"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/locate/source"
)

// rateChart is the posterior of one rate: columns on a logarithmic axis, those from the 5th to the 95th percentile dark, a line at the
// median. It is as high as its columns, its words and its axis.
func (s *Sheet) rateChart(c canvas, x float64, y *float64, w, high float64, name string, r atalaya.Interval, b source.RateBins) {
	n, top := b.Below+b.Above, 0
	for _, k := range b.Counts {
		n, top = n+k, max(top, k)
	}
	if top == 0 || !(b.LnStep > 0) {
		return
	}
	_, perHour := hourUnit(r.P95)
	unit, _ := hourUnit(r.P95)
	c.text(x+5, *y, name, letters{size: 12, colour: ink, bold: true})
	c.text(x+w-2, *y, rateText(r.P50, r.P95)+" ("+bare(r.P05, r.P95)+" – "+bare(r.P95, r.P95)+") = "+figs(r.P50*perHour)+" ("+figs(r.P05*perHour)+" – "+figs(r.P95*perHour)+") "+unit,
		letters{size: 12, colour: ink, anchor: 1})
	left, right, floor := x+5, x+w-5, *y+6+high
	at := func(rate float64) float64 {
		share := (math.Log(rate) - b.LnFrom) / (b.LnStep * float64(len(b.Counts)))
		return left + (right-left)*min(max(share, 0), 1) // ln 0 is at the left end
	}
	var columns [][][][2]float64
	wide := (right - left) / float64(len(b.Counts))
	for k, v := range b.Counts {
		if v > 0 {
			tall := high * float64(v) / float64(top)
			columns = append(columns, rect(left+float64(k)*wide, floor-tall, wide, tall)...)
		}
	}
	c.rings(columns, style{fill: estimated, fillOpacity: 0.3})
	c.clip(at(r.P05), floor-high, at(r.P95)-at(r.P05), high)
	c.rings(columns, style{fill: estimated, fillOpacity: 0.65})
	c.unclip()
	c.lines(line(at(r.P50), floor-high, at(r.P50), floor), style{stroke: ink, width: 1.6})
	c.lines(line(left, floor, right, floor), style{stroke: ink, width: 1})
	for _, v := range rateTicks(b) {
		c.lines(line(at(v), floor, at(v), floor+3), style{stroke: ink, width: 1})
		anchor := 0.5
		if at(v) < left+20 {
			anchor = 0
		} else if at(v) > right-20 {
			anchor = 1
		}
		c.text(at(v), floor+12, rateText(v, v), letters{size: 10, colour: ink2, anchor: anchor})
	}
	// A hundredth of the draws lies below the axis however the rate is known; more is a rate that may be none.
	if share := float64(b.Below) / float64(n); share >= 0.02 {
		c.text(left, *y+15, s.say("rate.below", "p", figs(100*share)), letters{size: 10, colour: ink2, halo: paper})
	}
	*y = floor + 26
}

// rateTicks are the round rates on an axis: powers of ten, with steps between them where those alone are too few, and its ends where it is
// narrower than the steps of any round number. The gas room has the same (rateTicks of web/src/lib/gas.ts).
func rateTicks(b source.RateBins) []float64 {
	lo, hi := math.Exp(b.LnFrom), math.Exp(b.LnFrom+b.LnStep*float64(len(b.Counts)))
	var out []float64
	for _, steps := range []struct {
		of     []float64
		enough int
	}{{[]float64{1}, 3}, {[]float64{1, 3}, 3}, {[]float64{1, 2, 5}, 2}, {[]float64{1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9}, 2}} {
		out = out[:0]
		for decade := math.Floor(math.Log10(lo)); decade <= math.Ceil(math.Log10(hi)); decade++ {
			for _, m := range steps.of {
				if v := significant(m*math.Pow(10, decade), 2); v >= lo && v <= hi {
					out = append(out, v)
				}
			}
		}
		if len(out) >= steps.enough {
			return out
		}
	}
	return []float64{lo, hi}
}

// hourUnit is as rateUnit, of rates by the hour.
func hourUnit(scale float64) (string, float64) {
	switch kgH := scale * 3600; {
	case kgH >= 1:
		return "kg/h", 3600
	case kgH >= 1e-3:
		return "g/h", 3600e3
	case kgH >= 1e-6:
		return "mg/h", 3600e6
	}
	return "µg/h", 3600e9
}

// leans lists what the answer leans on, the first at the top: a bar for its share of the place, a thin one for that of the rate.
func (s *Sheet) leans(c canvas, x float64, y *float64, w float64, most int) {
	all := s.Group.Assumptions
	if len(all) == 0 {
		return
	}
	shown := all[:min(most, len(all)-1)]
	shown = append(append([]source.Assumption{}, shown...), all[len(all)-1]) // what no assumption explains is told always
	c.text(x+w-2, *y, s.say("leans.of"), letters{size: 10, colour: ink2, anchor: 1})
	*y += 14
	const from, long = 138.0, 132.0
	for _, a := range shown {
		c.text(x+5, *y, assumption(s.Language, a.Name), letters{size: 11, colour: ink})
		c.rings(rect(x+from, *y-9, long, 9), style{stroke: rule, width: 1})
		c.rings(rect(x+from, *y-9, long*a.OfPlace, 6), style{fill: estimated})
		c.rings(rect(x+from, *y-3, long*a.OfRate, 3), style{fill: ink2})
		c.text(x+w-2, *y, percent(a.OfPlace)+" · "+percent(a.OfRate), letters{size: 11, colour: ink, anchor: 1})
		*y += 14
	}
	*y += 2
}

func percent(v float64) string { return strconv.Itoa(int(math.Round(100*v))) + " %" }
