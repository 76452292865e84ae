package app

import (
	"encoding/json"
	"time"

	"github.com/golang/geo/s2"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/ground"
)

// drawSheet draws what stood out, each as the region that holds it with 90 %, and the ground that was looked at.
func (l *Layers) drawSheet(o atalaya.Observation, base func(map[string]any) map[string]any, at func(float64) time.Time, look func([]s2.CellID), box *box) error {
	var b SheetBody
	if err := json.Unmarshal(o.Body, &b); err != nil {
		return err
	}
	for _, f := range b.Found {
		p := geodesy.LatLon{Lat: f.Lat, Lon: f.Lon}
		var ring [][2]float64
		for _, c := range geodesy.EllipseOf(f.CovarianceM2, 0.9).Ring(p, 36) {
			ring = append(ring, [2]float64{c.Lon, c.Lat})
		}
		of := map[string]any{"kind": b.Of, "sensor": o.Sensor, "id": f.ID, "headline": f.Note, "lat": f.Lat, "lon": f.Lon}
		if b.Of != "permit" { // one of no flight has no time of its own
			of["time"] = at(f.T)
		}
		l.Detections.add("Polygon", closed(ring), base(of))
		box.add(f.Lon, f.Lat)
	}
	for _, f := range b.Footprints {
		if len(f.Ring) < 3 {
			continue
		}
		ring := make([]geodesy.LatLon, len(f.Ring))
		for k, p := range f.Ring {
			ring[k] = geodesy.LatLon{Lat: p[1], Lon: p[0]}
			box.add(p[0], p[1])
		}
		look(cellsWithin(ring))
		l.Footprints.add("Polygon", closed(f.Ring), base(map[string]any{"sensor": o.Sensor, "time": at(f.T)}))
	}
	return nil
}

// drawGround draws the lines of a layer, or its permits. A layer does not widen the picture: it may be of a whole country.
func (l *Layers) drawGround(o atalaya.Observation, base func(map[string]any) map[string]any, at func(float64) time.Time, look func([]s2.CellID), box *box) error {
	if o.Part == permitsPart {
		return l.drawSheet(o, base, at, look, box)
	}
	var b GroundBody
	if err := json.Unmarshal(o.Body, &b); err != nil {
		return err
	}
	for _, g := range b.Lines {
		if g.Kind != ground.LandUse {
			l.Terrain.add("LineString", g.Line, base(map[string]any{"kind": g.Kind, "name": g.Name}))
		}
	}
	return nil
}
