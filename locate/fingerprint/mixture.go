package fingerprint

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/numeric"
)

// A Contribution is what one kind of emitter may give to a mixture.
type Contribution struct {
	Class   string `json:"class"`
	Profile string `json:"profile"` // the profile that stands for the class: of all, the one most like the mixture
	// Share of what all channels saw. An interval that begins at 0 says that the class may as well be absent.
	Share atalaya.Interval `json:"share"`
}

// A Balance is a mixture as a sum of profiles, one a class (chemical mass balance).
type Balance struct {
	Contributions []Contribution `json:"contributions"` // the largest first; those with no share at all are left out
	Explained     float64        `json:"explained"`     // share of what was seen that the sum gives
	// ChiSquare is the misfit in effective standard deviations squared, for each degree of freedom; above about four, the sum
	// is not what was measured (Watson, Cooper, Huntzicker 1984, Atmos. Environ. 18, 1347-1355).
	ChiSquare float64 `json:"chi_square"`
}

const (
	// unstatedError of a profile's share where the study states none: the median of what studies do state is 0.43 of the share
	// (23,034 parts of SPECIATE 5.2).
	unstatedError = 0.43
	// balanceRounds of effective variance; the shares settle to a part in a thousand in fewer than ten.
	balanceRounds = 20
	// balanceDraws for the intervals: enough for the 5th and 95th percentile to within about two percent of rank.
	balanceDraws = 200
)

// balance solves share = Σ f·profile with f ≥ 0 and effective variances, and draws measurement and profiles anew within their
// errors for the intervals.
func (c *Classifier) balance(m mixture) Balance {
	refs := c.representatives(m)
	fit := newBalance(refs, m, c.table.floor)
	f := fit.solve(m.share, fit.column)
	b := Balance{ChiSquare: fit.chiSquare(m.share, f)}
	shares := make([][]float64, len(refs))
	for d := range balanceDraws {
		r := numeric.NewStream(c.seed+3, uint64(d))
		y, column := fit.draw(m, r)
		for j, v := range fit.solve(y, column) {
			shares[j] = append(shares[j], v)
		}
	}
	for j, r := range refs {
		b.Explained += f[j]
		if i := interval(shares[j]); i.P95 > 0.005 { // half a percent: less is the error of the largest
			b.Contributions = append(b.Contributions, Contribution{c.table.classes[r.class], r.profile.ID, i})
		}
	}
	slices.SortStableFunc(b.Contributions, func(x, y Contribution) int { return cmp.Compare(y.Share.P50, x.Share.P50) })
	return b
}

// interval is the mean and percentiles of draws.
func interval(v []float64) atalaya.Interval {
	s := slices.Clone(v)
	slices.Sort(s)
	return atalaya.Interval{Mean: numeric.Mean(v), P05: numeric.SortedQuantile(s, 0.05), P50: numeric.SortedQuantile(s, 0.5), P95: numeric.SortedQuantile(s, 0.95)}
}

// representatives are the profiles nearest the mixture, one of each class.
func (c *Classifier) representatives(m mixture) []reference {
	x := logs(m.share, c.table.floor)
	best := make([]int, len(c.table.classes)-1)
	most := make([]float64, len(best))
	for i := range best {
		best[i], most[i] = -1, math.Inf(-1)
	}
	for i := range c.table.refs {
		r := &c.table.refs[i]
		if r.class == len(best) {
			continue
		}
		if l := r.log(x); l > most[r.class] {
			best[r.class], most[r.class] = i, l
		}
	}
	var out []reference
	for _, i := range best {
		if i >= 0 {
			out = append(out, c.table.refs[i])
		}
	}
	return out
}

type massBalance struct {
	column [][]float64 // of each profile: share by channel
	sigma  [][]float64
	noise  []float64
}

func newBalance(refs []reference, m mixture, floor []float64) *massBalance {
	b := &massBalance{noise: make([]float64, len(m.share))}
	for k, n := range m.noise {
		// The instrument's calibration, and a floor, as a channel without noise does not exist.
		b.noise[k] = math.Sqrt(n*n + math.Pow(calibrationSD*m.share[k], 2) + math.Pow(leastShare, 2))
	}
	for _, r := range refs {
		s := make([]float64, len(r.share))
		for k, v := range r.share {
			s[k] = max(unstatedError*v, v*math.Sqrt(max(0, 1/r.precise[k]-within*within)), floor[k]/2)
		}
		b.column = append(b.column, r.share)
		b.sigma = append(b.sigma, s)
	}
	return b
}

// effective is the standard deviation of what a channel leaves unexplained: its own error and that of the profiles.
func (b *massBalance) effective(f []float64) []float64 {
	out := make([]float64, len(b.noise))
	for k, n := range b.noise {
		v := n * n
		for j := range f {
			v += math.Pow(f[j]*b.sigma[j][k], 2)
		}
		out[k] = math.Sqrt(v)
	}
	return out
}

// solve is weighted NNLS, the weights taken from the last solution until it stands.
func (b *massBalance) solve(y []float64, column [][]float64) []float64 {
	f := make([]float64, len(column))
	if len(column) == 0 || len(y) == 0 {
		return f
	}
	for range balanceRounds {
		sd := b.effective(f)
		a, right := mat.NewDense(len(y), len(column), nil), make([]float64, len(y))
		for k := range y {
			right[k] = y[k] / sd[k]
			for j := range column {
				a.Set(k, j, column[j][k]/sd[k])
			}
		}
		next := NNLS(a, right)
		moved := 0.0
		for j := range f {
			moved = max(moved, math.Abs(next[j]-f[j]))
		}
		if f = next; moved < 1e-4 {
			break
		}
	}
	return f
}

// draw is the measurement and the profiles as they might have been.
func (b *massBalance) draw(m mixture, r *numeric.Stream) (y []float64, column [][]float64) {
	y = make([]float64, len(m.share))
	all := 0.0
	for k, v := range m.share {
		y[k] = max(0, v+b.noise[k]*r.Normal())
		all += y[k]
	}
	for k := range y {
		y[k] /= max(all, leastShare)
	}
	for j, c := range b.column {
		d := make([]float64, len(c))
		total := 0.0
		for k, v := range c {
			if v > 0 {
				rel := math.Min(b.sigma[j][k]/v, 1)
				d[k] = v * math.Exp(rel*r.Normal()-rel*rel/2) // mean v
			}
			total += d[k]
		}
		for k := range d {
			d[k] /= total
		}
		column = append(column, d)
	}
	return y, column
}

func (b *massBalance) chiSquare(y, f []float64) float64 {
	sd := b.effective(f)
	sum, free := 0.0, 0
	for k := range y {
		e := y[k]
		for j := range f {
			e -= f[j] * b.column[j][k]
		}
		sum += e * e / (sd[k] * sd[k])
		free++
	}
	for _, v := range f {
		if v > 0 {
			free--
		}
	}
	return sum / float64(max(free, 1))
}
