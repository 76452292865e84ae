package outcome

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mathext"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/sense/delimited"
)

// A Lead is a place that was handed over, as far as precision asks.
type Lead struct {
	Found  atalaya.Finding // of its visit; "" where nothing came back
	Chance float64         // recorded before: with which it would be visited, 0 to 1; NaN where nobody recorded one
}

// visited reports whether somebody was there, and whether what was told was there: an abandoned place had been one. A place that was unsafe to enter was not seen.
func (l Lead) visited() (there, right bool) {
	switch l.Found {
	case atalaya.Confirmed, atalaya.Abandoned:
		return true, true
	case atalaya.Empty:
		return true, false
	}
	return false, false
}

// A Precision is the share of leads that were right.
type Precision struct {
	Leads   int    `json:"leads"`
	Visited int    `json:"visited"`
	Right   int    `json:"right"`
	Among   *Share `json:"among_visited"` // nil where none was visited
	All     *Share `json:"among_all"`     // nil where nothing can be said of all, then Why
	Why     string `json:"why,omitempty"`
}

// Share is an estimate with its 95 % interval.
type Share struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// leastChance is a chance below which a lead could as well never be visited.
const leastChance = 0.001

// PrecisionOf estimates the precision of leads. Among those visited it is a share with Jeffreys' interval (Brown, Cai and DasGupta 2001,
// doi:10.1214/ss/1009213286): it says nothing of the others, which were chosen to be left. Among all leads it needs the chance with which each would be visited,
// recorded before. Leads of like chances (within a factor of two) are a stratum, in which visits are as good as by lot. The log-odds of being right of strata lie about
// a line in the log-odds of the chance, whose height and slope and the scatter about it are integrated out; so strata of which few were visited borrow from
// their neighbours, and no more than the visits bear out (model-assisted post-stratification: Gelman and Little 1997, Survey Methodology 23, 127-135). What is
// estimated is the share of right ones among these very leads. The same leads give the same bytes. A lead that could never be visited has no stratum, and
// nothing is said of all.
func PrecisionOf(leads []Lead) Precision {
	p := Precision{Leads: len(leads)}
	strata := map[int]*stratum{}
	for i, l := range leads {
		if !(l.Chance >= leastChance && l.Chance <= 1) {
			if p.Why == "" {
				p.Why = fmt.Sprintf("lead %d of %d could not be visited, by the chances recorded, or has none: of all leads nothing can be said", i+1, len(leads))
			}
			l.Chance = 1
		}
		k := int(math.Floor(-math.Log2(l.Chance)))
		if strata[k] == nil {
			strata[k] = &stratum{}
		}
		there, hit := l.visited()
		strata[k].add(there, hit)
		if there {
			p.Visited++
		}
		if hit {
			p.Right++
		}
	}
	if p.Visited == 0 {
		p.Why = "no lead was visited"
		return p
	}
	p.Among = &Share{Value: float64(p.Right) / float64(p.Visited)}
	p.Among.Low, p.Among.High = jeffreys(p.Right, p.Visited)
	if p.Why == "" {
		p.All = together(strata, len(leads))
	}
	return p
}

// ReadLeads reads a table of leads: columns lead, found (a finding, empty where nothing came back), and of choice chance. It is refused whole.
func ReadLeads(r io.Reader, file string) ([]Lead, error) {
	d := delimited.NewReader(r, file, "outcome.leads")
	if err := d.ReadHeader(); err != nil {
		return nil, err
	}
	found, chance := slices.Index(d.Header, "found"), slices.Index(d.Header, "chance")
	if found < 0 {
		return nil, d.Fail(d.Line, "found", "Name the columns lead, found and chance", "the column is missing")
	}
	var out []Lead
	for {
		f, err := d.Row()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		l := Lead{Found: atalaya.Finding(strings.TrimSpace(f[found])), Chance: math.NaN()}
		if l.Found != "" && !slices.Contains(atalaya.Findings[:], l.Found) {
			return nil, d.Fail(d.Line, "found", "Use "+findings()+", or nothing", "%.30q is no finding", l.Found)
		}
		if chance >= 0 && strings.TrimSpace(f[chance]) != "" {
			if l.Chance, err = strconv.ParseFloat(strings.TrimSpace(f[chance]), 64); err != nil || !(l.Chance >= 0 && l.Chance <= 1) {
				return nil, d.Fail(d.Line, "chance", "Write the chance of a visit as it was recorded before, from 0 to 1", "%.30q is no chance", f[chance])
			}
		}
		if out = append(out, l); len(out) > MaxEntries {
			return nil, d.Fail(d.Line, "", "Split the file by years", "more than %d leads", MaxEntries)
		}
	}
}

// stratum is how many leads of like chances there are, were visited, and were right.
type stratum struct{ all, visited, right int }

func (s *stratum) add(there, hit bool) {
	s.all++
	if there {
		s.visited++
	}
	if hit {
		s.right++
	}
}

// The nodes on which the line and the scatter about it are integrated out, and the standard normal law by nine (Gauss-Hermite, Abramowitz and Stegun table 25.10,
// scaled by √2).
var (
	scatters = []float64{0.25, 0.5, 1, 2}
	hermite  = [9][2]float64{{-4.512745863399783, 2.2345844007746e-05}, {-3.205429002856470, 0.002789141321231}, {-2.076847978677830, 0.049916406765218}, {-1.023255663789133, 0.244097502894939},
		{0, 0.406349206349206}, {1.023255663789133, 0.244097502894939}, {2.076847978677830, 0.049916406765218}, {3.205429002856470, 0.002789141321231}, {4.512745863399783, 2.2345844007746e-05}}
)

const (
	throws            = 4000 // draws of the share of all leads: its ends are then known to a quarter of a percent of rank
	lines             = 31   // nodes of height and of slope, to three deviations of their priors
	heightSD, slopeSD = 2.0, 1.0
)

// together is the share of all leads that are right, of the strata in their order.
func together(strata map[int]*stratum, all int) *Share {
	keys := slices.Sorted(maps.Keys(strata))
	x := make([]float64, len(keys)) // log-odds of the chance, about their middle
	middle := 0.0
	for i, k := range keys {
		c := math.Exp2(-float64(k) - 0.5)
		x[i] = math.Log(c / (1 - c))
		middle += x[i] * float64(strata[k].all) / float64(all)
	}
	for i := range x {
		x[i] -= middle
	}
	type node struct{ height, slope, scatter float64 }
	var nodes []node
	var ln []float64
	for a := range lines {
		for b := range lines {
			za, zb := 6*(float64(a)/(lines-1)-0.5), 6*(float64(b)/(lines-1)-0.5)
			for _, sd := range scatters {
				n := node{za * heightSD, zb * slopeSD, sd}
				sum := -0.5 * (za*za + zb*zb)
				for i, k := range keys {
					if strata[k].visited > 0 {
						w := strata[k].weights(n.height+n.slope*x[i], sd)
						sum += math.Log(w[len(w)-1])
					}
				}
				nodes, ln = append(nodes, n), append(ln, sum)
			}
		}
	}
	top := numeric.LogSumExp(ln...)
	acc, sums, chance := 0.0, make([]float64, 0, throws), numeric.NewStream(1, uint64(all))
	for i, n := range nodes { // as many draws from each node as its probability has: systematic, so that only the rest is by chance
		for acc += math.Exp(ln[i]-top) * throws; acc >= 1 || i == len(nodes)-1 && len(sums) < throws; acc-- {
			right := 0.0
			for j, k := range keys {
				right += strata[k].draw(n.height+n.slope*x[j], n.scatter, chance)
			}
			sums = append(sums, right/float64(all))
		}
	}
	slices.Sort(sums)
	mean := 0.0
	for _, v := range sums {
		mean += v / float64(len(sums))
	}
	return &Share{mean, numeric.Quantile(sums, 0.025), numeric.Quantile(sums, 0.975)}
}

// weights are those of the nodes of the scatter, running sums of probability by what visits found, for log-odds about a middle.
func (s *stratum) weights(middle, scatter float64) (w [9]float64) {
	sum := 0.0
	for i, h := range hermite {
		p := 1 / (1 + math.Exp(-middle-scatter*h[0]))
		sum += h[1] * math.Pow(p, float64(s.right)) * math.Pow(1-p, float64(s.visited-s.right))
		w[i] = sum
	}
	return w
}

// draw is how many of the stratum are right, given those that were found so.
func (s *stratum) draw(middle, scatter float64, chance *numeric.Stream) float64 {
	left := s.all - s.visited
	if left == 0 {
		return float64(s.right)
	}
	w := s.weights(middle, scatter)
	i, u := 0, chance.Float64()*w[8]
	for i < 8 && w[i] < u {
		i++
	}
	return float64(s.right) + binomial(chance, left, 1/(1+math.Exp(-middle-scatter*hermite[i][0])))
}

// binomial draws how many of n come true.
func binomial(chance *numeric.Stream, n int, p float64) float64 {
	if v := float64(n) * p * (1 - p); v > 100 { // near enough to normal: its skewness is below a tenth
		return min(max(math.Round(float64(n)*p+math.Sqrt(v)*chance.Normal()), 0), float64(n))
	}
	k := 0
	for range n {
		if chance.Float64() < p {
			k++
		}
	}
	return float64(k)
}

// jeffreys is the 95 % interval of a share by its prior; at the ends it begins or ends there.
func jeffreys(right, of int) (low, high float64) {
	a, b := float64(right)+0.5, float64(of-right)+0.5
	low, high = 0, 1
	if right > 0 {
		low = mathext.InvRegIncBeta(a, b, 0.025)
	}
	if right < of {
		high = mathext.InvRegIncBeta(a, b, 0.975)
	}
	return low, high
}
