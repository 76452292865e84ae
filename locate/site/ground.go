package site

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/detection"
	"github.com/atalaya-isr/atalaya/sense/ground"
)

// Ground says how much denser sites are at a place than on average, by what lies about it. It remembers what At was asked, since every assessment asks about
// the same cells. It is safe for concurrent use.
type Ground struct {
	at    *ground.Index
	mu    sync.Mutex
	known map[geodesy.LatLon]float64
}

// mostKnown bounds what is remembered, in places of some 60 bytes; then it begins anew.
const mostKnown = 1 << 20

// NewGround makes a Ground of layers. Their order does not matter.
func NewGround(layers ...*ground.Layer) *Ground {
	return &Ground{at: ground.NewIndex(layers...), known: map[geodesy.LatLon]float64{}}
}

// A bend is one row of the table: near it says up to nearM, far from farM on, and between them it runs smoothly from one to the other.
type bend struct{ nearM, near, farM, far float64 }

// The table: natural logarithms of how much denser sites are than on average. Assumptions, in orders of magnitude: materials come by vehicle, work
// needs water, neighbours talk. The sum lies between -2 and +0.9; the mean factor of the first is 1 over a
// country whose ways make a mesh of 17 km (TestMeanOfTheTable). Of towns only nearness says something.
var (
	byWay   = bend{1000, 0.5, 5000, -1.1}
	byWater = bend{500, 0.4, 3000, -0.2}
	byTown  = bend{0, -0.7, 2000, 0}
)

// at is the value of a row at a distance: 3t² - 2t³ of the way from near to far.
func (b bend) at(m float64) float64 {
	t := math.Max(0, math.Min(1, (m-b.nearM)/(b.farM-b.nearM)))
	return b.near + (b.far-b.near)*t*t*(3-2*t)
}

// known is the value of a row where the nearest thing that the layers tell of lies m metres away, and the ground about which they tell ends after
// inside metres: beyond that end another may be anywhere, so that no more is said against a place than its distance from the end would say.
func (b bend) known(m, inside float64) float64 {
	return math.Max(b.at(m), math.Min(0, b.at(inside)))
}

// surroundings are what lies about a place: metres, infinite where the layers tell of none within reach.
type surroundings struct {
	road, track, water, town float64
	way, wet                 float64 // values of the table
}

func (g *Ground) about(p geodesy.LatLon) surroundings {
	far := func(kinds ...ground.Kind) float64 {
		if d, ok := g.at.Distance(p, kinds...); ok {
			return d
		}
		return math.Inf(1)
	}
	s := surroundings{road: far(ground.Road), track: far(ground.Track), water: far(ground.River, ground.Water), town: far(ground.Town)}
	s.way = byWay.known(math.Min(s.road, s.track), g.at.Inside(p, ground.Road, ground.Track))
	s.wet = byWater.known(s.water, g.at.Inside(p, ground.River, ground.Water))
	return s
}

func (s surroundings) sum() float64 { return s.way + s.wet + byTown.at(s.town) }

// Most is what At never exceeds.
func (g *Ground) Most() float64 {
	return max(byWay.near, byWay.far) + max(byWater.near, byWater.far) + max(byTown.near, byTown.far)
}

// At is LogRatio without its words.
func (g *Ground) At(p geodesy.LatLon) float64 {
	g.mu.Lock()
	v, ok := g.known[p]
	g.mu.Unlock()
	if ok {
		return v
	}
	v = g.about(p).sum()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.known) >= mostKnown {
		clear(g.known)
	}
	g.known[p] = v
	return v
}

// LogRatio is the natural logarithm of how much denser sites are at a place than on average, between -2 and 0.9, and what it rests on. Where no layer
// says anything it is 0 without words.
func (g *Ground) LogRatio(p geodesy.LatLon) (float64, []atalaya.Sentence) {
	s := g.about(p)
	var said []atalaya.Sentence
	switch none := math.Inf(1); {
	case s.way == 0: // nothing known that counts
	case s.track < none && s.track <= s.road:
		said = append(said, atalaya.Say("near-track", "km", kilometres(s.track)))
	case s.road < none:
		said = append(said, atalaya.Say("near-road", "km", kilometres(s.road)))
	default:
		said = append(said, atalaya.Say("no-way"))
	}
	switch {
	case s.wet == 0:
	case !math.IsInf(s.water, 1):
		said = append(said, atalaya.Say("near-water", "km", kilometres(s.water)))
	default:
		said = append(said, atalaya.Say("no-water"))
	}
	switch {
	case s.town == 0:
		said = append(said, atalaya.Say("in-town"))
	case !math.IsInf(s.town, 1):
		said = append(said, atalaya.Say("near-town", "km", kilometres(s.town)))
	}
	return s.sum(), said
}

// kilometres is a distance as it is to be read: to 10 m below a kilometre, to 100 m below ten.
func kilometres(m float64) string {
	switch {
	case m < 995:
		return fmt.Sprintf("%.2f", m/1000)
	case m < 9950:
		return fmt.Sprintf("%.1f", m/1000)
	}
	return fmt.Sprintf("%.0f", m/1000)
}

// rightClass is how often a thing of a class bears a permit of that class, where it bears one; else it is of one of the others.
const rightClass = 0.95

// PermitSheet is a list of permits as a sheet of detections, by a sense that notices what is registered. A site hides behind a permit of any
// class alike, and so do things that no permit is given for and what is no place at all; a thing of a class bears, but for one time in twenty, a permit of its own.
func PermitSheet(name string, permits []ground.Permit, when time.Time) detection.Sheet {
	s := detection.Sheet{Schema: detection.Schema, Kind: "permit", Sensor: name, Found: make([]detection.Found, len(permits))}
	n := float64(len(ground.PermitClasses))
	for i, p := range permits {
		like := map[string]float64{}
		for _, c := range ground.PermitClasses {
			like[c] = (1 - rightClass) / (n - 1) * n // beside one of n, as an unexplained one is
			if c == p.Class {
				like[c] = rightClass * n
			}
		}
		v := p.SigmaM * p.SigmaM
		s.Found[i] = detection.Found{ID: fmt.Sprint(i + 1), Time: when, Lat: p.At.Lat, Lon: p.At.Lon, CovarianceM2: [2][2]float64{{v, 0}, {0, v}}, Likeness: like, Note: p.Name}
	}
	return s
}
