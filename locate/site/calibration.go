package site

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/atalaya-isr/atalaya"
)

// CalibrationSchema names the JSON form of a Calibration.
const CalibrationSchema = "atalaya.site-calibration/1"

// A Case is one candidate whose truth is known.
type Case struct {
	LogOdds float64 // of the assessment, before any calibration
	Site    bool    // a working site was there at the time of assessment
	Weight  float64 // how many such cases this one stands for; 0 leaves it out
}

// A Basis says where cases come from.
type Basis struct {
	Scenario  string `json:"scenario"`
	FirstSeed uint64 `json:"first_seed"`
	Seeds     int    `json:"seeds"`
}

// A Calibration turns sums of stated assumptions into probabilities that came true so often where the truth was known. The zero value
// calibrates nothing and has no word for anything.
type Calibration struct {
	Schema  string  `json:"schema"`
	Version string  `json:"version,omitempty"` // of the program that assessed the cases
	From    []Basis `json:"from,omitempty"`
	Cases   float64 `json:"cases"` // with their weights
	Sites   float64 `json:"sites"`
	// Outcomes are those of the cases that came back from the ground, as many as their weights are worth; Unvisited are candidates of which
	// nobody knows, which count nowhere else.
	Outcomes  float64 `json:"outcomes"`
	Unvisited int     `json:"unvisited"`
	Knots     []Knot  `json:"knots"`
}

// A Knot is a block of neighbouring cases, which the regression holds for equally probable.
type Knot struct {
	LogOdds float64 `json:"log_odds"` // the middle one of its cases
	From    float64 `json:"from"`     // the least and the greatest log-odds of its cases
	To      float64 `json:"to"`
	Cases   float64 `json:"cases"`
	Sites   float64 `json:"sites"`
	P05     float64 `json:"p05"` // 90 % interval of the probability at LogOdds
	P95     float64 `json:"p95"`
}

// LeastCases is how many cases a word must stand on, and a knot where there are so many.
const LeastCases = 20

// halfCase that was a site and one that was none stand beside those of every block: Jeffreys' prior of a probability. Without it a block without
// sites would promise that there never is one.
const halfCase = 0.5

// calibrated log-odds of a knot.
func (k Knot) calibrated() float64 {
	return math.Log((k.Sites + halfCase) / (k.Cases - k.Sites + halfCase))
}

// Fit is the isotonic regression of "is a site" on the log-odds, by pooling adjacent violators (M. Ayer and others 1955,
// doi:10.1214/aoms/1177728423; R. E. Barlow and others, Statistical Inference under Order Restrictions, 1972, section 1.2). Blocks of fewer than
// LeastCases are joined to the neighbour that is more like them; each block has Jeffreys' prior, and what that puts out of order is pooled again. The
// answer depends on the cases as a set: a weight of two is the case twice. It panics on log-odds that are not finite and on negative weights.
func Fit(cases []Case) Calibration {
	c := Calibration{Schema: CalibrationSchema}
	groups := grouped(cases)
	for _, g := range groups {
		c.Cases += g.cases
		c.Sites += g.sites
	}
	isotonic := pooled(groups, outOfOrder)
	for _, b := range pooled(notSmall(isotonic), func(a, b pool) bool { return a.prior() >= b.prior() }) {
		c.Knots = append(c.Knots, knotOf(b, groups, isotonic))
	}
	return c
}

// A pool is a run of cases that are held for equally probable.
type pool struct {
	first, last  int     // of the groups
	from, to     float64 // log-odds
	cases, sites float64
}

// outOfOrder reports whether the first, of lower log-odds, has no smaller share of sites.
func outOfOrder(a, b pool) bool { return a.sites*b.cases >= b.sites*a.cases }

func (p pool) mean() float64  { return p.sites / p.cases }
func (p pool) prior() float64 { return (p.sites + halfCase) / (p.cases + 2*halfCase) }

func (p pool) and(q pool) pool {
	return pool{p.first, q.last, p.from, q.to, p.cases + q.cases, p.sites + q.sites}
}

// grouped are the cases of equal log-odds together, ascending.
func grouped(cases []Case) []pool {
	for _, k := range cases {
		if math.IsNaN(k.LogOdds) || math.IsInf(k.LogOdds, 0) || !(k.Weight >= 0) || math.IsInf(k.Weight, 0) {
			panic(fmt.Sprintf("site: a case of log-odds %v and weight %v", k.LogOdds, k.Weight))
		}
	}
	sorted := slices.Clone(cases)
	slices.SortFunc(sorted, func(a, b Case) int { // sums then do not hang on the order in which cases came
		return cmp.Or(cmp.Compare(a.LogOdds, b.LogOdds), cmp.Compare(a.Weight, b.Weight), cmp.Compare(a.sites(), b.sites()))
	})
	var out []pool
	for _, k := range sorted {
		if k.Weight == 0 {
			continue
		}
		if n := len(out); n == 0 || out[n-1].to != k.LogOdds {
			out = append(out, pool{first: n, last: n, from: k.LogOdds, to: k.LogOdds})
		}
		g := &out[len(out)-1]
		g.cases += k.Weight
		g.sites += k.sites()
	}
	return out
}

func (k Case) sites() float64 {
	if k.Site {
		return k.Weight
	}
	return 0
}

// pooled joins neighbours until no two are out of order.
func pooled(in []pool, wrong func(a, b pool) bool) []pool {
	var out []pool
	for _, p := range in {
		for len(out) > 0 && wrong(out[len(out)-1], p) {
			p = out[len(out)-1].and(p)
			out = out[:len(out)-1]
		}
		out = append(out, p)
	}
	return out
}

// notSmall joins the smallest block with the neighbour whose share of sites is nearer, until all have LeastCases or one is left.
func notSmall(in []pool) []pool {
	out := slices.Clone(in)
	for len(out) > 1 {
		i := 0
		for j := range out {
			if out[j].cases < out[i].cases {
				i = j
			}
		}
		if out[i].cases >= LeastCases {
			break
		}
		if i == len(out)-1 || i > 0 && out[i].mean()-out[i-1].mean() <= out[i+1].mean()-out[i].mean() {
			i--
		}
		out[i] = out[i].and(out[i+1])
		out = slices.Delete(out, i+1, i+2)
	}
	return out
}

func knotOf(b pool, groups, isotonic []pool) Knot {
	k := Knot{From: b.from, To: b.to, Cases: b.cases, Sites: b.sites}
	i, below := b.first, groups[b.first].cases
	for ; below < b.cases/2; i++ {
		below += groups[i+1].cases
	}
	k.LogOdds = groups[i].to
	k.P05, k.P95 = intervalAt(groups, isotonic, i, b)
	return k
}

// ratio90 is the value below which twice the log likelihood ratio stays in 90 % of cases, for the value of a monotone function at a point: a law
// without unknowns, and not that of chi-square (M. Banerjee and J. A. Wellner 2001, doi:10.1214/aos/1015345962, their D; the quantile is held to
// simulation by TestLikelihoodRatioOfAPoint).
const ratio90 = 1.6

// intervalAt holds every probability θ at group i of which the cases are not 90 % sure to say no: the likelihood ratio inverted. Counting the cases
// of a block would give too short an interval, since the block was found by the same cases. Where no θ down to 0, or up to 1, is refused, it ends
// where Jeffreys' posterior of the block ends; and so it does at least at the first and the last block, which have neighbours on one side alone, so that the
// law of the ratio does not hold there.
func intervalAt(groups, isotonic []pool, i int, b pool) (p05, p95 float64) {
	ratio, best := ratioAt(groups, isotonic, i)
	end := func(edge float64, otherwise float64) float64 {
		if ratio(edge) <= ratio90 {
			return otherwise
		}
		in, out := best, edge
		for range 60 {
			if mid := (in + out) / 2; ratio(mid) > ratio90 {
				out = mid
			} else {
				in = mid
			}
		}
		return in
	}
	posterior := distuv.Beta{Alpha: b.sites + halfCase, Beta: b.cases - b.sites + halfCase}
	low, high := posterior.Quantile(0.05), posterior.Quantile(0.95)
	p05, p95 = end(0, low), end(1, high)
	if b.first == 0 || b.last == len(groups)-1 {
		p05, p95 = math.Min(p05, low), math.Max(p95, high)
	}
	return round6(math.Min(p05, b.prior())), round6(math.Max(p95, b.prior()))
}

// ratioAt is twice the log likelihood ratio of the isotonic regression over the one that is held at θ at group i, and where it is zero.
func ratioAt(groups, isotonic []pool, i int) (ratio func(theta float64) float64, best float64) {
	left, right := pooled(groups[:i+1], outOfOrder), pooled(groups[i+1:], outOfOrder)
	free := 0.0
	for _, p := range isotonic {
		free += p.likelihood(p.mean())
		if p.first <= i && i <= p.last {
			best = p.mean()
		}
	}
	return func(theta float64) float64 {
		held := 0.0
		for _, p := range left {
			held += p.likelihood(math.Min(p.mean(), theta))
		}
		for _, p := range right {
			held += p.likelihood(math.Max(p.mean(), theta))
		}
		return 2 * (free - held)
	}, best
}

// round6 keeps six significant digits, so that the last bits of another machine's logarithm change no byte.
func round6(p float64) float64 {
	if p == 0 {
		return 0
	}
	scale := math.Pow(10, 6-math.Ceil(math.Log10(math.Abs(p))))
	return math.Round(p*scale) / scale
}

// likelihood is the logarithm of the probability of what came of the cases, if each was a site with probability p.
func (p pool) likelihood(at float64) float64 {
	out := 0.0
	if p.sites > 0 {
		out += p.sites * math.Log(at)
	}
	if none := p.cases - p.sites; none > 0 {
		out += none * math.Log1p(-at)
	}
	return out
}

// Apply gives the calibrated log-odds, a 90 % interval of the probability and how many cases stand behind it: those of the block in which the
// log-odds lie. Between knots everything runs straight in log-odds, so that of two candidates the likelier stays the likelier. Beyond the outermost knots
// the answer goes on rising (or falling), but never beyond that knot's own interval: stronger evidence than was ever put to the test is not surer
// than the test; the interval itself opens. Without knots the log-odds come back as they are, between 0 and 1, on no case.
func (c Calibration) Apply(logOdds float64) (calibrated, p05, p95 float64, n int) {
	if len(c.Knots) == 0 {
		return logOdds, 0, 1, 0
	}
	k := c.Knots
	i, _ := slices.BinarySearchFunc(k, logOdds, func(k Knot, l float64) int { return cmp.Compare(k.LogOdds, l) }) // the first at or beyond it
	switch {
	case i == 0:
		by := k[0].LogOdds - logOdds
		return k[0].beyond(k[0].P05, by), probability(logOddsOf(k[0].P05) - by), k[0].P95, int(k[0].Cases)
	case i == len(k):
		last := k[i-1]
		by := logOdds - last.LogOdds
		return last.beyond(last.P95, by), last.P05, probability(logOddsOf(last.P95) + by), int(last.Cases)
	}
	a, b := k[i-1], k[i]
	t := (logOdds - a.LogOdds) / (b.LogOdds - a.LogOdds)
	mix := func(x, y float64) float64 { // in order to the last bit, which (1-t)·x + t·y is not
		return max(min(x+t*(y-x), max(x, y)), min(x, y))
	}
	n = int(b.Cases)
	if logOdds < (a.To+b.From)/2 {
		n = int(a.Cases)
	}
	return mix(a.calibrated(), b.calibrated()), probability(mix(logOddsOf(a.P05), logOddsOf(b.P05))), probability(mix(logOddsOf(a.P95), logOddsOf(b.P95))), n
}

// beyond goes from a knot towards one end of its interval, which it never reaches.
func (k Knot) beyond(end, by float64) float64 {
	y := k.calibrated()
	return y + (logOddsOf(end)-y)*(1-1/(1+by)) // by/(1+by) falls by a bit where by is huge
}

func logOddsOf(p float64) float64 { return math.Log(p / (1 - p)) }

// ReadCalibration reads the JSON form, and refuses what Fit would not have written.
func ReadCalibration(b []byte) (Calibration, error) {
	var c Calibration
	err := json.Unmarshal(b, &c)
	if err == nil && c.Schema != CalibrationSchema {
		err = fmt.Errorf("the schema is %.60q, not %s", c.Schema, CalibrationSchema)
	}
	for i, k := range c.Knots {
		if err == nil && !(k.proper() && (i == 0 || c.Knots[i-1].To < k.From && c.Knots[i-1].calibrated() < k.calibrated())) {
			err = fmt.Errorf("knot %d is not in order", i)
		}
	}
	if err == nil && len(c.Knots) == 0 {
		err = errors.New("it has no knots")
	}
	if err != nil {
		return Calibration{}, &atalaya.Error{Op: "site.calibration", Kind: atalaya.BadInput, Err: err, Hint: "Fit it again: atalaya bench fusion --fit FILE"}
	}
	return c, nil
}

func (k Knot) proper() bool {
	p := probability(k.calibrated())
	return k.From <= k.LogOdds && k.LogOdds <= k.To && !math.IsInf(k.To-k.From, 0) && k.Cases > 0 && k.Cases <= mostKnotCases && k.Sites >= 0 && k.Sites <= k.Cases &&
		k.P05 > 0 && k.P05 < k.P95 && k.P95 < 1 && k.P05 <= p*(1+1e-5) && p <= k.P95*(1+1e-5) // ends are rounded to six digits
}

// mostKnotCases is more than any campaign gives, and small enough that a half beside it is not lost.
const mostKnotCases = 1e12
