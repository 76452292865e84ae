package terrain

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// geoTIFFSigmaM stands where nothing tells a GeoTIFF's accuracy (no key of the format does): an assumption, of the order that
// global models of 30 m posts keep in open ground. Forest and towns are worse.
const geoTIFFSigmaM = 4.0

// OpenGeoTIFF reads the directory of a GeoTIFF elevation model (OGC 19-008r4), classic or BigTIFF; its strips or tiles are read
// on demand. It takes one sample a pixel (int16, uint16, int32, uint32, float32, float64) on latitude and longitude of WGS 84,
// or on a UTM zone of WGS 84. size is the file's, bytes.
func OpenGeoTIFF(r io.ReaderAt, size int64, name string) (File, error) {
	g, err := openGeoTIFF(r, size, name)
	if err != nil {
		return nil, fmt.Errorf("%s: no GeoTIFF elevation: %w", name, err)
	}
	return g, nil
}

func openGeoTIFF(r io.ReaderAt, size int64, name string) (*grid, error) {
	d, err := readDirectory(r, size)
	if err != nil {
		return nil, err
	}
	t, err := imageOf(d)
	if err != nil {
		return nil, err
	}
	g := &grid{rows: t.rows, cols: t.cols, tall: t.tall, wide: t.wide, fill: t.fill, source: name, sigma: geoTIFFSigmaM}
	k, err := keysOf(d)
	if err != nil {
		return nil, err
	}
	if g.placing, err = k.placing(d, t.rows, t.cols); err != nil {
		return nil, err
	}
	if g.datum, t.metres, err = k.vertical(); err != nil {
		return nil, err
	}
	return g, nil
}

// An image is how the posts of a TIFF file lie in strips or tiles.
type image struct {
	*directory
	rows, cols  int
	tall, wide  int // of a strip or tile, or of a slice of an uncompressed strip
	segment     int // rows of a strip or tile as the file counts them
	tiles       bool
	bytes       int // of a sample
	format      uint64
	compression uint64
	predictor   uint64
	noData      float64
	hasNoData   bool
	metres      float64 // of a unit of height
}

func imageOf(d *directory) (*image, error) {
	t := &image{directory: d, format: d.number(tagSampleFormat, samplesUnsigned), compression: d.number(tagCompression, compressNone),
		predictor: d.number(tagPredictor, 1), metres: 1}
	rows, cols, bits := d.number(tagLength, 0), d.number(tagWidth, 0), d.number(tagBits, 1)
	if rows < 2 || cols < 2 || rows > 1<<20 || cols > 1<<20 {
		return nil, fmt.Errorf("%d rows of %d posts", rows, cols)
	}
	if n := d.number(tagSamples, 1); n != 1 {
		return nil, fmt.Errorf("%d samples a pixel: an elevation model has one", n)
	}
	t.rows, t.cols, t.bytes = int(rows), int(cols), int(bits/8)
	switch {
	case bits == 16 && t.format <= samplesSigned, bits == 32 && t.format <= samplesFloat, bits == 64 && t.format == samplesFloat:
	default:
		return nil, fmt.Errorf("samples of %d bits and format %d: heights are whole numbers of 16 or 32 bits, or floats of 32 or 64", bits, t.format)
	}
	if t.predictor == 3 && t.format != samplesFloat || t.predictor < 1 || t.predictor > 3 {
		return nil, fmt.Errorf("predictor %d with sample format %d", t.predictor, t.format)
	}
	if text := strings.TrimSpace(d.text(tagNoData)); text != "" {
		v, err := strconv.ParseFloat(text, 64)
		t.noData, t.hasNoData = v, err == nil
	}
	return t, t.segments()
}

// segments sets the size of blocks.
func (t *image) segments() error {
	if _, ok := t.fields[tagTileOffsets]; ok {
		t.tiles = true
		w, h := t.number(tagTileWidth, 0), t.number(tagTileLength, 0)
		if w < 1 || h < 1 || w > 1<<16 || h > 1<<16 {
			return fmt.Errorf("tiles of %d by %d posts", w, h)
		}
		t.wide, t.tall, t.segment = int(w), int(h), int(h)
	} else {
		h := min(t.number(tagRowsPerStrip, uint64(t.rows)), uint64(t.rows))
		if h < 1 {
			return errors.New("strips of no rows")
		}
		t.wide, t.tall, t.segment = t.cols, int(h), int(h)
	}
	if !t.tiles && t.compression == compressNone && t.predictor == 1 { // slices of a strip can be read by themselves
		slice := max(1, 1<<20/(t.wide*t.bytes))
		for slice > 1 && t.segment%slice != 0 && slice < t.segment { // that divide it
			slice--
		}
		t.tall = min(t.tall, slice)
	}
	if t.tall*t.wide > maxSegment/max(t.bytes, 4) {
		return fmt.Errorf("strips or tiles of %d by %d posts are too large to be read one by one. Write it again in tiles", t.tall, t.wide)
	}
	return nil
}

// fill reads the block (i, j), by the grid's word on it.
func (t *image) fill(i, j int, into []float32) error {
	offsets, counts := uint16(tagStripOffsets), uint16(tagStripBytes)
	if t.tiles {
		offsets, counts = tagTileOffsets, tagTileBytes
	}
	slice := i * t.tall % t.segment // the first row within the segment
	n := i*t.tall/t.segment*((t.cols+t.wide-1)/t.wide) + j
	at, ok1 := t.value(offsets, n)
	length, ok2 := t.value(counts, n)
	if !ok1 || !ok2 {
		return fmt.Errorf("segment %d is not listed", n)
	}
	if at == 0 && length == 0 { // left out by the writer: nothing but voids
		return nil
	}
	rows := t.tall
	if !t.tiles { // the last strip is cut off at the image's end
		rows = min(rows, t.rows-i*t.tall)
	}
	raw := make([]byte, rows*t.wide*t.bytes)
	if err := t.segmentBytes(raw, int64(at), length, slice); err != nil {
		return fmt.Errorf("segment %d: %w", n, err)
	}
	order, err := unpredict(t.predictor, raw, t.wide, t.bytes, t.order)
	if err != nil {
		return fmt.Errorf("segment %d: %w", n, err)
	}
	t.heights(raw, into, order)
	return nil
}

func (t *image) segmentBytes(raw []byte, at int64, length uint64, slice int) error {
	if t.compression == compressNone {
		return t.read(raw, at+int64(slice*t.wide*t.bytes))
	}
	if length > maxSegment || int64(length) > t.size {
		return fmt.Errorf("%d compressed bytes", length)
	}
	packed := make([]byte, length)
	if err := t.read(packed, at); err != nil {
		return err
	}
	return expand(t.compression, packed, raw)
}

func (t *image) heights(raw []byte, into []float32, order binary.ByteOrder) {
	for k := 0; k*t.bytes < len(raw); k++ {
		v := sample(raw[k*t.bytes:(k+1)*t.bytes], t.format, order)
		if t.hasNoData && (v == t.noData || float32(v) == float32(t.noData)) {
			continue // it stays a void
		}
		into[k] = float32(v * t.metres)
	}
}

// The GeoKeys that are read, and codes of theirs (OGC 19-008r4, annex B; EPSG).
const (
	keyModel       = 1024
	keyRaster      = 1025
	keyGeographic  = 2048
	keyProjected   = 3072
	keyVertical    = 4096
	keyVertUnits   = 4099
	modelProjected = 1
	modelGeodetic  = 2
	rasterIsPoint  = 2
	epsgWGS84      = 4326
	epsgWGS84in3D  = 4979
	epsgUTMNorth   = 32600
	epsgUTMSouth   = 32700
	epsgEGM96      = 5773
	epsgEGM2008    = 3855
	epsgMSLHeight  = 5714
	oldEllipsoidal = 5030 // of GeoTIFF 1.0: "VertCS_WGS_84_ellipsoid"

)

// geoKeys are the keys that hold a short number; others (texts, doubles) are of user-defined systems, which are not read.
type geoKeys map[uint16]uint16

func keysOf(d *directory) (geoKeys, error) {
	k := geoKeys{}
	n, ok := d.value(tagGeoKeys, 3)
	if !ok {
		return nil, errors.New("it has no GeoKeys: nothing says where it lies")
	}
	for i := range int(min(n, 256)) {
		var v [4]uint64
		for j := range v {
			if v[j], ok = d.value(tagGeoKeys, 4+4*i+j); !ok {
				return nil, errors.New("its GeoKeys are cut short")
			}
		}
		if v[1] == 0 {
			k[uint16(v[0])] = uint16(v[3])
		}
	}
	return k, nil
}

// vertical is the datum of heights, and the metres of their unit.
func (k geoKeys) vertical() (Datum, float64, error) {
	metres := 1.0
	switch u := k[keyVertUnits]; u {
	case 0, 9001:
	case 9002:
		metres = 0.3048
	case 9003:
		metres = 1200.0 / 3937
	default:
		return "", 0, fmt.Errorf("heights in units of EPSG %d", u)
	}
	switch v := k[keyVertical]; v {
	case 0, epsgMSLHeight:
		if k[keyGeographic] == epsgWGS84in3D {
			return HAE, metres, nil
		}
		return MSL, metres, nil // by far most models count from the sea where they do not say
	case epsgWGS84in3D, oldEllipsoidal:
		return HAE, metres, nil
	case epsgEGM96:
		return EGM96, metres, nil
	case epsgEGM2008:
		return EGM2008, metres, nil
	default:
		return "", 0, fmt.Errorf("heights of vertical system %d: only those above the ellipsoid, EGM96, EGM2008 or mean sea level are read", v)
	}
}

// placing ties posts to places. A post is the middle of its pixel: of pixels that are areas it lies half a pixel from the
// corner that the tie point names.
func (k geoKeys) placing(d *directory, rows, cols int) (placing, error) {
	m, err := affineOf(d)
	if err != nil {
		return nil, err
	}
	if k[keyRaster] != rasterIsPoint {
		m.x0 += (m.xc + m.xr) / 2
		m.y0 += (m.yc + m.yr) / 2
	}
	switch k[keyModel] {
	case modelGeodetic:
		return m.geographic(k[keyGeographic], rows, cols)
	case modelProjected:
		return m.utm(k[keyProjected])
	}
	return nil, fmt.Errorf("model type %d: only latitude and longitude, or UTM, are read", k[keyModel])
}

// An affine ties the post (col, row) to x = x0 + xc·col + xr·row and y likewise.
type affine struct{ x0, xc, xr, y0, yc, yr float64 }

func affineOf(d *directory) (m affine, err error) {
	scale, tie, full := d.doubles(tagPixelScale, 3), d.doubles(tagTiepoint, 6), d.doubles(tagTransform, 16)
	switch {
	case len(full) == 16:
		m = affine{full[3], full[0], full[1], full[7], full[4], full[5]}
	case len(scale) >= 2 && len(tie) == 6:
		m = affine{tie[3] - tie[0]*scale[0], scale[0], 0, tie[4] + tie[1]*scale[1], 0, -scale[1]}
	default:
		return m, errors.New("neither a pixel scale with a tie point nor a transformation says where it lies")
	}
	if det := m.det(); !(math.Abs(det) > 1e-18) || math.IsInf(det, 0) || math.IsNaN(m.x0+m.y0) || math.IsInf(m.x0+m.y0, 0) {
		return m, errors.New("its posts all lie in one place")
	}
	return m, nil
}

func (m affine) det() float64 { return m.xc*m.yr - m.xr*m.yc }

func (m affine) geographic(epsg uint16, rows, cols int) (placing, error) {
	if epsg != epsgWGS84 && epsg != epsgWGS84in3D {
		return nil, fmt.Errorf("geographic system EPSG %d: only WGS 84 (4326) is read", epsg)
	}
	if m.xr != 0 || m.yc != 0 || m.xc < 0 {
		return nil, errors.New("a grid of latitude and longitude that is turned")
	}
	first, last := m.y0, m.y0+m.yr*float64(rows-1)
	if math.Max(first, last) > 90.01 || math.Min(first, last) < -90.01 || math.Abs(m.x0) > 361 || m.xc*float64(cols-1) > 360.01 {
		return nil, fmt.Errorf("it reaches from latitude %g to %g and over %g degrees of longitude", first, last, m.xc*float64(cols-1))
	}
	return geographic{m.y0, m.x0, m.yr, m.xc}, nil
}

func (m affine) utm(epsg uint16) (placing, error) {
	zone, south := int(epsg)-epsgUTMNorth, false
	if epsg > epsgUTMSouth {
		zone, south = int(epsg)-epsgUTMSouth, true
	}
	if zone < 1 || zone > 60 {
		return nil, fmt.Errorf("projected system EPSG %d: only UTM of WGS 84 (32601 to 32660, 32701 to 32760) is read", epsg)
	}
	return projected{m, zone, south}, nil
}

// projected places posts on a UTM grid.
type projected struct {
	affine
	zone  int
	south bool
}

func (u projected) post(p geodesy.LatLon) (row, col float64, ok bool) {
	if math.Abs(geodesy.Wrap180(p.Lon-float64(u.zone*6-183))) > 20 || math.Abs(p.Lat) > 89 {
		return 0, 0, false
	}
	g := geodesy.InZone(p, u.zone, u.south)
	x, y, det := g.EastingM-u.x0, g.NorthingM-u.y0, u.det()
	return (u.xc*y - u.yc*x) / det, (u.yr*x - u.xr*y) / det, true
}

// spacing takes the distance between rows and columns as such: of a turned or skewed grid the heights of its cells.
func (u projected) spacing(geodesy.LatLon) (row, col float64) {
	det := math.Abs(u.det())
	return det / math.Hypot(u.xc, u.yc), det / math.Hypot(u.xr, u.yr)
}
