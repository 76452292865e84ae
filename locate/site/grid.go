package site

import (
	"cmp"
	"slices"
	"sort"

	"github.com/golang/geo/s2"
)

// leaves are the disjoint cells on which evidence of mixed levels is summed: every cell that some item has, split where
// another item has finer ones inside it, so that a coarse item counts for all children and a fine one for its own.
// They come in the order of the Hilbert curve.
func leaves(all []s2.CellID) []s2.CellID {
	cells := slices.Clone(all)
	slices.SortFunc(cells, func(a, b s2.CellID) int {
		return cmp.Or(cmp.Compare(a.RangeMin(), b.RangeMin()), cmp.Compare(a.Level(), b.Level()))
	})
	cells = slices.Compact(cells)
	var out []s2.CellID
	for i := 0; i < len(cells); {
		root := cells[i]
		i++
		from := i
		for i < len(cells) && root.Contains(cells[i]) {
			i++
		}
		out = split(root, cells[from:i], out)
	}
	return out
}

// split appends the leaves of c, given the finer cells inside it.
func split(c s2.CellID, inside, out []s2.CellID) []s2.CellID {
	if len(inside) == 0 {
		return append(out, c)
	}
	for _, child := range c.Children() {
		n := 0
		for n < len(inside) && child.Contains(inside[n]) {
			n++
		}
		within := inside[:n]
		inside = inside[n:]
		if len(within) > 0 && within[0] == child {
			within = within[1:]
		}
		out = split(child, within, out)
	}
	return out
}

// below is the range of leaves inside cell c, which is a union of leaves or holds none.
func below(leaf []s2.CellID, c s2.CellID) (from, to int) {
	from = sort.Search(len(leaf), func(i int) bool { return leaf[i] >= c.RangeMin() })
	for to = from; to < len(leaf) && leaf[to] <= c.RangeMax(); to++ {
	}
	return from, to
}
