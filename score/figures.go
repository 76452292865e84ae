package score

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/numeric"
)

// Figures are what campaigns come to, together. One that cannot be given is null.
type Figures struct {
	AUC              number `json:"auc"` // over the candidates; what was missed is told by found_share
	AveragePrecision number `json:"average_precision"`
	PrecisionAt1     number `json:"precision_at_1"`
	PrecisionAt3     number `json:"precision_at_3"`
	PrecisionAt5     number `json:"precision_at_5"`
	PrecisionAt10    number `json:"precision_at_10"`
	PrecisionAt20    number `json:"precision_at_20"`
	// EverAt10 is PrecisionAt10 with the candidates at sites that have closed within the time of the evidence: nobody sees that work has stopped.
	EverAt10         number `json:"precision_at_10_ever"`
	Found            number `json:"found_share"` // of the sites
	CEP50            number `json:"cep50_m"`     // within which half of the finds lie of their sites
	CEP90            number `json:"cep90_m"`
	In50             number `json:"in_p50"` // shares of the sites whose regions were judged
	In90             number `json:"in_p90"`
	In95             number `json:"in_p95"`
	CalibrationError number `json:"calibration_error"` // expected, on the bins of the probability words
	Brier            number `json:"brier"`             // mean over the candidates
	LogScore         number `json:"log_score"`         // mean of -ln of the probability of what is true, over the candidates
	// Sums over the candidates and the sites that have none, by site: an estimator that names nothing has 1, and -ln of the prior.
	BrierPerSite     number `json:"brier_per_site"`
	LogScorePerSite  number `json:"log_score_per_site"`
	AboveHalf        number `json:"above_half"` // candidates a campaign that are called more probable than not
	FalseAboveHalf   number `json:"false_above_half"`
	FalsePer1000Km2  number `json:"false_per_1000_km2"` // of those above a half
	FalsePerHour     number `json:"false_per_flight_hour"`
	HoursToTrue      number `json:"hours_to_true_in_ten"`  // median until the first ten held a true one
	HoursToEight     number `json:"hours_to_eight_of_ten"` // median until eight of them were
	Area50           number `json:"area_50_km2"`           // to be searched, a campaign, until half of all sites were met
	Area90           number `json:"area_90_km2"`
	ExpectedSites    number `json:"expected_sites"` // sum of the candidates' probabilities, a campaign
	sites, campaigns float64
}

// each lists the figures in their order.
func (f *Figures) each() []*number {
	return []*number{&f.AUC, &f.AveragePrecision, &f.PrecisionAt1, &f.PrecisionAt3, &f.PrecisionAt5, &f.PrecisionAt10, &f.PrecisionAt20, &f.EverAt10, &f.Found, &f.CEP50, &f.CEP90, &f.In50, &f.In90, &f.In95,
		&f.CalibrationError, &f.Brier, &f.LogScore, &f.BrierPerSite, &f.LogScorePerSite, &f.AboveHalf, &f.FalseAboveHalf, &f.FalsePer1000Km2, &f.FalsePerHour, &f.HoursToTrue, &f.HoursToEight,
		&f.Area50, &f.Area90, &f.ExpectedSites}
}

// CampaignScore is the score of campaigns together.
type CampaignScore struct {
	Campaigns  int            `json:"campaigns"`
	Sites      int            `json:"sites"`
	Candidates int            `json:"candidates"` // those that count
	True       int            `json:"true_candidates"`
	Figures    Figures        `json:"figures"`
	Low        *Figures       `json:"p05,omitempty"` // 90 % interval, by drawing campaigns anew; without it there are too few
	High       *Figures       `json:"p95,omitempty"`
	In50       Share          `json:"in_p50"`
	In90       Share          `json:"in_p90"`
	In95       Share          `json:"in_p95"`
	Reliable   []Reliability  `json:"reliability"`
	FalseBy    map[string]int `json:"false_above_half_by_kind"` // by the decoy in reach of which they lie
	Precision  [][2]float64   `json:"precision_recall"`         // recall, precision
	ROC        [][2]float64   `json:"roc"`                      // shares of the false and of the true candidates that stand before
	Area       [][2]float64   `json:"area"`                     // km² a campaign, share of the sites met
}

// A RankingScore is what is printed of a ranking: site by site, and as a campaign.
type RankingScore struct {
	SiteScore
	Campaign CampaignScore `json:"campaign"`
}

// Reliability is what came of the candidates of one word.
type Reliability struct {
	Word   string  `json:"word"`
	From   float64 `json:"from"`
	To     float64 `json:"to"`
	Stated number  `json:"stated"` // mean probability
	True   Share   `json:"true"`
}

const half = 0.5

// draws is how many sets of campaigns are drawn for the intervals; fewer than leastCampaigns have none.
const draws, leastCampaigns = 1000, 8

// Campaigns scores campaigns together. Intervals come of drawing as many campaigns with replacement (B. Efron and R. J. Tibshirani, An Introduction to the
// Bootstrap, 1993, section 13.3): candidates of one campaign share its weather and its luck, campaigns do not. The same seed gives the same bytes.
func Campaigns(seed uint64, all ...*Campaign) CampaignScore {
	s := CampaignScore{Campaigns: len(all), FalseBy: map[string]int{}}
	p := together(all)
	once := make([]float64, len(all))
	var inside [len(levels)]int
	judgedBy := 0
	for i, c := range all {
		once[i] = 1
		s.Sites += c.sites
		s.Candidates += len(c.candidates)
		judgedBy += c.judgedBy
		for k := range levels {
			inside[k] += c.inside[k]
		}
		for _, j := range c.candidates {
			if j.finds == 0 && j.p > half {
				s.FalseBy[j.by]++
			}
		}
	}
	s.In50, s.In90, s.In95 = shareOf(inside[0], judgedBy), shareOf(inside[1], judgedBy), shareOf(inside[2], judgedBy)
	for _, e := range p.entries {
		s.True += count(e.finds > 0)
	}
	s.Figures = p.figures(once)
	s.Reliable = p.reliability()
	s.Precision, s.ROC, s.Area = p.curves()
	if len(all) >= leastCampaigns {
		s.Low, s.High = p.bootstrap(seed)
	}
	return s
}

// pooled are campaigns put together, in the orders in which they are summed.
type pooled struct {
	of      []*Campaign
	entries []entry // the likeliest first
	errors  []offset
	ground  []patch // the likeliest first
}

type entry struct {
	judged
	c, word int
}

type offset struct {
	metres float64
	c      int
}

type patch struct {
	ground
	bin, c int
}

func together(all []*Campaign) *pooled {
	p := &pooled{of: all}
	for i, c := range all {
		for _, j := range c.candidates {
			p.entries = append(p.entries, entry{j, i, wordOf(j.p)})
		}
		for _, m := range c.errors {
			p.errors = append(p.errors, offset{m, i})
		}
		for _, bin := range slices.Sorted(maps.Keys(c.ground)) {
			p.ground = append(p.ground, patch{c.ground[bin], bin, i})
		}
	}
	slices.SortStableFunc(p.entries, func(a, b entry) int { return cmp.Compare(b.p, a.p) })
	slices.SortStableFunc(p.errors, func(a, b offset) int { return cmp.Compare(a.metres, b.metres) })
	slices.SortStableFunc(p.ground, func(a, b patch) int { return cmp.Compare(b.bin, a.bin) })
	return p
}

// figures with each campaign taken so many times.
func (p *pooled) figures(times []float64) Figures {
	var f Figures
	for i, c := range p.of {
		f.campaigns += times[i]
		f.sites += times[i] * float64(c.sites)
	}
	p.ordered(times, &f)
	p.probabilities(times, &f)
	p.places(times, &f)
	f.PrecisionAt1, f.PrecisionAt3, f.PrecisionAt5 = p.precision(times, 1), p.precision(times, 3), p.precision(times, 5)
	f.PrecisionAt10, f.PrecisionAt20 = p.precision(times, 10), p.precision(times, 20)
	f.EverAt10 = p.share(times, 10, (*Campaign).hitsEver)
	f.HoursToTrue = p.median(times, func(c *Campaign) float64 { return c.wait })
	f.HoursToEight = p.median(times, func(c *Campaign) float64 { return c.eight })
	f.Area50, f.Area90 = p.searched(times, 0.5, f), p.searched(times, 0.9, f)
	return f
}

// over is a ratio, null where there is nothing to divide by.
func over(a, b float64) number {
	if !(b > 0) {
		return number(nan)
	}
	return number(a / b)
}

// equal calls do for runs of entries of the same probability, which have no order among them.
func (p *pooled) equal(do func(run []entry)) {
	for i := 0; i < len(p.entries); {
		j := i + 1
		for j < len(p.entries) && p.entries[j].p == p.entries[i].p {
			j++
		}
		do(p.entries[i:j])
		i = j
	}
}

// ordered fills what hangs on the order of the candidates alone.
func (p *pooled) ordered(times []float64, f *Figures) {
	var hits, wrong, found, pairs, average float64
	p.equal(func(run []entry) {
		var h, w, s float64
		for _, e := range run {
			t := times[e.c]
			if e.finds > 0 {
				h += t
				s += t * float64(e.finds)
			} else {
				w += t
			}
		}
		pairs += w * (hits + h/2)
		hits, wrong, found = hits+h, wrong+w, found+s
		if s > 0 {
			average += s * hits / (hits + wrong)
		}
	})
	f.AUC, f.AveragePrecision, f.Found = over(pairs, wrong*hits), over(average, f.sites), over(found, f.sites)
}

// surest bounds the log score of a candidate that was called certain and was not.
const surest = 1e-12

// probabilities fills what hangs on what the candidates' probabilities say.
func (p *pooled) probabilities(times []float64, f *Figures) {
	var n, brier, logs, above, wrong, expected, missed, missedLog float64
	var bins [len(site.Words)]struct{ n, stated, true float64 }
	for _, e := range p.entries {
		t, y := times[e.c], float64(count(e.finds > 0))
		n += t
		brier += t * (e.p - y) * (e.p - y)
		logs -= t * math.Log(math.Max(surest, 1-math.Abs(y-e.p)))
		expected += t * e.p
		if e.p > half {
			above += t
			wrong += t * (1 - y)
		}
		b := &bins[e.word]
		b.n, b.stated, b.true = b.n+t, b.stated+t*e.p, b.true+t*y
	}
	var km2, hours, gap float64
	for i, c := range p.of {
		km2, hours = km2+times[i]*c.areaKm2, hours+times[i]*c.hours
		missed += times[i] * float64(c.missed) * (1 - c.prior) * (1 - c.prior)
		missedLog -= times[i] * float64(c.missed) * math.Log(c.prior)
	}
	for _, b := range bins {
		gap += math.Abs(b.stated - b.true)
	}
	f.CalibrationError, f.Brier, f.LogScore = over(gap, n), over(brier, n), over(logs, n)
	f.BrierPerSite, f.LogScorePerSite = over(brier+missed, f.sites), over(logs+missedLog, f.sites)
	f.AboveHalf, f.FalseAboveHalf, f.ExpectedSites = over(above, f.campaigns), over(wrong, f.campaigns), over(expected, f.campaigns)
	f.FalsePer1000Km2, f.FalsePerHour = over(1000*wrong, km2), over(wrong, hours)
}

// wordOf is the index of the word for a probability.
func wordOf(p float64) int {
	code := site.Word(p)
	return slices.IndexFunc(site.Words[:], func(w site.WordRange) bool { return w.Code == code })
}

// places fills where things were found.
func (p *pooled) places(times []float64, f *Figures) {
	var n float64
	for _, e := range p.errors {
		n += times[e.c]
	}
	quantile := func(q float64) number {
		sum := 0.0
		for _, e := range p.errors {
			if sum += times[e.c]; times[e.c] > 0 && sum >= q*n {
				return number(e.metres)
			}
		}
		return number(nan)
	}
	f.CEP50, f.CEP90 = quantile(0.5), quantile(0.9)
	var in [len(levels)]float64
	var of float64
	for i, c := range p.of {
		of += times[i] * float64(c.judgedBy)
		for k := range levels {
			in[k] += times[i] * float64(c.inside[k])
		}
	}
	f.In50, f.In90, f.In95 = over(in[0], of), over(in[1], of), over(in[2], of)
}

// precision is the share of true ones among the first k of each ranking, of those there are.
func (p *pooled) precision(times []float64, k int) number { return p.share(times, k, (*Campaign).hits) }

// share of the first k candidates that are hits.
func (p *pooled) share(times []float64, k int, hitsOf func(*Campaign, int) int) number {
	var hits, of float64
	for i, c := range p.of {
		hits += times[i] * float64(hitsOf(c, k))
		of += times[i] * float64(min(k, len(c.candidates)))
	}
	return over(hits, of)
}

// median over the campaigns of which it is known; null where half of them never came there.
func (p *pooled) median(times []float64, of func(*Campaign) float64) number {
	var n float64
	order := make([]offset, 0, len(p.of))
	for i, c := range p.of {
		if v := of(c); !math.IsNaN(v) {
			order = append(order, offset{v, i})
			n += times[i]
		}
	}
	slices.SortStableFunc(order, func(a, b offset) int { return cmp.Compare(a.metres, b.metres) })
	sum := 0.0
	for _, v := range order {
		if sum += times[v.c]; times[v.c] > 0 && sum >= n/2 {
			return number(v.metres)
		}
	}
	return number(nan)
}

// searched is how much ground a campaign is searched, the likeliest of all campaigns first, until a share of the sites is met. Sites of equal ground are
// met evenly on the way over it.
func (p *pooled) searched(times []float64, share float64, f Figures) number {
	out := number(nan)
	want := share * f.sites
	if !(want > 0) {
		return out
	}
	var km2, met float64
	p.turns(times, func(g ground) bool {
		if met+g.sites >= want-1e-9 && g.sites > 0 {
			out = over(km2+g.km2*math.Min(1, (want-met)/g.sites), f.campaigns)
			return false
		}
		km2, met = km2+g.km2, met+g.sites
		return true
	})
	return out
}

// turns goes over the ground, the likeliest first, until do has enough.
func (p *pooled) turns(times []float64, do func(ground) bool) {
	for i := 0; i < len(p.ground); {
		var g ground
		j := i
		for ; j < len(p.ground) && p.ground[j].bin == p.ground[i].bin; j++ {
			t := times[p.ground[j].c]
			g.km2, g.sites = g.km2+t*p.ground[j].km2, g.sites+t*p.ground[j].sites
		}
		if i = j; !do(g) {
			return
		}
	}
}

func (p *pooled) reliability() []Reliability {
	var out []Reliability
	for k, w := range site.Words {
		n, hits, stated := 0, 0, 0.0
		for _, e := range p.entries {
			if e.word == k {
				n, hits, stated = n+1, hits+count(e.finds > 0), stated+e.p
			}
		}
		out = append(out, Reliability{w.Code, w.From, w.To, over(stated, float64(n)), shareOf(hits, n)})
	}
	return out
}

// mostPoints of a curve are written.
const mostPoints = 200

// curves; one that would divide by nothing is empty.
func (p *pooled) curves() (precision, roc, area [][2]float64) {
	sites, right, wrong, campaigns := 0.0, 0.0, 0.0, float64(len(p.of))
	once := make([]float64, len(p.of))
	for i, c := range p.of {
		sites, once[i] = sites+float64(c.sites), 1
	}
	for _, e := range p.entries {
		right, wrong = right+float64(count(e.finds > 0)), wrong+float64(count(e.finds == 0))
	}
	var h, w, s float64
	p.equal(func(run []entry) {
		for _, e := range run {
			h, w, s = h+float64(count(e.finds > 0)), w+float64(count(e.finds == 0)), s+float64(e.finds)
		}
		if sites > 0 {
			precision = append(precision, [2]float64{s / sites, h / (h + w)})
		}
		if right > 0 && wrong > 0 {
			roc = append(roc, [2]float64{w / wrong, h / right})
		}
	})
	km2, met := 0.0, 0.0
	p.turns(once, func(g ground) bool {
		km2, met = km2+g.km2, met+g.sites
		if sites > 0 {
			area = append(area, [2]float64{km2 / campaigns, met / sites})
		}
		return true
	})
	return thinned(precision), thinned(roc), thinned(area)
}

// thinned leaves out points of a curve that are too many, never its ends.
func thinned(points [][2]float64) [][2]float64 {
	if len(points) <= mostPoints {
		return append([][2]float64{}, points...)
	}
	out := make([][2]float64, mostPoints)
	for k := range out {
		out[k] = points[k*(len(points)-1)/(mostPoints-1)]
	}
	return out
}

// bootstrap draws campaigns anew.
func (p *pooled) bootstrap(seed uint64) (low, high *Figures) {
	all := make([]Figures, draws)
	numeric.Each(draws, func(d int) {
		s := numeric.NewStream(seed, uint64(d))
		times := make([]float64, len(p.of))
		for range p.of {
			times[s.IntN(len(p.of))]++
		}
		all[d] = p.figures(times)
	})
	low, high = &Figures{}, &Figures{}
	for k := range low.each() {
		var v []float64
		for d := range all {
			if x := float64(*all[d].each()[k]); !math.IsNaN(x) && !math.IsInf(x, 0) {
				v = append(v, x)
			}
		}
		*low.each()[k], *high.each()[k] = number(numeric.Quantile(v, 0.05)), number(numeric.Quantile(v, 0.95))
	}
	return low, high
}
