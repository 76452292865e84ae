package mover_test

import (
	"fmt"
	"testing"

	"github.com/atalaya-isr/atalaya/detect/mover"
	"github.com/atalaya-isr/atalaya/external/ffmpeg"
)

func TestDbgOsh(t *testing.T) {
	p, _ := ffmpeg.Find(t.Context())
	path := "/work/shared/data/video/osh-first-75.ts"
	info, _ := p.Probe(t.Context(), path)
	f, _ := p.Open(t.Context(), path, info, ffmpeg.Options{})
	m := mover.Identity
	find, _ := mover.New(mover.Options{Width: 640, Height: 480, Rate: 30, OnFrame: func(fr mover.Frame) {
		m = m.Times(&fr.Motion)
		x, y := m.At(320, 240)
		if fr.N%8 == 0 {
			fmt.Printf("%d: %.1f %.1f scale %.3f\n", fr.N, x-320, y-240, m.Scale(320, 240))
		}
	}})
	for {
		fr, err := f.Next()
		if err != nil {
			break
		}
		find.Add(fr.Pix, fr.Seconds())
	}
	find.End()
}
