package mover

import (
	"math"
	"testing"

	"github.com/atalaya-isr/atalaya/numeric"
)

// TestCornersAreFollowedBelowATenthOfAPixel: a picture warped by a known map.
func TestCornersAreFollowedBelowATenthOfAPixel(t *testing.T) {
	src := gentle(320, 200)
	true_ := Homography{0.999, -0.004, 2.63, 0.004, 0.999, -1.41, 0, 0, 1} // the second picture to the first
	second := newCanvas(320, 200)
	copy(second.pix, src.pix)
	warp(second, src, &true_, [4]int{0, 0, 320, 200})
	p, q := newPyramid(320, 200), newPyramid(320, 200)
	p.build(src, spaceFor(320))
	q.build(second.grey, spaceFor(320))
	var f finder
	corners := f.find(p, 32, func(int, int) bool { return true })
	back := true_.Inverse()
	n, sum := 0, 0.0
	for i := range corners {
		c := &corners[i]
		if c.x < 24 || c.y < 24 || c.x > 296 || c.y > 176 {
			continue
		}
		if x, y, ok := c.down(q, c.x, c.y, levels-1, 0); ok {
			u, v := back.At(c.x, c.y)
			sum += (x-u)*(x-u) + (y-v)*(y-v)
			n++
		}
	}
	if rms := math.Sqrt(sum / float64(n)); n < 20 || rms > 0.1 {
		t.Errorf("%d corners of %d were followed to %.3f px", n, len(corners), rms)
	}
}

// TestFitFindsTheGroundAmongOthers: a third of the pairs move on their own.
func TestFitFindsTheGroundAmongOthers(t *testing.T) {
	want := Homography{1.01, -0.02, 5, 0.02, 1.01, -3, 2e-5, -1e-5, 1}
	chance := numeric.NewStream(7, 0)
	var ps []pair
	for i := range 120 {
		x, y := 640*chance.Float64(), 360*chance.Float64()
		u, v := want.At(x, y)
		if i%3 == 0 {
			u, v = u+6+4*chance.Float64(), v-5
		}
		ps = append(ps, pair{x, y, u + 0.1*chance.Normal(), v + 0.1*chance.Normal(), [3]float64{1, 0, 1}})
	}
	var space fitSpace
	f, ok := robustFit(ps, numeric.NewStream(1, 0), 640, &space)
	if !ok || f.n < 76 || f.n > 80 {
		t.Fatalf("%v: %d of 80 agree", ok, f.n)
	}
	for i := range ps {
		if f.inlier[i] && i%3 == 0 {
			t.Errorf("pair %d moves on its own and was taken for ground", i)
		}
	}
	for _, p := range [][2]float64{{20, 20}, {620, 20}, {320, 180}, {620, 340}} {
		a, b := f.At(p[0], p[1])
		c, d := want.At(p[0], p[1])
		// 80 pairs of 0.1 px and eight numbers: 0.1 sqrt(8/160) = 0.02 px in the mean, some four times that in the corners.
		if math.Hypot(a-c, b-d) > 0.1 {
			t.Errorf("at %v the fit is %.3f px off", p, math.Hypot(a-c, b-d))
		}
	}
	if f.rms < 0.1 || f.rms > 0.19 { // 0.14 px, both axes together
		t.Errorf("residual %.3f", f.rms)
	}
}

func TestFitRefusesWhatDetermineNothing(t *testing.T) {
	var space fitSpace
	var line []pair
	for i := range 30 {
		line = append(line, pair{float64(i), float64(i), float64(i), float64(i), [3]float64{1, 0, 1}})
	}
	if _, ok := robustFit(line, numeric.NewStream(1, 0), 640, &space); ok {
		t.Error("points of one line were fitted")
	}
	if _, ok := robustFit(line[:3], numeric.NewStream(1, 0), 640, &space); ok {
		t.Error("three pairs were fitted")
	}
}

func TestHomographyUndoesItself(t *testing.T) {
	h := Homography{1.1, -0.2, 30, 0.15, 0.9, -12, 1e-4, -2e-4, 1}
	back := h.Inverse()
	both := back.Times(&h)
	for _, p := range [][2]float64{{0, 0}, {400, 100}, {-20, 300}} {
		x, y := both.At(p[0], p[1])
		if math.Hypot(x-p[0], y-p[1]) > 1e-9 {
			t.Errorf("%v came back as %v, %v", p, x, y)
		}
		j := h.Jacobian(p[0], p[1])
		const d = 1e-4
		x0, y0 := h.At(p[0]-d, p[1])
		x1, y1 := h.At(p[0]+d, p[1])
		if math.Abs((x1-x0)/(2*d)-j[0]) > 1e-6 || math.Abs((y1-y0)/(2*d)-j[2]) > 1e-6 {
			t.Errorf("the derivative at %v is %v", p, j)
		}
	}
}

// TestAssignIsBest: against every permutation.
func TestAssignIsBest(t *testing.T) {
	chance := numeric.NewStream(5, 0)
	for range 300 {
		n, m := 1+chance.IntN(4), 1+chance.IntN(5)
		cost := make([][]float64, n)
		for i := range cost {
			cost[i] = make([]float64, m)
			for j := range cost[i] {
				if cost[i][j] = float64(chance.IntN(20)) - 5; chance.IntN(4) == 0 {
					cost[i][j] = math.Inf(1)
				}
			}
		}
		wantN, want := bestPairs(cost, 0, make([]bool, m))
		gotN, got := 0, 0.0
		used := map[int]bool{}
		for i, j := range Assign(cost) {
			if j < 0 {
				continue
			}
			if used[j] || math.IsInf(cost[i][j], 1) {
				t.Fatalf("%v: column %d of row %d", cost, j, i)
			}
			used[j] = true
			gotN++
			got += cost[i][j]
		}
		if gotN != wantN || math.Abs(got-want) > 1e-9 {
			t.Fatalf("%v: %d pairs that cost %v, the best are %d that cost %v", cost, gotN, got, wantN, want)
		}
	}
}

// bestPairs is the largest number of allowed pairs, and the least that so many cost.
func bestPairs(cost [][]float64, row int, used []bool) (int, float64) {
	if row == len(cost) {
		return 0, 0
	}
	n, best := bestPairs(cost, row+1, used)
	for j, c := range cost[row] {
		if used[j] || math.IsInf(c, 1) {
			continue
		}
		used[j] = true
		if k, sum := bestPairs(cost, row+1, used); k+1 > n || k+1 == n && sum+c < best {
			n, best = k+1, sum+c
		}
		used[j] = false
	}
	return n, best
}

// TestTheFilterIsConsistent: the normalised error squared of a track that moves as the filter supposes has the mean 4 of
// chi-square with four degrees of freedom; over 400 runs it lies within 0.6 (four sigma of sqrt(8/400)).
func TestTheFilterIsConsistent(t *testing.T) {
	const dt, accel, sigma, runs, steps = 1 / 30.0, 20.0, 0.4, 400, 40
	r := [3]float64{sigma * sigma, 0, sigma * sigma}
	filtered, smoothed := 0.0, 0.0
	for run := range runs {
		chance := numeric.NewStream(uint64(run), 1)
		truth := [4]float64{100, 50, 30 * chance.Normal(), 30 * chance.Normal()}
		m := motion{x: [4]float64{100 + sigma*chance.Normal(), 50 + sigma*chance.Normal()}, p: [4][4]float64{{r[0]}, {1: r[2]}, {2: 900}, {3: 900}}}
		var past []step
		var truths [][4]float64
		past, truths = append(past, step{filtered: m}), append(truths, truth)
		for range steps {
			ax, ay := accel*chance.Normal(), accel*chance.Normal()
			truth = [4]float64{truth[0] + dt*truth[2] + dt*dt*ax/2, truth[1] + dt*truth[3] + dt*dt*ay/2, truth[2] + dt*ax, truth[3] + dt*ay}
			phi := m.advance(dt, accel)
			s := step{predicted: m, phi: phi}
			m.update([2]float64{truth[0] + sigma*chance.Normal(), truth[1] + sigma*chance.Normal()}, r)
			s.filtered = m
			past, truths = append(past, s), append(truths, truth)
		}
		filtered += nees(t, &m, truth) / runs
		l := lane{steps: past}
		smoothed += nees(t, &l.smooth()[steps/2], truths[steps/2]) / runs
	}
	if math.Abs(filtered-4) > 0.6 || math.Abs(smoothed-4) > 0.6 {
		t.Errorf("normalised error squared: %.2f filtered, %.2f smoothed; want 4", filtered, smoothed)
	}
}

func nees(t *testing.T, m *motion, truth [4]float64) float64 {
	inverse, ok := invert(matrix(m.p))
	if !ok {
		t.Fatal("a covariance is singular")
	}
	sum := 0.0
	for i := range 4 {
		for j := range 4 {
			sum += (m.x[i] - truth[i]) * inverse[i][j] * (m.x[j] - truth[j])
		}
	}
	return sum
}

// TestStructuresLeanAwayFromOnePoint: tops that slide away from an epipole, among things that move.
func TestStructuresLeanAwayFromOnePoint(t *testing.T) {
	chance := numeric.NewStream(9, 0)
	var ds []drift
	for range 30 {
		x, y, tall := 640*chance.Float64(), 360*chance.Float64(), 0.0001+0.0002*chance.Float64()
		ds = append(ds, drift{x, y, tall*(x-300) + 0.002*chance.Normal(), tall*(y+900) + 0.002*chance.Normal()})
	}
	for range 8 {
		ds = append(ds, drift{640 * chance.Float64(), 360 * chance.Float64(), chance.Normal(), chance.Normal()})
	}
	l := lean(ds, 20, 0, numeric.NewStream(1, 0))
	if !l.known || l.most < 0.2 || l.most > 0.7 {
		t.Fatalf("%+v", l)
	}
	if !l.explains(drift{320, 180, 0.0002 * 20, 0.0002 * 1080}) {
		t.Error("the top of a structure is taken for something that moves")
	}
	if l.explains(drift{320, 180, -0.2, 0}) || l.explains(drift{320, 180, 0, -0.3}) || l.explains(drift{320, 180, 0.01, 2}) {
		t.Error("what moves across, against, or faster is taken for a structure")
	}
	if l := lean(ds[:5], 20, 0, numeric.NewStream(1, 0)); l.known {
		t.Error("five drifts are no epipole")
	}
}

func TestWhatIsComparedWithWhat(t *testing.T) {
	f := &Finder{reach: 5, first: 100}
	for _, c := range []struct {
		name    string
		t, last int
		want    []three
	}{
		{"in the middle: both baselines", 120, 140, []three{{110, 130, false}, {115, 125, false}}},
		{"near the beginning: the short one", 106, 140, []three{{101, 111, false}}},
		{"at the beginning: one side", 101, 140, []three{{111, 106, true}}},
		{"at the end: one side", 138, 140, []three{{133, 128, true}}},
		{"in a stretch too short for the baseline", 103, 106, []three{{101, 105, false}}},
		{"in one of three frames", 101, 102, nil},
	} {
		got := f.threes(c.t, c.last)
		same := len(got) == len(c.want)
		for i := range c.want {
			same = same && got[i] == c.want[i]
		}
		if !same {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
