package video

import (
	"fmt"
	"math"
	"strings"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/geodesy/terrain"
	"github.com/atalaya-isr/atalaya/sense/klv"
)

// UnknownGeoidSigmaM is the standard deviation, metres, of the step between a height above the sea and one above the ellipsoid
// where nothing tells the geoid: an assumption. Geoids lie between -107 and 86 m.
const UnknownGeoidSigmaM = 30.0

// quantityOf is the quantity that an item tells; false for items that move no ray.
func quantityOf(tag uint32) (int, bool) {
	switch tag {
	case 13:
		return ofNorth, true
	case 14:
		return ofEast, true
	case 15, 75, 104:
		return ofUp, true
	case 5:
		return ofHeading, true
	case 6, 90:
		return ofPitch, true
	case 7, 91:
		return ofRoll, true
	case 18:
		return ofAzimuth, true
	case 19:
		return ofElevation, true
	case 20:
		return ofRotation, true
	case 16:
		return ofHFOV, true
	case 17:
		return ofVFOV, true
	case 25, 78:
		return ofGround, true
	}
	return 0, false
}

// commonTags are the items that tell quantities, where State.place and State.aim name no other.
var commonTags = [quantities]uint32{ofNorth: 13, ofEast: 14, ofHeading: 5, ofPitch: 6, ofRoll: 7, ofAzimuth: 18, ofElevation: 19,
	ofRotation: 20, ofHFOV: 16, ofVFOV: 17}

// doubt notes what the items that stand behind a look lose by their steps, and what was declared of their errors.
func (s *State) doubt(l *Look) {
	for k := range quantities {
		if l.tagOf[k] == 0 {
			l.tagOf[k] = commonTags[k]
		}
		if t := l.tagOf[k]; t != 0 && s.said[t] {
			l.rounds[k] = s.round[t] * unitsOf(k, l.Sensor.Lat)
		}
	}
	l.told = s.stand()
}

// unitsOf turns an item's unit into its quantity's: degrees of latitude and longitude into metres.
func unitsOf(k int, lat float64) float64 {
	switch k {
	case ofNorth:
		return geodesy.MeanRadiusM * geodesy.RadPerDegree
	case ofEast:
		return geodesy.MeanRadiusM * geodesy.RadPerDegree * math.Cos(lat*geodesy.RadPerDegree)
	}
	return 1
}

// assumed are the standard deviations that stand where nothing is declared.
func (s Sigmas) assumed(k int) float64 {
	switch k {
	case ofNorth, ofEast:
		return s.Horizontal
	case ofUp:
		return s.Vertical
	case ofHeading:
		return s.Heading
	case ofPitch, ofRoll:
		return s.Level
	case ofAzimuth, ofElevation:
		return s.Gimbal
	case ofGround:
		return s.Ground
	}
	return 0
}

// declaration is what was declared of a quantity: the standard deviation of the item that the look uses, in the quantity's unit.
func (l *Look) declaration(k int) (d *declared, row int, sigma float64) {
	for _, d := range l.told {
		for i, t := range d.tags {
			if t == l.tagOf[k] && d.sigma[i] == d.sigma[i] {
				return d, i, d.sigma[i] * unitsOf(k, l.Sensor.Lat)
			}
		}
	}
	return nil, 0, 0
}

// deviations are the errors that stand behind the sight: declared or assumed, and beside them the rounding of each item as it was
// sent; and how they go together.
func (l *Look) deviations(s *Sight) (dev deviations, with []correlation) {
	type place struct {
		d   *declared
		row int
	}
	var at [quantities]place
	for k := range quantities {
		sigma := 0.0
		if l.options != nil {
			sigma = l.options.Sigmas.assumed(k)
		}
		if d, row, told := l.declaration(k); d != nil {
			at[k], sigma = place{d, row}, told
		}
		dev[k] = math.Hypot(sigma, l.rounds[k])
	}
	for a := range quantities {
		for b := a + 1; b < quantities; b++ {
			if at[a].d == nil || at[a].d != at[b].d {
				continue
			}
			i, j := min(at[a].row, at[b].row), max(at[a].row, at[b].row)
			if rho := at[a].d.between(i, j); rho != 0 { // of the declared parts: rounding goes its own way
				_, _, sa := l.declaration(a)
				_, _, sb := l.declaration(b)
				with = append(with, correlation{a, b, rho * sa * sb / (dev[a] * dev[b])})
			}
		}
	}
	if s.HFOV == 0 || s.VFOV == 0 { // only the axis can be looked along
		dev[ofHFOV], dev[ofVFOV] = 0, 0
	}
	return dev, with
}

// grounded puts the error of the ground at a hit in its place: the terrain's own, and where datums are mixed the geoid's.
func (l *Look) grounded(dev *deviations, hit terrain.Hit) {
	if l.sight.Terrain != nil {
		dev[ofGround] = hit.Ground.SigmaM
	}
	if l.MixedDatum {
		dev[ofGround] = math.Hypot(dev[ofGround], UnknownGeoidSigmaM)
	}
}

// Ellipse95 is the 95 % error ellipse of Ray, false where there is none. It costs some twenty rays to a plane.
func (l *Look) Ellipse95() (geodesy.Ellipse, bool) {
	if !l.HasRay {
		return geodesy.Ellipse{}, false
	}
	dev, with := l.deviations(&l.sight)
	hit := terrain.Hit{At: l.Ray.geodetic()}
	if l.sight.Terrain != nil {
		hit.Ground, _ = l.sight.Terrain.At(l.Ray.LatLon())
	}
	l.grounded(&dev, hit)
	return l.sight.ellipse(pictured{}, hit.At, &dev, with)
}

// Errors says what the ellipse is made of.
func (l *Look) Errors() string {
	var declared, assumed []string
	for k := range quantities {
		if l.tagOf[k] == 0 || k == ofGround && l.sight.Terrain != nil {
			continue
		}
		if d, _, _ := l.declaration(k); d != nil {
			if r := klv.ST0601.Row(l.tagOf[k]); r != nil {
				declared = append(declared, r.Name)
			}
		} else if l.options != nil && l.options.Sigmas.assumed(k) > 0 {
			assumed = append(assumed, quantityNames[k])
		}
	}
	out := "rounding of the items as sent"
	if len(declared) > 0 {
		out += "; declared (item 102): " + strings.Join(declared, ", ")
	}
	if len(assumed) > 0 {
		out += "; assumed standard deviations: " + strings.Join(assumed, ", ")
	}
	if l.sight.Terrain != nil {
		out += "; the terrain's"
	}
	if l.MixedDatum {
		out += fmt.Sprintf("; %.0f m for a geoid that is not known", UnknownGeoidSigmaM)
	}
	return out
}

var quantityNames = [quantities]string{"latitude", "longitude", "height", "heading", "pitch", "roll", "gimbal azimuth", "gimbal elevation",
	"gimbal rotation", "field of view", "field of view", "ground height"}
