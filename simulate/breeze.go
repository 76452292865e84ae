package simulate

import (
	"math"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/numeric"
)

// windHeightM is the height of the scenario's wind.
const windHeightM = 10

// wander is an Ornstein-Uhlenbeck process of mean 0: what it was fades with its timescale. Its steps are exact for any length.
type wander struct{ now, sigma, timescale float64 }

func (w *wander) step(dt float64, chance *numeric.Stream) float64 {
	k := math.Exp(-dt / w.timescale)
	w.now = k*w.now + math.Sqrt(1-k*k)*w.sigma*chance.Normal()
	return w.now
}

// begin draws the value that the process has come to after a long time.
func (w *wander) begin(chance *numeric.Stream) { w.now = w.sigma * chance.Normal() }

// breeze is the wind at ten metres, the same over the whole of a survey's ground: it turns and gusts slowly.
type breeze struct {
	chance         *numeric.Stream
	fromDeg, speed float64
	turn, gust     wander
}

func newBreeze(w Wind, fromDeg float64, chance *numeric.Stream) *breeze {
	b := &breeze{chance: chance, fromDeg: fromDeg, speed: w.SpeedMPS,
		turn: wander{sigma: w.MeanderDeg, timescale: w.MeanderS}, gust: wander{sigma: w.GustShare, timescale: w.MeanderS}}
	b.turn.begin(chance)
	b.gust.begin(chance)
	return b
}

// step moves on by dt seconds and gives the wind of the moment.
func (b *breeze) step(dt float64) dispersion.Wind {
	from := (b.fromDeg + b.turn.step(dt, b.chance)) * geodesy.RadPerDegree
	g := b.gust.step(dt, b.chance)
	speed := b.speed * math.Exp(g-0.5*b.gust.sigma*b.gust.sigma) // of mean b.speed
	s, c := math.Sincos(from)
	return dispersion.Wind{U: -speed * s, V: -speed * c, HeightM: windHeightM}
}
