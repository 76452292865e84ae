package playback

import (
	"bytes"
	"iter"
)

// units gives the NAL units of a byte stream (ITU-T H.264, annex B; H.265, annex B), without start codes and without the zeros
// that may follow a unit. Empty ones are passed over.
func units(b []byte) iter.Seq[[]byte] {
	start := []byte{0, 0, 1}
	return func(yield func([]byte) bool) {
		i := bytes.Index(b, start)
		for i >= 0 {
			b = b[i+3:]
			i = bytes.Index(b, start)
			nal := b
			if i >= 0 {
				nal = b[:i]
			}
			if nal = bytes.TrimRight(nal, "\x00"); len(nal) > 0 && !yield(nal) {
				return
			}
		}
	}
}

// A role is what a unit is to a container.
type role uint8

const (
	coded      role = iota // belongs into the sample
	sequence               // a parameter set: belongs into the initialisation segment
	picture                // likewise
	videoSet               // likewise; H.265 only
	transport              // says what the container says: delimiters, filler, the end of the stream
	unreadable             // too short for its header
)

// roleOf says what to do with a unit (ISO/IEC 14496-15, 5.2 and 8.2; types: ITU-T H.264 table 7-1, H.265 table 7-1).
func roleOf(codec string, nal []byte) role {
	if codec == "h265" {
		if len(nal) < 2 {
			return unreadable
		}
		switch nal[0] >> 1 & 0x3f {
		case 32:
			return videoSet
		case 33:
			return sequence
		case 34:
			return picture
		case 35, 37, 38:
			return transport
		}
		return coded
	}
	switch nal[0] & 0x1f {
	case 7:
		return sequence
	case 8:
		return picture
	case 9, 11, 12:
		return transport
	}
	return coded
}
