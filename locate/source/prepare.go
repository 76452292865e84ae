package source

import (
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/numeric"
)

// windWindowS is the time over which winds of one-second logs are averaged: about the travel time over a few hundred metres. Eddies that are
// shorter spread a plume rather than steer it.
const windWindowS = 60

// scene is a survey made ready: samples sorted by sensor and time, plumes tabled, the geometry compound chosen.
type scene struct {
	survey  Survey
	s       []Sample
	sensor  []int // of each sample
	sensors int
	plumes  []*dispersion.Plume
	obs     []Value // of the compound in hand
	primary int     // the compound that geometry is solved on
	skipped int
	samples int // usable ones, before thinning

	// Common background: where it is looked for and how far from there, and how far sensors differ from it, kg/m3.
	base, baseSD, tau float64
	noise             float64 // first guess of the additive noise, kg/m3
	widthSD           float64 // prior deviation of ln of the spreads
	stretches         [][]int // samples in the order in which neighbours are correlated
	records           []record
	nodes             int       // of all records
	node              []int     // before each sample; -1 where its sensor does not drift
	between           []float64 // share of the next node
	bySensor          [][]int
	seat              []int        // of each sensor in its record
	velocity          [][2]float64 // of the sensor at each sample, m/s
	felt              bool         // where a sensor answers late, its samples are of elsewhere
	sd                realisationSD
	realisations      []realisation
	bends             []bool  // of each sample: the effects of its realisation are not linear
	paths             bool    // some samples are of paths
	standing          bool    // every instrument stands still
	apart             float64 // share of the realisations that counts as independent
	calm              bool
	logged            bool // sigma-theta is that of the wind log
}

func prepare(g Survey) (*scene, error) {
	keep, skipped := g.usable()
	if len(keep) < 5 {
		return nil, inputError(g.Group, "fewer than five samples with a place, a wind and a value", "Fly more, or join the groups with --join")
	}
	sc := &scene{apart: 1, survey: g, skipped: skipped, samples: len(keep)}
	keep = thinPaths(keep)
	slices.SortStableFunc(keep, func(a, b Sample) int {
		if a.Sensor != b.Sensor {
			if a.Sensor < b.Sensor {
				return -1
			}
			return 1
		}
		return int(sign(a.TimeS - b.TimeS))
	})
	sc.s = keep
	sc.sensor = make([]int, len(keep))
	for i := range keep {
		sc.paths = sc.paths || keep[i].IsPath
		if i > 0 && keep[i].Sensor != keep[i-1].Sensor {
			sc.sensors++
		}
		sc.sensor[i] = sc.sensors
	}
	sc.sensors++
	if !sc.survey.Surface.Plain {
		sc.logged = sc.turbulence()
	} else if !sc.angled() {
		return nil, inputError(g.Group, "a plain plume needs the angles of the wind's scatter, across and up, with every sample", "Give wind_sigma_theta_deg and wind_sigma_phi_deg, or locate without a plain plume")
	}
	sc.smoothWind()
	winds := make([]dispersion.Wind, len(keep))
	measured, speed := true, 0.0
	for i := range keep {
		winds[i] = keep[i].Wind
		measured = measured && winds[i].SigmaTheta > 0
		speed += winds[i].Speed() / float64(len(keep))
	}
	sc.calm = speed < 1
	sc.plumes = dispersion.NewPlumes(winds, sc.survey.Surface)
	// Spreads by measured turbulence or a known stability hold to about 30 and 35 % (Hanna, Briggs and Hosker 1982,
	// DOE/TIC-11223, ch. 4); with the class unknown neighbouring classes, a factor 1.5 each, must be within reach.
	switch {
	case sc.logged: // an anemometer on an aircraft, or for minutes only: between measured and unknown
		sc.widthSD = 0.45
	case measured:
		sc.widthSD = 0.40
	case g.Surface.ObukhovM != 0 || g.Surface.HasClass:
		sc.widthSD = 0.35
	default:
		sc.widthSD = 0.6
	}
	sc.chain()
	sc.layDrifts()
	sc.velocities()
	sc.sd = sc.sdOver(sc.averaged())
	sc.crossings()
	sc.primary = sc.compound()
	sc.look(sc.primary)
	return sc, nil
}

func sign(v float64) float64 {
	switch {
	case v < 0:
		return -1
	case v > 0:
		return 1
	}
	return 0
}

// angled reports whether both angles of the wind are measured everywhere.
func (sc *scene) angled() bool {
	return !slices.ContainsFunc(sc.s, func(s Sample) bool { return !(s.Wind.SigmaTheta > 0 && s.Wind.SigmaPhi > 0) })
}

// turbulenceSpanS is how long a wind log must be for its turbulence to count: five minutes, ten eddies of half a minute.
const turbulenceSpanS = 300

// turbulence takes sigma-theta, and the stability that goes with it, from the scatter of the wind's direction, where none of the
// samples has a measured one and the winds are logged fast and long enough.
func (sc *scene) turbulence() bool {
	for i := range sc.s {
		if sc.s[i].Wind.SigmaTheta > 0 {
			return false
		}
	}
	var sum, n float64
	for a := 0; a < len(sc.s); {
		b := a
		for b < len(sc.s) && sc.sensor[b] == sc.sensor[a] {
			b++
		}
		span := sc.s[b-1].TimeS - sc.s[a].TimeS
		if b-a >= 30 && span >= turbulenceSpanS && span/float64(b-a-1) <= windWindowS/2 {
			v := directionVariance(sc.s[a:b])
			sum, n = sum+v*float64(b-a), n+float64(b-a)
		}
		a = b
	}
	sigma := math.Sqrt(sum / n)
	if n < float64(len(sc.s))/2 || !(sigma > math.Pi/180) { // a wind that does not vary was typed in
		return false
	}
	for i := range sc.s {
		sc.s[i].Wind.SigmaTheta = sigma
	}
	f := &sc.survey.Surface
	if !f.HasClass && f.ObukhovM == 0 {
		f.HasClass, f.Class = true, dispersion.ClassOfSigmaTheta(sigma, f.RoughnessM)
	}
	return true
}

// directionVariance is that of the wind's direction about its mean, square radians, after Yamartino (1984,
// doi:10.1175/1520-0450(1984)023<1362:ACOSPE>2.0.CO;2).
func directionVariance(s []Sample) float64 {
	var c, d, n float64
	for _, p := range s {
		if u := p.Wind.Speed(); u > 0 {
			c, d, n = c+p.Wind.U/u, d+p.Wind.V/u, n+1
		}
	}
	if n == 0 {
		return 0
	}
	e := math.Sqrt(max(0, 1-(c*c+d*d)/(n*n)))
	sigma := math.Asin(min(e, 1)) * (1 + 0.1547*e*e*e)
	return sigma * sigma
}

// smoothWind averages the wind of each sensor's log over windWindowS where samples come faster than half of that.
func (sc *scene) smoothWind() {
	for a := 0; a < len(sc.s); {
		b := a
		for b < len(sc.s) && sc.sensor[b] == sc.sensor[a] {
			b++
		}
		sc.smoothStretch(sc.s[a:b])
		a = b
	}
}

func (sc *scene) smoothStretch(s []Sample) {
	span := s[len(s)-1].TimeS - s[0].TimeS
	if len(s) < 2 || span/float64(len(s)-1) > windWindowS/2 {
		return
	}
	raw := make([][2]float64, len(s))
	for i, p := range s {
		raw[i] = [2]float64{p.Wind.U, p.Wind.V}
	}
	lo, hi := 0, 0
	var su, sv float64
	for i := range s {
		for hi < len(s) && s[hi].TimeS <= s[i].TimeS+windWindowS/2 {
			su, sv, hi = su+raw[hi][0], sv+raw[hi][1], hi+1
		}
		for s[lo].TimeS < s[i].TimeS-windWindowS/2 {
			su, sv, lo = su-raw[lo][0], sv-raw[lo][1], lo+1
		}
		s[i].Wind.U, s[i].Wind.V = su/float64(hi-lo), sv/float64(hi-lo)
	}
}

// chain lists, per sensor, the samples in time; samples of one time (a ring of samplers) by walking from neighbour to neighbour,
// starting at the one farthest from their middle, so that the order in the file says nothing.
func (sc *scene) chain() {
	for a := 0; a < len(sc.s); {
		b := a
		var stretch []int
		for b < len(sc.s) && sc.sensor[b] == sc.sensor[a] {
			c := b
			for c < len(sc.s) && sc.sensor[c] == sc.sensor[a] && sc.s[c].TimeS == sc.s[b].TimeS {
				c++
			}
			stretch = append(stretch, sc.walk(b, c)...)
			b = c
		}
		sc.stretches = append(sc.stretches, stretch)
		a = b
	}
}

// maxWalk bounds the walk, whose cost is quadratic; larger rings keep the order of their file.
const maxWalk = 3000

func (sc *scene) walk(a, b int) []int {
	if b-a == 1 {
		return []int{a}
	}
	if b-a > maxWalk {
		all := make([]int, 0, b-a)
		for i := a; i < b; i++ {
			all = append(all, i)
		}
		return all
	}
	var mx, my float64
	for i := a; i < b; i++ {
		mx, my = mx+sc.s[i].At[0]/float64(b-a), my+sc.s[i].At[1]/float64(b-a)
	}
	left := make([]int, 0, b-a)
	for i := a; i < b; i++ {
		left = append(left, i)
	}
	d2 := func(i int, x, y float64) float64 {
		return (sc.s[i].At[0]-x)*(sc.s[i].At[0]-x) + (sc.s[i].At[1]-y)*(sc.s[i].At[1]-y)
	}
	pick := 0
	for k, i := range left {
		if d2(i, mx, my) > d2(left[pick], mx, my) {
			pick = k
		}
	}
	var out []int
	for len(left) > 0 {
		i := left[pick]
		out = append(out, i)
		left = slices.Delete(left, pick, pick+1)
		pick = 0
		for k, j := range left {
			if d2(j, sc.s[i].At[0], sc.s[i].At[1]) < d2(left[pick], sc.s[i].At[0], sc.s[i].At[1]) {
				pick = k
			}
		}
	}
	return out
}

// compound picks the one whose values stand out most from their own low half: geometry is solved on it.
func (sc *scene) compound() int {
	best, pick := -1.0, 0
	for k := range sc.survey.Compounds {
		sc.look(k)
		var top, n float64
		for _, v := range sc.obs {
			if !math.IsNaN(v.Amount) && !v.Below {
				top += max(v.Amount-sc.base, 0) / math.Hypot(sc.noise, known(v.SD))
				n++
			}
		}
		if score := top / max(math.Sqrt(n), 1); score > best {
			best, pick = score, k
		}
	}
	return pick
}

// look turns to compound k: its values, and what its low half says of background and noise.
func (sc *scene) look(k int) {
	sc.obs = make([]Value, len(sc.s))
	var all, bounds []float64
	for i := range sc.s {
		sc.obs[i] = sc.s[i].Values[k]
		if v := sc.obs[i]; !math.IsNaN(v.Amount) {
			a := v.Amount
			if v.Below {
				bounds = append(bounds, a)
				a /= 2 // only to place the priors, never in the likelihood
			}
			all = append(all, a)
		}
	}
	if len(all) == 0 {
		sc.noise, sc.base, sc.baseSD, sc.tau = 1e-12, 0, 1e-12, 1e-12
		return
	}
	slices.Sort(all)
	spread := numeric.SortedQuantile(all, 0.9) - numeric.SortedQuantile(all, 0.1)
	low := all[:max(len(all)*3/10, min(len(all), 3))]
	sc.noise = max(numeric.Spread(low), 0.02*spread, 1e-6*math.Abs(all[len(all)-1]), 1e-15)
	if len(bounds) > 0 { // bounds that are all alike have no spread; a limit of detection is about three sigma
		slices.Sort(bounds)
		sc.noise = max(sc.noise, numeric.SortedQuantile(bounds, 0.5)/10)
	}
	sc.base = numeric.SortedQuantile(all, 0.15)
	sc.baseSD = max(spread/2, 3*sc.noise)
	sc.tau = max(0.1*spread, sc.noise)
}

// maxPaths bounds the open-path samples that are used: a column of paths costs ten times that of points, and fixed beams log
// far faster than the wind decorrelates. Whole times are left out, evenly.
const maxPaths = 1000

func thinPaths(s []Sample) []Sample {
	paths := 0
	rank := map[float64]int{}
	var times []float64
	for _, p := range s {
		if p.IsPath {
			paths++
		}
		if _, ok := rank[p.TimeS]; !ok {
			rank[p.TimeS] = 0
			times = append(times, p.TimeS)
		}
	}
	stride := (paths + maxPaths - 1) / maxPaths
	if stride < 2 {
		return s
	}
	slices.Sort(times)
	for i, t := range times {
		rank[t] = i
	}
	return slices.DeleteFunc(s, func(p Sample) bool { return p.IsPath && rank[p.TimeS]%stride != 0 })
}

// farApartS is the time between samples beyond which nobody knows how a sensor went from one to the next, seconds.
const farApartS = 10

// velocities are those of the sensors, by the samples before and after, along which a late answer is felt.
func (sc *scene) velocities() {
	sc.velocity = make([][2]float64, len(sc.s))
	for i := range sc.s {
		a, b := max(i-1, 0), min(i+1, len(sc.s)-1)
		if sc.sensor[a] != sc.sensor[i] || sc.s[i].TimeS-sc.s[a].TimeS > farApartS {
			a = i
		}
		if sc.sensor[b] != sc.sensor[i] || sc.s[b].TimeS-sc.s[i].TimeS > farApartS {
			b = i
		}
		if t := sc.s[b].TimeS - sc.s[a].TimeS; t > 0 && !sc.s[i].IsPath {
			sc.felt = true
			sc.velocity[i] = [2]float64{(sc.s[b].At[0] - sc.s[a].At[0]) / t, (sc.s[b].At[1] - sc.s[a].At[1]) / t}
		}
	}
}
