// Package ground reads what lies on the ground of a mission and is no sensor's finding: roads, tracks, rivers, water, towns, land use, and the
// permits of those who may emit. A layer is a GeoJSON FeatureCollection (RFC 7946) whose features say in properties.kind what they are,
// described in docs/reference/layers.md. An Index tells how far the nearest road, track, water or town is from any place.
package ground

import "github.com/atalaya-isr/atalaya/geodesy"

// Kind is what a feature is.
type Kind string

// The kinds.
const (
	Road    Kind = "road"
	Track   Kind = "track"
	River   Kind = "river"
	Water   Kind = "water"
	Town    Kind = "town"
	LandUse Kind = "landuse"
	Permits Kind = "permit"
)

// Kinds lists all kinds.
var Kinds = [...]Kind{Road, Track, River, Water, Town, LandUse, Permits}

// PermitClasses are what a permit may be for: the names of locate/site.
var PermitClasses = [...]string{"industry", "farm", "fire", "traffic", "radio"}

// A Shape is one feature: lines, areas or points. An area is all its rings together, outer ones and holes, none closed: a place is in it where a
// line to the outside crosses its edges an odd number of times. Edges are straight in longitude and latitude (RFC 7946, section 3.1.1).
type Shape struct {
	Kind   Kind
	Class  string // of land use: "forest", "farmland"
	Name   string
	Lines  [][]geodesy.LatLon
	Areas  [][][]geodesy.LatLon
	Points []geodesy.LatLon
	// RadiusM is how far a town reaches around each of Points, metres.
	RadiusM float64
}

// A Permit is somebody who may emit, burn, drive or transmit at a place.
type Permit struct {
	Class  string
	Name   string
	At     geodesy.LatLon
	SigmaM float64 // standard deviation of the position along each axis, metres
}

// A Layer is one file.
type Layer struct {
	Name     string
	Features int // of all kinds, also of those that mean nothing here
	Shapes   []Shape
	Permits  []Permit
	Box      Box // around Shapes
	Pieces   int // of lines and edges in an index, and points
}

// Holds reports whether any shape of a layer is of one of the kinds.
func (l *Layer) Holds(kinds ...Kind) bool {
	for _, s := range l.Shapes {
		for _, k := range kinds {
			if s.Kind == k {
				return true
			}
		}
	}
	return false
}

// A Box is ground between two parallels and two meridians; East may be above 180. The zero Box holds nothing.
type Box struct {
	West, South, East, North float64
	Some                     bool
}

// add widens the box; its longitudes run on across ±180°.
func (b *Box) add(p geodesy.LatLon) {
	if !b.Some {
		*b = Box{p.Lon, p.Lat, p.Lon, p.Lat, true}
		return
	}
	mid := (b.West + b.East) / 2
	lon := mid + geodesy.Wrap180(p.Lon-mid)
	*b = Box{min(b.West, lon), min(b.South, p.Lat), max(b.East, lon), max(b.North, p.Lat), true}
}

// Inside is how far p lies from the nearest edge of the box, metres; 0 outside of it.
func (b Box) Inside(p geodesy.LatLon) float64 {
	if !b.Some {
		return 0
	}
	mid := (b.West + b.East) / 2
	lon := mid + geodesy.Wrap180(p.Lon-mid)
	return max(0, min((lon-b.West)*metresEast(p.Lat), (b.East-lon)*metresEast(p.Lat), (p.Lat-b.South)*metresNorth, (b.North-p.Lat)*metresNorth))
}

// Ring is the box as four corners, counter-clockwise.
func (b Box) Ring() []geodesy.LatLon {
	w, e := geodesy.Wrap180(b.West), geodesy.Wrap180(b.East)
	return []geodesy.LatLon{{Lat: b.South, Lon: w}, {Lat: b.South, Lon: e}, {Lat: b.North, Lon: e}, {Lat: b.North, Lon: w}}
}
