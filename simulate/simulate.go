// Package simulate makes missions whose truth is known: a seeded campaign of gas surveys, video, bearings and
// reports over an invented piece of country, in the real file formats. Everybody and every place in it is invented, and
// every file says SYNTHETIC.
//
// The gas comes from wandering puffs in a wind that turns and gusts (dispersion.Puffs), never from the steady plume that
// estimates invert; the instruments lag, drift and have limits; compasses are wrong by an amount they do not know; some
// bearings are wild. The same scenario and seed give the same bytes. Truth is returned, never written among the mission's files.
//
// Metres east and north of the centre of the country, heights above its flat ground, seconds, kilograms; angles are degrees
// clockwise from north, winds are named by where they come from.
package simulate

import (
	"fmt"
	"io"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/numeric"
)

// Output is where the mission's files go. Names are slash paths within the mission folder.
type Output interface {
	Create(name string) (io.WriteCloser, error)
}

// The blocks of chance: a stream each, so that a change of one sensor leaves the others' bytes alone.
const (
	blockCountry  = 1
	blockBearings = 2
	blockVideo    = 3
	blockReports  = 4
	blockFilm     = 5
	blockGrain    = 6   // of the film's pictures
	blockGas      = 100 // and on: two a flight
)

// country is a scenario with everything placed.
type country struct {
	Scenario
	seed    uint64
	frame   geodesy.Frame
	places  map[string]place
	fromDeg float64 // mean wind
	files   map[string]string
}

// place is where something is.
type place struct {
	Place
	east, north float64
}

// Campaign makes the mission of a scenario and gives its truth.
func Campaign(s Scenario, seed uint64, out Output) (Truth, error) {
	if err := s.check(); err != nil {
		return Truth{}, err
	}
	c, err := settle(s, seed)
	if err == nil {
		err = c.road()
	}
	if err != nil {
		return Truth{}, err
	}
	c.gasSurveys(out, &err)
	c.write(out, s.Bearings.File, s.Bearings.Sortie, c.bearings, &err)
	c.write(out, s.Video.File, s.Video.Sortie, c.video, &err)
	c.write(out, s.Film.File, s.Film.Sortie, c.film, &err)
	chance := numeric.NewStream(seed, blockReports)
	for _, r := range s.Reports {
		c.write(out, r.File, "", func(w io.Writer) error { return c.report(w, r, chance) }, &err)
	}
	c.write(out, "mission.yaml", "", c.mission, &err)
	c.write(out, "README.txt", "", c.readme, &err)
	if err != nil {
		return Truth{}, err
	}
	return c.truth(), nil
}

func (c *country) gasSurveys(out Output, err *error) {
	for i, f := range c.Gas {
		c.write(out, f.File, f.Sortie, func(w io.Writer) error { return c.gasSurvey(w, i, f) }, err)
	}
}

// write makes one file, unless the scenario has none of its kind or something failed before.
func (c *country) write(out Output, name, sortie string, fill func(io.Writer) error, err *error) {
	if *err != nil || name == "" {
		return
	}
	if sortie != "" {
		c.files[name] = sortie
	}
	w, e := out.Create(name)
	if e != nil {
		*err = e
		return
	}
	e = fill(w)
	if e2 := w.Close(); e == nil {
		e = e2
	}
	if e != nil {
		*err = fmt.Errorf("simulate: %s: %w", name, e)
	}
}

// settle puts the places into the country: anywhere in its middle three quarters, none nearer to another than the scenario
// allows.
func settle(s Scenario, seed uint64) (*country, error) {
	c := &country{Scenario: s, seed: seed, places: map[string]place{}, files: map[string]string{},
		frame: geodesy.NewFrame(geodesy.LatLonHeight{Lat: s.Centre[0], Lon: s.Centre[1], HeightHAE: s.GroundHAE})}
	chance := numeric.NewStream(seed, blockCountry)
	c.fromDeg = geodesy.Wrap360(s.Wind.FromDeg + s.Wind.FromSpreadDeg*(2*chance.Float64()-1))
	var put []place
	const tries = 1000
	for _, p := range s.Places {
		for try := 0; ; try++ {
			if try == tries {
				return nil, scenarioError("places", "Make half_width_m larger or apart_m smaller", "no room for %d places %g m apart", len(s.Places), s.ApartM)
			}
			q := place{p, 0.75 * s.HalfWidthM * (2*chance.Float64() - 1), 0.75 * s.HalfWidthM * (2*chance.Float64() - 1)}
			if room(put, q, s.ApartM) {
				put = append(put, q)
				c.places[p.Name] = q
				break
			}
		}
	}
	return c, nil
}

func (c *country) latLon(east, north float64) geodesy.LatLon {
	return c.frame.GroundFromENU(east, north)
}
