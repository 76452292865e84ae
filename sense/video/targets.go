package video

import (
	"fmt"
	"math"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/geodesy/terrain"
	"github.com/atalaya-isr/atalaya/sense/klv"
)

// This file is the seam to MISB ST 0903: readTargets is all that knows how targets lie in a VMTI set's bytes. It reads the
// series of item 101 itself, and of each VTarget pack the items that place it.

// A Target is something that a moving-target set marked: where it lies in the picture, and on the ground.
type Target struct {
	ID uint64
	// Row and Col are the pixel of its middle, counted from 1; 0 when not told.
	Row, Col int64
	// Where is the place by Method: "ray" (through the pixel's middle), "location" (item 17, or 10 to 12 beside the frame center:
	// "offset"), or "" where there is none. Reported is the place that the sender told, whichever was taken.
	Where       Position
	Method      string
	Reported    Position
	HasReported bool
	Ellipse95   geodesy.Ellipse
	HasEllipse  bool
	Problem     string // why there is no place, or why it is not by ray
}

// RayToReportedM is the distance on the ground between the ray's place and the sender's.
func (t *Target) RayToReportedM() (float64, bool) {
	if t.Method != "ray" || !t.HasReported {
		return 0, false
	}
	return geodesy.Distance(t.Where.LatLon(), t.Reported.LatLon()), true
}

// marking is what a stream's VMTI sets say now and then: kept, since version and frame size decide what the rest means.
type marking struct {
	version       int64 // 0 when never told
	width, height int64 // pixels
	hfov, vfov    float64
	list          []vtarget // of the last packet
	problems      []string
}

// A vtarget is one VTarget pack.
type vtarget struct {
	id                uint64
	pixel, row, col   uint64 // from 1; 0 when absent
	dLat, dLon        float64
	height            float64
	heightRound       float64
	lat, lon          float64
	sigma             [3]float64 // east, north, up
	rho               float64    // east with north
	offset, hasHeight bool
	located, hasSigma bool
}

// maxTargets bounds what one set may list.
const maxTargets = 4096

// mark takes in the VMTI set of a packet: item 74 of ST 0601, or the packet itself.
func (s *State) mark(p *Packet) {
	s.marks.list, s.marks.problems = s.marks.list[:0], nil
	if p.Set.Standard == klv.ST0903 {
		s.marks.take(p.Set)
	} else if it := p.Set.Item(74); it != nil && p.Set.Standard == klv.ST0601 {
		if n, ok := it.Nested(); ok {
			s.marks.take(&n)
		}
	}
}

func (m *marking) take(s *klv.Set) {
	whole := func(tag uint32, into *int64) {
		if it := s.Item(tag); it != nil && it.State == klv.Given && it.Integer > 0 {
			*into = it.Integer
		}
	}
	whole(4, &m.version)
	whole(8, &m.width)
	whole(9, &m.height)
	for tag, into := range map[uint32]*float64{11: &m.hfov, 12: &m.vfov} {
		if v, state := s.Number(tag); state == klv.Given {
			*into = v
		} else if state == klv.Cleared {
			*into = 0
		}
	}
	if it := s.Item(101); it != nil {
		var why string
		if m.list, why = readTargets(it.Value, m.version, m.list); why != "" {
			m.problems = append(m.problems, "targets (ST 0903 item 101): "+why)
		}
	}
}

// readTargets reads a series of VTarget packs (ST 0903.6, 8.2 and table 6): each a BER length, the target's number (BER-OID),
// and items. It adds to list and says in why what could not be read; what came before is kept.
func readTargets(b []byte, version int64, list []vtarget) (out []vtarget, why string) {
	for len(b) > 0 {
		pack, rest, ok := lengthOf(b)
		if !ok {
			return list, fmt.Sprintf("%d bytes at the end are no pack", len(b))
		}
		b = rest
		if len(list) == maxTargets {
			return list, fmt.Sprintf("more than %d", maxTargets)
		}
		t := vtarget{}
		if t.id, pack, ok = oid(pack); !ok {
			return list, "a pack without a number"
		}
		for len(pack) > 0 {
			var tag uint64
			var value []byte
			if tag, pack, ok = oid(pack); ok {
				value, pack, ok = lengthOf(pack)
			}
			if !ok {
				why = fmt.Sprintf("target %d is cut short", t.id)
				break
			}
			t.take(tag, value, version)
		}
		list = append(list, t)
	}
	return list, why
}

// lengthOf takes a BER length and so many bytes off the front of b.
func lengthOf(b []byte) (value, rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, nil, false
	}
	n, k := uint64(b[0]), 1
	if n >= 0x80 {
		k += int(n & 0x7f)
		if n = 0; k > 5 || len(b) < k {
			return nil, nil, false
		}
		for _, c := range b[1:k] {
			n = n<<8 | uint64(c)
		}
	}
	if n > uint64(len(b)-k) {
		return nil, nil, false
	}
	return b[k : k+int(n)], b[k+int(n):], true
}

// take reads one item of a VTarget. Whole numbers come in as many bytes as they need. Locations are IMAPB from version 4 on,
// before that unsigned linear maps over the same ranges; where no version was told they are not read.
func (t *vtarget) take(tag uint64, b []byte, version int64) {
	if len(b) == 0 {
		return
	}
	number := func(lo, hi float64, b []byte) (float64, bool) { return located(b, lo, hi, version) }
	switch tag {
	case 1:
		t.pixel = whole(b)
	case 19:
		t.row = whole(b)
	case 20:
		t.col = whole(b)
	case 10:
		t.dLat, t.offset = number(-19.2, 19.2, b)
	case 11:
		if t.offset { // one of the two places nothing
			t.dLon, t.offset = number(-19.2, 19.2, b)
		}
	case 12:
		t.height, t.hasHeight = number(-900, 19000, b)
		t.heightRound = math.Exp2(15-float64(8*len(b)-1)) / math.Sqrt(12)
	case 17:
		t.locate(b, number)
	}
}

// locate reads a location pack (ST 0903.6, table 12): latitude and longitude in 4 bytes, height in 2; then, or not, deviations
// east, north, up over 0 to 650 m and correlations east-north, east-up, north-up, in 2 bytes each.
func (t *vtarget) locate(b []byte, number func(lo, hi float64, b []byte) (float64, bool)) {
	if len(b) < 10 {
		return
	}
	var ok1, ok2 bool
	t.lat, ok1 = number(-90, 90, b[:4])
	t.lon, ok2 = number(-180, 180, b[4:8])
	t.located = ok1 && ok2
	if h, ok := number(-900, 19000, b[8:10]); ok && t.located {
		t.height, t.hasHeight, t.heightRound = h, true, 1/math.Sqrt(12)
	}
	if len(b) < 16 {
		return
	}
	t.hasSigma = true
	for i := range t.sigma {
		v, ok := number(0, 650, b[10+2*i:12+2*i])
		t.sigma[i], t.hasSigma = v, t.hasSigma && ok
	}
	if len(b) >= 22 {
		t.rho, _ = number(-1, 1, b[16:18])
	}
}

func whole(b []byte) (v uint64) {
	if len(b) > 6 {
		return 0
	}
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v
}

// located is a number of a location by the map of its version.
func located(b []byte, lo, hi float64, version int64) (float64, bool) {
	if version <= 0 || len(b) > 6 {
		return 0, false
	}
	if version >= 4 {
		v, ok := klv.DecodeIMAPB(b, lo, hi)
		return v, ok && v >= lo && v <= hi
	}
	return float64(whole(b))*((hi-lo)/(math.Exp2(float64(8*len(b)))-1)) + lo, true
}

// centre is the middle of a target's pixel in the picture; false where frame size or pixel is not told. Pixels count from 1, row
// by row: number n of a frame of width w is column (n-1) mod w and row (n-1) / w from 0, and its middle half a pixel on.
func (m *marking) centre(t *vtarget, width, height int64) (p pictured, row, col int64, ok bool) {
	row, col = int64(t.row), int64(t.col)
	if (row == 0 || col == 0) && t.pixel > 0 && width > 0 {
		row, col = int64((t.pixel-1)/uint64(width))+1, int64((t.pixel-1)%uint64(width))+1
	}
	if row < 1 || col < 1 {
		return p, 0, 0, false
	}
	if width < 1 || height < 1 || col > width || row > height {
		return p, row, col, false
	}
	return pictured{2*(float64(col)-.5)/float64(width) - 1, 2*(float64(row)-.5)/float64(height) - 1}, row, col, true
}

// place puts the marked targets on the ground.
func (l *Look) place(m *marking, o *Options) {
	width, height := m.width, m.height
	if width == 0 || height == 0 {
		width, height = int64(o.FrameWidth), int64(o.FrameHeight)
	}
	for _, what := range m.problems {
		l.Problem = append(l.Problem, Problem{l.Offset, what})
	}
	l.Targets = nil
	for i := range m.list {
		l.Targets = append(l.Targets, l.target(m, &m.list[i], width, height))
	}
}

func (l *Look) target(m *marking, v *vtarget, width, height int64) Target {
	t := Target{ID: v.id}
	told := ""
	switch {
	case v.located:
		t.Reported, told = Position{Lat: v.lat, Lon: v.lon}, "location"
	case v.offset && l.HasReported:
		t.Reported, told = Position{Lat: l.Reported.Lat + v.dLat, Lon: geodesy.Wrap180(l.Reported.Lon + v.dLon)}, "offset"
	}
	if v.hasHeight {
		t.Reported.HeightM, t.Reported.Datum, t.Reported.HasHeight = v.height, HAE, true
	}
	t.HasReported = told != "" && t.Reported.LatLon().Valid()
	p, row, col, ok := m.centre(v, width, height)
	t.Row, t.Col = row, col
	switch {
	case row == 0 && v.pixel == 0:
		t.Problem = "no pixel"
	case !ok && (width == 0 || height == 0):
		t.Problem = "the frame's size is not known"
	case !ok:
		t.Problem = fmt.Sprintf("row %d, column %d lies outside a frame of %d by %d", row, col, width, height)
	default:
		t.Problem = l.through(&t, v, m, p, width, height)
	}
	if t.Method == "" && t.HasReported {
		t.Where, t.Method = t.Reported, told
		if v.located && v.hasSigma {
			c := v.rho * v.sigma[0] * v.sigma[1]
			t.Ellipse95, t.HasEllipse = geodesy.EllipseOf([2][2]float64{{v.sigma[0] * v.sigma[0], c}, {c, v.sigma[1] * v.sigma[1]}}, 0.95), true
		}
	}
	return t
}

// through casts the ray of a target's pixel: to the terrain where there is any, else to the target's own height, else to the
// frame center's. It says why there is no such place.
func (l *Look) through(t *Target, v *vtarget, m *marking, p pictured, width, height int64) string {
	s := l.sight
	if m.hfov > 0 && m.vfov > 0 { // the detecting sensor's own
		s.HFOV, s.VFOV = m.hfov, m.vfov
	}
	if why := l.blind(&s); why != "" {
		return why
	}
	dev, with := l.deviations(&s)
	dev[ofRight], dev[ofBelow] = 2/float64(width)/math.Sqrt(12), 2/float64(height)/math.Sqrt(12)
	if s.Terrain == nil && v.hasHeight {
		s.HeightM = v.height
		dev[ofGround] = math.Hypot(v.heightRound, l.options.Sigmas.Ground)
		if l.Sensor.Datum != HAE { // the target's height is above the ellipsoid by its name
			dev[ofGround] = math.Hypot(dev[ofGround], UnknownGeoidSigmaM)
		}
	}
	hit := s.Cast(tangentsOf(&s, p)[0], tangentsOf(&s, p)[1], farM)
	if hit.Outcome != terrain.Met {
		return "the ray of its pixel ends " + hit.Outcome.String()
	}
	l.grounded(&dev, hit)
	t.Where, t.Method = l.position(hit), "ray"
	t.Ellipse95, t.HasEllipse = s.ellipse(p, hit.At, &dev, with)
	return ""
}

func tangentsOf(s *Sight, p pictured) [2]float64 {
	x, y := s.tangents(p)
	return [2]float64{x, y}
}
