package source

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/numeric"
)

// The elimination of nodes, then of the border, against one dense solution of all.
func TestNormalEquationsAreThoseOfADenseMatrix(t *testing.T) {
	s := numeric.NewStream(1, 1)
	g := &record{sensors: []int{0, 1, 2}, gap: []float64{10, 10, 30, 10, 20}}
	m := errorModel{tau: 0.7, walk: 0.3}
	n, b := len(g.gap), len(g.sensors)
	a, once := newNormal(n, b), newNormal(n, b)
	a.begin(g, m)
	once.begin(g, m)
	base, nodes := make([]float64, b), make([]float64, n) // right hand side of once
	full, right := mat.NewSymDense(n+b, nil), mat.NewVecDense(n+b, nil)
	for k, gap := range g.gap { // a walk, step by step
		step := mat.NewVecDense(n+b, nil)
		step.SetVec(k, 1)
		if k > 0 {
			step.SetVec(k-1, -1)
		}
		full.SymRankOne(full, 1/(m.walk*m.walk*gap), step)
	}
	for j := range b {
		full.SetSym(n+j, n+j, full.At(n+j, n+j)+1/(m.tau*m.tau))
	}
	for range 40 {
		j, k, f, q, r := int(3*s.Float64()), int(4*s.Float64()), s.Float64(), s.Float64(), s.Normal()
		a.add(j, k, f, q, r)
		once.add(j, k, f, q, 0)
		base[j], nodes[k], nodes[k+1] = base[j]+q*r, nodes[k]+q*r*(1-f), nodes[k+1]+q*r*f
		row := mat.NewVecDense(n+b, nil)
		row.SetVec(k, 1-f)
		row.SetVec(k+1, f)
		row.SetVec(n+j, 1)
		full.SymRankOne(full, q, row)
		right.AddScaledVec(right, q*r, row)
	}
	ln := a.solve()
	var root mat.Cholesky
	var x mat.VecDense
	if !root.Factorize(full) || root.SolveVecTo(&x, right) != nil {
		t.Fatal("the dense matrix has no root")
	}
	// The matrix has a condition of some hundreds: ten digits are far more than rounding takes.
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 1e-10*max(1, math.Abs(want)) {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	near("ln det", ln, root.LogDet())
	once.eliminate()
	once.respond(g.sensors, base, nodes)
	for k := range n {
		near("a node", a.nodes[k], x.AtVec(k))
		near("a node, eliminated beforehand,", nodes[k], x.AtVec(k))
	}
	for j := range b {
		near("a background", a.border[j], x.AtVec(n+j))
		near("a background, eliminated beforehand,", base[j], x.AtVec(n+j))
	}
}

// What instruments that stand still are sought with is a summit: no background, drift or effect nearby is better, and one round more moves none.
func TestWhatStandsStillIsSoughtToTheTop(t *testing.T) {
	s := numeric.NewStream(3, 1)
	g := Survey{Compounds: []string{"ch4"}, Surface: dispersion.Surface{RoughnessM: 0.05}}
	for minute := range 30 {
		heading := 0.4 * s.Normal()
		for k := range 4 {
			b := 0.5 * (float64(k) - 1.5)
			excess := 2e-6 * math.Exp(-4*(b-heading)*(b-heading))
			g.Samples = append(g.Samples, Sample{TimeS: 60 * float64(minute), At: [3]float64{0, 0, 1.6}, To: [3]float64{50 * math.Cos(b), 50 * math.Sin(b), 1.6}, IsPath: true, Sensor: string(rune('a' + k)),
				Wind: dispersion.Wind{U: 2 * math.Cos(heading), V: 2 * math.Sin(heading), HeightM: 2, AveragingS: 60, SigmaTheta: 0.2}, Values: []Value{{Amount: 1.3e-6 + excess*(1+0.2*s.Normal()) + 1e-8*s.Normal(), Below: minute%7 == 3}}})
		}
	}
	sc, err := prepare(g)
	if err != nil {
		t.Fatal(err)
	}
	at := append(theta{-10, 0, 0, math.Log(5e-4)}, sc.centre()...)
	w := sc.newWork()
	w.from(held{})
	sc.columns(w, at)
	m := sc.errorsOf(at.shared(), 1)
	for range 5 {
		sc.seek(w, m)
	}
	joint := func() (ln float64) { // of everything, without what is integrated out
		ln = sc.lnErrors(w, m.sig2, nil) + sc.lnWalk(w, m, &sc.records[0])
		for _, e := range w.effect {
			ln -= 0.5 * (e.of[0]*e.of[0] + e.of[1]*e.of[1] + e.of[2]*e.of[2])
		}
		return ln
	}
	top := joint()
	worse := func(what string) {
		t.Helper()
		if v := joint(); v > top+1e-4 { // steps of a tenth of a deviation cost about 0.005 at a summit
			t.Errorf("%s makes it better by %g", what, v-top)
		}
	}
	for _, by := range []float64{-0.1, 0.1} {
		for k := range w.effect {
			for j := range 3 {
				was := w.effect[k].of
				w.effect[k].of[j] += by
				sc.bring(w, k, w.effect[k].of, was)
				worse("an effect")
				sc.bring(w, k, was, w.effect[k].of)
				w.effect[k].of = was
			}
		}
		for j := range w.base {
			w.base[j] += by * sc.noise
			sc.layAll(w)
			worse("a background")
			w.base[j] -= by * sc.noise
			sc.layAll(w)
		}
		for k := range w.drift {
			w.drift[k] += by * sc.noise
			sc.layAll(w)
			worse("a drift")
			w.drift[k] -= by * sc.noise
			sc.layAll(w)
		}
	}
	for i := range sc.s {
		if b := w.brought(i); b < 0 {
			t.Errorf("the air takes %g out of sample %d", -b, i)
		}
	}
}

// A bound pulls as ln of its tail area slopes, by differences.
func TestABoundPullsAsItsTailSlopes(t *testing.T) {
	for _, z := range []float64{-50, -3, -1, -0.1, 0, 0.1, 1, 3, 8} {
		const h = 1e-4
		want := (math.Log(numeric.StudentT4CDF(z+h)) - math.Log(numeric.StudentT4CDF(z-h))) / (2 * h)
		// Differences lose h²·|third derivative| ≤ 1e-8 and the rounding of the tail, 1e-16/(h·tail) with a tail of 2e-6 at -50.
		if got := tailSlope(z); math.Abs(got-want) > 1e-6 {
			t.Errorf("at %g: %g, want %g", z, got, want)
		}
	}
	if got := tailSlope(-1e6); math.Abs(got*1e6-4) > 1e-6 {
		t.Errorf("far out: %g, want 4e-6", got)
	}
}

// What a sensor that moves is sought with, crossings, nodes and background together: one step is that of one dense matrix of all.
func TestAStepOfAFlightIsThatOfADenseMatrix(t *testing.T) {
	sc, err := prepare(legs(400))
	if err != nil {
		t.Fatal(err)
	}
	at := append(slices.Clone(twoSources), sc.centre()...)
	w, g, nodes := sc.newWork(), &sc.records[0], sc.nodes
	w.from(held{})
	sc.columns(w, at)
	m := sc.errorsOf(at.shared(), 0.5)
	sc.resume(w)
	for k := range w.effect { // about nothing in particular
		was := w.effect[k].of
		w.effect[k].of = [3]float64{0.3, -0.2, 0.1 * float64(k%3)}
		sc.bring(w, k, w.effect[k].of, was)
	}
	for i := range sc.s {
		w.variance[i] = sc.variance(w, m, i)
	}
	// Backgrounds in units of the noise, so that all unknowns are of one order.
	n, unit := 1+nodes+3*len(g.parts), sc.noise // the background, nodes, effects
	full, right := mat.NewSymDense(n, nil), mat.NewVecDense(n, nil)
	own, _ := m.sensors(1)
	full.SetSym(0, 0, own*unit*unit)
	right.SetVec(0, own*(m.common-w.base[0])*unit)
	for k, gap := range g.gap {
		row := mat.NewVecDense(n, nil)
		row.SetVec(1+k, unit)
		if k > 0 {
			row.SetVec(k, -unit)
		}
		full.SymRankOne(full, 1/(m.walk*m.walk*gap), row)
	}
	for p, k := range g.parts {
		from := 1 + nodes + 3*p
		for j, v := range w.effect[k].of {
			full.SetSym(from+j, from+j, full.At(from+j, from+j)+1)
			right.SetVec(from+j, right.AtVec(from+j)-v)
		}
		r := &sc.realisations[k]
		for _, i := range r.samples {
			q, d := sc.pull(w, m, i)
			row := mat.NewVecDense(n, nil)
			row.SetVec(0, unit)
			row.SetVec(1+sc.node[i], unit*(1-sc.between[i]))
			row.SetVec(2+sc.node[i], unit*sc.between[i])
			if sc.seen(w, i) {
				for j, u := range r.lever(w, i) {
					row.SetVec(from+j, u)
				}
			}
			full.SymRankOne(full, q, row)
			right.AddScaledVec(right, q*d, row)
		}
	}
	var root mat.Cholesky
	var x mat.VecDense
	if !root.Factorize(full) || root.SolveVecTo(&x, right) != nil {
		t.Fatal("the dense matrix has no root")
	}
	was := w.held.clone()
	sc.roundMoving(w, m, 0, 0)
	near := func(what string, got, want float64) { // the matrix has a condition of some ten thousands
		t.Helper()
		if math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
			t.Errorf("%s moves by %v, want %v", what, got, want)
		}
	}
	near("the background", (w.base[0]-was.base[0])/unit, x.AtVec(0))
	for k := range nodes {
		near("a node", (w.drift[k]-was.drift[k])/unit, x.AtVec(1+k))
	}
	for p, k := range g.parts {
		for j := range 3 {
			near("an effect", w.effect[k].of[j]-was.effect[k].of[j], max(min(x.AtVec(1+nodes+3*p+j), 1), -1))
		}
	}
}

// A draw's effects are sought from where the summit leads: they must end as high as those of a search that takes its time. One draw in ten may lie in a bend where
// an effect still creeps.
func TestTheSearchOfADrawIsFull(t *testing.T) {
	for name, d := range map[string]draws{"a flight": near(t, legs(600), twoSources), "beams": near(t, fan(60), oneSource)} {
		var off []float64
		for _, at := range d.at {
			w, s := d.sc.newWork(), &d.a.summits[0]
			s.lead(w, at)
			got := d.sc.lnLikelihood(w, at, d.a.lambda)
			w.from(s.held)
			for range 8 {
				d.sc.lnLikelihood(w, at, d.a.lambda)
			}
			if want := d.sc.lnLikelihood(w, at, d.a.lambda); want > s.ln-30 { // others are of no weight
				off = append(off, math.Abs(got-want))
			}
		}
		slices.Sort(off)
		n := len(off)
		if n < 50 {
			t.Fatalf("%s: %d draws are of weight", name, n)
		}
		t.Logf("%s: of %d draws half are within %.4f of a full search, nine of ten within %.4f, all within %.3f", name, n, off[n/2], off[n*9/10], off[n-1])
		if off[n/2] > 0.01 || off[n*9/10] > 0.1 {
			t.Errorf("%s: of %d draws half are within %.4f of a full search, nine of ten within %.4f", name, n, off[n/2], off[n*9/10])
		}
	}
}
