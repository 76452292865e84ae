// Package delimited reads text tables (comma, semicolon or tab between fields, one header row) a row at a time in bounded
// memory, and says of whatever is wrong where it stands and what to do. The sensor formats that are CSV stand on it.
package delimited

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/atalaya-isr/atalaya"
)

// Limits of what is read: beyond one of them the file is refused at once, whatever its size, so that memory and time stay
// bounded.
const (
	MaxLine    = 1 << 20   // bytes of one line, and of all lines above the header together
	MaxColumns = 2000      // of the header
	MaxPassed  = 1_000_000 // lines below the header that hold no row: blank, comments, unreadable
)

// A Reader reads one table. Lines that begin with '#' before the header go to Comment; later ones are passed over.
type Reader struct {
	File      string
	Op        string // prefix of errors, "gas.read"
	Line      int    // the line last read, counted from 1
	Separator byte
	Header    []string // lower case, blanks trimmed
	Comment   func(line int, text string)
	// Problems is where the reader notes what it met and read all the same.
	Problems Problems

	lines   *bufio.Reader
	began   bool
	passed  int // lines below the header that held no row
	scratch []string
}

// NewReader reads from r; file and op name it in errors.
func NewReader(r io.Reader, file, op string) *Reader {
	return &Reader{File: file, Op: op, lines: bufio.NewReaderSize(r, 16<<10), Problems: Problems{file: file, op: op}}
}

// Fail makes an error of this table; line 0 is the file as a whole, column "" the line as a whole.
func (r *Reader) Fail(line int, column, hint, format string, args ...any) *atalaya.Error {
	return &atalaya.Error{Op: r.Op, File: r.File, Place: place(line, column), Kind: atalaya.BadInput, Hint: hint, Err: fmt.Errorf(format, args...)}
}

func place(line int, column string) string {
	column = clip(column)
	switch {
	case line == 0 && column == "":
		return ""
	case line == 0:
		return "column " + column
	case column == "":
		return "line " + strconv.Itoa(line)
	}
	return "line " + strconv.Itoa(line) + ", column " + column
}

// ReadHeader reads up to and including the header row.
func (r *Reader) ReadHeader() error {
	for above := 0; ; {
		line, err := r.next()
		if err == io.EOF {
			if r.Line == 0 {
				return r.Fail(0, "", "Give a file with a header row and data rows", "the file is empty")
			}
			return r.Fail(r.Line, "", "Add a header row that names the columns", "no header row")
		}
		if err != nil {
			return err
		}
		if above += len(line) + 1; above > MaxLine {
			return r.Fail(r.Line, "", "Put the header row at the top, and long notes into a file of their own", "no header row in the first %d bytes", MaxLine)
		}
		if strings.ContainsRune(line, '\r') {
			return r.Fail(r.Line, "", "Save the file with LF or CRLF line ends", "lines end in CR alone")
		}
		if strings.HasPrefix(line, "#") {
			if r.Comment != nil {
				r.Comment(r.Line, strings.TrimSpace(line[1:]))
			}
			continue
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		return r.header(line)
	}
}

func (r *Reader) header(line string) error {
	r.Separator = separatorOf(line)
	fields, err := split(line, r.Separator, nil)
	if err != nil {
		return r.Fail(r.Line, "", "Close the quotation mark on the same line", "header: %v", err)
	}
	if len(fields) > MaxColumns {
		return r.Fail(r.Line, "", "Split the file by columns", "%d columns; at most %d are read", len(fields), MaxColumns)
	}
	seen := map[string]bool{}
	for i, f := range fields {
		f = strings.ToLower(strings.TrimSpace(f))
		if f != "" && seen[f] {
			return r.Fail(r.Line, f, "Rename or remove one of them", "the column stands twice in the header")
		}
		seen[f] = true
		fields[i] = f
	}
	for len(fields) > 1 && fields[len(fields)-1] == "" { // a separator at the end of each line
		fields = fields[:len(fields)-1]
	}
	r.Header = fields
	if r.Separator == ';' {
		r.Problems.Note("separator", r.Line, "", "", "fields are separated by semicolons; a comma within a number is read as its decimal mark")
	}
	return nil
}

// separatorOf is the separator that occurs most in a header row; a comma where none does.
func separatorOf(line string) byte {
	best, most := byte(','), strings.Count(line, ",")
	for _, c := range []byte{';', '\t'} {
		if n := strings.Count(line, string(c)); n > most {
			best, most = c, n
		}
	}
	return best
}

// Row reads the next data row. The error is io.EOF at the end, a *RowError where only this row is lost, and any other when
// reading must stop. The fields are valid until the next call.
func (r *Reader) Row() ([]string, error) {
	for ; ; r.passed++ {
		if r.passed > MaxPassed {
			return nil, r.Fail(r.Line, "", "Check that this is a text table with one row a line", "more than %d lines that hold no row", MaxPassed)
		}
		line, err := r.next()
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		if strings.HasPrefix(line, "#") {
			r.Problems.Note("late comment", r.Line, "", "Move metadata above the header", "a # line after the header was passed over")
			continue
		}
		fields, err := split(line, r.Separator, r.scratch[:0])
		if err != nil {
			r.passed++
			return nil, &RowError{r.Fail(r.Line, "", "Close the quotation mark on the same line", "%v", err)}
		}
		r.scratch = fields
		for len(fields) == len(r.Header)+1 && fields[len(fields)-1] == "" {
			fields = fields[:len(fields)-1]
		}
		if len(fields) != len(r.Header) {
			r.passed++
			return nil, &RowError{r.wrongCount(len(fields))}
		}
		return fields, nil
	}
}

func (r *Reader) wrongCount(n int) *atalaya.Error {
	hint := "Give every row one field for each column, empty where not measured"
	if n > len(r.Header) && r.Separator == ',' {
		hint = "Write numbers with a decimal point (12.4, not 12,4) and put text that holds a comma in quotation marks"
	}
	return r.Fail(r.Line, "", hint, "%d fields where the header has %d", n, len(r.Header))
}

// RowError is an error that costs one row only; reading can go on.
type RowError struct{ Err *atalaya.Error }

func (e *RowError) Error() string { return e.Err.Error() }
func (e *RowError) Unwrap() error { return e.Err }

// next gives the next line without its end.
func (r *Reader) next() (string, error) {
	if !r.began {
		r.began = true
		if err := r.begin(); err != nil {
			return "", err
		}
	}
	var long []byte
	for {
		part, err := r.lines.ReadSlice('\n')
		if len(long)+len(part) > MaxLine {
			return "", r.Fail(r.Line+1, "", "Check that this is a text table with one row a line", "the line is longer than %d bytes", MaxLine)
		}
		switch {
		case err == bufio.ErrBufferFull:
			long = append(long, part...)
			continue
		case err == io.EOF && len(part)+len(long) == 0:
			return "", io.EOF
		case err != nil && err != io.EOF:
			return "", r.unread(place(r.Line+1, ""), "Check that the file can be read to its end", err)
		}
		if long != nil {
			part = append(long, part...)
		}
		r.Line++
		return r.text(bytes.TrimSuffix(bytes.TrimSuffix(part, []byte("\n")), []byte("\r")))
	}
}

// unread is an error of the disk. The path that the system puts into it is the file's, which is named anyhow.
func (r *Reader) unread(place, hint string, err error) *atalaya.Error {
	var system *fs.PathError
	if errors.As(err, &system) {
		err = system.Err
	}
	return &atalaya.Error{Op: r.Op, File: r.File, Place: place, Kind: atalaya.Failed, Hint: hint, Err: err}
}

// begin takes off a byte order mark and turns UTF-16 into UTF-8.
func (r *Reader) begin() error {
	mark, err := r.lines.Peek(4)
	if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
		return r.unread("", "Name a file that can be read", err)
	}
	switch {
	case bytes.HasPrefix(mark, []byte{0xEF, 0xBB, 0xBF}):
		_, err = r.lines.Discard(3)
		return err
	case bytes.HasPrefix(mark, []byte{0xFF, 0xFE}), bytes.HasPrefix(mark, []byte{0xFE, 0xFF}):
		r.Problems.Note("utf-16", 1, "", "", "the text is UTF-16; it was read as such")
		dec := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()
		r.lines = bufio.NewReaderSize(dec.Reader(r.lines), 16<<10)
	}
	return nil
}

// text makes a line valid UTF-8, reading it as Windows-1252 where it is not, and says so.
func (r *Reader) text(line []byte) (string, error) {
	if i := bytes.IndexByte(line, 0); i >= 0 {
		return "", r.Fail(r.Line, "", "Save the table as UTF-8 text", "a zero byte at position %d of the line: this is not text", i+1)
	}
	if utf8.Valid(line) {
		return string(line), nil
	}
	r.Problems.Note("encoding", r.Line, "", "Save the file as UTF-8", "the line is not UTF-8; it was read as Windows-1252")
	s, err := charmap.Windows1252.NewDecoder().Bytes(line)
	if err != nil {
		return "", r.Fail(r.Line, "", "Save the file as UTF-8", "the line is not text: %v", err)
	}
	return string(s), nil
}

// split cuts one line; a field in quotation marks may hold separators, and "" within it stands for one mark.
func split(line string, sep byte, into []string) ([]string, error) {
	for {
		if strings.HasPrefix(line, `"`) {
			field, rest, err := quoted(line)
			if err != nil {
				return into, err
			}
			into = append(into, field)
			if rest == "" {
				return into, nil
			}
			if rest[0] != sep {
				return into, fmt.Errorf("text after a closing quotation mark: %.20q", rest)
			}
			line = rest[1:]
			continue
		}
		i := strings.IndexByte(line, sep)
		if i < 0 {
			return append(into, line), nil
		}
		into = append(into, line[:i])
		line = line[i+1:]
	}
}

func quoted(line string) (field, rest string, err error) {
	var b strings.Builder
	for s := line[1:]; ; {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			return "", "", errors.New("a quotation mark is not closed")
		}
		b.WriteString(s[:i])
		if strings.HasPrefix(s[i:], `""`) {
			b.WriteByte('"')
			s = s[i+2:]
			continue
		}
		return b.String(), s[i+1:], nil
	}
}

// Field quotes one field for writing where it needs it.
func Field(s string) string {
	if s == "" || strings.IndexFunc(s, needsQuote) < 0 && strings.TrimSpace(s) == s && s[0] != '#' {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

func needsQuote(c rune) bool { return c == ',' || c == ';' || c == '\t' || c == '"' }

// Format writes a number so that it reads back as the same bits; NaN is an empty field.
func Format(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
