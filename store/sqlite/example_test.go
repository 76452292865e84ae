package sqlite_test

import (
	"context"
	"fmt"
	"os"

	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/store"
	"github.com/atalaya-isr/atalaya/store/sqlite"
)

// An event is appended, and what it folds to is found by a reader who may see its label.
func Example() {
	dir, _ := os.MkdirTemp("", "record")
	defer os.RemoveAll(dir)
	ctx := context.Background()
	db, err := sqlite.OpenDir(ctx, dir, sqlite.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	_, err = db.Append(ctx, store.NewEvent{
		Kind: store.ObservationMade, Subject: "obs_1", Marking: "(S)", Body: []byte(`{"mission":"SYNTHETIC"}`),
	})
	secret, _ := db.Label(ctx, "(S)")
	may, _ := db.Count(ctx, access.Of(secret), store.Query{Mission: "SYNTHETIC"})
	mayNot, _ := db.Count(ctx, access.View{}, store.Query{Mission: "SYNTHETIC"})
	fmt.Println(may, mayNot, err)
	// Output: 1 0 <nil>
}
