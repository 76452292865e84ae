package app_test

import (
	"encoding/json"
	"math"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/detect/mover/movertest"
	"github.com/atalaya-isr/atalaya/external/ffmpeg"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/internal/fixture"
)

// usedCPU is the time that this process, or its children that have ended, spent on cores.
func usedCPU(who int) time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(who, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkMovers1080 is the whole pipeline on 1080 lines of H.264, beside the decoder alone in the same run. Cores are shared
// with whatever else runs: the CPU time a frame says more than the wall's.
func BenchmarkMovers1080(b *testing.B) {
	p, err := ffmpeg.Find(b.Context())
	if err != nil {
		b.Skip(err)
	}
	s := movertest.Usual(1)
	s.Width, s.Height, s.Frames, s.Targets, s.SizeLo, s.SizeHi = 1920, 1080, 240, 12, 12, 28
	path := filepath.Join(b.TempDir(), "film.ts")
	if _, err := movertest.Encode(b.Context(), s, path, 6e6); err != nil {
		b.Skip(err)
	}
	info, err := p.Probe(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	var whole, alone, ours, theirs time.Duration
	frames := 0
	for b.Loop() {
		at, child := time.Now(), usedCPU(syscall.RUSAGE_CHILDREN)
		n, err := p.Drain(b.Context(), path, info, ffmpeg.Options{Width: 960, Height: 540})
		if err != nil {
			b.Fatal(err)
		}
		alone += time.Since(at)
		theirs += usedCPU(syscall.RUSAGE_CHILDREN) - child
		at, child = time.Now(), usedCPU(syscall.RUSAGE_SELF)
		if _, err := app.FindMovers(b.Context(), path, app.MoverOptions{}); err != nil {
			b.Fatal(err)
		}
		whole += time.Since(at)
		ours += usedCPU(syscall.RUSAGE_SELF) - child
		frames += n
	}
	f := float64(frames)
	b.ReportMetric(f/whole.Seconds(), "frames/s")
	b.ReportMetric(f/alone.Seconds(), "decoded/s")
	b.ReportMetric(ours.Seconds()*1e3/f, "ms-cpu/frame")
	b.ReportMetric(theirs.Seconds()*1e3/f, "decode-ms-cpu/frame")
}

func program(t *testing.T) *ffmpeg.Program {
	t.Helper()
	p, err := ffmpeg.Find(t.Context())
	if err != nil {
		t.Skip(err)
	}
	return p
}

// boxes sorts the points of a result by the frames that were looked at.
func boxes(m *app.Movers) [][]movertest.Box {
	out := make([][]movertest.Box, len(m.Frames))
	at := map[float64]int{}
	for i, f := range m.Frames {
		at[f.PTS] = i
	}
	for _, t := range m.Tracks {
		for _, p := range t.Points {
			if i, ok := at[p.PTS]; ok {
				out[i] = append(out[i], movertest.Box{ID: t.ID, X: p.X, Y: p.Y, W: p.W, H: p.H})
			}
		}
	}
	return out
}

// TestMoversFromBytesToTracks: films of known truth, encoded as cameras do. The interlaced one shows each line half a frame
// later than its neighbours: its boxes are those of the first field.
func TestMoversFromBytesToTracks(t *testing.T) {
	program(t)
	plain := movertest.Usual(172)
	plain.Frames, plain.Targets = 180, 8
	fields := plain
	fields.Interlaced, fields.Height, fields.Width = true, 360, 640
	raw, err := movertest.Run(plain, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		scene movertest.Scene
		order ffmpeg.Order
		loss  float64 // of recall, at most, against the frames themselves
	}{
		{"progressive", plain, ffmpeg.Progressive, 0.05},
		{"interlaced", fields, ffmpeg.BottomFirst, 0.1},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "film.ts")
			truth, err := movertest.Encode(t.Context(), c.scene, path, 4e6)
			if err != nil {
				t.Skip(err)
			}
			m, err := app.FindMovers(t.Context(), path, app.MoverOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if m.Fields != c.order || m.Width != c.scene.Width || math.Abs(m.RateHz-30) > 0.01 || len(m.Frames) != c.scene.Frames {
				t.Fatalf("%s, %d x %d, %v frames/s, %d frames", m.Fields, m.Width, m.Height, m.RateHz, len(m.Frames))
			}
			s := movertest.Compare(truth, boxes(m))
			t.Logf("recall %.3f, %.2f false a frame, HOTA %.3f; of the frames themselves %.3f, %.2f, %.3f", s.Recall, s.False, s.HOTA, raw.Recall, raw.False, raw.HOTA)
			if s.Recall < raw.Recall-c.loss || s.False > raw.False+0.3 || s.HOTA < raw.HOTA-c.loss {
				t.Errorf("recall %.3f, %.2f false a frame, HOTA %.3f; of the frames themselves %.3f, %.2f, %.3f", s.Recall, s.False, s.HOTA, raw.Recall, raw.False, raw.HOTA)
			}
			if len(m.Problems) != 1 {
				t.Errorf("the lack of metadata is told %d times: %v", len(m.Problems), m.Problems)
			}
		})
	}
}

// TestMoversOnAHighway: simulated imagery with metadata, vehicles on a road, and an emblem that turns in a corner. There is no
// truth; but vehicles drive at speeds of vehicles, on the road, which runs from south-west to north-east.
func TestMoversOnAHighway(t *testing.T) {
	program(t)
	m, err := app.FindMovers(t.Context(), fixture.Shared(t, "video/osh-first-75.ts"), app.MoverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cars := 0
	for _, tr := range m.Tracks {
		a, z := &tr.Points[0], &tr.Points[len(tr.Points)-1]
		if z.Lat == nil || z.W > 15 {
			continue
		}
		if *z.Speed > 10 && *z.Speed < 40 && z.PTS-a.PTS > 2 {
			cars++
		}
	}
	if cars < 8 || len(m.Tracks) > cars+6 {
		t.Errorf("%d vehicles among %d tracks", cars, len(m.Tracks))
	}
	for i, f := range m.Frames {
		if f.Locked != (i > 0) || f.GSD == nil || f.Residual > 0.5 {
			t.Errorf("frame %d: %+v", i, f)
		}
	}
	if b, err := json.Marshal(m); err != nil || len(b) == 0 {
		t.Error(err)
	}
}

// TestMoversInFieldsOfARealCamera: people stand about and cars are parked in these 1.6 seconds; little may be told.
func TestMoversInFieldsOfARealCamera(t *testing.T) {
	program(t)
	m, err := app.FindMovers(t.Context(), fixture.Shared(t, "video/aphill_short.ts"), app.MoverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Fields != ffmpeg.BottomFirst || len(m.Frames) != 48 {
		t.Errorf("%s, %d frames", m.Fields, len(m.Frames))
	}
	if len(m.Tracks) > 3 {
		t.Errorf("%d tracks where next to nothing moves", len(m.Tracks))
	}
	for i, f := range m.Frames[1:] {
		if !f.Locked || f.Residual > 0.6 {
			t.Errorf("frame %d: %+v", i+1, f)
		}
	}
}

func TestMoversSayWhatIsMissing(t *testing.T) {
	if _, err := app.FindMovers(t.Context(), filepath.Join(t.TempDir(), "none.ts"), app.MoverOptions{}); err == nil || filepath.Base(err.Error()) == "" {
		t.Error(err)
	}
	path := fixture.Shared(t, "video/h264_klv.ts")
	t.Setenv("PATH", t.TempDir())
	if _, err := app.FindMovers(t.Context(), path, app.MoverOptions{}); err == nil || err.Error() != "ffmpeg is not installed. "+ffmpeg.Remedy {
		t.Error(err)
	}
}
