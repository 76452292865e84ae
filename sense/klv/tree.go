package klv

import (
	"bytes"
	"fmt"
)

// Tree takes the item apart, all the way down: sets within sets, packs, lists, arrays. What is malformed stays as bytes and is named
// in the problems, at its offset from the first byte that was decoded. VMTI whose version is not told is read by the map of ST 0903.4
// and later; see VMTIState for streams that tell it now and then.
func (it *Item) Tree() (Node, []Problem) {
	rd := reading{room: maxElements}
	return rd.whole(it)
}

// Tree takes the set apart, all the way down. The problems are those of the set and of all that lies within.
func (s *Set) Tree() (Node, []Problem) {
	rd := reading{room: maxElements}
	return rd.wholeSet(s)
}

// maxNodes bounds what one tree can cost, maxDepth how deep sets within sets are taken apart: child sets may hold child sets.
const (
	maxNodes = 1 << 16
	maxDepth = 8
)

// A reading is one pass over a value: how it is to be read, and what was found wrong.
type reading struct {
	legacy   bool // VMTI before version 4
	nodes    int
	depth    int
	room     int           // for run-length arrays
	scratch  [maxDepth]Set // room in which the items of nested sets are read, by depth
	before   []*Row        // of the items before this one in its set: a pack of deviations is about the last of them
	problems []Problem
}

// maxProblems bounds what is said of one tree; after that many the sender's trouble is plain.
const maxProblems = 1000

func (rd *reading) problem(at int, what string) {
	if len(rd.problems) < maxProblems {
		rd.problems = append(rd.problems, Problem{at, what})
	}
}

func (rd *reading) whole(it *Item) (Node, []Problem) {
	n := rd.item(it)
	return n, rd.problems
}

func (rd *reading) wholeSet(s *Set) (Node, []Problem) {
	rd.problems = append(rd.problems, s.Problems...)
	n := Node{Kind: AsSet, State: Given, Set: s.Standard, Nodes: make([]Node, 0, len(s.Items)), Tail: s.Tail}
	rd.versioned(s.Standard, s.Items)
	rd.before = make([]*Row, 0, len(s.Items))
	for i := range s.Items {
		rd.nodes++
		n.Nodes = append(n.Nodes, rd.item(&s.Items[i]))
		rd.before = append(rd.before, s.Items[i].Row)
	}
	return n, rd.problems
}

// item makes a node of an item that was read already.
func (rd *reading) item(it *Item) Node {
	n := Node{Row: it.Row, State: it.State, Tag: it.Tag, Universal: it.Key != (UL{}), At: it.At, Raw: it.Raw, Value: it.Value,
		lead: len(it.Raw) - len(it.Value), Number: it.Number, Integer: it.Integer}
	switch {
	case n.Row == nil || n.Row.Format == Opaque || n.State == Cleared:
	case rd.legacy && n.Row.legacyRow != nil:
		rd.legacyValue(&n)
	case n.State == Given || n.State == Unread:
		rd.fill(&n)
	}
	return n
}

// fill takes a node's value apart by the format of its row; scalar values are there already.
func (rd *reading) fill(n *Node) {
	r := n.Row
	switch r.Format {
	case Text, TextUTF16:
		n.Kind, n.Text = AsText, (&Item{Row: r, State: Given, Value: n.Value}).Text()
	case ScaledUint, ScaledInt, IMAPB, Float:
		n.Kind = AsNumber
	case Unsigned, Signed, Enum, Micros, ChecksumSum, BEROID, BERLength:
		n.Kind = AsInteger
		if n.Integer >= 0 && n.Integer < int64(len(r.Values)) {
			n.Text = r.Values[n.Integer]
		}
	case Nested:
		rd.set(n)
	case Pack:
		rd.pack(n)
	case List:
		rd.list(n)
	case BitFields:
		rd.bitFields(n)
	case Identifier:
		rd.identifier(n)
	case BitList:
		n.Kind, n.State, n.Array = AsArray, Given, bitList(n.Value)
	case MDArray:
		rd.array(n)
	case SDCCPack:
		rd.deviations(n)
	case CoreIdentifier:
		rd.coreIdentifier(n)
	}
}

// malformed leaves the node as bytes and says why.
func (rd *reading) malformed(n *Node, why string) {
	n.State = Malformed
	rd.problem(n.At, nodeLabel(n)+": "+why)
}

func nodeLabel(n *Node) string {
	if n.Tag != 0 || n.Universal {
		it := Item{Tag: n.Tag, Key: n.Key()}
		return it.label() + " (" + n.Name() + ")"
	}
	return n.Name()
}

// legacyValue reads a number as ST 0903 before version 4 wrote it: an integer of as many bytes as come, mapped linearly as if it had all.
func (rd *reading) legacyValue(n *Node) {
	r := n.Row.legacyRow
	n.Row, n.Kind, n.State = r, AsNumber, Given
	if len(n.Value) > r.Size {
		rd.malformed(n, fmt.Sprintf("%d bytes where at most %d are due before version 4", len(n.Value), r.Size))
		return
	}
	n.Integer = int64(uintOf(n.Value))
	if r.Format == ScaledInt {
		n.Integer = intOf(n.Value)
	}
	if n.Number = float64(n.Integer)*r.step + r.base; r.Format == ScaledInt && n.Integer == -1<<(8*r.Size-1) {
		n.State, n.Number = OutOfRange, 0
	}
}

// versioned notes whether the items of a VMTI set tell a version whose numbers are mapped otherwise, and gives what held before.
func (rd *reading) versioned(std *Standard, items []Item) (was bool) {
	was = rd.legacy
	tag, ok := versionTag(std)
	if !ok {
		return was
	}
	for i := range items {
		if it := &items[i]; it.Tag == tag && it.State == Given {
			rd.legacy = it.Integer <= 3
		}
	}
	return was
}

// versionTag is the item in which a set that may be of the old kind tells its version.
func versionTag(std *Standard) (tag uint32, ok bool) {
	switch std {
	case ST0903:
		return 4, true
	case ST0903VTrack:
		return 11, true
	}
	return 0, false
}

// set takes apart a local set that lies within.
func (rd *reading) set(n *Node) {
	if rd.depth == maxDepth {
		n.State = Unread
		rd.problem(n.At, fmt.Sprintf("%s: more than %d sets within one another: kept, not read", nodeLabel(n), maxDepth))
		return
	}
	s := &rd.scratch[rd.depth]
	s.Items, s.Problems = s.Items[:0], s.Problems[:0]
	s.decodeItems(n.Row.set(), n.Value, n.At+n.lead)
	for _, p := range s.Problems {
		rd.problem(p.At, p.What)
	}
	n.Kind, n.State, n.Set, n.Tail = AsSet, Given, s.Standard, s.Tail
	n.Nodes = make([]Node, 0, min(len(s.Items), maxNodes-rd.nodes+1))
	was, before := rd.versioned(s.Standard, s.Items), rd.before
	rd.before = make([]*Row, 0, len(s.Items))
	rd.depth++
	for i := range s.Items {
		if rd.full(n.At) {
			n.Tail = n.Value[s.Items[i].At-n.At-n.lead:]
			break
		}
		n.Nodes = append(n.Nodes, rd.item(&s.Items[i]))
		rd.before = append(rd.before, s.Items[i].Row)
	}
	rd.depth--
	rd.legacy, rd.before = was, before
}

// full counts a node and says that there is no room for it.
func (rd *reading) full(at int) bool {
	if rd.nodes++; rd.nodes < maxNodes {
		return false
	}
	if rd.nodes == maxNodes {
		rd.problem(at, fmt.Sprintf("more than %d values: the rest is kept, not read", maxNodes))
	}
	return true
}

// pack takes apart values that stand one after another without tags.
func (rd *reading) pack(n *Node) {
	n.Kind, n.State = AsPack, Given
	fields, rest, at := n.Row.Fields, n.Value, n.At+n.lead
	n.Nodes = make([]Node, 0, min(len(fields), len(rest)+1))
	parted := false // a separator came before: a field follows, if an empty one
	for i := range fields {
		f := &fields[i]
		if len(rest) == 0 && !parted && (f.Optional || f.Ends == AtEnd) {
			break
		}
		if rd.full(at) {
			break
		}
		c, ok := rd.field(f, rest, at, len(n.Value))
		if !ok {
			n.Tail = rest
			rd.malformed(n, fmt.Sprintf("%q cannot be read from the %d bytes left", f.Name, len(rest)))
			return
		}
		n.Nodes = append(n.Nodes, c)
		parted = len(c.Raw) > c.lead+len(c.Value)
		rest, at = rest[len(c.Raw):], at+len(c.Raw)
	}
	if n.Tail = rest; len(rest) > 0 {
		rd.problem(at, fmt.Sprintf("%s: %d bytes after its last field", nodeLabel(n), len(rest)))
	}
}

// field reads one field of a pack, or one entry of a list, at the front of b; whole is the length of the pack.
func (rd *reading) field(f *Field, b []byte, at, whole int) (Node, bool) {
	lead, size, after, ok := f.measure(b, whole)
	if !ok {
		return Node{}, false
	}
	end := lead + size
	it := Item{Row: &f.Row, At: at, Raw: b[: end+after : end+after], Value: b[lead:end:end], State: Malformed}
	if !it.read() {
		rd.problem(at, fmt.Sprintf("%s: %d bytes cannot be this value", f.Name, size))
	}
	n := rd.item(&it)
	n.lead = lead
	return n, true
}

// measure finds the value of the field at the front of b: the bytes before it, its own, and those after it that end it.
func (f *Field) measure(b []byte, whole int) (lead, size, after int, ok bool) {
	switch f.Ends {
	case Fixed:
		size = f.Size
	case AtEnd:
		size = len(b)
	case Halfway:
		size = whole / 2
	case Parted:
		if size = bytes.IndexByte(b, 0x1e); size < 0 {
			return 0, len(b), 0, true
		}
		after = 1
	case Told:
		n, k := berLength(b)
		if k <= 0 || n > uint64(len(b)-k) {
			return 0, 0, 0, false
		}
		return k, int(n), 0, true
	case Self:
		if f.Format == BERLength {
			_, size = berLength(b)
		} else {
			_, size = berOID(b)
		}
		return 0, size, 0, size > 0
	}
	return 0, size, after, size <= len(b)
}

// list takes apart entries that stand one after another. Plain numbers become an array: a list may hold millions.
func (rd *reading) list(n *Node) {
	n.State = Given
	rest, at := n.Value, n.At+n.lead
	if n.Row.Counted {
		_, k := berOID(rest)
		if k <= 0 {
			rd.malformed(n, "no count of entries can be read")
			return
		}
		n.Head, rest, at = rest[:k], rest[k:], at+k
	}
	if op := n.Row.Entry.op; op == opInteger {
		rd.numbers(n, rest)
		return
	}
	n.Kind = AsList
	for len(rest) > 0 && !rd.full(at) {
		c, ok := rd.field(n.Row.Entry, rest, at, len(rest))
		if !ok {
			rd.problem(at, fmt.Sprintf("%s: no %q can be read from the %d bytes left", nodeLabel(n), n.Row.Entry.Name, len(rest)))
			break
		}
		n.Nodes = append(n.Nodes, c)
		rest, at = rest[len(c.Raw):], at+len(c.Raw)
	}
	if n.Tail = rest; n.Row.Counted {
		if count, _ := berOID(n.Head); int64(count) != int64(len(n.Nodes)) {
			rd.problem(n.At, fmt.Sprintf("%s: %d entries announced, %d found", nodeLabel(n), count, len(n.Nodes)))
		}
	}
}

func (rd *reading) numbers(n *Node, rest []byte) {
	e := n.Row.Entry
	a := &Array{}
	for len(rest) > 0 {
		lead, size, _, ok := e.measure(rest, 0)
		it := Item{Row: &e.Row}
		if ok {
			it.Value = rest[lead : lead+size]
		}
		if !ok || !it.read() || it.State != Given {
			rd.malformed(n, fmt.Sprintf("no %q can be read from the %d bytes left", e.Name, len(rest)))
			return
		}
		a.Numbers = append(a.Numbers, it.Number)
		rest = rest[lead+size:]
	}
	a.Sizes = []int{len(a.Numbers)}
	n.Kind, n.Array = AsArray, a
}

// bitFields takes apart a number whose bits are fields.
func (rd *reading) bitFields(n *Node) {
	if len(n.Value) != n.Row.Size {
		rd.malformed(n, fmt.Sprintf("%d bytes where %d are due", len(n.Value), n.Row.Size))
		return
	}
	n.Kind, n.State = AsPack, Given
	v := uintOf(n.Value)
	for i := range n.Row.Fields {
		f := &n.Row.Fields[i]
		c := Node{Row: &f.Row, Kind: AsInteger, State: Given, At: n.At, Integer: int64(v & (1<<f.Size - 1))}
		c.Number = float64(c.Integer)
		rd.fill(&c)
		n.Nodes = append(n.Nodes, c)
		v >>= f.Size
	}
}

func (rd *reading) identifier(n *Node) {
	if len(n.Value) != 16 {
		rd.malformed(n, fmt.Sprintf("%d bytes where 16 are due", len(n.Value)))
		return
	}
	n.Kind, n.State, n.Text = AsText, Given, UUID(n.Value).String()
}

// bitList are the numbers of the bits that are set, counted from the least significant bit of the last byte (ST 0601 item 139).
func bitList(b []byte) *Array {
	a := &Array{}
	for i := range b {
		for bit := range 8 {
			if b[len(b)-1-i]>>bit&1 != 0 {
				a.Numbers = append(a.Numbers, float64(8*i+bit))
			}
		}
	}
	a.Sizes = []int{len(a.Numbers)}
	return a
}
