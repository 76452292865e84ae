package site

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
)

// WordsKey is a key of lineage for what somebody said: the same for texts of the same words in the same order, whatever their case, their figures and
// their stops. Who says again what another said, to the word, has it from them. It is empty where there are fewer than leastWords words, which two people may
// say by themselves.
func WordsKey(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) })
	if len(words) < leastWords {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.Join(words, " ")))
	return "words_" + hex.EncodeToString(sum[:16])
}

const leastWords = 6
