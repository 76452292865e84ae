package mpegts

import (
	"fmt"
	"io"
)

// The PIDs of a stream that Writer makes.
const (
	pmtWritten      = 0x1000
	metadataWritten = 0x0101
)

// A Writer makes a transport stream of one program that holds nothing but asynchronous KLV (stream type 0x06 with the
// registration KLVA, private stream 1), with PAT and PMT before the first packet and every half second of PTS after.
type Writer struct {
	w        io.Writer
	counters [3]uint8 // PAT, PMT, metadata
	tablesAt int64
	begun    bool
}

// NewWriter writes to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// WriteKLV writes one KLV packet as one PES with the time stamp pts (90 kHz ticks; the low 33 bits are written).
func (t *Writer) WriteKLV(pts int64, klv []byte) error {
	const header = 14
	if len(klv) == 0 || len(klv)+header-6 > 0xffff {
		return fmt.Errorf("mpegts: a PES holds 1 to %d bytes, not %d", 0xffff-(header-6), len(klv))
	}
	if !t.begun || pts-t.tablesAt >= 45000 || pts < t.tablesAt {
		t.begun, t.tablesAt = true, pts
		if err := t.tables(); err != nil {
			return err
		}
	}
	n := len(klv) + header - 6
	pes := []byte{0, 0, 1, 0xbd, byte(n >> 8), byte(n), 0x84, 0x80, 5,
		0x21 | byte(pts>>29)&0x0e, byte(pts >> 22), byte(pts>>14) | 1, byte(pts >> 7), byte(pts<<1) | 1}
	return t.packets(2, metadataWritten, append(pes, klv...))
}

// tables writes PAT and PMT. The program has no clock reference (PCR PID 0x1fff).
func (t *Writer) tables() error {
	pat := []byte{0, 0x00, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xe0 | pmtWritten>>8, pmtWritten & 0xff}
	if err := t.packets(0, 0, withCRC(pat)); err != nil {
		return err
	}
	pmt := []byte{0, 0x02, 0xb0, 24, 0, 1, 0xc1, 0, 0, 0xff, 0xff, 0xf0, 0,
		0x06, 0xe0 | metadataWritten>>8, metadataWritten & 0xff, 0xf0, 6, 0x05, 4, 'K', 'L', 'V', 'A'}
	return t.packets(1, pmtWritten, withCRC(pmt))
}

// withCRC appends the check to a section that follows its pointer byte.
func withCRC(b []byte) []byte {
	c := crc32(b[1:])
	return append(b, byte(c>>24), byte(c>>16), byte(c>>8), byte(c))
}

// packets cuts b into transport packets; the last is filled up by an adaptation field.
func (t *Writer) packets(counter int, pid uint16, b []byte) error {
	start := byte(0x40)
	for len(b) > 0 {
		var p [packetSize]byte
		p[0], p[1], p[2] = syncByte, start|byte(pid>>8), byte(pid)
		p[3] = 0x10 | t.counters[counter]&0x0f
		t.counters[counter]++
		n := min(len(b), packetSize-4)
		if fill := packetSize - 4 - n; fill > 0 {
			p[3] |= 0x20
			p[4] = byte(fill - 1)
			if fill > 1 {
				for i := 6; i < 4+fill; i++ {
					p[i] = 0xff
				}
			}
		}
		copy(p[packetSize-n:], b[:n])
		if _, err := t.w.Write(p[:]); err != nil {
			return err
		}
		b, start = b[n:], 0
	}
	return nil
}
