package bearing_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
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
	"github.com/atalaya-isr/atalaya/sense/bearing"
)

const head = "time,lat,lon,height_hae_m,bearing_deg,sigma_deg\n"

func ExampleRead() {
	set, err := bearing.Read(strings.NewReader(head+"2026-03-01T15:00:00Z,24.8,-107.4,3000,350.5,1.5\n"), "bearings.csv")
	if err != nil {
		fmt.Println(err)
		return
	}
	b := set.Bearings[0]
	fmt.Println(b.Time.Format(time.Kitchen), b.Deg, b.SigmaDeg)
	// Output: 3:00PM 350.5 1.5
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", "b.csv: the file is empty. Give a file with a header row and data rows"},
		{"header only", head, "b.csv: line 1: a header and no data rows. Add data rows"},
		{"another height", strings.Replace(head, "hae", "msl", 1), "b.csv: line 1: the header has no column height_hae_m. Give the height above the WGS 84 ellipsoid; height_msl_m is another height"},
		{"no bearing", "time,lat,lon,height_hae_m,sigma_deg\n", "b.csv: line 1: the header has no column bearing_deg. Give the columns time,lat,lon,height_hae_m,bearing_deg,sigma_deg"},
		{"decimal comma", head + "2026-03-01T15:00:00Z,24.8,-107.4,3000,350,5,1.5\n", "b.csv: line 2: 7 fields where the header has 6. Write numbers with a decimal point (12.4, not 12,4) and put text that holds a comma in quotation marks"},
		{"a bearing of 400 degrees", head + "2026-03-01T15:00:00Z,24.8,-107.4,3000,400,1.5\n", "b.csv: line 2, column bearing_deg: 400 cannot be true (-180 to 360 can). Give degrees clockwise from true north"},
		{"no error", head + "2026-03-01T15:00:00Z,24.8,-107.4,3000,40,0\n", "b.csv: line 2, column sigma_deg: a bearing without error does not exist. Give the standard deviation in degrees"},
		{"local time", head + "2026-03-01T15:00:00,24.8,-107.4,3000,40,1\n", `b.csv: line 2, column time: "2026-03-01T15:00:00" is not an RFC 3339 time. Write it as 2026-03-01T15:04:05Z`},
		{"missing latitude", head + "2026-03-01T15:00:00Z,,-107.4,3000,40,1\n", "b.csv: line 2, column lat: no value. Give every bearing all of time, lat, lon, height_hae_m, bearing_deg, sigma_deg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := bearing.Read(strings.NewReader(c.in), "b.csv")
			if err == nil || err.Error() != c.want {
				t.Fatalf("\ngot  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestBadRowsAreLeftOut(t *testing.T) {
	good := "2026-03-01T15:00:00Z,24.8,-107.4,3000,-90,1,E1,ant,north\n"
	set, err := bearing.Read(strings.NewReader(strings.TrimSpace(head)+",emitter,bias_group,station\n"+good+strings.Replace(good, "24.8", "248", 1)+strings.Replace(good, "15:00", "14:00", 1)), "b.csv")
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Bearings) != 2 || set.LostRows != 1 || set.Bearings[0].Deg != 270 || set.Bearings[0].Emitter != "E1" || set.Bearings[0].BiasGroup != "ant" {
		t.Errorf("%+v", set)
	}
	var said []string
	for _, p := range set.Problems {
		said = append(said, p.At+": "+p.What)
	}
	want := []string{
		"line 1: columns passed over, their names mean nothing here: station",
		"line 3, column lat: 248 cannot be true (-90 to 90 can). Give degrees, north positive",
		"line 4, column time: the time goes back; the order of the file is kept",
	}
	if d := cmp.Diff(want, said); d != "" {
		t.Error(d)
	}
}

func TestWriteRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &bearing.Set{Name: "made.csv", HasNames: rapid.Bool().Draw(t, "names"), HasGroups: rapid.Bool().Draw(t, "groups")}
		for range rapid.IntRange(1, 10).Draw(t, "n") {
			b := bearing.Bearing{
				Time:     time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "s"), rapid.Int64Range(0, 999999999).Draw(t, "ns")).UTC(),
				From:     geodesy.LatLonHeight{Lat: rapid.Float64Range(-90, 90).Draw(t, "lat"), Lon: rapid.Float64Range(-180, 180).Draw(t, "lon"), HeightHAE: rapid.Float64Range(-100, 2e4).Draw(t, "h")},
				Deg:      rapid.Float64Range(0, 359.99).Draw(t, "deg"),
				SigmaDeg: rapid.Float64Range(1e-3, 90).Draw(t, "sigma"),
			}
			if s.HasNames {
				b.Emitter = rapid.StringMatching(`[A-Zñ#"][a-z ,;"]{0,5}[a-z]`).Draw(t, "emitter")
			}
			if s.HasGroups {
				b.BiasGroup = rapid.StringMatching(`[A-Z]?`).Draw(t, "group")
			}
			s.Bearings = append(s.Bearings, b)
		}
		var w bytes.Buffer
		if err := bearing.Write(&w, s); err != nil {
			t.Fatal(err)
		}
		got, err := bearing.Read(bytes.NewReader(w.Bytes()), "made.csv")
		if err != nil {
			t.Fatalf("%v\n%s", err, w.Bytes())
		}
		if d := cmp.Diff(s, got, cmpopts.IgnoreFields(bearing.Bearing{}, "Line"), cmpopts.IgnoreFields(bearing.Set{}, "Problems")); d != "" {
			t.Fatalf("%s\n%s", d, w.Bytes())
		}
	})
}

// The shared files hold 15 emitters from 7 stations each, and 20 emitters with 15 bearings each (their README).
func TestSharedBearings(t *testing.T) {
	for file, want := range map[string][2]int{"hfdf-sphere": {15, 105}, "hfdf-noisy": {15, 105}, "leg-clean": {20, 300}, "leg-wild": {20, 300}} {
		in, err := os.ReadFile(fixture.Shared(t, "sensors/bearings/"+file+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		set, err := bearing.Read(bytes.NewReader(in), file)
		if err != nil {
			t.Fatal(err)
		}
		names, _ := set.ByEmitter()
		if len(names) != want[0] || len(set.Bearings) != want[1] || set.LostRows != 0 {
			t.Errorf("%s: %d emitters, %d bearings, %d lost; want %v", file, len(names), len(set.Bearings), set.LostRows, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(head + "2026-03-01T15:00:00Z,24.8,-107.4,3000,350.5,1.5\n"))
	f.Add([]byte("time;lat;lon;height_hae_m;bearing_deg;sigma_deg;emitter;bias_group;x\n2026-03-01T15:00:00Z;24,8;-107,4;3000;350,5;1,5;\"a;\"\"b\";;\n"))
	storm.Fuzz(f, func(t testing.TB, in []byte) {
		s, err := bearing.Read(bytes.NewReader(in), "f.csv")
		if err != nil {
			var e *atalaya.Error
			if !errors.As(err, &e) || strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("%#v", err)
			}
			return
		}
		var w bytes.Buffer
		if err := bearing.Write(&w, s); err != nil {
			return
		}
		again, err := bearing.Read(bytes.NewReader(w.Bytes()), "f.csv")
		if err != nil {
			t.Fatalf("%v\n%s", err, w.Bytes())
		}
		if d := cmp.Diff(s, again, cmpopts.IgnoreFields(bearing.Bearing{}, "Line"), cmpopts.IgnoreFields(bearing.Set{}, "Problems", "LostRows", "LostValues")); d != "" {
			t.Fatalf("%s\n%s", d, w.Bytes())
		}
	})
}
