package still

import (
	"bytes"
	"fmt"
	"html/template"
)

// page is the storyboard as a page that holds all it shows and asks nothing of any other place; printed, each sheet of it bears the
// marking.
func (b *board) page(title string, provenance []byte) ([]byte, error) {
	v, err := newVector("m")
	if err != nil {
		return nil, err
	}
	b.columns()
	w := b.mapWide()
	b.chart.draw(v, 4, 18, w-8, mapHigh, b.t)
	type shown struct {
		N       int
		Picture template.URL
		Lines   [3]string
		W, H    int
	}
	colours := b.mark.colours()
	data := struct {
		Lang, Title, Banner string
		Ground, Words       template.CSS
		Panels              []shown
		Map                 template.HTML
		Rows                []htmlRow
		JSON                template.JS
	}{Lang: "en", Title: title, Banner: b.mark.Banner(), Ground: template.CSS(colours[0]), Words: template.CSS(colours[1]), JSON: template.JS(provenance),
		Map: template.HTML(v.drawing(w, mapHigh+mapFoot+22, b.t.say("map"), ""))}
	if b.t == "es" {
		data.Lang = "es"
	}
	for i := range b.panels {
		s := b.panels[i].shot
		data.Panels = append(data.Panels, shown{i + 1, template.URL(dataURI(s.Pix)), b.caption(i), s.Pix.Rect.Dx(), s.Pix.Rect.Dy()})
	}
	for _, r := range b.rows(v, 1e9) {
		data.Rows = append(data.Rows, htmlRow{r.label, r.text})
	}
	var out bytes.Buffer
	if err := pageForm.Execute(&out, data); err != nil {
		return nil, fmt.Errorf("still: %w", err)
	}
	return out.Bytes(), nil
}

type htmlRow struct{ Label, Text string }

// pageForm is the page. Its policy lets nothing be fetched.
var pageForm = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="{{.Lang}}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>{{.Title}}</title>
<style>
body { margin: 0; background: ` + surface + `; color: ` + ink + `; font: 14px/20px "DejaVu Sans Condensed", "Inter", "Arial Narrow", sans-serif; }
.marking { position: sticky; z-index: 1; padding: 2px 8px; text-align: center; font-weight: 700; overflow-wrap: anywhere; background: {{.Ground}}; color: {{.Words}};
  -webkit-print-color-adjust: exact; print-color-adjust: exact; }
.marking.top { top: 0; } .marking.bottom { bottom: 0; }
@media print { .marking { position: fixed; left: 0; right: 0; } .sheet { padding: 32px 16px; } }
.sheet { padding: 0 16px 24px; }
h1 { font-size: 20px; line-height: 28px; overflow-wrap: anywhere; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(304px, 1fr)); gap: 16px; }
figure { margin: 0; break-inside: avoid; }
figure img { display: block; width: 100%; height: auto; image-rendering: auto; border: 1px solid ` + ink + `; box-sizing: border-box; }
figcaption { display: grid; grid-template-columns: auto 1fr; column-gap: 8px; }
figcaption b { color: ` + videoColour + `; grid-row: 1 / 4; }
figcaption span:nth-child(3) { color: ` + ink2 + `; }
.below { display: flex; flex-wrap: wrap; gap: 24px; margin-top: 24px; }
.below svg { max-width: 100%; height: auto; }
dl { flex: 1 1 280px; margin: 0; } dt { color: ` + ink3 + `; } dd { margin: 0 0 8px; overflow-wrap: anywhere; }
</style>
</head>
<body>
<div class="marking top">{{.Banner}}</div>
<div class="sheet">
<h1>{{.Title}}</h1>
<main class="panels">
{{range .Panels}}<figure><img src="{{.Picture}}" width="{{.W}}" height="{{.H}}" alt="{{.N}}: {{index .Lines 0}}, {{index .Lines 1}}"><figcaption><b>{{.N}}</b>{{range .Lines}}<span>{{.}}</span>{{end}}</figcaption></figure>
{{end}}</main>
<section class="below">
{{.Map}}<dl>{{range .Rows}}{{with .Label}}<dt>{{.}}</dt>{{end}}<dd>{{.Text}}</dd>{{end}}</dl>
</section>
</div>
<script type="application/json" id="atalaya">{{.JSON}}</script>
<div class="marking bottom">{{.Banner}}</div>
</body>
</html>
`))
