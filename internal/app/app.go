// Package app holds the use cases, one file each: it opens files, calls the science, and writes what came of it into the
// record. It holds wiring, no mathematics and no format.
package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/store"
	"github.com/atalaya-isr/atalaya/store/sqlite"
)

// App is the use cases on one record. It is safe for concurrent use.
type App struct {
	Record  *sqlite.DB
	Clock   func() time.Time
	Version string
	// Talk gets one line of progress at a time; nil is silent.
	Talk func(string)
	// Calibration of site probabilities; nil is none: then no candidate has a word.
	Calibration *site.Calibration

	reels     shelf[*reel]       // of the videos that were asked for last
	checks    shelf[*videoCheck] // likewise
	glances   glances
	moverPart partSize
	kept      evidenceKept
	assessing sync.Mutex // one ranking is worked out and kept at a time
	grounds   grounds    // what was read of the layers of ground that were asked for last
}

// System is the actor of what no person did.
const System atalaya.AccountID = "system"

// New makes the use cases on an open record.
func New(record *sqlite.DB, version string) *App {
	return &App{Record: record, Clock: time.Now, Version: version, Calibration: site.Shipped(), moverPart: usualPart}
}

func (a *App) talk(format string, args ...any) {
	if a.Talk != nil {
		a.Talk(fmt.Sprintf(format, args...))
	}
}

// failure is an error of one kind with its remedy.
func failure(kind atalaya.Kind, hint, format string, args ...any) error {
	return &atalaya.Error{Kind: kind, Hint: hint, Err: fmt.Errorf(format, args...)}
}

func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil { // only a programmer can bring a value that has no JSON here
		panic("app: " + err.Error())
	}
	return b
}

// all lists every entity that a query finds, page by page.
func (a *App) all(ctx context.Context, view access.View, q store.Query) ([]store.Entity, error) {
	var out []store.Entity
	for {
		page, err := a.Record.Find(ctx, view, q)
		if err != nil {
			return nil, err
		}
		out = append(out, page.Entities...)
		if page.Next == "" {
			return out, nil
		}
		q.After = page.Next
	}
}

// nouns decodes the bodies of entities; what was purged is left out.
func nouns[T any](entities []store.Entity) ([]T, error) {
	out := make([]T, 0, len(entities))
	for _, e := range entities {
		if e.Standing == store.Purged {
			continue
		}
		var v T
		if err := json.Unmarshal(e.Body, &v); err != nil {
			return nil, fmt.Errorf("%s %s: %w", e.Kind, e.ID, err)
		}
		out = append(out, v)
	}
	return out, nil
}

func get[T any](ctx context.Context, a *App, view access.View, kind, id string) (v T, e store.Entity, err error) {
	if e, err = a.Record.Get(ctx, view, kind, id); err != nil {
		return v, e, err
	}
	return v, e, json.Unmarshal(e.Body, &v)
}

func isNotFound(err error) bool {
	return err != nil && atalaya.KindOf(err) == atalaya.NotFound
}

func isConflict(err error) bool { return err != nil && atalaya.KindOf(err) == atalaya.Conflict }

// rollUp is the marking of what is derived from these; what cannot be parsed is as high as can be, never lower.
func rollUp(portions []string) (string, error) {
	var some []string
	for _, p := range portions {
		if p != "" {
			some = append(some, p)
		}
	}
	if len(some) == 0 {
		return "", errors.New("nothing to roll up: every value needs a marking")
	}
	return atalaya.RollUp(some...)
}
