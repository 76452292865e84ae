package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// MoversVMTI says what was written of tracks into a copy of their video.
type MoversVMTI struct {
	PID     uint16 `json:"pid"`
	Packets int    `json:"packets"` // frames of which something is told
	Targets int    `json:"targets"` // over all packets
	Placed  int    `json:"placed"`  // of these, with a place on the ground
	Timed   int    `json:"timed"`   // packets that tell their time
}

// CanMark says whether tracks can be written into a copy of a file: it must be a transport stream.
func CanMark(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return &atalaya.Error{Op: "video.movers", File: path, Kind: atalaya.NotFound, Err: errors.Unwrap(err), Hint: "Name a readable file"}
	}
	defer f.Close()
	head := make([]byte, 1024)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	if !mpegts.Looks(head[:n]) {
		return &atalaya.Error{Op: "video.movers", File: path, Kind: atalaya.BadInput, Err: errors.New("tracks are written into transport streams, and this is none"), Hint: "Leave --vmti out, or repack the file as MPEG-TS"}
	}
	return nil
}

// MarkVideo copies a transport stream to w, unit by unit and without decoding, with the tracks found in it as a stream of its own:
// ST 0903 sets, one for each frame that was searched. It gives what cannot be copied as remarks. version is the program's.
func MarkVideo(ctx context.Context, path string, m *Movers, version string, w io.Writer) (MoversVMTI, []MoverRemark, error) {
	p, remarks, err := planCopy(ctx, path)
	if err != nil {
		return MoversVMTI{}, nil, err
	}
	marks, err := newMarker(path, m, version, p.firstPTS)
	if err != nil {
		return MoversVMTI{}, nil, err
	}
	defer marks.close()
	marks.out.PID = p.marks
	out, err := mpegts.NewProgram(w, append(p.outputs, mpegts.Output{PID: p.marks, StreamType: 0x15})...)
	if err != nil {
		return MoversVMTI{}, nil, err
	}
	if err := p.copy(ctx, path, out, marks); err != nil {
		return MoversVMTI{}, nil, err
	}
	return marks.out, remarks, nil
}

// A copyPlan says which streams of a file go where in its copy.
type copyPlan struct {
	to       map[uint16]uint16 // PID of the file -> of the copy
	outputs  []mpegts.Output
	marks    uint16 // of the stream of targets
	firstPTS int64  // least of the pictures, ticks
}

// planCopy reads a file through, for its streams and how their metadata are packed.
func planCopy(ctx context.Context, path string) (*copyPlan, []MoverRemark, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	d := mpegts.NewDemuxer(f)
	d.TakeOutline(copied)
	seen, sync := map[uint16]bool{}, map[uint16]bool{}
	p := &copyPlan{to: map[uint16]uint16{}, firstPTS: math.MaxInt64}
	for {
		u, err := d.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, nil, err
		}
		seen[u.PID], sync[u.PID] = true, sync[u.PID] || u.Sync
		if u.Kind == mpegts.Pictures && u.HasPTS {
			p.firstPTS = min(p.firstPTS, u.PTS)
		}
	}
	var remarks []MoverRemark
	for _, s := range d.Streams() {
		kind := streamTypeOf(s, sync[s.PID])
		if !seen[s.PID] || kind == 0 || len(p.outputs) == mostCopied {
			if s.Packets > 0 {
				remarks = append(remarks, MoverRemark{0, fmt.Sprintf("PID 0x%x (stream type 0x%02x): not copied, its units are not known", s.PID, s.StreamType)})
			}
			continue
		}
		p.to[s.PID] = p.free(s.PID)
		p.outputs = append(p.outputs, mpegts.Output{PID: p.to[s.PID], StreamType: kind})
	}
	p.marks = p.free(0x1f0)
	return p, remarks, nil
}

// mostCopied streams leave room for one more in a program.
const mostCopied = 31

// copied says which streams beside metadata go into the copy.
func copied(s mpegts.Stream) bool { return s.IsVideo() || s.IsSound() }

// streamTypeOf is the stream type under which a stream is written, 0 for none that the writer knows.
func streamTypeOf(s mpegts.Stream, sync bool) uint8 {
	switch {
	case s.Metadata && sync:
		return 0x15
	case s.Metadata:
		return 0x06
	case s.IsSound() && s.StreamType != 0:
		return s.StreamType
	}
	return map[string]uint8{"mpeg1video": 0x01, "mpeg2video": 0x02, "mpeg4video": 0x10, "h264": 0x1b, "h265": 0x24, "h266": 0x33}[s.Codec]
}

// free is a PID if the copy has it to give, else the next that it has.
func (p *copyPlan) free(pid uint16) uint16 {
	taken := func(n uint16) bool {
		return n < 0x20 || n > 0x1ffe || n == 0x1000 || slices.ContainsFunc(p.outputs, func(o mpegts.Output) bool { return o.PID == n })
	}
	for taken(pid) {
		if pid++; pid > 0x1ffe {
			pid = 0x20
		}
	}
	return pid
}

// copy writes the units of a file in the order of their decoding times, and before each what was marked up to its time.
func (p *copyPlan) copy(ctx context.Context, path string, out *mpegts.Writer, marks *marker) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	d := mpegts.NewDemuxer(f)
	d.Take(copied)
	q := inOrder{write: func(u mpegts.Unit) error {
		if u.HasPTS {
			if err := marks.upTo(u.DTS, out); err != nil {
				return err
			}
		}
		return writeUnit(out, u)
	}}
	for {
		u, err := d.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		to, ok := p.to[u.PID]
		if !ok || len(u.Data) == 0 {
			continue
		}
		u.PID, u.Data = to, bytes.Clone(u.Data)
		if err := q.add(u); err != nil {
			return err
		}
	}
	return errors.Join(q.flush(), marks.upTo(math.MaxInt64, out))
}

// writeUnit writes a unit. One of asynchronous metadata or sound that is longer than a PES goes into several: the first has its time.
func writeUnit(out *mpegts.Writer, u mpegts.Unit) error {
	const most = 60000
	for u.Kind != mpegts.Pictures && !u.Sync && len(u.Data) > most {
		first := u
		first.Data, u.Data = u.Data[:most], u.Data[most:]
		if err := out.WriteUnit(first); err != nil {
			return err
		}
		u.HasPTS = false
	}
	return out.WriteUnit(u)
}

// inOrder holds units back until none with an earlier decoding time is to be expected: those of a stream come in the order of their
// arrival, which between streams may differ by as long as a decoder's buffer holds (two seconds, with room).
type inOrder struct {
	write func(mpegts.Unit) error
	held  []keyed
	bytes int
	last  int64 // key of the unit that came last
	begun bool
}

type keyed struct {
	at int64
	u  mpegts.Unit
}

// What is held at most: ticks and bytes. A time that jumps by more than jumped begins anew.
const (
	heldTicks = 2 * 90000
	heldBytes = 64 << 20
	jumped    = 10 * 90000
)

func (q *inOrder) add(u mpegts.Unit) error {
	u.DTS = min(u.DTS, u.PTS)
	at := q.last // of a unit without a time: where it came
	if u.HasPTS {
		at = u.DTS
	}
	if q.begun && (at < q.last-jumped || at > q.last+jumped) {
		if err := q.flush(); err != nil {
			return err
		}
	}
	q.last, q.begun = at, true
	i := len(q.held)
	for i > 0 && q.held[i-1].at > at {
		i--
	}
	q.held = slices.Insert(q.held, i, keyed{at, u})
	q.bytes += len(u.Data)
	return q.release(func() bool { return q.held[len(q.held)-1].at-q.held[0].at > heldTicks || q.bytes > heldBytes })
}

func (q *inOrder) flush() error { return q.release(func() bool { return true }) }

func (q *inOrder) release(due func() bool) error {
	for len(q.held) > 0 && due() {
		u := q.held[0].u
		q.held[0].u.Data = nil
		q.held, q.bytes = q.held[1:], q.bytes-len(u.Data)
		if err := q.write(u); err != nil {
			return err
		}
	}
	return nil
}

// A marker makes the VMTI sets of a video's frames, in the order of their times.
type marker struct {
	m       *Movers
	version string
	file    *os.File
	looks   *reelLooks
	tracks  []klv.UUID
	begun   []time.Time // of each track
	points  []marking   // by time
	frame   int         // of Movers.Frames, next
	shift   int64       // from the frames' ticks to those of the file
	out     MoversVMTI
}

// marking is one point of one track.
type marking struct {
	track, point int
}

func newMarker(path string, m *Movers, version string, firstPTS int64) (*marker, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	k := &marker{m: m, version: version, file: f, looks: newReelLooks(f), begun: make([]time.Time, len(m.Tracks))}
	for i := range m.Tracks {
		k.tracks = append(k.tracks, trackID(&m.Tracks[i]))
		for j := range m.Tracks[i].Points {
			k.points = append(k.points, marking{i, j})
		}
	}
	slices.SortStableFunc(k.points, func(a, b marking) int {
		switch x, y := k.at(a).PTS, k.at(b).PTS; {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	if len(m.Frames) > 0 && firstPTS != math.MaxInt64 { // two readers may unwrap the 33 bits of a time differently
		const wrap = 1 << 33
		k.shift = wrap * int64(math.Round(float64(firstPTS-inTicks(m.Frames[0].PTS))/wrap))
	}
	return k, nil
}

func (k *marker) close() { k.file.Close() }

func (k *marker) at(p marking) *MoverPoint { return &k.m.Tracks[p.track].Points[p.point] }

// trackID names a track by its points: the same whenever the same video is searched again, and no other's (RFC 9562, version 8).
func trackID(t *MoverTrack) (id klv.UUID) {
	h := sha256.New()
	for _, p := range t.Points {
		_ = binary.Write(h, binary.BigEndian, [5]float64{p.PTS, p.X, p.Y, p.W, p.H}) // a hash takes all
	}
	copy(id[:], h.Sum(nil))
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	return id
}

// upTo writes the sets of all frames shown at or before a time.
func (k *marker) upTo(dts int64, out *mpegts.Writer) error {
	for ; k.frame < len(k.m.Frames); k.frame++ {
		f := &k.m.Frames[k.frame]
		at := inTicks(f.PTS) + k.shift
		if at > dts {
			return nil
		}
		var here []marking
		for len(k.points) > 0 && k.at(k.points[0]).PTS <= f.PTS {
			if k.at(k.points[0]).PTS == f.PTS {
				here = append(here, k.points[0])
			}
			k.points = k.points[1:]
		}
		if f.Slowest == nil && len(here) == 0 { // it was not searched: nothing can be said of it
			continue
		}
		set, err := k.set(f.PTS, here)
		if err != nil {
			return err
		}
		k.out.Packets++
		if err := out.WriteUnit(mpegts.Unit{PID: k.out.PID, Data: set, PTS: at, DTS: at, HasPTS: true}); err != nil {
			return err
		}
	}
	return nil
}

// set is the VMTI set of one frame.
func (k *marker) set(pts float64, here []marking) ([]byte, error) {
	frame := video.Size{Width: k.m.Width, Height: k.m.Height}
	marks := video.Marks{System: "Atalaya", Version: k.version, Frame: frame}
	look, ok := k.looks.at(pts + float64(k.shift)/90000)
	if ok && look.HasTime {
		marks.Time = look.Time.Round(time.Microsecond)
		k.out.Timed++
	}
	marks.Sensor = k.looks.sensor
	for _, h := range here {
		p := k.at(h)
		if h.point == 0 {
			k.begun[h.track] = marks.Time
		}
		one := video.Mark{ID: int64(k.m.Tracks[h.track].ID), X: p.X, Y: p.Y, W: p.W, H: p.H, Coasting: p.Coasted, History: h.point,
			First: k.begun[h.track], Track: k.tracks[h.track]}
		if p.Lat != nil && ok {
			if one.Place, one.HasPlace = look.Locate(p.X, p.Y, p.Covariance, frame); one.HasPlace {
				one.Place.Lat, one.Place.Lon = *p.Lat, *p.Lon // of the whole track, not of this frame alone
				k.out.Placed++
			}
		}
		marks.List = append(marks.List, one)
	}
	k.out.Targets += len(marks.List)
	return marks.Encode()
}

// reelLooks are the looks of a file, asked for in the order of their times, read as far as is needed.
type reelLooks struct {
	reader *video.Reader
	viewer *video.Viewer
	line   *video.Timeline
	pid    uint16 // of the stream that tells where the camera looks
	found  bool
	ahead  float64 // PTS up to which the file was read
	ended  bool
	sensor string
}

// keptLooks are enough for the two seconds between which a look is sought, at more packets than a stream has frames.
const keptLooks = 1024

func newReelLooks(r io.Reader) *reelLooks {
	return &reelLooks{reader: video.NewReader(r), viewer: video.NewViewer(video.DefaultSigmas), line: video.NewTimeline(keptLooks), ahead: math.Inf(-1)}
}

func (r *reelLooks) at(pts float64) (video.Moment, bool) {
	for !r.ended && r.ahead <= pts+video.Hold.Seconds() {
		p, err := r.reader.Next()
		if err != nil { // what could not be read was told when the video was searched
			r.ended = true
			break
		}
		r.take(&p)
	}
	return r.line.AtPTS(pts)
}

func (r *reelLooks) take(p *video.Packet) {
	l := r.viewer.See(p)
	if !l.HasPTS || r.found && p.PID != r.pid {
		return
	}
	if !r.found && l.Blind() == "" {
		r.found, r.pid, r.line = true, p.PID, video.NewTimeline(keptLooks)
	}
	r.sensor = r.viewer.State(p.PID).Text(11)
	r.ahead = math.Max(r.ahead, l.PTS)
	r.line.Add(&l)
}
