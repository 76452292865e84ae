package site

import "slices"

// A WordRange is a word of estimative probability and what it means.
type WordRange struct {
	Code             string
	From, To         float64 // probability; From belongs to it, To to the next one
	English, Spanish string
}

// Words are those of Intelligence Community Directive 203 (2015, section D.6.e(2)(a)), which leaves what is below 1 % and above 99 % without a word: it
// is stated as such. They speak of likelihood; how much stands behind it is said in another sentence.
var Words = [...]WordRange{
	{"below-1", 0, 0.01, "below 1 %", "menos de 1 %"},
	{"almost-no-chance", 0.01, 0.05, "almost no chance", "casi ninguna posibilidad"},
	{"very-unlikely", 0.05, 0.20, "very unlikely", "muy improbable"},
	{"unlikely", 0.20, 0.45, "unlikely", "improbable"},
	{"roughly-even", 0.45, 0.55, "roughly even chance", "posibilidades casi iguales"},
	{"likely", 0.55, 0.80, "likely", "probable"},
	{"very-likely", 0.80, 0.95, "very likely", "muy probable"},
	{"almost-certain", 0.95, 0.99, "almost certain", "casi seguro"},
	{"above-99", 0.99, 1, "above 99 %", "más de 99 %"},
}

// Word is the code of the word for a probability between 0 and 1. Only a calibrated one has a word: see Calibration.Word.
func Word(p float64) (code string) {
	i := slices.IndexFunc(Words[1:], func(w WordRange) bool { return !(p >= w.From) })
	if i < 0 {
		i = len(Words) - 1
	}
	return Words[i].Code
}

// Word is the code of the word for log-odds before calibration, nil where fewer than LeastCases stand behind it.
func (c Calibration) Word(logOdds float64) *string {
	l, _, _, n := c.Apply(logOdds)
	if n < LeastCases {
		return nil
	}
	w := Word(probability(l))
	return &w
}
