package app

import (
	"context"
	"math"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// GroundPoint is a place on the ground with its error, and how it was come by.
type GroundPoint struct {
	Lat      float64          `json:"lat"`
	Lon      float64          `json:"lon"`
	HAE      *float64         `json:"height_hae_m"` // of the two heights the one whose datum is not known is null
	MSL      *float64         `json:"height_msl_m"`
	RangeM   float64          `json:"range_m"` // from the sensor
	Ellipse  *geodesy.Ellipse `json:"ellipse95"`
	Ring     [][2]float64     `json:"ring,omitempty"`    // of the ellipse: longitude, latitude
	RingPx   [][2]float64     `json:"ring_px,omitempty"` // the same in the picture, where it is seen
	Digits   int              `json:"digits"`            // decimals of degrees that the error allows
	Position Position         `json:"position"`
	// Method is "ray": through the pixel to the ground, whose height is from Ground. Interpolated says that the look lies between two
	// packets; else it is that of the packet AgeS away.
	Method       string  `json:"method"`
	Ground       string  `json:"ground"`
	Interpolated bool    `json:"interpolated"`
	AgeS         float64 `json:"age_s"`
	Errors       string  `json:"errors"` // what the ellipse is made of
}

// ringOf is how many points an ellipse is drawn with.
const ringOf = 48

// VideoPixel is the ground at a pixel of the picture that is shown at a time. Pixels count from the upper left corner of the picture,
// (0, 0); the middle of the first one is (0.5, 0.5).
func (a *App) VideoPixel(ctx context.Context, view access.View, id string, pts, x, y float64) (VideoPlace, error) {
	src, err := a.videoOf(ctx, view, id)
	if err != nil {
		return VideoPlace{}, err
	}
	r, err := a.reelOf(ctx, src.of.Blob)
	if err != nil {
		return VideoPlace{}, err
	}
	return a.pixel(r, pts, x, y)
}

func (a *App) pixel(r *reel, pts, x, y float64) (VideoPlace, error) {
	v := VideoPlace{PTS: pts, X: x, Y: y}
	if math.IsNaN(pts) || math.IsInf(pts, 0) {
		return v, failure(atalaya.BadUse, "Give seconds on the line of the video", "%v is no time", pts)
	}
	if at, ok := r.at(pts); ok {
		v.Time = &at
	}
	if r.video == nil || r.video.Width == 0 || r.video.Height == 0 {
		v.Why = "the size of the picture is not known"
		return v, nil
	}
	if !(x >= 0 && y >= 0 && x <= float64(r.video.Width) && y <= float64(r.video.Height)) {
		return v, failure(atalaya.BadUse, "Give x and y in pixels from the upper left corner", "(%.1f, %.1f) lies outside a picture of %d by %d", x, y, r.video.Width, r.video.Height)
	}
	m, ok, err := a.moment(r, pts)
	if err != nil {
		return v, err
	}
	if !ok {
		v.Why = "no metadata within a second"
		return v, nil
	}
	if m.HasTime {
		v.Time = &m.Time
	}
	if v.Why = m.Blind(); v.Why != "" {
		return v, nil
	}
	spot, ok := m.Pixel(x, y, video.Size{Width: r.video.Width, Height: r.video.Height})
	if !ok {
		v.Why = "the ray ends " + spot.Outcome.String()
		return v, nil
	}
	v.Place = r.ground(&m, spot, x, y)
	return v, nil
}

// moment is what stands at a time; false where no metadata lies within a second of it.
func (a *App) moment(r *reel, pts float64) (video.Moment, bool, error) {
	if r.packets == 0 {
		return video.Moment{}, false, nil
	}
	s, err := a.stretchOf(r, int(math.Floor(pts/chunkS)))
	if isNotFound(err) {
		return video.Moment{}, false, nil
	}
	if err != nil {
		return video.Moment{}, false, err
	}
	m, ok := s.timeline.AtPTS(pts)
	return m, ok, nil
}

// ground is a spot with its error, in all forms in which it is shown.
func (r *reel) ground(m *video.Moment, spot video.Spot, x, y float64) *GroundPoint {
	g := &GroundPoint{Lat: spot.Lat, Lon: spot.Lon, RangeM: spot.RangeM, Method: "ray", Ground: spot.Ground, Interpolated: m.Interpolated, AgeS: m.AgeS, Errors: m.Errors(), Digits: 5}
	h := spot.HeightM
	switch {
	case !spot.HasHeight:
	case spot.Datum == video.HAE:
		if g.HAE = &h; spot.HasGeoid {
			sea := h - spot.GeoidM
			g.MSL = &sea
		}
	default:
		g.MSL = &h
	}
	size := video.Size{Width: r.video.Width, Height: r.video.Height}
	e, ok := m.PointEllipse95(x/float64(size.Width), y/float64(size.Height), spot)
	if !ok {
		return g
	}
	g.Ellipse = &e
	c := covarianceOf(e)
	g.Digits = digits(c)
	g.Position = positionOf(atalaya.Place{Lat: g.Lat, Lon: g.Lon, CovarianceM2: c})
	for _, p := range e.Ring(spot.LatLon(), ringOf) {
		g.Ring = append(g.Ring, [2]float64{p.Lon, p.Lat})
		at := spot.Position
		at.Lat, at.Lon = p.Lat, p.Lon
		if px, py, _, ok := m.PixelOf(at, size); ok {
			g.RingPx = append(g.RingPx, [2]float64{px, py})
		}
	}
	if len(g.RingPx) < len(g.Ring) { // a part lies behind the sensor
		g.RingPx = nil
	}
	return g
}

// covarianceOf is the covariance whose 95 % region the ellipse is: the inverse of geodesy.EllipseOf.
func covarianceOf(e geodesy.Ellipse) [2][2]float64 {
	k := -2 * math.Log(0.05) // the 95 % quantile of chi-square with two degrees of freedom
	a, b := e.MajorM*e.MajorM/k, e.MinorM*e.MinorM/k
	s, c := math.Sincos(e.AzimuthDeg * geodesy.RadPerDegree)
	east, north, both := a*s*s+b*c*c, a*c*c+b*s*s, (a-b)*s*c
	return [2][2]float64{{east, both}, {both, north}}
}

// VideoSeek is when a video held a place of the ground in view.
type VideoSeek struct {
	Lat   float64     `json:"lat"`
	Lon   float64     `json:"lon"`
	Times []VideoTime `json:"times"`
	// More counts the times beyond those listed.
	More int `json:"more"`
}

// VideoTime is a stretch during which the footprint held the place; Best is when it lay nearest to the middle of the picture.
type VideoTime struct {
	From float64    `json:"from_s"`
	To   float64    `json:"to_s"`
	Best float64    `json:"best_s"`
	Time *time.Time `json:"time"` // of Best
	// X and Y are the pixel that shows the place at Best; null where that cannot be told.
	X *float64 `json:"x_px"`
	Y *float64 `json:"y_px"`
}

// mostTimes bounds the list of a seek, mostShown those of which the pixel is told: each reads a part of the file.
const (
	mostTimes = 100
	mostShown = 10
)

// VideoSeek finds when the footprint held a place. Footprints are looked at five times a second at most: a view shorter than that may
// be missed, and the ends are no finer.
func (a *App) VideoSeek(ctx context.Context, view access.View, id string, at geodesy.LatLon) (VideoSeek, error) {
	out := VideoSeek{Lat: at.Lat, Lon: at.Lon, Times: []VideoTime{}}
	if !at.Valid() {
		return out, failure(atalaya.BadUse, "Give lat and lon in degrees", "%v, %v is no place", at.Lat, at.Lon)
	}
	src, err := a.videoOf(ctx, view, id)
	if err != nil {
		return out, err
	}
	r, err := a.reelOf(ctx, src.of.Blob)
	if err != nil {
		return out, err
	}
	times := r.held(at)
	if len(times) > mostTimes {
		times, out.More = times[:mostTimes], len(times)-mostTimes
	}
	for i, t := range times {
		if utc, ok := r.at(t.Best); ok {
			t.Time = &utc
		}
		if i < mostShown {
			if err := a.show(r, &t, at); err != nil {
				return out, err
			}
		}
		out.Times = append(out.Times, t)
	}
	return out, nil
}

// held lists the stretches during which the footprint held a place.
func (r *reel) held(at geodesy.LatLon) (out []VideoTime) {
	longest := math.Max(3*glimpseS, 2*r.stepS)
	best := math.Inf(1)
	for i := range r.glimpses {
		g := &r.glimpses[i]
		if g.how == "" || !encloses(g.ring[:], at) {
			continue
		}
		off := offMiddle(g.ring, at)
		if n := len(out); n > 0 && g.t-out[n-1].To <= longest {
			if out[n-1].To = g.t; off < best {
				out[n-1].Best, best = g.t, off
			}
			continue
		}
		out, best = append(out, VideoTime{From: g.t, To: g.t, Best: g.t}), off
	}
	return out
}

// show says which pixel shows a place at the best time; only while there is a picture.
func (a *App) show(r *reel, t *VideoTime, at geodesy.LatLon) error {
	if r.video == nil || r.video.Width == 0 {
		return nil
	}
	m, ok, err := a.moment(r, t.Best)
	if err != nil || !ok {
		return err
	}
	x, y, within, ok := m.PixelOf(video.Position{Lat: at.Lat, Lon: at.Lon}, video.Size{Width: r.video.Width, Height: r.video.Height})
	if ok && within {
		t.X, t.Y = &x, &y
	}
	return nil
}

// encloses reports whether a ring on the ground holds a point: by the number of edges that lie east of it on its parallel. The ring is
// unrolled from the point's longitude on, so that the antimeridian is nothing special.
func encloses(ring []geodesy.LatLon, at geodesy.LatLon) (in bool) {
	x := geodesy.Wrap180(ring[0].Lon - at.Lon)
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		next := x + geodesy.Wrap180(q.Lon-p.Lon)
		if (p.Lat > at.Lat) != (q.Lat > at.Lat) && x+(at.Lat-p.Lat)/(q.Lat-p.Lat)*(next-x) > 0 {
			in = !in
		}
		x = next
	}
	return in
}

// offMiddle is how far a place lies from the middle of the corners, metres.
func offMiddle(ring [4]geodesy.LatLon, at geodesy.LatLon) float64 {
	var lat, lon float64
	for _, p := range ring {
		lat += p.Lat / 4
		lon += geodesy.Wrap180(p.Lon-at.Lon) / 4
	}
	return geodesy.Distance(at, geodesy.LatLon{Lat: lat, Lon: geodesy.Wrap180(at.Lon + lon)})
}
