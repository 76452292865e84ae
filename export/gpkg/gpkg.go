// Package gpkg writes a released place as a GeoPackage 1.3 (OGC 12-128r17), which is an SQLite database. It is made from the GeoJSON of the package alone,
// which is sanitised: nothing else of the record comes here. The database is made afresh in memory, so that it has no free pages in which something could
// be left; the same GeoJSON gives the same bytes.
package gpkg

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/serdes"

	"github.com/atalaya-isr/atalaya/product"
)

// Form is the GeoPackage as a file of a package.
func Form() product.Form {
	return product.Form{Name: "lead.gpkg", MediaType: "application/geopackage+sqlite3", From: Encode}
}

// lead is what is read of the GeoJSON.
type lead struct {
	Schema, Marking, Reference string
	BBox                       [4]float64
	Features                   []feature
}

type feature struct {
	ID       string
	Geometry struct {
		Type        string
		Coordinates json.RawMessage
	}
	Properties map[string]any
}

// A table is a feature table: features of one role, with the columns that they have.
type table struct {
	name, geometry, about string
	columns               []column
	role                  string
}

type column struct{ name, kind string }

// tables are the feature tables, with what of the GeoJSON's properties is a column; lists and objects are JSON text.
var tables = []table{
	{"lead_regions", "MULTIPOLYGON", "regions that hold the place with at least this probability", []column{{"probability_at_least", "REAL"}, {"name_es", "TEXT"}, {"name_en", "TEXT"}, {"marking", "TEXT"}}, "region"},
	{"lead", "POINT", "centre of the place", []column{{"reference", "TEXT"}, {"name_es", "TEXT"}, {"name_en", "TEXT"}, {"marking", "TEXT"}, {"synthetic", "BOOLEAN"}, {"probability", "TEXT"}, {"calibrated", "BOOLEAN"},
		{"word_es", "TEXT"}, {"word_en", "TEXT"}, {"error_p50_m", "REAL"}, {"as_of", "DATE"}, {"released", "DATE"}, {"expires", "DATE"}, {"rate_kg_s", "TEXT"}, {"evidence", "TEXT"}, {"alternatives", "TEXT"}, {"unknown", "TEXT"}}, "centre"},
}

const (
	applicationID = 0x47504B47 // "GPKG", OGC 12-128r17 requirement 2
	version       = 10300
	wgs84         = 4326
)

// wgs84Definition is the system in well-known text (EPSG 4326).
const wgs84Definition = `GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],` +
	`PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]]`

// Encode writes the GeoPackage of a package's GeoJSON (atalaya.lead/1).
func Encode(geojson []byte) ([]byte, error) {
	var l lead
	if err := json.Unmarshal(geojson, &l); err != nil {
		return nil, fmt.Errorf("gpkg: %w", err)
	}
	if l.Schema != "atalaya.lead/1" {
		return nil, fmt.Errorf("gpkg: %.40q is not the GeoJSON of a package", l.Schema)
	}
	db, err := sqlite3.Open(":memory:")
	if err != nil {
		return nil, fmt.Errorf("gpkg: %w", err)
	}
	defer db.Close()
	if err := l.write(db); err != nil {
		return nil, fmt.Errorf("gpkg: %w", err)
	}
	b, err := serdes.Serialize(db, "main")
	if err != nil {
		return nil, fmt.Errorf("gpkg: %w", err)
	}
	return b, nil
}

func (l *lead) write(db *sqlite3.Conn) error {
	err := db.Exec(fmt.Sprintf(`PRAGMA application_id = %d; PRAGMA user_version = %d;
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL, organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE, description TEXT DEFAULT '',
 last_change DATETIME NOT NULL DEFAULT (strftime('%%Y-%%m-%%dT%%H:%%M:%%fZ','now')), min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
 CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
 CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name), CONSTRAINT uk_gc_table_name UNIQUE (table_name),
 CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name), CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));`, applicationID, version))
	if err != nil {
		return err
	}
	for _, s := range []struct {
		name         string
		id           int
		organisation string
		definition   string
		about        string
	}{{"Undefined Cartesian", -1, "NONE", "undefined", "undefined Cartesian coordinate reference system"}, {"Undefined Geographic", 0, "NONE", "undefined", "undefined geographic coordinate reference system"},
		{"WGS 84 geodetic", wgs84, "EPSG", wgs84Definition, "longitude and latitude in decimal degrees on WGS 84"}} {
		if err := insert(db, "gpkg_spatial_ref_sys", s.name, s.id, s.organisation, s.id, s.definition, s.about); err != nil {
			return err
		}
	}
	for _, t := range tables {
		if err := l.writeTable(db, t); err != nil {
			return err
		}
	}
	return nil
}

func (l *lead) writeTable(db *sqlite3.Conn, t table) error {
	var columns strings.Builder
	for _, c := range t.columns {
		fmt.Fprintf(&columns, ", %s %s", c.name, c.kind)
	}
	if err := db.Exec(fmt.Sprintf("CREATE TABLE %s (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom %s%s)", t.name, t.geometry, columns.String())); err != nil {
		return err
	}
	changed := ""
	n := 0
	for _, f := range l.Features {
		if day, ok := f.Properties["released"].(string); ok {
			changed = day + "T00:00:00.000Z" // times of day do not leave
		}
		if f.Properties["role"] != t.role {
			continue
		}
		n++
		shape, err := geometry(f.Geometry.Type, f.Geometry.Coordinates)
		if err != nil {
			return fmt.Errorf("%s: %w", f.ID, err)
		}
		values := []any{n, shape}
		for _, c := range t.columns {
			values = append(values, f.Properties[c.name])
		}
		if err := insert(db, t.name, values...); err != nil {
			return err
		}
	}
	if n == 0 || changed == "" {
		return errors.New("the GeoJSON of a package has regions and a centre with the day of its release")
	}
	// The banner stands in the names, because viewers drop descriptions.
	if err := insert(db, "gpkg_contents", t.name, "features", l.Marking+" — "+l.Reference+" "+t.name, l.Marking+". "+t.about, changed, l.BBox[0], l.BBox[1], l.BBox[2], l.BBox[3], wgs84); err != nil {
		return err
	}
	return insert(db, "gpkg_geometry_columns", t.name, "geom", t.geometry, wgs84, 0, 0)
}

// insert adds a row of all columns.
func insert(db *sqlite3.Conn, table string, values ...any) error {
	s, _, err := db.Prepare("INSERT INTO " + table + " VALUES (?" + strings.Repeat(",?", len(values)-1) + ")")
	if err != nil {
		return err
	}
	defer s.Close()
	for i, v := range values {
		switch v := v.(type) {
		case nil:
			err = s.BindNull(i + 1)
		case int:
			err = s.BindInt(i+1, v)
		case bool:
			err = s.BindBool(i+1, v)
		case float64:
			err = s.BindFloat(i+1, v)
		case string:
			err = s.BindText(i+1, v)
		case []byte:
			err = s.BindBlob(i+1, v)
		default:
			var b []byte
			if b, err = json.Marshal(v); err == nil {
				err = s.BindText(i+1, string(b))
			}
		}
		if err != nil {
			return err
		}
	}
	return s.Exec()
}

// geometry is the binary form of a point, or of polygons as one multipolygon: the header of GeoPackage (OGC 12-128r17, 2.1.3.1), then well-known
// binary (OGC 06-103r4, 8.2), all little endian.
func geometry(kind string, raw json.RawMessage) ([]byte, error) {
	var parts [][][][2]float64
	switch kind {
	case "Point":
		var p [2]float64
		if err := json.Unmarshal(raw, &p); err != nil {
			return nil, err
		}
		b := head(0x01) // little endian, no envelope
		return number(number(order(b, 1), p[0]), p[1]), nil
	case "Polygon":
		parts = make([][][][2]float64, 1)
		if err := json.Unmarshal(raw, &parts[0]); err != nil {
			return nil, err
		}
	case "MultiPolygon":
		if err := json.Unmarshal(raw, &parts); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("%.20q is no geometry of a package", kind)
	}
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, polygon := range parts {
		for _, ring := range polygon {
			for _, p := range ring {
				lo, hi = [2]float64{min(lo[0], p[0]), min(lo[1], p[1])}, [2]float64{max(hi[0], p[0]), max(hi[1], p[1])}
			}
		}
	}
	b := head(0x03) // little endian, an envelope of two axes
	for axis := range 2 {
		b = number(number(b, lo[axis]), hi[axis])
	}
	b = binary.LittleEndian.AppendUint32(order(b, 6), uint32(len(parts)))
	for _, polygon := range parts {
		b = binary.LittleEndian.AppendUint32(order(b, 3), uint32(len(polygon)))
		for _, ring := range polygon {
			b = binary.LittleEndian.AppendUint32(b, uint32(len(ring)))
			for _, p := range ring {
				b = number(number(b, p[0]), p[1])
			}
		}
	}
	return b, nil
}

func head(flags byte) []byte {
	return binary.LittleEndian.AppendUint32([]byte{'G', 'P', 0, flags}, wgs84)
}

// order begins a geometry of well-known binary.
func order(b []byte, kind uint32) []byte { return binary.LittleEndian.AppendUint32(append(b, 1), kind) }

func number(b []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
}
