package check_test

import (
	"bytes"
	"io"
	"runtime"
	"testing"

	"github.com/atalaya-isr/atalaya/sense/check"
	"github.com/atalaya-isr/atalaya/sense/klv"
)

// endless is a transport stream of many PIDs, each with the beginning of a KLV packet of 15 MB that never ends.
type endless struct {
	n, of int
	left  []byte
	most  uint64
}

func (e *endless) Read(b []byte) (int, error) {
	if len(e.left) == 0 {
		if e.n == e.of {
			return 0, io.EOF
		}
		if e.n++; e.n%20000 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			e.most = max(e.most, m.HeapAlloc)
		}
		pid, round := e.n%16, e.n/16
		body := bytes.Repeat([]byte{0x5a}, 175)
		if round == 0 {
			copy(body, append(klv.ST0601.Key[:], 0x84, 0, 0xe5, 0, 0))
		}
		pes := append([]byte{0, 0, 1, 0xbd, 0, 178, 0x84, 0, 0}, body...)
		e.left = append([]byte{0x47, 0x44 | byte(pid>>8), byte(pid), 0x10 | byte(round&15)}, pes...)
	}
	n := copy(b, e.left)
	e.left = e.left[n:]
	return n, nil
}

// A hundred megabytes of packets that never end, on 16 PIDs, are checked in bounded memory.
func TestUnfinishedPacketsTakeBoundedMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a hundred megabytes")
	}
	e := &endless{of: 1 << 19}
	r, err := check.Check(e, check.Default)
	if err != nil || !r.Unread || len(r.Findings) > 1200 {
		t.Fatalf("%v, %v", r, err)
	}
	// 64 MB of unfinished packets, as much again while buffers grow, times two for what waits for collection.
	if e.most > 256<<20 {
		t.Errorf("%d MB", e.most>>20)
	}
	t.Logf("%d MB at most, %d findings", e.most>>20, len(r.Findings))
}
