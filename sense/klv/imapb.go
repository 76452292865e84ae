package klv

import "math"

// imapScale holds the constants of one IMAPB mapping (MISB ST 1201, section 7.2): [lo, hi] onto the integers of size bytes
// whose top bit is clear, with a power of two as the scale so that both ways are exact in binary.
type imapScale struct{ forward, reverse, zero float64 }

func scaleOf(lo, hi float64, size int) imapScale {
	bPow := math.Ceil(math.Log2(hi - lo))
	dPow := float64(8*size - 1)
	s := imapScale{forward: math.Exp2(dPow - bPow), reverse: math.Exp2(bPow - dPow)}
	if lo < 0 && hi > 0 { // so that 0 maps onto an integer exactly
		s.zero = s.forward*lo - math.Floor(s.forward*lo)
	}
	return s
}

// The values of ST 1201 table 1 that are not on the scale, as the top five bits of the first byte.
const (
	imapPlusInf  = 0b11001
	imapMinusInf = 0b11101
	imapPlusNaN  = 0b11010
	imapMinusNaN = 0b11110
)

// EncodeIMAPB writes x as an integer of size bytes (1 to 8) that maps lo..hi, by MISB ST 1201. Infinities and NaN get their
// own codes; any other x outside lo..hi gets "below minimum" or "above maximum". lo must be below hi.
func EncodeIMAPB(x, lo, hi float64, size int) []byte {
	out := make([]byte, size)
	switch {
	case math.IsInf(x, 1):
		out[0] = imapPlusInf << 3
	case math.IsInf(x, -1):
		out[0] = imapMinusInf << 3
	case math.IsNaN(x) && math.Signbit(x):
		out[0] = imapMinusNaN << 3
	case math.IsNaN(x):
		out[0] = imapPlusNaN << 3
	case x < lo:
		out[0] = 0xe0
	case x > hi:
		out[0] = 0xe1
	default:
		s := scaleOf(lo, hi, size)
		putUint(out, uint64(s.forward*(x-lo)+s.zero))
	}
	return out
}

// DecodeIMAPB is the value of b (1 to 8 bytes) on the scale lo..hi. Special codes come back as infinities or NaN, with ok
// false where the code is no number at all (below minimum, above maximum, reserved).
func DecodeIMAPB(b []byte, lo, hi float64) (x float64, ok bool) {
	if len(b) == 0 || len(b) > 8 || !(lo < hi) {
		return math.NaN(), false
	}
	y := uintOf(b)
	if top := uint64(1) << (8*len(b) - 1); y > top { // y == top is hi itself where hi-lo is a power of two
		switch b[0] >> 3 {
		case imapPlusInf:
			return math.Inf(1), true
		case imapMinusInf:
			return math.Inf(-1), true
		case imapPlusNaN:
			return math.NaN(), true
		case imapMinusNaN:
			return math.Copysign(math.NaN(), -1), true
		}
		return math.NaN(), false
	}
	s := scaleOf(lo, hi, len(b))
	return s.reverse*(float64(y)-s.zero) + lo, true
}

func uintOf(b []byte) (v uint64) {
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v
}

// intOf reads b as two's complement.
func intOf(b []byte) int64 {
	shift := 64 - 8*len(b)
	return int64(uintOf(b)<<shift) >> shift
}

func putUint(b []byte, v uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i], v = byte(v), v>>8
	}
}
