// Package score says how well a result found a known truth: how far, how strong, and whether the intervals held what they
// promised. It takes JSON documents and gives figures; it opens no file.
package score

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/atalaya-isr/atalaya"
)

// Schema names the JSON form of a score.
const Schema = "atalaya.score/1"

// Share is how often something held, with the Jeffreys interval of 95 % for the underlying probability (Brown, Cai and
// DasGupta, Statistical Science 16(2), 2001, doi:10.1214/ss/1009213286).
type Share struct {
	Held int     `json:"held"`
	Of   int     `json:"of"`
	Low  float64 `json:"p025"`
	High float64 `json:"p975"`
}

// shareOf counts.
func shareOf(held, of int) Share {
	b := distuv.Beta{Alpha: float64(held) + 0.5, Beta: float64(of-held) + 0.5}
	s := Share{Held: held, Of: of, Low: b.Quantile(0.025), High: b.Quantile(0.975)}
	if held == 0 {
		s.Low = 0
	}
	if held == of {
		s.High = 1
	}
	return s
}

// Holds reports whether a stated probability lies in the interval.
func (s Share) Holds(p float64) bool { return s.Low <= p && p <= s.High }

// regions of a source or a site, as GeoJSON geometries.
type regions = atalaya.Regions

// inside reports whether a point lies in a GeoJSON Polygon or MultiPolygon, by the parity of crossings over all rings.
func inside(geometry json.RawMessage, x, y float64) (bool, error) {
	a, err := areaOf(geometry)
	if err != nil {
		return false, err
	}
	return a.holds(x, y), nil
}

// Inside reports whether a GeoJSON Polygon or MultiPolygon holds a position.
func Inside(geometry json.RawMessage, lat, lon float64) (bool, error) {
	return inside(geometry, lon, lat)
}

// area is a Polygon or a MultiPolygon: polygons of rings of positions.
type area [][][][2]float64

func areaOf(geometry json.RawMessage) (area, error) {
	var g struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	}
	if len(geometry) == 0 {
		return nil, fmt.Errorf("no region")
	}
	if err := json.Unmarshal(geometry, &g); err != nil {
		return nil, err
	}
	var polygons [][][][]float64
	switch g.Type {
	case "Polygon":
		polygons = make([][][][]float64, 1)
		if err := json.Unmarshal(g.Coordinates, &polygons[0]); err != nil {
			return nil, err
		}
	case "MultiPolygon":
		if err := json.Unmarshal(g.Coordinates, &polygons); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("a region is a Polygon or a MultiPolygon, not %q", g.Type)
	}
	out := make(area, len(polygons))
	for i, rings := range polygons {
		for _, r := range rings {
			ring := make([][2]float64, len(r))
			for k, at := range r {
				if len(at) < 2 {
					return nil, fmt.Errorf("a position has fewer than two numbers")
				}
				ring[k] = [2]float64{at[0], at[1]}
			}
			out[i] = append(out[i], ring)
		}
	}
	return out, nil
}

func (a area) holds(x, y float64) bool {
	for _, rings := range a {
		in := false
		for _, r := range rings {
			for i := range r {
				a, b := r[i], r[(i+1)%len(r)]
				if (a[1] > y) != (b[1] > y) && x < a[0]+(y-a[1])/(b[1]-a[1])*(b[0]-a[0]) {
					in = !in
				}
			}
		}
		if in {
			return true
		}
	}
	return false
}

var nan = math.NaN()

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Clone(v)
	slices.Sort(v)
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

// number is a figure for JSON, which knows no NaN: null then.
type number float64

// MarshalJSON writes null for what is no number.
func (n number) MarshalJSON() ([]byte, error) {
	if f := float64(n); math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}
