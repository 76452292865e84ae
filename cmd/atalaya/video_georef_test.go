package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/sense/klv"
)

// flatDTED is a level-0 cell at 24 N 108 W whose ground lies height metres above the sea everywhere. SYNTHETIC.
func flatDTED(height uint16) []byte {
	const n = 121
	b := fmt.Appendf(nil, "%-80s", fmt.Sprintf("UHL1%s%s03000300%s%-12s%04d%04d0", "1080000W", "0240000N", "0010U  ", "SYNTHETIC", n, n))
	dsi := fmt.Appendf(nil, "%-648s", "DSIU")
	copy(dsi[141:], "E96WGS84")
	b = append(append(b, dsi...), fmt.Sprintf("%-2700s", "ACC00200010")...)
	for c := range n {
		rec := []byte{0xaa, 0, 0, 0, 0, byte(c), 0, 0}
		for range n {
			rec = binary.BigEndian.AppendUint16(rec, height)
		}
		sum := uint32(0)
		for _, x := range rec {
			sum += uint32(x)
		}
		b = append(b, binary.BigEndian.AppendUint32(rec, sum)...)
	}
	return b
}

// flatGTX is a geoid that lies n metres above the ellipsoid everywhere. SYNTHETIC.
func flatGTX(n float32) (b []byte) {
	for _, v := range []float64{-90, -180, 10, 10} {
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(v))
	}
	b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, 19), 36)
	for range 19 * 36 {
		b = binary.BigEndian.AppendUint32(b, math.Float32bits(n))
	}
	return b
}

// A camera 1 km above the sea looks 45 degrees down over ground at 100 m above the sea, with a geoid at -30 m. SYNTHETIC.
func TestVideoGeoref(t *testing.T) {
	var flight []byte
	for i := range 3 {
		p, err := klv.Encode0601(klv.Time(2, time.Date(2026, 5, 4, 12, 0, i, 0, time.UTC)), klv.TextOf(3, "SYNTHETIC"),
			klv.Number(13, 24.5+0.001*float64(i)), klv.Number(14, -107.4), klv.Number(15, 1000), klv.Number(25, 100), klv.Number(5, 0), klv.Number(6, 0),
			klv.Number(7, 0), klv.Number(18, 0), klv.Number(19, -45), klv.Number(16, 10), klv.Number(17, 8))
		if err != nil {
			t.Fatal(err)
		}
		flight = append(flight, p...)
	}
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file, dted, gtx := write("flight.klv", flight), write("n24.dt0", flatDTED(100)), write("SYNTHETIC.gtx", flatGTX(-30))
	damaged := write("damaged.dt0", append(bytes.Clone(flatDTED(100)[:3428+70*254+20]), flatDTED(101)[3428+70*254+20:]...))

	type place struct {
		Lat float64
		HAE *float64 `json:"height_hae_m"`
		MSL *float64 `json:"height_msl_m"`
	}
	type line struct {
		Age    *float64 `json:"age_s"`
		Center *struct {
			place
			Ground, Method string
		} `json:"frame_center"`
		Pixels []struct {
			place
			Why     string
			Ellipse *struct {
				Major float64 `json:"major_m"`
			} `json:"ellipse95"`
		}
		Checks struct {
			Spread *float64 `json:"height_datum_spread_m"`
		}
	}
	first := func(args ...string) (l line, lines int) {
		t.Helper()
		code, out, talk := videoRun(append([]string{"georef", file}, args...)...)
		if code != 0 {
			t.Fatalf("%v: exit %d, %s", args, code, talk)
		}
		if err := json.Unmarshal([]byte(out[:strings.IndexByte(out, '\n')]), &l); err != nil {
			t.Fatal(err)
		}
		return l, strings.Count(out, "\n")
	}
	plain, _ := first()
	if plain.Center.HAE != nil || plain.Center.MSL == nil || math.Abs(*plain.Center.MSL-100) > 0.2 || plain.Center.Ground != "frame center height" || plain.Checks.Spread != nil {
		t.Errorf("plain: %+v", plain.Center)
	}
	on, _ := first("--terrain", dted, "--geoid", gtx)
	if on.Center.HAE == nil || on.Center.MSL == nil || math.Abs(*on.Center.HAE-70) > 0.01 || math.Abs(*on.Center.MSL-100) > 0.01 || on.Center.Ground != dted || on.Checks.Spread == nil || math.Abs(*on.Checks.Spread-30) > 0.5 {
		t.Errorf("terrain and geoid: %+v, spread %v", on.Center, on.Checks.Spread)
	}
	if hae, _ := first("--terrain", dted, "--geoid", gtx, "--datum", "hae"); math.Abs((hae.Center.Lat-on.Center.Lat)*111e3-30) > 0.5 {
		t.Errorf("--datum hae: %.6f, as named %.6f: want 30 m between them", hae.Center.Lat, on.Center.Lat)
	}
	if px, _ := first("--pixel", "640,360", "--pixel", "0,0", "--frame", "1280x720"); len(px.Pixels) != 2 || math.Abs(px.Pixels[0].Lat-px.Center.Lat) > 1e-9 || px.Pixels[1].Lat <= px.Center.Lat || px.Pixels[1].Ellipse == nil {
		t.Errorf("pixels: %+v", px.Pixels)
	}
	if at, n := first("--rate", "10"); n != 21 || at.Age == nil {
		t.Errorf("--rate 10 over 2 s gives %d lines, age %v", n, at.Age)
	}
	code, out, _ := videoRun("georef", file, "--format", "geojson")
	var collection struct {
		Type     string
		Features []struct{ Geometry struct{ Type string } }
	}
	if err := json.Unmarshal([]byte(out), &collection); code != 0 || err != nil || collection.Type != "FeatureCollection" || len(collection.Features) != 6 || collection.Features[0].Geometry.Type != "Polygon" {
		t.Errorf("geojson: exit %d, %v, %+v", code, err, collection)
	}
	if code, out, talk := videoRun("georef", file, "--terrain", damaged); code != 3 || strings.Count(out, "\n") != 3 || !strings.Contains(talk, "column 70: its checksum") {
		t.Errorf("damaged terrain: exit %d, %q", code, talk)
	}
	for want, args := range map[string][]string{
		"--frame 1280x720":            {"--pixel", "1,1"},
		"as-named, hae or msl":        {"--datum", "geoid"},
		"jsonl or geojson":            {"--format", "kml"},
		"as 640,360":                  {"--pixel", "middle"},
		"as 1280x720":                 {"--frame", "720p"},
		"-1 to 1 s":                   {"--attitude-lag", "7"},
		"0 to 1000":                   {"--rate", "-1"},
		"none.dt2":                    {"--terrain", filepath.Join(dir, "none.dt2")},
		"neither DTED":                {"--terrain", file},
		"no GTX geoid":                {"--geoid", file},
		"a number from 0 on":          {"--heading-sigma", "-1"},
		"Give as-named, hae or msl. ": {"--terrain", dted, "--terrain-datum", "up"},
	} {
		code, out, talk := videoRun(append([]string{"georef", file}, args...)...)
		if code != 1 || out != "" || !strings.Contains(talk+" ", want) || strings.Contains(strings.TrimSpace(talk), "\n") {
			t.Errorf("%v: exit %d, %q, %q", args, code, out, talk)
		}
	}
}

func TestVideoGeorefResiduals(t *testing.T) {
	code, out, talk := videoRun("georef", fixture.Shared(t, "video/osh-first-75.ts"), "--residuals")
	if code != 0 || !strings.Contains(out, "ray to reported frame center, m") || !strings.Contains(out, "reported width over field of view's               75      1.000") {
		t.Errorf("exit %d, %s%s", code, out, talk)
	}
}
