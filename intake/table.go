package intake

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/atalaya-isr/atalaya/sense/bearing"
	"github.com/atalaya-isr/atalaya/sense/delimited"
	"github.com/atalaya-isr/atalaya/sense/gas"
)

// table recognises rows of fields: by the names in the header, or, for lists without one, by their first rows.
func (l *look) table() bool {
	text := l.headText()
	sep, header, ok := firstRow(text)
	if !ok {
		return l.columnsOfNumbers(text)
	}
	if list := ofacList(text); list != nil {
		l.ofac(list)
		return true
	}
	names := make([]string, len(header))
	for i, h := range header {
		names[i] = strings.ToLower(strings.TrimSpace(h))
	}
	has := func(want ...string) bool {
		for _, w := range want {
			if !slices.Contains(names, w) {
				return false
			}
		}
		return true
	}
	switch {
	case gas.IsHeader(names):
		l.survey()
		return true
	case bearing.IsHeader(names):
		l.bearings()
		return true
	case has("message", "sensor", "toa_s"):
		l.is(ArrivalTimes, "arrival times of messages at sensors")
	case isPlots(names):
		l.is(Plots, "plots, one row a detection")
	case has("source", "target"):
		l.is(Edges, "edges of a network")
	case has("id", "name") && !has("lat"), has("source", "entity_number", "name", "programs"):
		l.is(NameList, "a list of names")
	case len(names) >= 2 && (strings.HasPrefix(names[0], "wavelength") || strings.HasPrefix(names[0], "wavenumber")):
		l.is(SpectraTable, "a spectrum as a table")
	case !tabular(text, sep):
		return false
	default:
		l.is(Table, "a table")
	}
	l.Summary["columns"] = cleanAll(names)
	if endsInCR(l.rawText()) { // as the readers of surveys and bearings say it
		l.lost("line 1", "lines end in CR alone. Save the file with LF or CRLF line ends")
		return true
	}
	columns := len(header)
	if !strings.Contains(text, "\n") || !hasRow(text[:strings.LastIndex(text, "\n")+1], "\n") {
		columns = 0 // the header goes on beyond the head
	}
	l.count(sep, columns)
	return true
}

func cleanAll(names []string) []string {
	out := make([]string, min(len(names), 100))
	for i := range out {
		out[i] = clean(names[i])
	}
	return out
}

// headText is the head of the file as text, up to its last line end when the file goes on. Lines that end in CR alone are
// lines here, so that the file is recognised; its reader then refuses them.
func (l *look) headText() string {
	text := l.rawText()
	end := "\n"
	if endsInCR(text) {
		end = "\r"
	}
	if int64(len(l.head)) < l.size {
		// A header that is longer than the head is cut, and still the header.
		if i := strings.LastIndex(text, end); i >= 0 && hasRow(text[:i+1], end) {
			text = text[:i+1]
		}
	}
	if end == "\r" {
		text = strings.ReplaceAll(text, "\r", "\n")
	}
	return text
}

// hasRow reports whether a text has a line that is no comment and not blank.
func hasRow(text, end string) bool {
	for line := range strings.SplitSeq(text, end) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return true
		}
	}
	return false
}

// endsInCR reports whether the lines of a text end in CR alone, as on old Macintoshes.
func endsInCR(text string) bool { return strings.Contains(text, "\r") && !strings.Contains(text, "\n") }

// rawText is the head of the file as text.
func (l *look) rawText() string {
	b := l.head
	if bytes.HasPrefix(b, []byte{0xFF, 0xFE}) || bytes.HasPrefix(b, []byte{0xFE, 0xFF}) {
		if d, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(b); err == nil {
			b = d
		}
	}
	return string(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
}

// firstRow is the first line that is no comment, split by the separator that it holds most of; false when it holds none.
func firstRow(text string) (sep rune, fields []string, ok bool) {
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		sep, most := ',', strings.Count(line, ",")
		for _, c := range ";\t" {
			if n := strings.Count(line, string(c)); n > most {
				sep, most = c, n
			}
		}
		if most == 0 {
			return 0, nil, false
		}
		r := csv.NewReader(strings.NewReader(line))
		r.Comma, r.LazyQuotes = sep, true
		fields, err := r.Read()
		return sep, fields, err == nil && (len(fields) <= delimited.MaxColumns || areNames(fields))
	}
	return 0, nil, false
}

// areNames reports whether nearly all fields of a row could be names of columns: a text in one long line has as many commas.
func areNames(fields []string) bool {
	n := 0
	for _, f := range fields {
		if headerName.MatchString(strings.TrimSpace(f)) {
			n++
		}
	}
	return n*10 >= len(fields)*9
}

var plotColumns = []string{"time", "x_m", "y_m", "z_m", "lat", "lon", "height_hae_m", "sigma_m", "sensor", "scan"}

// isPlots reports whether all columns are those of plots, with a time and a position among them.
func isPlots(names []string) bool {
	for _, n := range names {
		if !slices.Contains(plotColumns, n) {
			return false
		}
	}
	in := func(n string) bool { return slices.Contains(names, n) }
	return in("time") && (in("x_m") && in("y_m") || in("lat") && in("lon"))
}

// headerName is what a column may be called; prose with commas in it seldom is.
var headerName = regexp.MustCompile(`^[\p{L}\p{N}_.*()/%&+#°\[\] -]{1,60}$`)

// tabular reports whether the rows of a text have one count of fields. A header alone is a table when its fields are names.
func tabular(text string, sep rune) bool {
	r := reader(strings.NewReader(text), sep)
	rows, same, count := 0, 0, 0
	for {
		f, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			rows++
			if rows > 20 || !errors.Is(err, csv.ErrFieldCount) && !errors.Is(err, csv.ErrQuote) && !errors.Is(err, csv.ErrBareQuote) {
				break
			}
			continue
		}
		if rows == 0 {
			count = len(f)
			for _, h := range f {
				if len(f) < 3 && !headerName.MatchString(strings.TrimSpace(h)) {
					return false
				}
			}
		}
		rows++
		if len(f) == count {
			same++
		}
	}
	if rows <= 1 {
		return rows == 1 && count >= 3
	}
	return count >= 2 && same*10 >= rows*9
}

func reader(in io.Reader, sep rune) *csv.Reader {
	r := csv.NewReader(in)
	r.Comma, r.Comment, r.FieldsPerRecord, r.ReuseRecord = sep, '#', -1, true
	return r
}

// count reads the rows of a table and tells those that do not fit the header; columns is 0 where the header is not known whole.
func (l *look) count(sep rune, columns int) {
	limited := &io.LimitedReader{R: l.all(), N: maxTextBytes}
	// A mark tells UTF-16, or is taken off UTF-8; without one the bytes stay as they are.
	r := reader(transform.NewReader(limited, unicode.BOMOverride(transform.Nop)), sep)
	rows := -1 // the header
	for {
		f, err := r.Read()
		if err == io.EOF {
			break
		}
		if limited.N <= 0 {
			l.Summary["looked_through_bytes"] = maxTextBytes
			break
		}
		var bad *csv.ParseError
		switch {
		case errors.As(err, &bad):
			l.lost(fmt.Sprintf("line %d", bad.Line), "%v", bad.Err)
			continue
		case err != nil:
			l.lost("", "cannot be read to its end: %v", err)
			l.Summary["rows"] = max(rows, 0)
			return
		}
		if columns == 0 {
			columns = len(f)
		}
		if rows < 0 && columns > delimited.MaxColumns {
			line, _ := r.FieldPos(0)
			l.lost(fmt.Sprintf("line %d", line), "%d columns; at most %d are read. Split the file by columns", columns, delimited.MaxColumns)
			return
		}
		if len(f) != columns {
			line, _ := r.FieldPos(0)
			l.lost(fmt.Sprintf("line %d", line), "%d fields where the header has %d", len(f), columns)
			continue
		}
		rows++
	}
	l.Summary["rows"] = max(rows, 0)
}

func (l *look) survey() {
	l.is(GasSurvey, "gas survey")
	s, err := gas.Read(l.all(), l.name)
	if err != nil {
		l.failed(err)
		return
	}
	l.rowProblems(s.Problems)
	compounds := make([]string, 0, len(s.Compounds))
	for _, c := range s.Compounds {
		compounds = append(compounds, c.Name+" ("+c.Unit.String()+")")
	}
	l.Summary["rows"], l.Summary["lost_rows"], l.Summary["compounds"] = s.Len(), s.LostRows, cleanAll(compounds)
	l.Summary["paths"], l.Summary["geographic"], l.Summary["groups"], l.Summary["sensors"] = s.To != nil, s.Geographic(), max(len(s.Groups), 1), max(len(s.Sensors), 1)
	if from, ok := s.TimeOf(0); ok {
		to := from
		for i := range s.T {
			t, _ := s.TimeOf(i)
			if t.Before(from) {
				from = t
			}
			if t.After(to) {
				to = t
			}
		}
		l.Summary["from"], l.Summary["to"] = from, to
	}
	if sw, ne, ok := s.Extent(); ok {
		l.Summary["bbox"] = [4]float64{sw.Lon, sw.Lat, ne.Lon, ne.Lat}
	}
}

func (l *look) bearings() {
	l.is(Bearings, "lines of bearing")
	s, err := bearing.Read(l.all(), l.name)
	if err != nil {
		l.failed(err)
		return
	}
	l.rowProblems(s.Problems)
	names, _ := s.ByEmitter()
	from, to := s.Bearings[0].Time, s.Bearings[0].Time
	for _, b := range s.Bearings {
		if b.Time.Before(from) {
			from = b.Time
		}
		if b.Time.After(to) {
			to = b.Time
		}
	}
	l.Summary["rows"], l.Summary["lost_rows"], l.Summary["emitters"] = len(s.Bearings), s.LostRows, len(names)
	l.Summary["from"], l.Summary["to"] = from, to
}

// An ofacForm is one file of the sanctions list of the US Treasury in its old form: no header, "-0-" for nothing.
type ofacForm struct {
	what    string
	columns int
}

var ofacForms = map[int]*ofacForm{
	12: {"designations (OFAC SDN, main file)", 12},
	6:  {"designations (OFAC SDN, addresses)", 6},
	5:  {"designations (OFAC SDN, other names)", 5},
	2:  {"designations (OFAC SDN, continued remarks)", 2},
}

var ofacRemark = regexp.MustCompile(`Linked To:|DOB |POB |a\.k\.a\.|Passport|Additional Sanctions|nationality `)

// ofacList recognises the list by its first rows: an entry number first, one of the four widths, and its mark for nothing
// (or, for continued remarks, the words that remarks are made of).
func ofacList(text string) *ofacForm {
	widths := map[int]int{}
	rows := 0
	for line := range strings.SplitSeq(text, "\n") {
		f, ok := csvLine(strings.TrimRight(line, "\r"))
		if !ok {
			continue
		}
		if _, err := strconv.Atoi(strings.TrimSpace(f[0])); err != nil {
			if rows == 0 {
				return nil
			}
			continue
		}
		widths[len(f)]++
		if rows++; rows == 50 {
			break
		}
	}
	for n, form := range ofacForms {
		if widths[n]*3 > rows*2 {
			if n == 2 && ofacRemark.MatchString(text) || n > 2 && strings.Contains(text, "-0-") {
				return form
			}
		}
	}
	return nil
}

// csvLine splits one line as CSV; false where its quotation marks do not close.
func csvLine(line string) ([]string, bool) {
	r := csv.NewReader(strings.NewReader(line))
	r.FieldsPerRecord = -1
	f, err := r.Read()
	return f, err == nil && len(f) > 0
}

func (l *look) ofac(form *ofacForm) {
	l.is(NameList, "%s", form.what)
	rows, bad := 0, 0
	err := eachLine(l.all(), func(n int, line []byte) {
		text := strings.Trim(string(line), "\r\n\x1a")
		if text == "" {
			return
		}
		f, ok := csvLine(text)
		_, notNumber := 0, error(nil)
		if ok {
			_, notNumber = strconv.Atoi(strings.TrimSpace(f[0]))
		}
		switch at := fmt.Sprintf("line %d", n); {
		case !ok:
			bad++
			l.lost(at, "a quotation mark is not closed: %.40q", text)
		case notNumber != nil:
			bad++
			l.lost(at, "no entry number: %.40q", text)
		case len(f) != form.columns:
			bad++
			l.lost(at, "%d fields where the list has %d", len(f), form.columns)
		default:
			rows++
		}
	})
	if err != nil {
		l.lost("", "cannot be read to its end: %v", err)
	}
	l.Summary["rows"], l.Summary["lost_rows"] = rows, bad
}

// columnsOfNumbers recognises numbers in columns parted by blanks: five lines or more, all of one width of two or more.
func (l *look) columnsOfNumbers(text string) bool {
	rows, width := 0, 0
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Fields(line)
		if width == 0 {
			width = len(f)
		}
		if len(f) != width || width < 2 {
			return false
		}
		for _, x := range f {
			if _, err := strconv.ParseFloat(x, 64); err != nil {
				return false
			}
		}
		rows++
	}
	if rows < 5 {
		return false
	}
	l.is(Table, "numbers in columns")
	l.Summary["width"] = width
	return true
}
