package check

import "bytes"

// carriage is how a PID carries metadata.
type carriage struct {
	announced int64        // times that a program map announced the stream
	as        announcement // the last
	asAt      place        // where it was first so
	klv       bool         // by its announcement or its bytes
	told      bool         // that it is KLV without a word in the tables

	pes      []byte // being gathered, header included; empty when none is
	pesAt    place
	cells    bool // the last PES was made of cells
	inCell   bool // an access unit is unfinished
	sequence byte // of the last cell
	counted  bool // there was one
	runs     bool // sequence numbers ever differed
}

// maxPES bounds what is gathered of a metadata PES: its header cannot announce more, and one without a length is cut there.
const maxPES = 6 + 65535

var smpteKey = []byte{0x06, 0x0e, 0x2b, 0x34}

// payload takes the payload of a packet that may belong to a PES of metadata. Of other streams only the stream_id is looked at.
func (w *walker) payload(p *walked, b []byte, start bool, at place) {
	c := &p.carriage
	if start {
		w.finishPES(p)
		if len(b) >= 4 && b[0] == 0 && b[1] == 0 && b[2] == 1 {
			if p.streamID == 0 {
				p.streamID = b[3]
			}
			if c.klv = c.klv || c.as.klv() || sniffed(b); c.klv {
				c.pes, c.pesAt = append(c.pes[:0], b...), at
			}
		}
	} else if len(c.pes) > 0 && len(c.pes) < maxPES {
		c.pes = append(c.pes, b...)
	}
	if n := len(c.pes); n >= 6 {
		if due := 6 + int(c.pes[4])<<8 + int(c.pes[5]); due > 6 && n >= due {
			c.pes = c.pes[:due]
			w.finishPES(p)
		}
	}
}

// sniffed says that the first bytes of a private PES hold a SMPTE key, at once or after one cell header.
func sniffed(b []byte) bool {
	if len(b) < 9 || b[3] != 0xbd && b[3] != 0xfc {
		return false
	}
	b = b[min(9+int(b[8]), len(b)):]
	return bytes.HasPrefix(b, smpteKey) || len(b) > 5 && bytes.HasPrefix(b[5:], smpteKey)
}

// finishPES judges a PES of metadata that is whole, or as whole as it will be.
func (w *walker) finishPES(p *walked) {
	c, at := &p.carriage, p.carriage.pesAt
	b := c.pes
	c.pes = c.pes[:0]
	if len(b) < 9 || b[6]&0xc0 != 0x80 || 9+int(b[8]) > len(b) {
		return
	}
	tell := func(c code, format string, args ...any) { w.book.tell(c, int32(p.pid), "", at, format, args...) }
	if b[6]&0x30 != 0 {
		tell(scrambled, "PES_scrambling_control says that the metadata is scrambled")
		c.counted = false // the cells within are not seen
		return
	}
	payload := b[9+int(b[8]):]
	if len(payload) == 0 {
		return
	}
	cells := c.inCells(b[3], payload)
	w.judgePES(p, b, payload, cells, tell)
	if c.cells = cells; cells {
		w.cells(p, payload, tell)
	}
}

// judgePES holds the header of a metadata PES against ST 1402 and the announcement.
func (w *walker) judgePES(p *walked, b, payload []byte, cells bool, tell func(code, string, ...any)) {
	c := &p.carriage
	switch t := c.as.streamType; {
	case t == 0x15 && !cells:
		tell(klvType, "stream type 0x15 (synchronous metadata), and no access-unit cells in the PES")
	case t == 0x06 && cells:
		tell(klvType, "stream type 0x06 (private data), and access-unit cells in the PES")
	}
	if want := map[uint8]byte{0x15: 0xfc, 0x06: 0xbd}[c.as.streamType]; want != 0 && b[3] != want {
		tell(klvStreamID, "stream_id 0x%02x where stream type 0x%02x has 0x%02x", b[3], c.as.streamType, want)
	}
	if c.as.streamType == 0x06 && !c.as.registered && !c.as.described && !c.told {
		c.told = true
		w.book.tell(klvRegistration, int32(p.pid), "program map, stream type 0x06", c.asAt, "KLV in a private stream that nothing announces as KLVA")
	}
	stamps := b[7] >> 6
	switch {
	case cells && stamps&2 == 0:
		tell(klvUntimed, "a PES of synchronous metadata without a PTS")
	case cells && stamps == 3:
		tell(klvUntimed, "a PES of synchronous metadata with a DTS")
	case !cells && stamps != 0:
		tell(klvTimed, "a PES of asynchronous metadata with a PTS")
	}
	if aligned := b[6]&4 != 0; !cells && aligned != bytes.HasPrefix(payload, smpteKey) {
		tell(klvAlignment, "data_alignment_indicator %v, but the PES begins %s", aligned,
			map[bool]string{true: "within a KLV packet", false: "with a KLV packet"}[aligned])
	}
}

// inCells tells by the bytes whether a payload is made of access-unit cells: a key at once says no, a key after a cell header yes;
// else what the stream is announced as, or what its last PES was.
func (c *carriage) inCells(streamID byte, b []byte) bool {
	switch {
	case c.inCell:
		return true
	case bytes.HasPrefix(b, smpteKey):
		return false
	case len(b) > 5 && bytes.HasPrefix(b[5:], smpteKey):
		return true
	}
	return c.cells || streamID == 0xfc && c.as.streamType == 0x15
}

// cells follows the access-unit cells of a PES (ISO/IEC 13818-1, 2.12.4): each has a header of five bytes and as many bytes as it says.
func (w *walker) cells(p *walked, b []byte, tell func(code, string, ...any)) {
	c := &p.carriage
	for len(b) > 0 {
		if len(b) < 5 {
			tell(cellLength, "%d bytes left where the header of a cell is due", len(b))
			return
		}
		if c.counted && b[1] != c.sequence+1 {
			what := "sequence number %d after %d"
			if !c.runs && b[1] == c.sequence {
				what = "the sequence number does not run on: %d after %d"
			}
			tell(cellSequence, what, b[1], c.sequence)
		}
		c.runs = c.runs || c.counted && b[1] != c.sequence
		joining := !c.counted
		c.sequence, c.counted = b[1], true
		c.fragment(b[2]>>6, joining, tell)
		n := int(b[3])<<8 | int(b[4])
		if n > len(b)-5 {
			tell(cellLength, "a cell of %d bytes where %d are left in the PES", n, len(b)-5)
			return
		}
		b = b[5+n:]
	}
}

// fragment follows what cells say of where access units begin (10 and 11) and end (01 and 11). A file may begin within one.
func (c *carriage) fragment(is byte, joining bool, tell func(code, string, ...any)) {
	switch first := is&2 != 0; {
	case first && c.inCell:
		tell(cellFragment, "an access unit begins (%02b) before the last one ended", is)
	case !first && joining:
		return
	case !first && !c.inCell:
		tell(cellFragment, "%02b, the middle or end of an access unit that has not begun", is)
		return
	}
	c.inCell = is&1 == 0
}
