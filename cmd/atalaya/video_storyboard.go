package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/product/still"
)

// videoStoryboard are the flags of video storyboard.
type videoStoryboard struct {
	stillFlags
	every float64
	at    []string
}

func videoStoryboardCommand() *cobra.Command {
	var f videoStoryboard
	c := &cobra.Command{
		Use:   "storyboard FILE",
		Short: "Frames of a video side by side under its marking, with times, places and a map of what they saw",
		Long: `Frames of a video side by side, each with its time, its place and error, above a map of the ground that they saw: hatched
is what none of them looked at. As PNG, SVG, or one HTML page that holds all it shows. The same file and times give the same
bytes. Pixels are decoded by the ffmpeg program, which must be installed.`,
		Example: `  atalaya video storyboard flight.ts --every 30 --out board.png
  atalaya video storyboard flight.ts --at 12.5,14,2026-05-04T12:00:01Z --out board.html --lang es
  atalaya video storyboard flight.ts --every 60 --out board.svg --marking U//SYNTHETIC`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	c.Flags().Float64Var(&f.every, "every", 0, "a frame every so many seconds, from the first on")
	c.Flags().StringSliceVar(&f.at, "at", nil, "the frames at these times: seconds of the stream, or UTC")
	f.add(c, ".png, .svg or .html")
	return c
}

func (f *videoStoryboard) run(cmd *cobra.Command, path string) error {
	if err := f.check(".png", ".svg", ".html"); err != nil {
		return err
	}
	misused := func(hint, format string, args ...any) error {
		return &atalaya.Error{Op: "video.storyboard", Kind: atalaya.BadUse, Hint: hint, Err: fmt.Errorf(format, args...)}
	}
	if every := cmd.Flags().Changed("every"); every == (len(f.at) > 0) {
		return misused("Give --every 30 or --at 12.5,14", "either --every or --at says which frames")
	} else if every && !(f.every >= 0.01 && f.every <= 1e6) {
		return misused("Give 0.01 s or more", "--every %g", f.every)
	}
	if len(f.at) > still.MostPanels {
		return misused(fmt.Sprintf("Give at most %d", still.MostPanels), "%d times", len(f.at))
	}
	o := app.StoryboardOptions{EveryS: f.every, Form: still.Form(strings.ToLower(strings.TrimPrefix(filepath.Ext(f.out), ".")))}
	for _, s := range f.at {
		w, err := app.ParseWhen(s)
		if err != nil {
			return err
		}
		o.At = append(o.At, w)
	}
	options, shown, end, err := f.options(cmd, path)
	if err != nil {
		return err
	}
	o.StillOptions = options
	o.Done = func(frames, of int) { shown.say(fmt.Sprintf("%s: %d of %d frames", path, frames, of)) }
	b, remarks, err := app.Storyboard(cmd.Context(), path, o)
	if err == nil {
		err = f.write(cmd, path, b, remarks)
	}
	return end(err)
}
