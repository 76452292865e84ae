package simulate

import (
	"math"
	"math/bits"
	"slices"
)

// plainH264 writes pictures in the simplest form that H.264 has: every macroblock holds its samples as they are (I_PCM, ISO/IEC 14496-10
// 7.3.5), so that what is decoded is what was drawn, to the bit. Constrained Baseline profile, level 3.1, grey: both chroma planes are flat.
type plainH264 struct {
	wide, lines int    // of whole macroblocks
	luma        []byte // of the picture to be written, line by line
	head        []byte // parameter sets
	key         int    // key frames so far
}

// Types of NAL units (table 7-1) with their nal_ref_idc before them.
const (
	nalSlice     = 0x41
	nalKey       = 0x65
	nalSPS       = 0x67
	nalPPS       = 0x68
	nalDelimiter = 0x09
	nalMessage   = 0x06
)

func newPlainH264(width, height int, rateHz float64) *plainH264 {
	p := &plainH264{wide: (width + 15) / 16 * 16, lines: (height + 15) / 16 * 16}
	p.luma = make([]byte, p.wide*p.lines)
	p.head = append(p.sequence(width, height, rateHz), p.pictureSet()...)
	return p
}

// sequence is the sequence parameter set (7.3.2.1.1, its VUI E.1.1).
func (p *plainH264) sequence(width, height int, rateHz float64) []byte {
	var b bitString
	b.put(66, 8)   // profile_idc
	b.put(0xc0, 8) // constraint_set0_flag, constraint_set1_flag
	b.put(31, 8)   // level_idc
	b.ue(0)        // seq_parameter_set_id
	b.ue(0)        // log2_max_frame_num_minus4
	b.ue(2)        // pic_order_cnt_type: pictures are shown as they come
	b.ue(1)        // max_num_ref_frames
	b.put(0, 1)    // gaps_in_frame_num_value_allowed_flag
	b.ue(p.wide/16 - 1)
	b.ue(p.lines/16 - 1)
	b.put(1, 1) // frame_mbs_only_flag
	b.put(1, 1) // direct_8x8_inference_flag
	b.put(1, 1) // frame_cropping_flag; in units of two samples
	b.ue(0)
	b.ue((p.wide - width) / 2)
	b.ue(0)
	b.ue((p.lines - height) / 2)
	b.put(1, 1) // vui_parameters_present_flag
	b.put(0, 4) // no aspect ratio, overscan, video signal type, chroma location
	b.put(1, 1) // timing_info_present_flag; a frame takes two ticks
	b.put(1000, 32)
	b.put(uint64(math.Round(2000*rateHz)), 32)
	b.put(1, 1) // fixed_frame_rate_flag
	b.put(0, 3) // no hypothetical decoder, no picture structure
	b.put(1, 1) // bitstream_restriction_flag
	b.put(1, 1) // motion_vectors_over_pic_boundaries_flag
	b.ue(0)     // max_bytes_per_pic_denom: no limit
	b.ue(0)     // max_bits_per_mb_denom
	b.ue(0)     // log2_max_mv_length_horizontal
	b.ue(0)     // and vertical
	b.ue(0)     // max_num_reorder_frames
	b.ue(1)     // max_dec_frame_buffering
	return nal(nalSPS, b.end())
}

// pictureSet is the picture parameter set (7.3.2.2).
func (p *plainH264) pictureSet() []byte {
	var b bitString
	b.ue(0)     // pic_parameter_set_id
	b.ue(0)     // seq_parameter_set_id
	b.put(0, 2) // entropy_coding_mode_flag: CAVLC; bottom_field_pic_order_in_frame_present_flag
	b.ue(0)     // num_slice_groups_minus1
	b.ue(0)     // num_ref_idx_l0_default_active_minus1
	b.ue(0)     // and l1
	b.put(0, 3) // weighted_pred_flag, weighted_bipred_idc
	b.ue(0)     // pic_init_qp_minus26
	b.ue(0)     // pic_init_qs_minus26
	b.ue(0)     // chroma_qp_index_offset
	b.put(1, 1) // deblocking_filter_control_present_flag
	b.put(0, 2) // constrained_intra_pred_flag, redundant_pic_cnt_present_flag
	return nal(nalPPS, b.end())
}

// picture writes what lies in luma as one access unit; n counts from the last key frame, which is 0. The message is user data of less than 255
// bytes (D.1.6).
func (p *plainH264) picture(n int, message []byte) []byte {
	out := nal(nalDelimiter, []byte{0x10}) // primary_pic_type 0: I slices
	var b bitString
	b.ue(0)                // first_mb_in_slice
	b.ue(7)                // slice_type: I alone
	b.ue(0)                // pic_parameter_set_id
	b.put(uint64(n%16), 4) // frame_num
	kind := byte(nalSlice)
	if n == 0 {
		kind = nalKey
		out = append(out, p.head...)
		b.ue(p.key % 2) // idr_pic_id: two in a row differ
		b.put(0, 1)     // no_output_of_prior_pics_flag
		p.key++
	}
	out = append(out, nal(nalMessage, slices.Concat([]byte{5, byte(len(message))}, message, []byte{0x80}))...)
	b.put(0, 1) // long_term_reference_flag, adaptive_ref_pic_marking_mode_flag
	b.ue(0)     // slice_qp_delta
	b.ue(1)     // disable_deblocking_filter_idc
	for y := 0; y < p.lines; y += 16 {
		for x := 0; x < p.wide; x += 16 {
			b.ue(25) // mb_type: I_PCM
			b.align()
			for row := range 16 {
				at := (y+row)*p.wide + x
				b.b = append(b.b, p.luma[at:at+16]...)
			}
			for range 2 * 64 { // Cb, Cr
				b.b = append(b.b, 128)
			}
		}
	}
	return append(out, nal(kind, b.end())...)
}

// nal is a NAL unit in a byte stream (annex B): start code, header, payload, with bytes put in where it would look like a start code (7.4.1).
func nal(header byte, payload []byte) []byte {
	out := append(make([]byte, 0, len(payload)+16), 0, 0, 0, 1, header)
	zeros := 0
	for _, v := range payload {
		if zeros >= 2 && v <= 3 {
			out, zeros = append(out, 3), 0
		}
		if out = append(out, v); v == 0 {
			zeros++
		} else {
			zeros = 0
		}
	}
	return out
}

// bitString is bits put one behind the other, the highest first.
type bitString struct {
	b    []byte
	free int // bits of the last byte
}

func (s *bitString) put(v uint64, n int) {
	for n--; n >= 0; n-- {
		if s.free == 0 {
			s.b, s.free = append(s.b, 0), 8
		}
		s.free--
		s.b[len(s.b)-1] |= byte(v>>n&1) << s.free
	}
}

// ue puts a number as an Exp-Golomb code (9.1); of 0 that of a signed one is the same.
func (s *bitString) ue(v int) {
	n := bits.Len(uint(v + 1))
	s.put(uint64(v+1), 2*n-1)
}

// align puts zeros up to the next byte.
func (s *bitString) align() { s.free = 0 }

// end puts the stop bit and gives the bytes (7.3.2.11).
func (s *bitString) end() []byte {
	s.put(1, 1)
	return s.b
}
