package site

import (
	"math/bits"
	"slices"
	"sort"

	"github.com/golang/geo/s2"

	"github.com/atalaya-isr/atalaya"
)

// laid is what items say, over the ground. A coarse item counts for all that lies in its cells and a fine one for its own: what is said is kept once, with the
// cell that an item has, and gathered where it is asked for.
type laid struct {
	cell  []s2.CellID // that some item has: each before those that it holds, in the order of the Hilbert curve
	up    []int32     // of each cell: the smallest other that holds it, -1 where none does
	first []int32     // of each cell, where what is said of it begins; one more than cells
	says  []said      // by cell, then in the order of the items
	// leaf are the disjoint cells on which evidence of mixed levels is summed: every cell that some item has, split where
	// another item has finer ones inside it. in is, of each, the smallest cell that holds it.
	leaf []s2.CellID
	in   []int32
}

// placed is what one item says of one cell.
type placed struct {
	cell s2.CellID
	said
}

func lay(items []atalaya.Evidence) laid {
	n := 0
	for i := range items {
		n += len(items[i].Cells)
	}
	all := make([]placed, 0, n)
	for i, e := range items {
		for k, c := range e.Cells {
			all = append(all, placed{s2.CellID(c), said{int32(i), 0, e.LogOdds[k]}})
		}
	}
	all = alongCurve(all)
	l := laid{says: make([]said, n), cell: make([]s2.CellID, 0, n), first: make([]int32, 0, n+1), leaf: make([]s2.CellID, 0, n), in: make([]int32, 0, n)}
	for k, p := range all {
		if k == 0 || p.cell != all[k-1].cell {
			l.cell, l.first = append(l.cell, p.cell), append(l.first, int32(k))
		}
		l.says[k] = said{p.item, int32(k), p.log}
	}
	l.first, l.up = append(l.first, int32(n)), make([]int32, len(l.cell))
	for i := 0; i < len(l.cell); {
		to := i + 1
		for to < len(l.cell) && l.cell[i].Contains(l.cell[to]) {
			to++
		}
		l.up[i] = -1
		l.split(l.cell[i], int32(i), i+1, to)
		i = to
	}
	return l
}

// split adds the leaves of c, which holder holds, given the cells from and before to inside it.
func (l *laid) split(c s2.CellID, holder int32, from, to int) {
	if from == to {
		l.leaf, l.in = append(l.leaf, c), append(l.in, holder)
		return
	}
	for _, child := range c.Children() {
		n := from
		for n < to && child.Contains(l.cell[n]) {
			n++
		}
		if n > from && l.cell[from] == child {
			l.up[from] = holder
			l.split(child, int32(from), from+1, n)
		} else {
			l.split(child, holder, from, n)
		}
		from = n
	}
}

// few is a number of terms up to which sorting by insertion is the shortest way.
const few = 40

// at gathers what is said of a leaf, in the order of the items, into the room given.
func (l *laid) at(leaf int, into []said) []said {
	into = into[:0]
	for k := l.in[leaf]; k >= 0; k = l.up[k] {
		into = append(into, l.says[l.first[k]:l.first[k+1]]...)
	}
	if len(into) > few {
		slices.SortFunc(into, func(a, b said) int { return int(a.item - b.item) })
		return into
	}
	for i := 1; i < len(into); i++ {
		s, k := into[i], i
		for ; k > 0 && into[k-1].item > s.item; k-- {
			into[k] = into[k-1]
		}
		into[k] = s
	}
	return into
}

// leafAt is the leaf that holds a cell; false where nothing is said there.
func (l *laid) leafAt(c s2.CellID) (int, bool) {
	i := sort.Search(len(l.leaf), func(i int) bool { return l.leaf[i].RangeMax() >= c })
	if i < len(l.leaf) && l.leaf[i].Contains(c) {
		return i, true
	}
	return 0, false
}

// alongCurve sorts by the first point of cells on the Hilbert curve, coarse before fine, and leaves items of one cell in their order: by digits, the last one
// first, over those bits that are not the same in all (D. E. Knuth, The Art of Computer Programming, volume 3, section 5.2.5).
func alongCurve(all []placed) []placed {
	spare := make([]placed, len(all))
	if mixed := slices.ContainsFunc(all, func(p placed) bool { return p.cell.Level() != all[0].cell.Level() }); mixed {
		all, spare = byDigit(all, spare, 5, func(c s2.CellID) uint64 { return uint64(c.Level()) })
	}
	var differ uint64
	for _, p := range all {
		differ |= uint64(p.cell.RangeMin() ^ all[0].cell.RangeMin())
	}
	const digit = 12
	for low := bits.TrailingZeros64(differ); low < bits.Len64(differ); low += digit {
		all, spare = byDigit(all, spare, digit, func(c s2.CellID) uint64 { return uint64(c.RangeMin()) >> low })
	}
	return all
}

// byDigit sorts by the lowest bits of what of gives, and keeps the order of equals. It returns the sorted list and the room that is left.
func byDigit(all, spare []placed, width int, of func(s2.CellID) uint64) (sorted, left []placed) {
	next := make([]int, 1<<width)
	mask := uint64(1)<<width - 1
	for i := range all {
		next[of(all[i].cell)&mask]++
	}
	sum := 0
	for d, n := range next {
		next[d], sum = sum, sum+n
	}
	for i := range all {
		d := of(all[i].cell) & mask
		spare[next[d]] = all[i]
		next[d]++
	}
	return spare, all
}
