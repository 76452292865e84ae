package report

import (
	"strings"
	"unicode"
)

// Language is the language of a report. Confidence is the share of its function words that belong to that language, by
// Laplace's rule (n+1)/(n+m+2) for n words of it against m of the other: 0.5 when there are none. It is a share, not a
// calibrated probability. Below three words, or a share of 0.6, the code is "und" (undetermined, BCP 47).
type Language struct {
	Code       string  `json:"code"` // "es", "en", "und", or what the header says
	Confidence float64 `json:"confidence"`
	Spanish    int     `json:"spanish_words"`
	English    int     `json:"english_words"`
	Declared   bool    `json:"declared,omitempty"` // the header says so
}

// Function words that are frequent in one of the two languages and no word of the other. "no", "a", "me", "he", "son", "as"
// and "come" are words of both and are left out.
var spanish, english = words(`de la el que en y los del se las por un para con una su al es lo como más pero sus le ya este sí
porque esta entre cuando muy sin sobre también hasta hay donde quien desde todo nos durante todos uno les ni contra otros ese eso
ante ellos esto mí antes algunos qué unos yo otro otras otra él tanto esa estos mucho quienes nada muchos cual poco ella estar
estas algunas algo nosotros fue era está están había han ha ser tiene tienen dijo según aquí ahí`),
	words(`the of and to in is that it for was on with at by be this have from or are but an they which you were her she
there would their we him been has when who will if them then some could these two may do any my now such like our over only
other than its also into about after before where did said his not what up out so no-one`)

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

// GuessLanguage tells Spanish from English by their function words.
func GuessLanguage(s string) Language {
	var l Language
	for _, w := range strings.FieldsFunc(strings.ToLower(s), func(c rune) bool { return !unicode.IsLetter(c) && c != '\'' }) {
		if spanish[w] {
			l.Spanish++
		}
		if english[w] {
			l.English++
		}
	}
	n, m, code := l.Spanish, l.English, "es"
	if m > n {
		n, m, code = m, n, "en"
	}
	l.Confidence = float64(n+1) / float64(n+m+2)
	l.Code = "und"
	if n+m >= 3 && l.Confidence >= 0.6 {
		l.Code = code
	}
	return l
}
