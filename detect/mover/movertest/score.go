package movertest

import (
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya/detect/mover"
)

// A Score says how well boxes with identities were found.
type Score struct {
	Frames, Truths int
	// Recall is the share of true boxes that have a found one of at least Overlap; False is how many found boxes a frame have
	// no true one; Switches is how often a true identity is found under another one than last time.
	Recall, False float64
	Switches      int
	// HOTA and its parts, means over the overlaps 0.05, 0.10, ..., 0.95 (LocA over those that have any match).
	HOTA, DetA, AssA, LocA float64
}

// Overlap is the intersection over union from which a box counts as found in Recall, False and Switches.
const Overlap = 0.5

// Add sums scores of several films: shares are weighed by true boxes, false ones by frames.
func Add(all ...Score) (sum Score) {
	for _, s := range all {
		t, n := float64(s.Truths), float64(s.Frames)
		sum.Recall += t * s.Recall
		sum.HOTA += t * s.HOTA
		sum.DetA += t * s.DetA
		sum.AssA += t * s.AssA
		sum.LocA += t * s.LocA
		sum.False += n * s.False
		sum.Frames += s.Frames
		sum.Truths += s.Truths
		sum.Switches += s.Switches
	}
	t := float64(max(sum.Truths, 1))
	sum.Recall, sum.HOTA, sum.DetA, sum.AssA, sum.LocA = sum.Recall/t, sum.HOTA/t, sum.DetA/t, sum.AssA/t, sum.LocA/t
	sum.False /= float64(max(sum.Frames, 1))
	return sum
}

// IoU is the area that two boxes share over the area that they cover.
func IoU(a, b Box) float64 {
	both := shared(a, b)
	if both == 0 {
		return 0
	}
	return both / (a.W*a.H + b.W*b.H - both)
}

func shared(a, b Box) float64 {
	w := min(a.X+a.W/2, b.X+b.W/2) - max(a.X-a.W/2, b.X-b.W/2)
	h := min(a.Y+a.H/2, b.Y+b.H/2) - max(a.Y-a.H/2, b.Y-b.H/2)
	return max(w, 0) * max(h, 0)
}

// Compare scores found boxes against the truth; both are by frame.
//
// True boxes that are set aside are not asked for, and what is found there does not count, as in the MOT challenge (A. Milan
// et al., arXiv:1603.00831, section 4.1.3): the found boxes that half of lies in them, unless they match another true one.
func Compare(truth, found [][]Box) Score {
	s := Score{Frames: len(truth)}
	truth, found = counted(truth, found)
	for _, f := range truth {
		s.Truths += len(f)
	}
	s.clear(truth, found)
	s.hota(truth, found)
	return s
}

func counted(truth, found [][]Box) (t, f [][]Box) {
	for i := range truth {
		asked := slices.DeleteFunc(slices.Clone(truth[i]), func(b Box) bool { return b.Aside })
		kept := map[int]bool{}
		for _, p := range match(asked, found[i], Overlap, func(a, b Box) float64 { return 0 }) {
			kept[p[1]] = true
		}
		var count []Box
		for j, b := range found[i] {
			aside := slices.ContainsFunc(truth[i], func(a Box) bool { return a.Aside && 2*shared(a, b) >= b.W*b.H })
			if kept[j] || !aside {
				count = append(count, b)
			}
		}
		t, f = append(t, asked), append(f, count)
	}
	return t, f
}

// clear counts hits, false boxes and switches (K. Bernardin, R. Stiefelhagen, EURASIP J. Image and Video Processing 2008,
// doi:10.1155/2008/246309, section 2.1.2): a pair of the frame before is kept while it overlaps enough.
func (s *Score) clear(truth, found [][]Box) {
	last := map[int]int{}
	hits, wrong := 0, 0
	for f := range truth {
		pairs := match(truth[f], found[f], Overlap, func(a, b Box) float64 {
			if id, ok := last[a.ID]; ok && id == b.ID {
				return 1
			}
			return 0
		})
		for _, p := range pairs {
			a, b := truth[f][p[0]].ID, found[f][p[1]].ID
			if id, ok := last[a]; ok && id != b {
				s.Switches++
			}
			last[a] = b
		}
		hits += len(pairs)
		wrong += len(found[f]) - len(pairs)
	}
	s.Recall = float64(hits) / float64(max(s.Truths, 1))
	s.False = float64(wrong) / float64(max(len(truth), 1))
}

// match pairs boxes one to one: as many as overlap by alpha, then by what prefer says, then by the overlap itself. This is the
// order of Luiten et al. (below), equation 17 (there with 1/e, A and e S).
func match(truth, found []Box, alpha float64, prefer func(a, b Box) float64) [][2]int {
	if len(truth) == 0 || len(found) == 0 {
		return nil
	}
	cost := make([][]float64, len(truth))
	for i, a := range truth {
		cost[i] = make([]float64, len(found))
		for j, b := range found {
			cost[i][j] = math.Inf(1)
			// The overlap is compared with a tolerance of its rounding, so that equal boxes count at an overlap of 1.
			if o := IoU(a, b); o >= alpha-1e-9 {
				cost[i][j] = -(1e4 + prefer(a, b) + 1e-4*o)
			}
		}
	}
	var out [][2]int
	for i, j := range mover.Assign(cost) {
		if j >= 0 {
			out = append(out, [2]int{i, j})
		}
	}
	return out
}

// hota computes the higher order tracking accuracy (J. Luiten et al., Int. J. Computer Vision 129, 2021,
// doi:10.1007/s11263-020-01375-2): at each overlap alpha the root of detection accuracy, TP/(TP+FN+FP), times association
// accuracy, the mean over matches of TPA/(TPA+FNA+FPA); then the mean over alpha.
func (s *Score) hota(truth, found [][]Box) {
	localised := 0
	for step := 1; step <= 19; step++ {
		det, ass, loc, any := accuracy(truth, found, float64(step)/20)
		s.HOTA += math.Sqrt(det*ass) / 19
		s.DetA += det / 19
		s.AssA += ass / 19
		if any {
			s.LocA += loc
			localised++
		}
	}
	s.LocA /= float64(max(localised, 1))
}

func accuracy(truth, found [][]Box, alpha float64) (det, ass, loc float64, any bool) {
	type ids [2]int
	possible, matched := map[ids]int{}, map[ids]int{}
	ofTruth, ofFound := map[int]int{}, map[int]int{}
	boxes := 0
	for f := range truth {
		boxes += len(truth[f]) + len(found[f])
		for _, b := range found[f] {
			ofFound[b.ID]++
		}
		for _, a := range truth[f] {
			ofTruth[a.ID]++
			for _, b := range found[f] {
				if IoU(a, b) >= alpha-1e-9 {
					possible[ids{a.ID, b.ID}]++
				}
			}
		}
	}
	score := func(n int, p ids) float64 { return float64(n) / float64(ofTruth[p[0]]+ofFound[p[1]]-n) }
	tp := 0
	for f := range truth {
		for _, p := range match(truth[f], found[f], alpha, func(a, b Box) float64 {
			return score(possible[ids{a.ID, b.ID}], ids{a.ID, b.ID})
		}) {
			a, b := truth[f][p[0]], found[f][p[1]]
			matched[ids{a.ID, b.ID}]++
			loc += IoU(a, b)
			tp++
		}
	}
	if tp == 0 {
		return 0, 0, 0, false
	}
	var parts []float64 // summed in order of size: the order of a map changes nothing
	for p, n := range matched {
		parts = append(parts, float64(n)*score(n, p))
	}
	return float64(tp) / float64(boxes-tp), sumSorted(parts) / float64(tp), loc / float64(tp), true
}
