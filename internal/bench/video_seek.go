package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/store/sqlite"
)

// seeks are how many places of the film are asked for.
const seeks = 50

// A seeking is what was measured of a film in a record: how long opening it took, how long each place, and how much memory more was held.
type seeking struct {
	bytes, heldBytes int64
	openS, readS     float64
	oursMS, preadMS  []float64
	seconds          float64
}

// videoSeek is a film of four hours, of so many bytes as the large file of memory has: what opening it in the video room takes, and what a jump to
// any place of it, which is the answer of the track there and then that of the group of pictures there. The film is in the system's
// cache of files, for both sides.
func videoSeek(ctx context.Context, o Options) ([]pair, error) {
	long := 4 * time.Hour
	if o.trial() {
		long = 20 * time.Minute
	}
	s, err := seekIn(ctx, o, long)
	if err != nil {
		return nil, err
	}
	hours := fmt.Sprintf("%.3g h of video at %.2g Mb/s", s.seconds/3600, float64(s.bytes)*8e-6/s.seconds)
	once := func(a, b float64) func() (float64, float64, error) {
		return func() (float64, float64, error) { return a, b, nil }
	}
	const pread = "the same stretches of the file read by pread"
	return []pair{
		{name: hours + ": opened for the first time", unit: "s", reference: "the file read once", once: once(s.openS, s.readS)},
		{name: fmt.Sprintf("a jump in it, middle of %d", seeks), unit: "ms", reference: pread, once: once(numeric.Median(s.oursMS), numeric.Median(s.preadMS))},
		{name: fmt.Sprintf("a jump in it, 95 %% of %d", seeks), unit: "ms", reference: pread, once: once(numeric.Quantile(s.oursMS, 0.95), numeric.Quantile(s.preadMS, 0.95))},
		{name: "memory held after that", unit: "MB", reference: "size of the file", once: once(math.Max(float64(s.heldBytes), 1)/1e6, float64(s.bytes)/1e6)},
	}, nil
}

// seekIn writes the film into a mission, runs it, and jumps about in it.
func seekIn(ctx context.Context, o Options, long time.Duration) (s seeking, err error) {
	dir := filepath.Join(o.Dir, "seek")
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	name := filepath.Join(dir, "mission", "film.ts")
	s.seconds = long.Seconds()
	if s.bytes, err = writeFilm(name, int64(o.LargeMB)*1e6, long); err != nil {
		return s, err
	}
	db, err := sqlite.OpenDir(ctx, filepath.Join(dir, "record"), sqlite.Options{})
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	a := app.New(db, "bench")
	if _, partial, err := a.Run(ctx, filepath.Dir(name), app.RunOptions{WithoutMovers: true}); err != nil || partial {
		return s, fmt.Errorf("the film was not read whole: %w", err)
	}
	list, err := a.Videos(ctx, access.Whole(), "")
	if err != nil || len(list.Videos) != 1 {
		return s, fmt.Errorf("%d videos: %w", len(list.Videos), err)
	}
	f, err := os.Open(name)
	if err != nil {
		return s, err
	}
	defer f.Close()
	began := time.Now()
	if _, err = io.Copy(io.Discard, struct{ io.Reader }{f}); err != nil {
		return s, err
	}
	s.readS = time.Since(began).Seconds()
	return s, s.jump(ctx, a, string(list.Videos[0].Observation.ID), f)
}

// jump opens the video and asks for places of it.
func (s *seeking) jump(ctx context.Context, a *app.App, id string, f io.ReaderAt) error {
	before, began := liveBytes(), time.Now()
	v, err := a.Video(ctx, access.Whole(), id)
	if err != nil {
		return err
	}
	s.openS = time.Since(began).Seconds()
	chance := numeric.NewStream(1, 0)
	asked := map[int]bool{} // what was read last is kept: each place is another chunk
	first, chunks := int(v.From/v.ChunkS), int((v.To-v.From)/v.ChunkS)
	if chunks < seeks {
		return fmt.Errorf("%d chunks for %d places", chunks, seeks)
	}
	for len(asked) < seeks {
		n := first + int(chance.Float64()*float64(chunks))
		if asked[n] {
			continue
		}
		asked[n] = true
		began := time.Now()
		if err := jumpTo(ctx, a, id, n, v); err != nil {
			return err
		}
		s.oursMS = append(s.oursMS, 1e3*time.Since(began).Seconds())
		began = time.Now()
		if err := s.pread(f, (v.ChunkS*float64(n)-v.From)/s.seconds, v.ChunkS); err != nil {
			return err
		}
		s.preadMS = append(s.preadMS, 1e3*time.Since(began).Seconds())
	}
	s.heldBytes = liveBytes() - before
	runtime.KeepAlive(a)
	return nil
}

// liveBytes are what is still in use once all else was let go.
func liveBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// jumpTo does what the browser does to show a place: it asks for the chunk of the track, and then for the group of pictures there.
func jumpTo(ctx context.Context, a *app.App, id string, chunk int, v app.VideoView) error {
	none := func(string) bool { return false }
	t, err := a.VideoTrack(ctx, access.Whole(), id, chunk, none)
	if err != nil {
		return err
	}
	if len(t.Body) < 1000 {
		return fmt.Errorf("a track of %d bytes", len(t.Body))
	}
	group := int((float64(chunk)+0.5)*v.ChunkS-v.From) * v.Segments / int(v.To-v.From)
	p, err := a.VideoSegments(ctx, access.Whole(), id, group, 1, none)
	if err != nil {
		return err
	}
	return p.Write(io.Discard)
}

// pread reads what the answer is made of, a MiB at a time: the metadata that may still stand, 30 s and one before the chunk, the chunk and
// what comes late, 3 s; and a group of pictures, a second.
func (s *seeking) pread(f io.ReaderAt, share, chunkS float64) error {
	rate := float64(s.bytes) / s.seconds
	middle := int64(share * float64(s.bytes))
	buf := make([]byte, 1<<20)
	for at, left := max(0, middle-int64(31*rate)), int64((31+chunkS+3+1)*rate); left > 0 && at < s.bytes; {
		n, err := f.ReadAt(buf[:min(int64(len(buf)), left)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		at, left = at+int64(n), left-int64(n)
		if n == 0 {
			break
		}
	}
	return nil
}

// writeFilm writes a film of so many bytes, or as few as there can be: 30 pictures a second, ten packets of metadata.
func writeFilm(name string, size int64, long time.Duration) (int64, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return 0, err
	}
	all, err := packets(int(10 * long.Seconds()))
	if err != nil {
		return 0, err
	}
	pictures := int(30 * long.Seconds())
	const wrapped, metadata = 184.0 / 188, 2 * 188 // what a packet carries of a picture, what a packet of metadata takes
	each := int(wrapped*(float64(size)-metadata*float64(len(all)))/float64(pictures)) - 100
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = film{all, 30, max(each, 30), 3}.write(w, func(i int) bool { return i < pictures })
	at, e := f.Seek(0, io.SeekEnd)
	at += int64(w.Buffered())
	return at, errors.Join(err, e, w.Flush(), f.Close())
}
