package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/detect/mover"
	"github.com/atalaya-isr/atalaya/external/ffmpeg"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/product/still"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// StillOptions say what every picture of a video is made with.
type StillOptions struct {
	Marking  string // the maker's; "" is what the stream says, else that of an unmarked mission
	Language string // "en", "es"; "" is English
	Program  string // "atalaya 0.1.0"
	By       string // for whom
	Look     video.Options
	// Read hears how many bytes of the file were read; nil is silent.
	Read func(done int64)
}

// A When is a time in a video: a presentation time in seconds, or a time of day.
type When struct {
	PTS float64
	UTC time.Time // zero: PTS counts
}

// ParseWhen reads "4.5" or "2026-05-04T12:00:01Z".
func ParseWhen(s string) (When, error) {
	if v, err := strconv.ParseFloat(s, 64); err == nil && !math.IsNaN(v) && !math.IsInf(v, 0) {
		return When{PTS: v}, nil
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return When{UTC: t.UTC()}, nil
	}
	return When{}, failure(atalaya.BadUse, "Give seconds of the stream, as 4.5, or UTC, as 2026-05-04T12:00:01Z", "%q is no time", s)
}

func (w When) String() string {
	if w.UTC.IsZero() {
		return strconv.FormatFloat(w.PTS, 'f', -1, 64) + " s"
	}
	return w.UTC.Format(time.RFC3339Nano)
}

// lookReachS is how far from a wanted time looks are kept, seconds: two of them hold what stands between.
const lookReachS = 2.0

// maxKept bounds the looks kept of a file.
const maxKept = 1 << 16

// A roll is a video file with what was read of it for pictures.
type roll struct {
	path    string
	o       StillOptions
	program *ffmpeg.Program
	info    ffmpeg.Info
	source  still.Source
	mark    still.Mark
	line    *video.Timeline
	// Remarks are what was wrong with the file or is missing in it.
	remarks []MoverRemark
}

// openRoll finds the program and looks at the first pictures. The marking given is judged first: nothing is read for a wrong one.
func openRoll(ctx context.Context, path string, o StillOptions) (*roll, error) {
	if o.Marking != "" {
		if _, err := atalaya.ParseMarking(o.Marking); err != nil {
			return nil, failure(atalaya.BadUse, "Write --marking as 'U//SYNTHETIC' or 'U//REL TO USA, MEX'", "%q is no marking", o.Marking)
		}
	}
	st, err := os.Stat(path)
	if err != nil || st.IsDir() {
		return nil, &atalaya.Error{Op: "video.still", File: path, Kind: atalaya.NotFound, Err: errors.New("no such file"), Hint: "Name a video file"}
	}
	program, err := ffmpeg.Find(ctx)
	if err != nil {
		return nil, err
	}
	info, err := program.Probe(ctx, path)
	if err != nil {
		return nil, err
	}
	name := filepath.Base(path)
	return &roll{path: path, o: o, program: program, info: info, source: still.Source{File: name, Bytes: st.Size(), Program: o.Program, By: o.By, Language: o.Language}}, nil
}

// counted tells how much was read.
type counted struct {
	r    io.Reader
	done int64
	tell func(int64)
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	if c.done += int64(n); c.tell != nil {
		c.tell(c.done)
	}
	return n, err
}

// read goes through the file once: its hash, its markings, its names, and the looks that keep asks for.
func (r *roll) read(keep func(*video.Look) bool) error {
	f, err := os.Open(r.path)
	if err != nil {
		return &atalaya.Error{Op: "video.still", File: r.path, Kind: atalaya.NotFound, Err: errors.Unwrap(err), Hint: "Name a readable file"}
	}
	defer f.Close()
	sum := sha256.New()
	in := io.TeeReader(&counted{r: f, tell: r.o.Read}, sum)
	var marks still.Marks
	r.line = video.NewTimeline(maxKept)
	viewer := video.NewViewerWith(r.o.Look)
	pid, found := uint16(0), false
	err = video.ReadLooksWith(video.NewReader(in), viewer, func(p *video.Packet, l *video.Look) error {
		marks.See(p.Set)
		state := viewer.State(p.PID)
		for _, n := range [...]struct {
			tag  uint32
			name *string
		}{{3, &r.source.Mission}, {4, &r.source.Tail}, {10, &r.source.Platform}, {11, &r.source.Sensor}} {
			if *n.name == "" {
				*n.name = state.Text(n.tag)
			}
		}
		if !found && (l.HasSensor || l.How != "") { // looks of one stream stand together, not of two mixed
			pid, found = p.PID, true
		}
		if found && p.PID == pid && keep(l) {
			r.line.Add(l)
		}
		return nil
	})
	var e *atalaya.Error
	switch {
	case errors.As(err, &e) && e.Kind == atalaya.BadInput:
		r.remark(e.Err.Error() + ": the picture has no place")
	case err != nil:
		return inFile(r.path, err)
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return &atalaya.Error{Op: "video.still", File: r.path, Kind: atalaya.Failed, Err: err, Hint: "Read the file from a disk that can be read to its end"}
	}
	r.source.SHA256 = hex.EncodeToString(sum.Sum(nil))
	r.mark, err = marks.Mark(r.o.Marking, UnmarkedMission)
	return inFile(r.path, err)
}

func (r *roll) remark(what string) { r.remarks = append(r.remarks, MoverRemark{0, what}) }

// inFile names the file in an error that names none.
func inFile(path string, err error) error {
	var e *atalaya.Error
	if !errors.As(err, &e) || e.File != "" {
		return err
	}
	named := *e
	named.File = path
	return &named
}

// near says of a look that it lies near one of the times.
func near(times []When) func(*video.Look) bool {
	return func(l *video.Look) bool {
		for _, w := range times {
			if w.UTC.IsZero() && l.HasPTS && math.Abs(l.PTS-w.PTS) <= lookReachS {
				return true
			}
			if !w.UTC.IsZero() && l.HasTime && math.Abs(l.Time.Sub(w.UTC).Seconds()) <= lookReachS {
				return true
			}
		}
		return false
	}
}

// pts is a time as the stream counts it.
func (r *roll) pts(w When) (float64, error) {
	if w.UTC.IsZero() {
		return w.PTS, nil
	}
	m, ok := r.line.AtTime(w.UTC)
	if !ok || !m.HasPTS {
		return 0, &atalaya.Error{Op: "video.still", File: r.path, Kind: atalaya.BadUse, Err: fmt.Errorf("no metadata of this file lies within a second of %s", w), Hint: "Give a time of the stream in seconds, or one of those that `atalaya video georef` lists"}
	}
	at := m.PTS
	if !m.Interpolated {
		at += w.UTC.Sub(m.Time).Seconds()
	}
	return at, nil
}

// outsideS is how far from a time its frame may be, seconds: a gap of a picture or two, not the end of the file.
func (r *roll) outsideS() float64 {
	if r.info.Rate > 0 {
		return math.Max(0.5, 1.5/r.info.Rate)
	}
	return 0.5
}

func (r *roll) outside(w When, nearest float64) error {
	return &atalaya.Error{Op: "video.still", File: r.path, Kind: atalaya.BadUse, Err: fmt.Errorf("the video shows nothing at %s: the nearest picture is at %.3f s", w, nearest), Hint: "Give a time within the file; its pictures begin at " + fmt.Sprintf("%.3f s", r.info.First)}
}

// shot makes a frame a shot: its own copy of the pixels, and where the camera looked.
func (r *roll) shot(f *ffmpeg.Frame) still.Shot {
	s := still.Shot{Pix: rgba(f.Pix, f.Width, f.Height), Of: video.Size{Width: r.info.Width, Height: r.info.Height}, PTS: f.Seconds()}
	if m, ok := r.line.AtPTS(s.PTS); ok {
		s.Moment = &m
	}
	if r.info.Order != ffmpeg.Progressive {
		s.Fields = string(r.info.Order)
	}
	return s
}

// rgba is a picture of red, green, blue, row by row.
func rgba(pix []byte, w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		copy(img.Pix[4*i:4*i+3], pix[3*i:])
		img.Pix[4*i+3] = 0xff
	}
	return img
}

// FrameOptions say which frame, or which part of it.
type FrameOptions struct {
	StillOptions
	At When
	// Chip is a part of the frame, px; empty is the whole frame.
	Chip image.Rectangle
	// ChipAt and SizeM ask for the ground around a place instead: a square with sides of so many metres.
	ChipAt *geodesy.LatLon
	SizeM  float64
}

// Frame makes a picture of one frame of a video file, PNG, and says what is missing in it.
func Frame(ctx context.Context, path string, o FrameOptions) ([]byte, []MoverRemark, error) {
	r, err := openRoll(ctx, path, o.StillOptions)
	if err != nil {
		return nil, nil, err
	}
	if whole := image.Rect(0, 0, r.info.Width, r.info.Height); !o.Chip.In(whole) {
		return nil, nil, &atalaya.Error{Op: "video.frame", File: path, Kind: atalaya.BadUse, Err: fmt.Errorf("--chip %d,%d,%d,%d reaches beyond the frame of %d x %d",
			o.Chip.Min.X, o.Chip.Min.Y, o.Chip.Dx(), o.Chip.Dy(), whole.Dx(), whole.Dy()), Hint: "Give a part that lies within the frame"}
	}
	if err := r.read(near([]When{o.At})); err != nil {
		return nil, nil, err
	}
	at, err := r.pts(o.At)
	if err != nil {
		return nil, nil, err
	}
	var s still.Shot
	err = r.program.Nearest(ctx, path, r.info, ffmpeg.Options{Order: r.info.Order, Colour: true}, []float64{at}, func(_ int, f ffmpeg.Frame) error {
		if math.Abs(f.Seconds()-at) > r.outsideS() {
			return r.outside(o.At, f.Seconds())
		}
		s = r.shot(&f)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if s.At = o.Chip; o.ChipAt != nil {
		if s.At, err = r.around(&s, *o.ChipAt, o.SizeM); err != nil {
			return nil, nil, err
		}
	}
	if !s.At.Empty() {
		s.Pix = cropped(s.Pix, s.At)
	}
	b, err := still.Frame(s, r.source, r.mark)
	return b, r.remarks, inFile(path, err)
}

func cropped(img *image.RGBA, to image.Rectangle) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, to.Dx(), to.Dy()))
	for y := range to.Dy() {
		copy(out.Pix[y*out.Stride:(y+1)*out.Stride], img.Pix[img.PixOffset(to.Min.X, to.Min.Y+y):])
	}
	return out
}

// leastChip is the least part that a place is shown in, px.
const leastChip = 8

// around is the part of a shot that shows a square of ground about a place.
func (r *roll) around(s *still.Shot, at geodesy.LatLon, sizeM float64) (image.Rectangle, error) {
	no := func(kind atalaya.Kind, hint, format string, args ...any) (image.Rectangle, error) {
		e := failure(kind, hint, format, args...)
		return image.Rectangle{}, inFile(r.path, e)
	}
	switch {
	case s.Moment == nil:
		return no(atalaya.BadInput, "Give --chip in pixels", "no metadata lies within a second of the frame at %.3f s: its places are not known", s.PTS)
	case s.Moment.Blind() != "":
		return no(atalaya.BadInput, "Give --chip in pixels", "places in the frame at %.3f s are not known: %s", s.PTS, s.Moment.Blind())
	}
	x, y, within, ok := s.Moment.PixelOf(video.Position{Lat: at.Lat, Lon: at.Lon}, s.Of)
	if !ok || !within {
		return no(atalaya.BadUse, "Give a place that the frame shows, or another time", "%.5f, %.5f lies outside of the frame at %.3f s", at.Lat, at.Lon, s.PTS)
	}
	lo, hi := [2]float64{x, y}, [2]float64{x, y}
	frame := geodesy.NewFrame(geodesy.LatLonHeight{Lat: at.Lat, Lon: at.Lon})
	for _, d := range [4][2]float64{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}} {
		p := frame.GroundFromENU(d[0]*sizeM/2, d[1]*sizeM/2)
		u, v, _, ok := s.Moment.PixelOf(video.Position{Lat: p.Lat, Lon: p.Lon}, s.Of)
		if !ok {
			return no(atalaya.BadUse, "Give a smaller --size", "%.0f m around the place reach beyond what the frame can show", sizeM)
		}
		lo, hi = [2]float64{math.Min(lo[0], u), math.Min(lo[1], v)}, [2]float64{math.Max(hi[0], u), math.Max(hi[1], v)}
	}
	lo[0], lo[1] = math.Min(lo[0], x-leastChip/2), math.Min(lo[1], y-leastChip/2)
	hi[0], hi[1] = math.Max(hi[0], x+leastChip/2), math.Max(hi[1], y+leastChip/2)
	whole := image.Rect(0, 0, s.Of.Width, s.Of.Height)
	clamp := func(v float64) int { return int(math.Min(math.Max(v, -1), 1e5)) }
	part := image.Rect(clamp(math.Floor(lo[0])), clamp(math.Floor(lo[1])), clamp(math.Ceil(hi[0])), clamp(math.Ceil(hi[1])))
	if !part.In(whole) {
		r.remark(fmt.Sprintf("the frame shows only a part of the %s m around the place", strconv.FormatFloat(sizeM, 'f', -1, 64)))
	}
	return part.Intersect(whole), nil
}

// WriteNew writes a file whole or not at all. One that is there already stays as it is, unless force says otherwise.
func WriteNew(path string, b []byte, force bool) error {
	fail := func(err error) error {
		return &atalaya.Error{Op: "video.write", File: path, Kind: atalaya.Failed, Err: errors.Unwrap(err), Hint: "Name a file in a folder that can be written"}
	}
	if err := MayWrite(path, force); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".atalaya-*")
	if err != nil {
		return fail(err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return &atalaya.Error{Op: "video.write", File: path, Kind: atalaya.Failed, Err: err, Hint: "Name a file in a folder that can be written, on a disk with room"}
	}
	return nil
}

// MayWrite refuses, before long work, a file that is there already.
func MayWrite(path string, force bool) error {
	switch st, err := os.Stat(path); {
	case err != nil && !strings.HasSuffix(path, string(filepath.Separator)):
		return nil
	case err == nil && !st.IsDir() && force:
		return nil
	}
	return &atalaya.Error{Op: "video.write", File: path, Kind: atalaya.BadUse, Err: errors.New("the file is there already"), Hint: "Name another file, or say --force"}
}

// StoryboardOptions say which frames.
type StoryboardOptions struct {
	StillOptions
	At     []When  // ascending or not
	EveryS float64 // one frame every so many seconds from the first on; 0: At
	Form   still.Form
	// Done hears of each frame that was taken; nil is silent.
	Done func(frames, of int)
}

// grid is the times of a storyboard that takes a frame every so often.
func (r *roll) grid(everyS float64) ([]When, error) {
	if r.info.Duration <= 0 {
		return nil, &atalaya.Error{Op: "video.storyboard", File: r.path, Kind: atalaya.BadInput, Err: errors.New("the file does not tell how long it is"), Hint: "Give the times: --at 0,10,20"}
	}
	n := int(math.Min(math.Floor(r.info.Duration/everyS)+1, 1e6))
	if n > still.MostPanels {
		return nil, &atalaya.Error{Op: "video.storyboard", File: r.path, Kind: atalaya.BadUse, Err: fmt.Errorf("a frame every %g s makes %d frames of %.0f s, a storyboard holds %d", everyS, n, r.info.Duration, still.MostPanels),
			Hint: fmt.Sprintf("Give --every %.0f or more", math.Ceil(r.info.Duration/(still.MostPanels-1)))}
	}
	out := make([]When, n)
	for i := range out {
		out[i] = When{PTS: r.info.First + float64(i)*everyS}
	}
	return out, nil
}

// Storyboard makes a sheet of frames of a video file with a map of what they saw, and says what is missing in it.
func Storyboard(ctx context.Context, path string, o StoryboardOptions) ([]byte, []MoverRemark, error) {
	r, err := openRoll(ctx, path, o.StillOptions)
	if err != nil {
		return nil, nil, err
	}
	times := o.At
	if o.EveryS > 0 {
		if times, err = r.grid(o.EveryS); err != nil {
			return nil, nil, err
		}
	}
	if err := r.read(near(times)); err != nil {
		return nil, nil, err
	}
	type wanted struct {
		when When
		pts  float64
	}
	list := make([]wanted, len(times))
	for i, w := range times {
		at, err := r.pts(w)
		if err != nil {
			return nil, nil, err
		}
		list[i] = wanted{w, at}
	}
	slices.SortStableFunc(list, func(a, b wanted) int { return cmp.Compare(a.pts, b.pts) })
	at := make([]float64, len(list))
	for i := range list {
		at[i] = list[i].pts
	}
	w, h := still.Thumb(r.info.Width, r.info.Height)
	var shots []still.Shot
	err = r.program.Nearest(ctx, path, r.info, ffmpeg.Options{Width: w, Height: h, Order: r.info.Order, Colour: true}, at, func(n int, f ffmpeg.Frame) error {
		if o.Done != nil {
			o.Done(n+1, len(at))
		}
		if math.Abs(f.Seconds()-at[n]) > r.outsideS() {
			if o.EveryS > 0 { // how long a file is, its container only guesses; or pictures are missing there
				r.remark(fmt.Sprintf("no picture near %.3f s", at[n]))
				return nil
			}
			return r.outside(list[n].when, f.Seconds())
		}
		if k := len(shots); k > 0 && shots[k-1].PTS == f.Seconds() {
			r.remark(fmt.Sprintf("the picture at %.3f s is the nearest to several of the times, and is shown once", f.Seconds()))
			return nil
		}
		shots = append(shots, r.shot(&f))
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	b, err := still.Storyboard(shots, r.source, r.mark, o.Form)
	return b, r.remarks, inFile(path, err)
}

// MosaicOptions say which stretch of a video.
type MosaicOptions struct {
	StillOptions
	From, To When
	GeoTIFF  bool // wanted beside the picture
	// Done hears of each frame, of registration first and then of laying; nil is silent.
	Done func(what string, frames int, pts float64)
}

// maxMosaicS bounds a mosaic's stretch of video, seconds: its frames are all kept in mind, though not their pixels.
const maxMosaicS = 1800.0

// Mosaic puts the frames of a stretch of video together: PNG, and where it is asked for a GeoTIFF. It says what it left out.
func Mosaic(ctx context.Context, path string, o MosaicOptions) (picture, geo []byte, remarks []MoverRemark, err error) {
	r, err := openRoll(ctx, path, o.StillOptions)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := r.read(between(o.From, o.To)); err != nil {
		return nil, nil, nil, err
	}
	from, err := r.pts(o.From)
	if err != nil {
		return nil, nil, nil, err
	}
	to, err := r.pts(o.To)
	if err != nil {
		return nil, nil, nil, err
	}
	if !(from < to && to-from <= maxMosaicS) {
		return nil, nil, nil, &atalaya.Error{Op: "video.mosaic", File: path, Kind: atalaya.BadUse, Err: fmt.Errorf("from %s to %s are %.3f s", o.From, o.To, to-from), Hint: fmt.Sprintf("Give a stretch above 0 and of at most %.0f s", maxMosaicS)}
	}
	m, err := r.plan(ctx, from, to, o.Done)
	if err != nil {
		return nil, nil, nil, inFile(path, err)
	}
	if err := r.lay(ctx, m, o.Done); err != nil {
		return nil, nil, nil, inFile(path, err)
	}
	for _, what := range m.Problems() {
		r.remark(what)
	}
	if picture, err = m.PNG(r.source, r.mark); err == nil && o.GeoTIFF {
		geo, err = m.GeoTIFF(r.source, r.mark)
	}
	return picture, geo, r.remarks, inFile(path, err)
}

// between says of a look that it lies in a stretch, or near it.
func between(from, to When) func(*video.Look) bool {
	after := func(l *video.Look, w When, by float64) bool {
		if w.UTC.IsZero() {
			return l.HasPTS && l.PTS >= w.PTS+by
		}
		return l.HasTime && l.Time.Sub(w.UTC).Seconds() >= by
	}
	return func(l *video.Look) bool { return after(l, from, -lookReachS) && !after(l, to, lookReachS) }
}

// plan registers the frames of a stretch and says where each lies.
func (r *roll) plan(ctx context.Context, from, to float64, done func(string, int, float64)) (*still.Mosaic, error) {
	w, h := workingSize(r.info.Width, r.info.Height)
	var frames []still.Registered
	rate := r.info.Rate
	if rate <= 0 {
		rate = 1
	}
	find, err := mover.New(mover.Options{Width: w, Height: h, FullWidth: r.info.Width, FullHeight: r.info.Height, Rate: rate, Seed: 1, OnFrame: func(f mover.Frame) {
		one := still.Registered{PTS: f.PTS, Motion: f.Motion, Locked: f.Locked, ResidualPX: f.ResidualPX}
		if m, ok := r.line.AtPTS(f.PTS); ok {
			one.Moment = &m
		}
		frames = append(frames, one)
		if done != nil {
			done("registered", len(frames), f.PTS)
		}
	}})
	if err != nil {
		return nil, err
	}
	err = r.program.Between(ctx, r.path, r.info, ffmpeg.Options{Width: w, Height: h, Order: r.info.Order}, from, to, func(f ffmpeg.Frame) error { return find.Add(f.Pix, f.Seconds()) })
	if err != nil {
		return nil, err
	}
	find.End()
	if len(frames) == 0 {
		return nil, &atalaya.Error{Op: "video.mosaic", Kind: atalaya.BadUse, Err: fmt.Errorf("the video shows nothing between %.3f and %.3f s", from, to), Hint: fmt.Sprintf("Give times within the file; its pictures begin at %.3f s", r.info.First)}
	}
	return still.Plan(frames, video.Size{Width: r.info.Width, Height: r.info.Height}, video.Size{Width: w, Height: h})
}

// lay decodes the stretch again, in colour, and brings the frames that are laid.
func (r *roll) lay(ctx context.Context, m *still.Mosaic, done func(string, int, float64)) error {
	from, to := m.Span()
	n := 0
	return r.program.Between(ctx, r.path, r.info, ffmpeg.Options{Order: r.info.Order, Colour: true}, from, to, func(f ffmpeg.Frame) error {
		if !m.Wants(f.Seconds()) {
			return nil
		}
		if n++; done != nil {
			done("laid", n, f.Seconds())
		}
		_, err := m.Lay(f.Seconds(), rgba(f.Pix, f.Width, f.Height))
		return err
	})
}
