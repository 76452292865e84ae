package movertest

import (
	"math"

	"github.com/atalaya-isr/atalaya/detect/mover"
	"github.com/atalaya-isr/atalaya/numeric"
)

// Render draws frame n into pix, Width*Height bytes, and gives the targets that lie wholly in its scene and are not covered;
// those that are cut by its edge or covered in part are Aside: to find them is neither right nor wrong.
func (f *Film) Render(n int, pix []byte) []Box {
	boxes := f.instant(n, false, pix)
	if f.Interlaced { // the second field comes from half a frame later: its lines are those of the top field
		if f.field[0] == nil {
			f.field[0] = make([]byte, f.Width*f.Height)
		}
		f.instant(n, true, f.field[0])
		for y := 0; y < f.Height; y += 2 {
			copy(pix[y*f.Width:(y+1)*f.Width], f.field[0][y*f.Width:])
		}
	}
	return boxes
}

func (f *Film) instant(n int, half bool, pix []byte) []Box {
	to := f.ToGround(n, half)
	back := to.Inverse()
	w, h := f.Width, f.Height
	scene := make([]float32, w*h)
	numeric.Each(h, func(y int) {
		row := scene[y*w : (y+1)*w]
		for x := range row {
			u, v := to.At(float64(x)+0.5, float64(y)+0.5)
			row[x] = f.sample(u, v)
		}
	})
	t := float64(n)
	if half {
		t += 0.5
	}
	foot := [2]float64{700 + f.Pan[0]*t + f.Fly*t*0.8, 700 + f.Pan[1]*t + f.Fly*t*0.6 + 1500}
	var boxes []Box
	for i := range f.targets {
		b, in, whole := f.drawTarget(scene, &to, &back, &f.targets[i], t)
		if b.Aside = !whole; in {
			boxes = append(boxes, b)
		}
	}
	covered := make([]bool, w*h)
	for i := range f.structures {
		f.drawStructure(scene, covered, &to, &back, &f.structures[i], foot)
	}
	offset := int(uint32(n*2+map[bool]int{true: 1}[half]) * 2654435761 >> 12)
	for i, v := range scene {
		v += float32(f.noise[(i+offset)&(len(f.noise)-1)]) / 8
		pix[i] = byte(min(max(v+0.5, 1), 255))
	}
	f.burn(n, pix, covered)
	return seen(boxes, covered, w, h, f.Bars)
}

// reachOf is the box of the picture that some ground points fill, with some pixels around, cut to the picture.
func (f *Film) reachOf(back *mover.Homography, points [][2]float64) (x0, y0, x1, y1 float64) {
	x0, y0, x1, y1 = math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, p := range points {
		x, y := back.At(p[0], p[1])
		x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x), max(y1, y)
	}
	return
}

func (f *Film) pixels(x0, y0, x1, y1 float64, draw func(x, y int)) {
	for y := max(int(y0)-1, 0); y <= min(int(y1)+1, f.Height-1); y++ {
		for x := max(int(x0)-1, 0); x <= min(int(x1)+1, f.Width-1); x++ {
			draw(x, y)
		}
	}
}

// drawStructure draws a box that stands on the ground: a point at height k over the camera's is seen where the ray through it
// meets the ground, at p + k/(1-k) (p - foot), to first order p + k (p - foot).
func (f *Film) drawStructure(scene []float32, covered []bool, to, back *mover.Homography, s *structure, foot [2]float64) {
	lift := func(x, y, k float64) (float64, float64) { return x + k*(x-foot[0]), y + k*(y-foot[1]) }
	inside := func(u, v, k float64) (float64, float64, bool) { // the point at that height which is seen at (u, v)
		x, y := (u+k*foot[0])/(1+k), (v+k*foot[1])/(1+k)
		return x, y, x >= s.x && y >= s.y && x < s.x+s.w && y < s.y+s.h
	}
	var corners [][2]float64
	for _, k := range [2]float64{0, s.tall} {
		for _, c := range [4][2]float64{{s.x, s.y}, {s.x + s.w, s.y}, {s.x, s.y + s.h}, {s.x + s.w, s.y + s.h}} {
			x, y := lift(c[0], c[1], k)
			corners = append(corners, [2]float64{x, y})
		}
	}
	x0, y0, x1, y1 := f.reachOf(back, corners)
	const fine = 2
	f.pixels(x0, y0, x1, y1, func(x, y int) {
		var sum, hit float32
		for i := range fine * fine {
			u, v := to.At(float64(x)+(float64(i%fine)+0.5)/fine, float64(y)+(float64(i/fine)+0.5)/fine)
			if px, py, ok := inside(u, v, s.tall); ok {
				sum += f.sample(px+s.tx, py+s.ty) + float32(s.roof)
				hit++
				continue
			}
			for k := 0.0; k < 1; k += 0.125 {
				if px, py, ok := inside(u, v, k*s.tall); ok {
					sum += 0.5*f.sample(px+s.tx, py+s.ty) + 50 + float32(s.face)
					hit++
					break
				}
			}
		}
		at := y*f.Width + x
		scene[at] += (sum - hit*scene[at]) / (fine * fine)
		covered[at] = covered[at] || hit > 0
	})
}

// drawTarget draws an even rectangle and gives its box. Its grey is the mean of the picture around it plus the contrast.
func (f *Film) drawTarget(scene []float32, to, back *mover.Homography, o *target, t float64) (box Box, in, whole bool) {
	gx, gy, heading := o.place(t)
	s, c := math.Sincos(heading)
	var corners [][2]float64
	for _, k := range [4][2]float64{{-1, -1}, {1, -1}, {-1, 1}, {1, 1}} {
		a, b := k[0]*o.long/2, k[1]*o.wide/2
		corners = append(corners, [2]float64{gx + a*c - b*s, gy + a*s + b*c})
	}
	x0, y0, x1, y1 := f.reachOf(back, corners)
	if x1 < 0 || y1 < 0 || x0 > float64(f.Width) || y0 > float64(f.Height) {
		return Box{}, false, false
	}
	var sum, n float32
	f.pixels(x0-2, y0-2, x1+2, y1+2, func(x, y int) { sum, n = sum+scene[y*f.Width+x], n+1 })
	if n == 0 {
		return Box{}, false, false
	}
	grey := sum/n + float32(o.contrast)
	const fine = 4
	f.pixels(x0, y0, x1, y1, func(x, y int) {
		hit := 0
		for i := range fine * fine {
			u, v := to.At(float64(x)+(float64(i%fine)+0.5)/fine, float64(y)+(float64(i/fine)+0.5)/fine)
			u, v = u-gx, v-gy
			if a, b := u*c+v*s, v*c-u*s; math.Abs(a) <= o.long/2 && math.Abs(b) <= o.wide/2 {
				hit++
			}
		}
		at := y*f.Width + x
		scene[at] += (grey - scene[at]) * float32(hit) / (fine * fine)
	})
	return Box{o.id, (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, false}, true, x0 >= 0 && y0 >= 0 && x1 <= float64(f.Width) && y1 <= float64(f.Height)
}

// burn draws bars and symbols and notes which pixels they cover.
func (f *Film) burn(n int, pix []byte, covered []bool) {
	w, h := f.Width, f.Height
	put := func(x, y int, v byte) {
		if x >= 0 && y >= 0 && x < w && y < h {
			pix[y*w+x], covered[y*w+x] = v, true
		}
	}
	for y := range h {
		if y < f.Bars || y >= h-f.Bars {
			for x := range w {
				put(x, y, 1)
			}
		}
	}
	if !f.Symbols {
		return
	}
	for i := -30; i <= 30; i++ {
		if i > 8 || i < -8 {
			for k := range 2 {
				put(w/2+i, h/2+k, 250)
				put(w/2+k, h/2+i, 250)
			}
		}
	}
	write := func(x, y, first, count int) {
		for g := range count {
			bits := f.glyphs[(first+g)%len(f.glyphs)]
			for i := range 35 {
				if bits>>i&1 == 1 {
					for k := range 4 {
						put(x+12*g+2*(i%5)+k%2, y+2*(i/5)+k/2, 245)
					}
				}
			}
		}
	}
	write(8, f.Bars+8, 0, 8)
	write(8, f.Bars+28, 8, 10)
	write(8, h-f.Bars-24, 20, 9)
	write(w-12*7, h-f.Bars-24, 30, 3)
	write(w-12*4, h-f.Bars-24, 40+n%10, 1) // a digit that changes with every frame
	write(w-12*3, h-f.Bars-24, 40+n/10%10, 1)
}

// seen sets targets aside of which more than a tenth is covered, and those that reach under a bar.
func seen(boxes []Box, covered []bool, w, h, bars int) []Box {
	for i := range boxes {
		b := &boxes[i]
		n, hit := 0, 0
		for y := max(int(b.Y-b.H/2), 0); y < min(int(b.Y+b.H/2), h); y++ {
			for x := max(int(b.X-b.W/2), 0); x < min(int(b.X+b.W/2), w); x++ {
				n++
				if covered[y*w+x] {
					hit++
				}
			}
		}
		b.Aside = b.Aside || hit*10 > n || b.Y-b.H/2 < float64(bars) || b.Y+b.H/2 > float64(h-bars)
	}
	return boxes
}
