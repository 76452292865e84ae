package mpegts

import "slices"

// An assembler cuts the bytes of a video stream into pictures, wherever PES packets begin and end: a PES may hold several
// pictures, a picture several PES, and two fields of one frame may come each in its own. A picture here is a frame: two fields
// of H.264 or MPEG-2 that make one are given together.
type assembler struct {
	syntax  syntax
	buf     []byte  // from the beginning of the picture under way on
	scan    int     // the next byte of buf to look at for a start code
	stamps  []stamp // the last PES that begins at or before buf, and those that begin in it
	open    int     // where in buf a parameter set or message begins that is read when it is whole; -1 for none
	from    int     // where in buf the next picture may begin: its first delimiter or parameter set; -1 for none
	now     picture
	next    picture // what is told after from
	facts   Video
	known   bool // facts
	fresh   bool // facts that nobody took yet
	outline bool // nobody wants the bytes: only what is not read yet is kept
}

// stamp is what the header of one PES says, and where in buf its payload begins.
type stamp struct {
	from               int
	at                 int64
	pts, dts           int64
	hasPTS             bool
	flagged, jumped    bool // random_access_indicator, discontinuity_indicator
	clock              int64
	hasClock, consumed bool // the first picture that begins in the PES has taken the times
}

// picture is what is known of the picture under way.
type picture struct {
	begun    bool // it has its times
	coded    bool // a slice, or of MPEG-2 the picture header, was seen
	fields   int  // 0 a frame, 1 a field that is alone so far, 2 both
	bottom   bool
	intra    bool
	instant  bool // IDR, or an IRAP picture of H.265
	recovers bool // a recovery point stands before it
	exact    bool // and needs no further frame to be right
	sequence bool // a parameter set or sequence header stands before it
	gap      bool // bytes were lost within it
	slice    h264Slice
	stamp    stamp
}

// A sign says what begins at a start code.
type sign uint8

const (
	belongs   sign = iota // to the picture under way
	delimits              // a picture begins here, or at a later start code before its first slice
	begins                // the first slice of a picture
	completes             // the first slice of the second field
)

// syntax is what differs between codecs. Units are given from the byte after the start code on.
type syntax interface {
	// read says what a unit is, seen from the picture under way. Enough of it is given to hold its header.
	read(b []byte, now *picture) sign
	// note takes what the unit tells to the picture that it belongs to; true when it is to be read once more when it is whole.
	note(b []byte, now *picture) bool
	// whole reads such a unit.
	whole(b []byte, a *assembler)
}

// headerBytes is how much after a start code is needed to read what a slice header says of its picture.
const headerBytes = 64

// maxPicture bounds a picture, in bytes: what is longer is given in pieces. The largest that H.264 allows at its highest level is
// 27 MB: 139,264 macroblocks of 384 bytes, compressed at least twofold (ITU-T H.264, A.3.1 and table A-1).
const maxPicture = 32 << 20

// newAssembler is nil for a codec whose pictures are not told apart: each PES then counts as one.
func newAssembler(codec string, outline bool) *assembler {
	a := &assembler{open: -1, from: -1, outline: outline}
	switch codec {
	case "h264":
		a.syntax = &h264{}
	case "h265":
		a.syntax = h265{}
	case "mpeg1video", "mpeg2video":
		a.syntax = mpeg2{}
	default:
		return nil
	}
	return a
}

// feed takes bytes of the stream and gives each picture that they end.
func (a *assembler) feed(b []byte, give func(Unit)) {
	a.buf = append(a.buf, b...)
	a.begin()
	a.look(false, give)
	if len(a.buf) > maxPicture {
		a.cut(len(a.buf), give)
	}
	if a.outline {
		a.forget()
	}
}

// end gives what is left.
func (a *assembler) end(give func(Unit)) {
	a.look(true, give)
	a.cut(len(a.buf), give)
	a.scan = 0
}

// forget drops what is read of the picture under way, save what a later start code may need.
func (a *assembler) forget() {
	n := a.scan
	if a.open >= 0 {
		n = min(n, a.open)
	}
	if a.from >= 0 {
		n = min(n, a.from)
	}
	if n -= 4; n > 8192 {
		a.shift(n)
	}
}

func (a *assembler) look(last bool, give func(Unit)) {
	for {
		i := nextStart(a.buf, a.scan)
		if i < 0 {
			a.scan = max(a.scan, len(a.buf)-2)
			if last {
				a.close(len(a.buf))
			}
			return
		}
		if len(a.buf) < i+3+headerBytes && !last {
			a.scan = i
			return
		}
		a.scan = i + 3
		a.close(i)
		a.unit(i, give)
	}
}

// close reads the unit that was open, which ends at a position.
func (a *assembler) close(at int) {
	if a.open >= 0 {
		a.syntax.whole(a.buf[a.open:at], a)
		a.open = -1
	}
}

// unit looks at what begins with the start code at i.
func (a *assembler) unit(i int, give func(Unit)) {
	if i+3 >= len(a.buf) {
		return
	}
	start := i
	if i > 0 && a.buf[i-1] == 0 && !a.stampedAt(i) {
		start-- // the zero byte before the start code, unless it ends the PES before
	}
	switch a.syntax.read(a.buf[a.scan:], &a.now) {
	case delimits:
		if a.now.coded && a.now.fields != 1 {
			a.cut(start, give)
		} else if a.now.coded && a.from < 0 {
			a.from = start
		}
	case begins:
		if a.now.coded {
			if a.from >= 0 {
				start = a.from
			}
			a.cut(start, give)
		}
	case completes:
		if a.from >= 0 {
			start = a.from
		}
		if s := a.stampAt(start); s != nil {
			s.consumed = true
		}
		a.now.fields, a.from, a.next = 2, -1, picture{}
	}
	if a.syntax.note(a.buf[a.scan:], a.told()) {
		a.open = a.scan
	}
}

// tell takes the facts of the stream's pictures.
func (a *assembler) tell(v Video) { a.facts, a.known, a.fresh = v, true, true }

// told is the picture to which what is read now belongs.
func (a *assembler) told() *picture {
	if a.from >= 0 {
		return &a.next
	}
	return &a.now
}

// cut gives the first n bytes of buf as a picture.
func (a *assembler) cut(n int, give func(Unit)) {
	if a.now.begun {
		give(a.picture(n))
	}
	a.shift(n)
	a.from = -1
	a.now, a.next = a.next, picture{}
	a.begin()
}

// shift drops the first n bytes of buf, and the stamps that no later picture can need.
func (a *assembler) shift(n int) {
	a.buf = a.buf[:copy(a.buf, a.buf[n:])]
	a.scan = max(a.scan-n, 0)
	if a.open >= 0 {
		a.open -= n
	}
	if a.from >= 0 {
		a.from -= n
	}
	last := 0
	for i := range a.stamps {
		if a.stamps[i].from -= n; a.stamps[i].from <= 0 {
			last = i
		}
	}
	a.stamps = a.stamps[:copy(a.stamps, a.stamps[last:])]
}

// begin takes the times of the picture that begins at the front of buf: those of its PES, when it is the first to begin there
// (ISO/IEC 13818-1, 2.4.3.7).
func (a *assembler) begin() {
	if a.now.begun || len(a.buf) == 0 {
		return
	}
	a.now.begun = true
	s := a.stampAt(0)
	if s == nil {
		return
	}
	a.now.stamp = *s
	if s.consumed {
		a.now.stamp.hasPTS, a.now.stamp.flagged, a.now.stamp.jumped = false, false, false
	}
	s.consumed = true
}

// stampAt is the PES in which lies a position of buf.
func (a *assembler) stampAt(at int) (s *stamp) {
	for i := range a.stamps {
		if a.stamps[i].from <= at {
			s = &a.stamps[i]
		}
	}
	return s
}

func (a *assembler) stampedAt(at int) bool {
	return slices.ContainsFunc(a.stamps, func(s stamp) bool { return s.from == at })
}

func (a *assembler) picture(n int) Unit {
	p := &a.now
	u := Unit{Kind: Pictures, Offset: p.stamp.at, PTS: p.stamp.pts, DTS: p.stamp.dts, HasPTS: p.stamp.hasPTS,
		Clock: p.stamp.clock, HasClock: p.stamp.hasClock, Fields: p.fields, Intra: p.coded && p.intra,
		Flagged: p.stamp.flagged, Random: p.random(), Gap: p.gap, Discontinuity: p.stamp.jumped}
	if !u.HasPTS {
		u.PTS, u.DTS = 0, 0
	}
	if !a.outline {
		u.Data = a.buf[:n]
	}
	return u
}

// random says that decoding may begin at the picture. An indicator alone does not do, since some writers set it on every
// packet: the picture must refer to none before, or a recovery point must stand with it.
func (p *picture) random() bool {
	switch {
	case !p.coded:
		return false
	case p.instant, p.recovers && p.exact:
		return true
	case p.intra:
		return p.stamp.flagged || p.sequence
	}
	return p.stamp.flagged && p.recovers
}
