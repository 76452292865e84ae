package source

import (
	"math"
	"slices"
	"testing"

	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/numeric"
)

func TestWaysAreAllOrders(t *testing.T) {
	want := 1
	for k := range MostSources + 1 {
		want *= max(k, 1)
		seen := map[string]bool{}
		for _, w := range ways(k) {
			seen[string(runes(w))] = true
		}
		if len(ways(k)) != want || len(seen) != want || !slices.IsSorted(ways(k)[0]) {
			t.Errorf("%d things have %d orders, %d of them different, the first %v; want %d", k, len(ways(k)), len(seen), ways(k)[0], want)
		}
	}
}

func runes(w []int) (out []rune) {
	for _, v := range w {
		out = append(out, rune('a'+v))
	}
	return out
}

// Of all orders of one explanation exactly one counts, so that k! times the mean over draws is the evidence of all.
func TestOneOrderOfAnExplanationCounts(t *testing.T) {
	reference := make(theta, dimension(4))
	for k := range 4 {
		copy(reference.source(k), theta{float64(100 * k), float64(37 * k * k % 90), 0.4, -6})
	}
	draw := slices.Clone(reference)
	for k := range 4 {
		draw.source(k)[iX] += float64(20 - 15*k)
		draw.source(k)[iLnQ] = -float64(k)
	}
	counts := 0
	for _, way := range ways(4) {
		turned := slices.Clone(draw)
		for k, of := range way {
			copy(turned.source(k), draw.source(of))
		}
		if inOrder(turned, reference) {
			counts++
		}
		if !slices.Equal(ordered(turned, reference), draw) {
			t.Errorf("order %v is not put right", way)
		}
	}
	if counts != 1 {
		t.Errorf("%d orders count", counts)
	}
}

// A posterior that is normal in n numbers: raising its likelihood to β changes the evidence by what standing says.
func TestARaisedLikelihoodHasTheEvidenceStated(t *testing.T) {
	const beta, top, n = 1 / discrepancy, 40.0, 3.0
	evidence := func(beta float64) float64 { return beta*top + n/2*math.Log(2*math.Pi/beta) } // prior density one
	mean := top - n/2
	if got, want := evidence(1)-(1-beta)*mean+n/2*(beta-1-math.Log(beta)), evidence(beta); math.Abs(got-want) > 1e-9 {
		t.Errorf("ln evidence %.6f, want %.6f", got, want)
	}
}

// The share of sources that show, by the grid, is that of sources drawn from the prior: 4 deviations of a binomial share and a tenth for cells.
func TestTheShareOfSourcesThatShow(t *testing.T) {
	sc, d := lineScene(t)
	g := newGrid(sc)
	d.weigh(g)
	s := numericStream()
	const n = 4000
	shown := 0
	lo, hi := bounds(&d)
	for range n {
		var x, y float64
		for {
			x, y = lo[0]+(hi[0]-lo[0])*s.Float64(), lo[1]+(hi[1]-lo[1])*s.Float64()
			if d.holds(x, y) {
				break
			}
		}
		w := sc.newWork()
		at := slices.Concat(theta{x, y, priorLnH[0], priorLnQ[0] + priorLnQ[1]*s.Normal()}, sc.centre())
		sc.columns(w, at)
		if sc.allShow(w) {
			shown++
		}
	}
	got := float64(shown) / n
	if math.Abs(got-d.show) > 0.1*got+4*math.Sqrt(got*(1-got)/n) {
		t.Errorf("%.3f of the sources show, the grid says %.3f", got, d.show)
	}
}

func numericStream() *numeric.Stream { return numeric.NewStream(7, 7) }

// lineScene is three legs across the wind without gas.
func lineScene(t *testing.T) (*scene, domain) {
	t.Helper()
	s := numericStream()
	g := Survey{Compounds: []string{"acetone"}}
	for i := range 150 {
		x, y := 100+80*float64(i/50), 6*float64(i%50)-150
		g.Samples = append(g.Samples, Sample{TimeS: float64(2 * i), At: [3]float64{x, y, 15}, Wind: dispersion.Wind{U: 4, HeightM: 10, AveragingS: 1},
			Values: []Value{{Amount: 1e-8 + 1e-9*s.Normal(), SD: 1e-9}}})
	}
	sc, err := prepare(g)
	if err != nil {
		t.Fatal(err)
	}
	return sc, newDomain(sc)
}

func bounds(d *domain) (lo, hi [2]float64) {
	lo, hi = [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, c := range d.cells {
		lo, hi = [2]float64{min(lo[0], c.x-c.side/2), min(lo[1], c.y-c.side/2)}, [2]float64{max(hi[0], c.x+c.side/2), max(hi[1], c.y+c.side/2)}
	}
	return lo, hi
}
