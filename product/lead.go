package product

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/review"
)

// Options are what a package needs beside the release.
type Options struct {
	// Key is the recipient's own secret, at least 16 bytes: all ids leave as keyed hashes, so that two recipients cannot
	// compare theirs and nobody can guess ours.
	Key []byte
	// Made is when the package was made, UTC.
	Made time.Time
	// CoarsestM is the recipient's policy: coordinates are no finer than this many metres. Below 10 m it is taken as 10 m.
	CoarsestM float64
}

const (
	minKey   = 16   // bytes
	finestM  = 10.0 // metres; no recipient gets finer coordinates
	maxLegal = 200  // characters of the legal basis that fit on the page
	// shortestName is the length from which a name is looked for in the legal basis: "17" is in any order's number.
	shortestName = 4
	dayFormat    = time.DateOnly
)

// lead is all that may leave about a place: the template that every encoder writes. What has no field here does not leave.
type lead struct {
	ref, caseRef, releaseRef, basisRef string
	marking                            atalaya.Marking
	recipient, instrument              string
	asOf, released, expires            string // days
	made                               string // RFC 3339
	grid                               grid
	errorM                             float64 // radius of the 50 % region, rounded up
	centre                             node
	regions                            []region // largest first
	probability                        string
	word                               *phrase
	rates                              []rate
	evidence                           []evidence
	alternatives                       []alternative
	unknown                            []phrase
}

type region struct {
	share string // "0.95"
	parts [][]node
}

type rate struct {
	compound string
	p05, p95 float64 // kg/s, two significant digits
}

type evidence struct {
	kind     string
	what     phrase
	strength phrase
	grade    string
}

type alternative struct {
	what  phrase
	share float64
}

// leadOf opens a release and keeps what may leave. It refuses the zero Released, and what it cannot say safely.
func leadOf(r review.Released, o Options) (*lead, error) {
	rec, err := r.Open()
	if err != nil {
		return nil, err
	}
	switch {
	case len(o.Key) < minKey:
		return nil, badOption(fmt.Sprintf("the recipient's key has %d bytes", len(o.Key)), "Give it 16 bytes or more from a random source, and keep it")
	case o.Made.IsZero():
		return nil, badOption("the time of making is not stated", "State it in UTC")
	case math.IsNaN(o.CoarsestM) || o.CoarsestM < 0:
		return nil, badOption("the recipient's finest step is no length", "Give metres")
	}
	if err := checkLegal(rec); err != nil {
		return nil, err
	}
	m, err := atalaya.ParseMarking(rec.Marking)
	if err != nil {
		return nil, err
	}
	c := rec.Case.Snapshot
	key := func(kind, id string) string { return Reference(o.Key, rec.Recipient, kind, id) }
	expires := rec.LegalBasis.ReviewBy
	if rec.Case.LegalBasis.ReviewBy.Before(expires) {
		expires = rec.Case.LegalBasis.ReviewBy
	}
	l := &lead{
		ref: key("lead", string(c.ID)), caseRef: key("case", string(rec.Case.ID)), releaseRef: key("release", string(rec.ID)), basisRef: key("basis", rec.Case.Basis),
		marking: m, recipient: rec.Recipient, instrument: rec.LegalBasis.Instrument,
		asOf: day(c.AsOf), released: day(rec.At), expires: day(expires), made: o.Made.UTC().Format(time.RFC3339),
		probability: probabilityText(c.Probability), evidence: evidenceOf(c.Ledger), alternatives: alternativesOf(c.Alternatives),
		unknown: append(unknowns(day(c.AsOf)), howSure(c)...),
	}
	if l.word, err = wordOf(c.Word); err != nil {
		return nil, err
	}
	if l.rates, err = ratesOf(c.RateKgS); err != nil {
		return nil, err
	}
	return l, l.put(c.Place, o.CoarsestM)
}

func day(t time.Time) string { return t.UTC().Format(dayFormat) }

func badOption(what, hint string) error {
	return &atalaya.Error{Op: "product", Kind: atalaya.BadUse, Err: fmt.Errorf("%s", what), Hint: hint}
}

// Reference is the name under which a recipient knows a thing of ours: the kind and 128 bits of HMAC-SHA256 under the
// recipient's key. The same thing has the same reference in every package to one recipient.
func Reference(key []byte, recipient, kind, id string) string {
	h := hmac.New(sha256.New, key)
	for _, part := range []string{recipient, kind, id} {
		fmt.Fprintf(h, "%d:%s,", len(part), part)
	}
	return kind + "_" + hex.EncodeToString(h.Sum(nil)[:16])
}

// checkLegal refuses a legal basis that is no line of text, or that gives away what the package withholds: it is the only
// free text in a package.
func checkLegal(rec review.Record) error {
	text := rec.LegalBasis.Instrument
	bad := func(what string) error {
		return &atalaya.Error{Op: "product", Place: "legal basis", Kind: atalaya.Refused, Err: fmt.Errorf("%s", what), Hint: "Name the instrument in other words"}
	}
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > maxLegal || strings.ContainsFunc(text, unicode.IsControl) {
		return bad(fmt.Sprintf("it is not one line of at most %d characters", maxLegal))
	}
	for _, secret := range withheld(rec) {
		if strings.Contains(wordsOf(text), wordsOf(secret)) {
			return bad(fmt.Sprintf("it names %.60q, which the package withholds", secret))
		}
	}
	return nil
}

// wordsOf is text in small letters with one blank between and around words, so that whole words are found.
func wordsOf(s string) string {
	return " " + strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ") + " "
}

// withheld lists the names that must not appear in a package, as they are written in the record.
func withheld(rec review.Record) []string {
	c := rec.Case
	out := []string{string(c.ID), string(c.Candidate), string(c.Mission), string(c.OpenedBy), string(rec.By), string(rec.ID), c.Basis}
	for _, r := range rec.Reviews {
		out = append(out, string(r.ID), string(r.By))
	}
	for _, s := range rec.Sorties {
		out = append(out, string(s.ID), s.Platform)
	}
	for _, s := range rec.Sources {
		out = append(out, string(s.Observation))
	}
	for _, item := range c.Snapshot.Ledger {
		out = append(out, string(item.Evidence))
	}
	return slices.DeleteFunc(out, func(s string) bool { return len(strings.TrimSpace(wordsOf(s))) < shortestName })
}

// probabilityText never says certainty: below 1 % and above 99 % only the bound is given (ICD 203).
func probabilityText(p float64) string {
	switch {
	case !(p >= 0 && p <= 1):
		return "?"
	case p < 0.01:
		return "<0.01"
	case p > 0.99:
		return ">0.99"
	}
	return strconv.FormatFloat(p, 'f', 2, 64)
}

func wordOf(word *string) (*phrase, error) {
	if word == nil {
		return nil, nil
	}
	for _, w := range site.Words {
		if w.Code == *word {
			return &phrase{w.Spanish, w.English}, nil
		}
	}
	return nil, &atalaya.Error{Op: "product", Place: "word of likelihood", Kind: atalaya.BadInput, Err: fmt.Errorf("%.30q is no code of a word of likelihood", *word), Hint: "Compute the candidate again"}
}

// evidenceOf sums the ledger by kind (reports by grade too), so that neither the number nor the names of sensors leave.
func evidenceOf(ledger []atalaya.LedgerItem) []evidence {
	type group struct{ kind, grade string }
	sums := map[group]float64{}
	var groups []group
	for _, item := range ledger {
		g := group{kind: item.Kind}
		if _, known := evidenceWords[g.kind]; !known {
			g.kind = "other"
		}
		if g.kind == "report" {
			g.grade = gradeOf(item.Grade)
		}
		if _, seen := sums[g]; !seen {
			groups = append(groups, g)
		}
		sums[g] += item.LogOdds // in the order of the ledger
	}
	slices.SortFunc(groups, func(a, b group) int {
		if d := slices.Index(evidenceOrder, a.kind) - slices.Index(evidenceOrder, b.kind); d != 0 {
			return d
		}
		return strings.Compare(a.grade, b.grade)
	})
	out := make([]evidence, 0, len(groups))
	for _, g := range groups {
		what, known := evidenceWords[g.kind]
		if !known {
			what = otherEvidence
		}
		out = append(out, evidence{g.kind, what, strength(sums[g]), g.grade})
	}
	return out
}

// gradeOf lets only the grades A1 to F6 through (NATO AJP-2.1, source reliability and information credibility).
func gradeOf(s string) string {
	if len(s) == 2 && s[0] >= 'A' && s[0] <= 'F' && s[1] >= '1' && s[1] <= '6' {
		return s
	}
	return ""
}

// alternativesOf translates the labels that have a translation and sums the rest as "another source".
func alternativesOf(as []atalaya.Alternative) []alternative {
	var out []alternative
	for _, a := range as {
		what, ok := alternativeWords[plain(a.Label)]
		if !ok {
			what = otherSource
		}
		if i := slices.IndexFunc(out, func(o alternative) bool { return o.what == what }); i >= 0 {
			out[i].share += a.Probability
			continue
		}
		out = append(out, alternative{what, a.Probability})
	}
	slices.SortStableFunc(out, func(a, b alternative) int { return cmp.Compare(b.share, a.share) })
	for i := range out {
		out[i].share = math.Round(out[i].share*100) / 100
	}
	return out
}

func ratesOf(rates map[string]atalaya.Interval) ([]rate, error) {
	var out []rate
	for compound, r := range rates {
		if compound == "" || len(compound) > 32 || strings.ContainsFunc(compound, func(c rune) bool {
			return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-')
		}) {
			return nil, &atalaya.Error{Op: "product", Place: "emission rate", Kind: atalaya.BadInput, Err: fmt.Errorf("%.40q is no name of a gas", compound),
				Hint: "Name compounds as the survey's columns do"}
		}
		out = append(out, rate{compound, twoDigits(r.P05), twoDigits(r.P95)})
	}
	slices.SortFunc(out, func(a, b rate) int { return strings.Compare(a.compound, b.compound) })
	return out, nil
}

func twoDigits(x float64) float64 {
	y, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 2, 64), 64)
	return y
}

// put sets the place on the grid.
func (l *lead) put(p atalaya.Place, coarsest float64) error {
	if !(geodesy.LatLon{Lat: p.Lat, Lon: p.Lon}).Valid() {
		return badPlace("its position is not on the Earth")
	}
	named := []struct {
		share, name string
		geometry    []byte
	}{{"0.95", "95 %", p.Regions.P95}, {"0.90", "90 %", p.Regions.P90}, {"0.50", "50 %", p.Regions.P50}}
	parts := make([][][][2]float64, len(named))
	for i, n := range named {
		if len(n.geometry) == 0 || string(n.geometry) == "null" {
			return badPlace("it has no " + n.name + " region")
		}
		var err error
		if parts[i], err = rings(n.name, n.geometry); err != nil {
			return err
		}
	}
	r := errorM(p, parts[2])
	if !(r > 0) || math.IsInf(r, 0) {
		return badPlace("it has no error: neither a covariance nor a 50 % region with an area")
	}
	var err error
	if l.grid, err = gridFor(max(r, coarsest, finestM), p.Lat); err != nil {
		return err
	}
	l.errorM = math.Ceil(max(r, finestM)/5) * 5
	l.centre = l.grid.nearest(p.Lat, p.Lon)
	for i, n := range named {
		l.regions = append(l.regions, region{n.share, l.grid.coverAll(parts[i])})
	}
	return nil
}

// latText and lonText write a node of the lead's grid in decimal degrees.
func (l *lead) latText(n node) string { return l.grid.lat.text(n.lat) }
func (l *lead) lonText(n node) string { return l.grid.lon.text(n.lon) }

// degrees gives a node as longitude and latitude.
func (l *lead) degrees(n node) (lon, lat float64) {
	lon, _ = strconv.ParseFloat(l.lonText(n), 64)
	lat, _ = strconv.ParseFloat(l.latText(n), 64)
	return lon, lat
}
