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
	// Width and Height are those of Video, 0 when nothing was read.
	Width  int `json:"width,omitempty"`
	Height int `json:"height,omitempty"`
	// Program is the program_number of the PMT that announces the stream, 0 when none does.
	Program uint16 `json:"program,omitempty"`
	// Video is what the last parameter set or sequence header told, nil when none was read.
	Video *Video `json:"video,omitempty"`
	// FirstPTS and LastPTS are in 90 kHz ticks, unwrapped; HasPTS says that there are any.
	FirstPTS int64 `json:"first_pts"`
	LastPTS  int64 `json:"last_pts"`
	HasPTS   bool  `json:"has_pts"`
}

// codecs names the stream types of ISO/IEC 13818-1, table 2-34, and their usual extensions.
var codecs = map[uint8]string{0x01: "mpeg1video", 0x02: "mpeg2video", 0x03: "mp2", 0x04: "mp2", 0x0f: "aac", 0x10: "mpeg4video",
	0x11: "aac-latm", 0x15: "klv", 0x1b: "h264", 0x21: "jpeg2000", 0x24: "h265", 0x33: "h266", 0x81: "ac3", 0xea: "vc1"}

// maxSection is the longest section of a PAT or PMT (ISO/IEC 13818-1, 2.4.4: a section_length of at most 1021).
const maxSection = 1024

// section gathers the bytes of table sections over packets.
type section struct {
	buf  []byte
	last uint64 // check sum and name of the last whole one
}

// add takes a payload and gives each section that is whole. Sections follow each other within a packet; the pointer before
// says where the first begins, and what lies before that ends the last one.
func (s *section) add(p *packet, give func([]byte)) {
	b := p.payload
	if !p.start {
		if len(s.buf) > 0 {
			s.buf = append(s.buf, b...)
			s.whole(give)
		}
		return
	}
	if len(b) == 0 || int(b[0])+1 > len(b) {
		s.buf = s.buf[:0]
		return
	}
	if len(s.buf) > 0 {
		s.buf = append(s.buf, b[1:1+int(b[0])]...)
		s.whole(give)
	}
	s.buf = append(s.buf[:0], b[1+int(b[0]):]...)
	s.whole(give)
}

// whole gives the sections at the front of the buffer that are whole, and keeps what follows them.
func (s *section) whole(give func([]byte)) {
	b := s.buf
	for len(b) >= 3 && b[0] != 0xff { // ff fills the rest of a packet
		n := 3 + int(b[1]&0x0f)<<8 + int(b[2])
		if n > maxSection || n < 12 {
			b = nil
			break
		}
		if len(b) < n {
			break
		}
		give(b[:n])
		b = b[n:]
	}
	if len(b) > 0 && b[0] == 0xff {
		b = nil
	}
	s.buf = s.buf[:copy(s.buf, b)]
}

// tables reads the PAT and the PMTs.
func (d *Demuxer) tables(e *elementary, p *packet) {
	e.table.add(p, func(b []byte) {
		if crc32(b) != 0 {
			d.problem(p.at, "PID 0x%x: table with a wrong check sum, passed over", p.pid)
			d.tell(e, p.at, Event{Kind: TableBroken})
			return
		}
		if pat := e.kind == patPID; pat && b[0] != 0 || !pat && b[0] != 2 {
			return
		}
		d.table(e, p.at, b)
	})
}

// table takes one section whose check sum is right. One that is not in force yet is only told.
func (d *Demuxer) table(e *elementary, at int64, b []byte) {
	v := Event{Kind: TableRead, N: int64(b[0]), Version: b[5] >> 1 & 31}
	d.tell(e, at, v)
	if b[5]&1 == 0 { // current_next_indicator
		return
	}
	was := e.table.last
	if e.changed(b) {
		v.Kind = TableChanged
		d.tell(e, at, v)
	}
	if e.table.last == was {
		return // the same again
	}
	if e.kind == patPID {
		for _, n := range patPrograms(b) {
			if t := d.pid(n); t.kind == unknownPID || t.kind == otherPID {
				t.kind = pmtPID
			}
		}
		return
	}
	program, clock := uint16(b[3])<<8|uint16(b[4]), uint16(b[8]&0x1f)<<8|uint16(b[9])
	for _, a := range pmtStreams(b) {
		d.announce(a, program, clock, at)
	}
}

// changed says that a section differs from the one before with its table_id, extension and number, of which the last is kept.
func (e *elementary) changed(b []byte) bool {
	is := uint64(crcOf(b))<<32 | uint64(b[3])<<24 | uint64(b[4])<<16 | uint64(b[6])<<8 | 1
	was := e.table.last
	e.table.last = is
	return was != 0 && was>>8&0xffffff == is>>8&0xffffff && was != is
}

func crcOf(b []byte) uint32 {
	b = b[len(b)-4:]
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// announce takes what a program map says of one PID. A later version may give the PID another stream.
func (d *Demuxer) announce(a announced, program, clock uint16, at int64) {
	e := d.pid(a.pid)
	if e.kind == patPID || e.kind == pmtPID {
		return
	}
	if e.Program = program; clock != nullPID {
		e.clock = &d.pid(clock).ownClock
	}
	if anew := e.StreamType != a.streamType; anew {
		if e.StreamType != 0 {
			d.forgets(e)
		}
		e.StreamType, e.told = a.streamType, false
		if e.Codec == "" {
			e.Codec = codecs[a.streamType]
		}
	}
	if a.contradiction != "" && !e.told {
		e.told = true
		d.tell(e, at, Event{Kind: Contradiction, Text: a.contradiction})
	}
	if a.how != "" && e.kind != metadataPID {
		e.How, e.Codec = a.how, "klv"
		d.becomes(e, metadataPID)
	}
	if e.kind != otherPID {
		d.consider(e)
	}
}

// forgets what was known of a PID that holds another stream from here on.
func (d *Demuxer) forgets(e *elementary) {
	d.release(e)
	d.becomes(e, unknownPID)
	e.Codec, e.How, e.Video, e.Width, e.Height = "", "", nil, 0, 0
}

// crcTable is what each value of the first byte does to the check.
var crcTable = func() (t [256]uint32) {
	for i := range t {
		c := uint32(i) << 24
		for range 8 {
			if c&0x80000000 != 0 {
				c = c<<1 ^ 0x04c11db7
			} else {
				c <<= 1
			}
		}
		t[i] = c
	}
	return t
}()

// crc32 is the check of ISO/IEC 13818-1, annex A: polynomial 04c11db7, first bit first, no final inversion. Over a section
// with its check it is 0.
func crc32(b []byte) uint32 {
	crc := ^uint32(0)
	for _, c := range b {
		crc = crc<<8 ^ crcTable[byte(crc>>24)^c]
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
	pid           uint16
	streamType    uint8
	how           string // by which sign it is metadata; "" when it is not known to be
	contradiction string // between stream type and descriptors, "" for none
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
		a.how, a.contradiction = metadataSign(e[0], e[5:5+n])
		out = append(out, a)
		e = e[5+n:]
	}
	return out
}

// metadataSign says by what the tables tell that a stream carries KLV: the registration KLVA, the metadata descriptor with
// that format, or the stream type (MISB ST 1402, section 7). What contradicts that standard is said beside it.
func metadataSign(streamType uint8, d []byte) (how, contradiction string) {
	registered, described := false, false
	for len(d) >= 2 && len(d) >= 2+int(d[1]) {
		v := d[2 : 2+int(d[1])]
		switch {
		case d[0] == 0x05 && len(v) >= 4 && string(v[:4]) == "KLVA":
			registered = true
			how = either(how, "KLVA registration")
		case d[0] == 0x26 && containsKLVA(v):
			described = true
			how = either(how, "metadata descriptor")
		}
		d = d[2+len(v):]
	}
	if streamType == 0x15 {
		how = either(how, "stream type 0x15")
	}
	return how, contradictionOf(streamType, registered, described)
}

func contradictionOf(streamType uint8, registered, described bool) string {
	switch {
	case streamType == 0x15 && !described:
		return "stream type 0x15 (synchronous metadata) without a metadata descriptor that names KLVA"
	case streamType == 0x06 && described && !registered:
		return "stream type 0x06 (asynchronous metadata) with a metadata descriptor and no KLVA registration"
	case streamType != 0x06 && streamType != 0x15 && (registered || described):
		return "KLVA announced for a stream type that is neither 0x06 nor 0x15"
	}
	return ""
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func containsKLVA(v []byte) bool {
	for i := 0; i+4 <= len(v); i++ {
		if string(v[i:i+4]) == "KLVA" {
			return true
		}
	}
	return false
}
