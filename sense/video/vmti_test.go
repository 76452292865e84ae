package video_test

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// marked is a frame with three detections: one with a place, one that coasts at the edge, one outside the frame.
func marked(s float64) video.Marks {
	place := klv.Location{Lat: 24.8123456, Lon: -107.4123456, HAE: 51.5, HasSigma: true, Sigma: [3]float64{12.5, 8, math.NaN()}, HasRho: true,
		Rho: [3]float64{-0.5, math.NaN(), math.NaN()}}
	return video.Marks{Time: start.Add(time.Duration(s * 1e9)), System: "SYNTHETIC", Version: "1", Sensor: "EO", Frame: video.Size{Width: 1280, Height: 720}, List: []video.Mark{
		{ID: 7, X: 639.6, Y: 360.2, W: 10, H: 6, History: 12, First: start, Track: klv.UUID{0x80, 7}, HasPlace: true, Place: place},
		{ID: 300, X: 1279.9, Y: 0, W: 8, H: 8, Coasting: true, Track: klv.UUID{0x80, 8}},
		{ID: 9, X: 1290, Y: 10, W: 8, H: 8, Track: klv.UUID{0x80, 9}},
	}}
}

func TestMarksReadBack(t *testing.T) {
	m := marked(2)
	b, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	set, err := klv.Decode(b)
	if err != nil || len(set.Problems) > 0 || set.Checksum != klv.Right || set.Standard != klv.ST0903 {
		t.Fatal(err, set.Problems, set.Checksum)
	}
	tree, problems := set.Tree()
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for tag, want := range map[uint32]int64{2: m.Time.UnixMicro(), 4: 6, 5: 3, 6: 2, 8: 1280, 9: 720} {
		if n, ok := tree.Item(tag).Int(); !ok || n != want {
			t.Errorf("item %d is %d (%v), want %d", tag, n, ok, want)
		}
	}
	if set.Text(3) != "SYNTHETIC" || set.Text(10) != "EO" {
		t.Errorf("system %q, sensor %q", set.Text(3), set.Text(10))
	}
	var state klv.VMTIState
	list, problems := state.Targets(&set)
	if len(list) != 2 || len(problems) > 0 {
		t.Fatalf("%d targets, %v", len(list), problems)
	}
	a, z := list[0], list[1]
	if a.ID != 7 || a.Centroid != (klv.Pixel{Row: 361, Column: 640}) || a.TopLeft != (klv.Pixel{Row: 358, Column: 635}) || a.BottomRight != (klv.Pixel{Row: 364, Column: 645}) {
		t.Errorf("%+v", a)
	}
	if z.ID != 300 || z.Centroid != (klv.Pixel{Row: 1, Column: 1280}) || z.TopLeft != (klv.Pixel{Row: 1, Column: 1276}) || z.BottomRight != (klv.Pixel{Row: 4, Column: 1280}) || z.HasLocation {
		t.Errorf("%+v", z)
	}
	if !math.IsNaN(a.Confidence) {
		t.Errorf("a confidence of %g, which nobody computed", a.Confidence)
	}
	// steps of ST 1201: latitude 2^-23 and longitude 2^-22 of a degree, height 2^-0 m over 32768, deviations 2^-5 m, correlations 2^-14
	l := a.Location
	if !a.HasLocation || math.Abs(l.Lat-24.8123456) > 0x1p-23 || math.Abs(l.Lon+107.4123456) > 0x1p-22 || math.Abs(l.HAE-51.5) > 1 ||
		math.Abs(l.Sigma[0]-12.5) > 0x1p-5 || math.Abs(l.Sigma[1]-8) > 0x1p-5 || !math.IsNaN(l.Sigma[2]) || math.Abs(l.Rho[0]+0.5) > 0x1p-14 {
		t.Errorf("%+v", l)
	}
	for i, want := range []struct{ status, history, points int64 }{{1, 12, 13}, {4, 0, 1}} {
		items := list[i].Node.Field("VTarget")
		status, _ := items.Item(23).Int()
		history, _ := items.Item(6).Int()
		points, _ := items.Item(104).Item(8).Int()
		if status != want.status || history != want.history || points != want.points || items.Item(104).Item(1).String() == "" {
			t.Errorf("target %d: status %d, history %d, %d points, want %+v", i, status, history, points, want)
		}
	}
	if first, ok := list[0].Node.Field("VTarget").Item(104).Item(3).Int(); !ok || first != start.UnixMicro() {
		t.Errorf("first seen %d", first)
	}
	m.Time, m.List = time.Time{}, nil
	if b, err = m.Encode(); err != nil {
		t.Fatal(err)
	}
	if set, _ = klv.Decode(b); set.Item(2) != nil || set.Item(101) != nil || len(set.Problems) > 0 {
		t.Errorf("a frame without time and detections: %v", set.Problems)
	}
}

// What is written is placed again where it was: by ray from the sensor's packet of the same time, and where that is older than a
// twentieth of a second by the place that was written.
func TestMarksArePlacedWhereTheyWere(t *testing.T) {
	pose := packet(t, 0, looking(45)...)
	look := seen(t, pose)[0]
	frame := video.Size{Width: 1280, Height: 720}
	m := marked(0)
	want, ok := look.Locate(m.List[0].X, m.List[0].Y, [3]float64{0.25, 0, 0.25}, frame)
	if !ok || !want.HasSigma || math.IsNaN(want.HAE) {
		t.Fatalf("%+v", want)
	}
	m.List = m.List[:1]
	m.List[0].Place = want
	for _, c := range []struct {
		at     float64
		method string
	}{{0, "ray"}, {0.04, "ray"}, {0.3, "location"}} {
		m.Time = start.Add(time.Duration(c.at * 1e9))
		b, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		w, err := mpegts.NewProgram(&file, mpegts.Output{PID: 0x101, StreamType: 0x06}, mpegts.Output{PID: 0x102, StreamType: 0x15})
		if err != nil {
			t.Fatal(err)
		}
		for i, packet := range [][]byte{pose, b} {
			pts := int64(90000 * (1 + c.at*float64(i)))
			if err := w.WriteUnit(mpegts.Unit{PID: uint16(0x101 + i), Data: packet, PTS: pts, DTS: pts, HasPTS: true}); err != nil {
				t.Fatal(err)
			}
		}
		l := seen(t, file.Bytes())[1]
		if len(l.Targets) != 1 || len(l.Problem) > 0 {
			t.Fatalf("%+v, %v", l.Targets, l.Problem)
		}
		g := l.Targets[0]
		// half a pixel of 10 degrees over 1280 at 1.4 km is 0.1 m across, 0.2 m along at 45 degrees; the height's step of a metre moves the ray by one
		if d := geodesy.Distance(g.Where.LatLon(), geodesy.LatLon{Lat: want.Lat, Lon: want.Lon}); g.Method != c.method || d > 1.3 || g.Row != 361 || g.Col != 640 {
			t.Errorf("after %g s: by %q, %.2f m off, %+v", c.at, g.Method, d, g)
		}
	}
}

// The deviations that are written are those of the ellipse, and of the pixel beside it.
func TestLocationsCarryTheEllipse(t *testing.T) {
	look := seen(t, packet(t, 0, looking(45)...))[0]
	frame := video.Size{Width: 1280, Height: 720}
	spot, _ := look.Pixel(300, 500, frame)
	want, ok := look.PointEllipse95(300.0/1280, 500.0/720, spot)
	p, located := look.Locate(300, 500, [3]float64{}, frame)
	if !ok || !located || !p.HasSigma {
		t.Fatalf("%+v", p)
	}
	c := p.Rho[0] * p.Sigma[0] * p.Sigma[1]
	got := geodesy.EllipseOf([2][2]float64{{p.Sigma[0] * p.Sigma[0], c}, {c, p.Sigma[1] * p.Sigma[1]}}, 0.95)
	if math.Abs(got.MajorM-want.MajorM) > 1e-6*want.MajorM || math.Abs(got.MinorM-want.MinorM) > 1e-6*want.MinorM || math.Abs(got.AzimuthDeg-want.AzimuthDeg) > 1e-4 {
		t.Errorf("%+v, want %+v", got, want)
	}
	// 40 px each way are 40 pixels of the ground beside it: the ground sample distance is 0.19 m across at 1.4 km and 10 degrees
	q, _ := look.Locate(300, 500, [3]float64{1600, 0, 1600}, frame)
	if grown := math.Sqrt(q.Sigma[0]*q.Sigma[0] - p.Sigma[0]*p.Sigma[0]); grown < 40*0.17 || grown > 40*0.21 {
		t.Errorf("40 px make %.2f m east", grown)
	}
	if q, ok := look.Locate(300, 500, [3]float64{1e9, 0, 1e9}, frame); !ok || q.HasSigma {
		t.Errorf("a deviation that the standard cannot tell is told: %+v", q)
	}
}
