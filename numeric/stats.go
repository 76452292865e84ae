package numeric

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// LogSumExp is ln Σ exp(x), without overflow; -Inf for no terms.
func LogSumExp(x ...float64) float64 {
	m := math.Inf(-1)
	for _, v := range x {
		m = max(m, v)
	}
	if math.IsInf(m, 0) {
		return m
	}
	var s float64
	for _, v := range x {
		s += math.Exp(v - m)
	}
	return m + math.Log(s)
}

// Quantile is the p quantile of x by linear interpolation between order statistics (Hyndman and Fan 1996, type 7,
// doi:10.1080/00031305.1996.10473566). x is left as it is; NaN for no values.
func Quantile(x []float64, p float64) float64 {
	s := slices.Clone(x)
	slices.Sort(s)
	return SortedQuantile(s, p)
}

// SortedQuantile is Quantile of values that are already ascending.
func SortedQuantile(s []float64, p float64) float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	at := p * float64(len(s)-1)
	i := min(int(at), len(s)-1)
	j := min(i+1, len(s)-1)
	return s[i] + (at-float64(i))*(s[j]-s[i])
}

// Median is the middle value.
func Median(x []float64) float64 { return Quantile(x, 0.5) }

// Spread is a robust standard deviation: 1.4826 times the median distance from the median (exact for normal values).
func Spread(x []float64) float64 {
	m := Median(x)
	d := make([]float64, len(x))
	for i, v := range x {
		d[i] = math.Abs(v - m)
	}
	return 1.4826 * Median(d)
}

// Mean is the arithmetic mean, summed in the order given.
func Mean(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += v
	}
	return s / float64(len(x))
}

// StudentT4CDF is the distribution function of Student's t with four degrees of freedom, in closed form:
// F(t) = a²·(3-a)/4 with a = 1 + t/√(4+t²) (from Abramowitz and Stegun 26.7.4 for even degrees of freedom).
func StudentT4CDF(t float64) float64 { return StudentT4Below(t, 1) }

// StudentT4Below is that at d of a law with the square of scale v, to full precision in both tails.
func StudentT4Below(d, v float64) float64 {
	s, far := math.Sqrt(4*v+d*d), math.Abs(d)
	a := 4 * v / (s * (s + far)) // 1 - far/s without the difference of near numbers
	f := a * a * (3 - a) / 4
	if d > 0 {
		return 1 - f
	}
	return f
}

// BinomialInterval is the exact two-sided interval of the success probability after k of n at the level (Clopper and Pearson
// 1934, doi:10.1093/biomet/26.4.404).
func BinomialInterval(k, n int, level float64) (lo, hi float64) {
	tail := (1 - level) / 2
	lo, hi = 0, 1
	if k > 0 {
		lo = mathext.InvRegIncBeta(float64(k), float64(n-k+1), tail)
	}
	if k < n {
		hi = mathext.InvRegIncBeta(float64(k+1), float64(n-k), 1-tail)
	}
	return lo, hi
}

// EffectiveShare is the share of n correlated values that counts as independent, 1/(1+2Σρ), from residuals in the order in
// which neighbours are correlated. The sum runs over Geyer's initial positive sequence of pairs (1992,
// doi:10.1214/ss/1177011137) and stops at a third of the series. series may come in several stretches; lags never cross them.
func EffectiveShare(stretches [][]float64) float64 {
	var n int
	var sum float64
	longest := 0
	for _, s := range stretches {
		longest = max(longest, len(s))
		n += len(s)
		for _, v := range s {
			sum += v
		}
	}
	if n < 8 {
		return 1
	}
	mean := sum / float64(n)
	cov := func(k int) float64 {
		var c float64
		for _, s := range stretches {
			for i := 0; i+k < len(s); i++ {
				c += (s[i] - mean) * (s[i+k] - mean)
			}
		}
		return c / float64(n)
	}
	c0 := cov(0)
	if c0 <= 0 {
		return 1
	}
	tau := -1.0
	for k := 0; k+1 <= max(longest/3, 1); k += 2 {
		pair := (cov(k) + cov(k+1)) / c0
		if pair <= 0 {
			break
		}
		tau += 2 * pair
	}
	return 1 / max(tau, 1)
}
