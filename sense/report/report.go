// Package report reads a report in words: what a person wrote, kept byte for byte, with what can be read from it without
// judging it: the header lines, the language, and every pair of coordinates with the bytes that it stands in. The form is
// described in docs/reference/report.md.
package report

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
)

// MaxBytes bounds one report. What is longer is a book or no text.
const MaxBytes = 4 << 20

// A Span is a half-open range of bytes of the original file, [from, to).
type Span [2]int

// A Report is one file. It is also the body of its observation.
type Report struct {
	SHA256 string `json:"sha256"` // of the bytes as they came
	Bytes  int    `json:"bytes"`
	// Text is the whole file. Where the file is not UTF-8 it is read as Windows-1252 for reading and searching only
	// (Encoding says so); the original bytes are Raw, and the blob.
	Text     string   `json:"text"`
	Encoding string   `json:"encoding"` // "utf-8" or "windows-1252"
	Language Language `json:"language"`

	Date     time.Time `json:"date,omitzero"` // UTC, from the header
	DateOnly bool      `json:"date_only,omitempty"`
	// Place is where the header says; PlaceName what it says in words.
	Place     *geodesy.LatLon `json:"-"`
	Lat       *float64        `json:"lat,omitempty"`
	Lon       *float64        `json:"lon,omitempty"`
	PlaceName string          `json:"place_name,omitempty"`
	RadiusM   float64         `json:"radius_m,omitempty"` // 0 when the header gives none
	// Grade is the reliability of the source A to F and the credibility of what it says 1 to 6 (STANAG 2511, AJP-2.1), "" when
	// the header gives none. F and 6 mean "cannot be judged", not "worst".
	Grade string `json:"grade,omitempty"`
	// Denies says that the report denies that there is anything at its place.
	Denies bool    `json:"denies,omitempty"`
	Header []Field `json:"header,omitempty"` // all header lines, known or not
	Body   Span    `json:"body"`             // the text without its header lines

	Coordinates []Coordinate `json:"coordinates,omitempty"` // in the text, not the header
	Problems    []Problem    `json:"problems,omitempty"`

	Raw []byte `json:"-"`
}

// A Field is one header line.
type Field struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Line  int    `json:"line"`
}

// A Problem is something in the report that could not be read.
type Problem struct {
	At   string `json:"at"`
	What string `json:"what"`
}

// Read reads one report; name is the file's name in messages. The error is for a file that is no text; all else is kept and
// told in Problems.
func Read(r io.Reader, name string) (*Report, error) {
	fail := func(place, hint, format string, args ...any) error {
		return &atalaya.Error{Op: "report.read", File: name, Place: place, Kind: atalaya.BadInput, Hint: hint, Err: fmt.Errorf(format, args...)}
	}
	raw, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	switch {
	case err != nil:
		return nil, &atalaya.Error{Op: "report.read", File: name, Kind: atalaya.Failed, Hint: "Check that the file can be read to its end", Err: err}
	case len(raw) == 0:
		return nil, fail("", "Give a text", "the file is empty")
	case len(raw) > MaxBytes:
		return nil, fail("", "Split the report", "longer than %d bytes", MaxBytes)
	}
	if i := strings.IndexByte(string(raw), 0); i >= 0 {
		return nil, fail(fmt.Sprintf("byte 0x%x", i), "Save the report as UTF-8 text", "a zero byte: this is not text")
	}
	sum := sha256.Sum256(raw)
	p := &Report{Raw: raw, SHA256: hex.EncodeToString(sum[:]), Bytes: len(raw), Encoding: "utf-8"}
	t := p.decode()
	p.Text = t.s
	begin := p.readHeader(t)
	p.Body = Span{t.byteAt(begin), len(raw)}
	p.Language = GuessLanguage(t.s[begin:])
	if f := p.field("idioma", "language", "lang"); f != nil {
		p.declared(*f)
	}
	found, bad := findCoordinates(t.s[begin:])
	for _, c := range found {
		c.Span = Span{t.byteAt(begin + c.Span[0]), t.byteAt(begin + c.Span[1])}
		p.Coordinates = append(p.Coordinates, c)
	}
	for _, b := range bad {
		p.Problems = append(p.Problems, Problem{fmt.Sprintf("byte 0x%x", t.byteAt(begin+b.at)), b.what})
	}
	return p, nil
}

// text is the report as valid UTF-8, with the way back to the bytes of the file.
type text struct {
	s    string
	back []int // byte of the file for each byte of s; nil when they are the same
}

func (t text) byteAt(i int) int {
	if t.back == nil {
		return i
	}
	return t.back[i]
}

func (p *Report) decode() text {
	if utf8.Valid(p.Raw) {
		return text{s: string(p.Raw)}
	}
	p.Encoding = "windows-1252"
	bad := 0
	for bad < len(p.Raw) {
		r, n := utf8.DecodeRune(p.Raw[bad:])
		if r == utf8.RuneError && n <= 1 {
			break
		}
		bad += n
	}
	p.Problems = append(p.Problems, Problem{fmt.Sprintf("byte 0x%x", bad), "not UTF-8; read as Windows-1252, the original bytes are kept"})
	var b strings.Builder
	var back []int
	for i, c := range p.Raw {
		n, _ := b.WriteRune(charmap.Windows1252.DecodeByte(c))
		for range n {
			back = append(back, i)
		}
	}
	return text{b.String(), append(back, len(p.Raw))}
}

// known are the header keys that mean something, each with its Spanish and English names.
var known = map[string]bool{"fecha": true, "date": true, "lugar": true, "place": true, "radio_m": true, "radius_m": true,
	"fuente": true, "source": true, "idioma": true, "language": true, "lang": true, "niega": true, "denies": true}

// readHeader reads the "key: value" lines at the top, up to the first line that is none, and returns where the text begins.
// The first line must carry a known key: a text may well begin with "Aviso: ...".
func (p *Report) readHeader(t text) (begin int) {
	s := strings.TrimPrefix(t.s, "\ufeff")
	begin = len(t.s) - len(s)
	for n := 1; ; n++ {
		line, rest, more := strings.Cut(t.s[begin:], "\n")
		key, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		key = strings.ToLower(strings.TrimSpace(key))
		if !ok || key == "" || len(key) > 40 || strings.ContainsAny(key, " \t") || n == 1 && !known[key] {
			break
		}
		p.Header = append(p.Header, Field{key, strings.TrimSpace(value), n})
		begin = len(t.s) - len(rest)
		if !more {
			begin = len(t.s)
			break
		}
	}
	for _, f := range p.Header {
		if err := p.apply(f); err != nil {
			p.Problems = append(p.Problems, Problem{fmt.Sprintf("line %d, %s", f.Line, f.Key), err.Error()})
		}
	}
	return begin
}

func (p *Report) field(keys ...string) *Field {
	for i, f := range p.Header {
		for _, k := range keys {
			if f.Key == k {
				return &p.Header[i]
			}
		}
	}
	return nil
}

func (p *Report) apply(f Field) error {
	switch f.Key {
	case "fecha", "date":
		return p.date(f.Value)
	case "lugar", "place":
		return p.place(f.Value)
	case "radio_m", "radius_m":
		v, err := number(f.Value)
		if err != nil || !(v > 0 && v <= 1e6) {
			return fmt.Errorf("%q is not a radius in metres (above 0, at most 1000000)", f.Value)
		}
		p.RadiusM = v
	case "fuente", "source":
		g := strings.ToUpper(strings.ReplaceAll(strings.ReplaceAll(f.Value, "-", ""), " ", ""))
		if len(g) != 2 || g[0] < 'A' || g[0] > 'F' || g[1] < '1' || g[1] > '6' {
			return fmt.Errorf("%q is not a grade: write the reliability of the source A to F and the credibility 1 to 6, as in B2", f.Value)
		}
		p.Grade = g
	case "niega", "denies":
		switch strings.ToLower(f.Value) {
		case "si", "sí", "yes":
			p.Denies = true
		case "no":
		default:
			return fmt.Errorf("%q is neither yes nor no: write %s: si where the report denies that anything is there", f.Value, f.Key)
		}
	}
	return nil
}

// dates are the forms of a date. Day before month in the form with slashes, as in Spanish; the American order is not read.
var dates = [...]struct {
	form string
	day  bool
}{{time.RFC3339Nano, false}, {"2006-01-02T15:04Z07:00", false}, {"2006-01-02", true}, {"2/1/2006", true}, {"02.01.2006", true}}

func (p *Report) date(v string) error {
	for _, d := range dates {
		if t, err := time.Parse(d.form, v); err == nil {
			p.Date, p.DateOnly = t.UTC(), d.day
			return nil
		}
	}
	return fmt.Errorf("%q is not a date: write 2026-03-01, 1/3/2026 (day first) or 2026-03-01T15:04:05Z", v)
}

func (p *Report) place(v string) error {
	found, bad := findCoordinates(v)
	switch {
	case len(found) == 1:
		p.at(geodesy.LatLon{Lat: found[0].Lat, Lon: found[0].Lon})
		return nil
	case len(bad) > 0:
		return errors.New(bad[0].what)
	case len(found) > 1:
		return errors.New("more than one position: give one")
	}
	if at, ok := plainPair(v); ok {
		p.at(at)
		return nil
	}
	if strings.ContainsAny(v, "0123456789") && strings.ContainsAny(v, ",;") {
		return fmt.Errorf("%q is not a position: write latitude, longitude in degrees, as in 24.80, -107.39", v)
	}
	p.PlaceName = v
	return nil
}

func (p *Report) at(l geodesy.LatLon) {
	p.Place, p.Lat, p.Lon = &l, &l.Lat, &l.Lon
}

// declared takes the language of the header in place of the guess.
func (p *Report) declared(f Field) {
	code := strings.ToLower(f.Value)
	switch code {
	case "español", "espanol", "castellano", "spanish":
		code = "es"
	case "inglés", "ingles", "english":
		code = "en"
	}
	if code == "" || len(code) > 35 || strings.ContainsAny(code, " ,;") {
		p.Problems = append(p.Problems, Problem{fmt.Sprintf("line %d, %s", f.Line, f.Key), fmt.Sprintf("%q is not a language code: write es or en", f.Value)})
		return
	}
	p.Language.Code, p.Language.Declared = code, true
}
