package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/atalaya-isr/atalaya/store/sqlite"
)

// AuditView says in one sentence whether the log is whole.
type AuditView struct {
	Verified bool      `json:"verified"`
	Events   int64     `json:"events"`
	At       time.Time `json:"at"`
	FirstBad *int64    `json:"first_bad"`
	Detail   string    `json:"detail"`
}

// Audit checks the whole log anew: an answer from memory would not see what was changed since.
func (a *App) Audit(ctx context.Context) (AuditView, error) {
	rep, err := a.Record.VerifyAudit(ctx)
	if errors.Is(err, sqlite.ErrDamaged) {
		return AuditView{At: a.Clock().UTC(), Detail: err.Error()}, nil
	}
	if err != nil {
		return AuditView{}, err
	}
	v := AuditView{Verified: rep.Whole(), Events: rep.Leaves, At: a.Clock().UTC()}
	if !v.Verified {
		v.FirstBad, v.Detail = &rep.Bad, rep.Why
		return v, nil
	}
	v.Detail = fmt.Sprintf("root %x, %d signed checkpoints hold, %d events without a body", rep.Root[:8], rep.Checkpoints, rep.Purged)
	return v, nil
}
