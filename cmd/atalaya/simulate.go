package main

import (
	"bytes"
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
	var files bool
	c := &cobra.Command{
		Use:   "simulate DIR",
		Short: "A mission with known truth: DIR/mission holds the sensor files, DIR/truth.json what is true",
		Long: `Makes an invented campaign in the real file formats. DIR/mission is a mission folder for "atalaya run"; DIR/truth.json
beside it is for "atalaya score" and is never read by anything else. The same scenario and seed give the same bytes.

small and empty are ten by ten kilometres, with the files of gas, bearings, camera and reports. All others are regions of up to
40,000 km2 over weeks, at the level of detections: sheets of what each sensor made of each flight, reports, and the ground. With --files
gas drones, listening aircraft and cameras leave their own files there: gas surveys and bearings in the place of their sheets, the
camera's metadata of the moments of its call-outs beside theirs. Locating that many gas surveys takes hours.`,
		Example: `  atalaya simulate /tmp/campaign --seed 7
  atalaya simulate /tmp/campaign --scenario province
  atalaya simulate /tmp/campaign --scenario my-scenario.yaml`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSimulate(args[0], scenario, seed, files, cmd.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&scenario, "scenario", "small", "small, empty, a region (glen, valley, province, storm, rumour, bias, moving, barren, train-coast, train-sierra, train-plain), or a file that ends in .yaml")
	c.Flags().BoolVar(&files, "files", false, "of a region: files of the sensors that have a decoder, in the place of sheets")
	c.Flags().Uint64Var(&seed, "seed", 1, "chance begins here")
	return c
}

// A campaign is a scenario of either kind, made ready: what it is called, and what writes its mission and gives its truth.
type campaign struct {
	name, about string
	write       func(seed uint64, files bool, out simulate.Output) (simulate.Truth, error)
}

func runSimulate(dir, scenario string, seed uint64, files bool, talk io.Writer) error {
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
	truth, err := s.write(seed, files, app.Folder(aside))
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
	fmt.Fprintf(talk, "%s: %s (scenario %s, seed %d)\nTruth beside it: %s\n", mission, s.about, s.name, seed, filepath.Join(dir, "truth.json"))
	return nil
}

// scenarioOf is a scenario that comes with the program, or one in a file.
func scenarioOf(name string) (campaign, error) {
	if !strings.HasSuffix(name, ".yaml") {
		return builtScenario(name)
	}
	b, err := readScenarioFile(name)
	if err != nil {
		return campaign{}, &atalaya.Error{Op: "simulate", File: name, Kind: atalaya.BadUse, Err: err, Hint: "Give a scenario file, or the name of one that comes with the program"}
	}
	var c campaign
	if simulate.KindOfScenario(b) == simulate.RegionKind {
		var s simulate.RegionScenario
		s, err = simulate.ReadRegion(bytes.NewReader(b))
		c = ofRegion(s)
	} else {
		var s simulate.Scenario
		s, err = simulate.ReadScenario(bytes.NewReader(b))
		c = ofScenario(s)
	}
	var e *atalaya.Error
	if errors.As(err, &e) {
		e.File = name
	}
	return c, err
}

// readScenarioFile reads as much of a file as a scenario may have, and a byte more, by which the reader knows that it has too much.
func readScenarioFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, simulate.MaxScenario+1))
}

// builtScenario is one that comes with the program, of whichever kind.
func builtScenario(name string) (campaign, error) {
	small, err := simulate.Scenarios()
	if err != nil {
		return campaign{}, err
	}
	regions, err := simulate.Regions()
	if err != nil {
		return campaign{}, err
	}
	var names []string
	for _, s := range small {
		if s.Name == name {
			return ofScenario(s), nil
		}
		names = append(names, s.Name)
	}
	for _, s := range regions {
		if s.Name == name {
			return ofRegion(s), nil
		}
		names = append(names, s.Name)
	}
	return campaign{}, &atalaya.Error{Op: "simulate", Kind: atalaya.BadUse, Err: fmt.Errorf("no scenario %q", name),
		Hint: "Give one of " + strings.Join(names, ", ") + ", or a scenario file that ends in .yaml"}
}

func ofScenario(s simulate.Scenario) campaign {
	return campaign{s.Name, s.About, func(seed uint64, _ bool, out simulate.Output) (simulate.Truth, error) {
		return simulate.Campaign(s, seed, out)
	}}
}

func ofRegion(s simulate.RegionScenario) campaign {
	return campaign{s.Name, s.About, func(seed uint64, files bool, out simulate.Output) (simulate.Truth, error) {
		r, err := simulate.RegionCampaign(s, seed)
		if err != nil {
			return simulate.Truth{}, err
		}
		if files {
			_, err = r.WriteFiles(out)
			return r.Truth, err
		}
		return r.Truth, r.Write(out)
	}}
}

func writeTruth(name string, t simulate.Truth) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	err = t.Write(f)
	return errors.Join(err, f.Close())
}
