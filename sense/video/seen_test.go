package video_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// passing is a stream of packets at 2 Hz of a sensor 1000 m above ground that flies north at 50 m/s for a minute and looks straight
// down: the picture, 10 by 8 degrees, covers 175 m across and 140 m along. Beside it VMTI sets that say the frame's size.
func passing(t testing.TB) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := mpegts.NewProgram(&file, mpegts.Output{PID: 0x101, StreamType: 0x06})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 121 {
		s := float64(i) / 2
		vmti, err := klv.ST0903.EncodeItems(klv.Integer(4, 6), klv.Integer(8, 1280), klv.Integer(9, 1024))
		if err != nil {
			t.Fatal(err)
		}
		at := geodesy.Destination(geodesy.LatLon{Lat: 24.8, Lon: -107.4}, 0, 50*s)
		b := packet(t, s, klv.TextOf(11, "EO"), klv.Number(5, 0), klv.Number(6, 0), klv.Number(7, 0), klv.Number(13, at.Lat), klv.Number(14, at.Lon),
			klv.Number(75, 1050), klv.Number(78, 50), klv.Number(16, 10), klv.Number(17, 8), klv.Number(18, 0), klv.Number(19, -90), klv.Number(20, 0), klv.RawBytes(74, vmti))
		if err := w.WriteKLV(int64(90000*(10+s)), b); err != nil {
			t.Fatal(err)
		}
	}
	return file.Bytes()
}

func TestWhenAPlaceWasShown(t *testing.T) {
	file := passing(t)
	along := func(m, east float64) geodesy.LatLon {
		return geodesy.Destination(geodesy.Destination(geodesy.LatLon{Lat: 24.8, Lon: -107.4}, 0, m), 90, east)
	}
	for name, c := range map[string]struct {
		q        video.Question
		from, to float64 // seconds after the start; both 0 for never
		slant    float64
	}{
		// tan 4° of 1000 m is 69.93 m: from 1000-69.9 m to 1000+69.9 m, at packets each 25 m
		"a point on the way":  {video.Question{At: along(1000, 0)}, 19, 21, 1000},
		"a point at the edge": {video.Question{At: along(1000, 80)}, 19, 21, 1003.2},
		"beside the way":      {video.Question{At: along(1000, 90)}, 0, 0, 0},
		// 32.5 m from its middle the picture's edge cuts a chord of 23.3 m to either side: within 93.2 m along the way
		"a disc that reaches in":      {video.Question{At: along(1000, 120), RadiusM: 40}, 18.5, 21.5, 1007.2},
		"a disc larger than pictures": {video.Question{At: along(1000, 0), RadiusM: 500}, 9, 31, 1000},
		"with a time":                 {video.Question{At: along(1000, 0), From: start.Add(20 * time.Second)}, 20, 21, 1000},
		"up to a time":                {video.Question{At: along(1000, 0), To: start.Add(19500 * time.Millisecond)}, 19, 19.5, 1000.3},
		"at another time":             {video.Question{At: along(1000, 0), From: start.Add(40 * time.Second)}, 0, 0, 0},
		"elsewhere":                   {video.Question{At: geodesy.LatLon{Lat: -24.8, Lon: 72.6}}, 0, 0, 0},
	} {
		a, err := video.Ask(bytes.NewReader(file), video.DefaultSigmas, c.q)
		if err != nil {
			t.Fatal(err)
		}
		if a.Packets != 121 || a.Looked != 121 || a.Sensor != "EO" || a.Frame != (video.Size{Width: 1280, Height: 1024}) || len(a.Problems) > 0 {
			t.Fatalf("%s: %+v", name, a)
		}
		if c.to == 0 {
			if len(a.Intervals) != 0 {
				t.Errorf("%s: %+v", name, a.Intervals)
			}
			continue
		}
		if len(a.Intervals) != 1 {
			t.Errorf("%s: %d intervals", name, len(a.Intervals))
			continue
		}
		i := a.Intervals[0]
		if f, g := i.From.Time.Sub(start).Seconds(), i.To.Time.Sub(start).Seconds(); f != c.from || g != c.to || i.From.PTS != 10+c.from || i.To.PTS != 10+c.to || i.Packets != int(2*(g-f))+1 {
			t.Errorf("%s: from %g to %g s, %d packets; want %g to %g", name, f, g, i.Packets, c.from, c.to)
		}
		// 175 m over 1280 px and 140 m over 1024 px: 0.137 m
		if math.Abs(i.SlantM[0]-c.slant) > 0.5 || i.SlantM[1] < i.SlantM[0] || math.Abs(i.Best.GSDM-0.137) > 0.002 || i.GSDM[0] != i.Best.GSDM {
			t.Errorf("%s: slant range %.1f to %.1f m, want %.1f; ground sample %.4f m", name, i.SlantM[0], i.SlantM[1], c.slant, i.Best.GSDM)
		}
	}
}

// What a look shows is what lies within the corners of its picture, whichever of the two ways is taken to tell.
func TestALookSeesWhatLiesWithinItsCorners(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 8))
	l := seen(t, packet(t, 0, looking(35)...))[0]
	bare := l
	bare.HasAxis = false
	ring := packet(t, 0, append(looking(35)[:1], klv.Number(82, l.Corners[0].Lat), klv.Number(83, l.Corners[0].Lon), klv.Number(84, l.Corners[1].Lat), klv.Number(85, l.Corners[1].Lon),
		klv.Number(86, l.Corners[2].Lat), klv.Number(87, l.Corners[2].Lon), klv.Number(88, l.Corners[3].Lat), klv.Number(89, l.Corners[3].Lon))...)
	corners := seen(t, ring)[0]
	if corners.Blind() == "" || corners.How != "full" {
		t.Fatalf("a look of corners alone: %q, %q", corners.Blind(), corners.How)
	}
	in, differ := 0, 0
	for range 2000 {
		p := geodesy.Destination(l.Ray.LatLon(), 360*rng.Float64(), 400*rng.Float64())
		a, ok := l.Sees(p, 0, video.Size{Width: 1000, Height: 800})
		b, bok := corners.Sees(p, 0, video.Size{Width: 1000, Height: 800})
		if ok {
			in++
			if !a.HasXY || a.X < 0 || a.X > 1 || a.Y < 0 || a.Y > 1 || a.SlantM < 1000 || a.GSDM <= 0 {
				t.Fatalf("%+v", a)
			}
		}
		if bok && (b.HasXY || b.GSDM != 0 || b.SlantM != 0) {
			t.Fatalf("corners alone tell %+v", b)
		}
		if ok != bok {
			differ++
		}
	}
	// the corners' items are rounded to 5 mm: of 2000 places within 400 m none should lie that near to an edge, one may
	if in < 200 || differ > 1 {
		t.Errorf("%d of 2000 places in the picture, %d of which the two ways differ", in, differ)
	}
}

// From 1000 m the horizon lies 113 km away: nothing beyond it is seen, though the picture's frustum covers it.
func TestNothingIsSeenBeyondTheHorizon(t *testing.T) {
	l := seen(t, packet(t, 0, looking(2)...))[0]
	for _, c := range []struct {
		metres float64
		want   bool
	}{{20e3, true}, {60e3, true}, {100e3, true}, {130e3, false}, {200e3, false}} {
		p := geodesy.Destination(l.Sensor.LatLon(), 0, c.metres)
		if _, ok := l.Sees(p, 0, video.Size{}); ok != c.want {
			t.Errorf("a place %g km away: seen %v", c.metres/1000, ok)
		}
	}
}
