// Package jsonfile reads files that are one JSON object (RFC 8259) with long lists in it, an element at a time in bounded memory, and says of
// whatever is wrong where it stands and what to do. The sensor formats that are JSON stand on it.
package jsonfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/atalaya-isr/atalaya"
)

// MaxProblems are told one by one; the rest is counted.
const MaxProblems = 100

// A Problem is something in a file that was passed over.
type Problem struct {
	At   string // "detection 7", counted from 1 as the file lists them, or a key
	What string // with the remedy
	Lost bool   // something is missing for it; else it cost nothing
}

// A Reader reads one file.
type Reader struct {
	File string
	Op   string // prefix of errors, "detection.read"
	Page string // of the reference, for hints: "docs/reference/detections.md"
	// Most bounds one element of a list, and any other value of the top level, in bytes.
	Most int64
	// Foreign says that keys without a meaning are nothing to tell.
	Foreign bool

	in       source
	d        *json.Decoder
	problems []Problem
	more     int // problems that are not listed
	moreLost bool
	first    *atalaya.Error
	unknown  map[string]bool // keys that were told as such
}

// NewReader reads from r.
func NewReader(r io.Reader, file, op string) *Reader {
	p := &Reader{File: file, Op: op, Most: 1 << 20, in: source{r: bufio.NewReader(r)}, unknown: map[string]bool{}}
	p.d = json.NewDecoder(&p.in)
	return p
}

// Fail makes an error of this file.
func (p *Reader) Fail(place, hint, format string, args ...any) *atalaya.Error {
	return &atalaya.Error{Op: p.Op, File: p.File, Place: place, Kind: atalaya.BadInput, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// Tell notes something that was passed over; lost where it is missing from what was read.
func (p *Reader) Tell(lost bool, e *atalaya.Error) {
	if lost && p.first == nil {
		p.first = e
	}
	if len(p.problems) >= MaxProblems {
		p.more++
		p.moreLost = p.moreLost || lost
		return
	}
	bare := *e
	bare.File, bare.Place = "", ""
	p.problems = append(p.problems, Problem{e.Place, bare.Error(), lost})
}

// Problems lists what was told, at most MaxProblems and a count of the rest.
func (p *Reader) Problems() []Problem {
	if p.more > 0 {
		return append(p.problems, Problem{"", fmt.Sprintf("%d more like these", p.more), p.moreLost})
	}
	return p.problems
}

// FirstLost is what was lost first, nil where nothing was.
func (p *Reader) FirstLost() *atalaya.Error { return p.first }

// Object reads the file: one object, whose members are handed out by their keys as they come. member reads the value, by Value, List or Pass.
// noun is what the file should be, in words.
func (p *Reader) Object(noun string, member func(key string) error) error {
	p.in.most = p.Most
	if t, err := p.d.Token(); err != nil {
		return p.syntax("", err)
	} else if t != json.Delim('{') {
		return p.Fail("byte 0x0", "Give one JSON object", "no %s", noun)
	}
	came := map[string]bool{}
	for p.d.More() {
		p.in.start = p.d.InputOffset()
		t, err := p.d.Token()
		if err != nil {
			return p.syntax("", err)
		}
		key := t.(string) // the decoder lets nothing else stand before a colon
		if came[key] {
			return p.Fail(keyPlace(key), "Keep one of the two", "it stands twice")
		}
		if len(came) > MaxProblems {
			return p.Fail(keyPlace(key), "See "+p.Page+" for the keys", "more than %d keys", MaxProblems)
		}
		came[key] = true
		if err := member(key); err != nil {
			return err
		}
	}
	if _, err := p.d.Token(); err != nil {
		return p.syntax("", err)
	}
	p.in.start = p.d.InputOffset()
	if _, err := p.d.Token(); err != io.EOF {
		if err != nil {
			return p.syntax("", err)
		}
		return p.Fail(p.at(), "Give each a file of its own", "something follows the end of the %s", noun)
	}
	return nil
}

// Value reads the value of a key of the top level.
func (p *Reader) Value(key string, into any) error {
	if err := p.d.Decode(into); err != nil {
		return p.syntax(keyPlace(key), err)
	}
	return nil
}

// Pass passes over the value of a key of the top level that means nothing here.
func (p *Reader) Pass(key string) error {
	if !p.Foreign {
		p.Tell(false, p.Fail(keyPlace(key), "See "+p.Page+" for the keys", "passed over, it means nothing here"))
	}
	var skipped json.RawMessage
	return p.Value(key, &skipped)
}

// List reads a list element by element, each handed on as the bytes it came in. noun is what one is called; at most so many are read. null is an empty list.
func (p *Reader) List(key, noun string, most int, each func(place string, raw []byte) error) error {
	t, err := p.d.Token()
	if err != nil {
		return p.syntax(keyPlace(key), err)
	}
	if t == nil {
		return nil
	}
	if t != json.Delim('[') {
		return p.Fail(keyPlace(key), "Give a list, which may be empty", "no list")
	}
	var raw json.RawMessage
	for n := 1; p.d.More(); n++ {
		place := fmt.Sprintf("%s %d", noun, n)
		if n > most {
			return p.Fail(place, "Split the file", "more than %d of %s", most, key)
		}
		p.in.start = p.d.InputOffset()
		if err := p.d.Decode(&raw); err != nil {
			return p.syntax(place, err)
		}
		if err := each(place, raw); err != nil {
			return err
		}
	}
	p.in.start = p.d.InputOffset()
	if _, err := p.d.Token(); err != nil {
		return p.syntax(keyPlace(key), err)
	}
	return nil
}

// Fields decodes the members of one object that List gave, by their exact names. Unknown ones are told, once a name; ok is false, and told, where
// the object cannot be taken. null is an object without members.
func (p *Reader) Fields(place string, raw []byte, known map[string]any) (ok bool) {
	lose := func(hint, format string, args ...any) bool {
		p.Tell(true, p.Fail(place, hint, format, args...))
		return false
	}
	if string(raw) == "null" {
		return true
	}
	d := json.NewDecoder(bytes.NewReader(raw)) // whole JSON: it was decoded once
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return lose("Write it as "+p.Page+" shows", "no object where one belongs")
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
			p.foreign(place, key)
			var skipped json.RawMessage
			into = &skipped
		} else if came[key] {
			return lose("Keep one of the two", "key %s stands twice", key)
		}
		came[key] = came[key] || is
		if err := d.Decode(into); err != nil {
			var kind *json.UnmarshalTypeError
			if errors.As(err, &kind) {
				return lose("Give "+kindInWords(kind.Type.Kind().String()), "key %s: a %s stands here", Short(key), kind.Value)
			}
			return lose("See "+p.Page, "key %s: %s", Short(key), plain(err))
		}
	}
	return true
}

func (p *Reader) foreign(place, key string) {
	if p.Foreign || p.unknown[key] || len(p.unknown) >= MaxProblems {
		return
	}
	p.unknown[key] = true
	p.Tell(false, p.Fail(place, "See "+p.Page+" for the keys", "key %s passed over here and below, it means nothing here", Short(key)))
}

func keyPlace(key string) string { return "key " + Short(key) }

func (p *Reader) at() string { return fmt.Sprintf("byte 0x%x", p.d.InputOffset()) }

func plain(err error) string { return strings.TrimPrefix(err.Error(), "json: ") }

// syntax says what is wrong with JSON that cannot be read on.
func (p *Reader) syntax(place string, err error) error {
	at := p.at()
	if place != "" {
		at = place + ", " + at
	}
	var kind *json.UnmarshalTypeError
	if p.in.err != nil && p.in.err != io.EOF {
		err = p.in.err
	} else if errors.As(err, &kind) {
		return p.Fail(place, "Give "+kindInWords(kind.Type.Kind().String()), "a %s stands here", kind.Value)
	}
	switch {
	case errors.Is(err, errLong):
		return p.Fail(at, "Split it", "one value of more than %d bytes", p.Most)
	case errors.Is(err, errUTF8):
		return p.Fail(fmt.Sprintf("byte 0x%x", p.in.bad), "Save the file as UTF-8", "not UTF-8")
	case (err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF)) && p.in.read == 0:
		return p.Fail("", "Copy the file again", "the file is empty")
	case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
		return p.Fail(at, "Copy the file again, to its end", "the file ends in the middle")
	case p.in.err != nil && p.in.err != io.EOF:
		return &atalaya.Error{Op: p.Op, File: p.File, Place: at, Kind: atalaya.Failed, Hint: "Check that the file can be read to its end", Err: err}
	}
	return p.Fail(at, "Correct the JSON there", "%s", plain(err))
}

func kindInWords(kind string) string {
	if w, ok := map[string]string{"string": "text in quotation marks", "float64": "a number", "slice": "a list", "array": "a list", "map": "an object", "struct": "text in quotation marks", "ptr": "text in quotation marks"}[kind]; ok {
		return w
	}
	return "what the reference page shows"
}

// Short is text from a file as a message can hold it.
func Short(s string) string {
	if len(s) > 60 {
		s = s[:60] + "..."
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) { // a message is one line
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// source is the file as the decoder reads it: it ends with an error at what is not UTF-8, and where one value has no end.
type source struct {
	r       *bufio.Reader
	most    int64 // bytes of one value
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

func (s *source) Read(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.read-s.start > 3*s.most { // the decoder's buffer is at most twice what one value takes, and it reads ahead no further
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
	at, whole := s.passed+s.read-int64(len(s.partial)), piece
	if len(s.partial) > 0 {
		whole = append(s.partial, piece...)
	}
	s.partial = nil
	if utf8.Valid(whole) {
		return true
	}
	for i := 0; ; {
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
}
