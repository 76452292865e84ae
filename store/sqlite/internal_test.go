package sqlite

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/store"
)

func TestAWriteInsideAWriteFailsAtOnce(t *testing.T) {
	t.Parallel()
	db, err := OpenDir(context.Background(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	began := time.Now()
	err = db.write(context.Background(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := db.Append(ctx, store.NewEvent{Kind: store.MissionMade, Subject: "m", Marking: "(U)"})
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "a write inside a write") || time.Since(began) > time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
	if _, err := db.Append(context.Background(), store.NewEvent{Kind: store.MissionMade, Subject: "m", Marking: "(U)"}); err != nil {
		t.Errorf("the record did not go on: %v", err)
	}
}
