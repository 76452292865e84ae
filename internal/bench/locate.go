package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/numeric"
)

// flownPast is a flight of one-second samples in legs across the wind, past two sources that puff.
func flownPast(samples int) source.Input {
	s := numeric.NewStream(1, 1)
	ground := dispersion.Surface{RoughnessM: 0.1}
	puffs := dispersion.NewPuffs(dispersion.PuffSettings{
		Sources: []dispersion.Source{{X: 0, Y: 0, Z: 2, RateKgS: 2e-3}, {X: -60, Y: 150, Z: 2, RateKgS: 1.5e-3}},
		EveryS:  2, SigmaV: 0.6, SigmaW: 0.35, TimescaleS: 30, Intermittency: 0.3, Surface: ground}, numeric.NewStream(1, 8))
	g := source.Survey{Compounds: []string{"toluene"}, Surface: ground}
	const speed, memory, gust, background, noise = 8, 0.95, 0.2, 1e-8, 2e-9
	eastward, northward, x, y, way := 0.0, 0.0, 80.0, -150.0, 1.0
	for t := -200; t < samples; t++ { // the plumes are there when the flight begins
		eastward, northward = memory*eastward+gust*s.Normal(), memory*northward+gust*s.Normal()
		puffs.Step(1, dispersion.Wind{U: 4, HeightM: 10})
		if t < 0 {
			continue
		}
		if y += speed * way; math.Abs(y-50) > 200 {
			way = -way
			if x += 40; x > 400 {
				x = 80
			}
		}
		z := 20 + 10*math.Sin(float64(t)/100)
		g.Samples = append(g.Samples, source.Sample{TimeS: float64(t), At: [3]float64{x, y, z}, Wind: dispersion.Wind{U: 4 + eastward, V: northward, HeightM: 10, AveragingS: 1},
			Values: []source.Value{{Amount: puffs.At(x, y, z) + background + noise*s.Normal(), SD: noise}}})
	}
	return source.Input{Local: true, Groups: []source.Survey{g}}
}

// errEnough ends a search that has said what it was asked for.
var errEnough = errors.New("enough")

// early is how long it takes until it is said where a source would lie if there is one.
func early(ctx context.Context, samples int) pair {
	return timed("where a source would lie", samples, func(in source.Input) (took float64, err error) {
		began := time.Now()
		ctx, stop := context.WithCancelCause(ctx)
		defer stop(nil)
		_, err = source.Locate(ctx, in, source.Options{Seed: 1, Early: func(source.Early) { took = time.Since(began).Seconds(); stop(errEnough) }})
		if took > 0 && errors.Is(context.Cause(ctx), errEnough) {
			return took, nil
		}
		return 0, errors.Join(errors.New("a flight past two sources found none early"), err)
	})
}

// posterior is how long a full answer takes.
func posterior(ctx context.Context, samples int) pair {
	p := timed("none to five sources", samples, func(in source.Input) (float64, error) {
		began := time.Now()
		r, err := source.Locate(ctx, in, source.Options{Seed: 1})
		if err == nil && len(r.Groups[0].Sources) == 0 {
			err = errors.New("a flight past two sources found none")
		}
		return time.Since(began).Seconds(), err
	})
	p.along = []Along{{"samples", float64(samples), "none to five sources"}}
	return p
}

// cells is how long it takes to say of so many cells how much more probable the survey is if a source stands in one: what a search for sites takes from it.
func cells(ctx context.Context, samples, n int) pair {
	p := timed(fmt.Sprintf("the log-likelihood ratio of %d cells", n), samples, func(in source.Input) (float64, error) {
		r, err := source.Locate(ctx, in, source.Options{Seed: 1})
		if err != nil {
			return 0, err
		}
		side := 1000 / math.Sqrt(float64(n))
		places := make([][2]float64, n)
		for i := range places {
			across := i % int(math.Sqrt(float64(n)))
			places[i] = [2]float64{float64(across)*side - 500, float64(i)*side*side/1000 - 500}
		}
		began := time.Now()
		if ln := r.Groups[0].LogRatio(places, side); len(ln) != n {
			return 0, fmt.Errorf("%d ratios", len(ln))
		}
		return time.Since(began).Seconds(), nil
	})
	p.along = []Along{{"cells", float64(n), fmt.Sprintf("%d samples", samples)}}
	return p
}

// timed is how many seconds something takes with a flight past two sources, beside a hundred million exponentials on one core of the same machine.
func timed(what string, samples int, f func(in source.Input) (float64, error)) pair {
	return pair{
		name: fmt.Sprintf("%s, from %d samples, all cores", what, samples), unit: "s", reference: "a hundred million math.Exp, one core",
		once: func() (figure, reference float64, err error) {
			if figure, err = f(flownPast(samples)); err != nil {
				return 0, 0, err
			}
			reference, err = exponentials()
			return figure, reference, err
		},
	}
}

// exponentials is how long a hundred million of them take on one core.
func exponentials() (float64, error) {
	began, sum := time.Now(), 0.0
	for i := range 100_000_000 {
		sum += math.Exp(-float64(i&1023) / 128)
	}
	if !(sum > 0) {
		return 0, errors.New("exp is not positive")
	}
	return time.Since(began).Seconds(), nil
}
