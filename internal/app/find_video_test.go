package app

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/golang/geo/s2"

	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// videoOf is the one video of a mission folder: its path, and the looks of its packets.
func videoOf(t *testing.T, dir string) (path string, looks []video.Look) {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "video", "*"))
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	f, err := os.Open(list[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = video.ReadLooks(video.NewReader(f), video.DefaultSigmas, func(_ *video.Packet, l *video.Look) error {
		looks = append(looks, *l)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list[0], looks
}

// The record answers as its files do, for places along the way of the camera and beside it; the footprints of its observations
// leave no video out that has something to say.
func TestTheRecordFindsWhatItsVideosShowed(t *testing.T) {
	ctx := context.Background()
	dir := missionOf(t, "video/camera-1.ts")
	path, looks := videoOf(t, dir)
	a := openTest(t, t.TempDir())
	if _, _, err := a.Run(ctx, dir, RunOptions{Seed: 1, WithoutMovers: true}); err != nil {
		t.Fatal(err)
	}
	shown := 0
	for i := 0; i < len(looks); i += len(looks) / 8 {
		for _, off := range []float64{0, 150, 900, 5000} {
			q := video.Question{At: geodesy.Destination(looks[i].Ray.LatLon(), float64(37*i), off)}
			if i%2 == 0 {
				q.RadiusM = 100
			}
			got, err := a.FindInVideos(ctx, access.Whole(), q)
			if err != nil {
				t.Fatal(err)
			}
			want, err := FindInFiles(ctx, q, []string{path})
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Videos) != len(want.Videos) || want.Asked != 1 {
				t.Fatalf("%v: the record names %d videos, the file %d", q, len(got.Videos), len(want.Videos))
			}
			if off == 0 && len(want.Videos) == 0 {
				t.Errorf("the middle of a picture is not shown: %v", q)
			}
			if len(want.Videos) == 0 {
				continue
			}
			shown++
			g, w := got.Videos[0], want.Videos[0]
			if g.Observation == "" || g.Mission == "" || g.Marking == "" || got.Banner == "" || len(g.Intervals) != len(w.Intervals) {
				t.Errorf("%+v, want %+v", g, w)
			}
			for k := range w.Intervals {
				if *g.Intervals[k].FromPTS != *w.Intervals[k].FromPTS || g.Intervals[k].Packets != w.Intervals[k].Packets || *g.Intervals[k].Best.Slant != *w.Intervals[k].Best.Slant {
					t.Errorf("%v: interval %d: %+v, want %+v", q, k, g.Intervals[k], w.Intervals[k])
				}
			}
		}
	}
	if shown < 8 {
		t.Errorf("%d answers with videos", shown)
	}
}

// What an answer says of a place is so packet by packet: inside an interval each picture holds it, at the distance told.
func TestIntervalsAreRunsOfPacketsThatShowThePlace(t *testing.T) {
	dir := missionOf(t, "video/camera-1.ts")
	path, looks := videoOf(t, dir)
	at := looks[len(looks)/3].Ray.LatLon()
	doc, err := FindInFiles(context.Background(), video.Question{At: at}, []string{path})
	if err != nil || len(doc.Videos) != 1 {
		t.Fatal(doc, err)
	}
	packets := 0
	for _, i := range doc.Videos[0].Intervals {
		packets += i.Packets
		for _, l := range looks {
			if l.PTS < *i.FromPTS || l.PTS > *i.ToPTS {
				continue
			}
			x, y, within, ok := l.PointOf(video.Position{Lat: at.Lat, Lon: at.Lon})
			d := geodesy.ToECEF(geodesy.LatLonHeight{Lat: at.Lat, Lon: at.Lon, HeightHAE: l.Ray.HeightM}).Sub(geodesy.ToECEF(geodesy.LatLonHeight{Lat: l.Sensor.Lat, Lon: l.Sensor.Lon, HeightHAE: l.Sensor.HeightM})).Norm()
			if !ok || !within || d < i.Slant.Least-1e-6 || d > i.Slant.Most+1e-6 {
				t.Errorf("%g s: at %g, %g of the picture, %.1f m away, where the interval has %+v", l.PTS, x, y, d, i.Slant)
			}
		}
	}
	within := 0
	for _, l := range looks {
		if _, _, in, ok := l.PointOf(video.Position{Lat: at.Lat, Lon: at.Lon}); ok && in {
			within++
		}
	}
	if packets != within || packets < 3 {
		t.Errorf("intervals hold %d packets, %d show the place", packets, within)
	}
}

// A reader who may not see a video's observation is told nothing of it.
func TestVideosThatAReaderMayNotSeeAreNotAsked(t *testing.T) {
	ctx := context.Background()
	dir := missionOf(t, "video/camera-1.ts")
	_, looks := videoOf(t, dir)
	a := openTest(t, t.TempDir())
	if _, _, err := a.Run(ctx, dir, RunOptions{Seed: 1, WithoutMovers: true}); err != nil {
		t.Fatal(err)
	}
	q := video.Question{At: looks[0].Ray.LatLon()}
	if doc, err := a.FindInVideos(ctx, access.Whole(), q); err != nil || len(doc.Videos) != 1 || doc.Asked != 1 {
		t.Fatal(doc, err)
	}
	if doc, err := a.FindInVideos(ctx, access.Of(), q); err != nil || len(doc.Videos) != 0 || doc.Asked != 0 {
		t.Error(doc, err)
	}
	q.From = looks[len(looks)-1].Time.Add(time.Hour)
	if doc, err := a.FindInVideos(ctx, access.Whole(), q); err != nil || doc.Asked != 0 {
		t.Error("a video that ended before was asked", doc, err)
	}
}

// The cells of thinned footprints cover what the camera passed over between two of them, and all of a large picture.
func TestFootprintCellsLeaveNoGroundOut(t *testing.T) {
	square := func(at geodesy.LatLon, half float64) (f video.Footprint) {
		f.HasTime = true
		for k, az := range []float64{315, 45, 135, 225} {
			f.Ring[k] = geodesy.Destination(at, az, half*math.Sqrt2)
		}
		return f
	}
	at := geodesy.LatLon{Lat: 24.8, Lon: -107.4}
	a, b := square(at, 5000), square(geodesy.Destination(at, 60, 30e3), 100)
	b.Time = a.Time.Add(30 * time.Second)
	touches := func(cells []uint64, p geodesy.LatLon) bool {
		for _, c := range cellsAbout(p, 0) {
			for _, d := range cells {
				if geodesy.CellOf(geodesy.CellCenter(s2.CellID(c)), s2.CellID(d).Level()) == s2.CellID(d) || s2.CellID(c).Contains(s2.CellID(d)) {
					return true
				}
			}
		}
		return false
	}
	cells := cellsOver([]video.Footprint{a, b})
	for _, m := range []float64{0, 2000, 4900, 9000, 15e3, 25e3, 30e3} {
		if !touches(cells, geodesy.Destination(at, 60, m)) {
			t.Errorf("%g m along the way no cell", m)
		}
	}
	if touches(cells, geodesy.Destination(at, 240, 20e3)) {
		t.Error("a cell where nobody looked")
	}
	b.Time = a.Time.Add(10 * time.Minute)
	if touches(cellsOver([]video.Footprint{a, b}), geodesy.Destination(at, 60, 18e3)) {
		t.Error("ten minutes between two pictures are taken for a pass")
	}
}
