package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
	"github.com/atalaya-isr/atalaya/sense/playback"
	"github.com/atalaya-isr/atalaya/sense/video"
	"github.com/atalaya-isr/atalaya/store"
)

// VideoRow is a video in the list of the video room. It is an observation, or a file of pictures without metadata, of which there is
// no observation: its name then begins with "file_".
type VideoRow struct {
	Observation ObservationRow `json:"observation"`
	Bytes       int64          `json:"bytes"`
	Packets     int64          `json:"packets"` // of metadata
	Picture     VideoPicture   `json:"picture"`
}

// VideoPicture is what the file says of its pictures, and whether a browser can show them.
type VideoPicture struct {
	Play       Playability `json:"play"`
	Codec      string      `json:"codec"` // "" where there is no picture
	Profile    string      `json:"profile,omitempty"`
	Level      string      `json:"level,omitempty"`
	Width      int         `json:"width"`
	Height     int         `json:"height"`
	RateHz     float64     `json:"rate_hz"` // 0 where it is not known
	Interlaced bool        `json:"interlaced,omitempty"`
}

// Playability says, before anything is fetched, whether pictures can be shown: nothing is transcoded.
type Playability string

// The playabilities. Perhaps is for H.265, which browsers play on some machines.
const (
	Plays   Playability = "plays"
	Perhaps Playability = "perhaps"
	Cannot  Playability = "cannot" // no browser plays the codec by Media Source Extensions
	NoStart Playability = "no-start"
	NoImage Playability = "none" // there is no picture: metadata alone
)

// VideoList is the videos of one mission.
type VideoList struct {
	Banner  Banner       `json:"banner"`
	Mission *MissionName `json:"mission"`
	Videos  []VideoRow   `json:"videos"`
}

// VideoView is all that the video room needs to open one video. Its times are seconds on one line, that of the stream's presentation
// times; see Shifts.
type VideoView struct {
	Banner Banner `json:"banner"`
	VideoRow
	Mission atalaya.MissionID `json:"mission"`
	SHA256  atalaya.BlobID    `json:"sha256"`
	From    float64           `json:"from_s"`
	To      float64           `json:"to_s"`
	ChunkS  float64           `json:"chunk_s"`
	// Type is the media type that a browser is asked for; "" where there is nothing to play, of which Why says why.
	Type     string          `json:"type"`
	Why      string          `json:"why,omitempty"`
	Segments int             `json:"segments"`
	Pictures int             `json:"pictures"`
	FrameS   float64         `json:"frame_s"`               // median time between two, 0 where there are fewer
	Early    int             `json:"pictures_before_start"` // before the first random access point: they cannot be shown
	Streams  []mpegts.Stream `json:"streams"`
	// Shifts are by how much the stream's times are moved, where they go back or leap: from this time of the line on, so much.
	Shifts   [][2]float64  `json:"shifts_s,omitempty"`
	Metadata VideoMetadata `json:"metadata"`
	// Trail is what the map draws of the whole video, thinned.
	Trail    []VideoGlimpse  `json:"trail"`
	Bounds   *[4]float64     `json:"bounds"` // west, south, east, north of the trail; null where no ground is known
	Problems []video.Problem `json:"problems"`
	Dropped  int             `json:"problems_dropped,omitempty"`
}

// VideoMetadata is what the file says about itself.
type VideoMetadata struct {
	Packets int64        `json:"packets"`
	Sets    video.Counts `json:"sets"`
	Stale   int64        `json:"stale_checksums"`
	// Clock says by which clock packets lie beside the pictures: pts, arrival or time.
	Clock clockKind `json:"clock"`
	StepS float64   `json:"step_s"` // median time between two packets
	// Spans are the stretches without a gap; a gap is five times the step, and half a second or more.
	Spans []spanS `json:"spans_s"`
	video.Names
	// UTC are pairs of a time on the line and seconds since 1970, between which UTC runs in proportion; empty where packets name none.
	UTC [][2]float64 `json:"utc"`
}

// VideoGlimpse is where the camera was at one time and which ground it saw.
type VideoGlimpse struct {
	PTS    float64      `json:"pts_s"`
	Sensor *[2]float64  `json:"sensor"` // longitude, latitude
	Center *[2]float64  `json:"center"`
	Ring   [][2]float64 `json:"ring"` // empty where no ground is known
}

// videoSource is a video that a reader may see.
type videoSource struct {
	row    VideoRow
	of     atalaya.Observation // without its body; of a file without observation, as one would be
	isFile bool
}

// videoOf finds a video by its observation, or by its file where it has none.
func (a *App) videoOf(ctx context.Context, view access.View, id string) (videoSource, error) {
	if strings.HasPrefix(id, "file_") {
		f, e, err := get[File](ctx, a, view, "file", id)
		if err == nil && (f.Kind != "mpegts" || f.Blob == "") {
			err = noVideo(id)
		}
		if err != nil {
			return videoSource{}, err
		}
		m, err := a.Record.Get(ctx, view, "mission", string(f.Mission))
		return ofFile(f, e, m), err
	}
	e, err := a.Record.Get(ctx, view, "observation", id)
	if err != nil {
		return videoSource{}, err
	}
	if s, known := a.glances.source(e); known {
		return s, nil
	}
	var o atalaya.Observation
	if err := json.Unmarshal(e.Body, &o); err != nil {
		return videoSource{}, err
	}
	if o.Kind != atalaya.VideoTrack {
		return videoSource{}, noVideo(id)
	}
	s, err := ofObservation(o, e)
	if err == nil {
		a.glances.keep(e, s)
	}
	return s, err
}

func noVideo(id string) error {
	return failure(atalaya.NotFound, "List them with GET /api/videos", "%s is no video", id)
}

func ofObservation(o atalaya.Observation, e store.Entity) (videoSource, error) {
	var b VideoBody
	if err := json.Unmarshal(o.Body, &b); err != nil {
		return videoSource{}, fmt.Errorf("observation %s: %w", o.ID, err)
	}
	s := videoSource{row: VideoRow{Observation: observationRow(o, e), Packets: b.Packets}, of: o}
	s.of.Body = nil
	return s, nil
}

// ofFile is a file of pictures as if it were an observation, of the time of its mission.
func ofFile(f File, e, mission store.Entity) videoSource {
	o := atalaya.Observation{ID: atalaya.ObservationID(e.ID), Mission: f.Mission, Kind: atalaya.VideoTrack, Sortie: f.Sortie, Blob: f.Blob, Path: f.Path, Marking: e.Marking,
		When: atalaya.Span{From: mission.From, To: mission.To}}
	row := observationRow(o, e)
	row.Summary, row.Said = "", nil
	return videoSource{row: VideoRow{Observation: row, Bytes: f.Bytes}, of: o, isFile: true}
}

// Videos lists the videos of a mission ("" is the latest) that a reader may see, the latest first.
func (a *App) Videos(ctx context.Context, view access.View, mission atalaya.MissionID) (VideoList, error) {
	out := VideoList{Videos: []VideoRow{}}
	m, err := a.missionOr(ctx, view, mission)
	if err != nil || m == nil {
		if err == nil {
			out.Banner, err = BannerOf()
		}
		return out, err
	}
	out.Mission = &MissionName{m.ID, m.Name, m.From, m.To}
	sources, err := a.videosOf(ctx, view, m.ID)
	if err != nil {
		return out, err
	}
	marks := []string{m.Marking}
	for _, s := range sources {
		if s.row.Picture, s.row.Bytes, err = a.glance(s.of.Blob); err != nil {
			return out, err
		}
		out.Videos, marks = append(out.Videos, s.row), append(marks, s.of.Marking)
	}
	slices.SortStableFunc(out.Videos, func(x, y VideoRow) int {
		return cmp.Or(y.Observation.When.To.Compare(x.Observation.When.To), cmp.Compare(x.Observation.Path, y.Observation.Path))
	})
	out.Banner, err = BannerOf(marks...)
	return out, err
}

// videosOf lists the video observations of a mission, and its transport streams that gave none.
func (a *App) videosOf(ctx context.Context, view access.View, m atalaya.MissionID) (out []videoSource, err error) {
	es, err := a.all(ctx, view, store.Query{Kind: "observation", Mission: string(m), AllStanding: true})
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, e := range es {
		var o atalaya.Observation
		if e.Standing == store.Purged {
			continue
		}
		if err := json.Unmarshal(e.Body, &o); err != nil {
			return nil, fmt.Errorf("observation %s: %w", e.ID, err)
		}
		if o.Kind != atalaya.VideoTrack {
			continue
		}
		s, err := ofObservation(o, e)
		if err != nil {
			return nil, err
		}
		out, seen[o.Path] = append(out, s), true
	}
	files, err := a.all(ctx, view, store.Query{Kind: "file", Mission: string(m)})
	if err != nil {
		return nil, err
	}
	mission, err := a.Record.Get(ctx, view, "mission", string(m))
	if err != nil {
		return nil, err
	}
	for _, e := range files {
		var f File
		if e.Standing == store.Purged {
			continue
		}
		if err := json.Unmarshal(e.Body, &f); err != nil {
			return nil, fmt.Errorf("file %s: %w", e.ID, err)
		}
		if f.Kind == "mpegts" && f.Blob != "" && !seen[f.Path] && a.Record.Blobs().Has(f.Blob) {
			out = append(out, ofFile(f, e, mission))
		}
	}
	return out, nil
}

// glanceBytes is how much of a file is read for the list: a stream brings its tables and a picture with its parameter sets within it.
const glanceBytes = 2 << 20

// glances are what was learnt of videos that is asked for again and again: from the beginnings of files, and from observations. That of four
// hours of flight has a body of a megabyte, and every jump in them would read it twice.
type glances struct {
	mu      sync.Mutex
	heads   map[atalaya.BlobID]VideoPicture
	sources map[string]sourceAt
}

// A sourceAt is a video as one version of its observation has it.
type sourceAt struct {
	version  int64
	standing store.Standing
	videoSource
}

// maxSources is how many observations are remembered.
const maxSources = 256

// source is what was learnt of exactly this version of an observation. Whether the reader may see it was asked when the entity was read.
func (g *glances) source(e store.Entity) (videoSource, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s, known := g.sources[e.ID]
	return s.videoSource, known && s.version == e.Version && s.standing == e.Standing
}

func (g *glances) keep(e store.Entity, s videoSource) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.sources == nil || len(g.sources) >= maxSources {
		g.sources = map[string]sourceAt{}
	}
	g.sources[e.ID] = sourceAt{e.Version, e.Standing, s}
}

// glance learns from the beginning of a file whether a browser can show it.
func (a *App) glance(id atalaya.BlobID) (VideoPicture, int64, error) {
	b, err := a.Record.Blobs().Open(id)
	if err != nil {
		return VideoPicture{}, 0, err
	}
	defer b.Close()
	a.glances.mu.Lock()
	p, known := a.glances.heads[id]
	a.glances.mu.Unlock()
	if known {
		return p, b.Size(), nil
	}
	d := mpegts.NewDemuxer(io.NewSectionReader(b, 0, min(b.Size(), glanceBytes)))
	d.TakeOutline(mpegts.Stream.IsVideo)
	for {
		if _, err := d.Next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return p, 0, err
		}
	}
	p = VideoPicture{Play: NoImage}
	for _, s := range d.Streams() {
		if s.IsVideo() {
			p = pictureOf(s)
			break
		}
	}
	a.glances.mu.Lock()
	defer a.glances.mu.Unlock()
	if a.glances.heads == nil {
		a.glances.heads = map[atalaya.BlobID]VideoPicture{}
	}
	a.glances.heads[id] = p
	return p, b.Size(), nil
}

func pictureOf(s mpegts.Stream) VideoPicture {
	p := VideoPicture{Play: Cannot, Codec: s.Codec, Width: s.Width, Height: s.Height}
	switch s.Codec {
	case "h264":
		p.Play = Plays
	case "h265":
		p.Play = Perhaps
	}
	if v := s.Video; v != nil {
		p.Profile, p.Level, p.Interlaced = v.Profile, v.Level, v.Interlaced
		if v.RateDen > 0 {
			p.RateHz = float64(v.RateNum) / float64(v.RateDen)
		}
	}
	return p
}

// Video is all that the room needs to open one video. The first call for a file reads it through.
func (a *App) Video(ctx context.Context, view access.View, id string) (VideoView, error) {
	v := VideoView{ChunkS: chunkS, Streams: []mpegts.Stream{}, Trail: []VideoGlimpse{}, Problems: []video.Problem{}}
	src, err := a.videoOf(ctx, view, id)
	if err != nil {
		return v, err
	}
	v.VideoRow, v.Mission, v.SHA256 = src.row, src.of.Mission, src.of.Blob
	r, err := a.reelOf(ctx, src.of.Blob)
	if err != nil {
		return v, err
	}
	v.Bytes, v.Segments, v.Pictures, v.FrameS, v.Early = r.size, len(r.groups), len(r.frames), r.frameS, r.early
	v.From, v.To, _ = r.span()
	if math.IsInf(v.From, 0) {
		v.From, v.To = 0, 0
	}
	v.Streams = append(v.Streams, r.streams...)
	v.Problems, v.Dropped = append(v.Problems, r.problems...), r.dropped
	for _, q := range r.line.runs {
		if q.shift != 0 {
			v.Shifts = append(v.Shifts, [2]float64{seconds(q.first + q.shift), seconds(q.shift)})
		}
	}
	if err := a.playOf(&v, r); err != nil {
		return v, err
	}
	v.Metadata = r.metadata()
	v.Trail, v.Bounds = r.trail()
	v.Banner, err = BannerOf(src.of.Marking)
	return v, err
}

// playOf says what there is to play.
func (a *App) playOf(v *VideoView, r *reel) error {
	v.Picture = VideoPicture{Play: NoImage}
	if r.video == nil {
		return nil
	}
	v.Picture = pictureOf(*r.video)
	if v.Picture.RateHz == 0 && r.frameS > 0 {
		v.Picture.RateHz = math.Round(100/r.frameS) / 100
	}
	if v.Picture.Play == Cannot {
		return nil
	}
	if len(r.groups) == 0 {
		v.Picture.Play = NoStart
		return nil
	}
	b, err := a.Record.Blobs().Open(r.blob)
	if err != nil {
		return err
	}
	defer b.Close()
	c, err := r.configured(b)
	switch {
	case errors.Is(err, playback.ErrNoParameters):
		v.Picture.Play, v.Why = NoStart, err.Error()
	case err != nil:
		return err
	default:
		v.Type = c.Type
	}
	return nil
}

func (r *reel) metadata() VideoMetadata {
	m := VideoMetadata{Packets: r.packets, Sets: r.sets, Stale: r.stale, Clock: r.clock, StepS: r.stepS, Spans: r.cover, Names: r.names, UTC: [][2]float64{}}
	const most = 400
	every := max(1, (len(r.glimpses)+most-1)/most)
	for i := 0; i < len(r.glimpses); i += every {
		if g := &r.glimpses[i]; !g.time.IsZero() {
			m.UTC = append(m.UTC, [2]float64{g.t, float64(g.time.UnixMicro()) / 1e6})
		}
	}
	return m
}

// mostTrail is how many glimpses of the whole video the map draws.
const mostTrail = 400

// trail thins the glimpses, and says what ground they cover.
func (r *reel) trail() ([]VideoGlimpse, *[4]float64) {
	out := []VideoGlimpse{}
	var bounds *[4]float64
	widen := func(p [2]float64) {
		if bounds == nil {
			bounds = &[4]float64{p[0], p[1], p[0], p[1]}
		}
		bounds[0], bounds[1] = min(bounds[0], p[0]), min(bounds[1], p[1])
		bounds[2], bounds[3] = max(bounds[2], p[0]), max(bounds[3], p[1])
	}
	every := max(1, (len(r.glimpses)+mostTrail-1)/mostTrail)
	for i := 0; i < len(r.glimpses); i += every {
		g := &r.glimpses[i]
		v := VideoGlimpse{PTS: g.t, Ring: [][2]float64{}}
		if g.hasSensor {
			v.Sensor = &[2]float64{g.sensor.Lon, g.sensor.Lat}
			widen(*v.Sensor)
		}
		if g.hasCenter {
			v.Center = &[2]float64{g.center.Lon, g.center.Lat}
			widen(*v.Center)
		}
		if g.how != "" {
			for _, p := range g.ring {
				v.Ring = append(v.Ring, [2]float64{p.Lon, p.Lat})
				widen([2]float64{p.Lon, p.Lat})
			}
		}
		if g.hasSensor || g.hasCenter || g.how != "" {
			out = append(out, v)
		}
	}
	return out, bounds
}

// VideoPlace is a point of the ground that a picture shows.
type VideoPlace struct {
	PTS  float64    `json:"pts_s"`
	Time *time.Time `json:"time"`
	X    float64    `json:"x_px"`
	Y    float64    `json:"y_px"`
	// Place is null where the pixel shows no ground, or none that could be told; Why says why.
	Place *GroundPoint `json:"place"`
	Why   string       `json:"why,omitempty"`
}
