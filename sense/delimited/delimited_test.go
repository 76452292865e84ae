package delimited_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/sense/delimited"
)

func ExampleReader() {
	r := delimited.NewReader(strings.NewReader("# note: SYNTHETIC\nname,height_m\n\"Cerro, El\",1250\nLlano\n"), "places.csv", "places.read")
	r.Comment = func(line int, text string) { fmt.Println(line, text) }
	if err := r.ReadHeader(); err != nil {
		fmt.Println(err)
		return
	}
	for {
		row, err := r.Row()
		if err == io.EOF {
			return
		}
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%q\n", row)
	}
	// Output:
	// 1 note: SYNTHETIC
	// ["Cerro, El" "1250"]
	// places.csv: line 4: 1 fields where the header has 2. Give every row one field for each column, empty where not measured
}

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		in, separator string
		want          float64
		missing       bool
		err, hint     string
	}{
		{"12.4", ",", 12.4, false, "", ""},
		{" -1e-3 ", ",", -1e-3, false, "", ""},
		{"", ",", math.NaN(), false, "", ""},
		{"NA", ",", math.NaN(), true, "", ""},
		{"s/d", ",", math.NaN(), true, "", ""}, // sin dato
		{"12,4", ";", 12.4, false, "", ""},
		{"12,4", "\t", 12.4, false, "", ""},
		{"1.234,5", ";", 0, false, `"1.234,5" is not a number`, "Write it without thousands separators: 1234.5"},
		{"1,234.5", ",", 0, false, `"1,234.5" is not a number`, "Write it without thousands separators: 1234.5"},
		{"12;4", ",", 0, false, `"12;4" is not a number`, "Write a decimal point: 12.4"},
		{"1_000", ",", 0, false, `"1_000" is not a number`, "Write a plain number, or leave the field empty where nothing was measured"},
		{"Inf", ",", 0, false, "Inf is not a measurement", "Leave the field empty where nothing was measured"},
		{"1e999", ",", 0, false, "1e999 is out of the range of numbers", "Check the value"},
	} {
		r := delimited.NewReader(strings.NewReader("a"+c.separator+"b\n"), "t.csv", "t")
		if err := r.ReadHeader(); err != nil {
			t.Fatal(err)
		}
		v, missing, hint, err := r.Number(c.in)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.err || hint != c.hint || missing != c.missing || err == nil && v != c.want && !(math.IsNaN(v) && math.IsNaN(c.want)) {
			t.Errorf("%q: %v %v %q %q", c.in, v, missing, got, hint)
		}
	}
}

// A field of any text without line ends that is written comes back, whatever stands beside it.
func TestFieldRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		field := rapid.StringMatching(`[a-z0-9 ,;"#ñ\t]{0,12}`)
		want := []string{field.Draw(t, "a"), field.Draw(t, "b"), "z"}
		if want[0] == "" {
			want[0] = "x"
		}
		text := "a,b,c\n" + delimited.Field(want[0]) + "," + delimited.Field(want[1]) + ",z\n"
		r := delimited.NewReader(iotest.OneByteReader(strings.NewReader(text)), "t.csv", "t")
		if err := r.ReadHeader(); err != nil {
			t.Fatal(err)
		}
		got, err := r.Row()
		if err != nil || cmp.Diff(want, got) != "" {
			t.Fatalf("%q gives %q, want %q: %v", text, got, want, err)
		}
	})
}

func TestReadErrorsAreTold(t *testing.T) {
	broken := io.MultiReader(strings.NewReader("a,b\n1,2\n"), iotest.ErrReader(errors.New("disk on fire")))
	r := delimited.NewReader(broken, "t.csv", "t")
	if err := r.ReadHeader(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Row(); err != nil {
		t.Fatal(err)
	}
	_, err := r.Row()
	if err == nil || err.Error() != "t.csv: line 3: disk on fire. Check that the file can be read to its end" || atalaya.KindOf(err) != atalaya.Failed {
		t.Errorf("%v", err)
	}
}

// The same cause in the same column is one entry with a count, so that a million bad rows cost no memory.
func TestProblemsAreCounted(t *testing.T) {
	var p delimited.Problems
	for i := range 1000 {
		p.Value("sentinel", i+1, "ch4_ppm", "Leave it empty", "-9 taken as not measured")
	}
	if len(p.List) != 1 || p.LostValues != 1000 || p.List[0].At != "line 1, column ch4_ppm" || p.List[0].String() != "-9 taken as not measured. Leave it empty (1000 times in all)" {
		t.Errorf("%+v", p.List)
	}
}

// lines gives one line over and over, n times; it counts what was read of it.
type lines struct {
	line string
	n    int
	rest string
}

func (l *lines) Read(p []byte) (int, error) {
	if l.rest == "" {
		if l.n == 0 {
			return 0, io.EOF
		}
		l.n--
		l.rest = l.line
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

func TestWhatHoldsNoTableIsRefusedBeforeItsEnd(t *testing.T) {
	const many = 3 * delimited.MaxPassed
	for _, c := range []struct{ name, head, line, want string }{
		{"metadata", "", "# key: value\n", "t.csv: line 80660: no header row in the first 1048576 bytes. Put the header row at the top, and long notes into a file of their own"},
		{"blank lines above", "", "\n", "t.csv: line 1048577: no header row in the first 1048576 bytes. Put the header row at the top, and long notes into a file of their own"},
		{"blank lines below", "a,b\n", "\n", "t.csv: line 1000002: more than 1000000 lines that hold no row. Check that this is a text table with one row a line"},
		{"broken rows", "a,b\n", "1\n", "t.csv: line 1000002: more than 1000000 lines that hold no row. Check that this is a text table with one row a line"},
		{"open quotation marks", "a,b\n", "1,\"2\n", "t.csv: line 1000002: more than 1000000 lines that hold no row. Check that this is a text table with one row a line"},
		{"CR alone", "", "# a\ra,b\r1,2\n", "t.csv: line 1: lines end in CR alone. Save the file with LF or CRLF line ends"},
	} {
		in := &lines{c.line, many, c.head}
		r := delimited.NewReader(in, "t.csv", "t")
		err := r.ReadHeader()
		for err == nil || errors.As(err, new(*delimited.RowError)) {
			_, err = r.Row()
		}
		if err.Error() != c.want {
			t.Errorf("%s: %v\nwant %s", c.name, err, c.want)
		}
		if in.n == 0 {
			t.Errorf("%s: read to the end", c.name)
		}
	}
}

func TestALongLineMakesNoLongMessage(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	r := delimited.NewReader(strings.NewReader("a,"+long+"\n"), "t.csv", "t")
	if err := r.ReadHeader(); err != nil {
		t.Fatal(err)
	}
	r.Problems.Note("cause", 1, r.Header[1], "Shorten it", "the columns are %s", long)
	if got := r.Problems.List[0]; len(got.At)+len(got.What) > 700 || !strings.HasSuffix(got.What, "x.... Shorten it") {
		t.Errorf("%d bytes at %d bytes", len(got.What), len(got.At))
	}
}
