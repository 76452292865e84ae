package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya/external/apertium"
	"github.com/atalaya-isr/atalaya/external/ffmpeg"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/serve"
	"github.com/atalaya-isr/atalaya/web"
)

func serveCommand() *cobra.Command {
	var listen string
	var quiet bool
	c := &cobra.Command{
		Use:   "serve",
		Short: "The workbench and its API, on loopback unless told otherwise; jobs are worked beside it",
		Example: `  atalaya serve
  atalaya serve --listen 127.0.0.1:8080 --data /srv/atalaya`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, closeIt, err := openApp(cmd)
			if err != nil {
				return err
			}
			defer closeIt()
			cfg, err := readConfig(a.Record.Dir())
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("listen") {
				listen = cfg.Listen
			}
			say := func(format string, args ...any) { fmt.Fprintf(cmd.ErrOrStderr(), format, args...) }
			if err := firstAccount(cmd.Context(), a, say); err != nil {
				return err
			}
			return workbench(cmd, a, listen, serve.Options{Log: operatorLog(cmd.ErrOrStderr(), quiet)}, func(url string) { say("The workbench is open at %s\nStop with Ctrl+C.\n", url) })
		},
	}
	c.Flags().StringVar(&listen, "listen", defaultConfig.Listen, "address of the workbench; port 0 takes any that is free")
	c.Flags().BoolVar(&quiet, "quiet", false, "do not tell of calls that failed inside")
	return c
}

// operatorLog tells of each call that failed inside the server in one line, with its time; the answer to the caller bears the
// same short name.
func operatorLog(w io.Writer, quiet bool) func(format string, args ...any) {
	if quiet {
		return nil
	}
	lines := log.New(w, "", 0) // a call fails in a goroutine of its own
	return func(format string, args ...any) {
		lines.Print(time.Now().UTC().Format(time.RFC3339), " ", oneLine(fmt.Errorf(format, args...)))
	}
}

// workbench serves until the command is told to stop, and works the jobs of the record beside it.
func workbench(cmd *cobra.Command, a *app.App, listen string, o serve.Options, ready func(url string)) error {
	o.Web = web.Dist()
	_, noFFmpeg := ffmpeg.Find(cmd.Context())
	_, noApertium := exec.LookPath("apertium")
	_, noPair := apertium.Find(cmd.Context(), "es", "en") // as a run looks for it
	o.Programs = serve.Programs{FFmpeg: noFFmpeg == nil, Apertium: noApertium == nil, ApertiumSpaEng: noPair == nil}
	for _, off := range []error{noFFmpeg, noPair} {
		if off != nil {
			fmt.Fprintln(cmd.ErrOrStderr(), "off:", off)
		}
	}
	h, err := serve.New(a, o)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	worked := make(chan error, 1)
	go func() { worked <- a.Work(ctx) }()
	err = serve.Listen(ctx, listen, h, ready)
	stop()
	return errors.Join(err, <-worked)
}

func workCommand() *cobra.Command {
	var quiet bool
	c := &cobra.Command{
		Use:     "work",
		Short:   "A worker: takes jobs from the record's queue until told to stop",
		Example: "  atalaya work\n  atalaya work --data /srv/atalaya",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, closeIt, err := openApp(cmd)
			if err != nil {
				return err
			}
			defer closeIt()
			a.Talk = newProgress(cmd.ErrOrStderr(), quiet).say
			return a.Work(cmd.Context())
		},
	}
	c.Flags().BoolVar(&quiet, "quiet", false, "no progress")
	return c
}
