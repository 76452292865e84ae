package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/app"
)

// videoMovers are the flags of video movers.
type videoMovers struct {
	json, quiet     bool
	size, vmti      string
	every, baseline int
}

func videoMoversCommand() *cobra.Command {
	var f videoMovers
	c := &cobra.Command{
		Use:   "movers FILE",
		Short: "What moves over the ground: tracks in pixels and, where metadata tell, in places and speeds",
		Long: `What moves over the ground in a video: boxes in pixels, joined to tracks, with places and speeds where the metadata
tell where the camera looked. Pixels are decoded by the ffmpeg program, which must be installed. Nothing is named and
nobody is recognised.`,
		Example: `  atalaya video movers flight.ts
  atalaya video movers flight.ts --json --every 2
  atalaya video movers flight.ts --vmti marked.ts
  atalaya video movers flight.ts --size 1280x720 --json | jq '.tracks[] | {id, n: (.points | length)}'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	c.Flags().BoolVar(&f.json, "json", false, "print one JSON document, atalaya.movers/1")
	c.Flags().BoolVar(&f.quiet, "quiet", false, "no progress")
	c.Flags().StringVar(&f.size, "size", "", "size of the frames worked on, as 960x540, the width a multiple of 8 (default: that of the video, at most as many pixels)")
	c.Flags().StringVar(&f.vmti, "vmti", "", "also write a copy of the transport stream with the tracks in it, as a stream of MISB ST 0903 sets")
	c.Flags().IntVar(&f.every, "every", 1, "look at one frame of so many")
	c.Flags().IntVar(&f.baseline, "baseline", 0, "frames between those that are compared, 2 to 30 (default: 0.5 s, at most 15)")
	return c
}

var sizeForm = regexp.MustCompile(`^([1-9][0-9]{1,3})x([1-9][0-9]{1,3})$`)

func (f *videoMovers) options() (app.MoverOptions, error) {
	o := app.MoverOptions{Every: f.every, Baseline: f.baseline}
	bad := func(what, hint string) (app.MoverOptions, error) {
		return o, &atalaya.Error{Op: "video.movers", Kind: atalaya.BadUse, Err: errors.New(what), Hint: hint}
	}
	if f.every < 1 || f.every > 100 {
		return bad(fmt.Sprintf("--every %d", f.every), "Give 1 to 100")
	}
	if f.baseline != 0 && (f.baseline < 2 || f.baseline > 30) {
		return bad(fmt.Sprintf("--baseline %d", f.baseline), "Give 2 to 30")
	}
	if f.size != "" {
		m := sizeForm.FindStringSubmatch(f.size)
		if m == nil {
			return bad(fmt.Sprintf("--size %q", f.size), "Give width and height, as 960x540")
		}
		o.Width, _ = strconv.Atoi(m[1]) // digits, by the form
		o.Height, _ = strconv.Atoi(m[2])
		if o.Width%8 != 0 || o.Width < 64 || o.Height < 64 {
			return bad(fmt.Sprintf("--size %q", f.size), "Give at least 64x64, the width a multiple of 8")
		}
	}
	return o, nil
}

func (f *videoMovers) run(cmd *cobra.Command, path string) error {
	o, err := f.options()
	if err != nil {
		return err
	}
	if f.vmti != "" {
		if err := app.CanMark(path); err != nil {
			return err
		}
		if sameFile(path, f.vmti) {
			return &atalaya.Error{Op: "video.movers", File: f.vmti, Kind: atalaya.BadUse, Err: errors.New("--vmti names the video itself"), Hint: "Name another file"}
		}
	}
	shown := newProgress(cmd.ErrOrStderr(), f.quiet)
	defer shown.end()
	o.Done = func(frames int, pts float64) { shown.say(fmt.Sprintf("%s: %d frames, %.1f s", path, frames, pts)) }
	m, err := app.FindMovers(cmd.Context(), path, o)
	if err != nil {
		return err
	}
	if f.vmti != "" {
		shown.say(path + ": writing " + f.vmti)
		if err := writeMarked(cmd.Context(), path, f.vmti, m); err != nil {
			return err
		}
	}
	if f.json {
		err = printJSON(cmd.OutOrStdout(), m)
	} else {
		err = moversTable(cmd.OutOrStdout(), m)
	}
	for _, p := range m.Problems {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", path, p.What)
	}
	return err
}

func sameFile(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

// writeMarked writes the copy with the tracks aside and puts it in its place when it is whole.
func writeMarked(ctx context.Context, path, to string, m *app.Movers) (err error) {
	t, err := os.CreateTemp(filepath.Dir(to), ".marked-*")
	if err != nil {
		return &atalaya.Error{Op: "video.movers", File: to, Kind: atalaya.BadUse, Err: errors.Unwrap(err), Hint: "Name a file in a folder that can be written"}
	}
	defer func() {
		if err != nil {
			os.Remove(t.Name())
		}
	}()
	out := bufio.NewWriterSize(t, 1<<20)
	done, remarks, err := app.MarkVideo(ctx, path, m, version, out)
	if err = errors.Join(err, out.Flush(), t.Chmod(0o644), t.Close()); err != nil {
		return err
	}
	m.VMTI, m.Problems = &done, append(m.Problems, remarks...)
	return os.Rename(t.Name(), to)
}

func moversTable(out io.Writer, m *app.Movers) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	if len(m.Tracks) > 0 {
		fmt.Fprintln(w, "track\tfrom\tto\tbox\tat the end\tspeed\tlat\tlon\t")
	}
	for _, t := range m.Tracks {
		first, last := &t.Points[0], &t.Points[len(t.Points)-1]
		speed, lat, lon := "-", "-", "-"
		if last.Lat != nil {
			lat, lon = fmt.Sprintf("%.5f", *last.Lat), fmt.Sprintf("%.5f", *last.Lon)
			speed = fmt.Sprintf("%.1f ± %.1f m/s", *last.Speed, *last.SpeedSigma)
		}
		fmt.Fprintf(w, "%d\t%.2f s\t%.2f s\t%.0f x %.0f px\t%.0f, %.0f px\t%s\t%s\t%s\t\n", t.ID, first.PTS, last.PTS, last.W, last.H, last.X, last.Y, speed, lat, lon)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, moversSummary(m)); err != nil || m.VMTI == nil {
		return err
	}
	_, err := fmt.Fprintf(out, "written on PID 0x%x: %d targets in %d frames, %d with a place\n", m.VMTI.PID, m.VMTI.Targets, m.VMTI.Packets, m.VMTI.Placed)
	return err
}

// moversSummary says how much was looked at and how well.
func moversSummary(m *app.Movers) string {
	lost, sum, n := 0, 0.0, 0
	slowest, known := 0.0, false
	for i, f := range m.Frames {
		if !f.Locked {
			if i > 0 {
				lost++
			}
			continue
		}
		sum += f.Residual * f.Residual
		n++
		if f.SlowMPS != nil {
			slowest, known = max(slowest, *f.SlowMPS), true
		}
	}
	s := fmt.Sprintf("%d tracks in %d frames of %d x %d, %s", len(m.Tracks), len(m.Frames), m.Width, m.Height, m.Fields)
	if n > 0 {
		s += fmt.Sprintf("; registered to %.2f px", math.Sqrt(sum/float64(n)))
	}
	if lost > 0 {
		s += fmt.Sprintf("; %d cuts", lost)
	}
	if known {
		s += fmt.Sprintf("; registration tells speeds from %.2f m/s on", slowest)
	}
	return s
}
