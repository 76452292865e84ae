package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/serve"
)

func demoCommand() *cobra.Command {
	var listen string
	var once, asJSON, quiet bool
	var seed uint64
	c := &cobra.Command{
		Use:   "demo",
		Short: "Simulate a small campaign, run it, and open the workbench on it",
		Long:  "Simulate a small campaign (SYNTHETIC: every person and place is invented), run it, and open the workbench on it. The record is temporary unless --data names a folder.",
		Example: `  atalaya demo
  atalaya demo --once --json | jq '.sites[0]'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, _ := cmd.Flags().GetString("data")
			if dir == "" {
				tmp, err := os.MkdirTemp("", "atalaya-demo-")
				if err != nil {
					return err
				}
				defer os.RemoveAll(tmp)
				dir = tmp
			}
			a, closeIt, err := openAppAt(cmd, filepath.Join(dir, "record"))
			if err != nil {
				return err
			}
			defer closeIt()
			p := newProgress(cmd.ErrOrStderr(), quiet)
			a.Talk = p.say
			d, err := a.MakeDemo(cmd.Context(), filepath.Join(dir, "mission"), seed)
			p.end()
			if err != nil {
				return err
			}
			if once || asJSON {
				if err := printSites(cmd.OutOrStdout(), d.Document, asJSON); err != nil {
					return err
				}
			}
			// An open workbench is of use without the rest; what is missing from it is named all the same.
			if err := told(cmd.ErrOrStderr(), d.Document, d.Partial, quiet); once {
				return err
			} else if err != nil {
				fmt.Fprintln(cmd.ErrOrStderr(), oneLine(err))
			}
			return openDemo(cmd, a, d, listen, quiet)
		},
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:7347", "address of the workbench; port 0 takes any that is free")
	c.Flags().BoolVar(&once, "once", false, "print the ranked sites and exit")
	c.Flags().BoolVar(&asJSON, "json", false, "print the ranked sites as one JSON document, atalaya.sites/1")
	c.Flags().BoolVar(&quiet, "quiet", false, "no progress")
	c.Flags().Uint64Var(&seed, "seed", 1, "seed of the campaign and of the estimators")
	return c
}

func openDemo(cmd *cobra.Command, a *app.App, d app.Demo, listen string, quiet bool) error {
	names := make([]string, len(app.DemoPeople))
	for i, p := range app.DemoPeople {
		names[i] = p.Name
	}
	return workbench(cmd, a, listen, serve.Options{Demo: true, Test: true, DemoAccounts: names, DemoPassword: d.Password, Log: operatorLog(cmd.ErrOrStderr(), quiet)}, func(url string) {
		fmt.Fprintf(cmd.ErrOrStderr(), "The workbench is open at %s\nSign in as one of\n", url)
		for _, p := range app.DemoPeople {
			fmt.Fprintf(cmd.ErrOrStderr(), "  %-16s %s\n", p.Name, p.Role)
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "with the password %s\nTwo different people must approve before anything is released. Stop with Ctrl+C.\n", d.Password)
	})
}
