// Package plan says where to look next: of the legs that could be flown after a gas survey, which would tell most about where the gas comes from for the
// minutes it takes. Its answer is advice for a person; nothing here speaks to an aircraft.
//
// Positions are metres in the survey's local frame, heights metres above ground, angles radians. The method stands in docs/decisions/0009-next-leg.md.
package plan

import (
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/source"
)

// Schema names the JSON form of an Advice.
const Schema = "atalaya.advice/1"

// Options steer a plan. The zero value works.
type Options struct {
	Seed  uint64
	Legs  int // how many to rank; 0 is five
	Draws int // explanations of the survey to plan on; 0 is 300
	// Progress is told how many of how many pieces of work are done.
	Progress func(done, total int)
}

// An Advice ranks legs by how much each is expected to tell for the time it takes; it marshals to the JSON form atalaya.advice/1.
type Advice struct {
	Schema    string `json:"schema"`
	Group     string `json:"group"`
	Compound  string `json:"compound"`
	Situation string `json:"situation"` // "found" or "not found"
	// Radius90M is that of the circle as large as the 90 % region of the source, if there is one.
	Radius90M float64 `json:"radius90_m"`
	// Some is the probability that there is a source at all.
	Some       float64    `json:"probability_source"`
	WindFrom   float64    `json:"wind_from_deg"`
	WindSpeed  float64    `json:"wind_speed_mps"`
	Legs       []Proposal `json:"legs"`
	Baseline   *Proposal  `json:"baseline"` // the best lane of a lawn-mower
	Candidates int        `json:"candidates"`
	Seed       uint64     `json:"seed"`
	Note       Words      `json:"note"`
}

// A Proposal is one leg with what it is expected to tell.
type Proposal struct {
	Rank          int      `json:"rank"`
	Kind          Kind     `json:"kind"`
	Points        []Point  `json:"points"` // in the order of flight
	LengthM       float64  `json:"length_m"`
	TransitMin    float64  `json:"transit_minutes"`
	Minutes       float64  `json:"minutes"` // transit and leg
	Bits          Interval `json:"information_bits"`
	BitsPerMinute float64  `json:"bits_per_minute"`
	Radius90      Radius   `json:"radius90_m"`
	Detect        float64  `json:"probability_detect"`
	Why           Words    `json:"why"`

	leg Leg
}

// Leg is the proposal in local metres.
func (p *Proposal) Leg() Leg { return p.leg }

// A Point is a place of a leg.
type Point struct {
	Lat     *float64 `json:"lat,omitempty"`
	Lon     *float64 `json:"lon,omitempty"`
	XM      *float64 `json:"x_m,omitempty"`
	YM      *float64 `json:"y_m,omitempty"`
	HeightM float64  `json:"height_agl_m"`
}

// An Interval is an expectation with the 90 % interval of its Monte Carlo.
type Interval struct {
	Mean float64 `json:"mean"`
	P05  float64 `json:"p05"`
	P95  float64 `json:"p95"`
}

// Radius is that of the 90 % region before a leg, and after it: its mean over what the leg may tell, and between which bounds it lies in nine of ten cases.
type Radius struct {
	Before float64  `json:"before"`
	After  Interval `json:"after"`
}

// Words are one text in both languages.
type Words struct {
	EN string `json:"en"`
	ES string `json:"es"`
}

// refineTop is how many of the best candidates are looked at again at other heights and a little moved.
const refineTop = 6

// Next ranks legs that could be flown after a survey: in is what the group was located from, number the group's place in it. The same input and seed give
// the same advice on any number of cores. It is Refused where the limits allow no leg.
func Next(ctx context.Context, in source.Input, number int, g *source.Group, l Limits, o Options) (*Advice, error) {
	if o.Legs <= 0 {
		o.Legs = 5
	}
	if o.Draws <= 0 {
		o.Draws = 300
	}
	tick := func(done int) {
		if o.Progress != nil {
			o.Progress(done, 4)
		}
	}
	if err := l.Check(); err != nil {
		return nil, err
	}
	s := in.Groups[number]
	a, err := newAir(s, g)
	if err != nil {
		return nil, err
	}
	area := l.area(s)
	b := newBelief(g, in.Frame, a, area, o.Draws, o.Seed)
	at, w := b.places(nil)
	if len(at) == 0 {
		return nil, atalaya.Declined("plan.next", atalaya.BadUse, atalaya.Say("advice-no-ground"), atalaya.Say("advice-no-ground-remedy"))
	}
	tick(1)
	along, left := a.downwind()
	p := pattern{l, along, left}
	legs := p.candidates(b, area)
	if len(legs) == 0 {
		return nil, atalaya.Declined("plan.next", atalaya.Refused, atalaya.Say("advice-no-leg", "length", strconv.Itoa(minLegM), "minutes", strconv.FormatFloat(l.Minutes, 'g', -1, 64)),
			atalaya.Say("advice-no-leg-remedy"))
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	j := newJudge(a, b, l, o.Seed)
	scores := each(legs, j.score)
	rank(scores)
	tick(2)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var more []Leg
	for _, top := range scores[:min(refineTop, len(scores))] {
		more = append(more, p.around(top.leg)...)
	}
	scores = append(scores, each(more, j.score)...)
	rank(scores)
	tick(3)
	out := &Advice{Schema: Schema, Group: g.Group, Compound: g.GeometryCompound(), Situation: "not found", Candidates: len(scores), Seed: o.Seed,
		WindFrom: geodesy.Wrap360(math.Atan2(-a.wind.U, -a.wind.V) / geodesy.RadPerDegree), WindSpeed: a.wind.Speed(), Legs: []Proposal{}, Note: advisory}
	if b.found {
		out.Situation = "found"
	}
	for _, h := range b.is {
		if len(h.sources) > 0 {
			out.Some += h.w
		}
	}
	out.Radius90M = radius90(at, w)
	for _, sc := range distinct(scores, o.Legs) {
		out.Legs = append(out.Legs, j.proposal(in, sc, len(out.Legs)+1, out.Radius90M, p))
	}
	out.Baseline = j.baseline(in, p, area, out.Radius90M)
	tick(4)
	return out, nil
}

// rank puts the most bits a minute first; equal ones keep the order in which they were made.
func rank(s []score) {
	slices.SortStableFunc(s, func(a, b score) int {
		switch {
		case a.perMinute() > b.perMinute():
			return -1
		case a.perMinute() < b.perMinute():
			return 1
		}
		return 0
	})
}

// distinct are the n best that are not nearly a better one over again.
func distinct(s []score, n int) (out []score) {
	for _, c := range s {
		if len(out) == n {
			break
		}
		if !slices.ContainsFunc(out, func(o score) bool { return alike(o.leg, c.leg) }) {
			out = append(out, c)
		}
	}
	return out
}

// baseline is the best lane of a lawn-mower over the area, scored alike; nil where none is allowed.
func (j *judge) baseline(in source.Input, p pattern, area Polygon, before float64) *Proposal {
	var lanes []Leg
	for _, l := range p.lanes(area, laneM, p.limits.MinHeightM) {
		if l, ok := p.allowed(l); ok {
			lanes = append(lanes, l)
		}
	}
	if len(lanes) == 0 {
		return nil
	}
	s := each(lanes, j.score)
	rank(s)
	out := j.proposal(in, s[0], 0, before, p)
	return &out
}

func (j *judge) proposal(in source.Input, s score, rank int, before float64, p pattern) Proposal {
	// 1.645 deviations either way hold 90 % of a normal mean.
	bits := Interval{s.bits, s.bits - 1.645*s.bitsErr, s.bits + 1.645*s.bitsErr}
	out := Proposal{Rank: rank, Kind: s.leg.Kind, LengthM: s.leg.Length(), TransitMin: s.transit, Minutes: s.transit + s.time, Bits: bits,
		BitsPerMinute: s.perMinute(), Detect: s.detect, leg: s.leg}
	out.Radius90.Before = before
	out.Radius90.After.Mean, out.Radius90.After.P05, out.Radius90.After.P95 = j.after(s.leg)
	for _, q := range [2][2]float64{s.leg.From, s.leg.To} {
		out.Points = append(out.Points, point(in, q, s.leg.HeightM))
	}
	out.Why = j.why(s, p)
	return out
}

func point(in source.Input, q [2]float64, height float64) Point {
	pt := Point{HeightM: height}
	if in.Frame != nil {
		g := in.Frame.GroundFromENU(q[0], q[1])
		pt.Lat, pt.Lon = &g.Lat, &g.Lon
	}
	if in.Frame == nil || in.Local {
		pt.XM, pt.YM = &q[0], &q[1]
	}
	return pt
}
