//go:build !no_ui

// Package web holds the workbench: TypeScript in src, its committed build in dist. The build is embedded, so that the program
// serves it with no files beside it; with the build tag no_ui nothing is embedded.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Dist is the built workbench: index.html at its root, everything else under assets/, favicon.svg and source.sha256.
func Dist() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("web: " + err.Error()) // the folder is embedded by the line above
	}
	return sub
}
