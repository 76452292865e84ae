package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/atalaya-isr/atalaya/detect/mover/movertest"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
	"github.com/atalaya-isr/atalaya/serve"
	"github.com/atalaya-isr/atalaya/simulate"
	"github.com/atalaya-isr/atalaya/store/sqlite"
)

const filmPassword = "SYNTHETIC words"

// films serves a record with real video files of the shared data in it; "a as b" is file a under the name b.
func films(t *testing.T, names ...string) (base string) {
	t.Helper()
	dir := t.TempDir()
	for _, n := range names {
		from, as, other := strings.Cut(n, " as ")
		if !other {
			as = from
		}
		b, err := os.ReadFile(fixture.Shared(t, "video/"+from))
		if as == "bare.ts" {
			bare(t, b)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, as), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "mission.yaml"), []byte("name: SYNTHETIC films\nmarking: (U//SYNTHETIC)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return shown(t, dir, app.RunOptions{Seed: 1, WithoutMovers: true})
}

// bare takes the metadata out of a transport stream: their packets become null packets.
func bare(t *testing.T, b []byte) {
	t.Helper()
	d := mpegts.NewDemuxer(bytes.NewReader(b))
	for {
		if _, err := d.Next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range d.Streams() {
		for at := 0; s.Metadata && at+188 <= len(b); at += 188 {
			if uint16(b[at+1]&0x1f)<<8|uint16(b[at+2]) == s.PID {
				b[at+1], b[at+2] = 0x1f, 0xff
			}
		}
	}
}

// shown runs a mission folder and serves it to one analyst.
func shown(t *testing.T, dir string, o app.RunOptions) (base string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	db, err := sqlite.OpenDir(ctx, t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a := app.New(db, "e2e")
	if _, _, err := a.Run(ctx, dir, o); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.AddAccount(ctx, app.System, "Ana SYNTHETIC", "analyst", filmPassword); err != nil {
		t.Fatal(err)
	}
	return served(t, ctx, stop, db, a, serve.Options{})
}

// TestVideoRoom opens real recordings: H.264 of a simulator, interlaced H.264 of a camera, a reference stream with metadata that have
// no presentation time, and MPEG-2, which no browser plays.
func TestVideoRoom(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the browser tests did not run")
	}
	chromium(t) // says at once when there is none
	s := open(t, films(t, "osh-first-75.ts", "aphill_short.ts", "h264_klv.ts", "mpeg2_klv.ts", "osh-first-75.ts as again.ts", "osh-first-75.ts as bare.ts"))
	s.afresh()
	js[bool](s, `(location.hash = '#/video', true)`)
	s.signIn("en", "Ana SYNTHETIC", filmPassword)
	t.Run("simulated flight", func(t *testing.T) {
		s := s.in(t)
		s.film("osh-first-75.ts")
		s.hasPicture()
		s.playsOn()
		s.seeks(50)
		s.steps(6)
		s.shuttles()
		s.quiet("playing, seeking, stepping")
	})
	t.Run("what is wrong with the file", func(t *testing.T) { s.in(t).checked() })
	t.Run("picture and map are asked", func(t *testing.T) { s.in(t).asked() })
	t.Run("something is called out", func(t *testing.T) { s.in(t).callsOut() })
	for _, name := range []string{"aphill_short.ts", "h264_klv.ts"} {
		t.Run(name, func(t *testing.T) {
			s := s.in(t)
			s.film(name)
			s.hasPicture()
			s.seeks(12)
			s.steps(3)
			s.picture("video-" + strings.TrimSuffix(name, ".ts"))
			s.quiet(name)
		})
	}
	t.Run("what cannot be played says so, and is all there beside", func(t *testing.T) { s.in(t).unplayable() })
	t.Run("pictures without metadata", func(t *testing.T) {
		s := s.in(t)
		s.film("bare.ts")
		s.hasPicture()
		s.seeks(5)
		s.agrees("without metadata", shownNow(s))
		if js[bool](s, `!!document.querySelector('[data-feature="footprint"], [data-testid="video-age"]') || !`+on("video-mark")+`.disabled`) {
			s.Error("a footprint, an age or a call-out of metadata that are not there")
		}
		s.accessible("without metadata")
		s.picture("video-en-bare")
		s.quiet("without metadata")
	})
	t.Run("both languages and themes", func(t *testing.T) { s.in(t).videoFaces() })
	t.Run("a wall of four", func(t *testing.T) { s.in(t).wall() })
}

// TestVideoRoomOfTheDemo opens the videos that the demo campaign brings, by the keyboard, in both languages: the film first, which plays, then the
// flight that has metadata alone.
func TestVideoRoomOfTheDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the browser tests did not run")
	}
	chromium(t)
	small, err := simulate.Find("small")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := simulate.Campaign(small, 1, app.Folder(dir)); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"gas", "signals", "reports"} {
		if err := os.RemoveAll(filepath.Join(dir, other)); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, shown(t, dir, app.RunOptions{Seed: 1}))
	s.afresh()
	js[bool](s, `(location.hash = '#/inbox', true)`)
	s.signIn("en", "Ana SYNTHETIC", filmPassword)
	s.there("inbox")
	s.press("g")
	s.press("v")
	s.do(chromedp.WaitReady(`body[data-room="video"][data-map-idle="1"]`))
	s.film("video/film-1.ts")
	s.hasPicture()
	s.playsOn()
	s.picture("video-demo-film")
	s.film("video/camera-1.ts")
	js[bool](s, `(document.activeElement?.blur?.(), true)`)
	at := js[float64](s, `atalaya.film.t`)
	s.press("l")
	s.press("l")
	s.press("l")
	s.until(fmt.Sprintf(`atalaya.film.t > %v + 8`, at))
	s.press("k")
	s.until(`atalaya.film.settled && !atalaya.film.playing`)
	s.videoIdle()
	type drawn struct{ Sensor, Sight, Footprint, Ellipse, Trail, Unseen int }
	if d := js[drawn](s, `(() => { const n = f => document.querySelectorAll('[data-testid="video-map"] [data-feature="' + f + '"]').length; return {Sensor: n('sensor'), Sight: n('sight'), Footprint: n('footprint'), Ellipse: n('ellipse'), Trail: document.querySelectorAll('[data-feature="trail"] path').length, Unseen: n('unseen')} })()`); d.Sensor != 1 || d.Sight != 1 || d.Footprint != 1 || d.Ellipse != 1 || d.Trail < 3 || d.Unseen != 1 {
		s.Errorf("the map holds %+v", d)
	}
	// The middle of the ground that is seen was in view: the map leads back to it.
	js[bool](s, `(() => { const r = document.querySelector('[data-testid="video-map"] .catch'), b = r.getBoundingClientRect(), c = document.querySelector('[data-feature="centre"]').getBoundingClientRect(), e = t => r.dispatchEvent(new PointerEvent(t, {clientX: c.x + c.width / 2, clientY: c.y + c.height / 2, bubbles: true, pointerId: 1})); r.setPointerCapture = () => {}; e('pointerdown'); e('pointerup'); return true })()`)
	s.until(`Number(document.querySelector('[data-testid="video-found"]')?.dataset.n) >= 1`)
	s.videoIdle()
	s.each("video-demo", func(string) { s.videoIdle(); s.fitsRoom() })
	js[bool](s, `(document.querySelector('[data-testid="video-map-ground"]').click(), true)`)
	s.videoIdle()
	s.picture("video-demo-ground")
	s.quiet("the demo's video")
}

// film chooses a video by its file and waits until its first frame is shown.
func (s *screen) film(name string) {
	s.Helper()
	s.there("video-choose")
	began := time.Now()
	js[bool](s, `(() => { const c = document.querySelector('[data-testid="video-choose"]'); c.value = [...c.options].find(o => o.text.includes('`+name+`')).value; c.dispatchEvent(new Event('change', {bubbles: true})); return true })()`)
	s.until(`atalaya.film?.view?.observation.path === '` + name + `'`)
	s.do(chromedp.WaitReady(`body[data-room="video"][data-map-idle="1"]`))
	s.Logf("%s is shown after %v", name, time.Since(began).Round(10*time.Millisecond))
	s.watchFrames()
}

// watchFrames notes the frame that the browser says it shows, apart from the room's own watch.
func (s *screen) watchFrames() {
	s.Helper()
	js[bool](s, `(() => { const v = document.querySelector('[data-testid="video-picture"] video'); if (!v) return false; window.seen = null
		const watch = (_, m) => { window.seen = m.mediaTime; v.requestVideoFrameCallback(watch) }; v.requestVideoFrameCallback(watch); return true })()`)
}

// hasPicture holds that the frame is no empty box: its brightness varies.
func (s *screen) hasPicture() {
	s.Helper()
	spread := js[float64](s, `(() => { const v = document.querySelector('[data-testid="video-picture"] video'); const c = document.createElement('canvas'); c.width = c.height = 48
		const pen = c.getContext('2d'); pen.drawImage(v, 0, 0, 48, 48); const d = pen.getImageData(0, 0, 48, 48).data; let a = 0, b = 0, n = d.length / 4
		for (let i = 0; i < d.length; i += 4) { a += d[i]; b += d[i] * d[i] } return Math.sqrt(b / n - (a / n) ** 2) })()`)
	if spread < 5 {
		s.Errorf("the picture's brightness varies by %.1f of 255", spread)
	}
}

func (s *screen) videoIdle() {
	s.Helper()
	s.do(chromedp.WaitReady(`body[data-map-idle="1"]`))
}

// playsOn plays and pauses with the space bar: the playhead goes on, and what is shown then agrees.
func (s *screen) playsOn() {
	s.Helper()
	js[bool](s, `(document.activeElement?.blur?.(), true)`)
	from := js[float64](s, `atalaya.film.t`)
	s.press(" ")
	s.until(fmt.Sprintf(`atalaya.film.t > %v + 0.4`, from))
	s.press(" ")
	s.until(`!atalaya.film.playing && document.querySelector('[data-testid="video-picture"] video').paused`)
	s.videoIdle()
	s.agrees("paused", shownNow(s))
}

// A frameShown is what the room shows of one frame, and what it should: the browser's word for the frame, and the packet of the track
// that stands at it.
type frameShown struct {
	Want, Seen, T, DrawnT float64  // asked for; by the browser; by the room; on the picture's element
	Packet                *float64 // that the room shows; nil for none
	Stands                *float64 // that stands by the track
	Frame                 float64  // length
	Ms                    float64  // from the seek to the frame
}

// agreement is what js needs to look at one frame: the browser's word, the room's and what is drawn are read at one moment, after the track
// that they are held against was read anew from the server (a frame may be told meanwhile: then it is read again).
const agreement = `const look = async (want, ms) => { const f = atalaya.film, id = f.id, box = document.querySelector('[data-testid="video-picture"]'); window.tracks ??= {}
	for (;;) {
		const n = Math.floor((window.seen + 0.001) / 10), c = await (window.tracks[id + n] ??= fetch('/api/videos/' + id + '/track/' + n).then(r => r.json()))
		const seen = window.seen, age = document.querySelector('[data-testid="video-age"]')
		if (Math.floor((seen + 0.001) / 10) !== n) continue
		const stands = c.packets.filter(p => !p.other && p.pts_s <= seen + 0.001).at(-1)
		return { Want: want ?? f.t, Seen: seen, T: f.t, DrawnT: Number(box.dataset.t), Packet: age ? Number(age.dataset.pts) : null, Stands: stands ? stands.pts_s : null, Frame: f.step, Ms: ms } } }`

func shownNow(s *screen) frameShown {
	s.Helper()
	return js[frameShown](s, `(async () => { `+agreement+`; return look(null, 0) })()`)
}

// agrees holds that overlay, read-out and picture are of one frame, to the microsecond of the browser.
func (s *screen) agrees(what string, f frameShown) {
	s.Helper()
	const grain = 0.0011
	switch {
	case math.Abs(f.Seen-f.T) > grain || math.Abs(f.DrawnT-f.T) > grain:
		s.Errorf("%s: the browser shows the frame of %.4f s, the room draws %.4f and %.4f", what, f.Seen, f.T, f.DrawnT)
	case (f.Packet == nil) != (f.Stands == nil) || f.Packet != nil && *f.Packet != *f.Stands:
		s.Errorf("%s: at %.4f s the room shows the packet of %v, the track says %v", what, f.Seen, value(f.Packet), value(f.Stands))
	case f.Seen > f.Want+grain || f.Want-f.Seen > 1.5*f.Frame:
		s.Errorf("%s: asked for %.4f s, shown is the frame of %.4f", what, f.Want, f.Seen)
	}
}

func value(v *float64) any {
	if v == nil {
		return "none"
	}
	return *v
}

// seeks goes to places all over the video, in an order that repeats, and looks at each.
func (s *screen) seeks(n int) {
	s.Helper()
	list := js[[]frameShown](s, fmt.Sprintf(`(async () => { %s; const f = atalaya.film, v = f.view, out = []; let x = 12345
		const first = (await f.chunk(Math.floor(v.from_s / 10))).frames[0] / 90000
		for (let i = 0; i < %d; i++) {
			x = (x * 1103515245 + 12345) %% 2147483648
			const want = Math.max(first, v.from_s + (v.to_s - v.from_s) * x / 2147483648), began = performance.now()
			void f.seek(want)
			while (!f.settled) { if (performance.now() - began > 15000) return out; await new Promise(r => setTimeout(r, 4)) }
			const ms = performance.now() - began
			await new Promise(r => setTimeout(r, 0)) // the page draws what it knows
			out.push(await look(want, ms)) }
		return out })()`, agreement, n))
	if len(list) != n {
		s.picture("failed-" + s.Name())
		s.Fatalf("%d of %d seeks ended", len(list), n)
	}
	var took []float64
	for i, f := range list {
		s.agrees(fmt.Sprintf("seek %d", i), f)
		took = append(took, f.Ms)
	}
	slices.Sort(took)
	s.Logf("%d seeks: %.0f ms median, %.0f ms at most", n, took[n/2], took[n-1])
}

// steps goes frame by frame with the keyboard, on and back.
func (s *screen) steps(n int) {
	s.Helper()
	js[bool](s, `(atalaya.film.seek((atalaya.film.view.from_s + atalaya.film.view.to_s) / 2), document.activeElement?.blur?.(), true)`)
	s.until(`atalaya.film.settled`)
	s.videoIdle()
	frame := js[float64](s, `atalaya.film.step`)
	at := js[float64](s, `atalaya.film.t`)
	begin := at
	for k, key := range append(slices.Repeat([]string{"."}, n), slices.Repeat([]string{","}, n)...) {
		s.press(key)
		s.until(fmt.Sprintf(`atalaya.film.settled && Math.abs(atalaya.film.t - %v) > 0.001`, at))
		s.videoIdle()
		next := js[float64](s, `atalaya.film.t`)
		if by := math.Abs(next - at); by < 0.5*frame || by > 1.5*frame || (next > at) != (key == ".") {
			s.Errorf("step %d (%s) goes from %.4f to %.4f, a frame is %.4f", k, key, at, next, frame)
		}
		at = next
		s.agrees("step "+key, shownNow(s))
	}
	if math.Abs(at-begin) > 1e-4 {
		s.Errorf("%d frames on and back lead from %.4f to %.4f", n, begin, at)
	}
}

// shuttles plays faster, stops, and goes back, by J, K and L.
func (s *screen) shuttles() {
	s.Helper()
	js[bool](s, `(atalaya.film.seek(atalaya.film.view.from_s), true)`)
	s.until(`atalaya.film.settled`)
	s.press("l")
	s.press("l")
	s.until(`atalaya.film.rate === 2 && atalaya.film.t > atalaya.film.view.from_s + 0.6`)
	s.press("k")
	s.until(`!atalaya.film.playing`)
	at := js[float64](s, `atalaya.film.t`)
	s.press("j")
	s.until(fmt.Sprintf(`atalaya.film.t < %v - 0.2`, at))
	s.press("k")
	s.until(`!atalaya.film.playing && atalaya.film.settled`)
	s.videoIdle()
	s.agrees("after going back", shownNow(s))
}

// checked opens the findings by keyboard, goes to the place of one, and reads them in Spanish: their own words stay English, and say so.
func (s *screen) checked() {
	s.reach("video-tab-check")
	s.press("\r")
	s.until(`Number(document.querySelector('[data-testid="video-check"]')?.dataset.n) > 0`)
	s.videoIdle()
	type told struct{ Findings, Errors, Warnings, Notes int }
	want := js[told](s, `fetch('/api/videos/' + atalaya.film.id + '/check').then(r => r.json()).then(c => ({Findings: c.findings.length, Errors: c.errors, Warnings: c.warnings, Notes: c.notes}))`)
	rows := func(severity string) int {
		return js[int](s, `document.querySelectorAll('[data-testid="video-finding"]`+severity+`').length`)
	}
	if got := (told{rows(""), rows(`[data-severity="error"]`), rows(`[data-severity="warning"]`), rows(`[data-severity="note"]`)}); got != want || want.Notes+want.Warnings == 0 {
		s.Errorf("the room lists %+v, the server found %+v", got, want)
	}
	if text := s.text("video-check"); !strings.Contains(text, "MISB ST") || !strings.Contains(text, "What to do:") || !strings.Contains(text, fmt.Sprintf("Notes: %d", want.Notes)) {
		s.Errorf("the findings say %.400q", text)
	}
	at := js[float64](s, `fetch('/api/videos/' + atalaya.film.id + '/check').then(r => r.json()).then(c => c.findings.find(f => f.from_s !== null).from_s)`)
	js[bool](s, `(atalaya.film.seek(atalaya.film.view.to_s - 0.5), true)`)
	s.until(`atalaya.film.settled`)
	s.reach("video-finding-go")
	s.press("\r")
	s.until(fmt.Sprintf(`atalaya.film.settled && Math.abs(atalaya.film.t - Math.min(atalaya.film.view.to_s, Math.max(atalaya.film.view.from_s, %v))) <= 2 * atalaya.film.step`, at))
	s.videoIdle()
	s.agrees("at a finding", shownNow(s))
	s.reach("video-check-note")
	s.press(" ")
	s.until(fmt.Sprintf(`document.querySelectorAll('[data-testid="video-finding"]').length === %d`, want.Findings-want.Notes))
	s.press(" ")
	s.each("video-check", func(string) { s.videoIdle(); s.fitsRoom() })
	js[bool](s, `(`+on("language")+`.click(), true)`) // Spanish again: en came first
	s.until(`document.documentElement.lang === 'en'`)
	js[bool](s, `(`+on("language")+`.click(), true)`)
	s.until(`document.documentElement.lang === 'es'`)
	if text := s.text("video-check"); !strings.Contains(text, "Qué hacer:") || js[int](s, `document.querySelectorAll('[data-testid="video-finding"] [lang="en"], [data-testid="video-finding"] td[lang="en"]').length`) == 0 {
		s.Errorf("in Spanish the findings say %.300q", text)
	}
	js[bool](s, `(`+on("language")+`.click(), document.activeElement?.blur?.(), true)`)
	s.until(`document.documentElement.lang === 'en'`)
	js[bool](s, `(`+on("theme")+`.click(), `+on("video-tab-table")+`.click(), true)`)
	s.videoIdle()
	s.quiet("findings")
}

// TestMoversInTheWorkbench: what a run found moving in a film lies in the inbox and on the map, and is looked at in its video.
func TestMoversInTheWorkbench(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the browser tests did not run")
	}
	chromium(t)
	dir := t.TempDir()
	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	if err := movertest.EncodeWith(t.Context(), movertest.Yard(), filepath.Join(dir, "yard.ts"), 3e6, movertest.Hovering(noon)); err != nil {
		t.Skip(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "mission.yaml"), []byte("name: SYNTHETIC yard\nmarking: (U//SYNTHETIC)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, shown(t, dir, app.RunOptions{Seed: 1}))
	s.afresh()
	js[bool](s, `(location.hash = '#/inbox', true)`)
	s.signIn("en", "Ana SYNTHETIC", filmPassword)
	ofMovers := func() {
		s.until(`document.querySelector('[data-testid="inbox-kind"] option[value="mover"]') && document.querySelectorAll('[data-testid="inbox-row"]').length === 3`)
		js[bool](s, `(() => { const k = document.querySelector('[data-testid="inbox-kind"]'); k.value = 'mover'; k.dispatchEvent(new Event('change', {bubbles: true})); return true })()`)
		s.until(`document.querySelectorAll('[data-testid="inbox-row"]').length === 2`)
	}
	ofMovers()
	text := s.text("inbox")
	for _, w := range []string{"Mover", "stops, having gone at", "turns around and comes back along its path", "m/s"} {
		if !strings.Contains(text, w) {
			t.Errorf("the inbox does not say %q: %q", w, text)
		}
	}
	s.each("movers-inbox", func(string) {})
	if text := s.text("inbox"); !strings.Contains(text, "da la vuelta y regresa") || !strings.Contains(text, "Móvil") {
		t.Errorf("in Spanish: %q", text)
	}
	js[bool](s, `(`+on("language")+`.click(), `+on("theme")+`.click(), true)`)
	s.until(`document.documentElement.lang === 'en'`)
	js[bool](s, `(location.hash = '#/map', true)`)
	s.until(`document.body.dataset.mapIdle === '1' && document.body.dataset.coast === '50'`)
	type drawn struct{ Tracks, Marks int }
	if d := js[drawn](s, `({Tracks: atalaya.map.queryRenderedFeatures({layers: ['movers']}).length, Marks: atalaya.map.queryRenderedFeatures({layers: ['moved']}).length})`); d.Tracks < 3 || d.Marks != 2 {
		t.Errorf("the map draws %+v", d)
	}
	js[bool](s, `(() => { document.querySelector('[data-testid="tab-table"]').click(); return true })()`)
	s.there("table-layer")
	js[bool](s, `(() => { const k = document.querySelector('[data-testid="table-layer"]'); k.value = 'movers'; k.dispatchEvent(new Event('change', {bubbles: true})); return true })()`)
	s.until(`document.querySelector('[data-testid="layer-table"]').innerText.includes('turns around')`)
	s.accessible("movers on the map")
	s.picture("movers-map")
	js[bool](s, `(location.hash = '#/inbox', true)`)
	ofMovers()
	s.there("inbox-watch")
	at := js[float64](s, `atalaya.desk.inbox.find(d => d.id === document.querySelector('.chosen[data-testid="inbox-row"]').dataset.detection).video.pts_s`)
	s.reach("inbox-watch")
	s.press("\r")
	s.until(fmt.Sprintf(`document.body.dataset.room === 'video' && atalaya.film?.settled && Math.abs(atalaya.film.t - %v) < 0.1`, at))
	s.videoIdle()
	s.hasPicture()
	s.picture("movers-video")
	s.quiet("movers")
}

// asked points at the picture and at the map.
func (s *screen) asked() {
	js[bool](s, `(atalaya.film.seek(3.2), true)`)
	s.until(`atalaya.film.settled`)
	s.videoIdle()
	s.reach("video-pick") // by keyboard: the mark starts in the middle
	for range 3 {
		s.do(chromedp.KeyEvent(kb.ArrowRight))
	}
	s.press("\r")
	s.until(`document.querySelector('[data-feature="picked-ellipse"]') && document.querySelector('[data-testid="video-ellipse"]')`)
	if text := s.text("video-readout"); !strings.Contains(text, "° N") || !strings.Contains(text, "±") || !strings.Contains(text, "95 %") {
		s.Errorf("the read-out says %q", text)
	}
	s.videoIdle()
	s.picture("video-en-pixel")
	place := js[[2]float64](s, `fetch('/api/videos/' + atalaya.film.id + '/pixel?pts=9.0&x=100&y=100').then(r => r.json()).then(p => p.place ? [p.place.lat, p.place.lon] : fetch('/api/videos/' + atalaya.film.id + '/pixel?pts=4&x=100&y=100').then(r => r.json()).then(p => [p.place.lat, p.place.lon]))`)
	s.fill("video-find-lat", fmt.Sprintf("%.6f", place[0]))
	s.fill("video-find-lon", fmt.Sprintf("%.6f", place[1]))
	s.press("\r")
	s.until(`document.querySelector('[data-testid="video-found"][data-n="1"]') && document.querySelector('[data-feature="asked"]') && atalaya.film.settled`)
	s.until(`document.querySelector('[data-feature="picked"]')`) // the pixel that shows it, in the frame that was sought
	s.videoIdle()
	s.agrees("after a seek by place", shownNow(s))
	gap := js[float64](s, `(() => { const c = e => { const b = document.querySelector(e).getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2] }, a = c('[data-feature="asked"]'), p = c('[data-feature="picked"]'); return Math.hypot(a[0] - p[0], a[1] - p[1]) })()`)
	if gap > 4 {
		s.Errorf("the pixel that shows the place lies %.1f screen pixels from it on the map", gap)
	}
	js[bool](s, `(document.activeElement.blur(), true)`)
	// A click on the map asks the same.
	js[bool](s, `(() => { const r = document.querySelector('[data-testid="video-map"] .catch'), b = r.getBoundingClientRect(), e = t => r.dispatchEvent(new PointerEvent(t, {clientX: b.x + 5, clientY: b.y + b.height - 5, bubbles: true, pointerId: 1})); r.setPointerCapture = () => {}; e('pointerdown'); e('pointerup'); return true })()`)
	s.until(`document.querySelector('[data-testid="video-found"][data-n="0"]')`)
	s.videoIdle()
	s.quiet("asking")
}

// callsOut marks a stretch, points, says what is seen, and takes it back and restores it. No pointer is used.
func (s *screen) callsOut() {
	js[bool](s, `(atalaya.film.seek(2.6), document.activeElement?.blur?.(), true)`)
	s.until(`atalaya.film.settled`)
	s.press("[")
	js[bool](s, `(atalaya.film.seek(3.0), true)`)
	s.until(`atalaya.film.settled && atalaya.film.t > 2.9`)
	s.press("]")
	js[bool](s, `(atalaya.film.seek(2.8), true)`)
	s.until(`atalaya.film.settled && atalaya.film.t < 2.9`)
	s.videoIdle()
	s.reach("video-pick")
	s.press("\r")
	s.until(`document.querySelector('[data-feature="picked"]')`)
	s.press("m")
	s.there("callout-what")
	s.fill("callout-what", "SYNTHETIC white roof")
	s.reach("callout-low")
	s.press(" ")
	s.accessible("call-out sheet")
	s.picture("video-en-callout-sheet")
	s.reach("callout-confirm")
	s.press("\r")
	s.until(`document.querySelectorAll('[data-testid="video-callout"]').length === 1 && document.querySelector('[data-testid="video-lane-marks"][data-n="1"]') && document.querySelector('[data-feature="callout"]')`)
	s.videoIdle()
	if text := s.text("video-callouts"); !strings.Contains(text, "SYNTHETIC white roof") || !strings.Contains(text, "Ana SYNTHETIC") || !strings.Contains(text, "low") || !strings.Contains(text, "±") {
		s.Errorf("listed as %q", text)
	}
	s.accessible("call-outs")
	s.picture("video-en-callouts")
	js[bool](s, `(document.activeElement?.blur?.(), true)`)
	s.press("u")
	s.fill("callout-why", "SYNTHETIC error")
	s.reach("callout-confirm")
	s.press("\r")
	s.until(`document.querySelector('[data-testid="video-callout"][data-withdrawn="true"]') && !document.querySelector('[data-feature="callout"]')`)
	js[bool](s, `(document.activeElement?.blur?.(), true)`)
	s.videoIdle()
	s.press("U")
	s.reach("callout-confirm")
	s.press("\r")
	s.until(`document.querySelector('[data-testid="video-callout"][data-withdrawn="false"]')`)
	s.videoIdle()
	s.quiet("call-out")
}

func (s *screen) unplayable() {
	s.film("mpeg2_klv.ts")
	s.there("video-none")
	js[bool](s, `(document.querySelector('[data-testid="video-tab-table"]').click(), true)`)
	if text := s.text("video-none"); !strings.Contains(text, "MPEG-2") {
		s.Errorf("the frame says %q", text)
	}
	s.until(`document.querySelector('[data-feature="sensor"]') && document.querySelectorAll('[data-testid="video-table"] tbody tr').length > 5`)
	js[bool](s, `(document.activeElement?.blur?.(), true)`)
	at := js[float64](s, `atalaya.film.t`)
	s.press(".")
	s.until(fmt.Sprintf(`atalaya.film.t > %v && atalaya.film.settled`, at))
	s.accessible("a video that cannot be played")
	s.picture("video-en-unplayable")
	s.quiet("a video that cannot be played")
}

// videoFaces shows the room in both languages and themes, with each of its tables.
func (s *screen) videoFaces() {
	s.film("osh-first-75.ts")
	for _, tab := range []string{"items", "file", "table"} {
		s.reach("video-tab-" + tab)
		s.press("\r")
		s.there("video-" + tab)
		s.accessible("video, " + tab)
		s.picture("video-en-" + tab)
	}
	if text := js[string](s, `(document.querySelector('[data-testid="video-tab-items"]').click(), new Promise(r => setTimeout(() => r(document.querySelector('[data-testid="video-items"]').innerText), 50)))`); !strings.Contains(text, "Sensor Latitude") || !strings.Contains(text, "UNCLASSIFIED") || strings.Contains(text, "Weapon") {
		s.Errorf("the items say %.300q", text)
	}
	s.each("video", func(string) { s.videoIdle(); s.fitsRoom() })
}

// fitsRoom holds that nothing of the room is cut off or lies over its neighbour.
func (s *screen) fitsRoom() {
	s.Helper()
	if tall := js[int](s, `document.documentElement.scrollHeight - innerHeight`); tall > 0 {
		s.Errorf("the page is %d pixels taller than its window", tall)
	}
	over := js[[]string](s, `(() => { const out = [], q = a => document.querySelector(a)?.getBoundingClientRect(), boxes = {picture: q('.picture'), map: q('.map'), under: q('.under'), side: q('.side')}
		const names = Object.keys(boxes); for (const a of names) for (const b of names) if (a < b && boxes[a] && boxes[b]) { const p = boxes[a], r = boxes[b]
			if (Math.min(p.right, r.right) - Math.max(p.left, r.left) > 1 && Math.min(p.bottom, r.bottom) - Math.max(p.top, r.top) > 1) out.push(a + ' over ' + b) }
		for (const e of document.querySelectorAll('.transport, .under, .strip, .tabs')) if (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1) out.push(e.className + ' is cut off')
		return out })()`)
	for _, o := range over {
		s.Error(o)
	}
}

// wall shows four videos, of which one was recorded at the time of the one that leads: the same, under another name.
func (s *screen) wall() {
	s.reach("video-wall-toggle")
	s.press("\r")
	s.until(`document.querySelector('[data-testid="video-wall"][data-n="4"]') && document.querySelectorAll('[data-testid="video-wall"] [data-settled="true"]').length === 4`)
	s.videoIdle()
	if dark := js[[]float64](s, `[...document.querySelectorAll('[data-testid="video-wall"] video')].map(v => { const c = document.createElement('canvas'); c.width = c.height = 32; const pen = c.getContext('2d'); pen.drawImage(v, 0, 0, 32, 32)
		return pen.getImageData(0, 0, 32, 32).data.reduce((a, b) => a + b, 0) / 4096 })`); len(dark) < 3 || slices.Min(dark) < 80 {
		s.Errorf("the mean brightness of the panes is %.0f", dark)
	}
	js[bool](s, `(document.activeElement?.blur?.(), true)`)
	from := js[float64](s, `atalaya.film.t`)
	s.press(" ")
	s.until(fmt.Sprintf(`atalaya.film.t > %v + 0.6`, from))
	s.press(" ")
	s.until(`!atalaya.film.playing`)
	// In step: the other recording of the same time stands at the same frame once the hand rests.
	s.until(`(() => { const t = [...document.querySelectorAll('[data-testid="video-wall"] figure')].map(f => [f.querySelector('.path').innerText, Number(f.querySelector('[data-t]').dataset.t), f.querySelector('[data-settled]').dataset.settled])
		const a = t.find(x => x[0] === 'osh-first-75.ts'), b = t.find(x => x[0] === 'again.ts'); return a && b && b[2] === 'true' && Math.abs(a[1] - b[1]) < 0.034 })()`)
	s.videoIdle()
	s.accessible("wall")
	s.picture("video-en-wall")
	s.quiet("wall")
	s.reach("video-wall-toggle")
	s.press("\r")
	s.until(`!document.querySelector('[data-testid="video-wall"]')`)
	s.videoIdle()
	s.hasPicture()
	s.quiet("one video again")
}
