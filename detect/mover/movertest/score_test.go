package movertest

import (
	"math"
	"testing"
)

// track is a box of 10 x 10 px that stands at x in so many frames, from the first on.
func line(frames int, boxes ...Box) [][]Box {
	out := make([][]Box, frames)
	for i := range out {
		for _, b := range boxes {
			b.Y, b.W, b.H = 50, 10, 10
			out[i] = append(out[i], b)
		}
	}
	return out
}

// The cases are worked by hand from equations 9 to 15 of the paper: at one overlap, HOTA is the root of DetA times AssA.
func TestHOTA(t *testing.T) {
	half := line(10, Box{ID: 7, X: 20})
	for i := 5; i < 10; i++ {
		half[i] = nil
	}
	split := line(10, Box{ID: 7, X: 20})
	for i := 5; i < 10; i++ {
		split[i][0].ID = 8
	}
	swapped := line(10, Box{ID: 7, X: 20}, Box{ID: 8, X: 80})
	for i := 5; i < 10; i++ {
		swapped[i][0].ID, swapped[i][1].ID = 8, 7
	}
	two := line(10, Box{ID: 1, X: 20}, Box{ID: 2, X: 80})
	one := line(10, Box{ID: 1, X: 20})
	for _, c := range []struct {
		name             string
		truth, found     [][]Box
		hota, det, ass   float64
		recall, wrong    float64
		switches         int
		localised, every float64
	}{
		{"all found", two, line(10, Box{ID: 5, X: 20}, Box{ID: 6, X: 80}), 1, 1, 1, 1, 0, 0, 1, 1},
		// TP 5, FN 5: DetA 1/2. Each match: TPA 5, FNA 5: 1/2.
		{"half of the time", one, half, 0.5, 0.5, 0.5, 0.5, 0, 0, 1, 1},
		// TP 10. Each match: TPA 5, FNA 5, FPA 0: 1/2.
		{"under two identities", one, split, math.Sqrt(0.5), 1, 0.5, 1, 0, 1, 1, 1},
		// Each match: TPA 5, FNA 5, FPA 5: 1/3.
		{"two that swap", two, swapped, math.Sqrt(1.0 / 3), 1, 1.0 / 3, 1, 0, 2, 1, 1},
		// TP 10, FP 10.
		{"one too many", one, line(10, Box{ID: 5, X: 20}, Box{ID: 6, X: 80}), math.Sqrt(0.5), 0.5, 1, 1, 1, 0, 1, 1},
		// Boxes 2.5 px apart share 7.5 of 12.5: 0.6, enough for 12 of 19 overlaps.
		{"aside by a quarter", one, line(10, Box{ID: 5, X: 22.5}), 12.0 / 19, 12.0 / 19, 12.0 / 19, 1, 0, 0, 0.6, 12.0 / 19},
		{"nothing", one, make([][]Box, 10), 0, 0, 0, 0, 0, 0, 0, 0},
		{"elsewhere", one, line(10, Box{ID: 5, X: 40}), 0, 0, 0, 0, 1, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Compare(c.truth, c.found)
			near := func(what string, got, want float64) {
				if math.Abs(got-want) > 1e-9 {
					t.Errorf("%s is %v, want %v", what, got, want)
				}
			}
			near("HOTA", s.HOTA, c.hota)
			near("DetA", s.DetA, c.det)
			near("AssA", s.AssA, c.ass)
			near("LocA", s.LocA, c.localised)
			near("recall", s.Recall, c.recall)
			near("false", s.False, c.wrong)
			if s.Switches != c.switches {
				t.Errorf("%d switches, want %d", s.Switches, c.switches)
			}
		})
	}
}

// TestOneToOne: a box found between two true ones matches one of them, and the identity decides which.
func TestOneToOne(t *testing.T) {
	truth := line(10, Box{ID: 1, X: 20}, Box{ID: 2, X: 24})
	found := line(10, Box{ID: 5, X: 22})
	for i := range 4 {
		found[i] = []Box{{ID: 5, X: 24, Y: 50, W: 10, H: 10}}
	}
	s := Compare(truth, found)
	if s.Switches != 0 || s.Recall != 0.5 {
		t.Errorf("%+v", s)
	}
}

func TestWhatIsSetAsideDoesNotCount(t *testing.T) {
	truth := line(10, Box{ID: 1, X: 20}, Box{ID: 2, X: 80, Aside: true})
	if s := Compare(truth, line(10, Box{ID: 5, X: 20}, Box{ID: 6, X: 81})); math.Abs(s.HOTA-1) > 1e-9 || s.False != 0 || s.Truths != 10 {
		t.Errorf("found where it does not count: %+v", s)
	}
	if s := Compare(truth, line(10, Box{ID: 5, X: 20}, Box{ID: 6, X: 60})); s.False != 1 {
		t.Errorf("found elsewhere: %+v", s)
	}
}

// TestFilmsAreTheirSeed: the same bytes each time, and the truth where it says: the mean of a target's box stands out by its
// contrast from that around it.
func TestFilmsAreTheirSeed(t *testing.T) {
	s := Usual(3)
	s.Noise, s.Structures, s.Symbols = 0, 0, false
	a, b := New(s), New(s)
	p, q := make([]byte, s.Width*s.Height), make([]byte, s.Width*s.Height)
	told := 0
	for _, n := range []int{0, 7, 100} {
		boxes := a.Render(n, p)
		b.Render(n, q)
		if string(p) != string(q) {
			t.Fatalf("frame %d has other bytes the second time", n)
		}
		for _, x := range boxes {
			if x.Aside {
				continue
			}
			inside, around := level(p, s.Width, s.Height, x, 0.25), level(p, s.Width, s.Height, x, 0.8)
			if d := math.Abs(inside - around); d > 4 {
				told++
			}
		}
	}
	if told < 8 {
		t.Errorf("%d targets stand out where the truth says", told)
	}
}

// level is the mean grey of a box grown to k times its half size.
func level(pix []byte, w, h int, b Box, k float64) float64 {
	sum, n := 0.0, 0.0
	for y := max(int(b.Y-k*b.H), 0); y <= min(int(b.Y+k*b.H), h-1); y++ {
		for x := max(int(b.X-k*b.W), 0); x <= min(int(b.X+k*b.W), w-1); x++ {
			sum, n = sum+float64(pix[y*w+x]), n+1
		}
	}
	return sum / n
}

// TestMotionIsThatOfThePicture: a point of the ground that one frame shows, another shows where Motion says.
func TestMotionIsThatOfThePicture(t *testing.T) {
	s := Usual(4)
	s.Noise, s.Structures, s.Symbols, s.Targets, s.ZoomStep = 0, 0, false, 0, []int{20}
	f := New(s)
	p, q := make([]byte, s.Width*s.Height), make([]byte, s.Width*s.Height)
	f.Render(30, p)
	f.Render(10, q)
	m := f.Motion(30, 10)
	worst := 0
	for y := 20; y < s.Height-20; y += 7 {
		for x := 20; x < s.Width-20; x += 7 {
			u, v := m.At(float64(x), float64(y))
			i, j := int(math.Round(u)), int(math.Round(v))
			if math.Hypot(u-float64(i), v-float64(j)) < 0.1 && i >= 0 && j >= 0 && i < s.Width && j < s.Height {
				worst = max(worst, int(p[y*s.Width+x])-int(q[j*s.Width+i]), int(q[j*s.Width+i])-int(p[y*s.Width+x]))
			}
		}
	}
	if worst > 6 { // a tenth of a pixel at the edge of a field, and rounding
		t.Errorf("grey levels differ by up to %d", worst)
	}
}
