package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
)

func markingCommand() *cobra.Command {
	c := &cobra.Command{Use: "marking", Short: "Portion markings and banners: rolled up, and checked"}
	c.AddCommand(markingBanner(), markingCheck())
	return c
}

// markingDocument is what both print with --json: atalaya.marking/1.
type markingDocument struct {
	Schema     string            `json:"schema"`
	Banner     string            `json:"banner"`
	Portion    string            `json:"portion"`
	Attributes map[string]string `json:"attributes"`
	Why        []atalaya.Ruling  `json:"why"`
}

// checkedDocument is what check adds: the banner that the text has, its portions, and what is wrong.
type checkedDocument struct {
	markingDocument
	Stated   string                   `json:"stated"`
	Portions []string                 `json:"portions"`
	Problems []atalaya.MarkingProblem `json:"problems"`
}

func documentOf(m atalaya.Marking, why []atalaya.Ruling) markingDocument {
	if why == nil {
		why = []atalaya.Ruling{}
	}
	return markingDocument{Schema: "atalaya.marking/1", Banner: m.Banner(), Portion: m.Portion(), Attributes: m.Attributes(), Why: why}
}

func markingBanner() *cobra.Command {
	var asJSON bool
	var exclude []int
	c := &cobra.Command{
		Use:   "banner PORTION...",
		Short: "The banner that portion markings roll up to, and why",
		Long: `Rolls portion markings up into the banner of the whole: the class is the highest, lists of release intersect (groups taken
apart by the register), and a portion that takes part without a list makes a whole with lists NOFORN. It is computed, never a union of what
stands there. What is not in the register is an error.`,
		Example: `  atalaya marking banner '(S//REL TO USA, MEX)' '(U)'
  atalaya marking banner '(U//REL TO USA, MEX)' '(U//REL TO USA, CAN, MEX)' --json
  atalaya marking banner '(S//NF)' '(U//FOUO)' --exclude 1`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, n := range exclude {
				if n < 1 || n > len(args) {
					return misuse{fmt.Errorf("--exclude %d: there are portions 1 to %d. See `atalaya marking banner --help`", n, len(args))}
				}
			}
			var ms []atalaya.Marking
			var at []int
			for i, text := range args {
				m, err := atalaya.ParseMarking(text)
				if err != nil {
					return &atalaya.Error{Op: "marking banner", Place: fmt.Sprintf("portion %d", i+1), Kind: atalaya.BadInput, Err: err}
				}
				if !slices.Contains(exclude, i+1) {
					ms, at = append(ms, m), append(at, i+1)
				}
			}
			if len(ms) == 0 {
				return misuse{fmt.Errorf("every portion is excluded: nothing is left to roll up. See `atalaya marking banner --help`")}
			}
			whole, why := atalaya.RollUpOf(ms)
			for _, r := range why {
				for k, n := range r.Portions {
					r.Portions[k] = at[n-1]
				}
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(documentOf(whole, why))
			}
			fmt.Fprintln(cmd.OutOrStdout(), whole.Banner())
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			for _, r := range why {
				fmt.Fprintf(w, "  %s\t%s\n", numbers(r.Portions), atalaya.Rules[r.Rule])
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document: atalaya.marking/1")
	c.Flags().IntSliceVar(&exclude, "exclude", nil, "portions, counted from 1, that are excluded from roll-up")
	return c
}

// numbers are the numbers of portions, "1, 3".
func numbers(of []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(of), " ", ", "), "[]")
}

// maxMarked bounds a text that is checked.
const maxMarked = 64 << 20

func markingCheck() *cobra.Command {
	var asJSON bool
	var file string
	c := &cobra.Command{
		Use:   "check TEXT",
		Short: "Whether a marking, or a text of marked paragraphs, is as the register has it",
		Long: `Checks one marking, or a text: its first and last line are its banner, every paragraph begins with a portion marking, each is
written as the register has it and contradicts nothing, and the banner is what the portions roll up to. Each problem is told with its line and
column and a remedy; the exit code is then 1.`,
		Example: `  atalaya marking check '(S//REL TO USA, MEX)'
  atalaya marking check --file report.txt
  atalaya marking check --file - --json < report.txt`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 1) == (file != "") {
				return misuse{fmt.Errorf("give a text or --file, and not both. See `atalaya marking check --help`")}
			}
			text := strings.Join(args, "")
			if file != "" {
				var err error
				if text, err = markedText(cmd.InOrStdin(), file); err != nil {
					return err
				}
			}
			got, err := atalaya.CheckMarking(text)
			if err != nil {
				return err
			}
			if asJSON {
				d := checkedDocument{documentOf(got.Whole, got.Why), got.Stated.Banner(), append([]string{}, got.Portions...), append([]atalaya.MarkingProblem{}, got.Problems...)}
				if err := json.NewEncoder(cmd.OutOrStdout()).Encode(d); err != nil {
					return err
				}
			} else {
				fmt.Fprintln(cmd.OutOrStdout(), got.Whole.Banner())
				for _, p := range got.Problems {
					fmt.Fprintf(cmd.OutOrStdout(), "%d:%d: %s. %s (%s)\n", p.Line, p.Column, p.What, p.Remedy, p.Rule)
				}
			}
			if n := len(got.Problems); n > 0 {
				return &atalaya.Error{Op: "marking check", File: file, Kind: atalaya.Failed, Err: fmt.Errorf("found wrong: %d", n), Hint: "Correct what is listed"}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document: atalaya.marking/1")
	c.Flags().StringVar(&file, "file", "", "check this file in the place of a text; - is standard input")
	return c
}

// markedText reads the text to check.
func markedText(stdin io.Reader, file string) (string, error) {
	var b []byte
	read := func(in io.Reader) (err error) { b, err = io.ReadAll(io.LimitReader(in, maxMarked+1)); return err }
	if file == "-" {
		if err := read(stdin); err != nil {
			return "", err
		}
	} else if err := withFile("marking check", file, read); err != nil {
		return "", err
	}
	if len(b) > maxMarked {
		return "", &atalaya.Error{Op: "marking check", File: file, Kind: atalaya.BadInput, Err: fmt.Errorf("larger than %d MB", maxMarked>>20), Hint: "Check it in parts"}
	}
	return string(b), nil
}
