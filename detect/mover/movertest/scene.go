// Package movertest makes video whose truth is known, and scores what was found in it: for tests and benchmarks. Everything in
// it is SYNTHETIC and follows from a seed.
package movertest

import (
	"math"

	"github.com/atalaya-isr/atalaya/detect/mover"
	"github.com/atalaya-isr/atalaya/numeric"
)

// A Scene is what a camera flies over. Lengths on the ground are in units of one pixel at a zoom of 1; the ground is flat
// save for structures.
type Scene struct {
	Width, Height, Frames int
	Rate                  float64 // frames a second
	Seed                  uint64
	Targets               int
	SizeLo, SizeHi        float64 // sides of targets, units; the longer side is up to twice the shorter
	SpeedLo, SpeedHi      float64 // units a frame
	Contrast              float64 // grey levels against the mean of the picture under the target, either sign
	Noise                 float64 // standard deviation in grey levels of each pixel, white
	Pan                   [2]float64
	Jitter                float64 // standard deviation of the camera's shake, px
	TurnDeg               float64 // a frame
	ZoomStep              []int   // frames at which the zoom doubles, then halves, in turn
	Structures            int
	Fly                   float64 // units a frame that the camera's foot moves, beside the pan: it makes parallax
	Tall                  float64 // largest height of a structure over that of the camera
	Interlaced            bool    // lines by turns from this instant and half a frame later, bottom first
	Symbols               bool    // crosshair, text and a clock burned in
	Bars                  int     // black lines above and below
	Courses               []Course
}

// A Course is a target, beside the others, that goes where it is told. Its length and width are units.
type Course struct {
	X, Y       float64 // where it is in the first frame, shares of the picture's width and height
	HeadingDeg float64 // in which it faces there: 0 is to the right in the picture that does not turn, 90 down
	Long, Wide float64
	Contrast   float64 // grey levels
	Legs       []Leg   // after the last it stands
}

// A Leg is a stretch of a course: the speed goes evenly from one to the other, units a frame, while it turns by so much, degrees.
type Leg struct {
	Frames   int
	From, To float64
	TurnDeg  float64
}

// Usual is a scene as the goals describe it: targets from six pixels on, at a contrast of 15 grey levels.
func Usual(seed uint64) Scene {
	return Scene{Width: 640, Height: 360, Frames: 150, Rate: 30, Seed: seed, Targets: 8, SizeLo: 6, SizeHi: 14, SpeedLo: 0.5, SpeedHi: 3, Contrast: 15,
		Noise: 2.5, Pan: [2]float64{1.2, 0.5}, Jitter: 0.8, TurnDeg: 0.03, Structures: 6, Fly: 5, Tall: 0.02, Symbols: true}
}

// A Box is a target in one frame: middle and size in px, 0 at the left and upper edge of the picture.
type Box struct {
	ID         int
	X, Y, W, H float64
	Aside      bool // it is there, but not to be scored: see Film.Render
}

type target struct {
	id             int
	long, wide     float64
	contrast, turn float64
	at0, heading   float64 // frame and heading at which it is at (x0, y0)
	x0, y0, speed  float64
	way            [][3]float64 // of a course: x, y and heading at each half frame
}

// place is where the target is in frame t, and its heading: on its course, else a circle of curvature turn/speed.
func (o *target) place(t float64) (x, y, heading float64) {
	if len(o.way) > 0 {
		at := o.way[min(max(int(math.Round(2*t)), 0), len(o.way)-1)]
		return at[0], at[1], at[2]
	}
	d := t - o.at0
	h := o.heading + o.turn*d
	if math.Abs(o.turn) < 1e-9 {
		return o.x0 + o.speed*d*math.Cos(h), o.y0 + o.speed*d*math.Sin(h), h
	}
	r := o.speed / o.turn
	return o.x0 + r*(math.Sin(h)-math.Sin(o.heading)), o.y0 - r*(math.Cos(h)-math.Cos(o.heading)), h
}

type structure struct {
	x, y, w, h float64 // base
	tall       float64 // height over the camera's
	roof       float64 // grey levels over the ground
	face       float64
	tx, ty     float64 // where its roof takes its pattern from
}

const ground = 2048 // units: the ground repeats itself after so many

// A Film is a scene made ready to be rendered.
type Film struct {
	Scene
	ground     []float32
	noise      []int8
	targets    []target
	structures []structure
	shake      [][2]float64
	glyphs     [64]uint64
	field      [2][]byte
}

// New makes the ground and everything on it.
func New(s Scene) *Film {
	f := &Film{Scene: s}
	f.paint(numeric.NewStream(s.Seed, 10))
	chance := numeric.NewStream(s.Seed, 11)
	f.noise = make([]int8, 1<<20)
	for i := range f.noise {
		f.noise[i] = int8(math.Round(min(max(8*s.Noise*chance.Normal(), -127), 127)))
	}
	f.shake = make([][2]float64, s.Frames+2)
	for i := range f.shake {
		f.shake[i] = [2]float64{s.Jitter * chance.Normal(), s.Jitter * chance.Normal()}
	}
	for i := range f.glyphs {
		f.glyphs[i] = uint64(chance.IntN(1<<30))<<5 | uint64(chance.IntN(32))
	}
	for i := range s.Targets {
		f.targets = append(f.targets, f.target(i+1, chance))
	}
	for _, c := range s.Courses {
		f.targets = append(f.targets, f.course(len(f.targets)+1, c))
	}
	for range s.Structures {
		t := chance.Float64() * float64(s.Frames)
		x, y := f.groundAt(t, chance.Float64(), chance.Float64())
		f.structures = append(f.structures, structure{x: x, y: y, w: 20 + 30*chance.Float64(), h: 20 + 30*chance.Float64(), tall: s.Tall * (0.3 + 0.7*chance.Float64()),
			roof: 40*chance.Float64() - 10, face: -20 - 15*chance.Float64(), tx: chance.Float64() * ground, ty: chance.Float64() * ground})
	}
	return f
}

func (f *Film) target(id int, chance *numeric.Stream) target {
	t := chance.Float64() * float64(f.Frames)
	x, y := f.groundAt(t, 0.1+0.8*chance.Float64(), 0.1+0.8*chance.Float64())
	wide := f.SizeLo + (f.SizeHi-f.SizeLo)*chance.Float64()
	long := min(wide*(1+chance.Float64()), 2*f.SizeHi)
	o := target{id: id, long: long, wide: wide, contrast: f.Contrast, at0: t, heading: 2 * math.Pi * chance.Float64(), x0: x, y0: y}
	o.speed = f.SpeedLo + (f.SpeedHi-f.SpeedLo)*chance.Float64()
	o.turn = 0.004 * chance.Normal()
	if chance.Float64() < 0.5 {
		o.contrast = -f.Contrast
	}
	return o
}

// course goes along the legs in steps of an eighth of a frame.
func (f *Film) course(id int, c Course) target {
	x, y := f.groundAt(0, c.X, c.Y)
	o := target{id: id, long: c.Long, wide: c.Wide, contrast: c.Contrast, way: [][3]float64{{x, y, c.HeadingDeg * math.Pi / 180}}}
	const fine = 4 // steps a half frame
	at := o.way[0]
	for _, l := range c.Legs {
		n := 2 * fine * l.Frames
		for i := range n {
			k := (float64(i) + 0.5) / float64(n)
			sin, cos := math.Sincos(at[2] + l.TurnDeg*math.Pi/180/float64(2*n))
			by := (l.From + k*(l.To-l.From)) / (2 * fine)
			at = [3]float64{at[0] + by*cos, at[1] + by*sin, at[2] + l.TurnDeg*math.Pi/180/float64(n)}
			if (i+1)%fine == 0 {
				o.way = append(o.way, at)
			}
		}
	}
	return o
}

// groundAt is the ground point at a share of the picture's width and height in frame t, shake left out.
func (f *Film) groundAt(t, u, v float64) (float64, float64) {
	h := f.steady(t)
	return h.At(u*float64(f.Width), v*float64(f.Height))
}

func (f *Film) zoomAt(t float64) float64 {
	z := 1.0
	for i, at := range f.ZoomStep {
		if t >= float64(at) {
			z = 2 - float64(i%2)
		}
	}
	return z
}

// steady maps the picture (px, 0 at its left and upper edge) to the ground at time t, in frames, without shake.
func (f *Film) steady(t float64) mover.Homography {
	z := f.zoomAt(t)
	s, c := math.Sincos(t * f.TurnDeg * math.Pi / 180)
	w, h := float64(f.Width), float64(f.Height)
	cx, cy := 700+f.Pan[0]*t, 700+f.Pan[1]*t
	// A picture whose upper edge shows the ground 4 % smaller than its lower one, as seen from far off at a slant.
	tilt := mover.Homography{1, 0, 0, 0, 1, 0, 0, -0.08 / h, 1}
	centre := mover.Homography{1, 0, -w / 2, 0, 1, -h / 2, 0, 0, 1}
	turn := mover.Homography{c / z, -s / z, cx, s / z, c / z, cy, 0, 0, 1}
	m := tilt.Times(&centre)
	return turn.Times(&m)
}

// ToGround maps frame n to the ground, shake and all; half says the instant of the second field.
func (f *Film) ToGround(n int, half bool) mover.Homography {
	t, shake := float64(n), f.shake[n]
	if half {
		t += 0.5
		shake[0], shake[1] = (shake[0]+f.shake[n+1][0])/2, (shake[1]+f.shake[n+1][1])/2
	}
	m := f.steady(t)
	by := mover.Homography{1, 0, shake[0], 0, 1, shake[1], 0, 0, 1}
	return m.Times(&by)
}

// Motion maps frame n to frame m, as mover.Frame has it for neighbours: between middles of pixels counted from 0.
func (f *Film) Motion(n, m int) mover.Homography {
	a, b := f.ToGround(n, false), f.ToGround(m, false)
	back := b.Inverse()
	ab := back.Times(&a)
	in, out := mover.Homography{1, 0, 0.5, 0, 1, 0.5, 0, 0, 1}, mover.Homography{1, 0, -0.5, 0, 1, -0.5, 0, 0, 1}
	ab = ab.Times(&in)
	return out.Times(&ab)
}

// paint makes a ground of fields, tracks and grain that repeats itself without a seam: octaves of smooth noise, whose
// amplitude grows with the wavelength to the power of 0.35, over patches of even grey.
func (f *Film) paint(chance *numeric.Stream) {
	g := make([]float32, ground*ground)
	for step := 256; step >= 4; step /= 2 {
		n := ground / step
		knots := make([]float32, n*n)
		amp := float32(14 * math.Pow(float64(step)/256, 0.35))
		for i := range knots {
			knots[i] = amp * float32(chance.Normal())
		}
		numeric.Each(ground, func(y int) {
			ky, fy := y/step, fade(float32(y%step)/float32(step))
			r0, r1 := knots[ky*n:(ky+1)*n], knots[(ky+1)%n*n:][:n]
			for x := range ground {
				kx, fx := x/step, fade(float32(x%step)/float32(step))
				nx := (kx + 1) % n
				a, b := r0[kx]+(r0[nx]-r0[kx])*fx, r1[kx]+(r1[nx]-r1[kx])*fx
				g[y*ground+x] += a + (b-a)*fy
			}
		})
	}
	for range 400 {
		x0, y0 := chance.IntN(ground), chance.IntN(ground)
		w, h, v := 20+chance.IntN(160), 20+chance.IntN(160), float32(9*chance.Normal())
		if chance.IntN(3) == 0 { // a path
			w, h = 400+chance.IntN(500), 4+chance.IntN(6)
			if chance.IntN(2) == 0 {
				w, h = h, w
			}
			v *= 1.5
		}
		for y := range h {
			for x := range w {
				g[(y0+y)%ground*ground+(x0+x)%ground] += v
			}
		}
	}
	for i := range g {
		g[i] = min(max(110+0.7*g[i], 30), 225)
	}
	f.ground = g
}

func fade(t float32) float32 { return t * t * (3 - 2*t) }

func (f *Film) sample(u, v float64) float32 {
	iu, iv := math.Floor(u), math.Floor(v)
	fu, fv := float32(u-iu), float32(v-iv)
	x, y := int(iu)&(ground-1), int(iv)&(ground-1)
	x1, y1 := (x+1)&(ground-1), (y+1)&(ground-1)
	a, b := f.ground[y*ground+x], f.ground[y*ground+x1]
	c, d := f.ground[y1*ground+x], f.ground[y1*ground+x1]
	top, bottom := a+(b-a)*fu, c+(d-c)*fu
	return top + (bottom-top)*fv
}

// Speed is that of a target, units a frame.
func (f *Film) Speed(id int) float64 { return f.targets[id-1].speed }
