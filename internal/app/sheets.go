package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/golang/geo/s2"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/sense/detection"
	"github.com/atalaya-isr/atalaya/sense/jsonfile"
)

type (
	// SheetBody is a sheet of detections: what maps and cards need of it.
	SheetBody struct {
		Of         string       `json:"of"` // the kind of the sheet
		Detections int          `json:"detections"`
		Looks      int          `json:"looks"`
		Found      []SheetPoint `json:"found"`      // thinned to at most maxPoints
		Footprints []SheetLook  `json:"footprints"` // thinned to at most maxSheetLooks, their rings to maxSheetCorners
	}
	// SheetPoint is one detection of a sheet, with the shift that the sheet shares in its covariance.
	SheetPoint struct {
		ID           string        `json:"id"`
		T            float64       `json:"t_s"`
		Lat          float64       `json:"lat"`
		Lon          float64       `json:"lon"`
		CovarianceM2 [2][2]float64 `json:"covariance_m2"`
		Note         string        `json:"note,omitempty"`
	}
	// SheetLook is ground looked at.
	SheetLook struct {
		T    float64      `json:"t_s"`
		Ring [][2]float64 `json:"ring"` // longitude, latitude; not closed
	}
	// SheetFinding is the body of a detection of a sheet.
	SheetFinding struct {
		headline
		ID      string                      `json:"id"`
		Real    *float64                    `json:"real,omitempty"`
		RateKgS map[string]atalaya.Interval `json:"rate_kg_s,omitempty"`
	}
)

// Kinds of detections that sheets bring: those of the senses that have a table.
const (
	ofGas      atalaya.DetectionKind = "gas"
	ofSpectral atalaya.DetectionKind = "spectral"
	ofThermal  atalaya.DetectionKind = "thermal"
	ofVideo    atalaya.DetectionKind = "video"
	ofMover    atalaya.DetectionKind = "mover"
	ofSignal   atalaya.DetectionKind = "signal"
	ofPermit   atalaya.DetectionKind = "permit"
)

const (
	maxSheetLooks   = 300
	maxSheetCorners = 60
	// mostSheetCells bounds the cells of which all detections of one sheet say something, 16 bytes each: 64 MB. A detection takes some hundred.
	mostSheetCells = 4_000_000
)

func observeSheet(r io.Reader, name string, m MissionFile) (seen, error) {
	s, problems, err := detection.Read(r, name)
	out := seen{problems: problemsOf(problems)}
	if err != nil {
		return seen{}, err
	}
	if out.records = len(s.Found) + len(s.Looks); out.records == 0 {
		return out, nil
	}
	o := sheetObservation(s)
	o.Kind = atalaya.Detections
	if s.Sortie != "" {
		if slices.ContainsFunc(m.Sorties, func(f atalaya.Sortie) bool { return f.ID == s.Sortie }) {
			o.Sortie = s.Sortie
		} else {
			out.problems = append(out.problems, Problem{"key sortie", fmt.Sprintf("%s is no sortie of mission.yaml; that of the file is taken. Name it among `sorties`", s.Sortie)})
		}
	}
	out.observations, out.cells = []atalaya.Observation{o}, [][]uint64{sheetCells(s)}
	return out, nil
}

func problemsOf(list []jsonfile.Problem) (out []Problem) {
	for _, p := range list {
		out = append(out, Problem{p.At, p.What})
	}
	return out
}

// sheetObservation is a sheet as an observation, without its kind.
func sheetObservation(s *detection.Sheet) atalaya.Observation {
	span := spanOfSheet(s)
	body := SheetBody{Of: s.Kind, Detections: len(s.Found), Looks: len(s.Looks), Found: []SheetPoint{}, Footprints: []SheetLook{}}
	for _, i := range thin(len(s.Found)) {
		f := s.Found[i]
		c := f.CovarianceM2
		c[0][0], c[1][1] = c[0][0]+s.BiasM*s.BiasM, c[1][1]+s.BiasM*s.BiasM
		body.Found = append(body.Found, SheetPoint{f.ID, f.Time.Sub(span.From).Seconds(), f.Lat, f.Lon, c, f.Note})
	}
	for i := 0; i < len(s.Looks); i += (len(s.Looks) + maxSheetLooks - 1) / maxSheetLooks {
		l := s.Looks[i]
		look := SheetLook{T: l.When.From.Sub(span.From).Seconds()}
		for k := 0; k < len(l.Ring); k += (len(l.Ring) + maxSheetCorners - 1) / maxSheetCorners {
			look.Ring = append(look.Ring, [2]float64{l.Ring[k].Lon, l.Ring[k].Lat})
		}
		body.Footprints = append(body.Footprints, look)
	}
	return atalaya.Observation{Sensor: s.Sensor, When: span, Body: mustJSON(body)}
}

func spanOfSheet(s *detection.Sheet) (span atalaya.Span) {
	take := func(from, to time.Time) {
		if span.From.IsZero() || from.Before(span.From) {
			span.From = from
		}
		if to.After(span.To) {
			span.To = to
		}
	}
	for _, f := range s.Found {
		take(f.Time, f.Time)
	}
	for _, l := range s.Looks {
		take(l.When.From, l.When.To)
	}
	return span
}

func sheetCells(s *detection.Sheet) []uint64 {
	var at []geodesy.LatLon
	for _, f := range s.Found {
		at = append(at, geodesy.LatLon{Lat: f.Lat, Lon: f.Lon})
	}
	var union s2.CellUnion
	for _, c := range cellsAround(at) {
		union = append(union, s2.CellID(c))
	}
	for _, l := range s.Looks {
		for _, c := range covered(l.Ring) {
			union = append(union, s2.CellID(c))
		}
	}
	union.Normalize()
	out := make([]uint64, len(union))
	for i, c := range union {
		out[i] = uint64(c)
	}
	return out
}

// findSheet gives each detection of a sheet, and one coverage for all that was looked at.
func (a *App) findSheet(ctx context.Context, o atalaya.Observation) ([]found, error) {
	b, err := a.Record.Blobs().Open(o.Blob)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	s, _, err := detection.Read(b, o.Path)
	if err != nil {
		return nil, err
	}
	return findInSheet(ctx, o, s, mostSheetCells)
}

func findInSheet(ctx context.Context, o atalaya.Observation, s *detection.Sheet, mostCells int) ([]found, error) {
	one := *s
	one.Found = nil
	var out []found
	for _, e := range site.FromSheet(one) {
		d := atalaya.Detection{Kind: atalaya.Coverage, When: e.When, Body: mustJSON(SheetFinding{headline: headline{e.Note, e.Said}})}
		out = append(out, found{d, []atalaya.Evidence{e}})
	}
	cells := 0
	one.Looks = nil
	for i, f := range s.Found {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		one.Found = s.Found[i : i+1]
		e := site.FromSheet(one)[0]
		if cells += len(e.Cells); cells > mostCells {
			return nothing(o, failure(atalaya.BadInput, "Leave out what is known to no better than kilometres, or split the sheet",
				"its detections are spread over more ground than can be weighed, from number %d on", i+1))
		}
		d := atalaya.Detection{Kind: atalaya.DetectionKind(s.Kind), When: e.When, Place: e.Place, Body: mustJSON(SheetFinding{headline{e.Note, e.Said}, f.ID, f.Real, f.RateKgS})}
		out = append(out, found{d, []atalaya.Evidence{e}})
	}
	return out, nil
}

// sensed is when something was sensed: its own time where it has one, else that of the whole observation.
func sensed(own, whole atalaya.Span) atalaya.Span {
	if own.To.IsZero() {
		return whole
	}
	return own
}

// summaryOfSheet says in a line what a sheet holds.
func summaryOfSheet(body json.RawMessage) (says atalaya.Sentence, known bool) {
	var b SheetBody
	if json.Unmarshal(body, &b) != nil {
		return says, false
	}
	return atalaya.Say("sheet", "n", fmt.Sprint(b.Detections), "kind", b.Of, "looks", fmt.Sprint(b.Looks)), true
}
