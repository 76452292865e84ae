package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/bench"
)

func benchCommand() *cobra.Command {
	var asJSON, quiet bool
	var seconds float64
	var on, plots string
	var large int
	var j benchJudge
	var fusion benchFusion
	c := &cobra.Command{
		Use:   "bench [NAME...]",
		Short: "The project's own speed, as ratios to plain references measured in the same run; and whether its estimates mean what they say",
		Long: "Measures " + strings.Join(bench.Names(), ", ") + ", each beside a plain reference in turn, and prints the medians and the ratio.\n" +
			"Three more are asked for by name alone, and take an hour or more at full size. \"calibration\" simulates gas surveys of known truth and tests ranks, coverage, the number of sources, " +
			"false sources and efficiency. \"metec\" simulates the controlled releases of the METEC plan and scores the equipment named. " +
			"\"fusion\" simulates campaigns at the level of detections, fits the calibration of site probabilities on some and scores rankings of others, with each sense alone and each left out; with --from-files it holds campaigns as detections beside the same campaigns from the files of their sensors.",
		Example: `  atalaya bench
  atalaya bench klv gas --seconds 10 --json
  atalaya bench gas live --plots build/costs
  atalaya bench calibration --surveys 200 --flights 100 --efficiency 50
  atalaya bench metec --plan shared/data/gas/metec-plan --experiments 40
  atalaya bench fusion --seeds 10 --train-seeds 4 --other-seeds 4
  atalaya bench fusion --from-files 3 --scenario glen`,
		RunE: func(cmd *cobra.Command, names []string) error {
			for name, run := range map[string]func(*cobra.Command) error{"calibration": j.calibration, "metec": j.metec,
				"fusion": func(cmd *cobra.Command) error { return fusion.run(cmd, &j) }} {
				if slices.Contains(names, name) {
					if len(names) > 1 {
						return misuse{fmt.Errorf("bench %s goes alone: it prints a document of its own. See `atalaya bench --help`", name)}
					}
					j.json, j.quiet = asJSON, quiet
					return run(cmd)
				}
			}
			dir, err := os.MkdirTemp(on, "atalaya-bench-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			o := bench.Options{Each: time.Duration(seconds * float64(time.Second)), Dir: dir, LargeMB: large}
			if !quiet {
				o.Talk = func(s string) { fmt.Fprintln(cmd.ErrOrStderr(), s) }
			}
			got, err := bench.Run(cmd.Context(), names, o)
			if err != nil {
				return err
			}
			if plots != "" {
				const marking = "(U)" // of the machine alone
				m, err := atalaya.ParseMarking(marking)
				if err != nil {
					return err
				}
				all := bench.Plots(got, marking)
				if len(all) == 0 {
					return misuse{fmt.Errorf("nothing that was measured grows along an axis: --plots draws gas and live. See `atalaya bench --help`")}
				}
				if err := drawInto(plots, "Atalaya: benchmarks", "en", m, all, slices.Sorted(maps.Keys(all))...); err != nil {
					return err
				}
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(struct {
					Schema     string         `json:"schema"`
					Benchmarks []bench.Result `json:"benchmarks"`
				}{"atalaya.bench/1", got})
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tCASE\tFIGURE\tUNIT\tRATIO\tREFERENCE")
			for _, r := range got {
				fmt.Fprintf(w, "%s\t%s\t%.4g\t%s\t%.3g\t%s (%.4g)\n", r.Name, r.Case, r.Figure, r.Unit, r.Ratio, r.Reference, r.ReferenceFigure)
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document: atalaya.bench/1, atalaya.calibration/1, atalaya.metec/1, atalaya.fusion/1 or atalaya.fusion-files/1")
	c.Flags().BoolVar(&quiet, "quiet", false, "do not say what is being measured")
	c.Flags().Float64Var(&seconds, "seconds", 2, "how long each case is measured, its reference included; below 1 is a trial of fewer and smaller cases, once each")
	c.Flags().IntVar(&large, "large-mb", 1000, "size of the large file of memory, in MB; the file of intake is a sixteenth of it")
	c.Flags().StringVar(&on, "on", "", "folder on the disk to measure; the system's temporary folder when empty")
	c.Flags().StringVar(&plots, "plots", "", "draw what grows with samples, cells, evidence or ground (gas, live) into this folder: index.html, and each drawing as SVG and PNG")
	j.flags(c)
	fusion.flags(c)
	return c
}
