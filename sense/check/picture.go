package check

import (
	"math"

	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// pictures is what the pictures of one stream told.
type pictures struct {
	n, timed   int64
	fieldCoded bool
	first      place
	firstField place
	// of the last ones that held a time: PTS, and that time, seconds
	row []shot
}

type shot struct{ pts, time float64 }

// How much of a picture is searched for its time, which stands before the first slice, and how many times are kept: metadata is
// multiplexed within a second or so of its picture.
const (
	timeWithin = 8 << 10
	maxShots   = 256
)

// picture takes one picture.
func (c *checker) picture(u *mpegts.Unit) {
	p := c.shots[u.PID]
	at := place{at: u.Offset, pts: float64(u.PTS) / ticks90, hasPTS: u.HasPTS}
	if p == nil {
		p = &pictures{first: at}
		c.shots[u.PID] = p
	}
	if p.n++; u.Fields > 0 && !p.fieldCoded {
		p.fieldCoded, p.firstField = true, at
	}
	v, _, ok := klv.FindVideoTime(u.Data[:min(len(u.Data), timeWithin)])
	if !ok {
		return
	}
	if p.timed++; !u.HasPTS {
		return
	}
	if len(p.row) == maxShots {
		p.row = p.row[:copy(p.row, p.row[maxShots/2:])]
	}
	p.row = append(p.row, shot{at.pts, float64(v.Time().UnixMicro()) / 1e6})
	for _, l := range c.lanes {
		c.compare(l, p)
	}
}

// compare holds the last packet of a lane against the last picture where both are of one moment, to half a second.
func (c *checker) compare(l *lane, p *pictures) {
	m, s := l.main(), p.row[len(p.row)-1]
	if !m.hasTime || !m.hasPTS || math.Abs(m.pts-s.pts) > 0.5 {
		return
	}
	if d := m.time - m.pts - (s.time - s.pts); math.Abs(d) > classes[videoTime].Limit {
		c.book.tell(videoTime, l.pid, "", place{at: l.lastUnit.at, pts: m.pts, hasPTS: true}, "the metadata is %.3f s ahead of the pictures of its PTS", d)
	}
}

// concludePictures judges the streams of pictures.
func (c *checker) concludePictures() {
	for _, s := range c.demux.Streams() {
		if !s.IsVideo() {
			continue
		}
		pid := int32(s.PID)
		if s.Codec != "mpeg2video" && s.Codec != "h264" && s.Codec != "h265" {
			c.book.tell(videoCodec, pid, "", c.firstOf(s.PID), "pictures in %s", s.Codec)
		}
		p := c.shots[s.PID]
		if p == nil {
			continue
		}
		if p.timed < p.n {
			c.book.tell(videoUntimed, pid, "", p.first, "%d of %d pictures hold no time", p.n-p.timed, p.n)
		}
		if s.Video == nil {
			continue
		}
		switch {
		case p.fieldCoded:
			c.book.tell(videoInterlaced, pid, "", p.firstField, "pictures coded as fields")
		case s.Video.Interlaced:
			c.book.tell(videoInterlaced, pid, "", p.first, "pictures that may be made of two fields")
		}
	}
}
