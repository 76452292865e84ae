package source

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/atalaya-isr/atalaya/numeric"
)

// What is told of a hidden source where nothing was found is its column, less what backgrounds stand for, against a dense solution.
func TestWhatIsToldOfAHiddenSourceIsWhatBackgroundsLeave(t *testing.T) {
	sc, d := lineScene(t)
	d.weigh(newGrid(sc))
	top := sc.climb(sc.centre(), held{}, nil, 1, theTop)
	a := &search{sc: sc, d: &d, summits: []summit{top}, lambda: 1}
	m, w := sc.errorsOf(top.at.shared(), 1), sc.newWork()
	w.from(top.held)
	sc.columns(w, top.at)
	sc.resume(w)
	for i := range sc.s {
		w.variance[i] = sc.variance(w, m, i)
	}
	unknowns := sc.nodes + 1
	known := mat.NewSymDense(unknowns, nil)
	known.SetSym(0, 0, 1/(m.tau*m.tau+m.commonSD*m.commonSD))
	for k, gap := range sc.records[0].gap {
		step := mat.NewVecDense(unknowns, nil)
		step.SetVec(1+k, 1)
		if k > 0 {
			step.SetVec(k, -1)
		}
		known.SymRankOne(known, 1/(m.walk*m.walk*gap), step)
	}
	row := func(i int) *mat.VecDense {
		r := mat.NewVecDense(unknowns, nil)
		r.SetVec(0, 1)
		r.SetVec(1+sc.node[i], 1-sc.between[i])
		r.SetVec(2+sc.node[i], sc.between[i])
		return r
	}
	for i := range sc.s {
		known.SymRankOne(known, sc.expected(w, m, i), row(i))
	}
	var root mat.Cholesky
	if !root.Factorize(known) {
		t.Fatal("no root")
	}
	tried := 0
	for n, h := range a.hideouts() {
		if !finite(h.least) || n%20 > 0 {
			continue
		}
		tried++
		one := sc.newWork()
		sc.column(one, top.at.shared()[jLag], h.x, h.y, math.Exp(priorLnH[0]), h.least, top.at.shape(), h.side/3)
		want, cross := 0.0, mat.NewVecDense(unknowns, nil)
		for i := range sc.s {
			q := sc.expected(w, m, i)
			want += q * one.at[i].C * one.at[i].C
			cross.AddScaledVec(cross, q*one.at[i].C, row(i))
		}
		var x mat.VecDense
		if err := root.SolveVecTo(&x, cross); err != nil {
			t.Log(err)
		}
		want -= mat.Dot(cross, &x)
		// The rest of the explanation, noise and drift, has no slope in the mean: its columns are nothing but rounding of differences, a millionth.
		if math.Abs(h.told-want) > 1e-4*want+1e-6 {
			t.Errorf("at (%.0f, %.0f): %.4f is told of a source that just shows, want %.4f", h.x, h.y, h.told, want)
		}
	}
	if tried < 5 {
		t.Errorf("%d places tried", tried)
	}
}

// Of hidden sources any of all may be the hidden ones, and more of them are less probable by their prior and by what each hides.
func TestHiddenSourcesCountInEveryOrder(t *testing.T) {
	sc, d := lineScene(t)
	d.weigh(newGrid(sc))
	top := sc.climb(sc.centre(), held{}, nil, 1, theTop)
	none := &search{sc: sc, d: &d, summits: []summit{top}, lambda: 1}
	clouds, found, at := conceal([]*search{none}, []cloud{{standing: 7 + lnPriorCount[0]}})
	ln := none.lnHidden(at)
	if found != 0 || len(clouds) != MostSources+1 || !(ln < 0) || ln < math.Log(0.01) {
		t.Fatalf("found %d, %d numbers, ln %g", found, len(clouds), ln)
	}
	for k := 1; k <= MostSources; k++ { // beside none, all are hidden: one way
		if want := 7 + lnPriorCount[k] + float64(k)*ln; math.Abs(clouds[k].standing-want) > 1e-9 || clouds[k].hidden != k {
			t.Errorf("%d hidden stand at %g, want %g", k, clouds[k].standing, want)
		}
	}
	one := &search{sc: sc, d: &d, k: 1, summits: []summit{sc.climb(append(theta{0, 0, 0.4, -9}, sc.centre()...), held{}, []float64{20, 20, 1, 1}, 1, theTop)}, lambda: 1}
	clouds, found, at = conceal([]*search{none, one}, []cloud{{standing: -50}, {k: 1, standing: 3}, {k: 2, standing: -80}, {k: 3, standing: 2.5}})
	ln = one.lnHidden(at)
	if want := 3 - lnPriorCount[1] + lnPriorCount[2] + math.Log(2) + ln; found != 1 || math.Abs(clouds[2].standing-want) > 1e-9 || clouds[2].hidden != 1 {
		t.Errorf("of two, one found: %g, want %g", clouds[2].standing, want)
	}
	if clouds[3].standing != 2.5 || clouds[3].hidden != 0 {
		t.Errorf("three that lie on a summit became %+v", clouds[3])
	}
	p := &posterior{sc: sc, d: &d, clouds: clouds, found: found, hideouts: at}
	s, inside := numeric.NewStream(1, 1), 0
	for range 200 {
		if one := p.hide(s); d.holds(one.X, one.Y) && one.RateKgS > 0 {
			inside++
		}
	}
	if inside != 200 {
		t.Errorf("%d of 200 hidden sources are on the ground", inside)
	}
}

// Where no sample tells of a place its hidden source is as probable as beforehand: ratio is the share of the rates that would show.
func TestAHiddenSourceOfWhichNothingIsToldHasItsPrior(t *testing.T) {
	sc, _ := lineScene(t)
	w := sc.newWork()
	for i := range w.variance {
		w.variance[i] = 1
	}
	p := hideout{least: math.Exp(priorLnQ[0])}
	p.weigh(w, errorModel{flu2: 1, lambda: 1}, make([]float64, len(sc.s)), make([]float64, len(sc.s)))
	if math.Abs(p.ratio-0.5) > 0.01 { // above the median; the sum ends four deviations up, which leaves out 3e-5, and steps are an eighth of one
		t.Errorf("ratio %v, want 1/2", p.ratio)
	}
}
