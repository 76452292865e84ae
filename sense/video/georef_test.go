package video_test

import (
	"math"
	"os"
	"slices"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/sense/video"
)

func looks(t testing.TB, name string) (out []video.Look) {
	t.Helper()
	f, err := os.Open(fixture.Shared(t, "video/"+name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = video.ReadLooks(video.NewReader(f), video.DefaultSigmas, func(_ *video.Packet, l *video.Look) error {
		out = append(out, *l)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// quantile of the absolute values.
func quantile(v []float64, q float64) float64 {
	for i := range v {
		v[i] = math.Abs(v[i])
	}
	slices.Sort(v)
	return v[int(q*float64(len(v)-1)+0.5)]
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// The simulated clip is exact down to the rounding of its items; the real flight has the timing and attitude noise of its
// aircraft (a plane at the frame center's height, computed apart from this package, gives it 5.033 m too).
func TestRayMeetsTheReportedFrameCenter(t *testing.T) {
	for _, c := range []struct {
		file        string
		n           int
		median, max float64
		slantMedian float64
	}{
		{"osh-first-75.ts", 75, 0.15, 0.35, 0.045},
		{"truck-411.klv", 411, 5.1, 93, 0.01},
	} {
		var rays, slants []float64
		for _, l := range looks(t, c.file) {
			if d, ok := l.RayToReportedM(); ok {
				rays = append(rays, d)
			}
			if d, ok := l.SlantErrorM(); ok {
				slants = append(slants, d)
			}
		}
		if len(rays) != c.n || len(slants) != c.n {
			t.Fatalf("%s: %d rays, %d slant ranges, want %d", c.file, len(rays), len(slants), c.n)
		}
		t.Logf("%s: ray to reported frame center %.3f m median, %.3f p95, %.3f max; slant range %.3f m median", c.file, quantile(rays, .5), quantile(rays, .95), quantile(rays, 1), median(slants))
		if quantile(rays, .5) > c.median || quantile(rays, 1) > c.max {
			t.Errorf("%s: ray is %.3f m median, %.3f max from the frame center, want %.2f and %.2f", c.file, quantile(rays, .5), quantile(rays, 1), c.median, c.max)
		}
		if m := median(slants); math.Abs(m) > c.slantMedian {
			t.Errorf("%s: slant range is off by %.4f m, want at most %.3f", c.file, m, c.slantMedian)
		}
	}
}
