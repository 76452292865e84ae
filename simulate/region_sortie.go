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

// A carried sensor: its sense, the word that names it, and the standard deviation along each axis of the shift that all its positions of one
// flight share, metres. Sensors of one group share the shift itself.
type carried struct {
	sense  sense
	sensor string
	biasM  float64
	group  string
}

// A class of platform. Speeds and heights are planning figures of a class, not those of any real aircraft.
type class struct {
	name, platform string
	carries        []carried
	speed, height  float64 // m/s, m above the ellipsoid
	pixelM         float64 // error of what is seen by its pixels
	firstH, lastH  float64 // local hours between which it takes off
	small          bool    // stays down in storms
	clockS         float64 // standard deviation of its recorder's clock
	positionM      float64 // of its own position, added to every shift
	late           float64 // 0 flies early in a campaign, 1 late: what sees wide ground comes before what looks closely
}

// classes of platforms, in the order in which a mix is dealt.
var classes = [...]class{
	{"gas-drone", "small drone with a gas sensor", []carried{{senseGas, "cims", 2, "gas"}}, 12, 60, 10, 6, 22, true, 0.5, 2, 0.95},
	{"male", "medium-altitude drone with a camera", []carried{{senseVideo, "electro-optical turret", 9, "turret"}, {senseThermal, "infrared turret", 9, "turret"}, {senseMover, "radar", 12, "radar"}}, 60, 5000, 10, 0, 24, false, 0.3, 3, 0.55},
	{"signals", "signals aircraft", []carried{{senseSignal, "direction finder", 450, "heading"}}, 150, 9000, 0, 0, 24, false, 0.2, 5, 0.2},
	{"high-altitude", "high-altitude imager", []carried{{senseThermal, "infrared imager", 22, "imager"}, {senseSpectral, "imaging spectrometer", 22, "imager"}}, 180, 19000, 35, 0, 24, false, 0.1, 3, 0.25},
	{"maritime", "maritime patrol aircraft", []carried{{senseMover, "radar", 25, "radar"}, {senseSpectral, "hydrocarbon sensor", 18, "spectral"}}, 130, 6000, 25, 0, 24, false, 0.2, 4, 0.3},
}

// sensor names what carries a sense.
func (c *class) sensor(s sense) string {
	for _, k := range c.carries {
		if k.sense == s {
			return k.sensor
		}
	}
	return senseNames[s]
}

func classNamed(name string) *class {
	for i := range classes {
		if classes[i].name == name {
			return &classes[i]
		}
	}
	return nil
}

func classNames() []string {
	var out []string
	for _, c := range classes {
		out = append(out, c.name)
	}
	return out
}

// deal gives each sortie its class: numbers by the mix (largest remainders), in an order by chance in which what sees wide ground tends to come first.
func (w *world) deal(chance *numeric.Stream) []*class {
	total := 0
	for i := range classes {
		total += w.Sorties.Mix[classes[i].name]
	}
	n := w.Sorties.Count
	type part struct {
		i    int
		rest float64
	}
	var out []*class
	var parts []part
	for i := range classes {
		exact := float64(n) * float64(w.Sorties.Mix[classes[i].name]) / float64(total)
		for range int(exact) {
			out = append(out, &classes[i])
		}
		parts = append(parts, part{i, exact - math.Floor(exact)})
	}
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(b.rest, a.rest) })
	for i := 0; len(out) < n; i++ {
		out = append(out, &classes[parts[i%len(parts)].i])
	}
	when := map[int]float64{}
	order := make([]int, n)
	for i := range order {
		order[i], when[i] = i, out[i].late+0.8*chance.Float64()
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(when[a], when[b]) })
	sorted := make([]*class, 0, n)
	for _, i := range order {
		sorted = append(sorted, out[i])
	}
	return sorted
}

// schedule says when what takes off: evenly over the campaign, at hours that suit the class, never more a week than allowed.
func (w *world) schedule() []RegionSortie {
	chance := numeric.NewStream(w.seed, blockRegionSchedule)
	dealt := w.deal(chance)
	n := len(dealt)
	span := w.To.Sub(w.From)
	out := make([]RegionSortie, 0, n)
	for i, c := range dealt {
		at := w.From.Add(time.Duration((float64(i) + 0.5 + 0.3*(2*chance.Float64()-1)) / float64(n) * float64(span)))
		local := c.firstH + (c.lastH-c.firstH)*chance.Float64()
		at = at.Add(time.Duration((local - w.weather.local(at)) * float64(time.Hour))).Truncate(time.Minute)
		if at.Before(w.From) {
			at = at.Add(24 * time.Hour)
		}
		if at.After(w.To.Add(-12 * time.Hour)) {
			at = at.Add(-24 * time.Hour)
		}
		s := RegionSortie{Class: c.name, When: atalaya.Span{From: at, To: at}}
		s.Platform = "SYNTHETIC " + c.platform
		s.Authority, s.HostConsent, s.Abroad = w.Sorties.Authority, w.Sorties.HostConsent, w.Sorties.HostConsent != ""
		switch {
		case c.small && w.weather.day(at).storm:
			s.Lost = "storm"
		case chance.Float64() < w.Sorties.Lost:
			s.Lost = "weather"
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b RegionSortie) int { return a.When.From.Compare(b.When.From) })
	for i := range out {
		if k := i - w.Sorties.MostAWeek; k >= 0 {
			if next := out[k].When.From.Add(7*24*time.Hour + time.Minute); out[i].When.From.Before(next) { // flown when the week allows
				out[i].When = atalaya.Span{From: next, To: next}
			}
		}
		if out[i].When.From.After(w.To.Add(-12 * time.Hour)) {
			out[i].Lost = "no place left in the week"
		}
		out[i].ID = atalaya.SortieID(fmt.Sprintf("S%02d", i+1))
	}
	return out
}

// fly plans and flies all sorties in the order of their time: each plan knows what the earlier ones found, and no truth.
func (w *world) fly() error {
	w.share = w.sharesOf()
	for i, s := range w.schedule() {
		c := classNamed(s.Class)
		plan := numeric.NewStream(w.seed, blockRegionSorties+uint64(2*i))
		chance := numeric.NewStream(w.seed, blockRegionSorties+uint64(2*i)+1)
		if s.Lost != "" {
			w.flown = append(w.flown, s)
			continue
		}
		looks := w.plan(&s, c, plan)
		w.sense(&s, c, looks, chance)
		w.flown = append(w.flown, s)
	}
	return nil
}

// sense makes the sheets of a flight.
func (w *world) sense(s *RegionSortie, c *class, looks []glance, chance *numeric.Stream) {
	clock := c.clockS * chance.Normal()
	shifts := map[string]spot{}
	for _, k := range c.carries {
		biasM := round(w.Errors.Shift*math.Hypot(k.biasM, c.positionM), 1)
		shift, ok := shifts[k.group]
		if !ok {
			shift = spot{biasM * chance.Normal(), biasM * chance.Normal()}
			shifts[k.group] = shift
		}
		o := &sheetOf{sense: k.sense, sortie: s, class: c, biasM: biasM, shift: shift, clockS: clock, looks: w.footprints(k.sense, c, looks)}
		if biasM > 0 {
			o.group = string(s.ID) + "-" + k.group
		}
		if len(o.looks) > 0 {
			w.sheet(o, chance)
		}
	}
}

// footprints of one sensor among those of the flight: the hydrocarbon sensor sees straight down only.
func (w *world) footprints(s sense, c *class, looks []glance) []glance {
	if c.name != "maritime" || s != senseSpectral {
		return looks
	}
	var out []glance
	for i, g := range looks {
		if i%3 == 1 {
			out = append(out, g)
		}
	}
	return out
}

// registerPermits makes the sheet of permits: what a registry has on file, at positions that are wrong by 10 to 300 m.
func (w *world) registerPermits() {
	chance := numeric.NewStream(w.seed, blockRegionPermits)
	s := detection.Sheet{Schema: detection.Schema, Kind: "permit", Sensor: "SYNTHETIC registry", Found: []detection.Found{}}
	add := func(p spot, says, id string) {
		m := lognormal(chance, 60, 0.8, 10, 300)
		e := smear{m, m, 0, false}
		east, north := e.draw(chance)
		q := shiftBy(w.land.latLon(p), east, north)
		if chance.Float64() < misfiled {
			says = fusionClasses[1+chance.IntN(len(fusionClasses)-1)]
		}
		f := detection.Found{Time: w.From, Lat: round(q.Lat, 6), Lon: round(q.Lon, 6), CovarianceM2: e.covariance(w.Errors.Stated), Likeness: permitLikeness(says), Note: "permit: " + says}
		s.Found = append(s.Found, f)
		w.seen = append(w.seen, clue{at: w.spotOf(q), kind: "permit", sigma: m, time: w.From})
		f.ID = id
	}
	order := make([]int, 0, len(w.places))
	for i := range w.places {
		if w.places[i].permit && w.places[i].group == "" {
			order = append(order, i)
		}
	}
	var causes []string
	for i := len(order) - 1; i > 0; i-- { // the registry's order says nothing of what a place is
		k := chance.IntN(i + 1)
		order[i], order[k] = order[k], order[i]
	}
	for _, i := range order {
		says := w.places[i].kind.class
		if says == "site" {
			says = [...]string{"industry", "farm"}[chance.IntN(2)]
		}
		add(w.places[i].at, says, "")
		causes = append(causes, w.places[i].id)
		if chance.Float64() < stalePermits { // and one for what is no longer there
			add(w.land.anywhere(chance), fusionClasses[1+chance.IntN(len(fusionClasses)-1)], "")
			causes = append(causes, "")
		}
	}
	for i := range s.Found {
		s.Found[i].ID = fmt.Sprintf("permit-%d", i+1)
		if causes[i] != "" {
			w.causes[s.Found[i].ID] = causes[i]
		}
	}
	w.sheets = append(w.sheets, s)
}

// What is wrong with a registry, shares of its permits.
const (
	misfiled     = 0.04 // under another class
	stalePermits = 0.06 // for places that are gone, on top
)

// permitLikeness is how probable what the permit names is for places of each class that hold one, beside all permits: the name is right but for
// misfiled; shares of the classes among permits are those of the kinds of this file.
func permitLikeness(says string) map[string]float64 {
	var total float64
	share := map[string]float64{}
	for i := range decoys {
		v := decoys[i].weight * decoys[i].permit
		share[decoys[i].class] += v
		total += v
	}
	out := map[string]float64{}
	stray := misfiled / float64(len(fusionClasses)-1)
	all := stray + (1-misfiled)*share[says]/total
	for _, c := range fusionClasses {
		p := stray
		switch {
		case c == says:
			p += 1 - misfiled
		case c == "site" && (says == "industry" || says == "farm"): // a front
			p += (1 - misfiled) / 2
		}
		out[c] = round(p/all, 3)
	}
	return out
}

// spotOf is the spot of a position.
func (w *world) spotOf(p geodesy.LatLon) spot {
	v := w.land.frame.GroundENU(p)
	return spot{v[0], v[1]}
}
