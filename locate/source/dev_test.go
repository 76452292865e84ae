package source

import (
	"math"
	"os"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/sense/gas"
)

func TestEvalDev(t *testing.T) {
	for _, c := range []struct {
		f string
		x, y, h, q float64
	}{{"gas/chilbolton/survey.csv", 237.91, 40.05, .3, .000378},{"gas/plume-check/survey.csv", 10,20,2,.004167}} {
	f, _ := os.Open(fixture.Shared(t, c.f))
	s, _ := gas.Read(f, "x")
	in, _ := FromSurvey(s, false)
	t0 := time.Now()
	sc, _ := prepare(in.Groups[0])
	t.Log("prep", time.Since(t0), "noise", sc.noise, "base", sc.base, sc.baseSD)
	th := append(theta{c.x, c.y, math.Log(c.h), math.Log(c.q)}, sc.centre()...)
	w := sc.newWork()
	t0 = time.Now()
	for range 20 {
		sc.lnLikelihood(w, th, .12)
	}
	t.Log("eval", time.Since(t0)/20)
	fit := sc.fit(w, th, 1)
	t.Log("share", sc.effectiveShare(fit), fit.base)
	for _, l := range []float64{1, .12} {
		t.Log("none", sc.lnNone(l), "truth", sc.lnLikelihood(w, th, l), "prior", sc.lnPrior(th))
	}
	t0 = time.Now()
	d := newDomain(sc)
	g := newGrid(sc)
	t.Log("domain", len(d.cells), d.area, time.Since(t0))
	t0 = time.Now()
	all := g.refine(&d, nil)
	t.Log("refine", time.Since(t0), g.lambda)
	for _, a := range all[:5] {
		t.Log(a)
	}
	t0 = time.Now()
	tw := g.pairs(&d, all)
	t.Log("pairs", time.Since(t0), tw[:3])
	t0 = time.Now()
	hy := singles(all)
	a, l := sc.climb(sc.start(hy[0]), hy[0].cells, .12)
	t.Log("climb", time.Since(t0), a, l, sc.effectiveShare(sc.fit(w, a, .12)))
	}
}
