//go:build !unix

package storm

import (
	"runtime"
	"time"
)

var begun = time.Now()

// processor is the time that this process may have had of processors: where the system does not tell, time on the wall on all of them.
func processor() time.Duration { return time.Since(begun) * time.Duration(runtime.GOMAXPROCS(0)) }
