package detection_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/internal/storm"
	"github.com/atalaya-isr/atalaya/sense/detection"
)

const sheet = `{"schema":"atalaya.detections/1","kind":"thermal","sensor":"camera 2 (SYNTHETIC)","sortie":"S3","bias_m":8,"bias_group":"S3 heading",
"looks":[{"when":{"from":"2026-03-14T04:00:00Z","to":"2026-03-14T04:20:00Z"},"ring":[[24.8,-107.4],[24.8,-107.38],[24.82,-107.38]],"pd":0.4}],
"detections":[
{"id":"hot-1","time":"2026-03-14T04:07:11Z","lat":24.811,"lon":-107.388,"covariance_m2":[[900,120],[120,400]],"real":0.9,"pd":0.4,"likeness":{"fire":0.2,"site":1.5},"lineage":["roll 7"],"note":"warm roof"}]}`

func ExampleRead() {
	s, problems, err := detection.Read(strings.NewReader(sheet), "hot.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	f := s.Found[0]
	fmt.Printf("%s by %s: %d look, %d detection, %d problems\n", s.Kind, s.Sensor, len(s.Looks), len(s.Found), len(problems))
	fmt.Printf("%s at %.3f, %.3f, %.0f m east by %.0f m north, real with %.0f %%\n", f.ID, f.Lat, f.Lon, math.Sqrt(f.CovarianceM2[0][0]), math.Sqrt(f.CovarianceM2[1][1]), 100**f.Real)
	// Output:
	// thermal by camera 2 (SYNTHETIC): 1 look, 1 detection, 0 problems
	// hot-1 at 24.811, -107.388, 30 m east by 20 m north, real with 90 %
}

func written(t testing.TB, s detection.Sheet) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := detection.Write(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWhatIsWrittenIsReadBackAndWrittenAgainWithTheSameBytes(t *testing.T) {
	real := 0.1 + 0.2 // a number that needs seventeen digits
	at := time.Date(2026, 3, 14, 4, 7, 11, 123456789, time.FixedZone("", -7*3600))
	s := detection.Sheet{Schema: detection.Schema, Kind: "spectral", Sensor: "Ωmega <2> & \"co\" (SYNTHETIC)", Sortie: "S1", BiasM: 3.25, BiasGroup: "S1",
		Looks: []detection.Look{{When: atalaya.Span{From: at, To: at.Add(time.Minute)}, Ring: []geodesy.LatLon{{Lat: 1e-9, Lon: 180}, {Lat: -89.99, Lon: -180}, {Lat: 5, Lon: 7}}, PD: 1}},
		Found: []detection.Found{
			{ID: "a", Time: at, Lat: math.Copysign(0, -1), Lon: 1.0 / 3, CovarianceM2: [2][2]float64{{0, 0}, {0, 0}}, Real: &real, PD: 0.5,
				Likeness: map[string]float64{"site": 2, "fire": 0}, RateKgS: map[string]atalaya.Interval{"ch4": {Mean: 2, P05: 1, P50: 2, P95: 1e-3 * 4e3}}, Lineage: []string{"x", "y"}, Note: "two\nlines"},
			{ID: "b", Time: at, CovarianceM2: [2][2]float64{{4, -2}, {-2, 1}}},
		}}
	first := written(t, s)
	got, problems, err := detection.Read(bytes.NewReader(first), "a.json")
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v %v\n%s", problems, err, first)
	}
	if second := written(t, *got); !bytes.Equal(first, second) {
		t.Errorf("written again:\n%s\nfirst:\n%s", second, first)
	}
	for i := range s.Looks {
		s.Looks[i].When = atalaya.Span{From: s.Looks[i].When.From.UTC(), To: s.Looks[i].When.To.UTC()}
	}
	for i := range s.Found {
		s.Found[i].Time = s.Found[i].Time.UTC()
	}
	if !reflect.DeepEqual(*got, s) {
		t.Errorf("read back %+v\nwritten %+v", *got, s)
	}
	empty := written(t, detection.Sheet{Kind: "gas", Sensor: "nose (SYNTHETIC)"})
	if got, _, err := detection.Read(bytes.NewReader(empty), ""); err != nil || len(got.Found) != 0 {
		t.Errorf("a sheet of a flight on which nothing stood out: %v\n%s", err, empty)
	}
	for _, chunk := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.DataErrReader, iotest.HalfReader} {
		if got, _, err := detection.Read(chunk(bytes.NewReader(first)), ""); err != nil || !bytes.Equal(written(t, *got), first) {
			t.Errorf("in pieces: %v", err)
		}
	}
}

// with is the sheet with one piece in the place of another.
func with(t testing.TB, old, new string) string {
	t.Helper()
	if !strings.Contains(sheet, old) {
		t.Fatalf("the sheet has no %q", old)
	}
	return strings.Replace(sheet, old, new, 1)
}

func TestABadRowIsToldWithItsNumberAndTheRestIsKept(t *testing.T) {
	good := sheet[strings.Index(sheet, `{"id"`) : len(sheet)-2]
	for _, row := range []struct{ claim, old, new, at, what string }{
		{"no id", `"id":"hot-1",`, ``, "detection 1", "is no id. Give each detection an id"},
		{"no time", `"time":"2026-03-14T04:07:11Z",`, ``, "detection 1", "no time"},
		{"a time in words", `"2026-03-14T04:07:11Z"`, `"noon"`, "detection 1", `key time: "noon" is no time such as 2026-03-01T15:04:05Z`},
		{"a time as a number", `"2026-03-14T04:07:11Z"`, `1741925231`, "detection 1", "key time: a number stands here. Give text in quotation marks"},
		{"a time of another age", `"2026-03-14T04:07:11Z"`, `"0026-03-14T04:07:11Z"`, "detection 1", "one that cannot be true"},
		{"a time beyond what JSON holds", `"2026-03-14T04:07:11Z"`, `"9999-12-31T23:59:59-12:00"`, "detection 1", "one that cannot be true"},
		{"no longitude", `"lon":-107.388,`, ``, "detection 1", "no position"},
		{"no place on the Earth", `"lat":24.811`, `"lat":94.811`, "detection 1", "94.811, -107.388 is no position"},
		{"a text for a number", `"lat":24.811`, `"lat":"24.811"`, "detection 1", "key lat: a string stands here. Give a number"},
		{"a number beyond all", `"lat":24.811`, `"lat":1e999`, "detection 1", "key lat: a number 1e999 stands here"},
		{"no covariance", `"covariance_m2":[[900,120],[120,400]],`, ``, "detection 1", "covariance_m2 is no matrix of two by two"},
		{"a covariance of three", `[[900,120],[120,400]]`, `[[900,120,0],[120,400,0],[0,0,1]]`, "detection 1", "no matrix of two by two"},
		{"a covariance that is not symmetric", `[[900,120],[120,400]]`, `[[900,120],[-120,400]]`, "detection 1", "is no covariance_m2"},
		{"a covariance below zero along a diagonal", `[[900,120],[120,400]]`, `[[900,700],[700,400]]`, "detection 1", "is no covariance_m2"},
		{"a variance below zero", `[[900,120],[120,400]]`, `[[-900,0],[0,400]]`, "detection 1", "is no covariance_m2"},
		{"a variance wider than the Earth", `[[900,120],[120,400]]`, `[[1e300,0],[0,1e300]]`, "detection 1", "is no covariance_m2"},
		{"more than certain", `"real":0.9`, `"real":1.1`, "detection 1", "real 1.1. Give a probability, 0 to 1"},
		{"less than never", `"pd":0.4,"likeness"`, `"pd":-0.4,"likeness"`, "detection 1", "pd -0.4"},
		{"a likeness below zero", `"fire":0.2`, `"fire":-0.2`, "detection 1", `likeness "fire" of -0.2`},
		{"a class that is no word", `"fire"`, `"Fire!"`, "detection 1", `likeness "Fire!"`},
		{"a rate that falls", `"lineage"`, `"rate_kg_s":{"ch4":{"mean":1,"p05":3,"p50":2,"p95":4}},"lineage"`, "detection 1", `rate_kg_s "ch4"`},
		{"an origin without a name", `["roll 7"]`, `["roll 7",""]`, "detection 1", `lineage ""`},
		{"a key twice", `"lat":24.811`, `"lat":24.811,"lat":24.9`, "detection 1", "key lat stands twice"},
		{"no object", good, `7`, "detection 1", "no object where one belongs"},
		{"a look without chance", `,"pd":0.4}],`, `}],`, "look 1", "no pd"},
		{"a look of two corners", `,[24.82,-107.38]`, ``, "look 1", "a ring of 2 corners. Give 3 to 1000"},
		{"a look of three corners at one place", `[[24.8,-107.4],[24.8,-107.38],[24.82,-107.38]]`, `[[1,2],[1,2],[1,2]]`, "look 1", "a ring of 3 corners"},
		{"a corner with a height", `[24.82,-107.38]`, `[24.82,-107.38,100]`, "look 1", "a corner of 3 numbers"},
		{"a corner beyond the pole", `[24.82,-107.38]`, `[-107.38,24.82]`, "look 1", "-107.38, 24.82 is no position. Write each corner as [latitude, longitude]"},
		{"a look without time", `"when":{"from":"2026-03-14T04:00:00Z","to":"2026-03-14T04:20:00Z"},`, ``, "look 1", "no time"},
		{"a look that ends before it begins", `"to":"2026-03-14T04:20:00Z"`, `"to":"2026-03-14T03:20:00Z"`, "look 1", "ends before it begins"},
	} {
		second := strings.Replace(good, "hot-1", "hot-2", 1)
		text := strings.Replace(sheet, row.old, row.new, 1)
		if text == sheet {
			t.Fatalf("%s: the sheet has no %q", row.claim, row.old)
		}
		text = strings.TrimSuffix(text, "]}") + "," + second + "]}"
		s, problems, err := detection.Read(strings.NewReader(text), "a.json")
		if err != nil {
			t.Errorf("%s: %v", row.claim, err)
			continue
		}
		if len(problems) != 1 || problems[0].At != row.at || !strings.Contains(problems[0].What, row.what) || !problems[0].Lost || strings.Contains(problems[0].What, "\n") {
			t.Errorf("%s: %+v, want %q at %q", row.claim, problems, row.what, row.at)
		}
		if n := len(s.Found); s.Found[n-1].ID != "hot-2" || (row.at == "look 1") != (n == 2) || (row.at == "look 1") != (len(s.Looks) == 0) {
			t.Errorf("%s: kept %d looks, %d detections", row.claim, len(s.Looks), n)
		}
	}
}

func TestWhatCostsNothingIsToldAndKept(t *testing.T) {
	for _, row := range []struct{ claim, old, new, at, what string }{
		{"a key of another program", `"bias_m":8`, `"bias_m":8,"colour":{"a":[1]}`, "key colour", "passed over, it means nothing here. See docs/reference/detections.md"},
		{"a key of a detection", `"note"`, `"score":1,"note"`, "detection 1", "key score passed over here and below"},
		{"keys are written small", `"note"`, `"NOTE":"","note"`, "detection 1", "key NOTE passed over"},
		{"a closed ring", `[24.82,-107.38]]`, `[24.82,-107.38],[24.8,-107.4]]`, "look 1", "the ring is closed. Leave the last corner out"},
	} {
		s, problems, err := detection.Read(strings.NewReader(with(t, row.old, row.new)), "a.json")
		if err != nil {
			t.Errorf("%s: %v", row.claim, err)
			continue
		}
		if len(problems) != 1 || problems[0].At != row.at || !strings.Contains(problems[0].What, row.what) || problems[0].Lost {
			t.Errorf("%s: %+v", row.claim, problems)
		}
		if len(s.Looks) != 1 || len(s.Looks[0].Ring) != 3 || len(s.Found) != 1 {
			t.Errorf("%s: %+v", row.claim, s)
		}
	}
	if _, problems, err := detection.Read(strings.NewReader("\ufeff"+sheet), "a.json"); err != nil || len(problems) > 0 {
		t.Errorf("with a byte order mark: %v %v", problems, err)
	}
}

func keys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"a%d":1,`, i)
	}
	return b.String()
}

func TestWhatIsNoSheetIsSaidInOneLineWithItsPlace(t *testing.T) {
	for _, row := range []struct{ claim, text, want string }{
		{"nothing", "", "a.json: the file is empty. Copy the file again"},
		{"a list", "[]", "a.json: byte 0x0: no sheet of detections. Give one JSON object"},
		{"a text", "Se vio humo.", "a.json: byte 0x0: invalid character 'S' looking for beginning of value. Correct the JSON there"},
		{"another schema", with(t, "atalaya.detections/1", "atalaya.sites/1"), `a.json: key schema: "atalaya.sites/1" is a schema that is not read here. Give atalaya.detections/1`},
		{"no schema", with(t, `"schema":"atalaya.detections/1",`, ""), `a.json: key schema: no schema: this is no sheet of detections. Write "schema":"atalaya.detections/1"`},
		{"no kind", with(t, `"kind":"thermal",`, ""), `a.json: key kind: "" is no kind of detection. Give gas, spectral, thermal`},
		{"a row of the ledger as kind", with(t, `"thermal"`, `"prior"`), `key kind: "prior" is no kind of sensor. Name the kind of sensor`},
		{"no sensor", with(t, "camera 2 (SYNTHETIC)", " "), "key sensor: no sensor. Name the sensor"},
		{"a shift without end", with(t, `"bias_m":8`, `"bias_m":1e9`), "key bias_m: 1e+09 cannot be true. Give metres"},
		{"a shift in words", with(t, `"bias_m":8`, `"bias_m":"eight"`), "key bias_m: a string stands here. Give a number"},
		{"no list", with(t, `"looks":[`, `"looks":{"a":[`), "key looks: no list. Give a list"},
		{"a key twice", with(t, `"bias_m":8`, `"bias_m":8,"bias_m":9`), "key bias_m: it stands twice. Keep one of the two"},
		{"cut in a detection", sheet[:len(sheet)-30], "a.json: detection 1, byte 0x"},
		{"cut at the end", sheet[:len(sheet)-1], "the file ends in the middle. Copy the file again, to its end"},
		{"a comma too many", with(t, `"pd":0.4}]`, `"pd":0.4},]`), "a.json: look 2, byte 0x"},
		{"two sheets", sheet + sheet, "something follows the end of the sheet of detections. Give each a file of its own"},
		{"Latin-1", with(t, "camera", "c\xe1mara"), "a.json: byte 0x3d: not UTF-8. Save the file as UTF-8"},
		{"UTF-16", "\xff\xfe{\x00", "a.json: byte 0x0: not UTF-8"},
		{"a letter cut in half at the end", "{\"schema\":\"\xc3", "a.json: byte 0xb: not UTF-8"},
		{"nested beyond sense", with(t, `"bias_m":8`, `"x":`+strings.Repeat("[", 20000)), "key x, byte 0x"},
		{"nested beyond sense in a detection", with(t, `"note"`, `"x":`+strings.Repeat(`{"a":`, 20000)), "exceeded max depth"},
		{"a word without end", with(t, `warm roof`, strings.Repeat("warm ", 1<<20)), "one value of more than 1048576 bytes. Split it"},
		{"too many", `{"detections":[` + strings.Repeat("0,", detection.MaxFound) + "0]}", "a.json: detection 100001: more than 100000 of detections. Split the file"},
		{"too many looks", `{"looks":[` + strings.Repeat("0,", detection.MaxLooks) + "0]}", "a.json: look 10001: more than 10000 of looks. Split the file"},
		{"nothing but keys of others", "{" + keys(1000) + `"b":1}`, "a.json: key a101: more than 100 keys"},
		{"nothing left", strings.Replace(with(t, `"lat":24.811`, `"lat":99`), `"pd":0.4}],`, `"pd":4}],`, 1), "a.json: look 1: pd 4. Give a probability, 0 to 1"},
	} {
		s, _, err := detection.Read(strings.NewReader(row.text), "a.json")
		if err == nil || s != nil || atalaya.KindOf(err) != atalaya.BadInput || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 400 {
			t.Errorf("%s: %v, want %q", row.claim, err, row.want)
		}
	}
	broken := errors.New("SYNTHETIC: the disk is gone")
	if _, _, err := detection.Read(io.MultiReader(strings.NewReader(sheet[:100]), iotest.ErrReader(broken)), "a.json"); !errors.Is(err, broken) || atalaya.KindOf(err) != atalaya.Failed {
		t.Errorf("a disk that fails: %v", err)
	}
}

func TestProblemsAreCountedBeyondAHundred(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"schema":"atalaya.detections/1","kind":"gas","sensor":"nose (SYNTHETIC)","detections":[{"id":"a","time":"2026-03-14T04:07:11Z","lat":1,"lon":2,"covariance_m2":[[1,0],[0,1]]}`)
	for range 5000 {
		b.WriteString(`,{}`)
	}
	b.WriteString("]}")
	s, problems, err := detection.Read(strings.NewReader(b.String()), "a.json")
	if err != nil || len(s.Found) != 1 || len(problems) != 101 || problems[100].What != "4900 more like these" || !problems[100].Lost {
		t.Errorf("%v, %d problems, last %+v", err, len(problems), problems[len(problems)-1])
	}
}

func TestWriteRefusesWhatReadWouldRefuse(t *testing.T) {
	at := time.Date(2026, 3, 14, 4, 0, 0, 0, time.UTC)
	good := detection.Found{ID: "a", Time: at}
	for claim, s := range map[string]detection.Sheet{
		"no kind":        {Sensor: "x"},
		"no sensor":      {Kind: "gas"},
		"an id twice":    {Kind: "gas", Sensor: "x", Found: []detection.Found{good, good}},
		"no time":        {Kind: "gas", Sensor: "x", Found: []detection.Found{{ID: "a"}}},
		"not a number":   {Kind: "gas", Sensor: "x", Found: []detection.Found{{ID: "a", Time: at, Lat: math.NaN()}}},
		"endless spread": {Kind: "gas", Sensor: "x", Found: []detection.Found{{ID: "a", Time: at, CovarianceM2: [2][2]float64{{math.Inf(1), 0}, {0, 1}}}}},
		"a bare look":    {Kind: "gas", Sensor: "x", Looks: []detection.Look{{PD: 1}}},
		"not UTF-8":      {Kind: "gas", Sensor: "x\xff"},
	} {
		var b bytes.Buffer
		if err := detection.Write(&b, s); err == nil || b.Len() > 0 {
			t.Errorf("%s was written: %s", claim, b.Bytes())
		}
	}
}

// endless gives a text again and again.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = e.text[e.at%len(e.text)]
		e.at++
	}
	return len(b), nil
}

func TestAHostileFileCostsBoundedMemory(t *testing.T) {
	for claim, body := range map[string][2]string{
		"a value without end":   {`{"schema":"`, "x"},
		"blanks without end":    {`{"looks":[`, " "},
		"numbers without end":   {`{"x":[`, "1,"},
		"empty rows":            {`{"detections":[{}`, ",{}"},
		"one key without end":   {`{"a":1`, `,"a":1`},
		"looks without end":     {`{"looks":[{}`, ",{}"},
		"corners without end":   {`{"looks":[{"ring":[[1,2]`, ",[1,2]"},
		"letters without a key": {``, "\u00e9"},
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		_, problems, err := detection.Read(io.LimitReader(io.MultiReader(strings.NewReader(body[0]), &endless{text: body[1]}), 64<<20), "a.json")
		runtime.ReadMemStats(&after)
		if err == nil || len(problems) > 101 {
			t.Errorf("%s: %v, %d problems", claim, err, len(problems))
		}
		if held := int64(after.HeapSys) - int64(before.HeapSys); held > 64<<20 {
			t.Errorf("%s: %d MB more memory", claim, held>>20)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{sheet, "", "{}", `{"schema":"atalaya.detections/1","kind":"gas","sensor":"x","detections":[{}]}`, "\ufeff{", `{"looks":[[`, "{\"schema\":\"\xc3"} {
		f.Add([]byte(s))
	}
	storm.Fuzz(f, func(t testing.TB, b []byte) {
		s, problems, err := detection.Read(bytes.NewReader(b), "f.json")
		for _, p := range problems {
			if p.What == "" || strings.ContainsAny(p.At+p.What, "\r\n") {
				t.Fatalf("%+v", p)
			}
		}
		if err != nil {
			var e *atalaya.Error
			if !errors.As(err, &e) || e.Hint == "" || strings.ContainsAny(err.Error(), "\r\n") {
				t.Fatalf("%v", err)
			}
			return
		}
		first := written(t, *s)
		again, problems, err := detection.Read(bytes.NewReader(first), "f.json")
		if err != nil || len(problems) > 0 {
			t.Fatalf("what was read cannot be read again: %v %v\n%s", err, problems, first)
		}
		if !bytes.Equal(written(t, *again), first) {
			t.Fatalf("other bytes:\n%s\n%s", written(t, *again), first)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	s, _, err := detection.Read(strings.NewReader(sheet), "")
	if err != nil {
		b.Fatal(err)
	}
	one := s.Found[0]
	for i := range 9999 {
		one.ID = fmt.Sprint("n", i)
		s.Found = append(s.Found, one)
	}
	var text bytes.Buffer
	if err := detection.Write(&text, *s); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		if _, _, err := detection.Read(bytes.NewReader(text.Bytes()), ""); err != nil {
			b.Fatal(err)
		}
	}
}

// The page of the format shows a sheet: it must be one.
func TestTheExampleOfThePageIsASheet(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", "detections.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "```json\n")
	text, _, ok := strings.Cut(text, "```")
	s, problems, err := detection.Read(strings.NewReader(text), "detections.md")
	if !ok || err != nil || len(problems) > 0 || len(s.Found) == 0 || len(s.Looks) == 0 {
		t.Errorf("%v %v", problems, err)
	}
}
