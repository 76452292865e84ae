package storm

import (
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
	"strconv"
)

// A hand makes inputs: number n is one of the seeds with a few edits, drawn by chance that n and the storm's seed begin. Most
// inputs have one to three edits, so that most of a seed's structure stands; some have dozens. Its inputs are overwritten by the
// next. Not for concurrent use.
type hand struct {
	*rand.Rand
	pcg     *rand.PCG
	seed    uint64
	seeds   [][]any
	values  []any
	bytes   [][]byte // by argument: the room of what is bytes or text
	isText  []bool
	scratch []byte
	donor   int   // which seed the edits of this input take blocks from
	arg     int   // which argument is being edited
	used    []int // by edit: how often it changed an input
	total   int   // of weights of edits
}

func newHand(seed uint64, seeds [][]any) *hand {
	h := &hand{pcg: rand.NewPCG(0, 0), seed: seed, seeds: seeds, scratch: make([]byte, 0, Bound), used: make([]int, len(edits))}
	h.Rand = rand.New(h.pcg)
	h.values = make([]any, len(seeds[0]))
	h.bytes = make([][]byte, len(seeds[0]))
	h.isText = make([]bool, len(seeds[0]))
	for i, v := range seeds[0] {
		switch v.(type) {
		case []byte:
			h.bytes[i] = make([]byte, 0, Bound)
		case string:
			h.bytes[i], h.isText[i] = make([]byte, 0, Bound), true
		}
	}
	for _, e := range edits {
		h.total += e.weight
	}
	return h
}

// input makes input n. It is valid until the next call.
func (h *hand) input(n uint64) []any {
	h.pcg.Seed(h.seed, n)
	from := h.seeds[h.IntN(len(h.seeds))]
	h.donor = h.IntN(len(h.seeds))
	for i, v := range from {
		switch v := v.(type) {
		case []byte:
			h.bytes[i] = append(h.bytes[i][:0], v[:min(len(v), Bound)]...)
		case string:
			h.bytes[i] = append(h.bytes[i][:0], v[:min(len(v), Bound)]...)
		default:
			h.values[i] = v
		}
	}
	for range h.howMany() {
		h.edit()
	}
	for i, b := range h.bytes {
		switch {
		case b == nil:
		case h.isText[i]:
			h.values[i] = string(b)
		default:
			h.values[i] = b[:len(b):len(b)] // what reads beyond its end is caught
		}
	}
	return h.values
}

// howMany edits an input has: three in four have one to three, the rest up to 8, one in sixteen up to 64.
func (h *hand) howMany() int {
	switch r := h.IntN(16); {
	case r < 12:
		return 1 + h.IntN(3)
	case r < 15:
		return 4 + h.IntN(5)
	}
	return 8 + h.IntN(57)
}

// edit changes one argument once. Long ones are drawn more often: a name of four letters beside a file of a thousand bytes is
// mostly left as it is.
func (h *hand) edit() {
	weight := func(i int) int {
		if h.bytes[i] == nil {
			return 2
		}
		return 1 + min(len(h.bytes[i])/8, 15)
	}
	sum := 0
	for i := range h.values {
		sum += weight(i)
	}
	r := h.IntN(sum)
	for h.arg = 0; r >= weight(h.arg); h.arg++ {
		r -= weight(h.arg)
	}
	if h.bytes[h.arg] == nil {
		h.values[h.arg] = h.scalar(h.values[h.arg], h.seeds[h.donor][h.arg])
		return
	}
	for range 8 { // an edit that does not apply, such as one of a number where there is none, makes room for another
		i := h.drawEdit()
		if b, ok := edits[i].apply(h, h.bytes[h.arg]); ok {
			h.bytes[h.arg] = b
			h.used[i]++
			return
		}
	}
}

func (h *hand) drawEdit() int {
	r := h.IntN(h.total)
	for i, e := range edits {
		if r -= e.weight; r < 0 {
			return i
		}
	}
	panic("storm: weights of edits do not sum up")
}

// edits are all kinds of edits of bytes and text. Each works in place, within Bound, and says whether it applied.
var edits = []struct {
	name   string
	weight int
	apply  func(*hand, []byte) ([]byte, bool)
}{
	{"flip a bit", 12, (*hand).flipBit},
	{"another byte", 10, (*hand).otherByte},
	{"a little more or less", 8, (*hand).addLittle},
	{"an interesting integer", 10, (*hand).interesting},
	{"another length", 12, (*hand).otherLength},
	{"a longer or shorter content with its length", 8, (*hand).resize},
	{"cut off the end", 4, (*hand).truncate},
	{"cut off the beginning", 1, (*hand).behead},
	{"take a block out", 6, (*hand).remove},
	{"a block once more", 6, (*hand).duplicate},
	{"a block many times", 2, (*hand).multiply},
	{"a block over another", 5, (*hand).copyOver},
	{"two blocks in each other's place", 3, (*hand).swap},
	{"a block filled with one byte", 2, (*hand).fill},
	{"bytes put in", 5, (*hand).insertBytes},
	{"a token put in", 4, (*hand).insertToken},
	{"another number in words", 6, (*hand).otherNumber},
	{"a block of another seed put in", 6, (*hand).splice},
	{"a block of another seed over its own", 4, (*hand).spliceOver},
	{"the beginning of one seed and the end of another", 3, (*hand).cross},
}

// place is an index below n, which must be positive: any, or one near the beginning, where headers are.
func (h *hand) place(n int) int {
	if h.IntN(3) == 0 {
		n = min(n, 64)
	}
	return h.IntN(n)
}

// size is between 1 and most; small ones as often as great ones.
func (h *hand) size(most int) int {
	return 1 + h.IntN(min(most, 1<<h.IntN(bits.Len(uint(most))+1)))
}

// packet is the length of a transport packet: blocks of it are what transport streams are made of.
const packet = 188

// block is a stretch of n bytes that is not empty; of long inputs, in one of four cases a whole number of packets.
func (h *hand) block(n int) (from, to int) {
	if n >= 2*packet && h.IntN(4) == 0 {
		k := n / packet
		i := h.IntN(k)
		return i * packet, (i + h.size(k-i)) * packet
	}
	from = h.place(n)
	return from, from + h.size(n-from)
}

// put inserts a piece, which must not be part of b, as far as there is room.
func put(b []byte, at int, piece []byte) []byte {
	n := len(b)
	piece = piece[:min(len(piece), Bound-n)]
	b = b[:n+len(piece)]
	copy(b[at+len(piece):], b[at:n])
	copy(b[at:], piece)
	return b
}

// take removes b[from:to].
func take(b []byte, from, to int) []byte { return append(b[:from], b[to:]...) }

// kept copies a piece of b to where edits of b do not reach.
func (h *hand) kept(piece []byte) []byte {
	h.scratch = append(h.scratch[:0], piece...)
	return h.scratch
}

func (h *hand) flipBit(b []byte) ([]byte, bool) {
	if len(b) == 0 {
		return b, false
	}
	b[h.place(len(b))] ^= 1 << h.IntN(8)
	return b, true
}

func (h *hand) otherByte(b []byte) ([]byte, bool) {
	if len(b) == 0 {
		return b, false
	}
	b[h.place(len(b))] ^= byte(1 + h.IntN(255))
	return b, true
}

// form draws how an integer may lie in b: its width in bytes, its order, and where; ok is false where b is too short.
func (h *hand) form(b []byte) (at, width int, order binary.ByteOrder, ok bool) {
	width = 1 << h.IntN(4)
	if len(b) < width {
		return 0, 0, nil, false
	}
	order = binary.BigEndian
	if h.IntN(3) == 0 {
		order = binary.LittleEndian
	}
	return h.place(len(b) - width + 1), width, order, true
}

func get(b []byte, width int, order binary.ByteOrder) uint64 {
	switch width {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(order.Uint16(b))
	case 4:
		return uint64(order.Uint32(b))
	}
	return order.Uint64(b)
}

func set(b []byte, width int, order binary.ByteOrder, v uint64) {
	switch width {
	case 1:
		b[0] = byte(v)
	case 2:
		order.PutUint16(b, uint16(v))
	case 4:
		order.PutUint32(b, uint32(v))
	default:
		order.PutUint64(b, v)
	}
}

func (h *hand) addLittle(b []byte) ([]byte, bool) {
	at, width, order, ok := h.form(b)
	if ok {
		by := uint64(1 + h.IntN(32))
		if h.IntN(2) == 0 {
			by = -by
		}
		set(b[at:], width, order, get(b[at:], width, order)+by)
	}
	return b, ok
}

// ends are integers at which widths and signs end; each is used as it is and by one more and less.
var ends = []uint64{0, 16, 32, 64, 100, 127, 128, 255, 256, 1000, 1024, 4096, math.MaxInt16, 1 << 15, math.MaxUint16, 1 << 16,
	1<<24 - 1, math.MaxInt32, 1 << 31, math.MaxUint32, 1 << 32, 1 << 33, 1 << 53, math.MaxInt64, 1 << 63, math.MaxUint64}

func (h *hand) endOf() uint64 { return ends[h.IntN(len(ends))] + uint64(h.IntN(3)) - 1 }

func (h *hand) interesting(b []byte) ([]byte, bool) {
	at, width, order, ok := h.form(b)
	if ok {
		set(b[at:], width, order, h.endOf())
	}
	return b, ok
}

// A field is an integer in b that could be the length of what follows it.
type field struct {
	at, width int
	order     binary.ByteOrder
	v         int // bytes that it announces
}

func (f field) content() int { return f.at + f.width }

// length finds a field whose content ends within b.
func (h *hand) length(b []byte) (field, bool) {
	for range 12 {
		at, width, order, ok := h.form(b)
		if !ok {
			continue
		}
		f := field{at: at, width: width, order: order}
		if k := int(b[at] & 0x7f); b[at] > 0x80 && k <= 8 && k&(k-1) == 0 && at+1+k <= len(b) {
			f = field{at: at + 1, width: k, order: binary.BigEndian} // the long form of BER: a byte 0x80 + k before it (ISO/IEC 8825-1, 8.1.3.5)
		}
		v := get(b[f.at:], f.width, f.order)
		if v > 0 && v <= uint64(len(b)-f.content()) {
			f.v = int(v)
			return f, true
		}
	}
	return field{}, false
}

func (h *hand) otherLength(b []byte) ([]byte, bool) {
	f, ok := h.length(b)
	if !ok {
		return b, false
	}
	rest := uint64(len(b) - f.content())
	v := uint64(f.v)
	switch h.IntN(10) {
	case 0:
		v--
	case 1:
		v++
	case 2:
		v += uint64(1 + h.IntN(16))
	case 3:
		v -= uint64(1 + h.IntN(16))
	case 4:
		v = 0
	case 5:
		v = rest
	case 6:
		v = rest + 1
	case 7:
		v *= 2
	case 8:
		v = uint64(h.IntN(int(rest) + 1))
	default:
		v = h.endOf()
	}
	set(b[f.at:], f.width, f.order, v)
	return b, true
}

// resize puts bytes into the content of a field, or takes some out, and sets its length to what it then is, so that what stands
// around it is still read.
func (h *hand) resize(b []byte) ([]byte, bool) {
	f, ok := h.length(b)
	if !ok {
		return b, false
	}
	at := f.content() + h.IntN(f.v)
	if h.IntN(2) == 0 {
		n := h.size(f.content() + f.v - at)
		b = take(b, at, at+n)
		f.v -= n
	} else {
		n := len(b)
		b = put(b, at, h.random(h.size(64)))
		f.v += len(b) - n
	}
	set(b[f.at:], f.width, f.order, uint64(f.v))
	return b, true
}

// random gives n bytes: any, one byte many times, or printable ones.
func (h *hand) random(n int) []byte {
	p := h.scratch[:n]
	kind, one := h.IntN(4), byte(h.IntN(256))
	for i := range p {
		switch kind {
		case 0:
			p[i] = one
		case 1:
			p[i] = byte(' ' + h.IntN(95))
		default:
			p[i] = byte(h.IntN(256))
		}
	}
	return p
}

func (h *hand) truncate(b []byte) ([]byte, bool) {
	if len(b) == 0 {
		return b, false
	}
	if h.IntN(2) == 0 {
		return b[:h.place(len(b))], true
	}
	return b[:len(b)-h.size(len(b))], true
}

func (h *hand) behead(b []byte) ([]byte, bool) {
	if len(b) == 0 {
		return b, false
	}
	return take(b, 0, h.size(len(b))), true
}

func (h *hand) remove(b []byte) ([]byte, bool) {
	if len(b) == 0 {
		return b, false
	}
	from, to := h.block(len(b))
	return take(b, from, to), true
}

func (h *hand) duplicate(b []byte) ([]byte, bool) {
	if len(b) == 0 || len(b) == Bound {
		return b, false
	}
	from, to := h.block(len(b))
	at := to
	if h.IntN(2) == 0 {
		at, _ = h.block(len(b))
	}
	return put(b, at, h.kept(b[from:to])), true
}

// multiply repeats a block up to 1024 times: depth and number are what makes memory and time grow. In all but one of 64 cases it
// adds no more than 4 KiB, so that the many do not wait for the long.
func (h *hand) multiply(b []byte) ([]byte, bool) {
	if len(b) == 0 || len(b) == Bound {
		return b, false
	}
	most := 4 << 10
	if h.IntN(64) == 0 {
		most = Bound
	}
	from := h.place(len(b))
	to := from + h.size(min(len(b)-from, packet))
	n := h.size(1024)
	h.scratch = h.scratch[:0]
	for ; n > 0 && len(h.scratch)+to-from <= most; n-- {
		h.scratch = append(h.scratch, b[from:to]...)
	}
	return put(b, to, h.scratch), true
}

func (h *hand) copyOver(b []byte) ([]byte, bool) {
	if len(b) < 2 {
		return b, false
	}
	from, to := h.block(len(b))
	at, _ := h.block(len(b))
	copy(b[at:], h.kept(b[from:to]))
	return b, true
}

func (h *hand) swap(b []byte) ([]byte, bool) {
	if len(b) < 2 {
		return b, false
	}
	n := h.size(len(b) / 2)
	i := h.IntN(len(b) - 2*n + 1)
	j := i + n + h.IntN(len(b)-i-2*n+1)
	first := h.kept(b[i : i+n])
	copy(b[i:i+n], b[j:j+n])
	copy(b[j:j+n], first)
	return b, true
}

func (h *hand) fill(b []byte) ([]byte, bool) {
	if len(b) == 0 {
		return b, false
	}
	from, to := h.block(len(b))
	with := [...]byte{0, 0xff, byte(h.IntN(256)), b[from]}[h.IntN(4)]
	for i := from; i < to; i++ {
		b[i] = with
	}
	return b, true
}

func (h *hand) insertBytes(b []byte) ([]byte, bool) {
	if len(b) == Bound {
		return b, false
	}
	return put(b, h.place(len(b)+1), h.random(h.size(64))), true
}

// tokens are what text is made of and what it trips over.
var tokens = []string{"\n", "\r\n", "\r", ",", ";", "\t", "\"", "\"\"", "'", ":", "#", "=", "-", "+", ".", "/", "//", "\\", "\\u0000", "\\ud800", "%",
	"{", "}", "[", "]", "[[[[[[[[", "{\"a\":", "null", "true", "false", "NaN", "Inf", "-Inf", "nan", "1e308", "1e-400", "-0", "0x", " ", "  ", "&a", "*a", "<", ">", "<!--",
	"é", "ñ", "°", "İ", "ſ", "\u2028", "\ufeff", "\xff", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x00", "�", "N", "W", "O", "S"}

func (h *hand) insertToken(b []byte) ([]byte, bool) {
	if len(b) == Bound {
		return b, false
	}
	return put(b, h.place(len(b)+1), h.kept([]byte(tokens[h.IntN(len(tokens))]))), true
}

// numbers stand in place of one that is written in decimal digits.
var numbers = []string{"0", "-0", "1", "-1", "0.0", "00", "1e308", "-1e308", "1e309", "5e-324", "1e-400", "NaN", "Inf", "-Inf", "", "90", "-90", "90.0000001", "180", "-180",
	"360", "127", "128", "255", "256", "65535", "65536", "2147483647", "2147483648", "-2147483649", "4294967296", "9223372036854775807", "9223372036854775808",
	"-9223372036854775809", "18446744073709551616", "99999999999999999999999999999999999999", "0.1e1", "1.", ".1", "1,5", "1_0", "+1", "0x10", "1e", "¹"}

// otherNumber finds decimal digits and writes another number in their place.
func (h *hand) otherNumber(b []byte) ([]byte, bool) {
	digit := func(i int) bool { return i < len(b) && b[i] >= '0' && b[i] <= '9' }
	if len(b) == 0 {
		return b, false
	}
	from := h.place(len(b))
	for to := min(len(b), from+64); from < to && !digit(from); from++ {
	}
	if !digit(from) {
		return b, false
	}
	to := from + 1
	for digit(to) || to < len(b) && b[to] == '.' && h.IntN(2) == 0 {
		to++
	}
	if h.IntN(3) == 0 {
		h.scratch = strconv.AppendUint(h.scratch[:0], h.Uint64()>>h.IntN(64), 10)
	} else {
		h.scratch = append(h.scratch[:0], numbers[h.IntN(len(numbers))]...)
	}
	return put(take(b, from, to), from, h.scratch), true
}

// other is the same argument of the other seed; empty where that is empty.
func (h *hand) other() []byte {
	switch v := h.seeds[h.donor][h.arg].(type) {
	case []byte:
		return h.kept(v[:min(len(v), Bound)])
	case string:
		return h.kept([]byte(v[:min(len(v), Bound)]))
	}
	return nil
}

func (h *hand) splice(b []byte) ([]byte, bool) {
	o := h.other()
	if len(o) == 0 || len(b) == Bound {
		return b, false
	}
	from, to := h.block(len(o))
	at := h.place(len(b) + 1)
	if from%packet == 0 && to%packet == 0 {
		at -= at % packet
	}
	return put(b, at, o[from:to]), true
}

func (h *hand) spliceOver(b []byte) ([]byte, bool) {
	o := h.other()
	if len(o) == 0 || len(b) == 0 {
		return b, false
	}
	from, to := h.block(len(o))
	at := h.place(len(b))
	if h.IntN(2) == 0 && from < len(b) {
		at = from // the same place: fields of one format lie alike
	}
	copy(b[at:], o[from:to])
	return b, true
}

func (h *hand) cross(b []byte) ([]byte, bool) {
	o := h.other()
	if len(o) == 0 || len(b) == 0 {
		return b, false
	}
	from, _ := h.block(len(o))
	at := h.place(len(b) + 1)
	if h.IntN(2) == 0 {
		at = min(from, len(b))
	}
	return put(b[:at], at, o[from:]), true
}
