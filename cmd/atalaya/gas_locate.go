package main

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/sense/gas"
)

func gasCommand() *cobra.Command {
	c := &cobra.Command{Use: "gas", Short: "Gas surveys: how many sources, where, how strong, of what kind"}
	c.AddCommand(gasLocateCommand(), gasClassifyCommand(), gasPlanCommand())
	return c
}

// gasLocate are the flags of gas locate.
type gasLocate struct {
	json, quiet, join, timing, plain bool
	seed                             uint64
	figure                           figureFlags
}

const plainPlumeHelp = "take the air for none: spreads grow straight with the measured angles, one wind at all heights. A check on numbers that such a plume made"

func gasLocateCommand() *cobra.Command {
	var f gasLocate
	c := &cobra.Command{
		Use:   "locate SURVEY.csv",
		Short: "Sources of a gas survey: how many, where, how strong, with probability regions",
		Example: `  atalaya gas locate survey.csv
  atalaya gas locate survey.csv --json --seed 7 | jq '.groups[0].sources'
  atalaya gas locate survey.csv --figure survey.svg --marking 'U//SYNTHETIC' --lang es`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	c.Flags().BoolVar(&f.json, "json", false, "print one JSON document, atalaya.sources/1")
	c.Flags().BoolVar(&f.quiet, "quiet", false, "no progress")
	c.Flags().BoolVar(&f.join, "join", false, "solve all groups as one")
	c.Flags().BoolVar(&f.timing, "timing", false, "add elapsed_s; without it the bytes repeat")
	c.Flags().BoolVar(&f.plain, "plain-plume", false, plainPlumeHelp)
	c.Flags().Uint64Var(&f.seed, "seed", 1, "seed: the same input, version and seed give the same bytes")
	f.figure.add(c)
	return c
}

// readSurvey reads a survey file and names what was wrong in it; lost says that something could not be read.
func readSurvey(path string, talk io.Writer) (s *gas.Survey, lost bool, err error) {
	r, err := openInput("gas.read", path)
	if err != nil {
		return nil, false, err
	}
	defer r.Close()
	if s, err = gas.Read(r, path); err != nil {
		return nil, false, err
	}
	for _, p := range s.Problems {
		fmt.Fprintln(talk, p.Err("gas.read", path))
	}
	return s, s.LostRows+s.LostValues > 0, nil
}

// readInput is readSurvey made ready for the estimator.
func readInput(path string, join bool, talk io.Writer) (s *gas.Survey, in source.Input, lost bool, err error) {
	if s, lost, err = readSurvey(path, talk); err != nil {
		return nil, in, lost, err
	}
	if in, err = source.FromSurvey(s, join); err != nil {
		return nil, in, lost, inFile(path, err)
	}
	return s, in, lost, nil
}

func (f gasLocate) run(cmd *cobra.Command, path string) error {
	start := time.Now()
	if err := f.figure.check(); err != nil {
		return err
	}
	s, in, lost, err := readInput(path, f.join, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	p := newProgress(cmd.ErrOrStderr(), f.quiet)
	where := "" // of the group in hand
	res, err := source.Locate(cmd.Context(), in, source.Options{Seed: f.seed, PlainPlume: f.plain,
		Progress: func(done, total int) { p.say(fmt.Sprintf("%d of %d steps%s", done, total, where)) },
		Early:    func(e source.Early) { where = "; if there is a source, it is near " + earlyPlace(e) }})
	p.end()
	if err != nil {
		return inFile(path, err)
	}
	if f.timing {
		t := time.Since(start).Seconds()
		res.ElapsedS = &t
	}
	if f.json {
		err = printJSON(cmd.OutOrStdout(), res)
	} else {
		err = printSources(cmd.OutOrStdout(), res)
	}
	if err == nil {
		err = f.figure.write(path, s, f.join, in, res, cmd.ErrOrStderr())
	}
	if err == nil && lost {
		err = partly{"some rows or values could not be read; each is named above"}
	}
	return err
}

// earlyPlace is a place with no more digits than its cell has.
func earlyPlace(e source.Early) string {
	if e.Lat != nil {
		return fmt.Sprintf("%.4f %.4f", *e.Lat, *e.Lon)
	}
	return fmt.Sprintf("x %.0f y %.0f m", *e.XM, *e.YM)
}

func printSources(w io.Writer, res *source.Result) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "GROUP\tP(0)\tP(1)\tP(2)\tP(3-%d)\tWHERE\t95 %% REGION m\tRATE kg/s (5 to 95 %%)\tRESTS MOST ON\n", source.MostSources)
	for _, g := range res.Groups {
		more := 0.0
		for k := 3; k <= source.MostSources; k++ {
			more += g.Count[strconv.Itoa(k)]
		}
		count := fmt.Sprintf("%.2f\t%.2f\t%.2f\t%.2f", g.Count["0"], g.Count["1"], g.Count["2"], more)
		if len(g.Sources) == 0 {
			fmt.Fprintf(t, "%s\t%s\tno source found; --json says what could not have been missed where\t\t\t%s\n", g.Group, count, g.DominantAssumption)
		}
		for _, s := range g.Sources {
			where := ""
			if s.Lat != nil {
				where = fmt.Sprintf("%.6f %.6f", *s.Lat, *s.Lon)
			} else {
				where = fmt.Sprintf("x %.1f y %.1f m", *s.XM, *s.YM)
			}
			rates := ""
			for _, name := range sortedNames(s.RateKgS) {
				r := s.RateKgS[name]
				rates += fmt.Sprintf("%s %.3g (%.2g to %.2g) ", name, r.P50, r.P05, r.P95)
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", g.Group, count, where, extent(s.CovarianceM2), rates, g.DominantAssumption)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return printDoubts(w, res)
}

// printDoubts lists below the table what the samples themselves raise against an answer.
func printDoubts(w io.Writer, res *source.Result) error {
	for _, g := range res.Groups {
		for _, n := range g.Notes {
			if g.Group != "" {
				n = g.Group + ": " + n
			}
			if _, err := fmt.Fprintln(w, "! "+n); err != nil {
				return err
			}
		}
	}
	return nil
}
