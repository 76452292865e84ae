package mover_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/atalaya-isr/atalaya/detect/mover/movertest"
)

func TestTune(t *testing.T) {
	from, _ := strconv.Atoi(os.Getenv("FROM"))
	n, _ := strconv.Atoi(os.Getenv("N"))
	var all []movertest.Score
	for seed := max(from, 1); seed < max(from, 1)+max(n, 4); seed++ {
		s := movertest.Usual(uint64(seed))
		if os.Getenv("BIG") != "" {
			s.Width, s.Height, s.Frames, s.Targets = 960, 540, 300, 12
		}
		r, err := movertest.Run(s, nil)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r.Score)
		t.Logf("seed %d: recall %.3f false %.2f HOTA %.3f DetA %.3f AssA %.3f LocA %.3f switches %d residual %.3f worst %.3f at %d lost %d tracks %d truths/frame %.1f", seed,
			r.Recall, r.False, r.HOTA, r.DetA, r.AssA, r.LocA, r.Switches, r.Residual, r.Worst, r.WorstAt, r.LockLosses, len(r.Tracks), float64(r.Truths)/float64(r.Frames))
	}
	a := movertest.Add(all...)
	t.Logf("all: recall %.3f false %.2f HOTA %.3f switches %d in %d frames", a.Recall, a.False, a.HOTA, a.Switches, a.Frames)
}
