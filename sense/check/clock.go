package check

import (
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// clock follows the references of one PID.
type clock struct {
	pid   uint16
	first bool  // it is the first that the file has
	last  int64 // 27 MHz ticks
	row   []reference
}

type reference struct{ at, ticks int64 }

// row is how many references are judged together.
const clockRow = 64

func (c *checker) clockRead(v mpegts.Event) {
	k := c.clocks[v.PID]
	if k == nil {
		k = &clock{pid: v.PID, first: len(c.clocks) == 0}
		c.clocks[v.PID] = k
	}
	if s := float64(v.N) / ticks27; s > classes[pcrInterval].Limit && s <= classes[pcrJump].Limit {
		c.book.tell(pcrInterval, int32(v.PID), "", place{at: v.At}, "%.3f s since the last clock reference", s)
	}
	k.last = v.Clock
	if n := len(k.row); n == 0 || v.At > k.row[n-1].at && v.Clock > k.row[n-1].ticks {
		k.row = append(k.row, reference{v.At, v.Clock})
	}
	if len(k.row) >= clockRow {
		c.settle(k)
		k.row = append(k.row[:0], k.row[len(k.row)-2:]...)
	}
}

// settle judges the accuracy of a row of references. It can be measured from a file only where the rate is constant: where three
// in four steps have the same pace to a thousandth, and all to a twentieth. Each reference is then held against the straight line
// between its neighbours.
func (c *checker) settle(k *clock) {
	row := k.row
	if len(row) < 8 || !constant(row) {
		return
	}
	limit := classes[pcrAccuracy].Limit * 1e-9 * ticks27
	off := make([]float64, len(row))
	for i := 1; i+1 < len(row); i++ {
		a, b := row[i-1], row[i+1]
		share := float64(row[i].at-a.at) / float64(b.at-a.at)
		off[i] = float64(row[i].ticks-a.ticks) - share*float64(b.ticks-a.ticks)
	}
	for i := 1; i+1 < len(row); i++ { // one that is off bends the lines of both its neighbours by half
		if d := math.Abs(off[i]); d > limit && d >= math.Abs(off[i-1]) && d > math.Abs(off[i+1]) {
			c.book.tell(pcrAccuracy, int32(k.pid), "", place{at: row[i].at}, "%.0f ns off the line between its neighbours, at a constant rate", off[i]/ticks27*1e9)
		}
	}
}

// constant says that a row of references has one rate.
func constant(row []reference) bool {
	pace := make([]float64, 0, len(row)-1)
	for i := 1; i < len(row); i++ {
		pace = append(pace, float64(row[i].ticks-row[i-1].ticks)/float64(row[i].at-row[i-1].at))
	}
	sorted := slices.Sorted(slices.Values(pace))
	median, same := sorted[len(sorted)/2], 0
	for _, p := range pace {
		if math.Abs(p-median) > median/20 {
			return false
		}
		if math.Abs(p-median) <= median/1000 {
			same++
		}
	}
	return 4*same >= 3*len(pace)
}

// timeline knows which time stamp was met last before a byte of the file, to the step it can afford.
type timeline struct {
	row  []reference // byte, 90 kHz ticks
	n    int64
	step int64 // bytes between entries
	last int64
}

const maxTimeline = 1 << 15

func (t *timeline) add(at, pts int64) {
	t.n++
	t.last = pts
	if n := len(t.row); n > 0 && at < t.row[n-1].at+t.step {
		return
	}
	if len(t.row) == maxTimeline { // every second one goes
		t.step = max(2*t.step, (at-t.row[0].at)/maxTimeline)
		for i := range maxTimeline / 2 {
			t.row[i] = t.row[2*i]
		}
		t.row = t.row[:maxTimeline/2]
	}
	t.row = append(t.row, reference{at, pts})
}

// at is the time stamp met last at or before a byte, seconds.
func (t *timeline) at(at int64) (pts float64, ok bool) {
	i, found := slices.BinarySearchFunc(t.row, at, func(r reference, at int64) int {
		switch {
		case r.at < at:
			return -1
		case r.at > at:
			return 1
		}
		return 0
	})
	if !found {
		i--
	}
	if i < 0 {
		return 0, false
	}
	return float64(t.row[i].ticks) / ticks90, true
}
