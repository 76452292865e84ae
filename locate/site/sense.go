package site

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/detection"
)

// What else a place may be than a site, for short in Evidence.Others and in permits. Each has a density; they do not exclude a site.
const (
	Industry = "industry" // paint shops, plants, refineries: solvents, heat, traffic
	Farm     = "farm"
	Fire     = "fire"     // of fields, rubbish, woods
	Traffic  = "traffic"  // yards, quarries, camps: vehicles come and go
	Radio    = "radio"    // masts and boats with sets
	Dwelling = "dwelling" // houses and ranches by themselves: a hearth, a car, now and then a set
)

// Class is a kind of place that is no site, and how many of them there are a km² unless a mission says otherwise: assumptions about open
// country with villages, in orders of magnitude.
type Class struct {
	Name   string
	PerKm2 float64
}

// Classes lists all classes, in the order in which they are told.
var Classes = [...]Class{{Industry, 0.004}, {Farm, 0.01}, {Fire, 0.002}, {Traffic, 0.01}, {Radio, 0.01}, {Dwelling, 0.05}}

// A Sense says how often one kind of sensor notices each class of place when it looks there, and how many detections a km² it gives that come
// from none of them (of what is no place at all, or of a class without a name). These are assumptions, stated here and nowhere else.
type Sense struct {
	Kind           string
	UnexplainedKm2 float64
	Site           float64
	Others         [len(Classes)]float64
}

// Senses lists the kinds of sensors whose alternatives are known by name. Where people live or work by the radio or by vehicles there are a hearth, lamps and a car,
// engines and fuel: such places are noticed by what notices dwellings at least as often as those.
var Senses = [...]Sense{ //          industry farm  fire traffic radio dwelling
	{"gas", 0.002, 0.7, [...]float64{0.6, 0.3, 0.5, 0.1, 0.02, 0.02}},
	{"spectral", 0.002, 0.3, [...]float64{0.4, 0.1, 0.5, 0.02, 0.005, 0.005}},
	{"thermal", 0.005, 0.4, [...]float64{0.4, 0.1, 0.9, 0.15, 0.1, 0.1}},
	{"video", 0.005, 0.3, [...]float64{0.1, 0.1, 0.05, 0.15, 0.1, 0.05}},
	{"mover", 0.01, 0.4, [...]float64{0.5, 0.2, 0.05, 0.8, 0.2, 0.2}},
	{"signal", 0.002, 0.3, [...]float64{0.2, 0.05, 0.01, 0.2, 0.9, 0.1}},
	{"permit", 0.0001, 0.0005, [...]float64{0.6, 0.2, 0.02, 0.2, 0.4, 0.01}},
}

// SenseOf finds a kind; false where there is no table of it.
func SenseOf(kind string) (Sense, bool) {
	i := slices.IndexFunc(Senses[:], func(s Sense) bool { return s.Kind == kind })
	if i < 0 {
		return Sense{}, false
	}
	return Senses[i], true
}

// Known makes a detection of a sense whose alternatives are known by name: how strongly it speaks for a site and for each class against
// nothing at all. Likeness is how probable what was measured is for each class and for Target, 1 where it says nothing. Real is the
// probability that the detection is a thing in the world, where that is stated for it, else 0. Then its odds, and not the density of what the
// sense cannot explain, weigh a thing against an error: the strength is pd·odds/T with T the density of things that the sense notices. Pd is the probability
// with which looks whose evidence stands beside it would have shown a site there, 0 where there are none: what was seen counts in the place of what was missed
// (track existence, D. Musicki and R. Evans, cited in the package comment).
func (s Sense) Known(d Detection, likeness map[string]float64, real, pd float64) Detection {
	d.Kind, d.Real = s.Kind, real
	things := s.things(func(c Class) float64 { return c.PerKm2 })
	within := withinWindow(d)
	rarity := 1 / (s.UnexplainedKm2 + things*(1-within))
	if real > 0 {
		real = math.Min(real, surest)
		rarity = real / (1 - real*within) / things
	}
	strength := func(notices, like float64) float64 {
		return notices * like * rarity / math.Max(1-pd*notices/s.Site, 0.01)
	}
	like := func(class string) float64 {
		if v, ok := likeness[class]; ok {
			return v
		}
		return 1
	}
	d.StrengthKm2 = strength(s.Site, like(Target))
	d.Others = map[string]float64{}
	for i, c := range Classes {
		if v := strength(s.Others[i], like(c.Name)) / d.StrengthKm2; v > 0 && !math.IsInf(v, 0) {
			d.Others[c.Name] = v
		}
	}
	return d
}

// withinWindow is the share of a detection's posterior that the likeliest windows hold, 1 for one as sharp as can be. What else made one that is known to more
// than a window may lie beside every window that it speaks for, so that the things there count among what the sense cannot explain.
func withinWindow(d Detection) float64 {
	if len(d.Modes) == 0 && d.Place == nil {
		return 1
	}
	share := func(c matrix) float64 {
		c = plus(c, matrix{{ScaleM * ScaleM, 0}, {0, ScaleM * ScaleM}})
		return ScaleM * ScaleM / math.Sqrt(c[0][0]*c[1][1]-c[0][1]*c[1][0])
	}
	if len(d.Modes) == 0 {
		return share(d.Place.CovarianceM2)
	}
	sum := 0.0
	for _, m := range d.Modes {
		if v := m.Weight * share(m.CovarianceM2); v > 0 {
			sum += v
		}
	}
	return math.Min(sum, 1)
}

// surest is the most that is believed of a processor's statement that a detection is real.
const surest = 0.98

// things is the density of things without sites that the sense notices when it looks, per km².
func (s Sense) things(density func(Class) float64) float64 {
	sum := 0.0
	for i, c := range Classes {
		sum += density(c) * s.Others[i]
	}
	return sum
}

// Target is the name of a site among the classes of Likeness.
const Target = "site"

// Looked are the classes beside a site for a look of a sense: how probably each would have been noticed, as a share of the site's.
func (s Sense) Looked() map[string]float64 {
	out := map[string]float64{}
	for i, c := range Classes {
		if s.Others[i] > 0 {
			out[c.Name] = s.Others[i] / s.Site
		}
	}
	return out
}

// FromSheet is what the detections and looks of a sheet say: one item for all its looks, where it has any, and one for each detection, in
// the order of the sheet. IDs, observation, mission and marking are the caller's; times, lineage and bias are set.
func FromSheet(s detection.Sheet) []atalaya.Evidence {
	sense, known := SenseOf(s.Kind)
	var out []atalaya.Evidence
	if e, ok := sheetLooks(s, sense, known); ok {
		out = append(out, e)
	}
	for _, f := range s.Found {
		out = append(out, sheetFound(s, f, sense, known))
	}
	return out
}

func sheetLooks(s detection.Sheet, sense Sense, known bool) (atalaya.Evidence, bool) {
	if len(s.Looks) == 0 {
		return atalaya.Evidence{}, false
	}
	looks := make([]Look, len(s.Looks))
	when := s.Looks[0].When
	for i, l := range s.Looks {
		looks[i] = Look{Ring: l.Ring, PD: l.PD}
		if l.When.From.Before(when.From) {
			when.From = l.When.From
		}
		if l.When.To.After(when.To) {
			when.To = l.When.To
		}
	}
	e := Saying(FromLooks(s.Kind, "", looks), atalaya.Say("looked", "n", fmt.Sprint(len(looks))))
	e.When = when
	if known {
		e.Others = sense.Looked()
	}
	return e, true
}

func sheetFound(s detection.Sheet, f detection.Found, sense Sense, known bool) atalaya.Evidence {
	own, all := f.CovarianceM2, f.CovarianceM2
	for i := range 2 {
		all[i][i] = own[i][i] + s.BiasM*s.BiasM
	}
	d := Detection{Kind: s.Kind, Modes: []Mode{{At: geodesy.LatLon{Lat: f.Lat, Lon: f.Lon}, CovarianceM2: all, Weight: 1}}, RateKgS: f.RateKgS,
		Said: []atalaya.Sentence{atalaya.Say("stood-out", "sensor", s.Sensor, "what", cmp.Or(f.Note, s.Kind))}}
	real := 0.0
	if f.Real != nil {
		real = math.Max(*f.Real, 1e-3)
	}
	if known {
		d = sense.Known(d, f.Likeness, real, f.PD)
	} else {
		d.StrengthKm2 = UnknownStrengthKm2 * cmp.Or(real, 1)
	}
	e := FromDetection(d)
	e.When = atalaya.Span{From: f.Time, To: f.Time}
	e.Lineage = f.Lineage
	if s.BiasM > 0 {
		e.BiasGroup, e.BiasM = cmp.Or(s.BiasGroup, string(s.Sortie), s.Sensor), s.BiasM
	}
	return e
}

// UnknownStrengthKm2 is the strength of a detection by a sense that has no table: one that notices three sites of ten, and as much else in 20 km².
const UnknownStrengthKm2 = 0.3 / 0.05

// classNames lists the classes that are known, then those that some item names besides, by name.
func classNames(items []atalaya.Evidence) []string {
	more := map[string]bool{}
	for _, e := range items {
		for c := range e.Others {
			more[c] = true
		}
	}
	var out []string
	for _, c := range Classes {
		out = append(out, c.Name)
		delete(more, c.Name)
	}
	return append(out, slices.Sorted(maps.Keys(more))...)
}

// Saying is evidence with its note.
func Saying(e atalaya.Evidence, said ...atalaya.Sentence) atalaya.Evidence {
	e.Said, e.Note = said, atalaya.English(said)
	return e
}
