package app

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"strconv"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
	"github.com/atalaya-isr/atalaya/sense/playback"
)

// tagOf names an answer by the bytes that it is made of and by what made it.
func (a *App) tagOf(src videoSource, what string, n int) string {
	sum := sha256.Sum256([]byte(a.Version + " " + string(src.of.Blob) + " " + what + " " + strconv.Itoa(n)))
	return base64.RawURLEncoding.EncodeToString(sum[:15])
}

// VideoPart is media for a browser: an initialisation segment or a media segment of fragmented MP4.
type VideoPart struct {
	Tag  string
	Kind string
	// Init names the initialisation segment that the part needs, or is.
	Init string
	// Groups counts the groups of pictures in it.
	Groups int
	// Write sends the part, piece by piece: a long group takes no more memory than its longest piece. Nil where the caller holds it.
	Write func(w io.Writer) error
}

// maxBatch bounds how much of several groups is gathered for one answer, bytes.
const maxBatch = 8 << 20

// VideoInit is the initialisation segment that a group of pictures needs.
func (a *App) VideoInit(ctx context.Context, view access.View, id string, n int, held func(tag string) bool) (VideoPart, error) {
	return a.videoPart(ctx, view, id, "init", n, 1, held)
}

// VideoSegments are groups of pictures from one number on: as many as are asked for, or fewer where the next ones need another
// initialisation segment, or would be too much at once.
func (a *App) VideoSegments(ctx context.Context, view access.View, id string, n, count int, held func(tag string) bool) (VideoPart, error) {
	return a.videoPart(ctx, view, id, "segments", n, max(1, count), held)
}

func (a *App) videoPart(ctx context.Context, view access.View, id, what string, n, count int, held func(string) bool) (VideoPart, error) {
	src, err := a.videoOf(ctx, view, id)
	if err != nil {
		return VideoPart{}, err
	}
	out := VideoPart{Tag: a.tagOf(src, what+" "+strconv.Itoa(count), n)}
	if held(out.Tag) {
		return out, nil
	}
	r, err := a.reelOf(ctx, src.of.Blob)
	if err != nil {
		return out, err
	}
	if n < 0 || n >= len(r.groups) {
		return out, failure(atalaya.NotFound, "See the segments in the video's track", "the video has no segment %d", n)
	}
	b, err := a.Record.Blobs().Open(src.of.Blob)
	if err != nil {
		return out, err
	}
	p, err := r.pack(b, n)
	if err != nil {
		b.Close()
		return out, unplayable(err)
	}
	more := r.batch(b, p, n+1, count-1)
	out.Kind, out.Init, out.Groups = p.config.Type, p.config.ID, 1+len(more)
	out.Write = func(w io.Writer) error {
		defer b.Close()
		if what == "init" {
			_, err := w.Write(p.config.Init)
			return err
		}
		err := p.write(w)
		for _, s := range more {
			if err == nil {
				_, err = w.Write(s)
			}
		}
		return err
	}
	return out, nil
}

// batch packs up to so many groups from a number on that go with the first; what does not is left to its own call.
func (r *reel) batch(b io.ReaderAt, first *pieces, n, most int) (out [][]byte) {
	size := len(first.first.Bytes)
	for i := n; first.whole && len(out) < most && i < len(r.groups) && size < maxBatch; i++ {
		p, err := r.pack(b, i)
		if err != nil || !p.whole || p.config.ID != first.config.ID {
			break
		}
		out = append(out, p.first.Bytes)
		size += len(p.first.Bytes)
	}
	return out
}

// unplayable says in the house's words why there is no media.
func unplayable(err error) error {
	if errors.Is(err, playback.ErrUnplayable) || errors.Is(err, playback.ErrNoParameters) {
		return &atalaya.Error{Op: "video.play", Kind: atalaya.NotFound, Err: err, Hint: "Metadata, map and table of the video work without pictures"}
	}
	return err
}

// pieces are a group of pictures as media segments, as a rule one.
type pieces struct {
	config *playback.Config
	first  *playback.Segment
	from   *playback.Reader
	whole  bool // the first piece is all
	number uint32
}

// pack reads a group and packs its first piece, with the configuration that it needs: that of the video where it will do, else the
// group's own.
func (r *reel) pack(b io.ReaderAt, n int) (*pieces, error) {
	g, from, err := r.group(b, n)
	if err != nil {
		return nil, err
	}
	c, err := r.configured(b)
	if err != nil {
		return nil, err
	}
	s, err := c.Segment(g)
	if errors.Is(err, playback.ErrChanged) {
		if c, err = playback.Configure(c.Codec, g.Pictures...); err == nil {
			s, err = c.Segment(g)
		}
	}
	whole := n+1 < len(r.groups) && (!g.HasNext || g.Next == r.groups[n+1].dts+r.groups[n+1].shift-r.groups[n].shift)
	return &pieces{c, s, from, whole, g.Number}, err
}

// write sends the pieces, up to the next random access point or the end of the file.
func (p *pieces) write(w io.Writer) error {
	for s := p.first; ; {
		if _, err := w.Write(s.Bytes); err != nil || p.whole {
			return err
		}
		g, err := p.from.Next()
		if errors.Is(err, io.EOF) || err == nil && g.Pictures[0].Random {
			return nil
		}
		if err != nil {
			return err
		}
		g.Number = p.number
		if s, err = p.config.Segment(g); err != nil {
			return err
		}
	}
}

// group reads the first piece of a group from the file, with its times on the line.
func (r *reel) group(b io.ReaderAt, n int) (playback.Group, *playback.Reader, error) {
	at := &r.groups[n]
	d := r.index.ReadFrom(b, at.entry)
	d.Take(func(s mpegts.Stream) bool { return s.PID == r.video.PID })
	from := playback.NewReader(d, r.video.PID, -at.shift)
	var g playback.Group
	var err error
	for skip := 0; skip <= at.skip; skip++ {
		if g, err = from.Next(); err != nil {
			return g, nil, err
		}
	}
	g.Number = uint32(n) + 1
	if first := &g.Pictures[0]; !first.HasPTS {
		first.PTS, first.DTS, first.HasPTS = at.from-at.shift, at.dts, true
	}
	if n+1 < len(r.groups) {
		if next := &r.groups[n+1]; next.shift != at.shift { // another run follows
			g.Next, g.HasNext = next.dts+next.shift-at.shift, true
		}
	}
	return g, from, nil
}

// configured is the configuration of the video: that of its first group that brings its parameter sets.
func (r *reel) configured(b io.ReaderAt) (*playback.Config, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.config != nil {
		return r.config, nil
	}
	const tries = 50
	err := error(playback.ErrNoParameters)
	for n := 0; n < min(tries, len(r.groups)) && errors.Is(err, playback.ErrNoParameters); n++ {
		var g playback.Group
		if g, _, err = r.group(b, n); err != nil {
			return nil, err
		}
		var c *playback.Config
		if c, err = playback.Configure(r.video.Codec, g.Pictures...); err == nil {
			r.config = c
			return c, nil
		}
	}
	return nil, err
}
