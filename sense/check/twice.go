package check

import (
	"math"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// says holds what the packet says twice against itself. All of it is told as it is: nothing is corrected.
func (q *inspection) says() {
	q.vmti()
	if q.set.Standard != klv.ST0601 && q.set.Standard != klv.EG0104 {
		return
	}
	q.twins()
	p := video.Packet{Set: q.set, Offset: q.at.at, PID: uint16(max(q.lane.pid, 0)), PTS: q.at.pts, HasPTS: q.at.hasPTS}
	look := q.viewer.See(&p)
	stands := q.viewer.State(p.PID)
	if off, ok := look.SlantErrorM(); ok && !look.MixedDatum {
		if limit := classes[slantRange].Limit + 0.02*look.SlantM; math.Abs(off) > limit {
			q.tell(slantRange, "", "the slant range is %.0f m, and sensor and frame center are %.0f m apart", look.SlantM, look.SlantM+off)
		}
	}
	if d, ok := look.RayToReportedM(); ok && look.Contradicts {
		q.tell(centerRay, "", "attitude and gimbal look at a place %.0f m from the frame center", d)
	}
	q.width(stands, &look)
	q.corners(stands)
	q.heights(stands)
}

// width holds the width of the picture on the ground against the field of view at the slant range: 2 R tan(HFOV/2).
func (q *inspection) width(s *video.State, l *video.Look) {
	w, ok := s.Number(96)
	if !ok {
		w, ok = s.Number(22)
	}
	if !ok || l.SlantM <= 0 || l.HFOV <= 0 || l.HFOV >= 180 {
		return
	}
	if w == 0 {
		q.tell(valueUnset, itemName(klv.ST0601, 22), "a width of zero, where the field of view is %.2f degrees", l.HFOV)
		return
	}
	due := 2 * l.SlantM * math.Tan(l.HFOV*math.Pi/360)
	if off := math.Abs(w/due-1) * 100; off > classes[widthFOV].Limit && math.Abs(w-due) > 1 {
		q.tell(widthFOV, "", "the width is %.0f m, and the field of view at the slant range %.0f m", w, due)
	}
}

// corners asks whether the frame center lies within the corners, with a margin of a twentieth of the longer diagonal.
func (q *inspection) corners(s *video.State) {
	lat, ok1 := s.Number(23)
	lon, ok2 := s.Number(24)
	center := geodesy.LatLon{Lat: lat, Lon: lon}
	if !ok1 || !ok2 || !center.Valid() {
		return
	}
	ring, from, ok := cornersOf(s, center)
	if !ok {
		return
	}
	frame := geodesy.NewFrame(geodesy.LatLonHeight{Lat: lat, Lon: lon})
	var at [4][2]float64
	for i, p := range ring {
		at[i] = frame.GroundENU(p)
	}
	longer := math.Max(math.Hypot(at[0][0]-at[2][0], at[0][1]-at[2][1]), math.Hypot(at[1][0]-at[3][0], at[1][1]-at[3][1]))
	if longer < 1 {
		q.tell(valueUnset, from, "corners that lie in one point")
		return
	}
	if out := outside(at); out > longer/20 {
		q.tell(centerCorners, from, "the frame center lies %.0f m outside its corners", out)
	}
}

// cornersOf are the corners as they stand: full ones, or offsets from the frame center.
func cornersOf(s *video.State, center geodesy.LatLon) (ring [4]geodesy.LatLon, from string, ok bool) {
	for _, tag := range [...]uint32{82, 26} {
		ok = true
		for i := range ring {
			lat, ok1 := s.Number(tag + 2*uint32(i))
			lon, ok2 := s.Number(tag + 2*uint32(i) + 1)
			if tag == 26 {
				lat, lon = lat+center.Lat, geodesy.Wrap180(lon+center.Lon)
			}
			ring[i] = geodesy.LatLon{Lat: lat, Lon: lon}
			ok = ok && ok1 && ok2 && ring[i].Valid()
		}
		if ok {
			return ring, map[uint32]string{82: "items 82 to 89", 26: "items 26 to 33"}[tag], true
		}
	}
	return ring, "", false
}

// outside is how far the origin lies outside a ring of four points, 0 within; points that go round neither way have no inside, and
// the distance is that to the nearest point.
func outside(at [4][2]float64) float64 {
	out, turn := 0.0, 0.0
	for i := range at {
		a, b := at[i], at[(i+1)%4]
		turn += a[0]*b[1] - a[1]*b[0]
	}
	for i := range at {
		a, b := at[i], at[(i+1)%4]
		if n := math.Hypot(b[0]-a[0], b[1]-a[1]); n > 0 {
			out = math.Max(out, -math.Copysign(1, turn)*(a[0]*b[1]-a[1]*b[0])/n)
		}
	}
	return out
}

// The geoid of EGM96 lies between these heights above the ellipsoid, metres (NIMA TR8350.2, chapter 6), to the metre outwards.
const geoidLow, geoidHigh = -107, 86

// heights holds heights above the ellipsoid against those above the sea.
func (q *inspection) heights(s *video.State) {
	for _, h := range [...]struct{ msl, hae, wide uint32 }{{15, 75, 104}, {25, 78, 0}, {69, 76, 105}} {
		msl, ok := s.Number(h.msl)
		if !ok {
			continue
		}
		for _, tag := range [...]uint32{h.hae, h.wide} {
			hae, ok := s.Number(tag)
			if !ok || tag == 0 {
				continue
			}
			if d := hae - msl; d < geoidLow || d > geoidHigh {
				q.tell(heightDatum, itemName(klv.ST0601, h.msl), "item %d lies %.0f m above item %d: no geoid does", tag, d, h.msl)
			}
		}
	}
}

// twinned are the items that say the same in a smaller and a greater range.
var twinned = [...][2]uint32{{6, 90}, {7, 91}, {50, 92}, {52, 93}, {22, 96}, {38, 103}, {75, 104}, {76, 105}}

// twins compares items with their twins, where both are in the packet: to the step of the coarser one.
func (q *inspection) twins() {
	if q.set.Standard != klv.ST0601 {
		return
	}
	for _, t := range twinned {
		a, okA := given(q.set, t[0])
		b, okB := given(q.set, t[1])
		if okA && okB && math.Abs(a.Number-b.Number) > 1.01*(step(a)+step(b)) {
			q.tellAt(twinItems, a.At, itemName(klv.ST0601, t[0]), "item %d says %g %s, item %d %g", t[0], a.Number, a.Row.Unit, t[1], b.Number)
		}
	}
	for i := range uint32(8) { // corner offsets, of a frame center in the packet, against full corners
		off, ok := given(q.set, 26+i)
		center, okC := given(q.set, 23+i%2)
		full, okF := given(q.set, 82+i)
		if !ok || !okC || !okF {
			continue
		}
		if d := geodesy.Wrap180(off.Number + center.Number - full.Number); math.Abs(d) > 2*step(off) {
			q.tellAt(twinItems, off.At, itemName(klv.ST0601, 26+i), "item %d makes the corner %.6f degrees, item %d says %.6f", 26+i, full.Number+d, 82+i, full.Number)
		}
	}
}

// given is an item that has a number.
func given(s *klv.Set, tag uint32) (*klv.Item, bool) {
	it := s.Item(tag)
	return it, it != nil && it.State == klv.Given
}

// step is the distance between two neighbours on the scale of an item.
func step(it *klv.Item) float64 {
	return (it.Row.Hi - it.Row.Lo) / (math.Exp2(float64(8*len(it.Value)-1)) - 1)
}

// vmti judges the moving-target set of the packet, where it has one.
func (q *inspection) vmti() {
	if q.set.Standard == klv.ST0903 {
		q.vmtiOf(q.set, 0, false)
		return
	}
	it := q.set.Item(74)
	if q.set.Standard != klv.ST0601 || it == nil {
		return
	}
	s, ok := q.lane.vmti.Nested(it)
	if !ok {
		return
	}
	_, problems := q.lane.vmti.Tree(it)
	for _, p := range problems {
		q.tellAt(nestedValue, p.At, name(klv.ST0601, it), "%s", p.What)
	}
	q.vmtiOf(&s, it.At+len(it.Raw)-len(it.Value), true)
}

// vmtiOf judges a set of ST 0903 that lies at an offset of the packet.
func (q *inspection) vmtiOf(s *klv.Set, at int, inside bool) {
	if inside {
		if s.Item(4) == nil {
			q.tellAt(vmtiVersion, at, itemName(klv.ST0903, 4), "the version is not told")
		}
		if s.Item(1) != nil {
			q.tellAt(vmtiChecksum, at, "", "a checksum in a set within another")
		}
	}
	targets, _ := q.lane.vmti.Targets(s)
	reported, ok := given(s, 6)
	series := s.Item(101)
	if ok && series != nil && reported.Integer != int64(len(targets)) {
		q.tellAt(vmtiCount, at, "items 6 and 101", "%d targets reported, %d in the series", reported.Integer, len(targets))
	}
	if !ok {
		q.tellAt(vmtiCount, at, itemName(klv.ST0903, 6), "the number of reported targets is not told")
	}
	if total, has := given(s, 5); ok && has && total.Integer < reported.Integer {
		q.tellAt(vmtiCount, at, "items 5 and 6", "%d targets reported of %d detected", reported.Integer, total.Integer)
	}
	seen := map[int64]bool{}
	for i := range targets {
		if id := targets[i].ID; seen[id] {
			q.tellAt(vmtiID, at, "", "target %d comes more than once", id)
		}
		seen[targets[i].ID] = true
		q.pixels(&targets[i], at)
	}
}

// pixels holds the pixels of a target against the frame.
func (q *inspection) pixels(t *klv.VTarget, at int) {
	items, width, height := t.Node.Field("VTarget"), int64(q.lane.vmti.FrameWidth), int64(q.lane.vmti.FrameHeight)
	for _, tag := range [...]uint32{1, 2, 3} {
		n, ok := items.Item(tag).Int()
		switch about := itemName(klv.ST0903VTarget, tag); {
		case !ok:
		case width == 0:
			q.tellAt(vmtiFrame, at, "", "a pixel number, and no frame width was told")
		case n < 1 || height > 0 && (n-1)/width >= height:
			q.tellAt(vmtiPixel, at, about, "pixel %d of target %d lies outside a frame of %d x %d", n, t.ID, width, height)
		}
	}
	row, ok1 := items.Item(19).Int()
	column, ok2 := items.Item(20).Int()
	if ok1 && ok2 && (row < 1 || column < 1 || height > 0 && row > height || width > 0 && column > width) {
		q.tellAt(vmtiPixel, at, itemName(klv.ST0903VTarget, 19), "row %d, column %d of target %d lies outside a frame of %d x %d", row, column, t.ID, width, height)
	}
	if a, b := t.TopLeft, t.BottomRight; a.Known() && b.Known() && (a.Row > b.Row || a.Column > b.Column) {
		q.tellAt(vmtiPixel, at, "box", "the top left corner of target %d lies below or right of its bottom right one", t.ID)
	}
}
