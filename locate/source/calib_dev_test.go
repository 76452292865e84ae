package source_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/sense/gas"
	"github.com/atalaya-isr/atalaya/simulate"
)

type memory map[string]*bytes.Buffer
type nop struct{ io.Writer }

func (nop) Close() error { return nil }
func (m memory) Create(name string) (io.WriteCloser, error) {
	m[name] = &bytes.Buffer{}
	return nop{m[name]}, nil
}

func TestCalibDev(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("CALIB"))
	if n == 0 {
		t.Skip("dev")
	}
	s, _ := simulate.Find("small")
	s.Bearings.File, s.Video.File, s.Reports = "", "", nil
	var m2s []float64
	none, many := 0, 0
	for seed := 100; seed < 100+n; seed++ {
		m := memory{}
		truth, err := simulate.Campaign(s, uint64(seed), m)
		if err != nil {
			t.Fatal(err)
		}
		for name, buf := range m {
			if !strings.HasPrefix(name, "gas/") {
				continue
			}
			sv, err := gas.Read(buf, name)
			if err != nil {
				t.Fatal(err)
			}
			in, err := source.FromSurvey(sv, false)
			if err != nil {
				t.Fatal(err)
			}
			lat, lon := truth.Sites[0].Lat, truth.Sites[0].Lon
			q := truth.Sites[0].RateKgS["toluene"]
			if strings.Contains(name, "2") {
				lat, lon = truth.Decoys[0].Lat, truth.Decoys[0].Lon
				q = truth.Decoys[0].RateKgS["toluene"]
			}
			xy := in.Frame.GroundENU(geodesy.LatLon{Lat: lat, Lon: lon})
			res, err := source.Locate(context.Background(), in, source.Options{Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			g := res.Groups[0]
			if len(g.Sources) == 0 {
				none++
				continue
			}
			if len(g.Sources) > 1 {
				many++
			}
			best := math.Inf(1)
			line := ""
			for _, src := range g.Sources {
				p := in.Frame.GroundENU(geodesy.LatLon{Lat: *src.Lat, Lon: *src.Lon})
				dx, dy, c := p[0]-xy[0], p[1]-xy[1], src.CovarianceM2
				det := c[0][0]*c[1][1] - c[0][1]*c[0][1]
				m2 := (dx*dx*c[1][1] - 2*dx*dy*c[0][1] + dy*dy*c[0][0]) / det
				if m2 < best {
					best = m2
					r := src.RateKgS["toluene"]
					line = fmt.Sprintf("%d %s n %d err %.0f sd %.0f x %.0f m %.1f rate factor %.2f in %v eff %.0f flu %.2f", seed, name, g.Samples, math.Hypot(dx, dy),
						math.Sqrt(c[0][0]), math.Sqrt(c[1][1]), math.Sqrt(m2), r.P50/q, r.P05 <= q && q <= r.P95, g.Dispersion.EffectiveSamples, g.Dispersion.Fluctuation.P50)
				}
			}
			fmt.Println(line)
			m2s = append(m2s, best)
		}
	}
	slices.Sort(m2s)
	k := func(p float64) float64 { return math.Sqrt(m2s[int(p*float64(len(m2s)))] / (-2 * math.Log(1-p))) }
	fmt.Printf("none %d many %d of %d; kappa 50 %.2f 75 %.2f 90 %.2f\n", none, many, 2*n, k(.5), k(.75), k(.9))
}
