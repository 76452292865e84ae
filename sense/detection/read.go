package detection

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
)

// Bounds of one sheet. Beyond them it is refused at once, whatever its size, so that memory and time stay bounded.
const (
	MaxFound    = 100_000
	MaxLooks    = 10_000
	MaxCorners  = 1000    // of one ring
	maxElement  = 1 << 20 // bytes of one look, one detection, or any other value
	maxProblems = 100     // that are told; the rest is counted
)

// A Problem is something in a sheet that was passed over.
type Problem struct {
	At   string // "detection 7", counted from 1 as the file lists them, or a key
	What string // with the remedy
	Lost bool   // something measured is missing for it; else it cost nothing
}

// Read reads one sheet; name is the file's name in messages. A look or a detection that cannot be true is left out and told, and so is a
// key that means nothing here; the error (an *atalaya.Error) is for a file that is no sheet, that breaks off, or of which nothing is left.
func Read(r io.Reader, name string) (*Sheet, []Problem, error) {
	in := &source{r: bufio.NewReader(r)}
	p := &reading{name: name, in: in, d: json.NewDecoder(in), ids: map[string]bool{}, keys: map[string]bool{}, passed: map[string]bool{}}
	if err := p.sheet(); err != nil {
		return nil, p.told(), err
	}
	if err := p.end(); err != nil {
		return nil, p.told(), err
	}
	return &p.s, p.told(), nil
}

type reading struct {
	name     string
	in       *source
	d        *json.Decoder
	s        Sheet
	problems []Problem
	more     int // problems that are not listed
	moreLost bool
	first    *atalaya.Error // of what was lost
	ids      map[string]bool
	keys     map[string]bool // of the top level that came
	unknown  int             // keys of the top level that mean nothing
	passed   map[string]bool // keys of looks and detections that were told as unknown
}

func (p *reading) fail(place, hint, format string, args ...any) *atalaya.Error {
	return &atalaya.Error{Op: "detection.read", File: p.name, Place: place, Kind: atalaya.BadInput, Hint: hint, Err: fmt.Errorf(format, args...)}
}

func (p *reading) tell(lost bool, e *atalaya.Error) {
	if lost && p.first == nil {
		p.first = e
	}
	if len(p.problems) >= maxProblems {
		p.more++
		p.moreLost = p.moreLost || lost
		return
	}
	bare := *e
	bare.File, bare.Place = "", ""
	p.problems = append(p.problems, Problem{e.Place, bare.Error(), lost})
}

func (p *reading) told() []Problem {
	if p.more > 0 {
		return append(p.problems, Problem{"", fmt.Sprintf("%d more like these", p.more), p.moreLost})
	}
	return p.problems
}

// sheet reads the top level, key by key, as they come.
func (p *reading) sheet() error {
	if t, err := p.d.Token(); err != nil {
		return p.syntax("", err)
	} else if t != json.Delim('{') {
		return p.fail("byte 0x0", "Give one JSON object with a schema", "no sheet of detections")
	}
	for p.d.More() {
		p.in.mark(p.d.InputOffset())
		t, err := p.d.Token()
		if err != nil {
			return p.syntax("", err)
		}
		key := t.(string) // the decoder lets nothing else stand before a colon
		if p.keys[key] && isKey(key) {
			return p.fail(keyPlace(key), "Keep one of the two", "it stands twice")
		}
		if isKey(key) {
			p.keys[key] = true
		}
		if err := p.member(key); err != nil {
			return err
		}
	}
	if _, err := p.d.Token(); err != nil {
		return p.syntax("", err)
	}
	p.in.mark(p.d.InputOffset())
	if _, err := p.d.Token(); err != io.EOF {
		if err != nil {
			return p.syntax("", err)
		}
		return p.fail(p.byte(), "Give each sheet a file of its own", "something follows the end of the sheet")
	}
	return nil
}

var sheetKeys = [...]string{"schema", "kind", "sensor", "sortie", "bias_m", "bias_group", "looks", "detections"}

func isKey(key string) bool {
	for _, k := range sheetKeys {
		if k == key {
			return true
		}
	}
	return false
}

func keyPlace(key string) string { return "key " + short(key) }

func (p *reading) member(key string) error {
	s, into := &p.s, any(nil)
	switch key {
	case "looks":
		return p.list(key, "look", MaxLooks, p.look)
	case "detections":
		return p.list(key, "detection", MaxFound, p.found)
	case "schema":
		into = &s.Schema
	case "kind":
		into = &s.Kind
	case "sensor":
		into = &s.Sensor
	case "sortie":
		into = &s.Sortie
	case "bias_m":
		into = &s.BiasM
	case "bias_group":
		into = &s.BiasGroup
	default:
		if p.unknown++; p.unknown > maxProblems {
			return p.fail(keyPlace(key), "See docs/reference/detections.md for the keys", "more than %d keys that mean nothing here", maxProblems)
		}
		var skipped json.RawMessage
		if err := p.d.Decode(&skipped); err != nil {
			return p.syntax(keyPlace(key), err)
		}
		p.tell(false, p.fail(keyPlace(key), "See docs/reference/detections.md for the keys", "passed over, it means nothing here"))
		return nil
	}
	if err := p.d.Decode(into); err != nil {
		return p.syntax(keyPlace(key), err)
	}
	if key == "schema" && s.Schema != Schema {
		return p.fail(keyPlace(key), "Give "+Schema+", or convert the file", "%q is a schema that is not read here", short(s.Schema))
	}
	return nil
}

// list reads the elements of an array one by one, each handed on as the bytes it came in.
func (p *reading) list(key, noun string, most int, each func(place string, raw []byte)) error {
	t, err := p.d.Token()
	if err != nil {
		return p.syntax(keyPlace(key), err)
	}
	if t == nil { // null is none
		return nil
	}
	if t != json.Delim('[') {
		return p.fail(keyPlace(key), "Give a list, which may be empty", "no list")
	}
	for n := 1; p.d.More(); n++ {
		place := fmt.Sprintf("%s %d", noun, n)
		if n > most {
			return p.fail(place, "Split the sheet", "more than %d of %s", most, key)
		}
		p.in.mark(p.d.InputOffset())
		var raw json.RawMessage
		if err := p.d.Decode(&raw); err != nil {
			return p.syntax(place, err)
		}
		each(place, raw)
	}
	p.in.mark(p.d.InputOffset())
	if _, err := p.d.Token(); err != nil {
		return p.syntax(keyPlace(key), err)
	}
	return nil
}

// end judges the sheet as a whole.
func (p *reading) end() error {
	s := &p.s
	if s.Schema == "" {
		return p.fail("key schema", `Write "schema":"`+Schema+`"`, "no schema: this is no sheet of detections")
	}
	if f := s.header(); f != nil {
		return p.fail(f.place, f.hint, "%s", f.what)
	}
	if len(s.Looks) == 0 && len(s.Found) == 0 && p.first != nil {
		return p.first
	}
	return nil
}

func (p *reading) byte() string { return fmt.Sprintf("byte 0x%x", p.d.InputOffset()) }

// syntax says what is wrong with JSON that cannot be read on.
func (p *reading) syntax(place string, err error) error {
	at := p.byte()
	if place != "" {
		at = place + ", " + at
	}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case p.in.err != nil && p.in.err != io.EOF:
		err = p.in.err
	case errors.As(err, &kind):
		return p.fail(place, "Give "+kindInWords(kind.Type.Kind().String()), "a %s stands here", kind.Value)
	}
	switch {
	case errors.Is(err, errLong):
		return p.fail(at, "Split it", "one value of more than %d bytes", maxElement)
	case errors.Is(err, errUTF8):
		return p.fail(fmt.Sprintf("byte 0x%x", p.in.bad), "Save the file as UTF-8", "not UTF-8")
	case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
		if p.in.read == 0 {
			return p.fail("", "Give a sheet of detections", "the file is empty")
		}
		return p.fail(at, "Copy the file again, to its end", "the file ends in the middle")
	case errors.As(err, &syntax):
		return p.fail(at, "Correct the JSON there", "%s", strings.TrimPrefix(syntax.Error(), "json: "))
	case p.in.err != nil && p.in.err != io.EOF:
		return &atalaya.Error{Op: "detection.read", File: p.name, Place: at, Kind: atalaya.Failed, Hint: "Check that the file can be read to its end", Err: err}
	}
	return p.fail(at, "Correct the JSON there", "%s", strings.TrimPrefix(err.Error(), "json: "))
}

func kindInWords(kind string) string {
	if w, ok := map[string]string{"string": "text in quotation marks", "float64": "a number", "slice": "a list", "array": "a list", "map": "an object", "struct": "text in quotation marks", "ptr": "text in quotation marks"}[kind]; ok {
		return w
	}
	return "what the reference page says"
}

func (p *reading) look(place string, raw []byte) {
	var l struct {
		When *json.RawMessage
		Ring [][]float64
		PD   *float64
	}
	if !p.fields(place, raw, map[string]any{"when": &l.When, "ring": &l.Ring, "pd": &l.PD}) {
		return
	}
	out := Look{}
	if f := l.When; f != nil {
		var from, to timeText
		if !p.fields(place, *f, map[string]any{"from": &from, "to": &to}) {
			return
		}
		out.When = atalaya.Span{From: time.Time(from), To: time.Time(to)}
	}
	if len(l.Ring) > MaxCorners+1 {
		p.tell(true, p.fail(place, fmt.Sprintf("Give at most %d corners", MaxCorners), "a ring of %d corners", len(l.Ring)))
		return
	}
	for _, c := range l.Ring {
		if len(c) != 2 {
			p.tell(true, p.fail(place, "Write each corner as [latitude, longitude]", "a corner of %d numbers", len(c)))
			return
		}
		out.Ring = append(out.Ring, geodesy.LatLon{Lat: c[0], Lon: c[1]})
	}
	if n := len(out.Ring); n > 3 && out.Ring[0] == out.Ring[n-1] {
		out.Ring = out.Ring[:n-1]
		p.tell(false, p.fail(place, "Leave the last corner out", "the ring is closed"))
	}
	if l.PD == nil {
		p.tell(true, p.fail(place, "Give how probably a working site there would have stood out, 0 to 1", "no pd"))
		return
	}
	out.PD = *l.PD
	if f := out.fault(); f != nil {
		p.tell(true, p.fail(place, f.hint, "%s", f.what))
		return
	}
	p.s.Looks = append(p.s.Looks, out)
}

func (p *reading) found(place string, raw []byte) {
	var f Found
	var lat, lon *float64
	var at timeText
	var c [][]float64
	var rates map[string]json.RawMessage
	if !p.fields(place, raw, map[string]any{"id": &f.ID, "time": &at, "lat": &lat, "lon": &lon, "covariance_m2": &c, "real": &f.Real, "pd": &f.PD,
		"likeness": &f.Likeness, "rate_kg_s": &rates, "lineage": &f.Lineage, "note": &f.Note}) {
		return
	}
	switch {
	case lat == nil || lon == nil:
		p.tell(true, p.fail(place, "Give lat and lon in degrees", "no position"))
		return
	case len(c) != 2 || len(c[0]) != 2 || len(c[1]) != 2:
		p.tell(true, p.fail(place, "Write [[east, both],[both, north]], square metres", "covariance_m2 is no matrix of two by two"))
		return
	}
	f.Time, f.Lat, f.Lon, f.CovarianceM2 = time.Time(at), *lat, *lon, [2][2]float64{{c[0][0], c[0][1]}, {c[1][0], c[1][1]}}
	for _, gas := range slices.Sorted(maps.Keys(rates)) {
		var r atalaya.Interval
		if !p.fields(place, rates[gas], map[string]any{"mean": &r.Mean, "p05": &r.P05, "p50": &r.P50, "p95": &r.P95}) {
			return
		}
		if f.RateKgS == nil {
			f.RateKgS = map[string]atalaya.Interval{}
		}
		f.RateKgS[gas] = r
	}
	if fault := f.fault(); fault != nil {
		p.tell(true, p.fail(place, fault.hint, "%s", fault.what))
		return
	}
	if p.ids[f.ID] {
		p.tell(true, p.fail(place, "Give each detection an id of its own", "%q is the id of an earlier one", short(f.ID)))
		return
	}
	p.ids[f.ID] = true
	p.s.Found = append(p.s.Found, f)
}

// fields decodes the members of one object, by their exact names. Unknown ones are told, once a name; ok is false, and told, where
// the object cannot be taken.
func (p *reading) fields(place string, raw []byte, known map[string]any) (ok bool) {
	d := json.NewDecoder(bytes.NewReader(raw)) // whole JSON: it was decoded once
	lose := func(hint, format string, args ...any) bool {
		p.tell(true, p.fail(place, hint, format, args...))
		return false
	}
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return lose("Write it as docs/reference/detections.md shows", "no object where one belongs")
	}
	came := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return lose("Correct the JSON there", "%v", err)
		}
		key := t.(string)
		into, is := known[key]
		if !is {
			var skipped json.RawMessage
			if err := d.Decode(&skipped); err != nil {
				return lose("Correct the JSON there", "%v", err)
			}
			if !p.passed[key] && len(p.passed) < maxProblems {
				p.passed[key] = true
				p.tell(false, p.fail(place, "See docs/reference/detections.md for the keys", "key %s passed over here and below, it means nothing here", short(key)))
			}
			continue
		}
		if came[key] {
			return lose("Keep one of the two", "key %s stands twice", key)
		}
		came[key] = true
		if err := d.Decode(into); err != nil {
			var kind *json.UnmarshalTypeError
			if errors.As(err, &kind) {
				return lose("Give "+kindInWords(kind.Type.Kind().String()), "key %s: a %s stands here", key, kind.Value)
			}
			return lose("See docs/reference/detections.md", "key %s: %v", key, err)
		}
	}
	return true
}

// source is the file as the decoder reads it: it ends with an error at what is not UTF-8, and where one value has no end.
type source struct {
	r       *bufio.Reader
	begun   bool
	passed  int64  // bytes of a byte order mark, which the decoder does not see
	read    int64  // bytes given to the decoder
	start   int64  // where the value begins that is being read
	partial []byte // the beginning of a letter that goes on in the next piece
	bad     int64  // where it is no UTF-8
	err     error
}

var (
	errLong = errors.New("a value without end")
	errUTF8 = errors.New("not UTF-8")
)

// mark says that a value begins at an offset of the decoder.
func (s *source) mark(at int64) { s.start = at }

func (s *source) Read(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.read-s.start > 3*maxElement { // the decoder's buffer is at most twice what one value takes, and it reads ahead no further
		s.err = errLong
		return 0, s.err
	}
	if !s.begun {
		s.begun = true
		if head, _ := s.r.Peek(3); string(head) == "\ufeff" {
			n, _ := s.r.Discard(3)
			s.passed = int64(n)
		}
	}
	n, err := s.r.Read(b)
	if !s.letters(b[:n], err != nil) {
		s.err = errUTF8
		return 0, s.err
	}
	s.read += int64(n)
	s.err = err
	return n, err
}

// letters reports whether a piece goes on as UTF-8; the last piece ends with a whole letter.
func (s *source) letters(piece []byte, last bool) bool {
	at, whole := s.passed+s.read-int64(len(s.partial)), append(s.partial, piece...)
	s.partial = nil
	for i := 0; i < len(whole); {
		c, size := utf8.DecodeRune(whole[i:])
		switch {
		case c != utf8.RuneError || size > 1:
			i += size
		case !utf8.FullRune(whole[i:]) && !last:
			s.partial = bytes.Clone(whole[i:])
			return true
		default:
			s.bad = at + int64(i)
			return false
		}
	}
	return true
}
