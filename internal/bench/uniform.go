package bench

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/atalaya-isr/atalaya/numeric"
)

// rankOf says where a truth stands among draws, as a number that is uniform between 0 and 1 if and only if the truth is
// one more draw (Talts et al. 2018, arXiv:1804.06788, theorem 1). The rank alone is uniform on 0..m and would hang on the number of
// draws; a step of chance within it makes surveys of different m comparable, and parts ties fairly (Säilynoja, Bürkner and Vehtari
// 2022, doi:10.1007/s11222-022-10090-6, section 2). NaN where there are no draws.
func rankOf(truth float64, draws []float64, chance *numeric.Stream) float64 {
	if len(draws) == 0 {
		return math.NaN()
	}
	below, ties := 0, 0
	for _, d := range draws {
		switch {
		case d < truth:
			below++
		case d == truth:
			ties++
		}
	}
	return (float64(below) + chance.Float64()*float64(ties+1)) / float64(len(draws)+1)
}

// A Ranks is the test of one parameter's ranks. Shift and Spread say how they fail where they do: Shift is the mean rank less a half,
// over its deviation for uniform ranks, so that beyond ±3 truths lie to one side; Spread is the ranks' deviation over that of uniform ones,
// above 1 for an estimator that is too sure, below 1 for one that is not sure enough.
type Ranks struct {
	Parameter string  `json:"parameter"`
	Surveys   int     `json:"surveys"`
	Bins      int     `json:"bins"`
	ChiSquare float64 `json:"chi_square"`
	ChiP      float64 `json:"chi_square_p"`
	KS        float64 `json:"ks_distance"`
	KSP       float64 `json:"ks_p"`
	Shift     float64 `json:"shift"`
	Spread    float64 `json:"spread"`
}

// leastRanks is how many ranks are needed to test any: four bins of five.
const leastRanks = 20

// uniform tests ranks between 0 and 1. With fewer than leastRanks nothing is tested and both probabilities are 1.
func uniform(parameter string, ranks []float64) Ranks {
	r := Ranks{Parameter: parameter, Surveys: len(ranks), ChiP: 1, KSP: 1}
	n := float64(len(ranks))
	if len(ranks) < leastRanks {
		return r
	}
	// Pearson's law holds for five expected a bin (Cochran 1952, doi:10.1214/aoms/1177729380); more than twenty bins tell no more.
	r.Bins = min(len(ranks)/5, 20)
	counts := make([]float64, r.Bins)
	var square float64
	for _, u := range ranks {
		counts[min(int(u*float64(r.Bins)), r.Bins-1)]++
		square += (u - 0.5) * (u - 0.5) / n
	}
	expected := n / float64(r.Bins)
	for _, c := range counts {
		r.ChiSquare += (c - expected) * (c - expected) / expected
	}
	r.ChiP = distuv.ChiSquared{K: float64(r.Bins - 1)}.Survival(r.ChiSquare)
	s := slices.Sorted(slices.Values(ranks))
	for i, u := range s {
		r.KS = max(r.KS, float64(i+1)/n-u, u-float64(i)/n)
	}
	r.KSP = kolmogorovP(len(s), r.KS)
	r.Shift = (numeric.Mean(ranks) - 0.5) * math.Sqrt(12*n)
	r.Spread = math.Sqrt(12 * square)
	return r
}

// kolmogorovP is the probability that the empirical distribution of n uniform values departs from the true one by d or more anywhere.
// Both ways are exact but for rounding: near the middle the matrix of Marsaglia, Tsang and Wang (2003, doi:10.18637/jss.v008.i18); in the tail,
// where n·d² > 4, twice the one-sided law, for both sides at once have then a probability of the order e^-8nd² < 1e-13 (Simard and L'Ecuyer
// 2011, doi:10.18637/jss.v039.i11, section 3).
func kolmogorovP(n int, d float64) float64 {
	switch {
	case d <= 0.5/float64(n): // no n values lie closer
		return 1
	case d >= 1:
		return 0
	case float64(n)*d*d > 4:
		return min(2*smirnovP(n, d), 1)
	}
	return 1 - kolmogorovCDF(n, d)
}

// smirnovP is the one-sided law, d·Σ C(n,j)·(j/n+d)^(j-1)·(1-j/n-d)^(n-j) over j ≤ n(1-d): all terms are positive (Birnbaum and Tingey
// 1951, doi:10.1214/aoms/1177729550).
func smirnovP(n int, d float64) float64 {
	nf := float64(n)
	all, _ := math.Lgamma(nf + 1)
	var terms []float64
	for j := 0; float64(j) < nf*(1-d); j++ {
		f := float64(j)
		a, _ := math.Lgamma(f + 1)
		b, _ := math.Lgamma(nf - f + 1)
		terms = append(terms, all-a-b+(f-1)*math.Log(f/nf+d)+(nf-f)*math.Log1p(-f/nf-d))
	}
	return d * math.Exp(numeric.LogSumExp(terms...))
}

// kolmogorovCDF is P(D < d): the middle entry of the n-th power of a matrix of side 2k-1, k = ⌊nd⌋+1, times n!/n^n. Powers are scaled to a largest
// entry of 1, and the logarithm of the scale is carried beside them.
func kolmogorovCDF(n int, d float64) float64 {
	nd := float64(n) * d
	k := int(nd) + 1
	m := 2*k - 1
	h := float64(k) - nd
	a := mat.NewDense(m, m, nil)
	for i := range m {
		for j := range m {
			if i-j+1 >= 0 {
				a.Set(i, j, 1)
			}
		}
	}
	for i := range m {
		a.Set(i, 0, a.At(i, 0)-math.Pow(h, float64(i+1)))
		a.Set(m-1, i, a.At(m-1, i)-math.Pow(h, float64(m-i)))
	}
	if 2*h-1 > 0 {
		a.Set(m-1, 0, a.At(m-1, 0)+math.Pow(2*h-1, float64(m)))
	}
	for i := range m {
		for j := range m {
			if g := i - j + 1; g > 0 {
				f, _ := math.Lgamma(float64(g) + 1)
				a.Set(i, j, a.At(i, j)*math.Exp(-f))
			}
		}
	}
	power, ln := mat.NewDense(m, m, nil), 0.0
	for i := range m {
		power.Set(i, i, 1)
	}
	scale := func(x *mat.Dense) (*mat.Dense, float64) {
		top := mat.Max(x)
		x.Scale(1/top, x)
		return x, math.Log(top)
	}
	base, lnBase := a, 0.0
	for e := n; e > 0; e >>= 1 {
		if e&1 == 1 {
			var p mat.Dense
			p.Mul(power, base)
			s, by := scale(&p)
			power, ln = s, ln+lnBase+by
		}
		var sq mat.Dense
		sq.Mul(base, base)
		s, by := scale(&sq)
		base, lnBase = s, 2*lnBase+by
	}
	all, _ := math.Lgamma(float64(n) + 1)
	return min(math.Exp(math.Log(power.At(k-1, k-1))+ln+all-float64(n)*math.Log(float64(n))), 1)
}

// A Reliable is how well stated probabilities agree with what came true: by ten bins of equal width, the mean distance between the
// probability stated and the share that came true, weighted by how many fell in the bin (expected calibration error, Naeini et al. 2015; Guo et al.
// 2017, arXiv:1706.04599). Of few statements it is never 0: IfRight95 is what statements that are exactly right would stay below in 95 % of
// such sets.
type Reliable struct {
	Of        int           `json:"of"`
	Error     float64       `json:"calibration_error"`
	IfRight95 float64       `json:"if_right_p95"`
	Bins      []Reliability `json:"bins"`
}

// Reliability is one bin that holds anything.
type Reliability struct {
	From   float64 `json:"from"`
	To     float64 `json:"to"`
	Stated float64 `json:"stated"` // mean
	True   int     `json:"came_true"`
	Of     int     `json:"of"`
	Low    float64 `json:"low"` // 90 % interval of the share that comes true
	High   float64 `json:"high"`
}

const reliabilityBins = 10

func binOf(p float64) int { return min(int(p*reliabilityBins), reliabilityBins-1) }

// reliable judges probabilities by whether they came true.
func reliable(stated []float64, came []bool) Reliable {
	r := Reliable{Of: len(stated), Bins: []Reliability{}}
	if len(stated) == 0 {
		return r
	}
	r.Error = calibrationError(stated, came)
	chance := numeric.NewStream(1, 1<<50+1)
	again, errs := make([]bool, len(stated)), make([]float64, 1000)
	for k := range errs {
		for i, p := range stated {
			again[i] = chance.Float64() < p
		}
		errs[k] = calibrationError(stated, again)
	}
	r.IfRight95 = numeric.Quantile(errs, 0.95)
	for b := range reliabilityBins {
		x := Reliability{From: float64(b) / reliabilityBins, To: float64(b+1) / reliabilityBins}
		for i, p := range stated {
			if binOf(p) != b {
				continue
			}
			x.Of, x.Stated = x.Of+1, x.Stated+p
			if came[i] {
				x.True++
			}
		}
		if x.Of > 0 {
			x.Stated /= float64(x.Of)
			x.Low, x.High = numeric.BinomialInterval(x.True, x.Of, 0.9)
			r.Bins = append(r.Bins, x)
		}
	}
	return r
}

func calibrationError(stated []float64, came []bool) (e float64) {
	var gap [reliabilityBins]float64
	for i, p := range stated {
		gap[binOf(p)] += p
		if came[i] {
			gap[binOf(p)]--
		}
	}
	for _, g := range gap {
		e += math.Abs(g) / float64(len(stated))
	}
	return e
}
