package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/serve"
	"github.com/atalaya-isr/atalaya/store/sqlite"
	"github.com/atalaya-isr/atalaya/web"
)

// made is the record of the demo campaign, run once for all tests.
var made = sync.OnceValues(func() (m struct{ record, password string }, err error) {
	dir, err := os.MkdirTemp("", "atalaya-e2e-")
	if err != nil {
		return m, err
	}
	madeIn, m.record = dir, filepath.Join(dir, "record")
	db, err := sqlite.OpenDir(context.Background(), m.record, sqlite.Options{})
	if err != nil {
		return m, err
	}
	d, err := app.New(db, "e2e").MakeDemo(context.Background(), filepath.Join(dir, "mission"), 1)
	m.password = d.Password
	return m, errors.Join(err, db.Close())
})

var madeIn string

func TestMain(m *testing.M) {
	code := m.Run()
	if madeIn != "" {
		os.RemoveAll(madeIn)
	}
	os.Exit(code)
}

// demo serves a copy of the record of the demo campaign as `atalaya demo` does.
func demo(t *testing.T) (base, password string) {
	t.Helper()
	began := time.Now()
	m, err := made()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "record")
	if err := os.CopyFS(dir, os.DirFS(m.record)); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	db, err := sqlite.OpenDir(ctx, dir, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a := app.New(db, "e2e")
	t.Logf("the record of the demo campaign is there after %v", time.Since(began).Round(100*time.Millisecond))
	names := []string{app.DemoPeople[0].Name, app.DemoPeople[1].Name, app.DemoPeople[2].Name}
	return served(t, ctx, stop, db, a, serve.Options{Demo: true, DemoAccounts: names, DemoPassword: m.password}), m.password
}

// served is where a record is served and worked until the test ends; then all of it is closed.
func served(t *testing.T, ctx context.Context, stop func(), db *sqlite.DB, a *app.App, o serve.Options) (base string) {
	t.Helper()
	o.Web, o.Test, o.Log = web.Dist(), true, t.Logf
	h, err := serve.New(a, o)
	if err != nil {
		t.Fatal(err)
	}
	url, ended := make(chan string, 1), make(chan error, 2)
	go func() { ended <- serve.Listen(ctx, "127.0.0.1:0", h, func(u string) { url <- u }) }()
	go func() { ended <- a.Work(ctx) }()
	t.Cleanup(func() {
		stop()
		for range 2 {
			if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		db.Close()
	})
	return <-url
}

func TestWorkbench(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the browser tests did not run")
	}
	chromium(t) // says at once when there is none
	base, password := demo(t)
	s := open(t, base)
	t.Run("a request to another origin and an error are heard", func(t *testing.T) {
		s := s.in(t)
		s.do(chromedp.Navigate(base + "?test=1"))
		s.there("sign-in-submit")
		s.quiet("sign-in page")
		js[bool](s, `(console.error('planted'), fetch('http://192.0.2.1/planted').catch(() => true).then(() => true))`)
		heard := strings.Join(s.heard(), "\n")
		for _, want := range []string{`console: "planted"`, "192.0.2.1"} {
			if !strings.Contains(heard, want) {
				t.Errorf("the guard did not hear %s, only %q", want, heard)
			}
		}
		js[bool](s, `(document.querySelector('[data-testid="sign-in-submit"]').style.color = '#777', document.querySelector('h1').remove(), true)`)
		if len(s.findings()) == 0 {
			t.Error("axe finds nothing wrong with grey on teal and no heading")
		}
	})
	t.Run("walk in English", func(t *testing.T) { s.in(t).walk("en", 0, password) })
	t.Run("walk in Spanish", func(t *testing.T) { s.in(t).walk("es", 1, password) })
	t.Run("every room, language and theme", func(t *testing.T) { s.in(t).rooms() })
}

// in is the same screen under another test.
func (s *screen) in(t *testing.T) *screen { s.T = t; return s }

// walk takes the site of a rank (0 is the first) from the map to the package and the outcome. No pointer is used.
func (s *screen) walk(language string, rank int, password string) {
	s.afresh()
	s.signIn(language, app.DemoPeople[0].Name, password)
	s.mapIdle()
	s.mapWears(js[string](s, `document.documentElement.dataset.theme`))
	if language == "en" {
		s.readmePicture()
	}
	if n := js[int](s, `atalaya.map.queryRenderedFeatures({layers: ['sites']}).length`); n == 0 {
		s.Error("the map draws no site")
	}
	if n := js[int](s, `atalaya.map.queryRenderedFeatures({layers: ['unsurveyed']}).length`); n == 0 {
		s.Error("the map hatches no unsurveyed ground")
	}
	s.playsTime()
	for range rank {
		s.press("j")
	}
	chosen := js[string](s, `atalaya.desk.site`)
	s.press("\r")
	s.there("site-card")
	s.quiet("map")
	before := s.ledger()
	s.siteIsSaidInTheLanguage()

	s.press("o")
	s.fill("legal-instrument", "SYNTHETIC agreement 1")
	s.confirm()
	s.until(on("approve") + ` && !` + on("approve") + `.disabled`)
	s.approve()
	s.there("release")
	if js[bool](s, `!`+on("release")+`.disabled`) {
		s.Error("one person's approval opens the release")
	}
	s.actionBarIsPlain()
	s.picture("walk-" + language + "-one-approval")
	s.signOut()

	s.signIn(language, app.DemoPeople[1].Name, password)
	s.there("site-card") // the address still names the site
	s.approve()
	s.until(`!` + on("release") + `.disabled`)
	s.press("r")
	s.fill("release-recipient", "MEX")
	s.picture("walk-" + language + "-release-sheet")
	s.confirm()
	s.there("releases")
	s.packageIsWhole()

	s.press("c")
	s.fill("outcome-by", "SYNTHETIC service")
	s.confirm()
	s.until(`document.querySelector('[data-testid="ledger-row"][data-kind="outcome"]')`)
	s.until(`atalaya.desk.sites.find(x => x.id === '` + chosen + `')?.found === 'confirmed'`)
	s.quiet("review, release, outcome")

	s.retractAndUndo(before)
	s.picture("walk-" + language + "-after")
	s.press("g")
	s.press("k")
	s.until(`document.querySelector('[data-testid="audit"][data-verified="true"]')`)
	s.eventsSayWhatTheyAre()
	s.sortsADetection()
	s.signOut()
	s.quiet("oversight")
}

// afresh opens the page with nobody signed in, whatever happened before: a walk that failed leaves its person behind.
func (s *screen) afresh() {
	s.Helper()
	s.do(chromedp.Navigate("about:blank"), chromedp.Navigate(s.base+"?test=1"))
	if js[bool](s, `fetch('/api/session').then(r => r.json()).then(x => x.account !== null)`) {
		js[int](s, `fetch('/api/session', {method: 'DELETE', headers: {'X-Atalaya': '1'}}).then(r => r.status)`)
		s.do(chromedp.Navigate("about:blank"), chromedp.Navigate(s.base+"?test=1"))
	}
	s.there("sign-in")
	s.heard() // what a failed walk complained of is its own
}

// mapIdle waits for the map's picture, the finer coast included, which comes after the first one stands.
func (s *screen) mapIdle() {
	s.Helper()
	s.do(chromedp.WaitReady(`body[data-map-idle="1"]`))
	s.Logf("sign-in to map idle: %v", time.Since(s.pressed).Round(10*time.Millisecond))
	s.until(`document.body.dataset.coast === '50' && document.body.dataset.mapIdle === '1'`)
}

// playsTime moves the time brush by its key, and stops it again.
func (s *screen) playsTime() {
	s.Helper()
	js[bool](s, `(document.activeElement?.blur?.(), true)`)
	s.press(" ")
	s.until(on("brush-play") + `.getAttribute('aria-pressed') === 'true' && atalaya.desk.from > atalaya.desk.span[0] && atalaya.desk.to < atalaya.desk.span[1]`)
	s.press(" ")
	s.until(on("brush-play") + `.getAttribute('aria-pressed') === 'false'`)
	s.reach("brush-all")
	s.press("\r")
	s.until(`atalaya.desk.from === atalaya.desk.span[0] && atalaya.desk.to === atalaya.desk.span[1]`)
	js[bool](s, `(document.activeElement?.blur?.(), true)`)
}

// siteIsSaidInTheLanguage holds that no note of the ledger and no summary is left in English on a Spanish page, that the place is
// written in the other forms too, and that the plot opens wide by its key.
func (s *screen) siteIsSaidInTheLanguage() {
	s.Helper()
	type card struct {
		Notes, English  int
		First           string
		DMS, MGRS, Wide string
	}
	look := func() card {
		return js[card](s, `(() => { const spans = [...document.querySelectorAll('[data-testid="ledger-note"] span, [data-testid="observation"] td:first-child .quiet span')]
			return { Notes: spans.length, English: spans.filter(e => e.lang === 'en').length, First: spans[0]?.innerText ?? '', DMS: document.querySelector('[data-testid="position-dms"]')?.innerText ?? '',
				MGRS: document.querySelector('[data-testid="position-mgrs"]')?.innerText ?? '', Wide: document.querySelector('[data-testid="site-columns"]').dataset.wide } })()`)
	}
	c := look()
	prior := map[string]string{"en": "before any evidence", "es": "antes de cualquier indicio"}[js[string](s, `document.documentElement.lang`)]
	if c.Notes < 2 || c.English > 0 || !strings.Contains(c.First, prior) {
		s.Errorf("%d notes, %d in English alone, the first says %q", c.Notes, c.English, c.First)
	}
	if !strings.Contains(c.DMS, "° ") && !strings.Contains(c.DMS, "′") || !strings.HasPrefix(c.MGRS, "MGRS 13R") && !strings.HasPrefix(c.MGRS, "MGRS 12R") {
		s.Errorf("the place is written as %q and %q", c.DMS, c.MGRS)
	}
	js[bool](s, `(document.activeElement?.blur?.(), true)`)
	for _, want := range []string{"true", "false"} {
		s.press(" ")
		s.until(`document.querySelector('[data-testid="site-columns"]').dataset.wide === '` + want + `'`)
	}
}

// sortsADetection holds a detection, attaches it to its site, sees it on the site's card, and takes that back, by keys alone.
func (s *screen) sortsADetection() {
	s.Helper()
	s.press("g")
	s.press("i")
	s.there("inbox-keep")
	row := func(sorted string) string {
		return `document.querySelector('[data-testid="inbox-row"].chosen').dataset.sorted === '` + sorted + `'`
	}
	s.press("h")
	s.fill("sheet-why", "SYNTHETIC: the second flight is not in yet")
	s.confirm()
	s.until(row("hold"))
	s.press("a")
	s.there("sort-site")
	s.confirm()
	s.until(row("attach"))
	s.accessible("inbox with a sorted detection")
	s.picture("inbox-sorted-" + js[string](s, `document.documentElement.lang`))
	site := js[string](s, `atalaya.desk.inbox.find(d => d.id === document.querySelector('[data-testid="inbox-row"].chosen').dataset.detection).sorted.site`)
	if n := js[int](s, `fetch('/api/sites/`+site+`').then(r => r.json()).then(c => c.attached.length)`); n != 1 {
		s.Errorf("%d detections stand on the card of the site, want 1", n)
	}
	js[bool](s, `(document.activeElement?.blur?.(), true)`)
	s.press("u")
	s.there("sheet-record")
	s.confirm()
	s.until(row(""))
	s.quiet("inbox")
}

// eventsSayWhatTheyAre looks at every row of the log: a name that all readers share, and what it is about in words.
func (s *screen) eventsSayWhatTheyAre() {
	s.Helper()
	s.there("event-name")
	type row struct{ Name, Subject string }
	for _, r := range js[[]row](s, `[...document.querySelectorAll('[data-testid="events"] tbody tr')].map(r => ({Name: r.querySelector('[data-testid="event-name"]').title, Subject: r.querySelector('[data-testid="event-subject"]').innerText}))`) {
		if !uuid.MatchString(r.Name) || identifier.MatchString(r.Subject) {
			s.Errorf("an event is called %q and concerns %q", r.Name, r.Subject)
		}
	}
}

var (
	uuid       = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	identifier = regexp.MustCompile(`^[a-z]+_[0-9a-f-]{12}`)
)

// actionBarIsPlain holds that no control of the action bar lies under what the page says, that each reason stands there once, and
// that in Spanish none is left in English.
func (s *screen) actionBarIsPlain() {
	s.Helper()
	type bar struct {
		Covered int
		Reasons []string
		English int
	}
	b := js[bar](s, `(() => { const why = [...document.querySelectorAll('[data-testid="why-not"] span')]
		const toast = document.querySelector('[data-testid="toast"] > *')?.getBoundingClientRect()
		const hit = (r) => toast && r.left < toast.right && toast.left < r.right && r.top < toast.bottom && toast.top < r.bottom
		return { Covered: [...document.querySelectorAll('[data-testid="approve"], [data-testid="release"], [data-testid="outcome"], [data-testid="undo"]')].filter(e => hit(e.getBoundingClientRect())).length,
			Reasons: why.map(e => e.innerText), English: document.documentElement.lang === 'en' ? 0 : why.filter(e => e.lang === 'en').length } })()`)
	slices.Sort(b.Reasons)
	if b.Covered > 0 || b.English > 0 || len(slices.Compact(slices.Clone(b.Reasons))) != len(b.Reasons) {
		s.Errorf("the action bar: %d controls under the notice, %d reasons in English, reasons %q", b.Covered, b.English, b.Reasons)
	}
}

// axisIsLegible holds that no two labels of the ledger's axis touch.
func (s *screen) axisIsLegible() {
	s.Helper()
	type label struct {
		Text        string
		Left, Right float64
	}
	labels := js[[]label](s, `[...document.querySelectorAll('[data-testid="ledger-mark"]')].map(e => { const r = e.getBoundingClientRect(); return { Text: e.innerText, Left: r.left, Right: r.right } }).sort((a, b) => a.Left - b.Left)`)
	if len(labels) == 0 {
		s.Error("the ledger's axis has no label")
	}
	for i := 1; i < len(labels); i++ {
		if labels[i].Left < labels[i-1].Right {
			s.Errorf("on the ledger's axis %s lies over %s", labels[i].Text, labels[i-1].Text)
		}
	}
}

func (s *screen) signIn(language, name, password string) {
	s.Helper()
	s.there("sign-in")
	if js[string](s, `document.documentElement.lang`) != language {
		s.reach("language")
		s.press("\r")
		s.until(`document.documentElement.lang === '` + language + `'`)
	}
	s.fill("sign-in-name", name)
	s.fill("sign-in-password", password)
	s.pressed = time.Now()
	s.press("\r")
	s.there("person")
	if got := s.text("person"); !strings.Contains(got, name) {
		s.Fatalf("signed in as %q, want %s", got, name)
	}
}

func (s *screen) signOut() {
	s.Helper()
	s.reach("sign-out")
	s.press("\r")
	s.there("sign-in")
}

// confirm sends the open sheet and waits until the log has it.
func (s *screen) confirm() {
	s.Helper()
	old := js[string](s, on("toast")+`?.dataset.event ?? ''`)
	s.reach("sheet-confirm")
	s.press("\r")
	s.until(`!` + on("sheet") + `?.open && ` + on("toast") + `.dataset.event && ` + on("toast") + `.dataset.event !== '` + old + `' || ` + on("sheet-problem"))
	if js[bool](s, `!!`+on("sheet-problem")) {
		s.picture("failed-sheet")
		s.Fatalf("refused: %s", s.text("sheet-problem"))
	}
}

func (s *screen) approve() {
	s.Helper()
	s.until(`!` + on("approve") + `.disabled`)
	n := js[int](s, `document.querySelectorAll('[data-testid="reviews"] > *').length`)
	s.press("a")
	s.fill("sheet-why", "SYNTHETIC: four legs, one wind")
	s.confirm()
	s.until(fmt.Sprintf(`document.querySelectorAll('[data-testid="reviews"] > *').length > %d`, n))
}

// ledger checks that the rows add up to the sum, and the sum to the probability, in the numbers and in what is printed.
func (s *screen) ledger() float64 {
	s.Helper()
	s.there("ledger-sum")
	type sums struct {
		Rows    []float64
		Sum, P  float64
		Printed []string
		Total   string
	}
	l := js[sums](s, `(() => { const q = (x) => [...document.querySelectorAll('[data-testid="' + x + '"]')]; const sum = q('ledger-sum')[0]
		return { Rows: q('ledger-row').map(r => +r.dataset.logOdds), Sum: +sum.dataset.logOdds, P: +sum.dataset.probability, Printed: q('ledger-value').map(r => r.innerText), Total: sum.querySelector('td.num.total').innerText } })()`)
	total := 0.0
	for _, v := range l.Rows {
		total += v
	}
	// Both sides sum a dozen numbers below 20 in the same order: they differ by rounding alone.
	if len(l.Rows) < 2 || math.Abs(total-l.Sum) > 1e-12 || math.Abs(1/(1+math.Exp(-total))-l.P) > 1e-12 {
		s.Errorf("the ledger's rows %v sum to %v, it says %v and p = %v", l.Rows, total, l.Sum, l.P)
	}
	printed := 0.0
	for _, v := range l.Printed {
		printed += number(s.T, v)
	}
	if want := number(s.T, l.Total); math.Abs(printed-want) > 1e-9 {
		s.Errorf("the printed rows %v sum to %v, printed is %v", l.Printed, printed, want)
	}
	return l.Sum
}

// number reads a number as the page prints it in either language.
func number(t *testing.T, text string) float64 {
	t.Helper()
	clean := strings.NewReplacer("−", "-", "+", "", ",", ".", " ", "", "\u00a0", "").Replace(strings.TrimSpace(text))
	v, err := strconv.ParseFloat(clean, 64)
	if err != nil {
		t.Errorf("%q is printed where a number should be", text)
	}
	return v
}

// packageIsWhole fetches the package as the page's own link does and holds it against its manifest.
func (s *screen) packageIsWhole() {
	s.Helper()
	got := js[string](s, `fetch(document.querySelector('[data-testid="releases"] [data-testid="package-link"]').getAttribute('href')).then(r => r.arrayBuffer()).then(b => { let t = ''; for (const c of new Uint8Array(b)) t += String.fromCharCode(c); return btoa(t) })`)
	raw, err := base64.StdEncoding.DecodeString(got)
	if err != nil {
		s.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		s.Fatalf("the package of %d bytes: %v", len(raw), err)
	}
	members := map[string][]byte{}
	for _, f := range z.File {
		var b bytes.Buffer
		r, err := f.Open()
		if err == nil {
			_, err = b.ReadFrom(r)
		}
		if err != nil {
			s.Fatal(err)
		}
		members[f.Name] = b.Bytes()
	}
	manifest := ""
	for name, b := range members {
		if strings.Contains(strings.ToLower(name), "manifest") {
			manifest = string(b)
			sum := sha256.Sum256(b)
			if shown := s.text("releases"); !strings.Contains(shown, hex.EncodeToString(sum[:])[:12]) {
				s.Errorf("the screen shows %q, the manifest's hash is %x", shown, sum)
			}
		}
	}
	for name, b := range members {
		sum := sha256.Sum256(b)
		if !strings.Contains(strings.ToLower(name), "manifest") && !strings.Contains(manifest, hex.EncodeToString(sum[:])) {
			s.Errorf("the manifest does not name %s by its hash", name)
		}
	}
	for _, kind := range []string{".geojson", ".kml", ".pdf"} {
		found := false
		for name := range members {
			found = found || strings.HasSuffix(name, kind)
		}
		if !found {
			s.Errorf("the package holds no %s", kind)
		}
	}
}

// retractAndUndo takes the report of the site back, sees it struck, and undoes it once.
func (s *screen) retractAndUndo(before float64) {
	s.Helper()
	s.until(on("retract"))
	s.reach("retract")
	observation := js[string](s, `document.activeElement.dataset.observation`)
	s.press("\r")
	s.fill("sheet-why", "SYNTHETIC: told twice")
	s.confirm()
	row := `document.querySelector('[data-testid="observation"][data-observation="` + observation + `"]')`
	// The ranking without it has been worked out when the case says that what it rests on has changed. Nothing vanishes: the row
	// stands struck beside the new ledger, or within the old one when without it there is no such place any more.
	s.there("basis-changed")
	s.until(`document.querySelector('[data-testid="ledger-row-struck"][data-observation="` + observation + `"], [data-testid="ledger-row"][data-observation="` + observation + `"][data-standing="retracted"]')`)
	s.actionBarIsPlain()
	s.picture("walk-retracted-" + js[string](s, `document.documentElement.lang`))
	s.until(on("undo") + ` && !` + on("undo") + `.disabled`)
	js[bool](s, `(document.activeElement?.blur?.(), true)`)
	s.press("u")
	s.there("sheet-record")
	s.confirm()
	s.until(fmt.Sprintf(`!%s && %s?.dataset.standing === 'stands' && Math.abs(+%s.dataset.logOdds - (%v)) < 1e-12`, on("basis-changed"), row, on("ledger-sum"), before))
	s.ledger()
}

// rooms looks at every room in both languages and themes.
func (s *screen) rooms() {
	s.afresh()
	s.each("sign-in", func(string) {})
	name := app.DemoPeople[0].Name
	password := js[string](s, `fetch('/api/session').then(r => r.json()).then(x => x.demo_password)`)
	s.signIn(js[string](s, `document.documentElement.lang`), name, password)
	for _, room := range []struct{ name, hash, ready string }{
		{"map", "#/map", `document.body.dataset.coast === '50' && document.body.dataset.mapIdle === '1'`},
		{"inbox", "#/inbox", on("inbox") + ` && ` + on("inbox-alternatives")},
		{"site", "#/sites", on("site-card") + ` && ` + on("ledger-sum")},
		{"oversight", "#/oversight", `document.querySelector('[data-testid="audit"][data-verified="true"]') && ` + on("events")},
	} {
		js[bool](s, `(location.hash = '`+room.hash+`', true)`)
		s.until(room.ready)
		s.each(room.name, func(theme string) {
			if room.name == "map" {
				s.mapWears(theme)
			}
			s.until(room.ready)
			if room.name == "site" {
				s.axisIsLegible()
				s.actionBarIsPlain()
			}
		})
		if room.name == "map" {
			s.keySwitches("bearings")
		}
	}
	js[bool](s, `(location.hash = '#/sites', true)`)
	s.there("site-card")
	s.press("?")
	s.there("help-sheet")
	s.accessible("help")
	s.picture("help")
	s.press("\x1b")
	s.quiet("rooms")
}

// mapWears holds that the map is painted in the theme: its style by the token, its pixels by how bright they are.
func (s *screen) mapWears(theme string) {
	s.Helper()
	s.until(`atalaya.map.getPaintProperty('water', 'background-color') === getComputedStyle(document.documentElement).getPropertyValue('--water').trim()`)
	s.until(`document.body.dataset.mapIdle === '1'`)
	// The mean of the sheet, from 0 to 255: paper is above 200, the same sheet by night below 60.
	bright := js[float64](s, `(() => { const c = document.createElement('canvas'); c.width = c.height = 32; const pen = c.getContext('2d'); pen.drawImage(atalaya.map.getCanvas(), 0, 0, 32, 32)
		const d = pen.getImageData(0, 0, 32, 32).data; let sum = 0; for (let i = 0; i < d.length; i += 4) sum += (d[i] + d[i + 1] + d[i + 2]) / 3; return sum / (d.length / 4) })()`)
	if (theme == "light") != (bright > 128) {
		s.Errorf("the page is %s, the map's mean brightness %.0f of 255", theme, bright)
	}
}

// keySwitches holds that an entry of the key shows and hides its layer.
func (s *screen) keySwitches(layer string) {
	s.Helper()
	for _, want := range []string{"none", "visible"} {
		s.reach("key-" + layer)
		s.press("\r")
		s.until(`atalaya.map.getLayoutProperty('` + layer + `', 'visibility') === '` + want + `'`)
	}
}

// each shows one room in both languages and themes, checks it and takes its picture.
func (s *screen) each(room string, settle func(string)) {
	s.Helper()
	for _, language := range []string{"en", "es"} {
		if js[string](s, `document.documentElement.lang`) != language {
			js[bool](s, `(`+on("language")+`.click(), true)`)
			s.until(`document.documentElement.lang === '` + language + `'`)
		}
		for _, theme := range []string{"light", "dark"} {
			if js[string](s, `document.documentElement.dataset.theme`) != theme {
				js[bool](s, `(`+on("theme")+`.click(), true)`)
				s.until(`document.documentElement.dataset.theme === '` + theme + `'`)
			}
			settle(theme)
			where := strings.Join([]string{room, language, theme}, "-")
			s.accessible(where)
			if over := js[float64](s, `document.scrollingElement.scrollWidth - innerWidth`); over > 0 {
				s.Errorf("%s is %v pixels wider than the screen", where, over)
			}
			s.picture(where)
			s.quiet(where)
		}
	}
}
