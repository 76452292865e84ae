package simulate

import (
	"math"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/numeric"
)

// weakMPS is the wind below which a plume has no direction to speak of.
const weakMPS = 1.5

// weather is the campaign's, day by day.
type weather struct {
	from   time.Time
	offset float64 // of local time, hours
	days   []day
	swirl  noise // turns the wind from place to place
}

type day struct {
	speed, fromDeg, cloud float64
	weak                  bool // its night
	storm                 bool
}

// memory of a day's wind and cloud by the next: the share of the deviation that stays.
const dayMemory = 0.6

func newWeather(s *RegionScenario, chance *numeric.Stream) weather {
	w := weather{from: s.From.UTC(), offset: s.UTCOffsetH, swirl: noise{uint64(chance.Float64() * 0x1p53), 45e3}}
	turn, gust, cover := chance.Normal(), chance.Normal(), chance.Normal()
	next := func(v *float64) float64 {
		*v = dayMemory**v + math.Sqrt(1-dayMemory*dayMemory)*chance.Normal()
		return *v
	}
	for range int(s.days()) + 3 {
		d := day{speed: s.Wind.SpeedMPS * math.Exp(0.35*next(&gust)-0.06), fromDeg: s.Wind.FromDeg + s.Wind.SpreadDeg*next(&turn)}
		// Cover from clear to closed, with the stated mean: a logistic of a normal deviate around its logit.
		c := math.Min(0.98, math.Max(0.02, s.Wind.Cloud))
		d.cloud = 1 / (1 + math.Exp(-(math.Log(c/(1-c)) + 1.2*next(&cover))))
		d.weak = chance.Float64() < s.Wind.WeakNights
		d.storm = chance.Float64() < s.Wind.Storms
		w.days = append(w.days, d)
	}
	return w
}

// local is the hour of the local clock, 0 to 24.
func (w *weather) local(t time.Time) float64 {
	u := t.UTC()
	h := float64(u.Hour()) + float64(u.Minute())/60 + float64(u.Second())/3600 + w.offset
	return math.Mod(h+48, 24)
}

// night reports whether it is dark.
func (w *weather) night(t time.Time) bool {
	h := w.local(t)
	return h < 6.5 || h >= 19
}

// day holds a time; nights belong to the day on which they begin.
func (w *weather) day(t time.Time) day {
	i := int(math.Floor((t.Sub(w.from).Hours() + math.Mod(float64(w.from.Hour())+w.offset+24, 24) - 8) / 24))
	return w.days[min(max(i+1, 0), len(w.days)-1)]
}

// breath is the wind ten metres above a place.
type breath struct {
	speed, fromRad float64
}

// at is the wind of a place: strongest in the afternoon, half of that in common nights, nearly none in weak ones, turned by up to 30° from
// place to place.
func (w *weather) at(t time.Time, p spot) breath {
	d := w.day(t)
	h := w.local(t)
	share := 0.5
	switch {
	case h >= 8 && h < 20:
		share = 0.5 + 0.5*math.Sin(math.Pi*(h-8)/12)
	case d.weak:
		return breath{0.5 + 0.9*w.swirl.at(spot{p[1], p[0]}), (d.fromDeg + 240*(w.swirl.at(p)-0.5)) * geodesy.RadPerDegree}
	}
	return breath{math.Max(0.5, d.speed*share), (d.fromDeg + 60*(w.swirl.at(p)-0.5)) * geodesy.RadPerDegree}
}
