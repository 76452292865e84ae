package mpegts

// An EventKind says what happened.
type EventKind uint8

// What a demuxer tells a watcher. N is told with each.
const (
	// SyncLost: no packet where one is due; N bytes were passed over.
	SyncLost EventKind = iota + 1
	// CutPacket: the file ends within a packet.
	CutPacket
	// Lost: the continuity counter jumps; at least N packets are missing (ISO/IEC 13818-1, 2.4.3.3).
	Lost
	// Repeated: a packet sent twice, as is allowed once.
	Repeated
	// Broken: the transport_error_indicator is set.
	Broken
	// Scrambled: a packet whose payload cannot be read.
	Scrambled
	// Announced discontinuity: the discontinuity_indicator is set.
	Discontinuous
	// TableRead: a section of a PAT or PMT with a right check sum; N is the table_id, Version its version_number.
	TableRead
	// TableBroken: a section of a PAT or PMT with a wrong check sum.
	TableBroken
	// TableChanged: a PAT or PMT that differs from the one before; N is the table_id, Version its version_number.
	TableChanged
	// ClockRead: a clock reference; N is the step since the last one of the PID in 27 MHz ticks, 0 at the first.
	ClockRead
	// ClockJumped: a clock reference that goes back, or runs on by more than a second, with no discontinuity announced; N is the
	// step. It comes before its ClockRead.
	ClockJumped
	// PESBegan: the header of a PES; PTS and DTS are set when HasPTS.
	PESBegan
	// PESBroken: no PES header where one is due.
	PESBroken
	// PESLength: a PES that has N bytes more (less: negative) than its header announces.
	PESLength
	// TimeBack: the decoding time of a PES lies N ticks of 90 kHz before that of the PES before it on its PID.
	TimeBack
	// Contradiction: the tables contradict themselves, or what was found; Text says how.
	Contradiction
)

// An Event is something that a demuxer met in the stream.
type Event struct {
	Kind    EventKind
	At      int64 // byte in the file, of the packet
	PID     uint16
	Version uint8
	HasPTS  bool
	// HasClock says that a clock reference was seen; Clock is the time of the packet by the PID's program, 27 MHz ticks, unwrapped.
	HasClock bool
	Clock    int64
	PTS, DTS int64 // 90 kHz ticks, unwrapped
	N        int64
	Text     string
}

// Watch has tell called for all that is met from here on, within Next, in the order of the file. Before the first Next, once.
func (d *Demuxer) Watch(tell func(Event)) { d.watch = tell }

func (d *Demuxer) tell(e *elementary, at int64, v Event) {
	if d.watch == nil {
		return
	}
	v.At = at
	if e != nil {
		v.PID = e.PID
		if c := d.clockOf(e); c.known {
			v.Clock, v.HasClock = c.when(at), true
		}
	}
	d.watch(v)
}
