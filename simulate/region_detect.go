package simulate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/sense/detection"
)

// clutter is, by sense, how many detections a km² have no cause, where a scenario says nothing.
var clutter = [senses]float64{senseGas: 0.004, senseSpectral: 0.0015, senseThermal: 0.006, senseVideo: 0.008, senseMover: 0.012, senseSignal: 0.004}

func (s *RegionScenario) clutter(i sense) float64 {
	if v, ok := s.ClutterPerKm2[senseNames[i]]; ok {
		return v
	}
	return clutter[i]
}

// unnamedThing is the cause of a detection of something in the world that no place of the truth made.
const unnamedThing = "thing"

// instrumentShare of clutter is nothing in the world; the rest are things that no place of the truth made: a parked car, a bonfire.
const instrumentShare = 0.5

// sharesOf gives, by sense, the share of detections that are things in the world: what an analyst expects before a look at one.
func (w *world) sharesOf() (out [senses]float64) {
	total, area := math.Max(w.weights(), 1e-12), w.km2()
	for s := range out {
		density := homestead.notice[s] * 0.5 * w.HomesteadsPerKm2
		for i := range decoys {
			density += w.weight(&decoys[i]) / total * float64(w.Decoys.Count) / area * 0.5 * w.noticed(&decoys[i], sense(s))
		}
		c := w.clutter(sense(s))
		out[s] = (density + (1-instrumentShare)*c) / math.Max(density+c, 1e-12)
	}
	return out
}

// doubtful are the senses whose analysts say how sure they are that a thing is none of the instrument's.
var doubtful = [senses]bool{senseThermal: true, senseVideo: true, senseMover: true}

// conviction is how far, in standard deviations, the analyst's impression of a thing lies from that of an error.
const conviction = 1.4

// surety is the analyst's probability that it is real: by Bayes' rule from an impression that is normal around 0 for errors and around
// conviction for things.
func (w *world) surety(s sense, real bool, chance *numeric.Stream) *float64 {
	if !doubtful[s] {
		return nil
	}
	x := chance.Normal()
	if real {
		x += conviction
	}
	p := w.share[s]
	odds := p / math.Max(1-p, 1e-9) * math.Exp(conviction*x-conviction*conviction/2)
	v := round(math.Min(0.99, math.Max(0.02, odds/(1+odds))), 2)
	return &v
}

// smear is how a position errs: standard deviations along an azimuth and across it, metres, normal or with Student's t of five degrees of
// freedom, scaled to them, which holds 90.2 % in its 90 % ellipse and 97.0 % in that of 99 %.
type smear struct {
	major, minor, azimuthDeg float64
	heavy                    bool
}

// heavyDegrees are the degrees of freedom of a heavy tail.
const heavyDegrees = 5

// draw is one error, metres east and north.
func (m smear) draw(chance *numeric.Stream) (east, north float64) {
	a, b := m.major*chance.Normal(), m.minor*chance.Normal()
	if m.heavy {
		chi := 0.0
		for range heavyDegrees {
			z := chance.Normal()
			chi += z * z
		}
		k := math.Sqrt((heavyDegrees - 2) / chi) // t = z·√(ν/χ²) has variance ν/(ν-2)
		a, b = a*k, b*k
	}
	s, c := math.Sincos(m.azimuthDeg * geodesy.RadPerDegree)
	return a*s + b*c, a*c - b*s
}

// covariance of the smear, times a factor on the standard deviations.
func (m smear) covariance(factor float64) [2][2]float64 {
	s, c := math.Sincos(m.azimuthDeg * geodesy.RadPerDegree)
	a, b := factor*factor*m.major*m.major, factor*factor*m.minor*m.minor
	en := round((a-b)*s*c, 1)
	return [2][2]float64{{round(a*s*s+b*c*c, 1), en}, {en, round(a*c*c+b*s*s, 1)}}
}

// lognormal draws around a median, within bounds.
func lognormal(chance *numeric.Stream, median, sigma, least, most float64) float64 {
	return math.Min(most, math.Max(least, median*math.Exp(sigma*chance.Normal())))
}

// smearOf draws how well one detection is placed.
func (w *world) smearOf(s sense, c *class, g *glance, p spot, chance *numeric.Stream) smear {
	switch s {
	case senseGas:
		m := smear{azimuthDeg: g.wind.fromRad / geodesy.RadPerDegree, heavy: true}
		m.minor = lognormal(chance, 14, 0.6, 5, 60)
		if g.wind.speed < weakMPS {
			m.minor = lognormal(chance, 70, 0.6, 20, 300)
		}
		m.major = math.Min(m.minor*(1+0.8*chance.Float64()), 300)
		return m
	case senseSpectral: // the plume is seen, its origin told at its upwind end
		b := lognormal(chance, 35, 0.4, 15, 120)
		return smear{b * (1 + chance.Float64()), b, g.wind.fromRad / geodesy.RadPerDegree, true}
	case senseMover: // across the beam far worse than along it
		v := g.path[0].heading(p)
		return smear{lognormal(chance, 70, 0.4, 25, 200), lognormal(chance, 14, 0.3, 6, 40), v/geodesy.RadPerDegree + 90, false}
	case senseSignal: // the longer the listening and the wider its base, the rounder
		r := p.to(footOn(g.path, p))
		b := lognormal(chance, 300+0.008*r, 0.4, 300, 3000)
		return smear{math.Min(10e3, b*lognormal(chance, 2, 0.5, 1, 6)), b, footOn(g.path, p).heading(p) / geodesy.RadPerDegree, false}
	}
	b := lognormal(chance, c.pixelM, 0.4, 0.4*c.pixelM, 3*c.pixelM)
	return smear{b * (1 + 0.5*chance.Float64()), b, 180 * chance.Float64(), false}
}

// A sheetOf collects what one sense made of one flight.
type sheetOf struct {
	sense   sense
	sortie  *RegionSortie
	class   *class
	looks   []glance
	biasM   float64
	group   string
	shift   spot    // the true one
	clockS  float64 // of the recorder
	found   []foundOf
	statedP []float64
}

// foundOf is a detection with its cause, "" for none, and where that truly is.
type foundOf struct {
	detection.Found
	cause string
	at    spot
}

// sheet makes one.
func (w *world) sheet(o *sheetOf, chance *numeric.Stream) {
	o.statedP = make([]float64, len(o.looks))
	for i := range o.looks {
		o.statedP[i] = round(w.stated(o.sense, &o.looks[i]), 4)
	}
	w.noticePlaces(o, chance)
	w.noticeClutter(o, chance)
	w.keep(o)
}

// noticePlaces casts for each place, once a sheet: by the best of the looks that hold it.
func (w *world) noticePlaces(o *sheetOf, chance *numeric.Stream) {
	type bounds struct{ least, most spot }
	boxes := make([]bounds, len(o.looks))
	for i := range o.looks {
		boxes[i].least, boxes[i].most = o.looks[i].box()
	}
	for i := range w.places {
		p := &w.places[i]
		best, look := 0.0, -1
		for k := range o.looks {
			if b := boxes[k]; p.at[0] < b.least[0] || p.at[0] > b.most[0] || p.at[1] < b.least[1] || p.at[1] > b.most[1] || !o.looks[k].holds(p.at) {
				continue
			}
			if q := w.quality(o.sense, &o.looks[k], p.at, p.hill); q > best {
				best, look = q, k
			}
		}
		if look < 0 {
			continue
		}
		g := &o.looks[look]
		at := g.from.Add(time.Duration(chance.Float64() * float64(g.to.Sub(g.from))))
		chanceOf := best * p.chance[o.sense]
		if p.open(at) {
			chanceOf *= p.active(o.sense, w.hour(g.middle()))
		} else if o.sense == senseVideo && !at.Before(p.to) {
			chanceOf *= closedVideo
		} else {
			continue
		}
		if chance.Float64() < chanceOf {
			o.found = append(o.found, foundOf{w.measure(o, look, at, p.at, p.emits, p.mark[o.sense], p.rateGS, true, chance), p.id, p.at})
		}
	}
}

// noticeClutter casts what no place caused: six in ten beside roads and tracks, where there are any, the rest anywhere in a footprint.
func (w *world) noticeClutter(o *sheetOf, chance *numeric.Stream) {
	for k := range o.looks {
		g := &o.looks[k]
		least, most := g.box()
		for range poisson(chance, w.clutter(o.sense)*g.km2()*math.Max(0.3, g.clear)) {
			p := least
			for try := 0; try < 100 && (try == 0 || !g.holds(p)); try++ {
				p = spot{least[0] + (most[0]-least[0])*chance.Float64(), least[1] + (most[1]-least[1])*chance.Float64()}
			}
			if chance.Float64() < 0.6 {
				if q, ok := w.land.ways.foot(p, 2500); ok {
					p = q.step(2*math.Pi*chance.Float64(), 150*math.Abs(chance.Normal()))
				}
			}
			at := g.from.Add(time.Duration(chance.Float64() * float64(g.to.Sub(g.from))))
			emits, mark := clutterLooks(chance)
			real := chance.Float64() >= instrumentShare
			cause := ""
			if real {
				cause = unnamedThing
			}
			f := w.measure(o, k, at, p, emits, mark[o.sense], 0.5*math.Exp(chance.Normal()), real, chance)
			o.found = append(o.found, foundOf{f, cause, p})
		}
	}
}

// measure is what the sensor says of one thing.
func (w *world) measure(o *sheetOf, look int, at time.Time, p spot, emits mixture, mark shape, rateGS float64, real bool, chance *numeric.Stream) detection.Found {
	g := &o.looks[look]
	m := w.smearOf(o.sense, o.class, g, p, chance)
	east, north := m.draw(chance)
	q := shiftBy(w.land.latLon(p), east+o.shift[0], north+o.shift[1])
	noise := measureNoise[o.sense]
	weak := o.sense == senseGas && g.wind.speed < weakMPS
	sharpness := 1.0
	if weak {
		noise, sharpness = noise*weakNoise, 1.3
	}
	f := detection.Found{Time: at.Add(time.Duration(o.clockS * float64(time.Second))).Round(100 * time.Millisecond).UTC(),
		Lat: round(q.Lat, 6), Lon: round(q.Lon, 6), CovarianceM2: m.covariance(w.Errors.Stated), PD: o.statedP[look], Real: w.surety(o.sense, real, chance)}
	weight := even
	if o.sense == senseMover {
		weight = atHour(w.weather.local(at))
	}
	f.Likeness = w.readers[o.sense].likeness(features(o.sense, &emits, &mark, noise, chance), sharpness, weight)
	w.describe(o.sense, &f, emits, rateGS, weak, chance)
	return f
}

// rateSpread is the standard deviation of the logarithm of an estimated rate; its interval is honest.
const rateSpread = 0.35

// describe adds what a reader of the sheet sees, and for gas its rates.
func (w *world) describe(s sense, f *detection.Found, emits mixture, rateGS float64, weak bool, chance *numeric.Stream) {
	order := []int{}
	sum := 0.0
	for i, v := range emits {
		order, sum = append(order, i), sum+v
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(emits[b], emits[a]) })
	switch s {
	case senseGas:
		f.RateKgS = map[string]atalaya.Interval{}
		spread := rateSpread
		if weak {
			spread *= weakNoise
		}
		e := math.Exp(spread * chance.Normal()) // the plume's strength is in doubt, all compounds share it
		for _, i := range order[:3] {
			if v := rateGS / 1000 * emits[i] / math.Max(sum, 1e-9) * e; v > 1e-7 {
				k := math.Exp(1.645 * spread)
				f.RateKgS[compounds[i]] = atalaya.Interval{Mean: digits(v * math.Exp(spread*spread/2)), P05: digits(v / k), P50: digits(v), P95: digits(v * k)}
			}
		}
		f.Note = "gas: " + compounds[order[0]] + ", " + compounds[order[1]]
	case senseSpectral:
		f.Note = "plume: " + [...]string{"solvents", "ammonia", "fuel gas", "smoke"}[bands[order[0]]]
	case senseThermal:
		f.Note = "hot spot"
	case senseVideo:
		f.Note = "call-out"
	case senseMover:
		f.Note = "stop"
		if f.Likeness["traffic"] < 1 {
			f.Note = "turn-around"
		}
		if w.weather.night(f.Time) {
			f.Note += " at night"
		}
	case senseSignal:
		f.Note = "emitter fix"
	}
}

// digits keeps three significant digits.
func digits(v float64) float64 {
	if v == 0 {
		return 0
	}
	return round(v, 2-int(math.Floor(math.Log10(math.Abs(v)))))
}

// keep puts a sheet among the others: detections in the order of their time, so that their names say nothing of their cause.
func (w *world) keep(o *sheetOf) {
	slices.SortStableFunc(o.found, func(a, b foundOf) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Lat, b.Lat), cmp.Compare(a.Lon, b.Lon))
	})
	name := senseNames[o.sense]
	s := detection.Sheet{Schema: detection.Schema, Kind: name, Sensor: "SYNTHETIC " + o.class.sensor(o.sense), Sortie: o.sortie.ID, BiasM: o.biasM, BiasGroup: o.group, Found: []detection.Found{}}
	for i := range o.looks {
		l := detection.Look{When: atalaya.Span{From: o.looks[i].from.UTC(), To: o.looks[i].to.UTC()}, PD: o.statedP[i]}
		for _, p := range o.looks[i].ring {
			l.Ring = append(l.Ring, w.land.latLon(p))
		}
		s.Looks = append(s.Looks, l)
	}
	for i := range o.found {
		f := &o.found[i]
		f.ID = fmt.Sprintf("%s-%s-%d", o.sortie.ID, name, i+1)
		s.Found = append(s.Found, f.Found)
		if f.cause != "" {
			w.causes[f.ID] = f.cause
		}
		w.learnOf(o, f)
	}
	w.sheets = append(w.sheets, s)
	w.looked = append(w.looked, *o)
}
