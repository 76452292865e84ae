//go:build unix

package mpegts_test

import (
	"syscall"
	"time"
)

// cpuTime is what this process has spent of processors: on a machine with other work it says more than the wall clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
