//go:build explore

package fingerprint

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/numeric"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
)

const root = "/work/shared/data/gas/"

func load(t *testing.T) *Library {
	o := func(n string) *os.File { f, err := os.Open(root + "fingerprints/" + n); if err != nil { t.Fatal(err) }; return f }
	z, _ := gzip.NewReader(o("composition.csv.gz"))
	l, probs, err := Import(Table{"p", o("profiles.csv")}, Table{"s", o("species.csv")}, Table{"c", z})
	if err != nil { t.Fatal(err) }
	for _, p := range probs { _ = p }
	return l.Named()
}

func chans(name string) []Channel {
	m, _ := filepath.Glob(root + "emitters-example/*" + name + ".csv")
	f, _ := os.Open(m[0])
	defer f.Close()
	var out []Channel
	s := bufio.NewScanner(f)
	for s.Scan() {
		if v, ok := strings.CutPrefix(s.Text(), "# cas_"); ok {
			n, c, _ := strings.Cut(v, ":")
			out = append(out, Channel{n, casNumbers(c)})
		}
	}
	return out
}

type sample struct{ j int; q []float64; s []float64; p []float64 }

// build simulated observations
func build(l *Library, ch []Channel, seed uint64) (obs []sample, P [][]float64) {
	for j, p := range l.Profiles {
		v := make([]float64, len(ch)); tot := 0.0; mx := 0.0
		for k, c := range ch { v[k] = c.see(p).share; tot += v[k]; mx = math.Max(mx, v[k]) }
		P = append(P, v)
		if tot <= 0 { continue }
		for k := range v { v[k] /= tot }
		r := numeric.NewStream(seed, uint64(j))
		peak := 80 * math.Exp(0.8*r.Normal()) // ppb of the strongest
		q := make([]float64, len(ch)); sum := 0.0; seen := 0
		for k := range q {
			e := v[k] / (mx / tot) * peak * math.Exp(0.2*r.Normal())
			e += 0.03 * r.Normal()
			if e > 0.15 { seen++ }
			q[k] = math.Max(e, 0); sum += q[k]
		}
		if seen < 3 { continue }
		for k := range q { q[k] /= sum }
		obs = append(obs, sample{j: j, q: q})
	}
	return
}

type score struct{ w, t1, t3 float64 }

func evalScores(name string, l *Library, obs []sample, classes []string, post func(i int) map[string]float64) {
	cnt := map[string]float64{}; ccnt := map[string]float64{}
	for _, o := range obs { p := l.Profiles[o.j]; cnt[p.Class+p.Study]++ }
	for k := range cnt { _ = k }
	stud := map[string]map[string]bool{}
	for _, o := range obs { p := l.Profiles[o.j]; if stud[p.Class] == nil { stud[p.Class] = map[string]bool{} }; stud[p.Class][p.Study] = true; ccnt[p.Class]++ }
	var A, B, C score
	per := map[string]*score{}
	res := make([]map[string]float64, len(obs))
	numeric.Each(len(obs), func(i int) { res[i] = post(i) })
	for i, o := range obs {
		p := l.Profiles[o.j]
		ps := res[i]
		type kv struct { k string; v float64 }
		var s []kv
		for k, v := range ps { s = append(s, kv{k, v}) }
		sort.Slice(s, func(a, b int) bool { if s[a].v != s[b].v { return s[a].v > s[b].v }; return s[a].k < s[b].k })
		t1, t3 := 0.0, 0.0
		for r, x := range s { if x.k == p.Class { if r == 0 { t1 = 1 }; if r < 3 { t3 = 1 } } }
		add := func(a *score, w float64) { a.w += w; a.t1 += w * t1; a.t3 += w * t3 }
		add(&A, 1); add(&B, 1/cnt[p.Class+p.Study]); add(&C, 1/cnt[p.Class+p.Study]/float64(len(stud[p.Class])))
		if per[p.Class] == nil { per[p.Class] = &score{} }
		add(per[p.Class], 1/cnt[p.Class+p.Study])
	}
	fmt.Printf("%-28s n=%d profile %.3f %.3f  study %.3f %.3f  class %.3f %.3f |", name, len(obs), A.t1/A.w, A.t3/A.w, B.t1/B.w, B.t3/B.w, C.t1/C.w, C.t3/C.w)
	for _, c := range classes { if x := per[c]; x != nil { fmt.Printf(" %s%.0f:%.2f/%.2f", c[:6], x.w, x.t1/x.w, x.t3/x.w) } }
	fmt.Println()
}

func shares(a, b string) bool {
	for _, x := range strings.Split(a, ";") { for _, y := range strings.Split(b, ";") { if x == y { return true } } }
	return false
}


type multi struct { obs []sample; P [][]float64; ok []bool; cls []int; sid []int; sh [][]bool; wt []float64; classes []string; cnt map[[2]int]float64 }

func (m *multi) report(name string, post [][]float64) {
	var w, t1, t3, a, b float64
	var c1, cw = make([]float64, len(m.classes)), make([]float64, len(m.classes))
	nll := 0.0
	for i, o := range m.obs {
		c := m.cls[o.j]; r := 0
		for x, v := range post[i] { if v > post[i][c] || v == post[i][c] && x < c { r++ }; _ = x }
		w += m.wt[i]; cw[c] += m.wt[i]; a++
		if r == 0 { t1 += m.wt[i]; b++; c1[c] += m.wt[i] }
		if r < 3 { t3 += m.wt[i] }
		nll -= m.wt[i] * math.Log(math.Max(post[i][c], 1e-6))
	}
	bal := 0.0; nb := 0.0
	s := ""
	for c := range m.classes { if cw[c] > 0 { bal += c1[c] / cw[c]; nb++; s += fmt.Sprintf(" %s%.0f:%.2f", m.classes[c][:6], cw[c], c1[c]/cw[c]) } }
	fmt.Printf("%-30s study %.3f %.3f  profile %.3f class %.3f nll %.3f |%s\n", name, t1/w, t3/w, b/a, bal/nb, nll/w, s)
}

func setup(l *Library, inst string) *multi {
	m := &multi{classes: l.Classes(), cnt: map[[2]int]float64{}}
	m.obs, m.P = build(l, chans(inst), 1)
	ids := map[string]int{}; var names []string
	for j, p := range l.Profiles {
		k, o := ids[p.Study]; if !o { k = len(names); ids[p.Study] = k; names = append(names, p.Study) }
		m.sid = append(m.sid, k)
		for c := range m.classes { if m.classes[c] == p.Class { m.cls = append(m.cls, c) } }
		good := false; sum := 0.0
		for _, v := range m.P[j] { good = good || v > 0; sum += v }
		if good { for k := range m.P[j] { m.P[j][k] /= sum } }
		m.ok = append(m.ok, good)
	}
	for a := range names { m.sh = append(m.sh, make([]bool, len(names))); for b := range names { m.sh[a][b] = shares(names[a], names[b]) } }
	for _, o := range m.obs { m.cnt[[2]int{m.cls[o.j], m.sid[o.j]}]++ }
	for _, o := range m.obs { m.wt = append(m.wt, 1/m.cnt[[2]int{m.cls[o.j], m.sid[o.j]}]) }
	return m
}

func (m *multi) kernel(delta, tau, nu, T, alpha float64, sq bool) [][]float64 {
	f := func(q float64) float64 { if sq { return math.Sqrt(q) }; return math.Log(q + delta) }
	lp := make([][]float64, len(m.P)); np := map[[2]int]float64{}
	for j := range m.P { lp[j] = make([]float64, len(m.P[j])); for k, v := range m.P[j] { if m.ok[j] { lp[j][k] = f(v) } }; if m.ok[j] { np[[2]int{m.cls[j], m.sid[j]}]++ } }
	out := make([][]float64, len(m.obs))
	numeric.Each(len(m.obs), func(i int) {
		sum := make([]float64, len(m.classes)); n := make([]float64, len(m.classes))
		for k := range np { if !m.sh[k[1]][m.sid[m.obs[i].j]] { n[k[0]]++ } }
		lq := make([]float64, len(m.obs[i].q)); for k, v := range m.obs[i].q { lq[k] = f(v) }
		ll := make([]float64, len(m.P)); mx := math.Inf(-1)
		for j := range m.P {
			if !m.ok[j] || m.sh[m.sid[j]][m.sid[m.obs[i].j]] { ll[j] = math.Inf(-1); continue }
			prod := 1.0; acc := 0.0
			for k, v := range lq { x := v - lp[j][k]; if nu == 0 { acc += x * x / (tau * tau) } else { prod *= 1 + x*x/(tau*tau*nu); if prod > 1e100 { acc += math.Log(prod); prod = 1 } } }
			if nu == 0 { ll[j] = -acc / 2 / T } else { ll[j] = -(nu + 1) / 2 * (acc + math.Log(prod)) / T }
			mx = math.Max(mx, ll[j])
		}
		for j := range m.P { if !math.IsInf(ll[j], -1) { sum[m.cls[j]] += math.Exp(ll[j]-mx) / np[[2]int{m.cls[j], m.sid[j]}] / math.Pow(n[m.cls[j]], alpha) } }
		tot := 0.0
		for c := range sum { tot += sum[c] }
		for c := range sum { sum[c] = (sum[c]/tot + 1e-4) / (1 + 1e-4*float64(len(sum))) }
		out[i] = sum
	})
	return out
}

func (m *multi) logistic(delta, lambda, beta float64, withSqrt bool) [][]float64 {
	feat := func(q []float64) []float64 { var x []float64; for _, v := range q { x = append(x, (math.Log(v+delta)-math.Log(delta))/2.0) ; if withSqrt { x = append(x, 2*math.Sqrt(v)) } }; return append(x, 1) }
	X := make([][]float64, len(m.obs))
	for i, o := range m.obs { X[i] = feat(o.q) }
	C := len(m.classes); D := len(X[0])
	out := make([][]float64, len(m.obs))
	studies := len(m.sh)
	numeric.Each(studies, func(s int) {
		any := false
		for _, o := range m.obs { any = any || m.sid[o.j] == s }
		if !any { return }
		var tr []int; var w []float64; seen := map[[2]int]int{}; nst := make([]float64, C)
		for i, o := range m.obs { if m.sh[m.sid[o.j]][s] { continue }; k := [2]int{m.cls[o.j], m.sid[o.j]}; if seen[k] >= 10 { continue }; seen[k]++; tr = append(tr, i) }
		for k := range seen { nst[k[0]]++ }
		for _, i := range tr { o := m.obs[i]; k := [2]int{m.cls[o.j], m.sid[o.j]}; w = append(w, math.Pow(nst[k[0]], -beta)/float64(seen[k])) }
		B := make([]float64, C*D)
		fit(B, X, tr, w, m, lambda)
		for i, o := range m.obs { if m.sid[o.j] == s { out[i] = soft(B, X[i], C) } }
	})
	return out
}

func soft(B, x []float64, C int) []float64 {
	D := len(x); p := make([]float64, C); mx := math.Inf(-1)
	for c := range p { for d := range x { p[c] += B[c*D+d] * x[d] }; mx = math.Max(mx, p[c]) }
	t := 0.0
	for c := range p { p[c] = math.Exp(p[c] - mx); t += p[c] }
	for c := range p { p[c] /= t }
	return p
}

func fit(B []float64, X [][]float64, tr []int, w []float64, m *multi, lambda float64) {
	C := len(m.classes); D := len(X[0])
	pr := optimize.Problem{
		Func: func(b []float64) float64 { f := 0.0; for n, i := range tr { p := soft(b, X[i], C); f -= w[n] * math.Log(p[m.cls[m.obs[i].j]]+1e-300) }; for k, v := range b { if (k+1)%D != 0 { f += lambda * v * v / 2 } }; return f },
		Grad: func(g, b []float64) {
			for k, v := range b { g[k] = 0; if (k+1)%D != 0 { g[k] = lambda * v } }
			for n, i := range tr { p := soft(b, X[i], C); for c := range p { r := p[c]; if c == m.cls[m.obs[i].j] { r-- }; r *= w[n]; if r*r < 1e-18 { continue }; for d, x := range X[i] { g[c*D+d] += r * x } } }
		},
	}
	res, _ := optimize.Minimize(pr, B, &optimize.Settings{MajorIterations: 60, GradientThreshold: 1e-3}, &optimize.LBFGS{})
	copy(B, res.X)
}

func mix(ps ...[][]float64) [][]float64 {
	out := make([][]float64, len(ps[0]))
	for i := range out { out[i] = make([]float64, len(ps[0][i])); t := 0.0; for c := range out[i] { v := 0.0; for _, p := range ps { v += math.Log(p[i][c]+1e-5) / float64(len(ps)) }; out[i][c] = math.Exp(v); t += out[i][c] }; for c := range out[i] { out[i][c] /= t } }
	return out
}

func TestExplore(t *testing.T) {
	l := load(t)
	for _, inst := range []string{"gc", "ptr"} {
		m := setup(l, inst)
		fmt.Println(inst)
		k1 := m.kernel(0.003, 1, 4, 2, 0.5, false); m.report("k .003 1 T2", k1)
		k2 := m.kernel(0.003, 1, 4, 5, 0.5, false); m.report("k .003 1 T5", k2)
		k3 := m.kernel(0.003, 2, 4, 3, 0.5, false); m.report("k .003 2 T3", k3)
		k4 := m.kernel(0.001, 2, 4, 3, 0.5, false); m.report("k .001 2 T3", k4)
		k5 := m.kernel(0, 0.07, 0, 1, 0.5, true); m.report("sqrt .07", k5)
		k6 := m.kernel(0, 0.12, 0, 1, 0.5, true); m.report("sqrt .12", k6)
		k7 := m.kernel(0, 0.05, 1, 1, 0.5, true); m.report("sqrt cauchy .05", k7)
		m.report("k2+k6", mix(k2, k6))
		for _, la := range []float64{0.03, 0.1, 0.3} {
			g1 := m.logistic(0.003, la, 0.3, false); m.report(fmt.Sprint("log ", la), g1)
			g2 := m.logistic(0.003, la, 0.3, true); m.report(fmt.Sprint("log sqrt ", la), g2)
			m.report("k2+k6+g2", mix(k2, k6, g2)); m.report("k2+g2", mix(k2, g2))
		}
	}
}

// whitened kernel
func (m *multi) white(delta, rho, eps, a, h, alpha float64, lda bool) [][]float64 {
	f := func(q float64) float64 { return math.Log(q + delta) }
	K := len(m.P[0])
	X := make([][]float64, len(m.P)); np := map[[2]int]float64{}
	for j := range m.P { X[j] = make([]float64, K); for k, v := range m.P[j] { if m.ok[j] { X[j][k] = f(v) } }; if m.ok[j] { np[[2]int{m.cls[j], m.sid[j]}]++ } }
	out := make([][]float64, len(m.obs))
	numeric.Each(len(m.sh), func(s int) {
		any := false
		for _, o := range m.obs { any = any || m.sid[o.j] == s }
		if !any { return }
		C := len(m.classes)
		sm := map[[2]int][]float64{}
		for j := range m.P { if m.ok[j] && !m.sh[m.sid[j]][s] { k := [2]int{m.cls[j], m.sid[j]}; if sm[k] == nil { sm[k] = make([]float64, K) }; for x := range X[j] { sm[k][x] += X[j][x] / np[k] } } }
		mu := make([][]float64, C); n := make([]float64, C)
		for c := range mu { mu[c] = make([]float64, K) }
		var keys [][2]int
		for k := range sm { keys = append(keys, k) }
		sort.Slice(keys, func(a, b int) bool { return keys[a][0]*1000+keys[a][1] < keys[b][0]*1000+keys[b][1] })
		for _, k := range keys { n[k[0]]++ ; for x, v := range sm[k] { mu[k[0]][x] += v } }
		for c := range mu { for x := range mu[c] { mu[c][x] /= math.Max(n[c], 1) } }
		S := mat.NewSymDense(K, nil); dof := 0.0
		for _, k := range keys { if n[k[0]] < 2 { continue }; dof += 1 - 1/n[k[0]]; for x := 0; x < K; x++ { for y := x; y < K; y++ { S.SetSym(x, y, S.At(x, y)+(sm[k][x]-mu[k[0]][x])*(sm[k][y]-mu[k[0]][y])) } } }
		for x := 0; x < K; x++ { for y := x; y < K; y++ { v := S.At(x, y) / dof; if x != y { v *= 1 - rho } else { v += eps }; S.SetSym(x, y, v) } }
		var ch mat.Cholesky
		if !ch.Factorize(S) { panic("chol") }
		var L mat.TriDense; ch.LTo(&L)
		w := func(x []float64) []float64 { y := make([]float64, K); for r := 0; r < K; r++ { v := x[r]; for c := 0; c < r; c++ { v -= L.At(r, c) * y[c] }; y[r] = v / L.At(r, r) }; return y }
		W := make([][]float64, len(m.P))
		for j := range m.P { if m.ok[j] && !m.sh[m.sid[j]][s] { W[j] = w(X[j]) } }
		M := make([][]float64, C)
		for c := range M { M[c] = w(mu[c]) }
		for i, o := range m.obs { if m.sid[o.j] != s { continue }
			q := make([]float64, K); for k, v := range o.q { q[k] = f(v) }
			q = w(q)
			sum := make([]float64, C); ll := make([]float64, len(m.P)); mx := math.Inf(-1)
			if lda {
				for c := range M { d := 0.0; for x := range q { d += (q[x] - M[c][x]) * (q[x] - M[c][x]) }; sum[c] = -a*math.Log(1+d/(h*h)) + math.Log(math.Max(n[c], 1e-3))*(1-alpha); mx = math.Max(mx, sum[c]) }
				for c := range sum { sum[c] = math.Exp(sum[c] - mx) }
			} else {
			for j := range m.P { if W[j] == nil { ll[j] = math.Inf(-1); continue }; d := 0.0; for x := range q { d += (q[x] - W[j][x]) * (q[x] - W[j][x]) }; ll[j] = -a * math.Log(1+d/(h*h)); mx = math.Max(mx, ll[j]) }
			for j := range m.P { if W[j] != nil { k := [2]int{m.cls[j], m.sid[j]}; sum[k[0]] += math.Exp(ll[j]-mx) / np[k] / math.Pow(n[k[0]], alpha) } }
			}
			tot := 0.0
			for c := range sum { tot += sum[c] }
			for c := range sum { sum[c] = (sum[c]/tot + 1e-4) / (1 + 1e-4*float64(C)) }
			out[i] = sum
		}
	})
	return out
}

func TestExplore2(t *testing.T) {
	l := load(t)
	for _, inst := range []string{"gc", "ptr"} {
		m := setup(l, inst)
		fmt.Println(inst)
		for _, d := range []float64{0.001, 0.003, 0.01} { for _, rho := range []float64{0.2, 0.5} { for _, a := range []float64{4, 8} { for _, h := range []float64{2, 4} {
			m.report(fmt.Sprint("white d", d, " rho", rho, " a", a, " h", h), m.white(d, rho, 0.3, a, h, 0.5, false))
		} } } }
		m.report("white a0", m.white(0.003, 0.5, 0.3, 6, 3, 0, false))
		m.report("lda", m.white(0.003, 0.5, 0.3, 8, 4, 0.5, true))
		m.report("lda", m.white(0.003, 0.5, 0.3, 20, 6, 0.5, true))
	}
}
