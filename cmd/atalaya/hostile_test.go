//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/text/encoding/unicode"
)

// rudeHead and rudeRows are a survey that can be located; a rude one is made from it by one change.
const rudeHead = "# origin: 24.80,-107.39\n# start: 2026-03-14T12:00:00Z\n# note: SYNTHETIC\nt_s,x_m,y_m,z_m,wind_u_mps,wind_v_mps,acetone_ppb\n"

var rudeRows = []string{"0,0,20,15,3.1,0.2,2.5\n", "1,10,20,15,3.1,0.2,2.75\n", "2,20,20,15,3.1,0.2,10.5\n", "3,30,20,15,3.1,0.2,8.5\n", "4,40,20,15,3.1,0.2,2.5\n", "5,50,20,15,3.1,0.2,2.25\n"}

// Surveys as they come from the field: each is read where it can be, and told where it cannot, in one line with the place and
// the remedy.
func TestARudeSurveyIsReadOrToldInOneLine(t *testing.T) {
	plain := rudeHead + strings.Join(rudeRows, "")
	change := func(old, new string) string {
		if !strings.Contains(plain, old) {
			t.Fatalf("nothing to change: %q", old)
		}
		return strings.ReplaceAll(plain, old, new)
	}
	utf16 := func(order unicode.Endianness, mark unicode.BOMPolicy) string {
		s, err := unicode.UTF16(order, mark).NewEncoder().String(plain)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	_, answer, _ := locate(t, plain)
	const same = true // the answer is that of the plain survey
	for _, c := range []struct {
		name, survey string
		code         int
		same         bool
		told         []string // the lines on standard error, without the name of the file
	}{
		{"with a byte order mark", "\xef\xbb\xbf" + plain, 0, same, nil},
		{"with CRLF", change("\n", "\r\n"), 0, same, nil},
		{"with every field in quotation marks", strings.ReplaceAll(change("2,20,20,15,3.1,0.2,10.5", `"2","20","20","15","3.1","0.2","10.5"`), "t_s,x_m", `"t_s","x_m"`), 0, same, nil},
		{"with semicolons and decimal commas", rudeHead[:strings.Index(rudeHead, "t_s")] + strings.ReplaceAll(strings.NewReplacer(",", ";", ".", ",").Replace(plain[strings.Index(plain, "t_s"):]), ";;", ";"), 0, same,
			[]string{"line 4: fields are separated by semicolons; a comma within a number is read as its decimal mark"}},
		{"in UTF-16, little end first", utf16(unicode.LittleEndian, unicode.UseBOM), 0, same, []string{"line 1: the text is UTF-16; it was read as such"}},
		{"in UTF-16, big end first", utf16(unicode.BigEndian, unicode.UseBOM), 0, same, []string{"line 1: the text is UTF-16; it was read as such"}},
		{"in Windows-1252", change("note: SYNTHETIC", "note: SYNTHETIC, ca\xf1\xf3n"), 0, same, []string{"line 3: the line is not UTF-8; it was read as Windows-1252. Save the file as UTF-8"}},
		{"with rows out of order", rudeHead + rudeRows[3] + rudeRows[1] + rudeRows[2] + rudeRows[5] + rudeRows[4] + rudeRows[0], 0, same, []string{"line 6: the time goes back; all rows were sorted by time"}},
		{"with a row twice", plain + rudeRows[5], 0, same, []string{"line 11: repeats line 10 word for word and was left out"}},
		{"with a value below zero, as noise makes it", change("2.75", "-0.5"), 0, false, nil},
		{"with the logger's word for nothing", change("2.75", "-9999"), 0, false, []string{"line 6, column acetone_ppb: -9999 taken as not measured. Leave the field empty where nothing was measured"}},
		{"with NaN", change("2.75", "NaN"), 0, false, []string{`line 6, column acetone_ppb: "NaN" taken as not measured. Leave the field empty`}},
		{"with an infinite value", change("2.75", "inf"), 3, false, []string{"line 6, column acetone_ppb: inf is not a measurement; taken as not measured. Leave the field empty where nothing was measured"}},
		{"with a mark that is not closed", change("1,10,20", `1,"10,20`), 3, false, []string{"line 6: a quotation mark is not closed. Close the quotation mark on the same line"}},
		{"that was cut off", plain + "6,60,20,1", 3, same, []string{"line 11: 4 fields where the header has 7. Give every row one field for each column, empty where not measured"}},
		{"with a name as long as a page", strings.NewReplacer("_ppb\n", "_ppb,sensor\n", "75\n", "75,"+strings.Repeat("s", 3000)+"\n", "5\n", "5,s\n").Replace(plain), 3, false,
			[]string{"line 6, column sensor: a name of 3000 bytes where 200 are read. Give it a short name"}},
		{"whose times count from nowhere", change("# start: 2026-03-14T12:00:00Z\n", ""), 0, false, []string{"no date: t_s counts from an unknown start. Add # start: TIME above the header"}},
		{"with CR alone", change("\n", "\r"), 1, false, []string{"line 1: lines end in CR alone. Save the file with LF or CRLF line ends"}},
		{"in UTF-16 without its mark", utf16(unicode.LittleEndian, unicode.IgnoreBOM), 1, false, []string{"line 1: a zero byte at position 2 of the line: this is not text. Save the table as UTF-8 text"}},
		{"with a zero byte", change("2.75", "2.\x0075"), 1, false, []string{"line 6: a zero byte at position 22 of the line: this is not text. Save the table as UTF-8 text"}},
		{"with a column twice", change("wind_v_mps", "wind_u_mps"), 1, false, []string{"line 4, column wind_u_mps: the column stands twice in the header. Rename or remove one of them"}},
		{"with a mark in the header that is not closed", change("acetone_ppb", `"acetone_ppb`), 1, false, []string{"line 4: header: a quotation mark is not closed. Close the quotation mark on the same line"}},
		{"without rows", rudeHead, 1, false, []string{"line 4: a header and no data rows. Add data rows"}},
		{"with a million columns", change("acetone_ppb", "c"+strings.Repeat(",c", 1_000_000)), 1, false, []string{"line 4: the line is longer than 1048576 bytes. Check that this is a text table with one row a line"}},
		{"with a hundred thousand columns", change("acetone_ppb", "c"+strings.Repeat(",c", 100_000)), 1, false, []string{"line 4: 100007 columns; at most 2000 are read. Split the file by columns"}},
		{"from latitude 91", change("24.80", "91"), 1, false, []string{"line 1: origin: 91, -107.39 is not on the Earth. Give latitude first, then longitude, in degrees"}},
		{"in a unit that is not read", change("_ppb", "_ppt"), 1, false, []string{"line 4, column acetone_ppt: the unit is not read, and there is no other compound. Give the value in ppm, ppb, ugm3 or mgm3"}},
		{"in a calm", change("3.1,0.2", "0,0"), 1, false, []string{"no ground lies upwind of the samples: the wind is calm throughout. Give the wind; below 1 m/s a source cannot be located"}},
		{"that is too short", rudeHead + rudeRows[0] + rudeRows[1], 1, false, []string{"fewer than five samples with a place, a wind and a value. Fly more, or join the groups with --join"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, talk := locate(t, c.survey)
			want := ""
			for _, line := range c.told {
				want += "survey.csv: " + line + "\n"
			}
			if c.code == 3 {
				want += "some rows or values could not be read; each is named above\n"
			}
			if code != c.code || talk != want {
				t.Errorf("exit %d, want %d. It says\n%swant\n%s", code, c.code, talk, want)
			}
			if (out == "") != (c.code == 1) {
				t.Errorf("exit %d, and on standard output %q", code, out)
			}
			if c.same && out != answer {
				t.Errorf("the answer\n%s\nis not that of the plain survey\n%s", out, answer)
			}
		})
	}
}

// locate runs gas locate on a survey.csv with these bytes.
func locate(t *testing.T, survey string) (code int, out, talk string) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("survey.csv", []byte(survey), 0o600); err != nil {
		t.Fatal(err)
	}
	var o, e bytes.Buffer
	code = run([]string{"gas", "locate", "survey.csv", "--json", "--quiet"}, &o, &e)
	return code, o.String(), e.String()
}

const (
	hostileBytes = 1 << 30
	mostMemory   = 256 << 20
)

// endless gives a head, then what next makes of the number of the line, until as many bytes are read.
type endless struct {
	head string
	next func(i int) string
	line int
	rest []byte
}

func (e *endless) Read(p []byte) (int, error) {
	if e.line == 0 {
		e.rest = []byte(e.head)
	}
	for len(e.rest) < len(p) {
		e.rest = append(e.rest, e.next(e.line)...)
		e.line++
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// peak is how much memory a process that has ended took at most.
func peak(s *os.ProcessState) int64 {
	m := int64(s.SysUsage().(*syscall.Rusage).Maxrss)
	if runtime.GOOS == "darwin" {
		return m
	}
	return m << 10
}

// bounded runs the program on hostile input and checks that it ends within the memory, with one line of at most a thousand
// characters on standard error.
func bounded(t *testing.T, in io.Reader, code int, want string, args ...string) {
	t.Helper()
	debug.FreeOSMemory() // a child's peak counts from what this process holds when it forks
	cmd := exec.Command("atalaya", args...)
	var out, talk bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &out, &talk
	start := time.Now()
	err := cmd.Run() // the program may end before it has read all
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	took, most := time.Since(start), peak(cmd.ProcessState)
	t.Logf("%v, %d MB at most", took.Round(time.Millisecond), most>>20)
	if got := cmd.ProcessState.ExitCode(); got != code || strings.Count(talk.String(), "\n") != 1 || !strings.Contains(talk.String()+out.String(), want) || talk.Len() > 1100 {
		t.Errorf("exit %d, want %d. It says\n%.2000s%.2000s\nwant %q", got, code, out.String(), talk.String(), want)
	}
	if most > mostMemory {
		t.Errorf("it took %d MB, more than %d", most>>20, mostMemory>>20)
	}
}

// A gigabyte that is no survey is refused as soon as that can be seen, whatever it is made of.
func TestAHostileGigabyteIsRefusedInOneLine(t *testing.T) {
	const head = "# origin: 24.80,-107.39\nt_s,x_m,y_m,z_m,wind_u_mps,wind_v_mps,acetone_ppb\n"
	again := func(line string) func(int) string {
		many := strings.Repeat(line, 1+1000/len(line))
		return func(int) string { return many }
	}
	numbered := func(format string) func(int) string { return func(i int) string { return fmt.Sprintf(format, i) } }
	long := strings.Repeat("x", 100_000)
	wide := "t_s,x_m,y_m,z_m,wind_u_mps,wind_v_mps"
	for i := range 1900 {
		wide += fmt.Sprintf(",c%d_ppb", i)
	}
	for _, c := range []struct {
		name, head string
		next       func(i int) string
		want       string
		long       bool // it is read to its end: less of it without ATALAYA_SOAK=1
	}{
		{"of one line", "", again("a,"), "line 1: the line is longer than 1048576 bytes. Check that this is a text table with one row a line", false},
		{"of zeros", "", again("\x00"), "line 1: the line is longer than 1048576 bytes", false},
		{"of empty lines", "", again("\n"), "no header row in the first 1048576 bytes. Put the header row at the top", false},
		{"of rows", head, numbered("%d,10,20,60,3.1,0.2,12\n"), "line 1000003: more than 1000000 rows of 7 columns. Split the survey into files of fewer rows", false},
		{"of one row", head, again("1,10,20,60,3.1,0.2,12\n"), "more than 1000000 rows of 7 columns", false},
		{"of wide rows", wide + "\n", numbered("%d,10,20,60,3.1,0.2" + strings.Repeat(",1.25", 1900) + "\n"), "rows of 1906 columns. Split the survey", false},
		{"of broken rows", head, again("xyz!,,;\n"), "line 3: 3 fields where the header has 7", false},
		{"of open quotation marks", head, again("1,10,20,60,3.1,0.2,\"12\n"), "line 3: a quotation mark is not closed", false},
		{"of rows without a time", head, again(",10,20,60,3.1,0.2,12\n"), "line 3, column t_s: no time. Give every row its time", false},
		{"of comments below the header", head, again("# on and on\n"), "more than 1000000 lines that hold no row", false},
		{"of metadata", "", numbered("# key%d: value\n"), "no header row in the first 1048576 bytes", false},
		{"of metadata as long as a page", "", numbered("# cas_x%d: " + long + "\n"), "no header row in the first 1048576 bytes", false},
		{"of names as long as a page", strings.ReplaceAll(head, "_ppb", "_ppb,sensor"), numbered("0,10,20,60,3.1,0.2,12,s%d" + long + "\n"), "line 3, column sensor: a name of", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			size := int64(hostileBytes)
			if c.long && !soak() {
				size /= 16
			}
			in := io.LimitReader(&endless{head: c.head, next: c.next}, size)
			bounded(t, in, 1, c.want, "gas", "locate", "/dev/stdin", "--quiet")
		})
	}
}

// sparse is a file of a gigabyte that begins with a text and goes on with zeros, and takes no room on the disk.
func sparse(t *testing.T, begin string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "survey.csv")
	if err := os.WriteFile(file, []byte(begin), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, hostileBytes); err != nil {
		t.Fatal(err)
	}
	return file
}

// A survey whose end was never written, as a logger leaves it that lost its power, is told by its first bad line.
func TestAGigabyteThatEndsInZerosIsToldByItsPlace(t *testing.T) {
	rows := rudeHead
	for i := range 6000 { // more than is looked at to tell what the file is
		rows += fmt.Sprintf("%d,10,20,60,3.1,0.2,12\n", i)
	}
	file := sparse(t, rows)
	const want = "line 6005: the line is longer than 1048576 bytes. Check that this is a text table with one row a line"
	bounded(t, nil, 1, file+": "+want, "gas", "locate", file, "--quiet")
	bounded(t, nil, 3, "    ! "+want, "probe", file, "--quiet")
	if soak() { // the bytes are kept: it writes a gigabyte
		bounded(t, nil, 3, want, "run", filepath.Dir(file), "--data", t.TempDir(), "--json", "--quiet")
	}
}
