//go:build unix

package storm

import (
	"syscall"
	"time"
)

// processor is the time that this process has had of processors: on a machine with other work, time on the wall says little.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // the call has no way to fail for the process itself
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
