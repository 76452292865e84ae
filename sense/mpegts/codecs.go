package mpegts

import "bytes"

// h264 reads NAL units of ITU-T H.264. Slice headers can be read only with the parameter sets that they name.
type h264 struct {
	sps     [32]h264SPS
	pps     [256]uint8 // the sequence parameter set that a picture parameter set names, plus 1
	lastSPS []byte
}

// h264Slice is what tells the slices of one picture from those of the next (ITU-T H.264, 7.4.1.2.4).
type h264Slice struct {
	read          bool // the parameter sets were there to read it with
	idr           bool
	reference     bool
	first         int // first_mb_in_slice
	kind          int // slice_type
	pps, frameNum int
	field, bottom bool
	idrID         int
	poc, delta    int
}

func (h *h264) read(b []byte, now *picture) sign {
	switch b[0] & 0x1f {
	case 6, 7, 8, 9, 14, 15, 16, 17, 18:
		return delimits
	case 1, 2, 5:
		s := h.slice(b)
		switch {
		case !now.coded:
			return begins
		case !s.read || !now.slice.read:
			if s.first == 0 {
				return begins
			}
		case s.completes(&now.slice) && now.fields == 1:
			return completes
		case s.differs(&now.slice):
			return begins
		}
	}
	return belongs
}

// slice reads a slice header (ITU-T H.264, 7.3.3) as far as it tells pictures apart.
func (h *h264) slice(b []byte) (s h264Slice) {
	r := newBits(b[1:min(len(b), headerBytes)])
	s.idr, s.reference = b[0]&0x1f == 5, b[0]&0x60 != 0
	s.first, s.kind, s.pps = r.ue(), r.ue(), r.ue()
	if s.pps > 255 || h.pps[s.pps] == 0 {
		return s
	}
	q := &h.sps[h.pps[s.pps]-1]
	if !q.ok {
		return s
	}
	if q.planes {
		r.skip(2)
	}
	s.frameNum = r.u(q.frameNumBits)
	if !q.framesOnly {
		if s.field = r.flag(); s.field {
			s.bottom = r.flag()
		}
	}
	if s.idr {
		s.idrID = r.ue()
	}
	switch {
	case q.pocType == 0:
		s.poc = r.u(q.pocBits)
	case q.pocType == 1 && !q.deltaAlwaysZero:
		s.delta = r.se()
	}
	s.read = !r.over
	return s
}

func (s *h264Slice) differs(o *h264Slice) bool {
	return s.frameNum != o.frameNum || s.pps != o.pps || s.field != o.field || s.bottom != o.bottom || s.reference != o.reference ||
		s.idr != o.idr || s.idrID != o.idrID || s.poc != o.poc || s.delta != o.delta
}

// completes says that a field makes a frame with the field before it (ITU-T H.264, 3.30).
func (s *h264Slice) completes(first *h264Slice) bool {
	return s.field && first.field && s.bottom != first.bottom && s.frameNum == first.frameNum && !s.idr
}

func (h *h264) note(b []byte, now *picture) bool {
	switch b[0] & 0x1f {
	case 7:
		now.sequence = true
		return true
	case 6, 8:
		return true
	case 1, 2, 5:
		s := h.slice(b)
		if !now.coded {
			now.coded, now.intra, now.instant, now.slice = true, true, s.idr, s
			if s.field {
				now.fields = 1
			}
		}
		if k := s.kind % 5; k != 2 && k != 4 && now.fields < 2 { // neither I nor SI; the second field may refer to the first
			now.intra = false
		}
		if now.fields == 2 {
			now.slice = s // what follows is held against the second field
		}
	}
	return false
}

func (h *h264) whole(b []byte, a *assembler) {
	switch b[0] & 0x1f {
	case 7:
		if b = bytes.TrimRight(b, "\x00"); bytes.Equal(b, h.lastSPS) || len(b) < 5 {
			return
		}
		if s := parseH264SPS(b[1:]); s.ok {
			h.lastSPS = append(h.lastSPS[:0], b[:min(len(b), 1024)]...)
			h.sps[s.id] = s
			a.tell(s.Video)
		}
	case 8:
		r := newBits(b[1:])
		if pps, sps := r.ue(), r.ue(); !r.over && pps < 256 && sps < 32 {
			h.pps[pps] = uint8(sps) + 1
		}
	case 6:
		a.told().recovery(b[1:])
	}
}

// recovery looks for a recovery point in supplemental enhancement information (ITU-T H.264, D.1.8).
func (p *picture) recovery(b []byte) {
	r := newBits(b)
	for !r.over && r.at < len(b) {
		kind, size := seiNumber(&r), seiNumber(&r)
		if r.over {
			return
		}
		if kind == 6 {
			p.recovers = true
			p.exact = r.ue() == 0 && !r.over
			return
		}
		if size > len(b) {
			return
		}
		r.skip(8 * size)
		if r.at < len(b) && b[r.at] == 0x80 { // the trailing bits
			return
		}
	}
}

// seiNumber is a payload type or size: bytes ff and one that is less.
func seiNumber(r *bits) (n int) {
	for !r.over {
		v := r.u(8)
		if n += v; v != 0xff {
			return n
		}
	}
	return 0
}

// h265 reads NAL units of ITU-T H.265. A field is a picture there.
type h265 struct{}

func (h265) read(b []byte, now *picture) sign {
	if len(b) < 3 || b[0]&1 != 0 || b[1]>>3 != 0 { // of another layer
		return belongs
	}
	switch t := b[0] >> 1 & 0x3f; {
	case t < 32:
		if !now.coded || b[2]&0x80 != 0 { // first_slice_segment_in_pic_flag
			return begins
		}
	case t <= 35, t == 39, t >= 41 && t <= 44, t >= 48 && t <= 55:
		return delimits
	}
	return belongs
}

func (h265) note(b []byte, now *picture) bool {
	if len(b) < 3 {
		return false
	}
	switch t := b[0] >> 1 & 0x3f; {
	case t < 32 && !now.coded:
		now.coded = true
		now.instant = t >= 16 && t <= 23 // IRAP: IDR, BLA and CRA pictures
		now.intra = now.instant
	case t == 33:
		now.sequence = true
		return true
	}
	return false
}

func (h265) whole(b []byte, a *assembler) {
	if v, ok := ParseSPS("h265", b); ok {
		a.tell(v)
	}
}

// mpeg2 reads ISO/IEC 13818-2 and 11172-2.
type mpeg2 struct{}

func (mpeg2) read(b []byte, now *picture) sign {
	switch b[0] {
	case 0xb3, 0xb8:
		return delimits
	case 0x00:
		if now.coded && now.fields == 1 {
			if s := mpeg2Structure(b); s == 1 && now.bottom || s == 2 && !now.bottom {
				return completes
			}
		}
		return begins
	}
	return belongs
}

// mpeg2Structure is picture_structure of the extension after a picture header: 1 top field, 2 bottom field, 3 frame.
func mpeg2Structure(b []byte) int {
	x := afterStartCode(b[:min(len(b), headerBytes)], func(c byte) bool { return c == 0xb5 })
	if len(x) < 4 || x[1]>>4 != 8 {
		return 3
	}
	return int(x[3] & 3)
}

func (mpeg2) note(b []byte, now *picture) bool {
	switch b[0] {
	case 0xb3:
		now.sequence = true
		return true
	case 0x00:
		if now.coded || len(b) < 3 {
			return false
		}
		now.coded, now.intra = true, b[2]>>3&7 == 1
		if s := mpeg2Structure(b); s != 3 {
			now.fields, now.bottom = 1, s == 2
		}
	case 0xb5:
		return true
	}
	return false
}

func (mpeg2) whole(b []byte, a *assembler) {
	if v, ok := parseMPEG2(b); ok {
		a.tell(v)
	} else if a.known {
		v = a.facts
		extendMPEG2(&v, b)
		a.tell(v)
	}
}
