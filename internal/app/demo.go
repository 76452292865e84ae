package app

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/simulate"
)

// DemoPeople are the invented people of the demo: two who decide and one who looks.
var DemoPeople = [...]struct{ Name, Role string }{
	{"Ana SYNTHETIC", "analyst"}, {"Luis SYNTHETIC", "reviewer"}, {"Olga SYNTHETIC", "observer"},
}

// Demo is a demo campaign that was made and run.
type Demo struct {
	Document SitesDocument
	Partial  bool // something could not be read or worked out: the document names it
	Truth    simulate.Truth
	Password string // of all demo people; made afresh each time
}

// MakeDemo makes the small campaign in dir, runs it, and makes the demo's people where they are missing.
func (a *App) MakeDemo(ctx context.Context, dir string, seed uint64) (d Demo, err error) {
	s, err := simulate.Find("small")
	if err != nil {
		return d, err
	}
	a.talk("simulating the campaign")
	if d.Truth, err = simulate.Campaign(s, seed, Folder(dir)); err != nil {
		return d, err
	}
	if d.Document, d.Partial, err = a.Run(ctx, dir, RunOptions{Seed: seed}); err != nil {
		return d, err
	}
	d.Password = randomText(9)
	old, err := a.Accounts(ctx)
	if err != nil {
		return d, err
	}
	have := map[string]atalaya.AccountID{}
	for _, c := range old {
		have[c.Name] = c.ID
	}
	for _, p := range DemoPeople {
		if id, ok := have[p.Name]; ok {
			err = a.Record.SetSecret(ctx, "password/"+string(id), hashPassword(d.Password))
		} else {
			_, _, err = a.AddAccount(ctx, System, p.Name, p.Role, d.Password)
		}
		if err != nil {
			return d, err
		}
	}
	return d, nil
}

// Folder is a folder that a simulated mission is written into.
type Folder string

// Create makes a file below the folder.
func (f Folder) Create(name string) (io.WriteCloser, error) {
	path := filepath.Join(string(f), filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	return os.Create(path)
}
