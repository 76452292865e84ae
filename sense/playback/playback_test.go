package playback_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/Eyevinn/mp4ff/mp4"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/internal/storm"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
	"github.com/atalaya-isr/atalaya/sense/playback"
)

func clip(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(fixture.Shared(t, "video/"+name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// groups reads a transport stream by groups, with the codec of its video.
func groups(t testing.TB, b []byte, origin int64) (out []playback.Group, codec string) {
	t.Helper()
	d := mpegts.NewDemuxer(bytes.NewReader(b))
	d.Take(func(s mpegts.Stream) bool { return s.IsVideo() })
	r := playback.NewReader(d, 0x100, origin)
	for {
		g, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, g)
	}
	for _, s := range d.Streams() {
		if s.PID == 0x100 {
			codec = s.Codec
		}
	}
	return out, codec
}

// decoded lists presentation time and hash of each picture that ffmpeg decodes from b, in the order of presentation.
func decoded(t testing.TB, b []byte) (out []string) {
	t.Helper()
	program, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("ffmpeg is not installed: the pictures are not compared")
	}
	c := exec.Command(program, "-v", "error", "-copyts", "-i", "-", "-map", "0:v:0", "-fps_mode", "passthrough", "-enc_time_base", "1/90000", "-f", "framemd5", "-")
	c.Stdin = bytes.NewReader(b)
	var said, wrong bytes.Buffer
	c.Stdout, c.Stderr = &said, &wrong
	if err := c.Run(); err != nil {
		t.Fatalf("%v: %s", err, wrong.String())
	}
	if wrong.Len() > 0 {
		t.Errorf("the decoder complains: %s", wrong.String())
	}
	for line := range strings.Lines(said.String()) {
		if f := strings.Split(line, ","); len(f) == 6 && line[0] != '#' {
			out = append(out, strings.TrimSpace(f[2])+" "+strings.TrimSpace(f[5]))
		}
	}
	return out
}

// packed is the initialisation segment and the segments of some groups.
func packed(t testing.TB, codec string, from []playback.Group) (*playback.Config, []byte, []*playback.Segment) {
	t.Helper()
	c, err := playback.Configure(codec, from[0].Pictures...)
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.Clone(c.Init)
	var segments []*playback.Segment
	for _, g := range from {
		s, err := c.Segment(g)
		if err != nil {
			t.Fatal(err)
		}
		segments = append(segments, s)
		out = append(out, s.Bytes...)
	}
	return c, out, segments
}

func TestPicturesAndTimesAreThoseOfTheStream(t *testing.T) {
	for _, c := range []struct {
		file, mime string
		pictures   int
	}{
		{"h264_klv.ts", `video/mp4; codecs="avc1.f40015"`, 30},
		{"aphill_short.ts", `video/mp4; codecs="avc1.4d4029"`, 48},
		{"osh-first-75.ts", `video/mp4; codecs="avc1.42c01e"`, 76},
		{"h265_klv.ts", `video/mp4; codecs="hvc1.4.10.L90.9E.8"`, 30},
	} {
		b := clip(t, c.file)
		all, codec := groups(t, b, 0)
		config, file, segments := packed(t, codec, all)
		if config.Type != c.mime {
			t.Errorf("%s: %s, want %s", c.file, config.Type, c.mime)
		}
		want, got := decoded(t, b), decoded(t, file)
		if len(want) != c.pictures || !slices.Equal(got, want) {
			t.Errorf("%s: %d pictures, want %d (%d):\n%v\n%v", c.file, len(got), len(want), c.pictures, got[:min(3, len(got))], want[:min(3, len(want))])
		}
		for i, s := range segments {
			if s.Repaired != 0 || !s.Starts || i > 0 && s.From < segments[i-1].From {
				t.Errorf("%s: segment %d: %+v", c.file, i, s)
			}
		}
	}
}

// A browser that seeks appends the initialisation segment and one segment out of the middle: it decodes alone, at its own time.
func TestASegmentOutOfTheMiddlePlaysAlone(t *testing.T) {
	for _, name := range []string{"aphill_short.ts", "osh-first-75.ts"} {
		b := clip(t, name)
		all, codec := groups(t, b, 0)
		if len(all) < 3 {
			t.Fatalf("%s: %d groups: nothing lies in the middle", name, len(all))
		}
		want := decoded(t, b)
		for i, g := range all[1:] {
			c, _, _ := packed(t, codec, all[:1])
			s, err := c.Segment(g)
			if err != nil {
				t.Fatal(err)
			}
			got := decoded(t, append(bytes.Clone(c.Init), s.Bytes...))
			// Pictures shown before the random access point may refer to what lies before it: they are no part of the comparison.
			clean := slices.DeleteFunc(slices.Clone(got), func(line string) bool { return before(line, g.Pictures[0].PTS) })
			if len(clean) == 0 || !contains(want, clean) {
				t.Errorf("%s: segment %d: %v are no part of the stream's pictures", name, i+1, clean)
			}
		}
	}
}

func before(line string, pts int64) bool {
	n, _ := strconv.ParseInt(strings.Fields(line)[0], 10, 64)
	return n < pts
}

// contains says that part lies within whole, without a gap.
func contains(whole, part []string) bool {
	i := slices.Index(whole, part[0])
	return i >= 0 && i+len(part) <= len(whole) && slices.Equal(whole[i:i+len(part)], part)
}

// What a player reads of the boxes: decoding times that follow each other over segments, durations that sum to them, signed
// offsets, flags of synchronisation, a sample a frame.
func TestBoxesSayWhatAPlayerNeeds(t *testing.T) {
	for _, c := range []struct {
		file                 string
		width, height        int
		samples, syncSamples int
		origin               int64
	}{{"aphill_short.ts", 720, 480, 48, 3, 0}, {"osh-first-75.ts", 640, 480, 76, 8, 195030}} {
		all, codec := groups(t, clip(t, c.file), c.origin)
		_, file, _ := packed(t, codec, all)
		f, err := mp4.DecodeFile(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		trak := f.Init.Moov.Trak
		entry := trak.Mdia.Minf.Stbl.Stsd.AvcX
		if entry.Type() != "avc1" || int(entry.Width) != c.width || int(entry.Height) != c.height || trak.Mdia.Mdhd.Timescale != 90000 {
			t.Errorf("%s: %s %dx%d", c.file, entry.Type(), entry.Width, entry.Height)
		}
		next, n, syncs := uint64(0), 0, 0
		var fragments []*mp4.Fragment
		for _, s := range f.Segments {
			fragments = append(fragments, s.Fragments...)
		}
		for i, s := range fragments {
			samples, err := s.GetFullSamples(f.Init.Moov.Mvex.Trex)
			if err != nil {
				t.Fatal(err)
			}
			first := uint64(all[i].Pictures[0].DTS - c.origin)
			if samples[0].DecodeTime != first || i > 0 && first != next || !mp4.IsSyncSampleFlags(samples[0].Flags) {
				t.Errorf("%s: segment %d begins at %d, want %d; the last one ended at %d", c.file, i, samples[0].DecodeTime, first, next)
			}
			for j, x := range samples {
				u := all[i].Pictures[j]
				if x.DecodeTime != uint64(u.DTS-c.origin) || int64(x.CompositionTimeOffset) != u.PTS-u.DTS {
					t.Errorf("%s: sample %d of segment %d: decoded at %d, offset %d", c.file, j, i, x.DecodeTime, x.CompositionTimeOffset)
				}
				next = x.DecodeTime + uint64(x.Dur)
				if n++; x.IsSync() {
					syncs++
				}
			}
		}
		if n != c.samples || syncs != c.syncSamples {
			t.Errorf("%s: %d samples, %d of them random access points; want %d, %d", c.file, n, syncs, c.samples, c.syncSamples)
		}
	}
}

// startCode begins a unit of a byte stream.
func startCode(nal ...byte) []byte { return append([]byte{0, 0, 0, 1}, nal...) }

func TestChangedParameterSetsAreRefused(t *testing.T) {
	all, codec := groups(t, clip(t, "osh-first-75.ts"), 0)
	c, _, _ := packed(t, codec, all[:1])
	g := all[1]
	g.Pictures = slices.Clone(g.Pictures)
	g.Pictures[0].Data = append(startCode(0x68, 1, 2, 3), g.Pictures[0].Data...)
	if _, err := c.Segment(g); !errors.Is(err, playback.ErrChanged) {
		t.Errorf("a picture parameter set that the configuration lacks: %v", err)
	}
	again, err := playback.Configure(codec, append(slices.Clone(all[0].Pictures), g.Pictures...)...)
	if err != nil || again.ID == c.ID {
		t.Fatalf("configured anew: %v", err)
	}
	if _, err := again.Segment(g); err != nil {
		t.Error(err)
	}
}

func TestWhatCannotBePlayedIsSaid(t *testing.T) {
	if _, err := playback.Configure("mpeg2video"); !errors.Is(err, playback.ErrUnplayable) {
		t.Error(err)
	}
	if _, err := playback.Configure("h264", mpegts.Unit{Data: startCode(0x65, 1, 2, 3)}); !errors.Is(err, playback.ErrNoParameters) {
		t.Error(err)
	}
	all, codec := groups(t, clip(t, "osh-first-75.ts"), 0)
	c, _, _ := packed(t, codec, all[:1])
	early := all[0]
	early.Origin = early.Pictures[0].DTS + 1
	if _, err := c.Segment(early); err == nil {
		t.Error("a picture before the origin has no place on the time line")
	}
	if _, err := c.Segment(playback.Group{}); err == nil {
		t.Error("a group without a picture")
	}
}

func TestPicturesWithoutTimesFollowByTheFrameRate(t *testing.T) {
	all, codec := groups(t, clip(t, "osh-first-75.ts"), 0)
	c, _, _ := packed(t, codec, all[:1])
	g := all[0]
	g.Pictures = slices.Clone(g.Pictures)
	for i := range g.Pictures {
		if i%3 != 0 { // three pictures in each PES
			g.Pictures[i].HasPTS, g.Pictures[i].PTS, g.Pictures[i].DTS = false, 0, 0
		}
	}
	s, err := c.Segment(g)
	if err != nil {
		t.Fatal(err)
	}
	want, err := c.Segment(all[0]) // 30 pictures a second, as its parameter sets say
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(s.Bytes, want.Bytes) || s.Repaired != len(g.Pictures)-(len(g.Pictures)+2)/3 {
		t.Errorf("%d repaired of %d", s.Repaired, len(g.Pictures))
	}
}

func TestALongGroupIsCut(t *testing.T) {
	all, _ := groups(t, clip(t, "osh-first-75.ts"), 0)
	var endless []mpegts.Unit
	for i := range 3000 {
		u := all[0].Pictures[min(i, 1)]
		u.DTS, u.PTS = int64(i)*3000, int64(i)*3000
		endless = append(endless, u)
	}
	r := playback.NewReader(&queue{endless}, 0x100, 0)
	total := 0
	for {
		g, err := r.Next()
		if err != nil {
			break
		}
		if total += len(g.Pictures); len(g.Pictures) > 1200 {
			t.Errorf("a group of %d pictures", len(g.Pictures))
		}
	}
	if total != 3000 {
		t.Errorf("%d pictures of 3000", total)
	}
}

type queue struct{ units []mpegts.Unit }

func (q *queue) Next() (u mpegts.Unit, err error) {
	if len(q.units) == 0 {
		return u, io.EOF
	}
	u, q.units = q.units[0], q.units[1:]
	return u, nil
}

func Example() {
	idr := mpegts.Unit{Kind: mpegts.Pictures, PTS: 90000, DTS: 90000, HasPTS: true, Random: true, Data: slices.Concat(
		startCode(0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xf6, 0x80), startCode(0x68, 0xce, 0x3c, 0x80), startCode(0x65, 0x88, 0x84))}
	config, err := playback.Configure("h264", idr)
	if err != nil {
		fmt.Println(err)
		return
	}
	segment, err := config.Segment(playback.Group{Number: 1, Pictures: []mpegts.Unit{idr}})
	fmt.Println(config.Type, config.Video.Width, config.Video.Height, segment.From, err)
	// Output: video/mp4; codecs="avc1.42c01e" 640 480 90000 <nil>
}

func FuzzSegment(f *testing.F) {
	sps := startCode(0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xf6, 0x80)
	f.Add("h264", slices.Concat(sps, startCode(0x68, 0xce, 0x3c, 0x80), startCode(0x65, 0x88, 0x84)), int64(3000), int64(3000))
	f.Add("h265", slices.Concat(startCode(0x40, 1, 12), startCode(0x42, 1, 1, 1, 0x60, 0, 0, 3, 0), startCode(0x44, 1, 0xc1), startCode(0x26, 1, 0xaf)), int64(0), int64(-5))
	storm.Fuzz(f, func(t testing.TB, codec string, b []byte, pts, dts int64) {
		u := mpegts.Unit{Kind: mpegts.Pictures, Data: b, PTS: pts, DTS: dts, HasPTS: pts&1 == 0, Random: true}
		c, err := playback.Configure(codec, u)
		if err != nil {
			return
		}
		if len(c.Init) > 4096+2*len(b) {
			t.Fatalf("an initialisation segment of %d bytes from %d", len(c.Init), len(b))
		}
		if _, err := mp4.DecodeFile(bytes.NewReader(c.Init)); err != nil && !strings.Contains(err.Error(), "SPS") {
			t.Fatalf("%v", err)
		}
		s, err := c.Segment(playback.Group{Number: 1, Pictures: []mpegts.Unit{u, u}})
		if err != nil {
			return
		}
		if _, err := mp4.DecodeFile(bytes.NewReader(append(bytes.Clone(c.Init), s.Bytes...))); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkSegment(b *testing.B) {
	all, codec := groups(b, clip(b, "osh-first-75.ts"), 0)
	c, err := playback.Configure(codec, all[0].Pictures...)
	if err != nil {
		b.Fatal(err)
	}
	size := 0
	for _, u := range all[0].Pictures {
		size += len(u.Data)
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		if _, err := c.Segment(all[0]); err != nil {
			b.Fatal(err)
		}
	}
}

// A request for a time is answered by the index: the segment read from the middle is the one of the whole file.
func TestASegmentOfAnIndexIsThatOfTheFile(t *testing.T) {
	for _, name := range []string{"aphill_short.ts", "osh-first-75.ts"} {
		b := clip(t, name)
		all, codec := groups(t, b, 0)
		var written bytes.Buffer
		if err := mpegts.WriteIndex(&written, bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
		x, err := mpegts.OpenIndex(bytes.NewReader(written.Bytes()), int64(written.Len()))
		if err != nil {
			t.Fatal(err)
		}
		c, _, _ := packed(t, codec, all[:1])
		for _, g := range all {
			e, ok, err := x.RandomAccess(g.Pictures[0].PTS+100, 0x100)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			d := x.ReadFrom(bytes.NewReader(b), e)
			d.Take(func(s mpegts.Stream) bool { return s.IsVideo() })
			got, err := playback.NewReader(d, 0x100, 0).Next()
			if err != nil {
				t.Fatal(err)
			}
			got.Number = g.Number
			is, err := c.Segment(got)
			if err != nil {
				t.Fatal(err)
			}
			want, err := c.Segment(g)
			if err != nil || !bytes.Equal(is.Bytes, want.Bytes) {
				t.Errorf("%s at %d: %d bytes, want %d; %v", name, g.Pictures[0].PTS, len(is.Bytes), len(want.Bytes), err)
			}
		}
	}
}
