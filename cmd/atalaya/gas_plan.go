package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/plan"
)

// gasPlan are the flags of gas plan.
type gasPlan struct {
	json, quiet, join                bool
	seed                             uint64
	legs                             int
	group, fence, area, out, marking string
	start                            string
	minHeight, maxHeight             float64
	speed, minutes                   float64
	changed                          func(flag string) bool
}

func gasPlanCommand() *cobra.Command {
	var f gasPlan
	c := &cobra.Command{
		Use:   "plan SURVEY.csv",
		Short: "Which flight leg would tell most next about where the gas comes from: advice, never sent to an aircraft",
		Long: "Which flight leg would tell most next about where the gas comes from, for the minutes it takes: advice for a person, never sent to an aircraft.\n" +
			"What no flag says is taken from the survey: heights between the lowest and the highest flown, the usual speed, the last place.",
		Example: `  atalaya gas plan survey.csv
  atalaya gas plan survey.csv --fence fence.geojson --min-height 20 --max-height 60 --minutes 12
  atalaya gas plan survey.csv --json --seed 7 | jq '.legs[0]'
  atalaya gas plan survey.csv --out next --marking U//SYNTHETIC`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.changed = cmd.Flags().Changed
			return f.run(cmd, args[0])
		},
	}
	c.Flags().BoolVar(&f.json, "json", false, "print one JSON document, atalaya.advice/1")
	c.Flags().BoolVar(&f.quiet, "quiet", false, "no progress")
	c.Flags().BoolVar(&f.join, "join", false, "take all groups as one")
	c.Flags().StringVar(&f.group, "group", "", "plan for this group of a survey of several")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "seed: the same input, version and seed give the same bytes")
	c.Flags().IntVar(&f.legs, "legs", 5, "how many legs to rank")
	c.Flags().StringVar(&f.fence, "fence", "", "GeoJSON polygon that the aircraft must stay within")
	c.Flags().StringVar(&f.area, "area", "", "GeoJSON polygon in which a source is looked for while none was found; the fence when empty, else the ground around the survey")
	c.Flags().Float64Var(&f.minHeight, "min-height", 0, "least height above ground in metres; as flown when not given")
	c.Flags().Float64Var(&f.maxHeight, "max-height", 0, "greatest height above ground in metres; as flown when not given")
	c.Flags().Float64Var(&f.speed, "speed", 0, "speed in m/s; as flown when not given")
	c.Flags().Float64Var(&f.minutes, "minutes", 10, "minutes left to fly")
	c.Flags().StringVar(&f.start, "start", "", "where the aircraft is, as lat,lon,height (x,y,height in a local survey); the last place of the survey when empty")
	c.Flags().StringVar(&f.out, "out", "", "folder to write next-leg.geojson and next-leg.kml to")
	c.Flags().StringVar(&f.marking, "marking", app.UnmarkedMission, "marking that the files of --out carry")
	return c
}

func planMisuse(hint, format string, a ...any) error {
	return &atalaya.Error{Op: "gas.plan", Kind: atalaya.BadUse, Hint: hint, Err: fmt.Errorf(format, a...)}
}

func (f gasPlan) run(cmd *cobra.Command, path string) error {
	marking, err := f.checked()
	if err != nil {
		return err
	}
	_, in, lost, err := readInput(path, f.join, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	if in, err = f.oneGroup(in); err != nil {
		return inFile(path, err)
	}
	l, err := f.limits(in)
	if err != nil {
		return err
	}
	if f.out != "" && in.Frame == nil {
		return &atalaya.Error{Op: "gas.plan", File: path, Kind: atalaya.BadInput, Err: errors.New("the survey has no place on the Earth, and so no map has one for the leg"), Hint: "Add # origin: lat,lon above its header"}
	}
	advice, err := f.advise(cmd, in, l)
	if err != nil {
		return inFile(path, err)
	}
	if f.out != "" {
		if err := writeAdvice(f.out, advice, marking); err != nil {
			return err
		}
	}
	if f.json {
		err = printJSON(cmd.OutOrStdout(), advice)
	} else {
		err = printAdvice(cmd.OutOrStdout(), advice)
	}
	if err == nil && lost {
		err = partly{"some rows or values could not be read; each is named above"}
	}
	return err
}

// checked looks at what can be told wrong before any file is read.
func (f gasPlan) checked() (m atalaya.Marking, err error) {
	switch {
	case f.legs < 1 || f.legs > 100:
		return m, planMisuse("Give 1 to 100", "--legs %d", f.legs)
	case f.changed("speed") && !(f.speed > 0):
		return m, planMisuse("Give m/s above 0", "--speed %g", f.speed)
	case f.changed("min-height") && f.changed("max-height") && !(f.minHeight <= f.maxHeight):
		return m, planMisuse("Give the lower one as --min-height", "--min-height %g lies above --max-height %g", f.minHeight, f.maxHeight)
	}
	if m, err = atalaya.ParseMarking(f.marking); err != nil {
		return m, misuse{err}
	}
	return m, nil
}

// oneGroup leaves the one group that is planned for.
func (f gasPlan) oneGroup(in source.Input) (source.Input, error) {
	if f.changed("group") {
		for _, g := range in.Groups {
			if g.Group == f.group {
				in.Groups = []source.Survey{g}
				return in, nil
			}
		}
		return in, planMisuse("Name a group of the survey, or leave --group out", "there is no group %q", f.group)
	}
	if len(in.Groups) > 1 {
		return in, planMisuse("Give --group NAME for one of them, or --join", "the survey has %d groups, and one aircraft flies the next leg", len(in.Groups))
	}
	return in, nil
}

// limits are as the survey shows them, where no flag says otherwise.
func (f gasPlan) limits(in source.Input) (plan.Limits, error) {
	if len(in.Groups) == 0 {
		return plan.Limits{}, planMisuse("Give a survey with at least five samples", "no samples")
	}
	l := plan.AsFlown(in.Groups[0])
	l.Minutes = f.minutes
	for _, v := range []struct {
		flag  string
		given float64
		into  *float64
	}{{"speed", f.speed, &l.SpeedMPS}, {"min-height", f.minHeight, &l.MinHeightM}, {"max-height", f.maxHeight, &l.MaxHeightM}} {
		if f.changed(v.flag) {
			*v.into = v.given
		}
	}
	// One height alone that lies beyond those flown is meant: it moves the other with it.
	if f.changed("min-height") && !f.changed("max-height") {
		l.MaxHeightM = max(l.MaxHeightM, l.MinHeightM)
	}
	if f.changed("max-height") && !f.changed("min-height") {
		l.MinHeightM = min(l.MinHeightM, l.MaxHeightM)
	}
	if f.start != "" {
		at, err := f.startOf(in)
		if err != nil {
			return l, err
		}
		l.Start = at
	}
	for _, v := range []struct {
		file string
		into *plan.Polygon
	}{{f.fence, &l.Fence}, {f.area, &l.Area}} {
		if v.file == "" {
			continue
		}
		r, err := os.Open(v.file)
		if err != nil {
			return l, &atalaya.Error{Op: "gas.plan", File: v.file, Kind: atalaya.BadUse, Err: errors.Unwrap(err), Hint: "Name a readable file"}
		}
		*v.into, err = plan.ReadPolygon(r, v.file, in.Frame)
		r.Close()
		if err != nil {
			return l, err
		}
	}
	return l, l.Check()
}

func (f gasPlan) startOf(in source.Input) (at [3]float64, err error) {
	parts := strings.Split(f.start, ",")
	ok := len(parts) == 3
	for i := 0; ok && i < 3; i++ {
		if at[i], err = strconv.ParseFloat(strings.TrimSpace(parts[i]), 64); err != nil {
			ok = false
		}
	}
	ll := geodesy.LatLon{Lat: at[0], Lon: at[1]}
	if !in.Local && ok && !ll.Valid() {
		ok = false
	}
	if !ok {
		return at, planMisuse("Write latitude,longitude,height above ground; in a local survey x,y,height", "--start %q", f.start)
	}
	if !in.Local {
		xy := in.Frame.GroundENU(ll)
		at[0], at[1] = xy[0], xy[1]
	}
	return at, nil
}

func (f gasPlan) advise(cmd *cobra.Command, in source.Input, l plan.Limits) (*plan.Advice, error) {
	p := newProgress(cmd.ErrOrStderr(), f.quiet)
	defer p.end()
	say := func(what string) func(done, total int) {
		return func(done, total int) { p.say(fmt.Sprintf("%s: %d of %d steps", what, done, total)) }
	}
	res, err := source.Locate(cmd.Context(), in, source.Options{Seed: f.seed, Progress: say("locating")})
	if err != nil {
		return nil, err
	}
	return plan.Next(cmd.Context(), in, 0, &res.Groups[0], l, plan.Options{Seed: f.seed, Legs: f.legs, Progress: say("planning")})
}

// writeAdvice puts both files in place, each whole or not at all.
func writeAdvice(dir string, a *plan.Advice, m atalaya.Marking) error {
	g, err := a.GeoJSON(m)
	if err != nil {
		return err
	}
	k, err := a.KML(m)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return &atalaya.Error{Op: "gas.plan", File: dir, Kind: atalaya.BadUse, Err: errors.Unwrap(err), Hint: "Name a folder that can be written to"}
	}
	for _, f := range []struct {
		name string
		body []byte
	}{{"next-leg.geojson", g}, {"next-leg.kml", k}} {
		if err := writeWhole(filepath.Join(dir, f.name), f.body); err != nil {
			return &atalaya.Error{Op: "gas.plan", File: filepath.Join(dir, f.name), Kind: atalaya.Failed, Err: err, Hint: "Name a folder that can be written to"}
		}
	}
	return nil
}

// writeWhole writes a file aside and renames it.
func writeWhole(path string, body []byte) error {
	t, err := os.CreateTemp(filepath.Dir(path), ".next-leg-*")
	if err != nil {
		return err
	}
	defer os.Remove(t.Name()) // gone by rename when all went well
	_, err = t.Write(body)
	if err = errors.Join(err, t.Chmod(0o644), t.Close()); err != nil {
		return err
	}
	return os.Rename(t.Name(), path)
}

func printAdvice(w io.Writer, a *plan.Advice) error {
	fmt.Fprintf(w, "%s: %s", a.Compound, map[string]string{"found": "a source was found", "not found": "no source was found yet"}[a.Situation])
	fmt.Fprintf(w, "; 90 %% region as large as a circle of %.0f m; wind %.1f m/s from %.0f°\n", a.Radius90M, a.WindSpeed, a.WindFrom)
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "RANK\tLEG\tFROM\tTO\tHEIGHT m\tMIN\tBIT (90 %)\tBIT/MIN\tREGION THEN m\tP(GAS)")
	list := a.Legs
	if a.Baseline != nil {
		list = append(list[:len(list):len(list)], *a.Baseline)
	}
	for _, l := range list {
		rank := strconv.Itoa(l.Rank)
		if l.Rank == 0 {
			rank = "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%.0f\t%.1f\t%.2f (%.2f to %.2f)\t%.2f\t%.0f (%.0f to %.0f)\t%.2f\n", rank, l.Kind, planPoint(l.Points[0]), planPoint(l.Points[1]), l.Points[0].HeightM, l.Minutes,
			l.Bits.Mean, l.Bits.P05, l.Bits.P95, l.BitsPerMinute, l.Radius90.After.Mean, l.Radius90.After.P05, l.Radius90.After.P95, l.Detect)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "1: %s\n", a.Legs[0].Why.EN)
	_, err := fmt.Fprintln(w, a.Note.EN)
	return err
}

func planPoint(p plan.Point) string {
	if p.Lat != nil {
		return fmt.Sprintf("%.5f %.5f", *p.Lat, *p.Lon)
	}
	return fmt.Sprintf("x %.0f y %.0f", *p.XM, *p.YM)
}
