package emitter

import (
	"math"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// geodesicBeyondM is the distance from which the azimuth of the geodesic replaces that of the line of sight.
const geodesicBeyondM = 500e3

// wildPrior is the prior of the wild share: Beta(1, 1+wildPrior), as if wildPrior normal bearings had been seen before.
// wildFloor keeps a bearing that is off by many sigma from taking a fix along, however clean the rest is.
const (
	wildPrior = 8
	wildFloor = 0.005
)

type sight struct {
	from  geodesy.LatLon
	at    geodesy.ECEF
	frame geodesy.Frame
	z, s  float64 // degrees
	group int     // -1: none
}

// model is the likelihood of the bearings on one emitter.
type model struct {
	sights []sight
	groups int
	tau    float64 // prior sigma of a group's heading error, degrees
	height float64
	rough  bool // lines of sight at any range: 0.2° off at 10,000 km, and thirty times as fast
}

// state is a trial value of everything that the bearings depend on.
type state struct {
	at   geodesy.LatLon
	bias []float64
	wild float64
}

func newModel(bearings []Bearing, opt Options) *model {
	m := &model{tau: opt.BiasSigmaDeg, height: opt.HeightHAE}
	if m.tau == 0 {
		m.tau = DefaultBiasSigmaDeg
	}
	index := map[string]int{}
	for _, b := range bearings {
		g := -1
		if b.BiasGroup != "" {
			i, ok := index[b.BiasGroup]
			if !ok {
				i = m.groups
				index[b.BiasGroup] = i
				m.groups++
			}
			g = i
		}
		m.sights = append(m.sights, sight{
			from: b.Sensor.LatLon(), at: geodesy.ToECEF(b.Sensor), frame: geodesy.NewFrame(b.Sensor),
			z: b.AzimuthDeg, s: b.SigmaDeg, group: g,
		})
	}
	return m
}

// residuals fills r with measured minus true azimuth in degrees, wrapped to ±180.
func (m *model) residuals(p geodesy.LatLon, r []float64) {
	c := geodesy.ToECEF(geodesy.LatLonHeight{Lat: p.Lat, Lon: p.Lon, HeightHAE: m.height})
	for i := range m.sights {
		s := &m.sights[i]
		d := c.Sub(s.at)
		var az float64
		if !m.rough && d.Dot(d) > geodesicBeyondM*geodesicBeyondM {
			az = geodesy.Azimuth(s.from, p)
		} else {
			v := s.frame.Axes(d)
			az = math.Atan2(v[0], v[1]) / geodesy.RadPerDegree
		}
		r[i] = geodesy.Wrap180(s.z - az)
	}
}

// slopes fills j with the change of each azimuth, in degrees, per metre that p moves east and north. On a sphere the
// horizontal part of the chord, seen from p, is the reduced length of the great circle, so that the plane formula holds
// at any range; the flattening of the Earth changes it by less than 1 %.
func (m *model) slopes(p geodesy.LatLon, j [][2]float64) {
	at := geodesy.LatLonHeight{Lat: p.Lat, Lon: p.Lon, HeightHAE: m.height}
	f, c := geodesy.NewFrame(at), geodesy.ToECEF(at)
	for i := range m.sights {
		v := f.Axes(m.sights[i].at.Sub(c))
		h2 := v[0]*v[0] + v[1]*v[1] + 1 // one metre keeps a sensor overhead from dividing by zero
		j[i] = [2]float64{-v[1] / h2 / geodesy.RadPerDegree, v[0] / h2 / geodesy.RadPerDegree}
	}
}

// roughShare of the bearings that are not wild have a standard deviation roughTimes as large as stated: the contaminated
// normal that J. W. Tukey took for real instruments (A survey of sampling from contaminated distributions, in Contributions
// to Probability and Statistics, Stanford 1960). It keeps a bearing that is off by three to five sigma, a near reflection,
// from taking the fix along, which a wild bearing further off cannot do.
const (
	roughShare = 0.05
	roughTimes = 3.0
)

// fit is how a bearing with residual r and standard deviation s sits in the mixture.
type fit struct {
	weight float64 // of its square in the normal equations, per 1/s²: minus s²/r times the slope of log
	tame   float64 // probability that it is not wild
	log    float64 // logarithm of its density, per degree
}

func fitOf(r, s, wild float64) fit {
	q := r * r / (s * s)
	k := (1 - wild) / (s * math.Sqrt(2*math.Pi))
	fine := k * (1 - roughShare) * math.Exp(-q/2)
	rough := k * roughShare / roughTimes * math.Exp(-q/(2*roughTimes*roughTimes))
	total := fine + rough + wild/360
	return fit{weight: (fine + rough/(roughTimes*roughTimes)) / total, tame: (fine + rough) / total, log: math.Log(total)}
}

// settleBias moves the heading errors to their best values for residuals r, by n expectation-maximisation steps.
func (m *model) settleBias(r, bias []float64, wild float64, n int) {
	if len(bias) == 0 {
		return
	}
	num, den := make([]float64, len(bias)), make([]float64, len(bias))
	for range n {
		for g := range bias {
			num[g], den[g] = 0, 1/(m.tau*m.tau)
		}
		for i := range m.sights {
			if s := &m.sights[i]; s.group >= 0 {
				w := fitOf(r[i]-bias[s.group], s.s, wild).weight
				num[s.group] += w * r[i] / (s.s * s.s)
				den[s.group] += w / (s.s * s.s)
			}
		}
		for g := range bias {
			bias[g] = num[g] / den[g]
		}
	}
}

// logPosterior is the logarithm of likelihood times priors, up to a constant of the model.
func (m *model) logPosterior(r, bias []float64, wild float64) float64 {
	sum := wildPrior * math.Log1p(-wild)
	for _, b := range bias {
		sum -= b * b / (2 * m.tau * m.tau)
	}
	for i := range m.sights {
		s := &m.sights[i]
		res := r[i]
		if s.group >= 0 {
			res -= bias[s.group]
		}
		sum += fitOf(res, s.s, wild).log
	}
	return sum
}

// normal holds the normal equations for a move on the ground, heading errors already eliminated.
type normal struct {
	info [2][2]float64
	rhs  [2]float64
}

// equations builds them with every sigma widened by k.
func (m *model) equations(r []float64, j [][2]float64, st state, k float64) normal {
	var n normal
	type sums struct{ w, wr, wx, wy float64 }
	by := make([]sums, m.groups)
	for i := range by {
		by[i].w = 1 / (m.tau * m.tau)
		by[i].wr = -st.bias[i] / (m.tau * m.tau)
	}
	for i := range m.sights {
		s := &m.sights[i]
		res, sd := r[i], s.s*k
		if s.group >= 0 {
			res -= st.bias[s.group]
		}
		w := fitOf(res, sd, st.wild).weight / (sd * sd)
		n.info[0][0] += w * j[i][0] * j[i][0]
		n.info[0][1] += w * j[i][0] * j[i][1]
		n.info[1][1] += w * j[i][1] * j[i][1]
		n.rhs[0] += w * j[i][0] * res
		n.rhs[1] += w * j[i][1] * res
		if s.group >= 0 {
			g := &by[s.group]
			g.w, g.wr, g.wx, g.wy = g.w+w, g.wr+w*res, g.wx+w*j[i][0], g.wy+w*j[i][1]
		}
	}
	for _, g := range by {
		if g.w <= 0 {
			continue
		}
		n.info[0][0] -= g.wx * g.wx / g.w
		n.info[0][1] -= g.wx * g.wy / g.w
		n.info[1][1] -= g.wy * g.wy / g.w
		n.rhs[0] -= g.wx * g.wr / g.w
		n.rhs[1] -= g.wy * g.wr / g.w
	}
	n.info[1][0] = n.info[0][1]
	return n
}

// inverse of a symmetric 2 by 2 matrix; false where it is not positive definite beyond rounding.
func inverse(a [2][2]float64) ([2][2]float64, bool) {
	det := a[0][0]*a[1][1] - a[0][1]*a[1][0]
	if !(a[0][0] > 0 && a[1][1] > 0 && det > 1e-12*a[0][0]*a[1][1]) { // 1e-12: the products cancel to about 1e-15
		return a, false
	}
	return [2][2]float64{{a[1][1] / det, -a[0][1] / det}, {-a[1][0] / det, a[0][0] / det}}, true
}
