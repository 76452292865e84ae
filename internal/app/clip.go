package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// ClipRequest says what to cut out of a video. From and To are times as a person writes them (see ParseMoment); empty is the beginning
// and the end.
type ClipRequest struct {
	In, Out  string
	From, To string
	Force    bool // to put the clip in the place of a file that is there
	// Read is told how many bytes of the video were read for its index; nil for nobody.
	Read func(done, size int64)
}

// ClipDocument says what was cut, atalaya.clip/1. Times are presentation times of the stream in seconds, as pts_s elsewhere.
type ClipDocument struct {
	Schema   string  `json:"schema"`
	File     string  `json:"file"`
	Out      string  `json:"out"`
	AskedS   [2]any  `json:"asked_s"` // null where nothing was asked
	FromS    float64 `json:"from_s"`  // of the random access point at which it begins
	ToS      float64 `json:"to_s"`    // of the last picture
	Bytes    int64   `json:"bytes"`
	Packets  int64   `json:"packets"` // of 188 bytes
	Pictures int64   `json:"pictures"`
	Metadata int64   `json:"metadata"` // units: PES, or access units of synchronous metadata
	ReadFrom int64   `json:"read_from_byte"`
	ReadTo   int64   `json:"read_to_byte"`
}

// CutVideo writes a part of a transport stream to a new file, pictures and metadata as they are. The file gets its name when it is
// whole: what is interrupted leaves none.
func CutVideo(ctx context.Context, r ClipRequest) (ClipDocument, error) {
	in, size, err := openVideo(r.In)
	if err != nil {
		return ClipDocument{}, err
	}
	defer in.Close()
	if err := mayWrite(in, r); err != nil {
		return ClipDocument{}, err
	}
	index, err := indexOf(ctx, in, size, r.Read)
	if err != nil {
		return ClipDocument{}, fileError(err, r.In)
	}
	asked, err := r.span(in, index)
	if err != nil {
		return ClipDocument{}, fileError(err, r.In)
	}
	doc := ClipDocument{Schema: "atalaya.clip/1", File: r.In, Out: r.Out}
	for i, s := range asked {
		if !math.IsInf(s, 0) {
			doc.AskedS[i] = s
		}
	}
	var clip mpegts.Clip
	doc.Bytes, err = writeClip(r.Out, r.Force, func(w io.Writer) error {
		clip, err = index.Cut(w, in, ticksOf(asked[0]), ticksOf(asked[1]))
		return err
	})
	if errors.Is(err, mpegts.ErrNothing) {
		err = failure(atalaya.BadInput, "Ask for times between those of its pictures: `atalaya video klv` prints pts_s.", "nothing lies between these times")
	}
	if err != nil {
		return ClipDocument{}, fileError(err, r.In)
	}
	doc.FromS, doc.ToS = float64(clip.From)/90000, float64(clip.To)/90000
	doc.Packets, doc.Pictures, doc.Metadata, doc.ReadFrom, doc.ReadTo = clip.Packets, clip.Pictures, clip.Metadata, clip.Begin, clip.End
	return doc, nil
}

// fileError names the file in an error that names none.
func fileError(err error, path string) error {
	var e *atalaya.Error
	if errors.As(err, &e) {
		if e.File == "" {
			named := *e
			named.File, named.Op = path, "video.clip"
			return &named
		}
		return err
	}
	return &atalaya.Error{Op: "video.clip", File: path, Kind: atalaya.Failed, Err: err}
}

func openVideo(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, &atalaya.Error{Op: "video.clip", File: path, Kind: atalaya.NotFound, Err: errors.Unwrap(err), Hint: "Name a readable file."}
	}
	st, err := f.Stat()
	head := make([]byte, 1024)
	n, _ := f.ReadAt(head, 0)
	if err == nil && !mpegts.Looks(head[:n]) {
		err = &atalaya.Error{Op: "video.clip", File: path, Place: "byte 0", Kind: atalaya.BadInput, Err: errors.New("no transport stream"),
			Hint: "A clip is cut from an MPEG transport stream; raw KLV has no pictures to cut by."}
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, st.Size(), nil
}

// mayWrite refuses to write over the video itself, and over any file unless told to.
func mayWrite(in *os.File, r ClipRequest) error {
	was, err := os.Stat(r.Out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	e := &atalaya.Error{Op: "video.clip", File: r.Out, Kind: atalaya.Conflict, Err: err}
	if err == nil {
		st, err := in.Stat()
		switch {
		case err == nil && os.SameFile(st, was):
			e.Err, e.Hint = errors.New("this is the video itself"), "Name another file with --out."
		case was.IsDir():
			e.Err, e.Hint = errors.New("this is a folder"), "Name a file in it with --out."
		case r.Force:
			return nil
		default:
			e.Err, e.Hint = errors.New("this file is there already"), "Name another with --out, or give --force to replace it."
		}
	}
	return e
}

// indexOf reads the whole stream once.
func indexOf(ctx context.Context, in io.ReaderAt, size int64, read func(done, size int64)) (*mpegts.Index, error) {
	var b bytes.Buffer
	if err := mpegts.WriteIndex(&b, &steady{ctx, io.NewSectionReader(in, 0, size), 0, size, read}); err != nil {
		return nil, err
	}
	return mpegts.OpenIndex(bytes.NewReader(b.Bytes()), int64(b.Len()))
}

// steady reads until it is told to stop, and says how far it is.
type steady struct {
	ctx        context.Context
	r          io.Reader
	done, size int64
	read       func(done, size int64)
}

func (s *steady) Read(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.r.Read(b)
	if s.done += int64(n); s.read != nil {
		s.read(s.done, s.size)
	}
	return n, err
}

// writeClip writes a file under another name and gives it its own when it is whole.
func writeClip(path string, replace bool, write func(io.Writer) error) (n int64, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return 0, &atalaya.Error{Op: "video.clip", File: path, Kind: atalaya.Failed, Err: err, Hint: "Name a file in a folder that can be written to."}
	}
	defer os.Remove(f.Name())
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	n, seekErr := f.Seek(0, io.SeekCurrent)
	if err = errors.Join(err, seekErr, f.Close(), os.Chmod(f.Name(), 0o644)); err != nil {
		return 0, err
	}
	if replace {
		return n, os.Rename(f.Name(), path)
	}
	err = os.Link(f.Name(), path) // a rename would replace a file that came meanwhile
	if errors.Is(err, fs.ErrExist) {
		return 0, &atalaya.Error{Op: "video.clip", File: path, Kind: atalaya.Conflict, Err: errors.New("this file is there already"), Hint: "Name another with --out, or give --force to replace it."}
	}
	if err != nil { // a file system without links
		err = os.Rename(f.Name(), path)
	}
	return n, err
}

// span is what is asked for, seconds of the stream's presentation times; infinite where nothing is.
func (r ClipRequest) span(in io.ReaderAt, x *mpegts.Index) (out [2]float64, err error) {
	out = [2]float64{math.Inf(-1), math.Inf(1)}
	first, last, err := shown(x)
	if err != nil {
		return out, err
	}
	for i, text := range []string{r.From, r.To} {
		if text == "" {
			continue
		}
		m, err := ParseMoment(text)
		if err != nil {
			return out, err
		}
		if out[i], err = m.in(in, first); err != nil {
			return out, err
		}
	}
	if out[0] > out[1] {
		return out, failure(atalaya.BadUse, "Give --from before --to.", "a clip from %s to %s ends before it begins", r.From, r.To)
	}
	if out[0] > last || out[1] < first {
		return out, failure(atalaya.BadUse, "Give times within it.", "the stream goes from %.3f s to %.3f s, and nothing of it lies between these times", first, last)
	}
	return out, nil
}

// ticksOf is a time in ticks of 90 kHz, within what a stream can hold.
func ticksOf(s float64) int64 {
	const most = 1 << 50
	return int64(math.Round(max(-most, min(most, s*90000))))
}

// A Moment is a time in a video as a person gives it.
type Moment struct {
	Seconds  float64
	Relative bool      // to the first presentation time
	UTC      time.Time // by the metadata; zero for none
}

// ParseMoment reads seconds of the stream's presentation time ("12.5"), hours, minutes and seconds of it ("00:00:12.5"), either counted
// from the first picture with a plus before it ("+12.5"), or a time of the metadata (RFC 3339, "2026-05-04T12:00:00Z").
func ParseMoment(text string) (m Moment, err error) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return Moment{UTC: t.UTC()}, nil
	}
	rest, relative := strings.CutPrefix(text, "+")
	m.Relative = relative
	for i, part := range strings.Split(rest, ":") {
		v, err := strconv.ParseFloat(part, 64)
		if err != nil || !(v >= 0 && v < 1e9) || i > 2 || i > 0 && v >= 60 || strings.ContainsAny(part, "eExXpP_+") {
			return m, failure(atalaya.BadUse, "Write seconds (12.5), hours, minutes and seconds (00:00:12.5), either with + to count from the first picture, or a UTC time (2026-05-04T12:00:00Z).",
				"%q is no time in a video", text)
		}
		m.Seconds = m.Seconds*60 + v
	}
	return m, nil
}

// in is the moment as a presentation time of a stream that begins at first, seconds.
func (m Moment) in(file io.ReaderAt, first float64) (float64, error) {
	switch {
	case !m.UTC.IsZero():
		return m.byMetadata(file)
	case m.Relative:
		return first + m.Seconds, nil
	}
	return m.Seconds, nil
}

// shown is from when to when the presentation times of a stream go, seconds: of its pictures, or where it has none of anything.
func shown(x *mpegts.Index) (from, to float64, err error) {
	first, last, pictures, found := int64(0), int64(0), false, false
	for e, err := range x.All() {
		if err != nil {
			return 0, 0, err
		}
		if !e.Timed || e.Arrival || pictures && e.Kind != mpegts.Pictures {
			continue
		}
		if picture := e.Kind == mpegts.Pictures; !found || picture && !pictures {
			first, last, pictures, found = e.PTS, e.PTS, picture, true
		}
		first, last = min(first, e.PTS), max(last, e.PTS)
	}
	if !found {
		return 0, 0, failure(atalaya.BadInput, "Ask for the recording with its times.", "no presentation time is in this stream")
	}
	return float64(first) / 90000, float64(last) / 90000, nil
}

// reach is how far before the first and after the last packet a time of the metadata is still taken.
const reach = time.Second

// byMetadata finds the presentation time at which the metadata has a time: from the packet whose time lies nearest.
func (m Moment) byMetadata(file io.ReaderAt) (pts float64, err error) {
	var first, last time.Time
	nearest, found := time.Duration(math.MaxInt64), false
	r := video.NewReader(io.NewSectionReader(file, 0, math.MaxInt64))
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
		t, ok := p.Time()
		if !ok || !p.HasPTS {
			continue
		}
		if !found || t.Before(first) {
			first = t
		}
		if !found || t.After(last) {
			last = t
		}
		if off := m.UTC.Sub(t); !found || off.Abs() < nearest {
			nearest, pts = off.Abs(), p.PTS+off.Seconds()
		}
		found = true
	}
	switch {
	case !found:
		return 0, failure(atalaya.BadInput, "Give the presentation time in seconds instead.", "no metadata packet has both a time and a presentation time")
	case nearest > reach:
		return 0, failure(atalaya.BadInput, fmt.Sprintf("Give a time from %s to %s.", first.Format(time.RFC3339Nano), last.Format(time.RFC3339Nano)),
			"no metadata lies within %v of %s", reach, m.UTC.Format(time.RFC3339Nano))
	}
	return pts, nil
}
