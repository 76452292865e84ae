package video

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/klv"
)

// KLVLine is one line of `atalaya video klv`: a metadata packet with all its items.
type KLVLine struct {
	Schema   string    `json:"schema"` // atalaya.klv/1
	PTS      *float64  `json:"pts_s"`
	Time     *string   `json:"time"`
	Source   string    `json:"time_source,omitempty"` // which item the time is from
	Offset   int64     `json:"offset"`                // byte offset in the file
	PID      uint16    `json:"pid,omitempty"`
	Set      string    `json:"set"`
	Key      string    `json:"key"`
	Version  *int64    `json:"version"`
	Checksum *bool     `json:"checksum_ok"` // null where the packet has none
	Items    ItemLines `json:"items"`
	Tail     string    `json:"tail,omitempty"` // bytes that make no item, hex
	Problems []Problem `json:"problems"`
}

// ItemLines are the items of a set in the order sent; in JSON an object, keyed by tag (or by the key's hex digits). A tag that
// comes again is keyed "TAG/2", "TAG/3".
type ItemLines []ItemLine

// ItemLine is one item.
type ItemLine struct {
	Key   string   `json:"-"`
	Name  string   `json:"name,omitempty"`
	Value any      `json:"value"` // number, text, nested set (NestedLine), pack (PackLine), list, array, or null: see State
	Unit  string   `json:"unit,omitempty"`
	Text  string   `json:"text,omitempty"`  // name of an enumerated value
	Flags []string `json:"flags,omitempty"` // names of the bits that are set
	State string   `json:"state,omitempty"` // why Value is null: "unknown" (zero length), "out of range", "malformed", "unread"
	Raw   string   `json:"raw"`
}

// NestedLine is a set within an item.
type NestedLine struct {
	Set   string    `json:"set"`
	Items ItemLines `json:"items"`
	Tail  string    `json:"tail,omitempty"`
}

// MarshalJSON writes the items as one object, in order.
func (l ItemLines) MarshalJSON() ([]byte, error) {
	return object(len(l), func(i int) (string, any) { return l[i].Key, &l[i] })
}

// object writes n pairs of name and value, in order.
func object(n int, pair func(i int) (string, any)) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		name, value := pair(i)
		for _, part := range [...]any{name, value} {
			v, err := json.Marshal(part)
			if err != nil {
				return nil, err
			}
			b.Write(v)
			b.WriteByte(':')
		}
		b.Truncate(b.Len() - 1)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Line is the packet as `atalaya video klv` prints it.
func (p *Packet) Line() KLVLine { return p.line(&klv.VMTIState{}) }

// line is Line with moving targets read by what their stream said before: their version, which they tell now and then.
func (p *Packet) line(v *klv.VMTIState) KLVLine {
	s := p.Set
	nodes, inside := takeApart(s, v)
	l := KLVLine{Schema: "atalaya.klv/1", Offset: p.Offset, PID: p.PID, Set: s.Standard.Name, Key: s.Key.String(), Items: itemLines(nodes),
		Tail: hex.EncodeToString(s.Tail), Problems: append([]Problem{}, p.Problems...)}
	for _, q := range inside {
		l.Problems = append(l.Problems, Problem{p.Offset, q.String()})
	}
	if p.HasPTS {
		l.PTS = &p.PTS
	}
	if t, ok := p.Time(); ok {
		l.Time, l.Source = stamp(t), "item 2"
		if s.Standard == klv.EG0104 {
			l.Source = "user defined time stamp"
		}
	}
	version := uint32(65)
	if s.Standard == klv.ST0903 {
		version = 4
	}
	if it := s.Item(version); it != nil && it.State == klv.Given {
		n := it.Integer
		l.Version = &n
	}
	if s.Checksum != klv.NoChecksum {
		right := s.Checksum == klv.Right
		l.Checksum = &right
	}
	return l
}

func stamp(t time.Time) *string {
	s := t.UTC().Format(time.RFC3339Nano)
	return &s
}

// takeApart gives each item of a set with all that lies within it, and what was found wrong there.
func takeApart(s *klv.Set, v *klv.VMTIState) (nodes []klv.Node, problems []klv.Problem) {
	v.Take(s)
	root, all := s.Tree()
	nodes, problems = root.Nodes, all[len(s.Problems):]
	for i := range s.Items {
		it := &s.Items[i]
		if s.Standard != klv.ST0903 { // it may lie within
			if it.Row == nil || it.Row.Set != klv.ST0903 {
				continue
			}
			v.Nested(it)
		}
		node, found := v.Tree(it)
		nodes[i] = node
		problems = append(slices.DeleteFunc(problems, func(p klv.Problem) bool { return p.At >= it.At && p.At < it.At+len(it.Raw) }), found...)
	}
	return nodes, problems
}

func itemLines(nodes []klv.Node) ItemLines {
	out := make(ItemLines, 0, len(nodes))
	seen := map[string]int{}
	for i := range nodes {
		n := &nodes[i]
		key := strconv.FormatUint(uint64(n.Tag), 10)
		if n.Universal {
			key = n.Key().String()
		}
		if seen[key]++; seen[key] > 1 {
			key += "/" + strconv.Itoa(seen[key])
		}
		out = append(out, itemLine(key, n))
	}
	return out
}

var stateWords = [...]string{klv.Given: "", klv.Cleared: "unknown", klv.OutOfRange: "out of range", klv.Malformed: "malformed", klv.Unread: "unread"}

func itemLine(key string, n *klv.Node) ItemLine {
	l := ItemLine{Key: key, Name: n.Name(), Raw: hex.EncodeToString(n.Value), State: stateWords[n.State]}
	if n.Row != nil {
		l.Unit = n.Row.Unit
	}
	if n.State != klv.Given {
		return l
	}
	if n.Kind == klv.AsInteger {
		l.Value, l.Text, l.Flags = n.Integer, n.Text, n.Flags()
	} else {
		l.Value = valueLine(n)
	}
	return l
}

// valueLine is a value as it stands in a line; nil for one that is not given.
func valueLine(n *klv.Node) any {
	if n.State != klv.Given {
		return nil
	}
	switch n.Kind {
	case klv.AsNumber:
		return n.Number
	case klv.AsText:
		return n.Text
	case klv.AsSet:
		return NestedLine{n.Set.Name, itemLines(n.Nodes), hex.EncodeToString(n.Tail)}
	case klv.AsPack:
		return packLine(n)
	case klv.AsList:
		list := make([]any, len(n.Nodes))
		for i := range n.Nodes {
			list[i] = valueLine(&n.Nodes[i])
		}
		return list
	}
	return json.RawMessage(n.AppendJSON(nil)) // whole numbers, arrays, deviations, bytes
}

// PackLine is a pack: the fields that were sent by name, in order. One that has a text of its own, as a core identifier, has that too.
type PackLine []FieldLine

// FieldLine is one field of a pack.
type FieldLine struct {
	Name  string
	Value any
}

// MarshalJSON writes the fields as one object, in order.
func (l PackLine) MarshalJSON() ([]byte, error) {
	return object(len(l), func(i int) (string, any) { return l[i].Name, l[i].Value })
}

func packLine(n *klv.Node) (l PackLine) {
	if n.Text != "" {
		l = append(l, FieldLine{"text", n.Text})
	}
	for i := range n.Nodes {
		l = append(l, FieldLine{n.Nodes[i].Name(), valueLine(&n.Nodes[i])})
	}
	return l
}

// GeorefLine is one line of `atalaya video georef`.
type GeorefLine struct {
	Schema   string      `json:"schema"` // atalaya.georef/1
	PTS      *float64    `json:"pts_s"`
	Time     *string     `json:"time"`
	Offset   int64       `json:"offset"`
	Sensor   *PlaceLine  `json:"sensor"`
	Pointing *PointLine  `json:"pointing"`
	Center   *CenterLine `json:"frame_center"`
	// Reported is the frame center of the metadata itself, for comparison.
	Reported *PlaceLine   `json:"frame_center_reported"`
	Corners  []CornerLine `json:"corners"`
	How      string       `json:"corners_method,omitempty"` // full, offset, ray, center
	Horizon  bool         `json:"horizon,omitempty"`
	Targets  []struct{}   `json:"targets"` // marked by moving-target sets: none are read yet
	Checks   ChecksLine   `json:"checks"`
	Problems []Problem    `json:"problems"`
}

// PlaceLine is a position; of the two heights the one whose datum is not known is null.
type PlaceLine struct {
	Lat float64  `json:"lat"`
	Lon float64  `json:"lon"`
	HAE *float64 `json:"height_hae_m"`
	MSL *float64 `json:"height_msl_m"`
}

// PointLine is attitude, gimbal and field of view, degrees.
type PointLine struct {
	Heading   float64 `json:"heading_deg"`
	Pitch     float64 `json:"pitch_deg"`
	Roll      float64 `json:"roll_deg"`
	Azimuth   float64 `json:"azimuth_deg"`
	Elevation float64 `json:"elevation_deg"`
	Rotation  float64 `json:"rotation_deg"`
	HFOV      float64 `json:"hfov_deg"`
	VFOV      float64 `json:"vfov_deg"`
}

// CenterLine is the frame center with its error.
type CenterLine struct {
	PlaceLine
	Method string `json:"method"` // ray or reported
	// Ground says where the height that the ray ends at is from, Errors what the ellipse is made of.
	Ground  string           `json:"ground,omitempty"`
	Errors  string           `json:"errors,omitempty"`
	Ellipse *geodesy.Ellipse `json:"ellipse95"`
}

// CornerLine is one corner of the footprint.
type CornerLine struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// ChecksLine holds what the metadata says twice, compared; null where it does not.
type ChecksLine struct {
	Ray   *float64 `json:"ray_to_reported_m"`
	Slant *float64 `json:"slant_range_m"` // sensor to reported frame center, minus item 21
}

// Line is the look as `atalaya video georef` prints it.
func (l *Look) Line() GeorefLine {
	g := GeorefLine{Schema: "atalaya.georef/1", Offset: l.Offset, Corners: []CornerLine{}, How: l.How, Horizon: l.Horizon, Targets: []struct{}{}, Problems: []Problem{}}
	g.Problems = append(g.Problems, l.Problem...)
	if l.MixedDatum {
		g.Problems = append(g.Problems, Problem{l.Offset, "sensor and ground heights have different datums (HAE, MSL): the ray may be tens of metres off"})
	}
	if l.HasPTS {
		g.PTS = &l.PTS
	}
	if l.HasTime {
		g.Time = stamp(l.Time)
	}
	if l.HasSensor {
		p := l.Sensor.line()
		g.Sensor = &p
	}
	if l.HasReported {
		p := l.Reported.line()
		g.Reported = &p
	}
	if l.HasAxis {
		p := l.Pointing
		g.Pointing = &PointLine{p.Heading, p.Pitch, p.Roll, p.Azimuth, p.Elevation, p.Rotation, l.HFOV, l.VFOV}
	}
	g.Center = l.centerLine()
	if l.How != "" {
		for _, c := range l.Corners {
			g.Corners = append(g.Corners, CornerLine{c.Lat, c.Lon})
		}
	}
	l.check(&g)
	return g
}

// check compares what the metadata says twice.
func (l *Look) check(g *GeorefLine) {
	if d, ok := l.RayToReportedM(); ok {
		if g.Checks.Ray = &d; l.Contradicts {
			g.Problems = append(g.Problems, Problem{l.Offset, fmt.Sprintf("the ray of attitude and gimbal meets the ground %.0f m from the reported frame center: the metadata contradicts itself", d)})
		}
	}
	if d, ok := l.SlantErrorM(); ok {
		if g.Checks.Slant = &d; l.slantOff(d) {
			g.Problems = append(g.Problems, Problem{l.Offset, fmt.Sprintf("slant range %.0f m, but sensor and frame center are %.0f m apart: the metadata contradicts itself", l.SlantM, l.SlantM+d)})
		}
	}
}

func (l *Look) centerLine() *CenterLine {
	p, ok := l.Center()
	if !ok {
		return nil
	}
	c := &CenterLine{PlaceLine: p.line(), Method: "reported"}
	if l.byRay() {
		c.Method, c.Ground = "ray", "frame center height"
		if l.BySlant {
			c.Ground = "slant range"
		}
	}
	if !l.byRay() {
		return c
	}
	if e, ok := l.Ellipse95(); ok {
		c.Errors = "rounding of the items, and assumed standard deviations of position, attitude and ground height"
		c.Ellipse = &e
	}
	return c
}

func (p Position) line() PlaceLine {
	l := PlaceLine{Lat: p.Lat, Lon: p.Lon}
	if h := p.HeightM; p.HasHeight && p.Datum == HAE {
		l.HAE = &h
	} else if p.HasHeight {
		l.MSL = &h
	}
	return l
}

// WriteKLV reads the file in r and writes a line for each packet to w. It gives the number of packets and what could not be
// read: damage of the container and packets that are not whole. Other problems of packets stand in their lines only.
func WriteKLV(w io.Writer, r io.Reader) (packets int, problems []Problem, err error) {
	targets := map[uint16]*klv.VMTIState{}
	return writeLines(w, r, func(p *Packet) any {
		if targets[p.PID] == nil {
			targets[p.PID] = &klv.VMTIState{}
		}
		return p.line(targets[p.PID])
	})
}

// WriteGeoref does the same with a line for each look.
func WriteGeoref(w io.Writer, r io.Reader, s Sigmas) (packets int, problems []Problem, err error) {
	v := NewViewer(s)
	return writeLines(w, r, func(p *Packet) any { l := v.See(p); return l.Line() })
}

func writeLines(w io.Writer, r io.Reader, line func(*Packet) any) (n int, problems []Problem, err error) {
	reader := NewReader(r)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for {
		p, err := reader.Next()
		if err != nil {
			list, dropped := reader.Problems()
			if problems = append(problems, list...); dropped > 0 {
				problems = append(problems, Problem{0, strconv.Itoa(dropped) + " more such problems"})
			}
			if err == io.EOF {
				err = nil
			}
			return n, problems, err
		}
		n++
		if p.Damaged && len(problems) < 1000 {
			problems = append(problems, p.Problems...)
		}
		if err := enc.Encode(line(&p)); err != nil {
			return n, nil, err
		}
	}
}
