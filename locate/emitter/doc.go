// Package emitter finds where a radio emitter stands from the bearings that sensors took on it.
//
// The model of one bearing z, in degrees, taken at s on an emitter at x:
//
//	z = az(s → x) + b[group] + n
//
// az is the true azimuth at the sensor: the Earth-fixed line of sight in the sensor's own east-north-up frame, and beyond
// 500 km, where a wave no longer follows a line of sight, the azimuth of the WGS 84 geodesic (at 500 km the two differ by
// less than 0.0005°). b is a heading error that all bearings of one group share, with a normal prior; it does not shrink
// with the number of bearings. n is a mixture: normal with the stated sigma; in one case of twenty three times as wide; or,
// with a share ε that is estimated, wild: uniform on the circle. On clean data that costs nothing measurable, where a
// Student-t likelihood costs 3 %.
//
// The fix is the maximum of that likelihood (a flat prior over ground), found from every crossing of two bearings and a
// polar grid under a truncated loss, then by iteratively reweighted Gauss-Newton steps whose sigma shrinks to the stated one.
// The posterior around each maximum is integrated numerically. Where a second maximum holds 5 % or more, both are given.
package emitter

import "github.com/atalaya-isr/atalaya/geodesy"

// DefaultBiasSigmaDeg is the prior standard deviation of a group's shared heading error: the order of the heading errors
// that users of direction-finding aircraft report before calibration is a few degrees; a calibrated mount has less.
const DefaultBiasSigmaDeg = 2.0

// A Bearing is one measured direction to the emitter.
type Bearing struct {
	Sensor     geodesy.LatLonHeight // where the sensor was, height above the ellipsoid in metres
	AzimuthDeg float64              // clockwise from true north
	SigmaDeg   float64              // standard deviation of the noise that bearings do not share; > 0
	BiasGroup  string               // bearings of one group share a heading error; "" shares none
}

// Options are what the user knows beside the bearings. The zero value is useful.
type Options struct {
	HeightHAE    float64 // of the emitter above the ellipsoid, metres
	BiasSigmaDeg float64 // prior standard deviation of a group's heading error; 0 is DefaultBiasSigmaDeg
}

// Integrity says how far a fix can be trusted.
type Integrity string

// The grades of integrity.
const (
	Good       Integrity = "good"
	Low        Integrity = "low"        // two bearings only, thin geometry, or bearings that disagree with their own sigma
	Multimodal Integrity = "multimodal" // the emitter may as well stand somewhere else: every place is given
)

// A Fix is one place where the emitter may stand.
type Fix struct {
	At           geodesy.LatLon
	HeightHAE    float64       // as given in Options
	CovarianceM2 [2][2]float64 // east, north
	Ellipse95    geodesy.Ellipse
	// CEP50M and CEP95M are the radii around At that hold 50 and 95 % of this place's posterior, integrated numerically.
	CEP50M, CEP95M float64
	Integrity      Integrity
	Why            string  // the reason of an integrity that is not good
	Used, Rejected int     // bearings that are more likely than not normal, and wild
	Weight         float64 // probability that this place is the right one; the weights of a posterior sum to 1
	WildShare      float64 // estimated share of wild bearings
}

// A Posterior is what the bearings say about where the emitter stands: its places, most probable first.
type Posterior struct {
	Fixes  []Fix
	basins []basin
}
