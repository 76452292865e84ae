package app

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
	"github.com/atalaya-isr/atalaya/sense/playback"
	"github.com/atalaya-isr/atalaya/sense/video"
	"github.com/atalaya-isr/atalaya/store/blob"
)

// A reel is what is kept of one video file between calls: where its groups of pictures lie, which ground was seen when, and places
// at which reading may begin. It is made from the file alone, once, in two passes; pictures and metadata are read again from the
// file when they are asked for, by ranges. Beside its mutex nothing changes once it is made.
type reel struct {
	blob    atalaya.BlobID
	size    int64
	streams []mpegts.Stream
	line    timeLine

	// Of the pictures: the stream that is played, nil where there is none.
	video  *mpegts.Stream
	index  *mpegts.Index
	groups []group
	frames []int64 // when each picture is shown, ticks on the line, ascending
	frameS float64 // median time between two
	early  int     // pictures before the first random access point, which cannot be shown

	// Of the metadata.
	clock    clockKind
	pid      uint16 // of the stream that says where the camera is
	packets  int64
	sets     video.Counts
	stale    int64
	names    video.Names
	marks    []mark
	glimpses []glimpse
	cover    []spanS
	stepS    float64
	lane     []float64 // times of packets, for the lane; nil once counted
	problems []video.Problem
	dropped  int
	arrivals []arrival
	firstAt  time.Time

	mu        sync.Mutex
	config    *playback.Config
	stretches []*stretch // last used last
}

// clockKind says by which clock metadata lie beside the pictures.
type clockKind string

const (
	byPTS     clockKind = "pts"     // the metadata have presentation times
	byArrival clockKind = "arrival" // they have none: by when they arrived, which lies before their picture by an unknown part of a second
	byTime    clockKind = "time"    // there is no stream: by their own time stamps, from the first on
)

// A group is pictures from one random access point up to the next.
type group struct {
	entry    mpegts.Entry
	skip     int   // random access points in the same PES before it
	shift    int64 // of its run
	from, to int64 // presentation, ticks on the line
	dts      int64 // of its first picture, as the stream has it
}

// A mark is a packet of metadata at which reading may begin.
type mark struct {
	t      float64
	offset int64
	pts    int64 // as the stream has it
}

// A glimpse is where the camera was and which ground it saw, thinned.
type glimpse struct {
	t         float64
	time      time.Time // zero where the packet names none
	hasSensor bool
	sensor    geodesy.LatLon
	hasCenter bool
	center    geodesy.LatLon
	how       string
	ring      [4]geodesy.LatLon
}

// An arrival is when a unit of metadata without a presentation time came, by the stream's clock.
type arrival struct{ offset, clock int64 }

// Bounds of a reel, which an hour of video does not reach: packets of a lane, glimpses, problems.
const (
	maxLane     = 4 << 20
	maxGlimpses = 120_000
	maxTold     = 200
	glimpseS    = 0.2 // least time between two glimpses
)

// makeReel reads a video file twice: for its pictures, then for its metadata.
func makeReel(ctx context.Context, id atalaya.BlobID, b *blob.Blob) (*reel, error) {
	r := &reel{blob: id, size: b.Size(), clock: byPTS}
	head := make([]byte, 1024)
	n, err := b.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if mpegts.Looks(head[:n]) {
		if err := r.readPictures(ctx, b); err != nil {
			return nil, err
		}
	} else {
		r.clock = byTime
	}
	if err := r.readMetadata(ctx, io.NewSectionReader(b, 0, b.Size())); err != nil {
		return nil, err
	}
	return r, nil
}

// readPictures goes through the file once: it makes the index and lists the groups. What is read to the end is also checked against
// the file's name (blob.Blob).
func (r *reel) readPictures(ctx context.Context, b io.Reader) error {
	var index bytes.Buffer
	d := mpegts.NewDemuxer(b)
	d.TakeOutline(mpegts.Stream.IsVideo)
	x := mpegts.NewIndexer(&index)
	p := pictures{reel: r}
	for i := 0; ; i++ {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		u, err := d.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := x.Add(u); err != nil {
			return err
		}
		switch {
		case u.Kind == mpegts.Metadata && !u.HasPTS && u.HasClock:
			r.arrivals = append(r.arrivals, arrival{u.Offset, u.Clock})
		case u.Kind == mpegts.Pictures:
			p.take(u)
		}
	}
	if err := x.Close(d); err != nil {
		return err
	}
	r.streams = d.Streams()
	list, dropped := d.Problems()
	r.dropped += dropped
	for _, q := range list {
		r.note(video.Problem{At: q.At, What: q.What})
	}
	var err error
	r.index, err = mpegts.OpenIndex(bytes.NewReader(index.Bytes()), int64(index.Len()))
	p.end()
	return err
}

func (r *reel) note(list ...video.Problem) {
	for _, p := range list {
		if len(r.problems) < maxTold {
			r.problems = append(r.problems, p)
		} else {
			r.dropped++
		}
	}
}

// pictures lists the pictures of the first video stream.
type pictures struct {
	*reel
	pid      uint16
	begun    bool
	dts, pts int64
}

// take lists one picture. One without time stamps (several in a PES) follows the last by its step, as playback has it.
func (p *pictures) take(u mpegts.Unit) {
	if p.pid == 0 {
		p.pid = u.PID
	}
	if u.PID != p.pid {
		return
	}
	if len(p.groups) == 0 && !u.Random {
		p.early++
		return
	}
	if !u.HasPTS {
		lag := p.pts - p.dts
		u.DTS = p.dts + p.step()
		u.PTS = u.DTS + lag
	}
	shift := p.line.take(u.Offset, u.DTS)
	p.dts, p.pts = u.DTS, u.PTS
	if u.Random {
		g := group{entry: mpegts.EntryOf(u), shift: shift, from: u.PTS + shift, dts: u.DTS}
		if n := len(p.groups); n > 0 {
			last := &p.groups[n-1]
			if last.to = g.from; last.entry.Offset == u.Offset {
				g.skip = last.skip + 1
			}
		}
		p.groups = append(p.groups, g)
	}
	p.frames = append(p.frames, u.PTS+shift)
}

func (p *pictures) step() int64 {
	if p.line.step > 0 {
		return p.line.step
	}
	return ticks / 30
}

// end names the stream, and ends the last group after its last picture.
func (p *pictures) end() {
	for i := range p.streams {
		if s := &p.streams[i]; s.PID == p.pid && s.IsVideo() || p.pid == 0 && s.IsVideo() && p.video == nil {
			p.video = s
		}
	}
	slices.Sort(p.frames)
	p.frames = slices.Compact(p.frames)
	shown := coverage{times: make([]float64, len(p.frames))}
	for i, f := range p.frames {
		shown.times[i] = seconds(f)
	}
	p.frameS = shown.step()
	if n := len(p.groups); n > 0 {
		p.groups[n-1].to = p.frames[len(p.frames)-1] + p.step()
	}
}

// readMetadata goes through the file's metadata once.
func (r *reel) readMetadata(ctx context.Context, b io.Reader) error {
	reader := video.NewReader(b)
	viewer := video.NewViewerWith(r.options())
	alone := len(r.line.runs) == 0 // no picture made the line
	if alone {
		r.line.leap = sparseLeap
	}
	var cover coverage
	for i := 0; ; i++ {
		if i%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		p, err := reader.Next()
		if err != nil {
			if err := endOfMetadata(err, reader); err != nil {
				return err
			}
			break
		}
		if at, ok := p.Time(); ok && r.firstAt.IsZero() {
			r.firstAt = at
		}
		if !p.HasPTS && r.clock == byPTS {
			r.clock = byArrival
		}
		if at, ok := r.stamp(&p, p.Offset); ok && alone {
			r.line.take(p.Offset, at)
		}
		t, ok := r.when(&p, p.Offset)
		if !ok {
			t = r.lastT()
		}
		r.packet(&p, t, &cover)
		if r.passes(&p, t) {
			viewer.State(p.PID).Apply(&p)
			continue
		}
		l := viewer.See(&p)
		r.look(&p, &l, t)
	}
	if r.clock == byTime { // a transport stream's were listed by the first pass
		list, dropped := reader.Problems()
		r.note(list...)
		r.dropped += dropped
	}
	r.stepS = cover.step()
	r.cover = cover.spans()
	r.lane = cover.times
	return nil
}

// endOfMetadata tells the end of a file, or a file without any metadata, from a reader that failed.
func endOfMetadata(err error, r *video.Reader) error {
	if errors.Is(err, io.EOF) || atalaya.KindOf(err) == atalaya.BadInput && r.Container() == "mpegts" {
		return nil
	}
	return err
}

func inTicks(pts float64) int64 { return int64(math.Round(pts * ticks)) }

// options are how looks are made of this file.
func (r *reel) options() video.Options {
	o := video.Options{Sigmas: video.DefaultSigmas}
	if r.video != nil {
		o.FrameWidth, o.FrameHeight = r.video.Width, r.video.Height
	}
	return o
}

// when is the time on the line, seconds, of a packet at a byte of the file; false where nothing tells it.
func (r *reel) when(p *video.Packet, offset int64) (float64, bool) {
	at, ok := r.stamp(p, offset)
	return seconds(r.line.place(offset, at)), ok
}

// stamp is a packet's time by its clock, ticks: that of presentation, else of arrival, else its own since the first.
func (r *reel) stamp(p *video.Packet, offset int64) (int64, bool) {
	switch {
	case p.HasPTS:
		return inTicks(p.PTS), true
	case r.clock == byTime:
		at, ok := p.Time()
		return inTicks(at.Sub(r.firstAt).Seconds()), ok
	}
	i, found := slices.BinarySearchFunc(r.arrivals, offset, func(a arrival, at int64) int { return cmp.Compare(a.offset, at) })
	if !found {
		return 0, false
	}
	return r.arrivals[i].clock, true
}

func (r *reel) lastT() float64 {
	if n := len(r.glimpses); n > 0 {
		return r.glimpses[n-1].t
	}
	if len(r.frames) > 0 {
		return seconds(r.frames[0])
	}
	return 0
}

// packet takes what is kept of one packet beside where the camera looked.
func (r *reel) packet(p *video.Packet, t float64, cover *coverage) {
	r.packets++
	switch p.Set.Standard {
	case klv.ST0601:
		r.sets.ST0601++
	case klv.EG0104:
		r.sets.EG0104++
	default:
		r.sets.Unknown++
	}
	if p.Set.Checksum == klv.Stale {
		r.stale++
	}
	r.note(p.Problems...)
	r.names.Take(p.Set)
	if r.packets == 1 {
		r.pid = p.PID
	}
	if p.PID != r.pid {
		return
	}
	if len(cover.times) < maxLane {
		cover.add(t)
	}
	r.mark(p, t)
}

// mark keeps a packet's place, a second or more after the last.
func (r *reel) mark(p *video.Packet, t float64) {
	if n := len(r.marks); n == 0 || t >= r.marks[n-1].t+1 {
		r.marks = append(r.marks, mark{t, p.Offset, inTicks(p.PTS)})
	}
}

// passes says that a packet need not be looked along: the last glimpse is near, or another stream tells where the camera is.
func (r *reel) passes(p *video.Packet, t float64) bool {
	if !r.seen() {
		return false
	}
	last := r.glimpses[len(r.glimpses)-1].t
	return p.PID != r.pid || t >= last && t < last+glimpseS
}

// look takes a look in. The stream that first tells where the sensor is becomes the one whose packets count.
func (r *reel) look(p *video.Packet, l *video.Look, t float64) {
	if r.pid != p.PID && l.HasSensor && !r.seen() {
		r.pid, r.glimpses, r.marks = p.PID, nil, nil
		r.mark(p, t)
	}
	if p.PID == r.pid {
		r.glimpse(l, t)
	}
}

// seen says that some packet told where the sensor is.
func (r *reel) seen() bool {
	return len(r.glimpses) > 0 && r.glimpses[0].hasSensor
}

// glimpse keeps a look. When there are too many, every second one goes.
func (r *reel) glimpse(l *video.Look, t float64) {
	if len(r.glimpses) == maxGlimpses {
		for i := range maxGlimpses / 2 {
			r.glimpses[i] = r.glimpses[2*i]
		}
		r.glimpses = r.glimpses[:maxGlimpses/2]
	}
	g := glimpse{t: t, hasSensor: l.HasSensor, sensor: l.Sensor.LatLon(), how: l.How, ring: l.Corners}
	if l.HasTime {
		g.time = l.Time
	}
	var c video.Position
	c, g.hasCenter = l.Center()
	g.center = c.LatLon()
	r.glimpses = append(r.glimpses, g)
}

// span is the first and the last time of the reel, seconds; false where it holds nothing.
func (r *reel) span() (from, to float64, ok bool) {
	from, to = math.Inf(1), math.Inf(-1)
	if len(r.groups) > 0 {
		from, to = seconds(r.frames[0]), seconds(r.groups[len(r.groups)-1].to)
	}
	for _, s := range r.cover {
		from, to = math.Min(from, s[0]), math.Max(to, s[1])
	}
	return from, to, from <= to
}

// at is the UTC of a time on the line, between glimpses in proportion; false where the metadata name none near it.
func (r *reel) at(t float64) (time.Time, bool) {
	i, _ := slices.BinarySearchFunc(r.glimpses, t, func(g glimpse, t float64) int { return cmp.Compare(g.t, t) })
	const near = 5.0
	for _, k := range []int{i, i - 1} {
		if k >= 0 && k < len(r.glimpses) && !r.glimpses[k].time.IsZero() && math.Abs(r.glimpses[k].t-t) <= near {
			return r.glimpses[k].time.Add(time.Duration((t - r.glimpses[k].t) * float64(time.Second))), true
		}
	}
	return time.Time{}, false
}

// A shelf holds what was made last of files, of each once. Its zero value is ready.
type shelf[T any] struct {
	mu   sync.Mutex
	all  map[atalaya.BlobID]*shelved[T]
	turn int64
}

type shelved[T any] struct {
	done  chan struct{} // closed once made
	thing T
	err   error
	used  int64
}

// maxShelved is how many files are kept: more than a wall shows and a person turns over in a session.
const maxShelved = 16

// reelOf gives the reel of a file, making it where it is not there.
func (a *App) reelOf(ctx context.Context, id atalaya.BlobID) (*reel, error) {
	return a.reels.of(ctx, a, id, makeReel)
}

// of gives what is made of a file. Who asks first makes it; the others wait.
func (v *shelf[T]) of(ctx context.Context, a *App, id atalaya.BlobID, make func(context.Context, atalaya.BlobID, *blob.Blob) (T, error)) (T, error) {
	for {
		s, mine := v.take(id)
		if mine {
			v.put(ctx, a, id, s, make)
		}
		select {
		case <-s.done:
		case <-ctx.Done():
			var none T
			return none, ctx.Err()
		}
		if s.err != nil && errors.Is(s.err, context.Canceled) && ctx.Err() == nil {
			continue // who made it has gone: make it anew
		}
		return s.thing, s.err
	}
}

func (v *shelf[T]) put(ctx context.Context, a *App, id atalaya.BlobID, s *shelved[T], make func(context.Context, atalaya.BlobID, *blob.Blob) (T, error)) {
	defer close(s.done)
	var thing T
	b, err := a.Record.Blobs().Open(id)
	if err == nil {
		thing, err = make(ctx, id, b)
		err = errors.Join(err, b.Close())
	}
	if err != nil {
		s.err = fmt.Errorf("video %s: %w", id, err)
		v.drop(id, s)
		return
	}
	s.thing = thing
}

func (v *shelf[T]) take(id atalaya.BlobID) (s *shelved[T], mine bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.turn++
	if s = v.all[id]; s == nil {
		s, mine = &shelved[T]{done: make(chan struct{})}, true
		if v.all == nil {
			v.all = map[atalaya.BlobID]*shelved[T]{}
		}
		v.makeRoom()
		v.all[id] = s
	}
	s.used = v.turn
	return s, mine
}

// makeRoom drops what was asked for longest ago where there is too much. Who still uses it keeps it.
func (v *shelf[T]) makeRoom() {
	if len(v.all) < maxShelved {
		return
	}
	var oldest atalaya.BlobID
	for id, s := range v.all {
		if o := v.all[oldest]; o == nil || s.used < o.used {
			oldest = id
		}
	}
	delete(v.all, oldest)
}

func (v *shelf[T]) drop(id atalaya.BlobID, s *shelved[T]) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.all[id] == s {
		delete(v.all, id)
	}
}
