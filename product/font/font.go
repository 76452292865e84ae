// Package font holds the typeface of what is printed, DejaVu Sans Condensed, so that a page looks alike everywhere. See LICENSE.
package font

import _ "embed" // the font files

var (
	//go:embed DejaVuSansCondensed.ttf
	regular []byte
	//go:embed DejaVuSansCondensed-Bold.ttf
	bold []byte
)

// Regular is the TrueType file of the upright face. The bytes are shared: do not change them.
func Regular() []byte { return regular }

// Bold is the TrueType file of the bold face. The bytes are shared: do not change them.
func Bold() []byte { return bold }
