package check

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya/sense/klv"
)

// follow judges how the packet goes with those before it: its time, and what must come again.
func (c *checker) follow(q *inspection) {
	l, p := q.lane, q.pace()
	t, ok := timeOf(q.set)
	if ok && (t < epochFrom || t >= epochTo) {
		q.tell(timeEpoch, "", "the time is %s", time.UnixMicro(int64(t*1e6)).UTC().Format(time.RFC3339))
	}
	at := t
	if q.at.hasPTS {
		at = q.at.pts
	}
	if (ok || q.at.hasPTS) && p.begun {
		c.step(q, t, ok)
	}
	if !ok && !q.at.hasPTS {
		return
	}
	p.note(t, ok, q.at)
	if l.set.Standard == klv.ST0601 {
		now := sinceStart(at)
		l.minimum.Take(&l.set, now)
		for _, r := range l.minimum.Overdue(now) {
			q.tell(minimumStale, required(r), "the item did not come for more than %g s", classes[minimumStale].Limit)
		}
	}
}

// pace is that of the packet's kind.
func (q *inspection) pace() *pace { return q.lane.pace(q.set.Standard) }

// The times that a clock that was set can show: 2000-01-01 to 2100-01-01, seconds since 1970.
const epochFrom, epochTo = 946684800, 4102444800

// sinceStart is seconds as a time that is never the zero time.
func sinceStart(s float64) time.Time {
	whole, part := math.Modf(s)
	return time.Unix(int64(whole), int64(part*1e9)).UTC()
}

// timeOf is the packet's own time in seconds since 1970.
func timeOf(s *klv.Set) (float64, bool) {
	for i := range s.Items {
		it := &s.Items[i]
		if it.Row == nil || it.State != klv.Given || it.Row.Format != klv.Micros {
			continue
		}
		if it.Key != (klv.UL{}) && it.Row.Twin == 2 || it.Key == (klv.UL{}) && it.Tag == 2 {
			return float64(it.Integer) / 1e6, it.Integer > 0
		}
	}
	return 0, false
}

// step judges the step from the last packet to this one.
func (c *checker) step(q *inspection, t float64, hasTime bool) {
	p := q.pace()
	if hasTime && p.hasTime {
		switch {
		case t < p.time:
			q.tell(timeBack, "", "the time goes back by %.3f s", p.time-t)
		case t == p.time:
			q.tell(timeRepeated, "", "the time of the packet before")
		}
	}
	gap, known := t-p.time, hasTime && p.hasTime
	if q.at.hasPTS && p.hasPTS {
		gap, known = q.at.pts-p.pts, true
	}
	if known && gap > classes[metadataGap].Limit {
		q.tell(metadataGap, "", "%.3f s since the last packet", gap)
	}
	if hasTime && q.at.hasPTS && p.hasOffset {
		c.offset(q, t-q.at.pts)
	}
}

// offset holds the time less the PTS, seconds, against what it was: a jump begins anew, a drift adds up. It is smoothed over ten
// packets, since multiplexers stamp asynchronous metadata a frame early or late.
func (c *checker) offset(q *inspection, off float64) {
	p := q.pace()
	if step := off - p.drifted; math.Abs(step) > classes[timeJump].Limit {
		q.tell(timeJump, "", "the time jumps by %.3f s against the PTS", step)
		p.offset, p.drifted = off, off
		return
	}
	p.drifted += (off - p.drifted) / 10
	if d := p.drifted - p.offset; math.Abs(d) > classes[timeDrift].Limit {
		q.tell(timeDrift, "", "the time is %.3f s from where it was against the PTS", d)
	}
}

// note keeps the times of a packet.
func (p *pace) note(t float64, hasTime bool, at place) {
	if hasTime {
		if p.time, p.hasTime = t, true; p.from.IsZero() {
			p.from = time.UnixMicro(int64(t * 1e6)).UTC()
		}
		p.to = time.UnixMicro(int64(t * 1e6)).UTC()
	}
	if at.hasPTS {
		if p.pts, p.hasPTS = at.pts, true; !p.anyPTS {
			p.anyPTS, p.firstPTS = true, at.pts
		}
		p.lastPTS = at.pts
	}
	if hasTime && at.hasPTS && !p.hasOffset {
		p.offset, p.drifted, p.hasOffset = t-at.pts, t-at.pts, true
	}
	p.begun = true
	p.n++
}

// span is how long the packets of a lane go on, seconds.
func (p *pace) span() float64 {
	if p.anyPTS {
		return p.lastPTS - p.firstPTS
	}
	return p.to.Sub(p.from).Seconds()
}

// rate is packets a second, 0 where it cannot be told.
func (p *pace) rate() float64 {
	if s := p.span(); p.n > 1 && s > 0 {
		return float64(p.n-1) / s
	}
	return 0
}

// concludeLane judges what only the whole lane shows.
func (c *checker) concludeLane(l *lane) {
	tell := func(is code, about, format string, args ...any) {
		c.book.tell(is, l.pid, about, l.first, format, args...)
	}
	main := l.main()
	if rate := main.rate(); rate > 0 && rate < classes[metadataRate].Limit && main.span() > 2 {
		tell(metadataRate, "", "%.2f packets a second", rate)
	}
	if n := l.sets[klv.EG0104]; n > 0 {
		tell(legacySet, "", "%d packets of EG 0104", n)
	}
	if l.sets[klv.ST0601] > 0 {
		for _, r := range l.minimum.Absent() {
			tell(minimumMissing, required(r), "the item never came")
		}
	}
	if (l.sets[klv.ST0601] > 0 || l.sets[klv.EG0104] > 0) && !l.security {
		tell(securityMissing, "", "no security set in %d packets", l.packets)
	}
}

// required names an entry of the minimum set.
func required(r klv.Requirement) string {
	var tags []string
	for _, t := range r.Tags {
		tags = append(tags, strconv.Itoa(int(t)))
	}
	s := "item " + strings.Join(tags, " or ")
	if r.Within != 0 {
		s = fmt.Sprintf("item %d, %s of ST 0102", r.Within, s)
	}
	return r.Name + " (" + s + ")"
}

// streams are those of the report.
func (c *checker) streams() (out []Stream) {
	if c.demux == nil {
		return []Stream{c.lanes[0].stream()}
	}
	for _, s := range c.demux.Streams() {
		st := Stream{Stream: s}
		if l := c.lane(s.PID); l != nil {
			st = l.stream()
			st.Stream = s
		}
		out = append(out, st)
	}
	slices.SortFunc(out, func(a, b Stream) int { return cmp.Compare(a.PID, b.PID) })
	return out
}

func (l *lane) stream() (s Stream) {
	s.Codec, s.Metadata = "klv", true
	s.Sets, s.Version = map[string]int64{}, l.version
	for std, n := range l.sets {
		s.Sets[std.Name] += n
	}
	main := l.main()
	if !main.from.IsZero() {
		s.From, s.To = main.from.Format(time.RFC3339Nano), main.to.Format(time.RFC3339Nano)
	}
	s.RateHz = math.Round(main.rate()*1000) / 1000
	return s
}
