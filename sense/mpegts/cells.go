package mpegts

// cellHeader is the length of the header of an access-unit cell (ISO/IEC 13818-1, 2.12.4): service id (8 bits), sequence
// number (8), fragmentation (2), decoder configuration (1), random access (1), reserved (4), length (16).
const cellHeader = 5

// The fragmentation of a cell, two bits: together they say whether an access unit begins and whether one ends here.
const (
	cellLast  = 0b01
	cellFirst = 0b10
)

// emit gives the payload of one PES: as it is, or cell by cell. Which of the two is read from the bytes, since stream types
// and descriptors are often wrong: a set key at once means no cells. Sequence numbers are not looked at: some writers count
// them over the stream, some from each PES, some not at all.
func (d *Demuxer) emit(e *elementary, h pesHeader, u Unit, b []byte) {
	if len(b) == 0 {
		return
	}
	if !e.inCell && !d.inCells(h, e, b) {
		d.contradicts(e, e.StreamType == 0x15, "stream type 0x15 (synchronous metadata) without access-unit cells")
		u.Data = b
		d.giveMetadata(e, u)
		return
	}
	u.Sync = true
	d.contradicts(e, e.StreamType == 0x06, "stream type 0x06 (asynchronous metadata) with access-unit cells")
	for len(b) > 0 {
		if len(b) < cellHeader {
			d.problem(e.pesAt, "PID 0x%x: %d bytes where an access-unit cell is due", e.PID, len(b))
			break
		}
		n := int(b[3])<<8 | int(b[4])
		if n > len(b)-cellHeader {
			d.problem(e.pesAt, "PID 0x%x: access-unit cell of %d bytes where %d are left", e.PID, n, len(b)-cellHeader)
			n = len(b) - cellHeader
		}
		d.cell(e, u, b[2]>>6, b[cellHeader:cellHeader+n])
		b = b[cellHeader+n:]
	}
	d.charge(e)
}

func (d *Demuxer) cell(e *elementary, u Unit, fragment uint8, data []byte) {
	switch {
	case fragment&cellFirst != 0:
		if e.inCell {
			d.problem(e.pesAt, "PID 0x%x: an access unit begins before the last one ended", e.PID)
			d.giveCell(e)
			e.gap = true
		}
		e.cell, e.cellAs, e.inCell = e.cell[:0], u, true
	case !e.inCell && e.joining:
		return
	case !e.inCell:
		d.problem(e.pesAt, "PID 0x%x: the middle of an access unit whose beginning is missing", e.PID)
		e.cell, e.cellAs, e.inCell, e.gap = e.cell[:0], u, true, true
	}
	e.joining = false
	e.cell = append(e.cell, data...)
	if fragment&cellLast != 0 {
		d.giveCell(e)
		e.inCell = false
	} else if len(e.cell) > maxPES {
		d.problem(e.pesAt, "PID 0x%x: an access unit of more than %d bytes, given in pieces", e.PID, maxPES)
		d.giveCell(e)
	}
}

func (d *Demuxer) giveCell(e *elementary) {
	u := e.cellAs
	u.Data = e.cell
	d.giveMetadata(e, u)
	e.cell = e.cell[:0]
}

func (d *Demuxer) giveMetadata(e *elementary, u Unit) {
	u.Gap, e.gap = e.gap, false
	d.give(e, u)
}

// contradicts tells once for a stream that its tables say one thing and its bytes another.
func (d *Demuxer) contradicts(e *elementary, so bool, what string) {
	if so && !e.told {
		e.told = true
		d.tell(e, e.pesAt, Event{Kind: Contradiction, Text: what})
	}
}

// inCells tells by the bytes whether a PES payload is made of cells.
func (d *Demuxer) inCells(h pesHeader, e *elementary, b []byte) bool {
	isKey := func(i int) bool {
		return len(b) >= i+4 && b[i] == 0x06 && b[i+1] == 0x0e && b[i+2] == 0x2b && b[i+3] == 0x34
	}
	if isKey(0) {
		return false
	}
	if isKey(cellHeader) {
		return true
	}
	if h.streamID != 0xfc && e.StreamType != 0x15 {
		return false
	}
	for len(b) >= cellHeader { // the lengths of the cells must add up
		n := int(b[3])<<8 | int(b[4])
		if n > len(b)-cellHeader {
			return false
		}
		b = b[cellHeader+n:]
	}
	return len(b) == 0
}
