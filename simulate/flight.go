package simulate

import "math"

// fix is a place in the air: metres east, north, and above the ground.
type fix [3]float64

// flight is a course of straight stretches at one speed.
type flight struct {
	turns []fix
	speed float64
}

// leg adds a straight stretch from a to b, joined to what was flown before.
func (f *flight) leg(a, b fix) { f.turns = append(f.turns, a, b) }

// seconds is how long the flight takes.
func (f *flight) seconds() float64 {
	var d float64
	for i := 1; i < len(f.turns); i++ {
		d += distance(f.turns[i-1], f.turns[i])
	}
	return d / f.speed
}

// at is where the aircraft is after t seconds, and the direction it flies, degrees from north. It waits at either end.
func (f *flight) at(t float64) (p fix, headingDeg float64) {
	left := max(t, 0) * f.speed
	for i := 1; i < len(f.turns); i++ {
		a, b := f.turns[i-1], f.turns[i]
		d := distance(a, b)
		if d == 0 {
			continue
		}
		headingDeg = math.Mod(math.Atan2(b[0]-a[0], b[1]-a[1])*180/math.Pi+360, 360)
		if left <= d {
			k := left / d
			return fix{a[0] + k*(b[0]-a[0]), a[1] + k*(b[1]-a[1]), a[2] + k*(b[2]-a[2])}, headingDeg
		}
		left -= d
	}
	return f.turns[len(f.turns)-1], headingDeg
}

func distance(a, b fix) float64 {
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}
