package klv

import (
	"encoding/binary"
	"fmt"
)

// checksumKind is a way to compute the checksum of a set that stands alone.
type checksumKind uint8

const (
	noSum checksumKind = iota
	// runningSum is the sum of the packet's 16-bit words from the key up to the checksum's own length byte; an odd last byte is
	// the high half of its word (ST 0601 section 7.4; ST 0903).
	runningSum
	// crc16 is CRC-16-CCITT: polynomial 0x1021, the register starting at all ones, over the same bytes and two zero bytes after
	// them (MISP Motion Imagery Handbook, whose values are in the tests; ST 1107, ST 1108, ST 1002).
	crc16
	// crc32 is CRC-32/MPEG-2, polynomial 0x04c11db7, starting at all ones, neither reflected nor inverted (ST 0806 section 7).
	crc32
)

// bytes is how long the checksum's value is.
func (k checksumKind) bytes() int { return [...]int{noSum: 0, runningSum: 2, crc16: 2, crc32: 4}[k] }

// of computes the checksum of b, the packet up to the checksum's value.
func (k checksumKind) of(b []byte) uint32 {
	switch k {
	case crc16:
		return uint32(crc16CCITT(b))
	case crc32:
		return crc32MPEG(b)
	}
	return uint32(sum16(b))
}

// verify compares the packet's checksum, if its standard has one.
func (s *Set) verify(packet []byte) {
	c := s.Standard.check
	if c.how == noSum {
		return
	}
	it := s.Item(c.tag)
	if it == nil || it.State != Given {
		s.problem(0, fmt.Sprintf("no checksum (item %d)", c.tag))
		return
	}
	if last := &s.Items[len(s.Items)-1]; last.Tag != c.tag {
		s.problem(it.At, fmt.Sprintf("the checksum (item %d) is not the last item", c.tag))
	}
	sum := c.how.of(packet[:it.At+len(it.Raw)-len(it.Value)])
	if s.Checksum = Right; sum != uint32(it.Integer) {
		s.Checksum = Stale
		digits := 2 * c.how.bytes()
		s.problem(it.At, fmt.Sprintf("stale checksum: %0*x is written, the bytes sum to %0*x", digits, it.Integer, digits, sum))
	}
}

// sum16 adds the big-endian 16-bit words of b, modulo 2^16. Eight bytes are added at a time: the words of each load go into the
// 32-bit halves of two accumulators, whose upper bits are thrown away at the end. A half overflows into its neighbour only after
// 2^16 loads, so blocks are shorter than that.
func sum16(b []byte) uint16 {
	const half = 0x0000ffff0000ffff
	var total uint64
	for len(b) >= 32 {
		block := b[:min(len(b)&^31, 1<<18)]
		b = b[len(block):]
		var even, odd uint64
		for len(block) >= 32 {
			v, w := binary.BigEndian.Uint64(block), binary.BigEndian.Uint64(block[8:])
			x, y := binary.BigEndian.Uint64(block[16:]), binary.BigEndian.Uint64(block[24:])
			even += v&half + w&half + x&half + y&half
			odd += v>>16&half + w>>16&half + x>>16&half + y>>16&half
			block = block[32:]
		}
		total += even>>32 + even&0xffffffff + odd>>32 + odd&0xffffffff
	}
	for len(b) >= 2 {
		total += uint64(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		total += uint64(b[0]) << 8
	}
	return uint16(total)
}

func crc16CCITT(b []byte) uint16 {
	crc := ^uint16(0)
	for _, c := range b {
		crc = crc16Step(crc, c)
	}
	return crc16Step(crc16Step(crc, 0), 0)
}

// crc16Step shifts one byte into the register.
func crc16Step(crc uint16, c byte) uint16 {
	for bit := 7; bit >= 0; bit-- {
		high := crc&0x8000 != 0
		crc = crc<<1 | uint16(c>>bit&1)
		if high {
			crc ^= 0x1021
		}
	}
	return crc
}

func crc32MPEG(b []byte) uint32 {
	crc := ^uint32(0)
	for _, c := range b {
		crc ^= uint32(c) << 24
		for range 8 {
			high := crc&(1<<31) != 0
			crc <<= 1
			if high {
				crc ^= 0x04c11db7
			}
		}
	}
	return crc
}
