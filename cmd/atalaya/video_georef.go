package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy/terrain"
	"github.com/atalaya-isr/atalaya/sense/video"
)

func videoGeorefCommand() *cobra.Command {
	var quiet bool
	var live videoLive
	f := georefFlags{Georef: video.Georef{Options: video.Options{Sigmas: video.DefaultSigmas}}}
	c := &cobra.Command{
		Use:   "georef FILE",
		Short: "Where each frame and each marked target lies on the ground, with its 95 % error ellipse, one JSON line a packet",
		Example: `  atalaya video georef flight.ts
  atalaya video georef flight.ts --terrain n24.dt2 --terrain coarse.tif --geoid egm96_15.gtx
  atalaya video georef flight.ts --pixel 640,360 --pixel 0,0 --rate 30
  atalaya video georef flight.ts --heading-sigma 0.05 --level-sigma 0.02
  atalaya video georef flight.ts --residuals
  atalaya video georef --udp 5004 --idle 10
  atalaya video georef flight.ts --format geojson > footprints.geojson`,
		RunE: func(cmd *cobra.Command, args []string) error {
			g, done, err := f.settle()
			if err != nil {
				return err
			}
			return errors.Join(live.lines(cmd, args, quiet, func(w io.Writer, r io.Reader) (int, []video.Problem, error) {
				n, problems, err := video.WriteGeorefWith(w, r, g)
				if errors.Is(err, video.ErrNoFrameSize) {
					err = &atalaya.Error{Op: "video.georef", Kind: atalaya.BadInput, Err: err, Hint: "Give it: --frame 1280x720."}
				}
				return n, problems, err
			}), done(cmd.ErrOrStderr()))
		},
	}
	live.add(c)
	videoFlags(c, &quiet)
	f.add(c)
	return c
}

// georefFlags are what the command's flags say.
type georefFlags struct {
	video.Georef
	terrains []string
	reads    string
	geoid    string
	datum    string
	pixels   []string
	frame    string
	format   string
}

func (f *georefFlags) add(c *cobra.Command) {
	s := &f.Sigmas
	c.Flags().Float64Var(&s.Horizontal, "position-sigma", s.Horizontal, "standard deviation of the sensor's position, metres in each horizontal axis")
	c.Flags().Float64Var(&s.Vertical, "height-sigma", s.Vertical, "standard deviation of the sensor's height, metres")
	c.Flags().Float64Var(&s.Heading, "heading-sigma", s.Heading, "standard deviation of the platform's heading, degrees")
	c.Flags().Float64Var(&s.Level, "level-sigma", s.Level, "standard deviation of pitch and of roll, degrees")
	c.Flags().Float64Var(&s.Gimbal, "gimbal-sigma", s.Gimbal, "standard deviation of the gimbal's angles, degrees")
	c.Flags().Float64Var(&s.Ground, "ground-sigma", s.Ground, "standard deviation of the height of the ground, metres, where no terrain says its own")
	c.Flags().StringArrayVar(&f.terrains, "terrain", nil, "elevation model, DTED or GeoTIFF; the first that has ground counts (may be repeated)")
	c.Flags().StringVar(&f.reads, "terrain-datum", "as-named", "what the terrain's heights are above: as-named, hae or msl")
	c.Flags().StringVar(&f.geoid, "geoid", "", "EGM96 grid in GTX format, to turn heights above the sea into heights above the ellipsoid")
	c.Flags().StringVar(&f.datum, "datum", "as-named", "what the metadata's heights are above: as-named, hae (whatever the items are called; simulators) or msl")
	c.Flags().StringArrayVar(&f.pixels, "pixel", nil, "also the ground at this pixel, X,Y from the picture's upper left corner (may be repeated)")
	c.Flags().StringVar(&f.frame, "frame", "", "size of the picture, WIDTHxHEIGHT in pixels, where the stream does not say")
	c.Flags().Float64Var(&f.RateHz, "rate", 0, "so many lines a second, interpolated between packets; 0 is a line a packet")
	c.Flags().StringVar(&f.format, "format", "jsonl", "jsonl, or geojson: footprints and frame centers")
	c.Flags().BoolVar(&f.Residuals, "residuals", false, "a table of what the metadata says twice, instead of lines")
	c.Flags().Float64Var(&f.AttitudeLagS, "attitude-lag", 0, "by how many seconds the platform's attitude is older than the rest of its packet (see --residuals)")
}

// settle reads what the flags name. done closes it, and tells what of the terrain could not be read.
func (f *georefFlags) settle() (g video.Georef, done func(io.Writer) error, err error) {
	g = f.Georef
	done = func(io.Writer) error { return nil }
	if g.Heights = video.Heights(f.datum); g.Heights != video.AsNamed && g.Heights != video.AllHAE && g.Heights != video.AllMSL {
		return g, done, wrongFlag("--datum", f.datum, "as-named, hae or msl")
	}
	if g.GeoJSON = f.format == "geojson"; !g.GeoJSON && f.format != "jsonl" {
		return g, done, wrongFlag("--format", f.format, "jsonl or geojson")
	}
	if !(g.RateHz >= 0 && g.RateHz <= 1000) {
		return g, done, wrongFlag("--rate", fmt.Sprint(g.RateHz), "0 to 1000 lines a second")
	}
	if !(g.AttitudeLagS >= -1 && g.AttitudeLagS <= 1) {
		return g, done, wrongFlag("--attitude-lag", fmt.Sprint(g.AttitudeLagS), "-1 to 1 s")
	}
	for _, s := range []float64{g.Sigmas.Horizontal, g.Sigmas.Vertical, g.Sigmas.Heading, g.Sigmas.Level, g.Sigmas.Gimbal, g.Sigmas.Ground} {
		if !(s >= 0 && s < 1e6) {
			return g, done, wrongFlag("standard deviation", fmt.Sprint(s), "a number from 0 on")
		}
	}
	if f.frame != "" {
		if n, err := fmt.Sscanf(f.frame+"\n", "%dx%d\n", &g.FrameWidth, &g.FrameHeight); n != 2 || err != nil || g.FrameWidth < 1 || g.FrameHeight < 1 {
			return g, done, wrongFlag("--frame", f.frame, "WIDTHxHEIGHT, as 1280x720")
		}
	}
	for _, p := range f.pixels {
		at, err := video.ParsePixel(p)
		if err != nil {
			return g, done, wrongFlag("--pixel", p, "X,Y in pixels, as 640,360")
		}
		g.Pixels = append(g.Pixels, at)
	}
	if f.geoid != "" {
		if g.Geoid, err = readGeoid(f.geoid); err != nil {
			return g, done, err
		}
	}
	g.Terrain, done, err = f.openTerrain()
	return g, done, err
}

func wrongFlag(name, given, wanted string) error {
	return &atalaya.Error{Op: "video.georef", Kind: atalaya.BadInput, Err: fmt.Errorf("%s %s", name, given), Hint: "Give " + wanted + "."}
}

func readGeoid(path string) (*terrain.Geoid, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, unopened(path, err)
	}
	defer in.Close()
	g, err := terrain.ReadGTX(in, path)
	if err != nil {
		return nil, &atalaya.Error{Op: "terrain.geoid", Kind: atalaya.BadInput, Err: err, Hint: "Give the EGM96 grid egm96_15.gtx, which the PROJ data package has."}
	}
	return g, nil
}

func unopened(path string, err error) error {
	return &atalaya.Error{Op: "terrain.open", File: path, Kind: atalaya.NotFound, Err: errors.Unwrap(err), Hint: "Name a readable file."}
}

// openTerrain opens the elevation models, which stay open while rays are cast. The result is nil where none was named.
func (f *georefFlags) openTerrain() (m terrain.Model, done func(io.Writer) error, err error) {
	var files []*os.File
	var models []terrain.File
	done = func(talk io.Writer) error {
		var lost bool
		for i := range models {
			for _, p := range models[i].Problems() {
				fmt.Fprintln(talk, p)
				lost = true
			}
		}
		for _, in := range files {
			in.Close()
		}
		if lost {
			return partly{"parts of the terrain could not be read: there the frame center's height stood in, or no ground was given"}
		}
		return nil
	}
	var stack terrain.Stack
	for _, path := range f.terrains {
		in, err := os.Open(path)
		if err != nil {
			return nil, done, unopened(path, err)
		}
		files = append(files, in)
		st, err := in.Stat()
		if err != nil {
			return nil, done, unopened(path, err)
		}
		t, err := terrain.Open(in, st.Size(), path)
		if err != nil {
			return nil, done, &atalaya.Error{Op: "terrain.open", Kind: atalaya.BadInput, Err: err, Hint: "Give DTED, or GeoTIFF on WGS 84 in degrees or UTM."}
		}
		models = append(models, t)
		switch f.reads {
		case "as-named":
			stack = append(stack, t)
		case "hae":
			stack = append(stack, terrain.As(t, terrain.HAE))
		case "msl":
			stack = append(stack, terrain.As(t, terrain.MSL))
		default:
			return nil, done, wrongFlag("--terrain-datum", f.reads, "as-named, hae or msl")
		}
	}
	if len(stack) == 0 {
		return nil, done, nil
	}
	return stack, done, nil
}
