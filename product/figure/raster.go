package figure

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"strconv"

	"github.com/atalaya-isr/atalaya/product/font"
)

// raster draws into an opaque picture, so many picture elements a pixel of the sheet. Edges are smoothed by the exact area that a
// shape covers of each element (signed areas summed along the line, as FreeType's and font-rs' rasterisers do).
type raster struct {
	img     *image.RGBA
	k       float64
	box     [4]int // what may be drawn: x0, y0, x1, y1
	cover   []float64
	touched [4]int
	plain   *face
	heavy   *face
}

func newRaster(w, h, k float64) (*raster, error) {
	c := &raster{img: image.NewRGBA(image.Rect(0, 0, int(math.Ceil(w*k)), int(math.Ceil(h*k)))), k: k}
	for i := range c.img.Pix {
		c.img.Pix[i] = 0xff
	}
	c.cover = make([]float64, (c.img.Rect.Dx()+2)*(c.img.Rect.Dy()+1))
	c.unclip()
	c.rest()
	var err error
	if c.plain, err = readFace(font.Regular()); err != nil {
		return nil, err
	}
	c.heavy, err = readFace(font.Bold())
	return c, err
}

func (c *raster) bytes() ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, c.img)
	return b.Bytes(), err
}

func (c *raster) part(string) {}

func (c *raster) clip(x, y, w, h float64) {
	c.box = [4]int{int(math.Round(x * c.k)), int(math.Round(y * c.k)), int(math.Round((x + w) * c.k)), int(math.Round((y + h) * c.k))}
}

func (c *raster) unclip() { c.box = [4]int{0, 0, c.img.Rect.Dx(), c.img.Rect.Dy()} }

func (c *raster) rest() { c.touched = [4]int{math.MaxInt, math.MaxInt, -1, -1} }

// edge adds the area to the right of one edge, in picture elements; sums along a line then give how much of each is covered.
func (c *raster) edge(a, b [2]float64) {
	dir := 1.0
	if a[1] > b[1] {
		a, b, dir = b, a, -1
	}
	w, h := float64(c.img.Rect.Dx()), c.img.Rect.Dy()
	if b[1] <= 0 || a[1] >= float64(h) || a[1] == b[1] {
		return
	}
	slope := (b[0] - a[0]) / (b[1] - a[1])
	x := a[0]
	if a[1] < 0 {
		x -= a[1] * slope
	}
	stride := c.img.Rect.Dx() + 2
	for y := max(int(a[1]), 0); y < min(h, int(math.Ceil(b[1]))); y++ {
		dy := min(float64(y+1), b[1]) - max(float64(y), a[1])
		next := x + slope*dy
		d := dy * dir
		x0, x1 := min(max(min(x, next), 0), w), min(max(max(x, next), 0), w)
		x = next
		row := c.cover[y*stride:]
		f0 := math.Floor(x0)
		i0, i1 := int(f0), int(math.Ceil(x1))
		c.touched = [4]int{min(c.touched[0], i0), min(c.touched[1], y), max(c.touched[2], i1), max(c.touched[3], y)}
		if i1 <= i0+1 {
			m := (x0+x1)/2 - f0
			row[i0] += d * (1 - m)
			row[i0+1] += d * m
			continue
		}
		s := 1 / (x1 - x0)
		part := x0 - f0
		first := 0.5 * s * (1 - part) * (1 - part)
		last := x1 - float64(i1) + 1
		am := 0.5 * s * last * last
		row[i0] += d * first
		if i1 == i0+2 {
			row[i0+1] += d * (1 - first - am)
		} else {
			second := s * (1.5 - part)
			row[i0+1] += d * (second - first)
			for i := i0 + 2; i < i1-1; i++ {
				row[i] += d * s
			}
			third := second + float64(i1-i0-3)*s
			row[i1-1] += d * (1 - third - am)
		}
		row[i1] += d * am
	}
}

func (c *raster) ring(points [][2]float64, backwards bool) {
	for i := range points {
		a, b := points[i], points[(i+1)%len(points)]
		if backwards {
			a, b = b, a
		}
		c.edge([2]float64{a[0] * c.k, a[1] * c.k}, [2]float64{b[0] * c.k, b[1] * c.k})
	}
}

// pour lays a colour over what is covered, and forgets the cover.
func (c *raster) pour(colour string, opacity float64) {
	r, g, b := rgb(colour)
	stride := c.img.Rect.Dx() + 2
	if c.touched[3] < 0 {
		return
	}
	// Sums run to the end of the line: what is right of the last edge is covered by what rounding leaves, which is nothing.
	for y := c.touched[1]; y <= c.touched[3]; y++ {
		row := c.cover[y*stride : (y+1)*stride]
		sum := 0.0
		for x := c.touched[0]; x <= min(c.touched[2]+1, stride-1); x++ {
			sum += row[x]
			row[x] = 0
			a := min(math.Abs(sum), 1) * opacity
			if a < 1.0/512 || x < c.box[0] || x >= c.box[2] || y < c.box[1] || y >= c.box[3] {
				continue
			}
			p := c.img.Pix[c.img.PixOffset(x, y):]
			p[0], p[1], p[2] = mix(p[0], r, a), mix(p[1], g, a), mix(p[2], b, a)
		}
	}
	c.rest()
}

func mix(under, over uint8, a float64) uint8 {
	return uint8(math.Round(float64(under) + (float64(over)-float64(under))*a))
}

// rgb reads #rrggbb; the colours are this package's own.
func rgb(colour string) (r, g, b uint8) {
	v, err := strconv.ParseUint(colour[1:], 16, 24)
	if err != nil || len(colour) != 7 {
		panic("figure: colour " + colour)
	}
	return uint8(v >> 16), uint8(v >> 8), uint8(v)
}

func signedArea(ring [][2]float64) float64 {
	var a float64
	for i := range ring {
		p, q := ring[i], ring[(i+1)%len(ring)]
		a += p[0]*q[1] - q[0]*p[1]
	}
	return a / 2
}

func (c *raster) rings(polygons [][][][2]float64, s style) {
	if s.fill != "" {
		for _, poly := range polygons {
			for k, ring := range poly { // the rim one way round, holes the other
				c.ring(ring, (signedArea(ring) < 0) != (k > 0))
			}
		}
		c.pour(s.fill, orOne(s.fillOpacity))
	}
	var edges [][][2]float64
	for _, poly := range polygons {
		for _, ring := range poly {
			if len(ring) > 0 {
				edges = append(edges, append(append([][2]float64{}, ring...), ring[0]))
			}
		}
	}
	c.lines(edges, s)
}

func (c *raster) circle(x, y, r float64, s style) { c.rings(disc(x, y, r), s) }

func orOne(v float64) float64 {
	if v == 0 {
		return 1
	}
	return v
}

// lines lays a box along every piece and a disc at every bend; all turn one way, so that overlaps count once.
func (c *raster) lines(lines [][][2]float64, s style) {
	if s.stroke == "" || s.width <= 0 {
		return
	}
	if len(s.dash) > 0 {
		lines = dashed(lines, s.dash)
	}
	h := s.width / 2
	for _, l := range lines {
		for i := 1; i < len(l); i++ {
			a, b := l[i-1], l[i]
			long := math.Hypot(b[0]-a[0], b[1]-a[1])
			if long == 0 {
				continue
			}
			nx, ny := -(b[1]-a[1])/long*h, (b[0]-a[0])/long*h
			c.ring([][2]float64{{a[0] - nx, a[1] - ny}, {b[0] - nx, b[1] - ny}, {b[0] + nx, b[1] + ny}, {a[0] + nx, a[1] + ny}}, false)
		}
		for i, q := range l {
			if (s.round || i > 0 && i < len(l)-1) && s.width*c.k > 1.5 {
				c.ring(disc(q[0], q[1], h)[0][0], false)
			}
		}
	}
	c.pour(s.stroke, orOne(s.opacity))
}

func (c *raster) text(x, y float64, words string, s letters) {
	f := c.plain
	if s.bold {
		f = c.heavy
	}
	scale := s.size / f.em
	shift := -s.anchor * f.width(words) * scale
	var rings [][][2]float64
	for _, r := range words {
		gl := f.glyph(r)
		for _, ring := range gl.rings {
			placed := make([][2]float64, len(ring))
			for i, q := range ring {
				px, py := shift+q[0]*scale, -q[1]*scale
				if s.up {
					px, py = py, -px
				}
				placed[i] = [2]float64{x + px, y + py}
			}
			rings = append(rings, placed)
		}
		shift += gl.advance * scale
	}
	if s.halo != "" {
		var edges [][][2]float64
		for _, ring := range rings {
			edges = append(edges, append(append([][2]float64{}, ring...), ring[0]))
		}
		c.lines(edges, style{stroke: s.halo, width: 3, round: true})
	}
	for _, ring := range rings {
		c.ring(ring, false)
	}
	c.pour(s.colour, 1)
}
