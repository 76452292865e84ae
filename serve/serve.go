// Package serve is the workbench on the network: its HTTP API, with an OpenAPI document made from the Go types, the live
// tail of the log, and the embedded pages. docs/reference/api.md fixes the calls.
//
// Who is signed in is known by a session cookie alone; what may be seen is decided by the view of that account on every call,
// so that what is withheld answers exactly like what is not there. Nothing is fetched from elsewhere, and no answer tells of
// the inside of the program: what failed goes to Options.Log.
package serve

import (
	"context"
	"io/fs"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/internal/app"
)

// Options say what is served and to whom. The zero value serves the API alone, on loopback names.
type Options struct {
	Web fs.FS // the built workbench, web.Dist(); nil serves the API alone

	Demo         bool     // the record is a demonstration: names of its accounts and their password are shown
	DemoAccounts []string // names, in the order in which they are offered
	DemoPassword string
	Test         bool // honour ?test=1 in the page: fixed clock, no fading

	Programs Programs // which other programs were found

	AllowRemote bool     // answer, and listen, beyond loopback; something before it must then bring TLS
	Hosts       []string // names beside loopback's under which the server is reached

	Log func(format string, args ...any) // what operators should see; nil is silent
}

// Programs says which optional programs are installed.
type Programs struct {
	FFmpeg         bool `json:"ffmpeg"`
	Apertium       bool `json:"apertium"`
	ApertiumSpaEng bool `json:"apertium_spa_eng"`
}

// server is what all handlers share.
type server struct {
	app     *app.App
	opt     Options
	cookie  string // name of the session cookie
	hashing chan struct{}
	logins  *limiter
	live    *watchers
	proving chan struct{} // one verification at a time
	reels   chan struct{} // who reads a video
	weighs  chan struct{} // who has evidence weighed anew
	view    func(context.Context, app.Account) (access.View, error)
}

const (
	maxBody   = 64 << 10 // bytes of a request; the longest text of the API is a note of 4,000
	maxHashes = 4        // passwords under test at once; each takes 19 MiB
	// mostWeighs is how many have the evidence of a mission in their hands at once, some hundred MB where it is large.
	mostWeighs = 2
)

// New makes the handler of everything.
func New(a *app.App, opt Options) (http.Handler, error) {
	return newServer(a, opt).handler()
}

func newServer(a *app.App, opt Options) *server {
	if opt.Log == nil {
		opt.Log = func(string, ...any) {}
	}
	return &server{app: a, opt: opt, cookie: cookieName(a.Record.AuditKey()), hashing: make(chan struct{}, min(maxHashes, runtime.NumCPU())),
		logins: newLimiter(a.Clock), live: newWatchers(), proving: make(chan struct{}, 1), reels: make(chan struct{}, mostReels()), weighs: make(chan struct{}, mostWeighs), view: a.View}
}

func (s *server) handler() (http.Handler, error) {
	pages, err := newPages(s.opt.Web)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	s.routes(mux)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, problem(http.StatusNotFound, "there is no such call. See docs/reference/api.md"))
	})
	mux.Handle("/", pages)
	return handler{s.guarded(s.authenticated(mux)), s.opt.AllowRemote}, nil
}

// handler is what New makes; it knows whether it may be reached from beyond this machine.
type handler struct {
	http.Handler
	remote bool
}

// guarded turns away names that are not ours (a foreign name that resolves to this machine: DNS rebinding), sets the headers
// that every answer has, and keeps a fault of one call from ending the others.
func (s *server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		h.Set("X-Frame-Options", "DENY")
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v)
			}
			s.opt.Log("%s %s: panic: %v\n%s", r.Method, r.URL.Path, v, debug.Stack())
			writeProblem(w, problem(http.StatusInternalServerError, failedLine))
		}()
		if !s.ours(r.Host) {
			writeProblem(w, problem(http.StatusMisdirectedRequest, "this server does not answer to that name. Open it as 127.0.0.1 or localhost"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// contentPolicy lets the page use what the server itself serves and nothing else; the map's style needs inline style.
const contentPolicy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; img-src 'self' data: blob:; " +
	"media-src 'self' blob:; connect-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// ours reports whether a Host header names this server: loopback, a name of Options.Hosts, or, where remote readers are
// allowed, any address in digits, which no foreign name can rebind.
func (s *server) ours(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	if ip := net.ParseIP(name); ip != nil {
		return ip.IsLoopback() || s.opt.AllowRemote
	}
	return name == "localhost" || slices.ContainsFunc(s.opt.Hosts, func(h string) bool { return strings.EqualFold(h, name) })
}

// reader is who asks, and what that account may see.
type reader struct {
	app.Account
	view access.View
	key  string // of the session
}

type readerKey struct{}

// readerOf is who asks; calls without a session never get as far as this.
func readerOf(ctx context.Context) reader {
	r, _ := ctx.Value(readerKey{}).(reader)
	return r
}

// authenticated lets only sessions pass to the API, save to the two calls that need none, and writes only with the header
// that no foreign page can send.
func (s *server) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/") {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Header.Get("X-Atalaya") != "1" {
			writeProblem(w, problem(http.StatusForbidden, "a write needs the header X-Atalaya: 1. Send it with every call that changes something"))
			return
		}
		who, err := s.readerOf(r)
		switch {
		case err == nil:
			r = r.WithContext(context.WithValue(r.Context(), readerKey{}, who))
		case !isBadLogin(err) || !open(r):
			writeProblem(w, s.problemOf(r.Context(), r.Method+" "+r.URL.Path, err))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// open reports whether a call needs no session.
func open(r *http.Request) bool {
	switch r.URL.Path {
	case "/api/session":
		return r.Method != http.MethodDelete
	case "/api/openapi.json", "/api/openapi.yaml":
		return true
	}
	return false
}

func (s *server) readerOf(r *http.Request) (reader, error) {
	c, err := r.Cookie(s.cookie)
	if err != nil {
		return reader{}, errSignIn
	}
	return s.readerBy(r.Context(), c.Value)
}

func (s *server) readerBy(ctx context.Context, key string) (reader, error) {
	who, err := s.app.BySession(ctx, key)
	if err != nil {
		return reader{}, err
	}
	view, err := s.view(ctx, who)
	return reader{who, view, key}, err
}

// take waits for a place in a bounded room, or for the end of ctx.
func take(ctx context.Context, room chan struct{}) (leave func(), err error) {
	select {
	case room <- struct{}{}:
		return func() { <-room }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
