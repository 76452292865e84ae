package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/sense/check"
)

// videoCheck are the flags of video check.
type videoCheck struct {
	json, quiet, strict bool
	profile             string
}

func videoCheckCommand() *cobra.Command {
	f := videoCheck{profile: check.Default.Name}
	c := &cobra.Command{
		Use:   "check FILE",
		Short: "Conformance of a stream and its metadata: each fault with its place, standard, clause and remedy",
		Example: `  atalaya video check flight.ts
  atalaya video check flight.ts --profile 4609 --strict
  atalaya video check flight.ts --json | jq '.findings[] | select(.severity == "error")'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	var of []string
	for _, p := range check.Profiles() {
		of = append(of, p.Name+" ("+p.Does+")")
	}
	c.Flags().BoolVar(&f.json, "json", false, "print one JSON document, atalaya.check/1")
	c.Flags().BoolVar(&f.quiet, "quiet", false, "no progress")
	c.Flags().BoolVar(&f.strict, "strict", false, "end with 1 when there are errors")
	c.Flags().StringVar(&f.profile, "profile", f.profile, "what counts as an error: "+strings.Join(of, "; "))
	return c
}

func (f videoCheck) run(path string, out, talk io.Writer) error {
	p, err := check.ProfileNamed(f.profile)
	if err != nil {
		return misuse{fmt.Errorf("--profile: %w", err)}
	}
	report, err := f.read(path, p, talk)
	if err != nil {
		return inFile(path, err)
	}
	report.File = path
	if f.json {
		err = printJSON(out, report)
	} else {
		err = report.WriteTable(out)
	}
	if err != nil {
		return err
	}
	for _, u := range report.Unreadable() {
		sayProblem(talk, path, fmt.Sprintf("byte %d", u.At), u.What+timesMore(u.Count))
	}
	switch {
	case f.strict && report.Errors > 0:
		return &atalaya.Error{Op: "video.check", File: path, Kind: atalaya.Failed, Err: fmt.Errorf("%s: %d errors by profile %s", report.Verdict, report.Errors, p.Name)}
	case report.Unread:
		return partly{path + ": some of it could not be read, and was not checked; each such place is named above"}
	}
	return nil
}

// timesMore says that a finding stands for more than its first place.
func timesMore(n int64) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(" (and %d times more)", n-1)
}

// read checks a file, with progress.
func (f videoCheck) read(path string, p check.Profile, talk io.Writer) (*check.Report, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, &atalaya.Error{Op: "video.check", File: path, Kind: atalaya.NotFound, Err: errors.Unwrap(err), Hint: "Name a readable file."}
	}
	defer in.Close()
	var size int64
	if st, err := in.Stat(); err == nil {
		size = st.Size()
	}
	shown := newProgress(talk, f.quiet)
	defer shown.end()
	return check.Check(&watched{r: in, each: func(done int64) { shown.file(path, done, size) }}, p)
}
