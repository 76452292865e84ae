package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"

	"github.com/golang/geo/s2"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/video"
	"github.com/atalaya-isr/atalaya/store"
)

// VideoFind is which videos showed a place and when, atalaya.video-find/1.
type VideoFind struct {
	Schema   string       `json:"schema"`
	Banner   string       `json:"banner,omitempty"` // of the videos of a record that are named
	Lat      float64      `json:"lat"`
	Lon      float64      `json:"lon"`
	RadiusM  float64      `json:"radius_m"`
	From     *time.Time   `json:"from"`
	To       *time.Time   `json:"to"`
	Asked    int          `json:"asked"`  // videos that were read: of a record, those whose footprints come near
	Videos   []VideoSaw   `json:"videos"` // that showed the place
	Problems []VideoFault `json:"problems"`
}

// VideoSaw is one video that showed the place.
type VideoSaw struct {
	File        string                `json:"file"`
	Observation atalaya.ObservationID `json:"observation,omitempty"`
	Mission     atalaya.MissionID     `json:"mission,omitempty"`
	Marking     string                `json:"marking,omitempty"`
	Sensor      string                `json:"sensor"`
	Width       int                   `json:"width_px"` // of the picture, 0 where not known
	Height      int                   `json:"height_px"`
	Intervals   []SawInterval         `json:"intervals"`
	Dropped     int                   `json:"intervals_dropped,omitempty"`
}

// SawInterval is a run of metadata packets that all show the place.
type SawInterval struct {
	PID     uint16      `json:"pid,omitempty"`
	FromPTS *float64    `json:"from_pts_s"`
	ToPTS   *float64    `json:"to_pts_s"`
	From    *time.Time  `json:"from"`
	To      *time.Time  `json:"to"`
	Packets int         `json:"packets"`
	Slant   *SawRange   `json:"slant_range_m"`
	GSD     *SawRange   `json:"gsd_m"`
	Best    SawSighting `json:"best"`
	began   time.Time   // From, or zero
}

// SawRange is the least and the most of a quantity over an interval.
type SawRange struct {
	Least float64 `json:"least"`
	Most  float64 `json:"most"`
}

// SawSighting is where the place is seen best: x and y in shares of the picture from its upper left corner.
type SawSighting struct {
	PTS   *float64   `json:"pts_s"`
	Time  *time.Time `json:"time"`
	X     *float64   `json:"x"`
	Y     *float64   `json:"y"`
	Slant *float64   `json:"slant_range_m"`
	GSD   *float64   `json:"gsd_m"`
}

// VideoFault is something that could not be read, and in which video.
type VideoFault struct {
	File string `json:"file"`
	At   int64  `json:"at"`
	What string `json:"what"`
}

func newVideoFind(q video.Question) *VideoFind {
	return &VideoFind{Schema: "atalaya.video-find/1", Lat: q.At.Lat, Lon: q.At.Lon, RadiusM: q.RadiusM, From: known(q.From), To: known(q.To),
		Videos: []VideoSaw{}, Problems: []VideoFault{}}
}

// FindInFiles asks files when they showed a place.
func FindInFiles(ctx context.Context, q video.Question, files []string) (*VideoFind, error) {
	out := newVideoFind(q)
	for _, path := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, err := os.Open(path)
		if err != nil {
			return nil, &atalaya.Error{Op: "video.find", File: path, Kind: atalaya.NotFound, Err: errors.Unwrap(err), Hint: "Name a readable file"}
		}
		err = out.ask(f, q, VideoSaw{File: path})
		f.Close()
		var e *atalaya.Error
		if errors.As(err, &e) {
			e.File = path
			return nil, e
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// FindInVideos asks the videos of the record that a reader may see when they showed a place. Which to ask, the footprints of their
// observations tell; the answer is in the metadata of the files themselves.
func (a *App) FindInVideos(ctx context.Context, view access.View, q video.Question) (*VideoFind, error) {
	es, err := a.all(ctx, view, store.Query{Kind: "observation", Cells: cellsAbout(q.At, q.RadiusM), From: q.From, To: q.To})
	if err != nil {
		return nil, err
	}
	list, err := nouns[atalaya.Observation](es)
	if err != nil {
		return nil, err
	}
	out := newVideoFind(q)
	for _, o := range list {
		if o.Kind != atalaya.VideoTrack {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, err := a.Record.Blobs().Open(o.Blob)
		if err != nil {
			return nil, err
		}
		err = out.ask(b, q, VideoSaw{File: o.Path, Observation: o.ID, Mission: o.Mission, Marking: o.Marking})
		b.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.Path, err)
		}
	}
	slices.SortStableFunc(out.Videos, func(x, y VideoSaw) int { return x.Intervals[0].began.Compare(y.Intervals[0].began) })
	var marks []string
	for _, v := range out.Videos {
		marks = append(marks, v.Marking)
	}
	banner, err := BannerOf(marks...)
	out.Banner = banner.Text
	return out, err
}

// ask reads one video.
func (f *VideoFind) ask(r io.Reader, q video.Question, saw VideoSaw) error {
	a, err := video.Ask(r, video.DefaultSigmas, q)
	if err != nil {
		return err
	}
	f.Asked++
	for _, p := range a.Problems {
		f.Problems = append(f.Problems, VideoFault{saw.File, p.At, p.What})
	}
	if a.Untimed > 0 {
		f.Problems = append(f.Problems, VideoFault{saw.File, 0, fmt.Sprintf("%d packets tell no time, and a time was asked for: they were passed over", a.Untimed)})
	}
	if len(a.Intervals) == 0 {
		return nil
	}
	saw.Sensor, saw.Width, saw.Height, saw.Dropped = a.Sensor, a.Frame.Width, a.Frame.Height, a.Dropped
	for _, i := range a.Intervals {
		saw.Intervals = append(saw.Intervals, intervalOf(i))
	}
	f.Videos = append(f.Videos, saw)
	return nil
}

func intervalOf(i video.Interval) SawInterval {
	out := SawInterval{PID: i.PID, FromPTS: ptsOf(i.From), ToPTS: ptsOf(i.To), From: known(i.From.Time), To: known(i.To.Time), Packets: i.Packets,
		Slant: rangeOf(i.SlantM), GSD: rangeOf(i.GSDM), began: i.From.Time}
	b := i.Best
	out.Best = SawSighting{PTS: ptsOf(b.Instant), Time: known(b.Time), Slant: positive(b.SlantM), GSD: positive(b.GSDM)}
	if b.HasXY {
		out.Best.X, out.Best.Y = &b.X, &b.Y
	}
	return out
}

func ptsOf(i video.Instant) *float64 {
	if !i.HasPTS {
		return nil
	}
	return &i.PTS
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func positive(v float64) *float64 {
	if v <= 0 {
		return nil
	}
	return &v
}

func rangeOf(v [2]float64) *SawRange {
	if v[0] <= 0 {
		return nil
	}
	return &SawRange{v[0], v[1]}
}

// cellsAbout are the cells that a disc touches.
func cellsAbout(at geodesy.LatLon, radiusM float64) []uint64 {
	r := math.Max(radiusM, 1)
	return covered((geodesy.Ellipse{MajorM: r, MinorM: r}).Ring(at, 24))
}

// mostBetween is how long between two footprints, seconds, the ground that lies between them is taken to have been passed over.
const mostBetween = 60

// cellsOver are the cells that footprints touch, and those between each and the next: footprints are thinned, and a camera that
// moves from one to the other passes over what lies between. Sisters that are all there become their parent.
func cellsOver(prints []video.Footprint) []uint64 {
	var union s2.CellUnion
	for i, p := range prints {
		ring := p.Ring[:]
		if i > 0 && p.HasTime && prints[i-1].HasTime && math.Abs(p.Time.Sub(prints[i-1].Time).Seconds()) <= mostBetween {
			ring = slices.Concat(ring, prints[i-1].Ring[:])
		}
		for _, c := range covered(ring) {
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

// mostCovering is how many cells stand for one ring; where more would be needed they are coarser.
const mostCovering = 64

// covered are the cells of the hull of points, at placeLevel where that takes few, else at the finest level that does.
func covered(points []geodesy.LatLon) (out []uint64) {
	hull := s2.NewConvexHullQuery()
	var some *geodesy.LatLon
	for _, p := range points {
		if p.Valid() {
			hull.AddPoint(s2.PointFromLatLng(s2.LatLngFromDegrees(p.Lat, p.Lon)))
			some = &p
		}
	}
	if some == nil {
		return nil
	}
	var ring []geodesy.LatLon
	for _, v := range hull.ConvexHull().Vertices() {
		l := s2.LatLngFromPoint(v)
		ring = append(ring, geodesy.LatLon{Lat: l.Lat.Degrees(), Lon: l.Lng.Degrees()})
	}
	for level := placeLevel; level > 0; level-- {
		for _, c := range geodesy.CellsOf(ring, level, mostCovering) {
			out = append(out, uint64(c))
		}
		if out != nil {
			return out
		}
	}
	return []uint64{uint64(geodesy.CellOf(*some, 0))}
}
