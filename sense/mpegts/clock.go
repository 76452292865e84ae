package mpegts

// wrap is where 33-bit time stamps begin again, in 90 kHz ticks: after 26.5 hours.
const wrap = 1 << 33

// nearest is the reading of a 33-bit time stamp that lies nearest to a time on the line.
func nearest(stamp, line int64) int64 {
	delta := (stamp - line) & (wrap - 1)
	if delta >= wrap/2 {
		delta -= wrap
	}
	return line + delta
}

// unwrap puts a time stamp on the time line of the file: the reading nearest to the last one of its stream, or, for the first
// of a stream, to the last one of any.
func (d *Demuxer) unwrap(e *elementary, pts int64) {
	switch {
	case e.HasPTS:
		e.pts = nearest(pts, e.pts)
	case d.hasLine:
		e.pts = nearest(pts, d.line)
	default:
		e.pts = pts
	}
	if !e.HasPTS {
		e.HasPTS, e.FirstPTS, e.LastPTS = true, e.pts, e.pts
	}
	e.LastPTS = max(e.LastPTS, e.pts)
	d.line, d.hasLine = e.pts, true
}

// clock is the time of one program, by its references.
type clock struct {
	known bool
	value int64 // of the last reference, 27 MHz ticks, unwrapped from the first on
	at    int64 // byte of the packet that held it
	// ticks over bytes is the pace between the last two, 0 over 0 before there are two.
	ticks, bytes int64
}

// when is the time at a byte after the last reference, at the pace between the last two (ISO/IEC 13818-1, 2.4.2.2). It runs on
// by no more than a tenth of a second, the longest that may lie between two.
func (c *clock) when(at int64) int64 {
	const longest = 2700000
	if c.bytes <= 0 || c.ticks <= 0 || c.ticks > 27000000 {
		return c.value
	}
	step := min(at-c.at, 1<<32) // with ticks below 2^25 the product stays within 63 bits
	return c.value + min(step*c.ticks/c.bytes, longest)
}

// refer takes a reference and gives the step since the last one.
func (c *clock) refer(pcr, at int64, anew bool) (step int64) {
	const whole = wrap * 300
	if !c.known {
		*c = clock{known: true, value: pcr, at: at}
		return 0
	}
	if step = (pcr - c.value) % whole; step < 0 {
		step += whole
	}
	if step >= whole/2 {
		step -= whole
	}
	if anew || step <= 0 || step > 27000000 {
		c.ticks, c.bytes = 0, 0
	} else {
		c.ticks, c.bytes = step, at-c.at
	}
	c.value, c.at = c.value+step, at
	return step
}

// clockOf is the clock of a stream's program, or, for one that no table announces, the first that was seen.
func (d *Demuxer) clockOf(e *elementary) *clock {
	if e.clock != nil {
		return e.clock
	}
	return &d.pids[d.firstClock].ownClock
}

// arrived is the time of a byte by the clock of a stream's program, in 90 kHz ticks, on the line of the time stamps.
func (d *Demuxer) arrived(e *elementary, at int64) (int64, bool) {
	c := d.clockOf(e)
	if !c.known {
		return 0, false
	}
	v := c.when(at) / 300
	if d.hasLine {
		v = nearest(v, d.line)
	}
	return v, true
}

// refer takes the clock reference of a packet.
func (d *Demuxer) refer(e *elementary, p *packet) {
	c := &e.ownClock
	if !c.known && !d.pids[d.firstClock].ownClock.known {
		d.firstClock = p.pid
	}
	first := !c.known
	step := c.refer(p.pcr, p.at, e.jumped)
	if d.watch == nil {
		return
	}
	if !first && !e.jumped && (step < 0 || step > 27000000) {
		d.watch(Event{Kind: ClockJumped, At: p.at, PID: p.pid, Clock: c.value, HasClock: true, N: step})
	}
	d.watch(Event{Kind: ClockRead, At: p.at, PID: p.pid, Clock: c.value, HasClock: true, N: step})
}
