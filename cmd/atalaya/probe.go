package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya/intake"
)

// probe are the flags of probe.
type probe struct{ json, quiet bool }

func probeCommand() *cobra.Command {
	var p probe
	c := &cobra.Command{
		Use:   "probe FILE...",
		Short: "What each file is, what is in it, what is wrong with it",
		Long: `What each file is, told by its content; what is in it; what is wrong with it, with the place.
A folder stands for all files below it, save README* and hidden ones. Exit code 3 when a file is
unknown or cannot be read in part.`,
		Example: `  atalaya probe flight.ts survey.csv
  atalaya probe mission/ --json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.run(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	c.Flags().BoolVar(&p.json, "json", false, "print one JSON document, atalaya.probe/1")
	c.Flags().BoolVar(&p.quiet, "quiet", false, "no progress")
	return c
}

func (p probe) run(ctx context.Context, args []string, out, talk io.Writer) error {
	if ctx == nil {
		ctx = context.Background()
	}
	files := []intake.File{}
	shown := newProgress(talk, p.quiet)
	defer shown.end()
	var first error
	opened := 0
	for _, arg := range args {
		n := len(files)
		err := p.look(ctx, arg, shown.file, func(f intake.File) { files = append(files, f) })
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if first == nil {
				first = err
			}
			files = append(files[:n], intake.File{Path: arg, Kind: intake.Unknown, Summary: map[string]any{},
				Problems: []intake.Problem{{What: err.Error()}}, Partial: true})
			continue
		}
		opened++
	}
	if opened == 0 {
		return first
	}
	if err := p.print(out, files); err != nil {
		return err
	}
	partial := 0
	for _, f := range files {
		if f.Partial {
			partial++
		}
	}
	if partial > 0 {
		return partly{fmt.Sprintf("%d of %d files are unknown or cannot be read in part", partial, len(files))}
	}
	return nil
}

// look probes a file, or every file below a folder.
func (p probe) look(ctx context.Context, arg string, progress intake.Progress, see func(intake.File)) error {
	if st, err := os.Stat(arg); err == nil && st.IsDir() {
		return intake.Walk(ctx, arg, func(f intake.File) error {
			f.Path = filepath.Join(arg, filepath.FromSlash(f.Path))
			see(f)
			return nil
		}, progress)
	}
	f, err := intake.Probe(ctx, arg, progress)
	if err == nil {
		see(f)
	}
	return err
}

func (p probe) print(out io.Writer, files []intake.File) error {
	if p.json {
		return printJSON(out, struct {
			Schema string        `json:"schema"`
			Files  []intake.File `json:"files"`
		}{"atalaya.probe/1", files})
	}
	const shown = 5
	kind, size, path := len("KIND"), len("BYTES"), len("FILE")
	for _, f := range files {
		kind, size, path = max(kind, len(f.Kind)), max(size, len(strconv.FormatInt(f.Bytes, 10))), max(path, len(f.Path))
	}
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "%-*s  %*s  %-*s  WHAT IT IS\n", kind, "KIND", size, "BYTES", path, "FILE")
	for _, f := range files {
		what, _ := f.Summary["what"].(string)
		fmt.Fprintf(w, "%-*s  %*d  %-*s  %s\n", kind, f.Kind, size, f.Bytes, path, f.Path, what)
		for i, q := range f.Problems {
			if i == shown {
				fmt.Fprintf(w, "    and %d more, see --json\n", len(f.Problems)-shown)
				break
			}
			if q.At != "" {
				q.At += ": "
			}
			fmt.Fprintf(w, "    ! %s%s\n", q.At, q.What)
		}
	}
	return w.Flush()
}
