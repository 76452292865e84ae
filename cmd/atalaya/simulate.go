package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/simulate"
)

func simulateCommand() *cobra.Command {
	var scenario string
	var seed uint64
	c := &cobra.Command{
		Use:   "simulate DIR",
		Short: "A mission with known truth: DIR/mission holds the sensor files, DIR/truth.json what is true",
		Long: `Makes a small invented campaign in the real file formats. DIR/mission is a mission folder for "atalaya run"; DIR/truth.json
beside it is for "atalaya score" and is never read by anything else. The same scenario and seed give the same bytes.`,
		Example: `  atalaya simulate /tmp/campaign --seed 7
  atalaya simulate /tmp/campaign --scenario empty
  atalaya simulate /tmp/campaign --scenario my-scenario.yaml`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSimulate(args[0], scenario, seed, cmd.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&scenario, "scenario", "small", "small, empty, or a scenario file that ends in .yaml")
	c.Flags().Uint64Var(&seed, "seed", 1, "chance begins here")
	return c
}

func runSimulate(dir, scenario string, seed uint64, talk io.Writer) error {
	s, err := scenarioOf(scenario)
	if err != nil {
		return err
	}
	mission := filepath.Join(dir, "mission")
	if _, err := os.Lstat(mission); !errors.Is(err, os.ErrNotExist) {
		return &atalaya.Error{Op: "simulate", File: mission, Kind: atalaya.BadUse, Err: errors.New("it is there already"), Hint: "Give a folder without a mission in it"}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// Made aside and renamed, so that a broken run leaves no half mission.
	aside, err := os.MkdirTemp(dir, ".mission-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(aside)
	truth, err := simulate.Campaign(s, seed, app.Folder(aside))
	if err != nil {
		return err
	}
	if err := os.Chmod(aside, 0o755); err != nil {
		return err
	}
	if err := writeTruth(filepath.Join(dir, "truth.json"), truth); err != nil {
		return err
	}
	if err := os.Rename(aside, mission); err != nil {
		return err
	}
	fmt.Fprintf(talk, "%s: %s (scenario %s, seed %d)\nTruth beside it: %s\n", mission, s.About, s.Name, seed, filepath.Join(dir, "truth.json"))
	return nil
}

// scenarioOf is a scenario that comes with the program, or one in a file.
func scenarioOf(name string) (simulate.Scenario, error) {
	if !strings.HasSuffix(name, ".yaml") {
		return simulate.Find(name)
	}
	f, err := os.Open(name)
	if err != nil {
		return simulate.Scenario{}, &atalaya.Error{Op: "simulate", File: name, Kind: atalaya.BadUse, Err: err, Hint: "Give a scenario file, or the name of one that comes with the program"}
	}
	defer f.Close()
	s, err := simulate.ReadScenario(f)
	var e *atalaya.Error
	if errors.As(err, &e) {
		e.File = name
	}
	return s, err
}

func writeTruth(name string, t simulate.Truth) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	err = t.Write(f)
	return errors.Join(err, f.Close())
}
