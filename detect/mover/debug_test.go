package mover_test

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/atalaya-isr/atalaya/detect/mover/movertest"
)

func TestDebug(t *testing.T) {
	sd, _ := strconv.Atoi(os.Getenv("SEED"))
	s := movertest.Usual(uint64(max(sd, 1)))
	if os.Getenv("BIG") != "" {
		s.Width, s.Height, s.Frames, s.Targets = 960, 540, 300, 12
	}
	if os.Getenv("PLAIN") != "" {
		s.Structures = 0
	}
	if os.Getenv("NOSYM") != "" {
		s.Symbols = false
	}
	r, err := movertest.Run(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("recall %.3f false %.2f HOTA %.3f LocA %.3f resid %.3f\n", r.Recall, r.False, r.HOTA, r.LocA, r.Residual)
	for _, tr := range r.Tracks {
		n, best := 0, map[int]int{}
		var dw, dh, dx, dy, dx2 float64
		for _, p := range tr.Points {
			f := int(math.Round(p.PTS * s.Rate))
			for _, b := range r.Truth[f] {
				fb := movertest.Box{X: p.X, Y: p.Y, W: p.W, H: p.H}
				if movertest.IoU(fb, b) > 0.2 {
					best[b.ID]++
					n++
					dw += p.W - b.W
					dh += p.H - b.H
					dx += p.X - b.X
					dy += p.Y - b.Y
					dx2 += (p.X-b.X)*(p.X-b.X) + (p.Y-b.Y)*(p.Y-b.Y)
				}
			}
		}
		a, z := tr.Points[0], tr.Points[len(tr.Points)-1]
		co := 0
		for _, p := range tr.Points {
			if p.Coasted {
				co++
			}
		}
		fn := float64(max(n, 1))
		fmt.Printf("track %d: %d..%d pts %d coasted %d matched %v  size %.1fx%.1f c %.0f  bias w %.2f h %.2f x %.2f y %.2f rms %.2f  from %.0f,%.0f to %.0f,%.0f sd %.2f\n", tr.ID, int(a.PTS*30+.5), int(z.PTS*30+.5), len(tr.Points), co, best, a.W, a.H, tr.Contrast, dw/fn, dh/fn, dx/fn, dy/fn, math.Sqrt(dx2/fn), a.X, a.Y, z.X, z.Y, math.Sqrt(a.Covariance[0]))
	}
	lastID := map[int]int{}
	for f := range r.Truth {
		for _, b := range r.Truth[f] {
			if b.Aside {
				continue
			}
			for _, q := range r.Found[f] {
				if movertest.IoU(b, q) >= 0.5 {
					if o, ok := lastID[b.ID]; ok && o != q.ID {
						fmt.Printf("switch at %d truth %d from %d to %d at %.0f,%.0f\n", f, b.ID, o, q.ID, b.X, b.Y)
					}
					lastID[b.ID] = q.ID
				}
			}
		}
	}
	miss, tot := map[int]int{}, map[int]int{}
	where := map[int][]int{}
	mf := make([]int, s.Frames)
	size := map[int]movertest.Box{}
	for f := range r.Truth {
		for _, b := range r.Truth[f] {
			if b.Aside {
				continue
			}
			tot[b.ID]++
			size[b.ID] = b
			hit := false
			for _, q := range r.Found[f] {
				if movertest.IoU(b, q) >= 0.5 {
					hit = true
				}
			}
			if !hit {
				miss[b.ID]++
				where[b.ID] = append(where[b.ID], f)
				mf[f]++
			}
		}
	}
	for id := range tot {
		fmt.Printf("truth %d: missed %d of %d  %.1fx%.1f last at %.0f,%.0f missed frames %v\n", id, miss[id], tot[id], size[id].W, size[id].H, size[id].X, size[id].Y, where[id])
	}
	fmt.Println(mf)
	for i := 0; i < len(r.Facts); i += 10 {
		f := r.Facts[i]
		fmt.Printf("frame %d res %.3f corners %d inl %d regions %d masked %.3f\n", f.N, f.ResidualPX, f.Corners, f.Inliers, f.Regions, f.Masked)
	}
}
