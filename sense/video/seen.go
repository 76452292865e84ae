package video

import (
	"errors"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// A Question asks when a video showed a place: a disc on the ground, or a point where the radius is 0.
type Question struct {
	At      geodesy.LatLon
	RadiusM float64
	From    time.Time // zero: from the beginning
	To      time.Time // zero: to the end
}

// An Instant is a time by both clocks of a stream.
type Instant struct {
	PTS     float64 // seconds
	HasPTS  bool
	Time    time.Time
	HasTime bool
}

// A Sighting is a place as one packet's look shows it.
type Sighting struct {
	Instant
	// X and Y are where the place is in the picture, from the upper left corner (0, 0) to the lower right (1, 1); of a disc, its
	// middle, which may lie outside. HasXY is false where only the footprint is known.
	X, Y  float64
	HasXY bool
	// SlantM is the distance from the sensor, 0 where its height is not known; GSDM the side of a square of the ground as large as
	// what a pixel shows there, 0 where frame size or field of view is not known. Metres.
	SlantM, GSDM float64
}

// An Interval is a run of packets of one stream that all show the place.
type Interval struct {
	PID      uint16
	From, To Instant // of its first and last packet
	Packets  int
	Best     Sighting   // the one with the finest ground sample, else the nearest
	SlantM   [2]float64 // least and most; 0 where not known
	GSDM     [2]float64
}

// An Answer says when a video showed a place.
type Answer struct {
	Container string
	Sensor    string // Image Source Sensor (ST 0601 item 11), "" where not told
	Frame     Size   // of the picture, 0 by 0 where not known
	Packets   int64
	// Looked counts packets that tell where the camera looked; Untimed those that were passed over because a time was asked for and
	// they have none.
	Looked, Untimed int64
	Intervals       []Interval // in the order of their ends
	Dropped         int        // intervals beyond MaxIntervals
	Problems        []Problem
}

// MaxIntervals bounds an answer.
const MaxIntervals = 10000

// Ask reads a video to its end and says when it showed a place. Looks are those of its packets: an interval begins at the first
// packet that shows the place and ends at the last before one that does not, or before a hole of more than Expiry. Terrain between
// is not asked, the Earth's curve is. As with ReadTrack, an error means that there is nothing to tell or that r could not be read.
func Ask(r io.Reader, s Sigmas, q Question) (Answer, error) {
	reader := NewReader(r)
	v := NewViewer(s)
	w := watch{q: q, open: map[uint16]*Interval{}}
	w.Container = reader.Container()
	for {
		p, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return w.Answer, err
		}
		w.size(reader, v, p.PID)
		l := v.See(&p)
		w.take(p.PID, &l)
		if w.Sensor == "" {
			w.Sensor = v.State(p.PID).Text(11)
		}
		w.Problems = append(w.Problems, p.Problems...)
		w.Problems = w.Problems[:min(len(w.Problems), maxAnswerProblems)]
	}
	for _, pid := range slices.Sorted(maps.Keys(w.open)) {
		w.close(pid)
	}
	list, _ := reader.Problems()
	w.Problems = append(w.Problems, list...)
	return w.Answer, nil
}

// maxAnswerProblems bounds what is told of packets.
const maxAnswerProblems = 1000

// watch makes intervals of sightings.
type watch struct {
	Answer
	q    Question
	open map[uint16]*Interval
}

// size learns the picture's size, from the stream or from VMTI.
func (w *watch) size(r *Reader, v *Viewer, pid uint16) {
	if w.Frame.Width > 0 {
		return
	}
	for _, s := range r.Streams() {
		if s.Width > 0 && s.Height > 0 {
			w.Frame = Size{s.Width, s.Height}
			return
		}
	}
	if m := &v.State(pid).marks; m.FrameWidth > 0 && m.FrameHeight > 0 {
		w.Frame = Size{m.FrameWidth, m.FrameHeight}
	}
}

func (w *watch) take(pid uint16, l *Look) {
	w.Packets++
	if l.How == "" { // a stream of targets, or a packet that does not tell where the camera looks
		if l.HasSensor {
			w.close(pid)
		}
		return
	}
	w.Looked++
	if !w.q.From.IsZero() || !w.q.To.IsZero() {
		if !l.HasTime {
			w.Untimed++
			return
		}
		if l.Time.Before(w.q.From) || !w.q.To.IsZero() && l.Time.After(w.q.To) {
			w.close(pid)
			return
		}
	}
	s, ok := l.Sees(w.q.At, w.q.RadiusM, w.Frame)
	if !ok {
		w.close(pid)
		return
	}
	if i := w.open[pid]; i != nil && i.To.holds(s.Instant) {
		i.add(s)
		return
	}
	w.close(pid)
	w.open[pid] = &Interval{PID: pid, From: s.Instant, To: s.Instant, Packets: 1, Best: s, SlantM: [2]float64{s.SlantM, s.SlantM}, GSDM: [2]float64{s.GSDM, s.GSDM}}
}

// holds says that what was seen at an instant may be taken to have been seen up to another.
func (a Instant) holds(b Instant) bool {
	d := math.Inf(1)
	switch {
	case a.HasTime && b.HasTime:
		d = b.Time.Sub(a.Time).Seconds()
	case a.HasPTS && b.HasPTS:
		d = b.PTS - a.PTS
	}
	return d >= 0 && d <= Expiry.Seconds()
}

func (i *Interval) add(s Sighting) {
	i.To = s.Instant
	i.Packets++
	if finer := s.GSDM < i.Best.GSDM; s.GSDM > 0 && (finer || i.Best.GSDM == 0) || s.GSDM == 0 && i.Best.GSDM == 0 && s.SlantM < i.Best.SlantM {
		i.Best = s
	}
	for _, k := range []struct {
		of *[2]float64
		v  float64
	}{{&i.SlantM, s.SlantM}, {&i.GSDM, s.GSDM}} {
		switch {
		case k.v == 0:
		case k.of[0] == 0:
			*k.of = [2]float64{k.v, k.v}
		default:
			k.of[0], k.of[1] = math.Min(k.of[0], k.v), math.Max(k.of[1], k.v)
		}
	}
}

func (w *watch) close(pid uint16) {
	i := w.open[pid]
	if i == nil {
		return
	}
	delete(w.open, pid)
	if len(w.Intervals) == MaxIntervals {
		w.Dropped++
		return
	}
	w.Intervals = append(w.Intervals, *i)
}

// rimPoints is at how many points the rim of a disc is looked for in the picture.
const rimPoints = 32

// Sees says whether the look shows a place, or anything of a disc around it, and how. frame is the picture's size, 0 by 0 where it
// is not known.
func (l *Look) Sees(at geodesy.LatLon, radiusM float64, frame Size) (s Sighting, ok bool) {
	s.Instant = Instant{l.PTS, l.HasPTS, l.Time, l.HasTime}
	shows := l.shows
	if l.Blind() != "" {
		if l.How == "" {
			return s, false
		}
		shows = ringOf(l.Corners, at)
	}
	if ok = shows(at); !ok && radiusM > 0 {
		for _, c := range l.Corners {
			ok = ok || l.How != "" && geodesy.Distance(at, c) <= radiusM
		}
		for i := 0; i < rimPoints && !ok; i++ {
			ok = shows(geodesy.Destination(at, 360*float64(i)/rimPoints, radiusM))
		}
	}
	if ok {
		l.measure(&s, at, frame)
	}
	return s, ok
}

// shows says that a place lies in the picture and before the horizon.
func (l *Look) shows(at geodesy.LatLon) bool {
	x, y, within, ok := l.PointOf(Position{Lat: at.Lat, Lon: at.Lon})
	if !ok || !within {
		return false
	}
	// Beyond the horizon the ray to a place meets nearer ground. What it meets of a place in sight is the place, but for rounding.
	spot, ok := l.Point(x, y)
	return ok && geodesy.Distance(spot.LatLon(), at) <= 1+1e-3*spot.RangeM
}

// ringOf says of places whether they lie within a ring of corners: by the crossings of a line from each to the east, on the plane
// that touches the ground at a place near by.
func ringOf(corners [4]geodesy.LatLon, near geodesy.LatLon) func(geodesy.LatLon) bool {
	f := geodesy.NewFrame(geodesy.LatLonHeight{Lat: near.Lat, Lon: near.Lon})
	var ring [4][2]float64
	for i, c := range corners {
		ring[i] = f.GroundENU(c)
	}
	return func(at geodesy.LatLon) bool {
		p, in := f.GroundENU(at), false
		for i, a := range ring {
			b := ring[(i+1)%4]
			if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < a[0]+(p[1]-a[1])*(b[0]-a[0])/(b[1]-a[1]) {
				in = !in
			}
		}
		return in
	}
}

// measure fills in where in the picture a place is, how far, and how finely it is seen.
func (l *Look) measure(s *Sighting, at geodesy.LatLon, frame Size) {
	height := l.Reported.HeightM
	if l.Blind() == "" {
		height = l.sight.HeightM
		s.X, s.Y, _, s.HasXY = l.PointOf(Position{Lat: at.Lat, Lon: at.Lon})
	}
	if l.HasSensor && l.Sensor.HasHeight && (l.aimed || l.Reported.HasHeight) {
		s.SlantM = geodesy.ToECEF(geodesy.LatLonHeight{Lat: at.Lat, Lon: at.Lon, HeightHAE: height}).Sub(geodesy.ToECEF(l.Sensor.geodetic())).Norm()
	}
	if !s.HasXY || frame.Width < 1 || frame.Height < 1 {
		return
	}
	x, y := s.X*float64(frame.Width), s.Y*float64(frame.Height)
	var corners [4][2]float64
	f := geodesy.NewFrame(geodesy.LatLonHeight{Lat: at.Lat, Lon: at.Lon, HeightHAE: height})
	for i, d := range [4][2]float64{{-.5, -.5}, {.5, -.5}, {.5, .5}, {-.5, .5}} {
		spot, ok := l.Pixel(x+d[0], y+d[1], frame)
		if !ok {
			return
		}
		corners[i] = f.GroundENU(spot.LatLon())
	}
	p, q := minus(corners[2], corners[0]), minus(corners[3], corners[1]) // diagonals: half their product is the area
	s.GSDM = math.Sqrt(math.Abs(p[0]*q[1]-p[1]*q[0]) / 2)
}

func minus(a, b [2]float64) [2]float64 { return [2]float64{a[0] - b[0], a[1] - b[1]} }
