package video

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
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
	Key   string `json:"-"`
	Name  string `json:"name,omitempty"`
	Value any    `json:"value"` // number, text, nested set, or null: see State
	Unit  string `json:"unit,omitempty"`
	Text  string `json:"text,omitempty"`  // name of an enumerated value
	State string `json:"state,omitempty"` // why Value is null: "unknown" (zero length), "out of range", "malformed", "unread"
	Raw   string `json:"raw"`
}

// NestedLine is a set within an item.
type NestedLine struct {
	Set   string    `json:"set"`
	Items ItemLines `json:"items"`
	Tail  string    `json:"tail,omitempty"`
}

// MarshalJSON writes the items as one object, in order.
func (l ItemLines) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i := range l {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Quote(l[i].Key)) // digits and hex digits only
		b.WriteByte(':')
		v, err := json.Marshal(&l[i])
		if err != nil {
			return nil, err
		}
		b.Write(v)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Line is the packet as `atalaya video klv` prints it.
func (p *Packet) Line() KLVLine {
	s := p.Set
	l := KLVLine{Schema: "atalaya.klv/1", Offset: p.Offset, PID: p.PID, Set: s.Standard.Name, Key: s.Key.String(), Items: itemLines(s, 0),
		Tail: hex.EncodeToString(s.Tail), Problems: p.Problems}
	if l.Problems == nil {
		l.Problems = []Problem{}
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

// maxNested bounds how deep sets within sets are taken apart.
const maxNested = 4

func itemLines(s *klv.Set, depth int) ItemLines {
	out := make(ItemLines, 0, len(s.Items))
	seen := map[string]int{}
	for i := range s.Items {
		it := &s.Items[i]
		key := strconv.FormatUint(uint64(it.Tag), 10)
		if it.Key != (klv.UL{}) {
			key = it.Key.String()
		}
		if seen[key]++; seen[key] > 1 {
			key += "/" + strconv.Itoa(seen[key])
		}
		out = append(out, itemLine(key, it, depth))
	}
	return out
}

var stateWords = [...]string{klv.Given: "", klv.Cleared: "unknown", klv.OutOfRange: "out of range", klv.Malformed: "malformed", klv.Unread: "unread"}

func itemLine(key string, it *klv.Item, depth int) ItemLine {
	l := ItemLine{Key: key, Raw: hex.EncodeToString(it.Value), State: stateWords[it.State]}
	if it.Row != nil {
		l.Name, l.Unit = it.Row.Name, it.Row.Unit
	}
	if it.State != klv.Given {
		return l
	}
	switch it.Row.Format {
	case klv.Text, klv.TextUTF16:
		l.Value = it.Text()
	case klv.Unsigned, klv.Signed, klv.Micros, klv.ChecksumSum:
		l.Value = it.Integer
	case klv.Enum:
		l.Value, l.Text = it.Integer, it.Text()
	case klv.Nested:
		if s, ok := it.Nested(); ok && depth < maxNested {
			l.Value = NestedLine{s.Standard.Name, itemLines(&s, depth+1), hex.EncodeToString(s.Tail)}
		}
	default:
		l.Value = it.Number
	}
	return l
}

// WriteKLV reads the file in r and writes a line for each packet to w. It gives the number of packets and what could not be
// read: damage of the container and packets that are not whole. Other problems of packets stand in their lines only.
func WriteKLV(w io.Writer, r io.Reader) (packets int, problems []Problem, err error) {
	return writeLines(w, r, func(p *Packet) any { return p.Line() })
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
