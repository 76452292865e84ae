package mpegts_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

func cut(t testing.TB, b []byte, from, to int64) ([]byte, mpegts.Clip) {
	t.Helper()
	x, _ := indexOf(t, b)
	var out bytes.Buffer
	c, err := x.Cut(&out, bytes.NewReader(b), from, to)
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), c
}

// A clip has the pictures from a random access point at or before its beginning up to the last that is decoded by its end, the
// metadata of that time whole, tables first, and counters that run on.
func TestAClipHoldsWhatIsShownBetweenTwoTimes(t *testing.T) {
	streams := map[string][]byte{"long": long(t, 400), "other strides": nil}
	for _, name := range []string{"h264_klv.ts", "aphill_short.ts", "osh-first-75.ts"} {
		streams[name] = clip(t, name)
	}
	for p := streams["long"]; len(p) > 0; p = p[188:] {
		streams["other strides"] = append(append(streams["other strides"], 1, 2, 3, 4), p[:188]...)
	}
	chance := rand.New(rand.NewPCG(1, 2))
	for name, b := range streams {
		units, _ := all(t, b)
		shown := pictures(units)
		first, last := shown[0].PTS, shown[len(shown)-1].PTS
		for range 12 {
			from := first + chance.Int64N(last-first)
			to := from + chance.Int64N(last-from+1)
			file, c := cut(t, b, from, to)
			start := 0
			for i, u := range shown {
				if u.Random && u.PTS <= from {
					start = i
				}
			}
			end := len(shown)
			for i := len(shown) - 1; i >= start && shown[i].DTS > to; i-- {
				end = i
			}
			var wants []unit
			wants = append(wants, shown[start:end]...)
			var metadata []unit
			for _, u := range units {
				inside := u.PTS >= shown[start].PTS && u.PTS <= to
				if !u.HasPTS { // of the time that its bytes were sent
					inside = u.Offset >= shown[start].Offset && (end == len(shown) || u.Offset < shown[end].Offset)
				}
				if u.Kind == mpegts.Metadata && inside {
					metadata = append(metadata, u)
				}
			}
			events, got, d := watched(t, file, mpegts.Lost, mpegts.PESLength, mpegts.ClockJumped, mpegts.TableBroken)
			if len(events) != 0 || problems(d) != "[]" {
				t.Errorf("%s from %d to %d: %+v %s", name, from, to, events, problems(d))
			}
			var gotMetadata []unit
			for _, u := range got {
				if u.Kind == mpegts.Metadata {
					gotMetadata = append(gotMetadata, u)
				}
			}
			if !equal(pictures(got), wants) || !equal(gotMetadata, metadata) {
				t.Fatalf("%s from %d to %d: %d pictures and %d units of metadata, want %d and %d", name, from, to, len(pictures(got)), len(gotMetadata), len(wants), len(metadata))
			}
			if c.From != shown[start].PTS || c.Pictures != int64(len(wants)) || c.Metadata != int64(len(metadata)) || c.Packets*188 != int64(len(file)) {
				t.Errorf("%s: %+v", name, c)
			}
			if pat, pmt := file[1]&0x1f == 0 && file[2] == 0, onPID(0x1000)(file[188:376]); !pat || !pmt {
				t.Errorf("%s: the tables do not come first: % x, % x", name, file[:4], file[188:192])
			}
		}
	}
}

// equal compares bytes and times. Time stamps may be read on another turn of the wrap in a clip.
func equal(a, b []unit) bool {
	const wrap = 1 << 33
	return slices.EqualFunc(a, b, func(a, b unit) bool {
		return a.data == b.data && (a.PTS-b.PTS)%wrap == 0 && a.PID == b.PID && a.Random == b.Random && a.HasPTS == b.HasPTS
	})
}

func TestAnotherProgramReadsAClip(t *testing.T) {
	for _, name := range []string{"aphill_short.ts", "osh-first-75.ts", "h264_klv.ts"} {
		b := clip(t, name)
		units, _ := all(t, b)
		shown := pictures(units)
		file, c := cut(t, b, shown[len(shown)/2].PTS, shown[len(shown)*3/4].PTS)
		var want []probed
		for _, p := range ffprobe(t, b, "v") {
			if p.pos >= 0 && slices.ContainsFunc(shown, func(u unit) bool { return u.PTS == p.pts && u.PTS >= c.From || u.DTS >= c.From && u.PTS == p.pts }) {
				want = append(want, p)
			}
		}
		got := ffprobe(t, file, "v")
		if name == "aphill_short.ts" {
			got = slices.DeleteFunc(got, func(p probed) bool { return !slices.ContainsFunc(want, func(w probed) bool { return w.pts == p.pts }) })
		}
		if len(got) == 0 || int64(len(got)) != c.Pictures {
			t.Errorf("%s: %d packets, want %d", name, len(got), c.Pictures)
		}
		for i, p := range got {
			if p.pts != want[i].pts || p.dts != want[i].dts || p.key != want[i].key {
				t.Errorf("%s: packet %d: %+v, want %+v", name, i, p, want[i])
			}
		}
		if klv := ffprobe(t, file, "d"); int64(len(klv)) != c.Metadata {
			t.Errorf("%s: %d packets of metadata, want %d", name, len(klv), c.Metadata)
		}
		// at the ends of a clip pictures may lack one that they refer to, or one shown between them
		if a, b := hashes(t, b), hashes(t, file); len(b) < 6 || !containsRun(a, b[len(b)/2-2:len(b)/2+3]) {
			t.Errorf("%s: the pictures decode otherwise", name)
		}
	}
}

func containsRun(whole, part []string) bool {
	for i := 0; i+len(part) <= len(whole); i++ {
		if slices.Equal(whole[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

func TestAClipOfNothingIsRefused(t *testing.T) {
	b := long(t, 60)
	x, _ := indexOf(t, b)
	for _, c := range [][2]int64{{100, 50}, {-1 << 40, -1 << 39}} {
		var out bytes.Buffer
		if _, err := x.Cut(&out, bytes.NewReader(b), c[0], c[1]); err == nil || out.Len() > 0 {
			t.Errorf("from %d to %d: %v, %d bytes", c[0], c[1], err, out.Len())
		}
	}
	if _, err := x.Cut(&bytes.Buffer{}, bytes.NewReader(b), -1<<40, -1<<39); !errors.Is(err, mpegts.ErrNothing) {
		t.Error(err)
	}
}

func TestAClipOfMetadataAlone(t *testing.T) {
	file, c := cut(t, written(t, 50, 400, 180000), 180000+3000*10, 180000+3000*19)
	units, d := demux(t, file)
	if len(units) != 10 || units[0].PTS != 180000+3000*10 || problems(d) != "[]" || c.Metadata != 10 || c.To != 180000+3000*19 {
		t.Errorf("%d units, %+v, %s", len(units), c, problems(d))
	}
}

// A loss in the stream is still to be seen in the clip.
func TestLossStaysLossInAClip(t *testing.T) {
	b := long(t, 60)
	i := lastPacketOf(b, videoPID, 20)
	b = slices.Concat(b[:i], b[i+188:])
	file, _ := cut(t, b, 1<<33-300000+3003*15, 1<<33-300000+3003*25)
	if events, _, _ := watched(t, file, mpegts.Lost); len(events) != 1 {
		t.Errorf("%+v", events)
	}
}

func ExampleIndex_Cut() {
	var recording, index, out bytes.Buffer
	w, _ := mpegts.NewProgram(&recording, mpegts.Output{PID: 0x100, StreamType: 0x1b}, mpegts.Output{PID: 0x101, StreamType: 0x06})
	for i := range 90 { // three seconds, a random access point each half second
		pts := int64(900000 + 3000*i)
		_ = w.WriteUnit(picture(i%15, pts))
		_ = w.WriteUnit(klvUnit(0x101, pts, 100))
	}
	file := bytes.NewReader(recording.Bytes())
	if err := mpegts.WriteIndex(&index, file); err != nil {
		fmt.Println(err)
		return
	}
	x, err := mpegts.OpenIndex(bytes.NewReader(index.Bytes()), int64(index.Len()))
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := x.Cut(&out, file, 900000+3000*20, 900000+3000*40)
	fmt.Println((c.From-900000)/3000, (c.To-900000)/3000, c.Pictures, c.Metadata, err)
	// Output: 15 40 26 26 <nil>
}
