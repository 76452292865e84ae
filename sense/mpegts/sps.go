package mpegts

// videoFacts reads picture size from the first sequence header of a video stream, looking only at the bytes of one packet.
func (e *elementary) videoFacts(b []byte) {
	if e.Width != 0 {
		return
	}
	switch e.Codec {
	case "mpeg1video", "mpeg2video":
		if u := afterStartCode(b, func(c byte) bool { return c == 0xb3 }); len(u) >= 4 {
			e.Width, e.Height = int(u[1])<<4|int(u[2])>>4, int(u[2]&15)<<8|int(u[3])
		}
	case "h264":
		if u := afterStartCode(b, func(c byte) bool { return c&0x1f == 7 }); len(u) > 4 {
			e.Width, e.Height = h264Size(u[1:])
		}
	case "h265":
		if u := afterStartCode(b, func(c byte) bool { return c>>1&0x3f == 33 }); len(u) > 4 {
			e.Width, e.Height = h265Size(u[2:])
		}
	}
}

// afterStartCode gives what follows the first start code 00 00 01 whose next byte is wanted, that byte included.
func afterStartCode(b []byte, want func(byte) bool) []byte {
	for i := 0; i+4 <= len(b); i++ {
		if b[i] == 0 && b[i+1] == 0 && b[i+2] == 1 && want(b[i+3]) {
			return b[i+3:]
		}
	}
	return nil
}

// bits reads a bit string with emulation prevention bytes (00 00 03) taken out. Past the end it gives zeros and remembers.
type bits struct {
	b    []byte
	at   int
	over bool
}

func newBits(b []byte) *bits {
	out := make([]byte, 0, len(b))
	for i, c := range b {
		if c == 3 && i >= 2 && b[i-1] == 0 && b[i-2] == 0 {
			continue
		}
		out = append(out, c)
	}
	return &bits{b: out}
}

func (r *bits) u(n int) (v int) {
	for ; n > 0; n-- {
		if r.at>>3 >= len(r.b) {
			r.over = true
			return 0
		}
		v = v<<1 | int(r.b[r.at>>3]>>(7-r.at&7))&1
		r.at++
	}
	return v
}

// ue is an unsigned exponential-Golomb number.
func (r *bits) ue() int {
	n := 0
	for r.u(1) == 0 {
		if n++; n > 31 || r.over {
			r.over = true
			return 0
		}
	}
	return 1<<n - 1 + r.u(n)
}

// h264Size reads a sequence parameter set (ITU-T H.264, 7.3.2.1.1) as far as the picture size in pixels, cropped.
func h264Size(b []byte) (int, int) {
	r := newBits(b)
	profile := r.u(8)
	r.u(16)
	r.ue()
	chroma, planes := 1, false
	switch profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		if chroma = r.ue(); chroma == 3 {
			planes = r.u(1) == 1
		}
		r.ue()
		r.ue()
		r.u(1)
		if r.u(1) == 1 {
			return 0, 0 // scaling matrices are not read
		}
	}
	r.ue()
	switch r.ue() {
	case 0:
		r.ue()
	case 1:
		r.u(1)
		r.ue()
		r.ue()
		for n := r.ue(); n > 0 && !r.over; n-- {
			r.ue()
		}
	}
	r.ue()
	r.u(1)
	w, h := r.ue()+1, r.ue()+1
	frames := r.u(1)
	if frames == 0 {
		r.u(1)
	}
	r.u(1)
	w, h = 16*w, 16*h*(2-frames)
	if r.u(1) == 1 {
		cx, cy := 1, 2-frames
		if chroma == 1 || chroma == 2 {
			cx = 2
		}
		if chroma == 1 {
			cy *= 2
		}
		if planes {
			cx, cy = 1, 2-frames
		}
		left, right, top, bottom := r.ue(), r.ue(), r.ue(), r.ue()
		w, h = w-cx*(left+right), h-cy*(top+bottom)
	}
	return plausible(r, w, h)
}

// h265Size reads a sequence parameter set (ITU-T H.265, 7.3.2.2.1) as far as the picture size in pixels, cropped.
func h265Size(b []byte) (int, int) {
	r := newBits(b)
	r.u(4)
	layers := r.u(3)
	r.u(1 + 88 + 8) // profile_tier_level without sub-layers
	if layers > 0 {
		return 0, 0
	}
	r.ue()
	chroma := r.ue()
	if chroma == 3 {
		r.u(1)
	}
	w, h := r.ue(), r.ue()
	if r.u(1) == 1 {
		cx, cy := 1, 1
		if chroma == 1 || chroma == 2 {
			cx = 2
		}
		if chroma == 1 {
			cy = 2
		}
		left, right, top, bottom := r.ue(), r.ue(), r.ue(), r.ue()
		w, h = w-cx*(left+right), h-cy*(top+bottom)
	}
	return plausible(r, w, h)
}

func plausible(r *bits, w, h int) (int, int) {
	if r.over || w <= 0 || h <= 0 || w > 1<<15 || h > 1<<15 {
		return 0, 0
	}
	return w, h
}
