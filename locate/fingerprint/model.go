package fingerprint

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/atalaya-isr/atalaya/numeric"
)

// A model is what is learnt from the references that keep has. Three members look at a mixture in different ways, each
// giving every class a probability:
//
//	kernel   round each profile a product of Student's t over the channels, in the logarithm of the share above the floor
//	metric   the same with one t over all channels together, whose covariance is that between studies of one class
//	forest   trees over log shares and log ratios
//
// In the first two a study is the mean of its profiles and a class the sum of its studies over the root of their number.
type model struct {
	t       *table
	keep    []bool
	weight  []float64 // of each reference: one over the number of its class and study
	studies []float64 // of each class
	// chol whitens differences of x; white are the references whitened.
	chol  *mat.TriDense
	white [][]float64
	trees []tree
}

const (
	members = 3
	kernel  = 0
	metric  = 1
	forest  = 2

	// The kernel is heavy in its tails, as one compound that a study did not look for must not part twins, and flattened,
	// as channels are not independent.
	kernelDF, kernelTemper = 2.0, 2.0
	// The metric: a multivariate t of 16 degrees, its exponent held at 8 whatever the number of channels.
	metricDF, metricPower = 16.0, 8.0
	// shrink of the correlations between channels, and what is added to each variance, of about a hundred studies.
	shrink, ridgeVar = 0.5, 0.3
	// rare is what each member leaves to every class, so that none alone can rule one out.
	rare = 1e-3
	// perGroup is how many samples of one class and study a tree sees.
	perGroup = 10
)

// learn fits the model with a forest of so many trees.
func (t *table) learn(keep []bool, trees int, seed uint64) *model {
	m := &model{t: t, keep: keep, weight: make([]float64, len(t.refs)), studies: make([]float64, len(t.classes))}
	n := map[[2]int]float64{}
	for i, r := range t.refs {
		if keep[i] {
			n[[2]int{r.class, r.study}]++
		}
	}
	seen := map[[2]int]bool{}
	for i, r := range t.refs {
		if key := [2]int{r.class, r.study}; keep[i] {
			m.weight[i] = 1 / n[key]
			if !seen[key] {
				seen[key] = true
				m.studies[r.class]++
			}
		}
	}
	m.whiten()
	m.plant(trees, seed)
	return m
}

// whiten takes the covariance of x between studies of one class, pooled over classes, and shrinks it.
func (m *model) whiten() {
	k := len(m.t.floor)
	mean := map[[2]int][]float64{}
	var order [][2]int
	for i, r := range m.t.refs {
		if !m.keep[i] || r.class == len(m.t.classes)-1 {
			continue // profiles in no class have no centre to scatter round
		}
		key := [2]int{r.class, r.study}
		if mean[key] == nil {
			mean[key] = make([]float64, k)
			order = append(order, key)
		}
		for c, v := range r.x {
			mean[key][c] += m.weight[i] * v
		}
	}
	centre := make([][]float64, len(m.t.classes))
	for _, key := range order {
		if centre[key[0]] == nil {
			centre[key[0]] = make([]float64, k)
		}
		for c, v := range mean[key] {
			centre[key[0]][c] += v / m.studies[key[0]]
		}
	}
	s, free := mat.NewSymDense(k, nil), 0.0
	d := mat.NewVecDense(k, nil)
	for _, key := range order {
		if m.studies[key[0]] < 2 {
			continue
		}
		free += 1 - 1/m.studies[key[0]]
		for c, v := range mean[key] {
			d.SetVec(c, v-centre[key[0]][c])
		}
		s.SymRankOne(s, 1, d)
	}
	for a := range k {
		for b := a; b < k; b++ {
			switch {
			case free == 0 && a == b:
				s.SetSym(a, b, within*within+ridgeVar) // one study a class: nothing shows how studies scatter
			case a == b:
				s.SetSym(a, b, s.At(a, b)/free+ridgeVar)
			case free > 0:
				s.SetSym(a, b, s.At(a, b)/free*(1-shrink))
			}
		}
	}
	var ch mat.Cholesky
	if !ch.Factorize(s) {
		panic("fingerprint: a covariance with a ridge is not positive definite") // shrunk and with a ridge it always is
	}
	m.chol = mat.NewTriDense(k, mat.Lower, nil)
	ch.LTo(m.chol)
	m.white = make([][]float64, len(m.t.refs))
	for i := range m.t.refs {
		if m.keep[i] {
			m.white[i] = m.whitened(m.t.refs[i].x)
		}
	}
}

func (m *model) whitened(x []float64) []float64 {
	y := make([]float64, len(x))
	raw := m.chol.RawTriangular()
	for r := range x {
		v := x[r]
		row := raw.Data[r*raw.Stride:]
		for c := range r {
			v -= row[c] * y[c]
		}
		y[r] = v / row[r]
	}
	return y
}

// plant grows the forest. Every class and study gives each tree up to perGroup of its samples, all together one vote over a
// power of the number of studies, so that large classes do not drown small ones.
func (m *model) plant(trees int, seed uint64) {
	groups := map[[2]int][]int{}
	var order [][2]int
	for n, i := range m.t.from {
		if r := m.t.refs[i]; m.keep[i] {
			key := [2]int{r.class, r.study}
			if groups[key] == nil {
				order = append(order, key)
			}
			groups[key] = append(groups[key], n)
		}
	}
	m.trees = make([]tree, trees)
	numeric.Each(trees, func(n int) {
		r := numeric.NewStream(seed, uint64(n))
		var bag []sample
		for _, key := range order {
			g := groups[key]
			size := min(len(g), perGroup)
			w := math.Pow(m.studies[key[0]], -0.3) / float64(size)
			for range size {
				s := m.t.samples[g[r.IntN(len(g))]]
				s.weight = w
				bag = append(bag, s)
			}
		}
		m.trees[n] = grow(bag, len(m.t.classes), r)
	})
}

// An opinion is what the members say of one mixture: logarithms of the classes' probabilities, and the logarithm of the
// kernel's density, which is low where no reference is near.
type opinion struct {
	log     [members][]float64
	density float64
}

func (m *model) opine(x []float64) opinion {
	var o opinion
	wx := m.whitened(x)
	near, far := make([]float64, len(m.t.refs)), make([]float64, len(m.t.refs))
	for i := range m.t.refs {
		if !m.keep[i] {
			near[i], far[i] = math.Inf(-1), math.Inf(-1)
			continue
		}
		near[i] = m.t.refs[i].log(x)
		d := 0.0
		for c, v := range wx {
			e := v - m.white[i][c]
			d += e * e
		}
		far[i] = -metricPower * math.Log1p(d/metricDF)
	}
	o.log[kernel], o.density = m.classes(near)
	o.log[metric], _ = m.classes(far)
	votes := make([]float64, len(m.t.classes))
	for _, t := range m.trees {
		for c, v := range t.at(x) {
			votes[c] += v / float64(len(m.trees))
		}
	}
	o.log[forest] = m.temper(votes)
	return o
}

// log is the logarithm of the kernel round the reference, without constants.
func (r *reference) log(x []float64) float64 {
	product, sum := 1.0, 0.0
	for k, v := range x {
		d := v - r.x[k]
		if product *= 1 + d*d*r.precise[k]/kernelDF; product > 1e100 {
			sum += math.Log(product)
			product = 1
		}
	}
	return (-(kernelDF+1)/2*(sum+math.Log(product)) - r.scales) / kernelTemper
}

// classes turns logarithms of each reference into those of the classes' probabilities, and gives the logarithm of their sum.
func (m *model) classes(log []float64) (p []float64, density float64) {
	top := math.Inf(-1)
	for _, v := range log {
		top = max(top, v)
	}
	sum := make([]float64, len(m.t.classes))
	total := 0.0
	for i, v := range log {
		if m.keep[i] {
			sum[m.t.refs[i].class] += m.weight[i] * math.Exp(v-top)
		}
	}
	for c := range sum {
		if m.studies[c] > 0 {
			sum[c] /= math.Sqrt(m.studies[c])
			total += sum[c]
		}
	}
	for c := range sum {
		sum[c] /= total
	}
	return m.temper(sum), top + math.Log(total)
}

// temper leaves a rest to every class that has references, and takes the logarithm; -Inf for those that have none.
func (m *model) temper(p []float64) []float64 {
	out := make([]float64, len(p))
	classes, sum := 0.0, 0.0
	for c := range p {
		if m.studies[c] > 0 {
			classes++
			sum += p[c]
		}
	}
	for c := range p {
		out[c] = math.Inf(-1)
		if m.studies[c] > 0 {
			out[c] = math.Log((p[c] + rare) / (sum + rare*classes))
		}
	}
	return out
}
