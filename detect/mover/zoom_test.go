package mover_test

import (
	"fmt"
	"testing"

	"github.com/atalaya-isr/atalaya/detect/mover/movertest"
)

func TestZoomDbg(t *testing.T) {
	for seed := uint64(1); seed < 4; seed++ {
		s := movertest.Usual(seed)
		s.Frames = 180
		s.ZoomStep = []int{60, 120}
		r, err := movertest.Run(s, nil)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("seed %d recall %.3f false %.2f HOTA %.3f switches %d lost %d residual %.3f worst %.3f at %d\n", seed, r.Recall, r.False, r.HOTA, r.Switches, r.LockLosses, r.Residual, r.Worst, r.WorstAt)
		for _, n := range []int{60, 120} {
			f := r.Facts[n]
			fmt.Println(n, f.Locked, f.Jumped, f.ResidualPX, f.Corners, f.Inliers, f.Motion.Scale(320, 180))
		}
		for _, tr := range r.Tracks {
			a, z := tr.Points[0], tr.Points[len(tr.Points)-1]
			fmt.Printf("  track %d %d..%d  %.0fx%.0f -> %.0fx%.0f\n", tr.ID, int(a.PTS*30+.5), int(z.PTS*30+.5), a.W, a.H, z.W, z.H)
		}
	}
}
