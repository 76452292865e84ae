package video

import (
	"math"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/geodesy/terrain"
)

// A Size is a picture's, in pixels.
type Size struct{ Width, Height int }

// A Spot is the ground that a point of the picture shows.
type Spot struct {
	Position
	RangeM  float64         // from the sensor
	Outcome terrain.Outcome // of the ray; only Met has a position
	Ground  string          // where its height is from
	GapM    float64         // see Look.GapM
}

// blind says why a sight cannot be looked along off its axis; "" when it can.
func (l *Look) blind(s *Sight) string {
	switch {
	case !l.aimed && l.Contradicts:
		return "the metadata contradicts itself"
	case !l.aimed:
		return "where the camera looks is not known"
	case !(s.HFOV > 0 && s.HFOV < 180 && s.VFOV > 0 && s.VFOV < 180):
		return "the field of view is not known"
	}
	return ""
}

// Blind says why no point of the picture can be put on the ground; "" when it can.
func (l *Look) Blind() string { return l.blind(&l.sight) }

// Point is the ground at a point of the picture, counted from the upper left corner (0, 0) to the lower right (1, 1); false when
// there is none, of which Spot.Outcome says why where the ray could be cast (see Blind).
func (l *Look) Point(x, y float64) (Spot, bool) {
	if l.Blind() != "" {
		return Spot{Outcome: terrain.Sky}, false
	}
	tx, ty := l.sight.tangents(pictured{2*x - 1, 2*y - 1})
	hit := l.sight.Cast(tx, ty, farM)
	out := Spot{RangeM: hit.RangeM, Outcome: hit.Outcome, GapM: hit.GapM}
	if hit.Outcome != terrain.Met {
		return out, false
	}
	if out.Ground = l.Ground; l.sight.Terrain != nil {
		out.Ground = hit.Ground.Source
	}
	out.Position = l.position(hit)
	return out, true
}

// Pixel is the ground at (x, y) in pixels of a picture of that size: the upper left corner of the picture is (0, 0), and the
// middle of its first pixel (0.5, 0.5).
func (l *Look) Pixel(x, y float64, of Size) (Spot, bool) {
	return l.Point(x/float64(of.Width), y/float64(of.Height))
}

// PointEllipse95 is the 95 % error ellipse of a spot that Point gave for (x, y): of the errors behind the look, and of the field of
// view.
func (l *Look) PointEllipse95(x, y float64, at Spot) (geodesy.Ellipse, bool) {
	if l.Blind() != "" || at.Outcome != terrain.Met || !at.HasHeight {
		return geodesy.Ellipse{}, false
	}
	dev, with := l.deviations(&l.sight)
	hit := terrain.Hit{At: at.geodetic()}
	if l.sight.Terrain != nil {
		hit.Ground, _ = l.sight.Terrain.At(at.LatLon())
	}
	l.grounded(&dev, hit)
	return l.sight.ellipse(pictured{2*x - 1, 2*y - 1}, hit.At, &dev, with)
}

// PointOf is the point of the picture, as Point counts, that shows a place; within says that it lies in the picture. A place
// without a height is taken to lie on the look's ground. Whether ground stands between is not asked. ok is false behind the
// sensor, and where nothing can be told (see Blind).
func (l *Look) PointOf(p Position) (x, y float64, within, ok bool) {
	if l.Blind() != "" {
		return 0, 0, false, false
	}
	if !p.HasHeight {
		p.HeightM = l.sight.HeightM
		if l.sight.Terrain != nil {
			g, has := l.sight.Terrain.At(p.LatLon())
			if !has {
				return 0, 0, false, false
			}
			p.HeightM = g.HeightM
		}
	}
	c, _, ok := l.sight.see(p.geodetic())
	x, y = (c.u+1)/2, (c.v+1)/2
	return x, y, ok && math.Abs(c.u) <= 1 && math.Abs(c.v) <= 1, ok
}

// PixelOf is PointOf in pixels of a picture of that size.
func (l *Look) PixelOf(p Position, of Size) (x, y float64, within, ok bool) {
	x, y, within, ok = l.PointOf(p)
	return x * float64(of.Width), y * float64(of.Height), within, ok
}
