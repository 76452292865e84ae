package emitter

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
)

const (
	secondBasin = 0.05  // weight from which another place is given
	sameBasin2  = 9.0   // squared Mahalanobis distance below which two maxima are one
	misfitAt    = 1e-3  // probability of so large a chi-square below which the stated sigmas are not believed
	tooWild     = 0.4   // share of wild bearings from which integrity is low
	thinAt      = 0.5   // semi-major axis over range from which integrity is low
	openAt      = 0.01  // posterior beyond five sigma from which integrity is low
	apartM      = 1.0   // sensors all within this distance of each other stand in one place
	maxSteps    = 60    // Gauss-Newton steps; ten are the rule
	maxBearings = 20000 // on one emitter; at 1 Hz five hours
)

// Locate estimates where the emitter stands. Bearings that cannot give a position (fewer than two, all from one place, or
// all but parallel) are an error that says what is missing; no answer holds a NaN.
func Locate(bearings []Bearing, opt Options) (*Posterior, error) {
	if err := check(bearings, opt); err != nil {
		return nil, err
	}
	m := newModel(bearings, opt)
	post, ratio, err := m.locate()
	if err != nil {
		return nil, err
	}
	if ratio > 1 { // the bearings scatter more than they say: believe the scatter
		for i := range m.sights {
			m.sights[i].s *= math.Sqrt(ratio)
		}
		if post, _, err = m.locate(); err != nil {
			return nil, err
		}
		post.lower(fmt.Sprintf("the bearings scatter %.1f times as far as their sigma says; the region is widened by it", math.Sqrt(ratio)))
	}
	return post, nil
}

func refuse(what, hint string) error {
	return &atalaya.Error{Op: "emitter.locate", Kind: atalaya.BadInput, Err: fmt.Errorf("%s", what), Hint: hint}
}

func check(bearings []Bearing, opt Options) error {
	if n := len(bearings); n < 2 {
		return refuse(fmt.Sprintf("%d bearing gives a direction, not a position", n), "Add a bearing from another place")
	} else if n > maxBearings {
		return refuse(fmt.Sprintf("%d bearings on one emitter", n), fmt.Sprintf("Thin them to at most %d", maxBearings))
	}
	if math.IsNaN(opt.HeightHAE) || math.Abs(opt.HeightHAE) > 100e3 || !(opt.BiasSigmaDeg >= 0 && opt.BiasSigmaDeg <= 90) {
		return refuse("emitter height or bias sigma out of range", "Give a height within 100 km and a bias sigma from 0 to 90 degrees")
	}
	together := true
	first := geodesy.ToECEF(bearings[0].Sensor)
	for i, b := range bearings {
		finite := b.Sensor.LatLon().Valid() && math.Abs(b.Sensor.HeightHAE) < 1e8 && math.Abs(b.AzimuthDeg) <= 720
		if !finite || !(b.SigmaDeg > 0 && b.SigmaDeg <= 180) {
			return refuse(fmt.Sprintf("bearing %d has a position, azimuth or sigma out of range", i+1),
				"Give WGS 84 degrees, an azimuth in degrees and a sigma above 0 and up to 180 degrees")
		}
		together = together && geodesy.ToECEF(b.Sensor).Sub(first).Norm() < apartM
	}
	if together {
		return refuse("all bearings are from one place: they give a direction, not a position", "Add a bearing from another place")
	}
	return nil
}

// basin is one maximum of the posterior.
type basin struct {
	state
	cov      [2][2]float64
	log      float64 // of the posterior at its maximum
	residual []float64
	grid     grid
}

// locate gives the posterior, and by how much the squares of the residuals of the best place exceed what sigma allows
// (1 where they do not).
func (m *model) locate() (*Posterior, float64, error) {
	basins, far := m.basins()
	if len(basins) == 0 {
		what := "the bearings never come together in one place"
		if far {
			what = "the bearings are too near to parallel: they give a direction, not a distance"
		}
		return nil, 1, refuse(what, "Add bearings that cross these at a larger angle")
	}
	total := 0.0
	for i := range basins {
		basins[i].grid = m.integrate(&basins[i])
		total += basins[i].grid.mass * math.Exp(basins[i].log-basins[0].log)
	}
	post := &Posterior{}
	for i, b := range basins {
		if w := b.grid.mass * math.Exp(b.log-basins[0].log) / total; w >= secondBasin || i == 0 {
			f := m.describe(&b)
			f.Weight = w
			post.Fixes, post.basins = append(post.Fixes, f), append(post.basins, b)
		}
	}
	post.rank()
	return post, m.misfit(&post.basins[0]), nil
}

// rank puts the most probable place first and makes the weights of what is given sum to one.
func (p *Posterior) rank() {
	order := make([]int, len(p.Fixes))
	kept := 0.0
	for i := range order {
		order[i] = i
		kept += p.Fixes[i].Weight
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p.Fixes[b].Weight, p.Fixes[a].Weight) })
	fixes, basins := make([]Fix, len(order)), make([]basin, len(order))
	for i, o := range order {
		fixes[i], basins[i] = p.Fixes[o], p.basins[o]
		fixes[i].Weight /= kept
		if len(order) > 1 {
			fixes[i].Integrity, fixes[i].Why = Multimodal, fmt.Sprintf("one of %d places that the bearings allow", len(order))
		}
	}
	p.Fixes, p.basins = fixes, basins
}

func (p *Posterior) lower(why string) {
	for i := range p.Fixes {
		if f := &p.Fixes[i]; f.Integrity == Good {
			f.Integrity, f.Why = Low, why
		}
	}
}

// basins climbs from every start and keeps the distinct maxima, highest first. far says that a maximum was dropped because
// its distance is as uncertain as it is large.
func (m *model) basins() (kept []basin, far bool) {
	var all []basin
	for _, s := range m.starts() {
		if b, ok := m.climb(s); ok {
			all = append(all, b)
		} else {
			far = true
		}
	}
	slices.SortStableFunc(all, func(a, b basin) int { return cmp.Compare(b.log, a.log) })
	for _, b := range all {
		if b.log < all[0].log-20 { // e⁻²⁰ of the best cannot reach the share that is given
			break
		}
		if !slices.ContainsFunc(kept, func(k basin) bool { return k.near(b.at) < sameBasin2 || b.near(k.at) < sameBasin2 }) {
			kept = append(kept, b)
		}
	}
	if len(kept) > 0 {
		if e := geodesy.EllipseOf(kept[0].cov, 0.3935); e.MajorM > m.reach(kept[0].at) { // one sigma
			return nil, true
		}
	}
	return kept, far
}

// near is the squared Mahalanobis distance of p from the basin's maximum.
func (b *basin) near(p geodesy.LatLon) float64 {
	inv, ok := inverse(b.cov)
	if !ok {
		return 0
	}
	d := offset(b.at, p)
	return d[0]*d[0]*inv[0][0] + 2*d[0]*d[1]*inv[0][1] + d[1]*d[1]*inv[1][1]
}

// offset is p as seen from at: east and north components of the geodesic between them, metres.
func offset(at, p geodesy.LatLon) [2]float64 {
	sin, cos := math.Sincos(geodesy.Azimuth(at, p) * geodesy.RadPerDegree)
	d := geodesy.Distance(at, p)
	return [2]float64{d * sin, d * cos}
}

func moved(at geodesy.LatLon, east, north float64) geodesy.LatLon {
	return geodesy.Destination(at, math.Atan2(east, north)/geodesy.RadPerDegree, math.Hypot(east, north))
}

// reach is the distance from p to the furthest sensor.
func (m *model) reach(p geodesy.LatLon) float64 {
	far := 0.0
	for i := range m.sights {
		far = math.Max(far, geodesy.Distance(m.sights[i].from, p))
	}
	return far
}

// climb goes from a start to the maximum of its basin: damped Gauss-Newton steps whose weights are the probabilities that
// each bearing is normal, with sigmas that shrink from eight times to once the stated ones.
func (m *model) climb(from geodesy.LatLon) (basin, bool) {
	n := len(m.sights)
	r, j := make([]float64, n), make([][2]float64, n)
	st := state{at: from, bias: make([]float64, m.groups), wild: 0.1}
	m.residuals(st.at, r)
	now, damp := math.Inf(-1), 1e-6
	for step := range maxSteps {
		k := math.Max(1, math.Pow(2, 3-float64(step)/2))
		if k > 1 {
			now = math.Inf(-1) // the objective changes while sigma shrinks
		}
		m.slopes(st.at, j)
		east, north := m.equations(r, j, st, k).step(damp)
		if limit, d := 0.3*m.reach(st.at), math.Hypot(east, north); d > limit {
			east, north = east*limit/d, north*limit/d
		}
		next := state{at: moved(st.at, east, north), bias: slices.Clone(st.bias), wild: st.wild}
		if !next.at.Valid() {
			return basin{}, false
		}
		m.residuals(next.at, r)
		m.settleBias(r, next.bias, next.wild, 1)
		if k == 1 {
			m.settleWild(r, &next)
		}
		log := m.logPosterior(r, next.bias, next.wild)
		if log < now-1e-12*math.Abs(now) {
			damp = math.Max(damp, 1e-3) * 10
			m.residuals(st.at, r)
			if damp > 1e12 {
				break
			}
			continue
		}
		done := k == 1 && log-now < 1e-10 && math.Hypot(east, north) < 1e-3
		st, now, damp = next, log, damp/10
		if done {
			break
		}
	}
	m.residuals(st.at, r)
	m.slopes(st.at, j)
	cov, ok := inverse(m.equations(r, j, st, 1).info)
	return basin{state: st, cov: cov, log: m.logPosterior(r, st.bias, st.wild), residual: r}, ok
}

// step solves the normal equations, damped after Marquardt.
func (n normal) step(damp float64) (east, north float64) {
	a := n.info
	a[0][0] *= 1 + damp
	a[1][1] *= 1 + damp
	inv, ok := inverse(a)
	if !ok { // a valley without a floor: go down its steeper side
		if t := a[0][0] + a[1][1]; t > 0 {
			return n.rhs[0] / t, n.rhs[1] / t
		}
		return 0, 0
	}
	return inv[0][0]*n.rhs[0] + inv[0][1]*n.rhs[1], inv[1][0]*n.rhs[0] + inv[1][1]*n.rhs[1]
}

// settleWild moves the wild share to its best value for residuals r.
func (m *model) settleWild(r []float64, st *state) {
	wild := 0.0
	for i := range m.sights {
		wild += 1 - fitOf(m.less(r, st.bias, i), m.sights[i].s, st.wild).tame
	}
	st.wild = math.Max(wildFloor, wild/(float64(len(m.sights))+wildPrior))
}

// less is residual i without its group's heading error.
func (m *model) less(r, bias []float64, i int) float64 {
	if g := m.sights[i].group; g >= 0 {
		return r[i] - bias[g]
	}
	return r[i]
}

// misfit is the mean square of the standardised residuals of the bearings in use, where chi-square calls it too large; else 1.
func (m *model) misfit(b *basin) float64 {
	chi2, dof := 0.0, -2.0
	for i := range m.sights {
		res := m.less(b.residual, b.bias, i)
		w := fitOf(res, m.sights[i].s, b.wild).weight
		chi2 += w * res * res / (m.sights[i].s * m.sights[i].s)
		dof += w
	}
	if dof < 1 || (distuv.ChiSquared{K: dof}).Survival(chi2) > misfitAt {
		return 1
	}
	return math.Max(1, chi2/dof)
}

func (m *model) describe(b *basin) Fix {
	f := Fix{At: b.at, HeightHAE: m.height, CovarianceM2: b.grid.covariance(), Integrity: Good, WildShare: b.wild}
	f.Ellipse95 = geodesy.EllipseOf(f.CovarianceM2, 0.95)
	f.CEP50M, f.CEP95M = b.grid.radius(0.5), b.grid.radius(0.95)
	for i := range m.sights {
		if fitOf(m.less(b.residual, b.bias, i), m.sights[i].s, b.wild).tame >= 0.5 {
			f.Used++
		} else {
			f.Rejected++
		}
	}
	switch {
	case f.Used < 3:
		f.Why = "no bearing is left over to check the others"
	case float64(f.Rejected) > tooWild*float64(f.Used+f.Rejected):
		f.Why = fmt.Sprintf("%d of %d bearings fit nowhere near it", f.Rejected, f.Used+f.Rejected)
	case f.Ellipse95.MajorM > thinAt*m.reach(b.at):
		f.Why = "the bearings cross at so small an angle that the distance is little known"
	case b.grid.outside > openAt:
		f.Why = "the region has a long tail that the ellipse does not show"
	}
	if f.Why != "" {
		f.Integrity = Low
	}
	return f
}
