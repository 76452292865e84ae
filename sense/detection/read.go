package detection

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/jsonfile"
)

// Bounds of one sheet. Beyond them it is refused at once, whatever its size, so that memory and time stay bounded.
const (
	MaxFound   = 100_000
	MaxLooks   = 10_000
	MaxCorners = 1000 // of one ring
)

// Read reads one sheet; name is the file's name in messages. A look or a detection that cannot be true is left out and told, and so is a
// key that means nothing here; the error (an *atalaya.Error) is for a file that is no sheet, that breaks off, or of which nothing is left.
func Read(r io.Reader, name string) (*Sheet, []jsonfile.Problem, error) {
	p := &reading{Reader: jsonfile.NewReader(r, name, "detection.read"), ids: map[string]bool{}}
	p.Page = "docs/reference/detections.md"
	err := p.Object("sheet of detections", p.member)
	if err == nil {
		err = p.end()
	}
	if err != nil {
		return nil, p.Problems(), err
	}
	return &p.s, p.Problems(), nil
}

type reading struct {
	*jsonfile.Reader
	s   Sheet
	ids map[string]bool
}

func (p *reading) member(key string) error {
	s := &p.s
	switch key {
	case "schema":
		if err := p.Value(key, &s.Schema); err != nil {
			return err
		}
		if s.Schema != Schema {
			return p.Fail(keyPlace(key), "Give "+Schema+", or convert the file", "%q is a schema that is not read here", jsonfile.Short(s.Schema))
		}
		return nil
	case "kind":
		return p.Value(key, &s.Kind)
	case "sensor":
		return p.Value(key, &s.Sensor)
	case "sortie":
		return p.Value(key, &s.Sortie)
	case "bias_m":
		return p.Value(key, &s.BiasM)
	case "bias_group":
		return p.Value(key, &s.BiasGroup)
	case "looks":
		return p.List(key, "look", MaxLooks, p.look)
	case "detections":
		return p.List(key, "detection", MaxFound, p.found)
	}
	return p.Pass(key)
}

// end judges the sheet as a whole.
func (p *reading) end() error {
	s := &p.s
	if s.Schema == "" {
		return p.Fail("key schema", `Write "schema":"`+Schema+`"`, "no schema: this is no sheet of detections")
	}
	if f := s.header(); f != nil {
		return p.Fail(f.place, f.hint, "%s", f.what)
	}
	if e := p.FirstLost(); e != nil && len(s.Looks) == 0 && len(s.Found) == 0 {
		return e
	}
	return nil
}

func keyPlace(key string) string { return "key " + key }

// lose tells a look or a detection that was left out.
func (p *reading) lose(place string, f *fault) error {
	p.Tell(true, p.Fail(place, f.hint, "%s", f.what))
	return nil
}

func (p *reading) look(place string, raw []byte) error {
	var l struct {
		When *json.RawMessage
		Ring [][]float64
		PD   *float64
	}
	if !p.Fields(place, raw, map[string]any{"when": &l.When, "ring": &l.Ring, "pd": &l.PD}) {
		return nil
	}
	out := Look{}
	if f := l.When; f != nil {
		var from, to timeText
		if !p.Fields(place, *f, map[string]any{"from": &from, "to": &to}) {
			return nil
		}
		out.When = atalaya.Span{From: time.Time(from), To: time.Time(to)}
	}
	if len(l.Ring) > MaxCorners+1 {
		return p.lose(place, wrong(fmt.Sprintf("Give at most %d corners", MaxCorners), "a ring of %d corners", len(l.Ring)))
	}
	for _, c := range l.Ring {
		if len(c) != 2 {
			return p.lose(place, wrong("Write each corner as [latitude, longitude]", "a corner of %d numbers", len(c)))
		}
		out.Ring = append(out.Ring, geodesy.LatLon{Lat: c[0], Lon: c[1]})
	}
	if n := len(out.Ring); n > 3 && out.Ring[0] == out.Ring[n-1] {
		for n > 3 && out.Ring[0] == out.Ring[n-1] {
			n--
		}
		out.Ring = out.Ring[:n]
		p.Tell(false, p.Fail(place, "Leave the last corner out", "the ring is closed"))
	}
	if l.PD == nil {
		return p.lose(place, wrong("Give how probably a working site there would have stood out, 0 to 1", "no pd"))
	}
	out.PD = *l.PD
	if f := out.fault(); f != nil {
		return p.lose(place, f)
	}
	p.s.Looks = append(p.s.Looks, out)
	return nil
}

func (p *reading) found(place string, raw []byte) error {
	var f Found
	var lat, lon *float64
	var at timeText
	var c [][]float64
	var rates map[string]json.RawMessage
	if !p.Fields(place, raw, map[string]any{"id": &f.ID, "time": &at, "lat": &lat, "lon": &lon, "covariance_m2": &c, "real": &f.Real, "pd": &f.PD,
		"likeness": &f.Likeness, "rate_kg_s": &rates, "lineage": &f.Lineage, "note": &f.Note}) {
		return nil
	}
	switch {
	case lat == nil || lon == nil:
		return p.lose(place, wrong("Give lat and lon in degrees", "no position"))
	case len(c) != 2 || len(c[0]) != 2 || len(c[1]) != 2:
		return p.lose(place, wrong("Write [[east, both],[both, north]], square metres", "covariance_m2 is no matrix of two by two"))
	}
	f.Time, f.Lat, f.Lon, f.CovarianceM2 = time.Time(at), *lat, *lon, [2][2]float64{{c[0][0], c[0][1]}, {c[1][0], c[1][1]}}
	for _, gas := range slices.Sorted(maps.Keys(rates)) {
		var r atalaya.Interval
		if !p.Fields(place, rates[gas], map[string]any{"mean": &r.Mean, "p05": &r.P05, "p50": &r.P50, "p95": &r.P95}) {
			return nil
		}
		if f.RateKgS == nil {
			f.RateKgS = map[string]atalaya.Interval{}
		}
		f.RateKgS[gas] = r
	}
	if fault := f.fault(); fault != nil {
		return p.lose(place, fault)
	}
	if p.ids[f.ID] {
		return p.lose(place, wrong("Give each detection an id of its own", "%q is the id of an earlier one", jsonfile.Short(f.ID)))
	}
	p.ids[f.ID] = true
	p.s.Found = append(p.s.Found, f)
	return nil
}
