package check

import (
	"bufio"
	"errors"
	"io"
	"slices"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// Bounds of what a check takes: streams of metadata, and bytes of unfinished packets of all of them.
const (
	maxLanes   = 64
	maxPending = 64 << 20
	maxMarks   = 1 << 16 // units that one unfinished packet may span
)

// checker is one pass over one file.
type checker struct {
	book   *book
	walker *walker
	demux  *mpegts.Demuxer // nil for raw KLV
	facts  mpegts.Facts
	lanes  []*lane
	viewer *video.Viewer
	clocks map[uint16]*clock
	times  map[uint16]*stamps
	tables map[uint16]*table
	line   timeline
	shots  map[uint16]*pictures
	bytes  int64
	raw    int64 // packets of a raw file
}

// Check reads the stream in r to its end, a transport stream or raw KLV, and judges it by a profile. The error is that of the
// reader, or says that there is neither in it. A check of any bytes ends and takes bounded memory; see Report.Unread for what could
// not be read.
func Check(r io.Reader, p Profile) (*Report, error) {
	c := &checker{book: newBook(), clocks: map[uint16]*clock{}, times: map[uint16]*stamps{}, tables: map[uint16]*table{}, shots: map[uint16]*pictures{},
		viewer: video.NewViewer(video.DefaultSigmas)}
	in := bufio.NewReaderSize(&counted{r, &c.bytes}, 4<<10) // for the look ahead alone: what follows reads larger pieces, past it
	head, _ := in.Peek(1024)
	report := &Report{Schema: "atalaya.check/1", Profile: p.Name, Container: "klv", Streams: []Stream{}}
	var err error
	if mpegts.Looks(head) {
		report.Container = "mpegts"
		err = c.transport(in)
	} else {
		err = c.rawKLV(in)
	}
	if err != nil {
		return nil, err
	}
	c.conclude()
	report.Bytes, report.Packets = c.bytes, c.raw
	if c.demux != nil {
		report.Packets = c.walker.n
	}
	report.Streams = append(report.Streams, c.streams()...)
	report.Findings = append([]Finding{}, c.book.findings(&p, c.where)...)
	report.judge()
	return report, nil
}

// counted counts what is read.
type counted struct {
	r io.Reader
	n *int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	*c.n += int64(n)
	return n, err
}

func failed(err error) error {
	return &atalaya.Error{Op: "video.check", Kind: atalaya.Failed, Err: err}
}

// transport checks a transport stream: the walker sees the bytes as the demultiplexer reads them.
func (c *checker) transport(r io.Reader) error {
	c.walker = newWalker(c.book)
	c.demux = mpegts.NewDemuxer(io.TeeReader(r, c.walker))
	c.demux.Watch(c.event)
	c.demux.Take(mpegts.Stream.IsVideo)
	for {
		u, err := c.demux.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return failed(err)
		}
		switch u.Kind {
		case mpegts.Metadata:
			c.unit(&u)
		case mpegts.Pictures:
			c.picture(&u)
		}
	}
	c.walker.end()
	c.facts.Close(c.demux)
	for _, l := range c.lanes {
		l.End()
		c.drain(l)
		c.rest(l, l.Skipped(), l.lastUnit)
	}
	return nil
}

// rawKLV checks a file of packets back to back.
func (c *checker) rawKLV(r io.Reader) error {
	k := klv.NewReader(r)
	l := newLane(noPID)
	for {
		p, err := k.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return failed(err)
		}
		c.raw++
		c.packet(l, &p, place{at: p.Offset, packet: c.raw})
	}
	if c.raw == 0 {
		return &atalaya.Error{Op: "video.check", Place: "byte 0", Kind: atalaya.BadInput, Err: errors.New("neither a transport stream nor a KLV packet"),
			Hint: "Give an MPEG transport stream or a raw KLV file."}
	}
	c.lanes = []*lane{l}
	c.rest(l, k.Skipped(), place{at: k.Offset() - k.Skipped(), packet: c.raw})
	return nil
}

// rest tells of bytes at the end of the metadata that belong to no packet.
func (c *checker) rest(l *lane, n int64, at place) {
	if n > 0 {
		c.book.tell(bytesBetween, l.pid, "", at, "%d bytes at the end of the metadata belong to no packet", n)
	}
}

// unit takes a unit of metadata to its lane, and checks the packets that are whole with it.
func (c *checker) unit(u *mpegts.Unit) {
	l := c.laneOf(u)
	if l == nil {
		return
	}
	if u.Gap && l.Pending() > 0 { // what was left unfinished before lost bytes stays so
		l.End()
		c.drain(l)
	}
	l.add(u)
	c.drain(l)
	pending := 0
	for _, l := range c.lanes {
		pending += l.Pending()
	}
	if pending > maxPending || len(l.marks) > maxMarks {
		l.End()
		c.drain(l)
	}
}

func (c *checker) laneOf(u *mpegts.Unit) *lane {
	i := slices.IndexFunc(c.lanes, func(l *lane) bool { return l.pid == int32(u.PID) })
	if i >= 0 {
		return c.lanes[i]
	}
	if len(c.lanes) == maxLanes {
		c.book.tell(streamsUnchecked, int32(u.PID), "", place{at: u.Offset}, "more than %d streams of metadata: this one was not checked", maxLanes)
		return nil
	}
	l := newLane(int32(u.PID))
	c.lanes = append(c.lanes, l)
	return l
}

func (c *checker) drain(l *lane) {
	for {
		p, ok := l.Next()
		if !ok {
			return
		}
		c.packet(l, &p, l.place(p.Offset))
	}
}

// where completes a place: which packet it is, and which time it has.
func (c *checker) where(p place) Place {
	out := Place{At: p.at, Packet: p.packet}
	if c.demux == nil {
		return out
	}
	if out.Packet == 0 {
		out.Packet = c.walker.number(p.at)
	}
	if !p.hasPTS {
		p.pts, p.hasPTS = c.line.at(p.at)
	}
	if p.hasPTS {
		out.PTS = &p.pts
	}
	return out
}
