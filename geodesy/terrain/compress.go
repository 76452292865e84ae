package terrain

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// The compressions of TIFF that are read.
const (
	compressNone     = 1
	compressLZW      = 5
	compressDeflate  = 8
	compressPackBits = 32773
	compressOldZip   = 32946 // deflate under its older number
)

// expand fills out with what b holds compressed; it fails where b holds less.
func expand(compression uint64, b, out []byte) error {
	switch compression {
	case compressNone:
		if copy(out, b) < len(out) {
			return fmt.Errorf("%d bytes where %d are due", len(b), len(out))
		}
		return nil
	case compressLZW:
		return expandLZW(b, out)
	case compressDeflate, compressOldZip:
		z, err := zlib.NewReader(bytes.NewReader(b))
		if err != nil {
			return err
		}
		_, err = io.ReadFull(z, out)
		return err
	case compressPackBits:
		return expandPackBits(b, out)
	}
	return fmt.Errorf("compression %d is not read", compression)
}

var errShort = errors.New("the compressed bytes end too early")

// expandPackBits undoes PackBits (TIFF 6.0, section 9): a count n of 0 to 127 and n+1 bytes as they are, or a count of -1 to -127
// and a byte that comes 1-n times.
func expandPackBits(b, out []byte) error {
	for len(out) > 0 {
		if len(b) < 2 {
			return errShort
		}
		switch n := int(int8(b[0])); {
		case n >= 0:
			k := copy(out[:min(n+1, len(out))], b[1:])
			if k < min(n+1, len(out)) {
				return errShort
			}
			b, out = b[min(1+n+1, len(b)):], out[k:]
		case n == -128:
			b = b[1:]
		default:
			k := min(1-n, len(out))
			for i := range k {
				out[i] = b[1]
			}
			b, out = b[2:], out[k:]
		}
	}
	return nil
}

// The codes of TIFF's LZW (TIFF 6.0, section 13), written from the top bit on; their width grows one code early.
const (
	lzwClear = 256
	lzwEnd   = 257
	lzwFirst = 258
	lzwCodes = 4096
)

// expandLZW undoes LZW. A code's string is its prefix's and one byte more; strings are written from their end.
func expandLZW(b, out []byte) error {
	var prefix, length [lzwCodes]uint16
	var last [lzwCodes]byte
	for i := range lzwClear {
		last[i], length[i] = byte(i), 1
	}
	next, width, previous := lzwFirst, 9, -1
	var bits uint32
	held := 0
	for len(out) > 0 {
		for held < width {
			if len(b) == 0 {
				return errShort
			}
			bits, held, b = bits<<8|uint32(b[0]), held+8, b[1:]
		}
		code := int(bits >> (held - width) & (1<<width - 1))
		held -= width
		switch {
		case code == lzwEnd:
			return errShort
		case code == lzwClear:
			next, width, previous = lzwFirst, 9, -1
			continue
		case code > next || code == next && previous < 0 || code >= lzwFirst && previous < 0:
			return errors.New("an LZW code that was never made")
		}
		from := code
		if code == next { // its string is the previous one and that one's first byte
			from = previous
		}
		n := int(length[from])
		first := byte(0)
		for k, c := n-1, from; k >= 0; k, c = k-1, int(prefix[c]) {
			if first = last[c]; k < len(out) {
				out[k] = first
			}
		}
		done := min(n, len(out))
		if out = out[done:]; code == next && len(out) > 0 {
			out[0], out = first, out[1:]
		}
		if previous >= 0 && next < lzwCodes {
			prefix[next], last[next], length[next] = uint16(previous), first, length[previous]+1
			next++
		}
		if width < 12 && next >= 1<<width-1 {
			width++
		}
		previous = code
	}
	return nil
}

// unpredict undoes a predictor over rows of so many samples of size bytes: 2 is the difference to the sample to the left (TIFF
// 6.0, section 14), 3 that of bytes after the samples' bytes were sorted by weight, the heaviest first (Adobe Photoshop TIFF
// Technical Note 3, 2005). After 3 the samples are big-endian.
func unpredict(predictor uint64, b []byte, samples, size int, order binary.ByteOrder) (binary.ByteOrder, error) {
	row := samples * size
	switch predictor {
	case 1:
		return order, nil
	case 2:
		for ; len(b) >= row; b = b[row:] {
			for i := size; i < row; i += size {
				addSample(b[i-size:i], b[i:i+size], order)
			}
		}
		return order, nil
	case 3:
		sorted := make([]byte, row)
		for ; len(b) >= row; b = b[row:] {
			for i := 1; i < row; i++ {
				b[i] += b[i-1]
			}
			copy(sorted, b[:row])
			for i := range samples {
				for k := range size {
					b[i*size+k] = sorted[k*samples+i]
				}
			}
		}
		return binary.BigEndian, nil
	}
	return order, fmt.Errorf("predictor %d is not read", predictor)
}

func addSample(left, at []byte, order binary.ByteOrder) {
	switch len(at) {
	case 1:
		at[0] += left[0]
	case 2:
		order.PutUint16(at, order.Uint16(at)+order.Uint16(left))
	case 4:
		order.PutUint32(at, order.Uint32(at)+order.Uint32(left))
	case 8:
		order.PutUint64(at, order.Uint64(at)+order.Uint64(left))
	}
}

// The sample formats of TIFF that are read (tag 339).
const (
	samplesUnsigned = 1
	samplesSigned   = 2
	samplesFloat    = 3
)

// sample reads one sample.
func sample(b []byte, format uint64, order binary.ByteOrder) float64 {
	switch {
	case format == samplesFloat && len(b) == 4:
		return float64(math.Float32frombits(order.Uint32(b)))
	case format == samplesFloat:
		return math.Float64frombits(order.Uint64(b))
	case format == samplesSigned && len(b) == 2:
		return float64(int16(order.Uint16(b)))
	case format == samplesSigned:
		return float64(int32(order.Uint32(b)))
	case len(b) == 2:
		return float64(order.Uint16(b))
	}
	return float64(order.Uint32(b))
}
