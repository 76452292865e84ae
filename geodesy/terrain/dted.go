package terrain

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Where the records of a DTED file lie (MIL-PRF-89020B, section 3.11): user header label, data set identification, accuracy,
// then one record for each column of posts, from west to east, each from south to north.
const (
	uhlBytes = 80
	dsiBytes = 648
	accBytes = 2700
	dtedData = uhlBytes + dsiBytes + accBytes
	// Of a data record: a sentinel, counts of the block, of longitude and of latitude, and the checksum at the end.
	dtedHead = 8
	dtedFoot = 4
)

// le90 is how many standard deviations hold 90 % of a normal error: what accuracies of elevation are stated at.
const le90 = 1.6448536269514722

// dtedUnstatedSigmaM stands where the file says that its accuracy is not known: the 30 m at 90 % that MIL-PRF-89020B, 3.6.4.2,
// asks of level 1.
const dtedUnstatedSigmaM = 30 / le90

// maxDTEDBlock bounds the posts of one block of columns.
const maxDTEDBlock = 1 << 18

// OpenDTED reads the headers of a DTED cell of level 0, 1 or 2; posts are read on demand. Heights are above the sea: by the
// EGM96 geoid where the header says E96. Each column's checksum is verified as it is read; a column where it is wrong is taken
// for void and told in Problems.
func OpenDTED(r io.ReaderAt, name string) (File, error) {
	var head [dtedData]byte
	if _, err := r.ReadAt(head[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	d, err := readDTED(head[:])
	if err != nil {
		return nil, fmt.Errorf("%s: no DTED elevation: %w", name, err)
	}
	g := &grid{placing: geographic{d.south, d.west, d.stepLat, d.stepLon}, rows: d.rows, cols: d.cols, tall: d.rows,
		wide: max(1, min(64, d.cols, maxDTEDBlock/d.rows)), datum: d.datum, sigma: d.sigma, source: name}
	record := make([]byte, dtedHead+2*d.rows+dtedFoot)
	g.fill = func(_, j int, into []float32) error { // under the grid's lock
		var bad error
		for c := j * g.wide; c < min((j+1)*g.wide, g.cols); c++ {
			if _, err := r.ReadAt(record, dtedData+int64(c)*int64(len(record))); err != nil {
				bad = errors.Join(bad, fmt.Errorf("column %d cannot be read: %w", c, err))
				continue
			}
			if err := verifyDTED(record, c); err != nil {
				bad = errors.Join(bad, err)
				continue
			}
			for i := range d.rows {
				into[i*g.wide+c-j*g.wide] = signedMagnitude(binary.BigEndian.Uint16(record[dtedHead+2*i:]))
			}
		}
		return bad
	}
	return g, nil
}

// signedMagnitude is a height of DTED: sign bit and metres; all bits set is the void (MIL-PRF-89020B, 3.11.2).
func signedMagnitude(v uint16) float32 {
	m := float32(v & 0x7fff)
	switch {
	case v == 0xffff:
		return float32(math.NaN())
	case v&0x8000 != 0:
		return -m
	}
	return m
}

// verifyDTED checks a column's sentinel, place and checksum: the sum of its bytes.
func verifyDTED(record []byte, column int) error {
	if record[0] != 0xaa {
		return fmt.Errorf("column %d begins with %#02x, not 0xaa", column, record[0])
	}
	if n := int(binary.BigEndian.Uint16(record[4:])); n != column {
		return fmt.Errorf("column %d says that it is column %d", column, n)
	}
	var sum uint32
	for _, b := range record[:len(record)-dtedFoot] {
		sum += uint32(b)
	}
	if want := binary.BigEndian.Uint32(record[len(record)-dtedFoot:]); sum != want {
		return fmt.Errorf("column %d: its checksum is %d, its bytes sum to %d", column, want, sum)
	}
	return nil
}

type dtedHeader struct {
	south, west      float64
	stepLat, stepLon float64
	rows, cols       int
	datum            Datum
	sigma            float64
}

func readDTED(b []byte) (d dtedHeader, err error) {
	uhl, dsi, acc := b[:uhlBytes], b[uhlBytes:uhlBytes+dsiBytes], b[uhlBytes+dsiBytes:]
	if !bytes.HasPrefix(uhl, []byte("UHL")) || !bytes.HasPrefix(dsi, []byte("DSI")) || !bytes.HasPrefix(acc, []byte("ACC")) {
		return d, errors.New("the headers UHL, DSI, ACC are not there")
	}
	west, err1 := sexagesimal(uhl[4:12], 3, 180)
	south, err2 := sexagesimal(uhl[12:20], 3, 90)
	stepLon, err3 := count(uhl[20:24], "longitude interval")
	stepLat, err4 := count(uhl[24:28], "latitude interval")
	cols, err5 := count(uhl[47:51], "number of longitude lines")
	rows, err6 := count(uhl[51:55], "number of latitude points")
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		return d, err
	}
	d = dtedHeader{south: south, west: west, stepLat: float64(stepLat) / 36000, stepLon: float64(stepLon) / 36000, rows: rows, cols: cols, datum: MSL}
	if rows < 2 || cols < 2 || stepLat < 1 || stepLon < 1 {
		return d, fmt.Errorf("%d points of %d lines, at intervals of %d and %d tenths of a second", rows, cols, stepLat, stepLon)
	}
	if d.south+float64(rows-1)*d.stepLat > 90.001 {
		return d, errors.New("the cell reaches beyond the pole")
	}
	if string(dsi[141:144]) == "E96" {
		d.datum = EGM96
	}
	if h := strings.TrimSpace(string(dsi[144:149])); h != "WGS84" {
		return d, fmt.Errorf("its horizontal datum is %q; only WGS84 is read", h)
	}
	d.sigma = dtedUnstatedSigmaM
	if n, err := strconv.Atoi(strings.TrimSpace(string(acc[7:11]))); err == nil && n >= 0 {
		d.sigma = math.Max(float64(n), 0.5) / le90 // whole metres: half of one is their rounding
	}
	return d, nil
}

// count reads a field of decimal digits.
func count(b []byte, name string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s: %q", name, b)
	}
	return n, nil
}

// sexagesimal reads DDDMMSSH, H being one of N, S, E, W, with so many digits of degrees.
func sexagesimal(b []byte, digits int, most float64) (float64, error) {
	d, err1 := strconv.Atoi(string(b[:digits]))
	m, err2 := strconv.Atoi(string(b[digits : digits+2]))
	s, err3 := strconv.Atoi(string(b[digits+2 : digits+4]))
	v := float64(d) + float64(m)/60 + float64(s)/3600
	if err1 != nil || err2 != nil || err3 != nil || m < 0 || m > 59 || s < 0 || s > 59 || d < 0 || v > most {
		return 0, fmt.Errorf("%q is no angle in degrees, minutes, seconds", b)
	}
	switch b[digits+4] {
	case 'S', 'W':
		return -v, nil
	case 'N', 'E':
		return v, nil
	}
	return 0, fmt.Errorf("%q names no hemisphere", b)
}
