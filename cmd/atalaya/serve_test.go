package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya"
)

func TestWhatFailsInsideTheServerIsOneLineForItsOperator(t *testing.T) {
	if operatorLog(nil, true) != nil {
		t.Error("under --quiet something is told")
	}
	var talk strings.Builder
	operatorLog(&talk, false)("GET /api/sites: panic: %v\n%s", "oh", "goroutine 1:\n\tmain.go:7\n")
	at, line, _ := strings.Cut(talk.String(), " ")
	if _, err := time.Parse(time.RFC3339, at); err != nil || line != "GET /api/sites: panic: oh goroutine 1: main.go:7\n" {
		t.Errorf("it says %q at %q", line, at)
	}
}

func TestAnErrorThatNamesNoFileGetsOne(t *testing.T) {
	bare := errors.New("interrupted")
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"of the program's own kind", &atalaya.Error{Err: errors.New("no wind"), Hint: "Add it"}, "a.csv: no wind. Add it"},
		{"that names its file already", &atalaya.Error{File: "b.csv", Err: errors.New("no wind")}, "b.csv: no wind"},
		{"of no kind", bare, "interrupted"},
	} {
		if got := inFile("a.csv", c.err); got.Error() != c.want {
			t.Errorf("an error %s: %q, want %q", c.name, got, c.want)
		}
	}
}
