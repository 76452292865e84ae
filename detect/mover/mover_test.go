package mover_test

import (
	"testing"

	"github.com/atalaya-isr/atalaya/detect/mover/movertest"
)

func TestTune(t *testing.T) {
	for seed := uint64(1); seed <= 6; seed++ {
		r, err := movertest.Run(movertest.Usual(seed), nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("seed %d: recall %.3f false %.2f HOTA %.3f DetA %.3f AssA %.3f LocA %.3f switches %d residual %.3f worst %.3f at %d lost %d tracks %d truths/frame %.1f", seed,
			r.Recall, r.False, r.HOTA, r.DetA, r.AssA, r.LocA, r.Switches, r.Residual, r.Worst, r.WorstAt, r.LockLosses, len(r.Tracks), float64(r.Truths)/float64(r.Frames))
	}
}
