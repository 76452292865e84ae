package video

import (
	"errors"
	"io"
	"math"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// Reach is how far from the sensor a picture is taken to show ground, metres: a corner above the horizon, or beyond this, is
// drawn in along its edge of the picture to where the ray meets the ground within reach.
const Reach = 50e3

// A Look is one metadata packet with everything that stands behind it: where the sensor was and which ground it saw.
type Look struct {
	Offset  int64
	PTS     float64
	HasPTS  bool
	Time    time.Time
	HasTime bool
	Problem []Problem

	Sensor    Position
	HasSensor bool
	Pointing  Pointing
	HasAxis   bool    // Pointing is known
	HFOV      float64 // degrees, 0 when unknown
	VFOV      float64
	SlantM    float64 // as reported (item 21), 0 when unset

	// Reported is the frame center of the metadata, Ray that of the ray along the picture's axis to the reported
	// height.
	// Absolute says that the pointing is against north and horizon (EG 0104) and leaves the platform's attitude out.
	Absolute bool
	// BySlant says that the metadata has no height of the ground, and the slant range stood in for it.
	BySlant     bool
	Reported    Position
	HasReported bool
	Ray         Position
	HasRay      bool
	sight       Sight // of Ray
	sigmas      Sigmas
	rounding    Sigmas

	// Contradicts says that Ray and Reported lie further apart than errors explain: more than five times the 95 % ellipse.
	Contradicts bool

	// Corners are upper left, upper right, lower right, lower left of the picture; How is "full" (items 82-89), "offset"
	// (items 26-33), "ray", "center" (field of view about the line to the reported center), or "" when there are none. Horizon says that upper corners were drawn in (see Reach).
	Corners [4]geodesy.LatLon
	How     string
	Horizon bool
	// MixedDatum says that only heights of different datums were to be had: the ray may be tens of metres off.
	MixedDatum bool
}

// Center is the ray's frame center; the reported one where there is no ray, where the ray stands on less than attitude, gimbal
// and a height of the ground, or where the two contradict each other.
func (l *Look) Center() (Position, bool) {
	if l.byRay() {
		return l.Ray, true
	}
	return l.Reported, l.HasReported
}

func (l *Look) byRay() bool {
	return l.HasRay && (!l.HasReported || !l.BySlant && !l.Absolute && !l.Contradicts)
}

// Ellipse95 is the 95 % error ellipse of Ray, false where there is none. It costs twenty rays.
func (l *Look) Ellipse95() (geodesy.Ellipse, bool) {
	if !l.HasRay {
		return geodesy.Ellipse{}, false
	}
	return l.sight.ellipse(l.sigmas, l.rounding)
}

// A Viewer turns packets into looks, keeping what each stream last said.
type Viewer struct {
	states map[uint16]*State
	sigmas Sigmas
}

// NewViewer makes a viewer with these standard deviations beside the rounding of the items.
func NewViewer(s Sigmas) *Viewer { return &Viewer{states: map[uint16]*State{}, sigmas: s} }

// State is what the stream with this PID says as of its last packet.
func (v *Viewer) State(pid uint16) *State {
	s := v.states[pid]
	if s == nil {
		s = &State{}
		v.states[pid] = s
	}
	return s
}

// See takes a packet in and gives the look that now stands.
func (v *Viewer) See(p *Packet) Look {
	s := v.State(p.PID)
	s.Apply(p)
	l := Look{Offset: p.Offset, PTS: p.PTS, HasPTS: p.HasPTS, Problem: p.Problems}
	l.Time, l.HasTime = p.Time()
	heights := s.place(&l)
	s.aim(&l)
	if l.HasSensor && l.HasAxis && l.Sensor.HasHeight && (heights || l.SlantM > 0) {
		sight := Sight{l.Sensor.geodetic(), l.Pointing, l.Reported.HeightM}
		if !heights {
			sight.HeightM, l.BySlant = sight.alongSlant(l.SlantM), true
		}
		l.cast(sight)
		l.sight, l.sigmas, l.rounding = sight, v.sigmas, s.rounding(&l)
	}
	l.reconcile()
	s.corners(&l)
	return l
}

// alongSlant is the height of the point on the axis at the slant range: the ground's, where no other is reported.
func (s Sight) alongSlant(m float64) float64 {
	ned := s.Point.direction(0, 0)
	return geodesy.NewFrame(s.Sensor).FromENU([3]float64{m * ned[1], m * ned[0], -m * ned[2]}).HeightHAE
}

// reconcile looks for a ray that the reported frame center contradicts (a gimbal azimuth counted from north, and a height
// field that carries an angle, occur in well-known files). The ray's corners then count for nothing. Where the slant range
// sides with the reported center, and where attitude is missing, the field of view is laid about the line to that center.
func (l *Look) reconcile() {
	if d, ok := l.RayToReportedM(); ok && !l.BySlant && !l.Absolute && d > 20 {
		e, ok := l.Ellipse95()
		l.Contradicts = ok && d > 5*e.MajorM
	}
	if l.Contradicts {
		l.How, l.Horizon = "", false
	}
	off, ok := l.SlantErrorM()
	if (!l.Contradicts && l.HasRay) || !ok || l.slantOff(off) || l.MixedDatum || !l.hasFOV() {
		return
	}
	toward := geodesy.NewFrame(l.Sensor.geodetic()).ToENU(l.Reported.geodetic())
	flat := math.Hypot(toward[0], toward[1])
	p := Pointing{Heading: math.Atan2(toward[0], toward[1]) * 180 / math.Pi, Elevation: math.Atan2(toward[2], flat) * 180 / math.Pi}
	if l.rayCorners(Sight{l.Sensor.geodetic(), p, l.Reported.HeightM}); l.How != "" {
		l.How = "center"
	}
}

// slantOff says that a slant range is off by more than errors explain: 2 % and 50 m.
func (l *Look) slantOff(off float64) bool { return math.Abs(off) > 50+0.02*l.SlantM }

func (l *Look) hasFOV() bool { return l.HFOV > 0 && l.HFOV < 180 && l.VFOV > 0 && l.VFOV < 180 }

// place sets sensor and reported frame center, with heights of one datum where that can be: above the ellipsoid before above
// the sea. It reports whether the ground's height is known.
func (s *State) place(l *Look) bool {
	var ok1, ok2 bool
	l.Sensor.Lat, ok1 = s.Number(13)
	l.Sensor.Lon, ok2 = s.Number(14)
	l.HasSensor = ok1 && ok2 && l.Sensor.LatLon().Valid()
	l.Reported.Lat, ok1 = s.Number(23)
	l.Reported.Lon, ok2 = s.Number(24)
	l.HasReported = ok1 && ok2 && l.Reported.LatLon().Valid()
	l.SlantM, _ = s.Number(21)

	sensorHAE, _, hasHAE := s.first(104, 75)
	sensorMSL, hasMSL := s.Number(15)
	groundHAE, hasGroundHAE := s.Number(78)
	groundMSL, hasGroundMSL := s.Number(25)
	useHAE := hasHAE && hasGroundHAE || hasHAE && !(hasMSL && hasGroundMSL) || !hasMSL && hasGroundHAE
	l.Sensor.set(useHAE, sensorHAE, hasHAE, sensorMSL, hasMSL)
	l.Reported.set(useHAE, groundHAE, hasGroundHAE, groundMSL, hasGroundMSL)
	l.MixedDatum = l.Sensor.HasHeight && l.Reported.HasHeight && l.Sensor.Datum != l.Reported.Datum
	return l.Reported.HasHeight
}

// set takes a height that an aircraft or the ground can have; the universal set's floats can say anything.
func (p *Position) set(wantHAE bool, hae float64, hasHAE bool, msl float64, hasMSL bool) {
	switch {
	case hasHAE && (wantHAE || !hasMSL):
		p.HeightM, p.Datum, p.HasHeight = hae, HAE, true
	case hasMSL:
		p.HeightM, p.Datum, p.HasHeight = msl, MSL, true
	}
	if p.HeightM < -12e3 || p.HeightM > 1e6 {
		p.HeightM, p.Datum, p.HasHeight = 0, "", false
	}
}

// aim sets attitude, gimbal and field of view. The universal set points against north and horizon: its obliquity is by the
// standard 180 degrees forward and 270 down, and in real files (-37.6 with 37.6 degrees of depression) the elevation itself;
// the sign tells which.
func (s *State) aim(l *Look) {
	l.HFOV, _ = s.Number(16)
	l.VFOV, _ = s.Number(17)
	heading, ok := s.Number(5)
	pitch, _, ok1 := s.first(90, 6)
	roll, _, ok2 := s.first(91, 7)
	azimuth, ok3 := s.Number(18)
	elevation, ok4 := s.Number(19)
	rotation, _ := s.Number(20) // unset means not rotated
	if ok && ok1 && ok2 && ok3 && ok4 {
		l.Pointing = Pointing{heading, pitch, roll, azimuth, elevation, rotation}
		l.HasAxis = true
		return
	}
	if s.northSaid && s.obliqueSaid && s.clock-s.absoluteAt <= Expiry.Seconds() {
		e := s.obliquity
		if e > 0 {
			e = geodesy.Wrap180(180 - e)
		}
		l.Absolute = true
		l.Pointing, l.HasAxis = Pointing{Heading: s.north, Elevation: e}, true
	}
}

func (l *Look) cast(sight Sight) {
	g, ok := sight.Ground(0, 0)
	if !ok {
		return
	}
	datum := l.Reported.Datum
	if l.BySlant {
		datum = l.Sensor.Datum
	}
	l.Ray, l.HasRay = Position{g.Lat, g.Lon, sight.HeightM, datum, true}, true
	if l.hasFOV() {
		l.rayCorners(sight)
	}
}

// rayCorners casts the corners of the field of view. Those that meet no ground within reach are moved down their edge of the
// picture, by bisection, to where the ground comes within reach.
func (l *Look) rayCorners(sight Sight) {
	x, y := math.Tan(l.HFOV*math.Pi/360), math.Tan(l.VFOV*math.Pi/360)
	from := geodesy.ToECEF(sight.Sensor)
	at := func(x, y float64) (geodesy.LatLon, bool) {
		g, ok := sight.Ground(x, y)
		return g.LatLon(), ok && geodesy.ToECEF(g).Sub(from).Norm() <= Reach
	}
	for side := range 2 { // left: corners 0 and 3; right: 1 and 2
		sx := x * float64(2*side-1)
		top, bottom := 0+side, 3-side
		a, okA := at(sx, -y)
		b, okB := at(sx, y)
		if !okA && !okB {
			return
		}
		if !okA || !okB {
			l.Horizon = true
			good, bad := y, -y
			if okA {
				good, bad = -y, y
			}
			for range 24 {
				if mid := (good + bad) / 2; func() bool { _, ok := at(sx, mid); return ok }() {
					good = mid
				} else {
					bad = mid
				}
			}
			edge, _ := at(sx, good)
			if okA {
				b = edge
			} else {
				a = edge
			}
		}
		l.Corners[top], l.Corners[bottom] = a, b
	}
	l.How = "ray"
}

// corners puts reported corners in the place of cast ones: full range first, then offsets from the reported frame center.
func (s *State) corners(l *Look) {
	if c, ok := s.four(82, geodesy.LatLon{}); ok {
		l.Corners, l.How, l.Horizon = c, "full", false
	} else if c, ok := s.four(26, l.Reported.LatLon()); ok && l.HasReported {
		l.Corners, l.How, l.Horizon = c, "offset", false
	}
	if l.How == "" {
		l.Corners = [4]geodesy.LatLon{}
	}
}

func (s *State) four(tag uint32, from geodesy.LatLon) (c [4]geodesy.LatLon, ok bool) {
	for i := range c {
		lat, ok1 := s.Number(tag + 2*uint32(i))
		lon, ok2 := s.Number(tag + 2*uint32(i) + 1)
		if !ok1 || !ok2 {
			return c, false
		}
		c[i] = geodesy.LatLon{Lat: from.Lat + lat, Lon: geodesy.Wrap180(from.Lon + lon)}
		if !c[i].Valid() {
			return c, false
		}
	}
	return c, true
}

// rounding is what the items that stand behind a look lose by their steps.
func (s *State) rounding(l *Look) Sigmas {
	_, pitch, _ := s.first(90, 6)
	height := roundingOf(15)
	if l.Sensor.Datum == HAE {
		height = roundingOf(75)
	}
	return Sigmas{
		Horizontal: roundingOf(14) * 111320, // metres a degree of longitude has on the equator, the most it has
		Vertical:   height,
		Heading:    roundingOf(5),
		Level:      roundingOf(pitch),
		Gimbal:     roundingOf(19),
		Ground:     roundingOf(25),
	}
}

// SlantErrorM is the distance from sensor to reported frame center minus the reported slant range, metres; false when one of
// the three is missing or the slant range is unset.
func (l *Look) SlantErrorM() (float64, bool) {
	if !l.HasSensor || !l.HasReported || l.SlantM == 0 || !l.Sensor.HasHeight || !l.Reported.HasHeight {
		return 0, false
	}
	d := geodesy.ToECEF(l.Sensor.geodetic()).Sub(geodesy.ToECEF(l.Reported.geodetic())).Norm()
	return d - l.SlantM, true
}

// RayToReportedM is the distance on the ground from the ray's frame center to the reported one, metres.
func (l *Look) RayToReportedM() (float64, bool) {
	if !l.HasRay || !l.HasReported {
		return 0, false
	}
	return geodesy.Distance(l.Ray.LatLon(), l.Reported.LatLon()), true
}

// ReadLooks gives each packet's look to see, in the order of the file, and ends with nil at its end or with the first error.
// A look is valid during the call only as far as its Problem list goes.
func ReadLooks(r *Reader, s Sigmas, see func(*Packet, *Look) error) error {
	v := NewViewer(s)
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		l := v.See(&p)
		if err := see(&p, &l); err != nil {
			return err
		}
	}
}
