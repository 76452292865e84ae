package ffmpeg

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/atalaya-isr/atalaya"
)

// An Order says how the lines of a picture were sensed.
type Order string

// The orders of fields. Progressive pictures have none.
const (
	Progressive Order = "progressive"
	TopFirst    Order = "top field first"
	BottomFirst Order = "bottom field first"
)

// Info is what the first pictures of a video show. Flags of the stream are not asked: cameras set them wrongly.
type Info struct {
	Width, Height int
	Rate          float64 // pictures a second, by the median step of the presentation times; 0 where there is one picture
	Order         Order   // told from the pixels
	// Top, Bottom, Whole are how many pictures of those looked at spoke for each order.
	Top, Bottom, Whole int
	First              float64 // presentation time of the first picture, seconds
	Duration           float64 // of the file as its container tells or lets guess it, seconds; 0 where it does not
	luma               bool    // the pictures have a plane of luma that can be taken as it is
}

// looked is how many pictures Probe decodes: enough for a vote about the order of fields, few enough to take a fraction of a
// second at 1080 lines.
const looked = 24

// Probe decodes the first pictures of a file and says what they are.
func (p *Program) Probe(ctx context.Context, path string) (Info, error) {
	run := p.start(ctx, path, 0, []string{"-frames:v", strconv.Itoa(looked), "-vf", "idet,showinfo=checksum=0", "-f", "null"}, "-")
	if err := run.begin(nil); err != nil {
		return Info{}, err
	}
	var in Info
	var times []float64
	for stamp := range run.stamps {
		in.Width, in.Height, in.luma = stamp.width, stamp.height, stamp.luma
		times = append(times, stamp.seconds())
	}
	if err := run.end(); err != nil {
		return Info{}, err
	}
	if len(times) == 0 {
		return Info{}, &atalaya.Error{Op: "ffmpeg.probe", File: path, Kind: atalaya.BadInput, Err: errors.New("no picture could be decoded"), Hint: "Give a video that ffmpeg can play"}
	}
	in.First, in.Rate, in.Duration = times[0], rate(times), run.log.duration
	in.Top, in.Bottom, in.Whole = run.log.top, run.log.bottom, run.log.whole
	in.Order = order(in.Top, in.Bottom, in.Whole)
	return in, nil
}

// order is the vote of the pictures: interlaced when more of them comb than do not.
func order(top, bottom, whole int) Order {
	switch {
	case top+bottom <= whole:
		return Progressive
	case top > bottom:
		return TopFirst
	}
	return BottomFirst
}

// rate is one over the median step between neighbours in time.
func rate(times []float64) float64 {
	t := slices.Sorted(slices.Values(times))
	steps := make([]float64, 0, len(t))
	for i := 1; i < len(t); i++ {
		if d := t[i] - t[i-1]; d > 0 {
			steps = append(steps, d)
		}
	}
	if len(steps) == 0 {
		return 0
	}
	slices.Sort(steps)
	return 1 / steps[len(steps)/2]
}

// votes reads the line in which the idet filter sums up: "Multi frame detection: TFF:     8 BFF:    40 Progressive:     0 ...".
func votes(line string) (top, bottom, whole int, ok bool) {
	_, rest, found := strings.Cut(line, "Multi frame detection:")
	if !found {
		return 0, 0, 0, false
	}
	f := strings.Fields(strings.ReplaceAll(rest, ":", " "))
	for i := 0; i+1 < len(f); i += 2 {
		n, err := strconv.Atoi(f[i+1])
		if err != nil {
			return 0, 0, 0, false
		}
		switch f[i] {
		case "TFF":
			top = n
		case "BFF":
			bottom = n
		case "Progressive":
			whole = n
		}
	}
	return top, bottom, whole, true
}

// lasts reads the line in which the program tells how long a file is: "  Duration: 00:00:09.20, start: 2.167000, bitrate: 519 kb/s".
func lasts(line string) (float64, bool) {
	_, rest, found := strings.Cut(line, "Duration: ")
	if !found {
		return 0, false
	}
	var h, m int
	var s float64
	n, _ := fmt.Sscanf(rest, "%d:%d:%f,", &h, &m, &s)
	return float64(h)*3600 + float64(m)*60 + s, n == 3 && h >= 0 && m >= 0 && s >= 0
}
