package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya/internal/app"
)

func videoClipCommand() *cobra.Command {
	var r app.ClipRequest
	var asJSON, quiet bool
	c := &cobra.Command{
		Use:   "clip FILE --out FILE",
		Short: "A cut of a transport stream between two times, with its metadata, copied without decoding",
		Long: "A cut of a transport stream between two times, with its metadata, copied without decoding. Times are seconds of the stream's presentation time,\n" +
			"as pts_s elsewhere (12.5, or 00:00:12.5), the same counted from the first picture (+12.5), or UTC by the metadata (2026-05-04T12:00:00Z).\n" +
			"The cut begins at the random access point at or before --from, so that it can be decoded.",
		Example: `  atalaya video clip flight.ts --from 12.5 --to 20 --out cut.ts
  atalaya video clip flight.ts --from 2026-05-04T12:00:00Z --to 2026-05-04T12:01:00Z --out minute.ts
  atalaya video clip flight.ts --from +00:10:00 --out rest.ts --force`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r.In = args[0]
			if r.Out == "" {
				return misuse{fmt.Errorf("--out is missing: name the file to write. See `%s --help`", cmd.CommandPath())}
			}
			shown := newProgress(cmd.ErrOrStderr(), quiet)
			defer shown.end()
			r.Read = func(done, size int64) { shown.file(r.In, done, size) }
			doc, err := app.CutVideo(cmd.Context(), r)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), doc)
			}
			return sayClip(cmd.OutOrStdout(), doc)
		},
	}
	c.Flags().StringVar(&r.From, "from", "", "where it begins (default the beginning)")
	c.Flags().StringVar(&r.To, "to", "", "where it ends (default the end)")
	c.Flags().StringVar(&r.Out, "out", "", "the file to write")
	c.Flags().BoolVar(&r.Force, "force", false, "replace a file that is there")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document, atalaya.clip/1")
	c.Flags().BoolVar(&quiet, "quiet", false, "no progress")
	return c
}

func sayClip(w io.Writer, d app.ClipDocument) error {
	early := ""
	if asked, ok := d.AskedS[0].(float64); ok && asked-d.FromS > 0.0005 {
		early = fmt.Sprintf(", %.3f s before what was asked: pictures can be decoded from there", asked-d.FromS)
	}
	_, err := fmt.Fprintf(w, "%s: %d bytes, %d packets\n%d pictures and %d units of metadata\nfrom %.3f s%s\nto   %.3f s\n",
		d.Out, d.Bytes, d.Packets, d.Pictures, d.Metadata, d.FromS, early, d.ToS)
	return err
}
