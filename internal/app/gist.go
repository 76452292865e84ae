package app

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/external/apertium"
)

// gist adds the installed translator's draft to a Spanish report. Without a translator the report says so; its own text is
// never touched.
func (a *App) gist(ctx context.Context, o *atalaya.Observation) error {
	var b ReportBody
	if err := json.Unmarshal(o.Body, &b); err != nil {
		return err
	}
	if b.Language.Code != "es" {
		return nil
	}
	engine, err := apertium.Find(ctx, "es", "en")
	if err != nil {
		b.GistBy = "no draft translation: " + err.Error()
		o.Body = mustJSON(b)
		return nil
	}
	// One line in, one line out.
	lines := strings.Split(strings.TrimRight(b.Text[b.Body[0]:b.Body[1]], "\r\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, "\r")
	}
	segments, err := engine.Translate(ctx, lines)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		b.GistBy = "no draft translation: " + err.Error()
		o.Body = mustJSON(b)
		return nil
	}
	out := make([]string, len(segments))
	for i, s := range segments {
		out[i] = marked(s)
	}
	text := strings.Join(out, "\n")
	b.Gist, b.GistBy = &text, engine.Name()+", band "+apertium.Band+": a machine's draft, not checked by a person; words with * are unknown to it"
	o.Body = mustJSON(b)
	return nil
}

// marked is a translated line with a star before each word that the translator did not know.
func marked(s apertium.Segment) string {
	text := s.Target
	for _, f := range slices.Backward(s.Flags) {
		if f.Kind == "unknown" && f.TargetSpan != nil && !strings.HasPrefix(text[f.TargetSpan[0]:], "*") {
			text = text[:f.TargetSpan[0]] + "*" + text[f.TargetSpan[0]:]
		}
	}
	return text
}
