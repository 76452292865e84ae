package mpegts

import (
	"errors"
	"fmt"
	"io"
)

// maxPES bounds what is gathered of one PES packet or access unit, in bytes. Metadata of more is given in pieces.
const maxPES = 8 << 20

// A Unit is a run of metadata bytes with one time stamp: the payload of an asynchronous PES, or one access unit of a
// synchronous stream. A KLV packet may span units, and a unit may hold several.
type Unit struct {
	PID    uint16
	Data   []byte // valid until the next call of Next
	Offset int64  // in the file, of the transport packet in which the unit begins
	PTS    int64  // 90 kHz ticks, unwrapped over the 33 bits of the header
	HasPTS bool
	// Sync says that the bytes came in access-unit cells (stream type 0x15 as MISB ST 1402 has it).
	Sync bool
	// Gap says that bytes were lost on this PID before the unit: what was left unfinished stays so.
	Gap bool
}

// A Problem is something wrong with the stream, at a byte offset of the file.
type Problem struct {
	At   int64
	What string
}

// maxProblems bounds the list; Demuxer.Dropped counts those beyond.
const maxProblems = 1000

// A Demuxer reads a transport stream and gives its metadata, in the order in which it is complete.
type Demuxer struct {
	f        *framer
	pids     map[uint16]*elementary
	order    []uint16
	queue    []Unit
	problems []Problem
	dropped  int
	end      error
}

// elementary is what is known of one PID.
type elementary struct {
	Stream
	kind    pidKind
	table   section
	counter int // last continuity counter, -1 before the first
	last    [packetSize]byte
	lastLen int
	pes     []byte // of the PES being gathered, header included; nil when none is
	pesAt   int64
	locked  bool // scrambled, and told so
	gap     bool // bytes were lost since the last unit
	pts     int64
	cell    []byte // access unit gathered over cells
	cellAt  int64
	cellPTS int64
	cellHas bool
	inCell  bool
}

// firstStream is the first PID that may carry a stream; those below are for tables.
const firstStream = 0x20

type pidKind uint8

const (
	unknownPID pidKind = iota
	patPID
	pmtPID
	metadataPID
	otherPID
)

// NewDemuxer reads the stream in r.
func NewDemuxer(r io.Reader) *Demuxer {
	d := &Demuxer{f: newFramer(r), pids: map[uint16]*elementary{}}
	d.pid(0).kind = patPID
	return d
}

func (d *Demuxer) pid(n uint16) *elementary {
	e := d.pids[n]
	if e == nil {
		e = &elementary{Stream: Stream{PID: n}, counter: -1}
		d.pids[n] = e
		d.order = append(d.order, n)
		if n < firstStream {
			e.kind = otherPID
		}
	}
	return e
}

// Streams lists the elementary streams seen so far, in order of first appearance.
func (d *Demuxer) Streams() (out []Stream) {
	for _, n := range d.order {
		e := d.pids[n]
		if n < firstStream || e.kind == pmtPID || e.Packets == 0 && e.StreamType == 0 {
			continue
		}
		e.Metadata = e.kind == metadataPID
		out = append(out, e.Stream)
	}
	return out
}

// Problems lists what was wrong so far, at most 1000; dropped counts the rest.
func (d *Demuxer) Problems() (list []Problem, dropped int) { return d.problems, d.dropped }

func (d *Demuxer) problem(at int64, format string, a ...any) {
	if len(d.problems) == maxProblems {
		d.dropped++
		return
	}
	d.problems = append(d.problems, Problem{at, fmt.Sprintf(format, a...)})
}

// Next gives the next unit of metadata. It ends with io.EOF; another error is the reader's own. Damage is no error: it is
// told by Problems.
func (d *Demuxer) Next() (Unit, error) {
	for {
		if len(d.queue) > 0 {
			u := d.queue[0]
			if d.queue = d.queue[1:]; len(d.queue) == 0 {
				d.queue = nil
			}
			return u, nil
		}
		if d.end != nil {
			return Unit{}, d.end
		}
		d.step()
	}
}

func (d *Demuxer) step() {
	b, at, err := d.f.next()
	if d.f.lost > 0 {
		d.problem(d.f.lostAt, "lost sync: %d bytes before the next packet", d.f.lost)
		d.f.lost = 0
	}
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			d.problem(at, "the file ends within a packet")
			err = io.EOF
		}
		d.end = err
		for _, n := range d.order {
			d.flush(d.pids[n], true)
		}
		return
	}
	p := parsePacket(b, at)
	if p.pid == nullPID {
		return
	}
	e := d.pid(p.pid)
	e.Packets++
	if p.broken {
		d.problem(at, "PID 0x%x: packet marked as received with errors", p.pid)
	}
	if !d.continues(e, &p, b) || !p.hasPayload {
		return
	}
	if p.scrambled {
		if e.kind == metadataPID && !e.locked {
			e.locked = true
			d.problem(at, "PID 0x%x: scrambled: its metadata cannot be read", p.pid)
		}
		return
	}
	switch e.kind {
	case patPID, pmtPID:
		d.tables(e, p)
	case unknownPID, metadataPID:
		d.gather(e, p)
	}
}

// continues checks the continuity counter; false for a packet sent twice, which says nothing new.
func (d *Demuxer) continues(e *elementary, p *packet, raw []byte) bool {
	if !p.hasPayload {
		return true
	}
	was := e.counter
	e.counter = int(p.counter)
	if was < 0 || p.discontinuity || p.counter == uint8(was+1)&0x0f {
		e.remember(raw)
		return true
	}
	if p.counter == uint8(was) && string(e.last[:e.lastLen]) == string(raw[4:]) {
		return false
	}
	e.remember(raw)
	lost := int(p.counter-uint8(was+1)) & 0x0f
	d.problem(p.at, "PID 0x%x: continuity: at least %d packets are missing", p.pid, lost)
	d.flush(e, false)
	e.gap, e.inCell = true, false
	return true
}

// remember keeps a packet of metadata, so that its repetition is known as one.
func (e *elementary) remember(raw []byte) {
	if e.kind == metadataPID || e.kind == unknownPID {
		e.lastLen = copy(e.last[:], raw[4:])
	}
}

func (d *Demuxer) tables(e *elementary, p packet) {
	b := e.table.add(p)
	if b == nil {
		return
	}
	if crc32(b) != 0 {
		d.problem(p.at, "PID 0x%x: table with a wrong check sum, passed over", p.pid)
		return
	}
	if e.kind == patPID && b[0] == 0 {
		for _, n := range patPrograms(b) {
			if t := d.pid(n); t.kind == unknownPID || t.kind == otherPID {
				t.kind = pmtPID
			}
		}
		return
	}
	if e.kind == pmtPID && b[0] == 2 {
		for _, a := range pmtStreams(b) {
			d.announce(a)
		}
	}
}

func (d *Demuxer) announce(a announced) {
	e := d.pid(a.pid)
	if e.kind == patPID || e.kind == pmtPID {
		return
	}
	if e.StreamType = a.streamType; e.Codec == "" {
		e.Codec = codecs[a.streamType]
	}
	if a.how != "" && e.kind != metadataPID {
		e.kind, e.How, e.Codec = metadataPID, a.how, "klv"
	}
}

// gather collects a PES packet. Of streams that are not metadata only the first bytes are looked at.
func (d *Demuxer) gather(e *elementary, p packet) {
	if p.start {
		d.flush(e, false)
		e.PES++
		e.look(p)
		if e.kind != metadataPID {
			return
		}
		e.pes, e.pesAt = append(e.pes[:0], p.payload...), p.at
	} else if e.kind == metadataPID && len(e.pes) > 0 {
		e.pes = append(e.pes, p.payload...)
	}
	if e.kind != metadataPID {
		return
	}
	if n, known := pesLength(e.pes); known && len(e.pes) >= n || len(e.pes) > maxPES {
		d.flush(e, false)
	}
}

// pesLength is the whole length of a PES packet, header included, when the header says it.
func pesLength(b []byte) (int, bool) {
	if len(b) < 6 {
		return 0, false
	}
	n := int(b[4])<<8 | int(b[5])
	return 6 + n, n != 0
}

// flush gives the PES gathered so far. A PES that the end of the file cuts is given too, and told.
func (d *Demuxer) flush(e *elementary, last bool) {
	if e == nil || len(e.pes) == 0 {
		return
	}
	b := e.pes
	e.pes = e.pes[:0]
	h, ok := parsePES(b)
	if !ok {
		d.problem(e.pesAt, "PID 0x%x: no PES header where one is due", e.PID)
		return
	}
	if n, known := pesLength(b); known {
		if len(b) < n {
			d.problem(e.pesAt, "PID 0x%x: PES of %d bytes where %d are announced%s", e.PID, len(b), n, atEnd(last))
		} else {
			b = b[:max(n, h.size)]
		}
	}
	if h.hasPTS {
		e.unwrap(h.pts)
	}
	d.emit(e, h, append([]byte(nil), b[h.size:]...))
}

func atEnd(last bool) string {
	if last {
		return ": the file ends within it"
	}
	return ""
}

type pesHeader struct {
	streamID uint8
	size     int // of the header, to the first payload byte
	pts      int64
	hasPTS   bool
}

// parsePES reads a PES header (ISO/IEC 13818-1, 2.4.3.6).
func parsePES(b []byte) (h pesHeader, ok bool) {
	if len(b) < 9 || b[0] != 0 || b[1] != 0 || b[2] != 1 {
		return h, false
	}
	h.streamID, h.size = b[3], 9+int(b[8])
	if b[6]&0xc0 != 0x80 || h.size > len(b) {
		return h, false
	}
	if b[7]&0x80 != 0 && b[8] >= 5 {
		h.hasPTS = true
		h.pts = int64(b[9]>>1&7)<<30 | int64(b[10])<<22 | int64(b[11]>>1)<<15 | int64(b[12])<<7 | int64(b[13]>>1)
	}
	return h, true
}

// unwrap puts a 33-bit time stamp on the time line of its stream: the reading nearest to the last one.
func (e *elementary) unwrap(pts int64) {
	const wrap = 1 << 33
	if !e.HasPTS {
		e.HasPTS, e.pts, e.FirstPTS, e.LastPTS = true, pts, pts, pts
		return
	}
	delta := (pts - e.pts) & (wrap - 1)
	if delta >= wrap/2 {
		delta -= wrap
	}
	e.pts += delta
	e.LastPTS = max(e.LastPTS, e.pts)
}

// look reads what the first bytes of a PES tell: times, and whether a stream that no table announced carries KLV.
func (e *elementary) look(p packet) {
	h, ok := parsePES(p.payload)
	if !ok {
		return
	}
	payload := p.payload[h.size:]
	if e.kind == metadataPID {
		return
	}
	if h.hasPTS {
		e.unwrap(h.pts)
	}
	private := e.StreamType == 0 || e.StreamType == 0x06 || e.StreamType == 0x15
	if (h.streamID == 0xfc || h.streamID == 0xbd) && private && hasLabel(payload) {
		e.kind, e.How, e.Codec = metadataPID, "a SMPTE label in a private stream", "klv"
		return
	}
	e.videoFacts(payload)
}

// hasLabel says whether a SMPTE set key stands where KLV would begin: at once, or after one access-unit cell header.
func hasLabel(b []byte) bool {
	for _, i := range [...]int{0, cellHeader} {
		if len(b) >= i+5 && b[i] == 0x06 && b[i+1] == 0x0e && b[i+2] == 0x2b && b[i+3] == 0x34 && b[i+4] == 0x02 {
			return true
		}
	}
	return false
}
