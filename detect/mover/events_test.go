package mover_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/detect/mover"
	"github.com/atalaya-isr/atalaya/detect/mover/movertest"
	"github.com/atalaya-isr/atalaya/geodesy"
)

// A drive is what one thing did, in metres east and north, seen by a camera that hangs over a ground of 400 m by 400 m: 0.5 m a pixel,
// north up, 30 frames a second.
type drive struct {
	from, to float64 // seconds, of the first and the last sighting
	at       func(t float64) (east, north float64)
}

const (
	wide   = 800.0 // px
	metres = 0.5   // a pixel
)

var where = geodesy.NewFrame(geodesy.LatLonHeight{Lat: 24.8, Lon: -107.4})

func (d drive) track(id int) mover.Track {
	t := mover.Track{ID: id}
	for n := int(math.Ceil(d.from * 30)); n <= int(d.to*30); n++ {
		s := float64(n) / 30
		e, north := d.at(s)
		e2, n2 := d.at(s + 1e-3)
		t.Points = append(t.Points, mover.Point{PTS: s, X: wide/2 + e/metres, Y: wide/2 - north/metres, W: 10, H: 6, OnGround: true, At: where.GroundFromENU(e, north),
			SpeedMPS: math.Hypot(e2-e, n2-north) / 1e-3, SpeedSigma: 0.1, Coasted: false})
	}
	return t
}

func frames(seconds float64, cuts ...float64) (out []mover.Frame) {
	for n := range int(seconds * 30) {
		at := float64(n) / 30
		out = append(out, mover.Frame{N: n, PTS: at, Searched: true, GSD: metres, SlowestMPS: 0.02,
			Locked: n > 0 && !slices.ContainsFunc(cuts, func(c float64) bool { return math.Abs(c-at) < 1e-6 })})
	}
	return out
}

// straight goes east from a place at so many metres a second.
func straight(east, north, speed float64) func(float64) (float64, float64) {
	return func(t float64) (float64, float64) { return east + speed*t, north }
}

// line says what a track did as "stop 3 12.3 s", with the track's number.
func line(tracks []mover.Track, e mover.Event) string {
	return fmt.Sprintf("%s %d %.1f s", e.Kind, tracks[e.Track].ID, tracks[e.Track].Points[e.Point].PTS)
}

func TestWhatATrackDidThatIsWorthALook(t *testing.T) {
	there := straight(-199, 0, 8)
	for _, c := range []struct {
		name   string
		drives []drive
		cuts   []float64
		want   string
	}{
		{"it crosses the picture from edge to edge", []drive{{0, 49.9, straight(-199, 20, 8)}}, nil, ""},
		{"it brakes and is seen no more", []drive{{5, 20, func(s float64) (float64, float64) {
			if s > 15 { // from 8 m/s to 0.8 in five seconds
				return -199 + 8*15 + 8*(s-15) - 0.72*(s-15)*(s-15), 0
			}
			return there(s)
		}}}, nil, "begins 1 5.0 s, stop 1 20.0 s"},
		{"it stands for three seconds and goes on", []drive{{0, 40, func(s float64) (float64, float64) {
			return -199 + 8*(math.Min(s, 12)+math.Max(0, s-15)), 10
		}}}, nil, "stop 1 12.0 s, ends 1 40.0 s"},
		{"it stands for half a second, which is none", []drive{{0, 49.5, func(s float64) (float64, float64) {
			return -199 + 8*(math.Min(s, 12)+math.Max(0, s-12.5)), 10
		}}}, nil, ""},
		{"it turns in a circle of five metres and drives back beside its way", []drive{{0, 50, func(s float64) (float64, float64) {
			const r, v = 5.0, 8.0
			gone, arc := v*s, 180.0
			switch {
			case gone <= arc:
				return -199 + gone, 0
			case gone <= arc+math.Pi*r:
				sin, cos := math.Sincos((gone - arc) / r)
				return -199 + arc + r*sin, r - r*cos
			}
			return -199 + arc - (gone - arc - math.Pi*r), 2 * r
		}}}, nil, "turn-around 1 23.5 s"}, // after 180 m of way and half of the circle
		{"it turns on the spot", []drive{{0, 50, func(s float64) (float64, float64) { return -199 + 8*math.Min(s, 50-s), 0 }}}, nil, "turn-around 1 24.9 s"},
		{"it goes around a block and comes back by another street", []drive{{0, 49, func(s float64) (float64, float64) {
			switch gone := 8 * s; {
			case gone < 150:
				return -199 + gone, 0
			case gone < 210:
				return -49, gone - 150
			default:
				return -49 - (gone - 210), 60
			}
		}}}, nil, ""},
		{"it drives under a roof and out again", []drive{{0, 20, straight(-199, 0, 8)}, {22, 49.9, straight(-199, 0, 8)}}, nil, ""},
		{"it vanishes in full drive", []drive{{0, 20, straight(-199, 0, 8)}}, nil, "ends 1 20.0 s"},
		{"another thing elsewhere does not carry it on", []drive{{0, 20, straight(-199, 0, 8)}, {22, 49.5, straight(-340, 120, 8)}}, nil, "ends 1 20.0 s, begins 2 22.0 s"},
		{"the picture is cut just after", []drive{{0, 20, straight(-199, 0, 8)}}, []float64{21}, ""},
		{"the film ends just after, and had begun just before", []drive{{1, 49.5, straight(-199, 0, 7.5)}}, nil, ""},
		{"it went ten metres in all", []drive{{10, 20, straight(0, 0, 1)}}, nil, ""},
		{"its ground is not known", []drive{{10, 20, nil}}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var tracks []mover.Track
			for i, d := range c.drives {
				if d.at == nil {
					d.at = straight(0, 0, 8)
					tracks = append(tracks, d.track(i+1))
					for k := range tracks[i].Points {
						tracks[i].Points[k].OnGround = false
					}
					continue
				}
				tracks = append(tracks, d.track(i+1))
			}
			var got []string
			for _, e := range mover.Events(tracks, frames(50.5, c.cuts...), wide, wide, 1) {
				got = append(got, line(tracks, e))
				if math.Abs(e.SpeedMPS-8) > 1 || e.TravelM < 15 || !(e.SlowestMPS > 0.02) {
					t.Errorf("%s: %+v", line(tracks, e), e)
				}
			}
			if s := strings.Join(got, ", "); s != c.want {
				t.Errorf("%q, want %q", s, c.want)
			}
		})
	}
}

// TestEventsDoNotDependOnWhereNorthIs: the same drives, turned, are the same events.
func TestEventsDoNotDependOnWhereNorthIs(t *testing.T) {
	back := func(s float64) (float64, float64) { return 6*math.Min(s, 24-s) - 60, 5 * math.Sin(s/4) }
	var first string
	for deg := 0.0; deg < 360; deg += 30 {
		sin, cos := math.Sincos(deg * math.Pi / 180)
		tracks := []mover.Track{drive{5, 22, func(s float64) (float64, float64) {
			x, y := back(s)
			return x*cos - y*sin, x*sin + y*cos
		}}.track(1)}
		var got []string
		for _, e := range mover.Events(tracks, frames(40), wide, wide, 1) {
			got = append(got, line(tracks, e))
		}
		s := strings.Join(got, ", ")
		if first == "" {
			first = s
		}
		if s != first || !strings.Contains(s, "turn-around 1 12.0 s") {
			t.Errorf("turned by %.0f degrees: %q, not turned %q", deg, s, first)
		}
	}
}

// TestEventsOfAMadeFilm: of things that were drawn and then found, one goes by, one brakes to a stand, one turns round and comes back.
func TestEventsOfAMadeFilm(t *testing.T) {
	s := movertest.Usual(5)
	s.Width, s.Height, s.Frames, s.Targets, s.Structures, s.Symbols, s.Pan = 480, 270, 210, 0, 0, false, [2]float64{0.3, 0.1}
	s.Courses = []movertest.Course{
		{X: 0.02, Y: 0.2, Long: 14, Wide: 9, Contrast: 30, Legs: []movertest.Leg{{Frames: 210, From: 2.2, To: 2.2}}},
		{X: 0.02, Y: 0.5, Long: 14, Wide: 9, Contrast: -30, Legs: []movertest.Leg{{Frames: 90, From: 2, To: 2}, {Frames: 60, From: 2, To: 0.05}}},
		{X: 0.3, Y: 0.75, Long: 12, Wide: 9, Contrast: 30, Legs: []movertest.Leg{{Frames: 70, From: 2, To: 2}, {Frames: 45, From: 1.4, To: 1.4, TurnDeg: 180}, {Frames: 95, From: 2, To: 2}}},
	}
	film := movertest.New(s)
	const unit = 0.25 // metres
	r, err := movertest.Run(s, func(o *mover.Options) {
		o.Ground = func(pts, x, y float64) (geodesy.LatLon, bool) {
			h := film.ToGround(int(math.Round(pts*30)), false)
			u, v := h.At(x, y)
			return where.GroundFromENU((u-700)*unit, (700-v)*unit), true
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[mover.EventKind][]float64{}
	for _, e := range mover.Events(r.Tracks, r.Facts, float64(s.Width), float64(s.Height), 0) {
		got[e.Kind] = append(got[e.Kind], r.Tracks[e.Track].Points[e.Point].PTS)
		if math.Abs(e.SpeedMPS-2*unit*30) > 1.5 { // while it went, 2 units a frame
			t.Errorf("%s: %.1f m/s", line(r.Tracks, e), e.SpeedMPS)
		}
	}
	// The second is braking from 3 s on and stands at 5 s; the third is half round its circle at frame 92.
	if len(got) != 2 || len(got[mover.Stops]) != 1 || len(got[mover.Turns]) != 1 || math.Abs(got[mover.Stops][0]-4.3) > 0.8 || math.Abs(got[mover.Turns][0]-92.0/30) > 0.5 {
		t.Errorf("%v", got)
	}
}
