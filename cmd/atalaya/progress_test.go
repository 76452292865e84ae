package main

import (
	"bytes"
	"testing"
	"time"
)

func TestLongWorkSaysALineEveryTenSecondsWhereThereIsNoTerminal(t *testing.T) {
	for _, row := range []struct {
		claim string
		quiet bool
		do    func(*progress)
		want  string
	}{
		{"steps, the first due and the next not", false, func(p *progress) { p.steps("replay", "events")(5, 9); p.steps("replay", "events")(6, 9) }, "replay: 5 of 9 events\n"},
		{"a large file", false, func(p *progress) { p.file("a.ts", 3<<20, 64<<20) }, "a.ts: 3 of 64 MB\n"},
		{"a file that is read in no time", false, func(p *progress) { p.file("a.csv", 10, 20) }, ""},
		{"quiet", true, func(p *progress) { p.steps("replay", "events")(5, 9); p.file("a.ts", 3<<20, 64<<20); p.say("x") }, ""},
	} {
		t.Run(row.claim, func(t *testing.T) {
			var out bytes.Buffer
			p := newProgress(&out, row.quiet)
			row.do(p)
			if out.Len() > 0 {
				t.Errorf("before ten seconds have passed: %q", out.String())
			}
			p.next = time.Now().Add(-time.Second) // ten seconds later
			row.do(p)
			p.end()
			if got := out.String(); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
