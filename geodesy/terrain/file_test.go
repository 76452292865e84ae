package terrain

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/internal/storm"
)

// hill is smooth ground around 24.5 N, 107.5 W: heights from 100 to 700 m that bend by less than 600·(2π/0.5°)² a square degree.
func hill(p geodesy.LatLon) float64 {
	return 400 + 300*math.Sin((p.Lat-24)*4*math.Pi)*math.Cos((p.Lon+107)*4*math.Pi)
}

// bend bounds what bilinear interpolation of hill between posts step degrees apart is off by: an eighth of the second
// derivative, in each axis, times the step squared.
func bend(step float64) float64 { return 2 * 300 * math.Pow(4*math.Pi, 2) * step * step / 8 }

func openBytes(t testing.TB, b []byte) File {
	t.Helper()
	f, err := Open(bytes.NewReader(b), int64(len(b)), "made.dem")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestDTEDGivesTheGround(t *testing.T) {
	f := openBytes(t, dtedOf(24, -108, 300, 121, func(p geodesy.LatLon) int { return int(math.Round(hill(p))) }))
	for i := range 500 {
		p := geodesy.LatLon{Lat: 24 + math.Mod(float64(i)*0.618034, 1), Lon: -108 + math.Mod(float64(i)*0.414214, 1)}
		g, ok := f.At(p)
		// rounding to metres, and what lies between posts
		if want := hill(p); !ok || math.Abs(g.HeightM-want) > 0.5+bend(1.0/120) || g.Datum != EGM96 || math.Abs(g.SigmaM-16/le90) > 1e-9 || g.Source != "made.dem" {
			t.Fatalf("%v: %+v %v, want %g", p, g, ok, want)
		}
	}
	for _, p := range []geodesy.LatLon{{Lat: 23.99, Lon: -107.5}, {Lat: 24.5, Lon: -106.9}, {Lat: 24.5, Lon: 72}} {
		if g, ok := f.At(p); ok {
			t.Errorf("ground outside the cell at %v: %+v", p, g)
		}
	}
	for _, p := range []geodesy.LatLon{{Lat: 24, Lon: -108}, {Lat: 25, Lon: -107}} { // the corners belong to it
		if _, ok := f.At(p); !ok {
			t.Errorf("no ground on the corner %v", p)
		}
	}
	if len(f.Problems()) > 0 {
		t.Error(f.Problems())
	}
}

func TestDTEDBelowTheSeaVoidsAndDamage(t *testing.T) {
	b := dtedOf(24, -108, 300, 121, func(p geodesy.LatLon) int { return -123 })
	binary.BigEndian.PutUint16(b[dtedData+12*(8+242+4)+8+2*30:], 0xffff) // a void at column 12, row 30, its checksum not mended
	for name, c := range map[string]struct {
		mend    bool
		problem bool
		ok      bool
	}{"void": {true, false, true}, "stale checksum": {false, true, false}} {
		d := bytes.Clone(b)
		if c.mend {
			rec := d[dtedData+12*254 : dtedData+13*254]
			var sum uint32
			for _, x := range rec[:250] {
				sum += uint32(x)
			}
			binary.BigEndian.PutUint32(rec[250:], sum)
		}
		f := openBytes(t, d)
		g, ok := f.At(geodesy.LatLon{Lat: 24 + 30.4/120, Lon: -108 + 11.6/120}) // beside the void: three posts are left
		if ok != c.ok || ok && (g.HeightM != -123 || g.SigmaM != 2*16/le90) {
			t.Errorf("%s: %+v, %v", name, g, ok)
		}
		if p := f.Problems(); (len(p) > 0) != c.problem || c.problem && !strings.Contains(p[0], "column 12") {
			t.Errorf("%s: problems %v", name, p)
		}
	}
}

var geoPlan = tiffPlan{order: binary.LittleEndian, rows: 130, cols: 150, tall: 16, bits: 32, format: samplesFloat, compression: compressNone,
	keys: []uint16{keyModel, modelGeodetic, keyRaster, 1, keyGeographic, epsgWGS84, keyVertical, epsgEGM2008}, scale: []float64{0.005, 0.005, 0}, tie: []float64{0, 0, 0, -107.9, 24.9, 0}}

// Every way of writing the same heights gives the same ground.
func TestGeoTIFFInEveryForm(t *testing.T) {
	n := 0
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, big := range []bool{false, true} {
			for _, tile := range []int{0, 32} {
				for _, compression := range []uint64{compressNone, compressLZW, compressDeflate, compressOldZip, compressPackBits} {
					for _, s := range []struct {
						bits      int
						format    uint64
						predictor uint64
					}{{16, samplesSigned, 1}, {16, samplesSigned, 2}, {16, samplesUnsigned, 2}, {32, samplesSigned, 2}, {32, samplesUnsigned, 1}, {32, samplesFloat, 1}, {32, samplesFloat, 2}, {32, samplesFloat, 3}, {64, samplesFloat, 1}, {64, samplesFloat, 3}} {
						p := geoPlan
						p.rows, p.cols = 50, 70
						p.order, p.big, p.wide, p.compression, p.bits, p.format, p.predictor = order, big, tile, compression, s.bits, s.format, s.predictor
						if tile > 0 {
							p.tall = 48
						}
						name := fmt.Sprintf("%v big %v tile %d compression %d bits %d format %d predictor %d", order, big, tile, compression, s.bits, s.format, s.predictor)
						at := func(r, c int) geodesy.LatLon {
							return geodesy.LatLon{Lat: 24.9 - 0.005*(float64(r)+0.5), Lon: -107.9 + 0.005*(float64(c)+0.5)}
						}
						f := openBytes(t, p.write(func(r, c int) float64 { return hill(at(r, c)) }))
						for i := range 16 {
							q := at(i*3, 68-i*4)
							q.Lat, q.Lon = q.Lat-0.001, q.Lon-0.002
							// whole numbers were cut off
							if g, ok := f.At(q); !ok || math.Abs(g.HeightM-hill(q)+0.5*bit(s.format != samplesFloat)) > bend(0.005)+0.5*bit(s.format != samplesFloat) || g.Datum != EGM2008 {
								t.Fatalf("%s: at %v %+v %v, want %g; %v", name, q, g, ok, hill(q), f.Problems())
							}
						}
						n++
					}
				}
			}
		}
	}
	t.Logf("%d forms", n)
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func TestGeoTIFFPlacing(t *testing.T) {
	area := geodesy.LatLon{Lat: 24.9 - 0.005*10.5, Lon: -107.9 + 0.005*20.5} // of the pixel (10, 20)
	peak := func(r, c int) float64 { return 1000 * bit(r == 10 && c == 20) }
	utm := geodesy.UTM{Zone: 13, EastingM: 300000 + 30*20, NorthingM: 2700000 - 30*10}
	south := geodesy.UTM{Zone: 33, South: true, EastingM: 300000 + 30*20, NorthingM: 7700000 - 30*10}
	for name, c := range map[string]struct {
		change func(*tiffPlan)
		at     geodesy.LatLon
		datum  Datum
	}{
		"pixels are areas":   {func(*tiffPlan) {}, area, EGM2008},
		"pixels are points":  {func(p *tiffPlan) { p.keys[3] = rasterIsPoint }, geodesy.LatLon{Lat: 24.85, Lon: -107.8}, EGM2008},
		"a tie point within": {func(p *tiffPlan) { p.tie = []float64{10, 10, 0, -107.85, 24.85, 0} }, area, EGM2008},
		"a transformation": {func(p *tiffPlan) {
			p.scale, p.tie = nil, nil
			p.transform = []float64{0.005, 0, 0, -107.9, 0, -0.005, 0, 24.9, 0, 0, 0, 0, 0, 0, 0, 1}
		}, area, EGM2008},
		"heights above the ellipsoid": {func(p *tiffPlan) { p.keys[7] = epsgWGS84in3D }, area, HAE},
		"heights above EGM96":         {func(p *tiffPlan) { p.keys[7] = epsgEGM96 }, area, EGM96},
		"heights of no name":          {func(p *tiffPlan) { p.keys = p.keys[:6] }, area, MSL},
		"longitude to 360":            {func(p *tiffPlan) { p.tie = []float64{0, 0, 0, 252.1, 24.9, 0} }, area, EGM2008},
		"UTM north": {func(p *tiffPlan) {
			p.keys = []uint16{keyModel, modelProjected, keyRaster, rasterIsPoint, keyProjected, 32613}
			p.scale, p.tie = []float64{30, 30, 0}, []float64{0, 0, 0, 300000, 2700000, 0}
		}, utm.LatLon(), MSL},
		"UTM south": {func(p *tiffPlan) {
			p.keys = []uint16{keyModel, modelProjected, keyRaster, rasterIsPoint, keyProjected, 32733}
			p.scale, p.tie = []float64{30, 30, 0}, []float64{0, 0, 0, 300000, 7700000, 0}
		}, south.LatLon(), MSL},
		"UTM, turned by 30 degrees": {func(p *tiffPlan) {
			p.keys = []uint16{keyModel, modelProjected, keyRaster, rasterIsPoint, keyProjected, 32613}
			p.scale, p.tie = nil, nil
			s, c := 30*math.Sin(math.Pi/6), 30*math.Cos(math.Pi/6)
			p.transform = []float64{c, s, 0, utm.EastingM - 20*c - 10*s, s, -c, 0, utm.NorthingM - 20*s + 10*c, 0, 0, 0, 0, 0, 0, 0, 1}
		}, utm.LatLon(), MSL},
	} {
		p := geoPlan
		p.keys = append([]uint16(nil), geoPlan.keys...)
		c.change(&p)
		f := openBytes(t, p.write(peak))
		g, ok := f.At(c.at)
		// A post 0.005° (500 m) from its neighbours falls off by 2 m a metre: a metre of misplacement would show. 1e-9 degrees
		// of rounding, 0.1 mm, do not.
		if !ok || math.Abs(g.HeightM-1000) > 0.1 || g.Datum != c.datum {
			t.Errorf("%s: %+v %v, want 1000 m above %s", name, g, ok, c.datum)
		}
	}
}

func TestGeoTIFFVoids(t *testing.T) {
	p := geoPlan
	p.noData, p.bits, p.format = "-32768", 16, samplesSigned
	f := openBytes(t, p.write(func(r, c int) float64 {
		if r == 10 && c == 20 || r > 100 {
			return -32768
		}
		return float64(3*r + 2*c)
	}))
	at := func(r, c float64) geodesy.LatLon {
		return geodesy.LatLon{Lat: 24.9 - 0.005*(r+0.5), Lon: -107.9 + 0.005*(c+0.5)}
	}
	for _, q := range [][2]float64{{9.5, 19.5}, {9.5, 20.5}, {10.5, 19.5}, {10.5, 20.5}, {10, 20}} { // a plane goes on over one void
		if g, ok := f.At(at(q[0], q[1])); !ok || math.Abs(g.HeightM-3*q[0]-2*q[1]) > 1e-6 || g.SigmaM <= geoTIFFSigmaM {
			t.Errorf("%v: %+v %v", q, g, ok)
		}
	}
	if g, ok := f.At(at(110, 50)); ok {
		t.Errorf("ground in a void: %+v", g)
	}
}

func TestFilesThatAreNoElevation(t *testing.T) {
	bad := func(change func(*tiffPlan)) []byte {
		p := geoPlan
		p.keys = append([]uint16(nil), geoPlan.keys...)
		change(&p)
		return p.write(func(int, int) float64 { return 1 })
	}
	whole := bad(func(*tiffPlan) {})
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"text":              {[]byte("t_s,x_m\n"), "neither DTED"},
		"empty":             {nil, "neither DTED"},
		"a TIFF cut short":  {whole[:len(whole)/2], "directory"},
		"no GeoKeys":        {bad(func(p *tiffPlan) { p.keys = nil }), "model type 0"},
		"another ellipsoid": {bad(func(p *tiffPlan) { p.keys[5] = 4267 }), "4267"},
		"a map of France":   {bad(func(p *tiffPlan) { p.keys = []uint16{keyModel, modelProjected, keyProjected, 2154} }), "2154"},
		"depths":            {bad(func(p *tiffPlan) { p.keys[7] = 5715 }), "5715"},
		"no place":          {bad(func(p *tiffPlan) { p.scale = nil }), "says where it lies"},
		"a headless DTED":   {[]byte("UHL1" + strings.Repeat(" ", 5000)), "headers"},
	} {
		_, err := Open(bytes.NewReader(c.b), int64(len(c.b)), "x.dem")
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "x.dem: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", name, err, c.want)
		}
	}
}

// egm96 is the grid of the PROJ data package, where this machine has it.
func egm96(t testing.TB) *Geoid {
	for _, path := range []string{os.Getenv("ATALAYA_EGM96"), "/usr/share/proj/egm96_15.gtx"} {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		defer f.Close()
		g, err := ReadGTX(f, "egm96_15.gtx")
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	t.Skip("no egm96_15.gtx here (set ATALAYA_EGM96 to name it; Debian's proj-data has it)")
	return nil
}

// Undulations at the test points that NGA publishes with EGM96 (output of program F477); going between posts of 15' leaves a
// metre in rough places.
func TestEGM96AtItsTestPoints(t *testing.T) {
	g := egm96(t)
	for _, c := range [][3]float64{{38.628155, 269.779155, -31.628}, {-14.621217, 305.021114, -2.969}, {46.874319, 102.448729, -43.575}, {-23.617446, 133.874712, 15.871}, {38.625473, 359.9995, 50.066}, {-0.466744, 0.0023, 17.329}} {
		if n := g.Undulation(geodesy.LatLon{Lat: c[0], Lon: geodesy.Wrap180(c[1])}); math.Abs(n-c[2]) > 1 {
			t.Errorf("%v: %.3f m", c, n)
		}
	}
}

// gtxOf writes a geoid in steps of 1 degree. SYNTHETIC.
func gtxOf(n func(lat, lon float64) float64) []byte {
	var b []byte
	for _, v := range []float64{-90, -180, 1, 1} {
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(v))
	}
	b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, 181), 360)
	for lat := -90.0; lat <= 90; lat++ {
		for lon := -180.0; lon < 180; lon++ {
			b = binary.BigEndian.AppendUint32(b, math.Float32bits(float32(n(lat, lon))))
		}
	}
	return b
}

func TestGeoidTurnsSeaIntoEllipsoid(t *testing.T) {
	g, err := ReadGTX(bytes.NewReader(gtxOf(func(lat, lon float64) float64 { return lat/2 - 10*math.Cos(lon*geodesy.RadPerDegree) })), "made.gtx")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []geodesy.LatLon{{Lat: 24.5, Lon: -107.25}, {Lat: -90, Lon: 0}, {Lat: 90, Lon: 180}, {Lat: 0, Lon: 179.5}, {Lat: 0, Lon: -180}} {
		// between posts of 1° a cosine of 10 m is off by 10·(1°)²/8 = 0.4 mm
		if n := g.Undulation(p); math.Abs(n-p.Lat/2+10*math.Cos(p.Lon*geodesy.RadPerDegree)) > 1e-3 {
			t.Errorf("%v: %g", p, n)
		}
	}
	p := geodesy.LatLon{Lat: 24.5, Lon: -107.25}
	for _, c := range []struct {
		in  Datum
		off float64
	}{{HAE, 0}, {EGM96, g.Undulation(p)}, {MSL, g.Undulation(p)}} {
		h, ok := OnEllipsoid(Constant{HeightM: 100, SigmaM: 3, Datum: c.in}, g).At(p)
		if !ok || h.Datum != HAE || math.Abs(h.HeightM-100-c.off) > 1e-9 || (h.SigmaM > 3) != (c.in != HAE) {
			t.Errorf("%s: %+v", c.in, h)
		}
	}
	if h, _ := As(Constant{HeightM: 1, Datum: MSL}, HAE).At(p); h.Datum != HAE {
		t.Errorf("%+v", h)
	}
	for name, b := range map[string][]byte{"empty": nil, "cut short": gtxOf(func(_, _ float64) float64 { return 1 })[:5000], "holes": gtxOf(func(_, _ float64) float64 { return -88.8888 }), "huge": append(bytes.Clone(gtxOf(func(_, _ float64) float64 { return 1 })[:32]), 0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff)} {
		if _, err := ReadGTX(bytes.NewReader(b), "x.gtx"); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A hundred blocks of 4 MB are asked for, one after the other; what is kept stays within blockMemory, and what was thrown away is
// read again.
func TestMemoryOfAGridIsBounded(t *testing.T) {
	reads := 0
	g := &grid{placing: geographic{10, 20, -0.001, 0.001}, rows: 10240, cols: 10240, tall: 1024, wide: 1024, fill: func(i, j int, into []float32) error {
		reads++
		for k := 0; k < len(into); k += 1024 {
			into[k], into[k+1] = float32(i), float32(i)
		}
		return nil
	}}
	look := func(i, j int) {
		p := geodesy.LatLon{Lat: 10 - 0.001*(1024*float64(i)+2.5), Lon: 20 + 0.001*(1024*float64(j)+0.5)}
		if h, ok := g.At(p); !ok || h.HeightM != float64(i) {
			t.Fatalf("block %d, %d: %+v %v", i, j, h, ok)
		}
		if size := 4 * 1024 * 1024 * len(g.blocks); size > blockMemory {
			t.Fatalf("%d MB are kept", size>>20)
		}
	}
	for k := range 100 {
		look(k/10, k%10)
	}
	look(9, 9)
	if look(0, 0); reads != 101 {
		t.Errorf("%d reads, want 100 and one again", reads)
	}
}

func FuzzOpen(f *testing.F) {
	small := geoPlan
	small.rows, small.cols, small.tall = 6, 5, 4
	for _, compression := range []uint64{compressNone, compressLZW, compressDeflate, compressPackBits} {
		small.compression = compression
		f.Add(small.write(func(r, c int) float64 { return float64(r + c) }))
	}
	small.big, small.wide, small.predictor, small.order = true, 16, 3, binary.BigEndian
	f.Add(small.write(func(r, c int) float64 { return float64(r + c) }))
	f.Add(dtedOf(24, -108, 3000, 7, func(geodesy.LatLon) int { return -5 }))
	storm.Fuzz(f, func(t testing.TB, b []byte) {
		m, err := Open(bytes.NewReader(b), int64(len(b)), "fuzz")
		if err != nil {
			return
		}
		for _, p := range []geodesy.LatLon{{Lat: 24.89, Lon: -107.89}, {Lat: 24.885, Lon: -107.88}, {Lat: 24.3, Lon: -107.7}, {Lat: 0, Lon: 0}} {
			g, ok := m.At(p)
			if ok && !(g.HeightM > 3*LowestM-2*HighestM && g.HeightM < 3*HighestM) {
				t.Fatalf("ground at %g m", g.HeightM)
			}
			m.Ceiling(p, 1000)
			m.PostM(p)
		}
	})
}

func FuzzGTX(f *testing.F) {
	f.Add(gtxOf(func(lat, lon float64) float64 { return 1 })[:200])
	f.Add([]byte{})
	storm.Fuzz(f, func(t testing.TB, b []byte) {
		if g, err := ReadGTX(bytes.NewReader(b), "fuzz"); err == nil {
			g.Undulation(geodesy.LatLon{Lat: 1, Lon: 1})
		}
	})
}
