package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/store"
)

const (
	beat        = 15 * time.Second       // a quiet line says that it lives
	gather      = 100 * time.Millisecond // at least this long between two looks at the log
	tooFar      = 1000                   // events behind: loading afresh is quicker than catching up
	slowest     = 20 * time.Second       // a reader that takes longer for one write is gone
	mostWatched = 8                      // live lines of one account: a window each
)

// watchers counts live lines by account.
type watchers struct {
	mu sync.Mutex
	by map[atalaya.AccountID]int
}

func newWatchers() *watchers { return &watchers{by: map[atalaya.AccountID]int{}} }

func (w *watchers) enter(id atalaya.AccountID) (leave func(), ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by[id] >= mostWatched {
		return nil, false
	}
	w.by[id]++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.by[id]--; w.by[id] == 0 {
			delete(w.by, id)
		}
	}, true
}

// streams are the calls whose answers are not one JSON document.
func (s *server) streams(api huma.API) {
	op := operation(http.MethodGet, "/api/live", "Server-sent events: the log as it grows")
	op.Responses = map[string]*huma.Response{"200": {Description: "each `id: CURSOR`, `data: LogRow`; a comment line `: beat`; an event named `reset` asks to load afresh",
		Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}}}}
	huma.Register(api, op, func(_ context.Context, in *struct {
		After string `header:"Last-Event-ID" maxLength:"200" doc:"from now on when absent"`
	}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(c huma.Context) {
			r, w := humago.Unwrap(c)
			s.follow(w, r, store.Cursor(in.After))
		}}, nil
	})
	op = operation(http.MethodGet, "/api/releases/{id}/package.zip", "The package, byte for byte what was released")
	op.Responses = map[string]*huma.Response{"200": {Description: "the package", Content: map[string]*huma.MediaType{"application/zip": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}}
	huma.Register(api, op, func(ctx context.Context, in *One) (*huma.StreamResponse, error) {
		b, name, err := s.app.PackageZip(ctx, readerOf(ctx).view, atalaya.ReleaseID(in.ID))
		if err != nil {
			return nil, s.problemOf(ctx, "package", err)
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			defer b.Close()
			r, w := humago.Unwrap(c)
			w.Header().Set("Content-Type", "application/zip")
			w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
			http.ServeContent(w, r, "", time.Time{}, b)
		}}, nil
	})
}

// line is one live line.
type line struct {
	w    http.ResponseWriter
	out  *http.ResponseController
	at   store.Cursor
	last time.Time // of the last write
}

// follow sends the log to one reader as it grows, until the reader goes, the session ends or the server stops.
func (s *server) follow(w http.ResponseWriter, r *http.Request, after store.Cursor) {
	who := readerOf(r.Context())
	leave, ok := s.live.enter(who.ID)
	if !ok {
		writeProblem(w, problem(http.StatusTooManyRequests, fmt.Sprintf("this account follows the log in %d windows already. Close one of them", mostWatched)))
		return
	}
	defer leave()
	l := &line{w: w, out: http.NewResponseController(w), at: after}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy must not gather
	w.WriteHeader(http.StatusOK)
	if after == "" {
		_, next, _, err := s.app.Follow(r.Context(), who.view, "", 1)
		if err != nil {
			s.opt.Log("live: %v", err)
			return
		}
		l.at = next
	}
	// The place is said at once, so that a reader who loses the line before the first event can go on from here.
	if err := l.write("id: %s\n: beat\n\n", l.at); err != nil {
		return
	}
	ticks := time.NewTicker(beat)
	defer ticks.Stop()
	for {
		changed := s.app.Record.Changed() // before the look, so that nothing is missed between
		who, err := s.readerBy(r.Context(), who.key)
		if err != nil { // signed out, or gone
			return
		}
		if err := s.send(r.Context(), l, who); err != nil {
			if r.Context().Err() == nil && !isGone(err) {
				s.opt.Log("live: %v", err)
			}
			return
		}
		if !wait(r.Context(), nil, time.After(gather)) {
			return
		}
		if !wait(r.Context(), changed, ticks.C) {
			return
		}
		if time.Since(l.last) >= beat-gather {
			if err := l.write(": beat\n\n"); err != nil {
				return
			}
		}
	}
}

// wait is over when the log changed or a timer is; false when the line must end.
func wait(ctx context.Context, changed <-chan struct{}, timer <-chan time.Time) bool {
	select {
	case <-changed:
	case <-timer:
	case <-ctx.Done():
		return false
	case <-closing(ctx):
		return false
	}
	return true
}

// send writes what the log has since the reader's place.
func (s *server) send(ctx context.Context, l *line, who reader) error {
	rows, next, reset, err := s.app.Follow(ctx, who.view, l.at, tooFar+1)
	if err != nil {
		return err
	}
	if len(rows) > tooFar {
		if _, next, _, err = s.app.Follow(ctx, who.view, "", 1); err != nil {
			return err
		}
		reset, rows = true, nil
	}
	if reset {
		l.at = next
		return l.write("event: reset\nid: %s\ndata: {}\n\n", next)
	}
	for _, row := range rows {
		b, err := json.Marshal(row)
		if err != nil {
			return err
		}
		if err := l.write("id: %s\ndata: %s\n\n", row.ID, b); err != nil {
			return err
		}
	}
	l.at = next
	return nil
}

// gone is a write to a reader who is not there any more.
type gone struct{ error }

func isGone(err error) bool { _, ok := err.(gone); return ok }

func (l *line) write(format string, args ...any) error {
	l.out.SetWriteDeadline(time.Now().Add(slowest)) // not every writer has one; then the server's own ends it
	if _, err := fmt.Fprintf(l.w, format, args...); err != nil {
		return gone{err}
	}
	if err := l.out.Flush(); err != nil {
		return gone{err}
	}
	l.last = time.Now()
	return nil
}
