package fingerprint

import (
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya/numeric"
)

// A reference is a profile as the channels of a panel see it.
type reference struct {
	class   int // index into table.classes
	study   int // index into table.studies
	profile Profile
	share   []float64
	x       []float64 // logarithms above the floors
	precise []float64 // of each channel: one over the squared scale of the kernel
	scales  float64   // sum of the logarithms of the scales
}

// A table is a library as one panel sees it, with simulated measurements of every profile.
type table struct {
	panel   Panel
	floor   []float64
	classes []string // the named ones; last "" for the profiles that are in no class
	studies []string
	kin     [][]bool // two studies share a publication
	refs    []reference
	samples []sample // measurements, drawn from refs[from[i]]
	from    []int
}

// perStudy is how many profiles of one class and study are kept, those that lie farthest apart: a study counts as one
// opinion, and its five-hundredth profile says little that twenty did not.
const perStudy = 20

// draws is how many measurements of each profile are simulated.
const draws = 2

// within is the standard deviation of the logarithm of a share between measurements of one kind of emitter, the scale of
// the kernel round each profile; compared by leaving studies out (decision 0008).
const within = 1.0

// newTable lays the library out for the panel. It reports false where the channels see nothing of any named profile.
func newTable(l *Library, p Panel, seed uint64) (*table, bool) {
	t := &table{panel: p, floor: p.floors(), classes: append(l.Classes(), "")}
	groups := map[[2]int][]reference{}
	var order [][2]int
	study := map[string]int{}
	for _, of := range l.Profiles {
		m, ok := p.sees(of)
		if !ok {
			continue
		}
		s, known := study[of.Study]
		if !known {
			s = len(t.studies)
			study[of.Study] = s
			t.studies = append(t.studies, of.Study)
		}
		c := len(t.classes) - 1
		if of.Class != "" {
			c = slices.Index(t.classes, of.Class)
		}
		key := [2]int{c, s}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], t.reference(of, m, c, s))
	}
	named := false
	for _, key := range order {
		t.refs = append(t.refs, apart(groups[key], perStudy)...)
		named = named || key[0] < len(t.classes)-1
	}
	t.kin = kinship(t.studies)
	t.simulate(seed)
	return t, named
}

func (t *table) reference(of Profile, m mixture, class, study int) reference {
	r := reference{class: class, study: study, profile: of, share: m.share, x: logs(m.share, t.floor), precise: make([]float64, len(m.share))}
	for k, s := range m.noise {
		rel := min(s/(m.share[k]+t.floor[k]), 1) // an error of more than the share itself says that nothing is known: two or three times
		v := within*within + rel*rel
		r.precise[k] = 1 / v
		r.scales += math.Log(v) / 2
	}
	return r
}

// apart keeps n of the references, each the farthest from those already kept (Gonzalez 1985, Theor. Comput. Sci. 38,
// 293-306), beginning with the first; distance is that of the roots of shares, which gives traces little weight.
func apart(refs []reference, n int) []reference {
	if len(refs) <= n {
		return refs
	}
	gap := make([]float64, len(refs))
	for i := range gap {
		gap[i] = math.Inf(1)
	}
	var out []reference
	for next := 0; len(out) < n; {
		out = append(out, refs[next])
		gap[next] = -1
		far := -1
		for i := range refs {
			if gap[i] < 0 {
				continue
			}
			d := 0.0
			for k, q := range refs[i].share {
				e := math.Sqrt(q) - math.Sqrt(refs[next].share[k])
				d += e * e
			}
			if gap[i] = min(gap[i], d); far < 0 || gap[i] > gap[far] {
				far = i
			}
		}
		next = far
	}
	return out
}

// kinship says which studies share a publication: they are left out together.
func kinship(studies []string) [][]bool {
	out := make([][]bool, len(studies))
	for i, a := range studies {
		out[i] = make([]bool, len(studies))
		for j, b := range studies {
			out[i][j] = i == j || cite(a, b)
		}
	}
	return out
}

// simulate draws measurements: an error of calibration for each channel, the noise of the panel, and a channel that does not
// rise three errors out of it reads nothing.
func (t *table) simulate(seed uint64) {
	t.samples = make([]sample, len(t.refs)*draws)
	t.from = make([]int, len(t.samples))
	numeric.Each(len(t.refs), func(i int) {
		r := numeric.NewStream(seed, uint64(i))
		for d := range draws {
			n := i*draws + d
			t.from[n] = i
			t.samples[n] = sample{x: logs(t.panel.measure(t.refs[i].share, r), t.floor), class: t.refs[i].class}
		}
	})
}

// measure is what the panel might read of a mixture.
func (p Panel) measure(share []float64, r *numeric.Stream) []float64 {
	out := make([]float64, len(share))
	total := 0.0
	for k, q := range share {
		v := q*math.Exp(calibrationSD*r.Normal()) + p.Noise[k]*r.Normal()
		if v > plain*p.Noise[k] {
			out[k] = v
			total += v
		}
	}
	if !(total > 0) { // nothing rose: as the strongest channel would have read
		out[slices.Index(share, slices.Max(share))], total = 1, 1
	}
	for k := range out {
		out[k] /= total
	}
	return out
}
