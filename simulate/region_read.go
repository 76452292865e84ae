package simulate

import (
	"math"

	"github.com/atalaya-isr/atalaya/numeric"
)

// A reader tells what a measure is like: for each kind of place Student's t of four degrees of freedom of each feature, independent, learnt from
// places that are none of this campaign's. It is nearly right about each kind and wrong about how many of each there are here.
type reader struct {
	kinds []portrait
	// doubt is a power that a likelihood is raised to: the bands of a spectrum are no independent features, since their shares sum to one.
	doubt float64
}

type portrait struct {
	kind   *placeKind
	class  string
	weight float64 // its share of detections where it was learnt
	mean   []float64
	sd     []float64
}

// clutterClass is the class of detections that no place caused.
const clutterClass = ""

// fusionClasses are the names under which a likeness is given.
var fusionClasses = [...]string{"site", "industry", "farm", "fire", "traffic", "radio"}

// measureNoise is what a measure adds to what a place is like, standard deviations in the units of features.
var measureNoise = [senses]float64{senseGas: 1.1, senseSpectral: 1.2, senseThermal: 0.6, senseVideo: 0.6, senseMover: 0.7, senseSignal: 0.8}

// weakNoise is the factor on the noise of a mixture in weak wind.
const weakNoise = 1.5

// bands are what a spectrum tells apart: solvents, ammonia, fuel gas, smoke.
var bands = [len(compounds)]int{0, 0, 0, 1, 0, 2, 2, 3, 0}

// features measures a place once.
func features(s sense, emits *mixture, mark *shape, noise float64, chance *numeric.Stream) []float64 {
	var shares []float64
	floor := 0.06
	switch s {
	case senseGas:
		shares = append(shares, emits[:]...)
	case senseSpectral:
		shares, floor = make([]float64, 4), 0.1
		for i, v := range emits {
			shares[bands[i]] += v
		}
	default:
		return []float64{mark[0] + noise*chance.Normal(), mark[1] + noise*chance.Normal()}
	}
	sum := 0.0
	for i := range shares {
		shares[i] *= math.Exp(noise * chance.Normal())
		sum += shares[i]
	}
	for i := range shares {
		p := shares[i] / math.Max(sum, 1e-9)
		shares[i] = math.Log((p + floor) / (1 - p + floor)) // what is below the floor is not told from nothing
	}
	return shares
}

// clutterLooks draws what stands out without a cause: anything.
func clutterLooks(chance *numeric.Stream) (emits mixture, mark [senses]shape) {
	for i := range emits {
		emits[i] = math.Exp(1.3 * chance.Normal())
	}
	for i := range mark {
		mark[i] = shape{0.2 + 1.1*chance.Normal(), 1.1 * chance.Normal()}
	}
	return emits, mark
}

const lessons = 60 // places of each kind that a reader has seen

// learn teaches the readers on places of another campaign.
func (w *world) learn(chance *numeric.Stream) {
	for s := range senses {
		w.readers[s] = reader{doubt: 1}
	}
	w.readers[senseSpectral].doubt = 0.6
	study := func(k *placeKind, class string, weight func(sense) float64, draw func() (mixture, [senses]shape)) {
		var seen [senses][][]float64
		for range lessons {
			emits, mark := draw()
			for s := range senses {
				seen[s] = append(seen[s], features(s, &emits, &mark[s], measureNoise[s], chance))
			}
		}
		for s := range senses {
			if v := weight(s); v > 0 {
				w.readers[s].kinds = append(w.readers[s].kinds, portraitOf(k, class, v, seen[s]))
			}
		}
	}
	place := func(k *placeKind, site bool) func() (mixture, [senses]shape) {
		return func() (mixture, [senses]shape) {
			n := natures{s: &w.RegionScenario, chance: chance}
			v := nature{kind: k}
			m := k.emits
			if site {
				m = recipes[chance.IntN(len(recipes))]
			}
			n.measures(&v, m, 1)
			return v.emits, v.mark
		}
	}
	for i := range decoys {
		k := &decoys[i]
		study(k, k.class, func(s sense) float64 { return k.notice[s] * k.weight / 300 }, place(k, false))
	}
	study(&homestead, clutterClass, func(s sense) float64 { return homestead.notice[s] * 1.3 }, place(&homestead, false))
	study(&siteKind, "site", func(s sense) float64 { return siteKind.notice[s] * 0.1 }, place(&siteKind, true))
	study(nil, clutterClass, func(sense) float64 { return 0.3 }, func() (mixture, [senses]shape) { return clutterLooks(chance) })
}

func portraitOf(k *placeKind, class string, weight float64, seen [][]float64) portrait {
	p := portrait{kind: k, class: class, weight: weight}
	for i := range seen[0] {
		m, v := 0.0, 0.0
		for _, f := range seen {
			m += f[i] / float64(len(seen))
		}
		for _, f := range seen {
			v += (f[i] - m) * (f[i] - m) / float64(len(seen)-1)
		}
		p.mean, p.sd = append(p.mean, m), append(p.sd, math.Sqrt(v)+0.1)
	}
	return p
}

// A likeness is bounded on either side: nobody believes a classifier beyond.
const (
	leastLike = 0.02
	mostLike  = 20
)

// likeness is p(measure | class) over p(measure), over all detections of the sense where the reader learnt.
func (r *reader) likeness(f []float64, sharpness float64, weight func(*portrait) float64) map[string]float64 {
	log := make([]float64, len(r.kinds))
	most := math.Inf(-1)
	for i := range r.kinds {
		k := &r.kinds[i]
		for d, v := range f {
			z := (v - k.mean[d]) / (k.sd[d] * sharpness)
			log[i] -= 2.5*math.Log1p(z*z/4) + math.Log(k.sd[d])
		}
		log[i] = r.doubt*log[i] + math.Log(weight(k))
		most = math.Max(most, log[i])
	}
	var all, weights float64
	byClass, ofClass := map[string]float64{}, map[string]float64{}
	for i := range r.kinds {
		k := &r.kinds[i]
		p := k.weight * math.Exp(log[i]-most)
		all, weights = all+p, weights+k.weight
		byClass[k.class] += p
		ofClass[k.class] += k.weight
	}
	out := map[string]float64{}
	for _, c := range fusionClasses {
		if ofClass[c] > 0 {
			v := byClass[c] / ofClass[c] * weights / all
			out[c] = math.Min(mostLike, math.Max(leastLike, round(v, 3)))
		}
	}
	return out
}

// even weighs all kinds alike.
func even(*portrait) float64 { return 1 }

// atHour weighs kinds by how much of their traffic falls into a local hour.
func atHour(h float64) func(*portrait) float64 {
	return func(p *portrait) float64 {
		if p.kind == nil {
			return 1
		}
		r := p.kind.traffic
		switch {
		case p.kind == &siteKind:
			return 0.3*rhythm{from: 5, to: 20, inside: .7, out: .2}.density(h) + 0.7*rhythm{from: 20, to: 5, inside: .7, out: .2}.density(h)
		case r == rhythm{}:
			r = p.kind.work
		}
		return r.density(h)
	}
}

// density of work at a local hour, over its mean of the day.
func (r rhythm) density(h float64) float64 {
	long := math.Mod(r.to-r.from+24, 24)
	if r.from == 0 && r.to == 24 {
		long = 24
	}
	rest := idle[senseMover]
	mean := (long*(r.inside+(1-r.inside)*rest) + (24-long)*(r.out+(1-r.out)*rest)) / 24
	p := r.out
	if window(h, r.from, r.to) {
		p = r.inside
	}
	return (p + (1-p)*rest) / mean
}
