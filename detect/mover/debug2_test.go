package mover_test

import (
	"fmt"
	"image"
	"image/png"
	"os"
	"testing"

	"github.com/atalaya-isr/atalaya/detect/mover/movertest"
)

func TestDebugResid(t *testing.T) {
	for _, c := range []struct {
		name string
		f    func(*movertest.Scene)
	}{{"base", func(*movertest.Scene) {}}, {"nonoise", func(s *movertest.Scene) { s.Noise = 0 }}, {"nojitter", func(s *movertest.Scene) { s.Jitter = 0 }}, {"noturn", func(s *movertest.Scene) { s.TurnDeg = 0 }},
		{"still", func(s *movertest.Scene) { s.TurnDeg = 0; s.Pan = [2]float64{}; s.Noise = 0; s.Jitter = 0 }}} {
		s := movertest.Usual(1)
		s.Frames = 40
		s.Structures = 0
		s.Symbols = false
		s.Targets = 0
		c.f(&s)
		r, _ := movertest.Run(s, nil)
		fmt.Printf("%s: resid %.3f worst %.3f feature rms %.3f of %d/%d\n", c.name, r.Residual, r.Worst, r.Facts[20].ResidualPX, r.Facts[20].Inliers, r.Facts[20].Corners)
	}
	f := movertest.New(movertest.Usual(1))
	im := image.NewGray(image.Rect(0, 0, 640, 360))
	f.Render(70, im.Pix)
	w, _ := os.Create("/tmp/mv/f.png")
	png.Encode(w, im)
	w.Close()
}
