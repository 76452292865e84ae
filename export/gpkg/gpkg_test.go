package gpkg_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/serdes"
	_ "github.com/ncruces/go-sqlite3/vfs"

	"github.com/atalaya-isr/atalaya/export/gpkg"
	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/product"
	"github.com/atalaya-isr/atalaya/review/reviewtest"
)

func made(t *testing.T) (file, geojson []byte) {
	t.Helper()
	p, err := product.Build(reviewtest.Released(), product.Options{Key: []byte("SYNTHETIC key of sixteen bytes"), Made: reviewtest.Day}, gpkg.Form())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range p.Files {
		switch f.Name {
		case "lead.gpkg":
			file = f.Bytes
		case "lead.geojson":
			geojson = f.Bytes
		}
	}
	return file, geojson
}

// rows are the rows of a query as text, columns with a stroke between.
func rows(t *testing.T, file []byte, query string) (out []string) {
	t.Helper()
	db, err := sqlite3.Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := serdes.Deserialize(db, "main", file); err != nil {
		t.Fatal(err)
	}
	s, _, err := db.Prepare(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer s.Close()
	for s.Step() {
		var cells []string
		for i := range s.ColumnCount() {
			cells = append(cells, s.ColumnText(i))
		}
		out = append(out, strings.Join(cells, "|"))
	}
	if err := s.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return out
}

func TestTheFileIsAGeoPackage(t *testing.T) {
	file, geojson := made(t)
	if string(file[:16]) != "SQLite format 3\x00" || string(file[68:72]) != "GPKG" || binary.BigEndian.Uint32(file[60:64]) != 10300 {
		t.Errorf("the header says %q, %q, %d", file[:16], file[68:72], binary.BigEndian.Uint32(file[60:64]))
	}
	for query, want := range map[string]string{
		"PRAGMA integrity_check":    "ok",
		"PRAGMA freelist_count":     "0",
		"PRAGMA foreign_key_check":  "",
		"SELECT count(*) FROM lead": "1",
		"SELECT count(*) FROM lead_regions WHERE marking = 'UNCLASSIFIED//SYNTHETIC'":                                                                  "3",
		"SELECT group_concat(srs_id, ' ') FROM (SELECT srs_id FROM gpkg_spatial_ref_sys ORDER BY srs_id)":                                              "-1 0 4326",
		"SELECT group_concat(table_name, ' ') FROM (SELECT * FROM gpkg_contents WHERE identifier LIKE 'UNCLASSIFIED//SYNTHETIC%' ORDER BY table_name)": "lead lead_regions",
		"SELECT geometry_type_name, srs_id, z, m FROM gpkg_geometry_columns WHERE table_name = 'lead'":                                                 "POINT|4326|0|0",
		"SELECT word_es IS NOT NULL, synthetic, json_valid(evidence), json_valid(unknown) FROM lead":                                                   "1|1|1|1",
		"SELECT last_change FROM gpkg_contents WHERE table_name = 'lead'":                                                                              "2026-03-14T00:00:00.000Z",
	} {
		if got := strings.Join(rows(t, file, query), "\n"); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	again, err := gpkg.Encode(geojson)
	if err != nil || !bytes.Equal(again, file) {
		t.Errorf("the same GeoJSON gives other bytes: %v", err)
	}
	if len(file) > 200_000 {
		t.Errorf("%d bytes", len(file))
	}
}

// The point of the file is that of the GeoJSON, and each region's envelope holds it.
func TestGeometryIsThatOfTheGeoJSON(t *testing.T) {
	file, geojson := made(t)
	point := []byte(rows(t, file, "SELECT hex(geom) FROM lead")[0])
	float := func(hexed []byte, at int) float64 {
		var b [8]byte
		for i := range b {
			b[i] = unhex(hexed[2*(at+i)])<<4 | unhex(hexed[2*(at+i)+1])
		}
		return math.Float64frombits(binary.LittleEndian.Uint64(b[:]))
	}
	lon, lat := float(point, 13), float(point, 21)
	text := rows(t, file, "SELECT min_x, max_x, min_y, max_y FROM gpkg_contents WHERE table_name = 'lead'")[0]
	if !(lon < -100 && lat > 20) || text == "" || !bytes.Contains(geojson, []byte("Point")) {
		t.Errorf("at %g, %g in %s", lon, lat, text)
	}
	for _, g := range rows(t, file, "SELECT hex(geom) FROM lead_regions") {
		b := []byte(g)
		if x0, x1, y0, y1 := float(b, 8), float(b, 16), float(b, 24), float(b, 32); !(x0 < lon && lon < x1 && y0 < lat && lat < y1) {
			t.Errorf("the centre %g, %g is not within %g to %g, %g to %g", lon, lat, x0, x1, y0, y1)
		}
	}
}

func unhex(c byte) byte { return byte(strings.IndexByte("0123456789ABCDEF", c)) }

func TestOnlyThePackagesGeoJSONIsTaken(t *testing.T) {
	_, geojson := made(t)
	for _, bad := range []string{"", "{}", `{"schema":"atalaya.lead/1"}`, strings.Replace(string(geojson), `"Polygon"`, `"Curve"`, 1), strings.Replace(string(geojson), `"role": "region"`, `"role": "x"`, 3)} {
		if b, err := gpkg.Encode([]byte(bad)); err == nil {
			t.Errorf("%.60q gives %d bytes", bad, len(b))
		}
	}
}

// What the program of the field's own library says of it, where it is installed.
func TestOgrinfoReadsItWithoutAWarning(t *testing.T) {
	program, err := exec.LookPath("ogrinfo")
	if err != nil {
		t.Skip("ogrinfo is not installed: the file was not read by it")
	}
	file, _ := made(t)
	path := filepath.Join(t.TempDir(), "lead.gpkg")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, "-ro", "-al", path).CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("Warning")) || !bytes.Contains(out, []byte("MULTIPOLYGON")) {
		t.Errorf("%v: %s", err, out)
	}
}

// The tables are those of good files, and have the columns that these have.
func TestTablesAreThoseOfGoodFiles(t *testing.T) {
	raw, err := os.ReadFile(fixture.Shared(t, "release/gpkg/gdal_sample_v1.2_no_extensions.gpkg"))
	if err != nil {
		t.Fatal(err)
	}
	file, _ := made(t)
	for _, table := range []string{"gpkg_spatial_ref_sys", "gpkg_contents", "gpkg_geometry_columns"} {
		columns := func(of []byte) []string {
			return rows(t, of, "SELECT name, upper(type), \"notnull\", pk FROM pragma_table_info('"+table+"')")
		}
		if a, b := columns(raw), columns(file); len(a) == 0 || !slices.Equal(a, b) {
			t.Errorf("%s: %q, want %q", table, b, a)
		}
	}
}
