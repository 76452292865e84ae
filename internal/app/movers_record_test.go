package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/detect/mover"
	"github.com/atalaya-isr/atalaya/detect/mover/movertest"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
	"github.com/atalaya-isr/atalaya/store"
	"github.com/atalaya-isr/atalaya/store/sqlite"
)

var hovering = movertest.Hovering(noon)

// mission is a folder with these files in it.
func mission(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, from := range files {
		b, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "mission.yaml"), []byte("name: SYNTHETIC yard\nmarking: (U//SYNTHETIC)\nsorties:\n  - {id: S1, platform: kite, collection_authority: order 1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func record(t testing.TB, o sqlite.Options) *app.App {
	t.Helper()
	db, err := sqlite.OpenDir(context.Background(), t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	a := app.New(db, "test")
	a.Clock = func() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }
	return a
}

func run(t testing.TB, a *app.App, dir string, o app.RunOptions) app.SitesDocument {
	t.Helper()
	o.Seed = 1
	doc, partial, err := a.Run(t.Context(), dir, o)
	if err != nil || partial {
		t.Fatalf("partial %v, %v: %+v", partial, err, doc.Files)
	}
	return doc
}

// kept are the entities of a kind that bear a word in their body, with their ids, standing and bodies.
func kept(t testing.TB, a *app.App, kind, word string) (out []store.Entity) {
	t.Helper()
	p, err := a.Record.Find(t.Context(), access.Whole(), store.Query{Kind: kind, AllStanding: true})
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(p.Entities, func(e store.Entity) bool { return !bytes.Contains(e.Body, []byte(`"kind":"`+word+`"`)) })
}

func bodies(es []store.Entity) string {
	var b strings.Builder
	for _, e := range es {
		b.WriteString(e.ID + " " + string(e.Standing) + " " + string(e.Body) + "\n")
	}
	return b.String()
}

// TestARunKeepsWhatMoves: pictures and metadata of a file become tracks in the record, and what is worth a look becomes detections.
func TestARunKeepsWhatMoves(t *testing.T) {
	program(t)
	path := filmed(t, movertest.Yard(), 3e6, hovering)
	dir := mission(t, map[string]string{"yard.ts": path})
	a := record(t, sqlite.Options{})
	doc := run(t, a, dir, app.RunOptions{})
	if len(doc.Files) != 1 || doc.Files[0].Movers == nil || *doc.Files[0].Movers < 3 || len(doc.Files[0].Notes)+len(doc.Files[0].Problems) > 0 {
		t.Fatalf("%+v", doc.Files)
	}
	films, observed := kept(t, a, "observation", "video-track"), kept(t, a, "observation", "movers")
	if len(films) != 1 || len(observed) != 1 {
		t.Fatalf("%d videos, %d observations of movers", len(films), len(observed))
	}
	var o atalaya.Observation
	var b app.MoversBody
	if err := json.Unmarshal(observed[0].Body, &o); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(o.Body, &b); err != nil {
		t.Fatal(err)
	}
	if len(o.From) != 1 || string(o.From[0]) != films[0].ID || o.Sortie != "S1" || o.Marking != "U//SYNTHETIC" || o.Sensor != "EO hovering" || len(observed[0].Cells) == 0 ||
		o.When.From.Sub(noon).Abs() > 50*time.Millisecond || o.When.To.Sub(noon.Add(7*time.Second)).Abs() > 100*time.Millisecond {
		t.Errorf("the observation is %+v, cells %v", o, observed[0].Cells)
	}
	if b.Tracks != *doc.Files[0].Movers || b.Frames != 105 || b.Placed != b.Tracks || b.Slowest == nil || len(b.Shown) != b.Tracks || b.Lost != 0 || len(b.Problems) > 0 || !strings.HasPrefix(b.Program, "ffmpeg ") {
		t.Errorf("the body is %+v", b)
	}
	whole, err := a.Record.Blobs().Open(b.Result)
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	got, err := io.ReadAll(whole)
	alone, err2 := app.FindMovers(t.Context(), path, app.MoverOptions{})
	if want, err3 := json.Marshal(alone); err != nil || err2 != nil || err3 != nil || !bytes.Equal(bytes.TrimSpace(got), want) {
		t.Errorf("the blob is not what `video movers --json` finds: %v %v %v", err, err2, err3)
	}
	worthALook(t, a)
	t.Run("the same bytes again, encrypted, and from the log", func(t *testing.T) { sameAgain(t, a, dir, doc) })
	t.Run("it falls with its video", func(t *testing.T) { fallsTogether(t, a, films[0].ID) })
}

// worthALook holds the detections to what was drawn, and looks at them in the inbox and on the map.
func worthALook(t *testing.T, a *app.App) {
	t.Helper()
	inbox, err := a.Inbox(t.Context(), access.Whole(), "")
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]float64{}
	for _, d := range inbox.Detections {
		if d.Kind != atalaya.Mover {
			continue
		}
		if len(d.Said) != 1 || d.Headline != d.Said[0].English() || d.Lat == nil || d.Video == nil || d.Thumbnail == nil || len(d.Alternatives) != 3 || !(d.EvidenceLogOdds > 0) ||
			d.Thumbnail.Unit != "m/s" || len(d.Thumbnail.Points) < 20 || !(d.Thumbnail.Background > 0.5 && d.Thumbnail.Background < 3) {
			t.Errorf("in the inbox: %+v", d)
		}
		at[d.Said[0].Code] = d.When.Sub(noon).Seconds()
		if v := d.Said[0].Values["speed"]; !strings.HasPrefix(v, "1") || len(v) != 4 { // 14.4 to 18.6 m/s, by the slant
			t.Errorf("%s", d.Headline)
		}
	}
	if len(at) != 2 || math.Abs(at["mover-stop"]-4.3) > 0.8 || math.Abs(at["mover-turn"]-46.0/15) > 0.5 {
		t.Errorf("told are %v", at)
	}
	for _, e := range kept(t, a, "detection", "mover") {
		var d atalaya.Detection
		var f app.MoverFinding
		if err := json.Unmarshal(e.Body, &d); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(d.Body, &f); err != nil {
			t.Fatal(err)
		}
		c := d.Place.CovarianceM2
		el := geodesy.EllipseOf(c, 0.95)
		if det := c[0][0]*c[1][1] - c[0][1]*c[1][0]; !(det > 0) || el.MajorM < 1 || el.MajorM > 200 || len(d.Place.Regions.P95) == 0 || len(e.Cells) == 0 {
			t.Errorf("%s: an error of %v, %+v", f.Headline, c, el)
		}
		// The look straight ahead meets the ground 1000 m / tan 50 degrees north of the sensor.
		if m := geodesy.Distance(geodesy.LatLon{Lat: d.Place.Lat, Lon: d.Place.Lon}, geodesy.Destination(geodesy.LatLon{Lat: 24.8, Lon: -107.4}, 0, 839)); m > 80 {
			t.Errorf("%s: %.0f m from the middle of the picture", f.Headline, m)
		}
		// What brakes is drawn over 239 px of 0.237 m, 56.6 m; of its path in the first half second, 6.7 m, it is worked out and not seen.
		if f.Kind != mover.Stops && f.Kind != mover.Turns || f.Path < 47 || f.Slowest <= 0 {
			t.Errorf("%+v", f)
		}
	}
	m, err := a.Map(t.Context(), access.Whole(), "")
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for _, f := range m.Layers.Movers.Features {
		n[f.Geometry.Type]++
	}
	if n["LineString"] < 3 || n["Polygon"] != 2 {
		t.Errorf("on the map: %v", n)
	}
}

func sameAgain(t *testing.T, a *app.App, dir string, doc app.SitesDocument) {
	head := func(a *app.App) int64 {
		n, err := a.Record.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	dump := func() string {
		var b bytes.Buffer
		if err := a.Record.Dump(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	want, first, all := dump(), head(a), bodies(kept(t, a, "observation", "movers"))+bodies(kept(t, a, "detection", "mover"))
	again := run(t, a, dir, app.RunOptions{})
	if x, y := string(marshal(t, doc)), string(marshal(t, again)); x != y || head(a) != first || dump() != want {
		t.Errorf("run again, the document differs: %v, %d events more", x != y, head(a)-first)
	}
	if err := a.Record.Replay(t.Context(), nil); err != nil || dump() != want {
		t.Errorf("replay gives other bytes, %v", err)
	}
	other := record(t, sqlite.Options{Key: bytes.Repeat([]byte{7}, 32)})
	if sealed := run(t, other, dir, app.RunOptions{}); string(marshal(t, sealed)) != string(marshal(t, doc)) || bodies(kept(t, other, "observation", "movers"))+bodies(kept(t, other, "detection", "mover")) != all {
		t.Error("an encrypted record holds other bytes")
	}
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func fallsTogether(t *testing.T, a *app.App, id string) {
	who, _, err := a.AddAccount(t.Context(), app.System, "Ana SYNTHETIC", "analyst", "")
	if err != nil {
		t.Fatal(err)
	}
	standing := func() (out []store.Standing) {
		for _, e := range append(kept(t, a, "observation", "movers"), kept(t, a, "detection", "mover")...) {
			out = append(out, e.Standing)
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	if _, err := a.Retract(t.Context(), who, access.Whole(), atalaya.ObservationID(id), "wrong clock"); err != nil {
		t.Fatal(err)
	}
	if s := standing(); !slices.Equal(s, []store.Standing{store.Tombstoned}) {
		t.Errorf("with the video taken back they are %v", s)
	}
	if m, err := a.Map(t.Context(), access.Whole(), ""); err != nil || len(m.Layers.Movers.Features) != 0 {
		t.Errorf("the map still draws %d of them, %v", len(m.Layers.Movers.Features), err)
	}
	if _, err := a.Unretract(t.Context(), who, access.Whole(), atalaya.ObservationID(id)); err != nil {
		t.Fatal(err)
	}
	if s := standing(); !slices.Equal(s, []store.Standing{store.Stands}) {
		t.Errorf("with the video restored they are %v", s)
	}
}

// TestWhatIsNotSearchedIsSaid: each file's row says why, none of it makes the run partial, and what was not done for want of the program
// or of time is done by a later run.
func TestWhatIsNotSearchedIsSaid(t *testing.T) {
	program(t)
	s := movertest.Yard()
	s.Frames = 40
	meta, bare := write(t, muxedKLV(t, 5)), filepath.Join(t.TempDir(), "bare.ts")
	if _, err := movertest.Encode(t.Context(), s, bare, 1e6); err != nil {
		t.Skip(err)
	}
	dir := mission(t, map[string]string{"yard.ts": bare, "broken.ts": write(t, reel(t, 20, 126000)), "metadata.ts": meta})
	a := record(t, sqlite.Options{})
	said := func(o app.RunOptions) (out map[string]string) {
		out = map[string]string{}
		doc, partial, err := a.Run(t.Context(), dir, o)
		if err != nil || partial || len(doc.Problems) > 0 { // a film without metadata is whole
			t.Fatalf("partial %v, %v, %v", partial, err, doc.Problems)
		}
		for _, f := range doc.Files {
			var lines []string
			for _, n := range f.Notes {
				lines = append(lines, n.What)
			}
			out[f.Path] = strings.Join(lines, "|")
		}
		return out
	}
	const not = "not looked for what moves: "
	hasty := said(app.RunOptions{WithoutMovers: true})
	if hasty["yard.ts"] != not+"--movers=false" || hasty["broken.ts"] != not+"--movers=false" || hasty["metadata.ts"] != not+"there are no pictures in it" {
		t.Errorf("in haste: %q", hasty)
	}
	where := os.Getenv("PATH")
	t.Setenv("PATH", t.TempDir())
	without := said(app.RunOptions{})
	if !strings.HasPrefix(without["yard.ts"], not+"ffmpeg is not installed. Install it") || without["metadata.ts"] != not+"there are no pictures in it" {
		t.Errorf("without the program: %q", without)
	}
	if n := len(kept(t, a, "observation", "movers")); n != 0 {
		t.Errorf("%d observations of movers without a search", n)
	}
	t.Setenv("PATH", where)
	with := said(app.RunOptions{})
	if !strings.HasPrefix(with["broken.ts"], not+"ffmpeg: ") || !strings.HasPrefix(with["yard.ts"], "what moves: no KLV metadata") || !strings.Contains(with["yard.ts"], "have no places") {
		t.Errorf("with it: %q", with)
	}
	if n := len(kept(t, a, "observation", "movers")); n != 2 {
		t.Errorf("%d observations of movers of two files with pictures", n)
	}
	if again := said(app.RunOptions{WithoutMovers: true}); again["yard.ts"] != with["yard.ts"] {
		t.Errorf("in haste, after a search: %q", again)
	}
	inbox, err := a.Inbox(t.Context(), access.Whole(), "")
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(inbox.Detections, func(d app.InboxItem) bool { return d.Observation.Kind == atalaya.Movers }); i < 0 || inbox.Detections[i].Observation.Path != "broken.ts" || !strings.HasPrefix(inbox.Detections[i].Headline, "not judged: ffmpeg: ") {
		t.Errorf("the inbox does not tell of the broken file")
	}
}

// muxedKLV is a transport stream of metadata alone.
func muxedKLV(t testing.TB, packets int) []byte {
	t.Helper()
	var all []mpegts.Unit
	for i := range packets {
		pts := int64(126000 + 90000*i)
		packet, err := hovering(float64(i))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, mpegts.Unit{PID: klvPID, Data: packet, PTS: pts, DTS: pts, HasPTS: true})
	}
	return muxed(t, []mpegts.Output{{PID: klvPID, StreamType: 0x06}}, all)
}

// TestALongFilmIsToldInParts: each part is whole, a blob and an observation of its own, and together they are the film.
func TestALongFilmIsToldInParts(t *testing.T) {
	program(t)
	s := movertest.Yard()
	s.Frames = 75
	dir := mission(t, map[string]string{"yard.ts": filmed(t, s, 2e6, hovering)})
	a := record(t, sqlite.Options{})
	a.TellInParts(30)
	doc := run(t, a, dir, app.RunOptions{})
	observed := kept(t, a, "observation", "movers")
	frames, tracks, parts := 0, 0, map[string]bool{}
	var spans []atalaya.Span
	for _, e := range observed {
		var o atalaya.Observation
		var b app.MoversBody
		if err := json.Unmarshal(e.Body, &o); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(o.Body, &b); err != nil {
			t.Fatal(err)
		}
		blob, err := a.Record.Blobs().Open(b.Result)
		if err != nil {
			t.Fatal(err)
		}
		var m app.Movers
		if err := json.NewDecoder(blob).Decode(&m); err != nil || m.Schema != "atalaya.movers/1" || len(m.Frames) != b.Frames || len(m.Tracks) != b.Tracks || b.Parts != len(observed) {
			t.Errorf("part %d: %d frames, %d tracks, %v", b.Part, len(m.Frames), len(m.Tracks), err)
		}
		blob.Close()
		frames, tracks, spans, parts[o.Part] = frames+b.Frames, tracks+b.Tracks, append(spans, o.When), true
	}
	slices.SortFunc(spans, func(x, y atalaya.Span) int { return x.From.Compare(y.From) })
	for i := 1; i < len(spans); i++ {
		if !spans[i].From.After(spans[i-1].To) {
			t.Errorf("part %d begins at %v, the one before ends at %v", i+1, spans[i].From, spans[i-1].To)
		}
	}
	if len(observed) < 2 || frames != s.Frames || tracks != *doc.Files[0].Movers || len(parts) != len(observed) {
		t.Errorf("%d parts called %v, %d frames, %d tracks of %d", len(observed), parts, frames, tracks, *doc.Files[0].Movers)
	}
}

// TestASearchThatIsCutOffIsDoneAgain: wherever the run ends, the next one comes to the same.
func TestASearchThatIsCutOffIsDoneAgain(t *testing.T) {
	program(t)
	s := movertest.Yard()
	s.Frames = 45
	dir := mission(t, map[string]string{"yard.ts": filmed(t, s, 2e6, hovering)})
	calm := record(t, sqlite.Options{})
	want := marshal(t, run(t, calm, dir, app.RunOptions{}))
	all := bodies(kept(t, calm, "observation", "movers")) + bodies(kept(t, calm, "detection", "mover"))
	for _, after := range []time.Duration{0, 300 * time.Millisecond} {
		a := record(t, sqlite.Options{})
		ctx, stop := context.WithCancel(t.Context())
		a.Talk = func(line string) {
			if strings.HasPrefix(line, "yard.ts: 45 records") {
				time.AfterFunc(after, stop)
			}
		}
		_, _, err := a.Run(ctx, dir, app.RunOptions{Seed: 1})
		stop()
		a.Talk = nil
		t.Logf("cut off %v after decoding: %v", after, err)
		if got := marshal(t, run(t, a, dir, app.RunOptions{})); !bytes.Equal(got, want) {
			t.Errorf("cut off after %v:\n%s\nundisturbed\n%s", after, got, want)
		}
		if got := bodies(kept(t, a, "observation", "movers")) + bodies(kept(t, a, "detection", "mover")); got != all {
			t.Errorf("cut off after %v, other movers:\n%s\nundisturbed\n%s", after, got, all)
		}
	}
}
