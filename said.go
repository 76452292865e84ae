package atalaya

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Sentence is one statement of a ledger or of a list by its code, with what differs from case to case as values: so that a
// screen can say it in the reader's language, and a program need not read English. Values are numbers as they are to be read,
// names, or quoted words; those called kind and integrity are words of the API, which a screen has its own words for.
type Sentence struct {
	Code   string            `json:"code"`
	Values map[string]string `json:"values,omitempty"`
}

// Sentences are the English of every code, with values in braces. The catalogue of the workbench holds the same lines, word for
// word, under note.*, and their Spanish.
var Sentences = map[string]string{
	// Rows of a ledger.
	"prior":                 "{density} sites per km² before any evidence (assumed), in {area} km²",
	"gas-source":            "gas source, probability {p} that there is one: {rates}",
	"gas-none":              "gas survey found no source: less likely here, by what could not have been missed",
	"emitter":               "emitter {emitter}: half of the probability within {cep50} m, {used} bearings used, {rejected} rejected",
	"emitter-unnamed":       "unnamed emitter: half of the probability within {cep50} m, {used} bearings used, {rejected} rejected",
	"integrity":             "integrity {integrity}",
	"looked":                "ground looked at in {n} footprints: less likely here, by what would have stood out",
	"report":                "report: {text}",
	"calibrated":            "so often came true what added up to this: {n} cases stand behind it",
	"from-the-record":       "made from this record, so that it counts nothing",
	"alternatives-together": "what else this may be explains all of it together better than each by itself",
	"time-passed":           "sites open and close: half of them work no longer after {days} days",
	"stood-out":             "{what} stood out for {sensor}",
	"same-origin":           "of the same origin as another item, which counts alone",
	"no-finite-error":       "its place has no finite error, so that it says nothing about any place",
	"bounded":               "{kind} items together count from {least} to {most}",
	"strongest":             "{kind} items near each other may be one innocent thing: the strongest counts, at most {most}",
	"permit":                "permit for {class}: {name}",
	"permit-unnamed":        "permit for {class}, without a name",

	// What lies about a place.
	"near-track": "{km} km from a track",
	"near-road":  "{km} km from a road",
	"no-way":     "no road or track within 20 km",
	"near-water": "{km} km from water",
	"no-water":   "no water within 20 km",
	"in-town":    "in a town",
	"near-town":  "{km} km from a town",

	// What came back.
	"outcome-confirmed":   "confirmed on the ground, {on} ({by})",
	"outcome-empty":       "visited, nothing there, {on} ({by})",
	"outcome-abandoned":   "visited, abandoned, {on} ({by})",
	"outcome-not-visited": "not visited, {on} ({by}): says nothing about the place",
	"outcome-unsafe":      "not entered, unsafe, {on} ({by})",
	"correction":          "a correction",
	"quoted":              "{text}", // words of a person or of a source, in their own language

	// Headlines of detections.
	"gas-found":    "gas source: {rates}",
	"gas-no-found": "no gas source found",
	"not-judged":   "not judged: {why}",
	"no-words":     "report without words",
	"no-position":  "names no position",
	"mover-stop":   "mover {track} stops, having gone at {speed} m/s",
	"mover-turn":   "mover {track} turns around and comes back along its path, at {speed} m/s",
	"mover-begins": "mover {track} is first seen here, within the picture, and goes at {speed} m/s",
	"mover-ends":   "mover {track} is last seen here, within the picture, going at {speed} m/s",

	// Warnings with the answer to a gas survey, and with what its mixture resembles.
	"survey-skipped":       "{n} samples without place, wind or value were passed over",
	"survey-calm":          "mean wind below 1 m/s: a steady plume does not hold, read the region as too small",
	"survey-weak-wind":     "mean wind of {speed} m/s, below 1.5 m/s: gas pools and wanders more than a steady plume does, read the region as too small",
	"survey-turning":       "the wind turned while gas was on its way, by up to {turn} degrees in {travel} s, and by more than 15 for {share} % of what was measured in gas: a steady plume does not follow that, read the region as too small",
	"survey-mostly-below":  "{below} of {n} values of {compound} ({share} %) are below the limit of detection: they tell where gas is not, and the other {rest} carry the rest of the answer",
	"survey-wind-reversed": "turned by half a turn the wind explains the survey better, {odds} to 1: it may say where to instead of where from. Settle that before using any place given here",
	"mixture-flat":         "no channel varies: there is no plume to take a composition from",
	"mixture-no-plume":     "no plume stands out of the noise",
	"mixture-passed-over":  "{channel} was passed over: it shares no row, time and place with {reference}",
	"mixture-unknown":      "{channel} was passed over: nothing says what it responds to. Add the line: # cas_{channel}: CAS[;CAS...]",
	"mixture-few":          "fewer than three channels rise: ratios of so few say little",

	// Why there is no advice for the next leg, or no word of what a mixture resembles, and what to do about it.
	"advice-calm":                "the wind is calm at the end of the survey",
	"advice-calm-remedy":         "Give the wind; below 1 m/s no leg can be planned by it",
	"advice-no-ground":           "the search area holds no ground",
	"advice-no-ground-remedy":    "Give a wider --area",
	"advice-no-leg":              "no leg of {length} m or more is allowed within the fence and {minutes} minutes",
	"advice-no-leg-remedy":       "Widen the fence, give more minutes, or do not fly",
	"mixture-no-compound":        "no compound column",
	"mixture-no-compound-remedy": "Name one like toluene_ppb",
	"mixture-molar":              "{channel} is in {unit} and its molar mass is not known",
	"mixture-molar-remedy":       "Add the line: # molar_mass_{channel}: g/mol",
	"mixture-unsaid":             "no channel says what it responds to",
	"mixture-unsaid-remedy":      "Add a line like: # cas_toluene: 108-88-3",
	"mixture-none-rise":          "no channel rises out of its background",
	"mixture-none-rise-remedy":   "Fly through the plume, and keep a stretch of clean air in the file",
	"mixture-one":                "one channel ({channel}) is not a mixture",
	"mixture-one-remedy":         "Log more compounds: kinds of emitters differ in the ratios between them",
	"mixture-strange":            "the channels see nothing of any profile in a class",
	"mixture-strange-remedy":     "Check the lines # cas_<channel>: CAS, and the library",

	// What an observation holds.
	"samples":          "{n} samples of {compounds}",
	"packets":          "{n} metadata packets, heights {datum}",
	"packets-no-datum": "{n} metadata packets, heights not stated",
	"bearings":         "{n} bearings on {emitter}",
	"bearings-unnamed": "{n} bearings on an emitter",
	"sheet":            "{n} detections of kind {kind} in {looks} footprints",
	"layer":            "{ways} roads and tracks, {waters} rivers and waters, {towns} towns",
	"movers":           "{n} movers in {frames} pictures, {events} events worth a look; what is slower than {slow} m/s is not seen",
	"movers-unplaced":  "{n} movers in {frames} pictures, without places on the ground",
}

// Say makes a sentence from its code and pairs of a value's name and the value. A code that Sentences lacks, or values that are not
// those of its line, are a programmer's error.
func Say(code string, pairs ...string) Sentence {
	s := Sentence{Code: code}
	if len(pairs) > 0 {
		s.Values = make(map[string]string, len(pairs)/2)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		s.Values[pairs[i]] = pairs[i+1]
	}
	line, known := Sentences[code]
	if want := Placeholders(line); !known || !slices.Equal(want, slices.Sorted(maps.Keys(s.Values))) {
		panic(fmt.Sprintf("atalaya: a sentence %q with %v, want %v", code, pairs, want))
	}
	return s
}

// English is the sentence in English; the code itself where this version does not know it.
func (s Sentence) English() string {
	line, known := Sentences[s.Code]
	if !known {
		return s.Code
	}
	var pairs []string
	for _, name := range Placeholders(line) {
		pairs = append(pairs, "{"+name+"}", s.Values[name])
	}
	return strings.NewReplacer(pairs...).Replace(line) // one pass: braces in a value stay as they are
}

// English is what several sentences say, in English, on one line.
func English(said []Sentence) string {
	lines := make([]string, len(said))
	for i, s := range said {
		lines[i] = s.English()
	}
	return strings.Join(lines, "; ")
}

// Placeholders lists the values that a line asks for, sorted, each once.
func Placeholders(line string) []string {
	var names []string
	for {
		_, rest, found := strings.Cut(line, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			slices.Sort(names)
			return slices.Compact(names)
		}
		names, line = append(names, name), after
	}
}
