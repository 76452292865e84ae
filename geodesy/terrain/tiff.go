package terrain

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// The tags of a TIFF directory that elevation needs (TIFF 6.0; GDAL_NODATA is GDAL's own).
const (
	tagWidth        = 256
	tagLength       = 257
	tagBits         = 258
	tagCompression  = 259
	tagStripOffsets = 273
	tagSamples      = 277
	tagRowsPerStrip = 278
	tagStripBytes   = 279
	tagPlanar       = 284
	tagPredictor    = 317
	tagTileWidth    = 322
	tagTileLength   = 323
	tagTileOffsets  = 324
	tagTileBytes    = 325
	tagSampleFormat = 339
	tagPixelScale   = 33550
	tagTiepoint     = 33922
	tagTransform    = 34264
	tagGeoKeys      = 34735
	tagGeoDoubles   = 34736
	tagNoData       = 42113
)

// What a TIFF file may ask for at most: entries of its directory, values of a tag, bytes of one strip or tile.
const (
	maxEntries = 4096
	maxValues  = 8 << 20
	maxSegment = 32 << 20
)

// A tiffField is one tag's values, as they lie in the file.
type tiffField struct {
	kind  uint16
	count int
	at    int64 // of the first value
}

// tiffSizes are the bytes of a value by type: TIFF 6.0 section 2, and 16 to 18 of BigTIFF.
var tiffSizes = [...]int{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}

// A directory is the first image file directory of a TIFF file, classic or BigTIFF.
type directory struct {
	r      io.ReaderAt
	size   int64
	order  binary.ByteOrder
	fields map[uint16]tiffField
}

func readDirectory(r io.ReaderAt, size int64) (*directory, error) {
	var head [16]byte
	if n, err := r.ReadAt(head[:], 0); n < 8 {
		return nil, fmt.Errorf("no TIFF header: %w", err)
	}
	d := &directory{r: r, size: size, order: binary.LittleEndian, fields: map[uint16]tiffField{}}
	if string(head[:2]) == "MM" {
		d.order = binary.BigEndian
	}
	switch v := d.order.Uint16(head[2:]); v {
	case 42:
		return d, d.entries(int64(d.order.Uint32(head[4:])), 2, 12, 4)
	case 43:
		if d.order.Uint16(head[4:]) != 8 {
			return nil, errors.New("a BigTIFF whose offsets do not have 8 bytes")
		}
		return d, d.entries(int64(d.order.Uint64(head[8:])), 8, 20, 8)
	default:
		return nil, fmt.Errorf("TIFF version %d", v)
	}
}

// entries reads the directory at an offset: a number of entries in head bytes, then entries of each bytes, in which the value,
// or its offset, takes word bytes.
func (d *directory) entries(at int64, head, each, word int) error {
	b := make([]byte, head)
	if err := d.read(b, at); err != nil {
		return fmt.Errorf("the directory at byte %d: %w", at, err)
	}
	n := d.word(b)
	if n < 1 || n > maxEntries {
		return fmt.Errorf("a directory of %d entries", n)
	}
	b = make([]byte, int(n)*each)
	if err := d.read(b, at+int64(head)); err != nil {
		return fmt.Errorf("the directory at byte %d: %w", at, err)
	}
	for i := 0; i < len(b); i += each {
		e := b[i : i+each]
		f := tiffField{kind: d.order.Uint16(e[2:]), at: at + int64(head+i+each-word)}
		count := d.word(e[4 : each-word])
		if int(f.kind) >= len(tiffSizes) || tiffSizes[f.kind] == 0 || count > maxValues {
			continue // a type of another time, or metadata of another size
		}
		if f.count = int(count); f.count*tiffSizes[f.kind] > word {
			f.at = int64(d.word(e[each-word:]))
		}
		d.fields[d.order.Uint16(e)] = f
	}
	return nil
}

// word is an unsigned number of 2, 4 or 8 bytes.
func (d *directory) word(b []byte) uint64 {
	switch len(b) {
	case 2:
		return uint64(d.order.Uint16(b))
	case 4:
		return uint64(d.order.Uint32(b))
	}
	return d.order.Uint64(b)
}

func (d *directory) read(b []byte, at int64) error {
	if at < 0 || at > d.size || int64(len(b)) > d.size-at {
		return fmt.Errorf("%d bytes at %d, where the file has %d", len(b), at, d.size)
	}
	if n, err := d.r.ReadAt(b, at); n < len(b) {
		return err
	}
	return nil
}

// value is the i-th whole number of a tag; false when it has none.
func (d *directory) value(tag uint16, i int) (uint64, bool) {
	f, ok := d.fields[tag]
	if !ok || i >= f.count {
		return 0, false
	}
	var b [8]byte
	n := tiffSizes[f.kind]
	if d.read(b[:n], f.at+int64(i)*int64(n)) != nil {
		return 0, false
	}
	switch f.kind {
	case 1, 7:
		return uint64(b[0]), true
	case 3, 4, 13, 16, 18:
		return d.word(b[:n]), true
	}
	return 0, false
}

// number is value with a default.
func (d *directory) number(tag uint16, otherwise uint64) uint64 {
	if v, ok := d.value(tag, 0); ok {
		return v
	}
	return otherwise
}

// doubles are the values of a tag of IEEE doubles, at most most.
func (d *directory) doubles(tag uint16, most int) []float64 {
	f, ok := d.fields[tag]
	if !ok || f.kind != 12 {
		return nil
	}
	b := make([]byte, 8*min(f.count, most))
	if d.read(b, f.at) != nil {
		return nil
	}
	out := make([]float64, len(b)/8)
	for i := range out {
		out[i] = math.Float64frombits(d.order.Uint64(b[8*i:]))
	}
	return out
}

// text is a tag's text, at most 64 bytes, without what follows its zero byte.
func (d *directory) text(tag uint16) string {
	f, ok := d.fields[tag]
	if !ok || f.kind != 2 {
		return ""
	}
	b := make([]byte, min(f.count, 64))
	if d.read(b, f.at) != nil {
		return ""
	}
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}
