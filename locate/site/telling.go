package site

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// leastWords is how many words a text must have for its words to name an origin: fewer may be said by two people alike.
const leastWords = 5

// WordsKey is a key of lineage for what somebody said: the same for texts of the same words in the same order, whatever their case, their accents, their
// figures and their stops. Who passes a report on may date it anew, number it and type it in capitals; the words stay. It is empty where
// there are fewer than leastWords words.
func WordsKey(text string) string {
	letters := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) { // an accent belongs to its letter
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(text))
	words := strings.FieldsFunc(letters, func(r rune) bool { return !unicode.IsLetter(r) })
	if len(words) < leastWords {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.Join(words, " ")))
	return "words_" + hex.EncodeToString(sum[:16])
}
