package ffmpeg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/atalaya-isr/atalaya"
)

// Options say which frames are wanted.
type Options struct {
	// Width and Height of the frames given, px; 0 is the size of the video. The picture is scaled to it by area, so that no
	// detail is folded over.
	Width, Height int
	// Order of the video's fields, as Probe tells it. Interlaced pictures are made whole before they are scaled, one frame a
	// picture, at the time of its first field.
	Order Order
	// Limit is the number of frames after which to stop; 0 is none.
	Limit int
	// Every gives one frame of so many; 0 is 1. All are decoded, since each stands on those before.
	Every int
	// Colour asks for red, green and blue instead of luma.
	Colour bool
	// From is a presentation time, seconds, from about which on to decode, where it is above 0: pictures before the random access
	// point that the program finds there do not come. It may find one that is later.
	From float64
}

// A Frame is one decoded picture.
type Frame struct {
	Pix           []byte // luma, or red, green, blue; row by row, Width*Height bytes or three times as many; valid until the next call of Next
	Width, Height int
	// PTS is the presentation time as the stream has it, in units of 1/Clock second: 90,000 in transport streams, twice that
	// where fields were made whole.
	PTS   int64
	Clock float64
}

// Seconds is the presentation time in seconds.
func (f *Frame) Seconds() float64 { return float64(f.PTS) / f.Clock }

// buffers is how many frames are decoded ahead: the program works on while a frame is looked at.
const buffers = 4

// Frames gives the frames of a video in the order of presentation. It belongs to one goroutine; Close must be called.
type Frames struct {
	Width, Height int
	path          string
	run           *run
	full          chan []byte
	free          chan []byte
	readErr       error // set before full is closed
	held          []byte
	stop          context.CancelFunc
	done          bool
}

// maxFrame bounds a frame: 8192 x 8192.
const maxFrame = 64 << 20

// Open starts the program on a file. Width and height must be known: those of Probe, where the options leave them 0.
func (p *Program) Open(ctx context.Context, path string, info Info, o Options) (*Frames, error) {
	f := &Frames{Width: o.Width, Height: o.Height, path: path}
	if f.Width == 0 || f.Height == 0 {
		f.Width, f.Height = info.Width, info.Height
	}
	if f.Width < 1 || f.Height < 1 || f.Width > maxFrame/f.Height {
		return nil, &atalaya.Error{Op: "ffmpeg.open", File: path, Kind: atalaya.BadUse, Err: fmt.Errorf("frames of %d x %d", f.Width, f.Height), Hint: "Give a size between 1 x 1 and 8192 x 8192"}
	}
	args := []string{"-vf", filters(f.Width, f.Height, info, o)}
	if o.Limit > 0 {
		args = append(args, "-frames:v", strconv.Itoa(o.Limit))
	}
	format, size := "gray", f.Width*f.Height
	if o.Colour {
		format, size = "rgb24", 3*size
	}
	args = append(args, "-f", "rawvideo", "-pix_fmt", format)
	ctx, f.stop = context.WithCancel(ctx)
	f.run = p.start(ctx, path, o.From, args, "pipe:1")
	f.full, f.free = make(chan []byte, buffers), make(chan []byte, buffers)
	for range buffers {
		f.free <- make([]byte, size)
	}
	if err := f.run.begin(f.fill); err != nil {
		f.stop()
		return nil, err
	}
	return f, nil
}

// filters is the chain that makes grey frames: luma alone, fields made whole, scaled, and each frame's time told. Luma is
// taken out where it lies in a plane of its own: that is faster than converting the picture.
func filters(w, h int, info Info, o Options) string {
	if o.Colour {
		return colourFilters(w, h, info, o)
	}
	chain := "format=gray"
	if info.luma {
		chain = "extractplanes=y"
	}
	chain += whole(o.Order)
	if o.Every > 1 {
		chain += fmt.Sprintf(",framestep=%d", o.Every)
	}
	if w != info.Width || h != info.Height {
		chain += fmt.Sprintf(",scale=%d:%d:flags=area", w, h)
	}
	return chain + ",format=gray,showinfo=checksum=0"
}

// colourFilters is the chain for red, green and blue. Colours are turned by exact arithmetic, which is the same on every processor.
func colourFilters(w, h int, info Info, o Options) string {
	chain := "null" + whole(o.Order)
	if o.Every > 1 {
		chain += fmt.Sprintf(",framestep=%d", o.Every)
	}
	flags := "bicubic"
	if w != info.Width || h != info.Height {
		flags = "area"
	}
	return chain + fmt.Sprintf(",scale=%d:%d:flags=%s+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact,format=rgb24,showinfo=checksum=0", w, h, flags)
}

// whole is the filter that makes pictures of their fields.
func whole(order Order) string {
	switch order {
	case TopFirst:
		return ",bwdif=mode=send_frame:parity=tff:deint=all"
	case BottomFirst:
		return ",bwdif=mode=send_frame:parity=bff:deint=all"
	}
	return ""
}

// fill reads frames from the pipe until it ends.
func (f *Frames) fill(pipe io.Reader) {
	defer close(f.full)
	for {
		var b []byte
		select {
		case b = <-f.free:
		case <-f.run.ctx.Done():
			f.readErr = f.run.ctx.Err()
			return
		}
		if _, err := io.ReadFull(pipe, b); err != nil {
			if !errors.Is(err, io.EOF) {
				f.readErr = err
			}
			return
		}
		f.full <- b
	}
}

// Next gives the next frame; io.EOF after the last.
func (f *Frames) Next() (Frame, error) {
	if f.held != nil {
		f.free <- f.held
		f.held = nil
	}
	if f.done {
		return Frame{}, io.EOF
	}
	b, ok := <-f.full
	if !ok {
		return Frame{}, f.finish()
	}
	stamp, ok := <-f.run.stamps
	if !ok {
		f.done = true
		f.stop()
		if err := f.run.end(); err != nil {
			return Frame{}, err
		}
		return Frame{}, f.broken("a frame came without its time")
	}
	f.held = b
	if stamp.width != f.Width || stamp.height != f.Height {
		return Frame{}, f.broken(fmt.Sprintf("a frame of %d x %d came where %d x %d was asked for", stamp.width, stamp.height, f.Width, f.Height))
	}
	if stamp.pts == math.MinInt64 {
		return Frame{}, f.broken("a frame has no presentation time")
	}
	return Frame{Pix: b, Width: f.Width, Height: f.Height, PTS: stamp.pts, Clock: stamp.clock}, nil
}

func (f *Frames) broken(what string) error {
	return &atalaya.Error{Op: "ffmpeg.read", File: f.path, Kind: atalaya.Failed, Err: errors.New(what), Hint: "Run ffmpeg on the file by hand to see what is wrong"}
}

// finish waits for the program and tells how it ended.
func (f *Frames) finish() error {
	f.done = true
	for range f.run.stamps { // times of frames that did not come
	}
	if err := f.run.end(); err != nil {
		return err
	}
	if f.readErr != nil {
		return f.broken("the last frame is cut off")
	}
	return io.EOF
}

// Close ends the program, if it still runs, and waits for it.
func (f *Frames) Close() {
	f.stop()
	if f.done {
		return
	}
	f.done = true
	go func() { // the reader may be waiting to hand over
		for range f.full {
		}
	}()
	for range f.run.stamps {
	}
	_ = f.run.end() // what a program says that was told to end
}

// Drain decodes a file as Open would, looks at nothing, and counts the frames: the rate at which it ends is the roof over
// everything that looks at them.
func (p *Program) Drain(ctx context.Context, path string, info Info, o Options) (int, error) {
	f, err := p.Open(ctx, path, info, o)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for n := 0; ; n++ {
		if _, err := f.Next(); errors.Is(err, io.EOF) {
			return n, nil
		} else if err != nil {
			return n, err
		}
	}
}
