package app

import (
	"golang.org/x/text/encoding/charmap"

	"github.com/atalaya-isr/atalaya/sense/report"
)

// wordsOf is the text of a report without its header, whatever it was written in: Body counts bytes of the file.
func wordsOf(r *report.Report) string {
	raw := r.Raw[r.Body[0]:r.Body[1]]
	if r.Encoding != "windows-1252" {
		return string(raw)
	}
	text, err := charmap.Windows1252.NewDecoder().Bytes(raw)
	if err != nil { // a table of all 256 bytes has none
		return string(raw)
	}
	return string(text)
}
