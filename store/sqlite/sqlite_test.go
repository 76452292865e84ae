package sqlite_test

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"github.com/atalaya-isr/atalaya/store"
	"github.com/atalaya-isr/atalaya/store/sqlite"
	"github.com/atalaya-isr/atalaya/store/storetest"
)

func TestMain(m *testing.M) {
	if crashing() {
		return
	}
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, dir string, opts sqlite.Options) *sqlite.DB {
	t.Helper()
	db, err := sqlite.OpenDir(context.Background(), dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) store.Store { return open(t, t.TempDir(), sqlite.Options{}) })
}
