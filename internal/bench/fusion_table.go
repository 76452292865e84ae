package bench

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/atalaya-isr/atalaya/score"
)

// What is asked of the fusion.
const (
	gatePrecision = 0.8
	gateECE       = 0.03
	gateAreaShare = 0.5
	gateBarren    = 0.5
	gateCopies    = 0.01
)

// find is the row of a name that is calibrated, nil where there is none.
func find(rows []FusionRow, name string) *score.Figures {
	for i := range rows {
		if rows[i].Name == name && rows[i].Calibrated != "no" {
			return &rows[i].Score.Figures
		}
	}
	return nil
}

// best is the least figure among the senses alone, and whose it is; NaN where none has one.
func (f *Fusion) best(of func(score.Figures) float64) (least float64, name string) {
	least = math.NaN()
	for _, r := range f.Rows {
		if v := of(r.Score.Figures); strings.HasSuffix(r.Name, " alone") && !math.IsNaN(v) && !(v >= least) {
			least, name = v, r.Name
		}
	}
	return least, name
}

func area50(f score.Figures) float64 { return float64(f.Area50) }
func area90(f score.Figures) float64 { return float64(f.Area90) }
func brier(f score.Figures) float64  { return float64(f.BrierPerSite) }

func (f *Fusion) gates() {
	f.Gates = []Gate{}
	add := func(name, wanted string, got float64, met bool) {
		if !math.IsNaN(got) {
			f.Gates = append(f.Gates, Gate{name, wanted, got, met})
		}
	}
	if all := find(f.Rows, "all senses"); all != nil {
		add("precision at 10, of sites that work at the end", ">= 0.8", float64(all.PrecisionAt10), all.PrecisionAt10 >= gatePrecision)
		add("precision at 10, with sites that closed on the way", ">= 0.8", float64(all.EverAt10), all.EverAt10 >= gatePrecision)
		add("true sites inside their 90 % regions", "0.87 to 0.93", float64(all.In90), all.In90 >= 0.87 && all.In90 <= 0.93)
		add("expected calibration error", "<= 0.03", float64(all.CalibrationError), all.CalibrationError <= gateECE)
		if least, name := f.best(brier); !math.IsNaN(least) {
			add("Brier by site, over that of "+name, "< 1", brier(*all)/least, brier(*all) < least)
		}
		for _, a := range []struct {
			name string
			of   func(score.Figures) float64
		}{{"half", area50}, {"nine tenths", area90}} {
			if least, name := f.best(a.of); !math.IsNaN(least) {
				add("area to "+a.name+" of the sites, over that of "+name, "<= 0.5", a.of(*all)/least, a.of(*all) <= gateAreaShare*least)
			}
		}
	}
	if v := find(f.Others, "barren"); v != nil {
		add("candidates above 50 % a campaign where there is no site", "< 0.5", float64(v.AboveHalf), v.AboveHalf < gateBarren)
	}
	if v := find(f.Others, "bias"); v != nil {
		add("true sites inside their 90 % regions, sensors biased", "0.85 to 0.95", float64(v.In90), v.In90 >= 0.85 && v.In90 <= 0.95)
	}
	if len(f.Copies) > 0 {
		worst := 0.0
		for _, c := range f.Copies {
			worst = max(worst, math.Abs(c.After/c.Before-1))
		}
		add("relative change of a probability when a report is copied 100 times, the largest", "< 0.01", worst, worst < gateCopies)
	}
}

// Missed are the gates that were not met.
func (f *Fusion) Missed() (out []Gate) {
	for _, g := range f.Gates {
		if !g.Met {
			out = append(out, g)
		}
	}
	return out
}

// Print writes the tables for eyes.
func (f *Fusion) Print(to io.Writer) error {
	w := tabwriter.NewWriter(to, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "%s, %d campaigns from seed %d; calibration of %.0f cases, %.0f of them sites, from", f.Scored.Scenario, f.Scored.Seeds, f.Scored.FirstSeed, f.Calibration.Cases, f.Calibration.Sites)
	for _, b := range f.Calibration.From {
		fmt.Fprintf(w, " %s (%d seeds from %d)", b.Scenario, b.Seeds, b.FirstSeed)
	}
	least50, _ := f.best(area50)
	least90, _ := f.best(area90)
	fmt.Fprint(w, "\nFigures with 90 % intervals over campaigns; areas over the best single sense's\n\n")
	fmt.Fprintln(w, "EVIDENCE\tCAMPAIGNS\tCALIBRATED\tFOUND\tPRECISION@10\tAND CLOSED\tAVERAGE PRECISION\tECE\tBRIER/SITE\tLOG/SITE\tIN 50 %\tIN 90 %\tAREA 50\tAREA 90\tABOVE 50 %")
	for _, r := range f.Rows {
		printRow(w, r, least50, least90)
	}
	for _, r := range f.Others {
		printRow(w, r, math.NaN(), math.NaN())
	}
	if len(f.Rows) > 0 {
		s := f.Rows[0].Score
		fmt.Fprintf(w, "\nAll senses: %d sites in %d campaigns; CEP50 %.0f m, CEP90 %.0f m; AUC %.3f; false above 50 %%: %.2f a campaign, %.3f per 1,000 km², %.4f a flight hour; a true one among the first ten after %.0f h\n",
			s.Sites, s.Campaigns, s.Figures.CEP50, s.Figures.CEP90, s.Figures.AUC, s.Figures.FalseAboveHalf, s.Figures.FalsePer1000Km2, s.Figures.FalsePerHour, s.Figures.HoursToTrue)
		fmt.Fprintf(w, "area to half of the sites %.0f km², to nine tenths %.0f km²; what lies at false candidates above 50 %%: %v\n", s.Figures.Area50, s.Figures.Area90, s.FalseBy)
		fmt.Fprintln(w, "\nWORD\tFROM\tTO\tSTATED\tCAME TRUE\t95 % INTERVAL")
		for _, b := range s.Reliable {
			fmt.Fprintf(w, "%s\t%g\t%g\t%.3f\t%d of %d\t%.3f to %.3f\n", b.Word, b.From, b.To, b.Stated, b.True.Held, b.True.Of, b.True.Low, b.True.High)
		}
	}
	for _, c := range f.Copies {
		fmt.Fprintf(w, "seed %d, %s copied %d times: %.6f, then %.6f\n", c.Seed, c.Report, c.Copies, c.Before, c.After)
	}
	for _, m := range f.Missing {
		fmt.Fprintf(w, "left out: there is no scenario %s\n", m)
	}
	fmt.Fprintln(w, "\nGATE\tWANTED\tGOT\t")
	for _, g := range f.Gates {
		fmt.Fprintf(w, "%s\t%s\t%.3g\t%s\n", g.Name, g.Wanted, g.Got, map[bool]string{true: "met", false: "NOT MET"}[g.Met])
	}
	return w.Flush()
}

func printRow(w io.Writer, r FusionRow, least50, least90 float64) {
	f := r.Score.Figures
	cell := func(of func(score.Figures) float64, format string, scale float64) string {
		v := of(f) * scale
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return "-"
		}
		if r.Score.Low == nil {
			return fmt.Sprintf(format, v)
		}
		return fmt.Sprintf(format+" ("+format+"-"+format+")", v, of(*r.Score.Low)*scale, of(*r.Score.High)*scale)
	}
	plain := func(of func(score.Figures) float64) string { return cell(of, "%.2f", 1) }
	fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, r.Score.Campaigns, r.Calibrated,
		plain(func(f score.Figures) float64 { return float64(f.Found) }), plain(func(f score.Figures) float64 { return float64(f.PrecisionAt10) }), plain(func(f score.Figures) float64 { return float64(f.EverAt10) }),
		plain(func(f score.Figures) float64 { return float64(f.AveragePrecision) }), cell(func(f score.Figures) float64 { return float64(f.CalibrationError) }, "%.3f", 1),
		cell(brier, "%.3f", 1), plain(func(f score.Figures) float64 { return float64(f.LogScorePerSite) }), plain(func(f score.Figures) float64 { return float64(f.In50) }),
		plain(func(f score.Figures) float64 { return float64(f.In90) }), cell(area50, "%.2f", 1/least50), cell(area90, "%.2f", 1/least90),
		plain(func(f score.Figures) float64 { return float64(f.AboveHalf) }))
}
