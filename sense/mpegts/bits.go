package mpegts

// bits reads a bit string of H.264 or H.265, passing over the emulation prevention bytes (00 00 03). Past the end it gives
// zeros and remembers.
type bits struct {
	b     []byte
	at    int // of the next byte to take
	cur   byte
	left  int // bits of cur not yet read
	zeros int // bytes 00 in a row before at
	over  bool
}

func newBits(b []byte) bits { return bits{b: b} }

func (r *bits) bit() int {
	if r.left == 0 {
		if r.zeros >= 2 && r.at < len(r.b) && r.b[r.at] == 3 {
			r.at, r.zeros = r.at+1, 0
		}
		if r.at >= len(r.b) {
			r.over = true
			return 0
		}
		r.cur, r.left = r.b[r.at], 8
		r.at++
		if r.cur == 0 {
			r.zeros++
		} else {
			r.zeros = 0
		}
	}
	r.left--
	return int(r.cur>>r.left) & 1
}

// u is an unsigned number of n bits, at most 32.
func (r *bits) u(n int) (v int) {
	for ; n > 0 && !r.over; n-- {
		v = v<<1 | r.bit()
	}
	return v
}

func (r *bits) flag() bool { return r.bit() == 1 }

func (r *bits) skip(n int) {
	for ; n > 0 && !r.over; n-- {
		r.bit()
	}
}

// ue is an unsigned exponential-Golomb number (ITU-T H.264, 9.1).
func (r *bits) ue() int {
	n := 0
	for r.bit() == 0 {
		if n++; n > 31 || r.over {
			r.over = true
			return 0
		}
	}
	return 1<<n - 1 + r.u(n)
}

// se is a signed exponential-Golomb number (ITU-T H.264, 9.1.1).
func (r *bits) se() int {
	k := r.ue()
	if k&1 == 1 {
		return (k + 1) / 2
	}
	return -(k / 2)
}
