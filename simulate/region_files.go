package simulate

import (
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/sense/bearing"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// Filed is what stands behind the files of WriteFiles.
type Filed struct {
	Surveys  []FiledSurvey
	Emitters []FiledEmitter
	Callouts []FiledCallout
}

// A FiledSurvey is a gas survey and what emits about it.
type FiledSurvey struct {
	File    string
	PD      float64 // that the sheet of the look would state
	Emitted []FiledEmission
}

// A FiledEmission is a place that emits while a survey flies.
type FiledEmission struct {
	ID     string
	At     geodesy.LatLon
	Within bool // the look
}

// A FiledEmitter is a set that was heard.
type FiledEmitter struct {
	File, Name string
	At         geodesy.LatLon
}

// A FiledCallout is a thing in the middle of the picture of a camera at a time.
type FiledCallout struct {
	File string
	Time time.Time
	At   geodesy.LatLon
}

// filesApart keeps the streams of chance of sheets apart: two a look, of which a sheet has some hundred at most.
const filesApart = 1000

// WriteFiles writes a region as Write does, but that what gas drones and listening aircraft brought home is given as their sensors write it: a gas survey
// for each place that a drone looked at, and the bearings of each flight on each set that was heard, in the place of their sheets. Gas comes from wandering puffs out of every place that
// emits. Beside each sheet of call-outs, in video, goes the camera's own metadata of the moments in which something was called out. Who was heard and what was called out is as in the sheets; where it
// lies is not. Errors of instruments that are no thing in the world have no file. The same region gives the same bytes.
func (r *Region) WriteFiles(out Output) (Filed, error) {
	f := folder{out: out, sortie: map[string]string{}}
	var told Filed
	for i, s := range r.Sheets {
		k := i - (len(r.Sheets) - len(r.made.looked)) // permits come first, and were looked at by nobody
		if k < 0 {
			f.sheet(s)
			continue
		}
		o, block := &r.made.looked[k], blockRegionFiles+uint64(filesApart*k)
		switch o.sense {
		case senseGas:
			for n := range o.looks {
				name := fmt.Sprintf("gas/%s-%d.csv", o.sortie.ID, n+1)
				f.write(name, string(s.Sortie), func(w io.Writer) error {
					survey, err := r.made.sniffed(w, o, n, name, block+uint64(2*n))
					told.Surveys = append(told.Surveys, survey)
					return err
				})
			}
		case senseSignal:
			name := fmt.Sprintf("signals/%s.csv", o.sortie.ID)
			f.write(name, string(s.Sortie), func(w io.Writer) error {
				heard, err := r.made.heard(w, o, name, numeric.NewStream(r.Seed, block))
				told.Emitters = append(told.Emitters, heard...)
				return err
			})
		case senseVideo:
			f.sheet(s)
			name := fmt.Sprintf("video/%s.ts", o.sortie.ID)
			f.write(name, string(s.Sortie), func(w io.Writer) error {
				seen, err := r.made.filmed(w, o, name, numeric.NewStream(r.Seed, block))
				told.Callouts = append(told.Callouts, seen...)
				return err
			})
		default:
			f.sheet(s)
		}
	}
	return told, r.rest(&f)
}

// flatAt is flat country around a spot, without anything in it.
func (w *world) flatAt(p spot, block uint64) *country {
	at := w.land.latLon(p)
	c := &country{seed: w.seed ^ block<<32, places: map[string]place{}, files: map[string]string{}}
	c.Name, c.Centre, c.GroundHAE = w.Name, [2]float64{at.Lat, at.Lon}, round(w.land.height(p), 1)
	c.frame = geodesy.NewFrame(geodesy.LatLonHeight{Lat: at.Lat, Lon: at.Lon, HeightHAE: c.GroundHAE})
	return c
}

// What a drone's survey is like: its legs lie across the way to the source as planned, from end to end of what it looks at.
const (
	legs         = 9
	legsLongM    = 2000.0
	halfLegM     = 900.0
	ventM        = 4.0    // height of what emits
	emitsWithinM = 2500.0 // of the middle: gas from farther away is thin and wide, part of the background
	logsEveryS   = 3      // seconds, 36 m of flight
	restsGas     = 0.25   // of the rate is left while nothing works, as of the chance of being noticed (idle)
)

// gasChannels are those of the instrument: what it tells apart, with the noise and backgrounds of clean air.
var gasChannels = []Channel{
	{"acetone", "67-64-1", 58.08, 1, 1.5}, {"toluene", "108-88-3", 92.141, 0.4, 0.3},
	{"xylene", "1330-20-7", 106.167, 0.4, 0.1}, {"ammonia", "7664-41-7", 17.031, 2, 4},
}

// sniffed flies the survey of a look.
func (w *world) sniffed(to io.Writer, o *sheetOf, look int, name string, block uint64) (FiledSurvey, error) {
	g := &o.looks[look]
	told := FiledSurvey{File: name, PD: o.statedP[look]}
	c := w.flatAt(g.centre, block)
	c.Instrument, c.Air = gasChannels, Air{TemperatureC: 22, PressureHPa: 1013}
	c.fromDeg = geodesy.Wrap360(g.wind.fromRad / geodesy.RadPerDegree)
	// Turbulence is a share of the wind, with what buoyancy leaves of it in a calm (J. C. Kaimal and J. J. Finnigan, Atmospheric Boundary Layer Flows, 1994, section 1.4).
	c.Wind = Wind{SpeedMPS: math.Max(g.wind.speed, 0.3), FromDeg: c.fromDeg, RoughnessM: 0.1, SigmaV: math.Max(0.3, 0.15*g.wind.speed), SigmaW: math.Max(0.2, 0.11*g.wind.speed), TimescaleS: 60,
		MeanderDeg: 5, GustShare: 0.1, MeanderS: 300, Intermittency: 0.3}
	if g.wind.speed < weakMPS {
		c.Wind.MeanderDeg = 25
	}
	air, chance := numeric.NewStream(w.seed, block), numeric.NewStream(w.seed, block+1)
	surface := dispersion.Surface{RoughnessM: c.Wind.RoughnessM}
	var sources []source
	for i := range w.places {
		p := &w.places[i]
		if p.rateGS <= 0 || !p.open(g.middle()) || p.at.to(g.centre) > emitsWithinM {
			continue
		}
		v := place{Place{Name: p.id, Kind: p.kind.name, HeightM: ventM, Emits: p.emission(w.hour(g.middle()))}, p.at[0] - g.centre[0], p.at[1] - g.centre[1]}
		sources = append(sources, c.emitting(v, surface, air))
		told.Emitted = append(told.Emitted, FiledEmission{ID: p.id, At: w.land.latLon(p.at), Within: g.holds(p.at)})
	}
	log := newGasLog(c, Gas{File: name, Sensor: "cims", At: g.from.UTC().Truncate(time.Second)}, chance)
	return told, c.sniff(to, o.class.survey(g), newBreeze(c.Wind, c.fromDeg, air), sources, log, logsEveryS)
}

// emission of a place in an hour of the campaign, g/s by compound.
func (p *spotted) emission(hour int) map[string]float64 {
	share := 1.0
	if hour < 0 || hour >= len(p.work) || !p.work[hour] {
		share = restsGas
	}
	out := map[string]float64{}
	for name, kgS := range p.rates() {
		out[name] = 1000 * kgS * share
	}
	return out
}

// survey is the course over a look, about its middle: from its downwind end to the other.
func (c *class) survey(g *glance) *flight {
	f := &flight{speed: c.speed}
	for i := range legs {
		on := spot{}.step(g.axis, legsLongM*(0.5-float64(i)/(legs-1)))
		a, b := on.step(g.axis+math.Pi/2, halfLegM), on.step(g.axis-math.Pi/2, halfLegM)
		if i%2 == 1 {
			a, b = b, a
		}
		f.leg(fix{a[0], a[1], c.height}, fix{b[0], b[1], c.height})
	}
	return f
}

// How a listening aircraft takes bearings: standard deviations of each and of the heading error that all of one flight share, degrees; the share of those that have nothing to do with
// the set; and how many of each.
const (
	bearingDeg     = 1.0
	headingBiasDeg = 0.8
	wildBearings   = 0.08
	bearingsEach   = 24
)

// heard takes bearings, along the flight, on everything that its sheet has a fix of.
func (w *world) heard(to io.Writer, o *sheetOf, name string, chance *numeric.Stream) (told []FiledEmitter, err error) {
	set := &bearing.Set{Name: name, HasNames: true, HasGroups: true}
	bias := headingBiasDeg * chance.Normal()
	span := o.sortie.When.To.Sub(o.sortie.When.From)
	for i := range o.found {
		f := &o.found[i]
		if f.cause == "" {
			continue
		}
		e := FiledEmitter{File: name, Name: fmt.Sprintf("E%d", i+1), At: w.land.latLon(f.at)}
		told = append(told, e)
		for k := range bearingsEach {
			t := o.sortie.When.From.Add(time.Duration((float64(k) + chance.Float64()) / bearingsEach * float64(span))).Truncate(time.Millisecond)
			from := o.sortie.at(t)
			l := bearing.Bearing{Time: t.UTC(), From: geodesy.LatLonHeight{Lat: round(from.Lat, 6), Lon: round(from.Lon, 6), HeightHAE: round(from.HeightHAE, 0)},
				SigmaDeg: bearingDeg, Emitter: e.Name, BiasGroup: string(o.sortie.ID)}
			l.Deg = azimuth(from, geodesy.LatLonHeight{Lat: e.At.Lat, Lon: e.At.Lon, HeightHAE: w.land.height(f.at)}) + bias + bearingDeg*chance.Normal()
			if chance.Float64() < wildBearings {
				l.Deg = 360 * chance.Float64()
			}
			l.Deg = round(geodesy.Wrap360(round(l.Deg, 2)), 2)
			set.Bearings = append(set.Bearings, l)
		}
	}
	slices.SortStableFunc(set.Bearings, func(a, b bearing.Bearing) int { return a.Time.Compare(b.Time) })
	if _, err := io.WriteString(to, "# note: SYNTHETIC: made by a simulator; no such place, person or flight exists\n"); err != nil {
		return nil, err
	}
	return told, bearing.Write(to, set)
}

// at is where an aircraft was, on straight lines between the points of its track.
func (s *RegionSortie) at(t time.Time) geodesy.LatLonHeight {
	for i := 1; i < len(s.Track); i++ {
		a, b := s.Track[i-1], s.Track[i]
		if t.After(b.Time) || !b.Time.After(a.Time) {
			continue
		}
		k := math.Max(0, float64(t.Sub(a.Time))/float64(b.Time.Sub(a.Time)))
		return geodesy.LatLonHeight{Lat: a.At.Lat + k*(b.At.Lat-a.At.Lat), Lon: a.At.Lon + k*(b.At.Lon-a.At.Lon), HeightHAE: a.At.HeightHAE + k*(b.At.HeightHAE-a.At.HeightHAE)}
	}
	return s.Track[len(s.Track)-1].At
}

// What a turret's picture is like: seen from an orbit.
const (
	orbitM  = 6000.0
	hfovDeg = 2.0
)

// filmed writes the metadata of the moments in which something was called out, the thing in the middle of the picture. What the platform gets wrong wanders on from one to the next.
func (w *world) filmed(to io.Writer, o *sheetOf, name string, chance *numeric.Stream) (told []FiledCallout, err error) {
	errs := beginErrors(chance)
	out := mpegts.NewWriter(to)
	before := o.sortie.When.From
	for i := range o.found {
		f := &o.found[i]
		if f.cause == "" {
			continue
		}
		errs.step(math.Max(0, f.Time.Sub(before).Seconds()), chance)
		before = f.Time
		c := w.flatAt(f.at, 0)
		c.Video = Video{At: f.Time, AGLM: o.class.height, OrbitM: orbitM, SpeedMPS: o.class.speed, HFOVDeg: hfovDeg, RateHz: 1, OrbitS: 3600}
		v := camera{Video: c.Video, firstRad: 2 * math.Pi * chance.Float64()}
		packet, err := c.packet(&v, 0, &errs)
		if err != nil {
			return nil, err
		}
		if err := out.WriteKLV(90000*int64(f.Time.Sub(o.sortie.When.From).Seconds()), packet); err != nil {
			return nil, err
		}
		told = append(told, FiledCallout{File: name, Time: f.Time, At: w.land.latLon(f.at)})
	}
	return told, nil
}
