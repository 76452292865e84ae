package movertest

import (
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya/detect/mover"
)

func sumSorted(x []float64) (sum float64) {
	slices.Sort(x)
	for _, v := range x {
		sum += v
	}
	return sum
}

// A Result is what was found in a film, beside its truth.
type Result struct {
	Score
	Tracks []mover.Track
	Facts  []mover.Frame
	Truth  [][]Box
	Found  [][]Box
	// Residual is the root mean square distance, px, between where the registration and where the truth puts the points of a
	// grid of the frame that both frames show, over five frames; Worst is the largest of a frame. LockLosses counts frames that were not locked.
	Residual, Worst float64
	WorstAt         int
	LockLosses      int
}

// Run renders a film, looks for what moves in it, and scores that.
func Run(s Scene, change func(*mover.Options)) (Result, error) {
	f := New(s)
	var out Result
	o := mover.Options{Width: s.Width, Height: s.Height, Rate: s.Rate, Seed: 1,
		OnTrack: func(t mover.Track) { out.Tracks = append(out.Tracks, t) },
		OnFrame: func(fr mover.Frame) { out.Facts = append(out.Facts, fr) }}
	if change != nil {
		change(&o)
	}
	find, err := mover.New(o)
	if err != nil {
		return out, err
	}
	pix := make([]byte, s.Width*s.Height)
	for n := range s.Frames {
		out.Truth = append(out.Truth, f.Render(n, pix))
		if err := find.Add(pix, float64(n)/s.Rate); err != nil {
			return out, err
		}
	}
	find.End()
	out.Found = Boxes(out.Tracks, s.Frames, s.Rate, 0)
	out.Score = Compare(out.Truth, out.Found)
	out.registration(f)
	return out, nil
}

// Boxes sorts the points of tracks by frame; the first frame is at the time from.
func Boxes(tracks []mover.Track, frames int, rate, from float64) [][]Box {
	out := make([][]Box, frames)
	for _, t := range tracks {
		for _, p := range t.Points {
			if n := int(math.Round((p.PTS - from) * rate)); n >= 0 && n < frames {
				out[n] = append(out[n], Box{ID: t.ID, X: p.X, Y: p.Y, W: p.W, H: p.H})
			}
		}
	}
	return out
}

// registration compares the motions of the frames with the true ones, over five frames.
func (r *Result) registration(f *Film) {
	const baseline = 5
	sum, n := 0.0, 0
	for i := 1; i < len(r.Facts); i++ {
		if !r.Facts[i].Locked {
			r.LockLosses++
		}
	}
	for i := baseline; i < len(r.Facts); i++ {
		m := mover.Identity
		locked := true
		for k := i; k > i-baseline; k-- {
			m = r.Facts[k].Motion.Times(&m)
			locked = locked && r.Facts[k].Locked
		}
		if !locked {
			continue
		}
		want := f.Motion(i, i-baseline)
		frame, seen := 0.0, 0
		const grid = 12
		for k := range grid * grid {
			x, y := (float64(k%grid)+0.5)/grid*float64(f.Width), (float64(k/grid)+0.5)/grid*float64(f.Height)
			a, b := m.At(x, y)
			c, d := want.At(x, y)
			if c >= 0 && d >= 0 && c < float64(f.Width) && d < float64(f.Height) {
				frame += (a-c)*(a-c) + (b-d)*(b-d)
				seen++
			}
		}
		if seen == 0 {
			continue
		}
		frame /= float64(seen)
		if e := math.Sqrt(frame); e > r.Worst {
			r.Worst, r.WorstAt = e, i
		}
		sum, n = sum+frame, n+1
	}
	r.Residual = math.Sqrt(sum / float64(max(n, 1)))
}
