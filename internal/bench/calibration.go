package bench

import (
	"context"
	"fmt"
	"io"
	"math"
	"strconv"
	"sync"
	"text/tabwriter"

	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/plan"
)

// CalibrationSchema names the JSON form of a Calibration.
const CalibrationSchema = "atalaya.calibration/1"

// CalibrationOptions say how much is simulated. A size of 0 leaves that part out.
type CalibrationOptions struct {
	Surveys    int // with 0 to 5 sources, for ranks, coverage and the count
	Flights    int // past nothing, of each kind of background
	Efficiency int // surveys of each setting in which a bound is known
	Seed       uint64
	Progress   func(what string, done, total int) // may be nil; called by one at a time
}

// A Calibration says whether the estimator means what it says.
type Calibration struct {
	Schema     string           `json:"schema"`
	Seed       uint64           `json:"seed"`
	Surveys    int              `json:"surveys"`
	Ranks      []Ranks          `json:"ranks"`
	Unranked   int              `json:"unranked"` // surveys with a source whose draws hardly ever have so many
	Coverage   []Covered        `json:"coverage"`
	Missed     int              `json:"missed"` // true sources that no source named stands for
	Of         int              `json:"true_sources"`
	Count      CountCalibration `json:"count"`
	Background []Flights        `json:"background"`
	Efficiency []Efficient      `json:"efficiency"`
	Gates      []Gate           `json:"gates"`
}

// Covered is how often something held the truth that should hold it with probability Level.
type Covered struct {
	What   string  `json:"what"`
	Level  float64 `json:"level"`
	Inside int     `json:"inside"`
	Of     int     `json:"of"`
	Low    float64 `json:"low"` // 95 % interval of the share
	High   float64 `json:"high"`
}

func covered(what string, level float64, inside, of int) Covered {
	c := Covered{What: what, Level: level, Inside: inside, Of: of, High: 1}
	if of > 0 {
		c.Low, c.High = numeric.BinomialInterval(inside, of, 0.95)
	}
	return c
}

// CountCalibration judges the probabilities of the number of sources.
type CountCalibration struct {
	Table [][mostSources + 1]int `json:"table"` // by the true number, then the number reported
	// Reported judges the probability of the number reported, by whether it is the true one; EachNumber that of every number.
	Reported   Reliable `json:"reported"`
	EachNumber Reliable `json:"each_number"`
}

// Flights are background-only flights of one kind.
type Flights struct {
	Background string  `json:"background"`
	Flights    int     `json:"flights"`
	False      int     `json:"false_sources"` // flights that were given a source
	Low        float64 `json:"low"`           // 95 % interval of the share
	High       float64 `json:"high"`
	MeanNone   float64 `json:"mean_probability_of_none"`
}

// A Gate is what was asked for beside what was reached.
type Gate struct {
	Name   string  `json:"name"`
	Wanted string  `json:"wanted"`
	Got    float64 `json:"got"`
	Met    bool    `json:"met"`
}

// mostSources is the largest number of sources that the estimator may speak of.
const mostSources = source.MostSources

// belief is what an estimator says of a survey.
type belief struct {
	count [mostSources + 1]float64
	draws []source.Draw
	named []named
}

// named is one source that an estimator reports.
type named struct {
	x, y          float64
	regions       [len(levels)]plan.Polygon
	p05, p50, p95 float64 // of the rate, kg/s
}

var levels = [...]float64{0.5, 0.9, 0.95}

// rankDraws is how many draws ranks are taken among; leastDraws how many of them must have the true number of sources. Which surveys are
// left out hangs on the data alone, so that the ranks of the others stay uniform for an exact posterior.
const rankDraws, leastDraws = 1000, 20

// believe asks the estimator.
func believe(ctx context.Context, in source.Input, seed uint64) (*belief, *source.Group, error) {
	r, err := source.Locate(ctx, in, source.Options{Seed: seed})
	if err != nil {
		return nil, nil, err
	}
	g := &r.Groups[0]
	b := &belief{draws: g.Draws(rankDraws, seed)}
	for k := range b.count {
		b.count[k] = g.Count[strconv.Itoa(k)]
	}
	for _, s := range g.Sources {
		q := s.RateKgS[in.Groups[0].Compounds[0]]
		n := named{p05: q.P05, p50: q.P50, p95: q.P95}
		n.x, n.y = *s.XM, *s.YM
		for i, geometry := range [][]byte{s.Regions.P50, s.Regions.P90, s.Regions.P95} {
			if n.regions[i], _, err = rings(geometry); err != nil {
				return nil, nil, err
			}
		}
		b.named = append(b.named, n)
	}
	if len(b.named) > mostSources {
		return nil, nil, fmt.Errorf("%d sources named, where %d are the most", len(b.named), mostSources)
	}
	return b, g, nil
}

// The parameters whose ranks are tested, in this order: of the strongest source of a survey its place along and across the logged wind and the logarithm of its rate;
// and the number of sources of every survey.
var rankNames = [...]string{"along the wind", "across the wind", "ln rate", "number of sources"}

// A verdict is what one survey says of the estimator.
type verdict struct {
	truth, reported int
	count           [mostSources + 1]float64
	ranks           [len(rankNames)]float64 // NaN where there is none
	inside          [len(levels)]int
	rates, matched  int
}

// judge holds a belief against the truth. chance parts ties; toward is the axis of the ranks.
func judge(truth []dispersion.Source, toward [2]float64, b *belief, chance *numeric.Stream) verdict {
	v := verdict{truth: len(truth), reported: len(b.named), count: b.count}
	for i := range v.ranks {
		v.ranks[i] = math.NaN()
	}
	below := 0.0
	for k := range len(truth) {
		below += b.count[k]
	}
	v.ranks[3] = below + chance.Float64()*b.count[len(truth)]
	if len(truth) > 0 {
		at := features(strongest(truth), toward)
		var drawn [3][]float64
		for _, d := range b.draws {
			if len(d.Sources) != len(truth) {
				continue
			}
			for i, f := range features(strongest(d.Sources), toward) {
				drawn[i] = append(drawn[i], f)
			}
		}
		for i := range drawn {
			if len(drawn[i]) >= leastDraws {
				v.ranks[i] = rankOf(at[i], drawn[i], chance)
			}
		}
	}
	for i, t := range matches(b.named, truth) {
		if t < 0 {
			continue
		}
		n, s := b.named[i], truth[t]
		v.matched++
		for k, r := range n.regions {
			if r.Holds(s.X, s.Y) {
				v.inside[k]++
			}
		}
		if n.p05 <= s.RateKgS && s.RateKgS <= n.p95 {
			v.rates++
		}
	}
	return v
}

// strongest tells sources apart that have no names: in the truth and in every draw alike.
func strongest(s []dispersion.Source) dispersion.Source {
	best := s[0]
	for _, x := range s[1:] {
		if x.RateKgS > best.RateKgS {
			best = x
		}
	}
	return best
}

func features(s dispersion.Source, toward [2]float64) [3]float64 {
	return [3]float64{s.X*toward[0] + s.Y*toward[1], s.Y*toward[0] - s.X*toward[1], math.Log(s.RateKgS)}
}

// matches pairs sources named with true ones, the nearest pair first: for each named one the index of its truth, -1 for one too many.
func matches(n []named, truth []dispersion.Source) []int {
	out, taken := make([]int, len(n)), make([]bool, len(truth))
	for i := range out {
		out[i] = -1
	}
	for {
		bi, bt, best := -1, -1, math.Inf(1)
		for i := range n {
			for t := range truth {
				if d := math.Hypot(n[i].x-truth[t].X, n[i].y-truth[t].Y); out[i] < 0 && !taken[t] && d < best {
					bi, bt, best = i, t, d
				}
			}
		}
		if bi < 0 {
			return out
		}
		out[bi], taken[bt] = bt, true
	}
}

// Calibrate simulates, asks and judges. The same options give the same bytes on any number of cores.
func Calibrate(ctx context.Context, o CalibrationOptions) (*Calibration, error) {
	verdicts, err := many(ctx, o, "surveys", o.Surveys, func(i int) (verdict, error) {
		seed := o.Seed + uint64(i)
		a := newAirborne(seed, background(i%int(backgrounds)), -1)
		b, _, err := believe(ctx, a.in, seed)
		if err != nil {
			return verdict{}, fmt.Errorf("survey of seed %d: %w", seed, err)
		}
		return judge(a.truth, a.toward, b, numeric.NewStream(seed, blockAirborne+3)), nil
	})
	if err != nil {
		return nil, err
	}
	c := summarise(verdicts)
	c.Seed = o.Seed
	if err := c.pastNothing(ctx, o); err != nil {
		return nil, err
	}
	if c.Efficiency, err = efficiency(ctx, o); err != nil {
		return nil, err
	}
	c.gates()
	return c, nil
}

// many does n pieces of work on all cores.
func many[T any](ctx context.Context, o CalibrationOptions, what string, n int, f func(i int) (T, error)) ([]T, error) {
	out, errs := make([]T, n), make([]error, n)
	var mu sync.Mutex
	done := 0
	numeric.Each(n, func(i int) {
		if errs[i] = ctx.Err(); errs[i] != nil {
			return
		}
		out[i], errs[i] = f(i)
		mu.Lock()
		defer mu.Unlock()
		if done++; o.Progress != nil {
			o.Progress(what, done, n)
		}
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// pastNothing flies where there is no source.
func (c *Calibration) pastNothing(ctx context.Context, o CalibrationOptions) error {
	c.Background = []Flights{}
	for kind := range backgrounds {
		if o.Flights == 0 {
			continue
		}
		none, err := many(ctx, o, kind.String()+" background", o.Flights, func(i int) (belief, error) {
			seed := o.Seed + uint64(i)
			b, _, err := believe(ctx, newAirborne(seed, kind, 0).in, seed)
			if err != nil {
				return belief{}, fmt.Errorf("background-only flight of seed %d: %w", seed, err)
			}
			return *b, nil
		})
		if err != nil {
			return err
		}
		c.Background = append(c.Background, flights(kind, none))
	}
	return nil
}

func flights(kind background, b []belief) Flights {
	f := Flights{Background: kind.String(), Flights: len(b), High: 1}
	for _, x := range b {
		if len(x.named) > 0 {
			f.False++
		}
		f.MeanNone += x.count[0] / float64(len(b))
	}
	if len(b) > 0 {
		f.Low, f.High = numeric.BinomialInterval(f.False, len(b), 0.95)
	}
	return f
}

// summarise counts the verdicts.
func summarise(all []verdict) *Calibration {
	c := &Calibration{Schema: CalibrationSchema, Surveys: len(all), Ranks: []Ranks{}, Coverage: []Covered{}}
	var ranks [len(rankNames)][]float64
	var inside [len(levels)]int
	var rates, matched int
	c.Count.Table = make([][mostSources + 1]int, len(beliefs.Count))
	var stated, each []float64
	var came, eachCame []bool
	for _, v := range all {
		for i, u := range v.ranks {
			if !math.IsNaN(u) {
				ranks[i] = append(ranks[i], u)
			}
		}
		if v.truth > 0 && math.IsNaN(v.ranks[0]) {
			c.Unranked++
		}
		for k := range levels {
			inside[k] += v.inside[k]
		}
		rates, matched, c.Of = rates+v.rates, matched+v.matched, c.Of+v.truth
		c.Count.Table[v.truth][v.reported]++
		stated, came = append(stated, v.count[v.reported]), append(came, v.truth == v.reported)
		for k, p := range v.count {
			if k < len(beliefs.Count) || p > 0 { // a number that is never spoken of says nothing
				each, eachCame = append(each, p), append(eachCame, v.truth == k)
			}
		}
	}
	c.Missed = c.Of - matched
	c.Count.Reported, c.Count.EachNumber = reliable(stated, came), reliable(each, eachCame)
	if len(all) == 0 {
		return c
	}
	for i, name := range rankNames {
		c.Ranks = append(c.Ranks, uniform(name, ranks[i]))
	}
	for k, level := range levels {
		c.Coverage = append(c.Coverage, covered("place in its region", level, inside[k], matched))
	}
	c.Coverage = append(c.Coverage, covered("rate in its 5 to 95 % interval", 0.9, rates, matched))
	return c
}

// What is asked for. Eight rank tests of a right estimator fail together at most once in twelve runs.
const (
	gateP           = 0.01
	gateFalse       = 0.01
	gateCount       = 0.05
	gateEfficiency  = 0.7
	gateCountWanted = "< 0.05, or what chance alone makes of so few"
)

func (c *Calibration) gates() {
	c.Gates = []Gate{}
	add := func(name, wanted string, got float64, met bool) {
		c.Gates = append(c.Gates, Gate{name, wanted, got, met})
	}
	for _, r := range c.Ranks {
		if r.Surveys < leastRanks {
			continue
		}
		add("ranks of "+r.Parameter+", chi-square p", "> 0.01", r.ChiP, r.ChiP > gateP)
		add("ranks of "+r.Parameter+", Kolmogorov-Smirnov p", "> 0.01", r.KSP, r.KSP > gateP)
	}
	for _, v := range c.Coverage {
		if v.Of > 0 {
			add(fmt.Sprintf("%s, %.0f %%", v.What, 100*v.Level), fmt.Sprintf("%g within the 95 %% interval of the share", v.Level), float64(v.Inside)/float64(v.Of), v.Low <= v.Level && v.Level <= v.High)
		}
	}
	if r := c.Count.Reported; r.Of > 0 {
		add("calibration error of the number of sources", gateCountWanted, r.Error, r.Error < max(gateCount, r.IfRight95))
	}
	for _, f := range c.Background {
		share := float64(f.False) / float64(f.Flights)
		add("false sources, "+f.Background+" background", "<= 0.01", share, share <= gateFalse)
	}
	for _, e := range c.Efficiency {
		if e.Setting != settingWandering { // where no leg wanders an estimator that allows for it must lose
			continue
		}
		add(fmt.Sprintf("efficiency, %s, %s", e.Setting, e.Parameter), ">= 0.7", e.Ratio, e.Ratio >= gateEfficiency)
	}
}

// Missing are the gates that were not met.
func (c *Calibration) Missing() (out []Gate) {
	for _, g := range c.Gates {
		if !g.Met {
			out = append(out, g)
		}
	}
	return out
}

// Print writes the tables for eyes.
func (c *Calibration) Print(to io.Writer) error {
	w := tabwriter.NewWriter(to, 0, 4, 2, ' ', 0)
	if c.Surveys > 0 {
		fmt.Fprintf(w, "%d surveys from seed %d; %d true sources, %d missed; %d surveys with a source hold it for too improbable to rank it\n\n", c.Surveys, c.Seed, c.Of, c.Missed, c.Unranked)
		fmt.Fprintln(w, "RANKS OF\tSURVEYS\tCHI-SQUARE (BINS)\tp\tKS\tp\tSHIFT\tSPREAD")
		for _, r := range c.Ranks {
			fmt.Fprintf(w, "%s\t%d\t%.1f (%d)\t%.2g\t%.3f\t%.2g\t%+.1f\t%.2f\n", r.Parameter, r.Surveys, r.ChiSquare, r.Bins, r.ChiP, r.KS, r.KSP, r.Shift, r.Spread)
		}
		fmt.Fprintln(w, "\nHOLDS THE TRUTH\tNOMINAL\tINSIDE\tSHARE\t95 % INTERVAL")
		for _, v := range c.Coverage {
			fmt.Fprintf(w, "%s\t%.0f %%\t%d of %d\t%.0f %%\t%.0f to %.0f %%\n", v.What, 100*v.Level, v.Inside, v.Of, 100*float64(v.Inside)/float64(max(v.Of, 1)), 100*v.Low, 100*v.High)
		}
		fmt.Fprintln(w, "\nTRUE NUMBER\tREPORTED 0\t1\t2\tMORE")
		for k, row := range c.Count.Table {
			fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\n", k, row[0], row[1], row[2], row[3]+row[4]+row[5])
		}
		fmt.Fprintf(w, "\nSTATED\tMEAN\tCAME TRUE\t90 %% INTERVAL\n")
		for _, b := range c.Count.Reported.Bins {
			fmt.Fprintf(w, "%.1f to %.1f\t%.2f\t%d of %d\t%.2f to %.2f\n", b.From, b.To, b.Stated, b.True, b.Of, b.Low, b.High)
		}
		fmt.Fprintf(w, "calibration error of the number reported: %.3f (right statements stay below %.3f); of every number: %.3f (%.3f)\n\n",
			c.Count.Reported.Error, c.Count.Reported.IfRight95, c.Count.EachNumber.Error, c.Count.EachNumber.IfRight95)
	}
	if len(c.Background) > 0 {
		fmt.Fprintln(w, "PAST NOTHING\tFLIGHTS\tFALSE SOURCES\t95 % INTERVAL\tMEAN P(NONE)")
		for _, f := range c.Background {
			fmt.Fprintf(w, "%s\t%d\t%d\t%.1f to %.1f %%\t%.3f\n", f.Background, f.Flights, f.False, 100*f.Low, 100*f.High, f.MeanNone)
		}
		fmt.Fprintln(w)
	}
	if len(c.Efficiency) > 0 {
		fmt.Fprintln(w, "EFFICIENCY\tPARAMETER\tFOUND\tBOUND\tERROR\tRATIO OF SQUARES\t90 % INTERVAL")
		for _, e := range c.Efficiency {
			fmt.Fprintf(w, "%s\t%s\t%d of %d\t%.3g\t%.3g\t%.2f\t%.2f to %.2f\n", e.Setting, e.Parameter, e.Found, e.Of, e.Bound, e.Error, e.Ratio, e.Low, e.High)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "GATE\tWANTED\tGOT\t")
	for _, g := range c.Gates {
		said := "met"
		if !g.Met {
			said = "NOT MET"
		}
		fmt.Fprintf(w, "%s\t%s\t%.3g\t%s\n", g.Name, g.Wanted, g.Got, said)
	}
	return w.Flush()
}
