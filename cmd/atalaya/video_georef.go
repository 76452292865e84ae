package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya/sense/video"
)

func videoGeorefCommand() *cobra.Command {
	var quiet bool
	sigmas := video.DefaultSigmas
	c := &cobra.Command{
		Use:   "georef FILE",
		Short: "Where each frame lies on the ground, with its 95 % error ellipse, one JSON line each",
		Example: `  atalaya video georef flight.ts
  atalaya video georef flight.ts --heading-sigma 0.05 --level-sigma 0.02`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return videoLines(cmd, args[0], quiet, func(w io.Writer, r io.Reader) (int, []video.Problem, error) {
				return video.WriteGeoref(w, r, sigmas)
			})
		},
	}
	videoFlags(c, &quiet)
	c.Flags().Float64Var(&sigmas.Horizontal, "position-sigma", sigmas.Horizontal, "standard deviation of the sensor's position, metres in each horizontal axis")
	c.Flags().Float64Var(&sigmas.Vertical, "height-sigma", sigmas.Vertical, "standard deviation of the sensor's height, metres")
	c.Flags().Float64Var(&sigmas.Heading, "heading-sigma", sigmas.Heading, "standard deviation of the platform's heading, degrees")
	c.Flags().Float64Var(&sigmas.Level, "level-sigma", sigmas.Level, "standard deviation of pitch and of roll, degrees")
	c.Flags().Float64Var(&sigmas.Gimbal, "gimbal-sigma", sigmas.Gimbal, "standard deviation of the gimbal's angles, degrees")
	c.Flags().Float64Var(&sigmas.Ground, "ground-sigma", sigmas.Ground, "standard deviation of the height of the ground, metres")
	return c
}
