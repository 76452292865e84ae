package site

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
)

// A campaign draws evidence of every form over some ten kilometres, SYNTHETIC.
type campaign struct {
	*rand.Rand
	n int
}

var (
	middleOf = geodesy.LatLon{Lat: 24.5, Lon: -107}
	began    = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
)

func (c *campaign) item() atalaya.Evidence {
	at := geodesy.Destination(middleOf, 360*c.Float64(), 3000*math.Sqrt(c.Float64()))
	var e atalaya.Evidence
	s := Senses[c.IntN(6)]
	around := func(m float64) (ring []geodesy.LatLon) {
		for _, az := range []float64{45, 135, 225, 315} {
			ring = append(ring, geodesy.Destination(at, az, m))
		}
		return ring
	}
	switch c.IntN(6) {
	case 0, 1:
		v := math.Exp(2*math.Log(10) + 6*c.Float64())
		d := Detection{Modes: []Mode{{At: at, CovarianceM2: matrix{{v, 0}, {0, v}}, Weight: 1}}}
		real := 0.0
		if c.IntN(2) == 0 {
			real = 0.2 + 0.8*c.Float64()
		}
		like := map[string]float64{Target: math.Exp(c.NormFloat64()), Classes[c.IntN(len(Classes))].Name: math.Exp(3 * c.NormFloat64())}
		e = FromDetection(s.Known(d, like, real, s.Site*c.Float64()))
	case 2, 3:
		e = FromLooks(s.Kind, "", []Look{{Ring: around(500 + 1500*c.Float64()), PD: s.Site * c.Float64()}})
		e.Others = s.Looked()
	case 4:
		e = FromReport(Report{At: at, RadiusM: 100 + 3000*c.Float64(), Grade: []string{"A1", "B2", "C3", "F6"}[c.IntN(4)], Denies: c.IntN(4) == 0})
	default:
		e = FromField("gas", "", around(1500), func(p geodesy.LatLon) float64 { return 4*math.Exp(-geodesy.Distance(at, p)/400) - 1 })
		if c.IntN(2) == 0 {
			e.Others = map[string]float64{Fire: 30 * c.Float64(), "another": c.Float64()}
		}
	}
	c.n++
	e.ID = atalaya.EvidenceID(fmt.Sprintf("ev_%05d", c.n))
	t := began.Add(time.Duration(c.Float64() * float64(40*24*time.Hour)))
	e.When = atalaya.Span{From: t, To: t}
	if c.IntN(8) == 0 {
		e.Lineage = []string{fmt.Sprint("source ", c.IntN(3))}
	}
	return e
}

type slope struct{}

func (slope) At(p geodesy.LatLon) float64 { return math.Sin(300*p.Lat) - 1 }
func (s slope) LogRatio(p geodesy.LatLon) (float64, []atalaya.Sentence) {
	return s.At(p), nil
}

// known says what At never exceeds, so that the ground is asked about late.
type known struct{ slope }

func (known) Most() float64 { return 0 }

// settings under which bounds differ.
var settings = map[string]Options{
	"moves":          {AsOf: began.AddDate(0, 0, 35)},
	"moves fast":     {AsOf: began.AddDate(0, 0, 60), HalfLife: 3 * 24 * time.Hour, PriorPerKm2: 1, Ground: known{}},
	"stays":          {AsOf: began.AddDate(0, 0, 35), Stay: true, Ground: slope{}},
	"ground, bounds": {AsOf: began.AddDate(0, 0, 35), Ground: known{}},
	"no time":        {},
}

// No leaf comes to more than either of its bounds says, so that the search passes over none.
func TestALeafNeverComesToMoreThanItsBounds(t *testing.T) {
	for name, opt := range settings {
		opt = opt.withDefaults()
		for seed := range uint64(4) {
			c := campaign{Rand: rand.New(rand.NewPCG(seed, 1))}
			var all []atalaya.Evidence
			for range 2 + c.IntN(30) {
				all = append(all, c.item())
			}
			f := newField(all, opt)
			s, w := newSearch(f, opt), newWeigher(f, opt)
			s.bounds()
			for l := range f.leaf {
				b := s.bound[l]
				if math.IsInf(b.most, -1) {
					continue
				}
				prior := opt.before(geodesy.CellCenter(f.leaf[l]))
				got := w.leaf(l, prior).now
				near := w.most(s.speaking(l, nil), s.quiet[f.in[l]], prior)
				if got > b.most || got > near {
					t.Fatalf("%s, seed %d, leaf %d: %v, bounds %v and %v", name, seed, l, got, b.most, near)
				}
			}
		}
	}
}

// The search finds the peaks that weighing every leaf, and going down all of them, would.
func TestTheSearchFindsWhatGoingThroughAllLeavesDoes(t *testing.T) {
	for name, opt := range settings {
		opt = opt.withDefaults()
		c := campaign{Rand: rand.New(rand.NewPCG(7, 2))}
		var all []atalaya.Evidence
		for range 40 {
			all = append(all, c.item())
		}
		got := Assess(all, opt)
		if len(got) < 3 {
			t.Fatalf("%s: %d candidates", name, len(got))
		}
		f := newField(all, opt)
		s, w := newSearch(f, opt), newWeigher(f, opt)
		s.bounds()
		var every queue
		for l := range f.leaf {
			if s.bound[l].most > math.Inf(-1) {
				x := waiting{leaf: l}
				x.weigh(w, opt.before(geodesy.CellCenter(f.leaf[l])))
				every = append(every, x)
			}
		}
		slices.SortFunc(every, func(a, b waiting) int {
			if (queue{a, b}).Less(0, 1) {
				return -1
			}
			return 1
		})
		s = newSearch(f, opt)
		want := s.founding(func() (waiting, bool) {
			if len(every) == 0 {
				return waiting{}, false
			}
			x := every[0]
			every = every[1:]
			return x, true
		})
		if p := newSearch(f, opt).peaks(); !reflect.DeepEqual(p, want) {
			t.Errorf("%s: %d peaks, going through all leaves %d, or others", name, len(p), len(want))
		}
	}
}

// As items come and go in any order, and on any number of cores, every ranking is that of an assessment of what stands, to the last bit.
func TestEveryRankingAsItemsComeAndGoIsTheWholeOne(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	c := campaign{Rand: rand.New(rand.NewPCG(3, 3))}
	opt := settings["ground, bounds"]
	var all []atalaya.Evidence
	for i := range 60 {
		if len(all) > 10 && c.IntN(3) == 0 {
			k := c.IntN(len(all))
			all = slices.Delete(slices.Clone(all), k, k+1)
		} else {
			all = append(slices.Clip(all), c.item())
		}
		runtime.GOMAXPROCS(1 + i%4)
		got := Assess(all, opt)
		runtime.GOMAXPROCS(1)
		mixed := slices.Clone(all)
		c.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if want := Assess(mixed, opt); !reflect.DeepEqual(got, want) {
			t.Fatalf("after %d changes, of %d items: another ranking", i+1, len(all))
		}
	}
}
