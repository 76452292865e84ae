package mpegts

import (
	"errors"
	"fmt"
	"io"
)

// A Problem is something wrong with the stream, at a byte offset of the file.
type Problem struct {
	At   int64
	What string
}

// maxProblems bounds the list; Demuxer.Dropped counts those beyond.
const maxProblems = 1000

// maxHeld bounds what is gathered and not yet given, of all streams together, in bytes: two of the largest pictures, and room
// for metadata. Where a stream begins more, all is given as it is.
const maxHeld = 96 << 20

// A Demuxer reads a transport stream and gives its metadata, in the order in which it is complete, and the access units of
// those other streams that Take asks for. It is not safe for concurrent use.
type Demuxer struct {
	f        *framer
	pids     [8192]*elementary
	order    []uint16
	queue    []Unit
	given    int    // of queue
	arena    []byte // the bytes of the units in queue
	want     func(Stream) bool
	outline  bool
	watch    func(Event)
	held     int // capacity of the buffers of all streams
	line     int64
	hasLine  bool
	problems []Problem
	dropped  int
	end      error

	firstClock uint16 // the PID of the clock reference that came first
}

// elementary is what is known of one PID.
type elementary struct {
	Stream
	kind    pidKind
	table   section
	counter int // last continuity counter, -1 before the first
	last    [packetSize]byte
	lastLen int
	pes     []byte // of the PES being gathered, header included; of pictures, the header alone; empty when none is
	pesAt   int64
	flagged bool // random_access_indicator of the packet in which the PES begins
	anew    bool // discontinuity_indicator there
	timed   bool // its time stamps are taken
	got     int  // bytes of the PES so far
	due     int  // bytes that its header announces, 0 where it does not
	locked  bool // scrambled, and told so
	gap     bool // bytes were lost since the last unit
	jumped  bool // a discontinuity was announced, and no packet with a payload came since
	told    bool // a contradiction, once
	pts     int64
	dts     int64 // of the last PES that had one
	hasDTS  bool
	cell    []byte // access unit gathered over cells
	cellAs  Unit   // its times and place
	inCell  bool
	joining bool // reading began within the file: the rest of an access unit is passed over
	charged int  // of Demuxer.held

	pictures *assembler // of a video stream that is taken, in a codec that is read
	clock    *clock     // of the program
	ownClock clock      // by the references on this PID
}

// firstStream is the first PID that may carry a stream; those below are for tables.
const firstStream = 0x20

type pidKind uint8

const (
	unknownPID pidKind = iota
	patPID
	pmtPID
	metadataPID
	takenPID // pictures or sound, taken
	otherPID
)

// NewDemuxer reads the stream in r.
func NewDemuxer(r io.Reader) *Demuxer {
	d := &Demuxer{f: newFramer(r)}
	d.pid(0).kind = patPID
	return d
}

// Take asks for the access units of other streams than those of metadata: of each for which want is true once its codec is
// known. Before the first Next, once.
func (d *Demuxer) Take(want func(Stream) bool) {
	d.want = want
	for _, n := range d.order {
		d.consider(d.pids[n])
	}
}

// TakeOutline is as Take, but those units come without their bytes (metadata keep theirs): for an index, which wants places and
// times alone.
func (d *Demuxer) TakeOutline(want func(Stream) bool) {
	d.outline = true
	d.Take(want)
}

// IsVideo reports whether a stream holds pictures, for Take.
func (s Stream) IsVideo() bool {
	switch s.Codec {
	case "h264", "h265", "mpeg2video", "mpeg1video", "mpeg4video", "jpeg2000", "h266", "vc1":
		return true
	}
	return false
}

// IsSound reports whether a stream holds sound, for Take.
func (s Stream) IsSound() bool {
	switch s.Codec {
	case "mp2", "aac", "aac-latm", "ac3":
		return true
	}
	return false
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

// Next gives the next unit. It ends with io.EOF; another error is the reader's own. Damage is no error: it is told by Problems.
func (d *Demuxer) Next() (Unit, error) {
	for {
		if d.given < len(d.queue) {
			d.given++
			return d.queue[d.given-1], nil
		}
		if d.end != nil {
			return Unit{}, d.end
		}
		clear(d.queue)
		d.queue, d.given, d.arena = d.queue[:0], 0, d.arena[:0]
		d.step()
	}
}

// give queues a unit; its bytes are kept until the queue is empty again.
func (d *Demuxer) give(e *elementary, u Unit) {
	u.PID, u.Data = e.PID, d.keep(u.Data)
	d.queue = append(d.queue, u)
}

// keep copies bytes to the arena. One that is too small is left to the units that lie in it, not copied to a larger one; the first
// is small, so that a short stream costs little.
func (d *Demuxer) keep(b []byte) []byte {
	if cap(d.arena)-len(d.arena) < len(b) {
		d.arena = make([]byte, 0, max(len(b), min(max(4<<10, 4*cap(d.arena)), 64<<10)))
	}
	n := len(d.arena)
	d.arena = append(d.arena, b...)
	return d.arena[n:len(d.arena):len(d.arena)]
}

func (d *Demuxer) step() {
	b, at, err := d.f.next()
	if d.f.lost > 0 {
		d.problem(d.f.lostAt, "lost sync: %d bytes before the next packet", d.f.lost)
		d.tell(nil, d.f.lostAt, Event{Kind: SyncLost, N: d.f.lost})
		d.f.lost = 0
	}
	if err != nil {
		d.finish(at, err)
		return
	}
	var p packet
	p.parse(b, at)
	if p.pid == nullPID {
		return
	}
	e := d.pid(p.pid)
	e.Packets++
	if p.broken {
		d.problem(at, "PID 0x%x: packet marked as received with errors", p.pid)
		d.tell(e, at, Event{Kind: Broken})
	}
	if p.discontinuity {
		e.jumped = true
		d.tell(e, at, Event{Kind: Discontinuous})
	}
	if !d.continues(e, &p, b) {
		return
	}
	if p.hasPCR {
		d.refer(e, &p)
	}
	if p.scrambled {
		d.scrambled(e, at)
	} else if p.hasPayload {
		d.payload(e, &p)
	}
	if p.hasPayload {
		e.jumped = false
	}
}

func (d *Demuxer) payload(e *elementary, p *packet) {
	switch e.kind {
	case patPID, pmtPID:
		d.tables(e, p)
	case unknownPID, metadataPID, takenPID:
		d.gather(e, p)
	}
}

// finish ends the stream: what is unfinished is given as it is.
func (d *Demuxer) finish(at int64, err error) {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		d.problem(at, "the file ends within a packet")
		d.tell(nil, at, Event{Kind: CutPacket})
		err = io.EOF
	}
	d.end = err
	for _, n := range d.order {
		e := d.pids[n]
		d.measure(e)
		d.flush(e, true)
		if e.pictures != nil {
			e.pictures.end(d.givePicture(e))
		}
	}
}

func (d *Demuxer) scrambled(e *elementary, at int64) {
	d.tell(e, at, Event{Kind: Scrambled})
	if (e.kind == metadataPID || e.kind == takenPID) && !e.locked {
		e.locked = true
		what := "its metadata"
		if e.kind == takenPID {
			what = "it"
		}
		d.problem(at, "PID 0x%x: scrambled: %s cannot be read", e.PID, what)
	}
}

// continues checks the continuity counter; false for a packet sent twice, which says nothing new.
func (d *Demuxer) continues(e *elementary, p *packet, raw []byte) bool {
	if !p.hasPayload {
		return true
	}
	was := e.counter
	e.counter = int(p.counter)
	if was < 0 || e.jumped || p.counter == uint8(was+1)&0x0f {
		e.remember(raw)
		return true
	}
	if p.counter == uint8(was) && e.repeats(p, raw) {
		d.tell(e, p.at, Event{Kind: Repeated})
		return false
	}
	e.remember(raw)
	lost := int(p.counter-uint8(was+1)) & 0x0f
	d.problem(p.at, "PID 0x%x: continuity: at least %d packets are missing", p.pid, lost)
	d.tell(e, p.at, Event{Kind: Lost, N: int64(lost)})
	d.flush(e, false)
	e.table.buf = e.table.buf[:0]
	e.gap, e.inCell = true, false
	if e.pictures != nil {
		e.pictures.now.gap = true
	}
	return true
}

// remember keeps a packet, so that its repetition is known as one.
func (e *elementary) remember(raw []byte) { e.lastLen = copy(e.last[:], raw[4:]) }

// repeats says that a packet is the last one again; its clock reference may differ (ISO/IEC 13818-1, 2.4.3.3).
func (e *elementary) repeats(p *packet, raw []byte) bool {
	was, is := e.last[:e.lastLen], raw[4:]
	if p.hasPCR && len(was) == len(is) {
		return string(was[:2]) == string(is[:2]) && string(was[8:]) == string(is[8:])
	}
	return string(was) == string(is)
}

// gather collects a PES packet. Of streams that nobody wants only the first bytes are looked at.
func (d *Demuxer) gather(e *elementary, p *packet) {
	if p.start {
		d.begin(e, p)
	} else {
		e.got += len(p.payload)
	}
	if e.kind == unknownPID {
		return
	}
	if e.pictures != nil {
		d.gatherPicture(e, p)
		return
	}
	if p.start {
		e.pes = append(e.pes[:0], p.payload...)
	} else if len(e.pes) > 0 {
		e.pes = append(e.pes, p.payload...)
	}
	d.charge(e)
	if len(e.pes) > maxPES {
		d.problem(e.pesAt, "PID 0x%x: a PES of more than %d bytes: the rest is passed over", e.PID, maxPES)
		d.flush(e, false)
	} else if n, known := pesLength(e.pes); known && len(e.pes) >= n {
		d.flush(e, false)
	}
}

// begin ends the PES under way, and takes what the packet says in which the next begins.
func (d *Demuxer) begin(e *elementary, p *packet) {
	d.measure(e)
	d.flush(e, false)
	e.PES++
	e.pesAt, e.flagged, e.anew, e.timed = p.at, p.random, e.jumped, false
	n, _ := pesLength(p.payload)
	e.got, e.due = len(p.payload), n
	d.look(e, p)
}

// measure tells of a PES whose length is not what its header announces.
func (d *Demuxer) measure(e *elementary) {
	if e.due != 0 && e.got != e.due && e.PES > 0 {
		d.tell(e, e.pesAt, Event{Kind: PESLength, N: int64(e.got - e.due)})
	}
	e.due = 0
}

// gatherPicture gives the payload of a video PES to the assembler as it comes. Only the header is gathered before.
func (d *Demuxer) gatherPicture(e *elementary, p *packet) {
	const longest = 9 + 255
	b := p.payload
	if e.PES == 0 { // reading began within a PES
		return
	}
	if p.start || len(e.pes) > 0 {
		if p.start {
			e.pes = e.pes[:0]
		}
		e.pes = append(e.pes, b...)
		h, ok := parsePES(e.pes)
		if !ok {
			if len(e.pes) >= longest {
				d.problem(e.pesAt, "PID 0x%x: no PES header where one is due", e.PID)
				d.tell(e, e.pesAt, Event{Kind: PESBroken})
				e.pes = e.pes[:0]
			}
			return
		}
		d.stamp(e, h)
		b = e.pes[h.size:]
		e.pes = e.pes[:0]
	}
	if e.due > 0 && e.got > e.due { // what follows the announced length is no part of it
		b = b[:max(len(b)-(e.got-e.due), 0)]
	}
	e.pictures.feed(b, d.givePicture(e))
	if e.pictures.fresh {
		e.pictures.fresh = false
		e.note(e.pictures.facts)
	}
	d.charge(e)
}

// stamp tells the assembler what the header of a PES says, whose payload begins at the end of what it has.
func (d *Demuxer) stamp(e *elementary, h pesHeader) {
	d.times(e, h, e.pesAt)
	s := stamp{from: len(e.pictures.buf), at: e.pesAt, pts: e.pts, dts: e.dts, hasPTS: h.hasPTS, flagged: e.flagged, jumped: e.anew}
	s.clock, s.hasClock = d.arrived(e, e.pesAt)
	e.pictures.stamps = append(e.pictures.stamps, s)
}

func (d *Demuxer) givePicture(e *elementary) func(Unit) {
	return func(u Unit) {
		if u.Gap = u.Gap || e.gap; u.Fields > 0 && e.Video != nil {
			e.Video.FieldCoded = true
		}
		e.gap = false
		d.give(e, u)
	}
}

// charge counts the capacity of a stream's buffers, and gives all that is unfinished where they are too large together.
func (d *Demuxer) charge(e *elementary) {
	n := cap(e.pes) + cap(e.cell)
	if e.pictures != nil {
		n += cap(e.pictures.buf)
	}
	if n == e.charged {
		return
	}
	d.held += n - e.charged
	if e.charged = n; d.held <= maxHeld {
		return
	}
	d.problem(e.pesAt, "more than %d bytes are unfinished at once: they are given as they are, and what follows of these PES is passed over", maxHeld)
	for _, n := range d.order {
		d.release(d.pids[n])
	}
	d.held = 0
}

func (d *Demuxer) release(e *elementary) {
	d.flush(e, false)
	if e.inCell {
		d.giveCell(e)
		e.inCell, e.gap = false, true
	}
	if e.pictures != nil {
		e.pictures.end(d.givePicture(e))
		e.pictures.buf, e.pictures.stamps = nil, nil
	}
	e.pes, e.cell, e.charged = nil, nil, 0
}

// pesLength is the whole length of a PES packet, header included, when the header says it.
func pesLength(b []byte) (int, bool) {
	if len(b) < 6 {
		return 0, false
	}
	n := int(b[4])<<8 | int(b[5])
	if n == 0 {
		return 0, false
	}
	return 6 + n, true
}

// flush gives the PES gathered so far. A PES that the end of the file cuts is given too, and told.
func (d *Demuxer) flush(e *elementary, last bool) {
	if len(e.pes) == 0 || e.pictures != nil {
		e.pes = e.pes[:0]
		return
	}
	b := e.pes
	e.pes = e.pes[:0]
	h, ok := parsePES(b)
	if !ok {
		d.problem(e.pesAt, "PID 0x%x: no PES header where one is due", e.PID)
		d.tell(e, e.pesAt, Event{Kind: PESBroken})
		return
	}
	if n, known := pesLength(b); known {
		if len(b) < n {
			d.problem(e.pesAt, "PID 0x%x: PES of %d bytes where %d are announced%s", e.PID, len(b), n, atEnd(last))
		} else {
			b = b[:max(n, h.size)]
		}
	}
	d.times(e, h, e.pesAt)
	u := Unit{Offset: e.pesAt, PTS: e.pts, DTS: e.dts, HasPTS: h.hasPTS, Flagged: e.flagged, Discontinuity: e.anew}
	if !h.hasPTS {
		u.PTS, u.DTS = 0, 0
	}
	u.Clock, u.HasClock = d.arrived(e, e.pesAt)
	if e.kind == takenPID {
		d.giveWhole(e, u, b[h.size:])
		return
	}
	d.emit(e, h, u, b[h.size:])
}

// giveWhole gives the payload of a PES of sound, or of pictures in a codec that is not read.
func (d *Demuxer) giveWhole(e *elementary, u Unit, b []byte) {
	if u.Kind = Sound; e.IsVideo() {
		u.Kind, u.Random = Pictures, e.flagged
	}
	if u.Gap, e.gap = e.gap, false; !d.outline {
		u.Data = b
	}
	d.give(e, u)
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
	pts, dts int64
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
		h.hasPTS, h.pts = true, timeStamp(b[9:])
		if h.dts = h.pts; b[7]&0x40 != 0 && b[8] >= 10 {
			h.dts = timeStamp(b[14:])
		}
	}
	return h, true
}

// timeStamp reads the 33 bits of a time stamp among their markers.
func timeStamp(b []byte) int64 {
	return int64(b[0]>>1&7)<<30 | int64(b[1])<<22 | int64(b[2]>>1)<<15 | int64(b[3])<<7 | int64(b[4]>>1)
}

// look reads what the first bytes of a PES tell: times, and what a stream holds that no table announced.
func (d *Demuxer) look(e *elementary, p *packet) {
	h, ok := parsePES(p.payload)
	if !ok {
		if e.kind == unknownPID && e.Codec != "" && len(p.payload) >= 9 && (p.payload[0] != 0 || p.payload[1] != 0 || p.payload[2] != 1) {
			d.tell(e, p.at, Event{Kind: PESBroken})
		}
		return
	}
	payload := p.payload[h.size:]
	d.times(e, h, p.at)
	if e.kind == metadataPID {
		return
	}
	private := e.StreamType == 0 || e.StreamType == 0x06 || e.StreamType == 0x15
	if (h.streamID == 0xfc || h.streamID == 0xbd) && private && hasLabel(payload) {
		e.How, e.Codec = "a SMPTE label in a private stream", "klv"
		d.becomes(e, metadataPID)
		return
	}
	if e.StreamType == 0 && e.Codec == "" {
		e.Codec = codecOf(h.streamID, payload)
		d.consider(e)
	}
	if e.Video == nil {
		if v, ok := firstFacts(e.Codec, payload); ok {
			e.note(v)
		}
	}
}

// times takes the time stamps of a PES, once.
func (d *Demuxer) times(e *elementary, h pesHeader, at int64) {
	if e.timed {
		return
	}
	if e.timed = true; !h.hasPTS {
		d.tell(e, at, Event{Kind: PESBegan})
		return
	}
	d.unwrap(e, h.pts)
	dts := nearest(h.dts, e.pts)
	if back := e.dts - dts; e.hasDTS && back > 0 && !e.anew {
		d.tell(e, at, Event{Kind: TimeBack, N: back, HasPTS: true, PTS: e.pts, DTS: dts})
	}
	e.dts, e.hasDTS = dts, true
	d.tell(e, at, Event{Kind: PESBegan, HasPTS: true, PTS: e.pts, DTS: dts})
}

// consider asks whether a stream whose codec is known now is wanted.
func (d *Demuxer) consider(e *elementary) {
	if e.kind != unknownPID && e.kind != takenPID || e.Codec == "" {
		return
	}
	if d.want == nil || !d.want(e.Stream) {
		d.becomes(e, unknownPID)
		return
	}
	d.becomes(e, takenPID)
	if e.pictures == nil {
		e.pictures = newAssembler(e.Codec, d.outline)
	}
}

// becomes changes what a PID holds; what is unfinished of what it held is given first.
func (d *Demuxer) becomes(e *elementary, kind pidKind) {
	if e.kind == kind {
		return
	}
	if e.kind == takenPID {
		d.release(e)
		e.pictures = nil
	}
	e.kind = kind
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

// codecOf tells by the first bytes which video a stream carries that no table announces; "" when they do not say.
func codecOf(streamID uint8, b []byte) string {
	i := nextStart(b, 0)
	if streamID&0xf0 != 0xe0 || i < 0 || i > 1 || len(b) < i+6 {
		return ""
	}
	switch c := b[i+3]; {
	case c == 0xb3:
		return "mpeg2video"
	case c == 0x46 && b[i+4] == 1, c == 0x40 && b[i+4] == 1: // an access unit delimiter, or a video parameter set
		return "h265"
	case c == 0x09 && b[i+4]&0x1f == 0x10, c&0x9f == 0x07 && c&0x60 != 0:
		return "h264"
	}
	return ""
}

// firstFacts reads what the first packet of a PES tells of the pictures.
func firstFacts(codec string, b []byte) (v Video, ok bool) {
	switch codec {
	case "mpeg1video", "mpeg2video":
		return parseMPEG2(afterStartCode(b, func(c byte) bool { return c == 0xb3 }))
	case "h264":
		return ParseSPS(codec, afterStartCode(b, func(c byte) bool { return c&0x9f == 7 }))
	case "h265":
		return ParseSPS(codec, afterStartCode(b, func(c byte) bool { return c>>1 == 33 }))
	}
	return v, false
}

// note takes the facts of a stream's pictures.
func (e *elementary) note(v Video) {
	if e.Video == nil {
		e.Video = new(Video)
	}
	v.FieldCoded = v.FieldCoded || e.Video.FieldCoded
	*e.Video = v
	e.Width, e.Height = v.Width, v.Height
}
