package mover

import (
	"math"
	"testing"

	"github.com/atalaya-isr/atalaya/numeric"
)

func noisy(w, h int, seed uint64) *grey {
	g, chance := newGrey(w, h), numeric.NewStream(seed, 0)
	for y := range h {
		for x := range w {
			g.pix[y*g.stride+x] = byte(chance.IntN(256))
		}
	}
	return g
}

// gentle is a picture that interpolation can follow.
func gentle(w, h int) *grey {
	g := newGrey(w, h)
	for y := range h {
		for x := range w {
			v := 128 + 40*math.Sin(float64(x)/7+float64(y)/19) + 40*math.Cos(float64(y)/6-float64(x)/23) + 20*math.Sin(float64(x*y)/900)
			g.pix[y*g.stride+x] = byte(v)
		}
	}
	return g
}

func spaceFor(w int) [][]byte {
	rows := make([][]byte, 3)
	for i := range rows {
		rows[i] = make([]byte, w+slack)
	}
	return rows
}

// TestSmoothIsBinomial: within one level of the exact weights (each of two means loses at most half, and so once more below).
func TestSmoothIsBinomial(t *testing.T) {
	for _, size := range [][2]int{{64, 9}, {72, 5}, {640, 12}} {
		src := noisy(size[0], size[1], 1)
		dst := newGrey(size[0], size[1])
		smooth(dst, src, spaceFor(size[0]))
		at := func(x, y int) int { return src.at(min(max(x, 0), src.w-1), y) }
		bias, n := 0.0, 0
		for y := 1; y+1 < src.h; y++ {
			for x := range src.w {
				sum := 0
				for k, wy := range [3]int{1, 2, 1} {
					sum += wy * (at(x-1, y+k-1) + 2*at(x, y+k-1) + at(x+1, y+k-1))
				}
				d := float64(dst.at(x, y)) - float64(sum)/16
				if math.Abs(d) > 1 {
					t.Fatalf("%v: (%d, %d) is %d, exactly %.2f", size, x, y, dst.at(x, y), float64(sum)/16)
				}
				bias, n = bias+d, n+1
			}
		}
		if bias /= float64(n); math.Abs(bias) > 0.15 {
			t.Errorf("%v: on the average %.2f levels off", size, bias)
		}
	}
}

func TestHalveIsTheMeanOfFour(t *testing.T) {
	src := noisy(128, 40, 2)
	dst := newGrey(64, 20)
	halve(dst, src)
	for y := range dst.h {
		for x := range dst.w {
			sum := src.at(2*x, 2*y) + src.at(2*x+1, 2*y) + src.at(2*x, 2*y+1) + src.at(2*x+1, 2*y+1)
			if d := float64(dst.at(x, y)) - float64(sum)/4; math.Abs(d) > 1 {
				t.Fatalf("(%d, %d) is %d, exactly %.2f", x, y, dst.at(x, y), float64(sum)/4)
			}
		}
	}
}

// TestWarpsAgreeWithInterpolation: the exact rows within a level, those that share fractions within what bendLimit tells, on
// slopes of up to 13 levels a pixel.
func TestWarpsAgreeWithInterpolation(t *testing.T) {
	src := gentle(320, 200)
	for _, c := range []struct {
		name string
		h    Homography
		most float64
	}{
		{"a shift", Homography{1, 0, 3.37, 0, 1, -5.81, 0, 0, 1}, 1.5},
		{"a small turn", Homography{0.9998, -0.02, 4.2, 0.02, 0.9998, -3.3, 0, 0, 1}, 2.5},
		{"a magnification", Homography{0.6, 0, 60.2, 0, 0.6, 40.4, 0, 0, 1}, 1.5},
		{"a turn and a tilt", Homography{0.95, -0.2, 30, 0.2, 0.95, -20, 1e-4, 2e-4, 1}, 1.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			dst := newCanvas(360, 240)
			warp(dst, src, &c.h, [4]int{0, 0, src.w, src.h})
			covered, wrong := 0, 0
			for y := range dst.h {
				for x := int(dst.lo[y]); x < int(dst.hi[y]); x++ {
					u, v := c.h.At(float64(x), float64(y))
					if u < 0 || v < 0 || u > float64(src.w-1) || v > float64(src.h-1) {
						t.Fatalf("(%d, %d) is said to be covered, and lies at %.1f, %.1f", x, y, u, v)
					}
					covered++
					if d := math.Abs(float64(dst.at(x, y)) - bilinear(src, u, v)); d > c.most {
						if wrong++; wrong < 5 {
							t.Errorf("(%d, %d) is off by %.2f levels", x, y, d)
						}
					}
				}
			}
			inside := 0
			for y := range dst.h {
				for x := range dst.w {
					u, v := c.h.At(float64(x), float64(y))
					if u >= 8 && v >= 4 && u < float64(src.w-9) && v < float64(src.h-5) {
						inside++
					}
				}
			}
			if covered < inside*94/100 {
				t.Errorf("%d px are covered of %d well inside", covered, inside)
			}
		})
	}
}

func TestStandsComparesLanes(t *testing.T) {
	chance := numeric.NewStream(3, 0)
	for range 20000 {
		var n, p, q [4]int
		var wn, wp, wq uint64
		limit := 1 + chance.IntN(80)
		for i := range 4 {
			n[i], p[i], q[i] = chance.IntN(256), chance.IntN(256), chance.IntN(256)
			wn, wp, wq = wn|uint64(n[i])<<(16*i), wp|uint64(p[i])<<(16*i), wq|uint64(q[i])<<(16*i)
		}
		got := stands(wn, wp, wq, uint64(limit)*ones)
		for i := range 4 {
			want := n[i]-p[i] >= limit && n[i]-q[i] >= limit || p[i]-n[i] >= limit && q[i]-n[i] >= limit
			if has := got>>(16*i+15)&1 == 1; has != want {
				t.Fatalf("now %d past %d next %d limit %d: %v", n[i], p[i], q[i], limit, has)
			}
		}
	}
}

func TestAbsSum(t *testing.T) {
	a, b := noisy(1024, 1, 4), noisy(1024, 1, 5)
	for _, n := range []int{8, 32, 1024} {
		want := 0
		for i := range n {
			want += max(a.at(i, 0)-b.at(i, 0), b.at(i, 0)-a.at(i, 0))
		}
		if got := absSum(a.pix, b.pix, 0, n); got != want {
			t.Errorf("%d px: %d, want %d", n, got, want)
		}
	}
	white, black := newGrey(1024, 1), newGrey(1024, 1)
	for i := range 1024 {
		white.pix[i] = 255
	}
	if got := absSum(white.pix, black.pix, 0, 1024); got != 255*1024 {
		t.Errorf("white against black: %d, want %d: a lane ran over", got, 255*1024)
	}
}

func BenchmarkSmooth(b *testing.B) {
	src, dst, rows := noisy(960, 540, 1), newGrey(960, 540), spaceFor(960)
	b.SetBytes(960 * 540)
	for b.Loop() {
		smooth(dst, src, rows)
	}
}

func BenchmarkWarp(b *testing.B) {
	src, dst := gentle(960, 540), newCanvas(960+2*margin, 540+2*margin)
	for _, c := range []struct {
		name string
		h    Homography
	}{{"shared", Homography{1, -0.005, -margin + 3.3, 0.005, 1, -margin + 0.7, 1e-7, 0, 1}}, {"exact", Homography{1, -0.05, -margin + 3.3, 0.05, 1, -margin + 0.7, 1e-7, 0, 1}}} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(960 * 540)
			for b.Loop() {
				warp(dst, src, &c.h, [4]int{0, 0, src.w, src.h})
			}
		})
	}
}

func BenchmarkThreeFrames(b *testing.B) {
	var cs [3]*canvas
	for i := range cs {
		cs[i] = newCanvas(960+2*margin, 540+2*margin)
		h := shift(-margin, -margin)
		g := gentle(960, 540)
		for k, v := range noisy(960, 540, uint64(i)).pix[:960*540] {
			g.pix[k] += v / 64
		}
		warp(cs[i], g, &h, [4]int{0, 0, 960, 540})
	}
	c := newChanger(960+2*margin, 540+2*margin)
	b.SetBytes(960 * 540)
	for b.Loop() {
		c.find(cs[0], cs[1], cs[2], true, [2]*canvas{}, nil, 3, func(int, int) bool { return true })
	}
}

func BenchmarkFollow(b *testing.B) {
	p := newPyramid(960, 540)
	p.build(gentle(960, 540), spaceFor(960))
	var f finder
	corners := f.find(p, 48, func(int, int) bool { return true })
	b.ReportMetric(float64(len(corners)), "corners")
	for b.Loop() {
		for i := range corners {
			corners[i].down(p, corners[i].x+0.7, corners[i].y-0.4, 0, 0)
		}
	}
}
