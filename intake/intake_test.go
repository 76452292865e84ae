package intake_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/atalaya-isr/atalaya/intake"
	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/internal/storm"
	"github.com/atalaya-isr/atalaya/sense/cot"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

func ExampleRecognise() {
	text := "id,name,schema\n1,SYNTHETIC NAME,Person\n"
	f := intake.Recognise(strings.NewReader(text), int64(len(text)), "list.csv", nil)
	fmt.Println(f.Kind, f.Summary["rows"])
	// Output: name-list 1
}

// Every file of the shared data folder is what testdata/shared-kinds.txt says, and every file is listed there.
func TestSharedKinds(t *testing.T) {
	root := fixture.Shared(t, ".")
	type expectation struct{ kind, problem string }
	want := map[string]expectation{}
	list, err := os.ReadFile("testdata/shared-kinds.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(list), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		f := append(strings.Split(line, "\t"), "")
		want[f[0]] = expectation{f[1], f[2]}
	}
	seen := 0
	dir := os.DirFS(root)
	err = fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		w, ok := want[name]
		if !ok {
			t.Errorf("%s is not listed in testdata/shared-kinds.txt", name)
			return nil
		}
		seen++
		got, err := intake.Probe(context.Background(), filepath.Join(root, filepath.FromSlash(name)), nil)
		if err != nil {
			t.Error(err)
			return nil
		}
		if string(got.Kind) != w.kind {
			t.Errorf("%s: %s, want %s (%v)", name, got.Kind, w.kind, got.Problems)
		}
		found := false
		for _, p := range got.Problems {
			found = found || strings.Contains(p.At+" "+p.What, w.problem)
		}
		if w.problem != "" && !found {
			t.Errorf("%s: no problem that says %q in %v", name, w.problem, got.Problems)
		}
		if w.problem == "" && got.Partial {
			t.Errorf("%s: unreadable in part, nothing is known to be wrong with it: %v", name, got.Problems)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen != len(want) {
		t.Errorf("%d files of %d listed are there", seen, len(want))
	}
}

// takMessage is an event of the TAK protocol without framing: type a-u-G, uid SYNTHETIC.
var takMessage = []byte("\x12\x12\x0a\x05a-u-G\x2a\x09SYNTHETIC")

func recognise(name string, content []byte, beside fs.FS) intake.File {
	return intake.Recognise(bytes.NewReader(content), int64(len(content)), name, beside)
}

const envi = "ENVI\nsamples = 2\nlines = 3\nbands = 1\ndata type = 4\ninterleave = bsq\nbyte order = 0\n"

// What a file is does not hang on its name or ending, only on what is in it.
func TestKindsByContent(t *testing.T) {
	ts := bytes.Repeat(append([]byte{0x47, 0x1f, 0xff, 0x10}, bytes.Repeat([]byte{0xff}, 184)...), 8)
	tiff := append([]byte("II*\x00\x08\x00\x00\x00\x01\x00"), append([]byte("\xaf\x87\x03\x00\x04\x00\x00\x00\x08\x00\x00\x00"), 0, 0, 0, 0)...)
	for _, c := range []struct {
		name    string
		content string
		want    intake.Kind
	}{
		{"a survey", "t_s,x_m,y_m,z_m,ch4_ppm\n0,1,2,3,4\n", intake.GasSurvey},
		{"a survey with semicolons", "t_s;x_m;y_m;z_m;ch4_ppm\n0;1;2;3;4,5\n", intake.GasSurvey},
		{"a survey that cannot be read is still one", "t_s,x_m,y_m,ch4_ppm\n0,1,2,4\n", intake.GasSurvey},
		{"bearings", "time,lat,lon,height_hae_m,bearing_deg,sigma_deg\n2026-01-01T00:00:00Z,1,2,3,4,5\n", intake.Bearings},
		{"plots", "time,lat,lon\n2026-01-01T00:00:00Z,1,2\n", intake.Plots},
		{"edges", "source,target,weight\na,b,1\n", intake.Edges},
		{"edges in UTF-16", "\xff\xfes\x00o\x00u\x00r\x00c\x00e\x00,\x00t\x00a\x00r\x00g\x00e\x00t\x00\n\x00a\x00,\x00b\x00\n\x00", intake.Edges},
		{"any other table", "a,b\n1,2\n3,4\n", intake.Table},
		{"prose with commas", "En la sierra, al norte, se vio humo.\nNo hubo viento, ni ruido, ni gente, ni perros.\n", intake.Text},
		{"GPX", "<?xml version='1.0'?><gpx xmlns='http://www.topografix.com/GPX/1/1'><wpt lat='1' lon='2'/></gpx>", intake.GPX},
		{"Cursor on Target", "<event version='2.0' uid='x' type='a-f-G' time='t'><point lat='0' lon='0'/></event>", intake.CoT},
		{"Cursor on Target, a datagram", string(cot.AppendMesh(nil, takMessage)), intake.CoT},
		{"Cursor on Target, from a connection", "\xbf\x02\x12\x00" + string(cot.AppendStream(nil, takMessage)), intake.CoT},
		{"Cursor on Target, large", string(cot.AppendStream(nil, append(takMessage, append([]byte{0xfa, 0x01, 0x80, 0x80, 0x08}, make([]byte, 128<<10)...)...))), intake.CoT},
		{"control messages of a connection", "\xbf\x04\x0a\x02\x10\x01", intake.CoT},
		{"a frame of something else", "\xbf\x01\xbf\x12\x02\x0a\x05\x00\x00", intake.Unknown},
		{"TMX", "<tmx version='1.4'><body><tu/></body></tmx>", intake.TMX},
		{"XML with markings", "<doc xmlns:ISM='urn:us:gov:ic:ism' ISM:classification='U'/>", intake.ISMXML},
		{"XML of another kind", "<doc/>", intake.Text},
		{"GeoJSON", `{"type":"FeatureCollection","features":[]}`, intake.GeoJSON},
		{"a type without its member is no GeoJSON", `{"type":"FeatureCollection"}`, intake.JSON},
		{"a sheet of detections", `{"schema":"atalaya.detections/1","kind":"gas","sensor":"SYNTHETIC","detections":[]}`, intake.Detections},
		{"a sheet of a later form", `{"schema":"atalaya.detections/9"}`, intake.Detections},
		{"STIX", `{"id":"bundle--5330e3e3-8f58-4d21-9f4b-793a054c0d33","type":"bundle","objects":[{}]}`, intake.STIX},
		{"entities", `{"id":"a","schema":"Person","properties":{}}` + "\n" + `{"id":"b","schema":"Person","properties":{}}`, intake.FTM},
		{"truth", `{"schema":"atalaya.truth/1","sites":[]}`, intake.Truth},
		{"JSON lines", "{\"a\":1}\n{\"a\":2}\n", intake.JSON},
		{"NMEA with a tag block", "\\s:r1,c:1700000000*0C\\!AIVDM,1,1,,A,33P;Tw0tjBQO22:E7dm66DrB20UP,0*2E\n", intake.NMEA},
		{"Mode S text", "*8D4840D6202CC371C32CE0576098;\n", intake.ModeS},
		{"Beast", "\x1a3\x00\x00\x00\x00\x00\x01\x80\x8D\x48\x40\xD6\x20\x2C\xC3\x71\xC3\x2C\xE0\x57\x60\x98\x1a2\x00\x00\x00\x00\x00\x02\x80\x5D\x48\x40\xD6\x20\x2C\xC3\x1a1\x00\x00\x00\x00\x00\x02\x80\x5D\x48", intake.ModeS},
		{"transport stream", string(ts), intake.MPEGTS},
		{"PNG", "\x89PNG\r\n\x1a\n....", intake.Image},
		{"TIFF with geographic keys", string(tiff), intake.GeoTIFF},
		{"PDF", "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", intake.PDF},
		{"gzip", "\x1f\x8b\x08\x00", intake.Archive},
		{"Latin-1 text", "Se vio humo en el r\xedo.\n", intake.Text},
		{"mission.yaml", "name: SYNTHETIC\n", intake.Text}, // the name of this case is not the file's
		{"noise", "\x80\x81\x00\x02\x90\x00\xfe\x13", intake.Unknown},
		{"one byte", "\x00", intake.Unknown},
		{"empty", "", intake.Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, name := range []string{"data", "data.csv", "x.jpg"} {
				got := recognise(name, []byte(c.content), nil)
				if got.Kind != c.want {
					t.Errorf("as %s: %s, want %s: %v", name, got.Kind, c.want, got.Problems)
				}
				if rows, ok := got.Summary["rows"]; ok && rows == 0 {
					t.Errorf("no rows were read: %v", got.Problems)
				}
			}
		})
	}
	if got := recognise("mission.yaml", []byte("name: SYNTHETIC\nmarking: (U)\n"), nil); got.Kind != intake.Mission || got.Summary["name"] != "SYNTHETIC" {
		t.Errorf("mission file: %+v", got)
	}
}

func zipped(names ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, n := range names {
		f, _ := w.Create(n)
		io.WriteString(f, "<kml><Placemark/></kml>")
	}
	w.Close()
	return b.Bytes()
}

// Damage is told with its place, and nothing that a file asks for is done.
func TestDamage(t *testing.T) {
	pair := fstest.MapFS{"a.hdr": {Data: []byte(envi)}, "a.img": {Data: make([]byte, 24)}}
	deep := strings.Repeat("<a>", 5000) + strings.Repeat("</a>", 5000)
	for _, c := range []struct {
		name, file string
		content    []byte
		beside     fs.FS
		kind       intake.Kind
		at, what   string
	}{
		{"cube cut short", "a.img", make([]byte, 20), pair, intake.ENVICube, "byte 0x14", "cut short: 20 bytes where its header says 24"},
		{"header without data", "b.hdr", []byte(envi), pair, intake.ENVICube, "", "no data file beside the header"},
		{"cube of more than the world holds", "c.hdr", []byte(strings.ReplaceAll(envi, "= 2", "= 9223372036854775807")), fstest.MapFS{"c.img": {}}, intake.ENVICube, "", ""},
		{"entity bomb", "b.kml", []byte("<!DOCTYPE k [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><kml>&b;</kml>"), nil, intake.KML, "", "2 entity declarations; they are not expanded"},
		{"XML deeper than sense", "a.kml", []byte("<kml>" + deep + "</kml>"), nil, intake.KML, "line 1", "nested more than 1000 deep"},
		{"XML broken off", "a.xml", []byte("<gpx>\n<trk>"), nil, intake.GPX, "line 2", "the document ends before its root element does"},
		{"JSON broken off", "a.json", []byte(`{"type":"Feature","geometry":{`), nil, intake.GeoJSON, "byte 0x1e", "the document ends in the middle"},
		{"JSON deeper than sense", "a.json", []byte(strings.Repeat("[", 5000)), nil, intake.JSON, "byte 0x3e9", "nested more than 1000 deep"},
		{"NITF of a header only", "a.ntf", []byte("NITF02.10"), nil, intake.NITF, "byte 0x9", "the file header breaks off"},
		{"an entry that climbs out", "a.zip", zipped("../../etc/doc.kml"), nil, intake.KMZ, "entry ../../etc/doc.kml", "the name leads out"},
		{"archive cut in half", "a.kmz", zipped("doc.kml")[:40], nil, intake.KMZ, "", "the archive's directory cannot be read"},
		{"wrong NMEA checksum", "a.nmea", []byte("!AIVDM,1,1,,B,,0*25\n!AIVDM,1,1,,B,,0*26\n"), nil, intake.NMEA, "line 2", "checksum 26 where the sentence gives 25"},
		{"radar file cut short", "a.4607", append([]byte("30\x00\x00\x00\x40USUS\x00\x00\x00\x80"), make([]byte, 20)...), nil, intake.Unknown, "byte 0x0", "not recognised"},
		{"unknown names its first bytes", "a", []byte("\x80\x81\x00\x02"), nil, intake.Unknown, "byte 0x0", "it begins with 80810002"},
		{"ragged table", "a.csv", []byte("a,b,c\n1,2,3\n1,2,3\n1,2\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n"), nil, intake.Table, "line 4", "2 fields where the header has 3"},
		{"a row of a sheet", "a.json", []byte(`{"schema":"atalaya.detections/1","kind":"gas","sensor":"SYNTHETIC","detections":[{"id":"a","time":"2026-03-14T04:07:11Z","lat":1,"lon":2,"covariance_m2":[[1,0],[0,1]]},{"id":"b"}]}`),
			nil, intake.Detections, "detection 2", "no position. Give lat and lon"},
		{"a sheet of a later form", "a.json", []byte(`{"schema":"atalaya.detections/9"}`), nil, intake.Detections, "key schema", "is a schema that is not read here"},
		{"a road of one corner", "a.geojson", []byte(`{"type":"FeatureCollection","features":[{"properties":{"kind":"road"},"geometry":{"type":"LineString","coordinates":[[1,2]]}}]}`), nil, intake.GeoJSON, "feature 1", "a line of 1. Give at least two corners"},
		{"gas row", "a.csv", []byte("t_s,x_m,y_m,z_m,ch4_ppm\n0,1,2,3,4\n0,1,2,x,4\n"), nil, intake.GasSurvey, "line 3, column z_m", `"x" is not a number`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := recognise(c.file, c.content, c.beside)
			if got.Kind != c.kind {
				t.Errorf("%s, want %s: %v", got.Kind, c.kind, got.Problems)
			}
			if c.what == "" {
				return
			}
			for _, p := range got.Problems {
				if p.At == c.at && strings.Contains(p.What, c.what) {
					return
				}
			}
			t.Errorf("no problem at %q that says %q in %v", c.at, c.what, got.Problems)
		})
	}
}

// What a reader will refuse is still named as what it would be, with what the reader says, and not passed over as a text.
func TestTablesThatCannotBeReadAreNamedAllTheSame(t *testing.T) {
	survey := "# origin: 24.80,-107.39\n# start: 2026-03-14T12:00:00Z\nt_s,x_m,y_m,z_m,wind_u_mps,wind_v_mps,acetone_ppb%s\n0,10,20,60,3.1,0.2,12.4%s\n1,10,21,60,3.1,0.2,12.4%s\n"
	bearings := "time,lat,lon,height_hae_m,bearing_deg,sigma_deg\n2026-03-14T15:00:00Z,24.90,-107.20,8000,90.0,1\n"
	wide := func(n int) (names, values string) {
		for i := range n {
			names += fmt.Sprintf(",note%d", i)
			values += ",1"
		}
		return names, values
	}
	names, values := wide(2500)
	longNames := strings.ReplaceAll(names, "note", strings.Repeat("long", 10)) // a header longer than what is looked at first
	cr := func(s string) string { return strings.ReplaceAll(s, "\n", "\r") }
	plain := fmt.Sprintf(survey, "", "", "")
	for _, row := range []struct {
		claim, text string
		kind        intake.Kind
		problem     string // "" for none
	}{
		{"a survey", plain, intake.GasSurvey, ""},
		{"a survey with CR line ends", cr(plain), intake.GasSurvey, "lines end in CR alone. Save the file with LF or CRLF line ends"},
		{"a long survey with CR line ends", cr(plain + strings.Repeat("2,10,21,60,3.1,0.2,12.4\n", 5000)), intake.GasSurvey, "lines end in CR alone"},
		{"bearings with CR line ends", cr(bearings), intake.Bearings, "lines end in CR alone"},
		{"a table with CR line ends", cr("id,weight,age\n1,2,3\n4,5,6\n"), intake.Table, "lines end in CR alone"},
		{"a letter with CR line ends", "Dear colleague,\rSYNTHETIC words, and more of them.\rYours\r", intake.Text, ""},
		{"a survey with CRLF line ends", strings.ReplaceAll(plain, "\n", "\r\n"), intake.GasSurvey, ""},
		{"a survey of 2507 columns", fmt.Sprintf(survey, names, values, values), intake.GasSurvey, "2507 columns; at most 2000 are read. Split the file by columns"},
		{"a survey of 2507 columns with long names", fmt.Sprintf(survey, longNames, values, values), intake.GasSurvey, "2507 columns; at most 2000 are read"},
		{"a table of 2501 columns", "id" + names + "\n1" + values + "\n", intake.Table, "2501 columns; at most 2000 are read. Split the file by columns"},
		{"a table of 2501 columns with long names", "id" + longNames + "\n1" + values + "\n", intake.Table, "2501 columns; at most 2000 are read"},
		{"a text in one line with many commas", strings.Repeat("SYNTHETIC; words! \"and\" {more}, ", 2500), intake.Text, ""},
	} {
		f := intake.Recognise(strings.NewReader(row.text), int64(len(row.text)), "file.csv", nil)
		if f.Kind != row.kind || f.Partial != (row.problem != "") {
			t.Errorf("%s: %s, partial %v, %v; want %s", row.claim, f.Kind, f.Partial, f.Problems, row.kind)
		}
		if row.problem != "" && (len(f.Problems) != 1 || f.Problems[0].At == "" || !strings.Contains(f.Problems[0].What, row.problem)) {
			t.Errorf("%s: %+v; want %s", row.claim, f.Problems, row.problem)
		}
	}
}

// A film without metadata is told to have none, and is whole; a transport stream with nothing in it is not.
func TestFilmsWithoutMetadata(t *testing.T) {
	for _, row := range []struct {
		claim string
		file  func(w *mpegts.Writer) error
		whole bool
	}{
		{"a film", func(w *mpegts.Writer) error {
			return w.WriteUnit(mpegts.Unit{Kind: mpegts.Pictures, PID: 0x100, PTS: 9000, DTS: 9000, HasPTS: true, Random: true,
				Data: []byte{0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xf6, 0x80, 0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80, 0, 0, 0, 1, 0x65, 0x88, 0x84}})
		}, true},
		{"a stream of metadata that hold no packet", func(w *mpegts.Writer) error {
			return w.WriteUnit(mpegts.Unit{PID: 0x101, PTS: 9000, DTS: 9000, HasPTS: true, Data: make([]byte, 200)})
		}, false},
	} {
		out := mpegts.Output{PID: 0x100, StreamType: 0x1b}
		if !row.whole {
			out = mpegts.Output{PID: 0x101, StreamType: 0x06}
		}
		var file bytes.Buffer
		w, err := mpegts.NewProgram(&file, out)
		if err == nil {
			err = row.file(w)
		}
		if err != nil {
			t.Fatal(err)
		}
		f := recognise("film.ts", file.Bytes(), nil)
		if f.Kind != intake.MPEGTS || f.Partial == row.whole || len(f.Problems) == 0 || !strings.Contains(f.Problems[0].What, "no KLV metadata in this transport stream") {
			t.Errorf("%s: partial %v, %+v", row.claim, f.Partial, f)
		}
	}
}

func TestPairsOfHeaderAndData(t *testing.T) {
	dir := fstest.MapFS{"a.hdr": {Data: []byte(envi)}, "a": {Data: make([]byte, 24)}, "a.json": {Data: []byte("{}")}}
	for name, want := range map[string]intake.Kind{"a.hdr": intake.ENVICube, "a": intake.ENVICube, "a.json": intake.JSON} {
		if got := recognise(name, dir[name].Data, dir); got.Kind != want || got.Partial {
			t.Errorf("%s: %s %v, want %s", name, got.Kind, got.Problems, want)
		}
	}
}

func TestWalk(t *testing.T) {
	root := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret.csv")
	put := func(name, text string) {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(outside, []byte("a,b\n1,2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	put("mission.yaml", "name: SYNTHETIC\n")
	put("README.md", "passed over")
	put(".hidden/x.csv", "a,b\n1,2\n")
	put("gas/b.csv", "a,b\n1,2\n")
	put("gas/a.csv", "a,b\n1,2\n")
	put("unknown.bin", "\x80\x81\x00\x02")
	for _, l := range [][2]string{{outside, "out.csv"}, {"gas/a.csv", "in.csv"}, {"gas", "loop"}} {
		if err := os.Symlink(l[0], filepath.Join(root, l[1])); err != nil {
			t.Skip("no links here: ", err)
		}
	}
	var got []string
	err := intake.Walk(context.Background(), root, func(f intake.File) error {
		got = append(got, fmt.Sprintf("%s %s %v %.8s", f.Path, f.Kind, f.Partial, f.SHA256))
		return nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{ // as sha256sum says
		"gas/a.csv table false 492d5ea4", "gas/b.csv table false 492d5ea4", "in.csv table false 492d5ea4", "loop unknown true ",
		"mission.yaml mission false 7989b279", "out.csv unknown true ", "unknown.bin unknown true 37b7304f",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestWalkEndsWhenTold(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := intake.Walk(ctx, t.TempDir(), func(intake.File) error { return nil }, nil); err != context.Canceled {
		t.Error(err)
	}
}

// endless is a file of any size that repeats one text.
type endless struct{ text []byte }

func (e endless) ReadAt(p []byte, at int64) (int, error) {
	for i := range p {
		p[i] = e.text[(at+int64(i))%int64(len(e.text))]
	}
	return len(p), nil
}

// A huge file costs bounded memory, whatever it pretends to be.
func TestBoundedMemory(t *testing.T) {
	const size = 96 << 20 // enough to tell "all of it" from the bound of 64 MB
	for name, text := range map[string]string{"one line": "x", "one JSON string": `"x`, "nested lists": "[", "one XML text": "<a>xx", "one quoted field": "\"a,b,c\n", "zeros": "\x00"} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			got := intake.Recognise(endless{[]byte(text)}, size, "huge", nil)
			runtime.ReadMemStats(&after)
			if held := after.HeapSys - min(before.HeapSys, after.HeapSys); held > 256<<20 {
				t.Errorf("%s: %d MB more memory (%v)", got.Kind, held>>20, got.Summary)
			}
		})
	}
}

func FuzzRecognise(f *testing.F) {
	for _, s := range []string{"t_s,x_m,y_m,z_m,ch4_ppm\n0,1,2,3,4\n", `{"type":"FeatureCollection","features":[{}]}`, "<kml><Placemark/></kml>", "NITF02.10",
		"\x06\x0e\x2b\x34\x02\x0b\x01\x01\x0e\x01\x03\x01\x01\x00\x00\x00\x04\x01\x02\x00\x00", "II*\x00\x08\x00\x00\x00\x01\x00", "ENVI\nsamples = {\n", "*8D4840D6202CC371C32CE0576098;\n",
		"36,25,-0- ,\"Havana\",\"Cuba\",-0- \n", "\xff\xfea\x00,\x00b\x00"} {
		f.Add("data", []byte(s))
	}
	f.Add("a.kmz", zipped("doc.kml"))
	f.Add("mission.yaml", []byte("name: a\n"))
	known := map[intake.Kind]bool{}
	for _, k := range intake.Kinds {
		known[k] = true
	}
	dir := fstest.MapFS{"a.hdr": {Data: []byte(envi)}}
	storm.Fuzz(f, func(t testing.TB, name string, b []byte) {
		got := recognise(name, b, dir)
		if !known[got.Kind] || got.Bytes != int64(len(b)) || got.Kind == intake.Unknown && !got.Partial {
			t.Fatalf("%+v", got)
		}
		for _, p := range got.Problems {
			if p.What == "" || strings.ContainsAny(p.At+p.What, "\r\n") {
				t.Fatalf("%+v", p)
			}
		}
	})
}

// Layers of ground are counted by their kinds; GeoJSON of anything else is nothing to talk about.
func TestLayersAreCountedAndOtherGeoJSONIsLeftAlone(t *testing.T) {
	layer := recognise("a.geojson", []byte(`{"type":"FeatureCollection","features":[{"properties":{"kind":"town"},"geometry":{"type":"Point","coordinates":[1,2]}},{"properties":{"kind":"pier"}}]}`), nil)
	if layer.Kind != intake.GeoJSON || layer.Partial || len(layer.Problems) != 1 || fmt.Sprint(layer.Summary["ground"]) != "map[town:1]" {
		t.Errorf("%+v", layer)
	}
	other := recognise("a.geojson", []byte(`{"type":"FeatureCollection","features":[{"properties":{"kind":"pier"}},{"properties":{"name":7}}]}`), nil)
	if other.Kind != intake.GeoJSON || other.Partial || len(other.Problems) > 0 || other.Summary["ground"] != nil || other.Summary["features"] != 2 {
		t.Errorf("%+v", other)
	}
}
