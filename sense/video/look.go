package video

import (
	"errors"
	"io"
	"math"
	"slices"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/geodesy/terrain"
)

// Reach is how far from the sensor a picture is taken to show ground, metres: a corner above the horizon, or beyond this, is
// drawn in along its edge of the picture to where the ray meets the ground within reach.
const Reach = 50e3

// farM is how far a single ray is followed, metres: beyond the horizon of an aircraft at 19 km.
const farM = 600e3

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
	WidthM    float64 // of the ground that the picture shows, as reported (item 96 or 22), 0 when unset

	// Reported is the frame center of the metadata, Ray that of the ray along the picture's axis to the ground.
	Reported    Position
	HasReported bool
	Ray         Position
	HasRay      bool
	RangeM      float64 // of Ray, from the sensor
	// Ground says where the ray's end has its height from: "frame center height", "slant range", or a terrain's source.
	Ground string
	// GapM is how much of the ray passed over places where the terrain has no ground and could have been as high.
	GapM float64
	// Absolute says that the pointing is against north and horizon (EG 0104) and leaves the platform's attitude out.
	Absolute bool
	// BySlant says that the metadata has no height of the ground, and the slant range stood in for it.
	BySlant bool

	// Contradicts says that Ray and Reported lie further apart than errors explain: more than five times the 95 % ellipse.
	Contradicts bool

	// Corners are upper left, upper right, lower right, lower left of the picture; How is "full" (items 82-89), "offset"
	// (items 26-33), "ray", "center" (field of view about the line to the reported center), or "" when there are none. Horizon
	// says that upper corners were drawn in (see Reach).
	Corners [4]geodesy.LatLon
	How     string
	Horizon bool
	// MixedDatum says that only heights of different datums were to be had: the ray may be tens of metres off.
	MixedDatum bool

	// Targets are those of the packet's own VMTI set.
	Targets []Target

	options *Options
	sight   Sight // of Ray, or of "center"
	aimed   bool  // sight can be looked along
	rays    [4]geodesy.LatLon
	hasRays bool // rays are the corners by ray
	said    [4]geodesy.LatLon
	saidHow string // of said: full, offset, or ""
	heights bool   // the metadata has a height of the ground
	rounds  deviations
	tagOf   [quantities]uint32
	told    []*declared
	lifted  bool // heights named MSL were lifted by the geoid, or would have been
	raw     [2]Position
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

// Heights says how the names of height items are taken.
type Heights string

// How heights are taken.
const (
	AsNamed Heights = "as-named" // 75, 78, 104 above the ellipsoid; 15, 25 above the sea
	AllHAE  Heights = "hae"      // all above the ellipsoid: simulators write so whatever the item's name
	AllMSL  Heights = "msl"      // all above the sea
)

// Options say how looks are made. The zero value but for Sigmas is what the metadata alone gives.
type Options struct {
	Sigmas  Sigmas
	Terrain terrain.Model  // nil: ground of the frame center's height
	Geoid   *terrain.Geoid // nil: heights above the sea stay so
	Heights Heights        // "" is AsNamed
	// FrameWidth and FrameHeight are the picture's, pixels, where its metadata does not say; 0 when unknown.
	FrameWidth, FrameHeight int
}

// ground is the terrain in the datum that sensors' heights come in.
func (o *Options) ground() terrain.Model {
	if o.Terrain == nil || o.Geoid == nil {
		return o.Terrain
	}
	return terrain.OnEllipsoid(o.Terrain, o.Geoid)
}

// A Viewer turns packets into looks, keeping what each stream last said.
type Viewer struct {
	states  map[uint16]*State
	options *Options
	ground  terrain.Model
	// pose is the last look that could see, of any stream: targets that come in a stream of their own are seen from it.
	pose    Look
	hasPose bool
}

// NewViewer makes a viewer with these standard deviations beside the rounding of the items.
func NewViewer(s Sigmas) *Viewer { return NewViewerWith(Options{Sigmas: s}) }

// NewViewerWith makes a viewer with options.
func NewViewerWith(o Options) *Viewer {
	return &Viewer{states: map[uint16]*State{}, options: &o, ground: o.ground()}
}

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
	l := Look{Offset: p.Offset, PTS: p.PTS, HasPTS: p.HasPTS, Problem: p.Problems, options: v.options}
	l.Time, l.HasTime = p.Time()
	s.place(&l)
	s.aim(&l)
	s.doubt(&l)
	s.corners(&l)
	l.sight.Terrain = v.ground
	l.finish()
	if len(s.marks.list) > 0 || len(s.marks.problems) > 0 {
		v.mark(s, &l)
	}
	if l.aimed {
		v.pose, v.hasPose = l, true
	}
	return l
}

// mark puts a look's targets on the ground: by its own sight, else by another stream's of the same second.
func (v *Viewer) mark(s *State, l *Look) {
	if l.aimed || !v.hasPose || !near1s(l, &v.pose) {
		l.place(&s.marks, v.options)
		return
	}
	from := v.pose
	from.Problem = nil
	from.place(&s.marks, v.options)
	l.Targets, l.Problem = from.Targets, append(l.Problem, from.Problem...)
}

// near1s says that two looks lie within a second of each other, by the clock that both have.
func near1s(a, b *Look) bool {
	switch {
	case a.HasTime && b.HasTime:
		return absDuration(a.Time.Sub(b.Time)) <= Hold
	case a.HasPTS && b.HasPTS:
		return math.Abs(a.PTS-b.PTS) <= Hold.Seconds()
	}
	return false
}

// finish casts what the facts of a look allow: frame center, corners, and what contradicts what.
func (l *Look) finish() {
	ground := l.sight.Terrain
	if l.HasSensor && l.HasAxis && l.Sensor.HasHeight && (ground != nil || l.heights || l.SlantM > 0) {
		s := l.sight
		s.Sensor, s.Point, s.HeightM, s.HFOV, s.VFOV = l.Sensor.geodetic(), l.Pointing, l.Reported.HeightM, l.HFOV, l.VFOV
		l.sight, l.aimed = s, true
		l.cast()
	}
	l.reconcile()
	switch {
	case l.saidHow != "":
		l.Corners, l.How, l.Horizon = l.said, l.saidHow, false
	case l.How == "":
		l.Corners = [4]geodesy.LatLon{}
	}
}

// alongSlant is the height of the point on the axis at the slant range: the ground's, where no other is reported.
func (s *Sight) alongSlant(m float64) float64 {
	return geodesy.FromECEF(s.ray(0, 0).At(m)).HeightHAE
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
		l.How, l.Horizon, l.aimed = "", false, false
	}
	off, ok := l.SlantErrorM()
	if (!l.Contradicts && l.HasRay) || !ok || l.slantOff(off) || l.MixedDatum || !l.hasFOV() {
		return
	}
	toward := geodesy.NewFrame(l.Sensor.geodetic()).ToENU(l.Reported.geodetic())
	flat := math.Hypot(toward[0], toward[1])
	p := Pointing{Heading: math.Atan2(toward[0], toward[1]) * 180 / math.Pi, Elevation: math.Atan2(toward[2], flat) * 180 / math.Pi}
	s := Sight{Sensor: l.Sensor.geodetic(), Point: p, HeightM: l.Reported.HeightM, Terrain: l.sight.Terrain, HFOV: l.HFOV, VFOV: l.VFOV}
	if c, horizon, ok := s.corners(); ok {
		l.sight, l.aimed = s, true
		l.Corners, l.Horizon, l.How = c, horizon, "center"
	}
}

// slantOff says that a slant range is off by more than errors explain: 2 % and 50 m.
func (l *Look) slantOff(off float64) bool { return math.Abs(off) > 50+0.02*l.SlantM }

func (l *Look) hasFOV() bool { return l.HFOV > 0 && l.HFOV < 180 && l.VFOV > 0 && l.VFOV < 180 }

// place sets sensor and reported frame center, with heights of one datum where that can be: above the ellipsoid before above
// the sea.
func (s *State) place(l *Look) {
	var ok1, ok2 bool
	l.Sensor.Lat, ok1 = s.Number(13)
	l.Sensor.Lon, ok2 = s.Number(14)
	l.HasSensor = ok1 && ok2 && l.Sensor.LatLon().Valid()
	l.Reported.Lat, ok1 = s.Number(23)
	l.Reported.Lon, ok2 = s.Number(24)
	l.HasReported = ok1 && ok2 && l.Reported.LatLon().Valid()
	l.SlantM, _ = s.Number(21)
	l.WidthM, _, _ = s.first(96, 22)

	sensorHAE, sensorTag, hasHAE := s.first(104, 75)
	sensorMSL, hasMSL := s.Number(15)
	groundHAE, hasGroundHAE := s.Number(78)
	groundMSL, hasGroundMSL := s.Number(25)
	useHAE := hasHAE && hasGroundHAE || hasHAE && !(hasMSL && hasGroundMSL) || !hasMSL && hasGroundHAE
	if l.options.Terrain != nil { // the ground's height is the terrain's: the sensor's may be the better one
		useHAE = useHAE || hasHAE
	}
	l.Sensor.set(useHAE, sensorHAE, hasHAE, sensorMSL, hasMSL)
	l.Reported.set(useHAE, groundHAE, hasGroundHAE, groundMSL, hasGroundMSL)
	l.tagOf[ofUp], l.tagOf[ofGround] = 15, 25
	if l.Sensor.Datum == HAE {
		l.tagOf[ofUp] = sensorTag
	}
	if l.Reported.Datum == HAE {
		l.tagOf[ofGround] = 78
	}
	l.raw = [2]Position{l.Sensor, l.Reported}
	for _, p := range []*Position{&l.Sensor, &l.Reported} {
		l.options.settle(p)
	}
	l.MixedDatum = l.Sensor.HasHeight && l.Reported.HasHeight && l.Sensor.Datum != l.Reported.Datum
	l.heights = l.Reported.HasHeight
}

// settle gives a height the datum that it is held to have, and by a geoid its place above the ellipsoid.
func (o *Options) settle(p *Position) {
	if !p.HasHeight {
		return
	}
	switch o.Heights {
	case AllHAE:
		p.Datum = HAE
	case AllMSL:
		p.Datum = MSL
	}
	if o.Geoid == nil || !p.LatLon().Valid() {
		return
	}
	p.GeoidM, p.HasGeoid = o.Geoid.Undulation(p.LatLon()), true
	if p.Datum == MSL {
		p.HeightM, p.Datum = p.HeightM+p.GeoidM, HAE
	}
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
	pitch, pitchTag, ok1 := s.first(90, 6)
	roll, rollTag, ok2 := s.first(91, 7)
	l.tagOf[ofPitch], l.tagOf[ofRoll] = pitchTag, rollTag
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

// cast follows the axis to the ground. Where the terrain cannot give it (the look says why) the reported height stands in.
func (l *Look) cast() {
	var hit terrain.Hit
	s := &l.sight
	if s.Terrain != nil {
		hit = s.Cast(0, 0, farM)
		switch hit.Outcome {
		case terrain.Met:
			l.Ground, l.GapM = hit.Ground.Source, hit.GapM
			l.MixedDatum = (hit.Ground.Datum == terrain.HAE) != (l.Sensor.Datum == HAE)
		case terrain.Sky, terrain.Beyond:
			l.corner()
			return
		default:
			l.Problem = append(l.Problem, Problem{l.Offset, "terrain not used: " + hit.Outcome.String()})
			s.Terrain = nil
		}
	}
	if s.Terrain == nil {
		switch l.Ground = "frame center height"; {
		case l.heights:
		case l.SlantM > 0:
			s.HeightM, l.BySlant, l.Ground = s.alongSlant(l.SlantM), true, "slant range"
		default:
			l.aimed = false
			return
		}
		if hit = s.Cast(0, 0, farM); hit.Outcome != terrain.Met {
			l.Ground = ""
			l.corner()
			return
		}
	}
	l.Ray, l.HasRay, l.RangeM = l.position(hit), true, hit.RangeM
	l.corner()
}

// position is a hit as a position: in the datum of the ground, with its geoid.
func (l *Look) position(hit terrain.Hit) Position {
	p := Position{Lat: hit.At.Lat, Lon: hit.At.Lon, HeightM: hit.At.HeightHAE, Datum: l.Sensor.Datum, HasHeight: true}
	if l.sight.Terrain == nil && !l.BySlant && l.Reported.HasHeight {
		p.Datum = l.Reported.Datum
	}
	if o := l.options; o != nil && o.Geoid != nil {
		p.GeoidM, p.HasGeoid = o.Geoid.Undulation(p.LatLon()), true
	}
	return p
}

func (l *Look) corner() {
	if !l.hasFOV() {
		return
	}
	if c, horizon, ok := l.sight.corners(); ok {
		l.rays, l.hasRays = c, true
		l.Corners, l.Horizon, l.How = c, horizon, "ray"
	}
}

// corners casts the corners of the field of view. Those that meet no ground within reach are moved down their edge of the
// picture, by bisection, to where the ground comes within reach; horizon says so.
func (s *Sight) corners() (c [4]geodesy.LatLon, horizon, ok bool) {
	at := func(u, v float64) (geodesy.LatLon, bool) {
		x, y := s.tangents(pictured{u, v})
		hit := s.Cast(x, y, Reach)
		return hit.At.LatLon(), hit.Outcome == terrain.Met
	}
	for side := range 2 { // left: corners 0 and 3; right: 1 and 2
		u := float64(2*side - 1)
		top, bottom := 0+side, 3-side
		a, okA := at(u, -1)
		b, okB := at(u, 1)
		if !okA && !okB {
			return c, false, false
		}
		if !okA || !okB {
			horizon = true
			good, bad := 1.0, -1.0
			if okA {
				good, bad = -1, 1
			}
			for range 24 {
				mid := (good + bad) / 2
				if _, ok := at(u, mid); ok {
					good = mid
				} else {
					bad = mid
				}
			}
			edge, _ := at(u, good)
			if okA {
				b = edge
			} else {
				a = edge
			}
		}
		c[top], c[bottom] = a, b
	}
	return c, horizon, true
}

// corners takes the reported corners: full range first, then offsets from the reported frame center.
func (s *State) corners(l *Look) {
	if c, ok := s.four(82, geodesy.LatLon{}); ok {
		l.said, l.saidHow = c, "full"
	} else if c, ok := s.four(26, l.Reported.LatLon()); ok && l.HasReported {
		l.said, l.saidHow = c, "offset"
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

// CornersOffM is the median distance on the ground from the corners by ray to the reported ones, metres; false where either is
// missing, or a corner was drawn in from the horizon.
func (l *Look) CornersOffM() (float64, bool) {
	if !l.hasRays || l.saidHow == "" || l.Horizon {
		return 0, false
	}
	var d [4]float64
	for i := range d {
		d[i] = geodesy.Distance(l.rays[i], l.said[i])
	}
	slices.Sort(d[:])
	return (d[1] + d[2]) / 2, true
}

// WidthRatio is the reported width of the ground (item 96 or 22) over the one that the horizontal field of view spans at the
// distance of the reported frame center; false where one is missing or unset.
func (l *Look) WidthRatio() (float64, bool) {
	if l.WidthM == 0 || !l.hasFOV() || !l.HasSensor || !l.HasReported || !l.Sensor.HasHeight || !l.Reported.HasHeight {
		return 0, false
	}
	d := geodesy.ToECEF(l.Sensor.geodetic()).Sub(geodesy.ToECEF(l.Reported.geodetic())).Norm()
	return l.WidthM / (2 * d * math.Tan(l.HFOV*math.Pi/360)), true
}

// DatumSpreadM is how far the ray's frame center moves, metres, when the heights whose items are named above the sea are held to
// be above the ellipsoid, or the other way around; false without a geoid, a ray, or such an item.
func (l *Look) DatumSpreadM() (float64, bool) {
	o := l.options
	if !l.HasRay || o == nil || o.Geoid == nil || l.raw[0].Datum != MSL && (l.raw[1].Datum != MSL || l.sight.Terrain != nil) {
		return 0, false
	}
	other := Options{Geoid: o.Geoid, Heights: AllHAE}
	if o.Heights == AllHAE {
		other.Heights = AsNamed
	}
	sensor, ground := l.raw[0], l.raw[1]
	other.settle(&sensor)
	other.settle(&ground)
	s := l.sight
	s.Sensor = sensor.geodetic()
	if !l.BySlant {
		s.HeightM = ground.HeightM
	} else {
		s.HeightM += s.Sensor.HeightHAE - l.Sensor.HeightM
	}
	s.hasTurned = l.sight.hasTurned
	hit := s.Cast(0, 0, farM)
	if hit.Outcome != terrain.Met {
		return 0, false
	}
	return geodesy.Distance(hit.At.LatLon(), l.Ray.LatLon()), true
}

// ReadLooks gives each packet's look to see, in the order of the file, and ends with nil at its end or with the first error.
// A look is valid during the call only as far as its Problem list goes.
func ReadLooks(r *Reader, s Sigmas, see func(*Packet, *Look) error) error {
	return ReadLooksWith(r, NewViewer(s), see)
}

// ReadLooksWith does the same with a viewer of the caller's.
func ReadLooksWith(r *Reader, v *Viewer, see func(*Packet, *Look) error) error {
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
