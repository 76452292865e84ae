package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/bench"
)

// benchJudge are the flags of what judges estimates rather than speed.
type benchJudge struct {
	json, quiet, gate            bool
	surveys, flights, efficiency int
	experiments, minutes         int
	plan                         string
	seed                         uint64
}

func (j *benchJudge) flags(c *cobra.Command) {
	f := c.Flags()
	f.IntVar(&j.surveys, "surveys", 1000, "calibration: simulated surveys with 0 to 5 sources; 0 leaves them out")
	f.IntVar(&j.flights, "flights", 1000, "calibration: background-only flights of each kind of background; 0 leaves them out")
	f.IntVar(&j.efficiency, "efficiency", 200, "calibration: surveys of each setting in which a bound is known; 0 leaves them out")
	f.BoolVar(&j.gate, "gate", false, "calibration, fusion: end with 1 where a gate is not met")
	f.StringVar(&j.plan, "plan", "", "metec: folder of the plan; gas/metec-plan of $ATALAYA_SHARED when empty")
	f.IntVar(&j.experiments, "experiments", 0, "metec: how many experiments, evenly spread over the plan; 0 is all")
	f.IntVar(&j.minutes, "minutes", 60, "metec: how many minutes of each experiment, from its beginning")
	f.Uint64Var(&j.seed, "seed", 1, "calibration, metec, fusion: the same version, sizes and seed give the same bytes")
}

func (j *benchJudge) checked() error {
	for _, v := range []struct {
		flag        string
		given, most int
	}{{"surveys", j.surveys, 1e6}, {"flights", j.flights, 1e6}, {"efficiency", j.efficiency, 1e6}, {"experiments", j.experiments, 1e6}, {"minutes", j.minutes, 1440}} {
		if v.given < 0 || v.given > v.most || v.flag == "minutes" && v.given < 10 {
			return &atalaya.Error{Op: "bench", Kind: atalaya.BadUse, Err: fmt.Errorf("--%s %d", v.flag, v.given), Hint: fmt.Sprintf("Give at most %d, and of minutes at least 10", v.most)}
		}
	}
	return nil
}

// progress shows what is done by parts.
func (j *benchJudge) progress(cmd *cobra.Command) (func(what string, done, total int), func()) {
	p := newProgress(cmd.ErrOrStderr(), j.quiet)
	return func(what string, done, total int) { p.step(what, int64(done), int64(total), "done") }, p.end
}

func (j *benchJudge) calibration(cmd *cobra.Command) error {
	if err := j.checked(); err != nil {
		return err
	}
	step, end := j.progress(cmd)
	c, err := bench.Calibrate(cmd.Context(), bench.CalibrationOptions{Surveys: j.surveys, Flights: j.flights, Efficiency: j.efficiency, Seed: j.seed, Progress: step})
	end()
	if err != nil {
		return err
	}
	if j.json {
		err = printJSON(cmd.OutOrStdout(), c)
	} else {
		err = c.Print(cmd.OutOrStdout())
	}
	if missing := c.Missing(); err == nil && j.gate && len(missing) > 0 {
		err = &atalaya.Error{Op: "bench.calibration", Kind: atalaya.Failed, Err: fmt.Errorf("%d of %d gates are not met, the first: %s", len(missing), len(c.Gates), missing[0].Name), Hint: "Read the table, and mend the estimator rather than the gate"}
	}
	return err
}

func (j *benchJudge) metec(cmd *cobra.Command) error {
	if err := j.checked(); err != nil {
		return err
	}
	dir := j.plan
	if dir == "" {
		shared := os.Getenv("ATALAYA_SHARED")
		if shared == "" {
			return &atalaya.Error{Op: "bench.metec", Kind: atalaya.BadUse, Err: errors.New("skipped: the METEC plan does not ship with the program"), Hint: "Name its folder with --plan, or the shared data folder with ATALAYA_SHARED"}
		}
		dir = filepath.Join(shared, "gas", "metec-plan")
	}
	plan, err := bench.ReadMetecPlan(os.DirFS(dir))
	if err != nil {
		return err
	}
	step, end := j.progress(cmd)
	m, err := plan.Metec(cmd.Context(), bench.MetecOptions{Experiments: j.experiments, Minutes: j.minutes, Seed: j.seed, Progress: step})
	end()
	if err != nil {
		return err
	}
	if j.json {
		return printJSON(cmd.OutOrStdout(), m)
	}
	return m.Print(cmd.OutOrStdout())
}
