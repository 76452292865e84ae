package apertium

import (
	"regexp"
	"strings"
)

// numerals are digits with what may stand between them.
var numerals = regexp.MustCompile(`\d+(?:[.,' ]\d+)*`)

func digits(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, s)
}

// numberFlags tells each number of the source whose digits the translation lacks.
func numberFlags(s Segment) []Flag {
	left := map[string]int{}
	for _, m := range numerals.FindAllString(s.Target, -1) {
		left[digits(m)]++
	}
	var flags []Flag
	for _, m := range numerals.FindAllStringIndex(s.Source, -1) {
		text := s.Source[m[0]:m[1]]
		if d := digits(text); left[d] > 0 {
			left[d]--
			continue
		}
		flags = append(flags, Flag{Kind: "number", SourceSpan: &Span{m[0], m[1]}, Note: "the number " + text + " is not in the translation"})
	}
	return flags
}

// The words that deny, by direction of the source.
var (
	deniesSpanish = regexp.MustCompile(`(?i)(?:^|[^\p{L}])(no|nunca|jamás|nadie|nada|ningún|ninguno|ninguna|tampoco|sin|ni)(?:$|[^\p{L}])`)
	deniesEnglish = regexp.MustCompile(`(?i)(?:^|[^\p{L}])(no|not|never|nobody|none|nothing|neither|nor|nowhere|without|cannot|hardly|unable|[a-z]+n[’']t)(?:$|[^\p{L}])`)
)

// negationFlags tells a source that denies something when no word of the translation does.
func negationFlags(s Segment, direction string) []Flag {
	source, target := deniesSpanish, deniesEnglish
	if direction == "eng-spa" {
		source, target = deniesEnglish, deniesSpanish
	}
	m := source.FindStringSubmatchIndex(s.Source)
	if m == nil || target.MatchString(s.Target) {
		return nil
	}
	return []Flag{{Kind: "negation", SourceSpan: &Span{m[2], m[3]}, Note: "the source denies something, the translation does not"}}
}
