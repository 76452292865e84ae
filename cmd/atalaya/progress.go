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

// barFrom is the size of a file from which it gets a bar of its own.
const barFrom = 16 << 20

// file shows how far a file has been read.
func (p *progress) file(path string, done, total int64) {
	if p.quiet || total < barFrom {
		return
	}
	if p.bars == nil {
		p.say(fmt.Sprintf("%s: %d of %d MB", path, done>>20, total>>20))
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of != path {
		p.of = path
		p.bar = p.bars.AddBar(total, mpb.BarRemoveOnComplete(), mpb.PrependDecorators(decor.Name(path+" ")), mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f")))
	}
	p.bar.SetCurrent(done)
}

// end takes the bars away.
func (p *progress) end() {
	if p.bars == nil {
		return
	}
	p.mu.Lock()
	if p.bar != nil && !p.bar.Completed() {
		p.bar.Abort(true)
	}
	p.mu.Unlock()
	p.bars.Wait()
}
