package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/emitter"
	"github.com/atalaya-isr/atalaya/sense/bearing"
	"github.com/atalaya-isr/atalaya/sense/delimited"
)

func signalCommand() *cobra.Command {
	c := &cobra.Command{Use: "signal", Short: "Radio emitters: where they stand"}
	c.AddCommand(signalFixCommand())
	return c
}

// signalFix are the flags of signal fix.
type signalFix struct {
	json, quiet       bool
	biasSigma, height float64
}

func signalFixCommand() *cobra.Command {
	var f signalFix
	c := &cobra.Command{
		Use:   "fix FILE.csv",
		Short: "Positions of emitters from the bearings that aircraft or stations took on them",
		Example: `  atalaya signal fix bearings.csv
  atalaya signal fix bearings.csv --bias-sigma 0.5 --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	c.Flags().BoolVar(&f.json, "json", false, "print one JSON document, atalaya.fixes/1")
	c.Flags().BoolVar(&f.quiet, "quiet", false, "no progress")
	c.Flags().Float64Var(&f.biasSigma, "bias-sigma", emitter.DefaultBiasSigmaDeg,
		"standard deviation in degrees of the heading error that bearings of one bias_group share")
	c.Flags().Float64Var(&f.height, "height", 0, "height of the emitters above the ellipsoid in metres")
	return c
}

// fixes is the answer, atalaya.fixes/1.
type fixes struct {
	Schema   string       `json:"schema"`
	Fixes    []fix        `json:"fixes"`
	Problems []fixProblem `json:"problems"`

	lost int // problems that cost a bearing or a fix
}

type fix struct {
	Emitter      string            `json:"emitter"`
	Time         time.Time         `json:"time"` // of the last bearing
	Lat          float64           `json:"lat"`
	Lon          float64           `json:"lon"`
	HeightHAE    float64           `json:"height_hae_m"`
	CovarianceM2 [2][2]float64     `json:"covariance_m2"`
	Ellipse95    geodesy.Ellipse   `json:"ellipse95"`
	CEP50M       float64           `json:"cep50_m"`
	CEP95M       float64           `json:"cep95_m"`
	Integrity    emitter.Integrity `json:"integrity"`
	Why          string            `json:"why,omitempty"`
	Weight       float64           `json:"weight"`
	Used         int               `json:"used"`
	Rejected     int               `json:"rejected"`
}

type fixProblem struct {
	At   string `json:"at"`
	What string `json:"what"`
}

func (f signalFix) run(file string, out, talk io.Writer) error {
	if !(f.biasSigma > 0 && f.biasSigma <= 90) {
		return &atalaya.Error{Op: "signal.fix", Kind: atalaya.BadUse, Err: fmt.Errorf("--bias-sigma %v", f.biasSigma), Hint: "Give degrees above 0 and up to 90"}
	}
	r, err := os.Open(file)
	if err != nil {
		return &atalaya.Error{Op: "signal.fix", File: file, Kind: atalaya.BadInput, Err: errors.Unwrap(err), Hint: "Give the path of a bearings CSV"}
	}
	defer r.Close()
	set, err := bearing.Read(r, file)
	if err != nil {
		return err
	}
	answer := f.locate(set, talk)
	if len(answer.Fixes) == 0 {
		p := answer.Problems[len(answer.Problems)-1]
		return &atalaya.Error{Op: "signal.fix", File: file, Place: p.At, Kind: atalaya.BadInput, Err: errors.New(p.What)}
	}
	if f.json {
		if err := printJSON(out, answer); err != nil {
			return err
		}
	} else if err := answer.table(out); err != nil {
		return err
	}
	for _, p := range answer.Problems {
		sayProblem(talk, file, p.At, p.What)
	}
	if answer.lost > 0 {
		return partly{fmt.Sprintf("%s: done in part, %d problems", file, answer.lost)}
	}
	return nil
}

func (f signalFix) locate(set *bearing.Set, talk io.Writer) fixes {
	answer := fixes{Schema: "atalaya.fixes/1", Fixes: []fix{}, Problems: []fixProblem{}}
	for _, p := range set.Problems {
		answer.Problems = append(answer.Problems, fixProblem{p.At, p.String()})
		if p.Lost != delimited.Note {
			answer.lost++
		}
	}
	names, rows := set.ByEmitter()
	told := time.Now()
	for n, name := range names {
		if time.Since(told) > 10*time.Second && !f.quiet {
			told = time.Now()
			fmt.Fprintf(talk, "%d of %d emitters\n", n, len(names))
		}
		var bs []emitter.Bearing
		var last time.Time
		for _, i := range rows[n] {
			b := set.Bearings[i]
			bs = append(bs, emitter.Bearing{Sensor: b.From, AzimuthDeg: b.Deg, SigmaDeg: b.SigmaDeg, BiasGroup: b.BiasGroup})
			if b.Time.After(last) {
				last = b.Time
			}
		}
		post, err := emitter.Locate(bs, emitter.Options{HeightHAE: f.height, BiasSigmaDeg: f.biasSigma})
		if err != nil {
			answer.Problems = append(answer.Problems, fixProblem{"emitter " + name, err.Error()})
			answer.lost++
			continue
		}
		for _, x := range post.Fixes {
			answer.Fixes = append(answer.Fixes, fix{
				Emitter: name, Time: last.UTC(), Lat: x.At.Lat, Lon: x.At.Lon, HeightHAE: x.HeightHAE, CovarianceM2: x.CovarianceM2,
				Ellipse95: x.Ellipse95, CEP50M: x.CEP50M, CEP95M: x.CEP95M, Integrity: x.Integrity, Why: x.Why, Weight: x.Weight,
				Used: x.Used, Rejected: x.Rejected,
			})
		}
	}
	return answer
}

func (a fixes) table(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "emitter\tlat\tlon\t95 % ellipse\tCEP50\tused\trejected\tintegrity\t")
	for _, x := range a.Fixes {
		fmt.Fprintf(w, "%s\t%.5f\t%.5f\t%.0f x %.0f m at %.0f deg\t%.0f m\t%d\t%d\t%s\t%s\n", x.Emitter, x.Lat, x.Lon,
			x.Ellipse95.MajorM, x.Ellipse95.MinorM, x.Ellipse95.AzimuthDeg, x.CEP50M, x.Used, x.Rejected, x.Integrity, x.Why)
	}
	return w.Flush()
}
