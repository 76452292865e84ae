package emitter

import (
	"cmp"
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// The posterior around a maximum is tabled on a square in units of the principal standard deviations: ±6 in steps of 0.25.
// A sum of a normal density in steps of 0.25 sigma is exact to rounding (its Fourier transform has vanished); the two per
// cent of asymmetry that real geometries add is smooth on the same scale.
const (
	gridHalf  = 24
	gridSide  = 2*gridHalf + 1
	gridSigma = 0.25
)

// grid holds the posterior around a basin, as logarithm relative to the maximum, row by row along the second axis.
type grid struct {
	axes    [2][2]float64 // columns: the principal axes with length one sigma, metres east and north
	log     []float64
	mass    float64 // integral relative to the maximum, m²
	outside float64 // share of it beyond five sigma
}

// principal are the principal axes of a covariance, each with the length of its standard deviation.
func principal(c [2][2]float64) [2][2]float64 {
	const oneSigma = 0.3934693402873666 // 1 - e^(-1/2): the share whose contour is one standard deviation away
	e := geodesy.EllipseOf(c, oneSigma)
	sin, cos := math.Sincos(e.AzimuthDeg * geodesy.RadPerDegree)
	minor := math.Max(e.MinorM, 1e-9*e.MajorM) // a needle's width is lost in rounding below this
	return [2][2]float64{{e.MajorM * sin, minor * cos}, {e.MajorM * cos, -minor * sin}}
}

func (g *grid) metres(u, v float64) (east, north float64) {
	return g.axes[0][0]*u + g.axes[0][1]*v, g.axes[1][0]*u + g.axes[1][1]*v
}

func (g *grid) cellM2() float64 {
	return math.Abs(g.axes[0][0]*g.axes[1][1]-g.axes[0][1]*g.axes[1][0]) * gridSigma * gridSigma
}

func (m *model) integrate(b *basin) grid {
	g := grid{axes: principal(b.cov), log: make([]float64, 0, gridSide*gridSide)}
	r, bias := make([]float64, len(m.sights)), make([]float64, m.groups)
	sum, beyond := 0.0, 0.0
	for iv := -gridHalf; iv <= gridHalf; iv++ {
		for iu := -gridHalf; iu <= gridHalf; iu++ {
			u, v := float64(iu)*gridSigma, float64(iv)*gridSigma
			east, north := g.metres(u, v)
			m.residuals(moved(b.at, east, north), r)
			copy(bias, b.bias)
			m.settleBias(r, bias, b.wild, 3)
			l := m.logPosterior(r, bias, b.wild) - b.log
			g.log = append(g.log, l)
			w := math.Exp(l)
			sum += w
			if u*u+v*v > 25 {
				beyond += w
			}
		}
	}
	g.mass, g.outside = sum*g.cellM2(), beyond/sum
	return g
}

// covariance is the mean square of the distance from the maximum, east and north: where the posterior is skewed or rough it
// is larger than the curvature at the maximum tells.
func (g *grid) covariance() (c [2][2]float64) {
	total := 0.0
	for i, l := range g.log {
		east, north := g.at(i)
		w := math.Exp(l)
		total += w
		c[0][0] += w * east * east
		c[0][1] += w * east * north
		c[1][1] += w * north * north
	}
	c[0][0], c[0][1], c[1][1] = c[0][0]/total, c[0][1]/total, c[1][1]/total
	c[1][0] = c[0][1]
	return c
}

// at is the place of the i-th value, metres east and north of the maximum.
func (g *grid) at(i int) (east, north float64) {
	return g.metres(float64(i%gridSide-gridHalf)*gridSigma, float64(i/gridSide-gridHalf)*gridSigma)
}

// radius is the distance from the maximum within which share p of the posterior lies.
func (g *grid) radius(p float64) float64 {
	type ring struct{ d, w float64 }
	rings := make([]ring, len(g.log))
	total := 0.0
	for i, l := range g.log {
		east, north := g.at(i)
		rings[i] = ring{math.Hypot(east, north), math.Exp(l)}
		total += rings[i].w
	}
	slices.SortStableFunc(rings, func(a, b ring) int { return cmp.Compare(a.d, b.d) })
	sum := 0.0
	for _, r := range rings {
		if sum += r.w; sum >= p*total {
			return r.d
		}
	}
	return rings[len(rings)-1].d
}

// LogDensity is the natural logarithm of the posterior density at p, per square metre of ground; -Inf further than six
// standard deviations from every place.
func (p *Posterior) LogDensity(at geodesy.LatLon) float64 {
	sum := 0.0
	for i, b := range p.basins {
		sum += p.Fixes[i].Weight * b.density(at)
	}
	return math.Log(sum)
}

// density is the basin's own posterior density at p per m², by bilinear interpolation of its logarithm.
func (b *basin) density(p geodesy.LatLon) float64 {
	g := &b.grid
	d := offset(b.at, p)
	det := g.axes[0][0]*g.axes[1][1] - g.axes[0][1]*g.axes[1][0]
	u := (d[0]*g.axes[1][1]-d[1]*g.axes[0][1])/det/gridSigma + gridHalf
	v := (d[1]*g.axes[0][0]-d[0]*g.axes[1][0])/det/gridSigma + gridHalf
	if !(u >= 0 && v >= 0 && u < gridSide-1 && v < gridSide-1) {
		return 0
	}
	iu, iv := int(u), int(v)
	fu, fv := u-float64(iu), v-float64(iv)
	k := iv*gridSide + iu
	l := (1-fv)*((1-fu)*g.log[k]+fu*g.log[k+1]) + fv*((1-fu)*g.log[k+gridSide]+fu*g.log[k+gridSide+1])
	return math.Exp(l) / g.mass
}
