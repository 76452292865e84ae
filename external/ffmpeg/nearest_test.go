package ffmpeg

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/fixture"
)

// TestNearestIsTheNearest: of all frames, whether decoding began at the start or on the way, with the same bytes.
func TestNearestIsTheNearest(t *testing.T) {
	p := program(t)
	for _, name := range []string{"osh-first-75.ts", "aphill_short.ts", "mpeg2_klv.ts", "h265_klv.ts"} {
		path := fixture.Shared(t, "video/"+name)
		info, err := p.Probe(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		o := Options{Order: info.Order, Colour: true}
		f, err := p.Open(t.Context(), path, info, o)
		if err != nil {
			t.Fatal(err)
		}
		frames := all(t, f)
		if n := len(frames[0].Pix); n != 3*info.Width*info.Height {
			t.Fatalf("%s: %d bytes a frame of %d x %d", name, n, info.Width, info.Height)
		}
		first, last := frames[0].Seconds(), frames[len(frames)-1].Seconds()
		step := frames[1].Seconds() - first
		at := []float64{first - 1, first, first + 0.4*step, first + 0.6*step, (first + last) / 2, last - 0.2*step, last, last + 3}
		got := 0
		err = p.Nearest(t.Context(), path, info, o, at, func(n int, f Frame) error {
			want := slices.MinFunc(frames, func(a, b Frame) int {
				return int(math.Copysign(1, math.Abs(a.Seconds()-at[n])-math.Abs(b.Seconds()-at[n])))
			})
			if n != got || f.PTS != want.PTS || !bytes.Equal(f.Pix, want.Pix) {
				t.Errorf("%s: time %d, %.4f s: frame at %.4f s, want %.4f; the same bytes: %v", name, n, at[n], f.Seconds(), want.Seconds(), bytes.Equal(f.Pix, want.Pix))
			}
			got++
			return nil
		})
		if err != nil || got != len(at) {
			t.Errorf("%s: %d of %d times: %v", name, got, len(at), err)
		}
		if err := p.Nearest(t.Context(), path, info, o, []float64{2, 1}, nil); err == nil {
			t.Error("times that fall are taken")
		}
	}
}

// TestBeginningOnTheWay: what is decoded from a random access point on is what is decoded from the start.
func TestBeginningOnTheWay(t *testing.T) {
	p := program(t)
	path := fixture.Shared(t, "video/osh-first-75.ts")
	info, err := p.Probe(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	open := func(from float64) []Frame {
		f, err := p.Open(t.Context(), path, info, Options{Width: 160, Height: 120, Colour: true, From: from})
		if err != nil {
			t.Fatal(err)
		}
		return all(t, f)
	}
	whole, part := open(0), open(3.9)
	if len(part) == 0 || len(part) >= len(whole) {
		t.Fatalf("%d frames from 3.9 s on, %d in all", len(part), len(whole))
	}
	rest := whole[len(whole)-len(part):]
	for i := range part {
		if part[i].PTS != rest[i].PTS || !bytes.Equal(part[i].Pix, rest[i].Pix) {
			t.Fatalf("frame %d of those on the way: time %d, want %d; the same bytes: %v", i, part[i].PTS, rest[i].PTS, bytes.Equal(part[i].Pix, rest[i].Pix))
		}
	}
	var between []int64
	err = p.Between(t.Context(), path, info, Options{Width: 64, Height: 64}, 3, 3.5, func(f Frame) error {
		between = append(between, f.PTS)
		return nil
	})
	var want []int64
	for _, f := range whole {
		if f.Seconds() >= 3 && f.Seconds() <= 3.5 {
			want = append(want, f.PTS)
		}
	}
	if err != nil || !slices.Equal(between, want) || len(want) < 10 {
		t.Errorf("between 3 and 3.5 s: %v %v, want %v", between, err, want)
	}
}
