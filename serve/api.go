package serve

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/outcome"
	"github.com/atalaya-isr/atalaya/store"
)

// The answers that are not a view of internal/app as it is.
type (
	// Session is who is signed in and what the page must know before anybody is.
	Session struct {
		Account      *app.Account `json:"account" doc:"null before sign-in"`
		Accounts     []string     `json:"accounts,omitempty" doc:"names that may sign in; in the demo alone"`
		DemoPassword string       `json:"demo_password,omitempty" doc:"in the demo alone"`
		Version      string       `json:"version"`
		Demo         bool         `json:"demo"`
		Test         bool         `json:"test"`
		Banner       app.Banner   `json:"banner"`
		Programs     Programs     `json:"programs"`
	}
	// EventRef names the event that a write became: the event's own name, as the log lists it.
	EventRef struct {
		ID   string    `json:"id"`
		Time time.Time `json:"time"`
	}
	// Written is the answer to a write.
	Written struct {
		Event EventRef `json:"event"`
	}
	// CaseOpened is the answer to opening a case.
	CaseOpened struct {
		Case  app.CaseView `json:"case"`
		Event EventRef     `json:"event"`
	}
	// Released is the answer to a release.
	Released struct {
		Release app.ReleaseView `json:"release"`
		Event   EventRef        `json:"event"`
		Before  bool            `json:"before" doc:"this had been released before, as this event; nothing was written now"`
	}
	// Events is a stretch of the log.
	Events struct {
		Events []app.LogRow `json:"events"`
		Next   store.Cursor `json:"next"`
		Reset  bool         `json:"reset"`
	}
)

// answer is a body as huma wants it.
type answer[T any] struct{ Body T }

// ofMission is a call about one mission.
type ofMission struct {
	Mission string `query:"mission" maxLength:"64" doc:"the latest when absent"`
}

// One is a call about one thing. Exported, because huma passes over embedded structs that are not.
type One struct {
	ID string `path:"id" maxLength:"80"`
}

func (s *server) routes(mux *http.ServeMux) {
	config := huma.DefaultConfig("Atalaya", s.app.Version)
	config.Info.Description = "The workbench of an airborne-intelligence record: ranked candidate sites, the evidence for and against, the decisions of people."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "/api/openapi", "", "" // the docs page would come from the net
	config.CreateHooks = nil                                                         // no $schema links in answers
	config.Transformers = []huma.Transformer{plainProblems}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"session": {Type: "apiKey", In: "cookie", Name: s.cookie}}
	config.Security = []map[string][]string{{"session": {}}}
	api := humago.New(mux, config)

	get(s, api, "/api/session", "Who is signed in", func(ctx context.Context, _ *struct{}) (Session, error) { return s.session(readerOf(ctx)) })
	s.sessionCalls(api)
	get(s, api, "/api/map", "All that the map draws", func(ctx context.Context, in *ofMission) (app.MapView, error) {
		return s.app.Map(ctx, readerOf(ctx).view, atalaya.MissionID(in.Mission))
	})
	get(s, api, "/api/sites", "Candidate sites in rank order", func(ctx context.Context, in *ofMission) (app.SitesView, error) {
		view, mission := readerOf(ctx).view, atalaya.MissionID(in.Mission)
		if mission == "" { // the latest, as on the map: a site's name is of its mission
			ms, err := s.app.Missions(ctx, view)
			if err != nil {
				return app.SitesView{}, err
			}
			if len(ms) > 0 {
				mission = ms[0].ID
			}
		}
		return s.app.Sites(ctx, view, mission)
	})
	get(s, api, "/api/sites/{id}", "One candidate site with its ledger", func(ctx context.Context, in *One) (app.SiteCard, error) {
		who := readerOf(ctx)
		return s.app.Card(ctx, who.Account, who.view, atalaya.CandidateID(in.ID))
	})
	get(s, api, "/api/inbox", "Detections to be weighed", func(ctx context.Context, in *ofMission) (app.InboxView, error) {
		return s.app.Inbox(ctx, readerOf(ctx).view, atalaya.MissionID(in.Mission))
	})
	get(s, api, "/api/events", "The log after a cursor", func(ctx context.Context, in *struct {
		After string `query:"after" maxLength:"200" doc:"from the beginning when absent"`
	}) (Events, error) {
		after := store.Cursor(in.After)
		if after == "" {
			after = "0"
		}
		rows, next, reset, err := s.app.Follow(ctx, readerOf(ctx).view, after, page)
		return Events{rows, next, reset}, err
	})
	get(s, api, "/api/audit", "Whether the log is whole", func(ctx context.Context, _ *struct{}) (app.AuditView, error) {
		leave, err := take(ctx, s.proving)
		if err != nil {
			return app.AuditView{}, err
		}
		defer leave()
		return s.app.Audit(ctx)
	})
	s.decisionCalls(api)
	s.siteCalls(api)
	s.gasCalls(api)
	s.videoCalls(api)
	s.streams(api)
}

// page is how many events one answer brings at most.
const page = 500

// get makes a call that reads.
func get[I, O any](s *server, api huma.API, path, summary string, f func(context.Context, *I) (O, error)) {
	register(s, api, http.MethodGet, path, summary, f)
}

// register makes a call whose errors become problems.
func register[I, O any](s *server, api huma.API, method, path, summary string, f func(context.Context, *I) (O, error)) {
	op := operation(method, path, summary)
	huma.Register(api, op, func(ctx context.Context, in *I) (*answer[O], error) {
		out, err := f(ctx, in)
		if err != nil {
			return nil, s.problemOf(ctx, method+" "+path, err)
		}
		return &answer[O]{out}, nil
	})
}

func operation(method, path, summary string) huma.Operation {
	return huma.Operation{OperationID: operationID(method, path), Method: method, Path: path, Summary: summary, MaxBodyBytes: maxBody}
}

// operationID is a name for generated clients: "get-api-sites-id".
func operationID(method, path string) string {
	return strings.ToLower(method) + strings.NewReplacer("/", "-", "{", "", "}", "", ".", "-").Replace(path)
}

// session is what the page must know; who is nobody before sign-in.
func (s *server) session(who reader) (Session, error) {
	out := Session{Version: s.app.Version, Demo: s.opt.Demo, Test: s.opt.Test, Programs: s.opt.Programs}
	if who.ID != "" {
		out.Account = &who.Account
	}
	portion := "(U)" // a page that shows nothing of the record
	if s.opt.Demo {
		portion = "(U//SYNTHETIC)"
		out.Accounts, out.DemoPassword = s.opt.DemoAccounts, s.opt.DemoPassword
	}
	var err error
	out.Banner, err = app.BannerOf(portion)
	return out, err
}

// signedIn is a Session with its cookie.
type signedIn struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      Session
}

func (s *server) sessionCalls(api huma.API) {
	op := operation(http.MethodPost, "/api/session", "Sign in")
	huma.Register(api, op, func(ctx context.Context, in *struct {
		Body struct {
			Name     string `json:"name" maxLength:"200"`
			Password string `json:"password" maxLength:"1000"`
		}
	}) (*signedIn, error) {
		key, err := s.signIn(ctx, in.Body.Name, in.Body.Password)
		if err != nil {
			return nil, s.problemOf(ctx, "POST /api/session", err)
		}
		if old := readerOf(ctx); old.key != "" { // one browser, one person
			err = s.app.EndSession(ctx, old.key)
		}
		var who reader
		if err == nil {
			who, err = s.readerBy(ctx, key)
		}
		var body Session
		if err == nil {
			body, err = s.session(who)
		}
		if err != nil {
			return nil, s.problemOf(ctx, "POST /api/session", err)
		}
		return &signedIn{s.sessionCookie(key, sessionFor), body}, nil
	})
	op = operation(http.MethodDelete, "/api/session", "Sign out")
	huma.Register(api, op, func(ctx context.Context, _ *struct{}) (*signedIn, error) {
		if err := s.app.EndSession(ctx, readerOf(ctx).key); err != nil {
			return nil, s.problemOf(ctx, "DELETE /api/session", err)
		}
		body, err := s.session(reader{})
		if err != nil {
			return nil, s.problemOf(ctx, "DELETE /api/session", err)
		}
		return &signedIn{s.sessionCookie("", 0), body}, nil
	})
}

func (s *server) decisionCalls(api huma.API) {
	post(s, api, "/api/cases", "Open a case on a candidate", func(ctx context.Context, in *struct {
		Body struct {
			Candidate  string             `json:"candidate" maxLength:"80"`
			LegalBasis atalaya.LegalBasis `json:"legal_basis"`
		}
	}) (CaseOpened, error) {
		who := readerOf(ctx)
		c, w, err := s.app.OpenCase(ctx, who.Account, who.view, atalaya.CandidateID(in.Body.Candidate), in.Body.LegalBasis)
		if err != nil {
			return CaseOpened{}, err
		}
		return CaseOpened{app.CaseView{ID: c.ID, Candidate: c.Candidate, OpenedBy: c.OpenedBy, OpenedByName: who.Name, OpenedAt: c.OpenedAt, LegalBasis: c.LegalBasis, Basis: c.Basis}, refOf(w)}, nil
	})
	post(s, api, "/api/cases/{id}/reviews", "Record one person's decision", func(ctx context.Context, in *struct {
		One
		Body struct {
			Decision string `json:"decision" enum:"approve,hold,dismiss"`
			Why      string `json:"why" maxLength:"4000"`
			Basis    string `json:"basis" maxLength:"64"`
		}
	}) (Written, error) {
		who := readerOf(ctx)
		_, w, err := s.app.Review(ctx, who.Account, who.view, atalaya.CaseID(in.ID), atalaya.Decision(in.Body.Decision), in.Body.Why, in.Body.Basis)
		if err != nil {
			return Written{}, s.withPresent(ctx, who, atalaya.CaseID(in.ID), err)
		}
		return Written{refOf(w)}, nil
	})
	post(s, api, "/api/cases/{id}/looked-at", "Say that the changed basis has been looked at", func(ctx context.Context, in *struct {
		One
		Body struct {
			Basis string `json:"basis" maxLength:"64"`
		}
	}) (Written, error) {
		who := readerOf(ctx)
		w, err := s.app.LookedAt(ctx, who.Account, who.view, atalaya.CaseID(in.ID), in.Body.Basis)
		if err != nil {
			return Written{}, s.withPresent(ctx, who, atalaya.CaseID(in.ID), err)
		}
		return Written{refOf(w)}, nil
	})
	post(s, api, "/api/cases/{id}/releases", "Release to one recipient what two people approved", func(ctx context.Context, in *struct {
		One
		Body struct {
			Recipient  string             `json:"recipient" minLength:"2" maxLength:"16"`
			LegalBasis atalaya.LegalBasis `json:"legal_basis,omitempty" doc:"that of the case when absent"`
		}
	}) (Released, error) {
		who := readerOf(ctx)
		r, w, err := s.app.Release(ctx, who.Account, who.view, atalaya.CaseID(in.ID), in.Body.Recipient, in.Body.LegalBasis)
		if err != nil {
			return Released{}, err
		}
		names, err := s.app.Names(ctx)
		return Released{app.ReleaseViewOf(r, names), refOf(w), w.Before}, err
	})
	post(s, api, "/api/cases/{id}/outcomes", "Record what came back", func(ctx context.Context, in *struct {
		One
		Body struct {
			Found    string    `json:"found" enum:"confirmed,empty,abandoned,not-visited,unsafe"`
			On       time.Time `json:"on"`
			By       string    `json:"by" maxLength:"200" doc:"the service that reported it"`
			Note     string    `json:"note,omitempty" maxLength:"4000"`
			Replaces string    `json:"replaces,omitempty" maxLength:"80" doc:"the outcome that this one corrects"`
		}
	}) (Written, error) {
		who, b := readerOf(ctx), in.Body
		r := outcome.Report{Outcome: atalaya.Outcome{Case: atalaya.CaseID(in.ID), Found: atalaya.Finding(b.Found), On: b.On, By: b.By, Note: b.Note, Replaces: atalaya.OutcomeID(b.Replaces)}}
		_, w, err := s.app.AddOutcome(ctx, who.Account, who.view, r)
		if err != nil {
			return Written{}, err
		}
		return Written{refOf(w)}, nil
	})
	post(s, api, "/api/detections/{id}/sorting", "Keep, hold or attach a detection, or undo that", func(ctx context.Context, in *struct {
		One
		Body struct {
			Sorting string `json:"sorting" enum:"keep,hold,attach,reopen"`
			Site    string `json:"site,omitempty" maxLength:"80" doc:"to attach it to"`
			Why     string `json:"why,omitempty" maxLength:"4000" doc:"a hold needs it"`
		}
	}) (Written, error) {
		who, b := readerOf(ctx), in.Body
		w, err := s.app.SortDetection(ctx, who.Account, who.view, atalaya.DetectionID(in.ID), app.Sorting(b.Sorting), atalaya.CandidateID(b.Site), b.Why)
		if err != nil {
			return Written{}, err
		}
		return Written{refOf(w)}, nil
	})
	post(s, api, "/api/observations/{id}/retraction", "Take an observation back", func(ctx context.Context, in *struct {
		One
		Body struct {
			Why string `json:"why" maxLength:"4000"`
		}
	}) (Written, error) {
		who := readerOf(ctx)
		w, err := s.app.Retract(ctx, who.Account, who.view, atalaya.ObservationID(in.ID), in.Body.Why)
		if err != nil {
			return Written{}, err
		}
		return Written{refOf(w)}, nil
	})
	register(s, api, http.MethodDelete, "/api/observations/{id}/retraction", "Undo a retraction", func(ctx context.Context, in *One) (Written, error) {
		who := readerOf(ctx)
		w, err := s.app.Unretract(ctx, who.Account, who.view, atalaya.ObservationID(in.ID))
		if err != nil {
			return Written{}, err
		}
		return Written{refOf(w)}, nil
	})
}

// post makes a call that writes.
func post[I, O any](s *server, api huma.API, path, summary string, f func(context.Context, *I) (O, error)) {
	register(s, api, http.MethodPost, path, summary, f)
}

func refOf(w app.Written) EventRef { return EventRef{w.Event.ID, w.Event.Time} }

// withPresent adds to a conflict the card as it is now, so that both can be shown side by side.
func (s *server) withPresent(ctx context.Context, who reader, id atalaya.CaseID, err error) error {
	if atalaya.KindOf(err) != atalaya.Conflict {
		return err
	}
	p := s.problemOf(ctx, "review", err)
	if f, err := s.app.File(ctx, who.view, id); err == nil {
		if card, err := s.app.Card(ctx, who.Account, who.view, f.Case.Candidate); err == nil {
			p.Errors = struct {
				Present app.SiteCard `json:"present"`
			}{card}
		}
	}
	return p
}
