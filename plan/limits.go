package plan

import (
	"fmt"
	"math"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/numeric"
)

// Limits say what the aircraft may do, in the survey's local metres.
type Limits struct {
	Fence      Polygon // it stays within; nil: none
	Area       Polygon // where a source is looked for while none was found; nil: the fence, or the ground around the survey
	MinHeightM float64 // above ground
	MaxHeightM float64
	SpeedMPS   float64
	Minutes    float64    // left to fly
	Start      [3]float64 // where it is
}

// AsFlown are the limits that a survey itself shows: heights between the lowest and the highest flown, the usual speed, the last place. The
// speed is NaN for instruments that stand still.
func AsFlown(s source.Survey) Limits {
	l := Limits{MinHeightM: math.Inf(1), MaxHeightM: math.Inf(-1), Minutes: 10, SpeedMPS: math.NaN()}
	last := math.Inf(-1)
	var speeds []float64
	before := map[string]source.Sample{}
	for _, p := range s.Samples {
		if !finite(p.At[:]...) {
			continue
		}
		l.MinHeightM, l.MaxHeightM = min(l.MinHeightM, p.At[2]), max(l.MaxHeightM, p.At[2])
		if p.TimeS >= last {
			last, l.Start = p.TimeS, p.At
		}
		if q, ok := before[p.Sensor]; ok && p.TimeS > q.TimeS {
			if v := length(q.At, p.At) / (p.TimeS - q.TimeS); v > 0.5 { // slower is standing, by the scatter of positions
				speeds = append(speeds, v)
			}
		}
		before[p.Sensor] = p
	}
	if len(speeds) > len(s.Samples)/2 {
		l.SpeedMPS = numeric.Median(speeds)
	}
	return l
}

func length(a, b [3]float64) float64 {
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}

// Fastest and highest that a limit may be: beyond them it is a slip of the unit.
const maxSpeedMPS, maxHeightM, maxMinutes = 150, 5000, 24 * 60

// Check refuses limits that nobody can fly by.
func (l Limits) Check() error {
	refuse := func(hint, format string, a ...any) error {
		return &atalaya.Error{Op: "plan.limits", Kind: atalaya.BadUse, Hint: hint, Err: fmt.Errorf(format, a...)}
	}
	switch {
	case math.IsNaN(l.SpeedMPS):
		return refuse("Give --speed in m/s", "the survey does not show how fast the aircraft flies")
	case !(l.SpeedMPS > 0 && l.SpeedMPS <= maxSpeedMPS):
		return refuse(fmt.Sprintf("Give m/s above 0 and up to %d", maxSpeedMPS), "a speed of %g m/s", l.SpeedMPS)
	case !(l.MinHeightM <= l.MaxHeightM):
		return refuse("Give the lower one as --min-height", "the least height, %g m, lies above the greatest, %g m", l.MinHeightM, l.MaxHeightM)
	case !(l.MinHeightM > 0 && l.MaxHeightM <= maxHeightM):
		return refuse(fmt.Sprintf("Give metres above ground, above 0 and up to %d", maxHeightM), "heights from %g to %g m", l.MinHeightM, l.MaxHeightM)
	case !(l.Minutes > 0 && l.Minutes <= maxMinutes):
		return refuse(fmt.Sprintf("Give minutes above 0 and up to %d", maxMinutes), "%g minutes left to fly", l.Minutes)
	case !finite(l.Start[:]...):
		return refuse("Give --start", "the survey does not show where the aircraft is")
	case !l.Fence.Holds(l.Start[0], l.Start[1]):
		return refuse("Give a fence around the aircraft, or --start", "the fence does not hold the start of the leg, the last place of the survey")
	}
	return nil
}

// area is where a source is looked for.
func (l Limits) area(s source.Survey) Polygon {
	switch {
	case l.Area != nil:
		return l.Area
	case l.Fence != nil:
		return l.Fence
	}
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, p := range s.Samples {
		for k := range 2 {
			if finite(p.At[k]) {
				lo[k], hi[k] = min(lo[k], p.At[k]), max(hi[k], p.At[k])
			}
		}
	}
	for k := range 2 { // as far again as the survey is wide, half of that on each side, and 150 m at least
		d := max((hi[k]-lo[k])/2, 150)
		lo[k], hi[k] = lo[k]-d, hi[k]+d
	}
	return rectangle(lo, hi)
}
