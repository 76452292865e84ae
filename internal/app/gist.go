package app

import (
	"context"

	"github.com/atalaya-isr/atalaya"
)

// gist adds the installed translator's draft to a Spanish report. Without a translator the report says so; its own text is
// never touched.
func (a *App) gist(ctx context.Context, o *atalaya.Observation) error {
	return nil
}
