// Package detection reads detections with stated errors, as processors of other sensors give them: spectral plumes, hot spots, call-outs,
// stops of vehicles, emitter fixes, permits. A sheet is what one sensor made of one flight: the ground that it looked at, and what
// stood out there. What is measured is stated, never what it means.
package detection

import (
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
)

// Schema names the JSON form of a sheet.
const Schema = "atalaya.detections/1"

// A Sheet is what one sensor made of one flight.
type Sheet struct {
	Schema string `json:"schema"`
	// Kind is the kind of evidence: gas, spectral, thermal, video, mover, signal, permit, or another word for a sense that has no table yet.
	Kind   string           `json:"kind"`
	Sensor string           `json:"sensor"`
	Sortie atalaya.SortieID `json:"sortie,omitempty"`
	// BiasM is the standard deviation along each axis, metres, of a shift that all positions of the sheet share (and of those of other
	// sheets with the same BiasGroup); it comes beside the covariances, which are of what each position errs by itself.
	BiasM     float64 `json:"bias_m,omitempty"`
	BiasGroup string  `json:"bias_group,omitempty"`
	Looks     []Look  `json:"looks,omitempty"`
	Found     []Found `json:"detections"`
}

// A Look is ground that was looked at, whether anything stood out there or not.
type Look struct {
	When atalaya.Span `json:"when"`
	// Ring is a footprint, not closed: latitude, longitude.
	Ring []geodesy.LatLon `json:"ring"`
	// PD is the probability that a working site in it would have stood out.
	PD float64 `json:"pd"`
}

// A Found is one thing that stood out.
type Found struct {
	ID   string    `json:"id"`
	Time time.Time `json:"time"`
	Lat  float64   `json:"lat"`
	Lon  float64   `json:"lon"`
	// CovarianceM2 is of the position without the shift, east and north, square metres.
	CovarianceM2 [2][2]float64 `json:"covariance_m2"`
	// Real is the probability that it is a thing in the world and no error of the instrument; nil is 1.
	Real *float64 `json:"real,omitempty"`
	// PD is the probability that a working site there would have stood out in the looks of this sheet; 0 where no look is stated.
	PD float64 `json:"pd,omitempty"`
	// Likeness is how probable what was measured (a mixture of gases, a shape, a pattern of life) is for things of each class beside
	// other detections of this kind, 1 where it says nothing; classes that are not named have 1.
	Likeness map[string]float64          `json:"likeness,omitempty"`
	RateKgS  map[string]atalaya.Interval `json:"rate_kg_s,omitempty"`
	Lineage  []string                    `json:"lineage,omitempty"`
	Note     string                      `json:"note,omitempty"`
}
