//go:build no_ui

// Package web holds the workbench; this build leaves it out.
package web

import "io/fs"

// Dist is empty: the program was built without the workbench.
func Dist() fs.FS { return nothing{} }

type nothing struct{}

func (nothing) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
