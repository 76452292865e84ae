package terrain

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// A Geoid is the height of a geoid above the WGS 84 ellipsoid, on a grid.
type Geoid struct {
	Name       string
	south      float64
	west       float64
	dLat, dLon float64
	rows, cols int
	posts      []float32 // from the south row on, each from west to east
	around     bool      // the columns go around the Earth
}

// Standard deviations of geoids, metres: of EGM96 against the true geoid, of EGM2008 against EGM96, and of a sea level of which
// nobody says which it is against EGM96. The first two are orders of magnitude (F. G. Lemoine et al., NASA TP-1998-206861, 1998,
// gives 0.5 to 1 m for EGM96; N. K. Pavlis et al., J. Geophys. Res. 117, 2012, doi:10.1029/2011JB008916, a tenth of it for
// EGM2008, so that the two differ by EGM96's error); the third is an assumption.
const (
	egm96SigmaM    = 0.7
	unnamedSigmaM  = 1.5
	maxGeoidPosts  = 64 << 20
	gtxHeaderBytes = 40
)

// ReadGTX reads a geoid of the NOAA GTX format, of which EGM96 in 15' steps is at hand as egm96_15.gtx in the PROJ data package:
// big-endian south and west (degrees), steps in latitude and longitude (degrees), rows and columns (int32), then float32
// undulations in metres from the south row on. -88.8888 says that there is none.
func ReadGTX(r io.Reader, name string) (*Geoid, error) {
	var head [gtxHeaderBytes]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("%s: no GTX geoid: %w", name, err)
	}
	f := func(at int) float64 { return math.Float64frombits(binary.BigEndian.Uint64(head[at:])) }
	g := &Geoid{Name: name, south: f(0), west: f(8), dLat: f(16), dLon: f(24),
		rows: int(int32(binary.BigEndian.Uint32(head[32:]))), cols: int(int32(binary.BigEndian.Uint32(head[36:])))}
	if err := g.plausible(); err != nil {
		return nil, fmt.Errorf("%s: no GTX geoid: %w", name, err)
	}
	row := make([]byte, 4*g.cols)
	for range g.rows { // row by row: a header alone reserves nothing
		if _, err := io.ReadFull(r, row); err != nil {
			return nil, fmt.Errorf("%s: the geoid ends after %d of %d posts: %w", name, len(g.posts), g.rows*g.cols, err)
		}
		for i := range g.cols {
			v := math.Float32frombits(binary.BigEndian.Uint32(row[4*i:]))
			if !(v > -120 && v < 100) || math.Abs(float64(v)+88.8888) < 1e-4 {
				return nil, fmt.Errorf("%s: post %d of the geoid is %g m: a geoid lies between -107 and 86 m, and this one must have no holes", name, len(g.posts), v)
			}
			g.posts = append(g.posts, v)
		}
	}
	return g, nil
}

func (g *Geoid) plausible() error {
	switch {
	case !(g.dLat > 1e-3 && g.dLat <= 10 && g.dLon > 1e-3 && g.dLon <= 10):
		return fmt.Errorf("steps of %g by %g degrees", g.dLat, g.dLon)
	case g.rows < 2 || g.cols < 2 || g.rows > maxGeoidPosts/g.cols:
		return fmt.Errorf("%d rows of %d columns", g.rows, g.cols)
	case !(g.south >= -90.001 && g.south+float64(g.rows-1)*g.dLat <= 90.001):
		return errors.New("it reaches beyond the poles")
	case !(math.Abs(g.west) <= 360):
		return fmt.Errorf("it begins at %g degrees of longitude", g.west)
	}
	g.around = math.Abs(float64(g.cols)*g.dLon-360) < 1e-6 || math.Abs(float64(g.cols-1)*g.dLon-360) < 1e-6
	if !g.around || math.Abs(g.south+90) > 1e-3 || math.Abs(g.south+float64(g.rows-1)*g.dLat-90) > 1e-3 {
		return errors.New("it does not cover the Earth")
	}
	return nil
}

// Undulation is the geoid's height above the ellipsoid, metres, between the four posts around p.
func (g *Geoid) Undulation(p geodesy.LatLon) float64 {
	y := math.Max(0, math.Min(float64(g.rows-1), (p.Lat-g.south)/g.dLat))
	x := math.Mod(p.Lon-g.west, 360)
	if x < 0 {
		x += 360
	}
	x /= g.dLon
	r, c := min(int(y), g.rows-2), int(x)
	v, u := y-float64(r), x-float64(c)
	a, b := c%g.cols, (c+1)%g.cols
	at := func(r, c int) float64 { return float64(g.posts[r*g.cols+c]) }
	return (1-v)*((1-u)*at(r, a)+u*at(r, b)) + v*((1-u)*at(r+1, a)+u*at(r+1, b))
}

// SigmaFor is the standard deviation, metres, that heights of datum d gain where this geoid lifts them onto the ellipsoid; the
// grid is taken for EGM96.
func (g *Geoid) SigmaFor(d Datum) float64 {
	switch d {
	case HAE:
		return 0
	case MSL:
		return unnamedSigmaM
	}
	return egm96SigmaM
}
