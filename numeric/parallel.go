package numeric

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Each calls f(i) for i in 0..n-1, spread over the cores. f must write only what belongs to i: then the result does not depend
// on how many cores there are.
func Each(n int, f func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}
