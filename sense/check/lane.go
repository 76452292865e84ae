package check

import (
	"time"

	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// lane is the metadata of one PID, or of a raw file, put together from units, with what it said so far.
type lane struct {
	klv.Splitter
	pid      int32
	fed      int64
	marks    []mark
	lastUnit place

	set      klv.Set
	vmti     klv.VMTIState
	minimum  klv.Checklist
	packets  int64
	sets     map[*klv.Standard]int64
	version  *int64
	security bool
	first    place // of its first packet
	// paces are kept by standard: sets of several, each with its own time stamp, may share a PID.
	paces map[*klv.Standard]*pace
}

// mark says where in the file, and at what time, the bytes from a position of the lane on came.
type mark struct {
	from int64
	place
}

func newLane(pid int32) *lane {
	return &lane{pid: pid, sets: map[*klv.Standard]int64{}, paces: map[*klv.Standard]*pace{}}
}

// pace is that of the packets of a standard.
func (l *lane) pace(std *klv.Standard) *pace {
	if l.paces[std] == nil {
		l.paces[std] = &pace{}
	}
	return l.paces[std]
}

// main is the pace of the lane's platform metadata, or where it has none of what it has.
func (l *lane) main() *pace {
	for _, std := range klv.Standards() { // commonest first
		if p := l.paces[std]; p != nil && p.n > 0 {
			return p
		}
	}
	return &pace{}
}

func (l *lane) add(u *mpegts.Unit) {
	l.lastUnit = place{at: u.Offset, pts: float64(u.PTS) / 90000, hasPTS: u.HasPTS}
	if len(l.marks) > 64 { // what is consumed without making a packet needs no mark
		l.forget(l.fed - int64(l.Pending()))
	}
	l.marks = append(l.marks, mark{l.fed, l.lastUnit})
	l.Feed(u.Data)
	l.fed += int64(len(u.Data))
}

// place finds the unit that holds a position of the lane, and forgets those before it.
func (l *lane) place(at int64) place {
	l.forget(at)
	return l.marks[0].place
}

// forget drops the marks before the one that holds a position.
func (l *lane) forget(at int64) {
	n := 0
	for n+1 < len(l.marks) && l.marks[n+1].from <= at {
		n++
	}
	l.marks = l.marks[:copy(l.marks, l.marks[n:])]
}

// pace follows the times of packets.
type pace struct {
	begun             bool
	time, pts         float64 // of the last packet; seconds since 1970, seconds of the stream
	hasTime, hasPTS   bool
	offset, drifted   float64 // time less PTS: of the first packet since the last jump, and smoothed
	hasOffset         bool
	firstPTS, lastPTS float64
	anyPTS            bool
	from, to          time.Time // first and last time told
	n                 int64
}
