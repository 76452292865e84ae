package check

import (
	"bytes"
	"maps"
	"slices"
)

// A walker goes over the transport packets as they are read, before the demultiplexer does: it numbers them, and looks at what the
// demultiplexer has no event for: packets sent too often, adaptation fields, what program maps announce, headers of metadata
// PES, access-unit cells.
type walker struct {
	book *book
	buf  []byte // read and not yet walked
	at   int64  // of buf[0]
	skip int    // bytes to pass over: what lies between packets
	// stride is the distance from packet to packet, 0 where the rhythm is lost.
	stride int
	n      int64 // packets walked
	runs   []run
	pids   map[uint16]*walked
	ended  bool
}

// A run is where packets follow each other without a break.
type run struct {
	at, first int64 // byte and number of its first packet
	stride    int64
}

// maxRuns bounds the list of runs: beyond, packet numbers of badly damaged files are those counted from the last run kept.
const maxRuns = 1 << 14

const (
	packetSize = 188
	nullPID    = 0x1fff
)

// walked is what the walker knows of one PID.
type walked struct {
	pid     uint16
	last    [packetSize - 4]byte // payload and adaptation field of the last packet
	counter byte
	begun   bool
	repeats int // of the last packet

	table    section
	isPMT    bool
	streamID byte // of its first PES; 0 before
	carriage carriage
	clocked  bool // a program map names it as its PCR_PID
}

func newWalker(b *book) *walker { return &walker{book: b, pids: map[uint16]*walked{}} }

func (w *walker) pid(n uint16) *walked {
	p := w.pids[n]
	if p == nil {
		p = &walked{pid: n}
		w.pids[n] = p
	}
	return p
}

// Write takes the next bytes of the file.
func (w *walker) Write(b []byte) (int, error) {
	w.buf = append(w.buf, b...)
	w.walk()
	return len(b), nil
}

// end walks what is left.
func (w *walker) end() {
	w.ended = true
	w.walk()
	for _, pid := range slices.Sorted(maps.Keys(w.pids)) {
		w.finishPES(w.pids[pid])
	}
}

func (w *walker) walk() {
	b := w.buf
	drop := func(n int) { b, w.at = b[n:], w.at+int64(n) }
	for {
		if w.skip > 0 {
			n := min(w.skip, len(b))
			w.skip -= n
			if drop(n); w.skip > 0 {
				break
			}
		}
		if w.stride == 0 {
			n, ok := w.sync(b)
			if drop(n); !ok {
				break
			}
			w.begin()
		}
		if len(b) < packetSize {
			break
		}
		if b[0] != 0x47 {
			w.stride = 0
			continue
		}
		w.n++
		w.packet(b[:packetSize], place{at: w.at, packet: w.n})
		drop(packetSize)
		w.skip = w.stride - packetSize
	}
	w.buf = w.buf[:copy(w.buf, b)]
}

func (w *walker) begin() {
	if len(w.runs) < maxRuns {
		w.runs = append(w.runs, run{w.at, w.n + 1, int64(w.stride)})
	}
}

// sync finds the next packet: a sync byte that two others follow at one of the strides in use, fewer near the end of the file.
// n bytes are passed over.
func (w *walker) sync(b []byte) (n int, ok bool) {
	const enough = 2*204 + 1
	for {
		i := bytes.IndexByte(b[n:], 0x47)
		if i < 0 {
			return len(b), false
		}
		n += i
		rest := b[n:]
		if len(rest) < enough && !w.ended {
			return n, false
		}
		for _, s := range [...]int{188, 192, 204} {
			if follows(rest, s) && follows(rest, 2*s) && len(rest) >= packetSize {
				w.stride = s
				return n, true
			}
		}
		n++
	}
}

// follows says that a sync byte stands there, or that the file ends before.
func follows(b []byte, at int) bool { return at >= len(b) || b[at] == 0x47 }

// number is the number of the packet that begins at a byte.
func (w *walker) number(at int64) int64 {
	lo, hi := 0, len(w.runs)
	for lo < hi {
		if m := (lo + hi) / 2; w.runs[m].at <= at {
			lo = m + 1
		} else {
			hi = m
		}
	}
	if lo == 0 {
		return 1
	}
	r := w.runs[lo-1]
	n := r.first + (at-r.at)/r.stride
	if lo < len(w.runs) {
		n = min(n, w.runs[lo].first)
	}
	return min(n, max(w.n, 1))
}

// packet looks at one transport packet.
func (w *walker) packet(b []byte, at place) {
	pid := uint16(b[1]&0x1f)<<8 | uint16(b[2])
	if pid == nullPID || b[1]&0x80 != 0 { // what is marked as damaged says nothing
		return
	}
	p := w.pid(pid)
	from, ok := w.adaptation(p, b, at)
	if !ok || b[3]&0x10 == 0 || w.repeated(p, b, at) || b[3]&0xc0 != 0 {
		return
	}
	start, payload := b[1]&0x40 != 0, b[from:]
	switch {
	case pid == 0 || p.isPMT:
		p.table.add(payload, start, func(s []byte) { w.tables(p, s, at) })
	case pid >= 0x20:
		w.payload(p, payload, start, at)
	}
}

// adaptation checks that there is a payload or an adaptation field, and that the field fits (ISO/IEC 13818-1, 2.4.3.5: 183 bytes
// alone, at most 182 beside a payload). It gives where the payload begins.
func (w *walker) adaptation(p *walked, b []byte, at place) (from int, ok bool) {
	n := int(b[4])
	switch b[3] >> 4 & 3 {
	case 0:
		w.book.tell(adaptationField, int32(p.pid), "", at, "adaptation_field_control is 00, which is reserved")
		return 0, false
	case 1:
		return 4, true
	case 2:
		if n != 183 {
			w.book.tell(adaptationField, int32(p.pid), "", at, "an adaptation field of %d bytes where 183 fill the packet", n)
			return 0, false
		}
		return packetSize, true
	}
	if n > 182 {
		w.book.tell(adaptationField, int32(p.pid), "", at, "an adaptation field of %d bytes beside a payload, where at most 182 fit", n)
		return 0, false
	}
	return 5 + n, true
}

// repeated says that the packet is the last one of its PID again, which may happen once (2.4.3.3); its clock reference may differ.
func (w *walker) repeated(p *walked, b []byte, at place) bool {
	counter, is := b[3]&0x0f, b[4:]
	clock := b[3]&0x20 != 0 && b[4] >= 7 && b[5]&0x10 != 0
	same := p.begun && counter == p.counter
	if clock {
		same = same && bytes.Equal(p.last[:2], is[:2]) && bytes.Equal(p.last[8:], is[8:])
	} else {
		same = same && bytes.Equal(p.last[:], is)
	}
	p.counter, p.begun = counter, true
	if !same {
		p.repeats = 0
		copy(p.last[:], is)
		return false
	}
	if p.repeats++; float64(p.repeats) > classes[duplicatePacket].Limit {
		w.book.tell(duplicatePacket, int32(p.pid), "", at, "the packet comes for the %dth time in a row", p.repeats+1)
	}
	return true
}
