package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya/outcome"
)

// seizuresDocument is atalaya.seizures/1.
type seizuresDocument struct {
	Schema    string          `json:"schema"`
	AsOf      string          `json:"as_of"`
	By        string          `json:"by"`
	Entries   int             `json:"entries"`
	Corrected int             `json:"corrected"`
	Totals    []outcome.Total `json:"totals"`
	Whole     []outcome.Total `json:"whole"` // one, or none of an empty ledger
	Delay     *outcome.Delay  `json:"delay"`
	Trend     []outcome.Month `json:"trend"`
}

func outcomeSeizures() *cobra.Command {
	var asJSON bool
	var by, on, doses string
	c := &cobra.Command{
		Use:   "seizures FILE.csv",
		Short: "What seizures come to: exact masses, doses as a range, and how many reports are still to come",
		Long: `Reads a table of seizures, such as official statistics, and adds it up exactly: pounds, short and metric tons told apart (a "ton"
that does not say which is a range), words like "nearly" as ranges, corrections once. Doses are a range by purity over a stated basis (fentanyl: 2 mg,
so that a pure kilogram is 500,000); other substances need --doses. The trend by month says how many seizures are to be expected once all reports are in.`,
		Example: `  atalaya outcome seizures seized-2026.csv
  atalaya outcome seizures seized-2026.csv --by month --as-of 2026-11-01 --json
  atalaya outcome seizures seized-2026.csv --by organisation --doses doses.csv`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			asOf := time.Now().UTC()
			if on != "" {
				var err error
				if asOf, err = day("as-of", on); err != nil {
					return err
				}
			}
			bases := outcome.Doses
			if doses != "" {
				if err := withFile("outcome.doses", doses, func(r io.Reader) (err error) { bases, err = outcome.ReadDoses(r, doses); return err }); err != nil {
					return err
				}
			}
			var l *outcome.Ledger
			if err := withFile("outcome.ledger", args[0], func(r io.Reader) (err error) { l, err = outcome.ReadLedger(r, args[0]); return err }); err != nil {
				return err
			}
			for _, p := range l.Problems {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s: %s\n", args[0], p.At, p)
			}
			standing := slices.DeleteFunc(l.Standing(), func(e outcome.Entry) bool { return e.On.After(asOf) })
			d := seizuresDocument{Schema: "atalaya.seizures/1", AsOf: asOf.Format(time.DateOnly), By: by, Entries: len(l.Entries), Corrected: len(l.Entries) - len(l.Standing())}
			var err error
			if d.Totals, err = outcome.Totals(standing, by, bases); err != nil {
				return misuse{err}
			}
			if d.Whole, err = outcome.Totals(standing, "all", bases); err != nil {
				return err
			}
			first := slices.DeleteFunc(slices.Clone(l.Entries), func(e outcome.Entry) bool { return e.Replaces != "" })
			d.Trend, d.Delay = outcome.Trend(first, asOf)
			if asJSON {
				d.Totals, d.Whole, d.Trend = append([]outcome.Total{}, d.Totals...), append([]outcome.Total{}, d.Whole...), append([]outcome.Month{}, d.Trend...)
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(d)
			} else {
				err = d.print(cmd.OutOrStdout())
			}
			if err == nil && l.LostRows > 0 {
				return partly{fmt.Sprintf("%s: %d rows could not be read and count nothing", args[0], l.LostRows)}
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document: atalaya.seizures/1")
	c.Flags().StringVar(&by, "by", "substance", "add up by "+strings.Join(outcome.Groups, ", "))
	c.Flags().StringVar(&on, "as-of", "", "the day on which it is looked at, like 2026-11-01; today when empty")
	c.Flags().StringVar(&doses, "doses", "", "table of doses of more substances: substance, mg_low, mg_high, source")
	return c
}

// print writes it for eyes.
func (d *seizuresDocument) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "%s\tSEIZURES\tkg\tlb\tTABLETS\tLITRES\tDOSES\tVALUE\n", strings.ToUpper(d.By))
	for _, t := range slices.Concat(d.Totals, d.Whole) {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", t.Key, t.Seizures, ends(t.MassKg, one, 3), ends(t.MassKg, pounds, 1), ends(t.Tablets, one, 0), ends(t.Litres, one, 1), ends(t.Doses, one, 0), values(t))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, t := range d.Whole {
		for _, name := range slices.Sorted(maps.Keys(t.Bases)) {
			fmt.Fprintf(out, "doses of %s: %s mg each: %s\n", name, ends(new(t.Bases[name].Mg), one, 3), t.Bases[name].Source)
		}
		if t.UntoldKg != nil {
			fmt.Fprintf(out, "of unknown purity, so that it counts from no dose to as many as if it were pure: %s kg\n", ends(t.UntoldKg, one, 3))
		}
		if len(t.NoDose) > 0 {
			fmt.Fprintf(out, "without a dose: %s\n", strings.Join(t.NoDose, ", "))
		}
		if t.Unspecified > 0 {
			fmt.Fprintf(out, "of tons that do not say which, counted from the short to the metric one: %d\n", t.Unspecified)
		}
	}
	if d.Delay != nil {
		fmt.Fprintf(out, "reports come within %d days (median), %d (nine tenths), %d at most so far\n", d.Delay.Median, d.Delay.P90, d.Delay.Most)
	}
	fmt.Fprintf(w, "MONTH\tREPORTED\tOF THOSE TO COME\tEXPECTED IN THE END\n")
	for _, m := range d.Trend {
		fmt.Fprintf(w, "%s\t%d\t%.0f %%\t%d (%d to %d)\n", m.Month, m.Reported, 100*m.Share, m.Median, m.Low, m.High)
	}
	return w.Flush()
}

// pounds are in a kilogram, exactly.
var one, pounds = big.NewRat(1, 1), big.NewRat(100_000_000, 45_359_237)

// ends writes a range, both ends where they differ.
func ends(r *outcome.Range, times *big.Rat, decimals int) string {
	if r == nil {
		return ""
	}
	text := func(v *big.Rat) string {
		return new(big.Rat).Mul(v, times).FloatString(decimals)
	}
	if low, high := text(r.Low), text(r.High); low != high {
		return low + " to " + high
	}
	return text(r.Low)
}

// values writes the value in each currency.
func values(t outcome.Total) string {
	var out []string
	for _, currency := range slices.Sorted(maps.Keys(t.Value)) {
		out = append(out, string(t.Value[currency])+" "+currency)
	}
	return strings.Join(out, ", ")
}
