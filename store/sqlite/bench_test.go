package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/store"
	"github.com/atalaya-isr/atalaya/store/sqlite"
	"github.com/atalaya-isr/atalaya/store/storetest"
)

// BenchmarkAppend counts events that are on the disk, beside what the same disk does with nothing but a write of 512 bytes and
// an fsync ("disk"): no engine can promise more single events a second than that without sharing a sync.
func BenchmarkAppend(b *testing.B) {
	b.Run("disk", func(b *testing.B) {
		f, err := os.Create(filepath.Join(b.TempDir(), "raw"))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		row := make([]byte, 512)
		for b.Loop() {
			if _, err := f.Write(row); err != nil {
				b.Fatal(err)
			}
			if err := f.Sync(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "syncs/s")
	})
	for _, c := range []struct {
		name  string
		key   []byte
		batch int
	}{{"single", nil, 1}, {"single encrypted", key, 1}, {"batch of 500", nil, 500}, {"batch of 500 encrypted", key, 500}} {
		b.Run(c.name, func(b *testing.B) {
			db := open(b, b.TempDir(), sqlite.Options{Key: c.key})
			n := 0
			for b.Loop() {
				events := make([]store.NewEvent, c.batch)
				for i := range events {
					events[i] = obs(fmt.Sprint("obs_", n))
					n++
				}
				add(b, db, events...)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
		})
	}
	b.Run("eight writers", func(b *testing.B) {
		db := open(b, b.TempDir(), sqlite.Options{})
		n := 0
		for b.Loop() {
			var wg sync.WaitGroup
			for w := range 8 {
				wg.Go(func() { add(b, db, obs(fmt.Sprint("obs_", n, "_", w))) })
			}
			wg.Wait()
			n += 8
		}
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
	})
}

// BenchmarkFind asks for what touches one S2 cell of level 12 (about 5 km²) among 5,000 pieces of evidence of 20 cells each.
func BenchmarkFind(b *testing.B) {
	db := open(b, b.TempDir(), sqlite.Options{})
	for batch := range 10 {
		var events []store.NewEvent
		for i := range 500 {
			e := storetest.Made(store.EvidenceMade, fmt.Sprint("ev_", batch, "_", i), "m", "obs", "(U)")
			c := at(batch*500 + i).Parent(16)
			for range 20 {
				e.Cells = append(e.Cells, uint64(c))
				c = c.Next()
			}
			events = append(events, e)
		}
		add(b, db, events...)
	}
	id, err := db.Label(ctx, "(U)")
	if err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	n := 0
	for b.Loop() {
		began := time.Now()
		p, err := db.Find(ctx, access.Of(id), store.Query{Kind: "evidence", Cells: []uint64{uint64(at(n % 5000).Parent(12))}})
		if err != nil || len(p.Entities) == 0 {
			b.Fatalf("%d found, %v", len(p.Entities), err)
		}
		took = append(took, time.Since(began))
		n++
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
