package app

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/emitter"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/product/figure"
)

// found is one thing that stood out, with what it says of the ground.
type found struct {
	detection atalaya.Detection
	evidence  []atalaya.Evidence
}

// find asks the estimator of an observation's kind.
func (a *App) find(ctx context.Context, o atalaya.Observation, m MissionState, seed uint64) ([]found, error) {
	switch o.Kind {
	case atalaya.GasSurvey:
		return a.findGas(ctx, o, m, seed)
	case atalaya.Bearings:
		return findEmitter(o)
	case atalaya.VideoTrack:
		return findCoverage(o)
	case atalaya.Movers:
		return a.findMovers(ctx, o)
	case atalaya.Report:
		return findMention(o)
	case atalaya.Detections:
		return a.findSheet(ctx, o)
	case atalaya.GroundLayer:
		return a.findPermits(ctx, o)
	}
	return nil, fmt.Errorf("no estimator for observations of kind %s", o.Kind)
}

// GasFinding is the body of a gas detection.
type GasFinding struct {
	headline
	Group  *source.Group `json:"group"`
	Source int           `json:"source"` // which of the group's sources
	// Picture is what the gas room draws; with the first finding of a group alone, for it is of all.
	Picture *figure.Picture `json:"picture,omitempty"`
	gasMore
}

// headline is what a detection is called in a list, in English and by codes.
type headline struct {
	Headline string             `json:"headline"`
	Said     []atalaya.Sentence `json:"said,omitempty"`
}

func headlineOf(said ...atalaya.Sentence) headline { return headline{atalaya.English(said), said} }

// duty is the probability that a working site emits while it is flown past: an assumption, see locate/site.
const duty = 0.7

func (a *App) findGas(ctx context.Context, o atalaya.Observation, m MissionState, seed uint64) ([]found, error) {
	b, err := a.Record.Blobs().Open(o.Blob)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	s, err := surveyOf(b, o.Path, m.MissionFile)
	if err != nil {
		return nil, err
	}
	in, err := source.FromSurvey(s, false)
	if err != nil {
		return nothing(o, err)
	}
	in.Groups = slices.DeleteFunc(in.Groups, func(g source.Survey) bool { return g.Group != o.Part })
	if in.Frame == nil || len(in.Groups) == 0 {
		return nothing(o, failure(atalaya.BadInput, "Give `origin` in the survey or in mission.yaml", "the survey has no place on the Earth"))
	}
	res, err := source.Locate(ctx, in, source.Options{Seed: seed})
	if err != nil {
		if atalaya.KindOf(err) == atalaya.BadInput {
			return nothing(o, err)
		}
		return nil, err
	}
	g := &res.Groups[0]
	picture, more, err := drawnOf(ctx, s, in, g, seed)
	if err != nil {
		return nil, err
	}
	if len(g.Sources) == 0 {
		look := gasLook(in, g)
		return []found{{atalaya.Detection{Kind: atalaya.Coverage, Body: mustJSON(GasFinding{headlineOf(atalaya.Say("gas-no-found")), g, -1, picture, more})}, []atalaya.Evidence{look}}}, nil
	}
	var out []found
	for i, src := range g.Sources {
		if src.Lat == nil || src.Lon == nil {
			continue
		}
		place := atalaya.Place{Lat: *src.Lat, Lon: *src.Lon, CovarianceM2: src.CovarianceM2, Regions: src.Regions}
		p := 0.0 // that there are at least this many sources
		for _, v := range countsFrom(g, i+1) {
			p += v
		}
		rates := ratesInWords(src.RateKgS)
		e := site.FromDetection(sense("gas").Known(site.Detection{Place: &place, RateKgS: src.RateKgS,
			Said:  []atalaya.Sentence{atalaya.Say("gas-source", "p", fmt.Sprintf("%.2f", p), "rates", rates)},
			Modes: []site.Mode{{At: geodesy.LatLon{Lat: place.Lat, Lon: place.Lon}, CovarianceM2: place.CovarianceM2, Weight: 1}}}, nil, min(max(p, 1e-3), 1), 0))
		out = append(out, found{atalaya.Detection{Kind: atalaya.GasSource, Place: &place, Body: mustJSON(GasFinding{headlineOf(atalaya.Say("gas-found", "rates", rates)), g, i, picture, more})}, []atalaya.Evidence{e}})
		picture, more = nil, gasMore{} // told once
	}
	return out, nil
}

// gasLook is what a survey that found nothing says against the ground about it: at each place the ratio of what was measured
// with a source there to what was measured without, tempered by the chance that a working site rests. Worked out on a lattice
// of the window that sites are asked about, and read at the nearest node.
func gasLook(in source.Input, g *source.Group) atalaya.Evidence {
	box, ok := aboutSamples(in)
	if !ok {
		return atalaya.Evidence{}
	}
	side := max(site.ScaleM, (box[2]-box[0])/60, (box[3]-box[1])/60)
	nx, ny := int((box[2]-box[0])/side)+1, int((box[3]-box[1])/side)+1
	var nodes [][2]float64
	for j := range ny {
		for i := range nx {
			nodes = append(nodes, [2]float64{box[0] + (float64(i)+0.5)*side, box[1] + (float64(j)+0.5)*side})
		}
	}
	ratio := g.LogRatio(nodes, side)
	var ring []geodesy.LatLon
	for _, c := range [][2]float64{{box[0], box[1]}, {box[2], box[1]}, {box[2], box[3]}, {box[0], box[3]}} {
		ring = append(ring, in.Frame.GroundFromENU(c[0], c[1]))
	}
	e := site.FromField("gas", "", ring, func(p geodesy.LatLon) float64 {
		xy := in.Frame.GroundENU(p)
		i, j := int((xy[0]-box[0])/side), int((xy[1]-box[1])/side)
		if xy[0] < box[0] || xy[1] < box[1] || i >= nx || j >= ny {
			return 0
		}
		return math.Min(0, math.Log(1-duty+duty*math.Exp(ratio[j*nx+i])))
	})
	e.Others = sense("gas").Looked()
	return site.Saying(e, atalaya.Say("gas-none"))
}

// sense finds a sense that has a table.
func sense(kind string) site.Sense {
	s, ok := site.SenseOf(kind)
	if !ok {
		panic("app: no table of the sense " + kind)
	}
	return s
}

// countsFrom are the probabilities of n sources or more.
func countsFrom(g *source.Group, n int) []float64 {
	var out []float64
	for k := n; k <= 9; k++ {
		if v, ok := g.Count[fmt.Sprint(k)]; ok {
			out = append(out, v)
		}
	}
	return out
}

// nothing is what is found in an observation that cannot be judged: the reason, as a detection that weighs nothing.
func nothing(o atalaya.Observation, why error) ([]found, error) {
	return []found{{atalaya.Detection{Kind: atalaya.Coverage, Body: mustJSON(headlineOf(atalaya.Say("not-judged", "why", why.Error())))}, nil}}, nil
}

// aboutSamples is the box (west, south, east, north, local metres) about all samples with a margin of as much as they span,
// at most 5 km: the ground that they may speak of.
func aboutSamples(in source.Input) (box [4]float64, ok bool) {
	box = [4]float64{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, g := range in.Groups {
		for _, p := range g.Samples {
			if !math.IsNaN(p.At[0]) && !math.IsNaN(p.At[1]) {
				box = [4]float64{min(box[0], p.At[0]), min(box[1], p.At[1]), max(box[2], p.At[0]), max(box[3], p.At[1])}
			}
		}
	}
	m := min(5000, max(200, box[2]-box[0], box[3]-box[1]))
	return [4]float64{box[0] - m, box[1] - m, box[2] + m, box[3] + m}, box[0] <= box[2]
}

func ratesInWords(rates map[string]atalaya.Interval) string {
	names := make([]string, 0, len(rates))
	for name := range rates {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { // the strongest first, ties by name
		if rates[a].P50 != rates[b].P50 {
			if rates[a].P50 > rates[b].P50 {
				return -1
			}
			return 1
		}
		if a < b {
			return -1
		}
		return 1
	})
	out := ""
	for i, name := range names {
		if i == 4 {
			return out + ", ..."
		}
		if i > 0 {
			out += ", "
		}
		r := rates[name]
		out += fmt.Sprintf("%s %.2g g/s (%.2g–%.2g)", name, 1e3*r.P50, 1e3*r.P05, 1e3*r.P95)
	}
	return out
}

func findEmitter(o atalaya.Observation) ([]found, error) {
	var b BearingsBody
	if err := json.Unmarshal(o.Body, &b); err != nil {
		return nil, err
	}
	bs := make([]emitter.Bearing, len(b.Rows))
	for i, r := range b.Rows {
		bs[i] = emitter.Bearing{Sensor: geodesy.LatLonHeight{Lat: r.Lat, Lon: r.Lon, HeightHAE: r.Height}, AzimuthDeg: r.Deg, SigmaDeg: r.SigmaDeg, BiasGroup: r.Group}
	}
	post, err := emitter.Locate(bs, emitter.Options{})
	if err != nil {
		return nothing(o, err)
	}
	var modes []site.Mode
	for _, f := range post.Fixes {
		modes = append(modes, site.Mode{At: f.At, CovarianceM2: f.CovarianceM2, Weight: f.Weight})
	}
	place := site.PlaceOf(modes...)
	best := post.Fixes[0]
	counts := []string{"cep50", fmt.Sprintf("%.0f", best.CEP50M), "used", fmt.Sprint(best.Used), "rejected", fmt.Sprint(best.Rejected)}
	says := atalaya.Say("emitter-unnamed", counts...)
	if b.Emitter != "" {
		says = atalaya.Say("emitter", append(counts, "emitter", b.Emitter)...)
	}
	e := site.FromDetection(sense("signal").Known(site.Detection{Place: &place, Modes: modes,
		Said: []atalaya.Sentence{says, atalaya.Say("integrity", "integrity", string(best.Integrity))}}, nil, 0, 0))
	body := struct {
		headline
		Integrity emitter.Integrity `json:"integrity"`
		Ellipse95 geodesy.Ellipse   `json:"ellipse95"`
		CEP50M    float64           `json:"cep50_m"`
		CEP95M    float64           `json:"cep95_m"`
	}{headlineOf(says), best.Integrity, best.Ellipse95, best.CEP50M, best.CEP95M}
	return []found{{atalaya.Detection{Kind: atalaya.EmitterFix, Place: &place, Body: mustJSON(body)}, []atalaya.Evidence{e}}}, nil
}

// videoPD is the probability that a site in a footprint would have been called out, by day, unhidden: an assumption until
// movers and call-outs come with part 3; low, because nobody has looked at the pixels yet.
const videoPD = 0.2

// widestFrameM is the diagonal of a frame beyond which nobody calls out a site in it.
const widestFrameM = 50e3

func findCoverage(o atalaya.Observation) ([]found, error) {
	var b VideoBody
	if err := json.Unmarshal(o.Body, &b); err != nil {
		return nil, err
	}
	var looks []site.Look
	for _, f := range b.Footprints {
		ring := make([]geodesy.LatLon, 4)
		for k, p := range f.Ring {
			ring[k] = geodesy.LatLon{Lat: p[1], Lon: p[0]}
		}
		if geodesy.Distance(ring[0], ring[2]) > widestFrameM || geodesy.Distance(ring[1], ring[3]) > widestFrameM {
			continue // up to the horizon: no site is seen there
		}
		looks = append(looks, site.Look{Ring: ring, PD: videoPD})
	}
	says := atalaya.Say("looked", "n", fmt.Sprint(len(looks)))
	body := struct {
		headline
		Footprints int `json:"footprints"`
	}{headlineOf(says), len(looks)}
	look := site.Saying(site.FromLooks("video", "", looks), says)
	look.Others = sense("video").Looked()
	return []found{{atalaya.Detection{Kind: atalaya.Coverage, Body: mustJSON(body)}, []atalaya.Evidence{look}}}, nil
}

// reportRadiusM is how far around its place a report may mean, where it does not say: the way people name a ranch or a ford.
const reportRadiusM = 2000

func findMention(o atalaya.Observation) ([]found, error) {
	b, err := reportOf(o)
	if err != nil {
		return nil, err
	}
	says, words := atalaya.Say("no-words"), atalaya.Say("no-words")
	if first := firstLine(b.Text[b.Body[0]:b.Body[1]]); first != "" {
		says, words = atalaya.Say("report", "text", first), atalaya.Say("quoted", "text", first)
	}
	at := b.Place
	if b.Lat != nil && b.Lon != nil {
		at = &geodesy.LatLon{Lat: *b.Lat, Lon: *b.Lon}
	}
	if at == nil && len(b.Coordinates) > 0 {
		at = &geodesy.LatLon{Lat: b.Coordinates[0].Lat, Lon: b.Coordinates[0].Lon}
	}
	if at == nil {
		return []found{{atalaya.Detection{Kind: atalaya.Mention, Body: mustJSON(headlineOf(words, atalaya.Say("no-position")))}, nil}}, nil
	}
	radius := b.RadiusM
	if radius <= 0 {
		radius = reportRadiusM
	}
	grade := firstOf(b.Grade, "F6")
	e := site.FromReport(site.Report{At: *at, RadiusM: radius, Grade: grade, Denies: b.Denies, Said: []atalaya.Sentence{says}})
	place := site.DiscPlace(*at, radius)
	body := struct {
		headline
		Grade string `json:"grade"`
	}{headlineOf(words), grade}
	return []found{{atalaya.Detection{Kind: atalaya.Mention, Place: &place, Body: mustJSON(body)}, []atalaya.Evidence{e}}}, nil
}
