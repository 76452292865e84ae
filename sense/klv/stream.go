package klv

import (
	"bytes"
	"fmt"
	"io"
)

// MaxPacket is the longest packet that is taken for one, in bytes. A greater length is held to be damage.
const MaxPacket = 16 << 20

// A Packet is one key, length and value found in a stream.
type Packet struct {
	// Bytes is the packet from its key on, valid until the next call of Next. Leading key bytes that were lost on the way
	// are put back, so that it decodes: the first Missing bytes were not in the stream.
	Bytes   []byte
	Missing int
	// Offset is the position in the stream of the first byte that was there.
	Offset int64
	// Skipped counts the bytes passed over before the packet because no key began there (zero padding is not counted).
	Skipped int64
	// Truncated says that the packet ends before its length does.
	Truncated bool
}

// Problems are what was wrong with how the packet lay in the stream at its Offset, one line each.
func (p *Packet) Problems() (out []string) {
	if p.Skipped > 0 {
		out = append(out, fmt.Sprintf("%d bytes before this packet belong to none; resynchronised", p.Skipped))
	}
	if p.Missing > 0 {
		out = append(out, fmt.Sprintf("the first %d bytes of the key are missing; found by the rest of it", p.Missing))
	}
	if p.Truncated {
		out = append(out, "the packet is cut short")
	}
	return out
}

// A Splitter finds the packets in bytes that come piece by piece. The zero value is ready. It keeps at most one packet and
// one piece in memory.
type Splitter struct {
	buf     []byte
	start   int   // of what is not yet consumed, in buf
	base    int64 // stream offset of buf[start]
	skipped int64
	ended   bool
	// ahead asks to see what follows a packet before it is believed, so that a length that was damaged does not swallow its
	// neighbours. Off, a packet is given as soon as its last byte came.
	ahead bool
	// repaired is the room in which a packet whose key is damaged is put together.
	repaired []byte
}

// Feed adds bytes; they are copied.
func (s *Splitter) Feed(b []byte) {
	if s.start > 0 && s.start >= len(s.buf)/2 {
		s.buf = s.buf[:copy(s.buf, s.buf[s.start:])]
		s.start = 0
	}
	s.buf = append(s.buf, b...)
	s.ended = false
}

// End says that what was fed so far is all there is up to here: at the end of a stream, or where bytes were lost. What is
// left is then given as it is. Feeding may go on afterwards; offsets run on.
func (s *Splitter) End() { s.ended = true }

// Pending is the number of bytes fed and not yet consumed.
func (s *Splitter) Pending() int { return len(s.buf) - s.start }

// Skipped is the number of bytes that were passed over since the last packet.
func (s *Splitter) Skipped() int64 { return s.skipped }

func (s *Splitter) consume(n int) { s.start, s.base = s.start+n, s.base+int64(n) }

// Next gives the next packet, or false when more bytes are needed (or, after End, when no packet is left).
func (s *Splitter) Next() (Packet, bool) {
	for {
		b := s.buf[s.start:]
		at, missing, found := findKey(b)
		if !found {
			keep := min(15, len(b)) // a key may have begun
			if s.ended {
				keep = 0
			}
			s.pass(b[:len(b)-keep])
			return Packet{}, false
		}
		s.pass(b[:at])
		b = b[at:]
		size, state := s.measure(b, 16-missing)
		switch state {
		case needMore:
			return Packet{}, false
		case notAPacket:
			s.skipped += int64(16 - missing)
			s.consume(16 - missing)
			continue
		}
		p := Packet{Bytes: b[:size:size], Missing: missing, Offset: s.base, Skipped: s.skipped, Truncated: state == cut}
		if missing > 0 {
			p.Bytes = s.repair(b[:size], missing)
		}
		s.skipped = 0
		s.consume(size)
		return p, true
	}
}

// pass consumes bytes that belong to no packet. Zero and 0xff bytes are padding.
func (s *Splitter) pass(b []byte) {
	for _, c := range b {
		if c != 0 && c != 0xff {
			s.skipped += int64(len(b))
			break
		}
	}
	s.consume(len(b))
}

type measured uint8

const (
	whole measured = iota
	cut
	needMore
	notAPacket
)

// measure finds how many bytes the packet at the front of b takes, whose key has k bytes there.
func (s *Splitter) measure(b []byte, k int) (int, measured) {
	if len(b) < k {
		return len(b), s.orCut()
	}
	length, l := berLength(b[k:])
	if l < 0 || l > 0 && length > MaxPacket {
		return 0, notAPacket
	}
	if l == 0 {
		return len(b), s.orCut()
	}
	size := k + l + int(length)
	if len(b) >= size {
		rest := b[size:]
		if len(rest) < 4 && !s.ended && s.ahead {
			return 0, needMore
		}
		if len(rest) < 4 || followsWell(rest) {
			return size, whole
		}
		if inner := innerKey(b[k+l : size]); inner >= 0 {
			return k + l + inner, cut
		}
		return size, whole
	}
	if !s.ended {
		return 0, needMore
	}
	if inner := innerKey(b[k+l:]); inner >= 0 {
		return k + l + inner, cut
	}
	return len(b), cut
}

func (s *Splitter) orCut() measured {
	if s.ended {
		return cut
	}
	return needMore
}

// followsWell says that b may begin what comes after a whole packet: a key, a damaged key or padding.
func followsWell(b []byte) bool {
	if [4]byte(b) == keyPrefix || b[0] == 0 && b[1] == 0 || b[0] == 0xff && b[1] == 0xff {
		return true
	}
	at, _, found := findKey(b[:min(len(b), 24)])
	return found && at == 0
}

// innerKey is where the key of a known set stands in a value that should not hold one, -1 when there is none.
func innerKey(b []byte) int {
	for i := 0; ; {
		j := bytes.Index(b[i:], keyPrefix[:])
		if j < 0 || i+j+16 > len(b) {
			return -1
		}
		if i += j; standsAlone(StandardOf(UL(b[i:]))) {
			return i
		}
		i += 4
	}
}

// standsAlone says that a key of this standard within a value means that a packet began there: the sets of security are nested in
// universal sets with their keys.
func standsAlone(std *Standard) bool { return std == ST0601 || std == EG0104 || std == ST0903 }

// keyTails are the last eight bytes of the keys (of the first three standards) by which a packet is found again when the
// bytes before are damaged.
var keyTails = [3][8]byte{[8]byte(ST0601.Key[8:]), [8]byte(EG0104.Key[8:]), [8]byte(ST0903.Key[8:])}

// findKey looks for the first place in b where a packet begins: a key that begins as one, or the tail of a known key whose
// beginning is lost (missing bytes of it). One pass: both hold the byte 0e.
func findKey(b []byte) (at, missing int, found bool) {
	if len(b) >= 5 && [4]byte(b) == keyPrefix {
		return 0, 0, true
	}
	for i := 0; i < len(b); i++ {
		j := bytes.IndexByte(b[i:], 0x0e)
		if j < 0 {
			return 0, 0, false
		}
		i += j
		if i > 0 && i+4 <= len(b) && b[i-1] == 0x06 && b[i+1] == 0x2b && b[i+2] == 0x34 && b[i+3] == 0x02 {
			return i - 1, 0, true
		}
		if i+8 > len(b) {
			continue
		}
		for k := range keyTails {
			if [8]byte(b[i:]) == keyTails[k] {
				n := 0 // key bytes before the tail that are still there
				for n < 8 && n < i && b[i-1-n] == standards[k].Key[7-n] {
					n++
				}
				return i - n, 8 - n, true
			}
		}
	}
	return 0, 0, false
}

func (s *Splitter) repair(b []byte, missing int) []byte {
	var key UL
	for k := range keyTails {
		if bytes.HasPrefix(b[8-missing:], keyTails[k][:]) {
			key = standards[k].Key
		}
	}
	s.repaired = append(append(s.repaired[:0], key[:missing]...), b...)
	return s.repaired
}

// A Reader finds the packets in a stream that holds nothing else: a raw KLV file.
type Reader struct {
	r     io.Reader
	s     Splitter
	piece []byte
	err   error
}

// NewReader reads r to its end, piece by piece: small ones first, so that a short stream costs little.
func NewReader(r io.Reader) *Reader {
	return &Reader{r: r, s: Splitter{ahead: true}, piece: make([]byte, 4<<10)}
}

// Next gives the next packet; its bytes are valid until the following call. It ends with io.EOF, or with the error of the
// reader underneath after the packets that came before it.
func (r *Reader) Next() (Packet, error) {
	for {
		if p, ok := r.s.Next(); ok {
			return p, nil
		}
		if r.err != nil {
			return Packet{}, r.err
		}
		n, err := r.r.Read(r.piece)
		r.s.Feed(r.piece[:n])
		if err != nil {
			r.err = err
			r.s.End()
		} else if n == len(r.piece) && n < 64<<10 {
			r.piece = make([]byte, 64<<10)
		}
	}
}

// Skipped is the number of bytes passed over since the last packet: after io.EOF, at the end of the stream.
func (r *Reader) Skipped() int64 { return r.s.skipped }

// Offset is the position in the stream up to which everything was given or passed over.
func (r *Reader) Offset() int64 { return r.s.base }
