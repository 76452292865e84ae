package product

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/review"
	"github.com/atalaya-isr/atalaya/review/reviewtest"
	"pgregory.net/rapid"
)

var leakOptions = Options{Key: []byte("SYNTHETIC key of sixteen bytes"), Made: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)}

func secretsFor(t testing.TB, rec review.Record) ([]secret, *lead) {
	t.Helper()
	r, err := review.Decide(rec)
	if err != nil {
		t.Fatal(err)
	}
	l, err := leadOf(r, leakOptions)
	if err != nil {
		t.Fatal(err)
	}
	return secretsOf(rec, l), l
}

func deflated(text string) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.Bytes()
}

func zipped(name, comment, body string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Comment: comment, Method: zip.Deflate})
	if err == nil {
		_, err = w.Write([]byte(body))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		panic(err)
	}
	return b.Bytes()
}

func chunked(kind string, body []byte) []byte {
	c := append([]byte(kind), body...)
	b := binary.BigEndian.AppendUint32(bytes.Clone(pngHead), uint32(len(body)))
	return binary.BigEndian.AppendUint32(append(b, c...), crc32.ChecksumIEEE(c))
}

func wide(s string, order binary.AppendByteOrder) (out []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

// TestPlantedLeaksAreFound hides what is withheld in every place and spelling in which it was ever known to leave, and finds it.
func TestPlantedLeaksAreFound(t *testing.T) {
	rec := reviewtest.Record()
	secrets, _ := secretsFor(t, rec)
	p := rec.Case.Snapshot.Place
	lat, lon := fmt.Sprint(p.Lat), fmt.Sprint(p.Lon)
	const name = "RAVEN-2"
	page := func(text string) []byte {
		return append([]byte("%PDF-1.4\n1 0 obj <<>> stream\n"), append(deflated(text), "\nendstream"...)...)
	}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write([]byte("the platform " + name))
	w.Close()
	grid := geodesy.MGRS(geodesy.LatLon{Lat: p.Lat, Lon: p.Lon}, 1)
	for place, body := range map[string][]byte{
		"as it is":                         []byte("by " + name + "."),
		"in other letters":                 []byte("by raven-2"),
		"in the text layer of a page":      page("BT (" + string(wide(name, binary.BigEndian)) + ") Tj ET"),
		"in an escaped string of a page":   page("BT (\\(" + strings.ReplaceAll(string(wide(name, binary.BigEndian)), "-", "\\-") + "\\)) Tj ET"),
		"in the metadata of a picture":     chunked("tEXt", []byte("Comment\x00"+name)),
		"in a compressed chunk":            chunked("zTXt", append([]byte("Comment\x00\x00"), deflated(name)...)),
		"in the name of an archive's file": zipped(name+".kml", "", ""),
		"in the comment of one":            zipped("doc.kml", "by "+name, ""),
		"in the body of one":               zipped("doc.kml", "", strings.Repeat("many words. ", 100)+name),
		"in an archive in an archive":      zipped("a.zip", "", string(zipped("doc.kml", "", name))),
		"in a gzip stream":                 z.Bytes(),
		"in a freed page of a database":    append(append([]byte("SQLite format 3\x00"), make([]byte, 4096)...), name...),
		"in UTF-16":                        wide(name, binary.LittleEndian),
		"in base64":                        []byte(base64.StdEncoding.EncodeToString([]byte("x" + string(rec.Case.ID) + "yz"))),
		"in hexadecimal":                   []byte(hex.EncodeToString([]byte(rec.Case.ID))),
		"an identifier in an error text":   []byte(`{"error":"no such thing: ` + string(rec.Case.ID) + `"}`),
		"a latitude":                       []byte("<coordinates>" + lon[:4] + "," + lat + "</coordinates>"),
		"with a comma":                     []byte(strings.ReplaceAll(lat, ".", ",")),
		"a longitude without its sign":     []byte("W" + strings.TrimPrefix(lon, "-")),
		"the bits of a latitude":           binary.BigEndian.AppendUint64([]byte{1}, math.Float64bits(p.Lat)),
		"the bits of a longitude":          binary.LittleEndian.AppendUint64([]byte{1}, math.Float64bits(p.Lon)),
		"degrees, minutes and seconds":     []byte(sexagesimal(p.Lat)),
		"on the military grid":             []byte(strings.ReplaceAll(grid, " ", "")),
		"the probability":                  []byte(fmt.Sprintf(`"p":%v`, rec.Case.Snapshot.Probability)),
	} {
		found := leaks([]File{{"lead.x", body}}, secrets)
		if len(found) == 0 || found[0].File != "lead.x" || found[0].What == "" || found[0].How == "" {
			t.Errorf("%s: not found: %v", place, found)
		}
		if err := sealed([]File{{"lead.x", body}}, secrets); atalaya.KindOf(err) != atalaya.Refused || strings.Contains(err.Error(), name) || strings.Contains(err.Error(), lat) {
			t.Errorf("%s: %v", place, err)
		}
	}
	if found := leaks([]File{{"bomb.zip", zipped("a", "", strings.Repeat("0", mostUnpacked+1))}}, secrets); len(found) != 1 || !strings.Contains(found[0].How, "too large") {
		t.Errorf("what is too large to look through: %v", found)
	}
	if found := leaks([]File{{"lead.x", []byte("RAVEN-21, 24.8, BRAVEN-2")}}, secrets); len(found) > 0 {
		t.Errorf("found what is not there: %v", found)
	}
}

// sexagesimal writes degrees, minutes and seconds to a thousandth.
func sexagesimal(v float64) string {
	d := math.Floor(v)
	m := math.Floor((v - d) * 60)
	return fmt.Sprintf("%.0f°%02.0f'%06.3f\"N", d, m, math.Floor(((v-d)*60-m)*60000)/1000)
}

// record draws a release whose names, notes and numbers are any.
func record() *rapid.Generator[review.Record] {
	return rapid.Custom(func(t *rapid.T) review.Record {
		c := reviewtest.Candidate()
		word := rapid.StringMatching(`[A-Z][A-Za-z0-9áéíóúñ]{5,14}`)
		c.Place.Lat += 1e-3 * rapid.Float64Range(-1, 1).Draw(t, "lat")
		c.Place.Lon += 1e-3 * rapid.Float64Range(-1, 1).Draw(t, "lon")
		c.Probability = rapid.Float64Range(0.02, 0.98).Draw(t, "p")
		c.Mission = atalaya.MissionID("mis_" + word.Draw(t, "mission"))
		for i := range c.Ledger {
			if rapid.Bool().Draw(t, "noted") {
				c.Ledger[i].Note = word.Draw(t, "sensor") + " saw " + word.Draw(t, "what")
			}
		}
		rec := reviewtest.RecordOf(c)
		for i := range rec.Sorties {
			rec.Sorties[i].Platform = word.Draw(t, "platform")
		}
		return rec
	})
}

// TestNoPackageHoldsWhatIsWithheld builds packages of any records (10,000 under ATALAYA_SOAK): each passes its own search, which Build ends with, and two records that differ only in what is
// withheld give the same bytes.
func TestNoPackageHoldsWhatIsWithheld(t *testing.T) {
	was, checks := flag.Lookup("rapid.checks").Value.String(), "25"
	if os.Getenv("ATALAYA_SOAK") != "" {
		checks = "10000"
	}
	if err := flag.Set("rapid.checks", checks); err != nil {
		t.Fatal(err)
	}
	defer flag.Set("rapid.checks", was)
	rapid.Check(t, func(t *rapid.T) {
		rec := record().Draw(t, "record")
		one, err := review.Decide(rec)
		if err != nil {
			t.Fatal(err)
		}
		a, err := Build(one, leakOptions)
		if err != nil {
			t.Fatal(err)
		}
		other := rec
		other.Sorties = append([]atalaya.Sortie{}, rec.Sorties...)
		for i := range other.Sorties {
			other.Sorties[i].Platform, other.Sorties[i].Authority = "another platform", "SYNTHETIC order of another"
		}
		two, err := review.Decide(other)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Build(two, leakOptions)
		if err != nil {
			t.Fatal(err)
		}
		for i := range a.Files {
			if !bytes.Equal(a.Files[i].Bytes, b.Files[i].Bytes) {
				t.Fatalf("%s tells of what is withheld", a.Files[i].Name)
			}
		}
	})
}
