package main

import (
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// stillFlags are those that every command has which makes a picture of a video.
type stillFlags struct {
	out, marking, language, by string
	force, quiet               bool
	ground                     georefFlags
}

func (f *stillFlags) add(c *cobra.Command, forms string) {
	c.Flags().StringVar(&f.out, "out", "", "the file to write, "+forms)
	c.Flags().StringVar(&f.marking, "marking", "", "marking, rolled up with what the stream says and never lower than that (default: the stream's, else "+app.UnmarkedMission+")")
	c.Flags().StringVar(&f.language, "lang", "en", "language of the picture: en or es")
	c.Flags().StringVar(&f.by, "by", "", "for whom it is made, as the picture then says")
	c.Flags().BoolVar(&f.force, "force", false, "write over a file that is there already")
	c.Flags().BoolVar(&f.quiet, "quiet", false, "no progress")
	g := &f.ground
	g.Sigmas, g.format = video.DefaultSigmas, "jsonl"
	c.Flags().StringArrayVar(&g.terrains, "terrain", nil, "elevation model, DTED or GeoTIFF; the first that has ground counts (may be repeated)")
	c.Flags().StringVar(&g.reads, "terrain-datum", "as-named", "what the terrain's heights are above: as-named, hae or msl")
	c.Flags().StringVar(&g.geoid, "geoid", "", "EGM96 grid in GTX format, to turn heights above the sea into heights above the ellipsoid")
	c.Flags().StringVar(&g.datum, "datum", "as-named", "what the metadata's heights are above: as-named, hae (whatever the items are called; simulators) or msl")
}

// check refuses a wrong use before the long work begins.
func (f *stillFlags) check(endings ...string) error {
	refuse := func(hint, format string, args ...any) error {
		return &atalaya.Error{Op: "video.still", Kind: atalaya.BadUse, Hint: hint, Err: fmt.Errorf(format, args...)}
	}
	if f.out == "" {
		return refuse("Name the file to write: --out picture"+endings[0], "nothing says where the picture goes")
	}
	known := false
	for _, e := range endings {
		known = known || strings.EqualFold(filepath.Ext(f.out), e)
	}
	if !known {
		return refuse("End the name in "+strings.Join(endings, " or "), "%s: the name does not say which kind of picture", f.out)
	}
	if f.language != "en" && f.language != "es" {
		return refuse("Write --lang en or --lang es", "%q is no language of pictures", f.language)
	}
	return app.MayWrite(f.out, f.force)
}

// options are the flags, with progress shown and terrain open until end is called; end names what of the terrain could not be read.
func (f *stillFlags) options(cmd *cobra.Command, path string) (o app.StillOptions, shown *progress, end func(error) error, err error) {
	g, done, err := f.ground.settle()
	if err != nil {
		return o, nil, nil, errors.Join(err, done(io.Discard))
	}
	shown = newProgress(cmd.ErrOrStderr(), f.quiet)
	size := sizeOf(path)
	o = app.StillOptions{Marking: f.marking, Language: f.language, By: f.by, Program: "atalaya " + version, Look: g.Options,
		Read: func(done int64) { shown.file(path, done, size) }}
	return o, shown, func(err error) error {
		shown.end()
		return errors.Join(err, done(cmd.ErrOrStderr()))
	}, nil
}

// write writes the picture and says what is missing in it.
func (f *stillFlags) write(cmd *cobra.Command, path string, b []byte, remarks []app.MoverRemark) error {
	if err := app.WriteNew(f.out, b, f.force); err != nil {
		return err
	}
	for _, r := range remarks {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", path, r.What)
	}
	if !f.quiet {
		fmt.Fprintf(cmd.ErrOrStderr(), "picture: %s\n", f.out)
	}
	return nil
}

// videoFrame are the flags of video frame.
type videoFrame struct {
	stillFlags
	at, chip, chipAt string
	size             float64
}

func videoFrameCommand() *cobra.Command {
	var f videoFrame
	c := &cobra.Command{
		Use:   "frame FILE",
		Short: "One frame of a video, or a part of it, as PNG under its marking, with its place, its error and its source",
		Long: `One frame of a video, the one nearest to a time, or a part of it, as PNG. The marking stands at top and bottom: that of
the stream's security sets, rolled up with the one given. Below the picture stand the file with its hash, the times, the
platform, the place with its 95 % ellipse, north and scale. No clock is read: the same file gives the same bytes. Pixels
are decoded by the ffmpeg program, which must be installed.`,
		Example: `  atalaya video frame flight.ts --at 12.5 --out frame.png
  atalaya video frame flight.ts --at 2026-05-04T12:00:01Z --chip 600,320,96,96 --out chip.png --marking U//SYNTHETIC
  atalaya video frame flight.ts --at 12.5 --chip-at 24.80312,-107.39124 --size 60 --out chip.png --lang es`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	c.Flags().StringVar(&f.at, "at", "", "time of the frame: seconds of the stream, or UTC")
	c.Flags().StringVar(&f.chip, "chip", "", "only this part, X,Y,W,H in pixels from the upper left corner")
	c.Flags().StringVar(&f.chipAt, "chip-at", "", "only the ground around this place, LAT,LON in degrees, by the metadata")
	c.Flags().Float64Var(&f.size, "size", 100, "with --chip-at: sides of the square of ground, metres")
	f.add(c, ".png")
	return c
}

func (f *videoFrame) run(cmd *cobra.Command, path string) error {
	if err := f.check(".png"); err != nil {
		return err
	}
	misused := func(hint, format string, args ...any) error {
		return &atalaya.Error{Op: "video.frame", Kind: atalaya.BadUse, Hint: hint, Err: fmt.Errorf(format, args...)}
	}
	if f.at == "" {
		return misused("Give --at 12.5 (seconds of the stream) or --at 2026-05-04T12:00:01Z", "nothing says which frame")
	}
	at, err := app.ParseWhen(f.at)
	if err != nil {
		return err
	}
	o := app.FrameOptions{At: at, SizeM: f.size}
	switch {
	case f.chip != "" && f.chipAt != "":
		return misused("Give one of them", "--chip and --chip-at exclude each other")
	case !(f.size > 0 && f.size <= 1e5):
		return misused("Give metres, above 0, at most 100000", "--size %g", f.size)
	case f.chip != "":
		if o.Chip, err = parsePart(f.chip); err != nil {
			return err
		}
	case f.chipAt != "":
		if o.ChipAt, err = parsePlace(f.chipAt); err != nil {
			return err
		}
	}
	var end func(error) error
	if o.StillOptions, _, end, err = f.options(cmd, path); err != nil {
		return err
	}
	b, remarks, err := app.Frame(cmd.Context(), path, o)
	if err == nil {
		err = f.write(cmd, path, b, remarks)
	}
	return end(err)
}

// parsePart reads "X,Y,W,H".
func parsePart(s string) (image.Rectangle, error) {
	var n [4]int
	fields := strings.Split(s, ",")
	for i := range n {
		var err error
		if len(fields) == len(n) {
			n[i], err = strconv.Atoi(strings.TrimSpace(fields[i]))
		}
		if len(fields) != len(n) || err != nil || n[i] < 0 || n[i] > 1<<16 || i > 1 && n[i] == 0 {
			return image.Rectangle{}, &atalaya.Error{Op: "video.frame", Kind: atalaya.BadUse, Err: fmt.Errorf("--chip %q", s), Hint: "Give X,Y,W,H in whole pixels, as 600,320,96,96"}
		}
	}
	return image.Rect(n[0], n[1], n[0]+n[2], n[1]+n[3]), nil
}

// parsePlace reads "LAT,LON".
func parsePlace(s string) (*geodesy.LatLon, error) {
	lat, lon, _ := strings.Cut(s, ",")
	var p geodesy.LatLon
	var err1, err2 error
	p.Lat, err1 = strconv.ParseFloat(strings.TrimSpace(lat), 64)
	p.Lon, err2 = strconv.ParseFloat(strings.TrimSpace(lon), 64)
	if errors.Join(err1, err2) != nil || !p.Valid() {
		return nil, &atalaya.Error{Op: "video.frame", Kind: atalaya.BadUse, Err: fmt.Errorf("--chip-at %q", s), Hint: "Give LAT,LON in degrees, as 24.80312,-107.39124"}
	}
	return &p, nil
}

// sizeOf is a file's size, 0 where it cannot be told.
func sizeOf(path string) int64 {
	st, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return st.Size()
}
