package emitter

import (
	"cmp"
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// The search for starting places. A crossing of two good bearings lies in the right basin whatever the others do; the polar
// grid finds the basin where bearings are so few or so rough that no crossing lies in it.
const (
	pairsFrom    = 28  // at most this many bearings, evenly chosen, are crossed with each other: 378 pairs
	scoredBy     = 60  // and at most this many score a start
	gridDeg      = 4.0 // step of the polar grid in azimuth
	gridRatio    = 1.3 // and in range
	startsEach   = 10
	truncateAt   = 9.0  // of squared standardised residual: beyond three sigma a bearing says nothing more
	startApart   = 0.05 // of the distance to the sensors' middle: nearer starts are one
	nearestRingM = 500
	furthestM    = 18000e3
)

type start struct {
	at   geodesy.LatLon
	loss float64
}

func (m *model) starts() []geodesy.LatLon {
	middle := m.middle()
	sample := *m.every(scoredBy)
	sample.rough = true
	r := make([]float64, len(sample.sights))
	loss := func(p geodesy.LatLon, widen float64) float64 {
		sample.residuals(p, r)
		sum := 0.0
		for i, s := range sample.sights {
			v := s.s*s.s + widen*widen
			if s.group >= 0 {
				v += m.tau * m.tau
			}
			sum += math.Min(r[i]*r[i]/v, truncateAt)
		}
		return sum
	}
	var crossings, grid []start
	for _, p := range m.every(pairsFrom).crossings() {
		crossings = append(crossings, start{p, loss(p, 0)})
	}
	for d := float64(nearestRingM); d < furthestM; d *= gridRatio {
		for az := 0.0; az < 360; az += gridDeg {
			p := geodesy.Destination(middle, az, d)
			grid = append(grid, start{p, loss(p, gridDeg)})
		}
	}
	return append(best(crossings, middle), best(grid, middle)...)
}

// middle is the ground point below the mean of the sensors.
func (m *model) middle() geodesy.LatLon {
	var c geodesy.ECEF
	for i := range m.sights {
		c = c.Add(m.sights[i].at.Scale(1 / float64(len(m.sights))))
	}
	return geodesy.FromECEF(c).LatLon()
}

// every is the model with at most n of its bearings, evenly chosen.
func (m *model) every(n int) *model {
	if len(m.sights) <= n {
		return m
	}
	few := *m
	few.sights = make([]sight, n)
	for i := range few.sights {
		few.sights[i] = m.sights[i*(len(m.sights)-1)/(n-1)]
	}
	return &few
}

// crossings are the points where two bearings' great circles meet ahead of both sensors.
func (m *model) crossings() []geodesy.LatLon {
	n := len(m.sights)
	ahead, plane := make([]geodesy.ECEF, n), make([]geodesy.ECEF, n)
	for i, s := range m.sights {
		sin, cos := math.Sincos(s.z * geodesy.RadPerDegree)
		ahead[i] = s.frame.Vector([3]float64{sin, cos, 0})
		plane[i] = cross(s.at.Scale(1/s.at.Norm()), ahead[i])
	}
	var out []geodesy.LatLon
	for i := range n {
		for j := range i {
			c := cross(plane[i], plane[j])
			if c.Norm() < 1e-6 { // circles closer than 0.2 arc seconds: they meet nowhere in particular
				continue
			}
			if c.Dot(ahead[i]) < 0 {
				c = c.Scale(-1)
			}
			if c.Dot(ahead[j]) > 0 {
				out = append(out, geodesy.FromECEF(c.Scale(geodesy.MeanRadiusM/c.Norm())).LatLon())
			}
		}
	}
	return out
}

// best picks the starts of least loss that lie apart from each other.
func best(all []start, middle geodesy.LatLon) []geodesy.LatLon {
	slices.SortStableFunc(all, func(a, b start) int { return cmp.Compare(a.loss, b.loss) })
	var out []geodesy.LatLon
	for _, s := range all {
		if len(out) == startsEach {
			break
		}
		apart := startApart * geodesy.Distance(s.at, middle)
		if !slices.ContainsFunc(out, func(p geodesy.LatLon) bool { return geodesy.Distance(p, s.at) < apart }) {
			out = append(out, s.at)
		}
	}
	return out
}

func cross(a, b geodesy.ECEF) geodesy.ECEF {
	return geodesy.ECEF{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}
