package source_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/locate/source"
)

func TestExp(t *testing.T) {
	a, _ := strconv.Atoi(os.Getenv("A"))
	b, _ := strconv.Atoi(os.Getenv("B"))
	for seed := a; seed < b; seed++ {
		for n, f := range flights(t, uint64(seed)) {
			for _, rev := range []bool{false, true} {
				if rev {
					for i := range f.in.Groups[0].Samples {
						w := &f.in.Groups[0].Samples[i].Wind
						w.U, w.V = -w.U, -w.V
					}
				}
				t0 := time.Now()
				r, err := source.Locate(context.Background(), f.in, source.Options{Seed: uint64(seed)})
				if err != nil {
					t.Fatal(err)
				}
				g := r.Groups[0]
				s := ""
				if len(g.Sources) > 0 {
					m, m2 := miss(g.Sources[0], f.truth)
					s = fmt.Sprintf("miss %.0f m2 %.1f", m, m2)
				}
				fmt.Println("  NOTES", g.Notes)
				fmt.Printf("SEED %d flight %d rev=%v n=%d %v %s %v\n", seed, n, rev, len(g.Sources), g.Count, s, time.Since(t0))
			}
		}
	}
}
