package ffmpeg

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/atalaya-isr/atalaya"
)

// A stamp is what the showinfo filter says about one frame.
type stamp struct {
	pts           int64 // math.MinInt64 where the frame has none
	clock         float64
	width, height int
	luma          bool // the pixel format has a plane of luma
}

func (s stamp) seconds() float64 { return float64(s.pts) / s.clock }

// run is one run of the program.
type run struct {
	ctx    context.Context
	cmd    *exec.Cmd
	path   string
	stamps chan stamp // closed when the program has said its last
	log    talk
	read   chan struct{} // closed when the pipe is read to its end
	open   func() (io.ReadCloser, error)
	in     *source // what the program is handed; nil where it reads a file
}

// source is a video that goes to the program through a pipe. Its fault is looked at when the program has ended.
type source struct {
	io.ReadCloser
	fault error
}

func (s *source) Read(b []byte) (int, error) {
	n, err := s.ReadCloser.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		s.fault = err
	}
	return n, err
}

// containers are the formats that are opened. Playlists and lists of files are none of them: a file is read, not what it names.
const containers = "mpegts,mpeg,mpegvideo,h264,hevc,mov,mp4,matroska,webm,avi,mxf,mxf_opatom,gxf,flv,asf,ogg,ivf,av1,obu,yuv4mpegpipe,nut,mjpeg,m4v,dv"

// start prepares a run over the first video stream of a file. Times are those of the stream: nothing is shifted to zero, and
// no frame is doubled or dropped for a constant rate.
//
// From, where it is above 0, is a time to begin at, counted as the stream counts it; what is decoded before it on the way is given too.
func (p *Program) start(ctx context.Context, path string, from float64, args []string, to string) *run {
	protocol, input := "file", "file:"+path
	if p.open != nil {
		protocol, input = "pipe", "pipe:0"
	}
	all := []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "repeat+level+info", "-copyts", "-noautorotate",
		"-protocol_whitelist", protocol, "-format_whitelist", containers}
	if from > 0 {
		all = append(all, "-seek_timestamp", "1", "-noaccurate_seek", "-ss", strconv.FormatFloat(from, 'f', 3, 64))
	}
	all = append(all, "-i", input, "-map", "0:v:0", "-an", "-sn", "-dn")
	all = append(append(all, args...), p.passthrough()...)
	r := &run{ctx: ctx, path: path, open: p.open, cmd: exec.CommandContext(ctx, p.Path, append(all, "-y", to)...), stamps: make(chan stamp, 256), read: make(chan struct{})}
	r.cmd.WaitDelay = 2 * time.Second
	return r
}

// passthrough is the option that keeps every frame at its own time: -vsync until 5.0, -fps_mode from 5.1 on.
func (p *Program) passthrough() []string {
	var major, minor int
	if n, _ := fmt.Sscanf(strings.TrimPrefix(p.Version, "n"), "%d.%d", &major, &minor); n >= 1 && (major < 5 || major == 5 && minor < 1) {
		return []string{"-vsync", "passthrough"}
	}
	return []string{"-fps_mode", "passthrough"}
}

// begin starts the program; take, unless nil, reads its output in a goroutine.
func (r *run) begin(take func(io.Reader)) error {
	talk, err := r.cmd.StderrPipe()
	if err != nil {
		return r.failed(err)
	}
	var pipe io.Reader
	if take != nil {
		if pipe, err = r.cmd.StdoutPipe(); err != nil {
			return r.failed(err)
		}
		widen(pipe)
	}
	if r.open != nil {
		in, err := r.open()
		if err != nil {
			return r.failed(err)
		}
		r.in = &source{ReadCloser: in}
		r.cmd.Stdin = r.in
	}
	if err := r.cmd.Start(); err != nil {
		r.handed()
		return r.failed(err)
	}
	go r.listen(talk)
	go func() {
		defer close(r.read)
		if take != nil {
			take(pipe)
		}
	}()
	return nil
}

func (r *run) failed(err error) error {
	return &atalaya.Error{Op: "ffmpeg.run", File: r.path, Kind: atalaya.Failed, Err: err, Hint: "Run ffmpeg on the file by hand to see what is wrong"}
}

// listen turns what the program says into stamps, and keeps complaints.
func (r *run) listen(from io.Reader) {
	defer close(r.stamps)
	in := bufio.NewReaderSize(from, 16<<10)
	for {
		line, err := in.ReadSlice('\n') // a longer line comes in pieces: none that matters is so long
		if s, ok := r.log.take(string(line)); ok {
			select {
			case r.stamps <- s:
			case <-r.ctx.Done():
			}
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// end waits for the program. It ended well when its status is 0, whatever it complained about on the way.
func (r *run) end() error {
	<-r.read
	for range r.stamps {
	}
	err := r.cmd.Wait()
	broken := r.handed()
	switch {
	case broken != nil:
		return r.failed(broken)
	case r.ctx.Err() != nil:
		return &atalaya.Error{Op: "ffmpeg.run", File: r.path, Kind: atalaya.Failed, Err: fmt.Errorf("ffmpeg was stopped: %w", r.ctx.Err()), Hint: "Start it again"}
	case err != nil && r.log.fault != "" && r.cmd.ProcessState != nil && r.cmd.ProcessState.Exited(): // one that was killed says nothing against the file
		return &atalaya.Error{Op: "ffmpeg.run", File: r.path, Kind: atalaya.BadInput, Err: errors.New("ffmpeg: " + r.log.fault), Hint: "Give a video that ffmpeg can play"}
	case err != nil:
		return r.failed(fmt.Errorf("ffmpeg: %w", err))
	}
	return nil
}

// handed closes what the program was handed, and says why it could not be read.
func (r *run) handed() error {
	if r.in == nil {
		return nil
	}
	return errors.Join(r.in.fault, r.in.Close())
}

// talk is what the program said that matters.
type talk struct {
	clock              float64 // units a second of the times that showinfo tells
	top, bottom, whole int
	duration           float64 // seconds, 0 where the program cannot tell
	fault              string  // the first line that tells of an error; what comes after follows from it
}

// take reads one line: a stamp, or something to keep.
func (t *talk) take(line string) (stamp, bool) {
	if strings.Contains(line, "showinfo") {
		if _, base, ok := strings.Cut(line, "config in time_base: "); ok {
			var num, den float64
			if n, _ := fmt.Sscanf(base, "%g/%g", &num, &den); n == 2 && num >= 1 && den >= 1 && den <= math.MaxInt32 {
				t.clock = den / num
			}
			return stamp{}, false
		}
		return t.stamp(line)
	}
	if top, bottom, whole, ok := votes(line); ok && top+bottom+whole > 0 {
		t.top, t.bottom, t.whole = top, bottom, whole
	}
	if d, ok := lasts(line); ok && t.duration == 0 {
		t.duration = d
	}
	if t.fault == "" {
		t.fault = fault(line)
	}
	return stamp{}, false
}

// stamp reads "[Parsed_showinfo_1 @ 0x5d0] [info] n:  46 pts: 267141 pts_time:2.96823 ... s:720x480 ...".
func (t *talk) stamp(line string) (stamp, bool) {
	_, rest, ok := strings.Cut(line, "] n:")
	if !ok || t.clock == 0 {
		return stamp{}, false
	}
	s := stamp{pts: math.MinInt64, clock: t.clock}
	if v := field(rest, " pts:"); v != "NOPTS" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return stamp{}, false
		}
		s.pts = n
	}
	if n, _ := fmt.Sscanf(field(rest, " s:"), "%dx%d", &s.width, &s.height); n != 2 {
		return stamp{}, false
	}
	format := field(rest, " fmt:")
	s.luma = strings.HasPrefix(format, "yuv") || strings.HasPrefix(format, "gray")
	return s, true
}

// field is the word after a key; blanks may stand between.
func field(line, key string) string {
	_, rest, _ := strings.Cut(line, key)
	rest = strings.TrimLeft(rest, " ")
	if i := strings.IndexAny(rest, " \r\n"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}

// printable drops what may not go to a terminal: a file's own words may be in the line.
func printable(r rune) rune {
	if r == utf8.RuneError || !unicode.IsPrint(r) {
		return -1
	}
	return r
}

// fault is the text of a line of the level error or above, "" of any other; the part of the program that said it is left out.
func fault(line string) string {
	for _, level := range [...]string{"[error] ", "[fatal] "} {
		if _, text, ok := strings.Cut(line, level); ok {
			text = strings.TrimSpace(strings.Map(printable, text[:min(len(text), 300)]))
			return text
		}
	}
	return ""
}
