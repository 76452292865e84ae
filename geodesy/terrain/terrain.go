// Package terrain knows the height of the ground: elevation models read tile by tile from DTED and GeoTIFF files, the geoid
// that ties heights above the sea to the ellipsoid, and the first point at which a ray meets the ground.
//
// A height always comes with what it is measured from (Datum), its standard deviation and its source. Heights above the sea
// become heights above the ellipsoid by a geoid grid only (see OnEllipsoid); nothing is converted silently.
//
// Files are read on demand through io.ReaderAt, within a bounded memory. Models are safe for concurrent use.
package terrain

import (
	"math"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// A Datum says what a height is measured from.
type Datum string

// The datums of elevation models.
const (
	HAE     Datum = "hae"     // the WGS 84 ellipsoid
	MSL     Datum = "msl"     // mean sea level, without a word on which geoid stands for it
	EGM96   Datum = "egm96"   // the geoid EGM96
	EGM2008 Datum = "egm2008" // the geoid EGM2008
)

// Ground is the ground at one place.
type Ground struct {
	HeightM float64 // above Datum
	SigmaM  float64 // standard deviation of HeightM
	Datum   Datum
	Source  string // of the height: a file's name, or what it was assumed from
}

// A Model gives the height of the ground.
type Model interface {
	// At is the ground at p; false where the model has none: outside of its cover, in a void, or where a file is damaged.
	At(p geodesy.LatLon) (Ground, bool)
	// Ceiling is a height that no ground of the model within reach metres of p rises above; of several neighbourhoods that the
	// model knows so, the widest whose ceiling is below the height asked from, else the lowest. A reach of 0 promises nothing.
	Ceiling(p geodesy.LatLon, fromM float64) (heightM, reachM float64)
	// PostM is the distance between the model's posts near p, metres.
	PostM(p geodesy.LatLon) float64
}

// HighestM is higher than any ground, above either datum: 8,849 m of Everest, and 86 m of geoid at most.
const HighestM = 9000.0

// LowestM lies below any ground above water, above either datum: -430 m at the Dead Sea, and a geoid of -107 m at the least.
const LowestM = -600.0

// Constant is ground of one height everywhere.
type Constant Ground

// At is the constant.
func (c Constant) At(geodesy.LatLon) (Ground, bool) { return Ground(c), true }

// Ceiling is the constant.
func (c Constant) Ceiling(geodesy.LatLon, float64) (float64, float64) { return c.HeightM, math.Inf(1) }

// PostM is a kilometre: nothing changes within it.
func (c Constant) PostM(geodesy.LatLon) float64 { return 1000 }

// Stack asks several models, in order: the first that has ground at a place counts. Put the finest first.
type Stack []Model

// At is the ground of the first model that has any.
func (s Stack) At(p geodesy.LatLon) (Ground, bool) {
	for _, m := range s {
		if g, ok := m.At(p); ok {
			return g, true
		}
	}
	return Ground{}, false
}

// Ceiling is the highest of all ceilings, within the least reach.
func (s Stack) Ceiling(p geodesy.LatLon, from float64) (height, reach float64) {
	height, reach = LowestM, math.Inf(1)
	for _, m := range s {
		h, r := m.Ceiling(p, from)
		height, reach = math.Max(height, h), math.Min(reach, r)
	}
	if len(s) == 0 {
		return HighestM, 0
	}
	return height, reach
}

// PostM is that of the first model that has ground at p, else of the coarsest.
func (s Stack) PostM(p geodesy.LatLon) float64 {
	widest := 0.0
	if len(s) == 0 {
		return 100
	}
	for _, m := range s {
		post := m.PostM(p)
		if _, ok := m.At(p); ok {
			return post
		}
		widest = math.Max(widest, post)
	}
	return widest
}

// As gives a model's heights another name: what a person knows better than the file.
func As(m Model, d Datum) Model { return renamed{m, d} }

type renamed struct {
	Model
	datum Datum
}

func (r renamed) At(p geodesy.LatLon) (Ground, bool) {
	g, ok := r.Model.At(p)
	g.Datum = r.datum
	return g, ok
}

// OnEllipsoid gives heights above the ellipsoid of a model whose heights are above the sea, by a geoid. Where the model names
// another geoid than the grid's, the difference of the two comes beside its error.
func OnEllipsoid(m Model, g *Geoid) Model { return lifted{m, g} }

type lifted struct {
	Model
	geoid *Geoid
}

// geoidSlope bounds how fast the geoid rises, metres a metre: its steepest places (ocean trenches, great ranges) stay below 1 in
// 2,000.
const geoidSlope = 0.0005

func (l lifted) At(p geodesy.LatLon) (Ground, bool) {
	g, ok := l.Model.At(p)
	if !ok || g.Datum == HAE {
		return g, ok
	}
	g.HeightM += l.geoid.Undulation(p)
	g.SigmaM = math.Hypot(g.SigmaM, l.geoid.SigmaFor(g.Datum))
	g.Datum = HAE
	return g, true
}

func (l lifted) Ceiling(p geodesy.LatLon, from float64) (float64, float64) {
	rise := l.geoid.Undulation(p)
	h, reach := l.Model.Ceiling(p, from-rise-geoidSlope*maxReachM)
	reach = math.Min(reach, maxReachM)
	return h + rise + geoidSlope*reach, reach
}

// Slope is how the ground rises at p, metres a metre towards east and north, taken over half a post to either side; false where
// the model lacks ground there.
func Slope(m Model, p geodesy.LatLon) (east, north float64, ok bool) {
	d := m.PostM(p) / 2
	perLat := d / metresPerDegree
	perLon := perLat / math.Max(math.Cos(p.Lat*geodesy.RadPerDegree), 1e-6)
	e, ok1 := m.At(shifted(p, 0, perLon))
	w, ok2 := m.At(shifted(p, 0, -perLon))
	n, ok3 := m.At(shifted(p, perLat, 0))
	s, ok4 := m.At(shifted(p, -perLat, 0))
	if !ok1 || !ok2 || !ok3 || !ok4 || d == 0 {
		return 0, 0, false
	}
	return (e.HeightM - w.HeightM) / (2 * d), (n.HeightM - s.HeightM) / (2 * d), true
}

// metresPerDegree is the length of a degree of latitude on the mean sphere: within 0.6 % of the ellipsoid's.
const metresPerDegree = geodesy.MeanRadiusM * geodesy.RadPerDegree

func shifted(p geodesy.LatLon, lat, lon float64) geodesy.LatLon {
	return geodesy.LatLon{Lat: math.Max(-90, math.Min(90, p.Lat+lat)), Lon: geodesy.Wrap180(p.Lon + lon)}
}
