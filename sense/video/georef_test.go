package video_test

import (
	"bytes"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/geodesy"
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

// The simulated clip is exact down to the rounding of its items. The real flight is not: see the attitude's lag below. A plane at
// the frame center's height, computed apart from this package, gives its 5.031 m, 17.05 and 92.5 too; no reading of its heights
// (datum, sphere, a step of up to 5 m between sensor and ground) gives less than 5.03 m.
func TestRayMeetsTheReportedFrameCenter(t *testing.T) {
	for _, c := range []struct {
		file             string
		n                int
		median, p95, max float64
		slantMedian      float64
	}{
		{"osh-first-75.ts", 75, 0.15, 0.25, 0.35, 0.045},
		{"truck-411.klv", 411, 5.1, 17.1, 93, 0.01},
	} {
		var rays, slants []float64
		covered, held := 0, 0
		for _, l := range looks(t, c.file) {
			d, ok := l.RayToReportedM()
			if ok {
				rays = append(rays, d)
			}
			if e, has := l.Ellipse95(); ok && has {
				held++
				az := geodesy.Azimuth(l.Ray.LatLon(), l.Reported.LatLon()) - e.AzimuthDeg
				if sin, cos := math.Sincos(az * math.Pi / 180); math.Hypot(d*cos/e.MajorM, d*sin/e.MinorM) <= 1 {
					covered++
				}
			}
			if d, ok := l.SlantErrorM(); ok {
				slants = append(slants, d)
			}
		}
		if len(rays) != c.n || len(slants) != c.n || held != c.n {
			t.Fatalf("%s: %d rays, %d slant ranges, %d ellipses, want %d", c.file, len(rays), len(slants), held, c.n)
		}
		t.Logf("%s: ray to reported frame center %.3f m median, %.3f p95, %.3f max; slant range %.3f m median; %d of %d ellipses hold the reported center",
			c.file, quantile(rays, .5), quantile(rays, .95), quantile(rays, 1), median(slants), covered, held)
		if quantile(rays, .5) > c.median || quantile(rays, .95) > c.p95 || quantile(rays, 1) > c.max {
			t.Errorf("%s: ray is %.3f m median, %.3f p95, %.3f max from the frame center, want %.2f, %.2f and %.2f", c.file, quantile(rays, .5), quantile(rays, .95), quantile(rays, 1), c.median, c.p95, c.max)
		}
		if m := median(slants); math.Abs(m) > c.slantMedian {
			t.Errorf("%s: slant range is off by %.4f m, want at most %.3f", c.file, m, c.slantMedian)
		}
		if share := float64(covered) / float64(held); share < 0.92 {
			t.Errorf("%s: %.1f %% of the ellipses hold the reported center", c.file, 100*share)
		}
	}
}

// Corners by ray against the ones in the metadata, and the width of the ground. The simulated ground is not flat: across the
// view, where height does not count, the corners fit within 1.7 m (two pixels of 0.65 m each, and 0.35 m of their items'
// rounding); along it a metre of height is a metre or more.
func TestCornersByRay(t *testing.T) {
	var off, across, width []float64
	for _, l := range looks(t, "osh-first-75.ts") {
		d, ok := l.CornersOffM()
		w, ok2 := l.WidthRatio()
		if !ok || !ok2 || l.How != "offset" {
			t.Fatalf("corners %v, width %v, by %q", ok, ok2, l.How)
		}
		off, width = append(off, d), append(width, math.Abs(w-1))
		for i, c := range l.Corners {
			x, _, _, ok := l.PointOf(video.Position{Lat: c.Lat, Lon: c.Lon, HeightM: l.Reported.HeightM, HasHeight: true})
			if !ok {
				t.Fatal("a corner lies behind the sensor")
			}
			across = append(across, math.Abs(x-float64((i+1)%4/2))*l.WidthM)
		}
	}
	t.Logf("corners by ray: %.2f m median, %.2f max; across the view %.2f m median, %.2f max; width within %.4f", quantile(off, .5), quantile(off, 1), quantile(across, .5), quantile(across, 1), quantile(width, 1))
	if quantile(off, .5) > 5 || quantile(across, .5) > 1 || quantile(across, 1) > 1.7 || quantile(width, 1) > 0.0015 {
		t.Error("want 5 m, across the view 1 m median and 1.7 at most, width within half a pixel")
	}
}

// What is left of the truck's residual is mostly time: the platform's attitude in its packets is 50 ms older than their frame
// centers. Half of the packets tell the lag, the other half confirms it; the simulated clip has none.
func TestTheTruckAttitudeLags(t *testing.T) {
	var r, none video.Residuals
	for _, l := range looks(t, "truck-411.klv") {
		r.Add(&l)
	}
	for _, l := range looks(t, "osh-first-75.ts") {
		none.Add(&l)
	}
	lag, ok := r.Lag()
	t.Logf("lag %.3f s: %.3f m as sent, %.3f m with it, on %d packets that did not tell it", lag.Seconds, lag.As, lag.With, lag.N)
	if !ok || lag.Seconds < 0.04 || lag.Seconds > 0.065 || lag.With > 3 || lag.As < 4.5 || lag.N < 200 {
		t.Errorf("%+v %v", lag, ok)
	}
	if lag, ok := none.Lag(); ok {
		t.Errorf("the simulated clip lags: %+v", lag)
	}
	var table bytes.Buffer
	if err := r.WriteTable(&table); err != nil || !strings.Contains(table.String(), "ray to reported frame center, m                  411      5.03") || !strings.Contains(table.String(), "--attitude-lag 0.05") {
		t.Errorf("%v\n%s", err, table.String())
	}
	table.Reset()
	n, _, err := video.WriteGeorefWith(&table, bytes.NewReader(open(t, "truck-411.klv")), video.Georef{Options: video.Options{Sigmas: video.DefaultSigmas}, AttitudeLagS: 0.05})
	if err != nil || n != 411 || strings.Count(table.String(), "\n") != 411 || strings.Count(table.String(), "attitude as sent") != 1 {
		t.Errorf("%d lines of %d packets, %d as sent, %v", strings.Count(table.String(), "\n"), n, strings.Count(table.String(), "attitude as sent"), err)
	}
}
