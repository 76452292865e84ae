package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/locate/site"
)

func runCommand() *cobra.Command {
	var o app.RunOptions
	var asJSON, quiet, movers bool
	c := &cobra.Command{
		Use:   "run MISSION",
		Short: "Every sensor file and report of a mission folder becomes ranked candidate sites, stored for review",
		Long: `Every sensor file and report of a mission folder becomes ranked candidate sites, stored for review.

Pictures of videos are searched for what moves: its tracks are kept, and each that stops, turns around, begins or ends
within the picture is a detection for people to look at. Pixels are decoded by the ffmpeg program; without it the run
says of each video that it was not searched, and a later run does it. This takes by far the longest of a run: --movers=false
leaves it out, and a later run without that does it.`,
		Example: `  atalaya run missions/2026-03-14
  atalaya run missions/2026-03-14 --movers=false
  atalaya run missions/2026-03-14 --json --seed 7 | jq '.sites[0]'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, closeIt, err := openApp(cmd)
			if err != nil {
				return err
			}
			defer closeIt()
			p := newProgress(cmd.ErrOrStderr(), quiet)
			a.Talk, o.Progress, o.WithoutMovers = p.say, p.file, !movers
			doc, partial, err := a.Run(cmd.Context(), args[0], o)
			p.end()
			if err != nil {
				return err
			}
			if err := printSites(cmd.OutOrStdout(), doc, asJSON); err != nil {
				return err
			}
			return told(cmd.ErrOrStderr(), doc, partial, quiet)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document, atalaya.sites/1")
	c.Flags().BoolVar(&quiet, "quiet", false, "no progress")
	c.Flags().BoolVar(&o.All, "all", false, "rank the whole record, not only this mission")
	c.Flags().BoolVar(&movers, "movers", true, "search the pictures of videos for what moves")
	c.Flags().Uint64Var(&o.Seed, "seed", 1, "seed of the estimators: the same input, version and seed give the same bytes")
	return c
}

// told names every problem of the files and of the mission, and, unless it is to be quiet, what there is to note, and says whether the run was partial.
func told(w io.Writer, doc app.SitesDocument, partial, quiet bool) error {
	for _, f := range doc.Files {
		for _, p := range f.Problems {
			sayProblem(w, f.Path, p.At, p.What)
		}
		for _, n := range f.Notes {
			if !quiet {
				sayProblem(w, f.Path, n.At, n.What)
			}
		}
	}
	for _, p := range doc.Problems {
		sayProblem(w, p.At, p.What)
	}
	if partial {
		return partly{"some of it could not be read or worked out; each such thing is named above"}
	}
	return nil
}

// sayProblem writes a problem in one line: file, place, what. What has no place leaves none.
func sayProblem(w io.Writer, parts ...string) {
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	fmt.Fprintln(w, strings.Join(parts, ": "))
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func printSites(w io.Writer, doc app.SitesDocument, asJSON bool) error {
	if asJSON {
		return printJSON(w, doc)
	}
	fmt.Fprintln(w, doc.Banner)
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "RANK\tSITE\tLAT\tLON\t95 % REGION m\tP, WITH 90 %\tWORD\tSTATUS\tFOR AND AGAINST")
	for _, s := range doc.Sites {
		fmt.Fprintf(t, "%d\t%s\t%.5f\t%.5f\t%s\t%.3f %s\t%s\t%s\t%s\n", s.Rank, s.ID, s.Lat, s.Lon, extent(s.CovarianceM2), s.Probability, ninety(s.Range), wordOf(s.Word), s.Status, inShort(s.Evidence))
	}
	if len(doc.Sites) == 0 {
		fmt.Fprintln(t, "no candidate site: nothing in this mission speaks for one")
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, doc.Banner)
	return nil
}

// ninety is where a probability lies with 90 %, by the cases of the calibration; nothing without one.
func ninety(r *[2]float64) string {
	if r == nil {
		return "not calibrated"
	}
	return fmt.Sprintf("%.3f-%.3f", r[0], r[1])
}

// wordOf is the word of likelihood of a code, "-" where there is none.
func wordOf(code *string) string {
	for _, w := range site.Words {
		if code != nil && w.Code == *code {
			return w.English
		}
	}
	return "-"
}

func inShort(rows []app.EvidenceDocument) string {
	out := ""
	for _, r := range rows {
		if r.LogOdds != 0 {
			out += fmt.Sprintf("%s %+.1f  ", r.Kind, r.LogOdds)
		}
	}
	return out
}
