package terrain

import (
	"math"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// A Surface is ground by a formula: up = Z(east, north) in the axes of a tangent frame. A ray's meeting with it has a closed
// form there, which makes it a truth to hold elevation models and rays against.
type Surface struct {
	Frame geodesy.Frame
	Z     func(east, north float64) float64
	Top   float64 // a height above the ellipsoid that Z does not rise above
	Post  float64 // metres within which Z changes little
}

// At solves for the height h at which the point above p lies on the surface. Up of the frame and up at p differ by an angle of
// p's distance over the Earth's radius, so each step leaves at most slope times that angle of the error.
func (s Surface) At(p geodesy.LatLon) (Ground, bool) {
	foot := geodesy.LatLonHeight{Lat: p.Lat, Lon: p.Lon}
	at := s.Frame.ToENU(foot)
	foot.HeightHAE = 1e3
	up := s.Frame.ToENU(foot)
	for i := range up {
		up[i] = (up[i] - at[i]) / 1e3
	}
	if up[2] < 0.1 { // far around the Earth
		return Ground{}, false
	}
	h := 0.0
	for range 30 {
		off := s.Z(at[0]+h*up[0], at[1]+h*up[1]) - (at[2] + h*up[2])
		h += off / up[2]
		if math.Abs(off) < 1e-10 {
			break
		}
	}
	return Ground{HeightM: h, Datum: HAE, Source: "formula"}, true
}

// Ceiling is Top, everywhere.
func (s Surface) Ceiling(geodesy.LatLon, float64) (float64, float64) { return s.Top, math.Inf(1) }

// PostM is Post.
func (s Surface) PostM(geodesy.LatLon) float64 { return s.Post }

// Plane rises by east and north metres a metre, through the frame's origin.
func Plane(f geodesy.Frame, east, north float64) Surface {
	return Surface{f, func(e, n float64) float64 { return east*e + north*n }, HighestM, 30}
}

// Cone has its summit above the frame's origin, high metres above it, and falls by slope metres a metre.
func Cone(f geodesy.Frame, high, slope float64) Surface {
	return Surface{f, func(e, n float64) float64 { return high - slope*math.Hypot(e, n) }, f.Origin.HeightHAE + high, 30}
}

// Ridge is a roof of which the top runs north through the frame's origin, high metres above it; it falls by slope to either
// side down to the frame's plane.
func Ridge(f geodesy.Frame, high, slope float64) Surface {
	return Surface{f, func(e, _ float64) float64 { return math.Max(0, high-slope*math.Abs(e)) }, HighestM, 30}
}
