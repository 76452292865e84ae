package serve

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atalaya-isr/atalaya"
)

// Problem is an answer that is not a success (RFC 9457). Detail is one line with its remedy.
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Errors any    `json:"errors,omitempty" doc:"what goes with it: places of a bad request, or the present state of what has changed"`
}

// Error is the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of RFC 9457.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

func problem(status int, detail string) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Detail: detail}
}

var errSignIn = &atalaya.Error{Kind: atalaya.BadLogin, Err: errors.New("nobody is signed in"), Hint: "Sign in"}

func isBadLogin(err error) bool { return atalaya.KindOf(err) == atalaya.BadLogin }

const failedLine = "the server could not do this. Try again, and else ask who runs it: the log there says why"

// problemOf turns an error into an answer by the one table of kinds. What failed inside is told to the operator, under a
// short name that the answer repeats.
func (s *server) problemOf(ctx context.Context, call string, err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	kind := atalaya.KindOf(err)
	var known *atalaya.Error
	if kind == atalaya.Failed || !errors.As(err, &known) {
		if ctx.Err() != nil { // the caller has gone
			return problem(http.StatusServiceUnavailable, "the call was given up")
		}
		name := hex.EncodeToString([]byte{byte(rand.Uint32()), byte(rand.Uint32()), byte(rand.Uint32())})
		s.opt.Log("%s [%s]: %v", call, name, err)
		return problem(http.StatusInternalServerError, failedLine+" under "+name)
	}
	line := *known // without the file: a path of the server's own
	line.File = ""
	return problem(kind.Status(), line.Error())
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p) // a reader that has gone cannot be told
}

// plainProblems turns what huma says of a bad request into one line, and drops the value that it would send back.
func plainProblems(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := problem(m.Status, m.Detail)
	type place struct {
		Message  string `json:"message"`
		Location string `json:"location"`
	}
	var places []place
	for _, e := range m.Errors {
		places = append(places, place{e.Message, e.Location})
	}
	if len(places) > 0 {
		p.Errors = places
		first := places[0]
		p.Detail = strings.TrimSuffix(fmt.Sprintf("%s: %s: %s", m.Detail, first.Location, first.Message), ": ")
	}
	p.Detail += ". See docs/reference/api.md for what the call takes"
	return p, nil
}
