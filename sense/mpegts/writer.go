package mpegts

import (
	"errors"
	"fmt"
	"io"
)

// The PIDs of a stream that NewWriter makes.
const (
	pmtWritten      = 0x1000
	metadataWritten = 0x0101
)

// An Output is a stream that a Writer makes. The stream type decides how its units are written: 0x06 as asynchronous KLV
// (private stream 1, registration KLVA), 0x15 as synchronous KLV in access-unit cells with the metadata descriptors of MISB
// ST 1402; others as they come, in video PES (0x01, 0x02, 0x10, 0x1b, 0x24, 0x33) or audio PES.
type Output struct {
	PID        uint16
	StreamType uint8
}

// A Writer makes a transport stream of one program: PAT and PMT before the first packet and again as time goes on, a clock
// reference where there is video, and PES packets in the order in which units are written.
type Writer struct {
	w        io.Writer
	outputs  []*output
	pat, pmt output
	clock    *output // carries the clock reference; nil for none
	every    int64   // ticks between tables
	tablesAt int64
	begun    bool
	pcr      int64 // last clock reference, 90 kHz ticks
	clocked  bool
}

type output struct {
	Output
	counter  uint8 // of continuity
	sequence uint8 // of access-unit cells
}

// NewWriter writes a program that holds nothing but asynchronous KLV (stream type 0x06 with the registration KLVA, private
// stream 1) on PID 0x101, with the tables every half second and no clock reference.
func NewWriter(w io.Writer) *Writer {
	return &Writer{w: w, outputs: []*output{{Output: Output{metadataWritten, 0x06}}}, pmt: output{Output: Output{PID: pmtWritten}}, every: 45000}
}

// NewProgram writes a program of several streams, with the tables every tenth of a second and before each random access point.
// The clock reference runs half a second before the decoding times, on the PID of the first video stream, or else of the first
// stream. PIDs lie between 0x20 and 0x1ffe, 0x1000 (the program map) excepted, and differ.
func NewProgram(w io.Writer, outputs ...Output) (*Writer, error) {
	t := &Writer{w: w, pmt: output{Output: Output{PID: pmtWritten}}, every: 9000}
	if len(outputs) == 0 || len(outputs) > 32 {
		return nil, fmt.Errorf("mpegts: a program has 1 to 32 streams, not %d", len(outputs))
	}
	for _, o := range outputs {
		if o.PID < firstStream || o.PID >= nullPID || o.PID == pmtWritten || t.output(o.PID) != nil {
			return nil, fmt.Errorf("mpegts: PID 0x%x is taken or is none for a stream", o.PID)
		}
		t.outputs = append(t.outputs, &output{Output: o})
		if t.clock == nil && o.video() {
			t.clock = t.outputs[len(t.outputs)-1]
		}
	}
	if t.clock == nil {
		t.clock = t.outputs[0]
	}
	return t, nil
}

func (o Output) video() bool {
	switch o.StreamType {
	case 0x01, 0x02, 0x10, 0x1b, 0x24, 0x33:
		return true
	}
	return false
}

func (t *Writer) output(pid uint16) *output {
	for _, o := range t.outputs {
		if o.PID == pid {
			return o
		}
	}
	return nil
}

// WriteKLV writes one KLV packet as one PES of the first stream with the time stamp pts (90 kHz ticks; the low 33 bits are
// written).
func (t *Writer) WriteKLV(pts int64, klv []byte) error {
	return t.WriteUnit(Unit{PID: t.outputs[0].PID, Data: klv, PTS: pts, DTS: pts, HasPTS: true})
}

// WriteUnit writes one unit as one PES of the stream on its PID, with its times (of metadata, PTS alone). Units come in the
// order of their DTS over all streams, as a multiplexer has them; one that goes back is written with no clock reference. A
// synchronous access unit that is longer than a PES is fragmented over several.
func (t *Writer) WriteUnit(u Unit) error {
	o := t.output(u.PID)
	if o == nil {
		return fmt.Errorf("mpegts: no stream is announced on PID 0x%x", u.PID)
	}
	if len(u.Data) == 0 {
		return errors.New("mpegts: a PES holds at least one byte")
	}
	if err := t.before(o, u); err != nil {
		return err
	}
	switch {
	case o.StreamType == 0x15:
		return t.cells(o, u)
	case o.video():
		return t.pes(o, u, 0xe0, u.Data)
	case o.StreamType == 0x06:
		return t.pes(o, u, 0xbd, u.Data)
	}
	return t.pes(o, u, 0xc0, u.Data)
}

// before writes what is due before a unit: the tables, and clock references up to its time.
func (t *Writer) before(o *output, u Unit) error {
	now := u.DTS
	if !u.HasPTS {
		now = t.tablesAt
	}
	if !t.begun || now-t.tablesAt >= t.every || now < t.tablesAt || t.clock == o && u.Random && now != t.tablesAt {
		t.begun, t.tablesAt = true, now
		if err := t.tables(); err != nil {
			return err
		}
	}
	if t.clock == nil || !u.HasPTS {
		return nil
	}
	return t.clockUpTo(now-clockLead, o)
}

// clockLead is how long before its decoding time a unit is sent, in ticks: half a second, within the one second that a byte may
// lie in a decoder's buffer (ISO/IEC 13818-1, 2.4.2.6).
const clockLead = 45000

// clockStep is the longest time between clock references, in ticks: 40 ms, within the tenth of a second that the standard asks
// for (ISO/IEC 13818-1, 2.7.2) and the 40 ms of ETSI TR 101 290.
const clockStep = 3600

// clockUpTo writes references until the next is due with the unit at now, or no further where it lies far ahead: its own then
// says that time starts anew.
func (t *Writer) clockUpTo(now int64, o *output) error {
	const far = 10 * 90000
	for t.clocked && now-t.pcr > clockStep && now-t.pcr < far {
		t.pcr += clockStep
		if err := t.packet(t.clock, nil, reference(t.pcr, false), false); err != nil {
			return err
		}
	}
	if o != t.clock && !t.clocked {
		t.pcr, t.clocked = now, true
		return t.packet(t.clock, nil, reference(now, false), false)
	}
	return nil
}

// reference is an adaptation field, from its flags on, with a clock reference in 90 kHz ticks.
func reference(pcr int64, anew bool) []byte {
	flags := byte(0x10)
	if anew {
		flags |= 0x80
	}
	return []byte{flags, byte(pcr >> 25), byte(pcr >> 17), byte(pcr >> 9), byte(pcr >> 1), byte(pcr<<7) | 0x7e, 0}
}

// field is the adaptation field of the first packet of a unit, from its flags on; empty for none.
func (t *Writer) field(o *output, u Unit) (f []byte) {
	now := u.DTS - clockLead
	anew := t.clocked && (now-t.pcr > 10*90000 || t.pcr-now > 90000)
	if o == t.clock && u.HasPTS && (!t.clocked || now > t.pcr || anew) {
		f = reference(now, anew)
		t.pcr, t.clocked = now, true
	}
	if u.Discontinuity || u.Random && u.Kind == Pictures {
		if f == nil {
			f = []byte{0}
		}
		if u.Discontinuity {
			f[0] |= 0x80
		}
		if u.Random && u.Kind == Pictures {
			f[0] |= 0x40
		}
	}
	return f
}

// cells writes a synchronous access unit in cells, one a PES.
func (t *Writer) cells(o *output, u Unit) error {
	const most = 60000
	for first, b := true, u.Data; len(b) > 0; first = false {
		n := min(len(b), most)
		fragment := byte(0)
		if first {
			fragment |= cellFirst
		}
		if n == len(b) {
			fragment |= cellLast
		}
		c := append([]byte{0, o.sequence, fragment<<6 | 0x1f, byte(n >> 8), byte(n)}, b[:n]...)
		o.sequence++
		if err := t.pes(o, u, 0xfc, c); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// pes writes one PES. Only video may have a length that its header does not say.
func (t *Writer) pes(o *output, u Unit, streamID byte, payload []byte) error {
	h := []byte{0, 0, 1, streamID, 0, 0, 0x84, 0, 0}
	if u.HasPTS {
		h[7], h[8] = 0x80, 5
		dts := u.DTS != u.PTS && o.video()
		if dts {
			h[7], h[8] = 0xc0, 10
		}
		h = append(h, stampBytes(h[7]>>6<<4, u.PTS)...)
		if dts {
			h = append(h, stampBytes(0x10, u.DTS)...)
		}
	}
	n := len(payload) + len(h) - 6
	if n > 0xffff {
		if !o.video() {
			return fmt.Errorf("mpegts: a PES holds 1 to %d bytes, not %d", 0xffff-(len(h)-6), len(payload))
		}
		n = 0
	}
	h[4], h[5] = byte(n>>8), byte(n)
	return t.packets(o, append(h, payload...), t.field(o, u))
}

// stampBytes is a time stamp of 33 bits among its markers, behind four bits that say which.
func stampBytes(which byte, v int64) []byte {
	return []byte{which | byte(v>>29)&0x0e | 1, byte(v >> 22), byte(v>>14) | 1, byte(v >> 7), byte(v<<1) | 1}
}

// tables writes PAT and PMT.
func (t *Writer) tables() error {
	pat := []byte{0, 0x00, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xe0 | pmtWritten>>8, pmtWritten & 0xff}
	if err := t.packets(&t.pat, withCRC(pat), nil); err != nil {
		return err
	}
	clock := uint16(nullPID) // no clock reference
	if t.clock != nil {
		clock = t.clock.PID
	}
	pmt := []byte{0, 0x02, 0xb0, 0, 0, 1, 0xc1, 0, 0, 0xe0 | byte(clock>>8), byte(clock), 0xf0, 0}
	for _, o := range t.outputs {
		d := o.descriptors()
		pmt = append(pmt, o.StreamType, 0xe0|byte(o.PID>>8), byte(o.PID), 0xf0, byte(len(d)))
		pmt = append(pmt, d...)
	}
	n := len(pmt) - 4 + 4 // after the length, with the check
	pmt[2], pmt[3] = 0xb0|byte(n>>8), byte(n)
	return t.packets(&t.pmt, withCRC(pmt), nil)
}

// descriptors are those of MISB ST 1402: the registration KLVA, or the metadata descriptor (ISO/IEC 13818-1, 2.6.60: general
// format 0x0100, format identifier KLVA, service 0) and the metadata STD descriptor (2.6.62: rates and buffer not stated).
func (o *output) descriptors() []byte {
	switch o.StreamType {
	case 0x06:
		return []byte{0x05, 4, 'K', 'L', 'V', 'A'}
	case 0x15:
		return []byte{0x26, 9, 0x01, 0x00, 0xff, 'K', 'L', 'V', 'A', 0x00, 0x0f, 0x27, 9, 0xc0, 0, 0, 0xc0, 0, 0, 0xc0, 0, 0}
	}
	return nil
}

// withCRC appends the check to a section that follows its pointer byte.
func withCRC(b []byte) []byte {
	c := crc32(b[1:])
	return append(b, byte(c>>24), byte(c>>16), byte(c>>8), byte(c))
}

// packets cuts b into transport packets; the last is filled up by an adaptation field. The first has the field that is given.
func (t *Writer) packets(o *output, b, field []byte) error {
	for start := true; len(b) > 0; start = false {
		n := min(len(b), room(field))
		if err := t.packet(o, b[:n], field, start); err != nil {
			return err
		}
		b, field = b[n:], nil
	}
	return nil
}

// room is how many bytes a packet takes beside an adaptation field.
func room(field []byte) int {
	if len(field) == 0 {
		return packetSize - 4
	}
	return packetSize - 5 - len(field)
}

// packet writes one packet: an adaptation field where there is one or the payload does not fill it, and the payload.
func (t *Writer) packet(o *output, payload, field []byte, start bool) error {
	var p [packetSize]byte
	p[0], p[1], p[2] = syncByte, byte(o.PID>>8), byte(o.PID)
	if start {
		p[1] |= 0x40
	}
	if len(payload) > 0 {
		p[3] = 0x10 | o.counter&0x0f
		o.counter++
	} else {
		p[3] = (o.counter - 1) & 0x0f // a packet without payload does not count
	}
	if fill := packetSize - 4 - len(payload); fill > 0 {
		p[3] |= 0x20
		p[4] = byte(fill - 1)
		for i := 5 + copy(p[5:], field); i < 4+fill; i++ {
			p[i] = 0xff
		}
		if fill > 1 && len(field) == 0 {
			p[5] = 0
		}
	}
	copy(p[packetSize-len(payload):], payload)
	_, err := t.w.Write(p[:])
	return err
}
