package app

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/sense/bearing"
	"github.com/atalaya-isr/atalaya/sense/gas"
	"github.com/atalaya-isr/atalaya/sense/report"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// Problem is something in a file that could not be read, and where.
type Problem struct {
	At   string `json:"at"`
	What string `json:"what"`
}

// seen is what a decoder makes of one file.
type seen struct {
	observations []atalaya.Observation // without mission, blob, path, sortie and marking, which are the file's
	cells        [][]uint64            // where each lies
	records      int
	problems     []Problem
}

// The bodies of observations: what maps and cards need; the full values stay in the blob.
type (
	// GasBody is one group of a gas survey.
	GasBody struct {
		Compounds []string `json:"compounds"`
		Samples   int      `json:"samples"`
		Main      string   `json:"compound"` // the compound that Points show
		Unit      string   `json:"unit"`
		// Background is the tenth percentile of the main compound over the group: a picture's baseline, not an estimate.
		Background float64 `json:"background"`
		// Points are longitude, latitude, seconds after the first sample, value, wind direction from (degrees), wind speed
		// (m/s), at most maxPoints; the wind is -1 where none was measured. Empty for a survey that has no place on the Earth.
		Points [][6]float64 `json:"points"`
	}
	// VideoBody is the metadata track of a video.
	VideoBody struct {
		Packets    int64           `json:"packets"`
		Datum      string          `json:"height_datum"`
		Path       [][3]float64    `json:"path"`       // longitude, latitude, seconds after the first
		Footprints []FootprintBody `json:"footprints"` // thinned to at most maxPoints
	}
	// FootprintBody is ground seen at one time.
	FootprintBody struct {
		T    float64       `json:"t_s"`
		Ring [4][2]float64 `json:"ring"` // longitude, latitude
	}
	// BearingsBody is all bearings on one emitter.
	BearingsBody struct {
		Emitter string       `json:"emitter"`
		Rows    []BearingRow `json:"rows"`
	}
	// BearingRow is one bearing.
	BearingRow struct {
		T        float64 `json:"t_s"`
		Lat      float64 `json:"lat"`
		Lon      float64 `json:"lon"`
		Height   float64 `json:"height_hae_m"`
		Deg      float64 `json:"bearing_deg"`
		SigmaDeg float64 `json:"sigma_deg"`
		Group    string  `json:"bias_group,omitempty"`
	}
	// ReportBody is a report with its gist; the text as it came, byte for byte, is the blob.
	ReportBody struct {
		*report.Report
		Gist   *string `json:"gist"` // null where there is no translator, or no need of one
		GistBy string  `json:"gist_by"`
	}
)

// maxPoints bounds what a body holds of a long track; the blob has all of it.
const maxPoints = 1500

// thin gives every k-th of n indices, so that at most maxPoints remain, and always the first.
func thin(n int) []int {
	step := max(1, (n+maxPoints-1)/maxPoints)
	var out []int
	for i := 0; i < n; i += step {
		out = append(out, i)
	}
	return out
}

const placeLevel = 13 // of the S2 cells by which observations are found: 1.3 km²

// around lists the cells of positions, each once, ascending.
func cellsAround(ps []geodesy.LatLon) []uint64 {
	var out []uint64
	for _, p := range ps {
		if p.Valid() {
			out = append(out, uint64(geodesy.CellOf(p, placeLevel)))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// surveyOf reads a gas survey, with the mission's origin and start where the file names none.
func surveyOf(r io.Reader, name string, m MissionFile) (*gas.Survey, error) {
	s, err := gas.Read(r, name)
	if err != nil {
		return nil, err
	}
	if s.Origin == nil && !s.Geographic() && len(m.Origin) >= 2 {
		s.Origin = &geodesy.LatLon{Lat: m.Origin[0], Lon: m.Origin[1]}
	}
	if s.Start.IsZero() {
		s.Start = m.epoch()
	}
	return s, nil
}

func observeGas(r io.Reader, name string, m MissionFile) (seen, error) {
	s, err := surveyOf(r, name, m)
	if err != nil {
		return seen{}, err
	}
	out := seen{records: s.Len()}
	for _, p := range s.Problems {
		out.problems = append(out.problems, Problem{p.At, p.What})
	}
	if len(s.Compounds) == 0 {
		return out, nil
	}
	frame, placed := s.Frame()
	for _, rows := range s.GroupRows() {
		if len(rows) == 0 {
			continue
		}
		main := mainCompound(s, rows)
		body := GasBody{Samples: len(rows), Main: main.Name, Unit: main.Unit.String(), Points: [][6]float64{}}
		for _, c := range s.Compounds {
			body.Compounds = append(body.Compounds, c.Name)
		}
		body.Background = lowDecile(main.Value, rows)
		var where []geodesy.LatLon
		for _, i := range rows {
			if p, ok := s.LatLon(frame, i); placed && ok {
				where = append(where, p)
			}
		}
		for _, k := range thin(len(rows)) {
			i := rows[k]
			p, ok := s.LatLon(frame, i)
			if !placed || !ok || math.IsNaN(main.Value[i]) {
				continue
			}
			from, speed := windOf(s, i)
			body.Points = append(body.Points, [6]float64{p.Lon, p.Lat, s.T[i] - s.T[rows[0]], main.Value[i], from, speed})
		}
		o := atalaya.Observation{Kind: atalaya.GasSurvey, Sensor: s.SensorName(rows[0]), Part: s.GroupName(rows[0]), Body: mustJSON(body)}
		if !s.Start.IsZero() {
			o.When.From, o.When.To = spanOf(s, rows)
		}
		out.observations, out.cells = append(out.observations, o), append(out.cells, cellsAround(where))
	}
	return out, nil
}

// mainCompound is the one whose largest value stands furthest above its tenth percentile, in units of the spread below the
// median: what an eye would pick for a picture. The first wins a tie.
func mainCompound(s *gas.Survey, rows []int) *gas.Compound {
	best, most := &s.Compounds[0], math.Inf(-1)
	for k := range s.Compounds {
		c := &s.Compounds[k]
		v := measured(c.Value, rows)
		if len(v) == 0 {
			continue
		}
		slices.Sort(v)
		low, mid := v[len(v)/10], v[len(v)/2]
		if up := (v[len(v)-1] - low) / (mid - low + 1e-12*math.Abs(mid) + math.SmallestNonzeroFloat64); up > most {
			best, most = c, up
		}
	}
	return best
}

func measured(column []float64, rows []int) []float64 {
	var v []float64
	for _, i := range rows {
		if !math.IsNaN(column[i]) {
			v = append(v, column[i])
		}
	}
	return v
}

func lowDecile(column []float64, rows []int) float64 {
	v := measured(column, rows)
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[len(v)/10]
}

// windOf is the direction that the wind of a row came from and its speed, -1 and -1 where none was measured.
func windOf(s *gas.Survey, i int) (fromDeg, speed float64) {
	if s.U == nil || math.IsNaN(s.U[i]) || math.IsNaN(s.V[i]) {
		return -1, -1
	}
	return geodesy.Wrap360(math.Atan2(-s.U[i], -s.V[i]) / geodesy.RadPerDegree), math.Hypot(s.U[i], s.V[i])
}

func spanOf(s *gas.Survey, rows []int) (from, to time.Time) {
	for _, i := range rows {
		t, ok := s.TimeOf(i)
		if !ok {
			continue
		}
		if from.IsZero() || t.Before(from) {
			from = t
		}
		if t.After(to) {
			to = t
		}
	}
	return from.UTC(), to.UTC()
}

func observeBearings(r io.Reader, name string, _ MissionFile) (seen, error) {
	set, err := bearing.Read(r, name)
	if err != nil {
		return seen{}, err
	}
	out := seen{records: len(set.Bearings)}
	for _, p := range set.Problems {
		out.problems = append(out.problems, Problem{p.At, p.What})
	}
	var order []string
	by := map[string][]bearing.Bearing{}
	for _, b := range set.Bearings {
		if _, ok := by[b.Emitter]; !ok {
			order = append(order, b.Emitter)
		}
		by[b.Emitter] = append(by[b.Emitter], b)
	}
	slices.Sort(order)
	for _, name := range order {
		bs := by[name]
		o := atalaya.Observation{Kind: atalaya.Bearings, Sensor: "direction finder", Part: name}
		o.When = atalaya.Span{From: bs[0].Time.UTC(), To: bs[0].Time.UTC()}
		for _, b := range bs {
			if b.Time.Before(o.When.From) {
				o.When.From = b.Time.UTC()
			}
			if b.Time.After(o.When.To) {
				o.When.To = b.Time.UTC()
			}
		}
		body := BearingsBody{Emitter: name}
		var where []geodesy.LatLon
		for _, b := range bs {
			body.Rows = append(body.Rows, BearingRow{b.Time.Sub(o.When.From).Seconds(), b.From.Lat, b.From.Lon, b.From.HeightHAE, b.Deg, b.SigmaDeg, b.BiasGroup})
			where = append(where, b.From.LatLon())
		}
		o.Body = mustJSON(body)
		out.observations, out.cells = append(out.observations, o), append(out.cells, cellsAround(where))
	}
	return out, nil
}

func observeVideo(r io.Reader, name string, _ MissionFile) (seen, error) {
	t, err := video.ReadTrack(r, video.DefaultSigmas)
	if err != nil {
		return seen{}, err
	}
	out := seen{records: int(t.Packets)}
	for _, p := range t.Problems {
		out.problems = append(out.problems, Problem{fmt.Sprintf("byte %d", p.At), p.What})
	}
	if t.Packets == 0 {
		return out, nil
	}
	body := VideoBody{Packets: t.Packets, Datum: string(t.Datum), Path: [][3]float64{}, Footprints: []FootprintBody{}}
	since := func(at time.Time) float64 { return at.Sub(t.From).Seconds() }
	for _, i := range thin(len(t.Looks)) {
		l := &t.Looks[i]
		if l.HasSensor && l.HasTime {
			body.Path = append(body.Path, [3]float64{l.Sensor.Lon, l.Sensor.Lat, since(l.Time)})
		}
	}
	prints := t.Footprints()
	for _, i := range thin(len(prints)) {
		f := prints[i]
		fb := FootprintBody{}
		if f.HasTime {
			fb.T = since(f.Time)
		}
		for k, p := range f.Ring {
			fb.Ring[k] = [2]float64{p.Lon, p.Lat}
		}
		body.Footprints = append(body.Footprints, fb)
	}
	o := atalaya.Observation{Kind: atalaya.VideoTrack, Sensor: firstOf(t.Sensor, t.Platform, t.Tail, "video"), When: atalaya.Span{From: t.From.UTC(), To: t.To.UTC()}, Body: mustJSON(body)}
	out.observations, out.cells = []atalaya.Observation{o}, [][]uint64{cellsOver(prints)}
	return out, nil
}

func firstOf(names ...string) string {
	for _, n := range names {
		if n = strings.TrimSpace(n); n != "" {
			return n
		}
	}
	return ""
}

func observeReport(r io.Reader, name string, m MissionFile) (seen, error) {
	rep, err := report.Read(r, name)
	if err != nil {
		return seen{}, err
	}
	out := seen{records: 1}
	for _, p := range rep.Problems {
		out.problems = append(out.problems, Problem{p.At, p.What})
	}
	at := rep.Date
	if at.IsZero() {
		at = m.epoch()
	}
	o := atalaya.Observation{Kind: atalaya.Report, Sensor: "report", When: atalaya.Span{From: at.UTC(), To: at.UTC()}, Body: mustJSON(ReportBody{Report: rep})}
	for _, f := range rep.Header { // one origin counts once, however often it is passed on
		if f.Key == "origen" || f.Key == "origin" {
			o.Lineage = append(o.Lineage, f.Value)
		}
	}
	if key := site.WordsKey(wordsOf(rep)); key != "" {
		o.Lineage = append(o.Lineage, key)
	}
	var where []geodesy.LatLon
	if rep.Place != nil {
		where = append(where, *rep.Place)
	}
	out.observations, out.cells = []atalaya.Observation{o}, [][]uint64{cellsAround(where)}
	return out, nil
}

// decoders are the kinds of file that become observations; the others are recognised and wait for their part.
var decoders = map[string]func(io.Reader, string, MissionFile) (seen, error){
	"gas-survey": observeGas, "bearings": observeBearings, "mpegts": observeVideo, "klv": observeVideo, "text": observeReport,
	"detections": observeSheet, "geojson": observeGround,
}

// reportOf reads the body of a report observation back.
func reportOf(o atalaya.Observation) (ReportBody, error) {
	var b ReportBody
	return b, json.Unmarshal(o.Body, &b)
}
