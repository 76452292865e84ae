package atalaya

import (
	"errors"
	"strings"
)

// Kind says what an error means to the person or program that gets it; one table turns it into exit code and HTTP status.
type Kind uint8

// The kinds of error.
const (
	Failed   Kind = iota // something broke; exit 1
	BadUse               // wrong flags or arguments; exit 2
	BadInput             // a file or value that cannot be read; exit 1, or 3 where other inputs were done
	Refused              // policy says no; exit 4
	NotFound             // no such thing, or none that this reader may see; exit 1
	Conflict             // the thing changed meanwhile; exit 1
	BadLogin             // no valid account; exit 4
)

var kinds = [...]struct{ exit, status int }{
	Failed: {1, 500}, BadUse: {2, 400}, BadInput: {1, 422}, Refused: {4, 403}, NotFound: {1, 404}, Conflict: {1, 409}, BadLogin: {4, 401},
}

// ExitCode is the exit code of a command that ends with this kind of error.
func (k Kind) ExitCode() int { return kinds[k].exit }

// Status is the HTTP status of an answer with this kind of error.
func (k Kind) Status() int { return kinds[k].status }

// Error is an error as its reader needs it: where, what was wrong, and what to do about it.
type Error struct {
	Op    string // "gas.read"
	File  string
	Place string // "line 12, column acetone_ppb", "byte 0x1234"
	Kind  Kind
	Hint  string // an instruction; empty only when nothing can be done
	Err   error
}

// Error is one line: file, place, what, remedy.
func (e *Error) Error() string {
	var b strings.Builder
	for _, s := range []string{e.File, e.Place} {
		if s != "" {
			b.WriteString(s)
			b.WriteString(": ")
		}
	}
	if e.Err != nil {
		b.WriteString(e.Err.Error())
	}
	if e.Hint != "" {
		b.WriteString(". ")
		b.WriteString(e.Hint)
	}
	return oneLine(b.String())
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// A Reason is why there is no answer and what to do about it, by their codes: as the cause of an Error that a screen shows in its reader's
// language.
type Reason struct{ What, Remedy Sentence }

// Error is what was wrong, in English.
func (r Reason) Error() string { return r.What.English() }

// Declined is the error of what cannot be answered; it reads as any other.
func Declined(op string, kind Kind, what, remedy Sentence) *Error {
	return &Error{Op: op, Kind: kind, Err: Reason{what, remedy}, Hint: remedy.English()}
}

// ReasonOf are the sentences of the Reason in err's chain, what was wrong first; none where there is no Reason.
func ReasonOf(err error) []Sentence {
	var r Reason
	if !errors.As(err, &r) {
		return nil
	}
	return []Sentence{r.What, r.Remedy}
}

// KindOf is the kind of the first *Error in err's chain, Failed when there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Failed
}

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
