package simulate

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// Film is pictures of the ground around a place, taken by a camera that circles it, each with its packet of metadata: H.264 that any
// browser plays. Trucks drive through it on roads.
type Film struct {
	File     string    `yaml:"file"`
	Sortie   string    `yaml:"sortie"`
	At       time.Time `yaml:"at"`
	Around   string    `yaml:"around"`
	AGLM     float64   `yaml:"agl_m"`
	OrbitM   float64   `yaml:"orbit_m"`
	SpeedMPS float64   `yaml:"speed_mps"`
	HFOVDeg  float64   `yaml:"hfov_deg"`
	RateHz   float64   `yaml:"rate_hz"`
	Seconds  float64   `yaml:"seconds"`
}

// flight is the film's flight as one that circles for so long and follows no road.
func (f Film) flight() Video {
	return Video{File: f.File, Sortie: f.Sortie, At: f.At, Around: f.Around, Towards: f.Around, AGLM: f.AGLM, OrbitM: f.OrbitM, SpeedMPS: f.SpeedMPS,
		HFOVDeg: f.HFOVDeg, RateHz: f.RateHz, OrbitS: f.Seconds, RoadS: 1}
}

// widestDeg is the widest view that does not go beyond the landscape: 600 m across, and along, where the camera looks down by 27 degrees or
// more (orbit_m is at most twice agl_m), less than 800 m; the rest is for what the camera sweeps.
func (f Film) widestDeg() float64 {
	return 2 * math.Atan(300/math.Hypot(f.AGLM, f.OrbitM)) / geodesy.RadPerDegree
}

// The picture: its size, and the streams of the film.
const (
	filmWidth, filmHeight = 320, 180
	filmPictures          = 0x100
	filmMetadata          = 0x101
)

// film writes pictures and metadata. Pictures are drawn from where the camera truly is and looks, metadata say what it believes.
func (c *country) film(w io.Writer) error {
	chance, grain := numeric.NewStream(c.seed, blockFilm), numeric.NewStream(c.seed, blockGrain)
	v := c.cameraOf(c.Film.flight(), chance)
	errs := beginErrors(chance)
	g := c.landscape(v, chance)
	out, err := mpegts.NewProgram(w, mpegts.Output{PID: filmPictures, StreamType: 0x1b}, mpegts.Output{PID: filmMetadata, StreamType: 0x15})
	if err != nil {
		return err
	}
	coder := newPlainH264(filmWidth, filmHeight, v.RateHz)
	group := max(int(v.RateHz), 1) // a key frame a second
	for i := range int(c.Film.Seconds * v.RateHz) {
		t := float64(i) / v.RateHz
		errs.step(1/v.RateHz, chance)
		packet, err := c.packet(&v, t, &errs)
		if err != nil {
			return err
		}
		s, _ := c.aim(&v, t)
		if err := c.draw(coder.luma, coder.wide, g, s, v.HFOVDeg, t, grain); err != nil {
			return err
		}
		taken := klv.VideoTime{Count: uint64(v.when(t).UnixMicro()), Status: klv.GoodTime}
		at := 90000 + int64(math.Round(90000*t))
		u := mpegts.Unit{Kind: mpegts.Pictures, PID: filmPictures, PTS: at, DTS: at, HasPTS: true, Random: i%group == 0, Data: coder.picture(i%group, taken.AppendTo(nil))}
		if err = out.WriteUnit(u); err == nil {
			err = out.WriteUnit(mpegts.Unit{Kind: mpegts.Metadata, PID: filmMetadata, PTS: at, DTS: at, HasPTS: true, Sync: true, Data: packet})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// A landscape is the ground around a place in grey levels, a sample a metre, and the trucks that drive over it.
type landscape struct {
	west, south float64 // of the first sample
	grey        []float32
	trucks      []truck
}

// landscapeM is the side of a landscape; see Film.widestDeg.
const landscapeM = 1024

// A truck drives straight on; half of the film's time it is at its middle place.
type truck struct {
	middle     [2]float64 // east, north
	along      [2]float64 // unit vector
	speed      float64    // m/s
	long, wide float64    // m
	grey       float64
	half       float64 // s
}

// landscape draws fields and shrubs as value noise of several sizes, two roads that pass the place on either side and cross, and a truck on
// each: one dark, one bright. The roads lead rather towards the camera than along its flight: what drives along with it looks like the top of
// something tall.
func (c *country) landscape(v camera, chance *numeric.Stream) *landscape {
	g := &landscape{west: v.around[0] - landscapeM/2, south: v.around[1] - landscapeM/2, grey: make([]float32, landscapeM*landscapeM)}
	towards := v.firstRad + v.SpeedMPS/v.OrbitM*v.OrbitS/2 + 0.4*(chance.Float64()-0.5)
	for i, t := range []truck{{speed: 11, long: 12, wide: 4.5, grey: 28}, {speed: 14, long: 11, wide: 4.5, grey: 228}} {
		s, c := math.Sincos(towards + [2]float64{0.45, math.Pi - 0.65}[i])
		t.along, t.half = [2]float64{s, c}, v.OrbitS/2
		t.middle = [2]float64{v.around[0] + 45*c, v.around[1] - 45*s}
		g.trucks = append(g.trucks, t)
	}
	layers := [...]struct {
		noise
		height float64
	}{{noise{scale: 90}, 34}, {noise{scale: 31}, 30}, {noise{scale: 11}, 26}, {noise{scale: 4}, 22}}
	for i := range layers {
		layers[i].seed = uint64(chance.Float64() * (1 << 53))
	}
	for y := range landscapeM {
		for x := range landscapeM {
			grey, e, n := 112.0, g.west+float64(x), g.south+float64(y)
			for i := range layers {
				grey += layers[i].height * (layers[i].at(spot{e, n}) - 0.5)
			}
			for i := range g.trucks {
				_, across := g.trucks[i].from(e, n, g.trucks[i].half)
				grey += edge(4-math.Abs(across)) * (138 - grey) * 0.85
			}
			g.grey[y*landscapeM+x] = float32(grey)
		}
	}
	return g
}

// between is what four samples, the first of v and its neighbours, have between them at (x, y) of their cell.
func between(v []float32, side int, x, y float64) float64 {
	a := float64(v[0]) + x*float64(v[1]-v[0])
	b := float64(v[side]) + x*float64(v[side+1]-v[side])
	return a + y*(b-a)
}

// edge is 1 inside, 0 outside, and goes over in a metre and a bit.
func edge(inside float64) float64 { return min(max(inside/1.2+0.5, 0), 1) }

// from is how far a place lies from a truck at t, along its way and across it.
func (k *truck) from(east, north, t float64) (along, across float64) {
	d := k.speed * (t - k.half)
	e, n := east-k.middle[0]-d*k.along[0], north-k.middle[1]-d*k.along[1]
	return e*k.along[0] + n*k.along[1], e*k.along[1] - n*k.along[0]
}

// at is the grey of a place at t.
func (g *landscape) at(east, north, t float64) float64 {
	x := min(max(east-g.west, 0), landscapeM-1.001)
	y := min(max(north-g.south, 0), landscapeM-1.001)
	i, j := int(x), int(y)
	grey := between(g.grey[j*landscapeM+i:], landscapeM, x-float64(i), y-float64(j))
	for i := range g.trucks {
		k := &g.trucks[i]
		if along, across := k.from(east, north, t); math.Abs(along) < k.long && math.Abs(across) < k.wide {
			grey += edge(k.long/2-math.Abs(along)) * edge(k.wide/2-math.Abs(across)) * (k.grey - grey)
		}
	}
	return grey
}

// grainSigma is the noise of the camera, grey levels.
const grainSigma = 2

// draw fills a picture whose lines are wide samples apart. The ground is looked up by rays every 16 pixels and in proportion between them: over
// such a piece, 0.45 degrees at a depression of 40, that is wrong by a sixteenth of a pixel at most.
func (c *country) draw(luma []byte, wide int, g *landscape, s video.Sight, hfovDeg, t float64, grain *numeric.Stream) error {
	const step = 16
	lines := len(luma) / wide
	tx, ty := math.Tan(hfovDeg/2*geodesy.RadPerDegree), math.Tan(hfovDeg*9/16/2*geodesy.RadPerDegree)
	side := wide/step + 1
	hits := make([][2]float64, side*(lines/step+1))
	for i := range hits {
		x, y := float64(i%side*step), float64(i/side*step)
		at, ok := s.Ground(tx*(2*x/filmWidth-1), ty*(2*y/filmHeight-1))
		if !ok {
			return fmt.Errorf("at %.1f s the film's camera looks at the sky", t)
		}
		hits[i] = c.frame.GroundENU(at.LatLon())
	}
	for y := range lines {
		for x := range wide {
			h := hits[y/step*side+x/step:]
			fx, fy := (float64(x%step)+0.5)/step, (float64(y%step)+0.5)/step
			var p [2]float64
			for k := range p {
				a := h[0][k] + fx*(h[1][k]-h[0][k])
				b := h[side][k] + fx*(h[side+1][k]-h[side][k])
				p[k] = a + fy*(b-a)
			}
			luma[y*wide+x] = byte(min(max(g.at(p[0], p[1], t)+grainSigma*grain.Normal(), 16), 235))
		}
	}
	burn(luma, wide)
	return nil
}

// letters are those of SYNTHETIC, five by seven, a row a byte from the top, the left in the highest of five bits.
var letters = map[rune][7]byte{
	'S': {0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e}, 'Y': {0x11, 0x11, 0x0a, 0x04, 0x04, 0x04, 0x04}, 'N': {0x11, 0x19, 0x15, 0x13, 0x11, 0x11, 0x11},
	'T': {0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04}, 'H': {0x11, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11}, 'E': {0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f},
	'I': {0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e}, 'C': {0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e},
}

// burn writes what the picture is into its upper left corner, white on black.
func burn(luma []byte, wide int) {
	const word, left, top, size = "SYNTHETIC", 6, 6, 2
	for y := top - 3; y < top+7*size+3; y++ {
		for x := left - 3; x < left+len(word)*6*size+1; x++ {
			luma[y*wide+x] = 16
		}
	}
	for i, r := range word {
		for row, bits := range letters[r] {
			for k := range 5 * size * size {
				if dx, dy := k%(5*size), k/(5*size); bits>>(4-dx/size)&1 == 1 {
					luma[(top+row*size+dy)*wide+left+i*6*size+dx] = 235
				}
			}
		}
	}
}
