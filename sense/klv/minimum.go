package klv

import (
	"slices"
	"time"
)

// A Requirement is one entry of the Motion Imagery Sensor Minimum Metadata Set (MISB ST 0902.8, table 1).
type Requirement struct {
	Name string
	// Tags are the items of ST 0601 that fulfil it, any of them. Within is 48 for those of the ST 0102 set in that item, else 0.
	Tags   []uint32
	Within uint32
}

// Minimum is the set. Items 4 to 6 of ST 0102 are due only where such markings apply, and are not in it.
func Minimum() []Requirement {
	out := []Requirement{
		{Name: "Checksum", Tags: []uint32{1}},
		{Name: "Precision Time Stamp", Tags: []uint32{2}},
		{Name: "Mission ID", Tags: []uint32{3}},
		{Name: "Platform Heading Angle", Tags: []uint32{5}},
		{Name: "Platform Pitch Angle", Tags: []uint32{6, 90}},
		{Name: "Platform Roll Angle", Tags: []uint32{7, 91}},
		{Name: "Platform Designation", Tags: []uint32{10}},
		{Name: "Image Source Sensor", Tags: []uint32{11}},
		{Name: "Image Coordinate System", Tags: []uint32{12}},
		{Name: "Sensor Latitude", Tags: []uint32{13}},
		{Name: "Sensor Longitude", Tags: []uint32{14}},
		{Name: "Sensor Altitude", Tags: []uint32{15, 75, 104}},
		{Name: "Sensor Horizontal Field of View", Tags: []uint32{16}},
		{Name: "Sensor Vertical Field of View", Tags: []uint32{17}},
		{Name: "Sensor Relative Azimuth Angle", Tags: []uint32{18}},
		{Name: "Sensor Relative Elevation Angle", Tags: []uint32{19}},
		{Name: "Sensor Relative Roll Angle", Tags: []uint32{20}},
		{Name: "Slant Range", Tags: []uint32{21}},
		{Name: "Target Width", Tags: []uint32{22, 96}},
		{Name: "Frame Center Latitude", Tags: []uint32{23}},
		{Name: "Frame Center Longitude", Tags: []uint32{24}},
		{Name: "Frame Center Elevation", Tags: []uint32{25, 78}},
		{Name: "UAS Datalink LS Version Number", Tags: []uint32{65}},
		{Name: "MIIS Core Identifier", Tags: []uint32{94}},
	}
	for _, tag := range []uint32{1, 2, 3, 12, 13, 22} {
		out = append(out, Requirement{Name: "Security: " + ST0102.Row(tag).Name, Tags: []uint32{tag}, Within: 48})
	}
	return out
}

// RefreshPeriod is how long an item may stay away when it does not change (ST 0902.8; ST 0601 section 6.3).
const RefreshPeriod = 30 * time.Second

// A Checklist holds the sets of one stream against the minimum. The zero value is ready.
type Checklist struct {
	seen []time.Time // of each entry of Minimum, when it was last there; zero for never
	all  []Requirement
}

// Take notes what a ST 0601 set of that time holds. An item counts when it is given a value, be it "out of range".
func (c *Checklist) Take(s *Set, at time.Time) {
	if s.Standard != ST0601 {
		return
	}
	if c.all == nil {
		c.all = Minimum()
		c.seen = make([]time.Time, len(c.all))
	}
	security, _ := s.Item(48).Nested()
	for i, r := range c.all {
		in := s
		if r.Within != 0 {
			in = &security
		}
		if slices.ContainsFunc(r.Tags, func(tag uint32) bool { return in.fulfils(tag) }) {
			c.seen[i] = at
		}
	}
}

func (s *Set) fulfils(tag uint32) bool {
	it := s.Item(tag)
	return it != nil && len(it.Value) > 0 && it.State != Malformed
}

// Absent are the requirements that no set fulfilled yet.
func (c *Checklist) Absent() (out []Requirement) {
	if c.all == nil {
		return Minimum()
	}
	for i, r := range c.all {
		if c.seen[i].IsZero() {
			out = append(out, r)
		}
	}
	return out
}

// Overdue are those that were fulfilled once, and at that time not for longer than RefreshPeriod.
func (c *Checklist) Overdue(now time.Time) (out []Requirement) {
	for i, r := range c.all {
		if !c.seen[i].IsZero() && now.Sub(c.seen[i]) > RefreshPeriod {
			out = append(out, r)
		}
	}
	return out
}

// Absent are the requirements of the minimum that this one set does not fulfil.
func (s *Set) Absent() []Requirement {
	var c Checklist
	c.Take(s, time.Unix(1, 0))
	return c.Absent()
}

// Breaches are the rules of coding that the packet breaks though it can be read: numbers written longer than need be (SMPTE ST 336,
// MISB ST 0107), a time stamp that is not first, a checksum that is not last, a version that is not told (ST 0601, ST 0903), text that
// ends in zero bytes or blanks (ST 0107). What keeps items from being read is in Problems.
func (s *Set) Breaches() (out []Problem) {
	add := func(at int, what string) { out = append(out, Problem{at, what}) }
	if len(s.Head) > 16 && longLength(s.Head[16:]) {
		add(16, "ST 0107: the packet's length is written longer than need be")
	}
	for i := range s.Items {
		it := &s.Items[i]
		head := it.Raw[:len(it.Raw)-len(it.Value)]
		if it.Key != (UL{}) {
			head = head[16:]
		} else {
			if head[0] == 0x80 {
				add(it.At, "ST 0107: "+it.label()+": its tag is written longer than need be")
			}
			_, k := berOID(head)
			head = head[k:]
		}
		if longLength(head) {
			add(it.At, "ST 0107: "+it.label()+": its length is written longer than need be")
		}
		if it.State == Given && it.Row.Format == Text && padded(it.Value) {
			add(it.At, "ST 0107: "+it.label()+": text with zero bytes or blanks at its end")
		}
	}
	return append(out, s.order()...)
}

// longLength says that a BER length takes more bytes than it must.
func longLength(b []byte) bool {
	n, k := berLength(b)
	return k > len(appendBERLength(nil, n))
}

func padded(text []byte) bool {
	last := text[len(text)-1]
	return last == 0 || last == ' '
}

func (s *Set) order() (out []Problem) {
	version := map[*Standard]uint32{ST0601: 65, ST0903: 4}[s.Standard]
	if version == 0 || len(s.Items) == 0 {
		return nil
	}
	name := "ST " + s.Standard.Name + ": "
	if s.Items[0].Tag != 2 {
		out = append(out, Problem{s.Items[0].At, name + "the time stamp (item 2) is not the first item"})
	}
	if last := &s.Items[len(s.Items)-1]; last.Tag != s.Standard.check.tag {
		out = append(out, Problem{last.At, name + "the checksum (item 1) is not the last item"})
	}
	if s.Item(version) == nil {
		out = append(out, Problem{0, name + "the version is not told"})
	}
	return out
}
