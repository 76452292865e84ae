// Package apertium translates between Spanish and English with the Apertium program, when it is installed: a rule-based
// translator that runs offline. A translation is a machine's and says so; words that its dictionary lacks are told with
// their place. The program is started directly, never through a shell, and is stopped when its time is over.
package apertium

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/atalaya-isr/atalaya"
)

// Remedy is how to get the program and its language pair.
const Remedy = "Install it, on Debian or Ubuntu with: apt-get install apertium apertium-eng-spa"

// Band is what every translation of this engine is good for: "C", not checked by a person. It tells what a text is about; it
// is not to be quoted or acted on.
const Band = "C"

// An Engine is the program with one direction.
type Engine struct {
	path      string
	direction string // "spa-eng"
	From, To  string // "es", "en"
	Version   string
}

// codes are the languages of the installed pair, by the codes of ISO 639-1 and 639-2.
var codes = map[string]string{"es": "spa", "spa": "spa", "en": "eng", "eng": "eng"}

// Find looks for the program and the direction. When either is missing the error says which, and how to get it.
func Find(ctx context.Context, from, to string) (*Engine, error) {
	f, t := codes[from], codes[to]
	if f == "" || t == "" || f == t {
		return nil, &atalaya.Error{Op: "apertium.find", Kind: atalaya.BadUse, Err: fmt.Errorf("no translation from %q to %q", from, to), Hint: "Give es and en, in either order"}
	}
	path, err := exec.LookPath("apertium")
	if err != nil {
		return nil, missing("apertium is not installed")
	}
	e := &Engine{path: path, direction: f + "-" + t, From: from, To: to}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	list, err := e.run(ctx, nil, "-l")
	if err != nil {
		return nil, err
	}
	if !hasLine(list, e.direction) {
		return nil, missing("apertium is installed without the pair " + e.direction)
	}
	if v, err := e.run(ctx, nil, "-V"); err == nil {
		e.Version = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(string(v)), "Apertium"))
	}
	return e, nil
}

func missing(what string) error {
	return &atalaya.Error{Op: "apertium.find", Kind: atalaya.Failed, Err: errors.New(what), Hint: Remedy}
}

func hasLine(text []byte, want string) bool {
	for line := range bytes.Lines(text) {
		if string(bytes.TrimSpace(line)) == want {
			return true
		}
	}
	return false
}

// Name is the engine as results name it.
func (e *Engine) Name() string { return "apertium " + e.direction }

// run starts the program with these arguments and this input, and gives what it prints.
func (e *Engine) run(ctx context.Context, in []byte, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, e.path, args...)
	var out, talk bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &limited{&talk}
	cmd.WaitDelay = 2 * time.Second
	together(cmd) // the program is a pipe of programs: they end together
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, &atalaya.Error{Op: "apertium.run", Kind: atalaya.Failed, Err: fmt.Errorf("apertium was stopped: %w", ctx.Err()), Hint: "Give it more time or less text"}
	case err != nil:
		return nil, &atalaya.Error{Op: "apertium.run", Kind: atalaya.Failed, Err: fmt.Errorf("apertium: %w: %.200s", err, talk.String()), Hint: "Run apertium by hand to see what is wrong"}
	}
	return out.Bytes(), nil
}

// limited keeps the first 4 KB of what the program complains about.
type limited struct{ *bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if room := 4096 - l.Len(); room > 0 {
		l.Buffer.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}

// A Span is a half-open range of bytes.
type Span [2]int

// A Flag warns of one place in a translation.
type Flag struct {
	Kind       string `json:"kind"` // "unknown", "number", "negation"
	SourceSpan *Span  `json:"source_span"`
	TargetSpan *Span  `json:"target_span"`
	Note       string `json:"note"`
}

// A Segment is one line with its translation.
type Segment struct {
	Source, Target string
	Flags          []Flag
}

// MaxLine bounds one segment in bytes.
const MaxLine = 64 << 10

// batch is how much text goes to the program at once, in bytes: enough to make its start not matter, and a bound on memory.
const batch = 256 << 10

// Translate translates each line by itself, in order: as many segments as lines. Lines must be UTF-8 without line ends.
func (e *Engine) Translate(ctx context.Context, lines []string) ([]Segment, error) {
	for i, l := range lines {
		if len(l) > MaxLine || strings.ContainsAny(l, "\r\n\x00") || !utf8.ValidString(l) {
			return nil, &atalaya.Error{Op: "apertium.translate", Place: fmt.Sprintf("line %d", i+1), Kind: atalaya.BadInput,
				Err: fmt.Errorf("not a line of UTF-8 text of at most %d bytes", MaxLine), Hint: "Split it, or save the text as UTF-8"}
		}
	}
	out := make([]Segment, 0, len(lines))
	for len(lines) > 0 {
		n, size := 0, 0
		for n < len(lines) && (n == 0 || size+len(lines[n]) < batch) {
			size += len(lines[n])
			n++
		}
		targets, err := e.translate(ctx, lines[:n])
		if err != nil {
			return nil, err
		}
		for i, t := range targets {
			out = append(out, segment(lines[i], t, e.direction))
		}
		lines = lines[n:]
	}
	return out, nil
}

// translate sends the lines with a blank one after each: the program ends a sentence at a blank line, so that no line is
// read together with the next. Should the lines not come back one to one, each is translated alone.
func (e *Engine) translate(ctx context.Context, lines []string) ([]string, error) {
	var in bytes.Buffer
	for _, l := range lines {
		if strings.TrimSpace(l) != "" {
			in.WriteString(l + "\n\n")
		}
	}
	out := make([]string, len(lines))
	if in.Len() == 0 {
		copy(out, lines)
		return out, nil
	}
	raw, err := e.run(ctx, in.Bytes(), "-f", "txt", e.direction)
	if err != nil {
		return nil, err
	}
	got := strings.Split(string(raw), "\n")
	k := 0
	for i, l := range lines {
		if strings.TrimSpace(l) == "" {
			out[i] = l
			continue
		}
		if k+1 >= len(got) || strings.TrimSpace(got[k]) == "" || strings.TrimSpace(got[k+1]) != "" {
			return e.oneByOne(ctx, lines)
		}
		out[i] = strings.ToValidUTF8(got[k], "\ufffd")
		k += 2
	}
	return out, nil
}

func (e *Engine) oneByOne(ctx context.Context, lines []string) ([]string, error) {
	out := make([]string, len(lines))
	for i, l := range lines {
		if strings.TrimSpace(l) == "" {
			out[i] = l
			continue
		}
		raw, err := e.run(ctx, []byte(l+"\n"), "-f", "txt", e.direction)
		if err != nil {
			return nil, err
		}
		out[i] = strings.ToValidUTF8(strings.Join(strings.FieldsFunc(string(raw), func(c rune) bool { return c == '\n' || c == '\r' }), " "), "\ufffd")
	}
	return out, nil
}

// segment takes the program's marks for unknown words out of a translation and tells them as flags.
func segment(source, marked, direction string) Segment {
	s := Segment{Source: source, Flags: []Flag{}}
	var b strings.Builder
	from := 0 // in source: unknown words mostly keep their order
	for i := 0; i < len(marked); i++ {
		word := ""
		if marked[i] == '*' {
			word = wordAt(marked[i+1:])
		}
		at := -1
		if word != "" {
			at = find(source, word, from)
		}
		if at < 0 { // a star of the text itself
			b.WriteByte(marked[i])
			continue
		}
		from = at + len(word)
		s.Flags = append(s.Flags, Flag{Kind: "unknown", SourceSpan: &Span{at, at + len(word)}, TargetSpan: &Span{b.Len(), b.Len() + len(word)},
			Note: fmt.Sprintf("%q is not in the dictionary and was left as it is", word)})
		b.WriteString(word)
		i += len(word)
	}
	s.Target = b.String()
	s.Flags = append(s.Flags, numberFlags(s)...)
	s.Flags = append(s.Flags, negationFlags(s, direction)...)
	return s
}

func wordAt(s string) string {
	for i, c := range s {
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) && !unicode.IsMark(c) {
			return s[:i]
		}
	}
	return s
}

// find looks for a word from a place on, then from the beginning; an unknown word may have been given a capital, or lost it,
// at the head of the sentence. It does not take a word that has a star before it in the source.
func find(source, word string, from int) int {
	for _, begin := range []int{from, 0} {
		for i := begin; i+len(word) <= len(source); i++ {
			before, _ := utf8.DecodeLastRuneInString(source[:i])
			inside := i > 0 && (unicode.IsLetter(before) || unicode.IsDigit(before))
			if !inside && !strings.HasSuffix(source[:i], "*") && strings.EqualFold(source[i:i+len(word)], word) && wordAt(source[i:]) != "" {
				return i
			}
		}
	}
	return -1
}
