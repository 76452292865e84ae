package source

import (
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/locate/dispersion"
)

// What a survey itself says against what it was handed. None of these changes the answer: each is a note beside it.
const (
	// reversedLn is from where on a survey counts as better explained with its wind turned about: odds of 20 to 1, "strong" (Kass and Raftery
	// 1995, doi:10.1080/01621459.1995.10476572: 2 ln K > 6).
	reversedLn = 3.0
	// turnedShare is of the samples inside the plume: fewer than one in twenty steer no fit whose errors have heavy tails.
	turnedShare = 0.05
	// belowShare is from where on a survey is nearly silent. Legs that begin and end in clean air leave seven or eight in ten below the limit anyway.
	belowShare = 0.85
)

// doubt adds to a group's notes what its samples themselves raise against it.
func (g *Group) doubt(ctx context.Context) error {
	p := g.post
	p.doubtWind(g)
	p.doubtValues(g)
	if len(g.Sources) == 0 {
		return nil // the limit of what was missed leans on the wind too, but nothing here could tell it from its opposite
	}
	ln, err := p.reversed(ctx, len(g.Sources), g.Seed)
	if err != nil {
		return err
	}
	if ln > reversedLn {
		g.note(atalaya.Say("survey-wind-reversed", "odds", odds(ln)))
	}
	return nil
}

// odds are e^ln to one as they are to be read: no evidence of a model's own is good for more than a million.
func odds(ln float64) string {
	if ln > math.Log(1e6) {
		return "more than 1000000"
	}
	return strconv.FormatFloat(math.Exp(ln), 'g', 2, 64)
}

// reversed is ln of how much better the survey is explained with every wind turned by half a turn, by as many sources as were found or by one, than
// as it was given. Both worlds have the same samples, temper, search and priors, and ground of the same kind to lie on.
//
// What tells them apart is the physics alone: a plume is narrow and strong near its source, and wide and weak far from it, so that legs at two
// distances have an order. Turned about, the order is wrong. A crossing's own width is free within 0.3, its strength within
// 0.5 of their logarithms (overSecond). Two legs whose distances are as one to two differ in ln width by about 0.9·ln 2 with the wind as it is, and by as
// much the other way if it is turned about; the best that a turned source can do is to stand so far off that both legs are equal to it. What is
// left over is ½(0.62/(0.3·√2))² = 1.1 from widths, and ½(1.2/(0.5·√2))² = 1.5 from strengths: two legs hardly reach 3, three
// or more distances do. Beside that stands a leg on the upwind side, which the turned plume would cross.
//
// Two sources at most are tried, and no second one where one is hopelessly worse with the wind turned about; what is behind by the curvature of its summits is not drawn.
func (p *posterior) reversed(ctx context.Context, found int, seed uint64) (float64, error) {
	given := math.Inf(-1)
	for _, c := range p.clouds {
		given = max(given, c.standing)
	}
	sc, err := prepare(p.sc.survey.turnedAbout())
	if err != nil {
		return 0, err
	}
	sc.apart = p.sc.apart
	d := newDomain(sc)
	if len(d.cells) == 0 {
		return math.Inf(-1), nil
	}
	gr := newGrid(sc)
	all := gr.refine(&d, nil)
	d.weigh(gr)
	var one *search
	best := math.Inf(-1)
	for k := 1; k <= min(found, 2); k++ {
		hyp, n := singles(all), oneStarts/2
		if k == 2 {
			hyp, n = gr.pairs(&d, all), twoStarts/2
		}
		starts := sc.starts(spread(hyp, d.apart, n))
		if len(starts) == 0 {
			break
		}
		a := &search{sc: sc, d: &d, summits: sc.tops(starts, p.lambda, p.top), k: k, lambda: p.lambda, seed: seed, one: one, rival: max(given, best), hidden: math.Inf(-1)}
		if k == 1 {
			one = a
		}
		if a.promise()+hopeless < given {
			best = max(best, a.promise())
			if c := p.clouds[1]; a.promise()+hopeless < c.standing {
				break
			}
			continue
		}
		c, err := a.run(ctx)
		if err != nil {
			return 0, err
		}
		best = max(best, c.standing)
	}
	return best - given, nil
}

// turnedAbout is the survey with every wind turned by half a turn.
func (g Survey) turnedAbout() Survey {
	g.Samples = slices.Clone(g.Samples)
	for i := range g.Samples {
		w := &g.Samples[i].Wind
		w.U, w.V = -w.U, -w.V
	}
	return g
}

// doubtWind says where the wind was not one that a steady plume stands for.
func (p *posterior) doubtWind(g *Group) {
	sc := p.sc
	speed := 0.0
	for i := range sc.s {
		speed += sc.s[i].Wind.Speed() / float64(len(sc.s))
	}
	if speed < dispersion.WeakWind && !sc.calm { // below 1 m/s it was said already
		g.note(atalaya.Say("survey-weak-wind", "speed", strconv.FormatFloat(speed, 'f', 1, 64)))
	}
	if t := p.turning(); t.inside > 0 && t.share() > turnedShare {
		g.note(atalaya.Say("survey-turning", "turn", whole(t.most*180/math.Pi), "travel", whole(t.travel), "share", whole(100*t.share())))
	}
}

func whole(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) }

// turns is by how much the wind turned while the gas was on its way to the samples inside the plume.
type turns struct {
	inside, turned int     // samples inside the plume of which it can be told, and of these the ones that it turned for
	most, travel   float64 // largest turn, radians, and the time that that gas took, seconds
}

func (t turns) share() float64 { return float64(t.turned) / float64(max(t.inside, 1)) }

// turning compares, for each sample that rose three deviations of the noise above its background, the wind then with the wind when that gas set out;
// both are means over windWindowS as the plumes have them. What was measured decides what lay inside the plume, not what was explained: an explanation
// that the turn led astray would hide the turn. Where winds come farther apart than the gas takes nothing can be told.
func (p *posterior) turning() (t turns) {
	sc := p.sc
	if p.best.sources() == 0 {
		return t
	}
	for i := range sc.s {
		if o := &sc.obs[i]; o.Below || !(o.Amount-p.base.under[i] > 3*math.Hypot(sc.noise, known(o.SD))) {
			continue
		}
		travel := p.travelS(i)
		from := i
		for from > 0 && sc.sensor[from-1] == sc.sensor[i] && sc.s[from].TimeS > sc.s[i].TimeS-travel {
			from--
		}
		if age := sc.s[i].TimeS - sc.s[from].TimeS; age < travel || age > 2*travel {
			continue
		}
		t.inside++
		a, b := sc.s[from].Wind, sc.s[i].Wind
		turn := math.Abs(math.Atan2(a.U*b.V-a.V*b.U, a.U*b.U+a.V*b.V))
		if turn > dispersion.TurnLimitRad {
			t.turned++
		}
		if turn > t.most {
			t.most, t.travel = turn, travel
		}
	}
	return t
}

// travelS is how long the gas of the nearest source was on its way to sample i, at the speed of the wind there.
func (p *posterior) travelS(i int) float64 {
	s := &p.sc.s[i]
	x, y := s.At[0], s.At[1]
	if s.IsPath {
		x, y = (x+s.To[0])/2, (y+s.To[1])/2
	}
	near := math.Inf(1)
	for k := range p.best.sources() {
		q := p.best.source(k)
		near = min(near, math.Hypot(x-q[iX], y-q[iY]))
	}
	return near / s.Wind.Speed()
}

// doubtValues says where most of a survey is silence.
func (p *posterior) doubtValues(g *Group) {
	below, n := 0, 0
	for _, o := range p.sc.obs {
		if o.Amount == o.Amount {
			n++
			if o.Below {
				below++
			}
		}
	}
	if float64(below) > belowShare*float64(n) {
		g.note(atalaya.Say("survey-mostly-below", "below", strconv.Itoa(below), "n", strconv.Itoa(n), "share", whole(100*float64(below)/float64(n)),
			"compound", g.GeometryCompound(), "rest", strconv.Itoa(n-below)))
	}
}
