package app_test

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/detect/mover/movertest"
	"github.com/atalaya-isr/atalaya/external/ffmpeg"
	"github.com/atalaya-isr/atalaya/internal/app"
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
