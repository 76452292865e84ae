package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// chunkS is how much of a track one answer holds, seconds.
const chunkS = 10.0

// VideoChunk is a stretch of a video's track: chunk n holds what lies from 10·n up to 10·(n+1) seconds of its line.
type VideoChunk struct {
	Chunk int     `json:"chunk"`
	From  float64 `json:"from_s"`
	To    float64 `json:"to_s"`
	// Frames are when the pictures are shown, in ticks of 90 kHz, ascending.
	Frames []int64 `json:"frames"`
	// Segments are the groups of pictures that overlap the chunk.
	Segments []VideoSegmentRow `json:"segments"`
	// Names are the items that Items of the packets count by: names and units are those of the standards.
	Names []VideoItemName `json:"names"`
	// Packets are in the order of time. The first may lie before the chunk: the one that stands when it begins.
	Packets []VideoPacket `json:"packets"`
	// Dropped counts packets beyond maxPackets, which are not listed.
	Dropped int `json:"packets_dropped,omitempty"`
}

// maxPackets bounds a chunk: 600 packets a second, ten times as many as the densest streams send.
const maxPackets = 6000

// VideoSegmentRow is a group of pictures, by when it is shown.
type VideoSegmentRow struct {
	N    int     `json:"n"`
	From float64 `json:"from_s"`
	To   float64 `json:"to_s"`
}

// VideoItemName names an item: its tag, with those of the sets that it is nested in before it; name and unit as the standard has them.
type VideoItemName struct {
	Tag  string `json:"tag"`
	Name string `json:"name"`
	Unit string `json:"unit,omitempty"`
}

// VideoPacket is one packet of metadata and where the camera then looked.
type VideoPacket struct {
	PTS float64 `json:"pts_s"`
	// Other says that the packet is of another stream than the one that tells where the camera is.
	Other bool       `json:"other,omitempty"`
	Set   string     `json:"set"`
	Time  *time.Time `json:"time"`
	// ClockOffset is by how much the packet's own clock has run ahead of its presentation since the first, seconds; null where the
	// packet has no time, or no presentation time.
	ClockOffset *float64            `json:"clock_offset_s"`
	Sensor      *video.PlaceLine    `json:"sensor"`
	Pointing    *video.PointLine    `json:"pointing"`
	Center      *video.CenterLine   `json:"frame_center"`
	Reported    *video.PlaceLine    `json:"frame_center_reported"`
	Footprint   [][2]float64        `json:"footprint"` // longitude, latitude; not closed
	How         string              `json:"footprint_method,omitempty"`
	Horizon     bool                `json:"horizon,omitempty"`
	Targets     []video.TargetLine  `json:"targets,omitempty"`
	Checks      video.ChecksLine    `json:"checks"`
	Checksum    *bool               `json:"checksum_ok"`
	Problems    []string            `json:"problems,omitempty"`
	Items       [][]json.RawMessage `json:"items"` // [index into names, value, word]: those that the packet says anew or otherwise
}

// A stretch is one chunk as it was read: its answer, and its looks for asking after pixels.
type stretch struct {
	chunk    int
	body     []byte
	timeline *video.Timeline
}

// maxStretches bounds what a reel keeps of them; each is about a megabyte.
const maxStretches = 8

// VideoBytes is an answer that is bytes, named by what it is made of.
type VideoBytes struct {
	Tag  string // of HTTP: the same tag is the same bytes
	Kind string // media type
	Body []byte
}

// VideoTrack is a chunk of the metadata track. held reports whether the caller has the answer of that tag already; there is no body then.
func (a *App) VideoTrack(ctx context.Context, view access.View, id string, chunk int, held func(tag string) bool) (VideoBytes, error) {
	src, err := a.videoOf(ctx, view, id)
	if err != nil {
		return VideoBytes{}, err
	}
	out := VideoBytes{Tag: a.tagOf(src, "track", chunk), Kind: "application/json"}
	if held(out.Tag) {
		return out, nil
	}
	r, err := a.reelOf(ctx, src.of.Blob)
	if err != nil {
		return out, err
	}
	s, err := a.stretchOf(r, chunk)
	if err != nil {
		return out, err
	}
	out.Body = s.body
	return out, nil
}

// stretchOf reads a chunk of a reel, or takes it from those that were read last.
func (a *App) stretchOf(r *reel, chunk int) (*stretch, error) {
	from, to, ok := r.span()
	if !ok || chunk < int(math.Floor(from/chunkS)) || chunk > int(math.Floor(to/chunkS)) {
		return nil, failure(atalaya.NotFound, "The video says from when to when it goes", "the video has no chunk %d", chunk)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, s := range r.stretches {
		if s.chunk == chunk {
			r.stretches = append(slices.Delete(r.stretches, i, i+1), s)
			return s, nil
		}
	}
	b, err := a.Record.Blobs().Open(r.blob)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	s, err := r.read(b, chunk)
	if err != nil {
		return nil, err
	}
	if len(r.stretches) >= maxStretches {
		r.stretches = slices.Delete(r.stretches, 0, 1)
	}
	r.stretches = append(r.stretches, s)
	return s, nil
}

// read reads one chunk from the file: from so far before it that every item that still stands has been said (video.Expiry).
func (r *reel) read(b io.ReaderAt, chunk int) (*stretch, error) {
	from := chunkS * float64(chunk)
	c := &chunkReader{reel: r, out: VideoChunk{Chunk: chunk, From: from, To: from + chunkS, Segments: []VideoSegmentRow{}, Names: []VideoItemName{}, Packets: []VideoPacket{}},
		timeline: video.NewTimeline(1 << 16), names: map[string]int{}, standing: map[int]*standing{}, saidLast: map[itemKey]int{}}
	c.pictures()
	at := r.markBefore(from - video.Expiry.Seconds() - 1)
	reader := video.NewReader(io.NewSectionReader(b, at.offset, r.size-at.offset))
	c.viewer = video.NewViewerWith(r.options())
	for r.packets > 0 {
		p, err := reader.Next()
		if err != nil {
			if err := endOfMetadata(err, reader); err != nil {
				return nil, err
			}
			break
		}
		r.rejoin(&p, at)
		t, ok := r.when(&p, p.Offset)
		if !ok {
			continue
		}
		if t > from+chunkS+lateS {
			break
		}
		if err := c.take(&p, t); err != nil {
			return nil, err
		}
	}
	if err := c.end(); err != nil {
		return nil, err
	}
	body, err := json.Marshal(c.out)
	return &stretch{chunk, body, c.timeline}, err
}

// lateS is how far out of order packets may come, seconds.
const lateS = 3.0

// markBefore is the last place at or before a time at which reading may begin.
func (r *reel) markBefore(t float64) mark {
	i, _ := slices.BinarySearchFunc(r.marks, t, func(m mark, t float64) int {
		if m.t <= t {
			return -1
		}
		return 1
	})
	if i == 0 {
		return mark{t: math.Inf(-1)}
	}
	return r.marks[i-1]
}

// rejoin puts a packet that was read from within the file where it lies in the whole of it: its byte, and its time stamp, which has
// wrapped as often as that of the mark at which reading began.
func (r *reel) rejoin(p *video.Packet, at mark) {
	p.Offset += at.offset
	if p.HasPTS && at.offset > 0 {
		const wrap = 1 << 33
		turns := math.Round(float64(at.pts-inTicks(p.PTS)) / wrap)
		p.PTS += turns * wrap / ticks
	}
}

// A chunkReader makes a chunk while its packets go by. Those that lie well before it are only taken in: what they said, and still
// stands, is worked out of the few that said something last.
type chunkReader struct {
	*reel
	out      VideoChunk
	viewer   *video.Viewer
	timeline *video.Timeline
	names    map[string]int
	standing map[int]*standing // by index of the item's name
	before   *VideoPacket      // the last packet before the chunk
	early    []earlyPacket
	saidLast map[itemKey]int // the last of early that holds an item
	held     *earlyPacket    // the last early packet of the main stream, not yet taken in
}

// An earlyPacket is one that lies well before the chunk.
type earlyPacket struct {
	video.Packet
	std   *klv.Standard
	bytes []byte
	t     float64
}

// An itemKey is which item of which set.
type itemKey struct {
	std *klv.Standard
	tag uint32
	key klv.UL
}

// nearS is how long before a chunk packets are looked along: video.Hold, and a little.
const nearS = 1.5

// standing is an item as it was said last.
type standing struct {
	row  []json.RawMessage
	said float64
}

// pictures lists frames and groups of the chunk.
func (c *chunkReader) pictures() {
	lo, hi := int64(c.out.From*ticks), int64(c.out.To*ticks)
	i, _ := slices.BinarySearch(c.frames, lo)
	j, _ := slices.BinarySearch(c.frames, hi)
	c.out.Frames = append([]int64{}, c.frames[i:j]...)
	for n, g := range c.groups {
		if g.from < hi && g.to > lo {
			c.out.Segments = append(c.out.Segments, VideoSegmentRow{n, seconds(g.from), seconds(g.to)})
		}
	}
}

// take takes the next packet.
func (c *chunkReader) take(p *video.Packet, t float64) error {
	if len(c.out.Packets) == maxPackets {
		c.out.Dropped++
		return nil
	}
	if t < c.out.From-nearS && c.before == nil && len(c.out.Packets) == 0 {
		return c.takeEarly(p, t)
	}
	if err := c.begin(); err != nil {
		return err
	}
	c.see(p, t)
	return nil
}

// takeEarly takes a packet in that lies well before the chunk. The last one of the main stream waits: it may be the one that stands.
func (c *chunkReader) takeEarly(p *video.Packet, t float64) error {
	e := earlyPacket{*p, p.Set.Standard, p.Set.AppendTo(nil), t}
	for i := range p.Set.Items {
		it := &p.Set.Items[i]
		c.saidLast[itemKey{e.std, it.Tag, it.Key}] = len(c.early)
	}
	c.early = append(c.early, e)
	if p.PID != c.pid {
		c.viewer.State(p.PID).Apply(p)
		return nil
	}
	if err := c.release(false); err != nil {
		return err
	}
	c.held = &e
	return nil
}

// release takes the waiting packet in: looked along, when it is the last.
func (c *chunkReader) release(last bool) error {
	if c.held == nil {
		return nil
	}
	p := c.held
	c.held = nil
	if err := p.decode(); err != nil {
		return err
	}
	if last {
		c.see(&p.Packet, p.t)
	} else {
		c.viewer.State(p.PID).Apply(&p.Packet)
	}
	return nil
}

// decode gives the packet a set of its own; that of a reader is used again for the next. Bytes that are no set stay so.
func (e *earlyPacket) decode() error {
	e.Set = &klv.Set{}
	if err := e.Set.Decode(e.bytes); err != nil && e.std == klv.Unlisted {
		e.Set = &klv.Set{Standard: klv.Unlisted, Tail: e.bytes}
	} else if err != nil {
		return fmt.Errorf("video: a packet that was read does not read again: %w", err)
	}
	return nil
}

// begin works out what the early packets said, before the first that is looked along.
func (c *chunkReader) begin() error {
	if c.early == nil {
		return nil
	}
	needed := make([]bool, len(c.early))
	for _, i := range c.saidLast {
		needed[i] = true
	}
	for i := range c.early {
		if e := &c.early[i]; needed[i] {
			if err := e.decode(); err != nil {
				return err
			}
			c.items(&e.Packet, e.t)
		}
	}
	c.early = nil
	return c.release(true)
}

// end ends the chunk, also where no packet came within it.
func (c *chunkReader) end() error {
	if err := c.begin(); err != nil {
		return err
	}
	c.standsBefore()
	return nil
}

// see looks along a packet.
func (c *chunkReader) see(p *video.Packet, t float64) {
	l := c.viewer.See(p)
	l.PTS, l.HasPTS = t, true
	main := p.PID == c.pid
	if main && t >= c.out.From-nearS && t <= c.out.To+nearS {
		c.timeline.Add(&l)
	}
	within := t >= c.out.From && t < c.out.To
	if !within && !(main && t < c.out.From) {
		return
	}
	v := c.packet(p, &l, t)
	said := c.items(p, t)
	switch {
	case within:
		if v.Items = said; main && !slices.ContainsFunc(c.out.Packets, func(q VideoPacket) bool { return !q.Other }) && c.before == nil {
			v.Items = c.all(t)
		}
		c.out.Packets = append(c.out.Packets, v)
	case main:
		v.Items = c.all(t)
		c.before = &v
	}
}

// standsBefore puts the packet that stands when the chunk begins before the others.
func (c *chunkReader) standsBefore() {
	slices.SortStableFunc(c.out.Packets, func(a, b VideoPacket) int { return cmp.Compare(a.PTS, b.PTS) })
	if c.before != nil {
		c.out.Packets = slices.Insert(c.out.Packets, 0, *c.before)
	}
}

func (c *chunkReader) packet(p *video.Packet, l *video.Look, t float64) VideoPacket {
	g := l.Line()
	v := VideoPacket{PTS: t, Other: p.PID != c.pid, Set: p.Set.Standard.Name, Sensor: g.Sensor, Pointing: g.Pointing, Center: g.Center, Reported: g.Reported,
		Footprint: [][2]float64{}, How: l.How, Horizon: l.Horizon, Targets: g.Targets, Checks: g.Checks}
	if len(v.Targets) == 0 {
		v.Targets = nil
	}
	if at, ok := p.Time(); ok {
		v.Time = &at
		if c.clock != byTime && !c.firstAt.IsZero() && len(c.marks) > 0 {
			off := at.Sub(c.firstAt).Seconds() - (t - c.marks[0].t)
			v.ClockOffset = &off
		}
	}
	if p.Set.Checksum != klv.NoChecksum {
		right := p.Set.Checksum == klv.Right
		v.Checksum = &right
	}
	for _, q := range g.Problems {
		v.Problems = append(v.Problems, q.What)
	}
	for _, q := range footprintOf(l) {
		v.Footprint = append(v.Footprint, [2]float64{q.Lon, q.Lat})
	}
	return v
}

// footprintOf is the ground seen: its corners, and the whole outline where it ends at the horizon.
func footprintOf(l *video.Look) []geodesy.LatLon {
	if l.How == "" {
		return nil
	}
	if l.Horizon {
		if o, ok := l.Footprint(); ok {
			return o.Ring
		}
	}
	return l.Corners[:]
}

// items are what a packet says that did not stand so before.
func (c *chunkReader) items(p *video.Packet, t float64) [][]json.RawMessage {
	out := [][]json.RawMessage{}
	c.flatten(under(p.Set.Standard), p.Line().Items, func(i int, row []json.RawMessage) {
		s := c.standing[i]
		if s == nil || t-s.said > video.Expiry.Seconds() || !slices.EqualFunc(s.row, row, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
			out = append(out, row)
		}
		c.standing[i] = &standing{row, t}
	})
	return out
}

// under is what goes before the tags of a set, so that those of several sets in one file are told apart: nothing for the two that say
// where the camera is.
func under(s *klv.Standard) string {
	if s == klv.ST0601 || s == klv.EG0104 {
		return ""
	}
	return s.Name + "/"
}

// all lists every item that stands.
func (c *chunkReader) all(t float64) [][]json.RawMessage {
	out := [][]json.RawMessage{}
	for i := range c.out.Names {
		if s := c.standing[i]; s != nil && t-s.said <= video.Expiry.Seconds() {
			out = append(out, s.row)
		}
	}
	return out
}

// flatten gives every item of a set and of the sets in it, in their order.
func (c *chunkReader) flatten(under string, items video.ItemLines, see func(int, []json.RawMessage)) {
	for i := range items {
		it := &items[i]
		tag := under + it.Key
		if n, ok := it.Value.(video.NestedLine); ok {
			c.flatten(tag+"/", n.Items, see)
			continue
		}
		k, known := c.names[tag]
		if !known {
			k = len(c.out.Names)
			c.names[tag] = k
			c.out.Names = append(c.out.Names, VideoItemName{tag, it.Name, it.Unit})
		}
		row := []json.RawMessage{mustJSON(k), valueOf(it.Value)}
		if word := it.Text + it.State; word != "" { // of the two only one is ever set
			row = append(row, mustJSON(word))
		}
		see(k, row)
	}
}

// valueOf is a value as JSON; what JSON has no number for is null.
func valueOf(v any) json.RawMessage {
	b, err := json.Marshal(v)
	var unsupported *json.UnsupportedValueError
	if errors.As(err, &unsupported) {
		return json.RawMessage("null")
	}
	return b
}
