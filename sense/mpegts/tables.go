package mpegts

// A Stream is one elementary stream of the file, as its tables announce it and as it was found.
type Stream struct {
	PID        uint16 `json:"pid"`
	StreamType uint8  `json:"stream_type"`
	Codec      string `json:"codec"` // "h264", "h265", "mpeg2video", "aac", "klv", ...; "" when unknown
	// Metadata says that the stream carries KLV; How by which sign it was known.
	Metadata bool   `json:"metadata,omitempty"`
	How      string `json:"how,omitempty"`
	Packets  int64  `json:"packets"` // transport packets
	PES      int64  `json:"pes"`     // PES packets: access units, or fields where each comes alone
	// Width and Height are those of the first sequence header that was read, 0 when none was.
	Width  int `json:"width,omitempty"`
	Height int `json:"height,omitempty"`
	// FirstPTS and LastPTS are in 90 kHz ticks, unwrapped; HasPTS says that there are any.
	FirstPTS int64 `json:"first_pts"`
	LastPTS  int64 `json:"last_pts"`
	HasPTS   bool  `json:"has_pts"`
}

// codecs names the stream types of ISO/IEC 13818-1, table 2-34, and their usual extensions.
var codecs = map[uint8]string{0x01: "mpeg1video", 0x02: "mpeg2video", 0x03: "mp2", 0x04: "mp2", 0x0f: "aac", 0x10: "mpeg4video",
	0x11: "aac-latm", 0x15: "klv", 0x1b: "h264", 0x21: "jpeg2000", 0x24: "h265", 0x33: "h266", 0x81: "ac3", 0xea: "vc1"}

// section gathers the bytes of one table section over packets; a table takes at most 1024 bytes (4096 for others).
type section struct{ buf []byte }

// add takes a payload and gives the section when it is whole.
func (s *section) add(p packet) []byte {
	b := p.payload
	if p.start {
		if len(b) == 0 || int(b[0])+1 > len(b) {
			return nil
		}
		s.buf = append(s.buf[:0], b[1+int(b[0]):]...)
	} else if len(s.buf) == 0 || len(s.buf) > 4096 {
		return nil
	} else {
		s.buf = append(s.buf, b...)
	}
	if len(s.buf) < 3 {
		return nil
	}
	n := 3 + int(s.buf[1]&0x0f)<<8 + int(s.buf[2])
	if len(s.buf) < n || n < 12 {
		return nil
	}
	whole := s.buf[:n]
	s.buf = s.buf[:0]
	return whole
}

// crc32 is the check of ISO/IEC 13818-1, annex A: polynomial 04c11db7, first bit first, no final inversion. Over a section
// with its check it is 0.
func crc32(b []byte) uint32 {
	crc := ^uint32(0)
	for _, c := range b {
		crc ^= uint32(c) << 24
		for range 8 {
			if crc&0x80000000 != 0 {
				crc = crc<<1 ^ 0x04c11db7
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}

// patPrograms lists the PIDs of the program maps in a program association section.
func patPrograms(b []byte) (pids []uint16) {
	for e := b[8 : len(b)-4]; len(e) >= 4; e = e[4:] {
		if e[0] != 0 || e[1] != 0 { // program 0 is the network table
			pids = append(pids, uint16(e[2]&0x1f)<<8|uint16(e[3]))
		}
	}
	return pids
}

type announced struct {
	pid        uint16
	streamType uint8
	how        string // by which sign it is metadata; "" when it is not known to be
}

// pmtStreams lists what a program map section announces.
func pmtStreams(b []byte) (out []announced) {
	skip := 12 + int(b[10]&0x0f)<<8 + int(b[11])
	if skip > len(b)-4 {
		return nil
	}
	for e := b[skip : len(b)-4]; len(e) >= 5; {
		n := int(e[3]&0x0f)<<8 + int(e[4])
		if 5+n > len(e) {
			return out
		}
		a := announced{pid: uint16(e[1]&0x1f)<<8 | uint16(e[2]), streamType: e[0]}
		a.how = metadataSign(e[0], e[5:5+n])
		out = append(out, a)
		e = e[5+n:]
	}
	return out
}

// metadataSign says by what the tables tell that a stream carries KLV: the registration KLVA, the metadata descriptor with
// that format, or the stream type (MISB ST 1402, section 7).
func metadataSign(streamType uint8, d []byte) string {
	for len(d) >= 2 && len(d) >= 2+int(d[1]) {
		v := d[2 : 2+int(d[1])]
		switch {
		case d[0] == 0x05 && len(v) >= 4 && string(v[:4]) == "KLVA":
			return "KLVA registration"
		case d[0] == 0x26 && len(v) >= 7 && v[2] == 0xff && string(v[3:7]) == "KLVA",
			d[0] == 0x26 && len(v) >= 8 && containsKLVA(v):
			return "metadata descriptor"
		}
		d = d[2+len(v):]
	}
	if streamType == 0x15 {
		return "stream type 0x15"
	}
	return ""
}

func containsKLVA(v []byte) bool {
	for i := 0; i+4 <= len(v); i++ {
		if string(v[i:i+4]) == "KLVA" {
			return true
		}
	}
	return false
}
