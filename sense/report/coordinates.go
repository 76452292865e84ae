package report

import (
	"fmt"
	"math"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// A Coordinate is a pair of coordinates found in the text.
type Coordinate struct {
	Span Span    `json:"span"`
	Text string  `json:"text"`
	Form string  `json:"form"` // "degrees", "dms", "mgrs"
	Lat  float64 `json:"lat"`
	Lon  float64 `json:"lon"`
	// ResolutionM is the length on the ground of one unit in the last place of the coarser coordinate: the position is known
	// no finer, whatever its error.
	ResolutionM float64 `json:"resolution_m"`
}

type badSpot struct {
	at   int
	what string
}

// The parts of the forms. O is oeste: the Spanish west. A letter of the hemisphere must end there ("O" but not "Ocampo").
const (
	num      = `(\d{1,3}(?:[.,]\d+)?)`
	sixty    = `(\d{1,2}(?:[.,]\d+)?)`
	dms      = num + `\s*[°º]\s*(?:` + sixty + `\s*['′’´]\s*(?:` + sixty + `\s*(?:"|″|”|''|’’|´´)\s*)?)?`
	dec      = `(\d{1,3}[.,]\d{2,})\s*[°º]?()()\s*` // empty groups keep the numbering of dms
	hem      = `(norte|sur|este|oeste|north|south|east|west|N|S|E|W|O)`
	between  = `\s*(?:,|;|/|y|and|-)?\s*(?:lat(?:itud)?|lon(?:gitud)?)?\s*`
	degree   = `(?:\s*[°º])?`
	pointNum = `([+−-]?\d{1,2}\.\d{3,})`
	pointLon = `([+−-]?\d{1,3}\.\d{3,})`
	commaNum = `([+−-]?\d{1,2},\d{4,})` // with three it could be thousands
	commaLon = `([+−-]?\d{1,3},\d{4,})`
)

// A form is one way to write a position: with hemispheres behind or before the numbers, or signed decimal degrees.
type form struct {
	name    string
	re      *regexp.Regexp
	hemAt   int  // group of the first hemisphere, 0 = signed
	leading bool // hemispheres before the numbers
}

func compile(s string) *regexp.Regexp { return regexp.MustCompile(`(?i)` + s) }

var forms = []form{
	{"dms", compile(dms + hem + between + dms + hem), 4, false},
	{"dms", compile(hem + `\s*` + dms + between + hem + `\s*` + dms), 1, true},
	{"degrees", compile(dec + hem + between + dec + hem), 4, false},
	{"degrees", compile(hem + `\s*` + dec + between + hem + `\s*` + dec), 1, true},
	{"degrees", compile(pointNum + degree + `\s*[,;/\s]\s*` + pointLon + degree), 0, false},
	{"degrees", compile(commaNum + degree + `(?:\s*[;/]\s*|,?\s+)` + commaLon + degree), 0, false},
}

// findCoordinates finds all positions in s, in order, none overlapping another.
func findCoordinates(s string) (found []Coordinate, bad []badSpot) {
	taken := map[int]bool{} // bytes of s that a position stands on; positions are short
	for _, f := range forms {
		for _, m := range f.re.FindAllStringSubmatchIndex(s, -1) {
			if !free(s, m[0], m[1]) || overlaps(taken, m[0], m[1]) {
				continue
			}
			c, err := f.read(s, m)
			if err != nil {
				bad = append(bad, badSpot{m[0], err.Error()})
			} else {
				found = append(found, c)
			}
			for i := m[0]; i < m[1]; i++ {
				taken[i] = true
			}
		}
	}
	for _, m := range mgrsForm.FindAllStringSubmatchIndex(s, -1) {
		if !free(s, m[0], m[1]) || overlaps(taken, m[0], m[1]) {
			continue
		}
		if c, is, err := readMGRS(s, m); err != nil {
			bad = append(bad, badSpot{m[0], err.Error()})
		} else if is {
			found = append(found, c)
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].Span[0] < found[j].Span[0] })
	sort.Slice(bad, func(i, j int) bool { return bad[i].at < bad[j].at })
	return found, bad
}

// free reports whether the match stands alone: no letter or digit goes on at either end.
func free(s string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:from])
	after, _ := utf8.DecodeRuneInString(s[to:])
	inWord := func(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }
	if from > 0 && (inWord(before) || before == '.' && from > 1 && unicode.IsDigit(rune(s[from-2]))) {
		return false
	}
	return to == len(s) || !inWord(after)
}

func overlaps(taken map[int]bool, from, to int) bool {
	for i := from; i < to; i++ {
		if taken[i] {
			return true
		}
	}
	return false
}

func (f form) read(s string, m []int) (Coordinate, error) {
	group := func(i int) string {
		if m[2*i] < 0 {
			return ""
		}
		return s[m[2*i]:m[2*i+1]]
	}
	c := Coordinate{Span: Span{m[0], m[1]}, Text: s[m[0]:m[1]], Form: f.name}
	if f.hemAt == 0 {
		lat, err1 := number(group(1))
		lon, err2 := number(group(2))
		if err1 != nil || err2 != nil || !(geodesy.LatLon{Lat: lat, Lon: lon}).Valid() {
			return c, fmt.Errorf("%q is not a position on the Earth: latitude first, then longitude", c.Text)
		}
		c.Lat, c.Lon, c.ResolutionM = lat, lon, metresPerDegree*math.Max(lastPlace(group(1)), lastPlace(group(2)))
		return c, nil
	}
	first, second := 1, 5 // groups of the degrees
	hems := [2]string{group(4), group(8)}
	if f.leading {
		first, second = 2, 6
		hems = [2]string{group(1), group(5)}
	}
	a, stepA, err := angle(group(first), group(first+1), group(first+2))
	if err != nil {
		return c, fmt.Errorf("%q: %w", c.Text, err)
	}
	b, stepB, err := angle(group(second), group(second+1), group(second+2))
	if err != nil {
		return c, fmt.Errorf("%q: %w", c.Text, err)
	}
	if group(first+1) == "" && group(second+1) == "" {
		c.Form = "degrees"
	}
	axisA, signA := hemisphere(hems[0])
	axisB, signB := hemisphere(hems[1])
	a, b = signA*a, signB*b
	if axisA == axisB {
		return c, fmt.Errorf("%q names two latitudes or two longitudes", c.Text)
	}
	if axisA == 'x' {
		a, b = b, a
	}
	if !(geodesy.LatLon{Lat: a, Lon: b}).Valid() {
		return c, fmt.Errorf("%q is not a position on the Earth", c.Text)
	}
	c.Lat, c.Lon, c.ResolutionM = a, b, metresPerDegree*math.Max(stepA, stepB)
	return c, nil
}

// metresPerDegree is the length of a degree of latitude on the mean sphere.
const metresPerDegree = geodesy.MeanRadiusM * geodesy.RadPerDegree

// hemisphere gives axis 'y' (north and south) or 'x', and the sign.
func hemisphere(h string) (axis byte, sign float64) {
	switch h := strings.ToLower(h); {
	case h == "este" || h[0] == 'e':
		return 'x', 1
	case h[0] == 'w' || h[0] == 'o':
		return 'x', -1
	case h[0] == 's':
		return 'y', -1
	}
	return 'y', 1
}

// angle is degrees, minutes and seconds in degrees, with the size of the last place in degrees.
func angle(d, min, sec string) (deg, step float64, err error) {
	unit := 1.0
	for _, part := range []string{d, min, sec} {
		if part == "" {
			break
		}
		v, err := number(part)
		if err != nil {
			return 0, 0, err
		}
		if unit < 1 && v >= 60 {
			return 0, 0, fmt.Errorf("%s is 60 or more minutes or seconds", part)
		}
		deg += v * unit
		step = lastPlace(part) * unit
		unit /= 60
	}
	return deg, step, nil
}

// lastPlace is the value of one unit in the last place: 0.001 for 24.801.
func lastPlace(s string) float64 {
	i := strings.IndexAny(s, ".,")
	if i < 0 {
		return 1
	}
	return math.Pow10(-(len(s) - i - 1))
}

// number reads a number with a decimal point or comma.
func number(s string) (float64, error) {
	s = strings.NewReplacer(",", ".", "−", "-").Replace(strings.TrimSpace(s))
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	return v, nil
}

// plainPair reads "24.8, -107.4" as a header line may give it, however few decimals.
func plainPair(s string) (geodesy.LatLon, bool) {
	a, b, ok := strings.Cut(s, ",")
	if !ok {
		a, b, ok = strings.Cut(s, ";")
	}
	lat, err1 := number(a)
	lon, err2 := number(b)
	at := geodesy.LatLon{Lat: lat, Lon: lon}
	return at, ok && err1 == nil && err2 == nil && at.Valid()
}
