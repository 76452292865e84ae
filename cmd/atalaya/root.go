package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
)

// version is the release; computed events are keyed by it, so it changes when an estimator's answer may.
const version = "0.1.0"

// run is the whole program: it prints one line for an error and gives the exit code.
func run(args []string, out, talk io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(talk)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if text := oneLine(err); text != "" {
		fmt.Fprintln(talk, text)
	}
	return exitCode(err)
}

// oneLine is an error as its reader needs it: no line breaks, at most a thousand characters.
func oneLine(err error) string {
	s := strings.Join(strings.Fields(err.Error()), " ")
	if r := []rune(s); len(r) > 1000 {
		s = string(r[:999]) + "…"
	}
	return s
}

// exitCode is 0 done, 1 failed, 2 wrong use, 3 done in part, 4 refused.
func exitCode(err error) int {
	var coded interface{ ExitCode() int }
	var typed *atalaya.Error
	switch {
	case errors.As(err, &coded):
		return coded.ExitCode()
	case errors.As(err, &typed):
		return typed.Kind.ExitCode()
	}
	return 1
}

// partly ends a command that did what it could: some input was unreadable, and each such thing was named.
type partly struct{ what string }

func (p partly) Error() string { return p.what }
func (partly) ExitCode() int   { return 3 }

// inFile names the file in an error that names none: an estimator knows no files.
func inFile(path string, err error) error {
	var e *atalaya.Error
	if !errors.As(err, &e) || e.File != "" {
		return err
	}
	named := *e
	named.File = path
	return &named
}

// misuse ends a command that was called wrongly.
type misuse struct{ err error }

func (m misuse) Error() string { return m.err.Error() }
func (misuse) ExitCode() int   { return 2 }

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "atalaya",
		Short: "Sensor files in, ranked candidate sites, human review, a partner package out, the outcome back",
		Long: "Atalaya turns what aircraft sense into places that people check, and what they found there into better sensing.\n" +
			"It gathers intelligence; people decide. See INTENDED-USE.md.",
		Example: `  atalaya demo
  atalaya run missions/2026-03-14 --json
  atalaya probe flight.ts survey.csv`,
		Version:       version + built(),
		SilenceErrors: true, SilenceUsage: true,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	f := root.PersistentFlags()
	f.String("data", "", "data directory (default $ATALAYA_DATA, else the user's data directory)")
	f.String("token", "", "who acts: the token of an account (default $ATALAYA_TOKEN)")
	f.String("db", "", "postgres://... moves the record to PostgreSQL (not built yet)")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return misuse{fmt.Errorf("%w. See `%s --help`", err, cmd.CommandPath())}
	})
	root.AddCommand(commands()...)
	wrongUse(root)
	return root
}

// wrongUse makes every complaint about arguments exit code 2.
func wrongUse(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return misuse{fmt.Errorf("%w. See `%s --help`", err, cmd.CommandPath())}
			}
			return nil
		}
	} else if c.HasSubCommands() {
		c.Args = func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return misuse{fmt.Errorf("unknown command %q. See `%s --help`", args[0], cmd.CommandPath())}
			}
			return nil
		}
		if c.RunE == nil && c.Run == nil {
			c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
	for _, sub := range c.Commands() {
		wrongUse(sub)
	}
}

// built names the commit, where the build knows it.
func built() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return " (" + s.Value[:12] + ")"
		}
	}
	return ""
}
