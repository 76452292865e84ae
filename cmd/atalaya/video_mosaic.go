package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/app"
)

// videoMosaic are the flags of video mosaic.
type videoMosaic struct {
	stillFlags
	from, to, geotiff string
}

func videoMosaicCommand() *cobra.Command {
	var f videoMosaic
	c := &cobra.Command{
		Use:   "mosaic FILE",
		Short: "The frames of a stretch of video put together to one picture, north up where metadata tell the ground",
		Long: `The frames of a stretch of video put together to one picture under its marking. Frames are registered to each other, and
tied to the ground by the metadata of the seconds around each; how well the frames meet, and how far the metadata scatters,
stands on the sheet. Hatched is what nobody looked at. --geotiff writes the same on UTM of WGS 84. What moves, and what stands
tall, is smeared or doubled. Pixels are decoded by the ffmpeg program, which must be installed.`,
		Example: `  atalaya video mosaic flight.ts --from 10 --to 40 --out mosaic.png
  atalaya video mosaic flight.ts --from 2026-05-04T12:00:00Z --to 2026-05-04T12:01:00Z --out mosaic.png --geotiff mosaic.tif`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	c.Flags().StringVar(&f.from, "from", "", "first time: seconds of the stream, or UTC")
	c.Flags().StringVar(&f.to, "to", "", "last time, at most half an hour later")
	c.Flags().StringVar(&f.geotiff, "geotiff", "", "also write a GeoTIFF, .tif, where metadata tell the ground")
	f.add(c, ".png")
	return c
}

func (f *videoMosaic) run(cmd *cobra.Command, path string) error {
	if err := f.check(".png"); err != nil {
		return err
	}
	o := app.MosaicOptions{GeoTIFF: f.geotiff != ""}
	if o.GeoTIFF {
		if e := strings.ToLower(filepath.Ext(f.geotiff)); e != ".tif" && e != ".tiff" {
			return &atalaya.Error{Op: "video.mosaic", Kind: atalaya.BadUse, Err: fmt.Errorf("--geotiff %s", f.geotiff), Hint: "End the name in .tif"}
		}
		if err := app.MayWrite(f.geotiff, f.force); err != nil {
			return err
		}
	}
	for _, t := range [...]struct {
		text string
		when *app.When
	}{{f.from, &o.From}, {f.to, &o.To}} {
		if t.text == "" {
			return &atalaya.Error{Op: "video.mosaic", Kind: atalaya.BadUse, Err: fmt.Errorf("nothing says which stretch"), Hint: "Give --from 10 --to 40 (seconds of the stream) or UTC"}
		}
		w, err := app.ParseWhen(t.text)
		if err != nil {
			return err
		}
		*t.when = w
	}
	options, shown, end, err := f.options(cmd, path)
	if err != nil {
		return err
	}
	o.StillOptions = options
	o.Done = func(what string, frames int, pts float64) {
		shown.say(fmt.Sprintf("%s: %d frames %s, %.1f s", path, frames, what, pts))
	}
	picture, geo, remarks, err := app.Mosaic(cmd.Context(), path, o)
	if err == nil {
		err = f.writeBoth(cmd, path, picture, geo, remarks)
	}
	return end(err)
}

// writeBoth writes the GeoTIFF, where it is wanted, and the picture.
func (f *videoMosaic) writeBoth(cmd *cobra.Command, path string, picture, geo []byte, remarks []app.MoverRemark) error {
	if f.geotiff != "" {
		if err := app.WriteNew(f.geotiff, geo, f.force); err != nil {
			return err
		}
		if !f.quiet {
			fmt.Fprintf(cmd.ErrOrStderr(), "map: %s\n", f.geotiff)
		}
	}
	return f.write(cmd, path, picture, remarks)
}
