package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/sense/ground"
	"github.com/atalaya-isr/atalaya/store"
)

// permitsPart is the part of a layer that is its permits: an observation of its own.
const permitsPart = "permits"

type (
	// GroundBody is a layer: what the map draws of it.
	GroundBody struct {
		Features map[ground.Kind]int `json:"features"`
		Lines    []GroundLine        `json:"lines"` // thinned, edges of areas too
	}
	// GroundLine is a line or an edge.
	GroundLine struct {
		Kind ground.Kind  `json:"kind"`
		Name string       `json:"name,omitempty"`
		Line [][2]float64 `json:"line"` // longitude, latitude
	}
)

func observeGround(r io.Reader, name string, m MissionFile) (seen, error) {
	l, problems, err := ground.Read(r, name)
	if err != nil {
		return seen{}, err
	}
	out := seen{records: l.Features, problems: problemsOf(problems)}
	at := m.epoch().UTC()
	if len(l.Shapes) > 0 {
		o := atalaya.Observation{Kind: atalaya.GroundLayer, Sensor: "layer", When: atalaya.Span{From: at, To: at}, Body: mustJSON(groundBody(l))}
		out.observations, out.cells = append(out.observations, o), append(out.cells, covered(l.Box.Ring()))
	}
	if len(l.Permits) > 0 {
		s := site.PermitSheet(permitsPart, l.Permits, at)
		o := sheetObservation(&s)
		o.Kind, o.Part = atalaya.GroundLayer, permitsPart
		out.observations, out.cells = append(out.observations, o), append(out.cells, sheetCells(&s))
	}
	return out, nil
}

// groundBody keeps so many lines, and corners of each, that a picture of them can be drawn.
func groundBody(l *ground.Layer) GroundBody {
	b := GroundBody{Features: map[ground.Kind]int{}, Lines: []GroundLine{}}
	var all []GroundLine
	corners := 0
	add := func(s *ground.Shape, line []geodesy.LatLon, closed bool) {
		g := GroundLine{Kind: s.Kind, Name: s.Name}
		for _, p := range line {
			g.Line = append(g.Line, [2]float64{p.Lon, p.Lat})
		}
		if closed {
			g.Line = append(g.Line, g.Line[0])
		}
		corners += len(g.Line)
		all = append(all, g)
	}
	for i := range l.Shapes {
		s := &l.Shapes[i]
		b.Features[s.Kind]++
		for _, line := range s.Lines {
			add(s, line, false)
		}
		for _, area := range s.Areas {
			for _, ring := range area {
				add(s, ring, true)
			}
		}
		for _, p := range s.Points {
			if s.Kind == ground.Town {
				add(s, geodesy.Ellipse{MajorM: s.RadiusM, MinorM: s.RadiusM}.Ring(p, 24), true)
			}
		}
	}
	every := max(1, len(all)*3/maxPoints) // lines, so that each may keep three corners
	step := max(1, corners/every/maxPoints)
	for i := 0; i < len(all); i += every {
		g := all[i]
		kept := [][2]float64{}
		for k := 0; k < len(g.Line)-1; k += step {
			kept = append(kept, g.Line[k])
		}
		g.Line = append(kept, g.Line[len(g.Line)-1])
		b.Lines = append(b.Lines, g)
	}
	return b
}

// findPermits gives each permit of a layer; the layer itself stands out in nothing: it is asked when places are ranked.
func (a *App) findPermits(ctx context.Context, o atalaya.Observation) ([]found, error) {
	if o.Part != permitsPart {
		return nil, nil
	}
	l, err := a.layerOf(o)
	if err != nil {
		return nil, err
	}
	s := site.PermitSheet(o.Sensor, l.Permits, o.When.From)
	out, err := findInSheet(ctx, o, &s, mostSheetCells)
	if err != nil || len(out) != len(l.Permits) {
		return out, err
	}
	for i, p := range l.Permits {
		says := atalaya.Say("permit-unnamed", "class", p.Class)
		if p.Name != "" {
			says = atalaya.Say("permit", "class", p.Class, "name", p.Name)
		}
		d := &out[i]
		d.evidence[0] = site.Saying(d.evidence[0], says)
		d.detection.Body = mustJSON(SheetFinding{headline: headlineOf(says), ID: fmt.Sprint(i + 1)})
	}
	return out, nil
}

func (a *App) layerOf(o atalaya.Observation) (*ground.Layer, error) {
	b, err := a.Record.Blobs().Open(o.Blob)
	if err != nil {
		return nil, err
	}
	l, _, err := ground.Read(b, o.Path)
	return l, errors.Join(err, b.Close())
}

// nextAfter are the jobs that follow an observation. A layer of ground stands out in nothing, but what was ranked without it is ranked anew.
func nextAfter(o atalaya.Observation, t task) []store.Job {
	if o.Kind == atalaya.GroundLayer && o.Part != permitsPart {
		return []store.Job{assessJob(t.Mission)}
	}
	return []store.Job{task{Mission: t.Mission, Observation: o.ID, Seed: t.Seed}.job(detectObservation)}
}

// mostPieces bounds the layers that are asked together, in pieces of line: about 200 MB.
const mostPieces = 2 * ground.MaxPieces

// groundOf is what the layers that a reader may see say of places, nil where there are none; the empty mission is the whole record. What is
// assessed with it rests on inputs too: they belong into the name of the assessment.
func (a *App) groundOf(ctx context.Context, view access.View, mission atalaya.MissionID) (terrain site.Terrain, inputs []string, err error) {
	layers, err := a.groundLayers(ctx, view, mission)
	if err != nil || len(layers) == 0 {
		return nil, nil, err
	}
	for _, o := range layers {
		inputs = append(inputs, "ground "+string(o.ID))
	}
	g, err := a.grounds.of(strings.Join(inputs, " "), func() (*site.Ground, error) { return a.readGround(layers) })
	if err != nil {
		return nil, nil, err
	}
	return g, inputs, nil
}

// groundLayers are the layers that stand and that a reader may see, by their names.
func (a *App) groundLayers(ctx context.Context, view access.View, mission atalaya.MissionID) ([]atalaya.Observation, error) {
	es, err := a.all(ctx, view, store.Query{Kind: "observation", Mission: string(mission)})
	if err != nil {
		return nil, err
	}
	var out []atalaya.Observation
	for _, e := range es {
		var o atalaya.Observation
		if e.Standing != store.Stands {
			continue
		}
		if err := json.Unmarshal(e.Body, &o); err != nil {
			return nil, err
		}
		if o.Kind == atalaya.GroundLayer && o.Part != permitsPart {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b atalaya.Observation) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out, nil
}

// seesAllGround reports whether a reader sees every layer of a mission, so that a ranking made of the whole record is theirs too.
func (a *App) seesAllGround(ctx context.Context, view access.View, mission atalaya.MissionID) (bool, error) {
	own, err := a.groundLayers(ctx, view, mission)
	if err != nil {
		return false, err
	}
	all, err := a.groundLayers(ctx, access.Whole(), mission)
	return len(own) == len(all), err
}

func (a *App) readGround(of []atalaya.Observation) (*site.Ground, error) {
	var layers []*ground.Layer
	pieces := 0
	for _, o := range of {
		l, err := a.layerOf(o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.Path, err)
		}
		if pieces += l.Pieces; pieces > mostPieces {
			return nil, failure(atalaya.BadInput, "Retract a layer, or draw its lines with fewer corners", "the layers of ground together have more than %d pieces of line, from %s on", mostPieces, o.Path)
		}
		layers = append(layers, l)
	}
	return site.NewGround(layers...), nil
}

// grounds keeps the Ground that was asked for last by each of a few sets of layers. Its zero value is ready.
type grounds struct {
	mu   sync.Mutex
	kept []keptGround // the latest first
}

type keptGround struct {
	name string
	of   *site.Ground
}

// maxGrounds is how many are kept: readers who see different layers, and a mission or two.
const maxGrounds = 4

// of gives the Ground of a name, making it where it is not there. Who asks meanwhile waits: it is made once.
func (k *grounds) of(name string, make func() (*site.Ground, error)) (*site.Ground, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := slices.IndexFunc(k.kept, func(g keptGround) bool { return g.name == name })
	if i < 0 {
		g, err := make()
		if err != nil {
			return nil, err
		}
		k.kept = slices.Insert(k.kept, 0, keptGround{name, g})
		k.kept = k.kept[:min(len(k.kept), maxGrounds)]
		return g, nil
	}
	g := k.kept[i]
	k.kept = slices.Insert(slices.Delete(k.kept, i, i+1), 0, g)
	return g.of, nil
}

// summaryOfGround says in a line what a layer holds.
func summaryOfGround(o atalaya.Observation) (says atalaya.Sentence, known bool) {
	if o.Part == permitsPart {
		return summaryOfSheet(o.Body)
	}
	var b GroundBody
	if json.Unmarshal(o.Body, &b) != nil {
		return says, false
	}
	count := func(kinds ...ground.Kind) string {
		n := 0
		for _, k := range kinds {
			n += b.Features[k]
		}
		return fmt.Sprint(n)
	}
	return atalaya.Say("layer", "ways", count(ground.Road, ground.Track), "waters", count(ground.River, ground.Water), "towns", count(ground.Town)), true
}
