package mpegts

import (
	"maps"
	"slices"
)

// Facts are what a transport stream is, told for judging whether it conforms: counts, intervals, and the place of each thing
// that happened, up to MaxPlaces of a kind. Hang Add on a demultiplexer (Demuxer.Watch), read to the end, then call Close.
// Nothing is judged here: limits belong to the standards (ISO/IEC 13818-1, ETSI TR 101 290) and to who applies them.
type Facts struct {
	// Bytes passed over without finding a packet, in SyncLosses places. Cut says that the file ends within a packet.
	SyncLosses int64
	LostBytes  int64
	Cut        bool
	// PAT and PMT say when the tables came, PMT by PID; TableErrors counts wrong check sums, by PID.
	PAT         Interval
	PMT         map[uint16]*Interval
	TableErrors map[uint16]int64
	// PIDs are in ascending order once Close was called, null packets excepted.
	PIDs []*PIDFacts
	// Missing names the tables that never came: "PAT", "PMT". A PMT that a PAT announces and that never came counts.
	Missing []string
	// Unreferenced PIDs carry packets and no table announces them; those below 0x20 excepted.
	Unreferenced []uint16
	// Events are all that is wrong, in the order of the file, up to MaxPlaces of each kind; Counts has them all.
	Events []Event
	Counts map[EventKind]int64

	pids map[uint16]*PIDFacts
}

// MaxPlaces bounds the events that Facts keep of one kind.
const MaxPlaces = 200

// PIDFacts are those of one PID.
type PIDFacts struct {
	Stream
	Lost        int64 // continuity errors; LostPackets at least that many packets
	LostPackets int64
	Repeated    int64
	Broken      int64 // transport_error_indicator
	Scrambled   int64
	// Clock says when references came, those of this PID. Jumps counts steps back and steps of more than a second.
	Clock Interval
	Jumps int64
	// Times says when PES with a time stamp came, by that stamp (decoding time); Untimed counts those without, BrokenPES those
	// without a header, WrongLengths those longer or shorter than announced, Backward those whose time goes back.
	Times        Interval
	Untimed      int64
	BrokenPES    int64
	WrongLengths int64
	Backward     int64
	// Lead is the least and the most that a decoding time lies after the arrival of its PES by the clock, in 27 MHz ticks.
	Lead Range
}

// An Interval says how far apart things of one kind come, by the program's clock (27 MHz ticks; of time stamps, by themselves)
// and in bytes of the file.
type Interval struct {
	N int64
	// Longest is the longest step, which ends at byte LongestAt; Total is the sum of Steps steps. Steps over a jump of the clock
	// do not count.
	Longest, LongestAt, Total, Steps int64
	// FarthestBytes is the longest step in bytes, which ends at byte FarthestAt.
	FarthestBytes, FarthestAt int64
	// First and Last are bytes of the file.
	First, Last int64

	clock    int64
	hasClock bool
}

// A Range is the least and the most of N values.
type Range struct{ N, Least, Most int64 }

func (r *Range) add(v int64) {
	if r.N == 0 {
		r.Least, r.Most = v, v
	}
	r.N++
	r.Least, r.Most = min(r.Least, v), max(r.Most, v)
}

// add counts one at a byte and a time.
func (i *Interval) add(at, clock int64, hasClock bool) {
	if i.N == 0 {
		i.First = at
	} else {
		if d := at - i.Last; d > i.FarthestBytes {
			i.FarthestBytes, i.FarthestAt = d, at
		}
		if i.hasClock && hasClock {
			if d := clock - i.clock; d >= 0 {
				i.Total, i.Steps = i.Total+d, i.Steps+1
				if d > i.Longest {
					i.Longest, i.LongestAt = d, at
				}
			}
		}
	}
	i.N++
	i.Last, i.clock, i.hasClock = at, clock, hasClock
}

func (f *Facts) pid(n uint16) *PIDFacts {
	if f.pids == nil {
		f.pids = map[uint16]*PIDFacts{}
	}
	p := f.pids[n]
	if p == nil {
		p = &PIDFacts{Stream: Stream{PID: n}}
		f.pids[n] = p
	}
	return p
}

// Add takes one event.
func (f *Facts) Add(v Event) {
	if f.Counts == nil {
		f.Counts, f.PMT, f.TableErrors = map[EventKind]int64{}, map[uint16]*Interval{}, map[uint16]int64{}
	}
	f.Counts[v.Kind]++
	if v.wrong() && f.Counts[v.Kind] <= MaxPlaces {
		f.Events = append(f.Events, v)
	}
	switch v.Kind {
	case SyncLost:
		f.SyncLosses, f.LostBytes = f.SyncLosses+1, f.LostBytes+v.N
	case CutPacket:
		f.Cut = true
	case TableRead:
		f.table(v)
	case TableBroken:
		f.TableErrors[v.PID]++
	default:
		f.pid(v.PID).add(v)
	}
}

// wrong says that an event is no matter of course.
func (v Event) wrong() bool {
	switch v.Kind {
	case TableRead, TableChanged, ClockRead, Repeated, Discontinuous, PESBegan:
		return false
	}
	return true
}

func (f *Facts) table(v Event) {
	if v.N == 0 {
		f.PAT.add(v.At, v.Clock, v.HasClock)
		return
	}
	i := f.PMT[v.PID]
	if i == nil {
		i = new(Interval)
		f.PMT[v.PID] = i
	}
	i.add(v.At, v.Clock, v.HasClock)
}

func (p *PIDFacts) add(v Event) {
	switch v.Kind {
	case Lost:
		p.Lost, p.LostPackets = p.Lost+1, p.LostPackets+v.N
	case Repeated:
		p.Repeated++
	case Broken:
		p.Broken++
	case Scrambled:
		p.Scrambled++
	case ClockJumped:
		p.Jumps++
		p.Clock.hasClock = false
	case Discontinuous:
		p.Clock.hasClock, p.Times.hasClock = false, false
	case ClockRead:
		p.Clock.add(v.At, v.Clock, true)
	case PESBegan:
		p.began(v)
	case PESBroken:
		p.BrokenPES++
	case PESLength:
		p.WrongLengths++
	case TimeBack:
		p.Backward++
	}
}

func (p *PIDFacts) began(v Event) {
	if !v.HasPTS {
		p.Untimed++
		return
	}
	p.Times.add(v.At, v.DTS*300, true)
	if v.HasClock {
		p.Lead.add(nearest(v.DTS, v.Clock/300)*300 - v.Clock)
	}
}

// Close takes what a demultiplexer that has read to the end knows of the streams.
func (f *Facts) Close(d *Demuxer) {
	for _, n := range d.order {
		e := d.pids[n]
		p := f.pid(n)
		p.Stream = e.Stream
		if e.kind == pmtPID && f.PMT[n] == nil && !slices.Contains(f.Missing, "PMT") {
			f.Missing = append(f.Missing, "PMT")
		}
		if n >= firstStream && e.kind != pmtPID && e.Packets > 0 && e.StreamType == 0 && !d.isClock(n) {
			f.Unreferenced = append(f.Unreferenced, n)
		}
	}
	if f.PAT.N == 0 {
		f.Missing = append(f.Missing, "PAT")
		if len(f.PMT) == 0 && !slices.Contains(f.Missing, "PMT") {
			f.Missing = append(f.Missing, "PMT")
		}
	}
	slices.Sort(f.Missing)
	slices.Sort(f.Unreferenced)
	for _, n := range slices.Sorted(maps.Keys(f.pids)) {
		f.PIDs = append(f.PIDs, f.pids[n])
	}
}

// isClock says that a program's clock references are announced on a PID.
func (d *Demuxer) isClock(n uint16) bool {
	for _, m := range d.order {
		if d.pids[m].clock == &d.pids[n].ownClock {
			return true
		}
	}
	return false
}
