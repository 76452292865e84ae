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
	// Seed of chance; 0 is 1.
	Seed uint64
	// Done hears of each frame; nil is silent.
	Done func(frames int, pts float64)

	// part gets what was found so far when that is as much as a part holds, and it is begun anew; nil keeps all.
	part  func(*Movers) error
	holds partSize
}

// partSize is what a part of a search holds at most: points of tracks, and frames.
type partSize struct{ points, frames int }

// usualPart is an hour of film in which two things move at a time: some 60 MB of memory.
var usualPart = partSize{200_000, 110_000}

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

	facts  []mover.Frame // the same frames as they were told
	points int           // of all tracks
	early  int           // frames whose time was not after the one before
}

// A film is a video whose bytes can be read from the beginning, as often as is needed.
type film struct {
	name string
	open func() (io.ReadCloser, error)
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
	out, _, err := searchFilm(ctx, program, film{path, func() (io.ReadCloser, error) { return os.Open(path) }}, o)
	return out, err
}

// searchFilm searches a film with a program that reads it. It gives where the camera looked too; nil where the file does not tell.
func searchFilm(ctx context.Context, program *ffmpeg.Program, f film, o MoverOptions) (*Movers, *sights, error) {
	info, err := program.Probe(ctx, f.name)
	if err != nil {
		return nil, nil, err
	}
	out := &Movers{Schema: "atalaya.movers/1", Width: info.Width, Height: info.Height, Fields: info.Order,
		RateHz: rounded(info.Rate/float64(max(o.Every, 1)), 6), Tracks: []MoverTrack{}, Frames: []MoverFrame{}, Problems: []MoverRemark{}}
	looks, remark := readSights(ctx, f)
	if remark != nil {
		out.Problems = append(out.Problems, *remark)
	}
	if o.Width == 0 || o.Height == 0 {
		o.Width, o.Height = workingSize(info.Width, info.Height)
	}
	return out, looks, out.search(ctx, program, f.name, info, o, looks)
}

// search decodes the frames and hands them to the finder, while the program decodes on. What was found stands when it fails.
func (m *Movers) search(ctx context.Context, program *ffmpeg.Program, path string, info ffmpeg.Info, o MoverOptions, looks *sights) error {
	options := mover.Options{Width: o.Width, Height: o.Height, FullWidth: info.Width, FullHeight: info.Height, Rate: m.RateHz, Baseline: o.Baseline,
		Seed: max(o.Seed, 1), OnTrack: m.track, OnFrame: m.frame}
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
		if err != nil {
			find.End()
			if m.early > 0 {
				m.Problems = append(m.Problems, MoverRemark{0, fmt.Sprintf("%d frames have times that are not after the one before; they were left out", m.early)})
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if pts := f.Seconds(); pts > last {
			if err := find.Add(f.Pix, pts); err != nil {
				return err
			}
			last = pts
		} else {
			m.early++
		}
		if n++; o.Done != nil {
			o.Done(n, last)
		}
		if o.part != nil && (m.points >= o.holds.points || len(m.Frames) >= o.holds.frames) {
			if err := o.part(m); err != nil {
				return err
			}
			m.Tracks, m.Frames, m.Problems, m.facts, m.points = []MoverTrack{}, []MoverFrame{}, []MoverRemark{}, nil, 0
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
	m.points += len(t.Points)
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
	m.Frames, m.facts = append(m.Frames, out), append(m.facts, f)
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
	at      time.Time // zero where the packet names none
}

// sights are the looks of a file, by presentation time. Where there are too many, every second one was let go, and again.
type sights struct {
	all  []sighted
	n    int
	step int // one of so many is kept
}

// mostSights are the looks that are kept: two hours at 30 a second, and fewer a second of what is longer.
const mostSights = 1 << 18

func (s *sights) add(one sighted) {
	if s.n++; s.step == 0 {
		s.step = 1
	}
	if (s.n-1)%s.step != 0 {
		return
	}
	if s.all = append(s.all, one); len(s.all) < mostSights {
		return
	}
	kept := s.all[:0]
	for i := 0; i < len(s.all); i += 2 {
		kept = append(kept, s.all[i])
	}
	s.all, s.step = kept, 2*s.step
}

// timeAt is the UTC of a presentation time, by the look nearest to it that names one; zero where none does.
func (s *sights) timeAt(pts float64) (at time.Time) {
	if s == nil {
		return at
	}
	best := math.Inf(1)
	for i := range s.all {
		if d := math.Abs(s.all[i].pts - pts); d < best && !s.all[i].at.IsZero() {
			best, at = d, s.all[i].at.Add(time.Duration((pts-s.all[i].pts)*float64(time.Second)))
		}
	}
	return at
}

// nearest two looks may be this far from a frame, seconds: nothing is guessed beyond.
const reachS = 1.0

// readSights reads where the camera looked. It gives nil, and says why, where the file does not tell.
func readSights(ctx context.Context, from film) (*sights, *MoverRemark) {
	f, err := from.open()
	if err != nil {
		return nil, &MoverRemark{0, err.Error()}
	}
	defer f.Close()
	s := &sights{}
	err = video.ReadLooks(video.NewReader(f), video.DefaultSigmas, func(_ *video.Packet, l *video.Look) error {
		if one, ok := sightOf(l); ok {
			s.add(one)
		}
		return ctx.Err()
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
	if l.HasTime {
		s.at = l.Time
	}
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

// ground is the ground under a point of the picture, u and v from 0 to 1.
func (s *sighted) ground(u, v float64) (geodesy.LatLon, bool) {
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
			a, okA := s.all[i-1].ground(u, v)
			b, okB := s.all[i].ground(u, v)
			k := (pts - s.all[i-1].pts) / (s.all[i].pts - s.all[i-1].pts)
			return geodesy.LatLon{Lat: a.Lat + k*(b.Lat-a.Lat), Lon: geodesy.Wrap180(a.Lon + k*geodesy.Wrap180(b.Lon-a.Lon))}, okA && okB
		case before:
			return s.all[i-1].ground(u, v)
		case after:
			return s.all[i].ground(u, v)
		}
		return geodesy.LatLon{}, false
	}
}
