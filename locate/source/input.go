// Package source answers what a gas survey is flown for: how many sources there are, where, how strong, how sure, and where
// nothing can be. It knows of no hint: the search area comes from the samples and the wind alone.
//
// Positions are metres east and north in the survey's local frame, heights metres above ground, concentrations kg/m3, rates
// kg/s, angles radians. The estimator is described in docs/decisions/0003-gas-locate.md.
package source

import (
	"math"
	"strconv"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/dispersion"
)

// Input is everything that the estimator looks at.
type Input struct {
	// Frame turns local metres into latitude and longitude; nil for a survey that has no place on the Earth.
	Frame *geodesy.Frame
	// Local: the survey itself is in local metres, so results are given in them too.
	Local  bool
	Groups []Survey
}

// Survey is one group of samples that belong to one release: one set of sources, active throughout.
type Survey struct {
	Group     string
	Compounds []string
	Samples   []Sample
	Surface   dispersion.Surface
}

// Sample is one measurement in a place (or along a straight path) and a wind.
type Sample struct {
	TimeS  float64
	At     [3]float64
	To     [3]float64 // other end of an open path, where IsPath
	IsPath bool
	Sensor string
	Wind   dispersion.Wind
	Values []Value // one a compound of the survey
}

// Value is what a sample says of one compound, kg/m3. Below: Amount is an upper bound. A NaN amount was not measured.
type Value struct {
	Amount float64
	SD     float64 // 0 or NaN: not given
	Below  bool
}

// usable are the samples that can speak: placed, in a wind, with at least one value. What is passed over is counted.
func (s Survey) usable() (keep []Sample, skipped int) {
	for _, p := range s.Samples {
		ok := finite(p.At[0], p.At[1], p.At[2], p.Wind.U, p.Wind.V, p.TimeS) && (!p.IsPath || finite(p.To[0], p.To[1], p.To[2]))
		measured := false
		for _, v := range p.Values {
			measured = measured || !math.IsNaN(v.Amount)
		}
		if ok && measured && len(p.Values) == len(s.Compounds) {
			keep = append(keep, p)
		} else {
			skipped++
		}
	}
	return keep, skipped
}

func finite(v ...float64) bool {
	for _, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}

func inputError(group, what, hint string) error {
	e := &atalaya.Error{Op: "source.locate", Kind: atalaya.BadInput, Hint: hint, Err: plain(what)}
	if group != "" {
		e.Place = "group " + strconv.Quote(group)
	}
	return e
}

type plain string

func (p plain) Error() string { return string(p) }
