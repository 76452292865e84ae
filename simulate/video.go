package simulate

import (
	"io"
	"math"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// What the camera's platform gets wrong, each slowly wandering: assumptions of the order of a satellite-aided tactical
// inertial system.
const (
	headingErrorDeg = 0.15
	levelErrorDeg   = 0.08
	sensorErrorM    = 2.0
	errorS          = 60.0
	sweepM          = 150.0 // radius of the ground that the camera sweeps around its first place
	sweepS          = 45.0
)

// camera is the flight of Video made ready: where the aircraft is and which ground point it looks at, as they truly are.
type camera struct {
	Video
	around   [2]float64 // east, north
	end      [2]float64 // of the road
	firstRad float64
}

func (c *country) camera(chance *numeric.Stream) camera { return c.cameraOf(c.Video, chance) }

func (c *country) cameraOf(v Video, chance *numeric.Stream) camera {
	a, b := c.places[v.Around], c.places[v.Towards]
	dx, dy := b.east-a.east, b.north-a.north
	d := math.Max(math.Hypot(dx, dy), 1)
	side := 1.0
	if chance.Float64() < 0.5 {
		side = -1
	}
	along := math.Max(d-v.ShortM, 0)
	return camera{Video: v, around: [2]float64{a.east, a.north}, firstRad: 2 * math.Pi * chance.Float64(),
		end: [2]float64{a.east + along*dx/d - side*v.MissM*dy/d, a.north + along*dy/d + side*v.MissM*dx/d}}
}

// road checks, before anything is written, that the road can be followed in its time.
func (c *country) road() error {
	if c.Video.File == "" {
		return nil
	}
	v := c.camera(numeric.NewStream(c.seed, blockVideo))
	return v.roadLimit(math.Hypot(v.end[0]-v.around[0], v.end[1]-v.around[1]))
}

// when is the time after t seconds.
func (v *camera) when(t float64) time.Time {
	return v.At.Add(time.Duration(math.Round(t*1e6)) * time.Microsecond)
}

func (v *camera) seconds() float64 { return v.OrbitS + v.RoadS }

// at is where the aircraft is after t seconds, and the ground point that it looks at.
func (v *camera) at(t float64) (aircraft fix, look [2]float64) {
	turn := v.firstRad + v.SpeedMPS/v.OrbitM*math.Min(t, v.OrbitS)
	s, c := math.Sincos(turn)
	offset := [2]float64{v.OrbitM * s, v.OrbitM * c}
	look = v.around
	middle := v.around
	switch {
	case t < v.OrbitS:
		// The sweep begins and ends at the place itself.
		fade := math.Min(1, math.Min(t, v.OrbitS-t)/20)
		s, c := math.Sincos(2 * math.Pi * t / sweepS)
		look = [2]float64{v.around[0] + fade*sweepM*s, v.around[1] + fade*sweepM*c}
	default:
		k := (t - v.OrbitS) / v.RoadS
		look = [2]float64{v.around[0] + k*(v.end[0]-v.around[0]), v.around[1] + k*(v.end[1]-v.around[1])}
		middle = look
	}
	return fix{middle[0] + offset[0], middle[1] + offset[1], v.AGLM}, look
}

// motion is the velocity at t, m/s east and north.
func (v *camera) motion(t float64) (east, north float64) {
	const h = 0.05
	a, _ := v.at(t - h)
	b, _ := v.at(t + h)
	return (b[0] - a[0]) / (2 * h), (b[1] - a[1]) / (2 * h)
}

// video writes the metadata of the camera: what its own navigation believes, in ST 0601 in an MPEG transport stream. Frame
// center and corners are computed from what is believed, as cameras do; the ground truly seen differs by the errors above.
func (c *country) video(w io.Writer) error {
	chance := numeric.NewStream(c.seed, blockVideo)
	v := c.camera(chance)
	errs := beginErrors(chance)
	out := mpegts.NewWriter(w)
	n := int(v.seconds() * v.RateHz)
	for i := range n {
		t := float64(i) / v.RateHz
		errs.step(1/v.RateHz, chance)
		packet, err := c.packet(&v, t, &errs)
		if err != nil {
			return err
		}
		if err := out.WriteKLV(90000+int64(math.Round(90000*t)), packet); err != nil {
			return err
		}
	}
	return nil
}

// flightErrors are those of heading, pitch, roll and of the place, east and north.
type flightErrors [5]wander

func beginErrors(chance *numeric.Stream) (errs flightErrors) {
	for i, sigma := range [5]float64{headingErrorDeg, levelErrorDeg, levelErrorDeg, sensorErrorM, sensorErrorM} {
		errs[i] = wander{sigma: sigma, timescale: errorS}
		errs[i].begin(chance)
	}
	return errs
}

func (e *flightErrors) step(dt float64, chance *numeric.Stream) {
	for k := range e {
		e[k].step(dt, chance)
	}
}

// aim is where the camera truly is and looks at t, and its speed over the ground, m/s.
func (c *country) aim(v *camera, t float64) (s video.Sight, speed float64) {
	at, look := v.at(t)
	ve, vn := v.motion(t)
	speed = math.Hypot(ve, vn)
	sensor := c.frame.FromENU([3]float64{at[0], at[1], 0})
	sensor.HeightHAE = c.GroundHAE + at[2]
	ground := c.latLon(look[0], look[1])
	axis := geodesy.NewFrame(sensor).ToENU(geodesy.LatLonHeight{Lat: ground.Lat, Lon: ground.Lon, HeightHAE: c.GroundHAE})
	p := video.Pointing{Heading: geodesy.Wrap360(math.Atan2(ve, vn) / geodesy.RadPerDegree), Pitch: 2}
	if t < v.OrbitS { // a coordinated turn, to the right: the turn runs clockwise
		p.Roll = math.Atan(speed*speed/(9.81*v.OrbitM)) / geodesy.RadPerDegree
	}
	p.Azimuth, p.Elevation = gimbal([3]float64{axis[1], axis[0], -axis[2]}, p)
	return video.Sight{Sensor: sensor, Point: p, HeightM: c.GroundHAE}, speed
}

// packet is the metadata at t: what the camera believes of where it is and looks.
func (c *country) packet(v *camera, t float64, errs *flightErrors) ([]byte, error) {
	s, speed := c.aim(v, t)
	at, _ := v.at(t)
	p := s.Point
	p.Heading, p.Pitch, p.Roll = geodesy.Wrap360(p.Heading+errs[0].now), p.Pitch+errs[1].now, p.Roll+errs[2].now
	believed := c.frame.FromENU([3]float64{at[0] + errs[3].now, at[1] + errs[4].now, 0})
	believed.HeightHAE = s.Sensor.HeightHAE
	return c.encode(v, t, speed, video.Sight{Sensor: believed, Point: p, HeightM: c.GroundHAE})
}

// gimbal is the azimuth and elevation, relative to a platform of this attitude, of a direction given north, east, down: the
// rotations of video.Pointing undone.
func gimbal(ned [3]float64, p video.Pointing) (azimuth, elevation float64) {
	x, y, z := ned[0], ned[1], ned[2]
	s, c := math.Sincos(p.Heading * geodesy.RadPerDegree)
	x, y = c*x+s*y, c*y-s*x
	s, c = math.Sincos(p.Pitch * geodesy.RadPerDegree)
	x, z = c*x-s*z, s*x+c*z
	s, c = math.Sincos(p.Roll * geodesy.RadPerDegree)
	y, z = c*y+s*z, c*z-s*y
	return geodesy.Wrap360(math.Atan2(y, x) / geodesy.RadPerDegree), -math.Atan2(z, math.Hypot(x, y)) / geodesy.RadPerDegree
}

// encode writes one ST 0601 packet; heights are above the ellipsoid.
func (c *country) encode(v *camera, t, speed float64, s video.Sight) ([]byte, error) {
	security, err := klv.ST0102.EncodeItems(klv.Integer(1, 1), klv.TextOf(5, "SYNTHETIC"), klv.Integer(22, 12))
	if err != nil {
		return nil, err
	}
	vfov := v.HFOVDeg * 9 / 16
	tx, ty := math.Tan(v.HFOVDeg/2*geodesy.RadPerDegree), math.Tan(vfov/2*geodesy.RadPerDegree)
	values := []klv.Value{klv.Time(2, v.when(t)), klv.TextOf(3, "SYNTHETIC "+c.Name), klv.TextOf(10, "SYNTHETIC UAV"), klv.TextOf(11, "EO"), klv.TextOf(12, "Geodetic WGS84"),
		klv.Number(5, s.Point.Heading), klv.Number(90, s.Point.Pitch), klv.Number(91, s.Point.Roll),
		klv.Number(13, s.Sensor.Lat), klv.Number(14, s.Sensor.Lon), klv.Number(75, s.Sensor.HeightHAE),
		klv.Number(16, v.HFOVDeg), klv.Number(17, vfov), klv.Number(18, s.Point.Azimuth), klv.Number(19, s.Point.Elevation), klv.Number(20, 0),
		klv.Integer(56, int64(math.Round(speed)))}
	if g, ok := s.Ground(0, 0); ok {
		slant := geodesy.ToECEF(g).Sub(geodesy.ToECEF(s.Sensor)).Norm()
		values = append(values, klv.Number(21, slant), klv.Number(22, math.Min(2*slant*tx, 1e4)), klv.Number(23, g.Lat), klv.Number(24, g.Lon), klv.Number(78, c.GroundHAE))
	}
	corners := [4][2]float64{{-tx, -ty}, {tx, -ty}, {tx, ty}, {-tx, ty}} // upper left, upper right, lower right, lower left
	for i, k := range corners {
		g, ok := s.Ground(k[0], k[1])
		if !ok {
			break // an upper corner looks at the sky: readers draw it in
		}
		values = append(values, klv.Number(82+2*uint32(i), g.Lat), klv.Number(83+2*uint32(i), g.Lon))
	}
	values = append(values, klv.RawBytes(48, security), klv.Integer(65, 19))
	return klv.Encode0601(values...)
}
