package simulate

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/numeric"
)

// How places of one kind differ from each other, and a kind from campaign to campaign: standard deviations of the logit of the chance of
// being noticed. A quiet site has quietLogit less of every sense.
const (
	placeSpread = 0.7
	kindSpread  = 0.3
	siteSpread  = 0.2 // of the sites of one campaign together
	quietLogit  = 1.6
)

// idle is what is left of the chance of being noticed when nothing works: walls stand, radios are heard between shifts.
var idle = [senses]float64{senseGas: 0.25, senseSpectral: 0.1, senseThermal: 0.2, senseVideo: 0.75, senseMover: 0.12, senseSignal: 0.4}

// closed is what is left once a site is given up.
const closedVideo = 0.3

// nature is what a place is like, wherever it lies.
type nature struct {
	kind          *placeKind
	chance        [senses]float64
	work, traffic []bool // by hour of the campaign
	emits         mixture
	rateGS        float64
	mark          [senses]shape
	quiet         bool
}

// active is the factor on the chance of being noticed in an hour of the campaign.
func (n *nature) active(s sense, hour int) float64 {
	on := n.work
	if s == senseMover {
		on = n.traffic
	}
	if hour < 0 || hour >= len(on) || !on[hour] {
		return idle[s]
	}
	return 1
}

// spotted is a place with its nature: a site, a decoy or a homestead.
type spotted struct {
	nature
	id       string
	group    string // the site that moves, for one of its stays
	at       spot
	hill     float64
	from, to time.Time // a site is there; a decoy always is
	permit   bool
}

// open reports whether it is there at t.
func (p *spotted) open(t time.Time) bool {
	return p.from.IsZero() || !t.Before(p.from) && t.Before(p.to)
}

// natures draws places of a campaign.
type natures struct {
	s      *RegionScenario
	hours  int
	shift  map[string][senses]float64 // of the logit, by kind
	chance *numeric.Stream
}

func newNatures(s *RegionScenario, chance *numeric.Stream) *natures {
	n := &natures{s: s, hours: int(math.Ceil(24 * s.days())), shift: map[string][senses]float64{}, chance: chance}
	draw := func(sigma float64) (v [senses]float64) {
		for i := range v {
			v[i] = sigma * chance.Normal()
		}
		return v
	}
	for i := range decoys {
		n.shift[decoys[i].name] = draw(kindSpread)
	}
	n.shift[homestead.name] = draw(kindSpread)
	n.shift[siteKind.name] = draw(siteSpread)
	return n
}

// noticed is the mean chance of a kind, as the scenario has it.
func (s *RegionScenario) noticed(k *placeKind, i sense) float64 {
	given := s.Decoys.Chances[k.name]
	if k == &siteKind {
		given = s.Sites.Chances
	}
	if v, ok := given[senseNames[i]]; ok {
		return v
	}
	return k.notice[i]
}

// chances draws how well one place of a kind is noticed.
func (n *natures) chances(k *placeKind, less float64) (c [senses]float64) {
	shift := n.shift[k.name]
	for i := range c {
		p := n.s.noticed(k, sense(i))
		if p <= 0 || p >= 1 {
			c[i] = p
			continue
		}
		c[i] = 1 / (1 + math.Exp(-(math.Log(p/(1-p)) + shift[i] + placeSpread*n.chance.Normal() - less)))
	}
	return c
}

// How one place's measures differ from those of its kind, standard deviations: of the logarithms of shares, and of features.
const (
	mixtureSpread = 0.8
	shapeSpread   = 0.6
)

// decoy draws a place of a kind.
func (n *natures) decoy(k *placeKind) nature {
	v := nature{kind: k, chance: n.chances(k, 0)}
	v.work = n.hoursOf(k.work)
	v.traffic = v.work
	if k.traffic != (rhythm{}) {
		v.traffic = n.hoursOf(k.traffic)
	}
	n.measures(&v, k.emits, k.rateGS)
	return v
}

func (n *natures) measures(v *nature, m mixture, rate float64) {
	for i := range m {
		v.emits[i] = m[i] * math.Exp(mixtureSpread*n.chance.Normal())
	}
	v.rateGS = rate * math.Exp(0.6*n.chance.Normal())
	for i := range v.mark {
		for k := range v.mark[i] {
			v.mark[i][k] = v.kind.shapes[i][k] + shapeSpread*n.chance.Normal()
		}
	}
}

// site draws a site: half of them work at night, three in ten by day, the others round the clock, for some days and then not for some;
// vehicles come at night to most.
func (n *natures) site() nature {
	v := nature{kind: &siteKind, quiet: n.chance.Float64() < n.s.Sites.QuietShare}
	less := 0.0
	if v.quiet {
		less = quietLogit
	}
	v.chance = n.chances(&siteKind, less)
	w := rhythm{from: 18, to: 7, inside: 0.9, out: 0.25, hold: 6, onDays: 3 + 5*n.chance.Float64(), offDs: 0.6 + 1.2*n.chance.Float64()}
	switch u := n.chance.Float64(); {
	case u < 0.3:
		w.from, w.to = 6, 20
	case u < 0.5:
		w.from, w.to, w.inside = 0, 24, 0.8
	}
	v.work = n.hoursOf(w)
	t := rhythm{from: 20, to: 5, inside: 0.7, out: 0.2, hold: 3}
	if n.chance.Float64() < 0.3 {
		t.from, t.to = 5, 20
	}
	v.traffic = n.hoursOf(t)
	n.measures(&v, recipes[n.chance.IntN(len(recipes))], n.s.Sites.EmitsGS)
	return v
}

// hoursOf casts the hours of a campaign in which a rhythm works.
func (n *natures) hoursOf(r rhythm) []bool {
	out := make([]bool, n.hours)
	begin := n.s.From.UTC().Add(time.Duration(n.s.UTCOffsetH * float64(time.Hour))) // the local clock
	local, today := float64(begin.Hour()), begin.Weekday()
	on, left := true, 0.0
	if r.onDays > 0 {
		on = n.chance.Float64() < r.onDays/(r.onDays+r.offDs)
	}
	held, until, late := false, 0, 2*n.chance.Float64()-1
	wasIn := false
	for h := range out {
		if r.onDays > 0 && left <= 0 {
			if h > 0 {
				on = !on
			}
			mean := r.offDs
			if on {
				mean = r.onDays
			}
			left = 24 * math.Max(0.3, mean*(0.5+0.5*n.chance.Exp()))
		}
		left--
		in := window(local-late, r.from, r.to)
		if h >= until || in != wasIn {
			p := r.out
			if in {
				p = r.inside
			}
			held, until = n.chance.Float64() < p, h+max(r.hold, 1)
		}
		wasIn = in
		rests := r.weekdays && (today == time.Saturday || today == time.Sunday)
		out[h] = on && held && !rests
		if local++; local >= 24 {
			local, today = local-24, (today+1)%7
		}
	}
	return out
}

// window reports whether a local hour lies in from..to, which may run over midnight.
func window(h, from, to float64) bool {
	if h < 0 {
		h += 24
	} else if h >= 24 {
		h -= 24
	}
	if from <= to {
		return h >= from && h < to
	}
	return h >= from || h < to
}

// settlers put places on the land.
type settlers struct {
	land   *land
	chance *numeric.Stream
	along  func() (spot, float64)
	roads  func() (spot, float64)
	water  func() (spot, float64)
	put    []spot
	sites  []spot
}

func newSettlers(l *land, chance *numeric.Stream) *settlers {
	return &settlers{land: l, chance: chance, along: l.ways.along(chance), roads: newNear(l.half, l.roads).along(chance), water: l.wet.along(chance)}
}

const placeTries = 4000

// find draws places until one is liked: accept gives the chance that a place is taken.
func (s *settlers) find(apart float64, draw func() spot, accept func(spot) float64) (spot, bool) {
	for range placeTries {
		p := draw()
		if !s.land.dry(p) || s.chance.Float64() >= accept(p) || slices.ContainsFunc(s.put, func(q spot) bool { return q.to(p) < apart }) {
			continue
		}
		s.put = append(s.put, p)
		return p, true
	}
	return spot{}, false
}

// beside is a place at the side of a way, a lognormal distance from it, metres.
func (s *settlers) beside(way func() (spot, float64), median float64) spot {
	p, rad := way()
	side := math.Pi / 2
	if s.chance.Float64() < 0.5 {
		side = -side
	}
	return p.step(rad+side, median*math.Exp(0.7*s.chance.Normal()))
}

func (s *settlers) beyond(town *town, least, most float64) spot {
	return town.at.step(2*math.Pi*s.chance.Float64(), town.RadiusM+least+(most-least)*s.chance.Float64())
}

// anyTown draws a town by its people.
func (s *settlers) anyTown() *town {
	total := 0.0
	for i := range s.land.towns {
		total += math.Pow(float64(s.land.towns[i].People), 0.7)
	}
	u := s.chance.Float64() * total
	for i := range s.land.towns {
		if u -= math.Pow(float64(s.land.towns[i].People), 0.7); u < 0 {
			return &s.land.towns[i]
		}
	}
	return &s.land.towns[len(s.land.towns)-1]
}

func one(spot) float64 { return 1 }

// settle finds a place for one of a kind.
func (s *settlers) settle(where setting) (spot, bool) {
	l := s.land
	switch where {
	case inTown:
		return s.find(60, func() spot {
			t := s.anyTown()
			return t.at.step(2*math.Pi*s.chance.Float64(), t.RadiusM*math.Sqrt(s.chance.Float64()))
		}, one)
	case townEdge:
		return s.find(150, func() spot { return s.beyond(s.anyTown(), -200, 2000) }, one)
	case atRoad:
		return s.find(300, func() spot { return s.beside(s.roads, 90) }, one)
	case onPlain:
		return s.find(400, func() spot { return s.beside(s.along, 220) }, func(p spot) float64 {
			if l.inTown(p, 1) != nil {
				return 0
			}
			return 1 - 0.8*l.hill(p)
		})
	case inHills:
		return s.find(400, func() spot { return s.beside(s.along, 180) }, func(p spot) float64 {
			if l.inTown(p, 1) != nil {
				return 0
			}
			return 0.05 + 0.95*l.hill(p)
		})
	case onTop:
		return s.find(2000, func() spot { return l.anywhere(s.chance) }, func(p spot) float64 { return l.height(p) / (l.ReliefM + 1) })
	case atWater:
		return s.find(400, func() spot { return s.beside(s.water, 120) }, one)
	}
	return s.find(sitesApartM, s.siteDraw, l.siteLikes)
}

// The law by which sites lie. A spot is drawn at a track or road (85 of 100; a lognormal distance of 200 m from it) or up to 2.5 km from one,
// and taken with the product of: nothing within 1.5 km of a town's edge and beyond 18 km, rising and falling between 2.5 and 13 km; 1
// within 400 m of water, falling to 0.25 at 1.5 km; 0.2 on plains, 1 in hills; 0.35 at through roads, 1 farther from them than 800 m. It is
// no log-linear law: ramps, a mixture of two draws, and a distance between sites.
const sitesApartM = 2500

func (s *settlers) siteDraw() spot {
	if s.chance.Float64() < 0.85 {
		return s.beside(s.along, 200)
	}
	p, _ := s.along()
	return p.step(2*math.Pi*s.chance.Float64(), 2500*s.chance.Float64())
}

func (l *land) siteLikes(p spot) float64 {
	_, town := l.nearestTown(p)
	near := ramp(town, 1500, 2500) * (1 - ramp(town, 13e3, 18e3))
	water := 1 - 0.75*ramp(l.wet.distance(p, 1600), 400, 1500)
	return near * water * (0.2 + 0.8*l.hill(p)) * (0.35 + 0.65*ramp(l.fromRoad(p), 200, 800))
}

// ramp rises from 0 at a to 1 at b.
func ramp(v, a, b float64) float64 { return math.Min(1, math.Max(0, (v-a)/(b-a))) }

// stays are when and where one site works: once, or at one place after the other.
func (w *world) stays(i int, s *settlers, n *natures) error {
	from, to := w.From, w.To
	span := to.Sub(from)
	part := func(share float64) time.Time {
		return from.Add(time.Duration(share * float64(span))).Truncate(time.Hour)
	}
	group := fmt.Sprintf("site-%d", i+1)
	lay := func(id, group string, from, to time.Time, v nature) error {
		at, ok := s.settle(siteGround)
		if !ok {
			return scenarioError("sites.count", "Make the country larger or give it more tracks", "no room for %d sites", w.Sites.Count)
		}
		p := spotted{nature: v, id: id, group: group, at: at, hill: w.land.hill(at), from: from, to: to, permit: s.chance.Float64() < w.Sites.FrontShare}
		w.places = append(w.places, p)
		return nil
	}
	v := n.site()
	if m := w.Sites.MovesDays; m[1] > 0 {
		begin := from.Add(-time.Duration(m[0] * s.chance.Float64() * 24 * float64(time.Hour))).Truncate(time.Hour)
		for k := 1; begin.Before(to); k++ {
			stay := time.Duration((m[0] + (m[1]-m[0])*s.chance.Float64()) * 24 * float64(time.Hour)).Truncate(time.Hour)
			if err := lay(fmt.Sprintf("%s.%d", group, k), group, begin, begin.Add(stay), v); err != nil {
				return err
			}
			begin = begin.Add(stay + 12*time.Hour)
		}
		return nil
	}
	begin, end := from, to
	switch u := s.chance.Float64(); {
	case u < w.Sites.Opens:
		begin = part(0.15 + 0.5*s.chance.Float64())
	case u < w.Sites.Opens+w.Sites.Closes:
		end = part(0.35 + 0.5*s.chance.Float64())
	}
	return lay(group, "", begin, end, v)
}

// peopleTheLand puts sites, decoys and homesteads where they lie.
func (w *world) peopleTheLand() error {
	chance := numeric.NewStream(w.seed, blockRegionPlaces)
	n := newNatures(&w.RegionScenario, chance)
	s := newSettlers(w.land, chance)
	for i := range w.Sites.Count {
		if err := w.stays(i, s, n); err != nil {
			return err
		}
	}
	w.sites = len(w.places)
	for i := range w.Decoys.Count {
		k := w.anyKind(chance)
		at, ok := s.settle(k.where)
		if !ok {
			return scenarioError("decoys.count", "Make the country larger", "no room for decoy %d, a %s", i+1, k.name)
		}
		p := spotted{nature: n.decoy(k), id: fmt.Sprintf("decoy-%d", i+1), at: at, hill: w.land.hill(at), permit: chance.Float64() < k.permit}
		w.places = append(w.places, p)
	}
	s.put = nil
	for i := range poisson(chance, w.HomesteadsPerKm2*w.km2()) {
		if at, ok := s.settle(onPlain); ok {
			w.places = append(w.places, spotted{nature: n.decoy(&homestead), id: fmt.Sprintf("homestead-%d", i+1), at: at, hill: w.land.hill(at)})
		}
		s.put = nil // they may lie anywhere
	}
	return nil
}

// anyKind draws a kind of decoy by the mix.
func (w *world) anyKind(chance *numeric.Stream) *placeKind {
	u := chance.Float64() * w.weights()
	for i := range decoys {
		if u -= w.weight(&decoys[i]); u < 0 {
			return &decoys[i]
		}
	}
	return &decoys[0]
}

// poisson draws a number of that mean: deviates of mean 1 that fit into it.
func poisson(chance *numeric.Stream, mean float64) int {
	n := 0
	for t := chance.Exp(); t < mean; t += chance.Exp() {
		n++
	}
	return n
}

// shiftBy moves a place by metres east and north of itself.
func shiftBy(p geodesy.LatLon, east, north float64) geodesy.LatLon {
	return geodesy.NewFrame(geodesy.LatLonHeight{Lat: p.Lat, Lon: p.Lon}).GroundFromENU(east, north)
}
