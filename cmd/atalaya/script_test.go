package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/atalaya-isr/atalaya/internal/fixture"
)

// TestMain lets the scripts, and the tests that kill the program, run it as a program of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"atalaya": main})
}

// TestScripts runs every file of testdata/script: each is a how-to page that is checked.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("ATALAYA_GOLDEN") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("ATALAYA_DATA", filepath.Join(e.WorkDir, "data"))
			e.Setenv("SHARED", fixture.SharedRoot())
			return nil
		},
		Condition: func(name string) (bool, error) { return name == "shared" && fixture.SharedRoot() != "", nil },
	})
}
