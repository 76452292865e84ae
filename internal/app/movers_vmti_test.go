package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/detect/mover/movertest"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// noon is when the made videos begin. SYNTHETIC.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// flying is the metadata of a sensor 1000 m above ground, s seconds after noon: it flies north at 40 m/s and looks down by 50 degrees.
func flying(t testing.TB, s float64) []byte {
	t.Helper()
	b, err := klv.Encode0601(klv.Time(2, noon.Add(time.Duration(s*1e9))), klv.TextOf(3, "SYNTHETIC"), klv.TextOf(11, "EO"), klv.Number(5, 0), klv.Number(6, 0), klv.Number(7, 0),
		klv.Number(13, 24.8+s*40/110_800), klv.Number(14, -107.4), klv.Number(75, 1050), klv.Number(78, 50), klv.Number(16, 20), klv.Number(17, 11.5),
		klv.Number(18, 0), klv.Number(19, -50), klv.Number(20, 0), klv.Integer(65, 19))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// units are all units of a transport stream, by PID.
func units(t testing.TB, b []byte) map[uint16][]mpegts.Unit {
	t.Helper()
	d := mpegts.NewDemuxer(bytes.NewReader(b))
	d.Take(func(s mpegts.Stream) bool { return s.IsVideo() || s.IsSound() })
	out := map[uint16][]mpegts.Unit{}
	for {
		u, err := d.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		u.Data = bytes.Clone(u.Data)
		out[u.PID] = append(out[u.PID], u)
	}
	if list, n := d.Problems(); len(list)+n > 0 {
		t.Fatalf("the stream has faults: %v", list)
	}
	return out
}

func muxed(t testing.TB, outputs []mpegts.Output, units []mpegts.Unit) []byte {
	t.Helper()
	slices.SortStableFunc(units, func(a, b mpegts.Unit) int { return int(a.DTS - b.DTS) })
	var b bytes.Buffer
	w, err := mpegts.NewProgram(&b, outputs...)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range units {
		if err := w.WriteUnit(u); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

const (
	videoPID = 0x100
	klvPID   = 0x101
	soundPID = 0x102
)

// reel is a stream of pictures that refer to later ones, metadata at each, and sound. Nothing decodes the pictures.
func reel(t testing.TB, frames int, first int64) []byte {
	t.Helper()
	var all []mpegts.Unit
	for i := range frames {
		pts := first + int64(3000*i)
		u := mpegts.Unit{Kind: mpegts.Pictures, PID: videoPID, PTS: pts, DTS: pts - 6000 + int64(3000*(i%3)), HasPTS: true, Random: i%12 == 0}
		if u.Random {
			u.Data = slices.Concat([]byte{0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xf6, 0x80}, []byte{0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80}, []byte{0, 0, 0, 1, 0x65, 0x88, 0x84, 0x21})
		} else {
			u.Data = []byte{0, 0, 0, 1, 0x41, 0x9a | byte(i%12>>3), byte(i%12)<<5 | 8, 0x21}
		}
		u.Data = append(u.Data, bytes.Repeat([]byte{byte(0xa0 + i%32)}, 300+i)...)
		all = append(all, u, mpegts.Unit{PID: klvPID, Data: flying(t, float64(i)/30), PTS: pts, DTS: pts, HasPTS: true})
		if i%2 == 0 {
			all = append(all, mpegts.Unit{Kind: mpegts.Sound, PID: soundPID, Data: bytes.Repeat([]byte{byte(i)}, 200), PTS: pts, DTS: pts, HasPTS: true})
		}
	}
	return muxed(t, []mpegts.Output{{PID: videoPID, StreamType: 0x1b}, {PID: klvPID, StreamType: 0x06}, {PID: soundPID, StreamType: 0x0f}}, all)
}

// found are two tracks over such a reel of 640 x 480: one throughout, one for ten frames that coasts in the last three.
func found(frames int, first float64) *app.Movers {
	m := &app.Movers{Schema: "atalaya.movers/1", Width: 640, Height: 480, RateHz: 30}
	slow := 0.1
	for i := range frames {
		f := app.MoverFrame{PTS: first + float64(i)/30, Locked: true}
		if i >= 12 {
			f.Slowest = &slow
		}
		m.Frames = append(m.Frames, f)
	}
	long, short := app.MoverTrack{ID: 4}, app.MoverTrack{ID: 1}
	for i := 12; i < frames; i++ {
		lat, lon, v, sigma := 24.807+float64(i)*1e-5, -107.4+float64(i)*1e-5, 3.0, 0.2
		long.Points = append(long.Points, app.MoverPoint{PTS: m.Frames[i].PTS, X: 100.25 + 3*float64(i), Y: 200.75, W: 12, H: 8, Covariance: [3]float64{0.2, 0, 0.2}, Lat: &lat, Lon: &lon, Speed: &v, SpeedSigma: &sigma})
		if i < 22 {
			short.Points = append(short.Points, app.MoverPoint{PTS: m.Frames[i].PTS, X: 500, Y: 100 + 2*float64(i), W: 6, H: 6, Coasted: i >= 19})
		}
	}
	m.Tracks = []app.MoverTrack{short, long}
	return m
}

func write(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "reel.ts")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sets are the VMTI sets of a stream, by presentation time in ticks.
func sets(t testing.TB, list []mpegts.Unit) (order []int64, out map[int64]*klv.Set) {
	t.Helper()
	out = map[int64]*klv.Set{}
	for _, u := range list {
		s, err := klv.Decode(u.Data)
		if err != nil || s.Standard != klv.ST0903 || s.Checksum != klv.Right || len(s.Problems) > 0 {
			t.Fatalf("at %d: %v, %v", u.PTS, err, s.Problems)
		}
		if !u.Sync || !u.HasPTS || out[u.PTS] != nil {
			t.Fatalf("at %d: synchronous %v, twice %v", u.PTS, u.Sync, out[u.PTS] != nil)
		}
		order, out[u.PTS] = append(order, u.PTS), &s
	}
	return order, out
}

func TestTracksGoIntoACopyOfTheirVideo(t *testing.T) {
	for name, first := range map[string]int64{"plain": 126000, "over the wrap of the time stamps": 1<<33 - 60000} {
		const frames = 60
		source := reel(t, frames, first)
		path, m := write(t, source), found(frames, float64(first)/90000)
		if first > 1<<32 { // another reader may count from the wrap
			m = found(frames, float64(first-1<<33)/90000)
		}
		var out bytes.Buffer
		done, remarks, err := app.MarkVideo(t.Context(), path, m, "test", &out)
		if err != nil || len(remarks) > 0 {
			t.Fatal(name, err, remarks)
		}
		was, is := units(t, source), units(t, out.Bytes())
		for pid, want := range was {
			got := is[pid]
			if len(got) != len(want) {
				t.Fatalf("%s: PID 0x%x: %d units, want %d", name, pid, len(got), len(want))
			}
			for i := range want {
				if a, b := want[i], got[i]; !bytes.Equal(a.Data, b.Data) || a.PTS != b.PTS || a.DTS != b.DTS || a.Random != b.Random || a.Sync != b.Sync {
					t.Fatalf("%s: PID 0x%x: unit %d is not as it was", name, pid, i)
				}
			}
		}
		if len(is) != 4 || done.Packets != frames-12 || done.Targets != frames-12+10 || done.Placed != frames-12 || done.Timed != frames-12 {
			t.Fatalf("%s: %d streams, %+v", name, len(is), done)
		}
		order, all := sets(t, is[done.PID])
		if len(order) != done.Packets || !slices.IsSorted(order) || order[0] != first+12*3000 {
			t.Fatalf("%s: %d sets from %d on", name, len(order), order[0])
		}
		var state klv.VMTIState
		for i, pts := range order {
			list, problems := state.Targets(all[pts])
			if at, _ := all[pts].Number(2); int64(at) != noon.Add(time.Duration(float64(i+12)/30*1e9)).UnixMicro() {
				t.Errorf("%s: frame %d: time %v", name, i, at)
			}
			if len(problems) > 0 || state.FrameWidth != 640 || state.FrameHeight != 480 || state.Version != 6 || len(list) != 1+min(1, max(0, 10-i)) {
				t.Fatalf("%s: frame %d: %d targets, %+v, %v", name, i, len(list), state, problems)
			}
			for _, g := range list {
				k := slices.IndexFunc(m.Tracks, func(t app.MoverTrack) bool { return int64(t.ID) == g.ID })
				p := m.Tracks[k].Points[i]
				if right, down := g.Centroid.Center(); math.Abs(right-p.X) > 0.5 || math.Abs(down-p.Y) > 0.5 {
					t.Errorf("%s: frame %d: track %d at %+v, want %g, %g", name, i, g.ID, g.Centroid, p.X, p.Y)
				}
				status, _ := g.Node.Field("VTarget").Item(23).Int()
				if g.HasLocation != (p.Lat != nil) || status == 4 != p.Coasted {
					t.Errorf("%s: frame %d: track %d: placed %v, status %d", name, i, g.ID, g.HasLocation, status)
				}
			}
		}
	}
}

// As `video georef` reads the copy, each target of a track with places lies at its track's place.
func TestACopyIsGeoreferencedWhereTheTracksAre(t *testing.T) {
	const frames = 60
	m := found(frames, 1.4)
	var out bytes.Buffer
	done, _, err := app.MarkVideo(t.Context(), write(t, reel(t, frames, 126000)), m, "test", &out)
	if err != nil {
		t.Fatal(err)
	}
	n := georeferenced(t, out.Bytes(), done, m)
	if n != frames-12 {
		t.Errorf("%d places compared, want %d", n, frames-12)
	}
}

// georeferenced holds what the reader of a marked copy says of its targets against their tracks.
func georeferenced(t *testing.T, b []byte, done app.MoversVMTI, m *app.Movers) (n int) {
	t.Helper()
	points := map[int64]map[int]*app.MoverPoint{}
	for i := range m.Tracks {
		for j := range m.Tracks[i].Points {
			p := &m.Tracks[i].Points[j]
			at := int64(math.Round(p.PTS * 90000))
			if points[at] == nil {
				points[at] = map[int]*app.MoverPoint{}
			}
			points[at][m.Tracks[i].ID] = p
		}
	}
	err := video.ReadLooks(video.NewReader(bytes.NewReader(b)), video.DefaultSigmas, func(p *video.Packet, l *video.Look) error {
		if p.PID != done.PID {
			return nil
		}
		here := points[int64(math.Round(p.PTS*90000))]
		if len(l.Targets) > len(here) || len(l.Problem) > 0 {
			t.Errorf("%g s: %d targets of %d tracks, %v", p.PTS, len(l.Targets), len(here), l.Problem)
		}
		for _, g := range l.Targets {
			k := here[int(g.ID)]
			if k == nil || math.Abs(float64(g.Col)-0.5-k.X) > 0.5 || math.Abs(float64(g.Row)-0.5-k.Y) > 0.5 {
				t.Errorf("%g s: target %d at row %d, column %d; the track says %+v", p.PTS, g.ID, g.Row, g.Col, k)
				continue
			}
			if k.Lat == nil {
				continue
			}
			n++
			// ST 1201 cuts a place off to 2.4 cm
			if d := geodesy.Distance(g.Reported.LatLon(), geodesy.LatLon{Lat: *k.Lat, Lon: *k.Lon}); !g.HasReported || d > 0.05 || g.Method == "" {
				t.Errorf("%g s: target %d by %q, its place %.2f m from its track's", p.PTS, g.ID, g.Method, d)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A private stream of which nothing is known is left out of the copy, and that is told.
func TestWhatCannotBeCopiedIsTold(t *testing.T) {
	var all []mpegts.Unit
	for _, list := range units(t, reel(t, 20, 126000)) {
		all = append(all, list...)
	}
	all = append(all, mpegts.Unit{PID: 0x1f0, Data: []byte("SYNTHETIC"), PTS: 126000, DTS: 126000, HasPTS: true})
	source := muxed(t, []mpegts.Output{{PID: videoPID, StreamType: 0x1b}, {PID: klvPID, StreamType: 0x06}, {PID: soundPID, StreamType: 0x0f}, {PID: 0x1f0, StreamType: 0x80}}, all)
	var out bytes.Buffer
	_, remarks, err := app.MarkVideo(t.Context(), write(t, source), found(20, 1.4), "test", &out)
	if err != nil || len(remarks) != 1 || !strings.Contains(remarks[0].What, "PID 0x1f0 (stream type 0x80)") {
		t.Fatal(err, remarks)
	}
	if n := len(units(t, out.Bytes())); n != 4 {
		t.Errorf("%d streams", n)
	}
}

func TestOnlyTransportStreamsAreMarked(t *testing.T) {
	if err := app.CanMark(write(t, flying(t, 0))); err == nil || !strings.Contains(err.Error(), "transport streams") {
		t.Errorf("raw metadata: %v", err)
	}
	if err := app.CanMark(write(t, nil)); err == nil {
		t.Error("an empty file is one")
	}
	if err := app.CanMark(write(t, reel(t, 2, 126000))); err != nil {
		t.Error(err)
	}
}

// film is a made film of movers with metadata at every frame; it needs ffmpeg.
func film(t *testing.T) string {
	t.Helper()
	s := movertest.Usual(3)
	s.Frames, s.Targets = 90, 5
	return filmed(t, s, 2e6, func(s float64) ([]byte, error) { return flying(t, s), nil })
}

// filmed is a scene as a file, so many bits a second, with what camera says at every frame. It needs ffmpeg.
func filmed(t testing.TB, s movertest.Scene, bits int, camera func(s float64) ([]byte, error)) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "film.ts")
	if err := movertest.EncodeWith(t.Context(), s, path, bits, camera); err != nil {
		t.Skip(err)
	}
	return path
}

// The whole way: pixels, tracks, a marked copy; and another program's word that the pictures are the same and the streams are there.
func TestMoversOfAFilmAreMarked(t *testing.T) {
	path := film(t)
	m, err := app.FindMovers(t.Context(), path, app.MoverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Tracks) == 0 || len(m.Problems) > 0 {
		t.Fatalf("%d tracks, %v", len(m.Tracks), m.Problems)
	}
	marked := filepath.Join(t.TempDir(), "marked.ts")
	f, err := os.Create(marked)
	if err != nil {
		t.Fatal(err)
	}
	done, remarks, err := app.MarkVideo(t.Context(), path, m, "test", f)
	if err = errors.Join(err, f.Close()); err != nil || len(remarks) > 0 {
		t.Fatal(err, remarks)
	}
	b, err := os.ReadFile(marked)
	if err != nil {
		t.Fatal(err)
	}
	points := 0
	for _, track := range m.Tracks {
		points += len(track.Points)
	}
	if n := georeferenced(t, b, done, m); n < points*9/10 || done.Targets != points {
		t.Errorf("%d of %d points are targets, %d with places", done.Targets, points, n)
	}
	t.Logf("%d tracks, %d points, %d sets", len(m.Tracks), points, done.Packets)
	a, z := frameSums(t, path), frameSums(t, marked)
	if !slices.Equal(a, z) {
		t.Errorf("%d pictures decode otherwise than %d", len(z), len(a))
	}
	streams := strings.Fields(output(t, "ffprobe", "-v", "error", "-show_entries", "stream=index,codec_name", "-of", "csv=p=0", marked))
	slices.Sort(streams) // it tells each once by itself and once in its program
	if !slices.Equal(slices.Compact(streams), []string{"0,h264", "1,klv", "2,klv"}) {
		t.Errorf("ffprobe sees %q", streams)
	}
	packets := strings.Fields(output(t, "ffprobe", "-v", "error", "-select_streams", "d:1", "-show_entries", "packet=pts", "-of", "csv=p=0", marked))
	if len(packets) != done.Packets {
		t.Errorf("ffprobe sees %d packets of targets, want %d", len(packets), done.Packets)
	}
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed: another reader's word is missing", name)
	}
	out, err := exec.CommandContext(t.Context(), p, args...).Output()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return string(out)
}

// frameSums are sums of the decoded pictures, by another program.
func frameSums(t *testing.T, path string) (out []string) {
	t.Helper()
	for line := range strings.Lines(output(t, "ffmpeg", "-v", "error", "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5", "-")) {
		if i := strings.LastIndex(line, ","); line[0] != '#' && i >= 0 {
			out = append(out, strings.TrimSpace(line[i+1:]))
		}
	}
	return out
}

// ExifTool knows the items of ST 0601, and of other sets their tags. It takes synchronous streams alone.
func TestExifToolReadsTheSameValues(t *testing.T) {
	const frames = 30
	var all []mpegts.Unit
	for _, list := range units(t, reel(t, frames, 126000)) {
		all = append(all, list...)
	}
	source := muxed(t, []mpegts.Output{{PID: videoPID, StreamType: 0x1b}, {PID: klvPID, StreamType: 0x15}, {PID: soundPID, StreamType: 0x0f}}, all)
	var marked bytes.Buffer
	done, _, err := app.MarkVideo(t.Context(), write(t, source), found(frames, 1.4), "test", &marked)
	if err != nil {
		t.Fatal(err)
	}
	var docs []map[string]any
	if err := json.Unmarshal([]byte(output(t, "exiftool", "-ee3", "-U", "-a", "-G3", "-n", "-j", write(t, marked.Bytes()))), &docs); err != nil || len(docs) != 1 {
		t.Fatal(err)
	}
	n := map[*klv.Standard]int{}
	d := mpegts.NewDemuxer(bytes.NewReader(marked.Bytes()))
	for i := 1; ; i++ {
		u, err := d.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		set, err := klv.Decode(u.Data)
		if err != nil {
			t.Fatal(err)
		}
		n[set.Standard]++
		names := map[uint32]string{13: "GPSLatitude", 14: "GPSLongitude", 16: "HorizontalFieldOfView", 17: "VerticalFieldOfView", 18: "SensorRelativeAzimuthAngle",
			19: "SensorRelativeElevationAngle", 65: "UAS_LSVersionNumber", 75: "SensorEllipsoidHeight", 78: "FrameCenterHeightAboveEllipsoid", 1: "Checksum"}
		if set.Standard == klv.ST0903 {
			names = map[uint32]string{}
			for _, tag := range []uint32{1, 2, 4, 5, 6, 8, 9} {
				names[tag] = fmt.Sprintf("MISB_Unknown_0x%04x", tag)
			}
		}
		for tag, name := range names {
			want, _ := set.Number(tag)
			told := docs[0][fmt.Sprintf("Doc%d:%s", i, name)]
			got, err := strconv.ParseFloat(fmt.Sprint(told), 64)
			// it writes fifteen digits, and divides by the greatest integer where ST 0601 has one less: 2.4e-10 of the range
			if err != nil || math.Abs(got-want) > 4e-7 {
				t.Errorf("packet %d (ST %s): %s is %v, want %.9g", i, set.Standard.Name, name, told, want)
			}
		}
	}
	if n[klv.ST0601] != frames || n[klv.ST0903] != done.Packets {
		t.Errorf("%d packets of the camera and %d of targets compared", n[klv.ST0601], n[klv.ST0903])
	}
}
