package terrain

import (
	"fmt"
	"math"
	"sync"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// blockMemory is what one file's posts take at most, bytes; the least used go first.
const blockMemory = 64 << 20

// A placing says where posts lie. Both ways take and give post numbers: row and column, whole at a post.
type placing interface {
	// post is the row and column of a place; false beyond the projection.
	post(geodesy.LatLon) (row, col float64, ok bool)
	// spacing is the distance between rows and between columns near a place, metres.
	spacing(geodesy.LatLon) (row, col float64)
}

// A grid is posts in rows and columns, read block by block.
type grid struct {
	placing
	rows, cols int
	tall, wide int // of a block, posts
	// fill reads block (i, j) into tall x wide posts, row after row; a void is NaN. Posts beyond the grid stay NaN.
	fill   func(i, j int, into []float32) error
	datum  Datum
	sigma  float64 // of a height, metres
	source string

	mu       sync.Mutex
	blocks   map[int]*block
	last     *block
	used     int64 // a clock of uses
	problems []string
}

type block struct {
	key   int
	row   int // of its first post
	col   int
	posts []float32
	top   float64 // no height between its posts lies above
	used  int64
	// The same of patches, row after row, so many in a row.
	tops    []float64
	patches int
}

// block gives block (i, j), read when it is not at hand. The caller holds mu.
func (g *grid) block(i, j int) *block {
	across := (g.cols + g.wide - 1) / g.wide
	key := i*across + j
	g.used++
	if g.last != nil && g.last.key == key {
		return g.last
	}
	b := g.blocks[key]
	if b == nil {
		b = g.read(key, i, j)
	}
	b.used, g.last = g.used, b
	return b
}

func (g *grid) read(key, i, j int) *block {
	if g.blocks == nil {
		g.blocks = map[int]*block{}
	}
	size := 4 * g.tall * g.wide
	for len(g.blocks) > 0 && (len(g.blocks)+1)*size > blockMemory {
		var oldest *block
		for _, b := range g.blocks {
			if oldest == nil || b.used < oldest.used {
				oldest = b
			}
		}
		delete(g.blocks, oldest.key)
	}
	b := &block{key: key, row: i * g.tall, col: j * g.wide, posts: make([]float32, g.tall*g.wide)}
	void := float32(math.NaN())
	for k := range b.posts {
		b.posts[k] = void
	}
	if err := g.fill(i, j, b.posts); err != nil {
		if len(g.problems) < 100 {
			g.problems = append(g.problems, fmt.Sprintf("%s: %v", g.source, err))
		}
		for k := range b.posts {
			b.posts[k] = void
		}
	}
	b.bound(g.tall, g.wide)
	g.blocks[key] = b
	return b
}

// patch is the side of the smallest neighbourhood of which the highest ground is kept, in cells; it is looked at with a margin
// to each side, so that who stands on its edge still reaches on.
const (
	patch  = 16
	margin = 8
)

// bound takes heights that no ground has for voids, and finds the highest that At can give between the block's posts: of all,
// and of each patch with its margin.
func (b *block) bound(tall, wide int) {
	for k, v := range b.posts {
		if !(v > LowestM && v < HighestM) {
			b.posts[k] = float32(math.NaN())
		}
	}
	b.patches = (wide + patch - 1) / patch
	b.tops = make([]float64, (tall+patch-1)/patch*b.patches)
	b.top = math.Inf(-1)
	for i := range b.tops {
		r, c := i/b.patches*patch, i%b.patches*patch
		high, low, voids := math.Inf(-1), math.Inf(1), false
		for y := max(0, r-margin); y <= min(r+patch+margin, tall-1); y++ {
			for _, v := range b.posts[y*wide+max(0, c-margin) : y*wide+min(c+patch+margin, wide-1)+1] {
				if v != v {
					voids = true
					continue
				}
				high, low = math.Max(high, float64(v)), math.Min(low, float64(v))
			}
		}
		if b.tops[i] = high; voids && high >= low {
			b.tops[i] += high - low // of a plane through three posts
		}
		b.top = math.Max(b.top, b.tops[i])
	}
}

// Problems lists what of the file could not be read so far, at most a hundred lines.
func (g *grid) Problems() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.problems...)
}

func (g *grid) at(r, c int) float64 {
	b := g.block(r/g.tall, c/g.wide)
	return float64(b.posts[(r-b.row)*g.wide+c-b.col])
}

// cell is the post to the upper left of a place, with how far the place lies beyond it; false outside.
func (g *grid) cell(p geodesy.LatLon) (r, c int, v, u float64, ok bool) {
	y, x, ok := g.post(p)
	const edge = 1e-6 // of a post: rounding must not lose a place on the border
	if !ok || !(y >= -edge && x >= -edge && y <= float64(g.rows-1)+edge && x <= float64(g.cols-1)+edge) {
		return 0, 0, 0, 0, false
	}
	r, c = max(0, min(int(y), g.rows-2)), max(0, min(int(x), g.cols-2))
	return r, c, math.Max(0, math.Min(1, y-float64(r))), math.Max(0, math.Min(1, x-float64(c))), true
}

// At goes between the four posts around p. Where one of them is void, the plane through the other three stands for it, and the
// error is told to be twice as great; where more are, there is no ground.
func (g *grid) At(p geodesy.LatLon) (Ground, bool) {
	r, c, v, u, ok := g.cell(p)
	if !ok {
		return Ground{}, false
	}
	g.mu.Lock()
	h := [4]float64{g.at(r, c), g.at(r, c+1), g.at(r+1, c), g.at(r+1, c+1)}
	g.mu.Unlock()
	out := Ground{SigmaM: g.sigma, Datum: g.datum, Source: g.source}
	switch voids, which := voidsOf(h); voids {
	case 0:
	case 1:
		h[which] = h[which^1] + h[which^2] - h[which^3]
		out.SigmaM *= 2
	default:
		return Ground{}, false
	}
	out.HeightM = (1-v)*((1-u)*h[0]+u*h[1]) + v*((1-u)*h[2]+u*h[3])
	return out, true
}

func voidsOf(h [4]float64) (n, which int) {
	for i := range h {
		if h[i] != h[i] {
			n, which = n+1, i
		}
	}
	return n, which
}

// maxReachM bounds a promise, so that the spacing of posts changes little within it.
const maxReachM = 20e3

// Ceiling is the highest ground of the block around p, or of the patch, as far as that reaches.
func (g *grid) Ceiling(p geodesy.LatLon, from float64) (float64, float64) {
	r, c, v, u, ok := g.cell(p)
	if !ok {
		return HighestM, 0
	}
	g.mu.Lock()
	b := g.block(r/g.tall, c/g.wide)
	g.mu.Unlock() // a block's bounds do not change
	dy, dx := g.spacing(p)
	y, x := float64(r-b.row)+v, float64(c-b.col)+u
	south, east := float64(min(g.tall, g.rows-b.row)-1), float64(min(g.wide, g.cols-b.col)-1)
	within := func(n, s, w, e float64) float64 { return math.Min(math.Min(y-n, s-y)*dy, math.Min(x-w, e-x)*dx) }
	i, j := (r-b.row)/patch, (c-b.col)/patch
	n, w := float64(i*patch), float64(j*patch)
	top := b.tops[i*b.patches+j]
	reach := within(math.Max(0, n-margin), math.Min(south, n+patch+margin), math.Max(0, w-margin), math.Min(east, w+patch+margin))
	if b.top < from {
		if wide := within(0, south, 0, east); wide > reach {
			top, reach = b.top, wide
		}
	}
	if math.IsInf(top, 0) || math.IsNaN(top) { // nothing but voids
		return HighestM, 0
	}
	return top, math.Max(0, math.Min(0.99*reach, maxReachM))
}

// PostM is the smaller of the two spacings.
func (g *grid) PostM(p geodesy.LatLon) float64 {
	dy, dx := g.spacing(p)
	return math.Min(dy, dx)
}

// geographic places posts by latitude and longitude: degrees of the post (0, 0), and steps, the one of latitude negative where
// rows run south.
type geographic struct{ lat0, lon0, dLat, dLon float64 }

func (g geographic) post(p geodesy.LatLon) (row, col float64, ok bool) {
	x := p.Lon - g.lon0
	if g.dLon > 0 { // the grid may lie across the antimeridian, or count longitude to 360
		if x < -1e-9 {
			x += 360
		} else if x >= 360 {
			x -= 360
		}
	}
	return (p.Lat - g.lat0) / g.dLat, x / g.dLon, true
}

func (g geographic) spacing(p geodesy.LatLon) (row, col float64) {
	lat := math.Min(90, math.Abs(p.Lat)+maxReachM/metresPerDegree) // the least within a ceiling's reach
	return math.Abs(g.dLat) * metresPerDegree, math.Abs(g.dLon) * metresPerDegree * math.Max(math.Cos(lat*geodesy.RadPerDegree), 1e-4)
}
