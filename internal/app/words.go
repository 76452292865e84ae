package app

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"

	"github.com/atalaya-isr/atalaya/sense/report"
)

// leastWords is how many words a report must have for its words to name an origin: fewer may be said by two people alike.
const leastWords = 5

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

// wordsKey names the words of a text: small letters without accents, and nothing but letters, in their order. Who passes a report on may
// date it anew, number it and type it in capitals; the words stay. It is "" for a text of fewer than leastWords words.
func wordsKey(text string) string {
	var b strings.Builder
	words, inWord := 0, false
	for _, r := range norm.NFKD.String(text) {
		switch {
		case unicode.Is(unicode.Mn, r): // an accent belongs to its letter
		case unicode.IsLetter(r):
			if !inWord {
				words++
				b.WriteByte(' ')
			}
			inWord = true
			b.WriteRune(unicode.ToLower(r))
		default:
			inWord = false
		}
	}
	if words < leastWords {
		return ""
	}
	sum := sha256.Sum256([]byte(b.String()))
	return "words_" + hex.EncodeToString(sum[:16])
}
