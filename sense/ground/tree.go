package ground

import "math"

// fan is how many things a node of a tree holds.
const fan = 8

// box is a box in space, or in longitude and latitude with nothing on the third axis.
type box struct{ low, high [3]float64 }

func nowhere() box {
	inf := math.Inf(1)
	return box{[3]float64{inf, inf, inf}, [3]float64{-inf, -inf, -inf}}
}

func (b *box) join(o box) {
	for k := range 3 {
		b.low[k], b.high[k] = min(b.low[k], o.low[k]), max(b.high[k], o.high[k])
	}
}

// away2 is the squared distance of a point from the box, 0 in it.
func (b *box) away2(p [3]float64) float64 {
	sum := 0.0
	for k := range 3 {
		d := b.low[k] - p[k]
		if d < 0 {
			if d = p[k] - b.high[k]; d < 0 {
				continue
			}
		}
		sum += d * d
	}
	return sum
}

// tree holds boxes over things in an order in which neighbours lie near each other: level 0 has one box for every fan things, each further level
// one for every fan boxes below it. It is complete, so that no node needs an address.
type tree struct {
	n      int
	levels [][]box
}

func growTree(n int, boxOf func(i int) box) tree {
	t := tree{n: n}
	for below := n; below > 0; {
		boxes := make([]box, (below+fan-1)/fan)
		for i := range boxes {
			boxes[i] = nowhere()
			for k := i * fan; k < min(below, (i+1)*fan); k++ {
				if len(t.levels) == 0 {
					boxes[i].join(boxOf(k))
				} else {
					boxes[i].join(t.levels[len(t.levels)-1][k])
				}
			}
		}
		t.levels = append(t.levels, boxes)
		if below = len(boxes); below == 1 {
			break
		}
	}
	return t
}

// nearest gives the least squared distance of p from a thing, looking no further than most; away2 is that of thing i.
func (t *tree) nearest(p [3]float64, most float64, away2 func(i int) float64) float64 {
	if t.n == 0 {
		return most
	}
	type node struct {
		level, i int
		least    float64
	}
	var stack [fan * 12]node // eight to the power of twelve things, and no path is longer
	top := len(t.levels) - 1
	stack[0] = node{top, 0, t.levels[top][0].away2(p)}
	for n := 1; n > 0; {
		n--
		at := stack[n]
		if at.least >= most {
			continue
		}
		if at.level == 0 {
			for i := at.i * fan; i < min(t.n, (at.i+1)*fan); i++ {
				if d := away2(i); d < most {
					most = d
				}
			}
			continue
		}
		below := t.levels[at.level-1]
		from := n
		for i := at.i * fan; i < min(len(below), (at.i+1)*fan); i++ {
			d := below[i].away2(p)
			if d >= most {
				continue
			}
			k := n
			for ; k > from && stack[k-1].least < d; k-- { // the nearest lies on top and is taken first
				stack[k] = stack[k-1]
			}
			stack[k] = node{at.level - 1, i, d}
			n++
		}
	}
	return most
}

// holding calls do with each thing whose own box may hold p, until do says that it is enough.
func (t *tree) holding(p [3]float64, do func(i int) (enough bool)) {
	if t.n == 0 {
		return
	}
	var walk func(level, i int) bool
	walk = func(level, i int) bool {
		if t.levels[level][i].away2(p) > 0 {
			return false
		}
		n := t.n
		if level > 0 {
			n = len(t.levels[level-1])
		}
		for k := i * fan; k < min(n, (i+1)*fan); k++ {
			if level == 0 && do(k) || level > 0 && walk(level-1, k) {
				return true
			}
		}
		return false
	}
	walk(len(t.levels)-1, 0)
}
