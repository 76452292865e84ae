package ffmpeg

import (
	"io"
	"os"
	"syscall"
)

// widen asks for a pipe of 1 MB, so that the program can write most of a frame at once; by default it would stop and be woken
// every 64 KB. Refusal does no harm.
func widen(pipe io.Reader) {
	const setPipeSize = 1031 // F_SETPIPE_SZ of fcntl(2)
	if f, ok := pipe.(*os.File); ok {
		if c, err := f.SyscallConn(); err == nil {
			_ = c.Control(func(fd uintptr) { _, _, _ = syscall.Syscall(syscall.SYS_FCNTL, fd, setPipeSize, 1<<20) })
		}
	}
}
