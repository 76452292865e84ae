package check

import (
	"bytes"
	"fmt"
)

// section gathers a table's section over packets (ISO/IEC 13818-1, 2.4.4).
type section struct{ buf []byte }

// add takes a payload and gives each section that is whole and whose check sum fits.
func (s *section) add(payload []byte, start bool, give func([]byte)) {
	if start {
		if len(payload) == 0 || 1+int(payload[0]) > len(payload) {
			s.buf = s.buf[:0]
			return
		}
		n := int(payload[0])
		if len(s.buf) > 0 {
			s.buf = append(s.buf, payload[1:1+n]...)
			s.whole(give)
		}
		s.buf, payload = s.buf[:0], payload[1+n:]
	} else if len(s.buf) == 0 {
		return
	}
	s.buf = append(s.buf, payload...)
	s.whole(give)
}

func (s *section) whole(give func([]byte)) {
	for len(s.buf) >= 3 && s.buf[0] != 0xff {
		n := 3 + int(s.buf[1]&0x0f)<<8 + int(s.buf[2])
		if n < 12 || n > 1024 {
			break
		}
		if len(s.buf) < n {
			return
		}
		if crc32(s.buf[:n]) == 0 {
			give(s.buf[:n])
		}
		s.buf = s.buf[n:]
	}
	if len(s.buf) >= 3 || len(s.buf) > 0 && s.buf[0] == 0xff {
		s.buf = s.buf[:0]
	}
}

// crc32 is 0 over a section with its CRC_32 (ISO/IEC 13818-1, annex A).
func crc32(b []byte) uint32 {
	crc := ^uint32(0)
	for _, c := range b {
		crc ^= uint32(c) << 24
		for range 8 {
			high := crc&(1<<31) != 0
			if crc <<= 1; high {
				crc ^= 0x04c11db7
			}
		}
	}
	return crc
}

// tables reads the sections of the PAT and of program maps that are in force.
func (w *walker) tables(p *walked, s []byte, at place) {
	if s[5]&1 == 0 {
		return
	}
	switch {
	case p.pid == 0 && s[0] == 0:
		for e := s[8 : len(s)-4]; len(e) >= 4; e = e[4:] {
			if e[0] != 0 || e[1] != 0 {
				w.pid(uint16(e[2]&0x1f)<<8 | uint16(e[3])).isPMT = true
			}
		}
	case p.isPMT && s[0] == 2:
		w.programMap(s, at)
	}
}

// programMap reads a program map: which streams it announces, as what, and by which descriptors.
func (w *walker) programMap(s []byte, at place) {
	program, clock := uint16(s[3])<<8|uint16(s[4]), uint16(s[8]&0x1f)<<8|uint16(s[9])
	end, from := len(s)-4, 12+int(s[10]&0x0f)<<8+int(s[11])
	if from > end {
		return
	}
	misplaced := descriptorsOf(s[12:from])
	if clock != nullPID {
		w.pid(clock).clocked = true
	}
	for e := s[from:end]; len(e) >= 5; {
		n := 5 + int(e[3]&0x0f)<<8 + int(e[4])
		if n > len(e) {
			return
		}
		p := w.pid(uint16(e[1]&0x1f)<<8 | uint16(e[2]))
		a := announcement{program: program, clock: clock, streamType: e[0], descriptors: descriptorsOf(e[5:n]), misplaced: misplaced}
		if p.carriage.announced++; p.carriage.announced == 1 || a != p.carriage.as {
			p.carriage.as, p.carriage.asAt = a, at
		}
		w.judgeAnnouncement(p, at)
		e = e[n:]
	}
}

// An announcement is what a program map says of one stream.
type announcement struct {
	program, clock uint16 // program_number, PCR_PID
	streamType     uint8
	descriptors
	misplaced descriptors // of the program's loop, where those of a stream do not belong
}

// descriptors are those that tell metadata.
type descriptors struct {
	registered bool // registration_descriptor KLVA (ISO/IEC 13818-1, 2.6.8)
	described  bool // metadata_descriptor with format identifier KLVA (2.6.60)
	metadata   int  // metadata_descriptors of any format
	std        int  // metadata_STD_descriptors (2.6.62)
	badSTD     bool // one is not of nine bytes
}

func descriptorsOf(b []byte) (d descriptors) {
	for len(b) >= 2 && len(b) >= 2+int(b[1]) {
		v := b[2 : 2+int(b[1])]
		switch b[0] {
		case 0x05:
			d.registered = d.registered || bytes.HasPrefix(v, []byte("KLVA"))
		case 0x26:
			d.metadata++
			d.described = d.described || bytes.Contains(v, []byte("KLVA"))
		case 0x27:
			d.std++
			d.badSTD = d.badSTD || len(v) != 9
		}
		b = b[2+len(v):]
	}
	return d
}

// klv says that the announcement names the stream as KLV by itself.
func (a *announcement) klv() bool { return a.streamType == 0x15 || a.registered || a.described }

// judgeAnnouncement holds a stream of metadata against what ST 1402 wants announced. Private streams (0x06) that carry KLV without
// a word are judged once their bytes were seen.
func (w *walker) judgeAnnouncement(p *walked, at place) {
	a, about := &p.carriage.as, fmt.Sprintf("program map, stream type 0x%02x", p.carriage.as.streamType)
	tell := func(c code, format string, args ...any) { w.book.tell(c, int32(p.pid), about, at, format, args...) }
	switch {
	case a.streamType == 0x15:
		switch {
		case a.metadata == 0 && a.misplaced.metadata > 0:
			tell(klvDescriptor, "the metadata_descriptor stands in the program's loop, not in the stream's")
		case a.metadata == 0:
			tell(klvDescriptor, "no metadata_descriptor")
		case !a.described:
			tell(klvDescriptor, "a metadata_descriptor that does not name KLVA")
		}
		if a.std != 1 || a.badSTD {
			tell(klvSTDDescriptor, "%d metadata_STD_descriptors%s", a.std, map[bool]string{true: ", not of nine bytes"}[a.badSTD])
		}
	case a.klv() && a.streamType != 0x06:
		tell(klvType, "KLV announced for stream type 0x%02x", a.streamType)
	case a.described && !a.registered:
		tell(klvRegistration, "a metadata_descriptor, and no registration KLVA, for stream type 0x06")
	}
}
