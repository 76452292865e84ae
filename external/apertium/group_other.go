//go:build !unix

package apertium

import "os/exec"

// together leaves the ending of what the program started to WaitDelay: their pipes are closed.
func together(*exec.Cmd) {}
