package klv

import "math"

// A VMTIState keeps what the VMTI sets of one stream say only now and then: by which version they are written, and how large the frame
// is. A location read by the map of the other version lies thousands of kilometres off, and pixel numbers mean nothing without the
// width. The zero value is ready; it belongs to one stream.
type VMTIState struct {
	Version     int // of ST 0903; 0 while none was told: then 4 and later are assumed
	FrameWidth  int // pixels; 0 while none was told
	FrameHeight int
}

// legacy says that numbers are mapped as before version 4.
func (v *VMTIState) legacy() bool { return v.Version > 0 && v.Version <= 3 }

// Take notes what a VMTI set tells, and reads those of its items again that the version at hand writes otherwise.
func (v *VMTIState) Take(s *Set) {
	if s.Standard != ST0903 {
		return
	}
	for tag, to := range map[uint32]*int{4: &v.Version, 8: &v.FrameWidth, 9: &v.FrameHeight} {
		if it := s.Item(tag); it != nil && it.State == Given && it.Integer > 0 && it.Integer <= math.MaxInt32 {
			*to = int(it.Integer)
		}
	}
	if v.legacy() {
		s.readLegacy()
	}
}

// readLegacy reads the items that were mapped otherwise before version 4 by the map of that time.
func (s *Set) readLegacy() {
	for i := range s.Items {
		it := &s.Items[i]
		if it.Row == nil || it.Row.legacyRow == nil || len(it.Value) == 0 {
			continue
		}
		n := Node{Row: it.Row, Value: it.Value, At: it.At, Tag: it.Tag}
		var rd reading
		rd.legacyValue(&n)
		it.Row, it.State, it.Number, it.Integer = n.Row, n.State, n.Number, n.Integer
		s.Problems = append(s.Problems, rd.problems...)
	}
}

// readVersioned does that where the set itself tells its version.
func (s *Set) readVersioned() {
	tag, ok := versionTag(s.Standard)
	if !ok {
		return
	}
	if it := s.Item(tag); it != nil && it.State == Given && it.Integer <= 3 {
		s.readLegacy()
	}
}

// Nested is Item.Nested with the set noted and read as Take has it.
func (v *VMTIState) Nested(it *Item) (s Set, ok bool) {
	if s, ok = it.Nested(); ok {
		v.Take(&s)
	}
	return s, ok
}

// Tree is Item.Tree by the version at hand, where the item does not tell its own. Call Nested, or Take, first.
func (v *VMTIState) Tree(it *Item) (Node, []Problem) {
	rd := reading{room: maxElements, legacy: v.legacy()}
	return rd.whole(it)
}

// A Pixel is a place in the frame as ST 0903 counts it: rows and columns from 1 at the top left. The zero value is none.
type Pixel struct{ Row, Column int64 }

// PixelOf is the pixel with a number in a frame that many pixels wide: number = (row-1)*width + column. The zero Pixel where the
// number or the width can be none.
func PixelOf(number int64, width int) Pixel {
	if number < 1 || width < 1 {
		return Pixel{}
	}
	return Pixel{Row: (number-1)/int64(width) + 1, Column: (number-1)%int64(width) + 1}
}

// Known says that it is a pixel.
func (p Pixel) Known() bool { return p.Row > 0 && p.Column > 0 }

// Number is the pixel's number in a frame that many pixels wide, 0 for none.
func (p Pixel) Number(width int) int64 {
	if !p.Known() || p.Column > int64(width) {
		return 0
	}
	return (p.Row-1)*int64(width) + p.Column
}

// Center is the middle of the pixel, in pixels right of and below the frame's top left corner: the first pixel's is 0.5, 0.5.
func (p Pixel) Center() (right, down float64) {
	return float64(p.Column) - 0.5, float64(p.Row) - 0.5
}

// A Location is a place of ST 0903 on WGS 84, with the standard deviations and correlations of its east, north and up error.
type Location struct {
	Lat, Lon, HAE float64 // degrees, degrees, metres above the ellipsoid; NaN where the sender gives none
	HasSigma      bool
	Sigma         [3]float64 // east, north, up, metres
	HasRho        bool
	Rho           [3]float64 // east-north, east-up, north-up
}

// A VTarget is one detection of a VMTI set.
type VTarget struct {
	ID          int64
	Centroid    Pixel
	TopLeft     Pixel // of the box around it
	BottomRight Pixel
	Confidence  float64 // percent; NaN where none is given
	// Location is where the sender says it is. Where HasOffset, it is OffsetLat and OffsetLon degrees from the frame center of the
	// ST 0601 set around it, at HAE metres (NaN where not given).
	HasLocation          bool
	Location             Location
	HasOffset            bool
	OffsetLat, OffsetLon float64
	HAE                  float64
	Node                 *Node // the VTarget pack with all that it holds
}

// Targets takes the detections of a VMTI set, which is noted as by Take. None is no fault: a set may tell a count alone.
func (v *VMTIState) Targets(s *Set) (out []VTarget, problems []Problem) {
	v.Take(s)
	it := s.Item(101)
	if s.Standard != ST0903 || it == nil {
		return nil, nil
	}
	series, problems := v.Tree(it)
	for i := range series.Nodes {
		out = append(out, v.target(&series.Nodes[i]))
	}
	return out, problems
}

func (v *VMTIState) target(pack *Node) VTarget {
	items := pack.Field("VTarget")
	t := VTarget{Node: pack, Confidence: math.NaN(), HAE: math.NaN()}
	t.ID, _ = pack.Field("Target ID Number").Int()
	for tag, to := range map[uint32]*Pixel{1: &t.Centroid, 2: &t.TopLeft, 3: &t.BottomRight} {
		if n, ok := items.Item(tag).Int(); ok {
			*to = PixelOf(n, v.FrameWidth)
		}
	}
	if row, ok := items.Item(19).Int(); ok {
		if column, ok := items.Item(20).Int(); ok {
			t.Centroid = Pixel{row, column}
		}
	}
	if x, ok := items.Item(5).Float(); ok {
		t.Confidence = x
	}
	if x, ok := items.Item(12).Float(); ok {
		t.HAE = x
	}
	lat, ok1 := items.Item(10).Float()
	lon, ok2 := items.Item(11).Float()
	t.OffsetLat, t.OffsetLon, t.HasOffset = lat, lon, ok1 && ok2
	t.Location, t.HasLocation = LocationOf(items.Item(17))
	return t
}

// LocationOf reads a Location pack; ok is false where the node is none or has no latitude and longitude.
func LocationOf(n *Node) (l Location, ok bool) {
	if n == nil || n.Kind != AsPack || n.State != Given || len(n.Nodes) < 3 {
		return l, false
	}
	number := func(i int) float64 {
		if i < len(n.Nodes) {
			if x, ok := n.Nodes[i].Float(); ok {
				return x
			}
		}
		return math.NaN()
	}
	l.Lat, l.Lon, l.HAE = number(0), number(1), number(2)
	l.HasSigma, l.HasRho = len(n.Nodes) >= 6, len(n.Nodes) >= 9
	for i := range 3 {
		l.Sigma[i], l.Rho[i] = number(3+i), number(6+i)
	}
	return l, !math.IsNaN(l.Lat) && !math.IsNaN(l.Lon)
}

// LocationPack is a location to be written.
func LocationPack(tag uint32, l Location) Value {
	fields := []Value{mappedOr(1, l.Lat), mappedOr(2, l.Lon), mappedOr(3, l.HAE)}
	for i := range 3 {
		if l.HasSigma {
			fields = append(fields, mappedOr(uint32(4+i), l.Sigma[i]))
		}
	}
	for i := range 3 {
		if l.HasSigma && l.HasRho {
			fields = append(fields, mappedOr(uint32(7+i), l.Rho[i]))
		}
	}
	return PackOf(tag, fields...)
}

// mappedOr is a number, or the ST 1201 code for none.
func mappedOr(tag uint32, x float64) Value {
	if math.IsNaN(x) {
		return SpecialOf(tag, IMAPValue{Kind: QuietNaN})
	}
	return Number(tag, x)
}
