package product_test

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/product"
	"github.com/atalaya-isr/atalaya/review"
	"github.com/atalaya-isr/atalaya/review/reviewtest"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"
)

var options = product.Options{Key: []byte("SYNTHETIC key of sixteen bytes"), Made: reviewtest.Day}

func ExampleBuild() {
	p, err := product.Build(reviewtest.Released(), options)
	for _, f := range p.Files {
		fmt.Println(f.Name)
	}
	_, zero := product.Build(review.Released{}, options)
	fmt.Println(err, zero)
	// Output:
	// lead.geojson
	// lead.kml
	// lead.kmz
	// lead.stix.json
	// lead.pdf
	// manifest.json
	// <nil> nothing was released: this did not come from a review. Have two different people approve the case, then release it
}

func build(t testing.TB, rec review.Record, o product.Options) map[string][]byte {
	t.Helper()
	r, err := review.Decide(rec)
	if err != nil {
		t.Fatal(err)
	}
	p, err := product.Build(r, o)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range p.Files {
		files[f.Name] = f.Bytes
	}
	return files
}

// TestNoReviewNoProduct is the planted breach of "nothing leaves unreviewed", at run time.
func TestNoReviewNoProduct(t *testing.T) {
	type forged struct{ review.Released }
	var decoded review.Released
	_ = json.Unmarshal([]byte(`{"sealed":{"record":"e30="}}`), &decoded)
	for name, r := range map[string]review.Released{"the zero Released": {}, "one forged by embedding": forged{}.Released, "one read from JSON": decoded} {
		for _, e := range product.Encoders() {
			body, err := e.Encode(r, options)
			if body != nil || atalaya.KindOf(err) != atalaya.Refused {
				t.Errorf("%T took %s: %d bytes, %v", e, name, len(body), err)
			}
		}
		if p, err := product.Build(r, options); len(p.Files) > 0 || atalaya.KindOf(err) != atalaya.Refused {
			t.Errorf("Build took %s: %v", name, err)
		}
	}
}

// TestForgeriesDoNotCompile is the same at compile time: each program under testdata/forge is a way round the review.
func TestForgeriesDoNotCompile(t *testing.T) {
	for dir, says := range map[string]string{
		"embed":     "cannot use forged{} (value of struct type forged) as review.Released value",
		"literal":   "cannot refer to unexported field sealed in struct literal of type review.Released",
		"lookalike": "cannot convert lookalike{}",
		"seal":      "does not implement product.Encoder",
	} {
		out, err := exec.Command("go", "build", "-o", os.DevNull, "./testdata/forge/"+dir).CombinedOutput()
		if err == nil || !strings.Contains(string(out), says) {
			t.Errorf("%s: %v\n%s\nwant a compile error that says %q", dir, err, out, says)
		}
	}
}

func TestGeoJSON(t *testing.T) {
	body := build(t, reviewtest.Record(), options)["lead.geojson"]
	var c struct {
		Type, Marking string
		BBox          []float64
		Features      []struct {
			Type, ID string
			Geometry struct {
				Type        string
				Coordinates json.RawMessage
			}
			Properties map[string]any
		}
	}
	if err := json.Unmarshal(body, &c); err != nil {
		t.Fatal(err)
	}
	if c.Type != "FeatureCollection" || len(c.Features) != 4 || c.Marking != "UNCLASSIFIED//SYNTHETIC" || len(c.BBox) != 4 {
		t.Fatalf("%s with %d features, marked %q", c.Type, len(c.Features), c.Marking)
	}
	truth := geodesy.LatLon{Lat: reviewtest.Candidate().Place.Lat, Lon: reviewtest.Candidate().Place.Lon}
	for i, f := range c.Features {
		if f.Type != "Feature" || f.ID == "" || f.Properties["marking"] != c.Marking {
			t.Errorf("feature %d: %s %q marked %v", i, f.Type, f.ID, f.Properties["marking"])
		}
		if f.Geometry.Type != "Polygon" {
			continue
		}
		var rings [][][2]float64
		if err := json.Unmarshal(f.Geometry.Coordinates, &rings); err != nil {
			t.Fatal(err)
		}
		r := rings[0]
		if len(r) < 4 || r[0] != r[len(r)-1] || area(r) <= 0 {
			t.Errorf("feature %d: ring of %d positions, closed %v, signed area %g: RFC 7946 wants it closed and counter-clockwise", i, len(r), r[0] == r[len(r)-1], area(r))
		}
		if r[0][0] > -107 || r[0][0] < -108 || !inside(r, truth) {
			t.Errorf("feature %d: longitude does not come first, or the place fell out: %v", i, r[0])
		}
	}
	var point [2]float64
	if err := json.Unmarshal(c.Features[3].Geometry.Coordinates, &point); err != nil {
		t.Fatal(err)
	}
	// The grid of this place is 0.0005 degrees: 29 m of error, and 0.0002 are 22 m. A node is within half a diagonal.
	if d := geodesy.Distance(truth, geodesy.LatLon{Lat: point[1], Lon: point[0]}); d > 0.0005*111320/math.Sqrt2 {
		t.Errorf("the centre moved by %.1f m", d)
	}
	if p := c.Features[3].Properties; p["calibrated"] != false || p["word_en"] != "not calibrated: there is no word of likelihood yet" || p["synthetic"] != true || p["probability"] != "0.87" {
		t.Errorf("properties: %v", p)
	}
}

func area(r [][2]float64) float64 {
	sum := 0.0
	for i, p := range r {
		q := r[(i+1)%len(r)]
		sum += (p[0]-r[0][0])*(q[1]-r[0][1]) - (q[0]-r[0][0])*(p[1]-r[0][1])
	}
	return sum / 2
}

// inside holds for a convex counter-clockwise ring.
func inside(r [][2]float64, p geodesy.LatLon) bool {
	for i := range len(r) - 1 {
		a, b := r[i], r[i+1]
		if (b[0]-a[0])*(p.Lat-a[1])-(b[1]-a[1])*(p.Lon-a[0]) < 0 {
			return false
		}
	}
	return true
}

// TestCoordinatesAreNoFinerThanTheirError: whatever the place, neighbouring coordinates of a package differ by at least the
// radius of the 50 % region, 10 m, or the recipient's step, and the released region holds the region.
func TestCoordinatesAreNoFinerThanTheirError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := reviewtest.Candidate()
		centre := geodesy.LatLon{Lat: rapid.Float64Range(-70, 70).Draw(t, "lat"), Lon: rapid.Float64Range(-170, 170).Draw(t, "lon")}
		sd := math.Pow(10, rapid.Float64Range(-1, 3.5).Draw(t, "log sd"))
		policy := math.Pow(10, rapid.Float64Range(0, 3).Draw(t, "log policy"))
		cov := [2][2]float64{{sd * sd, 0}, {0, sd * sd * rapid.Float64Range(0.05, 1).Draw(t, "minor")}}
		c.Place = placeAt(centre, cov)
		o := options
		o.CoarsestM = policy
		r, err := review.Decide(reviewtest.RecordOf(c))
		if err != nil {
			t.Fatal(err)
		}
		body, err := product.GeoJSON{}.Encode(r, o)
		if err != nil {
			t.Fatal(err)
		}
		e := geodesy.EllipseOf(cov, 0.5)
		// A step is at least this long; the polygon of 48 corners that stands for the ellipse is 0.3 % smaller than it.
		least := max(10, policy, 0.99*math.Sqrt(e.MajorM*e.MinorM))
		checkCover(t, body, c.Place.Regions)
		var lats, lons []float64
		for _, m := range regexp.MustCompile(`\[\s*(-?[0-9.]+),\s*(-?[0-9.]+)\s*\]`).FindAllStringSubmatch(string(body), -1) {
			lon, _ := strconv.ParseFloat(m[1], 64)
			lat, _ := strconv.ParseFloat(m[2], 64)
			lats, lons = append(lats, lat), append(lons, lon)
		}
		if len(lats) < 13 {
			t.Fatalf("only %d positions found", len(lats))
		}
		for name, v := range map[string][]float64{"latitude": lats, "longitude": lons} {
			metres := 110574.0
			if name == "longitude" {
				metres = 111319.4 * math.Cos(centre.Lat*math.Pi/180)
			}
			slices.Sort(v)
			for i := range len(v) - 1 {
				// 1e-9 degrees (0.1 mm) is the rounding of decimal degrees in binary.
				if d := v[i+1] - v[i]; d > 1e-9 && (d+1e-9)*metres < least {
					t.Fatalf("%s steps of %.2f m where the least is %.2f m (%v, %v)", name, d*metres, least, v[i], v[i+1])
				}
			}
		}
	})
}

// checkCover wants each released region to hold the region that was computed. The tolerance is that of decimal degrees in
// binary: products of differences of up to 1 degree, each off by 2⁻⁴⁵ (half an ulp of 180).
func checkCover(t *rapid.T, body []byte, regions atalaya.Regions) {
	var out struct {
		Features []struct {
			Geometry struct{ Coordinates json.RawMessage }
		}
	}
	if err := json.Unmarshal(body, &out); err != nil {
		t.Fatal(err)
	}
	for i, raw := range []json.RawMessage{regions.P95, regions.P90, regions.P50} {
		var released [][][2]float64
		var computed struct{ Coordinates [][][][2]float64 }
		if err := errors.Join(json.Unmarshal(out.Features[i].Geometry.Coordinates, &released), json.Unmarshal(raw, &computed)); err != nil {
			t.Fatal(err)
		}
		r := released[0]
		for _, p := range computed.Coordinates[0][0] {
			for j := range len(r) - 1 {
				if a, b := r[j], r[j+1]; (b[0]-a[0])*(p[1]-a[1])-(b[1]-a[1])*(p[0]-a[0]) < -0x1p-43 {
					t.Fatalf("region %d lost %v", i, p)
				}
			}
		}
	}
}

func placeAt(centre geodesy.LatLon, cov [2][2]float64) atalaya.Place {
	region := func(p float64) json.RawMessage {
		ring := geodesy.EllipseOf(cov, p).Ring(centre, 48)
		var out [][2]float64
		for _, q := range append(ring, ring[0]) {
			out = append(out, [2]float64{q.Lon, q.Lat})
		}
		b, _ := json.Marshal(map[string]any{"type": "MultiPolygon", "coordinates": [][][][2]float64{{out}}})
		return b
	}
	return atalaya.Place{Lat: centre.Lat, Lon: centre.Lon, CovarianceM2: cov, Regions: atalaya.Regions{P50: region(0.5), P90: region(0.9), P95: region(0.95)}}
}

func TestKML(t *testing.T) {
	body := build(t, reviewtest.Record(), options)["lead.kml"]
	var doc struct {
		Document struct {
			Name       string
			Placemarks []struct {
				Name  string `xml:"name"`
				Point string `xml:"Point>coordinates"`
				Ring  string `xml:"MultiGeometry>Polygon>outerBoundaryIs>LinearRing>coordinates"`
			} `xml:"Placemark"`
		}
	}
	if err := xml.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Document.Placemarks) != 4 {
		t.Fatalf("%d placemarks", len(doc.Document.Placemarks))
	}
	for _, p := range doc.Document.Placemarks {
		if !strings.HasPrefix(p.Name, "UNCLASSIFIED//SYNTHETIC") || !strings.HasPrefix(p.Point+p.Ring, "-107.39") {
			t.Errorf("%q at %.30q", p.Name, p.Point+p.Ring)
		}
	}
	if links := regexp.MustCompile(`https?://[^"]*`).FindAllString(string(body), -1); len(links) != 1 || links[0] != "http://www.opengis.net/kml/2.2" {
		t.Errorf("external references: %q", links)
	}
}

func TestPDF(t *testing.T) {
	body := build(t, reviewtest.Record(), options)["lead.pdf"]
	if n := bytes.Count(body, []byte("/Type /Page\n")); n != 1 || len(body) > 300<<10 {
		t.Errorf("%d pages, %d bytes", n, len(body))
	}
	text := strings.ReplaceAll(pdfText(t, body), "\n", " ") // a line may be broken anywhere
	for _, want := range []string{"Lugar candidato / Candidate site", "SINTÉTICO: datos inventados / SYNTHETIC: invented data", "Indicios, a favor y en contra",
		"Evidence, for and against", "Gas medido desde el aire: fuerte, a favor", "Gas measured from the air: strong, for", "muy débil, en contra",
		"(evaluación B2)", "(grade B2)", "taller de pintura", "paint shop", "Lo que no se sabe", "What is not known", "sin calibrar", "not calibrated",
		"24.8045, -107.3940", "SYNTHETIC agreement 1 of 2026", "0.32–0.97 g/s"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if n := strings.Count(text, "UNCLASSIFIED//SYNTHETIC"); n < 2 {
		t.Errorf("the banner stands %d times, want above and below", n)
	}
	if path, err := exec.LookPath("pdftotext"); err == nil {
		file := filepath.Join(t.TempDir(), "lead.pdf")
		if err := os.WriteFile(file, body, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(path, "-layout", file, "-").Output()
		if err != nil || !bytes.Contains(out, []byte("Emisión de radio localizada")) || !bytes.Contains(out, []byte("Radio emission located")) {
			t.Errorf("pdftotext: %v\n%s", err, out)
		}
	}
}

// pdfText undoes the compression of every stream and turns the UTF-16 of shown strings back into text, words of a line
// joined as they stand.
func pdfText(t testing.TB, pdf []byte) string {
	t.Helper()
	var all strings.Builder
	for rest := pdf; ; {
		_, after, found := bytes.Cut(rest, []byte("stream\n"))
		if !found {
			break
		}
		body, next, _ := bytes.Cut(after, []byte("\nendstream"))
		rest = next
		if z, err := zlib.NewReader(bytes.NewReader(body)); err == nil {
			body, _ = io.ReadAll(z)
		}
		for _, m := range regexp.MustCompile(`(?s)\(((?:\\.|[^\\()])*)\) ?Tj`).FindAllSubmatch(body, -1) {
			raw := regexp.MustCompile(`(?s)\\(.)`).ReplaceAllFunc(m[1], func(b []byte) []byte {
				if b[1] == 'r' {
					return []byte{'\r'}
				}
				return b[1:]
			})
			units := make([]uint16, len(raw)/2)
			for i := range units {
				units[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
			}
			all.WriteString(string(utf16.Decode(units)))
			all.WriteByte('\n')
		}
	}
	return all.String()
}

func TestManifest(t *testing.T) {
	r := reviewtest.Released()
	p, err := product.Build(r, options)
	if err != nil {
		t.Fatal(err)
	}
	last := p.Files[len(p.Files)-1]
	if sum := sha256.Sum256(last.Bytes); last.Name != product.ManifestName || hex.EncodeToString(sum[:]) != p.ManifestSHA256 {
		t.Errorf("manifest %s has another hash than %s", last.Name, p.ManifestSHA256)
	}
	var m map[string]any
	if err := json.Unmarshal(last.Bytes, &m); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{"schema": "atalaya.package/1", "marking": "UNCLASSIFIED//SYNTHETIC", "recipient": "MEX", "synthetic": true,
		"created_at": "2026-03-14T15:09:26Z", "expires": "2027-03-14", "released": "2026-03-14", "legal_basis": "SYNTHETIC agreement 1 of 2026", "reference": p.Reference} {
		if m[key] != want {
			t.Errorf("%s is %v, want %v", key, m[key], want)
		}
	}
	files := m["files"].([]any)
	if len(files) != len(p.Files)-1 {
		t.Fatalf("%d of %d files are listed", len(files), len(p.Files)-1)
	}
	for i, f := range files {
		f := f.(map[string]any)
		sum := sha256.Sum256(p.Files[i].Bytes)
		if f["name"] != p.Files[i].Name || f["sha256"] != hex.EncodeToString(sum[:]) || f["bytes"] != float64(len(p.Files[i].Bytes)) {
			t.Errorf("entry %d: %v", i, f)
		}
	}
}

func TestSameInputSameBytes(t *testing.T) {
	a, b := build(t, reviewtest.Record(), options), build(t, reviewtest.Record(), options)
	other := options
	other.Key = []byte("another SYNTHETIC key of bytes")
	c := build(t, reviewtest.Record(), other)
	for name, body := range a {
		if !bytes.Equal(body, b[name]) {
			t.Errorf("%s differs between two runs", name)
		}
		if bytes.Equal(body, c[name]) {
			t.Errorf("%s is the same under another recipient's key", name)
		}
	}
}

// TestNothingWithheldLeaves greps every file, the streams of the page included, for what must stay.
func TestNothingWithheldLeaves(t *testing.T) {
	rec := reviewtest.Record()
	secrets := []string{"RAVEN", "SNIFFER", "DF-3", "turret", "vecino", "sortie-17", "obs_", "ev_", "site_0011", "mission-synthetic", "acct_", "ana", "luis",
		"case_0195", "rel_0195", "rev_", rec.Case.Basis, "SYNTHETIC order 4", "SYNTHETIC note 5", "24.80432", "107.39409", "0.8731", "15:09"}
	for name, body := range build(t, rec, options) {
		text := string(body)
		if name == "lead.pdf" {
			text = pdfText(t, body) + regexp.MustCompile(`(?s)stream\n.*?endstream`).ReplaceAllString(text, "")
			if !strings.Contains(text, "Candidate site") {
				t.Fatal("the page's text was not found, so nothing could be")
			}
		}
		if name == "lead.kmz" {
			text += unzipped(t, body)["doc.kml"]
		}
		for _, s := range secrets {
			if s == "15:09" && name == product.ManifestName {
				continue // its time of making
			}
			if regexp.MustCompile(`(?i)(^|[^\pL\pN])` + regexp.QuoteMeta(s)).MatchString(text) {
				t.Errorf("%s holds %q", name, s)
			}
		}
	}
}

// unzipped are the entries of an archive, by their names.
func unzipped(t *testing.T, body []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		if f.Modified.Year() > 1980 || f.Comment != "" || len(f.Extra) > 0 {
			t.Errorf("%s tells more than its content: %+v", f.Name, f.FileHeader)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name] = string(b)
	}
	return out
}

func TestKMZIsTheKML(t *testing.T) {
	files := build(t, reviewtest.Record(), options)
	in := unzipped(t, files["lead.kmz"])
	if len(in) != 1 || in["doc.kml"] != string(files["lead.kml"]) || len(files["lead.kmz"]) > 500_000 {
		t.Errorf("%d entries, %d bytes", len(in), len(files["lead.kmz"]))
	}
}

func TestSTIX(t *testing.T) {
	files := build(t, reviewtest.Record(), options)
	var b struct {
		Type    string
		Objects []map[string]any
	}
	if err := json.Unmarshal(files["lead.stix.json"], &b); err != nil || b.Type != "bundle" || len(b.Objects) != 4 {
		t.Fatalf("%v: %d objects in a %q", err, len(b.Objects), b.Type)
	}
	ids := map[any]bool{}
	for _, o := range b.Objects {
		ids[o["id"]] = true
	}
	var geo struct {
		Features []struct{ Geometry struct{ Coordinates any } }
	}
	if err := json.Unmarshal(files["lead.geojson"], &geo); err != nil {
		t.Fatal(err)
	}
	centre := geo.Features[len(geo.Features)-1].Geometry.Coordinates.([]any)
	for _, o := range b.Objects {
		if strings.Contains(string(files["lead.stix.json"]), `"confidence"`) {
			t.Error("a likelihood is not STIX's confidence")
		}
		switch o["type"] {
		case "marking-definition":
			if o["definition"].(map[string]any)["statement"] != "UNCLASSIFIED//SYNTHETIC" {
				t.Errorf("marked %v", o["definition"])
			}
			continue
		case "location":
			if o["longitude"] != centre[0] || o["latitude"] != centre[1] || !(o["precision"].(float64) >= 10) {
				t.Errorf("at %v, %v to %v m; the centre of the GeoJSON is %v", o["longitude"], o["latitude"], o["precision"], centre)
			}
		case "report":
			if text := o["description"].(string); !strings.HasPrefix(text, "UNCLASSIFIED//SYNTHETIC\n") || !strings.Contains(text, "Evidence") || !ids[o["object_refs"].([]any)[0]] {
				t.Errorf("report: %v", o)
			}
		}
		if marks, _ := o["object_marking_refs"].([]any); len(marks) != 1 || !ids[marks[0]] {
			t.Errorf("%v bears no marking of the bundle: %v", o["type"], marks)
		}
	}
}

// publishedSchemas reads the schemas out of a folder, whatever host their names begin with.
type publishedSchemas string

func (p publishedSchemas) Load(url string) (any, error) {
	_, path, _ := strings.Cut(url, "/schemas/")
	f, err := os.Open(filepath.Join(string(p), filepath.FromSlash(path)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return jsonschema.UnmarshalJSON(f)
}

// TestSTIXKeepsTheSchemas holds the bundle and each object to the published JSON schemas, and shows that these catch a fault.
func TestSTIXKeepsTheSchemas(t *testing.T) {
	schemas := fixture.Shared(t, "release/stix/schemas")
	files := build(t, reviewtest.Record(), options)
	var b map[string]any
	if err := json.Unmarshal(files["lead.stix.json"], &b); err != nil {
		t.Fatal(err)
	}
	of := map[string]string{"bundle": "common/bundle.json", "marking-definition": "common/marking-definition.json", "identity": "sdos/identity.json", "location": "sdos/location.json", "report": "sdos/report.json"}
	check := func(o map[string]any) error {
		c := jsonschema.NewCompiler()
		c.UseLoader(publishedSchemas(schemas))
		s, err := c.Compile("file:///schemas/" + of[o["type"].(string)])
		if err != nil {
			t.Fatal(err)
		}
		return s.Validate(o)
	}
	objects := b["objects"].([]any)
	// The published schema of a bundle has no location in its list of objects, and takes none as one of another kind: it is held without it.
	b["objects"] = slices.DeleteFunc(slices.Clone(objects), func(o any) bool { return o.(map[string]any)["type"] == "location" })
	if err := check(b); err != nil || len(b["objects"].([]any)) != 3 {
		t.Errorf("bundle: %v", err)
	}
	for _, o := range objects {
		o := o.(map[string]any)
		if err := check(o); err != nil {
			t.Errorf("%s: %v", o["type"], err)
		}
		delete(o, "id")
		if check(o) == nil {
			t.Errorf("%s without an id keeps its schema: this test shows nothing", o["type"])
		}
	}
}

func TestBuildRefuses(t *testing.T) {
	good := reviewtest.Record()
	for _, row := range []struct {
		claim string
		spoil func(*atalaya.Candidate, *product.Options)
		legal string
		says  string
	}{
		{"a short key", func(_ *atalaya.Candidate, o *product.Options) { o.Key = []byte("short") }, "", "key has 5 bytes"},
		{"no time", func(_ *atalaya.Candidate, o *product.Options) {
			o.Made = o.Made.AddDate(-5000, 0, 0)
			*o = product.Options{Key: o.Key}
		}, "", "time of making"},
		{"a bare point", func(c *atalaya.Candidate, _ *product.Options) { c.Place.Regions = atalaya.Regions{} }, "", "has no 95 % region"},
		{"a place without error", func(c *atalaya.Candidate, _ *product.Options) {
			flat := json.RawMessage(`{"type":"Polygon","coordinates":[[[1,1],[1,1],[1,1],[1,1]]]}`)
			c.Place = atalaya.Place{Lat: 1, Lon: 1, Regions: atalaya.Regions{P50: flat, P90: flat, P95: flat}}
		}, "", "it has no error"},
		{"latitude first", func(c *atalaya.Candidate, _ *product.Options) {
			c.Place.Regions.P90 = json.RawMessage(`{"type":"Polygon","coordinates":[[[24.8,-107.3],[24.9,-107.3],[24.9,-107.4],[24.8,-107.3]]]}`)
		}, "", "leaves the Earth"},
		{"a region that is a line", func(c *atalaya.Candidate, _ *product.Options) {
			c.Place.Regions.P90 = json.RawMessage(`{"type":"LineString","coordinates":[[1,1],[2,2]]}`)
		}, "", "no polygon"},
		{"a word of our own", func(c *atalaya.Candidate, _ *product.Options) { w := "certain"; c.Word = &w }, "", "no code of a word"},
		{"a hostile compound", func(c *atalaya.Candidate, _ *product.Options) {
			c.RateKgS = map[string]atalaya.Interval{"acetone by RAVEN-2": {}}
		}, "", "no name of a gas"},
		{"a platform in the legal basis", nil, "order for the flight of raven-2", "withholds"},
		{"two lines of legal basis", nil, "one\ntwo", "one line"},
		{"a known-to-the-continent place", func(c *atalaya.Candidate, o *product.Options) { o.CoarsestM = 2e6 }, "", "no better than"},
	} {
		t.Run(row.claim, func(t *testing.T) {
			c, o := reviewtest.Candidate(), options
			if row.spoil != nil {
				row.spoil(&c, &o)
			}
			rec := reviewtest.RecordOf(c)
			rec.LegalBasis.Instrument = good.LegalBasis.Instrument
			if row.legal != "" {
				rec.LegalBasis.Instrument = row.legal
			}
			r, err := review.Decide(rec)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := product.Build(r, o); err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v; want %q", err, row.says)
			}
		})
	}
}

func TestCalibratedWord(t *testing.T) {
	for _, w := range site.Words {
		c := reviewtest.Candidate()
		c.Word, c.Range, c.Cases = &w.Code, &[2]float64{0.6, 0.93}, 123
		files := build(t, reviewtest.RecordOf(c), options)
		text := pdfText(t, files["lead.pdf"])
		for _, want := range []string{"0.87 (" + w.Spanish + ")", "con 123 casos parecidos", "between 0.60 and 0.93"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the page does not carry %q", w.Code, want)
			}
		}
		if strings.Contains(text, "not calibrated") {
			t.Errorf("%s: the page says that it is not calibrated", w.Code)
		}
	}
}

func TestLongBanner(t *testing.T) {
	rec := reviewtest.Record()
	rec.Marking = "S//OC"
	if _, err := review.Decide(rec); err == nil {
		t.Fatal("ORCON left")
	}
	rec.Marking = "S//REL TO USA, AUS, AUT, BEL, CAN, CHL, COL, CRI, DNK, ESP, FIN, FRA, GBR, GTM, HND, ITA, MEX, NLD, NOR, NZL, PAN, PER, POL, PRT, SLV//SYNTHETIC"
	if text := pdfText(t, build(t, rec, options)["lead.pdf"]); strings.Count(text, "SECRET//REL TO USA, AUS") < 2 {
		t.Error("a long banner is lost")
	}
}

// TestUnknownAlternativesAreNotNamed: unknown labels are summed, so that free text cannot leave through them.
func TestUnknownAlternativesAreNotNamed(t *testing.T) {
	c := reviewtest.Candidate()
	for i := range 40 {
		c.Alternatives = append(c.Alternatives, atalaya.Alternative{Label: fmt.Sprintf("seen by RAVEN-%d", i), Probability: 0.001})
	}
	for name, body := range build(t, reviewtest.RecordOf(c), options) {
		if text := string(body) + pdfText(t, body); strings.Contains(text, "RAVEN") {
			t.Errorf("%s names an unknown alternative", name)
		}
	}
}
