package ffmpeg

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"go.uber.org/goleak"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func program(t testing.TB) *Program {
	t.Helper()
	p, err := Find(t.Context())
	if err != nil {
		t.Skip(err)
	}
	return p
}

// pictureTimes are the presentation times in the PES headers of a transport stream's PID, in order of presentation, read
// without the program (ISO/IEC 13818-1, 2.4.3.2 and 2.4.3.7).
func pictureTimes(t *testing.T, path string, pid int) []int64 {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []int64
	for ; len(data) >= 188; data = data[188:] {
		if data[0] != 0x47 {
			t.Fatalf("no sync byte in %s", path)
		}
		if int(data[1]&0x1f)<<8|int(data[2]) != pid || data[1]&0x40 == 0 {
			continue
		}
		b := data[4:188]
		if data[3]&0x20 != 0 {
			b = b[1+int(b[0]):]
		}
		if len(b) < 14 || b[7]&0x80 == 0 {
			continue
		}
		out = append(out, int64(b[9]>>1&7)<<30|int64(b[10])<<22|int64(b[11]>>1)<<15|int64(b[12])<<7|int64(b[13]>>1))
	}
	slices.Sort(out)
	return out
}

func all(t *testing.T, f *Frames) []Frame {
	t.Helper()
	defer f.Close()
	var out []Frame
	for {
		fr, err := f.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		fr.Pix = slices.Clone(fr.Pix)
		out = append(out, fr)
	}
}

// TestTimesAreTheStreamsOwn: no start is taken off, nothing is rounded to a rate, nothing is doubled or dropped.
func TestTimesAreTheStreamsOwn(t *testing.T) {
	p := program(t)
	path := fixture.Shared(t, "video/osh-first-75.ts")
	info, err := p.Probe(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Width != 640 || info.Height != 480 || info.Order != Progressive || info.Rate < 29.9 || info.Rate > 30.1 {
		t.Errorf("%+v", info)
	}
	f, err := p.Open(t.Context(), path, info, Options{Width: 320, Height: 240})
	if err != nil {
		t.Fatal(err)
	}
	frames := all(t, f)
	want := pictureTimes(t, path, videoPID(t, path))
	if len(frames) != len(want) {
		t.Fatalf("%d frames, %d pictures in the stream", len(frames), len(want))
	}
	for i, fr := range frames {
		if fr.Clock != 90000 || fr.PTS != want[i] {
			t.Errorf("frame %d: %d/%v, the stream says %d", i, fr.PTS, fr.Clock, want[i])
		}
		if len(fr.Pix) != 320*240 || fr.Width != 320 {
			t.Fatalf("frame %d: %d bytes", i, len(fr.Pix))
		}
	}
}

func videoPID(t *testing.T, path string) int {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	d := mpegts.NewDemuxer(file)
	for {
		if _, err := d.Next(); err != nil {
			break
		}
	}
	for _, s := range d.Streams() {
		if s.Codec == "h264" {
			return int(s.PID)
		}
	}
	t.Fatalf("no video in %s", path)
	return 0
}

// TestFieldsAreMadeWhole: the stream's flag says top field first, its pixels say bottom first.
func TestFieldsAreMadeWhole(t *testing.T) {
	p := program(t)
	path := fixture.Shared(t, "video/aphill_short.ts")
	info, err := p.Probe(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Order != BottomFirst {
		t.Fatalf("%+v", info)
	}
	comb := func(order Order) (sum float64, frames []Frame) {
		f, err := p.Open(t.Context(), path, info, Options{Order: order})
		if err != nil {
			t.Fatal(err)
		}
		frames = all(t, f)
		for _, fr := range frames {
			for y := 2; y+2 < fr.Height; y++ {
				for x := range fr.Width {
					at := y*fr.Width + x
					d := int(fr.Pix[at])*2 - int(fr.Pix[at-fr.Width]) - int(fr.Pix[at+fr.Width])
					sum += float64(d * d)
				}
			}
		}
		return sum / float64(len(frames)), frames
	}
	asIs, _ := comb(Progressive)
	whole, frames := comb(BottomFirst)
	if whole > 0.7*asIs {
		t.Errorf("made whole, neighbouring lines differ by %.0f; as they are by %.0f", whole, asIs)
	}
	if len(frames) != 48 {
		t.Errorf("%d frames of 48 pictures", len(frames))
	}
	own := pictureTimes(t, path, videoPID(t, path))
	for i, fr := range frames {
		if at := fr.PTS * 90000 / int64(fr.Clock); !slices.Contains(own, at) || float64(at)*fr.Clock != float64(fr.PTS)*90000 {
			t.Errorf("frame %d: %d/%v is no time of the stream", i, fr.PTS, fr.Clock)
		}
	}
}

func TestStopsWithItsContext(t *testing.T) {
	p := program(t)
	ctx, cancel := context.WithCancel(t.Context())
	path := fixture.Shared(t, "video/aphill_short.ts")
	f, err := p.Open(ctx, path, Info{Width: 720, Height: 480}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Next(); err != nil {
		t.Fatal(err)
	}
	cancel()
	for range 100 {
		if _, err = f.Next(); err != nil {
			break
		}
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestCloseLeavesNothing: goleak holds the package to it.
func TestCloseLeavesNothing(t *testing.T) {
	p := program(t)
	path := fixture.Shared(t, "video/aphill_short.ts")
	for n := range 3 {
		f, err := p.Open(t.Context(), path, Info{Width: 720, Height: 480}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for range n {
			if _, err := f.Next(); err != nil {
				t.Fatal(err)
			}
		}
		f.Close()
		if _, err := f.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("after Close: %v", err)
		}
	}
}

func TestWhatCannotBeDecodedIsOneLine(t *testing.T) {
	p := program(t)
	bad := filepath.Join(t.TempDir(), "no video.ts")
	if err := os.WriteFile(bad, []byte(strings.Repeat("SYNTHETIC ", 400)), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := p.Probe(t.Context(), bad)
	if atalaya.KindOf(err) != atalaya.BadInput || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "no video.ts") {
		t.Errorf("%v", err)
	}
	if _, err := p.Open(t.Context(), bad, Info{}, Options{}); atalaya.KindOf(err) != atalaya.BadUse {
		t.Errorf("a frame without a size: %v", err)
	}
}

// TestNamesAreNoOptionsAndNoAddresses: a file is a file, whatever it is called, and a list of other files is not followed.
func TestNamesAreNoOptionsAndNoAddresses(t *testing.T) {
	p := program(t)
	dir := t.TempDir()
	data, err := os.ReadFile(fixture.Shared(t, "video/h264_klv.ts"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, name := range []string{"-y", "http:", "a:b.ts", "100%d.ts"} {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if in, err := p.Probe(t.Context(), name); err != nil || in.Width != 160 {
			t.Errorf("%s: %+v %v", name, in, err)
		}
	}
	list := "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n"
	if err := os.WriteFile("list.m3u8", []byte(list), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Probe(t.Context(), "list.m3u8"); err == nil {
		t.Error("a playlist was followed")
	}
}

func TestLinesOfTheProgram(t *testing.T) {
	var l talk
	if _, ok := l.take("[Parsed_showinfo_2 @ 0x5d] [info] n:   0 pts: 12 pts_time:1 s:8x8 \n"); ok {
		t.Error("a time without its clock was taken")
	}
	l.take("[Parsed_showinfo_2 @ 0x5d] [info] config in time_base: 1/180000, frame_rate: 30000/1001\n")
	s, ok := l.take("[Parsed_showinfo_2 @ 0x5d] [info] n:   0 pts: 258006 pts_time:1.43337 pos:     2068 fmt:gray sar:1/1 s:960x540 i:P iskey:1 type:I \n")
	if want := (stamp{pts: 258006, clock: 180000, width: 960, height: 540, luma: true}); !ok || s != want {
		t.Errorf("%+v %v", s, ok)
	}
	l.take("[mpegts @ 0x5d] [error] first\n")
	l.take("[h264 @ 0x5d] [fatal] second\n")
	if l.fault != "first" {
		t.Errorf("%q", l.fault)
	}
	l.take("[Parsed_idet_0 @ 0x5d] [info] Multi frame detection: TFF:     8 BFF:    40 Progressive:     3 Undetermined:     0\n")
	l.take("[info]   Duration: 01:02:09.20, start: 2.167000, bitrate: 519 kb/s\n")
	l.take("[info]   Duration: N/A, bitrate: N/A\n")
	if math.Abs(l.duration-3729.2) > 1e-9 {
		t.Errorf("%v s", l.duration)
	}
	if l.top != 8 || l.bottom != 40 || l.whole != 3 {
		t.Errorf("%+v", l)
	}
}

// BenchmarkFrames is the rate at which frames come when nothing else is done: the roof over the rate of what looks at them.
func BenchmarkFrames(b *testing.B) {
	p := program(b)
	path := fixture.Shared(b, "video/aphill_short.ts")
	frames := 0
	for b.Loop() {
		f, err := p.Open(b.Context(), path, Info{Width: 720, Height: 480, luma: true}, Options{Width: 360, Height: 240})
		if err != nil {
			b.Fatal(err)
		}
		for {
			if _, err := f.Next(); err != nil {
				break
			}
			frames++
		}
		f.Close()
	}
	b.ReportMetric(float64(frames)/b.Elapsed().Seconds(), "frames/s")
}

func TestAPlainErrorOfTheSystemIsTold(t *testing.T) {
	p := &Program{Path: filepath.Join(t.TempDir(), "none"), Version: "6.0"}
	if _, err := p.Probe(t.Context(), "x.ts"); !errors.Is(err, exec.ErrNotFound) && !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestTimeIsNotSpentAfterTheEnd(t *testing.T) {
	p := program(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	if _, err := p.Probe(ctx, fixture.Shared(t, "video/aphill_short.ts")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// TestReadingIsAsFromAFile: what comes through the pipe is decoded to the same pictures at the same times, also where the program ends
// before it has read all.
func TestReadingIsAsFromAFile(t *testing.T) {
	p := program(t)
	path := fixture.Shared(t, "video/osh-first-75.ts")
	opened, closed := 0, 0
	piped := p.Reading(func() (io.ReadCloser, error) {
		f, err := os.Open(path)
		opened++
		return closing{f, &closed}, err
	})
	info, err := p.Probe(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := piped.Probe(t.Context(), "what lies in the record")
	if err != nil {
		t.Fatal(err)
	}
	if again.Duration = info.Duration; again != info { // of a pipe nobody knows where it ends
		t.Errorf("%+v, of the file %+v", again, info)
	}
	for _, o := range []Options{{Width: 320, Height: 180, Every: 5}, {Width: 64, Height: 36, Limit: 3}} {
		sum := func(p *Program) (all [32]byte, n int) {
			f, err := p.Open(t.Context(), path, info, o)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			h := sha256.New()
			for ; ; n++ {
				fr, err := f.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintln(h, fr.PTS, fr.Clock)
				h.Write(fr.Pix)
			}
			return [32]byte(h.Sum(nil)), n
		}
		want, n := sum(p)
		if got, m := sum(piped); got != want || n != m || n == 0 {
			t.Errorf("%+v: %d frames through the pipe, %d of the file, the same bytes: %v", o, m, n, got == want)
		}
	}
	if opened != 3 || closed != opened {
		t.Errorf("opened %d times, closed %d", opened, closed)
	}
}

type closing struct {
	io.ReadCloser
	n *int
}

func (c closing) Close() error { *c.n++; return c.ReadCloser.Close() }

// TestAVideoThatCannotBeReadIsNoBadVideo: the fault of its bytes is told, not what the program made of their end.
func TestAVideoThatCannotBeReadIsNoBadVideo(t *testing.T) {
	p, torn := program(t), errors.New("SYNTHETIC: the disk is gone")
	b, err := os.ReadFile(fixture.Shared(t, "video/osh-first-75.ts"))
	if err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() (io.ReadCloser, error){
		"it ends in a fault": func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(bytes.NewReader(b[:len(b)/2]), iotest.ErrReader(torn))), nil
		},
		"it cannot be opened":  func() (io.ReadCloser, error) { return nil, torn },
		"it begins in a fault": func() (io.ReadCloser, error) { return io.NopCloser(iotest.ErrReader(torn)), nil },
	} {
		piped := p.Reading(open)
		_, err := piped.Drain(t.Context(), "film", Info{Width: 640, Height: 480}, Options{Width: 64, Height: 48})
		if !errors.Is(err, torn) || atalaya.KindOf(err) != atalaya.Failed {
			t.Errorf("%s: %v", name, err)
		}
	}
}
