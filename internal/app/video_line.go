package app

import (
	"math"
	"slices"
	"sort"
)

// ticks is a second of a transport stream's time stamps (ISO/IEC 13818-1, 2.4.3.7).
const ticks = 90000

func seconds(t int64) float64 { return float64(t) / ticks }

// A timeLine puts the time stamps of a file on one line that only goes forward. It is the stream's own line wherever that does so.
// Where time goes back, or leaps too far, as in a file that was put together from several, a new run begins: what
// follows is shifted to lie behind what came before. Without this two pictures would share a time, and a seek would mean either.
type timeLine struct {
	runs []run
	leap int64 // longest step that is no leap; longestLeap when zero
	last int64 // decoding time of the last unit, as the stream has it
	step int64 // between the last two
}

// A run is a stretch of the file whose time stamps are shifted alike.
type run struct {
	from        int64 // byte of the file
	shift       int64 // ticks
	first, most int64 // time stamps in it, as the stream has them
}

const (
	longestLeap = 10 * ticks   // between pictures
	sparseLeap  = 3600 * ticks // between packets of metadata, where there are no pictures: some send one a minute
	leastBack   = ticks        // metadata of several streams may be this far out of order
)

// take puts the next unit of the file on the line and gives the shift of its run.
func (l *timeLine) take(offset, dts int64) (shift int64) {
	n, leap := len(l.runs), l.leap
	if leap == 0 {
		leap = longestLeap
	}
	switch {
	case n == 0:
		var early int64 // a browser knows no time below zero
		if dts < 0 {
			early = (-dts + ticks - 1) / ticks * ticks
		}
		l.runs = append(l.runs, run{from: offset, shift: early, first: dts, most: dts})
	case dts < l.last-leastBack || dts > l.last+leap:
		before := &l.runs[n-1]
		l.runs = append(l.runs, run{from: offset, shift: before.most + before.shift + max(l.step, 1) - dts, first: dts, most: dts})
	default:
		if d := dts - l.last; d > 0 && d < ticks {
			l.step = d
		}
		r := &l.runs[n-1]
		r.most = max(r.most, dts)
	}
	l.last = dts
	return l.runs[len(l.runs)-1].shift
}

// place is the time on the line of a time stamp that stands at a byte of the file. Metadata and pictures lie side by side in a
// file, not in step: near the end of a run the run is chosen whose times it fits.
func (l *timeLine) place(offset, pts int64) int64 {
	i, found := slices.BinarySearchFunc(l.runs, offset, func(r run, at int64) int {
		if r.from < at {
			return -1
		} else if r.from > at {
			return 1
		}
		return 0
	})
	if !found {
		i--
	}
	if len(l.runs) == 0 {
		return pts
	}
	i = max(i, 0)
	const near = 5 * ticks
	fits := func(k int) bool {
		return k >= 0 && k < len(l.runs) && pts >= l.runs[k].first-near && pts <= l.runs[k].most+near
	}
	if !fits(i) {
		for _, k := range []int{i + 1, i - 1} {
			if fits(k) {
				return pts + l.runs[k].shift
			}
		}
	}
	return pts + l.runs[i].shift
}

// A span of time on the line, seconds.
type spanS [2]float64

// A coverage says when there was something of a kind: spans between which nothing came for longer than was usual.
type coverage struct{ times []float64 }

func (c *coverage) add(t float64) { c.times = append(c.times, t) }

// gapFactor and leastGapS say what a gap is: so many times the median step, and never less than so many seconds.
const (
	gapFactor = 5
	leastGapS = 0.5
)

// step is the median time between two, 0 where there are fewer.
func (c *coverage) step() float64 {
	if len(c.times) < 2 {
		return 0
	}
	d := make([]float64, 0, len(c.times)-1)
	for i := 1; i < len(c.times); i++ {
		d = append(d, c.times[i]-c.times[i-1])
	}
	sort.Float64s(d)
	return d[len(d)/2]
}

// spans lists the stretches without a gap.
func (c *coverage) spans() []spanS {
	sort.Float64s(c.times)
	longest := math.Max(leastGapS, gapFactor*c.step())
	out := []spanS{}
	for _, t := range c.times {
		if n := len(out); n > 0 && t-out[n-1][1] <= longest {
			out[n-1][1] = t
			continue
		}
		out = append(out, spanS{t, t})
	}
	return out
}
