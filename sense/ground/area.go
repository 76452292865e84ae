package ground

import (
	"math"

	"github.com/golang/geo/s2"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// An area is rings in longitude and latitude, with longitudes that run on across ±180°. Its edges are listed by bands of latitude, so that a
// question looks at a few of them.
type area struct {
	box   box // longitude, latitude
	where s2.CellID
	edges [][4]float64 // lon, lat, lon, lat
	first []int32      // of each band's edges in of; one more than bands
	of    []int32
}

// mostListed bounds how often the edges of an area are listed in its bands, in multiples of their number.
const mostListed = 4

func newArea(rings [][]geodesy.LatLon) area {
	a := area{box: nowhere()}
	lon := rings[0][0].Lon
	a.where = s2.CellIDFromLatLng(s2.LatLngFromDegrees(rings[0][0].Lat, geodesy.Wrap180(lon)))
	for _, r := range rings {
		lon += geodesy.Wrap180(r[0].Lon - lon)
		from := lon
		for i, p := range r {
			q := r[(i+1)%len(r)]
			to := from + geodesy.Wrap180(q.Lon-p.Lon)
			a.edges = append(a.edges, [4]float64{from, p.Lat, to, q.Lat})
			a.box.join(box{[3]float64{math.Min(from, to), math.Min(p.Lat, q.Lat)}, [3]float64{math.Max(from, to), math.Max(p.Lat, q.Lat)}})
			from = to
		}
	}
	a.list()
	return a
}

// list sorts the edges into bands, as many as keep the lists short.
func (a *area) list() {
	bands := max(1, len(a.edges)/8)
	for ; bands > 1; bands /= 2 {
		listed := 0
		for i := range a.edges {
			low, high := a.bandsOf(i, bands)
			listed += high - low + 1
		}
		if listed <= mostListed*len(a.edges) {
			break
		}
	}
	a.first = make([]int32, bands+1)
	for i := range a.edges {
		low, high := a.bandsOf(i, bands)
		for b := low; b <= high; b++ {
			a.first[b+1]++
		}
	}
	for b := range bands {
		a.first[b+1] += a.first[b]
	}
	a.of = make([]int32, a.first[bands])
	next := append([]int32{}, a.first...)
	for i := range a.edges {
		low, high := a.bandsOf(i, bands)
		for b := low; b <= high; b++ {
			a.of[next[b]] = int32(i)
			next[b]++
		}
	}
}

func (a *area) bandsOf(edge, bands int) (low, high int) {
	e := &a.edges[edge]
	return a.band(math.Min(e[1], e[3]), bands), a.band(math.Max(e[1], e[3]), bands)
}

func (a *area) band(lat float64, bands int) int {
	high := a.box.high[1] - a.box.low[1]
	if high <= 0 {
		return 0
	}
	return max(0, min(bands-1, int((lat-a.box.low[1])/high*float64(bands))))
}

// holds reports whether a place lies inside: a line from it to the east crosses an odd number of edges (W. R. Franklin's form of the crossing
// test: an edge counts for the half-open interval of latitudes between its ends, so that a corner counts once).
func (a *area) holds(lon, lat float64) bool {
	b := a.band(lat, len(a.first)-1)
	in := false
	for _, i := range a.of[a.first[b]:a.first[b+1]] {
		e := &a.edges[i]
		if (e[1] > lat) != (e[3] > lat) && lon < e[0]+(e[2]-e[0])*(lat-e[1])/(e[3]-e[1]) {
			in = !in
		}
	}
	return in
}

// inArea reports whether p lies in any area.
func (t *things) inArea(p geodesy.LatLon) (in bool) {
	for turn := -360.0; turn <= 360 && !in; turn += 360 { // longitudes of areas run on
		lon := p.Lon + turn
		t.over.holding([3]float64{lon, p.Lat}, func(i int) bool {
			in = t.areas[i].holds(lon, p.Lat)
			return in
		})
	}
	return in
}
