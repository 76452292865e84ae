package check

import (
	"fmt"
	"maps"
	"slices"

	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

const (
	ticks90 = 90000    // of time stamps, a second
	ticks27 = 27000000 // of clock references, a second
	wrap33  = 1 << 33  // where time stamps begin again
)

// stamps follows the time stamps of one PID.
type stamps struct {
	dts       int64
	has       bool
	first     int64 // PTS
	least     int64
	most      int64
	anyPTS    bool
	mostAt    place
	firstAt   place
	video     bool
	sound     bool
	asMetaPID bool
}

// table follows one table: when it came.
type table struct {
	last    int64 // 27 MHz ticks
	lastAt  place
	known   bool // the time of the last one is known
	clocked bool // it is by a clock reference, not by time stamps
	version int  // of the last one, from 1; 0 before there is one
}

// event takes what the demultiplexer meets.
func (c *checker) event(v mpegts.Event) {
	c.facts.Add(v)
	at, pid := place{at: v.At}, int32(v.PID)
	tell := func(is code, format string, args ...any) { c.book.tell(is, pid, "", at, format, args...) }
	switch v.Kind {
	case mpegts.SyncLost:
		c.book.tell(syncLoss, noPID, "", at, "%d bytes passed over to the next packet", v.N)
	case mpegts.CutPacket:
		c.book.tell(cutPacket, noPID, "", at, "the file ends within a packet")
	case mpegts.Broken:
		tell(transportError, "a packet that the receiver marked as damaged")
	case mpegts.Lost:
		tell(continuity, "at least %d packets are missing before this one", v.N)
	case mpegts.Scrambled:
		tell(scrambled, "a scrambled packet")
	case mpegts.Discontinuous:
		c.anew(v.PID)
	case mpegts.TableRead:
		c.tableRead(v)
	case mpegts.TableChanged:
		c.tableChanged(v)
	case mpegts.TableBroken:
		tell(tableCRC, "a table whose check sum does not fit; it was passed over")
	case mpegts.ClockJumped:
		if v.N < 0 {
			tell(pcrBack, "the clock goes back by %.3f s, and no discontinuity is announced", -float64(v.N)/ticks27)
		} else {
			tell(pcrJump, "the clock jumps by %.3f s, and no discontinuity is announced", float64(v.N)/ticks27)
		}
		c.anew(v.PID)
	case mpegts.ClockRead:
		c.clockRead(v)
	case mpegts.PESBegan:
		c.pesBegan(v)
	case mpegts.PESBroken:
		tell(pesStart, "no PES header where one is due")
	case mpegts.PESLength:
		if p := c.walker.pids[v.PID]; p == nil || p.streamID == 0 { // no PES ever began on this PID: what was read as a length is none
			return
		}
		if v.N < 0 {
			tell(pesLength, "%d bytes less than the PES header announces", -v.N)
		} else {
			tell(pesLength, "%d bytes more than the PES header announces", v.N)
		}
	case mpegts.TimeBack:
		tell(ptsBack, "a decoding time %.3f s before the last one", float64(v.N)/ticks90)
	}
}

// anew forgets times before a jump, on the PID itself and of the tables: steps over it say nothing.
func (c *checker) anew(pid uint16) {
	if k := c.clocks[pid]; k != nil {
		c.settle(k)
		k.row = k.row[:0]
		for _, t := range c.tables {
			t.known = false
		}
	}
	if s := c.times[pid]; s != nil {
		s.has = false
	}
}

// now is the time of an event: by the clock, or where there is none by the time stamps read so far.
func (c *checker) now(v mpegts.Event) (ticks int64, known, clocked bool) {
	if v.HasClock {
		return v.Clock, true, true
	}
	return c.line.last * (ticks27 / ticks90), c.line.n > 0, false
}

// tableRead holds the time since the last PAT, or the last map of this PID, against both limits.
func (c *checker) tableRead(v mpegts.Event) {
	t := c.tables[v.PID]
	if t == nil {
		t = &table{}
		c.tables[v.PID] = t
	}
	now, known, clocked := c.now(v)
	if t.known && known && t.clocked == clocked {
		c.tableStep(v.PID, float64(now-t.last)/ticks27, place{at: v.At})
	}
	t.last, t.known, t.clocked, t.lastAt = now, known, clocked, place{at: v.At}
	if t.version == 0 {
		t.version = int(v.Version) + 1
	}
}

func (c *checker) tableStep(pid uint16, s float64, at place) {
	interval, rate, name := pmtInterval, pmtRate, "program map"
	if pid == 0 {
		interval, rate, name = patInterval, patRate, "PAT"
	}
	if s > classes[interval].Limit {
		c.book.tell(interval, int32(pid), "", at, "%.3f s since the last %s", s, name)
	} else if s >= classes[rate].Limit {
		c.book.tell(rate, int32(pid), "", at, "%.3f s since the last %s", s, name)
	}
}

func (c *checker) tableChanged(v mpegts.Event) {
	t := c.tables[v.PID]
	if t != nil && t.version == int(v.Version)+1 {
		c.book.tell(tableVersion, int32(v.PID), "", place{at: v.At}, "the table changed, and kept its version %d", v.Version)
	}
	if t != nil {
		t.version = int(v.Version) + 1
	}
}

// pesBegan takes the time stamps of a PES.
func (c *checker) pesBegan(v mpegts.Event) {
	if !v.HasPTS {
		return
	}
	s := c.times[v.PID]
	if s == nil {
		s = &stamps{}
		c.times[v.PID] = s
	}
	at := place{at: v.At, pts: float64(v.PTS) / ticks90, hasPTS: true}
	s.note(v.PTS, at)
	c.line.add(v.At, v.PTS)
	c.kindOf(v.PID, s)
	step := v.DTS - s.dts
	if s.has && (s.video || s.sound) && float64(step) > classes[ptsInterval].Limit*ticks90 {
		c.book.tell(ptsInterval, int32(v.PID), "", at, "%.3f s since the last time stamp", float64(step)/ticks90)
	}
	s.dts, s.has = v.DTS, true
	if s.asMetaPID {
		c.interleaved(v, at)
	}
}

func (s *stamps) note(pts int64, at place) {
	if !s.anyPTS {
		s.anyPTS, s.first, s.least, s.most, s.firstAt, s.mostAt = true, pts, pts, pts, at, at
	}
	s.least = min(s.least, pts)
	if pts > s.most {
		s.most, s.mostAt = pts, at
	}
}

// kindOf tells what a PID carries, by its announcement or else by its stream_id.
func (c *checker) kindOf(pid uint16, s *stamps) {
	p := c.walker.pids[pid]
	if p == nil {
		return
	}
	t := p.carriage.as.streamType
	s.asMetaPID = p.carriage.klv
	s.video = videoTypes[t] || t == 0 && p.streamID&0xf0 == 0xe0
	s.sound = soundTypes[t] || t == 0 && p.streamID&0xe0 == 0xc0
}

// The stream types of pictures and of sound (ISO/IEC 13818-1, table 2-34, and their usual extensions).
var (
	videoTypes = map[uint8]bool{0x01: true, 0x02: true, 0x10: true, 0x1b: true, 0x21: true, 0x24: true, 0x33: true, 0xea: true}
	soundTypes = map[uint8]bool{0x03: true, 0x04: true, 0x0f: true, 0x11: true, 0x81: true}
)

// interleaved compares a time stamp of metadata with the clock at which it arrives, and with the pictures that lie beside it in the
// file.
func (c *checker) interleaved(v mpegts.Event, at place) {
	p := c.walker.pids[v.PID]
	limit := int64(classes[metadataEarly].Limit * ticks90)
	if v.HasClock {
		lead := centered(v.PTS - v.Clock/(ticks27/ticks90))
		switch {
		case lead < 0:
			c.book.tell(metadataLate, int32(v.PID), "clock", at, "it arrives %.3f s after it is due", -float64(lead)/ticks90)
		case lead > limit && p.carriage.as.streamType == 0x15:
			c.book.tell(metadataEarly, int32(v.PID), "clock", at, "it arrives %.3f s before it is due", float64(lead)/ticks90)
		}
	}
	if beside, ok := c.picturesBeside(p.carriage.as.program); ok {
		switch d := v.PTS - beside; {
		case d > limit:
			c.book.tell(metadataEarly, int32(v.PID), "pictures", at, "it lies %.3f s before the pictures of its time", float64(d)/ticks90)
		case -d > limit:
			c.book.tell(metadataLate, int32(v.PID), "pictures", at, "it lies %.3f s behind the pictures of its time", -float64(d)/ticks90)
		}
	}
}

// centered is a difference of 33-bit times, the nearest reading.
func centered(d int64) int64 {
	d &= wrap33 - 1
	if d >= wrap33/2 {
		d -= wrap33
	}
	return d
}

// picturesBeside is the decoding time of the pictures last met in a program.
func (c *checker) picturesBeside(program uint16) (dts int64, ok bool) {
	for pid, s := range c.times {
		if s.video && s.has && (!ok || s.dts > dts) && c.walker.pids[pid].carriage.as.program == program {
			dts, ok = s.dts, true
		}
	}
	return dts, ok
}

// conclude judges what only the whole file shows.
func (c *checker) conclude() {
	for _, l := range c.lanes {
		c.concludeLane(l)
	}
	if c.demux == nil {
		return
	}
	for _, pid := range slices.Sorted(maps.Keys(c.clocks)) {
		c.settle(c.clocks[pid])
	}
	c.concludeTables()
	for _, pid := range c.facts.Unreferenced {
		if !c.walker.pid(pid).clocked {
			c.book.tell(pidUnreferenced, int32(pid), "", c.firstOf(pid), "packets of a PID that no table announces")
		}
	}
	c.concludePrograms()
	c.concludePictures()
}

// firstOf is where a PID's first PES lies, as far as that is known.
func (c *checker) firstOf(pid uint16) place {
	if s := c.times[pid]; s != nil && s.anyPTS {
		return s.firstAt
	}
	return place{}
}

// concludeTables tells of tables that never came, and of those that stopped coming before the end.
func (c *checker) concludeTables() {
	for _, name := range c.facts.Missing {
		is := pmtMissing
		if name == "PAT" {
			is = patMissing
		}
		c.book.tell(is, noPID, "", place{}, "no %s in the file", name)
	}
	for _, pid := range slices.Sorted(maps.Keys(c.tables)) {
		t := c.tables[pid]
		end, known := c.latest(t.clocked)
		if t.known && known {
			if s := float64(end-t.last) / ticks27; s > classes[patInterval].Limit {
				c.tableStep(pid, s, t.lastAt)
			}
		}
	}
}

// latest is the last time of the file, by clock references or by time stamps.
func (c *checker) latest(clocked bool) (ticks int64, ok bool) {
	if !clocked {
		return c.line.last * (ticks27 / ticks90), c.line.n > 0
	}
	for _, k := range c.clocks {
		if !ok || k.first {
			ticks, ok = k.last, true
		}
	}
	return ticks, ok
}

// concludePrograms holds each program's streams against each other.
func (c *checker) concludePrograms() {
	programs := map[uint16]*program{}
	for _, pid := range slices.Sorted(maps.Keys(c.walker.pids)) {
		p := c.walker.pids[pid]
		a := &p.carriage.as
		if p.carriage.announced == 0 && p.streamID == 0 {
			continue
		}
		g := programs[a.program]
		if g == nil {
			g = &program{number: a.program}
			programs[a.program] = g
		}
		g.take(c, pid, p)
	}
	for _, n := range slices.Sorted(maps.Keys(programs)) {
		programs[n].judge(c)
	}
}

// program is what lies in one program, PIDs in ascending order.
type program struct {
	number          uint16
	video, metadata []uint16
	clock           uint16
	announcedAt     place
	announced       bool
	sync, async     []uint16 // metadata with security sets, by carriage
}

func (g *program) take(c *checker, pid uint16, p *walked) {
	a := &p.carriage.as
	if p.carriage.announced > 0 {
		g.announced, g.clock, g.announcedAt = true, a.clock, p.carriage.asAt
		if !p.begun && c.walker.n > 0 {
			c.book.tell(pidMissing, int32(pid), "", p.carriage.asAt, "announced as stream type 0x%02x, and no packet of it came", a.streamType)
			return
		}
	}
	s := &stamps{}
	c.kindOf(pid, s)
	switch {
	case s.video:
		g.video = append(g.video, pid)
	case p.carriage.klv:
		g.metadata = append(g.metadata, pid)
		if l := c.lane(pid); l != nil && l.security && p.carriage.cells {
			g.sync = append(g.sync, pid)
		} else if l != nil && l.security {
			g.async = append(g.async, pid)
		}
	}
}

func (c *checker) lane(pid uint16) *lane {
	for _, l := range c.lanes {
		if l.pid == int32(pid) {
			return l
		}
	}
	return nil
}

func (g *program) judge(c *checker) {
	about := fmt.Sprintf("program %d", g.number)
	if len(g.video) > 0 && len(g.metadata) == 0 {
		c.book.tell(metadataMissing, int32(g.video[0]), about, c.firstOf(g.video[0]), "pictures, and no metadata")
	}
	if len(g.metadata) > 0 && len(g.video) == 0 {
		c.book.tell(videoMissing, int32(g.metadata[0]), about, c.firstOf(g.metadata[0]), "metadata, and no pictures")
	}
	if g.announced && (len(g.video) > 0 || g.clock != nullPID) {
		if c.clocks[g.clock] == nil {
			c.book.tell(pcrMissing, noPID, about, g.announcedAt, "no clock reference came on PID 0x%x", g.clock)
		}
	}
	if len(g.sync) > 0 && len(g.async) > 0 {
		c.book.tell(securityTwice, int32(g.async[0]), about, c.firstOf(g.async[0]), "security metadata in PID 0x%x (synchronous) and in PID 0x%x (asynchronous)", g.sync[0], g.async[0])
	}
	g.covered(c)
}

// covered compares where pictures and metadata begin and end.
func (g *program) covered(c *checker) {
	video, okVideo := c.span(g.video)
	data, okData := c.span(g.metadata)
	if !okVideo || !okData {
		return
	}
	limit := int64(classes[metadataUncovered].Limit * ticks90)
	pid := int32(g.metadata[0])
	if d := data.least - video.least; d > limit {
		c.book.tell(metadataUncovered, pid, "beginning", data.firstAt, "the metadata begins %.3f s after the pictures", float64(d)/ticks90)
	}
	if d := video.most - data.most; d > limit {
		c.book.tell(metadataUncovered, pid, "end", data.mostAt, "the metadata ends %.3f s before the pictures", float64(d)/ticks90)
	}
}

// span is from when to when the time stamps of several PIDs go.
func (c *checker) span(pids []uint16) (out stamps, ok bool) {
	for _, pid := range pids {
		s := c.times[pid]
		if s == nil || !s.anyPTS {
			continue
		}
		if !ok {
			out, ok = *s, true
			continue
		}
		if s.least < out.least {
			out.least, out.firstAt = s.least, s.firstAt
		}
		if s.most > out.most {
			out.most, out.mostAt = s.most, s.mostAt
		}
	}
	return out, ok
}
