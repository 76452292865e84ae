package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/Eyevinn/mp4ff/mp4"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/sense/check"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
	"github.com/atalaya-isr/atalaya/store"
)

// filmed is a record of a mission that holds the shared video files named, and nothing else.
func filmed(t testing.TB, marking string, names ...string) *App {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("mission.yaml", []byte("name: SYNTHETIC videos\nmarking: "+marking+"\n"))
	for _, n := range names {
		b, err := os.ReadFile(fixture.Shared(t, "video/"+n))
		if err != nil {
			t.Fatal(err)
		}
		write(n, b)
	}
	return ran(t, dir)
}

func ran(t testing.TB, dir string) *App {
	t.Helper()
	a := openTest(t, t.TempDir())
	if _, _, err := a.Run(context.Background(), dir, RunOptions{Seed: 1, WithoutMovers: true}); err != nil {
		t.Fatal(err)
	}
	return a
}

// video opens the video of a file of the mission.
func (a *App) open(t testing.TB, path string) (string, VideoView) {
	t.Helper()
	list, err := a.Videos(context.Background(), access.Whole(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list.Videos {
		if r.Observation.Path == path {
			v, err := a.Video(context.Background(), access.Whole(), string(r.Observation.ID))
			if err != nil {
				t.Fatal(err)
			}
			return string(r.Observation.ID), v
		}
	}
	t.Fatalf("no video %s among %+v", path, list.Videos)
	return "", VideoView{}
}

func notHeld(string) bool { return false }

func (a *App) chunk(t testing.TB, id string, n int) (c VideoChunk) {
	t.Helper()
	b, err := a.VideoTrack(context.Background(), access.Whole(), id, n, notHeld)
	if err == nil {
		err = json.Unmarshal(b.Body, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func sent(t testing.TB, p VideoPart, err error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err == nil {
		err = p.Write(&b)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestVideosAreListedWithWhetherTheyPlay(t *testing.T) {
	a := filmed(t, "(U//SYNTHETIC)", "h264_klv.ts", "h265_klv.ts", "mpeg2_klv.ts", "osh-first-75.ts", "truck-411.klv")
	list, err := a.Videos(context.Background(), access.Whole(), "")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]VideoPicture{}
	for _, r := range list.Videos {
		got[r.Observation.Path] = r.Picture
	}
	for path, want := range map[string]struct {
		play          Playability
		codec         string
		width, height int
	}{
		"h264_klv.ts": {Plays, "h264", 160, 120}, "h265_klv.ts": {Perhaps, "h265", 160, 120}, "mpeg2_klv.ts": {Cannot, "mpeg2video", 160, 120},
		"osh-first-75.ts": {Plays, "h264", 640, 480}, "truck-411.klv": {NoImage, "", 0, 0},
	} {
		if p := got[path]; p.Play != want.play || p.Codec != want.codec || p.Width != want.width || p.Height != want.height {
			t.Errorf("%s: %+v, want %+v", path, p, want)
		}
	}
	if len(list.Videos) != 5 || !strings.Contains(list.Banner.Text, "SYNTHETIC") {
		t.Errorf("%d videos under %q", len(list.Videos), list.Banner.Text)
	}
	for path, why := range map[string]error{"mpeg2_klv.ts": nil, "truck-411.klv": nil} {
		id, v := a.open(t, path)
		if v.Type != "" || v.Metadata.Packets == 0 || len(v.Trail) == 0 {
			t.Errorf("%s: type %q, %d packets, %d on the trail", path, v.Type, v.Metadata.Packets, len(v.Trail))
		}
		if _, err := a.VideoSegments(context.Background(), access.Whole(), id, 0, 1, notHeld); !isNotFound(err) {
			t.Errorf("%s: a segment: %v %v", path, err, why)
		}
	}
}

// The pictures that a browser gets are those of the stream at the stream's own times, whichever group is asked for.
func TestSegmentsHoldThePicturesAtTheirTimes(t *testing.T) {
	a := filmed(t, "(U//SYNTHETIC)", "aphill_short.ts", "osh-first-75.ts", "h264_klv.ts")
	for path, pictures := range map[string]int{"aphill_short.ts": 48, "osh-first-75.ts": 76, "h264_klv.ts": 30} {
		id, v := a.open(t, path)
		var frames []int64
		for n := int(math.Floor(v.From / v.ChunkS)); n <= int(math.Floor(v.To/v.ChunkS)); n++ {
			frames = append(frames, a.chunk(t, id, n).Frames...)
		}
		if v.Pictures != pictures || len(frames) != pictures || v.Picture.Play != Plays || len(v.Shifts) != 0 {
			t.Fatalf("%s: %d pictures, %d in chunks, want %d; %+v", path, v.Pictures, len(frames), pictures, v.Picture)
		}
		ctx, whole := context.Background(), access.Whole()
		part, err := a.VideoInit(ctx, whole, id, 0, notHeld)
		init := sent(t, part, err)
		name := part.Init
		var shown []int64
		for n := range v.Segments {
			part, err := a.VideoSegments(ctx, whole, id, n, 1, notHeld)
			b := sent(t, part, err)
			if part.Init != name || part.Kind != v.Type {
				t.Errorf("%s: segment %d wants configuration %s (%s), not %s (%s)", path, n, part.Init, part.Kind, name, v.Type)
			}
			shown = append(shown, presented(t, init, b)...)
		}
		slices.Sort(shown)
		if !slices.Equal(shown, frames) {
			t.Errorf("%s: shown at\n%v\nthe track says\n%v", path, shown, frames)
		}
		shown = nil
		for n := 0; n < v.Segments; { // the same in batches
			part, err := a.VideoSegments(ctx, whole, id, n, 3, notHeld)
			shown = append(shown, presented(t, init, sent(t, part, err))...)
			if n += part.Groups; part.Groups < 1 || part.Groups > 3 {
				t.Fatalf("%s: %d groups at once", path, part.Groups)
			}
		}
		if slices.Sort(shown); !slices.Equal(shown, frames) {
			t.Errorf("%s: in batches shown at\n%v\nthe track says\n%v", path, shown, frames)
		}
	}
}

// presented lists the presentation times of a media segment, ticks.
func presented(t testing.TB, init, segment []byte) (out []int64) {
	t.Helper()
	f, err := mp4.DecodeFile(bytes.NewReader(slices.Concat(init, segment)))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range f.Segments {
		for _, g := range s.Fragments {
			samples, err := g.GetFullSamples(f.Init.Moov.Mvex.Trex)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range samples {
				out = append(out, int64(x.DecodeTime)+int64(x.CompositionTimeOffset))
			}
		}
	}
	return out
}

func TestTheTrackIsThatOfTheWholeFileWhereverItIsRead(t *testing.T) {
	a := filmed(t, "(U//SYNTHETIC)", "osh-first-75.ts", "truck-411.klv", "aphill_short.ts")
	compared := 0
	for path, want := range map[string]struct {
		packets int
		clock   clockKind
	}{"osh-first-75.ts": {75, byPTS}, "truck-411.klv": {411, byTime}, "aphill_short.ts": {48, byPTS}} {
		id, v := a.open(t, path)
		if v.Metadata.Packets != int64(want.packets) || v.Metadata.Clock != want.clock || v.Bounds == nil {
			t.Errorf("%s: %+v", path, v.Metadata)
		}
		n, last := 0, math.Inf(-1)
		stands := map[string]string{} // what was said last in the chunks so far
		for k := int(math.Floor(v.From / v.ChunkS)); k <= int(math.Floor(v.To/v.ChunkS)); k++ {
			c := a.chunk(t, id, k)
			items := map[string]bool{}
			for i, p := range c.Packets {
				if p.PTS < c.From {
					if i != 0 || p.PTS != last {
						t.Errorf("%s: chunk %d begins with a packet at %v, the last one was at %v", path, k, p.PTS, last)
					}
				} else if n++; p.PTS < last {
					t.Errorf("%s: time goes back to %v", path, p.PTS)
				}
				last = p.PTS
				said := saidBy(t, c, p)
				if i == 0 && p.PTS < c.From {
					compared++
				}
				if i == 0 && p.PTS < c.From && !maps.Equal(said, stands) {
					t.Errorf("%s: chunk %d begins with %d items that stand, the one before ended with %d", path, k, len(said), len(stands))
				} else {
					maps.Copy(stands, said)
				}
				for _, row := range p.Items {
					var k int
					if err := json.Unmarshal(row[0], &k); err != nil || k >= len(c.Names) {
						t.Fatalf("%s: item %s of %d names", path, row[0], len(c.Names))
					}
					items[c.Names[k].Name] = true
				}
				if i == 0 && !(items["Sensor Latitude"] || items["Device Latitude"]) {
					t.Errorf("%s: the first packet of chunk %d says %d items, no latitude", path, k, len(items))
				}
			}
		}
		if n != want.packets {
			t.Errorf("%s: %d packets in the chunks, want %d", path, n, want.packets)
		}
	}
	if compared == 0 {
		t.Error("no chunk begins with what stood before it")
	}
}

// saidBy are the items of a packet, by their tag.
func saidBy(t testing.TB, c VideoChunk, p VideoPacket) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, row := range p.Items {
		var k int
		if err := json.Unmarshal(row[0], &k); err != nil {
			t.Fatal(err)
		}
		out[c.Names[k].Tag] = string(bytes.Join(toBytes(row[1:]), []byte(" ")))
	}
	return out
}

func toBytes(row []json.RawMessage) (out [][]byte) {
	for _, v := range row {
		out = append(out, v)
	}
	return out
}

// The middle of the picture lies where the metadata say that the frame center is, within what the truth of the clip allows (0.35 m).
func TestThePixelInTheMiddleIsTheFrameCenter(t *testing.T) {
	a := filmed(t, "(U//SYNTHETIC)", "osh-first-75.ts")
	id, v := a.open(t, "osh-first-75.ts")
	ctx, whole := context.Background(), access.Whole()
	for _, p := range a.chunk(t, id, 0).Packets {
		at, err := a.VideoPixel(ctx, whole, id, p.PTS, float64(v.Picture.Width)/2, float64(v.Picture.Height)/2)
		if err != nil || at.Place == nil || at.Place.Ellipse == nil || p.Reported == nil {
			t.Fatalf("%v: %+v", err, at)
		}
		d := geodesy.Distance(geodesy.LatLon{Lat: at.Place.Lat, Lon: at.Place.Lon}, geodesy.LatLon{Lat: p.Reported.Lat, Lon: p.Reported.Lon})
		if d > 0.35 || at.Place.AgeS != 0 || len(at.Place.RingPx) != ringOf || !at.Time.Equal(*p.Time) {
			t.Errorf("at %.3f s: %.3f m off, age %v, %d points, time %v", p.PTS, d, at.Place.AgeS, len(at.Place.RingPx), at.Time)
		}
	}
	// A click on the map finds the time back, and the pixel.
	mid, err := a.VideoPixel(ctx, whole, id, 3, 200, 300)
	if err != nil || mid.Place == nil {
		t.Fatal(mid, err)
	}
	seek, err := a.VideoSeek(ctx, whole, id, geodesy.LatLon{Lat: mid.Place.Lat, Lon: mid.Place.Lon})
	if err != nil || len(seek.Times) != 1 {
		t.Fatalf("%+v %v", seek, err)
	}
	s := seek.Times[0]
	if s.From > 3 || s.To < 3 || s.X == nil || s.Time == nil {
		t.Errorf("in view from %v to %v: %+v", s.From, s.To, s)
	}
	if far, err := a.VideoSeek(ctx, whole, id, geodesy.LatLon{Lat: -10, Lon: 10}); err != nil || len(far.Times) != 0 {
		t.Errorf("ground on another continent was in view: %+v %v", far, err)
	}
	for _, bad := range [][2]float64{{-1, 5}, {5, 481}, {math.NaN(), 5}} {
		if _, err := a.VideoPixel(ctx, whole, id, 3, bad[0], bad[1]); atalaya.KindOf(err) != atalaya.BadUse {
			t.Errorf("pixel %v: %v", bad, err)
		}
	}
	if p, err := a.VideoPixel(ctx, whole, id, 30, 5, 5); err != nil || p.Place != nil || p.Why == "" {
		t.Errorf("a time without metadata: %+v %v", p, err)
	}
}

// Who may not see a video gets the answer of who asks for one that is not there.
func TestAVideoThatIsWithheldIsNotThere(t *testing.T) {
	a := filmed(t, "(S//NF//SYNTHETIC)", "osh-first-75.ts", "h264_klv.ts")
	id, _ := a.open(t, "osh-first-75.ts")
	ctx, nobody := context.Background(), access.Of()
	list, err := a.Videos(ctx, nobody, "")
	if err != nil || len(list.Videos) != 0 {
		t.Errorf("%+v %v", list, err)
	}
	who := Account{ID: "acct_x", Name: "SYNTHETIC", Role: "analyst"}
	for what, err := range map[string]error{
		"video":     second(a.Video(ctx, nobody, id)),
		"track":     second(a.VideoTrack(ctx, nobody, id, 0, func(string) bool { return true })),
		"segment":   second(a.VideoSegments(ctx, nobody, id, 0, 1, func(string) bool { return true })),
		"init":      second(a.VideoInit(ctx, nobody, id, 0, func(string) bool { return true })),
		"pixel":     second(a.VideoPixel(ctx, nobody, id, 3, 1, 1)),
		"seek":      second(a.VideoSeek(ctx, nobody, id, geodesy.LatLon{})),
		"check":     second(a.VideoCheck(ctx, nobody, id)),
		"call-outs": second(a.CallOuts(ctx, who, nobody, id)),
		"call-out":  second(a.CallOut(ctx, who, nobody, id, CallOutDraft{PTS: 3, What: "SYNTHETIC"})),
	} {
		_, missing := a.Video(ctx, access.Whole(), "obs_none")
		if !isNotFound(err) || !isNotFound(missing) {
			t.Errorf("%s: %v; one that is not there: %v", what, err, missing)
		}
	}
}

// What the room shows is what `video check` finds, each place on the line of the video.
func TestTheCheckOfAVideoIsThatOfTheCommand(t *testing.T) {
	a := filmed(t, "(U//SYNTHETIC)", "osh-first-75.ts", "aphill_short.ts", "truck-411.klv")
	for _, name := range []string{"osh-first-75.ts", "aphill_short.ts", "truck-411.klv"} {
		id, v := a.open(t, name)
		f, err := os.Open(fixture.Shared(t, "video/"+name))
		if err != nil {
			t.Fatal(err)
		}
		want, err := check.Check(f, check.Default)
		f.Close()
		got, err2 := a.VideoCheck(context.Background(), access.Whole(), id)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if got.Verdict != want.Verdict || got.Errors != want.Errors || got.Warnings != want.Warnings || got.Notes != want.Notes || len(got.Findings) != len(want.Findings) || len(got.Findings) == 0 ||
			got.Banner.Text != "UNCLASSIFIED//SYNTHETIC" || got.Container != want.Container {
			t.Fatalf("%s: %+v, the command says %s, %d errors, %d warnings, %d notes", name, got, want.Verdict, want.Errors, want.Warnings, want.Notes)
		}
		placed := 0
		for i, g := range got.Findings {
			w := want.Findings[i]
			if g.Class != w.Class || g.What != w.What || g.Remedy != w.Remedy || g.Severity != w.Severity.String() || g.At != w.At || g.Count != w.Count {
				t.Errorf("%s: finding %d: %+v, the command says %+v", name, i, g, w)
			}
			if g.From == nil {
				continue
			}
			if placed++; *g.From < v.From-1 || *g.From > v.To+1 || g.To == nil || *g.To < *g.From-1 {
				t.Errorf("%s: %s lies at %v to %v of a video from %.2f to %.2f s", name, g.Class, *g.From, g.To, v.From, v.To)
			}
		}
		if placed == 0 {
			t.Errorf("%s: nothing has a time", name)
		}
	}
}

// Who asks for a check and goes does not spoil it for the next.
func TestACheckThatNobodyWaitsForIsBegunAnew(t *testing.T) {
	a := filmed(t, "(U//SYNTHETIC)", "osh-first-75.ts")
	id, _ := a.open(t, "osh-first-75.ts")
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := a.VideoCheck(ctx, access.Whole(), id); err == nil {
		t.Error("a check for nobody ended well")
	}
	if c, err := a.VideoCheck(context.Background(), access.Whole(), id); err != nil || len(c.Findings) == 0 {
		t.Error(c, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestACallOutIsRecordedListedTakenBackAndRestored(t *testing.T) {
	a := filmed(t, "(U//SYNTHETIC)", "osh-first-75.ts")
	id, _ := a.open(t, "osh-first-75.ts")
	ctx, whole := context.Background(), access.Whole()
	ana, _, err := a.AddAccount(ctx, System, "Ana SYNTHETIC", "analyst", "eight or more")
	if err != nil {
		t.Fatal(err)
	}
	olga, _, err := a.AddAccount(ctx, System, "Olga SYNTHETIC", "observer", "eight or more")
	if err != nil {
		t.Fatal(err)
	}
	x, y, from, to := 320.0, 240.0, 2.5, 3.5
	first, err := a.CallOut(ctx, ana, whole, id, CallOutDraft{PTS: 3, X: &x, Y: &y, From: &from, To: &to, What: " SYNTHETIC white roof ", Confidence: ModerateConfidence})
	if err != nil || first.Event.Kind != store.DetectionMade {
		t.Fatal(first, err)
	}
	if _, err := a.CallOut(ctx, ana, whole, id, CallOutDraft{PTS: 4, What: "SYNTHETIC smoke"}); err != nil {
		t.Fatal(err)
	}
	for what, d := range map[string]CallOutDraft{
		"no words": {PTS: 3, What: " "}, "outside": {PTS: 99, What: "x"}, "half a pixel": {PTS: 3, X: &x, What: "x"}, "beside the picture": {PTS: 3, X: &x, Y: new(1e4), What: "x"},
		"ends first": {PTS: 3, From: &to, To: &from, What: "x"}, "sure": {PTS: 3, What: "x", Confidence: "certain"}, "not a number": {PTS: math.NaN(), What: "x"},
	} {
		if _, err := a.CallOut(ctx, ana, whole, id, d); atalaya.KindOf(err) != atalaya.BadUse {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := a.CallOut(ctx, olga, whole, id, CallOutDraft{PTS: 4, What: "x"}); atalaya.KindOf(err) != atalaya.Refused {
		t.Errorf("who may only look called out: %v", err)
	}
	list := a.callOutsOf(t, ana, id, 2)
	c := list[0]
	if c.What != "SYNTHETIC white roof" || c.ByName != "Ana SYNTHETIC" || c.Place == nil || c.Place.Ellipse == nil || len(c.Place.Ring) != ringOf || c.Time == nil || len(c.Missing) != 0 || c.Number != 1 {
		t.Errorf("listed as %+v", c)
	}
	if got := strings.Join(list[1].Missing, " "); got != "place confidence" {
		t.Errorf("the second lacks %q", got)
	}
	inbox, err := a.Inbox(ctx, whole, "")
	if err != nil || !slices.ContainsFunc(inbox.Detections, func(d InboxItem) bool {
		return d.ID == c.ID && d.Lat != nil && strings.Contains(d.Headline, "white roof")
	}) {
		t.Errorf("it does not lie in the inbox: %v", err)
	}
	if _, err := a.WithdrawCallOut(ctx, ana, whole, id, string(c.ID), ""); atalaya.KindOf(err) != atalaya.BadUse {
		t.Errorf("taken back without a reason: %v", err)
	}
	w, err := a.WithdrawCallOut(ctx, ana, whole, id, string(c.ID), "a SYNTHETIC shadow")
	if err != nil || w.Event.Subject != string(c.ID) {
		t.Fatal(w, err)
	}
	if got := a.callOutsOf(t, ana, id, 2)[0].Sorted; got == nil || got.Sorting != Withdrawn || got.Why != "a SYNTHETIC shadow" || got.ByName != "Ana SYNTHETIC" {
		t.Errorf("taken back, it is listed as %+v", got)
	}
	if _, err := a.WithdrawCallOut(ctx, ana, whole, id, string(c.ID), "again"); !isConflict(err) {
		t.Errorf("taken back twice: %v", err)
	}
	if _, err := a.RestoreCallOut(ctx, ana, whole, id, string(c.ID)); err != nil {
		t.Fatal(err)
	}
	if got := a.callOutsOf(t, ana, id, 2)[0].Sorted; got != nil {
		t.Errorf("restored, it is listed as %+v", got)
	}
	before := dump(t, a)
	if err := a.Record.Replay(ctx, nil); err != nil || !bytes.Equal(before, dump(t, a)) {
		t.Errorf("a replay makes another record: %v", err)
	}
	if _, err := a.Retract(ctx, ana, whole, atalaya.ObservationID(id), "SYNTHETIC error"); err != nil {
		t.Fatal(err)
	}
	if got := a.callOutsOf(t, ana, id, 2)[0].Standing; got != store.Tombstoned {
		t.Errorf("its video taken back, it is %s", got)
	}
	if _, err := a.CallOut(ctx, ana, whole, id, CallOutDraft{PTS: 4, What: "x"}); !isConflict(err) {
		t.Errorf("called out in a video that was taken back: %v", err)
	}
}

func (a *App) callOutsOf(t testing.TB, who Account, id string, want int) []CallOut {
	t.Helper()
	list, err := a.CallOuts(context.Background(), who, access.Whole(), id)
	if err != nil || len(list.CallOuts) != want || !strings.Contains(list.Banner.Text, "SYNTHETIC") {
		t.Fatalf("%+v %v, want %d", list, err, want)
	}
	return list.CallOuts
}

// A file that was put together from two recordings has every time once, and pictures and metadata stay together.
func TestTimesThatGoBackAreLaidBehindEachOther(t *testing.T) {
	b, err := os.ReadFile(fixture.Shared(t, "video/osh-first-75.ts"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "twice.ts"), slices.Concat(b, b), 0o600); err != nil {
		t.Fatal(err)
	}
	a := ran(t, dir)
	id, v := a.open(t, "twice.ts")
	c := a.chunk(t, id, 0)
	if len(v.Shifts) != 1 || len(c.Frames) != 152 || !slices.IsSorted(c.Frames) || len(c.Packets) != 150 {
		t.Fatalf("shifts %v, %d frames, %d packets", v.Shifts, len(c.Frames), len(c.Packets))
	}
	for i := range 75 {
		one, two := c.Packets[i], c.Packets[75+i]
		if math.Abs(two.PTS-one.PTS-v.Shifts[0][1]) > 1e-6 || !one.Time.Equal(*two.Time) {
			t.Fatalf("packet %d at %v, again at %v; shifted by %v", i, one.PTS, two.PTS, v.Shifts[0][1])
		}
	}
	part, err := a.VideoInit(context.Background(), access.Whole(), id, 0, notHeld)
	init := sent(t, part, err)
	var shown []int64
	for n := range v.Segments {
		part, err := a.VideoSegments(context.Background(), access.Whole(), id, n, 1, notHeld)
		shown = append(shown, presented(t, init, sent(t, part, err))...)
	}
	if slices.Sort(shown); !slices.Equal(shown, c.Frames) {
		t.Errorf("shown at %v, not at %v", shown, c.Frames)
	}
}

// A video without metadata is listed by its file; it plays, and says that there is nothing to put it on a map.
func TestPicturesWithoutMetadata(t *testing.T) {
	b, err := os.ReadFile(fixture.Shared(t, "video/osh-first-75.ts"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bare.ts"), without(t, b), 0o600); err != nil {
		t.Fatal(err)
	}
	a := ran(t, dir)
	id, v := a.open(t, "bare.ts")
	if !strings.HasPrefix(id, "file_") || v.Picture.Play != Plays || v.Metadata.Packets != 0 || v.Bounds != nil || v.Segments == 0 || len(v.Metadata.Spans) != 0 {
		t.Errorf("%s: %+v", id, v)
	}
	if c := a.chunk(t, id, 0); len(c.Packets) != 0 || len(c.Frames) != 76 {
		t.Errorf("%d packets, %d frames", len(c.Packets), len(c.Frames))
	}
	if p, err := a.VideoPixel(context.Background(), access.Whole(), id, 3, 1, 1); err != nil || p.Why == "" {
		t.Errorf("%+v %v", p, err)
	}
	list, err := a.CallOuts(context.Background(), Account{Role: "analyst"}, access.Whole(), id)
	if err != nil || list.May || list.WhyNot == "" {
		t.Errorf("%+v %v", list, err)
	}
}

// without is a stream without its metadata: their packets become null packets.
func without(t testing.TB, b []byte) []byte {
	t.Helper()
	d := mpegts.NewDemuxer(bytes.NewReader(b))
	for {
		if _, err := d.Next(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	out := bytes.Clone(b)
	for _, s := range d.Streams() {
		for at := 0; s.Metadata && at+188 <= len(out); at += 188 {
			if pid := uint16(out[at+1]&0x1f)<<8 | uint16(out[at+2]); pid == s.PID {
				out[at+1], out[at+2] = 0x1f, 0xff
			}
		}
	}
	return out
}

func TestTheLineOnlyGoesForward(t *testing.T) {
	var l timeLine
	for i, c := range []struct{ offset, dts, want int64 }{
		{0, 900000, 900000}, {188, 903000, 903000}, {376, 0, 906000}, {564, 3000, 909000}, {752, 100 * ticks, 912000}, {940, 100*ticks + 3000, 915000},
	} {
		if got := c.dts + l.take(c.offset, c.dts); got != c.want {
			t.Errorf("unit %d lies at %d, want %d", i, got, c.want)
		}
	}
	for _, c := range []struct{ offset, pts, want int64 }{
		{100, 901500, 901500}, {380, 903000, 903000}, // of the run before, a little late in the file
		{370, 3000, 909000}, {2000, 100 * ticks, 912000},
	} {
		if got := l.place(c.offset, c.pts); got != c.want {
			t.Errorf("%d at byte %d lies at %d, want %d", c.pts, c.offset, got, c.want)
		}
	}
	var early timeLine
	if got := -4000 + early.take(0, -4000); got < 0 {
		t.Errorf("a time below zero lies at %d", got)
	}
}

func TestARingHoldsWhatLiesInIt(t *testing.T) {
	at := func(lat, lon float64) geodesy.LatLon { return geodesy.LatLon{Lat: lat, Lon: lon} }
	over := []geodesy.LatLon{at(1, 179), at(1, -179), at(-1, -179), at(-1, 179)}
	for p, want := range map[geodesy.LatLon]bool{at(0, 180): true, at(0, -179.5): true, at(0, 178): false, at(2, 180): false, at(0, 0): false} {
		if encloses(over, p) != want {
			t.Errorf("over the antimeridian: %v is held: %v", p, !want)
		}
	}
	for _, e := range []geodesy.Ellipse{{MajorM: 30, MinorM: 10, AzimuthDeg: 20}, {MajorM: 7, MinorM: 7}, {MajorM: 5, MinorM: 1, AzimuthDeg: 170}} {
		got := geodesy.EllipseOf(covarianceOf(e), 0.95)
		if math.Abs(got.MajorM-e.MajorM) > 1e-9 || math.Abs(got.MinorM-e.MinorM) > 1e-9 || e.MajorM != e.MinorM && math.Abs(got.AzimuthDeg-e.AzimuthDeg) > 1e-9 {
			t.Errorf("%+v comes back as %+v", e, got)
		}
	}
}

func BenchmarkReel(b *testing.B) {
	a := filmed(b, "(U//SYNTHETIC)", "osh-first-75.ts")
	list, err := a.Videos(context.Background(), access.Whole(), "")
	if err != nil {
		b.Fatal(err)
	}
	src, err := a.videoOf(context.Background(), access.Whole(), string(list.Videos[0].Observation.ID))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(list.Videos[0].Bytes)
	for b.Loop() {
		blob, err := a.Record.Blobs().Open(src.of.Blob)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := makeReel(context.Background(), src.of.Blob, blob); err != nil {
			b.Fatal(err)
		}
		blob.Close()
	}
}
