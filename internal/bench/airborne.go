package bench

import (
	"math"

	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/numeric"
)

// The surveys that calibration is judged on: an aircraft in several legs across a wind that turns and gusts, over 0 to 5 sources whose gas is made of
// wandering puffs. Truth shares no formula with the estimator. It is drawn from what the estimator itself takes for granted, so that its
// probabilities have no excuse: number of sources, their heights, their rates and the ground that they may stand on are those of its priors, and
// each is drawn anew until it shows.
// Weather, flight, background and what instruments do are drawn from the ranges below and told only as far as instruments tell them.
const (
	airborneMPS    = 8.0
	leastAheadM    = 300 // sources stand as far from the samples as they are wide, this far at least
	airborneSettle = 600 // seconds before take-off: the slowest wind has crossed the ground
	driftNoises    = 1.5 // deviation of a drifting background, in deviations of the noise
	driftSamples   = 20  // over which it wanders
)

// beliefs are the estimator's priors.
var beliefs = source.Priors()

// A background is what the air holds beside the plumes.
type background int

const (
	white    background = iota // constant: all that varies is the instrument's noise
	drifting                   // an Ornstein-Uhlenbeck process (AR(1) at the samples)
	stepping                   // two plateaus
	backgrounds
)

func (b background) String() string { return [...]string{"white", "drifting", "stepping"}[b] }

// An airborne is one survey with its truth.
type airborne struct {
	seed   uint64
	kind   background
	truth  []dispersion.Source
	in     source.Input
	toward [2]float64 // where the logged wind goes, unit vector: an axis for ranks that data alone define
}

// The streams of a survey: what day it is, what the air does, what instruments do.
const blockAirborne = 1 << 42

// weather is that of one survey.
type weather struct {
	toward, speed         float64 // radians from east; m/s at ten metres
	surface               dispersion.Surface
	across, up            float64 // turbulence as shares of the speed
	intermittency, memory float64
	misaligned            float64
}

func between(s *numeric.Stream, lo, hi float64) float64 { return lo + (hi-lo)*s.Float64() }

func drawWeather(s *numeric.Stream) weather {
	w := weather{toward: 2 * math.Pi * s.Float64(), speed: 2.5 * math.Exp(s.Float64()*math.Log(8/2.5))}
	w.surface.RoughnessM = 0.02 * math.Exp(s.Float64()*math.Log(0.3/0.02))
	w.across = between(s, 0.1, 0.25)
	w.up = between(s, 0.5, 0.8) * w.across
	w.intermittency, w.memory = between(s, 0.2, 0.5), between(s, 30, 90)
	w.misaligned = 2 * math.Pi / 180 * s.Normal()
	return w
}

// drawCourse is where the aircraft is each second: four to six legs across the wind at distances that grow, there and back.
func drawCourse(s *numeric.Stream, w weather) (at [][3]float64) {
	legs := 4 + s.IntN(3)
	half, d, step := between(s, 120, 220), between(s, 60, 120), between(s, 40, 100)
	low, high := between(s, 10, 20), between(s, 20, 40)
	sin, cos := math.Sincos(w.toward)
	var turns [][3]float64
	for k := range legs {
		side := half
		if k%2 == 1 {
			side = -half
		}
		h := low
		if k%3 == 2 {
			h = high
		}
		for _, a := range [2]float64{-side, side} {
			turns = append(turns, [3]float64{d*cos - a*sin, d*sin + a*cos, h})
		}
		d += step
	}
	for k := 1; k < len(turns); k++ {
		a, b := turns[k-1], turns[k]
		n := int(math.Ceil(math.Sqrt((b[0]-a[0])*(b[0]-a[0])+(b[1]-a[1])*(b[1]-a[1])+(b[2]-a[2])*(b[2]-a[2])) / airborneMPS))
		for i := range n {
			t := float64(i) / float64(n)
			at = append(at, [3]float64{a[0] + t*(b[0]-a[0]), a[1] + t*(b[1]-a[1]), a[2] + t*(b[2]-a[2])})
		}
	}
	return at
}

// drawWind is the wind at ten metres, each second from airborneSettle before take-off: it turns by 5° and gusts by a tenth, over five minutes.
func drawWind(s *numeric.Stream, w weather, seconds int) []dispersion.Wind {
	turn, gust := s.Normal(), s.Normal()
	out := make([]dispersion.Wind, seconds)
	for i := range out {
		turn, gust = wander(turn, 300, s), wander(gust, 300, s)
		sin, cos := math.Sincos(w.toward + 5*math.Pi/180*turn)
		v := w.speed * math.Exp(0.1*gust-0.005)
		out[i] = dispersion.Wind{U: v * cos, V: v * sin, HeightM: 10}
	}
	return out
}

// drawPlace is uniform over the ground that lies upwind of a sample within reach.
func drawPlace(s *numeric.Stream, at [][3]float64, wind []dispersion.Wind) (x, y float64) {
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, p := range at {
		for k := range 2 {
			lo[k], hi[k] = min(lo[k], p[k]), max(hi[k], p[k])
		}
	}
	extent := max(hi[0]-lo[0], hi[1]-lo[1])
	side := extent + 2*max(extent, leastAheadM)
	for {
		x, y = (lo[0]+hi[0])/2+side*(s.Float64()-0.5), (lo[1]+hi[1])/2+side*(s.Float64()-0.5)
		for i, p := range at {
			u := wind[i].Speed()
			c, d := wind[i].U/u, wind[i].V/u
			along := (p[0]-x)*c + (p[1]-y)*d
			if across := math.Abs((p[1]-y)*c - (p[0]-x)*d); along > 0 && across <= beliefs.ConeTan*along {
				return x, y
			}
		}
	}
}

// snr2 is by how much a source shows: by the mean plume that this turbulence makes, for what shows must not hang on chance.
func (w weather) snr2(of dispersion.Source, at [][3]float64, wind []dispersion.Wind) (sum float64) {
	plain := dispersion.Shape{}.Bend()
	for t := sampleS - 1; t < len(at); t += sampleS {
		now := wind[t]
		now.SigmaTheta, now.SigmaPhi = w.across, w.up
		plume := dispersion.NewPlume(now, w.surface)
		x, y := plume.Downwind(at[t][0]-of.X, at[t][1]-of.Y, 0)
		c := of.RateKgS * plume.At(x, y, at[t][2], of.Z, plain, 0).C
		z := c / math.Hypot(noiseKgM3, 0.03*c)
		sum += z * z
	}
	return sum
}

// drawCount is the number of sources of a day.
func drawCount(day *numeric.Stream) (n int) {
	for u := day.Float64(); n < len(beliefs.Count)-1 && u >= beliefs.Count[n]; n++ {
		u -= beliefs.Count[n]
	}
	return n
}

// newAirborne makes the survey of a seed. sources below 0 draws their number from the prior.
func newAirborne(seed uint64, kind background, sources int) *airborne {
	day, air, instrument := numeric.NewStream(seed, blockAirborne), numeric.NewStream(seed, blockAirborne+1), numeric.NewStream(seed, blockAirborne+2)
	a := &airborne{seed: seed, kind: kind}
	w := drawWeather(day)
	at := drawCourse(day, w)
	wind := drawWind(air, w, airborneSettle+len(at))
	if n := drawCount(day); sources < 0 {
		sources = n
	}
	normal := func(p [2]float64) float64 { return p[0] + p[1]*day.Normal() }
	for range sources {
		for {
			x, y := drawPlace(day, at, wind[airborneSettle:])
			one := dispersion.Source{X: x, Y: y, Z: math.Exp(normal(beliefs.LnHeightM)), RateKgS: math.Exp(normal(beliefs.LnRateKgS))}
			if w.snr2(one, at, wind[airborneSettle:]) >= source.ShowsSNR2 {
				a.truth = append(a.truth, one)
				break
			}
		}
	}
	a.fly(w, at, wind, air, instrument)
	return a
}

// fly releases, measures and logs.
func (a *airborne) fly(w weather, at [][3]float64, wind []dispersion.Wind, air, instrument *numeric.Stream) {
	puffs := dispersion.NewPuffs(dispersion.PuffSettings{Sources: a.truth, Surface: w.surface, EveryS: 1, SigmaV: w.across * w.speed, SigmaW: w.up * w.speed,
		TimescaleS: w.memory, Intermittency: w.intermittency}, air)
	g := source.Survey{Compounds: []string{"acetone"}, Surface: dispersion.Surface{RoughnessM: w.surface.RoughnessM}}
	if len(a.truth) > 0 {
		for _, now := range wind[:airborneSettle] {
			puffs.Step(1, now)
		}
	}
	n := instrument.Normal
	sin, cos := math.Sincos(w.misaligned)
	clean := newClean(a.kind, len(at)/sampleS, instrument)
	var eddy [2]float64
	var m look
	for t, p := range at {
		now := wind[airborneSettle+t]
		if len(a.truth) > 0 {
			puffs.Step(1, now)
		}
		k := w.surface.WindRatio(p[2], 10)
		for i := range eddy {
			eddy[i] = wander(eddy[i], 5, instrument)
		}
		for i := range p {
			m.at[i] += p[i] / sampleS
		}
		m.u, m.v, m.excess = m.u+(k*now.U+0.4*eddy[0])/sampleS, m.v+(k*now.V+0.4*eddy[1])/sampleS, m.excess+puffs.At(p[0], p[1], p[2])/sampleS
		if t%sampleS < sampleS-1 {
			continue
		}
		sd := math.Hypot(noiseKgM3, 0.03*m.excess)
		s := source.Sample{TimeS: float64(t), At: [3]float64{m.at[0] + 1.5*n(), m.at[1] + 1.5*n(), m.at[2] + n()},
			Wind:   dispersion.Wind{U: m.u*cos - m.v*sin + 0.3*n(), V: m.u*sin + m.v*cos + 0.3*n(), HeightM: m.at[2], AveragingS: sampleS},
			Values: []source.Value{{Amount: clean.next() + m.excess + sd*n(), SD: sd}}}
		a.toward[0], a.toward[1] = a.toward[0]+s.Wind.U, a.toward[1]+s.Wind.V
		g.Samples, m = append(g.Samples, s), look{}
	}
	l := math.Hypot(a.toward[0], a.toward[1])
	a.toward[0], a.toward[1] = a.toward[0]/l, a.toward[1]/l
	a.in = source.Input{Local: true, Groups: []source.Survey{g}}
}

// clean is the background at each sample.
type clean struct {
	kind    background
	chance  *numeric.Stream
	drift   float64 // in its deviations
	height  float64 // of the step, kg/m3
	left, n int
}

func newClean(kind background, samples int, chance *numeric.Stream) *clean {
	c := &clean{kind: kind, chance: chance}
	switch kind {
	case drifting:
		c.drift = chance.Normal()
	case stepping: // up or down by two to six deviations of the noise, somewhere in the middle three fifths
		c.height = noiseKgM3 * between(chance, 2, 6)
		if chance.Float64() < 0.5 {
			c.height = -c.height
		}
		c.left = int(float64(samples) * between(chance, 0.2, 0.8))
	}
	return c
}

func (c *clean) next() float64 {
	const level = 10 * noiseKgM3
	c.n++
	switch {
	case c.kind == drifting:
		c.drift = wander(c.drift, driftSamples, c.chance)
		return level + driftNoises*noiseKgM3*c.drift
	case c.kind == stepping && c.n > c.left:
		return level + c.height
	}
	return level
}
