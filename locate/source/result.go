package source

import (
	"math"
	"slices"
	"strconv"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/numeric"
)

// Schema names the JSON form of a Result.
const Schema = "atalaya.sources/1"

// Result is what Locate found; it marshals to the JSON form atalaya.sources/1.
type Result struct {
	Schema   string   `json:"schema"`
	Groups   []Group  `json:"groups"`
	ElapsedS *float64 `json:"elapsed_s,omitempty"`
}

// Group is the answer for one group of samples. LogRatio and Density look into its posterior; they are not part of the JSON.
type Group struct {
	Group              string             `json:"group"`
	Count              map[string]float64 `json:"count"` // probability of so many sources
	Sources            []Source           `json:"sources"`
	UpperLimit         *UpperLimit        `json:"upper_limit"`
	Dispersion         Dispersion         `json:"dispersion"`
	DominantAssumption string             `json:"dominant_assumption"`
	// Assumptions are all that the answer leans on, the first the dominant one; none where no source was found.
	Assumptions []Assumption `json:"assumptions,omitempty"`
	Samples     int          `json:"samples"`
	Seed        uint64       `json:"seed"`
	// Notes are warnings in English, Said the same by their codes, one for one.
	Notes []string           `json:"notes,omitempty"`
	Said  []atalaya.Sentence `json:"said,omitempty"`

	post *posterior
}

// Assumption is one thing that an answer leans on, with the share of the variance of the places, and of ln rate, that a linear regression
// on it explains. Assumptions are correlated after a survey, so that their shares need not add up to one. The last one, "samples", is what
// no assumption explains: too few samples, too far off, with too much noise.
type Assumption struct {
	Name    string  `json:"assumption"`
	OfPlace float64 `json:"of_place"`
	OfRate  float64 `json:"of_rate"` // of the compound that the geometry was solved on
}

// Source is one source with all that is uncertain about it.
type Source struct {
	Lat          *float64                    `json:"lat,omitempty"`
	Lon          *float64                    `json:"lon,omitempty"`
	XM           *float64                    `json:"x_m,omitempty"`
	YM           *float64                    `json:"y_m,omitempty"`
	HeightM      Quantiles                   `json:"height_m"`
	CovarianceM2 [2][2]float64               `json:"covariance_m2"` // east, north
	Regions      atalaya.Regions             `json:"regions"`
	RateKgS      map[string]atalaya.Interval `json:"rate_kg_s"`
	// RatePosterior is how the draws lie of which RateKgS has the quantiles.
	RatePosterior map[string]RateBins `json:"rate_posterior,omitempty"`
}

// RateBins are the draws of a rate, counted in equal steps of its logarithm between their 1st and 99th percentile.
type RateBins struct {
	LnFrom float64 `json:"ln_from"` // of kg/s, where the first step begins
	LnStep float64 `json:"ln_step"`
	Counts []int   `json:"counts"` // rateSteps of them
	Below  int     `json:"below"`  // under the first step; those of no rate at all are among them
	Above  int     `json:"above"`
}

// Quantiles are the 5th, 50th and 95th percentile.
type Quantiles struct {
	P05 float64 `json:"p05"`
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
}

// Dispersion says how the plume was taken to spread, after the survey had its say.
type Dispersion struct {
	Method           string    `json:"method"`
	PasquillClass    float64   `json:"pasquill_class"` // A=0 … F=5
	SigmaYFactor     Quantiles `json:"sigma_y_factor"`
	SigmaZFactor     Quantiles `json:"sigma_z_factor"`
	WindBiasDeg      Quantiles `json:"wind_bias_deg"`
	Fluctuation      Quantiles `json:"fluctuation"`
	SourceSizeM      Quantiles `json:"source_size_m"`    // spread of the plume where it begins
	LagS             Quantiles `json:"lag_s"`            // by how much moving sensors answer late
	DriftPerMinute   Quantiles `json:"drift_per_minute"` // of the background, kg/m3 in the first minute
	EffectiveSamples float64   `json:"effective_samples"`
}

// UpperLimit is what could not have been missed, by place: the rate that a source there stays below with this confidence.
type UpperLimit struct {
	Confidence float64      `json:"confidence"`
	Compound   string       `json:"compound"`
	CellM      float64      `json:"cell_m"`
	Points     []LimitPoint `json:"points"`
}

// LimitPoint is the limit at one place. Places that the survey says nothing about are left out.
type LimitPoint struct {
	Lat     *float64 `json:"lat,omitempty"`
	Lon     *float64 `json:"lon,omitempty"`
	XM      *float64 `json:"x_m,omitempty"`
	YM      *float64 `json:"y_m,omitempty"`
	RateKgS float64  `json:"rate_kg_s"`
}

// posterior is what later questions are answered from.
type posterior struct {
	sc        *scene
	d         *domain
	lambda    float64
	clouds    []cloud
	count     []float64 // probability of 0, 1, 2 sources
	top       float64   // ln of the density at the highest summit of the number that was found
	found     int       // the most probable number of sources that lie on a summit
	hideouts  []hideout // of one more
	best      theta     // the best explanation with the number that was found
	held                // what it was completed from
	positions [][]theta // of each source found, as draws of [x, y]
	base      residuals // of best
	rest      []rest    // of each sample under best
}

func (sc *scene) report(in Input, d *domain, searches []*search, clouds []cloud, lambda float64, seed uint64) *Group {
	p := &posterior{sc: sc, d: d, lambda: lambda}
	p.clouds, p.found, p.hideouts = conceal(searches, clouds)
	p.count = countProbability(p.clouds)
	k := p.found
	p.top = searches[k].summits[0].ln
	p.best, p.held = clouds[k].best, clouds[k].held
	p.settle()
	g := &Group{Group: sc.survey.Group, Count: map[string]float64{}, Sources: []Source{}, Samples: sc.samples, Seed: seed, post: p}
	for i := range lnPriorCount {
		g.Count[strconv.Itoa(i)] = 0
		if i < len(p.count) {
			g.Count[strconv.Itoa(i)] = p.count[i]
		}
	}
	sc.notes(g)
	compound := sc.survey.Compounds[sc.primary]
	if k == 0 {
		g.Dispersion = sc.dispersionOf(nil, lambda)
		g.DominantAssumption = "background"
		g.UpperLimit = p.upperLimit(in, compound)
		return g
	}
	c := clouds[k]
	draws := discrepant(align(c.draws, c.best))
	s := numeric.NewStream(seed, 1<<62)
	rates := sc.rates(draws, p.held, lambda, s)
	for j := range k {
		g.Sources = append(g.Sources, p.source(in, draws, j, rates))
	}
	slices.SortStableFunc(g.Sources, func(a, b Source) int {
		return int(sign(b.RateKgS[compound].P50 - a.RateKgS[compound].P50))
	})
	g.Dispersion = sc.dispersionOf(draws, lambda)
	g.Assumptions = leanings(draws, k)
	g.DominantAssumption = g.Assumptions[0].Name
	return g
}

func (sc *scene) notes(g *Group) {
	if sc.skipped > 0 {
		g.note(atalaya.Say("survey-skipped", "n", strconv.Itoa(sc.skipped)))
	}
	if sc.calm {
		g.note(atalaya.Say("survey-calm"))
	}
}

// note adds a warning, in English and by its code.
func (g *Group) note(s atalaya.Sentence) {
	g.Notes, g.Said = append(g.Notes, s.English()), append(g.Said, s)
}

func countProbability(clouds []cloud) []float64 {
	ln := make([]float64, len(clouds))
	for i, c := range clouds {
		ln[i] = c.standing
	}
	total := numeric.LogSumExp(ln...)
	for i := range ln {
		ln[i] = math.Exp(ln[i] - total)
	}
	return ln
}

// discrepancy is by how much farther true places lie from the middle of a posterior than it says: no plume that can be written down is
// the one that was flown through, and a posterior knows of no model but its own (Kennedy and O'Hagan 2001,
// doi:10.1111/1467-9868.00294). It was measured on simulated flights through wandering puffs, whose model shares no formula with
// this one (TestCoverageOfFlights under ATALAYA_SOAK measures it again; docs/decisions/0003-gas-locate.md), never on surveys with a known truth.
// Places and rates bear the same.
const discrepancy = 1.8

// discrepant spreads the places of draws about their mean and ln rates about their median.
func discrepant(draws []theta) []theta {
	out := make([]theta, len(draws))
	for i := range draws {
		out[i] = slices.Clone(draws[i])
	}
	column := make([]float64, len(draws))
	for k := range draws[0].sources() {
		spread := func(o int, by float64, middle func([]float64) float64) {
			j := k*perSource + o
			for i, t := range draws {
				column[i] = t[j]
			}
			m := middle(column)
			for _, t := range out {
				t[j] = m + by*(t[j]-m)
			}
		}
		spread(iX, discrepancy, numeric.Mean)
		spread(iY, discrepancy, numeric.Mean)
		spread(iLnQ, discrepancy, numeric.Median)
	}
	return out
}

// align orders the sources of each draw as in the best one, so that averages mix no two sources.
func align(draws []theta, best theta) []theta {
	if best.sources() < 2 {
		return draws
	}
	out := make([]theta, len(draws))
	for i, t := range draws {
		out[i] = ordered(t, best)
	}
	return out
}

// ordered puts the sources of an explanation in the order in which they lie nearest those of another.
func ordered(t, as theta) theta {
	out := slices.Clone(t)
	for k, of := range order(t, as) {
		copy(out.source(k), t.source(of))
	}
	return out
}

// order is which source of an explanation stands for each of another with as many: of all ways the one with the least sum of squared distances.
func order(t, as theta) []int {
	k := t.sources()
	best, least := []int(nil), math.Inf(1)
	for _, way := range ways(k) {
		sum := 0.0
		for j, of := range way {
			p, q := t.source(of), as.source(j)
			sum += (p[iX]-q[iX])*(p[iX]-q[iX]) + (p[iY]-q[iY])*(p[iY]-q[iY])
		}
		if sum < least || best == nil {
			best, least = way, sum
		}
	}
	return best
}

// inOrder reports whether each source of an explanation stands for the same one of another.
func inOrder(t, as theta) bool { return slices.IsSorted(order(t, as)) }

// ways are the orders of k things, the sorted one first.
var ways = func() func(k int) [][]int {
	all := [][][]int{{{}}}
	for k := 1; k <= MostSources; k++ {
		var of [][]int
		for at := k - 1; at >= 0; at-- { // the last thing in every place of every order of the others
			for _, w := range all[k-1] {
				of = append(of, slices.Insert(slices.Clone(w), at, k-1))
			}
		}
		all = append(all, of)
	}
	return func(k int) [][]int { return all[k] }
}()

func (p *posterior) source(in Input, draws []theta, j int, rates map[string][][]float64) Source {
	xy := make([]theta, len(draws))
	var h []float64
	var mean [2]float64
	for i, t := range draws {
		s := t.source(j)
		xy[i] = theta{s[iX], s[iY]}
		h = append(h, math.Exp(s[iLnH]))
		mean[0] += s[iX] / float64(len(draws))
		mean[1] += s[iY] / float64(len(draws))
	}
	p.positions = append(p.positions, xy)
	src := Source{HeightM: quantiles(h), RateKgS: map[string]atalaya.Interval{}, RatePosterior: map[string]RateBins{}}
	for _, t := range xy {
		dx, dy, n := t[0]-mean[0], t[1]-mean[1], float64(len(xy))
		src.CovarianceM2[0][0] += dx * dx / n
		src.CovarianceM2[0][1] += dx * dy / n
		src.CovarianceM2[1][1] += dy * dy / n
	}
	src.CovarianceM2[1][0] = src.CovarianceM2[0][1]
	f := newField(xy)
	if f.at(mean[0], mean[1]) < f.level(0.5) {
		mean = f.peak() // bent or split regions: their middle may lie outside all of them
	}
	src.Lat, src.Lon, src.XM, src.YM = place(in, mean[0], mean[1])
	src.Regions = atalaya.Regions{P50: f.region(in, 0.5), P90: f.region(in, 0.9), P95: f.region(in, 0.95)}
	for name, r := range rates {
		src.RateKgS[name], src.RatePosterior[name] = interval(r[j]), rateBins(r[j])
	}
	return src
}

// place gives a position in the forms that the survey can give it.
func place(in Input, x, y float64) (lat, lon, xm, ym *float64) {
	if in.Frame != nil {
		g := in.Frame.GroundFromENU(x, y)
		lat, lon = &g.Lat, &g.Lon
	}
	if in.Frame == nil || in.Local {
		xm, ym = &x, &y
	}
	return lat, lon, xm, ym
}

func quantiles(v []float64) Quantiles {
	s := slices.Clone(v)
	slices.Sort(s)
	return Quantiles{numeric.SortedQuantile(s, 0.05), numeric.SortedQuantile(s, 0.5), numeric.SortedQuantile(s, 0.95)}
}

func interval(v []float64) atalaya.Interval {
	q := quantiles(v)
	return atalaya.Interval{Mean: numeric.Mean(v), P05: q.P05, P50: q.P50, P95: q.P95}
}

// rateSteps is into how many steps the draws of a rate are counted. Further compounds have two hundred draws: ten a step, so that a
// column stands within about a third of what it would with endless draws.
const rateSteps = 20

// rateBins counts draws of a rate. The tails are counted without being resolved: a compound that is hardly seen has draws near zero,
// whose logarithms would leave nothing but one column of the rest.
func rateBins(v []float64) RateBins {
	b := RateBins{Counts: make([]int, rateSteps)}
	var ln []float64
	for _, q := range v {
		if q > 0 {
			ln = append(ln, math.Log(q))
		}
	}
	b.Below = len(v) - len(ln)
	if len(ln) == 0 {
		return b
	}
	slices.Sort(ln)
	const narrowest = 1e-6 // where all draws are one and the same
	b.LnFrom = numeric.SortedQuantile(ln, 0.01)
	b.LnStep = max((numeric.SortedQuantile(ln, 0.99)-b.LnFrom)/rateSteps, narrowest)
	for _, q := range ln {
		switch k := math.Floor((q - b.LnFrom) / b.LnStep); {
		case k < 0:
			b.Below++
		case k >= rateSteps:
			b.Above++
		default:
			b.Counts[int(k)]++
		}
	}
	return b
}

func (sc *scene) dispersionOf(draws []theta, lambda float64) Dispersion {
	d := Dispersion{Method: "Briggs rural, between classes", PasquillClass: sc.survey.Surface.PasquillClass(), EffectiveSamples: sc.apart * lambda * float64(len(sc.s))}
	switch w := sc.s[0].Wind; {
	case sc.logged:
		d.Method = "turbulence of the wind log across, Briggs rural up"
	case w.SigmaTheta > 0 && w.SigmaPhi > 0:
		d.Method = "measured turbulence"
	case w.SigmaTheta > 0:
		d.Method = "measured turbulence across, Briggs rural up"
	}
	pick := func(f func(theta) float64) Quantiles {
		v := make([]float64, 0, len(draws))
		for _, t := range draws {
			v = append(v, f(t.shared()))
		}
		if len(v) == 0 {
			return quantiles([]float64{f(sc.centre())})
		}
		return quantiles(v)
	}
	d.SigmaYFactor = pick(func(s theta) float64 { return math.Exp(s[jAy]) })
	d.SigmaZFactor = pick(func(s theta) float64 { return math.Exp(s[jAz]) })
	d.WindBiasDeg = pick(func(s theta) float64 { return s[jBias] / geodesy.RadPerDegree })
	d.SourceSizeM = pick(func(s theta) float64 { return dispersion.SourceHalfWidthM * math.Exp(s[jSize]) })
	d.LagS = pick(func(s theta) float64 { return s[jLag] })
	d.DriftPerMinute = pick(func(s theta) float64 { return math.Exp(s[jDrift]) * math.Sqrt(60) })
	d.Fluctuation = pick(func(s theta) float64 { return math.Exp(s[jFlu]) })
	return d
}

// assumptions names what each parameter stands for; positions lean on them.
var assumptions = []struct {
	name string
	of   func(t theta, k int) []float64
}{
	{"wind direction", func(t theta, _ int) []float64 { return []float64{t.shared()[jBias]} }},
	{"dispersion", func(t theta, _ int) []float64 { return t.shared()[jAy : jSize+1] }},
	{"source height", func(t theta, k int) []float64 { return []float64{t.source(k)[iLnH]} }},
	{"sensor lag", func(t theta, _ int) []float64 { return []float64{t.shared()[jLag]} }},
	{"background", func(t theta, _ int) []float64 { return t.shared()[jTau : jDrift+1] }},
	{"model error", func(t theta, _ int) []float64 { return t.shared()[jSig : jFlu+1] }},
}

// leanings says what share of the variance of the positions, and of ln rate, a linear regression on each assumption explains; the
// first is the one without which the positions would be surest.
func leanings(draws []theta, k int) []Assumption {
	var out []Assumption
	var best, total Assumption
	for _, a := range assumptions {
		var l Assumption
		l, total = explained(draws, k, a.of)
		l.Name = a.name
		out = append(out, l)
		best = Assumption{"", max(best.OfPlace, l.OfPlace), max(best.OfRate, l.OfRate)}
	}
	joint, _ := explained(draws, k, allThatVary(draws, k))
	speed := float64(k) * windSpeed * windSpeed // scales every rate, whatever else was drawn (rates)
	total.OfRate += speed
	// Together they explain no less than the best of them, which also holds where they cannot be told apart and no joint fit exists.
	left := Assumption{"samples", total.OfPlace - max(joint.OfPlace, best.OfPlace), total.OfRate - speed - max(joint.OfRate, best.OfRate)}
	out = append(out, Assumption{Name: "wind speed", OfRate: speed})
	slices.SortStableFunc(out, func(a, b Assumption) int { return int(sign(b.OfPlace - a.OfPlace)) })
	out = append(out, left)
	for i := range out {
		out[i].OfPlace, out[i].OfRate = part(out[i].OfPlace, total.OfPlace), part(out[i].OfRate, total.OfRate)
	}
	return out
}

func part(v, of float64) float64 {
	if !(of > 0) {
		return 0
	}
	return min(max(v/of, 0), 1)
}

// explained are the variances, summed over the sources, that a regression on x explains, and the whole.
func explained(draws []theta, k int, x func(t theta, j int) []float64) (of, total Assumption) {
	for j := range k {
		add := func(o int, of, total *float64) {
			e, v := explainedVariance(draws, func(t theta) float64 { return t.source(j)[o] }, func(t theta) []float64 { return x(t, j) })
			*of, *total = *of+e, *total+v
		}
		add(iX, &of.OfPlace, &total.OfPlace)
		add(iY, &of.OfPlace, &total.OfPlace)
		add(iLnQ, &of.OfRate, &total.OfRate)
	}
	return of, total
}

// allThatVary gives every number of every assumption, without those that are the same in all draws and would make a regression singular.
func allThatVary(draws []theta, k int) func(t theta, j int) []float64 {
	all := func(t theta, j int) (x []float64) {
		for _, a := range assumptions {
			x = append(x, a.of(t, j)...)
		}
		return x
	}
	varies := make([][]bool, k)
	for j := range k {
		first := all(draws[0], j)
		varies[j] = make([]bool, len(first))
		for _, t := range draws {
			for c, v := range all(t, j) {
				varies[j][c] = varies[j][c] || v != first[c]
			}
		}
	}
	return func(t theta, j int) (x []float64) {
		for c, v := range all(t, j) {
			if varies[j][c] {
				x = append(x, v)
			}
		}
		return x
	}
}
