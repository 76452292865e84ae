package main

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/app"
	chart "github.com/atalaya-isr/atalaya/product/figure"
	"github.com/atalaya-isr/atalaya/score"
)

// campaignFlags are what a ranking does not say of itself, and where its drawings go.
type campaignFlags struct {
	asOf, plots, marking, language string
	km2, hours                     float64
}

func (f *campaignFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.asOf, "as-of", "", "time of assessment of a ranking, as 2026-03-14T23:00:00Z: sites that worked then are to be found; all when empty")
	c.Flags().Float64Var(&f.km2, "area-km2", 0, "country that a ranking is about, for false candidates per 1,000 km²")
	c.Flags().Float64Var(&f.hours, "flight-hours", 0, "hours flown for a ranking, for false candidates per flight hour")
	c.Flags().StringVar(&f.plots, "plots", "", "draw a ranking's score into this folder: index.html, and each drawing as SVG and PNG")
	c.Flags().StringVar(&f.marking, "marking", app.UnmarkedMission, "marking that the drawings bear")
	c.Flags().StringVar(&f.language, "lang", "en", "language of the drawings: en or es")
}

func (f *campaignFlags) options() (o score.CampaignOptions, err error) {
	refuse := func(err error, hint string) error {
		return &atalaya.Error{Op: "score", Kind: atalaya.BadUse, Err: err, Hint: hint}
	}
	o.AreaKm2, o.FlightHours = f.km2, f.hours
	if f.asOf != "" {
		if o.AsOf, err = time.Parse(time.RFC3339, f.asOf); err != nil {
			return o, refuse(fmt.Errorf("--as-of %q is no time", f.asOf), "Write it as 2026-03-14T23:00:00Z")
		}
	}
	if !(f.km2 >= 0) || !(f.hours >= 0) {
		return o, refuse(errors.New("an area or a number of hours below 0"), "Give --area-km2 and --flight-hours as numbers above 0")
	}
	if f.language != "en" && f.language != "es" {
		return o, refuse(fmt.Errorf("%q is no language of drawings", f.language), "Write --lang en or --lang es")
	}
	if _, err := atalaya.ParseMarking(f.marking); err != nil {
		return o, refuse(err, "Write --marking as 'U//SYNTHETIC' or 'U//REL TO USA, MEX'")
	}
	return o, nil
}

// draw writes the drawings and a page that shows them.
func (f *campaignFlags) draw(s score.CampaignScore) error {
	if f.plots == "" {
		return nil
	}
	m, err := atalaya.ParseMarking(f.marking)
	if err != nil {
		return err
	}
	return drawInto(f.plots, "Atalaya: score", f.language, m, chart.ScoreDiagrams(s, f.marking, f.language), "reliability", "precision-recall", "area")
}

// drawInto writes the drawings of these names that there are, as SVG and PNG, and a page that shows them in this order.
func drawInto(folder, title, language string, m atalaya.Marking, all map[string]chart.Diagram, names ...string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	var page bytes.Buffer
	banner := html.EscapeString(m.Banner())
	fmt.Fprintf(&page, "<!doctype html>\n<html lang=\"%s\"><meta charset=\"utf-8\"><title>%s</title>\n<p>%s</p>\n", language, html.EscapeString(title), banner)
	for _, name := range names {
		d, ok := all[name]
		if !ok {
			continue
		}
		svg, err := chart.DiagramSVG(d)
		if err != nil {
			return err
		}
		raster, err := chart.DiagramPNG(d)
		if err != nil {
			return err
		}
		if err := errors.Join(os.WriteFile(filepath.Join(folder, name+".svg"), svg, 0o644), os.WriteFile(filepath.Join(folder, name+".png"), raster, 0o644)); err != nil {
			return err
		}
		fmt.Fprintf(&page, "<p><img src=\"%s.svg\" alt=\"%s\"></p>\n", name, html.EscapeString(d.Title))
	}
	fmt.Fprintf(&page, "<p>%s</p>\n</html>\n", banner)
	return os.WriteFile(filepath.Join(folder, "index.html"), page.Bytes(), 0o644)
}

// printCampaign writes the figures of a campaign, for eyes.
func printCampaign(w io.Writer, s score.CampaignScore) {
	f := s.Figures
	of := func(v float64, decimals int) string { return figure(v, decimals) }
	fmt.Fprintf(w, "\naverage precision %s; AUC %s; precision at 5 %s, at 10 %s (%s with sites that have closed), at 20 %s\n", of(float64(f.AveragePrecision), 3), of(float64(f.AUC), 3),
		of(float64(f.PrecisionAt5), 2), of(float64(f.PrecisionAt10), 2), of(float64(f.EverAt10), 2), of(float64(f.PrecisionAt20), 2))
	fmt.Fprintf(w, "half of the finds within %s m of their sites, nine tenths within %s m\n", of(float64(f.CEP50), 0), of(float64(f.CEP90), 0))
	fmt.Fprintf(w, "site in the 50 %% region of a candidate about it: %s\nin the 90 %% region: %s\nin the 95 %% region: %s\n", shareInWords(s.In50), shareInWords(s.In90), shareInWords(s.In95))
	fmt.Fprintf(w, "calibration error %s; Brier of the candidates %s, by site %s; log score %s, by site %s\n", of(float64(f.CalibrationError), 3), of(float64(f.Brier), 3),
		of(float64(f.BrierPerSite), 3), of(float64(f.LogScore), 3), of(float64(f.LogScorePerSite), 2))
	fmt.Fprintf(w, "called more probable than not: %s, of them false %s; per 1,000 km² %s, per flight hour %s\n", of(float64(f.AboveHalf), 0), of(float64(f.FalseAboveHalf), 0),
		of(float64(f.FalsePer1000Km2), 3), of(float64(f.FalsePerHour), 4))
	for _, kind := range kindsOf(s.FalseBy) {
		fmt.Fprintf(w, "  false at %s: %d\n", kind, s.FalseBy[kind])
	}
	fmt.Fprintln(w, "\nWORD\tFROM\tTO\tSTATED\tCAME TRUE\t95 % INTERVAL")
	for _, r := range s.Reliable {
		if r.True.Of > 0 {
			fmt.Fprintf(w, "%s\t%g\t%g\t%s\t%d of %d\t%.2f to %.2f\n", r.Word, r.From, r.To, of(float64(r.Stated), 3), r.True.Held, r.True.Of, r.True.Low, r.True.High)
		}
	}
}

func kindsOf(m map[string]int) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
