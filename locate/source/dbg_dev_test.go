package source

import (
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/gas"
)

func TestDbg(t *testing.T) {
	f, err := os.Open("/tmp/c100/mission/gas/flight-1.csv")
	if err != nil {
		t.Skip()
	}
	s, _ := gas.Read(f, "x")
	in, _ := FromSurvey(s, false)
	xy := in.Frame.GroundENU(geodesy.LatLon{Lat: 24.872042513634078, Lon: -106.91862693157846})
	sc, _ := prepare(in.Groups[0])
	d := newDomain(sc)
	fmt.Println("truth", xy, "primary", sc.survey.Compounds[sc.primary], "noise", sc.noise, "base", sc.base, sc.baseSD, sc.tau, "cells", len(d.cells), "holds", d.holds(xy[0], xy[1]), "n", len(sc.s), "real", len(sc.realisations[0]))
	w := sc.newWork()
	none := sc.centre()
	lnBest := math.Inf(-1)
	for _, lf := range []float64{-2, -1, 0, 1} {
		for ls := -3.0; ls < 8; ls++ {
			n := append(theta(nil), none...)
			n[jSig] += ls
			v := sc.lnLikelihood(w, n, 1) + sc.lnPrior(n)
			th := append(theta{xy[0], xy[1], math.Log(4), math.Log(0.0007)}, n...)
			th.shared()[jFlu] = lf
			lt := sc.lnLikelihood(w, th, 1) + sc.lnPrior(th)
			fmt.Printf("lf %.0f ls %.0f none %.1f truth %.1f\n", lf, ls, v, lt)
			lnBest = max(lnBest, lt)
		}
	}
	gr := newGrid(sc)
	all := gr.refine(&d, nil)
	for i := range 5 {
		h := all[i].hypothesis()
		fmt.Println("cell", all[i].x, all[i].y, all[i].side, all[i].ln, h.lnRate, h.bias)
	}
	lam, gain, sums := sc.temper(gr, singles(all), gr.pairs(&d, all))
	fmt.Println("lambda", lam, "gain", gain)
	for _, s := range sums[1] {
		fmt.Println("summit", s.ln, s.at)
	}
}
