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

// number is the value of the integer y on the scale that begins at lo. Zero is exact where the range holds it: what rounding
// leaves there is less than half a step.
func (s *imapScale) number(y uint64, lo float64) float64 {
	x := s.reverse*(float64(y)-s.zero) + lo
	if s.zero != 0 && math.Abs(x) < s.reverse/2 {
		return 0
	}
	return x
}

// code is the integer of x, rounded down as ST 1201 has it; but a number that is itself on the scale keeps its integer, so that
// what was decoded is written back as it came.
func (s *imapScale) code(x, lo float64) uint64 {
	y := uint64(s.forward*(x-lo) + s.zero)
	if s.number(y, lo) != x && s.number(y+1, lo) == x {
		return y + 1
	}
	return y
}

// IMAPKind says what an ST 1201 integer stands for.
type IMAPKind uint8

// The kinds of ST 1201.5 table 1 and section 7.2.3.
const (
	OnScale       IMAPKind = iota // a number
	Infinity                      // plus or minus
	QuietNaN                      // IEEE 754 not-a-number, with a payload
	SignallingNaN                 // likewise
	BelowMinimum                  // of the range
	AboveMaximum
	UserDefined  // by the parties
	ReservedCode // by the standard, for later
)

var imapKindNames = [...]string{"on scale", "infinity", "quiet NaN", "signalling NaN", "below minimum", "above maximum", "user defined", "reserved"}

// String is the kind in words.
func (k IMAPKind) String() string { return imapKindNames[min(int(k), len(imapKindNames)-1)] }

// The first five bits of codes that are not on the scale (ST 1201.5 table 1), without their sign, which is the third of them.
const (
	imapUser     = 0b11000
	imapInfinity = 0b11001
	imapQuiet    = 0b11010
	imapSignal   = 0b11011
	imapMISB     = 0b11100 // with three more bits: 0 below minimum, 1 above maximum
	imapMinus    = 0b00100
)

// An IMAPValue is what an ST 1201 integer says.
type IMAPValue struct {
	Kind     IMAPKind
	Number   float64 // of OnScale; otherwise the infinity or not-a-number that comes nearest
	Negative bool    // of Infinity, QuietNaN, SignallingNaN
	Payload  uint64  // the bits after the code's own, of the NaNs, UserDefined and ReservedCode
}

// ReadIMAPB reads b (1 to 8 bytes) on the scale lo..hi; false where b or the range can be none.
func ReadIMAPB(b []byte, lo, hi float64) (IMAPValue, bool) {
	if len(b) == 0 || len(b) > 8 || !(lo < hi) {
		return IMAPValue{Kind: ReservedCode, Number: math.NaN()}, false
	}
	y, free := uintOf(b), 8*len(b)-5
	if y <= 1<<(free+4) { // the greatest is hi itself where hi-lo is a power of two
		s := scaleOf(lo, hi, len(b))
		return IMAPValue{Number: s.number(y, lo)}, true
	}
	v := IMAPValue{Kind: ReservedCode, Number: math.NaN(), Payload: y & (1<<free - 1)}
	switch code := y >> free; code {
	case imapUser:
		v.Kind = UserDefined
	case imapInfinity, imapInfinity | imapMinus:
		v.Negative = code&imapMinus != 0
		if v.Payload == 0 {
			v.Kind, v.Number = Infinity, signed(math.Inf(1), v.Negative)
		}
	case imapQuiet, imapQuiet | imapMinus:
		v.Kind, v.Negative = QuietNaN, code&imapMinus != 0
		v.Number = signed(math.NaN(), v.Negative)
	case imapSignal, imapSignal | imapMinus:
		v.Kind, v.Negative = SignallingNaN, code&imapMinus != 0
	case imapMISB:
		switch v.Payload {
		case 0:
			v.Kind, v.Number, v.Negative = BelowMinimum, math.Inf(-1), true
		case 1 << (free - 3):
			v.Kind, v.Number, v.Payload = AboveMaximum, math.Inf(1), 0
		}
	}
	return v, true
}

func signed(x float64, negative bool) float64 {
	if negative {
		return math.Copysign(x, -1)
	}
	return x
}

// AppendIMAPB writes the value as an integer of size bytes (1 to 8) that maps lo..hi; false where it cannot be: a number outside
// the range, a payload too long, a reserved code.
func AppendIMAPB(out []byte, v IMAPValue, lo, hi float64, size int) ([]byte, bool) {
	if size < 1 || size > 8 || !(lo < hi) {
		return out, false
	}
	free := 8*size - 5
	var y uint64
	switch v.Kind {
	case OnScale:
		if !(v.Number >= lo && v.Number <= hi) {
			return out, false
		}
		s := scaleOf(lo, hi, size)
		y = s.code(v.Number, lo)
	case BelowMinimum, AboveMaximum:
		y = imapMISB<<free | uint64(v.Kind-BelowMinimum)<<(free-3)
	case ReservedCode:
		return out, false
	default:
		code := uint64([...]uint8{Infinity: imapInfinity, QuietNaN: imapQuiet, SignallingNaN: imapSignal, UserDefined: imapUser}[v.Kind])
		if v.Negative && v.Kind != UserDefined {
			code |= imapMinus
		}
		if v.Payload >= 1<<free || v.Kind == Infinity && v.Payload != 0 {
			return out, false
		}
		y = code<<free | v.Payload
	}
	return appendUint(out, y, size), true
}

// EncodeIMAPB writes x as an integer of size bytes (1 to 8) that maps lo..hi, by MISB ST 1201. Infinities and NaN get their
// own codes; any other x outside lo..hi gets "below minimum" or "above maximum". lo must be below hi.
func EncodeIMAPB(x, lo, hi float64, size int) []byte {
	v := IMAPValue{Number: x}
	switch {
	case math.IsInf(x, 0):
		v = IMAPValue{Kind: Infinity, Negative: x < 0}
	case math.IsNaN(x):
		v = IMAPValue{Kind: QuietNaN, Negative: math.Signbit(x)}
	case x < lo:
		v.Kind = BelowMinimum
	case x > hi:
		v.Kind = AboveMaximum
	}
	out, _ := AppendIMAPB(nil, v, lo, hi, size)
	return out
}

// DecodeIMAPB is the value of b (1 to 8 bytes) on the scale lo..hi. Special codes come back as infinities or NaN, with ok
// false where the code is no number at all (below minimum, above maximum, user defined, reserved).
func DecodeIMAPB(b []byte, lo, hi float64) (x float64, ok bool) {
	v, ok := ReadIMAPB(b, lo, hi)
	if !ok || v.Kind > QuietNaN {
		return math.NaN(), false
	}
	return v.Number, true
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

// appendUint writes the low size bytes of v.
func appendUint(b []byte, v uint64, size int) []byte {
	for i := size - 1; i >= 0; i-- {
		b = append(b, byte(v>>(8*i)))
	}
	return b
}

// halfOf is an IEEE 754 binary16 number.
func halfOf(h uint16) float64 {
	exponent, fraction := int(h>>10&31), float64(h&0x3ff)
	x := math.Ldexp(fraction+1024, exponent-25)
	switch {
	case exponent == 0:
		x = math.Ldexp(fraction, -24)
	case exponent == 31 && fraction == 0:
		x = math.Inf(1)
	case exponent == 31:
		x = math.NaN()
	}
	return signed(x, h>>15 != 0)
}

// halfBits is x as an IEEE 754 binary16 number, rounded to the nearest, ties to even.
func halfBits(x float64) uint16 {
	sign := uint16(0)
	if math.Signbit(x) {
		sign = 1 << 15
	}
	a := math.Abs(x)
	switch {
	case math.IsNaN(x):
		return sign | 0x7e00
	case a >= 65520: // half way between the greatest number and the next power of two
		return sign | 0x7c00
	case a < 0x1p-14:
		return sign | uint16(math.RoundToEven(a*0x1p24))
	}
	f, e := math.Frexp(a)
	return sign | (uint16(e+14)<<10 + uint16(math.RoundToEven((2*f-1)*1024)))
}
