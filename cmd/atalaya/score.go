package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/score"
)

func scoreCommand() *cobra.Command {
	var asJSON, locate, quiet bool
	var o source.Options
	var campaign campaignFlags
	c := &cobra.Command{
		Use:   "score TRUTH [RESULT]",
		Short: "How well a result found a known truth: errors, rate factors, and whether the regions held what they promised",
		Long: `Scores a result against a truth. TRUTH of schema atalaya.truth/1 goes with RESULT of atalaya.sites/1 ("run --json"); TRUTH of
schema atalaya.truth-sources/1 goes with RESULT of atalaya.sources/1 ("gas locate --json") where the truth has one survey, or with
--locate, which locates every survey that the truth names, beside it, and needs no RESULT.`,
		Example: `  atalaya score campaign/truth.json sites.json
  atalaya score campaign/truth.json sites.json --as-of 2026-03-14T23:00:00Z --plots plots
  atalaya score prairie-grass/truth.json --locate`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := os.ReadFile(args[0])
			if err != nil {
				return &atalaya.Error{Op: "score", File: args[0], Kind: atalaya.NotFound, Err: errors.Unwrap(err), Hint: "Name a truth file"}
			}
			var head struct {
				Schema string `json:"schema"`
			}
			if err := readDocument(args[0], b, &head); err != nil {
				return err
			}
			if (len(args) == 2) == locate {
				return misuse{errors.New("score takes either RESULT or --locate. See `atalaya score --help`")}
			}
			switch {
			case head.Schema == "atalaya.truth-sources/1":
				return scoreSources(cmd, args, b, o, asJSON, quiet)
			case head.Schema == "atalaya.truth/1" && !locate:
				return scoreSites(cmd.OutOrStdout(), args, b, campaign, asJSON)
			}
			return &atalaya.Error{Op: "score", File: args[0], Kind: atalaya.BadInput, Err: fmt.Errorf("schema %q cannot be scored so", head.Schema), Hint: "Give atalaya.truth/1 with a result of run, or atalaya.truth-sources/1"}
		},
	}
	campaign.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document, atalaya.score/1")
	c.Flags().BoolVar(&locate, "locate", false, "locate the surveys that the truth names")
	c.Flags().BoolVar(&quiet, "quiet", false, "no progress")
	c.Flags().Uint64Var(&o.Seed, "seed", 1, "seed of the estimator, with --locate")
	c.Flags().BoolVar(&o.PlainPlume, "plain-plume", false, plainPlumeHelp+"; with --locate")
	return c
}

func readDocument(path string, b []byte, into any) error {
	if err := json.Unmarshal(b, into); err != nil {
		return &atalaya.Error{Op: "score", File: path, Kind: atalaya.BadInput, Err: err, Hint: "Give the JSON that the program printed"}
	}
	return nil
}

func scoreSources(cmd *cobra.Command, args []string, b []byte, o source.Options, asJSON, quiet bool) error {
	var truth score.TruthSources
	if err := readDocument(args[0], b, &truth); err != nil {
		return err
	}
	found := map[string]score.FoundSources{}
	if len(args) == 2 {
		if len(truth.Cases) != 1 {
			return misuse{fmt.Errorf("%s has %d surveys: use --locate", args[0], len(truth.Cases))}
		}
		r, err := os.ReadFile(args[1])
		if err != nil {
			return err
		}
		var f score.FoundSources
		if err := readDocument(args[1], r, &f); err != nil {
			return err
		}
		found[truth.Cases[0].File] = f
	} else {
		p := newProgress(cmd.ErrOrStderr(), quiet)
		for i, c := range truth.Cases {
			s, _, err := readSurvey(filepath.Join(filepath.Dir(args[0]), filepath.FromSlash(c.File)), io.Discard)
			if err != nil {
				return err
			}
			in, err := source.FromSurvey(s, false)
			if err != nil {
				return err
			}
			res, err := source.Locate(cmd.Context(), in, o)
			if err != nil {
				return err
			}
			doc, err := json.Marshal(res)
			if err != nil {
				return err
			}
			var f score.FoundSources
			if err := json.Unmarshal(doc, &f); err != nil {
				return err
			}
			found[c.File] = f
			p.say(fmt.Sprintf("%d of %d surveys", i+1, len(truth.Cases)))
		}
		p.end()
	}
	s, err := score.Sources(truth, found)
	var e *atalaya.Error
	if errors.As(err, &e) && len(args) == 2 {
		e.File = args[1] // the result that was given, not the survey it is of
	}
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), s)
	}
	t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "SURVEY\tERROR m\tRATE FACTOR\tIN 50 %\tIN 90 %\tIN 95 %\tRATE IN 5-95 %\tP(TRUE COUNT)")
	for _, r := range s.Rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%v\t%v\t%v\t%v\t%.2f\n", r.File, figure(float64(r.ErrorM), 1), figure(float64(r.RateFactor), 2), r.In50, r.In90, r.In95, r.RateIn90, float64(r.TrueCount))
	}
	fmt.Fprintf(t, "\n%d sources, %d found; median error %s m; median rate factor %s\n", s.Sources, s.Found, figure(float64(s.MedianError), 1), figure(float64(s.MedianRate), 2))
	fmt.Fprintf(t, "truth in the 50 %% region: %s\nin the 90 %% region: %s\nin the 95 %% region: %s\nrate in its 5 to 95 %% interval: %s\ncount right: %s\n",
		shareInWords(s.In50), shareInWords(s.In90), shareInWords(s.In95), shareInWords(s.RateIn90), shareInWords(s.CountRight))
	return t.Flush()
}

func scoreSites(w io.Writer, args []string, b []byte, campaign campaignFlags, asJSON bool) error {
	o, err := campaign.options()
	if err != nil {
		return err
	}
	var truth score.TruthSites
	var found score.FoundSites
	if err := readDocument(args[0], b, &truth); err != nil {
		return err
	}
	r, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	if err := readDocument(args[1], r, &found); err != nil {
		return err
	}
	s, err := score.Sites(truth, found)
	var e *atalaya.Error
	if errors.As(err, &e) {
		e.File = args[1]
	}
	if err != nil {
		return err
	}
	one, err := score.OneCampaign(truth, found, o)
	if err != nil {
		return err
	}
	all := score.Campaigns(1, one)
	if err := campaign.draw(all); err != nil {
		return err
	}
	if asJSON {
		return printJSON(w, score.RankingScore{SiteScore: s, Campaign: all})
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "SITE\tRANK\tERROR m\tIN 50 %\tIN 90 %\tIN 95 %")
	for _, r := range s.Rows {
		fmt.Fprintf(t, "%s\t%d\t%s\t%v\t%v\t%v\n", r.ID, r.Rank, figure(float64(r.ErrorM), 0), r.In50, r.In90, r.In95)
	}
	fmt.Fprintf(t, "\n%d sites, %d found; median error %s m; precision at 1 %s, at 3 %s; Brier %s\n", s.Sites, s.Found, figure(float64(s.MedianError), 0),
		figure(float64(s.PrecisionAt1), 2), figure(float64(s.PrecisionAt3), 2), figure(float64(s.Brier), 3))
	printCampaign(t, all)
	return t.Flush()
}

func figure(v float64, decimals int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "none"
	}
	return fmt.Sprintf("%.*f", decimals, v)
}

func shareInWords(s score.Share) string {
	return fmt.Sprintf("%d of %d (%.0f %%, 95 %% interval %.0f to %.0f %%)", s.Held, s.Of, 100*float64(s.Held)/float64(max(s.Of, 1)), 100*s.Low, 100*s.High)
}
