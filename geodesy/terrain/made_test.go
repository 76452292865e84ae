package terrain

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// dtedOf writes a DTED cell whose south-west post is (lat, lon), with posts step tenths of a second apart. SYNTHETIC.
func dtedOf(lat, lon, step, n int, height func(geodesy.LatLon) int) []byte {
	var b bytes.Buffer
	angle := func(v int, plus, minus string) string {
		h := plus
		if v < 0 {
			v, h = -v, minus
		}
		return fmt.Sprintf("%03d0000%s", v, h)
	}
	uhl := fmt.Sprintf("UHL1%s%s%04d%04d%s%-12s%04d%04d0", angle(lon, "E", "W"), angle(lat, "N", "S"), step, step, "0016U  ", "SYNTHETIC", n, n)
	fmt.Fprintf(&b, "%-80s", uhl)
	dsi := []byte(fmt.Sprintf("%-648s", "DSIU"))
	copy(dsi[141:], "E96WGS84")
	b.Write(dsi)
	fmt.Fprintf(&b, "%-2700s", "ACC00200016")
	for c := range n {
		rec := []byte{0xaa, 0, 0, 0, byte(c >> 8), byte(c), 0, 0}
		for r := range n {
			h := height(geodesy.LatLon{Lat: float64(lat) + float64(r*step)/36000, Lon: float64(lon) + float64(c*step)/36000})
			v := uint16(h)
			if h < 0 {
				v = 0x8000 | uint16(-h)
			}
			rec = binary.BigEndian.AppendUint16(rec, v)
		}
		var sum uint32
		for _, x := range rec {
			sum += uint32(x)
		}
		b.Write(binary.BigEndian.AppendUint32(rec, sum))
	}
	return b.Bytes()
}

// A tiffPlan says how a GeoTIFF is written. SYNTHETIC.
type tiffPlan struct {
	order       binary.AppendByteOrder
	big         bool
	rows, cols  int
	tall, wide  int // of tiles; wide 0 for strips of tall rows
	bits        int
	format      uint64
	compression uint64
	predictor   uint64
	noData      string
	keys        []uint16 // key, value pairs
	scale, tie  []float64
	transform   []float64
}

func (p tiffPlan) write(height func(r, c int) float64) []byte {
	size := p.bits / 8
	wide, tall := p.wide, p.tall
	if wide == 0 {
		wide = p.cols
	}
	var segments [][]byte
	for r := 0; r < p.rows; r += tall {
		for c := 0; c < p.cols; c += wide {
			rows := tall
			if p.wide == 0 {
				rows = min(tall, p.rows-r)
			}
			segments = append(segments, p.segment(rows, wide, size, func(i, j int) float64 { return height(min(r+i, p.rows-1), min(c+j, p.cols-1)) }))
		}
	}
	return p.lay(segments)
}

func (p tiffPlan) segment(rows, wide, size int, height func(i, j int) float64) []byte {
	var raw []byte
	order := p.order
	if p.predictor == 3 {
		order = binary.BigEndian
	}
	for i := range rows {
		var row []byte
		for j := range wide {
			v := height(i, j)
			switch {
			case p.format == samplesFloat && size == 4:
				row = order.AppendUint32(row, math.Float32bits(float32(v)))
			case p.format == samplesFloat:
				row = order.AppendUint64(row, math.Float64bits(v))
			case size == 2:
				row = order.AppendUint16(row, uint16(int64(v)))
			default:
				row = order.AppendUint32(row, uint32(int64(v)))
			}
		}
		raw = append(raw, p.predict(row, wide, size)...)
	}
	return pack(p.compression, raw)
}

func (p tiffPlan) predict(row []byte, wide, size int) []byte {
	switch p.predictor {
	case 2:
		order := p.order.(binary.ByteOrder)
		for i := len(row) - size; i >= size; i -= size {
			switch size {
			case 2:
				order.PutUint16(row[i:], order.Uint16(row[i:])-order.Uint16(row[i-2:]))
			case 4:
				order.PutUint32(row[i:], order.Uint32(row[i:])-order.Uint32(row[i-4:]))
			default:
				order.PutUint64(row[i:], order.Uint64(row[i:])-order.Uint64(row[i-8:]))
			}
		}
	case 3:
		sorted := make([]byte, len(row))
		for i := range wide {
			for k := range size {
				sorted[k*wide+i] = row[i*size+k]
			}
		}
		for i := len(sorted) - 1; i > 0; i-- {
			sorted[i] -= sorted[i-1]
		}
		return sorted
	}
	return row
}

func pack(compression uint64, raw []byte) []byte {
	switch compression {
	case compressLZW:
		return packLZW(raw)
	case compressDeflate, compressOldZip:
		var b bytes.Buffer
		z := zlib.NewWriter(&b)
		_, _ = z.Write(raw)
		_ = z.Close()
		return b.Bytes()
	case compressPackBits:
		return packBits(raw)
	}
	return raw
}

// packBits writes runs of three and more as runs, and a no-operation before each.
func packBits(raw []byte) (out []byte) {
	for len(raw) > 0 {
		n := 1
		for n < len(raw) && n < 128 && raw[n] == raw[0] {
			n++
		}
		if n >= 3 {
			out, raw = append(out, 0x80, byte(1-n), raw[0]), raw[n:]
			continue
		}
		n = min(n, len(raw))
		out, raw = append(append(out, byte(n-1)), raw[:n]...), raw[n:]
	}
	return out
}

// packLZW is a plain LZW writer: codes from the top bit on, wider one code early, cleared when full.
func packLZW(raw []byte) (out []byte) {
	var bits uint64
	held, width := 0, 9
	put := func(code int) {
		bits, held = bits<<width|uint64(code), held+width
		for held >= 8 {
			out, held = append(out, byte(bits>>(held-8))), held-8
		}
	}
	table := map[string]int{}
	next := lzwFirst
	put(lzwClear)
	code := func(s string) int {
		if len(s) == 1 {
			return int(s[0])
		}
		return table[s]
	}
	s := ""
	for _, c := range raw {
		t := s + string([]byte{c})
		if _, ok := table[t]; ok || len(t) == 1 {
			s = t
			continue
		}
		put(code(s))
		table[t] = next
		if next++; next == 1<<width && width < 12 { // the reader is one code behind, and so widens at one less
			width++
		}
		if next == lzwCodes-2 {
			put(lzwClear)
			clear(table)
			next, width = lzwFirst, 9
		}
		s = string([]byte{c})
	}
	put(code(s))
	put(lzwEnd)
	if held > 0 {
		out = append(out, byte(bits<<(8-held)))
	}
	return out
}

// lay puts segments behind the header and the directory behind them.
func (p tiffPlan) lay(segments [][]byte) []byte {
	word := 4
	if p.big {
		word = 8
	}
	put := func(b []byte, v uint64, n int) []byte {
		switch n {
		case 2:
			return p.order.AppendUint16(b, uint16(v))
		case 4:
			return p.order.AppendUint32(b, uint32(v))
		}
		return p.order.AppendUint64(b, v)
	}
	mark := "II"
	if p.order.String() == "BigEndian" {
		mark = "MM"
	}
	out := []byte(mark)
	if p.big {
		out = put(put(put(put(out, 43, 2), 8, 2), 0, 2), 0, 8)
	} else {
		out = put(put(out, 42, 2), 0, 4)
	}
	var offsets, counts []uint64
	for _, s := range segments {
		offsets, counts = append(offsets, uint64(len(out))), append(counts, uint64(len(s)))
		out = append(out, s...)
	}
	type field struct {
		tag, kind uint16
		n         int
		b         []byte
	}
	var fields []field
	whole := func(tag, kind uint16, size int, v ...uint64) {
		var b []byte
		for _, x := range v {
			b = put(b, x, size)
		}
		fields = append(fields, field{tag, kind, len(v), b})
	}
	doubles := func(tag uint16, v []float64) {
		if len(v) == 0 {
			return
		}
		var b []byte
		for _, x := range v {
			b = put(b, math.Float64bits(x), 8)
		}
		fields = append(fields, field{tag, 12, len(v), b})
	}
	long := uint16(4)
	if p.big {
		long = 16
	}
	whole(tagWidth, 3, 2, uint64(p.cols))
	whole(tagLength, 3, 2, uint64(p.rows))
	whole(tagBits, 3, 2, uint64(p.bits))
	whole(tagCompression, 3, 2, p.compression)
	if p.wide == 0 {
		whole(tagStripOffsets, long, word, offsets...)
		whole(tagRowsPerStrip, 3, 2, uint64(p.tall))
		whole(tagStripBytes, long, word, counts...)
	}
	whole(tagPredictor, 3, 2, max(1, p.predictor))
	if p.wide > 0 {
		whole(tagTileWidth, 3, 2, uint64(p.wide))
		whole(tagTileLength, 3, 2, uint64(p.tall))
		whole(tagTileOffsets, long, word, offsets...)
		whole(tagTileBytes, long, word, counts...)
	}
	whole(tagSampleFormat, 3, 2, p.format)
	doubles(tagPixelScale, p.scale)
	doubles(tagTiepoint, p.tie)
	doubles(tagTransform, p.transform)
	keys := []uint64{1, 1, 0, uint64(len(p.keys) / 2)}
	for i := 0; i < len(p.keys); i += 2 {
		keys = append(keys, uint64(p.keys[i]), 0, 1, uint64(p.keys[i+1]))
	}
	whole(tagGeoKeys, 3, 2, keys...)
	if p.noData != "" {
		fields = append(fields, field{tagNoData, 2, len(p.noData) + 1, append([]byte(p.noData), 0)})
	}
	for i := range fields { // values that do not fit the directory lie before it
		if f := &fields[i]; len(f.b) > word {
			at := uint64(len(out))
			out = append(out, f.b...)
			f.b = put(nil, at, word)
		}
	}
	dir := uint64(len(out))
	if p.big {
		out = put(out, uint64(len(fields)), 8)
	} else {
		out = put(out, uint64(len(fields)), 2)
	}
	for _, f := range fields {
		out = put(put(put(out, uint64(f.tag), 2), uint64(f.kind), 2), uint64(f.n), word)
		out = append(out, append(f.b, make([]byte, word-len(f.b))...)...)
	}
	out = put(out, 0, word)
	at := put(nil, dir, word)
	copy(out[len(mark)+2+2*(word/4-1)*2:], at)
	return out
}
