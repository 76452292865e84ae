package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// videoFind are the flags of video find.
type videoFind struct {
	at, from, to string
	radius       float64
	files        []string
	json         bool
}

func videoFindCommand() *cobra.Command {
	var f videoFind
	c := &cobra.Command{
		Use:   "find --at LAT,LON",
		Short: "Which videos showed a place, when, from how far and how finely",
		Long: `Which videos showed a place, when, from how far and how finely: those of the record that you may see, or the files
named. An interval is a run of metadata packets that all show the place, or some of the disc around it. Nothing is
decoded, and what stands between camera and place is not known: a place in the picture may have been hidden.`,
		Example: `  atalaya video find --at 24.8012,-107.3945
  atalaya video find --at 24.8012,-107.3945 --radius 200 --from 2026-03-14 --to 2026-03-15T06:00:00Z
  atalaya video find --at 24.8012,-107.3945 --file flight.ts --file other.ts --json | jq '.videos[].intervals[]'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	c.Flags().StringVar(&f.at, "at", "", "the place, LAT,LON in degrees")
	c.Flags().Float64Var(&f.radius, "radius", 0, "also what lies so many metres around it")
	c.Flags().StringVar(&f.from, "from", "", "not before this date or time, UTC")
	c.Flags().StringVar(&f.to, "to", "", "not after this date or time, UTC")
	c.Flags().StringArrayVar(&f.files, "file", nil, "ask this file instead of the record (may be repeated)")
	c.Flags().BoolVar(&f.json, "json", false, "print one JSON document, atalaya.video-find/1")
	return c
}

func (f *videoFind) question() (q video.Question, err error) {
	lat, lon, ok := strings.Cut(f.at, ",")
	var err1, err2 error
	q.At.Lat, err1 = strconv.ParseFloat(strings.TrimSpace(lat), 64)
	q.At.Lon, err2 = strconv.ParseFloat(strings.TrimSpace(lon), 64)
	if !ok || err1 != nil || err2 != nil || !q.At.Valid() {
		return q, misuse{fmt.Errorf("--at %q is no place. Write latitude and longitude in degrees, like 24.8012,-107.3945", f.at)}
	}
	const most = 50e3 // as far as footprints reach
	if q.RadiusM = f.radius; !(f.radius >= 0 && f.radius <= most) {
		return q, misuse{fmt.Errorf("--radius %g. Give 0 to %g metres", f.radius, most)}
	}
	if f.from != "" {
		if q.From, err = day("from", f.from); err != nil {
			return q, err
		}
	}
	if f.to != "" {
		if q.To, err = day("to", f.to); err != nil {
			return q, err
		}
		if len(f.to) == len(time.DateOnly) { // the whole day
			q.To = q.To.Add(24*time.Hour - time.Microsecond)
		}
	}
	if !q.From.IsZero() && !q.To.IsZero() && q.To.Before(q.From) {
		return q, misuse{fmt.Errorf("--to %s lies before --from %s", f.to, f.from)}
	}
	return q, nil
}

func (f *videoFind) run(cmd *cobra.Command) error {
	q, err := f.question()
	if err != nil {
		return err
	}
	doc, err := f.ask(cmd, q)
	if err != nil {
		return err
	}
	if f.json {
		err = printJSON(cmd.OutOrStdout(), doc)
	} else {
		err = findTable(cmd.OutOrStdout(), doc)
	}
	for _, p := range doc.Problems {
		sayProblem(cmd.ErrOrStderr(), p.File, fmt.Sprintf("byte %d", p.At), p.What)
	}
	if err == nil && len(doc.Problems) > 0 {
		return partly{fmt.Sprintf("%d videos asked, %d places in them could not be read", doc.Asked, len(doc.Problems))}
	}
	return err
}

func (f *videoFind) ask(cmd *cobra.Command, q video.Question) (*app.VideoFind, error) {
	if len(f.files) > 0 {
		return app.FindInFiles(cmd.Context(), q, f.files)
	}
	db, err := existingRecord(cmd)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	a := app.New(db, version)
	token, _ := cmd.Flags().GetString("token")
	if token == "" {
		token = os.Getenv("ATALAYA_TOKEN")
	}
	who, err := a.ByToken(cmd.Context(), token)
	if err != nil {
		return nil, err
	}
	view, err := a.View(cmd.Context(), who)
	if err != nil {
		return nil, err
	}
	return a.FindInVideos(cmd.Context(), view, q)
}

func findTable(out io.Writer, doc *app.VideoFind) error {
	if doc.Banner != "" {
		fmt.Fprintln(out, doc.Banner)
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	if len(doc.Videos) > 0 {
		fmt.Fprintln(w, "VIDEO\tSENSOR\tFROM\tTO\tPTS\tPACKETS\tSLANT RANGE\tGROUND SAMPLE\tBEST")
	}
	for _, v := range doc.Videos {
		for _, i := range v.Intervals {
			best := stamp(i.Best.Time)
			if i.Best.X != nil && v.Width > 0 {
				best += fmt.Sprintf(" at %.0f, %.0f px", *i.Best.X*float64(v.Width), *i.Best.Y*float64(v.Height))
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", v.File, dash(v.Sensor), stamp(i.From), stamp(i.To), span(i.FromPTS, i.ToPTS), i.Packets,
				spread(i.Slant, "%.0f", "m"), spread(i.GSD, "%.2f", "m"), best)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	at := geodesy.LatLon{Lat: doc.Lat, Lon: doc.Lon}
	if len(doc.Videos) == 0 {
		fmt.Fprintf(out, "no video showed %.5f, %.5f: %d asked\n", at.Lat, at.Lon, doc.Asked)
	}
	if doc.Banner != "" {
		fmt.Fprintln(out, doc.Banner)
	}
	return nil
}

func stamp(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Format("2006-01-02T15:04:05.0Z")
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func span(from, to *float64) string {
	if from == nil || to == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f-%.2f s", *from, *to)
}

func spread(r *app.SawRange, form, unit string) string {
	if r == nil {
		return "-"
	}
	if a, b := fmt.Sprintf(form, r.Least), fmt.Sprintf(form, r.Most); a != b {
		return a + "-" + b + " " + unit
	}
	return fmt.Sprintf(form, r.Least) + " " + unit
}
