package e2e

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// axe is axe-core 4.14.1 (MPL-2.0), as its package brings it. It is used by these tests alone and never shipped.
//
//go:embed testdata/axe.min.js
var axe string

// chromium finds a browser, or skips the test and says why.
func chromium(t *testing.T) string {
	t.Helper()
	if bin := os.Getenv("CHROMIUM"); bin != "" {
		return bin
	}
	names := []string{"chromium", "chromium-browser", "google-chrome"}
	for _, name := range names {
		if bin, err := exec.LookPath(name); err == nil {
			return bin
		}
	}
	t.Skipf("no browser: neither $CHROMIUM nor any of %s in the path; the browser tests did not run", strings.Join(names, ", "))
	return ""
}

// A screen is one page of one person, with everything that it asked for and complained of.
type screen struct {
	*testing.T
	ctx  context.Context
	base string // of our own server, with a closing slash

	pressed time.Time // when sign in was pressed last

	mu       sync.Mutex
	problems []string
}

// patience ends a wait for something that will never be. It decides nothing else: what is waited for is always a condition, and
// two busy cores with a software renderer may take a minute over what a desk does in a second.
const patience = 2 * time.Minute

// open starts a browser on a page.
func open(t *testing.T, base string) *screen {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)),
		chromedp.Flag("enable-unsafe-swiftshader", true), // WebGL in software: the same pixels everywhere
		chromedp.Flag("force-device-scale-factor", "1"), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("force-prefers-reduced-motion", true))
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox) // Chromium refuses to run as root with one
	}
	s := &screen{T: t, base: base}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	s.ctx, stop = chromedp.NewContext(ctx, chromedp.WithListener(s.hear))
	t.Cleanup(stop)
	// The first call starts the browser, which lives as long as its context: it must not be that of one step.
	if err := chromedp.Do(s.ctx, chromedp.EmulateViewport(1366, 768)); err != nil {
		t.Fatal(err)
	}
	return s
}

// hear notes what must not happen: a complaint on the console, an uncaught error, a request to another origin.
func (s *screen) hear(event any) {
	var said string
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			for _, a := range e.Args {
				said += fmt.Sprintf(" %s%s", a.Value, a.Description)
			}
			said = "console:" + said
		}
	case *runtime.EventExceptionThrown:
		said = "uncaught: " + e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			said += " " + x.Description
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			said = fmt.Sprintf("log: %s %s", e.Entry.Text, e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		u := e.Request.URL
		if !strings.HasPrefix(u, s.base) && !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, "blob:"+s.base) && u != "about:blank" {
			said = "request to another origin: " + u
		}
	}
	if said == "" || strings.Contains(said, "GPU stall due to ReadPixels") || strings.Contains(said, "swiftshader") { // of the software renderer
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, said)
}

// heard gives what was heard so far and forgets it.
func (s *screen) heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.problems
	s.problems = nil
	return out
}

func (s *screen) quiet(when string) {
	s.Helper()
	for _, p := range s.heard() {
		s.Errorf("%s: %s", when, p)
	}
}

func (s *screen) do(actions ...chromedp.Action[chromedp.Void]) {
	s.Helper()
	ctx, stop := context.WithTimeout(s.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, actions...); err != nil {
		s.picture("failed-" + s.Name())
		s.Fatalf("%v (heard: %v)", err, s.heard())
	}
}

// js evaluates an expression, awaiting it when it is a promise, and reads its value as JSON.
func js[T any](s *screen, expression string) T {
	s.Helper()
	ctx, stop := context.WithTimeout(s.ctx, patience)
	defer stop()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`(async () => JSON.stringify(await (`+expression+`)) ?? 'null')()`, chromedp.EvalAwaitPromise))
	if err != nil {
		s.Fatalf("%s: %v", expression, err)
	}
	var out T
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		s.Fatalf("%s gave %s: %v", expression, text, err)
	}
	return out
}

// until waits for an expression to be true. One that throws is not true yet: what it looks at may come with the next answer.
func (s *screen) until(expression string) {
	s.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		state := js[string](s, `(async () => !!(await (`+expression+`)))().catch(String).then(String)`)
		if state == "true" {
			return
		}
		if time.Now().After(end) {
			s.picture("failed-" + s.Name())
			s.Fatalf("waited %v in vain for %s, which is %s (heard: %v; the page says: %.600s)", patience, expression, state, s.heard(), js[string](s, `document.body.innerText`))
		}
	}
}

func on(id string) string { return fmt.Sprintf(`document.querySelector('[data-testid="%s"]')`, id) }

func (s *screen) there(id string)       { s.Helper(); s.until(on(id)) }
func (s *screen) text(id string) string { s.Helper(); return js[string](s, on(id)+`.innerText`) }

// press sends keys as a keyboard does.
func (s *screen) press(keys string) { s.Helper(); s.do(chromedp.KeyEvent(keys)) }

// reach goes to a control with the Tab key, as somebody without a pointer must.
func (s *screen) reach(id string) {
	s.Helper()
	at := `document.activeElement?.getAttribute('data-testid')`
	for range 120 {
		if js[*string](s, at) != nil && *js[*string](s, at) == id {
			return
		}
		s.press("\t")
	}
	s.picture("failed-" + s.Name())
	s.Fatalf("the Tab key does not reach %s", id)
}

// fill writes into a field that holds something or nothing.
func (s *screen) fill(id, text string) {
	s.Helper()
	s.reach(id)
	js[bool](s, `(document.activeElement.select?.(), true)`)
	s.press(text)
}

// picture writes a screenshot into build/screenshots, for people to look at.
func (s *screen) picture(name string) {
	s.Helper()
	shot, err := chromedp.Run(s.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		dir := filepath.Join(root(s.T), "build", "screenshots")
		if err = os.MkdirAll(dir, 0o755); err == nil {
			err = os.WriteFile(filepath.Join(dir, strings.ReplaceAll(name, "/", "-")+".png"), shot, 0o644)
		}
	}
	if err != nil {
		s.Errorf("screenshot %s: %v", name, err)
	}
}

// readmePicture is the picture of the workbench that the README shows: what is on the screen now. ATALAYA_GOLDEN=1 writes it
// anew; else the one that is there is held to its size.
func (s *screen) readmePicture() {
	s.Helper()
	const most = 400_000 // bytes: a README must open quickly
	name := filepath.Join(root(s.T), "docs", "explanation", "workbench.png")
	if os.Getenv("ATALAYA_GOLDEN") != "" {
		shot, err := chromedp.Run(s.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			s.Fatal(err)
		}
		if err := os.WriteFile(name, repacked(s.T, shot, most), 0o644); err != nil {
			s.Fatal(err)
		}
	}
	content, err := os.ReadFile(name)
	if err != nil {
		s.Fatalf("the README's picture: %v. Write it with ATALAYA_GOLDEN=1 go test ./internal/e2e", err)
	}
	c, err := png.DecodeConfig(bytes.NewReader(content))
	if err != nil || c.Width != 1366 || c.Height != 768 || len(content) >= most {
		s.Errorf("the README's picture is %d by %d pixels in %d bytes (%v), want 1366 by 768 in less than %d", c.Width, c.Height, len(content), err, most)
	}
}

// repacked is the same picture in fewer bytes: opaque, with as many bits a colour as fit, which no eye misses on a map sheet.
func repacked(t *testing.T, shot []byte, most int) []byte {
	t.Helper()
	from, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for drop := range 4 { // low bits that every colour loses
		low := uint8(1<<drop - 1)
		to := image.NewRGBA(from.Bounds())
		for y := to.Rect.Min.Y; y < to.Rect.Max.Y; y++ {
			for x := to.Rect.Min.X; x < to.Rect.Max.X; x++ {
				c := color.RGBAModel.Convert(from.At(x, y)).(color.RGBA)
				to.SetRGBA(x, y, color.RGBA{R: c.R&^low | low>>1, G: c.G&^low | low>>1, B: c.B&^low | low>>1, A: 255})
			}
		}
		out.Reset()
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, to); err != nil {
			t.Fatal(err)
		}
		if out.Len() < most {
			break
		}
	}
	return out.Bytes()
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil {
		if _, e := os.Stat(filepath.Join(dir, "go.mod")); e == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			break
		}
		dir = up
	}
	t.Fatal("no go.mod above the test")
	return ""
}

type finding struct{ Rule, Help, Nodes string }

// findings runs axe-core on what is shown.
func (s *screen) findings() []finding {
	s.Helper()
	if !js[bool](s, `typeof window.axe === 'object'`) {
		if _, err := chromedp.Run(s.ctx, chromedp.Evaluate[bool](axe+`;true`)); err != nil {
			s.Fatal(err)
		}
	}
	return js[[]finding](s, `axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => ({Rule: v.id, Help: v.help, Nodes: v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + ' ' + (n.failureSummary ?? '').replace(/\s+/g, ' ').slice(0, 200)).join(' | ')})))`)
}

// accessible accepts no finding of axe-core.
func (s *screen) accessible(where string) {
	s.Helper()
	for _, f := range s.findings() {
		s.Errorf("%s: axe %s: %s: %s", where, f.Rule, f.Help, f.Nodes)
	}
}
