package simulate

import (
	"io"
	"math"
	"slices"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/sense/bearing"
)

// bearings flies an arc around the country that widens from DistanceM to a third more, and takes bearings on each emitter
// at about equal times.
func (c *country) bearings(w io.Writer) error {
	b := c.Bearings
	chance := numeric.NewStream(c.seed, blockBearings)
	bias := b.BiasDeg * chance.Normal()
	first := 360 * chance.Float64()
	span := b.DistanceM * b.ArcDeg * geodesy.RadPerDegree / b.SpeedMPS // seconds, to a sixth: the arc widens
	set := &bearing.Set{Name: b.File, HasNames: true, HasGroups: true}
	for _, e := range b.Emitters {
		p := c.places[e.Near]
		s, k := math.Sincos(2 * math.Pi * chance.Float64())
		away := e.WithinM * math.Sqrt(chance.Float64()) // uniform over the disc
		at := c.latLon(p.east+away*s, p.north+away*k)
		for i := range e.Count {
			share := (float64(i) + 0.2 + 0.6*chance.Float64()) / float64(e.Count)
			from := geodesy.Destination(geodesy.LatLon{Lat: c.Centre[0], Lon: c.Centre[1]}, first+b.ArcDeg*share, b.DistanceM*(1+share/3))
			l := bearing.Bearing{Time: b.At.Add(time.Duration(math.Round(1000*share*span)) * time.Millisecond).UTC(),
				From:     geodesy.LatLonHeight{Lat: round(from.Lat, 6), Lon: round(from.Lon, 6), HeightHAE: round(b.HeightHAE+20*chance.Normal(), 0)},
				SigmaDeg: b.SigmaDeg, Emitter: e.Name, BiasGroup: b.Group}
			l.Deg = azimuth(l.From, geodesy.LatLonHeight{Lat: at.Lat, Lon: at.Lon, HeightHAE: c.GroundHAE}) + bias + b.SigmaDeg*chance.Normal()
			if chance.Float64() < b.WildShare {
				l.Deg = 360 * chance.Float64()
			}
			l.Deg = round(geodesy.Wrap360(round(l.Deg, 2)), 2) // the inner rounding keeps 359.999 from becoming 360
			set.Bearings = append(set.Bearings, l)
		}
	}
	slices.SortStableFunc(set.Bearings, func(a, b bearing.Bearing) int { return a.Time.Compare(b.Time) })
	if _, err := io.WriteString(w, "# note: SYNTHETIC: made by a simulator; no such place, person or flight exists\n"); err != nil {
		return err
	}
	return bearing.Write(w, set)
}

// azimuth is the direction in which a wave arrives: the line of sight in the receiver's own horizontal plane.
func azimuth(from, to geodesy.LatLonHeight) float64 {
	v := geodesy.NewFrame(from).ToENU(to)
	return math.Atan2(v[0], v[1]) / geodesy.RadPerDegree
}
