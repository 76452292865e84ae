package mpegts

import (
	"bufio"
	"bytes"
	"io"
)

const (
	packetSize = 188
	syncByte   = 0x47
	nullPID    = 0x1fff
)

// packet is one transport packet (ISO/IEC 13818-1, 2.4.3.2).
type packet struct {
	at            int64
	pid           uint16
	start, broken bool // payload_unit_start_indicator, transport_error_indicator
	scrambled     bool
	counter       uint8
	hasPayload    bool
	discontinuity bool
	random        bool // random_access_indicator
	hasPCR        bool
	pcr           int64 // 27 MHz ticks, of 33 bits of 90 kHz and nine of what is between
	payload       []byte
}

// parse reads the 188 bytes of b, which lie at a byte of the file; the payload stays within b.
func (p *packet) parse(b []byte, at int64) {
	*p = packet{at: at, pid: uint16(b[1]&0x1f)<<8 | uint16(b[2]), broken: b[1]&0x80 != 0, start: b[1]&0x40 != 0,
		scrambled: b[3]&0xc0 != 0, counter: b[3] & 0x0f, hasPayload: b[3]&0x10 != 0}
	from := 4
	if b[3]&0x20 != 0 {
		p.adaptation(b)
		from += 1 + int(b[4])
	}
	if p.hasPayload && from < packetSize {
		p.payload = b[from:packetSize]
	}
}

// adaptation reads the adaptation field (ISO/IEC 13818-1, 2.4.3.4) as far as the clock reference.
func (p *packet) adaptation(b []byte) {
	n := int(b[4])
	if n == 0 {
		return
	}
	p.discontinuity, p.random = b[5]&0x80 != 0, b[5]&0x40 != 0
	if p.hasPCR = b[5]&0x10 != 0 && n >= 7; p.hasPCR {
		base := int64(b[6])<<25 | int64(b[7])<<17 | int64(b[8])<<9 | int64(b[9])<<1 | int64(b[10])>>7
		p.pcr = base*300 + int64(b[10]&1)<<8 + int64(b[11])
	}
}

// framer cuts a byte stream into packets of 188 bytes, with or without the 4-byte arrival times of M2TS before or the 16
// parity bytes after them, and finds the rhythm again where it is lost.
type framer struct {
	r      *bufio.Reader
	window []byte // what r has buffered
	used   int    // bytes of the window that are passed over
	at     int64  // of the next unread byte
	stride int
	// between is what lies between the last packet and the next: it is passed over only then, so that the last stays readable.
	between int
	begun   bool
	lost    int64 // bytes passed over without finding a packet
	lostAt  int64
}

func newFramer(r io.Reader) *framer {
	return &framer{r: bufio.NewReaderSize(r, 256<<10), stride: packetSize}
}

// next gives the 188 bytes of the next packet, valid until the following call. At the end it gives io.EOF, or
// io.ErrUnexpectedEOF when part of a packet is left.
func (f *framer) next() (b []byte, at int64, err error) {
	if !f.begun {
		f.begin()
	}
	if f.between > 0 {
		f.discard(f.between)
		f.between = 0
	}
	if b = f.window[f.used:]; len(b) >= packetSize {
		b = b[:packetSize]
	} else {
		b, err = f.peek(packetSize)
	}
	if len(b) < packetSize {
		if err == io.EOF && len(b) > f.stride-packetSize {
			return nil, f.at, io.ErrUnexpectedEOF
		}
		return nil, f.at, err
	}
	if b[0] != syncByte {
		if err := f.resync(); err != nil {
			return nil, f.at, err
		}
		return f.next()
	}
	at = f.at
	f.discard(packetSize)
	f.between = f.stride - packetSize
	return b, at, nil
}

// peek gives the next n bytes without passing over them, or fewer with the reason. Packets given before are no longer valid
// when the buffer had to be filled.
func (f *framer) peek(n int) (b []byte, err error) {
	if len(f.window)-f.used < n {
		_, _ = f.r.Discard(f.used) // bytes that are buffered: it cannot fail
		f.used = 0
		if f.window, err = f.r.Peek(n); len(f.window) < n {
			return f.window, err
		}
		f.window, _ = f.r.Peek(f.r.Buffered())
	}
	return f.window[f.used : f.used+n], nil
}

// begin finds the stride of a stream that begins with a packet, or with the four bytes before one.
func (f *framer) begin() {
	f.begun = true
	b, _ := f.peek(4 * 204)
	for _, i := range [...]int{0, 4} {
		if i < len(b) && b[i] == syncByte {
			if s := strideAt(b[i:], false); s > 0 {
				f.stride, f.between = s, i
				return
			}
		}
	}
}

func (f *framer) discard(n int) {
	k := min(n, len(f.window)-f.used)
	f.used, f.at = f.used+k, f.at+int64(k)
	if n > k {
		_, _ = f.r.Discard(f.used)
		f.window, f.used = nil, 0
		n, _ = f.r.Discard(n - k) // what is missing shows at the next peek
		f.at += int64(n)
	}
}

// resync looks for the next byte from which three packets in a row begin with the sync byte, at any of the strides in use;
// near the end of the stream fewer are asked for.
func (f *framer) resync() error {
	f.lostAt = f.at
	for {
		b, err := f.peek(4 * 204)
		if len(b) < packetSize {
			f.lost += int64(len(b))
			f.discard(len(b))
			return errOr(err, io.EOF)
		}
		for i := 0; i+packetSize <= len(b); i++ {
			j := bytes.IndexByte(b[i:], syncByte)
			if j < 0 {
				break
			}
			i += j
			if stride := strideAt(b[i:], len(b) < 4*204); stride > 0 {
				f.stride = stride
				f.lost += int64(i)
				f.discard(i)
				return nil
			}
		}
		n := len(b) - packetSize + 1
		f.lost += int64(n)
		f.discard(n)
	}
}

// strideAt is the distance at which packets follow each other from the front of b, 0 when they do not.
func strideAt(b []byte, last bool) int {
	for _, s := range [...]int{packetSize, 192, 204} {
		if len(b) > 2*s && b[s] == syncByte && b[2*s] == syncByte {
			return s
		}
	}
	for _, s := range [...]int{packetSize, 192, 204} { // near the end two packets must do, or one
		if last && b[0] == syncByte && (len(b) <= s || len(b) <= 2*s && b[s] == syncByte) {
			return s
		}
	}
	return 0
}

func errOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// Looks reports whether b, the first bytes of a file (a kilobyte will do), are a transport stream: packets of one of the
// strides in use, from the first bytes on.
func Looks(b []byte) bool {
	for _, i := range [...]int{0, 4} { // an M2TS packet has four bytes before the sync byte
		if i < len(b) && b[i] == syncByte && strideAt(b[i:], len(b) < 3*204) > 0 {
			return true
		}
	}
	return false
}
