package mover_test

import (
	"testing"

	"github.com/atalaya-isr/atalaya/detect/mover"
	"github.com/atalaya-isr/atalaya/detect/mover/movertest"
)

// BenchmarkFinder is the whole of what is done with a frame of 960 x 540 once it is decoded.
func BenchmarkFinder(b *testing.B) {
	s := movertest.Usual(1)
	s.Width, s.Height, s.Frames = 960, 540, 90
	film := movertest.New(s)
	frames := make([][]byte, s.Frames)
	for n := range frames {
		frames[n] = make([]byte, s.Width*s.Height)
		film.Render(n, frames[n])
	}
	for b.Loop() {
		b.StopTimer()
		f, err := mover.New(mover.Options{Width: s.Width, Height: s.Height, Rate: s.Rate})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		for n, pix := range frames {
			if err := f.Add(pix, float64(n)/s.Rate); err != nil {
				b.Fatal(err)
			}
		}
		f.End()
	}
	b.ReportMetric(float64(b.N*s.Frames)/b.Elapsed().Seconds(), "frames/s")
}
