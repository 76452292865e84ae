package klv

import (
	"encoding/hex"
	"iter"
	"math"
	"strconv"
	"unicode/utf8"
)

// Kind says in which of a Node's fields its value stands.
type Kind uint8

// The kinds of nodes.
const (
	AsBytes   Kind = iota // Value alone: not listed, not taken apart, or withheld
	AsNumber              // Number, in the row's unit
	AsInteger             // Integer, and Number; Text is the name of an enumerated value
	AsText                // Text; also an identifier (UUID) in hex digits
	AsSet                 // Nodes are the items of Set, in the order sent
	AsPack                // Nodes are the fields that were sent, in the order of the standard
	AsList                // Nodes are the entries
	AsArray               // Array
	AsSDCC                // SDCC
)

// A Node is a value taken apart: a leaf, or a set, pack or list of further nodes. Its slices point into the packet.
type Node struct {
	Row   *Row // of the item, field or entry; nil where the standard lists none
	Kind  Kind
	State State
	// Universal says that the node is an item of a universal set, whose key Key tells.
	Universal bool
	Tag       uint32 // of an item of a local set, else 0
	At        int    // offset of Raw from the first byte that was decoded
	Raw       []byte // as sent, with tag and length or what else says where it ends
	Value     []byte
	lead      int // bytes of Raw before Value
	Number    float64
	Integer   int64
	Text      string
	Set       *Standard
	Nodes     []Node
	Head      []byte // bytes of Value before the first of Nodes: the count of a list
	Tail      []byte // bytes of Value after the last of Nodes that make none
	Array     *Array
	SDCC      *SDCC
}

// Name is what the standard calls it, "" where it does not.
func (n *Node) Name() string {
	if n.Row == nil {
		return ""
	}
	return n.Row.Name
}

// Key is the label of an item of a universal set.
func (n *Node) Key() (u UL) {
	if n.Universal {
		copy(u[:], n.Raw)
	}
	return u
}

// Item is the last node with this tag in a set, nil when there is none; nil has none, so that calls may be chained.
func (n *Node) Item(tag uint32) *Node {
	if n == nil || n.Kind != AsSet {
		return nil
	}
	for i := len(n.Nodes) - 1; i >= 0; i-- {
		if n.Nodes[i].Tag == tag && !n.Nodes[i].Universal {
			return &n.Nodes[i]
		}
	}
	return nil
}

// Field is the node with this name in a pack or set, nil when there is none.
func (n *Node) Field(name string) *Node {
	if n == nil {
		return nil
	}
	for i := range n.Nodes {
		if n.Nodes[i].Name() == name {
			return &n.Nodes[i]
		}
	}
	return nil
}

// Float is the node's number and whether it is one.
func (n *Node) Float() (float64, bool) {
	if n == nil || n.State != Given || n.Kind != AsNumber && n.Kind != AsInteger {
		return 0, false
	}
	return n.Number, true
}

// Int is the node's whole number and whether it is one that is written unscaled.
func (n *Node) Int() (int64, bool) {
	if n == nil || n.State != Given || n.Kind != AsInteger {
		return 0, false
	}
	return n.Integer, true
}

// String is the node's text, "" when it has none.
func (n *Node) String() string {
	if n == nil {
		return ""
	}
	return n.Text
}

// IMAP is what an ST 1201 integer says, special codes included; ok is false for a node that is none.
func (n *Node) IMAP() (v IMAPValue, ok bool) {
	if n == nil || n.Row == nil || n.Row.Format != IMAPB {
		return IMAPValue{}, false
	}
	return ReadIMAPB(n.Value, n.Row.Lo, n.Row.Hi)
}

// Flags are the names of the bits that are set, of a number made of flags; bits without a name are left out.
func (n *Node) Flags() (out []string) {
	if n == nil || n.Row == nil || n.State != Given {
		return nil
	}
	for bit, name := range n.Row.Bits {
		if name != "" && n.Integer>>bit&1 != 0 {
			out = append(out, name)
		}
	}
	return out
}

// All walks the node and everything in it, outer before inner, with its depth (0 for the node itself).
func (n *Node) All() iter.Seq2[int, *Node] {
	return func(yield func(int, *Node) bool) { n.walk(0, yield) }
}

func (n *Node) walk(depth int, yield func(int, *Node) bool) bool {
	if !yield(depth, n) {
		return false
	}
	for i := range n.Nodes {
		if !n.Nodes[i].walk(depth+1, yield) {
			return false
		}
	}
	return true
}

// AppendTo writes the node's value back as it came, byte for byte, from its parts.
func (n *Node) AppendTo(b []byte) []byte {
	if n.Kind != AsSet && n.Kind != AsList && n.Kind != AsPack || n.Row != nil && n.Row.Format == BitFields {
		return append(b, n.Value...)
	}
	b = append(b, n.Head...)
	for i := range n.Nodes {
		c := &n.Nodes[i]
		b = append(b, c.Raw[:c.lead]...)
		b = c.AppendTo(b)
		b = append(b, c.Raw[c.lead+len(c.Value):]...)
	}
	return append(b, n.Tail...)
}

// MarshalJSON writes the node's value, so that it can stand in a line of JSON: see AppendJSON.
func (n *Node) MarshalJSON() ([]byte, error) { return n.AppendJSON(nil), nil }

// AppendJSON writes the value as JSON. A set is {"set":"0903","items":{"4":{"name","value",...},...}}, where an item that is not
// given has "value":null and "state"; a pack an object of its fields by name; a list an array; an array {"sizes","elements"}; SDCC
// {"standard_deviations","correlations"}; bytes are hex digits; what is not given is null, as are numbers that JSON lacks. An
// enumerated value or one made of flags is {"value","text"} or {"value","flags"}.
func (n *Node) AppendJSON(b []byte) []byte {
	if n.State != Given && n.State != Unread {
		return append(b, "null"...)
	}
	switch n.Kind {
	case AsNumber:
		return appendFloat(b, n.Number)
	case AsInteger:
		return n.appendInteger(b)
	case AsText:
		return appendText(b, n.Text)
	case AsSet:
		b = append(append(append(b, `{"set":"`...), n.Set.Name...), `","items":`...)
		return append(n.appendItems(b), '}')
	case AsPack:
		return n.appendFields(b)
	case AsList:
		b = append(b, '[')
		for i := range n.Nodes {
			b = n.Nodes[i].AppendJSON(comma(b, i))
		}
		return append(b, ']')
	case AsArray:
		if n.Row.Format != MDArray {
			return appendFloats(b, n.Array.Numbers)
		}
		return n.Array.appendJSON(b)
	case AsSDCC:
		b = appendFloats(append(b, `{"standard_deviations":`...), n.SDCC.Sigma)
		return append(appendFloats(append(b, `,"correlations":`...), n.SDCC.Rho), '}')
	}
	return appendText(b, hex.EncodeToString(n.Value))
}

func (n *Node) appendInteger(b []byte) []byte {
	if n.Text == "" && n.Row.Bits == nil {
		return strconv.AppendInt(b, n.Integer, 10)
	}
	b = strconv.AppendInt(append(b, `{"value":`...), n.Integer, 10)
	if n.Row.Bits == nil {
		return append(appendText(append(b, `,"text":`...), n.Text), '}')
	}
	b = append(b, `,"flags":[`...)
	for i, f := range n.Flags() {
		b = appendText(comma(b, i), f)
	}
	return append(b, "]}"...)
}

// stateNames are the words for why there is no value.
var stateNames = [...]string{Given: "", Cleared: "unknown", OutOfRange: "out of range", Malformed: "malformed", Unread: "unread"}

func (n *Node) appendItems(b []byte) []byte {
	b = append(b, '{')
	seen := map[string]int{}
	for i := range n.Nodes {
		c := &n.Nodes[i]
		key := strconv.FormatUint(uint64(c.Tag), 10)
		if c.Universal {
			key = c.Key().String()
		}
		if seen[key]++; seen[key] > 1 {
			key += "/" + strconv.Itoa(seen[key])
		}
		b = append(append(append(comma(b, i), '"'), key...), `":{`...)
		if c.Row != nil {
			b = append(appendText(append(b, `"name":`...), c.Row.Name), ',')
		}
		b = c.AppendJSON(append(b, `"value":`...))
		if c.Row != nil && c.Row.Unit != "" {
			b = appendText(append(b, `,"unit":`...), c.Row.Unit)
		}
		if s := stateNames[c.State]; s != "" {
			b = appendText(append(b, `,"state":`...), s)
		}
		b = append(b, '}')
	}
	return append(b, '}')
}

func (n *Node) appendFields(b []byte) []byte {
	b = append(b, '{')
	if n.Text != "" {
		b = appendText(append(b, `"text":`...), n.Text)
	}
	for i := range n.Nodes {
		if i > 0 || n.Text != "" {
			b = append(b, ',')
		}
		b = n.Nodes[i].AppendJSON(append(appendText(b, n.Nodes[i].Name()), ':'))
	}
	return append(b, '}')
}

func comma(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ',')
	}
	return b
}

func appendFloats(b []byte, list []float64) []byte {
	b = append(b, '[')
	for i, x := range list {
		b = appendFloat(comma(b, i), x)
	}
	return append(b, ']')
}

func appendFloat(b []byte, x float64) []byte {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return append(b, "null"...)
	}
	return strconv.AppendFloat(b, x, 'g', -1, 64)
}

// appendText writes a JSON string; bytes that are not UTF-8 become U+FFFD.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < 0x20:
			b = append(b, `\u00`...)
			b = append(b, "0123456789abcdef"[r>>4], "0123456789abcdef"[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
