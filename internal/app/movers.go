package app

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"slices"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/detect/mover"
	"github.com/atalaya-isr/atalaya/external/ffmpeg"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// MoverOptions say how a video is searched for what moves.
type MoverOptions struct {
	Width, Height int // of the frames worked on; 0 is the size of the video, at most that of 960 x 540
	Every         int // one frame of so many is looked at; 0 is 1
	Baseline      int // see mover.Options
	// Done hears of each frame; nil is silent.
	Done func(frames int, pts float64)
}

// Movers is what moves in a video, atalaya.movers/1.
type Movers struct {
	Schema   string        `json:"schema"`
	Width    int           `json:"width_px"` // of the video: all px are of this size
	Height   int           `json:"height_px"`
	RateHz   float64       `json:"rate_hz"` // of the frames looked at
	Fields   ffmpeg.Order  `json:"fields"`  // told from the pixels
	Tracks   []MoverTrack  `json:"tracks"`
	Frames   []MoverFrame  `json:"frames"`
	Problems []MoverRemark `json:"problems"`
	VMTI     *MoversVMTI   `json:"vmti,omitempty"` // see MarkVideo
}

// MoverTrack is one thing that moves.
type MoverTrack struct {
	ID       int          `json:"id"`
	Contrast float64      `json:"contrast"` // grey levels against the ground
	Points   []MoverPoint `json:"points"`
}

// MoverPoint is a track in one frame: x and y are the middle of its box, 0 at the left and upper edge of the picture.
type MoverPoint struct {
	PTS        float64    `json:"pts_s"`
	X          float64    `json:"x_px"`
	Y          float64    `json:"y_px"`
	W          float64    `json:"w_px"`
	H          float64    `json:"h_px"`
	Covariance [3]float64 `json:"covariance_px2"` // of x and y: xx, xy, yy
	Coasted    bool       `json:"coasted,omitempty"`
	Lat        *float64   `json:"lat"`
	Lon        *float64   `json:"lon"`
	Speed      *float64   `json:"speed_mps"`
	SpeedSigma *float64   `json:"speed_sigma_mps"`
}

// MoverFrame is how one frame was registered and what could have been seen in it.
type MoverFrame struct {
	PTS      float64  `json:"pts_s"`
	Locked   bool     `json:"locked"`
	Jumped   bool     `json:"jumped,omitempty"`
	Residual float64  `json:"residual_px"`
	Inliers  int      `json:"inliers"`
	Slowest  *float64 `json:"min_speed_px_frame"`
	SlowMPS  *float64 `json:"min_speed_mps"`
	GSD      *float64 `json:"gsd_m"`
	Masked   float64  `json:"masked"`
	Regions  int      `json:"regions"`
}

// MoverRemark is something that was wrong with the file or is missing in it.
type MoverRemark struct {
	At   int64  `json:"at"`
	What string `json:"what"`
}

// FindMovers searches a video file for what moves over the ground. Pixels are decoded by ffmpeg; where the file carries
// metadata that say where the camera looked, tracks have places and speeds.
func FindMovers(ctx context.Context, path string, o MoverOptions) (*Movers, error) {
	if st, err := os.Stat(path); err != nil || st.IsDir() {
		return nil, &atalaya.Error{Op: "video.movers", File: path, Kind: atalaya.NotFound, Err: errors.New("no such file"), Hint: "Name a video file"}
	}
	program, err := ffmpeg.Find(ctx)
	if err != nil {
		return nil, err
	}
	info, err := program.Probe(ctx, path)
	if err != nil {
		return nil, err
	}
	out := &Movers{Schema: "atalaya.movers/1", Width: info.Width, Height: info.Height, Fields: info.Order,
		RateHz: rounded(info.Rate/float64(max(o.Every, 1)), 6), Tracks: []MoverTrack{}, Frames: []MoverFrame{}, Problems: []MoverRemark{}}
	looks, remark := readSights(path)
	if remark != nil {
		out.Problems = append(out.Problems, *remark)
	}
	if o.Width == 0 || o.Height == 0 {
		o.Width, o.Height = workingSize(info.Width, info.Height)
	}
	return out, out.search(ctx, program, path, info, o, looks)
}

// search decodes the frames and hands them to the finder, while the program decodes on.
func (m *Movers) search(ctx context.Context, program *ffmpeg.Program, path string, info ffmpeg.Info, o MoverOptions, looks *sights) error {
	options := mover.Options{Width: o.Width, Height: o.Height, FullWidth: info.Width, FullHeight: info.Height, Rate: m.RateHz, Baseline: o.Baseline,
		Seed: 1, OnTrack: m.track, OnFrame: m.frame}
	if looks != nil {
		options.Ground = looks.ground(info.Width, info.Height)
	}
	find, err := mover.New(options)
	if err != nil {
		return err
	}
	frames, err := program.Open(ctx, path, info, ffmpeg.Options{Width: o.Width, Height: o.Height, Order: info.Order, Every: o.Every})
	if err != nil {
		return err
	}
	defer frames.Close()
	last, n := math.Inf(-1), 0
	for {
		f, err := frames.Next()
		if errors.Is(err, io.EOF) {
			find.End()
			return nil
		}
		if err != nil {
			return err
		}
		if pts := f.Seconds(); pts > last {
			if err := find.Add(f.Pix, pts); err != nil {
				return err
			}
			last = pts
		} else {
			m.Problems = append(m.Problems, MoverRemark{0, "a frame's time is not after the one before; it was left out"})
		}
		if n++; o.Done != nil {
			o.Done(n, last)
		}
	}
}

// workingSize is the size of a video, or what of its shape has about the pixels of 960 x 540; the width is a multiple of 8.
func workingSize(w, h int) (int, int) {
	const most = 960 * 540
	k := min(1, math.Sqrt(most/float64(w*h)))
	if half := 0.5; math.Abs(k-half) < 0.05 { // whole pixels fall together
		k = half
	}
	return max(int(math.Round(float64(w)*k/8))*8, 64), max(int(math.Round(float64(h)*k/2))*2, 64)
}

func (m *Movers) track(t mover.Track) {
	points := make([]MoverPoint, len(t.Points))
	for i, p := range t.Points {
		points[i] = MoverPoint{PTS: p.PTS, X: rounded(p.X, 3), Y: rounded(p.Y, 3), W: rounded(p.W, 3), H: rounded(p.H, 3), Coasted: p.Coasted}
		for k, v := range p.Covariance {
			points[i].Covariance[k] = rounded(v, 6)
		}
		if p.OnGround {
			points[i].Lat, points[i].Lon = given(p.At.Lat, 8), given(p.At.Lon, 8) // 8 decimals of a degree are a millimetre
			points[i].Speed, points[i].SpeedSigma = given(p.SpeedMPS, 4), given(p.SpeedSigma, 4)
		}
	}
	if i := slices.IndexFunc(m.Tracks, func(o MoverTrack) bool { return o.ID == t.ID }); i >= 0 {
		m.Tracks[i].Points = append(m.Tracks[i].Points, points...)
		return
	}
	m.Tracks = append(m.Tracks, MoverTrack{t.ID, rounded(t.Contrast, 1), points})
}

func (m *Movers) frame(f mover.Frame) {
	out := MoverFrame{PTS: f.PTS, Locked: f.Locked, Jumped: f.Jumped, Residual: rounded(f.ResidualPX, 4), Inliers: f.Inliers, Masked: rounded(f.Masked, 4), Regions: f.Regions}
	if f.Searched {
		out.Slowest = given(f.SlowestPX, 6)
	}
	if f.GSD > 0 {
		out.GSD = given(f.GSD, 6)
		if f.Searched {
			out.SlowMPS = given(f.SlowestMPS, 6)
		}
	}
	m.Frames = append(m.Frames, out)
}

// rounded drops decimals that no one could measure.
func rounded(v float64, decimals int) float64 {
	k := math.Pow10(decimals)
	return math.Round(v*k) / k
}

func given(v float64, decimals int) *float64 {
	v = rounded(v, decimals)
	return &v
}

// A sighted is where the camera looked at one time: by a ray, or by the corners of its footprint.
type sighted struct {
	pts     float64
	sight   video.Sight
	x, y    float64 // tangents at the right and lower edge; 0 where the ground is known by corners
	corners [4]geodesy.LatLon
}

// sights are the looks of a file, by presentation time.
type sights struct{ all []sighted }

// nearest two looks may be this far from a frame, seconds: nothing is guessed beyond.
const reachS = 1.0

// readSights reads where the camera looked. It gives nil, and says why, where the file does not tell.
func readSights(path string) (*sights, *MoverRemark) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &MoverRemark{0, err.Error()}
	}
	defer f.Close()
	s := &sights{}
	err = video.ReadLooks(video.NewReader(f), video.DefaultSigmas, func(_ *video.Packet, l *video.Look) error {
		if one, ok := sightOf(l); ok {
			s.all = append(s.all, one)
		}
		return nil
	})
	var e *atalaya.Error
	switch {
	case errors.As(err, &e):
		return nil, &MoverRemark{0, e.Err.Error() + ": tracks have no places"}
	case err != nil:
		return nil, &MoverRemark{0, err.Error()}
	case len(s.all) == 0:
		return nil, &MoverRemark{0, "the metadata do not tell where the picture lies on the ground: tracks have no places"}
	}
	slices.SortStableFunc(s.all, func(a, b sighted) int {
		switch {
		case a.pts < b.pts:
			return -1
		case a.pts > b.pts:
			return 1
		}
		return 0
	})
	return s, nil
}

func sightOf(l *video.Look) (sighted, bool) {
	s := sighted{pts: l.PTS}
	switch {
	case !l.HasPTS:
		return s, false
	case l.HasRay && !l.Contradicts && l.HFOV > 0 && l.HFOV < 180 && l.VFOV > 0 && l.VFOV < 180:
		at := geodesy.LatLonHeight{Lat: l.Sensor.Lat, Lon: l.Sensor.Lon, HeightHAE: l.Sensor.HeightM}
		s.sight = video.Sight{Sensor: at, Point: l.Pointing, HeightM: l.Ray.HeightM}
		s.x, s.y = math.Tan(l.HFOV*math.Pi/360), math.Tan(l.VFOV*math.Pi/360)
		return s, true
	case l.How != "" && !l.Horizon:
		s.corners = l.Corners
		return s, true
	}
	return s, false
}

// at is the ground under a point of the picture, u and v from 0 to 1.
func (s *sighted) at(u, v float64) (geodesy.LatLon, bool) {
	if s.x > 0 {
		g, ok := s.sight.Ground((2*u-1)*s.x, (2*v-1)*s.y)
		return g.LatLon(), ok
	}
	mix := func(a, b geodesy.LatLon, k float64) geodesy.LatLon {
		return geodesy.LatLon{Lat: a.Lat + k*(b.Lat-a.Lat), Lon: geodesy.Wrap180(a.Lon + k*geodesy.Wrap180(b.Lon-a.Lon))}
	}
	return mix(mix(s.corners[0], s.corners[1], u), mix(s.corners[3], s.corners[2], u), v), true
}

// ground is the place of a pixel at a time: on the line between those of the looks before and after, or that of the one look
// within reach.
func (s *sights) ground(w, h int) func(pts, x, y float64) (geodesy.LatLon, bool) {
	return func(pts, x, y float64) (geodesy.LatLon, bool) {
		u, v := x/float64(w), y/float64(h)
		i, _ := slices.BinarySearchFunc(s.all, pts, func(a sighted, t float64) int {
			if a.pts < t {
				return -1
			}
			return 1
		})
		before, after := i > 0 && pts-s.all[i-1].pts <= reachS, i < len(s.all) && s.all[i].pts-pts <= reachS
		switch {
		case before && after:
			a, okA := s.all[i-1].at(u, v)
			b, okB := s.all[i].at(u, v)
			k := (pts - s.all[i-1].pts) / (s.all[i].pts - s.all[i-1].pts)
			return geodesy.LatLon{Lat: a.Lat + k*(b.Lat-a.Lat), Lon: geodesy.Wrap180(a.Lon + k*geodesy.Wrap180(b.Lon-a.Lon))}, okA && okB
		case before:
			return s.all[i-1].at(u, v)
		case after:
			return s.all[i].at(u, v)
		}
		return geodesy.LatLon{}, false
	}
}
