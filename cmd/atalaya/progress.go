package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress shows long work: a bar on a terminal, a line every 10 s elsewhere, nothing when quiet. Safe for concurrent use.
type progress struct {
	w     io.Writer
	quiet bool
	bars  *mpb.Progress

	mu   sync.Mutex
	next time.Time
	bar  *mpb.Bar
	of   string
}

func newProgress(w io.Writer, quiet bool) *progress {
	p := &progress{w: w, quiet: quiet, next: time.Now().Add(10 * time.Second)}
	if f, ok := w.(*os.File); ok && !quiet {
		if st, err := f.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
			p.bars = mpb.New(mpb.WithOutput(w), mpb.WithWidth(48))
		}
	}
	return p
}

// say shows one line: always above the bars of a terminal, elsewhere when the last was 10 s ago.
func (p *progress) say(line string) {
	if p.quiet {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bars != nil {
		fmt.Fprintln(p.bars, line)
		return
	}
	if now := time.Now(); now.After(p.next) {
		p.next = now.Add(10 * time.Second)
		fmt.Fprintln(p.w, line)
	}
}

// barFrom is the size of a file from which its reading is shown.
const barFrom = 16 << 20

// file shows how far a file has been read.
func (p *progress) file(path string, done, total int64) {
	if total >= barFrom {
		p.step(path, done>>20, total>>20, "MB")
	}
}

// steps shows how far a long work is, in its own unit.
func (p *progress) steps(what, unit string) func(done, total int64) {
	return func(done, total int64) { p.step(what, done, total, unit) }
}

// step shows how far one thing is: a bar of its own on a terminal, until it is done.
func (p *progress) step(what string, done, total int64, unit string) {
	if p.quiet {
		return
	}
	if p.bars == nil {
		p.say(fmt.Sprintf("%s: %d of %d %s", what, done, total, unit))
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of != what {
		p.drop()
		p.of = what
		p.bar = p.bars.AddBar(total, mpb.BarRemoveOnComplete(), mpb.PrependDecorators(decor.Name(what+" ")), mpb.AppendDecorators(decor.CountersNoUnit("%d of %d "+unit)))
	}
	p.bar.SetCurrent(done)
}

// drop takes away a bar that did not get to its end.
func (p *progress) drop() {
	if p.bar != nil && !p.bar.Completed() {
		p.bar.Abort(true)
	}
}

// end takes the bars away.
func (p *progress) end() {
	if p.bars == nil {
		return
	}
	p.mu.Lock()
	p.drop()
	p.mu.Unlock()
	p.bars.Wait()
}
