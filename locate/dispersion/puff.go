package dispersion

import (
	"math"

	"github.com/atalaya-isr/atalaya/numeric"
)

// PuffSettings says how the air of a simulated release moves.
type PuffSettings struct {
	Sources []Source
	Surface Surface
	// EveryS is the time between puffs, seconds; 0 is 1 s.
	EveryS float64
	// SigmaV and SigmaW are the standard deviations of the wind across and up, m/s, and TimescaleS their Lagrangian timescale.
	SigmaV, SigmaW, TimescaleS float64
	// MeanderShare is the share of the crosswind variance in eddies larger than the plume, which move puffs rather than spread
	// them; 0 is 0.5.
	MeanderShare float64
	// Intermittency is the standard deviation of the logarithm of a puff's load (mean kept at 1); neighbours share it.
	Intermittency float64
	// KeepS is the age at which a puff is given up, seconds: the ground that is looked at lies behind it by then. 0 is two hours.
	KeepS float64
}

// Puffs is a Lagrangian puff model with meander and fluctuation: every puff drifts with the wind of the moment and with eddies of
// its own, and spreads by Taylor's law. It shares no formula with Plume's spreads, so that truth made by it is no mirror of the
// estimator. It is not safe for concurrent use.
type Puffs struct {
	set    PuffSettings
	chance *numeric.Stream
	puffs  []puff
	eddyV  float64 // the large eddies' speeds now, m/s, east-north and up are scaled from them
	eddyU  float64
	load   float64 // logarithm of the load of what is being released
	nowS   float64
	nextS  float64
}

type puff struct {
	x, y, z, age, mass float64
	v, u               float64 // eddy speeds that this puff still remembers
	sh, sz             float64
}

// NewPuffs starts with clean air at time 0.
func NewPuffs(set PuffSettings, chance *numeric.Stream) *Puffs {
	if set.EveryS <= 0 {
		set.EveryS = 1
	}
	if set.MeanderShare <= 0 {
		set.MeanderShare = 0.5
	}
	if set.TimescaleS <= 0 {
		set.TimescaleS = 60
	}
	if set.KeepS <= 0 {
		set.KeepS = 7200
	}
	return &Puffs{set: set, chance: chance}
}

// Step moves the field on by dtS seconds in this wind. Steps of one to a few seconds are meant.
func (p *Puffs) Step(dtS float64, w Wind) {
	s := &p.set
	tl := s.TimescaleS
	big := s.SigmaV * math.Sqrt(s.MeanderShare)
	small := s.SigmaV * math.Sqrt(1-s.MeanderShare)
	// Ornstein-Uhlenbeck steps (exact for any dt): the source's eddies live five timescales, the load two.
	k := math.Exp(-dtS / (5 * tl))
	q := math.Sqrt(1 - k*k)
	p.eddyV = k*p.eddyV + q*big*p.chance.Normal()
	p.eddyU = k*p.eddyU + q*big*p.chance.Normal()
	kl := math.Exp(-dtS / (2 * tl))
	p.load = kl*p.load + math.Sqrt(1-kl*kl)*s.Intermittency*p.chance.Normal()
	p.nowS += dtS
	for p.nextS <= p.nowS {
		p.release(s.EveryS)
		p.nextS += s.EveryS
	}
	speed := w.Speed()
	dir := [2]float64{1, 0}
	if speed > 0 {
		dir = [2]float64{w.U / speed, w.V / speed}
	}
	alive := p.puffs[:0]
	for _, f := range p.puffs {
		u := speed * s.Surface.WindRatio(math.Sqrt(f.z*f.z+0.637*f.sz*f.sz), refHeight(w))
		f.x += dtS * ((u+f.u)*dir[0] - f.v*dir[1])
		f.y += dtS * ((u+f.u)*dir[1] + f.v*dir[0])
		f.age += dtS
		f.sh = taylor(small, f.age, tl)
		f.sz = taylor(s.SigmaW, f.age, tl/3)
		if s.Surface.MixingHeightM > 0 {
			f.sz = min(f.sz, 0.8*s.Surface.MixingHeightM)
		}
		if f.age < s.KeepS {
			alive = append(alive, f)
		}
	}
	p.puffs = alive
}

func (p *Puffs) release(span float64) {
	for _, s := range p.set.Sources {
		load := math.Exp(p.load - 0.5*p.set.Intermittency*p.set.Intermittency)
		p.puffs = append(p.puffs, puff{x: s.X, y: s.Y, z: s.Z, mass: s.RateKgS * span * load, v: p.eddyV, u: p.eddyU})
	}
}

// taylor is the spread after time t of particles with velocity spread s and timescale tl, with exponential correlation (Taylor
// 1921, doi:10.1112/plms/s2-20.1.196): σ² = 2 s² tl² (t/tl - 1 + exp(-t/tl)), plus the source's half-width.
func taylor(s, t, tl float64) float64 {
	r := t / tl
	return math.Sqrt(2*s*s*tl*tl*(r+math.Expm1(-r)) + SourceHalfWidthM*SourceHalfWidthM)
}

// At is the concentration now at a place, kg/m3. Puffs more than six spreads away are passed over.
func (p *Puffs) At(x, y, z float64) float64 {
	var c float64
	norm := math.Pow(2*math.Pi, -1.5)
	for i := range p.puffs {
		f := &p.puffs[i]
		d2 := ((x-f.x)*(x-f.x) + (y-f.y)*(y-f.y)) / (f.sh * f.sh)
		if d2 > 36 {
			continue
		}
		k := -0.5 / (f.sz * f.sz)
		v := math.Exp(k*(z-f.z)*(z-f.z)) + math.Exp(k*(z+f.z)*(z+f.z))
		if lid := p.set.Surface.MixingHeightM; lid > 0 {
			v += math.Exp(k*(z-f.z-2*lid)*(z-f.z-2*lid)) + math.Exp(k*(z+f.z-2*lid)*(z+f.z-2*lid))
			v += math.Exp(k*(z-f.z+2*lid)*(z-f.z+2*lid)) + math.Exp(k*(z+f.z+2*lid)*(z+f.z+2*lid))
		}
		c += f.mass * norm / (f.sh * f.sh * f.sz) * math.Exp(-0.5*d2) * v
	}
	return c
}

// PathMean is the mean concentration along a straight path, by n equal steps.
func (p *Puffs) PathMean(x1, y1, z1, x2, y2, z2 float64, n int) float64 {
	var c float64
	for i := range n {
		t := (float64(i) + 0.5) / float64(n)
		c += p.At(x1+t*(x2-x1), y1+t*(y2-y1), z1+t*(z2-z1))
	}
	return c / float64(n)
}
