package mover

import (
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya/numeric"
)

// A leaning says how things that stand tall move over the registered ground. A camera that flies on sees what lies above the
// plane slide along lines through one point of the plane, the epipole, all away from it or all towards it, and the faster the
// taller (plane and parallax: M. Irani, P. Anandan, IEEE PAMI 20, 1998, doi:10.1109/34.689301, section 3). It is known
// from corners that do not follow the ground.
type leaning struct {
	epipole [3]float64 // homogeneous, in the canvas: far off where the last is near 0
	away    float64    // 1 where things slide away from it, -1 towards it
	most    float64    // px a frame: no structure in sight is faster
	known   bool
}

const (
	leastDrift  = 0.4 // px since the anchor, for a direction to mean something
	leastLean   = 8   // corners that must agree on an epipole
	leanCosine  = 0.94
	leanMargin  = 1.3
	slowestLean = 0.06 // px a frame: what is slower than this is held to stand, whatever its direction
	usualLean   = 0.12 // px a frame: how fast structures may slide where nothing is known of them
	widestGuard = 6    // px: what a shift is looked for within
)

// guard is how many px the top of a structure may slide in so many frames.
func (l *leaning) guard(frames int) int {
	rate := usualLean
	if l.known {
		rate = max(l.most, slowestLean)
	}
	return min(max(int(math.Ceil(rate*float64(frames))), 2), widestGuard)
}

// lean looks for the epipole that most drifts point away from or towards; it is not known where fewer than half agree. The
// drifts are in the anchor, the answer in the canvas.
func lean(ds []drift, age int, margin float64, chance *numeric.Stream) leaning {
	far := make([]drift, 0, len(ds))
	for _, d := range ds {
		if math.Hypot(d.dx, d.dy)*float64(age) >= leastDrift {
			d.x, d.y = d.x+margin, d.y+margin
			far = append(far, d)
		}
	}
	if len(far) < leastLean {
		return leaning{}
	}
	var best leaning
	most := 0
	for range 60 {
		a, b := chance.IntN(len(far)), chance.IntN(len(far))
		if a == b {
			continue
		}
		e := cross(line(far[a]), line(far[b]))
		n := 0
		for _, d := range far {
			if c := along(&e, d); c > leanCosine {
				n++
			} else if c < -leanCosine {
				n--
			}
		}
		if count := max(n, -n); count > most {
			most = count
			best = leaning{epipole: e, away: 1}
			if n < 0 {
				best.away = -1
			}
		}
	}
	if most < leastLean || most*2 < len(far) {
		return leaning{}
	}
	speeds := make([]float64, 0, len(far))
	for _, d := range far {
		if along(&best.epipole, d)*best.away > leanCosine {
			speeds = append(speeds, math.Hypot(d.dx, d.dy))
		}
	}
	slices.Sort(speeds)
	best.most, best.known = leanMargin*numeric.SortedQuantile(speeds, 0.9), true
	return best
}

func line(d drift) [3]float64 {
	return cross([3]float64{d.x, d.y, 1}, [3]float64{d.x + 100*d.dx, d.y + 100*d.dy, 1})
}

func cross(a, b [3]float64) [3]float64 {
	return [3]float64{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}

// along is the cosine between a drift and the direction away from the epipole (of one that is far off: along its axis).
func along(e *[3]float64, d drift) float64 {
	x, y := e[2]*d.x-e[0], e[2]*d.y-e[1]
	n := math.Hypot(x, y) * math.Hypot(d.dx, d.dy)
	if n == 0 {
		return 0
	}
	return (x*d.dx + y*d.dy) / n
}

// explains tells whether something at a place of the canvas that moves so many px a frame may be the top of a structure.
func (l *leaning) explains(d drift) bool {
	speed := math.Hypot(d.dx, d.dy)
	if speed < slowestLean {
		return true
	}
	return l.known && speed <= l.most && along(&l.epipole, d)*l.away > leanCosine
}

// through takes what is known to another canvas.
func (l *leaning) through(h *Homography, w, height float64) {
	if !l.known {
		return
	}
	x, y := l.epipole[0], l.epipole[1]
	z := l.epipole[2]
	l.epipole = [3]float64{h[0]*x + h[1]*y + h[2]*z, h[3]*x + h[4]*y + h[5]*z, h[6]*x + h[7]*y + h[8]*z}
	l.most *= h.Scale(w/2, height/2)
}
