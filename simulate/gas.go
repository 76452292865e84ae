package simulate

import (
	"io"
	"math"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/sense/gas"
)

// What the gas instrument and the drone that carries it do to what they measure: assumptions of the order of a fast
// chemical-ionisation instrument and a sonic anemometer on a multicopter.
const (
	inletS        = 1.0  // delay of the inlet line, whole seconds
	responseS     = 1.5  // e-folding time of the instrument
	gainNoise     = 0.03 // share of the excess
	limitSigmas   = 3    // the detection limit, in standard deviations of the noise
	driftShare    = 0.15 // standard deviation of the background, as a share of it
	driftS        = 300  // its timescale
	windNoise     = 0.3  // m/s, each component
	eddySigma     = 0.4  // m/s: eddies at the drone that do not carry the plume
	eddyS         = 5.0  // their timescale
	windTurnDeg   = 2.0  // standard deviation of the anemometer's misalignment, constant in a flight
	windGain      = 0.05 // standard deviation of the logarithm of its gain
	positionSigma = 1.5  // m
	heightSigma   = 1.0  // m
	settleS       = 600  // before take-off, so that the plume has passed the farthest leg
)

// course plans a survey: legs across the mean wind, there and back.
func (c *country) course(g Gas, chance *numeric.Stream) *flight {
	p := c.places[g.Near]
	s, k := math.Sincos(2 * math.Pi * chance.Float64())
	east, north := p.east+g.MissM*s, p.north+g.MissM*k
	ws, wc := math.Sincos((c.fromDeg + 180) * geodesy.RadPerDegree) // where the wind goes
	f := &flight{speed: g.SpeedMPS}
	for i, d := range g.DistancesM {
		side := g.HalfLegM
		if i%2 == 1 {
			side = -side
		}
		h := g.HeightsM[i%len(g.HeightsM)]
		end := func(side float64) fix { return fix{east + d*ws + side*wc, north + d*wc - side*ws, h} }
		f.leg(end(-side), end(side))
	}
	return f
}

// source is one place that emits, with its puffs of 1 kg/s.
type source struct {
	place
	puffs *dispersion.Puffs
}

// sources are the emitting places within reach of a flight: gas from farther away is thin and wide, part of the background.
func (c *country) sources(f *flight, surface dispersion.Surface, chance *numeric.Stream) []source {
	const reachM = 1500
	var out []source
	for _, s := range c.Places {
		p := c.places[s.Name]
		if len(s.Emits) == 0 || distance(fix{p.east, p.north}, fix{f.turns[0][0], f.turns[0][1]}) > reachM {
			continue
		}
		out = append(out, c.emitting(p, surface, chance))
	}
	return out
}

func (c *country) emitting(p place, surface dispersion.Surface, chance *numeric.Stream) source {
	set := dispersion.PuffSettings{Sources: []dispersion.Source{{X: p.east, Y: p.north, Z: p.HeightM, RateKgS: 1}}, Surface: surface,
		SigmaV: c.Wind.SigmaV, SigmaW: c.Wind.SigmaW, TimescaleS: c.Wind.TimescaleS, Intermittency: c.Wind.Intermittency}
	return source{p, dispersion.NewPuffs(set, chance)}
}

// gasSurvey flies survey number i once a second.
func (c *country) gasSurvey(w io.Writer, i int, g Gas) error {
	air := numeric.NewStream(c.seed, blockGas+uint64(2*i))
	chance := numeric.NewStream(c.seed, blockGas+uint64(2*i)+1)
	f := c.course(g, chance)
	surface := dispersion.Surface{RoughnessM: c.Wind.RoughnessM}
	wind := newBreeze(c.Wind, c.fromDeg, air)
	return c.sniff(w, f, wind, c.sources(f, surface, air), newGasLog(c, g, chance), 1)
}

// sniff flies a course through what sources emit, and logs every so many seconds.
func (c *country) sniff(w io.Writer, f *flight, wind *breeze, sources []source, log *gasLog, every int) error {
	surface := dispersion.Surface{RoughnessM: c.Wind.RoughnessM}
	n := int(f.seconds()) + 1
	inlet := make([][]float64, 0, n) // what stands at the inlet, kg/m3, by channel
	for t := -settleS; t < n; t++ {
		now := wind.step(1)
		for _, s := range sources {
			s.puffs.Step(1, now)
		}
		if t < -int(inletS) {
			continue
		}
		at, _ := f.at(float64(t))
		inlet = append(inlet, c.mixture(sources, at))
		if t < 0 || t%every > 0 {
			continue
		}
		k := surface.WindRatio(at[2], windHeightM)
		log.row(float64(t), at, k*now.U, k*now.V, inlet[t])
	}
	return gas.Write(w, log.survey)
}

// mixture is what the air holds of each channel above the background, kg/m3.
func (c *country) mixture(sources []source, at fix) []float64 {
	out := make([]float64, len(c.Instrument))
	for _, s := range sources {
		perRate := s.puffs.At(at[0], at[1], at[2])
		for k, ch := range c.Instrument {
			out[k] += s.Emits[ch.Name] / 1000 * perRate
		}
	}
	return out
}

// gasLog turns air into rows, with everything that instruments do to it.
type gasLog struct {
	c                      *country
	chance                 *numeric.Stream
	survey                 *gas.Survey
	drift                  []wander
	held                   []float64 // what the instrument shows, kg/m3
	eddyU, eddyV           wander
	turnSin, turnCos, gain float64
	density                []float64 // kg/m3 of one ppb
}

func newGasLog(c *country, g Gas, chance *numeric.Stream) *gasLog {
	s := gas.New(g.File)
	s.Start, s.Sensor, s.RoughnessM, s.AveragingTimeS = g.At, g.Sensor, c.Wind.RoughnessM, 1
	s.Other = []gas.Meta{{Key: "note", Value: "SYNTHETIC: made by a simulator; no such place, person or flight exists"}}
	l := &gasLog{c: c, chance: chance, survey: s, held: make([]float64, len(c.Instrument)),
		eddyU: wander{sigma: eddySigma, timescale: eddyS}, eddyV: wander{sigma: eddySigma, timescale: eddyS}}
	l.turnSin, l.turnCos = math.Sincos(windTurnDeg * geodesy.RadPerDegree * chance.Normal())
	l.gain = math.Exp(windGain * chance.Normal())
	state := dispersion.Air{TemperatureK: c.Air.TemperatureC + 273.15, PressurePa: c.Air.PressureHPa * 100}
	for _, ch := range c.Instrument {
		d := wander{sigma: driftShare, timescale: driftS}
		d.begin(chance)
		l.drift = append(l.drift, d)
		l.density = append(l.density, 1e-3*state.MassPerPPM(ch.MolarMass))
		s.Compounds = append(s.Compounds, gas.Compound{Name: ch.Name, Unit: gas.PPB, MolarMass: ch.MolarMass, CAS: []string{ch.CAS}})
	}
	return l
}

// row logs one second: t seconds after the start, at a place, in the wind (u, v) there, with mixture at the inlet a moment ago.
func (l *gasLog) row(t float64, at fix, u, v float64, mixture []float64) {
	s, n := l.survey, l.chance.Normal
	p := l.c.latLon(at[0]+positionSigma*n(), at[1]+positionSigma*n())
	s.T = append(s.T, t)
	s.At.Lat, s.At.Lon = append(s.At.Lat, round(p.Lat, 7)), append(s.At.Lon, round(p.Lon, 7))
	s.At.Z = append(s.At.Z, round(at[2]+heightSigma*n(), 1))
	u, v = u+l.eddyU.step(1, l.chance), v+l.eddyV.step(1, l.chance)
	u, v = l.gain*(u*l.turnCos-v*l.turnSin), l.gain*(u*l.turnSin+v*l.turnCos)
	s.U, s.V = append(s.U, round(u+windNoise*n(), 2)), append(s.V, round(v+windNoise*n(), 2))
	s.WindHeightM = append(s.WindHeightM, round(at[2], 1))
	s.TemperatureC, s.PressureHPa = append(s.TemperatureC, l.c.Air.TemperatureC), append(s.PressureHPa, l.c.Air.PressureHPa)
	k := 1 - math.Exp(-1/responseS)
	for i, ch := range l.c.Instrument {
		l.held[i] += k * (mixture[i] - l.held[i])
		excess := l.held[i] / l.density[i]
		value := ch.BackgroundPPB*max(1+l.drift[i].step(1, l.chance), 0) + excess + math.Hypot(ch.NoisePPB, gainNoise*excess)*n()
		limit, c := limitSigmas*ch.NoisePPB, &s.Compounds[i]
		below := value < limit
		if below {
			value = limit
		}
		sd := math.Hypot(ch.NoisePPB, gainNoise*value) // as the instrument judges by what it shows
		c.Value, c.SD = append(c.Value, round(value, 3)), append(c.SD, round(sd, 3))
		c.LOD, c.Below = append(c.LOD, round(limit, 3)), append(c.Below, below)
	}
}

// round keeps a number to that many decimals, as instruments log it.
func round(v float64, decimals int) float64 {
	k := math.Pow10(decimals)
	return math.Round(v*k) / k
}
