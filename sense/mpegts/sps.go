package mpegts

import "fmt"

// A Video says what the parameter sets or the sequence header of a video stream tell of its pictures.
type Video struct {
	// Profile is its name in the standard, "" where that has none for the number; ProfileIDC and LevelIDC are the numbers sent.
	Profile    string `json:"profile,omitempty"`
	Level      string `json:"level,omitempty"`
	ProfileIDC int    `json:"profile_idc"`
	LevelIDC   int    `json:"level_idc"`
	// Width and Height are in pixels, cropped as the stream says.
	Width  int `json:"width"`
	Height int `json:"height"`
	// ChromaFormat is chroma_format_idc (0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4); BitDepth and BitDepthChroma are of samples. All are 0
	// of MPEG-2.
	ChromaFormat   int `json:"chroma_format,omitempty"`
	BitDepth       int `json:"bit_depth,omitempty"`
	BitDepthChroma int `json:"bit_depth_chroma,omitempty"`
	// RateNum over RateDen is frames a second, 0 over 0 where the stream does not say.
	RateNum int `json:"rate_num,omitempty"`
	RateDen int `json:"rate_den,omitempty"`
	// Interlaced says that pictures may be made of two fields: of H.264 that frame_mbs_only_flag is 0, of MPEG-2 that
	// progressive_sequence is 0, of H.265 that field_seq_flag is 1 or the source is said to be interlaced only.
	Interlaced bool `json:"interlaced,omitempty"`
	// FieldCoded says that a field was seen that is a picture of its own. Demuxers tell it; ParseSPS cannot.
	FieldCoded bool `json:"field_coded,omitempty"`
}

// ParseSPS reads the sequence parameter set (ITU-T H.264, 7.3.2.1.1; H.265, 7.3.2.2.1) in a NAL unit, header included, without
// start code. The codec is "h264" or "h265". It is false where the bytes are no such set or end within it.
func ParseSPS(codec string, nal []byte) (Video, bool) {
	switch {
	case codec == "h264" && len(nal) > 4 && nal[0]&0x1f == 7:
		s := parseH264SPS(nal[1:])
		return s.Video, s.ok
	case codec == "h265" && len(nal) > 6 && nal[0]>>1&0x3f == 33:
		return parseH265SPS(nal[2:])
	}
	return Video{}, false
}

// h264SPS is what of a sequence parameter set of H.264 is needed to read slice headers, beside what it tells.
type h264SPS struct {
	Video
	ok, sized                   bool
	id                          int
	planes                      bool // separate_colour_plane_flag
	frameNumBits                int
	pocType, pocBits            int
	deltaAlwaysZero, framesOnly bool
	widthMBs, heightUnits       int
}

var h264Profiles = map[int]string{44: "CAVLC 4:4:4 Intra", 66: "Baseline", 77: "Main", 88: "Extended", 100: "High", 110: "High 10",
	118: "Multiview High", 122: "High 4:2:2", 128: "Stereo High", 244: "High 4:4:4 Predictive"}

// parseH264SPS reads a sequence parameter set (ITU-T H.264, 7.3.2.1.1). A set whose usability information cannot be read
// keeps what came before it.
func parseH264SPS(b []byte) (s h264SPS) {
	r := newBits(b)
	s.ProfileIDC = r.u(8)
	constraints := r.u(8)
	s.LevelIDC = r.u(8)
	s.Profile, s.Level = h264Profiles[s.ProfileIDC], h264Level(s.LevelIDC, constraints)
	if s.ProfileIDC == 66 && constraints&0x40 != 0 {
		s.Profile = "Constrained Baseline"
	}
	s.id = r.ue()
	s.format(&r)
	s.frameNumBits = r.ue() + 4
	s.order(&r)
	r.ue() // max_num_ref_frames
	r.bit()
	s.widthMBs, s.heightUnits = r.ue()+1, r.ue()+1
	if s.framesOnly = r.flag(); !s.framesOnly {
		r.bit()
	}
	s.Interlaced = !s.framesOnly
	r.bit()
	s.size(&r)
	if s.ok = s.sized && !r.over && s.ChromaFormat <= 3 && max(s.BitDepth, s.BitDepthChroma) <= 14 && s.id < 32 && s.frameNumBits <= 16 && s.pocBits <= 16; !s.ok {
		return s
	}
	if r.flag() {
		s.usability(&r)
	}
	return s
}

func h264Level(idc, constraints int) string {
	if idc == 11 && constraints&0x10 != 0 {
		return "1b"
	}
	return fmt.Sprintf("%d.%d", idc/10, idc%10)
}

func (s *h264SPS) format(r *bits) {
	s.ChromaFormat, s.BitDepth, s.BitDepthChroma = 1, 8, 8
	switch s.ProfileIDC {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
	default:
		return
	}
	if s.ChromaFormat = r.ue(); s.ChromaFormat == 3 {
		s.planes = r.flag()
	}
	s.BitDepth, s.BitDepthChroma = r.ue()+8, r.ue()+8
	r.bit()
	if !r.flag() {
		return
	}
	lists := 8
	if s.ChromaFormat == 3 {
		lists = 12
	}
	for i := range lists {
		if r.flag() {
			h264ScalingList(r, i)
		}
	}
}

// h264ScalingList passes over a scaling list (ITU-T H.264, 7.3.2.1.1.1).
func h264ScalingList(r *bits, i int) {
	size, last, next := 16, 8, 8
	if i >= 6 {
		size = 64
	}
	for range size {
		if next != 0 {
			next = (last + r.se() + 256) & 0xff
		}
		if r.over {
			return
		}
		if next != 0 {
			last = next
		}
	}
}

// order reads how pictures are numbered in the order of display.
func (s *h264SPS) order(r *bits) {
	switch s.pocType = r.ue(); s.pocType {
	case 0:
		s.pocBits = r.ue() + 4
	case 1:
		s.deltaAlwaysZero = r.flag()
		r.se()
		r.se()
		for n := r.ue(); n > 0 && !r.over; n-- {
			r.se()
		}
	}
}

func (s *h264SPS) size(r *bits) {
	fields := 2
	if s.framesOnly {
		fields = 1
	}
	w, h := 16*s.widthMBs, 16*s.heightUnits*fields
	if r.flag() {
		cx, cy := 1, fields
		if !s.planes && (s.ChromaFormat == 1 || s.ChromaFormat == 2) {
			cx = 2
		}
		if !s.planes && s.ChromaFormat == 1 {
			cy *= 2
		}
		left, right, top, bottom := r.ue(), r.ue(), r.ue(), r.ue()
		w, h = w-cx*(left+right), h-cy*(top+bottom)
	}
	s.Width, s.Height, s.sized = plausible(r, w, h)
}

// skipAspectAndColour passes over what usability information begins with in both standards: aspect ratio, overscan, signal, place of chroma.
func (r *bits) skipAspectAndColour() {
	if r.flag() && r.u(8) == 255 { // an aspect ratio of its own
		r.skip(32)
	}
	if r.flag() {
		r.bit()
	}
	if r.flag() {
		r.skip(4)
		if r.flag() {
			r.skip(24)
		}
	}
	if r.flag() {
		r.ue()
		r.ue()
	}
}

// usability reads the video usability information (ITU-T H.264, E.1.1) as far as the frame rate.
func (s *h264SPS) usability(r *bits) {
	r.skipAspectAndColour()
	if !r.flag() {
		return
	}
	if units, scale := r.u(32), r.u(32); !r.over && units > 0 && scale > 0 {
		s.RateNum, s.RateDen = lowest(scale, 2*units) // a tick is a field's time (E.2.1)
	}
}

var h265Profiles = map[int]string{1: "Main", 2: "Main 10", 3: "Main Still Picture", 4: "Format Range Extensions", 5: "High Throughput",
	9: "Screen-Extended", 11: "High Throughput Screen-Extended"}

// parseH265SPS reads a sequence parameter set (ITU-T H.265, 7.3.2.2.1).
func parseH265SPS(b []byte) (v Video, ok bool) {
	r := newBits(b)
	r.skip(4)
	layers := r.u(3)
	r.bit()
	h265Profile(&r, &v, layers)
	r.ue()
	v.ChromaFormat = r.ue()
	planes := v.ChromaFormat == 3 && r.flag()
	w, h := r.ue(), r.ue()
	if r.flag() {
		cx, cy := 1, 1
		if !planes && (v.ChromaFormat == 1 || v.ChromaFormat == 2) {
			cx = 2
		}
		if !planes && v.ChromaFormat == 1 {
			cy = 2
		}
		left, right, top, bottom := r.ue(), r.ue(), r.ue(), r.ue()
		w, h = w-cx*(left+right), h-cy*(top+bottom)
	}
	v.BitDepth, v.BitDepthChroma = r.ue()+8, r.ue()+8
	if v.Width, v.Height, ok = plausible(&r, w, h); !ok || v.ChromaFormat > 3 || max(v.BitDepth, v.BitDepthChroma) > 16 {
		return Video{}, false
	}
	if h265UpToUsability(&r, layers) && r.flag() {
		h265Usability(&r, &v)
	}
	return v, true
}

// h265Profile reads profile_tier_level (ITU-T H.265, 7.3.3). Interlaced is set where the source is said to be interlaced only.
func h265Profile(r *bits, v *Video, layers int) {
	r.skip(3)
	v.ProfileIDC = r.u(5)
	r.skip(32)
	progressive, interlaced := r.flag(), r.flag()
	v.Interlaced = interlaced && !progressive
	r.skip(46)
	v.LevelIDC = r.u(8)
	v.Profile, v.Level = h265Profiles[v.ProfileIDC], fmt.Sprintf("%d.%d", v.LevelIDC/30, v.LevelIDC%30/3)
	var profiles, levels [8]bool
	for i := range layers {
		profiles[i], levels[i] = r.flag(), r.flag()
	}
	if layers > 0 {
		r.skip(2 * (8 - layers))
	}
	for i := range layers {
		if profiles[i] {
			r.skip(88)
		}
		if levels[i] {
			r.skip(8)
		}
	}
}

// h265UpToUsability passes over what lies between the size and the usability information; false where it cannot be read.
func h265UpToUsability(r *bits, layers int) bool {
	pocBits := r.ue() + 4
	from := layers
	if r.flag() {
		from = 0
	}
	for i := from; i <= layers; i++ {
		r.ue()
		r.ue()
		r.ue()
	}
	for range 6 {
		r.ue()
	}
	if r.flag() && r.flag() {
		h265ScalingLists(r)
	}
	r.skip(2)
	if r.flag() {
		r.skip(8)
		r.ue()
		r.ue()
		r.bit()
	}
	if !h265ReferenceSets(r) {
		return false
	}
	if r.flag() {
		n := r.ue()
		if n > 32 {
			return false
		}
		for range n {
			r.skip(pocBits + 1)
		}
	}
	r.skip(2)
	return !r.over
}

// h265ScalingLists passes over scaling_list_data (ITU-T H.265, 7.3.4).
func h265ScalingLists(r *bits) {
	for size := range 4 {
		step := 1
		if size == 3 {
			step = 3
		}
		for matrix := 0; matrix < 6 && !r.over; matrix += step {
			if !r.flag() {
				r.ue()
				continue
			}
			if size > 1 {
				r.se()
			}
			for range min(64, 1<<(4+2*size)) {
				r.se()
			}
		}
	}
}

// h265ReferenceSets passes over the short-term reference picture sets (ITU-T H.265, 7.3.7), each of which may be told by the
// one before it.
func h265ReferenceSets(r *bits) bool {
	n := r.ue()
	if n > 64 {
		return false
	}
	pictures := 0 // of the set before
	for i := range n {
		if i > 0 && r.flag() {
			r.bit()
			r.ue()
			kept := 0
			for range pictures + 1 {
				if used := r.flag(); used || r.flag() {
					kept++
				}
			}
			pictures = kept
		} else {
			before, after := r.ue(), r.ue()
			if before > 16 || after > 16 {
				return false
			}
			for range before + after {
				r.ue()
				r.bit()
			}
			pictures = before + after
		}
		if r.over || pictures > 32 {
			return false
		}
	}
	return true
}

// h265Usability reads the video usability information (ITU-T H.265, E.2.1) as far as the frame rate.
func h265Usability(r *bits, v *Video) {
	r.skipAspectAndColour()
	r.bit()
	fields := r.flag()
	r.bit()
	if r.flag() {
		for range 4 {
			r.ue()
		}
	}
	if timing := r.flag(); r.over {
		return
	} else if v.Interlaced = v.Interlaced || fields; !timing {
		return
	}
	if units, scale := r.u(32), r.u(32); !r.over && units > 0 && scale > 0 {
		if fields {
			units *= 2 // a picture is a field there
		}
		v.RateNum, v.RateDen = lowest(scale, units)
	}
}

// mpeg2Rates are frame_rate_code of ISO/IEC 13818-2, table 6-4.
var mpeg2Rates = [16][2]int{1: {24000, 1001}, {24, 1}, {25, 1}, {30000, 1001}, {30, 1}, {50, 1}, {60000, 1001}, {60, 1}}

var mpeg2Profiles = map[int]string{1: "High", 2: "Spatially Scalable", 3: "SNR Scalable", 4: "Main", 5: "Simple"}

var mpeg2Levels = map[int]string{4: "High", 6: "High 1440", 8: "Main", 10: "Low"}

// parseMPEG2 reads a sequence header (ISO/IEC 13818-2, 6.2.2.1), from the byte b3 on, and the sequence extension where b holds
// it. A stream without the extension is MPEG-1.
func parseMPEG2(b []byte) (v Video, ok bool) {
	if len(b) < 8 || b[0] != 0xb3 {
		return v, false
	}
	v.Width, v.Height = int(b[1])<<4|int(b[2])>>4, int(b[2]&15)<<8|int(b[3])
	rate := mpeg2Rates[b[4]&15]
	v.RateNum, v.RateDen = rate[0], rate[1]
	extendMPEG2(&v, afterStartCode(b[8:], func(c byte) bool { return c == 0xb5 }))
	return v, v.Width > 0 && v.Height > 0
}

// extendMPEG2 reads a sequence extension (ISO/IEC 13818-2, 6.2.2.3), from the byte b5 on.
func extendMPEG2(v *Video, x []byte) {
	if len(x) < 7 || x[0] != 0xb5 || x[1]>>4 != 1 {
		return
	}
	v.ProfileIDC, v.LevelIDC = int(x[1]&7), int(x[2]>>4)
	if x[1]&8 != 0 { // the escape bit: 4:2:2 and multi-view profiles
		v.Profile, v.Level, v.ProfileIDC = mpeg2Escaped(x)
	} else {
		v.Profile, v.Level = mpeg2Profiles[v.ProfileIDC], mpeg2Levels[v.LevelIDC]
	}
	v.Interlaced = x[2]&8 == 0
	v.Width = v.Width&0xfff | int(x[2]&1)<<13 | int(x[3]>>7)<<12
	v.Height = v.Height&0xfff | int(x[3]>>5&3)<<12
	if v.RateNum > 0 {
		v.RateNum, v.RateDen = lowest(v.RateNum*(int(x[6]>>5&3)+1), v.RateDen*(int(x[6]&31)+1))
	}
}

// mpeg2Escaped is profile and level where the escape bit is set (ISO/IEC 13818-2, table 8-4).
func mpeg2Escaped(x []byte) (profile, level string, idc int) {
	switch x[2] >> 4 {
	case 5:
		return "4:2:2", "Main", 8
	case 2:
		return "4:2:2", "High", 8
	}
	return "", "", 8
}

// afterStartCode gives what follows the first start code 00 00 01 whose next byte is wanted, that byte included.
func afterStartCode(b []byte, want func(byte) bool) []byte {
	for i := nextStart(b, 0); i >= 0 && i+3 < len(b); i = nextStart(b, i+3) {
		if want(b[i+3]) {
			return b[i+3:]
		}
	}
	return nil
}

// nextStart is where the next 00 00 01 begins, from a position on; -1 where there is none.
func nextStart(b []byte, from int) int {
	for i := from + 2; i < len(b); {
		switch c := b[i]; {
		case c > 1:
			i += 3
		case c == 1:
			if b[i-1] == 0 && b[i-2] == 0 {
				return i - 2
			}
			i += 3
		default:
			i++
		}
	}
	return -1
}

func plausible(r *bits, w, h int) (int, int, bool) {
	if r.over || w <= 0 || h <= 0 || w > 1<<15 || h > 1<<15 {
		return 0, 0, false
	}
	return w, h, true
}

// lowest is a fraction in its lowest terms.
func lowest(n, d int) (int, int) {
	a, b := n, d
	for b != 0 {
		a, b = b, a%b
	}
	return n / a, d / a
}
