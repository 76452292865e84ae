package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/external/apertium"
)

// translate are the flags of translate.
type translate struct {
	from, to    string
	json, quiet bool
	timeout     time.Duration
}

func translateCommand() *cobra.Command {
	var t translate
	c := &cobra.Command{
		Use:   "translate --from es --to en [FILE]",
		Short: "Translates between Spanish and English, one segment a line in, one line out",
		Long: `Translates between Spanish and English with the Apertium program, when it is installed: one segment a
line in, one line out, in the same order. Every translation is of band C: a machine's, checked by nobody. It tells what a
text is about; it is not to be quoted or acted on. --json flags unknown words, lost numbers and lost negations.`,
		Example: `  atalaya translate --from es --to en report.txt
  atalaya translate --from en --to es --json < questions.txt`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := cmd.InOrStdin()
			name := "standard input"
			if len(args) == 1 && args[0] != "-" {
				name = args[0]
				f, err := os.Open(name)
				if err != nil {
					return &atalaya.Error{Op: "translate", File: name, Kind: atalaya.NotFound, Err: errors.Unwrap(err), Hint: "Give the path of a text with one segment a line"}
				}
				defer f.Close()
				in = f
			}
			return t.run(cmd.Context(), in, name, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&t.from, "from", "es", "language of the text: es or en")
	c.Flags().StringVar(&t.to, "to", "en", "language to translate into: en or es")
	c.Flags().BoolVar(&t.json, "json", false, "print JSON Lines, one a segment")
	c.Flags().BoolVar(&t.quiet, "quiet", false, "no progress")
	c.Flags().DurationVar(&t.timeout, "timeout", 2*time.Minute, "how long the translation of 200 lines may take")
	return c
}

// translated is one line of --json.
type translated struct {
	N        int             `json:"n"` // line of the input, from 1
	Source   string          `json:"source"`
	Target   string          `json:"target"`
	Engine   string          `json:"engine"`
	Flags    []apertium.Flag `json:"flags"`
	Glossary []struct{}      `json:"glossary"` // empty: no glossary is applied yet
	Band     string          `json:"band"`
}

// translateBatch is how many lines are translated before they are printed.
const translateBatch = 200

func (t translate) run(ctx context.Context, in io.Reader, name string, out, talk io.Writer) error {
	if ctx == nil {
		ctx = context.Background()
	}
	e, err := apertium.Find(ctx, t.from, t.to)
	if err != nil {
		return err
	}
	lines := segmentReader{r: bufio.NewReaderSize(in, apertium.MaxLine)}
	w := bufio.NewWriter(out)
	next := time.Now().Add(10 * time.Second)
	n, bad := 0, 0
	for {
		batch, unread, end := lines.batch()
		for _, u := range unread {
			bad++
			fmt.Fprintf(talk, "%s: line %d: %s\n", name, n+u.n, u.why)
		}
		if len(batch) > 0 {
			if err := t.translate(ctx, e, batch, n, w); err != nil {
				return err
			}
			if err := w.Flush(); err != nil {
				return err
			}
		}
		n += len(batch)
		if now := time.Now(); !t.quiet && now.After(next) {
			next = now.Add(10 * time.Second)
			fmt.Fprintf(talk, "%s: %d lines translated\n", name, n)
		}
		if end == io.EOF {
			break
		}
		if end != nil {
			return &atalaya.Error{Op: "translate", File: name, Place: fmt.Sprintf("line %d", n+1), Kind: atalaya.Failed, Err: end, Hint: "Check that the text can be read to its end"}
		}
	}
	if bad > 0 {
		return partly{fmt.Sprintf("%s: %d of %d lines could not be read; their translations are empty", name, bad, n)}
	}
	return nil
}

func (t translate) translate(ctx context.Context, e *apertium.Engine, batch []string, before int, w *bufio.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	segments, err := e.Translate(ctx, batch)
	if err != nil {
		return err
	}
	for i, s := range segments {
		if !t.json {
			w.WriteString(s.Target + "\n")
			continue
		}
		j := json.NewEncoder(w)
		j.SetEscapeHTML(false)
		if err := j.Encode(translated{before + i + 1, s.Source, s.Target, e.Name(), s.Flags, []struct{}{}, apertium.Band}); err != nil {
			return err
		}
	}
	return nil
}

// segmentReader reads lines of bounded length.
type segmentReader struct{ r *bufio.Reader }

// unreadSegment is a line that cannot be translated, counted from 1 within its batch; an empty one stands in its place.
type unreadSegment struct {
	n   int
	why string
}

func (s *segmentReader) batch() (lines []string, unread []unreadSegment, err error) {
	for len(lines) < translateBatch {
		line, err := s.r.ReadSlice('\n')
		long := errors.Is(err, bufio.ErrBufferFull)
		text := strings.TrimRight(string(line), "\r\n")
		for errors.Is(err, bufio.ErrBufferFull) { // the rest of a line that is too long
			_, err = s.r.ReadSlice('\n')
		}
		if err != nil && len(line) == 0 {
			return lines, unread, err
		}
		why := ""
		switch {
		case long:
			why = fmt.Sprintf("longer than %d bytes. Split it", apertium.MaxLine)
		case !utf8.ValidString(text):
			why = "not UTF-8. Save the text as UTF-8"
		case strings.ContainsAny(text, "\x00\r"):
			why = "a zero byte or a carriage return within the line: this is not text"
		}
		if why != "" {
			text = ""
			unread = append(unread, unreadSegment{len(lines) + 1, why})
		}
		lines = append(lines, text)
		if err != nil {
			return lines, unread, err
		}
	}
	return lines, unread, nil
}
