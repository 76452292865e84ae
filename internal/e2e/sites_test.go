package e2e

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/serve"
	"github.com/atalaya-isr/atalaya/store/sqlite"
)

// threePlaces writes a mission of reports and sheets alone, which runs in a second: a fortnight over three places. SYNTHETIC.
func threePlaces(t *testing.T) (dir string) {
	dir = t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	sheet := func(kind, sortie, day string, found ...string) {
		text := fmt.Sprintf(`{"schema":"atalaya.detections/1","kind":%q,"sensor":"%s (SYNTHETIC)","sortie":%q,"bias_m":10,
"looks":[{"when":{"from":"2026-03-%sT16:00:00Z","to":"2026-03-%sT16:20:00Z"},"ring":[[24.76,-107.46],[24.76,-107.31],[24.88,-107.31],[24.88,-107.46]],"pd":0.4}],
"detections":[`, kind, kind, sortie, day, day)
		for i, at := range found {
			if i > 0 {
				text += ","
			}
			text += fmt.Sprintf(`{"id":"%s-%d","time":"2026-03-%sT16:0%d:00Z",%s,"covariance_m2":[[400,0],[0,400]],"real":0.9,"pd":0.4}`, kind, i, day, i, at)
		}
		write("sheets/"+day+"-"+kind+".json", text+"]}")
	}
	const a, b, c = `"lat":24.811,"lon":-107.401`, `"lat":24.86,"lon":-107.33`, `"lat":24.78,"lon":-107.44`
	sorties := ""
	for i := range 8 {
		sorties += fmt.Sprintf("  - {id: S%d, platform: SYNTHETIC-%d, collection_authority: SYNTHETIC order 1}\n", i+1, i%2+1)
	}
	write("mission.yaml", "name: three places SYNTHETIC\narea: [-107.50, 24.70, -107.25, 24.92]\nfrom: 2026-03-01T00:00:00Z\nto: 2026-03-16T00:00:00Z\nmarking: U//REL TO USA, MEX//SYNTHETIC\nsorties:\n"+sorties)
	sheet("thermal", "S1", "03", a, b)
	sheet("spectral", "S2", "07", a, c)
	sheet("mover", "S3", "10", a, b)
	sheet("signal", "S4", "12", a)
	sheet("video", "S5", "13", b)
	sheet("thermal", "S6", "14")
	write("reports/1.txt", "fecha: 2026-03-05\nlugar: 24.811, -107.401\nradio_m: 800\nfuente: B2\n\nSYNTHETIC. Un pastor cuenta que de noche hay motores y un olor fuerte junto a la brecha.\n")
	write("reports/2.txt", "fecha: 2026-03-13\nlugar: 24.86, -107.33\nradio_m: 600\nfuente: C3\n\nSYNTHETIC. Dicen que en el taller del camino entran camiones por la noche.\n")
	write("layers/valley.geojson", `{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"kind":"track","name":"SYNTHETIC track"},"geometry":{"type":"LineString","coordinates":[[-107.60,24.812],[-107.20,24.812]]}},
{"type":"Feature","properties":{"kind":"permit","class":"industry","name":"SYNTHETIC works"},"geometry":{"type":"Point","coordinates":[-107.33,24.86]}}]}`)
	return dir
}

// nextLook reads the advice on the card that is open, in both languages.
func (s *screen) nextLook() {
	s.Helper()
	s.until(on("next-looks") + `?.dataset.looks >= 4`)
	s.spoken("next-looks", "next-look", map[string][]string{"en": {"tells most for an hour", "solar time", "SYNTHETIC-"}, "es": {"es lo que más dice por hora", "hora solar", "SYNTHETIC-"}})
}

// sorties reads the table of flights, by the keyboard, in both languages and themes.
func (s *screen) sorties() {
	s.Helper()
	s.press("g")
	s.press("p")
	s.there("plan-room")
	s.until(on("plan-room") + `?.dataset.weeks == '2'`)
	s.spoken("plan-room", "sorties", map[string][]string{"en": {"Week from 2026-03-09", "SYNTHETIC-1", "km² looked at"}, "es": {"Semana desde 2026-03-09", "SYNTHETIC-1", "km² mirados"}})
	s.press("g")
	s.press("s")
	s.there("site-card")
}

// fitted is a calibration of cases whose log-odds promise more than came true. SYNTHETIC.
func fitted() *site.Calibration {
	s := numeric.NewStream(3, 1)
	cases := make([]site.Case, 600)
	for i := range cases {
		l := 12*s.Float64() - 9
		cases[i] = site.Case{LogOdds: l, Site: s.Float64() < 1/(1+math.Exp(0.5-0.7*l)), Weight: 1}
	}
	c := site.Fit(cases)
	c.Version, c.From = "SYNTHETIC", []site.Basis{{Scenario: "valley", FirstSeed: 100, Seeds: 12}}
	return &c
}

const sitesPassword = "eight or more"

// sitesServer serves threePlaces.
func sitesServer(t *testing.T) (base string, a *app.App) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	db, err := sqlite.OpenDir(ctx, t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a = app.New(db, "e2e")
	a.Calibration = fitted()
	for _, name := range []string{"ana", "luis"} {
		if _, _, err := a.AddAccount(ctx, app.System, name, "analyst", sitesPassword); err != nil {
			t.Fatal(err)
		}
	}
	if _, partial, err := a.Run(ctx, threePlaces(t), app.RunOptions{Seed: 1}); err != nil || partial {
		t.Fatalf("partial %v: %v", partial, err)
	}
	return served(t, ctx, stop, db, a, serve.Options{}), a
}

// TestSites looks at what the workbench says of sites beyond the ledger, with the keyboard alone, in both languages.
func TestSites(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the browser tests did not run")
	}
	chromium(t) // says at once when there is none
	base, a := sitesServer(t)
	s := open(t, base)
	s.afresh()
	s.signIn("en", "ana", sitesPassword)
	s.do(chromedp.WaitReady(`body[data-map-idle="1"]`))
	t.Run("what would change it", func(t *testing.T) { s.in(t).wouldChange() })
	t.Run("the next best look", func(t *testing.T) { s.in(t).nextLook() })
	t.Run("sorties by week", func(t *testing.T) { s.in(t).sorties() })
	t.Run("how it came to this", func(t *testing.T) { s.in(t).history() })
	t.Run("calibration", func(t *testing.T) { s.in(t).calibration(a) })
	t.Run("two beside each other", func(t *testing.T) { s.in(t).compares() })
	t.Run("what moved", func(t *testing.T) { s.in(t).moves(a) })
	t.Run("why not here", func(t *testing.T) { s.in(t).whyNotHere() })
	s.in(t).quiet("sites")
}

// blur takes the focus from whatever has it, so that single letters are keys again.
func (s *screen) blur() { s.Helper(); js[bool](s, `(document.activeElement?.blur?.(), true)`) }

// speak turns the page to a language.
func (s *screen) speak(language string) {
	s.Helper()
	if js[string](s, `document.documentElement.lang`) != language {
		s.reach("language")
		s.press("\r")
		s.until(`document.documentElement.lang === '` + language + `'`)
		s.blur()
	}
}

// spoken holds that an element says what it should in each language, and takes its picture; axe looks at the longer one.
func (s *screen) spoken(id, name string, want map[string][]string) {
	s.Helper()
	order := []string{"en", "es"}
	if js[string](s, `document.documentElement.lang`) == "es" { // each change of language draws the map anew
		order = []string{"es", "en"}
	}
	for _, language := range order {
		if want[language] == nil {
			continue
		}
		s.speak(language)
		js[bool](s, `(`+on(id)+`.scrollIntoView({block: 'center'}), true)`)
		says := strings.ToLower(js[string](s, on(id)+`.innerText`))
		for _, w := range want[language] {
			if !strings.Contains(says, strings.ToLower(w)) {
				s.Errorf("%s does not say %q, but %q", id, w, says)
			}
		}
		if language == "es" { // the longer lines
			s.accessible(name + ", " + language)
			js[bool](s, `(`+on("theme")+`.click(), true)`)
			s.accessible(name + ", the other theme")
			js[bool](s, `(`+on("theme")+`.click(), true)`)
		}
		s.picture(name + "-" + language)
	}
}

func (s *screen) wouldChange() {
	s.blur()
	s.press("\r") // opens the first site
	s.there("would-change")
	type change struct {
		Kind     string
		Seen, If float64
		Rows     int
		P        string
	}
	c := js[change](s, `(() => { const d = `+on("would-change")+`.dataset; return { Kind: d.kind, Seen: +d.ifSeen, If: +d.ifNot, Rows: document.querySelectorAll('[data-testid="change-row"]').length, P: `+on("probability")+`.innerText } })()`)
	if c.Rows < 5 || c.Seen == c.If || !strings.Contains(c.P, "[") || !strings.Contains(c.P, "n = ") || strings.Contains(c.P, "not calibrated") {
		s.Errorf("would change: %+v", c)
	}
	s.spoken("would-change", "site-would-change", map[string][]string{"en": {"tells most", "with probability", "p is then", "else"}, "es": {"lo que más dice", "con probabilidad", "si no"}})
}

// whyNotHere asks about the place of the selected site, and about ground where nobody was, by keys alone; then about ground beyond the mission's.
func (s *screen) whyNotHere() {
	s.press("g")
	s.press("m")
	s.do(chromedp.WaitReady(`body[data-map-idle="1"]`))
	s.blur()
	site := js[map[string]any](s, `atalaya.desk.sites.find(x => x.id === atalaya.desk.site)`)
	s.press("w")
	s.there("place-asking")
	s.press("\r")
	s.until(on("place") + `.dataset.same === 'true'`)
	if got := js[float64](s, `+`+on("place")+`.dataset.probability`); got != site["probability"] {
		s.Errorf("the place of a site has the probability %v, its card %v", got, site["probability"])
	}
	s.ledger()
	s.spoken("place", "place-site", map[string][]string{"en": {"candidate 1", "What it may be instead", "within 1 km", "Never looked at this place: gas"}, "es": {"candidato 1", "qué puede ser en su lugar", "nunca miraron este lugar: gas"}})
	s.press("w")
	s.there("place-asking")
	for range 5 { // south of all looks
		s.do(chromedp.KeyEvent(kb.ArrowDown))
	}
	s.press("\r")
	s.until(on("place-never") + ` && ` + on("place") + `.dataset.same === 'false'`)
	s.spoken("place", "place-nobody", map[string][]string{"es": {"no dice que aquí no haya nada", "no lo cubrió ninguna mirada", "candidato más cercano"}})
	s.press("w")
	s.there("place-asking")
	s.press("\x1b") // Esc leaves it, and the answer stays
	s.until(`!` + on("place-asking"))
	js[bool](s, `(atalaya.desk.ask(24.6, -107.2), true)`)
	s.there("place-outside")
	if n := js[int](s, `document.querySelectorAll('[data-testid="ledger-row"], [data-testid="place-alternatives"]').length`); n != 0 || !strings.Contains(s.text("place-outside"), "fuera del terreno de la misión") {
		s.Errorf("beyond the mission's ground %d rows, and %q", n, s.text("place-outside"))
	}
}

// compares lays the first site beside the second by keys alone: differences add up, bars are of one scale.
func (s *screen) compares() {
	s.blur()
	s.press("m")
	s.until(on("card-mark") + `.getAttribute('aria-pressed') === 'true'`)
	s.press("j")
	s.until(on("site-card") + `.dataset.site !== atalaya.desk.marked`)
	s.press("m")
	s.until(on("compare") + `?.dataset.ready === 'true'`)
	type sides struct {
		Differences, First, Second []string
		Total                      string
		Kinds                      []string
		Wider                      bool
	}
	c := js[sides](s, `(() => { const q = (x) => [...document.querySelectorAll(x)], text = (l) => l.map(e => e.innerText.trim()).filter(Boolean)
		return { Differences: text(q('[data-testid="compare-difference"]')), Total: `+on("compare-total")+`.innerText, Kinds: [...new Set(q('[data-testid="compare-row"]').map(r => r.dataset.kind))],
			First: text(q('[data-testid="compare-value"][data-side="0"]')), Second: text(q('[data-testid="compare-value"][data-side="1"]')), Wider: document.scrollingElement.scrollWidth > innerWidth } })()`)
	sum := func(list []string) (total float64) {
		for _, v := range list {
			total += number(s.T, v)
		}
		return total
	}
	// Printed numbers: each side's rows sum to its printed sum, the differences to theirs; with two digits and more, both agree to one in the last.
	if total := number(s.T, c.Total); math.Abs(sum(c.Differences)-total) > 1e-9 || math.Abs(sum(c.First)-sum(c.Second)-total) > 0.011 || len(c.Differences) != len(c.Kinds) || c.Wider {
		s.Errorf("side by side: %+v: %g - %g", c, sum(c.First), sum(c.Second))
	}
	s.spoken("compare", "compare", map[string][]string{"en": {"side by side", "Most of the difference", "add up to", "nothing of this kind"}, "es": {"lado a lado", "suman"}})
	s.press("\x1b")
	s.there("site-card")
	s.press("k")
	s.press("m") // lets go of the mark
	s.until(`atalaya.desk.marked === null`)
}

// moves has a colleague take back and restore what speaks for the first site, and sees the ranking change under the eyes of its reader.
func (s *screen) moves(a *app.App) {
	s.press("g")
	s.press("m")
	s.do(chromedp.WaitReady(`body[data-map-idle="1"]`))
	if n := js[int](s, `document.querySelectorAll('[data-testid="moved"], [data-testid="moved-since"]').length`); n != 0 {
		s.Errorf("before anything changed %d sites have moved", n)
	}
	ctx := s.Context()
	view := access.Whole()
	list, err := a.Accounts(ctx)
	if err != nil {
		s.Fatal(err)
	}
	luis := list[slices.IndexFunc(list, func(c app.Account) bool { return c.Name == "luis" })]
	inbox, err := a.Inbox(ctx, view, "")
	if err != nil {
		s.Fatal(err)
	}
	var taken []atalaya.ObservationID
	for _, d := range inbox.Detections {
		if p := d.Observation.Path; (p == "sheets/07-spectral.json" || p == "sheets/12-signal.json" || p == "sheets/10-mover.json") && !slices.Contains(taken, d.Observation.ID) {
			taken = append(taken, d.Observation.ID)
			if _, err := a.Retract(ctx, luis, view, d.Observation.ID, "SYNTHETIC: wrong clock"); err != nil {
				s.Fatal(err)
			}
		}
	}
	s.until(on("moved-since") + ` && document.querySelectorAll('[data-testid="moved"]').length > 0 && ` + on("moved-gone"))
	type moved struct {
		Site, Says string
		Places     int
		By         float64
	}
	for _, m := range js[[]moved](s, `[...document.querySelectorAll('[data-testid="moved"]')].map(e => ({ Site: e.dataset.site, Places: +e.dataset.places, By: +e.dataset.by, Says: e.querySelector('.visually-hidden').textContent }))`) {
		was := js[app.SiteView](s, `(({rank, probability}) => ({rank, probability}))(atalaya.desk.moves.moved.get('`+m.Site+`').before)`)
		now := js[app.SiteView](s, `(({id, rank, probability}) => ({id, rank, probability}))(atalaya.desk.sites.find(x => x.id === '`+m.Site+`'))`)
		if m.Places != was.Rank-now.Rank || math.Abs(m.By-(now.Probability-was.Probability)) > 1e-12 || m.Says == "" {
			s.Errorf("%+v, where it was %d with %g and is %d with %g", m, was.Rank, was.Probability, now.Rank, now.Probability)
		}
	}
	s.spoken("sites", "sites-moved", map[string][]string{"en": {"place"}, "es": {"lugar"}})
	s.press("s")
	s.until(`!` + on("moved-since") + ` && !` + on("moved"))
	for _, id := range taken {
		if _, err := a.Unretract(ctx, luis, view, id); err != nil {
			s.Fatal(err)
		}
	}
	s.until(`atalaya.desk.sites.length === 3 && ` + on("moved-since"))
	s.press("s")
}

// history goes back in time on the card by keys, and sees the ledger go with it.
func (s *screen) history() {
	s.blur()
	s.until(`+` + on("then") + `?.dataset.points >= 5`)
	now := s.ledger()
	s.press(",")
	s.press(",")
	s.press(",")
	s.there("then-not-now")
	if at := js[int](s, `+`+on("then")+`.dataset.points - +`+on("then")+`.dataset.at`); at != 4 {
		s.Errorf("three steps back it stands %d from the end, want 4", at)
	}
	if then := s.ledger(); then == now || js[bool](s, `!!`+on("retract")) || js[string](s, on("ledger-panel")+`.dataset.then`) == "" {
		s.Errorf("three steps back the ledger says %g, now %g, or can be changed", then, now)
	}
	s.spoken("then", "site-then", map[string][]string{"en": {"not of now", "came in", "90 % interval", "items speak of this place"}, "es": {"no de ahora", "llegó", "intervalo del 90 %"}})
	s.reach("then-slider")
	s.do(chromedp.KeyEvent(kb.End))
	s.until(`!` + on("then-not-now"))
	if again := s.ledger(); again != now {
		s.Errorf("back at now the ledger says %g, it said %g", again, now)
	}
	s.blur()
}

// calibration looks at what stands behind the words, and at the page where there is none.
func (s *screen) calibration(a *app.App) {
	s.press("g")
	s.press("o")
	s.there("calibration-plot")
	type page struct {
		Knots, Drawn, Rows, Words, Bands int
		Wider                            bool
	}
	c := js[page](s, `(() => { const n = (q) => document.querySelectorAll(q).length; return { Knots: +`+on("outcomes-room")+`.dataset.knots, Drawn: n('[data-testid="calibration-knot"]'), Rows: n('[data-testid="calibration-knots"] tbody tr'),
		Words: n('[data-testid="calibration-words"] tbody tr'), Bands: n('[data-testid="outcomes-bands"] tbody tr'), Wider: document.scrollingElement.scrollWidth > innerWidth } })()`)
	if want := len(a.Calibration.Knots); want < 4 || c.Knots != want || c.Drawn != want || c.Rows != want || c.Words != len(site.Words) || c.Bands == 0 || c.Wider {
		s.Errorf("%d knots are fitted, the page holds %+v", want, c)
	}
	s.spoken("calibration-says", "calibration", map[string][]string{"en": {"fitted on 600 cases", "simulated"}, "es": {"ajustada con 600 casos", "simulados"}})
	js[bool](s, `(`+on("outcomes-ground")+`.scrollIntoView({block: 'end'}), true)`)
	if says := s.text("outcomes-ground"); !strings.Contains(says, "neither hits nor misses") && !strings.Contains(says, "no son aciertos ni fallos") {
		s.Errorf("of the ground it says %q", says)
	}
	s.picture("calibration-ground")
	fit := a.Calibration
	a.Calibration = nil
	defer func() { a.Calibration = fit }()
	s.press("g")
	s.press("k")
	s.until(`!` + on("outcomes-room"))
	s.press("g")
	s.press("o")
	s.there("calibration-none")
	if says := s.text("calibration-none"); !strings.Contains(says, "no probability bears a word") && !strings.Contains(says, "ninguna probabilidad lleva palabra") {
		s.Errorf("without a calibration it says %q", says)
	}
	s.picture("calibration-none")
	s.press("g")
	s.press("s")
	s.there("site-card")
	s.until(on("then") + `?.dataset.points >= 5`)
}
