package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/locate/fingerprint"
)

// gasClassify are the flags of gas classify.
type gasClassify struct {
	json, quiet     bool
	library, target string
	leaveOut        []string
	seed            uint64
}

func gasClassifyCommand() *cobra.Command {
	var f gasClassify
	c := &cobra.Command{
		Use:   "classify SURVEY.csv",
		Short: "What kind of emitter the mixture of compounds in a survey resembles, and what it may be instead",
		Long: `What kind of emitter the mixture of compounds in a survey resembles, and what it may be instead.

The excess over background is taken from the survey, and compared with reference profiles of emissions. The answer always names rivals, and how probable it is that the emitter is of none of the known kinds. A kind of emitter is not a place of crime: a gas is not a laboratory.`,
		Example: `  atalaya gas classify survey.csv
  atalaya gas classify survey.csv --json | jq '.groups[0].classes[:5]'
  atalaya gas classify survey.csv --library profiles/ --target wanted.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	c.Flags().BoolVar(&f.json, "json", false, "print one JSON document, atalaya.emitters/1")
	c.Flags().BoolVar(&f.quiet, "quiet", false, "no progress")
	c.Flags().StringVar(&f.library, "library", "", "folder of a library of your own: profiles.csv, species.csv, composition.csv, or .csv.gz")
	c.Flags().StringVar(&f.target, "target", "", "target profile, atalaya.target/1: adds the weight of the mixture for it")
	c.Flags().StringArrayVar(&f.leaveOut, "leave-out", nil, "reference study to leave out of the library; may be repeated")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "seed: the same input, version and seed give the same bytes")
	return c
}

func (f gasClassify) run(cmd *cobra.Command, path string) error {
	talk := cmd.ErrOrStderr()
	s, lost, err := readSurvey(path, talk)
	if err != nil {
		return err
	}
	lib, problems, err := f.profiles()
	if err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintln(talk, p)
	}
	var target *fingerprint.Target
	if f.target != "" {
		if target, err = readTarget(f.target); err != nil {
			return err
		}
	}
	p := newProgress(talk, f.quiet)
	res, skipped, err := fingerprint.Survey(lib, s, target, fingerprint.Options{Seed: f.seed, Progress: func(done, total int) { p.say(fmt.Sprintf("%d of %d steps", done, total)) }})
	p.end()
	if err != nil {
		return inFile(path, err)
	}
	res.Library.LeftOut = f.leaveOut
	for _, e := range skipped {
		fmt.Fprintln(talk, inFile(path, e))
	}
	if f.json {
		err = printJSON(cmd.OutOrStdout(), res)
	} else {
		err = printEmitters(cmd.OutOrStdout(), res)
	}
	if err == nil && (lost || len(skipped) > 0 || len(problems) > 0) {
		err = partly{"some rows, values or groups could not be used; each is named above"}
	}
	return err
}

// profiles is the library, less the studies that were to be left out.
func (f gasClassify) profiles() (*fingerprint.Library, []error, error) {
	lib, problems := fingerprint.Builtin(), []error(nil)
	if f.library != "" {
		info, err := os.Stat(f.library)
		if err != nil || !info.IsDir() {
			return nil, nil, &atalaya.Error{Op: "gas.classify", File: f.library, Kind: atalaya.NotFound, Err: errors.New("no such folder"), Hint: "Name a folder with profiles.csv, species.csv and composition.csv"}
		}
		if lib, problems, err = fingerprint.ImportFS(os.DirFS(f.library), f.library); err != nil {
			return nil, nil, err
		}
	}
	for _, study := range f.leaveOut {
		less := lib.Without(study)
		if len(less.Profiles) == len(lib.Profiles) {
			return nil, nil, &atalaya.Error{Op: "gas.classify", Kind: atalaya.BadUse, Err: fmt.Errorf("--leave-out %s: no profile of the library is from that study", study), Hint: "Take the name from the column references of the library's profiles"}
		}
		lib = less
	}
	return lib, problems, nil
}

func readTarget(path string) (*fingerprint.Target, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, &atalaya.Error{Op: "gas.classify", File: path, Kind: atalaya.NotFound, Err: errors.Unwrap(err), Hint: "Name a readable target profile"}
	}
	defer r.Close()
	t, err := fingerprint.ReadTarget(fingerprint.Table{Name: path, From: r})
	if err != nil {
		return nil, err
	}
	return &t, nil
}

// topClasses are shown to eyes; --json has all.
const topClasses = 5

func printEmitters(w io.Writer, res *fingerprint.Result) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "GROUP\tRESEMBLES\tP\tSHARE OF THE MIXTURE (5 to 95 %)")
	for _, g := range res.Groups {
		share := map[string]string{}
		for _, c := range g.Mixture.Contributions {
			share[c.Class] = fmt.Sprintf("%.0f %% (%.0f to %.0f)", 100*c.Share.P50, 100*c.Share.P05, 100*c.Share.P95)
		}
		name, none := g.Group, false
		line := func(class string, p float64) {
			fmt.Fprintf(t, "%s\t%s\t%.2f\t%s\n", name, strings.ReplaceAll(class, "_", " "), p, share[class])
			name = ""
		}
		for _, c := range g.Classes[:min(topClasses, len(g.Classes))] {
			if !none && g.NoneOfThese >= c.Probability {
				line("none of these", g.NoneOfThese)
				none = true
			}
			line(c.Class, c.Probability)
		}
		if !none {
			line("none of these", g.NoneOfThese)
		}
		for _, s := range remarks(g) {
			fmt.Fprintf(t, "\t%s\t\t\n", s)
		}
	}
	return t.Flush()
}

// remarks are the lines below a group's classes.
func remarks(g fingerprint.GroupResult) (out []string) {
	if g.BestNextChannel != "" {
		out = append(out, fmt.Sprintf("measure next: %s (parts %s)", g.BestNextChannel, strings.ReplaceAll(strings.Join(g.Parts.Classes, " from "), "_", " ")))
	}
	switch {
	case g.Target == nil:
	case g.Target.Weight == nil:
		out = append(out, fmt.Sprintf("target %s %s: too few of its compounds were measured to say anything", g.Target.Marking, g.Target.Name))
	default:
		w := g.Target.Weight
		out = append(out, fmt.Sprintf("target %s %s: ln ratio %+.1f (%+.1f to %+.1f)", g.Target.Marking, g.Target.Name, w.LnRatio.P50, w.LnRatio.P05, w.LnRatio.P95))
	}
	return append(out, g.Notes...)
}
