package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya/outcome"
)

func outcomePrecision() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "precision LEADS.csv",
		Short: "How many leads were right: of those visited, and of all where the chances of a visit were recorded",
		Long: `Reads leads with what was found (columns lead, found, chance) and estimates how many were right, with 95 % intervals. Those that were
visited were chosen: of all leads something can be said only where the chance with which each would be visited was recorded before, and none is zero.`,
		Example: `  atalaya outcome precision leads-2026.csv
  atalaya outcome precision leads-2026.csv --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var leads []outcome.Lead
			if err := withFile("outcome.leads", args[0], func(r io.Reader) (err error) { leads, err = outcome.ReadLeads(r, args[0]); return err }); err != nil {
				return err
			}
			p := outcome.PrecisionOf(leads)
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(struct {
					Schema string `json:"schema"`
					outcome.Precision
				}{"atalaya.precision/1", p})
			}
			fmt.Fprintf(cmd.OutOrStdout(), "leads %d, visited %d, right %d\n", p.Leads, p.Visited, p.Right)
			share := func(of string, s *outcome.Share) {
				if s != nil {
					fmt.Fprintf(cmd.OutOrStdout(), "of %s: %.0f %% (95 %%: %.0f to %.0f %%)\n", of, 100*s.Value, 100*s.Low, 100*s.High)
				}
			}
			share("those visited", p.Among)
			share("all", p.All)
			if p.Why != "" {
				fmt.Fprintln(cmd.OutOrStdout(), p.Why)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document: atalaya.precision/1")
	return c
}
