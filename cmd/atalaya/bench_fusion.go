package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/bench"
	"github.com/atalaya-isr/atalaya/locate/site"
)

// benchFusion are the flags of the benchmark of the fusion of evidence.
type benchFusion struct {
	scenario, fit, calibration    string
	train                         []string
	seeds, trainSeeds, otherSeeds int
	leftOut, fromFiles            int
	ablations                     bool
}

func (b *benchFusion) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&b.scenario, "scenario", "province", "fusion: the region that is scored")
	f.IntVar(&b.seeds, "seeds", 100, "fusion: how many campaigns of it")
	f.StringSliceVar(&b.train, "train", nil, "fusion: regions that the calibration is fitted on; without it all whose names begin with train-")
	f.IntVar(&b.trainSeeds, "train-seeds", 20, "fusion: how many campaigns of each")
	f.IntVar(&b.otherSeeds, "other-seeds", 20, "fusion: campaigns of barren, rumour and bias each; 0 leaves them out")
	f.BoolVar(&b.ablations, "ablations", true, "fusion: each sense alone and each left out")
	f.IntVar(&b.leftOut, "left-out", 0, "fusion: of the campaigns, the first so many on which each sense is left out; 0 is all")
	f.IntVar(&b.fromFiles, "from-files", 0, "fusion: so many campaigns both as detections and from the files of their sensors, nothing else")
	f.StringVar(&b.fit, "fit", "", "fusion: fit the calibration, write it to this file, score nothing")
	f.StringVar(&b.calibration, "calibration", "", "fusion: a calibration of all senses that was fitted before")
}

func (b *benchFusion) checked() error {
	for _, v := range []struct {
		flag  string
		given int
	}{{"seeds", b.seeds}, {"train-seeds", b.trainSeeds}, {"other-seeds", b.otherSeeds}, {"left-out", b.leftOut}, {"from-files", b.fromFiles}} {
		if v.given < 0 || v.given > 10000 {
			return &atalaya.Error{Op: "bench.fusion", Kind: atalaya.BadUse, Err: fmt.Errorf("--%s %d", v.flag, v.given), Hint: "Give 0 to 10000"}
		}
	}
	if b.fit != "" && (b.calibration != "" || b.fromFiles > 0) {
		return misuse{errors.New("bench fusion takes --fit alone, without --calibration or --from-files. See `atalaya bench --help`")}
	}
	return nil
}

func (b *benchFusion) run(cmd *cobra.Command, j *benchJudge) error {
	if err := b.checked(); err != nil {
		return err
	}
	step, end := j.progress(cmd)
	defer end()
	o := bench.FusionOptions{Scenario: b.scenario, Seeds: b.seeds, FirstSeed: j.seed, Train: b.train, TrainSeeds: b.trainSeeds, OtherSeeds: b.otherSeeds, Ablations: b.ablations, LeftOut: b.leftOut, Version: version, Progress: step}
	if b.fit != "" {
		c, err := bench.FitFusion(cmd.Context(), o)
		if err != nil {
			return err
		}
		return writeCalibration(b.fit, c)
	}
	if b.calibration != "" {
		text, err := os.ReadFile(b.calibration)
		if err != nil {
			return &atalaya.Error{Op: "bench.fusion", File: b.calibration, Kind: atalaya.NotFound, Err: errors.Unwrap(err), Hint: "Name a file that --fit wrote"}
		}
		if o.Calibration, err = site.ReadCalibration(text); err != nil {
			return err
		}
	}
	if b.fromFiles > 0 {
		return b.files(cmd, j, o, end)
	}
	f, err := bench.Fuse(cmd.Context(), o)
	end()
	if err != nil {
		return err
	}
	if j.json {
		err = printJSON(cmd.OutOrStdout(), f)
	} else {
		err = f.Print(cmd.OutOrStdout())
	}
	if missed := f.Missed(); err == nil && j.gate && len(missed) > 0 {
		err = &atalaya.Error{Op: "bench.fusion", Kind: atalaya.Failed, Err: fmt.Errorf("%d of %d gates are not met, the first: %s", len(missed), len(f.Gates), missed[0].Name), Hint: "Read the table, and mend the fusion rather than the gate"}
	}
	return err
}

// files runs campaigns both ways, in a folder that is gone afterwards.
func (b *benchFusion) files(cmd *cobra.Command, j *benchJudge, o bench.FusionOptions, end func()) (err error) {
	dir, err := os.MkdirTemp("", "atalaya-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o.Seeds = b.fromFiles
	if len(o.Calibration.Knots) == 0 {
		o.Calibration = *site.Shipped()
	}
	f, err := bench.CheckFiles(cmd.Context(), o, dir)
	end()
	if err != nil {
		return err
	}
	if j.json {
		return printJSON(cmd.OutOrStdout(), f)
	}
	return f.Print(cmd.OutOrStdout())
}

func writeCalibration(file string, c site.Calibration) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	var lines bytes.Buffer
	if err := json.Indent(&lines, text, "", " "); err != nil {
		return err
	}
	lines.WriteByte('\n')
	return os.WriteFile(file, lines.Bytes(), 0o644)
}
