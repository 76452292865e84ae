package delimited

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/atalaya-isr/atalaya"
)

// Number reads one number. An empty field is NaN. A word for "no value" (NA, NaN, null, -) is NaN too, with missing true, so
// that the caller can say so. The hint goes with the error.
func (r *Reader) Number(s string) (v float64, missing bool, hint string, err error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return math.NaN(), false, "", nil
	}
	if decimal(s) {
		v, err := strconv.ParseFloat(s, 64)
		if err == nil {
			return v, false, "", nil
		}
		if errors.Is(err, strconv.ErrRange) {
			return 0, false, "Check the value", fmt.Errorf("%s is out of the range of numbers", clip(s))
		}
	}
	switch strings.ToLower(s) {
	case "na", "n/a", "nan", "null", "none", "-", "--", "nd", "s/d":
		return math.NaN(), true, "", nil
	case "inf", "+inf", "-inf", "infinity":
		return 0, false, "Leave the field empty where nothing was measured", fmt.Errorf("%s is not a measurement", s)
	}
	if r.Separator != ',' && strings.Count(s, ",") == 1 && !strings.Contains(s, ".") {
		if p := strings.Replace(s, ",", ".", 1); decimal(p) {
			if v, err := strconv.ParseFloat(p, 64); err == nil {
				return v, false, "", nil
			}
		}
	}
	return 0, false, numberHint(s), fmt.Errorf("%q is not a number", clip(s))
}

// decimal reports whether s holds only what a decimal number is written with: no hexadecimal, no underscores.
func decimal(s string) bool {
	digits := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits = true
		case c == '+' || c == '-' || c == '.' || c == 'e' || c == 'E':
		default:
			return false
		}
	}
	return digits
}

func numberHint(s string) string {
	point := strings.NewReplacer(",", ".", ";", ".").Replace(s)
	if point != s && strings.Count(point, ".") == 1 && decimal(point) {
		return "Write a decimal point: " + point
	}
	plain := strings.ReplaceAll(s, ",", "")
	if strings.LastIndexByte(s, '.') < strings.LastIndexByte(s, ',') && strings.Contains(s, ".") { // 1.234,5
		plain = strings.ReplaceAll(strings.ReplaceAll(s, ".", ""), ",", ".")
	}
	if plain != s && decimal(plain) && strings.Count(plain, ".") < 2 {
		return "Write it without thousands separators: " + plain
	}
	return "Write a plain number, or leave the field empty where nothing was measured"
}

// clip shortens what is quoted in a message.
func clip(s string) string { return clipTo(s, 40) }

func clipTo(s string, bytes int) string {
	if len(s) > bytes {
		return strings.ToValidUTF8(s[:bytes], "") + "..."
	}
	return s
}

// Loss says what a problem cost.
type Loss uint8

// The losses: a Note costs nothing, a LostValue one field, a LostRow one row.
const (
	Note Loss = iota
	LostValue
	LostRow
)

// A Problem is one thing that was wrong, at the first place where it occurred.
type Problem struct {
	At    string // "line 12, column acetone_ppb"
	What  string // what was wrong and what was done about it, with the remedy
	Lost  Loss
	Times int // how often the same thing occurred; the place is the first
}

// Err is the problem as an error of file.
func (p Problem) Err(op, file string) *atalaya.Error {
	return &atalaya.Error{Op: op, File: file, Place: p.At, Kind: atalaya.BadInput, Err: errors.New(p.String())}
}

// String is what was wrong with how often.
func (p Problem) String() string {
	if p.Times > 1 {
		return fmt.Sprintf("%s (%d times in all)", p.What, p.Times)
	}
	return p.What
}

// maxProblems bounds the list; further kinds of problem are only counted.
const maxProblems = 200

// Problems collects problems: the same cause in the same column is one entry with a count.
type Problems struct {
	file, op string
	List     []Problem
	LostRows int
	index    map[string]int
	// LostValues counts fields that could not be read in rows that were.
	LostValues int
}

// Note records something that cost nothing.
func (p *Problems) Note(cause string, line int, column, hint, format string, args ...any) {
	p.add(Note, cause, line, column, hint, fmt.Sprintf(format, args...))
}

// Value records a field that could not be read.
func (p *Problems) Value(cause string, line int, column, hint, format string, args ...any) {
	p.LostValues++
	p.add(LostValue, cause, line, column, hint, fmt.Sprintf(format, args...))
}

// Row records a row that could not be read.
func (p *Problems) Row(cause string, e *atalaya.Error) {
	p.LostRows++
	p.put(LostRow, cause, Problem{At: e.Place, What: sentence(e.Err.Error(), e.Hint), Lost: LostRow, Times: 1})
}

func (p *Problems) add(l Loss, cause string, line int, column, hint, what string) {
	p.put(l, cause+"\x00"+column, Problem{At: place(line, column), What: sentence(what, hint), Lost: l, Times: 1})
}

func (p *Problems) put(_ Loss, key string, q Problem) {
	if i, ok := p.index[key]; ok {
		p.List[i].Times++
		return
	}
	if len(p.List) >= maxProblems {
		return
	}
	if p.index == nil {
		p.index = map[string]int{}
	}
	p.index[key] = len(p.List)
	p.List = append(p.List, q)
}

// sentence is what was wrong with its remedy; a value that was quoted in it may be as long as a line of the file.
func sentence(what, hint string) string {
	what = clipTo(what, 500)
	if hint == "" {
		return what
	}
	return what + ". " + hint
}
