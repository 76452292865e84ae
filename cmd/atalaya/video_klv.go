package main

import (
	"bufio"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/sense/video"
)

func videoCommand() *cobra.Command {
	c := &cobra.Command{Use: "video", Short: "Motion imagery: what its metadata says, which ground it saw, and what moves there"}
	c.AddCommand(videoKLVCommand(), videoGeorefCommand(), videoMoversCommand(), videoCheckCommand(), videoClipCommand(), videoFindCommand())
	c.AddCommand(videoFrameCommand(), videoStoryboardCommand(), videoMosaicCommand())
	return c
}

func videoKLVCommand() *cobra.Command {
	var quiet bool
	var live videoLive
	c := &cobra.Command{
		Use:   "klv FILE",
		Short: "Every metadata packet of a transport stream or raw KLV file, one JSON line each",
		Example: `  atalaya video klv flight.ts
  atalaya video klv - < flight.ts
  atalaya video klv --udp 127.0.0.1:5004 --idle 10
  atalaya video klv metadata.klv | jq '.items["13"].value'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return live.lines(cmd, args, quiet, video.WriteKLV)
		},
	}
	live.add(c)
	videoFlags(c, &quiet)
	return c
}

func videoFlags(c *cobra.Command, quiet *bool) {
	c.Flags().BoolVar(quiet, "quiet", false, "no progress")
	c.Flags().Bool("json", true, "JSON Lines: what the command prints anyway")
}

// videoLines runs write over a file, with progress, and names what could not be read.
func videoLines(cmd *cobra.Command, path string, quiet bool, write func(io.Writer, io.Reader) (int, []video.Problem, error)) error {
	f, err := os.Open(path)
	if err != nil {
		return &atalaya.Error{Op: "video.read", File: path, Kind: atalaya.NotFound, Err: errors.Unwrap(err), Hint: "Name a readable file."}
	}
	defer f.Close()
	var size int64
	if st, err := f.Stat(); err == nil {
		size = st.Size()
	}
	shown := newProgress(cmd.ErrOrStderr(), quiet)
	defer shown.end()
	in := &watched{r: f, each: func(done int64) { shown.file(path, done, size) }}
	out := bufio.NewWriterSize(cmd.OutOrStdout(), 64<<10)
	n, problems, err := write(out, in)
	return linesEnd(cmd, path, n, problems, errors.Join(err, out.Flush()))
}

// watched tells how much was read, after each read.
type watched struct {
	r    io.Reader
	each func(done int64)
	done int64
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.r.Read(b)
	w.done += int64(n)
	w.each(w.done)
	return n, err
}
