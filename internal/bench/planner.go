package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/plan"
)

// The surveys that the planner is judged on: a square of ground whose sides lie along the mean wind, a source somewhere in it, a drone that begins at the
// downwind corner. Both pilots fly the same first lane; then one goes on as a lawn-mower, the other as it is advised. Truth is made of wandering puffs,
// which share no formula with the estimator.
const (
	groundM      = 600 // side of the square
	laneSpacingM = 100
	droneMPS     = 8
	sampleS      = 2  // a sample is the mean of so many seconds, and of so much way
	droneM       = 15 // height above ground; the planner may go up to highM
	highM        = 40
	goalM        = 50 // radius of the circle as large as the 90 % region at which a survey is done
	turnSeconds  = 5
	settleS      = 400 // before take-off, so that the plume has crossed the ground
)

// PlannerOptions say how much is flown.
type PlannerOptions struct {
	Surveys       int
	FirstSeed     uint64
	BudgetMinutes float64           // in the air, at most; 0 is 15
	Talk          func(line string) // told after each survey; may be nil
}

// A Flown is one survey by one pilot.
type Flown struct {
	Minutes float64 // in the air until the goal was reached, or the budget spent
	Reached bool
	Inside  bool    // the truth lies in the 90 % region, where the goal was reached
	ErrorM  float64 // of the estimate, where the goal was reached
	Legs    int
}

// A Compared is the planner against the lawn-mower over many surveys.
type Compared struct {
	Planner, Mower []Flown
	// Saved is the share of flight minutes that the planner saves: 1 - the ratio of the sums over all surveys, where a survey that never reached the goal
	// counts with its whole budget. MedianRatio is the median over the surveys of the ratio of minutes. Both with 90 % bootstrap intervals.
	Saved, SavedLow, SavedHigh                   float64
	MedianRatio, MedianRatioLow, MedianRatioHigh float64
}

// ComparePlanner flies each survey twice and compares.
func ComparePlanner(ctx context.Context, o PlannerOptions) (*Compared, error) {
	if o.BudgetMinutes <= 0 {
		o.BudgetMinutes = 15
	}
	c := &Compared{}
	for n := range o.Surveys {
		seed := o.FirstSeed + uint64(n)
		m, err := flyAsMower(ctx, newSortie(seed), o.BudgetMinutes)
		if err != nil {
			return nil, fmt.Errorf("survey %d, lawn-mower: %w", seed, err)
		}
		p, err := flyAsAdvised(ctx, newSortie(seed), o.BudgetMinutes)
		if err != nil {
			return nil, fmt.Errorf("survey %d, planner: %w", seed, err)
		}
		c.Mower, c.Planner = append(c.Mower, m), append(c.Planner, p)
		if o.Talk != nil {
			o.Talk(fmt.Sprintf("survey %d: planner %s; lawn-mower %s", seed, p, m))
			if (n+1)%5 == 0 { // what stands so far, should the run be cut off
				c.compare()
				o.Talk(c.String())
			}
		}
	}
	c.compare()
	return c, nil
}

func (f Flown) String() string {
	if !f.Reached {
		return fmt.Sprintf("%.1f min in %d legs, not found", f.Minutes, f.Legs)
	}
	return fmt.Sprintf("%.1f min in %d legs, %.0f m off, inside %v", f.Minutes, f.Legs, f.ErrorM, f.Inside)
}

func (c *Compared) compare() {
	n := len(c.Planner)
	if n == 0 {
		return
	}
	saved := func(pick []int) float64 {
		var p, m float64
		for _, i := range pick {
			p, m = p+c.Planner[i].Minutes, m+c.Mower[i].Minutes
		}
		return 1 - p/m
	}
	ratio := func(pick []int) float64 {
		v := make([]float64, len(pick))
		for k, i := range pick {
			v[k] = c.Planner[i].Minutes / c.Mower[i].Minutes
		}
		return numeric.Median(v)
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	c.Saved, c.MedianRatio = saved(all), ratio(all)
	const draws = 2000
	var s, r []float64
	chance, pick := numeric.NewStream(1, 1<<50), make([]int, n)
	for range draws {
		for i := range pick {
			pick[i] = chance.IntN(n)
		}
		s, r = append(s, saved(pick)), append(r, ratio(pick))
	}
	slices.Sort(s)
	slices.Sort(r)
	c.SavedLow, c.SavedHigh = numeric.SortedQuantile(s, 0.05), numeric.SortedQuantile(s, 0.95)
	c.MedianRatioLow, c.MedianRatioHigh = numeric.SortedQuantile(r, 0.05), numeric.SortedQuantile(r, 0.95)
}

// String is the comparison in a few lines.
func (c *Compared) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d surveys: flight minutes saved %.0f %% (90 %% interval %.0f to %.0f %%), median ratio %.2f (%.2f to %.2f)\n", len(c.Planner),
		100*c.Saved, 100*c.SavedLow, 100*c.SavedHigh, c.MedianRatio, c.MedianRatioLow, c.MedianRatioHigh)
	for _, who := range []struct {
		name string
		f    []Flown
	}{{"planner", c.Planner}, {"lawn-mower", c.Mower}} {
		var minutes, off []float64
		never, inside := 0, 0
		for _, f := range who.f {
			minutes = append(minutes, f.Minutes)
			if !f.Reached {
				never++
				continue
			}
			off = append(off, f.ErrorM)
			if f.Inside {
				inside++
			}
		}
		lo, hi := numeric.BinomialInterval(never, len(who.f), 0.9)
		fmt.Fprintf(&b, "%s: median %.1f min, P(never found) %.2f (%.2f to %.2f), truth inside %d of %d regions, median error %.0f m\n", who.name, numeric.Median(minutes),
			float64(never)/float64(len(who.f)), lo, hi, inside, len(off), numeric.Median(off))
	}
	return strings.TrimSpace(b.String())
}

// A sortie is one flight over one day's ground.
type sortie struct {
	seed       uint64
	air        *numeric.Stream // what the air does
	instrument *numeric.Stream // what the instruments do
	puffs      *dispersion.Puffs
	truth      dispersion.Source
	speed      float64    // mean wind at ten metres, towards the east
	turn, gust float64    // of the wind now, in deviations
	eddy       [2]float64 // at the drone, m/s
	drift      float64    // of the background, in deviations
	misaligned float64    // of the anemometer, radians
	at         [3]float64
	seconds    float64
	survey     source.Survey
	shows      bool // a sample stood out from the noise
	held       []look
	legs       int
}

// Noise and background of the instrument: acetone at 1 ppb and 1.5 ppb, kg/m3.
const noiseKgM3, backgroundKgM3 = 2.4e-9, 3.6e-9

func newSortie(seed uint64) *sortie {
	day := numeric.NewStream(seed, 1<<40)
	s := &sortie{seed: seed, air: numeric.NewStream(seed, 1<<40+1), instrument: numeric.NewStream(seed, 1<<40+2)}
	s.speed = 3 + 3*day.Float64()
	s.truth = dispersion.Source{X: groundM * (day.Float64() - 0.5), Y: groundM * (day.Float64() - 0.5), Z: 1 + 3*day.Float64(), RateKgS: 8e-4 * math.Exp(0.6*day.Normal())}
	s.misaligned = 2 * math.Pi / 180 * day.Normal()
	s.turn, s.gust, s.drift = day.Normal(), day.Normal(), day.Normal()
	sv := 0.15 * s.speed
	s.puffs = dispersion.NewPuffs(dispersion.PuffSettings{Sources: []dispersion.Source{s.truth}, Surface: dispersion.Surface{RoughnessM: 0.1}, SigmaV: sv, SigmaW: 0.7 * sv,
		TimescaleS: 60, Intermittency: 0.3}, s.air)
	s.survey = source.Survey{Compounds: []string{"acetone"}, Surface: dispersion.Surface{RoughnessM: 0.1}}
	for range settleS {
		s.breathe()
	}
	return s
}

// wander is one second of an Ornstein-Uhlenbeck process of unit deviation.
func wander(v, timescale float64, chance *numeric.Stream) float64 {
	k := math.Exp(-1 / timescale)
	return k*v + math.Sqrt(1-k*k)*chance.Normal()
}

// breathe moves the air on by a second; the mean wind turns by 5 degrees and gusts by a tenth, over five minutes.
func (s *sortie) breathe() (u, v float64) {
	s.turn, s.gust = wander(s.turn, 300, s.air), wander(s.gust, 300, s.air)
	sin, cos := math.Sincos(5 * math.Pi / 180 * s.turn)
	speed := s.speed * math.Exp(0.1*s.gust-0.005)
	s.puffs.Step(1, dispersion.Wind{U: speed * cos, V: speed * sin, HeightM: 10})
	return speed * cos, speed * sin
}

// A look is one second of a sample.
type look struct {
	at           [3]float64
	u, v, excess float64
}

// second flies on to a place; every sampleS of them are one sample.
func (s *sortie) second(to [3]float64) {
	u, v := s.breathe()
	s.at = to
	s.seconds++
	k := s.survey.Surface.WindRatio(to[2], 10)
	for i := range s.eddy {
		s.eddy[i] = wander(s.eddy[i], 5, s.instrument)
	}
	s.drift = wander(s.drift, 300, s.instrument)
	s.held = append(s.held, look{to, k*u + 0.4*s.eddy[0], k*v + 0.4*s.eddy[1], s.puffs.At(to[0], to[1], to[2])})
	if len(s.held) == sampleS {
		s.sample()
		s.held = s.held[:0]
	}
}

// sample logs the mean of what was looked at, with what the instruments do to it.
func (s *sortie) sample() {
	n := s.instrument.Normal
	var m look
	for _, h := range s.held {
		for i := range m.at {
			m.at[i] += h.at[i] / sampleS
		}
		m.u, m.v, m.excess = m.u+h.u/sampleS, m.v+h.v/sampleS, m.excess+h.excess/sampleS
	}
	sin, cos := math.Sincos(s.misaligned)
	u, v := m.u*cos-m.v*sin+0.3*n(), m.u*sin+m.v*cos+0.3*n()
	sd := math.Hypot(noiseKgM3, 0.03*m.excess)
	value := backgroundKgM3*(1+0.15*s.drift) + m.excess + sd*n()
	s.shows = s.shows || value > backgroundKgM3+4*noiseKgM3
	s.survey.Samples = append(s.survey.Samples, source.Sample{TimeS: s.seconds, At: [3]float64{m.at[0] + 1.5*n(), m.at[1] + 1.5*n(), m.at[2] + n()},
		Wind: dispersion.Wind{U: u, V: v, HeightM: m.at[2], AveragingS: sampleS}, Values: []source.Value{{Amount: value, SD: sd}}})
}

// fly goes to a leg's beginning, turns, and flies it.
func (s *sortie) fly(l plan.Leg) {
	s.straight([3]float64{l.From[0], l.From[1], l.HeightM})
	for range turnSeconds {
		s.second(s.at)
	}
	s.straight([3]float64{l.To[0], l.To[1], l.HeightM})
	s.legs++
}

func (s *sortie) straight(to [3]float64) {
	from := s.at
	d := math.Sqrt((to[0]-from[0])*(to[0]-from[0]) + (to[1]-from[1])*(to[1]-from[1]) + (to[2]-from[2])*(to[2]-from[2]))
	n := int(math.Ceil(d / droneMPS))
	for i := 1; i <= n; i++ {
		t := float64(i) / float64(n)
		s.second([3]float64{from[0] + t*(to[0]-from[0]), from[1] + t*(to[1]-from[1]), from[2] + t*(to[2]-from[2])})
	}
}

func (s *sortie) input() source.Input {
	return source.Input{Local: true, Groups: []source.Survey{{Compounds: s.survey.Compounds, Surface: s.survey.Surface, Samples: slices.Clone(s.survey.Samples)}}}
}

// judged says whether the goal is reached: one source, whose 90 % region is no larger than a circle of goalM.
func (s *sortie) judged(g *source.Group) (Flown, error) {
	f := Flown{Minutes: s.seconds / 60, Legs: s.legs}
	if len(g.Sources) != 1 {
		return f, nil
	}
	region, area, err := rings(g.Sources[0].Regions.P90)
	if err != nil || area > math.Pi*goalM*goalM {
		return f, err
	}
	f.Reached, f.Inside = true, region.Holds(s.truth.X, s.truth.Y)
	f.ErrorM = math.Hypot(*g.Sources[0].XM-s.truth.X, *g.Sources[0].YM-s.truth.Y)
	return f, nil
}

// rings are those of a GeoJSON MultiPolygon, and its area; holes run the other way around.
func rings(geometry json.RawMessage) (plan.Polygon, float64, error) {
	var m struct{ Coordinates [][][][2]float64 }
	if err := json.Unmarshal(geometry, &m); err != nil {
		return nil, 0, err
	}
	var all plan.Polygon
	var area float64
	for _, polygon := range m.Coordinates {
		for k, ring := range polygon {
			var a float64
			for i := 1; i < len(ring); i++ {
				a += (ring[i-1][0]*ring[i][1] - ring[i][0]*ring[i-1][1]) / 2
			}
			if k == 0 {
				area += math.Abs(a)
			} else {
				area -= math.Abs(a)
			}
			all = append(all, ring)
		}
	}
	return all, area, nil
}

func square(half float64) plan.Polygon {
	return plan.Polygon{{{-half, -half}, {half, -half}, {half, half}, {-half, half}}}
}

// lanes is one pass of the lawn-mower from where the drone is; every other pass lies between the lanes of the one before, and reaches the edges.
func (s *sortie) lanes(pass int) []plan.Leg {
	half := groundM / 2.
	if pass%2 == 1 {
		half += laneSpacingM / 2
	}
	return plan.LawnMower(square(half), s.speed, 0, laneSpacingM, droneM, [2]float64{s.at[0], s.at[1]})
}

// takeOff is at the beginning of the first lane, the downwind one.
func (s *sortie) takeOff() plan.Leg {
	s.at = [3]float64{groundM / 2, -groundM / 2, droneM}
	first := s.lanes(0)[0]
	s.at = [3]float64{first.From[0], first.From[1], droneM}
	return first
}

func flyAsMower(ctx context.Context, s *sortie, budget float64) (Flown, error) {
	s.takeOff()
	for pass := 0; ; pass++ {
		for _, l := range s.lanes(pass) {
			s.fly(l)
			f := Flown{Minutes: s.seconds / 60, Legs: s.legs}
			if s.shows { // where nothing stood out no region is small: the estimator need not be asked
				r, err := source.Locate(ctx, s.input(), source.Options{Seed: s.seed})
				if err != nil {
					return f, err
				}
				if f, err = s.judged(&r.Groups[0]); err != nil || f.Reached {
					return f, err
				}
			}
			if f.Minutes >= budget {
				f.Minutes = budget
				return f, nil
			}
		}
	}
}

func flyAsAdvised(ctx context.Context, s *sortie, budget float64) (Flown, error) {
	s.fly(s.takeOff())
	for {
		in := s.input()
		r, err := source.Locate(ctx, in, source.Options{Seed: s.seed})
		if err != nil {
			return Flown{}, err
		}
		f, err := s.judged(&r.Groups[0])
		if err != nil || f.Reached {
			return f, err
		}
		if f.Minutes >= budget {
			f.Minutes = budget
			return f, nil
		}
		l := plan.Limits{Area: square(groundM / 2), Fence: square(groundM/2 + laneSpacingM), MinHeightM: droneM, MaxHeightM: highM, SpeedMPS: droneMPS, Minutes: 10, Start: s.at}
		advice, err := plan.Next(ctx, in, 0, &r.Groups[0], l, plan.Options{Seed: s.seed, Legs: 1, Draws: 150})
		if err != nil {
			return f, err
		}
		s.fly(advice.Legs[0].Leg())
	}
}
