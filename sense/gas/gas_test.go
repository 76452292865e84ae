package gas_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/internal/storm"
	"github.com/atalaya-isr/atalaya/sense/gas"
)

func ExampleRead() {
	s, err := gas.Read(strings.NewReader(`# origin: 24.80,-107.39
# start: 2026-03-01T15:00:00Z
t_s,x_m,y_m,z_m,wind_speed_mps,wind_from_deg,acetone_ppb,acetone_flag
0,10,20,60,3,270,12.5,
1,20,20,60,3,270,0.5,bdl
2,30,20,60,3,270,,
`), "survey.csv")
	if err != nil {
		fmt.Println(err)
		return
	}
	acetone := s.Compound("acetone")
	fmt.Println(s.Len(), acetone.Value, acetone.IsBelow(1))
	fmt.Printf("wind towards east %.1f m/s\n", s.U[0])
	// Output:
	// 3 [12.5 0.5 NaN] true
	// wind towards east 3.0 m/s
}

const head = "t_s,x_m,y_m,z_m,wind_u_mps,wind_v_mps,acetone_ppb\n"

// What is refused: one line with the file, the place, what was wrong and the remedy.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"empty file", "", "s.csv: the file is empty. Give a file with a header row and data rows"},
		{"one byte", "t", "s.csv: line 1: the header has no time. Add a column time (RFC 3339) or t_s (seconds after # start:)"},
		{"a newline alone", "\n", "s.csv: line 1: no header row. Add a header row that names the columns"},
		{"header only", head, "s.csv: line 1: a header and no data rows. Add data rows"},
		{"metadata only", "# start: 2026-01-01T00:00:00Z\n", "s.csv: line 1: no header row. Add a header row that names the columns"},
		{"decimal comma with comma separators", head + "0,10,20,60,3.1,0.2,12,4\n",
			"s.csv: line 2: 8 fields where the header has 7. Write numbers with a decimal point (12.4, not 12,4) and put text that holds a comma in quotation marks"},
		{"duplicate column", "t_s,x_m,y_m,z_m,ch4_ppm,CH4_ppm\n0,0,0,0,1,2\n", "s.csv: line 1, column ch4_ppm: the column stands twice in the header. Rename or remove one of them"},
		{"two units of one compound", "t_s,x_m,y_m,z_m,ch4_ppm,ch4_ppb\n0,0,0,0,1,2\n", "s.csv: line 1, column ch4_ppb: ch4 is given in two units. Give each compound in one unit"},
		{"only an unknown unit", "t_s,x_m,y_m,z_m,ch4_ppt\n0,0,0,0,1\n", "s.csv: line 1, column ch4_ppt: the unit is not read, and there is no other compound. Give the value in ppm, ppb, ugm3 or mgm3"},
		{"half a position", "t_s,x_m,y_m,ch4_ppm\n0,0,0,1\n", "s.csv: line 1: the header has no column z_m. Give x_m, y_m, z_m together"},
		{"height above sea level", "t_s,lat,lon,height_msl_m,ch4_ppm\n0,0,0,1,1\n", "s.csv: line 1: the header has no column height_agl_m. Add the height above ground; heights above sea level or the ellipsoid are not read here"},
		{"half a wind", "t_s,x_m,y_m,z_m,wind_u_mps,ch4_ppm\n0,0,0,1,1,1\n", "s.csv: line 1: the header has one component of the wind without the other. Give wind_u_mps and wind_v_mps together"},
		{"every row is bad", head + "0,10,20,sixty,3,0,12\n", `s.csv: line 2, column z_m: "sixty" is not a number. Write a plain number, or leave the field empty where nothing was measured`},
		{"origin exchanged", "# origin: -107.39,24.80\n" + head + "0,0,0,0,0,0,1\n", "s.csv: line 1: origin: -107.39, 24.8 is not on the Earth. Give latitude first, then longitude, in degrees"},
		{"start without a zone", "# start: 2026-01-01 10:00\n" + head + "0,0,0,0,0,0,1\n", `s.csv: line 1: start: "2026-01-01 10:00" is not an RFC 3339 time. Write it as 2026-03-01T15:04:05Z`},
		{"binary", "t_s,x_m\x00\x01\n", "s.csv: line 1: a zero byte at position 8 of the line: this is not text. Save the table as UTF-8 text"},
		{"a quotation mark that never closes", head + "0,0,0,0,0,0,\"1\n", `s.csv: line 2: a quotation mark is not closed. Close the quotation mark on the same line`},
		{"latitude beyond the pole", "t_s,lat,lon,height_agl_m,ch4_ppm\n0,-107.4,24.8,50,2\n", "s.csv: line 2, column lat: -107.4 is not a latitude. Latitude and longitude look exchanged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := gas.Read(strings.NewReader(c.in), "s.csv")
			if err == nil || err.Error() != c.want {
				t.Fatalf("\ngot  %v\nwant %s", err, c.want)
			}
			var e *atalaya.Error
			if !errors.As(err, &e) || e.Kind != atalaya.BadInput {
				t.Errorf("%#v is not a *atalaya.Error of kind BadInput", err)
			}
		})
	}
}

// What is read all the same: the row or value is left out or taken, and the problem says so.
func TestProblems(t *testing.T) {
	good := "0,10,20,60,3.1,0.2,12.4\n"
	for _, c := range []struct {
		name, in, at, what string
		rows, lostRows     int
		value              float64 // first compound, last row
	}{
		{"semicolon in a number", head + good + "1,10,20,60,3.1,0.2,12;4\n", "line 3, column acetone_ppb", `"12;4" is not a number; taken as not measured. Write a decimal point: 12.4`, 2, 0, math.NaN()},
		{"a word in a number", head + good + "1,10,20,60,3.1,0.2,hola\n", "line 3, column acetone_ppb", `"hola" is not a number; taken`, 2, 0, math.NaN()},
		{"wrong field count", head + good + "1,10,20\n", "line 3", "3 fields where the header has 7", 1, 1, 12.4},
		{"a time of another kind", "time,x_m,y_m,z_m,ch4_ppm\n2026-01-01T00:00:00Z,0,0,1,2\n2026-01-01 00:00:01,0,0,1,2.5\n", "line 3, column time", "Write a T between date and time and say the zone: 2026-01-01T00:00:01Z if it is UTC", 1, 1, 2},
		{"sentinel -9", head + good + "1,10,20,60,3.1,0.2,-9\n", "line 3, column acetone_ppb", "-9 taken as not measured", 2, 0, math.NaN()},
		{"sentinel -9999.0", head + good + "1,10,20,60,3.1,0.2,-9999.0\n", "line 3, column acetone_ppb", "-9999 taken as not measured", 2, 0, math.NaN()},
		{"negative noise is a value", head + good + "1,10,20,60,3.1,0.2,-0.3\n", "", "no date", 2, 0, -0.3},
		{"NA", head + good + "1,10,20,60,3.1,0.2,NA\n", "line 3, column acetone_ppb", `"NA" taken as not measured`, 2, 0, math.NaN()},
		{"NaN", head + good + "1,10,20,60,3.1,0.2,NaN\n", "line 3, column acetone_ppb", `"NaN" taken as not measured`, 2, 0, math.NaN()},
		{"infinity", head + good + "1,10,20,60,3.1,0.2,Inf\n", "line 3, column acetone_ppb", `Inf is not a measurement`, 2, 0, math.NaN()},
		{"1e300", head + good + "1,10,20,60,3.1,0.2,1e300\n", "line 3, column acetone_ppb", `1e+300 cannot be true`, 2, 0, math.NaN()},
		{"1e400", head + good + "1,10,20,60,3.1,0.2,1e400\n", "line 3, column acetone_ppb", `1e400 is out of the range of numbers`, 2, 0, math.NaN()},
		{"hexadecimal is no number", head + good + "1,10,20,60,3.1,0.2,0x1p4\n", "line 3, column acetone_ppb", `"0x1p4" is not a number`, 2, 0, math.NaN()},
		{"kelvin", "t_s,x_m,y_m,z_m,temperature_c,ch4_ppm\n0,0,0,1,288.15,2\n", "line 2, column temperature_c", "It looks like kelvin: subtract 273.15", 1, 0, 2},
		{"pascals", "t_s,x_m,y_m,z_m,pressure_hpa,ch4_ppm\n0,0,0,1,101325,2\n", "line 2, column pressure_hpa", "It looks like pascals: divide by 100", 1, 0, 2},
		{"unknown unit beside a known one", "t_s,x_m,y_m,z_m,ch4_ppt,ch4_ppm\n0,0,0,1,9,2\n", "line 1, column ch4_ppt", `the unit "ppt" is not read`, 1, 0, 2},
		{"unknown columns are named", "t_s,x_m,y_m,z_m,battery_v,ch4_ppm\n0,0,0,1,9,2\n", "line 1", "columns passed over, their names mean nothing here: battery_v", 1, 0, 2},
		{"unknown flag", "t_s,x_m,y_m,z_m,ch4_ppm,ch4_flag\n0,0,0,1,2,ok\n", "line 2, column ch4_flag", `the flag "ok" is not known`, 1, 0, 2},
		{"flag without a value takes the limit", "t_s,x_m,y_m,z_m,ch4_ppm,ch4_lod,ch4_flag\n0,0,0,1,,0.5,bdl\n", "", "no date", 1, 0, 0.5},
		{"flag with nothing", "t_s,x_m,y_m,z_m,ch4_ppm,ch4_flag\n0,0,0,1,,bdl\n", "line 2, column ch4_ppm", "flagged bdl without a value or limit", 1, 0, math.NaN()},
		{"time goes back", head + "5,10,20,60,3.1,0.2,1\n" + "1,10,20,60,3.1,0.2,2\n", "line 3", "the time goes back; all rows were sorted by time", 2, 0, 1},
		{"a repeated row", head + good + good, "line 3", "repeats line 2 word for word and was left out", 1, 0, 12.4},
		{"a contradicting row", head + good + "0,10,20,60,3.1,0.2,99\n", "line 3", "same time, place and sensor as line 2 with another value", 2, 0, 99},
		{"wind twice, opposed", "t_s,x_m,y_m,z_m,wind_u_mps,wind_v_mps,wind_speed_mps,wind_from_deg,ch4_ppm\n0,0,0,1,3,0,3,90,2\n", "line 2, column wind_from_deg", "the two winds point opposite ways", 1, 0, 2},
		{"wind twice, agreeing", "t_s,x_m,y_m,z_m,wind_u_mps,wind_v_mps,wind_speed_mps,wind_from_deg,ch4_ppm\n0,0,0,1,3,0,3,270,2\n", "line 1", "the wind is given twice", 1, 0, 2},
		{"half a path", "t_s,x_m,y_m,z_m,x2_m,y2_m,z2_m,ch4_ppm\n0,0,0,1,,,,2\n1,0,0,1,5,,,3\n", "line 3, column y2_m", "no value", 1, 1, 2},
		{"BOM", "\xEF\xBB\xBF" + head + good, "", "no date", 1, 0, 12.4},
		{"CRLF", strings.ReplaceAll(head+good, "\n", "\r\n"), "", "no date", 1, 0, 12.4},
		{"semicolons and decimal commas", strings.ReplaceAll(head, ",", ";") + "0;10;20;60;3,1;0,2;12,4\n", "line 1", "fields are separated by semicolons", 1, 0, 12.4},
		{"UTF-16", utf16(head + good), "line 1", "the text is UTF-16", 1, 0, 12.4},
		{"Latin-1 sensor", "t_s,x_m,y_m,z_m,ch4_ppm,sensor\n0,0,0,1,2,l\xE1ser\n", "line 2", "the line is not UTF-8; it was read as Windows-1252", 1, 0, 2},
		{"map coordinates as local metres", "t_s,x_m,y_m,z_m,ch4_ppm\n0,0,0,1,2\n0,261000,2745000,1,2\n", "line 3, column y_m", "too far from the origin", 1, 1, 2},
		{"a name as long as a page", "t_s,x_m,y_m,z_m,ch4_ppm,sensor\n0,0,0,1,2,s\n1,0,0,1,3," + strings.Repeat("s", gas.MaxName+1) + "\n", "line 3, column sensor", "a name of 201 bytes where 200 are read", 1, 1, 2},
		{"roughness in centimetres", "# roughness_m: 300\n" + head + good, "line 1, column roughness_m", "300 cannot be true", 1, 0, 12.4},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := gas.Read(strings.NewReader(c.in), "s.csv")
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, p := range s.Problems {
				found = found || p.At == c.at && strings.Contains(p.What, c.what)
			}
			if !found {
				t.Errorf("no problem at %q that says %q in %+v", c.at, c.what, s.Problems)
			}
			if s.Len() != c.rows || s.LostRows != c.lostRows {
				t.Fatalf("%d rows, %d lost; want %d, %d", s.Len(), s.LostRows, c.rows, c.lostRows)
			}
			got := s.Compounds[len(s.Compounds)-1].Value[s.Len()-1]
			if got != c.value && !(math.IsNaN(got) && math.IsNaN(c.value)) {
				t.Errorf("last value %v, want %v", got, c.value)
			}
		})
	}
}

func TestAHeaderIsASurveysWhenReadCanSayWhatIsWrongWithIt(t *testing.T) {
	for header, want := range map[string]bool{
		"time,lat,lon,height_agl_m,ch4_ppm":           true,
		"t_s,x_m,y_m,z_m,wind_u_mps,wind_v_mps,n_ppt": true, // passed over as a table, it would be lost in silence
		"t_s,x_m,y_m,n_ppt":                           false,
		"x_m,y_m,wind_u_mps,ch4_ppm":                  false,
		"time,salary_pct,wind":                        false,
	} {
		if got := gas.IsHeader(strings.Split(header, ",")); got != want {
			t.Errorf("%s: %v, want %v", header, got, want)
		}
	}
}

func utf16(s string) string {
	b := []byte{0xFF, 0xFE}
	for _, c := range s {
		b = append(b, byte(c), byte(c>>8))
	}
	return string(b)
}

func TestMetadata(t *testing.T) {
	s, err := gas.Read(strings.NewReader(`# origin: 24.80,-107.39
# Start: 2026-03-01T08:00:00-07:00
# sensor: ptr
# roughness_m: 0.03
# mixing_height_m: 900
# stability: D
# molar_mass_acetone: 58.08
# averaging_s: 1
# obukhov_length_m: -50
# friction_velocity_mps: 0.3
# cas_acetone: 67-64-1; 123-38-6
# pilot: SYNTHETIC
# no key here
time,lat,lon,height_agl_m,wind_speed_mps,wind_from_deg,averaging_s,acetone_ppb,acetone_sd,sensor,group
2026-03-01T15:00:01.5Z,24.80,-107.39,60,4,90,10,1,0.1,,a
2026-03-01T15:00:02Z,24.81,-107.39,60,4,0,,2,,gc,b
`), "s.csv")
	if err != nil {
		t.Fatal(err)
	}
	if *s.Origin != (geodesy.LatLon{Lat: 24.8, Lon: -107.39}) || !s.Start.Equal(time.Date(2026, 3, 1, 15, 0, 0, 0, time.UTC)) {
		t.Errorf("origin %v, start %v", s.Origin, s.Start)
	}
	if s.RoughnessM != 0.03 || s.MixingHeightM != 900 || s.Stability != "D" || s.ObukhovLengthM != -50 || s.FrictionVelocity != 0.3 || s.AveragingTimeS != 1 {
		t.Errorf("%+v", s)
	}
	if d := cmp.Diff([]gas.Meta{{Key: "pilot", Value: "SYNTHETIC"}}, s.Other); d != "" {
		t.Error(d)
	}
	a := s.Compound("acetone")
	if a.MolarMass != 58.08 || cmp.Diff([]string{"67-64-1", "123-38-6"}, a.CAS) != "" || a.SD[0] != 0.1 || !math.IsNaN(a.SD[1]) {
		t.Errorf("%+v", a)
	}
	if s.SensorName(0) != "ptr" || s.SensorName(1) != "gc" || s.GroupName(0) != "a" || s.GroupName(1) != "b" || s.AveragingS(0) != 10 || s.AveragingS(1) != 1 {
		t.Error("sensor, group or averaging time of a row")
	}
	if at, ok := s.TimeOf(0); !ok || !at.Equal(time.Date(2026, 3, 1, 15, 0, 1, 500e6, time.UTC)) {
		t.Errorf("time %v %v", at, ok)
	}
	// From the east at 4 m/s the air moves west; from the north it moves south.
	if math.Abs(s.U[0]+4) > 1e-12 || math.Abs(s.V[0]) > 1e-12 || math.Abs(s.U[1]) > 1e-12 || math.Abs(s.V[1]+4) > 1e-12 {
		t.Errorf("wind %v %v", s.U, s.V)
	}
	f, _ := s.Frame()
	at, _ := s.Local(f)
	// One hundredth of a degree of latitude at 24.8 degrees is 1107.7 m (meridian radius 6346.6 km).
	if at.X[0] != 0 || math.Abs(at.Y[1]-1107.7) > 0.1 || at.Z[1] != 60 {
		t.Errorf("local %v", at)
	}
	if rows := s.GroupRows(); len(rows) != 2 || s.Select(rows[1]).Compound("acetone").Value[0] != 2 {
		t.Errorf("groups %v", rows)
	}
}

var exact = cmp.Options{cmpopts.EquateNaNs(), cmpopts.IgnoreFields(gas.Survey{}, "Problems", "Line", "LostRows", "LostValues")}

// What is written reads back the same, to the last bit.
func TestWriteRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := survey(t)
		var b bytes.Buffer
		if err := gas.Write(&b, s); err != nil {
			t.Fatal(err)
		}
		got, err := gas.Read(bytes.NewReader(b.Bytes()), s.Name)
		if err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
		if d := cmp.Diff(s, got, exact); d != "" {
			t.Fatalf("%s\n%s", d, b.String())
		}
		if got.LostRows+got.LostValues > 0 {
			t.Fatalf("%+v", got.Problems)
		}
	})
}

func survey(t *rapid.T) *gas.Survey {
	n := rapid.IntRange(1, 8).Draw(t, "rows")
	s := gas.New("made.csv")
	numbers := func(label string, low, top float64, holes bool) []float64 {
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) float64 {
			if holes && rapid.Bool().Draw(t, "hole") {
				return math.NaN()
			}
			return rapid.Float64Range(low, top).Draw(t, label)
		}), n, n).Draw(t, label)
	}
	names := func(label string) ([]string, []int32) {
		list := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-zñ#][a-z ,;"ñ]{0,6}[a-zñ]`), 1, 3, func(s string) string { return s }).Draw(t, label)
		of := make([]int32, n)
		used := int32(0)
		for i := range of { // in order of first appearance
			of[i] = rapid.Int32Range(0, min(used, int32(len(list)-1))).Draw(t, label)
			used = max(used, of[i]+1)
		}
		return list[:used], of
	}
	maybe := func(label string) bool { return rapid.Bool().Draw(t, label) }
	for i := range n {
		s.T = append(s.T, float64(i)+rapid.Float64Range(0, 0.5).Draw(t, "t"))
	}
	if maybe("date") {
		s.Start = time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "start"), rapid.Int64Range(0, 999999999).Draw(t, "ns")).UTC()
	}
	geo, path := maybe("geographic"), maybe("path")
	points := func(holes []bool) gas.Points {
		var p gas.Points
		if geo {
			p.Lat, p.Lon = numbers("lat", -90, 90, false), numbers("lon", -180, 180, false)
		} else {
			p.X, p.Y = numbers("x", -1e6, 1e6, false), numbers("y", -1e6, 1e6, false)
		}
		p.Z = numbers("z", -100, 5000, false)
		for i, h := range holes {
			if h {
				for _, c := range [][]float64{p.Lat, p.Lon, p.X, p.Y, p.Z} {
					if c != nil {
						c[i] = math.NaN()
					}
				}
			}
		}
		return p
	}
	s.At = points(nil)
	if path {
		p := points(rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "points"))
		s.To = &p
	}
	if maybe("origin") {
		s.Origin = &geodesy.LatLon{Lat: rapid.Float64Range(-90, 90).Draw(t, "lat0"), Lon: rapid.Float64Range(-180, 180).Draw(t, "lon0")}
	}
	switch rapid.IntRange(0, 2).Draw(t, "wind") {
	case 1:
		s.U, s.V = numbers("u", -60, 60, false), numbers("v", -60, 60, false)
	case 2:
		s.Speed, s.From = numbers("speed", 0, 60, false), numbers("from", 0, 360, false)
		s.U, s.V = make([]float64, n), make([]float64, n)
		for i := range n {
			s.U[i], s.V[i] = gas.Towards(s.Speed[i], s.From[i])
		}
	}
	if maybe("weather") {
		s.TemperatureC, s.PressureHPa = numbers("temperature", -40, 50, true), numbers("pressure", 500, 1050, true)
		s.WindHeightM, s.SigmaThetaDeg, s.SigmaPhiDeg = numbers("wh", 0, 100, true), numbers("st", 0, 90, true), numbers("sp", 0, 45, true)
		s.AveragingSRow = numbers("av", 0, 600, true)
	}
	if maybe("metadata") {
		s.RoughnessM, s.ObukhovLengthM = rapid.Float64Range(0.001, 2).Draw(t, "z0"), rapid.Float64Range(-1e4, 1e4).Draw(t, "L")
		s.MixingHeightM, s.FrictionVelocity, s.AveragingTimeS = 800, 0.3, 60
		s.Sensor, s.Stability = "láser: 2", "D"
		s.Other = []gas.Meta{{Key: "pilot", Value: "SYNTHETIC"}}
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "compounds") {
		c := gas.Compound{Name: [...]string{"ch4", "n_butane", "m+p-xylene"}[i], Unit: gas.Unit(rapid.IntRange(0, 3).Draw(t, "unit")), MolarMass: math.NaN()}
		c.Value = numbers("value", -0.5, 1e4, true)
		if maybe("sd") {
			c.SD = numbers("sd", 1e-3, 10, true)
		}
		if maybe("lod") {
			c.LOD = numbers("lod", 1e-3, 10, true)
		}
		if maybe("flag") {
			c.Below = make([]bool, n)
			for j := range c.Below {
				c.Below[j] = !math.IsNaN(c.Value[j]) && maybe("below")
			}
		}
		if maybe("cas") {
			c.CAS, c.MolarMass = []string{"74-82-8", "106-97-8"}, 16.043
		}
		s.Compounds = append(s.Compounds, c)
	}
	if maybe("sensor") {
		s.Sensors, s.SensorOf = names("sensor")
	}
	if maybe("group") {
		s.Groups, s.GroupOf = names("group")
	}
	return s
}

// Reading does not depend on which reader cut the bytes, and a wind turned by 180 degrees turns its vector.
func TestTowardsTurns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		speed, from := rapid.Float64Range(0, 50).Draw(t, "speed"), rapid.Float64Range(0, 360).Draw(t, "from")
		u, v := gas.Towards(speed, from)
		w, x := gas.Towards(speed, from+180)
		// Sine and cosine of two angles of at most 540 degrees, each rounded once (error below 1e-13 after the product with pi/180).
		if math.Abs(u+w) > 1e-11 || math.Abs(v+x) > 1e-11 || math.Abs(math.Hypot(u, v)-speed) > 1e-11 {
			t.Fatalf("%v %v against %v %v", u, v, w, x)
		}
	})
}

// endless gives the same bytes for ever and counts what was taken.
type endless struct {
	text  []byte
	taken int
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		n += copy(p[n:], e.text)
	}
	e.taken += n
	return n, nil
}

func TestBounded(t *testing.T) {
	t.Run("a line without end is refused after a few megabytes", func(t *testing.T) {
		in := &endless{text: bytes.Repeat([]byte("x"), 4096)}
		_, err := gas.Read(in, "s.csv")
		if err == nil || !strings.Contains(err.Error(), "line 1: the line is longer than 1048576 bytes") || in.taken > 4<<20 {
			t.Fatalf("%v after %d bytes", err, in.taken)
		}
	})
	t.Run("rows without end are refused at the limit", func(t *testing.T) {
		if testing.Short() {
			t.Skip("a million rows")
		}
		header := "t_s,x_m,y_m,z_m,ch4_ppm\n"
		in := &endless{text: bytes.Repeat([]byte("1,2,3,4,5\n"), 400)}
		_, err := gas.Read(io.MultiReader(strings.NewReader(header), in), "s.csv")
		if err == nil || !strings.Contains(err.Error(), "Split the survey into files of fewer rows") {
			t.Fatal(err)
		}
	})
	t.Run("columns without end are refused", func(t *testing.T) {
		_, err := gas.Read(strings.NewReader("t_s"+strings.Repeat(",a", 3000)+"\n"), "s.csv")
		if err == nil || !strings.Contains(err.Error(), "3001 columns; at most 2000 are read") {
			t.Fatal(err)
		}
	})
}

// Every survey of the shared data is read whole: as many rows as it has data lines, nothing lost.
func TestSharedSurveys(t *testing.T) {
	root := fixture.Shared(t, "gas")
	var files []string
	for _, p := range []string{"prairie-grass/run-*.csv", "chilbolton/survey.csv", "plume-check/survey.csv", "emitters-example/*.csv"} {
		m, _ := filepath.Glob(filepath.Join(root, p))
		files = append(files, m...)
	}
	if len(files) != 26+1+1+12 { // counts of the folder's README
		t.Fatalf("%d surveys", len(files))
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		rows := -1
		for _, l := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			if !strings.HasPrefix(l, "#") {
				rows++
			}
		}
		s, err := gas.Read(bytes.NewReader(text), filepath.Base(f))
		if err != nil {
			t.Error(err)
			continue
		}
		if s.Len() != rows || s.LostRows+s.LostValues != 0 {
			t.Errorf("%s: %d rows of %d, %d values lost: %v", f, s.Len(), rows, s.LostValues, s.Problems)
		}
		var b bytes.Buffer
		if err := gas.Write(&b, s); err != nil {
			t.Error(err)
		}
		again, err := gas.Read(&b, s.Name)
		if err != nil || cmp.Diff(s, again, exact) != "" {
			t.Errorf("%s: not the same after writing: %v", f, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(head + "0,10,20,60,3.1,0.2,12.4\n"))
	f.Add([]byte("# origin: 1,2\ntime,lat,lon,height_agl_m,lat2,lon2,height2_agl_m,wind_speed_mps,wind_from_deg,ch4_ppm,ch4_sd,ch4_flag,sensor,group\n2026-01-01T00:00:00Z,1,2,3,,,,4,5,6,,bdl,\"a,b\",g\n"))
	f.Add([]byte(utf16(head + "0,1,2,3,4,5,6\n")))
	f.Add([]byte("t_s;x_m;y_m;z_m;ch4_ppm\n0;1;2;3;4,5\n0;1;2;3;4,5\n"))
	storm.Fuzz(f, func(t testing.TB, b []byte) {
		s, err := gas.Read(bytes.NewReader(b), "f.csv")
		if err != nil {
			var e *atalaya.Error
			if !errors.As(err, &e) || strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("%#v", err)
			}
			return
		}
		var w bytes.Buffer
		if err := gas.Write(&w, s); err != nil {
			return
		}
		again, err := gas.Read(bytes.NewReader(w.Bytes()), "f.csv")
		if err != nil {
			t.Fatalf("%v\n%s", err, w.Bytes())
		}
		if d := cmp.Diff(s, again, exact); d != "" {
			t.Fatalf("%s\n%s", d, w.Bytes())
		}
	})
}
