package video

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"time"

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

func writeLines(w io.Writer, r io.Reader, line func(*Packet) any) (n int, problems []Problem, err error) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return eachPacket(NewReader(r), func(p *Packet) error { return enc.Encode(line(p)) })
}

// eachPacket gives every packet to see, and at the end their number and what could not be read.
func eachPacket(reader *Reader, see func(*Packet) error) (n int, problems []Problem, err error) {
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
		if err := see(&p); err != nil {
			return n, nil, err
		}
	}
}
