package mpegts

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// A Clip says what Cut wrote.
type Clip struct {
	// From is the presentation time of the random access point at which the clip begins, at or before the one asked for; To is the
	// last presentation time of a picture in it (of metadata, where there are no pictures). 90 kHz ticks, unwrapped.
	From, To int64
	// Begin and End bound the bytes of the stream that were read.
	Begin, End int64
	Packets    int64
	// Pictures and Metadata count units.
	Pictures, Metadata int64
}

// ErrNothing: no picture and no metadata lies between the times.
var ErrNothing = errors.New("mpegts: nothing lies between these times")

// slack is how far from the pictures the metadata and sound of the same time may lie in the stream, in ticks: ten seconds.
const slack = 10 * 90000

// stretch is the part of one PID that belongs to a clip: the PES that begin within it.
type stretch struct {
	first, end int64 // bytes
	begun      bool
	active     bool
	due, got   int // bytes of the PES under way, due 0 where its header does not say
}

// Cut copies to w what of a stream is shown between two presentation times, without decoding: packets of 188 bytes as they are.
// It begins with PAT and PMT and, of each video stream, with the random access point at or before from (else its first); it
// ends with the last picture whose decoding time is not after to. Of metadata and sound it has the PES from the time of that
// random access point on up to to, wherever they lie near it in the stream. PES are whole at both ends, and continuity counters
// run on: only those of the tables are changed, since a PAT and a PMT are put before. What the stream lost stays lost.
func (x *Index) Cut(w io.Writer, file io.ReaderAt, from, to int64) (Clip, error) {
	c := &cutter{x: x, file: file, out: &Writer{w: w}, to: to, stretches: map[uint16]*stretch{}, shifts: map[uint16]uint8{},
		clip: Clip{From: math.MaxInt64, To: math.MinInt64}}
	if err := c.plan(from); err != nil {
		return Clip{}, err
	}
	if err := c.head(); err != nil {
		return Clip{}, err
	}
	return c.clip, c.copy()
}

type cutter struct {
	x         *Index
	file      io.ReaderAt
	out       *Writer
	to        int64
	stretches map[uint16]*stretch
	clip      Clip
	// near and far bound the packets of PIDs that the index does not know.
	near, far int64
	tables    tableReader
	written   map[uint16]*output // tables put before
	shifts    map[uint16]uint8   // what is added to the continuity counters of a PID
}

// plan finds the stretch of each PID.
func (c *cutter) plan(from int64) error {
	if from > c.to {
		return fmt.Errorf("mpegts: a clip from %d to %d ends before it begins", from, c.to)
	}
	if err := c.planPictures(from); err != nil {
		return err
	}
	if len(c.stretches) == 0 { // no pictures: metadata alone
		c.clip.From, c.near, c.far = from, math.MaxInt64, 0
	}
	if err := c.planOthers(); err != nil {
		return err
	}
	if len(c.stretches) == 0 {
		return ErrNothing
	}
	c.clip.Begin = math.MaxInt64
	for _, s := range c.stretches {
		c.clip.Begin = min(c.clip.Begin, s.first)
	}
	return nil
}

// planPictures finds where the pictures of each video stream begin and end.
func (c *cutter) planPictures(from int64) error {
	c.near = math.MaxInt64
	for _, s := range c.x.Streams {
		if !s.IsVideo() {
			continue
		}
		e, ok, err := c.x.RandomAccess(from, s.PID)
		if err == nil && !ok {
			e, ok, err = c.x.firstRandom(s.PID, c.to)
		}
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		stretch := &stretch{first: e.Offset, end: math.MaxInt64}
		if err := c.follow(e, stretch); err != nil {
			return err
		}
		c.stretches[s.PID] = stretch
		c.clip.From = min(c.clip.From, e.PTS)
		c.near, c.far = min(c.near, e.Offset), max(c.far, min(stretch.end, c.x.Size))
	}
	return nil
}

// follow goes from a random access point to the first picture that is decoded after the clip.
func (c *cutter) follow(e Entry, s *stretch) error {
	for p, err := range c.x.near(e.Offset) {
		if err != nil {
			return err
		}
		if p.PID != e.PID || p.Offset < e.Offset {
			continue
		}
		if p.Timed && !p.Arrival && p.DTS > c.to {
			s.end = p.Offset
			return nil
		}
		c.clip.Pictures++
		if p.Timed {
			c.clip.To = max(c.clip.To, p.PTS)
		}
	}
	return nil
}

// planOthers finds the stretches of metadata and sound.
func (c *cutter) planOthers() error {
	begin, limit := c.near, c.x.Size
	if begin == math.MaxInt64 {
		begin = 0
	}
	for e, err := range c.x.near(begin) {
		if err != nil {
			return err
		}
		if e.Kind == Pictures {
			if e.Timed && e.DTS > c.to+slack && e.Offset >= c.far {
				limit = e.Offset
				break
			}
			continue
		}
		s := c.stretches[e.PID]
		inside, over := e.PTS >= c.clip.From && e.PTS <= c.to, e.PTS > c.to
		if !e.Timed || e.Arrival && c.far > 0 {
			inside, over = e.Offset >= c.near && e.Offset < c.far, e.Offset >= c.far
		}
		switch {
		case s == nil && inside:
			c.stretches[e.PID] = &stretch{first: e.Offset, end: math.MaxInt64}
			c.count(e)
		case s != nil && over:
			s.end = min(s.end, e.Offset)
		case s != nil && e.Offset < s.end:
			c.count(e)
		}
	}
	for _, s := range c.stretches {
		if s.end == math.MaxInt64 {
			s.end = limit
		}
	}
	return nil
}

func (c *cutter) count(e Entry) {
	if e.Kind != Metadata {
		return
	}
	c.clip.Metadata++
	if e.Timed && c.far == 0 {
		c.clip.To = max(c.clip.To, e.PTS)
	}
}

// head writes PAT and PMT as they were in force where the clip begins, or, where the stream had none before, as they come next.
func (c *cutter) head() error {
	for _, window := range [...]int64{1 << 20, 16 << 20} {
		from := max(c.clip.Begin-window/int64(c.x.stride)*int64(c.x.stride), 0)
		if err := c.tables.read(c.file, from, c.clip.Begin, c.x.stride, false); err != nil {
			return err
		}
		if c.tables.whole() || from == 0 {
			break
		}
	}
	if !c.tables.whole() {
		if err := c.tables.read(c.file, c.clip.Begin, c.x.Size, c.x.stride, true); err != nil {
			return err
		}
	}
	c.written = map[uint16]*output{}
	for _, pid := range c.tables.order {
		o := &output{Output: Output{PID: pid}}
		c.written[pid] = o
		if err := c.out.packets(o, append([]byte{0}, c.tables.sections[pid]...), nil); err != nil {
			return err
		}
		c.clip.Packets += int64(o.counter)
	}
	return nil
}

// copy writes the packets of the stretches.
func (c *cutter) copy() error {
	f := newFramer(io.NewSectionReader(c.file, c.clip.Begin, math.MaxInt64-c.clip.Begin))
	f.at, f.stride, f.begun = c.clip.Begin, c.x.stride, true
	last := int64(0)
	for _, s := range c.stretches {
		last = max(last, s.end)
	}
	var p packet
	for {
		b, at, err := f.next()
		c.clip.End = f.at
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if at >= last && !c.unfinished() {
			c.clip.End = at
			return nil
		}
		p.parse(b, at)
		if p.pid == nullPID || !c.wants(&p) {
			continue
		}
		if err := c.write(b, &p); err != nil {
			return err
		}
	}
}

// unfinished says that a PES of a stretch is still under way.
func (c *cutter) unfinished() bool {
	for _, s := range c.stretches {
		if s.active {
			return true
		}
	}
	return false
}

// wants says whether a packet belongs to the clip.
func (c *cutter) wants(p *packet) bool {
	s := c.stretches[p.pid]
	if s == nil {
		return c.wantsOther(p)
	}
	if !p.hasPayload { // a clock reference between
		return s.begun && p.at < s.end || p.hasPCR && p.at >= c.near && p.at < c.far
	}
	if p.start {
		s.active = p.at >= s.first && p.at < s.end
		s.begun = s.begun || s.active
		n, _ := pesLength(p.payload)
		s.due, s.got = n, 0
	}
	if !s.active {
		return false
	}
	if s.got += len(p.payload); s.due > 0 && s.got >= s.due {
		s.active = false
	}
	return true
}

// wantsOther is for tables and for what the index does not know, which is taken from its first beginning on.
func (c *cutter) wantsOther(p *packet) bool {
	table := c.written[p.pid] != nil
	if c.far > 0 && (p.at < c.near && !table || p.at >= c.far) {
		return false
	}
	if !p.hasPayload {
		return p.hasPCR
	}
	if _, begun := c.shifts[p.pid]; begun {
		return true
	}
	if !p.start {
		return false
	}
	c.shifts[p.pid] = 0
	if table {
		c.shifts[p.pid] = c.written[p.pid].counter - p.counter
	}
	return true
}

func (c *cutter) write(b []byte, p *packet) error {
	out := [packetSize]byte(b)
	out[3] = out[3]&0xf0 | (out[3]+c.shifts[p.pid])&0x0f
	c.clip.Packets++
	_, err := c.out.w.Write(out[:])
	return err
}

// firstRandom is the random access point of a PID that comes first in the stream, when it is shown no later than to.
func (x *Index) firstRandom(pid uint16, to int64) (Entry, bool, error) {
	for e, err := range x.All() {
		if err != nil {
			return Entry{}, false, err
		}
		if e.PID == pid && e.in(randomPoints) && e.Timed && e.PTS <= to {
			return e, true, nil
		}
	}
	return Entry{}, false, nil
}

// tableReader finds the PAT and the PMTs in a part of a stream.
type tableReader struct {
	gather   map[uint16]*section
	sections map[uint16][]byte
	order    []uint16 // the PAT, and the PIDs that it announces and that came
}

// read takes the last of each in a part of the stream, or, with first, stops when all have come.
func (t *tableReader) read(file io.ReaderAt, from, to int64, stride int, first bool) error {
	t.gather, t.sections, t.order = map[uint16]*section{0: {}}, map[uint16][]byte{}, nil
	f := newFramer(io.NewSectionReader(file, from, to-from))
	f.at, f.stride, f.begun = from, stride, true
	var p packet
	for !first || !t.whole() {
		b, at, err := f.next()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if p.parse(b, at); p.scrambled || len(p.payload) == 0 {
			continue
		}
		if s := t.gather[p.pid]; s != nil {
			s.add(&p, func(b []byte) { t.take(p.pid, b) })
		}
	}
	return nil
}

func (t *tableReader) take(pid uint16, b []byte) {
	if crc32(b) != 0 || b[5]&1 == 0 || pid == 0 && b[0] != 0 || pid != 0 && b[0] != 2 {
		return
	}
	if t.sections[pid] == nil {
		t.order = append(t.order, pid)
	}
	t.sections[pid] = append([]byte(nil), b...)
	if pid == 0 {
		for _, n := range patPrograms(b) {
			if t.gather[n] == nil {
				t.gather[n] = &section{}
			}
		}
	}
}

// whole says that a PAT came and all that it announces.
func (t *tableReader) whole() bool {
	return len(t.sections) > 0 && len(t.sections) == len(t.gather)
}
