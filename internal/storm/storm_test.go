package storm

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/internal/fixture"
)

// toy reads "TOY!", a length of two bytes and a content of exactly that length, made of a tag, a length and a value. A tag 0x7f
// whose value is longer than 200 bytes is the planted defect.
func toy(b []byte) (defect bool) {
	if len(b) < 8 || string(b[:4]) != "TOY!" || int(binary.BigEndian.Uint16(b[4:])) != len(b)-6 {
		return false
	}
	for rest := b[6:]; len(rest) >= 2 && len(rest) >= 2+int(rest[1]); rest = rest[2+int(rest[1]):] {
		if rest[0] == 0x7f && rest[1] > 200 {
			return true
		}
	}
	return false
}

// nearToy is a whole toy, two lengths and what they announce away from the defect.
func nearToy() []byte {
	return append([]byte{'T', 'O', 'Y', '!', 0, 205, 1, 3, 'a', 'b', 'c', 0x7f, 198}, make([]byte, 198)...)
}

func toyBody(t testing.TB, b []byte) {
	if toy(b) {
		panic("planted")
	}
}

// fell is a storm over body, as Fuzz makes it.
func fell(tb testing.TB, n uint64, seeds [][]any, body any) *storm {
	return &storm{options: options{executions: n, seed: 1}, tb: tb, body: reflect.ValueOf(body), seeds: seeds, heap: Heap, patience: Patience}
}

var mixed = [][]any{
	{[]byte("id,value\n1,2.5\n17,300\n"), "name", 3, 2.5, uint8(7), true},
	{append([]byte{6, 14, 43, 52, 0x82, 2, 0}, make([]byte, 600)...), "", -1, math.Inf(1), uint8(0), false},
	{[]byte{}, "ñ", math.MaxInt, 0.0, uint8(255), false},
}

// printed keeps an input, whose bytes the hand uses again.
func printed(input []any) string { return fmt.Sprintf("%#v", input) }

func TestANumberNamesAnInput(t *testing.T) {
	a, b, other := newHand(1, mixed), newHand(1, mixed), newHand(2, mixed)
	differs := 0
	for n := range uint64(5000) {
		a.input(n * 3) // what came before does not matter
		want, got := printed(a.input(n)), printed(b.input(n))
		if want != got {
			t.Fatalf("input %d is %s after one history, %s after another", n, want, got)
		}
		if printed(other.input(n)) != want {
			differs++
		}
	}
	if differs < 4500 {
		t.Errorf("another seed of the storm gives other inputs in %d of 5000 cases", differs)
	}
}

func TestInputsAreBoundedAndVaried(t *testing.T) {
	full := [][]any{{make([]byte, Bound), "x"}, {make([]byte, 3*Bound), strings.Repeat("y", Bound+1)}}
	for _, seeds := range [][][]any{mixed, full} {
		h := newHand(1, seeds)
		distinct := map[string]bool{}
		for n := range uint64(3000) {
			in := h.input(n)
			if b := in[0].([]byte); len(b) > Bound || cap(b) != len(b) || len(in[1].(string)) > Bound {
				t.Fatalf("input %d has %d bytes of room for %d, and text of %d", n, cap(b), len(b), len(in[1].(string)))
			}
			if len(seeds) == len(mixed) {
				distinct[printed(in)] = true
			}
		}
		if len(seeds) == len(mixed) && len(distinct) < 2400 {
			t.Errorf("%d distinct inputs of 3000", len(distinct))
		}
	}
}

func TestEveryKindOfEditIsReached(t *testing.T) {
	h := newHand(1, mixed)
	scalars := make([]map[string]bool, len(mixed[0]))
	for i := range scalars {
		scalars[i] = map[string]bool{}
	}
	for n := range uint64(20000) {
		for i, v := range h.input(n) {
			scalars[i][fmt.Sprint(v)] = true
		}
	}
	for i, e := range edits {
		if h.used[i] < 100 {
			t.Errorf("%q was made %d times in 20000 inputs", e.name, h.used[i])
		}
	}
	for i, least := range []int{8000, 2000, 1000, 1000, 200, 2} {
		if len(scalars[i]) < least {
			t.Errorf("argument %d took %d values, %d wanted", i, len(scalars[i]), least)
		}
	}
}

// Most of an input is its seed: a parser is to be entered, not stopped at its first byte.
func TestMostInputsStayNearTheirSeed(t *testing.T) {
	seed := nearToy()
	h := newHand(1, [][]any{{seed}})
	intact := 0
	for n := range uint64(10000) {
		if b := h.input(n)[0].([]byte); len(b) >= 4 && string(b[:4]) == "TOY!" {
			intact++
		}
	}
	if intact < 6000 {
		t.Errorf("the magic number stands in %d of 10000 inputs", intact)
	}
}

func TestALengthAndItsContentGrowTogether(t *testing.T) {
	h := newHand(1, [][]any{{nearToy()}})
	whole := map[int]bool{}
	for n := range uint64(20000) {
		if b := h.input(n)[0].([]byte); len(b) >= 6 && string(b[:4]) == "TOY!" && int(binary.BigEndian.Uint16(b[4:])) == len(b)-6 {
			whole[len(b)] = true
		}
	}
	if len(whole) < 20 {
		t.Errorf("whole toys of %d sizes", len(whole))
	}
}

// The same execution is found on one processor and on several, and is the lowest.
func TestAPlantedPanicIsFound(t *testing.T) {
	seeds := [][]any{{nearToy()}, {[]byte("nothing")}}
	var found []*Finding
	for _, procs := range []int{1, 4} {
		was := runtime.GOMAXPROCS(procs)
		_, f := fell(t, 1_000_000, seeds, toyBody).run()
		runtime.GOMAXPROCS(was)
		if f == nil {
			t.Fatalf("a million executions on %d processors did not find it", procs)
		}
		if !toy(f.Input[0].([]byte)) || !strings.Contains(f.What, "panic: planted") || !strings.Contains(f.What, "toyBody") {
			t.Errorf("found %s", f.Error())
		}
		found = append(found, f)
	}
	if found[0].Number != found[1].Number || !reflect.DeepEqual(found[0].Input, found[1].Input) {
		t.Errorf("number %d on one processor, %d on four", found[0].Number, found[1].Number)
	}
	again := fell(t, 1, seeds, toyBody)
	again.from = found[0].Number
	if r, f := again.run(); f == nil || f.Number != found[0].Number || r.Executions != 1 {
		t.Errorf("its number alone repeats it as %v, %v", r, f)
	}
}

func TestWhatABodyMaySay(t *testing.T) {
	for _, row := range []struct {
		name, wanted string
		body         func(testing.TB, []byte)
	}{
		{"nothing", "", func(testing.TB, []byte) {}},
		{"a skip ends the body and is no fault", "", func(t testing.TB, _ []byte) { t.Skip("no input"); panic("went on") }},
		{"talk is no fault", "", func(t testing.TB, _ []byte) { t.Log("a"); t.Logf("%d", 1); t.Helper() }},
		{"an error goes on", "first\nsecond 2", func(t testing.TB, _ []byte) { t.Error("first"); t.Errorf("second %d", 2) }},
		{"a fatal error ends the body", "it failed\nonly", func(t testing.TB, _ []byte) { t.Fatal("only"); t.Error("went on") }},
		{"a panic is told with its place", "storm_test.go", func(t testing.TB, b []byte) { _ = b[len(b)] }},
		{"clean-up runs, last first", "it failed\nb\na", func(t testing.TB, _ []byte) {
			t.Cleanup(func() { t.Error("a") })
			t.Cleanup(func() { t.Error("b") })
			t.SkipNow()
		}},
		{"the environment is everyone's", "cannot set the environment", func(t testing.TB, _ []byte) { t.Setenv("A", "b") }},
	} {
		e := newExecution(t, reflect.ValueOf(row.body))
		for range 2 { // a second time as the first
			if got := e.run([]any{[]byte("x")}); row.wanted == "" && got != "" || !strings.Contains(got, row.wanted) {
				t.Errorf("%s: %q, wanted %q", row.name, got, row.wanted)
			}
		}
	}
}

func TestFoldersAreGoneAfterTheirExecution(t *testing.T) {
	dir := ""
	e := newExecution(t, reflect.ValueOf(func(t testing.TB, b []byte) {
		dir = t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "a"), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}))
	if fault := e.run([]any{[]byte("x")}); fault != "" || dir == "" {
		t.Fatal(fault)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", dir, err)
	}
}

// Whatever input makes the heap grow beyond the bound is named: memory that is kept, and memory that is taken once.
func TestAHeapThatGrowsIsAFinding(t *testing.T) {
	var sink []byte
	s := fell(t, 200_000, [][]any{{[]byte("GROW 0000")}}, func(t testing.TB, b []byte) {
		if len(b) > 5 && b[5] == '7' {
			sink = make([]byte, 64<<20)
		}
	})
	s.heap = 32 << 20
	was := runtime.GOMAXPROCS(1) // sink is shared
	_, f := s.run()
	runtime.GOMAXPROCS(was)
	if f == nil || !strings.Contains(f.What, "the heap grew") || f.Input[0].([]byte)[5] != '7' {
		t.Errorf("found %v", f)
	}
	runtime.KeepAlive(sink)
}

func TestAnExecutionThatDoesNotEndIsAFinding(t *testing.T) {
	let := make(chan struct{})
	defer close(let)
	s := fell(t, 100_000, [][]any{{[]byte("stand still?")}}, func(t testing.TB, b []byte) {
		if len(b) > 0 && b[0] == 'S' {
			<-let
		}
	})
	s.patience = 200 * time.Millisecond
	_, f := s.run()
	if f == nil || !strings.Contains(f.What, "does not end") || f.Input[0].([]byte)[0] != 'S' {
		t.Errorf("found %v", f)
	}
}

func TestAStormEndsWhereItIsTold(t *testing.T) {
	s := fell(t, 12345, [][]any{{"a"}}, func(testing.TB, string) {})
	if r, f := s.run(); f != nil || r.Executions != 12345 {
		t.Errorf("%v, %v", r, f)
	}
	s = fell(t, 1<<40, [][]any{{"a"}}, func(testing.TB, string) {})
	s.within = 20 * time.Millisecond
	if r, f := s.run(); f != nil || r.Executions == 0 || !strings.Contains(r.String(), "of 1099511627776 executions asked for") {
		t.Errorf("%v, %v", r, f)
	}
}

func TestOptions(t *testing.T) {
	from := func(env ...string) (options, error) {
		return asked(func(name string) string {
			for _, e := range env {
				if v, ok := strings.CutPrefix(e, name+"="); ok {
					return v
				}
			}
			return ""
		})
	}
	if o, err := from(); err != nil || o != (options{seed: 1}) {
		t.Errorf("without any: %+v, %v", o, err)
	}
	o, err := from("ATALAYA_STORM=5", "ATALAYA_STORM_FROM=7", "ATALAYA_STORM_SEED=9", "ATALAYA_STORM_FOR=2s")
	if err != nil || o != (options{5, 7, 9, 2 * time.Second}) {
		t.Errorf("%+v, %v", o, err)
	}
	for _, bad := range []string{"ATALAYA_STORM=many", "ATALAYA_STORM=-1", "ATALAYA_STORM_FROM=1e7", "ATALAYA_STORM_FOR=5", "ATALAYA_STORM_FOR=-1s"} {
		if _, err := from(bad); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

var echoed = []any{[]byte("a\x00\xff\"\n"), "ñ\xfe`", true, int(-5), int8(-128), int16(300), int32(-7), int32(0x1F600), int64(math.MinInt64),
	uint(6), uint8(0xe9), uint16(65535), uint32(1 << 31), uint64(math.MaxUint64), float32(math.Inf(-1)), 0.1, math.Float64frombits(0x7ff8_0000_0000_1234)}

// FuzzEcho is run by TestCorpusFilesAreReadByGo in another process, which gives it a corpus file.
func FuzzEcho(f *testing.F) {
	Fuzz(f, func(t testing.TB, b []byte, s string, yes bool, i int, i8 int8, i16 int16, i32, r int32, i64 int64, u uint, u8 uint8, u16 uint16, u32 uint32, u64 uint64, f32 float32, f64, nan float64) {
		if os.Getenv("ATALAYA_STORM_ECHO") != "" {
			if got := fmt.Sprintf("%#v %x", []any{b, s, yes, i, i8, i16, i32, r, i64, u, u8, u16, u32, u64, f32, f64}, math.Float64bits(nan)); got != echo() {
				t.Fatalf("got %s, wanted %s", got, echo())
			}
			fmt.Println("echoed")
		}
	})
}

func echo() string {
	n := len(echoed) - 1
	return fmt.Sprintf("%#v %x", echoed[:n], math.Float64bits(echoed[n].(float64)))
}

// FuzzPlanted is run by TestWhatIsPrintedCanBeCommitted in another process; here it has nothing to fail on.
func FuzzPlanted(f *testing.F) {
	f.Add(nearToy())
	Fuzz(f, func(t testing.TB, b []byte) {
		if os.Getenv("ATALAYA_STORM_PLANTED") != "" {
			toyBody(t, b)
		}
	})
}

// again runs one fuzz test of this package in another process, in a folder with the corpus file, if any.
func again(t *testing.T, name, corpus string, env ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	if corpus != "" {
		at := filepath.Join(dir, "testdata", "fuzz", name)
		if err := os.MkdirAll(at, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(at, "found"), []byte(corpus), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^"+name+"$", "-test.v")
	cmd.Dir = dir
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "ATALAYA_STORM") }), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestCorpusFilesAreReadByGo(t *testing.T) {
	out, err := again(t, "FuzzEcho", corpusFile(echoed), "ATALAYA_STORM_ECHO=1")
	if err != nil || !strings.Contains(out, "echoed") {
		t.Errorf("%v\n%s", err, out)
	}
}

// From the storm to the corpus: the storm fails and prints a file; committed, that file alone fails by the same panic.
func TestWhatIsPrintedCanBeCommitted(t *testing.T) {
	out, err := again(t, "FuzzPlanted", "", "ATALAYA_STORM=1000000", "ATALAYA_STORM_PLANTED=1")
	if err == nil {
		t.Fatalf("the storm passed\n%s", out)
	}
	file := regexp.MustCompile(`(?m)^\s*(\[\]byte\(".*"\))$`).FindStringSubmatch(out)
	if file == nil || !strings.Contains(out, "go test fuzz v1") || !strings.Contains(out, "panic: planted") {
		t.Fatalf("no corpus file in\n%s", out)
	}
	out, err = again(t, "FuzzPlanted", "go test fuzz v1\n"+file[1]+"\n", "ATALAYA_STORM_PLANTED=1")
	if err == nil || !strings.Contains(out, "panic: planted") || !strings.Contains(out, "FuzzPlanted/found") {
		t.Errorf("the corpus file gives %v\n%s", err, out)
	}
	if out, err = again(t, "FuzzPlanted", "", "ATALAYA_STORM=500"); err != nil || !strings.Contains(out, "storm: 500 executions") {
		t.Errorf("a storm that passes: %v\n%s", err, out)
	}
	if out, err = again(t, "FuzzPlanted", "", "ATALAYA_STORM=x"); err == nil || !strings.Contains(out, "give a whole number") {
		t.Errorf("a bad option: %v\n%s", err, out)
	}
}

// Every fuzz test of the project goes through Fuzz.
func TestEveryFuzzTestIsStormed(t *testing.T) {
	root := fixture.Root()
	tests := 0
	err := filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && name != root) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, "_test.go") || filepath.Dir(name) == filepath.Join(root, "internal", "storm") {
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		own, through := strings.Count(string(src), "\nfunc Fuzz"), strings.Count(string(src), "storm.Fuzz(f, ")
		if tests += own; own != through || strings.Contains(string(src), "f.Fuzz(") {
			t.Errorf("%s has %d fuzz tests, of which %d go through storm.Fuzz", name, own, through)
		}
		return nil
	})
	if err != nil || tests < 35 {
		t.Errorf("%d fuzz tests found, %v", tests, err)
	}
}
