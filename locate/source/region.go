package source

import (
	"encoding/json"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// A field is the density of a place, smoothed from draws by normal kernels in the axes of their covariance, on a fine raster
// whose contours bound the regions.
type field struct {
	mean   [2]float64
	axes   [2][2]float64 // metres per unit along the two principal axes
	inv    [2][2]float64
	lo     [2]float64
	step   [2]float64
	n      [2]int
	v      []float64 // density per unit area of the scaled axes
	unitM2 float64   // square metres of a unit square
}

const rasterNodes = 110

// newField smooths draws of [x, y]. The kernel is that of the normal reference rule, n^(-1/6) (Scott 1992, eq. 6.43, two
// dimensions), which widens a normal region by a few per cent and never narrows it.
func newField(draws []theta) *field {
	f := &field{}
	n := float64(len(draws))
	for _, t := range draws {
		f.mean[0] += t[0] / n
		f.mean[1] += t[1] / n
	}
	c := mat.NewSymDense(2, nil)
	for _, t := range draws {
		d := [2]float64{t[0] - f.mean[0], t[1] - f.mean[1]}
		for i := range 2 {
			for j := i; j < 2; j++ {
				c.SetSym(i, j, c.At(i, j)+d[i]*d[j]/n)
			}
		}
	}
	var eig mat.EigenSym
	var vec mat.Dense
	sd := [2]float64{1, 1}
	vectors := [2][2]float64{{1, 0}, {0, 1}}
	if eig.Factorize(c, true) {
		eig.VectorsTo(&vec)
		for k, v := range eig.Values(nil) {
			sd[k] = max(math.Sqrt(max(v, 0)), 1e-3) // a millimetre: no survey places finer
			vectors[k] = [2]float64{vec.At(0, k), vec.At(1, k)}
		}
		if vectors[0][0]*vectors[1][1]-vectors[0][1]*vectors[1][0] < 0 { // keep the turning sense, so that rings stay counter-clockwise
			vectors[1][0], vectors[1][1] = -vectors[1][0], -vectors[1][1]
		}
	}
	for k := range 2 {
		for i := range 2 {
			f.axes[k][i] = sd[k] * vectors[k][i]
			f.inv[k][i] = vectors[k][i] / sd[k]
		}
	}
	f.unitM2 = sd[0] * sd[1]
	f.smooth(draws, math.Pow(n, -1.0/6))
	return f
}

func (f *field) smooth(draws []theta, h float64) {
	pts := make([][2]float64, len(draws))
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for i, t := range draws {
		pts[i] = f.scaled(t[0], t[1])
		for k := range 2 {
			lo[k], hi[k] = min(lo[k], pts[i][k]), max(hi[k], pts[i][k])
		}
	}
	for k := range 2 {
		f.lo[k] = lo[k] - 4*h
		f.n[k] = rasterNodes
		f.step[k] = (hi[k] - lo[k] + 8*h) / (rasterNodes - 1)
	}
	f.v = make([]float64, f.n[0]*f.n[1])
	hk := [2]float64{max(h, f.step[0]), max(h, f.step[1])}
	norm := 1 / (2 * math.Pi * hk[0] * hk[1] * float64(len(pts)))
	for _, p := range pts {
		i0, i1 := f.window(0, p[0], 4*hk[0])
		j0, j1 := f.window(1, p[1], 4*hk[1])
		for j := j0; j <= j1; j++ {
			dy := (f.lo[1] + float64(j)*f.step[1] - p[1]) / hk[1]
			ey := norm * math.Exp(-0.5*dy*dy)
			for i := i0; i <= i1; i++ {
				dx := (f.lo[0] + float64(i)*f.step[0] - p[0]) / hk[0]
				f.v[j*f.n[0]+i] += ey * math.Exp(-0.5*dx*dx)
			}
		}
	}
	for i := range f.n[0] { // an empty rim closes every ring
		f.v[i], f.v[len(f.v)-1-i] = 0, 0
	}
	for j := range f.n[1] {
		f.v[j*f.n[0]], f.v[j*f.n[0]+f.n[0]-1] = 0, 0
	}
}

func (f *field) window(k int, at, r float64) (int, int) {
	return max(int((at-r-f.lo[k])/f.step[k]), 0), min(int((at+r-f.lo[k])/f.step[k])+1, f.n[k]-1)
}

func (f *field) scaled(x, y float64) [2]float64 {
	dx, dy := x-f.mean[0], y-f.mean[1]
	return [2]float64{dx*f.inv[0][0] + dy*f.inv[0][1], dx*f.inv[1][0] + dy*f.inv[1][1]}
}

func (f *field) metres(u, v float64) [2]float64 {
	return [2]float64{f.mean[0] + u*f.axes[0][0] + v*f.axes[1][0], f.mean[1] + u*f.axes[0][1] + v*f.axes[1][1]}
}

// at is the density at a place in scaled units, bilinear on the raster; 0 outside it.
func (f *field) at(x, y float64) float64 {
	p := f.scaled(x, y)
	a, b := (p[0]-f.lo[0])/f.step[0], (p[1]-f.lo[1])/f.step[1]
	i, j := int(math.Floor(a)), int(math.Floor(b))
	if i < 0 || j < 0 || i+1 >= f.n[0] || j+1 >= f.n[1] {
		return 0
	}
	a, b = a-float64(i), b-float64(j)
	v := func(i, j int) float64 { return f.v[j*f.n[0]+i] }
	return (1-b)*((1-a)*v(i, j)+a*v(i+1, j)) + b*((1-a)*v(i, j+1)+a*v(i+1, j+1))
}

// level is the density above which the share p of the mass lies.
func (f *field) level(p float64) float64 {
	s := slices.Clone(f.v)
	slices.Sort(s)
	var total, acc float64
	for _, v := range s {
		total += v
	}
	for i := len(s) - 1; i >= 0; i-- {
		acc += s[i]
		if acc >= p*total {
			return s[i]
		}
	}
	return 0
}

func (f *field) peak() [2]float64 {
	k := 0
	for i, v := range f.v {
		if v > f.v[k] {
			k = i
		}
	}
	return f.metres(f.lo[0]+float64(k%f.n[0])*f.step[0], f.lo[1]+float64(k/f.n[0])*f.step[1])
}

// region is the smallest area that holds the share p, as a GeoJSON MultiPolygon.
func (f *field) region(in Input, p float64) json.RawMessage {
	rings := f.contours(f.level(p))
	polygons := nest(rings)
	coordinates := make([][][][2]float64, 0, len(polygons))
	for _, poly := range polygons {
		var out [][][2]float64
		for _, ring := range poly {
			r := make([][2]float64, 0, len(ring)+1)
			for _, q := range append(ring, ring[0]) {
				if in.Frame != nil {
					g := in.Frame.GroundFromENU(q[0], q[1])
					r = append(r, [2]float64{round(g.Lon, 1e8), round(g.Lat, 1e8)})
				} else {
					r = append(r, [2]float64{round(q[0], 1e3), round(q[1], 1e3)})
				}
			}
			out = append(out, r)
		}
		coordinates = append(coordinates, out)
	}
	b, _ := json.Marshal(struct {
		Type        string           `json:"type"`
		Coordinates [][][][2]float64 `json:"coordinates"`
	}{"MultiPolygon", coordinates}) // finite numbers always marshal
	return b
}

// round keeps a millimetre.
func round(v, unit float64) float64 { return math.Round(v*unit) / unit }

// contours walks the cells of the raster (marching squares) and links the crossings of a level into closed rings with the
// greater side on the left: outer rings run counter-clockwise, holes clockwise.
func (f *field) contours(level float64) [][][2]float64 {
	nx := f.n[0]
	v := func(i, j int) float64 { return f.v[j*nx+i] }
	next := map[int]int{}
	var from []int
	// An edge is named by its lower left node: even to the right, odd upwards.
	right := func(i, j int) int { return 2 * (j*nx + i) }
	up := func(i, j int) int { return 2*(j*nx+i) + 1 }
	link := func(a, b int) { next[a] = b; from = append(from, a) }
	for j := range f.n[1] - 1 {
		for i := range nx - 1 {
			s, e, n, w := right(i, j), up(i+1, j), right(i, j+1), up(i, j)
			code := 0
			for bit, x := range [4]float64{v(i, j), v(i+1, j), v(i+1, j+1), v(i, j+1)} {
				if x > level {
					code |= 1 << bit
				}
			}
			saddle := (v(i, j)+v(i+1, j)+v(i+1, j+1)+v(i, j+1))/4 > level
			switch code {
			case 1:
				link(s, w)
			case 2:
				link(e, s)
			case 3:
				link(e, w)
			case 4:
				link(n, e)
			case 6:
				link(n, s)
			case 7:
				link(n, w)
			case 8:
				link(w, n)
			case 9:
				link(s, n)
			case 11:
				link(e, n)
			case 12:
				link(w, e)
			case 13:
				link(s, e)
			case 14:
				link(w, s)
			case 5:
				if saddle {
					link(s, e)
					link(n, w)
				} else {
					link(s, w)
					link(n, e)
				}
			case 10:
				if saddle {
					link(e, n)
					link(w, s)
				} else {
					link(e, s)
					link(w, n)
				}
			}
		}
	}
	var rings [][][2]float64
	for _, a := range from {
		if _, ok := next[a]; !ok {
			continue
		}
		var ring [][2]float64
		for b, ok := a, true; ok; {
			c, more := next[b]
			if !more {
				break
			}
			ring = append(ring, f.crossing(b, level))
			delete(next, b)
			b = c
		}
		if len(ring) >= 3 {
			rings = append(rings, ring)
		}
	}
	return rings
}

func (f *field) crossing(edge int, level float64) [2]float64 {
	node := edge / 2
	i, j := node%f.n[0], node/f.n[0]
	k := node + 1
	if edge%2 == 1 {
		k = node + f.n[0]
	}
	t := (level - f.v[node]) / (f.v[k] - f.v[node])
	u, v := float64(i), float64(j)
	if edge%2 == 1 {
		v += t
	} else {
		u += t
	}
	return f.metres(f.lo[0]+u*f.step[0], f.lo[1]+v*f.step[1])
}

func ringArea(r [][2]float64) float64 {
	var a float64
	for i, p := range r {
		q := r[(i+1)%len(r)]
		a += (p[0]-r[0][0])*(q[1]-r[0][1]) - (q[0]-r[0][0])*(p[1]-r[0][1])
	}
	return a / 2
}

func ringHolds(r [][2]float64, p [2]float64) bool {
	in := false
	for i, a := range r {
		b := r[(i+1)%len(r)]
		if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < a[0]+(p[1]-a[1])/(b[1]-a[1])*(b[0]-a[0]) {
			in = !in
		}
	}
	return in
}

// nest gives each outer ring, largest first, with its holes.
func nest(rings [][][2]float64) [][][][2]float64 {
	var outer, holes [][][2]float64
	for _, r := range rings {
		if ringArea(r) > 0 {
			outer = append(outer, r)
		} else {
			holes = append(holes, r)
		}
	}
	slices.SortStableFunc(outer, func(a, b [][2]float64) int { return int(sign(ringArea(b) - ringArea(a))) })
	out := make([][][][2]float64, len(outer))
	for i, r := range outer {
		out[i] = [][][2]float64{r}
	}
	for _, h := range holes {
		for i := len(outer) - 1; i >= 0; i-- { // the smallest that holds it
			if ringHolds(outer[i], h[0]) {
				out[i] = append(out[i], h)
				break
			}
		}
	}
	return out
}
