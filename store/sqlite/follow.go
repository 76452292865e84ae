package sqlite

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/store"
)

const (
	tailList  = "tail"
	beginning = store.Cursor("0")
)

// Follow lists events after a cursor. Cursors name only events that the view may see: while nothing new is visible the cursor
// stays as it is, whatever else was logged.
func (db *DB) Follow(ctx context.Context, view access.View, after store.Cursor, limit int) (store.Tail, error) {
	if after == "" {
		seq, err := db.lastVisible(ctx, view)
		return store.Tail{Next: db.tailCursor(view, seq)}, db.plain("follow", err)
	}
	seq := int64(0)
	if after != beginning {
		place, err := db.cursor.open(tailList, view, after)
		if err == nil && len(place) == 8 {
			seq = int64(binary.BigEndian.Uint64(place))
		}
		if ours, err2 := db.isVisible(ctx, view, seq); err2 != nil {
			return store.Tail{}, db.plain("follow", err2)
		} else if err != nil || !ours { // of another view or record, or of a time that a restored backup has not seen
			last, err := db.lastVisible(ctx, view)
			return store.Tail{Next: db.tailCursor(view, last), Reset: true}, db.plain("follow", err)
		}
	}
	c := clause{}
	c.and("e.seq > ?", seq)
	if err := c.see(view); err != nil {
		return store.Tail{}, err
	}
	tail := " ORDER BY e.seq"
	if limit > 0 {
		tail += fmt.Sprintf(" LIMIT %d", limit)
	}
	list, err := db.events(ctx, c, tail)
	if err != nil {
		return store.Tail{}, db.plain("follow", err)
	}
	out := store.Tail{Next: after}
	for _, e := range list {
		id := db.tailCursor(view, e.Seq)
		out.Events = append(out.Events, store.TailEvent{ID: id, Prev: out.Next, Event: e.Event})
		out.Next = id
	}
	return out, nil
}

func (db *DB) tailCursor(view access.View, seq int64) store.Cursor {
	if seq == 0 {
		return beginning
	}
	return db.cursor.seal(tailList, view, binary.BigEndian.AppendUint64(nil, uint64(seq)))
}

func (db *DB) isVisible(ctx context.Context, view access.View, seq int64) (bool, error) {
	c := clause{}
	c.and("e.seq = ?", seq)
	if err := c.see(view); err != nil {
		return false, err
	}
	var n int
	err := db.r.QueryRowContext(ctx, "SELECT count(*) FROM event e"+c.String(), c.args...).Scan(&n)
	return n > 0, err
}

// lastVisible is the seq of the newest event that the view may see, 0 when there is none.
func (db *DB) lastVisible(ctx context.Context, view access.View) (seq int64, err error) {
	if view.IsWhole() {
		return db.Head(ctx)
	}
	for _, label := range view.IDs() { // one look into the index a label
		var s int64
		if err := db.r.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM event WHERE label = ?", int64(label)).Scan(&s); err != nil {
			return 0, err
		}
		seq = max(seq, s)
	}
	return seq, nil
}

// watch wakes those who wait for an append. Appends of this process wake them at once; those of others are seen by a look at
// the end of the log ten times a second, which begins when someone first waits.
type watch struct {
	mu      sync.Mutex
	seq     int64 // the newest that was announced
	waiting chan struct{}
	looking sync.Once
	done    chan struct{}
	stopped sync.Once
	running sync.WaitGroup
}

func (w *watch) init() { w.waiting, w.done = make(chan struct{}), make(chan struct{}) }

func (w *watch) stop() {
	w.stopped.Do(func() { close(w.done) })
	w.running.Wait()
}

func (w *watch) wake(seq int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if seq > w.seq {
		w.seq = seq
		close(w.waiting)
		w.waiting = make(chan struct{})
	}
}

// Changed is closed at the next append. Take it before looking at the log, so that nothing is missed between.
func (db *DB) Changed() <-chan struct{} {
	w := &db.watch
	w.mu.Lock()
	ch := w.waiting
	w.mu.Unlock()
	w.looking.Do(func() {
		select {
		case <-w.done:
			return
		default:
		}
		if seq, err := db.Head(context.Background()); err == nil {
			w.mu.Lock()
			w.seq = max(w.seq, seq)
			w.mu.Unlock()
		}
		w.running.Add(1)
		go db.look()
	})
	return ch
}

func (db *DB) look() {
	w := &db.watch
	defer w.running.Done()
	t := time.NewTicker(tailPolls)
	defer t.Stop()
	for {
		select {
		case <-w.done:
			return
		case <-t.C:
			if seq, err := db.Head(context.Background()); err == nil {
				w.wake(seq)
			}
		}
	}
}
