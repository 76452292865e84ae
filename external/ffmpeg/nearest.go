package ffmpeg

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya"
)

// leads are how long before a wanted time, seconds, decoding begins: where the first picture that then comes is already past the time,
// for the pictures between two random access points last longer, the next is tried. 0 is from the start of the file.
var leads = [...]float64{4, 20, 120, 0}

// onwards is how far the next wanted time may lie, seconds, for decoding to go on to it instead of beginning anew.
const onwards = 6.0

// Nearest gives, for each of the times (presentation times in seconds, ascending), the frame whose own time is nearest, to take, with
// the number of the time; of two equally near the earlier one. The frame's bytes are valid during the call. Between times that lie
// far apart nothing is decoded. A time beyond the last frame gets the last frame: how far off that is, its own time tells.
func (p *Program) Nearest(ctx context.Context, path string, info Info, o Options, at []float64, take func(n int, f Frame) error) error {
	if !slices.IsSorted(at) {
		return errors.New("ffmpeg: times that do not ascend")
	}
	for n := 0; n < len(at); {
		done := n
		for _, lead := range leads {
			from := at[n] - lead
			if lead == 0 || from <= info.First {
				from = 0
			}
			o.From = from
			k, late, err := p.nearestFrom(ctx, path, info, o, at[n:], func(k int, f Frame) error { return take(n+k, f) })
			if err != nil && !(late && from > 0) {
				return err
			}
			if !late || from == 0 {
				done = n + k
				break
			}
		}
		if done == n { // the file holds no picture at all
			return &atalaya.Error{Op: "ffmpeg.nearest", File: path, Kind: atalaya.BadInput, Err: errors.New("no picture could be decoded"), Hint: "Give a video that ffmpeg can play"}
		}
		n = done
	}
	return nil
}

// nearestFrom goes through the frames once and takes those nearest to times, until the next time lies too far ahead. done is how many
// times were served. late says that the first frame already lies past the first time: it may not be the nearest, and nothing was
// taken.
func (p *Program) nearestFrom(ctx context.Context, path string, info Info, o Options, at []float64, take func(k int, f Frame) error) (done int, late bool, err error) {
	frames, err := p.Open(ctx, path, info, o)
	if err != nil {
		return 0, false, err
	}
	defer frames.Close()
	var before Frame
	has := false
	serve := func(now *Frame) error { // all times that lie before now, or, after the last frame, all
		for done < len(at) && (now == nil || at[done] <= now.Seconds()) {
			f := &before
			if now != nil && (!has || now.Seconds()-at[done] < at[done]-before.Seconds()) {
				f = now
			}
			if err := take(done, *f); err != nil {
				return err
			}
			done++
		}
		return nil
	}
	for {
		f, err := frames.Next()
		if errors.Is(err, io.EOF) {
			if !has {
				return 0, o.From > 0, nil
			}
			return len(at), false, serve(nil)
		}
		if err != nil {
			return done, !has, err
		}
		if !has && o.From > 0 && f.Seconds() > at[0] {
			return 0, true, nil
		}
		if err := serve(&f); err != nil || done == len(at) {
			return done, false, err
		}
		if done > 0 && at[done]-f.Seconds() > onwards {
			return done, false, nil
		}
		if !has || f.Seconds() > before.Seconds() {
			before.Pix = append(before.Pix[:0], f.Pix...)
			before.Width, before.Height, before.PTS, before.Clock, has = f.Width, f.Height, f.PTS, f.Clock, true
		}
	}
}

// Between gives the frames whose times lie from and to, seconds, both included, in the order of presentation, to see. The frame's
// bytes are valid during the call. It decodes from a random access point before from on.
func (p *Program) Between(ctx context.Context, path string, info Info, o Options, from, to float64, see func(f Frame) error) error {
	for _, lead := range leads {
		if o.From = from - lead; lead == 0 || o.From <= info.First {
			o.From = 0
		}
		late, err := p.between(ctx, path, info, o, from, to, see)
		if err != nil && !(late && o.From > 0) {
			return err
		}
		if !late || o.From == 0 {
			return nil
		}
	}
	return nil
}

// between goes through the frames once. late says that the first of them already lies past from, and that none was seen.
func (p *Program) between(ctx context.Context, path string, info Info, o Options, from, to float64, see func(f Frame) error) (late bool, err error) {
	frames, err := p.Open(ctx, path, info, o)
	if err != nil {
		return false, err
	}
	defer frames.Close()
	last := math.Inf(-1)
	for first := true; ; first = false {
		f, err := frames.Next()
		switch {
		case errors.Is(err, io.EOF):
			return first, nil
		case err != nil:
			return first, err
		case first && o.From > 0 && f.Seconds() > from:
			return true, nil
		case f.Seconds() > to:
			return false, nil
		}
		if pts := f.Seconds(); pts >= from && pts > last {
			last = pts
			if err := see(f); err != nil {
				return false, err
			}
		}
	}
}
