package check

import (
	"fmt"

	"github.com/atalaya-isr/atalaya/sense/klv"
)

// packet judges one metadata packet: how it is coded, what it holds, and how it goes with those before it.
func (c *checker) packet(l *lane, p *klv.Packet, at place) {
	if l.packets++; l.packets == 1 {
		l.first = at
	}
	q := inspection{checker: c, lane: l, set: &l.set, at: at, missing: p.Missing}
	q.framing(p)
	if err := l.set.Decode(p.Bytes); err != nil {
		q.tell(packetLength, "", "%v", err)
		return
	}
	l.sets[l.set.Standard]++
	if l.set.Standard == klv.Unlisted {
		q.tell(keyUnknown, "key "+l.set.Key.String(), "a set whose key is not known: %v", l.set.Key)
		return
	}
	q.cut = p.Truncated
	q.head()
	q.order()
	for i := range l.set.Items {
		q.item(&l.set.Items[i])
	}
	q.values()
	q.security()
	c.follow(&q)
	q.says()
}

// An inspection is of one packet.
type inspection struct {
	*checker
	lane    *lane
	set     *klv.Set
	at      place
	missing int  // bytes of the key that were not in the stream
	cut     bool // the packet ends too early: what is missing at its end is told by that
}

// tell notes a fault of the packet.
func (q *inspection) tell(is code, about, format string, args ...any) {
	q.book.tell(is, q.lane.pid, about, q.at, format, args...)
}

// tellAt notes a fault at an offset in the packet. In a raw file that is a byte of the file; in a transport stream the packet's bytes
// do not lie together, and the place is that of the transport packet.
func (q *inspection) tellAt(is code, offset int, about, format string, args ...any) {
	at := q.at
	if q.demux == nil {
		at.at += int64(max(offset-q.missing, 0))
	}
	q.book.tell(is, q.lane.pid, about, at, format, args...)
}

// framing judges how the packet lay in the stream.
func (q *inspection) framing(p *klv.Packet) {
	if p.Skipped > 0 && q.demux != nil && q.lane.packets == 1 {
		q.tell(beginsWithin, "", "%d bytes before the first packet belong to none", p.Skipped)
	} else if p.Skipped > 0 {
		q.tell(bytesBetween, "", "%d bytes before this packet belong to none", p.Skipped)
	}
	if p.Missing > 0 {
		q.tell(keyDamaged, "", "the first %d bytes of the key are missing or wrong; the packet was found by the rest of it", p.Missing)
	}
	if p.Truncated {
		q.tell(packetLength, "", "the packet is cut short: %d bytes are there", len(p.Bytes)-p.Missing)
	}
}

// name is how an item is called in a report: standard, tag, name.
func name(std *klv.Standard, it *klv.Item) string {
	s := fmt.Sprintf("ST %s item %d", std.Name, it.Tag)
	if it.Key != (klv.UL{}) {
		s = fmt.Sprintf("ST %s item %v", std.Name, it.Key)
	}
	if it.Row != nil {
		s += " (" + it.Row.Name + ")"
	}
	return s
}

func itemName(std *klv.Standard, tag uint32) string {
	return name(std, &klv.Item{Tag: tag, Row: std.Row(tag)})
}

// head judges the packet's length and what is left at its end.
func (q *inspection) head() {
	if long(q.set.Head[16:]) {
		q.tellAt(lengthForm, 16, "length of the packet", "the packet's length is written as %x, longer than need be", q.set.Head[16:])
	}
	if n := len(q.set.Tail); n > 0 && !q.cut {
		at := len(q.set.Head)
		if k := len(q.set.Items); k > 0 {
			last := &q.set.Items[k-1]
			at = last.At + len(last.Raw)
		}
		q.tellAt(itemLength, at, "", "%d bytes at the end of the packet make no item: %x", n, q.set.Tail[:min(n, 16)])
	}
}

// long says that a BER length takes more bytes than it must (ISO/IEC 8825-1, 8.1.3).
func long(b []byte) bool {
	return len(b) > 1 && b[0] > 0x80 && (b[1] == 0 || len(b) == 2 && b[1] < 0x80)
}

// versionTag is the item in which a set that stands alone tells its version, 0 where none does.
func versionTag(std *klv.Standard) uint32 {
	switch std {
	case klv.ST0601:
		return 65
	case klv.ST0903:
		return 4
	}
	return 0
}

// order judges what must be there and where: time first, checksum last, version.
func (q *inspection) order() {
	std, items := q.set.Standard, q.set.Items
	if len(items) == 0 {
		return
	}
	sum := std.Row(1)
	summed := sum != nil && sum.Format == klv.ChecksumSum
	last := items[len(items)-1].Tag
	switch {
	case !summed || q.cut:
	case q.set.Checksum == klv.NoChecksum:
		q.tell(checksumMissing, "", "no checksum")
	case last != 1:
		q.tellAt(checksumPlace, q.set.Item(1).At, "", "item %d comes after the checksum", last)
	}
	if it := q.set.Item(1); summed && q.set.Checksum == klv.Stale {
		q.tellAt(checksumWrong, it.At, "", "the checksum says %x, the bytes give another sum", it.Value)
	}
	q.timeAndVersion()
}

func (q *inspection) timeAndVersion() {
	tag := versionTag(q.set.Standard)
	if tag == 0 {
		return
	}
	switch it := q.set.Item(2); {
	case it == nil || it.State != klv.Given:
		q.tell(timeMissing, "", "no time stamp (item 2)")
	case q.set.Items[0].Tag != 2:
		q.tellAt(timePlace, it.At, "", "item %d comes before the time stamp", q.set.Items[0].Tag)
	}
	version := q.set.Item(tag)
	if version == nil || version.State == klv.Cleared {
		if is := versionMissing; !q.cut {
			if q.set.Standard == klv.ST0903 {
				is = vmtiVersion
			}
			q.tell(is, itemName(q.set.Standard, tag), "the version is not told")
		}
		return
	}
	if version.State != klv.Given {
		return
	}
	n := version.Integer
	q.lane.version = &n
	if limit := classes[versionOld].Limit; q.set.Standard == klv.ST0601 && float64(n) < limit {
		q.tellAt(versionOld, version.At, fmt.Sprintf("version %d", n), "version %d of ST 0601", n)
	}
}

// item judges the coding of one item.
func (q *inspection) item(it *klv.Item) {
	std := q.set.Standard
	q.form(it.Raw[:len(it.Raw)-len(it.Value)], it.Key != (klv.UL{}), it.At, func() string { return name(std, it) })
	switch r := it.Row; {
	case r == nil:
		q.tellAt(itemUnknown, it.At, name(std, it), "an item of %d bytes that the standard does not list", len(it.Value))
	case it.State == klv.Malformed && (r.Format == klv.Text && (r.Size == 0 || len(it.Value) == r.Size)):
		q.tellAt(textCoding, it.At, name(std, it), "text that is not UTF-8: %x", it.Value[:min(len(it.Value), 16)])
	case it.State == klv.Malformed:
		q.tellAt(itemSize, it.At, name(std, it), "%d bytes%s", len(it.Value), due(r))
	case len(it.Value) == 0 && (std == klv.ST0601 && (it.Tag == 1 || it.Tag == 2 || it.Tag == 65) || r.Repeats):
		q.tellAt(itemEmpty, it.At, name(std, it), "zero length")
	case std == klv.ST0601 && r.Format == klv.Text && len(it.Value) > 127 && (it.Tag <= 12 || it.Tag >= 106 && it.Tag <= 108):
		q.tellAt(itemSize, it.At, name(std, it), "text of %d bytes where at most 127 are due", len(it.Value))
	}
	if it.Row == nil || !it.Row.Repeats {
		q.once(it)
	}
}

func due(r *klv.Row) string {
	if r.Size == 0 || r.Loose {
		return ", which cannot be this value"
	}
	return fmt.Sprintf(" where %d are due", r.Size)
}

// once tells of an item that came before in the set.
func (q *inspection) once(it *klv.Item) {
	if last := lastOf(q.set, it); last != it {
		q.tellAt(itemRepeated, last.At, name(q.set.Standard, it), "the item comes more than once in a set")
	}
}

func lastOf(s *klv.Set, it *klv.Item) *klv.Item {
	if it.Key != (klv.UL{}) {
		return s.Universal(it.Key)
	}
	return s.Item(it.Tag)
}

// form judges how tag and length of an item are written.
func (q *inspection) form(head []byte, universal bool, at int, called func() string) {
	k := 16
	if !universal {
		if head[0] == 0x80 {
			q.tellAt(tagForm, at, called(), "the tag is written as %x, longer than need be", head)
		}
		k = 0
		for k < len(head) && head[k] >= 0x80 {
			k++
		}
		k++
	}
	if k < len(head) && long(head[k:]) {
		q.tellAt(lengthForm, at, called(), "the length is written as %x, longer than need be", head[k:])
	}
}
