package simulate

import (
	"math"
	"time"

	"github.com/atalaya-isr/atalaya/numeric"
)

// A glance is one footprint of one flight, as it truly was.
type glance struct {
	ring     []spot
	from, to time.Time
	// clear is the share of its ground that no cloud hid; 1 below the clouds.
	clear float64
	// share of the best that its geometry gives: 1 for a stare, less for a passage.
	share float64
	// turned is by how much the wind of a gas survey differed from the plan, radians, and axis the direction that its legs were laid for.
	turned, axis float64
	centre       spot
	wind         breath
	// path of an aircraft that listens.
	path [2]spot
}

func (g *glance) middle() time.Time { return g.from.Add(g.to.Sub(g.from) / 2) }

// holds reports whether a place lies within the footprint.
func (g *glance) holds(p spot) bool {
	in := false
	for i := range g.ring {
		a, b := g.ring[i], g.ring[(i+1)%len(g.ring)]
		if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < (b[0]-a[0])*(p[1]-a[1])/(b[1]-a[1])+a[0] {
			in = !in
		}
	}
	return in
}

// km2 of the footprint, by the shoelace formula.
func (g *glance) km2() float64 {
	sum := 0.0
	for i := range g.ring {
		a, b := g.ring[i], g.ring[(i+1)%len(g.ring)]
		sum += a[0]*b[1] - b[0]*a[1]
	}
	return math.Abs(sum) / 2e6
}

// box is what holds the ring: least and most.
func (g *glance) box() (least, most spot) {
	least, most = g.ring[0], g.ring[0]
	for _, p := range g.ring {
		least, most = spot{min(least[0], p[0]), min(least[1], p[1])}, spot{max(most[0], p[0]), max(most[1], p[1])}
	}
	return least, most
}

// Ranges of sensors, metres.
const (
	gasReachM    = 1400  // upwind of the legs, where a plume is still told from the background
	listenReachM = 130e3 // at which a set is heard half as often
)

// quality is the share of its best chance that a sense has at a place in a glance: an assumption a sense, all of them known after the flight.
func (w *world) quality(s sense, g *glance, p spot, hill float64) float64 {
	night := w.weather.night(g.middle())
	q := g.share
	switch s {
	case senseGas:
		switch v := g.wind.speed; {
		case v < weakMPS:
			q *= 0.6
		case v < 2.5:
			q *= 0.9
		case v > 8:
			q *= 0.7
		}
		up := -((p[0]-g.centre[0])*math.Sin(g.axis) + (p[1]-g.centre[1])*math.Cos(g.axis)) // metres upwind of the middle
		q *= math.Max(0.2, 1-math.Abs(g.turned)/2) * (1 - 0.4*ramp(up, 0.3*gasReachM, gasReachM))
	case senseSpectral:
		q *= g.clear * (1 - 0.35*ramp(g.wind.speed, 3, 9))
		if night {
			q *= 0.45
		}
	case senseThermal:
		q *= g.clear
		if !night {
			q *= 0.7
		}
	case senseVideo:
		q *= g.clear * (1 - 0.3*hill)
		if night {
			q *= 0.75
		}
	case senseMover:
		q *= 1 - 0.35*hill
	case senseSignal:
		r := p.to(footOn(g.path, p)) / listenReachM
		q *= (1 - 0.25*hill) / (1 + r*r)
	}
	return q
}

// averages are, by sense and local hour, the chance that a site that is there is noticed by a look of the best quality, its hours of rest
// included: the mean over sites as the scenario draws them, not over those that it drew.
type averages [senses][24]float64

// Sites that averages are taken over: so many campaigns of so many.
const (
	averageCampaigns = 12
	averageSites     = 50
)

func averagesOf(s *RegionScenario, chance *numeric.Stream) (a averages) {
	var n [24]float64
	first := localHour(s, 0)
	for range averageCampaigns {
		draw := newNatures(s, chance)
		for range averageSites {
			v := draw.site()
			for h := range draw.hours {
				local := (first + h) % 24
				n[local]++
				for i := range senses {
					a[i][local] += v.chance[i] * v.active(i, h)
				}
			}
		}
	}
	for i := range a {
		for h := range a[i] {
			a[i][h] /= math.Max(n[h], 1)
		}
	}
	return a
}

// localHour is the hour of the local clock in which hour h of the campaign begins.
func localHour(s *RegionScenario, h int) int {
	from := float64(s.From.UTC().Hour()) + s.UTCOffsetH
	return int(math.Mod(math.Mod(from+float64(h), 24)+24, 24))
}

// stated is the probability of detection that a glance's sheet states: what a site somewhere in it, where sites like to be, is noticed with.
func (w *world) stated(s sense, g *glance) float64 {
	least, most := g.box()
	const n = 6
	sum, weight := 0.0, 0.0
	for i := range n {
		for k := range n {
			p := spot{least[0] + (most[0]-least[0])*(float64(i)+0.5)/n, least[1] + (most[1]-least[1])*(float64(k)+0.5)/n}
			if !g.holds(p) {
				continue
			}
			hill := w.land.hill(p)
			like := 0.2 + 0.8*hill
			sum, weight = sum+like*w.quality(s, g, p, hill), weight+like
		}
	}
	if weight == 0 {
		return 0
	}
	return sum / weight * w.average[s][localHour(&w.RegionScenario, w.hour(g.middle()))]
}
