package app

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/golang/geo/s2"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/store"
)

// Feature is a GeoJSON feature (RFC 7946).
type Feature struct {
	Type       string         `json:"type"`
	Geometry   Geometry       `json:"geometry"`
	Properties map[string]any `json:"properties"`
}

// Geometry is a GeoJSON geometry.
type Geometry struct {
	Type        string `json:"type"`
	Coordinates any    `json:"coordinates"`
}

// Layer is a GeoJSON FeatureCollection.
type Layer struct {
	Type     string    `json:"type"`
	Features []Feature `json:"features"`
}

func (l *Layer) add(kind string, coordinates any, properties map[string]any) {
	l.Features = append(l.Features, Feature{"Feature", Geometry{kind, coordinates}, properties})
}

// Layers are all that the map draws beside the sites.
type Layers struct {
	Tracks     Layer `json:"tracks"`
	Footprints Layer `json:"footprints"`
	Gas        Layer `json:"gas"`
	Bearings   Layer `json:"bearings"`
	Reports    Layer `json:"reports"`
	Detections Layer `json:"detections"`
	Terrain    Layer `json:"terrain"`
	Movers     Layer `json:"movers"`
	Looked     Layer `json:"looked"`
	Unsurveyed Layer `json:"unsurveyed"`
}

// MissionName is a mission in a menu.
type MissionName struct {
	ID   atalaya.MissionID `json:"id"`
	Name string            `json:"name"`
	From time.Time         `json:"from"`
	To   time.Time         `json:"to"`
}

// MapView is all that the map draws.
type MapView struct {
	Banner   Banner        `json:"banner"`
	AsOf     time.Time     `json:"as_of"`
	Mission  *MissionName  `json:"mission"`
	Missions []MissionName `json:"missions"`
	Bounds   [4]float64    `json:"bounds"` // west, south, east, north
	Sites    []SiteView    `json:"sites"`
	Layers   Layers        `json:"layers"`
}

// Map is all that the map of a mission draws; "" is the latest mission.
func (a *App) Map(ctx context.Context, view access.View, mission atalaya.MissionID) (MapView, error) {
	v := MapView{Missions: []MissionName{}, Sites: []SiteView{}}
	for _, l := range []*Layer{&v.Layers.Tracks, &v.Layers.Footprints, &v.Layers.Gas, &v.Layers.Bearings, &v.Layers.Reports, &v.Layers.Movers, &v.Layers.Detections, &v.Layers.Terrain, &v.Layers.Looked, &v.Layers.Unsurveyed} {
		*l = Layer{"FeatureCollection", []Feature{}}
	}
	ms, err := a.Missions(ctx, view)
	if err != nil {
		return v, err
	}
	var at *MissionState
	for i, m := range ms {
		v.Missions = append(v.Missions, MissionName{m.ID, m.Name, m.From, m.To})
		if m.ID == mission || mission == "" && i == 0 {
			at = &ms[i]
			v.Mission = &v.Missions[i]
		}
	}
	if at == nil {
		if mission != "" {
			return v, failure(atalaya.NotFound, "Choose one of the list", "there is no mission %s", mission)
		}
		v.Banner, err = BannerOf()
		return v, err
	}
	sites, err := a.Sites(ctx, view, at.ID)
	if err != nil {
		return v, err
	}
	v.AsOf, v.Sites = sites.AsOf, sites.Sites
	es, err := a.all(ctx, view, store.Query{Kind: "observation", Mission: string(at.ID)})
	if err != nil {
		return v, err
	}
	obs, err := nouns[atalaya.Observation](es)
	if err != nil {
		return v, err
	}
	marks := []string{at.Marking}
	looked := map[s2.CellID]bool{}
	box := emptyBox()
	for i, o := range obs {
		marks = append(marks, o.Marking)
		if err := v.Layers.draw(o, es[i].Standing, looked, &box); err != nil {
			return v, err
		}
	}
	more, err := a.drawMoved(ctx, view, at.ID, &v.Layers, &box)
	if err != nil {
		return v, err
	}
	marks = append(marks, more...)
	for _, s := range v.Sites {
		marks = append(marks, s.Marking)
		box.add(s.Lon, s.Lat)
	}
	if at.Bounds != nil {
		box = boxed(*at.Bounds)
	}
	v.Bounds = box.padded()
	v.Layers.hatch(looked, v.Bounds)
	v.Banner, err = BannerOf(marks...)
	return v, err
}

// lookLevel is the S2 level at which the map tells looked-at ground from ground nobody looked at: 140 m.
const lookLevel = 16

// mostLooked bounds the cells of one picture.
const mostLooked = 60000

// cellsWithin are the cells that tell where a footprint looked: of lookLevel, or coarser where it is so wide that these would be too many.
func cellsWithin(ring []geodesy.LatLon) (cells []s2.CellID) {
	for level := lookLevel; level >= 0 && cells == nil; level-- {
		cells = geodesy.CellsOf(ring, level, 5000)
	}
	return cells
}

func (l *Layers) draw(o atalaya.Observation, standing store.Standing, looked map[s2.CellID]bool, box *box) error {
	at := func(s float64) time.Time {
		return o.When.From.Add(time.Duration(math.Round(s*1e6)) * time.Microsecond).UTC()
	}
	base := func(more map[string]any) map[string]any {
		more["observation"], more["standing"] = o.ID, standing
		return more
	}
	look := func(cells []s2.CellID) {
		for _, c := range cells {
			if standing == store.Stands && len(looked) < mostLooked {
				looked[c] = true
			}
		}
	}
	track := func(line [][2]float64) {
		for _, p := range line {
			box.add(p[0], p[1])
		}
		if len(line) > 1 {
			l.Tracks.add("LineString", line, base(map[string]any{"sensor": o.Sensor, "kind": o.Kind, "from": o.When.From, "to": o.When.To}))
		}
	}
	switch o.Kind {
	case atalaya.GasSurvey:
		var b GasBody
		if err := json.Unmarshal(o.Body, &b); err != nil {
			return err
		}
		var line [][2]float64
		for _, p := range b.Points {
			line = append(line, [2]float64{p[0], p[1]})
			l.Gas.add("Point", []float64{p[0], p[1]}, base(map[string]any{"time": at(p[2]), "compound": b.Main, "unit": b.Unit, "value": p[3],
				"excess": p[3] - b.Background, "wind_from_deg": p[4], "wind_speed_mps": p[5]}))
			// A sample speaks for the ground that it stands over, and no more on a picture; how far upwind it speaks is in the estimate.
			look([]s2.CellID{geodesy.CellOf(geodesy.LatLon{Lat: p[1], Lon: p[0]}, lookLevel)})
		}
		track(line)
	case atalaya.VideoTrack:
		var b VideoBody
		if err := json.Unmarshal(o.Body, &b); err != nil {
			return err
		}
		var line [][2]float64
		for _, p := range b.Path {
			line = append(line, [2]float64{p[0], p[1]})
		}
		track(line)
		for i, f := range b.Footprints {
			ring := make([]geodesy.LatLon, 4)
			for k, p := range f.Ring {
				ring[k] = geodesy.LatLon{Lat: p[1], Lon: p[0]}
				box.add(p[0], p[1])
			}
			look(cellsWithin(ring))
			if i%max(1, len(b.Footprints)/150) == 0 {
				l.Footprints.add("Polygon", closed(f.Ring[:]), base(map[string]any{"sensor": o.Sensor, "time": at(f.T)}))
			}
		}
	case atalaya.Movers:
		var b MoversBody
		if err := json.Unmarshal(o.Body, &b); err != nil {
			return err
		}
		for _, s := range b.Shown {
			if len(s.Points) < 2 {
				continue
			}
			var line [][2]float64
			fast := 0.0
			for _, p := range s.Points {
				line = append(line, [2]float64{p[0], p[1]})
				fast = math.Max(fast, p[3])
			}
			of := base(map[string]any{"sensor": o.Sensor, "track": s.Track, "speed_mps": fast})
			if !o.When.From.IsZero() {
				of["from"], of["to"] = at(s.Points[0][2]-b.From), at(s.Points[len(s.Points)-1][2]-b.From)
			}
			l.Movers.add("LineString", line, of)
		}
	case atalaya.Bearings:
		var b BearingsBody
		if err := json.Unmarshal(o.Body, &b); err != nil {
			return err
		}
		var line [][2]float64
		for _, r := range b.Rows {
			line = append(line, [2]float64{r.Lon, r.Lat})
			l.Bearings.add("Polygon", closed(fan(r)), base(map[string]any{"emitter": b.Emitter, "time": at(r.T), "bearing_deg": r.Deg, "sigma_deg": r.SigmaDeg}))
		}
		if len(line) > 1 { // the aircraft is far away: its track does not widen the picture
			l.Tracks.add("LineString", line, base(map[string]any{"sensor": o.Sensor, "kind": o.Kind, "from": o.When.From, "to": o.When.To}))
		}
	case atalaya.Detections:
		return l.drawSheet(o, base, at, look, box)
	case atalaya.GroundLayer:
		return l.drawGround(o, base, at, look, box)
	case atalaya.Report:
		b, err := reportOf(o)
		if err != nil {
			return err
		}
		if b.Lat == nil || b.Lon == nil {
			return nil
		}
		r := max(b.RadiusM, 50)
		var ring [][2]float64
		for _, p := range (geodesy.Ellipse{MajorM: r, MinorM: r}).Ring(geodesy.LatLon{Lat: *b.Lat, Lon: *b.Lon}, 48) {
			ring = append(ring, [2]float64{p.Lon, p.Lat})
			box.add(p.Lon, p.Lat)
		}
		l.Reports.add("Polygon", closed(ring), base(map[string]any{"grade": b.Grade, "headline": firstLine(b.Text[b.Body[0]:b.Body[1]])}))
	}
	return nil
}

// drawMoved draws what moved in a way worth a look, each as the region that holds it with 95 %. It gives the markings of what it drew.
func (a *App) drawMoved(ctx context.Context, view access.View, m atalaya.MissionID, l *Layers, box *box) (marks []string, err error) {
	es, err := a.all(ctx, view, store.Query{Kind: "detection", Mission: string(m)})
	if err != nil {
		return nil, err
	}
	ds, err := nouns[atalaya.Detection](es)
	if err != nil {
		return nil, err
	}
	for _, d := range ds {
		if d.Kind != atalaya.Mover || d.Place == nil || len(d.From) == 0 {
			continue
		}
		var f MoverFinding
		var region Geometry
		if err := errors.Join(json.Unmarshal(d.Body, &f), json.Unmarshal(d.Place.Regions.P95, &region)); err != nil {
			return nil, err
		}
		l.Movers.add(region.Type, region.Coordinates, map[string]any{"observation": d.From[0], "standing": store.Stands, "detection": d.ID, "event": f.Kind, "track": f.Track,
			"speed_mps": f.Speed, "time": d.When.From, "headline": f.Headline, "lat": d.Place.Lat, "lon": d.Place.Lon})
		box.add(d.Place.Lon, d.Place.Lat)
		marks = append(marks, d.Marking)
	}
	return marks, nil
}

func closed(ring [][2]float64) [][][2]float64 {
	return [][][2]float64{append(slices.Clone(ring), ring[0])}
}

// fanReachM is how far a bearing is drawn: beyond the reach of most missions.
const fanReachM = 150e3

// fan is the wedge of one standard deviation to each side of a bearing.
func fan(r BearingRow) [][2]float64 {
	from := geodesy.LatLon{Lat: r.Lat, Lon: r.Lon}
	out := [][2]float64{{r.Lon, r.Lat}}
	for _, d := range []float64{r.SigmaDeg, 0, -r.SigmaDeg} { // counter-clockwise
		p := geodesy.Destination(from, r.Deg+d, fanReachM)
		out = append(out, [2]float64{p.Lon, p.Lat})
	}
	return out
}

// hatch draws looked-at ground, and the rest of the picture as unsurveyed: the picture's box with the looked-at cells cut out.
func (l *Layers) hatch(looked map[s2.CellID]bool, b [4]float64) {
	cells := make([]s2.CellID, 0, len(looked))
	for c := range looked {
		cells = append(cells, c)
	}
	slices.Sort(cells)
	union := s2.CellUnion(cells)
	union.Normalize() // four sisters become their parent: fewer rings
	var rings [][][2]float64
	var seen [][][][2]float64
	outer := [][2]float64{{b[0], b[1]}, {b[2], b[1]}, {b[2], b[3]}, {b[0], b[3]}, {b[0], b[1]}}
	rings = append(rings, outer)
	for _, id := range union {
		ring := cellRing(id)
		seen = append(seen, [][][2]float64{ring})
		hole := slices.Clone(ring)
		slices.Reverse(hole)
		rings = append(rings, hole)
	}
	if len(seen) > 0 {
		l.Looked.add("MultiPolygon", seen, map[string]any{})
	}
	l.Unsurveyed.add("MultiPolygon", [][][][2]float64{rings}, map[string]any{})
}

func cellRing(id s2.CellID) [][2]float64 {
	cell := s2.CellFromCellID(id)
	var ring [][2]float64
	for k := range 4 {
		p := s2.LatLngFromPoint(cell.Vertex(k))
		ring = append(ring, [2]float64{p.Lng.Degrees(), p.Lat.Degrees()})
	}
	return append(ring, ring[0])
}

// box grows around positions; it does not cross the antimeridian.
type box [4]float64

func emptyBox() box          { return box{180, 90, -180, -90} }
func boxed(b [4]float64) box { return box(b) }
func (b *box) add(lon, lat float64) {
	if (geodesy.LatLon{Lat: lat, Lon: lon}).Valid() {
		*b = box{min(b[0], lon), min(b[1], lat), max(b[2], lon), max(b[3], lat)}
	}
}

// padded is the box with a margin of a tenth, at least 500 m; the whole Earth when nothing was added.
func (b box) padded() [4]float64 {
	if b[0] > b[2] {
		return [4]float64{-180, -85, 180, 85}
	}
	dx, dy := max(0.1*(b[2]-b[0]), 0.005), max(0.1*(b[3]-b[1]), 0.005)
	return [4]float64{max(-180, b[0]-dx), max(-90, b[1]-dy), min(180, b[2]+dx), min(90, b[3]+dy)}
}
