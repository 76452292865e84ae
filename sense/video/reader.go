package video

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// A Problem is something wrong with the file, at a byte offset.
type Problem struct {
	At   int64  `json:"at"`
	What string `json:"what"`
}

// A Packet is one metadata packet of a file, decoded.
type Packet struct {
	Set    *klv.Set // valid until the next call of Next
	Offset int64    // in the file; in a transport stream, of the transport packet in which the carrying PES begins
	PID    uint16   // of the transport stream, 0 in a raw file
	PTS    float64  // presentation time, seconds, unwrapped; only with HasPTS
	HasPTS bool
	// Damaged says that bytes of the packet, or before it, could not be read.
	Damaged bool
	// Problems of the packet: how it lay in the file, and what is wrong inside.
	Problems []Problem
}

// Time is the packet's own time (item 2 of ST 0601, or the universal set's), false when it has none.
func (p *Packet) Time() (time.Time, bool) {
	it := p.Set.Item(2)
	if it == nil {
		it = twin(p.Set, 2)
	}
	if it == nil || it.State != klv.Given || it.Integer == 0 {
		return time.Time{}, false
	}
	return time.UnixMicro(it.Integer).UTC(), true
}

// twin is the item of a universal set that says what the local item of that tag says.
func twin(s *klv.Set, tag uint32) *klv.Item {
	for i := range s.Items {
		if r := s.Items[i].Row; r != nil && r.Twin == tag {
			return &s.Items[i]
		}
	}
	return nil
}

// lane is the metadata of one PID (or of a raw file), put together from units.
type lane struct {
	klv.Splitter
	pid   uint16
	fed   int64 // bytes
	marks []mark
}

// mark says where in the file, and at what time, the bytes from a position of the lane on came.
type mark struct {
	from, at int64
	pts      float64
	hasPTS   bool
}

// Reader gives the metadata packets of a file.
type Reader struct {
	in      *bufio.Reader
	raw     *klv.Reader
	demux   *mpegts.Demuxer
	lanes   []*lane
	lane    *lane        // being emptied
	held    *mpegts.Unit // waits until what came before lost bytes is given
	set     klv.Set
	err     error
	packets int64
	tail    []Problem
}

// NewReader reads the file in r: a transport stream or raw KLV, told by its first bytes.
func NewReader(r io.Reader) *Reader {
	v := &Reader{in: bufio.NewReaderSize(r, 4<<10)} // for the look ahead alone: what follows reads larger pieces, past it
	head, _ := v.in.Peek(1024)
	if mpegts.Looks(head) {
		v.demux = mpegts.NewDemuxer(v.in)
	} else {
		v.raw = klv.NewReader(v.in)
	}
	return v
}

// Container is "mpegts" or "klv".
func (v *Reader) Container() string {
	if v.demux != nil {
		return "mpegts"
	}
	return "klv"
}

// Streams lists the elementary streams of a transport stream seen so far.
func (v *Reader) Streams() []mpegts.Stream {
	if v.demux == nil {
		return nil
	}
	return v.demux.Streams()
}

// Problems lists what was wrong with the container so far (each packet has its own list); dropped counts those beyond a
// thousand.
func (v *Reader) Problems() (out []Problem, dropped int) {
	if v.demux != nil {
		list, n := v.demux.Problems()
		for _, p := range list {
			out = append(out, Problem{p.At, p.What})
		}
		dropped = n
	}
	return append(out, v.tail...), dropped
}

// Next gives the next packet. It ends with io.EOF; where the file holds no packet at all, with an error that says so.
func (v *Reader) Next() (Packet, error) {
	for {
		p, at, err := v.find()
		if err == nil {
			v.packets++
			return v.decode(p, at), nil
		}
		if errors.Is(err, io.EOF) && v.packets == 0 {
			return Packet{}, v.nothing()
		}
		if !errors.Is(err, io.EOF) {
			err = &atalaya.Error{Op: "video.read", Kind: atalaya.Failed, Err: err}
		}
		return Packet{}, err
	}
}

// ErrNoMetadata: the file holds not one packet of metadata. A film may still have pictures, which then have no place.
var ErrNoMetadata = errors.New("no KLV metadata")

func (v *Reader) nothing() error {
	e := &atalaya.Error{Op: "video.read", Place: "byte 0", Kind: atalaya.BadInput,
		Err:  fmt.Errorf("%w packet in this file", ErrNoMetadata),
		Hint: "Give a raw KLV file or an MPEG transport stream that carries MISB metadata."}
	if v.demux != nil {
		e.Err = fmt.Errorf("%w in this transport stream (%d elementary streams)", ErrNoMetadata, len(v.Streams()))
		e.Hint = "Ask for the recording with its metadata: some players and converters drop it."
	}
	return e
}

func (v *Reader) decode(p klv.Packet, at mark) Packet {
	out := Packet{Set: &v.set, Offset: at.at, PTS: at.pts, HasPTS: at.hasPTS, Damaged: p.Truncated || p.Skipped > 0}
	if v.lane != nil {
		out.PID = v.lane.pid
	}
	for _, what := range p.Problems() {
		out.Problems = append(out.Problems, Problem{at.at, what})
	}
	if err := v.set.Decode(p.Bytes); err != nil {
		v.set = klv.Set{Standard: klv.Unlisted, Tail: p.Bytes}
		out.Damaged = true
		out.Problems = append(out.Problems, Problem{at.at, err.Error()})
	}
	for _, q := range v.set.Problems {
		if v.demux != nil { // the packet's bytes do not lie together in the file
			out.Problems = append(out.Problems, Problem{at.at, fmt.Sprintf("byte %d of the packet: %s", q.At, q.What)})
		} else {
			out.Problems = append(out.Problems, Problem{at.at + int64(max(q.At-p.Missing, 0)), q.What})
		}
	}
	return out
}

// find gives the next undecoded packet and where and when it lies.
func (v *Reader) find() (klv.Packet, mark, error) {
	if v.raw != nil {
		p, err := v.raw.Next()
		if err != nil && v.err == nil {
			v.err = err
			v.unread(v.raw.Offset()-v.raw.Skipped(), v.raw.Skipped())
		}
		return p, mark{at: p.Offset}, err
	}
	for {
		if v.lane != nil {
			if p, ok := v.lane.Next(); ok {
				return p, v.lane.place(p.Offset), nil
			}
			if v.err != nil && len(v.lane.marks) > 0 {
				v.unread(v.lane.marks[len(v.lane.marks)-1].at, v.lane.Skipped())
			}
			v.lane = nil
		}
		if v.err != nil {
			if len(v.lanes) == 0 {
				return klv.Packet{}, mark{}, v.err
			}
			v.lane, v.lanes = v.lanes[0], v.lanes[1:]
			v.lane.End()
			continue
		}
		v.fetch()
	}
}

func (v *Reader) unread(at, n int64) {
	if n > 0 {
		v.tail = append(v.tail, Problem{at, fmt.Sprintf("%d bytes at the end of the metadata belong to no packet", n)})
	}
}

// fetch takes the next unit to its lane. Where bytes were lost before it, what they left unfinished is given first, as it is.
func (v *Reader) fetch() {
	if v.held == nil {
		u, err := v.demux.Next()
		if err != nil {
			v.err = err
			return
		}
		if v.lane = v.laneOf(u.PID); u.Gap && v.lane.Pending() > 0 {
			v.held = &u
			v.lane.End()
			return
		}
		v.lane.add(u)
		return
	}
	v.lane = v.laneOf(v.held.PID)
	v.lane.add(*v.held)
	v.held = nil
}

func (l *lane) add(u mpegts.Unit) {
	l.marks = append(l.marks, mark{from: l.fed, at: u.Offset, pts: float64(u.PTS) / 90000, hasPTS: u.HasPTS})
	l.Feed(u.Data)
	l.fed += int64(len(u.Data))
}

func (v *Reader) laneOf(pid uint16) *lane {
	for _, l := range v.lanes {
		if l.pid == pid {
			return l
		}
	}
	l := &lane{pid: pid}
	v.lanes = append(v.lanes, l)
	return l
}

// place finds the unit that holds a position of the lane, and forgets those before it.
func (l *lane) place(at int64) mark {
	for len(l.marks) > 1 && l.marks[1].from <= at {
		l.marks = l.marks[1:]
	}
	return l.marks[0]
}
