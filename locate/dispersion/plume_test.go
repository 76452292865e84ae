package dispersion

import (
	"fmt"
	"math"
	"testing"

	"github.com/atalaya-isr/atalaya/numeric"
)

func TestExplore(t *testing.T) {
	worst := 0.0
	var at float64
	for i := 0; i <= 2000000; i++ {
		x := -700 * float64(i) / 2000000
		if x <= -700 {
			continue
		}
		e := math.Abs(expNeg(x)/math.Exp(x) - 1)
		if e > worst {
			worst, at = e, x
		}
	}
	fmt.Println("expNeg", worst, at)
	s := numeric.NewStream(1, 1)
	u := func(a, b float64) float64 { return a + (b-a)*s.Float64() }
	sh := Shape{}.Bend()
	for kind := range 5 {
		var rel, relAx [4]float64
		var hist []float64
		for range 400 {
			sf := Surface{HasClass: true, Class: u(0, 5), RoughnessM: 0.05}
			p := NewPlume(Wind{U: u(1, 8), HeightM: 3, AveragingS: 600}, sf)
			h, z := u(0.5, 5), u(0.5, 6)
			x := math.Exp(u(math.Log(10), math.Log(600)))
			L := math.Exp(u(math.Log(2), math.Log(300)))
			sy, _ := p.Spreads(x, sh)
			var xa, ya, xb, yb float64
			switch kind {
			case 0: // across
				f := u(0, 1)
				o := u(-2, 2) * sy
				xa, ya, xb, yb = x+u(-1, 1), -f*L+o, x+u(-1, 1), (1-f)*L+o
			case 1: // along
				ya = u(-2, 2) * sy
				yb = ya + u(-1, 1)*sy
				xa, xb = x, x+L
			case 2: // through at any angle
				th := u(0, 2*math.Pi)
				f := u(0, 1)
				xa, ya = x-f*L*math.Cos(th), -f*L*math.Sin(th)
				xb, yb = xa+L*math.Cos(th), ya+L*math.Sin(th)
			case 3:
				th := u(0, 2*math.Pi)
				xa, ya = x, u(-4, 4)*sy
				xb, yb = xa+1*math.Cos(th), ya+1*math.Sin(th)
			case 4: // open path starting upwind
				th := u(0, 2*math.Pi)
				xa, ya = u(-20, 20), u(-20, 20)
				xb, yb = xa+L*math.Cos(th), ya+L*math.Sin(th)
			}
			g := p.PathMean(xa, ya, z, xb, yb, z, h, sh, 0)
			var w Response
			const n = 4000
			peak := 0.0
			for i := range n {
				f := (float64(i) + .5) / n
				r := p.At(xa+f*(xb-xa), ya+f*(yb-ya), z, h, sh, 0)
				w.add(1./n, r)
				peak = max(peak, r.C)
			}
			e := math.Abs(g.C-w.C) / (w.C + 1e-300)
			if w.C == 0 && g.C == 0 {
				e = 0
			}
			hist = append(hist, e)
			if e > rel[0] {
				rel[0] = e
				relAx = [4]float64{xa, ya, xb, yb}
				rel[1], rel[2], rel[3] = w.C, g.C, peak
			}
		}
		fmt.Println(kind, "worst", rel, relAx, "median", numeric.Quantile(hist, .5), numeric.Quantile(hist, .9), numeric.Quantile(hist, .99))
	}
}
