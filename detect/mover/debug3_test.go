package mover_test

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"strconv"
	"testing"

	"github.com/atalaya-isr/atalaya/detect/mover/movertest"
)

func TestOverlay(t *testing.T) {
	seed, _ := strconv.Atoi(os.Getenv("SEED"))
	s := movertest.Usual(uint64(seed))
	if os.Getenv("BIG") != "" {
		s.Width, s.Height, s.Frames, s.Targets = 960, 540, 300, 12
	}
	r, err := movertest.Run(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := movertest.New(s)
	pix := make([]byte, s.Width*s.Height)
	for _, n := range []int{56, 80, 130} {
		f.Render(n, pix)
		im := image.NewRGBA(image.Rect(0, 0, s.Width*2, s.Height*2))
		for y := range s.Height * 2 {
			for x := range s.Width * 2 {
				v := pix[y/2*s.Width+x/2]
				im.Set(x, y, color.RGBA{v, v, v, 255})
			}
		}
		box := func(b movertest.Box, c color.RGBA) {
			x0, y0, x1, y1 := int(2*(b.X-b.W/2)), int(2*(b.Y-b.H/2)), int(2*(b.X+b.W/2)), int(2*(b.Y+b.H/2))
			for x := x0; x <= x1; x++ {
				im.Set(x, y0, c)
				im.Set(x, y1, c)
			}
			for y := y0; y <= y1; y++ {
				im.Set(x0, y, c)
				im.Set(x1, y, c)
			}
		}
		for _, b := range r.Truth[n] {
			box(b, color.RGBA{0, 255, 0, 255})
		}
		for _, b := range r.Found[n] {
			box(b, color.RGBA{255, 60, 0, 255})
		}
		w, _ := os.Create("/tmp/mv/o" + strconv.Itoa(n) + ".png")
		png.Encode(w, im)
		w.Close()
	}
}
