package sqlite

import (
	"context"
	"fmt"
	"testing"
	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
)

func TestZZ(t *testing.T) {
	db, _ := OpenDir(context.Background(), t.TempDir(), Options{})
	defer db.Close()
	c, _ := db.w.Conn(context.Background())
	defer c.Close()
	c.Raw(func(dc any) error {
		conn := dc.(driver.Conn).Raw()
		for _, q := range []string{
			`SELECT e.n FROM entity e JOIN label l ON l.id = e.label WHERE e.gen = ? AND e.kind = ? AND e.id = ?`,
			`SELECT e.n FROM entity e WHERE e.gen = ? AND e.kind = ? AND e.id = ?`,
			`SELECT e.n FROM entity e JOIN label l ON l.id = e.label WHERE e.gen = +? AND e.kind = +? AND e.id = +?`,
			`SELECT e.n FROM entity e JOIN label l ON l.id = e.label WHERE e.gen = ? AND e.kind = ? AND e.id = +?`,
		} {
			s, _, err := conn.Prepare(q)
			if err != nil { t.Fatal(err) }
			for i := range 10 {
				s.BindInt64(1, 1); s.BindText(2, "observation"); s.BindText(3, fmt.Sprint("x", i))
				s.Step(); s.Reset(); s.ClearBindings()
			}
			fmt.Println(q, s.Status(sqlite3.STMTSTATUS_REPREPARE, false))
		}
		return nil
	})
}
