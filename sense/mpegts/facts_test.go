package mpegts_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

func factsOf(t testing.TB, b []byte) *mpegts.Facts {
	t.Helper()
	f := &mpegts.Facts{}
	d := mpegts.NewDemuxer(bytes.NewReader(b))
	d.Watch(f.Add)
	for {
		if _, err := d.Next(); err != nil {
			break
		}
	}
	f.Close(d)
	return f
}

func of(f *mpegts.Facts, pid uint16) *mpegts.PIDFacts {
	i := slices.IndexFunc(f.PIDs, func(p *mpegts.PIDFacts) bool { return p.PID == pid })
	return f.PIDs[i]
}

// good is four seconds of a program with nothing wrong.
func good(t testing.TB) []byte {
	var units []mpegts.Unit
	for i := range 120 {
		pts := int64(900000 + 3000*i)
		units = append(units, picture(i%12, pts), klvUnit(klvPID, pts, 100), klvUnit(syncPID, pts, 120))
	}
	return program(t, units...)
}

// at is where the n-th packet lies for which is holds.
func at(b []byte, n int, is func(p []byte) bool) int {
	for i := 0; i < len(b); i += 188 {
		if is(b[i : i+188]) {
			if n--; n < 0 {
				return i
			}
		}
	}
	panic("no such packet")
}

func onPID(pid uint16) func([]byte) bool {
	return func(p []byte) bool { return uint16(p[1]&0x1f)<<8|uint16(p[2]) == pid && p[3]&0x10 != 0 }
}

func withClock(p []byte) bool { return p[3]&0x20 != 0 && p[4] >= 7 && p[5]&0x10 != 0 }

func TestNothingWrongIsToldOfAGoodStream(t *testing.T) {
	f := factsOf(t, good(t))
	if len(f.Events) != 0 || len(f.Missing) != 0 || len(f.Unreferenced) != 0 {
		t.Errorf("%+v, %v, %v", f.Events, f.Missing, f.Unreferenced)
	}
	video := of(f, videoPID)
	if video.Clock.N < 100 || video.Clock.Longest > 40*27000 || video.Times.N != 120 || video.Times.Longest != 900000 || video.Untimed != 0 {
		t.Errorf("%+v", video)
	}
	if pat, pmt := f.PAT, f.PMT[0x1000]; pat.N < 40 || pat.N != pmt.N || pat.Longest > 135*27000 {
		t.Errorf("PAT %+v, PMT %+v", pat, pmt)
	}
	if l := video.Lead; l.Least < 45000*300-1200000 || l.Most > 45000*300+1200000 {
		t.Errorf("lead %+v", l)
	}
	for _, name := range clips {
		for _, v := range factsOf(t, clip(t, name)).Events {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// Each fault is put in at one place, and told with that place; nothing else is.
func TestEachFaultIsToldWithItsPlace(t *testing.T) {
	b := good(t)
	third := func(pid uint16) int { return at(b, 30, onPID(pid)) }
	change := func(i int, do func(p []byte)) []byte {
		c := bytes.Clone(b)
		do(c[i : i+188])
		return c
	}
	clocked := at(b, 50, withClock)
	for _, c := range []struct {
		claim string
		file  []byte
		kind  mpegts.EventKind
		at    int
		also  []mpegts.EventKind
	}{
		{"the transport error indicator", change(third(klvPID), func(p []byte) { p[1] |= 0x80 }), mpegts.Broken, third(klvPID), nil},
		{"a scrambled packet", change(third(klvPID), func(p []byte) { p[3] |= 0x80 }), mpegts.Scrambled, third(klvPID), nil},
		{"a lost sync byte", change(third(klvPID), func(p []byte) { p[0] = 0x46 }), mpegts.SyncLost, third(klvPID), []mpegts.EventKind{mpegts.Lost}},
		{"a wrong check sum", change(at(b, 3, onPID(0x1000)), func(p []byte) { p[187] ^= 1 }), mpegts.TableBroken, at(b, 3, onPID(0x1000)), nil},
		{"a clock that jumps", change(clocked, func(p []byte) { p[7]++ }), mpegts.ClockJumped, clocked, nil},
		{"a PES with a wrong length", change(third(klvPID), func(p []byte) { p[5+int(p[4])+5] += 3 }), mpegts.PESLength, third(klvPID), nil},
		{"a PES without a header", change(third(klvPID), func(p []byte) { p[5+int(p[4])+2] = 7 }), mpegts.PESBroken, third(klvPID), nil},
		{"a PES whose time goes back", change(third(klvPID), func(p []byte) { p[5+int(p[4])+11] -= 8 }), mpegts.TimeBack, third(klvPID), nil},
		{"a lost packet", append(bytes.Clone(b[:third(klvPID)]), b[third(klvPID)+188:]...), mpegts.Lost, at(b, 31, onPID(klvPID)) - 188, nil},
		{"a file cut within a packet", b[:len(b)-100], mpegts.CutPacket, len(b) - 188, nil},
	} {
		f := factsOf(t, c.file)
		i := slices.IndexFunc(f.Events, func(v mpegts.Event) bool { return v.Kind == c.kind })
		if i < 0 || f.Events[i].At != int64(c.at) {
			t.Errorf("%s: %+v, want kind %d at %d", c.claim, f.Events, c.kind, c.at)
			continue
		}
		for _, v := range f.Events {
			if v.Kind != c.kind && !slices.Contains(c.also, v.Kind) {
				t.Errorf("%s: told beside it: %+v", c.claim, v)
			}
		}
	}
}

func TestTablesThatNeverCameAndPIDsThatNothingAnnounces(t *testing.T) {
	b := good(t)
	var without, foreign []byte
	for p := b; len(p) > 0; p = p[188:] {
		if !onPID(0x1000)(p[:188]) {
			without = append(without, p[:188]...)
		}
		foreign = append(foreign, p[:188]...)
		if onPID(klvPID)(p[:188]) {
			q := bytes.Clone(p[:188])
			q[1], q[2] = q[1]&0xe0|0x03, 0x33
			foreign = append(foreign, q...)
		}
	}
	if f := factsOf(t, without); !slices.Equal(f.Missing, []string{"PMT"}) {
		t.Errorf("without a program map: %v", f.Missing)
	}
	var bare transport
	bare.pes(0xfc, 90000, cell(0, 3, body(100, 'a')))
	if f := factsOf(t, bytes.Repeat(bare.Bytes(), 3)); !slices.Equal(f.Missing, []string{"PAT", "PMT"}) {
		t.Errorf("without tables: %v", f.Missing)
	}
	if f := factsOf(t, foreign); !slices.Equal(f.Unreferenced, []uint16{0x333}) || len(f.Missing) != 0 {
		t.Errorf("PID 0x333 is announced nowhere: %x", f.Unreferenced)
	}
}

func TestTablesThatContradictTheBytesAreTold(t *testing.T) {
	b := good(t)
	// stream types of the two metadata streams exchanged in every program map: 0x15 for the asynchronous one and the reverse
	for i := 0; i < len(b); i += 188 {
		if onPID(0x1000)(b[i : i+188]) {
			pmt := b[i+5+int(b[i+4])+1 : i+188]
			async := bytes.Index(pmt, []byte{0x06, 0xe1, 0x01})
			sync := bytes.Index(pmt, []byte{0x15, 0xe1, 0x02})
			pmt[async], pmt[sync] = 0x15, 0x06
			c := mpegts.SectionCheck(pmt[:len(pmt)-4])
			copy(pmt[len(pmt)-4:], c[:])
		}
	}
	f := factsOf(t, b)
	var pids []uint16
	for _, v := range f.Events {
		if v.Kind == mpegts.Contradiction && v.Text != "" {
			pids = append(pids, v.PID)
		}
	}
	if !slices.Equal(pids, []uint16{klvPID, syncPID}) || len(f.Events) != 2 {
		t.Errorf("%+v", f.Events)
	}
}

func TestAPacketSentTwiceIsCountedAndNoFault(t *testing.T) {
	b := good(t)
	i := at(b, 3, onPID(videoPID))
	twice := append(append(bytes.Clone(b[:i+188]), b[i:i+188]...), b[i+188:]...)
	f := factsOf(t, twice)
	if v := of(f, videoPID); v.Repeated != 1 || v.Lost != 0 || len(f.Events) != 0 {
		t.Errorf("%+v, %+v", v, f.Events)
	}
	j := at(b, 50, withClock) // its clock reference may differ
	twice = append(append(bytes.Clone(b[:j+188]), b[j:j+188]...), b[j+188:]...)
	if twice[j+188+3]&0x10 != 0 {
		twice[j+188+9]++
		if v := of(factsOf(t, twice), videoPID); v.Repeated != 1 || v.Lost != 0 {
			t.Errorf("%+v", v)
		}
	}
}
