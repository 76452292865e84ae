package video

import (
	"math"
	"slices"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// Hold is how far from its packet a look is given at all: metadata that is older says nothing of a frame.
const Hold = time.Second

// A Moment is what stands at a time that need not be a packet's.
type Moment struct {
	Look
	// AgeS is how far the nearer of the packets behind it lies from the time asked for, seconds.
	AgeS float64
	// Interpolated says that the look lies between two packets; otherwise it is the nearest packet's own, as it was.
	Interpolated bool
}

// Between is the look at the share s (0 to 1) of the way from a to b: sensor along the straight line, which between packets
// differs from the geodesic by less than a millimetre of height; the whole turn of platform and gimbal by slerp in Earth-fixed
// axes, so that neither poles nor the wrap at 360 degrees matter; fields of view, heights and reported places in proportion.
// Then rays are cast anew. Where one of the two cannot look, it is the nearer one as it is, and ok is false.
func Between(a, b *Look, s float64) (l Look, ok bool) {
	l = *a
	if s > 0.5 {
		l = *b
	}
	if !a.HasSensor || !b.HasSensor || !a.HasAxis || !b.HasAxis || a.Sensor.Datum != b.Sensor.Datum || a.Absolute != b.Absolute || !(s >= 0 && s <= 1) {
		return l, false
	}
	l.PTS, l.HasPTS = a.PTS+s*(b.PTS-a.PTS), a.HasPTS && b.HasPTS
	l.HasTime = a.HasTime && b.HasTime
	if l.HasTime {
		l.Time = a.Time.Add(time.Duration(s * float64(b.Time.Sub(a.Time))))
	}
	l.Problem, l.Targets = nil, nil
	l.Sensor = amid(a.Sensor, b.Sensor, s)
	if l.HasReported = a.HasReported && b.HasReported && a.Reported.Datum == b.Reported.Datum; l.HasReported {
		l.Reported = amid(a.Reported, b.Reported, s)
	}
	for i := range l.raw {
		from := [2]Position{a.raw[i], b.raw[i]}
		if from[0].Datum == from[1].Datum {
			l.raw[i] = amid(from[0], from[1], s)
		}
	}
	l.SlantM, l.WidthM = partly0(a.SlantM, b.SlantM, s), partly0(a.WidthM, b.WidthM, s)
	l.HFOV, l.VFOV = partly0(a.HFOV, b.HFOV, s), partly0(a.VFOV, b.VFOV, s)
	l.turnTo(slerp(a.turned(), b.turned(), s), slerp(a.Pointing.platform(), b.Pointing.platform(), s))
	if l.saidHow = ""; a.saidHow == b.saidHow {
		for i := range l.said {
			l.said[i] = amid(Position{Lat: a.said[i].Lat, Lon: a.said[i].Lon}, Position{Lat: b.said[i].Lat, Lon: b.said[i].Lon}, s).LatLon()
		}
		l.saidHow = a.saidHow
	}
	l.again()
	return l, true
}

// turned is the look's whole turn into Earth-fixed axes.
func (l *Look) turned() turn {
	if l.sight.hasTurned {
		return l.sight.turned
	}
	return earthward(l.Sensor.LatLon()).then(l.Pointing.turn())
}

// turnTo gives a look the whole turn, into Earth-fixed axes, and the platform's, against which the gimbal's angles then are.
func (l *Look) turnTo(whole, platform turn) {
	l.sight.turned, l.sight.hasTurned = whole, true
	gimbal := platform.back().then(earthward(l.Sensor.LatLon()).back()).then(whole)
	p := &l.Pointing
	p.Heading, p.Pitch, p.Roll = platform.angles()
	p.Azimuth, p.Elevation, p.Rotation = gimbal.angles()
	p.Heading, p.Azimuth, p.Rotation = geodesy.Wrap360(p.Heading), geodesy.Wrap360(p.Azimuth), geodesy.Wrap360(p.Rotation)
}

// again casts a look whose facts were changed.
func (l *Look) again() {
	l.Ray, l.HasRay, l.RangeM, l.Ground, l.GapM, l.BySlant, l.Contradicts = Position{}, false, 0, "", 0, false, false
	l.How, l.Horizon, l.aimed, l.hasRays = "", false, false, false
	if l.options != nil {
		l.sight.Terrain = l.options.ground()
	}
	l.finish()
}

// amid is the point at the share s of the straight line from a to b, in a's datum.
func amid(a, b Position, s float64) Position {
	p, q := geodesy.ToECEF(geodesy.LatLonHeight{Lat: a.Lat, Lon: a.Lon}), geodesy.ToECEF(geodesy.LatLonHeight{Lat: b.Lat, Lon: b.Lon})
	g := geodesy.FromECEF(p.Add(q.Sub(p).Scale(s)))
	out := a
	out.Lat, out.Lon = g.Lat, g.Lon
	out.HeightM, out.GeoidM = a.HeightM+s*(b.HeightM-a.HeightM), a.GeoidM+s*(b.GeoidM-a.GeoidM)
	return out
}

// partly0 goes from a to b; from or to 0, which says "unset", it is 0.
func partly0(a, b, s float64) float64 {
	if a == 0 || b == 0 {
		return 0
	}
	return a + s*(b-a)
}

// A Timeline is the looks of one stream in the order of their times, to ask for any frame's.
type Timeline struct {
	byPTS, byTime []*Look
	most          int
}

// NewTimeline keeps at most so many looks (of about a kilobyte each): the last ones.
func NewTimeline(most int) *Timeline { return &Timeline{most: max(2, most)} }

// Add takes a look in; the timeline keeps a copy. Looks may come out of order.
func (t *Timeline) Add(l *Look) {
	kept := *l
	if l.HasPTS {
		t.byPTS = t.insert(t.byPTS, &kept, func(a, b *Look) int { return compare(a.PTS, b.PTS) })
	}
	if l.HasTime {
		t.byTime = t.insert(t.byTime, &kept, func(a, b *Look) int { return a.Time.Compare(b.Time) })
	}
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// insert puts a look after those of its time and before; the oldest goes when there are too many.
func (t *Timeline) insert(list []*Look, l *Look, order func(a, b *Look) int) []*Look {
	i := len(list)
	for i > 0 && order(list[i-1], l) > 0 {
		i--
	}
	list = slices.Insert(list, i, l)
	if len(list) > t.most {
		list = slices.Delete(list, 0, len(list)-t.most)
	}
	return list
}

// AtPTS is what stands at a presentation time, seconds; false where no packet lies within Hold of it.
func (t *Timeline) AtPTS(pts float64) (Moment, bool) {
	return moment(t.byPTS, func(l *Look) float64 { return l.PTS - pts })
}

// AtTime is what stands at a time.
func (t *Timeline) AtTime(at time.Time) (Moment, bool) {
	return moment(t.byTime, func(l *Look) float64 { return l.Time.Sub(at).Seconds() })
}

// moment looks between the looks before and after the one place where after is 0, in seconds.
func moment(list []*Look, after func(*Look) float64) (Moment, bool) {
	i, _ := slices.BinarySearchFunc(list, 0.0, func(l *Look, _ float64) int { return compare(after(l), 0) })
	hold := Hold.Seconds()
	var a, b *Look
	if i > 0 && -after(list[i-1]) <= hold {
		a = list[i-1]
	}
	if i < len(list) && after(list[i]) <= hold {
		b = list[i]
	}
	switch {
	case a == nil && b == nil:
		return Moment{}, false
	case a == nil:
		return Moment{Look: *b, AgeS: after(b)}, true
	case b == nil:
		return Moment{Look: *a, AgeS: -after(a)}, true
	}
	before, behind := -after(a), after(b)
	if behind == 0 {
		return Moment{Look: *b}, true
	}
	l, ok := Between(a, b, before/(before+behind))
	return Moment{Look: l, AgeS: math.Min(before, behind), Interpolated: ok}, true
}
