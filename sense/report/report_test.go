package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/internal/storm"
	"github.com/atalaya-isr/atalaya/sense/report"
)

func ExampleRead() {
	r, err := report.Read(strings.NewReader(`fecha: 2026-03-01
lugar: 24.80, -107.39
radio_m: 500
fuente: B2

SYNTHETIC. Se vio humo blanco en 24°48'05" N, 107°23'30" O, cerca del arroyo y de la brecha.
`), "aviso.txt")
	if err != nil {
		fmt.Println(err)
		return
	}
	c := r.Coordinates[0]
	fmt.Println(r.Grade, r.RadiusM, r.Language.Code)
	fmt.Printf("%.4f %.4f %q\n", c.Lat, c.Lon, string(r.Raw[c.Span[0]:c.Span[1]]))
	// Output:
	// B2 500 es
	// 24.8014 -107.3917 "24°48'05\" N, 107°23'30\" O"
}

func TestCoordinates(t *testing.T) {
	for _, c := range []struct {
		name, in string
		lat, lon float64
		text     string
		form     string
	}{
		{"decimal degrees with sign", "visto en 24.8012, -107.3901.", 24.8012, -107.3901, "24.8012, -107.3901", "degrees"},
		{"decimal degrees without a blank", "(24.801234,-107.390123)", 24.801234, -107.390123, "24.801234,-107.390123", "degrees"},
		{"decimal commas", "en 24,8012; -107,3901 hay", 24.8012, -107.3901, "24,8012; -107,3901", "degrees"},
		{"decimal commas and a comma between", "en 24,8012, -107,3901 hay", 24.8012, -107.3901, "24,8012, -107,3901", "degrees"},
		{"hemisphere behind, O is west in Spanish", "24.80° N, 107.39° O", 24.80, -107.39, "24.80° N, 107.39° O", "degrees"},
		{"hemisphere before", "N 24.8012 W 107.3901", 24.8012, -107.3901, "N 24.8012 W 107.3901", "degrees"},
		{"degrees, minutes and seconds", `24°48'36"N 107°23'24"W`, 24.81, -107.39, `24°48'36"N 107°23'24"W`, "dms"},
		{"typographic marks", "24º 48′ 36″ N, 107º 23′ 24″ O", 24.81, -107.39, "24º 48′ 36″ N, 107º 23′ 24″ O", "dms"},
		{"two single marks for seconds", "24° 48' 36'' N y 107° 23' 24'' O", 24.81, -107.39, "24° 48' 36'' N y 107° 23' 24'' O", "dms"},
		{"decimal minutes", "24° 48.6' N, 107° 23.4' O", 24.81, -107.39, "24° 48.6' N, 107° 23.4' O", "dms"},
		{"decimal minutes with comma", "24° 48,6' N, 107° 23,4' O", 24.81, -107.39, "24° 48,6' N, 107° 23,4' O", "dms"},
		{"longitude first", "107° 23' 24\" O, 24° 48' 36\" N", 24.81, -107.39, "107° 23' 24\" O, 24° 48' 36\" N", "dms"},
		{"south and east", "33°30'00\" S, 18°15'00\" E", -33.5, 18.25, "33°30'00\" S, 18°15'00\" E", "dms"},
		{"in words", "24.81° norte, 107.39° oeste", 24.81, -107.39, "24.81° norte, 107.39° oeste", "degrees"},
		{"minus sign of the typographer", "24.8012, −107.3901", 24.8012, -107.3901, "24.8012, −107.3901", "degrees"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := report.Read(strings.NewReader(c.in), "r.txt")
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Coordinates) != 1 {
				t.Fatalf("%d positions in %q: %+v %+v", len(r.Coordinates), c.in, r.Coordinates, r.Problems)
			}
			g := r.Coordinates[0]
			// The sums of thirds of a minute are exact to a few ulps of 107, 1e-13.
			if math.Abs(g.Lat-c.lat) > 1e-12 || math.Abs(g.Lon-c.lon) > 1e-12 || g.Form != c.form {
				t.Errorf("%+v, want %v, %v (%s)", g, c.lat, c.lon, c.form)
			}
			if got := c.in[g.Span[0]:g.Span[1]]; got != c.text {
				t.Errorf("span holds %q, want %q", got, c.text)
			}
		})
	}
}

func TestNoCoordinates(t *testing.T) {
	for _, in := range []string{
		"El 24 de marzo de 2026 pagaron 1,250, 3,500 pesos",   // amounts
		"teléfono 667.123.4567, -107",                         // too few decimals after
		"a las 24.8, 25.1 y 26.0 grados",                      // temperatures
		"version 1.2345.6789",                                 // one number of three parts
		"24°48' N",                                            // half a pair
		"la brecha O, 12.34 N",                                // no second number
		"placas ABC24.8012, 107.3901XYZ",                      // within words
		"de 124.80123, 107.39012 metros",                      // no latitude has three digits before the point
		"10.5 N, 20.5 N",                                      // too few decimals for a pair without degree signs
		"el 1.2.2026, 3.4.2026 y 5.6.2026 a las 10.30, 11.45", // dates and hours
	} {
		r, err := report.Read(strings.NewReader(in), "r.txt")
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Coordinates) != 0 {
			t.Errorf("%q: found %+v", in, r.Coordinates)
		}
	}
}

func TestImpossibleCoordinatesAreTold(t *testing.T) {
	for in, want := range map[string]string{
		"en 95.0012, -107.3901":       "not a position on the Earth",
		"24°75'00\" N, 107°23'24\" O": "60 or more minutes or seconds",
		"24.81° N, 23.39° N":          "two latitudes or two longitudes",
	} {
		r, err := report.Read(strings.NewReader(in), "r.txt")
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].What, want) || len(r.Coordinates) != 0 {
			t.Errorf("%q: %+v %+v", in, r.Problems, r.Coordinates)
		}
	}
}

func TestHeader(t *testing.T) {
	r, err := report.Read(strings.NewReader("Fecha: 1/3/2026\r\nlugar: 24.8, -107.4\r\nradio_m: 1.500,5\r\nfuente: b-2\r\nidioma: español\r\nfolio: 7\r\n\r\nHola: esto no es encabezado\r\n"), "r.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Date.Format("2006-01-02"); got != "2026-03-01" || !r.DateOnly {
		t.Errorf("date %s", got)
	}
	if r.Place == nil || r.Place.Lat != 24.8 || r.Place.Lon != -107.4 || r.Grade != "B2" || r.Language.Code != "es" || !r.Language.Declared {
		t.Errorf("%+v", r)
	}
	if len(r.Problems) != 1 || r.Problems[0].At != "line 3, radio_m" {
		t.Errorf("problems %+v", r.Problems)
	}
	if len(r.Header) != 6 || r.Header[5].Key != "folio" {
		t.Errorf("header %+v", r.Header)
	}
	if got := string(r.Raw[r.Body[0]:r.Body[1]]); got != "\r\nHola: esto no es encabezado\r\n" {
		t.Errorf("body %q", got)
	}
}

func TestTextThatBeginsLikeAHeaderIsNone(t *testing.T) {
	r, err := report.Read(strings.NewReader("Aviso: se vio humo\nfuente: B2\n"), "r.txt")
	if err != nil || len(r.Header) != 0 || r.Grade != "" {
		t.Errorf("%+v %v", r, err)
	}
}

func TestBytesAreKept(t *testing.T) {
	in := []byte("Se vio humo en la sierra, al norte del r\xedo, en 24\xb048'36\"N, 107\xb023'24\"O.\n")
	r, err := report.Read(bytes.NewReader(in), "r.txt")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(in)
	if !bytes.Equal(r.Raw, in) || r.SHA256 != hex.EncodeToString(sum[:]) || r.Encoding != "windows-1252" {
		t.Errorf("%+v", r)
	}
	if len(r.Problems) != 1 || r.Problems[0].At != "byte 0x28" {
		t.Errorf("%+v", r.Problems)
	}
	if len(r.Coordinates) != 1 {
		t.Fatalf("%+v", r.Coordinates)
	}
	c := r.Coordinates[0]
	if got := string(in[c.Span[0]:c.Span[1]]); got != "24\xb048'36\"N, 107\xb023'24\"O" {
		t.Errorf("span of the original bytes holds %q", got)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", "r.txt: the file is empty. Give a text"},
		{"binary", "ab\x00", "r.txt: byte 0x2: a zero byte: this is not text. Save the report as UTF-8 text"},
		{"endless", strings.Repeat("a", report.MaxBytes+1), "r.txt: longer than 4194304 bytes. Split the report"},
	} {
		_, err := report.Read(strings.NewReader(c.in), "r.txt")
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A whole page of real text is never taken for the other language; of single lines, some are too short to tell.
func TestLanguageOfSharedText(t *testing.T) {
	for _, code := range []string{"es", "en"} {
		text, err := os.ReadFile(fixture.Shared(t, "language/parallel/news2009."+code))
		if err != nil {
			t.Fatal(err)
		}
		if l := report.GuessLanguage(string(text)); l.Code != code || l.Confidence < 0.95 {
			t.Errorf("whole file %s: %+v", code, l)
		}
		wrong, told := 0, 0
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		for _, s := range lines {
			switch report.GuessLanguage(s).Code {
			case "und":
			case code:
				told++
			default:
				wrong++
			}
		}
		t.Logf("%s: %d of %d lines told, %d of them wrong", code, told+wrong, len(lines), wrong)
		if wrong*200 > len(lines) || told*10 < len(lines)*8 { // at most 0.5 % wrong, at least 80 % told
			t.Errorf("%s: %d told, %d wrong of %d", code, told, wrong, len(lines))
		}
	}
}

// A position written in degrees, minutes and seconds reads back within half of its last place.
func TestWrittenPositionsAreFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := [2]int{rapid.IntRange(0, 89).Draw(t, "lat"), rapid.IntRange(0, 179).Draw(t, "lon")}
		m := [2]int{rapid.IntRange(0, 59).Draw(t, "m1"), rapid.IntRange(0, 59).Draw(t, "m2")}
		s := [2]float64{float64(rapid.IntRange(0, 599).Draw(t, "s1")) / 10, float64(rapid.IntRange(0, 599).Draw(t, "s2")) / 10}
		ns, ew := rapid.SampledFrom([]string{"N", "S"}).Draw(t, "ns"), rapid.SampledFrom([]string{"E", "W", "O"}).Draw(t, "ew")
		in := fmt.Sprintf(`en %d°%02d'%04.1f"%s, %d°%02d'%04.1f"%s.`, d[0], m[0], s[0], ns, d[1], m[1], s[1], ew)
		r, err := report.Read(strings.NewReader(in), "r.txt")
		if err != nil || len(r.Coordinates) != 1 {
			t.Fatalf("%q: %v %+v", in, err, r)
		}
		lat, lon := float64(d[0])+float64(m[0])/60+s[0]/3600, float64(d[1])+float64(m[1])/60+s[1]/3600
		if ns == "S" {
			lat = -lat
		}
		if ew != "E" {
			lon = -lon
		}
		c := r.Coordinates[0]
		if math.Abs(c.Lat-lat) > 1e-11 || math.Abs(c.Lon-lon) > 1e-11 {
			t.Fatalf("%q: %v %v, want %v %v", in, c.Lat, c.Lon, lat, lon)
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("fecha: 2026-03-01\nlugar: 24.8, -107.4\nfuente: B2\n\nen 24°48'36\"N 107°23'24\"O\n"))
	f.Add([]byte("24,8012; -107,3901 \xb0\xff N 24.8012 W 107.3901"))
	storm.Fuzz(f, func(t testing.TB, in []byte) {
		r, err := report.Read(bytes.NewReader(in), "r.txt")
		if err != nil {
			var e *atalaya.Error
			if !errors.As(err, &e) {
				t.Fatalf("%#v", err)
			}
			return
		}
		if !bytes.Equal(r.Raw, in) || !utf8.ValidString(r.Text) {
			t.Fatal("the text is not kept")
		}
		last := 0
		for _, c := range r.Coordinates {
			if c.Span[0] < last || c.Span[1] <= c.Span[0] || c.Span[1] > len(in) || math.Abs(c.Lat) > 90 || math.Abs(c.Lon) > 180 {
				t.Fatalf("%+v", c)
			}
			last = c.Span[1]
		}
	})
}

func TestADenialSaysSo(t *testing.T) {
	for header, want := range map[string]bool{"niega: si": true, "niega: Sí": true, "denies: yes": true, "niega: no": false, "fuente: B2": false} {
		r, err := report.Read(strings.NewReader("fecha: 2026-03-01\n"+header+"\n\nNo hay nada ahí. SYNTHETIC\n"), "r.txt")
		if err != nil || r.Denies != want || len(r.Problems) != 0 {
			t.Errorf("%s: %v, want %v; %v %v", header, r.Denies, want, err, r.Problems)
		}
	}
	if r, err := report.Read(strings.NewReader("fecha: 2026-03-01\nniega: tal vez\n\nSYNTHETIC\n"), "r.txt"); err != nil || r.Denies || len(r.Problems) != 1 {
		t.Errorf("a denial that is none: %v %+v", err, r.Problems)
	}
}
