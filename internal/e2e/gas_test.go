package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/atalaya-isr/atalaya/internal/app"
)

// TestGasRoom opens the demo and looks at its two flights, with the keyboard alone, in both languages and themes.
func TestGasRoom(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the browser tests did not run")
	}
	chromium(t) // says at once when there is none
	base, password := demo(t)
	s := open(t, base)
	t.Run("in English", func(t *testing.T) {
		s.in(t).gasRoom("en", password, []string{"How many sources", "Rests most on", "Independent samples", "Where it may be", "Not looked at", "Width factor", "What to fly next: advice", "none of these", "posterior of the rate", "kg/h", "Share of the variance"})
	})
	t.Run("in Spanish", func(t *testing.T) {
		s.in(t).gasRoom("es", password, []string{"Cuántas fuentes", "Depende sobre todo de", "Muestras independientes", "Dónde puede estar", "Factor de anchura", "Qué volar ahora: consejo", "ninguno de estos", "posterior de la tasa", "kg/h", "Parte de la varianza"})
	})
}

func (s *screen) gasRoom(language, password string, want []string) {
	s.afresh()
	s.signIn(language, app.DemoPeople[0].Name, password)
	s.mapIdle()
	s.press("g")
	s.press("g")
	s.do(chromedp.WaitReady(`body[data-room="gas"]`))
	s.there("gas-figures")
	s.do(chromedp.WaitReady(`body[data-map-idle="1"]`))
	s.drawn()
	for _, w := range want {
		if !strings.Contains(strings.ToLower(js[string](s, on("gas-room")+`.innerText`)), strings.ToLower(w)) {
			s.Errorf("the room does not say %q", w)
		}
	}
	if marks := js[[]string](s, `[...document.querySelectorAll('.banner')].map(b => b.innerText.trim())`); len(marks) != 2 || !strings.Contains(marks[0], "SYNTHETIC") || marks[0] != marks[1] {
		s.Errorf("the banners say %q", marks)
	}
	s.accessible("gas room, " + language)
	s.picture("gas-" + language)
	s.rates()
	s.leans()
	s.picture("gas-" + language + "-leans")
	if english := js[[]string](s, `[...document.querySelectorAll('[data-testid="gas-note"] [lang="en"]')].map(e => e.innerText)`); len(english) > 0 {
		s.Errorf("warnings in English alone: %q", english)
	}

	if over := js[bool](s, `(() => { const b = document.querySelector('[data-testid="gas-figures"]').parentElement; return b.scrollWidth > b.clientWidth })()`); over {
		s.Error("the figures are wider than their place")
	}
	js[bool](s, `(document.querySelector('[data-testid="gas-dispersion"]').scrollIntoView(), true)`)
	if tall := js[int](s, `document.documentElement.scrollHeight - innerHeight`); tall > 0 {
		s.Errorf("the page is %d pixels taller than its window", tall)
	}
	s.picture("gas-" + language + "-figures")

	s.linked()
	s.press("j") // the other flight; the list begins with the latest
	first := js[string](s, `atalaya.desk.survey`)
	s.until(`document.body.dataset.mapIdle === '1' && atalaya.desk.survey === ` + fmt.Sprintf("%q", first))
	s.drawn()
	s.picture("gas-" + language + "-other")
	s.reach("gas-tab-table")
	s.press("\r")
	s.there("gas-table")
	s.accessible("samples of the gas room, " + language)
	js[bool](s, `(atalaya.desk.setTheme('dark'), true)`)
	s.until(`document.documentElement.dataset.theme === 'dark'`)
	s.accessible("gas room by night, " + language)
	s.picture("gas-" + language + "-dark")
	js[bool](s, `(atalaya.desk.setTheme('light'), true)`)
	s.sheets(language)
	s.quiet("gas room, " + language)

	js[bool](s, `(document.activeElement.blur(), true)`)
	s.press("\r") // opens the candidate that the survey speaks for
	s.there("site-card")
	s.press("g")
	s.press("g")
	s.there("gas-room")
	s.press("g")
	s.press("m")
	s.do(chromedp.WaitReady(`body[data-map-idle="1"]`)) // the map says so of itself again
	s.quiet("gas room to site and map, " + language)
	s.signOut()
}

// drawn looks at what the map of the room holds.
func (s *screen) drawn() {
	s.Helper()
	type features struct{ Samples, Barbs, P50, P90, Source, Heat, Hatched, Legs int }
	f := js[features](s, `(() => { const n = q => document.querySelectorAll('[data-testid="gas-map"] ' + q).length; return {
		Samples: n('[data-feature="samples"] circle'), Barbs: n('[data-feature="barbs"] > g'), P50: n('[data-feature="p50"]'), P90: n('[data-feature="p90"]'), Source: n('[data-feature="source"]'),
		Heat: n('[data-feature="heat"] path'), Legs: n('[data-feature="leg"]'), Hatched: document.querySelector('[data-feature="unsurveyed"]').getAttribute('d').length } })()`)
	if f.Samples < 100 || f.Barbs < 5 || f.Source < 1 || f.P50 != f.Source || f.P90 != f.Source || f.Heat == 0 || f.Hatched == 0 || f.Legs == 0 {
		s.Errorf("the map holds %+v", f)
	}
	if n := js[int](s, `document.querySelectorAll('[data-testid="gas-series"] svg').length`); n < 4 {
		s.Errorf("%d series are drawn, want one a compound", n)
	}
}

// rates looks at the posterior of each source's rate: of the compound that is chosen in the series, with its table to the keyboard.
func (s *screen) rates() {
	s.Helper()
	type posterior struct {
		Charts, Sources int
		Columns         int
		Compound        string
		Label           string
	}
	read := func() posterior {
		return js[posterior](s, `(() => { const c = document.querySelectorAll('[data-testid="gas-rate-posterior"]'), one = c[0]; return {
			Charts: c.length, Sources: document.querySelectorAll('[data-testid="gas-source"]').length, Compound: one?.dataset.compound ?? '',
			Columns: (one?.querySelector('path.all')?.getAttribute('d').match(/M/g) ?? []).length, Label: one?.querySelector('svg')?.getAttribute('aria-label') ?? '' } })()`)
	}
	p := read()
	if p.Charts != p.Sources || p.Columns < 10 || !strings.Contains(p.Label, p.Compound) || !strings.Contains(p.Label, "/h") {
		s.Errorf("posterior of the rate: %+v", p)
	}
	s.until(`(document.querySelector('[data-testid="gas-rate-posterior"] summary').focus(), true)`)
	s.press("\r")
	s.until(`document.querySelectorAll('[data-testid="gas-rate-posterior"] details[open] tbody tr').length === 20`)
	s.accessible("steps of a rate")
	s.press("\r")
	s.until(`!document.querySelector('[data-testid="gas-rate-posterior"] details[open]')`)
	js[bool](s, `(document.activeElement.blur(), true)`)
}

// leans looks at what the answer rests on: ranked, the dominant one first and with what would make it matter less.
func (s *screen) leans() {
	s.Helper()
	type row struct {
		Name  string
		Place float64
		Less  string
	}
	rows := js[[]row](s, `[...document.querySelectorAll('[data-testid="gas-leans"] tr[data-assumption]')].map(r => ({ Name: r.dataset.assumption, Place: parseFloat(r.querySelector('.place').style.width),
		Less: r.nextElementSibling?.matches('.less') ? r.nextElementSibling.innerText : '' }))`)
	if len(rows) != 8 || rows[0].Less == "" || rows[len(rows)-1].Name != "samples" {
		s.Fatalf("rests on %+v", rows)
	}
	for i := 1; i < len(rows)-1; i++ {
		if rows[i].Place > rows[i-1].Place {
			s.Errorf("%s stands below %s, and moves the place more", rows[i].Name, rows[i-1].Name)
		}
	}
	js[bool](s, `(document.querySelector('[data-testid="gas-leans"]').scrollIntoView(), true)`)
}

// linked moves through the samples with the keyboard: the mark on the map goes with that in the series, and the words with both.
func (s *screen) linked() {
	s.Helper()
	s.press(".")
	s.there("gas-map-cursor")
	place := func() string {
		return js[string](s, `(() => { const c = document.querySelector('[data-testid="gas-map-cursor"]'); return c.getAttribute('cx') + ' ' + c.getAttribute('cy') })()`)
	}
	a, says := place(), s.text("gas-sample")
	s.reach("gas-cursor")
	for range 40 {
		s.do(chromedp.KeyEvent(kb.ArrowRight))
	}
	s.until(on("gas-sample") + `.innerText !== ` + fmt.Sprintf("%q", says))
	if b := place(); a == b {
		s.Error("the mark on the map stays where it was")
	}
	// The time brush of the page narrows the room as well: half of the samples are faint then, and one key brings them back.
	js[bool](s, `(() => { const d = atalaya.desk; d.to = (d.from + d.to) / 2; return true })()`)
	s.there("gas-whole")
	s.reach("gas-whole")
	s.press("\r")
	s.until(`!` + on("gas-whole"))
	js[bool](s, `(document.activeElement.blur(), true)`)
}

// sheets asks for the figures for a report.
func (s *screen) sheets(language string) {
	s.Helper()
	for _, kind := range []string{"svg", "png"} {
		got := js[struct {
			Status int
			Type   string
			Size   int
			Text   string
		}](s, on("gas-"+kind)+` && fetch(`+on("gas-"+kind)+`.href).then(async r => { const b = await r.blob(); return {Status: r.status, Type: r.headers.get('Content-Type'), Size: b.size, Text: b.type.includes('svg') ? await b.text() : ''} })`)
		if got.Status != 200 || !strings.HasPrefix(got.Type, "image/"+kind) || got.Size < 10_000 {
			s.Errorf("figure.%s: %d %s, %d bytes", kind, got.Status, got.Type, got.Size)
		}
		if word := map[string]string{"en": "not looked at", "es": "sin observar"}[language]; kind == "svg" && (!strings.Contains(got.Text, word) || strings.Count(got.Text, "UNCLASSIFIED//SYNTHETIC") != 2) {
			s.Errorf("the sheet lacks %q or its two banners", word)
		}
	}
}
