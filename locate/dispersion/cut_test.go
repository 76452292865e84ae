package dispersion

import (
	"math"
	"testing"
)

// Neither turned nor widened a cut is the plume itself, to the last roundings. Turned and widened it is the plume turned and widened, to
// first order in the turn: it leans rather than being led round its source, so that the distance along is off by y·sin(turn) + x·turn²/2, and the
// axis by that share of the distance times its exponent, at most 2 + 2² where the sample is within two spreads of the height; the
// distance across is off by x·turn³/3, 1/3000 of the distance at 0.1 rad, which is 1/30 of a spread that is a hundredth of it. The half-width of the source is widened with
// the rest, though it should not be: the share of it in the variance.
func TestACutIsThePlume(t *testing.T) {
	u := uniform(11)
	for range 2000 {
		p, h, z, _, _ := somePlume(u)
		x := math.Exp(u(math.Log(5), math.Log(800)))
		sy, sz := p.Spreads(x, plain)
		y := u(-7, 7) * sy
		c := p.Cut(x, y, z, h, plain)
		got, want := c.At(0, 1), p.At(x, y, z, h, plain, 0)
		if axis := p.At(x, 0, z, h, plain, 0).C; off(got.C, want.C, axis) > roundings || off(got.Reach, want.Reach, axis) > roundings ||
			off(got.Turn, want.Turn, axis*x/sy) > roundings || off(got.Widen, want.Widen, axis) > roundings {
			t.Fatalf("at (%g, %g, %g): %v, want %v", x, y, z, got, want)
		}
		if math.Abs(z-h) > 2*sz {
			continue
		}
		turn, wide := u(-0.1, 0.1), u(0.7, 1.4)
		sh := *plain
		sh.Wide = wide
		sin, cos := math.Sincos(turn)
		got, want = c.At(math.Tan(turn), wide), p.At(x*cos+y*sin, y*cos-x*sin, z, h, &sh, 0)
		bound := 6*(math.Abs(y*sin)/x+turn*turn/2) + 1./30 + SourceHalfWidthM*SourceHalfWidthM/(sy*sy)
		if axis := p.At(x, 0, z, h, &sh, 0).C; off(got.C, want.C, axis) > bound {
			t.Errorf("at (%.3g, %.3g, %.3g) turned by %.2g, wide %.2g: %.4g, want %.4g of an axis of %.4g, bound %.2g", x, y, z, turn, wide, got.C, want.C, axis, bound)
		}
	}
}
